import random
from datetime import timedelta

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..models.coverage_handoff import OPEN, STATES, TRANSITIONS
from .common import NOW
from .test_handoff import HandoffCase

OPERATIONS = 1_000
CUSTOMERS = 12
CHECK_EVERY = 20


@tagged("post_install", "-at_install")
class TestInvariant(HandoffCase):
    """Whatever happens, in whatever order: one person answers for every customer."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.random = random.Random(7)
        cls.people = cls.sara | cls.sam | cls.olga
        for user in cls.people:
            user.crm_team_member_ids.coverage_role_ids = cls.env.ref(
                "crm_sales_coverage.role_farmer"
            )
        cls.partners = cls.env["res.partner"].create(
            [
                {
                    "name": f"Customer {number}",
                    "is_company": True,
                    "user_id": cls.random.choice(cls.people).id,
                }
                for number in range(CUSTOMERS)
            ]
        )
        for partner in cls.partners[:4]:
            cls._create_opportunity(partner, user_id=partner.user_id.id)
        cls.policy = cls.env["coverage.handoff.policy"].search([], limit=1)
        cls.clock = 0

    def test_a_thousand_random_operations_keep_the_order(self):
        operations = [
            getattr(self, name) for name in sorted(dir(self)) if name.startswith("_do_")
        ]
        done = refused = 0
        for number in range(OPERATIONS):
            operation = self.random.choice(operations)
            try:
                with self.env.cr.savepoint(), self._on_day(-self.clock):
                    operation()
                done += 1
            except UserError:  # refused with what to do instead
                refused += 1
            if number % CHECK_EVERY == 0:
                self._check()
        self._check()
        self.assertGreater(done, refused)

    # === WHAT MUST HOLD === #

    def _check(self):
        self.env.invalidate_all()
        domain = [("company_id", "=", self.company.id)]
        for row in self.env["coverage.customer"].search(domain):
            self.assertEqual(len(row.accountable_user_id), 1, row)
            self.assertTrue(row.accountable_user_id.active, row)
            opened = row.handoff_ids.filtered(lambda one: one.state in OPEN)
            self.assertLessEqual(len(opened), 1, row)
        states = {code for code, _label in STATES}
        for handoff in self.env["coverage.handoff"].search(domain):
            self.assertIn(handoff.state, states)
            state = "draft"
            for step in handoff.step_ids:
                self.assertEqual(step.from_state, state, handoff)
                if step.to_state != step.from_state:
                    self.assertIn((step.from_state, step.to_state), TRANSITIONS)
                state = step.to_state
            self.assertEqual(handoff.state, state)

    # === WHAT PEOPLE DO === #

    def _any_row(self):
        rows = self.env["coverage.customer"].search(
            [("company_id", "=", self.company.id)], order="id"
        )
        return self.random.choice(rows)

    def _any_handoff(self, *states):
        handoffs = self.env["coverage.handoff"].search(
            [("company_id", "=", self.company.id), ("state", "in", states)], order="id"
        )
        if not handoffs:
            raise UserError(self.env._("Nothing to do"))
        return self.random.choice(handoffs)

    def _any_user(self):
        return self.random.choice(self.people)

    def _do_begin(self):
        row = self._any_row()
        policy = self.random.choice((self.policy, self.policy.browse()))
        self.env["coverage.handoff"].create(
            {
                "customer_id": row.id,
                "to_user_id": self._any_user().id,
                "reason": "Random",
                "policy_id": policy.id,
                "watch_deal_count": self.random.choice((0, 1)),
            }
        ).action_offer()

    _do_begin_more = _do_begin

    def _do_begin_lead(self):
        leads = self.env["crm.lead"].search(
            [("partner_id", "in", self.partners.ids)], order="id"
        )
        if leads:
            self.env["coverage.handoff"].create(
                {
                    "lead_id": self.random.choice(leads).id,
                    "to_user_id": self._any_user().id,
                    "reason": "Random",
                }
            ).action_offer()

    def _do_accept(self):
        self._any_handoff("offered").action_accept()

    def _do_decline(self):
        self._any_handoff("offered").action_decline("Random")

    def _do_cancel(self):
        self._any_handoff(*OPEN).action_cancel("Random")

    def _do_hand_back(self):
        self._any_handoff("accepted", "watched").action_hand_back("Random")

    def _do_complete(self):
        self._any_handoff("accepted", "watched").action_complete()

    def _do_transfer(self):
        self._any_handoff(*OPEN).action_transfer()

    def _do_offer_next(self):
        self._any_handoff(*OPEN).action_offer_next()

    def _do_time_passes(self):
        self.clock += self.random.choice((1, 3, 10))
        now = NOW + timedelta(days=self.clock)
        self.engine._run_handoffs(self.company, now)

    def _do_archive_or_bring_back(self):
        user = self._any_user()
        user.write({"active": not user.active})

    def _do_unassign(self):
        self._any_row().user_id = False

    def _do_assign(self):
        self._any_row().user_id = self._any_user()

    def _do_merge(self):
        rows = self.env["coverage.customer"].search(
            [("company_id", "=", self.company.id)], order="id"
        )
        if len(rows) > CUSTOMERS - 4:
            source, target = self.random.sample(list(rows), 2)
            self.env["coverage.fold"]._fold(source.partner_id, target.partner_id)

    def _do_run_and_undo(self):
        run = self.env["coverage.run"].create({"company_id": self.company.id})
        row = self._any_row()
        row.with_context(
            coverage_log={"run_id": run.id, "origin": "run"}
        ).user_id = self._any_user()
        changes = self.env["coverage.change"].search([("run_id", "=", run.id)])
        self.env["coverage.restore"]._restore(run, changes, NOW)
