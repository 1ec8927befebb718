from odoo import api, models
from odoo.tools import SQL

SOURCES = ("message", "meeting", "order")
DOCUMENTS = ("res.partner", "crm.lead", "sale.order")
MAILS = ("email", "comment", "email_outgoing", "sms")
AUTOMATIC = (
    "^(auto(matic|matische|matica)?[- ]?(reply|response|antwort)"
    "|out of( the)? office|abwesenheit|absence|on vacation|автоответ"
    "|отсутств|автоматичен отговор)"
)
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
BACKDATED_HOURS = 1


class CoverageLedger(models.AbstractModel):
    """Reads contacts from what Odoo keeps anyway, set-based: for one and for all.

    Messages (done activities, e-mails, text messages), meetings that are over, and
    orders that one of us took. Each is noted once, however often it is read.
    """

    _name = "coverage.ledger"
    _description = "Sources of Contacts"

    # === ENTRANCES === #

    @api.model
    def _queue(self, source, ids, is_automatic=False):
        """Note, at no cost, messages or orders of this transaction for the ledger.

        They are read before the commit, or when somebody looks for customers.

        :param is_automatic: whether a machine wrote these e-mails
        """
        data = self.env.cr.precommit.data
        if "coverage_touches" not in data:
            data["coverage_touches"] = {}
            self.env.cr.precommit.add(self._flush_queue)
        data["coverage_touches"].setdefault(source, {}).update(
            dict.fromkeys(ids, is_automatic)
        )

    @api.model
    def _flush_queue(self):
        """Write the queued contacts, and let their customers know."""
        queue = self.env.cr.precommit.data.pop("coverage_touches", {})
        for source, ids in queue.items():
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
        """Note the meetings that ended since, and attach contacts of new customers."""
        touches = self.env["coverage.touch"].browse(self._record("meeting"))
        touches += touches.browse(self._attach_leads())
        touches._settle()

    @api.model
    def _record(self, source, ids=None, automatic_ids=()):
        """Write the contacts of a source that the ledger does not have yet.

        :param source: one of ``SOURCES``
        :param ids: only these messages, meetings or orders; ``None``: all of them
        :return: ids of the new touches
        """
        if ids is not None and not ids:
            return []
        for name in READ_BY_SOURCES:
            self.env[name].flush_model()
        self.env["coverage.facts"]._flush_documents()
        self.env["coverage.customer"].flush_model()
        query = {
            "message": lambda: self._query_messages(ids, automatic_ids),
            "meeting": lambda: self._query_meetings(ids),
            "order": lambda: self._query_orders(ids),
        }[source]()
        rows = self.env.execute_query(self._query_insert(source, query))
        return [row[0] for row in rows]

    # === WRITING === #

    def _query_insert(self, source, contacts):
        """Insert by anti-join: the ORM would need a search and an INSERT for each.

        :param contacts: origin_id, source, date, channel, direction, is_two_way,
            minutes, user_id, author_company_id, partner_id, commercial_id, lead_id,
            company_id, note
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
            SELECT COALESCE(c.company_id, s.company_id, s.author_company_id,
                            (SELECT min(id) FROM res_company)),
                   c.id, s.partner_id, s.lead_id, s.user_id,
                   COALESCE(u.sale_team_id, c.team_id), s.date, s.channel, s.direction,
                   s.is_two_way,
                   s.direction = 'in' OR s.user_id = c.user_id
                       OR s.user_id IN (SELECT user_id FROM seller)
                       OR EXISTS (
                           SELECT 1 FROM coverage_customer_watcher_rel w
                            WHERE w.coverage_customer_id = c.id
                              AND w.res_users_id = s.user_id),
                   s.minutes, s.note, s.source, s.origin_id, TRUE, %(uid)s,
                   now() AT TIME ZONE 'UTC', %(uid)s, now() AT TIME ZONE 'UTC'
              FROM (%(contacts)s) s
              LEFT JOIN LATERAL (
                    SELECT row.id, row.company_id, row.user_id, row.team_id
                      FROM coverage_customer row
                     WHERE row.partner_id = s.commercial_id
                       AND COALESCE(s.company_id, row.company_id) = row.company_id
                     ORDER BY row.company_id <> s.author_company_id, row.id
                     LIMIT 1) c ON TRUE
              LEFT JOIN res_users u ON u.id = s.user_id
             WHERE (c.id IS NOT NULL OR s.lead_id IS NOT NULL)
               AND NOT EXISTS (
                   SELECT 1 FROM coverage_touch t
                    WHERE t.origin_id = s.origin_id AND %(same)s)
             ORDER BY s.date, s.origin_id
            RETURNING id
            """,
            uid=self.env.uid,
            contacts=contacts,
            same=self._query_same(source),
        )

    def _query_same(self, source):
        """Return when touch ``t`` is contact ``s``: a meeting is one per customer."""
        return {
            "message": SQL("t.source IN ('activity', 'email', 'sms', 'hand')"),
            "order": SQL("t.source = 'order'"),
            "meeting": SQL(
                """t.source = 'meeting' AND (t.customer_id = c.id
                    OR t.customer_id IS NULL OR c.id IS NULL)"""
            ),
        }[source]

    def _attach_leads(self):
        """Give the contacts of leads to the customers that came of them; return ids."""
        self.env["coverage.touch"].flush_model()
        self.env["coverage.customer"].flush_model()
        self.env["coverage.facts"]._flush_documents()
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE coverage_touch t SET customer_id = c.id
                  FROM crm_lead l
                  JOIN res_partner p ON p.id = l.partner_id
                  JOIN coverage_customer c ON c.partner_id = p.commercial_partner_id
                 WHERE t.customer_id IS NULL AND t.lead_id = l.id
                   AND c.company_id = t.company_id AND c.active
                RETURNING t.id
                """
            )
        )
        ids = [row[0] for row in rows]
        self.env["coverage.touch"].browse(ids).invalidate_recordset(["customer_id"])
        return ids

    # === SOURCES === #

    def _query_ids(self, column, ids):
        """Restrict a source to some ids; nothing for all."""
        return SQL("") if ids is None else SQL("AND %s IN %s", column, tuple(ids))

    def _query_messages(self, ids, automatic_ids):
        """Done activities of a contact's kind, e-mails and text messages.

        An e-mail out counts when somebody outside was mailed; one that came in when a
        person wrote it. What an activity says was done counts unless a machine, or the
        same seller's own note, says so of the same day; a meeting counts as meeting.
        """
        return SQL(
            """
            SELECT m.id AS origin_id, kind.source, m.date, kind.channel,
                   CASE WHEN kind.is_in THEN 'in' ELSE 'out' END AS direction,
                   CASE WHEN kind.source = 'activity'
                        THEN kind.channel NOT IN ('email', 'message')
                        ELSE kind.is_in AND NOT (m.id IN %(automatic)s
                                 OR COALESCE(m.subject, '') ~* %(pattern)s)
                   END AS is_two_way,
                   NULL::numeric AS minutes,
                   CASE WHEN kind.is_in THEN COALESCE(l.user_id, o.user_id, dp.user_id)
                        ELSE author.id END AS user_id,
                   author.company_id AS author_company_id,
                   CASE WHEN kind.is_in THEN m.author_id
                        ELSE COALESCE(mailed.id, dp.id) END AS partner_id,
                   dp.commercial_partner_id AS commercial_id,
                   COALESCE(l.id, o.opportunity_id) AS lead_id,
                   COALESCE(o.company_id, l.company_id, dp.company_id) AS company_id,
                   done.feedback AS note
              FROM mail_message m
              LEFT JOIN mail_activity_type activity_type
                     ON activity_type.id = m.mail_activity_type_id
                    AND activity_type.coverage_channel IS NOT NULL
                    AND m.subtype_id = %(done)s
              LEFT JOIN LATERAL (
                    SELECT u.id, u.company_id FROM res_users u
                     WHERE u.partner_id = m.author_id AND NOT u.share
                     ORDER BY u.active DESC, u.id LIMIT 1) author ON TRUE
             CROSS JOIN LATERAL (
                    SELECT CASE WHEN activity_type.id IS NOT NULL THEN 'activity'
                                WHEN m.message_type = 'sms' THEN 'sms'
                                ELSE 'email' END AS source,
                           CASE WHEN activity_type.id IS NOT NULL
                                THEN activity_type.coverage_channel
                                WHEN m.message_type = 'sms' THEN 'message'
                                ELSE 'email' END AS channel,
                           m.message_type = 'email' AND author.id IS NULL AS is_in
                   ) kind
              LEFT JOIN crm_lead l ON m.model = 'crm.lead' AND l.id = m.res_id
              LEFT JOIN sale_order o ON m.model = 'sale.order' AND o.id = m.res_id
              LEFT JOIN res_partner dp ON dp.id = CASE m.model
                    WHEN 'res.partner' THEN m.res_id
                    WHEN 'crm.lead' THEN l.partner_id ELSE o.partner_id END
              LEFT JOIN LATERAL (
                    SELECT p.id
                      FROM (SELECT n.res_partner_id AS id FROM mail_notification n
                             WHERE n.mail_message_id = m.id
                             UNION
                            SELECT r.res_partner_id FROM mail_message_res_partner_rel r
                             WHERE r.mail_message_id = m.id) recipient
                      JOIN res_partner p ON p.id = recipient.id
                     WHERE (dp.id IS NULL
                            OR p.commercial_partner_id = dp.commercial_partner_id)
                       AND NOT EXISTS (SELECT 1 FROM res_users u
                                        WHERE u.partner_id = p.id AND NOT u.share)
                     ORDER BY p.id LIMIT 1) mailed ON kind.source <> 'activity'
              LEFT JOIN LATERAL (
                    SELECT a.feedback, a.calendar_event_id FROM mail_activity a
                     WHERE kind.source = 'activity' AND NOT a.active
                       AND a.res_model = m.model AND a.res_id = m.res_id
                       AND a.activity_type_id = m.mail_activity_type_id
                       AND a.date_done = m.date::date
                     ORDER BY a.id DESC LIMIT 1) done ON TRUE
             WHERE m.model IN %(documents)s AND m.res_id > 0 %(only)s
               AND (l.id IS NOT NULL OR dp.id IS NOT NULL)
               AND (activity_type.id IS NOT NULL OR m.message_type IN %(mails)s)
               AND CASE
                   WHEN kind.source = 'activity' THEN author.id IS NOT NULL
                        AND done.calendar_event_id IS NULL
                        AND NOT EXISTS (
                            SELECT 1 FROM coverage_touch twin
                             WHERE twin.user_id = author.id
                               AND twin.channel = kind.channel
                               AND twin.source <> 'activity' AND twin.active
                               AND twin.date >= m.date::date
                               AND twin.date < m.date::date + 1
                               AND (twin.lead_id = l.id OR twin.customer_id IN (
                                    SELECT id FROM coverage_customer row
                                     WHERE row.partner_id = dp.commercial_partner_id)))
                   WHEN kind.is_in THEN TRUE
                   WHEN m.message_type = 'sms' THEN author.id IS NOT NULL
                   ELSE author.id IS NOT NULL
                        AND (mailed.id IS NOT NULL OR m.message_type = 'email_outgoing'
                             OR (dp.id IS NULL AND m.outgoing_email_to IS NOT NULL))
                   END
            """,
            automatic=tuple(automatic_ids) or (0,),
            pattern=AUTOMATIC,
            done=self.env["ir.model.data"]._xmlid_to_res_id("mail.mt_activities"),
            documents=DOCUMENTS,
            mails=MAILS,
            only=self._query_ids(SQL("m.id"), ids),
        )

    def _query_meetings(self, ids):
        """Meetings that are over, not cancelled, not declined and not back-dated.

        One per meeting and customer, whoever of it came.
        """
        return SQL(
            """
            SELECT DISTINCT ON (e.id, p.commercial_partner_id)
                   e.id AS origin_id, 'meeting' AS source, e.start AS date,
                   CASE WHEN COALESCE(e.videocall_location, '') <> ''
                        THEN 'online' ELSE 'visit' END AS channel,
                   'out' AS direction, TRUE AS is_two_way,
                   EXTRACT(EPOCH FROM e.stop - e.start) / 60 AS minutes, e.user_id,
                   u.company_id AS author_company_id, p.id AS partner_id,
                   p.commercial_partner_id AS commercial_id, e.opportunity_id AS lead_id,
                   COALESCE(l.company_id, p.company_id) AS company_id,
                   NULL::text AS note
              FROM calendar_event e
              JOIN calendar_attendee a ON a.event_id = e.id
              JOIN res_partner p ON p.id = a.partner_id
              JOIN res_users u ON u.id = e.user_id AND NOT u.share
              LEFT JOIN crm_lead l ON l.id = e.opportunity_id
             WHERE e.active AND a.state <> 'declined' %(only)s
               AND e.stop <= %(now)s
               AND e.create_date <= e.start + make_interval(hours => %(grace)s)
               AND NOT EXISTS (SELECT 1 FROM res_users own
                                WHERE own.partner_id = p.id AND NOT own.share)
             ORDER BY e.id, p.commercial_partner_id, p.is_company, p.id
            """,
            now=self._get_now(),
            grace=BACKDATED_HOURS,
            only=self._query_ids(SQL("e.id"), ids),
        )

    def _query_orders(self, ids):
        """Confirmed orders that one of us wrote, where the company counts them."""
        return SQL(
            """
            SELECT o.id AS origin_id, 'order' AS source, o.date_order AS date,
                   'message' AS channel, 'in' AS direction, TRUE AS is_two_way,
                   NULL::numeric AS minutes, COALESCE(o.user_id, u.id) AS user_id,
                   o.company_id AS author_company_id, o.partner_id,
                   p.commercial_partner_id AS commercial_id,
                   o.opportunity_id AS lead_id, o.company_id, o.name AS note
              FROM sale_order o
              JOIN res_company company ON company.id = o.company_id
                                      AND company.coverage_order_is_contact
              JOIN res_users u ON u.id = o.create_uid AND NOT u.share
                               AND u.id <> %(bot)s
              JOIN res_partner p ON p.id = o.partner_id
             WHERE o.state = 'sale' %(only)s
            """,
            bot=self.env.ref("base.user_root").id,
            only=self._query_ids(SQL("o.id"), ids),
        )

    def _get_now(self):
        return self.env.cr.now().replace(tzinfo=None)
