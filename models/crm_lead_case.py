from odoo import fields, models


class CrmLead(models.Model):
    """An opportunity of an A that is won or lost is a case to look back on."""

    _inherit = "crm.lead"

    def _handle_won_lost(self, old_status_by_lead, new_status_by_lead):
        """Ask for a review of what is closed just now; not of what came closed."""
        result = super()._handle_won_lost(old_status_by_lead, new_status_by_lead)
        closed = self.filtered(
            lambda lead: (
                lead.id in old_status_by_lead
                and new_status_by_lead[lead.id] != old_status_by_lead[lead.id]
                and any(new_status_by_lead[lead.id].values())
            )
        )
        if any(lead.segment_id.code == "A" for lead in closed.sudo()):
            self.env["coverage.case.review"].sudo()._note_closed(
                closed, fields.Datetime.now()
            )
        return result
