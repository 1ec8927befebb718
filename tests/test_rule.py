from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged, users

from odoo.addons.crm_sales_coverage.core.cover import is_catch_all, lint

from .common import CoverageCase


@tagged("post_install", "-at_install")
class TestRule(CoverageCase):
    """The rules of who covers whom: their words, their checks, their picture."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rules = cls.env["coverage.rule"]
        cls.role = cls.env.ref("crm_sales_coverage.role_farmer")
        cls.net = cls.env.ref("crm_sales_coverage.rule_others")
        cls.regular_a = cls.env.ref("crm_sales_coverage.rule_regular_a")

    def _create_rule(self, **values):
        return self.rules.create({"name": "Mine", "role_id": self.role.id, **values})

    # === DEFAULTS === #

    def test_defaults_are_sound_and_end_with_a_catch_all(self):
        rules = self.rules.search([])
        core = rules._get_stored_rules()
        self.assertEqual([rule.key for rule in core], rules.ids)
        found = lint(core, rules._get_dimensions())
        self.assertFalse(found.unreachable)
        self.assertFalse(found.uncovered)
        self.assertTrue(is_catch_all(core[-1]))
        self.assertFalse(any(rules.mapped("lint_text")))

    def test_default_stages_are_the_open_ones_after_the_first(self):
        stages = self.env["crm.stage"]
        default = self.rules._get_default_stages()
        self.assertIn(self.env.ref("crm.stage_lead2"), default)
        self.assertNotIn(self.env.ref("crm.stage_lead1"), default)
        self.assertFalse(any(default.mapped("is_won")))
        stages.search([("is_won", "=", False)]).is_won = True
        self.assertFalse(self.rules._get_default_stages())

    def test_new_rule_comes_before_the_catch_all(self):
        rule = self._create_rule(lifecycle="new")
        self.assertEqual(self.rules.search([])[-1], self.net)
        self.assertLess(rule.sequence, self.net.sequence)

    # === WORDS === #

    def test_conditions_read_as_a_sentence(self):
        a, b = self.segments["A"], self.segments["B"]
        stage = self.env["crm.stage"].create({"name": "Asked"})
        line = self.env["product.category"].create({"name": "Drinks"})
        for values, text in (
            ({}, "Anybody else"),
            ({"lifecycle": "regular", "segment_ids": a}, "Regular A"),
            ({"segment_ids": a + b, "is_unrated": True}, "A, B, or unrated"),
            ({"is_unrated": True}, "Unrated"),
            (
                {
                    "lifecycle": "regular",
                    "segment_ids": a,
                    "max_revenue_rate": 0.5,
                },
                "Regular A, revenue at most 50 % of best year",
            ),
            ({"temperature_ids": self.levels["hot"]}, "Hot"),
            ({"stage_ids": stage}, "Lead in Asked"),
            ({"categ_ids": line, "team_ids": self.north}, "Buys Drinks, team North"),
        ):
            with self.subTest(text):
                values = {
                    name: [Command.set(value.ids)] if name.endswith("_ids") else value
                    for name, value in values.items()
                }
                self.assertEqual(self._create_rule(**values).condition_text, text)
        rule = self._create_rule(min_amount=25_000, min_seniority="senior")
        self.assertIn("25,000", rule.condition_text)
        self.assertEqual(rule._get_role_text(), "Farmer, senior")

    # === CHECKS === #

    def test_form_warns_before_saving(self):
        with Form(self.rules) as form:
            form.name = "Twice"
            form.role_id = self.role
            form.lifecycle = "regular"
            form.segment_ids.add(self.segments["A"])
            self.assertIn("“Twice” never holds", form.lint_text)
            self.assertIn("“Regular A”", form.lint_text)
        with Form(self.rules.with_context(default_sequence=1)) as form:
            form.name = "First"
            form.role_id = self.role
            form.lifecycle = "regular"
            form.segment_ids.add(self.segments["A"])
            self.assertNotIn("“First” never holds", form.lint_text)
            self.assertIn("“Regular A” never holds", form.lint_text)
            form.team_ids.add(self.north)
            self.assertNotIn("“Regular A” never holds", form.lint_text or "")

    def test_form_shows_the_picture_before_saving(self):
        form = Form(self.rules.with_context(default_sequence=1))
        form.name = "Mine"
        form.role_id = self.role
        form.lifecycle = "regular"
        cell = form.matrix["cells"]["regular"][str(self.segments["B"].id)]
        self.assertEqual((cell["main"]["id"], cell["main"]["name"]), (0, "Mine"))

    def test_unreachable_rule_may_be_saved_and_is_marked(self):
        rule = self._create_rule(
            lifecycle="regular", segment_ids=[Command.set(self.segments["A"].ids)]
        )
        self.assertIn("“Regular A”", rule.lint_text)
        self.assertFalse(self.regular_a.lint_text)
        self.assertIn(rule.lint_text, self.rules.get_matrix()["warnings"])

    def test_impossible_rule_says_so(self):
        rule = self._create_rule(
            lifecycle="prospect",
            sequence=1,
            temperature_ids=[Command.set(self.levels["hot"].ids)],
        )
        self.assertIn("no customer can be like this", rule.lint_text)

    def test_catch_all_stays(self):
        for act in (
            self.net.unlink,
            lambda: self.net.write({"active": False}),
            lambda: self.net.write({"lifecycle": "new"}),
            lambda: self.rules.search([]).unlink(),
        ):
            with self.assertRaises(UserError), self.env.cr.savepoint():
                act()
        self.net.role_id = self.role
        self.net.sequence = 5
        other = self._create_rule()
        self.net.unlink()
        self.assertTrue(other.exists())

    def test_without_a_catch_all_the_uncovered_are_named(self):
        self.env.cr.execute("UPDATE coverage_rule SET active = FALSE")
        self.env.invalidate_all()
        self.env.registry.clear_cache()
        self._create_rule(lifecycle="new")
        warnings = self.rules.get_matrix()["warnings"]
        self.assertEqual(len(warnings), 1)
        self.assertIn("No rule covers: Prospect A", warnings[0])
        self._create_rule()
        self.assertFalse(self.rules.get_matrix()["warnings"])

    def test_wider_product_line_covers_the_narrower(self):
        wide = self.env["product.category"].create({"name": "Food"})
        narrow = self.env["product.category"].create(
            {"name": "Cheese", "parent_id": wide.id}
        )
        self._create_rule(sequence=1, categ_ids=[Command.set(wide.ids)])
        rule = self._create_rule(sequence=2, categ_ids=[Command.set(narrow.ids)])
        self.assertIn("never holds", rule.lint_text)

    # === PICTURE === #

    def test_picture_shows_roles_alternatives_and_counts(self):
        self._create_leaders()
        matrix = self.rules.get_matrix()
        a = self.segments["A"].id
        self.assertEqual(matrix["cells"]["new"][a]["count"], 3)
        cell = matrix["cells"]["regular"][a]
        self.assertEqual(cell["main"]["role"], "Key Account Manager, senior")
        self.assertFalse(cell["others"], "an A fallen by half stays in the same role")
        others = matrix["cells"]["regular"][self.segments["B"].id]["others"]
        self.assertEqual(
            [(one["role"], one["when"].partition(" of $")[0]) for one in others],
            [
                ("Field Seller, regular", "opportunity"),
                ("Business Developer", "revenue at most 50 % of best year"),
            ],
        )
        self.assertFalse(matrix["everywhere"], "large deals of an A stay with its own")
        self.assertEqual(
            [row["label"] for row in matrix["columns"]],
            ["A", "B", "C", "D", "Unrated"],
        )
        self.assertFalse(matrix["warnings"])
        action = self.rules.action_open_cell("new", a)
        found = self.env["coverage.customer"].search(action["domain"])
        self.assertEqual(found.partner_id, self.leaders)

    def test_picture_counts_what_one_may_see(self):
        self._create_leaders()
        self._row(self.leaders[0]).user_id = self.sara
        mine = self.rules.with_user(self.sara).get_matrix()
        self.assertEqual(mine["cells"]["new"][self.segments["A"].id]["count"], 1)

    # === RIGHTS === #

    @users("cover_sara")
    def test_seller_reads_only(self):
        rules = self.env["coverage.rule"].search([])
        self.assertTrue(rules.mapped("condition_text"))
        self.assertTrue(rules.get_matrix()["cells"])
        for act in (
            rules[:1].unlink,
            lambda: rules[:1].write({"sequence": 1}),
            lambda: rules.create({"name": "No", "role_id": rules[0].role_id.id}),
        ):
            with self.assertRaises(AccessError):
                act()

    @users("cover_clerk")
    def test_nobody_of_sales_sees_no_rules(self):
        with self.assertRaises(AccessError):
            self.env["coverage.rule"].get_matrix()

    @users("cover_manager")
    def test_manager_writes(self):
        rule = self.env["coverage.rule"].create(
            {"name": "Mine", "lifecycle": "new", "role_id": self.role.id}
        )
        rule.name = "Ours"
        self.env.cr.flush()
        rule.unlink()
