from odoo.tests import tagged

from .common import NOW
from .test_touch_sources import SourceCase

ALIAS = "contact-log@coverage-trade.com"


@tagged("post_install", "-at_install")
class TestTouchPostBox(SourceCase):
    """Mail written elsewhere reaches the ledger by the address in its BCC."""

    def _write(self, sender, to, number=1, subject="Offer"):
        """Receive a mail that its author sent elsewhere, with our address in BCC."""
        raw = (
            f"From: {sender}\nTo: {to}\nDelivered-To: {ALIAS}\nSubject: {subject}\n"
            f"Date: {NOW:%a, %d %b %Y %H:%M:%S} +0000\n"
            f"Message-Id: <{number}.{id(self)}@mail.example.com>\n\nOur offer\n"
        )
        self.env["mail.thread"].message_process(False, raw)
        self.env.cr.flush()

    def _get_unmatched(self):
        domain = [("customer_id", "=", False), ("company_id", "=", self.company.id)]
        return self.env["coverage.touch"].search(domain)

    def test_mail_to_a_customer_becomes_a_note_and_one_contact(self):
        mails = self.env["mail.mail"].search_count([])
        self._write(self.sara.email, "Anna <anna@acme-buyer.com>")
        touch = self.assertNoted(("email", "email", "out", False))
        self.assertEqual(touch.user_id, self.sara)
        self.assertEqual(touch.partner_id, self.anna)
        note = self.anna.message_ids[0]
        self.assertEqual(note.subtype_id, self.env.ref("mail.mt_note"))
        self.assertIn("Our offer", note.body)
        self.assertEqual(self.env["mail.mail"].search_count([]), mails)
        self.assertFalse(note.notification_ids)

    def test_followers_of_the_customer_are_not_mailed(self):
        self.anna.message_subscribe((self.anna | self.bob | self.sam.partner_id).ids)
        mails = self.env["mail.mail"].search_count([])
        self._write(self.sara.email, "anna@acme-buyer.com")
        self.assertEqual(self.env["mail.mail"].search_count([]), mails)
        self.assertNotIn(self.sara.partner_id, self.anna.message_partner_ids)

    def test_same_mail_again_is_not_noted_again(self):
        for to in ("anna@acme-buyer.com", "nobody@unknown-buyer.com"):
            for _again in range(2):
                self._write(self.sara.email, to, number=to)
        self.assertNoted(("email", "email", "out", False))
        self.assertEqual(len(self._get_unmatched()), 1)

    def test_mail_to_nobody_known_waits_for_a_person(self):
        self._write(self.sara.email, "New <new@unknown-buyer.com>")
        touch = self._get_unmatched()
        self.assertEqual(touch.user_id, self.sara)
        self.assertEqual(touch.team_id, self.north)
        self.assertIn("new@unknown-buyer.com", touch.number)
        self.assertEqual(touch.note.strip(), "Our offer")

    def test_mail_to_the_address_of_a_lead_becomes_its_note(self):
        lead = self._create_opportunity(
            self.env["res.partner"], email_from="Lee <lee@prospect-buyer.com>"
        )
        self._write(self.sara.email, "lee@prospect-buyer.com")
        touch = self.env["coverage.touch"].search([("lead_id", "=", lead.id)])
        self.assertEqual((touch.channel, touch.direction), ("email", "out"))
        self.assertFalse(self._get_unmatched() - touch)

    def test_stranger_is_refused(self):
        self._write("evil@stranger.com", "anna@acme-buyer.com")
        self.assertNoted()
        self.assertFalse(self._get_unmatched())
        self.assertFalse(
            self.anna.message_ids.filtered(lambda one: one.message_type == "email")
        )

    def test_customer_that_writes_there_is_heard(self):
        self._write("anna@acme-buyer.com", "someone@elsewhere.com")
        touch = self.assertNoted(("email", "email", "in", True))
        self.assertEqual(touch.partner_id, self.anna)

    def test_address_of_two_customers_goes_to_the_authors_own(self):
        other = self._create_known_buyer(
            10, name="Twin", user_id=self.sam.id, email="both@acme-buyer.com"
        )
        self.bob.email = "both@acme-buyer.com"
        self._write(self.sam.email, "both@acme-buyer.com", number=1)
        self._write(self.sara.email, "both@acme-buyer.com", number=2)
        for customer, user in ((other, self.sam), (self.customer, self.sara)):
            touch = self.assertNoted(
                ("email", "email", "out", False), customer=customer
            )
            self.assertEqual(touch.user_id, user)

    def test_unmatched_mails_follow_to_the_contact_that_is_chosen(self):
        self._write(self.sara.email, "new@unknown-buyer.com")
        touch = self._get_unmatched()
        wizard = (
            self.env["coverage.match.touch"]
            .with_user(self.sara)
            .create({"touch_id": touch.id, "partner_id": self.bob.id})
        )
        wizard.action_match()
        self.assertEqual(touch.customer_id, self.row)
        self.assertFalse(self.bob.phone)

    def test_settings_show_the_address_only_when_there_is_one(self):
        self.assertEqual(
            self.env["res.config.settings"].create({}).coverage_post_box, ALIAS
        )
        self.env.ref("crm_sales_coverage.mail_alias_contact").alias_domain_id = False
        self.assertFalse(self.env["res.config.settings"].create({}).coverage_post_box)
