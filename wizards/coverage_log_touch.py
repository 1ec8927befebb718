from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_date

from ..core.cadence import next_contact, retry_on, workday
from ..core.records import Contacts
from ..models.coverage_cadence import SILENT
from ..models.coverage_touch import CHANNELS, DIRECTIONS

LEAD_DAYS = 7
ACTIVITY_TYPES = {
    "call": "mail.mail_activity_data_call",
    "visit": "mail.mail_activity_data_meeting",
    "online": "mail.mail_activity_data_meeting",
    "email": "mail.mail_activity_data_email",
    "message": "mail.mail_activity_data_todo",
}


class CoverageLogTouch(models.TransientModel):
    """Notes a contact by hand: how it ended, with whom, what comes next.

    What was found out on the way goes straight into the fields it belongs to.
    """

    _name = "coverage.log.touch"
    _description = "Log Call"

    # with whom
    customer_id = fields.Many2one(
        "coverage.customer",
        compute="_compute_customer_id",
        compute_sudo=False,
        store=True,
        readonly=False,
    )
    lead_id = fields.Many2one("crm.lead")
    commercial_partner_id = fields.Many2one(
        "res.partner", compute="_compute_commercial_partner_id"
    )
    partner_id = fields.Many2one(
        "res.partner",
        string="Spoken To",
        compute="_compute_partner_id",
        store=True,
        readonly=False,
    )
    company_id = fields.Many2one(
        "res.company", compute="_compute_company_id", store=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    activity_id = fields.Many2one("mail.activity")

    # what happened
    channel = fields.Selection(CHANNELS, required=True, default="call")
    direction = fields.Selection(DIRECTIONS, required=True, default="out")
    outcome_id = fields.Many2one(
        "coverage.outcome",
        required=True,
        default=lambda self: self.env["coverage.outcome"].search([], limit=1),
    )
    is_two_way = fields.Boolean(related="outcome_id.is_two_way")
    is_refusal = fields.Boolean(related="outcome_id.is_refusal")
    refusal_reason_id = fields.Many2one("crm.lost.reason", string="Reason")
    minutes = fields.Float(digits=(8, 1))
    note = fields.Text()
    is_short = fields.Boolean(compute="_compute_is_short")

    # what comes next
    next_date = fields.Date(
        string="Next Step On",
        compute="_compute_next",
        store=True,
        readonly=False,
        help="Plans an activity. Empty: the rhythm of the segment says when.",
    )
    next_channel = fields.Selection(
        CHANNELS, string="By", compute="_compute_next", store=True, readonly=False
    )
    next_summary = fields.Char(
        string="What to Do", compute="_compute_next", store=True, readonly=False
    )
    rhythm_text = fields.Char(compute="_compute_rhythm_text")

    # what was found out on the way
    decision_maker = fields.Char(string="Decision Maker's Name")
    decision_maker_phone = fields.Char(string="Decision Maker's Mobile")
    person_phone = fields.Char(string="Mobile")
    industry_id = fields.Many2one(
        "res.partner.industry", compute="_compute_known", store=True, readonly=False
    )
    employee_count = fields.Integer(
        string="Employees", compute="_compute_known", store=True, readonly=False
    )
    potential = fields.Monetary(string="Potential (12 months)")
    potential_how = fields.Char(string="How It Was Found Out")

    @api.model
    def default_get(self, fields):
        """Add the customer of a contact that the dialog is opened on."""
        values = super().default_get(fields)
        if values.get("partner_id") and not {"customer_id", "lead_id"} & values.keys():
            person = self.env["res.partner"].browse(values["partner_id"])
            values["customer_id"] = self._find_customer(person, self.env.company).id
        return values

    @api.depends("lead_id")
    def _compute_customer_id(self):
        for log in self:
            if not log.customer_id and log.lead_id:
                company = log.lead_id._get_coverage_company(self.env.company)
                log.customer_id = self._find_customer(log.lead_id.partner_id, company)

    @api.depends("customer_id", "lead_id")
    def _compute_company_id(self):
        for log in self:
            company = log.customer_id.company_id
            if not company and log.lead_id:
                company = log.lead_id._get_coverage_company(self.env.company)
            log.company_id = company or self.env.company

    @api.depends("customer_id", "lead_id")
    def _compute_commercial_partner_id(self):
        for log in self:
            partner = log.customer_id.partner_id or log.lead_id.partner_id
            log.commercial_partner_id = partner.commercial_partner_id

    @api.depends("customer_id", "lead_id")
    def _compute_partner_id(self):
        day = self.env["coverage.day"]
        for log in self:
            if log.partner_id:
                continue
            log.partner_id = log.lead_id.partner_id
            if log.customer_id and not log.lead_id:
                last = day._get_last_touches(log.customer_id)
                log.partner_id = day._get_persons(log.customer_id, last)[
                    log.customer_id
                ]

    @api.depends("channel", "minutes", "outcome_id")
    def _compute_is_short(self):
        for log in self:
            seconds = log.company_id.sudo().coverage_two_way_seconds
            log.is_short = (
                log.channel == "call" and log.is_two_way and log.minutes * 60 < seconds
            )

    @api.depends("outcome_id", "lead_id", "customer_id")
    def _compute_next(self):
        for log in self:
            outcome, today = log.outcome_id, log._get_today()
            days = outcome.next_days
            if log.lead_id and not days and not outcome.is_refusal:
                retry = log.company_id.sudo().coverage_retry_days
                days = LEAD_DAYS if outcome.is_two_way else retry
            log.next_date = workday(today + timedelta(days=days)) if days else False
            log.next_channel = outcome.next_channel or "call"
            log.next_summary = outcome.next_summary

    @api.depends("customer_id", "outcome_id", "next_date", "channel", "minutes")
    def _compute_rhythm_text(self):
        for log in self:
            date = log._get_rhythm_date()
            log.rhythm_text = (
                self.env._(
                    "Without a day of your own: on %(date)s, as the rhythm says.",
                    date=format_date(self.env, date),
                )
                if date
                else False
            )

    @api.depends("customer_id", "lead_id")
    def _compute_known(self):
        for log in self:
            partner, lead = log.commercial_partner_id, log.lead_id
            log.industry_id = partner.industry_id or lead.coverage_industry_id
            log.employee_count = (
                partner.coverage_employee_count or lead.coverage_employee_count
            )

    # === ACTION METHODS === #

    @api.model
    def _open(self, **defaults):
        """Return the action that opens the dialog with these defaults."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Log Call"),
            "res_model": self._name,
            "views": [(False, "form")],
            "target": "new",
            "context": defaults,
        }

    def action_log(self):
        """Note the contact, close what it closes, and plan what comes next.

        :raises UserError: when the person or the reason of a refusal is missing, or
            what was found out may not be written; nothing is noted then
        """
        self.ensure_one()
        self._check_complete()
        self._write_found_out()
        touch = self._note()
        self._settle_activity(touch)
        touch._settle()
        infos = {"touch_id": touch.id, "message": self._tell_next()}
        return {"type": "ir.actions.act_window_close", "infos": infos}

    def _tell_next(self):
        """Return what comes next, as the seller reads it when the dialog is closed."""
        _, customer = self.env._, self.customer_id.sudo()
        today, retry = self._get_today(), customer.retry_date
        if self.next_date:
            date = format_date(self.env, self.next_date)
            return _("Noted. Next step on %(date)s.", date=date)
        if customer.is_unreachable:
            return _(
                "Noted. Tried on %(count)s days without an answer: now the team leader "
                "decides.",
                count=customer.attempt_day_count,
            )
        if retry and retry > today:
            date = format_date(self.env, retry)
            return _("Noted. Try again on %(date)s.", date=date)
        if customer.next_contact_date:
            date = format_date(self.env, customer.next_contact_date)
            return _("Noted. Next contact by %(date)s.", date=date)
        return _("Noted.")

    def _check_complete(self):
        _ = self.env._
        if not (self.customer_id or self.lead_id):
            raise UserError(
                _("This contact is no customer yet. Make a quotation or opportunity.")
            )
        (self.customer_id or self.lead_id).check_access("read")
        if self.is_two_way and not self.partner_id and not self.lead_id:
            raise UserError(_("Say whom you spoke to, or choose another outcome."))
        if self.is_refusal and not self.refusal_reason_id:
            raise UserError(_("Say why: the reasons of refusals are counted."))
        if self.lead_id and not self.next_date and not self.is_refusal:
            raise UserError(_("Say when the next step is: a lead needs one."))
        if self.next_date and self.next_date < self._get_today():
            raise UserError(_("The next step cannot lie in the past."))

    def _note(self):
        """Write the touch, or complete what telephone or calendar noted of it."""
        touches = self.env["coverage.touch"].sudo()
        vals = self._prepare_touch_vals()
        if twin := touches._find_twin(vals, ("telephone", "meeting")):
            told = ("partner_id", "outcome_id", "refusal_reason_id", "note")
            told += ("next_date", "next_summary")
            twin.write({name: vals[name] for name in told if vals[name]})
            return twin
        return touches.create(vals)

    def _prepare_touch_vals(self):
        return {
            "company_id": self.company_id.id,
            "customer_id": self._get_customer().id,
            "partner_id": self.partner_id.id,
            "lead_id": self.lead_id.id,
            "user_id": self.env.uid,
            "date": fields.Datetime.now(),
            "channel": self.channel,
            "direction": self.direction,
            "is_two_way": self.is_two_way and not self.is_short,
            "minutes": self.minutes,
            "outcome_id": self.outcome_id.id,
            "refusal_reason_id": self.refusal_reason_id.id,
            "note": self.note,
            "next_date": self.next_date or self._get_rhythm_date(),
            "next_summary": self.next_summary,
            "source": "hand",
        }

    def _find_customer(self, person, company):
        """Return the customer of a person, among those that the user may see."""
        return (
            self.env["coverage.customer"]
            .sudo(False)
            .search(
                [
                    ("partner_id", "in", person.commercial_partner_id.ids),
                    ("company_id", "=", company.id),
                ]
            )
        )

    def _get_customer(self):
        """Return the customer that was contacted: of a lead, also another's."""
        if self.customer_id or not self.lead_id:
            return self.customer_id
        return self.lead_id.sudo()._get_coverage_customer(self.company_id)

    def _settle_activity(self, touch):
        """Mark Odoo's activity done, and plan the next one.

        After an attempt a customer's activity stays open, and moves to the next try.
        """
        activity = self._get_activity()
        if activity and not touch.is_two_way and activity.res_model != "crm.lead":
            self._put_off(activity)
            return
        if activity:
            self._mark_done(activity, touch)
        if self.next_date:
            self._plan_next()

    def _get_activity(self):
        """Return the open activity that this contact answers, if there is one."""
        activity = self.activity_id.sudo().exists().filtered("active")
        if not activity and not self.lead_id:
            activity = self.env["coverage.cadence"]._find_open(self.customer_id)
        return activity

    def _put_off(self, activity):
        """Move an open activity to the next try: agreed, or as the settings say."""
        days = self.company_id.sudo().coverage_retry_days
        vals = {"date_deadline": workday(self._get_today() + timedelta(days=days))}
        if self.next_date:
            vals["date_deadline"] = self.next_date
        if self.next_summary:
            vals["summary"] = self.next_summary
        activity.with_context(**SILENT).write(vals)

    def _mark_done(self, activity, touch):
        """Mark an activity done, as whoever noted the contact; it is noted already."""
        feedback = self.note or self.outcome_id.name
        messages, _next = activity.with_context(coverage_no_touch=True)._action_done(
            feedback=feedback
        )
        activity.coverage_touch_id = touch
        touch.origin_id = messages[:1].id

    def _plan_next(self):
        """Plan the next step on the lead, else on the customer, for its owner."""
        record = self.lead_id or self.customer_id.partner_id
        owner = self.lead_id.user_id or self.customer_id.user_id or self.env.user
        kind = self.env.ref(ACTIVITY_TYPES[self.next_channel or "call"])
        self.env["mail.activity"].sudo().with_context(
            mail_activity_quick_update=True
        ).create(
            {
                "res_model_id": self.env["ir.model"]._get_id(record._name),
                "res_id": record.id,
                "activity_type_id": kind.id,
                "summary": self.next_summary or kind.name,
                "user_id": owner.id,
                "date_deadline": self.next_date,
            }
        )

    # === WHAT WAS FOUND OUT === #

    def _write_found_out(self):
        """Put what was found out straight where it belongs.

        :raises UserError: names what may not be written, and what to do
        """
        record = self.commercial_partner_id or self.lead_id
        try:
            with self.env.cr.savepoint():
                self._write_potential()
                self._write_person()
                if record:
                    self._write_traits(record)
        except AccessError as error:
            raise UserError(
                self.env._(
                    "You may not change %(record)s. Write what you found out into the "
                    "note instead.\n\n%(error)s",
                    record=record.sudo().display_name,
                    error=error,
                )
            ) from error

    def _write_potential(self):
        if not self.potential:
            return
        if not self.customer_id:
            raise UserError(
                self.env._(
                    "A potential belongs to a customer, and this lead is none yet. "
                    "Write it into the note."
                )
            )
        self.customer_id._declare_potential(self.potential, self.potential_how)

    def _write_person(self):
        """Write the number of whom one spoke to, and who decides."""
        partner, lead = self.commercial_partner_id, self.lead_id
        if self.person_phone:
            (self.partner_id or partner or lead).phone = self.person_phone
        if partner:
            self._write_decision_maker(partner)
            return
        if self.decision_maker:
            lead.contact_name = self.decision_maker
        if self.decision_maker_phone:
            lead.phone = self.decision_maker_phone

    def _write_traits(self, record):
        """Write industry and number of employees, where they are news."""
        industry = "coverage_industry_id" if record == self.lead_id else "industry_id"
        if self.industry_id and record[industry] != self.industry_id:
            record[industry] = self.industry_id
        count = self.employee_count
        if count and record.coverage_employee_count != count:
            record.coverage_employee_count = count

    def _write_decision_maker(self, partner):
        """Mark the contact of this name as the one who decides, or add it."""
        name = (self.decision_maker or "").strip()
        if not name:
            return
        persons = self.env["res.partner"].search(
            [
                ("commercial_partner_id", "=", partner.id),
                ("is_company", "=", False),
                ("type", "=", "contact"),
            ]
        )
        person = persons.filtered(
            lambda one: (one.name or "").casefold() == name.casefold()
        )[:1]
        if not person:
            person = person.create({"name": name, "parent_id": partner.id})
        person.is_decision_maker = True
        if self.decision_maker_phone:
            person.phone = self.decision_maker_phone

    # === HELPERS === #

    def _get_today(self):
        company = self.company_id or self.env.company
        return company._get_coverage_today(fields.Datetime.now())

    def _get_rhythm_date(self):
        """Return when the rhythm would have this customer contacted next."""
        customer, today = self.customer_id.sudo(), self._get_today()
        if not customer.segment_id:
            return False
        has_talked = self.is_two_way and not self.is_short
        has_written = self.channel == "email" and self.direction == "out"
        last_contact = today if has_talked else customer.last_contact_date or None
        last_email = today if has_written else customer.last_email_date or None
        cadence = self.env["coverage.cadence"].sudo()
        frame = cadence._prepare_frame(customer.company_id, fields.Datetime.now())
        rules = {rule.key: rule for rule in frame.rules.segments}
        key = customer.segment_id.id
        due = next_contact(
            Contacts(
                last_contact,
                customer.last_proven_date or None,
                last_email,
                customer.leave_alone_until or None,
                customer.rhythm_start_date or None,
                customer.owned_since or None,
            ),
            rules[key],
            cadence._get_interval_of(frame)(key, customer.potential),
            frame.rules,
        )
        if has_talked:
            return due
        retry_days = self.company_id.sudo().coverage_retry_days
        again = retry_on(today, last_contact, retry_days)
        return max(filter(None, (due, again)), default=False)
