from datetime import datetime, time
from zoneinfo import ZoneInfo

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import ormcache

from ..core.candidate import WEIGHTS
from .groups import MANAGER

PRESETS = {
    "project": {"coverage_lookback_years": 5, "coverage_sleeping_days": 365},
    "regular": {"coverage_lookback_years": 3, "coverage_sleeping_days": 180},
    "seasonal": {"coverage_lookback_years": 3, "coverage_sleeping_days": 365},
    "retail": {"coverage_lookback_years": 2, "coverage_sleeping_days": 120},
}
AT_LEAST_ONE = {
    "coverage_retry_days",
    "coverage_max_attempts",
    "coverage_day_norm",
    "coverage_capacity",
    "coverage_claim_days",
    "coverage_pool_offer_hours",
}
RHYTHM_SETTINGS = (
    "coverage_unproven_days",
    "coverage_two_way_seconds",
    "coverage_order_is_contact",
    "coverage_lead_days",
    "coverage_retry_days",
    "coverage_max_attempts",
    "coverage_snooze_days",
    "coverage_day_norm",
    "coverage_norm_calls",
    "coverage_norm_contacts",
    "coverage_norm_minutes",
    "coverage_capacity",
    "coverage_pin_days",
    "coverage_claim_days",
    "coverage_pool_offer_hours",
)


class ResCompany(models.Model):
    _inherit = "res.company"

    coverage_revenue_source = fields.Selection(
        [
            ("order", "Confirmed sales orders"),
            ("invoice", "Posted customer invoices"),
            ("opportunity", "Won opportunities"),
        ],
        string="Revenue Source",
        required=True,
        default="order",
        help="Which documents say what a customer bought.",
    )
    coverage_preset = fields.Selection(
        [
            ("project", "Projects: few, large, irregular"),
            ("regular", "Regular supply"),
            ("seasonal", "Seasonal"),
            ("retail", "Retail: many, small, often"),
        ],
        string="Trade",
        default="regular",
        help="Sets how far to look back and when a customer counts as asleep.",
    )
    coverage_lookback_years = fields.Integer(
        string="Lookback (years)",
        default=3,
        help="The best year of a customer is looked for within these last years.",
    )
    coverage_leader_rate = fields.Float(
        string="Share of Leaders",
        default=0.1,
        help="The part of all buyers that counts as leaders. The median of their best "
        "years is what an A brings.",
    )
    coverage_use_lookalike = fields.Boolean(
        string="Use Look-alikes",
        default=True,
        help="Customers that look like the good ones get their potential.",
    )
    coverage_new_orders = fields.Integer(
        string="New Until (order days)",
        default=3,
        help="A customer is new until it has ordered on this many days.",
    )
    coverage_sleeping_days = fields.Integer(
        string="Sleeping After (days)",
        default=180,
        help="A customer without an order for longer than this is asleep, unless its "
        "own rhythm is slower.",
    )
    coverage_stay_days = fields.Integer(
        string="Minimum Stay (days)",
        default=30,
        help="A customer does not move back to the segment it has just left within "
        "this many days. 0 switches it off.",
    )
    coverage_hysteresis_rate = fields.Float(
        string="Hysteresis",
        default=0.1,
        help="How far beyond a cut-off a customer must be to change its segment or to "
        "cool down. 0 switches it off.",
    )
    coverage_unproven_days = fields.Integer(
        string="Contact by Hand Lasts (days)",
        default=7,
        help="Where a segment needs proof, a contact noted by hand pauses the clock "
        "for this many days.",
    )
    coverage_two_way_seconds = fields.Integer(
        string="A Talk From (seconds)",
        default=30,
        help="A shorter call is an attempt, not a contact.",
    )
    coverage_order_is_contact = fields.Boolean(
        string="Orders Are Contacts",
        default=True,
        help="An order that one of us takes and confirms is a contact with the "
        "customer; one from the web shop is not.",
    )
    coverage_lead_days = fields.Integer(
        string="Plan Ahead (days)",
        default=3,
        help="The contact is put on the seller's list this many days before it is due.",
    )
    coverage_retry_days = fields.Integer(
        string="Try Again After (days)",
        default=2,
        help="After an attempt without answer the customer is back on the list on this "
        "day.",
    )
    coverage_max_attempts = fields.Integer(
        string="Attempts",
        default=5,
        help="After attempts on this many different days without an answer the team "
        "leader decides. Nobody is given up earlier because of no answer.",
    )
    coverage_snooze_days = fields.Integer(
        string="Snooze (days)",
        default=14,
        help="A seller may put off a contact by at most this long; more is granted by "
        "the leader.",
    )
    coverage_day_norm = fields.Integer(
        string="Lines a Day",
        default=12,
        help="My Day shows no more than this many lines; the rest is one click away.",
    )
    coverage_norm_calls = fields.Integer(string="Calls a Day", default=12)
    coverage_norm_contacts = fields.Integer(string="Two-Way Contacts a Day", default=6)
    coverage_norm_minutes = fields.Integer(string="Minutes of Talk a Day", default=120)
    coverage_capacity = fields.Integer(
        string="Contacts a Month",
        default=40,
        help="How many contacts a seller can keep in 30 days, unless the team member "
        "says otherwise. 20 to 40 is usual.",
    )
    coverage_pin_days = fields.Integer(
        string="Pin (days)",
        default=90,
        help="Whoever quotes a customer without owner, or its own, has it for this "
        "many days. 0: quoting changes nothing.",
    )
    coverage_claim_days = fields.Integer(
        string="Registration Lapses After (days)",
        default=14,
        help="Who registers a customer has it for this many days; without a two-way "
        "contact by then it is free again.",
    )
    coverage_guard_owner = fields.Boolean(
        string="Guard Owners",
        default=True,
        help="Sellers do not change the owner of customers; they ask for a handoff.",
    )
    coverage_guard_drop = fields.Boolean(
        string="Guard Drops",
        default=True,
        help="A seller who archives a customer, gives it up or loses its last "
        "opportunity asks the team leader.",
    )
    coverage_assign_moves = fields.Integer(
        string="Moves per Run",
        default=100,
        help="So many customers change hands in one run at most. 0: no limit.",
    )
    coverage_assign_giver_moves = fields.Integer(
        string="Moves per Giver",
        default=20,
        help="So many customers leave one person in one run at most. 0: no limit.",
    )
    coverage_assign_revenue_rate = fields.Float(
        string="Revenue at Risk",
        default=0.05,
        help="The part of all revenue of 12 months whose customers leave their owners "
        "within 30 days at most. 0: no limit.",
    )
    coverage_assign_giver_revenue_rate = fields.Float(
        string="Revenue at Risk per Giver",
        default=0.2,
        help="The same part of what the customers of one person bring. 0: no limit.",
    )
    coverage_assign_team_rate = fields.Float(
        string="Wait for a Manager Above",
        default=0.05,
        help="A plan that moves more than this part of a team's customers is not "
        "applied by itself: a manager looks at it.",
    )
    coverage_assign_automatic = fields.Boolean(
        string="Apply Plans by Itself",
        default=True,
        help="The nightly job reassigns idle customers as far as the limits allow. "
        "Otherwise every plan waits for a manager.",
    )
    coverage_weight_seniority = fields.Integer(string="Seniority", default=15)
    coverage_weight_room = fields.Integer(string="Room", default=25)
    coverage_weight_language = fields.Integer(string="Language", default=15)
    coverage_weight_territory = fields.Integer(string="Territory", default=10)
    coverage_weight_industry = fields.Integer(string="Industry", default=10)
    coverage_weight_lines = fields.Integer(string="Product Lines", default=5)
    coverage_weight_team = fields.Integer(string="Same Team", default=5)
    coverage_weight_relation = fields.Integer(string="Knows the Customer", default=15)
    coverage_guard_pool = fields.Boolean(
        string="Guard the Pool",
        default=True,
        help="Sellers do not pick free customers and leads of their teams; the pool "
        "offers them one at a time.",
    )
    coverage_pool_offer_hours = fields.Integer(
        string="An Offer Is Held (hours)",
        default=24,
        help="What the pool offers to a seller is offered to nobody else for so long.",
    )
    coverage_cover_progress = fields.Json(
        export_string_translation=False,
        help="The rules of who covers whom that were applied to all customers.",
    )
    coverage_fallback_user_id = fields.Many2one(
        "res.users",
        string="Fallback Person",
        domain="[('share', '=', False)]",
        help="Accountable for customers that have neither an owner nor a team with a "
        "leader.",
    )

    @api.constrains(
        "coverage_lookback_years",
        "coverage_leader_rate",
        "coverage_new_orders",
        "coverage_sleeping_days",
        "coverage_stay_days",
        "coverage_hysteresis_rate",
    )
    def _check_coverage_settings(self):
        for company in self:
            if not 1 <= company.coverage_lookback_years <= 20:
                raise ValidationError(
                    self.env._("Look back between 1 and 20 years for the best year.")
                )
            if not 0 < company.coverage_leader_rate <= 1:
                raise ValidationError(
                    self.env._(
                        "The share of leaders must be above 0 % and at most 100 %."
                    )
                )
            if company.coverage_new_orders < 1 or company.coverage_sleeping_days < 1:
                raise ValidationError(
                    self.env._(
                        "The number of first orders and the days until a customer "
                        "sleeps must be at least 1."
                    )
                )
            if company.coverage_stay_days < 0:
                raise ValidationError(
                    self.env._("The minimum stay cannot be negative. Use 0 for none.")
                )
            if not 0 <= company.coverage_hysteresis_rate < 1:
                raise ValidationError(
                    self.env._("The hysteresis must be from 0 % to below 100 %.")
                )

    @api.constrains(*RHYTHM_SETTINGS)
    def _check_contact_settings(self):
        for company in self:
            for name in RHYTHM_SETTINGS:
                least = 1 if name in AT_LEAST_ONE else 0
                if company[name] < least:
                    field = company._fields[name].get_description(self.env, ["string"])
                    raise ValidationError(
                        self.env._(
                            "“%(setting)s” must be at least %(least)s.",
                            setting=field["string"],
                            least=least,
                        )
                    )

    @api.constrains(
        lambda self: [*self._get_assign_setting_names(), *self._get_weight_names()]
    )
    def _check_assign_settings(self):
        for company in self:
            names = (*self._get_assign_setting_names(), *self._get_weight_names())
            for name in names:
                if company[name] < 0:
                    field = company._fields[name].get_description(self.env, ["string"])
                    raise ValidationError(
                        self.env._(
                            "“%(setting)s” cannot be negative. Use 0 for none.",
                            setting=field["string"],
                        )
                    )
            if not any(company._get_coverage_weights().values()):
                raise ValidationError(
                    self.env._("Something must weigh: give one weight above 0.")
                )

    @api.onchange("coverage_preset")
    def _onchange_coverage_preset(self):
        self.update(PRESETS.get(self.coverage_preset, {}))

    @api.model
    def _get_coverage_setting_names(self):
        """Return the names of the fields that decide, in the order people read them."""
        return [
            "coverage_revenue_source",
            "coverage_lookback_years",
            "coverage_leader_rate",
            "coverage_use_lookalike",
            "coverage_new_orders",
            "coverage_sleeping_days",
            "coverage_stay_days",
            "coverage_hysteresis_rate",
        ]

    def _get_coverage_settings(self, what_if=None):
        """Return this company's settings by field name, changed by ``what_if``."""
        self.ensure_one()
        settings = {name: self[name] for name in self._get_coverage_setting_names()}
        return {**settings, **(what_if or {})}

    @api.model
    def _get_assign_setting_names(self):
        """Return the names of the limits of an assignment."""
        return [
            "coverage_assign_moves",
            "coverage_assign_giver_moves",
            "coverage_assign_revenue_rate",
            "coverage_assign_giver_revenue_rate",
            "coverage_assign_team_rate",
        ]

    @api.model
    def _get_weight_names(self):
        """Return the names of what a fit is worth, in the order of ``core``."""
        return [f"coverage_weight_{name}" for name in WEIGHTS]

    def _get_coverage_weights(self):
        """Return what each fit of a person is worth, by its name in ``core``."""
        self.ensure_one()
        return {name: self[f"coverage_weight_{name}"] for name in WEIGHTS}

    @api.model
    def _get_coverage_fallback_company(self):
        """Return the first company: of leads that nothing else assigns to one."""
        return self.browse(self._get_first_company_id())

    @api.model
    @ormcache()
    def _get_first_company_id(self):
        return self.sudo().search([], order="id", limit=1).id

    def _find_coverage_manager(self):
        """Return a manager of this company: accountable where nobody else is."""
        self.ensure_one()
        manager = self.env.ref(MANAGER)
        users = self.env["res.users"].sudo()
        domain = [
            ("all_group_ids", "in", manager.ids),
            ("company_ids", "in", self.ids),
            ("share", "=", False),
            ("id", "!=", SUPERUSER_ID),
        ]
        return users.search(domain, order="id", limit=1)

    def _get_coverage_tz(self):
        """Return the name of the time zone in which this company's days begin."""
        self.ensure_one()
        return self.partner_id.tz or self.resource_calendar_id.tz or "UTC"

    def _get_coverage_today(self, now):
        """Return the company's calendar day at ``now`` (naive UTC)."""
        utc = now.replace(tzinfo=ZoneInfo("UTC"))
        return utc.astimezone(ZoneInfo(self._get_coverage_tz())).date()

    def _get_coverage_midnight(self, day):
        """Return the moment at which a day of this company begins, naive UTC."""
        midnight = datetime.combine(day, time.min, ZoneInfo(self._get_coverage_tz()))
        return midnight.astimezone(ZoneInfo("UTC")).replace(tzinfo=None)
