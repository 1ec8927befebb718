from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import format_date

from .coverage_contact import CONTACTS
from .coverage_facts import FACTS
from .coverage_neglect import MARKS
from .coverage_rows import FLAT
from .groups import LEADER
from .opening import open_form

LIFECYCLES = [
    ("prospect", "Prospect"),
    ("new", "New"),
    ("regular", "Regular"),
    ("sleeping", "Sleeping"),
]
SOURCES = [
    ("history", "Best year"),
    ("declared", "Declared"),
    ("lookalike", "Look-alike"),
    ("confirmed", "Confirmed"),
]
LOGGED = (
    "segment_id",
    "temperature_id",
    "lifecycle",
    "user_id",
    "team_id",
    "role_id",
    "segment_manual_id",
    "declared_potential",
    "leave_alone_until",
    "leave_alone_asked_until",
    "idle_warning_level",
)
CLASSIFIED = ("segment_id", "temperature_id", "lifecycle", "role_id")
DERIVED = {
    *FACTS,
    *FLAT,
    *CONTACTS,
    *CLASSIFIED,
    *MARKS,
    "rule_id",
    "segment_computed_id",
    "confirmed_potential",
    "confirmed_date",
    "confirmed_user_id",
}
CONFIRMED_DAYS = timedelta(days=365)


