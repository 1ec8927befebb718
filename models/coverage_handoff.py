from zoneinfo import ZoneInfo

from odoo import api, fields, models
from odoo.exceptions import AccessError, LockError, UserError, ValidationError

from .coverage_carry import QUIET

STATES = [
    ("draft", "To Hand Over"),
    ("offered", "Offered"),
    ("accepted", "Accepted"),
    ("watched", "Watched"),
    ("completed", "Completed"),
    ("handed_back", "Handed Back"),
    ("declined", "Declined"),
    ("expired", "Expired"),
    ("cancelled", "Cancelled"),
]
TRANSITIONS = {
    ("draft", "offered"),
    ("draft", "accepted"),  # transferred at the deadline
    ("draft", "watched"),
    ("draft", "expired"),
    ("draft", "cancelled"),
    ("offered", "accepted"),
    ("offered", "watched"),
    ("offered", "declined"),
    ("offered", "expired"),
    ("offered", "cancelled"),
    ("accepted", "completed"),
    ("accepted", "handed_back"),
    ("watched", "completed"),
    ("watched", "handed_back"),
}
OPEN = ("draft", "offered")
RUNNING = ("accepted", "watched")
GIVEN = {
    "customer_id",
    "lead_id",
    "to_user_id",
    "role_id",
    "reason",
    "watch_deal_count",
    "is_co_selling",
    "proposal",
}
RATINGS = [("good", "Good"), ("fair", "Fair"), ("bad", "Bad")]
LEADER = "crm_sales_coverage.group_coverage_team_leader"


