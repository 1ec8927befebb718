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
        """Return the contact, or lead, whose note the mail becomes.

        Else a touch that a person matches.
        """
        author = self._find_author(msg_dict)
        company = author.company_id or self.env.company
        told = "to", "cc"
        if not author:
            told = ("email_from",)
        emails = email_normalize_all(
            ", ".join(msg_dict.get(name) or "" for name in told)
        )
        msg_dict["is_internal"] = True  # a note: nobody is mailed again
        return (
            self._find_contact(emails, author, company)
            or self._find_lead(emails, company)
            or self._keep_unmatched(msg_dict, author, company)
        )

    @api.private  # called by the mail gateway only
    def message_post(self, **_message):
        """Keep nothing more: an unmatched touch has no chatter."""
        return self.env["mail.message"]

    def _creation_subtype(self):
        return self.env["mail.message.subtype"]

    def _find_author(self, msg_dict):
        """Return the one of us who wrote the mail, if any."""
        email = email_normalize(msg_dict.get("email_from") or "")
        return (
            self.env["res.users"]
            .sudo()
            .search(
                [("email_normalized", "=", email or "-"), ("share", "=", False)],
                limit=1,
            )
        )

    def _find_contact(self, emails, author, company):
        """Return the contact of one of these addresses that is not ours.

        Customers come first, the author's own before others'.
        """
        contacts = (
            self.env["res.partner"]
            .sudo()
            .search(
                [
                    ("email_normalized", "in", emails),
                    ("partner_share", "=", True),
                    ("company_id", "in", (False, company.id)),
                ],
                order="is_company, id",
            )
        )
        if len(contacts) < 2:
            return contacts
        customers = self.env["coverage.refresh"]._find_customers(
            company, contacts.commercial_partner_id.ids
        )
        owners = {row.partner_id: row.user_id for row in customers}
        return contacts.sorted(
            lambda one: (
                one.commercial_partner_id not in owners,
                owners.get(one.commercial_partner_id) != author,
            )
        )[:1]

    def _find_lead(self, emails, company):
        """Return the newest open lead of one of these addresses."""
        return (
            self.env["crm.lead"]
            .sudo()
            .search(
                [
                    ("email_normalized", "in", emails),
                    ("company_id", "in", (False, company.id)),
                    ("won_status", "=", "pending"),
                ],
                order="id desc",
                limit=1,
            )
        )

    def _keep_unmatched(self, msg_dict, author, company):
        """Note a mail whose customer nobody knows; the same mail once only."""
        touches = self.env["coverage.touch"].sudo()
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
