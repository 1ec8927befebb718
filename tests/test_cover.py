from datetime import timedelta
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.service.model import get_public_method
from odoo.tests import tagged

from .common import NOW, CoverageCase
from .test_performance import PerformanceCase

COVER = "odoo.addons.crm_sales_coverage.models.coverage_cover"
HOLD = "odoo.addons.crm_sales_coverage.models.coverage_hold"


class CoverCase(CoverageCase):
    """Rules and roles by name."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rules = cls.env["coverage.rule"]
        names = ("call_agent", "hunter", "farmer", "key_account", "field")
        cls.roles = {
            name: cls.env.ref(f"crm_sales_coverage.role_{name}") for name in names
        }

    @classmethod
    def _create_rule(cls, role, **values):
        return cls.rules.create(
            {"name": "Mine", "role_id": cls.roles[role].id, "sequence": 1, **values}
        )

    def _settle(self):
        """Let changed rules take effect, as the commit would."""
        self.env.cr.flush()
        self.env.invalidate_all()

    def assertCovered(self, customer, role, rule=None):
        """Assert the role, and the name of the rule, of a customer."""
        row = self._row(customer)
        row.invalidate_recordset()
        self.assertEqual(row.role_id, self.roles[role])
        if rule:
            self.assertEqual(row.rule_id.name, rule)

    def _role_changes(self, customer):
        return [line for line in self._history(customer) if line[0] == "role_id"]


@tagged("post_install", "-at_install")
class TestCover(CoverCase):
    """Which role covers a customer or lead."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_leaders()

    # === CUSTOMERS === #

    def test_defaults_cover_each_kind(self):
        prospect = self._create_customer()
        self._create_opportunity(prospect)
        self.env.cr.flush()
        regular = self._create_customer()
        for days_ago in (90, 60, 30):
            self._confirm_order(regular, 500, days_ago)
        fallen = self._create_customer()
        for days_ago in (500, 480, 460):
            self._confirm_order(fallen, 1_000, days_ago)
        self._confirm_order(fallen, 100, 10)
        sleeper = self._create_buyer(500, 700)
        self.assertFalse(self._row(prospect).role_id)  # by night: sellers do not wait
        self._refresh()
        self.assertFalse(self._role_changes(prospect))
        for customer, role, rule in (
            (prospect, "call_agent", "Prospects"),
            (self.leaders[0], "hunter", "New Customers"),
            (regular, "farmer", "Regular Customers"),
        ):
            self.assertCovered(customer, role, rule)
        self.assertEqual(self._row(sleeper).rule_id.name, "Sleeping Customers")

    def test_regular_a_is_covered_by_a_key_account_manager(self):
        customer = self._create_customer()
        for days_ago in (90, 60, 30):
            self._confirm_order(customer, 3_500, days_ago)
        self.assertStands(customer, "A", "hot", "regular")
        self.assertCovered(customer, "key_account", "Regular A")

    def test_change_is_logged_with_the_rule_and_the_first_is_not(self):
        customer = self._create_known_buyer(500)
        self.assertCovered(customer, "hunter")
        self.assertFalse(self._role_changes(customer))
        for days_ago in (20, 10):
            self._confirm_order(customer, 500, days_ago)
        self.assertCovered(customer, "farmer")
        self.assertEqual(
            self._role_changes(customer), [("role_id", "Hunter", "Farmer")]
        )
        change = self._row(customer).change_ids.filtered(
            lambda one: one.field_name == "role_id"
        )
        self.assertEqual(change.origin, "event")
        self.assertEqual(change.reason_text, "Rule “Regular Customers”.")

    def test_first_class_and_first_role_are_written_together(self):
        newcomer = self._create_customer("Newcomer")
        model = type(self.env["coverage.customer"])
        with patch.object(model, "write", autospec=True) as write:
            self._create_quotation(newcomer, 500)
        write.assert_not_called()
        self.assertCovered(newcomer, "call_agent")
        self.assertFalse(self._history(newcomer))

    def test_prospect_that_people_made_gets_its_role_by_night(self):
        newcomer = self._create_customer("Newcomer")
        self._create_opportunity(newcomer)
        row = self._row(newcomer)
        self.assertFalse(row.role_id)
        with patch.object(type(row), "write", autospec=True) as write:
            self.env["coverage.cover"]._cover_newcomers(self.company, NOW)
        write.assert_not_called()
        self.assertCovered(newcomer, "call_agent")
        self.assertFalse(self._history(newcomer))

    def test_twice_changes_nothing(self):
        before, history = self._versions(), self._history()
        self._refresh()
        self.env["coverage.cover"]._cover_customers(
            self._row(self.leaders[0]) + self._row(self.leaders[1])
        )
        self.assertEqual(self._versions(), before)
        self.assertEqual(self._history(), history)

    def test_archived_customer_keeps_its_role(self):
        row = self._row(self.leaders[0])
        self.leaders[0].active = False
        self._create_rule("farmer", lifecycle="new")
        self._settle()
        self.assertEqual(row.role_id, self.roles["hunter"])
        self.leaders[0].active = True
        self.assertEqual(row.active, True)

    def test_nobody_writes_the_role_by_hand(self):
        row = self._row(self.leaders[0]).with_user(self.manager)
        with self.assertRaisesRegex(UserError, "Covered by"):
            row.role_id = self.roles["farmer"]

    def test_team_that_a_rule_names(self):
        self._create_rule("farmer", team_ids=[Command.set(self.north.ids)])
        self._settle()
        row = self._row(self.leaders[0])
        self.assertCovered(self.leaders[0], "hunter")
        row.team_id = self.north
        self.assertCovered(self.leaders[0], "farmer", "Mine")
        row.team_id = False
        self.assertCovered(self.leaders[0], "hunter")

    def test_product_line_that_a_rule_names(self):
        wide = self.env["product.category"].create({"name": "Food"})
        narrow = self.env["product.category"].create(
            {"name": "Cheese", "parent_id": wide.id}
        )
        self.product.categ_id = narrow
        self._create_rule("farmer", categ_ids=[Command.set(wide.ids)])
        self._settle()
        self.assertCovered(self.leaders[0], "farmer", "Mine")
        lead = self._create_opportunity(self._create_customer("Asks"))
        self.assertNotEqual(lead.coverage_rule_id.name, "Mine")
        self._create_quotation(lead.partner_id, 10, opportunity_id=lead.id)
        lead.invalidate_recordset()
        self.assertEqual(lead.coverage_rule_id.name, "Mine")

    def test_undo_of_a_run_restores_role_and_rule(self):
        customer = self._create_customer()
        with self._on_day(1):
            for days_ago in (90, 60, 30):
                self._confirm_order(customer, 2_600, days_ago)
            self._refresh(NOW - timedelta(days=1))
        self.assertCovered(customer, "farmer")
        run = self._plan(segment={"B": {"typical_share": 40}})
        run.action_apply()
        self.env.invalidate_all()
        self.assertCovered(customer, "key_account", "Regular A")
        run.action_undo()
        self.env.invalidate_all()
        self.assertCovered(customer, "farmer", "Regular Customers")

    # === RULES THAT CHANGE === #

    def test_small_base_follows_at_the_end_of_the_transaction(self):
        rule = self._create_rule("farmer", lifecycle="new")
        self.assertCovered(self.leaders[0], "hunter")
        self._settle()
        self.assertCovered(self.leaders[0], "farmer", "Mine")
        rule.role_id = self.roles["field"]
        self._settle()
        self.assertCovered(self.leaders[0], "field")
        rule.unlink()
        self._settle()
        self.assertCovered(self.leaders[0], "hunter")
        changes = self._row(self.leaders[0]).change_ids
        self.assertEqual(set(changes.mapped("origin")), {"hand"})

    def test_large_base_is_left_to_the_job(self):
        self._refresh(NOW)
        with patch(f"{COVER}.LIST_BATCH", 2):
            self._create_rule("farmer", lifecycle="new")
            self._settle()
        self.assertCovered(self.leaders[0], "hunter")
        cover = self.env["coverage.cover"]
        self.assertTrue(cover._is_stale(self.company))
        with patch(f"{COVER}.BATCH", 2), self.enter_registry_test_mode():
            self.cron.method_direct_trigger()
        self.env.invalidate_all()
        self.assertCovered(self.leaders[2], "farmer")
        self.assertFalse(cover._is_stale(self.company))

    def test_walk_goes_on_where_it_stopped(self):
        self._create_rule("farmer", lifecycle="new")
        self.env.cr.precommit.data.pop("coverage_rules")
        cover = self.env["coverage.cover"]
        with patch(f"{COVER}.BATCH", 1):
            is_done = cover._cover_company(self.company, NOW, lambda done, left: False)
            self.assertFalse(is_done)
            self.env.invalidate_all()
            self.assertEqual(
                sum(self._row(one).role_id.name == "Farmer" for one in self.leaders), 1
            )
            self.assertTrue(
                cover._cover_company(self.company, NOW, lambda done, left: True)
            )
        self.assertCovered(self.leaders[2], "farmer")

    def test_held_customer_is_gone_over_again(self):
        self._create_rule("farmer", lifecycle="new")
        self.env.cr.precommit.data.pop("coverage_rules")
        cover, none = self.env["coverage.cover"], self.env["coverage.customer"]
        with patch.object(type(cover), "_lock", lambda cover, rows: none):
            cover._cover_company(self.company, NOW)
        self.assertCovered(self.leaders[0], "hunter")
        self.assertTrue(cover._is_stale(self.company))
        cover._cover_company(self.company, NOW)
        self.assertCovered(self.leaders[0], "farmer")

    def test_refused_customer_keeps_its_role(self):
        with self._refuse(self.leaders[0], "role_id"):
            self._create_rule("farmer", lifecycle="new")
            with self.assertLogs(level="WARNING"):
                self._settle()
        self.assertCovered(self.leaders[0], "hunter")
        self.assertCovered(self.leaders[1], "farmer")

    def test_role_of_an_event_equals_that_of_the_night(self):
        customer = self._create_customer()
        for days_ago in (90, 60, 30):
            self._confirm_order(customer, 3_500, days_ago)
        before = self._versions()
        self._refresh()
        self.assertEqual(self._versions(), before)

    # === WHO IS IN THE WRONG ROLE === #

    def _get_miscovered(self):
        self.env.flush_all()
        rows = self.env["coverage.customer"].search([])
        rows.invalidate_recordset()
        wrong = rows.filtered("is_miscovered")
        found = rows.search([("is_miscovered", "=", True)])
        self.assertEqual(wrong, found)
        self.assertEqual(
            rows.search([("is_miscovered", "=", False)]), rows - wrong, "the others"
        )
        return wrong.filtered(lambda row: row.company_id == self.company).partner_id

    def test_owner_without_the_role_is_found(self):
        row = self._row(self.leaders[0])
        row.user_id = self.sara
        self.assertFalse(self._get_miscovered(), "nobody has any role")
        sara, sam = self.north.crm_team_member_ids.sorted("id")
        sam.coverage_role_ids = self.roles["hunter"]
        self.assertEqual(self._get_miscovered(), self.leaders[0])
        sara.coverage_role_ids = self.roles["hunter"] + self.roles["farmer"]
        self.assertFalse(self._get_miscovered())

    def test_owner_that_is_too_junior_is_found(self):
        self._row(self.leaders[0]).user_id = self.sara
        sara = self.north.crm_team_member_ids.sorted("id")[0]
        sara.write(
            {"coverage_role_ids": self.roles["hunter"], "coverage_seniority": "regular"}
        )
        rule = self._create_rule("hunter", lifecycle="new", min_seniority="senior")
        self._settle()
        self.assertEqual(self._get_miscovered(), self.leaders[0])
        rule.min_seniority = "regular"
        self.assertFalse(self._get_miscovered())

    def test_why_card_names_the_rule(self):
        card = self._row(self.leaders[0]).get_why()
        self.assertEqual(
            card["cover"]["text"],
            "Covered by: Hunter – rule “New Customers” (New).",
        )
        self.assertFalse(card["cover"]["is_miscovered"])

    # === LEADS === #

    def test_leads(self):
        prospect = self._create_customer("Prospect")
        stages = [self.env.ref(f"crm.stage_lead{one}").id for one in (1, 2, 3)]
        buyer = self.leaders[0]
        for name, values, role in (
            ("nobody yet", {"partner_id": False, "stage_id": stages[0]}, "call_agent"),
            ("prospect", {"stage_id": stages[0]}, "call_agent"),
            ("qualified", {"stage_id": stages[1]}, "hunter"),
            ("later", {"stage_id": stages[2]}, "hunter"),
            (
                "large",
                {"stage_id": stages[0], "expected_revenue": 25_000},
                "field",
            ),
            (
                "not quite",
                {"stage_id": stages[0], "expected_revenue": 24_999},
                "call_agent",
            ),
            ("of a new customer", {"partner_id": buyer.id}, "hunter"),
        ):
            with self.subTest(name):
                lead = self._create_opportunity(prospect, **values)
                self.assertEqual(lead.coverage_role_id, self.roles[role])
        self.assertCovered(buyer, "hunter")

    def test_amount_counts_in_the_currency_of_the_company(self):
        euro = self.env.ref("base.EUR")
        euro.active = True
        self.env["res.currency.rate"].create(
            {
                "name": "2030-01-01",
                "currency_id": euro.id,
                "rate": 0.5,
                "company_id": self.company.id,
            }
        )
        self._create_rule("farmer", min_amount=1_000, currency_id=euro.id)
        customer = self._create_customer()
        for amount, is_mine in ((2_000, True), (1_999, False)):
            lead = self._create_opportunity(customer, expected_revenue=amount)
            self.assertEqual(lead.coverage_rule_id.name == "Mine", is_mine)

    # === RIGHTS === #

    def test_engine_cannot_be_called_from_outside(self):
        for model in ("coverage.cover", "coverage.candidate"):
            for name in dir(type(self.env[model])):
                if name.startswith(("_cover", "_propose", "_explain", "_collect")):
                    with self.subTest(name), self.assertRaises(AccessError):
                        get_public_method(self.env[model].with_user(self.sara), name)


