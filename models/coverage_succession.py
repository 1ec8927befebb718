from collections import defaultdict

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import SQL

KEPT_CANDIDATES = 5


class CoverageSuccession(models.AbstractModel):
    """Who receives a handoff: who was chosen, who suits best, and who comes next.

    Absent, archived, paused and full people never receive anything.
    """

    _name = "coverage.succession"
    _description = "Succession of Receivers"

    # === WHO MAY === #

    def _check_receivers(self, now, is_there=False):
        """Raise when a receiver is missing, away, paused or full; say which.

        :param is_there: whether the receivers themselves answer
        """
        for handoff in self:
            if not handoff.to_user_id:
                raise UserError(self.env._("Choose who is to receive it."))
        self._check_receiver()
        for company, group in self.grouped("company_id").items():
            obstacles = group._find_obstacles(company, now)
            for handoff in group:
                code = obstacles.get(handoff.to_user_id.id)
                if code and not (is_there and code != "full"):
                    raise UserError(handoff._tell_obstacle(code))

    def _tell_obstacle(self, code):
        """Return why the receiver cannot take it, and what to do."""
        _, name = self.env._, self.to_user_id.name
        return {
            "away": _("%(user)s is away. Choose somebody who is there.", user=name),
            "paused": _(
                "%(user)s takes nothing new for now. Choose somebody else.", user=name
            ),
            "full": _(
                "%(user)s has as many customers as the role allows. Choose somebody "
                "who has room.",
                user=name,
            ),
        }[code]

    def _find_obstacles(self, company, now):
        """Return ``{user id: away, paused or full}`` of these receivers.

        Full counts for customers only: an opportunity alone takes no room.
        """
        users = self.to_user_id
        obstacles = {
            user.id: "away"
            for user in users
            if user.out_of_office_from
            and user.out_of_office_from <= now
            and (not user.out_of_office_to or user.out_of_office_to >= now)
        }
        members = users.crm_team_member_ids.filtered(
            lambda one: one.crm_team_id.company_id in (company.browse(), company)
        )
        for user, group in members.grouped("user_id").items():
            if all(group.mapped("assignment_optout")):
                obstacles.setdefault(user.id, "paused")
        for user_id in self._find_full(company, members):
            obstacles.setdefault(user_id, "full")
        return obstacles

    def _find_full(self, company, members):
        """Return the ids of receivers with as many customers as their roles allow."""
        users = self.filtered("customer_id").to_user_id
        limits = {}
        for user, group in members.grouped("user_id").items():
            most = group.coverage_role_ids.mapped("max_customer_count")
            if user in users and most and all(most):
                limits[user.id] = max(most)
        counts = self.env["coverage.customer"]._read_group(
            [("user_id", "in", list(limits)), ("company_id", "=", company.id)],
            ["user_id"],
            ["__count"],
        )
        return [user.id for user, count in counts if count >= limits[user.id]]

    # === WHO SUITS === #

    def _propose(self, now):
        """Return ``{handoff: candidates, best first}`` without those asked before."""
        asked, proposals = self._get_asked(), {}
        groups = defaultdict(self.browse)
        for handoff in self:
            is_lead = not handoff.customer_id
            key = handoff.company_id, handoff.role_id, handoff.min_seniority, is_lead
            groups[key] += handoff
        for (company, role, seniority, is_lead), group in groups.items():
            subjects = group.lead_id if is_lead else group.customer_id
            found = self.env["coverage.candidate"]._propose(
                company, subjects, role, seniority, now
            )
            for handoff in group:
                subject = handoff.lead_id if is_lead else handoff.customer_id
                proposals[handoff] = [
                    one
                    for one in found.get(subject.id, [])
                    if one["user_id"] not in asked[handoff.id]
                    and one["user_id"] != handoff.from_user_id.id
                ]
        return proposals

    def _get_asked(self):
        """Return ``{handoff id: ids of those who were offered it, in all its chain}``.

        With the receiver of an offer; the one proposed in a draft was not asked yet.
        """
        asked = {handoff.id: set() for handoff in self}
        self.env["coverage.handoff"].flush_model()
        if self:
            for root_id, user_id in self.env.execute_query(self._query_asked()):
                asked[root_id].add(user_id)
        return asked

    def _query_asked(self):
        """Select the receivers along the offers before, which no domain can."""
        return SQL(
            """
            WITH RECURSIVE chain AS (
                SELECT id AS root_id, id, previous_id, to_user_id, state
                  FROM coverage_handoff WHERE id IN %s
                 UNION
                SELECT chain.root_id, h.id, h.previous_id, h.to_user_id, h.state
                  FROM chain JOIN coverage_handoff h ON h.id = chain.previous_id
            )
            SELECT root_id, to_user_id FROM chain
             WHERE to_user_id IS NOT NULL AND state <> 'draft'
            """,
            tuple(self.ids),
        )

    def _choose_receivers(self, now):
        """Give those without an able receiver the one who suits best; return them."""
        lacking = self.filtered(
            lambda one: not one.to_user_id or not one._is_able(one.to_user_id)
        )
        for company, group in (self - lacking).grouped("company_id").items():
            obstacles = group._find_obstacles(company, now)
            lacking += group.filtered(
                lambda one, obstacles=obstacles: one.to_user_id.id in obstacles
            )
        proposals = lacking._propose(now) if lacking else {}
        for handoff, found in proposals.items():
            handoff._dismiss("to_user_id")
            handoff.write(handoff._prepare_proposal(found))
        return self.filtered("to_user_id")

    def _prepare_proposal(self, candidates):
        """Return the values of who is proposed, and of whom else there was."""
        best = candidates[0]["user_id"] if candidates else False
        kept = candidates[:KEPT_CANDIDATES]
        return {"to_user_id": best, "proposal": {"candidates": kept}}

    # === WHO COMES NEXT === #

    def _offer_next(self, now, proposals=None):
        """Expire these offers, and offer to the next best as new handoffs.

        Where nobody is left, nothing happens.

        :param dict proposals: what :meth:`_propose` said of them at this moment
        :return: the new handoffs
        """
        proposals = self._propose(now) if proposals is None else proposals
        following = self.filtered(proposals.get)
        if not following:
            return following
        offers = following.filtered(lambda one: one.state in ("draft", "offered"))
        if offers:
            offers._close("expired", None, now)
        new = self.create([one._prepare_next(proposals[one], now) for one in following])
        new._offer(now)
        return new

    def _prepare_next(self, candidates, now):
        """Return the values of the handoff that follows this one."""
        return {
            **self._prepare_proposal(candidates),
            "customer_id": self.customer_id.id,
            "lead_id": self.lead_id.id,
            "from_user_id": self.from_user_id.id,
            "team_id": self.team_id.id,
            "role_id": self.role_id.id,
            "min_seniority": self.min_seniority,
            "reason": self.reason,
            "origin": self.origin,
            "policy_id": self.policy_id.id,
            "previous_id": self.id,
            "begin_date": now,
            "watch_deal_count": self.watch_deal_count,
            "is_co_selling": self.is_co_selling,
        }

    def _follow_up(self, now):
        """Offer declined handoffs of a policy to the next; else call the leader.

        What a person began ends here: he knows, and decides himself.
        """
        declined = self.filtered("policy_id")
        left = declined - declined._offer_next(now).previous_id
        if left:
            called = self.create([one._prepare_next([], now) for one in left])
            called._call()
        (self - declined)._tell("from_user_id", "expired")

    def _call(self):
        """Call the leaders to decide; the givers stay accountable meanwhile."""
        new = self.filtered(lambda one: not one.is_called)
        new.is_called = True
        for team, group in new.grouped("team_id").items():
            group._tell_users(team.user_id, "called")

    def _find_nurturers(self, handoffs, now):
        """Return who nurtures what each of these hands back: ``{handoff: user}``.

        Who handed it over before, if he nurtures; else who suits best; else nobody.
        """
        roles = self.env["coverage.role"].search([("is_nurturing", "=", True)])
        nurturers = {}
        for company, group in handoffs.grouped("company_id").items():
            customers, leads = group.customer_id, group.lead_id
            for subjects, key in ((customers, "customer_id"), (leads, "lead_id")):
                if not subjects:
                    continue
                found = self._find_nurturer_of(company, subjects, roles, now)
                for handoff in group.filtered(key):
                    nurturers.setdefault(handoff, found[handoff[key].id])
        return nurturers

    def _find_nurturer_of(self, company, subjects, roles, now):
        """Return ``{subject id: user}``: the best of all who nurture."""
        found = {one.id: self.env["res.users"] for one in subjects}
        candidates = self.env["coverage.candidate"]
        for role in roles:
            proposals = candidates._propose(company, subjects, role, "junior", now)
            for subject_id, ranked in proposals.items():
                if ranked and not found[subject_id]:
                    user_id = ranked[0]["user_id"]
                    found[subject_id] = found[subject_id].browse(user_id)
        return found | self._find_former_nurturers(company, subjects, roles)

    def _find_former_nurturers(self, company, subjects, roles):
        """Return ``{subject id: user}`` of nurturers who had these before."""
        key = "customer_id" if subjects._name == "coverage.customer" else "lead_id"
        handoffs = self.search(
            [
                (key, "in", subjects.ids),
                ("accepted_date", "!=", False),
                ("from_user_id", "!=", False),
            ],
            order="accepted_date, id",
        )
        able = handoffs.from_user_id.filtered(
            lambda user: (
                user.active
                and company in user.company_ids
                and user.crm_team_member_ids.coverage_role_ids & roles
            )
        )
        return {
            one[key].id: one.from_user_id
            for one in handoffs
            if one.from_user_id in able
        }
