import logging

from odoo import api, models
from odoo.tools import SQL

from ..core.rethink import CANCEL, LIVE, OPEN, Case, decide, verdict
from .coverage_rows import get_outcome

_logger = logging.getLogger(__name__)

BLUE = ("frozen", "cool")


class CoverageRethinkEngine(models.AbstractModel):
    """Asks for a rethink when an A turns blue, drops it when that is over, judges it.

    Called wherever temperatures are written, by night and by event alike: one query
    where an A moved, none where none did.
    """

    _name = "coverage.rethink.engine"
    _inherit = ["coverage.deadline", "coverage.hold"]
    _description = "Engine of Rethinks"

    # === ENTRANCES === #

    @api.model
    def _follow_outcomes(self, frame, outcomes):
        """Decide on the customers whose segment or temperature was just written."""
        top = frame.rules.segments[0].key
        blue = {level.key for level in frame.rules.temperatures[-len(BLUE) :]}
        moved = [
            one
            for one in outcomes
            if top in (one.decision.segment, get_outcome(one.row)[0])
        ]
        if not moved:
            return
        last = self._find_last([one.customer_id for one in moved])
        self._apply_cases(
            frame.company,
            {
                one.customer_id: self._get_case(
                    one.decision, top, blue, frame.today, last.get(one.customer_id)
                )
                for one in moved
            },
            last,
            frame.now,
        )

    @api.model
    def _settle_customers(self, customers, now):
        """Decide on customers that changed otherwise: undone, archived, handed over."""
        self._settle_rethinks(
            self._search_live([("customer_id", "in", customers.ids)]), now
        )

    @api.model
    def _run_rethink(self, company, now):
        """Do what a night does: settle what waits, and judge what is due."""
        domain = [("company_id", "=", company.id)]
        self._settle_rethinks(self._search_live(domain), now)
        self._judge(company, now)

    # === DECISION === #

    def _get_case(self, decision, top, blue, today, rethink):
        """Return one customer as the decision sees it.

        Turned is who was warmer this morning; a first class is no turn.
        """
        standing = decision.temperature_standing
        left = standing.left
        turned = standing.since == today and left is not None and left not in blue
        return Case(
            is_top=decision.segment == top,
            is_blue=standing.value in blue,
            has_turned=turned and standing.value in blue,
            state=rethink.state if rethink else None,
            ended=rethink.closed_date if rethink else None,
        )

    def _find_last(self, customer_ids):
        """Return the last rethink of each customer, by its id."""
        rethinks = self.env["coverage.rethink"].sudo()
        found = rethinks.search_fetch(
            [("customer_id", "in", customer_ids)],
            ["customer_id", "state", "closed_date", "date_deadline"],
            order="id",
        )
        return {one.customer_id.id: one for one in found}

    # === APPLICATION === #

    def _apply_cases(self, company, cases, last, now):
        """Open, open again, or cancel; what stays costs nothing."""
        today = company._get_coverage_today(now)
        is_on = company.coverage_rethink
        decided = {key: decide(case, is_on, today) for key, case in cases.items()}
        opened = [key for key, one in decided.items() if one and one[0] == OPEN]
        rethinks = {
            key: last[key] for key, one in decided.items() if one and key in last
        }
        for outcome in sorted({one for one in decided.values() if one}):
            keys = [key for key, one in decided.items() if one == outcome]
            group = self.env["coverage.rethink"].sudo()
            group = group.concat(*(rethinks[key] for key in keys if key in rethinks))
            if outcome[0] == CANCEL:
                self._cancel(group, outcome[1], today)
            elif outcome[0] != OPEN:
                self._reopen(company, group, now)
        customers = self.env["coverage.customer"].sudo().browse(opened)
        self._open(company, customers, now)

    def _open(self, company, customers, now):
        """Give the owners of these customers the task; return the rethinks."""
        rethinks = self.env["coverage.rethink"].sudo()
        if not customers:
            return rethinks
        today = company._get_coverage_today(now)
        deadline = self._get_deadline(company, now)
        return rethinks.create(
            [
                {
                    "customer_id": customer.id,
                    "user_id": customer.accountable_user_id.id,
                    "date": today,
                    "date_deadline": deadline,
                    "temperature_then": customer.temperature_code,
                }
                for customer in customers
            ]
        )

    def _reopen(self, company, rethinks, now):
        """Go on with an episode: blue again within days."""
        today, deadline = (
            company._get_coverage_today(now),
            self._get_deadline(company, now),
        )
        for user, group in rethinks.grouped(
            lambda one: one.customer_id.accountable_user_id
        ).items():
            vals = {"closed_date": False, "end_code": False, "user_id": user.id}
            past = group.filtered(lambda one: one.date_deadline < today)
            for part, more in ((past, {"date_deadline": deadline}), (group - past, {})):
                if part:
                    part._update_state("open", **vals, **more)

    def _cancel(self, rethinks, code, today):
        """Drop what nobody needs any more, silently."""
        if rethinks:
            rethinks._update_state("cancelled", closed_date=today, end_code=code)

    def _get_deadline(self, company, now):
        """Return the day by which an answer is due."""
        today = company._get_coverage_today(now)
        return self._shift_workdays(company, today, company.coverage_rethink_days)

    # === SETTLING === #

    def _search_live(self, domain):
        """Return live rethinks of customers, archived ones included."""
        rethinks = self.env["coverage.rethink"].sudo().with_context(active_test=False)
        return rethinks.search([*domain, ("state", "in", LIVE)])

    def _settle_rethinks(self, rethinks, now):
        """Cancel what is over; the others belong to who has the customer now."""
        if not rethinks:
            return
        top = self.env["coverage.segment"]._get_rules(None)[0].key
        for company, group in rethinks.grouped("company_id").items():
            cases = {
                one.customer_id.id: Case(
                    is_top=one.customer_id.segment_id.id == top,
                    is_blue=one.customer_id.temperature_code in BLUE,
                    is_active=one.customer_id.active,
                    state=one.state,
                )
                for one in group
            }
            last = {one.customer_id.id: one for one in group}
            self._apply_cases(company, cases, last, now)
        for user, group in rethinks.grouped(
            lambda one: one.customer_id.accountable_user_id
        ).items():
            moved = group.filtered(
                lambda one, user=user: one.state in LIVE and one.user_id != user
            )
            moved.user_id = user

    # === RESULT === #

    def _judge(self, company, now):
        """Say of the confirmed ones whose days are over what came of them.

        One that another rule refuses stays, and stops no other.
        """
        today = company._get_coverage_today(now)
        due = (
            self.env["coverage.rethink"]
            .sudo()
            .with_context(active_test=False)
            .search(
                [
                    ("company_id", "=", company.id),
                    ("state", "=", "confirmed"),
                    ("result_date", "<=", today),
                ]
            )
        )
        if not due:
            return
        revenues = self._collect_revenues(company, due)

        def refuse(rethink, error):
            _logger.warning("Rethink %s is not judged: %s", rethink.id, error)

        for rethink in due:
            before, after = revenues.get(rethink.id, (0, 0))
            self._apart(
                rethink,
                lambda one, before=before, after=after: self._close(
                    one, before, after, today
                ),
                refuse,
            )

    def _close(self, rethink, before, after, today):
        code = rethink.customer_id.temperature_code
        rethink._update_state(
            "closed",
            revenue_before=before,
            revenue_after=after,
            temperature_now=code,
            verdict=verdict(code in BLUE, before, after),
            closed_date=today,
        )

    def _collect_revenues(self, company, rethinks):
        """Return ``{rethink id: (revenue before, revenue after)}``, of equal spans."""
        facts = self.env["coverage.facts"]
        facts._flush_documents()
        rethinks.flush_recordset()
        documents = facts._query_documents(
            company,
            company.coverage_revenue_source,
            rethinks.customer_id.partner_id.ids,
        )
        return {
            key: (before, after)
            for key, before, after in self.env.execute_query(
                self._query_revenues(rethinks, documents)
            )
        }

    def _query_revenues(self, rethinks, documents):
        """Sum documents in windows that differ by record, which no domain can."""
        return SQL(
            """
            SELECT r.id,
                   COALESCE(SUM(d.amount) FILTER (
                       WHERE d.day <= r.confirmed_date), 0),
                   COALESCE(SUM(d.amount) FILTER (
                       WHERE d.day > r.confirmed_date), 0)
              FROM coverage_rethink r
              JOIN coverage_customer c ON c.id = r.customer_id
              JOIN (%s) d ON d.partner_id = c.partner_id
               AND d.day <= r.result_date
               AND d.day > r.confirmed_date - (r.result_date - r.confirmed_date)
             WHERE r.id IN %s
             GROUP BY r.id
            """,
            documents,
            tuple(rethinks.ids),
        )
