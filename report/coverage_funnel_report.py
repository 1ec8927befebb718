from odoo import fields, models
from odoo.tools import SQL

from ..models.coverage_facts import READ_BY_DOCUMENTS
from ..models.opening import open_form

STEPS = [
    ("contact", "First Contact"),
    ("answer", "Spoke with Us"),
    ("opportunity", "Opportunity"),
    ("quotation", "Quotation"),
    ("order", "First Order"),
    ("regular", "Regular Customer"),
]


class CoverageFunnelReport(models.Model):
    """The way to a regular customer: one row for each step that a customer reached.

    A step is a fact with its first day; a step without a fact has no row, also when a
    later one has. A row's id is eight times its customer's, and the number of the step.
    """

    _name = "coverage.funnel.report"
    _inherit = ["coverage.report"]
    _description = "Funnel"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "customer_id"
    _depends = {
        **READ_BY_DOCUMENTS,
        "coverage.customer": [
            "active",
            "company_id",
            "first_order_date",
            "next_contact_date",
            "open_quote_amount",
            "order_day_count",
            "partner_id",
            "role_id",
            "segment_id",
            "team_id",
            "user_id",
        ],
        "coverage.touch": ["active", "customer_id", "date", "is_two_way"],
        "crm.lead": [
            *READ_BY_DOCUMENTS["crm.lead"],
            "campaign_id",
            "create_date",
            "date_conversion",
            "lost_reason_id",
            "medium_id",
            "source_id",
        ],
        "sale.order": [*READ_BY_DOCUMENTS["sale.order"], "create_date"],
    }

    # whose
    customer_id = fields.Many2one("coverage.customer", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    user_id = fields.Many2one(
        "res.users", string="Seller", readonly=True, help="Who owns the customer now."
    )
    team_id = fields.Many2one("crm.team", string="Sales Team", readonly=True)
    role_id = fields.Many2one(
        "coverage.role", readonly=True, help="The role that the customer needs now."
    )
    segment_id = fields.Many2one("coverage.segment", readonly=True)

    # from where
    lead_id = fields.Many2one(
        "crm.lead",
        string="First Opportunity",
        readonly=True,
        help="Source, medium and campaign are of this one.",
    )
    source_id = fields.Many2one("utm.source", readonly=True)
    medium_id = fields.Many2one("utm.medium", readonly=True)
    campaign_id = fields.Many2one("utm.campaign", readonly=True)

    # how far
    step = fields.Selection(STEPS, readonly=True)
    date = fields.Date(readonly=True, help="When the customer reached the step first.")
    days = fields.Integer(
        readonly=True,
        aggregator="avg",
        help="From the step before. Empty where that came later, or there is none.",
    )
    is_passed = fields.Boolean(
        string="Went On", readonly=True, help="Reached a later step."
    )
    conversion_rate = fields.Float(
        string="Conversion",
        readonly=True,
        aggregator="avg",
        help="Customers that went on ÷ customers that reached the step.",
    )
    is_stuck = fields.Boolean(
        string="Stuck",
        readonly=True,
        help="The last step so far, with no open opportunity or quotation and no "
        "contact planned from today on.",
    )
    lost_reason_id = fields.Many2one(
        "crm.lost.reason",
        readonly=True,
        help="Why the last opportunity was lost, where the customer is stuck.",
    )

    def action_open_customer(self):
        """Open the customer."""
        self.ensure_one()
        return open_form("coverage.customer", self.customer_id.id)

    @property
    def _table_query(self):
        stuck = SQL(
            """(NOT r.is_passed AND r.step <> 'regular' AND NOT r.is_open
                AND COALESCE(c.next_contact_date < r.today, TRUE))"""
        )
        return SQL(
            """
            SELECT 8 * c.id + r.number AS id, c.id AS customer_id, c.company_id,
                   c.user_id, c.team_id, c.role_id, c.segment_id, r.lead_id,
                   l.source_id, l.medium_id, l.campaign_id, r.step, r.day AS date,
                   CASE WHEN r.day >= r.day_before THEN r.day - r.day_before END
                       AS days,
                   r.is_passed,
                   CASE WHEN r.step <> 'regular' THEN r.is_passed::int::float8 END
                       AS conversion_rate,
                   %(stuck)s AS is_stuck,
                   CASE WHEN %(stuck)s THEN r.lost_reason_id END AS lost_reason_id
              FROM (%(reached)s) r
              JOIN coverage_customer c ON c.id = r.customer_id
              LEFT JOIN crm_lead l ON l.id = r.lead_id
            """,
            stuck=stuck,
            reached=self._query_reached(),
        )

    def _query_reached(self):
        """Return a row a step, with the day of the step before and whether one came."""
        return SQL(
            """
            SELECT w.customer_id, w.lead_id, w.lost_reason_id, w.is_open, w.today,
                   s.number, s.step, s.day, LAG(s.day) OVER life AS day_before,
                   LEAD(s.day) OVER life IS NOT NULL AS is_passed
              FROM (%s) w
             CROSS JOIN LATERAL (VALUES
                   (1, 'contact', w.contact), (2, 'answer', w.answer),
                   (3, 'opportunity', w.opportunity), (4, 'quotation', w.quotation),
                   (5, 'order', w.first_order_date), (6, 'regular', w.regular)
                   ) s (number, step, day)
             WHERE s.day IS NOT NULL
            WINDOW life AS (PARTITION BY w.customer_id ORDER BY s.number)
            """,
            self._query_ways(),
        )

    def _query_ways(self):
        """Return a row a customer: the first day of each step, and what is open."""
        return SQL(
            """
            SELECT c.id AS customer_id, c.first_order_date, f.today,
                   %(contact)s AS contact, %(answer)s AS answer,
                   %(opportunity)s AS opportunity, %(quotation)s AS quotation,
                   g.day AS regular, o.lead_id, o.lost_reason_id,
                   (COALESCE(o.is_open, FALSE) OR COALESCE(q.is_open, FALSE)) AS is_open
              FROM coverage_customer c
              JOIN (%(frame)s) f (company_id, tz, today, short, long, reference)
                   ON f.company_id = c.company_id
              LEFT JOIN (%(touches)s) t ON t.customer_id = c.id
              LEFT JOIN (%(leads)s) o
                   ON o.partner_id = c.partner_id AND o.company_id = c.company_id
              LEFT JOIN (%(quotes)s) q
                   ON q.partner_id = c.partner_id AND q.company_id = c.company_id
              LEFT JOIN (%(regulars)s) g
                   ON g.partner_id = c.partner_id AND g.company_id = c.company_id
             WHERE c.active AND c.company_id IN %(companies)s
            """,
            contact=self._query_local_day("t", "contact"),
            answer=self._query_local_day("t", "answer"),
            opportunity=self._query_local_day("o", "first"),
            quotation=self._query_local_day("q", "first"),
            frame=self._query_frame(),
            touches=self._query_touches(),
            leads=self._query_leads(),
            quotes=self._query_quotes(),
            regulars=self._query_regulars(),
            companies=self._query_company_ids(),
        )

    def _query_local_day(self, table, column):
        """Return the company's day of a timestamp in UTC, as the frame ``f`` says."""
        return SQL(
            "(%s AT TIME ZONE 'UTC' AT TIME ZONE f.tz)::date",
            SQL.identifier(table, column),
        )

    def _query_touches(self):
        """Return the first contact and the first two-way one of each customer."""
        return SQL(
            """
            SELECT customer_id, MIN(date) AS contact,
                   MIN(date) FILTER (WHERE is_two_way) AS answer
              FROM coverage_touch
             WHERE active AND customer_id IS NOT NULL AND company_id IN %s
             GROUP BY customer_id
            """,
            self._query_company_ids(),
        )

    def _query_leads(self):
        """Return each customer's first opportunity, and why the last one was lost."""
        return SQL(
            """
            SELECT partner_id, company_id, MIN(day) AS first,
                   (ARRAY_AGG(id ORDER BY day, id))[1] AS lead_id,
                   BOOL_OR(active AND won_status = 'pending') AS is_open,
                   (ARRAY_AGG(CASE WHEN won_status = 'lost' THEN lost_reason_id END
                              ORDER BY day DESC, id DESC))[1] AS lost_reason_id
              FROM (SELECT l.id, l.active, l.won_status, l.lost_reason_id,
                           COALESCE(l.date_conversion, l.create_date) AS day,
                           p.commercial_partner_id AS partner_id,
                           %s AS company_id
                      FROM crm_lead l
                      JOIN res_partner p ON p.id = l.partner_id
                      LEFT JOIN res_users u ON u.id = l.user_id
                     WHERE l.type = 'opportunity') opportunity
             GROUP BY partner_id, company_id
            """,
            self.env["coverage.facts"]._query_lead_company(),
        )

    def _query_quotes(self):
        """Return when each customer was quoted first, cancelled ones included."""
        return SQL(
            """
            SELECT p.commercial_partner_id AS partner_id, o.company_id,
                   MIN(o.create_date) AS first,
                   BOOL_OR(o.state IN ('draft', 'sent')) AS is_open
              FROM sale_order o JOIN res_partner p ON p.id = o.partner_id
             WHERE o.company_id IN %s
             GROUP BY p.commercial_partner_id, o.company_id
            """,
            self._query_company_ids(),
        )

    def _query_regulars(self):
        """Return the day of the order that made each customer a regular one."""
        return SQL(" UNION ALL ").join(
            SQL(
                """
                SELECT partner_id, %(company)s AS company_id, day FROM (
                    SELECT partner_id, day, ROW_NUMBER() OVER (
                           PARTITION BY partner_id ORDER BY day) AS number
                      FROM (%(documents)s) document
                     WHERE is_order AND day <= %(today)s
                     GROUP BY partner_id, day) order_day
                 WHERE number = %(count)s
                """,
                company=company.id,
                documents=self.env["coverage.facts"]._query_documents(
                    company, company.coverage_revenue_source, None
                ),
                today=company._get_coverage_today(fields.Datetime.now()),
                count=company.coverage_new_orders,
            )
            for company in self._get_companies()
        )
