from datetime import timedelta

from psycopg2.errors import UniqueViolation

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged, users
from odoo.tools import mute_logger

from .common import NOW, CoverageCase

TYPE = "crm_sales_coverage.activity_type_overstay"
BOARD = "coverage.stage.report"


class StageCase(CoverageCase):
    """A stage of hunters where opportunities may stay for a week; Sara is a hunter."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.hunter = cls.env.ref("crm_sales_coverage.role_hunter")
        cls.stage = cls.env["crm.stage"].create(
            {
                "name": "Talks",
                "sequence": 5,
                "coverage_role_id": cls.hunter.id,
                "rotting_threshold_days": 7,
            }
        )
        cls.saras = cls.north.crm_team_member_ids.filtered(
            lambda one: one.user_id == cls.sara
        )
        cls.saras.coverage_role_ids = cls.hunter
        cls.customer = cls._create_customer("Buyer")

    @classmethod
    def _create_lead(cls, days=0, team=None, amount=100, **values):
        """Return an opportunity that has been in the stage for so many days."""
        lead = cls._create_opportunity(
            cls.customer,
            name=values.pop("name", f"Deal of {days} days"),
            stage_id=cls.stage.id,
            team_id=(team or cls.north).id,
            expected_revenue=amount,
            **values,
        )
        lead.date_last_stage_update = NOW - timedelta(days=days)
        return lead

    @classmethod
    def _create_boss(cls, user, team=None):
        return cls.env["coverage.stage.owner"].create(
            {
                "stage_id": cls.stage.id,
                "team_id": team and team.id,
                "user_id": user.id,
            }
        )

    def _row(self, team, user=None):
        """Return the board's row of the stage in a team."""
        self.env.invalidate_all()
        board = self.env[BOARD].with_user(user or self.manager)
        return board.search(
            [("stage_id", "=", self.stage.id), ("team_id", "=", team.id)]
        )

    def _tell(self, now=NOW):
        self.env["coverage.stage.owner"]._tell_overstays(self.company, now)
        self.env.flush_all()
        self.env.invalidate_all()

    def _told(self, boss, active_test=True):
        return (
            self.env["mail.activity"]
            .with_context(active_test=active_test)
            .search(
                [
                    ("res_model", "=", "coverage.stage.owner"),
                    ("res_id", "=", boss.id),
                    ("activity_type_id", "=", self.env.ref(TYPE).id),
                ]
            )
        )


