from odoo import api, fields, models


class CoverageOwned(models.AbstractModel):
    """Who is accountable for a customer, in which role, and how that changes."""

    _name = "coverage.owned"
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
        help="The owner; without one the team's leader, else the company's fallback.",
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

    # who should cover it
    role_id = fields.Many2one(
        "coverage.role",
        string="Covered by",
        index="btree_not_null",
        ondelete="set null",
        help="The role that the rules of who covers whom name for this customer.",
    )
    rule_id = fields.Many2one(
        "coverage.rule",
        string="Coverage Rule",
        ondelete="set null",
        help="The rule that named the role.",
    )
    handoff_ids = fields.One2many("coverage.handoff", "customer_id", string="Handoffs")

    @api.depends("user_id", "team_id.user_id", "company_id.coverage_fallback_user_id")
    def _compute_accountable_user_id(self):
        for customer in self:
            customer.accountable_user_id = (
                customer.user_id
                or customer.team_id.user_id
                or customer.company_id.sudo().coverage_fallback_user_id
            )

    # === ACTION METHODS === #

    def action_hand_over(self):
        """Open the dialog that offers this customer to somebody else."""
        self.ensure_one()
        return self.env["coverage.offer"]._open(default_customer_id=self.id)

    # === BUSINESS METHODS === #

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
        now = fields.Datetime.now()
        self.env["coverage.cadence"].sudo()._cancel_planned(self)
        groups = self.grouped(lambda customer: (customer.company_id, customer.user_id))
        for (company, user), group in groups.items():
            today = company._get_coverage_today(now)
            values = {"owned_since": today if user else False}
            if "team_id" not in vals and user:
                values["team_id"] = user.sale_team_id.id
            if "protected_until" not in vals and any(group.mapped("protected_until")):
                values["protected_until"] = False
            group.sudo().write(values)
        self.env["coverage.carry"].sudo()._carry(self.sudo(), former)
        if not self.env.context.get("coverage_from_partner"):
            self._mirror_owner_to_partner()

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
                coverage_from_customer=True, mail_auto_subscribe_no_notify=True
            ).user_id = user
