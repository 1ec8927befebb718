import random
import signal
import subprocess
import sys
from datetime import timedelta

from odoo import Command, fields
from odoo.tests import get_db_name, tagged
from odoo.tools import config

from .race_common import RaceCase

COUNT = 30
WORKER = """
import sys
from odoo import SUPERUSER_ID, api, fields
from odoo.modules.registry import Registry
from odoo.tools import config

config.parse_config(["-c", sys.argv[1], "-d", sys.argv[2], "--log-level=critical"])
with Registry(sys.argv[2]).cursor() as cr:
    env = api.Environment(cr, SUPERUSER_ID, {})
    run = env["coverage.run"].browse(int(sys.argv[3]))
    print("ready", flush=True)
    while run.state == "applying":
        run._apply_batch(fields.Datetime.now(), 2)
        cr.commit()
        env.invalidate_all()
        print("batch", flush=True)
"""


@tagged("post_install", "-at_install")
class TestAssignmentRace(RaceCase):
    """A plan that is applied while workers die, or work side by side."""

    def _populate(self, env, company):
        users = self._create_users(env, company, "plan_giver", "plan_one", "plan_two")
        self.giver_id = users[0].id
        team = env["crm.team"].create(
            {
                "name": "Plan Race",
                "company_id": company.id,
                "crm_team_member_ids": [
                    Command.create({"user_id": user.id}) for user in users
                ],
            }
        )
        self.addCleanup(self._delete_team, team.id)
        partners = env["res.partner"].create(
            [
                {"name": f"Moved {number}", "is_company": True, "user_id": users[0].id}
                for number in range(COUNT)
            ]
        )
        self.partner_ids += partners.ids
        env["crm.lead"].create(
            [
                {
                    "name": "Deal",
                    "type": "opportunity",
                    "partner_id": partner.id,
                    "company_id": company.id,
                    "user_id": users[0].id,
                }
                for partner in partners
            ]
        )

    def _begin(self):
        """Return the id of a run that is being applied, nothing moved yet."""
        env = self._open()
        run = env["coverage.run"].create(
            {
                "kind": "assignment",
                "company_id": self.company_id,
                "giver_ids": [Command.set([self.giver_id])],
            }
        )
        run.action_plan()
        self.assertEqual(run.move_count, COUNT)
        run._update_state("applying")
        self._commit(env)
        return run.id

    def _assert_done(self, run_id):
        """Assert that each customer moved once, with what belongs to it."""
        env = self._open()
        run = env["coverage.run"].browse(run_id)
        self.assertEqual(run.state, "applied")
        moves = run.move_ids
        self.assertEqual(set(moves.mapped("state")), {"applied"})
        self.assertEqual(len(moves), COUNT)
        self.assertEqual(len(moves.customer_id), COUNT)
        for move in moves:
            owner = move.customer_id.user_id
            self.assertEqual(str(owner.id), move.new_value)
            self.assertEqual(move.customer_id.partner_id.user_id, owner)
        leads = env["crm.lead"].search([("partner_id", "in", self.partner_ids)])
        self.assertEqual(len(leads), COUNT)
        for lead in leads:
            self.assertEqual(lead.user_id, lead.partner_id.user_id)
        followed = run.change_ids.filtered(lambda one: one.model == "crm.lead")
        self.assertEqual(sorted(followed.mapped("res_id")), leads.sorted("id").ids)

    def test_killed_workers_leave_nothing_half_done(self):
        """Real processes, killed at random moments; another one goes on."""
        run_id = self._begin()
        for _life in range(3):
            worker = subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    WORKER,
                    config["config"],
                    get_db_name(),
                    str(run_id),
                ],
                stdout=subprocess.PIPE,
                text=True,
            )
            for _line in range(random.randint(1, 4)):
                worker.stdout.readline()
            try:
                worker.wait(random.uniform(0, 0.1))
            except subprocess.TimeoutExpired:
                worker.send_signal(signal.SIGKILL)
            worker.wait()
            worker.stdout.close()
        self._finish(run_id)
        self._assert_done(run_id)

    def _finish(self, run_id):
        env = self._open()
        commits = []

        def commit(done, _remaining):
            commits.append(done)
            self._commit(env)
            env.invalidate_all()
            return True

        env["coverage.run"]._continue_runs(fields.Datetime.now(), commit)
        self._commit(env)
        return commits

    def test_a_second_worker_gives_way(self):
        run_id = self._begin()
        mine, other = self._open(), self._open()
        now = fields.Datetime.now()
        run = mine["coverage.run"].browse(run_id)
        self.assertTrue(run._is_free())
        run._apply_batch(now, 5)
        self.assertFalse(other["coverage.run"].browse(run_id)._is_free())
        other.cr.rollback()
        self._commit(mine)
        self._finish(run_id)
        self._assert_done(run_id)

    def test_somebody_who_sells_meanwhile_is_not_disturbed(self):
        """A customer that another transaction holds is left alone, and listed."""
        run_id = self._begin()
        seller, job = self._open(), self._open()
        row = seller["coverage.run"].browse(run_id).move_ids[0].customer_id
        row.leave_alone_reason = "At it"
        seller.flush_all()
        run = job["coverage.run"].browse(run_id)
        run._apply_batch(fields.Datetime.now() + timedelta(seconds=1), COUNT + 1)
        self._commit(job)
        self._commit(seller)
        env = self._open()
        run = env["coverage.run"].browse(run_id)
        outdated = run.move_ids.filtered(lambda one: one.state == "outdated")
        self.assertEqual(outdated.customer_id.id, row.id)
        self.assertEqual(outdated.customer_id.user_id.id, self.giver_id)
