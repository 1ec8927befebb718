from odoo import api, fields, models
from odoo.exceptions import AccessError, LockError, UserError
from odoo.tools import format_date

from .groups import LEADER
from .opening import open_form

STATES = [
    ("open", "To Answer"),
    ("answered", "To Confirm"),
    ("confirmed", "Confirmed"),
    ("closed", "Result"),
    ("cancelled", "Cancelled"),
]
TRANSITIONS = {
    ("open", "answered"),
    ("open", "cancelled"),
    ("answered", "confirmed"),
    ("answered", "open"),  # sent back
    ("answered", "cancelled"),
    ("confirmed", "closed"),
    ("cancelled", "open"),  # blue again within days: the same episode
}
ENDS = [
    ("warmed", "It warmed up"),
    ("left", "It is not an A any more"),
    ("gone", "The customer was archived"),
]
VERDICTS = [
    ("recovered", "Recovered"),
    ("better", "Better, still blue"),
    ("unchanged", "Unchanged"),
    ("worse", "Worse"),
]
TEMPERATURES = [
    ("frozen", "Frozen"),
    ("cool", "Cool"),
    ("mild", "Mild"),
    ("warm", "Warm"),
    ("hot", "Hot"),
]


class CoverageRethink(models.Model):
    """What is to change with an A customer that turned blue: asked, confirmed, judged.

    One record an episode. Its owner says why the customer cooled, what changes and by
    when; the leader confirms it or sends it back; after 90 days the figures say what
    came of it. ``coverage.rethink.engine`` opens, cancels and closes them.
    """

    _name = "coverage.rethink"
    _description = "Rethink"
    _order = "date desc, id desc"
    _rec_name = "customer_id"
    _check_company_auto = True

    customer_id = fields.Many2one(
        "coverage.customer",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one(
        related="customer_id.company_id", store=True, index=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    team_id = fields.Many2one(related="customer_id.team_id", store=True)
    leader_id = fields.Many2one(related="team_id.user_id", string="Leader")
    user_id = fields.Many2one(
        "res.users",
        string="Owner",
        readonly=True,
        index=True,
        help="Whose task it is. It follows the customer to a new owner.",
    )
    state = fields.Selection(
        STATES, required=True, readonly=True, default="open", index=True
    )
    date = fields.Date(
        string="Opened on",
        required=True,
        readonly=True,
        help="Day on which the customer turned blue, or it was opened by hand.",
    )
    date_deadline = fields.Date(string="Answer by", required=True, readonly=True)
    is_late = fields.Boolean(compute="_compute_is_late", search="_search_is_late")
    badge = fields.Char(related="customer_id.badge")
    temperature_code = fields.Char(related="customer_id.temperature_code")

    # the owner's answer
    reason = fields.Text(string="Why It Cooled", readonly=True)
    change = fields.Text(string="What Changes", readonly=True)
    change_date = fields.Date(string="By When", readonly=True)
    answered_user_id = fields.Many2one("res.users", string="Answered by", readonly=True)
    answered_date = fields.Date(string="Answered on", readonly=True)

    # the leader's
    confirmed_user_id = fields.Many2one(
        "res.users", string="Confirmed by", readonly=True
    )
    confirmed_date = fields.Date(string="Confirmed on", readonly=True)
    return_reason = fields.Char(string="Sent Back Because", readonly=True)

    # the end
    result_date = fields.Date(
        string="Result on",
        readonly=True,
        help="Day on which the figures say what came of it.",
    )
    closed_date = fields.Date(string="Ended on", readonly=True)
    end_code = fields.Selection(ENDS, string="Cancelled Because", readonly=True)
    verdict = fields.Selection(VERDICTS, readonly=True)
    revenue_before = fields.Monetary(
        readonly=True, help="Of the days up to the confirmation, as many as after it."
    )
    revenue_after = fields.Monetary(
        readonly=True, help="Of the days since the confirmation."
    )
    revenue_gain = fields.Monetary(
        string="Difference", compute="_compute_revenue_gain", store=True
    )
    temperature_then = fields.Selection(TEMPERATURES, string="Then", readonly=True)
    temperature_now = fields.Selection(TEMPERATURES, string="After", readonly=True)
    text = fields.Char(string="What Is Next", compute="_compute_text")

    _one_live = models.UniqueIndex(
        "(customer_id) WHERE state IN ('open', 'answered', 'confirmed')",
        "This customer is being rethought already.",
    )
    _due = models.Index("(company_id, result_date) WHERE state = 'confirmed'")

    @api.depends("state", "date_deadline", "company_id")
    def _compute_is_late(self):
        now = fields.Datetime.now()
        for company, group in self.grouped("company_id").items():
            today = company.sudo()._get_coverage_today(now)
            for rethink in group:
                due = rethink.date_deadline
                rethink.is_late = rethink.state == "open" and due and due < today

    def _search_is_late(self, operator, value):
        if operator != "in":
            return NotImplemented
        today = self.env.company._get_coverage_today(fields.Datetime.now())
        return [("state", "=", "open"), ("date_deadline", "<", today)]

    @api.depends("revenue_before", "revenue_after")
    def _compute_revenue_gain(self):
        for rethink in self:
            rethink.revenue_gain = rethink.revenue_after - rethink.revenue_before

    @api.depends("state", "date_deadline", "result_date", "verdict", "user_id")
    @api.depends_context("lang")
    def _compute_text(self):
        for rethink in self:
            rethink.text = rethink._tell_next()

    # === ACTION METHODS === #

    def action_answer(self, reason, change, change_date):
        """Say why the customer cooled, what changes, and by when.

        :raises AccessError: unless it is one's own task, or that of somebody one leads
        :raises UserError: when something of it is missing, or it was answered before
        """
        self._check_answers()
        rethinks, now = self._enter(), fields.Datetime.now()
        reason, change = (reason or "").strip(), (change or "").strip()
        by_when = fields.Date.to_date(change_date)
        if not (reason and change and by_when):
            raise UserError(self.env._("Say why it cooled, what changes, and by when."))
        for company, group in rethinks.grouped("company_id").items():
            today = company._get_coverage_today(now)
            if by_when < today:
                raise UserError(
                    self.env._(
                        "By when it changes is past. Choose a day from today on."
                    )
                )
            group._update_state(
                "answered",
                reason=reason,
                change=change,
                change_date=by_when,
                answered_user_id=self.env.uid,
                answered_date=today,
            )
        return True

    def action_confirm(self):
        """Confirm, as the leader, what the owner wants to change.

        :raises AccessError: for those who do not lead the team, or answered themselves
        """
        self._check_confirms()
        rethinks, now = self._enter(), fields.Datetime.now()
        for company, group in rethinks.grouped("company_id").items():
            today = company._get_coverage_today(now)
            group._update_state(
                "confirmed",
                confirmed_user_id=self.env.uid,
                confirmed_date=today,
                return_reason=False,
                result_date=fields.Date.add(
                    today, days=company.coverage_rethink_result_days
                ),
            )
        return True

    def action_send_back(self, reason):
        """Send the answer back, as the leader, saying what is missing.

        :raises UserError: without a reason
        """
        self._check_confirms()
        reason = (reason or "").strip()
        if not reason:
            raise UserError(self.env._("Say what is missing: the owner reads it."))
        rethinks, now = self._enter(), fields.Datetime.now()
        for company, group in rethinks.grouped("company_id").items():
            deadline = self.env["coverage.rethink.engine"]._get_deadline(company, now)
            group._update_state("open", return_reason=reason, date_deadline=deadline)
        return True

    def action_open_answer(self):
        """Open the dialog in which the owner answers."""
        self.ensure_one()
        self._check_answers()
        return self._open_dialog("answer", self.env._("Rethink"))

    def action_open_send_back(self):
        """Open the dialog in which the leader says what is missing."""
        self[:1]._check_confirms()
        return self[:1]._open_dialog("send_back", self.env._("Send Back"))

    def action_open_customer(self):
        """Open the customer."""
        self.ensure_one()
        return open_form("coverage.customer", self.customer_id.id)

    # === BUSINESS METHODS === #

    def _update_state(self, target, **vals):
        """Move to a state; the only method that does. ``vals`` are written with it.

        :raises UserError: when somebody was faster, or it cannot move so
        """
        try:
            self.lock_for_update()
        except LockError:
            raise UserError(
                self.env._("Somebody else is just answering. Look again in a moment.")
            ) from None
        self.invalidate_recordset(["state"])
        labels = dict(self._fields["state"]._description_selection(self.env))
        for rethink in self:
            if (rethink.state, target) not in TRANSITIONS:
                raise UserError(
                    self.env._(
                        "The rethink of %(customer)s is “%(state)s”. Look again.",
                        customer=rethink.customer_id.display_name,
                        state=labels[rethink.state],
                    )
                )
        self.write({**vals, "state": target})

    def _check_answers(self):
        """Raise unless these are one's own tasks, or one leads who has them."""
        self.check_access("read")
        for rethink in self:
            if rethink.user_id != self.env.user and not rethink._is_led():
                raise AccessError(
                    self.env._(
                        "%(owner)s answers for %(customer)s.",
                        owner=rethink.sudo().user_id.name or self.env._("Its owner"),
                        customer=rethink.customer_id.display_name,
                    )
                )

    def _check_confirms(self):
        """Raise unless one leads the team; nobody but a manager confirms himself."""
        self.check_access("read")
        guard = self.env["coverage.guard"]
        for rethink in self:
            is_own = self.env.user in (rethink.user_id, rethink.answered_user_id)
            if guard._is_free() or (rethink._is_led() and not is_own):
                continue
            leader = guard._get_leader(rethink.customer_id)
            raise AccessError(
                self.env._(
                    "%(leader)s confirms the rethink of %(customer)s.",
                    leader=self.env._("A sales manager") if is_own else leader,
                    customer=rethink.customer_id.display_name,
                )
            )

    def _is_led(self):
        """Return whether the user leads the team of this customer, or all."""
        guard = self.env["coverage.guard"]
        return guard._is_free() or (
            self.env.user.has_group(LEADER)
            and guard._is_leader_of(self.sudo().customer_id)
        )

    def _enter(self):
        """Return these with all rights, without what a caller put into the context."""
        return self.env["coverage.guard"]._enter(self)

    def _open_dialog(self, kind, name):
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": "coverage.rethink.answer",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_rethink_id": self.id, "default_kind": kind},
        }

    def _tell_next(self):
        """Return in words what it waits for, or how it ended."""
        _, labels = self.env._, self._fields["verdict"]._description_selection(self.env)
        words = {
            "owner": self.user_id.sudo().name or _("Somebody"),
            "leader": self.sudo().leader_id.name or _("A sales manager"),
            "deadline": self._tell_day(self.date_deadline),
            "result": self._tell_day(self.result_date),
            "when": self._tell_day(self.change_date),
            "verdict": dict(labels).get(self.verdict, ""),
            "why": self.return_reason or "",
        }
        if self.state == "open" and self.return_reason:
            return _("Sent back: %(why)s. Answer by %(deadline)s", **words)
        if self.state == "open" and self.is_late:
            return _("%(owner)s should have answered by %(deadline)s", **words)
        if self.state == "open":
            return _("%(owner)s answers by %(deadline)s", **words)
        if self.state == "answered":
            return _("%(leader)s confirms it, or sends it back", **words)
        if self.state == "confirmed":
            return _("To change by %(when)s; result on %(result)s", **words)
        if self.state == "closed":
            return _("Result: %(verdict)s", **words)
        ends = dict(self._fields["end_code"]._description_selection(self.env))
        return ends.get(self.end_code, "")

    def _tell_day(self, day):
        return format_date(self.env, day, date_format="d MMM") if day else ""
