from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from .coverage_sources import MAILS

# What proves comes first: an activity only repeats it.
SOURCES = ("order", "meeting", "mail", "activity")
READ_BY_SOURCES = (
    "calendar.attendee",
    "calendar.event",
    "coverage.touch",
    "crm.team",
    "crm.team.member",
    "mail.activity",
    "mail.message",
    "mail.notification",
    "res.users",
)
NEWCOMER_SPAN = timedelta(days=1)
MEETING_DAYS = 31
OVERLAP = timedelta(hours=1)  # of a transaction that began before


class CoverageLedger(models.AbstractModel):
    """Reads contacts from what Odoo keeps anyway, set-based: for one and for all.

    E-mails and text messages, done activities, meetings that are over, and orders that
    one of us took. Each is noted once, however often it is read.
    """

    _name = "coverage.ledger"
    _inherit = ["coverage.sources"]
    _description = "Contact Ledger"

    # === ENTRANCES === #

    @api.model
    def _queue(self, source, ids, is_automatic=False):
        """Note, at no cost, messages or orders of this transaction for the ledger.

        They are read before the commit, or when somebody looks for customers.

        :param is_automatic: whether a machine wrote these e-mails; it stays so
        """
        data = self.env.cr.precommit.data
        if ids and "coverage_touches" not in data:
            data["coverage_touches"] = {}
            self.env.cr.precommit.add(self._flush_queue)
        for id_ in ids:
            queued = data["coverage_touches"].setdefault(source, {})
            queued[id_] = queued.get(id_, False) or is_automatic

    @api.model
    def _flush_queue(self):
        """Write the queued contacts, and let their customers know."""
        queue = self.env.cr.precommit.data.pop("coverage_touches", {})
        for source in sorted(queue, key=SOURCES.index):
            ids = queue[source]
            automatic = [one for one, is_automatic in ids.items() if is_automatic]
            touch_ids = self._record(source, list(ids), automatic)
            self.env["coverage.touch"].sudo().browse(touch_ids)._settle()

    @api.model
    def _backfill(self):
        """Read the whole history; the customers' facts follow in one statement."""
        for source in SOURCES:
            self._record(source)
        for company in self.env["res.company"].search([]):
            self.env["coverage.contact"]._write_facts(company)

    @api.model
    def _cron_meetings(self):
        """Note the meetings that ended since, and what was before the customer was."""
        ids = self._record("meeting", self._find_meetings())
        for source, message_ids in self._find_newcomers_messages().items():
            ids += self._record(source, message_ids)
        ids += self._attach()
        self.env["coverage.touch"].browse(ids)._settle()

    def _find_meetings(self):
        """Return the ids of the meetings that ended lately."""
        now = fields.Datetime.now()
        domain = [
            ("start", ">", now - timedelta(days=MEETING_DAYS)),
            ("stop", "<=", now),
        ]
        return self.env["calendar.event"].sudo().search(domain).ids

    @api.model
    def _record(self, source, ids=None, automatic_ids=()):
        """Write the contacts of a source that the ledger does not have yet.

        :param source: one of ``SOURCES``
        :param ids: only these messages, meetings or orders; ``None``: all of them
        :return: ids of the new touches, and of those that a meeting proves
        """
        if ids is not None and not ids:
            return []
        for name in READ_BY_SOURCES:
            self.env[name].flush_model()
        self.env["coverage.facts"]._flush_documents()
        self.env["coverage.customer"].flush_model()
        proven = self._prove_by_meetings(ids) if source == "meeting" else []
        query = {
            "mail": lambda: self._query_mails(ids, automatic_ids),
            "activity": lambda: self._query_activities(ids),
            "meeting": lambda: self._query_meetings(ids),
            "order": lambda: self._query_orders(ids),
        }[source]()
        rows = self.env.execute_query(self._query_insert(source, query))
        return proven + [row[0] for row in rows]

    # === WRITING === #

    def _query_insert(self, source, contacts):
        """Insert by anti-join: the ORM would need a search and an INSERT for each.

        :param contacts: origin_id, source, date, channel, direction, is_two_way,
            minutes, user_id, near_company_id, partner_id, commercial_id, lead_id,
            company_id, note; ``near_company_id`` decides between several customers
        """
        return SQL(
            """
            WITH seller AS MATERIALIZED (
                SELECT user_id FROM crm_team_member
                 UNION SELECT user_id FROM crm_team WHERE user_id IS NOT NULL
            )
            INSERT INTO coverage_touch (
                company_id, customer_id, partner_id, lead_id, user_id, team_id, date,
                channel, direction, is_two_way, is_counted, minutes, note, source,
                origin_id, active, create_uid, create_date, write_uid, write_date)
            SELECT COALESCE(c.company_id, s.company_id, s.near_company_id,
                            (SELECT min(id) FROM res_company)),
                   c.id, s.partner_id, s.lead_id, u.id,
                   COALESCE(u.sale_team_id, c.team_id), s.date, s.channel, s.direction,
                   s.is_two_way,
                   s.direction = 'in' OR COALESCE(s.user_id = c.user_id, FALSE)
                       OR EXISTS (
                           SELECT 1 FROM seller WHERE seller.user_id = s.user_id)
                       OR EXISTS (
                           SELECT 1 FROM coverage_customer_watcher_rel w
                            WHERE w.coverage_customer_id = c.id
                              AND w.res_users_id = s.user_id)
                       OR EXISTS (
                           SELECT 1 FROM crm_team_member m
                            WHERE m.user_id = c.user_id AND m.active
                              AND m.coverage_assistant_id = s.user_id),
                   round(s.minutes, 1), s.note, s.source, s.origin_id, TRUE, %(uid)s,
                   now() AT TIME ZONE 'UTC', %(uid)s, now() AT TIME ZONE 'UTC'
              FROM (%(contacts)s) s
              LEFT JOIN LATERAL (
                    SELECT row.id, row.company_id, row.user_id, row.team_id
                      FROM coverage_customer row
                     WHERE row.partner_id = s.commercial_id
                       AND COALESCE(s.company_id, row.company_id) = row.company_id
                     ORDER BY row.active DESC,
                              row.company_id IS DISTINCT FROM s.near_company_id, row.id
                     LIMIT 1) c ON TRUE
              LEFT JOIN res_users u ON u.id = COALESCE(
                    s.user_id, CASE WHEN s.direction = 'in' THEN c.user_id END)
             WHERE (c.id IS NOT NULL OR s.lead_id IS NOT NULL)
               AND NOT EXISTS (
                   SELECT 1 FROM coverage_touch t
                    WHERE t.origin_id = s.origin_id AND %(same)s)
             ORDER BY s.date, s.origin_id
                ON CONFLICT DO NOTHING
            RETURNING id
            """,
            uid=self.env.uid,
            contacts=contacts,
            same=self._query_same(source),
        )

    def _query_same(self, source):
        """Return when touch ``t`` is contact ``s``: a meeting is one per customer.

        A call that the telephone proved keeps the message it was marked done by.
        """
        messages = SQL("t.source IN ('activity', 'email', 'sms', 'hand', 'telephone')")
        return {
            "mail": messages,
            "activity": messages,
            "order": SQL("t.source = 'order'"),
            "meeting": SQL(
                """t.source = 'meeting' AND (t.customer_id = c.id
                    OR t.customer_id IS NULL OR c.id IS NULL)"""
            ),
        }[source]

    def _prove_by_meetings(self, ids):
        """Let meetings prove what the seller noted of them already; return ids.

        One visit of a seller to a customer on a day, in the calendar and by hand, is
        one contact. What the seller said of it stays.
        """
        rows = self.env.execute_query(self._query_prove(ids))
        proven = [row[0] for row in rows]
        self.env["coverage.touch"].browse(proven).invalidate_recordset()
        return proven

    def _query_prove(self, ids):
        """Turn notes by hand into the meetings that they are of."""
        return SQL(
            """
            WITH pair AS (
                SELECT DISTINCT ON (s.origin_id, c.id)
                       twin.id, s.origin_id, s.date, round(s.minutes, 1) AS minutes
                  FROM (%s) s
                  JOIN coverage_customer c ON c.partner_id = s.commercial_id
                  JOIN coverage_touch twin
                    ON twin.customer_id = c.id AND twin.user_id = s.user_id
                   AND twin.source IN ('hand', 'activity') AND twin.active
                   AND twin.channel IN ('visit', 'online')
                   AND twin.date >= s.date::date AND twin.date < s.date::date + 1
                 WHERE NOT EXISTS (
                       SELECT 1 FROM coverage_touch known
                        WHERE known.source = 'meeting'
                          AND known.origin_id = s.origin_id
                          AND known.customer_id = c.id)
                 ORDER BY s.origin_id, c.id, twin.date, twin.id
            ),
            chosen AS (SELECT DISTINCT ON (id) * FROM pair ORDER BY id, date)
            UPDATE coverage_touch t
               SET source = 'meeting', origin_id = chosen.origin_id,
                   date = chosen.date,
                   minutes = COALESCE(NULLIF(t.minutes, 0), chosen.minutes)
              FROM chosen WHERE chosen.id = t.id
            RETURNING t.id
            """,
            self._query_meetings(ids),
        )

    def _attach(self):
        """Give contacts of leads and persons to the customers they became.

        :return: ids of the touches
        """
        self.env["coverage.touch"].flush_model()
        self.env["coverage.customer"].flush_model()
        self.env["coverage.facts"]._flush_documents()
        rows = self.env.execute_query(self._query_attach())
        ids = [row[0] for row in rows]
        self.env["coverage.touch"].browse(ids).invalidate_recordset(["customer_id"])
        return ids

    def _query_attach(self):
        """Find the customers that the leads and persons of free contacts became."""
        return SQL(
            """
            UPDATE coverage_touch t SET customer_id = c.id
              FROM coverage_touch free
              LEFT JOIN crm_lead l ON l.id = free.lead_id
              JOIN res_partner p ON p.id = CASE WHEN free.lead_id IS NULL
                   THEN free.partner_id ELSE l.partner_id END
              JOIN coverage_customer c ON c.partner_id = p.commercial_partner_id
             WHERE free.customer_id IS NULL AND t.id = free.id
               AND COALESCE(free.lead_id, free.partner_id) IS NOT NULL
               AND c.company_id = free.company_id AND c.active
               AND NOT EXISTS (
                   SELECT 1 FROM coverage_touch known
                    WHERE known.customer_id = c.id AND known.source = free.source
                      AND known.origin_id = free.origin_id)
            RETURNING t.id
            """
        )

    def _find_newcomers_messages(self):
        """Return messages with the latest new customers, before they were, by source.

        A contact is called and mailed first and gets a quotation afterwards. Latest
        are those since the job last ran.
        """
        since = self.env.context.get("lastcall") or self.env.cr.now() - NEWCOMER_SPAN
        rows = self.env.execute_query(self._query_newcomers_messages(since))
        return dict(rows)

    def _query_newcomers_messages(self, since):
        """Select messages with customers created since a moment, by source."""
        return SQL(
            """
            SELECT CASE WHEN m.mail_activity_type_id IS NULL
                        THEN 'mail' ELSE 'activity' END, array_agg(m.id)
              FROM coverage_customer c
              JOIN res_partner p ON p.commercial_partner_id = c.partner_id
              JOIN mail_message m ON m.model = 'res.partner' AND m.res_id = p.id
             WHERE c.create_date >= %s
               AND (m.mail_activity_type_id IS NOT NULL OR m.message_type IN %s)
             GROUP BY 1 ORDER BY 1 DESC
            """,
            since - OVERLAP,
            MAILS,
        )
