from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    coverage_idle_date = fields.Date(related="company_id.coverage_idle_date")
    coverage_idle_observe_days = fields.Integer(
        related="company_id.coverage_idle_observe_days", readonly=False
    )
    coverage_idle_warning_1_days = fields.Integer(
        related="company_id.coverage_idle_warning_1_days", readonly=False
    )
    coverage_idle_warning_2_days = fields.Integer(
        related="company_id.coverage_idle_warning_2_days", readonly=False
    )
    coverage_idle_warning_3_days = fields.Integer(
        related="company_id.coverage_idle_warning_3_days", readonly=False
    )
    coverage_idle_prospect_days = fields.Integer(
        related="company_id.coverage_idle_prospect_days", readonly=False
    )
    coverage_idle_prospect_outcome = fields.Selection(
        related="company_id.coverage_idle_prospect_outcome", readonly=False
    )
    coverage_idle_lead_days = fields.Integer(
        related="company_id.coverage_idle_lead_days", readonly=False
    )
    coverage_idle_lead_outcome = fields.Selection(
        related="company_id.coverage_idle_lead_outcome", readonly=False
    )
