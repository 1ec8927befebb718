from collections import defaultdict
from dataclasses import replace
from datetime import timedelta

from odoo import models
from odoo.tools import SQL

from ..core.assign import Limits, Subject
from .coverage_handed import OPEN, RUNNING

BUDGET_DAYS = timedelta(days=30)
READ_BY_QUERIES = (
    "coverage.claim",
    "coverage.customer",
    "coverage.handoff",
    "crm.lead",
    "res.partner",
)
SHIELDED = (*OPEN, *RUNNING)


class CoverageAssignmentFacts(models.AbstractModel):
    """Collects who needs another owner, who could take it, and how much may move."""

    _name = "coverage.assignment.facts"
    _description = "Facts of an Assignment"

    # === WHO NEEDS AN OWNER === #

    def _collect(self, run, now, customers=None):
        """Return the customers that need another owner: one dict each, and the cause.

        :param customers: only of these; ``None``: of the whole base
        :return: columns of :meth:`_query_subjects`, and ``group``: the role and the
            seniority of those who may take it
        """
        for name in READ_BY_QUERIES:
            self.env[name].flush_model()
        query = self._query_subjects(run, now, customers)
        has_roles = self.env["coverage.candidate"]._has_roles(run.company_id)
        return [
            {
                **row,
                "group": (row["role_id"] or 0, row["min_seniority"] or "")
                if has_roles
                else (0, ""),
            }
            for row in self.env.execute_query_dict(query)
        ]

    def _query_subjects(self, run, now, customers=None):
        """Select who needs an owner, why, and who leaves open leads along."""
        today = run.company_id._get_coverage_today(now)
        only = SQL("")
        if customers is not None:
            only = SQL("AND c.id IN %s", tuple(customers.ids) or (0,))
        return SQL(
            """
            SELECT * FROM (
                SELECT c.id, c.user_id, c.role_id, r.min_seniority, c.partner_id,
                       COALESCE(c.potential, 0)::float8 AS potential,
                       COALESCE(c.revenue_12m, 0)::float8 AS revenue_12m,
                       %(today)s - c.last_contact_date AS silent_days,
                       %(cause)s AS cause, %(lead_count)s AS lead_count
                  FROM coverage_customer c
                  LEFT JOIN coverage_rule r ON r.id = c.rule_id
                 WHERE c.active AND c.company_id = %(company)s AND %(free)s %(only)s
            ) subject WHERE cause IS NOT NULL ORDER BY id
            """,
            today=SQL("%s::date", today),
            cause=self._query_cause(run),
            lead_count=self._query_lead_count(),
            company=run.company_id.id,
            free=self._query_free(run, today, now),
            only=only,
        )

    def _query_cause(self, run):
        """Return why a customer ``c`` needs another owner, or NULL."""
        if run.giver_ids:
            return SQL(
                "CASE WHEN c.user_id IN %s THEN 'given' END", tuple(run.giver_ids.ids)
            )
        cases = []
        if run.has_idle:
            cases.append(SQL("WHEN c.idle_since IS NOT NULL THEN 'idle'"))
        if run.has_unowned:
            cases.append(SQL("WHEN c.user_id IS NULL THEN 'unowned'"))
        if run.has_miscovered:
            wrong = self.env["coverage.customer"]._query_miscovered(SQL(""))
            cases.append(SQL("WHEN c.id IN %s THEN 'miscovered'", wrong))
        if not cases:
            return SQL("NULL::varchar")
        return SQL("CASE %s END", SQL(" ").join(cases))

    def _query_lead_count(self):
        """Return how many open leads of its owner follow a customer ``c``."""
        return SQL(
            """(SELECT COUNT(*) FROM crm_lead l
                  JOIN res_partner p ON p.id = l.partner_id
                 WHERE p.commercial_partner_id = c.partner_id AND l.active
                   AND l.won_status = 'pending' AND l.user_id = c.user_id
                   AND COALESCE(l.company_id, c.company_id) = c.company_id)"""
        )

    def _query_free(self, run, today, now):
        """Return whether nothing keeps a customer ``c`` where it is.

        A person who leaves keeps nobody; else rights, pauses and handoffs do, and an
        offer from the pool that somebody is thinking about.
        """
        if run.giver_ids:
            return SQL("TRUE")
        return SQL(
            """(c.protected_until IS NULL OR c.protected_until < %(today)s)
               AND (c.leave_alone_until IS NULL OR c.leave_alone_until < %(today)s)
               AND NOT EXISTS (
                   SELECT 1 FROM coverage_handoff h
                    WHERE h.customer_id = c.id AND h.state IN %(shielded)s)
               AND NOT EXISTS (
                   SELECT 1 FROM coverage_claim o
                    WHERE o.customer_id = c.id AND o.state = 'offered'
                      AND o.until_date > %(now)s)""",
            today=today,
            now=now,
            shielded=SHIELDED,
        )

    # === WHO COULD TAKE IT === #

    def _collect_matches(self, run, rows, now):
        """Return by role and seniority who could take what: ``coverage.candidate``."""
        groups = defaultdict(list)
        for row in rows:
            groups[row["group"]].append(row)
        candidates, matches = self.env["coverage.candidate"], {}
        for group, members in groups.items():
            role = self.env["coverage.role"].browse(group[0] or ())
            ids = [row["id"] for row in members]
            customers = self.env["coverage.customer"].browse(ids)
            match = candidates._collect_match(
                run.company_id, customers, role, group[1], now
            )
            match.candidates = self._filter_receivers(run, match.candidates)
            match.needs = {
                row["id"]: replace(match.needs[row["id"]], lead_count=row["lead_count"])
                for row in members
            }
            matches[group] = match
        return matches

    def _filter_receivers(self, run, candidates):
        """Return the people who may receive in this run: never who leaves."""
        allowed, leaving = set(run.receiver_ids.ids), set(run.giver_ids.ids)
        return {
            key: one
            for key, one in candidates.items()
            if key not in leaving and (not allowed or key in allowed)
        }

    def _prepare_subjects(self, run, rows, matches, forced):
        """Return the customers as core values; at stake is what is not earned yet."""
        subjects = []
        for group, match in matches.items():
            for key, need in match.needs.items():
                row = rows[key]
                missing = max(0.0, row["potential"] - row["revenue_12m"])
                is_owned = row["user_id"] and not run.giver_ids
                subjects.append(
                    Subject(
                        need,
                        group,
                        value=missing,
                        revenue=row["revenue_12m"] if is_owned else 0.0,
                        forced=forced.get(key),
                    )
                )
        return sorted(subjects, key=lambda one: one.key)

    # === HOW MUCH === #

    def _get_limits(self, run, now):
        """Return how much a run may move; of somebody who leaves, everything."""
        if run.giver_ids:
            return Limits()
        company = run.company_id
        earned = dict(self.env.execute_query(self._query_earned(company)))
        spent = dict(self.env.execute_query(self._query_spent(company, now)))
        rate = company.coverage_assign_revenue_rate
        giver_rate = company.coverage_assign_giver_revenue_rate
        return Limits(
            moves=company.coverage_assign_moves or None,
            giver_moves=company.coverage_assign_giver_moves or None,
            revenue=rate * sum(earned.values()) if rate else None,
            giver_revenue={key: giver_rate * amount for key, amount in earned.items()}
            if giver_rate
            else None,
            spent=spent,
        )

    def _query_earned(self, company):
        """Select the revenue of 12 months by owner."""
        return SQL(
            """SELECT user_id, SUM(revenue_12m)::float8 FROM coverage_customer
                WHERE active AND company_id = %s GROUP BY user_id""",
            company.id,
        )

    def _query_spent(self, company, now):
        """Select the revenue that plans have moved in these 30 days, by giver."""
        return SQL(
            """
            SELECT h.old_value::int, SUM(h.revenue_12m)::float8
              FROM coverage_change h JOIN coverage_run r ON r.id = h.run_id
             WHERE r.company_id = %s AND r.kind = 'assignment' AND h.state = 'applied'
               AND h.model = 'coverage.customer' AND h.field_name = 'user_id'
               AND h.old_value IS NOT NULL AND h.date > %s
               AND NOT EXISTS (SELECT 1 FROM coverage_run_giver_rel g
                                WHERE g.run_id = r.id)
             GROUP BY 1
            """,
            company.id,
            now - BUDGET_DAYS,
        )
