from odoo.exceptions import (
    AccessError,
    RedirectWarning,
    UserError,
    ValidationError,
)
from odoo.service.model import get_public_method
from odoo.tests import tagged, users

from .common import CoverageCase

MODELS = (
    "coverage.cadence",
    "coverage.cadence.preview",
    "coverage.candidate",
    "coverage.change",
    "coverage.contact",
    "coverage.cover",
    "coverage.customer",
    "coverage.day",
    "coverage.facts",
    "coverage.fold",
    "coverage.leave.alone",
    "coverage.ledger",
    "coverage.log.touch",
    "coverage.match.touch",
    "coverage.outcome",
    "coverage.reference",
    "coverage.refresh",
    "coverage.restore",
    "coverage.rule",
    "coverage.run",
    "coverage.sources",
    "coverage.touch",
    "coverage.why",
)
PUBLIC = ("get_day", "get_map", "get_map_tile", "get_matrix", "get_why", "log_call")


@tagged("post_install", "-at_install")
class TestSecurity(CoverageCase):
    """Who sees and does what: own, team, company."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_leaders()
        names = {
            "Sara's": {"user_id": cls.sara.id},
            "Sam's": {"user_id": cls.sam.id},
            "Olga's": {"user_id": cls.olga.id},
            "North's pool": {},
            "South's pool": {},
            "Nobody's": {},
        }
        cls.customers = {
            name: cls._create_known_buyer(6_000, name=name, **values)
            for name, values in names.items()
        }
        cls.rows = {
            name: cls._row(customer) for name, customer in cls.customers.items()
        }
        cls.rows["North's pool"].team_id = cls.north
        cls.rows["South's pool"].team_id = cls.south
        cls.foreign = cls._create_customer("Elsewhere's")
        cls._confirm_order(cls.foreign, 100, company=cls.elsewhere)
        for row in cls.rows.values():
            row._declare_potential(9_000, "asked")

    def _get_visible(self, user, model="coverage.customer", field="partner_id"):
        """Return the names of the customers that a user finds."""
        records = self.env[model].with_user(user).search([])
        customers = records if model == "coverage.customer" else records.customer_id
        partners = customers.sudo().partner_id
        return set(partners.mapped("name")) & {*self.customers, "Elsewhere's"}

    def test_who_sees_which_customers(self):
        for user, names in (
            (self.sara, {"Sara's", "North's pool"}),
            (self.sam, {"Sam's", "North's pool"}),
            (self.olga, {"Olga's", "South's pool"}),
            (self.leader, {"Sara's", "Sam's", "North's pool"}),
            (self.south_leader, {"Olga's", "South's pool"}),
            (self.manager, set(self.customers)),
        ):
            with self.subTest(user=user.login):
                self.assertEqual(self._get_visible(user), names)
                self.assertEqual(self._get_visible(user, "coverage.change"), names)

    def test_manager_of_a_company_sees_nothing_of_another(self):
        stranger = self.stranger.with_context(allowed_company_ids=self.elsewhere.ids)
        env = self.env(user=self.stranger, context=stranger.env.context)
        rows = env["coverage.customer"].search([])
        self.assertEqual(rows.sudo().partner_id, self.foreign)
        for model in ("coverage.change", "coverage.run", "coverage.reference"):
            self.assertFalse(
                env[model].search([]).sudo().company_id - self.elsewhere, model
            )
        with self.assertRaises(AccessError):
            env["coverage.customer"].browse(self.rows["Sara's"].id).read(["potential"])

    def test_watcher_sees_the_customer_watched(self):
        self.rows["Olga's"].watcher_ids = self.sara
        self.assertIn("Olga's", self._get_visible(self.sara))
        self.rows["Olga's"].watcher_ids = False
        self.assertNotIn("Olga's", self._get_visible(self.sara))

    def test_customer_handed_over_changes_its_readers(self):
        self.rows["Sara's"].user_id = self.olga
        self.assertNotIn("Sara's", self._get_visible(self.sara))
        self.assertNotIn("Sara's", self._get_visible(self.leader))
        self.assertIn("Sara's", self._get_visible(self.olga))

    def test_former_member_sees_no_pool(self):
        self.north.crm_team_member_ids.filtered(
            lambda member: member.user_id == self.sam
        ).active = False
        self.assertEqual(self._get_visible(self.sam), {"Sam's"})

    @users("cover_clerk")
    def test_who_does_not_sell_sees_no_customer(self):
        for model in ("coverage.customer", "coverage.change", "coverage.run"):
            with self.assertRaises(AccessError):
                self.env[model].search([])

    # === MONEY OF OTHERS === #

    @users("cover_sara")
    def test_seller_reads_money_of_own_customers_only(self):
        mine = self.rows["Sara's"].with_env(self.env)
        self.assertEqual(mine.revenue_12m, 6_000)
        for name in ("Sam's", "Olga's", "South's pool"):
            with self.assertRaises(AccessError):
                self.rows[name].with_env(self.env).read(["revenue_12m"])
            with self.assertRaises(AccessError):
                self.rows[name].sudo().change_ids.with_env(self.env).read(
                    ["revenue_12m"]
                )
        total = self.env["coverage.customer"]._read_group([], [], ["revenue_12m:sum"])
        self.assertEqual(total, [(12_000,)])

    @users("cover_sara")
    def test_seller_sees_no_runs_and_no_reference(self):
        for model in ("coverage.run", "coverage.reference", "coverage.mark"):
            with self.assertRaises(AccessError):
                self.env[model].search([])

    @users("cover_leader")
    def test_leader_sees_of_a_run_only_the_teams_changes(self):
        run = self._plan(segment={"B": {"typical_share": 85}}).with_env(self.env)
        names = run.change_ids.customer_id.sudo().partner_id.mapped("name")
        self.assertLessEqual(set(names), {"Sara's", "Sam's", "North's pool"})
        run.invalidate_recordset()
        self.assertEqual(run.change_count, len(run.change_ids))
        for owner in run.summary["owners"]:
            self.assertIn(
                owner["name"],
                (self.sara.name, self.sam.name, "Without owner"),
            )

    # === WHAT SELLERS DO === #

    @users("cover_sara")
    def test_seller_cannot_take_the_customer_of_another(self):
        partner = self.rows["Sam's"].partner_id.with_env(self.env)
        for user in (self.sara, self.env["res.users"]):
            with self.assertRaises(UserError):
                partner.user_id = user
        with self.assertRaises(RedirectWarning):
            self.rows["Sara's"].partner_id.with_env(self.env).user_id = self.sam
        self.assertEqual(self.rows["Sara's"].user_id, self.sara)

    @users("cover_manager")
    def test_manager_writes_neither_facts_nor_the_state_of_a_run(self):
        row = self.rows["Sara's"].with_env(self.env)
        for vals in ({"potential": 9}, {"revenue_12m": 9}, {"confirmed_potential": 9}):
            with self.assertRaises(UserError):
                row.write(vals)
        run = self.env["coverage.run"].create({"company_id": self.company.id})
        with self.assertRaises(UserError):
            run.state = "applied"
        with self.assertRaises(UserError):
            run.create({"company_id": self.company.id, "state": "planned"})
        run.action_plan()
        run.action_apply()
        with self.assertRaises(UserError):
            run.unlink()

    def test_temperatures_keep_their_order(self):
        cool = self.env.ref("crm_sales_coverage.temperature_cool")
        with self.assertRaises(ValidationError):
            cool.min_score = 90

    @users("cover_sara", "cover_leader")
    def test_sellers_and_leaders_cannot_write_rows(self):
        row = self.rows["Sara's"].with_env(self.env)
        for vals in (
            {"segment_id": self.segments["A"].id},
            {"user_id": self.sam.id},
            {"declared_potential": 1},
            {"confirmed_potential": 1},
            {"watcher_ids": [(4, self.sara.id)]},
        ):
            with self.assertRaises(AccessError):
                row.write(vals)
        with self.assertRaises(AccessError):
            row.unlink()
        with self.assertRaises(AccessError):
            self.env["coverage.customer"].create({"partner_id": self.foreign.id})
        with self.assertRaises(AccessError):
            row.change_ids.unlink()

    @users("cover_sara")
    def test_buttons_work_for_own_customers_only(self):
        mine = self.rows["Sara's"].with_env(self.env)
        mine.action_refresh()
        self.assertTrue(mine.get_why())
        self._declare(mine, 7_000).action_set()
        self.assertEqual(mine.declared_potential, 7_000)
        theirs = self.rows["Sam's"].with_env(self.env)
        for call in (theirs.action_refresh, theirs.get_why):
            with self.assertRaises(AccessError):
                call()
        with self.assertRaises(AccessError):
            self._declare(theirs, 7_000).action_set()
        with self.assertRaises(AccessError):
            theirs._declare_potential(7_000, "guessed")
        self.assertEqual(self.rows["Sam's"].declared_potential, 9_000)

    def _declare(self, row, amount, kind="declared"):
        return self.env["coverage.set.potential"].create(
            {"customer_ids": [(6, 0, row.ids)], "amount": amount, "kind": kind}
        )

    @users("cover_sara")
    def test_seller_cannot_confirm_a_potential(self):
        mine = self.rows["Sara's"].with_env(self.env)
        with self.assertRaises(AccessError):
            self._declare(mine, 1, "confirmed").action_set()
        with self.assertRaises(AccessError):
            mine._confirm_potential(1)
        with self.assertRaises(AccessError):
            self.env["coverage.set.segment"].create({})
        self.assertFalse(mine.confirmed_date)

    @users("cover_leader")
    def test_leader_confirms_for_own_teams_only(self):
        row = self.rows["Sara's"].with_env(self.env)
        self._declare(row, 100, "confirmed").action_set()
        self.assertEqual(row.potential, 100)
        other = self.rows["Olga's"].with_env(self.env)
        with self.assertRaises(AccessError):
            self._declare(other, 100, "confirmed").action_set()
        with self.assertRaises(AccessError):
            other._set_manual_segment(self.segments["A"], "Mine", False)

    @users("cover_sara", "cover_leader")
    def test_only_managers_change_rules(self):
        for record, vals in (
            (self.segments["A"], {"typical_share": 90}),
            (self.levels["hot"], {"min_score": 90}),
        ):
            with self.assertRaises(AccessError):
                record.with_env(self.env).write(vals)
        for model in ("coverage.what.if", "coverage.start"):
            with self.assertRaises(AccessError):
                self.env[model].create({})
        with self.assertRaises(AccessError):
            self.env["coverage.refresh"]._refresh_company(self.company)

    def test_manager_changes_only_settings_of_own_companies(self):
        env = self.env(user=self.stranger, context={})
        start = env["coverage.start"].create({})
        self.assertEqual(start.company_id, self.elsewhere)
        with self.assertRaises(AccessError):
            env["coverage.start"].create(
                {"company_id": self.company.id, "coverage_revenue_source": "invoice"}
            )
        self.assertEqual(self.company.coverage_revenue_source, "order")

    def test_manager_cannot_refresh_another_company(self):
        refresh = self.env["coverage.refresh"].with_user(self.stranger)
        with self.assertRaises(AccessError):
            refresh.with_context(
                allowed_company_ids=self.elsewhere.ids
            )._refresh_company(self.company)

    # === CONTACTS === #

    def _create_touches(self):
        """Let Sam have contacted everybody but Olga's, and Olga hers."""
        for name, customer in self.customers.items():
            user = self.olga if name == "Olga's" else self.sam
            self._log_touch(customer, user=user)

    def test_who_sees_which_contacts(self):
        self._create_touches()
        contacted = set(self.customers) - {"Olga's"}
        for user, names in (
            (self.sara, {"Sara's"}),
            (self.sam, contacted),
            (self.olga, {"Olga's"}),
            (self.leader, contacted),
            (self.south_leader, {"Olga's", "South's pool"}),
            (self.manager, set(self.customers)),
        ):
            with self.subTest(user=user.login):
                self.assertEqual(self._get_visible(user, "coverage.touch"), names)

    def test_watcher_sees_the_contacts_with_whom_he_watches(self):
        self._create_touches()
        self.rows["Olga's"].watcher_ids = self.sara
        self.assertIn("Olga's", self._get_visible(self.sara, "coverage.touch"))

    def test_nobody_of_another_company_sees_a_contact(self):
        self._create_touches()
        env = self.env(
            user=self.stranger, context={"allowed_company_ids": self.elsewhere.ids}
        )
        touches = env["coverage.touch"].search([])
        self.assertFalse(touches.sudo().company_id - self.elsewhere)
        with self.assertRaises(AccessError):
            self._log_touch(self.customers["Sara's"]).with_env(env).read(["note"])

    def test_who_sees_calls_of_unknown_numbers(self):
        touches = {
            user.login or "nobody": self.env["coverage.touch"].create(
                {"user_id": user.id, "source": "telephone", "number": "+32470000000"}
            )
            for user in (self.sara, self.olga, self.env["res.users"])
        }
        for user, logins in (
            (self.sara, {"cover_sara"}),
            (self.sam, set()),
            (self.olga, {"cover_olga"}),
            (self.leader, {"cover_sara", "nobody"}),
            (self.south_leader, {"cover_olga", "nobody"}),
            (self.manager, {"cover_sara", "cover_olga", "nobody"}),
        ):
            with self.subTest(user=user.login):
                found = self.env["coverage.touch"].with_user(user).search([])
                self.assertEqual(
                    {login for login, touch in touches.items() if touch in found},
                    logins,
                )

    @users("cover_sara", "cover_leader", "cover_manager")
    def test_nobody_writes_contacts_by_hand(self):
        touch = self._log_touch(self.customers["Sara's"]).with_env(self.env)
        vals = {"customer_id": self.rows["Sara's"].id, "is_two_way": True}
        with self.assertRaises(AccessError):
            self.env["coverage.touch"].create(vals)
        with self.assertRaises(AccessError):
            touch.write({"is_two_way": False})
        with self.assertRaises(AccessError):
            touch.unlink()

    @users("cover_clerk")
    def test_who_does_not_sell_sees_no_contact(self):
        for model in ("coverage.touch", "coverage.log.touch", "coverage.match.touch"):
            with self.subTest(model=model), self.assertRaises(AccessError):
                self.env[model].search([])

    @users("cover_sara")
    def test_contact_with_the_customer_of_another_is_not_logged(self):
        outcome = self.env.ref("crm_sales_coverage.outcome_reached")
        wizard = self.env["coverage.log.touch"].create(
            {"customer_id": self.rows["Olga's"].id, "outcome_id": outcome.id}
        )
        with self.assertRaises(AccessError):
            wizard.action_log()

    @users("cover_sara", "cover_leader")
    def test_only_managers_edit_outcomes(self):
        with self.assertRaises(AccessError):
            self.env.ref("crm_sales_coverage.outcome_reached").with_env(
                self.env
            ).is_two_way = False

    @users("cover_manager")
    def test_outcome_that_telephones_report_is_not_deleted(self):
        outcome = self.env.ref("crm_sales_coverage.outcome_no_answer")
        with self.assertRaises(UserError):
            outcome.with_env(self.env).unlink()
        own = self.env["coverage.outcome"].create({"name": "Asked for a catalogue"})
        self.assertTrue(own.unlink())

    # === REMOTE CALLS === #

    def test_engines_cannot_be_called_from_outside(self):
        for name in MODELS:
            model = self.env[name]
            own = {
                method
                for base in type(model).mro()
                if base.__module__.startswith("odoo.addons.crm_sales_coverage")
                for method in vars(base)
                if callable(getattr(base, method)) and not method.startswith("__")
            }
            for method in sorted(own):
                is_action = method.startswith("action_") or method in PUBLIC
                is_orm = method in ("create", "write", "unlink", "copy", "default_get")
                with self.subTest(model=name, method=method):
                    if is_action or is_orm:
                        self.assertTrue(get_public_method(model, method))
                    else:
                        with self.assertRaises(AccessError):
                            get_public_method(model, method)
