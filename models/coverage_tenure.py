from odoo import fields, models


class CoverageTenure(models.Model):
    """How long somebody holds or held a role in a team."""

    _name = "coverage.tenure"
    _description = "Time in a Role"
    _order = "date_from desc, id desc"

    member_id = fields.Many2one(
        "crm.team.member", required=True, index=True, ondelete="cascade"
    )
    role_id = fields.Many2one(
        "coverage.role", required=True, index=True, ondelete="cascade"
    )
    user_id = fields.Many2one(related="member_id.user_id", store=True, index=True)
    team_id = fields.Many2one(related="member_id.crm_team_id", store=True)
    date_from = fields.Date(required=True, default=fields.Date.context_today)
    date_to = fields.Date(help="Empty while it lasts.")
