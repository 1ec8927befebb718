from odoo import fields, models

from .coverage_customer import LIFECYCLES
from .coverage_role import SENIORITIES


class CoverageRule(models.Model):
    """Who covers whom: the first rule that matches a customer or lead names the role.

    Each condition that is left empty matches anything. Rules with a lead stage or an
    amount match leads only. The last rule has no condition: it catches all.
    """

    _name = "coverage.rule"
    _description = "Who Covers Whom"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)

    # conditions
    lifecycle = fields.Selection(LIFECYCLES)
    segment_ids = fields.Many2many("coverage.segment", string="Segments")
    temperature_ids = fields.Many2many("coverage.temperature", string="Temperatures")
    max_revenue_rate = fields.Float(
        string="Revenue at Most",
        help="Revenue of the last 12 months, as part of the best year: 50 % finds "
        "customers that fell by half. 0: any.",
    )
    stage_ids = fields.Many2many("crm.stage", string="Lead Stages")
    min_amount = fields.Monetary(
        string="Amount From", help="Expected revenue of the opportunity."
    )
    currency_id = fields.Many2one(
        "res.currency", default=lambda self: self.env.company.currency_id
    )
    categ_ids = fields.Many2many("product.category", string="Product Lines")
    team_ids = fields.Many2many("crm.team", string="Sales Teams")

    # outcome
    role_id = fields.Many2one(
        "coverage.role", required=True, index=True, ondelete="restrict"
    )
    min_seniority = fields.Selection(
        SENIORITIES, string="At Least", required=True, default="junior"
    )

    _rate_range = models.Constraint(
        "CHECK (max_revenue_rate BETWEEN 0 AND 1 AND min_amount >= 0)",
        "The revenue at most is from 0 % to 100 % of the best year, and the amount "
        "cannot be negative. Use 0 for any.",
    )
