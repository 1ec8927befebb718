from odoo.tests import tagged

from .test_tours import TourCase


@tagged("post_install", "-at_install")
class TestFunnelTours(TourCase):
    """A real browser opens the funnel and the results of handoffs from the menu."""

    def test_manager_looks_at_the_funnel(self):
        self.start_tour("/odoo", "coverage_funnel_report", login="tour_manager")

    def test_manager_looks_at_what_became_of_handoffs(self):
        handoff = self.env["coverage.handoff"].create(
            {
                "customer_id": self._row(self.charlie).id,
                "to_user_id": self.manager.id,
                "reason": "Test",
            }
        )
        handoff.with_user(self.seller).action_offer()
        self.start_tour("/odoo", "coverage_handoff_report", login="tour_manager")
