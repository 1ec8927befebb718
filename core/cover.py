"""Who covers whom: the first rule that matches a case names the role."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from .records import PROSPECT, Key

OTHER = "*"  # a stage, team or product line that no rule names
ANY: frozenset = frozenset()
WHOLE = 1.0


@dataclass(frozen=True, slots=True)
class CoverRule:
    """One rule; a condition that is left empty matches anything.

    :param seniority: rank of the seniority that the role needs at least
    :param segments: may hold ``None`` for the unrated
    :param stages: with these, or with an amount, a rule matches leads only
    :param max_rate: revenue of 12 months ÷ best year at most; 0: any
    """

    key: Key
    role: Key
    seniority: int = 0
    lifecycles: frozenset = ANY
    segments: frozenset = ANY
    temperatures: frozenset = ANY
    max_rate: float = 0.0
    stages: frozenset = ANY
    min_amount: float = 0.0
    lines: frozenset = ANY
    teams: frozenset = ANY


@dataclass(frozen=True, slots=True)
class Case:
    """What the rules are asked about: a customer, or a lead with its customer.

    :param revenue_rate: revenue of 12 months ÷ best year; ``None``: never bought
    :param amount: expected revenue of a lead; ``None`` for customers
    :param lines: product lines with the wider ones they belong to
    """

    lifecycle: str = PROSPECT
    segment: Key | None = None
    temperature: Key | None = None
    revenue_rate: float | None = None
    stage: Key | None = None
    amount: float | None = None
    lines: frozenset = ANY
    team: Key | None = None


@dataclass(frozen=True, slots=True)
class Dimensions:
    """The values that exist; of stages and teams only those that rules name count.

    :param lines: each product line that rules name, with the wider ones above it
    """

    lifecycles: tuple[str, ...]
    segments: tuple[Key, ...]
    temperatures: tuple[Key, ...]
    lines: tuple[frozenset, ...] = ()


@dataclass(frozen=True, slots=True)
class Unreachable:
    """A rule that never holds; ``blockers`` take all its cases before it.

    Without blockers nothing can ever be as the rule says: a prospect that is hot.
    """

    key: Key
    blockers: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Lint:
    """What is wrong with some rules; of uncovered cases one a lifecycle and segment."""

    unreachable: tuple[Unreachable, ...]
    uncovered: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """Who covers one lifecycle and segment: as a rule, and in other cases."""

    main: CoverRule | None
    others: tuple[CoverRule, ...]


def matches(rule: CoverRule, case: Case) -> bool:
    """Return whether all conditions of a rule hold for a case."""
    return (
        (not rule.lifecycles or case.lifecycle in rule.lifecycles)
        and (not rule.segments or case.segment in rule.segments)
        and (not rule.temperatures or case.temperature in rule.temperatures)
        and _matches_rate(rule, case.revenue_rate)
        and _matches_lead(rule, case.stage, case.amount)
        and _matches_lines(rule, case.lines)
        and (not rule.teams or case.team in rule.teams)
    )


def cover(rules: Iterable[CoverRule], case: Case) -> CoverRule | None:
    """Return the first rule that matches; ``None`` only without a catch-all."""
    return next((rule for rule in rules if matches(rule, case)), None)


def is_catch_all(rule: CoverRule) -> bool:
    """Return whether a rule has no condition at all."""
    return rule == CoverRule(rule.key, rule.role, rule.seniority)


def is_possible(case: Case) -> bool:
    """Return whether a customer can be like this.

    Who never bought has no revenue to fall and no temperature; nor have the unrated.
    """
    if case.lifecycle == PROSPECT and case.revenue_rate is not None:
        return False
    is_cold = case.lifecycle == PROSPECT or case.segment is None
    return case.temperature is None or not is_cold


def lint(rules: tuple[CoverRule, ...], dimensions: Dimensions) -> Lint:
    """Find rules that never hold, and cases that no rule covers.

    A catch-all at the end is the net below all rules, and never reported.
    """
    space = _Space(rules, dimensions)
    unreachable = tuple(
        Unreachable(rule.key, tuple(rules[one].key for one in space.blockers(index)))
        for index, rule in enumerate(rules)
        if not space.reaches(index)
        and not (index == len(rules) - 1 and is_catch_all(rule))
    )
    cells = (space.uncovered(cell) for cell in space.cells)
    return Lint(unreachable, tuple(case for case in cells if case))


def picture(
    rules: tuple[CoverRule, ...], dimensions: Dimensions
) -> dict[tuple[str, Key | None], Cell]:
    """Return who covers each lifecycle and segment, ``None`` being the unrated."""
    space = _Space(rules, dimensions)
    return {cell: space.look(cell) for cell in space.cells}


def _matches_rate(rule: CoverRule, rate: float | None) -> bool:
    return not rule.max_rate or (rate is not None and rate <= rule.max_rate)


def _matches_lead(rule: CoverRule, stage: Key | None, amount: float | None) -> bool:
    if rule.stages and (stage is None or stage not in rule.stages):
        return False
    return not rule.min_amount or (amount is not None and amount >= rule.min_amount)


def _matches_lines(rule: CoverRule, lines: frozenset) -> bool:
    return not rule.lines or not rule.lines.isdisjoint(lines)


class _Space:
    """All cases that the rules can tell apart, as sets of rules that accept them.

    Of each dimension only the values that rules name count, and one that none names.
    A set of rules is the bits of a number. Cases are never enumerated: dimensions are
    intersected one by one, and only the smallest sets are kept.
    """

    def __init__(self, rules: tuple[CoverRule, ...], dimensions: Dimensions):
        self.rules, self.dimensions = rules, dimensions
        self.full = (1 << len(rules)) - 1
        self.cells = {
            (lifecycle, segment): self._standings(lifecycle, segment)
            for lifecycle in dimensions.lifecycles
            for segment in (*dimensions.segments, None)
        }
        self.rest = [self._leads(), self._lines(), self._teams()]
        self.whole = [[mask for cell in self.cells.values() for mask, _ in cell]]
        self.whole += [[mask for mask, _fields in values] for values in self.rest]

    # === VALUES === #

    def _accepting(self, accepts: Callable[[CoverRule], bool]) -> int:
        return sum(1 << index for index, rule in enumerate(self.rules) if accepts(rule))

    def _standings(self, lifecycle: str, segment: Key | None) -> list[tuple[int, dict]]:
        """Return the temperatures and revenue rates that one cell may have."""
        named = {rule.max_rate for rule in self.rules if rule.max_rate}
        rates = (None, *sorted({*named, WHOLE}, reverse=True))
        values: list[tuple[int, dict]] = []
        for temperature in (None, *self.dimensions.temperatures):
            for rate in rates:
                case = Case(lifecycle, segment, temperature, rate)
                if is_possible(case):
                    fields = {"temperature": temperature, "revenue_rate": rate}
                    values.append((self._accept_standing(case), fields))
        return values

    def _accept_standing(self, case: Case) -> int:
        """Return the rules that accept a case but for lead, lines and team."""
        return self._accepting(
            lambda rule: (
                (not rule.lifecycles or case.lifecycle in rule.lifecycles)
                and (not rule.segments or case.segment in rule.segments)
                and (not rule.temperatures or case.temperature in rule.temperatures)
                and _matches_rate(rule, case.revenue_rate)
            )
        )

    def _leads(self) -> list[tuple[int, dict]]:
        """Return the customer itself, and each stage with each amount."""
        stages = sorted({one for rule in self.rules for one in rule.stages}, key=str)
        amounts = sorted({0.0, *(rule.min_amount for rule in self.rules)})
        values = [{"stage": None, "amount": None}] + [
            {"stage": stage, "amount": amount}
            for stage in (OTHER, *stages)
            for amount in amounts
        ]
        return [
            (self._accepting(lambda rule, one=one: _matches_lead(rule, **one)), one)
            for one in values
        ]

    def _lines(self) -> list[tuple[int, dict]]:
        named = {one for rule in self.rules for one in rule.lines}
        known = {one for lines in self.dimensions.lines for one in lines}
        alone = (frozenset([one]) for one in sorted(named - known, key=str))
        return [
            (
                self._accepting(lambda rule, one=one: _matches_lines(rule, one)),
                {"lines": one},
            )
            for one in (ANY, *self.dimensions.lines, *alone)
        ]

    def _teams(self) -> list[tuple[int, dict]]:
        teams = sorted({one for rule in self.rules for one in rule.teams}, key=str)
        return [
            (
                self._accepting(
                    lambda rule, one=one: not rule.teams or one in rule.teams
                ),
                {"team": one},
            )
            for one in (None, *teams)
        ]

    # === QUESTIONS === #

    def reaches(self, index: int, earlier: int | None = None, cell=None) -> bool:
        """Return whether a rule takes any case that the earlier ones leave.

        :param earlier: the rules before it; all by default
        :param cell: within this lifecycle and segment only
        """
        bit = 1 << index
        earlier = bit - 1 if earlier is None else earlier
        whole = self.whole
        if cell is not None:
            whole = [[mask for mask, _fields in self.cells[cell]], *whole[1:]]
        left = {earlier}
        for masks in whole:
            accepting = {mask & earlier for mask in masks if mask & bit}
            left = _smallest(one & other for one in left for other in accepting)
        return 0 in left

    def blockers(self, index: int) -> list[int]:
        """Return the fewest earlier rules, the first preferred, that leave nothing."""
        needed = (1 << index) - 1
        for one in reversed(range(index)):
            fewer = needed & ~(1 << one)
            if not self.reaches(index, fewer):
                needed = fewer
        return [one for one in range(index) if needed & 1 << one]

    def uncovered(self, cell: tuple[str, Key | None]) -> Case | None:
        """Return a case of a lifecycle and segment that no rule accepts, if any."""
        found = [(self.full, {})]
        for values in (self.cells[cell], *self.rest):
            seen: dict[int, dict] = {}
            for one, fields in found:
                for other, more in values:
                    seen.setdefault(one & other, {**fields, **more})
            found = [(mask, seen[mask]) for mask in sorted(_smallest(seen))]
        return Case(*cell, **found[0][1]) if found and not found[0][0] else None

    def look(self, cell: tuple[str, Key | None]) -> Cell:
        """Return who covers one lifecycle and segment."""
        main = self._main(cell)
        others = (
            rule
            for index, rule in enumerate(self.rules)
            if rule != main and self.reaches(index, cell=cell)
        )
        return Cell(main, tuple(others))

    def _main(self, cell: tuple[str, Key | None]) -> CoverRule | None:
        """Return the rule for most temperatures of a customer that keeps its revenue.

        Without a lead, in a team and with product lines that no rule names.
        """
        plain = Case(*cell)
        cases = [replace(plain, revenue_rate=WHOLE), plain]
        cases = [
            *(
                replace(cases[0], temperature=one)
                for one in self.dimensions.temperatures
            ),
            *cases,
        ]
        cases = [case for case in cases if is_possible(case)]
        if len(cases) > 2:  # those that have a temperature are the rule
            cases = cases[:-2]
        found = [cover(self.rules, case) for case in cases]
        return max(found, key=found.count)


def _smallest(masks: Iterable[int]) -> set[int]:
    """Return the sets that contain none of the others."""
    kept: list[int] = []
    for mask in sorted(set(masks), key=int.bit_count):
        if not any(one & mask == one for one in kept):
            kept.append(mask)
    return set(kept)
