from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .test_tours import TourCase


@tagged("post_install", "-at_install")
class TestIdleTours(TourCase):
    """A real browser sees neglect as seller, leader and manager do."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.today = fields.Date.today()
        row = cls.env["coverage.customer"].search([("partner_id", "=", cls.bravo.id)])
        row.owned_since = cls.today - timedelta(days=500)
        cls.bravo_order = cls.env["sale.order"].search(
            [("partner_id", "=", cls.bravo.id)]
        )

    def _warn(self, days_ago=0):
        """Let the seller be warned of Bravo, the first time so many days ago."""
        self.company.coverage_idle_date = self.today - timedelta(days=400)
        now = fields.Datetime.now()
        for number in range(days_ago, -1, -1):
            moment = now - timedelta(days=number)
            self.env["coverage.idle"]._run_idle(self.company, moment)

    def test_seller_sees_the_warning_and_a_call_ends_it(self):
        self._warn()
        row = self._row(self.bravo)
        self.assertEqual(row.idle_warning_level, 1)
        self.start_tour("/odoo", "coverage_idle_day", login="tour_seller")
        row.invalidate_recordset()
        self.assertEqual((row.idle_warning_level, row.idle_date), (0, False))

    def test_manager_previews_tests_and_switches_on(self):
        order_date = fields.Datetime.now() - timedelta(days=450)
        self.bravo_order.date_order = order_date
        self.env["coverage.refresh"]._refresh_customers(self._row(self.bravo))
        cron = self.env.ref("crm_sales_coverage.ir_cron_idle")
        cron.active = False
        self.start_tour("/odoo", "coverage_idle_preview", login="tour_manager")
        self.env.invalidate_all()
        self.assertTrue(cron.active)
        self.assertEqual(self.company.coverage_idle_date, self.today)

    def test_leader_lets_the_owner_keep_it(self):
        self._create_leader()
        self._warn(13)
        row = self._row(self.bravo)
        self.assertEqual(row.idle_warning_level, 3)
        self.start_tour("/odoo", "coverage_idle_leader", login="tour_leader")
        row.invalidate_recordset()
        self.assertEqual(row.idle_warning_level, 0)
        self.assertTrue(row.leave_alone_until)
