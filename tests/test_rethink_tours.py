from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .test_tours import TourCase


@tagged("post_install", "-at_install")
class TestRethinkTours(TourCase):
    """A real browser answers a rethink, confirms it, and looks at who is blue."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_leader()
        cls.alpha = cls._create_buyer("Tour Alpha", 9_900, cls.seller)
        now = fields.Datetime.now()
        cls.env["coverage.refresh"]._run_refresh(cls.company, now)
        cls.row = cls._find_row(cls.alpha)
        cls.row.team_id = cls.env["crm.team"].search([("name", "=", "Tour Team")])
        level = cls.env.ref("crm_sales_coverage.temperature_cool")
        cls.row.write({"temperature_id": level.id})
        turn = cls.env["coverage.change"].search(
            [
                ("customer_id", "=", cls.row.id),
                ("field_name", "=", "temperature_id"),
            ]
        )
        turn.date = now - timedelta(days=12)
        cls.env.flush_all()

    @classmethod
    def _find_row(cls, partner):
        return cls.env["coverage.customer"].search([("partner_id", "=", partner.id)])

    def _begin(self):
        engine = self.env["coverage.rethink.engine"]
        return engine._open(self.company, self.row, fields.Datetime.now())

    def test_owner_answers_from_my_day(self):
        rethink = self._begin()
        self.start_tour("/odoo", "coverage_rethink_day", login="tour_seller")
        rethink.invalidate_recordset()
        self.assertEqual(rethink.state, "answered")
        self.assertEqual(rethink.change, "Visit with a sample box")

    def test_leader_sends_back_and_confirms(self):
        rethink = self._begin()
        answer = ("New purchaser", "Visit", fields.Date.today() + timedelta(days=7))
        rethink.with_user(self.seller).action_answer(*answer)
        self.start_tour("/odoo", "coverage_rethink_confirm", login="tour_leader")
        rethink.invalidate_recordset()
        self.assertEqual(rethink.state, "confirmed")

    def test_leader_looks_at_who_is_blue_and_opens_one(self):
        self.start_tour("/odoo", "coverage_rethink_blue", login="tour_leader")
        self.env.invalidate_all()
        self.assertEqual(self.row.rethink_id.user_id, self.seller)
