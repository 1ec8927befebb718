from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .groups import MANAGER
from .opening import open_form


class CoverageChangeMove(models.AbstractModel):
    """One customer of a plan: out of it, to somebody else, or back afterwards."""

    _name = "coverage.change.move"
    _description = "Move of a Plan"

    second_text = fields.Char(compute="_compute_second_text", string="Second Best")
    cause = fields.Char(compute="_compute_cause", export_string_translation=False)

    @api.depends("reason")
    def _compute_second_text(self):
        words = self.env["coverage.assignment.words"]
        for change in self:
            change.second_text = words._tell_second(change.reason)

    @api.depends("reason")
    def _compute_cause(self):
        for change in self:
            change.cause = (change.reason or {}).get("cause") or False

    # === ACTION METHODS === #

    def action_take_out(self):
        """Leave these customers where they are; a plan made anew leaves them too."""
        self._decide("planned", "removed")
        return True

    def action_put_back(self):
        """Let these customers move as planned after all."""
        self._decide("removed", "planned")
        return True

    def action_choose_receiver(self):
        """Open the dialog that gives these customers to somebody else."""
        self._check_plan()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Who Gets It?"),
            "res_model": "coverage.choose.receiver",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_change_ids": self.ids},
        }

    def action_undo_move(self):
        """Give these customers back to their former owners, with what followed them.

        What somebody changed since stays, and is listed as such.
        """
        self._check_manager()
        moves = self.sudo().filtered(lambda one: one.state == "applied")
        for run, group in moves.grouped("run_id").items():
            run._undo_customers(group.customer_id)
        return True

    def action_open_customer(self):
        """Open the customer that changed."""
        self.ensure_one()
        return open_form("coverage.customer", self.customer_id.id)

    # === BUSINESS METHODS === #

    def _choose_receiver(self, user):
        """Give these customers to somebody whatever speaks against it.

        :raises UserError: when the person cannot own a customer at all
        """
        self._check_plan()
        for change in self.sudo():
            if not change.customer_id._may_be_owned_by(user):
                raise UserError(
                    self.env._(
                        "%(user)s does not work in %(company)s. Choose somebody else.",
                        user=user.name,
                        company=change.company_id.name,
                    )
                )
            if str(user.id) == change.old_value:
                raise UserError(
                    self.env._(
                        "%(user)s owns %(customer)s now. Take it out of the plan "
                        "instead.",
                        user=user.name,
                        customer=change.customer_id.display_name,
                    )
                )
            reason = {**change.reason, "is_forced": True, "second": None, "fits": []}
            change.write(
                {
                    "new_value": str(user.id),
                    "new_label": user.name,
                    "reason": reason,
                    "state": "planned",
                }
            )

    def _decide(self, former, state):
        """Move lines of a plan from one state to another."""
        self._check_plan()
        self.sudo().filtered(lambda one: one.state == former).state = state

    def _check_manager(self):
        self.check_access("read")
        if not self.env.su and not self.env.user.has_group(MANAGER):
            raise AccessError(self.env._("Only managers change a plan. Ask one."))

    def _check_plan(self):
        """Raise unless the user may change these lines, and their plan still waits."""
        self._check_manager()
        runs = self.sudo().run_id
        is_plan = all(run.kind == "assignment" for run in runs) and runs
        if not is_plan or any(run.state != "planned" for run in runs):
            raise UserError(
                self.env._("This plan is no longer open. Make a new one to change it.")
            )
