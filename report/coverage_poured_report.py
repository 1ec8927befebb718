from odoo import fields, models
from odoo.tools import SQL

from ..models.groups import LEADER
from ..models.opening import open_form
from .coverage_report import LONG_DAYS

SIZES = [("small", "Small"), ("medium", "Medium"), ("large", "Large")]
TALKS = ("call", "visit", "online")


class CoveragePouredReport(models.Model):
    """One row a lost lead: how often it was tried, and who gives up too early.

    A lead is poured away when it was closed after attempts on at most one day. It
    counts as an attempt when we contacted the lead, or when the seller contacted its
    customer while the lead was open and no other lead was meant. A row's id is that of
    its ``crm.lead``.
    """

    _name = "coverage.poured.report"
    _inherit = ["coverage.report"]
    _description = "Poured Away Report"
    _auto = False
    _order = "date_closed desc, id desc"
    _rec_name = "lead_id"
    _depends = {
        "crm.lead": [
            "active",
            "company_id",
            "coverage_employee_count",
            "create_date",
            "date_closed",
            "expected_revenue",
            "lost_reason_id",
            "partner_id",
            "source_id",
            "team_id",
            "type",
            "user_id",
            "won_status",
            "write_date",
        ],
        "coverage.customer": ["company_id", "partner_id"],
        "coverage.touch": [
            "active",
            "channel",
            "customer_id",
            "date",
            "direction",
            "is_two_way",
            "lead_id",
            "user_id",
        ],
        "res.company": ["currency_id"],
        "res.partner": [
            "commercial_partner_id",
            "company_id",
            "coverage_employee_count",
        ],
        "res.users": ["company_id"],
    }

    # the lead
    lead_id = fields.Many2one("crm.lead", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Contact", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    user_id = fields.Many2one("res.users", string="Seller", readonly=True)
    team_id = fields.Many2one("crm.team", string="Sales Team", readonly=True)
    type = fields.Selection(
        [("lead", "Lead"), ("opportunity", "Opportunity")],
        readonly=True,
    )
    source_id = fields.Many2one("utm.source", string="Lead Source", readonly=True)
    lost_reason_id = fields.Many2one("crm.lost.reason", readonly=True)
    date_closed = fields.Datetime(string="Closed On", readonly=True)
    expected_revenue = fields.Monetary(readonly=True)
    size = fields.Selection(
        SIZES,
        readonly=True,
        help="By expected revenue, else by employees, against the company's other lost "
        "leads: the lowest quarter is small, the highest large.",
    )
    days_open = fields.Float(digits=(16, 1), readonly=True, aggregator="avg")

    # how it was worked
    lead_count = fields.Integer(string="Leads Lost", readonly=True)
    attempt_days = fields.Integer(
        string="Attempts",
        readonly=True,
        aggregator="avg",
        help="Different days on which it was tried.",
    )
    is_poured = fields.Boolean(
        string="Poured Away",
        readonly=True,
        help="Closed after attempts on at most one day.",
    )
    poured_count = fields.Integer(string="Leads Poured Away", readonly=True)
    poured_rate = fields.Float(string="Poured Away %", readonly=True, aggregator="avg")
    team_rate = fields.Float(
        string="Team's %",
        readonly=True,
        aggregator="avg",
        groups=LEADER,
        help="What the team pours away of leads of the same size, lost in the same 12 "
        "months.",
    )
    team_difference = fields.Float(
        string="Above Team",
        readonly=True,
        aggregator="avg",
        groups=LEADER,
        help="Poured away − the team's, in percentage points.",
    )

    def action_open_lead(self):
        """Open the lead."""
        self.ensure_one()
        return open_form("crm.lead", self.id)

    # === QUERY === #

    @property
    def _table_query(self):
        """Return the lost leads with the attempts at them, and their team's rate."""
        return SQL(
            """
            WITH frame (company_id, tz, today, since_90d, since_12m, reference) AS (
                %(frame)s
            ),
            lost AS (%(lost)s),
            sized AS (%(sized)s)
            SELECT l.*, l.id AS lead_id, 1 AS lead_count,
                   l.is_poured::int AS poured_count,
                   l.is_poured::int::float8 AS poured_rate,
                   r.rate AS team_rate,
                   l.is_poured::int - r.rate AS team_difference
              FROM sized l
              LEFT JOIN (
                    SELECT team_id, size_key, years_ago,
                           AVG(is_poured::int)::float8 AS rate
                      FROM sized GROUP BY team_id, size_key, years_ago
                   ) r ON r.team_id = l.team_id AND r.size_key = l.size_key
                      AND r.years_ago = l.years_ago
            """,
            frame=self._query_frame(),
            lost=self._query_lost(),
            sized=self._query_sized(),
        )

    def _query_lost(self):
        """Return the lost leads, each in its company and with its customer."""
        return SQL(
            """
            SELECT l.id, l.partner_id, f.company_id, company.currency_id, l.user_id,
                   l.team_id, l.type, l.source_id, l.lost_reason_id, l.create_date,
                   COALESCE(l.date_closed, l.write_date) AS date_closed,
                   COALESCE(l.expected_revenue, 0) AS expected_revenue,
                   COALESCE(NULLIF(l.coverage_employee_count, 0),
                            NULLIF(p.coverage_employee_count, 0)) AS employees,
                   f.tz, f.today, c.id AS customer_id
              FROM crm_lead l
              LEFT JOIN res_partner p ON p.id = l.partner_id
              LEFT JOIN res_users u ON u.id = l.user_id
              JOIN frame f ON f.company_id = %s
              JOIN res_company company ON company.id = f.company_id
              LEFT JOIN coverage_customer c ON c.partner_id = p.commercial_partner_id
                                           AND c.company_id = f.company_id
             WHERE NOT l.active AND l.won_status = 'lost'
            """,
            self.env["coverage.facts"]._query_lead_company(),
        )

    def _query_sized(self):
        """Add attempts and size, and what teams are compared by.

        That is a size that is never empty, and the 12 months back from today: so the
        last 12 months are one whole, in which a team differs from itself by nothing.
        """
        return SQL(
            """
            SELECT l.id, l.partner_id, l.company_id, l.currency_id, l.user_id,
                   l.team_id, l.type, l.source_id, l.lost_reason_id, l.date_closed,
                   l.expected_revenue, band.size, COALESCE(band.size, '') AS size_key,
                   (l.today - (l.date_closed AT TIME ZONE 'UTC'
                                             AT TIME ZONE l.tz)::date) / %s
                       AS years_ago,
                   EXTRACT(EPOCH FROM l.date_closed - l.create_date)::float8 / 86400
                       AS days_open,
                   COALESCE(tried.days, 0) AS attempt_days,
                   COALESCE(tried.days, 0) <= 1 AS is_poured
              FROM lost l
              JOIN (%s) quartile ON quartile.company_id = l.company_id
             CROSS JOIN LATERAL (
                    SELECT CASE WHEN l.expected_revenue > 0 THEN %s
                                WHEN l.employees > 0 THEN %s END AS size
                   ) band
              LEFT JOIN (%s) tried ON tried.lead_id = l.id
            """,
            LONG_DAYS,
            self._query_quartiles(),
            self._query_band(SQL("l.expected_revenue"), SQL("quartile.revenue")),
            self._query_band(SQL("l.employees"), SQL("quartile.employees")),
            self._query_tried(),
        )

    def _query_quartiles(self):
        """Return first and last quartile of the lost leads, by company."""
        return SQL(
            """
            SELECT company_id,
                   percentile_cont(ARRAY[0.25, 0.75]) WITHIN GROUP (
                       ORDER BY NULLIF(expected_revenue, 0)::float8) AS revenue,
                   percentile_cont(ARRAY[0.25, 0.75]) WITHIN GROUP (
                       ORDER BY employees::float8) AS employees
              FROM lost GROUP BY company_id
            """
        )

    def _query_band(self, value, quartiles):
        """Return small, medium or large."""
        return SQL(
            """CASE WHEN %(value)s < (%(quartiles)s)[1] THEN 'small'
                    WHEN %(value)s > (%(quartiles)s)[2] THEN 'large'
                    ELSE 'medium' END""",
            value=value,
            quartiles=quartiles,
        )

    def _query_tried(self):
        """Return on how many days each lead was tried.

        What the customer wrote is no attempt of ours; that it called and was spoken to
        is.
        """
        ours = SQL(
            "t.active AND (t.direction = 'out' OR (t.is_two_way AND t.channel IN %s))",
            TALKS,
        )
        day = SQL("(t.date AT TIME ZONE 'UTC' AT TIME ZONE l.tz)::date")
        return SQL(
            """
            SELECT lead_id, COUNT(*) AS days
              FROM (SELECT l.id AS lead_id, %(day)s AS day
                      FROM lost l JOIN coverage_touch t ON t.lead_id = l.id
                     WHERE %(ours)s
                     UNION
                    SELECT l.id, %(day)s
                      FROM lost l
                      JOIN coverage_touch t ON t.customer_id = l.customer_id
                                           AND t.user_id = l.user_id
                                           AND t.date >= l.create_date
                                           AND t.date <= l.date_closed
                     WHERE t.lead_id IS NULL AND %(ours)s) attempt
             GROUP BY lead_id
            """,
            day=day,
            ours=ours,
        )
