"""The same assignment where contacts bind: exact, by OR-Tools' CP-SAT, if it is small.

Imported where a plan is made only, as ``flow``.
"""

from collections import defaultdict
from math import floor

from ortools.linear_solver import pywraplp

from .flow import UNLIMITED, Network
from .records import Key

MOST_PAIRS = 4_000
EFFORT = 4.0  # of the solver's own deterministic time, about as many seconds
UNITS = 2_520  # parts of a contact: thirds, sixths and sevenths are whole


def pack(network: Network, hint: dict[Key, Key]) -> tuple[dict[Key, Key], int] | None:
    """Return ``{subject: receiver}`` of the best plan, and its cost.

    :param hint: a plan that holds, to begin with
    :return: ``None`` where the network is too large to be sure of the best
    """
    movable = [one for one in network.subjects if network.is_takeable(one.key)]
    if sum(len(network.pairs[one.key][0]) for one in movable) > MOST_PAIRS:
        return None
    model = _Model(network, movable)
    model.add_hint(hint)
    return model.solve()


class _Model:
    """One variable a pair; what the flow draws as arcs are sums of them here."""

    def __init__(self, network, movable):
        self.network = network
        # CP-SAT by its plain interface: the other one loads a library of tables
        self.model = pywraplp.Solver.CreateSolver("SAT")
        self.taken, self.costs, self.by_leaf = {}, [], defaultdict(list)
        by_giver = defaultdict(list)
        for one in movable:
            mine = self._add_pairs(one)
            self._add_at_most(mine, 1)
            by_giver[one.need.owner] += mine
        self._limit_givers(by_giver)
        for key, leaves in network.leaves_of.items():
            self._limit_person(key, leaves)
        self.model.Minimize(self.model.Sum(self.costs))

    def _add_pairs(self, subject):
        """Add who may take one customer; return the variables."""
        takers, costs = self.network.pairs[subject.key]
        members, gain = (
            self.network.members[subject.group],
            self.network.gain_of(subject),
        )
        mine = []
        for at, cost in zip(takers.tolist(), costs.tolist(), strict=True):
            leaf = self.network.leaf_of(subject, members[at])
            taken = self.model.BoolVar("")
            self.taken[subject.key, leaf] = taken
            self.by_leaf[leaf].append(taken)
            self.costs.append((cost - gain) * taken)
            mine.append(taken)
        return mine

    def _limit_givers(self, by_giver):
        limits = self.network.limits
        if limits.moves is not None:
            self._add_at_most(self.taken.values(), max(0, limits.moves))
        for giver, mine in by_giver.items():
            if giver is not None and limits.giver_moves is not None:
                self._add_at_most(mine, max(0, limits.giver_moves))

    def _limit_person(self, key, leaves):
        """Keep one person within customers, A customers, contacts and leads."""
        network = self.network
        for group in {leaf.group: None for leaf in leaves}:
            mine = [leaf for leaf in leaves if leaf.group == group]
            self._limit(mine, network.role_room[key, group])
            mine = [leaf for leaf in mine if leaf.is_a]
            self._limit(mine, network.a_room[key, group])
        self._limit(leaves, network.person_room[key])
        if network.room[key] < float("inf"):
            self._limit_sum(leaves, "load", UNITS, network.room[key])
        self._limit_sum(leaves, "lead_count", 1, network.lead_room[key])
        self._add_steps(key, self._get_taken(leaves))

    def _get_taken(self, leaves):
        return [taken for leaf in leaves for taken in self.by_leaf[leaf]]

    def _limit(self, leaves, room):
        taken = self._get_taken(leaves)
        if taken and room < UNLIMITED:
            self._add_at_most(taken, room)

    def _limit_sum(self, leaves, name, units, room):
        """Keep the sum of what customers ask for within a room, in whole units."""
        asked = [
            round(units * getattr(leaf, name)) * taken
            for leaf in leaves
            if getattr(leaf, name)
            for taken in self.by_leaf[leaf]
        ]
        if asked:
            self._add_at_most(asked, max(0, floor(units * room + 0.5)))

    def _add_steps(self, key, taken):
        """Make a person's further customers dearer, as the flow does."""
        steps = []
        for count, cost in self.network.steps_of(key):
            step = self.model.IntVar(0, count, "")
            steps.append(step)
            self.costs.append(cost * step)
        if taken:
            self.model.Add(self.model.Sum(taken) == self.model.Sum(steps))

    def _add_at_most(self, terms, most):
        self.model.Add(self.model.Sum(list(terms)) <= most)

    def add_hint(self, chosen):
        """Begin with a plan that holds."""
        values = [chosen.get(key) == leaf.person for key, leaf in self.taken]
        self.model.SetHint(list(self.taken.values()), [float(one) for one in values])

    def solve(self) -> tuple[dict[Key, Key], int] | None:
        """Return plan and cost if they are proven to be the best."""
        self.model.SetSolverSpecificParametersAsString(
            f"num_workers:1 max_deterministic_time:{EFFORT}"  # the same, every time
        )
        if self.model.Solve() != self.model.OPTIMAL:
            return None
        chosen = {
            key: leaf.person
            for (key, leaf), taken in self.taken.items()
            if taken.solution_value() > 0.5
        }
        return chosen, round(self.model.Objective().Value())
