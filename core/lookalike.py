"""Niches of the base: what customers like this one bring.

A *cell* is a combination of traits. Yearly revenue is compared on logarithms, outliers
capped. The effect of a cell is shrunk toward its wider cells, and theirs toward the
base, by empirical Bayes: the less the cells differ from each other, compared to the
customers within them, the more. A cell is a *niche* when its effect is clear twice: the
lower bound lies above the base, and the effect is worth a claim. Traits that explain
nothing make no niche, nor do small differences that a large base makes certain.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from heapq import heappop, heappush
from itertools import combinations
from math import exp, log, sqrt
from statistics import NormalDist, fmean, median, quantiles
from typing import Any

from .records import Key

COUNTRY, INDUSTRY, SIZE, STATE, TAG = "country", "industry", "size_band", "state", "tag"
KINDS = (
    (COUNTRY,),
    (INDUSTRY,),
    (SIZE,),
    (STATE,),
    (COUNTRY, INDUSTRY),
    (COUNTRY, SIZE),
    (INDUSTRY, SIZE),
    (INDUSTRY, STATE),
    (COUNTRY, INDUSTRY, SIZE),
)  # besides each tag; the names of a cell are sorted

MIN_BUYERS = 5
LARGEST_PART = 0.5
WORTH_A_CLAIM = 1.25
ERROR_RATE = 0.01
FENCE = 1.5

Cell = tuple[tuple[str, Key], ...]
Limits = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Traits:
    """What is known of a customer before it buys; ``None`` is unknown."""

    industry: Key | None = None
    country: Key | None = None
    state: Key | None = None
    size_band: Key | None = None
    tags: tuple[Key, ...] = ()


@dataclass(frozen=True, slots=True)
class Niche:
    """A cell whose customers bring clearly more than the base, in money a year.

    The figures are of those customers of the cell that no better niche holds.

    :param claim: what a look-alike could bring: the upper quartile
    :param typical: the median
    :param low: the lower bound of the estimate
    :param base: the median of the whole base
    """

    cell: Cell
    count: int
    claim: float
    typical: float
    low: float
    base: float


Claimer = Callable[[Traits], Niche | None]


@dataclass(frozen=True, slots=True)
class _Sums:
    """Count, sum and sum of squares of capped logs, as differences from the base."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    @property
    def mean(self) -> float:
        return self.total / self.count


@dataclass(frozen=True, slots=True)
class _Group(_Sums):
    """The buyers of exactly the same traits."""

    traits: Traits = Traits()
    values: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class _Spread:
    """Variance between the cells of a kind, within them, and its degrees of freedom."""

    between: float
    within: float
    freedom: int


@dataclass(frozen=True, slots=True)
class _Effect:
    """An estimated difference from the base, in logs."""

    mean: float = 0.0
    variance: float = 0.0


# === SIZE BANDS === #


def size_limits(employee_counts: Iterable[int | None]) -> Limits | None:
    """Return the quartiles of the known sizes; ``None`` with fewer than 4 different."""
    known = [count for count in employee_counts if count and count > 0]
    if len(set(known)) < 4:
        return None
    return tuple(quantiles(known, n=4, method="inclusive"))


def band_of(count: int | None, limits: Limits | None) -> int | None:
    """Return the size band, 1 (smallest) to 4; ``None`` while the size is unknown."""
    if not count or count < 0 or limits is None:
        return None
    return bisect_left(limits, count) + 1


# === CLAIMS === #


def claimer(niches: Sequence[Niche]) -> Claimer:
    """Return a function from traits to the best supported niche they belong to.

    Best supported is the highest lower bound; on a tie the narrower cell.
    """
    if not niches:
        return lambda traits: None
    ranked = sorted(niches, key=lambda niche: _order(niche.low, niche.cell))
    ranks = {niche.cell: rank for rank, niche in enumerate(ranked)}

    def claim(traits: Traits) -> Niche | None:
        found = [ranks[cell] for cell in cells_of(traits) if cell in ranks]
        return ranked[min(found)] if found else None

    return claim


