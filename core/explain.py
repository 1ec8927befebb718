"""Why a customer stands where it stands, and the smallest changes that would move it.

Every change named here was tried: the decider ran on the altered facts.
"""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from math import ceil, floor, log10
from typing import Any

from .decide import PINNED, decider
from .records import PROSPECT, SLEEPING, Decision, Facts, Rules, Standing, State
from .segment import UNRATED_POTENTIAL, cut_offs
from .temperature import is_season_break, sleeping_after

ORDER_LIFTS = "order_lifts_temperature"
SILENCE_COOLS = "silence_cools"
POTENTIAL_RAISES = "potential_raises_segment"
POTENTIAL_LOWERS = "potential_lowers_segment"
STAY_ENDS = "stay_ends"
PIN_ENDS = "pin_ends"
NEEDS_POTENTIAL = "needs_potential"
FIRST_ORDER = "first_order"

MAX_ORDER_FACTOR = 10
MAX_SILENCE_DAYS = 400
HALVINGS = 60
TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Change:
    """One change that would alter the outcome: a code and the numbers it needs."""

    code: str
    numbers: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision with all that a why card shows, as plain numbers and codes.

    :param lower_share: the cut-off below the segment in force; ``None`` for the last
    :param upper_share: the cut-off above it; ``None`` for the first
    :param sleeping_after_days: the longest silence that is not sleeping yet
    :param sleeping_date: the day from which the customer is, or was, sleeping
    """

    decision: Decision
    share: float | None
    lower_share: float | None
    upper_share: float | None
    expected_yield_rate: float | None
    silence_days: int | None
    usual_silence_days: int
    sleeping_after_days: int
    sleeping_date: date | None
    rhythm: float | None
    trend: float | None
    is_season_break: bool
    changes: tuple[Change, ...]


def explain(facts: Facts, state: State, rules: Rules, today: date) -> Explanation:
    """Return the decision of one customer, its grounds and its smallest changes."""
    case = _Case(facts, state, rules, today)
    decision, cuts = case.decision, cut_offs(rules.segments)
    position = case.segments.get(decision.segment)
    limit = sleeping_after(decision.usual_silence_days, rules)
    last = facts.last_order_date
    return Explanation(
        decision=decision,
        share=decision.share,
        lower_share=cuts[position] if position in range(len(cuts)) else None,
        upper_share=cuts[position - 1] if position else None,
        expected_yield_rate=(
            None if position is None else rules.segments[position].expected_yield_rate
        ),
        silence_days=(today - last).days if last else None,
        usual_silence_days=decision.usual_silence_days,
        sleeping_after_days=limit,
        sleeping_date=last + timedelta(days=limit + 1) if last else None,
        rhythm=decision.rhythm,
        trend=decision.trend,
        is_season_break=is_season_break(facts, today),
        changes=tuple(change for find in FINDERS if (change := find(case))),
    )


# === THE CASE === #


class _Case:
    """One customer's decision, and the same with something altered."""

    def __init__(self, facts: Facts, state: State, rules: Rules, today: date) -> None:
        self.facts, self.state, self.rules, self.today = facts, state, rules, today
        self.segments = {each.key: index for index, each in enumerate(rules.segments)}
        self.levels = {each.key: index for index, each in enumerate(rules.temperatures)}
        self._decide = decider(rules, today)
        self.decision = self._decide(facts, state)

    @property
    def level(self) -> int | None:
        """The index of the temperature decided, hottest first."""
        return self.levels.get(self.decision.temperature_standing.value)

    @property
    def position(self) -> int | None:
        """The index of the computed segment, highest first."""
        return self.segments.get(self.decision.segment_standing.value)

    def evening(self) -> State:
        """Return the state that today's decision leaves behind."""
        return self.state._replace(
            segment=self.decision.segment_standing,
            temperature=self.decision.temperature_standing,
            lifecycle=self.decision.lifecycle_standing,
        )

    def on_day(self, day: date) -> Decision:
        """Return the decision of a later day, from the same facts."""
        return decider(self.rules, day)(self.facts, self.evening())

    def with_order(self, amount: float) -> Decision:
        """Return the decision after one more order today."""
        return self._decide(
            with_order(self.facts, amount, self.decision, self.today), self.state
        )

    def with_potential(self, amount: float) -> Decision:
        """Return the decision if the potential was this, whatever its source."""
        facts = self.facts._replace(
            confirmed_potential=amount, confirmed_date=self.today
        )
        return self._decide(facts, self.state)

    def with_silence(self, days: int) -> Decision:
        """Return the decision after more days of silence, all else being equal."""
        last = self.facts.last_order_date - timedelta(days=days)
        level = Standing(self.decision.temperature_standing.value)
        return self._decide(
            self.facts._replace(last_order_date=last),
            self.state._replace(temperature=level),
        )


