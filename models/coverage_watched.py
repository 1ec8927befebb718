from collections import defaultdict

from odoo import fields, models
from odoo.tools import SQL


class CoverageWatched(models.AbstractModel):
    """Documents of a customer that its watchers may read, company by company.

    A rule with this field costs one look at the few rows that somebody watches; it is
    never stored, for watchers come and go.
    """

    _name = "coverage.watched"
    _description = "Documents Seen by Watchers"

    coverage_watcher_ids = fields.Many2many(
        "res.users",
        string="Watchers",
        compute="_compute_coverage_watcher_ids",
        search="_search_coverage_watcher_ids",
        compute_sudo=True,
        groups="sales_team.group_sale_salesman",
        help="People who see this because they watch the customer.",
    )

    def _compute_coverage_watcher_ids(self):
        watchers = defaultdict(list)
        if ids := self.ids:
            query = SQL(
                "SELECT id, user_id FROM (%s) watched WHERE id IN %s",
                self._query_watchers(),
                tuple(ids),
            )
            self._flush_watchers()
            for id_, user_id in self.env.execute_query(query):
                watchers[id_].append(user_id)
        self.coverage_watcher_ids = False  # at once: hardly any has some
        for document in self:
            if user_ids := watchers.get(document._origin.id):
                document.coverage_watcher_ids = user_ids

    def _search_coverage_watcher_ids(self, operator, value):
        if operator != "in":
            return NotImplemented
        self._flush_watchers()
        query = SQL(
            "(SELECT id FROM (%s) watched WHERE user_id IN %s)",
            self._query_watchers(),
            tuple(value) or (0,),
        )
        return [("id", "in", query)]

    def _flush_watchers(self):
        """Write what the ORM holds back of what the query reads."""
        self.env["coverage.customer"].flush_model(["partner_id", "watcher_ids"])
        self.env["res.partner"].flush_model(["commercial_partner_id"])

    def _query_watchers(self):
        """Return documents with who watches their customer in their company.

        Override to let others see some documents: add rows of ``id`` and ``user_id``.
        """
        return SQL(
            """
            SELECT d.id, w.res_users_id AS user_id
              FROM coverage_customer_watcher_rel w
              JOIN coverage_customer c ON c.id = w.coverage_customer_id
              JOIN res_partner p ON p.commercial_partner_id = c.partner_id
              JOIN %s d ON d.partner_id = p.id
               AND COALESCE(d.company_id, c.company_id) = c.company_id
            """,
            SQL.identifier(self._table),
        )
