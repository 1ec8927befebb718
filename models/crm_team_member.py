from odoo import fields, models

from .coverage_role import SENIORITIES


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
        domain="[('share', '=', False), ('id', '!=', user_id)]",
        help="Gets the paperwork of this person's orders.",
    )
    coverage_is_ready = fields.Boolean(
        string="Ready for More",
        help="Could take over another role, in the leader's opinion.",
    )
    coverage_tenure_ids = fields.One2many(
        "coverage.tenure", "member_id", string="Time in Roles"
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

    _coverage_capacity_not_negative = models.Constraint(
        "CHECK (coverage_capacity >= 0)",
        "The contacts a month cannot be negative. Use 0 for the company's setting.",
    )
