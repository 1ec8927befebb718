from odoo import api, models


class MailThread(models.AbstractModel):
    """Tells mail that a machine wrote from mail that a person wrote."""

    _inherit = "mail.thread"

    @api.model
    def _message_route_process(self, message, message_dict, routes):
        if self._is_automatic_mail(message):
            self = self.with_context(coverage_is_automatic=True)
        return super()._message_route_process(message, message_dict, routes)

    def _is_automatic_mail(self, message):
        """Return whether headers say that a machine answered (RFC 3834).

        :param message: the ``email.message.EmailMessage``
        """
        submitted = str(message.get("Auto-Submitted") or "no").strip().lower()
        return (
            not submitted.startswith("no")
            or message.get("X-Autoreply") is not None
            or message.get("X-Autorespond") is not None
            or str(message.get("Precedence") or "").strip().lower() == "auto_reply"
        )
