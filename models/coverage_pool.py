from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from psycopg2 import errors

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import format_datetime

from ..core.candidate import STRANGER, Proposal, refusal, score
from ..core.pool import Offer, order, room
from .coverage_candidate import FORMER_DAYS

CONSIDERED = 200  # of the highest value: what comes behind them is offered later
PASSED_DAYS = timedelta(days=30)
SELF = ("absent", "paused", "full_customers", "full_leads", "full_load", "full_a")


@dataclass(slots=True)
class Ranking:
    """What a seller can be offered, in order, and why the rest is not for him."""

    offers: list = field(default_factory=list)
    reasons: dict = field(default_factory=dict)
    refusals: Counter = field(default_factory=Counter)
    person: object = None
    weights: dict | None = None


class CoveragePool(models.AbstractModel):
    """Offers free customers and leads to sellers: one at a time, and not by choice.

    A seller is offered what is worth most and fits him best among what the rules give
    to one of his roles; see :func:`core.pool.order`. Never what was his within 90 days,
    what he passed within 30, or what somebody else is thinking about. Two sellers who
    ask at once get different ones.
    """

    _name = "coverage.pool"
    _inherit = ["coverage.hold"]
    _description = "Pool of Free Customers"

    # === ENTRANCES === #

    @api.model
    def _offer_next(self, user, company, now, is_lead=False):
        """Return the offer that waits for a seller, else make him a new one.

        :raises UserError: when nothing can be offered; says why, and what to do
        """
        claims = self.env["coverage.claim"].sudo()
        claims._close_stale(company, now)
        if waiting := claims._find_open(user, company, is_lead):
            return waiting
        memberships = self._find_memberships(user, company)
        if not memberships:
            raise UserError(self._tell_no_team(company))
        find = self._find_free_leads if is_lead else self._find_free_customers
        subjects = find(user, company, memberships, now)
        ranking = self._rank(user, company, memberships, subjects, now)
        for offer in ranking.offers:
            if claim := self._hold_offer(user, company, subjects, offer, ranking, now):
                return claim
        raise UserError(self._tell_nothing(user, company, ranking, is_lead))

    @api.model
    def _check_able(self, user, company, subject, now):
        """Raise unless a seller may still take what he was offered; say why not."""
        memberships = self._find_memberships(user, company)
        ranking = self._rank(user, company, memberships, subject, now)
        if not ranking.offers:
            is_lead = subject._name == "crm.lead"
            raise UserError(self._tell_nothing(user, company, ranking, is_lead))

    @api.model
    def _get_room(self, user, company, now):
        """Return how many customers a seller could take, and whether any is free.

        Of his roles the one with most room counts. By the same number of statements,
        however large the pool.

        :return: ``(count, True)``; the count is ``None`` without any limit
        """
        memberships = self._find_memberships(user, company)
        if not memberships or not self._find_free_customers(
            user, company, memberships, now, 1, self._get_new_domain(user, now)
        ):
            return 0, False
        rooms, customers = [], self.env["coverage.customer"]
        for role in memberships.coverage_role_ids or [customers.role_id]:
            match = self.env["coverage.candidate"]._collect_match(
                company, customers, role, "junior", now
            )
            person = match.candidates.get(user.id)
            if person and not (person.is_absent or person.is_paused):
                rooms.append(room(person))
        if None in rooms:
            return None, True
        return max(rooms, default=0), True

    # === WHAT IS FREE === #

    def _find_memberships(self, user, company):
        """Return the memberships of a person in the teams of a company."""
        candidates = self.env["coverage.candidate"]
        domain = candidates._get_member_domain(company) & Domain(
            "user_id", "=", user.id
        )
        return self.env["crm.team.member"].sudo().search(domain)

    def _find_free_customers(
        self, user, company, memberships, now, limit=CONSIDERED, domain=Domain.TRUE
    ):
        """Return free customers of his teams that the rules give to his roles.

        The highest value first; of those without a team anybody's.
        """
        today = company._get_coverage_today(now)
        domain &= (
            Domain("company_id", "=", company.id)
            & Domain("user_id", "=", False)
            & Domain("team_id", "in", [*memberships.crm_team_id.ids, False])
            & (
                Domain("leave_alone_until", "=", False)
                | Domain("leave_alone_until", "<", today)
            )
            & Domain("id", "not in", self._query_kept("customer_id", user, now))
        )
        if self.env["coverage.candidate"]._has_roles(company):
            roles = memberships.coverage_role_ids
            domain &= Domain("role_id", "in", [*roles.ids, False])
        customers = self.env["coverage.customer"].sudo()
        return customers.search(
            domain, order="segment_id, potential desc, id", limit=limit
        )

    def _get_new_domain(self, user, now):
        """Return the customers that were not this person's within 90 days."""
        changes = self.env["coverage.change"].sudo()
        lost = changes._search(
            [
                ("field_name", "=", "user_id"),
                ("model", "=", "coverage.customer"),
                ("old_value", "=", str(user.id)),
                ("state", "=", "applied"),
                ("date", ">=", now - FORMER_DAYS),
            ]
        )
        return Domain("id", "not in", lost.subselect("customer_id"))

    def _find_free_leads(self, user, company, memberships, now):
        """Return open leads of his teams without salesperson.

        Not those of customers that somebody else owns: they are the owner's.
        """
        owned = (
            self.env["coverage.customer"]
            .sudo()
            ._search(
                Domain("company_id", "=", company.id)
                & Domain("user_id", "not in", (False, user.id))
            )
        )
        domain = (
            Domain("company_id", "in", (company.id, False))
            & Domain("user_id", "=", False)
            & Domain("team_id", "in", memberships.crm_team_id.ids)
            & Domain("won_status", "=", "pending")
            & (
                Domain("partner_id", "=", False)
                | Domain(
                    "partner_id.commercial_partner_id",
                    "not in",
                    owned.subselect("partner_id"),
                )
            )
            & Domain("id", "not in", self._query_kept("lead_id", user, now))
        )
        leads = self.env["crm.lead"].sudo()
        return leads.search(
            domain, order="segment_id, expected_revenue desc, id", limit=CONSIDERED
        )

    def _query_kept(self, name, user, now):
        """Select what somebody is thinking about, or this seller passed lately."""
        claims = self.env["coverage.claim"].sudo()
        is_open = Domain("state", "=", "offered") & Domain("until_date", ">", now)
        is_passed = (
            Domain("state", "=", "passed")
            & Domain("user_id", "=", user.id)
            & Domain("answer_date", ">", now - PASSED_DAYS)
        )
        domain = Domain(name, "!=", False) & (is_open | is_passed)
        return claims._search(domain).subselect(name)

    # === WHAT FITS === #

    def _rank(self, user, company, memberships, subjects, now):
        """Return these in the order in which they are offered to a seller.

        By the facts and scores of ``coverage.candidate``, whose former customers are
        left out here. One collection for each role and seniority that rules ask for.
        """
        ranking = Ranking(weights=company.sudo()._get_coverage_weights())
        segments = [one.key for one in self.env["coverage.segment"]._get_rules()]
        places = {key: place for place, key in enumerate(segments)}
        groups = self._group_by_role(company, memberships, subjects)
        for (role, seniority), group in groups.items():
            match = self.env["coverage.candidate"]._collect_match(
                company, group, role, seniority, now
            )
            ranking.person = match.candidates.get(user.id)
            for subject in group:
                self._rank_one(ranking, match, subject, places)
        ranking.offers = order(ranking.offers)
        return ranking

    def _rank_one(self, ranking, match, subject, places):
        """Add one customer or lead to a ranking, or why it is not for this person."""
        person, need = ranking.person, match.needs[subject.id]
        if person is None:
            return
        relation = match.get_relations(subject.id).get(person.key, STRANGER)
        code = refusal(need, person) or ("former" if relation.is_former else None)
        if code:
            ranking.refusals[code] += 1
            return
        points, codes = score(need, person, relation, ranking.weights)
        ranking.reasons[subject.id] = match, Proposal(person.key, points, codes)
        is_lead = subject._name == "crm.lead"
        ranking.offers.append(
            Offer(
                subject.id,
                places.get(subject.segment_id.id),
                subject.expected_revenue if is_lead else subject.potential,
                points,
            )
        )

    def _group_by_role(self, company, memberships, subjects):
        """Return what is free by the role and seniority that its rule asks for.

        What another role covers is left out; where nobody holds any role, nothing is.
        """
        nobody = self.env["coverage.role"].sudo()
        has_roles = self.env["coverage.candidate"]._has_roles(company)
        covered, groups = self._get_covered(subjects), {}
        for subject in subjects:
            role, seniority = covered[subject.id] if has_roles else (nobody, False)
            if not role or role in memberships.coverage_role_ids:
                key = role, seniority if role else False
                groups[key] = groups.get(key, subjects.browse()) + subject
        return groups

    def _get_covered(self, subjects):
        """Return ``{id: (role, least seniority)}`` that the rules name for these."""
        if subjects._name == "crm.lead":
            rules = self.env["coverage.cover"]._cover_leads(subjects)
            return {
                key: (rule.role_id, rule.min_seniority) for key, rule in rules.items()
            }
        return {one.id: (one.role_id, one.rule_id.min_seniority) for one in subjects}

    # === HOLDING === #

    def _hold_offer(self, user, company, subjects, offer, ranking, now):
        """Return the offer of one customer or lead, held for a seller for a time.

        Nothing where somebody else takes or is offered it at this moment.
        """
        subject = subjects.browse(offer.key)
        claims = self.env["coverage.claim"].sudo()
        if not self._lock(subject):
            return claims
        vals = claims._prepare_offer(user, company, subject, now)
        match, proposal = ranking.reasons[offer.key]
        candidates = self.env["coverage.candidate"]
        candidates._fetch_names(match)
        need = match.needs[offer.key]
        vals["score"] = proposal.score
        vals["reasons"] = candidates._get_reasons(match, need, proposal)
        try:
            with self.env.cr.savepoint():
                return claims.create(vals)
        except errors.UniqueViolation as error:
            if "person" in (error.diag.constraint_name or ""):
                raise UserError(
                    self.env._("You were offered one just now. Look again.")
                ) from None
            return claims

    # === WORDS === #

    def _tell_no_team(self, company):
        """Return that who is in no team gets nothing, and whom to ask."""
        manager = company._find_coverage_manager()
        return self.env._(
            "You are in no sales team of %(company)s, so there is no pool for you. Ask "
            "%(manager)s to add you to one.",
            company=company.name,
            manager=manager.name or self.env._("a sales manager"),
        )

    def _tell_nothing(self, user, company, ranking, is_lead):
        """Return why a seller is offered nothing, and what he can do.

        What concerns himself comes first; else what stands in the way most often.
        """
        _, refusals = self.env._, ranking.refusals
        codes = [code for code in SELF if refusals.get(code)]
        code = (codes or [key for key, _count in refusals.most_common(1)] or [None])[0]
        person = ranking.person
        if code in ("full_customers", "full_load", "full_leads", "full_a"):
            return self._tell_full(code, person)
        if code == "absent":
            until = user.sudo().out_of_office_to
            return _(
                "You are out of office until %(date)s: nothing is offered meanwhile. "
                "If you are back, change it in your preferences.",
                date=format_datetime(self.env, until) if until else "?",
            )
        return {
            "paused": _(
                "You take nothing new at present. Ask your team leader to end the "
                "pause in your team membership."
            ),
            "junior": _(
                "What is free now asks for more seniority than you have. Ask your team "
                "leader if you are ready for it."
            ),
            "former": _(
                "What is free now was yours until lately. Nobody gets an own former "
                "customer back within 90 days; your team leader may hand it out."
            ),
        }.get(code) or (
            _("No open lead of your teams is free for you. Look again later.")
            if is_lead
            else _(
                "The pool has nothing for you at present: no free customer of your "
                "teams that the rules give to one of your roles. Look again later."
            )
        )

    def _tell_full(self, code, person):
        """Return that somebody is full, and how room is made."""
        _ = self.env._
        words = {
            "count": person.customer_count,
            "most": person.max_customer_count,
            "a_count": person.a_count,
            "most_a": person.max_a_count,
            "load": f"{person.load:g}",
            "capacity": f"{person.capacity:g}",
        }
        return {
            "full_customers": _(
                "You have %(count)s of %(most)s customers, all that your role allows. "
                "Hand one over, or ask to give one up, to make room.",
                **words,
            ),
            "full_a": _(
                "You have %(a_count)s of %(most_a)s A customers, and nothing else is "
                "free for you. Hand one over to make room.",
                **words,
            ),
            "full_load": _(
                "Your customers ask for %(load)s of the %(capacity)s contacts a month "
                "that you can keep. Hand one over, or ask to give one up, to make "
                "room.",
                **words,
            ),
            "full_leads": _(
                "You got all leads of this month. Work those you have; your team "
                "leader can raise your lead capacity."
            ),
        }[code]
