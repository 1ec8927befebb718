from odoo import api, fields, models


class CoverageStart(models.TransientModel):
    """The manager's checklist of the first day: what decides, what is known, the map.

    After install only facts and colours run; nothing is assigned, mailed or scheduled.
    """

    _name = "coverage.start"
    _description = "Start Checklist"

    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    coverage_revenue_source = fields.Selection(
        related="company_id.coverage_revenue_source", readonly=False
    )
    coverage_preset = fields.Selection(
        related="company_id.coverage_preset", readonly=False
    )
    document_count = fields.Integer(compute="_compute_known")
    customer_count = fields.Integer(compute="_compute_known")
    industry_count = fields.Integer(compute="_compute_known")
    size_count = fields.Integer(compute="_compute_known")
    rated_count = fields.Integer(compute="_compute_known")
    owned_count = fields.Integer(compute="_compute_known")
    refreshed = fields.Datetime(compute="_compute_refreshed")

    @api.depends("company_id", "coverage_revenue_source")
    def _compute_known(self):
        customers = self.env["coverage.customer"]
        for start in self:
            domain = [("company_id", "=", start.company_id.id)]
            start.customer_count = customers.search_count(domain)
            for name, extra in (
                ("document_count", [("order_count", ">", 0)]),
                ("industry_count", [("partner_id.industry_id", "!=", False)]),
                ("size_count", [("partner_id.coverage_employee_count", ">", 0)]),
                ("rated_count", [("segment_id", "!=", False)]),
                ("owned_count", [("user_id", "!=", False)]),
            ):
                start[name] = customers.search_count(domain + extra)

    @api.depends("company_id")
    def _compute_refreshed(self):
        for start in self:
            run = self.env["coverage.run"].search(
                [("company_id", "=", start.company_id.id), ("origin", "=", "job")],
                limit=1,
            )
            start.refreshed = run.date

    def action_refresh(self):
        """Rank and colour everybody anew, now, with a new A reference."""
        self.ensure_one()
        self.env["coverage.refresh"]._refresh_company(self.company_id)
        return self._reopen()

    def action_open_map(self):
        """Open the customers as coloured cards."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_sales_coverage.coverage_customer_action"
        )
        return {**action, "views": [(False, "kanban"), (False, "list"), (False, "form")]}

    def action_what_if(self):
        """Open the dialog that tries other rules."""
        return self.env["ir.actions.act_window"]._for_xml_id(
            "crm_sales_coverage.coverage_what_if_action"
        )

    def _reopen(self):
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "views": [(False, "form")],
            "target": "current",
        }
