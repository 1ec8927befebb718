from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .coverage_role import RANKS


class CoverageCovered(models.AbstractModel):
    """Which role should cover a customer, by which rule, and whether its owner has it.

    While nobody in the company's teams holds any role, nobody is in the wrong one.
    """

    _name = "coverage.covered"
    _description = "Role that Covers a Customer"

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
    is_miscovered = fields.Boolean(
        string="Covered by Another Role",
        compute="_compute_is_miscovered",
        search="_search_is_miscovered",
        help="The owner does not hold the role that the rules name, or is too junior "
        "for it.",
    )

    @api.depends("user_id", "role_id", "rule_id", "company_id")
    def _compute_is_miscovered(self):
        self.is_miscovered = False
        saved = self._origin
        if saved:
            saved.flush_recordset(["user_id", "role_id", "rule_id", "company_id"])
            query = self._query_miscovered(SQL("AND c.id IN %s", saved._ids))
            wrong = {row[0] for row in self.env.execute_query(query)}
            for customer in self:
                customer.is_miscovered = customer._origin.id in wrong

    def _search_is_miscovered(self, operator, value):
        if operator != "in":
            return NotImplemented
        self.env["coverage.customer"].flush_model(
            ["user_id", "role_id", "rule_id", "company_id"]
        )
        return Domain("id", "in", self._query_miscovered(SQL("")))

    def _query_miscovered(self, condition):
        """Select the ids of customers whose owner does not hold the role named.

        Memberships, roles and rules are joined here once, for any number of customers.
        """
        for name in ("crm.team", "crm.team.member", "coverage.rule"):
            self.env[name].flush_model()
        return SQL(
            """(
            SELECT c.id FROM coverage_customer c
              LEFT JOIN coverage_rule r ON r.id = c.rule_id
             WHERE c.user_id IS NOT NULL AND c.role_id IS NOT NULL %(condition)s
               AND NOT EXISTS (%(holds)s AND m.user_id = c.user_id
                               AND rel.role_id = c.role_id
                               AND %(rank)s >= %(least)s)
               AND EXISTS (%(holds)s))""",
            condition=condition,
            holds=SQL(
                """SELECT 1 FROM crm_team_member m
                     JOIN crm_team t ON t.id = m.crm_team_id
                     JOIN coverage_role_member_rel rel ON rel.member_id = m.id
                    WHERE m.active AND t.active
                      AND COALESCE(t.company_id, c.company_id) = c.company_id"""
            ),
            rank=self._query_rank(SQL("m.coverage_seniority")),
            least=self._query_rank(SQL("r.min_seniority")),
        )

    def _query_rank(self, column):
        """Return the rank of a seniority; without one the lowest."""
        return SQL(
            "CASE %s %s ELSE 0 END",
            column,
            SQL(" ").join(SQL("WHEN %s THEN %s", code, n) for code, n in RANKS.items()),
        )

    def write(self, vals):
        """Decide the role anew when a team changes that some rule names."""
        result = super().write(vals)
        if "team_id" in vals:
            cover = self.env["coverage.cover"].sudo()
            if any(rule.teams for rule in cover._get_rules()):
                cover._cover_customers(self.sudo())
        return result

    def _get_cover(self):
        """Return who should cover this customer and why, for the why card.

        :return: dict of ``role``, ``rule``, ``text`` and ``is_miscovered``; None while
            no rule holds
        """
        self.ensure_one()
        rule, role = self.env["coverage.cover"].sudo()._explain_customer(self.sudo())
        if not rule:
            return None
        words = {
            "role": rule._get_role_text(),
            "rule": rule.name,
            "whom": rule.condition_text,
        }
        text = self.env._("Covered by: %(role)s – rule “%(rule)s”.", **words)
        if rule.condition_text != rule.name:
            text = self.env._(
                "Covered by: %(role)s – rule “%(rule)s” (%(whom)s).", **words
            )
        return {
            "role": role.name,
            "rule": rule.name,
            "text": text,
            "is_miscovered": self.is_miscovered,
        }
