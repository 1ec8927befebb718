from odoo import api, fields, models

from ..models.coverage_claim import PASS_REASONS


class CoveragePass(models.TransientModel):
    """Asks a seller why he passes what the pool offers."""

    _name = "coverage.pass"
    _description = "Pass"

    claim_id = fields.Many2one("coverage.claim", required=True)
    subject_name = fields.Char(related="claim_id.subject_name")
    reason = fields.Selection(PASS_REASONS, required=True)
    text = fields.Char()

    def action_pass(self):
        """Pass for this reason."""
        self.ensure_one()
        self.claim_id.action_pass(self.reason, self.text)
        return self._tell_passed()

    @api.model
    def _tell_passed(self):
        """Return the notice that closes both dialogs."""
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "info",
                "message": self.env._(
                    "Passed. Your team leader sees why; you are not offered it again "
                    "for 30 days."
                ),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }
