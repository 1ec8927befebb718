from odoo import api, fields, models
from odoo.tools import SQL

from ..models.opening import open_form


class CoverageOwnershipReport(models.Model):
    """Who had a customer, from when to when, and why it changed: one row an owner.

    Read from the history of changes. A row's id is twice that of the change that began
    it; the first row of a customer has twice the customer's, and one.
    """

    _name = "coverage.ownership.report"
    _inherit = ["coverage.report"]
    _description = "Owners"
    _auto = False
    _order = "date_from desc, id desc"
    _rec_name = "user_id"
    _depends = {
        "coverage.change": [
            "customer_id",
            "date",
            "field_name",
            "model",
            "new_value",
            "old_value",
            "revenue_12m",
            "state",
        ],
        "coverage.customer": [
            "company_id",
            "create_date",
            "owned_since",
            "revenue_12m",
            "team_id",
            "user_id",
        ],
    }

    customer_id = fields.Many2one("coverage.customer", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    team_id = fields.Many2one(
        "crm.team", string="Sales Team", readonly=True, help="The customer's team now."
    )
    user_id = fields.Many2one(
        "res.users", string="Owner", readonly=True, help="Empty: in the pool."
    )
    date_from = fields.Datetime(string="From", readonly=True)
    date_to = fields.Datetime(string="To", readonly=True, help="Empty: until now.")
    days = fields.Integer(readonly=True, aggregator="avg")
    change_id = fields.Many2one("coverage.change", readonly=True)
    reason_text = fields.Char(
        string="Why",
        compute="_compute_reason_text",
        help="Why the customer came to this owner.",
    )
    author_id = fields.Many2one("res.users", string="Changed by", readonly=True)
    revenue_from = fields.Monetary(
        string="Revenue Before",
        readonly=True,
        help="Of the 12 months before this owner came.",
    )
    revenue_to = fields.Monetary(
        string="Revenue Then",
        readonly=True,
        help="Of the last 12 months with this owner; of today while it lasts.",
    )

    @api.depends("change_id")
    def _compute_reason_text(self):
        for line in self:
            line.reason_text = line.change_id.sudo().reason_text

    def action_open_customer(self):
        """Open the customer."""
        self.ensure_one()
        return open_form("coverage.customer", self.customer_id.id)

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT had.id, had.change_id, had.customer_id, c.company_id, c.team_id,
                   u.id AS user_id, begun.date_from, had.until AS date_to,
                   (COALESCE(had.until, now() AT TIME ZONE 'UTC')::date
                    - begun.date_from::date) AS days,
                   had.author_id, had.revenue_from,
                   CASE WHEN had.until IS NULL THEN c.revenue_12m
                        ELSE had.revenue_to END AS revenue_to
              FROM (%s UNION ALL %s UNION ALL %s) had
              JOIN coverage_customer c ON c.id = had.customer_id
             CROSS JOIN LATERAL (
                    SELECT COALESCE(had.since, LEAST(c.create_date, had.until))
                           AS date_from
                   ) begun
              LEFT JOIN res_users u ON u.id = had.owner::int
             WHERE c.company_id IN %s
               AND (had.change_id IS NOT NULL OR u.id IS NOT NULL)
            """,
            self._query_first(),
            self._query_later(),
            self._query_only(),
            self._query_company_ids(),
        )

    def _query_first(self):
        """Return the owners before the first change."""
        return SQL(
            """
            SELECT 2 * customer_id + 1 AS id, NULL::int AS change_id, customer_id,
                   old_value AS owner, NULL::timestamp AS since, date AS until,
                   NULL::int AS author_id, NULL::numeric AS revenue_from,
                   revenue_12m AS revenue_to
              FROM (%s) moved WHERE number = 1
            """,
            self._query_moved(),
        )

    def _query_later(self):
        """Return the owners that a change brought, until the next one."""
        return SQL(
            """
            SELECT 2 * id, id, customer_id, new_value, date, next_date, author_id,
                   revenue_12m, next_revenue
              FROM (%s) moved
            """,
            self._query_moved(),
        )

    def _query_only(self):
        """Return the owners of customers that never changed hands."""
        return SQL(
            """
            SELECT 2 * c.id + 1, NULL, c.id, c.user_id::text,
                   c.owned_since::timestamp, NULL, NULL, NULL, NULL
              FROM coverage_customer c
             WHERE c.user_id IS NOT NULL AND NOT EXISTS (
                   SELECT FROM coverage_change h
                    WHERE h.customer_id = c.id AND %s)
            """,
            self._query_is_move(),
        )

    def _query_moved(self):
        """Return the changes of owners, in order, with the next one of the customer."""
        return SQL(
            """
            SELECT h.id, h.customer_id, h.old_value, h.new_value, h.date, h.author_id,
                   h.revenue_12m, row_number() OVER life AS number,
                   lead(h.date) OVER life AS next_date,
                   lead(h.revenue_12m) OVER life AS next_revenue
              FROM coverage_change h WHERE %s
            WINDOW life AS (PARTITION BY h.customer_id ORDER BY h.date, h.id)
            """,
            self._query_is_move(),
        )

    def _query_is_move(self):
        """Return what makes a line of history a change of owner that happened."""
        return SQL(
            "h.field_name = 'user_id' AND h.model = 'coverage.customer' "
            "AND h.state IN ('applied', 'undone', 'kept')"
        )
