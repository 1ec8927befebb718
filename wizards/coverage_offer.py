from odoo import api, fields, models


class CoverageOffer(models.TransientModel):
    """Hands a customer or an opportunity over: to whom, why, and who stays on it."""

    _name = "coverage.offer"
    _description = "Hand Over"

    customer_id = fields.Many2one("coverage.customer")
    lead_id = fields.Many2one("crm.lead", string="Opportunity")
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    to_user_id = fields.Many2one("res.users", string="Receiver", required=True)
    reason = fields.Char(required=True)
    watch_deal_count = fields.Integer(string="Deals to Watch", default=3)
    is_co_selling = fields.Boolean(string="Stay in the Deal Team")

    @api.model
    def _open(self, **defaults):
        """Return the action that opens this dialog."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Hand Over"),
            "res_model": self._name,
            "views": [(False, "form")],
            "target": "new",
            "context": defaults,
        }

    def action_offer(self):
        """Create the handoff and offer it."""
        self.ensure_one()
        handoff = self.env["coverage.handoff"].create(
            {
                "customer_id": self.customer_id.id,
                "lead_id": self.lead_id.id,
                "to_user_id": self.to_user_id.id,
                "reason": self.reason,
                "watch_deal_count": self.watch_deal_count,
                "is_co_selling": self.is_co_selling,
            }
        )
        handoff.action_offer()
        return {"type": "ir.actions.act_window_close"}
