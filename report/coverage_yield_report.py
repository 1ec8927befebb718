from odoo import fields, models
from odoo.tools import SQL

from ..models.coverage_customer import LIFECYCLES
from ..models.opening import open_form


class CoverageYieldReport(models.Model):
    """What customers bring of what they could: one row a customer, its id.

    The yield of a group is its revenue ÷ its potential, never a mean of yields.
    """

    _name = "coverage.yield.report"
    _inherit = ["coverage.report"]
    _description = "Revenue and Yield"
    _auto = False
    _order = "gap desc, id"
    _rec_name = "customer_id"
    _depends = {
        "coverage.customer": [
            "active",
            "company_id",
            "currency_id",
            "last_order_date",
            "lifecycle",
            "partner_id",
            "potential",
            "revenue_12m",
            "revenue_best_12m",
            "revenue_prev_12m",
            "segment_id",
            "team_id",
            "temperature_id",
            "user_id",
        ],
        "res.partner": ["country_id", "industry_id"],
    }

    customer_id = fields.Many2one("coverage.customer", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    team_id = fields.Many2one("crm.team", string="Sales Team", readonly=True)
    user_id = fields.Many2one("res.users", string="Owner", readonly=True)
    segment_id = fields.Many2one("coverage.segment", readonly=True)
    temperature_id = fields.Many2one("coverage.temperature", readonly=True)
    lifecycle = fields.Selection(LIFECYCLES, readonly=True)
    industry_id = fields.Many2one("res.partner.industry", readonly=True)
    country_id = fields.Many2one("res.country", readonly=True)
    last_order_date = fields.Date(string="Last Order", readonly=True)
    potential = fields.Monetary(readonly=True)
    revenue_12m = fields.Monetary(string="Revenue (12 months)", readonly=True)
    revenue_prev_12m = fields.Monetary(string="Revenue (year before)", readonly=True)
    gap = fields.Monetary(
        string="Left to Win", readonly=True, help="Potential that is not yet revenue."
    )
    drop_amount = fields.Monetary(
        string="Drop",
        readonly=True,
        help="By how much the last 12 months fell short of those before.",
    )
    lost_revenue = fields.Monetary(
        string="Lost Yearly Revenue",
        readonly=True,
        help="Of customers that sleep: the best year they had with us.",
    )
    yield_rate = fields.Float(
        string="Yield",
        readonly=True,
        aggregator="avg",
        help="Revenue of the last 12 months ÷ potential; of a group, of its sums.",
    )

    def action_open_customer(self):
        """Open the customer."""
        self.ensure_one()
        return open_form("coverage.customer", self.customer_id.id)

    def _read_group_select(self, aggregate_spec, query):
        """Divide the sums, so that large customers weigh what they bring."""
        if aggregate_spec != "yield_rate:avg":
            return super()._read_group_select(aggregate_spec, query)
        return SQL(
            "SUM(%s) FILTER (WHERE %s > 0) / NULLIF(SUM(%s), 0)",
            self._field_to_sql(self._table, "revenue_12m", query),
            self._field_to_sql(self._table, "potential", query),
            self._field_to_sql(self._table, "potential", query),
        )

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT c.id, c.id AS customer_id, c.company_id, c.currency_id, c.team_id,
                   c.user_id, c.segment_id, c.temperature_id, c.lifecycle,
                   p.industry_id, p.country_id, c.last_order_date,
                   c.potential, c.revenue_12m, c.revenue_prev_12m,
                   GREATEST(c.potential - c.revenue_12m, 0) AS gap,
                   GREATEST(c.revenue_prev_12m - c.revenue_12m, 0) AS drop_amount,
                   CASE WHEN c.lifecycle = 'sleeping' THEN c.revenue_best_12m END
                       AS lost_revenue,
                   c.revenue_12m::float8 / NULLIF(c.potential, 0) AS yield_rate
              FROM coverage_customer c
              JOIN res_partner p ON p.id = c.partner_id
             WHERE c.active AND c.company_id IN %s
            """,
            self._query_company_ids(),
        )