@tagged("post_install", "-at_install")
class TestStageBoard(StageCase):
    """Each stage of each team: boss, people, what lies there and how long."""

    def test_row_counts_what_lies_there(self):
        for days in (1, 3, 8):
            self._create_lead(days)
        self._create_lead(30, active=False)
        self._create_lead(30, type="lead")
        row = self._row(self.north)
        self.assertEqual((row.lead_count, row.late_count, row.amount), (3, 1, 300))
        self.assertAlmostEqual(row.median_days, 3)
        self.assertEqual((row.deadline_days, row.state), (7, "late"))
        self.assertEqual(row.role_id, self.hunter)
        self.assertEqual(row.people_ids, self.sara)
        self.assertEqual(row.currency_id, self.company.currency_id)

    def test_empty_stage_is_on_the_board_a_won_one_is_not(self):
        row = self._row(self.south)
        self.assertEqual((row.lead_count, row.late_count, row.state), (0, 0, "empty"))
        self.assertFalse(row.people_ids)
        self.stage.is_won = True
        self.assertFalse(self._row(self.south))

    def test_stage_of_one_team_is_on_no_other(self):
        self.stage.team_ids = self.north
        self.assertTrue(self._row(self.north))
        self.assertFalse(self._row(self.south))

    def test_a_click_opens_what_was_counted(self):
        early = self._create_lead(6) | self._create_lead(7)
        late = self._create_lead(8) | self._create_lead(20)
        action = self._row(self.north).action_open_late()
        self.assertEqual(self.env["crm.lead"].search(action["domain"]), late)
        self.assertEqual(self._row(self.north).late_count, 2)
        action = self._row(self.north).action_open_leads()
        self.assertEqual(self.env["crm.lead"].search(action["domain"]), early | late)

    def test_boss_is_the_own_else_of_all_teams_else_the_leader(self):
        row = self._row(self.north)
        self.assertEqual((row.user_id, row.boss), (self.leader, "leader"))
        self._create_boss(self.olga)
        row = self._row(self.north)
        self.assertEqual((row.user_id, row.boss), (self.olga, "all"))
        own = self._create_boss(self.sam, self.north)
        row = self._row(self.north)
        self.assertEqual((row.user_id, row.boss), (self.sam, "own"))
        self.assertEqual(self._row(self.south).user_id, self.olga)
        own.user_id.active = False
        self.assertEqual(self._row(self.north).user_id, self.olga)

    def test_each_company_has_its_own_money(self):
        shared = self.env["crm.team"].create({"name": "Shared", "company_id": False})
        self._create_lead(team=shared, amount=100)
        self._create_lead(team=shared, amount=900, company_id=self.elsewhere.id)
        self.env.flush_all()
        row = self._row(shared)
        self.assertEqual((row.company_id, row.amount), (self.company, 100))
        both = self.env[BOARD].with_context(
            allowed_company_ids=(self.company | self.elsewhere).ids
        )
        rows = both.search([("team_id", "=", shared.id), ("lead_count", ">", 0)])
        self.assertEqual(
            {(one.company_id, one.amount) for one in rows},
            {(self.company, 100), (self.elsewhere, 900)},
        )

    def test_leads_without_team_are_seen_by_the_manager(self):
        lead = self._create_lead()
        lead.team_id = False
        row = self._row(self.env["crm.team"])
        self.assertEqual((row.lead_count, row.user_id.id, row.boss), (1, False, False))
        self.assertIn("without team", row.display_name)

    def test_row_keeps_its_id_when_teams_come(self):
        row = self._row(self.south)
        self._create_team("East", self.leader, self.env["res.users"])
        self.env.invalidate_all()
        self.assertEqual((row.stage_id, row.team_id), (self.stage, self.south))

    def test_who_sees_which_stages(self):
        self._create_lead()
        self._create_boss(self.sam, self.north)
        for user, teams in (
            (self.sara, self.env["crm.team"]),
            (self.olga, self.env["crm.team"]),
            (self.sam, self.north),
            (self.leader, self.north),
            (self.south_leader, self.south),
            (self.manager, self.north | self.south),
        ):
            with self.subTest(user=user.login):
                rows = self.env[BOARD].with_user(user)
                domain = [("stage_id", "=", self.stage.id)]
                found = rows.search(domain).sudo().team_id
                self.assertEqual(found & (self.north | self.south), teams)

    def test_money_of_others_does_not_leak(self):
        self._create_lead(amount=1_000)
        row = self._row(self.north)
        board = self.env[BOARD].with_user(self.sara)
        with self.assertRaises(AccessError):
            board.browse(row.id).read(["amount"])
        self.assertFalse(board._read_group([], [], ["amount:sum"])[0][0])
        stranger = self.env[BOARD].with_user(self.stranger)
        stranger = stranger.with_context(allowed_company_ids=self.elsewhere.ids)
        self.assertNotIn(self.north, stranger.search([]).sudo().team_id)
        with self.assertRaises(AccessError):
            self.env[BOARD].with_user(self.clerk).search([])

    def test_board_costs_as_few_queries_with_many_stages(self):
        counts = []
        for _number in range(3):
            self._row(self.north)
            before = self.env.cr.sql_log_count
            self.env[BOARD].search([]).read(["lead_count", "people_ids", "user_id"])
            counts.append(self.env.cr.sql_log_count - before)
            for number in range(10):
                self._create_team(f"T{number}", self.leader, self.env["res.users"])
                self.env["crm.stage"].create({"name": f"S{number}"})
        self.assertLessEqual(counts[2], counts[1])


