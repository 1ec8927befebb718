from odoo import api, fields, models

from .res_company import PRESETS


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    coverage_revenue_source = fields.Selection(
        related="company_id.coverage_revenue_source", readonly=False
    )
    coverage_preset = fields.Selection(
        related="company_id.coverage_preset", readonly=False
    )
    coverage_lookback_years = fields.Integer(
        related="company_id.coverage_lookback_years", readonly=False
    )
    coverage_leader_rate = fields.Float(
        related="company_id.coverage_leader_rate", readonly=False
    )
    coverage_use_lookalike = fields.Boolean(
        related="company_id.coverage_use_lookalike", readonly=False
    )
    coverage_new_orders = fields.Integer(
        related="company_id.coverage_new_orders", readonly=False
    )
    coverage_sleeping_days = fields.Integer(
        related="company_id.coverage_sleeping_days", readonly=False
    )
    coverage_stay_days = fields.Integer(
        related="company_id.coverage_stay_days", readonly=False
    )
    coverage_hysteresis_rate = fields.Float(
        related="company_id.coverage_hysteresis_rate", readonly=False
    )
    coverage_unproven_days = fields.Integer(
        related="company_id.coverage_unproven_days", readonly=False
    )
    coverage_two_way_seconds = fields.Integer(
        related="company_id.coverage_two_way_seconds", readonly=False
    )
    coverage_order_is_contact = fields.Boolean(
        related="company_id.coverage_order_is_contact", readonly=False
    )
    coverage_lead_days = fields.Integer(
        related="company_id.coverage_lead_days", readonly=False
    )
    coverage_retry_days = fields.Integer(
        related="company_id.coverage_retry_days", readonly=False
    )
    coverage_max_attempts = fields.Integer(
        related="company_id.coverage_max_attempts", readonly=False
    )
    coverage_snooze_days = fields.Integer(
        related="company_id.coverage_snooze_days", readonly=False
    )
    coverage_day_norm = fields.Integer(
        related="company_id.coverage_day_norm", readonly=False
    )
    coverage_norm_calls = fields.Integer(
        related="company_id.coverage_norm_calls", readonly=False
    )
    coverage_norm_contacts = fields.Integer(
        related="company_id.coverage_norm_contacts", readonly=False
    )
    coverage_norm_minutes = fields.Integer(
        related="company_id.coverage_norm_minutes", readonly=False
    )
    coverage_capacity = fields.Integer(
        related="company_id.coverage_capacity", readonly=False
    )
    coverage_pin_days = fields.Integer(
        related="company_id.coverage_pin_days", readonly=False
    )
    coverage_claim_days = fields.Integer(
        related="company_id.coverage_claim_days", readonly=False
    )
    coverage_guard_owner = fields.Boolean(
        related="company_id.coverage_guard_owner", readonly=False
    )
    coverage_guard_drop = fields.Boolean(
        related="company_id.coverage_guard_drop", readonly=False
    )
    coverage_assign_moves = fields.Integer(
        related="company_id.coverage_assign_moves", readonly=False
    )
    coverage_assign_giver_moves = fields.Integer(
        related="company_id.coverage_assign_giver_moves", readonly=False
    )
    coverage_assign_revenue_rate = fields.Float(
        related="company_id.coverage_assign_revenue_rate", readonly=False
    )
    coverage_assign_giver_revenue_rate = fields.Float(
        related="company_id.coverage_assign_giver_revenue_rate", readonly=False
    )
    coverage_assign_team_rate = fields.Float(
        related="company_id.coverage_assign_team_rate", readonly=False
    )
    coverage_assign_automatic = fields.Boolean(
        related="company_id.coverage_assign_automatic", readonly=False
    )
    coverage_weight_seniority = fields.Integer(
        related="company_id.coverage_weight_seniority", readonly=False
    )
    coverage_weight_room = fields.Integer(
        related="company_id.coverage_weight_room", readonly=False
    )
    coverage_weight_language = fields.Integer(
        related="company_id.coverage_weight_language", readonly=False
    )
    coverage_weight_territory = fields.Integer(
        related="company_id.coverage_weight_territory", readonly=False
    )
    coverage_weight_industry = fields.Integer(
        related="company_id.coverage_weight_industry", readonly=False
    )
    coverage_weight_lines = fields.Integer(
        related="company_id.coverage_weight_lines", readonly=False
    )
    coverage_weight_team = fields.Integer(
        related="company_id.coverage_weight_team", readonly=False
    )
    coverage_weight_relation = fields.Integer(
        related="company_id.coverage_weight_relation", readonly=False
    )
    coverage_guard_pool = fields.Boolean(
        related="company_id.coverage_guard_pool", readonly=False
    )
    coverage_pool_offer_hours = fields.Integer(
        related="company_id.coverage_pool_offer_hours", readonly=False
    )
    coverage_post_box = fields.Char(
        string="Address for BCC", compute="_compute_coverage_post_box"
    )
    coverage_fallback_user_id = fields.Many2one(
        related="company_id.coverage_fallback_user_id", readonly=False
    )

    @api.depends("company_id")
    def _compute_coverage_post_box(self):
        """Show the whole address; empty while the company has no mail domain."""
        alias = self.env.ref(
            "crm_sales_coverage.mail_alias_contact", raise_if_not_found=False
        )
        has_domain = bool(alias and alias.sudo().alias_domain_id)
        self.coverage_post_box = has_domain and alias.sudo().alias_full_name

    @api.onchange("coverage_preset")
    def _onchange_coverage_preset(self):
        if self.coverage_preset != self.company_id.coverage_preset:
            self.update(PRESETS.get(self.coverage_preset, {}))
