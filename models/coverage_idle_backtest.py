from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo import models
from odoo.tools import SQL

from .coverage_touch import PROVEN

DAYS = 365


class CoverageIdleBacktest(models.AbstractModel):
    """Says what today's rules would have done in the last 12 months of own data.

    As if idle had been switched on 12 months ago, with the segments of today. Of every
    customer the first move counts: what another owner would have made of it, nobody
    knows. Nor is known what protected, paused or quoted it then, whom warnings would
    have woken, and who owned it before the history begins: it then counts for whoever
    owns it now.
    """

    _name = "coverage.idle.backtest"
    _description = "Backtest of Neglect"

    def _backtest(self, company, now):
        """Return who would have moved, when, and what came afterwards all the same.

        :return: list of dicts ``customer_id, user_id, moved (date), silent_days,
            bought`` (revenue since) ``and contacted`` (day of the first contact since),
            the earliest first
        """
        frame = self._prepare_idle(company, now)
        facts = self.env["coverage.facts"]
        self._flush_idle()
        self.env["coverage.touch"].flush_model()
        self.env["coverage.change"].flush_model()
        facts._flush_documents()
        return self.env.execute_query_dict(self._query_backtest(frame))

    def _get_backtest_months(self, today):
        """Return the first days of the 12 months up to and with this one."""
        first = today.replace(day=1)
        return [first - relativedelta(months=number) for number in range(12, -1, -1)]

    def _query_backtest(self, frame):
        """Return the first move of each customer with what came after it."""
        company = frame.company
        documents = self.env["coverage.facts"]._query_documents(
            company, company.coverage_revenue_source, None
        )
        return SQL(
            """
            WITH customer AS (%(customers)s), touch AS (%(touches)s),
            owner AS (%(owners)s),
            start AS (
                SELECT id AS customer_id, start AS day FROM customer
                 UNION
                SELECT customer_id, day FROM touch WHERE is_full
                 UNION
                SELECT customer_id, day FROM owner WHERE new_value IS NOT NULL
            ),
            gap AS (
                SELECT s.customer_id, s.day, %(term)s AS term,
                       lead(s.day) OVER (PARTITION BY s.customer_id ORDER BY s.day)
                           AS following
                  FROM start s JOIN customer c ON c.id = s.customer_id
                 WHERE s.day >= c.start
            ),
            ended AS (
                SELECT customer_id, day, term, day + term AS moved FROM gap
                 WHERE term > 0 AND day + term <= %(today)s
                   AND COALESCE(following, 'infinity') > day + term
            ),
            tried AS (
                SELECT e.customer_id, e.day, count(DISTINCT t.day) AS days
                  FROM ended e JOIN touch t
                    ON t.customer_id = e.customer_id AND t.is_attempt
                   AND t.day > e.day AND t.day <= e.moved
                 GROUP BY e.customer_id, e.day
            ),
            move AS (
                SELECT DISTINCT ON (e.customer_id) e.customer_id, e.moved, e.term
                  FROM ended e
                  LEFT JOIN tried t ON t.customer_id = e.customer_id AND t.day = e.day
                 WHERE %(most)s = 0 OR COALESCE(t.days, 0) < %(most)s
                 ORDER BY e.customer_id, e.day
            ),
            former AS (
                SELECT DISTINCT ON (m.customer_id) m.customer_id,
                       COALESCE(o.old_value, '0')::int AS user_id
                  FROM move m JOIN owner o
                    ON o.customer_id = m.customer_id AND o.day > m.moved
                 ORDER BY m.customer_id, o.day, o.id
            ),
            bought AS (
                SELECT m.customer_id, sum(d.amount)::float8 AS amount
                  FROM move m JOIN customer c ON c.id = m.customer_id
                  JOIN (%(documents)s) d ON d.partner_id = c.partner_id
                   AND d.day > m.moved AND d.day <= %(today)s
                 GROUP BY m.customer_id
            ),
            contacted AS (
                SELECT m.customer_id, min(t.day) AS day
                  FROM move m JOIN touch t ON t.customer_id = m.customer_id
                   AND t.is_two_way AND t.day > m.moved
                 GROUP BY m.customer_id
            )
            SELECT m.customer_id, COALESCE(f.user_id, c.user_id) AS user_id, m.moved,
                   m.term AS silent_days, COALESCE(b.amount, 0) AS bought,
                   t.day AS contacted
              FROM move m
              JOIN customer c ON c.id = m.customer_id
              LEFT JOIN former f ON f.customer_id = m.customer_id
              LEFT JOIN bought b ON b.customer_id = m.customer_id
              LEFT JOIN contacted t ON t.customer_id = m.customer_id
             WHERE COALESCE(f.user_id, c.user_id) > 0
             ORDER BY m.moved, m.customer_id
            """,
            customers=self._query_tested(frame),
            touches=self._query_tested_touches(frame),
            owners=self._query_tested_owners(frame),
            term=self._query_tested_term(frame),
            today=frame.today,
            most=frame.rules.max_attempts,
            documents=documents,
        )

    def _query_tested(self, frame):
        """Return the customers, and the day on which their first clock starts."""
        begin = frame.today - timedelta(days=DAYS)
        return SQL(
            """
            SELECT c.id, c.partner_id, c.user_id, c.lifecycle, c.first_order_date,
                   c.segment_id, COALESCE(s.idle_contact_days, 0) AS contact_days,
                   COALESCE(s.needs_proof, FALSE) AS needs_proof, s.contact_channel,
                   GREATEST(%(begin)s, LEAST(
                       c.create_date::date, c.first_order_date, c.last_contact_date,
                       c.owned_since,
                       (SELECT min(t.date)::date FROM coverage_touch t
                         WHERE t.customer_id = c.id AND t.active))) AS start
              FROM coverage_customer c
              LEFT JOIN coverage_segment s ON s.id = c.segment_id
             WHERE c.company_id = %(company)s AND c.active
            """,
            begin=begin,
            company=frame.company.id,
        )

    def _query_tested_touches(self, frame):
        """Return the counted contacts of the time, and which of them count in full."""
        return SQL(
            """
            SELECT t.customer_id, t.is_two_way,
                   (t.date AT TIME ZONE 'UTC' AT TIME ZONE %(tz)s)::date AS day,
                   t.direction = 'out' AND NOT t.is_two_way AS is_attempt,
                   (t.is_two_way AND (NOT c.needs_proof OR t.source IN %(proven)s))
                    OR (c.contact_channel = 'email' AND t.channel = 'email'
                        AND t.direction = 'out') AS is_full
              FROM coverage_touch t JOIN customer c ON c.id = t.customer_id
             WHERE t.company_id = %(company)s AND t.active AND t.is_counted
               AND t.date >= %(since)s
            """,
            tz=frame.company._get_coverage_tz(),
            proven=PROVEN,
            company=frame.company.id,
            since=frame.now - timedelta(days=DAYS + 1),
        )

    def _query_tested_owners(self, frame):
        """Return the changes of owner of the time."""
        return SQL(
            """
            SELECT h.id, h.customer_id, h.old_value, h.new_value,
                   (h.date AT TIME ZONE 'UTC' AT TIME ZONE %(tz)s)::date AS day
              FROM coverage_change h
             WHERE h.company_id = %(company)s AND h.model = 'coverage.customer'
               AND h.field_name = 'user_id' AND h.state = 'applied'
               AND h.date >= %(since)s
            """,
            tz=frame.company._get_coverage_tz(),
            company=frame.company.id,
            since=frame.now - timedelta(days=DAYS + 1),
        )

    def _query_tested_term(self, frame):
        """Return the term of customer ``c`` in the gap that begins on ``s.day``.

        Who had not bought by its end was a prospect then.
        """
        days = frame.rules.prospect_days
        return SQL(
            """CASE WHEN c.segment_id IS NOT NULL AND c.contact_days = 0 THEN 0
                    WHEN c.first_order_date IS NULL
                         OR c.first_order_date > s.day + %(days)s
                    THEN CASE WHEN c.segment_id IS NULL THEN %(days)s
                              WHEN %(days)s = 0 THEN c.contact_days
                              ELSE LEAST(c.contact_days, %(days)s) END
                    ELSE c.contact_days END""",
            days=days,
        )
