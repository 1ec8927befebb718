from odoo import fields, models


class CoverageSetSegment(models.TransientModel):
    """Pins a segment by hand: who, why, until when."""

    _name = "coverage.set.segment"
    _description = "Set Segment by Hand"

    customer_ids = fields.Many2many("coverage.customer", required=True)
    segment_id = fields.Many2one("coverage.segment", required=True)
    reason = fields.Char(required=True)
    until = fields.Date(
        help="Last day. Afterwards the rules decide again. Empty: until released."
    )

    def action_set(self):
        """Pin the segment on the chosen customers."""
        self.customer_ids._set_manual_segment(self.segment_id, self.reason, self.until)
        return {"type": "ir.actions.act_window_close"}
