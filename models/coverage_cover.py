import hashlib
import json
from collections import defaultdict
from dataclasses import astuple, dataclass, replace
from typing import Any

from odoo import api, fields, models
from odoo.tools import SQL

from ..core.cover import ANY, Case, CoverRule, cover
from ..core.records import PROSPECT
from .coverage_hold import LIST_BATCH

BATCH = 10_000
LINE_DAYS = 730
ROLE_FIELDS = ("role_id", "rule_id", "is_miscovered")
READ = (
    "active",
    "lifecycle",
    "segment_id",
    "temperature_id",
    "revenue_12m",
    "revenue_best_12m",
    "team_id",
    "role_id",
    "rule_id",
)


@dataclass(frozen=True, slots=True)
class Covered:
    """What the rules say of one customer, and what is stored."""

    customer_id: int
    case: Case
    rule: CoverRule | None
    stored: tuple[Any, Any]

    @property
    def decided(self):
        """Role and rule, as ids or None."""
        return (self.rule.role, self.rule.key) if self.rule else (None, None)


class CoverageCover(models.AbstractModel):
    """Decides which role covers a customer or lead, by the rules of who covers whom.

    A refresh asks for the customers it touched. When rules change, the whole base is
    gone over once: small ones with the change, others by the refresh job, in batches.
    """

    _name = "coverage.cover"
    _inherit = ["coverage.hold"]
    _description = "Who Covers Whom"

    # === ENTRANCES === #

    @api.model
    def _cover_customers(self, customers):
        """Write role and rule of these customers, only where they differ.

        The context's ``coverage_log`` says where the change comes from, as for any
        other decision. Archived customers keep theirs.

        :return: ids of customers whose write was refused
        """
        differing = [
            one
            for one in self._decide_customers(customers)
            if one.decided != one.stored
        ]
        return self._apply_covered(customers, differing)

    @api.model
    def _cover_company(self, company, now, commit=None, origin="job"):
        """Go over a company's whole base, unless these rules were applied to it.

        :param commit: called after each batch with the numbers done and remaining,
            returns whether to go on; without it all happens in one transaction
        :return: whether it came to the end
        """
        company, token = company.sudo(), self._get_token()
        progress = self._get_progress(company, token)
        log = {"origin": origin, "date": now}
        while not progress.get("is_done"):
            progress = self._retry(
                lambda done=progress: self._cover_batch(company, done, log), commit
            )
            if progress is None:
                return False
            company.coverage_cover_progress = progress
            if commit and not commit(0, 1):
                return bool(progress.get("is_done"))
        return True

    @api.model
    def _is_stale(self, company):
        """Return whether the rules changed since the company was gone over."""
        return not self._get_progress(company, self._get_token()).get("is_done")

    @api.model
    def _cover_leads(self, leads):
        """Return ``{lead id: coverage.rule}``: the rule that holds for each lead.

        A lead is judged by its stage and amount, and by what its customer is in the
        lead's company; without a customer it is a prospect.
        """
        rules = self.env["coverage.rule"].sudo()
        leads, found = leads.sudo(), {}
        lines = self._get_lead_lines(leads)
        for company, group in leads.grouped(
            lambda lead: lead._get_coverage_company(self.env.company)
        ).items():
            stored = self._get_rules(company)
            customers = self._get_customers_of(company, group)
            for lead in group:
                customer = customers.get(lead.partner_id.commercial_partner_id.id)
                case = self._prepare_lead_case(lead, customer, lines)
                rule = cover(stored, case)
                found[lead.id] = rules.browse(rule.key if rule else ())
        return found

    @api.model
    def _cover_newcomers(self, company, now):
        """Name a role for those that have no rule yet: rows made while people sell.

        Making them costs the seller no more than an INSERT; the night does the rest.
        """
        customers = self.env["coverage.customer"].sudo()
        newcomers = customers.search(
            [("company_id", "=", company.id), ("rule_id", "=", False)]
        )
        log = {"origin": "job", "date": now}
        log["firsts"] = {key: {"lifecycle"} for key in newcomers.ids}
        for start in range(0, len(newcomers), BATCH):
            batch = self._lock(newcomers[start : start + BATCH])
            self._cover_customers(batch.with_context(coverage_log=log))

    @api.model
    def _explain_customer(self, customer):
        """Return ``coverage.rule`` and ``coverage.role`` of this moment."""
        rule = next((one.rule for one in self._decide_customers(customer)), None)
        return (
            self.env["coverage.rule"].browse(rule.key if rule else ()),
            self.env["coverage.role"].browse(rule.role if rule else ()),
        )

    # === RULES THAT CHANGE === #

    @api.model
    def _queue_rules(self):
        """Note that rules changed: customers follow once, before the commit."""
        precommit = self.env.cr.precommit
        if not precommit.data.get("coverage_rules"):
            precommit.data["coverage_rules"] = True
            precommit.add(self._flush_rules)

    @api.model
    def _flush_rules(self):
        """Let small bases follow changed rules at once, and leave others to the job."""
        if not self.env.cr.precommit.data.pop("coverage_rules", False):
            return
        now, customers = fields.Datetime.now(), self.env["coverage.customer"].sudo()
        for company in self.env["res.company"].sudo().search([]):
            domain = [("company_id", "=", company.id)]
            if customers.search_count(domain, limit=LIST_BATCH) < LIST_BATCH:
                self.sudo()._cover_company(company, now, origin="hand")
            else:
                self._wake_job()

    @api.model
    def _get_rules(self, company=None):
        """Return the rules in use in their order; amounts in the company's currency."""
        rules = self.env["coverage.rule"]._get_stored_rules()
        if company is None or not any(rule.min_amount for rule in rules):
            return rules
        return tuple(self._convert_amount(rule, company) for rule in rules)

    def _convert_amount(self, rule, company):
        """Return a rule with its amount in the company's currency of today."""
        currency = self.env["coverage.rule"].sudo().browse(rule.key).currency_id
        if not rule.min_amount or not currency or currency == company.currency_id:
            return rule
        amount = currency._convert(
            rule.min_amount, company.currency_id, company, round=False
        )
        return replace(rule, min_amount=amount)

    @api.model
    def _get_token(self):
        """Return a short hash of the rules in use and their order."""
        values = [
            [
                sorted(map(str, value)) if isinstance(value, frozenset) else value
                for value in astuple(rule)
            ]
            for rule in self._get_rules()
        ]
        return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:16]

    def _get_progress(self, company, token):
        """Return how far these rules have come in a company."""
        progress = company.sudo().coverage_cover_progress or {}
        return progress if progress.get("rules") == token else {"rules": token}

    # === WHOLE BASE === #

    def _cover_batch(self, company, progress, log):
        """Go over the next batch; return the new progress.

        Who is held by others is gone over once more, by the job.
        """
        customers = self.env["coverage.customer"].sudo()
        last_id = progress.get("last_id", 0)
        ids = self.env.execute_query(self._query_batch(company, last_id))
        customers = customers.with_context(coverage_log=log).browse(
            [row[0] for row in ids]
        )
        differing = [
            one
            for one in self._decide_customers(customers)
            if one.decided != one.stored
        ]
        wanted = customers.browse([one.customer_id for one in differing])
        locked = set(self._lock(wanted).ids)
        self._apply_covered(
            customers, [one for one in differing if one.customer_id in locked]
        )
        is_held = progress.get("is_held") or len(locked) < len(wanted)
        if len(customers) == BATCH:
            return {**progress, "last_id": customers[-1].id, "is_held": is_held}
        if is_held:
            self._wake_job()
            return {"rules": None, "is_done": True}
        return {"rules": progress["rules"], "is_done": True}

    def _query_batch(self, company, last_id):
        self.env["coverage.customer"].flush_model(["active", "company_id"])
        return SQL(
            """SELECT id FROM coverage_customer
                WHERE company_id = %s AND active AND id > %s ORDER BY id LIMIT %s""",
            company.id,
            last_id,
            BATCH,
        )

    # === DECISION === #

    def _decide_newborn(self, outcomes, decided):
        """Return role and rule by customer id of what is about to be written.

        :param decided: segment, computed segment, temperature, lifecycle by id
        """
        known = {}
        for one in outcomes:
            segment, _computed, level, lifecycle = decided[one.customer_id]
            best = one.facts.revenue_best_12m
            rate = one.facts.revenue_12m / best if best > 0 else None
            known[one.customer_id] = (lifecycle, segment, level, rate)
        customers = self.env["coverage.customer"].sudo().browse(known)
        return {
            one.customer_id: one.decided
            for one in self._decide_customers(customers, known)
        }

    def _decide_customers(self, customers, decided=None):
        """Return what the rules say of these customers, by few statements.

        :param decided: lifecycle, segment, temperature and revenue against the best
            year by id, where they are not written yet
        """
        if not customers:
            return []
        rules = self._get_rules()
        has_lines = any(rule.lines for rule in rules)
        has_teams = any(rule.teams for rule in rules)
        limits = {rule.max_rate for rule in rules if rule.max_rate}
        customers.flush_recordset(READ)
        covered, known = [], {}
        for key, *traits, team, role, rule, paths in self.env.execute_query(
            self._query_customers(customers.ids, has_lines)
        ):
            lifecycle, segment, level, rate = (decided or {}).get(key, traits)
            case = Case(
                lifecycle or PROSPECT,
                segment,
                level,
                rate,
                lines=self._get_lines(paths),
                team=team if has_teams else None,
            )
            alike = (
                lifecycle,
                segment,
                level,
                team,
                tuple(paths or ()),
                tuple(rate is not None and rate <= limit for limit in limits),
            )
            if alike not in known:  # thousands are alike to the rules
                known[alike] = cover(rules, case)
            covered.append(Covered(key, case, known[alike], (role, rule)))
        return covered

    def _query_customers(self, ids, has_lines):
        """Select what the rules ask of customers, and their role and rule."""
        lines = self._query_customer_lines() if has_lines else SQL("NULL")
        return SQL(
            """
            SELECT c.id, c.lifecycle, c.segment_id, c.temperature_id,
                   CASE WHEN c.revenue_best_12m > 0
                        THEN (c.revenue_12m / c.revenue_best_12m)::float8 END,
                   c.team_id, c.role_id, c.rule_id, %s
              FROM coverage_customer c
             WHERE c.id IN %s AND c.active
             ORDER BY c.id
            """,
            lines,
            tuple(ids),
        )

    def _query_customer_lines(self):
        """Return the paths of categories that customer ``c`` bought or was quoted."""
        for name in ("sale.order", "sale.order.line", "product.category"):
            self.env[name].flush_model()
        return SQL(
            """ARRAY(
                SELECT DISTINCT g.parent_path
                  FROM sale_order o
                  JOIN res_partner p ON p.id = o.partner_id
                  JOIN sale_order_line l ON l.order_id = o.id
                  JOIN product_product v ON v.id = l.product_id
                  JOIN product_template t ON t.id = v.product_tmpl_id
                  JOIN product_category g ON g.id = t.categ_id
                 WHERE p.commercial_partner_id = c.partner_id
                   AND o.company_id = c.company_id AND o.state <> 'cancel'
                   AND o.date_order >= %s)""",
            fields.Datetime.subtract(fields.Datetime.now(), days=LINE_DAYS),
        )

    def _get_lines(self, paths):
        """Return the ids of categories and of the wider ones, from their paths."""
        if not paths:
            return ANY
        return frozenset(int(one) for path in paths for one in path.split("/") if one)

    # === LEADS === #

    def _prepare_lead_case(self, lead, customer, lines):
        """Return a lead as the rules see it."""
        best = customer.revenue_best_12m if customer else 0.0
        return Case(
            (customer and customer.lifecycle) or PROSPECT,
            (customer and customer.segment_id.id) or lead.segment_id.id or None,
            (customer and customer.temperature_id.id) or None,
            customer.revenue_12m / best if best > 0 else None,
            lead.stage_id.id or None,
            lead.expected_revenue or 0.0,
            lines.get(lead._origin.id, ANY),
            lead.team_id.id or None,
        )

    def _get_customers_of(self, company, leads):
        """Return the customers of leads in a company by commercial partner id."""
        partners = leads.partner_id.commercial_partner_id
        if not partners:
            return {}
        customers = self.env["coverage.customer"].sudo()
        found = customers.with_context(coverage_no_flush=True).search_fetch(
            [("partner_id", "in", partners.ids), ("company_id", "=", company.id)],
            ["partner_id", *READ],
        )
        return {customer.partner_id.id: customer for customer in found}

    def _get_lead_lines(self, leads):
        """Return the categories quoted by lead id; nothing while no rule asks."""
        if not leads.ids or not any(rule.lines for rule in self._get_rules()):
            return {}
        rows = (
            self.env["sale.order.line"]
            .sudo()
            ._read_group(
                [
                    ("order_id.opportunity_id", "in", leads.ids),
                    ("order_id.state", "!=", "cancel"),
                ],
                ["order_id.opportunity_id", "product_id.categ_id"],
            )
        )
        paths = defaultdict(list)
        for lead, category in rows:
            if category:
                paths[lead.id].append(category.parent_path)
        return {key: self._get_lines(values) for key, values in paths.items()}

    # === APPLICATION === #

    def _apply_covered(self, customers, differing):
        """Write role and rule, one write an outcome; return the ids refused."""
        moved = self._write_first_roles(differing)
        if not moved:
            return set()
        log = self._prepare_log(customers, moved)
        groups = defaultdict(list)
        for one in moved:
            groups[one.decided].append(one.customer_id)
        rows = self.env["coverage.customer"].sudo().with_context(coverage_log=log)
        refresh, refused = self.env["coverage.refresh"], set()
        for (role_id, rule_id), ids in groups.items():
            vals = {"role_id": role_id or False, "rule_id": rule_id or False}
            refused |= refresh._write_group(rows.browse(ids), vals)
        return refused

    def _write_first_roles(self, differing):
        """Write first roles by SQL, thousands at once; return what is left to write.

        A first role is no news and not in the history; through the ORM it took a third
        of the first night. An automation rule on customers sees them nevertheless.
        """
        if self.env["coverage.customer"]._is_automated():
            return differing
        firsts = [one for one in differing if one.stored == (None, None)]
        if firsts:
            self.env.cr.execute_values(
                """UPDATE coverage_customer c
                      SET role_id = v.role_id, rule_id = v.rule_id
                     FROM (VALUES %s) AS v (id, role_id, rule_id) WHERE c.id = v.id""",
                [(one.customer_id, *one.decided) for one in firsts],
                "(%s, %s::int4, %s::int4)",
                page_size=2_000,
            )
            rows = self.env["coverage.customer"].browse(
                [one.customer_id for one in firsts]
            )
            rows.invalidate_recordset(ROLE_FIELDS, flush=False)
        return [one for one in differing if one.stored != (None, None)]

    def _prepare_log(self, customers, differing):
        """Return the log of this write: the caller's, with the rule as the reason.

        A role that came with the first classification is a first one itself.
        """
        log = customers.env.context.get("coverage_log") or {}
        names = {
            rule.id: rule.name
            for rule in self.env["coverage.rule"]
            .sudo()
            .browse({one.decided[1] for one in differing} - {None})
        }
        firsts = {
            one.customer_id: {"role_id"}
            for one in differing
            if "lifecycle" in log.get("firsts", {}).get(one.customer_id, ())
        }
        reasons = {
            one.customer_id: {
                "role_id": {"code": "rule", "rule": names.get(one.decided[1])}
            }
            for one in differing
        }
        return {**log, "firsts": firsts, "reasons": reasons}
