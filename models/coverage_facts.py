from odoo import api, fields, models
from odoo.tools import SQL

from ..core.temperature import MAX_USUAL_SILENCE_DAYS, SLEEP_FACTOR

AMOUNTS = (
    "revenue_12m",
    "revenue_prev_12m",
    "revenue_best_12m",
    "revenue_90d",
    "revenue_prev_90d",
    "revenue_season_90d",
    "average_order_amount",
    "open_quote_amount",
)
COUNTS = (
    "order_count",
    "order_day_count",
    "awake_order_day_count",
    "order_interval_days",
    "longest_silence_days",
)
DATES = ("first_order_date", "last_order_date")
FACTS = AMOUNTS + COUNTS + DATES
STAGE = "coverage_stage"

READ_BY_DOCUMENTS = {
    "sale.order": [
        "amount_untaxed",
        "company_id",
        "currency_rate",
        "date_order",
        "partner_id",
        "state",
    ],
    "account.move": [
        "amount_untaxed_signed",
        "commercial_partner_id",
        "company_id",
        "date",
        "invoice_date",
        "move_type",
        "state",
    ],
    "crm.lead": [
        "active",
        "company_id",
        "date_closed",
        "expected_revenue",
        "partner_id",
        "type",
        "user_id",
        "won_status",
    ],
    "res.partner": [
        "active",
        "commercial_partner_id",
        "company_id",
        "country_id",
        "coverage_employee_count",
        "customer_rank",
        "industry_id",
        "parent_id",
        "state_id",
        "supplier_rank",
        "user_id",
    ],
}


