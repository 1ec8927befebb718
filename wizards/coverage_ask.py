from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models.coverage_request import KINDS


class CoverageAsk(models.TransientModel):
    """Asks the team leader whether customers are given up, and says why."""

    _name = "coverage.ask"
    _description = "Ask the Team Leader"

    kind = fields.Selection(KINDS, required=True, default="release")
    partner_ids = fields.Many2many("res.partner", string="Customers")
    lead_ids = fields.Many2many("crm.lead", string="Opportunities")
    reason = fields.Char(required=True)

    @api.model
    def _open(self, kind, partners=(), leads=()):
        """Return the action that opens this dialog."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Ask the Team Leader"),
            "res_model": self._name,
            "views": [(False, "form")],
            "target": "new",
            "context": {
                "default_kind": kind,
                "default_partner_ids": partners and partners.ids,
                "default_lead_ids": leads and leads.ids,
            },
        }

    def action_ask(self):
        """Ask; the leader finds it in To Decide.

        :raises UserError: when there is nothing to ask, or no reason
        """
        self.ensure_one()
        reason = (self.reason or "").strip()
        if not reason:
            raise UserError(self.env._("Say why, so that the leader can decide."))
        subjects = self._find_subjects()
        if not subjects:
            raise UserError(
                self.env._("There is nothing to ask: you may do this yourself.")
            )
        self.env["coverage.request"]._ask(self.kind, subjects, reason)
        return self._tell_asked()

    def _find_subjects(self):
        """Return customer by lead, or by itself, of what the user may not do alone."""
        guard = self.env["coverage.guard"]
        if self.kind == "lost":
            return guard._find_last_leads(self.lead_ids)
        rows = guard._find_dropped(self.partner_ids)
        if self.kind == "release":
            rows = rows.filtered(lambda one: one.user_id == self.env.user)
        return {row: row for row in rows}

    @api.model
    def _tell_asked(self):
        """Return the notice that the leader decides, which closes the dialog."""
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "info",
                "message": self.env._(
                    "Your team leader decides. Until then all stays as it is."
                ),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }
