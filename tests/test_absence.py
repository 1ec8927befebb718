from datetime import date, datetime, timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, freeze_time, tagged
from odoo.tools import mute_logger

from ..models.coverage_job import Tally
from .common import NOW, TODAY, CoverageCase

LAST_DAY = TODAY + timedelta(days=7)
BACK = NOW + timedelta(days=8)


class AbsenceCase(CoverageCase):
    """Sara has three customers and is away for a week; Sam covers."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customers = cls._create_buyers(3, 100, user_id=cls.sara.id)
        cls.rows = cls.env["coverage.customer"].search(
            [("partner_id", "in", cls.customers.ids)], order="id"
        )

    def _cover(self, user=None, **values):
        """Let somebody cover; return the absence."""
        vals = {
            "user_id": self.sara.id,
            "kind": "away",
            "from_date": TODAY,
            "until_date": LAST_DAY,
            "mode": "one",
            "receiver_id": self.sam.id,
            **values,
        }
        leavers = self.env["coverage.leaver"].with_user(user or self.manager)
        action = leavers.create(vals).action_hand_over()
        if action.get("res_model") == "coverage.run":
            run = self.env["coverage.run"].browse(action["res_id"])
            run.with_user(self.manager).action_apply()
        return self.env["coverage.absence"].search(
            [("user_id", "=", self.sara.id)], limit=1
        )

    def _return(self, now=BACK, company=None):
        """Run the step of the job; return its tally."""
        tally = Tally()
        absences = self.env["coverage.absence"]
        absences._return_due(company or self.company, now, tally, None)
        return tally


@tagged("post_install", "-at_install")
class TestAbsence(AbsenceCase):
    """Who is away is covered, and has all back on the day."""

    def test_cover_has_the_customers_and_the_reason_says_until_when(self):
        mails = self.env["mail.mail"].search_count([])
        absence = self._cover()
        self.assertEqual(self.rows.user_id, self.sam)
        self.assertEqual((absence.state, absence.covered_count), ("covering", 3))
        change = self.rows[0].change_ids.filtered(
            lambda one: one.field_name == "user_id"
        )
        self.assertEqual(
            change[:1].reason_text, "Covers for cover_sara until 10 Jun 2030."
        )
        self.assertEqual(self.env["mail.mail"].search_count([]), mails)

    def test_all_comes_back_on_the_day_after_and_twice_does_nothing(self):
        absence = self._cover()
        self.assertEqual(self._return(BACK - timedelta(days=1)).count, 0)
        self.assertEqual(self.rows.user_id, self.sam)
        self.assertEqual(self._return().count, 3)
        self.assertEqual(self.rows.user_id, self.sara)
        self.assertEqual((absence.state, absence.covered_count), ("over", 0))
        change = self.rows[0].change_ids.filtered(
            lambda one: one.field_name == "user_id"
        )
        self.assertEqual(change[:1].reason_text, "cover_sara is back.")
        changes = len(self.rows.change_ids)
        self.assertEqual(self._return().count, 0)
        self.assertEqual(len(self.rows.change_ids), changes)

    def test_day_is_that_of_the_company(self):
        self._cover()
        for zone, moment, is_back in (
            ("Pacific/Auckland", datetime(2030, 6, 10, 11, 59), False),
            ("America/Los_Angeles", datetime(2030, 6, 11, 6, 59), False),
            ("Pacific/Auckland", datetime(2030, 6, 10, 12, 1), True),
            ("America/Los_Angeles", datetime(2030, 6, 11, 7, 1), True),
        ):
            with self.subTest(zone, moment=moment), self._tried():
                self.company.partner_id.tz = zone
                self._return(moment)
                owner = self.sara if is_back else self.sam
                self.assertEqual(self.rows.user_id, owner)

    def test_what_others_moved_meanwhile_stays_and_is_listed(self):
        absence = self._cover()
        moved, excluded, back = self.rows
        moved.user_id = self.olga
        excluded.user_id = False
        self._return()
        self.assertEqual((moved.user_id, back.user_id), (self.olga, self.sara))
        self.assertFalse(excluded.user_id)
        kept = absence.line_ids.filtered(lambda one: one.state == "kept")
        self.assertEqual(kept.customer_id, moved + excluded)
        self.assertEqual(kept.kept_by_id, self.olga)
        self.assertEqual((absence.state, absence.kept_count), ("over", 2))

    def test_documents_go_along_and_come_back_with_what_came_up(self):
        customer = self.customers[0]
        lead = self._create_opportunity(customer, user_id=self.sara.id)
        self._cover()
        self.assertEqual(lead.user_id, self.sam)
        order = self._create_quotation(customer, 100, user_id=self.sam.id)
        activity = customer.activity_schedule(
            "mail.mail_activity_data_todo", user_id=self.sam.id
        )
        own = self._create_customer("Sam's", user_id=self.sam.id)
        others = self._create_opportunity(own, user_id=self.sam.id)
        self._return()
        self.assertEqual(lead.user_id | order.user_id | activity.user_id, self.sara)
        self.assertEqual(others.user_id, self.sam)

    def test_rights_and_team_come_back_too(self):
        until = TODAY + timedelta(days=60)
        self.rows[0].protected_until = until
        self.rows[1].protected_until = TODAY + timedelta(days=2)
        self._cover(receiver_id=self.olga.id)
        self.assertEqual(self.rows.team_id, self.south)
        self.assertFalse(self.rows[0].protected_until)
        self._return()
        self.assertEqual(self.rows.team_id, self.north)
        self.assertEqual(self.rows[0].protected_until, until)
        self.assertFalse(self.rows[1].protected_until)

    def test_best_and_several_are_planned_and_come_back(self):
        for values in (
            {"mode": "best", "receiver_id": False},
            {"mode": "several", "receiver_ids": (self.sam + self.olga).ids},
        ):
            with self.subTest(values["mode"]), self._tried():
                absence = self._cover(**values)
                self.assertFalse(self.rows.user_id & self.sara)
                self.assertIn("Covers for cover_sara", self._get_reason(absence))
                self._return()
                self.assertEqual(self.rows.user_id, self.sara)

    def _get_reason(self, absence):
        return absence.run_id.move_ids[:1].reason_text

    def test_whom_nobody_can_cover_stays_with_the_absent(self):
        self.rows[0].role_id = self.env["coverage.role"].search([], limit=1)
        member = self.south.crm_team_member_ids
        member.coverage_role_ids = self.env["coverage.role"].search([])[1]
        self.rows[1:].role_id = member.coverage_role_ids
        member.coverage_seniority = "senior"
        absence = self._cover(mode="best", receiver_id=False)
        self.assertEqual(self.rows[0].user_id, self.sara)
        self.assertEqual(self.rows[1:].user_id, self.olga)
        self.assertEqual(absence.line_ids.customer_id, self.rows[1:])

    def test_plan_without_anybody_is_refused(self):
        for member in (self.north + self.south).crm_team_member_ids:
            member.assignment_optout = True
        with self.assertRaisesRegex(UserError, "Nobody has room"):
            self._cover(mode="best", receiver_id=False)

    def test_odoo_knows_who_is_away(self):
        self._cover()
        sara = self.sara
        self.assertEqual(sara.out_of_office_from, datetime(2030, 6, 3))
        self.assertEqual(sara.out_of_office_to, datetime(2030, 6, 10, 23, 59, 59))
        match = self.env["coverage.candidate"]._collect_match(
            self.company,
            self.rows,
            self.env["coverage.role"],
            False,
            NOW + timedelta(days=3),
        )
        self.assertTrue(match.candidates[sara.id].is_absent)
        self._return()
        self.assertEqual(sara.out_of_office_to, datetime(2030, 6, 10, 23, 59, 59))

    def test_dates_that_the_person_told_odoo_are_offered(self):
        begin, end = datetime(2030, 6, 5, 8), datetime(2030, 6, 20, 17)
        self.sara.write({"out_of_office_from": begin, "out_of_office_to": end})
        form = Form(
            self.env["coverage.leaver"]
            .with_user(self.manager)
            .with_context(default_user_id=self.sara.id)
        )
        form.kind = "away"
        self.assertEqual(form.from_date, date(2030, 6, 5))
        self.assertEqual(form.until_date, date(2030, 6, 20))
        form.receiver_id = self.sam
        form.save().action_hand_over()
        self.assertEqual(self.sara.out_of_office_from, begin)
        self.assertEqual(self.sara.out_of_office_to, end)

    def test_last_day_can_be_moved_and_the_person_may_come_back_earlier(self):
        absence = self._cover()
        later = LAST_DAY + timedelta(days=7)
        absence.with_user(self.leader).until_date = later
        self.assertEqual(self.sara.out_of_office_to, datetime(2030, 6, 17, 23, 59, 59))
        self.assertEqual(self._return().count, 0)
        absence.with_user(self.leader).action_return()
        self.assertEqual(self.rows.user_id, self.sara)
        self.assertEqual(absence.state, "over")
        self.assertLess(self.sara.out_of_office_to, NOW)

    def test_bad_dates_and_choices_are_refused(self):
        for values in (
            {"until_date": TODAY - timedelta(days=1)},
            {"mode": "pool", "receiver_id": False},
            {"receiver_id": self.sara.id},
        ):
            with (
                self.subTest(values),
                self.assertRaises(UserError),
                self.env.cr.savepoint(),
            ):
                self._cover(**values)
        self.assertEqual(self.rows.user_id, self.sara)

    def test_refused_customer_stays_and_the_job_tells(self):
        absence = self._cover()
        with self._refuse(self.customers[0], "user_id"), mute_logger("odoo.addons"):
            tally = self._return()
        self.assertEqual(tally.refused, self.rows[0].ids)
        self.assertEqual(self.rows[0].user_id, self.sam)
        self.assertEqual(self.rows[1:].user_id, self.sara)
        self.assertEqual(absence.kept_count, 1)

    def test_who_left_meanwhile_gets_nothing_back(self):
        absence = self._cover()
        self.sara.active = False
        self._return()
        self.assertEqual(self.rows.user_id, self.sam)
        self.assertEqual(absence.kept_count, 3)

    def test_scheduled_action_gives_back(self):
        self._cover()
        cron = self.env.ref("crm_sales_coverage.ir_cron_absence")
        self.assertTrue(cron.active)
        with freeze_time(BACK), self.enter_registry_test_mode():
            cron.method_direct_trigger()
        self.env.invalidate_all()
        self.assertEqual(self.rows.user_id, self.sara)

    def test_undone_plan_ends_the_absence(self):
        absence = self._cover(mode="best", receiver_id=False)
        absence.run_id.with_user(self.manager).action_undo()
        self.assertEqual(absence.state, "cancelled")
        self.assertEqual(self.rows.user_id, self.sara)
        self.assertEqual(self._return().count, 0)

    def test_somebody_is_accountable_all_the_time(self):
        steps = (
            lambda: self._cover(),
            lambda: self.rows[0].write({"user_id": False}),
            lambda: self._return(),
            lambda: self._cover(mode="best", receiver_id=False),
            lambda: self._return(),
        )
        for step in steps:
            step()
            self.env.invalidate_all()
            for row in self.rows:
                self.assertEqual(len(row.accountable_user_id), 1)
                self.assertNotEqual(row.accountable_user_id, self.env["res.users"])

    # === WHO SEES === #

    def test_my_day_of_the_cover_says_so(self):
        self._cover()
        day = self.env["coverage.day"].with_user(self.sam).get_day()
        self.assertEqual(
            day["covers"][0]["text"],
            "Covers for cover_sara until 10 June. Customers: 3.",
        )
        self._return()
        day = self.env["coverage.day"].with_user(self.sam).get_day()
        self.assertFalse(day["covers"])

    def test_rights(self):
        absence = self._cover()
        for user, sees, may in (
            (self.sara, True, False),
            (self.sam, True, False),
            (self.olga, False, False),
            (self.leader, True, True),
            (self.south_leader, False, False),
            (self.manager, True, True),
        ):
            with self.subTest(user.login), self._tried():
                mine = self.env["coverage.absence"].with_user(user)
                self.assertEqual(bool(mine.search([])), sees)
                mine = mine.browse(absence.id)
                if may:
                    mine.action_return()
                    continue
                with self.assertRaises(AccessError):
                    mine.action_return()
        with self.assertRaises(UserError):
            absence.with_user(self.leader).write({"state": "over"})
        with self.assertRaises(AccessError):
            self._cover(self.south_leader)

    def test_many_customers_cost_no_more_than_few(self):
        costs = []
        for count in (10, 100):
            self._create_buyers(count, 100, user_id=self.olga.id)
            self._cover(user_id=self.olga.id)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.assertGreaterEqual(self._return().count, count)
            self.env.flush_all()
            costs.append(self.env.cr.sql_log_count - before)
            rows = self.env["coverage.customer"].search(
                [("user_id", "=", self.olga.id)]
            )
            rows.user_id = self.manager
        self.assertLessEqual(costs[1], costs[0] + 20)
