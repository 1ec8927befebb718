from odoo import fields, models
from odoo.exceptions import UserError


class CoverageMatchTouch(models.TransientModel):
    """Says who an unknown number, or address, is; all its contacts follow."""

    _name = "coverage.match.touch"
    _description = "Match an Unknown Number"

    touch_id = fields.Many2one("coverage.touch", required=True, ondelete="cascade")
    number = fields.Char(related="touch_id.number")
    partner_id = fields.Many2one("res.partner", string="Contact")
    lead_id = fields.Many2one("crm.lead", domain=[("won_status", "=", "pending")])
    is_kept = fields.Boolean(
        string="Keep the Number",
        default=True,
        help="Enter the number on the contact, so that the next call is known.",
    )

    def action_match(self):
        """Give the contacts of this number to the customer, or lead.

        :raises UserError: when nobody is chosen, or it is known already
        """
        self.ensure_one()
        if not self.partner_id and not self.lead_id:
            raise UserError(self.env._("Choose the contact or the lead it was."))
        self.touch_id.check_access("read")
        if self.touch_id.customer_id or self.touch_id.lead_id:
            raise UserError(self.env._("Somebody has said already who it was."))
        touches = self._find_same()
        company = self.touch_id.company_id
        partner = self.partner_id or self.lead_id.partner_id
        customer = self.env["coverage.customer"].search(
            [
                ("partner_id", "=", partner.commercial_partner_id.id),
                ("company_id", "=", company.id),
            ],
            limit=1,
        )
        if self.partner_id and not customer and not self.lead_id:
            raise UserError(
                self.env._(
                    "%(contact)s is no customer that you may see. Add it to the "
                    "customers, or choose a lead.",
                    contact=self.partner_id.display_name,
                )
            )
        self._keep_number()
        touches.write(
            {
                "customer_id": customer.id,
                "partner_id": partner.id,
                "lead_id": self.lead_id.id,
            }
        )
        for user, group in touches.grouped("user_id").items():
            group.is_counted = not user or touches._keeps_rhythm(user, customer)
        touches._settle()
        return {"type": "ir.actions.act_window_close"}

    def _find_same(self):
        """Return all unmatched contacts of this number in the company."""
        touch = self.touch_id.sudo()
        if not touch.number:
            return touch
        return touch.search(
            [
                ("company_id", "=", touch.company_id.id),
                ("number", "=", touch.number),
                ("customer_id", "=", False),
                ("lead_id", "=", False),
                ("partner_id", "=", False),
            ]
        )

    def _keep_number(self):
        record = self.partner_id or self.lead_id
        is_call = self.touch_id.channel == "call"
        if self.is_kept and is_call and not record.phone:
            record.phone = self.number