class CoverageFacts(models.AbstractModel):
    """What happened with customers, set-based: the same query for one and for all.

    Every amount is untaxed, in company currency at the rate of the document's date,
    summed on the commercial partner. A window of n days is (today − n, today].
    """

    _name = "coverage.facts"
    _description = "Facts of Customers"

    # === WHO IS A CUSTOMER === #

    @api.model
    def _create_missing(self, company, partner_ids=None, lifecycle=None):
        """Create the rows of customers that have none yet.

        :param partner_ids: only these commercial partners; ``None`` means everybody
        :param lifecycle: what they are known to be; ``None``: a refresh decides
        :return: partner ids by id of the new row
        """
        self._flush_documents()
        self.env["coverage.customer"].flush_model()
        rows = self.env.execute_query(
            self._query_create_missing(company, partner_ids, lifecycle)
        )
        return dict(rows)

    @api.model
    def _find_missing(self, company, limit):
        """Return some commercial partners with documents or owner, but no row yet."""
        self._flush_documents()
        query = SQL(
            "SELECT partner_id FROM (%s) candidate ORDER BY partner_id LIMIT %s",
            self._query_candidates(company, None),
            limit,
        )
        return [row[0] for row in self.env.execute_query(query)]

    def _query_create_missing(self, company, partner_ids, lifecycle):
        """Insert by anti-join: the ORM would need a search and an INSERT per row.

        OFFSET 0 keeps the candidates apart: else PostgreSQL may take an advisory lock
        for every partner there is, and run out of them.
        """
        return SQL(
            """
            WITH candidate AS (%(candidates)s)
            INSERT INTO coverage_customer (
                partner_id, company_id, currency_id, active, user_id, team_id,
                owned_since, lifecycle, lifecycle_since, %(facts)s,
                potential, declared_potential, confirmed_potential,
                lookalike_potential, attempt_day_count,
                create_uid, create_date, write_uid, write_date
            )
            SELECT p.id, %(company)s, %(currency)s, p.active, owner.id,
                   owner.sale_team_id, CASE WHEN owner.id IS NOT NULL THEN %(day)s END,
                   %(lifecycle)s,
                   CASE WHEN %(lifecycle)s IS NOT NULL THEN %(day)s END,
                   %(zeros)s,
                   0, 0, 0, 0, 0, %(uid)s, now() AT TIME ZONE 'UTC', %(uid)s,
                   now() AT TIME ZONE 'UTC'
              FROM (SELECT id, active, user_id, company_id FROM res_partner
                     WHERE id IN (SELECT partner_id FROM candidate) OFFSET 0) p
              LEFT JOIN res_users owner
                     ON owner.id = p.user_id AND owner.active AND NOT owner.share
                    AND EXISTS (
                        SELECT 1 FROM res_company_users_rel rel
                         WHERE rel.user_id = owner.id AND rel.cid = %(company)s)
                    AND COALESCE(p.company_id, owner.company_id) = %(company)s
             WHERE COALESCE(p.company_id, %(company)s) = %(company)s
               AND NOT EXISTS (
                   SELECT 1 FROM res_company own WHERE own.partner_id = p.id)
               AND NOT EXISTS (
                   SELECT 1 FROM res_users u WHERE u.partner_id = p.id AND NOT u.share)
                   %(unlocked)s
             ORDER BY p.id
            RETURNING id, partner_id
            """,
            candidates=self._query_candidates(company, partner_ids),
            facts=SQL(", ").join(SQL.identifier(name) for name in FACTS),
            zeros=SQL(", ").join(
                SQL("NULL::date") if name in DATES else SQL("0") for name in FACTS
            ),
            lifecycle=SQL("%s::varchar", lifecycle),
            company=company.id,
            currency=company.currency_id.id,
            day=self._query_today(company),
            unlocked=self._query_unlocked(company, partner_ids),
            uid=self.env.uid,
        )

    def _query_unlocked(self, company, partner_ids):
        """Leave out listed partners whose row another transaction is creating.

        A second order of a new customer would wait at the unique index; whoever holds
        the advisory lock creates the row. The job holds the company's own.
        """
        if partner_ids is None:
            return SQL("")
        key = self._query_lock_key(company)
        return SQL(
            """AND pg_try_advisory_xact_lock_shared(%s)
               AND pg_try_advisory_xact_lock(%s # (p.id::bigint << 20))""",
            key,
            key,
        )

    def _query_lock_key(self, company):
        """Return the advisory lock under which rows of a company are created."""
        return SQL("(hashtextextended('crm_sales_coverage', %s))", company.id)

    def _query_locked(self, company, partner_ids):
        """Return those of these partners whose row another transaction is creating."""
        return SQL(
            "SELECT p.id FROM unnest(%s) AS p (id) WHERE NOT (TRUE %s)",
            sorted(partner_ids),
            self._query_unlocked(company, partner_ids),
        )

    def _query_today(self, company):
        """Return the company's day, as ``res.company._get_coverage_today`` does."""
        return SQL(
            """(SELECT (%s::timestamp AT TIME ZONE 'UTC'
                                   AT TIME ZONE COALESCE(p.tz, r.tz, 'UTC'))::date
                  FROM res_company c JOIN res_partner p ON p.id = c.partner_id
                  LEFT JOIN resource_calendar r ON r.id = c.resource_calendar_id
                 WHERE c.id = %s)""",
            fields.Datetime.now(),
            company.id,
        )

    def _query_candidates(self, company, partner_ids):
        """Return commercial partners without a row that should have one.

        An owner or a document makes them customers. Pure vendors with an owner stay
        out; a document of ours makes them customers. Who has a row is left out in each
        branch: by night that is nearly everybody, and nothing is left to sort.
        """
        listed = SQL(
            """%s AND NOT EXISTS (
                   SELECT 1 FROM coverage_customer c
                    WHERE c.partner_id = p.commercial_partner_id AND c.company_id = %s)
            """,
            self._query_listed(partner_ids),
            company.id,
        )
        return SQL(
            """
            SELECT p.commercial_partner_id AS partner_id
              FROM sale_order o JOIN res_partner p ON p.id = o.partner_id
             WHERE o.company_id = %(company)s AND o.state <> 'cancel' %(listed)s
             UNION
            SELECT p.commercial_partner_id
              FROM account_move m JOIN res_partner p ON p.id = m.commercial_partner_id
             WHERE m.company_id = %(company)s AND m.state <> 'cancel'
               AND m.move_type IN ('out_invoice', 'out_refund') %(listed)s
             UNION
            SELECT p.commercial_partner_id
              FROM crm_lead l
              JOIN res_partner p ON p.id = l.partner_id
              LEFT JOIN res_users u ON u.id = l.user_id
             WHERE l.type = 'opportunity' AND %(lead_company)s = %(company)s %(listed)s
             UNION
            SELECT p.id
              FROM res_partner p JOIN res_users u ON u.id = p.user_id
             WHERE p.id = p.commercial_partner_id
               AND COALESCE(p.company_id, u.company_id) = %(company)s
               AND NOT (COALESCE(p.supplier_rank, 0) > 0
                        AND COALESCE(p.customer_rank, 0) = 0) %(listed)s
            """,
            company=company.id,
            listed=listed,
            lead_company=self._query_lead_company(),
        )

    def _query_lead_customers(self, lead_ids):
        """Return company and commercial partner of opportunities without a row."""
        return SQL(
            """
            SELECT DISTINCT %(company)s AS company_id, p.commercial_partner_id
              FROM crm_lead l
              JOIN res_partner p ON p.id = l.partner_id
              LEFT JOIN res_users u ON u.id = l.user_id
             WHERE l.id IN %(ids)s AND l.type = 'opportunity' AND NOT EXISTS (
                   SELECT 1 FROM coverage_customer c
                    WHERE c.partner_id = p.commercial_partner_id
                      AND c.company_id = %(company)s)
             ORDER BY 1, 2
            """,
            company=self._query_lead_company(),
            ids=tuple(lead_ids),
        )

    def _query_owned_customers(self, partner_ids):
        """Return company and id of owned commercial partners without a row."""
        return SQL(
            """
            SELECT COALESCE(p.company_id, u.company_id) AS company_id, p.id
              FROM res_partner p JOIN res_users u ON u.id = p.user_id
             WHERE p.id IN %s AND p.id = p.commercial_partner_id AND NOT EXISTS (
                   SELECT 1 FROM coverage_customer c WHERE c.partner_id = p.id
                      AND c.company_id = COALESCE(p.company_id, u.company_id))
             ORDER BY 1, 2
            """,
            tuple(partner_ids),
        )

    def _query_listed(self, partner_ids):
        """Restrict documents to commercial partners; nothing for the whole base."""
        if partner_ids is None:
            return SQL("")
        return SQL("AND p.commercial_partner_id IN %s", tuple(partner_ids) or (0,))

    def _query_lead_company(self):
        """Return the company of an opportunity: its own, else partner's or seller's."""
        return SQL(
            """COALESCE(l.company_id, p.company_id, u.company_id,
                        (SELECT min(id) FROM res_company))"""
        )

    # === WHAT THEY BOUGHT === #

    @api.model
    def _stage(self, company, today, settings):
        """Stage the facts of the whole base that differ from what the rows hold.

        One read-only statement into a table of this session: no lock that a sale
        would wait for, and memory bounded by PostgreSQL. :meth:`_unstage` drops it.
        """
        self._unstage()
        self._flush_documents()
        self.env["coverage.customer"].flush_model()
        self.env.cr.execute(self._query_stage(company, today, settings))
        self.env.cr.execute(
            SQL("ALTER TABLE %s ADD PRIMARY KEY (id)", SQL.identifier(STAGE))
        )
        self.env.cr.execute(SQL("ANALYZE %s", SQL.identifier(STAGE)))

    @api.model
    def _unstage(self):
        self.env.cr.execute(SQL("DROP TABLE IF EXISTS %s", SQL.identifier(STAGE)))

    def _query_stage(self, company, today, settings):
        """Create the session's table of differing facts, with each row's version."""
        differs = SQL(
            "(%s) IS DISTINCT FROM (%s)",
            SQL(", ").join(SQL.identifier("c", name) for name in FACTS),
            SQL(", ").join(SQL.identifier("f", name) for name in FACTS),
        )
        return SQL(
            """
            CREATE TEMPORARY TABLE %(stage)s AS
            SELECT f.*, c.xmin AS version
              FROM coverage_customer c
              JOIN (%(facts)s) f ON f.id = c.id
             WHERE %(differs)s
            """,
            stage=SQL.identifier(STAGE),
            facts=self._query_facts(company, today, settings),
            differs=differs,
        )

    def _query_facts(
        self, company, today, settings, customer_ids=None, partner_ids=None
    ):
        """Return one row of facts per customer: ``id`` and the columns of ``FACTS``.

        :param settings: the company's settings by field name
        :param customer_ids: with ``partner_ids``, only these; ``None``: the whole base
        """
        only = materialized = SQL("")
        if customer_ids is not None:
            # Without statistics the planner would reckon the facts for each customer.
            materialized = SQL("MATERIALIZED")
            only = SQL("AND c.id IN %s", tuple(customer_ids) or (0,))
        return SQL(
            """
            WITH document AS (%(documents)s),
            quote AS %(materialized)s (%(quotes)s),
            order_day AS (
                SELECT partner_id, day, day - DATE '2000-01-01' AS number,
                       SUM(amount) AS amount,
                       SUM(amount) FILTER (WHERE day > %(lookback)s) AS recent_amount,
                       COUNT(*) FILTER (WHERE is_order) AS order_count
                  FROM document
                 WHERE day <= %(today)s
                 GROUP BY partner_id, day
            ),
            step AS (
                SELECT *,
                       SUM(recent_amount) OVER (
                           PARTITION BY partner_id ORDER BY number
                           RANGE BETWEEN 364 PRECEDING AND CURRENT ROW) AS year_amount,
                       day - MAX(day) FILTER (WHERE order_count > 0) OVER before AS gap,
                       COUNT(*) FILTER (WHERE order_count > 0) OVER before AS position
                  FROM order_day
                WINDOW before AS (
                    PARTITION BY partner_id ORDER BY number
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
            ),
            stride AS (
                SELECT *,
                       MAX(gap) FILTER (WHERE order_count > 0) OVER (
                           PARTITION BY partner_id ORDER BY number
                           ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                       ) AS longest_before
                  FROM step
            ),
            fact AS %(materialized)s (
                SELECT partner_id,
                    SUM(amount) FILTER (WHERE day > %(today)s - 365) AS revenue_12m,
                    SUM(amount) FILTER (
                        WHERE day > %(today)s - 730 AND day <= %(today)s - 365
                    ) AS revenue_prev_12m,
                    MAX(year_amount) FILTER (
                        WHERE order_count > 0 AND day > %(lookback)s
                    ) AS revenue_best_12m,
                    SUM(amount) FILTER (WHERE day > %(today)s - 90) AS revenue_90d,
                    SUM(amount) FILTER (
                        WHERE day > %(today)s - 180 AND day <= %(today)s - 90
                    ) AS revenue_prev_90d,
                    SUM(amount) FILTER (
                        WHERE day > %(today)s - 455 AND day <= %(today)s - 365
                    ) AS revenue_season_90d,
                    SUM(amount) FILTER (WHERE day > %(today)s - 365) / NULLIF(COUNT(*)
                        FILTER (WHERE order_count > 0 AND day > %(today)s - 365), 0
                    ) AS average_order_amount,
                    SUM(order_count) AS order_count,
                    COUNT(*) FILTER (WHERE order_count > 0) AS order_day_count,
                    COUNT(*) FILTER (WHERE order_count > 0) - COALESCE(
                        MAX(position) FILTER (
                            WHERE order_count > 0 AND gap > GREATEST(
                                %(sleeping_days)s,
                                %(sleep_factor)s * LEAST(%(longest)s, longest_before))
                        ), 0) AS awake_order_day_count,
                    MAX(gap) FILTER (WHERE order_count > 0) AS longest_silence_days,
                    MIN(day) FILTER (WHERE order_count > 0) AS first_order_date,
                    MAX(day) FILTER (WHERE order_count > 0) AS last_order_date
                  FROM stride
                 GROUP BY partner_id
            )
            SELECT c.id,
                   round(COALESCE(f.revenue_12m, 0)::numeric, 2) AS revenue_12m,
                   round(COALESCE(f.revenue_prev_12m, 0)::numeric, 2)
                       AS revenue_prev_12m,
                   round(GREATEST(f.revenue_best_12m, 0)::numeric, 2)
                       AS revenue_best_12m,
                   round(COALESCE(f.revenue_90d, 0)::numeric, 2) AS revenue_90d,
                   round(COALESCE(f.revenue_prev_90d, 0)::numeric, 2)
                       AS revenue_prev_90d,
                   round(COALESCE(f.revenue_season_90d, 0)::numeric, 2)
                       AS revenue_season_90d,
                   round(GREATEST(f.average_order_amount, 0)::numeric, 2)
                       AS average_order_amount,
                   round(COALESCE(q.amount, 0)::numeric, 2) AS open_quote_amount,
                   COALESCE(f.order_count, 0)::int AS order_count,
                   COALESCE(f.order_day_count, 0)::int AS order_day_count,
                   COALESCE(f.awake_order_day_count, 0)::int AS awake_order_day_count,
                   CASE WHEN f.order_day_count > 1 THEN round(
                       (f.last_order_date - f.first_order_date)::numeric
                       / (f.order_day_count - 1))::int ELSE 0
                   END AS order_interval_days,
                   COALESCE(f.longest_silence_days, 0)::int AS longest_silence_days,
                   f.first_order_date, f.last_order_date
              FROM coverage_customer c
              LEFT JOIN fact f ON f.partner_id = c.partner_id
              LEFT JOIN quote q ON q.partner_id = c.partner_id
             WHERE c.company_id = %(company)s %(only)s
            """,
            documents=self._query_documents(
                company, settings["coverage_revenue_source"], partner_ids
            ),
            quotes=self._query_quotes(company, partner_ids),
            today=SQL("%s::date", today),
            lookback=SQL(
                "(%s::date - make_interval(years => %s))::date",
                today,
                settings["coverage_lookback_years"],
            ),
            sleeping_days=settings["coverage_sleeping_days"],
            sleep_factor=SLEEP_FACTOR,
            longest=MAX_USUAL_SILENCE_DAYS,
            company=company.id,
            only=only,
            materialized=materialized,
        )

    def _query_documents(self, company, source, partner_ids):
        """Return the documents of a revenue source: partner, day, amount, is_order."""
        query = {
            "order": self._query_orders,
            "invoice": self._query_invoices,
            "opportunity": self._query_opportunities,
        }[source]
        return query(company, self._query_listed(partner_ids))

    def _query_day(self, company, column):
        """Return the company's calendar day of a timestamp kept in UTC."""
        return SQL(
            "(%s AT TIME ZONE 'UTC' AT TIME ZONE %s)::date",
            column,
            company._get_coverage_tz(),
        )

    def _query_orders(self, company, listed):
        """Confirmed sales orders, in company currency at the rate of their date."""
        return SQL(
            """
            SELECT p.commercial_partner_id AS partner_id, %(day)s AS day,
                   o.amount_untaxed / COALESCE(NULLIF(o.currency_rate, 0), 1) AS amount,
                   TRUE AS is_order
              FROM sale_order o JOIN res_partner p ON p.id = o.partner_id
             WHERE o.company_id = %(company)s AND o.state = 'sale' %(listed)s
            """,
            day=self._query_day(company, SQL.identifier("o", "date_order")),
            company=company.id,
            listed=listed,
        )

    def _query_invoices(self, company, listed):
        """Posted customer invoices; credit notes count as negative, not as orders."""
        return SQL(
            """
            SELECT p.commercial_partner_id AS partner_id,
                   COALESCE(m.invoice_date, m.date) AS day,
                   m.amount_untaxed_signed AS amount,
                   m.move_type = 'out_invoice' AS is_order
              FROM account_move m JOIN res_partner p ON p.id = m.commercial_partner_id
             WHERE m.company_id = %(company)s AND m.state = 'posted'
               AND m.move_type IN ('out_invoice', 'out_refund') %(listed)s
            """,
            company=company.id,
            listed=listed,
        )

    def _query_opportunities(self, company, listed):
        """Won opportunities by the day they were closed."""
        return SQL(
            """
            SELECT p.commercial_partner_id AS partner_id, %(day)s AS day,
                   l.expected_revenue AS amount, TRUE AS is_order
              FROM crm_lead l
              JOIN res_partner p ON p.id = l.partner_id
              LEFT JOIN res_users u ON u.id = l.user_id
             WHERE l.type = 'opportunity' AND l.won_status = 'won'
               AND l.date_closed IS NOT NULL
               AND %(lead_company)s = %(company)s %(listed)s
            """,
            day=self._query_day(company, SQL.identifier("l", "date_closed")),
            lead_company=self._query_lead_company(),
            company=company.id,
            listed=listed,
        )

    def _query_quotes(self, company, partner_ids):
        """Open quotations, summed on the commercial partner."""
        return SQL(
            """
            SELECT p.commercial_partner_id AS partner_id,
                   SUM(o.amount_untaxed / COALESCE(NULLIF(o.currency_rate, 0), 1))
                       AS amount
              FROM sale_order o JOIN res_partner p ON p.id = o.partner_id
             WHERE o.company_id = %(company)s AND o.state IN ('draft', 'sent')
                   %(listed)s
             GROUP BY p.commercial_partner_id
            """,
            company=company.id,
            listed=self._query_listed(partner_ids),
        )

    def _flush_documents(self):
        """Write what the ORM holds back of the documents that the queries read."""
        for model, names in READ_BY_DOCUMENTS.items():
            self.env[model].flush_model(names)
