from collections import defaultdict
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..core.cadence import DUE, ON_TIME, OVERDUE, PAUSED, contact_state, retry_on
from .groups import LEADER

STATES = [
    (ON_TIME, "On Time"),
    (DUE, "Due"),
    (OVERDUE, "Overdue"),
    (PAUSED, "Paused"),
]


class CoverageRhythm(models.AbstractModel):
    """The contact rhythm of a customer: when it was spoken to, and when it is due."""

    _name = "coverage.rhythm"
    _description = "Contact Rhythm of a Customer"

    # facts of the ledger
    last_contact_date = fields.Date(
        string="Last Contact", help="The last time the customer took part."
    )
    last_proven_date = fields.Date(
        string="Last Proven Contact",
        help="The last one that telephone, mail, calendar or an order shows.",
    )
    last_email_date = fields.Date(string="Last E-mail Sent")
    last_attempt_date = fields.Date(string="Last Attempt")
    attempt_day_count = fields.Integer(
        string="Attempts",
        aggregator="sum",
        help="Days on which the customer was tried since the last contact.",
    )

    # the rhythm
    next_contact_date = fields.Date(
        string="Next Contact",
        help="By this day the customer should be spoken to again.",
    )
    contact_state = fields.Selection(
        STATES,
        string="Contact",
        compute="_compute_contact_state",
        search="_search_contact_state",
    )
    rhythm_start_date = fields.Date(
        string="In the Rhythm Since",
        help="Day of the first contact, given when the rhythm was switched on.",
    )
    is_unreachable = fields.Boolean(
        string="Unreachable",
        compute="_compute_is_unreachable",
        search="_search_is_unreachable",
        help="Tried on enough different days without an answer: the leader decides.",
    )
    retry_since = fields.Date(
        string="Tried Again Since",
        help="The leader let the seller try again: older attempts count no more.",
    )

    # pauses
    leave_alone_until = fields.Date()
    snoozed_since = fields.Date(
        help="First day of the seller's own postponements since the last contact."
    )
    leave_alone_asked_until = fields.Date(string="Asked to Leave Alone Until")
    leave_alone_reason = fields.Char(string="Reason to Leave Alone")
    leave_alone_user_id = fields.Many2one("res.users", string="Asked by")

    touch_ids = fields.One2many("coverage.touch", "customer_id", string="Contacts")
    contact_counts = fields.Json(compute="_compute_contact_counts")
    retry_date = fields.Date(
        string="Try Again On",
        compute="_compute_retry_date",
        help="After an attempt without answer.",
    )

    @api.depends("next_contact_date", "leave_alone_until", "company_id")
    def _compute_contact_state(self):
        now = fields.Datetime.now()
        for company, customers in self.grouped("company_id").items():
            company = company.sudo()
            today = company._get_coverage_today(now) if company else now.date()
            for customer in customers:
                customer.contact_state = contact_state(
                    customer.next_contact_date or None,
                    customer.leave_alone_until or None,
                    company.coverage_lead_days,
                    today,
                )

    def _search_contact_state(self, operator, value):
        if operator != "in":
            return NotImplemented
        return Domain.OR(
            Domain("company_id", "in", company_ids)
            & Domain.OR(self._get_state_domain(today, soon, state) for state in value)
            for (today, soon), company_ids in self._get_days().items()
        )

    @api.model
    def _get_state_domain(self, today, soon, state):
        """Return the domain of one contact state; False is unrated.

        :param date soon: the last day that counts as due
        """
        paused = Domain("leave_alone_until", ">=", today)
        if not state:
            return Domain("next_contact_date", "=", False)
        if state == PAUSED:
            return paused & Domain("next_contact_date", "!=", False)
        due = {
            OVERDUE: Domain("next_contact_date", "<", today),
            DUE: Domain("next_contact_date", ">=", today)
            & Domain("next_contact_date", "<=", soon),
            ON_TIME: Domain("next_contact_date", ">", soon),
        }[state]
        return due & (Domain("leave_alone_until", "=", False) | ~paused)

    @api.model
    def _get_days(self):
        """Return ``{(today, last day that counts as due): company ids}``.

        Companies live in different time zones; at any moment there are few days.
        """
        now, days = fields.Datetime.now(), defaultdict(list)
        for company in self.env["res.company"].sudo().search([]):
            today = company._get_coverage_today(now)
            soon = today + timedelta(days=company.coverage_lead_days)
            days[today, soon].append(company.id)
        return days

    def _field_to_sql(self, alias, field_expr, query=None):
        """Say the contact state in SQL, so that lists can group by it."""
        if field_expr != "contact_state":
            return super()._field_to_sql(alias, field_expr, query)
        day, paused, company = (
            self._field_to_sql(alias, name, query)
            for name in ("next_contact_date", "leave_alone_until", "company_id")
        )
        states = SQL("NULL")
        for (today, soon), company_ids in self._get_days().items():
            states = SQL(
                """CASE WHEN %(company)s NOT IN %(company_ids)s THEN %(other)s
                        WHEN %(day)s IS NULL THEN NULL
                        WHEN %(paused)s >= %(today)s THEN 'paused'
                        WHEN %(day)s < %(today)s THEN 'overdue'
                        WHEN %(day)s <= %(soon)s THEN 'due' ELSE 'on_time' END""",
                company=company,
                company_ids=tuple(company_ids),
                other=states,
                day=day,
                paused=paused,
                today=today,
                soon=soon,
            )
        return states

    @api.depends("attempt_day_count")
    def _compute_is_unreachable(self):
        for customer in self:
            most = customer.company_id.sudo().coverage_max_attempts
            customer.is_unreachable = bool(most) and customer.attempt_day_count >= most

    def _search_is_unreachable(self, operator, value):
        if operator != "in":
            return NotImplemented
        companies = self.env["res.company"].sudo().search([])
        return Domain.OR(
            Domain("company_id", "in", group.ids)
            & Domain("attempt_day_count", ">=", most)
            for most, group in companies.grouped("coverage_max_attempts").items()
        )

    @api.depends("last_attempt_date", "last_contact_date")
    def _compute_retry_date(self):
        for customer in self:
            customer.retry_date = retry_on(
                customer.last_attempt_date or None,
                customer.last_contact_date or None,
                customer.company_id.sudo().coverage_retry_days,
            )

    def _compute_contact_counts(self):
        """Return contacts of the last 12 months by channel: count and two-way."""
        since = fields.Datetime.now() - timedelta(days=365)
        groups = self.env["coverage.touch"]._read_group(
            [("customer_id", "in", self.ids), ("date", ">", since)],
            ["customer_id", "channel", "is_two_way"],
            ["__count"],
        )
        labels = dict(
            self.env["coverage.touch"]
            ._fields["channel"]
            ._description_selection(self.env)
        )
        counts = {}
        for customer, channel, is_two_way, count in groups:
            line = counts.setdefault(customer.id, {}).setdefault(
                channel, {"count": 0, "two_way": 0}
            )
            line["count"] += count
            line["two_way"] += count if is_two_way else 0
        for customer in self:
            by_channel = counts.get(customer.id, {})
            customer.contact_counts = [
                {"channel": channel, "label": label, **by_channel[channel]}
                for channel, label in labels.items()
                if channel in by_channel
            ]

    # === ACTION METHODS === #

    def action_log_call(self):
        """Open the dialog that notes a contact with this customer."""
        self.ensure_one()
        return self.env["coverage.log.touch"]._open(default_customer_id=self.id)

    def action_log_quick(self, channel):
        """Note, with one tap, a visit or message in which the customer took part.

        The person is whom one speaks to here, the next step what the rhythm says.

        :return: id of the touch, so that it can be taken back
        :raises UserError: for another channel
        """
        self.ensure_one()
        self.check_access("read")
        if channel not in ("visit", "message"):
            raise UserError(self.env._("Only visits and messages take one tap."))
        day = self.env["coverage.day"]
        person = day._get_persons(self, day._get_last_touches(self))[self]
        touch = (
            self.env["coverage.touch"]
            .sudo()
            .create(
                {
                    "company_id": self.company_id.id,
                    "customer_id": self.id,
                    "partner_id": person.id,
                    "user_id": self.env.uid,
                    "channel": channel,
                    "is_two_way": True,
                    "source": "hand",
                }
            )
        )
        touch._settle()
        return touch.id

    def action_open_touches(self):
        """Open all contacts with these customers."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_sales_coverage.coverage_touch_action"
        )
        return {**action, "domain": [("customer_id", "in", self.ids)], "context": {}}

    def action_snooze(self, days):
        """Put off the next contact, as the seller may: by at most two weeks in all.

        :param int days: counted from today
        :raises UserError: beyond the company's limit; asks to ask the leader
        """
        self._check_seller()
        groups = defaultdict(self.sudo().browse)
        for customer in self.sudo():
            company = customer.company_id
            today = company._get_coverage_today(fields.Datetime.now())
            since = customer._get_snoozed_since(today)
            until = today + timedelta(days=max(1, int(days)))
            if (until - since).days > company.coverage_snooze_days:
                raise UserError(
                    self.env._(
                        "%(customer)s can be put off by %(days)s days at most. Ask "
                        "the team leader to leave it alone for longer.",
                        customer=customer.display_name,
                        days=company.coverage_snooze_days,
                    )
                )
            if not customer.leave_alone_until or customer.leave_alone_until < until:
                groups[since, until] += customer
        for (since, until), customers in groups.items():
            customers.snoozed_since = since
            customers._pause(until - timedelta(days=1), {"code": "snoozed"})
        return True

    def action_ask_leave_alone(self):
        """Open the dialog that asks the leader to leave these customers alone."""
        return self._open_dialog(
            "coverage.leave.alone", self.env._("Leave alone until")
        )

    def action_grant_leave_alone(self):
        """Grant, as the leader, what the seller asked for."""
        self._check_leader()
        asked = self.sudo().filtered("leave_alone_asked_until")
        for customer in asked:
            reason = {
                "code": "granted",
                "text": customer.leave_alone_reason,
                "by": customer.leave_alone_user_id.name,
            }
            customer._pause(customer.leave_alone_asked_until, reason)
            customer._log_pause(reason).leave_alone_asked_until = False
        return True

    def action_decline_leave_alone(self):
        """Decline, as the leader, what the seller asked for."""
        self._check_leader()
        self._log_pause({"code": "declined"}).leave_alone_asked_until = False
        return True

    def action_end_pause(self):
        """End the pause: the rhythm counts again from now."""
        self._check_seller()
        self._log_pause({"code": "ended"}).write(
            {"leave_alone_until": False, "leave_alone_asked_until": False}
        )
        self.env["coverage.refresh"].sudo()._refresh_customers(self.sudo())
        return True

    def action_try_again(self):
        """Let the seller, as the leader, go on trying an unreachable customer."""
        self._check_leader()
        for company, customers in self.sudo().grouped("company_id").items():
            customers.retry_since = company._get_coverage_today(fields.Datetime.now())
        self.env["coverage.refresh"].sudo()._refresh_customers(self.sudo())
        return True

    # === BUSINESS METHODS === #

    def _check_seller(self):
        """Raise unless these customers are the user's own, or of a team one leads."""
        self.check_access("read")
        user = self.env.user
        if self.env.su or user.has_group(LEADER):
            return
        if any(customer.user_id != user for customer in self):
            raise AccessError(
                self.env._("This customer is not yours. Ask its owner or your leader.")
            )

    def _ask_leave_alone(self, until, reason):
        """Ask the leader to leave these customers alone up to and with a day."""
        self._check_seller()
        self._log_pause({"code": "asked", "text": reason}).write(
            {
                "leave_alone_asked_until": until,
                "leave_alone_reason": reason,
                "leave_alone_user_id": self.env.uid,
            }
        )

    def _get_snoozed_since(self, today):
        """Return the first day of the postponements that count together.

        A contact, or a new owner, begins them anew.
        """
        since = self.snoozed_since
        if not since or since < max(
            self.last_contact_date or since, self.owned_since or since
        ):
            return today
        return since

    def _pause(self, until, reason=None):
        """Leave these customers alone up to and with a day, and plan nothing.

        :param dict reason: code and words that the history keeps
        """
        self._log_pause(reason).leave_alone_until = until
        self.env["coverage.cadence"]._cancel_planned(self)
        self.env["coverage.refresh"]._refresh_customers(self)

    def _log_pause(self, reason):
        """Return these customers, whose history keeps this reason of a pause."""
        names = ("leave_alone_until", "leave_alone_asked_until")
        reasons = {one.id: dict.fromkeys(names, reason) for one in self}
        return self.sudo().with_context(coverage_log={"reasons": reasons})
