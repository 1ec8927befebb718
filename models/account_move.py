from odoo import api, models

COVERAGE_FIELDS = {"state", "partner_id", "invoice_date"}


class AccountMove(models.Model):
    """Customer invoices make customers, and are revenue where the company says so."""

    _name = "account.move"
    _inherit = ["account.move", "coverage.watched"]

    @api.depends("company_id")
    def _compute_invoice_default_sale_person(self):
        """Take the owner in the invoice's company before the contact's salesperson."""
        fresh = self.filtered(
            lambda move: (
                move.partner_id
                and not move.invoice_user_id
                and move.is_sale_document(include_receipts=True)
            )
        )
        keys = {
            move: (move.partner_id.commercial_partner_id.id, move.company_id.id)
            for move in fresh
        }
        if keys:
            owners = self.env["coverage.pin"]._get_owners(keys.values())
            for move, key in keys.items():
                move.invoice_user_id = owners.get(key, move.invoice_user_id)
        return super()._compute_invoice_default_sale_person()

    @api.model_create_multi
    def create(self, vals_list):
        moves = super().create(vals_list)
        moves._refresh_coverage(moves.commercial_partner_id)
        return moves

    def write(self, vals):
        if COVERAGE_FIELDS.isdisjoint(vals):
            return super().write(vals)
        partners = self.commercial_partner_id
        result = super().write(vals)
        self._refresh_coverage(partners | self.commercial_partner_id)
        return result

    def _refresh_coverage(self, partners):
        """Refresh the customers of these invoices, per company."""
        invoices = self.filtered(
            lambda move: move.move_type in ("out_invoice", "out_refund")
        )
        refresh = self.env["coverage.refresh"].sudo()
        for company in invoices.company_id:
            refresh._refresh_partners(company, partners)