@tagged("post_install", "-at_install")
class TestStageOwner(StageCase):
    """The boss is told when opportunities stay too long: once, and without a mail."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.boss = cls._create_boss(cls.sam, cls.north)

    def test_boss_is_told_once_what_is_late(self):
        for days in (8, 12, 9, 10, 1):
            self._create_lead(days)
        for _twice in range(2):
            self._tell()
        activity = self._told(self.boss)
        self.assertEqual(activity.user_id, self.sam)
        self.assertEqual(
            activity.summary,
            "4 opportunities stay longer than 7 days in Talks: Deal of 12 days, "
            "Deal of 10 days, Deal of 9 days, 1 more",
        )

    def test_activity_follows_what_is_late_and_goes(self):
        lead = self._create_lead(8)
        self._tell()
        activity = self._told(self.boss)
        self.assertIn("1 opportunity stays", activity.summary)
        other = self._create_lead(20)
        self._tell()
        self.assertEqual(self._told(self.boss), activity)
        self.assertIn("2 opportunities stay", activity.summary)
        (lead | other).date_last_stage_update = NOW
        self._tell()
        self.assertFalse(self._told(self.boss, active_test=False))

    def test_new_boss_takes_the_activity_over(self):
        self._create_lead(8)
        self._tell()
        activity = self._told(self.boss)
        self.boss.user_id = self.sara
        self._tell()
        self.assertEqual(activity.user_id, self.sara)

    def test_who_marks_it_done_is_told_again_tomorrow(self):
        self._create_lead(8)
        self._tell()
        self._told(self.boss).action_done()
        self._tell()
        self.assertFalse(self._told(self.boss))
        with self._on_day(-1):
            self._tell(NOW + timedelta(days=1))
        self.assertTrue(self._told(self.boss))

    def test_nobody_is_mailed(self):
        self._create_lead(8)
        mails = self.env["mail.mail"].search([])
        notes = self.env["mail.notification"].search([])
        self._tell()
        self.assertEqual(self.env["mail.mail"].search([]), mails)
        self.assertEqual(self.env["mail.notification"].search([]), notes)
        self.assertFalse(self.boss.message_follower_ids)

    def test_boss_of_all_teams_answers_where_there_is_no_other(self):
        common = self._create_boss(self.olga)
        self._create_lead(8, name="In North")
        self._create_lead(8, team=self.south, name="In South")
        self._create_lead(8, name="In no team").team_id = False
        self._tell()
        self.assertIn("In North", self._told(self.boss).summary)
        summary = self._told(common).summary
        self.assertIn("2 opportunities", summary)
        self.assertNotIn("In North", summary)

    def test_boss_is_not_told_of_a_company_he_does_not_work_in(self):
        common = self._create_boss(self.olga)
        shared = self.env["crm.team"].create({"name": "Shared", "company_id": False})
        self._create_lead(8, team=shared, company_id=self.elsewhere.id)
        self._tell()
        self.assertFalse(self._told(common))

    def test_without_deadline_boss_or_in_a_won_stage_nobody_is_told(self):
        self._create_lead(30)
        for vals in ({"rotting_threshold_days": 0}, {"is_won": True}):
            with self._tried():
                self.stage.write(vals)
                self._tell()
                self.assertFalse(self._told(self.boss))
        self.sam.active = False
        self._tell()
        self.assertFalse(self._told(self.boss))

    def test_boss_opens_what_is_late(self):
        late = self._create_lead(8)
        self._create_lead(1)
        action = self.boss.action_open_late()
        self.assertEqual(self.env["crm.lead"].search(action["domain"]), late)

    def test_many_bosses_cost_as_few_queries_as_one(self):
        def create(number):
            teams = self.env["crm.team"].create(
                [
                    {"name": "T", "company_id": self.company.id}
                    for _number in range(number)
                ]
            )
            for team in teams:
                self._create_boss(self.sam, team)
                self._create_lead(8, team=team)

        counts = []
        for number in (2, 2, 20):
            create(number)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self._tell()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[2], counts[1] + 1)

    def test_stage_has_one_boss_in_a_team(self):
        with mute_logger("odoo.sql_db"), self.assertRaises(UniqueViolation):
            self._create_boss(self.sara, self.north)

    def test_boss_must_fit_team_and_stage(self):
        with self.assertRaisesRegex(ValidationError, "does not work in"):
            self.boss.user_id = self.stranger
        self.stage.team_ids = self.north
        self.boss.team_id = False
        with self.assertRaisesRegex(ValidationError, "does not use the stage"):
            self.boss.team_id = self.south

    @users("cover_leader")
    def test_leader_reads_bosses_but_names_none(self):
        boss = self.boss.with_env(self.env)
        self.assertEqual(boss.user_id, self.sam)
        with self.assertRaises(AccessError):
            boss.user_id = self.sara

    @users("cover_manager")
    def test_manager_names_bosses_on_the_stage(self):
        stage = self.stage.with_env(self.env)
        stage.write(
            {
                "coverage_owner_ids": [
                    (0, 0, {"team_id": self.south.id, "user_id": self.olga.id})
                ]
            }
        )
        self.assertEqual(stage.coverage_boss_ids, self.sam | self.olga)

    def test_role_of_a_stage_cannot_go(self):
        role = self.env["coverage.role"].create({"name": "Talker", "duty": "Talks"})
        self.stage.coverage_role_id = role
        with self.assertRaisesRegex(UserError, "still needed by .*Talks"):
            role.unlink()
        self.stage.coverage_role_id = False
        self.assertFalse(self._row(self.north).people_ids)
