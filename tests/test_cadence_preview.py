from collections import Counter
from datetime import timedelta

from odoo.exceptions import AccessError
from odoo.tests import tagged, users

from .common import NOW, TODAY, CoverageCase, ago


@tagged("post_install", "-at_install")
class TestCadencePreview(CoverageCase):
    """What the rhythm would ask of each seller, before it is switched on."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rows = cls._create_rated(9, cls.sara) + cls._create_rated(4, cls.sam)

    @classmethod
    def _create_rated(cls, count, user, segment="B", potential=5_000):
        """Return so many customers of a seller, the first worth the most."""
        customers = cls.env["res.partner"].create(
            [
                {"name": f"Customer {number}", "is_company": True, "user_id": user.id}
                for number in range(count)
            ]
        )
        cls.env.cr.flush()
        rows = cls.env["coverage.customer"].search(
            [("partner_id", "in", customers.ids)], order="id"
        )
        for number, row in enumerate(rows):
            row._declare_potential(potential - number, "asked")
        rows._set_manual_segment(cls.segments[segment], "Test", False)
        return rows

    def _open(self, user=None):
        dialogs = self.env["coverage.cadence.preview"]
        return dialogs.with_user(user or self.manager).create({})

    def _get_seller(self, user):
        """Return the line of a seller; of nobody's customers for None."""
        summary = self._open().summary
        lines = {line["id"]: line for line in summary["sellers"]}
        return lines[user.id if user else 0]

    def _run(self, days=0):
        """Plan so many days from now; return the contacts by seller."""
        now = NOW + timedelta(days=days)
        self.env["coverage.cadence"]._run_cadence(self.company, now)
        self.env.flush_all()
        activities = self.env["mail.activity"].search(
            [("coverage_customer_id.company_id", "=", self.company.id)]
        )
        return Counter(activity.user_id.id for activity in activities)

    # === WHAT IT WOULD CREATE === #

    def _complicate(self):
        """Let some be paused, tried, spoken to, planned by hand, given away."""
        paused, tried, spoken, planned, pool, gone = self.rows[:6]
        paused._pause(TODAY + timedelta(days=1), {"code": "granted"})
        self._log_touch(spoken.partner_id, days_ago=89)
        self._log_touch(tried.partner_id, is_two_way=False)
        pool.user_id = False
        gone.user_id = self.olga
        self.olga.active = False
        planned.partner_id.activity_schedule(
            "mail.mail_activity_data_call", TODAY, user_id=self.sara.id
        )
        tired = self.rows[6].partner_id
        for days_ago in range(5):
            self._log_touch(tired, days_ago=days_ago, is_two_way=False)

    def test_preview_is_what_the_job_then_creates(self):
        for name, act in (("plain", lambda: None), ("all kinds", self._complicate)):
            with self.subTest(name), self._tried():
                act()
                sellers = self._open().summary["sellers"]
                expected = {one["id"]: one["first"] for one in sellers if one["first"]}
                self.assertTrue(expected)
                self.assertEqual(self._run(), expected)

    def test_preview_of_the_weeks_is_what_comes(self):
        expected = self._get_seller(self.sara)["weeks"]
        self.assertEqual(sum(expected), 6)  # of 9 in 13 weeks, within 8
        days = self.rows.filtered(lambda row: row.user_id == self.sara)
        self._run()
        found = [0] * 8
        for day in days.mapped("next_contact_date"):
            week = (day - TODAY).days // 7
            if week < 8:
                found[week] += 1
        self.assertEqual(found, expected)

    def test_short_interval_comes_again_within_the_weeks(self):
        row = self._create_rated(1, self.olga, "A")
        self._log_touch(row.partner_id, days_ago=25, source="telephone")
        self.assertEqual(self._get_seller(self.olga)["weeks"], [1, 0, 0, 0, 0, 1, 0, 0])

    def test_preview_writes_nothing(self):
        before = self._snapshot(), self._versions()
        count = self.env["mail.activity"].search_count([])
        self._open().read(["summary"])
        self.assertEqual((self._snapshot(), self._versions()), before)
        self.assertEqual(self.env["mail.activity"].search_count([]), count)

    # === WHO CAN KEEP IT === #

    def test_contacts_owed_are_compared_with_the_capacity(self):
        line = self._get_seller(self.sara)
        self.assertEqual((line["owed"], line["customers"]), (3.0, 9))
        self.assertEqual((line["capacity"], line["left_out"]), (40, 0))

    def test_least_valuable_customers_are_left_out(self):
        member = self.north.crm_team_member_ids.filtered(
            lambda one: one.user_id == self.sara
        )
        member.coverage_capacity = 2
        line = self._get_seller(self.sara)
        self.assertEqual((line["left_out"], line["left_out_potential"]), (3, 14_979))
        action = self._open().action_open_left_out(self.sara.id)
        found = self.env["coverage.customer"].search(action["domain"])
        self.assertEqual(set(found), set(self.rows[6:9]))

    def test_customers_of_nobody_who_is_there_are_a_line_of_their_own(self):
        self.rows[0].user_id = False
        self.rows[1].user_id = self.olga
        self.olga.out_of_office_from = NOW - timedelta(days=1)
        self.assertEqual(self._get_seller(None)["customers"], 2)
        self.assertNotIn(
            self.olga.id, [one["id"] for one in self._open().summary["sellers"]]
        )

    def test_seats_are_told_by_team_and_kind_of_customer(self):
        self.company.coverage_capacity = 1
        summary = self._open().summary
        north = next(one for one in summary["teams"] if one["name"] == "North")
        self.assertEqual(
            north, {"name": "North", "owed": 4.3, "seats": 5, "present": 2}
        )
        self.assertEqual(
            [(one["name"], one["owed"], one["seats"]) for one in summary["work"]],
            [("Prospect", 4.3, 5)],
        )

    def test_empty_company_has_an_empty_preview(self):
        dialogs = self.env["coverage.cadence.preview"].with_user(self.stranger)
        dialogs = dialogs.with_context(allowed_company_ids=self.elsewhere.ids)
        summary = dialogs.create({}).summary
        self.assertEqual((summary["sellers"], summary["work"]), ([], []))
        self.assertEqual(len(summary["weeks"]), 8)

    # === RIGHTS === #

    @users("cover_sara", "cover_leader")
    def test_only_managers_preview_and_switch(self):
        dialog = self.env["coverage.cadence.preview"]
        for method in ("action_preview", "action_switch_on", "action_switch_off"):
            with self.subTest(method), self.assertRaises(AccessError):
                getattr(dialog, method)()

    def test_manager_previews_his_own_companies_only(self):
        dialog = self._open()
        dialog.sudo().company_id = self.elsewhere
        dialog.invalidate_recordset()
        with self.assertRaises(AccessError):
            dialog.read(["summary"])

    def test_manager_switches_the_rhythm_on_and_off(self):
        cron = self.env.ref("crm_sales_coverage.ir_cron_cadence")
        cron.active = False
        dialog = self._open()
        self.assertFalse(dialog.is_active)
        dialog.action_switch_on()
        self.assertTrue(cron.active)
        triggers = self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)])
        self.assertTrue(triggers)
        dialog.invalidate_recordset()
        self.assertTrue(dialog.is_active)
        dialog.action_switch_off()
        self.assertFalse(cron.active)

    def test_customer_that_is_overdue_counts_this_week(self):
        row = self._create_rated(1, self.olga)
        row.write({"rhythm_start_date": ago(100), "owned_since": ago(100)})
        self.env["coverage.refresh"]._refresh_customers(row)
        line = self._get_seller(self.olga)
        self.assertEqual((line["first"], line["weeks"][0]), (1, 1))
