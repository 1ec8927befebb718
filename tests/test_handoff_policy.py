from datetime import timedelta

from odoo.exceptions import ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models.coverage_job import Tally
from .common import NOW, TODAY, ago
from .test_handoff import HandoffCase

ENGINE = "odoo.addons.crm_sales_coverage.models.coverage_handoff_engine"


@tagged("post_install", "-at_install")
class TestHandoffPolicy(HandoffCase):
    """What begins by itself, by when it must be done, and what if it is not.

    Sara hunts, Sam farms, Olga nurtures.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        ref = cls.env.ref
        cls.hunter = ref("crm_sales_coverage.role_hunter")
        cls.farmer = ref("crm_sales_coverage.role_farmer")
        cls.nurturer = ref("crm_sales_coverage.role_call_agent")
        cls.sara.crm_team_member_ids.coverage_role_ids = cls.hunter
        cls.sam.crm_team_member_ids.coverage_role_ids = cls.farmer
        cls.olga.crm_team_member_ids.coverage_role_ids = cls.nurturer
        cls.policies = cls.env["coverage.handoff.policy"].with_context(
            active_test=False
        )
        cls.policies.search([]).active = False
        cls._set_lifecycle("regular")

    @classmethod
    def _set_lifecycle(cls, lifecycle, row=None, days_ago=1, role=None):
        """Let a customer be so since a day, covered by farmers."""
        row = row or cls.row
        role = role or cls.farmer
        cls.env.flush_all()
        cls.env.cr.execute(
            "UPDATE coverage_customer SET lifecycle = %s, lifecycle_since = %s,"
            " role_id = %s, rule_id = NULL, owned_since = %s WHERE id = %s",
            [lifecycle, ago(days_ago), role.id, ago(days_ago), row.id],
        )
        cls.env.invalidate_all()

    @classmethod
    def _add_policy(cls, **values):
        return cls.policies.create(
            {
                "name": "It became regular",
                "company_id": cls.company.id,
                "trigger": "lifecycle",
                "lifecycle": "regular",
                **values,
            }
        )

    def _found(self):
        self.env.invalidate_all()
        return self.env["coverage.handoff"].search(
            [("company_id", "=", self.company.id)], order="id"
        )

    def _create_rows(self, count):
        partners = self.env["res.partner"].create(
            [
                {"name": f"Many {n}", "is_company": True, "user_id": self.sara.id}
                for n in range(count)
            ]
        )
        rows = self.env["coverage.customer"].search(
            [("partner_id", "in", partners.ids)]
        )
        for row in rows:
            self._set_lifecycle("regular", row)
        return rows

    # === TRIGGERS === #

    def test_regular_customer_is_to_be_handed_to_the_role_of_the_rules(self):
        self._add_policy()
        before = self._count_mails()
        self.assertEqual(self._run(), 1)
        handoff = self._found()
        self.assertEqual(handoff.state, "draft")
        self.assertEqual(
            (handoff.from_user_id, handoff.to_user_id), (self.sara, self.sam)
        )
        self.assertEqual(handoff.date_deadline, TODAY + timedelta(days=7))
        self.assertEqual(handoff.reason, "It became regular")
        self.assertEqual(handoff.proposal["candidates"][0]["user_id"], self.sam.id)
        self.assertEqual(self._activities(handoff).user_id, self.sara)
        self.assertEqual(self._count_mails(), before)

    def test_occasion_counts_once(self):
        self._add_policy()
        self._run()
        self.assertEqual(self._run(), 0)
        self._found().action_cancel()
        self.assertEqual(self._run(1), 0)
        self._set_lifecycle("regular", days_ago=-2)
        self.assertEqual(self._run(3), 1)

    def test_what_people_handed_over_since_is_not_begun_again(self):
        self._accept(to=self.olga)
        self._set_lifecycle("regular")
        self._add_policy()
        self.assertEqual(self._run(), 0)

    def test_owner_in_the_right_role_keeps_the_customer(self):
        self.sara.crm_team_member_ids.coverage_role_ids += self.farmer
        self._add_policy()
        self.assertEqual(self._run(), 0)
        self.policies.search([("active", "=", True)]).min_seniority = "senior"
        self.sam.crm_team_member_ids.coverage_seniority = "senior"
        self.assertEqual(self._run(), 1)

    def test_nothing_begins_while_nobody_has_a_role(self):
        self.env["crm.team.member"].search([]).coverage_role_ids = False
        self._add_policy()
        self.assertEqual(self._run(), 0)

    def test_protected_and_left_alone_wait(self):
        self._add_policy()
        for name in ("protected_until", "leave_alone_until"):
            with self.subTest(name=name), self._tried():
                self.row[name] = TODAY
                self.assertEqual(self._run(), 0)
                self.assertEqual(self._run(1), 1)

    def test_so_many_a_day_and_giver(self):
        self._create_rows(3)
        self._add_policy(max_per_giver=2)
        self.assertEqual(self._run(), 2)
        self.assertEqual(self._run(), 0)
        self.assertEqual(self._run(1), 2)

    def test_nobody_to_take_it_begins_nothing(self):
        self.sam.out_of_office_from = NOW - timedelta(days=1)
        self._add_policy()
        self.assertEqual(self._run(), 0)
        preview = self.engine._preview_handoffs(self.company, NOW)
        self.assertEqual(preview["nobody"][0]["role_id"], self.farmer.id)

    def test_first_policy_wins(self):
        self._add_policy(name="First", sequence=1)
        self._add_policy(name="Second", sequence=2)
        self._run()
        self.assertEqual(self._found().reason, "First")

    def test_policy_of_another_team_or_company_does_not_count(self):
        self._add_policy(team_ids=self.south.ids)
        self._add_policy(company_id=self.elsewhere.id)
        self.assertEqual(self._run(), 0)

    def test_sleeping_customer(self):
        self._set_lifecycle("sleeping")
        self._add_policy(lifecycle="sleeping")
        self.assertEqual(self._run(), 1)

    def test_nth_order_and_amount(self):
        self._set_lifecycle("new")
        for values, columns in (
            ({"trigger": "orders", "order_count": 5}, "awake_order_day_count"),
            ({"trigger": "amount", "amount": 5}, "revenue_12m"),
        ):
            with self.subTest(trigger=values["trigger"]), self._tried():
                self._add_policy(**values, role_id=self.farmer.id)
                self.assertEqual(self._run(), 0)
                self.env.cr.execute(
                    f"UPDATE coverage_customer SET {columns} = 5 WHERE id = %s",
                    [self.row.id],
                )
                self.assertEqual(self._run(), 1)
                self.assertEqual(self._run(), 0)

    def test_lead_in_a_stage_of_another_role(self):
        self._set_lifecycle("prospect")
        stage = self.env["crm.stage"].create(
            {"name": "Farming", "coverage_role_id": self.farmer.id}
        )
        lead = self._create_opportunity(
            self.customer, user_id=self.sara.id, team_id=self.north.id
        )
        self._add_policy(trigger="stage")
        lead.stage_id = stage
        self.assertEqual(self._run(), 1)
        handoff = self._found()
        self.assertEqual((handoff.lead_id, handoff.to_user_id), (lead, self.sam))
        self.assertEqual(self._run(), 0)

    def _enter_stage(self, customer, user=None):
        """Return a lead that came to a stage of nurturers."""
        stage = self.env["crm.stage"].create(
            {"name": "Nurturing", "coverage_role_id": self.nurturer.id}
        )
        lead = self._create_opportunity(
            customer, user_id=(user or self.sara).id, team_id=self.north.id
        )
        lead.stage_id = stage
        lead.date_last_stage_update = NOW
        self._add_policy(trigger="stage")
        return lead

    def test_owner_keeps_his_deals_with_customers_that_bought(self):
        self.env["coverage.rule"].search([]).role_id = self.farmer
        for lifecycle in ("new", "regular", "sleeping"):
            with self.subTest(lifecycle=lifecycle), self._tried():
                self._enter_stage(self.customer)
                self._set_lifecycle(lifecycle)
                self.assertEqual(self._run(), 0)

    def test_deal_of_another_with_a_buyer_follows_the_rules(self):
        self.env["coverage.rule"].search([]).role_id = self.farmer
        self.row.user_id = self.leader
        lead = self._enter_stage(self.customer)
        self._set_lifecycle("regular")
        self.assertEqual(self._run(), 1)
        handoff = self._found()
        self.assertEqual((handoff.lead_id, handoff.role_id), (lead, self.farmer))

    def test_lead_of_a_prospect_or_of_nobody_follows_the_stage(self):
        for customer in (self.customer, self.env["res.partner"]):
            with self.subTest(customer=customer.name), self._tried():
                lead = self._enter_stage(customer)
                self._set_lifecycle("prospect")
                self.assertEqual(self._run(), 1)
                handoff = self._found()
                self.assertEqual(
                    (handoff.lead_id, handoff.to_user_id), (lead, self.olga)
                )

    def test_who_holds_the_role_of_the_stage_keeps_the_lead(self):
        self._enter_stage(self.env["res.partner"], self.olga)
        self.policies.search([("active", "=", True)]).min_seniority = "senior"
        self.sam.crm_team_member_ids.write(
            {
                "coverage_role_ids": [(4, self.nurturer.id)],
                "coverage_seniority": "senior",
            }
        )
        self.assertEqual(self._run(), 0)

    def test_lost_prospect_returns_to_nurturing(self):
        prospect = self._create_customer(name="Lost", user_id=self.sara.id)
        lead = self._create_opportunity(
            prospect, user_id=self.sara.id, team_id=self.north.id
        )
        reason = self.env["crm.lost.reason"].create({"name": "Too dear"})
        lead.action_set_lost(lost_reason_id=reason.id)
        self._add_policy(trigger="lost", retry_days=30, watch_deal_count=0)
        self.env.cr.flush()
        self.assertEqual(self._run(), 1)
        row, handoff = self._row(prospect), self._found()
        self.assertEqual(row.user_id, self.olga)
        self.assertEqual((handoff.state, handoff.origin), ("accepted", "handback"))
        self.assertIn("Too dear", handoff.reason)
        self.assertEqual(row.leave_alone_until, TODAY + timedelta(days=29))
        self.assertEqual(self._run(), 0)

    # === DEADLINES === #

    def _begin(self, **values):
        policy = self._add_policy(**values)
        self._run()
        handoff = self._found()
        self.assertEqual(handoff.policy_id, policy)
        return handoff

    def test_giver_who_is_late_loses_the_customer(self):
        handoff = self._begin()
        self._run(7)
        self.assertEqual(handoff.state, "draft")
        self._run(8)
        self.assertEqual(handoff.state, "watched")
        self.assertEqual(self.row.user_id, self.sam)

    def test_giver_who_is_late_calls_the_leader(self):
        handoff = self._begin(on_giver_late="leader")
        self._run(8)
        self.assertEqual((handoff.state, handoff.is_called), ("draft", True))
        self.assertIn(self.leader, self._activities(handoff).user_id)
        self.assertEqual(self.row.user_id, self.sara)
        handoff.with_user(self.leader).action_transfer()
        self.assertEqual(self.row.user_id, self.sam)

    def test_transfer_never_goes_to_who_is_away(self):
        handoff = self._begin()
        self.sam.out_of_office_from = NOW
        self._run(8)
        self.assertEqual((handoff.state, handoff.is_called), ("draft", True))

    def _add_farmer(self):
        self.leader.sale_team_id = self.north
        member = self.env["crm.team.member"].create(
            {"user_id": self.leader.id, "crm_team_id": self.north.id}
        )
        member.coverage_role_ids = self.farmer
        return self.leader

    def test_unanswered_offer_goes_to_the_next(self):
        self._add_farmer()
        handoff = self._begin()
        first = handoff.to_user_id
        handoff.with_user(self.sara).action_offer()
        self._run(3)
        following = self._found() - handoff
        self.assertEqual(handoff.state, "expired")
        self.assertEqual(following.state, "offered")
        self.assertEqual(following.previous_id, handoff)
        self.assertNotEqual(following.to_user_id, first)
        self.assertEqual(self.row.user_id, self.sara)
        self._run(8)
        self.assertEqual((following.state, following.is_called), ("offered", True))
        self.assertEqual(self.row.user_id, self.sara)

    def test_unanswered_offer_is_transferred_or_the_leader_called(self):
        for rule, owner in (("transfer", self.sam), ("leader", self.sara)):
            with self.subTest(rule=rule), self._tried():
                handoff = self._begin(on_receiver_late=rule)
                handoff.with_user(self.sara).action_offer()
                self._run(3)
                self.assertEqual(self.row.user_id, owner)
                self.assertEqual(handoff.is_called, rule == "leader")

    def test_declined_handoff_of_a_policy_calls_the_leader_when_nobody_is_left(self):
        handoff = self._begin()
        handoff.with_user(self.sara).action_offer()
        handoff.with_user(self.sam).action_decline("No")
        following = self._found() - handoff
        self.assertEqual((following.state, following.is_called), ("draft", True))
        self.assertFalse(following.to_user_id)
        self.assertEqual(self.row.user_id, self.sara)
        self.assertEqual(self._run(1), 0)

    # === PREVIEW, EVENTS, FAILURES === #

    def test_preview_says_what_begins_and_writes_nothing(self):
        self._create_rows(2)
        self._add_policy(max_per_giver=2)
        before = self._snapshot()
        preview = self.engine._preview_handoffs(self.company, NOW)
        self.assertEqual(preview["count"], 2)
        line = preview["lines"][0]
        self.assertEqual(
            (line["giver_id"], line["receiver_id"], line["count"]),
            (self.sara.id, self.sam.id, 2),
        )
        self.assertEqual([one["code"] for one in preview["waiting"]], ["tomorrow"])
        self.assertSameRows(self._snapshot(), before)
        self.assertFalse(self._found())
        self.assertEqual(self._run(), 2)

    def test_empty_company_has_nothing_to_begin(self):
        preview = self.engine._preview_handoffs(self.elsewhere, NOW)
        self.assertEqual((preview["count"], preview["lines"]), (0, []))
        self.assertEqual(self.engine._run_handoffs(self.elsewhere, NOW), 0)

    def test_cron_is_off_after_install_and_runs(self):
        cron = self.env.ref("crm_sales_coverage.ir_cron_handoff")
        self.assertFalse(cron.active)
        self._add_policy()
        with self.enter_registry_test_mode():
            cron.method_direct_trigger()
        self.assertTrue(self._found())

    def test_events_wake_the_job_only_when_it_is_on(self):
        cron = self.env.ref("crm_sales_coverage.ir_cron_handoff")
        triggers = self.env["ir.cron.trigger"]
        lead = self._create_opportunity(self.customer, user_id=self.sara.id)
        for is_on in (False, True):
            cron.active = is_on
            before = triggers.search_count([("cron_id", "=", cron.id)])
            lead.stage_id = self.env["crm.stage"].search(
                [("id", "!=", lead.stage_id.id), ("is_won", "=", False)], limit=1
            )
            self.env.cr.flush()
            after = triggers.search_count([("cron_id", "=", cron.id)])
            self.assertEqual(after - before, int(is_on))

    def test_refused_handoff_stops_nobody_else(self):
        other = self._create_rows(1)
        self._add_policy()
        self._run()
        tally, now = Tally(), NOW + timedelta(days=8)
        with (
            self._refuse(self.customer, "user_id"),
            mute_logger(ENGINE),
            self._on_day(-8),
        ):
            self.engine._run_handoffs(self.company, now, tally=tally)
        self.env.invalidate_all()
        self.assertEqual(len(tally.refused), 1)
        self.assertEqual(self.row.user_id, self.sara)
        self.assertEqual(self.row.handoff_ids.state, "draft")
        self.assertEqual(other.user_id, self.sam)

    def test_many_handoffs_cost_no_more_queries(self):
        policy = self._add_policy(max_per_giver=1_000)
        counts = []
        for number in (10, 40):
            self._create_rows(number)
            self._run()
            drafts = self._found().filtered(lambda one: one.state == "draft")
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self._run(8)
            counts.append(self.env.cr.sql_log_count - before)
            self.assertEqual(set(drafts.mapped("state")), {"watched"})
        self.assertTrue(policy)
        self.assertLessEqual(counts[1], counts[0] + 40, counts)

    def test_looks_must_be_days(self):
        for wrong in ("soon", "0, 30"):
            with self.subTest(look_days=wrong), self.assertRaises(ValidationError):
                self._add_policy(look_days=wrong)
