from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import timedelta

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..core.candidate import STRANGER, Candidate, Need, Relation, rank, refusal
from .coverage_role import RANKS

FORMER_DAYS = timedelta(days=90)
MONTH = timedelta(days=30)
LINE_DAYS = timedelta(days=730)
DAYS = 30
READ_BY_QUERIES = (
    "coverage.change",
    "coverage.customer",
    "coverage.touch",
    "crm.lead",
    "crm.team",
    "crm.team.member",
    "res.partner",
    "res.users",
    "sale.order",
    "sale.order.line",
)


@dataclass(slots=True)
class Match:
    """All facts of some subjects and of the people who could take them over.

    Collected once; ranking and explaining only read it. What an assignment of many at
    once weighs is the same.
    """

    role: object
    candidates: dict = field(default_factory=dict)
    names: dict = field(default_factory=dict)
    needs: dict = field(default_factory=dict)
    relations: dict = field(default_factory=dict)

    def get_relations(self, subject_id):
        """Return ``{user id: Relation}`` of one subject."""
        return self.relations.get(subject_id, {})


class CoverageCandidate(models.AbstractModel):
    """Finds who could take customers and leads over, best first, and says why."""

    _name = "coverage.candidate"
    _inherit = ["coverage.frame", "coverage.rows"]
    _description = "Candidates to Cover a Customer"

    # === ENTRANCES === #

    @api.model
    def _propose(self, company, subjects, role, min_seniority, now, limit=None):
        """Return who could take each of these customers or leads over, best first.

        :param subjects: ``coverage.customer`` or ``crm.lead`` records of one company
        :param role: the role they must hold; empty: any member of a sales team
        :param min_seniority: ``junior``, ``regular``, ``senior``, or empty for any
        :param limit: at most so many for each
        :return: ``{subject id: [{"user_id", "name", "score", "reasons"}]}``; reasons
            as people read them; absent, archived, paused and full people never
        """
        match = self._collect_match(company, subjects, role, min_seniority, now)
        people, weights = match.candidates.values(), company._get_coverage_weights()
        self._fetch_names(match)
        return {
            key: [
                {
                    "user_id": one.key,
                    "name": match.names[one.key],
                    "score": one.score,
                    "reasons": self._get_reasons(match, need, one),
                }
                for one in rank(need, people, match.get_relations(key), weights)[:limit]
            ]
            for key, need in match.needs.items()
        }

    @api.model
    def _explain_left_out(self, company, subjects, role, min_seniority, now):
        """Return who could not take each of these over, and why.

        Of people who do not hold the role at all nothing is said.

        :return: ``{subject id: [{"user_id", "name", "why"}]}``, in order of names
        """
        match = self._collect_match(company, subjects, role, min_seniority, now)
        left_out = {}
        for key, need in match.needs.items():
            told = ((one, refusal(need, one)) for one in match.candidates.values())
            left_out[key] = sorted(
                (
                    {
                        "user_id": one.key,
                        "name": match.names[one.key],
                        "why": self._get_refusal_text(code, need, one),
                    }
                    for one, code in told
                    if code and code != "role"
                ),
                key=lambda line: (line["name"], line["user_id"]),
            )
        return left_out

    @api.model
    def _has_roles(self, company):
        """Return whether anybody in the teams of a company holds a role."""
        domain = self._get_member_domain(company) & Domain(
            "coverage_role_ids", "!=", False
        )
        return bool(self.env["crm.team.member"].sudo().search_count(domain, limit=1))

    @api.model
    def _get_member_domain(self, company):
        """Return the memberships of a company; of shared teams, of its people."""
        team = Domain("crm_team_id.active", "=", True)
        own = Domain("crm_team_id.company_id", "=", company.id)
        shared = Domain("crm_team_id.company_id", "=", False) & Domain(
            "user_id.company_ids", "in", company.ids
        )
        return team & (own | shared)

    # === FACTS === #

    @api.model
    def _collect_match(self, company, subjects, role, min_seniority, now):
        """Collect people, needs and what they have to do with each other.

        By the same number of statements, whatever the number of subjects.
        """
        match = Match(role.sudo())
        for name in READ_BY_QUERIES:
            self.env[name].flush_model()
        frame = self._prepare_frame(company, now)
        interval_of = self._get_interval_of(frame)
        self._collect_candidates(match, frame, interval_of)
        self._collect_needs(match, frame, subjects, min_seniority, interval_of)
        self._collect_relations(match, frame, subjects)
        return match

    def _collect_candidates(self, match, frame, interval_of):
        """Add the people of the company's teams, each once."""
        owned = self._collect_owned(frame, interval_of)
        leads = dict(self.env.execute_query(self._query_lead_counts(frame.now)))
        rows = self.env.execute_query_dict(self._query_members(match.role, frame))
        members = defaultdict(list)
        for row in rows:
            members[row["user_id"]].append(row)
        for user_id, memberships in members.items():
            best = max(
                memberships,
                key=lambda row: (row["holds_role"], RANKS.get(row["seniority"], 0)),
            )
            load, count, a_count = owned.get(user_id, (0.0, 0, 0))
            match.names[user_id] = best["name"]
            match.candidates[user_id] = replace(
                self._prepare_candidate(match.role, frame, best),
                teams=frozenset(row["team_id"] for row in memberships),
                load=round(load, 1),
                customer_count=count,
                a_count=a_count,
                lead_room=max(0, best["lead_max"] - leads.get(user_id, 0)),
            )

    def _prepare_candidate(self, role, frame, row):
        """Return one membership as core value, without what its person owns."""
        capacity = row["capacity"] or role.max_load or frame.company.coverage_capacity
        return Candidate(
            row["user_id"],
            seniority=RANKS.get(row["seniority"], 0) if row["holds_role"] else None,
            is_archived=row["is_archived"],
            is_external=row["is_external"],
            is_foreign=row["is_foreign"],
            is_absent=row["is_absent"],
            is_paused=row["is_paused"],
            max_customer_count=role.max_customer_count,
            max_a_count=role.max_a_count,
            capacity=capacity,
            languages=frozenset(row["languages"]),
            countries=frozenset(row["countries"]),
            states=frozenset(row["states"]),
            industries=frozenset(row["industries"]),
            lines=frozenset(row["lines"]),
        )

    def _query_members(self, role, frame):
        """Select the memberships of the company's teams with what they know."""
        related = {
            "countries": ("coverage_member_country_rel", "res_country_id"),
            "states": ("coverage_member_state_rel", "res_country_state_id"),
            "industries": ("coverage_member_industry_rel", "res_partner_industry_id"),
            "lines": ("coverage_member_categ_rel", "product_category_id"),
        }
        return SQL(
            """
            SELECT m.user_id, p.name, m.crm_team_id AS team_id,
                   m.coverage_seniority AS seniority,
                   COALESCE(m.coverage_capacity, 0) AS capacity,
                   COALESCE(m.assignment_max, 0) AS lead_max,
                   COALESCE(m.assignment_optout, FALSE) AS is_paused,
                   NOT u.active AS is_archived, COALESCE(u.share, FALSE) AS is_external,
                   NOT EXISTS (SELECT 1 FROM res_company_users_rel rel
                                WHERE rel.user_id = u.id AND rel.cid = %(company)s)
                       AS is_foreign,
                   u.active AND NOT %(able)s AS is_absent,
                   %(holds)s AS holds_role,
                   ARRAY(SELECT l.code FROM coverage_member_lang_rel rel
                           JOIN res_lang l ON l.id = rel.res_lang_id
                          WHERE rel.crm_team_member_id = m.id) AS languages,
                   %(related)s
              FROM crm_team_member m
              JOIN crm_team t ON t.id = m.crm_team_id AND t.active
              JOIN res_users u ON u.id = m.user_id
              JOIN res_partner p ON p.id = u.partner_id
             WHERE m.active AND (
                   t.company_id = %(company)s
                   OR t.company_id IS NULL AND EXISTS (
                      SELECT 1 FROM res_company_users_rel rel
                       WHERE rel.user_id = u.id AND rel.cid = %(company)s))
             ORDER BY m.user_id, m.id
            """,
            company=frame.company.id,
            able=self.env["coverage.cadence"]._query_able(frame.now),
            holds=self._query_holds(role),
            related=SQL(", ").join(
                SQL(
                    "ARRAY(SELECT rel.%s FROM %s rel WHERE rel.%s = m.id) AS %s",
                    SQL.identifier(column),
                    SQL.identifier(table),
                    SQL.identifier("crm_team_member_id"),
                    SQL.identifier(name),
                )
                for name, (table, column) in related.items()
            ),
        )

    def _query_holds(self, role):
        """Return whether membership ``m`` holds the role; anybody does, without one."""
        if not role:
            return SQL("TRUE")
        return SQL(
            """EXISTS (SELECT 1 FROM coverage_role_member_rel rel
                        WHERE rel.member_id = m.id AND rel.role_id = %s)""",
            role.id,
        )

    def _collect_owned(self, frame, interval_of):
        """Return ``{user id: (load, customers, A customers)}`` of the company."""
        first = frame.rules.segments[0].key if frame.rules.segments else None
        owned = defaultdict(lambda: (0.0, 0, 0))
        for user_id, segment, potential, count in self.env.execute_query(
            self._query_owned(frame)
        ):
            load, customers, a_count = owned[user_id]
            interval = interval_of(segment, potential)
            owned[user_id] = (
                load + (DAYS / interval * count if interval else 0.0),
                customers + count,
                a_count + (count if segment == first else 0),
            )
        return owned

    def _query_owned(self, frame):
        """Count owned customers by segment, the small of a segment apart.

        A small C has the rhythm of a D: one potential stands for all of its kind.
        """
        segments, reference = frame.rules.segments, frame.rules.reference or 0.0
        shares = [rule.typical_share for rule in segments]
        small = (shares[-2] + shares[-1]) / 200 * reference if len(shares) > 1 else 0.0
        return SQL(
            """
            SELECT c.user_id, c.segment_id, min(c.potential)::float8, COUNT(*)
              FROM coverage_customer c
             WHERE c.company_id = %s AND c.active AND c.user_id IS NOT NULL
             GROUP BY c.user_id, c.segment_id, COALESCE(c.potential, 0) < %s
            """,
            frame.company.id,
            small,
        )

    def _query_lead_counts(self, now):
        """Count the leads that people got within a month, as Odoo counts them."""
        return SQL(
            "SELECT user_id, COUNT(*) FROM crm_lead "
            "WHERE user_id IS NOT NULL AND date_open >= %s GROUP BY user_id",
            now - MONTH,
        )

    def _collect_needs(self, match, frame, subjects, min_seniority, interval_of):
        """Add what each subject asks of whoever takes it over."""
        subjects = subjects.sudo()
        is_lead = subjects._name == "crm.lead"
        first = frame.rules.segments[0].key if frame.rules.segments else None
        partners = subjects.partner_id.commercial_partner_id
        lines = self._collect_lines(match, frame, partners)
        for one in subjects:
            partner, segment = one.partner_id.commercial_partner_id, one.segment_id.id
            place = partner if partner or not is_lead else one
            interval = 0 if is_lead else interval_of(segment or None, one.potential)
            lang = partner.lang or (is_lead and one.lang_id.code)
            industry = partner.industry_id
            if is_lead:
                industry = industry or one.coverage_industry_id
            match.needs[one.id] = Need(
                one.id,
                owner=one.user_id.id or None,
                seniority=RANKS.get(min_seniority, 0),
                is_lead=is_lead,
                is_a=bool(segment) and segment == first,
                load=DAYS / interval if interval else 0.0,
                language=lang or None,
                country=place.country_id.id or None,
                state=place.state_id.id or None,
                industry=industry.id or None,
                lines=lines.get(partner.id, frozenset()),
                team=one.team_id.id or None,
            )

    def _collect_lines(self, match, frame, partners):
        """Return ``{commercial partner id: lines}``; nothing if nobody has any."""
        people = match.candidates.values()
        if not partners or not any(one.lines for one in people):
            return {}
        query = self._query_lines(frame, partners.ids)
        return {
            partner_id: frozenset(
                int(one) for path in paths for one in path.split("/") if one
            )
            for partner_id, paths in self.env.execute_query(query)
        }

    def _query_lines(self, frame, partner_ids):
        """Select the paths of the categories that customers bought or were quoted."""
        return SQL(
            """
            SELECT p.commercial_partner_id, array_agg(DISTINCT g.parent_path)
              FROM sale_order o
              JOIN res_partner p ON p.id = o.partner_id
              JOIN sale_order_line l ON l.order_id = o.id
              JOIN product_product v ON v.id = l.product_id
              JOIN product_template t ON t.id = v.product_tmpl_id
              JOIN product_category g ON g.id = t.categ_id
             WHERE p.commercial_partner_id IN %s AND o.company_id = %s
               AND o.state <> 'cancel' AND o.date_order >= %s
             GROUP BY 1
            """,
            tuple(partner_ids),
            frame.company.id,
            frame.now - LINE_DAYS,
        )

    # === RELATIONSHIPS === #

    def _collect_relations(self, match, frame, subjects):
        """Add what people had to do with each subject's customer."""
        by_partner = defaultdict(list)
        for one in subjects.sudo():
            if partner := one.partner_id.commercial_partner_id:
                by_partner[partner.id].append(one.id)
        if not by_partner or not match.candidates:
            return
        rows = self.env.execute_query(
            self._query_relations(frame, list(by_partner), list(match.candidates))
        )
        for partner_id, user_id, touches, orders, is_former in rows:
            for key in by_partner[partner_id]:
                relations = match.relations.setdefault(key, {})
                relations[user_id] = Relation(touches, orders, is_former)

    def _query_relations(self, frame, partner_ids, user_ids):
        """Count contacts, orders and ends of ownership by customer and person."""
        return SQL(
            """
            SELECT dealing.partner_id, dealing.user_id, SUM(dealing.touches)::int,
                   SUM(dealing.orders)::int, bool_or(dealing.is_former)
              FROM (
                SELECT c.partner_id, t.user_id, COUNT(*) AS touches, 0 AS orders,
                       FALSE AS is_former
                  FROM coverage_touch t
                  JOIN coverage_customer c ON c.id = t.customer_id
                 WHERE c.partner_id IN %(partners)s AND c.company_id = %(company)s
                   AND t.active AND t.is_two_way
                 GROUP BY 1, 2
                 UNION ALL
                SELECT p.commercial_partner_id, o.user_id, 0, COUNT(*), FALSE
                  FROM sale_order o JOIN res_partner p ON p.id = o.partner_id
                 WHERE p.commercial_partner_id IN %(partners)s
                   AND o.company_id = %(company)s AND o.state = 'sale'
                 GROUP BY 1, 2
                 UNION ALL
                SELECT c.partner_id, h.old_value::int, 0, 0, TRUE
                  FROM coverage_change h
                  JOIN coverage_customer c ON c.id = h.customer_id
                 WHERE c.partner_id IN %(partners)s AND c.company_id = %(company)s
                   AND h.model = 'coverage.customer' AND h.field_name = 'user_id'
                   AND h.state = 'applied' AND h.old_value ~ '^[0-9]+$'
                   AND h.date >= %(since)s
              ) dealing
             WHERE dealing.user_id IN %(users)s
             GROUP BY 1, 2
            """,
            partners=tuple(partner_ids),
            users=tuple(user_ids),
            company=frame.company.id,
            since=frame.now - FORMER_DAYS,
        )

    # === SENTENCES === #

    def _get_reasons(self, match, need, proposal):
        """Return what speaks for and against somebody, as people read it."""
        person = match.candidates[proposal.key]
        relation = match.get_relations(need.key).get(proposal.key, STRANGER)
        codes = [code for code in proposal.reasons if code != "relation"]
        if relation.touch_count or relation.order_count:
            codes.append("relation")
        texts = (self._get_reason_text(code, need, person, relation) for code in codes)
        told = [match.role.name] if match.role else []
        return [*told, self._get_room_text(person, need), *filter(None, texts)]

    def _get_room_text(self, person, need):
        """Return how full somebody is: "12 of 75 customers"."""
        _ = self.env._
        if need.is_lead:
            return _("room for %(count)s more leads this month", count=person.lead_room)
        if person.max_customer_count:
            return _(
                "%(count)s of %(most)s customers",
                count=person.customer_count,
                most=person.max_customer_count,
            )
        return _("%(count)s customers", count=person.customer_count)

    def _get_reason_text(self, code, need, person, relation):
        """Return one reason in words; empty for what goes without saying."""
        _ = self.env._
        if code == "language":
            language = self.env["res.lang"]._get_data(code=need.language).name
            return _("speaks %(language)s", language=language or need.language)
        if code == "relation":
            return self._get_relation_text(relation)
        if code in ("territory", "industry", "lines"):
            return _("knows %(name)s", name=self._get_known_text(code, need, person))
        return {"team": _("same team"), "former": _("had it until lately")}.get(code)

    def _get_known_text(self, code, need, person):
        """Return the names of what somebody knows of a subject."""
        if code == "industry":
            found = self.env["res.partner.industry"].browse(need.industry)
        elif code == "lines":
            found = self.env["product.category"].browse(
                sorted(need.lines & person.lines)
            )
        elif need.state in person.states:
            found = self.env["res.country.state"].browse(need.state)
        else:
            found = self.env["res.country"].browse(need.country)
        return ", ".join(found.sudo().mapped("name"))

    def _get_relation_text(self, relation):
        """Return what somebody had to do with a customer."""
        _ = self.env._
        touches, orders = relation.touch_count, relation.order_count
        if touches and orders:
            return _(
                "spoke to it %(touches)s times, took %(orders)s of its orders",
                touches=touches,
                orders=orders,
            )
        if orders:
            return _("took %(orders)s of its orders", orders=orders)
        if touches == 1:
            return _("spoke to it once")
        return _("spoke to it %(touches)s times", touches=touches)

    def _fetch_names(self, match):
        """Read at once the names that reasons will tell."""
        needs = match.needs.values()
        for model, ids in (
            ("res.partner.industry", {one.industry for one in needs}),
            ("res.country", {one.country for one in needs}),
            ("res.country.state", {one.state for one in needs}),
            ("product.category", {line for one in needs for line in one.lines}),
        ):
            self.env[model].sudo().browse(ids - {None}).mapped("name")

    def _get_refusal_text(self, code, need, person):
        """Return why somebody cannot take a customer or lead."""
        _ = self.env._
        words = {
            "customers": person.customer_count,
            "most": person.max_customer_count,
            "a_customers": person.a_count,
            "most_a": person.max_a_count,
            "load": f"{person.load:g}",
            "capacity": f"{person.capacity:g}",
        }
        return {
            "owner": _("has it now"),
            "archived": _("is archived"),
            "external": _("is no internal user"),
            "company": _("does not work in this company"),
            "junior": _("is not senior enough"),
            "absent": _("is out of office"),
            "paused": _("takes nothing on at present"),
            "full_leads": _("has all leads of this month"),
            "full_a": _("has %(a_customers)s of %(most_a)s A customers", **words),
            "full_customers": _("has %(customers)s of %(most)s customers", **words),
            "full_load": _(
                "keeps %(load)s of %(capacity)s contacts a month already", **words
            ),
        }[code]
