from odoo import fields, models

from .opening import open_form

STATES = [
    ("planned", "Planned"),
    ("covered", "Covered"),
    ("returned", "Returned"),
    ("kept", "Stays"),
]


class CoverageAbsenceLine(models.Model):
    """One customer of somebody who is away: who covers it, and what became of it."""

    _name = "coverage.absence.line"
    _description = "Covered Customer"
    _order = "absence_id, id"
    _rec_name = "customer_id"

    absence_id = fields.Many2one(
        "coverage.absence", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="absence_id.company_id", store=True)
    customer_id = fields.Many2one(
        "coverage.customer", required=True, index=True, ondelete="cascade"
    )
    customer_name = fields.Char(
        related="customer_id.display_name", string="Name", compute_sudo=True
    )
    cover_id = fields.Many2one("res.users", index="btree_not_null")
    state = fields.Selection(STATES, required=True, default="planned")
    kept_by_id = fields.Many2one(
        "res.users", string="Stays with", help="Who had it on the day of the return."
    )

    # what it had with its owner
    team_id = fields.Many2one("crm.team", ondelete="set null")
    protected_until = fields.Date()

    def action_open_customer(self):
        """Open the customer."""
        self.ensure_one()
        return open_form("coverage.customer", self.customer_id.id)

    def _keep(self, owner):
        """Note that a customer stays with whoever has it now."""
        self.write({"state": "kept", "kept_by_id": owner.id})

    def _get_restored(self, today):
        """Return team and right that the owner gets back with the customer."""
        until = self.protected_until
        return self.team_id.id, until if until and until >= today else False
