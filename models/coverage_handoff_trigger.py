from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL, format_date

from ..core.handoff import Occasion, decide_begin, fitting
from ..core.records import NEW, REGULAR, SLEEPING
from .coverage_role import RANKS, SENIORITIES

RECENT_DAYS = timedelta(days=30)
BOUGHT = (NEW, REGULAR, SLEEPING)
READ = (
    "coverage.customer",
    "coverage.handoff",
    "coverage.rule",
    "crm.lead",
    "crm.lost.reason",
    "crm.stage",
    "crm.team.member",
    "res.partner",
    "res.users",
)


@dataclass(frozen=True, slots=True)
class Found:
    """What a policy found: the occasion, and what a handoff of it says."""

    occasion: Occasion
    policy: models.BaseModel
    customer_id: int | None
    lead_id: int | None
    seniority: str
    detail: str | None


class CoverageHandoffTrigger(models.AbstractModel):
    """Finds what should change hands by the policies, set-based, writing nothing.

    An occasion counts once: what a policy began since then, however it ended, and what
    people handed over since, is not begun again. While nobody in a team has a role,
    nothing of that team is proposed.
    """

    _name = "coverage.handoff.trigger"
    _description = "Triggers of Handoffs"

    def _find_fitting(self, company, now):
        """Return what should change hands: the first policy that fits each wins."""
        held = self._get_held(company)
        if not held:
            return []
        for name in READ:
            self.env[name].flush_model()
        found = []
        for policy in self._get_policies(company):
            rows = self.env.execute_query(self._query_policy(policy, company, now))
            rows = self._add_roles(policy, rows)
            found += [self._prepare_found(policy, row, held) for row in rows]
        by_occasion = {id(one.occasion): one for one in found}
        fit = fitting(one.occasion for one in found)
        return [by_occasion[id(occasion)] for occasion in fit]

    def _get_policies(self, company):
        """Return the policies of a company in their order."""
        policies = self.env["coverage.handoff.policy"].sudo()
        return policies.search([("company_id", "in", (False, company.id))])

    def _get_held(self, company):
        """Return ``{user id: {role id: seniority as a number}}``."""
        members = self.env["crm.team.member"].sudo()
        domain = [
            ("crm_team_id.company_id", "in", (False, company.id)),
            ("coverage_role_ids", "!=", False),
        ]
        held = defaultdict(dict)
        for member in members.search(domain):
            for role in member.coverage_role_ids:
                roles, rank = held[member.user_id.id], RANKS[member.coverage_seniority]
                roles[role.id] = max(rank, roles.get(role.id, 0))
        return dict(held)

    def _add_roles(self, policy, rows):
        """Return these rows with the role that the rules name, where none is known."""
        nameless = [row[1] for row in rows if policy.trigger == "stage" and not row[3]]
        if not nameless:
            return rows
        leads = self.env["crm.lead"].sudo().browse(nameless)
        rules = self.env["coverage.cover"].sudo()._cover_leads(leads)
        return [
            row
            if row[3] or not (rule := rules.get(row[1]))
            else (*row[:3], rule.role_id.id or None, rule.min_seniority, *row[5:])
            for row in rows
        ]

    def _prepare_found(self, policy, row, held):
        """Return one row as an occasion to decide on."""
        customer_id, lead_id, giver_id, role_id, seniority, is_protected, detail = row
        if policy.trigger == "lost":
            roles = self._get_nurturing_ids()
            mine = roles & held.get(giver_id, {}).keys()
            role_id, seniority = min(mine or roles, default=None), None
        role_id = policy.role_id.id or role_id
        seniority = policy.min_seniority or seniority or SENIORITIES[0][0]
        rank = 0 if policy.trigger == "stage" else RANKS[seniority]
        occasion = Occasion(
            ("customer", customer_id) if customer_id else ("lead", lead_id),
            policy.id,
            giver_id,
            role_id,
            rank,
            held.get(giver_id, {}).get(role_id),
            is_protected,
        )
        return Found(occasion, policy, customer_id, lead_id, seniority, detail)

    @api.model
    def _get_nurturing_ids(self):
        """Return the ids of the roles that nurture."""
        roles = self.env["coverage.role"].sudo()
        return set(roles.search([("is_nurturing", "=", True)])._ids)

    # === WHO COULD TAKE IT, AND WHAT BEGINS === #

    def _decide(self, company, now):
        """Return ``[(found, candidates, code)]``: what begins, what waits and why."""
        found = self._find_fitting(company, now)
        candidates = self._find_candidates(company, found, now)
        policies = self._get_policies(company)
        codes = decide_begin(
            [one.occasion for one in found],
            candidates,
            self._count_begun(company, now),
            {policy.id: policy.max_per_giver for policy in policies},
        )
        return [
            (one, candidates.get(one.occasion.subject, []), code)
            for one, code in zip(found, codes, strict=True)
        ]

    def _find_candidates(self, company, found, now):
        """Return ``{subject: candidates, best first}``, each by its role."""
        groups, candidates = defaultdict(list), {}
        for one in found:
            if not one.occasion.is_protected:
                kind, id_ = one.occasion.subject
                groups[kind, one.occasion.role, one.seniority].append(id_)
        for (kind, role_id, seniority), ids in groups.items():
            model = "coverage.customer" if kind == "customer" else "crm.lead"
            proposals = self.env["coverage.candidate"]._propose(
                company,
                self.env[model].sudo().browse(ids),
                self.env["coverage.role"].sudo().browse(role_id),
                seniority,
                now,
            )
            candidates.update({(kind, id_): proposals.get(id_, []) for id_ in ids})
        return candidates

    def _count_begun(self, company, now):
        """Return how many handoffs policies began today, by giver."""
        today = company._get_coverage_today(now)
        groups = (
            self.env["coverage.handoff"]
            .sudo()
            ._read_group(
                [
                    ("company_id", "=", company.id),
                    ("policy_id", "!=", False),
                    ("previous_id", "=", False),
                    ("begin_date", ">=", company._get_coverage_midnight(today)),
                ],
                ["from_user_id"],
                ["__count"],
            )
        )
        return Counter({user.id: count for user, count in groups})

    def _tell_reason(self, one, now):
        """Return in words why a policy begins this."""
        if one.policy.trigger != "lost":
            return one.policy.name
        today = self.env.company._get_coverage_today(now)
        day = fields.Date.add(today, days=one.policy.retry_days)
        _ = self.env._
        return _(
            "Lost: %(reason)s. Try again on %(date)s.",
            reason=one.detail or _("no reason given"),
            date=format_date(self.env, day),
        )

    # === WHAT POLICIES ASK === #

    def _query_policy(self, policy, company, now):
        """Select what a policy asks of facts: set-based, for the whole base.

        :return: customer_id, lead_id, giver_id, role_id, min_seniority, is_protected,
            detail
        """
        if policy.trigger == "stage":
            return self._query_stages(policy, company, now)
        if policy.trigger == "lost":
            return self._query_lost(policy, company, now)
        facts = {
            "lifecycle": SQL("c.lifecycle = %s", policy.lifecycle),
            "orders": SQL("c.awake_order_day_count >= %s", policy.order_count),
            "amount": SQL("c.revenue_12m >= %s", self._convert(policy, company, now)),
        }[policy.trigger]
        day = "lifecycle_since" if policy.trigger == "lifecycle" else "owned_since"
        since = self._query_moment(company, SQL.identifier("c", day))
        return SQL(
            """
            SELECT c.id, NULL::int, c.user_id, c.role_id, r.min_seniority,
                   %(is_protected)s, NULL
              FROM coverage_customer c
              JOIN res_users u ON u.id = c.user_id AND u.active
              LEFT JOIN coverage_rule r ON r.id = c.rule_id
             WHERE c.company_id = %(company)s AND c.active AND %(facts)s
               AND %(team)s AND NOT %(is_begun)s
             ORDER BY c.potential DESC NULLS LAST, c.id
            """,
            company=company.id,
            facts=facts,
            is_protected=self._query_protected(company, now),
            team=self._query_team(policy, SQL("c.team_id")),
            is_begun=self._query_begun(policy, SQL("h.customer_id = c.id"), since),
        )

    def _query_stages(self, policy, company, now):
        """Select open leads in a stage that a role works, or that came to it lately.

        Of a customer that bought its owner keeps his own, and the rules name the role
        of the others; the stage names that of prospects.
        """
        return SQL(
            """
            SELECT NULL::int, l.id, l.user_id, %(role)s, NULL,
                   %(is_protected)s, NULL
              FROM crm_lead l
              JOIN crm_stage s ON s.id = l.stage_id
              JOIN res_users u ON u.id = l.user_id AND u.active
              LEFT JOIN res_partner p ON p.id = l.partner_id
              LEFT JOIN coverage_customer c ON c.company_id = %(company)s
                   AND c.partner_id = p.commercial_partner_id
             WHERE l.active AND l.won_status = 'pending' AND s.is_won IS NOT TRUE
               AND COALESCE(l.company_id, p.company_id, u.company_id) = %(company)s
               AND (c.lifecycle IN %(bought)s AND c.user_id = l.user_id) IS NOT TRUE
               AND (%(role)s IS NOT NULL
                    OR l.date_last_stage_update >= %(recent)s)
               AND %(team)s AND NOT %(is_begun)s
             ORDER BY l.expected_revenue DESC NULLS LAST, l.id
            """,
            company=company.id,
            recent=now - RECENT_DAYS,
            bought=BOUGHT,
            role=SQL(
                "CASE WHEN c.lifecycle IN %s THEN NULL ELSE s.coverage_role_id END",
                BOUGHT,
            ),
            is_protected=self._query_protected(company, now),
            team=self._query_team(policy, SQL("COALESCE(l.team_id, u.sale_team_id)")),
            is_begun=self._query_begun(
                policy, SQL("h.lead_id = l.id"), SQL("l.date_last_stage_update")
            ),
        )

    def _query_lost(self, policy, company, now):
        """Select prospects whose owner lost their last opportunity lately."""
        return SQL(
            """
            SELECT * FROM (
                SELECT DISTINCT ON (c.id) c.id, NULL::int, c.user_id, NULL::int,
                       NULL::varchar, c.protected_until >= %(today)s IS TRUE,
                       COALESCE(reason.name ->> %(lang)s, reason.name ->> 'en_US')
                  FROM crm_lead l
                  JOIN res_partner p ON p.id = l.partner_id
                  JOIN coverage_customer c ON c.partner_id = p.commercial_partner_id
                   AND c.company_id = %(company)s AND c.user_id = l.user_id
                  JOIN res_users u ON u.id = c.user_id AND u.active
                  LEFT JOIN crm_lost_reason reason ON reason.id = l.lost_reason_id
                 WHERE l.won_status = 'lost' AND l.date_closed >= %(recent)s
                   AND COALESCE(l.company_id, c.company_id) = c.company_id
                   AND c.active AND c.lifecycle = 'prospect' AND %(team)s
                   AND NOT EXISTS (
                       SELECT 1 FROM crm_lead other
                         JOIN res_partner op ON op.id = other.partner_id
                        WHERE op.commercial_partner_id = c.partner_id AND other.active
                          AND other.won_status = 'pending')
                   AND NOT %(is_begun)s
                 ORDER BY c.id, l.date_closed DESC, l.id DESC) lost
             ORDER BY 1
            """,
            company=company.id,
            lang=self.env.lang or "en_US",
            today=company._get_coverage_today(now),
            recent=now - RECENT_DAYS,
            team=self._query_team(policy, SQL("c.team_id")),
            is_begun=self._query_begun(
                policy, SQL("h.customer_id = c.id"), SQL("l.date_closed")
            ),
        )

    def _query_moment(self, company, day):
        """Return the moment at which a day of the company began, in UTC."""
        zone = company._get_coverage_tz()
        return SQL("(%s::timestamp AT TIME ZONE %s AT TIME ZONE 'UTC')", day, zone)

    def _query_protected(self, company, now):
        """Return whether customer ``c`` is protected, or left alone."""
        today = company._get_coverage_today(now)
        return SQL(
            """(COALESCE(c.protected_until, '-infinity') >= %(today)s
                OR COALESCE(c.leave_alone_until, '-infinity') >= %(today)s)""",
            today=today,
        )

    def _query_team(self, policy, team):
        """Return whether a policy is for this team, and the team works by roles."""
        only = SQL("TRUE")
        if policy.team_ids:
            only = SQL("%s IN %s", team, policy.team_ids._ids)
        return SQL(
            """(%s AND (%s IS NULL OR EXISTS (
                SELECT 1 FROM crm_team_member m
                  JOIN coverage_role_member_rel rel ON rel.member_id = m.id
                 WHERE m.crm_team_id = %s AND m.active)))""",
            only,
            team,
            team,
        )

    def _query_begun(self, policy, condition, since):
        """Return whether it changes hands now, or did since the occasion."""
        return SQL(
            """EXISTS (
                SELECT 1 FROM coverage_handoff h
                 WHERE %s AND (h.state IN ('draft', 'offered') OR (
                       h.begin_date >= COALESCE(%s, '-infinity') AND (
                       h.policy_id = %s OR h.accepted_date IS NOT NULL))))""",
            condition,
            since,
            policy.id,
        )

    def _convert(self, policy, company, now):
        """Return the amount of a policy in the company's currency of today."""
        today = company._get_coverage_today(now)
        currency = policy.currency_id or company.currency_id
        return currency._convert(policy.amount, company.currency_id, company, today)
