from dataclasses import dataclass, field

from odoo import fields, models
from odoo.exceptions import UserError


@dataclass(slots=True)
class Tally:
    """What came of a run: how much was done, what was refused, time left or not."""

    count: int = 0
    refused: list = field(default_factory=list)
    is_done: bool = True


class CoverageJob(models.AbstractModel):
    """An engine that works through every company, step by step, in batches.

    An engine names its steps in :meth:`_get_steps`, says in :meth:`_tell_refused` what
    became of refused records, and has two entrances: its cron, by
    :meth:`_run_companies`, and the run of one company, by :meth:`_run_steps`.
    """

    _name = "coverage.job"
    _inherit = ["coverage.hold"]
    _description = "Job over Companies"

    def _get_steps(self):
        """Return what a run does, in order.

        Each is called with the scope that :meth:`_run_steps` was given, ``now``, the
        tally and ``commit``, and returns whether time was left.
        """
        return ()

    def _tell_refused(self, count):
        """Return the message with which the job ends where records were refused."""
        return self.env._(
            "%(count)s records stay as they are, because another rule refused the "
            "change. The log names them.",
            count=count,
        )

    def _run_companies(self, run):
        """Call ``run`` for every company, as long as there is time.

        :param run: called with company, ``now``, ``commit`` and the tally, which counts
            on through all companies
        :raise UserError: at the end, where records were refused: somebody should see it
        """
        now, tally = fields.Datetime.now(), Tally()
        for company in self.env["res.company"].search([]):
            run(company, now, self._commit_batch, tally)
            if not tally.is_done:
                return
        self._commit_batch(0, 0)
        if tally.refused:
            raise UserError(self._tell_refused(len(tally.refused)))

    def _run_steps(self, scope, now, commit=None, tally=None):
        """Take the steps of a run, until one finds no time left.

        :param scope: what the steps work on: a company, or a frame of its rules
        :param commit: called after each batch with the numbers done and remaining,
            returns whether to go on; without it all happens in one transaction
        :param tally: counts on, and says whether it came to the end
        :return: how much these steps did
        """
        tally = tally or Tally()
        before = tally.count
        for step in self._get_steps():
            if not step(scope, now, tally, commit):
                tally.is_done = False
                break
        return tally.count - before
