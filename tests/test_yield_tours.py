from odoo.tests import tagged

from .test_map_tours import MapTourCase


@tagged("post_install", "-at_install")
class TestYieldTours(MapTourCase):
    """A real browser opens the reports about money, each with its figures."""

    def test_manager_reads_the_reports(self):
        self.start_tour(
            "/odoo/coverage-customers", "coverage_money_reports", login="tour_manager"
        )
