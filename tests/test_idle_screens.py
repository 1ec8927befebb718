from datetime import timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged, users

from odoo.addons.crm_sales_coverage.hooks import uninstall_hook

from .common import NOW, TODAY, ago
from .test_idle import IdleCase


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestIdleScreens(IdleCase):
    """What sellers, leaders and managers see of neglect, and what they may do."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kind = cls.env.ref("crm_sales_coverage.activity_type_idle")
        cls.cron_idle = cls.env.ref("crm_sales_coverage.ir_cron_idle")

    def _digests(self, user):
        return self.env["mail.activity"].search(
            [("activity_type_id", "=", self.kind.id), ("user_id", "=", user.id)]
        )

    # === WORDS === #

    def test_customer_says_when_it_leaves_whom_and_why(self):
        customer = self._create_silent(129)
        self._run()
        row = self._row(customer)
        for user, text in (
            (
                self.sara,
                "Leaves you in 14 days: no two-way contact for 129 of 135 days",
            ),
            (
                self.leader,
                "Leaves its owner in 14 days: no two-way contact for 129 of 135 days",
            ),
        ):
            self.assertEqual(row.with_user(user).idle_text, text)
        self.assertEqual(row.idle_days_left, 14)
        why = row.with_user(self.sara).get_why()["idle"]
        self.assertEqual(why["text"], row.with_user(self.sara).idle_text)
        self.assertEqual(why["numbers"]["warnings"], 1)

    def test_why_card_says_what_keeps_a_customer(self):
        customer = self._create_silent(300, protected_until=ago(-10))
        why = self._row(customer).get_why()["idle"]
        self.assertEqual((why["code"], why["text"]), ("protected", "Stays: protected"))
        self.company.coverage_idle_date = False
        self.assertIsNone(self._row(customer).get_why()["idle"])

    # === SELLERS === #

    def test_my_day_shows_those_that_leave_first(self):
        names = [
            self._create_silent(200, name=f"Customer {number}").name
            for number in range(7)
        ]
        self._create_silent(200, name="Sam's", user=self.sam)
        self._run()
        day = self.env["coverage.day"].with_user(self.sara).get_day()["at_risk"]
        self.assertEqual(len(day["lines"]), 5)
        self.assertEqual(day["more_count"], 2)
        self.assertTrue({line["name"] for line in day["lines"]} <= set(names))
        action = (
            self.env["coverage.day"]
            .with_user(self.sara)
            .action_open_at_risk(self.sara.id)
        )
        customers = self.env["coverage.customer"].with_user(self.sara)
        self.assertEqual(len(customers.search(action["domain"])), 7)

    def test_seller_has_one_digest_that_follows(self):
        first = self._create_silent(200, name="First")
        self._create_silent(200, name="Second")
        self._run()
        digest = self._digests(self.sara)
        self.assertEqual(
            digest.summary,
            "2 customers leave you soon: First (17 Jun), Second (17 Jun)",
        )
        self._run(7)
        self.assertEqual(self._digests(self.sara), digest)
        self._log_touch(first)
        self.assertEqual(digest.summary, "1 customer leaves you soon: Second (17 Jun)")
        self._log_touch(self.env["res.partner"].search([("name", "=", "Second")]))
        self.assertFalse(digest.exists())

    def test_done_digest_comes_back_with_the_next_warning(self):
        self._create_silent(200)
        self._run()
        self._digests(self.sara)._action_done()
        self._run()
        self._run(3)
        self.assertFalse(self._digests(self.sara))
        self._run(7)
        self.assertTrue(self._digests(self.sara))

    def test_warning_sends_no_mail(self):
        self._create_silent(200)
        count = self.env["mail.mail"].search_count([])
        messages = self.env["mail.message"].search_count([])
        self._run()
        self.assertEqual(self.env["mail.mail"].search_count([]), count)
        self.assertEqual(self.env["mail.message"].search_count([]), messages)

    # === RIGHTS === #

    def test_who_sees_whose_warnings(self):
        own = self._row(self._create_silent(200))
        other = self._row(self._create_silent(200, user=self.olga))
        self._run()
        both = own | other
        for user, expected in (
            (self.sara, own),
            (self.leader, own),
            (self.olga, other),
            (self.manager, both),
            (self.stranger, both.browse()),
        ):
            with self.subTest(user.name):
                theirs = both.with_user(user)
                theirs = theirs.with_context(allowed_company_ids=user.company_ids.ids)
                found = theirs.search(
                    [("idle_warning_level", ">", 0), ("id", "in", both.ids)]
                )
                self.assertEqual(found.ids, expected.ids)

    @users("cover_sara", "cover_leader", "cover_manager")
    def test_nobody_takes_warnings_back_by_hand(self):
        row = self._row(self._create_silent(200)).with_env(self.env)
        for name, value in (
            ("idle_warning_level", 2),
            ("idle_since", TODAY),
            ("idle_date", TODAY),
            ("missing_order_since", TODAY),
        ):
            with self.subTest(name), self.assertRaises(UserError):
                row.write({name: value})

    @users("cover_sara")
    def test_sellers_do_not_decide_on_missing_orders(self):
        row = self._row(self._create_silent(200)).with_env(self.env)
        with self.assertRaises(AccessError):
            row.action_keep_with_owner()

    @users("cover_sara", "cover_leader")
    def test_only_managers_preview_and_switch(self):
        dialog = self.env["coverage.idle.preview"]
        for method in ("action_preview", "action_switch_on", "action_switch_off"):
            with self.subTest(method), self.assertRaises(AccessError):
                getattr(dialog, method)()

    # === LEADERS === #

    def _decisions(self, kind):
        return (
            self.env["coverage.decision"]
            .with_user(self.leader)
            .search([("kind", "=", kind)])
        )

    def test_last_warning_is_the_leaders_to_decide(self):
        customer = self._create_silent(200)
        for day in (0, 7):
            self._run(day)
            self.assertFalse(self._decisions("warning"))
        self._run(13)
        with self._later(13):
            decision = self._decisions("warning")
            self.assertEqual(decision.customer_id, self._row(customer))
            self.assertIn("tomorrow", decision.reason_text)
            self.assertEqual(decision.action_yes()["res_model"], "coverage.leave.alone")
            self.assertEqual(decision.action_no()["res_model"], "coverage.offer")
            dialog = (
                self.env["coverage.leave.alone"]
                .with_user(self.leader)
                .create(
                    {
                        "customer_ids": self._row(customer).ids,
                        "until": ago(-60),
                        "reason": "Moves house",
                    }
                )
            )
            dialog.action_ask()
            self.env.flush_all()
            self.env.invalidate_all()
            self.assertFalse(self._decisions("warning"))
        self.assertEqual(self._marks(customer), (0, False, False))

    def test_leader_lets_a_neglected_customer_go(self):
        customer = self._create_silent(200)
        for day in (0, 7, 13):
            self._run(day)
        with self._later(13):
            self._decisions("warning").action_let_go()
            self.assertFalse(self._decisions("warning"))
        self.assertFalse(self._row(customer).user_id)
        self.assertEqual(self._marks(customer), (0, False, False))

    def test_nothing_else_is_let_go(self):
        customer = self._create_silent(1)
        for day in range(5):
            self._log_touch(customer, days_ago=day, is_two_way=False)
        self._row(customer).touch_ids.filtered("is_two_way").active = False
        self.env["coverage.refresh"]._refresh_customers(self._row(customer))
        decision = self._decisions("unreachable")
        self.assertTrue(decision)
        with self.assertRaises(UserError):
            decision.action_let_go()

    def test_uninstalling_withdraws_the_digests(self):
        self._create_silent(200)
        self._run()
        self.assertTrue(self._digests(self.sara))
        uninstall_hook(self.env)
        self.assertFalse(self._digests(self.sara))

    def test_missing_orders_are_decided_in_one_click(self):
        customer = self._create_silent(1)
        self._row(customer).missing_order_since = ago(3)
        self.env.flush_all()
        decision = self._decisions("orders")
        self.assertEqual(decision.customer_id, self._row(customer))
        self.assertEqual(decision.reason_text, "Last order: 05/04/2030")
        decision.action_yes()
        self.assertFalse(self._decisions("orders"))
        self.assertEqual(self._row(customer).order_kept_since, TODAY)
        self.assertEqual(self._row(customer).user_id, self.sara)

    # === MANAGERS === #

    def _open(self, company=None):
        dialogs = self.env["coverage.idle.preview"].with_user(self.manager)
        dialog = dialogs.create({})
        if company:
            dialog.sudo().company_id = company
            dialog.invalidate_recordset()
        return dialog

    def test_preview_says_who_would_be_warned_and_leave(self):
        self.company.coverage_idle_date = False
        self._create_silent(300, name="Past")
        self._create_silent(125, name="Near")
        self._create_silent(110, name="Later")
        self._create_silent(100, name="Well")
        self._create_silent(300, name="Kept", protected_until=ago(-5))
        often = self._create_silent(300, name="Tried")
        for day in range(5):
            self._log_touch(often, days_ago=day, is_two_way=False)
        summary = self._open().summary
        seller = next(one for one in summary["sellers"] if one["id"] == self.sara.id)
        found = [seller[name] for name in ("warned", "over", "soon", "later")]
        self.assertEqual(found, [2, 1, 2, 3])
        self.assertEqual(
            {one["name"] for one in summary["lines"]}, {"Past", "Near", "Later"}
        )
        self.assertEqual(
            [(one["code"], one["count"]) for one in summary["exempt"]],
            [("protected", 1)],
        )
        leader = {one["code"]: one["count"] for one in summary["leader"]}
        self.assertEqual(leader, {"unreachable": 1})

    def test_preview_is_what_the_job_then_warns_of(self):
        for days in (300, 125, 110, 100):
            self._create_silent(days)
        summary = self._open().summary
        expected = sum(one["warned"] for one in summary["sellers"])
        self.assertEqual(self._run(), expected)

    def test_preview_writes_nothing(self):
        self._create_silent(300)
        before = self._snapshot(), self._versions()
        self._open().read(["summary"])
        self.assertEqual((self._snapshot(), self._versions()), before)

    def test_observed_says_what_it_would_have_done(self):
        self.company.coverage_idle_date = ago(3)
        self._create_silent(300)
        dialog = self._open()
        self.assertEqual(dialog.date_observed, ago(-26))
        self.assertEqual(sum(one["over"] for one in dialog.summary["sellers"]), 1)
        self.assertEqual(self._run(), 0)

    def test_each_company_switches_on_for_itself(self):
        self.env["res.company"].search([]).coverage_idle_date = False
        self.cron_idle.active = False
        dialog = self._open()
        self.assertFalse(dialog.is_active)
        dialog.action_switch_on()
        dialog.invalidate_recordset()
        self.assertTrue(dialog.is_active)
        self.assertTrue(self.cron_idle.active)
        self.assertEqual(self.company.coverage_idle_date, TODAY)
        self.assertFalse(self.elsewhere.coverage_idle_date)
        self.assertTrue(dialog.date_observed)
        self.elsewhere.coverage_idle_date = TODAY
        dialog.action_switch_off()
        self.assertFalse(self.company.coverage_idle_date)
        self.assertTrue(self.cron_idle.active)  # for the other company
        self.elsewhere.coverage_idle_date = False
        dialog.action_switch_off()
        self.assertFalse(self.cron_idle.active)

    def test_switching_off_takes_the_warnings_back(self):
        customer = self._create_silent(300)
        self._run()
        self.assertTrue(self._digests(self.sara))
        self._open().action_switch_off()
        self.assertEqual(self._marks(customer), (0, False, False))
        self.assertFalse(self._digests(self.sara))

    def test_manager_previews_his_own_companies_only(self):
        dialog = self._open(self.elsewhere)
        for act in (
            lambda: dialog.read(["summary"]),
            dialog.action_switch_on,
            dialog.action_switch_off,
        ):
            with self.assertRaises(AccessError):
                act()

    def test_start_checklist_shows_the_switch(self):
        start = self.env["coverage.start"].with_user(self.manager).create({})
        self.cron_idle.active = True
        self.assertTrue(start.is_idle_active)
        self.assertFalse(start.is_idle_observed)
        self.company.coverage_idle_date = TODAY - timedelta(days=2)
        start.invalidate_recordset()
        self.assertTrue(start.is_idle_observed)
        self.assertEqual(
            start.action_preview_idle()["res_model"], "coverage.idle.preview"
        )
