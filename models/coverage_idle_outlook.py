from collections import Counter
from datetime import timedelta

from odoo import models
from odoo.tools import SQL

from ..core.idle import EXEMPT, IDLE, SILENT, UNREACHABLE, decide_lead
from ..core.idle import LeadSilence as Lead

HORIZON = 30
SOON = 14
LISTED = 40


class CoverageIdleOutlook(models.AbstractModel):
    """Says whom the job would warn and take away, writing nothing.

    While idle is off, or only observed, as if it had always been on: that is what is
    going to happen once the department does not change.
    """

    _name = "coverage.idle.outlook"
    _description = "Outlook on Idle Customers"

    def _preview_idle(self, company, now):
        """Return what neglect makes of a company's customers at this moment.

        :return: dict of ``sellers`` (``{user id: {warned, over, soon, later, potential,
            revenue, ids}}``; ``over``: past the term already), ``lines`` (of those
            past the term or near it: ``[(customer id, Verdict)]``, the most valuable
            first), ``exempt`` (``{code: count}`` of those that would be warned
            otherwise), ``unreachable``, ``missing`` and ``leads`` (counts)
        """
        company = company.sudo()
        today = company._get_coverage_today(now)
        is_preview = company._is_coverage_observed(today)
        frame = self._prepare_idle(company, now, is_preview)
        outlook = {
            "sellers": {},
            "lines": [],
            "exempt": Counter(),
            "unreachable": 0,
            "missing": 0,
            "leads": self._count_leads(frame),
        }
        last_id = 0
        while decided := self._decide_batch(frame, last_id, HORIZON):
            last_id = max(decided)
            self._add_batch(frame, outlook, decided)
            self.env["coverage.customer"].invalidate_model(flush=False)
        outlook["lines"].sort(key=lambda line: (-line[2], line[0]))
        outlook["lines"] = [line[:2] for line in outlook["lines"]]
        return outlook

    def _add_batch(self, frame, outlook, decided):
        """Count a batch into the outlook."""
        customers = self.env["coverage.customer"].sudo().browse(decided)
        customers.fetch(["user_id", "potential", "revenue_12m"])
        first = frame.rules.warning_days[0]
        since = frame.today - timedelta(days=HORIZON)
        for customer in customers:
            _silence, verdict = decided[customer.id]
            missing = verdict.missing_since
            outlook["missing"] += bool(missing and missing > since)
            if verdict.code == UNREACHABLE:
                outlook["unreachable"] += 1
            elif verdict.code in EXEMPT:
                is_near = verdict.silent_days >= verdict.term_days - first
                outlook["exempt"][verdict.code] += is_near
            elif verdict.code in (SILENT, IDLE):
                self._add_customer(frame, outlook, customer, verdict)

    def _add_customer(self, frame, outlook, customer, verdict):
        """Count one customer that leaves within the horizon."""
        days = (verdict.leaves - frame.today).days
        if days > HORIZON:
            return
        seller = outlook["sellers"].setdefault(
            customer.user_id.id, Counter(warned=0, over=0, soon=0, later=0)
        )
        is_over = verdict.silent_days >= verdict.term_days
        seller.update(
            warned=bool(verdict.level),
            over=is_over,
            soon=days <= SOON,
            later=1,
            potential=customer.potential,
            revenue=customer.revenue_12m,
        )
        outlook["lines"].append((customer.id, verdict, customer.potential))

    def _count_leads(self, frame):
        """Return how many leads would be warned of, or released."""
        self._flush_leads()
        query = self._query_leads(frame, SQL("TRUE"))
        return sum(
            decide_lead(Lead(*facts), frame.rules, frame.today).level > 0
            for _key, *facts in self.env.execute_query(query)
        )
