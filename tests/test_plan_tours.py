from odoo import Command, fields
from odoo.tests import tagged

from .test_tours import TourCase


@tagged("post_install", "-at_install")
class TestPlanTours(TourCase):
    """A real browser plans who gets idle customers, changes, applies and undoes it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls._create_user("tour_other", "sales_team.group_sale_salesman")
        cls.other.name = "Tour Other"
        cls.third = cls._create_user("tour_third", "sales_team.group_sale_salesman")
        cls.third.name = "Tour Third"
        cls.team = cls.env["crm.team"].create(
            {
                "name": "Tour Team",
                "company_id": cls.company.id,
                "crm_team_member_ids": [
                    Command.create({"user_id": user.id})
                    for user in cls.seller | cls.other | cls.third
                ],
            }
        )
        paused = cls.team.crm_team_member_ids.filtered(
            lambda one: one.user_id == cls.third
        )
        paused.assignment_optout = True
        cls.company.write(
            {
                "coverage_assign_revenue_rate": 0,
                "coverage_assign_giver_revenue_rate": 0,
            }
        )
        cls.rows = cls.env["coverage.customer"].search(
            [("partner_id", "in", (cls.bravo | cls.charlie).ids)]
        )
        cls.rows.team_id = cls.team
        cls.rows.idle_since = fields.Date.today()

    def test_manager_plans_changes_applies_and_undoes(self):
        self.start_tour("/odoo", "coverage_plan", login="tour_manager")
        self.env.invalidate_all()
        self.assertEqual(self.rows.user_id, self.seller)
        bravo = self._row(self.bravo)
        self.assertTrue(bravo.protected_until)
        owners = self.env["coverage.change"].search(
            [("customer_id", "=", bravo.id), ("field_name", "=", "user_id")]
        )
        self.assertIn(str(self.other.id), owners.mapped("new_value"))

    def test_manager_decides_on_the_nightly_plan(self):
        self._run_job()
        self.team.crm_team_member_ids.assignment_optout = False
        self.start_tour("/odoo", "coverage_plan_choose", login="tour_manager")

    def test_receiver_reads_one_summary(self):
        self._run_job().action_apply()
        self.assertEqual(self.rows.user_id, self.other)
        self.start_tour("/odoo", "coverage_plan_day", login="tour_other")

    def _run_job(self):
        """Return the plan that the nightly job made, and that waits."""
        tally = type("Tally", (), {"count": 0})()
        engine, now = self.env["coverage.assignment"].sudo(), fields.Datetime.now()
        engine._run_automatic(self.company, now, tally, None)
        run = self.env["coverage.run"].search(
            [("company_id", "=", self.company.id), ("is_waiting", "=", True)]
        )
        self.assertEqual(run.move_count, 2)
        return run
