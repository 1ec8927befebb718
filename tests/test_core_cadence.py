import random
from collections import Counter
from datetime import date, timedelta

from odoo.tests import BaseCase, tagged

from odoo.addons.crm_sales_coverage.core.cadence import (
    Newcomer,
    contact_state,
    left_out,
    next_contact,
    owed_per_month,
    retry_on,
    seats,
    spread,
    stake,
    workday,
)
from odoo.addons.crm_sales_coverage.core.records import Contacts, SegmentRule

from .core_common import RULES, TODAY, after, ago, bought, outcome, random_cases

A = SegmentRule("A", 100, 30, 0.8, needs_proof=True)
B = SegmentRule("B", 60, 90, 0.7)
D = SegmentRule("D", 0, 180, 0.5, channel="email")
DATES = (
    "last_contact_date",
    "last_proven_date",
    "last_email_date",
    "leave_alone_until",
    "rhythm_start_date",
    "owned_since",
)


def after_today(days):
    """Return the day that many days after today."""
    return ago(-days)


def due(segment, **days):
    """Return in how many days a customer is due; dates are given as days ago."""
    contacts = Contacts(**{name: ago(number) for name, number in days.items()})
    found = next_contact(contacts, segment, segment.contact_interval_days, RULES)
    return found and (found - TODAY).days


def random_contacts(rng):
    """Return contacts of any kind, consistent or not."""
    days = (rng.choice((None, rng.randrange(-60, 400))) for _name in DATES)
    return Contacts(*(day if day is None else ago(day) for day in days))


def newcomers(count, owner=1, segment="B", interval=90, next_date=None):
    """Return so many newcomers of one seller; the first are worth the most."""
    return [
        Newcomer((owner, segment, number), owner, segment, -number, interval, next_date)
        for number in range(count)
    ]


