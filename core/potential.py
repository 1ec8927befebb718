"""What a customer could bring in twelve months."""

from datetime import date, timedelta

from .records import CONFIRMED, DECLARED, HISTORY, LOOKALIKE, Facts

YEAR = timedelta(days=365)


def is_fresh(day: date | None, today: date) -> bool:
    """Return whether what a person said on ``day`` still counts: for a year."""
    return day is not None and today - day < YEAR


def potential_of(facts: Facts, today: date) -> tuple[float | None, str | None]:
    """Return the potential and its source; ``(None, None)`` while nothing is known.

    The highest of best year, declared and look-alike: nobody can talk a customer
    down to be rid of him. Only a figure confirmed by the leader replaces them.
    On a tie the better proven source is named.
    """
    if is_fresh(facts.confirmed_date, today):
        return facts.confirmed_potential, CONFIRMED
    best, source = None, None
    if facts.revenue_best_12m > 0:
        best, source = facts.revenue_best_12m, HISTORY
    if is_fresh(facts.declared_date, today) and (
        best is None or facts.declared_potential > best
    ):
        best, source = facts.declared_potential, DECLARED
    if facts.lookalike_potential and (best is None or facts.lookalike_potential > best):
        best, source = facts.lookalike_potential, LOOKALIKE
    return best, source
