from odoo import api, fields, models

from ..models.res_company import PRESETS

COMPANIES = [("partner_id.is_company", "=", True)]


class CoverageStart(models.TransientModel):
    """The manager's checklist of the first day: what decides, what is known, the map.

    After install only facts and colours run; nothing is assigned, mailed or scheduled.
    """

    _name = "coverage.start"
    _description = "Start Checklist"

    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")

    # what decides
    coverage_revenue_source = fields.Selection(
        selection=lambda self: self._get_choices("coverage_revenue_source"),
        compute="_compute_settings",
        inverse="_inverse_revenue_source",
    )
    coverage_preset = fields.Selection(
        selection=lambda self: self._get_choices("coverage_preset"),
        compute="_compute_settings",
        inverse="_inverse_preset",
    )

    # what is known
    document_count = fields.Integer(compute="_compute_known")
    customer_count = fields.Integer(compute="_compute_known")
    industry_count = fields.Integer(compute="_compute_known")
    size_count = fields.Integer(compute="_compute_known")
    rated_count = fields.Integer(compute="_compute_known")
    owned_count = fields.Integer(compute="_compute_known")
    company_count = fields.Integer(compute="_compute_known")
    refreshed = fields.Datetime(compute="_compute_reference")
    reference_amount = fields.Monetary(compute="_compute_reference")
    reference_leader_count = fields.Integer(compute="_compute_reference")

    # who keeps in touch
    is_rhythm_active = fields.Boolean(compute="_compute_is_rhythm_active")

    # who covers whom, and how customers change hands
    rule_count = fields.Integer(compute="_compute_covered")
    member_count = fields.Integer(compute="_compute_covered")
    cast_count = fields.Integer(compute="_compute_covered")
    policy_count = fields.Integer(compute="_compute_covered")
    is_handoff_active = fields.Boolean(compute="_compute_is_rhythm_active")

    # what is neglected
    is_idle_active = fields.Boolean(compute="_compute_is_idle_active")
    is_idle_observed = fields.Boolean(compute="_compute_is_idle_active")

    @api.depends("company_id")
    def _compute_display_name(self):
        for start in self:
            start.display_name = self.env._("Start Checklist")

    @api.depends("company_id")
    def _compute_settings(self):
        for start in self:
            company = start.company_id.sudo()
            start.coverage_revenue_source = company.coverage_revenue_source
            start.coverage_preset = company.coverage_preset

    def _inverse_revenue_source(self):
        for start in self:
            source = start.coverage_revenue_source
            start._write_company({"coverage_revenue_source": source})

    def _inverse_preset(self):
        for start in self:
            preset = start.coverage_preset
            if preset != start.company_id.sudo().coverage_preset:
                start._write_company(
                    {"coverage_preset": preset, **PRESETS.get(preset, {})}
                )

    @api.depends("company_id", "coverage_revenue_source")
    def _compute_known(self):
        customers = self.env["coverage.customer"]
        for start in self:
            domain = [("company_id", "=", start.company_id.id)]
            start.customer_count = customers.search_count(domain)
            for name, extra in (
                ("document_count", [("order_count", ">", 0)]),
                ("company_count", COMPANIES),
                (
                    "industry_count",
                    [*COMPANIES, ("partner_id.industry_id", "!=", False)],
                ),
                (
                    "size_count",
                    [*COMPANIES, ("partner_id.coverage_employee_count", ">", 0)],
                ),
                ("rated_count", [("segment_id", "!=", False)]),
                ("owned_count", [("user_id", "!=", False)]),
            ):
                start[name] = customers.search_count(domain + extra)

    @api.depends("company_id")
    def _compute_reference(self):
        for start in self:
            run = self.env["coverage.run"].search(
                [
                    ("company_id", "=", start.company_id.id),
                    ("kind", "=", "refresh"),
                    ("origin", "=", "job"),
                ],
                limit=1,
            )
            start.refreshed = run.date
            reference = self.env["coverage.reference"]._get_latest(start.company_id)
            start.reference_amount = reference.amount
            start.reference_leader_count = reference.leader_count

    @api.depends("company_id")
    def _compute_is_rhythm_active(self):
        cron = self.env.ref("crm_sales_coverage.ir_cron_cadence").sudo()
        self.is_rhythm_active = cron.active
        cron = self.env.ref("crm_sales_coverage.ir_cron_handoff").sudo()
        self.is_handoff_active = cron.active

    @api.depends("company_id")
    def _compute_is_idle_active(self):
        cron = self.env.ref("crm_sales_coverage.ir_cron_idle").sudo()
        now = fields.Datetime.now()
        for start in self:
            company = start.company_id.sudo()
            is_on = cron.active and bool(company.coverage_idle_date)
            today = company._get_coverage_today(now)
            start.is_idle_active = is_on
            start.is_idle_observed = is_on and company._is_coverage_observed(today)

    @api.depends("company_id")
    def _compute_covered(self):
        """Count rules, team members, those of them with a role, and policies."""
        members = self.env["crm.team.member"].sudo()
        for start in self:
            here = ("crm_team_id.company_id", "in", (False, start.company_id.id))
            start.rule_count = self.env["coverage.rule"].search_count([])
            start.member_count = members.search_count([here])
            start.cast_count = members.search_count(
                [here, ("coverage_role_ids", "!=", False)]
            )
            start.policy_count = self.env["coverage.handoff.policy"].search_count(
                [("company_id", "in", (False, start.company_id.id))]
            )

    # === ACTION METHODS === #

    @api.model
    def action_start(self):
        """Open the checklist of the company one works in."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Start Checklist"),
            "res_model": self._name,
            "res_id": self.create({}).id,
            "views": [(False, "form")],
        }

    def action_refresh(self):
        """Rank and colour everybody anew, now, with a new A reference."""
        self.ensure_one()
        self.env["coverage.refresh"]._refresh_company(self.company_id)
        return True

    def action_open_map(self):
        """Open the customers as coloured cards."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_sales_coverage.coverage_customer_action"
        )
        return {
            **action,
            "views": [(False, "kanban"), (False, "list"), (False, "form")],
        }

    def action_what_if(self):
        """Open the dialog that tries other rules."""
        return self.env["ir.actions.act_window"]._for_xml_id(
            "crm_sales_coverage.coverage_what_if_action"
        )

    def action_preview_rhythm(self):
        """Open what the contact rhythm would ask of each seller."""
        return self.env["coverage.cadence.preview"].action_preview()

    def action_preview_idle(self):
        """Open whom neglect would cost whom."""
        return self.env["coverage.idle.preview"].action_preview()

    def action_preview_handoffs(self):
        """Open what the handoff policies would begin."""
        return self.env["coverage.handoff.preview"].action_preview()

    def action_open_rules(self):
        """Open the rules of who covers whom."""
        return self.env["ir.actions.act_window"]._for_xml_id(
            "crm_sales_coverage.coverage_rule_action"
        )

    def action_open_members(self):
        """Open the members of the sales teams, to give them their roles."""
        return self.env["ir.actions.act_window"]._for_xml_id(
            "crm_sales_coverage.crm_team_member_action"
        )

    def action_fill_in_from_sales(self):
        """Fill in, where nothing is said, what the members of sales teams know best."""
        here = ("crm_team_id.company_id", "in", (False, self.company_id.id))
        return self.env["crm.team.member"].search([here]).action_fill_in_from_sales()

    def action_open_without_industry(self):
        """Open the companies whose industry nobody has entered yet, to fill in."""
        return self._open_incomplete(
            self.env._("Customers Without Industry"), [("industry_id", "=", False)]
        )

    def action_open_without_size(self):
        """Open the companies whose size nobody has entered yet, to fill in."""
        return self._open_incomplete(
            self.env._("Customers Without Number of Employees"),
            [("coverage_employee_count", "in", (0, False))],
        )

    def _open_incomplete(self, name, domain):
        """Return the action that lists customers for filling in what is missing."""
        view = self.env.ref("crm_sales_coverage.res_partner_view_list_traits")
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": "res.partner",
            "views": [(view.id, "list"), (False, "form")],
            "domain": [
                ("coverage_id", "!=", False),
                ("is_company", "=", True),
                ("parent_id", "=", False),
                *domain,
            ],
        }

    def _write_company(self, vals):
        """Write settings of the company; managers of sales may not write companies."""
        self.company_id.check_access("read")
        self.company_id.sudo().write(vals)

    def _get_choices(self, name):
        """Return the choices of a company's setting as people read them."""
        return self.env["res.company"]._fields[name]._description_selection(self.env)
