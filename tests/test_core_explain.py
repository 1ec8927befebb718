from dataclasses import replace
from datetime import timedelta

from odoo.tests import BaseCase, tagged

from odoo.addons.crm_sales_coverage.core.explain import explain, with_order
from odoo.addons.crm_sales_coverage.core.records import Facts, State

from .core_common import (
    RULES,
    TODAY,
    after,
    ago,
    bought,
    held,
    outcome,
    prospect,
    random_cases,
)

BIG = replace(RULES, reference=60_000)


def changes(facts, state=None, rules=RULES):
    """Return the numbers of the smallest changes by their code."""
    explanation = explain(facts, state or State(), rules, TODAY)
    return {change.code: change.numbers for change in explanation.changes}


@tagged("post_install", "-at_install")
class TestCoreExplain(BaseCase):
    """Every change that is named was tried."""

    def test_worked_example_needs_an_order_of_5500_to_be_cool(self):
        facts = bought(
            4_100, revenue_prev_90d=0, declared_potential=60_000, declared_date=TODAY
        )
        state = held("A", temperature="frozen")
        self.assertEqual(
            changes(facts, state, BIG)["order_lifts_temperature"],
            {"amount": 5_500, "level": "cool"},
        )

    def test_order_is_the_smallest_to_two_digits(self):
        facts = bought(3_210, revenue_best_12m=10_000)
        order = changes(facts)["order_lifts_temperature"]
        self.assertEqual(order["level"], "warm")
        for amount, level in (
            (order["amount"], "warm"),
            (order["amount"] - 100, "mild"),
        ):
            with self.subTest(amount=amount):
                lifted = with_order(facts, amount, outcome(facts), TODAY)
                self.assertEqual(outcome(lifted).temperature_standing.value, level)

    def test_any_order_wakes_a_sleeping_customer(self):
        facts = bought(9_000, last_order_date=ago(300))
        self.assertEqual(
            changes(facts)["order_lifts_temperature"], {"amount": 0, "level": "hot"}
        )

    def test_order_is_not_named_where_none_would_lift(self):
        for name, facts in (
            ("hot already", bought(9_000)),
            ("prospect", prospect(9_000)),
            ("unrated", bought(0)),
            ("falling too fast", bought(5_000, revenue_prev_90d=1e9)),
        ):
            with self.subTest(name):
                self.assertNotIn("order_lifts_temperature", changes(facts))

    def test_order_closes_the_silence_and_counts_its_day_once(self):
        facts = bought(1_000, last_order_date=ago(90), longest_silence_days=60)
        once = with_order(facts, 500, outcome(facts), TODAY)
        twice = with_order(once, 500, outcome(once), TODAY)
        self.assertEqual((once.longest_silence_days, once.order_day_count), (90, 13))
        self.assertEqual((twice.revenue_12m, twice.order_day_count), (2_000, 13))

    def test_first_order_of_a_prospect_is_its_first_order_day(self):
        facts = with_order(Facts(), 500, outcome(Facts()), TODAY)
        self.assertEqual((facts.order_day_count, facts.awake_order_day_count), (1, 1))
        self.assertEqual((facts.first_order_date, facts.last_order_date), (TODAY,) * 2)

    def test_silence_names_the_day_on_which_the_level_falls(self):
        facts = bought(9_000, longest_silence_days=100)
        self.assertEqual(
            changes(facts, held("A", temperature="hot"))["silence_cools"],
            {
                "date": TODAY + timedelta(days=121),
                "days": 121,
                "level": "warm",
                "lifecycle": "regular",
            },
        )
        for days, level in ((120, "hot"), (121, "warm")):
            with self.subTest(days=days):
                silent = facts._replace(last_order_date=ago(10 + days))
                decision = outcome(silent, held("A", temperature="hot"))
                self.assertEqual(decision.temperature_standing.value, level)

    def test_silence_sends_a_frozen_customer_to_sleep(self):
        cooled = changes(bought(100, revenue_best_12m=9_000))["silence_cools"]
        self.assertEqual(
            (cooled["days"], cooled["level"], cooled["lifecycle"]),
            (171, "frozen", "sleeping"),
        )

    def test_silence_is_not_named_for_those_who_sleep_or_never_bought(self):
        for facts in (bought(9_000, last_order_date=ago(300)), prospect(9_000)):
            with self.subTest(facts=facts):
                self.assertNotIn("silence_cools", changes(facts))

    def test_potential_names_the_cut_offs_with_hysteresis(self):
        for segment, potential, raises, lowers in (
            ("A", 9_000, None, (7_100, "B")),
            ("B", 6_000, (8_800, "A"), (4_000, "C")),
            ("C", 3_000, (5_000, "B"), None),
        ):
            with self.subTest(segment=segment):
                found = changes(bought(potential), held(segment))
                for code, expected in (
                    ("potential_raises_segment", raises),
                    ("potential_lowers_segment", lowers),
                ):
                    numbers = found.get(code)
                    actual = numbers and (numbers["amount"], numbers["segment"])
                    self.assertEqual(actual, expected)

    def test_potential_passes_over_a_segment_that_must_wait(self):
        found = changes(bought(3_000), held("C", 5, left="B"))
        self.assertEqual(
            found["potential_raises_segment"], {"amount": 8_800, "segment": "A"}
        )

    def test_stay_names_the_day_it_ends(self):
        found = changes(bought(9_000), held("B", 12, left="A"))
        self.assertEqual(
            found["stay_ends"], {"date": TODAY + timedelta(days=18), "segment": "A"}
        )
        self.assertNotIn("stay_ends", changes(bought(9_000), held("B", 12)))

    def test_pin_names_the_day_it_ends_and_what_it_gives_back(self):
        state = held("C", manual="A", manual_until=TODAY)
        self.assertEqual(
            changes(bought(3_000), state)["pin_ends"],
            {"date": TODAY + timedelta(days=1), "segment": "C"},
        )
        forever = held("C", manual="A")
        self.assertNotIn("pin_ends", changes(bought(3_000), forever))

    def test_unrated_needs_a_potential_and_a_prospect_an_order(self):
        for name, facts, codes in (
            ("unknown", prospect(), {"needs_potential", "first_order"}),
            ("order of nothing", bought(0), {"needs_potential"}),
            ("rated prospect", prospect(100), {"first_order"}),
        ):
            with self.subTest(name):
                found = changes(facts)
                named = {"needs_potential", "first_order"} & found.keys()
                self.assertEqual(named, codes)

    def test_first_order_makes_a_prospect_new(self):
        self.assertEqual(changes(prospect(9_000))["first_order"], {"lifecycle": "new"})

    def test_nothing_helps_before_anybody_bought(self):
        rules = replace(RULES, reference=None)
        found = changes(prospect(9_000), rules=rules)
        self.assertEqual(found, {"first_order": {"lifecycle": "new"}})

    def test_grounds_are_plain_numbers(self):
        explanation = explain(bought(5_000), held("B"), RULES, TODAY)
        self.assertEqual(
            (
                explanation.share,
                explanation.lower_share,
                explanation.upper_share,
                explanation.expected_yield_rate,
                explanation.silence_days,
                explanation.usual_silence_days,
                explanation.sleeping_after_days,
                explanation.sleeping_date,
                explanation.is_season_break,
            ),
            (50, 45, 80, 0.7, 10, 90, 180, TODAY + timedelta(days=171), False),
        )
        for best, lower, upper in ((9_000, 80, None), (100, 15, 45)):
            with self.subTest(best=best):
                explanation = explain(bought(best), State(), RULES, TODAY)
                self.assertEqual(
                    (explanation.lower_share, explanation.upper_share), (lower, upper)
                )

    def test_every_customer_is_explained_by_its_own_decision(self):
        for facts, state in random_cases(100):
            with self.subTest(facts=facts, state=state):
                explanation = explain(facts, state, RULES, TODAY)
                self.assertEqual(explanation.decision, outcome(facts, state))

    def test_explaining_in_the_evening_names_the_same_potentials(self):
        state = held("B", temperature="warm")
        morning = changes(bought(6_000), state)
        evening = changes(bought(6_000), after(outcome(bought(6_000), state)))
        self.assertEqual(morning, evening)
