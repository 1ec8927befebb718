"""Neglect: how long silence may last, who is warned when, and who may be taken away.

Only neglect is automatic: no contact that counts, and too few attempts, within the
term of the segment. Who was tried often enough, or does not order any more, is the
leader's to decide.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from math import ceil

from .cadence import last_fulfilled
from .records import PROSPECT, Key, SegmentRule

OFF, POOL, SILENT, IDLE = "off", "pool", "silent", "idle"
PAUSED, PROTECTED, HANDED, QUOTED, AWAY, UNREACHABLE = EXEMPT = (
    "paused",
    "protected",
    "handed",
    "quoted",
    "away",
    "unreachable",
)
LAST = 3  # rungs of the ladder
LEAD_RUNG = 1  # leads are warned once, on the second rung
LEAST_WON = 10
USUAL_DAYS = 90
LEAST_DAYS = 30
LEAST_AWAY_DAYS = 3
"""How many days an absence lasts at least that starts the clock anew.

A day off would otherwise give the owner the whole term again. While he is away nobody
is warned, however short it is; after that he has all warnings before he loses anything.
"""


@dataclass(frozen=True, slots=True)
class IdleRules:
    """What decides on neglect besides the customer.

    :param contact_days: by segment, how long without contact; 0: as long as it likes
    :param order_days: by segment, how long without order until the leader is asked
    :param prospect_days: the same as ``contact_days`` for who never bought; 0: as long
    :param warning_days: how long before it leaves the owner is warned, falling
    :param switched_on: no clock starts before; ``None``: as if it always had been
    :param observed_until: up to and with this day nobody is warned
    """

    segments: Mapping[Key, SegmentRule]
    contact_days: Mapping[Key, int]
    order_days: Mapping[Key, int] = field(default_factory=dict)
    prospect_days: int = 45
    lead_days: int = 21
    max_attempts: int = 5
    unproven_days: int = 7
    warning_days: tuple[int, int, int] = (14, 7, 1)
    switched_on: date | None = None
    observed_until: date | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    """What is known of the silence of one customer, in the order of the shell's query.

    ``is_snooze``: the pause is the seller's own, which does not start the clock anew.
    ``retry_since`` is the day the leader let the seller go on trying, and
    ``order_kept_since`` the day he left it with him although it does not order.
    ``tried_since`` is the first of the latest days on which it was tried in vain, as
    many as make it unreachable; ``None``: it was tried on fewer. ``away_since`` and
    ``away_until`` are the days of the owner's last absence, if it is over.
    """

    segment: Key | None = None
    lifecycle: str | None = None
    is_owned: bool = True
    last_contact_date: date | None = None
    last_proven_date: date | None = None
    last_email_date: date | None = None
    owned_since: date | None = None
    leave_alone_until: date | None = None
    is_snooze: bool = False
    protected_until: date | None = None
    retry_since: date | None = None
    tried_since: date | None = None
    last_order_date: date | None = None
    longest_silence_days: int = 0
    order_kept_since: date | None = None
    is_away: bool = False
    away_since: date | None = None
    away_until: date | None = None
    is_quoted: bool = False
    is_handed: bool = False
    warning_level: int = 0
    warning_date: date | None = None
    idle_since: date | None = None
    idle_date: date | None = None
    missing_since: date | None = None

    @property
    def marks(self):
        """What neglect made of it before, in the order of ``Verdict.marks``."""
        return (
            self.warning_level,
            self.warning_date,
            self.idle_date,
            self.idle_since,
            self.missing_since,
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What neglect makes of one customer on one day.

    :param code: ``off``, ``pool``, one of ``EXEMPT``, ``silent``, or ``idle``
    :param leaves: the day from which on it may be taken away, if all goes on like this
    :param level: warnings given, today's included
    :param missing_since: the day since which the leader should look why nothing is
        ordered
    """

    code: str
    silent_days: int | None = None
    term_days: int = 0
    leaves: date | None = None
    level: int = 0
    warning_date: date | None = None
    idle_since: date | None = None
    missing_since: date | None = None

    @property
    def marks(self):
        """What is kept of it: warnings and their day, and the days things happen."""
        return (
            self.level,
            self.warning_date,
            self.leaves if self.level else None,
            self.idle_since,
            self.missing_since,
        )