class CoverageCustomer(models.Model):
    """The scorecard of one customer (commercial partner) in one company.

    Facts are written by SQL (``coverage.facts``), decisions through the ORM by
    ``coverage.refresh`` alone, so that automation rules and the history see them.
    Narrow and apart from ``res.partner``, whose rows are wide, hot and global.
    """

    _name = "coverage.customer"
    _inherit = [
        "coverage.owned",
        "coverage.covered",
        "coverage.mapped",
        "coverage.rhythm",
        "coverage.neglect",
        "coverage.pooled",
        "coverage.rethought",
    ]
    _description = "Customer"
    _rec_name = "partner_id"
    _rec_names_search = ["partner_id"]
    _order = "potential desc, id"
    _check_company_auto = True

    # identity
    partner_id = fields.Many2one(
        "res.partner", string="Customer", required=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        default=lambda self: self.env.company,
        ondelete="cascade",
    )
    currency_id = fields.Many2one(related="company_id.currency_id", store=True)
    industry_id = fields.Many2one(related="partner_id.industry_id")
    country_id = fields.Many2one(related="partner_id.country_id")
    state_id = fields.Many2one(related="partner_id.state_id")
    active = fields.Boolean(
        default=True,
        readonly=True,
        help="Follows the contact; “Never Cover” archives by hand.",
    )
    is_excluded = fields.Boolean(
        string="Never Cover",
        help="Archived by hand: stays archived until somebody brings it back.",
    )

    # facts
    revenue_12m = fields.Monetary(
        string="Revenue (12 months)", help="Untaxed, of the last 365 days."
    )
    revenue_prev_12m = fields.Monetary(
        string="Revenue (year before)", help="Untaxed, of the 365 days before those."
    )
    revenue_best_12m = fields.Monetary(
        string="Best Year",
        help="The highest revenue of any 365 days that ended on an order, within the "
        "years looked back.",
    )
    revenue_90d = fields.Monetary(string="Revenue (90 days)")
    revenue_prev_90d = fields.Monetary(string="Revenue (90 days before)")
    revenue_season_90d = fields.Monetary(
        string="Revenue (same 90 days last year)",
    )
    average_order_amount = fields.Monetary(
        string="Average Order",
        aggregator="avg",
        help="Per order day of the last 12 months.",
    )
    order_count = fields.Integer(string="Orders", aggregator="sum")
    order_day_count = fields.Integer(
        string="Order Days", help="Several orders on one day count as one."
    )
    awake_order_day_count = fields.Integer(
        string="Order Days Since Waking",
        help="Order days since the customer came, or came back after a long sleep.",
    )
    first_order_date = fields.Date(string="First Order")
    last_order_date = fields.Date(string="Last Order")
    order_interval_days = fields.Integer(string="Days Between Orders", aggregator="avg")
    longest_silence_days = fields.Integer(
        string="Longest Silence",
        aggregator="avg",
        help="The most days between two of its orders.",
    )
    open_quote_amount = fields.Monetary(string="Open Quotations")

    # potential
    potential = fields.Monetary(
        help="What the customer could bring in 12 months: the highest of best year, "
        "declared and look-alike, or what the leader confirmed."
    )
    potential_source = fields.Selection(SOURCES)
    declared_potential = fields.Monetary(
        help="What the customer says it could buy from us in 12 months."
    )
    declared_date = fields.Date(string="Declared on")
    declared_how = fields.Char(string="How It Was Found Out")
    confirmed_potential = fields.Monetary(
        help="The leader's figure. It replaces all others for a year."
    )
    confirmed_date = fields.Date(string="Confirmed on")
    confirmed_user_id = fields.Many2one("res.users", string="Confirmed by")
    lookalike_potential = fields.Monetary(
        help="What the good ones among similar customers bring."
    )
    is_potential_to_ask = fields.Boolean(
        string="Potential to Ask",
        compute="_compute_is_potential_to_ask",
        search="_search_is_potential_to_ask",
        help="The potential is unknown, or was declared more than a year ago.",
    )

    # decisions
    segment_id = fields.Many2one(
        "coverage.segment",
        index="btree_not_null",
        ondelete="restrict",
        group_expand="_group_expand_segment",
    )
    segment_computed_id = fields.Many2one(
        "coverage.segment",
        string="Computed Segment",
        ondelete="restrict",
        help="What the rules say, also while a segment is set by hand.",
    )
    segment_manual_id = fields.Many2one(
        "coverage.segment", string="Segment by Hand", ondelete="restrict"
    )
    segment_manual_until = fields.Date(string="By Hand Until")
    segment_manual_reason = fields.Char(string="Reason")
    segment_since = fields.Date(help="Day of the last move of the computed segment.")
    segment_left_id = fields.Many2one("coverage.segment", ondelete="restrict")
    segment_prior_since = fields.Date(export_string_translation=False)
    segment_prior_left_id = fields.Many2one(
        "coverage.segment", ondelete="restrict", export_string_translation=False
    )
    temperature_id = fields.Many2one(
        "coverage.temperature",
        index="btree_not_null",
        ondelete="restrict",
        group_expand="_group_expand_temperature",
    )
    temperature_since = fields.Date()
    temperature_left_id = fields.Many2one(
        "coverage.temperature", ondelete="restrict", export_string_translation=False
    )
    temperature_prior_since = fields.Date(export_string_translation=False)
    temperature_score = fields.Integer(aggregator="avg")
    temperature_color = fields.Integer(related="temperature_id.color")
    temperature_code = fields.Char(related="temperature_id.code")
    yield_rate = fields.Float(
        string="Yield",
        aggregator="avg",
        help="Revenue of the last 12 months ÷ potential.",
    )
    lifecycle = fields.Selection(LIFECYCLES, index=True)
    lifecycle_since = fields.Date()
    lifecycle_left = fields.Char(export_string_translation=False)
    lifecycle_prior_since = fields.Date(export_string_translation=False)
    badge = fields.Char(
        compute="_compute_badge",
        help="Segment, temperature and yield in one line.",
    )
    why = fields.Json(compute="_compute_why")
    revenue_chart = fields.Text(compute="_compute_revenue_chart")

    change_ids = fields.One2many("coverage.change", "customer_id", string="History")

    _company_walk = models.Index("(company_id, id) WHERE active IS TRUE")
    _owner_next = models.Index("(user_id, next_contact_date) WHERE active IS TRUE")
    _partner_company = models.UniqueIndex(
        "(partner_id, company_id)",
        "This customer is in the list already.",
    )
    _declared_not_negative = models.Constraint(
        "CHECK (declared_potential >= 0 AND confirmed_potential >= 0)",
        "A potential cannot be negative. Enter what the customer could bring in 12 "
        "months, or 0 if nothing.",
    )

    @api.depends("potential_source", "declared_date")
    def _compute_is_potential_to_ask(self):
        limit = self._get_ask_again_date()
        for customer in self:
            declared = customer.declared_date
            customer.is_potential_to_ask = not customer.potential_source or bool(
                declared and declared <= limit
            )

    def _search_is_potential_to_ask(self, operator, value):
        if operator != "in":
            return NotImplemented
        return [
            "|",
            ("potential_source", "=", False),
            ("declared_date", "<=", self._get_ask_again_date()),
        ]

    @api.depends("segment_id", "temperature_id", "yield_rate", "potential_source")
    def _compute_badge(self):
        for customer in self:
            parts = [customer.segment_id.code or "–"]
            if customer.temperature_id:
                parts.append(customer.temperature_id.icon or "")
                parts.append(f"{100 * customer.yield_rate:.0f} %")
            customer.badge = " ".join(part for part in parts if part)

    def _compute_why(self):
        for customer in self:
            customer.why = customer.get_why() if customer.id else False

    def _compute_revenue_chart(self):
        now = fields.Datetime.now()
        for customer in self:
            customer.revenue_chart = (
                self.env["coverage.why"]._get_chart(customer, now)
                if customer.id
                else False
            )

    @api.model
    def _group_expand_segment(self, segments, domain):
        return segments.search([])

    @api.model
    def _group_expand_temperature(self, levels, domain):
        return levels.search([])

    @api.constrains("partner_id")
    def _check_partner(self):
        """Rows are of commercial partners that can be customers."""
        companies = self.env["res.company"].sudo().search([]).partner_id
        for customer in self:
            partner = customer.partner_id
            if partner.commercial_partner_id != partner:
                raise ValidationError(
                    self.env._(
                        "%(contact)s is a contact of %(company)s. Add the company "
                        "instead.",
                        contact=partner.display_name,
                        company=partner.commercial_partner_id.display_name,
                    )
                )
            if partner in companies or partner.sudo().user_ids.filtered(
                lambda user: not user.share
            ):
                raise ValidationError(
                    self.env._(
                        "%(partner)s is one of us and cannot be a customer.",
                        partner=partner.display_name,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        self.check_access("create")
        for vals in vals_list:
            self._check_written_by_hand(vals)
        customers = super().create(
            [self._add_declared_date(self._add_owner(vals)) for vals in vals_list]
        )
        customers.filtered("user_id")._mirror_owner_to_partner()
        self.env["coverage.refresh"].sudo()._refresh_customers(customers.sudo())
        return customers

    def write(self, vals):
        self.check_access("write")
        self._check_written_by_hand(vals)
        vals = self._add_declared_date(vals)
        logged = [name for name in LOGGED if name in vals]
        before = self._get_values(logged)
        former = {}
        if "user_id" in vals:
            former = {
                one: one.user_id
                for one in self
                if one.user_id.id != (vals["user_id"] or False)
            }
        result = super().write(vals)
        if logged:
            self._log_changes(before, logged)
        self.browse().concat(*former)._settle_owner(vals, former)
        return result

    @api.model
    def _search(self, domain, *args, **kwargs):
        """Create what this transaction made customers before anybody looks."""
        data = self.env.cr.precommit.data
        if not self.env.context.get("coverage_no_flush"):
            if data.get("coverage_queue"):
                self.env["coverage.refresh"].sudo()._flush_queue()
            if data.get("coverage_touches"):
                self.env["coverage.ledger"].sudo()._flush_queue()
        return super()._search(domain, *args, **kwargs)

    def unlink(self):
        customers = self.sudo().with_context(active_test=False)
        customers.change_ids.unlink()
        customers.touch_ids.unlink()
        self.env["coverage.cadence"]._cancel_planned(customers)
        return super().unlink()

    def _load_records_create(self, vals_list):
        """Let an import update the customers that are in the list already.

        A file names customers by name; nobody who imports an ABCD list knows our ids.
        """
        keys = [
            (vals.get("partner_id"), vals.get("company_id") or self.env.company.id)
            for vals in vals_list
        ]
        domain = [("partner_id", "in", [partner_id for partner_id, _company in keys])]
        known = self.with_context(active_test=False).search(domain)
        rows = {(row.partner_id.id, row.company_id.id): row for row in known}
        for key, vals in zip(keys, vals_list, strict=True):
            if vals.get("declared_potential") is False:  # an empty cell says nothing
                vals.pop("declared_potential")
            if key in rows:
                rows[key].write(vals)
            else:
                rows[key] = self.create([vals])
        self.env["coverage.refresh"].sudo()._refresh_customers(known.sudo())
        return self.concat(*(rows[key] for key in keys))

    @api.model
    def _load_demo(self):
        """Fill the demo department; called by the demo data only."""
        from ..demo.coverage_demo import load  # without demo data nobody pays for it

        load(self.env, fields.Datetime.now())

    # === ACTION METHODS === #

    def action_refresh(self):
        """Collect the facts of these customers again and decide anew.

        Whoever may see a customer may refresh it.
        """
        self.check_access("read")
        self.env["coverage.refresh"].sudo()._refresh_customers(self.sudo())
        return True

    def get_why(self):
        """Return the why card of one customer as plain data.

        :return: dict with ``facts``, ``rule``, ``reasons`` and ``changes`` (the
            smallest changes that would alter the outcome), see ``coverage.why``
        :raises AccessError: for customers the user may not see
        """
        self.ensure_one()
        self.check_access("read")
        return self.env["coverage.why"]._get_why(self.sudo(), fields.Datetime.now())

    def action_set_segment(self):
        """Open the dialog that pins a segment."""
        return self._open_dialog("coverage.set.segment", self.env._("Set segment"))

    def action_declare_potential(self):
        """Open the dialog for what the customer says it could buy."""
        return self._open_dialog(
            "coverage.set.potential",
            self.env._("Declare potential"),
            default_kind="declared",
        )

    def action_confirm_potential(self):
        """Open the leader's dialog that replaces the potential for a year."""
        return self._open_dialog(
            "coverage.set.potential",
            self.env._("Confirm potential"),
            default_kind="confirmed",
        )

    def action_release_segment(self):
        """Give a pinned customer back to the rules."""
        self._check_leader()
        customers = self.sudo().filtered("segment_manual_id")
        customers.write(
            {
                "segment_manual_id": False,
                "segment_manual_until": False,
                "segment_manual_reason": False,
            }
        )
        self.env["coverage.refresh"].sudo()._refresh_customers(customers)

    def action_exclude(self):
        """Archive by hand: never cover this customer."""
        self._check_leader()
        self.sudo().write({"is_excluded": True, "active": False})
        self.env["coverage.cadence"].sudo()._cancel_planned(self)

    def action_include(self):
        """Bring an excluded customer back."""
        self._check_leader()
        customers = self.sudo()
        customers.write({"is_excluded": False})
        customers._settle_active()

    def action_open_partner(self):
        """Open the contact."""
        self.ensure_one()
        return open_form("res.partner", self.partner_id.id)

    def action_open_orders(self):
        """Open the sales orders of the customer and its contacts."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("sale.action_orders")
        return {
            **action,
            "domain": [
                ("partner_id", "child_of", self.partner_id.id),
                ("company_id", "=", self.company_id.id),
            ],
            "context": {"create": False},
        }

    # === BUSINESS METHODS === #

    def _add_declared_date(self, vals):
        """Return the values of a row; what is declared without a date is today's."""
        if not vals.get("declared_potential") or "declared_date" in vals:
            return vals
        company = self[:1].company_id or self.env.company
        today = company._get_coverage_today(fields.Datetime.now())
        return {**vals, "declared_date": today}

    def _set_manual_segment(self, segment, reason, until):
        """Pin a segment, and decide anew what follows from it.

        :param date until: last day of the pin; empty means until released
        :raises AccessError: unless the user leads a team
        :raises UserError: when the last day is past
        """
        self._check_leader()
        customers = self.sudo()
        for company, group in customers.grouped("company_id").items():
            today = company._get_coverage_today(fields.Datetime.now())
            if until and until < today:
                raise UserError(
                    self.env._("The last day is past. Choose a day from today on.")
                )
            group.write(
                {
                    "segment_manual_id": segment.id,
                    "segment_manual_until": until,
                    "segment_manual_reason": reason,
                }
            )
        self.env["coverage.refresh"].sudo()._refresh_customers(customers)

    def _declare_potential(self, amount, how):
        """Note what the customer says it could buy in 12 months; holds for a year.

        Who only watches a customer does not speak for it.
        """
        self.check_access("read")
        self.filtered("user_id")._check_seller()
        customers = self.sudo()
        for company, group in customers.grouped("company_id").items():
            group.write(
                {
                    "declared_potential": amount,
                    "declared_how": how,
                    "declared_date": company._get_coverage_today(fields.Datetime.now()),
                }
            )
        self.env["coverage.refresh"].sudo()._refresh_customers(customers)

    def _confirm_potential(self, amount):
        """Replace the potential by the leader's figure for a year."""
        self._check_leader()
        customers = self.sudo()
        now = fields.Datetime.now()
        for company, group in customers.grouped("company_id").items():
            group.write(
                {
                    "confirmed_potential": amount,
                    "confirmed_date": company._get_coverage_today(now),
                    "confirmed_user_id": self.env.uid,
                }
            )
        self.env["coverage.refresh"].sudo()._refresh_customers(customers)

    def _check_written_by_hand(self, vals):
        """Refuse that anybody but the engine writes facts and decisions.

        :raises UserError: names the fields, and what to use instead
        """
        derived = DERIVED.intersection(name for name, value in vals.items() if value)
        if not derived or self.env.su:
            return
        labels = self.fields_get(derived, ["string"])
        raise UserError(
            self.env._(
                "These follow from orders and rules: %(fields)s. Set the segment by "
                "hand, or declare the potential instead.",
                fields=", ".join(sorted(label["string"] for label in labels.values())),
            )
        )

    def _check_leader(self):
        """Raise unless the user leads a team and may see these customers."""
        self.check_access("read")
        if not self.env.su and not self.env.user.has_group(LEADER):
            raise AccessError(
                self.env._("Only team leaders can do this. Ask your team leader.")
            )

    def _settle_active(self):
        """Archive the rows of archived or foreign partners, bring the others back.

        Those that come back learn what happened meanwhile.
        """
        back = gone = self.browse()
        for customer in self:
            partner = customer.partner_id
            is_active = (
                partner.active
                and not customer.is_excluded
                and partner.company_id in (self.env["res.company"], customer.company_id)
            )
            if customer.active != is_active:
                customer.active = is_active
                back += customer if is_active else back.browse()
                gone += gone.browse() if is_active else customer
        self.env["coverage.cadence"].sudo()._cancel_planned(gone)
        self.env["coverage.rethink.engine"].sudo()._settle_customers(
            gone, fields.Datetime.now()
        )
        self.env["coverage.refresh"].sudo()._refresh_customers(back)

    @api.model
    def _get_ask_again_date(self):
        """Return the day up to which a declared potential is too old to count."""
        return fields.Date.context_today(self) - CONFIRMED_DAYS

    def _open_dialog(self, model, name, **defaults):
        """Return the action that opens a wizard on these customers."""
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": model,
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_customer_ids": self.ids, **defaults},
        }

    @api.model
    def _is_automated(self):
        """Return whether automation rules watch customers: they wrap ``write``."""
        return hasattr(type(self).write, "origin")

    # === HISTORY === #

    def _get_values(self, names):
        """Return ``{customer id: {field: value}}``."""
        return {one.id: {name: one[name] for name in names} for one in self}

    def _get_log_value(self, name, value):
        """Return a value as exact text (id or code), and as people read it."""
        if not value:
            return False, False
        field = self._fields[name]
        if field.type == "many2one":
            return str(value.id), value.display_name
        if field.type == "selection":
            return value, dict(field._description_selection(self.env)).get(value, value)
        if field.type == "date":
            return str(value), format_date(self.env, value)
        if field.type == "monetary":
            return str(value), self.env["coverage.why"]._money(self.currency_id)(value)
        return str(value), str(value)

    def _log_changes(self, before, names):
        """Add what differs from ``before`` to the history; never a first class.

        The context may hold ``coverage_log``: ``origin``, ``run_id``, ``date`` and,
        by customer id, ``reasons`` (field → dict), ``firsts`` (fields first classified
        today), ``planned`` (field → id of the planned change that this write fulfils).
        """
        log = self.env.context.get("coverage_log") or {}
        planned, vals_list = [], []
        for customer in self.sudo():
            for name in names:
                old, new = before[customer.id][name], customer[name]
                is_first = name in log.get("firsts", {}).get(customer.id, ())
                if old == new or (name in CLASSIFIED and (not old or is_first)):
                    continue
                if change_id := log.get("planned", {}).get(customer.id, {}).get(name):
                    planned.append(change_id)
                else:
                    vals_list.append(customer._prepare_change_vals(name, old, new, log))
        changes = self.env["coverage.change"].sudo()
        changes.browse(planned).write({"state": "applied", "date": log.get("date")})
        changes._create_without_traces(vals_list)

    def _prepare_change_vals(self, name, old, new, log):
        """Return the values of one line of history."""
        old, new = self._get_log_value(name, old), self._get_log_value(name, new)
        return {
            "customer_id": self.id,
            "company_id": self.company_id.id,
            "run_id": log.get("run_id"),
            "date": log.get("date") or fields.Datetime.now(),
            "res_id": self.id,
            "field_name": name,
            "old_value": old[0],
            "new_value": new[0],
            "old_label": old[1],
            "new_label": new[1],
            "reason": log.get("reasons", {}).get(self.id, {}).get(name),
            "origin": log.get("origin")
            or ("import" if self.env.context.get("import_file") else "hand"),
            "user_id": self.user_id.id,
            "author_id": self.env.uid,
            "potential": self.potential,
            "revenue_12m": self.revenue_12m,
        }
