import random
from datetime import timedelta

from odoo.tests import TransactionCase, tagged

from ..core.lookalike import Traits, band_of, claimer, find_niches
from ..demo.coverage_demo import ARCHIVED, NIGHTS, VENDOR, _plan, _read

SEEDS = 20

# customer: segment, temperature, lifecycle, source of the potential
STORIES = {
    "Meridian Chain Stores": ("A", False, "prospect", "declared"),
    "Old Town Deli & Provisions": ("A", "frozen", "sleeping", "history"),
    "Casa Lucero Hotel": ("A", False, "prospect", "lookalike"),
    "Blue Heron Hotel": ("A", "frozen", "regular", "lookalike"),
    "Harbor Light Hotel": ("A", "hot", "regular", "history"),
    "St. Brendan Hospital Group": ("A", "hot", "regular", "declared"),
    "Polaris Robotics": ("A", "hot", "regular", "history"),
    "Rio Grande Grocers": ("B", "cool", "regular", "history"),
    "Olympic Stadium Concessions": ("B", False, "prospect", "declared"),
    "Silver Creek Lodge": ("C", "hot", "regular", "confirmed"),
    "Sierra Summit Resort": ("C", "hot", "regular", "history"),
    "Copper Kettle Café": ("C", "hot", "new", "history"),
    "Halcyon Sailing Club": ("C", "hot", "new", "history"),
    "Luna Coffee Cart": ("D", "hot", "new", "history"),
    "Willamette Print Shop": ("D", False, "prospect", "declared"),
    "Chinook Bakery Collective": (False, False, "prospect", False),
    "Marlowe & Finch": (False, False, "prospect", False),
}


