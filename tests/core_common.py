"""The rules, days and customers that the tests of ``core`` speak of."""

import random
from datetime import date, timedelta

from odoo.addons.crm_sales_coverage.core.decide import decide
from odoo.addons.crm_sales_coverage.core.records import (
    Facts,
    Rules,
    SegmentRule,
    Standing,
    State,
    TemperatureRule,
)

TODAY = date(2025, 6, 2)

RULES = Rules(
    segments=(
        SegmentRule("A", 100, 30, 0.8),
        SegmentRule("B", 60, 90, 0.7),
        SegmentRule("C", 30, 90, 0.6),
        SegmentRule("D", 0, 180, 0.5),
    ),
    temperatures=(
        TemperatureRule("hot", 80),
        TemperatureRule("warm", 60),
        TemperatureRule("mild", 40),
        TemperatureRule("cool", 20),
        TemperatureRule("frozen", 0),
    ),
    reference=10_000,
    typical_interval_days={"A": 40, "B": 60, "C": 100, "D": 0},
)


def ago(days):
    """Return the day that many days before today."""
    return TODAY - timedelta(days=days)


def bought(best, **facts):
    """Return a regular customer of three years, its last order ten days ago."""
    usual = {
        "revenue_12m": best,
        "revenue_best_12m": best,
        "revenue_90d": best / 4,
        "revenue_prev_90d": best / 4,
        "revenue_season_90d": best / 4,
        "order_day_count": 12,
        "awake_order_day_count": 12,
        "first_order_date": ago(1000),
        "last_order_date": ago(10),
        "longest_silence_days": 60,
    }
    return Facts(**{**usual, **facts})


def prospect(declared=0.0, **facts):
    """Return a customer that never bought; what it declared, it declared today."""
    if declared:
        facts = {"declared_potential": declared, "declared_date": TODAY, **facts}
    return Facts(**facts)


def held(segment=None, days=100, left=None, temperature=None, **state):
    """Return the state of a segment held for some days, left another before."""
    return State(
        segment=Standing(segment, ago(days), left) if segment else Standing(),
        temperature=Standing(temperature, ago(days)) if temperature else Standing(),
        **state,
    )


def after(decision, before=None):
    """Return the state that a decision leaves behind; a pin as it was before."""
    return (before or State())._replace(
        segment=decision.segment_standing,
        temperature=decision.temperature_standing,
        lifecycle=decision.lifecycle_standing,
    )


def outcome(facts, state=None, rules=RULES, today=TODAY):
    """Return the decision of one customer."""
    return decide(facts, state or State(), rules, today)


def random_facts(rng):
    """Return facts of any kind, consistent or not: a decision is total."""

    def maybe(value):
        return rng.choice((None, value))

    first = maybe(ago(rng.randrange(1500)))
    return Facts(
        revenue_12m=rng.choice((-50.0, 0.0, rng.uniform(1, 12_000))),
        revenue_best_12m=rng.choice((-50.0, 0.0, rng.uniform(1, 12_000))),
        revenue_90d=rng.uniform(-10, 4_000),
        revenue_prev_90d=rng.choice((0.0, rng.uniform(-10, 4_000))),
        revenue_season_90d=rng.choice((0.0, 100.0)),
        order_day_count=rng.randrange(9),
        awake_order_day_count=rng.randrange(9),
        first_order_date=first,
        last_order_date=first and ago(rng.randrange(-2, 700)),
        longest_silence_days=rng.randrange(500),
        declared_potential=rng.choice((0.0, rng.uniform(1, 12_000))),
        declared_date=maybe(ago(rng.randrange(400))),
        confirmed_potential=rng.choice((0.0, rng.uniform(1, 12_000))),
        confirmed_date=rng.choice((None, None, ago(rng.randrange(400)))),
        lookalike_potential=maybe(rng.uniform(0, 12_000)),
    )


def random_state(rng):
    """Return a state that earlier days may have left."""

    def standing(*values):
        since = rng.randrange(2, 60)
        value, left = rng.sample(values, 2)
        return Standing(value, ago(since), left, ago(since + 9), rng.choice(values))

    return State(
        rng.choice((Standing(), standing("A", "B", "C", "D", None))),
        rng.choice((Standing(), standing("hot", "warm", "cool", "frozen", None))),
        rng.choice((Standing(), standing("new", "regular", "sleeping"))),
        rng.choice((None, None, "A", "D", "gone")),
        rng.choice((None, ago(-1), ago(0), ago(1))),
    )


def random_cases(count=300):
    """Return facts and states of so many customers, the same each time."""
    rng = random.Random(7)
    return [(random_facts(rng), random_state(rng)) for _number in range(count)]
