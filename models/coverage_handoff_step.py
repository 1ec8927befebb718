from odoo import fields, models

from .coverage_handoff import STATES


class CoverageHandoffStep(models.Model):
    """One move of a handoff: who, when, from where to where, and why."""

    _name = "coverage.handoff.step"
    _description = "Step of a Handoff"
    _order = "date, id"

    handoff_id = fields.Many2one(
        "coverage.handoff", required=True, index=True, ondelete="cascade"
    )
    date = fields.Datetime(required=True, default=fields.Datetime.now)
    user_id = fields.Many2one(
        "res.users", string="By", default=lambda self: self.env.user
    )
    from_state = fields.Selection(STATES, string="From")
    to_state = fields.Selection(STATES, string="To", required=True)
    reason = fields.Char(string="Why")
