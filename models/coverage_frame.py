from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from odoo import models

from ..core.decide import contact_interval, decider
from ..core.lookalike import claimer
from ..core.records import Rules
from ..core.segment import cut_offs, share_of


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
    has_tags: bool = False
    claimed: dict = field(default_factory=dict)


class CoverageFrame(models.AbstractModel):
    """Gathers what the decisions on one company's customers share."""

    _name = "coverage.frame"
    _description = "Frame of a Refresh"

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
            has_tags=any("tag" in dict(niche.cell) for niche in niches),
        )

    def _get_interval_of(self, frame):
        """Return a function: segment and potential → contact interval in days."""
        rules = frame.rules
        cuts = cut_offs(rules.segments)
        positions = {rule.key: index for index, rule in enumerate(rules.segments)}

        def interval_of(segment, potential):
            share = share_of(potential or None, rules.reference)
            return contact_interval(positions.get(segment), share, cuts, rules)

        return interval_of

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
