from odoo import Command
from odoo.exceptions import AccessError, RedirectWarning, UserError
from odoo.tests import Form, tagged

from .common import CoverageCase


@tagged("post_install", "-at_install")
class TestLeaver(CoverageCase):
    """Nobody leaves while customers are his: all of it is handed over first."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customers = cls._create_buyers(3, 100, user_id=cls.sara.id)
        cls.rows = cls.env["coverage.customer"].search(
            [("partner_id", "in", cls.customers.ids)]
        )
        cls.manager.group_ids += cls.env.ref("base.group_erp_manager")

    def _leave(self, user=None, **values):
        leavers = self.env["coverage.leaver"].with_user(user or self.manager)
        leaver = leavers.create(
            {"user_id": self.sara.id, "receiver_id": self.sam.id, **values}
        )
        return leaver.action_hand_over()

    def test_archiving_an_owner_leads_to_who_takes_over(self):
        for archive in (
            lambda user: user.action_archive(),
            lambda user: user.write({"active": False}),
            lambda user: user.write(
                {
                    "company_id": self.elsewhere.id,
                    "company_ids": [Command.set(self.elsewhere.ids)],
                }
            ),
        ):
            with self.assertRaises(RedirectWarning) as warning, self.env.cr.savepoint():
                archive(self.sara.with_user(self.manager))
            message, action, _button, _context = warning.exception.args
            self.assertIn("3 customers", message)
            self.assertEqual(action["context"]["default_user_id"], self.sara.id)
        self.env.invalidate_all()
        self.assertTrue(self.sara.active)

    def test_superuser_archives_and_the_leader_is_accountable(self):
        self.sara.action_archive()
        self.assertFalse(self.sara.active)
        self.env.invalidate_all()
        self.assertEqual(self.rows.accountable_user_id, self.leader)

    def test_who_owns_nothing_just_leaves(self):
        self.olga.with_user(self.manager).action_archive()
        self.assertFalse(self.olga.active)

    def test_one_takes_all(self):
        lead = self._create_opportunity(self.customers[0], user_id=self.sara.id)
        alone = self._create_opportunity(
            self.env["res.partner"], user_id=self.sara.id, name="Alone"
        )
        form = Form(
            self.env["coverage.leaver"]
            .with_user(self.manager)
            .with_context(default_user_id=self.sara.id)
        )
        self.assertEqual((form.customer_count, form.lead_count), (3, 2))
        form.receiver_id = self.sam
        mails = self.env["mail.mail"].search_count([])
        form.save().action_hand_over()
        self.assertEqual(self.rows.user_id, self.sam)
        self.assertEqual((lead + alone).user_id, self.sam)
        self.assertEqual(self.customers.user_id, self.sam)
        self.assertFalse(self.sara.active)
        change = self.rows[0].change_ids.filtered(
            lambda one: one.field_name == "user_id"
        )
        self.assertIn("cover_sara no longer works on it.", change.mapped("reason_text"))
        self.assertEqual(self.env["mail.mail"].search_count([]), mails)

    def test_pool_takes_all(self):
        self._leave(mode="pool", is_archived=False)
        self.assertFalse(self.rows.user_id)
        self.assertEqual(self.rows.team_id, self.north)
        self.assertEqual(self.rows.accountable_user_id, self.leader)
        self.assertTrue(self.sara.active)

    def _apply(self, action):
        """Apply the plan that a manager is shown."""
        self.assertEqual(action["res_model"], "coverage.run")
        run = self.env["coverage.run"].with_user(self.manager).browse(action["res_id"])
        self.assertEqual(run.state, "planned")
        run.action_apply()
        return run

    def test_best_takes_each_when_the_plan_is_applied(self):
        action = self._leave(mode="best", receiver_id=False)
        self.assertEqual(self.rows.user_id, self.sara)
        self.assertTrue(self.sara.active)
        run = self._apply(action)
        self.assertFalse(self.rows.filtered(lambda one: one.user_id == self.sara))
        self.assertTrue(all(row.user_id for row in self.rows))
        self.assertFalse(self.sara.active)
        self.assertIn("cover_sara leaves.", run.move_ids[0].reason_text)
        self.assertEqual(run.absence_ids.state, "over")

    def test_several_share_as_the_plan_says(self):
        action = self._leave(
            mode="several", receiver_ids=(self.sam + self.olga).ids, receiver_id=False
        )
        run = self._apply(action)
        self.assertLessEqual(self.rows.user_id, self.sam + self.olga)
        self.assertEqual(run.receiver_ids, self.sam + self.olga)

    def test_whom_nobody_has_room_for_goes_to_the_pool(self):
        farmer = self.env.ref("crm_sales_coverage.role_farmer")
        farmer.max_customer_count = 2
        self.north.crm_team_member_ids.coverage_role_ids = farmer
        self.rows.role_id = farmer
        action = self._leave(
            mode="several", receiver_ids=self.sam.ids, receiver_id=False
        )
        self._apply(action)
        left = self.rows.filtered(lambda one: not one.user_id)
        self.assertEqual(len(left), 1)
        self.assertEqual(left.accountable_user_id, self.leader)
        self.assertFalse(self.rows.filtered(lambda one: one.user_id == self.sara))

    def test_plan_that_is_cancelled_moves_nothing(self):
        action = self._leave(mode="best", receiver_id=False)
        run = self.env["coverage.run"].browse(action["res_id"])
        run.with_user(self.manager).action_cancel()
        self.assertEqual(run.absence_ids.state, "cancelled")
        self.assertEqual(self.rows.user_id, self.sara)
        self.assertTrue(self.sara.active)

    def test_second_plan_replaces_the_first(self):
        first = self._leave(mode="best", receiver_id=False)
        self._leave(mode="best", receiver_id=False)
        run = self.env["coverage.run"].browse(first["res_id"])
        self.assertEqual((run.state, run.absence_ids.state), ("cancelled",) * 2)

    def test_leader_plans_and_applies_in_one(self):
        theirs = self._row(self._create_buyers(1, 100, user_id=self.sara.id))
        theirs.team_id = self.south
        self._leave(self.leader, mode="best", receiver_id=False)
        self.assertTrue(all(row.user_id != self.sara for row in self.rows))
        self.assertEqual(theirs.user_id, self.sara)

    def test_nothing_stays_with_who_leaves(self):
        """Deals, quotations, activities, watches, stages and assistants move too."""
        other = self._create_customer("Other", user_id=self.olga.id)
        nobody = self.env["res.partner"]
        lead = self._create_opportunity(nobody, user_id=self.sara.id)
        olgas = self._create_opportunity(other, user_id=self.sara.id)
        order = self._create_quotation(other, 100, user_id=self.sara.id)
        activities = self.env["mail.activity"]
        for record in (lead, olgas, order, self.customers[0], other):
            activities += record.activity_schedule(
                "mail.mail_activity_data_todo", user_id=self.sara.id
            )
        watched = self._row(other)
        watched.watcher_ids = self.sara
        member = self.north.crm_team_member_ids.filtered(
            lambda one: one.user_id == self.sam
        )
        member.coverage_assistant_id = self.sara
        form = Form(
            self.env["coverage.leaver"]
            .with_user(self.manager)
            .with_context(default_user_id=self.sara.id)
        )
        self.assertEqual((form.quotation_count, form.activity_count), (1, 5))
        self.assertEqual(form.assisted_count, 1)
        self._leave(receiver_id=self.manager.id)
        self.assertEqual(lead.user_id, self.manager)
        self.assertEqual(olgas.user_id | order.user_id, self.olga)
        self.assertEqual(
            activities.mapped("user_id.login"),
            ["cover_manager", "cover_olga"],
        )
        self.assertFalse(watched.watcher_ids)
        self.assertEqual(member.coverage_assistant_id, self.manager)
        left = self.env["coverage.departure"]._find_all(self.sara)
        self.assertEqual({name for name, found in left.items() if found}, set())

    def test_watched_handoff_gets_another_watcher(self):
        handoff = self.env["coverage.handoff"].create(
            {
                "customer_id": self.rows[0].id,
                "to_user_id": self.sam.id,
                "reason": "Grew",
            }
        )
        handoff.action_offer()
        handoff.with_user(self.sam).action_accept()
        self.assertEqual(handoff.state, "watched")
        self._leave(receiver_id=self.olga.id, is_archived=False)
        self.assertEqual(handoff.from_user_id, self.olga)
        self.assertIn(self.olga, self.rows[0].watcher_ids)
        self.assertNotIn(self.sara, self.rows[0].watcher_ids)

    def test_handoffs_and_stages_are_moved_too(self):
        handoff = self.env["coverage.handoff"].create(
            {
                "customer_id": self.rows[0].id,
                "to_user_id": self.sam.id,
                "reason": "Grew",
            }
        )
        boss = self.env["coverage.stage.owner"].create(
            {
                "stage_id": self.env["crm.stage"].search([], limit=1).id,
                "team_id": self.north.id,
                "user_id": self.sara.id,
            }
        )
        self._leave(mode="pool", receiver_id=False)
        self.assertEqual(handoff.state, "cancelled")
        self.assertEqual(boss.user_id, self.leader)

    def test_leaders_for_their_members_only(self):
        self._leave(self.leader, is_archived=True)
        self.assertEqual(self.rows.user_id, self.sam)
        self.assertTrue(self.sara.active)  # a leader is no administrator
        with self.assertRaises(AccessError):
            self._leave(self.south_leader, user_id=self.sam.id)
        with self.assertRaises(AccessError):
            self._leave(self.sam)

    def test_receiver_must_work_there(self):
        for receiver in (self.stranger, self.sara, self.env["res.users"]):
            with self.subTest(receiver.login), self.assertRaises(UserError):
                self._leave(receiver_id=receiver.id)
        self.assertEqual(self.rows.user_id, self.sara)

    def test_user_who_leaves_one_of_two_companies(self):
        both = self.company + self.elsewhere
        self.sara.company_ids = both
        self.rows[0].company_id.ensure_one()
        partner = self._create_customer("There")
        self._confirm_order(partner, 100, company=self.elsewhere)
        self._row(partner, self.elsewhere).user_id = self.sara
        user = self.sara.with_user(self.manager).sudo(False)
        with self.assertRaises(RedirectWarning) as warning:
            user.write({"company_ids": [Command.set(self.company.ids)]})
        self.assertIn("1 customers", warning.exception.args[0])

    def test_member_who_leaves_a_team_keeps_its_customers(self):
        self.north.crm_team_member_ids.filtered(
            lambda one: one.user_id == self.sara
        ).active = False
        self.assertEqual(self.rows.user_id, self.sara)

    def test_many_customers_cost_no_more_queries_than_few(self):
        costs = []
        for count in (5, 50):
            customers = self._create_buyers(count, 100, user_id=self.olga.id)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self._leave(user_id=self.olga.id, is_archived=False)
            self.env.flush_all()
            costs.append(self.env.cr.sql_log_count - before)
            self.assertEqual(customers.user_id, self.sam)
        self.assertLessEqual(costs[1], costs[0] + 20)
