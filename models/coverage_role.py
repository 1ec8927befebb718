from odoo import api, fields, models

SENIORITIES = [("junior", "Junior"), ("regular", "Regular"), ("senior", "Senior")]
RANKS = {code: rank for rank, (code, _label) in enumerate(SENIORITIES)}


class CoverageRole(models.Model):
    """A duty in the sales department: who works what, and how much at most.

    Held by members of sales teams (``crm.team.member.coverage_role_ids``); named by the
    rules of who covers whom, by stages and by handoffs. Shared by all companies.
    """

    _name = "coverage.role"
    _description = "Sales Role"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    color = fields.Integer()
    duty = fields.Char(
        required=True,
        translate=True,
        help="What people in this role are there for, in one sentence.",
    )
    is_nurturing = fields.Boolean(
        string="Nurtures",
        help="Prospects whose opportunity was lost return to this role.",
    )
    is_paperwork = fields.Boolean(
        string="Does Paperwork",
        help="Orders, invoices and shipping papers are theirs, not the sellers'.",
    )

    # how much at most
    max_a_count = fields.Integer(
        string="A Customers at Most", help="0: as many as customers in all."
    )
    max_customer_count = fields.Integer(
        string="Customers at Most",
        help="Nobody in this role gets more customers than this. 0: no limit.",
    )
    min_load = fields.Integer(string="Contacts a Month, From", default=20)
    max_load = fields.Integer(string="Contacts a Month, To", default=40)

    # norms
    norm_calls = fields.Integer(string="Calls a Day")
    norm_minutes = fields.Integer(string="Minutes of Talk a Day")
    norm_new_customers = fields.Integer(string="New Customers a Month")
    norm_woken_customers = fields.Integer(string="Woken Customers a Month")

    member_ids = fields.Many2many(
        "crm.team.member",
        "coverage_role_member_rel",
        "role_id",
        "member_id",
        string="People",
    )
    member_count = fields.Integer(compute="_compute_member_count")

    _name_unique = models.UniqueIndex(
        "(name)", "Another role has this name already. Choose another one."
    )
    _limits_not_negative = models.Constraint(
        "CHECK (max_a_count >= 0 AND max_customer_count >= 0 AND min_load >= 0 AND "
        "max_load >= min_load)",
        "Limits cannot be negative, and the contacts a month must rise from “from” to "
        "“to”. Use 0 for no limit.",
    )
    _norms_not_negative = models.Constraint(
        "CHECK (norm_calls >= 0 AND norm_minutes >= 0 AND norm_new_customers >= 0 AND "
        "norm_woken_customers >= 0)",
        "A norm cannot be negative. Use 0 for none.",
    )

    @api.depends("member_ids")
    def _compute_member_count(self):
        for role in self:
            role.member_count = len(role.member_ids)
