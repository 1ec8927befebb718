from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .test_tours import TourCase


class MapTourCase(TourCase):
    """Customers with a past: one was frozen until 20 days ago."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._warm_up(cls.bravo, "frozen", days=20)

    @classmethod
    def _warm_up(cls, partner, code, days):
        """Pretend that a customer was ``code`` until some days ago."""
        row = cls.env["coverage.customer"].search([("partner_id", "=", partner.id)])
        before = cls.env.ref(f"crm_sales_coverage.temperature_{code}")
        cls.env["coverage.change"].create(
            {
                "customer_id": row.id,
                "company_id": row.company_id.id,
                "res_id": row.id,
                "date": fields.Datetime.now() - timedelta(days=days),
                "field_name": "temperature_id",
                "old_value": str(before.id),
                "new_value": str(row.temperature_id.id),
                "old_label": before.name,
                "new_label": row.temperature_id.name,
                "potential": row.potential,
                "revenue_12m": row.revenue_12m,
            }
        )
        cls.env.cr.execute(
            "UPDATE coverage_customer SET create_date = %s WHERE company_id = %s",
            [fields.Datetime.now() - timedelta(days=40), cls.company.id],
        )


@tagged("post_install", "-at_install")
class TestMapTours(MapTourCase):
    """A real browser reads the map, goes back in time, selects and acts."""

    def test_manager_reads_the_map_and_acts(self):
        self.start_tour(
            "/odoo/coverage-customers",
            "coverage_map",
            login="tour_manager",
        )

    def test_seller_sees_own_customers_only(self):
        self.start_tour("/odoo/coverage-map", "coverage_map_own", login="tour_seller")

    def test_empty_map_says_what_to_do(self):
        self._create_user("tour_newcomer", "sales_team.group_sale_salesman")
        self.start_tour(
            "/odoo/coverage-map", "coverage_map_empty", login="tour_newcomer"
        )
