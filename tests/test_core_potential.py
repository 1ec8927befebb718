from odoo.tests import BaseCase, tagged

from odoo.addons.crm_sales_coverage.core.potential import potential_of
from odoo.addons.crm_sales_coverage.core.records import Facts

from .core_common import TODAY, ago


@tagged("post_install", "-at_install")
class TestCorePotential(BaseCase):
    """Potential is the highest of what is known, unless the leader confirmed it."""

    def test_potential_is_the_highest_of_its_sources(self):
        for name, facts, expected in (
            ("nothing known", {}, (None, None)),
            ("best year", {"revenue_best_12m": 900}, (900, "history")),
            ("negative year", {"revenue_best_12m": -5}, (None, None)),
            ("declared", {"declared_potential": 700}, (700, "declared")),
            ("declared nothing", {"declared_potential": 0}, (0, "declared")),
            ("look-alike", {"lookalike_potential": 800}, (800, "lookalike")),
            ("no look-alike", {"lookalike_potential": 0}, (None, None)),
            (
                "declared less than it brought",
                {"revenue_best_12m": 900, "declared_potential": 700},
                (900, "history"),
            ),
            (
                "declared more than it brought",
                {"revenue_best_12m": 900, "declared_potential": 901},
                (901, "declared"),
            ),
            (
                "tie names the better proven",
                {
                    "revenue_best_12m": 900,
                    "declared_potential": 900,
                    "lookalike_potential": 900,
                },
                (900, "history"),
            ),
            (
                "look-alike above all",
                {
                    "revenue_best_12m": 900,
                    "declared_potential": 950,
                    "lookalike_potential": 951,
                },
                (951, "lookalike"),
            ),
        ):
            with self.subTest(name):
                if "declared_potential" in facts:
                    facts["declared_date"] = TODAY
                self.assertEqual(potential_of(Facts(**facts), TODAY), expected)

    def test_confirmed_figure_replaces_all_others_even_below_them(self):
        facts = Facts(
            revenue_best_12m=900,
            declared_potential=950,
            declared_date=TODAY,
            lookalike_potential=951,
            confirmed_potential=100,
            confirmed_date=TODAY,
        )
        self.assertEqual(potential_of(facts, TODAY), (100, "confirmed"))

    def test_declared_and_confirmed_count_for_a_year(self):
        for days, declared, confirmed in (
            (0, (700, "declared"), (100, "confirmed")),
            (364, (700, "declared"), (100, "confirmed")),
            (365, (500, "history"), (500, "history")),
        ):
            with self.subTest(days=days):
                said = Facts(
                    revenue_best_12m=500,
                    declared_potential=700,
                    declared_date=ago(days),
                )
                self.assertEqual(potential_of(said, TODAY), declared)
                signed = Facts(
                    revenue_best_12m=500,
                    confirmed_potential=100,
                    confirmed_date=ago(days),
                )
                self.assertEqual(potential_of(signed, TODAY), confirmed)

    def test_figures_without_a_date_do_not_count(self):
        facts = Facts(declared_potential=700, confirmed_potential=100)
        self.assertEqual(potential_of(facts, TODAY), (None, None))
