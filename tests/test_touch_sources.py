from datetime import datetime, timedelta
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import NOW, TODAY, CoverageCase, ago

KINDS = {
    "call": "mail.mail_activity_data_call",
    "visit": "mail.mail_activity_data_meeting",
    "email": "mail.mail_activity_data_email",
    "to-do": "mail.mail_activity_data_todo",
}


class SourceCase(CoverageCase):
    """A customer of Sara with two people, and what Odoo keeps of contacts."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer = cls._create_known_buyer(
            5_000, name="Acme", user_id=cls.sara.id, email="office@acme-buyer.com"
        )
        cls.row = cls._row(cls.customer)
        cls.anna, cls.bob = (
            cls._create_customer(
                name,
                parent_id=cls.customer.id,
                is_company=False,
                email=f"{name.lower()}@acme-buyer.com",
            )
            for name in ("Anna", "Bob")
        )
        cls.env["mail.alias.domain"].create({"name": "coverage-trade.com"})
        cls.env.cr.flush()

    def assertNoted(self, *expected, customer=None):
        """Assert ``(source, channel, direction, two-way)`` of a customer's contacts."""
        touches = self._touches(customer or self.customer)
        found = [
            (touch.source, touch.channel, touch.direction, touch.is_two_way)
            for touch in touches
        ]
        self.assertEqual(found, list(expected))
        return touches

    # === WHAT PEOPLE DO === #

    def _do(self, record, kind, user=None, feedback=False, **values):
        """Mark an activity done."""
        user = user or self.sara
        activity = self.env["mail.activity"].create(
            {
                "res_model_id": self.env["ir.model"]._get_id(record._name),
                "res_id": record.id,
                "activity_type_id": self.env.ref(KINDS[kind]).id,
                "user_id": user.id,
                **values,
            }
        )
        activity.with_user(user).action_feedback(feedback=feedback)
        return activity

    def _meet(self, *partners, start=-2, hours=1, user=None, **values):
        """Return a meeting that begins that many hours from now."""
        user = user or self.sara
        begin = NOW + timedelta(hours=start)
        guests = user.partner_id.union(*partners)
        events = self.env["calendar.event"].with_user(user).sudo()
        return events.with_context(no_mail_to_attendees=True, dont_notify=True).create(
            {
                "name": "Meeting",
                "user_id": user.id,
                "start": begin,
                "stop": begin + timedelta(hours=hours),
                "partner_ids": [Command.set(guests.ids)],
                **values,
            }
        )

    def _note_meetings(self):
        self.env["coverage.ledger"]._cron_meetings()

    def _date_back(self, record, hours):
        """Let a record have been created that many hours ago, not on the real day."""
        self.env.flush_all()
        self.env.cr.execute(
            f"UPDATE {record._table} SET create_date = %s WHERE id = %s",
            [NOW - timedelta(hours=hours), record.id],
        )
        record.invalidate_recordset(["create_date"])

    def _mail(self, record, to, user=None, **values):
        """Send an e-mail from the chatter of a record."""
        return record.with_user(user or self.sara).message_post(
            body="Our offer",
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            partner_ids=to.ids,
            **values,
        )

    def _receive(self, sender, parent, subject="Re: Our offer", **headers):
        """Receive the answer to a message through the mail gateway."""
        self._receives = getattr(self, "_receives", 0) + 1
        lines = {
            "From": sender,
            "To": "catchall@coverage-trade.com",
            "Subject": subject,
            "Date": NOW.strftime("%a, %d %b %Y %H:%M:%S +0000"),
            "Message-Id": f"<{self._receives}.{id(self)}@elsewhere.com>",
            "In-Reply-To": parent.message_id,
            "Content-Type": "text/plain; charset=utf-8",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        raw = "\n".join(f"{name}: {value}" for name, value in lines.items())
        self.env["mail.thread"].message_process(False, f"{raw}\n\nYes, please.\n")


@tagged("post_install", "-at_install")
class TestTouchActivities(SourceCase):
    """A done activity is one contact, if its kind is one."""

    def test_each_kind_of_activity_is_noted_as_its_channel(self):
        for kind, expected in (
            ("call", [("activity", "call", "out", True)]),
            ("visit", [("activity", "visit", "out", True)]),
            ("email", [("activity", "email", "out", False)]),
            ("to-do", []),
        ):
            with self.subTest(kind=kind), self._tried():
                self._do(self.customer, kind)
                self.assertNoted(*expected)

    def test_activity_on_contact_lead_and_order_counts_for_the_customer(self):
        lead = self._create_opportunity(self.customer, user_id=self.sara.id)
        order = self._create_quotation(self.customer, 10, user_id=self.sara.id)
        for record in (self.customer, self.anna, lead, order):
            with self.subTest(model=record._name), self._tried():
                self._do(record, "call")
                touch = self.assertNoted(("activity", "call", "out", True))
                self.assertEqual(touch.customer_id, self.row)
                self.assertEqual(touch.user_id, self.sara)
                self.assertEqual(touch.team_id, self.north)
                self.assertEqual(
                    touch.lead_id, lead if record == lead else touch.lead_id
                )
                self.assertFacts(self.customer, last_contact_date=TODAY)

    def test_what_was_said_is_kept(self):
        self._do(self.customer, "call", feedback="Wants ten")
        self.assertEqual(self._touches(self.customer).note, "Wants ten")

    def test_two_calls_of_a_day_are_two_contacts(self):
        self._do(self.customer, "call", feedback="First")
        self._do(self.customer, "call", feedback="Second")
        self.assertNoted(*[("activity", "call", "out", True)] * 2)

    def test_activity_cancelled_is_no_contact(self):
        activity = self.env["mail.activity"].create(
            {
                "res_model_id": self.env["ir.model"]._get_id("res.partner"),
                "res_id": self.customer.id,
                "activity_type_id": self.env.ref(KINDS["call"]).id,
            }
        )
        activity.action_cancel()
        self.assertNoted()

    def test_activity_done_by_a_machine_is_no_contact(self):
        self._do(self.customer, "call", user=self.env.ref("base.user_root"))
        self.assertNoted()

    def test_activity_done_after_the_mail_it_asked_for_is_one_contact(self):
        self._mail(self.customer, self.anna)
        self._do(self.customer, "email")
        self.assertNoted(("email", "email", "out", False))

    def test_activity_repeated_by_hand_is_one_contact(self):
        self._log_touch(self.customer)
        self._do(self.customer, "call")
        self.assertNoted(("hand", "call", "out", True))

    def test_person_without_a_document_is_no_customer(self):
        person = self._create_customer("Nobody's")
        self._do(person, "call")
        self.assertNoted(customer=person)

    def test_call_before_the_first_quotation_counts_once_there_is_one(self):
        person = self._create_customer("Newcomer")
        self._do(person, "call", feedback="Send an offer")
        self.env.cr.flush()
        self._create_quotation(person, 100)
        self._note_meetings()
        self._note_meetings()
        self.assertNoted(("activity", "call", "out", True), customer=person)
        self.assertFacts(person, last_contact_date=TODAY)

    def test_activity_that_is_read_half_way_keeps_its_note(self):
        """Odoo posts the message first; a savepoint meanwhile runs what is queued."""
        post = type(self.env["res.partner"]).message_post_with_source

        def posting(record, *args, **kwargs):
            message = post(record, *args, **kwargs)
            record.env.cr.flush()
            return message

        with patch.object(
            type(self.env["res.partner"]), "message_post_with_source", posting
        ):
            self._do(self.customer, "call", feedback="Kept")
        self.assertEqual(self._touches(self.customer).note, "Kept")


@tagged("post_install", "-at_install")
class TestTouchMeetings(SourceCase):
    """A meeting proves a contact when it took place."""

    def test_meeting_that_is_over_is_noted_once(self):
        event = self._meet(self.anna)
        self._note_meetings()
        self._note_meetings()
        touch = self.assertNoted(("meeting", "visit", "out", True))
        self.assertEqual(touch.partner_id, self.anna)
        self.assertEqual(touch.user_id, self.sara)
        self.assertEqual(touch.origin_id, event.id)
        self.assertEqual(touch.minutes, 60)
        self.assertTrue(touch.is_proven)
        self.assertFacts(self.customer, last_contact_date=TODAY, last_proven_date=TODAY)

    def test_meeting_that_did_not_take_place_is_no_contact(self):
        declined = self._meet(self.anna)
        declined.attendee_ids.filtered(
            lambda guest: guest.partner_id == self.anna
        ).state = "declined"
        self._meet(self.anna, start=-0.5)  # not over
        self._meet(self.anna, start=5)
        self._meet(self.anna).active = False
        self._note_meetings()
        self.assertNoted()

    def test_meeting_entered_afterwards_is_no_contact(self):
        event = self._meet(self.anna, start=-48)
        self._date_back(event, hours=2)
        self._note_meetings()
        self.assertNoted()

    def test_meeting_moved_into_the_past_is_no_contact(self):
        event = self._meet(self.anna, start=48)
        event.write(
            {
                "start": NOW - timedelta(hours=4),
                "stop": NOW - timedelta(hours=3),
            }
        )
        self._note_meetings()
        self.assertNoted()

    def test_meeting_moved_forward_counts_when_it_is_over(self):
        event = self._meet(self.anna, start=-48)
        event.write(
            {"start": NOW - timedelta(hours=4), "stop": NOW - timedelta(hours=3)}
        )
        self._note_meetings()
        self.assertNoted(("meeting", "visit", "out", True))

    def test_two_people_of_a_customer_are_one_contact(self):
        self._meet(self.anna, self.bob)
        self._note_meetings()
        self.assertNoted(("meeting", "visit", "out", True))

    def test_two_customers_are_two_contacts(self):
        other = self._create_known_buyer(10, name="Other")
        self._meet(self.anna, other)
        self._note_meetings()
        for customer in (self.customer, other):
            self.assertNoted(("meeting", "visit", "out", True), customer=customer)

    def test_meeting_by_video_is_online(self):
        self._meet(self.anna, videocall_location="https://meet.example.com/1")
        self._note_meetings()
        self.assertNoted(("meeting", "online", "out", True))

    def test_strangers_at_the_meeting_of_a_lead_are_one_contact(self):
        lead = self._create_opportunity(self.env["res.partner"])
        strangers = [self._create_customer(name) for name in ("One", "Two")]
        self._meet(*strangers, opportunity_id=lead.id)
        self._note_meetings()
        touches = self.env["coverage.touch"].search([("lead_id", "=", lead.id)])
        self.assertEqual(len(touches), 1)

    def test_stranger_beside_the_customer_of_a_lead_adds_no_contact(self):
        lead = self._create_opportunity(self.customer)
        self._meet(self._create_customer("One"), self.anna, opportunity_id=lead.id)
        self._note_meetings()
        touch = self.assertNoted(("meeting", "visit", "out", True))
        self.assertEqual(touch.lead_id, lead)
        found = self.env["coverage.touch"].search([("lead_id", "=", lead.id)])
        self.assertEqual(found, touch)

    def test_meeting_that_the_customer_organised_is_ours_who_came(self):
        self._meet(self.anna, user_id=False)
        self._note_meetings()
        touch = self.assertNoted(("meeting", "visit", "out", True))
        self.assertEqual(touch.user_id, self.sara)

    def test_activity_of_a_meeting_is_not_counted_twice(self):
        for guests, expected in (
            (self.anna, [("meeting", "visit", "out", True)]),
            (self.env["res.partner"], [("activity", "visit", "out", True)]),
        ):
            with self.subTest(guests=guests.mapped("name")), self._tried():
                event = self._meet(guests)
                self._do(self.customer, "visit", calendar_event_id=event.id)
                self._note_meetings()
                self.assertNoted(*expected)

    def test_activity_of_a_meeting_to_come_is_no_contact(self):
        event = self._meet(self.anna, start=24)
        self._do(self.customer, "visit", calendar_event_id=event.id)
        self._note_meetings()
        self.assertNoted()

    def test_visit_noted_by_hand_is_proven_by_its_meeting(self):
        self._log_touch(self.customer, channel="visit", note="Liked it")
        self._meet(self.anna)
        self._note_meetings()
        self._note_meetings()
        touch = self.assertNoted(("meeting", "visit", "out", True))
        self.assertEqual(touch.note, "Liked it")
        self.assertFacts(self.customer, last_proven_date=TODAY)

    def test_visit_noted_after_its_meeting_finds_it(self):
        self._meet(self.anna, start=-9)
        self._meet(self.anna, start=-30)
        self._note_meetings()
        touches = self._touches(self.customer)
        vals = {
            "company_id": self.company.id,
            "customer_id": self.row.id,
            "user_id": self.sara.id,
            "channel": "visit",
            "date": NOW,
        }
        twin = touches._find_twin(vals, ("telephone", "meeting"))
        self.assertEqual(twin, touches[1])
        self.assertFalse(touches._find_twin(vals, ("telephone",)))
        vals["channel"] = "call"
        self.assertFalse(touches._find_twin(vals, ("telephone", "meeting")))

    def test_two_meetings_of_a_day_prove_one_note_and_add_a_contact(self):
        self._log_touch(self.customer, channel="visit")
        self._meet(self.anna, start=-2)
        self._meet(self.anna, start=-5)
        self._note_meetings()
        self._note_meetings()
        self.assertNoted(*[("meeting", "visit", "out", True)] * 2)


@tagged("post_install", "-at_install")
class TestTouchMails(SourceCase):
    """A mail out is an attempt, an answer by a person is a contact."""

    def test_mail_to_the_customer_is_an_attempt(self):
        self._mail(self.customer, self.anna)
        touch = self.assertNoted(("email", "email", "out", False))
        self.assertEqual(touch.partner_id, self.anna)
        self.assertEqual(touch.user_id, self.sara)
        self.assertFacts(
            self.customer,
            last_contact_date=False,
            last_attempt_date=TODAY,
            last_email_date=TODAY,
        )

    def test_mail_to_followers_is_an_attempt(self):
        lead = self._create_opportunity(self.customer, user_id=self.sara.id)
        lead.message_subscribe(self.anna.ids)
        self._mail(lead, self.env["res.partner"])
        touch = self.assertNoted(("email", "email", "out", False))
        self.assertEqual(touch.lead_id, lead)

    def test_what_stays_with_us_is_no_contact(self):
        self._mail(self.customer, self.sam.partner_id)
        self.customer.with_user(self.sara).message_post(body="Note to myself")
        self.customer.with_user(self.sara).message_post(
            body="Note to Sam",
            message_type="comment",
            subtype_xmlid="mail.mt_note",
            partner_ids=self.sam.partner_id.ids,
        )
        self.assertNoted()

    def test_mail_of_the_composer_is_noted_once_per_document(self):
        other = self._create_known_buyer(10, name="Other", email="o@other-buyer.com")
        for mode in ("comment", "mass_mail"):
            with self.subTest(mode=mode), self._tried():
                customers = self.customer | other
                records = self.customer if mode == "comment" else customers
                composer = (
                    self.env["mail.compose.message"]
                    .with_user(self.sara)
                    .create(
                        {
                            "model": "res.partner",
                            "res_ids": records.ids,
                            "composition_mode": mode,
                            "partner_ids": self.customer.ids
                            if mode == "comment"
                            else False,
                            "subject": "Offer",
                            "body": "Our offer",
                        }
                    )
                )
                composer._action_send_mail()
                for customer in records:
                    self.assertNoted(
                        ("email", "email", "out", False), customer=customer
                    )

    def test_mail_of_a_machine_is_no_contact(self):
        bot = self.env.ref("base.user_root")
        self._mail(self.customer, self.anna, user=bot)
        self._mail(self.customer, self.anna, author_id=bot.partner_id.id)
        self.assertNoted()

    def test_answer_of_a_person_is_a_contact(self):
        sent = self._mail(self.customer, self.anna)
        self._receive("Anna <anna@acme-buyer.com>", sent)
        touch = self.assertNoted(
            ("email", "email", "out", False), ("email", "email", "in", True)
        )[1]
        self.assertEqual(touch.partner_id, self.anna)
        self.assertEqual(touch.user_id, self.sara)
        self.assertFacts(self.customer, last_contact_date=TODAY, last_proven_date=TODAY)

    def test_answer_of_a_machine_is_no_contact(self):
        sent = self._mail(self.customer, self.anna)
        for subject, headers in (
            ("Re: Our offer", {"Auto_Submitted": "auto-replied"}),
            ("Re: Our offer", {"X_Autoreply": "yes"}),
            ("Re: Our offer", {"Precedence": "bulk"}),
            ("Automatic reply: Our offer", {}),
            ("Automatische Antwort: Our offer", {}),
            ("Out of Office: Our offer", {}),
            ("Автоматический ответ: Our offer", {}),
            ("Автоматичен отговор: Our offer", {}),
        ):
            with self.subTest(subject=subject, headers=headers), self._tried():
                self._receive("anna@acme-buyer.com", sent, subject, **headers)
                self.assertNoted(
                    ("email", "email", "out", False), ("email", "email", "in", False)
                )

    def test_answer_that_only_sounds_like_a_machine_is_a_contact(self):
        sent = self._mail(self.customer, self.anna)
        for subject, headers in (
            ("Re: automatic reply machines", {"Auto_Submitted": "no"}),
            ("Absence of two parts in the delivery", {}),
            ("Отсутствует счёт", {}),
        ):
            with self.subTest(subject=subject), self._tried():
                self._receive("anna@acme-buyer.com", sent, subject, **headers)
                self.assertTrue(self._touches(self.customer)[-1].is_two_way)

    def test_answer_from_elsewhere_is_not_the_customers(self):
        sent = self._mail(self.customer, self.anna)
        for sender, is_two_way in (
            ("sara.private@gmail.com", False),
            ("carl@acme-buyer.com", True),  # a colleague, not in the contacts
            ("Office <OFFICE@acme-buyer.com>", True),
        ):
            with self.subTest(sender=sender), self._tried():
                self._receive(sender, sent)
                touch = self._touches(self.customer)[-1]
                self.assertEqual(touch.direction, "in")
                self.assertEqual(touch.is_two_way, is_two_way)

    def test_our_own_answer_from_elsewhere_is_an_attempt(self):
        sent = self._mail(self.customer, self.anna)
        self._receive(f"Sara <{self.sara.email}>", sent, Cc="anna@acme-buyer.com")
        self.assertNoted(*[("email", "email", "out", False)] * 2)

    def test_out_of_office_answer_of_ours_is_no_contact(self):
        self.sara.sudo().write(
            {
                "out_of_office_from": NOW - timedelta(days=1),
                "out_of_office_to": NOW + timedelta(days=1),
                "out_of_office_message": "On holiday",
            }
        )
        sent = self._mail(self.customer, self.anna)
        self._receive("anna@acme-buyer.com", sent)
        self.assertNoted(
            ("email", "email", "out", False), ("email", "email", "in", True)
        )

    def test_mail_that_makes_a_lead_is_a_contact_with_it(self):
        lead_id = self.env["mail.thread"].message_process(
            "crm.lead",
            "From: new@prospect-buyer.com\nTo: prices@coverage-trade.com\n"
            "Subject: Prices\nMessage-Id: <lead@prospect-buyer.com>\n\nHow much?\n",
        )
        self.assertTrue(lead_id)
        self.env.cr.flush()
        touch = self.env["coverage.touch"].search([("lead_id", "=", lead_id)])
        self.assertEqual((touch.direction, touch.is_two_way), ("in", True))
        self.assertFalse(touch.customer_id)

    def test_text_message_is_an_attempt(self):
        self.anna.phone = "+32470123456"
        self.anna.with_user(self.sara)._message_sms("Hello", partner_ids=self.anna.ids)
        self.assertNoted(("sms", "message", "out", False))

    def test_mail_of_who_does_not_sell_keeps_no_rhythm(self):
        for user, is_counted in (
            (self.clerk, False),
            (self.sam, True),
            (self.leader, True),
        ):
            with self.subTest(user=user.login), self._tried():
                self._mail(self.customer, self.anna, user=user)
                self.assertEqual(self._touches(self.customer).is_counted, is_counted)
                self.assertFacts(
                    self.customer, last_attempt_date=TODAY if is_counted else False
                )

    def test_mail_of_a_watcher_keeps_the_rhythm(self):
        self.row.watcher_ids = self.clerk
        self._mail(self.customer, self.anna, user=self.clerk)
        self.assertTrue(self._touches(self.customer).is_counted)

    def test_customers_answer_on_the_portal_is_a_contact(self):
        order = self._create_quotation(self.customer, 10, user_id=self.sara.id)
        order.message_post(
            body="Make it two",
            author_id=self.anna.id,
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
        )
        touch = self.assertNoted(("email", "message", "in", True))
        self.assertEqual(touch.partner_id, self.anna)


@tagged("post_install", "-at_install")
class TestTouchOrders(SourceCase):
    """An order that one of us takes is a contact with who orders."""

    def _order(self, user, confirmer=None):
        order = (
            self.env["sale.order"]
            .with_user(user)
            .sudo()
            .create(
                {
                    "partner_id": self.anna.id,
                    "company_id": self.company.id,
                    "order_line": [self._prepare_line(10)],
                }
            )
        )
        order.with_user(confirmer or user).sudo().action_confirm()
        return order

    def test_order_taken_by_one_of_us_is_a_contact(self):
        order = self._order(self.sara)
        order.date_order = NOW
        touch = self.assertNoted(("order", "message", "in", True))
        self.assertEqual(touch.note, order.name)
        self.assertEqual(touch.partner_id, self.anna)
        self.assertFacts(self.customer, last_proven_date=TODAY)

    def test_order_nobody_of_us_took_is_no_contact(self):
        bot, visitor = self.env.ref("base.user_root"), self.env.ref("base.public_user")
        for user, confirmer in ((bot, bot), (visitor, visitor), (visitor, self.sara)):
            with self.subTest(user=user.login), self._tried():
                self._order(user, confirmer)
                self.assertNoted()

    def test_order_is_no_contact_where_the_company_says_so(self):
        self.company.coverage_order_is_contact = False
        self._order(self.sara)
        self.assertNoted()

    def test_quotation_is_no_contact(self):
        self.env["sale.order"].with_user(self.sara).sudo().create(
            {"partner_id": self.anna.id, "company_id": self.company.id}
        )
        self.assertNoted()


@tagged("post_install", "-at_install")
class TestTouchLedger(SourceCase):
    """The ledger as a whole: days, history, merges, what is taken back."""

    def _live(self):
        """Let a little of everything happen."""
        sent = self._mail(self.customer, self.anna)
        self._receive("anna@acme-buyer.com", sent)
        self._receive("bob@acme-buyer.com", sent, "Out of office: Our offer")
        self._do(self.customer, "email")
        self._do(self.anna, "call", feedback="Talked")
        lead = self._create_opportunity(self.customer, user_id=self.sara.id)
        self._do(lead, "call", user=self.sam)
        self._mail(self.customer, self.bob, user=self.clerk)
        self._meet(self.bob, opportunity_id=lead.id)
        self.env["sale.order"].with_user(self.sara).sudo().create(
            {
                "partner_id": self.anna.id,
                "company_id": self.company.id,
                "order_line": [self._prepare_line(10)],
            }
        ).action_confirm()
        self._note_meetings()
        self.env.cr.flush()

    def _tell(self):
        self.env.cr.flush()
        self.env.cr.execute(
            """SELECT customer_id, partner_id, lead_id, user_id, team_id, date, channel,
                      direction, is_two_way, is_counted, minutes, note, source,
                      origin_id
                 FROM coverage_touch WHERE company_id = %s
                ORDER BY source, origin_id""",
            [self.company.id],
        )
        return self.env.cr.fetchall()

    def test_history_read_at_install_is_what_events_noted(self):
        self._live()
        noted = self._tell()
        self.assertEqual(len(noted), 8)
        self.env.cr.execute(
            "DELETE FROM coverage_touch WHERE company_id = %s", [self.company.id]
        )
        self.env.invalidate_all()
        self.env["coverage.ledger"]._backfill()
        self.assertEqual(self._tell(), noted)

    def test_history_read_twice_adds_nothing(self):
        self._live()
        noted, before = self._tell(), self._snapshot()
        self.env["coverage.ledger"]._backfill()
        self.env["coverage.ledger"]._backfill()
        self.assertEqual(self._tell(), noted)
        self.assertSameRows(self._snapshot(), before)

    def test_day_of_a_contact_is_the_companys(self):
        for tz, day in (
            ("Pacific/Auckland", ago(-1)),
            ("America/Los_Angeles", TODAY),
            ("UTC", TODAY),
        ):
            with self.subTest(tz=tz), self._tried():
                self.company.partner_id.tz = tz
                self._log_touch(self.customer, date=datetime(2030, 6, 3, 13, 30))
                self.assertFacts(self.customer, last_contact_date=day)
        self.company.partner_id.tz = "America/Los_Angeles"
        self._log_touch(self.customer, date=datetime(2030, 6, 3, 6, 59))
        self.assertFacts(self.customer, last_contact_date=ago(1))

    def test_attempts_since_the_last_contact_are_counted_by_days(self):
        for days, is_two_way in ((9, False), (6, True), (5, False), (5, False)):
            self._log_touch(self.customer, days_ago=days, is_two_way=is_two_way)
        self._log_touch(self.customer, days_ago=1, is_two_way=False)
        self.assertFacts(
            self.customer,
            last_contact_date=ago(6),
            last_attempt_date=ago(1),
            attempt_day_count=2,
        )

    def test_contacts_of_a_lead_follow_to_its_customer(self):
        lead = self._create_opportunity(
            self.env["res.partner"], user_id=self.sara.id, email_from="x@prospect.com"
        )
        self._do(lead, "call")
        self.env.cr.flush()
        touch = self.env["coverage.touch"].search([("lead_id", "=", lead.id)])
        self.assertFalse(touch.customer_id)
        lead.partner_id = self.customer
        self._note_meetings()
        self.assertEqual(touch.customer_id, self.row)
        self.assertFacts(self.customer, last_contact_date=TODAY)

    def test_leads_merged_lose_and_double_nothing(self):
        leads = self.env["crm.lead"].union(
            *(
                self._create_opportunity(self.customer, user_id=self.sara.id, name=name)
                for name in ("First", "Second")
            )
        )
        for lead in leads:
            self._do(lead, "call")
            self._meet(self.anna, opportunity_id=lead.id)
        self._note_meetings()
        touches = self._touches(self.customer)
        self.assertEqual(len(touches), 4)
        kept = leads.merge_opportunity(user_id=self.sara.id)
        self.env["coverage.ledger"]._backfill()
        self.assertEqual(self._touches(self.customer), touches)
        self.assertEqual(touches.lead_id, kept)

    def test_leads_merged_twice_lose_nothing(self):
        leads = [
            self._create_opportunity(self.customer, name=name)
            for name in ("First", "Second", "Third")
        ]
        self._do(leads[2], "call")
        self.env.cr.flush()
        merge = {"auto_unlink": False, "max_length": 0}
        second = (leads[1] | leads[2])._merge_opportunity(**merge)
        first = (leads[0] | second)._merge_opportunity(**merge)
        (self.env["crm.lead"].union(*leads) - first).unlink()
        self.assertEqual(self._touches(self.customer).lead_id, first)

    def test_lead_deleted_keeps_its_contacts_with_the_customer(self):
        lead = self._create_opportunity(self.customer)
        self._do(lead, "call")
        touch = self._touches(self.customer)
        lead.unlink()
        self.assertEqual(self._touches(self.customer), touch)

    def test_customers_merged_lose_and_double_nothing(self):
        other = self._create_known_buyer(10, name="Acme Ltd", user_id=self.sara.id)
        self._meet(self.anna, other)
        self._note_meetings()
        self._do(other, "call")
        self._do(self.customer, "call", user=self.sam)
        touches = self._touches(self.customer) | self._touches(other)
        self.assertEqual(len(touches), 4)
        self.env["base.partner.merge.automatic.wizard"].create(
            {
                "partner_ids": (self.customer | other).ids,
                "dst_partner_id": self.customer.id,
            }
        ).action_merge()
        self.env["coverage.ledger"]._backfill()
        self._note_meetings()
        kept = self._touches(self.customer)
        self.assertEqual(kept.mapped("source"), ["meeting", "activity", "activity"])
        self.assertLessEqual(kept, touches)

    def test_only_ones_own_contacts_of_today_are_taken_back(self):
        self._do(self.customer, "call")
        touch = self._touches(self.customer)
        for hours, user, is_free in (
            (1, self.sara, True),
            (25, self.sara, False),
            (25, self.leader, True),
            (1, self.olga, None),
        ):
            with self.subTest(hours=hours, user=user.login), self._tried():
                self._date_back(touch, hours)
                if is_free:
                    self.assertTrue(touch.with_user(user).action_withdraw())
                    continue
                with self.assertRaises(UserError):
                    touch.with_user(user).action_withdraw()

    def test_what_a_machine_noted_is_not_taken_back(self):
        self._meet(self.anna)
        self._note_meetings()
        touch = self._touches(self.customer)
        with self.assertRaises(UserError):
            touch.with_user(self.leader).action_withdraw()

    def test_contact_taken_back_counts_nowhere_and_stays_away(self):
        self._do(self.customer, "call")
        touch = self._touches(self.customer)
        self._date_back(touch, hours=1)
        touch.with_user(self.sara).action_withdraw()
        self.assertFacts(self.customer, last_contact_date=False)
        self.env["coverage.ledger"]._backfill()
        self.assertNoted()

    def test_customer_that_nobody_covers_is_not_disturbed(self):
        self.row.action_exclude()
        self._do(self.customer, "call")
        touch = self._touches(self.customer)
        self.assertEqual(touch.customer_id, self.row)
        self.assertFalse(self.row.active)
