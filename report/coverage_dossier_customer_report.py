from odoo import api, fields, models


class CoverageDossierCustomerReport(models.AbstractModel):
    """Prints the dossier of customers, with the handoff that waits or runs."""

    _name = "report.crm_sales_coverage.coverage_dossier_customer"
    _description = "Dossier of a Customer"

    @api.model
    def _get_report_values(self, docids, data=None):
        customers = self.env["coverage.customer"].browse(docids).exists()
        handoffs = {one: one.handoff_id for one in customers if one.handoff_id}
        return self._get_values(customers, handoffs)

    def _get_values(self, customers, handoffs):
        """Return what the template shows.

        :raises AccessError: for customers that the user may not read
        """
        now = fields.Datetime.now()
        dossiers = self.env["coverage.dossier"]._get_dossiers(customers, now, handoffs)
        return {
            "doc_ids": customers.ids,
            "doc_model": "coverage.customer",
            "docs": customers,
            "dossiers": dossiers,
        }
