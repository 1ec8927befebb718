from odoo import fields, models
from odoo.tools import SQL

from ..models.coverage_facts import READ_BY_DOCUMENTS
from ..models.opening import open_form
from .coverage_report import SHORT_DAYS

RESULTS = [
    ("on_time", "Accepted on Time"),
    ("late", "Accepted Late"),
    ("refused", "Refused"),
    ("handed_back", "Handed Back"),
    ("expired", "Not Answered"),
    ("cancelled", "Cancelled"),
    ("open", "Open"),
]
LEADER = "crm_sales_coverage.group_coverage_team_leader"


class CoverageHandoffReport(models.Model):
    """What became of the handoffs: one row each, with the handoff's id.

    Survival and revenue are known 90 days after the acceptance and are empty before, so
    that sums before and after are of the same handoffs.
    """

    _name = "coverage.handoff.report"
    _inherit = ["coverage.report"]
    _description = "Handoff Results"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "customer_id"
    _depends = {
        **READ_BY_DOCUMENTS,
        "coverage.change": [
            "customer_id",
            "date",
            "field_name",
            "model",
            "old_value",
            "state",
        ],
        "coverage.customer": ["partner_id", "segment_id"],
        "coverage.handoff": [
            "accept_deadline",
            "accepted_date",
            "begin_date",
            "company_id",
            "customer_id",
            "date_deadline",
            "from_user_id",
            "lead_id",
            "role_id",
            "state",
            "team_id",
            "to_user_id",
        ],
        "coverage.handoff.step": ["date", "handoff_id", "to_state"],
        "coverage.tenure": ["date_from", "date_to", "role_id", "user_id"],
    }

    # what
    customer_id = fields.Many2one("coverage.customer", readonly=True)
    lead_id = fields.Many2one("crm.lead", string="Opportunity", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    segment_id = fields.Many2one(
        "coverage.segment", readonly=True, help="The customer's segment now."
    )

    # from whom to whom
    user_id = fields.Many2one(
        "res.users",
        string="Accountable",
        readonly=True,
        help="The receiver once accepted, the giver before.",
    )
    from_user_id = fields.Many2one("res.users", string="Giver", readonly=True)
    to_user_id = fields.Many2one("res.users", string="Receiver", readonly=True)
    from_role_id = fields.Many2one(
        "coverage.role",
        readonly=True,
        help="What the giver was when the handoff began.",
    )
    to_role_id = fields.Many2one(
        "coverage.role",
        readonly=True,
        help="The role asked for, else what the receiver was then.",
    )
    team_id = fields.Many2one("crm.team", string="Giver's Team", readonly=True)

    # what became of it
    date = fields.Datetime(
        string="Offered on", readonly=True, help="Begun on, while it is not offered."
    )
    result = fields.Selection(RESULTS, readonly=True)
    on_time_rate = fields.Float(
        string="On Time",
        readonly=True,
        aggregator="avg",
        help="Accepted on time ÷ accepted on time, late or not answered.",
    )
    survived_rate = fields.Float(
        string="Stayed 90 Days",
        readonly=True,
        aggregator="avg",
        help="Customers still with the receiver 90 days after the acceptance ÷ "
        "accepted that long ago.",
    )
    revenue_before = fields.Monetary(
        readonly=True,
        groups=LEADER,
        help="Of the 90 days before the acceptance, for those accepted 90 days ago.",
    )
    revenue_after = fields.Monetary(
        readonly=True,
        groups=LEADER,
        help="Of the 90 days from the acceptance on, for those accepted 90 days ago.",
    )

    def action_open_handoff(self):
        """Open the handoff itself."""
        self.ensure_one()
        return open_form("coverage.handoff", self.id)

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT h.id, h.customer_id, h.lead_id, h.company_id, c.segment_id,
                   CASE WHEN h.state IN ('accepted', 'watched', 'completed')
                        THEN h.to_user_id ELSE h.from_user_id END AS user_id,
                   h.from_user_id, h.to_user_id, giver.role_id AS from_role_id,
                   COALESCE(h.role_id, receiver.role_id) AS to_role_id, h.team_id,
                   COALESCE(s.offered, h.begin_date) AS date, judged.result,
                   CASE WHEN judged.result IN ('on_time', 'late', 'expired')
                        THEN (judged.result = 'on_time')::int::float8
                   END AS on_time_rate,
                   %(survived)s AS survived_rate,
                   m.revenue_before, m.revenue_after
              FROM coverage_handoff h
              JOIN (%(frame)s) f (company_id, tz, today, short, long, reference)
                   ON f.company_id = h.company_id
              LEFT JOIN coverage_customer c ON c.id = h.customer_id
              LEFT JOIN (%(steps)s) s ON s.handoff_id = h.id
              LEFT JOIN (%(money)s) m ON m.id = h.id
              LEFT JOIN LATERAL (%(giver)s) giver ON TRUE
              LEFT JOIN LATERAL (%(receiver)s) receiver ON TRUE
             CROSS JOIN LATERAL (SELECT %(result)s AS result) judged
             WHERE h.company_id IN %(companies)s
            """,
            survived=self._query_survived(),
            frame=self._query_frame(),
            steps=self._query_steps(),
            money=self._query_money(),
            giver=self._query_held(SQL("h.from_user_id")),
            receiver=self._query_held(SQL("h.to_user_id")),
            result=self._query_result(),
            companies=self._query_company_ids(),
        )

    def _query_result(self):
        """Return what became of a handoff; late is the giver's or receiver's delay."""
        return SQL(
            """CASE h.state
                    WHEN 'declined' THEN 'refused'
                    WHEN 'handed_back' THEN 'handed_back'
                    WHEN 'expired' THEN 'expired'
                    WHEN 'cancelled' THEN 'cancelled'
                    WHEN 'draft' THEN 'open'
                    WHEN 'offered' THEN 'open'
                    ELSE CASE
                        WHEN h.accepted_date > COALESCE(h.accept_deadline,
                                                        h.date_deadline)
                          OR (s.offered AT TIME ZONE 'UTC' AT TIME ZONE f.tz)::date
                             > h.date_deadline THEN 'late'
                        ELSE 'on_time' END
               END"""
        )

    def _query_survived(self):
        """Return 1 where the receiver did not lose the customer within 90 days."""
        return SQL(
            """CASE WHEN h.customer_id IS NOT NULL
                     AND h.accepted_date + %(days)s <= f.today
                    THEN (NOT EXISTS (
                         SELECT FROM coverage_change moved
                          WHERE moved.customer_id = h.customer_id
                            AND moved.field_name = 'user_id'
                            AND moved.model = 'coverage.customer'
                            AND moved.state IN ('applied', 'undone', 'kept')
                            AND moved.old_value = h.to_user_id::text
                            AND moved.date >= s.accepted
                            AND moved.date < s.accepted + %(days)s * INTERVAL '1 day'
                         ))::int::float8
               END""",
            days=SHORT_DAYS,
        )

    def _query_steps(self):
        """Return when each handoff was offered and accepted."""
        return SQL(
            """
            SELECT handoff_id,
                   MIN(date) FILTER (WHERE to_state = 'offered') AS offered,
                   MIN(date) FILTER (WHERE to_state IN ('accepted', 'watched'))
                       AS accepted
              FROM coverage_handoff_step GROUP BY handoff_id
            """
        )

    def _query_held(self, user):
        """Return the role that somebody held when handoff ``h`` began."""
        return SQL(
            """
            SELECT t.role_id FROM coverage_tenure t
             WHERE t.user_id = %s AND t.date_from <= h.begin_date::date
               AND COALESCE(t.date_to >= h.begin_date::date, TRUE)
             ORDER BY t.date_from DESC, t.id DESC LIMIT 1
            """,
            user,
        )

    def _query_money(self):
        """Return what customers brought in the 90 days before and after."""
        return SQL(" UNION ALL ").join(
            SQL(
                """
                SELECT h.id,
                       COALESCE(SUM(d.amount) FILTER (WHERE d.day < h.accepted_date), 0)
                           AS revenue_before,
                       COALESCE(SUM(d.amount) FILTER (WHERE d.day >= h.accepted_date),
                                0) AS revenue_after
                  FROM coverage_handoff h
                  JOIN coverage_customer c ON c.id = h.customer_id
                  LEFT JOIN (%(documents)s) d
                         ON d.partner_id = c.partner_id
                        AND d.day >= h.accepted_date - %(days)s
                        AND d.day < h.accepted_date + %(days)s
                 WHERE h.company_id = %(company)s
                   AND h.accepted_date + %(days)s <= %(today)s
                 GROUP BY h.id
                """,
                documents=self.env["coverage.facts"]._query_documents(
                    company, company.coverage_revenue_source, None
                ),
                days=SHORT_DAYS,
                company=company.id,
                today=company._get_coverage_today(fields.Datetime.now()),
            )
            for company in self._get_companies()
        )
