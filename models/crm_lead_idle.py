from odoo import api, fields, models


class CrmLead(models.Model):
    _inherit = "crm.lead"

    coverage_idle_date = fields.Date(
        string="Leaves on",
        readonly=True,
        copy=False,
        help="On this day its salesperson loses it, unless something happens before.",
    )
    coverage_idle_warning_date = fields.Date(
        string="Warned on", readonly=True, copy=False
    )
    coverage_idle_text = fields.Char(
        string="At Risk",
        compute="_compute_coverage_idle_text",
        help="When it leaves its salesperson, and why.",
    )

    _coverage_idle = models.Index(
        "(user_id, coverage_idle_date) WHERE coverage_idle_date IS NOT NULL"
    )

    @api.depends("coverage_idle_date", "user_id", "stage_id", "activity_ids")
    @api.depends_context("uid", "lang")
    def _compute_coverage_idle_text(self):
        """Say of leads whose owners are warned when they leave, by a decision of now.

        What happened since the night is known: such a lead says nothing more.
        """
        self.coverage_idle_text = False
        warned = self.filtered("coverage_idle_date")
        if warned:
            told = self.env["coverage.idle"]._tell_leads(warned, fields.Datetime.now())
            for lead in warned:
                lead.coverage_idle_text = told.get(lead._origin.id, False)
