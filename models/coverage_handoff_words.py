from datetime import datetime, time

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import format_date, format_datetime

from .opening import open_form

WAITING = ("draft", "offered")
WATCHING = ("accepted", "watched")
OVER = ("completed", "handed_back")


class CoverageHandoffWords(models.AbstractModel):
    """What a handoff tells whoever looks: by when, what is watched, who and why."""

    _name = "coverage.handoff.words"
    _description = "Words of a Handoff"

    badge = fields.Char(compute="_compute_badge", compute_sudo=True)
    temperature_code = fields.Char(compute="_compute_badge", compute_sudo=True)
    due_date = fields.Date(
        string="Due",
        compute="_compute_due_date",
        store=True,
        index="btree_not_null",
        help="The day of what comes next: offering, answering, or the next look.",
    )
    is_late = fields.Boolean(compute="_compute_is_late", search="_search_is_late")
    due_text = fields.Char(string="What Comes Next", compute="_compute_due_text")
    watch_text = fields.Char(string="Oversight", compute="_compute_watch_text")
    is_asked_to_rate = fields.Boolean(
        compute="_compute_is_asked_to_rate",
        help="The handoff is over, and you have not yet said how it went.",
    )
    can_see_customer = fields.Boolean(compute="_compute_can_see")
    can_see_lead = fields.Boolean(compute="_compute_can_see")
    proposal_card = fields.Json(compute="_compute_proposal_card")
    timeline = fields.Json(compute="_compute_timeline")

    @api.depends("customer_id", "lead_id")
    def _compute_badge(self):
        """In sudo: who handed a customer over still sees how it stands."""
        for handoff in self:
            customer = handoff.customer_id
            handoff.badge = customer.badge or handoff.lead_id.segment_id.code
            handoff.temperature_code = customer.temperature_code

    @api.depends("state", "date_deadline", "accept_deadline", "next_look_date")
    def _compute_due_date(self):
        for handoff in self:
            handoff.due_date = handoff._get_due_date()

    def _compute_is_late(self):
        for handoff in self:
            handoff.is_late = bool(
                handoff.state in WAITING
                and handoff.due_date
                and handoff.due_date < handoff._get_today()
            )

    def _search_is_late(self, operator, value):
        if operator != "in":
            return NotImplemented
        return Domain("state", "in", WAITING) & Domain("due_date", "<", "today")

    @api.depends("state", "due_date", "from_user_id", "to_user_id", "is_called")
    @api.depends_context("lang")
    def _compute_due_text(self):
        spans = self._get_spans()
        for handoff in self:
            handoff.due_text = handoff._tell_due(spans)

    @api.depends("state", "watch_deal_count", "watched_deal_count", "next_look_date")
    @api.depends_context("lang")
    def _compute_watch_text(self):
        for handoff in self:
            handoff.watch_text = handoff._tell_watch()

    @api.depends("state", "giver_rating", "receiver_rating")
    @api.depends_context("uid")
    def _compute_is_asked_to_rate(self):
        for handoff in self:
            handoff.is_asked_to_rate = handoff._is_asked(self.env.user)

    @api.depends("customer_id", "lead_id", "state")
    @api.depends_context("uid")
    def _compute_can_see(self):
        """Whoever handed over or declined may not see any more what it was about."""
        customers = self.customer_id._filtered_access("read")
        leads = self.lead_id._filtered_access("read")
        for handoff in self:
            handoff.can_see_customer = handoff.customer_id & customers
            handoff.can_see_lead = handoff.lead_id & leads

    @api.depends("proposal", "to_user_id")
    @api.depends_context("lang")
    def _compute_proposal_card(self):
        for handoff in self:
            handoff.proposal_card = handoff._get_proposal_card()

    @api.depends("step_ids")
    @api.depends_context("lang", "tz")
    def _compute_timeline(self):
        for handoff in self:
            handoff.timeline = [handoff._tell_step(step) for step in handoff.step_ids]

    # === ACTION METHODS === #

    def action_open_customer(self):
        """Open the customer that changes hands."""
        return self._open_record(self.customer_id)

    def action_open_lead(self):
        """Open the opportunity that changes hands."""
        return self._open_record(self.lead_id)

    def action_rate_good(self):
        """Say that the handoff went well."""
        return self.action_rate("good")

    def action_rate_fair(self):
        """Say that the handoff went neither well nor badly."""
        return self.action_rate("fair")

    def action_rate_bad(self):
        """Say that the handoff went badly."""
        return self.action_rate("bad")

    def action_see(self):
        """Take what one has seen off one's list: a deal, a refusal, a raised hand."""
        self.check_access("read")
        self.sudo()._silence(self.env.user)
        return True

    def _open_record(self, record):
        self.ensure_one()
        return open_form(record._name, record.id)

    # === WORDS === #

    def _get_today(self):
        return self.company_id.sudo()._get_coverage_today(fields.Datetime.now())

    def _get_due_date(self):
        """Return the day of what comes next; nothing when it is over."""
        if self.state == "draft":
            return self.date_deadline
        if self.state == "offered":
            return self.accept_deadline
        return self.next_look_date if self.state in WATCHING else False

    def _is_asked(self, user):
        """Return whether this person is asked how it went."""
        if self.state not in OVER:
            return False
        return (self.from_user_id == user and not self.giver_rating) or (
            self.to_user_id == user and not self.receiver_rating
        )

    def _get_spans(self):
        """Return, by company, the days without work around what is due here.

        One look at the calendar of each company, however many handoffs.
        """
        waiting = self.filtered(lambda one: one.state in WAITING and one.due_date)
        spans = {}
        for company, handoffs in waiting.grouped("company_id").items():
            days = [*handoffs.mapped("due_date"), handoffs[0]._get_today()]
            begin = datetime.combine(min(days), time())
            end = datetime.combine(fields.Date.add(max(days), days=1), time())
            calendar = company.sudo().resource_calendar_id
            unusual = calendar._get_unusual_days(begin, end, company)
            spans[company] = {day for day, is_free in unusual.items() if is_free}
        return spans

    def _count_working_days(self, begin, end, spans):
        """Return the working days after ``begin`` up to and with ``end``."""
        free = spans.get(self.company_id, ())
        days = (fields.Date.add(begin, days=n + 1) for n in range((end - begin).days))
        return sum(str(day) not in free for day in days)

    def _tell_due(self, spans):
        """Return in words what comes next, who must do it, and by when."""
        _, state = self.env._, self.state
        people = {
            "giver": self.from_user_id.sudo().name or _("Nobody"),
            "receiver": self.to_user_id.sudo().name or _("Nobody"),
        }
        if state in WAITING and self.is_called:
            return _("The leader decides what becomes of it.")
        if state in WATCHING:
            return self._tell_watch()
        if state not in WAITING:
            return self._tell_end()
        if not self.due_date:
            return _("%(giver)s has not offered it yet.", **people)
        when = self._tell_when(spans)
        if state == "draft":
            return _("%(giver)s must offer it by %(when)s", **people, when=when)
        return _("%(receiver)s must answer by %(when)s", **people, when=when)

    def _tell_when(self, spans):
        """Return the due day, and how far off it is: "Wed 5 June, 2 working days"."""
        _, today = self.env._, self._get_today()
        date = format_date(self.env, self.due_date, date_format="EEE d MMMM")
        if self.due_date < today:
            days = self._count_working_days(self.due_date, today, spans)
            if days == 1:
                return _("%(date)s, 1 working day late", date=date)
            return _("%(date)s, %(days)s working days late", date=date, days=days)
        days = self._count_working_days(today, self.due_date, spans)
        if self.due_date == today:
            return _("%(date)s, today", date=date)
        if days == 1:
            return _("%(date)s, 1 working day", date=date)
        return _("%(date)s, %(days)s working days", date=date, days=days)

    def _tell_watch(self):
        """Return what the giver has watched so far, and when the next look is due."""
        if self.state not in WATCHING:
            return ""
        parts = [self._tell_deals()]
        if self.next_look_date:
            date = format_date(self.env, self.next_look_date, date_format="d MMMM")
            parts.append(self.env._("next look %(date)s", date=date))
        told = ", ".join(part for part in parts if part)
        return told or self.env._("Taken over; nobody watches.")

    def _tell_deals(self):
        """Return how many deals were watched: "1 of 3 deals watched"."""
        _, count = self.env._, self.watch_deal_count
        done = min(self.watched_deal_count, count)
        if count == 1:
            return _("%(done)s of 1 deal watched", done=done)
        if count:
            return _("%(done)s of %(count)s deals watched", done=done, count=count)
        return ""

    def _tell_end(self):
        """Return how it ended, and why."""
        labels = dict(self._fields["state"]._description_selection(self.env))
        parts = [labels[self.state]]
        if self.closed_date:
            date = format_date(self.env, self.closed_date, date_format="d MMMM yyyy")
            parts[0] = self.env._("%(state)s on %(date)s", state=parts[0], date=date)
        if self.answer_reason:
            parts.append(self.answer_reason)
        return ": ".join(parts)

    def _get_proposal_card(self):
        """Return why this receiver: ``chosen``, ``others`` and ``left_out``.

        Each a list of ``{user_id, name, reasons}``; empty without a proposal.
        """
        proposal = self.proposal or {}
        if isinstance(proposal, list):
            proposal = {"candidates": proposal}
        found = proposal.get("candidates") or []
        chosen = [one for one in found if one.get("user_id") == self.to_user_id.id]
        others = [one for one in found if one not in chosen]
        left_out = proposal.get("left_out") or []
        if not found and not left_out:
            return False
        return {
            "receiver": self.to_user_id.sudo().name or "",
            "chosen": chosen,
            "others": others,
            "left_out": left_out,
        }

    def _tell_step(self, step):
        """Return ``{id, state, label, who, when, reason}`` as people read them."""
        labels = dict(self._fields["state"]._description_selection(self.env))
        return {
            "id": step.id,
            "state": step.to_state,
            "label": labels.get(step.to_state, "")
            if step.from_state != step.to_state
            else self.env._("Noted"),
            "who": step.user_id.sudo().name or "",
            "when": format_datetime(self.env, step.date, dt_format="d MMM yyyy HH:mm"),
            "reason": step.reason or "",
        }
