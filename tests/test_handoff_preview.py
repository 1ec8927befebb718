from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import CoverageCase

PREVIEW = {
    "count": 7,
    "lines": [
        {
            "giver_id": 5,
            "giver": "Ben",
            "receiver_id": 6,
            "receiver": "Olga",
            "policy": "Regular",
            "count": 7,
            "names": ["One", "Two"],
            "reasons": ["Farmer"],
        },
    ],
    "waiting": [{"code": "tomorrow", "label": "Tomorrow", "count": 2}],
    "nobody": [{"role_id": 1, "role": "Farmer", "count": 1, "names": ["Three"]}],
}


@tagged("post_install", "-at_install")
class TestHandoffPreview(CoverageCase):
    """What the policies would begin, before they are switched on."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.handoff_cron = cls.env.ref("crm_sales_coverage.ir_cron_handoff")

    def _open(self, user=None):
        dialogs = self.env["coverage.handoff.preview"]
        return dialogs.with_user(user or self.manager).create({})

    def test_looking_changes_nothing(self):
        before = self.env["coverage.handoff"].search_count([])
        summary = self._open().summary
        self.assertEqual(summary["count"], 0)
        self.assertEqual(self.env["coverage.handoff"].search_count([]), before)

    def test_lines_are_grouped_by_giver(self):
        engine = type(self.env["coverage.handoff.engine"])
        with patch.object(engine, "_preview_handoffs", lambda *args: PREVIEW):
            summary = self._open().summary
        self.assertEqual([giver["name"] for giver in summary["givers"]], ["Ben"])
        line = summary["givers"][0]["lines"][0]
        self.assertEqual(line["names"], "One, Two and 5 more")
        self.assertEqual(summary["nobody"][0]["names"], "Three")

    def test_manager_switches_on_and_off(self):
        self.handoff_cron.active = False
        preview = self._open()
        self.assertFalse(preview.is_active)
        preview.action_switch_on()
        self.assertTrue(self.handoff_cron.active)
        preview.action_switch_off()
        self.assertFalse(self.handoff_cron.active)

    def test_nobody_else_looks_or_switches(self):
        for user in (self.sara, self.leader):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self._open(user)
        preview = self._open()
        with self.assertRaises(AccessError):
            preview.with_user(self.sara).action_switch_on()

    def test_checklist_counts_roles_rules_and_policies(self):
        start = self.env["coverage.start"].with_user(self.manager).create({})
        before = start.cast_count
        member = self.north.crm_team_member_ids[0]
        member.coverage_role_ids = self.env.ref("crm_sales_coverage.role_farmer")
        start.invalidate_recordset()
        self.assertEqual(start.cast_count, before + 1)
        self.assertGreater(start.rule_count, 0)
        for action in (
            start.action_preview_handoffs,
            start.action_open_rules,
            start.action_open_members,
        ):
            self.assertTrue(action()["res_model"])
