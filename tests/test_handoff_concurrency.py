from datetime import timedelta
from unittest.mock import patch

from psycopg2 import errors

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .race_common import RaceCase


@tagged("post_install", "-at_install")
class TestHandoffConcurrency(RaceCase):
    """Two who answer at once, and two jobs at once, in transactions of their own."""

    def _populate(self, env, company):
        users = self._create_users(env, company, "race_giver", "race_receiver")
        self.giver_id, self.receiver_id = users.ids

    # === ACTORS === #

    def _offer(self, count=1):
        """Return the ids of committed offers of new customers."""
        env = self._open()
        partners = env["res.partner"].create(
            [
                {"name": f"Racer {n}", "is_company": True, "user_id": self.giver_id}
                for n in range(count)
            ]
        )
        self.partner_ids += partners.ids
        rows = env["coverage.customer"].search([("partner_id", "in", partners.ids)])
        handoffs = env["coverage.handoff"].create(
            [
                {
                    "customer_id": row.id,
                    "to_user_id": self.receiver_id,
                    "reason": "Race",
                }
                for row in rows
            ]
        )
        handoffs.action_offer()
        self._commit(env)
        return handoffs.ids

    def _browse(self, ids, env=None):
        return (env or self._open())["coverage.handoff"].browse(ids)

    def _run_job(self, env=None, days=10):
        env = env or self._open()
        engine = env["coverage.handoff.engine"]
        company = env["res.company"].browse(self.company_id)
        now = fields.Datetime.now() + timedelta(days=days)
        engine._run_handoffs(company, now, engine._commit_batch)
        self._commit(env)

    # === TWO AT ONCE === #

    def test_of_two_who_answer_at_once_one_wins_and_the_other_is_told(self):
        ids = self._offer()
        first, second = self._open(), self._open()
        self._browse(ids, first).action_accept()
        with self.assertRaisesRegex(UserError, "just answering"):
            self._browse(ids, second).action_decline()
        second.cr.rollback()
        self._commit(first)
        self.assertEqual(self._browse(ids).state, "watched")
        with self.assertRaises(UserError):
            self._browse(ids).action_decline()

    def test_answer_on_an_old_view_is_tried_again(self):
        ids = self._offer()
        first, second = self._open(), self._open()
        self._browse(ids, second).read(["state"])  # its view is from now on
        self._browse(ids, first).action_decline()
        self._commit(first)
        with mute_logger("odoo.sql_db"), self.assertRaises(errors.SerializationFailure):
            self._browse(ids, second).action_accept()
        second.cr.rollback()
        second.invalidate_all()
        with self.assertRaises(UserError):  # what Odoo's retry comes to
            self._browse(ids, second).action_accept()

    def test_job_passes_over_an_offer_that_somebody_answers(self):
        held, free = self._offer(2)
        receiver = self._open()
        self._browse(held, receiver).action_accept()
        receiver.flush_all()
        self._run_job()
        self._commit(receiver)
        self.assertEqual(self._browse(held).state, "watched")
        self.assertEqual(self._browse(free).state, "expired")

    def test_two_jobs_at_once_do_no_more_than_one(self):
        ids = self._offer(2)
        rows = self.registry["coverage.handoff.engine"]
        original, others = rows._lock_handoffs, []

        def locking(model, handoffs):
            if not others and model.env.cr is job.cr:
                others.append(self._open())
                self._run_job(others[0])
            return original(model, handoffs)

        job = self._open()
        with (
            patch.object(rows, "_lock_handoffs", locking),
            mute_logger("odoo.sql_db"),  # it gives way, and looks again
        ):
            self._run_job(job)
        handoffs = self._browse(ids)
        self.assertEqual(set(handoffs.mapped("state")), {"expired"})
        self.assertEqual(len(handoffs.step_ids), 4)

    def test_two_offers_of_one_customer_at_once(self):
        ids = self._offer()
        env = self._open()
        self._browse(ids, env).action_cancel()
        self._commit(env)
        first, second = self._open(), self._open()
        values = {
            "customer_id": self._browse(ids).customer_id.id,
            "to_user_id": self.receiver_id,
            "reason": "Race",
        }
        second["coverage.handoff"].search([])
        first["coverage.handoff"].create(values)
        self._commit(first)
        with (
            self.assertLogs("odoo.sql_db", "ERROR"),
            self.assertRaises(errors.UniqueViolation),
        ):
            second["coverage.handoff"].create(values)
