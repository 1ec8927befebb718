from dataclasses import replace

from odoo.tests import BaseCase, tagged

from odoo.addons.crm_sales_coverage.core.records import SegmentRule
from odoo.addons.crm_sales_coverage.core.temperature import rhythm_of, trend_of

from .core_common import RULES, TODAY, after, ago, bought, held, outcome, prospect


def yielding(score, **facts):
    """Return an A whose yield alone earns that score."""
    revenue = 10_000 * 0.8 * score / 100
    return bought(
        revenue, revenue_best_12m=10_000, **{"longest_silence_days": 60, **facts}
    )


@tagged("post_install", "-at_install")
class TestCoreTemperature(BaseCase):
    """Score = 100 × yield against what is expected × rhythm × trend."""

    def assertTemperature(self, decision, level, reason):
        self.assertEqual(
            (decision.temperature_standing.value, decision.temperature_reason),
            (level, reason),
        )

    def test_level_is_the_highest_that_the_score_reaches(self):
        for score, level in (
            (100, "hot"),
            (80, "hot"),
            (79, "warm"),
            (60, "warm"),
            (59, "mild"),
            (40, "mild"),
            (39, "cool"),
            (20, "cool"),
            (19, "frozen"),
            (0, "frozen"),
        ):
            with self.subTest(score=score):
                decision = outcome(yielding(score))
                self.assertEqual(decision.temperature_score, score)
                self.assertTemperature(decision, level, "yield")

    def test_level_is_reached_at_once_and_lost_ten_points_below(self):
        for start, score, level, reason in (
            ("warm", 80, "hot", "yield"),
            ("frozen", 20, "cool", "yield"),
            ("hot", 79, "hot", "hysteresis"),
            ("hot", 70, "hot", "hysteresis"),
            ("hot", 69, "warm", "yield"),
            ("hot", 55, "warm", "hysteresis"),
            ("hot", 49, "mild", "yield"),
            ("cool", 10, "cool", "hysteresis"),
            ("cool", 9, "frozen", "yield"),
            ("gone", 70, "warm", "yield"),
        ):
            with self.subTest(start=start, score=score):
                decision = outcome(yielding(score), held("A", temperature=start))
                self.assertTemperature(decision, level, reason)

    def test_zero_switches_hysteresis_off(self):
        rules = replace(RULES, hysteresis_rate=0)
        decision = outcome(yielding(79), held("A", temperature="hot"), rules)
        self.assertTemperature(decision, "warm", "yield")

    def test_worked_example_is_an_a_frozen_at_seven_percent(self):
        facts = bought(
            4_100, revenue_prev_90d=0, declared_potential=60_000, declared_date=TODAY
        )
        decision = outcome(facts, held("A"), replace(RULES, reference=60_000))
        self.assertEqual((decision.segment, round(100 * decision.yield_rate)), ("A", 7))
        self.assertTemperature(decision, "frozen", "yield")

    def test_rhythm_falls_from_usual_silence_to_twice_of_it(self):
        for silence, usual, rhythm in (
            (0, 0, 1),
            (1, 0, 0),
            (-3, 30, 1),
            (30, 30, 1),
            (45, 30, 0.5),
            (60, 30, 0),
            (90, 30, 0),
        ):
            with self.subTest(silence=silence, usual=usual):
                self.assertEqual(rhythm_of(silence, usual), rhythm)

    def test_usual_silence_is_the_longest_of_its_grounds(self):
        for name, facts, usual in (
            ("contact interval", {"longest_silence_days": 5}, 30),
            ("his own", {"longest_silence_days": 50}, 50),
            ("few orders", {"order_day_count": 2, "longest_silence_days": 5}, 40),
            ("enough orders", {"order_day_count": 3, "longest_silence_days": 5}, 30),
            ("at most a year", {"longest_silence_days": 500}, 365),
        ):
            with self.subTest(name):
                decision = outcome(bought(9_000, **facts))
                self.assertEqual(decision.usual_silence_days, usual)

    def test_small_c_keeps_the_rhythm_of_d(self):
        for best, usual in ((1_500, 90), (1_499, 180)):
            with self.subTest(best=best):
                decision = outcome(bought(best))
                self.assertEqual(decision.segment, "C")
                self.assertEqual(decision.usual_silence_days, usual)

    def test_trend_compares_with_the_quarter_before(self):
        for now, before, year, trend in (
            (100, 100, 400, 1),
            (150, 100, 400, 1),
            (75, 100, 400, 0.75),
            (10, 100, 400, 0.5),
            (75, 0, 400, 0.75),
            (75, -5, 400, 0.75),
            (0, 0, 0, 1),
            (-5, 0, -5, 1),
        ):
            with self.subTest(now=now, before=before, year=year):
                facts = bought(
                    year, revenue_90d=now, revenue_prev_90d=before, revenue_12m=year
                )
                self.assertEqual(trend_of(facts), trend)

    def test_less_by_no_more_than_one_average_order_is_no_fall(self):
        for now, before, order, trend in (
            (2000, 3000, 1000, 1),
            (2000, 3000, 999, 2 / 3),
            (1000, 3000, 1000, 0.5),
            (0, 1000, 1000, 1),
        ):
            with self.subTest(now=now, before=before, order=order):
                facts = bought(
                    12000,
                    revenue_90d=now,
                    revenue_prev_90d=before,
                    average_order_amount=order,
                )
                self.assertAlmostEqual(trend_of(facts), trend)

    def test_season_break_forgives_silence_and_trend(self):
        quiet = {"revenue_90d": 0, "revenue_season_90d": 0, "last_order_date": ago(110)}
        for name, facts, score, reason in (
            ("season", {"first_order_date": ago(456)}, 80, "season"),
            ("too young", {"first_order_date": ago(455)}, 6, "yield"),
            ("bought last year", {"revenue_season_90d": 1}, 6, "yield"),
        ):
            with self.subTest(name):
                decision = outcome(yielding(80, **{**quiet, **facts}))
                self.assertEqual(decision.temperature_score, score)
                self.assertEqual(decision.temperature_reason, reason)

    def test_empty_year_is_no_season(self):
        facts = yielding(0, revenue_season_90d=0)
        self.assertTemperature(outcome(facts), "frozen", "yield")

    def test_new_customer_is_judged_by_rhythm_only(self):
        for silence, score in ((10, 100), (60, 100), (90, 50)):
            with self.subTest(silence=silence):
                facts = yielding(
                    1, awake_order_day_count=2, last_order_date=ago(silence)
                )
                decision = outcome(facts)
                self.assertEqual(decision.temperature_score, score)
                self.assertEqual(decision.temperature_reason, "new")
                self.assertIsNone(decision.trend)

    def test_sleeping_customer_is_frozen_without_hysteresis(self):
        facts = yielding(100, last_order_date=ago(181))
        decision = outcome(facts, held("A", temperature="hot"))
        self.assertTemperature(decision, "frozen", "sleeping")

    def test_no_temperature_without_ground(self):
        for name, facts, state, reason in (
            ("prospect", prospect(9_000), held(), "prospect"),
            ("unrated", bought(0), held(), "no_segment"),
            ("pinned, nothing known", bought(0), held(manual="A"), "no_potential"),
        ):
            with self.subTest(name):
                decision = outcome(facts, state)
                self.assertTemperature(decision, None, reason)
                self.assertIsNone(decision.temperature_score)

    def test_nothing_expected_is_always_fulfilled(self):
        rules = replace(RULES, segments=(SegmentRule("A", 100, 30, 0),))
        self.assertEqual(outcome(yielding(1), rules=rules).temperature_score, 100)

    def test_level_of_a_day_starts_from_its_morning(self):
        morning = held("A", temperature="hot")
        fallen = outcome(yielding(30), morning)
        back = outcome(yielding(75), after(fallen))
        self.assertEqual(back.temperature_standing, morning.temperature)
