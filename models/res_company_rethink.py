from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ResCompany(models.Model):
    _inherit = "res.company"

    coverage_rethink = fields.Boolean(
        string="Rethink Blue A Customers",
        default=True,
        help="An A customer that turns cool or frozen gives its owner a task: why it "
        "cooled, what changes, and by when. Those that are blue already are in the "
        "list of blue A customers.",
    )
    coverage_rethink_days = fields.Integer(
        string="Rethink Within (working days)",
        default=3,
        help="So many working days the owner has to answer.",
    )
    coverage_rethink_result_days = fields.Integer(
        string="Result of a Rethink After (days)",
        default=90,
        help="So many days after the leader confirmed it, revenue and temperature say "
        "what came of it.",
    )

    @api.constrains("coverage_rethink_days", "coverage_rethink_result_days")
    def _check_rethink_days(self):
        for company in self:
            if company.coverage_rethink_days < 1:
                raise ValidationError(
                    self.env._("Give owners at least 1 working day to rethink.")
                )
            if company.coverage_rethink_result_days < 1:
                raise ValidationError(
                    self.env._("The result of a rethink needs at least 1 day.")
                )
