"""Who could take a customer or lead over: who may, how well, and why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .records import Key

Weights = Mapping[str, float]

ANY: frozenset = frozenset()

# What each fit is worth; together at most 100. Whatever is not known counts as half.
WEIGHTS = {
    "seniority": 15.0,
    "room": 25.0,
    "language": 15.0,
    "territory": 10.0,
    "industry": 10.0,
    "lines": 5.0,
    "team": 5.0,
    "relation": 15.0,
}
FORMER_PENALTY = 40.0  # owned it until lately, and gave it up
ENOUGH_DEALINGS = 5  # touches and orders together that make a relationship
UNKNOWN = 0.5
EPSILON = 1e-9

# Why somebody cannot take a customer or lead, in the order they are told.
REFUSALS = (
    "owner",
    "role",
    "archived",
    "external",
    "company",
    "junior",
    "absent",
    "paused",
    "full_leads",
    "full_a",
    "full_customers",
    "full_load",
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One person in the one membership that fits the role best.

    :param seniority: rank, 0 being the lowest; ``None`` while the role is not held
    :param load: contacts a month that the customers owned ask for
    :param capacity: contacts a month that can be kept; 0: no limit
    :param max_a_count: A customers at most; 0: no limit of their own
    :param lead_room: leads that fit into the month
    """

    key: Key
    seniority: int | None = 0
    is_archived: bool = False
    is_external: bool = False
    is_foreign: bool = False
    is_absent: bool = False
    is_paused: bool = False
    customer_count: int = 0
    max_customer_count: int = 0
    a_count: int = 0
    max_a_count: int = 0
    load: float = 0.0
    capacity: float = 0.0
    lead_room: int = 0
    languages: frozenset = ANY
    countries: frozenset = ANY
    states: frozenset = ANY
    industries: frozenset = ANY
    lines: frozenset = ANY
    teams: frozenset = ANY


@dataclass(frozen=True, slots=True)
class Need:
    """What a customer or lead asks of whoever takes it over.

    :param seniority: rank that is needed at least
    :param load: contacts a month that it adds
    :param lead_count: open leads that come along with a customer
    :param lines: product lines with the wider ones they belong to
    """

    key: Key
    owner: Key | None = None
    seniority: int = 0
    is_lead: bool = False
    is_a: bool = False
    load: float = 0.0
    lead_count: int = 0
    language: Key | None = None
    country: Key | None = None
    state: Key | None = None
    industry: Key | None = None
    lines: frozenset = ANY
    team: Key | None = None


@dataclass(frozen=True, slots=True)
class Relation:
    """What a person had to do with a customer.

    :param is_former: owned it within the last months, and does not any more
    """

    touch_count: int = 0
    order_count: int = 0
    is_former: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """One candidate for one need: score 0–100, and the codes of what speaks for it."""

    key: Key
    score: float
    reasons: tuple[str, ...]


STRANGER = Relation()


def refusal(need: Need, candidate: Candidate) -> str | None:
    """Return why somebody cannot take it, the first of ``REFUSALS``, else ``None``."""
    seniority = candidate.seniority
    wrong = {
        "owner": candidate.key == need.owner,
        "archived": candidate.is_archived,
        "external": candidate.is_external,
        "company": candidate.is_foreign,
        "role": seniority is None,
        "junior": seniority is not None and seniority < need.seniority,
        "absent": candidate.is_absent,
        "paused": candidate.is_paused,
        **_limits(need, candidate),
    }
    return next((code for code in REFUSALS if wrong.get(code)), None)


def score(
    need: Need,
    candidate: Candidate,
    relation: Relation = STRANGER,
    weights: Weights | None = None,
) -> tuple[float, tuple[str, ...]]:
    """Return how well somebody fits, 0–100, and the codes of what speaks for it.

    :param weights: what each fit is worth, in relation to the others: ``WEIGHTS``
    """
    fits = fits_of(need, candidate, relation)
    points = points_of(fits, weights or WEIGHTS)
    if relation.is_former:
        points -= FORMER_PENALTY
    reasons = [name for name in WEIGHTS if fits[name] > UNKNOWN]
    if relation.is_former:
        reasons.append("former")
    return round(max(points, 0.0), 2), tuple(reasons)


