import random
from datetime import datetime, time, timedelta

from odoo import fields
from odoo.tests import TransactionCase, tagged

from ..core.lookalike import Traits, band_of, claimer, find_niches
from ..demo.coverage_contacts import _tell
from ..demo.coverage_demo import ARCHIVED, NIGHTS, VENDOR, _plan
from ..demo.tools import days_of, read

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

    # === CONTACTS === #

    def _get_touches(self, *domain):
        return self.env["coverage.touch"].search(
            [("company_id", "=", self.company.id), *domain]
        )

    def _get_day(self, login):
        user = self.env.ref(f"crm_sales_coverage.demo_user_{login}")
        return self.env(user=user)["coverage.day"].get_day()

    def test_a_year_of_contacts_by_every_channel_and_source(self):
        touches = self._get_touches(("user_id", "in", self.users.ids))
        self.assertGreater(len(touches), 700)
        self.assertEqual(
            set(touches.mapped("channel")),
            {"call", "visit", "online", "email", "message"},
        )
        self.assertEqual(
            set(touches.mapped("source")),
            {"activity", "meeting", "email", "telephone", "hand"},
        )
        self.assertEqual(set(touches.mapped("direction")), {"in", "out"})
        weeks = {touch.date.isocalendar()[:2] for touch in touches}
        self.assertGreaterEqual(len(weeks), 50)
        self.assertLessEqual(max(touches.mapped("date")), fields.Datetime.now())

    def test_refusals_have_reasons_and_missed_calls_outcomes(self):
        refused = self._get_touches(("outcome_id.is_refusal", "=", True))
        self.assertGreaterEqual(len(refused.refusal_reason_id), 4)
        self.assertTrue(all(touch.refusal_reason_id for touch in refused))
        codes = set(self._get_touches().outcome_id.mapped("code"))
        self.assertLessEqual({"no_answer", "busy", "voicemail", "reached"}, codes)

    def test_three_calls_wait_for_somebody_who_knows_the_number(self):
        unmatched = self._get_touches(
            ("customer_id", "=", False),
            ("lead_id", "=", False),
            ("partner_id", "=", False),
        )
        self.assertEqual(len(unmatched), 3)
        self.assertEqual(len(set(unmatched.mapped("number"))), 2)

    def test_key_customers_are_in_rhythm_overdue_and_never_spoken_to(self):
        self.assertEqual(self._get_row("Harbor Light Hotel").contact_state, "on_time")
        self.assertEqual(self._get_row("Bayview Suites").contact_state, "overdue")
        never = self._get_row("Hotel Belvedere")
        self.assertFalse(never.last_contact_date)
        self.assertEqual(never.contact_state, "overdue")

    def test_contact_by_hand_alone_pauses_the_clock_of_a_key_customer(self):
        row = self._get_row("Larkspur Inn & Conference Center")
        self.assertLess(
            (row.next_contact_date - row.last_contact_date).days,
            row.segment_id.contact_interval_days,
        )

    def test_one_is_unreachable_one_paused_and_for_one_it_was_asked(self):
        rows = self.rows.filtered("user_id")
        unreachable = rows.filtered("is_unreachable")
        self.assertEqual(unreachable.partner_id.mapped("name"), ["The Wharf Hotel"])
        paused = rows.filtered(lambda row: row.contact_state == "paused")
        self.assertEqual(paused.partner_id.mapped("name"), ["Desert Bloom Ice Cream"])
        asked = rows.filtered("leave_alone_asked_until")
        self.assertEqual(asked.partner_id.mapped("name"), ["Two Rivers Ferries"])
        self.assertTrue(asked.leave_alone_reason)

    def test_decision_makers_are_known_for_about_half(self):
        rows = self.rows.filtered("user_id")
        known = rows.filtered(
            lambda row: any(row.partner_id.child_ids.mapped("is_decision_maker"))
        )
        self.assertTrue(0.35 <= len(known) / len(rows) <= 0.65, len(known) / len(rows))

    def test_some_are_known_to_one_seller_only(self):
        sellers = {
            name: self._get_touches(
                ("customer_id", "=", self._get_row(name).id),
                ("is_two_way", "=", True),
            ).user_id
            for name in ("Bayview Suites", "Corner Basket Markets")
        }
        self.assertEqual(sellers["Bayview Suites"].mapped("login"), ["priya"])
        self.assertGreater(len(sellers["Corner Basket Markets"]), 1)

    def _get_shares(self, login):
        """Return a seller's share of two-way touches and of the potential."""
        touches = self._get_touches(("is_two_way", "=", True))
        user = self.env.ref(f"crm_sales_coverage.demo_user_{login}")
        return (
            len(touches.filtered(lambda touch: touch.user_id == user)) / len(touches),
            sum(self.rows.filtered(lambda row: row.user_id == user).mapped("potential"))
            / sum(self.rows.mapped("potential")),
        )

    def test_farmer_serves_small_customers_more_than_they_are_worth(self):
        touches, potential = self._get_shares("olga")
        self.assertGreater(touches, 2 * potential)
        touches, potential = self._get_shares("lucia")
        self.assertLess(touches, potential)

    def test_one_seller_notes_by_hand_what_nobody_can_check(self):
        rates = {}
        for login in ("jonas", "noor"):
            user = self.env.ref(f"crm_sales_coverage.demo_user_{login}")
            spoken = self._get_touches(
                ("user_id", "=", user.id), ("is_two_way", "=", True)
            )
            rates[login] = len(spoken.filtered("is_proven")) / len(spoken)
        self.assertLess(rates["jonas"], 0.2)
        self.assertGreater(rates["noor"], 0.9)

    def test_leads_were_poured_away_after_one_attempt(self):
        leads = self.env["crm.lead"].with_context(active_test=False)
        lost = leads.search(
            [
                ("id", "in", self._get_records("crm.lead", "demo_lead_").ids),
                ("won_status", "=", "lost"),
                ("partner_id", "=", False),
            ]
        )
        tries = [
            (lead.user_id.login, len(self._get_touches(("lead_id", "=", lead.id))))
            for lead in lost
        ]
        self.assertEqual(tries.count(("sam", 1)), 4)
        self.assertGreaterEqual(sum(count > 1 for _login, count in tries), 4)

    # === THE RHYTHM AND MY DAY === #

    def test_rhythm_is_on_and_its_contacts_are_planned_once(self):
        self.assertTrue(self.env.ref("crm_sales_coverage.ir_cron_cadence").active)
        planned = self.env["mail.activity"].search(
            [("coverage_customer_id", "in", self.rows.ids)]
        )
        self.assertGreaterEqual(len(planned), 15)
        self.assertEqual(len(planned), len(planned.coverage_customer_id))
        self.assertFalse(planned.filtered("calendar_event_id"))
        count = self.env["coverage.cadence"]._run_cadence(self.company, self.night.date)
        self.assertEqual(count, 0)

    def test_day_of_a_seller_has_customers_leads_meetings_and_counts(self):
        day = self._get_day("marcus")
        self.assertEqual({line["kind"] for line in day["lines"]}, {"customer", "lead"})
        self.assertGreaterEqual(len(day["lines"]), 6)
        self.assertEqual(len(day["meetings"]), 2)
        self.assertTrue(day["goals"][0]["done"])

    def test_call_agent_has_more_to_do_than_a_day_holds(self):
        day = self._get_day("sam")
        self.assertEqual(len(day["lines"]), day["norm"])
        self.assertGreaterEqual(day["more_count"], 1)

    def test_contacts_follow_from_now_and_the_table_alone(self):
        leads = self._get_records("crm.lead", "demo_lead_")
        noon = datetime.combine(self.night.date, time(12))
        told = [
            _tell(
                self.env,
                self.company,
                noon - timedelta(days=days),
                {partner.name: partner for partner in self.partners},
                {lead.name: lead for lead in leads},
            )
            for days in (0, 28)
        ]
        self.assertEqual(len(told[0]), len(told[1]))
        for now, before in zip(*told, strict=True):
            self.assertEqual(now.date.date() - before.date.date(), timedelta(days=28))
            self.assertEqual(
                (now.number, now.kind, now.user),
                (before.number, before.kind, before.user),
            )

    def test_days_of_a_phase_are_the_oldest_first(self):
        self.assertEqual(days_of("90-30/20"), [90, 70, 50, 30])
        self.assertEqual(days_of("7"), [7])

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
        leads = self._get_records("crm.lead", "demo_lead_")
        mails = self.env["mail.mail"]
        self.assertFalse(mails.search_count([("recipient_ids", "in", people.ids)]))
        for records in (people, leads, self._get_records("calendar.event", "demo_")):
            self.assertFalse(
                mails.search_count(
                    [("model", "=", records._name), ("res_id", "in", records.ids)]
                )
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
        days = [int(deed["days"]) for deed in read("coverage_deeds.csv")]
        self.assertEqual(days, sorted(days, reverse=True))
