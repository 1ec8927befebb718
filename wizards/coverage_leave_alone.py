from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models.groups import LEADER


class CoverageLeaveAlone(models.TransientModel):
    """Asks the leader to leave customers alone; a leader grants it to himself."""

    _name = "coverage.leave.alone"
    _description = "Leave Alone"

    customer_ids = fields.Many2many("coverage.customer", required=True)
    until = fields.Date(
        required=True,
        default=lambda self: fields.Date.context_today(self) + timedelta(days=30),
    )
    reason = fields.Char(required=True)
    is_leader = fields.Boolean(compute="_compute_is_leader")

    @api.depends_context("uid")
    def _compute_is_leader(self):
        self.is_leader = self.env.user.has_group(LEADER)

    def action_ask(self):
        """Ask, or grant at once as the leader.

        :raises UserError: when the day is past, or more than a year away
        """
        self.ensure_one()
        today = fields.Date.context_today(self)
        if not today <= self.until <= today + timedelta(days=366):
            raise UserError(
                self.env._("Choose a day from today on, at most a year away.")
            )
        self.customer_ids._ask_leave_alone(self.until, self.reason)
        if self.is_leader:
            self.customer_ids.action_grant_leave_alone()
        return {"type": "ir.actions.act_window_close"}
