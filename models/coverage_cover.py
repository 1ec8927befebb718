from odoo import api, models


class CoverageCover(models.AbstractModel):
    """Decides which role covers a customer or lead, by the rules of who covers whom."""

    _name = "coverage.cover"
    _description = "Who Covers Whom"

    @api.model
    def _cover_customers(self, customers):
        """Write role and rule of these customers, only where they differ."""

    @api.model
    def _cover_leads(self, leads):
        """Return ``{lead id: coverage.rule}``: the rule that holds for each lead."""
        return dict.fromkeys(leads.ids, self.env["coverage.rule"])