def decide_idle(silence: Silence, rules: IdleRules, today: date) -> Verdict:
    """Return whether a customer is neglected, and which warning is due today.

    Total: whoever cannot be taken away has the code of what stands against it. Deciding
    again on the same day changes nothing more.
    """
    missing = missing_since(silence, rules, today)
    term = term_of(silence, rules)
    if not silence.is_owned:
        return Verdict(POOL)
    if not term:
        return Verdict(OFF, missing_since=missing)
    start = clock_start(silence, rules) or today - timedelta(days=term)
    silent = max(0, (today - start).days)
    if code := exemption(silence, rules, today):
        return Verdict(code, silent, term, missing_since=missing)
    over = _term_over(silence, rules, start, term)
    level, warned = _standing_level(silence, rules, start, over, today)
    level, warned, leaves = _climb(level, warned, over, rules, today)
    if level == LAST and today >= leaves:
        since = silence.idle_since or today
        return Verdict(
            IDLE, silent, term, leaves, level, warned, since, missing_since=missing
        )
    return Verdict(SILENT, silent, term, leaves, level, warned, missing_since=missing)


def term_of(silence: Silence, rules: IdleRules) -> int:
    """Return how many days of silence are allowed; 0: any number.

    Who never bought has the shorter of both terms, unrated ones their own only.
    """
    is_prospect = silence.lifecycle == PROSPECT
    if silence.segment is None:
        return rules.prospect_days if is_prospect else 0
    days = rules.contact_days.get(silence.segment, 0)
    if days and is_prospect and rules.prospect_days:
        return min(days, rules.prospect_days)
    return days


def clock_start(silence: Silence, rules: IdleRules) -> date | None:
    """Return the day from which on silence counts; None where nothing is known."""
    paused = None if silence.is_snooze else silence.leave_alone_until
    days = (
        _last_counted(silence, rules),
        silence.owned_since,
        _away_until(silence),
        silence.retry_since,
        rules.switched_on,
        paused,
    )
    return max((day for day in days if day), default=None)


def exemption(silence: Silence, rules: IdleRules, today: date) -> str | None:
    """Return the code of what stands against taking a customer away; or None."""
    alone, protected = silence.leave_alone_until, silence.protected_until
    conditions = (
        (PAUSED, alone and alone >= today),
        (PROTECTED, protected and protected >= today),
        (HANDED, silence.is_handed),
        (QUOTED, silence.is_quoted),
        (AWAY, silence.is_away),
        (UNREACHABLE, _is_tried(silence, rules, today)),
    )
    return next((code for code, is_met in conditions if is_met), None)


def missing_since(silence: Silence, rules: IdleRules, today: date) -> date | None:
    """Return the day since which orders are missing that the leader should know of.

    Of those that bought, asleep or not: falling asleep is what missing orders look
    like. The present owner has the whole term, longer where the customer's own longest
    silence is; what was missing before the switch is an old story.
    """
    term = rules.order_days.get(silence.segment, 0)
    last = silence.last_order_date
    if not term or not last or not silence.is_owned or _is_observed(rules, today):
        return None
    starts = (last, silence.owned_since, silence.order_kept_since)
    term = max(term, silence.longest_silence_days)
    over = max(day for day in starts if day) + timedelta(days=term)
    if over > today or (rules.switched_on and over < rules.switched_on):
        return None
    return None if exemption(silence, rules, today) else over


def protecting_days(won_days: float | None, won_count: int) -> int:
    """Return how old an open deal may be and still protect its customer.

    :param won_days: the 90th percentile of how long won ones took
    :param won_count: of how many; few say nothing. Where deals are won on the spot, an
        open one still has a month.
    """
    if won_days is None or won_count < LEAST_WON:
        return USUAL_DAYS
    return max(LEAST_DAYS, ceil(won_days))


