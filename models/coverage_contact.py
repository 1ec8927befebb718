from odoo import api, models
from odoo.tools import SQL

from .coverage_touch import PROVEN

CONTACTS = (
    "last_contact_date",
    "last_proven_date",
    "last_email_date",
    "last_attempt_date",
    "attempt_day_count",
)


class CoverageContact(models.AbstractModel):
    """The ledger's facts on customers, set-based: the same query for one and for all.

    Days are those of the company; only counted touches, withdrawn ones excepted.
    """

    _name = "coverage.contact"
    _description = "Facts of Contacts"

    @api.model
    def _write_facts(self, company, customer_ids=None):
        """Bring last contact, last attempt and attempts up to the ledger.

        :param customer_ids: only these rows, held by this transaction; ``None``: all
        """
        self.env["coverage.touch"].flush_model()
        self.env["coverage.customer"].flush_model()
        self.env.cr.execute(self._query_write(company, customer_ids))
        if self.env.cr.rowcount:
            names = (*CONTACTS, "is_unreachable", "retry_date")  # they follow
            self.env["coverage.customer"].invalidate_model(names, flush=False)

    def _query_write(self, company, customer_ids):
        """Update rows whose facts differ: values differ for each, no ORM write fits."""
        rows = touches = SQL("")
        if customer_ids is not None:
            rows = SQL("AND c.id IN %s", tuple(customer_ids) or (0,))
            touches = SQL("AND t.customer_id IN %s", tuple(customer_ids) or (0,))
        return SQL(
            """
            WITH touch AS (
                SELECT t.customer_id, t.is_two_way, t.source, t.channel, t.direction,
                       (t.date AT TIME ZONE 'UTC' AT TIME ZONE %(tz)s)::date AS day
                  FROM coverage_touch t
                 WHERE t.company_id = %(company)s AND t.active AND t.is_counted
                   AND t.customer_id IS NOT NULL %(touches)s
            ),
            last AS (
                SELECT customer_id,
                       max(day) FILTER (WHERE is_two_way) AS contact,
                       max(day) FILTER (WHERE is_two_way AND source IN %(proven)s)
                           AS proven,
                       max(day) FILTER (
                           WHERE channel = 'email' AND direction = 'out') AS email,
                       max(day) FILTER (WHERE direction = 'out') AS attempt
                  FROM touch GROUP BY customer_id
            ),
            tried AS (
                SELECT t.customer_id, count(DISTINCT t.day)::int AS days
                  FROM touch t
                  JOIN last l ON l.customer_id = t.customer_id
                  JOIN coverage_customer c ON c.id = t.customer_id
                 WHERE NOT t.is_two_way AND t.direction = 'out'
                   AND t.day > COALESCE(l.contact, '-infinity')
                   AND t.day > COALESCE(c.retry_since, '-infinity')
                 GROUP BY t.customer_id
            )
            UPDATE coverage_customer c
               SET last_contact_date = f.contact, last_proven_date = f.proven,
                   last_email_date = f.email, last_attempt_date = f.attempt,
                   attempt_day_count = f.days
              FROM (
                SELECT c.id, l.contact, l.proven, l.email, l.attempt,
                       COALESCE(d.days, 0) AS days
                  FROM coverage_customer c
                  LEFT JOIN last l ON l.customer_id = c.id
                  LEFT JOIN tried d ON d.customer_id = c.id
                 WHERE c.company_id = %(company)s %(rows)s
              ) f
             WHERE f.id = c.id AND (
                   c.last_contact_date, c.last_proven_date, c.last_email_date,
                   c.last_attempt_date, c.attempt_day_count)
                   IS DISTINCT FROM (
                   f.contact, f.proven, f.email, f.attempt, f.days)
            """,
            tz=company._get_coverage_tz(),
            company=company.id,
            proven=PROVEN,
            touches=touches,
            rows=rows,
        )
