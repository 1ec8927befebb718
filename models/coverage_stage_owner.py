from odoo import fields, models


class CoverageStageOwner(models.Model):
    """Who is accountable for a stage of the sales process in a team: its boss."""

    _name = "coverage.stage.owner"
    _inherit = ["mail.activity.mixin"]
    _description = "Stage Boss"
    _order = "team_id, stage_id, id"

    stage_id = fields.Many2one(
        "crm.stage", required=True, index=True, ondelete="cascade"
    )
    team_id = fields.Many2one(
        "crm.team",
        string="Sales Team",
        index=True,
        ondelete="cascade",
        help="Empty: all teams that have no boss of their own for this stage.",
    )
    user_id = fields.Many2one(
        "res.users",
        string="Stage Boss",
        required=True,
        index=True,
        domain="[('share', '=', False)]",
        help="Is told when leads stay too long in this stage.",
    )
    role_id = fields.Many2one(related="stage_id.coverage_role_id")

    _stage_team = models.UniqueIndex(
        "(stage_id, COALESCE(team_id, 0))",
        "This stage has a boss in this team already. Change that one instead.",
    )
