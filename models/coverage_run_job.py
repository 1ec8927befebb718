from odoo import api, models

JOB_LIMIT = 2_000  # of equal people the more at once, the fewer statements


class CoverageRunJob(models.AbstractModel):
    """What jobs do with runs: find those of a night, and go on with those begun."""

    _name = "coverage.run.job"
    _description = "Runs of Jobs"

    @api.model
    def _create_refresh(self, company, now):
        """Return a new run that records a refresh of the whole base."""
        return self.create(
            {
                "company_id": company.id,
                "origin": "job",
                "date": now,
                "state": "applying",
                "user_id": self.env.uid,
            }
        )

    @api.model
    def _find_unfinished(self, company, now):
        """Return today's job that was interrupted, to go on where it stopped."""
        today = company._get_coverage_today(now)
        runs = self.search(
            [
                ("company_id", "=", company.id),
                ("kind", "=", "refresh"),
                ("origin", "=", "job"),
                ("state", "=", "applying"),
            ],
            order="id desc",
        )
        current = runs.filtered(
            lambda run: company._get_coverage_today(run.date) == today
        )[:1]
        (runs - current)._update_state("applied")
        return current or None

    @api.model
    def _find_job(self, company, date):
        """Return the company's finished part of the job that began at ``date``.

        All parts bear the same date, so that a job that ran out of time in one company
        does not begin anew with the others.
        """
        return date and self.search(
            [
                ("company_id", "=", company.id),
                ("kind", "=", "refresh"),
                ("origin", "=", "job"),
                ("state", "=", "applied"),
                ("date", "=", date),
            ],
            limit=1,
        )

    @api.model
    def _is_done_today(self, company, now):
        """Return whether the company's whole base was refreshed today."""
        latest = self.search(
            [
                ("company_id", "=", company.id),
                ("kind", "=", "refresh"),
                ("origin", "=", "job"),
            ],
            limit=1,
        )
        today = company._get_coverage_today(now)
        return (
            latest.state == "applied"
            and company._get_coverage_today(latest.date) == today
        )

    @api.model
    def _continue_runs(self, now, commit):
        """Go on with previews and plans being applied or undone; return failures."""
        domain = [
            "|",
            ("origin", "=", "preview"),
            ("kind", "=", "assignment"),
            "|",
            ("state", "=", "applying"),
            ("is_undoing", "=", True),
        ]
        for run in self.search(domain, order="id"):
            while run._is_begun() and run._is_free():
                step = run._undo_batch if run.is_undoing else run._apply_batch
                done = step(now, JOB_LIMIT)
                if not commit(done, 1):
                    return 0
        return 0

    def _is_begun(self):
        return self.state == "applying" or self.is_undoing

    def _is_free(self):
        """Return whether no other worker is at this run; now it is ours."""
        return bool(self.try_lock_for_update(allow_referencing=True))

    def _add_progress(self, last_id, count, failed):
        """Note how far the walk through the base has come."""
        self.write(
            {
                "last_customer_id": last_id,
                "customer_count": self.customer_count + count,
                "failed_count": self.failed_count + failed,
            }
        )

    def _finish_refresh(self, frame):
        """Close the record of a refresh of the whole base."""
        self.reference_id = frame.reference
        self._update_state("applied")
