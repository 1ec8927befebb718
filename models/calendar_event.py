from datetime import timedelta

from odoo import fields, models

from .coverage_sources import BACKDATED_HOURS


class CalendarEvent(models.Model):
    """A meeting moved into the past proves no contact."""

    _inherit = "calendar.event"

    coverage_is_backdated = fields.Boolean(
        copy=False,
        export_string_translation=False,
        help="Moved into the past: it proves no contact with the customer.",
    )

    def write(self, vals):
        """Notice who moves a meeting that was still to come into the past."""
        if "start" not in vals or "coverage_is_backdated" in vals:
            return super().write(vals)
        now = fields.Datetime.now()
        ahead = self.filtered(lambda event: event.start and event.start > now)
        result = super().write(vals)
        ahead._notice_backdated(now)
        return result

    def _notice_backdated(self, now):
        """Mark those of these meetings, once ahead, that now lie in the past."""
        limit = now - timedelta(hours=BACKDATED_HOURS)
        moved = self.filtered(lambda event: event.start and event.start < limit)
        moved.coverage_is_backdated = True
