from datetime import timedelta

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import NOW, CoverageCase

RESULTS = "coverage.handoff.report"
MONEY = ("revenue_before", "revenue_after")


@tagged("post_install", "-at_install")
class TestHandoffReport(CoverageCase):
    """Sara hands customers over to Sam, in every way it can end; Olga to her leader.

    The one accepted on time 100 days ago stayed; the late one left after 40 days.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stayed = cls._add("Stayed", 100)
        cls._answer(cls.stayed, "action_accept", 99)
        cls.left = cls._add("Left", 120)
        cls._answer(cls.left, "action_accept", 119)
        cls.left.accept_deadline = cls.left.accepted_date - timedelta(days=1)
        with cls._on_day(79):
            cls.left.customer_id.user_id = cls.sara
        cls.recent = cls._add("Recent", 10)
        cls._answer(cls.recent, "action_accept", 9)
        cls.declined = cls._add("Declined", 8)
        cls._answer(cls.declined, "action_decline", 7)
        cls.returned = cls._add("Returned", 6)
        cls._answer(cls.returned, "action_accept", 6)
        cls._answer(cls.returned, "action_hand_back", 5)
        cls.open = cls._add("Open", 1)
        cls.south_one = cls._add("South", 1, cls.olga, cls.south_leader)
        amounts = {189: 1, 188: 10, 100: 20, 99: 40, 10: 80, 9: 5}
        for days, amount in amounts.items():
            cls._confirm_order(cls.stayed.customer_id.partner_id, amount, days)
        cls.env.flush_all()

    @classmethod
    def _add(cls, name, days_ago, giver=None, receiver=None):
        """Return a handoff offered that many days ago."""
        giver, receiver = giver or cls.sara, receiver or cls.sam
        with cls._on_day(days_ago):
            row = cls._row(cls._create_customer(name, user_id=giver.id))
            handoff = (
                cls.env["coverage.handoff"]
                .with_user(giver)
                .create(
                    {"customer_id": row.id, "to_user_id": receiver.id, "reason": "Test"}
                )
            )
            handoff.action_offer()
        return handoff.sudo()

    @classmethod
    def _answer(cls, handoff, action, days_ago):
        with cls._on_day(days_ago):
            getattr(handoff.with_user(cls.sam).sudo(False), action)()

    def _line(self, handoff):
        self.env.invalidate_all()
        return self.env[RESULTS].with_user(self.manager).browse(handoff.id)

    def _count(self, user):
        report = self.env[RESULTS].with_user(user)
        if user == self.stranger:
            report = report.with_context(allowed_company_ids=self.elsewhere.ids)
        return report.formatted_read_group([], [], ["__count"])[0]["__count"]

    def test_each_handoff_has_its_result(self):
        expected = {
            self.stayed: "on_time",
            self.left: "late",
            self.recent: "on_time",
            self.declined: "refused",
            self.returned: "handed_back",
            self.open: "open",
        }
        for handoff, result in expected.items():
            with self.subTest(result=result):
                self.assertEqual(self._line(handoff).result, result)
        self.assertEqual(self._line(self.stayed).date, NOW - timedelta(days=100))

    def test_rates_are_of_those_that_count(self):
        groups = (
            self.env[RESULTS]
            .with_user(self.manager)
            .formatted_read_group(
                [],
                ["from_user_id", "to_user_id"],
                ["__count", "on_time_rate:avg", "survived_rate:avg"],
            )
        )
        found = {
            (group["from_user_id"][0], group["to_user_id"][0]): group
            for group in groups
        }
        pair = found[self.sara.id, self.sam.id]
        self.assertEqual(pair["__count"], 6)
        self.assertAlmostEqual(pair["on_time_rate:avg"], 2 / 3)  # recent and stayed
        self.assertEqual(pair["survived_rate:avg"], 0.5)  # stayed, of it and left

    def test_revenue_is_of_90_days_before_and_after(self):
        line = self._line(self.stayed)
        self.assertEqual(
            (line.revenue_before, line.revenue_after), (1 + 10 + 20, 40 + 80)
        )
        groups = (
            self.env[RESULTS]
            .with_user(self.manager)
            .formatted_read_group([], [], [f"{name}:sum" for name in MONEY])
        )
        self.assertEqual(groups[0]["revenue_before:sum"], 31)
        self.assertEqual(groups[0]["revenue_after:sum"], 120)

    def test_roles_are_those_of_giver_and_receiver(self):
        roles = self.env["coverage.role"].search([], limit=2)
        for user, role in zip((self.sara, self.sam), roles, strict=True):
            self.env["coverage.tenure"].create(
                {
                    "user_id": user.id,
                    "role_id": role.id,
                    "date_from": NOW - timedelta(days=110),
                }
            )
        line = self._line(self.stayed)
        self.assertEqual(line.from_role_id + line.to_role_id, roles)
        self.assertFalse(self._line(self.left).from_role_id)

    def test_each_sees_the_own_handoffs_only(self):
        for user, count in (
            (self.sara, 6),
            (self.sam, 6),
            (self.leader, 6),
            (self.olga, 1),
            (self.south_leader, 1),
            (self.manager, 7),
            (self.stranger, 0),
        ):
            with self.subTest(user=user.login):
                self.assertEqual(self._count(user), count)

    def test_sellers_do_not_read_what_became_of_the_money(self):
        report = self.env[RESULTS].with_user(self.sara)
        for name in MONEY:
            with self.subTest(name=name), self.assertRaises(AccessError):
                report.formatted_read_group([], [], [f"{name}:sum"])

    def test_row_opens_the_handoff(self):
        action = self._line(self.open).action_open_handoff()
        self.assertEqual(action["res_id"], self.open.id)
