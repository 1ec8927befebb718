from datetime import timedelta

from odoo import Command
from odoo.tests import tagged

from .common import NOW
from .test_performance import PerformanceCase


@tagged("post_install", "-at_install")
class TestTouchPerformance(PerformanceCase):
    """Noting contacts costs the same for 10 and for 100, and a note nothing."""

    def _post(self, customers, **values):
        """Let Sara write to each customer, as one statement."""
        self.env["mail.message"].create(
            [
                {
                    "model": "res.partner",
                    "res_id": customer.id,
                    "author_id": self.sara.partner_id.id,
                    "date": NOW,
                    "message_type": "comment",
                    "subtype_id": self.env.ref("mail.mt_comment").id,
                    "partner_ids": [Command.set(customer.ids)],
                    **values,
                }
                for customer in customers
            ]
        )

    def _count_touches(self, customers):
        return self.env["coverage.touch"].search_count(
            [("customer_id.partner_id", "in", customers.ids)]
        )

    def assertFlushConstant(self, prepare):
        """Assert that noting what was prepared costs the same for 10 and for 100."""
        counts = []
        for customers in (self.warm, self.few, self.many):
            prepare(customers)
            counts.append(self._count(lambda _all: self.env.cr.flush(), customers))
            self.assertEqual(self._count_touches(customers), len(customers))
        self.assertLessEqual(counts[2], counts[1] + 1)
        self.assertLess(counts[1], 40)

    def test_mails_of_many(self):
        self.assertFlushConstant(self._post)

    def test_activities_of_many(self):
        kind = self.env.ref("mail.mail_activity_data_call")
        done = self.env.ref("mail.mt_activities")

        def prepare(customers):
            self._post(
                customers,
                message_type="notification",
                subtype_id=done.id,
                mail_activity_type_id=kind.id,
                partner_ids=False,
            )
            domain = [("res_id", "in", customers.ids), ("model", "=", "res.partner")]
            messages = self.env["mail.message"].search(
                [*domain, ("mail_activity_type_id", "=", kind.id)]
            )
            self.env["coverage.ledger"]._queue("activity", messages.ids)

        self.assertFlushConstant(prepare)

    def test_meetings_of_many(self):
        def prepare(customers):
            self.env["calendar.event"].with_context(
                no_mail_to_attendees=True, dont_notify=True
            ).create(
                [
                    {
                        "name": "Meeting",
                        "user_id": self.sara.id,
                        "start": NOW - timedelta(hours=2),
                        "stop": NOW - timedelta(hours=1),
                        "partner_ids": [Command.set(customer.ids)],
                    }
                    for customer in customers
                ]
            )
            self.env.flush_all()

        counts = []
        for customers in (self.warm, self.few, self.many):
            prepare(customers)
            counts.append(
                self._count(
                    lambda _all: self.env["coverage.ledger"]._cron_meetings(), customers
                )
            )
            self.assertEqual(self._count_touches(customers), len(customers))
        self.assertLessEqual(counts[2], counts[1] + 1)

    def test_calls_of_an_unknown_number_that_is_matched(self):
        def act(customers):
            number = f"+324700{len(customers):05}"
            touches = self.env["coverage.touch"].create(
                [
                    {"number": number, "source": "telephone", "user_id": self.sara.id}
                    for _customer in customers
                ]
            )
            self.env.flush_all()
            wizard = self.env["coverage.match.touch"].create(
                {"touch_id": touches[0].id, "partner_id": customers[0].id}
            )
            wizard.action_match()
            self.assertEqual(len(touches.customer_id), 1)

        self.assertConstant(act)

    def test_plain_note_costs_nothing(self):
        customer = self.few[:1].with_user(self.sara)
        for _warm in range(2):
            customer.message_post(body="Note")
            self.env.cr.flush()
        customer.message_post(body="Note", message_type="comment")
        self.assertNotIn("coverage_touches", self.env.cr.precommit.data)

    def test_one_contact_costs_few_queries(self):
        customer = self.few[:1]

        def act(_all):
            self._log_touch(customer)

        self._count(act, customer)
        self.assertLess(self._count(act, customer), 30)
