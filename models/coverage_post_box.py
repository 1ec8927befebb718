from odoo import api, fields, models
from odoo.tools.mail import email_normalize, email_normalize_all, html2plaintext

NOTE_LENGTH = 2_000


class CoveragePostBox(models.AbstractModel):
    """The address that sellers put into BCC of e-mails they write elsewhere.

    The mail becomes a note of the customer it was sent to; the ledger reads it there
    as it reads every mail. Mail to nobody known is kept for a person to match.
    """

    _name = "coverage.post.box"
    _description = "E-mails by BCC"

    @api.model
    @api.private  # called by the mail gateway only
    def message_new(self, msg_dict, custom_values=None):
        """Return the contact whose note the mail becomes, else an unmatched touch."""
        author = self._find_author(msg_dict)
        contacts = (
            self._find_recipients(msg_dict) if author else self._find_sender(msg_dict)
        )
        msg_dict["is_internal"] = True  # a note: nobody is mailed again
        if not contacts:
            return self._keep_unmatched(msg_dict, author)
        return contacts[:1]

    @api.private  # called by the mail gateway only
    def message_post(self, **_message):
        """Keep nothing more: an unmatched touch has no chatter."""
        return self.env["mail.message"]

    def _creation_subtype(self):
        return self.env["mail.message.subtype"]

    def _find_author(self, msg_dict):
        """Return the one of us who wrote the mail, if any."""
        email = email_normalize(msg_dict.get("email_from") or "")
        users = (
            self.env["res.users"]
            .sudo()
            .search(
                [("email_normalized", "=", email or "-"), ("share", "=", False)],
                limit=1,
            )
        )
        return users

    def _find_recipients(self, msg_dict):
        """Return the contacts among To and Cc that are not ours."""
        text = f"{msg_dict.get('to') or ''}, {msg_dict.get('cc') or ''}"
        return self._find_contacts(email_normalize_all(text))

    def _find_sender(self, msg_dict):
        return self._find_contacts(
            email_normalize_all(msg_dict.get("email_from") or "")
        )

    def _find_contacts(self, emails):
        contacts = (
            self.env["res.partner"]
            .sudo()
            .search(
                [("email_normalized", "in", emails), ("partner_share", "=", True)],
                order="is_company, id",
            )
        )
        return contacts

    def _keep_unmatched(self, msg_dict, author):
        """Note a mail whose customer nobody knows; the same mail once only."""
        touches = self.env["coverage.touch"].sudo()
        company = author.company_id or self.env.company
        known = touches._find_call(company, msg_dict.get("message_id"))
        return known or touches.create(
            {
                "company_id": company.id,
                "user_id": author.id,
                "date": msg_dict.get("date") or fields.Datetime.now(),
                "channel": "email",
                "direction": "out" if author else "in",
                "source": "email",
                "number": msg_dict.get("to" if author else "email_from"),
                "external_id": msg_dict.get("message_id"),
                "note": html2plaintext(str(msg_dict.get("body") or ""))[:NOTE_LENGTH],
            }
        )
