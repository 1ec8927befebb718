import logging
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from psycopg2 import errors

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ..core.decide import decider
from ..core.lookalike import Traits, band_of, claimer
from ..core.records import PROSPECT, Decision, Facts, Rules, Standing, State
from .coverage_facts import FACTS, STAGE

_logger = logging.getLogger(__name__)

BATCH = 10_000
LIST_BATCH = 1_000
ATTEMPTS = 3

FLAT = {
    "potential": "numeric",
    "potential_source": "varchar",
    "lookalike_potential": "numeric",
    "temperature_score": "int4",
    "yield_rate": "float8",
    "segment_since": "date",
    "segment_left_id": "int4",
    "segment_prior_since": "date",
    "segment_prior_left_id": "int4",
    "temperature_since": "date",
    "temperature_left_id": "int4",
    "temperature_prior_since": "date",
    "lifecycle_since": "date",
    "lifecycle_left": "varchar",
    "lifecycle_prior_since": "date",
}
FACT_TYPES = {
    name: "date"
    if name.endswith("_date")
    else "int4"
    if name.endswith(("_count", "_days"))
    else "numeric"
    for name in FACTS
}
HELD = (
    "declared_potential",
    "declared_date",
    "confirmed_potential",
    "confirmed_date",
    "segment_id",
    "segment_computed_id",
    "temperature_id",
    "lifecycle",
    "segment_manual_id",
    "segment_manual_until",
)
COLUMNS = ("id", "is_changed", "is_newer", *FACTS, *HELD, *FLAT)
TRAITS = ("industry_id", "country_id", "state_id", "size", "tags")
POSITION = {name: index for index, name in enumerate(COLUMNS + TRAITS)}


def _getter(*names):
    return itemgetter(*(POSITION[name] for name in names))


get_decided = _getter(
    "revenue_12m",
    "revenue_best_12m",
    "revenue_90d",
    "revenue_prev_90d",
    "revenue_season_90d",
    "average_order_amount",
    "order_day_count",
    "awake_order_day_count",
    "first_order_date",
    "last_order_date",
    "longest_silence_days",
    "declared_potential",
    "declared_date",
    "confirmed_potential",
    "confirmed_date",
)
get_segment = _getter(
    "segment_computed_id",
    "segment_since",
    "segment_left_id",
    "segment_prior_since",
    "segment_prior_left_id",
)
get_temperature = _getter(
    "temperature_id",
    "temperature_since",
    "temperature_left_id",
    "temperature_prior_since",
)
get_lifecycle = _getter(
    "lifecycle", "lifecycle_since", "lifecycle_left", "lifecycle_prior_since"
)
get_pin = _getter("segment_manual_id", "segment_manual_until")
get_flat = _getter(*FLAT)
get_facts = _getter(*FACTS)
get_traits = _getter(*TRAITS)
get_outcome = _getter("segment_id", "segment_computed_id", "temperature_id", "lifecycle")


@dataclass(frozen=True, slots=True)
class Frame:
    """All that a refresh of one company needs besides its customers."""

    company: Any
    now: datetime
    today: date
    settings: dict
    rules: Rules
    reference: Any
    limits: list | None
    decide: Any = None
    claim: Any = None
    has_niches: bool = False


@dataclass(slots=True)
class Outcome:
    """One customer's row as read, and what was decided of it."""

    row: tuple
    facts: Facts
    state: State
    decision: Decision
    flat: tuple
    changes: dict = field(default_factory=dict)

    @property
    def customer_id(self):
        return self.row[0]