def with_order(facts: Facts, amount: float, decision: Decision, today: date) -> Facts:
    """Return the facts after one more order today.

    The best year is taken as the last 12 months with the order where these are more;
    the present silence becomes one of the customer's own.
    """
    last = facts.last_order_date or today
    is_new_day = last != today or facts.last_order_date is None
    awake = facts.awake_order_day_count + is_new_day
    if decision.lifecycle_standing.value == SLEEPING:
        awake = 1
    revenue = facts.revenue_12m + amount
    return facts._replace(
        revenue_12m=revenue,
        revenue_best_12m=max(facts.revenue_best_12m, revenue),
        revenue_90d=facts.revenue_90d + amount,
        order_day_count=facts.order_day_count + is_new_day,
        awake_order_day_count=awake,
        first_order_date=facts.first_order_date or today,
        last_order_date=today,
        longest_silence_days=max(facts.longest_silence_days, (today - last).days),
    )


# === THE SMALLEST CHANGES === #


def _needs_potential(case: _Case) -> Change | None:
    """Find that a potential would rate an unrated customer."""
    if case.decision.segment_reason != UNRATED_POTENTIAL:
        return None
    rated = case.with_potential(case.rules.reference)
    return Change(NEEDS_POTENTIAL) if rated.segment is not None else None


def _first_order(case: _Case) -> Change | None:
    """Find what any order makes of a prospect."""
    if case.decision.lifecycle_standing.value != PROSPECT:
        return None
    lifecycle = case.with_order(0.0).lifecycle_standing.value
    return Change(FIRST_ORDER, {"lifecycle": lifecycle})


def _order_lifts(case: _Case) -> Change | None:
    """Find the smallest order, placed today, that lifts the temperature.

    An amount of 0 says that any order does, whatever its amount. Orders above ten
    times the potential are not proposed.
    """
    potential = case.decision.potential
    if not case.level or not potential or potential <= 0:
        return None

    def lifts(amount: float) -> bool:
        level = case.levels.get(case.with_order(amount).temperature_standing.value)
        return level is not None and level < case.level

    amount = _smallest(lifts, potential * MAX_ORDER_FACTOR)
    if amount is None:
        return None
    level = case.with_order(amount).temperature_standing.value
    return Change(ORDER_LIFTS, {"amount": amount, "level": level})


def _silence_cools(case: _Case) -> Change | None:
    """Find the day on which silence alone lowers the temperature or sends to sleep.

    Left out: revenue that leaves the windows of 12 months and 90 days meanwhile (it
    can only bring the day nearer), potentials and a season that end, other orders.
    """
    if case.level is None or case.decision.lifecycle_standing.value == SLEEPING:
        return None

    def cools(days: int) -> bool:
        decision = case.with_silence(days)
        return (
            case.levels.get(decision.temperature_standing.value, -1) > case.level
            or decision.lifecycle_standing.value == SLEEPING
        )

    days = 1 + bisect_left(range(1, MAX_SILENCE_DAYS + 1), True, key=cools)
    if days > MAX_SILENCE_DAYS:
        return None
    decision = case.with_silence(days)
    return Change(
        SILENCE_COOLS,
        {
            "date": case.today + timedelta(days=days),
            "days": days,
            "level": decision.temperature_standing.value,
            "lifecycle": decision.lifecycle_standing.value,
        },
    )


