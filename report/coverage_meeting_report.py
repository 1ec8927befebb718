from odoo import api, fields, models


class CoverageMeetingReport(models.AbstractModel):
    """Prints the agenda pack of group meetings, a page each."""

    _name = "report.crm_sales_coverage.coverage_meeting_print"
    _description = "Agenda Pack of a Group Meeting"

    @api.model
    def _get_report_values(self, docids, data=None):
        """Return what the template shows.

        :raises AccessError: for meetings that the user may not see
        """
        meetings = self.env["coverage.meeting"].browse(docids).exists()
        now = fields.Datetime.now()
        return {
            "doc_ids": meetings.ids,
            "doc_model": "coverage.meeting",
            "docs": meetings,
            "packs": [meeting._get_pack(now) for meeting in meetings],
        }
