from odoo import fields, models


class CrmTeamMember(models.Model):
    _inherit = "crm.team.member"

    coverage_capacity = fields.Integer(
        string="Contacts a Month",
        help="How many contacts this person can keep in 30 days. 0: as the company's "
        "settings say.",
    )

    _coverage_capacity_not_negative = models.Constraint(
        "CHECK (coverage_capacity >= 0)",
        "The contacts a month cannot be negative. Use 0 for the company's setting.",
    )
