from odoo import fields, models


class CoverageAnswer(models.TransientModel):
    """Asks for the reason of a decline, a cancellation or a handback."""

    _name = "coverage.answer"
    _description = "Answer to a Handoff"

    handoff_id = fields.Many2one("coverage.handoff", required=True)
    kind = fields.Selection(
        [
            ("decline", "Decline"),
            ("cancel", "Cancel"),
            ("hand_back", "Hand Back"),
        ],
        required=True,
    )
    reason = fields.Char(required=True)

    def action_answer(self):
        """Answer with this reason."""
        self.ensure_one()
        action = getattr(self.handoff_id, f"action_{self.kind}")
        action(self.reason)
        return {"type": "ir.actions.act_window_close"}
