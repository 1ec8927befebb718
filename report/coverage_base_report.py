from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo import fields, models
from odoo.tools import SQL
from odoo.tools.date_utils import end_of

from ..models.coverage_customer import LIFECYCLES
from ..models.opening import open_form

MONTHS = 24  # looked back at most


class CoverageBaseReport(models.Model):
    """The health of the base: what customers were at the end of each month.

    A row is a customer at the end of a month, its lifecycle of then; the running month
    stands for today. Owner, team, segment and potential are those of now. Nothing is
    shown of the time before the first day of the history.
    """

    _name = "coverage.base.report"
    _inherit = ["coverage.report"]
    _description = "Base Health"
    _auto = False
    _order = "date desc, potential desc, id"
    _rec_name = "customer_id"
    _depends = {
        "coverage.change": [
            "customer_id",
            "date",
            "field_name",
            "model",
            "new_value",
            "old_value",
            "state",
        ],
        "coverage.customer": [
            "active",
            "company_id",
            "create_date",
            "currency_id",
            "first_order_date",
            "lifecycle",
            "potential",
            "segment_id",
            "team_id",
            "user_id",
        ],
    }

    customer_id = fields.Many2one("coverage.customer", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    team_id = fields.Many2one("crm.team", string="Sales Team", readonly=True)
    user_id = fields.Many2one("res.users", string="Owner", readonly=True)
    segment_id = fields.Many2one("coverage.segment", readonly=True)
    date = fields.Date(string="Month", readonly=True, help="Its last day, or today.")
    lifecycle = fields.Selection(LIFECYCLES, readonly=True)
    customer_count = fields.Integer(string="Customers", readonly=True)
    potential = fields.Monetary(readonly=True, help="Of today.")

    def action_open_customer(self):
        """Open the customer."""
        self.ensure_one()
        return open_form("coverage.customer", self.customer_id.id)

    @property
    def _table_query(self):
        return SQL(
            """
              WITH month (number, company_id, date, moment) AS (%(months)s),
                   moved AS (%(moves)s),
                   life AS (%(lives)s)
            SELECT life.customer_id::bigint * %(most)s + m.number AS id,
                   life.customer_id, c.company_id, c.currency_id, c.team_id, c.user_id,
                   c.segment_id, m.date, life.lifecycle, 1 AS customer_count,
                   c.potential
              FROM life
              JOIN coverage_customer c ON c.id = life.customer_id
              JOIN month m ON m.company_id = c.company_id
                          AND life.since < m.moment
                          AND (life.until IS NULL OR life.until >= m.moment)
            """,
            months=self._query_months(),
            moves=self._query_moves(),
            lives=self._query_lives(),
            most=MONTHS + 1,
        )

    def _query_months(self):
        """Return the ends of the months that the history tells of, by company."""
        rows = [
            SQL("(%s::int, %s::int, %s::date, %s::timestamp)", *row)
            for company in self._get_companies()
            for row in self._get_months(company)
        ]
        return SQL("VALUES %s", SQL(", ").join(rows))

    def _get_months(self, company):
        """Return number, company, last day and end (naive UTC) of each month."""
        today = company._get_coverage_today(fields.Datetime.now())
        first = self.env["coverage.history"]._get_first_day(company)
        rows = []
        for number in range(MONTHS + 1):
            day = today
            if number:
                day = end_of(today - relativedelta(months=number), "month")
            if number and day < first:
                break
            end = company._get_coverage_midnight(day + timedelta(days=1))
            rows.append((number, company.id, day, end))
        return rows

    def _query_lives(self):
        """Return what each customer was, from when until when (empty: still is)."""
        return SQL(
            """
            SELECT customer_id, old_value AS lifecycle, born AS since, date AS until
              FROM moved WHERE number = 1 AND old_value IS NOT NULL
             UNION ALL
            SELECT customer_id, new_value, date, next_date FROM moved
             UNION ALL
            SELECT c.id, c.lifecycle,
                   LEAST(c.create_date, c.first_order_date::timestamp), NULL
              FROM coverage_customer c
             WHERE c.active AND c.company_id IN %(companies)s
               AND c.lifecycle IS NOT NULL
               AND NOT EXISTS (SELECT FROM coverage_change h
                                WHERE h.customer_id = c.id
                                  AND h.field_name = 'lifecycle' AND %(happened)s)
            """,
            companies=self._query_company_ids(),
            happened=self.env["coverage.history"]._query_happened(),
        )

    def _query_moves(self):
        """Return the changes of lifecycle in order, with the next of the customer."""
        return SQL(
            """
            SELECT h.customer_id, h.old_value, h.new_value, h.date,
                   LEAST(c.create_date, c.first_order_date::timestamp, h.date) AS born,
                   row_number() OVER life AS number, lead(h.date) OVER life AS next_date
              FROM coverage_change h
              JOIN coverage_customer c ON c.id = h.customer_id
             WHERE c.active AND h.company_id IN %(companies)s
               AND h.field_name = 'lifecycle' AND %(happened)s
            WINDOW life AS (PARTITION BY h.customer_id ORDER BY h.date, h.id)
            """,
            companies=self._query_company_ids(),
            happened=self.env["coverage.history"]._query_happened(),
        )
