from datetime import timedelta

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import freeze_time, tagged, users

from .common import NOW, TODAY, CoverageCase, ago


@tagged("post_install", "-at_install")
class TestDay(CoverageCase):
    """My Day: what a seller does next, ordered by what is at stake, and no more."""

    @classmethod
    def _create_due(cls, name, late=5, potential=10_000, segment="B", user=None):
        """Return a customer that is so many days late."""
        customer = cls._create_customer(name, user_id=(user or cls.sara).id)
        row = cls._row(customer)
        row.write({"owned_since": ago(late), "rhythm_start_date": ago(late)})
        row._declare_potential(potential, "Asked")
        cls._rate(customer, segment)
        return customer

    def _get_day(self, user=None, **options):
        return self.env["coverage.day"].with_user(user or self.sara).get_day(**options)

    def _get_names(self, user=None, **options):
        return [line["name"] for line in self._get_day(user, **options)["lines"]]

    def _get_line(self, customer):
        lines = self._get_day()["lines"]
        return next(line for line in lines if line["name"] == customer.name)

    def _plan(self, record, days=0, kind="call", user=None):
        return self.env["mail.activity"].create(
            {
                "res_model_id": self.env["ir.model"]._get_id(record._name),
                "res_id": record.id,
                "activity_type_id": self.env.ref(f"mail.mail_activity_data_{kind}").id,
                "user_id": (user or self.sara).id,
                "date_deadline": TODAY + timedelta(days=days),
                "summary": "Send the offer",
            }
        )

    # === WHAT IS DUE, IN WHICH ORDER === #

    def test_lines_are_ordered_by_what_is_at_stake(self):
        self._create_due("Large", potential=20_000)
        self._create_due("Late", late=270, potential=10_000)
        self._create_due("Small", potential=1_000)
        self._create_due("Large D", potential=50_000, segment="D")
        self.assertEqual(self._get_names(), ["Late", "Large", "Large D", "Small"])

    def test_no_more_lines_than_the_norm(self):
        self.company.coverage_day_norm = 2
        for number in range(5):
            self._create_due(f"Due {number}", potential=10_000 - number)
        day = self._get_day()
        self.assertEqual((len(day["lines"]), day["more_count"]), (2, 3))
        self.assertEqual(self._get_names(), ["Due 0", "Due 1"])
        whole = self._get_day(is_whole=True)
        self.assertEqual((len(whole["lines"]), whole["more_count"]), (5, 0))

    def test_due_within_the_days_ahead(self):
        for late, is_shown in ((0, True), (-3, True), (-4, False)):
            with self.subTest(late=late), self._tried():
                self._create_due("Due", late)
                self.assertEqual(bool(self._get_names()), is_shown)

    def test_line_says_who_why_when_and_how(self):
        customer = self._create_due("Mill")
        self._create_customer(
            "Ada", parent_id=customer.id, is_company=False, phone="+32470123456"
        )
        line = self._get_line(customer)
        self.assertEqual(line["person"]["name"], "Ada")
        self.assertEqual(line["phone"], "+32470123456")
        self.assertEqual((line["segment"], line["state"]), ("B", "overdue"))
        self.assertEqual(line["why"], "B, never spoken to")
        self.assertIn("10,000", line["stake_text"])
        self.assertEqual(line["next"], "Call")

    def test_line_says_the_last_contact(self):
        customer = self._create_due("Mill")
        self._log_touch(customer, days_ago=100)
        self.assertEqual(self._get_line(customer)["last"], "Call, Mill, 23 Feb 2030")

    def test_line_knows_the_activity_that_the_rhythm_planned(self):
        customer = self._create_due("Mill")
        self.env["coverage.cadence"]._run_cadence(self.company, NOW)
        activity = self.env["mail.activity"].search(
            [("coverage_customer_id", "=", self._row(customer).id)]
        )
        self.assertEqual(self._get_line(customer)["activity_id"], activity.id)

    # === WHAT IS NOT SHOWN === #

    def test_what_is_not_shown(self):
        customer = self._create_due("Mill")
        row = self._row(customer)
        for name, act in (
            ("agreed for later", lambda: self._plan(customer, 3)),
            ("agreed on a lead", lambda: self._plan(self._create_lead(customer), 3)),
            ("tried today", lambda: self._log_touch(customer, is_two_way=False)),
            ("spoken to", lambda: self._log_touch(customer)),
            ("paused", lambda: row.action_snooze(3)),
            ("given up", lambda: row.write({"attempt_day_count": 5})),
            ("given away", lambda: row.write({"user_id": self.sam.id})),
            ("archived", lambda: customer.write({"active": False})),
            ("unrated", row.action_release_segment),
        ):
            with self.subTest(name), self._tried():
                row.declared_potential = 0
                self.assertEqual(self._get_names(), ["Mill"])
                act()
                self.assertEqual(self._get_names(), [])

    def _create_lead(self, customer, **values):
        return self._create_opportunity(customer, user_id=self.sara.id, **values)

    def test_what_was_tried_comes_back_after_two_days(self):
        customer = self._create_due("Mill")
        self._log_touch(customer, days_ago=2, is_two_way=False)
        self.assertEqual(
            self._get_line(customer)["why"], "Try again: 1 attempt without an answer"
        )

    def test_customer_never_counted_by_the_ledger_is_shown(self):
        customer = self._create_due("Mill")
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE coverage_customer SET attempt_day_count = NULL WHERE id = %s",
            [self._row(customer).id],
        )
        self.env.invalidate_all()
        self.assertEqual(self._get_names(), ["Mill"])

    def test_contact_agreed_for_today_is_shown_before_the_rhythm_asks(self):
        customer = self._create_due("Mill", late=-60)
        activity = self._plan(customer)
        line = self._get_line(customer)
        self.assertEqual(line["activity_id"], activity.id)

    # === LEADS, MEETINGS, GOALS === #

    def test_lead_whose_next_step_is_due_is_shown(self):
        lead = self._create_lead(self._create_customer("Mill"), expected_revenue=9_000)
        activity = self._plan(lead, -1)
        line = self._get_day()["lines"][0]
        self.assertEqual((line["kind"], line["id"]), ("lead", lead.id))
        self.assertEqual(line["activity_id"], activity.id)
        self.assertIn("Send the offer", line["why"])
        self.assertIn("9,000", line["stake_text"])

    def test_lead_that_is_not_due_or_closed_is_not_shown(self):
        later = self._create_lead(self._create_customer("Later"))
        self._plan(later, 1)
        lost = self._create_lead(self._create_customer("Lost"))
        self._plan(lost)
        lost.with_context(active_test=False).action_set_lost()
        self.assertEqual(self._get_names(), [])

    def test_todays_meetings_are_shown(self):
        for name, days in (("Today", 0), ("Tomorrow", 1)):
            start = NOW + timedelta(days=days)
            self.env["calendar.event"].create(
                {
                    "name": name,
                    "user_id": self.sara.id,
                    "start": start,
                    "stop": start + timedelta(hours=1),
                    "partner_ids": [Command.set(self.sara.partner_id.ids)],
                }
            )
        meetings = self._get_day()["meetings"]
        self.assertEqual([meeting["name"] for meeting in meetings], ["Today"])

    def test_goals_count_the_day_of_the_company(self):
        customer = self._create_due("Mill")
        self._log_touch(customer, minutes=4)
        self._log_touch(customer, minutes=2, is_two_way=False)
        self._log_touch(customer, channel="visit", minutes=30)
        self._log_touch(customer, days_ago=1, minutes=60)
        self._log_touch(customer, user=self.sam, minutes=60)
        goals = self._get_day()["goals"]
        self.assertEqual([goal["done"] for goal in goals], [2, 2, 36])
        self.assertEqual([goal["norm"] for goal in goals], [12, 6, 120])

    def test_day_begins_at_the_companys_midnight(self):
        self.company.partner_id.tz = "Pacific/Auckland"
        customer = self._create_due("Mill")
        self._log_touch(customer, date="2030-06-02 12:30:00")  # the 3rd in Auckland
        self._log_touch(customer, date="2030-06-02 11:30:00")
        self.assertEqual(self._get_day()["goals"][0]["done"], 1)

    # === WHO SEES WHAT === #

    def test_seller_sees_his_own_day_only(self):
        self._create_due("Mill")
        self.assertEqual(self._get_names(self.sam), [])
        with self.assertRaises(AccessError):
            self._get_day(self.sam, user_id=self.sara.id)

    def test_leader_opens_the_day_of_his_team(self):
        self._create_due("Mill")
        self.assertEqual(self._get_names(self.leader, user_id=self.sara.id), ["Mill"])
        names = [one["name"] for one in self._get_day(self.leader)["members"]]
        self.assertEqual(names, ["cover_leader", "cover_sam", "cover_sara"])
        with self.assertRaises(AccessError):
            self._get_day(self.leader, user_id=self.olga.id)
        with self.assertRaises(AccessError):
            self._get_day(self.south_leader, user_id=self.sara.id)

    def test_manager_opens_every_day(self):
        self._create_due("Mill")
        self._create_due("South", user=self.olga)
        for user, name in ((self.sara, "Mill"), (self.olga, "South")):
            with self.subTest(user=user.login):
                self.assertEqual(self._get_names(self.manager, user_id=user.id), [name])

    def test_leader_sees_no_customer_of_another_team(self):
        customer = self._create_due("Mill")
        self._row(customer).team_id = self.south
        self.assertEqual(self._get_names(self.leader, user_id=self.sara.id), [])

    def test_leader_is_told_what_waits_for_a_decision(self):
        self._row(self._create_due("Asked"))._ask_leave_alone(TODAY, "Fair")
        self._row(self._create_due("Unreachable")).attempt_day_count = 5
        self._create_due("Absent", user=self.sam)
        self.sam.out_of_office_from = NOW - timedelta(days=1)
        decisions = self._get_day(self.leader)["decisions"]
        self.assertEqual(
            {one["code"]: one["count"] for one in decisions},
            {"asked": 1, "unreachable": 1, "absent": 1},
        )
        for code in ("asked", "unreachable", "absent"):
            with self.subTest(code):
                day = self.env["coverage.day"].with_user(self.leader)
                action = day.action_open_decisions(code)
                lines = self.env["coverage.decision"].with_user(self.leader)
                found = lines.search(action["domain"])
                self.assertEqual(found.subject, code.capitalize())
        self.assertEqual(self._get_day(self.south_leader)["decisions"], [])
        self.assertEqual(self._get_day(self.sara)["decisions"], [])

    @users("cover_clerk")
    def test_who_does_not_sell_has_no_day(self):
        with self.assertRaises(AccessError):
            self.env["coverage.day"].get_day()

    # === SAFE AND FAST === #

    def test_day_is_read_only(self):
        self._create_due("Mill")
        self._plan(self._create_lead(self._create_customer("Lead")))
        self._log_touch(self._create_due("Spoken"), days_ago=100)
        self.env.flush_all()
        self.env.cr.precommit.run()
        self.env.flush_all()
        self.env.invalidate_all()
        for user in (self.sara, self.leader, self.manager):
            with self.subTest(user=user.login), self.env.cr.savepoint() as savepoint:
                self.env.cr.execute("SET TRANSACTION READ ONLY")
                self.assertTrue(self._get_day(user)["goals"])
                savepoint.rollback()

    def test_day_one_is_empty(self):
        company = self._create_company("New")
        company.partner_id.tz = False
        only = {"company_ids": [Command.set(company.ids)], "company_id": company.id}
        for user in (self.olga, self.leader, self.manager):
            with self.subTest(user=user.login):
                user.write(only)
                days = self.env["coverage.day"].with_user(user)
                day = days.with_context(allowed_company_ids=company.ids).get_day()
                self.assertEqual((day["lines"], day["has_customers"]), ([], False))

    def test_cost_does_not_grow_with_the_number_of_customers(self):
        customers = self._create_buyers(312, 8_100, user_id=self.sara.id)
        rows = self.env["coverage.customer"].search(
            [("partner_id", "in", customers.ids)]
        )
        rows._set_manual_segment(self.segments["B"], "Test", False)
        self.company.coverage_order_is_contact = False
        for is_whole in (False, True):
            with self.subTest(is_whole=is_whole):
                self._get_day(is_whole=is_whole)
                few, many = (self._count(rows, one, is_whole) for one in (10, 300))
                self.assertLessEqual(many, few)

    def _count(self, rows, due_count, is_whole):
        """Return how many queries a day costs when so many customers are due."""
        rows.next_contact_date = TODAY + timedelta(days=60)
        rows[:due_count].next_contact_date = TODAY
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        day = self._get_day(is_whole=is_whole)
        self.assertEqual(len(day["lines"]) + day["more_count"], due_count)
        return self.env.cr.sql_log_count - before

    def test_day_after_tomorrow_is_another_day(self):
        self._create_due("Mill", late=-5)
        self.assertEqual(self._get_names(), [])
        with freeze_time(NOW + timedelta(days=2)):
            self.assertEqual(self._get_names(), ["Mill"])
