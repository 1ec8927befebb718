from datetime import timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged, users

from .common import NOW, TODAY, CoverageCase, ago


@tagged("post_install", "-at_install")
class TestLogTouch(CoverageCase):
    """The dialog that notes a contact: what it closes, writes and plans."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer = cls._create_customer("Mill", user_id=cls.sara.id)
        cls.person = cls._create_customer(
            "Ada", parent_id=cls.customer.id, is_company=False
        )
        row = cls._row(cls.customer)
        row.write({"owned_since": ago(200), "rhythm_start_date": ago(200)})
        cls._rate(cls.customer, "B")

    # === HELPERS === #

    def _open(self, user=None, **defaults):
        """Return the dialog as a form, opened on what the defaults name."""
        context = {f"default_{name}": record.id for name, record in defaults.items()}
        dialogs = self.env["coverage.log.touch"].with_user(user or self.sara)
        return Form(dialogs.with_context(**context))

    def _log(self, outcome="reached", user=None, minutes=5, customer=None, **values):
        """Log a call with the customer through the dialog; return the touch."""
        record = customer or self._row(self.customer)
        with self._open(user, customer_id=record) as form:
            self._fill(form, outcome, minutes=minutes, **values)
        return self._submit(form)

    def _log_lead(self, lead, outcome="reached", minutes=5, **values):
        with self._open(lead_id=lead) as form:
            self._fill(form, outcome, minutes=minutes, **values)
        return self._submit(form)

    def _fill(self, form, outcome, **values):
        form.outcome_id = self._get_outcome(outcome)
        for name, value in values.items():
            setattr(form, name, value)

    def _submit(self, form):
        action = form.record.action_log()
        return self.env["coverage.touch"].browse(action["infos"]["touch_id"])

    def _get_outcome(self, code):
        return self.env["coverage.outcome"].search([("code", "=", code)])

    def _plan(self):
        """Let the rhythm plan; return the activity."""
        self.env["coverage.cadence"]._run_cadence(self.company, NOW)
        self.env.invalidate_all()
        return self.env["mail.activity"].search(
            [("coverage_customer_id", "=", self._row(self.customer).id)]
        )

    def _get_by_hand(self, record):
        return self.env["mail.activity"].search(
            [
                ("res_model", "=", record._name),
                ("res_id", "=", record.id),
                ("coverage_customer_id", "=", False),
            ]
        )

    def _create_lead(self, **values):
        return self.env["crm.lead"].create(
            {
                "name": "Lead",
                "type": "lead",
                "company_id": self.company.id,
                "user_id": self.sara.id,
                **values,
            }
        )

    # === FROM WHERE === #

    def test_call_is_logged_from_the_customer(self):
        touch = self._log(note="Wants a price list")
        self.assertEqual(touch.customer_id, self._row(self.customer))
        self.assertEqual(touch.partner_id, self.person)
        self.assertEqual((touch.user_id, touch.team_id), (self.sara, self.north))
        self.assertEqual((touch.minutes, touch.is_two_way), (5, True))
        self.assertEqual((touch.source, touch.note), ("hand", "Wants a price list"))
        self.assertFacts(self.customer, last_contact_date=TODAY)

    def test_call_is_logged_from_a_contact(self):
        with self._open(partner_id=self.person) as form:
            self._fill(form, "reached", minutes=5)
        touch = self._submit(form)
        self.assertEqual(touch.customer_id, self._row(self.customer))
        self.assertEqual(touch.partner_id, self.person)

    def test_call_is_logged_from_a_lead_of_a_customer(self):
        lead = self._create_opportunity(self.customer, user_id=self.sara.id)
        touch = self._log_lead(lead)
        self.assertEqual(touch.lead_id, lead)
        self.assertEqual(touch.customer_id, self._row(self.customer))
        self.assertFacts(self.customer, last_contact_date=TODAY)

    def test_call_is_logged_from_a_lead_without_customer(self):
        lead = self._create_lead()
        touch = self._log_lead(lead)
        self.assertEqual((touch.lead_id, touch.company_id), (lead, self.company))
        self.assertFalse(touch.customer_id | touch.partner_id.coverage_id)

    def test_call_on_a_lead_counts_for_the_customer_of_another(self):
        lead = self._create_opportunity(self.customer, user_id=self.sam.id)
        with self._open(self.sam, lead_id=lead) as form:
            self._fill(form, "reached", minutes=5)
            form.partner_id = self.person
        touch = self._submit(form)
        self.assertEqual(touch.customer_id, self._row(self.customer))

    def test_contact_that_is_no_customer_is_refused(self):
        contact = self._create_customer("Nobody's")
        with self._open(partner_id=contact) as form:
            self._fill(form, "reached", minutes=5)
        with self.assertRaisesRegex(UserError, "no customer yet"):
            self._submit(form)

    @users("cover_olga")
    def test_other_sellers_customer_is_refused(self):
        dialog = self.env["coverage.log.touch"].create(
            {
                "customer_id": self._row(self.customer).id,
                "partner_id": self.person.id,
                "minutes": 5,
            }
        )
        with self.assertRaises(AccessError):
            dialog.action_log()

    # === HOW IT ENDED === #

    def test_outcome_fills_in_the_next_step(self):
        for code, days, channel, summary in (
            ("reached", None, "call", False),
            ("call_back", 2, "call", "Call back as agreed"),
            ("no_answer", None, "call", False),
            ("wrong_number", 1, "call", "Find the right number"),
        ):
            with self.subTest(code):
                form = self._open(customer_id=self._row(self.customer))
                form.outcome_id = self._get_outcome(code)
                day = days and TODAY + timedelta(days=days)
                self.assertEqual(form.next_date or None, day)
                self.assertEqual(form.next_channel, channel)
                self.assertEqual(form.next_summary, summary)

    def test_next_step_is_on_a_working_day(self):
        self._get_outcome("call_back").next_days = 5  # NOW is a Monday
        form = self._open(customer_id=self._row(self.customer))
        form.outcome_id = self._get_outcome("call_back")
        self.assertEqual(form.next_date, TODAY + timedelta(days=7))

    def test_day_of_the_rhythm_is_the_one_that_comes(self):
        for segment in ("A", "B", "D"):
            with self.subTest(segment=segment):
                self._rate(self.customer, segment)
                touch = self._log()
                self.assertFacts(self.customer, next_contact_date=touch.next_date)

    def test_attempt_after_a_talk_does_not_bring_the_rhythm_forward(self):
        talk = self._log()
        attempt = self._log("no_answer", minutes=0)
        self.assertEqual(attempt.next_date, talk.next_date)

    def test_email_keeps_a_rhythm_by_email(self):
        self._rate(self.customer, "D")
        touch = self._log("no_answer", minutes=0, channel="email")
        self.assertFacts(self.customer, next_contact_date=touch.next_date)

    def test_short_talk_is_an_attempt(self):
        for minutes, is_two_way in ((0, False), (0.4, False), (0.5, True)):
            with self.subTest(minutes=minutes):
                self.assertEqual(self._log(minutes=minutes).is_two_way, is_two_way)

    def test_short_visit_is_a_contact(self):
        self.assertTrue(self._log(channel="visit", minutes=0).is_two_way)

    def test_refusal_needs_a_reason(self):
        with self.assertRaisesRegex(UserError, "Say why"):
            dialog = self.env["coverage.log.touch"].with_user(self.sara)
            dialog.create(
                {
                    "customer_id": self._row(self.customer).id,
                    "outcome_id": self._get_outcome("refused").id,
                    "minutes": 5,
                }
            ).action_log()
        reason = self.env["crm.lost.reason"].create({"name": "Has a supplier"})
        touch = self._log("refused", refusal_reason_id=reason)
        self.assertEqual(touch.refusal_reason_id, reason)

    def test_lead_needs_a_next_step(self):
        lead = self._create_lead()
        form = self._open(lead_id=lead)
        self._fill(form, "reached", minutes=5)
        self.assertEqual(form.next_date, TODAY + timedelta(days=7))
        dialog = form.save()
        dialog.next_date = False
        with self.assertRaisesRegex(UserError, "a lead needs one"):
            dialog.action_log()

    def test_next_step_is_not_in_the_past(self):
        with self.assertRaisesRegex(UserError, "past"):
            self._log(next_date=ago(1))

    # === WHAT COMES NEXT === #

    def test_next_step_is_planned_for_the_owner_silently(self):
        before = self.env["mail.mail"].search_count([])
        messages = self.env["mail.message"].search_count([])
        self._log("call_back", user=self.leader, next_summary="Ask for the size")
        activity = self._get_by_hand(self.customer)
        self.assertEqual(activity.user_id, self.sara)
        self.assertEqual(activity.summary, "Ask for the size")
        self.assertEqual(activity.date_deadline, TODAY + timedelta(days=2))
        self.assertEqual(self.env["mail.mail"].search_count([]), before)
        self.assertEqual(self.env["mail.message"].search_count([]), messages)

    def test_next_step_of_a_lead_is_planned_on_the_lead(self):
        lead = self._create_lead(user_id=self.sam.id)
        with self._open(self.leader, lead_id=lead) as form:
            self._fill(form, "reached", minutes=5, next_channel="visit")
        self._submit(form)
        activity = self._get_by_hand(lead)
        self.assertEqual(activity.user_id, self.sam)
        self.assertEqual(
            activity.activity_type_id, self.env.ref("mail.mail_activity_data_meeting")
        )

    def test_without_a_day_the_rhythm_plans(self):
        self._log()
        self.assertFalse(self._get_by_hand(self.customer))

    # === WHAT IT CLOSES === #

    def test_contact_closes_the_planned_one_with_its_note(self):
        activity = self._plan()
        self._log(note="Wants a price list")
        self.assertFalse(activity.active)
        self.assertEqual(activity.feedback, "Wants a price list")

    def test_attempt_moves_the_planned_one_to_the_next_try(self):
        activity = self._plan()
        self._log("no_answer", minutes=0)
        self.assertTrue(activity.active)
        self.assertEqual(activity.date_deadline, TODAY + timedelta(days=2))
        self.assertFalse(self._get_by_hand(self.customer))

    def test_attempt_moves_the_planned_one_to_the_day_agreed(self):
        activity = self._plan()
        self._log("wrong_number", minutes=0)
        self.assertEqual(activity.date_deadline, TODAY + timedelta(days=1))
        self.assertEqual(activity.summary, "Find the right number")
        self.assertFalse(self._get_by_hand(self.customer))

    def test_contact_by_hand_that_is_due_is_closed(self):
        activity = self.customer.activity_schedule(
            "mail.mail_activity_data_call", TODAY, user_id=self.sara.id
        )
        with self._open(
            customer_id=self._row(self.customer), activity_id=activity
        ) as form:
            self._fill(form, "reached", minutes=5)
        self._submit(form)
        self.assertFalse(activity.active)

    def test_next_step_of_a_lead_is_closed_and_the_planned_contact_too(self):
        planned = self._plan()
        lead = self._create_opportunity(self.customer, user_id=self.sara.id)
        step = lead.activity_schedule(
            "mail.mail_activity_data_call", TODAY, user_id=self.sara.id
        )
        with self._open(lead_id=lead, activity_id=step) as form:
            self._fill(form, "reached", minutes=5)
            form.partner_id = self.person
        self._submit(form)
        self.assertFalse(step.active)
        self.assertFalse(planned.active)

    def test_contact_is_counted_once(self):
        self._plan()
        touch = self._log(note="Talked")
        self.assertEqual(self._touches(self.customer), touch)
        self.env["coverage.ledger"]._backfill()
        self.assertEqual(self._touches(self.customer), touch)
        self.assertTrue(self.customer.message_ids.filtered("mail_activity_type_id"))

    # === THE TELEPHONE === #

    def _report(self, seconds, minutes_ago=0):
        """Let the telephone system report a call of Sara's; return the touch."""
        self.person.phone = "+32470123456"
        moment = NOW - timedelta(minutes=minutes_ago)
        touches = self.env["coverage.touch"].with_user(self.sara)
        touch_id = touches.log_call(
            "+32470123456", "out", moment.isoformat(), seconds, external_id="1"
        )
        return self.env["coverage.touch"].browse(touch_id)

    def test_note_completes_what_the_telephone_reported(self):
        reported = self._report(95, minutes_ago=5)
        touch = self._log(note="Wants a price list", minutes=30)
        self.assertEqual(touch, reported)
        self.assertEqual(self._touches(self.customer), reported)
        self.assertEqual((touch.source, touch.minutes), ("telephone", 1.6))
        self.assertEqual(touch.note, "Wants a price list")

    def test_note_does_not_make_a_talk_of_what_the_telephone_knows_better(self):
        self._report(5, minutes_ago=5)
        self.assertFalse(self._log("reached", minutes=30).is_two_way)
        self.assertFacts(self.customer, last_contact_date=False)

    def test_call_that_the_telephone_reports_afterwards_is_the_same(self):
        touch = self._log()
        self.assertEqual(self._report(95, minutes_ago=5), touch)
        self.assertEqual(self._touches(self.customer), touch)

    # === WHAT WAS FOUND OUT === #

    def test_what_was_found_out_lands_where_it_belongs(self):
        industry = self.env["res.partner.industry"].create({"name": "Mills"})
        self._log(
            decision_maker="Bob Miller",
            decision_maker_phone="+32470999999",
            person_phone="+32470111111",
            industry_id=industry,
            employee_count=80,
            potential=25_000,
            potential_how="Asked",
        )
        boss = self.customer.child_ids.filtered("is_decision_maker")
        self.assertEqual((boss.name, boss.phone), ("Bob Miller", "+32470999999"))
        self.assertEqual(self.person.phone, "+32470111111")
        self.assertEqual(self.customer.industry_id, industry)
        self.assertEqual(self.customer.coverage_employee_count, 80)
        self.assertFacts(self.customer, declared_potential=25_000, declared_how="Asked")

    def test_known_contact_becomes_the_one_who_decides(self):
        self._log(decision_maker=" ada ")
        self.assertTrue(self.person.is_decision_maker)
        self.assertEqual(self.customer.child_ids, self.person)

    def test_what_is_known_is_shown_and_not_overwritten(self):
        self.customer.coverage_employee_count = 80
        form = self._open(customer_id=self._row(self.customer))
        self.assertEqual(form.employee_count, 80)
        self._log()
        self.assertEqual(self.customer.coverage_employee_count, 80)

    def test_lead_without_customer_keeps_what_was_found_out(self):
        industry = self.env["res.partner.industry"].create({"name": "Mills"})
        lead = self._create_lead()
        self._log_lead(
            lead,
            decision_maker="Bob Miller",
            decision_maker_phone="+32470999999",
            industry_id=industry,
            employee_count=80,
        )
        self.assertEqual(lead.contact_name, "Bob Miller")
        self.assertEqual(lead.phone, "+32470999999")
        self.assertEqual(lead.coverage_industry_id, industry)
        self.assertEqual(lead.coverage_employee_count, 80)

    def test_what_may_not_be_written_is_said_and_nothing_is_noted(self):
        rule = self.env["ir.rule"].create(
            {
                "name": "Read only",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": [("id", "!=", self.customer.id)],
                "perm_read": False,
                "perm_create": False,
                "perm_unlink": False,
            }
        )
        self.assertTrue(rule)
        before = self.env["coverage.touch"].search_count([])
        with self.assertRaisesRegex(UserError, "into the note"):
            self._log(employee_count=80)
        self.assertEqual(self.env["coverage.touch"].search_count([]), before)
        self.assertTrue(self._log(note="80 people"))

    # === ONE TAP === #

    def test_visit_takes_one_tap(self):
        activity = self._plan()
        row = self._row(self.customer).with_user(self.sara)
        touch = self.env["coverage.touch"].browse(row.action_log_quick("visit"))
        self.assertEqual((touch.channel, touch.partner_id), ("visit", self.person))
        self.assertTrue(touch.is_two_way)
        self.assertFalse(activity.active)
        self.assertFacts(self.customer, next_contact_date=TODAY + timedelta(days=90))

    def test_withdrawal_brings_back_the_start(self):
        activity = self._plan()
        before = self._snapshot()
        row = self._row(self.customer).with_user(self.sara)
        touch = self.env["coverage.touch"].browse(row.action_log_quick("message"))
        touch.with_user(self.leader).action_withdraw()
        self.env.invalidate_all()
        self.assertSameRows(self._snapshot(), before)
        self.assertTrue(activity.active)

    def test_call_does_not_take_one_tap(self):
        row = self._row(self.customer).with_user(self.sara)
        with self.assertRaises(UserError):
            row.action_log_quick("call")

    def test_one_tap_needs_the_right_to_see_the_customer(self):
        row = self._row(self.customer).with_user(self.olga)
        with self.assertRaises(AccessError):
            row.action_log_quick("visit")
