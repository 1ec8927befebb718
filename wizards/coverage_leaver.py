from collections import Counter, defaultdict

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain

from ..models.coverage_carry import QUIET
from ..models.coverage_handoff import OPEN

ADMINISTRATOR = "base.group_erp_manager"
MODES = [
    ("one", "One person takes all"),
    ("best", "For each customer, who fits best"),
    ("pool", "Nobody yet: to the pools of their teams"),
]


class CoverageLeaver(models.TransientModel):
    """Hands over all that somebody has who leaves: customers, handoffs, stages.

    Managers and administrators for everybody, leaders for the members of their teams.
    """

    _name = "coverage.leaver"
    _description = "Who Takes Over"

    user_id = fields.Many2one("res.users", string="Who Leaves", required=True)
    mode = fields.Selection(MODES, string="To Whom", required=True, default="one")
    receiver_id = fields.Many2one(
        "res.users",
        domain="[('share', '=', False), ('id', '!=', user_id)]",
    )
    is_archived = fields.Boolean(
        string="Archive the User Afterwards", default=lambda self: self._can_archive()
    )
    can_archive = fields.Boolean(compute="_compute_can_archive")

    # what it is about
    customer_count = fields.Integer(string="Customers", compute="_compute_counts")
    lead_count = fields.Integer(string="Open Leads", compute="_compute_counts")
    handoff_count = fields.Integer(string="Open Handoffs", compute="_compute_counts")
    stage_count = fields.Integer(string="Stages", compute="_compute_counts")

    @api.depends_context("uid")
    def _compute_can_archive(self):
        self.can_archive = self._can_archive()

    @api.depends("user_id")
    def _compute_counts(self):
        for leaver in self:
            user = leaver.user_id
            leaver.customer_count = len(self._find_owned(user)) if user else 0
            leaver.lead_count = len(self._find_leads(user)) if user else 0
            leaver.handoff_count = len(self._find_handoffs(user)) if user else 0
            leaver.stage_count = len(self._find_stages(user)) if user else 0

    @api.model
    def _open(self, user):
        """Return the action that opens this dialog."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Who Takes Over?"),
            "res_model": self._name,
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_user_id": user.id},
        }

    # === ACTION METHODS === #

    def action_hand_over(self):
        """Move all, then archive the user where that was wanted.

        :raises UserError: without a receiver, or when he does not work there
        """
        self.ensure_one()
        self._check_leads_leaver()
        owned = self._find_owned(self.user_id)
        self._check_receiver(owned)
        for receiver, customers in self._choose_receivers(owned).items():
            reason = {"code": "left", "name": self.user_id.sudo().name}
            customers._log_owner(reason).write({"user_id": receiver.id})
        self._close_handoffs()
        self._move_leads()
        self._move_stages()
        if self.is_archived and self._can_archive():
            self.user_id.action_archive()
        return self._say_moved(len(owned))

    def _say_moved(self, count):
        """Return the action that says what happened, and shows the result."""
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "%(user)s handed over. Customers: %(count)s.",
                    user=self.user_id.sudo().name,
                    count=count,
                ),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    # === WHO, AND WHAT === #

    @api.model
    def _can_archive(self):
        return self.env.user.has_group(ADMINISTRATOR)

    def _sees_all(self):
        guard = self.env["coverage.guard"]
        return guard._is_free() or self._can_archive()

    def _check_leads_leaver(self):
        """Raise unless the user leads who leaves."""
        leaver = self.user_id.sudo()
        teams = leaver.crm_team_member_ids.crm_team_id
        if not self._sees_all() and self.env.user not in teams.user_id:
            raise AccessError(
                self.env._("%(user)s is not in a team you lead.", user=leaver.name)
            )

    def _check_receiver(self, owned):
        """Raise unless the one who takes all may own all."""
        if self.mode != "one":
            return
        receiver = self.receiver_id.sudo()
        if not receiver or receiver == self.user_id:
            raise UserError(self.env._("Choose who takes over."))
        for company, customers in owned.grouped("company_id").items():
            if not customers[0]._may_be_owned_by(receiver):
                raise UserError(
                    self.env._(
                        "%(user)s does not work in %(company)s. Choose somebody else, "
                        "or who fits best.",
                        user=receiver.name,
                        company=company.name,
                    )
                )

    @api.model
    def _find_left(self, user):
        """Return customers whose owner works here, or in their company, no more."""
        user = user.sudo()
        domain = Domain("user_id", "=", user.id)
        if user.active:
            domain &= Domain("company_id", "not in", user.company_ids.ids)
        rows = self.env["coverage.customer"].sudo()
        return rows.search(domain)

    def _find_owned(self, user):
        """Return the customers of somebody that the user may hand over."""
        domain = Domain("user_id", "=", user.id)
        if not self._sees_all():
            domain &= Domain("team_id.user_id", "=", self.env.uid)
        return self.env["coverage.customer"].sudo().search(domain)

    def _find_leads(self, user):
        """Return open leads of somebody, those of his customers too."""
        domain = Domain("user_id", "=", user.id) & Domain("won_status", "=", "pending")
        if not self._sees_all():
            domain &= Domain("team_id.user_id", "=", self.env.uid)
        return self.env["crm.lead"].sudo().search(domain)

    def _find_handoffs(self, user):
        """Return open handoffs that somebody gives or is offered."""
        domain = Domain("state", "in", OPEN) & (
            Domain("from_user_id", "=", user.id) | Domain("to_user_id", "=", user.id)
        )
        if not self._sees_all():
            domain &= Domain("team_id.user_id", "=", self.env.uid) | Domain(
                "to_user_id", "=", user.id
            )
        return self.env["coverage.handoff"].sudo().search(domain)

    def _find_stages(self, user):
        """Return the stages that somebody is the boss of."""
        domain = Domain("user_id", "=", user.id)
        if not self._sees_all():
            domain &= Domain("team_id.user_id", "=", self.env.uid)
        return self.env["coverage.stage.owner"].sudo().search(domain)

    # === MOVING === #

    def _choose_receivers(self, owned):
        """Return the customers by who takes them; nobody stands for the pool."""
        nobody = self.env["res.users"].sudo()
        if not owned:
            return {}
        if self.mode == "one":
            return {self.receiver_id.sudo(): owned}
        if self.mode == "pool":
            return {nobody: owned}
        chosen, taken = defaultdict(owned.browse), Counter()
        now = fields.Datetime.now()
        groups = owned.grouped(lambda one: (one.company_id, one.role_id, one.rule_id))
        for (company, role, rule), customers in groups.items():
            proposals = self.env["coverage.candidate"]._propose(
                company, customers, role, rule.min_seniority, now
            )
            for customer in customers:
                user_id = self._choose_best(proposals.get(customer.id) or (), taken)
                taken[user_id] += 1
                chosen[nobody.browse(user_id or ())] += customer
        return chosen

    def _choose_best(self, candidates, taken):
        """Return the best candidate's user id; of equal ones who got least so far."""
        others = [one for one in candidates if one["user_id"] != self.user_id.id]
        if not others:
            return None
        best = max(
            others,
            key=lambda one: (one["score"], -taken[one["user_id"]], -one["user_id"]),
        )
        return best["user_id"]

    def _close_handoffs(self):
        """Take back what he gives or is offered; who owns it now stays accountable."""
        handoffs = self._find_handoffs(self.user_id)
        if handoffs:
            name = self.user_id.sudo().name
            reason = self.env._("%(user)s left.", user=name)
            handoffs._close("cancelled", reason, fields.Datetime.now())

    def _move_leads(self):
        """Give the leads that followed no customer to the receiver, or to nobody."""
        leads = self._find_leads(self.user_id)
        if leads:
            leads.with_context(**QUIET).write({"user_id": self._get_receiver().id})

    def _move_stages(self):
        """Make the receiver the boss of the stages, else the leader of the team."""
        for stage in self._find_stages(self.user_id):
            leader = stage.team_id.user_id - self.user_id
            stage.user_id = self._get_receiver() or leader or self.env.user

    def _get_receiver(self):
        return self.receiver_id.sudo() if self.mode == "one" else self.receiver_id[:0]
