from odoo import fields, models


class CrmStage(models.Model):
    """Which role works a stage, and who is accountable for it."""

    _inherit = "crm.stage"

    coverage_role_id = fields.Many2one(
        "coverage.role",
        string="Worked by",
        ondelete="restrict",
        index="btree_not_null",
        help="Leads that enter this stage are handed to somebody in this role.",
    )
    coverage_owner_ids = fields.One2many(
        "coverage.stage.owner", "stage_id", string="Stage Bosses"
    )
