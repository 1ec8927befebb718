from odoo.exceptions import ValidationError
from odoo.tests import HttpCase, TransactionCase, tagged
from odoo.tools import mute_logger

from odoo.addons.web.tests import test_js

SUITE = "@crm_sales_coverage"


@tagged("post_install", "-at_install")
class TestMapUnits(HttpCase):
    """The map's model, layout and renderer, in a real browser without a server."""

    def test_units(self):
        suite = test_js.HOOTCommon._generate_hash(self, SUITE)
        self.browser_js(
            f"/web/tests?headless&loglevel=2&preset=desktop&timeout=15000&id={suite}",
            "",
            "",
            login="admin",
            timeout=300,
            success_signal="[HOOT] Test suite succeeded",
            error_checker=test_js.unit_test_error_checker,
        )


class TestMapArch(TransactionCase):
    """The view's arch is checked when somebody writes one."""

    def _create(self, arch, model="coverage.customer"):
        return self.env["ir.ui.view"].create(
            {"name": "map", "type": "coverage_map", "model": model, "arch": arch}
        )

    def test_map_by_two_fields_is_accepted(self):
        view = self._create(
            '<coverage_map row="segment_id" column="last_order_date:month">'
            '<field name="team_id"/></coverage_map>'
        )
        self.assertEqual(view.type, "coverage_map")

    @mute_logger("odoo.addons.base.models.ir_ui_view")
    def test_bad_arch_is_refused_with_a_reason(self):
        cases = {
            '<coverage_map row="nobody"/>': "nobody",
            '<coverage_map colour="x"/>': "colour",
            "<coverage_map><div/></coverage_map>": "div",
        }
        for arch, word in cases.items():
            with self.subTest(arch=arch), self.assertRaisesRegex(ValidationError, word):
                self._create(arch)

    @mute_logger("odoo.addons.base.models.ir_ui_view")
    def test_other_models_have_no_map(self):
        with self.assertRaisesRegex(ValidationError, "customers only"):
            self._create("<coverage_map/>", model="res.partner")

    def test_action_offers_the_map_with_its_icon(self):
        self.assertIn("coverage_map", self.env["ir.ui.view"].get_view_info())
        views = self.env["coverage.customer"].get_views(
            [(False, "coverage_map"), (False, "search")], {"toolbar": True}
        )
        actions = views["views"]["coverage_map"]["toolbar"]["action"]
        hand_over = self.env.ref(
            "crm_sales_coverage.coverage_customer_action_hand_over"
        )
        self.assertIn(hand_over.id, [action["id"] for action in actions])
