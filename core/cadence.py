"""The contact rhythm: when to speak to somebody again, and with what urgency."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil

from .records import Contacts, Key, Rules, SegmentRule

EMAIL = "email"
ON_TIME, DUE, OVERDUE, PAUSED = "on_time", "due", "overdue", "paused"
UNRATED, START, OWNED, INTERVAL, UNPROVEN = (
    "unrated",
    "start",
    "owned",
    "interval",
    "unproven",
)
MONTH_DAYS = 30
SATURDAY = 5
LOWEST_WEIGHT = 0.1
MOST_MISSED = 2  # intervals
EPSILON = 1e-9


def next_contact(
    contacts: Contacts,
    segment: SegmentRule | None,
    interval_days: int,
    rules: Rules,
) -> date | None:
    """Return the day by which a customer should be spoken to; None while unrated.

    Says the same on every day, so that nights write nothing; see
    :func:`explain_contact` for the rule.
    """
    return explain_contact(contacts, segment, interval_days, rules)[0]


def explain_contact(
    contacts: Contacts,
    segment: SegmentRule | None,
    interval_days: int,
    rules: Rules,
) -> tuple[date | None, str]:
    """Return the day of the next contact, and the code of what sets it.

    Last fulfilling contact + interval. Where proof is needed, a contact noted by hand
    only pauses the clock for some days. Who was never spoken to is due on the day it
    was given when the rhythm was switched on, else since it has its owner; without
    either there is no day.
    """
    if segment is None:
        return None, UNRATED
    done = last_fulfilled(contacts, segment)
    start, spoken = contacts.rhythm_start_date, contacts.last_contact_date
    if done is None:
        due, code = start or contacts.owned_since, START if start else OWNED
    else:
        due, code = done + timedelta(days=interval_days), INTERVAL
        if start and start > due:
            due, code = start, START
    if segment.needs_proof and spoken and (done is None or spoken > done):
        pause = timedelta(days=min(rules.unproven_days, interval_days))
        if due is None or spoken + pause > due:
            due, code = spoken + pause, UNPROVEN
    alone = contacts.leave_alone_until
    if alone and (due is None or alone >= due):
        due, code = alone + timedelta(days=1), PAUSED
    return due, code


def last_fulfilled(contacts: Contacts, segment: SegmentRule) -> date | None:
    """Return the day of the last contact that counts in full for this segment."""
    done = contacts.last_contact_date
    if segment.needs_proof:
        done = contacts.last_proven_date
    if segment.channel == EMAIL and contacts.last_email_date:
        done = max(done or contacts.last_email_date, contacts.last_email_date)
    return done


def contact_state(
    next_date: date | None, paused_until: date | None, lead_days: int, today: date
) -> str | None:
    """Return on_time, due (within ``lead_days``), overdue or paused; or None."""
    if next_date is None:
        return None
    if paused_until and paused_until >= today:
        return PAUSED
    if next_date < today:
        return OVERDUE
    return DUE if next_date <= today + timedelta(days=lead_days) else ON_TIME


def retry_on(
    last_attempt: date | None, last_contact: date | None, retry_days: int
) -> date | None:
    """Return the day on which to try again after an attempt without answer."""
    if last_attempt is None or (last_contact and last_contact >= last_attempt):
        return None
    return last_attempt + timedelta(days=retry_days)


def stake(
    potential: float,
    revenue: float,
    days_late: int,
    interval_days: int,
    weight: float,
) -> float:
    """Return what is at stake with a customer: the order of My Day.

    Potential not yet earned × lateness × segment: lateness is 1 on the day and grows
    by 1 with every interval missed, up to 3: whoever was forgotten for years does not
    come before a far larger one. Weight is the segment's typical share (0–1), at least
    a tenth.
    """
    lateness = 1 + min(MOST_MISSED, max(0, days_late) / max(1, interval_days))
    return max(0.0, potential - revenue) * lateness * max(LOWEST_WEIGHT, weight)


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A customer that has no place in the rhythm yet."""

    key: Hashable
    owner: Hashable
    segment: Key
    potential: float
    interval_days: int
    next_date: date | None


def spread(newcomers: Iterable[Newcomer], today: date) -> dict[Hashable, date]:
    """Return the first day of each newcomer, so that nobody is flooded.

    Those not due yet keep their day. Those due by now, or never given a day, are
    spread evenly over the working days of the interval, per owner and segment, the
    best first; ties by key.
    """
    days, waiting = {}, {}
    for one in newcomers:
        if one.next_date and one.next_date > today:
            days[one.key] = one.next_date
        else:
            waiting.setdefault((one.owner, one.segment, one.interval_days), []).append(
                one
            )
    for (_owner, _segment, interval), group in waiting.items():
        group.sort(key=lambda one: (-one.potential, one.key))
        open_days = workdays(today, interval)
        for rank, one in enumerate(group):
            days[one.key] = open_days[rank * len(open_days) // len(group)]
    return days


def workdays(start: date, count: int) -> list[date]:
    """Return the working days among so many days from ``start``; at least one."""
    days = (start + timedelta(days=number) for number in range(count))
    return [day for day in days if day.weekday() < SATURDAY] or [workday(start)]


def workday(day: date) -> date:
    """Return the day, or the Monday after it at the weekend."""
    is_weekend = day.weekday() >= SATURDAY
    return day + timedelta(days=7 - day.weekday()) if is_weekend else day


def owed_per_month(interval_days: int) -> float:
    """Return how many contacts a customer is owed in 30 days: its load."""
    return MONTH_DAYS / interval_days if interval_days else 0.0


def left_out(owed: Iterable[tuple[Hashable, float, float]], capacity: float) -> list:
    """Return the keys that a capacity does not reach, the least valuable first.

    :param owed: ``(key, potential, contacts owed per month)`` of one seller's customers
    :param capacity: contacts per month
    """
    ranked = sorted(owed, key=lambda one: (-one[1], one[0]))
    used = 0.0
    for position, (_key, _potential, count) in enumerate(ranked):
        used += count
        if used > capacity + EPSILON:
            return [key for key, _potential, _count in reversed(ranked[position:])]
    return []


def seats(owed: float, capacity: float) -> int:
    """Return how many sellers of this capacity it takes to keep the rhythm."""
    return ceil(owed / capacity - EPSILON) if capacity > 0 else 0
