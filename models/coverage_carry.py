from collections import defaultdict

from odoo import fields, models
from odoo.tools import SQL

from .coverage_cadence import SILENT

QUIET = {
    "mail_auto_subscribe_no_notify": True,
    "coverage_skip_carry": True,
    "coverage_skip_guard": True,
}


class CoverageCarry(models.AbstractModel):
    """Carries along what belongs to a customer when its owner changes.

    The contacts, and the giver's open opportunities, quotations and activities in that
    company; nobody else's. In the same transaction, without a mail to anybody. What
    was carried is in the history, so that undoing the change finds it.
    """

    _name = "coverage.carry"
    _description = "What Follows an Owner"

    def _carry(self, customers, former):
        """Give the receivers what the former owners had of these customers.

        :param customers: rows whose owner is the new one already
        :param dict former: the owner before, by customer; without one nothing follows
        """
        if self.env.context.get("coverage_skip_carry"):
            return
        groups = defaultdict(customers.browse)
        for customer in customers:
            if giver := former.get(customer):
                groups[customer.company_id, giver, customer.user_id] += customer
        for (company, giver, receiver), group in groups.items():
            self._carry_group(company, giver, receiver, group)

    def _carry_group(self, company, giver, receiver, customers):
        """Carry along what one person had of these customers, to another or nobody."""
        owners = {one.partner_id.id: one for one in customers}
        found = {
            "res.partner": self._find_contacts(company, giver, owners),
            "crm.lead": self._find_leads(company, giver, owners),
            "sale.order": self._find_quotations(company, giver, owners),
        }
        for documents in found.values():
            self._log_carried(documents, giver, receiver, owners)
            self._reassign(documents, receiver)
        self._carry_activities(company, giver, receiver, customers)

    def _find_contacts(self, company, giver, owners):
        """Return people of these customers whose salesperson is the giver."""
        mirrored = self.env["res.partner"].browse(owners)._get_mirrored_coverage()
        ids = [one.id for one, row in mirrored.items() if row.company_id == company]
        return (
            self.env["res.partner"]
            .with_context(active_test=False)
            .search(
                [
                    ("commercial_partner_id", "in", ids),
                    ("id", "not in", ids),
                    ("user_id", "=", giver.id),
                ]
            )
        )

    def _find_leads(self, company, giver, owners):
        """Return the giver's open leads and opportunities with these customers."""
        return self.env["crm.lead"].search(
            [
                ("partner_id.commercial_partner_id", "in", list(owners)),
                ("user_id", "=", giver.id),
                ("won_status", "=", "pending"),
                ("company_id", "in", (company.id, False)),
            ]
        )

    def _find_quotations(self, company, giver, owners):
        """Return the giver's open quotations for these customers."""
        return self.env["sale.order"].search(
            [
                ("partner_id.commercial_partner_id", "in", list(owners)),
                ("user_id", "=", giver.id),
                ("state", "in", ("draft", "sent")),
                ("company_id", "=", company.id),
            ]
        )

    def _reassign(self, documents, receiver):
        """Write the new salesperson; nobody is mailed, and who follows learns it."""
        if not documents:
            return
        vals = {"user_id": receiver.id}
        if "team_id" in documents._fields and receiver.sale_team_id:
            vals["team_id"] = receiver.sale_team_id.id
        documents.with_context(**QUIET).write(vals)

    def _carry_activities(self, company, giver, receiver, customers):
        """Give the giver's open activities on these customers to who answers now."""
        rows = self.env.execute_query(
            self._query_activities(company, giver, customers.partner_id.ids)
        )
        by_user = defaultdict(list)
        owners = {one.partner_id.id: one for one in customers}
        for activity_id, partner_id in rows:
            user = receiver or owners[partner_id].accountable_user_id
            if user != giver:
                by_user[user.id].append(activity_id)
        activities = self.env["mail.activity"].with_context(**SILENT)
        for user_id, ids in by_user.items():
            activities.browse(ids).user_id = user_id

    def _query_activities(self, company, giver, partner_ids):
        """Select open activities of a person on customers, their leads and orders."""
        for name in ("mail.activity", "res.partner", "crm.lead", "sale.order"):
            self.env[name].flush_model()
        return SQL(
            """
            SELECT a.id, p.commercial_partner_id
              FROM mail_activity a
              LEFT JOIN crm_lead l ON a.res_model = 'crm.lead' AND l.id = a.res_id
              LEFT JOIN sale_order o ON a.res_model = 'sale.order' AND o.id = a.res_id
              JOIN res_partner p ON p.id = CASE a.res_model
                   WHEN 'res.partner' THEN a.res_id
                   WHEN 'crm.lead' THEN l.partner_id ELSE o.partner_id END
             WHERE a.active AND a.user_id = %(giver)s
               AND a.res_model IN ('res.partner', 'crm.lead', 'sale.order')
               AND p.commercial_partner_id IN %(partners)s
               AND COALESCE(l.company_id, o.company_id, %(company)s) = %(company)s
             ORDER BY a.id
            """,
            giver=giver.id,
            partners=tuple(partner_ids),
            company=company.id,
        )

    def _log_carried(self, documents, giver, receiver, owners):
        """Add documents that follow to the history, as changes of the same run."""
        log = self.env.context.get("coverage_log") or {}
        values = []
        for document in documents:
            partner = document
            if documents._name != "res.partner":
                partner = document.partner_id
            customer = owners[partner.commercial_partner_id.id]
            values.append(
                {
                    **customer._prepare_change_vals("user_id", giver, receiver, log),
                    "model": documents._name,
                    "res_id": document.id,
                    "reason": {"code": "followed", "name": document.display_name},
                    "date": log.get("date") or fields.Datetime.now(),
                }
            )
        self.env["coverage.change"].sudo().create(values)
