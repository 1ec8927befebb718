import json
import random
from math import exp

from odoo.tests import BaseCase, tagged

from odoo.addons.crm_sales_coverage.core.lookalike import (
    Niche,
    Traits,
    band_of,
    cells_of,
    claimer,
    find_niches,
    niche_from_dict,
    niche_to_dict,
    size_limits,
)

RICH = (("industry", 3), ("size_band", 2))


def base(count=600, factor=6, seed=1, planted=RICH):
    """Return buyers of random traits; those of the planted cell bring more."""
    rng = random.Random(seed)
    buyers = []
    for _number in range(count):
        traits = Traits(
            industry=rng.randrange(6),
            country=rng.choice((1, 1, 1, 2)),
            state=rng.randrange(8),
            size_band=rng.randrange(1, 5),
            tags=tuple(tag for tag in range(4) if rng.random() < 0.1),
        )
        value = exp(rng.gauss(8, 0.7))
        if set(planted) <= {pair for cell in cells_of(traits) for pair in cell}:
            value *= factor
        buyers.append((traits, value))
    return buyers


def shuffled(buyers, seed):
    """Return the same buyers, what they bring dealt out anew."""
    values = [value for _traits, value in buyers]
    random.Random(seed).shuffle(values)
    return [(traits, value) for (traits, _), value in zip(buyers, values, strict=True)]


def claimed_rate(buyers):
    """Return the part of the customers that get a claim."""
    claim = claimer(find_niches(buyers))
    return sum(claim(traits) is not None for traits, _value in buyers) / len(buyers)


def niche(*cell, low=2.0, claim=5.0):
    """Return a niche of that cell."""
    return Niche(cell, 9, claim, 3.0, low, 1.0)


