from datetime import date, timedelta

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged, users

from .common import NOW, REFUSAL, TODAY, CoverageCase
from .test_performance import PerformanceCase

COLD = NOW + timedelta(days=120)  # so long after its last order an A is blue
LOGGER = "odoo.addons.crm_sales_coverage.models.coverage_rethink_engine"
MISSING = "Who visits?"
ANSWER = ("New purchaser", "Visit with samples", date(2031, 1, 15))


class RethinkCase(CoverageCase):
    """Three A customers that bought a month ago; one of them is sara's."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_leaders()
        cls.customer = cls.leaders[0]
        cls.row = cls._row(cls.customer)
        cls.row.user_id = cls.sara

    def _chill(self, now=COLD):
        """Let all of them have bought nothing for long; return sara's rethink."""
        with self._at(now):
            self._refresh(now)
        return self._find()

    def _at(self, now):
        return self._on_day((NOW - now).days)

    def _find(self):
        self.env.invalidate_all()
        return self.row.rethink_ids.sorted("id")

    def _heat(self, now):
        """Let the customer buy much."""
        with self._at(now):
            self._confirm_order(self.customer, 40_000)
        return self._find()

    def _answer(self, rethink, user=None):
        with self._at(COLD):
            rethink.with_user(user or self.sara).action_answer(*ANSWER)


