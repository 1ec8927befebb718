from odoo import api, fields, models

from .opening import open_form

CAUSES = [
    ("idle", "Idle"),
    ("unowned", "Without owner"),
    ("miscovered", "In the wrong role"),
    ("given", "Its owner gives all"),
]
CODES = [
    ("budget_run", "Revenue at risk of 30 days is spent"),
    ("budget_giver", "Revenue at risk of its owner is spent"),
    ("nobody", "Nobody may take it"),
    ("run_limit", "Moves of this run are used up"),
    ("giver_limit", "Moves of its owner are used up"),
    ("full", "Everybody who may take it is full"),
]


class CoverageStay(models.Model):
    """A customer that a plan could not place, and why: it stays where it is."""

    _name = "coverage.stay"
    _description = "Not Placed"
    _order = "potential desc, id"
    _rec_name = "customer_id"

    run_id = fields.Many2one(
        "coverage.run", required=True, index=True, ondelete="cascade"
    )
    customer_id = fields.Many2one(
        "coverage.customer", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="run_id.company_id", store=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    user_id = fields.Many2one(related="customer_id.user_id")
    cause = fields.Selection(CAUSES, required=True)
    code = fields.Selection(CODES, string="Stays Because", required=True)
    refusals = fields.Json(export_string_translation=False)
    text = fields.Char(compute="_compute_text", string="More")
    potential = fields.Monetary()
    revenue_12m = fields.Monetary(string="Revenue (12 months)")

    @api.depends("refusals")
    @api.depends_context("lang")
    def _compute_text(self):
        words = self.env["coverage.assignment.words"]
        for stay in self:
            stay.text = words._tell_refusals(stay.refusals or ())

    def action_open_customer(self):
        """Open the customer."""
        self.ensure_one()
        return open_form("coverage.customer", self.customer_id.id)

    @api.model
    def _count_by_code(self, run):
        """Return ``[{code, label, count}]`` of a run, the most frequent first."""
        labels = dict(self._fields["code"]._description_selection(self.env))
        groups = self._read_group([("run_id", "=", run.id)], ["code"], ["__count"])
        return [
            {"code": code, "label": labels[code], "count": count}
            for code, count in sorted(groups, key=lambda group: (-group[1], group[0]))
        ]
