from datetime import timedelta

from odoo import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import NOW, CoverageCase

APPLICATION = "odoo.addons.crm_sales_coverage.models.coverage_application"


@tagged("post_install", "-at_install")
class TestAutomation(CoverageCase):
    """Decisions pass the ORM: automation rules fire, on real moves only."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if "base.automation" not in cls.env:
            cls.skipTest(cls, "base_automation is not installed")
        cls._create_leaders()
        cls.customer = cls._create_known_buyer(6_000)

    def _create_rule(self, code, domain, before="[]"):
        model = self.env["ir.model"]._get("coverage.customer")
        self.env["base.automation"].create(
            {
                "name": "Coverage",
                "model_id": model.id,
                "trigger": "on_create_or_write",
                "filter_domain": domain,
                "filter_pre_domain": before,
                "action_server_ids": [
                    Command.create(
                        {
                            "name": "Coverage",
                            "model_id": model.id,
                            "state": "code",
                            "code": code,
                        }
                    )
                ],
            }
        )
        self.addCleanup(self.env["base.automation"]._unregister_hook)

    def _create_frozen_rule(self):
        self._create_rule(
            "for record in records:\n"
            "    ref = record.partner_id.ref or ''\n"
            "    record.partner_id.write({'ref': ref + '+' + record.lifecycle})",
            "[('temperature_id.code', '=', 'frozen')]",
            "[('temperature_id.code', '!=', 'frozen')]",
        )

    def test_rule_fires_when_the_night_freezes_a_customer(self):
        self._create_frozen_rule()
        self._refresh(NOW + timedelta(days=200))
        self.assertStands(self.customer, "B", "frozen", "sleeping")
        self.assertEqual(self.customer.ref, "+sleeping")

    def test_rule_fires_once(self):
        self._create_frozen_rule()
        for days in (200, 200, 201, 300):
            self._refresh(NOW + timedelta(days=days))
        self.assertEqual(self.customer.ref, "+sleeping")

    def test_rule_does_not_fire_where_nothing_moves(self):
        self._create_frozen_rule()
        self._refresh(NOW + timedelta(days=1))
        self.assertFalse(self.customer.ref)

    def test_rule_fires_on_an_event_with_new_facts(self):
        self._create_rule(
            "for record in records:\n"
            "    record.partner_id.write({'ref': str(int(record.revenue_12m))})",
            "[('segment_id.code', '=', 'A')]",
            "[('segment_id.code', '!=', 'A')]",
        )
        self._confirm_order(self.customer, 4_000)
        self.assertEqual(self.customer.ref, "10000")

    def test_rule_sees_a_first_class_and_a_first_role(self):
        for name in ("lifecycle", "role_id.name"):
            field = name.split(".")[0]
            self._create_rule(
                "for record in records:\n"
                "    ref = record.partner_id.ref or ''\n"
                f"    record.partner_id.write({{'ref': ref + '+' + record.{name}}})",
                f"[('{field}', '!=', False)]",
                f"[('{field}', '=', False)]",
            )
        newcomer = self._create_customer("Newcomer")
        self._create_quotation(newcomer, 500)
        self.assertEqual(newcomer.ref, "+prospect+Call Agent")

    def test_rule_that_refuses_stops_neither_night_nor_others(self):
        self._create_rule(
            f"if {self.customer.id} in records.partner_id.ids:\n"
            "    raise UserError('Not with me')",
            "[('temperature_id.code', '=', 'frozen')]",
        )
        with (
            mute_logger("odoo.addons.base.models.ir_actions"),
            self.assertLogs(APPLICATION, "WARNING"),
        ):
            run = self._refresh(NOW + timedelta(days=200))
        self.assertEqual(run.failed_count, 1)
        self.assertEqual(self._row(self.customer).temperature_code, "hot")
        self.assertEqual(self._row(self.leaders[0]).temperature_code, "frozen")

    def test_rule_that_writes_the_row_does_not_loop(self):
        self._create_rule(
            "for record in records:\n"
            "    record.write({'watcher_ids': [(4, record.env.uid)]})",
            "[('temperature_id.code', '=', 'frozen')]",
        )
        self._refresh(NOW + timedelta(days=200))
        self.assertStands(self.customer, "B", "frozen", "sleeping")
        self.assertTrue(self._row(self.customer).watcher_ids)