@tagged("post_install", "-at_install")
class TestRethink(RethinkCase):
    """An A that turns blue is thought about anew, and what came of it is shown."""

    def test_first_class_asks_for_nothing(self):
        buyer = self._create_buyer(9_000, days_ago=170, user_id=self.sara.id)
        self._refresh(NOW)
        self._refresh(NOW + timedelta(days=1))
        self.assertFalse(
            self.env["coverage.rethink"]
            .search([])
            .filtered(lambda one: one.customer_id.partner_id == buyer)
        )

    def test_a_that_turns_blue_is_a_task_due_in_three_working_days(self):
        rethink = self._chill()
        self.assertIn(self.row.temperature_code, ("cool", "frozen"))
        self.assertEqual(self.row.segment_id.code, "A")
        self.assertEqual(
            (rethink.state, rethink.user_id, rethink.date, rethink.company_id),
            ("open", self.sara, COLD.date(), self.company),
        )
        deadline = self.env["coverage.deadline"]._shift_workdays(
            self.company, COLD.date(), 3
        )
        self.assertEqual(rethink.date_deadline, deadline)
        self.assertFalse(rethink.is_late)

    def test_holidays_move_the_deadline(self):
        self.company.resource_calendar_id = self.env["resource.calendar"].create(
            {"name": "Week", "company_id": self.company.id}
        )
        self.env["resource.calendar.leaves"].create(
            {
                "name": "Holiday",
                "company_id": self.company.id,
                "calendar_id": self.company.resource_calendar_id.id,
                "date_from": COLD + timedelta(hours=14 - 10 + 10),
                "date_to": COLD + timedelta(days=1, hours=12),
            }
        )
        usual = self.env["coverage.deadline"]._shift_workdays(
            self.company, COLD.date(), 3
        )
        self.assertEqual(self._chill().date_deadline, usual)

    def test_twice_changes_nothing_and_event_equals_night(self):
        rethink = self._chill()
        before = rethink.read()
        self._chill()
        with self._at(COLD):
            self.row.action_refresh()
        self.assertEqual(self._find(), rethink)
        self.assertEqual(rethink.read(), before)

    def test_event_asks_at_once(self):
        with self._at(COLD):
            self.row.action_refresh()
        rethink = self._find()
        self.assertEqual((rethink.state, rethink.user_id), ("open", self.sara))

    def test_switched_off_asks_for_nothing(self):
        self.company.coverage_rethink = False
        self.assertFalse(self._chill())

    def test_settings_must_make_sense(self):
        for name in ("coverage_rethink_days", "coverage_rethink_result_days"):
            with self.subTest(name), self.assertRaises(ValidationError):
                self.company[name] = 0

    def test_who_warms_up_before_the_answer_is_left_in_peace(self):
        rethink = self._chill()
        self._heat(COLD)
        self.assertEqual((rethink.state, rethink.end_code), ("cancelled", "warmed"))

    def test_what_was_answered_stays_when_it_warms_up(self):
        rethink = self._chill()
        self._answer(rethink)
        self._heat(COLD)
        self.assertEqual(rethink.state, "answered")

    def test_blue_again_within_days_is_the_same_episode(self):
        rethink = self._chill()
        with self._at(COLD):
            order = self._confirm_order(self.customer, 40_000)
        self.assertEqual(rethink.state, "cancelled")
        with self._at(COLD + timedelta(days=10)):
            order.with_context(disable_cancel_warning=True).action_cancel()
        self.assertEqual(self._find(), rethink)
        self.assertEqual((rethink.state, rethink.end_code), ("open", False))
        self.assertGreater(rethink.date_deadline, (COLD + timedelta(days=10)).date())

    def test_who_leaves_a_is_not_rethought(self):
        rethink = self._chill()
        self._answer(rethink)
        with self._at(COLD):
            self._rate(self.customer, "B")
        self._find()
        self.assertEqual((rethink.state, rethink.end_code), ("cancelled", "left"))

    def test_task_goes_to_the_new_owner_and_to_the_leader_without_one(self):
        rethink = self._chill()
        self.row.user_id = self.sam
        self.assertEqual(rethink.user_id, self.sam)
        self.row.user_id = False
        self.assertEqual(rethink.user_id, self.row.accountable_user_id)

    def test_archived_customers_are_not_rethought(self):
        rethink = self._chill()
        self.customer.active = False
        self.assertEqual((rethink.state, rethink.end_code), ("cancelled", "gone"))

    def test_undo_of_the_run_that_made_it_blue_drops_it(self):
        for days in range(1, 120):
            now = NOW + timedelta(days=days)
            with self._at(now):
                self.row.action_refresh()
            if self.row.temperature_code == "warm":
                break
        levels = {"hot": 99, "warm": 98, "mild": 97}
        with self._at(now + timedelta(days=1)):
            run = self._plan(
                temperature={code: {"min_score": n} for code, n in levels.items()}
            )
            run.action_apply()
            rethink = self._find()
            self.assertEqual(rethink.state, "open")
            run.action_undo()
        self.env.invalidate_all()
        self.assertEqual(rethink.state, "cancelled")

    def test_merged_customers_keep_one(self):
        rethink = self._chill()
        target = self.leaders[1]
        other = self._row(target).rethink_ids
        self.env["coverage.fold"]._fold(self.customer, target)
        self.env.invalidate_all()
        self.assertEqual(self._row(target).rethink_ids, other)
        self.assertFalse(rethink.exists())

    def test_result_after_ninety_days_from_the_facts(self):
        rethink = self._chill()
        self._answer(rethink)
        with self._at(COLD):
            rethink.with_user(self.leader).action_confirm()
        after = COLD + timedelta(days=90)
        self.assertEqual(rethink.result_date, after.date())
        self._confirm_order(self.customer, 700, days_ago=-(after - NOW).days + 1)
        with self._at(after - timedelta(days=1)):
            self._refresh(after - timedelta(days=1))
        self.assertEqual(rethink.state, "confirmed")
        self._confirm_order(self.customer, 20_000, days_ago=-(after - NOW).days - 5)
        late = after + timedelta(days=3)  # a job that comes late counts the same days
        with self._at(late):
            self._refresh(late)
        self.assertEqual(
            (rethink.state, rethink.revenue_before, rethink.revenue_after),
            ("closed", 0, 700),
        )
        self.assertEqual(rethink.revenue_gain, 700)
        self.assertIn(rethink.verdict, ("better", "recovered"))
        self.assertEqual(rethink.closed_date, late.date())

    def test_one_refused_result_stops_no_other(self):
        rethinks = self._chill() | self._row(self.leaders[1]).rethink_ids
        rethinks.write({"state": "confirmed", "confirmed_date": COLD.date()})
        rethinks.write({"result_date": COLD.date()})
        rethinks.flush_recordset()
        write = type(rethinks).write
        first = rethinks[0]

        def refuse(records, vals):
            if records == first and "verdict" in vals:
                raise ValidationError(REFUSAL)
            return write(records, vals)

        self.patch(type(rethinks), "write", refuse)
        engine = self.env["coverage.rethink.engine"]
        with self.assertLogs(LOGGER, "WARNING"):
            engine._run_rethink(self.company, COLD)
        self.assertEqual(rethinks.mapped("state"), ["confirmed", "closed"])

    # === PEOPLE === #

    def test_answer_confirm_and_send_back(self):
        rethink = self._chill()
        self._answer(rethink)
        self.assertEqual(rethink.answered_user_id, self.sara)
        with self._at(COLD):
            rethink.with_user(self.leader).action_send_back(MISSING)
            self.assertEqual((rethink.state, rethink.return_reason), ("open", MISSING))
            rethink.with_user(self.sara).action_answer(*ANSWER)
            rethink.with_user(self.leader).action_confirm()
        self.assertEqual(
            (rethink.state, rethink.confirmed_user_id, rethink.return_reason),
            ("confirmed", self.leader, False),
        )

    def test_bad_answers_are_refused(self):
        rethink = self._chill().with_user(self.sara)
        past = (COLD - timedelta(days=1)).date()
        with self._at(COLD):
            for answer in (
                ("", "Visit", ANSWER[2]),
                ("Price", " ", ANSWER[2]),
                ("Price", "Visit", False),
                ("Price", "Visit", past),
            ):
                with self.subTest(answer), self.assertRaises(UserError):
                    rethink.action_answer(*answer)
            rethink.action_answer(*ANSWER)
            with self.assertRaises(UserError):
                rethink.action_answer(*ANSWER)

    def test_who_may_answer_and_confirm(self):
        rethink = self._chill()
        for user in (self.sam, self.olga, self.south_leader, self.clerk):
            with self.subTest(user.login), self.assertRaises(AccessError):
                self._answer(rethink, user)
        self._answer(rethink)
        for user in (self.sara, self.sam, self.south_leader):
            with self.subTest(user.login), self.assertRaises(AccessError):
                rethink.with_user(user).action_confirm()
            with self.subTest(user.login), self.assertRaises(AccessError):
                rethink.with_user(user).action_send_back("No")
        with self.assertRaises(AccessError):
            rethink.with_user(self.sara).write({"state": "confirmed"})

    def test_leader_does_not_confirm_himself_but_the_manager_does(self):
        rethink = self._chill()
        self._answer(rethink, self.leader)
        with self.assertRaises(AccessError):
            rethink.with_user(self.leader).action_confirm()
        rethink.with_user(self.manager).action_confirm()
        self.assertEqual(rethink.state, "confirmed")

    def test_own_team_and_company_are_seen(self):
        rethink = self._chill()
        self.env.flush_all()
        for user, count in (
            (self.sara, 1),
            (self.sam, 0),
            (self.leader, 1),
            (self.south_leader, 0),
            (self.manager, 1),
            (self.stranger, 0),
        ):
            with self.subTest(user.login):
                for model, domain in (
                    ("coverage.rethink", [("id", "in", rethink.ids)]),
                    ("coverage.blue.report", [("customer_id", "=", self.row.id)]),
                ):
                    found = (
                        self.env[model]
                        .with_user(user)
                        .with_context(allowed_company_ids=user.company_ids.ids)
                    )
                    self.assertEqual(found.search_count(domain), count, model)

    # === SCREENS === #

    def test_begun_by_hand(self):
        self.company.coverage_rethink = False
        self._chill()
        with self._at(COLD):
            with self.assertRaises(AccessError):
                self.row.with_user(self.sam).action_rethink()
            action = self.row.with_user(self.sara).action_rethink()
            self.assertEqual(action["res_model"], "coverage.rethink.answer")
            rethink = self._find()
            self.assertEqual((rethink.state, rethink.user_id), ("open", self.sara))
            action = self.row.with_user(self.leader).action_rethink()
            self.assertEqual(action["res_id"], rethink.id)
        self.assertEqual(self._find(), rethink)

    def test_only_a_blue_a_is_rethought(self):
        with self.assertRaises(UserError):
            self.row.with_user(self.sara).action_rethink()

    def test_dialog_answers_and_offers_what_was_sent_back(self):
        rethink = self._chill()
        with self._at(COLD):
            for user, values in (
                (self.sara, {"kind": "answer", "change": ANSWER[1]}),
                (self.leader, {"kind": "send_back"}),
            ):
                context = rethink.with_user(user)
                action = getattr(context, f"action_open_{values['kind']}")()["context"]
                form = Form(
                    self.env["coverage.rethink.answer"]
                    .with_user(user)
                    .with_context(**action)
                )
                if values["kind"] == "answer":
                    form.reason, form.change, form.change_date = ANSWER
                else:
                    form.missing = MISSING
                form.save().action_answer()
            self.assertEqual(rethink.state, "open")
            form = Form(
                self.env["coverage.rethink.answer"]
                .with_user(self.sara)
                .with_context(
                    **rethink.with_user(self.sara).action_open_answer()["context"]
                )
            )
            self.assertEqual((form.reason, form.return_reason), (ANSWER[0], MISSING))

    def test_to_decide_confirms_and_names_the_late(self):
        rethink = self._chill()
        self.env.flush_all()
        decisions = self.env["coverage.decision"].with_user(self.leader)
        domain = [("rethink_id", "=", rethink.id)]
        with self._at(COLD):
            self.assertFalse(decisions.search(domain))
        with self._at(COLD + timedelta(days=10)):
            line = decisions.search(domain)
            self.assertEqual(line.kind, "rethink_late")
            self.assertIn("should have answered", line.reason_text)
            self.assertEqual(line.action_yes()["res_model"], "coverage.rethink.answer")
            rethink.with_user(self.sara).action_answer(*ANSWER)
            self.env.flush_all()
            decisions.invalidate_model()
            line = decisions.search(domain)
            self.assertEqual((line.kind, line.user_id), ("rethink", self.sara))
            self.assertIn("Visit with samples", line.reason_text)
            line.action_yes()
            self.assertFalse(decisions.search(domain))
        self.assertEqual(rethink.state, "confirmed")

    def test_blue_list_the_longest_first(self):
        self._chill()
        self.env.flush_all()
        with self._at(COLD + timedelta(days=40)):
            self._refresh(COLD + timedelta(days=40))
            line = self.env["coverage.blue.report"].search(
                [("customer_id", "=", self.row.id)]
            )
            self.assertEqual(
                (line.blue_since, line.blue_days, line.rethink_state, line.is_late),
                (COLD.date(), 40, "open", True),
            )
            self.assertEqual((line.user_id, line.leader_id), (self.sara, self.leader))
            self.assertEqual(line.currency_id, self.company.currency_id)

    @users("cover_sara")
    def test_my_day_shows_what_is_to_rethink(self):
        rethink = self._chill()
        with self._at(COLD):
            day = (
                self.env["coverage.day"]
                .with_user(self.env.user)
                .with_context(allowed_company_ids=self.company.ids)
                .get_day()
            )
        self.assertEqual([one["id"] for one in day["rethinks"]], rethink.ids)
        self.assertEqual(day["rethinks"][0]["state"], "open")


