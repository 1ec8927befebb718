import random
from itertools import product
from time import perf_counter

from odoo.tests import BaseCase, tagged

from odoo.addons.crm_sales_coverage.core.cover import (
    OTHER,
    Case,
    CoverRule,
    Dimensions,
    cover,
    is_catch_all,
    is_possible,
    lint,
    matches,
    picture,
)

LIFECYCLES = ("prospect", "new", "regular", "sleeping")
DIMENSIONS = Dimensions(LIFECYCLES, ("A", "B"), ("frozen", "hot"))
FOOD, CHEESE = "food", "cheese"


def rule(key, role="farmer", **conditions):
    """Return a rule; conditions with several values are given as strings."""
    several = ("lifecycles", "segments", "temperatures", "stages", "lines", "teams")
    return CoverRule(
        key,
        role,
        **{
            name: frozenset(value) if name in several else value
            for name, value in conditions.items()
        },
    )


def regular(**case):
    """Return a regular B that brings what it always did."""
    usual = {"segment": "B", "temperature": "hot", "revenue_rate": 1.0}
    return Case("regular", **{**usual, **case})


def enumerate_cases(rules, dimensions):
    """Yield every case that rules can tell apart, the slow way."""

    def named(name):
        return sorted({one for each in rules for one in getattr(each, name)})

    rates = {each.max_rate for each in rules if each.max_rate}
    amounts = {0.0, *(each.min_amount for each in rules)}
    leads = [(None, None), *product((OTHER, *named("stages")), sorted(amounts))]
    for life, segment, heat, rate, (stage, amount), line, team in product(
        dimensions.lifecycles,
        (*dimensions.segments, None),
        (None, *dimensions.temperatures),
        (None, 1.0, *rates),
        leads,
        (None, *named("lines")),
        (None, *named("teams")),
    ):
        lines = frozenset([line]) if line else frozenset()
        case = Case(life, segment, heat, rate, stage, amount, lines, team)
        if is_possible(case):
            yield case


def random_rule(rng, key):
    """Return a rule with a few conditions of any kind."""

    def some(*values):
        return frozenset(rng.sample(values, rng.choice((0, 0, 1, 1, 2))))

    return CoverRule(
        key,
        rng.choice(("farmer", "hunter")),
        0,
        some(*LIFECYCLES),
        some("A", "B", None),
        some("frozen", "hot"),
        rng.choice((0.0, 0.0, 0.0, 0.5, 1.0)),
        some("s1", "s2") if rng.random() < 0.3 else frozenset(),
        rng.choice((0.0, 0.0, 0.0, 100.0, 200.0)),
        some("l1", "l2") if rng.random() < 0.3 else frozenset(),
        some("t1", "t2") if rng.random() < 0.3 else frozenset(),
    )


