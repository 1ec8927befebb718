from datetime import timedelta

from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged, users
from odoo.tools import mute_logger

from .common import NOW, TODAY, CoverageCase, ago


@tagged("post_install", "-at_install")
class TestSegment(CoverageCase):
    """Potential, segment, temperature and lifecycle in the company's real rows."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_leaders()

    def _create_rows(self, **values):
        """Return the row of a new customer known since yesterday, led by Lena."""
        customer = self._create_known_buyer(3_000, user_id=self.sara.id)
        return self._row(customer)

    # === ABCD === #

    def test_nearest_typical_share_wins(self):
        for amount, segment in ((8_000, "A"), (7_900, "B"), (4_500, "B"), (100, "C")):
            with self.subTest(amount=amount):
                customer = self._create_buyer(amount)
                self.assertStands(customer, segment, "hot", "new")

    def test_prospect_is_unrated_until_it_declares_a_potential(self):
        customer = self._create_customer()
        self._create_quotation(customer, 100)
        row = self._row(customer)
        self.assertStands(customer, False, False, "prospect")
        self.assertTrue(row.is_potential_to_ask)
        row._declare_potential(1_000, "asked")
        self.assertStands(customer, "D", False, "prospect")
        self.assertFalse(row.is_potential_to_ask)
        row._declare_potential(1_500, "asked again")
        self.assertStands(customer, "C", False, "prospect")

    def test_customer_that_fell_asleep_stays_key_and_freezes(self):
        customer = self._create_buyer(10_000, days_ago=500)
        self.assertStands(customer, "A", "frozen", "sleeping")
        self.assertFacts(customer, revenue_12m=0, potential=10_000, yield_rate=0)

    def test_regular_customer_is_judged_by_its_yield(self):
        customer = self._create_customer()
        for days_ago, amount in ((410, 8_000), (80, 500), (50, 500), (20, 500)):
            self._confirm_order(customer, amount, days_ago)
        # best year 9,000: its 365 days hold the orders up to 50 days ago
        # 1,500 of 9,000 is 17 % of the potential, and that 20 points of the 80 expected
        row = self._row(customer)
        self.assertEqual(row.lifecycle, "regular")
        self.assertStands(customer, "A", "cool", "regular")
        self.assertEqual(row.badge, "A 💧 17 %")

    # === POTENTIAL === #

    def test_nobody_can_talk_a_customer_down(self):
        row = self._create_rows()
        row._declare_potential(10, "he said so")
        self.assertEqual((row.potential, row.potential_source), (3_000, "history"))

    def test_declared_potential_holds_for_a_year(self):
        row = self._create_rows()
        row._declare_potential(9_000, "asked")
        self._refresh(NOW + timedelta(days=364))
        self.assertEqual((row.potential, row.potential_source), (9_000, "declared"))
        self._refresh(NOW + timedelta(days=365))
        self.assertEqual((row.potential, row.potential_source), (3_000, "history"))

    def test_declared_potential_is_asked_again_after_a_year(self):
        row = self._create_rows()
        row._declare_potential(9_000, "asked")
        row.declared_date = ago(364)
        self.assertFalse(row.is_potential_to_ask)
        row.declared_date = ago(365)
        self.assertTrue(row.is_potential_to_ask)
        found = row.search([("is_potential_to_ask", "=", True)])
        self.assertIn(row, found)
        self.assertNotIn(row, row.search([("is_potential_to_ask", "=", False)]))

    @users("cover_leader")
    def test_leaders_figure_replaces_all_others_for_a_year(self):
        row = self._create_rows().with_env(self.env)
        row._confirm_potential(500)
        self.assertEqual((row.potential, row.potential_source), (500, "confirmed"))
        self.assertEqual(row.confirmed_user_id, self.leader)
        self.assertEqual(row.segment_id.code, "C")
        self._refresh(NOW + timedelta(days=365))
        self.assertEqual((row.potential, row.potential_source), (3_000, "history"))

    def test_confirmed_zero_is_a_figure_too(self):
        row = self._create_rows()
        row._confirm_potential(0)
        self.assertEqual((row.potential, row.potential_source), (0, "confirmed"))
        self.assertEqual(row.segment_id.code, "C")

    @users("cover_sara")
    def test_seller_declares_in_the_dialog(self):
        row = self._create_rows().with_env(self.env)
        action = row.action_declare_potential()
        with Form.from_action(self.env, action) as form:
            form.amount = 9_000
            form.how = "asked for his other suppliers"
        form.record.action_set()
        self.assertEqual(row.declared_potential, 9_000)
        self.assertEqual(row.declared_date, TODAY)
        self.assertEqual(row.segment_id.code, "A")

    def test_negative_potential_is_refused_and_nothing_is_lost(self):
        row = self._create_rows()
        row._declare_potential(9_000, "asked")
        dialog = self.env["coverage.set.potential"].create(
            {"customer_ids": row.ids, "amount": -1}
        )
        with self.assertRaisesRegex(UserError, "cannot be negative"):
            dialog.action_set()
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(IntegrityError),
            self.env.cr.savepoint(),
        ):
            row.write({"confirmed_potential": -1})
        self.env.invalidate_all()
        self.assertEqual(row.declared_potential, 9_000)

    # === PINNED === #

    def test_pinned_segment_beats_the_computed_one(self):
        row = self._create_rows()
        self._rate(row.partner_id, "A")
        self.assertEqual(row.segment_id.code, "A")
        self.assertEqual(row.segment_computed_id.code, "C")
        self._refresh(NOW + timedelta(days=500))
        self.assertEqual(row.segment_id.code, "A")

    def test_expired_pin_is_released_by_the_night(self):
        row = self._create_rows()
        self._rate(row.partner_id, "A", until=TODAY)
        self._refresh()
        self.assertEqual(row.segment_id.code, "A")
        self._refresh(NOW + timedelta(days=1))
        self.assertEqual(row.segment_id.code, "C")
        self.assertFalse(row.segment_manual_id)
        self.assertFalse(row.segment_manual_until)
        self.assertFalse(row.segment_manual_reason)
        lines = self.env["coverage.change"].search(
            [("customer_id", "=", row.id), ("field_name", "=", "segment_manual_id")]
        )
        self.assertEqual(lines[0].reason["code"], "pin_expired")

    def test_expired_pin_is_released_by_an_event(self):
        row = self._create_rows()
        self._rate(row.partner_id, "A", until=TODAY)
        with self._on_day(-1):
            row.action_refresh()
        self.assertFalse(row.segment_manual_id)

    @users("cover_leader")
    def test_leader_pins_in_the_dialog_and_releases(self):
        row = self._create_rows().with_env(self.env)
        with Form.from_action(self.env, row.action_set_segment()) as form:
            form.segment_id = self.segments["B"]
            form.reason = "New plant opens"
        form.record.action_set()
        self.assertEqual(row.segment_id.code, "B")
        self.assertEqual(row.segment_manual_reason, "New plant opens")
        row.action_release_segment()
        self.assertEqual(row.segment_id.code, "C")

    def test_pin_until_yesterday_is_refused(self):
        row = self._create_rows()
        with self.assertRaisesRegex(UserError, "last day is past"):
            self._rate(row.partner_id, "A", until=ago(1))
        self.assertFalse(row.segment_manual_id)

    @users("cover_sara")
    def test_seller_cannot_pin(self):
        row = self._create_rows().with_env(self.env)
        with self.assertRaises(AccessError):
            row._set_manual_segment(self.segments["A"], "Mine", False)
        with self.assertRaises(AccessError):
            row.action_release_segment()

    # === RULES THAT CANNOT HOLD === #

    def test_shares_out_of_order_are_refused(self):
        for code, share in (("B", 30), ("B", 20), ("C", 60), ("D", 40), ("A", 50)):
            with (
                self.subTest(code=code, share=share),
                self.assertRaisesRegex(ValidationError, "fall from A to D"),
                self.env.cr.savepoint(),
            ):
                self.segments[code].typical_share = share

    def test_two_segments_of_one_code_are_refused(self):
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(IntegrityError),
            self.env.cr.savepoint(),
        ):
            self.env["coverage.segment"].create({"code": "D", "typical_share": 0})

    def test_shares_and_yields_outside_their_range_are_refused(self):
        for vals in (
            {"typical_share": 101},
            {"expected_yield_rate": 0},
            {"expected_yield_rate": 1.1},
            {"contact_interval_days": 0},
        ):
            with (
                self.subTest(vals=vals),
                mute_logger("odoo.sql_db"),
                self.assertRaises(IntegrityError),
                self.env.cr.savepoint(),
            ):
                self.segments["A"].write(vals)
                self.env.flush_all()

    def test_segment_in_use_cannot_be_deleted(self):
        with self.assertRaisesRegex(UserError, "cannot be deleted"):
            self.segments["A"].unlink()
        self.assertTrue(self.segments["A"].exists())

    def test_temperatures_cannot_be_deleted(self):
        with self.assertRaisesRegex(UserError, "five temperatures are fixed"):
            self.levels["mild"].unlink()

    def test_coldest_level_begins_at_zero(self):
        with self.assertRaisesRegex(ValidationError, "begin at a score of 0"):
            self.levels["frozen"].min_score = 5

    def test_settings_that_cannot_hold_are_refused(self):
        for name, value in (
            ("coverage_lookback_years", 0),
            ("coverage_leader_rate", 0),
            ("coverage_leader_rate", 1.5),
            ("coverage_new_orders", 0),
            ("coverage_sleeping_days", 0),
            ("coverage_stay_days", -1),
            ("coverage_hysteresis_rate", 1),
        ):
            with (
                self.subTest(name=name, value=value),
                self.assertRaises(ValidationError),
                self.env.cr.savepoint(),
            ):
                self.company[name] = value

    def test_cut_offs_follow_from_the_shares(self):
        cuts = {code: self.segments[code].cut_off for code in "ABCD"}
        self.assertEqual(cuts, {"A": 80, "B": 45, "C": 15, "D": 0})


@tagged("post_install", "-at_install")
class TestSmallBases(CoverageCase):
    """Day one: no customers, no revenue, no leaders."""

    def test_empty_company_refreshes(self):
        run = self._refresh()
        self.assertEqual((run.state, run.customer_count), ("applied", 0))
        self.assertFalse(self._plan().change_ids)

    def test_one_customer_is_its_own_measure(self):
        customer = self._create_buyer(10)
        self._refresh()
        self.assertStands(customer, "A", "hot", "new")

    def test_zero_revenue_everywhere_rates_nobody(self):
        customers = [self._create_buyer(0) for _number in range(3)]
        self._refresh()
        for customer in customers:
            self.assertStands(customer, False, False, "new")

    def test_prospects_alone_are_unrated_even_when_they_declare(self):
        customer = self._create_customer()
        self._create_quotation(customer, 10)
        self._row(customer)._declare_potential(1_000, "asked")
        self._refresh()
        self.assertStands(customer, False, False, "prospect")
        self.assertEqual(self._row(customer).potential, 1_000)

    def test_first_order_of_all_rates_who_declared_by_night(self):
        prospect = self._create_customer()
        self._create_quotation(prospect, 10)
        self._row(prospect)._declare_potential(100, "asked")
        self._create_buyer(100)
        self._refresh()
        self.assertStands(prospect, "A", False, "prospect")

    def test_last_order_cancelled_leaves_a_prospect(self):
        customer = self._create_customer()
        order = self._confirm_order(customer, 100)
        order._action_cancel()
        self._refresh()
        self.assertStands(customer, False, False, "prospect")
