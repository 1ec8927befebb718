from odoo import Command
from odoo.tests import tagged

from .test_tours import TourCase


@tagged("post_install", "-at_install")
class TestPoolTours(TourCase):
    """A seller asks the pool, a leader hands out."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tour_leader = cls._create_leader()
        rows = cls.env["coverage.customer"].search(
            [("partner_id", "in", (cls.bravo + cls.charlie).ids)]
        )
        cls.pool = rows.sorted("potential", reverse=True)
        cls.pool.user_id = cls.manager
        cls.pool.change_ids.unlink()  # who had it until lately is not offered it
        reason = {"code": "released", "text": "Moved away"}
        cls.pool._log_owner(reason).write(
            {"user_id": False, "team_id": cls.seller.sale_team_id.id}
        )

    def test_seller_passes_one_and_takes_the_next(self):
        self.start_tour("/odoo", "coverage_pool_claim", login="tour_seller")
        self.env.invalidate_all()
        bravo, charlie = self._row(self.bravo), self._row(self.charlie)
        self.assertEqual(charlie.user_id, self.seller)
        self.assertEqual(bravo.claim_ids.state, "passed")
        self.assertEqual(bravo.claim_ids.pass_reason, "far")

    def test_my_day_offers_the_next_one(self):
        self.start_tour("/odoo", "coverage_pool_day", login="tour_seller")
        self.env.invalidate_all()
        self.assertEqual(self._row(self.bravo).claim_ids.state, "offered")

    def test_leader_hands_out(self):
        self.start_tour("/odoo", "coverage_pool_hand_out", login="tour_leader")
        self.env.invalidate_all()
        self.assertEqual(self._row(self.bravo).user_id, self.seller)
        self.assertFalse(self._row(self.charlie).user_id)


@tagged("post_install", "-at_install")
class TestLeaverTours(TourCase):
    """A manager lets somebody leave by a plan, and somebody be covered for a time."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_leader()
        cls.receiver = cls._create_user(
            "tour_receiver", "sales_team.group_sale_salesman"
        )
        cls.receiver.name = "Tour Receiver"
        team = cls.seller.sale_team_id
        team.crm_team_member_ids = [Command.create({"user_id": cls.receiver.id})]
        cls.rows = cls._row(cls, cls.bravo) + cls._row(cls, cls.charlie)

    def test_somebody_leaves_by_a_plan(self):
        self.start_tour("/odoo", "coverage_leaver_plan", login="tour_manager")
        self.env.invalidate_all()
        self.assertEqual(self.rows.user_id, self.receiver)
        absence = self.env["coverage.absence"].search(
            [("user_id", "=", self.seller.id)]
        )
        self.assertEqual((absence.kind, absence.state), ("leaves", "over"))

    def test_somebody_is_covered_for_a_time(self):
        self.start_tour("/odoo", "coverage_leaver_away", login="tour_manager")
        self.env.invalidate_all()
        self.assertEqual(self.rows.user_id, self.receiver)
        self.start_tour("/odoo", "coverage_leaver_cover_day", login="tour_receiver")
