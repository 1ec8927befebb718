from odoo import api, fields, models
from odoo.fields import Domain

SHOWN = 5


class CoverageDayRisk(models.AbstractModel):
    """The customers and leads of My Day that leave their owner soon, and why."""

    _name = "coverage.day.risk"
    _description = "At Risk on My Day"

    def _get_at_risk(self, user):
        """Return who leaves first, and how many more there are.

        :return: dict of ``lines`` (``[{kind, id, name, badge, temperature, text,
            is_last}]``) and ``more_count`` (of customers)
        """
        customers = self.env["coverage.customer"]
        domain = self._get_at_risk_domain(user)
        order = "idle_date, potential desc, id"
        found = customers.search(domain, order=order, limit=SHOWN)
        count = len(found)
        if count == SHOWN:
            count = customers.search_count(domain)
        lines = self._tell_at_risk(found) + self._tell_leads_at_risk(user)
        lines.sort(key=lambda line: (line["date"], line["kind"], line["id"]))
        shown = lines[:SHOWN]
        told = sum(line["kind"] == "customer" for line in shown)
        return {"lines": shown, "more_count": max(0, count - told)}

    def _get_at_risk_domain(self, user):
        """Return the customers of a seller that leave soon."""
        return (
            Domain("user_id", "=", user.id)
            & Domain("company_id", "=", self.env.company.id)
            & Domain("idle_warning_level", ">", 0)
        )

    def _tell_at_risk(self, customers):
        """Return these customers as the screen shows them; not whom something keeps."""
        told = self.env["coverage.idle"]._tell_listed(
            self.env.company, customers, fields.Datetime.now()
        )
        return [
            {
                "kind": "customer",
                "id": one.id,
                "date": one.idle_date,
                "name": one.partner_id.sudo().display_name,
                "badge": one.badge,
                "temperature": one.temperature_code or "",
                "text": told[one.id][1],
                "is_last": told[one.id][0] <= 1,
            }
            for one in customers
            if told[one.id][0] is not None
        ]

    def _tell_leads_at_risk(self, user):
        """Return the leads of a seller that leave first, as the screen shows them."""
        leads = self.env["crm.lead"].search(
            [
                ("user_id", "=", user.id),
                ("company_id", "in", (False, self.env.company.id)),
                ("coverage_idle_date", "!=", False),
                ("won_status", "=", "pending"),
            ],
            order="coverage_idle_date, id",
            limit=SHOWN,
        )
        today = self.env.company._get_coverage_today(fields.Datetime.now())
        return [
            {
                "kind": "lead",
                "id": lead.id,
                "date": lead.coverage_idle_date,
                "name": lead.name,
                "badge": lead.segment_id.code or "",
                "temperature": "",
                "text": lead.coverage_idle_text,
                "is_last": (lead.coverage_idle_date - today).days <= 1,
            }
            for lead in leads
            if lead.coverage_idle_text
        ]

    @api.model
    def action_open_at_risk(self, user_id):
        """Open all customers of a seller that leave soon, the first of them first."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_sales_coverage.coverage_customer_action"
        )
        user = self.env["res.users"].browse(user_id)
        return {
            **action,
            "name": self.env._("At Risk of Leaving"),
            "domain": list(self._get_at_risk_domain(user)),
            "context": {},
        }
