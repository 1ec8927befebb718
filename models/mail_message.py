from odoo import api, models

from .coverage_sources import DOCUMENTS, MAILS


class MailMessage(models.Model):
    """E-mails and text messages are read by the ledger before the commit."""

    _inherit = "mail.message"

    @api.model_create_multi
    def create(self, vals_list):
        messages = super().create(vals_list)
        messages._queue_touches()
        return messages

    def _queue_touches(self):
        """Note which of these messages may be contacts; costs no query."""
        ids = [
            message.id
            for message in self
            if message.model in DOCUMENTS
            and message.message_type in MAILS
            and not message._is_plain_note()
        ]
        if ids:
            is_automatic = bool(self.env.context.get("coverage_is_automatic"))
            self.env["coverage.ledger"]._queue("mail", ids, is_automatic)

    def _is_plain_note(self):
        """Return whether this is an internal note that mentions nobody."""
        note = self.env["ir.model.data"]._xmlid_to_res_id("mail.mt_note")
        return (
            self.message_type == "comment"
            and self.subtype_id.id == note
            and not self.partner_ids
        )
