"""Temperature and lifecycle: what a customer brings, compared to what it could."""

from datetime import date, timedelta

from .records import (
    NEW,
    PROSPECT,
    REGULAR,
    SLEEPING,
    Facts,
    Rules,
    SegmentRule,
    TemperatureRule,
)

EPSILON = 1e-9
MAX_USUAL_SILENCE_DAYS = 365
FEW_ORDER_DAYS = 3
SLEEP_FACTOR = 1.5
LOWEST_TREND = 0.5
CENT = 0.01
SEASON_AGE = timedelta(days=365 + 90)

NO_PURCHASE = "prospect"
NO_SEGMENT = "no_segment"
NO_POTENTIAL = "no_potential"
ASLEEP = "sleeping"
RHYTHM_ONLY = "new"
IN_SEASON_BREAK = "season"
YIELD = "yield"
HELD = "hysteresis"


def usual_silence(
    facts: Facts, segment: SegmentRule | None, interval_days: int, rules: Rules
) -> int:
    """Return U, the silence in days that is still normal for this customer.

    The longest of contact interval, longest silence of his own and, while he has
    fewer than three order days, the segment's typical interval; at most a year.
    """
    usual = max(interval_days, facts.longest_silence_days)
    if facts.order_day_count < FEW_ORDER_DAYS and segment is not None:
        usual = max(usual, rules.typical_interval_days.get(segment.key, 0))
    return min(usual, MAX_USUAL_SILENCE_DAYS)


def sleeping_after(usual: int, rules: Rules) -> int:
    """Return the silence in whole days that is just not sleeping yet."""
    return max(rules.sleeping_days, int(SLEEP_FACTOR * usual))


def lifecycle_of(facts: Facts, usual: int, rules: Rules, today: date) -> str:
    """Return prospect, sleeping, new or regular, in this order of precedence."""
    if facts.last_order_date is None:
        return PROSPECT
    if (today - facts.last_order_date).days > sleeping_after(usual, rules):
        return SLEEPING
    return NEW if facts.awake_order_day_count < rules.new_orders else REGULAR


def rhythm_of(silence: int, usual: int) -> float:
    """Return 1 up to the usual silence, falling to 0 at twice of it."""
    if silence <= usual:
        return 1.0
    return max(0.0, 2 - silence / usual) if usual else 0.0


def trend_of(facts: Facts) -> float:
    """Return the last 90 days against the 90 before (else a quarter of the year).

    Less by no more than one average order is no fall: windows of 90 days hold two
    orders now and three then of somebody who buys the same every 35 days, and would
    cool and warm him 20 times a year.
    """
    base = facts.revenue_prev_90d
    if base <= 0:
        base = facts.revenue_12m / 4
    if base <= 0 or base - facts.revenue_90d <= facts.average_order_amount + CENT:
        return 1.0
    return min(1.0, max(LOWEST_TREND, facts.revenue_90d / base))


def is_season_break(facts: Facts, today: date) -> bool:
    """Return whether the customer never buys at this time of the year.

    The same 90 days of last year were empty although he was a customer before them,
    and he bought since.
    """
    return (
        facts.revenue_season_90d <= 0
        and facts.revenue_12m > 0
        and facts.first_order_date is not None
        and today - facts.first_order_date > SEASON_AGE
    )


def level_of(score: float, levels: tuple[TemperatureRule, ...]) -> int:
    """Return the index of the level that a score reaches."""
    for index, level in enumerate(levels):
        if score >= level.min_score:
            return index
    return len(levels) - 1


def hold_level(score: float, current: int | None, rules: Rules) -> tuple[int, bool]:
    """Return the level's index, and whether hysteresis holds it above the score.

    A level is reached at once and lost only some points below it.
    """
    levels = rules.temperatures
    target = level_of(score, levels)
    if current is None or current >= target:
        return target, False
    points = 100 * rules.hysteresis_rate + EPSILON
    while current < target and score < levels[current].min_score - points:
        current += 1
    return current, current < target
