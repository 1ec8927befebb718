"""Who gets which customer: who enters, who may receive, and the best of all plans.

A customer enters by value while the revenue at risk stays within its budget. Among
those that entered, as many as possible move, the most valuable first, to whom they fit
best, each person's further customer costing more the fuller he is: a min-cost flow.

Contacts a month make it a packing problem where they bind, since customers ask for
different numbers of them, and no flow solves that. Then a person's contacts are dealt
into *seats*, those of frequent contacts first, and what a plan leaves free is dealt
again; small plans are then packed exactly. ``Plan.is_exact`` says whether nothing is
better. Else the plan is the best for its seats. No limit is exceeded in any case.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from .candidate import (
    EPSILON,
    STRANGER,
    WEIGHTS,
    Candidate,
    Need,
    Relation,
    Weights,
    refusal,
    score,
)
from .records import Key

# Why a customer stays where it is, in this order
STAYS = (
    "budget_run",
    "budget_giver",
    "nobody",
    "run_limit",
    "giver_limit",
    "full",
)
FORMER = "former"
WORTH_RATE = 0.001  # a better plan that is worth another look

People = Mapping[Key, Mapping[Key, Candidate]]
Relations = Mapping[Key, Mapping[Key, Relation]]


@dataclass(frozen=True, slots=True)
class Subject:
    """One customer that needs another owner.

    :param group: which people may take it, see ``People``
    :param value: what is at stake; who is worth more comes first
    :param revenue: of 12 months, at risk when its owner changes; 0 without an owner
    :param forced: who gets it in any case, as a manager says
    """

    need: Need
    group: Key
    value: float = 0.0
    revenue: float = 0.0
    forced: Key | None = None

    @property
    def key(self):
        return self.need.key


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one run may move; ``None``: no limit.

    :param revenue: of 12 months, of all that leave an owner
    :param giver_revenue: the same by giver
    :param spent: revenue by giver that earlier runs of these 30 days have moved
    """

    moves: int | None = None
    giver_moves: int | None = None
    revenue: float | None = None
    giver_revenue: Mapping[Key, float] | None = None
    spent: Mapping[Key, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of one customer.

    :param receiver: who gets it; ``None``: it stays, because of ``code``
    :param code: of ``STAYS``, or ``forced``; for ``nobody`` see ``refusals``
    :param reasons: codes of what speaks for the receiver
    :param second: who would fit second best, with the score
    :param refusals: why the people could not take it, most frequent first
    """

    key: Key
    receiver: Key | None = None
    code: str | None = None
    score: float = 0.0
    reasons: tuple[str, ...] = ()
    second: tuple[Key, float] | None = None
    refusals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Outcomes in the order of their subjects.

    :param cost: of the plan in points: the lower, the better they fit
    :param is_exact: whether no other plan is better
    """

    outcomes: tuple[Outcome, ...]
    cost: int = 0
    is_exact: bool = True


# === WHO ENTERS === #


def admit(
    subjects: Iterable[Subject], limits: Limits
) -> tuple[list[Subject], dict[Key, str]]:
    """Return who enters, the most valuable first, and why the others wait.

    Exactly the budgets: one that does not fit lets smaller ones pass.
    """
    left = _left(limits.revenue, sum(limits.spent.values()))
    left_by_giver = {
        giver: _left(_budget(limits, giver), limits.spent.get(giver, 0.0))
        for giver in {one.need.owner for one in subjects}
    }
    entered, waiting = [], {}
    for one in sorted(subjects, key=lambda one: (-one.value, one.key)):
        giver, revenue = one.need.owner, max(0.0, one.revenue)
        is_free = one.forced is not None or not revenue
        if not is_free and revenue > left + EPSILON:
            waiting[one.key] = "budget_run"
        elif not is_free and revenue > left_by_giver[giver] + EPSILON:
            waiting[one.key] = "budget_giver"
        else:
            entered.append(one)
            left -= revenue
            left_by_giver[giver] -= revenue
    return entered, waiting


def _budget(limits: Limits, giver: Key) -> float | None:
    if limits.giver_revenue is None:
        return None
    return limits.giver_revenue.get(giver, 0.0)


def _left(budget: float | None, spent: float) -> float:
    return float("inf") if budget is None else max(0.0, budget - spent)


# === WHO GETS WHAT === #


def assign(
    subjects: Iterable[Subject],
    people: People,
    relations: Relations,
    limits: Limits | None = None,
    weights: Weights | None = None,
) -> Plan:
    """Return the best plan for these customers; the same input, the same plan.

    :param people: by the groups that the subjects name
    :param relations: of customers and people that met, by their keys
    """
    subjects, limits, weights = list(subjects), limits or Limits(), weights or WEIGHTS
    entered, waiting = admit(subjects, limits)
    forced = {one.key: one for one in entered if _is_forced(one, people)}
    people = _seat_forced(forced.values(), people)
    rest = [one for one in entered if one.key not in forced]
    from .flow import Network  # the solver: nobody else pays for loading it

    network = Network(rest, people, relations, limits, weights)
    chosen, cost, is_exact = _solve(network)
    teller = _Teller(people, relations, weights, network, chosen)
    outcomes = [
        teller.tell_waiting(one, waiting[one.key])
        if one.key in waiting
        else teller.tell_forced(one)
        if one.key in forced
        else teller.tell(one)
        for one in subjects
    ]
    return Plan(tuple(outcomes), cost, is_exact)


def _is_forced(subject: Subject, people: People) -> bool:
    """Return whether the person whom a manager names can own anything here at all."""
    person = people.get(subject.group, {}).get(subject.forced)
    if person is None or subject.forced == subject.need.owner:
        return False
    return not (person.is_archived or person.is_external or person.is_foreign)


def _seat_forced(forced: Iterable[Subject], people: People) -> People:
    """Return the people with what a manager gives them already in their hands."""
    taken = defaultdict(list)
    for one in forced:
        taken[one.forced].append(one.need)
    if not taken:
        return people
    return {
        group: {key: _fill(one, taken[key]) for key, one in members.items()}
        for group, members in people.items()
    }


def _fill(person: Candidate, needs: list[Need]) -> Candidate:
    if not needs:
        return person
    return replace(
        person,
        load=person.load + sum(one.load for one in needs),
        customer_count=person.customer_count + len(needs),
        a_count=person.a_count + sum(one.is_a for one in needs),
        lead_room=max(0, person.lead_room - sum(one.lead_count for one in needs)),
    )


def _solve(network) -> tuple[dict[Key, Key], int, bool]:
    """Return ``{subject: receiver}``, the cost, and whether nothing is better.

    First as if contacts and leads did not matter; if nobody has too many then, that is
    it. Else in seats, and, where it is small enough, exactly.
    """
    from .flow import Seats
    from .packing import pack

    chosen, cost = network.solve(Seats.generous(network))
    if network.fits(chosen):
        return chosen, cost, True
    chosen, cost = _solve_in_seats(network, Seats.dealt(network))
    best = pack(network, chosen)
    return (*best, True) if best else (chosen, cost, False)


def _solve_in_seats(network, seats):
    """Return plan and cost for seats, dealt anew as long as that is worth it."""
    chosen, cost = network.solve(seats)
    while True:
        seats = seats.deal_again(network, network.count_by_leaf(chosen))
        better, less = network.solve(seats)
        if less >= cost:
            return chosen, cost
        is_enough = cost - less < WORTH_RATE * abs(less)
        chosen, cost = better, less
        if is_enough:
            return chosen, cost


# === WHY === #


class _Teller:
    """Says of each customer why it goes where it goes, or stays."""

    def __init__(self, people, relations, weights, network, chosen):
        self.people, self.relations, self.weights = people, relations, weights
        self.network, self.chosen = network, chosen
        self.moves = Counter()
        for one in network.subjects:
            if one.key in chosen:
                self.moves[one.need.owner] += 1
        self.scores: dict = {}

    def tell_waiting(self, subject: Subject, code: str) -> Outcome:
        return Outcome(subject.key, code=code)

    def tell_forced(self, subject: Subject) -> Outcome:
        points, reasons = self._score(subject, subject.forced)
        return Outcome(subject.key, subject.forced, "forced", points, reasons)

    def tell(self, subject: Subject) -> Outcome:
        receiver = self.chosen.get(subject.key)
        if receiver is None:
            return self._tell_stay(subject)
        points, reasons = self._score(subject, receiver)
        second = self.network.find_second(subject, receiver)
        if second is not None:
            second = (second, self._score(subject, second)[0])
        return Outcome(subject.key, receiver, None, points, reasons, second)

    def _tell_stay(self, subject: Subject) -> Outcome:
        limits, owner = self.network.limits, subject.need.owner
        if not self.network.is_takeable(subject.key):
            refusals = self._refusals(subject)
            return Outcome(subject.key, code="nobody", refusals=refusals)
        code = "full"
        if limits.moves is not None and self.moves.total() >= limits.moves:
            code = "run_limit"
        elif self._has_given_enough(owner):
            code = "giver_limit"
        return Outcome(subject.key, code=code)

    def _has_given_enough(self, owner: Key | None) -> bool:
        most = self.network.limits.giver_moves
        return owner is not None and most is not None and self.moves[owner] >= most

    def _refusals(self, subject: Subject) -> tuple[str, ...]:
        relations = self.relations.get(subject.key, {})
        codes = Counter()
        for key, person in self.people.get(subject.group, {}).items():
            code = refusal(subject.need, person)
            if code is None and relations.get(key, STRANGER).is_former:
                code = FORMER
            codes[code] += 1
        return tuple(
            code
            for code, _count in sorted(
                codes.items(), key=lambda item: (-item[1], item[0] or "")
            )
            if code and code != "owner"
        )

    def _score(self, subject: Subject, key: Key) -> tuple[float, tuple[str, ...]]:
        """Return score and reasons; strangers of alike customers are alike."""
        relation = self.relations.get(subject.key, {}).get(key, STRANGER)
        person = self.people[subject.group][key]
        if relation != STRANGER:
            return score(subject.need, person, relation, self.weights)
        alike = replace(subject.need, key=None, owner=None)
        if (alike, key) not in self.scores:
            self.scores[alike, key] = score(alike, person, STRANGER, self.weights)
        return self.scores[alike, key]
