from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from odoo import models
from odoo.tools import SQL

from ..core.idle import IdleRules, Silence, decide_idle
from .coverage_handed import OPEN, RUNNING

BATCH = 10_000
MOVED_DAYS = 60  # a deal that did not move for so long protects nobody
WON_DAYS = 3 * 365
READ_BY_QUERIES = (
    "coverage.customer",
    "coverage.handoff",
    "coverage.touch",
    "crm.lead",
    "res.partner",
    "res.users",
    "sale.order",
)


@dataclass(frozen=True, slots=True)
class IdleFrame:
    """What decisions on neglect in one company share."""

    company: Any
    now: datetime
    today: date
    rules: IdleRules


class CoverageIdleFacts(models.AbstractModel):
    """Collects what decides on neglect: the same query for the base and for a list."""

    _name = "coverage.idle.facts"
    _description = "Facts of Neglect"

    def _prepare_idle(self, company, now, is_preview=False):
        """Return what decisions on neglect in this company share.

        :param is_preview: as if idle had always been on, and nobody were only observed
        """
        company = company.sudo()
        segments = self.env["coverage.segment"].sudo()._get_ordered()
        on = None if is_preview else company.coverage_idle_date or None
        days = timedelta(days=company.coverage_idle_observe_days - 1)
        rules = IdleRules(
            {rule.key: rule for rule in segments._get_rules()},
            {one.id: one.idle_contact_days for one in segments},
            {one.id: one.idle_order_days for one in segments},
            prospect_days=company.coverage_idle_prospect_days,
            lead_days=company.coverage_idle_lead_days,
            max_attempts=company.coverage_max_attempts,
            unproven_days=company.coverage_unproven_days,
            warning_days=company._get_coverage_warning_days(),
            switched_on=on,
            observed_until=on and on + days,
        )
        return IdleFrame(company, now, company._get_coverage_today(now), rules)

    # === FACTS === #

    def _decide_listed(self, frame, customers):
        """Return ``{customer id: (Silence, Verdict)}`` of these customers."""
        if not customers.ids:
            return {}
        self._flush_idle()
        listed = SQL("c.id IN %s", tuple(customers.ids))
        return self._decide_rows(frame, self._query_silences(frame, listed))

    def _decide_batch(self, frame, last_id, horizon=0):
        """Return the same of the next batch of those that may be at risk.

        :param horizon: days ahead, beyond the first warning's
        """
        self._flush_idle()
        query = SQL(
            "%s ORDER BY c.id LIMIT %s",
            self._query_silences(
                frame,
                SQL("c.id > %s AND %s", last_id, self._query_near_end(frame, horizon)),
            ),
            BATCH,
        )
        return self._decide_rows(frame, query)

    def _decide_rows(self, frame, query):
        found = {}
        for key, *facts in self.env.execute_query(query):
            silence = Silence(*facts)
            found[key] = silence, decide_idle(silence, frame.rules, frame.today)
        return found

    def _flush_idle(self):
        """Write what the ORM holds back of what the queries read."""
        for name in READ_BY_QUERIES:
            self.env[name].flush_model()

    def _query_silences(self, frame, condition):
        """Return id and the core's ``Silence`` of active customers ``c``."""
        return SQL(
            """
            SELECT c.id, c.segment_id, c.lifecycle, c.user_id IS NOT NULL,
                   c.last_contact_date, c.last_proven_date, c.last_email_date,
                   c.owned_since, c.leave_alone_until,
                   COALESCE(c.leave_alone_until <= c.snoozed_since + %(snooze)s, FALSE),
                   c.protected_until, c.retry_since,
                   %(tried)s, c.last_order_date,
                   COALESCE(c.longest_silence_days, 0), c.order_kept_since,
                   u.id IS NOT NULL AND NOT %(able)s,
                   %(away)s, %(back)s, %(quoted)s, %(handed)s,
                   COALESCE(c.idle_warning_level, 0), c.idle_warning_date, c.idle_since,
                   c.idle_date, c.missing_order_since
              FROM coverage_customer c
              LEFT JOIN res_users u ON u.id = c.user_id
             WHERE c.company_id = %(company)s AND c.active AND %(condition)s
            """,
            snooze=frame.company.coverage_snooze_days,
            able=self.env["coverage.cadence"]._query_able(frame.now),
            tried=self._query_tried_since(frame),
            away=self._query_absence(frame, SQL("u.out_of_office_from")),
            back=self._query_absence(frame, SQL("u.out_of_office_to")),
            quoted=self._query_quoted(frame),
            handed=self._query_handed(),
            company=frame.company.id,
            condition=condition,
        )

    def _query_tried_since(self, frame):
        """Return since when customer ``c`` was tried on as many days as may be.

        Looked up only where the customer's own count says that it was.
        """
        return SQL(
            """CASE WHEN c.attempt_day_count >= %(most)s AND %(most)s > 0 THEN (
                   SELECT DISTINCT
                          (t.date AT TIME ZONE 'UTC' AT TIME ZONE %(tz)s)::date AS day
                     FROM coverage_touch t
                    WHERE t.customer_id = c.id AND t.company_id = c.company_id
                      AND t.active AND t.is_counted AND NOT t.is_two_way
                      AND t.direction = 'out'
                    ORDER BY day DESC OFFSET %(before)s LIMIT 1) END""",
            most=frame.rules.max_attempts,
            before=max(0, frame.rules.max_attempts - 1),
            tz=frame.company._get_coverage_tz(),
        )

    def _query_absence(self, frame, moment):
        """Return one end of the last absence of user ``u``, as a day, if it is over."""
        return SQL(
            """CASE WHEN u.out_of_office_from IS NOT NULL
                     AND u.out_of_office_to < %(now)s
                    THEN (%(moment)s AT TIME ZONE 'UTC'
                          AT TIME ZONE %(tz)s)::date END""",
            now=frame.now,
            moment=moment,
            tz=frame.company._get_coverage_tz(),
        )

    def _query_quoted(self, frame):
        """Return whether customer ``c`` has a deal that is young, and moved lately."""
        company, moved = frame.company, frame.now - timedelta(days=MOVED_DAYS)
        return SQL(
            """(EXISTS (
                SELECT FROM res_partner p JOIN sale_order o ON o.partner_id = p.id
                 WHERE p.commercial_partner_id = c.partner_id
                   AND o.company_id = c.company_id AND o.state IN ('draft', 'sent')
                   AND LEAST(o.create_date, o.date_order) > %(quoted_since)s
                   AND o.write_date > %(moved)s)
             OR EXISTS (
                SELECT FROM res_partner p JOIN crm_lead l ON l.partner_id = p.id
                 WHERE p.commercial_partner_id = c.partner_id
                   AND COALESCE(l.company_id, c.company_id) = c.company_id
                   AND l.active AND l.type = 'opportunity'
                   AND l.won_status = 'pending' AND l.create_date > %(begun_since)s
                   AND GREATEST(l.create_date, l.date_last_stage_update) > %(moved)s))
            """,
            quoted_since=frame.now - timedelta(days=company.coverage_idle_quote_days),
            begun_since=frame.now - timedelta(days=company.coverage_idle_deal_days),
            moved=moved,
        )

    def _query_handed(self):
        """Return whether customer ``c`` is being handed over, or watched after it."""
        return SQL(
            """EXISTS (SELECT FROM coverage_handoff h
                        WHERE h.customer_id = c.id AND h.state IN %s)""",
            OPEN + RUNNING,
        )

    def _query_near_end(self, frame, horizon):
        """Return whether customer ``c`` may be near the end of a term, or marked.

        Cheap, and never too narrow: the core decides.
        """
        rules, today = frame.rules, frame.today
        ahead = rules.warning_days[0] + horizon
        parts = [
            SQL("c.idle_warning_level > 0"),
            SQL("c.idle_since IS NOT NULL"),
            SQL("c.missing_order_since IS NOT NULL"),
        ]
        terms = [*rules.contact_days.values(), rules.prospect_days]
        if term := min(filter(None, terms), default=0):
            near = self._query_silent_since(rules.switched_on)
            parts.append(SQL("%s <= %s", near, today - timedelta(days=term - ahead)))
        if term := min(filter(None, rules.order_days.values()), default=0):
            since = SQL("GREATEST(c.last_order_date, c.owned_since)")
            parts.append(SQL("%s <= %s", since, today - timedelta(days=term)))
        return SQL("c.user_id IS NOT NULL AND (%s)", SQL(" OR ").join(parts))

    def _query_silent_since(self, switched_on):
        """Return since when customer ``c`` is silent, in columns of its own alone."""
        return SQL(
            """COALESCE(GREATEST(
                   CASE WHEN c.segment_id IN (
                                 SELECT id FROM coverage_segment WHERE needs_proof)
                        THEN c.last_proven_date ELSE c.last_contact_date END,
                   c.owned_since, %s::date), '-infinity')""",
            switched_on,
        )

    # === HOW LONG DEALS TAKE === #

    def _query_won_quotations(self, company, now):
        """Return the 90th percentile of days to an order, and of how many."""
        return SQL(
            """
            SELECT percentile_cont(0.9) WITHIN GROUP (ORDER BY GREATEST(0,
                       extract(epoch FROM o.date_order - o.create_date) / 86400)),
                   count(*)
              FROM sale_order o
             WHERE o.company_id = %s AND o.state = 'sale' AND o.date_order > %s
            """,
            company.id,
            now - timedelta(days=WON_DAYS),
        )

    def _query_won_opportunities(self, company, now):
        """Return the 90th percentile of days to a won deal, and of how many."""
        return SQL(
            """
            SELECT percentile_cont(0.9) WITHIN GROUP (ORDER BY GREATEST(0,
                       extract(epoch FROM l.date_closed - l.create_date) / 86400)),
                   count(*)
              FROM crm_lead l
             WHERE COALESCE(l.company_id, %(company)s) = %(company)s
               AND l.won_status = 'won' AND l.date_closed > %(since)s
            """,
            company=company.id,
            since=now - timedelta(days=WON_DAYS),
        )
