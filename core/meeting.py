"""Who sits together, on which days, and what the best of a group do differently."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import combinations
from math import ceil, sqrt
from statistics import fmean

from .records import Key

LEAST, MOST = 3, 7  # people at a table
NOTEWORTHY = 1.25  # a practice that differs by less is no practice
SHARES = "share:"  # practices that are shares of the contacts, by channel
TOLD = 5
BETTER = {"per_a": 1, "reaction": -1}  # more of it, or less; else there is no better


# === WHO SITS TOGETHER === #


def similarity(one: Mapping[Key, float], other: Mapping[Key, float]) -> float:
    """Return how alike two people sell, 0–1: the cosine of what they sell to whom.

    >>> round(similarity({"tea": 1, "cups": 1}, {"tea": 2}), 2)
    0.71
    """
    product = sum(weight * other.get(key, 0.0) for key, weight in one.items())
    norm = sqrt(
        sum(weight * weight for weight in one.values())
        * sum(weight * weight for weight in other.values())
    )
    return product / norm if norm else 0.0


def sizes(count: int, wanted: int) -> list[int]:
    """Return how many people each group has: three to seven, as equal as can be.

    Two people make one group, with their leader at the table; one makes none. Where
    groups of the wanted size would leave a table of two, the groups are larger.

    >>> sizes(8, 7), sizes(5, 3), sizes(2, 5), sizes(1, 5)
    ([4, 4], [5], [2], [])
    """
    if count < LEAST:
        return [count] if count == LEAST - 1 else []
    groups = min(ceil(count / max(LEAST, min(wanted, MOST))), count // LEAST)
    size, more = divmod(count, groups)
    return [size + 1] * more + [size] * (groups - more)


def group(people: Mapping[Key, Mapping[Key, float]], wanted: int) -> list[list[Key]]:
    """Return groups of people who are alike, each sorted, the first by its first key.

    Each group begins with who is least like the others left, for he has the fewest
    neighbours; then who is most like the group joins. Swaps that make both groups more
    alike follow. Ties go to the lower key: the same people always sit together.
    """
    left = sorted(people)
    near = {
        frozenset(pair): similarity(people[pair[0]], people[pair[1]])
        for pair in combinations(left, 2)
    }
    groups = []
    for size in sizes(len(left), wanted):
        table = [min(left, key=lambda one: (_closeness(one, left, near), one))]
        left.remove(table[0])
        while len(table) < size:
            nearest = max(left, key=lambda one: _closeness(one, table, near))
            table.append(nearest)
            left.remove(nearest)
        groups.append(table)
    _swap(groups, near)
    return sorted(sorted(table) for table in groups)


def _closeness(one: Key, table: Iterable[Key], near: Mapping) -> float:
    """Return how alike one person is to the others of a table, summed."""
    return sum(near[frozenset((one, other))] for other in table if other != one)


def _swap(groups: list[list[Key]], near: Mapping) -> None:
    """Let people change tables as long as both tables together get more alike."""
    for _round in range(len(groups) * MOST):
        if not any(
            _swap_best(one, other, near) for one, other in combinations(groups, 2)
        ):
            return


def _swap_best(one: list[Key], other: list[Key], near: Mapping) -> bool:
    """Make the best swap between two tables; return whether there was one."""
    best, chosen = 1e-9, None
    for here in sorted(one):
        for there in sorted(other):
            twice = 2 * near[frozenset((here, there))]
            gain = _closeness(there, one, near) + _closeness(here, other, near) - twice
            gain -= _closeness(here, one, near) + _closeness(there, other, near)
            if gain > best:
                best, chosen = gain, (here, there)
    if chosen is None:
        return False
    here, there = chosen
    one[one.index(here)], other[other.index(there)] = there, here
    return True


# === ON WHICH DAYS === #


def days_ahead(first: date, weeks: int, today: date, ahead: int) -> list[date]:
    """Return the days of a series from ``today`` on, at most ``ahead`` days away.

    >>> days_ahead(date(2030, 1, 7), 2, date(2030, 1, 10), 14)
    [datetime.date(2030, 1, 21)]
    """
    step = timedelta(weeks=max(1, weeks))
    passed = max(0, ceil((today - first) / step))
    days, day = [], first + passed * step
    while day <= today + timedelta(days=ahead):
        days.append(day)
        day += step
    return days


# === WHAT THE BEST DO DIFFERENTLY === #


@dataclass(frozen=True, slots=True)
class Person:
    """What one seller achieves, and how he works.

    :param outcomes: by code, the higher the better; absent while nothing is known
    :param practices: by code; ``share:call`` is the share of calls in the contacts
    """

    key: Key
    outcomes: Mapping[str, float] = field(default_factory=dict)
    practices: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """One practice in which those best at something differ from the others."""

    outcome: str
    practice: str
    best: float
    rest: float

    @property
    def ratio(self) -> float:
        """How many times the larger value is the smaller one."""
        small, large = sorted((self.best, self.rest))
        if large == small:
            return 1.0
        return large / small if small else float("inf")


def differences(people: Sequence[Person]) -> list[Difference]:
    """Return in what the best differ, the clearest difference first; no names.

    The best third at an outcome are compared with the others. Nothing is told of fewer
    than three people with an outcome, of equals, or of what differs by less than a
    quarter (shares: by less than ten points); nor where the best do less of what is
    good: who has cold customers calls them more. A practice is told once, for the
    outcome with which it differs most.
    """
    found: dict[str, Difference] = {}
    for outcome in sorted({code for one in people for code in one.outcomes}):
        for one in _compare(people, outcome):
            known = found.get(one.practice)
            if known is None or one.ratio > known.ratio:
                found[one.practice] = one
    ranked = sorted(found.values(), key=lambda one: (-one.ratio, one.practice))
    return ranked[:TOLD]


def _compare(people: Sequence[Person], outcome: str) -> list[Difference]:
    """Return the practices in which the best third at one outcome differ."""
    known = [one for one in people if outcome in one.outcomes]
    if len(known) < LEAST:
        return []
    known.sort(key=lambda one: (-one.outcomes[outcome], one.key))
    count = max(1, len(known) // 3)
    if known[0].outcomes[outcome] <= known[-1].outcomes[outcome]:
        return []
    best, rest = known[:count], known[count:]
    practices = sorted({code for one in known for code in one.practices})
    compared = (_difference(best, rest, outcome, code) for code in practices)
    return [one for one in compared if one]


def _difference(best, rest, outcome: str, code: str) -> Difference | None:
    """Return how one practice differs, or ``None`` where it hardly does."""
    sides = [
        [one.practices[code] for one in side if code in one.practices]
        for side in (best, rest)
    ]
    if not all(sides):
        return None
    found = Difference(outcome, code, *(fmean(side) for side in sides))
    if code.startswith(SHARES):
        return found if abs(found.best - found.rest) >= 0.1 else None
    is_better = BETTER.get(code, 0) * (found.best - found.rest) >= 0
    return found if is_better and found.ratio >= NOTEWORTHY else None
