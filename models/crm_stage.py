from odoo import api, fields, models
from odoo.tools import ormcache


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
        "coverage.stage.owner",
        "stage_id",
        string="Stage Bosses",
        help="Who is accountable for what stays in this stage, and is told when it "
        "stays too long.",
    )
    coverage_boss_ids = fields.Many2many(
        "res.users", string="Bosses", compute="_compute_coverage_boss_ids"
    )

    @api.depends("coverage_owner_ids.user_id")
    def _compute_coverage_boss_ids(self):
        for stage in self:
            stage.coverage_boss_ids = stage.coverage_owner_ids.user_id

    def write(self, vals):
        if "coverage_role_id" in vals:
            self.env.registry.clear_cache()
        return super().write(vals)

    @api.model
    @ormcache()
    def _get_paperwork_ids(self):
        """Return the ids of the stages that roles of paperwork work; hardly ever any.

        Every lead that moves asks.
        """
        domain = [("coverage_role_id.is_paperwork", "=", True)]
        return frozenset(self.sudo().search(domain).ids)

    @api.model
    def _open_coverage_leads(self, name, domain, context=None):
        """Return the action that lists some opportunities under a name."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm.crm_lead_opportunities"
        )
        views = (
            ("list", "crm.crm_case_tree_view_oppor"),
            ("kanban", "crm.crm_case_kanban_view_leads"),
            ("form", "crm.crm_lead_view_form"),
        )
        return {
            **action,
            "name": name,
            "display_name": name,
            "views": [(self.env.ref(view).id, mode) for mode, view in views],
            "domain": domain,
            "context": {"default_type": "opportunity", **(context or {})},
        }
