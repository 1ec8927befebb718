from odoo import models


class CrmTeam(models.Model):
    """Teams keep what is known of their people, and assign leads in few queries."""

    _inherit = "crm.team"

    def unlink(self):
        """Let the memberships go first, so that their time in roles ends."""
        self.check_access("unlink")
        self.sudo().crm_team_member_all_ids.unlink()
        return super().unlink()

    def action_fill_in_from_sales(self):
        """Fill in what the people of these teams sell, where and to whom."""
        return self.crm_team_member_ids.action_fill_in_from_sales()

    def action_open_coverage_people(self):
        """Open the people of these teams: their roles, seniority and load."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_sales_coverage.crm_team_member_action"
        )
        domain = [("crm_team_id", "in", self.ids)]
        return {**action, "domain": domain, "context": {}}

    def _action_assign_leads(self, *args, **kwargs):
        """Look customers up once, however often Odoo changes their leads."""
        remembering = self.with_context(coverage_known={})
        return super(CrmTeam, remembering)._action_assign_leads(*args, **kwargs)
