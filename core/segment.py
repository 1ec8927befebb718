"""ABCD: which segment a share of the A reference belongs to."""

from datetime import date

from .records import Key, Rules, SegmentRule, Standing
from .standing import morning

EPSILON = 1e-9

UNRATED_POTENTIAL = "no_potential"
UNRATED_REFERENCE = "no_reference"
FIRST = "first"
NEAREST = "nearest"
BOUGHT = "bought"
HYSTERESIS = "hysteresis"
STAY = "stay"


def cut_offs(segments: tuple[SegmentRule, ...]) -> tuple[float, ...]:
    """Return the lowest share of each segment but the last: half-way to the next."""
    return tuple(
        (upper.typical_share + lower.typical_share) / 2
        for upper, lower in zip(segments, segments[1:], strict=False)
    )


def share_of(potential: float | None, reference: float | None) -> float | None:
    """Return the potential in percent of the A reference."""
    if potential is None or not reference:
        return None
    return 100 * potential / reference


def nearest(share: float, cuts: tuple[float, ...], has_bought: bool) -> int:
    """Return the index of the segment with the nearest typical share.

    The last segment is for those that never bought: a buyer is at least next to it.
    """
    for index, cut in enumerate(cuts):
        if share >= cut - EPSILON:
            return index
    return max(0, len(cuts) - 1) if has_bought else len(cuts)


def cross(
    start: int, target: int, share: float, cuts: tuple[float, ...], rate: float
) -> int:
    """Walk from ``start`` toward ``target`` past the cut-offs clearly crossed."""
    index = start
    while index > target and share >= cuts[index - 1] * (1 + rate) - EPSILON:
        index -= 1
    while index < target and share < cuts[index] * (1 - rate) - EPSILON:
        index += 1
    return index


def decide_segment(
    share: float | None,
    has_bought: bool,
    standing: Standing,
    rules: Rules,
    cuts: tuple[float, ...],
    positions: dict[Key, int],
    today: date,
) -> tuple[Key | None, str]:
    """Return the key of the computed segment and the code of the reason.

    A customer of the last segment that buys leaves it at once: neither hysteresis
    nor stay delays that. Further up he goes only past cut-offs clearly crossed.
    """
    if share is None:
        return None, UNRATED_POTENTIAL if rules.reference else UNRATED_REFERENCE
    target = nearest(share, cuts, has_bought)
    start = morning(standing, today)
    current = positions.get(start.value)
    if current is None:
        return rules.segments[target].key, FIRST
    lowest = len(cuts) - 1 if has_bought and cuts else len(cuts)
    index = cross(min(current, lowest), target, share, cuts, rules.hysteresis_rate)
    key = rules.segments[index].key
    if current <= lowest and _must_stay(key, start, rules.stay_days, today):
        return start.value, STAY
    if index != target:
        return key, HYSTERESIS
    is_floor = has_bought and index == lowest < len(cuts)
    if is_floor and (current > lowest or share < cuts[-1] - EPSILON):
        return key, BOUGHT
    return key, NEAREST


def _must_stay(key: Key, start: Standing, stay_days: int, today: date) -> bool:
    """Return whether the move leads back to the segment left, and comes too early."""
    return (
        key == start.left
        and start.since is not None
        and (today - start.since).days < stay_days
    )
