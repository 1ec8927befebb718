from odoo import api, models

from .coverage_ledger import DOCUMENTS, MAILS


class MailMessage(models.Model):
    """Done activities and e-mails are read by the ledger before the commit."""

    _inherit = "mail.message"

    @api.model_create_multi
    def create(self, vals_list):
        messages = super().create(vals_list)
        if not self.env.context.get("coverage_no_touch"):
            messages._queue_touches()
        return messages

    def _queue_touches(self):
        """Note which of these messages may be contacts; costs no query."""
        ids = [
            message.id
            for message in self
            if message.model in DOCUMENTS
            and (message.message_type in MAILS or message.mail_activity_type_id)
        ]
        if ids:
            self.env["coverage.ledger"]._queue(
                "message", ids, bool(self.env.context.get("coverage_is_automatic"))
            )
