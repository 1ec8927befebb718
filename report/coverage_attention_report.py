from odoo import fields, models
from odoo.tools import SQL

from ..core.segment import cut_offs
from ..models.coverage_customer import LIFECYCLES
from ..models.opening import open_form
from .coverage_report import LONG_DAYS, SHORT_DAYS

FAR_OFF = 2  # so many times its share of potential is too much, its reverse too little


class CoverageAttentionReport(models.Model):
    """One row a rated customer: what it is owed, what it gets, and who knows it.

    A row's id is that of its ``coverage.customer``. Shares are of all the customers
    that one may see, so they add up to 100 % for everybody and tell nobody what others
    have; whether a customer is over- or under-served is judged against the whole
    company and is the same for everybody.
    """

    _name = "coverage.attention.report"
    _inherit = ["coverage.report"]
    _description = "Attention Report"
    _auto = False
    _order = "potential desc, id"
    _rec_name = "customer_id"
    _depends = {
        "coverage.customer": [
            "active",
            "company_id",
            "currency_id",
            "last_contact_date",
            "lifecycle",
            "next_contact_date",
            "partner_id",
            "potential",
            "segment_id",
            "team_id",
            "temperature_id",
            "user_id",
        ],
        "coverage.touch": [
            "active",
            "channel",
            "company_id",
            "customer_id",
            "date",
            "direction",
            "is_counted",
            "is_two_way",
            "user_id",
        ],
        "coverage.segment": ["contact_channel", "contact_interval_days"],
        "coverage.reference": ["amount"],
        "res.partner": ["active", "commercial_partner_id", "is_decision_maker"],
        "res.users": ["active", "share"],
    }

    # the customer
    customer_id = fields.Many2one("coverage.customer", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Contact", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    segment_id = fields.Many2one("coverage.segment", readonly=True)
    temperature_id = fields.Many2one("coverage.temperature", readonly=True)
    lifecycle = fields.Selection(LIFECYCLES, readonly=True)
    user_id = fields.Many2one("res.users", string="Owner", readonly=True)
    team_id = fields.Many2one("crm.team", string="Sales Team", readonly=True)
    potential = fields.Monetary(readonly=True)

    # planned against done
    last_contact_date = fields.Date(string="Last Contact", readonly=True)
    next_contact_date = fields.Date(string="Next Contact", readonly=True)
    is_out_of_rhythm = fields.Boolean(
        string="Out of Rhythm",
        readonly=True,
        help="No two-way contact within the interval of its segment.",
    )
    out_of_rhythm_count = fields.Integer(string="Silent Customers", readonly=True)
    contacts_owed = fields.Float(
        string="Planned (90 days)",
        digits=(16, 1),
        readonly=True,
        help="90 days ÷ the contact interval. A small C has the interval of a D.",
    )
    contacts_done = fields.Integer(
        string="Done (90 days)",
        readonly=True,
        help="Days with a two-way contact; where the segment is contacted by e-mail, "
        "an e-mail sent counts too.",
    )
    done_rate = fields.Float(
        string="Done %",
        readonly=True,
        aggregator="avg",
        help="Done ÷ planned contacts of the last 90 days.",
    )

    # share of attention
    two_way_12m = fields.Integer(string="Two-Way (12 months)", readonly=True)
    attempts_12m = fields.Integer(string="Attempts (12 months)", readonly=True)
    touch_share = fields.Float(
        string="Contacts %",
        readonly=True,
        help="Share of the two-way contacts of 12 months with all customers that you "
        "may see.",
    )
    potential_share = fields.Float(
        string="Potential %",
        readonly=True,
        help="Share of the potential of all customers that you may see.",
    )
    service = fields.Selection(
        [
            ("under", "Under-served"),
            ("balance", "In Balance"),
            ("over", "Over-served"),
        ],
        readonly=True,
        help="Over-served: more than twice its share of potential in two-way contacts, "
        "and more of them than its rhythm asks for. Under-served: less than half, and "
        "fewer than its rhythm asks for. Against the whole company, over 12 months.",
    )

    # who knows whom
    has_decision_maker = fields.Boolean(
        string="Decision Maker Known",
        readonly=True,
        help="One of its contacts is marked as decision maker.",
    )
    people_count = fields.Integer(
        string="Known to",
        readonly=True,
        aggregator="avg",
        help="How many of us who still work here ever had a two-way contact with it.",
    )

    def _read_group_select(self, aggregate_spec, query):
        """Divide the sums: the average of rates would count every customer alike."""
        if aggregate_spec != "done_rate:avg":
            return super()._read_group_select(aggregate_spec, query)
        return SQL(
            "SUM(%s)::float8 / NULLIF(SUM(%s), 0)",
            self._field_to_sql(self._table, "contacts_done", query),
            self._field_to_sql(self._table, "contacts_owed", query),
        )

    # === ACTION METHODS === #

    def action_open_customer(self):
        """Open the customer."""
        self.ensure_one()
        return open_form("coverage.customer", self.id)

    # === QUERY === #

    @property
    def _table_query(self):
        """Join each customer with what was counted of it, each in one pass."""
        return SQL(
            """
            WITH frame (company_id, tz, today, since_90d, since_12m, reference) AS (
                %(frame)s
            ),
            year AS (%(year)s),
            total AS (%(total)s)
            SELECT c.id, c.id AS customer_id, c.partner_id, c.company_id,
                   c.currency_id, c.segment_id, c.temperature_id, c.lifecycle,
                   c.user_id, c.team_id, c.potential, c.last_contact_date,
                   c.next_contact_date,
                   silent.is_true AS is_out_of_rhythm,
                   silent.is_true::int AS out_of_rhythm_count,
                   %(short)s::float8 / rhythm.days AS contacts_owed,
                   COALESCE(quarter.days, 0) AS contacts_done,
                   COALESCE(quarter.days, 0) * rhythm.days / %(short)s::float8
                       AS done_rate,
                   COALESCE(y.two_way, 0) AS two_way_12m,
                   COALESCE(tried.attempts, 0) AS attempts_12m,
                   COALESCE(y.two_way, 0) / NULLIF(total.seen_two_way, 0)::float8
                       AS touch_share,
                   (c.potential / NULLIF(total.seen_potential, 0))::float8
                       AS potential_share,
                   %(service)s AS service,
                   decider.partner_id IS NOT NULL AS has_decision_maker,
                   COALESCE(people.number, 0) AS people_count
              FROM coverage_customer c
              JOIN frame f ON f.company_id = c.company_id
              JOIN coverage_segment s ON s.id = c.segment_id
             CROSS JOIN LATERAL (SELECT %(interval)s AS days) rhythm
             CROSS JOIN LATERAL (
                    SELECT c.last_contact_date IS NULL
                        OR c.last_contact_date <= f.today - rhythm.days AS is_true
                   ) silent
              LEFT JOIN (
                    SELECT customer_id, MAX(two_way) AS two_way
                      FROM year GROUP BY customer_id
                   ) y ON y.customer_id = c.id -- grouped, it is seen to be unique
              LEFT JOIN (%(tried)s) tried ON tried.customer_id = c.id
              LEFT JOIN total ON total.company_id = c.company_id
              LEFT JOIN (%(quarter)s) quarter ON quarter.customer_id = c.id
              LEFT JOIN (%(people)s) people ON people.customer_id = c.id
              LEFT JOIN (%(deciders)s) decider ON decider.partner_id = c.partner_id
             WHERE c.active AND c.company_id IN %(companies)s
            """,
            frame=self._query_frame(),
            year=self._query_year(),
            tried=self._query_tried(),
            total=self._query_total(),
            quarter=self._query_quarter(),
            people=self._query_people(),
            deciders=self._query_deciders(),
            interval=self._query_interval(),
            service=self._query_service(),
            short=SHORT_DAYS,
            companies=self._query_company_ids(),
        )

    def _query_interval(self):
        """Return the contact interval, as the rhythm has it: a small C is kept as D."""
        rules = self.env["coverage.segment"]._get_rules()
        if len(rules) < 2:
            return SQL("s.contact_interval_days")
        small, last = rules[-2:]
        return SQL(
            """CASE WHEN c.segment_id = %s AND c.potential > 0 AND f.reference > 0
                         AND 100 * c.potential / f.reference < %s
                    THEN %s ELSE s.contact_interval_days END""",
            small.key,
            cut_offs(rules)[-1],
            last.contact_interval_days,
        )

    def _query_year(self):
        """Return the two-way contacts of 12 months by customer."""
        return SQL(
            """
            SELECT t.customer_id, COUNT(*) AS two_way
              FROM coverage_touch t
              JOIN coverage_customer c ON c.id = t.customer_id
              JOIN frame f ON f.company_id = c.company_id
             WHERE t.is_two_way AND t.is_counted AND t.active
               AND t.date >= %s AND t.date >= f.since_12m
             GROUP BY t.customer_id
            """,
            self._query_earliest(),
        )

    def _query_tried(self):
        """Return the attempts of 12 months by customer."""
        return SQL(
            """
            SELECT t.customer_id, COUNT(*) AS attempts
              FROM coverage_touch t
              JOIN frame f ON f.company_id = t.company_id
             WHERE t.direction = 'out' AND NOT t.is_two_way AND t.is_counted
               AND t.active AND t.company_id IN %s
               AND t.date >= %s AND t.date >= f.since_12m
             GROUP BY t.customer_id
            """,
            self._query_company_ids(),
            self._query_earliest(),
        )

    def _query_quarter(self):
        """Return the number of days on which the rhythm was kept in 90 days."""
        return SQL(
            """
            SELECT customer_id, COUNT(*) AS days
              FROM (SELECT DISTINCT t.customer_id,
                           (t.date AT TIME ZONE 'UTC' AT TIME ZONE f.tz)::date AS day
                      FROM coverage_touch t
                      JOIN frame f ON f.company_id = t.company_id
                      JOIN coverage_customer c ON c.id = t.customer_id
                      JOIN coverage_segment s ON s.id = c.segment_id
                     WHERE t.company_id IN %s AND t.date >= f.since_90d
                       AND t.is_counted AND t.active
                       AND (t.is_two_way OR (s.contact_channel = 'email'
                            AND t.channel = 'email' AND t.direction = 'out'))) kept
             GROUP BY customer_id
            """,
            self._query_company_ids(),
        )

    def _query_total(self):
        """Return contacts and potential by company: of all, and of what one sees."""
        return SQL(
            """
            SELECT c.company_id, SUM(y.two_way) AS two_way,
                   SUM(c.potential) AS potential,
                   SUM(y.two_way) FILTER (WHERE seen.id IS NOT NULL) AS seen_two_way,
                   SUM(c.potential) FILTER (WHERE seen.id IS NOT NULL)
                       AS seen_potential
              FROM coverage_customer c
              LEFT JOIN year y ON y.customer_id = c.id
              LEFT JOIN (%s) seen ON seen.id = c.id
             WHERE c.active AND c.segment_id IS NOT NULL AND c.company_id IN %s
             GROUP BY c.company_id
            """,
            self._query_seen(),
            self._query_company_ids(),
        )

    def _query_seen(self):
        """Return the ids of the rated customers that the user may see."""
        domain = [
            ("segment_id", "!=", False),
            ("company_id", "in", self._get_ids()),
        ]
        return self.env["coverage.customer"]._search(domain).select()

    def _query_service(self):
        """Return whether a customer gets far more or far less than its share.

        Whom we only write to by plan is never under-served.
        """
        return SQL(
            """CASE WHEN COALESCE(total.two_way, 0) = 0
                      OR COALESCE(total.potential, 0) = 0 THEN NULL
                    WHEN COALESCE(y.two_way, 0) * total.potential
                            > %(far)s * COALESCE(c.potential, 0) * total.two_way
                         AND y.two_way > ceil(%(long)s::float8 / rhythm.days)
                    THEN 'over'
                    WHEN %(far)s * COALESCE(y.two_way, 0) * total.potential
                            < COALESCE(c.potential, 0) * total.two_way
                         AND s.contact_channel <> 'email'
                         AND COALESCE(y.two_way, 0)
                            < GREATEST(1, floor(%(long)s::float8 / rhythm.days))
                    THEN 'under' ELSE 'balance' END""",
            far=FAR_OFF,
            long=LONG_DAYS,
        )

    def _query_people(self):
        """Return how many of us, still here, ever spoke with a customer."""
        return SQL(
            """
            SELECT spoke.customer_id, COUNT(*) AS number
              FROM (SELECT DISTINCT t.customer_id, t.user_id
                      FROM coverage_touch t
                     WHERE t.is_two_way AND t.is_counted AND t.active
                       AND t.customer_id IS NOT NULL) spoke
              JOIN res_users u ON u.id = spoke.user_id AND u.active AND NOT u.share
             GROUP BY spoke.customer_id
            """
        )

    def _query_deciders(self):
        """Return the companies of which one contact is known to decide."""
        return SQL(
            """
            SELECT DISTINCT p.commercial_partner_id AS partner_id
              FROM res_partner p WHERE p.is_decision_maker AND p.active
            """
        )
