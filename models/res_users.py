from odoo import fields, models
from odoo.exceptions import RedirectWarning


class ResUsers(models.Model):
    """Nobody leaves while customers are his: somebody says first who takes them."""

    _inherit = "res.users"

    coverage_assisted_ids = fields.One2many(
        "crm.team.member",
        "coverage_assistant_id",
        string="Assists",
        help="The people whose paperwork this user does: their orders are open to him.",
    )

    def write(self, vals):
        result = super().write(vals)
        if vals.get("active") is False or "company_ids" in vals:
            self._check_leaves_nothing()
        return result

    def _check_leaves_nothing(self):
        """Refuse that owners leave; what runs as superuser leaves them to the leader.

        :raises RedirectWarning: leads to the dialog that hands all over
        """
        if self.env.su:
            return
        for user in self:
            count = len(self.env["coverage.leaver"]._find_left(user))
            if count:
                raise RedirectWarning(
                    self.env._(
                        "%(user)s owns %(count)s customers. Choose who takes them "
                        "first.",
                        user=user.name,
                        count=count,
                    ),
                    self.env["coverage.leaver"]._open(user),
                    self.env._("Choose Who Takes Them"),
                )
