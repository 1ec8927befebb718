from datetime import timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import NOW, TODAY, CoverageCase, ago


@tagged("post_install", "-at_install")
class TestDecision(CoverageCase):
    """To Decide: all that waits for a leader in one list, one click each."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer = cls._create_customer("Mill", user_id=cls.sara.id)
        cls.row = cls._row(cls.customer)

    def _find(self, user=None, kind=None):
        self.env.flush_all()
        self.env.invalidate_all()
        decisions = self.env["coverage.decision"].with_user(user or self.leader)
        domain = [("customer_id", "in", (self.row.id, False))]
        return decisions.search(domain + ([("kind", "=", kind)] if kind else []))

    def _ask(self, kind="release"):
        requests = self.env["coverage.request"].with_user(self.sara)
        return requests._ask(kind, {self.row: self.row}, "No time")

    def _create_handoff(self, **values):
        return self.env["coverage.handoff"].create(
            {
                "customer_id": self.row.id,
                "to_user_id": self.sam.id,
                "reason": "Grew",
                **values,
            }
        )

    def _get_cases(self):
        """Return what makes each kind wait."""
        return (
            ("drop", self._ask),
            ("asked", lambda: self.row._ask_leave_alone(TODAY, "Fair")),
            ("unreachable", lambda: self.row.write({"attempt_day_count": 5})),
            ("absent", self._let_owner_be_away),
            ("potential", self._declare_much),
            ("late", lambda: self._create_handoff(date_deadline=ago(1))),
            ("unmatched", self._log_unknown),
        )

    def _let_owner_be_away(self):
        self.row.next_contact_date = ago(3)
        self.sara.out_of_office_from = NOW - timedelta(days=1)

    def _declare_much(self):
        self._create_leaders()
        self.row.with_user(self.sara)._declare_potential(50_000, "Asked")

    def _log_unknown(self):
        self.env["coverage.touch"].create(
            {
                "company_id": self.company.id,
                "date": NOW,
                "channel": "call",
                "direction": "in",
                "number": "+12125550199",
                "source": "telephone",
            }
        )

    def test_each_kind_waits_for_the_teams_leader_and_the_manager(self):
        for kind, wait in self._get_cases():
            with self.subTest(kind), self._tried():
                self.assertFalse(self._find())
                wait()
                for user in (self.leader, self.manager):
                    self.assertEqual(self._find(user).mapped("kind"), [kind])
                south = self._find(self.south_leader)
                self.assertEqual(bool(south), kind == "unmatched")
                with self.assertRaises(AccessError):
                    self._find(self.sara)

    def test_one_click_decides(self):
        for kind, click, gone in (
            ("drop", "action_yes", lambda: not self.row.user_id),
            ("drop", "action_no", lambda: self.row.user_id == self.sara),
            ("asked", "action_yes", lambda: self.row.leave_alone_until == TODAY),
            ("asked", "action_no", lambda: not self.row.leave_alone_until),
            ("unreachable", "action_yes", lambda: self.row.retry_since == TODAY),
            ("potential", "action_yes", lambda: self.row.confirmed_potential == 50_000),
        ):
            with self.subTest(kind, click=click), self._tried():
                dict(self._get_cases())[kind]()
                getattr(self._find(kind=kind), click)()
                self.assertFalse(self._find(kind=kind))
                self.assertTrue(gone())

    def test_where_more_must_be_said_a_dialog_opens(self):
        for kind, click, model in (
            ("potential", "action_no", "coverage.set.potential"),
            ("unreachable", "action_no", "coverage.leave.alone"),
            ("absent", "action_no", "coverage.leave.alone"),
            ("absent", "action_yes", "coverage.offer"),
            ("unmatched", "action_yes", "coverage.match.touch"),
        ):
            with self.subTest(kind, click=click), self._tried():
                dict(self._get_cases())[kind]()
                action = getattr(self._find(kind=kind), click)()
                self.assertEqual(action["res_model"], model)

    def _hand_back(self, user=None):
        handoff = self._create_handoff()
        handoff.with_user(self.sara).action_offer()
        handoff.with_user(self.sam).action_accept()
        handoff.with_user(user or self.sam).action_hand_back("No room")
        return handoff

    def test_handback_waits_until_the_leader_has_seen_it(self):
        self._hand_back()
        line = self._find()
        self.assertEqual(
            (line.kind, line.user_id, line.text, line.date),
            ("handback", self.sam, "No room", TODAY),
        )
        line.action_yes()
        self.assertFalse(self._find())
        self.assertEqual(self.row.user_id, self.sara)

    def test_handback_can_be_handed_to_somebody_else(self):
        self._hand_back()
        self.assertEqual(self._find().action_no()["res_model"], "coverage.offer")

    def test_who_handed_it_back_himself_has_seen_it(self):
        self._hand_back(self.leader)
        self.assertFalse(self._find())

    def test_what_cannot_be_answered_so_says_it(self):
        self._log_unknown()
        with self.assertRaises(UserError):
            self._find().action_no()

    def test_line_opens_what_it_is_about(self):
        for kind, wait in self._get_cases():
            with self.subTest(kind), self._tried():
                wait()
                action = self._find(kind=kind).action_open()
                self.assertTrue(action["res_id"])

    def test_line_says_what_who_and_why(self):
        self._ask()
        line = self._find()
        self.assertEqual(
            (line.subject, line.user_id, line.text), ("Mill", self.sara, "No time")
        )
        line.action_no()
        self._log_unknown()
        self.assertEqual(self._find().subject, "+12125550199")

    def test_potential_near_the_best_year_needs_nobody(self):
        self._create_leaders()
        buyer = self._create_known_buyer(10_000, name="Buyer", user_id=self.sara.id)
        self.row = self._row(buyer)
        self.row._declare_potential(14_000, "Asked")
        self.assertFalse(self._find())
        self.row._declare_potential(16_000, "Asked")
        self.assertEqual(self._find().kind, "potential")
        self.row.with_user(self.leader)._confirm_potential(12_000)
        self.assertFalse(self._find())

    def test_paused_and_archived_customers_wait_for_nobody(self):
        self.row.attempt_day_count = 5
        self.row.leave_alone_until = TODAY
        self.assertFalse(self._find())
        self.row.leave_alone_until = False
        self.customer.active = False
        self.assertFalse(self._find())

    def test_counts_are_one_query(self):
        for _kind, wait in self._get_cases():
            wait()
        decisions = self.env["coverage.decision"].with_user(self.leader)
        decisions._get_counts()
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        counts = decisions._get_counts()
        self.assertLessEqual(self.env.cr.sql_log_count - before, 12)
        self.assertTrue(set(counts) >= {"drop", "asked", "potential", "unmatched"})

    def test_empty_company_has_nothing_to_decide(self):
        decisions = self.env["coverage.decision"].with_user(self.stranger)
        decisions = decisions.with_context(allowed_company_ids=self.elsewhere.ids)
        self.assertFalse(decisions.search([]))
        self.assertFalse(decisions._get_counts())
