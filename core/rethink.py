"""Rethinking an A that turned blue: when it is asked for, and what came of it."""

from dataclasses import dataclass
from datetime import date, timedelta

OPEN, REOPEN, CANCEL = "open", "reopen", "cancel"
WARMED, LEFT, GONE = "warmed", "left", "gone"
RECOVERED, BETTER, UNCHANGED, WORSE = "recovered", "better", "unchanged", "worse"
WAITING = ("open", "answered")
LIVE = (*WAITING, "confirmed")
EPISODE_DAYS = timedelta(days=14)
NOTICEABLE_RATE = 0.1  # by so much revenue must differ to be better or worse


@dataclass(frozen=True, slots=True)
class Case:
    """One customer, and its last rethink.

    :param is_top: whether it is of the highest segment
    :param is_blue: whether its temperature is one of the two coldest
    :param has_turned: whether it became blue today, from a warmer level
    :param state: of its last rethink; ``None`` without one
    :param ended: day on which that one was cancelled or closed
    """

    is_top: bool
    is_blue: bool
    has_turned: bool = False
    is_active: bool = True
    state: str | None = None
    ended: date | None = None


def decide(case: Case, is_on: bool, today: date) -> tuple[str, str] | None:
    """Return what becomes of a customer's rethink and why; ``None``: it stays.

    An episode lasts while its rethink does, and some days longer: who flips between
    blue and mild within them goes on with the same one. What was answered is not
    dropped when the customer warms up: it may be why.

    >>> decide(Case(True, True, has_turned=True), True, date(2030, 6, 3))
    ('open', 'turned')
    """
    if case.state in LIVE:
        return _end(case)
    if not (is_on and case.is_active and case.is_top and case.is_blue):
        return None
    if case.state == "cancelled" and case.ended and today - case.ended <= EPISODE_DAYS:
        return REOPEN, "again"
    return (OPEN, "turned") if case.has_turned else None


def _end(case: Case) -> tuple[str, str] | None:
    """Return why a rethink that nobody decided on ends, if it does."""
    if case.state not in WAITING:
        return None
    if not case.is_active:
        return CANCEL, GONE
    if not case.is_top:
        return CANCEL, LEFT
    if case.state == "open" and not case.is_blue:
        return CANCEL, WARMED
    return None


def verdict(is_blue: bool, before: float, after: float) -> str:
    """Return what came of a rethink, from two spans of equal length.

    :param is_blue: whether the customer is still, or again, blue
    :param before: revenue of the days up to the confirmation
    :param after: revenue of as many days after it
    """
    if not is_blue:
        return RECOVERED
    least = NOTICEABLE_RATE * before
    if after - before > least:
        return BETTER
    return WORSE if before - after > least else UNCHANGED
