"""One customer's decision: potential → segment → lifecycle → temperature."""

from collections.abc import Callable
from datetime import date
from math import floor

from . import temperature as heat
from .cadence import next_contact
from .potential import potential_of
from .records import (
    NEW,
    PROSPECT,
    SLEEPING,
    Decision,
    Facts,
    Key,
    Rules,
    SegmentRule,
    Standing,
    State,
)
from .segment import EPSILON, cut_offs, decide_segment, share_of
from .standing import morning, settle

Decider = Callable[[Facts, State], Decision]

PINNED = "manual"


def decide(facts: Facts, state: State, rules: Rules, today: date) -> Decision:
    """Decide one customer. Total: every input has an outcome and a reason."""
    return decider(rules, today)(facts, state)


def decider(rules: Rules, today: date) -> Decider:
    """Return ``decide`` for many customers, what they share worked out once."""
    cuts = cut_offs(rules.segments)
    positions = {segment.key: index for index, segment in enumerate(rules.segments)}
    levels = {level.key: index for index, level in enumerate(rules.temperatures)}

    def decide_one(facts: Facts, state: State) -> Decision:
        potential, source = potential_of(facts, today)
        share = share_of(potential, rules.reference)
        has_bought = facts.first_order_date is not None
        computed, segment_reason = decide_segment(
            share, has_bought, state.segment, rules, cuts, positions, today
        )
        pin, is_expired = _pin(state, today)
        if pin is not None:
            segment_reason = PINNED
        key = computed if pin is None else pin
        position = positions.get(key)
        segment = None if position is None else rules.segments[position]
        interval = contact_interval(position, share, cuts, rules)
        usual = heat.usual_silence(facts, segment, interval, rules)
        lifecycle = heat.lifecycle_of(facts, usual, rules, today)
        yield_rate = yield_of(facts, potential)
        score, rhythm, trend, reason = _score(
            facts, yield_rate, segment, lifecycle, usual, today
        )
        level, is_held = _level(
            score, lifecycle, state.temperature, rules, levels, today
        )
        # By position: seventeen keywords a customer cost a microsecond.
        return Decision(
            potential,
            source,
            share,
            key,
            settle(state.segment, computed, today),
            segment_reason,
            is_expired,
            settle(state.lifecycle, lifecycle, today),
            lifecycle,
            settle(state.temperature, level, today),
            heat.HELD if is_held else reason,
            score,
            None if yield_rate is None else round(yield_rate, 4),
            rhythm,
            trend,
            usual,
            next_contact(facts.contacts, segment, interval, rules),
        )

    return decide_one


def yield_of(facts: Facts, potential: float | None) -> float | None:
    """Return revenue of the last 12 months ÷ potential; unknown without potential."""
    if potential is None or potential <= 0:
        return None
    return max(0.0, facts.revenue_12m) / potential


def contact_interval(
    position: int | None, share: float | None, cuts: tuple[float, ...], rules: Rules
) -> int:
    """Return the contact interval in days; a small C keeps the rhythm of a D."""
    if position is None:
        return 0
    last = len(cuts)
    if position == last - 1 and share is not None and share < cuts[-1] - EPSILON:
        position = last
    return rules.segments[position].contact_interval_days


def rhythm_of(
    key: Key | None, share: float | None, rules: Rules
) -> tuple[SegmentRule | None, int]:
    """Return the rule of a segment and the contact interval of one customer in it."""
    for position, segment in enumerate(rules.segments):
        if segment.key == key:
            cuts = cut_offs(rules.segments)
            return segment, contact_interval(position, share, cuts, rules)
    return None, 0


def _pin(state: State, today: date) -> tuple[Key | None, bool]:
    """Return the pinned segment while it holds, and whether it has run out."""
    if state.manual is None:
        return None, False
    if state.manual_until is not None and state.manual_until < today:
        return None, True
    return state.manual, False


def _score(
    facts: Facts,
    yield_rate: float | None,
    segment: SegmentRule | None,
    lifecycle: str,
    usual: int,
    today: date,
) -> tuple[int | None, float | None, float | None, str]:
    """Return score (whole points, rounded down), rhythm, trend and reason code."""
    if lifecycle == PROSPECT:
        return None, None, None, heat.NO_PURCHASE
    if segment is None:
        return None, None, None, heat.NO_SEGMENT
    if lifecycle == SLEEPING:
        return 0, 0.0, None, heat.ASLEEP
    rhythm = heat.rhythm_of((today - facts.last_order_date).days, usual)
    if lifecycle == NEW:
        return floor(100 * rhythm + EPSILON), rhythm, None, heat.RHYTHM_ONLY
    if yield_rate is None:
        return None, None, None, heat.NO_POTENTIAL
    trend, reason = heat.trend_of(facts), heat.YIELD
    if heat.is_season_break(facts, today):
        rhythm, trend, reason = 1.0, 1.0, heat.IN_SEASON_BREAK
    expected = segment.expected_yield_rate
    fulfilment = min(1.0, yield_rate / expected) if expected > 0 else 1.0
    return floor(100 * fulfilment * rhythm * trend + EPSILON), rhythm, trend, reason


def _level(
    score: int | None,
    lifecycle: str,
    standing: Standing,
    rules: Rules,
    levels: dict[Key, int],
    today: date,
) -> tuple[Key | None, bool]:
    """Return the key of the level, and whether hysteresis holds it."""
    if score is None:
        return None, False
    if lifecycle == SLEEPING:
        return rules.temperatures[-1].key, False
    current = levels.get(morning(standing, today).value)
    index, is_held = heat.hold_level(score, current, rules)
    return rules.temperatures[index].key, is_held