def cells_of(traits: Traits) -> Iterator[Cell]:
    """Yield every cell that a customer belongs to."""
    known = {
        COUNTRY: traits.country,
        INDUSTRY: traits.industry,
        SIZE: traits.size_band,
        STATE: traits.state,
    }
    pairs = {name: (name, key) for name, key in known.items() if key is not None}
    for kind in KINDS:
        if all(name in pairs for name in kind):
            yield tuple(pairs[name] for name in kind)
    for tag in dict.fromkeys(traits.tags):
        yield ((TAG, tag),)


def niche_to_dict(niche: Niche) -> dict[str, Any]:
    """Return the niche as plain data for JSON."""
    return {**asdict(niche), "cell": [list(pair) for pair in niche.cell]}


def niche_from_dict(data: Mapping[str, Any]) -> Niche:
    """Return the niche that ``niche_to_dict`` wrote."""
    return Niche(**{**data, "cell": tuple((name, key) for name, key in data["cell"])})


# === NICHES === #


def find_niches(buyers: Iterable[tuple[Traits, float]]) -> tuple[Niche, ...]:
    """Return the niches of the base, the best supported first.

    :param buyers: traits and best year of every customer that bought; values that
        are not positive are left out
    """
    groups = _group(buyers)
    cells = _gather(groups)
    sums = {cell: _sum(members) for cell, members in cells.items()}
    tested = _tested(sums, sum(group.count for group in groups))
    if not tested:
        return ()
    spreads = {}
    effects = _estimate(sums, spreads)
    margin = NormalDist().inv_cdf(1 - ERROR_RATE / len(tested))

    def judge(cell: Cell, own: _Sums) -> float | None:
        spread = spreads[_kind(cell)]
        effect = _shrink(own, _prior(cell, effects), spread)
        if effect.mean < log(WORTH_A_CLAIM):
            return None
        return _lower_bound(own, effect, spread, margin)

    return _pick({cell: cells[cell] for cell in tested}, judge, _median(groups))


def _group(buyers: Iterable[tuple[Traits, float]]) -> list[_Group]:
    """Return the buyers by traits, their logs capped at Tukey's fences."""
    values = defaultdict(list)
    for traits, value in buyers:
        if value > 0:
            values[traits].append(value)
    logs = sorted(log(value) for those in values.values() for value in those)
    if len(logs) < 2 * MIN_BUYERS:
        return []
    low, _middle, high = quantiles(logs, n=4, method="inclusive")
    reach = FENCE * (high - low)
    low, high = low - reach, high + reach
    base = fmean(min(max(each, low), high) for each in logs)
    groups = []
    for traits, those in values.items():
        capped = [min(max(log(value), low), high) - base for value in those]
        squares = sum([each * each for each in capped])
        groups.append(_Group(len(capped), sum(capped), squares, traits, tuple(those)))
    return groups


def _gather(groups: Iterable[_Group]) -> dict[Cell, list[_Group]]:
    """Return the groups of each cell."""
    cells = defaultdict(list)
    for group in groups:
        for cell in cells_of(group.traits):
            cells[cell].append(group)
    return cells


def _sum(groups: Iterable[_Sums]) -> _Sums:
    """Return the sums of several groups."""
    count, total, squares = 0, 0.0, 0.0
    for group in groups:
        count += group.count
        total += group.total
        squares += group.squares
    return _Sums(count, total, squares)


def _median(groups: Iterable[_Group]) -> float:
    """Return the middle value of all customers of the groups."""
    return median(value for group in groups for value in group.values)


def _kind(cell: Cell) -> tuple[str, ...]:
    """Return the names of the traits that make the cell."""
    return tuple(name for name, _key in cell)


def _wider(cell: Cell) -> list[Cell]:
    """Return the cells with one trait less."""
    return list(combinations(cell, len(cell) - 1)) if len(cell) > 1 else []


def _order(low: float, cell: Cell) -> tuple:
    """Return the sort key that puts the best supported cell first."""
    return -low, -len(cell), repr(cell)


def _tested(sums: Mapping[Cell, _Sums], count: int) -> list[Cell]:
    """Return the cells that may be niches.

    Not those of few customers or of most, and not those that hold exactly the
    customers of a wider cell.
    """
    return [
        cell
        for cell, own in sums.items()
        if MIN_BUYERS <= own.count <= min(count - MIN_BUYERS, count * LARGEST_PART)
        and all(sums[wider].count != own.count for wider in _wider(cell))
    ]


