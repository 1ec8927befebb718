"""When customers change hands: who must, by when, what if not, and the watch after."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

TRANSFER, LEADER, NEXT, EXPIRE = "transfer", "leader", "next", "expire"
BEGIN, PROTECTED, NOBODY, TOMORROW = "begin", "protected", "nobody", "tomorrow"
SATURDAY = 5
LEAST_WATCH_DAYS = 90
GRACE_DAYS = 30


def is_weekday(day: date) -> bool:
    """Return whether a day is from Monday to Friday."""
    return day.weekday() < SATURDAY


def shift_workdays(day: date, count: int, is_working: Callable[[date], bool]) -> date:
    """Return the working day that is so many after a day; before it, if negative.

    The day itself does not count, whether it is worked or not.
    """
    step = timedelta(days=1 if count > 0 else -1)
    left = abs(count)
    while left:
        day += step
        left -= is_working(day)
    return day


def parse_looks(text: str | None) -> tuple[int, ...]:
    """Return the days of "30, 60, 90" in rising order.

    :raises ValueError: for anything but whole numbers from 1 on
    """
    days = sorted({int(part) for part in (text or "").split(",") if part.strip()})
    if days and days[0] < 1:
        raise ValueError(text)
    return tuple(days)


# === DEADLINES === #


def after_giver_late(rule: str, has_receiver: bool) -> str:
    """Return what happens when the giver did not hand over: transfer or leader."""
    return TRANSFER if rule == TRANSFER and has_receiver else LEADER


def after_receiver_late(rule: str, is_able: bool, has_next: bool) -> str:
    """Return what happens when the receiver did not answer.

    :param is_able: whether the receiver is there and has room
    :param has_next: whether there is somebody else to offer it to
    """
    if rule == EXPIRE:
        return EXPIRE
    if rule == TRANSFER and is_able:
        return TRANSFER
    return NEXT if rule == NEXT and has_next else LEADER


# === WHAT BEGINS === #


@dataclass(frozen=True, slots=True)
class Occasion:
    """A customer or lead that a policy says should change hands.

    :param subject: what changes hands; one policy, the first, decides on it
    :param role: the wanted role; ``None``: the rules name none
    :param rank: the least seniority wanted
    :param held: the giver's own seniority in that role; ``None``: does not hold it
    :param is_protected: whether somebody protected it, or asked to leave it alone
    """

    subject: Hashable
    policy: Hashable
    giver: Hashable
    role: Hashable | None
    rank: int
    held: int | None
    is_protected: bool


def fitting(occasions: Iterable[Occasion]) -> list[Occasion]:
    """Return the first occasion of each subject whose giver is not the right one.

    :param occasions: in the order of the policies
    """
    found, seen = [], set()
    for one in occasions:
        is_right = one.held is not None and one.held >= one.rank
        if one.role is None or is_right or one.subject in seen:
            continue
        seen.add(one.subject)
        found.append(one)
    return found


def decide_begin(
    occasions: Iterable[Occasion],
    candidates: Mapping[Hashable, list],
    begun: Mapping[Hashable, int],
    most: Mapping[Hashable, int],
) -> list[str]:
    """Return for each occasion whether it begins now, or why it waits.

    :param candidates: who could take each subject over
    :param begun: how many were begun today, by giver
    :param most: how many may be begun a day and giver, by policy
    """
    counts, codes = dict(begun), []
    for one in occasions:
        count = counts.get(one.giver, 0)
        if one.is_protected:
            code = PROTECTED
        elif not candidates.get(one.subject):
            code = NOBODY
        elif count >= most[one.policy]:
            code = TOMORROW
        else:
            code = BEGIN
            counts[one.giver] = count + 1
        codes.append(code)
    return codes


# === OVERSIGHT === #


@dataclass(frozen=True, slots=True)
class Watch:
    """What the giver has seen of the receiver's first time with a customer."""

    accepted: date
    deals: int
    deals_done: int
    looks: tuple[int, ...]
    looks_done: int


def next_look(watch: Watch) -> date | None:
    """Return the day on which the giver looks again."""
    if watch.looks_done >= len(watch.looks):
        return None
    return watch.accepted + timedelta(days=watch.looks[watch.looks_done])


def looks_past(watch: Watch, today: date) -> int:
    """Return how many looks are behind: done, or followed by the next one's day."""
    reached = sum(watch.accepted + timedelta(days=n) <= today for n in watch.looks)
    return max(watch.looks_done, reached - 1)


def is_over(watch: Watch, today: date) -> bool:
    """Return whether the watch ends: all seen, or long enough waited for it."""
    is_seen = watch.deals_done >= watch.deals and watch.looks_done >= len(watch.looks)
    last = max(watch.looks, default=0)
    days = max(LEAST_WATCH_DAYS, last) + GRACE_DAYS
    return is_seen or today > watch.accepted + timedelta(days=days)