class CoverageRefresh(models.AbstractModel):
    """The engine that ranks and colours: facts → decision → application → history.

    Job, event, button and preview all pass through :meth:`_decide_rows` and, unless
    they only look, :meth:`_apply_outcomes`. Nobody who sells waits for it: rows that
    another transaction holds are left for later.
    """

    _name = "coverage.refresh"
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
        self._retry(lambda: facts._stage(company, today, settings), commit)
        self._retry(lambda: self._settle_reference(company, today, settings), commit)
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
        if not self.env.user.has_group("crm_sales_coverage.group_coverage_manager"):
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
            self.env.ref("crm_sales_coverage.ir_cron_refresh").sudo()._trigger()

    # === WHOLE BASE === #

    def _create_all_missing(self, company):
        """Create the rows of all new customers, while events leave theirs to us.

        Where a sale is just making a customer, only some, with a lock for each: the job
        waits for nobody, and the next night brings the others.
        """
        facts = self.env["coverage.facts"]
        key = facts._query_lock_key(company)
        lock = SQL("SELECT pg_try_advisory_xact_lock(%s)", key)
        if self.env.execute_query(lock)[0][0]:
            facts._create_missing(company)
        elif missing := facts._find_missing(company, LIST_BATCH):
            self._create_customers(company, missing)

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

    def _retry(self, step, commit):
        """Call ``step`` again when a sale got in between; we give way, never they."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return step()
            except (errors.SerializationFailure, errors.UniqueViolation):
                if commit is None or attempt == ATTEMPTS:
                    raise
                self.env.cr.rollback()
                self.env.invalidate_all()
        return None

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
        outcomes = self._decide_rows(frame, self._collect_listed(frame, customers))
        touched = [outcome for outcome in outcomes if self._must_write(outcome)]
        self._apply_outcomes(frame, touched, log)
        return outcomes

    def _lock(self, customers):
        """Return those of ``customers`` that this transaction now holds.

        Neither waits nor fails: rows held by another transaction, or written by one
        since this transaction began, stay out.
        """
        if not customers:
            return customers
        customers.flush_recordset()
        query = SQL(
            """SELECT id FROM coverage_customer WHERE id IN %s
                ORDER BY id FOR NO KEY UPDATE SKIP LOCKED""",
            customers._ids,
        )
        try:
            with self.env.cr.savepoint(flush=False):
                self.env.cr.execute(query, log_exceptions=False)
                ids = [row[0] for row in self.env.cr.fetchall()]
        except errors.SerializationFailure:
            if len(customers) == 1:
                return customers.browse()
            half = len(customers) // 2
            return self._lock(customers[:half]) + self._lock(customers[half:])
        return customers.browse(ids)

    def _find_customers(self, company, partner_ids):
        """Return the rows of these commercial partners, archived ones included."""
        return (
            self.env["coverage.customer"]
            .sudo()
            .with_context(active_test=False)
            .search_fetch(
                [("company_id", "=", company.id), ("partner_id", "in", list(partner_ids))],
                ["partner_id", "active"],
            )
        )

    def _create_customers(self, company, partner_ids, lifecycle=None):
        """Create the rows of new customers, leaving to the job what others create."""
        facts = self.env["coverage.facts"].sudo()
        left = set(partner_ids)
        try:
            with self.env.cr.savepoint():
                created = facts._create_missing(company, partner_ids, lifecycle)
        except (errors.UniqueViolation, errors.SerializationFailure):
            created = {}
        else:
            if left := left - set(created.values()):
                query = facts._query_locked(company, left)
                left = {row[0] for row in self.env.execute_query(query)}
        self._leave_marks(company, self.env["res.partner"].browse(left))
        return self.env["coverage.customer"].sudo().browse(created)

    def _leave_marks(self, company, partners):
        """Note customers for the job, and wake it."""
        if not partners:
            return
        self.env["coverage.mark"].sudo().create(
            [
                {"partner_id": partner.id, "company_id": company.id}
                for partner in partners
            ]
        )
        self._wake_job()

    def _wake_job(self):
        self.env.ref("crm_sales_coverage.ir_cron_refresh").sudo()._trigger()

    # === FRAME === #

    def _prepare_frame(self, company, now, reference=None, what_if=None):
        """Return what decisions on this company's customers share."""
        what_if = what_if or {}
        settings = company._get_coverage_settings(what_if.get("company"))
        today = company._get_coverage_today(now)
        if reference is None:
            reference = self._get_event_reference(company, today, settings)
        segments = self._get_segments(what_if)
        temperatures = self.env["coverage.temperature"]._get_rules(
            what_if.get("temperature")
        )
        rules = reference._get_rules(settings, segments, temperatures)
        niches = reference._get_niches(settings)
        return Frame(
            company=company,
            now=now,
            today=today,
            settings=settings,
            rules=rules,
            reference=reference,
            limits=reference.limits,
            decide=decider(rules, today),
            claim=claimer(niches),
            has_niches=bool(niches),
        )

    def _get_segments(self, what_if=None):
        return self.env["coverage.segment"]._get_rules((what_if or {}).get("segment"))

    def _get_event_reference(self, company, today, settings):
        """Return the last night's reference; while nobody had bought, one of now.

        That one is not kept: sales at the same time would wait for each other's.
        """
        references = self.env["coverage.reference"].sudo()
        latest = references._get_latest(company)
        if latest.amount:
            return latest
        segments, stored = self._get_segments(), self._query_staged(is_staged=False)
        return references.new(
            references._compute_reference(company, today, settings, segments, stored)
        )

    def _settle_reference(self, company, today, settings):
        """Return tonight's reference, computed unless it is there already."""
        references = self.env["coverage.reference"].sudo()
        latest = references._get_latest(company)
        segments, staged = self._get_segments(), self._query_staged()
        if latest._is_current(today, settings, segments, staged):
            return latest
        vals = references._compute_reference(company, today, settings, segments, staged)
        vals["is_provisional"] = False
        if latest.date == today:
            latest.write(vals)
            return latest
        return references.create(vals)

    def _get_plan_reference(self, run, today, settings):
        """Return the reference a preview decides by: tonight's, or its own."""
        references = self.env["coverage.reference"].sudo()
        latest = references._get_latest(run.company_id)
        segments, staged = self._get_segments(run.what_if), self._query_staged()
        if latest._is_current(today, settings, segments, staged):
            return latest
        vals = references._compute_reference(
            run.company_id, today, settings, segments, staged
        )
        return references.create({**vals, "active": False})

    # === FACTS === #

    def _collect_staged(self, frame, last_id):
        """Return the next batch of rows, staged facts laid over the stored ones."""
        self.env["coverage.customer"].flush_model()
        return self.env.execute_query(
            SQL(
                "%s AND c.active AND c.id > %s ORDER BY c.id LIMIT %s",
                self._query_rows(frame, SQL.identifier(STAGE), is_staged=True),
                last_id,
                BATCH,
            )
        )

    def _collect_listed(self, frame, customers):
        """Return rows of these customers with their facts of this moment."""
        if not customers:
            return []
        facts = self.env["coverage.facts"]
        facts._flush_documents()
        customers.flush_recordset()
        query = facts._query_facts(
            frame.company,
            frame.today,
            frame.settings,
            customers.ids,
            customers.partner_id.ids,
        )
        return self.env.execute_query(
            SQL(
                "%s AND c.id IN %s ORDER BY c.id",
                self._query_rows(frame, SQL("(%s)", query), is_staged=False),
                customers._ids,
            )
        )

    def _query_rows(self, frame, source, is_staged):
        """Select ``COLUMNS`` and ``TRAITS`` of customers, facts of ``source`` first."""
        return SQL(
            """
            SELECT c.id, s.id IS NOT NULL AND (%(fresh)s) IS DISTINCT FROM (%(stored)s),
                   %(is_newer)s, %(facts)s, %(rest)s, p.industry_id, p.country_id,
                   p.state_id, p.coverage_employee_count, %(tags)s
              FROM coverage_customer c
              LEFT JOIN %(source)s s ON s.id = c.id
              JOIN res_partner p ON p.id = c.partner_id
             WHERE c.company_id = %(company)s
            """,
            fresh=SQL(", ").join(SQL.identifier("s", name) for name in FACTS),
            stored=SQL(", ").join(SQL.identifier("c", name) for name in FACTS),
            is_newer=SQL("s.version <> c.xmin") if is_staged else SQL("FALSE"),
            facts=self._query_overlay(),
            rest=SQL(", ").join(
                SQL.identifier("c", name) for name in (*HELD, *FLAT)
            ),
            tags=SQL(
                """ARRAY(SELECT rel.category_id
                           FROM res_partner_res_partner_category_rel rel
                          WHERE rel.partner_id = p.id ORDER BY rel.category_id)"""
            )
            if frame.has_niches
            else SQL("NULL"),
            source=source,
            company=frame.company.id,
        )

    def _query_overlay(self):
        """Take each fact from the source where it has the row, else from the row."""
        return SQL(", ").join(
            SQL(
                "CASE WHEN s.id IS NULL THEN %s ELSE %s END AS %s",
                SQL.identifier("c", name),
                SQL.identifier("s", name),
                SQL.identifier(name),
            )
            for name in FACTS
        )

    def _query_staged(self, is_staged=True):
        """Return the whole base with its newest facts, as the reference reads it."""
        if not is_staged:
            return SQL("SELECT * FROM coverage_customer")
        return SQL(
            """SELECT c.id, c.company_id, c.partner_id, c.active, %s
                 FROM coverage_customer c LEFT JOIN %s s ON s.id = c.id""",
            self._query_overlay(),
            SQL.identifier(STAGE),
        )

    # === DECISION === #

    def _decide_rows(self, frame, rows):
        """Return the outcome of each row; nothing is written."""
        outcomes = []
        for row in rows:
            niche = self._claim(frame, row) if frame.has_niches else None
            facts = Facts(*get_decided(row), niche.claim if niche else None)
            state = State(
                Standing(*get_segment(row)),
                Standing(*get_temperature(row)),
                Standing(*get_lifecycle(row)),
                *get_pin(row),
            )
            decision = frame.decide(facts, state)
            outcomes.append(
                Outcome(row, facts, state, decision, self._get_flat(facts, decision))
            )
        return outcomes

    def _claim(self, frame, row):
        """Return the niche that a customer belongs to, if any."""
        industry, country, state, size, tags = get_traits(row)
        return frame.claim(
            Traits(industry, country, state, band_of(size, frame.limits), tuple(tags))
        )

    def _get_flat(self, facts, decision):
        """Return the values of ``FLAT``, which differ for every row."""
        segment, level, life = (
            decision.segment_standing,
            decision.temperature_standing,
            decision.lifecycle_standing,
        )
        potential = decision.potential
        return (
            0.0 if potential is None else round(potential, 2),
            decision.potential_source,
            round(facts.lookalike_potential or 0.0, 2),
            decision.temperature_score,
            decision.yield_rate,
            segment.since,
            segment.left,
            segment.prior_since,
            segment.prior_left,
            level.since,
            level.left,
            level.prior_since,
            life.since,
            life.left,
            life.prior_since,
        )

    def _must_write(self, outcome):
        """Return whether anything of this row differs from what is stored."""
        row, decision = outcome.row, outcome.decision
        return (
            row[1]
            or outcome.flat != get_flat(row)
            or decision.is_pin_expired
            or self._get_values(decision) != get_outcome(row)
        )

    def _get_values(self, decision):
        """Return segment, computed segment, temperature and lifecycle."""
        return (
            decision.segment,
            decision.segment_standing.value,
            decision.temperature_standing.value,
            decision.lifecycle_standing.value,
        )

    def _get_logged(self, outcome):
        """Return ``{field: (old, new)}`` of what history and previews show."""
        old, new = get_outcome(outcome.row), self._get_values(outcome.decision)
        return {
            name: (before, after)
            for name, before, after in zip(
                ("segment_id", None, "temperature_id", "lifecycle"), old, new, strict=True
            )
            if name and before and before != after
        }

    # === APPLICATION === #

    def _apply_outcomes(self, frame, outcomes, log):
        """Write outcomes; the only place that does.

        :return: ids of customers whose write was refused (by another addon, say);
            they keep their decisions, and the job says so at its end
        """
        if not outcomes:
            return set()
        self._write_flat(outcomes)
        customers = self.env["coverage.customer"].sudo()
        customers.browse([one.customer_id for one in outcomes]).invalidate_recordset(
            flush=False
        )
        moved, groups = [], defaultdict(list)
        for outcome in outcomes:
            if vals := self._get_changed_vals(outcome):
                groups[tuple(sorted(vals.items()))].append(outcome.customer_id)
                moved.append(outcome)
        log = {
            **log,
            "date": frame.now,
            "day_start": self._get_day_start(frame),
            "reasons": {one.customer_id: self._get_reasons(frame, one) for one in moved},
            "firsts": {one.customer_id: self._get_firsts(frame, one) for one in moved}
            if "planned" not in log
            else {},
        }
        failed = set()
        for vals, ids in groups.items():
            batch = customers.with_context(coverage_log=log).browse(ids)
            failed |= self._write_group(batch, dict(vals))
        self.env["crm.lead"].sudo()._follow_customers(
            [one.customer_id for one in moved]
        )
        return failed

    def _write_flat(self, outcomes):
        """Write facts and figures by SQL: they differ for every row."""
        full = [one for one in outcomes if one.row[1]]
        figures = [
            one for one in outcomes if not one.row[1] and one.flat != get_flat(one.row)
        ]
        self._write_values(
            {**FACT_TYPES, **FLAT},
            [(one.customer_id, *get_facts(one.row), *one.flat) for one in full],
        )
        self._write_values(FLAT, [(one.customer_id, *one.flat) for one in figures])

    def _write_values(self, types, values):
        """Run one UPDATE for rows of (id, values in the order of ``types``)."""
        if not values:
            return
        names = list(types)
        query = SQL(
            "UPDATE coverage_customer c SET %s FROM (VALUES %%s) AS v (id, %s) "
            "WHERE c.id = v.id",
            SQL(", ").join(
                SQL("%s = v.%s", SQL.identifier(name), SQL.identifier(name))
                for name in names
            ),
            SQL(", ").join(SQL.identifier(name) for name in names),
        )
        template = ", ".join(f"%s::{kind}" for kind in ("int4", *types.values()))
        self.env.cr.execute_values(
            query.code.replace("%%s", "%s"), values, f"({template})", page_size=2_000
        )

    def _get_changed_vals(self, outcome):
        """Return the decisions of one customer that differ from the stored ones."""
        names = ("segment_id", "segment_computed_id", "temperature_id", "lifecycle")
        old, new = get_outcome(outcome.row), self._get_values(outcome.decision)
        vals = {
            name: after or False
            for name, before, after in zip(names, old, new, strict=True)
            if before != after
        }
        if outcome.decision.is_pin_expired:
            vals.update(
                segment_manual_id=False,
                segment_manual_until=False,
                segment_manual_reason=False,
            )
        return vals

    def _write_group(self, customers, vals):
        """Write one outcome to all its customers; return the ids refused.

        One bad record stops nobody: a refused group is written one by one.
        """
        try:
            with self.env.cr.savepoint():
                customers.write(vals)
            return set()
        except (errors.SerializationFailure, errors.DeadlockDetected):
            raise
        except Exception as error:  # another addon's or automation rule's veto
            if len(customers) > 1:
                failed = set()
                for customer in customers:
                    failed |= self._write_group(customer, vals)
                return failed
            _logger.warning("Customer %s keeps its decisions: %s", customers.id, error)
            return {customers.id}

    def _get_reasons(self, frame, outcome):
        """Return by field what history keeps as the reason: code and numbers."""
        decision = outcome.decision
        numbers = {
            "potential": decision.potential,
            "source": decision.potential_source,
            "share": decision.share and round(decision.share, 1),
            "reference": frame.rules.reference,
            "score": decision.temperature_score,
            "yield": decision.yield_rate,
        }
        return {
            "segment_id": {"code": decision.segment_reason, **numbers},
            "temperature_id": {"code": decision.temperature_reason, **numbers},
            "lifecycle": {"code": decision.lifecycle_reason, **numbers},
            "segment_manual_id": {"code": "pin_expired"},
        }

    def _get_firsts(self, frame, outcome):
        """Return the fields that this customer had no value of this morning."""
        decision = outcome.decision
        standings = {
            "segment_id": decision.segment_standing,
            "temperature_id": decision.temperature_standing,
            "lifecycle": decision.lifecycle_standing,
        }
        return {
            name
            for name, standing in standings.items()
            if standing.since == frame.today and standing.left is None
        }

    def _get_day_start(self, frame):
        """Return the moment the company's day began, naive UTC."""
        zone = ZoneInfo(frame.company._get_coverage_tz())
        midnight = datetime.combine(frame.today, datetime.min.time(), zone)
        return midnight.astimezone(ZoneInfo("UTC")).replace(tzinfo=None)

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
        commit = self._commit_batch
        marks = self.env["coverage.mark"].search([])
        failed = runs._continue_runs(now, commit)
        companies = self.env["res.company"].search([])
        begun = {company: runs._find_unfinished(company, now) for company in companies}
        started = min((run.date for run in begun.values() if run), default=None)
        for company in companies:
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

    def _commit_batch(self, done, remaining):
        """Commit a batch; return whether there is time for another."""
        seconds = self.env["ir.cron"]._commit_progress(done, remaining=remaining)
        self.env.invalidate_all()
        return seconds > 0