def points_of(fits: Mapping[str, float], weights: Weights) -> float:
    """Return the weighted mean of fits, 0–100; nothing weighs: 0."""
    total = sum(weights.values())
    if not total:
        return 0.0
    return 100 * sum(weights[name] * fits[name] for name in weights) / total


def rank(
    need: Need,
    candidates: Iterable[Candidate],
    relations: dict[Key, Relation],
    weights: Weights | None = None,
) -> list[Proposal]:
    """Return who could take it over, best first; equals by key."""
    able = (one for one in candidates if refusal(need, one) is None)
    found = [
        Proposal(one.key, *score(need, one, relations.get(one.key, STRANGER), weights))
        for one in able
    ]
    return sorted(found, key=lambda one: (-one.score, one.key))


def _limits(need: Need, candidate: Candidate) -> dict[str, bool]:
    """Return the hard limits that one more would break; leads have their own."""
    if need.is_lead:
        return {"full_leads": candidate.lead_room < 1}
    most, most_a = candidate.max_customer_count, candidate.max_a_count
    capacity = candidate.capacity
    return {
        "full_leads": candidate.lead_room < need.lead_count,
        "full_a": bool(need.is_a and most_a and candidate.a_count >= most_a),
        "full_customers": bool(most and candidate.customer_count >= most),
        "full_load": bool(capacity and candidate.load + need.load > capacity + EPSILON),
    }


def fits_of(need: Need, candidate: Candidate, relation: Relation) -> dict[str, float]:
    """Return how well each trait fits, 0–1."""
    fits = {name: fit(need, candidate) for name, (_traits, fit) in FITS.items()}
    return {**fits, "relation": fit_relation(relation)}


def fit_relation(relation: Relation) -> float:
    """Return 1 for whoever dealt with a customer often enough, 0 for strangers."""
    dealings = relation.touch_count + relation.order_count
    return min(dealings / ENOUGH_DEALINGS, 1.0)


def _fit(value: Key | None, known: frozenset) -> float:
    """Return 1 for what somebody knows, half where either side says nothing."""
    if value is None or not known:
        return UNKNOWN
    return float(value in known)


def _fit_seniority(need: Need, candidate: Candidate) -> float:
    """Return 1 for just senior enough: seniors are kept for those who need them."""
    above = (candidate.seniority or 0) - need.seniority
    return max(0.0, 1.0 - above / 2)


def _fit_room(need: Need, candidate: Candidate) -> float:
    """Return the part of the capacity that is free; half where nothing limits it."""
    if need.is_lead:
        return min(candidate.lead_room / 30, 1.0)
    if not candidate.capacity:
        return UNKNOWN
    return max(0.0, 1.0 - candidate.load / candidate.capacity)


def _fit_language(need: Need, candidate: Candidate) -> float:
    return _fit(need.language, candidate.languages)


def _fit_territory(need: Need, candidate: Candidate) -> float:
    """Return the fit of the state, where somebody has states, else of the country."""
    if candidate.states and need.state is not None:
        return float(need.state in candidate.states)
    return _fit(need.country, candidate.countries)


def _fit_industry(need: Need, candidate: Candidate) -> float:
    return _fit(need.industry, candidate.industries)


def _fit_lines(need: Need, candidate: Candidate) -> float:
    if not need.lines or not candidate.lines:
        return UNKNOWN
    return float(not need.lines.isdisjoint(candidate.lines))


def _fit_team(need: Need, candidate: Candidate) -> float:
    return float(need.team is not None and need.team in candidate.teams)


# What each fit looks at in a need, and how it is reckoned
FITS = {
    "seniority": (("seniority",), _fit_seniority),
    "room": (("is_lead",), _fit_room),
    "language": (("language",), _fit_language),
    "territory": (("country", "state"), _fit_territory),
    "industry": (("industry",), _fit_industry),
    "lines": (("lines",), _fit_lines),
    "team": (("team",), _fit_team),
}
