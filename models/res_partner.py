from collections import defaultdict

from odoo import api, fields, models
from odoo.tools import SQL

from .coverage_customer import LIFECYCLES
from .opening import open_form

ROW_FIELDS = {
    "coverage_id": "id",
    "coverage_segment_id": "segment_id",
    "coverage_temperature_id": "temperature_id",
    "coverage_lifecycle": "lifecycle",
    "coverage_next_contact_date": "next_contact_date",
}
OWNER_FIELDS = {"user_id"}
IDENTITY_FIELDS = {"parent_id", "is_company"}
SALESMAN = "sales_team.group_sale_salesman"


class ResPartner(models.Model):
    """Contacts show how their company is covered in the company one works in.

    The fields are joined, not stored: this table is wide, hot and global. Their SQL
    bypasses record rules, so no field with money is among them.
    """

    _inherit = "res.partner"

    coverage_employee_count = fields.Integer(
        string="Employees",
        help="Number of people who work there. Look-alikes are found by it.",
    )
    coverage_id = fields.Many2one(
        "coverage.customer",
        compute="_compute_coverage",
        search="_search_coverage_id",
        compute_sudo=True,
        groups=SALESMAN,
    )
    coverage_segment_id = fields.Many2one(
        "coverage.segment",
        string="Segment",
        compute="_compute_coverage",
        search="_search_coverage_segment_id",
        compute_sudo=True,
        groups=SALESMAN,
    )
    coverage_temperature_id = fields.Many2one(
        "coverage.temperature",
        string="Temperature",
        compute="_compute_coverage",
        search="_search_coverage_temperature_id",
        compute_sudo=True,
        groups=SALESMAN,
    )
    coverage_lifecycle = fields.Selection(
        LIFECYCLES,
        string="Lifecycle",
        compute="_compute_coverage",
        search="_search_coverage_lifecycle",
        compute_sudo=True,
        groups=SALESMAN,
    )
    coverage_next_contact_date = fields.Date(
        string="Next Contact",
        compute="_compute_coverage",
        search="_search_coverage_next_contact_date",
        compute_sudo=True,
        groups=SALESMAN,
    )
    is_decision_maker = fields.Boolean(
        string="Decision Maker", help="Decides what this company buys."
    )
    coverage_badge = fields.Char(
        compute="_compute_coverage",
        compute_sudo=True,
        groups=SALESMAN,
    )
    coverage_temperature_code = fields.Char(
        compute="_compute_coverage",
        compute_sudo=True,
        groups=SALESMAN,
        export_string_translation=False,
    )
    can_open_coverage = fields.Boolean(
        compute="_compute_can_open_coverage",
        groups=SALESMAN,
        export_string_translation=False,
    )

    _coverage_phone = models.Index(
        "(phone_sanitized) WHERE phone_sanitized IS NOT NULL"
    )
    _coverage_vat = models.Index(
        "(upper(regexp_replace(vat, '\\W', '', 'g'))) WHERE vat IS NOT NULL"
    )
    _coverage_domain = models.Index(
        "(split_part(email_normalized, '@', 2)) WHERE email_normalized IS NOT NULL"
    )
    _coverage_employees_not_negative = models.Constraint(
        "CHECK (coverage_employee_count >= 0)",
        "The number of employees cannot be negative.",
    )

    @api.depends("commercial_partner_id")
    @api.depends_context("company")
    def _compute_coverage(self):
        rows = self.env["coverage.customer"].search(
            [
                ("partner_id", "in", self.commercial_partner_id.ids),
                ("company_id", "=", self.env.company.id),
            ]
        )
        by_partner = {row.partner_id.id: row for row in rows}
        for partner in self:
            row = by_partner.get(partner.commercial_partner_id.id, rows.browse())
            partner.coverage_id = row
            partner.coverage_segment_id = row.segment_id
            partner.coverage_temperature_id = row.temperature_id
            partner.coverage_lifecycle = row.lifecycle
            partner.coverage_next_contact_date = row.next_contact_date
            partner.coverage_temperature_code = row.temperature_id.code
            partner.coverage_badge = " ".join(
                filter(None, (row.segment_id.code, row.temperature_id.icon))
            )

    @api.depends("coverage_id")
    @api.depends_context("uid", "company")
    def _compute_can_open_coverage(self):
        visible = self.coverage_id._filtered_access("read")
        for partner in self:
            partner.can_open_coverage = bool(partner.coverage_id & visible)

    def _search_coverage_id(self, operator, value):
        return self._search_coverage("coverage_id", operator, value)

    def _search_coverage_segment_id(self, operator, value):
        return self._search_coverage("coverage_segment_id", operator, value)

    def _search_coverage_temperature_id(self, operator, value):
        return self._search_coverage("coverage_temperature_id", operator, value)

    def _search_coverage_lifecycle(self, operator, value):
        return self._search_coverage("coverage_lifecycle", operator, value)

    def _search_coverage_next_contact_date(self, operator, value):
        if operator not in ("<", "<=", ">", ">="):
            return self._search_coverage("coverage_next_contact_date", operator, value)
        rows = self.env["coverage.customer"].sudo()
        found = rows._search(
            [
                ("company_id", "=", self.env.company.id),
                ("next_contact_date", operator, value),
            ]
        )
        return [("commercial_partner_id", "in", found.subselect("partner_id"))]

    def _search_coverage(self, field_name, operator, value):
        """Return the contacts of the companies whose row matches.

        What is asked of the row itself is asked with the user's own rights: searching
        for the money of others would tell it.
        """
        self._check_field_access(self._fields[field_name], "read")
        if operator not in ("in", "any"):
            return NotImplemented
        name, rows = ROW_FIELDS[field_name], self.env["coverage.customer"].sudo()
        company = [("company_id", "=", self.env.company.id)]
        if operator == "any":
            rows = self.env["coverage.customer"] if name == "id" else rows
            found = rows._search([*company, (name, "any", value)])
            return [("commercial_partner_id", "in", found.subselect("partner_id"))]
        values = set(value)
        domain = [
            (
                "commercial_partner_id",
                "in",
                rows._search(
                    [*company, (name, "in", [one for one in values if one])]
                ).subselect("partner_id"),
            )
        ]
        if False in values:
            known = rows._search([*company, (name, "!=", False)])
            domain = [
                "|",
                ("commercial_partner_id", "not in", known.subselect("partner_id")),
                *domain,
            ]
        return domain

    def _field_to_sql(self, alias, field_expr, query=None):
        """Join the row of the current company, for order and group-by."""
        column = ROW_FIELDS.get(field_expr)
        if column is None or query is None:
            return super()._field_to_sql(alias, field_expr, query)
        self._check_field_access(self._fields[field_expr], "read")
        row = query.make_alias(alias, "coverage_customer")
        query.add_join(
            "LEFT JOIN",
            row,
            "coverage_customer",
            SQL(
                "%s = %s AND %s = %s AND %s",
                SQL.identifier(row, "partner_id"),
                SQL.identifier(alias, "commercial_partner_id"),
                SQL.identifier(row, "company_id"),
                self.env.company.id,
                SQL.identifier(row, "active"),
            ),
        )
        return SQL.identifier(row, column)

    @api.model_create_multi
    def create(self, vals_list):
        partners = super().create(vals_list)
        owned = partners.filtered(lambda one: one.user_id and not one.parent_id)
        self.env["coverage.refresh"].sudo()._queue_customers(owned)
        return partners

    def write(self, vals):
        if "user_id" in vals:
            self.env["coverage.guard"]._check_owner(self, vals["user_id"])
        if vals.get("active") is False:
            self.env["coverage.guard"]._check_archive(self)
        has_identity = not IDENTITY_FIELDS.isdisjoint(vals)
        before = (
            {partner: partner.commercial_partner_id for partner in self}
            if has_identity
            else {}
        )
        result = super().write(vals)
        if has_identity:
            self._fold_into_parent(before)
        if "active" in vals or "company_id" in vals:
            self._get_coverage_rows()._settle_active()
        if "user_id" in vals and not self.env.context.get("coverage_from_customer"):
            self._follow_owner()
        return result

    def unlink(self):
        self.env["coverage.guard"]._check_archive(self)
        self._get_coverage_rows().unlink()
        return super().unlink()

    # === COVERAGE === #

    def action_open_coverage(self):
        """Open the customer's scorecard in the current company."""
        self.ensure_one()
        return open_form("coverage.customer", self.coverage_id.id)

    def action_log_call(self):
        """Open the dialog that notes a contact with this person."""
        self.ensure_one()
        return self.env["coverage.log.touch"]._open(default_partner_id=self.id)

    def _get_coverage_rows(self):
        """Return the rows of these partners in all companies, archived ones too."""
        return (
            self.env["coverage.customer"]
            .sudo()
            .with_context(active_test=False)
            .search([("partner_id", "in", self.ids)])
        )

    def _get_mirrored_coverage(self):
        """Return by contact the one row whose owner is its salesperson.

        The row of the partner's own company, else its oldest active one.
        """
        rows = (
            self.env["coverage.customer"]
            .sudo()
            .search([("partner_id", "in", self.ids)], order="id")
        )
        by_partner = rows.grouped("partner_id")
        mirrored = {}
        for partner in self:
            own = by_partner.get(partner, rows.browse())
            if partner.company_id:
                own = own.filtered_domain([("company_id", "=", partner.company_id.id)])
            mirrored[partner] = own[:1]
        return mirrored

    def _follow_owner(self):
        """Write the contacts' salespeople to the rows that mirror them.

        A new salesperson makes a customer. Those who may not own it there (portal
        users, other companies' people) leave it without an owner.
        """
        partners = self.filtered(lambda one: one == one.commercial_partner_id)
        moved, missing = defaultdict(list), partners.browse()
        for partner, row in partners._get_mirrored_coverage().items():
            user = partner.sudo().user_id
            if not row and user:
                missing += partner
                continue
            is_ours = user.active and not user.share
            is_able = is_ours and row.company_id in user.company_ids
            owner = user if is_able else user.browse()
            if row and row.user_id != owner:
                moved[owner.id].append(row.id)
        self.env["coverage.refresh"].sudo()._queue_customers(missing)
        rows = self.env["coverage.guard"]._enter(self.env["coverage.customer"])
        for owner_id, ids in moved.items():
            following = rows.browse(ids).with_context(coverage_from_partner=True)
            following._log_claims(owner_id).user_id = owner_id

    def _fold_into_parent(self, before):
        """Fold rows of partners that now belong to another commercial partner.

        Who leaves its company becomes a customer of its own, if it bought.
        """
        folding = self.env["coverage.fold"].sudo()
        refresh = self.env["coverage.refresh"].sudo()
        for partner, former in before.items():
            current = partner.commercial_partner_id
            if current == former:
                continue
            folding._fold(partner, current)
            rows = (former | current | partner)._get_coverage_rows()
            for company, group in rows.grouped("company_id").items():
                refresh._refresh_partners(company, group.partner_id | current)