@tagged("post_install", "-at_install")
class TestCoreCadence(BaseCase):
    """When to speak to somebody again, and with what urgency."""

    # === NEXT CONTACT === #

    def test_next_contact_is_the_last_one_and_the_interval(self):
        for name, days, expected in (
            ("spoken to", {"last_contact_date": 10}, 80),
            ("long ago", {"last_contact_date": 100}, -10),
            ("never, owned", {"owned_since": 5}, -5),
            ("never, no owner", {}, None),
            ("never, placed", {"rhythm_start_date": -20, "owned_since": 5}, 20),
            ("placed later", {"rhythm_start_date": -20, "last_contact_date": 85}, 20),
            ("placed before", {"rhythm_start_date": 20, "last_contact_date": 85}, 5),
            ("e-mail does not do", {"last_email_date": 1, "owned_since": 5}, -5),
            ("pause", {"last_contact_date": 90, "leave_alone_until": -9}, 10),
            ("pause is over", {"last_contact_date": 80, "leave_alone_until": 1}, 10),
            ("only a pause", {"leave_alone_until": -9}, 10),
        ):
            with self.subTest(name):
                self.assertEqual(due(B, **days), expected)

    def test_where_proof_is_needed_a_note_pauses_for_seven_days(self):
        for name, days, expected in (
            ("proven", {"last_contact_date": 10, "last_proven_date": 10}, 20),
            ("noted only", {"last_contact_date": 2, "owned_since": 50}, 5),
            ("noted after", {"last_contact_date": 1, "last_proven_date": 40}, 6),
            ("noted early", {"last_contact_date": 1, "last_proven_date": 5}, 25),
            ("note is old", {"last_contact_date": 9, "last_proven_date": 40}, -2),
        ):
            with self.subTest(name):
                self.assertEqual(due(A, **days), expected)

    def test_where_the_rhythm_is_by_email_a_sent_one_keeps_it(self):
        for name, days, expected in (
            ("sent", {"last_email_date": 10}, 170),
            ("sent after talk", {"last_email_date": 10, "last_contact_date": 90}, 170),
            ("talk after sent", {"last_email_date": 90, "last_contact_date": 10}, 170),
        ):
            with self.subTest(name):
                self.assertEqual(due(D, **days), expected)

    def test_unrated_customer_has_no_next_contact(self):
        contacts = Contacts(last_contact_date=TODAY, owned_since=TODAY)
        self.assertIsNone(next_contact(contacts, None, 0, RULES))

    def test_small_c_is_spoken_to_as_often_as_a_d(self):
        contacts = Contacts(last_contact_date=TODAY)
        for best, days in ((1_500, 90), (1_499, 180)):
            with self.subTest(best=best):
                decision = outcome(bought(best, contacts=contacts))
                self.assertEqual(decision.segment, "C")
                self.assertEqual(decision.next_contact_date, after_today(days))

    # === STATE AND RETRY === #

    def test_contact_state(self):
        for name, day, paused, state in (
            ("none", None, None, None),
            ("none, paused", None, 0, None),
            ("past", 1, None, "overdue"),
            ("today", 0, None, "due"),
            ("last day of the lead", -3, None, "due"),
            ("beyond the lead", -4, None, "on_time"),
            ("paused to the end of today", 1, 0, "paused"),
            ("pause is over", 1, 1, "overdue"),
        ):
            with self.subTest(name):
                day = None if day is None else ago(day)
                paused = None if paused is None else ago(paused)
                self.assertEqual(contact_state(day, paused, 3, TODAY), state)

    def test_attempt_without_answer_is_repeated_after_some_days(self):
        for name, tried, spoken, expected in (
            ("never tried", None, None, None),
            ("tried", 0, None, -2),
            ("spoken before", 1, 5, -1),
            ("spoken after", 5, 1, None),
            ("spoken the same day", 1, 1, None),
        ):
            with self.subTest(name):
                days = [one if one is None else ago(one) for one in (tried, spoken)]
                expected = expected if expected is None else ago(expected)
                self.assertEqual(retry_on(*days, 2), expected)

    # === STAKE === #

    def test_stake_is_what_is_not_earned_yet_by_lateness_and_segment(self):
        for name, values, expected in (
            ("on the day", (1_000, 400, 0, 30, 1), 600),
            ("early", (1_000, 400, -3, 30, 1), 600),
            ("an interval late", (1_000, 400, 30, 30, 1), 1_200),
            ("years late", (1_000, 400, 900, 30, 1), 1_800),
            ("a B", (1_000, 400, 0, 90, 0.6), 360),
            ("a D counts a tenth", (1_000, 400, 0, 180, 0), 60),
            ("all earned", (1_000, 1_400, 90, 30, 1), 0),
        ):
            with self.subTest(name):
                self.assertAlmostEqual(stake(*values), expected)

    # === SPREAD === #

    def test_newcomers_are_spread_evenly_over_the_working_days_of_the_interval(self):
        days = spread(newcomers(65), TODAY)  # 65 working days in 90 from a Monday on
        counts = Counter(days.values())
        self.assertEqual(set(counts.values()), {1})
        self.assertEqual(min(counts), TODAY)
        self.assertEqual(max(counts), date(2025, 8, 29))
        self.assertFalse([day for day in counts if day.weekday() > 4])

    def test_the_best_newcomer_comes_first(self):
        group = newcomers(30)
        days = spread(reversed(group), TODAY)
        order = [days[one.key] for one in group]
        self.assertEqual(order, sorted(order))
        self.assertEqual(order[0], TODAY)

    def test_each_seller_and_segment_is_spread_for_itself(self):
        others = newcomers(20, owner=2) + newcomers(20, segment="A", interval=30)
        alone, together = (
            spread(newcomers(20), TODAY),
            spread(newcomers(20) + others, TODAY),
        )
        self.assertEqual(alone, {key: together[key] for key in alone})
        within = [day for key, day in together.items() if key[1] == "A"]
        self.assertLess(max(within), after_today(30))

    def test_newcomer_that_is_not_due_yet_keeps_its_day(self):
        later = after_today(5)  # a Saturday: it was that day before
        self.assertEqual(
            set(spread(newcomers(5, next_date=later), TODAY).values()), {later}
        )

    def test_newcomer_that_is_overdue_is_placed_from_today_on(self):
        days = spread(newcomers(3, next_date=ago(200)), TODAY)
        self.assertGreaterEqual(min(days.values()), TODAY)

    def test_newcomers_at_the_weekend_wait_for_monday(self):
        saturday = date(2025, 6, 7)
        days = spread(newcomers(4, interval=2), saturday)
        self.assertEqual(set(days.values()), {date(2025, 6, 9)})
        for day in range(7):
            with self.subTest(day=day):
                moved = workday(saturday + timedelta(days=day))
                self.assertLess(moved.weekday(), 5)

    # === CAPACITY === #

    def test_least_valuable_customers_are_left_out_first(self):
        owed = [("a", 900, 1.0), ("b", 500, 0.5), ("c", 500, 0.5), ("d", 10, 1.0)]
        for capacity, expected in (
            (3, []),
            (2.5, ["d"]),
            (2, ["d"]),
            (1.4, ["d", "c", "b"]),
            (0, ["d", "c", "b", "a"]),
        ):
            with self.subTest(capacity=capacity):
                self.assertEqual(left_out(owed, capacity), expected)

    def test_seats_are_whole_people(self):
        for owed, capacity, expected in (
            (0, 40, 0),
            (1, 40, 1),
            (40, 40, 1),
            (40.1, 40, 2),
            (40, 0, 0),
        ):
            with self.subTest(owed=owed, capacity=capacity):
                self.assertEqual(seats(owed, capacity), expected)
        self.assertEqual(seats(sum([1 / 3] * 120), 40), 1)
        self.assertEqual(owed_per_month(90), 1 / 3)
        self.assertEqual(owed_per_month(0), 0)

    # === PROPERTIES === #

    def test_deciding_twice_and_on_another_day_gives_the_same_next_contact(self):
        rng = random.Random(11)
        for facts, state in random_cases(200):
            known = {
                name: rng.choice((None, ago(rng.randrange(-60, 400)))) for name in DATES
            }
            facts = facts._replace(contacts=Contacts(**known))
            first = outcome(facts, state)
            again = outcome(facts, after(first, state))
            if not first.is_pin_expired:
                self.assertEqual(again.next_contact_date, first.next_contact_date)

    def test_contact_never_brings_the_next_one_forward(self):
        rng = random.Random(12)
        for _number in range(300):
            known = {
                name: rng.choice((None, ago(rng.randrange(-60, 400)))) for name in DATES
            }
            contacts = Contacts(**{**known, "last_contact_date": ago(30)})
            spoken = contacts._replace(last_contact_date=TODAY)
            for segment in (A, B, D):
                days = [
                    next_contact(one, segment, segment.contact_interval_days, RULES)
                    for one in (contacts, spoken)
                ]
                self.assertLessEqual(days[0], days[1])

    def test_spread_does_not_depend_on_the_order_and_leaves_nobody_out(self):
        rng = random.Random(13)
        for _number in range(50):
            group = [
                Newcomer(
                    key,
                    rng.randrange(3),
                    rng.choice("AB"),
                    rng.choice((0.0, 5.0, rng.uniform(0, 9))),
                    rng.choice((1, 30, 90)),
                    rng.choice((None, ago(rng.randrange(-30, 30)))),
                )
                for key in range(rng.randrange(40))
            ]
            days = spread(group, TODAY)
            self.assertEqual(days.keys(), {one.key for one in group})
            rng.shuffle(group)
            self.assertEqual(spread(group, TODAY), days)
