from collections import defaultdict

from dateutil.relativedelta import relativedelta

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.tools import SQL

from .coverage_role import SENIORITIES
from .groups import LEADER, MANAGER

SALES_MONTHS = 24
LEAST_SHARE = 0.1  # of somebody's orders: fewer is chance
KNOWS = (
    "coverage_country_ids",
    "coverage_state_ids",
    "coverage_lang_ids",
    "coverage_industry_ids",
    "coverage_categ_ids",
)
GIVEN = ("coverage_capacity", "coverage_assistant_id", "coverage_is_ready", *KNOWS)
HELD = {"coverage_role_ids", "active", "crm_team_id", "user_id"}


class CrmTeamMember(models.Model):
    """What a member of a sales team is there for, and what it knows best."""

    _inherit = "crm.team.member"

    coverage_capacity = fields.Integer(
        string="Contacts a Month",
        help="How many contacts this person can keep in 30 days. 0: as the company's "
        "settings say.",
    )
    coverage_role_ids = fields.Many2many(
        "coverage.role",
        "coverage_role_member_rel",
        "member_id",
        "role_id",
        string="Roles",
    )
    coverage_seniority = fields.Selection(
        SENIORITIES, string="Seniority", default="regular", required=True
    )
    coverage_assistant_id = fields.Many2one(
        "res.users",
        string="Assistant",
        index="btree_not_null",
        domain="[('share', '=', False), ('id', '!=', user_id)]",
        help="Gets the paperwork of this person's orders, which are open to him.",
    )
    coverage_is_ready = fields.Boolean(
        string="Ready for More",
        groups=LEADER,
        help="Could take over another role, in the leader's opinion.",
    )
    coverage_tenure_ids = fields.One2many(
        "coverage.tenure", "member_id", string="Time in Roles", groups=LEADER
    )

    # what it knows best; empty: anything
    coverage_country_ids = fields.Many2many(
        "res.country", "coverage_member_country_rel", string="Countries"
    )
    coverage_state_ids = fields.Many2many(
        "res.country.state", "coverage_member_state_rel", string="Territories"
    )
    coverage_lang_ids = fields.Many2many(
        "res.lang", "coverage_member_lang_rel", string="Languages"
    )
    coverage_industry_ids = fields.Many2many(
        "res.partner.industry", "coverage_member_industry_rel", string="Industries"
    )
    coverage_categ_ids = fields.Many2many(
        "product.category", "coverage_member_categ_rel", string="Product Lines"
    )

    # what it has to do
    coverage_customer_count = fields.Integer(
        string="Customers", compute="_compute_coverage_load", groups=LEADER
    )
    coverage_load = fields.Float(
        string="Load",
        compute="_compute_coverage_load",
        digits=(16, 1),
        groups=LEADER,
        help="Contacts a month that the customers of this person ask for.",
    )
    is_led_by_me = fields.Boolean(compute="_compute_is_led_by_me")

    _coverage_capacity_not_negative = models.Constraint(
        "CHECK (coverage_capacity >= 0)",
        "The contacts a month cannot be negative. Use 0 for the company's setting.",
    )

    @api.depends("user_id")
    def _compute_coverage_load(self):
        domain = [
            ("user_id", "in", self.user_id.ids),
            ("company_id", "in", self.env.companies.ids),
        ]
        counts, loads = defaultdict(int), defaultdict(float)
        # the numbers of a team are its leader's, whoever owns the customers
        for user, segment, count in (
            self.env["coverage.customer"]
            .sudo()
            ._read_group(domain, ["user_id", "segment_id"], ["__count"])
        ):
            counts[user.id] += count
            if segment.contact_interval_days:
                loads[user.id] += count * 30 / segment.contact_interval_days
        for member in self:
            member.coverage_customer_count = counts[member.user_id.id]
            member.coverage_load = loads[member.user_id.id]

    @api.depends("crm_team_id.user_id")
    @api.depends_context("uid")
    def _compute_is_led_by_me(self):
        is_manager = self.env.su or self.env.user.has_group(MANAGER)
        for member in self:
            leader = member.crm_team_id.user_id
            member.is_led_by_me = is_manager or leader == self.env.user

    @api.constrains("coverage_assistant_id", "user_id")
    def _check_coverage_assistant(self):
        for member in self:
            if member.coverage_assistant_id == member.user_id:
                raise ValidationError(
                    self.env._(
                        "%(person)s cannot be the own assistant. Choose somebody else.",
                        person=member.user_id.name,
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        former = self._find_memberships([vals.get("user_id") for vals in vals_list])
        members = super().create(vals_list)
        members._take_over(former)
        members._keep_tenures(fields.Datetime.now())
        if members.coverage_assistant_id:
            self.env.registry.clear_cache()  # who sees whose orders is remembered
        return members

    def write(self, vals):
        if {"coverage_assistant_id", "active", "user_id"} & vals.keys():
            self.env.registry.clear_cache()  # who sees whose orders is remembered
        if HELD.isdisjoint(vals):
            return super().write(vals)
        former = self._find_memberships(self.user_id.ids if vals.get("active") else [])
        result = super().write(vals)
        self._take_over(former)
        self._keep_tenures(fields.Datetime.now())
        return result

    def unlink(self):
        """End the time in roles before the membership goes; the history stays."""
        tenures = self.env["coverage.tenure"].sudo()
        tenures.search([("member_id", "in", self.ids), ("date_to", "=", False)])._end(
            fields.Datetime.now()
        )
        self.env.registry.clear_cache()
        return super().unlink()

    # === ACTION METHODS === #

    def action_fill_in_from_sales(self):
        """Fill in, where nothing is said, what these people sell, where and to whom."""
        self._check_leads_them()
        filled = self._prefill(fields.Datetime.now())
        if filled:
            message = self.env._(
                "Filled in from the orders of the last %(months)s months for: "
                "%(people)s.",
                months=SALES_MONTHS,
                people=", ".join(filled.user_id.mapped("name")),
            )
        else:
            message = self.env._(
                "Nothing to fill in: what is said already stays, and without confirmed "
                "orders nothing is known."
            )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success" if filled else "info",
                "message": message,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def action_mark_ready(self):
        """Say, as the leader, that these people could take over another role."""
        self._check_leads_them()
        self.sudo().coverage_is_ready = True  # leaders cannot change memberships
        return True

    def action_unmark_ready(self):
        """Say, as the leader, that these people stay in their role for now."""
        self._check_leads_them()
        self.sudo().coverage_is_ready = False  # leaders cannot change memberships
        return True

    # === BUSINESS METHODS === #

    def _check_leads_them(self):
        """Raise unless the user leads the teams of all these people."""
        if not all(self.mapped("is_led_by_me")):
            raise AccessError(
                self.env._(
                    "You can do this only for the people of teams that you lead. Ask "
                    "their leader or a manager."
                )
            )

    def _find_memberships(self, user_ids):
        """Return the memberships that these users have now."""
        user_ids = [user_id for user_id in user_ids if user_id]
        if not user_ids:
            return self.browse()
        return self.search([("user_id", "in", user_ids), ("active", "=", True)])

    def _take_over(self, former):
        """Go on with what memberships said that ended because these began.

        Where people belong to one team only, Odoo archives the membership in the team
        they leave. Who had roles there keeps them, unless the new membership names
        some.
        """
        left = former.filtered(lambda one: not one.active)
        for member in self if left else ():
            old = left.filtered(lambda one, user=member.user_id: one.user_id == user)
            if values := member.sudo()._prepare_taken_over(old[:1].sudo()):
                member.sudo().write(values)
                member._log_taken_over(old[:1])

    def _prepare_taken_over(self, former):
        """Return what this membership does not say, as the former one said it."""
        names = [name for name in GIVEN if former[name] and not self[name]]
        if former.coverage_role_ids and not self.coverage_role_ids:
            names += ["coverage_role_ids", "coverage_seniority"]
        return {
            name: self._fields[name].convert_to_write(former[name], former)
            for name in names
        }

    def _log_taken_over(self, former):
        """Note in the chatter where roles and the rest come from."""
        self._message_log(
            body=self.env._(
                "Goes on as in %(team)s: %(roles)s.",
                team=former.crm_team_id.name,
                roles=", ".join(self.coverage_role_ids.mapped("name"))
                or self.env._("no role"),
            )
        )

    def _keep_tenures(self, now):
        """Keep the time in roles of these members, whoever changed them."""
        self.env["coverage.tenure"].sudo()._keep(self.sudo(), now)

    def _prefill(self, now):
        """Fill in what is empty from the confirmed orders of the last 24 months.

        What makes at least a tenth of somebody's orders counts as known.

        :return: the members for whom something was filled in
        """
        known = defaultdict(lambda: defaultdict(list))
        for member_id, name, value in self._collect_sales(now):
            known[member_id][name].append(value)
        groups = defaultdict(self.browse)
        for member in self.sudo():  # leaders cannot change memberships
            for name, values in known[member.id].items():
                if not member[name]:
                    groups[name, tuple(values)] += member
        for (name, values), group in groups.items():
            group.sudo().write({name: [Command.set(values)]})
        return self.browse().union(*groups.values())

    def _collect_sales(self, now):
        """Return member, field and id of what makes a good part of orders."""
        if not self.ids:
            return []
        for model in ("crm.team.member", "crm.team", "res.partner", "sale.order"):
            self.env[model].flush_model()
        self.env["sale.order.line"].flush_model(["order_id", "product_id"])
        return self.env.execute_query(self._query_sales(now))

    def _query_sales(self, now):
        """Count orders by what they tell of their seller, for many members at once."""
        return SQL(
            """
            WITH sold AS (
                SELECT m.id AS member_id, o.id, buyer.country_id, buyer.state_id,
                       buyer.industry_id, lang.id AS lang_id
                  FROM crm_team_member m
                  JOIN crm_team t ON t.id = m.crm_team_id
                  JOIN sale_order o ON o.user_id = m.user_id AND o.state = 'sale'
                   AND o.date_order > %(since)s AND o.date_order <= %(now)s
                   AND CASE WHEN t.company_id IS NULL THEN o.company_id IN %(companies)s
                            ELSE o.company_id = t.company_id END
                  JOIN res_partner p ON p.id = o.partner_id
                  JOIN res_partner buyer ON buyer.id = p.commercial_partner_id
                  LEFT JOIN res_lang lang ON lang.code = p.lang AND lang.active
                 WHERE m.id IN %(members)s
            ),
            told AS (
                SELECT member_id, id, 'coverage_country_ids' AS name,
                       country_id AS value FROM sold
                 UNION ALL
                SELECT member_id, id, 'coverage_state_ids', state_id FROM sold
                 UNION ALL
                SELECT member_id, id, 'coverage_lang_ids', lang_id FROM sold
                 UNION ALL
                SELECT member_id, id, 'coverage_industry_ids', industry_id FROM sold
                 UNION ALL
                SELECT sold.member_id, sold.id, 'coverage_categ_ids', line.categ_id
                  FROM sold
                 CROSS JOIN LATERAL (
                        SELECT DISTINCT pt.categ_id
                          FROM sale_order_line l
                          JOIN product_product pp ON pp.id = l.product_id
                          JOIN product_template pt ON pt.id = pp.product_tmpl_id
                         WHERE l.order_id = sold.id) line
            )
            SELECT told.member_id, told.name, told.value
              FROM told
              JOIN (SELECT member_id, COUNT(*) AS number FROM sold GROUP BY member_id
                   ) total ON total.member_id = told.member_id
             WHERE told.value IS NOT NULL
             GROUP BY told.member_id, told.name, told.value, total.number
            HAVING COUNT(*) >= %(least)s * total.number
             ORDER BY told.member_id, told.name, told.value
            """,
            since=now - relativedelta(months=SALES_MONTHS),
            now=now,
            companies=tuple(self.env.companies.ids) or (0,),
            members=tuple(self.ids),
            least=LEAST_SHARE,
        )
