from odoo import fields, models
from odoo.tools import SQL

from ..models.opening import open_form

KINDS = [
    ("kept", "Kept"),
    ("grown", "Grown"),
    ("woken", "Woken"),
    ("new", "New"),
    ("lost", "Lost"),
]


class CoverageRevenueReport(models.Model):
    """Where the revenue of 12 months comes from, against the 12 months before.

    Up to two rows a customer: what was kept (the smaller of both years), and what came
    on top or went away. So kept + grown + woken + new is this year's revenue, and kept
    − lost is that of the year before (lost is negative). New: first order within 12
    months; woken: nothing in the year before, or back after a long sleep. Touches stand
    on the row that changed, once a customer.
    """

    _name = "coverage.revenue.report"
    _inherit = ["coverage.report"]
    _description = "Where Revenue Comes From"
    _auto = False
    _order = "amount desc, id"
    _rec_name = "customer_id"
    _depends = {
        "coverage.customer": [
            "active",
            "awake_order_day_count",
            "company_id",
            "currency_id",
            "first_order_date",
            "lifecycle",
            "order_day_count",
            "partner_id",
            "revenue_12m",
            "revenue_prev_12m",
            "segment_id",
            "team_id",
            "user_id",
        ],
        "coverage.touch": ["active", "company_id", "customer_id", "date", "is_counted"],
        "res.partner": ["country_id", "industry_id"],
    }

    customer_id = fields.Many2one("coverage.customer", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    team_id = fields.Many2one("crm.team", string="Sales Team", readonly=True)
    user_id = fields.Many2one("res.users", string="Owner", readonly=True)
    segment_id = fields.Many2one("coverage.segment", readonly=True)
    industry_id = fields.Many2one("res.partner.industry", readonly=True)
    country_id = fields.Many2one("res.country", readonly=True)
    kind = fields.Selection(KINDS, readonly=True)
    amount = fields.Monetary(
        readonly=True, help="Of 12 months; lost revenue is negative."
    )
    touch_count = fields.Integer(
        string="Contacts", readonly=True, help="Of 12 months, once a customer."
    )

    def action_open_customer(self):
        """Open the customer."""
        self.ensure_one()
        return open_form("coverage.customer", self.customer_id.id)

    @property
    def _table_query(self):
        return SQL(
            """
              WITH frame (company_id, tz, today, since_90d, since_12m, reference)
                   AS (%(frame)s),
                   year AS (%(year)s),
                   touched AS (%(touched)s)
            SELECT y.id * 2 + part.number AS id, y.id AS customer_id, y.company_id,
                   y.currency_id, y.team_id, y.user_id, y.segment_id,
                   p.industry_id, p.country_id, part.kind, part.amount,
                   CASE WHEN part.number = 1 OR y.revenue_12m = y.revenue_prev_12m
                        THEN COALESCE(touched.touches, 0) ELSE 0 END AS touch_count
              FROM year y
              JOIN res_partner p ON p.id = y.partner_id
              LEFT JOIN touched ON touched.customer_id = y.id
             CROSS JOIN LATERAL (VALUES
                   (0, 'kept', LEAST(y.revenue_12m, y.revenue_prev_12m)),
                   (1, CASE WHEN y.revenue_12m < y.revenue_prev_12m THEN 'lost'
                            ELSE y.growth END, y.revenue_12m - y.revenue_prev_12m)
                   ) part (number, kind, amount)
             WHERE part.amount <> 0
            """,
            frame=self._query_frame(),
            year=self._query_year(),
            touched=self._query_touched(),
        )

    def _query_year(self):
        """Return the two years of each customer, and what growth is called."""
        return SQL(
            """
            SELECT c.id, c.company_id, c.currency_id, c.team_id, c.user_id,
                   c.segment_id, c.partner_id,
                   COALESCE(c.revenue_12m, 0) AS revenue_12m,
                   COALESCE(c.revenue_prev_12m, 0) AS revenue_prev_12m,
                   CASE WHEN c.first_order_date > f.today - 365 THEN 'new'
                        WHEN COALESCE(c.revenue_prev_12m, 0) = 0
                          OR (c.lifecycle = 'new'
                              AND c.awake_order_day_count < c.order_day_count)
                        THEN 'woken' ELSE 'grown' END AS growth
              FROM coverage_customer c
              JOIN frame f ON f.company_id = c.company_id
             WHERE c.active
            """
        )

    def _query_touched(self):
        """Return the contacts of 12 months by customer."""
        return SQL(
            """
            SELECT t.customer_id, COUNT(*) AS touches
              FROM coverage_touch t
              JOIN frame f ON f.company_id = t.company_id
             WHERE t.is_counted AND t.active AND t.date >= %s
               AND t.date >= f.since_12m
             GROUP BY t.customer_id
            """,
            self._query_earliest(),
        )