@tagged("post_install", "-at_install")
class TestCoreLookalike(BaseCase):
    """A cell claims only where it is a niche."""

    def test_planted_niche_is_found_and_claims_its_upper_quartile(self):
        buyers = base()
        inside = sorted(
            value
            for traits, value in buyers
            if (traits.industry, traits.size_band) == (3, 2)
        )
        (found,) = find_niches(buyers)
        self.assertEqual((found.cell, found.count), (RICH, len(inside)))
        beaten = sum(value < found.claim for value in inside) / len(inside)
        self.assertAlmostEqual(beaten, 0.75, delta=0.05)
        self.assertLess(found.base, found.low)
        self.assertLess(found.low, found.typical)
        self.assertLess(found.typical, found.claim)

    def test_wide_niche_is_not_cut_into_pieces(self):
        cells = [each.cell for each in find_niches(base(planted=RICH[:1]))]
        self.assertIn(RICH[:1], cells)

    def test_tag_makes_a_niche(self):
        (found,) = find_niches(base(planted=(("tag", 2),)))
        self.assertEqual(found.cell, (("tag", 2),))

    def test_rest_of_a_wider_cell_claims_nothing(self):
        claim = claimer(find_niches(base(factor=20)))
        self.assertIsNotNone(claim(Traits(industry=3, size_band=2)))
        self.assertIsNone(claim(Traits(industry=3, size_band=1)))
        self.assertIsNone(claim(Traits(industry=3)))

    def test_shuffled_traits_claim_almost_nothing(self):
        buyers = base(300)
        for seed in range(50):
            with self.subTest(seed=seed):
                self.assertLessEqual(claimed_rate(shuffled(buyers, seed)), 0.05)

    def test_traits_that_explain_nothing_claim_nothing(self):
        self.assertEqual(find_niches(base(factor=1)), ())

    def test_small_difference_that_is_certain_makes_no_niche(self):
        self.assertEqual(find_niches(base(6000, factor=1.15, planted=RICH[:1])), ())

    def test_niche_needs_five_customers(self):
        rest = [(Traits(industry=number % 5), 100.0 + number) for number in range(60)]
        for count, cells in ((4, []), (5, [(("industry", 9),)])):
            with self.subTest(count=count):
                rich = [
                    (Traits(industry=9), 4000.0 + number) for number in range(count)
                ]
                self.assertEqual([n.cell for n in find_niches(rest + rich)], cells)

    def test_cell_of_nearly_everybody_is_no_niche(self):
        most = [(Traits(country=1), 4000.0 + number) for number in range(60)]
        others = [(Traits(country=2), 100.0 + number) for number in range(9)]
        self.assertEqual(find_niches(most + others), ())

    def test_identical_cells_claim_once_by_the_fewest_traits(self):
        rest = [
            (Traits(industry=number % 5, country=1, tags=(1,)), 100.0 + number)
            for number in range(60)
        ]
        rich = [
            (Traits(industry=9, country=1, tags=(2,)), 4000.0 + number)
            for number in range(12)
        ]
        (found,) = find_niches(rest + rich)
        self.assertEqual((len(found.cell), found.count), (1, 12))

    def test_degenerate_bases_make_no_niche(self):
        one = (Traits(industry=1), 100.0)
        for name, buyers in (
            ("empty", []),
            ("one customer", [one]),
            ("all the same", [one] * 50),
            ("no traits", [(Traits(), 10.0 * n) for n in range(1, 50)]),
            ("nothing brought", [(Traits(industry=n % 3), 0.0) for n in range(50)]),
            ("money given back", [(Traits(industry=n % 3), -5.0) for n in range(50)]),
        ):
            with self.subTest(name):
                self.assertEqual(find_niches(buyers), ())

    def test_values_that_are_not_positive_are_left_out(self):
        buyers = base(300)
        nothing = [(Traits(industry=3, size_band=2), value) for value in (0, -9)]
        self.assertEqual(find_niches(buyers + nothing * 50), find_niches(buyers))

    def test_order_of_the_customers_does_not_matter(self):
        buyers = base(300, factor=8)
        found = [(each.cell, each.claim) for each in find_niches(buyers)]
        again = [(each.cell, each.claim) for each in find_niches(buyers[::-1])]
        self.assertEqual(found, again)
        self.assertTrue(found)

    def test_one_outlier_makes_no_niche(self):
        buyers = base(300, factor=1)
        buyers += [(Traits(industry=7), value) for value in (3e3, 3e3, 3e3, 3e3, 1e12)]
        self.assertEqual(find_niches(buyers), ())

    def test_customer_belongs_to_the_best_supported_niche(self):
        narrow = niche(("industry", 1), ("size_band", 2), low=3.0)
        wide, tag = niche(("industry", 1), low=3.0), niche(("tag", 5), low=4.0)
        claim = claimer([wide, tag, narrow])
        for name, traits, expected in (
            ("highest bound", Traits(industry=1, size_band=2, tags=(4, 5)), tag),
            ("tie: narrower", Traits(industry=1, size_band=2), narrow),
            ("only one", Traits(industry=1), wide),
            ("none", Traits(industry=2, tags=(4,)), None),
            ("unknown", Traits(), None),
        ):
            with self.subTest(name):
                self.assertEqual(claim(traits), expected)

    def test_no_niches_claim_nothing(self):
        self.assertIsNone(claimer(())(Traits(industry=1)))

    def test_niche_survives_json(self):
        for found in (niche(("industry", 1), ("size_band", 2)), niche(("tag", "vip"))):
            with self.subTest(cell=found.cell):
                data = json.loads(json.dumps(niche_to_dict(found)))
                self.assertEqual(niche_from_dict(data), found)

    def test_size_bands_are_the_quartiles_of_the_base(self):
        limits = size_limits([None, 0, -1, 10, 20, 30, 40, 50])
        self.assertEqual(limits, (20, 30, 40))
        for count, band in (
            (None, None),
            (0, None),
            (-5, None),
            (1, 1),
            (20, 1),
            (21, 2),
            (40, 3),
            (41, 4),
            (9999, 4),
        ):
            with self.subTest(count=count):
                self.assertEqual(band_of(count, limits), band)

    def test_fewer_than_four_sizes_make_no_bands(self):
        self.assertIsNone(size_limits([5, 5, 10, 15, None]))
        self.assertIsNotNone(size_limits([5, 5, 10, 15, 20]))
        self.assertIsNone(band_of(7, None))
