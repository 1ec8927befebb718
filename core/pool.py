"""What a seller is offered from the pool, and who gets what is handed out."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from .candidate import Candidate, Need, Relation, Weights, rank, refusal
from .records import Key

MAIN_RHYTHM = 30 / 90  # contacts a month that a B or a C asks for


@dataclass(frozen=True, slots=True)
class Offer:
    """One free customer or lead, for one seller.

    :param rank: place of its segment, 0 being the highest; ``None`` while unrated
    :param value: what it could bring: a potential, or an expected revenue
    :param score: how well it fits the seller, 0–100, by ``core.candidate``
    """

    key: Key
    rank: int | None
    value: float
    score: float


def order(offers: Iterable[Offer]) -> list[Offer]:
    """Return offers in the order in which they are made: value first, fit second.

    Value counts in classes, so that the fit has a say: an A before a B before a C
    before a D before what is unrated. Within a class the better fit comes first, of
    equal fits the higher value, of equal values the lower id.
    """
    return sorted(
        offers,
        key=lambda one: (
            one.rank is None,
            one.rank or 0,
            -one.score,
            -one.value,
            one.key,
        ),
    )


def take_on(need: Need, candidate: Candidate) -> Candidate:
    """Return somebody as he is after he took one more customer or lead."""
    if need.is_lead:
        return replace(candidate, lead_room=candidate.lead_room - 1)
    return replace(
        candidate,
        customer_count=candidate.customer_count + 1,
        a_count=candidate.a_count + need.is_a,
        load=candidate.load + need.load,
        lead_room=candidate.lead_room - need.lead_count,
    )


def room(candidate: Candidate) -> int | None:
    """Return how many more customers somebody can take; ``None`` without a limit.

    By the contacts a month that are left, as many as are kept like a B or a C.
    """
    limits = []
    if candidate.max_customer_count:
        limits.append(candidate.max_customer_count - candidate.customer_count)
    if candidate.capacity:
        free = candidate.capacity - candidate.load
        limits.append(int(free / MAIN_RHYTHM + 1e-9))
    return max(0, min(limits)) if limits else None


def hand_out(
    needs: Iterable[Need],
    candidates: Mapping[Key, Candidate],
    relations_of: Callable[[Key], Mapping[Key, Relation]],
    weights: Weights | None = None,
) -> dict[Key, Key | None]:
    """Return who gets each, in this order: who fits best and has room left by then.

    Never who had it until lately. ``None``: nobody could take it.
    """
    people, given = dict(candidates), {}
    for need in needs:
        relations = relations_of(need.key)
        able = [
            one
            for one in rank(need, people.values(), relations, weights)
            if not is_former(relations, one.key)
        ]
        best = able[0].key if able else None
        given[need.key] = best
        if best is not None:
            people[best] = take_on(need, people[best])
    return given


def fill(
    needs: Iterable[Need], candidate: Candidate
) -> tuple[int, Candidate, Need | None, str | None]:
    """Return how many of these one person can take, in this order.

    With the person as he is by then, the first that does not fit, and why not.
    Somebody chose him: neither role nor seniority is asked for.
    """
    count, candidate = 0, replace(candidate, seniority=0)
    for need in needs:
        if code := refusal(replace(need, seniority=0), candidate):
            return count, candidate, need, code
        count, candidate = count + 1, take_on(need, candidate)
    return count, candidate, None, None


def is_former(relations: Mapping[Key, Relation], key: Key) -> bool:
    """Return whether somebody had it within the last months, and has it no more."""
    relation = relations.get(key)
    return bool(relation and relation.is_former)
