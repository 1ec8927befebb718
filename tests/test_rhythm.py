from datetime import date, timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged, users

from .common import NOW, TODAY, CoverageCase, ago


@tagged("post_install", "-at_install")
class TestRhythm(CoverageCase):
    """When a customer should be spoken to again, and who may put it off."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer = cls._create_rated("B")

    @classmethod
    def _create_rated(cls, segment, name="Customer", user=None):
        """Return Sara's customer, rated by hand, hers for 200 days."""
        customer = cls._create_customer(name, user_id=(user or cls.sara).id)
        cls._row(customer).owned_since = ago(200)
        cls._rate(customer, segment)
        return customer

    def _own(self, user=None, customer=None):
        """Return the row as a user sees it; as Sara by default."""
        return self._row(customer or self.customer).with_user(user or self.sara)

    def assertDue(self, days, customer=None):
        """Assert in how many days a customer is due."""
        self.assertFacts(
            customer or self.customer, next_contact_date=TODAY + timedelta(days=days)
        )

    # === RECOMPUTED WHEN ANYTHING CHANGES === #

    def test_customer_never_spoken_to_is_due_since_it_has_its_owner(self):
        self.assertDue(-200)

    def test_contact_moves_the_next_one_by_the_interval(self):
        self._log_touch(self.customer, days_ago=5)
        self.assertDue(85)

    def test_older_contact_moves_nothing(self):
        self._log_touch(self.customer, days_ago=5)
        self._log_touch(self.customer, days_ago=50)
        self.assertDue(85)

    def test_attempt_moves_only_the_retry(self):
        self._log_touch(self.customer, is_two_way=False)
        self.assertDue(-200)
        self.assertFacts(
            self.customer, attempt_day_count=1, retry_date=TODAY + timedelta(days=2)
        )

    def test_customer_never_tried_has_no_retry(self):
        self.assertFacts(self.customer, attempt_day_count=0, retry_date=False)

    def test_other_segment_has_another_rhythm(self):
        self._log_touch(self.customer, days_ago=5, source="telephone")
        for segment, days in (("A", 25), ("B", 85), ("D", 175)):
            with self.subTest(segment=segment):
                self._rate(self.customer, segment)
                self.assertDue(days)

    def test_contact_noted_by_hand_pauses_an_a_for_seven_days(self):
        self._rate(self.customer, "A")
        self._log_touch(self.customer)
        self.assertDue(7)
        self._log_touch(self.customer, source="telephone")
        self.assertDue(30)

    def test_days_that_a_note_lasts_are_a_setting(self):
        self._rate(self.customer, "A")
        self.company.coverage_unproven_days = 3
        self._log_touch(self.customer)
        self.assertDue(3)

    def test_email_sent_keeps_the_rhythm_of_a_d_only(self):
        for segment, days in (("B", -200), ("D", 179)):
            with self.subTest(segment=segment):
                customer = self._create_rated(segment)
                self._log_touch(customer, days_ago=1, channel="email", is_two_way=False)
                self.assertDue(days, customer)

    def test_contact_of_somebody_who_does_not_count_keeps_no_rhythm(self):
        self._log_touch(self.customer, user=self.clerk, is_counted=False)
        self.assertDue(-200)

    def test_other_interval_follows_by_night(self):
        self._log_touch(self.customer)
        self.segments["B"].contact_interval_days = 45
        self._refresh()
        self.assertDue(45)

    def test_night_changes_nothing_more(self):
        self._create_leaders()
        self._log_touch(self.customer, days_ago=3)
        self._log_touch(self._create_rated("A"), days_ago=3)
        self._log_touch(self._create_rated("D"), is_two_way=False)
        self._own().action_snooze(3)
        self._refresh()
        before = self._snapshot()
        self._refresh()
        self.assertSameRows(self._snapshot(), before)

    def test_event_and_night_come_to_the_same(self):
        self._refresh()
        self._log_touch(self.customer, days_ago=3)
        self._own().action_snooze(3)
        before = self._snapshot()
        self._refresh()
        self.assertSameRows(self._snapshot(), before)

    # === STATE === #

    def _create_states(self):
        """Return customers by contact state, one of each at least."""
        spoken = {"on_time": 5, "due": 88, "overdue": 100, "paused": 100}
        customers = {}
        for state, days_ago in spoken.items():
            customers[state] = self._create_rated("B", state)
            self._log_touch(customers[state], days_ago=days_ago)
        self._own(customer=customers["paused"]).action_snooze(5)
        customers[False] = self._create_customer("Unrated", user_id=self.sara.id)
        return customers

    def test_state_is_the_same_computed_searched_and_grouped(self):
        customers = self._create_states()
        rows = self.env["coverage.customer"]
        rows = rows.union(*(self._row(one) for one in customers.values()))
        domain = [("id", "in", rows.ids)]
        groups = rows.formatted_read_group(domain, ["contact_state"], ["__count"])
        grouped = {group["contact_state"]: group["__count"] for group in groups}
        self.assertEqual(grouped, dict.fromkeys(customers, 1))
        for state, customer in customers.items():
            with self.subTest(state=state):
                row = self._row(customer)
                self.assertEqual(row.contact_state, state)
                found = rows.search([*domain, ("contact_state", "=", state)])
                self.assertEqual(found, row)
                others = rows.search([*domain, ("contact_state", "!=", state)])
                self.assertEqual(others, rows - row)

    def test_group_of_a_state_holds_what_it_counts(self):
        self._create_states()
        rows = self.env["coverage.customer"].with_user(self.sara)
        for group in rows.formatted_read_group([], ["contact_state"], ["__count"]):
            with self.subTest(state=group["contact_state"]):
                found = rows.search(group["__extra_domain"])
                self.assertEqual(len(found), group["__count"])

    def test_each_company_has_its_own_day(self):
        both = {"allowed_company_ids": (self.company | self.elsewhere).ids}
        self.elsewhere.partner_id.tz = "Pacific/Auckland"  # NOW is 22:00 there
        rows = self.env["coverage.customer"].with_context(**both)
        rows = rows.create(
            [
                {"partner_id": self._create_customer().id, "company_id": company.id}
                for company in (self.company, self.elsewhere)
            ]
        )
        rows.next_contact_date = TODAY
        rows.flush_recordset()
        with freeze_time("2030-06-03 13:00:00"):  # the 4th in Auckland
            rows.invalidate_recordset()
            self.assertEqual(rows.mapped("contact_state"), ["due", "overdue"])
            domain = [("id", "in", rows.ids)]
            groups = rows.formatted_read_group(domain, ["contact_state"], ["__count"])
            self.assertEqual(
                {group["contact_state"]: group["__count"] for group in groups},
                {"due": 1, "overdue": 1},
            )
            late = rows.search([*domain, ("contact_state", "=", "overdue")])
            self.assertEqual(late, rows[1])

    def test_day_of_a_contact_is_that_of_the_company(self):
        self.company.partner_id.tz = "Pacific/Auckland"
        self._log_touch(self.customer, date="2030-06-02 13:00:00")
        self.assertFacts(self.customer, last_contact_date=date(2030, 6, 3))

    # === UNREACHABLE === #

    def _try(self, count, customer=None):
        for days_ago in range(count, 0, -1):
            self._log_touch(
                customer or self.customer, days_ago=days_ago, is_two_way=False
            )

    def _get_names(self, user):
        """Return the names on a seller's list, far ahead of any retry."""
        with freeze_time(NOW + timedelta(days=10)):
            day = self.env["coverage.day"].with_user(user).get_day()
        return [line["name"] for line in day["lines"]]

    def _get_decisions(self, user):
        day = self.env["coverage.day"].with_user(user).get_day()
        return {line["code"]: line["count"] for line in day["decisions"]}

    def test_after_five_days_of_attempts_the_leader_decides(self):
        self._try(4)
        self._log_touch(self.customer, days_ago=1, is_two_way=False)
        self.assertFacts(self.customer, attempt_day_count=4, is_unreachable=False)
        self.assertEqual(self._get_names(self.sara), ["Customer"])
        self._log_touch(self.customer, is_two_way=False)
        self.assertFacts(self.customer, attempt_day_count=5, is_unreachable=True)
        self.assertEqual(self._get_names(self.sara), [])
        self.assertEqual(self._get_decisions(self.leader), {"unreachable": 1})
        self.assertEqual(self._get_decisions(self.south_leader), {})

    def test_unreachable_is_found_by_search(self):
        self._try(5)
        rows = self.env["coverage.customer"].search([("user_id", "=", self.sara.id)])
        for value in (True, False):
            with self.subTest(value=value):
                found = rows.search(
                    [("id", "in", rows.ids), ("is_unreachable", "=", value)]
                )
                expected = rows.filtered(lambda one, v=value: one.is_unreachable == v)
                self.assertEqual(found, expected)

    def test_contact_makes_a_customer_reachable_again(self):
        self._try(5)
        self._log_touch(self.customer)
        self.assertFacts(self.customer, attempt_day_count=0, is_unreachable=False)

    def test_leader_lets_the_seller_try_again(self):
        self._try(5)
        self._own(self.leader).action_try_again()
        self.assertFacts(self.customer, attempt_day_count=0, is_unreachable=False)
        self.assertEqual(self._get_names(self.sara), ["Customer"])
        self.assertEqual(self._get_decisions(self.leader), {})

    @users("cover_sara")
    def test_seller_does_not_decide_on_an_unreachable_customer(self):
        with self.assertRaises(AccessError):
            self._own(self.env.user).action_try_again()

    def test_lead_is_not_given_up_for_no_answer_before_five_days(self):
        reason = self.env.ref("crm_sales_coverage.lost_reason_no_answer")
        lead = self._create_opportunity(self.customer, user_id=self.sara.id)
        self._try_lead(lead, 4)
        with self.assertRaisesRegex(UserError, "4 of 5"):
            lead.with_user(self.sara).action_set_lost(lost_reason_id=reason.id)
        self.assertEqual(lead.won_status, "pending")
        self._log_touch(self.customer, lead_id=lead.id, is_two_way=False)
        self._create_opportunity(self.customer)  # not the last one
        lead.with_user(self.sara).action_set_lost(lost_reason_id=reason.id)
        self.assertEqual(lead.won_status, "lost")

    def _try_lead(self, lead, count):
        for days_ago in range(count, 0, -1):
            self._log_touch(
                self.customer, days_ago=days_ago, lead_id=lead.id, is_two_way=False
            )

    def test_leader_may_give_a_lead_up_at_once(self):
        reason = self.env.ref("crm_sales_coverage.lost_reason_no_answer")
        lead = self._create_opportunity(self.customer, user_id=self.sara.id)
        lead.with_user(self.leader).action_set_lost(lost_reason_id=reason.id)
        self.assertEqual(lead.won_status, "lost")

    def test_seller_may_give_a_lead_up_for_another_reason(self):
        reason = self.env["crm.lost.reason"].create({"name": "Too expensive"})
        lead = self._create_opportunity(self.customer, user_id=self.sara.id)
        self._create_opportunity(self.customer)  # not the last one
        lead.with_user(self.sara).action_set_lost(lost_reason_id=reason.id)
        self.assertEqual(lead.won_status, "lost")

    # === SNOOZE === #

    def _snooze(self, days, later=0):
        """Let Sara put the customer off, so many days from now."""
        with freeze_time(NOW + timedelta(days=later)):
            self._own().action_snooze(days)

    def test_snooze_puts_the_next_contact_off(self):
        self._snooze(3)
        self.assertDue(3)
        self.assertFacts(self.customer, contact_state="paused")

    def test_seller_puts_off_by_two_weeks_at_most(self):
        self._snooze(14)
        self.assertDue(14)
        with self.assertRaisesRegex(UserError, "14 days"):
            self._snooze(15)

    def test_repeated_snoozes_are_two_weeks_in_all(self):
        self._snooze(7)
        self._snooze(7, later=7)
        self.assertDue(14)
        for later in (8, 14, 15, 100):
            with self.subTest(later=later), self.assertRaises(UserError):
                self._snooze(7, later)

    def test_end_of_a_pause_does_not_begin_the_two_weeks_anew(self):
        self._snooze(14)
        self._own().action_end_pause()
        self.assertDue(-200)
        with self.assertRaises(UserError):
            self._snooze(10, later=5)

    def test_contact_begins_the_two_weeks_anew(self):
        self._snooze(14)
        self._log_touch(self.customer)
        self._snooze(14, later=90)
        self.assertDue(104)

    def test_email_in_an_email_rhythm_begins_the_two_weeks_anew(self):
        self._rate(self.customer, "D")
        self._snooze(14)
        self._log_touch(self.customer, channel="email", is_two_way=False)
        self._snooze(14, later=180)
        self.assertDue(194)

    def test_attempt_does_not_begin_the_two_weeks_anew(self):
        self._snooze(14)
        self._log_touch(self.customer, is_two_way=False)
        with self.assertRaises(UserError):
            self._snooze(10, later=10)

    def test_two_weeks_are_a_setting(self):
        self.company.coverage_snooze_days = 3
        with self.assertRaisesRegex(UserError, "3 days"):
            self._snooze(4)

    def test_snooze_does_not_shorten_what_the_leader_granted(self):
        self._row(self.customer)._pause(TODAY + timedelta(days=60), {"code": "granted"})
        self._snooze(3)
        self.assertDue(61)

    def test_seller_puts_off_his_own_customers_only(self):
        self._row(self.customer).watcher_ids = self.sam
        with self.assertRaises(AccessError):
            self._own(self.sam).action_snooze(3)
        with self.assertRaises(AccessError):
            self._own(self.olga).action_snooze(3)

    # === LEAVE ALONE === #

    def _ask(self, user, days=60, reason="Rebuilds until August"):
        row = self._own(user)
        dialog = row.env["coverage.leave.alone"].create(
            {
                "customer_ids": row.ids,
                "until": TODAY + timedelta(days=days),
                "reason": reason,
            }
        )
        dialog.action_ask()

    def _get_pauses(self):
        """Return field, value, reason and author of the history's newest lines."""
        changes = self._row(self.customer).change_ids.sorted("id")
        return [
            (one.field_name, one.new_label, one.reason_text, one.author_id.login)
            for one in changes
            if one.field_name.startswith("leave_alone")
        ]

    def test_seller_asks_and_the_leader_grants(self):
        self._ask(self.sara)
        self.assertDue(-200)
        self.assertEqual(self._get_decisions(self.leader), {"asked": 1})
        self._own(self.leader).action_grant_leave_alone()
        self.assertDue(61)
        self.assertFacts(
            self.customer, contact_state="paused", leave_alone_asked_until=False
        )
        self.assertEqual(self._get_decisions(self.leader), {})

    def test_history_says_why_and_who(self):
        self._ask(self.sara)
        self._own(self.leader).action_grant_leave_alone()
        self.assertEqual(
            self._get_pauses(),
            [
                (
                    "leave_alone_asked_until",
                    "08/02/2030",
                    "Asked: Rebuilds until August",
                    "cover_sara",
                ),
                (
                    "leave_alone_until",
                    "08/02/2030",
                    "Granted. cover_sara asked: Rebuilds until August",
                    "cover_leader",
                ),
                (
                    "leave_alone_asked_until",
                    False,
                    "Granted. cover_sara asked: Rebuilds until August",
                    "cover_leader",
                ),
            ],
        )

    def test_leader_declines(self):
        self._ask(self.sara)
        self._own(self.leader).action_decline_leave_alone()
        self.assertDue(-200)
        self.assertEqual(
            self._get_pauses()[-1],
            ("leave_alone_asked_until", False, "Declined.", "cover_leader"),
        )

    def test_leader_grants_it_to_himself(self):
        self._ask(self.leader)
        self.assertDue(61)

    @users("cover_sara")
    def test_seller_does_not_grant_it_to_himself(self):
        self._ask(self.env.user)
        for method in ("action_grant_leave_alone", "action_decline_leave_alone"):
            with self.subTest(method), self.assertRaises(AccessError):
                getattr(self._own(self.env.user), method)()

    def test_seller_asks_for_his_own_customers_only(self):
        self._row(self.customer).watcher_ids = self.sam
        with self.assertRaises(AccessError):
            self._ask(self.sam)

    def test_day_of_a_pause_is_neither_past_nor_far(self):
        for days in (-1, 400):
            with self.subTest(days=days), self.assertRaises(UserError):
                self._ask(self.sara, days)

    def test_snooze_does_not_withdraw_a_request(self):
        self._ask(self.sara)
        self._snooze(3)
        self.assertTrue(self._row(self.customer).leave_alone_asked_until)

    def test_end_of_a_pause_brings_the_rhythm_back(self):
        self._ask(self.leader)
        self._own().action_end_pause()
        self.assertDue(-200)
        self.assertEqual(self._get_pauses()[-1][2], "The pause was ended.")

    def test_other_teams_leader_does_not_grant(self):
        self._ask(self.sara)
        with self.assertRaises(AccessError):
            self._own(self.south_leader).action_grant_leave_alone()