def _estimate(
    sums: Mapping[Cell, _Sums], spreads: dict[tuple[str, ...], _Spread]
) -> dict[Cell, _Effect]:
    """Return the effect of every cell of enough customers; fill in the spreads."""
    kinds = defaultdict(list)
    for cell, own in sums.items():
        if own.count >= MIN_BUYERS:
            kinds[_kind(cell)].append(cell)
    effects = {}
    for kind in sorted(kinds, key=len):
        priors = {cell: _prior(cell, effects) for cell in kinds[kind]}
        spreads[kind] = _spread([(sums[cell], priors[cell]) for cell in kinds[kind]])
        for cell, prior in priors.items():
            effects[cell] = _shrink(sums[cell], prior, spreads[kind])
    return effects


def _prior(cell: Cell, effects: Mapping[Cell, _Effect]) -> _Effect:
    """Return what the wider cells let expect: their mean; the base has none."""
    wider = [effects[each] for each in _wider(cell)]
    if not wider:
        return _Effect()
    return _Effect(
        fmean(effect.mean for effect in wider),
        max(effect.variance for effect in wider),
    )


def _spread(cells: Sequence[tuple[_Sums, _Effect]]) -> _Spread:
    """Return the variances of a kind of cells, by the method of moments."""
    count = sum(own.count for own, _prior in cells)
    freedom = count - len(cells)
    inside = sum(own.squares - own.total * own.mean for own, _prior in cells)
    within = max(0.0, inside / freedom)
    outside = sum(own.count * (own.mean - prior.mean) ** 2 for own, prior in cells)
    return _Spread(max(0.0, (outside - len(cells) * within) / count), within, freedom)


def _shrink(own: _Sums, prior: _Effect, spread: _Spread) -> _Effect:
    """Return the effect between what the customers say and what was expected."""
    if not spread.between:
        return prior
    noise = spread.within / own.count
    trust = spread.between / (spread.between + noise)
    return _Effect(
        prior.mean + trust * (own.mean - prior.mean),
        trust * noise + (1 - trust) ** 2 * prior.variance,
    )


def _lower_bound(own: _Sums, effect: _Effect, spread: _Spread, margin: float) -> float:
    """Return what the effect is at least: the lower of the own and the shrunk bound.

    :param margin: standard errors, normal; widened to Student's t (first term of the
        Cornish-Fisher expansion)
    """
    margin += (margin**3 + margin) / (4 * spread.freedom)
    return min(
        own.mean - margin * sqrt(spread.within / own.count),
        effect.mean - margin * sqrt(effect.variance),
    )


def _pick(
    cells: Mapping[Cell, list[_Group]],
    judge: Callable[[Cell, _Sums], float | None],
    base: float,
) -> tuple[Niche, ...]:
    """Return the niches among the cells, the best supported first.

    A customer speaks for one niche only: a cell whose remaining customers are
    nothing special is none.

    :param judge: returns the lower bound of a cell's effect in logs, if worth a claim
    """
    heap = []

    def offer(cell: Cell, members: list[_Group]) -> None:
        own = _sum(members)
        low = judge(cell, own) if own.count >= MIN_BUYERS else None
        if low is not None and low > 0:
            heappush(heap, (*_order(low, cell), cell, members))

    for cell, members in cells.items():
        offer(cell, members)
    niches, taken = [], set()
    while heap:
        low, _size, _repr, cell, members = heappop(heap)
        rest = [group for group in members if group.traits not in taken]
        if len(rest) < len(members):
            offer(cell, rest)
            continue
        taken.update(group.traits for group in members)
        niches.append(_niche(cell, members, base, -low))
    return tuple(niches)


def _niche(cell: Cell, members: list[_Group], base: float, low: float) -> Niche:
    """Return the niche in money."""
    values = [value for group in members for value in group.values]
    _quarter, typical, claim = quantiles(values, n=4, method="inclusive")
    return Niche(
        cell,
        len(values),
        round(claim, 2),
        round(typical, 2),
        round(base * exp(low), 2),
        round(base, 2),
    )
