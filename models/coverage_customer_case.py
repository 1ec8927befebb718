from odoo import fields, models


class CoverageCustomer(models.Model):
    """What happens to an A is looked back on, and talked about in a group meeting."""

    _inherit = "coverage.customer"

    case_review_ids = fields.One2many(
        "coverage.case.review", "customer_id", string="Case Reviews"
    )

    def action_plan_meeting(self):
        """Open the dialog that plans a group meeting about these customers.

        :raises AccessError: unless the user leads a team and may see them
        """
        self._check_leader()
        return self._open_dialog(
            "coverage.plan.meeting", self.env._("Plan a Group Meeting")
        )

    def _log_changes(self, before, names):
        """Ask for a case review where an A was won, woke up or lapsed."""
        result = super()._log_changes(before, names)
        if "lifecycle" in names:
            self.env["coverage.case.review"].sudo()._note_moves(
                self.sudo(), before, self.env.context.get("coverage_log") or {}
            )
        return result
