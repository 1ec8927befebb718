from odoo import models


class CrmTeam(models.Model):
    _inherit = "crm.team"

    def _action_assign_leads(self, *args, **kwargs):
        """Look customers up once, however often Odoo changes their leads."""
        remembering = self.with_context(coverage_known={})
        return super(CrmTeam, remembering)._action_assign_leads(*args, **kwargs)
