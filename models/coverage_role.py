from odoo import api, fields, models
from odoo.exceptions import UserError

SENIORITIES = [("junior", "Junior"), ("regular", "Regular"), ("senior", "Senior")]
SHOWN = 5
RANKS = {code: rank for rank, (code, _label) in enumerate(SENIORITIES)}


class CoverageRole(models.Model):
    """A duty in the sales department: who works what, and how much at most.

    Held by members of sales teams (``crm.team.member.coverage_role_ids``); named by the
    rules of who covers whom, by stages and by handoffs. Shared by all companies.
    """

    _name = "coverage.role"
    _inherit = ["coverage.cached"]
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

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        roles = super().create(vals_list)
        if any("member_ids" in vals for vals in vals_list):
            roles.member_ids._keep_tenures(fields.Datetime.now())
        return roles

    def write(self, vals):
        if vals.get("active") is False:
            self._check_unused()
        if "member_ids" not in vals:
            return super().write(vals)
        members = self.member_ids
        result = super().write(vals)
        (members | self.member_ids)._keep_tenures(fields.Datetime.now())
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        """Refuse what would tear holes into rules, stages or anybody's history."""
        self._check_unused()
        held = self.env["coverage.tenure"].sudo().search([("role_id", "in", self.ids)])
        if held:
            raise UserError(
                self.env._(
                    "%(role)s cannot be deleted, because people held it: their time "
                    "in the role would be lost. Archive it instead.",
                    role=held[0].role_id.name,
                )
            )

    # === BUSINESS METHODS === #

    def _check_unused(self):
        """Refuse to let roles go that people, stages or rules need."""
        for role in self:
            names = role._get_users()
            if names:
                shown = names if len(names) <= SHOWN else [*names[:SHOWN], "…"]
                raise UserError(
                    self.env._(
                        "%(role)s is still needed by %(users)s. Give them another "
                        "role first.",
                        role=role.name,
                        users=", ".join(shown),
                    )
                )

    def _get_users(self):
        """Return the names of the people, stages and rules that need a role."""
        self.ensure_one()
        stages = self.env["crm.stage"].search([("coverage_role_id", "=", self.id)])
        rules = self.env["coverage.rule"].search([("role_id", "=", self.id)])
        return [
            *self.member_ids.user_id.mapped("name"),
            *stages.mapped("name"),
            *rules.mapped("name"),
        ]
