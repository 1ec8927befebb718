from collections import defaultdict
from datetime import timedelta

from odoo import models
from odoo.tools import SQL

from ..core.meeting import SHARES, Person

WINDOW_DAYS = 90  # how people work now
YEAR_DAYS = 365  # who sells what, and who wakes whom: rarer
MONTH_DAYS = 30
ANSWER_DAYS = 30  # what took longer was no answer
WAKE_DAYS = 180  # a touch so long before may have woken a customer
WRITTEN = ("email", "message")
WARM = ("warm", "hot")


class CoverageMeetingFacts(models.AbstractModel):
    """What sellers sell to whom, achieve, and how they work: a statement for each.

    Of any number of people at once. Reads with all rights; what is told of it holds
    neither names nor money.
    """

    _name = "coverage.meeting.facts"
    _description = "Facts of a Group Meeting"

    # === WHO IS ALIKE === #

    def _get_profiles(self, users, company, similarity, now):
        """Return what each person sells, or to whom, as weights by key.

        :param str similarity: ``products`` or ``customers``
        """
        self._flush_read()
        query = {
            "products": self._query_products,
            "customers": self._query_customers,
        }[similarity]
        profiles = {user.id: {} for user in users}
        for user_id, key, weight in self.env.execute_query(query(users, company, now)):
            profiles[user_id][key] = float(weight)
        return profiles

    def _query_products(self, users, company, now):
        """Count the orders of each owner's customers by category of product."""
        return SQL(
            """
            SELECT c.user_id, template.categ_id, COUNT(DISTINCT o.id)
              FROM coverage_customer c
              JOIN res_partner p ON p.commercial_partner_id = c.partner_id
              JOIN sale_order o ON o.partner_id = p.id AND o.company_id = c.company_id
                               AND o.state = 'sale' AND o.date_order >= %(since)s
              JOIN sale_order_line line ON line.order_id = o.id
              JOIN product_product product ON product.id = line.product_id
              JOIN product_template template ON template.id = product.product_tmpl_id
             WHERE %(owned)s AND template.categ_id IS NOT NULL
             GROUP BY c.user_id, template.categ_id
            """,
            since=now - timedelta(days=YEAR_DAYS),
            owned=self._query_owned(users, company),
        )

    def _query_customers(self, users, company, now):
        """Count each owner's customers by industry, and by segment."""
        return SQL(
            """
            SELECT c.user_id, kind.key, COUNT(*)
              FROM coverage_customer c
              JOIN res_partner p ON p.id = c.partner_id
             CROSS JOIN LATERAL (VALUES ('industry-' || p.industry_id),
                                        ('segment-' || c.segment_id)) AS kind (key)
             WHERE %(owned)s AND kind.key IS NOT NULL
             GROUP BY c.user_id, kind.key
            """,
            owned=self._query_owned(users, company),
        )

    # === WHAT THEY ACHIEVE, AND HOW === #

    def _get_people(self, users, company, now):
        """Return outcomes and practices of each person, for ``core.meeting``.

        Outcomes: ``warm`` (share of A customers warm or hot), ``revive`` (sleeping
        customers woken ÷ worked). Practices: ``per_a`` (contacts by us per A and
        month), ``reaction`` (median hours to an answer), shares by channel.
        """
        self._flush_read()
        outcomes, practices = defaultdict(dict), defaultdict(dict)
        months = WINDOW_DAYS / MONTH_DAYS
        for user_id, count, rated, warm, touches in self.env.execute_query(
            self._query_attention(users, company, now)
        ):
            practices[user_id]["per_a"] = touches / count / months
            if rated:
                outcomes[user_id]["warm"] = warm / rated
        for user_id, worked, woken in self.env.execute_query(
            self._query_revived(users, company, now)
        ):
            outcomes[user_id]["revive"] = woken / worked
        for user_id, hours in self.env.execute_query(
            self._query_reactions(users, company, now)
        ):
            practices[user_id]["reaction"] = float(hours)
        for user_id, channel, share in self.env.execute_query(
            self._query_channels(users, company, now)
        ):
            practices[user_id][f"{SHARES}{channel}"] = float(share)
        for codes in practices.values():
            self._fill_channels(codes, practices)
        return [Person(one.id, outcomes[one.id], practices[one.id]) for one in users]

    def _fill_channels(self, codes, practices):
        """Say 0 of a channel that somebody who has contacts never uses."""
        if any(code.startswith(SHARES) for code in codes):
            for other in practices.values():
                for code in other:
                    if code.startswith(SHARES):
                        codes.setdefault(code, 0.0)

    def _query_attention(self, users, company, now):
        """Count each owner's A customers, the warm of them, and contacts by him."""
        return SQL(
            """
            SELECT c.user_id, COUNT(*), COUNT(c.temperature_id),
                   COUNT(*) FILTER (WHERE level.code IN %(warm)s),
                   SUM(made.count)::int
              FROM coverage_customer c
              JOIN coverage_segment s ON s.id = c.segment_id AND s.code = 'A'
              LEFT JOIN coverage_temperature level ON level.id = c.temperature_id
             CROSS JOIN LATERAL (
                   SELECT COUNT(*) FROM coverage_touch t
                    WHERE t.customer_id = c.id AND t.user_id = c.user_id AND t.active
                      AND t.direction = 'out'
                      AND t.date >= %(since)s AND t.date < %(now)s) AS made (count)
             WHERE %(owned)s
             GROUP BY c.user_id
            """,
            warm=WARM,
            owned=self._query_owned(users, company),
            since=now - timedelta(days=WINDOW_DAYS),
            now=now,
        )

    def _query_channels(self, users, company, now):
        """Return the share of each channel in the contacts somebody made."""
        return SQL(
            """
            SELECT t.user_id, t.channel,
                   COUNT(*) / SUM(COUNT(*)) OVER (PARTITION BY t.user_id)
              FROM coverage_touch t
             WHERE %(made)s AND t.direction = 'out'
             GROUP BY t.user_id, t.channel
            """,
            made=self._query_made(users, company, now),
        )

    def _query_reactions(self, users, company, now):
        """Return the median hours until we answered customers, and new opportunities.

        A call that was taken needs no answer; a missed one, and whatever was written,
        does. Counted for the owner, whoever answered.
        """
        return SQL(
            """
            SELECT asked.user_id, percentile_cont(0.5) WITHIN GROUP (
                   ORDER BY EXTRACT(EPOCH FROM answer.date - asked.date) / 3600)
              FROM (
                SELECT c.user_id, t.date, t.customer_id, NULL::int AS lead_id
                  FROM coverage_customer c
                  JOIN coverage_touch t ON t.customer_id = c.id AND t.active
                   AND t.direction = 'in' AND t.date >= %(since)s AND t.date < %(now)s
                   AND (t.channel IN %(written)s OR t.is_two_way IS NOT TRUE)
                 WHERE %(owned)s
                UNION ALL
                SELECT l.user_id, l.create_date, NULL, l.id
                  FROM crm_lead l
                 WHERE l.user_id IN %(users)s AND l.company_id = %(company)s
                   AND l.create_date >= %(since)s AND l.create_date < %(now)s) asked
             CROSS JOIN LATERAL (
                SELECT MIN(t.date) FROM coverage_touch t
                 WHERE (t.customer_id = asked.customer_id OR t.lead_id = asked.lead_id)
                   AND t.active AND t.direction = 'out'
                   AND t.date >= asked.date
                   AND t.date < asked.date + %(limit)s) AS answer (date)
             WHERE answer.date IS NOT NULL
             GROUP BY asked.user_id
            """,
            since=now - timedelta(days=WINDOW_DAYS),
            now=now,
            written=WRITTEN,
            owned=self._query_owned(users, company),
            users=users._ids,
            company=company.id,
            limit=timedelta(days=ANSWER_DAYS),
        )

    def _query_revived(self, users, company, now):
        """Count the sleeping customers that somebody worked on, and those that woke.

        Woke: at most half a year after a contact by that person.
        """
        return SQL(
            """
            SELECT worked.user_id, COUNT(DISTINCT worked.customer_id),
                   COUNT(DISTINCT worked.customer_id) FILTER (WHERE worked.is_woken)
              FROM (
                SELECT t.user_id, t.customer_id, TRUE AS is_woken
                  FROM coverage_change change
                  JOIN coverage_touch t ON t.customer_id = change.customer_id
                   AND t.active AND t.direction = 'out'
                   AND t.user_id IN %(users)s
                   AND t.date <= change.date
                   AND t.date > change.date - %(wake)s
                 WHERE change.company_id = %(company)s
                   AND change.field_name = 'lifecycle' AND change.state = 'applied'
                   AND change.old_value = 'sleeping'
                   AND change.date >= %(since)s AND change.date < %(now)s
                UNION ALL
                SELECT t.user_id, t.customer_id, FALSE
                  FROM coverage_touch t
                  JOIN coverage_customer c ON c.id = t.customer_id AND c.active
                   AND c.lifecycle = 'sleeping' AND t.date::date >= c.lifecycle_since
                 WHERE t.user_id IN %(users)s AND t.company_id = %(company)s
                   AND t.active AND t.direction = 'out'
                   AND t.date >= %(since)s AND t.date < %(now)s) worked
             GROUP BY worked.user_id
            """,
            users=users._ids,
            company=company.id,
            wake=timedelta(days=WAKE_DAYS),
            since=now - timedelta(days=YEAR_DAYS),
            now=now,
        )

    def _get_refusals(self, users, company, now):
        """Return ``[(lost reason or none, count)]`` of refusals met, the most first."""
        self._flush_read()
        rows = self.env.execute_query(self._query_refusals(users, company, now))
        reasons = self.env["crm.lost.reason"].with_context(active_test=False)
        return [(reasons.browse(id_ or ()), count) for id_, count in rows]

    def _query_refusals(self, users, company, now):
        """Count refused contacts by reason."""
        return SQL(
            """
            SELECT t.refusal_reason_id, COUNT(*)
              FROM coverage_touch t
              LEFT JOIN coverage_outcome o ON o.id = t.outcome_id
             WHERE %(made)s
               AND (t.refusal_reason_id IS NOT NULL OR o.is_refusal)
             GROUP BY t.refusal_reason_id
             ORDER BY COUNT(*) DESC, t.refusal_reason_id
            """,
            made=self._query_made(users, company, now),
        )

    def _query_owned(self, users, company):
        """Return the condition on customers ``c`` that these people own."""
        return SQL(
            "(c.active AND c.company_id = %s AND c.user_id IN %s)",
            company.id,
            users._ids,
        )

    def _query_made(self, users, company, now):
        """Return the condition on contacts ``t`` that these people made lately."""
        return SQL(
            """(t.active AND t.company_id = %s AND t.user_id IN %s
                AND t.date >= %s AND t.date < %s)""",
            company.id,
            users._ids,
            now - timedelta(days=WINDOW_DAYS),
            now,
        )

    def _flush_read(self):
        """Let what is read by SQL be in the database."""
        for name in (
            "coverage.change",
            "coverage.customer",
            "coverage.touch",
            "crm.lead",
            "res.partner",
            "sale.order",
        ):
            self.env[name].flush_model()