def _potential_raises(case: _Case) -> Change | None:
    """Find the smallest potential at which the computed segment is a higher one."""
    if not case.position:
        return None
    top = case.decision.potential + 2 * case.rules.reference

    def raises(amount: float) -> bool:
        return _moves(case, amount) < 0

    amount = _smallest(raises, top * case.rules.segments[0].typical_share / 100)
    if amount is None:
        return None
    segment = case.with_potential(amount).segment_standing.value
    return Change(POTENTIAL_RAISES, {"amount": amount, "segment": segment})


def _potential_lowers(case: _Case) -> Change | None:
    """Find the highest potential at which the computed segment is a lower one."""
    if case.position is None:
        return None
    amount = _highest(lambda amount: _moves(case, amount) > 0, case.decision.potential)
    if amount is None:
        return None
    segment = case.with_potential(amount).segment_standing.value
    return Change(POTENTIAL_LOWERS, {"amount": amount, "segment": segment})


def _moves(case: _Case, potential: float) -> int:
    """Return by how many places another potential moves the computed segment down."""
    segment = case.with_potential(potential).segment_standing.value
    return case.segments[segment] - case.position


def _stay_ends(case: _Case) -> Change | None:
    """Find the day on which a move that stay holds back is made."""
    standing = case.decision.segment_standing
    held = replace(case.rules, stay_days=0)
    free = decider(held, case.today)(case.facts, case.state)
    if standing.since is None or free.segment_standing.value == standing.value:
        return None
    day = standing.since + timedelta(days=case.rules.stay_days)
    segment = case.on_day(day).segment_standing.value
    if segment == standing.value:
        return None
    return Change(STAY_ENDS, {"date": day, "segment": segment})


def _pin_ends(case: _Case) -> Change | None:
    """Find the day on which a pin has run out, and the segment it gives back."""
    if case.decision.segment_reason != PINNED or case.state.manual_until is None:
        return None
    day = case.state.manual_until + timedelta(days=1)
    decision = case.on_day(day)
    if not decision.is_pin_expired:
        return None
    return Change(PIN_ENDS, {"date": day, "segment": decision.segment})


FINDERS = (
    _needs_potential,
    _first_order,
    _order_lifts,
    _silence_cools,
    _potential_raises,
    _potential_lowers,
    _stay_ends,
    _pin_ends,
)


# === SEARCH === #


def _smallest(holds: Callable[[float], bool], top: float) -> float | None:
    """Return the smallest amount up to ``top`` that holds, rounded up; else ``None``.

    Looks in steps that double first, so that an amount is found even where not every
    larger one holds.
    """
    if holds(0.0):
        return 0.0
    low = 0.0
    for step in range(HALVINGS // 3, -1, -1):
        high = top / 2**step
        if holds(high):
            return _rounded(_bisect(holds, high, low), holds, ceil, top)
        low = high
    return None


def _highest(holds: Callable[[float], bool], top: float) -> float | None:
    """Return the highest amount below ``top`` that holds, rounded down."""
    if not holds(0.0):
        return None
    return _rounded(_bisect(holds, 0.0, top), holds, floor, top)


def _bisect(holds: Callable[[float], bool], good: float, bad: float) -> float:
    """Return an amount that holds, next to one toward ``bad`` that does not."""
    for _halving in range(HALVINGS):
        middle = (good + bad) / 2
        if holds(middle):
            good = middle
        else:
            bad = middle
    return good


def _rounded(
    amount: float,
    holds: Callable[[float], bool],
    rounding: Callable[[float], int],
    top: float,
) -> float | None:
    """Return the amount to two significant digits if that holds, else to cents."""
    if amount <= 0:
        return 0.0
    coarse = 10.0 ** (floor(log10(amount)) - 1)
    for unit in (coarse, 0.01):
        parts = amount / unit
        nearest, beyond = round(parts), rounding(parts)
        is_exact = abs(parts - nearest) < TOLERANCE * nearest
        for steps in (nearest, beyond) if is_exact else (beyond,):
            rounded = round(steps * unit, 2)
            if rounded <= top and holds(rounded):
                return rounded
    return None
