from datetime import date, timedelta

from odoo.tests import BaseCase, tagged

from odoo.addons.crm_sales_coverage.core.handoff import (
    Occasion,
    Watch,
    after_giver_late,
    after_receiver_late,
    decide_begin,
    fitting,
    is_over,
    is_weekday,
    looks_past,
    next_look,
    parse_looks,
    shift_workdays,
)

MONDAY = date(2030, 6, 3)


def occasion(subject="x", **values):
    return Occasion(
        **{
            "subject": subject,
            "policy": "p",
            "giver": "sara",
            "role": "farmer",
            "rank": 1,
            "held": None,
            "is_protected": False,
            **values,
        }
    )


@tagged("post_install", "-at_install")
class TestCoreHandoff(BaseCase):
    """Deadlines, what begins, and when a watch ends."""

    def test_working_days_pass_over_weekends(self):
        friday = MONDAY + timedelta(days=4)
        for day, count, expected in (
            (MONDAY, 5, MONDAY + timedelta(days=7)),
            (MONDAY, 1, MONDAY + timedelta(days=1)),
            (friday, 1, MONDAY + timedelta(days=7)),
            (friday + timedelta(days=1), 1, MONDAY + timedelta(days=7)),
            (MONDAY, -1, MONDAY - timedelta(days=3)),
            (MONDAY, 0, MONDAY),
        ):
            with self.subTest(day=day, count=count):
                self.assertEqual(shift_workdays(day, count, is_weekday), expected)

    def test_looks_are_whole_days_in_rising_order(self):
        self.assertEqual(parse_looks("90, 30,60"), (30, 60, 90))
        self.assertEqual(parse_looks(""), ())
        self.assertEqual(parse_looks(None), ())
        for wrong in ("soon", "0", "-3", "1.5"):
            with self.subTest(text=wrong), self.assertRaises(ValueError):
                parse_looks(wrong)

    def test_giver_who_is_late_is_passed_over_or_the_leader_is_called(self):
        for rule, has_receiver, expected in (
            ("transfer", True, "transfer"),
            ("transfer", False, "leader"),
            ("leader", True, "leader"),
        ):
            with self.subTest(rule=rule, has_receiver=has_receiver):
                self.assertEqual(after_giver_late(rule, has_receiver), expected)

    def test_receiver_who_is_late(self):
        for rule, is_able, has_next, expected in (
            ("next", True, True, "next"),
            ("next", True, False, "leader"),
            ("transfer", True, False, "transfer"),
            ("transfer", False, True, "leader"),
            ("leader", True, True, "leader"),
            ("expire", True, True, "expire"),
        ):
            with self.subTest(rule=rule, is_able=is_able, has_next=has_next):
                found = after_receiver_late(rule, is_able, has_next)
                self.assertEqual(found, expected)

    def test_first_policy_that_fits_wins(self):
        first, second = occasion(policy="one"), occasion(policy="two")
        self.assertEqual(fitting([first, second]), [first])
        named = occasion(policy="one", role=None)
        self.assertEqual(fitting([named, second]), [second])

    def test_who_holds_the_role_keeps_it(self):
        for rank, held, is_fit in ((1, None, True), (1, 0, True), (1, 1, False)):
            with self.subTest(rank=rank, held=held):
                found = fitting([occasion(rank=rank, held=held)])
                self.assertEqual(bool(found), is_fit)

    def test_so_many_a_day_begin_and_the_others_wait(self):
        occasions = [occasion(key) for key in "abcd"]
        occasions[0] = occasion("a", is_protected=True)
        found = decide_begin(
            occasions, {"b": [1], "c": [1], "d": [1]}, {"sara": 1}, {"p": 2}
        )
        self.assertEqual(found, ["protected", "begin", "tomorrow", "tomorrow"])
        self.assertEqual(decide_begin(occasions[1:2], {}, {}, {"p": 2}), ["nobody"])

    def test_watch_ends_when_deals_and_looks_are_seen(self):
        for deals, looks, days, expected in (
            (3, 2, 60, True),
            (2, 2, 60, False),
            (3, 1, 60, False),
            (0, 0, 120, False),
            (0, 0, 121, True),
        ):
            with self.subTest(deals=deals, looks=looks, days=days):
                watch = Watch(MONDAY, 3, deals, (30, 60), looks)
                today = MONDAY + timedelta(days=days)
                self.assertEqual(is_over(watch, today), expected)

    def test_next_look_and_missed_looks(self):
        watch = Watch(MONDAY, 3, 0, (30, 60), 0)
        self.assertEqual(next_look(watch), MONDAY + timedelta(days=30))
        self.assertIsNone(next_look(Watch(MONDAY, 3, 0, (30, 60), 2)))
        self.assertEqual(looks_past(watch, MONDAY + timedelta(days=59)), 0)
        self.assertEqual(looks_past(watch, MONDAY + timedelta(days=60)), 1)