@tagged("post_install", "-at_install")
class TestCoreCover(BaseCase):
    """Which role covers whom, and what is wrong with the rules."""

    # === FIRST MATCH === #

    def test_each_condition(self):
        cheese = frozenset([CHEESE, FOOD])
        for name, conditions, case, expected in (
            ("none", {}, Case(), True),
            ("lifecycle", {"lifecycles": ["regular"]}, regular(), True),
            ("another lifecycle", {"lifecycles": ["new"]}, regular(), False),
            ("segment", {"segments": "AB"}, regular(), True),
            ("another segment", {"segments": "A"}, regular(), False),
            ("unrated", {"segments": [None]}, Case(), True),
            ("not unrated", {"segments": "A"}, Case(), False),
            ("temperature", {"temperatures": ["hot"]}, regular(), True),
            ("no temperature", {"temperatures": ["hot"]}, Case(), False),
            ("fallen to it", {"max_rate": 0.5}, regular(revenue_rate=0.5), True),
            ("not so far", {"max_rate": 0.5}, regular(revenue_rate=0.51), False),
            ("never bought", {"max_rate": 0.5}, Case(), False),
            ("stage", {"stages": ["s"]}, regular(stage="s", amount=0), True),
            ("another stage", {"stages": ["s"]}, regular(stage="t", amount=0), False),
            ("stage, customer", {"stages": ["s"]}, regular(), False),
            ("amount", {"min_amount": 9}, regular(amount=9), True),
            ("less", {"min_amount": 9}, regular(amount=8.99), False),
            ("amount, customer", {"min_amount": 9}, regular(), False),
            ("lead, no condition on leads", {}, regular(stage="s", amount=9), True),
            ("line", {"lines": [FOOD]}, regular(lines=cheese), True),
            ("another line", {"lines": ["drinks"]}, regular(lines=cheese), False),
            ("no line", {"lines": [FOOD]}, regular(), False),
            ("team", {"teams": [1, 2]}, regular(team=2), True),
            ("another team", {"teams": [1, 2]}, regular(team=3), False),
            ("no team", {"teams": [1, 2]}, regular(), False),
        ):
            with self.subTest(name):
                self.assertEqual(matches(rule(1, **conditions), case), expected)

    def test_first_match_wins(self):
        rules = (
            rule(1, "manager", lifecycles=["regular"], segments="A"),
            rule(2, "farmer", lifecycles=["regular"]),
            rule(3, "agent"),
        )
        for case, key in (
            (regular(segment="A"), 1),
            (regular(), 2),
            (Case(), 3),
            (Case(segment="A"), 3),
        ):
            with self.subTest(case=case):
                self.assertEqual(cover(rules, case).key, key)

    def test_without_a_catch_all_a_case_may_be_left(self):
        self.assertIsNone(cover((rule(1, lifecycles=["new"]),), Case()))
        self.assertIsNone(cover((), Case()))

    def test_catch_all_has_no_condition(self):
        self.assertTrue(is_catch_all(rule(1, seniority=2)))
        for conditions in ({"segments": [None]}, {"max_rate": 1.0}, {"min_amount": 1}):
            self.assertFalse(is_catch_all(rule(1, **conditions)))

    # === LINT === #

    def test_unreachable_rules_and_who_blocks_them(self):
        a = rule(1, segments="A")
        b = rule(2, segments="B")
        prospects = {"lifecycles": ["prospect"]}
        for name, rules, expected in (
            ("sound", (a, b, rule(9)), []),
            ("same again", (a, rule(3, segments="A"), rule(9)), [(3, (1,))]),
            ("narrower", (a, rule(3, segments="A", teams=[1]), rule(9)), [(3, (1,))]),
            ("by two", (a, b, rule(3, segments="AB"), rule(9)), [(3, (1, 2))]),
            (
                "the fewest, the first",
                (a, rule(4), rule(3, segments="A"), rule(9)),
                [(3, (1,))],
            ),
            ("below the net", (rule(9), a), [(1, (9,))]),
            ("two nets", (rule(8), rule(9)), []),
            ("three nets", (rule(7), rule(8), rule(9)), [(8, (7,))]),
            (
                "hot prospects are none",
                (rule(3, temperatures=["hot"], **prospects), rule(9)),
                [(3, ())],
            ),
            (
                "fallen prospects are none",
                (rule(3, max_rate=0.5, **prospects), rule(9)),
                [(3, ())],
            ),
            (
                "a higher amount below a lower one",
                (rule(3, min_amount=5), rule(4, min_amount=9), rule(9)),
                [(4, (3,))],
            ),
            (
                "a lower amount below a higher one",
                (rule(3, min_amount=9), rule(4, min_amount=5), rule(9)),
                [],
            ),
            (
                "fallen deeper below fallen",
                (rule(3, max_rate=0.5), rule(4, max_rate=0.3), rule(9)),
                [(4, (3,))],
            ),
            (
                "all temperatures, but some have none",
                (rule(3, temperatures=["frozen", "hot"]), rule(4), rule(9)),
                [],
            ),
            (
                "all lifecycles",
                (*(rule(one, lifecycles=[one]) for one in LIFECYCLES), rule(9)),
                [],
            ),
        ):
            with self.subTest(name):
                found = lint(rules, DIMENSIONS).unreachable
                self.assertEqual([(one.key, one.blockers) for one in found], expected)

    def test_wider_line_takes_the_narrower_one(self):
        lines = (frozenset([FOOD]), frozenset([FOOD, CHEESE]))
        dimensions = Dimensions(LIFECYCLES, ("A",), ("hot",), lines)
        wide, narrow = rule(1, lines=[FOOD]), rule(2, lines=[CHEESE])
        found = lint((wide, narrow, rule(9)), dimensions).unreachable
        self.assertEqual([one.key for one in found], [2])
        self.assertFalse(lint((narrow, wide, rule(9)), dimensions).unreachable)

    def test_uncovered_cases(self):
        rules = (
            rule(1, lifecycles=["regular", "new", "sleeping"]),
            rule(2, lifecycles=["prospect"], segments=["A", None]),
        )
        uncovered = lint(rules, DIMENSIONS).uncovered
        self.assertEqual(uncovered, (Case("prospect", "B"),))
        self.assertEqual(len(lint((), DIMENSIONS).uncovered), 12)
        self.assertFalse(lint((rule(9),), DIMENSIONS).uncovered)

    def test_random_rules_against_brute_force(self):
        rng = random.Random(11)
        for number in range(120):
            rules = tuple(
                random_rule(rng, key) for key in range(1, rng.randrange(2, 8))
            )
            if number % 2:
                rules = (*rules, rule(99))
            cases = list(enumerate_cases(rules, DIMENSIONS))
            winners = {case: cover(rules, case) for case in cases}
            used = set(winners.values())
            dead = {
                one.key
                for one in rules
                if one not in used and not (one is rules[-1] and is_catch_all(one))
            }
            open_cells = {
                (case.lifecycle, case.segment)
                for case, winner in winners.items()
                if winner is None
            }
            with self.subTest(number):
                found = lint(rules, DIMENSIONS)
                self.assertEqual({one.key for one in found.unreachable}, dead)
                self.assertEqual(
                    {(case.lifecycle, case.segment) for case in found.uncovered},
                    open_cells,
                )
                for case in found.uncovered:
                    self.assertTrue(is_possible(case))
                    self.assertIsNone(cover(rules, case))
                self._check_blockers(rules, found.unreachable, cases)
                self._check_picture(rules, winners)

    def _check_blockers(self, rules, unreachable, cases):
        """Assert that the blockers alone leave nothing to a rule."""
        by_key = {one.key: one for one in rules}
        for dead in unreachable:
            earlier = tuple(by_key[key] for key in dead.blockers)
            own = (case for case in cases if matches(by_key[dead.key], case))
            self.assertTrue(all(cover(earlier, case) for case in own))

    def _check_picture(self, rules, winners):
        """Assert that each cell shows all that win in it, and nobody else."""
        for cell, shown in picture(rules, DIMENSIONS).items():
            expected = {
                winner
                for case, winner in winners.items()
                if (case.lifecycle, case.segment) == cell and winner
            }
            self.assertEqual({shown.main, *shown.others} - {None}, expected)

    def test_fifty_rules_are_linted_at_once(self):
        rng = random.Random(3)
        rules = (*(random_rule(rng, key) for key in range(50)), rule(99))
        dimensions = Dimensions(LIFECYCLES, tuple("ABCD"), tuple("12345"))
        started = perf_counter()
        lint(rules, dimensions)
        picture(rules, dimensions)
        self.assertLess(perf_counter() - started, 2)

    # === PICTURE === #

    def test_picture_shows_the_usual_case_and_the_others(self):
        large = rule(1, "field", min_amount=9)
        fallen = rule(2, "developer", lifecycles=["regular"], max_rate=0.5)
        frozen = rule(3, "manager", temperatures=["frozen"], segments="A")
        net = rule(9)
        cells = picture((large, fallen, frozen, net), DIMENSIONS)
        for cell, main, others in (
            (("prospect", "A"), net, (large,)),
            (("prospect", None), net, (large,)),
            (("regular", "B"), net, (large, fallen)),
            (("new", "B"), net, (large,)),
        ):
            with self.subTest(cell=cell):
                self.assertEqual((cells[cell].main, cells[cell].others), (main, others))
        shown = cells["regular", "A"]
        self.assertEqual({shown.main, *shown.others}, {large, fallen, frozen, net})
