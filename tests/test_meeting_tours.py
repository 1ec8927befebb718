from odoo import Command
from odoo.tests import tagged

from .test_tours import TourCase


@tagged("post_install", "-at_install")
class TestMeetingTours(TourCase):
    """Planning a group meeting, deciding, and writing a review in a real browser."""

    def _find(self, model):
        """Return what this company has of a model."""
        return self.env[model].search([("company_id", "=", self.company.id)])

    def test_manager_plans_a_meeting_from_chosen_customers_and_notes_a_decision(self):
        self.start_tour("/odoo", "coverage_meeting_plan", login="tour_manager")
        self.env.invalidate_all()
        meeting = self._find("coverage.meeting")
        self.assertEqual(
            (meeting.name, meeting.state, meeting.decision_ids.user_id),
            ("Bakeries that buy less", "held", self.manager),
        )
        partners = meeting.event_id.partner_ids
        self.assertEqual(partners, (self.manager | self.seller).partner_id)

    def test_manager_makes_a_rule(self):
        self._create_leader()
        team = self.env["crm.team"].search([("name", "=", "Tour Team")])
        colleague = self._create_user("tour_other", "sales_team.group_sale_salesman")
        team.write({"crm_team_member_ids": [Command.create({"user_id": colleague.id})]})
        self.start_tour("/odoo", "coverage_meeting_rule", login="tour_manager")
        self.env.invalidate_all()
        meetings = self._find("coverage.meeting")
        self.assertEqual(meetings.member_ids, self.seller | colleague)

    def test_seller_writes_a_case_review(self):
        self.env["coverage.case.review"].create(
            {
                "customer_id": self._row(self.bravo).id,
                "user_id": self.seller.id,
                "kind": "won",
            }
        )
        self.start_tour("/odoo", "coverage_case_review", login="tour_seller")
        self.env.invalidate_all()
        review = self._find("coverage.case.review")
        self.assertEqual(
            (review.state, review.next_time), ("written", "Ask the chef first")
        )
