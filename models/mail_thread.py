from odoo import api, models

from .coverage_sources import DOCUMENTS, MAILS

BULK = {"auto_reply", "bulk", "junk"}


class MailThread(models.AbstractModel):
    """Tells mail of machines from mail of people, and keeps followers few."""

    _inherit = "mail.thread"

    def message_subscribe(self, partner_ids=None, subtype_ids=None):
        """Add followers; none where we plan contacts and paperwork for somebody.

        Who follows is mailed of all that is said of the customer: hundreds of them.
        """
        if self.env.context.get("coverage_no_subscribe"):
            return True
        return super().message_subscribe(partner_ids, subtype_ids)

    def message_post(self, **kwargs):
        """Let the ledger read a message again, now that its recipients are known.

        Whatever writes to the database meanwhile may have made it read too early.
        """
        message = super().message_post(**kwargs)
        if self._name in DOCUMENTS and kwargs.get("message_type") in MAILS:
            message._queue_touches()
        return message

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
            or str(message.get("Return-Path") or "").strip() == "<>"
            or str(message.get("Precedence") or "").strip().lower() in BULK
        )
