from dataclasses import replace

from odoo.tests import BaseCase, tagged

from odoo.addons.crm_sales_coverage.core.records import Standing, State
from odoo.addons.crm_sales_coverage.core.segment import cut_offs, share_of

from .core_common import RULES, TODAY, after, ago, bought, held, outcome, prospect


@tagged("post_install", "-at_install")
class TestCoreSegment(BaseCase):
    """The reference is 10,000: a potential of 8,000 is a share of 80."""

    def assertSegment(self, decision, segment, reason):
        self.assertEqual(
            (decision.segment_standing.value, decision.segment_reason),
            (segment, reason),
        )

    def test_cut_offs_lie_half_way_between_typical_shares(self):
        self.assertEqual(cut_offs(RULES.segments), (80, 45, 15))

    def test_share_is_percent_of_the_reference(self):
        for potential, reference, share in (
            (5_000, 10_000, 50),
            (0, 10_000, 0),
            (None, 10_000, None),
            (5_000, None, None),
            (5_000, 0, None),
        ):
            with self.subTest(potential=potential, reference=reference):
                self.assertEqual(share_of(potential, reference), share)

    def test_first_classification_takes_the_nearest_typical_share(self):
        for potential, buyer, other in (
            (20_000, "A", "A"),
            (8_000, "A", "A"),
            (7_999, "B", "B"),
            (4_500, "B", "B"),
            (4_499, "C", "C"),
            (1_500, "C", "C"),
            (1_499, "C", "D"),
            (1, "C", "D"),
        ):
            with self.subTest(potential=potential):
                self.assertSegment(outcome(bought(potential)), buyer, "first")
                self.assertSegment(outcome(prospect(potential)), other, "first")

    def test_unrated_says_what_is_missing(self):
        rules = replace(RULES, reference=None)
        for name, facts, state, used, reason in (
            ("nothing known", prospect(), State(), RULES, "no_potential"),
            ("was rated", prospect(), held("B"), RULES, "no_potential"),
            ("order of nothing", bought(0), State(), RULES, "no_potential"),
            ("nobody bought", prospect(500), State(), rules, "no_reference"),
        ):
            with self.subTest(name):
                decision = outcome(facts, state, used)
                self.assertSegment(decision, None, reason)
                self.assertIsNone(decision.segment)

    def test_move_must_cross_the_cut_off_by_a_tenth(self):
        for start, potential, segment, reason in (
            ("B", 8_799, "B", "hysteresis"),
            ("B", 8_800, "A", "nearest"),
            ("A", 7_999, "A", "hysteresis"),
            ("A", 7_200, "A", "hysteresis"),
            ("A", 7_199, "B", "nearest"),
            ("C", 4_949, "C", "hysteresis"),
            ("C", 4_950, "B", "nearest"),
            ("B", 4_050, "B", "hysteresis"),
            ("B", 4_049, "C", "nearest"),
            ("B", 6_000, "B", "nearest"),
            ("A", 4_400, "B", "hysteresis"),
            ("C", 8_100, "B", "hysteresis"),
            ("A", 100, "C", "bought"),
            ("C", 9_000, "A", "nearest"),
        ):
            with self.subTest(start=start, potential=potential):
                decision = outcome(bought(potential), held(start))
                self.assertSegment(decision, segment, reason)

    def test_prospect_moves_between_c_and_d_with_hysteresis(self):
        for start, potential, segment, reason in (
            ("D", 1_649, "D", "hysteresis"),
            ("D", 1_650, "C", "nearest"),
            ("C", 1_350, "C", "hysteresis"),
            ("C", 1_349, "D", "nearest"),
        ):
            with self.subTest(start=start, potential=potential):
                decision = outcome(prospect(potential), held(start))
                self.assertSegment(decision, segment, reason)

    def test_buyer_leaves_d_at_once(self):
        for name, potential, state, segment, reason in (
            ("small", 100, held("D"), "C", "bought"),
            ("within hysteresis", 1_600, held("D"), "C", "bought"),
            ("left C yesterday", 100, held("D", 1, left="C"), "C", "bought"),
            ("near B", 4_600, held("D"), "C", "hysteresis"),
            ("clearly B", 5_000, held("D"), "B", "nearest"),
        ):
            with self.subTest(name):
                self.assertSegment(outcome(bought(potential), state), segment, reason)

    def test_buyer_below_the_last_cut_off_stays_c(self):
        self.assertSegment(outcome(bought(100), held("C")), "C", "bought")
        self.assertSegment(outcome(bought(1_500), held("C")), "C", "nearest")

    def test_move_back_waits_thirty_days(self):
        for days, segment, reason in (
            (1, "B", "stay"),
            (29, "B", "stay"),
            (30, "A", "nearest"),
        ):
            with self.subTest(days=days):
                decision = outcome(bought(9_000), held("B", days, left="A"))
                self.assertSegment(decision, segment, reason)

    def test_move_onward_does_not_wait(self):
        decision = outcome(bought(9_000), held("B", 1, left="C"))
        self.assertSegment(decision, "A", "nearest")

    def test_zero_switches_hysteresis_and_stay_off(self):
        rules = replace(RULES, hysteresis_rate=0, stay_days=0)
        for start, potential, segment in (("B", 8_000, "A"), ("A", 7_999, "B")):
            with self.subTest(start=start):
                state = held(start, 1, left=segment)
                decision = outcome(bought(potential), state, rules)
                self.assertSegment(decision, segment, "nearest")

    def test_rated_again_after_unrated_is_a_first_classification(self):
        state = State(Standing(None, ago(1), "A"))
        self.assertSegment(outcome(bought(8_000), state), "A", "first")

    def test_move_reversed_on_its_own_day_leaves_no_trace(self):
        morning = held("A", 50, left="B")
        down = outcome(bought(5_000), morning)
        self.assertEqual(down.segment_standing.value, "B")
        back = outcome(bought(9_000), after(down))
        self.assertEqual(back.segment_standing, morning.segment)

    def test_path_within_a_day_does_not_matter(self):
        morning = held("A", 50)
        direct = outcome(bought(3_000), morning)
        detour = outcome(bought(3_000), after(outcome(bought(5_000), morning)))
        self.assertEqual(detour, direct)
        self.assertEqual(direct.segment_standing, Standing("C", TODAY, "A", ago(50)))

    def test_pin_beats_the_computed_segment_until_its_last_day(self):
        for until, segment, reason, is_expired in (
            (None, "A", "manual", False),
            (ago(0), "A", "manual", False),
            (ago(1), "C", "nearest", True),
        ):
            with self.subTest(until=until):
                state = held("C", manual="A", manual_until=until)
                decision = outcome(bought(3_000), state)
                self.assertEqual(decision.segment, segment)
                self.assertSegment(decision, "C", reason)
                self.assertEqual(decision.is_pin_expired, is_expired)

    def test_two_segments_or_one_are_enough(self):
        for count, segment in ((1, "A"), (2, "A")):
            with self.subTest(count=count):
                rules = replace(RULES, segments=RULES.segments[:count])
                for state in (State(), held("A"), held("B")):
                    decision = outcome(bought(100), state, rules)
                    self.assertEqual(decision.segment, segment)
