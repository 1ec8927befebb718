import random

from odoo.tests import BaseCase, tagged

from odoo.addons.crm_sales_coverage.core.decide import decide, decider
from odoo.addons.crm_sales_coverage.core.records import Standing, State

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
    random_facts,
)


def lasting(decision):
    """Return the decision without what its standings remember of today only."""
    return decision._replace(
        **{
            name: getattr(decision, name)._replace(prior_since=None, prior_left=None)
            for name in (
                "segment_standing",
                "lifecycle_standing",
                "temperature_standing",
            )
        },
    )


@tagged("post_install", "-at_install")
class TestCoreDecide(BaseCase):
    """What holds for every customer, whatever its facts."""

    def test_decision_names_its_parts(self):
        decision = outcome(bought(5_000), held("B", temperature="hot"))
        self.assertEqual(
            (
                decision.potential,
                decision.potential_source,
                decision.share,
                decision.segment,
                decision.segment_standing,
                decision.segment_reason,
                decision.is_pin_expired,
                decision.lifecycle_standing,
                decision.lifecycle_reason,
                decision.temperature_standing,
                decision.temperature_reason,
                decision.temperature_score,
                decision.yield_rate,
                decision.rhythm,
                decision.trend,
                decision.usual_silence_days,
            ),
            (
                5_000,
                "history",
                50,
                "B",
                Standing("B", ago(100)),
                "nearest",
                False,
                Standing("regular", TODAY),
                "regular",
                Standing("hot", ago(100)),
                "yield",
                100,
                1.0,
                1.0,
                1.0,
                90,
            ),
        )

    def test_every_customer_gets_a_decision_with_reasons(self):
        for facts, state in random_cases():
            with self.subTest(facts=facts, state=state):
                decision = outcome(facts, state)
                self.assertTrue(decision.segment_reason)
                self.assertTrue(decision.lifecycle_reason)
                self.assertTrue(decision.temperature_reason)
                self.assertIn(decision.temperature_score, (None, *range(101)))

    def test_deciding_twice_gives_the_same(self):
        for facts, state in random_cases():
            with self.subTest(facts=facts, state=state):
                first = outcome(facts, state)
                self.assertEqual(outcome(facts, after(first, state)), first)

    def test_detour_within_a_day_changes_nothing(self):
        rng = random.Random(8)
        for facts, state in random_cases():
            with self.subTest(facts=facts, state=state):
                detour = outcome(random_facts(rng), state)
                self.assertEqual(
                    lasting(outcome(facts, after(detour, state))),
                    lasting(outcome(facts, state)),
                )

    def test_day_that_leads_back_leaves_no_trace(self):
        for facts, state in random_cases():
            with self.subTest(facts=facts, state=state):
                start = outcome(facts, after(outcome(facts, state, today=ago(1))))
                elsewhere = outcome(bought(9_999), after(start))
                back = outcome(facts, after(elsewhere))
                self.assertEqual(lasting(back), lasting(start))

    def test_unchanged_standing_is_the_same_object(self):
        state = after(decide(bought(5_000), State(), RULES, ago(1)))
        decision = outcome(bought(5_000), state)
        self.assertIs(decision.segment_standing, state.segment)
        self.assertIs(decision.temperature_standing, state.temperature)
        self.assertIs(decision.lifecycle_standing, state.lifecycle)

    def test_quiet_base_does_not_flutter(self):
        for facts, state in random_cases():
            with self.subTest(facts=facts, state=state):
                facts = facts._replace(declared_date=None, confirmed_date=None)
                settled = after(outcome(facts, state, today=ago(-31)))
                later = outcome(facts, settled, today=ago(-62))
                self.assertEqual(later.segment_standing, settled.segment)

    def test_decider_of_many_decides_like_decide(self):
        decide_one = decider(RULES, TODAY)
        for facts, state in random_cases():
            with self.subTest(facts=facts, state=state):
                self.assertEqual(
                    decide_one(facts, state), decide(facts, state, RULES, TODAY)
                )

    def test_empty_customer_is_an_unrated_prospect(self):
        decision = outcome(prospect())
        self.assertIsNone(decision.segment)
        self.assertEqual(decision.segment_reason, "no_potential")
        self.assertEqual(decision.lifecycle_standing, Standing("prospect", TODAY))
        self.assertEqual(decision.temperature_standing, Standing())

    def test_confirmed_nothing_rates_without_yield(self):
        facts = bought(900, confirmed_potential=0.0, confirmed_date=TODAY)
        decision = outcome(facts)
        self.assertEqual(decision.segment, "C")
        self.assertIsNone(decision.yield_rate)
        self.assertEqual(decision.temperature_reason, "no_potential")

    def test_credit_notes_alone_are_no_yield(self):
        decision = outcome(bought(-100, revenue_best_12m=9_000))
        self.assertEqual(decision.yield_rate, 0)
        self.assertEqual(decision.temperature_standing.value, "frozen")
