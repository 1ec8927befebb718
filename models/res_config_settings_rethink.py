from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    coverage_rethink = fields.Boolean(
        related="company_id.coverage_rethink", readonly=False
    )
    coverage_rethink_days = fields.Integer(
        related="company_id.coverage_rethink_days", readonly=False
    )
    coverage_rethink_result_days = fields.Integer(
        related="company_id.coverage_rethink_result_days", readonly=False
    )
