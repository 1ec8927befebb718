from odoo import api, models
from odoo.exceptions import ValidationError


class CalendarEvent(models.Model):
    """Group meetings are among colleagues: no customer is invited to one."""

    _inherit = "calendar.event"

    @api.constrains("partner_ids")
    def _check_coverage_meeting(self):
        events = self.filtered(lambda event: event.res_model == "coverage.meeting")
        for partner in events.partner_ids.sudo():
            if not any(not user.share for user in partner.user_ids):
                raise ValidationError(
                    self.env._(
                        "%(partner)s is not a colleague. Group meetings are among "
                        "colleagues: make another event for customers.",
                        partner=partner.display_name,
                    )
                )
