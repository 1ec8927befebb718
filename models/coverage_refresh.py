from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..core.records import PROSPECT
from .coverage_hold import LIST_BATCH
from .coverage_rows import POSITION
from .groups import MANAGER


class CoverageRefresh(models.AbstractModel):
    """The engine that ranks and colours: facts → decision → application → history.

    Job, event, button and preview all pass through :meth:`_decide_rows` and, unless
    they only look, :meth:`_apply_outcomes`. Nobody who sells waits for it: rows that
    another transaction holds are left for later.
    """

    _name = "coverage.refresh"
    _inherit = ["coverage.application", "coverage.frame", "coverage.rows"]
    _description = "Coverage Refresh"

    # === ENTRANCES === #

    @api.model
    def _refresh_customers(self, customers, now=None, origin="hand"):
        """Refresh some customers at once, in this transaction.

        :return: the customers that could not be refreshed now because another
            transaction holds them; they are marked for the job
        """
        now = now or fields.Datetime.now()
        left = customers.browse()
        for company, group in customers.grouped("company_id").items():
            for start in range(0, len(group), LIST_BATCH):
                batch = group[start : start + LIST_BATCH]
                left += self._refresh_list(company, batch, now, {"origin": origin})
        return left

    @api.model
    def _refresh_partners(self, company, partners, now=None):
        """Refresh the customers behind these partners after an event.

        Rows are created where an event made a customer. Never waits and never fails
        for a lock: what another transaction holds is marked for the job. An import
        passes ``coverage_skip_refresh`` and refreshes the whole company at its end.
        """
        if self.env.context.get("coverage_skip_refresh"):
            return
        ids = partners.sudo().commercial_partner_id.ids
        if not ids:
            return
        now = now or fields.Datetime.now()
        customers = self._find_customers(company, ids)
        missing = set(ids) - set(customers.partner_id.ids)
        if missing:
            customers += self._create_customers(company, missing)
        self._refresh_list(
            company, customers.filtered("active"), now, {"origin": "event"}
        )

    @api.model
    def _queue_customers(self, records):
        """Note, at no cost, leads or partners that may make a customer.

        An open opportunity or a salesperson changes no fact; the missing row is created
        when somebody looks for customers, else before the commit, for all those of the
        transaction together.
        """
        data = self.env.cr.precommit.data
        if not records:
            return
        if "coverage_queue" not in data:
            data["coverage_queue"] = defaultdict(set)
            self.env.cr.precommit.add(self._flush_queue)
        data["coverage_queue"][records._name].update(records.ids)

    @api.model
    def _flush_queue(self):
        """Create the rows of those that this transaction made customers: prospects.

        For leads the night says what they look like; they come many at a time.
        """
        queue = self.env.cr.precommit.data.pop("coverage_queue", {})
        facts = self.env["coverage.facts"]
        for model, query in (
            ("crm.lead", facts._query_lead_customers),
            ("res.partner", facts._query_owned_customers),
        ):
            if not queue.get(model):
                continue
            facts._flush_documents()
            missing = defaultdict(list)
            for company_id, partner_id in self.env.execute_query(query(queue[model])):
                missing[company_id].append(partner_id)
            for company in self.env["res.company"].browse(missing):
                created = self._create_customers(company, missing[company.id], PROSPECT)
                if model == "res.partner":
                    self._refresh_customers(created, origin="event")

    @api.model
    def _run_refresh(self, company, now, run=None, commit=None):
        """Refresh the whole base of a company, in batches.

        :param run: the ``coverage.run`` that records it; a new one by default
        :param commit: called after each batch with the numbers done and remaining,
            returns whether to go on; without it all happens in one transaction
        :return: the run; ``applied`` when it came to the end
        """
        facts = self.env["coverage.facts"]
        run = run or self.env["coverage.run"]._create_refresh(company, now)
        self._retry(lambda: self._create_all_missing(company), commit)
        if commit:
            commit(0, 1)
        today = company._get_coverage_today(now)
        settings = company._get_coverage_settings()

        def stage():
            facts._stage(company, today, settings)
            self._settle_reference(company, today, settings)

        self._retry(stage, commit)  # a rollback takes the staged facts along
        if commit:
            commit(0, 1)
        self._run_batches(self._prepare_frame(company, now), run, commit)
        facts._unstage()
        return run

    @api.model
    def _plan(self, run, now):
        """Decide the whole base under the run's what-if, writing only planned changes.

        :return: number of customers looked at
        """
        run.change_ids.unlink()
        company, facts = run.company_id, self.env["coverage.facts"]
        what_if = run.what_if or {}
        today = company._get_coverage_today(now)
        settings = company._get_coverage_settings(what_if.get("company"))
        facts._stage(company, today, settings)
        run.reference_id = self._get_plan_reference(run, today, settings)
        frame = self._prepare_frame(company, now, run.reference_id, what_if)
        count = last_id = 0
        while rows := self._collect_staged(frame, last_id):
            last_id, count = rows[-1][0], count + len(rows)
            self._log_planned(run, frame, self._decide_rows(frame, rows))
        facts._unstage()
        return count

    @api.model
    def _apply_planned(self, run, customers, now):
        """Decide these planned customers again and write what comes out the same.

        :return: ids of the customers whose outcome is no longer the planned one
        """
        frame = self._prepare_frame(run.company_id, now, run.reference_id)
        planned = run._get_planned(customers)
        customers = self._lock(customers)
        rows = self._collect_listed(frame, customers)
        outcomes = self._decide_rows(frame, rows)
        same = [
            outcome
            for outcome in outcomes
            if self._get_logged(outcome) == planned[outcome.customer_id]["values"]
        ]
        log = {
            "origin": "run",
            "run_id": run.id,
            "planned": {key: line["ids"] for key, line in planned.items()},
        }
        failed = self._apply_outcomes(frame, same, log)
        done = {outcome.customer_id for outcome in same} - failed
        return set(planned) - done

    @api.model
    def _refresh_company(self, company):
        """Let a manager refresh the whole base: small ones at once, else by the job.

        The A reference is computed anew, whatever the day.
        """
        if not self.env.user.has_group(MANAGER):
            raise AccessError(self.env._("Only managers can refresh all customers."))
        company.with_env(self.env).check_access("read")
        references = self.env["coverage.reference"].sudo()
        references._get_latest(company).is_provisional = True
        count = (
            self.env["coverage.customer"]
            .sudo()
            .search_count([("company_id", "=", company.id)], limit=LIST_BATCH)
        )
        if count < LIST_BATCH:
            self.sudo()._run_refresh(company, fields.Datetime.now())
        else:
            self._wake_job()

    # === WHOLE BASE === #

    def _run_batches(self, frame, run, commit):
        """Walk through the staged base; what is held by others comes last."""
        domain = [("company_id", "=", frame.company.id)]
        remaining = self.env["coverage.customer"].search_count(
            [*domain, ("id", ">", run.last_customer_id)]
        )
        log = {"origin": "job", "run_id": run.id}
        deferred = []
        while rows := self._retry(
            lambda: self._collect_staged(frame, run.last_customer_id), commit
        ):
            held = self._retry(
                lambda rows=rows: self._apply_rows(frame, rows, log, run), commit
            )
            deferred += held or []
            remaining = max(0, remaining - len(rows))
            if commit and not commit(len(rows), max(1, remaining)):
                return  # never 0 here: Odoo would take the job for finished
        held = self._run_deferred(frame, deferred, log, run, commit)
        self._leave_marks(frame.company, held.partner_id)
        self._retry(
            lambda: self.env["crm.lead"].sudo()._predict_open(frame.company), commit
        )
        self._retry(
            lambda: self.env["crm.lead"].sudo()._heat(frame.company, frame.now), commit
        )
        rethinks = self.env["coverage.rethink.engine"]
        self._retry(lambda: rethinks._run_rethink(frame.company, frame.now), commit)
        cover = self.env["coverage.cover"]
        self._retry(lambda: cover._cover_newcomers(frame.company, frame.now), commit)
        if cover._cover_company(frame.company, frame.now, commit):
            run._finish_refresh(frame)

    def _apply_rows(self, frame, rows, log, run):
        """Decide and write one batch; return the ids of rows held by others."""
        fresh = [row for row in rows if not row[POSITION["is_newer"]]]
        outcomes = self._decide_rows(frame, fresh)
        touched = [outcome for outcome in outcomes if self._must_write(outcome)]
        wanted = self.env["coverage.customer"].browse(
            [outcome.customer_id for outcome in touched]
        )
        locked = set(self._lock(wanted).ids)
        failed = self._apply_outcomes(
            frame,
            [outcome for outcome in touched if outcome.customer_id in locked],
            log,
        )
        run._add_progress(rows[-1][0], len(rows), len(failed))
        newer = {row[0] for row in rows} - {row[0] for row in fresh}
        return sorted(newer | (set(wanted.ids) - locked))

    def _run_deferred(self, frame, customer_ids, log, run, commit):
        """Refresh as a list what was held or newer; return what is held still."""
        customers = self.env["coverage.customer"]
        held = customers.browse()
        for start in range(0, len(customer_ids), LIST_BATCH):
            batch = customers.browse(customer_ids[start : start + LIST_BATCH]).exists()
            held += (
                self._retry(
                    lambda batch=batch: self._refresh_list(
                        frame.company, batch, frame.now, log, frame
                    ),
                    commit,
                )
                or batch.browse()
            )
            if commit:
                commit(0, 1)
        return held

    # === LISTS === #

    def _refresh_list(self, company, customers, now, log, frame=None):
        """Refresh some customers of one company; return those held by others."""
        locked = self._lock(customers)
        held = customers - locked
        if locked:
            frame = frame or self._prepare_frame(company, now)
            outcomes = self._refresh_locked(frame, locked, log)
            if not frame.rules.reference and any(
                outcome.facts.revenue_best_12m > 0 for outcome in outcomes
            ):  # the very first buyers are the first reference
                self._refresh_locked(self._prepare_frame(company, now), locked, log)
        if held and log["origin"] != "job":
            self._leave_marks(company, held.partner_id)
        return held

    def _refresh_locked(self, frame, customers, log):
        """Decide and write customers that this transaction holds."""
        self.env["coverage.contact"]._write_facts(frame.company, customers.ids)
        outcomes = list(
            self._decide_rows(frame, self._collect_listed(frame, customers))
        )
        touched = [outcome for outcome in outcomes if self._must_write(outcome)]
        self._apply_outcomes(frame, touched, log)
        return outcomes

    # === HISTORY === #

    def _log_planned(self, run, frame, outcomes):
        """Keep what would change as planned lines of the run."""
        lines = []
        for outcome in outcomes:
            if logged := self._get_logged(outcome):
                reasons = self._get_reasons(frame, outcome)
                lines += [
                    (outcome, name, old, new, reasons[name])
                    for name, (old, new) in logged.items()
                ]
        run._create_planned(lines)

    # === JOB === #

    @api.model
    def _cron_refresh(self):
        """Finish what was begun, then refresh every company.

        Safe at any time and twice at once: each batch is one transaction, and a
        second run finds nothing left to change.
        """
        now, runs = fields.Datetime.now(), self.env["coverage.run"]
        commit, cover = self._commit_batch, self.env["coverage.cover"]
        marks = self.env["coverage.mark"].search([])
        failed = runs._continue_runs(now, commit)
        companies = self.env["res.company"].search([])
        begun = {company: runs._find_unfinished(company, now) for company in companies}
        started = min((run.date for run in begun.values() if run), default=None)
        is_woken = marks or any(map(cover._is_stale, companies))
        for company in companies:
            if is_woken and runs._is_done_today(company, now):
                if not cover._cover_company(company, now, commit):
                    return
                continue  # woken for the marked, or for changed rules, alone
            run = begun[company] or runs._find_job(company, started)
            if not run or run.state != "applied":
                run = run or runs._create_refresh(company, started or now)
                self._run_refresh(company, now, run, commit)
            if run.state != "applied":
                return
            failed += run.failed_count
        self._settle_marks(marks, now)
        self._commit_batch(0, 0)
        if failed:
            raise UserError(
                self.env._(
                    "%(count)s customers keep their former decisions, because another "
                    "rule refused the change. The log names them.",
                    count=failed,
                )
            )

    def _settle_marks(self, marks, now):
        """Refresh whom events marked: the walk may have passed them before.

        Who is held still is marked anew.
        """
        for company, group in marks.exists().grouped("company_id").items():
            self._refresh_partners(company, group.partner_id, now)
        marks.exists().unlink()
