from psycopg2 import errors

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .race_common import RaceCase

LOGINS = ("race_sara", "race_sam")


@tagged("post_install", "-at_install")
class TestPoolConcurrency(RaceCase):
    """Two sellers who ask at once, in transactions of their own."""

    def _populate(self, env, company):
        users = self._create_users(env, company, *LOGINS)
        self.sara_id, self.sam_id = users.ids
        team = env["crm.team"].create(
            {
                "name": "Race",
                "company_id": company.id,
                "crm_team_member_ids": [
                    Command.create({"user_id": user.id}) for user in users
                ],
            }
        )
        self.addCleanup(self._delete_team, team.id)
        partners = env["res.partner"].create(
            [{"name": f"Free {number}", "is_company": True} for number in range(2)]
        )
        self.partner_ids += partners.ids
        rows = env["coverage.customer"].with_company(company)
        rows = rows.create(
            [
                {"partner_id": one.id, "company_id": company.id, "team_id": team.id}
                for one in partners
            ]
        )
        self.first_id, self.second_id = rows.ids

    def _ask(self, env):
        """Return the offer that somebody is made, not committed yet."""
        action = env["coverage.customer"].action_next_customer()
        return env["coverage.claim"].browse(action["res_id"])

    def _look(self, env):
        """Let somebody look at the pool: his view is from now on."""
        env["coverage.customer"].search([]).read(["user_id"])

    # === TWO AT ONCE === #

    def test_two_who_ask_at_once_get_different_ones(self):
        sara, sam = self._open(self.sara_id), self._open(self.sam_id)
        first, second = self._ask(sara), self._ask(sam)
        self._commit(sara)
        self._commit(sam)
        self.assertEqual(first.sudo().customer_id.id, self.first_id)
        self.assertEqual(second.sudo().customer_id.id, self.second_id)

    def test_who_looked_before_the_other_asked_gets_the_next(self):
        sara, sam = self._open(self.sara_id), self._open(self.sam_id)
        self._look(sam)
        self._ask(sara)
        self._commit(sara)
        with self.assertLogs("odoo.sql_db", "ERROR"):
            claim = self._ask(sam)
        self._commit(sam)
        self.assertEqual(claim.sudo().customer_id.id, self.second_id)

    def test_who_looked_before_the_other_took_gets_the_next(self):
        sara, sam = self._open(self.sara_id), self._open(self.sam_id)
        self._look(sam)
        self._ask(sara).action_take()
        self._commit(sara)
        claim = self._ask(sam)
        self._commit(sam)
        self.assertEqual(claim.sudo().customer_id.id, self.second_id)

    def test_one_who_asks_twice_at_once_has_one_offer(self):
        first, second = self._open(self.sara_id), self._open(self.sara_id)
        self._look(second)
        self._ask(first)
        self._commit(first)
        with mute_logger("odoo.sql_db"), self.assertRaisesRegex(UserError, "just now"):
            self._ask(second)
        second.cr.rollback()
        second.invalidate_all()
        claim = self._ask(second)
        self.assertEqual(claim.sudo().customer_id.id, self.first_id)

    def test_of_two_answers_at_once_one_holds(self):
        first, second = self._open(self.sara_id), self._open(self.sara_id)
        claim_id = self._ask(first).id
        self._commit(first)
        self._look(second)
        first["coverage.claim"].browse(claim_id).action_take()
        with self.assertRaisesRegex(UserError, "already"):
            second["coverage.claim"].browse(claim_id).action_pass("far")
        self._commit(first)
        second.cr.rollback()
        second.invalidate_all()
        with self.assertRaisesRegex(UserError, "over"):
            second["coverage.claim"].browse(claim_id).action_pass("far")

    def test_taking_gives_way_to_a_leader_who_hands_it_out(self):
        sara, leader = self._open(self.sara_id), self._open()
        claim = self._ask(sara)
        self._commit(sara)
        self._look(sara)
        leader["coverage.customer"].browse(self.first_id).user_id = self.sam_id
        leader.flush_all()
        with self.assertRaisesRegex(UserError, "meanwhile"):
            claim.action_take()
        self._commit(leader)
        sara.cr.rollback()
        sara.invalidate_all()
        with self.assertRaisesRegex(UserError, "meanwhile"):
            claim.action_take()

    def test_database_allows_one_open_offer_of_each(self):
        env = self._open(self.sara_id)
        vals = self._ask(env).sudo().copy_data()[0]
        self._commit(env)
        claims = env["coverage.claim"].sudo()
        for changed in ({"user_id": self.sam_id}, {"customer_id": self.second_id}):
            with (
                self.subTest(changed),
                mute_logger("odoo.sql_db"),
                self.assertRaises(errors.UniqueViolation),
                env.cr.savepoint(),
            ):
                claims.create({**vals, **changed})
