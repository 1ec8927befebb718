from odoo import models


class CrmLeadLost(models.TransientModel):
    """What a seller may not close alone becomes a request, with reason and note."""

    _inherit = "crm.lead.lost"

    def action_lost_reason_apply(self):
        self.ensure_one()
        last = self.env["coverage.guard"]._find_last_leads(self.lead_ids)
        if not last:
            return super().action_lost_reason_apply()
        leads = self.lead_ids.browse([lead.id for lead in last])
        leads._check_lost_reason(self.lost_reason_id)
        self.env["coverage.request"]._ask_lost(
            last, self.lost_reason_id, self.lost_feedback
        )
        self.lead_ids -= leads
        if self.lead_ids:
            super().action_lost_reason_apply()
        return self.env["coverage.ask"]._tell_asked()
