from odoo import api, fields, models
from odoo.exceptions import AccessError, LockError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools.misc import clean_context

from .coverage_cadence import SILENT
from .coverage_role import SENIORITIES
from .groups import LEADER, MANAGER
from .opening import open_form

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
ADMITTED = {"from_user_id": "is_giver_admitted", "to_user_id": "is_receiver_admitted"}
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


class CoverageHandoff(models.Model):
    """One transfer of a customer, or of a lead alone, from one person to another.

    The giver offers by ``date_deadline``, the receiver answers by ``accept_deadline``.
    Accepting moves the ownership and what belongs to it in one transaction. Then the
    giver watches the first deals; at the end both rate the handoff. Until somebody
    accepts, the giver stays accountable.
    """

    _name = "coverage.handoff"
    _inherit = [
        "coverage.deadline",
        "coverage.handoff.words",
        "coverage.oversight",
        "coverage.succession",
        "mail.thread",
        "mail.activity.mixin",
    ]
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
    min_seniority = fields.Selection(
        SENIORITIES, string="At Least", readonly=True, default="junior", required=True
    )
    team_id = fields.Many2one(
        "crm.team",
        string="Giver's Team",
        ondelete="set null",
        index="btree_not_null",
        help="Its leader sees and decides.",
    )
    is_receiver_admitted = fields.Boolean(
        readonly=True,
        export_string_translation=False,
        help="The receiver sees the customer because of this offer only.",
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
    begin_date = fields.Datetime(
        string="Begun on", required=True, default=fields.Datetime.now, readonly=True
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

    # whoever looks
    is_giver = fields.Boolean(compute="_compute_is_mine")
    is_receiver = fields.Boolean(compute="_compute_is_mine")
    is_leader = fields.Boolean(compute="_compute_is_mine")

    _one_open = models.UniqueIndex(
        "(customer_id) WHERE customer_id IS NOT NULL AND state IN ('draft', 'offered')",
        "This customer is being handed over already. Cancel that handoff first.",
    )
    _one_open_lead = models.UniqueIndex(
        "(lead_id) WHERE lead_id IS NOT NULL AND state IN ('draft', 'offered')",
        "This opportunity is being handed over already. Cancel that handoff first.",
    )
    _state_deadline = models.Index("(state, accept_deadline)")
    _watch_not_negative = models.Constraint(
        "CHECK (watch_deal_count >= 0)",
        "The deals to watch cannot be negative. Use 0 for none.",
    )

    @api.depends("customer_id", "lead_id", "to_user_id")
    def _compute_display_name(self):
        for handoff in self:
            handoff.display_name = (
                handoff.lead_id.sudo().display_name
                or handoff.customer_id.sudo().display_name
            )

    @api.depends_context("uid")
    @api.depends("from_user_id", "to_user_id", "team_id")
    def _compute_is_mine(self):
        for handoff in self:
            handoff.is_giver = handoff.from_user_id == self.env.user
            handoff.is_receiver = handoff.to_user_id == self.env.user
            handoff.is_leader = handoff._is_led()

    @api.constrains("customer_id", "lead_id")
    def _check_subject(self):
        for handoff in self:
            customer, lead = handoff.customer_id.sudo(), handoff.lead_id.sudo()
            if not customer and not lead:
                raise ValidationError(
                    self.env._("Choose the customer or opportunity to hand over.")
                )
            partner = lead.partner_id.commercial_partner_id
            if customer and lead and partner != customer.partner_id:
                raise ValidationError(
                    self.env._(
                        "%(lead)s is not an opportunity of %(customer)s. Hand them "
                        "over one by one.",
                        lead=lead.display_name,
                        customer=customer.display_name,
                    )
                )

    @api.constrains("from_user_id", "to_user_id", "company_id")
    def _check_receiver(self):
        """The receiver is one of us, there, and not the giver."""
        for handoff in self.filtered(lambda one: one.state in OPEN):
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
            if not handoff._is_able(receiver):
                raise ValidationError(
                    self.env._(
                        "%(user)s does not work in %(company)s. Choose somebody who "
                        "does.",
                        user=receiver.name,
                        company=handoff.company_id.sudo().name,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            vals_list = [self._keep_given(vals) for vals in vals_list]
        vals_list = self._add_givers(vals_list)
        self._check_free(vals_list)
        context = clean_context(self.env.context)  # defaults are not given here
        silent = self.with_context(context, **SILENT, mail_create_nosubscribe=True)
        handoffs = super(CoverageHandoff, silent).create(vals_list)
        handoffs = handoffs.with_env(self.env)
        handoffs._check_may_begin()
        return handoffs

    def message_subscribe(self, partner_ids=None, subtype_ids=None):
        """Add no followers: who follows is mailed, and giver and receiver see it."""
        return True

    # === ACTION METHODS === #

    def action_offer(self, to_user_id=None):
        """Offer to the receiver; the clock of the answer begins.

        :param int to_user_id: somebody else than chosen before
        :raises UserError: without a receiver, or when he is not there or has no room
        """
        self._check_mine("from_user_id")
        handoffs, now = self._enter(), fields.Datetime.now()
        handoffs._hold()
        if to_user_id:
            handoffs._check_open("draft").to_user_id = to_user_id
        handoffs._check_receivers(now)
        handoffs._offer(now)
        return True

    def action_accept(self):
        """Take what was offered: ownership and all that belongs to it move now.

        :raises UserError: when somebody else answered first, or there is no room
        """
        self._check_mine("to_user_id")
        handoffs = self._enter()
        handoffs._hold()
        handoffs._check_open("offered")
        handoffs._check_receivers(fields.Datetime.now(), is_there=True)
        handoffs._take(fields.Datetime.now())
        return True

    def action_decline(self, reason=None):
        """Refuse before contact; the giver stays accountable."""
        self._check_mine("to_user_id")
        handoffs, now = self._enter(), fields.Datetime.now()
        handoffs._hold()
        handoffs._close("declined", reason, now)
        handoffs._follow_up(now)
        return True

    def action_cancel(self, reason=None):
        """Take an offer back."""
        self._check_mine("from_user_id")
        handoffs = self._enter()
        handoffs._hold()
        handoffs._close("cancelled", reason, fields.Datetime.now())
        return True

    def action_hand_back(self, reason=None):
        """Return the customer to the giver, or to nurturing when he is gone.

        :raises UserError: after ``handback_deadline``
        """
        self._check_mine("to_user_id")
        handoffs = self._enter()
        handoffs._hold()
        handoffs._return(reason, fields.Datetime.now())
        return True

    def action_transfer(self, to_user_id=None):
        """Let the leader transfer without waiting for an answer.

        :param int to_user_id: whom; by default the receiver, else who suits best
        :raises UserError: when nobody could take it
        """
        self._check_leads()
        handoffs, now = self._enter(), fields.Datetime.now()
        handoffs._hold()
        handoffs._check_open(*OPEN)
        if to_user_id:
            handoffs._dismiss("to_user_id")
            handoffs.to_user_id = to_user_id
        handoffs._choose_receivers(now)
        handoffs._check_receivers(now)
        handoffs._take(now)
        return True

    def action_offer_next(self):
        """Offer to whom suits next best, as a new handoff that follows this one.

        :raises UserError: when nobody else could take it
        """
        self._check_leads()
        handoffs, now = self._enter(), fields.Datetime.now()
        handoffs._hold()
        following = handoffs._offer_next(now)
        if left := handoffs - following.previous_id:
            raise UserError(
                self.env._(
                    "Nobody else could take %(names)s over. Choose a receiver, or "
                    "cancel.",
                    names=", ".join(left.mapped("display_name")),
                )
            )
        return following[:1].with_env(self.env).action_open()

    def action_open(self):
        """Open this handoff."""
        self.ensure_one()
        return open_form(self._name, self.id)

    # === MOVES === #

    def _move(self, target, reason=None):
        """Change the state: the only method that does.

        :raises UserError: when the state does not lead there
        """
        labels = dict(self._fields["state"]._description_selection(self.env))
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
        self._log_step(reason, target)
        self._silence()
        self.sudo().write({"state": target, "reminded_date": False})

    def _log_step(self, reason, target=None):
        """Keep who did what, when and why; without a target the state stays."""
        self.env["coverage.handoff.step"].sudo().create(
            [
                {
                    "handoff_id": handoff.id,
                    "from_state": handoff.state,
                    "to_state": target or handoff.state,
                    "reason": reason,
                    "user_id": self.env.uid,
                }
                for handoff in self
            ]
        )

    def _offer(self, now):
        """Let the receivers answer; by when is as the policy says."""
        self._move("offered")
        for (company, days), group in self._group_by_term("accept_days").items():
            today = company._get_coverage_today(now)
            group.write(
                {
                    "accept_deadline": self._shift_workdays(company, today, days),
                    "is_called": False,
                }
            )
        self._admit("to_user_id")
        self._tell("to_user_id", "offered")

    def _take(self, now):
        """Move the ownership to the receivers; the givers go on seeing it."""
        self._check_owners()
        watched = self.filtered(lambda one: one.watch_deal_count and one.from_user_id)
        for group, state in ((watched, "watched"), (self - watched, "accepted")):
            if group:
                group._move(state)
        self.write({"is_called": False})
        self._begin_watch(now)
        watched._admit("from_user_id")
        self._move_ownership("to_user_id", "handoff")
        self._dismiss("to_user_id")

    def _close(self, state, reason, now):
        """End an offer without a transfer; the giver stays accountable."""
        self._move(state, reason)
        self._write_closed(now, {"answer_reason": reason})
        self._dismiss("to_user_id")

    def _return(self, reason, now):
        """Give the ownership back: to the giver, else to nurturing, else to the pool.

        :raises UserError: when the time to hand back is past
        """
        for handoff in self:
            handoff._check_may_return(now)
        self._move("handed_back", reason)
        self._write_closed(now, {"answer_reason": reason})
        seen = self.filtered(lambda one: one.team_id.user_id == self.env.user)
        (self - seen).is_called = True  # until the leader has looked
        self._dismiss("from_user_id")
        receivers = self._find_nurturers(
            self.filtered(lambda one: not one._is_able(one.from_user_id)), now
        )
        for handoff in self:
            receivers.setdefault(handoff, handoff.from_user_id)
        for user in {*receivers.values()}:
            group = self.filtered(lambda one, user=user: receivers[one] == user)
            group._give(user, "handed_back", reason)
        returned = self.filtered(lambda one: receivers[one] == one.from_user_id)
        returned._tell("from_user_id", "handed_back")

    def _write_closed(self, now, vals):
        """Write the day of the end, with more."""
        for company, group in self.grouped("company_id").items():
            today = company._get_coverage_today(now)
            group.write({**vals, "closed_date": today, "is_called": False})

    # === OWNERSHIP === #

    def _move_ownership(self, name, code):
        """Make the giver or receiver the owner, a group of equal pairs at a time.

        :param name: of ``from_user_id``, ``to_user_id``
        """
        for (user, _reason), group in self.grouped(
            lambda one: (one[name], one.reason)
        ).items():
            group._give(user, code, _reason)

    def _give(self, user, code, text):
        """Make somebody the owner of these customers, or of the opportunities alone."""
        customers = self.customer_id
        reason = {"code": code, "text": text or ""}
        log = {
            "reasons": {one.id: {"user_id": reason} for one in customers},
            "origin": self.env.context.get("coverage_origin"),
        }
        if customers:
            customers.with_context(coverage_log=log).write({"user_id": user.id})
        leads = self.lead_id.filtered(lambda one: one.user_id != user)
        self.env["coverage.carry"]._carry_leads(leads, user, log)

    def _check_owners(self):
        """Raise unless the givers still have what is to change hands."""
        for handoff in self:
            if handoff._is_void():
                raise UserError(
                    self.env._(
                        "%(handoff)s is not open with %(giver)s any more. Cancel this "
                        "handoff.",
                        handoff=handoff.display_name,
                        giver=handoff.from_user_id.name or self.env._("nobody"),
                    )
                )

    @api.model
    def _settle_customers(self, customers):
        """End what others decided: handoffs of customers that changed hands otherwise.

        Called whenever owners changed. An offer of a former owner is cancelled, a watch
        of a receiver who has it no longer is over.
        """
        handoffs = self.sudo().search(
            [("customer_id", "in", customers.ids), ("state", "in", OPEN + RUNNING)]
        )
        reason, now = self.env._("The owner changed."), fields.Datetime.now()
        offers = handoffs.filtered(
            lambda one: (
                one.state in OPEN and one.from_user_id != one.customer_id.user_id
            )
        )
        if offers:
            offers._close("cancelled", reason, now)
        watches = handoffs.filtered(
            lambda one: (
                one.state in RUNNING and one.to_user_id != one.customer_id.user_id
            )
        )
        if watches:
            watches._complete(reason, now)

    # === WHO SEES === #

    def _admit(self, name):
        """Let the receivers or givers see the customers, and remember that we did."""
        for user, group in self.grouped(name).items():
            if not user:
                continue
            new = group.filtered(
                lambda one, user=user: (
                    one.customer_id and user not in one.customer_id.watcher_ids
                )
            )
            if new:
                new.customer_id.write({"watcher_ids": [fields.Command.link(user.id)]})
                new.write({ADMITTED[name]: True})

    def _dismiss(self, name):
        """Let them see the customers no longer, if they did because of this only.

        Where another handoff lets the same person see it, that one remembers it.
        """
        for user, group in self.filtered(ADMITTED[name]).grouped(name).items():
            others = group._find_others(user)
            for other in others:
                key = "to_user_id" if other.to_user_id == user else "from_user_id"
                other[ADMITTED[key]] = True
            customers = group.customer_id - others.customer_id
            customers.write({"watcher_ids": [fields.Command.unlink(user.id)]})
            group.write({ADMITTED[name]: False})

    def _find_others(self, user):
        """Return other handoffs because of which a person sees these customers."""
        return self.search(
            [
                ("customer_id", "in", self.customer_id.ids),
                ("id", "not in", self.ids),
                "|",
                "&",
                ("to_user_id", "=", user.id),
                ("state", "=", "offered"),
                "&",
                ("from_user_id", "=", user.id),
                "|",
                ("state", "=", "watched"),
                "&",
                ("state", "=", "completed"),
                ("is_co_selling", "=", True),
            ]
        )

    # === CHECKS === #

    def _check_mine(self, name):
        """Raise unless the user is the giver or receiver, or leads that side.

        :param name: of ``from_user_id``, ``to_user_id``
        """
        self.check_access("read")
        for handoff in self:
            if not handoff._is_mine(name):
                raise AccessError(
                    self.env._("This handoff is not yours. Ask your team leader.")
                )

    def _is_mine(self, name):
        """Return whether the user acts as giver or receiver, or in his place.

        The giver's leader acts for both, for he may transfer; the receiver's leader
        does not give away what is another team's.
        """
        user, sudo = self.env.user, self.sudo()
        if sudo[name] == user or self._is_led():
            return True
        leaders = sudo.to_user_id.crm_team_ids.user_id
        return name == "to_user_id" and user in leaders and user.has_group(LEADER)

    def _is_led(self):
        """Return whether the user leads the giver's team, or all."""
        guard = self.env["coverage.guard"]
        return guard._is_free() or guard._is_leader_of(self)

    def _check_leads(self):
        """Raise unless the user leads the giver's team of these handoffs."""
        self.check_access("read")
        if not all(handoff._is_led() for handoff in self):
            raise AccessError(
                self.env._("Only team leaders can do this. Ask your team leader.")
            )

    def _enter(self):
        """Return these with all rights, without what a caller put into the context."""
        return self.env["coverage.guard"]._enter(self)

    @api.model
    def _check_free(self, vals_list):
        """Raise when something is being handed over already; say by whom to whom."""
        wanted = [vals for vals in vals_list if vals.get("state", "draft") in OPEN]
        domain = Domain("state", "in", OPEN) & (
            Domain("customer_id", "in", [one["customer_id"] or 0 for one in wanted])
            | Domain("lead_id", "in", [one["lead_id"] or 0 for one in wanted])
        )
        for handoff in self.sudo().search(domain, limit=1):
            raise UserError(
                self.env._(
                    "%(handoff)s is being handed over to %(receiver)s already. Cancel "
                    "that handoff first.",
                    handoff=handoff.display_name,
                    receiver=handoff.to_user_id.name or self.env._("somebody"),
                )
            )

    def _check_may_begin(self):
        """Raise unless the user has what he hands over, or leads its team."""
        user = self.env.user
        if self.env.su or user.has_group(MANAGER):
            return
        is_leader = user.has_group(LEADER)
        for handoff in self.sudo():
            is_led = is_leader and handoff.team_id.user_id == user
            if handoff.from_user_id != user and not is_led:
                raise AccessError(
                    self.env._(
                        "%(handoff)s is not yours. Its owner or the team leader can "
                        "hand it over.",
                        handoff=handoff.display_name,
                    )
                )

    def _check_open(self, *states):
        """Return these handoffs; raise unless all are in one of these states."""
        labels = dict(self._fields["state"]._description_selection(self.env))
        for handoff in self:
            if handoff.state not in states:
                raise UserError(
                    self.env._(
                        "%(handoff)s is “%(state)s” already. Look again.",
                        handoff=handoff.display_name,
                        state=labels[handoff.state],
                    )
                )
        return self

    def _check_may_return(self, now):
        """Raise when the time to hand back is past."""
        until = self.handback_deadline
        today = self.company_id._get_coverage_today(now)
        if self.state in RUNNING and (not until or until < today):
            raise UserError(
                self.env._(
                    "The time to hand %(handoff)s back is past. Offer it to somebody "
                    "else, or ask your team leader.",
                    handoff=self.display_name,
                )
            )

    def _is_void(self):
        """Return whether nothing is left to hand over, or not by this giver."""
        customer, lead = self.customer_id, self.lead_id
        if customer:
            return not customer.active or customer.user_id != self.from_user_id
        is_open = lead.active and lead.won_status == "pending"
        return not is_open or lead.user_id != self.from_user_id

    def _is_able(self, user):
        """Return whether a person works in this company."""
        user = user.sudo()
        is_ours = user.active and not user.share
        return bool(user) and is_ours and self.company_id in user.company_ids

    def _hold(self):
        """Lock these handoffs, so that of two who answer at once one wins.

        :raises UserError: tells the other one
        """
        try:
            self.lock_for_update(allow_referencing=True)
        except LockError:
            raise UserError(
                self.env._("Somebody else is just answering. Look again in a moment.")
            ) from None
        self.invalidate_recordset(["state"])

    # === VALUES === #

    def _keep_given(self, vals):
        """Return what a person may say of a new handoff; the rest follows."""
        return {name: value for name, value in vals.items() if name in GIVEN}

    def _add_givers(self, vals_list):
        """Return the values of new handoffs with giver, team and company."""
        leads = self.lead_id.browse(
            {vals["lead_id"] for vals in vals_list if vals.get("lead_id")}
        )
        customers = self.customer_id.browse(
            {vals["customer_id"] for vals in vals_list if vals.get("customer_id")}
        )
        leads = {one.id: one for one in leads.sudo().exists()}
        customers = {one.id: one for one in customers.sudo().exists()}
        return [
            self._add_giver(
                vals,
                customers.get(vals.get("customer_id"), self.customer_id.sudo()),
                leads.get(vals.get("lead_id"), self.lead_id.sudo()),
            )
            for vals in vals_list
        ]

    def _add_giver(self, vals, customer, lead):
        """Return the values of a new handoff of a customer, or of a lead.

        A prospect goes with the lead, if both are the giver's.
        """
        giver = lead.user_id or customer.user_id
        company = customer.company_id or lead._get_coverage_company(self.env.company)
        if lead and not customer and vals.get("customer_id", True):
            customer = self._find_prospect(lead, company)
        return {
            "company_id": company.id,
            "from_user_id": giver.id,
            "team_id": (customer.team_id or lead.team_id or giver.sale_team_id).id,
            **vals,
            "customer_id": customer.id,
            "lead_id": lead.id,
        }

    def _find_prospect(self, lead, company):
        """Return the prospect of a lead's owner, unless it is handed over already."""
        customer = lead._get_coverage_customer(company)
        is_prospect = customer.lifecycle == "prospect" and customer.active
        if not is_prospect or customer.user_id != lead.user_id or not lead.user_id:
            return customer.browse()
        domain = [("customer_id", "=", customer.id), ("state", "in", OPEN)]
        return customer if not self.sudo().search_count(domain) else customer.browse()
