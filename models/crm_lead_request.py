from odoo import api, fields, models


class CrmLead(models.Model):
    """What the leader is asked about an opportunity, and decided, stands on it."""

    _inherit = "crm.lead"

    request_ids = fields.One2many(
        "coverage.request", "lead_id", string="Requests", readonly=True
    )
    request_text = fields.Char(
        string="Request to the Leader",
        compute="_compute_request_text",
        compute_sudo=True,
        help="What the leader is asked, or decided in the last week.",
    )
    is_requested = fields.Boolean(
        compute="_compute_request_text",
        compute_sudo=True,
        export_string_translation=False,
    )

    @api.depends("request_ids.state", "request_ids.reason")
    def _compute_request_text(self):
        for lead in self:
            request = lead.request_ids._get_current()
            lead.is_requested = request.state == "open"
            lead.request_text = request._get_text()

    def action_grant_request(self):
        """Grant, as the leader, what is asked about these opportunities."""
        return self._get_open_requests().action_grant()

    def action_decline_request(self):
        """Decline, as the leader, what is asked about these opportunities."""
        return self._get_open_requests().action_decline()

    def _get_open_requests(self):
        self.check_access("read")
        return self.request_ids.filtered(lambda one: one.state == "open")
