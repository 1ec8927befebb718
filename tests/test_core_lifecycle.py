from dataclasses import replace

from odoo.tests import BaseCase, tagged

from odoo.addons.crm_sales_coverage.core.records import Standing

from .core_common import RULES, TODAY, after, ago, bought, outcome, prospect


@tagged("post_install", "-at_install")
class TestCoreLifecycle(BaseCase):
    """Prospect, sleeping, new, regular: the first that applies."""

    def test_lifecycle_takes_the_first_that_applies(self):
        for name, facts, lifecycle in (
            ("never bought", prospect(9_000), "prospect"),
            ("silent", bought(9_000, last_order_date=ago(181)), "sleeping"),
            ("just not silent", bought(9_000, last_order_date=ago(180)), "regular"),
            (
                "silent and few orders",
                bought(9_000, last_order_date=ago(181), awake_order_day_count=1),
                "sleeping",
            ),
            ("second order day", bought(9_000, awake_order_day_count=2), "new"),
            ("third order day", bought(9_000, awake_order_day_count=3), "regular"),
            ("order of tomorrow", bought(9_000, last_order_date=ago(-1)), "regular"),
        ):
            with self.subTest(name):
                decision = outcome(facts)
                self.assertEqual(decision.lifecycle_standing.value, lifecycle)
                self.assertEqual(decision.lifecycle_reason, lifecycle)

    def test_sleep_begins_after_one_and_a_half_usual_silences(self):
        for usual, silence, lifecycle in (
            (120, 180, "regular"),
            (120, 181, "sleeping"),
            (121, 181, "regular"),
            (121, 182, "sleeping"),
            (900, 547, "regular"),
            (900, 548, "sleeping"),
        ):
            with self.subTest(usual=usual, silence=silence):
                facts = bought(
                    9_000, longest_silence_days=usual, last_order_date=ago(silence)
                )
                self.assertEqual(outcome(facts).lifecycle_standing.value, lifecycle)

    def test_settings_move_both_limits(self):
        rules = replace(RULES, new_orders=1, sleeping_days=100)
        for silence, lifecycle in ((100, "regular"), (101, "sleeping")):
            with self.subTest(silence=silence):
                facts = bought(
                    9_000, awake_order_day_count=1, last_order_date=ago(silence)
                )
                decision = outcome(facts, rules=rules)
                self.assertEqual(decision.lifecycle_standing.value, lifecycle)

    def test_order_confirmed_and_cancelled_within_a_day_leaves_no_trace(self):
        morning = after(outcome(prospect(9_000), today=ago(5)))
        won = outcome(bought(9_000, awake_order_day_count=1), morning)
        self.assertEqual(
            won.lifecycle_standing, Standing("new", TODAY, "prospect", ago(5))
        )
        lost = outcome(prospect(9_000), after(won))
        self.assertEqual(lost.lifecycle_standing, morning.lifecycle)
        self.assertEqual(lost.temperature_standing, morning.temperature)
        self.assertEqual(lost.segment_standing, morning.segment)
