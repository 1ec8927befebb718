from odoo import models


class MailActivity(models.Model):
    """What a meeting decided is done when its activity is."""

    _inherit = "mail.activity"

    def _action_done(self, feedback=False, attachment_ids=None):
        decided = self.filtered(
            lambda one: one.res_model == "coverage.meeting.decision"
        )
        ids = decided.mapped("res_id")
        result = super()._action_done(feedback=feedback, attachment_ids=attachment_ids)
        if ids:
            self.env["coverage.meeting.decision"].browse(ids)._note_done()
        return result
