from odoo import api, fields, models
from odoo.tools import SQL

from ..core.cadence import next_contact
from ..core.records import Contacts
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
    _inherit = ["coverage.hold", "coverage.frame", "coverage.rows"]
    _description = "Facts of Contacts"

    @api.model
    def _follow_touches(self, company, customers):
        """Bring customers up to their contacts: the facts, then the next contact.

        All that a contact changes, and the same as a refresh makes of it. Customers
        that another transaction holds are marked for the job.
        """
        held = self._lock(customers)
        self._leave_marks(company, (customers - held).partner_id)
        if held:
            self._write_facts(company, held.ids)
            self._apply_next(self._decide_next(company, held))
            self.env["coverage.idle"]._settle(held)

    def _decide_next(self, company, customers):
        """Return ``[(customer id, next contact)]`` of those whose day moves."""
        frame = self._prepare_frame(company, fields.Datetime.now())
        interval_of = self._get_interval_of(frame)
        rules = {rule.key: rule for rule in frame.rules.segments}
        moved = []
        for key, segment, potential, due, *contacts in self.env.execute_query(
            self._query_contacts(customers)
        ):
            rule, interval = rules.get(segment), interval_of(segment, potential)
            day = next_contact(Contacts(*contacts), rule, interval, frame.rules)
            if day != due:
                moved.append((key, day))
        return moved

    def _query_contacts(self, customers):
        """Return id, segment, potential, next contact and the core's ``Contacts``."""
        return SQL(
            """
            SELECT id, segment_id, potential::float8, next_contact_date,
                   last_contact_date, last_proven_date, last_email_date,
                   leave_alone_until, rhythm_start_date, owned_since
              FROM coverage_customer WHERE id IN %s ORDER BY id
            """,
            customers._ids,
        )

    def _apply_next(self, moved):
        """Write next contacts by SQL: they differ for every row."""
        if not moved:
            return
        self.env.cr.execute_values(
            """UPDATE coverage_customer c SET next_contact_date = v.due
                 FROM (VALUES %s) AS v (id, due) WHERE c.id = v.id""",
            moved,
            "(%s, %s::date)",
            page_size=2_000,
        )
        customers = self.env["coverage.customer"].browse([key for key, _day in moved])
        customers.invalidate_recordset(["next_contact_date"], flush=False)

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
