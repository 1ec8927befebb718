from odoo import fields, models
from odoo.exceptions import AccessError, UserError

KINDS = [
    ("decline", "Decline"),
    ("cancel", "Cancel"),
    ("hand_back", "Hand Back"),
    ("raise_hand", "Raise Hand"),
    ("look", "Looked"),
]
OPTIONAL = ("look",)


class CoverageAnswer(models.TransientModel):
    """Asks for the reason of a decline, a cancellation, a handback or a raised hand."""

    _name = "coverage.answer"
    _description = "Answer to a Handoff"

    handoff_id = fields.Many2one("coverage.handoff", required=True)
    customer_name = fields.Char(related="handoff_id.display_name", string="What")
    giver_id = fields.Many2one(related="handoff_id.from_user_id", string="Giver")
    receiver_id = fields.Many2one(related="handoff_id.to_user_id", string="Receiver")
    kind = fields.Selection(KINDS, required=True)
    reason = fields.Char()

    def action_answer(self):
        """Answer with this reason.

        :raises UserError: without one where it is needed
        """
        self.ensure_one()
        reason = (self.reason or "").strip()
        if not reason and self.kind not in OPTIONAL:
            raise UserError(self.env._("Say why: the others read it."))
        getattr(self.handoff_id, f"action_{self.kind}")(reason)
        return self._close()

    def _close(self):
        """Close the dialog; go to the handoffs where the screen behind is gone.

        Who declined or handed back a customer may not see it any more.
        """
        context = self.env.context
        model, id_ = context.get("active_model"), context.get("active_id")
        if model not in ("coverage.customer", "crm.lead") or not id_:
            return {"type": "ir.actions.act_window_close"}
        try:
            self.env[model].browse(id_).check_access("read")
        except AccessError:
            action = self.env["ir.actions.act_window"]._for_xml_id(
                "crm_sales_coverage.coverage_handoff_action"
            )
            return {**action, "target": "main"}
        return {"type": "ir.actions.act_window_close"}