# === THE LADDER === #


def _last_counted(silence, rules):
    """Return the last contact that counts in full, as the rhythm counts it."""
    segment = rules.segments.get(silence.segment)
    return last_fulfilled(silence, segment) if segment else silence.last_contact_date


def _away_until(silence):
    """Return the last day of the owner's last absence, if it was long enough."""
    begin, end = silence.away_since, silence.away_until
    if not begin or not end or (end - begin).days + 1 < LEAST_AWAY_DAYS:
        return None
    return end


def _is_tried(silence, rules, today):
    """Return whether it was tried often enough within its term; later it is neglect."""
    term, since = term_of(silence, rules), silence.tried_since
    return bool(since and (not term or since > today - timedelta(days=term)))


def _term_over(silence, rules, start, term):
    """Return the day on which the term is over.

    Where proof is needed, a contact noted by hand only puts it off, as it does the next
    contact; at most by another term, however many are noted.
    """
    over, spoken = start + timedelta(days=term), silence.last_contact_date
    segment = rules.segments.get(silence.segment)
    if segment and segment.needs_proof and spoken and spoken > start:
        pause = spoken + timedelta(days=rules.unproven_days)
        over = max(over, min(pause, start + timedelta(days=2 * term)))
    return over


def _standing_level(silence, rules, start, over, today):
    """Return the warnings that still hold, and the day of the last one.

    They are void when the clock started since, or the end is farther than the first.
    """
    warned = silence.warning_date
    first = timedelta(days=rules.warning_days[0])
    is_void = warned is None or warned < start or over - first > today
    if is_void or _is_observed(rules, today):
        return 0, None
    return silence.warning_level, warned


def _climb(level, warned, over, rules, today):
    """Return level, day of the last warning and day of leaving after today's warning.

    Each warning leaves the owner the days it speaks of, counted from the day on which
    it was really given: a job that did not run moves the end, and skips nothing.
    """
    days = rules.warning_days
    begin = today
    if _is_observed(rules, today):
        begin = rules.observed_until + timedelta(days=1)
    given = warned + timedelta(days=days[level - 1]) if level else None
    if level == LAST:
        return level, warned, max(over, given)
    due = max(over, given or over) - timedelta(days=days[level])
    if due > today or begin > today:
        soonest = given or max(due, begin) + timedelta(days=days[level])
        return level, warned, max(over, soonest)
    return level + 1, today, max(over, today + timedelta(days=days[level]))


def _is_observed(rules, today):
    return bool(rules.observed_until and today <= rules.observed_until)


# === LEADS === #


@dataclass(frozen=True, slots=True)
class LeadSilence:
    """What is known of the silence of one lead without a customer that bought.

    ``last_day``: of its stage, its owner, activities done or planned, and contacts.
    """

    last_day: date
    is_quoted: bool = False
    is_away: bool = False
    warning_date: date | None = None


def decide_lead(lead: LeadSilence, rules: IdleRules, today: date) -> Verdict:
    """Return whether a lead is released today, or its owner warned."""
    term = rules.lead_days
    start = max(lead.last_day, rules.switched_on or lead.last_day)
    silent = max(0, (today - start).days)
    if not term:
        return Verdict(OFF)
    if lead.is_quoted or lead.is_away:
        return Verdict(QUOTED if lead.is_quoted else AWAY, silent, term)
    over = start + timedelta(days=term)
    notice = timedelta(days=min(rules.warning_days[LEAD_RUNG], term))
    warned = lead.warning_date
    if warned is None or warned < start or over - notice > today:
        warned = None
    if warned is None and over - notice <= today and not _is_observed(rules, today):
        warned = today
    leaves = max(over, (warned or today) + notice) if warned else max(over, today)
    code = IDLE if warned and today >= leaves else SILENT
    return Verdict(code, silent, term, leaves, int(bool(warned)), warned)
