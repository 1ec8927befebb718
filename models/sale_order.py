from odoo import api, models

COVERAGE_FIELDS = {"state", "partner_id", "company_id", "date_order"}


class SaleOrder(models.Model):
    """Quotations and orders tell at once who is a customer and what it bought."""

    _inherit = "sale.order"

    @api.model_create_multi
    def create(self, vals_list):
        orders = super().create(vals_list)
        orders._refresh_coverage(orders.partner_id)
        return orders

    def write(self, vals):
        if COVERAGE_FIELDS.isdisjoint(vals):
            return super().write(vals)
        partners = self.partner_id
        result = super().write(vals)
        self._refresh_coverage(partners | self.partner_id)
        return result

    def _refresh_coverage(self, partners):
        """Refresh the customers behind these partners in the orders' companies."""
        refresh = self.env["coverage.refresh"].sudo()
        for company in self.company_id:
            refresh._refresh_partners(company, partners)
        self._queue_touches()

    def _queue_touches(self):
        """Tell the ledger of orders that one of us confirmed; an import does not."""
        user = self.env.user
        if (
            user.share
            or user._is_superuser()
            or self.env.context.get("coverage_skip_refresh")
        ):
            return
        if ids := self.filtered(lambda order: order.state == "sale").ids:
            self.env["coverage.ledger"]._queue("order", ids)
