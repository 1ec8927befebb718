import re
from datetime import UTC, datetime, timedelta

from psycopg2 import errors

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError, UserError

RESULTS = ("answered", "no_answer", "busy", "voicemail", "refused", "wrong_number")
LONGEST_CALL_SECONDS = 24 * 3600
CLOCK_SKEW = timedelta(minutes=10)
FIRST_YEAR = 2000
NUMBER = re.compile(r"[+\d\s()./-]{3,40}")


class CoverageTelephone(models.AbstractModel):
    """What telephone systems report: one documented method, safe to call twice."""

    _name = "coverage.telephone"
    _description = "Calls from a Telephone System"

    @api.model
    def log_call(
        self,
        number,
        direction,
        date,
        seconds,
        result=None,
        recording_url=None,
        external_id=None,
        user_login=None,
    ):
        """Note a call; the same ``external_id`` again returns the same touch.

        :param str number: the other side, national or international
        :param str direction: ``in`` or ``out``
        :param date: start, ISO 8601; UTC unless it has an offset
        :param int seconds: length of the talk
        :param str result: one of ``RESULTS``; when absent it follows from the seconds
        :param str user_login: whose call; another's needs the manager group
        :return: id of the ``coverage.touch``
        :raises UserError: for bad input, naming what is expected
        :raises AccessError: for another's login without the manager group
        """
        self.env["coverage.touch"].check_access("read")
        call = self._parse_call(number, direction, date, seconds, result, recording_url)
        touches, company = self.env["coverage.touch"].sudo(), self.env.company
        user = self._find_caller(user_login, company)
        touches._check_for_another(user)
        if external_id is not None:
            external_id = str(external_id).strip() or None
        known = touches._find_call(company, external_id)
        if known:
            return known.id
        match = touches._match_number(call["number"], user, company)
        customer = self.env["coverage.customer"].browse(match.get("customer_id"))
        vals = {
            **call,
            **match,
            "company_id": company.id,
            "user_id": user.id,
            "external_id": external_id,
            "is_counted": touches._keeps_rhythm(user, customer),
        }
        return touches._note_call(vals).id

    # === WHAT WAS SENT === #

    def _parse_call(self, number, direction, date, seconds, result, recording_url):
        """Return the values of a touch, or say what is wrong."""
        _ = self.env._
        if direction not in ("in", "out"):
            raise UserError(_("The direction must be “in” or “out”."))
        if result is not None and result not in RESULTS:
            raise UserError(
                _("The result must be one of: %(results)s.", results=", ".join(RESULTS))
            )
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise UserError(_("The seconds must be a number, such as 95."))
        if not 0 <= seconds <= LONGEST_CALL_SECONDS:
            raise UserError(_("The seconds must be from 0 to 86400."))
        if recording_url and not str(recording_url).startswith(("http://", "https://")):
            raise UserError(
                _("The recording must be a link that begins with https://.")
            )
        threshold = self.env.company.sudo().coverage_two_way_seconds
        is_talk = seconds >= threshold and seconds > 0
        result = result or ("answered" if is_talk else "no_answer")
        outcome = self.env["coverage.outcome"]._get_by_code(result)
        return {
            "number": self._parse_number(number),
            "direction": direction,
            "date": self._parse_start(date),
            "channel": "call",
            "source": "telephone",
            "minutes": round(seconds / 60, 1),
            "outcome_id": outcome.id,
            "is_two_way": is_talk and result in ("answered", "refused"),
            "recording_url": recording_url or False,
        }

    def _parse_number(self, number):
        """Return a telephone number in international form."""
        text = str(number or "").strip()
        if not NUMBER.fullmatch(text) or sum(one.isdigit() for one in text) < 3:
            raise UserError(
                self.env._(
                    "The number must be a telephone number, such as +32470123456."
                )
            )
        company = self.env.company.sudo()
        return company._phone_format(number=text, country=company.country_id) or text

    def _parse_start(self, date):
        """Return the start of a call as naive UTC; never in the future."""
        start = date
        if not isinstance(date, datetime):
            try:
                start = datetime.fromisoformat(str(date).strip())
            except ValueError:
                start = datetime.min
        if start.year < FIRST_YEAR:
            raise UserError(
                self.env._("The date must be in UTC, such as 2026-05-31 14:05:00.")
            )
        if start.tzinfo:
            start = start.astimezone(UTC).replace(tzinfo=None)
        if start > fields.Datetime.now() + CLOCK_SKEW:
            raise UserError(
                self.env._(
                    "The call would begin in the future (%(date)s UTC). Send the start "
                    "in UTC.",
                    date=fields.Datetime.to_string(start),
                )
            )
        return start.replace(microsecond=0)

    def _find_caller(self, login, company):
        """Return the seller of a login in a company; oneself without one."""
        if not login:
            return self.env.user
        user = self.env["res.users"].sudo().search([("login", "=", login)], limit=1)
        if not user or user.share or company not in user.company_ids:
            raise UserError(
                self.env._("Nobody here has the login “%(login)s”.", login=login)
            )
        return user.with_env(self.env)

    # === WHOM IT CONCERNS === #

    def _match_number(self, number, user, company):
        """Return customer, person and lead of a number, by the native sanitised phone.

        A number that belongs to several customers goes to the one that ``user`` owns;
        when that is not unique either, it is left to a person.
        """
        persons = self.env["res.partner"].search(
            [
                ("phone_sanitized", "=", number),
                ("company_id", "in", (False, company.id)),
            ],
            order="is_company, id",
        )
        rows = self.env["coverage.customer"].search(
            [
                ("partner_id", "in", persons.commercial_partner_id.ids),
                ("company_id", "=", company.id),
            ]
        )
        row = rows if len(rows) == 1 else rows.filtered(lambda one: one.user_id == user)
        row = row if len(row) == 1 else rows.browse()
        leads = self.env["crm.lead"].search(
            [
                ("phone_sanitized", "=", number),
                ("company_id", "in", (False, company.id)),
                ("won_status", "=", "pending"),
            ],
            order="id desc",
        )
        if rows and not row:
            return {}
        if row:
            persons = persons.filtered(
                lambda one: one.commercial_partner_id == row.partner_id
            )
            leads = leads.filtered(
                lambda one: (
                    not one.partner_id
                    or one.partner_id.commercial_partner_id == row.partner_id
                )
            )
        lead = self._choose_lead(leads, user)
        known = persons.commercial_partner_id | lead.partner_id.commercial_partner_id
        if not row and (len(known) > 1 or (leads and not lead)):
            return {}
        return {
            "customer_id": row.id or lead._get_coverage_customer(company).id,
            "partner_id": persons[:1].id or lead.partner_id.id,
            "lead_id": lead.id,
        }

    def _choose_lead(self, leads, user):
        """Return the newest of these leads, those of ``user`` first.

        None where they belong to different customers, or to nobody knows whom.
        """
        if own := leads.filtered(lambda lead: lead.user_id == user):
            return own[0]
        customers = {
            lead.partner_id.commercial_partner_id.id or -lead.id for lead in leads
        }
        return leads[:1] if len(customers) == 1 else leads.browse()

    def _find_call(self, company, external_id):
        """Return the touch of an external id, a withdrawn one too."""
        if not external_id:
            return self.browse()
        return self.with_context(active_test=False).search(
            [("company_id", "=", company.id), ("external_id", "=", external_id)],
            limit=1,
        )

    def _note_call(self, vals):
        """Create the touch, or prove the one that the seller noted meanwhile."""
        try:
            with self.env.cr.savepoint():
                if touch := self._find_twin(vals, ("hand", "activity")):
                    touch._prove(vals)
                else:
                    touch = self.create(vals)
        except errors.UniqueViolation as error:
            # Reported twice at the same moment: Odoo tries again, and finds it.
            raise ConcurrencyError(str(error)) from error
        touch._settle()
        return touch

    def _prove(self, vals):
        """Complete what the seller noted of a call with what the telephone knows."""
        kept = {"customer_id", "lead_id", "partner_id", "outcome_id", "is_counted"}
        self.write(
            {
                name: value
                for name, value in vals.items()
                if name not in kept or not self[name]
            }
        )
