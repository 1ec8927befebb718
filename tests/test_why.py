import json
from datetime import timedelta

from odoo.exceptions import AccessError
from odoo.tests import tagged, users

from .common import NOW, CoverageCase


@tagged("post_install", "-at_install")
class TestWhy(CoverageCase):
    """The why card: what is stored, why, and the smallest change."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_leaders()

    def _get_cards(self):
        """Return a customer of each kind, by name."""
        with self._on_day(1):
            kinds = {
                "new": self._create_buyer(6_000),
                "small": self._create_buyer(100),
                "sleeping": self._create_buyer(9_000, days_ago=700),
                "regular": self._create_buyer(3_000, days_ago=70),
                "seasonal": self._create_buyer(8_000, days_ago=700),
                "waning": self._create_buyer(9_000, days_ago=400),
                "unrated": self._create_customer(),
                "prospect": self._create_customer(),
                "pinned": self._create_buyer(3_000),
                "pinned until": self._create_buyer(3_000),
                "confirmed zero": self._create_buyer(3_000),
                "held": self._create_buyer(8_100),
            }
            for days_ago in (50, 20):
                self._confirm_order(kinds["regular"], 3_000, days_ago)
                self._confirm_order(kinds["waning"], 300, days_ago)
            for days_ago in (350, 340, 330):
                self._confirm_order(kinds["seasonal"], 3_000, days_ago)
            for name in ("unrated", "prospect"):
                self._create_quotation(kinds[name], 10)
            self._row(kinds["prospect"])._declare_potential(2_000, "asked")
            self._rate(kinds["pinned"], "A")
            self._rate(kinds["pinned until"], "A", until=(NOW + timedelta(9)).date())
            self._row(kinds["confirmed zero"])._confirm_potential(0)
            self._refresh(NOW - timedelta(days=1))
        self._row(kinds["held"])._confirm_potential(7_500)
        return kinds

    def test_every_kind_of_customer_has_a_whole_card(self):
        kinds = self._get_cards()
        self._refresh()
        for kind, customer in kinds.items():
            row = self._row(customer)
            card = row.get_why()
            with self.subTest(kind=kind):
                self.assertEqual(json.loads(json.dumps(card)), card)
                self.assertTrue(card["headline"] and card["rule"] and card["badge"])
                for fact in card["facts"]:
                    self.assertTrue(fact["label"] and fact["value"])
                for line in card["reasons"] + card["changes"]:
                    self.assertTrue(line["text"], line)
                    self.assertNotIn("None", line["text"])
                self.assertEqual(bool(card["missing"]), not row.segment_id)

    def test_card_tells_what_is_stored(self):
        kinds = self._get_cards()
        self._refresh()
        for kind, customer in kinds.items():
            row = self._row(customer)
            card = row.get_why()
            with self.subTest(kind=kind):
                segment, temperature = card["reasons"]
                if row.segment_id:
                    self.assertTrue(card["headline"].startswith(row.segment_id.code))
                if row.temperature_id:
                    self.assertIn(row.temperature_id.name.lower(), card["headline"])
                self.assertEqual(segment["numbers"]["potential"] or 0, row.potential)
                self.assertEqual(
                    segment["numbers"]["source"] or False, row.potential_source
                )
                self.assertEqual(
                    temperature["numbers"]["score"] or 0, row.temperature_score
                )

    def test_reasons_by_kind(self):
        kinds = self._get_cards()
        self._refresh()
        expected = {
            "new": ("nearest", "new"),
            "small": ("bought", "new"),
            "sleeping": ("nearest", "sleeping"),
            "regular": ("nearest", "yield"),
            "seasonal": ("nearest", "season"),
            "unrated": ("no_potential", "prospect"),
            "prospect": ("nearest", "prospect"),
            "pinned": ("manual", "new"),
            "held": ("hysteresis", "new"),
        }
        for kind, codes in expected.items():
            card = self._row(kinds[kind]).get_why()
            with self.subTest(kind=kind):
                found = tuple(reason["code"] for reason in card["reasons"])
                self.assertEqual(found, codes)

    def test_pin_says_who_the_rules_would_make_of_it(self):
        row = self._row(self._create_known_buyer(3_000))
        row._set_manual_segment(self.segments["A"], "New plant", False)
        text = row.get_why()["reasons"][0]["text"]
        self.assertEqual(text, "Set by hand: New plant. The rules say C.")

    def test_smallest_order_really_lifts_the_temperature(self):
        customer = self._create_customer()
        for days_ago, amount in ((410, 8_000), (80, 500), (50, 500), (20, 500)):
            self._confirm_order(customer, amount, days_ago)
        self._refresh()
        row = self._row(customer)
        change = next(
            change
            for change in row.get_why()["changes"]
            if change["code"] == "order_lifts_temperature"
        )
        before = row.temperature_id
        with self._tried():
            self._confirm_order(customer, change["numbers"]["amount"])
            row.invalidate_recordset()
            self.assertEqual(row.temperature_id.id, change["numbers"]["level"])
        self._confirm_order(customer, change["numbers"]["amount"] * 0.9)
        row.invalidate_recordset()
        self.assertEqual(row.temperature_id, before)

    def test_silence_really_cools_on_the_day_named(self):
        customer = self._create_known_buyer(6_000)
        row = self._row(customer)
        change = next(
            change
            for change in row.get_why()["changes"]
            if change["code"] == "silence_cools"
        )
        days = change["numbers"]["days"]
        self._refresh(NOW + timedelta(days=days - 1))
        self.assertEqual(row.temperature_code, "hot")
        self._refresh(NOW + timedelta(days=days))
        self.assertEqual(row.temperature_id.id, change["numbers"]["level"])

    def test_company_without_orders_says_what_is_missing(self):
        customer = self._create_customer()
        self._create_opportunity(customer, company_id=self.elsewhere.id)
        card = self._row(customer, self.elsewhere).get_why()
        self.assertEqual(card["reasons"][0]["code"], "no_reference")
        self.assertIn("first customer that bought", card["missing"][0])

    def test_money_is_written_in_full(self):
        customer = self._create_known_buyer(1_234_000)
        facts = {
            fact["label"]: fact["value"].replace("\xa0", " ")
            for fact in self._row(customer).get_why()["facts"]
        }
        self.assertEqual(facts["Best year"], "$ 1,234,000")
        self.assertEqual(facts["An A brings"], "$ 10,000")
        write = self.env["coverage.why"]._money(self.env.ref("base.JPY"))
        self.assertIn("10,000", write(10_000))

    def test_reading_a_card_writes_nothing(self):
        customer = self._create_known_buyer(6_000)
        before = self._versions()
        with self._on_day(-100):
            self._row(customer).get_why()
        self.assertEqual(self._versions(), before)

    def test_card_shows_revenue_of_24_months(self):
        customer = self._create_known_buyer(6_000)
        chart = json.loads(self._row(customer).revenue_chart)[0]["values"]
        self.assertEqual(len(chart), 24)
        self.assertEqual(sum(month["value"] for month in chart), 6_000)
        self.assertEqual(chart[-2]["value"], 6_000)

    @users("cover_sam")
    def test_card_of_anothers_customer_is_closed(self):
        customer = self._create_known_buyer(6_000, user_id=self.sara.id)
        with self.assertRaises(AccessError):
            self._row(customer).with_user(self.sam).get_why()


@tagged("post_install", "-at_install")
class TestLookalike(CoverageCase):
    """Customers and leads that look like the good ones get their potential."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mining, cls.retail = cls.env["res.partner.industry"].create(
            [{"name": "Mining"}, {"name": "Corner Shops"}]
        )
        with cls._on_day(1):
            cls.rich = cls._create_buyers(20, 9_000, industry_id=cls.mining.id)
            cls.poor = cls._create_buyers(60, 500, industry_id=cls.retail.id)
            cls._refresh(NOW - timedelta(days=1))

    def test_prospect_in_a_niche_has_its_potential(self):
        customer = self._create_customer(industry_id=self.mining.id)
        self._create_quotation(customer, 10)
        self.assertStands(customer, "A", False, "prospect")
        self.assertFacts(
            customer,
            potential=9_000,
            lookalike_potential=9_000,
            potential_source="lookalike",
        )

    def test_prospect_in_no_niche_is_unrated(self):
        customer = self._create_customer(industry_id=self.retail.id)
        self._create_quotation(customer, 10)
        self.assertStands(customer, False, False, "prospect")

    def test_lookalikes_can_be_switched_off(self):
        self.company.coverage_use_lookalike = False
        customer = self._create_customer(industry_id=self.mining.id)
        self._create_quotation(customer, 10)
        self._refresh()
        self.assertStands(customer, False, False, "prospect")

    def test_card_shows_the_niche_and_the_nearest_key_customers(self):
        customer = self._create_customer(industry_id=self.mining.id)
        self._create_quotation(customer, 10)
        lookalike = self._row(customer).get_why()["lookalike"]
        self.assertEqual(lookalike["cell"], "Mining")
        self.assertEqual(lookalike["count"], 20)
        self.assertEqual(lookalike["claim"], 9_000)
        self.assertEqual(len(lookalike["nearest"]), 3)
        self.assertLessEqual(set(lookalike["nearest"]), set(self.rich.mapped("name")))

    def test_lead_in_a_niche_is_predicted(self):
        lead = self.env["crm.lead"].create(
            {
                "name": "Mine",
                "company_id": self.company.id,
                "coverage_industry_id": self.mining.id,
            }
        )
        self.assertEqual(lead.segment_id.code, "A")
        lead.coverage_industry_id = self.retail
        self.assertFalse(lead.segment_id)

    def test_lead_is_predicted_anew_by_night(self):
        lead = self.env["crm.lead"].create(
            {
                "name": "Shop",
                "company_id": self.company.id,
                "coverage_industry_id": self.retail.id,
            }
        )
        self.assertFalse(lead.segment_id)
        self.poor.industry_id, self.rich.industry_id = self.mining, self.retail
        self._refresh(NOW + timedelta(days=1))
        self.assertEqual(lead.segment_id.code, "A")

    def test_next_contact_is_explained_by_what_sets_it(self):
        a_key, by_hand = (
            self._create_buyer(10_000, name=name, user_id=self.sara.id)
            for name in ("Key", "By hand")
        )
        unowned = self._create_buyer(3_000, name="Nobody's")
        proven = {"source": "telephone", "is_two_way": True}
        for customer, vals in ((a_key, proven), (by_hand, {"is_two_way": True})):
            touch = self.env["coverage.touch"].create(
                {
                    "customer_id": self._row(customer).id,
                    "user_id": self.sara.id,
                    "date": NOW - timedelta(days=3),
                    **vals,
                }
            )
            touch._settle()
        paused = self._create_buyer(3_000, name="Paused", user_id=self.sara.id)
        self._row(paused)._pause(NOW.date() + timedelta(days=20))
        expected = {
            a_key: ("interval", NOW.date() + timedelta(days=27)),
            by_hand: ("unproven", NOW.date() + timedelta(days=4)),
            unowned: ("nobody", False),
            paused: ("paused", NOW.date() + timedelta(days=21)),
        }
        for customer, (code, due) in expected.items():
            row = self._row(customer)
            contact = row.get_why()["contact"]
            with self.subTest(customer=customer.name):
                self.assertEqual(contact["code"], code)
                self.assertEqual(row.next_contact_date, due)
                self.assertEqual(
                    contact["numbers"]["next_contact_date"] or False, due and str(due)
                )