@tagged("post_install", "-at_install")
class TestCoverPerformance(PerformanceCase):
    """The number of queries does not grow with customers or leads."""

    def test_rules_that_move_everybody(self):
        farmer = self.env.ref("crm_sales_coverage.role_farmer")
        rule = self.env["coverage.rule"].create(
            {"name": "All", "sequence": 1, "lifecycle": "new", "role_id": farmer.id}
        )
        self.env.cr.precommit.data.pop("coverage_rules")

        def act(customers):
            self.assertTrue(rule.exists())
            self.env["coverage.cover"]._cover_customers(self._get_rows(customers))

        self.assertConstant(act)

    def test_leads_of_a_list(self):
        stage = self.env["crm.stage"].search([], limit=1)
        leads = self.env["crm.lead"].create(
            [
                {
                    "name": "Lead",
                    "partner_id": customer.id,
                    "company_id": self.company.id,
                    "user_id": False,
                    "stage_id": stage.id,
                }
                for customer in self.customers
            ]
        )
        by_partner = leads.grouped("partner_id")

        def act(customers):
            mine = leads.browse().union(*(by_partner[one] for one in customers))
            mine.mapped("coverage_role_id.name")

        self.assertConstant(act)

    def test_list_with_roles(self):
        rows = self.env["coverage.customer"].with_user(self.sara)
        specification = {
            "role_id": {"fields": {"display_name": {}}},
            "rule_id": {"fields": {"display_name": {}}},
            "is_miscovered": {},
        }
        self.assertConstant(
            lambda customers: rows.web_search_read(
                [("partner_id", "in", customers.ids)], specification
            )
        )
