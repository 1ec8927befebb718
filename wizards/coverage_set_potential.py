from odoo import fields, models
from odoo.exceptions import UserError


class CoverageSetPotential(models.TransientModel):
    """Notes what a customer could buy in 12 months: said by it, or by the leader."""

    _name = "coverage.set.potential"
    _description = "Set Potential"

    customer_ids = fields.Many2many("coverage.customer", required=True)
    kind = fields.Selection(
        [
            ("declared", "Declared by the customer"),
            ("confirmed", "Confirmed by leader"),
        ],
        required=True,
        default="declared",
        readonly=True,
    )
    amount = fields.Monetary(
        required=True,
        help="Untaxed, in 12 months. 0 if it could buy nothing.",
    )
    currency_id = fields.Many2one(
        "res.currency", default=lambda self: self.env.company.currency_id
    )
    how = fields.Char(
        string="How It Was Found Out",
        help="Ask indirectly: how many, how often, from whom now.",
    )

    def action_set(self):
        """Write the figure and decide the customers anew."""
        if self.amount < 0:
            raise UserError(
                self.env._(
                    "A potential cannot be negative. Enter what the customer could "
                    "bring in 12 months, or 0 if nothing."
                )
            )
        if self.kind == "confirmed":
            self.customer_ids._confirm_potential(self.amount)
        else:
            self.customer_ids._declare_potential(self.amount, self.how)
        return {"type": "ir.actions.act_window_close"}