class CoverageHandoff(models.Model):
    """One transfer of a customer, or of a lead alone, from one person to another.

    The giver offers by ``date_deadline``, the receiver answers by ``accept_deadline``.
    Accepting moves the ownership and what belongs to it in one transaction. Then the
    giver watches the first deals; at the end both rate the handoff. Until somebody
    accepts, the giver stays accountable.
    """

    _name = "coverage.handoff"
    _inherit = ["mail.activity.mixin"]
    _description = "Handoff"
    _order = "id desc"
    _check_company_auto = True

    # what
    customer_id = fields.Many2one(
        "coverage.customer", index=True, ondelete="cascade", check_company=True
    )
    lead_id = fields.Many2one(
        "crm.lead",
        string="Opportunity",
        index="btree_not_null",
        ondelete="cascade",
        help="Set: this opportunity alone changes hands, and a customer only where it "
        "is set too.",
    )
    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        default=lambda self: self.env.company,
        ondelete="cascade",
    )

    # who
    from_user_id = fields.Many2one("res.users", string="Giver", index=True)
    to_user_id = fields.Many2one(
        "res.users",
        string="Receiver",
        index=True,
        domain="[('share', '=', False), ('company_ids', '=', company_id)]",
    )
    role_id = fields.Many2one(
        "coverage.role", string="To Role", ondelete="set null", index="btree_not_null"
    )
    team_id = fields.Many2one(
        "crm.team",
        string="Giver's Team",
        ondelete="set null",
        index="btree_not_null",
        help="Its leader sees and decides.",
    )

    # why
    reason = fields.Char(required=True)
    answer_reason = fields.Char(
        string="Answer", help="Why it was declined, cancelled or handed back."
    )
    origin = fields.Selection(
        [("hand", "By hand"), ("policy", "Policy"), ("handback", "Handed back")],
        required=True,
        default="hand",
        readonly=True,
    )
    policy_id = fields.Many2one(
        "coverage.handoff.policy", ondelete="set null", readonly=True
    )
    previous_id = fields.Many2one(
        "coverage.handoff",
        string="Follows",
        ondelete="set null",
        readonly=True,
        index="btree_not_null",
        help="The offer that was declined or expired before.",
    )
    proposal = fields.Json(
        readonly=True,
        help="Why this receiver: what spoke for each candidate when it was offered.",
    )

    # where it stands
    state = fields.Selection(
        STATES, required=True, default="draft", readonly=True, index=True
    )
    is_called = fields.Boolean(
        string="Leader Called",
        readonly=True,
        help="A deadline has passed, or nobody takes it: the leader decides.",
    )
    step_ids = fields.One2many("coverage.handoff.step", "handoff_id", string="Steps")
    date_deadline = fields.Date(
        string="Hand Over Until", help="By this day the giver must have offered."
    )
    accept_deadline = fields.Date(
        string="Accept Until", help="By this day the receiver must answer."
    )
    reminded_date = fields.Date(readonly=True, export_string_translation=False)
    accepted_date = fields.Date(readonly=True)
    handback_deadline = fields.Date(
        string="Hand Back Until",
        readonly=True,
        help="So long the receiver may hand it back.",
    )
    closed_date = fields.Date(readonly=True)

    # oversight
    watch_deal_count = fields.Integer(
        string="Deals to Watch",
        default=3,
        help="The giver sees this many of the receiver's first deals.",
    )
    watched_deal_count = fields.Integer(string="Deals Watched", readonly=True)
    next_look_date = fields.Date(
        string="Next Look", readonly=True, help="On this day the giver looks again."
    )
    look_count = fields.Integer(string="Looks", readonly=True)
    is_hand_raised = fields.Boolean(string="Hand Raised", readonly=True)
    is_co_selling = fields.Boolean(
        string="Stay in the Deal Team",
        help="The giver goes on seeing the customer after the watched deals, to learn.",
    )
    giver_rating = fields.Selection(RATINGS, readonly=True)
    receiver_rating = fields.Selection(RATINGS, readonly=True)

    # whoever looks
    is_giver = fields.Boolean(compute="_compute_is_mine")
    is_receiver = fields.Boolean(compute="_compute_is_mine")
    is_leader = fields.Boolean(compute="_compute_is_mine")

    _one_open = models.UniqueIndex(
        "(customer_id) WHERE customer_id IS NOT NULL AND lead_id IS NULL "
        "AND state IN ('draft', 'offered')",
        "This customer is being handed over already. Cancel that handoff first.",
    )
    _one_open_lead = models.UniqueIndex(
        "(lead_id) WHERE lead_id IS NOT NULL AND state IN ('draft', 'offered')",
        "This opportunity is being handed over already. Cancel that handoff first.",
    )
    _state_deadline = models.Index("(state, accept_deadline)")

    @api.depends("customer_id", "lead_id", "to_user_id")
    def _compute_display_name(self):
        for handoff in self:
            handoff.display_name = (
                handoff.lead_id.sudo().display_name
                or handoff.customer_id.sudo().display_name
            )

    @api.depends_context("uid")
    @api.depends("from_user_id", "to_user_id")
    def _compute_is_mine(self):
        is_leader = self.env.user.has_group(LEADER)
        for handoff in self:
            handoff.is_giver = handoff.from_user_id == self.env.user
            handoff.is_receiver = handoff.to_user_id == self.env.user
            handoff.is_leader = is_leader

    @api.constrains("customer_id", "lead_id")
    def _check_subject(self):
        for handoff in self:
            if not handoff.customer_id and not handoff.lead_id:
                raise ValidationError(
                    self.env._("Choose the customer or opportunity to hand over.")
                )

    @api.constrains("from_user_id", "to_user_id", "company_id")
    def _check_receiver(self):
        """The receiver is one of us, there, and not the giver."""
        for handoff in self:
            receiver = handoff.to_user_id.sudo()
            if not receiver:
                continue
            if receiver == handoff.from_user_id:
                raise ValidationError(
                    self.env._(
                        "%(user)s has it already. Choose somebody else.",
                        user=receiver.name,
                    )
                )
            is_ours = receiver.active and not receiver.share
            if not is_ours or handoff.company_id not in receiver.company_ids:
                raise ValidationError(
                    self.env._(
                        "%(user)s does not work in %(company)s. Choose somebody who "
                        "does.",
                        user=receiver.name,
                        company=handoff.company_id.name,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            vals_list = [self._keep_given(vals) for vals in vals_list]
        handoffs = super().create([self._add_giver(vals) for vals in vals_list])
        handoffs._check_mine("from_user_id")
        return handoffs

    # === ACTION METHODS === #

    def action_offer(self):
        """Offer to the receiver; the clock of the answer begins.

        :raises UserError: without a receiver, or when he is not there or has no room
        """
        self._check_mine("from_user_id")
        now = fields.Datetime.now()
        for handoff in self.sudo():
            if not handoff.to_user_id:
                raise UserError(self.env._("Choose who is to receive it."))
            handoff._move("offered", handoff.reason)
            handoff.accept_deadline = handoff._get_deadline(
                handoff._get_terms()["accept_days"], now
            )
            handoff._admit_receiver()
        return True

    def action_accept(self):
        """Take what was offered: ownership and all that belongs to it move now.

        :raises UserError: when somebody else answered first
        """
        self._check_mine("to_user_id")
        self.sudo()._hold()
        for handoff in self.sudo():
            handoff._take(fields.Datetime.now())
        return True

    def action_decline(self, reason=None):
        """Refuse before contact; the giver stays accountable."""
        self._check_mine("to_user_id")
        self.sudo()._hold()
        self.sudo()._close("declined", reason)
        return True

    def action_cancel(self, reason=None):
        """Take an offer back."""
        self._check_mine("from_user_id")
        self.sudo()._hold()
        self.sudo()._close("cancelled", reason)
        return True

    def action_hand_back(self, reason=None):
        """Return the customer to the giver, or to nurturing when he is gone.

        :raises UserError: after ``handback_deadline``
        """
        self._check_mine("to_user_id")
        self.sudo()._hold()
        for handoff in self.sudo():
            handoff._return(reason, fields.Datetime.now())
        return True

    def action_open(self):
        """Open this handoff."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
        }

    # === BUSINESS METHODS === #

    def _move(self, target, reason=None):
        """Change the state: the only method that does.

        :raises UserError: when the state does not lead there
        """
        labels = dict(self._fields["state"]._description_selection(self.env))
        steps = []
        for handoff in self:
            if (handoff.state, target) not in TRANSITIONS:
                raise UserError(
                    self.env._(
                        "%(handoff)s is “%(state)s” and cannot become “%(target)s”.",
                        handoff=handoff.display_name,
                        state=labels[handoff.state],
                        target=labels[target],
                    )
                )
            steps.append(
                {
                    "handoff_id": handoff.id,
                    "from_state": handoff.state,
                    "to_state": target,
                    "reason": reason,
                    "user_id": self.env.uid,
                }
            )
        self.env["coverage.handoff.step"].sudo().create(steps)
        self.sudo().write({"state": target})

    def _check_mine(self, *roles):
        """Raise unless the user is one of these, or leads the team.

        :param roles: of ``from_user_id``, ``to_user_id``
        """
        self.check_access("read")
        if self.env.su or self.env.user.has_group(LEADER):
            return
        for handoff in self:
            if all(handoff[role] != self.env.user for role in roles):
                raise AccessError(
                    self.env._("This handoff is not yours. Ask your team leader.")
                )

    def _keep_given(self, vals):
        """Return what a person may say of a new handoff; the rest follows."""
        return {name: value for name, value in vals.items() if name in GIVEN}

    def _add_giver(self, vals):
        """Return the values of a new handoff with giver, team and company."""
        lead = self.lead_id.browse(vals.get("lead_id")).sudo()
        customer = self.customer_id.browse(vals.get("customer_id")).sudo()
        giver = lead.user_id or customer.user_id
        company = customer.company_id or lead._get_coverage_company(self.env.company)
        return {
            "company_id": company.id,
            "from_user_id": giver.id,
            "team_id": (customer.team_id or lead.team_id or giver.sale_team_id).id,
            **vals,
        }

    def _get_terms(self):
        """Return the deadlines and the oversight that hold for this handoff.

        Those of its policy, else what a new policy proposes.
        """
        policy = self.policy_id or self.policy_id.new({})
        return {
            name: policy[name]
            for name in ("accept_days", "handover_days", "handback_days", "look_days")
        }

    def _get_deadline(self, working_days, now):
        """Return the day that many working days of the company from now."""
        company = self.company_id
        today = company._get_coverage_midnight(company._get_coverage_today(now))
        calendar = company.resource_calendar_id
        begin = today.replace(tzinfo=ZoneInfo("UTC"))
        end = calendar.plan_days(working_days + 1, begin, compute_leaves=True)
        return end.astimezone(ZoneInfo(company._get_coverage_tz())).date()

    def _hold(self):
        """Lock these handoffs, so that of two who answer at once one wins.

        :raises UserError: tells the other one
        """
        try:
            self.lock_for_update()
        except LockError:
            raise UserError(
                self.env._("Somebody else is just answering. Look again in a moment.")
            ) from None

    def _admit_receiver(self):
        """Let the receiver see the customer that he is offered."""
        for handoff in self:
            handoff.customer_id.watcher_ids |= handoff.to_user_id

    def _dismiss(self, user):
        """Let a person see the customers no longer, unless another handoff lets him."""
        for handoff in self:
            handoff.customer_id.watcher_ids -= user

    def _take(self, now):
        """Move the ownership to the receiver; the giver goes on seeing it."""
        today = self.company_id._get_coverage_today(now)
        is_watched = self.watch_deal_count > 0
        self._move("watched" if is_watched else "accepted")
        self.accepted_date = today
        self._move_ownership(self.to_user_id, {"code": "handoff", "text": self.reason})
        self._dismiss(self.to_user_id)
        if is_watched and self.from_user_id:
            self.customer_id.watcher_ids |= self.from_user_id

    def _move_ownership(self, receiver, reason):
        """Make somebody the owner of the customer, or of the opportunity alone."""
        log = {"reasons": {self.customer_id.id: {"user_id": reason}}}
        if self.customer_id:
            self.customer_id.with_context(coverage_log=log).user_id = receiver
        if self.lead_id.user_id != receiver:
            self.lead_id.with_context(**QUIET).user_id = receiver

    def _close(self, state, reason):
        """End an offer without a transfer; the giver stays accountable."""
        self._move(state, reason)
        self.write({"answer_reason": reason})
        for handoff in self:
            handoff._dismiss(handoff.to_user_id)

    def _return(self, reason, now):
        """Give the ownership back."""
        self._move("handed_back", reason)
        self.answer_reason = reason
        self._dismiss(self.from_user_id)
        self._move_ownership(self.from_user_id, {"code": "handed_back", "text": reason})
