"""Days as the unit of change: all decisions of a day start from its morning."""

from datetime import date

from .records import Key, Standing


def morning(standing: Standing, today: date) -> Standing:
    """Return the standing as it was before anything moved today.

    Every decision of a day starts from here, so that an order confirmed and
    cancelled within a day leads back to where the day began.
    """
    if standing.since != today:
        return standing
    return Standing(standing.left, standing.prior_since, standing.prior_left)


def settle(standing: Standing, value: Key | None, today: date) -> Standing:
    """Return the standing after ``value`` was decided today: itself if nothing moved.

    A move that is reversed on its own day leaves value, since and left as they were.
    """
    if value == standing.value:
        return standing
    start = morning(standing, today)
    if value == start.value:
        return start
    return Standing(value, today, start.value, start.since, start.left)
