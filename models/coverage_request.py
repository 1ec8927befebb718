from odoo import fields, models

KINDS = [
    ("archive", "Archive the customer"),
    ("lost", "Give up the last opportunity"),
    ("release", "Give the customer up"),
]


class CoverageRequest(models.Model):
    """What a seller may not do alone: dropping a customer. The leader decides.

    Asked with the reason, decided in one click; what was granted is done at once.
    """

    _name = "coverage.request"
    _description = "Request to the Leader"
    _order = "id desc"
    _check_company_auto = True

    kind = fields.Selection(KINDS, required=True)
    customer_id = fields.Many2one(
        "coverage.customer",
        required=True,
        index=True,
        ondelete="cascade",
        check_company=True,
    )
    lead_id = fields.Many2one(
        "crm.lead", string="Opportunity", index="btree_not_null", ondelete="cascade"
    )
    company_id = fields.Many2one(related="customer_id.company_id", store=True)
    user_id = fields.Many2one(
        "res.users",
        string="Asked by",
        required=True,
        default=lambda self: self.env.user,
    )
    reason = fields.Char(required=True)
    values = fields.Json(help="What is done when it is granted.")
    state = fields.Selection(
        [("open", "Open"), ("granted", "Granted"), ("declined", "Declined")],
        required=True,
        default="open",
        readonly=True,
        index=True,
    )
    decided_user_id = fields.Many2one("res.users", string="Decided by", readonly=True)
    decided_date = fields.Datetime(readonly=True)

    _one_open = models.UniqueIndex(
        "(kind, customer_id, COALESCE(lead_id, 0)) WHERE state = 'open'",
        "The leader has been asked already.",
    )
