from contextlib import contextmanager
from datetime import timedelta

from odoo.exceptions import ValidationError
from odoo.tests import freeze_time, tagged

from odoo.addons.crm_sales_coverage.models.coverage_job import Tally

from .common import NOW, TODAY, CoverageCase, ago

LADDER = [0, 1, 2, 3]


class IdleCase(CoverageCase):
    """A company in which idle has been on for long; customers of Sara and Sam."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_leaders()
        cls.company.coverage_idle_date = ago(1000)
        cls.engine = cls.env["coverage.idle"]

    @classmethod
    def _create_silent(cls, days, segment="B", user=None, **values):
        """Return a customer that bought, and was last spoken to so many days ago."""
        user = user or cls.sara
        name = values.pop("name", f"Silent {days}")
        customer = cls._create_known_buyer(6_000, name=name, user_id=user.id)
        cls._rate(customer, segment)
        cls._log_touch(customer, user, days, source="telephone")
        cls._row(customer).write({"owned_since": ago(900), **values})
        return customer

    def _run(self, days=0, company=None):
        """Run the job so many days later; return how many it warned or moved."""
        now = NOW + timedelta(days=days)
        with freeze_time(now):
            count = self.engine._run_idle(company or self.company, now)
            self.env.invalidate_all()
        return count

    def _marks(self, customer):
        row = self._row(customer)
        row.invalidate_recordset()
        return row.idle_warning_level, row.idle_date, row.idle_since

    @contextmanager
    def _later(self, days):
        with freeze_time(NOW + timedelta(days=days)):
            yield


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestIdle(IdleCase):
    """Warnings on their real days, what ends them, and what stands against them."""

    def test_ladder_of_a_neglected_customer(self):
        customer, end = self._create_silent(121), ago(-14)
        for day, level, since in (
            (0, 1, False),
            (6, 1, False),
            (7, 2, False),
            (12, 2, False),
            (13, 3, False),
            (14, 3, end),
        ):
            with self.subTest(day):
                self._run(day)
                self.assertEqual(self._marks(customer), (level, end, since))

    def test_second_run_of_a_day_does_nothing_more(self):
        self._create_silent(121)
        self._create_silent(300)
        self.assertEqual(self._run(), 2)
        before = self._versions()
        self.assertEqual(self._run(), 0)
        self.assertSameRows(self._versions(), before)

    def test_job_that_did_not_run_moves_the_end(self):
        customer = self._create_silent(121)
        self._run(0)
        self._run(11)
        self.assertEqual(self._marks(customer), (2, ago(-18), False))
        self._run(14)
        self.assertEqual(self._marks(customer)[2], False)
        self._run(17)
        self._run(18)
        self.assertEqual(self._marks(customer), (3, ago(-18), ago(-18)))

    def test_ladder_across_the_date_line(self):
        """A day is the company's: a job at 13:00 UTC is on the next day in Auckland."""
        for tz, shift in (("Pacific/Auckland", 1), ("America/Los_Angeles", 0)):
            with self.subTest(tz), self._tried():
                self.company.partner_id.tz = tz
                customer = self._create_silent(100)
                moment = NOW.replace(hour=13)  # 1:00 of the next day in Auckland
                found = []
                for day in range(60):
                    now = moment + timedelta(days=day)
                    with freeze_time(now):
                        self.engine._run_idle(self.company, now)
                    level, _date, since = self._marks(customer)
                    found.append("idle" if since else level)
                first = {mark: found.index(mark) for mark in (1, 2, 3, "idle")}
                last = self._row(customer).last_contact_date
                begin = self.company._get_coverage_today(moment)
                end = (last - begin).days + 135
                self.assertEqual(
                    first, {1: end - 14, 2: end - 7, 3: end - 1, "idle": end}
                )
                self.assertEqual((begin - TODAY).days, shift)

    # === WHAT ENDS IT === #

    def _create_warned(self, level=3, **values):
        customer = self._create_silent(140, name="Warned", **values)
        self._row(customer).write(
            {
                "idle_warning_level": level,
                "idle_warning_date": ago(3),
                "idle_date": ago(2),
                "idle_since": ago(2) if level == 3 else False,
            }
        )
        return customer

    def test_contact_ends_the_warnings_at_once(self):
        customer = self._create_warned()
        self._log_touch(customer)
        self.assertEqual(self._marks(customer), (0, False, False))

    def test_what_the_customer_takes_no_part_in_ends_nothing(self):
        for name, values in (
            ("attempt", {"is_two_way": False}),
            ("not counted", {"is_counted": False}),
        ):
            customer = self._create_warned()
            with self.subTest(name):
                self._log_touch(customer, **values)
                self.assertEqual(self._marks(customer)[0], 3)
                self._run()
                self.assertEqual(self._marks(customer), (3, ago(2), ago(2)))

    def test_note_by_hand_puts_an_a_off_for_some_days(self):
        customer = self._create_warned(segment="A")
        self.assertEqual(self._run(), 0)
        touch = self._row(customer).touch_ids
        touch.date = NOW - timedelta(days=70)
        self._log_touch(customer)
        self.assertEqual(self._marks(customer), (3, ago(-7), False))
        self._run(7)
        self.assertEqual(self._marks(customer), (3, ago(-7), ago(-7)))

    def test_decisions_of_people_end_the_warnings_at_once(self):
        def protect(row):
            row.protected_until = ago(-30)

        def pause(row):
            row._ask_leave_alone(ago(-30), "On holiday")
            row.with_user(self.manager).action_grant_leave_alone()

        for name, act in (
            ("owner", lambda row: row.write({"user_id": self.sam.id})),
            ("nobody", lambda row: row.write({"user_id": False})),
            ("protection", protect),
            ("pause", pause),
            ("snooze", lambda row: row.with_user(self.sara).action_snooze(5)),
        ):
            customer = self._create_warned()
            with self.subTest(name):
                act(self._row(customer))
                self.assertEqual(self._marks(customer), (0, False, False))

    def test_after_its_pause_a_customer_is_warned_from_the_start(self):
        customer = self._create_warned()
        self._row(customer).with_user(self.sara).action_snooze(5)
        self._run(4)
        self.assertEqual(self._marks(customer)[0], 0)
        self._run(5)
        self.assertEqual(self._marks(customer), (1, ago(-19), False))

    # === WHAT STANDS AGAINST IT === #

    def _quote(self, customer, created=10, moved=10):
        order = self._create_quotation(customer, 500)
        order.date_order = NOW - timedelta(days=created)
        self._set(order, create_date=created, write_date=moved)

    def _open_deal(self, customer, created=10, moved=10):
        lead = self._create_opportunity(customer)
        self._set(lead, create_date=created, date_last_stage_update=moved)

    def _set(self, record, **days):
        """Let days be so many days ago that the ORM writes by itself."""
        self.env.flush_all()
        for name, number in days.items():
            self.env.cr.execute(
                f"UPDATE {record._table} SET {name} = %s WHERE id = %s",
                (NOW - timedelta(days=number), record.id),
            )
        self.env.invalidate_all()

    def _hand(self, customer):
        self.env["coverage.handoff"].create(
            {
                "customer_id": self._row(customer).id,
                "to_user_id": self.sam.id,
                "reason": "Grown",
            }
        )

    def _leave(self, customer):
        self.sara.write({"out_of_office_from": NOW - timedelta(days=3)})

    def _try_often(self, customer):
        for day in range(5):
            self._log_touch(customer, days_ago=day, is_two_way=False)

    def test_exempt_customers_are_not_warned(self):
        for name, act in (
            ("quotation", self._quote),
            ("opportunity", self._open_deal),
            ("handoff", self._hand),
            ("owner away", self._leave),
            ("unreachable", self._try_often),
            ("no owner", lambda one: self._row(one).write({"user_id": False})),
            ("D", lambda one: self._rate(one, "D")),
        ):
            with self.subTest(name), self._tried():
                customer = self._create_silent(300)
                act(customer)
                self._run()
                self.assertEqual(self._marks(customer), (0, False, False))

    def test_who_is_not_tried_any_more_is_neglected(self):
        customer = self._create_silent(300)
        for day in range(5):
            self._log_touch(customer, days_ago=130 + day, is_two_way=False)
        row = self._row(customer)
        self.assertTrue(row.is_unreachable)
        self._run(0)
        self.assertEqual(self._marks(customer)[0], 0)
        self._run(1)  # the first of five days is out of the term
        self.assertEqual(self._marks(customer), (1, ago(-15), False))
        with self._later(1):
            self._log_touch(customer, days_ago=-1, is_two_way=False)
        self.assertEqual(self._marks(customer)[0], 0)

    def test_old_deals_and_those_that_do_not_move_protect_nobody(self):
        for name, act in (
            ("old quotation", lambda one: self._quote(one, 100, 5)),
            ("still quotation", lambda one: self._quote(one, 80, 61)),
            ("old opportunity", lambda one: self._open_deal(one, 100, 5)),
            ("still opportunity", lambda one: self._open_deal(one, 80, 61)),
        ):
            with self.subTest(name), self._tried():
                customer = self._create_silent(300)
                act(customer)
                self._run()
                self.assertEqual(self._marks(customer)[0], 1)

    def test_clock_stands_still_while_the_owner_is_away_and_begins_anew(self):
        customer = self._create_silent(300)
        self.sara.write(
            {
                "out_of_office_from": NOW - timedelta(days=30),
                "out_of_office_to": NOW - timedelta(days=5),
            }
        )
        self._run()
        self.assertEqual(self._marks(customer)[0], 0)
        self._run(115)
        self.assertEqual(self._marks(customer)[0], 0)
        self._run(116)
        self.assertEqual(self._marks(customer), (1, ago(-130), False))

    def test_deals_here_say_how_long_an_open_one_protects(self):
        self._run()
        self.assertEqual(self.company.coverage_idle_quote_days, 90)
        self._create_buyers(20, 100)
        self.env.flush_all()
        self.env.cr.execute(
            """UPDATE sale_order SET create_date = date_order - interval '50 days'
                WHERE company_id = %s""",
            [self.company.id],
        )
        self._run()
        self.assertEqual(self.company.coverage_idle_quote_days, 50)

    # === WHERE IT IS ON === #

    def test_company_that_did_not_switch_it_on_is_left_alone(self):
        customer = self._create_silent(300)
        self.company.coverage_idle_date = False
        self.assertEqual(self._run(), 0)
        self.assertEqual(self._marks(customer)[0], 0)

    def test_nobody_is_warned_while_it_is_observed(self):
        customer = self._create_silent(300, segment="A")
        self.company.write({"coverage_idle_date": TODAY})
        self.assertEqual(self._run(29), 0)
        self._run(45)
        self.assertEqual(self._marks(customer)[0], 0)
        self._run(46)
        self.assertEqual(self._marks(customer), (1, ago(-60), False))

    def test_warnings_and_their_end_are_in_the_history(self):
        customer = self._create_silent(121)
        self._run()
        self._log_touch(customer)
        changes = self._row(customer).change_ids.filtered(
            lambda one: one.field_name == "idle_warning_level"
        )
        texts = [
            (one.new_value, one.origin, one.reason_text) for one in changes.sorted("id")
        ]
        self.assertEqual(
            texts,
            [
                ("1", "job", "No two-way contact for 121 of 135 days."),
                (False, "event", "In contact again."),
            ],
        )

    # === ORDERS === #

    def test_missing_orders_are_the_leaders_to_decide(self):
        customer = self._create_silent(1)
        row = self._row(customer)
        self._run(239)
        self.assertFalse(row.missing_order_since)
        self._log_touch(customer, days_ago=-230)
        self._run(241)
        self.assertEqual(row.missing_order_since, ago(-240))
        self.assertEqual(row.user_id, self.sara)
        with self._later(241):
            row.with_user(self.leader).action_keep_with_owner()
        row.invalidate_recordset()
        self.assertFalse(row.missing_order_since)
        self._run(400)
        self.assertFalse(row.missing_order_since)

    # === ROBUST === #

    def test_refused_customer_stops_nobody(self):
        customers = [self._create_silent(200, name=f"S {n}") for n in range(3)]
        tally = Tally()
        with (
            self._refuse(customers[1], "idle_warning_level"),
            self.assertLogs("odoo.addons.crm_sales_coverage.models", "WARNING"),
        ):
            self.engine._run_idle(self.company, NOW, None, tally)
        self.assertEqual(tally.refused, self._row(customers[1]).ids)
        self.assertEqual([self._marks(one)[0] for one in customers], [1, 0, 1])

    def test_settings_must_make_sense(self):
        for values in (
            {"coverage_idle_warning_2_days": 14},
            {"coverage_idle_warning_3_days": 0},
            {"coverage_idle_lead_days": -1},
        ):
            with self.subTest(values), self.assertRaises(ValidationError):
                self.company.write(values)

    # === COST === #

    def test_cost_is_the_same_for_10_and_100(self):
        counts = []
        for number in (1, 10, 100):
            with self._tried():
                buyers = self._create_buyers(number, 6_000, user_id=self.sara.id)
                rows = self.env["coverage.customer"].search(
                    [("partner_id", "in", buyers.ids)]
                )
                rows._set_manual_segment(self.segments["B"], "Test", False)
                rows.write({"owned_since": ago(300)})
                self.env.flush_all()
                self.env.invalidate_all()
                before = self.env.cr.sql_log_count
                self.assertEqual(self.engine._run_idle(self.company, NOW), number)
                counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[2], counts[1] + 1)
        self.assertLess(counts[1], 80)
