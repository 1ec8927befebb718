from odoo import fields, models
from odoo.tools import SQL

from ..models.coverage_change import ORIGINS
from ..models.opening import open_form

KINDS = [("segment", "Segment"), ("temperature", "Temperature")]
DIRECTIONS = [("up", "Up"), ("down", "Down")]


class CoverageMovementReport(models.Model):
    """Who went up or down between segments and temperatures, and the money in it.

    A row is a change that happened and was not undone; its id is that of the change.
    Potential and revenue are those of the moment, the owner is that of the moment too.
    """

    _name = "coverage.movement.report"
    _inherit = ["coverage.report"]
    _description = "Movement"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "customer_id"
    _depends = {
        "coverage.change": [
            "company_id",
            "customer_id",
            "date",
            "field_name",
            "model",
            "new_value",
            "old_value",
            "origin",
            "potential",
            "revenue_12m",
            "state",
            "user_id",
        ],
        "coverage.customer": ["segment_id", "team_id"],
        "coverage.segment": ["code", "typical_share"],
        "coverage.temperature": ["min_score", "name"],
    }

    customer_id = fields.Many2one("coverage.customer", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    team_id = fields.Many2one(
        "crm.team", string="Sales Team", readonly=True, help="The customer's team now."
    )
    user_id = fields.Many2one("res.users", string="Owner Then", readonly=True)
    segment_id = fields.Many2one(
        "coverage.segment", string="Segment Now", readonly=True
    )
    date = fields.Datetime(readonly=True)
    kind = fields.Selection(KINDS, string="What", readonly=True)
    direction = fields.Selection(DIRECTIONS, readonly=True)
    from_name = fields.Char(string="From", readonly=True)
    to_name = fields.Char(string="To", readonly=True)
    step_count = fields.Integer(
        string="Steps", readonly=True, help="How many levels up; negative: down."
    )
    origin = fields.Selection(ORIGINS, readonly=True)
    potential = fields.Monetary(readonly=True, help="At that moment.")
    revenue_12m = fields.Monetary(
        string="Revenue (12 months)", readonly=True, help="At that moment."
    )

    def action_open_customer(self):
        """Open the customer."""
        self.ensure_one()
        return open_form("coverage.customer", self.customer_id.id)

    @property
    def _table_query(self):
        return SQL(
            """
              WITH level AS (%(levels)s)
            SELECT h.id, h.customer_id, h.company_id, c.team_id, h.user_id,
                   c.segment_id, h.date, former.kind, former.name AS from_name,
                   level.name AS to_name, level.rank - former.rank AS step_count,
                   CASE WHEN level.rank > former.rank THEN 'up' ELSE 'down' END
                       AS direction,
                   h.origin, h.potential, h.revenue_12m
              FROM coverage_change h
              JOIN coverage_customer c ON c.id = h.customer_id
              JOIN level former ON former.field_name = h.field_name
                               AND former.value = h.old_value
              JOIN level ON level.field_name = h.field_name
                        AND level.value = h.new_value
             WHERE h.model = 'coverage.customer'
               AND h.field_name IN ('segment_id', 'temperature_id')
               AND h.state IN ('applied', 'kept') AND h.origin <> 'undo'
               AND h.company_id IN %(companies)s
            """,
            levels=self._query_levels(),
            companies=self._query_company_ids(),
        )

    def _query_levels(self):
        """Return segments and temperatures with their ranks, the lowest 1."""
        return SQL(
            """
            SELECT 'segment_id' AS field_name, 'segment' AS kind, id::text AS value,
                   code AS name, rank() OVER (ORDER BY typical_share)::int AS rank
              FROM coverage_segment
             UNION ALL
            SELECT 'temperature_id', 'temperature', id::text,
                   COALESCE(name->>%s, name->>'en_US'),
                   rank() OVER (ORDER BY min_score)::int
              FROM coverage_temperature
            """,
            self.env.lang or "en_US",
        )
