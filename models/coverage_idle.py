import logging
from collections import defaultdict

from odoo import api, fields, models
from odoo.tools import SQL

from ..core.idle import protecting_days
from .coverage_cadence import SILENT
from .coverage_neglect import MARKS

_logger = logging.getLogger(__name__)


class CoverageIdle(models.AbstractModel):
    """The engine of "work it or lose it": warns of neglect, and says who may be taken.

    Facts → :mod:`core.idle` → what differs → history; job, event and preview alike.
    Only neglect counts: what is protected, agreed, being handed over, quoted, or tried
    often enough stays. Who is taken goes where the assignment says; prospects and leads
    go back to nurturing, or to nobody. Silent: no mail leaves.
    """

    _name = "coverage.idle"
    _inherit = [
        "coverage.job",
        "coverage.idle.facts",
        "coverage.idle.release",
        "coverage.idle.digest",
        "coverage.idle.words",
        "coverage.idle.outlook",
        "coverage.idle.backtest",
    ]
    _description = "Idle Customers"

    # === ENTRANCES === #

    @api.model
    def _cron_idle(self):
        """Bring neglect in all companies up to date; twice does no more than once."""
        self._run_companies(self._run_idle)

    @api.model
    def _run_idle(self, company, now, commit=None, tally=None):
        """Bring a company's neglect up to date; return how many were warned or moved.

        Parameters as in :meth:`_run_steps`.
        """
        self = self.with_company(company).with_context(coverage_origin="job")
        return self._run_steps(company, now, commit, tally)

    def _get_steps(self):
        return (
            self._settle_durations,
            self._settle_neglect,
            self._release_prospects,
            self._release_leads,
            self._assign_idle,
            self._tell_sellers,
            self._return_covers,
        )

    def _tell_refused(self, count):
        return self.env._(
            "%(count)s neglected customers or leads stay as they are, because another "
            "rule refused the change. The log names them.",
            count=count,
        )

    @api.model
    def _settle(self, customers, now=None):
        """Bring warned customers up to what just happened, in this transaction.

        A contact that counts, a new owner, protection or a pause end the warnings at
        once. Costs one query for those that nobody was warned of. Rows that another
        transaction holds wait for the job.
        """
        self = self.sudo()
        now, warned = now or fields.Datetime.now(), self._find_marked(customers)
        for company, group in warned.grouped("company_id").items():
            frame = self._prepare_idle(company, now)
            decided = self._decide_listed(frame, self._lock(group))
            owners = group.user_id
            if self._apply_verdicts(frame, decided, [], "event"):
                self._tell_owners(owners | group.user_id, now)

    @api.model
    def _switch_off(self, company, now=None):
        """Take the warnings of a company back: nobody leaves any more."""
        company.coverage_idle_date = False
        customers = self.env["coverage.customer"].sudo()
        here = [("company_id", "=", company.id)]
        marked = customers.with_context(active_test=False).search(
            [
                *here,
                "|",
                ("idle_warning_level", ">", 0),
                ("missing_order_since", "!=", False),
            ]
        )
        owners = marked.user_id
        log = {"reasons": {one.id: {MARKS[0]: {"code": "off"}} for one in marked}}
        vals = dict.fromkeys(MARKS, False)
        self._write_marks(marked.ids, vals, log, [])
        self._tell_owners(owners, now or fields.Datetime.now())
        leads = self.env["crm.lead"].sudo()
        warned = leads.search([("coverage_idle_date", "!=", False)])
        warned.filtered(
            lambda one: one._get_coverage_company() == company
        ).with_context(**SILENT).write(
            {"coverage_idle_date": False, "coverage_idle_warning_date": False}
        )

    def _find_marked(self, customers):
        """Return those of these customers that carry a mark of neglect."""
        if not customers.ids:
            return customers.browse()
        customers.flush_recordset()
        rows = self.env.execute_query(
            SQL(
                """SELECT id FROM coverage_customer
                    WHERE id IN %s AND (idle_warning_level > 0
                          OR idle_since IS NOT NULL OR missing_order_since IS NOT NULL)
                    ORDER BY id""",
                tuple(customers.ids),
            )
        )
        return self.env["coverage.customer"].sudo().browse([row[0] for row in rows])

    # === STEPS === #

    def _settle_durations(self, company, now, tally, commit):
        """Find out how long deals take here: younger ones protect their customer."""
        if not company.coverage_idle_date:
            return True
        self._flush_idle()
        for name, query in (
            ("coverage_idle_quote_days", self._query_won_quotations(company, now)),
            ("coverage_idle_deal_days", self._query_won_opportunities(company, now)),
        ):
            days = protecting_days(*self.env.execute_query(query)[0])
            if company[name] != days:
                company[name] = days
        return True

    def _settle_neglect(self, company, now, tally, commit):
        """Warn whose customers leave soon, and mark those that may be taken away."""
        if not company.coverage_idle_date:
            return True
        frame, last_id = self._prepare_idle(company, now), 0
        while decided := self._decide_batch(frame, last_id):
            last_id = max(decided)
            tally.count += self._retry(
                lambda decided=decided: self._settle_batch(frame, decided, tally),
                commit,
            )
            if commit and not commit(len(decided), 1):
                return False
        return True

    def _settle_batch(self, frame, decided, tally):
        """Write what differs in a batch, on those that nobody else holds."""
        differing = [
            key
            for key, (known, verdict) in decided.items()
            if known.marks != verdict.marks
        ]
        held = self._lock(self.env["coverage.customer"].sudo().browse(differing))
        decided = {key: decided[key] for key in held.ids}
        return self._apply_verdicts(frame, decided, tally.refused, "job")

    def _assign_idle(self, company, now, tally, commit):
        """Let the assignment find new owners of those that may be taken away."""
        today = company._get_coverage_today(now)
        if "coverage.assignment" not in self.env:
            return True
        if company._is_coverage_observed(today):
            return True
        assignment = self.env["coverage.assignment"]
        return assignment._run_automatic(company, now, tally=tally, commit=commit)

    def _return_covers(self, company, now, tally, commit):
        """Give back what was covered for somebody who is there again."""
        if "coverage.absence" not in self.env:
            return True
        absence = self.env["coverage.absence"]
        return absence._return_due(company, now, tally=tally, commit=commit)

    # === APPLICATION === #

    def _apply_verdicts(self, frame, decided, refused, origin):
        """Write the verdicts that differ; the only place that does.

        :param decided: of customers that this transaction holds
        :param refused: the ids of those whose change another rule refused are added
        :return: number of customers changed
        """
        groups, reasons = defaultdict(list), {}
        for key, (known, verdict) in decided.items():
            marks = zip(MARKS, known.marks, verdict.marks, strict=True)
            if vals := {name: new or False for name, old, new in marks if old != new}:
                groups[tuple(vals.items())].append(key)
                reasons[key] = {"idle_warning_level": self._get_reason(verdict)}
        log = {"origin": origin, "date": frame.now, "reasons": reasons}
        return sum(
            self._write_marks(ids, dict(vals), log, refused)
            for vals, ids in groups.items()
        )

    def _write_marks(self, ids, vals, log, refused):
        """Write equal marks; one that is refused stops nobody. Return how many."""
        customers = self.env["coverage.customer"].sudo().browse(ids)

        def refuse(customer, error):
            _logger.warning("Customer %s is not marked: %s", customer.id, error)
            refused.append(customer.id)

        def write(part):
            part.with_context(coverage_log=log).write(vals)
            return len(part)

        return sum(self._apart(customers, write, refuse))

    def _get_reason(self, verdict):
        """Return what the history keeps of a warning, or of its end."""
        return {
            "code": verdict.code,
            "days": verdict.silent_days,
            "term": verdict.term_days,
            "level": verdict.level,
        }