@tagged("post_install", "-at_install")
class TestRethinkPerformance(PerformanceCase):
    """Ten or a hundred that cool cost the same."""

    def test_many_that_turn_blue(self):
        rethinks = self.env["coverage.rethink"]

        def act(customers):
            self.env["coverage.refresh"]._refresh_customers(
                self._get_rows(customers), NOW + timedelta(days=150)
            )

        self.assertConstant(act)
        count = rethinks.search_count([("company_id", "=", self.company.id)])
        self.assertEqual(count, len(self.customers))

    def test_many_that_warm_up_and_lists_of_many(self):
        self._refresh(NOW + timedelta(days=150))

        def cancel(customers):
            rows = self._get_rows(customers)
            rows.write({"user_id": self.olga.id})
            self.env["coverage.refresh"]._refresh_customers(rows, NOW)

        def read(customers):
            self.env["coverage.blue.report"].web_search_read(
                [("customer_id.partner_id", "in", customers.ids)],
                {"rethink_text": {}, "badge": {}, "rethink_state": {}, "blue_days": {}},
            )

        self.assertConstant(read)
        self.assertConstant(cancel)

    def test_many_results(self):
        self._refresh(NOW + timedelta(days=150))
        found = self.env["coverage.rethink"].search(
            [("company_id", "=", self.company.id)]
        )
        self.assertTrue(found)
        found.write({"state": "confirmed", "confirmed_date": TODAY})

        def act(customers):
            few = found.filtered(lambda one: one.customer_id.partner_id in customers)
            few.write({"result_date": TODAY + timedelta(days=90)})
            self.env["coverage.rethink.engine"]._run_rethink(
                self.company, NOW + timedelta(days=91)
            )

        act(self.warm)
