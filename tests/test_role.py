from datetime import timedelta

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged, users
from odoo.tools.safe_eval import safe_eval

from .common import NOW, TODAY, CoverageCase, ago


class RoleCase(CoverageCase):
    """Sara is a hunter, Sam an assistant; Olga in the South has no role."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.hunter = cls.env.ref("crm_sales_coverage.role_hunter")
        cls.farmer = cls.env.ref("crm_sales_coverage.role_farmer")
        cls.assistant = cls.env.ref("crm_sales_coverage.role_assistant")
        cls.saras = cls._member(cls.sara)
        cls.sams = cls._member(cls.sam)
        cls.olgas = cls._member(cls.olga)

    @classmethod
    def _member(cls, user):
        return cls.env["crm.team.member"].search([("user_id", "=", user.id)])

    @classmethod
    def _give(cls, member, roles, days_ago=0):
        """Give a member these roles that many days ago."""
        with cls._on_day(days_ago):
            member.coverage_role_ids = roles

    def _tenures(self, user):
        """Return ``(role, team, from, to)`` of a person, the oldest first."""
        tenures = self.env["coverage.tenure"].search(
            [("user_id", "=", user.id)], order="date_from, id"
        )
        return [
            (one.role_id, one.team_id, one.date_from, one.date_to) for one in tenures
        ]


@tagged("post_install", "-at_install")
class TestRole(RoleCase):
    """What a role may be, and when it may go."""

    def test_limits_of_the_roles_that_come_along(self):
        for name, limits in (
            ("key_account", (20, 25)),
            ("hunter", (10, 40)),
            ("farmer", (10, 75)),
            ("field", (15, 40)),
            ("business_developer", (20, 100)),
            ("call_agent", (0, 225)),
        ):
            with self.subTest(role=name):
                role = self.env.ref(f"crm_sales_coverage.role_{name}")
                self.assertEqual((role.max_a_count, role.max_customer_count), limits)
                self.assertEqual((role.min_load, role.max_load), (20, 40))

    def test_role_in_use_is_neither_archived_nor_deleted(self):
        role = self.env["coverage.role"].create({"name": "Closer", "duty": "Closes."})
        stage = self.env["crm.stage"].create(
            {"name": "Closing", "coverage_role_id": role.id}
        )
        for act in (role.unlink, role.action_archive):
            with self.assertRaisesRegex(UserError, "Closer is still needed by Closing"):
                act()
        stage.coverage_role_id = False
        self.saras.coverage_role_ids = role
        with self.assertRaisesRegex(UserError, "needed by cover_sara"):
            role.action_archive()

    def test_role_once_held_is_archived_not_deleted(self):
        role = self.env["coverage.role"].create({"name": "Closer", "duty": "Closes."})
        self._give(self.saras, role, days_ago=10)
        self.saras.coverage_role_ids = False
        with self.assertRaisesRegex(UserError, "Archive it instead"):
            role.unlink()
        role.action_archive()
        self.assertFalse(role.active)

    def test_role_that_nobody_needs_goes(self):
        role = self.env["coverage.role"].create({"name": "Closer", "duty": "Closes."})
        role.unlink()
        self.assertFalse(role.exists())

    def test_nobody_is_the_own_assistant(self):
        with self.assertRaisesRegex(ValidationError, "own assistant"):
            self.saras.coverage_assistant_id = self.sara

    def test_load_is_contacts_a_month_of_the_customers_owned(self):
        self._create_leaders()
        for segment, count in (("A", 2), ("B", 3)):
            for number in range(count):
                buyer = self._create_buyer(user_id=self.sara.id, name=f"{number}")
                self._rate(buyer, segment)
        self.saras.invalidate_recordset()
        self.assertEqual(self.saras.coverage_customer_count, 5)
        self.assertAlmostEqual(self.saras.coverage_load, 2 + 3 / 3)
        self.assertEqual(self.sams.coverage_load, 0)

    def test_people_are_added_on_the_role(self):
        self.hunter.member_ids = [Command.link(self.saras.id)]
        self.assertEqual(
            self._tenures(self.sara), [(self.hunter, self.north, TODAY, False)]
        )
        self.hunter.member_ids = [Command.unlink(self.saras.id)]
        self.assertFalse(self._tenures(self.sara))

    @users("cover_leader")
    def test_leader_reads_roles_and_marks_the_own_people(self):
        with self.assertRaises(AccessError):
            self.hunter.with_env(self.env).name = "Gatherer"
        saras = self.saras.with_env(self.env)
        with self.assertRaises(AccessError):
            saras.coverage_seniority = "senior"
        saras.action_mark_ready()
        self.assertTrue(saras.coverage_is_ready)
        saras.action_unmark_ready()
        self.assertFalse(saras.coverage_is_ready)
        with self.assertRaisesRegex(AccessError, "teams that you lead"):
            self.olgas.with_env(self.env).action_mark_ready()

    @users("cover_sara")
    def test_seller_sees_no_opinions_about_colleagues(self):
        self.assertTrue(self.sams.with_env(self.env).read(["coverage_role_ids"]))
        for name in ("coverage_is_ready", "coverage_load", "coverage_tenure_ids"):
            with self.assertRaises(AccessError):
                self.sams.with_env(self.env).read([name])
        with self.assertRaises(AccessError):
            self.env["coverage.tenure"].search([])
        with self.assertRaises(AccessError):
            self.saras.with_env(self.env).action_fill_in_from_sales()

    @users("cover_leader")
    def test_leader_reads_the_time_of_the_own_people(self):
        self._give(self.saras, self.hunter, days_ago=10)
        self._give(self.olgas, self.hunter, days_ago=10)
        tenures = self.env["coverage.tenure"].search([])
        self.assertIn(self.sara, tenures.user_id)
        self.assertNotIn(self.olga, tenures.user_id)


@tagged("post_install", "-at_install")
class TestTenure(RoleCase):
    """How long somebody holds a role, whatever becomes of the team."""

    def test_role_given_and_taken(self):
        self._give(self.saras, self.hunter, days_ago=100)
        self._give(self.saras, self.hunter | self.farmer, days_ago=50)
        self._give(self.saras, self.farmer, days_ago=10)
        self.assertEqual(
            self._tenures(self.sara),
            [
                (self.hunter, self.north, ago(100), ago(10)),
                (self.farmer, self.north, ago(50), False),
            ],
        )

    def test_role_taken_back_on_its_day_leaves_no_trace(self):
        self.saras.coverage_role_ids = self.hunter
        self.saras.coverage_role_ids = False
        self.assertFalse(self._tenures(self.sara))

    def test_role_taken_and_given_back_on_a_day_goes_on(self):
        self._give(self.saras, self.hunter, days_ago=100)
        self.saras.coverage_role_ids = False
        self.saras.coverage_role_ids = self.hunter
        self.assertEqual(
            self._tenures(self.sara), [(self.hunter, self.north, ago(100), False)]
        )

    def test_day_is_the_companys(self):
        self.company.partner_id.tz = "Pacific/Kiritimati"  # 14 hours ahead
        self.saras.coverage_role_ids = self.hunter
        self.assertEqual(self._tenures(self.sara)[0][2], TODAY + timedelta(days=1))

    def test_archived_membership_and_user_end_the_time(self):
        for end in (self.saras.action_archive, self.sams.user_id.action_archive):
            self._give(self.saras | self.sams, self.hunter, days_ago=100)
            with self.subTest(end=end):
                end()
        for user in (self.sara, self.sam):
            self.assertEqual(
                self._tenures(user), [(self.hunter, self.north, ago(100), TODAY)]
            )

    def test_history_stays_when_membership_or_team_is_deleted(self):
        self._give(self.saras | self.olgas, self.hunter, days_ago=100)
        self.saras.unlink()
        self.south.unlink()
        self.assertEqual(
            self._tenures(self.sara), [(self.hunter, self.north, ago(100), TODAY)]
        )
        none = self.env["crm.team"]
        self.assertEqual(
            self._tenures(self.olga), [(self.hunter, none, ago(100), TODAY)]
        )

    def test_who_moves_to_another_team_keeps_roles_and_time(self):
        self._give(self.saras, self.hunter, days_ago=200)
        self.saras.write(
            {
                "coverage_seniority": "senior",
                "coverage_assistant_id": self.sam.id,
                "coverage_capacity": 25,
                "coverage_country_ids": self.env.ref("base.us").ids,
            }
        )
        new = self.env["crm.team.member"].create(
            {"crm_team_id": self.south.id, "user_id": self.sara.id}
        )
        self.assertFalse(self.saras.active, "Odoo archives it: one team only.")
        self.assertEqual(new.coverage_role_ids, self.hunter)
        self.assertEqual(new.coverage_seniority, "senior")
        self.assertEqual(new.coverage_assistant_id, self.sam)
        self.assertEqual(new.coverage_capacity, 25)
        self.assertEqual(new.coverage_country_ids, self.env.ref("base.us"))
        self.assertIn("Goes on as in North: Hunter", new.message_ids[:1].body)
        running = self.env["coverage.tenure"].search([("member_id", "=", new.id)])
        self.assertEqual((running.date_from, running.held_since), (TODAY, ago(200)))

    def test_who_gets_roles_in_the_new_team_does_not_keep_the_old(self):
        self._give(self.saras, self.hunter, days_ago=200)
        new = self.env["crm.team.member"].create(
            {
                "crm_team_id": self.south.id,
                "user_id": self.sara.id,
                "coverage_role_ids": self.farmer.ids,
            }
        )
        self.assertEqual(new.coverage_role_ids, self.farmer)

    def test_member_added_on_the_team_keeps_roles(self):
        self._give(self.saras, self.hunter)
        self.south.member_ids = [Command.link(self.sara.id)]
        self.assertEqual(self._member(self.sara).crm_team_id, self.south)
        self.assertEqual(self._member(self.sara).coverage_role_ids, self.hunter)

    def test_in_several_teams_each_membership_has_its_own_roles(self):
        self.env["ir.config_parameter"].set_param("sales_team.membership_multi", True)
        self._give(self.saras, self.hunter, days_ago=100)
        new = self.env["crm.team.member"].create(
            {
                "crm_team_id": self.south.id,
                "user_id": self.sara.id,
                "coverage_role_ids": self.farmer.ids,
            }
        )
        self.assertTrue(self.saras.active)
        self.assertEqual(new.coverage_role_ids, self.farmer)
        self.assertEqual(
            self._tenures(self.sara),
            [
                (self.hunter, self.north, ago(100), False),
                (self.farmer, self.south, TODAY, False),
            ],
        )

    def test_ready_for_more_lists_assistants_after_six_months(self):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_sales_coverage.coverage_tenure_action_ready"
        )
        self._give(self.saras | self.sams, self.assistant, days_ago=200)
        self._give(self.olgas, self.assistant, days_ago=300)
        self.sams.coverage_is_ready = True
        found = self.env["coverage.tenure"].search(safe_eval(action["domain"]))
        found = found.filtered(lambda one: one.team_id in self.north | self.south)
        self.assertEqual(found.user_id, self.sara | self.sam | self.olga)
        ready = found.filtered(lambda one: one.is_ready or one.is_long)
        self.assertEqual(ready.user_id, self.sam | self.olga)
        self.assertEqual(ready.filtered("is_long").user_id, self.olga)

    def test_many_members_cost_as_few_queries_as_one(self):
        people = self.env["res.users"].create(
            [
                {"name": f"Seller {number}", "login": f"tenure_{number}"}
                for number in range(22)
            ]
        )
        members = self.env["crm.team.member"].create(
            [{"crm_team_id": self.north.id, "user_id": user.id} for user in people]
        )
        counts = []
        for group in (members[:2], members[2:4], members[4:]):
            self.env.flush_all()
            before = self.env.cr.sql_log_count
            group.coverage_role_ids = self.hunter
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[2], counts[1])


@tagged("post_install", "-at_install")
class TestPrefill(RoleCase):
    """What people know best, from what they sold."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.us, cls.france = cls.env.ref("base.us"), cls.env.ref("base.fr")
        cls.texas = cls.env.ref("base.state_us_44")
        cls.industry = cls.env["res.partner.industry"].create({"name": "Mills"})
        cls.american = cls._create_customer(
            "American",
            country_id=cls.us.id,
            state_id=cls.texas.id,
            industry_id=cls.industry.id,
        )
        cls.french = cls._create_customer("French", country_id=cls.france.id)
        cls.line = cls.env["product.category"].create({"name": "Line"})
        cls.product.categ_id = cls.line

    @classmethod
    def _sell(cls, user, customer, count=1, days_ago=30, **values):
        for _number in range(count):
            cls._confirm_order(
                customer, 100, days_ago, user_id=user.id, team_id=cls.north.id, **values
            )

    def test_what_makes_a_tenth_of_the_orders_is_filled_in(self):
        self._sell(self.sara, self.american, 10)
        self._sell(self.sara, self.french)
        self._sell(self.sara, self.french, days_ago=800)
        filled = self.saras._prefill(NOW)
        self.assertEqual(filled, self.saras)
        self.assertEqual(self.saras.coverage_country_ids, self.us)
        self.assertEqual(self.saras.coverage_state_ids, self.texas)
        self.assertEqual(self.saras.coverage_industry_ids, self.industry)
        self.assertEqual(self.saras.coverage_categ_ids, self.line)
        self._sell(self.sara, self.french)
        self.saras.coverage_country_ids = False
        self.saras._prefill(NOW)
        self.assertEqual(self.saras.coverage_country_ids, self.us | self.france)

    def test_what_is_said_stays(self):
        self._sell(self.sara, self.american)
        self.saras.coverage_country_ids = self.france
        self.saras._prefill(NOW)
        self.assertEqual(self.saras.coverage_country_ids, self.france)
        self.assertFalse(self.saras._prefill(NOW), "All is said now.")

    def test_orders_of_another_company_and_quotations_tell_nothing(self):
        self._confirm_order(
            self.french, 100, 30, company=self.elsewhere, user_id=self.sara.id
        )
        self._create_quotation(self.french, 100, user_id=self.sara.id)
        self.assertFalse(self.saras._prefill(NOW))
        self.assertFalse(self.saras.coverage_country_ids)

    @users("cover_leader")
    def test_leader_fills_in_for_the_own_team(self):
        self._sell(self.sara, self.american)
        result = self.north.with_env(self.env).action_fill_in_from_sales()
        self.assertIn("cover_sara", result["params"]["message"])
        self.assertEqual(self.saras.coverage_country_ids, self.us)
        with self.assertRaisesRegex(AccessError, "teams that you lead"):
            self.south.with_env(self.env).action_fill_in_from_sales()

    def test_many_people_cost_as_few_queries_as_one(self):
        self._sell(self.sara, self.american)
        self._sell(self.sam, self.american)
        few, many = self.olgas, self.olgas | self.saras | self.sams
        counts = []
        for group in (few, self.saras, many):
            many.write(dict.fromkeys(("coverage_country_ids",), False))
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            group._collect_sales(NOW)
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(counts[1], counts[2])
