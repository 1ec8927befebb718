from odoo import fields, models
from odoo.tools import SQL

from ..models.coverage_rethink import STATES
from ..models.coverage_rethink_engine import BLUE

NONE = ("none", "Not Begun")


class CoverageBlueReport(models.Model):
    """The A customers that are blue: since when, whose, and what is being done.

    One row a customer. Blue since the day it came from a warmer level; cool that froze
    is blue since it was cool.
    """

    _name = "coverage.blue.report"
    _inherit = ["coverage.report"]
    _description = "Blue A Customers"
    _auto = False
    _order = "blue_since, potential desc, id"
    _rec_name = "customer_id"
    _depends = {
        "coverage.change": [
            "customer_id",
            "date",
            "field_name",
            "new_value",
            "old_value",
            "state",
        ],
        "coverage.customer": [
            "active",
            "company_id",
            "next_contact_date",
            "potential",
            "revenue_12m",
            "segment_id",
            "team_id",
            "temperature_id",
            "temperature_left_id",
            "temperature_prior_since",
            "temperature_since",
            "user_id",
            "yield_rate",
        ],
        "coverage.rethink": ["customer_id", "date_deadline", "state"],
        "coverage.segment": ["typical_share"],
        "coverage.temperature": ["code"],
        "crm.team": ["user_id"],
    }

    customer_id = fields.Many2one("coverage.customer", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    user_id = fields.Many2one("res.users", string="Owner", readonly=True)
    team_id = fields.Many2one("crm.team", string="Sales Team", readonly=True)
    leader_id = fields.Many2one("res.users", readonly=True)
    badge = fields.Char(related="customer_id.badge")
    temperature_id = fields.Many2one("coverage.temperature", readonly=True)
    temperature_code = fields.Char(related="customer_id.temperature_code")
    potential = fields.Monetary(readonly=True)
    revenue_12m = fields.Monetary(string="Revenue (12 months)", readonly=True)
    yield_rate = fields.Float(string="Yield", readonly=True, aggregator="avg")
    blue_since = fields.Date(readonly=True)
    blue_days = fields.Integer(string="Days Blue", readonly=True, aggregator="avg")
    rethink_id = fields.Many2one("coverage.rethink", readonly=True)
    rethink_state = fields.Selection(
        [NONE, *STATES], string="State of the Rethink", readonly=True
    )
    rethink_text = fields.Char(related="rethink_id.text", string="What Is Next")
    date_deadline = fields.Date(string="Answer by", readonly=True)
    is_late = fields.Boolean(readonly=True)
    next_contact_date = fields.Date(readonly=True)

    # === ACTION METHODS === #

    def action_rethink(self):
        """Open the customer's rethink, or begin one."""
        self.ensure_one()
        result = self.customer_id.action_rethink()
        self.env.flush_all()
        self.invalidate_model()
        return result

    def action_open(self):
        """Open the customer."""
        self.ensure_one()
        return self.customer_id.get_formview_action()

    # === SQL === #

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT c.id, c.id AS customer_id, c.company_id, c.user_id, c.team_id,
                   team.user_id AS leader_id, c.temperature_id, c.potential,
                   c.revenue_12m, c.yield_rate, c.next_contact_date, begun.blue_since,
                   frame.today - begun.blue_since AS blue_days, r.id AS rethink_id,
                   COALESCE(r.state, 'none') AS rethink_state, r.date_deadline,
                   COALESCE(r.state = 'open' AND r.date_deadline < frame.today, FALSE)
                       AS is_late
              FROM coverage_customer c
              JOIN coverage_temperature level
                ON level.id = c.temperature_id AND level.code IN %(blue)s
              JOIN (%(frame)s)
                   frame (company_id, tz, today, since_90d, since_12m, reference)
                ON frame.company_id = c.company_id
              LEFT JOIN crm_team team ON team.id = c.team_id
              LEFT JOIN coverage_temperature former
                ON former.id = c.temperature_left_id
              LEFT JOIN LATERAL (%(turn)s) turn ON TRUE
              LEFT JOIN LATERAL (%(rethink)s) r ON TRUE
             CROSS JOIN LATERAL (
                    SELECT COALESCE(
                        (turn.date AT TIME ZONE 'UTC' AT TIME ZONE frame.tz)::date,
                        CASE WHEN former.code IN %(blue)s
                             THEN c.temperature_prior_since END,
                        c.temperature_since) AS blue_since
                   ) begun
             WHERE c.active AND c.segment_id = (
                   SELECT id FROM coverage_segment
                    ORDER BY typical_share DESC, id LIMIT 1)
            """,
            blue=BLUE,
            frame=self._query_frame(),
            turn=self._query_turn(),
            rethink=self._query_rethink(),
        )

    def _query_turn(self):
        """Return when a customer last came from a warmer level."""
        return SQL(
            """
            SELECT h.date
              FROM coverage_change h
              JOIN coverage_temperature old ON old.id::text = h.old_value
              JOIN coverage_temperature new ON new.id::text = h.new_value
             WHERE h.customer_id = c.id AND h.field_name = 'temperature_id'
               AND h.state IN ('applied', 'kept')
               AND old.code NOT IN %(blue)s AND new.code IN %(blue)s
             ORDER BY h.date DESC, h.id DESC LIMIT 1
            """,
            blue=BLUE,
        )

    def _query_rethink(self):
        """Return the last rethink of a customer, leaving out what was dropped."""
        return SQL(
            """
            SELECT r.id, r.state, r.date_deadline FROM coverage_rethink r
             WHERE r.customer_id = c.id AND r.state != 'cancelled'
             ORDER BY r.id DESC LIMIT 1
            """
        )
