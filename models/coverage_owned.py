from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

LAPSING_DAYS = 3


class CoverageOwned(models.AbstractModel):
    """Who is accountable for a customer, in which role, and how that changes."""

    _name = "coverage.owned"
    _inherit = ["coverage.handed"]
    _description = "Ownership of a Customer"

    user_id = fields.Many2one(
        "res.users",
        string="Owner",
        index="btree_not_null",
        domain="[('share', '=', False), ('company_ids', '=', company_id)]",
        help="The one person accountable for this customer.",
    )
    accountable_user_id = fields.Many2one(
        "res.users",
        string="Accountable",
        compute="_compute_accountable_user_id",
        help="The owner; without one the team's leader, else the company's fallback "
        "person, else a manager.",
    )
    team_id = fields.Many2one(
        "crm.team", index="btree_not_null", string="Sales Team", ondelete="set null"
    )
    owned_since = fields.Date()
    protected_until = fields.Date(
        help="Nobody takes the customer away from its owner up to and with this day."
    )
    registered_date = fields.Date(
        string="Registered on",
        index="btree_not_null",
        help="The owner registered this customer. Without a two-way contact the right "
        "lapses.",
    )
    watcher_ids = fields.Many2many(
        "res.users",
        "coverage_customer_watcher_rel",
        string="Watchers",
        domain="[('share', '=', False)]",
        help="People who may see this customer although they do not own it.",
    )

    handoff_ids = fields.One2many("coverage.handoff", "customer_id", string="Handoffs")
    request_ids = fields.One2many("coverage.request", "customer_id", string="Requests")
    ownership_ids = fields.One2many(
        "coverage.ownership.report", "customer_id", string="Owners"
    )
    request_text = fields.Char(
        compute="_compute_request_text",
        compute_sudo=True,
        help="What the leader is asked, or decided in the last week.",
    )
    is_requested = fields.Boolean(
        compute="_compute_request_text",
        compute_sudo=True,
        export_string_translation=False,
    )
    lapse_date = fields.Date(
        string="Registration Lapses After",
        compute="_compute_lapse_date",
        help="Without a two-way contact by this day the customer is free again.",
    )

    @api.depends(
        "user_id.active",
        "team_id.user_id.active",
        "company_id.coverage_fallback_user_id.active",
    )
    def _compute_accountable_user_id(self):
        """Find the one who answers: the first of these who works in the company."""
        managers = {}
        for customer in self:
            known = customer.sudo()  # whoever sees it sees who answers for it
            company = known.company_id
            accountable = known.user_id.browse()
            for user in (
                known.user_id,
                known.team_id.user_id,
                company.coverage_fallback_user_id,
            ):
                if user and known._may_be_owned_by(user):
                    accountable = user
                    break
            else:
                if company not in managers:
                    managers[company] = company._find_coverage_manager()
                accountable = managers[company]
            customer.accountable_user_id = accountable

    @api.depends("request_ids.state", "request_ids.reason")
    def _compute_request_text(self):
        for customer in self:
            request = customer.request_ids._get_current()
            customer.is_requested = request.state == "open"
            customer.request_text = request._get_text()

    @api.depends("registered_date", "last_contact_date", "last_order_date", "user_id")
    def _compute_lapse_date(self):
        for customer in self:
            since, until = customer.registered_date, False
            if since and customer.user_id and not customer._is_proven_since(since):
                days = timedelta(customer.company_id.sudo().coverage_claim_days)
                until = max(since + days, customer.protected_until or since)
            customer.lapse_date = until

    # === ACTION METHODS === #

    def action_give_up(self):
        """Give customers up: a seller asks the leader, who leads them does it."""
        self.check_access("read")
        guard = self.env["coverage.guard"]
        led = self.filtered(lambda one: guard._is_free() or guard._is_leader_of(one))
        if any(customer.user_id != self.env.user for customer in self - led):
            raise UserError(
                self.env._("You give up your own customers only. Ask their owners.")
            )
        if any((self - led).company_id.sudo().mapped("coverage_guard_drop")):
            return self.env["coverage.ask"]._open("release", self.partner_id)
        self._log_owner({"code": "released"}).write({"user_id": False})
        return True

    def action_grant_request(self):
        """Grant, as the leader, what is asked about these customers."""
        return self._get_open_requests().action_grant()

    def action_decline_request(self):
        """Decline, as the leader, what is asked about these customers."""
        return self._get_open_requests().action_decline()

    # === REGISTRATION === #

    @api.model
    def _lapse_registrations(self, company, now):
        """Free the registered customers that nobody spoke to in time, or sold to.

        A quotation sent meanwhile protects for longer. No mail; the history says why.

        :return: the customers that have no owner now
        """
        today = company._get_coverage_today(now)
        days = company.coverage_claim_days
        self.flush_model()
        ids = self.env.execute_query(
            self._query_lapsed(company, today, today - timedelta(days=days))
        )
        customers = self.browse([row[0] for row in ids]).try_lock_for_update()
        claimed = customers.filtered(
            lambda one: one.claim_ids.filtered(
                lambda claim: claim.state == "taken" and claim.user_id == one.user_id
            )
        )
        for code, group in (("unspoken", claimed), ("lapsed", customers - claimed)):
            group._log_owner({"code": code, "days": days}, "job").write(
                {"user_id": False}
            )
        return customers

    def _query_lapsed(self, company, today, last_day):
        """Select registrations by comparing columns, which no domain can."""
        return SQL(
            """
            SELECT id FROM coverage_customer
             WHERE company_id = %s AND active AND user_id IS NOT NULL
               AND registered_date < %s
               AND COALESCE(protected_until, '-infinity') < %s
               AND COALESCE(last_contact_date, '-infinity') < registered_date
               AND COALESCE(last_order_date, '-infinity') < registered_date
             ORDER BY id
            """,
            company.id,
            last_day,
            today,
        )

    def _is_proven_since(self, day):
        """Return whether the customer was spoken to, or bought, since a day."""
        return any(
            last and last >= day
            for last in (self.last_contact_date, self.last_order_date)
        )

    # === BUSINESS METHODS === #

    @api.model
    def _get_lapsing_domain(self, user, company, today):
        """Return a seller's registrations that lapse within days.

        Those spoken to meanwhile are among them; ``lapse_date`` tells.
        """
        days = timedelta(company.sudo().coverage_claim_days - LAPSING_DAYS)
        return [
            ("company_id", "=", company.id),
            ("user_id", "=", user.id),
            ("registered_date", "<=", today - days),
        ]

    def _get_open_requests(self):
        return self.request_ids.filtered(lambda one: one.state == "open")

    def _may_be_owned_by(self, user):
        """Return whether somebody is one of us and works in this customer's company."""
        user = user.sudo()
        return user.active and not user.share and self.company_id in user.company_ids

    def _log_owner(self, reason, origin=None):
        """Return these customers, whose history keeps this reason of a new owner.

        :param dict reason: code and words, see ``coverage.why``
        """
        reasons = {one.id: {"user_id": reason} for one in self}
        log = {"reasons": reasons, "origin": origin}
        return self.sudo().with_context(coverage_log=log)

    def _log_claims(self, owner_id):
        """Return these customers, whose history says which one took for himself."""
        if owner_id != self.env.uid:
            return self
        claimed = self.filtered(lambda one: not one.user_id)
        log = claimed._log_owner({"code": "claimed"}).env.context["coverage_log"]
        return self.with_context(coverage_log=log)

    @api.model
    def _add_owner(self, vals):
        """Return the values of a new row with its owner: given, else the salesperson.

        As in rows that events make, only somebody of this company owns it.
        """
        company = self.company_id.browse(vals.get("company_id")) or self.env.company
        partner = self.partner_id.browse(vals.get("partner_id")).sudo()
        user = self.user_id.browse(vals.get("user_id")) or partner.user_id
        is_ours = (partner.company_id or user.company_id) == company
        is_able = user.active and not user.share and company in user.sudo().company_ids
        if not is_able or not (is_ours or vals.get("user_id")):
            return vals
        today = company._get_coverage_today(fields.Datetime.now())
        return {
            "team_id": user.sudo().sale_team_id.id,
            "owned_since": today,
            **vals,
            "user_id": user.id,
        }

    def _settle_owner(self, vals, former):
        """Follow a change of owner: team, day, salesperson, and what belongs to it.

        :param dict former: the owner before, by customer
        """
        if not self:
            return
        now = fields.Datetime.now()
        self.env["coverage.cadence"].sudo()._cancel_planned(self)
        groups = self.grouped(lambda customer: (customer.company_id, customer.user_id))
        for (company, user), group in groups.items():
            today = company._get_coverage_today(now)
            values = {"owned_since": today if user else False}
            if "team_id" not in vals and user:
                values["team_id"] = user.sale_team_id.id
            for name in ("protected_until", "registered_date"):
                if name not in vals and any(group.mapped(name)):
                    values[name] = False  # rights are of a person
            group.sudo().write(values)
        self.env["coverage.carry"].sudo()._carry(self.sudo(), former)
        if not self.env.context.get("coverage_from_partner"):
            self._mirror_owner_to_partner()
        self.env["coverage.handoff"]._settle_customers(self)
        self.env["coverage.rethink.engine"].sudo()._settle_customers(self.sudo(), now)
        self._log_owner_line(former)

    def _log_owner_line(self, former):
        """Say in one line of each contact's chatter who had it, who has it, and why."""
        log = self.env.context.get("coverage_log") or {}
        _, why, bodies = self.env._, self.env["coverage.why"], {}
        for customer in self.sudo():
            reason = log.get("reasons", {}).get(customer.id, {}).get("user_id") or {}
            sentences = why._get_owner_sentences(reason)
            line = _(
                "Owner: %(former)s → %(owner)s.",
                former=former[customer].sudo().name or _("nobody"),
                owner=customer.user_id.name or _("nobody"),
            )
            text = sentences.get(reason.get("code"), "")
            bodies[customer.partner_id.id] = f"{line} {text}".strip()
        self.partner_id.sudo()._message_log_batch(bodies)

    def _mirror_owner_to_partner(self):
        """Write the owners to the contacts whose mirrored rows these are."""
        mirrored = self.partner_id._get_mirrored_coverage()
        partners = self.filtered(
            lambda customer: (
                mirrored[customer.partner_id] == customer
                and customer.partner_id.user_id != customer.user_id
            )
        ).grouped("user_id")
        for user, customers in partners.items():
            customers.partner_id.with_context(
                coverage_from_customer=True,
                mail_auto_subscribe_no_notify=True,
                mail_notrack=True,  # our own line says it, with the reason
            ).user_id = user
