from datetime import timedelta

from odoo.tests import tagged

from .common import NOW, CoverageCase


class PerformanceCase(CoverageCase):
    """Counts what an act costs for 10 customers and for 100."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with cls._on_day(1):
            cls.customers = cls._create_buyers(112, 8_100, user_id=cls.sara.id)
            cls._refresh(NOW - timedelta(days=1))
        cls.few, cls.many = cls.customers[2:12], cls.customers[12:]
        cls.warm = cls.customers[:2]

    def _count(self, act, customers):
        """Return how many queries an act costs, from an empty cache."""
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        act(customers)
        self.env.flush_all()
        return self.env.cr.sql_log_count - before

    def assertConstant(self, act):
        """Assert that an act costs the same for 10 and for 100 customers."""
        self._count(act, self.warm)
        slack = 1  # Odoo inserts 100 records at once
        few, many = (self._count(act, each) for each in (self.few, self.many))
        self.assertLessEqual(many, few + slack)
        self.assertGreater(few, 0)

    def _get_rows(self, customers):
        return self.env["coverage.customer"].search(
            [("partner_id", "in", customers.ids), ("company_id", "=", self.company.id)]
        )


@tagged("post_install", "-at_install")
class TestPerformance(PerformanceCase):
    """The number of queries does not grow with the number of customers."""

    def _spoil(self, customers):
        self.env.cr.execute(
            "UPDATE coverage_customer SET revenue_12m = 1 WHERE partner_id IN %s",
            [customers._ids],
        )

    def test_refresh_that_finds_nothing(self):
        self.assertConstant(
            lambda customers: self._get_rows(customers).action_refresh()
        )

    def test_refresh_that_moves_everybody(self):
        def act(customers):
            refresh = self.env["coverage.refresh"]
            refresh._refresh_customers(
                self._get_rows(customers), NOW + timedelta(days=300)
            )

        self.assertConstant(act)

    def test_event_of_many_customers(self):
        def act(customers):
            self._spoil(customers)
            self.env["coverage.refresh"]._refresh_partners(self.company, customers)

        self.assertConstant(act)

    def test_event_that_makes_many_customers(self):
        def act(customers):
            self.env.cr.execute(
                "DELETE FROM coverage_customer WHERE partner_id IN %s", [customers._ids]
            )
            self.env["coverage.refresh"]._refresh_partners(self.company, customers)

        self.assertConstant(act)

    def test_night(self):
        def act(customers):
            self._spoil(customers)
            self._refresh()

        self.assertConstant(act)

    def test_preview_apply_and_undo(self):
        def act(customers):
            others = self.customers - customers
            self.env.cr.execute(
                "UPDATE coverage_customer SET active = partner_id NOT IN %s"
                " WHERE company_id = %s",
                [others._ids, self.company.id],
            )
            self.env.invalidate_all()
            run = self._plan(
                segment={"B": {"typical_share": 99}, "C": {"typical_share": 98}},
                company={"coverage_leader_rate": 0.5},
            )
            counts.append(run.change_count)
            run.action_apply()
            run.action_undo()

        counts = []
        self.assertConstant(act)

    def test_pin_and_potential_of_many(self):
        segment = self.segments["B"]
        self.assertConstant(
            lambda customers: self._get_rows(customers)._set_manual_segment(
                segment, "Test", False
            )
        )
        self.assertConstant(
            lambda customers: self._get_rows(customers)._declare_potential(20_000, "x")
        )
        self.assertConstant(
            lambda customers: self._get_rows(customers)._confirm_potential(500)
        )

    def test_list_of_customers_as_a_seller_sees_it(self):
        rows = self.env["coverage.customer"].with_user(self.sara)
        specification = {
            "partner_id": {"fields": {"display_name": {}}},
            "badge": {},
            "accountable_user_id": {"fields": {"display_name": {}}},
            "is_potential_to_ask": {},
            "temperature_color": {},
            "revenue_12m": {},
        }
        self.assertConstant(
            lambda customers: rows.web_search_read(
                [("partner_id", "in", customers.ids)], specification
            )
        )

    def test_list_of_contacts_as_a_seller_sees_it(self):
        partners = self.env["res.partner"].with_user(self.sara)
        specification = {
            "coverage_segment_id": {"fields": {"display_name": {}}},
            "coverage_temperature_id": {"fields": {"display_name": {}}},
            "coverage_lifecycle": {},
            "coverage_badge": {},
        }
        self.assertConstant(
            lambda customers: partners.web_search_read(
                [("id", "in", customers.ids)], specification
            )
        )

    def test_history_of_many_moves(self):
        self._refresh(NOW + timedelta(days=300))
        specification = {"field_label": {}, "reason_text": {}, "new_label": {}}
        self.assertConstant(
            lambda customers: self.env["coverage.change"].web_search_read(
                [("customer_id.partner_id", "in", customers.ids)], specification
            )
        )

    def test_new_owner_of_many(self):
        def act(customers):
            self._get_rows(customers).write({"user_id": self.olga.id})

        self.assertConstant(act)

    def test_new_salesperson_of_many(self):
        def act(customers):
            customers.write({"user_id": self.olga.id})

        self.assertConstant(act)

    def test_archiving_many(self):
        self.assertConstant(lambda customers: customers.write({"active": False}))

    def test_leads_of_many(self):
        stage = self.env["crm.stage"].search([], limit=1)

        def act(customers):
            self.env["crm.lead"].create(
                [
                    {
                        "name": "Lead",
                        "type": "opportunity",
                        "partner_id": customer.id,
                        "company_id": self.company.id,
                        "user_id": False,
                        "stage_id": stage.id,  # Odoo looks for it lead by lead
                    }
                    for customer in customers
                ]
            ).mapped("segment_id.code")

        self.assertConstant(act)