@tagged("post_install", "-at_install")
class TestDemo(TransactionCase):
    """The demo department shows what it is built to show."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env.ref("base.main_company")
        cls.env = cls.env(context={"allowed_company_ids": cls.company.ids})
        cls.rows = cls.env["coverage.customer"].search(
            [("company_id", "=", cls.company.id)]
        )
        cls.partners = cls._get_records("res.partner", "demo_customer_")
        cls.users = cls._get_records("res.users", "demo_user_")
        cls.night = cls.env["coverage.run"].search(
            [("company_id", "=", cls.company.id)], limit=1
        )
        cls.reference = cls.env["coverage.reference"]._get_latest(cls.company)

    @classmethod
    def _get_records(cls, model, prefix):
        """Return the demo records whose XML id begins like this, archived ones too."""
        data = cls.env["ir.model.data"].search(
            [
                ("module", "=", "crm_sales_coverage"),
                ("model", "=", model),
                ("name", "=like", f"{prefix}%"),
            ]
        )
        return cls.env[model].browse(data.mapped("res_id"))

    def _get_row(self, name):
        row = self.rows.filtered(lambda row: row.partner_id.name == name)
        self.assertEqual(len(row), 1, name)
        return row

    # === WHAT IS THERE === #

    def test_every_segment_temperature_lifecycle_and_source_is_there(self):
        for name, values in (
            ("segment_id.code", {"A", "B", "C", "D", False}),
            ("temperature_code", {"frozen", "cool", "mild", "warm", "hot", False}),
            ("lifecycle", {"prospect", "new", "regular", "sleeping"}),
            (
                "potential_source",
                {"history", "declared", "lookalike", "confirmed", False},
            ),
        ):
            with self.subTest(name):
                found = {
                    row.mapped(name)[0] if row.mapped(name) else False
                    for row in self.rows
                }
                self.assertEqual(found, values)

    def test_every_temperature_is_there_among_the_key_customers(self):
        rows = self.rows.filtered(lambda row: row.segment_id.code == "A")
        found = set(rows.mapped("temperature_code"))
        self.assertEqual(found, {"frozen", "cool", "mild", "warm", "hot", False})

    def test_stories_come_out_as_told(self):
        for name, told in STORIES.items():
            with self.subTest(name):
                row = self._get_row(name)
                self.assertEqual(
                    (
                        row.segment_id.code,
                        row.temperature_code,
                        row.lifecycle,
                        row.potential_source,
                    ),
                    told,
                )

    def test_department_has_leaders_sellers_and_a_manager(self):
        self.assertEqual(len(self.users), 12)
        teams = self._get_records("crm.team", "demo_team_")
        self.assertEqual(len(teams), 3)
        for team in teams:
            self.assertTrue(
                team.user_id.has_group("crm_sales_coverage.group_coverage_team_leader")
            )
            self.assertGreaterEqual(len(team.member_ids), 3)
        manager = self.env.ref("crm_sales_coverage.demo_user_hanna")
        self.assertTrue(manager.has_group("crm_sales_coverage.group_coverage_manager"))

    # === SINGLE CUSTOMERS === #

    def test_chain_store_is_owned_and_nothing_ever_came_of_it(self):
        row = self._get_row("Meridian Chain Stores")
        self.assertEqual(row.user_id.login, "priya")
        self.assertFalse(row.order_count)
        self.assertGreater(row.potential, row.revenue_12m)

    def test_former_key_customer_fell_silent_half_a_year_ago(self):
        row = self._get_row("Old Town Deli & Provisions")
        self.assertGreaterEqual(
            (self.night.date.date() - row.last_order_date).days, 180
        )
        self.assertGreater(row.revenue_best_12m, 5 * row.revenue_12m)

    def test_customer_in_season_break_stays_hot(self):
        row = self._get_row("Sierra Summit Resort")
        self.assertFalse(row.revenue_season_90d)
        why = self.env["coverage.why"]._get_why(row, self.night.date)
        self.assertIn("season", str(why).lower())

    def test_pool_customer_is_accounted_for_by_the_team_leader(self):
        row = self._get_row("Casa Lucero Hotel")
        self.assertFalse(row.user_id)
        self.assertEqual(row.accountable_user_id.login, "grace")

    def test_pin_has_a_reason_and_an_end(self):
        row = self._get_row("Polaris Robotics")
        self.assertEqual(row.segment_manual_id.code, "A")
        self.assertEqual(row.segment_computed_id.code, "C")
        self.assertTrue(row.segment_manual_reason)
        self.assertGreater(row.segment_manual_until, self.night.date.date())

    def test_old_declaration_is_to_be_asked_again(self):
        row = self._get_row("Chinook Bakery Collective")
        self.assertTrue(row.declared_potential)
        self.assertTrue(row.is_potential_to_ask)

    def test_subsidiary_is_a_customer_of_its_own(self):
        row = self._get_row("Corner Basket Express")
        self.assertEqual(row.partner_id.parent_id.name, "Corner Basket Markets")
        self.assertTrue(row.order_count)

    def test_orders_of_a_contact_are_those_of_the_company(self):
        row = self._get_row("Harbor Light Hotel")
        contact = row.partner_id.child_ids
        self.assertTrue(
            self.env["sale.order"].search_count([("partner_id", "=", contact.id)])
        )
        self.assertFalse(contact.coverage_id.partner_id - row.partner_id)

    def test_orders_in_a_foreign_currency_count_in_ours(self):
        row = self._get_row("Hotel Cascadia")
        orders = self.env["sale.order"].search(
            [("partner_id", "child_of", row.partner_id.id), ("state", "=", "sale")]
        )
        self.assertEqual(orders.currency_id.name, "CAD")
        self.assertGreater(
            sum(orders.mapped("amount_untaxed")), 1.1 * row.revenue_best_12m
        )

    def test_vendor_is_no_customer_and_the_archived_one_is_archived(self):
        rows = self.env["coverage.customer"].with_context(active_test=False)
        self.assertFalse(rows.search([("partner_id.name", "=", VENDOR)]))
        archived = rows.search([("partner_id.name", "=", ARCHIVED)])
        self.assertEqual(archived.mapped("active"), [False])

    def test_quotations_and_opportunities_are_open(self):
        self.assertGreaterEqual(
            len(self.rows.filtered(lambda row: row.open_quote_amount > 0)), 8
        )
        leads = self.env["crm.lead"].search([("user_id", "in", self.users.ids)])
        open_leads = leads.filtered(lambda lead: lead.won_status == "pending")
        self.assertGreaterEqual(len(open_leads.stage_id), 3)
        hotel = open_leads.filtered(lambda lead: lead.partner_name == "Hotel Aurelia")
        self.assertEqual(hotel.segment_id.code, "A")

    # === LOOK-ALIKES === #

    def _get_buyers(self):
        """Return traits and best year of all that bought."""
        limits = self.reference.limits
        return [
            (
                Traits(
                    partner.industry_id.id or None,
                    partner.country_id.id or None,
                    partner.state_id.id or None,
                    band_of(partner.coverage_employee_count, limits),
                ),
                row.revenue_best_12m,
            )
            for row in self.rows.filtered(lambda row: row.revenue_best_12m > 0)
            for partner in row.partner_id
        ]

    def test_hotels_of_middle_size_are_the_only_niche(self):
        self.assertEqual(len(self.reference.niches), 1)
        niche = self.reference.niches[0]
        hotels = self.env.ref("crm_sales_coverage.demo_industry_hotels")
        self.assertEqual(niche["cell"], [["industry", hotels.id], ["size_band", 3]])
        self.assertGreaterEqual(niche["count"], 8)
        self.assertGreater(niche["typical"], 3 * niche["base"])

    def test_shuffled_traits_claim_nearly_nothing(self):
        buyers = self._get_buyers()
        traits = [each for each, _value in buyers]
        claims = 0
        for seed in range(SEEDS):
            shuffled = random.Random(seed).sample(traits, len(traits))
            values = (value for _traits, value in buyers)
            claim = claimer(find_niches(zip(shuffled, values, strict=True)))
            claims += sum(claim(each) is not None for each in shuffled)
        self.assertLessEqual(claims / (SEEDS * len(buyers)), 0.05)

    # === THE PAST === #

    def test_history_was_replayed_night_by_night(self):
        changes = self.env["coverage.change"].search(
            [("customer_id", "in", self.rows.ids), ("date", "<=", self.night.date)]
        )
        self.assertLessEqual(set(changes.mapped("origin")), {"job", "hand"})
        first = self.night.date - timedelta(days=NIGHTS[0])
        self.assertGreaterEqual(min(changes.mapped("date")).date(), first.date())
        deli = changes.filtered(
            lambda change: (
                change.customer_id.partner_id.name == "Old Town Deli & Provisions"
                and change.field_name == "temperature_id"
            )
        ).sorted("date")
        self.assertEqual(deli[-1].new_label, "Frozen")
        self.assertGreaterEqual(len(deli), 2)

    def test_refreshing_at_the_same_moment_changes_nothing(self):
        run = self.env["coverage.refresh"]._run_refresh(self.company, self.night.date)
        self.assertFalse(run.change_ids)

    def test_nobody_was_mailed(self):
        people = self.partners | self.partners.child_ids | self.users.partner_id
        self.assertFalse(
            self.env["mail.mail"].search_count([("recipient_ids", "in", people.ids)])
        )
        self.assertFalse(
            self.env["mail.notification"].search_count(
                [("res_partner_id", "in", people.ids)]
            )
        )

    def test_loading_twice_adds_nothing(self):
        count = self.env["sale.order"].search_count([])
        self.env["coverage.customer"]._load_demo()
        self.assertEqual(self.env["sale.order"].search_count([]), count)

    def test_plan_ends_on_the_day_it_says(self):
        self.assertEqual(list(_plan("70-10/30:100")), [(70, 100), (40, 94), (10, 108)])

    def test_deeds_are_told_in_the_order_of_time(self):
        days = [int(deed["days"]) for deed in _read("coverage_deeds.csv")]
        self.assertEqual(days, sorted(days, reverse=True))
