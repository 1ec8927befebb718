from odoo import fields, models
from odoo.exceptions import UserError


class CoverageRelease(models.TransientModel):
    """Puts customers into the pool, as the leader: nobody owns them, and why."""

    _name = "coverage.release"
    _description = "Put into the Pool"

    customer_ids = fields.Many2many("coverage.customer", string="Customers")
    reason = fields.Char(required=True)

    def action_release(self):
        """Take the owners away; contacts, open deals and activities go along.

        :raises UserError: without a reason, or where nobody has an owner to lose
        """
        self.ensure_one()
        self.customer_ids._check_leads_them()
        reason = (self.reason or "").strip()
        if not reason:
            raise UserError(self.env._("Say why: whoever takes it next reads it."))
        owned = self.customer_ids.filtered("user_id")
        if not owned:
            raise UserError(
                self.env._("None of these has an owner: they are in the pool already.")
            )
        rows = self.env["coverage.guard"]._enter(owned)
        rows._log_owner({"code": "released", "text": reason}).write({"user_id": False})
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "Put into the pool: %(count)s. Their team's sellers are offered "
                    "them now.",
                    count=len(owned),
                ),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }
