from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import ormcache

from ..core.cover import CoverRule, is_catch_all
from .coverage_customer import LIFECYCLES
from .coverage_role import RANKS, SENIORITIES


class CoverageRule(models.Model):
    """Who covers whom: the first rule that matches a customer or lead names the role.

    Each condition that is left empty matches anything. Rules with a lead stage or an
    amount match leads only. The last rule has no condition: it catches all. What a
    change of the rules moves follows at the end of the transaction, or by the job.
    """

    _name = "coverage.rule"
    _inherit = ["coverage.cached", "coverage.rule.words", "coverage.rule.matrix"]
    _description = "Who Covers Whom"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=lambda self: self._default_sequence())
    active = fields.Boolean(default=True)

    # conditions
    lifecycle = fields.Selection(LIFECYCLES, help="Empty: any.")
    segment_ids = fields.Many2many(
        "coverage.segment", string="Segments", help="Empty: any, unrated ones too."
    )
    is_unrated = fields.Boolean(
        string="Unrated",
        help="Customers without a segment: of them alone, or of the segments and them.",
    )
    temperature_ids = fields.Many2many(
        "coverage.temperature", string="Temperatures", help="Empty: any."
    )
    max_revenue_rate = fields.Float(
        string="Revenue at Most",
        help="Revenue of the last 12 months, as part of the best year: 50 % finds "
        "customers that fell by half. 0: any.",
    )
    stage_ids = fields.Many2many(
        "crm.stage", string="Lead Stages", help="Leads in these stages only."
    )
    min_amount = fields.Monetary(
        string="Amount From",
        help="Opportunities with at least this expected revenue only. 0: any.",
    )
    currency_id = fields.Many2one(
        "res.currency", default=lambda self: self.env.company.currency_id
    )
    categ_ids = fields.Many2many(
        "product.category",
        string="Product Lines",
        help="Of customers: bought or quoted within two years. Of leads: quoted. Wider "
        "categories hold for those within.",
    )
    team_ids = fields.Many2many("crm.team", string="Sales Teams", help="Empty: any.")

    # outcome
    role_id = fields.Many2one(
        "coverage.role", required=True, index=True, ondelete="restrict"
    )
    min_seniority = fields.Selection(
        SENIORITIES, string="At Least", required=True, default="junior"
    )

    _rate_range = models.Constraint(
        "CHECK (max_revenue_rate BETWEEN 0 AND 1 AND min_amount >= 0)",
        "The revenue at most is from 0 % to 100 % of the best year, and the amount "
        "cannot be negative. Use 0 for any.",
    )

    @api.model
    def _default_sequence(self):
        """Return the last place, but above a catch-all: below it nobody gets to."""
        last = self.search([], order="sequence desc, id desc", limit=1)
        return last.sequence + (-1 if last._filter_catch_all() else 1)

    @api.model_create_multi
    def create(self, vals_list):
        rules = super().create(vals_list)
        self.env["coverage.cover"]._queue_rules()
        return rules

    def write(self, vals):
        had_net = self._has_catch_all()
        result = super().write(vals)
        if had_net:
            self._check_catch_all(self._has_catch_all())
        self.env["coverage.cover"]._queue_rules()
        return result

    def unlink(self):
        self.env["coverage.cover"]._queue_rules()
        return super().unlink()

    @api.ondelete(at_uninstall=False)
    def _unlink_except_catch_all(self):
        every = self.search([])
        if every._has_catch_all():
            self._check_catch_all((every - self)._filter_catch_all())

    # === BUSINESS METHODS === #

    def _filter_catch_all(self):
        """Return the rules without any condition."""
        return self.filtered(lambda rule: is_catch_all(rule._to_core()))

    @api.model
    def _has_catch_all(self):
        """Return whether a rule in use has no condition."""
        return bool(self.search([])._filter_catch_all())

    def _check_catch_all(self, has_catch_all):
        """Refuse that the last rule without conditions goes or gets some.

        :raises UserError: says what to do instead
        """
        if not has_catch_all:
            raise UserError(
                self.env._(
                    "One rule must have no condition: it covers whom no other rule "
                    "names. Make another rule without conditions first, or change the "
                    "role of this one."
                )
            )

    @api.model
    def _get_default_stages(self):
        """Return the open stages after the first: qualified leads, for default rules.

        Stages are the company's own; there may be none.
        """
        stages = self.env["crm.stage"].search([("is_won", "=", False)])
        qualified = self.env.ref("crm.stage_lead2", raise_if_not_found=False)
        if qualified and qualified in stages:
            return stages.filtered(lambda one: one.sequence >= qualified.sequence)
        return stages[1:]

    def _to_core(self):
        """Return one rule as core value, its amount in its own currency.

        A record that is not saved yet will do; it has the key 0.
        """
        self.ensure_one()
        return CoverRule(
            self._origin.id or 0,
            self.role_id._origin.id,
            RANKS.get(self.min_seniority, 0),
            frozenset([self.lifecycle] if self.lifecycle else ()),
            frozenset([*self.segment_ids.ids, *([None] if self.is_unrated else ())]),
            frozenset(self.temperature_ids.ids),
            self.max_revenue_rate or 0.0,
            frozenset(self.stage_ids.ids),
            self.min_amount or 0.0,
            frozenset(self.categ_ids.ids),
            frozenset(self.team_ids.ids),
        )

    @api.model
    @ormcache()
    def _get_stored_rules(self):
        return tuple(rule._to_core() for rule in self.sudo().search([]))
