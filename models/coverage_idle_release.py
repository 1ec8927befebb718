import logging
from datetime import timedelta

from odoo import models
from odoo.fields import Domain
from odoo.tools import SQL

from ..core.idle import IDLE, LEAD_RUNG, LeadSilence, decide_lead
from .coverage_cadence import SILENT

_logger = logging.getLogger(__name__)

PROSPECTS = 10  # a batch: whoever receives some is busier for the next ones
LEADS = 200
READ_BY_QUERIES = (
    "coverage.customer",
    "coverage.touch",
    "crm.lead",
    "mail.activity",
    "res.partner",
    "res.users",
    "sale.order",
)


class CoverageIdleRelease(models.AbstractModel):
    """Takes neglected prospects and leads from their owners: to nurturing, or free.

    Too many of a team's customers at once wait for a leader instead.
    """

    _name = "coverage.idle.release"
    _description = "Release of Neglected Prospects and Leads"

    # === PROSPECTS === #

    def _release_prospects(self, company, now, tally, commit):
        """Give neglected prospects back to nurturing, or to the pool."""
        if company._is_coverage_observed(company._get_coverage_today(now)):
            return True
        ids = self._find_released(company)

        def release(batch):
            self._release_batch(company, batch, now, tally)

        return self._work_through(ids, PROSPECTS, release, commit)

    def _find_released(self, company):
        """Return the ids of prospects that may be taken, of teams under the limit."""
        customers = self.env["coverage.customer"].sudo()
        here = Domain("company_id", "=", company.id)
        found = customers.search(
            here
            & Domain("idle_since", "!=", False)
            & Domain("lifecycle", "=", "prospect")
            & Domain("user_id", "!=", False),
            order="id",
        )
        groups = customers._read_group(
            here & Domain("team_id", "in", found.team_id.ids + [False]),
            ["team_id"],
            ["__count"],
        )
        counts = dict(groups)
        ids = []
        for team, group in found.grouped("team_id").items():
            if len(group) <= self._get_release_limit(company, counts.get(team, 0)):
                ids += group.ids
        return ids

    def _get_release_limit(self, company, customer_count):
        """Return how many prospects of a team a run may take away; more take none.

        :param customer_count: how many customers the team has
        """
        return max(1, int(company.coverage_assign_team_rate * customer_count))

    def _release_batch(self, company, ids, now, tally):
        """Release those that are neglected still, each to whom it goes."""
        customers = self._lock(self.env["coverage.customer"].sudo().browse(ids))
        frame = self._prepare_idle(company, now)
        decided = self._decide_listed(frame, customers)
        customers = customers.filtered(
            lambda one: decided[one.id][1].code == IDLE and one.idle_since
        )
        reasons = {
            one.id: {"user_id": self._get_release_reason(decided[one.id][1])}
            for one in customers
        }
        log = {"origin": "job", "date": now, "reasons": reasons}
        outcome = company.coverage_idle_prospect_outcome
        receivers = self._find_receivers(company, customers, outcome, now)

        def refuse(customer, error):
            _logger.warning("Customer %s stays with its owner: %s", customer.id, error)
            tally.refused.append(customer.id)

        for user, group in customers.grouped(receivers.get).items():

            def move(part, user=user):
                part.with_context(coverage_log=log).write(
                    {"user_id": user.id if user else False}
                )
                return len(part)

            tally.count += sum(self._apart(group, move, refuse))

    def _get_release_reason(self, verdict):
        """Return what the history keeps of who was taken away."""
        return {
            "code": "idle",
            "days": verdict.silent_days,
            "term": verdict.term_days,
        }

    def _find_receivers(self, company, subjects, outcome, now):
        """Return ``{customer or lead: user}`` of those that somebody nurtures now.

        Never the owner it is taken from; where nobody there nurtures, nobody.
        """
        receivers = {}
        if outcome != "nurture" or not subjects:
            return receivers
        roles = self.env["coverage.role"].sudo().search([("is_nurturing", "=", True)])
        candidates = self.env["coverage.candidate"].sudo()
        users = self.env["res.users"].sudo()
        for role in roles:
            proposals = candidates._propose(company, subjects, role, "junior", now)
            for subject in subjects.filtered(lambda one: one not in receivers):
                for one in proposals.get(subject.id, ()):
                    if one["user_id"] != subject.user_id.id:
                        receivers[subject] = users.browse(one["user_id"])
                        break
        return receivers

    # === LEADS === #

    def _release_leads(self, company, now, tally, commit):
        """Warn owners of leads on which nothing happens, and release those."""
        frame = self._prepare_idle(company, now)
        if company._is_coverage_observed(frame.today):
            return True
        self._flush_leads()
        query = SQL("%s ORDER BY l.id", self._query_leads(frame, SQL("TRUE")))
        ids = [
            key
            for key, *facts in self.env.execute_query(query)
            if self._is_lead_due(frame, facts)
        ]

        def release(batch):
            self._release_lead_batch(frame, batch, tally)

        return self._work_through(ids, LEADS, release, commit)

    def _is_lead_due(self, frame, facts):
        """Return whether something is to be done or undone about a lead."""
        lead = LeadSilence(*facts)
        verdict = decide_lead(lead, frame.rules, frame.today)
        return verdict.code == IDLE or verdict.warning_date != lead.warning_date

    def _decide_leads(self, frame, leads):
        """Return ``{lead id: (LeadSilence, Verdict)}`` of these open leads."""
        if not leads.ids:
            return {}
        self._flush_leads()
        query = self._query_leads(frame, SQL("l.id IN %s", tuple(leads.ids)))
        found = {}
        for key, *facts in self.env.execute_query(query):
            lead = LeadSilence(*facts)
            found[key] = lead, decide_lead(lead, frame.rules, frame.today)
        return found

    def _flush_leads(self):
        for name in READ_BY_QUERIES:
            self.env[name].flush_model()

    def _release_lead_batch(self, frame, ids, tally):
        """Warn and release in this transaction what nobody else holds."""
        leads = self.env["crm.lead"].sudo().browse(ids).exists()
        leads = leads.try_lock_for_update().with_context(**SILENT)
        decided = self._decide_leads(frame, leads)
        leads = leads.filtered(lambda one: one.id in decided)
        groups = leads.grouped(lambda one: self._get_lead_step(*decided[one.id]))

        def refuse(lead, error):
            _logger.warning("Lead %s stays as it is: %s", lead.id, error)
            tally.refused.append(lead.id)

        for (step, warned, leaves), group in groups.items():

            def act(part, step=step, warned=warned, leaves=leaves):
                if step == IDLE:
                    self._release_these(frame, part, decided)
                    return len(part)
                part.write(
                    {
                        "coverage_idle_date": leaves or False,
                        "coverage_idle_warning_date": warned or False,
                    }
                )
                if warned:
                    self._log_lead_warning(part, leaves, decided)
                return len(part) if warned else 0

            tally.count += sum(self._apart(group, act, refuse))

    def _get_lead_step(self, lead, verdict):
        if verdict.code == IDLE:
            return IDLE, None, None
        warned = verdict.warning_date
        return verdict.code, warned, warned and verdict.leaves

    def _log_lead_warning(self, leads, leaves, decided):
        """Say in one line of each lead's chatter that its owner is warned."""
        day = self._tell_day(leaves)
        bodies = {
            lead.id: self.env._(
                "Nothing happened for %(days)s days. Without a next step it leaves "
                "%(owner)s on %(date)s.",
                days=decided[lead.id][1].silent_days,
                owner=lead.user_id.name,
                date=day,
            )
            for lead in leads
        }
        leads._message_log_batch(bodies)

    def _release_these(self, frame, leads, decided):
        """Take these leads from their owners, with what those planned for them."""
        outcome = frame.company.coverage_idle_lead_outcome
        receivers = self._find_receivers(frame.company, leads, outcome, frame.now)
        former = {lead: lead.user_id for lead in leads}
        for user, group in leads.grouped(receivers.get).items():
            teams = {lead: lead.team_id for lead in group}
            group.write(
                {
                    "user_id": user.id if user else False,
                    "coverage_idle_date": False,
                    "coverage_idle_warning_date": False,
                }
            )
            for team, kept in group.grouped(teams.get).items():
                if kept.team_id != team:
                    kept.team_id = team
            self._hand_over_steps(group, former, user)
        self._log_release(leads, former, decided)

    def _hand_over_steps(self, leads, former, user):
        """Give what the former owners planned for these leads to the new one."""
        activities = self.env["mail.activity"].sudo().with_context(**SILENT)
        planned = activities.search(
            [("res_model", "=", "crm.lead"), ("res_id", "in", leads.ids)]
        )
        owners = {lead.id: owner for lead, owner in former.items()}
        own = planned.filtered(lambda one: one.user_id == owners[one.res_id])
        own.user_id = user.id if user else False

    def _log_release(self, leads, former, decided):
        """Say in one line of each lead's chatter who had it, who has it, and why."""
        _ = self.env._
        leads._message_log_batch(
            {
                lead.id: _(
                    "Salesperson: %(former)s → %(owner)s. Nothing happened for "
                    "%(days)s days.",
                    former=former[lead].name,
                    owner=lead.user_id.name or _("nobody"),
                    days=decided[lead.id][1].silent_days,
                )
                for lead in leads
            }
        )

    def _query_leads(self, frame, condition):
        """Return id and the core's ``LeadSilence`` of open leads ``l``.

        Of those that have an owner, and no customer that bought or waits: what is left
        alone, or being handed over, is so with its leads.
        """
        company = frame.company
        return SQL(
            """
            SELECT l.id, %(last)s, %(quoted)s, NOT %(able)s,
                   l.coverage_idle_warning_date
              FROM crm_lead l
              JOIN res_users u ON u.id = l.user_id
              LEFT JOIN res_partner p ON p.id = l.partner_id
              LEFT JOIN coverage_customer c
                ON c.partner_id = p.commercial_partner_id AND c.company_id = %(company)s
             WHERE %(condition)s AND l.active AND l.won_status = 'pending'
               AND %(lead_company)s = %(company)s
               AND (c.id IS NULL OR (
                    c.lifecycle = 'prospect'
                    AND COALESCE(c.leave_alone_until, '-infinity') < %(today)s
                    AND COALESCE(c.protected_until, '-infinity') < %(today)s))
               AND NOT EXISTS (SELECT FROM coverage_handoff h
                     WHERE h.state IN ('draft', 'offered', 'accepted', 'watched')
                       AND (h.lead_id = l.id OR h.customer_id = c.id))
               AND (l.coverage_idle_warning_date IS NOT NULL OR %(near)s)
            """,
            last=self._query_lead_last_day(frame),
            quoted=self._query_lead_quoted(),
            able=self.env["coverage.cadence"]._query_able(frame.now),
            company=company.id,
            condition=condition,
            lead_company=self.env["coverage.facts"]._query_lead_company(),
            today=frame.today,
            near=self._query_lead_near_end(frame),
        )

    def _query_lead_near_end(self, frame):
        """Return whether lead ``l`` may be near its end. Cheap, never too narrow."""
        rules = frame.rules
        if not rules.lead_days:
            return SQL("FALSE")
        days = rules.lead_days - rules.warning_days[LEAD_RUNG] - 1
        return SQL(
            "GREATEST(l.create_date, l.date_last_stage_update) <= %s",
            frame.now - timedelta(days=max(0, days)),
        )

    def _query_lead_quoted(self):
        """Return whether a quotation of lead ``l`` waits for an answer."""
        return SQL(
            """EXISTS (SELECT FROM sale_order o
                        WHERE o.opportunity_id = l.id AND o.state IN ('draft', 'sent'))
            """
        )

    def _query_lead_last_day(self, frame):
        """Return the day on which something last happened to lead ``l``.

        A step planned counts on its day; one planned for beyond the term, on the day it
        was planned.
        """
        tz = frame.company._get_coverage_tz()

        def day(column):
            return SQL("(%s AT TIME ZONE 'UTC' AT TIME ZONE %s)::date", column, tz)

        return SQL(
            """GREATEST(
                   %(created)s, %(opened)s, %(moved)s,
                   (SELECT max(CASE
                        WHEN NOT a.active THEN a.date_done
                        WHEN a.date_deadline <= %(today)s + %(term)s
                        THEN a.date_deadline ELSE %(planned)s END)
                      FROM mail_activity a
                     WHERE a.res_model = 'crm.lead' AND a.res_id = l.id),
                   (SELECT max(%(touched)s) FROM coverage_touch t
                     WHERE t.lead_id = l.id AND t.active))""",
            created=day(SQL("l.create_date")),
            opened=day(SQL("l.date_open")),
            moved=day(SQL("l.date_last_stage_update")),
            today=frame.today,
            term=frame.rules.lead_days,
            planned=day(SQL("a.create_date")),
            touched=day(SQL("t.date")),
        )
