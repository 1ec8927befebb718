"""The values that go into a decision and come out of it.

Amounts are in company currency, rates are 0–1, shares and scores 0–100, days are
calendar days of the company. ``None`` means unknown. Segments and temperatures are
named by any hashable *key*: the shell uses record ids, the tests use codes.

What every customer has is a named tuple, not a frozen dataclass: making those took
two thirds of the time of a decision.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

PROSPECT, NEW, REGULAR, SLEEPING = "prospect", "new", "regular", "sleeping"
HISTORY, DECLARED, LOOKALIKE, CONFIRMED = (
    "history",
    "declared",
    "lookalike",
    "confirmed",
)

Key = Hashable


@dataclass(frozen=True, slots=True)
class SegmentRule:
    """One segment: what it typically brings (share of an A), and how it is kept.

    :param channel: how it is contacted; where that is e-mail, a sent one is a contact
    :param needs_proof: whether what a seller notes by hand only pauses the clock
    """

    key: Key
    typical_share: float
    contact_interval_days: int
    expected_yield_rate: float
    channel: str = "call"
    needs_proof: bool = False


@dataclass(frozen=True, slots=True)
class TemperatureRule:
    """One level of temperature and the lowest score that reaches it."""

    key: Key
    min_score: float


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything a decision needs that is not about one customer.

    :param segments: highest ``typical_share`` first
    :param temperatures: highest ``min_score`` first
    :param reference: the yearly revenue of an A; ``None`` while nobody bought
    :param typical_interval_days: order rhythm per segment key
    :param hysteresis_rate: how far beyond a cut-off a move must go; the same figure
        in points (0.1 = 10 points) holds a falling temperature
    :param stay_days: how long a move back to the segment just left must wait
    :param unproven_days: how long a contact noted by hand lasts where proof is needed
    """

    segments: tuple[SegmentRule, ...]
    temperatures: tuple[TemperatureRule, ...]
    reference: float | None
    typical_interval_days: Mapping[Key, int] = field(default_factory=dict)
    new_orders: int = 3
    sleeping_days: int = 180
    stay_days: int = 30
    hysteresis_rate: float = 0.1
    unproven_days: int = 7


class Contacts(NamedTuple):
    """Who spoke with whom, and what was agreed on speaking again.

    ``last_contact_date`` is of the last two-way touch, ``last_proven_date`` of the
    last one that a machine noted (telephone, mail, calendar, order),
    ``last_email_date`` of the last e-mail sent. ``rhythm_start_date`` is the day a
    customer was given when the rhythm was switched on.
    """

    last_contact_date: date | None = None
    last_proven_date: date | None = None
    last_email_date: date | None = None
    leave_alone_until: date | None = None
    rhythm_start_date: date | None = None
    owned_since: date | None = None


class Facts(NamedTuple):
    """What is known of one customer, in the order of the shell's query.

    ``order_day_count`` is of all time, ``awake_order_day_count`` since the customer
    came or last woke; ``revenue_season_90d`` is the same 90 days a year ago,
    ``average_order_amount`` per order day of the last 12 months.
    Declared and confirmed potential count only together with their date.
    """

    revenue_12m: float = 0.0
    revenue_best_12m: float = 0.0
    revenue_90d: float = 0.0
    revenue_prev_90d: float = 0.0
    revenue_season_90d: float = 0.0
    average_order_amount: float = 0.0
    order_day_count: int = 0
    awake_order_day_count: int = 0
    first_order_date: date | None = None
    last_order_date: date | None = None
    longest_silence_days: int = 0
    declared_potential: float = 0.0
    declared_date: date | None = None
    confirmed_potential: float = 0.0
    confirmed_date: date | None = None
    lookalike_potential: float | None = None
    contacts: Contacts = Contacts()


class Standing(NamedTuple):
    """A value held since a day, and what it was before.

    ``left`` is the value before the last move; ``prior_since`` and ``prior_left``
    are the standing's own fields before that move, so that a move which is reversed
    on its own day leaves no trace.
    """

    value: Key | None = None
    since: date | None = None
    left: Key | None = None
    prior_since: date | None = None
    prior_left: Key | None = None


class State(NamedTuple):
    """What was decided of a customer before, and what a person pinned."""

    segment: Standing = Standing()
    temperature: Standing = Standing()
    lifecycle: Standing = Standing()
    manual: Key | None = None
    manual_until: date | None = None


class Decision(NamedTuple):
    """The outcome for one customer, with the code of the reason for each part.

    ``segment`` is the one in force (the pinned one where there is a pin),
    ``segment_standing.value`` the computed one.
    """

    potential: float | None
    potential_source: str | None
    share: float | None
    segment: Key | None
    segment_standing: Standing
    segment_reason: str
    is_pin_expired: bool
    lifecycle_standing: Standing
    lifecycle_reason: str
    temperature_standing: Standing
    temperature_reason: str
    temperature_score: int | None
    yield_rate: float | None
    rhythm: float | None
    trend: float | None
    usual_silence_days: int
    next_contact_date: date | None
