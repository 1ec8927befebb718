from odoo import fields, models
from odoo.tools import SQL

from odoo.addons.iap.tools.iap_tools import _MAIL_DOMAIN_BLACKLIST

DOCUMENTS = ("res.partner", "crm.lead", "sale.order")
MAILS = ("email", "comment", "email_outgoing", "sms")
AUTOMATIC = (
    "^\\s*(auto:|autoreply|autosvar|auto(matic|mated|matische|matisch)?[- ]?"
    "(reply|response|antwort|antwoord)"
    "|out of( the)? office|abwesenheitsn|absence du bureau|on (vacation|holiday):"
    "|r.ponse automatique|respuesta autom.tica|risposta automatica"
    "|resposta autom.tica|automatyczna odpowied|[Аа]втоответ"
    "|[Аа]втоматический ответ|[Вв]не офиса|[Оо]тсутствие на рабочем месте"
    "|[Аа]втоматичен отговор|[Ии]звън офиса)"
)
BACKDATED_HOURS = 1


class CoverageSources(models.AbstractModel):
    """What Odoo keeps of contacts, as one query for each source.

    Each yields the columns that ``coverage.ledger._query_insert`` names.
    """

    _name = "coverage.sources"
    _description = "Sources of Contacts"

    def _query_ids(self, column, ids):
        """Restrict a source to some ids; nothing for all."""
        return SQL("") if ids is None else SQL("AND %s IN %s", column, tuple(ids))

    def _query_documents(self):
        """Join a message ``m`` with what it is about.

        ``author``: the one of us who wrote it; ``l`` lead, ``o`` order, ``dp`` contact
        of the document; ``owner`` who is responsible for it.
        """
        return SQL(
            """
              LEFT JOIN LATERAL (
                    SELECT u.id, u.company_id FROM res_users u
                     WHERE u.partner_id = m.author_id AND NOT u.share
                     ORDER BY u.active DESC, u.id LIMIT 1) author ON TRUE
              LEFT JOIN crm_lead l ON m.model = 'crm.lead' AND l.id = m.res_id
              LEFT JOIN sale_order o ON m.model = 'sale.order' AND o.id = m.res_id
              LEFT JOIN res_partner dp ON dp.id = CASE m.model
                    WHEN 'res.partner' THEN m.res_id
                    WHEN 'crm.lead' THEN l.partner_id ELSE o.partner_id END
              LEFT JOIN res_users owner
                     ON owner.id = COALESCE(l.user_id, o.user_id, dp.user_id)
            """
        )

    def _query_mails(self, ids, automatic_ids):
        """E-mails and text messages.

        One that went out counts when somebody outside was mailed. One that came in is
        two-way when a person of the customer wrote it: by the contact, the lead's
        address, or the domain of either.
        """
        return SQL(
            """
            SELECT m.id AS origin_id,
                   CASE WHEN m.message_type = 'sms' THEN 'sms' ELSE 'email' END
                       AS source,
                   m.date,
                   CASE WHEN m.message_type = 'sms'
                             OR (kind.is_in AND m.message_type = 'comment')
                        THEN 'message' ELSE 'email' END AS channel,
                   CASE WHEN kind.is_in THEN 'in' ELSE 'out' END AS direction,
                   kind.is_in AND NOT (m.id IN %(automatic)s
                       OR COALESCE(m.subject, '') ~* %(pattern)s)
                       AND COALESCE(
                           sender.commercial_partner_id = dp.commercial_partner_id
                           OR kind.email IN (l.email_normalized, dp.email_normalized)
                           OR (kind.domain IN (
                                   split_part(l.email_normalized, '@', 2),
                                   split_part(dp.email_normalized, '@', 2))
                               AND kind.domain NOT IN %(providers)s), FALSE)
                       AS is_two_way,
                   NULL::numeric AS minutes,
                   CASE WHEN kind.is_in THEN owner.id ELSE author.id END AS user_id,
                   CASE WHEN kind.is_in THEN owner.company_id
                        ELSE COALESCE(m.record_company_id, author.company_id) END
                       AS near_company_id,
                   CASE WHEN kind.is_in THEN m.author_id
                        ELSE COALESCE(mailed.id, dp.id) END AS partner_id,
                   dp.commercial_partner_id AS commercial_id,
                   COALESCE(l.id, o.opportunity_id) AS lead_id,
                   COALESCE(o.company_id, l.company_id, dp.company_id) AS company_id,
                   NULL::text AS note
              FROM mail_message m
              %(joins)s
             CROSS JOIN LATERAL (
                    SELECT author.id IS NULL AND (m.message_type = 'email'
                               OR (m.message_type = 'comment'
                                   AND m.author_id IS NOT NULL)) AS is_in,
                           address.email, split_part(address.email, '@', 2) AS domain,
                           lower(concat(m.incoming_email_to, ',', m.incoming_email_cc))
                               AS recipients
                      FROM (SELECT lower(substring(
                                m.email_from from '[^<>[:space:]]+@[^<>[:space:]]+'))
                                AS email) address) kind
              LEFT JOIN res_partner sender ON sender.id = m.author_id
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
                     ORDER BY p.id LIMIT 1) mailed ON NOT kind.is_in
             WHERE m.model IN %(documents)s AND m.res_id > 0 %(only)s
               AND m.message_type IN %(mails)s
               AND (l.id IS NOT NULL OR dp.id IS NOT NULL)
               AND author.id IS DISTINCT FROM %(bot)s
               AND (kind.is_in OR (author.id IS NOT NULL AND (
                       m.message_type IN ('sms', 'email_outgoing')
                       OR mailed.id IS NOT NULL
                       OR strpos(kind.recipients, dp.email_normalized) > 0
                       OR strpos(kind.recipients, l.email_normalized) > 0
                       OR (dp.id IS NULL AND m.outgoing_email_to IS NOT NULL))))
            """,
            automatic=tuple(automatic_ids) or (0,),
            pattern=AUTOMATIC,
            providers=tuple(_MAIL_DOMAIN_BLACKLIST),
            joins=self._query_documents(),
            documents=DOCUMENTS,
            mails=MAILS,
            bot=self._get_bot_id(),
            only=self._query_ids(SQL("m.id"), ids),
        )

    def _query_activities(self, ids):
        """Done activities of a contact's kind.

        One counts unless a machine, or the seller's own note, says so of the same day.
        Of an activity in the calendar the meeting decides, where the customer was
        invited.
        """
        return SQL(
            """
            SELECT m.id AS origin_id, 'activity' AS source, m.date,
                   kind.coverage_channel AS channel, 'out' AS direction,
                   kind.coverage_channel NOT IN ('email', 'message') AS is_two_way,
                   NULL::numeric AS minutes, author.id AS user_id,
                   COALESCE(m.record_company_id, author.company_id) AS near_company_id,
                   dp.id AS partner_id, dp.commercial_partner_id AS commercial_id,
                   COALESCE(l.id, o.opportunity_id) AS lead_id,
                   COALESCE(o.company_id, l.company_id, dp.company_id) AS company_id,
                   done.feedback AS note
              FROM mail_message m
              JOIN mail_activity_type kind ON kind.id = m.mail_activity_type_id
                                          AND kind.coverage_channel IS NOT NULL
              %(joins)s
              LEFT JOIN LATERAL (
                    SELECT a.feedback, a.calendar_event_id FROM mail_activity a
                     WHERE NOT a.active
                       AND a.res_model = m.model AND a.res_id = m.res_id
                       AND a.activity_type_id = m.mail_activity_type_id
                       AND a.date_done = m.date::date
                     ORDER BY abs(extract(epoch FROM a.write_date - m.create_date)),
                              a.id DESC LIMIT 1) done ON TRUE
             WHERE m.model IN %(documents)s AND m.res_id > 0 %(only)s
               AND m.subtype_id = %(done)s
               AND (l.id IS NOT NULL OR dp.id IS NOT NULL)
               AND author.id IS NOT NULL AND author.id <> %(bot)s
               AND NOT EXISTS (
                   SELECT 1 FROM calendar_attendee a
                     JOIN res_partner guest ON guest.id = a.partner_id
                    WHERE a.event_id = done.calendar_event_id
                      AND CASE WHEN dp.id IS NULL
                          THEN NOT EXISTS (
                               SELECT 1 FROM res_users own
                                WHERE own.partner_id = guest.id AND NOT own.share)
                          ELSE guest.commercial_partner_id = dp.commercial_partner_id
                          END)
               AND NOT EXISTS (
                   SELECT 1 FROM coverage_touch twin
                     JOIN coverage_customer row ON row.id = twin.customer_id
                    WHERE row.partner_id = dp.commercial_partner_id
                      AND twin.user_id = author.id AND twin.source <> 'activity'
                      AND (twin.channel = kind.coverage_channel
                           OR (twin.channel IN ('visit', 'online')
                               AND kind.coverage_channel IN ('visit', 'online')))
                      AND twin.active
                      AND twin.date >= m.date::date AND twin.date < m.date::date + 1)
               AND NOT EXISTS (
                   SELECT 1 FROM coverage_touch twin
                    WHERE twin.lead_id = l.id
                      AND twin.user_id = author.id AND twin.source <> 'activity'
                      AND (twin.channel = kind.coverage_channel
                           OR (twin.channel IN ('visit', 'online')
                               AND kind.coverage_channel IN ('visit', 'online')))
                      AND twin.active
                      AND twin.date >= m.date::date AND twin.date < m.date::date + 1)
            """,
            joins=self._query_documents(),
            documents=DOCUMENTS,
            done=self.env["ir.model.data"]._xmlid_to_res_id("mail.mt_activities"),
            bot=self._get_bot_id(),
            only=self._query_ids(SQL("m.id"), ids),
        )

    def _query_meetings(self, ids):
        """Meetings that are over, not cancelled, not declined and not back-dated.

        One per meeting and customer, whoever of it came; where no customer did, one of
        the lead. The organiser is the seller, else the first of us who came.
        """
        return SQL(
            """
            SELECT guest.origin_id, 'meeting' AS source, guest.date, guest.channel,
                   'out' AS direction, TRUE AS is_two_way, guest.minutes,
                   guest.user_id, guest.near_company_id, guest.partner_id,
                   guest.commercial_id,
                   CASE WHEN guest.is_of_lead THEN guest.opportunity_id END AS lead_id,
                   guest.company_id, NULL::text AS note
              FROM (
                SELECT DISTINCT ON (e.id, CASE WHEN known.is_customer
                                               THEN p.commercial_partner_id END)
                       e.id AS origin_id, e.start AS date, e.opportunity_id,
                       CASE WHEN COALESCE(e.videocall_location, '') <> ''
                            THEN 'online' ELSE 'visit' END AS channel,
                       (EXTRACT(EPOCH FROM e.stop - e.start) / 60)::numeric AS minutes,
                       host.id AS user_id, host.company_id AS near_company_id,
                       p.id AS partner_id, p.commercial_partner_id AS commercial_id,
                       known.is_customer, lp.id IS NULL
                           OR lp.commercial_partner_id = p.commercial_partner_id
                           AS is_of_lead,
                       bool_or(known.is_customer) OVER (PARTITION BY e.id)
                           AS has_customer,
                       COALESCE(CASE WHEN lp.commercial_partner_id
                                          = p.commercial_partner_id
                                     THEN l.company_id END, p.company_id) AS company_id
                  FROM calendar_event e
                  JOIN calendar_attendee a ON a.event_id = e.id
                  JOIN res_partner p ON p.id = a.partner_id
                  JOIN LATERAL (
                        SELECT u.id, u.company_id FROM res_users u
                         WHERE NOT u.share AND u.id <> %(bot)s
                           AND (u.id = e.user_id OR u.partner_id IN (
                                SELECT own.partner_id FROM calendar_attendee own
                                 WHERE own.event_id = e.id
                                   AND own.state IS DISTINCT FROM 'declined'))
                         ORDER BY u.id IS DISTINCT FROM e.user_id, u.id
                         LIMIT 1) host ON TRUE
                 CROSS JOIN LATERAL (
                        SELECT EXISTS (
                            SELECT 1 FROM coverage_customer row
                             WHERE row.partner_id = p.commercial_partner_id)
                            AS is_customer) known
                  LEFT JOIN crm_lead l ON l.id = e.opportunity_id
                  LEFT JOIN res_partner lp ON lp.id = l.partner_id
                 WHERE e.active AND a.state IS DISTINCT FROM 'declined' %(only)s
                   AND e.stop <= %(now)s AND e.coverage_is_backdated IS NOT TRUE
                   AND e.create_date <= e.start + make_interval(hours => %(grace)s)
                   AND NOT EXISTS (SELECT 1 FROM res_users own
                                    WHERE own.partner_id = p.id AND NOT own.share)
                 ORDER BY e.id, CASE WHEN known.is_customer
                                     THEN p.commercial_partner_id END,
                          p.is_company, p.id
              ) guest
             WHERE guest.is_customer
                OR (guest.is_of_lead AND NOT guest.has_customer)
            """,
            now=fields.Datetime.now(),
            grace=BACKDATED_HOURS,
            bot=self._get_bot_id(),
            only=self._query_ids(SQL("e.id"), ids),
        )

    def _query_orders(self, ids):
        """Confirmed orders that one of us wrote, where the company counts them."""
        return SQL(
            """
            SELECT o.id AS origin_id, 'order' AS source, o.date_order AS date,
                   'message' AS channel, 'in' AS direction, TRUE AS is_two_way,
                   NULL::numeric AS minutes, COALESCE(o.user_id, u.id) AS user_id,
                   o.company_id AS near_company_id, o.partner_id,
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
            bot=self._get_bot_id(),
            only=self._query_ids(SQL("o.id"), ids),
        )

    def _get_bot_id(self):
        """Return the id of OdooBot, who contacts nobody."""
        return self.env["ir.model.data"]._xmlid_to_res_id("base.user_root")
