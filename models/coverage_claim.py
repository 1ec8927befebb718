from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, LockError, UserError
from odoo.fields import Domain

from .opening import open_form

STATES = [
    ("offered", "Offered"),
    ("taken", "Taken"),
    ("passed", "Passed"),
    ("expired", "Not Answered"),
    ("withdrawn", "Withdrawn"),
]
TRANSITIONS = {
    ("offered", "taken"),
    ("offered", "passed"),
    ("offered", "expired"),
    ("offered", "withdrawn"),
}
PASS_REASONS = [
    ("time", "No time for it now"),
    ("far", "Too far away"),
    ("field", "Not my field"),
    ("history", "We parted on bad terms"),
    ("gone", "Closed down, or known twice"),
    ("other", "Something else"),
]


class CoverageClaim(models.Model):
    """One offer from the pool: to whom, of what, until when, and the answer.

    Made by ``coverage.pool`` alone. At most one open offer for each seller (of
    customers and of leads), and one for each customer or lead.
    """

    _name = "coverage.claim"
    _description = "Offer from the Pool"
    _order = "offer_date desc, id desc"
    _rec_name = "subject_name"

    user_id = fields.Many2one(
        "res.users", string="Seller", required=True, readonly=True, index=True
    )
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, index=True, ondelete="cascade"
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    team_id = fields.Many2one("crm.team", string="Sales Team", readonly=True)
    customer_id = fields.Many2one(
        "coverage.customer", index="btree_not_null", readonly=True, ondelete="cascade"
    )
    lead_id = fields.Many2one(
        "crm.lead", index="btree_not_null", readonly=True, ondelete="cascade"
    )
    state = fields.Selection(STATES, required=True, default="offered", readonly=True)
    offer_date = fields.Datetime(string="Offered on", required=True, readonly=True)
    until_date = fields.Datetime(
        string="Held Until",
        required=True,
        readonly=True,
        help="Up to then nobody else is offered it.",
    )
    answer_date = fields.Datetime(string="Answered on", readonly=True)
    pass_reason = fields.Selection(PASS_REASONS, string="Why Passed", readonly=True)
    pass_text = fields.Char(string="In Words", readonly=True)
    score = fields.Float(string="Fit", readonly=True, aggregator="avg")
    reasons = fields.Json(readonly=True)
    value = fields.Monetary(
        readonly=True, help="Potential of a customer, expected revenue of a lead."
    )

    # what it is about: who is offered it may see so much, whatever else he may see
    subject_name = fields.Char(
        string="Customer or Lead", compute="_compute_subject", compute_sudo=True
    )
    badge = fields.Char(compute="_compute_subject", compute_sudo=True)
    temperature_code = fields.Char(
        compute="_compute_subject", compute_sudo=True, export_string_translation=False
    )
    place = fields.Char(compute="_compute_subject", compute_sudo=True)
    phone = fields.Char(compute="_compute_subject", compute_sudo=True)
    email = fields.Char(compute="_compute_subject", compute_sudo=True)
    last_contact_date = fields.Date(compute="_compute_subject", compute_sudo=True)
    last_order_date = fields.Date(compute="_compute_subject", compute_sudo=True)
    next_contact_date = fields.Date(compute="_compute_subject", compute_sudo=True)
    pool_text = fields.Char(
        string="Why It Is Free", compute="_compute_subject", compute_sudo=True
    )
    fit_text = fields.Text(string="Why You", compute="_compute_fit_text")
    is_mine = fields.Boolean(compute="_compute_is_mine")
    can_open = fields.Boolean(compute="_compute_can_open")

    _one_subject = models.Constraint(
        "CHECK ((customer_id IS NULL) <> (lead_id IS NULL))",
        "An offer is of one customer or of one lead.",
    )
    _one_open_person = models.UniqueIndex(
        "(user_id, company_id, (lead_id IS NULL)) WHERE state = 'offered'",
        "One offer at a time: answer the one that waits first.",
    )
    _one_open_customer = models.UniqueIndex(
        "(customer_id) WHERE state = 'offered'",
        "Somebody else is thinking about this customer.",
    )
    _one_open_lead = models.UniqueIndex(
        "(lead_id) WHERE state = 'offered'",
        "Somebody else is thinking about this lead.",
    )
    _user_answer = models.Index("(user_id, state, answer_date)")

    @api.depends("customer_id", "lead_id")
    def _compute_subject(self):
        for claim in self:
            customer, lead = claim.customer_id, claim.lead_id
            subject = customer or lead
            partner = subject.partner_id
            where = partner if customer or partner else lead
            claim.subject_name = lead.name or partner.display_name
            claim.badge = customer.badge or lead.segment_id.code
            claim.temperature_code = customer.temperature_code
            claim.place = ", ".join(
                filter(None, (where.city, where.state_id.name, where.country_id.name))
            )
            claim.phone = lead.phone or partner.phone
            claim.email = lead.email_from or partner.email
            claim.last_contact_date = customer.last_contact_date
            claim.last_order_date = customer.last_order_date
            claim.next_contact_date = customer.next_contact_date
            claim.pool_text = customer.pool_text

    @api.depends("reasons")
    def _compute_fit_text(self):
        for claim in self:
            claim.fit_text = " · ".join(claim.reasons or ())

    @api.depends("user_id")
    @api.depends_context("uid")
    def _compute_is_mine(self):
        for claim in self:
            claim.is_mine = claim.user_id == self.env.user

    @api.depends("customer_id", "lead_id")
    @api.depends_context("uid")
    def _compute_can_open(self):
        customers = self.customer_id._filtered_access("read")
        leads = self.lead_id._filtered_access("read")
        for claim in self:
            claim.can_open = claim.customer_id in customers and claim.lead_id in leads

    @api.autovacuum
    def _gc_open(self):
        """Close what nobody answered, also where nobody asks for the next one."""
        for company in self.env["res.company"].search([]):
            self._close_stale(company, fields.Datetime.now())

    # === ACTION METHODS === #

    def action_take(self):
        """Take what is offered, and open it.

        :raises UserError: when it is too late, or no room is left meanwhile
        """
        self.ensure_one()
        now = fields.Datetime.now()
        claim = self._enter_mine(now)
        subject = claim.customer_id or claim.lead_id
        if not self.env["coverage.pool"]._lock(subject) or subject.user_id:
            raise UserError(
                self.env._(
                    "%(name)s has somebody meanwhile. Ask for the next one.",
                    name=claim.subject_name,
                )
            )
        company, user = claim.company_id, claim.user_id
        self.env["coverage.pool"]._check_able(user, company, subject, now)
        claim._update_state("taken", now)
        claim._give(now)
        return open_form(subject._name, subject.id)

    def action_pass(self, reason, text=None):
        """Pass what is offered; it is free for others, and the leader sees why.

        :param str reason: code of the list; ``other`` needs words
        :raises UserError: without a reason, or when it is too late
        """
        self.ensure_one()
        text = (text or "").strip()
        if reason not in dict(PASS_REASONS) or (reason == "other" and not text):
            raise UserError(self.env._("Say why you pass: your team leader reads it."))
        now = fields.Datetime.now()
        claim = self._enter_mine(now)
        claim.write({"pass_reason": reason, "pass_text": text or False})
        claim._update_state("passed", now)
        return True

    def action_open(self):
        """Open the offer in a dialog."""
        self.ensure_one()
        action = open_form(self._name, self.id)
        view = self.env.ref("crm_sales_coverage.coverage_claim_view_form")
        name = self.env._("The Next One")
        return {**action, "name": name, "target": "new", "views": [(view.id, "form")]}

    def action_open_subject(self):
        """Open the customer or lead that it is about."""
        self.ensure_one()
        subject = self.customer_id or self.lead_id
        return open_form(subject._name, subject.id)

    # === BUSINESS METHODS === #

    @api.model
    def _find_open(self, user, company, is_lead):
        """Return the offer that waits for somebody's answer."""
        return self.search(
            [
                ("user_id", "=", user.id),
                ("company_id", "=", company.id),
                ("state", "=", "offered"),
                ("lead_id", "!=" if is_lead else "=", False),
            ],
            limit=1,
        )

    @api.model
    def _close_stale(self, company, now):
        """Close offers that nobody answered in time, or whose subject is not free.

        Passing over those that somebody is just answering.
        """
        late = Domain("until_date", "<=", now)
        owned = (
            Domain("customer_id.user_id", "!=", False)
            | Domain("customer_id.active", "=", False)
            | Domain("lead_id.user_id", "!=", False)
            | Domain("lead_id.active", "=", False)
            | Domain("lead_id.won_status", "in", ("won", "lost"))
        )
        is_open = Domain("company_id", "=", company.id) & Domain(
            "state", "=", "offered"
        )
        gone = self.with_context(active_test=False).search(is_open & owned)
        self.env["coverage.pool"]._lock(gone)._update_state("withdrawn", now)
        stale = self.search(is_open & late)
        self.env["coverage.pool"]._lock(stale)._update_state("expired", now)

    @api.model
    def _prepare_offer(self, user, company, subject, now):
        """Return the values of an offer of a customer or lead to somebody."""
        is_lead = subject._name == "crm.lead"
        hours = company.sudo().coverage_pool_offer_hours
        return {
            "user_id": user.id,
            "company_id": company.id,
            "team_id": subject.team_id.id,
            "lead_id" if is_lead else "customer_id": subject.id,
            "offer_date": now,
            "until_date": now + timedelta(hours=hours),
            "value": subject.expected_revenue if is_lead else subject.potential,
        }

    def _enter_mine(self, now):
        """Return one's own open offer, held and with all rights.

        :raises AccessError: for somebody else's
        :raises UserError: when it was answered, or the time is over
        """
        self.check_access("read")
        if self.user_id != self.env.user:
            raise AccessError(self.env._("This offer is somebody else's."))
        claim = self.env["coverage.guard"]._enter(self)
        try:
            claim.lock_for_update(allow_referencing=True)
        except LockError:
            raise UserError(self.env._("You are answering already.")) from None
        claim.invalidate_recordset(["state"])
        if claim.state != "offered" or claim.until_date <= now:
            raise UserError(
                self.env._("This offer is over. Ask for the next one instead.")
            )
        return claim

    def _update_state(self, target, now):
        """Move to ``target``; the only place that changes the state."""
        for claim in self:
            if (claim.state, target) not in TRANSITIONS:
                raise UserError(self.env._("This offer is over. Look again."))
        self.write({"state": target, "answer_date": now})

    def _give(self, now):
        """Make the seller the owner of the customer, or salesperson of the lead.

        Both for as long as a registration lasts: who takes a customer and speaks to
        nobody there in time has it no more. Nobody takes it away until then.
        """
        self.lead_id.user_id = self.user_id
        company, customer = self.company_id, self.customer_id
        if not customer:
            return
        today = company._get_coverage_today(now)
        customer._log_owner({"code": "claimed"}).write(
            {
                "user_id": self.user_id.id,
                "team_id": customer.team_id.id or self.user_id.sale_team_id.id,
                "registered_date": today,
                "protected_until": today + timedelta(days=company.coverage_claim_days),
            }
        )
