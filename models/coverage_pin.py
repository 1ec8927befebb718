from datetime import timedelta

from odoo import api, fields, models

from .coverage_cadence import SILENT
from .groups import MANAGER


class CoveragePin(models.AbstractModel):
    """Gives who quotes a customer a right to it, and tells when it is another's."""

    _name = "coverage.pin"
    _description = "Rights of Who Quotes"

    @api.model
    def _get_owners(self, pairs):
        """Return ``{(partner id, company id): owner}`` of the customers that have one.

        :param pairs: commercial partner and company ids
        """
        pairs = set(pairs)
        rows = (
            self.env["coverage.customer"]
            .sudo()
            .search_fetch(
                [
                    ("partner_id", "in", [partner_id for partner_id, _ in pairs]),
                    ("company_id", "in", [company_id for _, company_id in pairs]),
                    ("user_id.active", "=", True),
                ],
                ["partner_id", "company_id", "user_id"],
            )
        )
        return {(row.partner_id.id, row.company_id.id): row.user_id for row in rows}

    @api.model
    def _follow_quotations(self, orders, now):
        """Pin the customers of quotations just sent, and tell the owners of others.

        Managers, the superuser, imports and the web shop pin nobody.
        """
        if not self._is_seller_quoting():
            return
        served = self._get_served(self.env.user)
        for order, row in self._find_rows(orders).items():
            seller = self._get_seller(order, row, served)
            if not row.user_id or row.user_id == seller:
                self._pin(order, row, seller, now)
            elif row.user_id != self.env.user:
                self._tell(order, row)

    def _is_seller_quoting(self):
        user, context = self.env.user, self.env.context
        return not (
            self.env.su
            or user.share
            or context.get("import_file")
            or user.has_group(MANAGER)
        )

    def _find_rows(self, orders):
        """Return the customer of each order that has one."""
        rows = (
            self.env["coverage.customer"]
            .sudo()
            .search(
                [
                    ("partner_id", "in", orders.partner_id.commercial_partner_id.ids),
                    ("company_id", "in", orders.company_id.ids),
                ]
            )
        )
        by_key = {(row.partner_id, row.company_id): row for row in rows}
        keys = {
            order: (order.sudo().partner_id.commercial_partner_id, order.company_id)
            for order in orders
        }
        return {order: by_key[key] for order, key in keys.items() if key in by_key}

    def _get_seller(self, order, row, served):
        """Return whose quotation it is.

        The order's salesperson, where he sends it himself, has it sent by his
        assistant, or quotes a customer without owner; else who sends it.

        :param served: the sellers whose assistant the user is
        """
        user, seller = self.env.user, order.sudo().user_id
        if seller and (seller in user | served or not row.user_id):
            return seller
        return served if len(served) == 1 else user

    def _get_served(self, user):
        """Return the sellers whose assistant somebody is."""
        members = (
            self.env["crm.team.member"]
            .sudo()
            .search([("coverage_assistant_id", "=", user.id)])
        )
        return members.user_id

    def _pin(self, order, row, seller, now):
        """Give a customer without owner to who quoted it; protect it for a time."""
        company = row.company_id
        if not company.coverage_pin_days or not row._may_be_owned_by(seller):
            return
        today = company._get_coverage_today(now)
        until = today + timedelta(days=company.coverage_pin_days)
        vals = {}
        if not row.protected_until or row.protected_until < until:
            vals["protected_until"] = until
        if row.user_id != seller:
            vals["user_id"] = seller.id
        if vals:
            reason = {"code": "quoted", "name": order.name}
            row._log_owner(reason).write(vals)

    def _tell(self, order, row):
        """Tell both that somebody else's customer was quoted, once an order."""
        order = order.sudo()
        if order.is_coverage_told:
            return
        order.is_coverage_told = True
        words = {
            "seller": self.env.user.name,
            "customer": row.partner_id.display_name,
            "owner": row.user_id.name,
            "order": order.name,
        }
        _ = self.env._
        self.env.user._bus_send(
            "simple_notification",
            {
                "type": "warning",
                "title": _("%(owner)s's customer", **words),
                "message": _(
                    "%(customer)s stays %(owner)s's customer; %(owner)s is told of "
                    "%(order)s.",
                    **words,
                ),
            },
        )
        self._plan_look(order, row, words)

    def _plan_look(self, order, row, words):
        """Put the quotation on the owner's list, silently.

        On the order, where he may read it, else on the customer.
        """
        owner = row.user_id
        theirs = order.with_context(allowed_company_ids=order.company_id.ids)
        is_readable = theirs.with_user(owner).has_access("read")
        record = order if is_readable else row.partner_id
        lang = owner.lang or self.env.lang
        summary = self.with_context(lang=lang).env._(
            "%(seller)s quoted your customer %(customer)s: %(order)s", **words
        )
        self.env["mail.activity"].sudo().with_context(**SILENT).create(
            {
                "activity_type_id": self.env.ref("mail.mail_activity_data_todo").id,
                "res_model_id": self.env["ir.model"]._get_id(record._name),
                "res_id": record.id,
                "user_id": owner.id,
                "summary": summary,
                "date_deadline": fields.Date.context_today(self),
            }
        )
