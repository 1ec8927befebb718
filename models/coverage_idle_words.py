from odoo import models
from odoo.tools import format_date

from ..core.idle import AWAY, EXEMPT, HANDED, IDLE, PAUSED, PROTECTED, QUOTED, SILENT
from ..core.idle import UNREACHABLE as TRIED


class CoverageIdleWords(models.AbstractModel):
    """What neglect makes of customers and leads, as people read it."""

    _name = "coverage.idle.words"
    _description = "Words of Neglect"

    def _tell_listed(self, company, customers, now):
        """Return ``{customer id: (days left, sentence)}`` at this moment.

        No days where something keeps it, and where there is no end.
        """
        engine = self.env["coverage.idle"].sudo()
        frame = engine._prepare_idle(company, now)
        decided = engine._decide_listed(frame, customers._origin)
        told = {}
        for customer in customers:
            verdict = decided.get(customer._origin.id, (None, None))[1]
            is_mine = customer.user_id.id == self.env.uid
            told[customer._origin.id] = (
                self._get_days_left(verdict, frame.today),
                self._tell_verdict(verdict, frame.today, is_mine) if verdict else "",
            )
        return told

    def _get_days_left(self, verdict, today):
        """Return the days until it leaves; 0 when it may be taken now, or None."""
        if verdict is None or not verdict.leaves:
            return None
        return max(0, (verdict.leaves - today).days)

    def _tell_verdict(self, verdict, today, is_mine):
        """Return one sentence: when it leaves and why, or what keeps it."""
        if verdict.code in EXEMPT:
            return self._get_exempt_labels()[verdict.code]
        if verdict.code not in (SILENT, IDLE):
            return ""
        when = self._tell_when(self._get_days_left(verdict, today), is_mine)
        words = {
            "when": when,
            "days": verdict.silent_days,
            "term": verdict.term_days,
        }
        _ = self.env._
        if verdict.silent_days > verdict.term_days:
            return _(
                "%(when)s: no two-way contact for %(days)s days, %(term)s are allowed",
                **words,
            )
        return _("%(when)s: no two-way contact for %(days)s of %(term)s days", **words)

    def _tell_when(self, days, is_mine):
        """Return in how many days it leaves you, or its owner."""
        _ = self.env._
        if is_mine:
            if not days:
                return _("Leaves you any day now")
            if days == 1:
                return _("Leaves you tomorrow")
            return _("Leaves you in %(days)s days", days=days)
        if not days:
            return _("Leaves its owner any day now")
        if days == 1:
            return _("Leaves its owner tomorrow")
        return _("Leaves its owner in %(days)s days", days=days)

    def _get_exempt_labels(self):
        """Return what keeps a customer with its owner, by code."""
        _ = self.env._
        return {
            PAUSED: _("Stays: left alone for now"),
            PROTECTED: _("Stays: protected"),
            HANDED: _("Stays: being handed over, or watched after it"),
            QUOTED: _("Stays: a deal that is young and moves"),
            AWAY: _("Stays: its owner is away"),
            TRIED: _("Stays: tried often without an answer, the leader decides"),
        }

    def _get_why(self, customer, now):
        """Return code, sentence and numbers of one customer; None while it is off."""
        company = customer.company_id.sudo()
        if not company.coverage_idle_date:
            return None
        engine = self.env["coverage.idle"].sudo()
        frame = engine._prepare_idle(company, now)
        found = engine._decide_listed(frame, customer)
        if customer.id not in found:
            return None
        verdict = found[customer.id][1]
        is_mine = customer.user_id.id == self.env.uid
        text = self._tell_verdict(verdict, frame.today, is_mine)
        if not text:
            return None
        return {
            "code": verdict.code,
            "text": text,
            "numbers": {
                "silent_days": verdict.silent_days,
                "term_days": verdict.term_days,
                "days_left": self._get_days_left(verdict, frame.today),
                "warnings": verdict.level,
            },
        }

    def _tell_leads(self, leads, now):
        """Return ``{lead id: sentence}`` of those that leave soon at this moment."""
        engine, told = self.env["coverage.idle"].sudo(), {}
        leads = leads._origin.sudo()
        groups = leads.grouped(lambda one: one._get_coverage_company())
        for company, group in groups.items():
            frame = engine._prepare_idle(company, now)
            for key, (_lead, verdict) in engine._decide_leads(frame, group).items():
                if verdict.level:
                    is_mine = group.browse(key).user_id.id == self.env.uid
                    told[key] = self._tell_lead(verdict, frame.today, is_mine)
        return told

    def _tell_lead(self, verdict, today, is_mine):
        """Return one sentence: when a lead leaves, and why."""
        return self.env._(
            "%(when)s: nothing happened for %(days)s of %(term)s days",
            when=self._tell_when(self._get_days_left(verdict, today), is_mine),
            days=verdict.silent_days,
            term=verdict.term_days,
        )

    def _tell_day(self, day):
        return format_date(self.env, day, date_format="d MMM")
