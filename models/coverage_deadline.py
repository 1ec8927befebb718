from collections import defaultdict
from datetime import datetime, time, timedelta

from odoo import models

from ..core.handoff import EXPIRE, is_weekday, shift_workdays

HORIZON_DAYS = timedelta(days=60)
TERMS = (
    "accept_days",
    "handover_days",
    "reminder_days",
    "on_giver_late",
    "on_receiver_late",
    "look_days",
    "handback_days",
)


class CoverageDeadline(models.AbstractModel):
    """By when a handoff must be offered and answered: working days of the company."""

    _name = "coverage.deadline"
    _description = "Deadlines of a Handoff"

    def _shift_workdays(self, company, day, count):
        """Return the working day of a company so many after a day; before, if negative.

        By its calendar, holidays included; from Monday to Friday without one.
        """
        span = timedelta(days=2 * abs(count)) + HORIZON_DAYS
        begin, end = sorted((day, day + span if count > 0 else day - span))
        calendar = company.sudo().resource_calendar_id
        unusual = calendar._get_unusual_days(
            datetime.combine(begin, time()),
            datetime.combine(end + timedelta(days=1), time()),
            company,
        )
        if all(unusual.values()):  # no calendar, or none of its days is worked
            return shift_workdays(day, count, is_weekday)
        return shift_workdays(
            day,
            count,
            lambda one: (
                not unusual.get(str(one), False)
                if begin <= one <= end
                else is_weekday(one)
            ),
        )

    def _get_terms(self):
        """Return the deadlines and the oversight that hold for this handoff.

        Those of its policy. What a person began has those of a new policy, but if it
        is not answered, it just expires: the giver chose that person alone.
        """
        policy = self.policy_id.sudo()
        if policy:
            return {name: policy[name] for name in TERMS}
        return {**policy.default_get(TERMS), "on_receiver_late": EXPIRE}

    def _group_by_term(self, name):
        """Return these handoffs by ``(company, what one of their terms says)``."""
        groups, terms = defaultdict(self.browse), {}
        for handoff in self:
            policy = handoff.policy_id
            if policy not in terms:
                terms[policy] = handoff._get_terms()
            groups[handoff.company_id, terms[policy][name]] += handoff
        return groups
