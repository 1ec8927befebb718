from odoo import api, models


class CoverageDossierHandoffReport(models.AbstractModel):
    """Prints the dossier of customers that change hands, for who receives them."""

    _name = "report.crm_sales_coverage.coverage_dossier_handoff"
    _inherit = ["report.crm_sales_coverage.coverage_dossier_customer"]
    _description = "Dossier of a Handoff"

    @api.model
    def _get_report_values(self, docids, data=None):
        handoffs = self.env["coverage.handoff"].browse(docids).exists()
        handoffs.check_access("read")
        by_customer = {one.customer_id: one for one in handoffs if one.customer_id}
        return self._get_values(handoffs.customer_id, by_customer)
