from datetime import date

from odoo.tests import BaseCase, tagged

from odoo.addons.crm_sales_coverage.core.meeting import (
    Person,
    days_ahead,
    differences,
    group,
    similarity,
    sizes,
)


@tagged("post_install", "-at_install")
class TestCoreMeeting(BaseCase):
    """Who sits together, on which days, and what the best do differently."""

    def test_alike_is_who_sells_the_same_in_the_same_mix(self):
        for one, other, expected in (
            ({"tea": 2}, {"tea": 9}, 1.0),
            ({"tea": 2}, {"cups": 9}, 0.0),
            ({"tea": 1, "cups": 1}, {"tea": 1, "cups": 1}, 1.0),
            ({}, {"tea": 1}, 0.0),
            ({}, {}, 0.0),
        ):
            with self.subTest(one=one, other=other):
                self.assertAlmostEqual(similarity(one, other), expected)

    def test_three_to_seven_at_every_table(self):
        for count, wanted, expected in (
            (0, 5, []),
            (1, 5, []),
            (2, 5, [2]),
            (3, 7, [3]),
            (4, 3, [4]),
            (5, 3, [5]),
            (7, 7, [7]),
            (8, 7, [4, 4]),
            (8, 3, [4, 4]),
            (9, 3, [3, 3, 3]),
            (15, 7, [5, 5, 5]),
            (11, 4, [4, 4, 3]),
        ):
            with self.subTest(count=count, wanted=wanted):
                self.assertEqual(sizes(count, wanted), expected)
        for count in range(3, 120):
            for wanted in range(1, 10):
                found = sizes(count, wanted)
                self.assertEqual(sum(found), count)
                self.assertTrue(all(3 <= size <= 7 for size in found))

    def test_who_sells_alike_sits_together(self):
        people = {
            number: {"hotels": number % 2, "offices": 1 - number % 2, "all": 0.1}
            for number in range(8)
        }
        expected = [[0, 2, 4, 6], [1, 3, 5, 7]]
        self.assertEqual(group(people, 4), expected)
        backwards = dict(reversed(people.items()))
        self.assertEqual(group(backwards, 4), expected)

    def test_swaps_mend_what_the_first_choice_got_wrong(self):
        people = {
            1: {"a": 1.0},
            2: {"a": 1.0, "b": 0.9},
            3: {"b": 1.0},
            4: {"b": 1.0},
            5: {"a": 1.0},
            6: {"b": 1.0, "a": 0.1},
        }
        self.assertEqual(group(people, 3), [[1, 2, 5], [3, 4, 6]])

    def test_who_sells_nothing_yet_finds_a_place(self):
        found = group({1: {}, 2: {}, 3: {"a": 1}, 4: {}}, 5)
        self.assertEqual(found, [[1, 2, 3, 4]])

    def test_days_of_a_series(self):
        first = date(2030, 1, 7)
        for today, weeks, ahead, expected in (
            (date(2030, 1, 1), 4, 14, [first]),
            (date(2030, 1, 7), 4, 14, [first]),
            (date(2030, 1, 8), 4, 14, []),
            (date(2030, 1, 22), 4, 14, [date(2030, 2, 4)]),
            (date(2030, 1, 8), 1, 14, [date(2030, 1, 14), date(2030, 1, 21)]),
            (date(2029, 1, 1), 1, 14, []),
        ):
            with self.subTest(today=today, weeks=weeks):
                self.assertEqual(days_ahead(first, weeks, today, ahead), expected)

    def _tell(self, *people):
        return [
            (one.outcome, one.practice, one.best, one.rest)
            for one in differences(
                [Person(key, *values) for key, values in enumerate(people)]
            )
        ]

    def test_the_best_third_against_the_others(self):
        found = self._tell(
            ({"revive": 0.5}, {"per_a": 2.1}),
            ({"revive": 0.1}, {"per_a": 1.2}),
            ({"revive": 0.0}, {"per_a": 0.8}),
        )
        self.assertEqual(found, [("revive", "per_a", 2.1, 1.0)])

    def test_nothing_is_told_without_a_difference(self):
        for name, people in {
            "two people": [({"warm": 1}, {"per_a": 3}), ({"warm": 0}, {"per_a": 1})],
            "equals": [({"warm": 1}, {"per_a": n}) for n in (1, 2, 3)],
            "less than a quarter": [
                ({"warm": n}, {"per_a": 10 + n}) for n in (0, 1, 2)
            ],
            "the best do less of it": [
                ({"warm": n}, {"per_a": 4 - n}) for n in (1, 2, 3)
            ],
            "less than ten points": [
                ({"warm": n}, {"share:call": 0.5 + n / 50}) for n in (0, 1, 2)
            ],
            "nobody has any": [({"warm": n}, {"per_a": 0}) for n in (0, 1, 2)],
            "no practice known": [({"warm": n}, {}) for n in (0, 1, 2)],
            "nobody": [],
        }.items():
            with self.subTest(name):
                self.assertEqual(self._tell(*people), [])

    def test_quick_is_better_and_the_clearest_comes_first(self):
        found = self._tell(
            ({"warm": 0.9}, {"reaction": 2.0, "per_a": 2.0, "share:visit": 0.4}),
            ({"warm": 0.3}, {"reaction": 20.0, "per_a": 1.0, "share:visit": 0.1}),
            ({"warm": 0.2}, {"reaction": 30.0, "per_a": 1.0, "share:visit": 0.2}),
        )
        self.assertEqual(
            [practice for _outcome, practice, _best, _rest in found],
            ["reaction", "share:visit", "per_a"],
        )
