from collections import defaultdict
from datetime import timedelta

from psycopg2 import errors

from odoo import api, fields, models
from odoo.tools import SQL

LEVELS = [("cold", "Cold"), ("warm", "Warm"), ("hot", "Hot")]
WARM_DAYS = 30
READ = {
    "crm.lead": [
        "active",
        "company_id",
        "lead_temperature",
        "partner_id",
        "user_id",
        "won_status",
    ],
    "coverage.touch": ["active", "customer_id", "date", "is_two_way", "lead_id"],
    "sale.order": ["company_id", "opportunity_id", "partner_id", "state"],
}


class CrmLead(models.Model):
    """Open leads are cold, warm or hot; closed ones stay as they were.

    Warm: the customer spoke first, or within the last 30 days. Hot: warm, with an open
    quotation of this opportunity, or one of the customer that belongs to none. Else
    cold. Written set-based and silently: by night for all, before the commit for those
    whose contacts or quotations changed.
    """

    _inherit = "crm.lead"

    lead_temperature = fields.Selection(
        LEVELS,
        readonly=True,
        copy=False,
        default="cold",
        help="Warm: the customer spoke first, or answered within 30 days. Hot: warm, "
        "with an open quotation.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        leads = super().create(vals_list)
        self._queue_heat("l.id", leads.filtered("partner_id").ids)
        return leads

    @api.model
    def _queue_heat(self, column, ids):
        """Note, at no cost, whose leads warm or cool: settled before the commit.

        :param column: ``l.id`` of the lead, or ``p.commercial_partner_id`` of customers
        """
        if not any(ids) or self.env.context.get("coverage_skip_refresh"):
            return
        data = self.env.cr.precommit.data
        if "coverage_heat" not in data:
            data["coverage_heat"] = defaultdict(set)
            self.env.cr.precommit.add(self._flush_heat)
        data["coverage_heat"][column].update(ids)

    @api.model
    def _flush_heat(self):
        """Settle the leads that this transaction has noted, company by company."""
        queue = self.env.cr.precommit.data.pop("coverage_heat", {})
        only = [
            SQL("%s IN %s", SQL(column), tuple(ids)) for column, ids in queue.items()
        ]
        if only:
            condition, now = SQL("(%s)", SQL(" OR ").join(only)), fields.Datetime.now()
            for company in self.env["res.company"].sudo().search([]):
                self.sudo()._heat(company, now, condition)

    @api.model
    def _heat(self, company, now, condition=None):
        """Bring the temperatures of a company's open leads up to what happened.

        Leads that somebody edits, or just edited, follow by night.

        :param condition: SQL on lead ``l`` and its partner ``p``; by default all
        """
        for name, names in READ.items():
            self.env[name].flush_model(names)
        query = self._query_heat(company, now, condition or SQL("TRUE"))
        try:
            with self.env.cr.savepoint(flush=False):
                self.env.cr.execute(query, log_exceptions=False)
                count = self.env.cr.rowcount
        except errors.SerializationFailure:
            return
        if count:
            self.invalidate_model(["lead_temperature"], flush=False)

    def _query_heat(self, company, now, condition):
        """Update the leads whose level differs, passing over those that are held."""
        day = company._get_coverage_today(now) - timedelta(days=WARM_DAYS - 1)
        return SQL(
            """
            WITH lead AS (
                SELECT l.id, p.commercial_partner_id AS partner_id, c.id AS customer_id
                  FROM crm_lead l
                  LEFT JOIN res_partner p ON p.id = l.partner_id
                  LEFT JOIN res_users u ON u.id = l.user_id
                  LEFT JOIN coverage_customer c ON c.company_id = %(company)s
                        AND c.partner_id = p.commercial_partner_id
                 WHERE l.active AND l.won_status = 'pending'
                   AND %(lead_company)s = %(company)s AND %(condition)s
            ),
            word AS (
                SELECT id, bool_or(is_recent) OR bool_or(is_first) AS is_warm
                  FROM (%(words)s) said GROUP BY id
            ),
            level AS (
                SELECT lead.id, CASE WHEN word.is_warm IS NOT TRUE THEN 'cold'
                                     WHEN %(is_quoted)s THEN 'hot'
                                     ELSE 'warm' END AS code
                  FROM lead LEFT JOIN word ON word.id = lead.id
            )
            UPDATE crm_lead l SET lead_temperature = moved.code
              FROM (
                SELECT l.id, level.code
                  FROM level JOIN crm_lead l ON l.id = level.id
                 WHERE l.lead_temperature IS DISTINCT FROM level.code
                   FOR NO KEY UPDATE OF l SKIP LOCKED
              ) moved
             WHERE l.id = moved.id
            """,
            company=company.id,
            lead_company=self.env["coverage.facts"]._query_lead_company(),
            condition=condition,
            words=self._query_words(company._get_coverage_midnight(day)),
            is_quoted=self._query_is_quoted(company),
        )

    def _query_words(self, since):
        """Select what leads and their customers said: recently, and first of all."""
        return SQL(
            """
            SELECT lead.id, t.is_two_way AND t.date >= %(since)s AS is_recent,
                   t.is_two_way AND t.direction = 'in' AND t.id = first_value(t.id)
                       OVER (PARTITION BY lead.id ORDER BY t.date, t.id) AS is_first
              FROM lead JOIN coverage_touch t ON t.lead_id = lead.id
             WHERE t.active
             UNION ALL
            SELECT lead.id, TRUE, FALSE
              FROM lead JOIN coverage_touch t ON t.customer_id = lead.customer_id
             WHERE t.active AND t.is_two_way AND t.date >= %(since)s
            """,
            since=since,
        )

    def _query_is_quoted(self, company):
        """Return whether ``lead`` has an open quotation, or its customer a free one."""
        return SQL(
            """EXISTS (
                SELECT FROM sale_order o
                 WHERE o.opportunity_id = lead.id AND o.state IN ('draft', 'sent'))
            OR EXISTS (
                SELECT FROM sale_order o JOIN res_partner q ON q.id = o.partner_id
                 WHERE q.commercial_partner_id = lead.partner_id
                   AND o.company_id = %s AND o.opportunity_id IS NULL
                   AND o.state IN ('draft', 'sent'))""",
            company.id,
        )
