from datetime import timedelta

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import freeze_time, tagged, users

from .common import NOW, TODAY, CoverageCase


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestAssignment(CoverageCase):
    """A plan gives customers that need it another owner, explained and reversible."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.write(
            {
                "coverage_assign_revenue_rate": 0,
                "coverage_assign_giver_revenue_rate": 0,
            }
        )
        cls._create_leaders()
        cls.idle = cls._create_idle(2)

    @classmethod
    def _create_idle(cls, count, owner=None, amount=2_000):
        """Return the rows of buyers whom their owner neglects."""
        owner = owner or cls.sara
        buyers = cls._create_buyers(count, amount, user_id=owner.id)
        cls._refresh(NOW - timedelta(days=1))
        rows = cls.env["coverage.customer"].search(
            [("partner_id", "in", buyers.ids)], order="id"
        )
        rows.idle_since = TODAY
        return rows

    @classmethod
    def _make_plan(cls, **values):
        """Return a planned assignment, of idle customers only unless said otherwise."""
        usual = {"has_unowned": False, "has_miscovered": False}
        run = cls.env["coverage.run"].create(
            {
                "kind": "assignment",
                "company_id": cls.company.id,
                **usual,
                **values,
            }
        )
        run.action_plan()
        return run

    def _move(self, run, row):
        return run.move_ids.filtered(lambda one: one.customer_id == row)

    # === PLAN === #

    def test_plan_moves_idle_customers_to_others_and_writes_nothing(self):
        before = self._snapshot()
        run = self._make_plan()
        self.assertEqual(run.state, "planned")
        self.assertEqual(run.move_ids.customer_id, self.idle)
        self.assertEqual(set(run.move_ids.mapped("old_value")), {str(self.sara.id)})
        receivers = {int(one) for one in run.move_ids.mapped("new_value")}
        self.assertLessEqual(receivers, {self.sam.id, self.olga.id})
        self.assertSameRows(self._snapshot(), before)

    def test_every_move_says_why_and_who_came_second(self):
        run = self._make_plan()
        move = run.move_ids[0]
        self.assertEqual(move.reason["cause"], "idle")
        self.assertIn("Idle", move.reason_text)
        self.assertIn("of 100", move.reason_text)
        second = self.olga if move.new_value == str(self.sam.id) else self.sam
        self.assertIn(second.name, move.second_text)

    def test_summary_says_before_and_after(self):
        run = self._make_plan()
        people = {one["id"]: one for one in run.plan_summary["people"]}
        sara = people[self.sara.id]
        self.assertEqual(sara["given"], 2)
        self.assertEqual(sara["before"]["customers"] - 2, sara["after"]["customers"])
        taken = sum(one["taken"] for one in people.values())
        self.assertEqual(taken, 2)
        self.assertEqual(run.risk_revenue, 4_000)

    def test_without_an_owner_or_in_the_wrong_role(self):
        role = self.env.ref("crm_sales_coverage.role_farmer")
        free = self._create_idle(1)
        free.write({"user_id": False, "idle_since": False})
        member = self.south.crm_team_member_ids
        member.write(
            {
                "coverage_role_ids": [Command.set(role.ids)],
                "coverage_seniority": "senior",
            }
        )
        free.role_id = role
        run = self._make_plan(has_idle=False, has_unowned=True)
        self.assertEqual(self._move(run, free).new_value, str(self.olga.id))
        self.idle.write({"role_id": role.id, "idle_since": False})
        run = self._make_plan(has_idle=False, has_miscovered=True)
        self.assertEqual(run.move_ids.customer_id & self.idle, self.idle)
        self.assertEqual(set(run.move_ids.mapped("new_value")), {str(self.olga.id)})

    def test_rights_pauses_and_handoffs_keep_it(self):
        row = self.idle[0]
        for values in (
            {"protected_until": TODAY},
            {"leave_alone_until": TODAY},
        ):
            with self.subTest(values), self._tried():
                row.write(values)
                self.assertNotIn(row, self._make_plan().move_ids.customer_id)
        handoff = self.env["coverage.handoff"].create(
            {"customer_id": row.id, "to_user_id": self.sam.id, "reason": "Test"}
        )
        handoff.action_offer()
        self.assertNotIn(row, self._make_plan().move_ids.customer_id)

    def test_what_somebody_is_offered_from_the_pool_waits_for_the_answer(self):
        row = self.idle[0]
        row.user_id = False
        claim = self.env["coverage.claim"].create(
            {
                "customer_id": row.id,
                "user_id": self.sam.id,
                "company_id": self.company.id,
                "offer_date": NOW,
                "until_date": NOW + timedelta(hours=1),
            }
        )
        plan = {"has_unowned": True}
        self.assertNotIn(row, self._make_plan(**plan).move_ids.customer_id)
        claim.until_date = NOW - timedelta(hours=1)
        self.assertIn(row, self._make_plan(**plan).move_ids.customer_id)

    def test_absent_archived_and_paused_people_get_nothing(self):
        self.sam.write(
            {
                "out_of_office_from": NOW - timedelta(days=1),
                "out_of_office_to": NOW + timedelta(days=9),
            }
        )
        self.south.crm_team_member_ids.assignment_optout = True
        run = self._make_plan()
        self.assertFalse(run.move_ids)
        self.assertEqual(run.stay_ids.mapped("code"), ["nobody"] * 2)
        self.assertIn("absent", run.stay_ids[0].text)
        self.assertIn("paused", run.stay_ids[0].text)
        self.assertEqual(run.plan_summary["stays"][0]["count"], 2)

    def test_never_back_to_an_owner_of_late(self):
        row = self.idle[0]
        row.write({"user_id": self.sam.id})
        row.write({"user_id": self.sara.id})
        row.idle_since = TODAY
        run = self._make_plan()
        self.assertEqual(self._move(run, row).new_value, str(self.olga.id))

    def test_limits_of_the_settings(self):
        self._create_idle(3, self.olga)
        for values, count, codes in (
            ({"coverage_assign_moves": 2}, 2, {"run_limit"}),
            ({"coverage_assign_giver_moves": 1}, 2, {"giver_limit"}),
            ({"coverage_assign_revenue_rate": 0.05}, 1, {"budget_run"}),
            ({"coverage_assign_giver_revenue_rate": 0.5}, 2, {"budget_giver"}),
        ):
            with self.subTest(values), self._tried():
                self.company.write(values)
                run = self._make_plan()
                self.assertEqual(run.move_count, count)
                self.assertEqual(set(run.stay_ids.mapped("code")), codes)

    def test_what_was_moved_within_30_days_counts_against_the_budget(self):
        self.company.coverage_assign_revenue_rate = 0.07  # of 34,000
        run = self._make_plan()
        self.assertEqual(run.move_count, 1)
        run.action_apply()
        self.assertEqual(self._make_plan().move_count, 0)
        with freeze_time(NOW + timedelta(days=31)):
            self.assertEqual(self._make_plan().move_count, 1)

    def test_weights_decide(self):
        self.idle.partner_id.lang = "en_US"
        english = self.env.ref("base.lang_en")
        self.south.crm_team_member_ids.coverage_lang_ids = english
        names = self.company._get_weight_names()
        for name, winner in (("language", self.olga), ("team", self.sam)):
            with self.subTest(name):
                self.company.write(
                    {one: int(one.endswith(f"_{name}")) for one in names}
                )
                run = self._make_plan()
                found = set(run.move_ids.mapped("new_value"))
                self.assertEqual(found, {str(winner.id)})

    def test_settings_that_make_no_sense(self):
        for values in (
            {"coverage_assign_moves": -1},
            dict.fromkeys(self.company._get_weight_names(), 0),
        ):
            with self.subTest(values), self.assertRaises(ValidationError):
                self.company.write(values)

    # === CHANGING A PLAN === #

    def test_taken_out_stays_out_when_planned_anew(self):
        run = self._make_plan()
        row = self.idle[0]
        self._move(run, row).action_take_out()
        run.action_plan()
        self.assertEqual(self._move(run, row).state, "removed")
        self.assertEqual(run.move_count, 1)
        run.action_apply()
        self.assertEqual(row.user_id, self.sara)
        self.assertNotEqual(self.idle[1].user_id, self.sara)

    def test_put_back_moves_after_all(self):
        run = self._make_plan()
        run.move_ids.action_take_out()
        self.assertEqual(run.move_count, 0)
        run.move_ids.action_put_back()
        run.action_apply()
        self.assertNotIn(self.sara, self.idle.user_id)

    def test_chosen_receiver_is_kept_and_explained(self):
        run = self._make_plan()
        row = self.idle[0]
        self.north.crm_team_member_ids.assignment_optout = True
        dialog = (
            self.env["coverage.choose.receiver"]
            .with_context(default_change_ids=self._move(run, row).ids)
            .create({"receiver_id": self.sam.id})
        )
        dialog.action_choose()
        run.action_plan()
        self.assertEqual(self._move(run, row).new_value, str(self.sam.id))
        self.assertIn("Chosen by hand", self._move(run, row).reason_text)
        run.action_apply()
        self.assertEqual(row.user_id, self.sam)

    def test_receiver_must_be_able_to_own(self):
        run = self._make_plan()
        for user in (self.stranger, self.sara):
            with self.subTest(user.name), self.assertRaises(UserError):
                run.move_ids[0]._choose_receiver(user)

    def test_applied_plan_is_changed_no_more(self):
        run = self._make_plan()
        run.action_apply()
        for action in ("action_take_out", "action_put_back", "action_choose_receiver"):
            with self.subTest(action), self.assertRaises(UserError):
                getattr(run.move_ids, action)()

    # === APPLY === #

    def test_apply_carries_along_what_belongs_to_the_customer(self):
        row = self.idle[0]
        lead = self._create_opportunity(row.partner_id, user_id=self.sara.id)
        order = self._create_quotation(row.partner_id, 500, user_id=self.sara.id)
        activity = row.partner_id.activity_schedule(
            "mail.mail_activity_data_todo", user_id=self.sara.id
        )
        mails = self.env["mail.mail"].search_count([])
        run = self._make_plan()
        run.action_apply()
        receiver = row.user_id
        self.assertEqual(run.state, "applied")
        self.assertNotEqual(receiver, self.sara)
        self.assertEqual(row.partner_id.user_id, receiver)
        for document in (lead, order, activity):
            self.assertEqual(document.user_id, receiver)
        self.assertEqual(self.env["mail.mail"].search_count([]), mails)
        self.assertFalse(row.protected_until)

    def test_apply_looks_again_at_each(self):
        row, other = self.idle
        run = self._make_plan()
        receiver = self.env["res.users"].browse(int(self._move(run, other).new_value))
        for name, change in (
            ("owner", lambda: row.write({"user_id": self.olga.id})),
            ("protected", lambda: row.write({"protected_until": TODAY})),
            ("no longer idle", lambda: row.write({"idle_since": False})),
            ("archived", lambda: row.write({"active": False})),
        ):
            with self.subTest(name), self._tried():
                change()
                owner = row.user_id
                run.action_apply()
                self.assertEqual(self._move(run, row).state, "outdated")
                self.assertEqual(row.user_id, owner)
                self.assertEqual(other.user_id, receiver)

    def test_apply_looks_again_at_the_receiver(self):
        run = self._make_plan(receiver_ids=[Command.set(self.sam.ids)])
        self.north.crm_team_member_ids.assignment_optout = True
        run.action_apply()
        self.assertEqual(set(run.move_ids.mapped("state")), {"outdated"})
        self.assertEqual(self.idle.user_id, self.sara)

    def test_apply_refuses_when_the_weights_changed(self):
        run = self._make_plan()
        self.company.coverage_weight_room = 99
        with self.assertRaises(UserError):
            run.action_apply()

    def test_a_veto_skips_one_move(self):
        run = self._make_plan()
        with (
            self._refuse(self.idle[0].partner_id, "user_id"),
            self.assertLogs("odoo.addons.crm_sales_coverage", "WARNING"),
        ):
            run.action_apply()
        self.assertEqual(self._move(run, self.idle[0]).state, "outdated")
        self.assertEqual(self._move(run, self.idle[1]).state, "applied")
        self.assertEqual(self.idle[0].user_id, self.sara)

    # === UNDO === #

    def test_undo_gives_back_customers_and_documents(self):
        row = self.idle[0]
        lead = self._create_opportunity(row.partner_id, user_id=self.sara.id)
        run = self._make_plan()
        run.action_apply()
        run.action_undo()
        self.assertEqual(run.state, "undone")
        self.assertEqual(self.idle.user_id, self.sara)
        self.assertEqual(row.partner_id.user_id, self.sara)
        self.assertEqual(lead.user_id, self.sara)
        self.assertEqual(row.protected_until, TODAY + timedelta(days=90))
        self.assertFalse(self._make_plan().move_ids)

    def test_undo_leaves_what_somebody_changed_since(self):
        run = self._make_plan()
        run.action_apply()
        kept = self.idle[0]
        kept.user_id = self.leader
        run.action_undo()
        self.assertEqual(kept.user_id, self.leader)
        self.assertEqual(self._move(run, kept).state, "kept")
        self.assertEqual(self.idle[1].user_id, self.sara)

    def test_one_move_is_undone_alone(self):
        lead = self._create_opportunity(self.idle[0].partner_id, user_id=self.sara.id)
        run = self._make_plan()
        run.action_apply()
        self._move(run, self.idle[0]).action_undo_move()
        self.assertEqual(self.idle[0].user_id, self.sara)
        self.assertEqual(lead.user_id, self.sara)
        self.assertNotEqual(self.idle[1].user_id, self.sara)
        self.assertEqual(run.state, "applied")
        run.action_undo()
        self.assertEqual(self.idle.user_id, self.sara)

    # === SOMEBODY GIVES ALL === #

    def test_everything_of_a_person_goes_to_those_chosen(self):
        rows = self.env["coverage.customer"].search([("user_id", "=", self.sara.id)])
        self.idle.write({"protected_until": TODAY, "idle_since": False})
        run = self._make_plan(
            giver_ids=[Command.set(self.sara.ids)],
            receiver_ids=[Command.set((self.sam | self.leader).ids)],
        )
        run.action_apply()
        self.assertTrue(rows)
        self.assertEqual(rows.user_id, self.sam)  # the leader is in no team

    def test_nobody_gives_to_himself(self):
        with self.assertRaises(UserError):
            self._make_plan(
                giver_ids=[Command.set(self.sara.ids)],
                receiver_ids=[Command.set(self.sara.ids)],
            )

    # === BY ITSELF === #

    def _run_job(self, now=NOW):
        engine = self.env["coverage.assignment"].sudo()
        tally = type("Tally", (), {"count": 0})()
        self.assertTrue(engine._run_automatic(self.company, now, tally, None))
        return self.env["coverage.run"].search(
            [
                ("company_id", "=", self.company.id),
                ("kind", "=", "assignment"),
                ("origin", "=", "job"),
            ]
        )

    def test_small_plans_are_applied_by_the_job_once_a_day(self):
        self.company.coverage_assign_team_rate = 1
        run = self._run_job()
        self.assertEqual(run.state, "applied")
        self.assertNotIn(self.sara, self.idle.user_id)
        self.assertEqual(self._run_job(), run)

    def test_large_plans_wait_and_are_made_anew(self):
        run = self._run_job()  # two of a team are more than a twentieth
        self.assertEqual((run.state, run.is_waiting), ("planned", True))
        self.assertEqual(self.idle.user_id, self.sara)
        with freeze_time(NOW + timedelta(days=1)):
            runs = self._run_job(NOW + timedelta(days=1))
        self.assertEqual(run.state, "cancelled")
        self.assertEqual((runs - run).state, "planned")

    def test_the_job_plans_only_where_that_is_wanted(self):
        self.company.write(
            {"coverage_assign_team_rate": 0, "coverage_assign_automatic": False}
        )
        run = self._run_job()
        self.assertEqual((run.state, run.is_waiting), ("planned", True))
        run.action_apply()
        self.assertNotIn(self.sara, self.idle.user_id)

    def test_nothing_idle_leaves_no_trace(self):
        self.idle.idle_since = False
        self.assertFalse(self._run_job())

    # === RIGHTS === #

    def test_only_managers_plan_and_decide(self):
        run = self._make_plan()
        for user in (self.sara, self.leader):
            with self.subTest(user.name), self.assertRaises(AccessError):
                run.with_user(user).action_apply()
            with self.subTest(user.name), self.assertRaises(AccessError):
                run.move_ids.with_user(user).action_take_out()
        with self.assertRaises(AccessError):
            run.with_user(self.stranger).action_apply()
        run.with_user(self.manager).action_apply()
        self.assertEqual(run.state, "applied")

    @users("cover_leader")
    def test_leaders_see_the_moves_of_their_team(self):
        run = self._make_plan.__func__(type(self), **{})
        self.south_row = self._create_idle(1, self.olga)
        mine = run.with_user(self.env.user)
        self.assertEqual(mine.move_ids.customer_id, self.idle)
        self.assertTrue(mine.plan_summary["people"])

    def test_nobody_writes_what_a_plan_came_to(self):
        run = self._make_plan()
        for values in ({"plan": {}}, {"is_waiting": True}, {"state": "applied"}):
            with self.subTest(values), self.assertRaises(UserError):
                run.with_user(self.manager).write(values)
        with self.assertRaises(AccessError):
            run.move_ids.with_user(self.manager).write({"new_value": "1"})

    # === COST === #

    def test_planning_asks_no_more_of_more_customers(self):
        self.company.write(
            {
                "coverage_assign_moves": 0,
                "coverage_assign_giver_moves": 0,
                "coverage_capacity": 1_000,
            }
        )
        counts = []
        for count in (8, 80):
            self._create_idle(count, self.olga)
            self.env.flush_all()
            run = self.env["coverage.run"].create(
                {"kind": "assignment", "company_id": self.company.id}
            )
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            run.action_plan()
            self.env.flush_all()
            counts.append(self.cr.sql_log_count - before)
        self.assertLessEqual(counts[1], counts[0] + 2)
