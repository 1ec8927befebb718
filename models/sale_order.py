from odoo import api, fields, models

from .groups import MANAGER

COVERAGE_FIELDS = {"state", "partner_id", "company_id", "date_order"}


class SaleOrder(models.Model):
    """Quotations and orders tell at once who is a customer and what it bought."""

    _name = "sale.order"
    _inherit = ["sale.order", "coverage.watched"]

    is_coverage_told = fields.Boolean(
        copy=False,
        export_string_translation=False,
        help="The owner knows that somebody else quoted the customer.",
    )

    @api.depends("company_id")
    def _compute_user_id(self):
        """Take the owner in the order's company before the contact's salesperson."""
        fresh = self.filtered(
            lambda order: order.partner_id and not (order._origin.id and order.user_id)
        )
        result = super()._compute_user_id()
        owners = fresh._get_coverage_owners()
        for order in fresh:
            order.user_id = owners.get(order, order.user_id)
        fresh._keep_my_quotations()
        return result

    def _keep_my_quotations(self):
        """Leave a quotation to the seller who writes it, and sees his own ones only.

        It could not be saved as the one of the customer's owner.
        """
        user = self.env.user
        if user.has_group("sales_team.group_sale_salesman") and not user.has_group(
            "sales_team.group_sale_salesman_all_leads"
        ):
            self.filtered("user_id").user_id = user

    @api.onchange("partner_id")
    def _onchange_partner_coverage(self):
        """Tell a seller at once that the customer is somebody else's."""
        owner = self._get_coverage_owners().get(self)
        user = self.env.user
        if not owner or owner == user or user.has_group(MANAGER):
            return None
        customer = self.partner_id.commercial_partner_id.name  # without address
        words = {"customer": customer, "owner": owner.name}
        return {
            "warning": {
                "type": "notification",
                "title": self.env._("%(owner)s's customer", **words),
                "message": self.env._(
                    "%(customer)s stays %(owner)s's customer, who is told when you "
                    "send a quotation. Ask for a handoff if it should be yours.",
                    **words,
                ),
            }
        }

    @api.model_create_multi
    def create(self, vals_list):
        orders = super().create(vals_list)
        orders._refresh_coverage(orders.partner_id)
        orders.filtered(lambda order: order.state == "sent")._follow_sending()
        return orders

    def write(self, vals):
        if COVERAGE_FIELDS.isdisjoint(vals):
            return super().write(vals)
        partners = self.partner_id
        result = super().write(vals)
        self._refresh_coverage(partners | self.partner_id)
        if vals.get("state") == "sent":
            self._follow_sending()
        return result

    def action_confirm(self):
        result = super().action_confirm()
        self.env["coverage.paperwork"]._queue(self)
        return result

    def _action_cancel(self):
        self.env["coverage.paperwork"]._withdraw(self)
        return super()._action_cancel()

    def _get_coverage_owners(self):
        """Return the owner of the customer by order, where it has one."""
        pins = self.env["coverage.pin"]
        keys = {
            order: (order.partner_id.commercial_partner_id.id, order.company_id.id)
            for order in self
            if order.partner_id
        }
        if not keys:
            return {}
        owners = pins._get_owners(keys.values())
        return {
            order: owners[key].with_env(self.env)
            for order, key in keys.items()
            if key in owners
        }

    def _follow_sending(self):
        """Pin the customers of quotations just sent, or tell their owners."""
        if self:
            now = fields.Datetime.now()
            self.env["coverage.pin"]._follow_quotations(self, now)

    def _refresh_coverage(self, partners):
        """Refresh the customers behind these partners in the orders' companies."""
        refresh = self.env["coverage.refresh"].sudo()
        for company in self.company_id:
            refresh._refresh_partners(company, partners)
        leads, commercial = self.env["crm.lead"], partners.sudo().commercial_partner_id
        leads._queue_heat("p.commercial_partner_id", commercial.ids)
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
