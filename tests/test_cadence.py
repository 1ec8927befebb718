from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

from lxml import etree

from odoo import Command, fields
from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import file_open

from odoo.addons.crm_sales_coverage.models import coverage_cadence

from .common import NOW, REFUSAL, TODAY, CoverageCase, ago

LOGGER = "odoo.addons.crm_sales_coverage.models.coverage_cadence"


@tagged("post_install", "-at_install")
class TestCadence(CoverageCase):
    """One planned contact per customer: when it comes, and when it goes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer = cls._create_due("Due", 1)

    @classmethod
    def _create_due(cls, name, days, segment="B", user=None):
        """Return a customer in the rhythm that is due in so many days."""
        customer = cls._create_customer(name, user_id=(user or cls.sara).id)
        row = cls._row(customer)
        row.write({"owned_since": ago(300), "rhythm_start_date": ago(300)})
        cls._rate(customer, segment)
        interval = cls.segments[segment].contact_interval_days
        if segment == "D":
            interval = 180
        cls._log_touch(
            customer, days_ago=interval - days, source="telephone", user=user
        )
        return customer

    def _run(self, days=0, commit=None, company=None):
        """Plan contacts so many days from now; return how many."""
        count = self.env["coverage.cadence"]._run_cadence(
            company or self.company, NOW + timedelta(days=days), commit
        )
        self.env.invalidate_all()
        return count

    def _get_planned(self, customer=None, is_open=True):
        """Return the contacts that the rhythm planned for a customer."""
        activities = self.env["mail.activity"].with_context(active_test=False)
        rows = self._row(customer or self.customer)
        return activities.search(
            [("coverage_customer_id", "=", rows.id), ("active", "=", is_open)]
        )

    def _plan_by_hand(self, record, days=2, kind="call", user=None):
        return self.env["mail.activity"].create(
            {
                "res_model_id": self.env["ir.model"]._get_id(record._name),
                "res_id": record.id,
                "activity_type_id": self.env.ref(f"mail.mail_activity_data_{kind}").id,
                "user_id": (user or self.sara).id,
                "date_deadline": TODAY + timedelta(days=days),
            }
        )

    # === PLANNED === #

    def test_contact_is_planned_for_the_owner_on_the_customer(self):
        self.assertEqual(self._run(), 1)
        activity = self._get_planned()
        self.assertEqual(activity.user_id, self.sara)
        self.assertEqual(activity.res_model, "res.partner")
        self.assertEqual(activity.res_id, self.customer.id)
        self.assertEqual(activity.date_deadline, TODAY + timedelta(days=1))
        self.assertEqual(activity.summary, "Call: B customer")
        self.assertEqual(activity.res_name, "Due")

    def test_contact_is_of_the_segments_channel(self):
        self.segments["A"].contact_channel = "visit"
        for segment, kind in (("A", "visit"), ("C", "call"), ("D", "email")):
            with self.subTest(segment=segment):
                customer = self._create_due(segment, 1, segment)
                self._run()
                self.assertEqual(
                    self._get_planned(customer).activity_type_id,
                    self.env.ref(f"crm_sales_coverage.activity_type_{kind}"),
                )

    def test_contact_is_planned_three_days_ahead(self):
        for days, count in ((3, 1), (4, 0)):
            with self.subTest(days=days):
                customer = self._create_due("Soon", days)
                self._run()
                self.assertEqual(len(self._get_planned(customer)), count)

    def test_days_ahead_are_a_setting(self):
        customer = self._create_due("Later", 9)
        self.company.coverage_lead_days = 9
        self._run()
        self.assertTrue(self._get_planned(customer))

    def test_twice_plans_no_more_than_once(self):
        self._run()
        self.assertEqual(self._run(), 0)
        self.assertEqual(self._run(days=5), 0)
        self.assertEqual(len(self._get_planned()), 1)

    def test_overdue_contact_is_planned_for_today(self):
        self.assertEqual(self._run(days=30), 1)
        activity = self._get_planned()
        self.assertEqual(activity.date_deadline, TODAY + timedelta(days=30))

    def test_contact_due_at_the_weekend_is_planned_for_monday(self):
        customer = self._create_due("Saturday", 5)  # NOW is a Monday
        self._run(days=3)
        deadline = self._get_planned(customer).date_deadline
        self.assertEqual(deadline, TODAY + timedelta(days=7))

    def test_contact_waits_for_the_day_of_the_next_try(self):
        self._log_touch(self.customer, is_two_way=False)
        self._run()
        deadline = self._get_planned().date_deadline
        self.assertEqual(deadline, TODAY + timedelta(days=2))

    def test_words_are_in_the_owners_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.sara.lang = "fr_FR"
        kind = self.env.ref("crm_sales_coverage.activity_type_call")
        kind.with_context(lang="fr_FR").summary = "Appel"
        self._run()
        self.assertTrue(self._get_planned().summary.startswith("Appel"))

    # === NOT PLANNED === #

    def test_who_gets_no_planned_contact(self):
        row = self._row(self.customer)
        now = fields.Datetime.now()
        for name, act in (
            ("archived", lambda: self.customer.write({"active": False})),
            ("never cover", row.action_exclude),
            ("paused", lambda: row._pause(TODAY, {"code": "granted"})),
            ("without owner", lambda: row.write({"user_id": False})),
            ("unrated", row.action_release_segment),
            ("owner archived", lambda: self.sara.write({"active": False})),
            (
                "owner away",
                lambda: self.sara.write({"out_of_office_from": now - timedelta(1)}),
            ),
            ("unreachable", lambda: row.write({"attempt_day_count": 5})),
        ):
            with self.subTest(name), self._tried():
                act()
                self.assertEqual(self._run(), 0)
                with self._tried():
                    self._run()
            with self.subTest(f"{name}, planned before"), self._tried():
                self._run()
                act()
                self._run()
                self.assertFalse(self._get_planned())

    def test_owner_who_is_back_is_planned_for(self):
        self.sara.write(
            {
                "out_of_office_from": NOW - timedelta(days=9),
                "out_of_office_to": NOW - timedelta(days=1),
            }
        )
        self.assertEqual(self._run(), 1)

    def test_contact_planned_by_hand_counts(self):
        contact = self._create_customer(
            "Person", parent_id=self.customer.id, is_company=False
        )
        lead = self._create_opportunity(self.customer, user_id=self.sara.id)
        order = self._create_quotation(self.customer, 10, user_id=self.sara.id)
        for name, record in (
            ("customer", self.customer),
            ("contact", contact),
            ("lead", lead),
            ("order", order),
        ):
            with self.subTest(name), self._tried():
                self._plan_by_hand(record, days=20)
                self.assertEqual(self._run(), 0)
            with self.subTest(f"{name}, planned afterwards"), self._tried():
                self._run()
                self._plan_by_hand(record, days=20)
                self._run()
                self.assertFalse(self._get_planned())

    def test_what_by_hand_is_no_planned_contact(self):
        for name, days, kind in (
            ("to-do", 2, "todo"),
            ("far away", 91, "call"),
        ):
            with self.subTest(name), self._tried():
                self._plan_by_hand(self.customer, days, kind)
                self.assertEqual(self._run(), 1)

    def test_contact_by_hand_of_another_company_does_not_count(self):
        self._plan_by_hand(self.customer, user=self.stranger)
        self.assertEqual(self._run(), 1)

    def test_each_company_plans_its_own(self):
        row = self._row(self.customer)
        other = self.env["coverage.customer"].create(
            {
                "partner_id": self.customer.id,
                "company_id": self.elsewhere.id,
                "user_id": self.stranger.id,
                "segment_manual_id": self.segments["B"].id,
            }
        )
        self.assertEqual(self._run(company=self.elsewhere), 1)
        self.assertEqual(self._run(), 1)
        activities = self.env["mail.activity"].search(
            [("coverage_customer_id", "in", (row | other).ids)]
        )
        self.assertEqual(activities.user_id, self.sara | self.stranger)

    # === CLOSED === #

    def assertClosed(self, customer=None):
        """Assert that the planned contact is done, and kept as such."""
        self.env.cr.flush()
        self.env.invalidate_all()
        self.assertFalse(self._get_planned(customer))
        self.assertTrue(self._get_planned(customer, is_open=False).feedback)

    def test_call_closes_it(self):
        self._run()
        self._log_touch(self.customer)
        self.assertClosed()

    def test_attempt_does_not_close_it(self):
        self._run()
        self._log_touch(self.customer, is_two_way=False)
        self.assertTrue(self._get_planned())

    def test_old_contact_does_not_close_it(self):
        self._run()
        self._log_touch(self.customer, days_ago=89)
        self.assertTrue(self._get_planned())

    def test_contact_noted_by_hand_closes_it_on_an_a_for_seven_days(self):
        customer = self._create_due("A", 1, "A")
        self._run()
        self._log_touch(customer)
        self.assertClosed(customer)
        self.assertEqual(self._run(days=3), 0)
        self.assertEqual(self._run(days=4), 1)
        self.assertEqual(
            self._get_planned(customer).date_deadline, TODAY + timedelta(days=7)
        )

    def test_order_taken_by_one_of_us_closes_it(self):
        self._run()
        order = (
            self.env["sale.order"]
            .with_user(self.sara)
            .create(
                {
                    "partner_id": self.customer.id,
                    "company_id": self.company.id,
                    "order_line": [self._prepare_line(10)],
                }
            )
        )
        order.action_confirm()
        self.assertClosed()

    def test_mail_from_the_customer_closes_it(self):
        self._run()
        self.customer.email = "due@customer.example.com"
        self.customer.message_post(
            body="Yes, please.",
            author_id=self.customer.id,
            email_from=self.customer.email,
            message_type="email",
            subtype_xmlid="mail.mt_comment",
        )
        self.assertClosed()

    def test_meeting_that_is_over_closes_it(self):
        self._run()
        now = self.env.cr.now().replace(microsecond=0)
        event = self.env["calendar.event"].create(
            {
                "name": "Visit",
                "user_id": self.sara.id,
                "start": now + timedelta(minutes=1),
                "stop": now + timedelta(minutes=31),
                "partner_ids": [
                    Command.set((self.sara.partner_id | self.customer).ids)
                ],
            }
        )
        moment = NOW - timedelta(hours=2)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE calendar_event SET create_date = %s, start = %s, stop = %s"
            " WHERE id = %s",
            [moment, moment, moment + timedelta(hours=1), event.id],
        )
        self.env.invalidate_all()
        self.env["coverage.ledger"]._cron_meetings()
        self.assertClosed()

    def test_email_closes_it_where_the_rhythm_is_by_email(self):
        for segment, is_closed in (("B", False), ("D", True)):
            with self.subTest(segment=segment):
                customer = self._create_due(segment, 1, segment)
                self._run()
                self._log_touch(customer, channel="email", is_two_way=False)
                self.assertEqual(not self._get_planned(customer), is_closed)

    def test_activity_that_the_seller_marks_done_moves_the_rhythm(self):
        self._run()
        activity = self._get_planned().with_user(self.sara)
        activity.action_feedback("Wants a price list")
        self.env.cr.flush()
        self.assertFacts(
            self.customer,
            last_contact_date=TODAY,
            next_contact_date=TODAY + timedelta(days=90),
        )
        self.assertEqual(self._run(), 0)

    def test_withdrawn_contact_opens_again_what_it_closed(self):
        self._run()
        before = self._snapshot()
        touch = self._log_touch(self.customer)
        self.assertClosed()
        touch.action_withdraw()
        self.assertTrue(self._get_planned())
        self.assertSameRows(self._snapshot(), before)

    # === CANCELLED === #

    def test_pause_cancels_it_at_once(self):
        self._run()
        self._row(self.customer).with_user(self.sara).action_snooze(5)
        self.assertFalse(self._get_planned())
        self.assertFalse(self._get_planned(is_open=False))

    def test_new_owner_gets_his_own(self):
        self._run()
        self._row(self.customer).user_id = self.sam
        self.assertFalse(self._get_planned())
        self._run()
        self.assertEqual(self._get_planned().user_id, self.sam)

    def test_archived_customer_has_none(self):
        for name, act in (
            ("contact", lambda: self.customer.write({"active": False})),
            ("never cover", lambda: self._row(self.customer).action_exclude()),
        ):
            with self.subTest(name), self._tried():
                self._run()
                act()
                self.assertFalse(self._get_planned())

    def test_customer_that_becomes_unreachable_has_none(self):
        self._run()
        for days_ago in range(5):
            self._log_touch(self.customer, days_ago=days_ago, is_two_way=False)
        self.assertFalse(self._get_planned())

    def test_longer_interval_cancels_it_after_the_night(self):
        self._run()
        self.segments["B"].contact_interval_days = 120
        self._refresh()
        self._run()
        self.assertFalse(self._get_planned())

    # === SWITCHED ON === #

    def _create_newcomers(self, count, user=None):
        """Return customers that were never spoken to, the most valuable first."""
        user = user or self.sam
        customers = self.env["res.partner"].union(
            *(
                self._create_customer(f"New {number}", user_id=user.id)
                for number in range(count)
            )
        )
        self.env.cr.flush()
        rows = self.env["coverage.customer"].search(
            [("partner_id", "in", customers.ids)]
        )
        for row in rows:
            row.declared_potential = 5_000 - row.partner_id.id % 1_000
        rows._set_manual_segment(self.segments["B"], "Test", False)
        return rows.sorted(lambda row: -row.potential)

    def test_first_contacts_are_spread_over_the_interval_the_best_first(self):
        rows = self._create_newcomers(13)
        self._run()
        days = rows.mapped("next_contact_date")
        self.assertEqual(days, sorted(days))
        self.assertEqual(days[0], TODAY)
        self.assertGreater(days[-1], TODAY + timedelta(days=75))
        self.assertEqual(len(set(days)), 13)
        self.assertEqual(self._get_open(rows).coverage_customer_id, rows[0])

    def test_place_in_the_rhythm_is_given_once(self):
        rows = self._create_newcomers(5)
        self._run()
        days = rows.mapped("next_contact_date")
        self._run(days=7)
        self._refresh(NOW + timedelta(days=7))
        self.assertEqual(rows.mapped("next_contact_date"), days)

    def test_newcomers_of_later_are_placed_then(self):
        self._run()
        rows = self._create_newcomers(4)
        self._run(days=10)
        days = rows.mapped("next_contact_date")
        self.assertEqual(days[0], TODAY + timedelta(days=10))
        self.assertGreater(days[-1], TODAY + timedelta(days=60))

    def test_customer_without_owner_waits_for_one(self):
        rows = self._create_newcomers(4)
        rows.user_id = False
        self._run()
        self.assertFalse(rows.filtered("rhythm_start_date"))
        rows.user_id = self.sam
        self._run()
        self.assertEqual(len(set(rows.mapped("next_contact_date"))), 4)

    def test_what_was_placed_survives_the_night(self):
        self._create_newcomers(9)
        self._refresh()
        self._run()
        before = self._snapshot()
        self._refresh()
        self.assertSameRows(self._snapshot(), before)

    # === SILENT === #

    def _get_counts(self):
        """Return how much of what could bother somebody there is."""
        return {
            name: self.env[name].search_count([])
            for name in (
                "mail.mail",
                "mail.message",
                "mail.notification",
                "mail.followers",
            )
        }

    def test_mass_run_mails_notifies_and_subscribes_nobody(self):
        rows = self._create_newcomers(110)
        rows.write({"rhythm_start_date": TODAY, "next_contact_date": TODAY})
        plain = {"mail_create_nolog": False, "tracking_disable": False}
        before = self._get_counts()
        cadence = self.env["coverage.cadence"].with_context(**plain)
        self.assertEqual(cadence._run_cadence(self.company, NOW), 111)
        self.env.cr.flush()
        self.assertEqual(self._get_counts(), before)

    # === SAFE === #

    @contextmanager
    def _veto(self, *customers):
        """Let another addon refuse activities of these customers."""
        activities = self.registry["mail.activity"]
        create = activities.create
        refused = {customer.id for customer in customers}

        def vetoing_create(records, vals_list):
            if refused.intersection(vals["res_id"] for vals in vals_list):
                raise ValidationError(REFUSAL)
            return create(records, vals_list)

        with patch.object(activities, "create", vetoing_create):
            yield

    def test_one_refused_activity_does_not_stop_the_others(self):
        others = [self._create_due(f"Due {number}", 1) for number in range(6)]
        with self._veto(others[2]), self.assertLogs(LOGGER, "WARNING") as logs:
            self.assertEqual(self._run(), 6)
        self.assertFalse(self._get_planned(others[2]))
        self.assertTrue(self._get_planned(others[5]))
        self.assertEqual(len(logs.output), 1)
        self.assertIn(REFUSAL, logs.output[0])

    def test_job_says_at_its_end_what_was_refused(self):
        cadence = self.env["coverage.cadence"]
        with (
            self._veto(self.customer),
            self.assertLogs(LOGGER, "WARNING"),
            self.enter_registry_test_mode(),
            patch.object(type(cadence), "_commit_batch", lambda *args: True),
            self.assertRaisesRegex(UserError, "1 contacts are not planned"),
        ):
            cadence._cron_cadence()

    def test_job_that_runs_out_of_time_is_completed_by_the_next(self):
        for number in range(6):
            self._create_due(f"Due {number}", 1)
        calls = []

        def stop(done, remaining):
            calls.append((done, remaining))
            return not done

        with patch.object(coverage_cadence, "BATCH", 3):
            self.assertEqual(self._run(commit=stop), 3)
            self.assertEqual(calls, [(0, 8), (3, 5)])
            self.assertEqual(self._run(), 4)
        self.assertEqual(self._run(), 0)

    def test_job_is_off_after_install(self):
        with file_open("crm_sales_coverage/data/ir_cron_data.xml") as data:
            tree = etree.parse(data)
        field = tree.find(".//record[@id='ir_cron_cadence']/field[@name='active']")
        self.assertEqual(field.get("eval"), "False")

    def test_job_plans_for_all_companies(self):
        cron = self.env.ref("crm_sales_coverage.ir_cron_cadence")
        with self.enter_registry_test_mode():
            cron.method_direct_trigger()
        self.env.invalidate_all()
        self.assertTrue(self._get_planned())

    def test_empty_company_plans_nothing(self):
        company = self._create_company("Empty")
        self.assertEqual(self._run(company=company), 0)

    # === COST === #

    def test_cost_does_not_grow_with_the_number_of_customers(self):
        rows = self._create_newcomers(112)
        counts = []
        for group in (rows[:2], rows[2:12], rows[12:]):
            group.write({"rhythm_start_date": TODAY, "next_contact_date": TODAY})
            (rows - group).write({"next_contact_date": TODAY + timedelta(days=60)})
            rows.rhythm_start_date = TODAY
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.env["coverage.cadence"]._run_cadence(self.company, NOW)
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
            self._get_open(group).unlink()
        self.assertLessEqual(counts[2], counts[1] + 1)  # Odoo inserts 100 at once

    def _get_open(self, rows):
        return self.env["mail.activity"].search(
            [("coverage_customer_id", "in", rows.ids)]
        )
