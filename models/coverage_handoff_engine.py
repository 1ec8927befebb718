import logging
from collections import Counter, defaultdict

from odoo import api, fields, models
from odoo.fields import Domain

from ..core.handoff import (
    BEGIN,
    EXPIRE,
    NEXT,
    TRANSFER,
    after_giver_late,
    after_receiver_late,
)

_logger = logging.getLogger(__name__)

BATCH = 500
UNCALLED = Domain("is_called", "=", False)
CRON = "crm_sales_coverage.ir_cron_handoff"


class CoverageHandoffEngine(models.AbstractModel):
    """The engine of handoffs: begins what policies ask, and keeps the deadlines.

    Triggers, reminders, deadlines, looks, registrations, stages: in this order, each
    in batches that are transactions. Nobody is left unaccountable: what cannot move
    stays with the giver, and the leader is called. Silent: no mail leaves.
    """

    _name = "coverage.handoff.engine"
    _inherit = ["coverage.deadline", "coverage.job", "coverage.handoff.trigger"]
    _description = "Handoff Engine"

    # === ENTRANCES === #

    @api.model
    def _cron_handoff(self):
        """Bring the handoffs of all companies up to date; twice does no more."""
        self._run_companies(self._run_handoffs)

    @api.model
    def _run_handoffs(self, company, now, commit=None, tally=None):
        """Bring a company's handoffs up to date; return the number begun.

        Parameters as in :meth:`_run_steps`.
        """
        self = self.with_company(company).with_context(coverage_origin="job")
        return self._run_steps(company, now, commit, tally)

    def _get_steps(self):
        return (
            self._begin_handoffs,
            self._cancel_void,
            self._remind,
            self._pass_giver_deadlines,
            self._pass_receiver_deadlines,
            self._follow_watches,
            self._follow_owners,
        )

    def _tell_refused(self, count):
        return self.env._(
            "%(count)s handoffs stay as they are, because another rule refused the "
            "change. The log names them.",
            count=count,
        )

    @api.model
    def _wake(self):
        """Let the job run soon, once a transaction, if it is switched on at all.

        Not for the leads that Odoo assigns and merges by the hundred: the next hour
        finds them.
        """
        data = self.env.cr.precommit.data
        is_assigning = "coverage_known" in self.env.context
        if not is_assigning and not data.get("coverage_handoff"):
            data["coverage_handoff"] = True
            self.env.cr.precommit.add(self._trigger_job)

    def _trigger_job(self):
        self.env.cr.precommit.data.pop("coverage_handoff", None)
        if cron := self.env.ref(CRON, raise_if_not_found=False):
            cron.sudo()._trigger()

    @api.model
    def _preview_handoffs(self, company, now):
        """Return what the policies would begin at this moment, writing nothing.

        :return: dict of ``count``, ``lines`` (``[{giver_id, giver, receiver_id,
            receiver, policy, count, names, reasons}]``), ``waiting`` (``[{code, label,
            count}]``) and ``nobody`` (``[{role_id, role, count, names}]``)
        """
        self = self.sudo().with_company(company)
        decided = self._decide(company, now)
        begin = [one for one in decided if one[2] == BEGIN]
        codes = Counter(code for _found, _candidates, code in decided)
        labels = self._get_code_labels()
        return {
            "count": len(begin),
            "lines": self._tell_begin(begin),
            "waiting": [
                {"code": code, "label": label, "count": codes[code]}
                for code, label in labels.items()
                if codes[code]
            ],
            "nobody": self._tell_nobody(decided),
        }

    def _get_code_labels(self):
        _ = self.env._
        return {
            "tomorrow": _("Begun on the next days: so many a day and giver"),
            "protected": _("Protected, or left alone for now"),
            "nobody": _("Nobody there could take it"),
        }

    def _tell_begin(self, begin):
        """Return what begins per giver, receiver and policy, as people read it."""
        groups = defaultdict(list)
        for found, candidates, _code in begin:
            best = candidates[0]
            key = found.occasion.giver, best["user_id"], found.policy
            groups[key].append((found, best))
        return [
            {
                "giver_id": giver,
                "giver": self.env["res.users"].browse(giver).name,
                "receiver_id": receiver,
                "receiver": lines[0][1]["name"],
                "policy": policy.name,
                "count": len(lines),
                "names": self._get_names([found for found, _best in lines]),
                "reasons": lines[0][1]["reasons"],
            }
            for (giver, receiver, policy), lines in groups.items()
        ]

    def _tell_nobody(self, decided):
        """Return, by role, what nobody could take over."""
        groups = defaultdict(list)
        for found, _candidates, code in decided:
            if code == "nobody":
                groups[found.occasion.role].append(found)
        roles = self.env["coverage.role"]
        return [
            {
                "role_id": role_id,
                "role": roles.browse(role_id).name,
                "count": len(lines),
                "names": self._get_names(lines),
            }
            for role_id, lines in groups.items()
        ]

    def _get_names(self, found, most=5):
        """Return the names of the first customers and leads."""
        return [
            self.env["coverage.customer" if one.customer_id else "crm.lead"]
            .browse(one.customer_id or one.lead_id)
            .display_name
            for one in found[:most]
        ]

    # === TRIGGERS === #

    def _begin_handoffs(self, company, now, tally, commit):
        """Begin what the policies ask for."""
        decided = self._decide(company, now)
        begin = [(one, found) for one, found, code in decided if code == BEGIN]

        def act(batch):
            self._begin_batch(company, batch, now, tally)

        return self._work_through(begin, BATCH, act, commit)

    def _begin_batch(self, company, batch, now, tally):
        """Begin a batch, passing over what somebody else holds or changed."""
        customers = self.env["coverage.customer"].sudo()
        customers = customers.browse(
            [one.customer_id for one, _c in batch if one.customer_id]
        )
        held = {one.id: one.user_id.id for one in self._lock(customers)}
        batch = [
            (one, found)
            for one, found in batch
            if not one.customer_id or held.get(one.customer_id) == one.occasion.giver
        ]
        deadlines = self._get_deadlines(company, now)
        values = [self._prepare_begin(company, *one, deadlines, now) for one in batch]
        handoffs = self._create_apart(values, tally)
        tally.count += len(handoffs)
        lost = handoffs.filtered(lambda one: one.policy_id.trigger == "lost")
        (handoffs - lost)._tell("from_user_id", "draft")
        self._move(lost, lambda group: self._return_lost(group, now), tally)

    def _get_deadlines(self, company, now):
        """Return by when each policy wants a handoff of today offered."""
        today, shift = company._get_coverage_today(now), self._shift_workdays
        policies = self._get_policies(company)
        days = {
            one: shift(company, today, one)
            for one in {*policies.mapped("handover_days")}
        }
        return {policy: days[policy.handover_days] for policy in policies}

    def _prepare_begin(self, company, found, candidates, deadlines, now):
        """Return the values of a handoff that a policy begins."""
        handoffs, policy = self.env["coverage.handoff"], found.policy
        is_lost = policy.trigger == "lost"
        return {
            **handoffs._prepare_proposal(candidates),
            "customer_id": found.customer_id,
            "lead_id": found.lead_id,
            "company_id": company.id,
            "from_user_id": found.occasion.giver,
            "role_id": found.occasion.role,
            "min_seniority": found.seniority,
            "reason": self._tell_reason(found, now),
            "origin": "handback" if is_lost else "policy",
            "policy_id": policy.id,
            "begin_date": now,
            "date_deadline": deadlines[policy],
            "watch_deal_count": 0 if is_lost else policy.watch_deal_count,
        }

    def _create_apart(self, values, tally):
        """Create handoffs; one that is refused stops nobody else."""
        handoffs = self.env["coverage.handoff"].sudo()

        def refuse(alone, error):
            key = alone[0]["customer_id"] or alone[0]["lead_id"]
            _logger.warning("No handoff is begun for %s: %s", key, error)
            tally.refused.append(key)

        return handoffs.concat(*self._apart(values, handoffs.create, refuse))

    def _return_lost(self, handoffs, now):
        """Give prospects back to nurturing, to be spoken to again on a day."""
        for handoff, user in handoffs._find_nurturers(handoffs, now).items():
            if user and user != handoff.to_user_id:
                handoff.to_user_id = user
        handoffs._take(now)
        groups = handoffs.grouped(lambda one: (one.company_id, one.policy_id))
        for (company, policy), group in groups.items():
            today = company._get_coverage_today(now)
            until = fields.Date.add(today, days=policy.retry_days - 1)
            for reason, same in group.grouped("reason").items():
                same.customer_id._pause(until, {"code": "lost", "text": reason})

    # === DEADLINES === #

    def _search_handoffs(self, company, domain):
        """Return the ids of handoffs of a company, those of equal people together.

        They change hands together: the fewer pairs in a batch, the fewer queries.
        """
        handoffs = self.env["coverage.handoff"].sudo()
        domain = Domain("company_id", "=", company.id) & domain
        found = handoffs.search_fetch(domain, ["from_user_id", "to_user_id"])
        return found.sorted(
            lambda one: (one.from_user_id.id, one.to_user_id.id, one.id)
        ).ids

    def _work_on(self, company, domain, act, tally, commit, ids=None):
        """Call ``act`` on batches of handoffs that nobody else holds.

        Each is looked at again when it is held: another run may have been faster.

        :param ids: only these of them
        """
        if ids is None:
            ids = self._search_handoffs(company, domain)

        def act_on(batch):
            handoffs = self.env["coverage.handoff"].sudo().browse(batch).exists()
            held = self._lock_handoffs(handoffs)
            self._move(held.filtered_domain(domain), act, tally)

        return self._work_through(ids, BATCH, act_on, commit)

    def _lock_handoffs(self, handoffs):
        """Return those that this transaction now holds, with their customers."""
        held = handoffs.try_lock_for_update(allow_referencing=True)
        customers = self._lock(held.customer_id)
        return held.filtered(lambda one: one.customer_id <= customers)

    def _move(self, handoffs, act, tally):
        """Call ``act``; a handoff that is refused stops nobody else."""

        def refuse(handoff, error):
            _logger.warning("Handoff %s stays as it is: %s", handoff.id, error)
            tally.refused.append(handoff.id)

        self._apart(handoffs, act, refuse)

    def _cancel_void(self, company, now, tally, commit):
        """Cancel what can change hands no longer: archived, closed, or another's."""
        domain = Domain("state", "in", ("draft", "offered"))
        ids = self._search_handoffs(company, domain)
        handoffs = self.env["coverage.handoff"].sudo().browse(ids)
        void = handoffs.filtered(lambda one: one._is_void())

        def cancel(group):
            group._close("cancelled", self.env._("Nothing is left to hand over."), now)

        return self._work_on(company, domain, cancel, tally, commit, void.ids)

    def _remind(self, company, now, tally, commit):
        """Remind of deadlines that are near, once, by a line on the list."""
        today = company._get_coverage_today(now)
        domain = Domain("state", "in", ("draft", "offered")) & UNCALLED
        domain &= Domain("reminded_date", "=", False)
        ids = self._search_handoffs(company, domain)
        handoffs = self.env["coverage.handoff"].sudo().browse(ids)
        near = handoffs.browse()
        for (_company, days), group in handoffs._group_by_term("reminder_days").items():
            for due, equal in group.grouped("due_date").items():
                if days and due and today <= due:
                    start = handoffs._shift_workdays(company, due, -days)
                    near += equal if today >= start else near.browse()

        def remind(group):
            group.reminded_date = today
            for state, name in (("draft", "from_user_id"), ("offered", "to_user_id")):
                late = group.filtered(lambda one, state=state: one.state == state)
                late._tell(name, state)

        return self._work_on(company, domain, remind, tally, commit, near.ids)

    def _pass_giver_deadlines(self, company, now, tally, commit):
        """Transfer what givers did not hand over in time, or call their leaders."""
        today = company._get_coverage_today(now)
        domain = Domain("state", "=", "draft") & UNCALLED
        domain &= Domain("date_deadline", "<", today)

        def act(handoffs):
            ready, called = handoffs.browse(), handoffs.browse()
            for (_company, rule), group in handoffs._group_by_term(
                "on_giver_late"
            ).items():
                able = group.browse()
                if rule == TRANSFER:
                    able = group._choose_receivers(now)
                for handoff in group:
                    code = after_giver_late(rule, handoff in able)
                    if code == TRANSFER:
                        ready += handoff
                    else:
                        called += handoff
            ready._take(now)
            called._call()

        return self._work_on(company, domain, act, tally, commit)

    def _pass_receiver_deadlines(self, company, now, tally, commit):
        """Offer to the next, transfer, or call the leaders, as the policies say."""
        today = company._get_coverage_today(now)
        domain = Domain("state", "=", "offered") & UNCALLED
        domain &= Domain("accept_deadline", "<", today)

        def act(handoffs):
            obstacles = handoffs._find_obstacles(company, now)
            proposals = self._propose_next(handoffs, now)
            groups = defaultdict(handoffs.browse)
            for (_company, rule), group in handoffs._group_by_term(
                "on_receiver_late"
            ).items():
                for handoff in group:
                    receiver = handoff.to_user_id
                    is_able = (
                        handoff._is_able(receiver) and receiver.id not in obstacles
                    )
                    has_next = bool(proposals.get(handoff))
                    code = after_receiver_late(rule, is_able, has_next)
                    groups[code] += handoff
            self._pass_on(groups, proposals, now)

        return self._work_on(company, domain, act, tally, commit)

    def _propose_next(self, handoffs, now):
        """Return candidates of those handoffs that go to the next."""
        groups = handoffs._group_by_term("on_receiver_late")
        wanting = handoffs.browse().concat(
            *(group for (_company, rule), group in groups.items() if rule == NEXT)
        )
        return wanting._propose(now)

    def _pass_on(self, groups, proposals, now):
        """Do with offers that were not answered what their policies say."""
        for code, group in groups.items():
            if code == TRANSFER:
                group._take(now)
            elif code == NEXT:
                group._offer_next(now, proposals)
            elif code == EXPIRE:
                group._close("expired", None, now)
                group._tell("from_user_id", "expired")
            else:
                group._call()

    # === AFTERWARDS === #

    def _follow_watches(self, company, now, tally, commit):
        """Count watched deals, ask for looks that are due, and end what is over."""
        today = company._get_coverage_today(now)
        domain = Domain("state", "in", ("accepted", "watched"))

        def act(handoffs):
            watched = handoffs.filtered(lambda one: one.state == "watched")
            if watched:
                watched._count_deals()
                watched._settle_watch(now)
            due = watched.filtered(
                lambda one: (
                    one.state == "watched"
                    and one.next_look_date
                    and one.next_look_date <= today
                    and not one.reminded_date
                )
            )
            due._tell("from_user_id", "look")
            due.reminded_date = today
            settled = (handoffs - watched).filtered(
                lambda one: (one.handback_deadline or one.accepted_date) < today
            )
            if settled:
                settled._complete(None, now)

        return self._work_on(company, domain, act, tally, commit)

    def _follow_owners(self, company, now, tally, commit):
        """Free registrations that lapsed, and tell bosses of leads that overstay."""

        def act(_batch):
            self.env["coverage.customer"].sudo()._lapse_registrations(company, now)
            self.env["coverage.stage.owner"].sudo()._tell_overstays(company, now)

        return self._work_through([company.id], 1, act, commit)
