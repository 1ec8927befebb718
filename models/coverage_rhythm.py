from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..core.cadence import DUE, ON_TIME, OVERDUE, PAUSED, contact_state, retry_on

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
    leave_alone_asked_until = fields.Date(string="Asked Until")
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
            today = company._get_coverage_today(now) if company else now.date()
            lead_days = company.sudo().coverage_lead_days
            for customer in customers:
                customer.contact_state = contact_state(
                    customer.next_contact_date,
                    customer.leave_alone_until,
                    lead_days,
                    today,
                )

    def _search_contact_state(self, operator, value):
        if operator != "in":
            return NotImplemented
        return Domain.OR(
            Domain("company_id", "=", company.id)
            & Domain.OR(self._get_state_domain(company, state) for state in value)
            for company in self.env["res.company"].sudo().search([])
        )

    @api.model
    def _get_state_domain(self, company, state):
        """Return the domain of one contact state in a company; False is unrated."""
        today = company._get_coverage_today(fields.Datetime.now())
        soon = today + timedelta(days=company.coverage_lead_days)
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

    def _field_to_sql(self, alias, field_expr, query=None):
        """Say the contact state in SQL, so that lists can group by it."""
        if field_expr != "contact_state":
            return super()._field_to_sql(alias, field_expr, query)
        company = self.env.company.sudo()
        today = company._get_coverage_today(fields.Datetime.now())
        day = SQL.identifier(alias, "next_contact_date")
        return SQL(
            """CASE WHEN %(day)s IS NULL THEN NULL
                    WHEN %(paused)s >= %(today)s THEN 'paused'
                    WHEN %(day)s < %(today)s THEN 'overdue'
                    WHEN %(day)s <= %(soon)s THEN 'due' ELSE 'on_time' END""",
            day=day,
            paused=SQL.identifier(alias, "leave_alone_until"),
            today=today,
            soon=today + timedelta(days=company.coverage_lead_days),
        )

    @api.depends("attempt_day_count")
    def _compute_is_unreachable(self):
        for customer in self:
            most = customer.company_id.sudo().coverage_max_attempts
            customer.is_unreachable = bool(most) and customer.attempt_day_count >= most

    def _search_is_unreachable(self, operator, value):
        if operator != "in":
            return NotImplemented
        return Domain.OR(
            Domain("company_id", "=", company.id)
            & Domain("attempt_day_count", ">=", company.coverage_max_attempts)
            for company in self.env["res.company"].sudo().search([])
        )

    @api.depends("last_attempt_date", "last_contact_date")
    def _compute_retry_date(self):
        for customer in self:
            customer.retry_date = retry_on(
                customer.last_attempt_date,
                customer.last_contact_date,
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
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Log Call"),
            "res_model": "coverage.log.touch",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_customer_id": self.id},
        }

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
            customer.snoozed_since = since
            customer._pause(until - timedelta(days=1))
        return True

    def action_ask_leave_alone(self):
        """Open the dialog that asks the leader to leave these customers alone."""
        return self._open_dialog(
            "coverage.leave.alone", self.env._("Leave alone until")
        )

    def action_grant_leave_alone(self):
        """Grant, as the leader, what the seller asked for."""
        self._check_leader()
        for customer in self.sudo().filtered("leave_alone_asked_until"):
            customer._pause(customer.leave_alone_asked_until)
            customer.leave_alone_asked_until = False
        return True

    def action_decline_leave_alone(self):
        """Decline, as the leader, what the seller asked for."""
        self._check_leader()
        self.sudo().write({"leave_alone_asked_until": False})
        return True

    def action_end_pause(self):
        """End the pause: the rhythm counts again from now."""
        self._check_seller()
        customers = self.sudo()
        customers.write({"leave_alone_until": False, "leave_alone_asked_until": False})
        self.env["coverage.refresh"].sudo()._refresh_customers(customers)
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
        if self.env.su or user.has_group(
            "crm_sales_coverage.group_coverage_team_leader"
        ):
            return
        if any(customer.user_id != user for customer in self):
            raise AccessError(
                self.env._("This customer is not yours. Ask its owner or your leader.")
            )

    def _get_snoozed_since(self, today):
        """Return the day from which the seller's own postponements are counted."""
        since, last = self.snoozed_since, self.last_contact_date
        if since and (not last or last < since):
            return since
        return max(today, self.next_contact_date or today)

    def _pause(self, until):
        """Leave these customers alone up to and with a day, and plan nothing."""
        self.write({"leave_alone_until": until})
        self.env["coverage.cadence"]._cancel_planned(self)
        self.env["coverage.refresh"]._refresh_customers(self)
