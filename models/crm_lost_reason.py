from odoo import fields, models


class CrmLostReason(models.Model):
    _inherit = "crm.lost.reason"

    is_coverage_no_answer = fields.Boolean(
        string="Nobody Answered",
        help="A lead may only be closed for this reason after attempts on enough "
        "different days.",
    )
