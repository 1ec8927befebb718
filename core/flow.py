"""The network of an assignment, and its solution by OR-Tools' min-cost flow.

::

    source ── run ── giver ── customer ── leaf ── role ── person ── sink
       └──────────────────── stays ──────────────────────────────────┘

A *leaf* takes what is alike to a person's limits: group, A or not, load, leads that
come along. From person to sink run several arcs, each dearer than the one before: the
fuller somebody is, the more a further customer costs.

Imported where a plan is made only: it brings the solver and its arrays along.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil, floor
from typing import NamedTuple

import numpy
from ortools.graph.python import min_cost_flow

from .candidate import EPSILON, FITS, UNKNOWN, fit_relation, refusal
from .records import Key

SCALE = 100  # of a point: costs are whole numbers
MOST = 100 * SCALE  # that a move can cost
STEPS = 4  # in which a person's room gets dearer
UNLIMITED = 10**6
SOURCE, SINK, RUN = range(3)


class Leaf(NamedTuple):
    """What is alike to the limits of one person."""

    person: Key
    group: Key
    is_a: bool
    load: float
    lead_count: int

    @property
    def rank(self):
        """Sort by person, then what is contacted most often first."""
        return (self.person, -self.load, not self.is_a, -self.lead_count, repr(self))

    def fit(self, room: float, leads: int) -> int:
        """Return how many customers fit into a room of contacts and of leads."""
        most = UNLIMITED
        if self.load and room < float("inf"):
            most = _floor(room / self.load)
        if self.lead_count:
            most = min(most, max(0, leads) // self.lead_count)
        return most


@dataclass(frozen=True)
class Seats:
    """How many customers each leaf may take."""

    by_leaf: Mapping[Leaf, int]

    @classmethod
    def generous(cls, network):
        """Return the seats there were if a person got one kind of customer only."""
        return cls({leaf: network.room_for(leaf) for leaf in network.leaves})

    @classmethod
    def dealt(cls, network):
        """Deal each person's room: the most frequent contacts first, twice their share.

        The share is what one person of those who may take such a customer had to take.
        """
        wanted = {}
        for leaf in network.leaves:
            kind = leaf[1:]
            share = ceil(network.asking[kind] / network.taker_count[kind])
            wanted[leaf] = min(2 * share, network.asking[kind])
        return cls(_deal(network, {}, wanted))

    def deal_again(self, network, used):
        """Return seats with those dealt anew that the plan left free.

        :param used: customers by leaf; only leaves without a free seat get more
        """
        wanted = {
            leaf: network.asking[leaf[1:]]
            for leaf in network.leaves
            if used[leaf] == self.by_leaf[leaf]
        }
        return Seats(_deal(network, used, wanted))


def _deal(network, used, wanted):
    """Return the seats in use, and as many more as are wanted and there is room for."""
    by_leaf = {leaf: used.get(leaf, 0) for leaf in network.leaves}
    for key, leaves in network.leaves_of.items():
        room = network.room[key] - sum(leaf.load * by_leaf[leaf] for leaf in leaves)
        leads = network.lead_room[key]
        leads -= sum(leaf.lead_count * by_leaf[leaf] for leaf in leaves)
        for leaf in leaves:
            most = min(wanted.get(leaf, 0), network.room_for(leaf)) - by_leaf[leaf]
            more = max(0, min(most, leaf.fit(room, leads)))
            by_leaf[leaf] += more
            room -= leaf.load * more
            leads -= leaf.lead_count * more
    return by_leaf


class Network:
    """Customers, people, and what each pair costs; solved for given seats."""

    def __init__(self, subjects, people, relations, limits, weights):
        self.subjects, self.people, self.limits = subjects, people, limits
        self.relations, self.weights = relations, weights
        self.total_weight = sum(weights.values()) or 1.0
        self.most_value = max((one.value for one in subjects), default=0.0) or 1.0
        self._rows: dict = {}
        self._collect_rooms()
        self._collect_pairs()

    # === ROOMS === #

    def _collect_rooms(self):
        """Add up what room each person has, in all roles and in each."""
        self.room, self.lead_room, self.fullness = {}, {}, {}
        self.role_room, self.a_room, self.person_room = {}, {}, {}
        for group, members in self.people.items():
            for key, one in members.items():
                capacity = one.capacity or float("inf")
                self.room[key] = max(self.room.get(key, 0.0), capacity - one.load)
                self.lead_room[key] = one.lead_room
                room = _left(one.max_customer_count, one.customer_count)
                a_room = min(room, _left(one.max_a_count, one.a_count))
                self.role_room[key, group], self.a_room[key, group] = room, a_room
                self.person_room[key] = max(self.person_room.get(key, 0), room)
                full = one.load / one.capacity if one.capacity else UNKNOWN
                self.fullness[key] = min(full, self.fullness.get(key, 1.0))

    def room_for(self, leaf: Leaf) -> int:
        """Return how many a leaf can take if the person took nothing else."""
        limit = (self.a_room if leaf.is_a else self.role_room)[leaf.person, leaf.group]
        fit = leaf.fit(self.room[leaf.person], self.lead_room[leaf.person])
        return min(limit, fit)

    # === PAIRS === #

    def _collect_pairs(self):
        """Work out who may take what at which cost: once for all that are alike."""
        self.members = {group: sorted(ones) for group, ones in self.people.items()}
        self.takers, self.pairs = {}, {}
        self.asking, self.taker_count, leaves = Counter(), {}, set()
        for subject in self.subjects:
            kind = self._kind_of(subject)
            if kind not in self.takers:
                self.takers[kind] = self._find_takers(subject)
                found = [self.members[subject.group][at] for at in self.takers[kind]]
                leaves |= {Leaf(key, *kind[1:]) for key in found}
                self.taker_count[kind[1:]] = max(
                    len(found), self.taker_count.get(kind[1:], 1)
                )
            self.asking[kind[1:]] += 1
            self.pairs[subject.key] = self._rate(subject, self.takers[kind])
        self.leaves = sorted(leaves, key=lambda leaf: leaf.rank)
        self.leaves_of = defaultdict(list)
        for leaf in self.leaves:
            self.leaves_of[leaf.person].append(leaf)

    def _kind_of(self, subject):
        """Return what decides who may take a customer: seniority, then the leaf."""
        need = subject.need
        return (
            need.seniority,
            subject.group,
            need.is_a,
            need.load,
            need.lead_count,
        )

    def leaf_of(self, subject, key: Key) -> Leaf:
        """Return where a person takes a customer."""
        return Leaf(key, *self._kind_of(subject)[1:])

    def _find_takers(self, subject):
        """Return the positions of the people who may take such a customer."""
        people = self.people.get(subject.group, {})
        need = replace(subject.need, owner=None)  # of others alike, another owns them
        return numpy.array(
            [
                at
                for at, key in enumerate(self.members.get(subject.group, ()))
                if refusal(need, people[key]) is None
            ],
            dtype=int,
        )

    def _rate(self, subject, takers):
        """Return positions and costs of one customer's takers: two arrays.

        Neither its owner nor its owners of late are among them.
        """
        if not len(takers):
            return takers, takers
        members = self.members[subject.group]
        known = self.relations.get(subject.key, {})
        barred = {key for key, one in known.items() if one.is_former}
        barred.add(subject.need.owner)
        if any(members[at] in barred for at in takers):
            takers = numpy.array(
                [at for at in takers if members[at] not in barred], dtype=int
            )
        costs = self._get_costs(subject)[takers]
        if known:
            weight = MOST * self.weights.get("relation", 0.0) / self.total_weight
            costs = costs - [
                weight * fit_relation(known[members[at]]) if members[at] in known else 0
                for at in takers
            ]
        return takers, numpy.rint(costs).astype(int)

    def _get_costs(self, subject):
        """Return the costs of all of a group for a customer whom nobody knows.

        The room is left out: it depends on the plan.
        """
        costs = MOST * self.weights.get("relation", 0.0) / self.total_weight
        for name in FITS:
            if name != "room" and self.weights.get(name):
                costs = costs + self._get_row(subject, name)
        return costs + numpy.zeros(len(self.members[subject.group]))

    def _get_row(self, subject, name):
        """Return what one trait costs with each of a group, the same for its equals."""
        traits, fit = FITS[name]
        values = tuple(getattr(subject.need, trait) for trait in traits)
        key = (subject.group, name, values)
        if key not in self._rows:
            people = self.people[subject.group]
            weight = MOST * self.weights[name] / self.total_weight
            self._rows[key] = numpy.array(
                [
                    weight * (1 - fit(subject.need, people[one]))
                    for one in self.members[subject.group]
                ]
            )
        return self._rows[key]

    def is_takeable(self, key: Key) -> bool:
        """Return whether anybody may take a customer at all."""
        return len(self.pairs[key][0]) > 0

    def find_second(self, subject, receiver: Key) -> Key | None:
        """Return who would cost least after the receiver; equals by key."""
        takers, costs = self.pairs[subject.key]
        members = self.members[subject.group]
        for index in numpy.argsort(costs, kind="stable")[:2]:
            if members[takers[index]] != receiver:
                return members[takers[index]]
        return None

    # === JUDGING A PLAN === #

    def count_by_leaf(self, chosen) -> Counter:
        """Return the customers of a plan by leaf."""
        return Counter(
            self.leaf_of(one, chosen[one.key])
            for one in self.subjects
            if one.key in chosen
        )

    def fits(self, chosen) -> bool:
        """Return whether nobody is overloaded by a plan."""
        loads, leads = Counter(), Counter()
        for leaf, count in self.count_by_leaf(chosen).items():
            loads[leaf.person] += leaf.load * count
            leads[leaf.person] += leaf.lead_count * count
        return all(
            loads[key] <= self.room[key] + EPSILON
            and (not leads[key] or leads[key] <= self.lead_room[key])
            for key in loads
        )

    def gain_of(self, subject) -> int:
        """Return what moving a customer is worth: more than any move can cost."""
        share = max(0.0, subject.value) / self.most_value
        return 4 * MOST + round(100 * MOST * share)

    # === SOLVING === #

    def solve(self, seats: Seats) -> tuple[dict[Key, Key], int]:
        """Return ``{subject: receiver}`` of the cheapest plan, and its cost."""
        movable = [one for one in self.subjects if self.is_takeable(one.key)]
        if not movable:
            return {}, 0
        arcs = _Arcs()
        givers = self._draw_givers(arcs, movable)
        leaves = self._draw_people(arcs, seats)
        drawn = self._draw_pairs(arcs, movable, givers, leaves)
        arcs.add(SOURCE, SINK, len(movable), 0)
        flows, cost = arcs.solve(len(movable))
        return self._read(movable, drawn, flows), cost

    def _draw_givers(self, arcs, movable):
        """Draw what may leave at most, of the run and of each giver; return nodes."""
        limits, count = self.limits, len(movable)
        moves = count if limits.moves is None else max(0, limits.moves)
        arcs.add(SOURCE, RUN, moves, 0)
        givers = {}
        for giver in dict.fromkeys(one.need.owner for one in movable):
            most = count
            if giver is not None and limits.giver_moves is not None:
                most = max(0, limits.giver_moves)
            givers[giver] = arcs.add_node(RUN, most)
        return givers

    def _draw_people(self, arcs, seats):
        """Draw what each person can take, dearer the fuller he is; return leaves."""
        leaves = {}
        for key, mine in self.leaves_of.items():
            person, roles = arcs.new(), {}
            for leaf in mine:
                group = leaf.group
                if group not in roles:
                    role, top = arcs.new(), arcs.new()
                    arcs.add(role, person, self.role_room[key, group], 0)
                    arcs.add(top, role, self.a_room[key, group], 0)
                    roles[group] = {False: role, True: top}
                leaves[leaf], top = arcs.new(), roles[group][leaf.is_a]
                arcs.add(leaves[leaf], top, seats.by_leaf[leaf], 0)
            for count, cost in self.steps_of(key):
                arcs.add(person, SINK, count, cost)
        return leaves

    def steps_of(self, key) -> list[tuple[int, int]]:
        """Return how many a person can take at which cost each, the cheapest first.

        Rising to the weight of the room when he is full.
        """
        room = min(self.person_room[key], len(self.subjects))
        if self.room[key] < float("inf"):
            loads = [leaf.load for leaf in self.leaves_of[key] if leaf.load]
            least = min(loads, default=0.0)
            room = min(room, _floor(self.room[key] / least)) if least else room
        weight = MOST * self.weights.get("room", 0.0) / self.total_weight
        start = self.fullness[key]
        return [
            (count, round(weight * (start + (1 - start) * number / STEPS)))
            for number, count in enumerate(_split(room))
        ]

    def _draw_pairs(self, arcs, movable, givers, leaves):
        """Draw customers and who may take them; return the number of the first arc."""
        nodes = arcs.new_many(len(movable))
        starts = [givers[one.need.owner] for one in movable]
        gains = [-self.gain_of(one) for one in movable]
        arcs.add_many(starts, nodes, numpy.ones(len(movable), int), gains)
        targets, known = [], {}
        for one in movable:
            kind = self._kind_of(one)[1:]
            if kind not in known:
                nodes_of = [
                    leaves.get(Leaf(key, *kind)) for key in self.members[kind[0]]
                ]
                known[kind] = numpy.array([node or SINK for node in nodes_of])
            targets.append(known[kind][self.pairs[one.key][0]])
        sizes = [len(target) for target in targets]
        costs = numpy.concatenate([self.pairs[one.key][1] for one in movable])
        first = arcs.count
        arcs.add_many(
            numpy.repeat(nodes, sizes),
            numpy.concatenate(targets),
            numpy.ones(len(costs), int),
            costs,
        )
        return first, numpy.cumsum([0, *sizes])

    def _read(self, movable, drawn, flows):
        """Return who got what from the flows of the pairs' arcs."""
        first, bounds = drawn
        used = numpy.flatnonzero(flows[first : first + bounds[-1]])
        owners = numpy.searchsorted(bounds, used, side="right") - 1
        chosen = {}
        for arc, number in zip(used.tolist(), owners.tolist(), strict=True):
            one = movable[number]
            at = self.pairs[one.key][0][arc - bounds[number]]
            chosen[one.key] = self.members[one.group][at]
        return chosen


def _left(most: int, count: int) -> int:
    """Return the room up to a limit; 0 means no limit."""
    return max(0, most - count) if most else UNLIMITED


def _floor(number: float) -> int:
    return floor(max(0.0, number) + EPSILON)


def _split(room: int) -> list[int]:
    """Return a room in equal steps, as far as it goes."""
    size = ceil(room / STEPS) if room else 0
    counts = [min(size, room - number * size) for number in range(STEPS)]
    return [count for count in counts if count > 0]


class _Arcs:
    """The arcs of a network, collected for the solver."""

    def __init__(self):
        self.node_count, self.count = 3, 0
        self.parts: list = []
        self.few: list = []

    def new(self) -> int:
        return self.new_many(1)[0]

    def new_many(self, count):
        """Return the numbers of so many new nodes."""
        self.node_count += count
        return numpy.arange(self.node_count - count, self.node_count)

    def add(self, start, end, capacity, cost):
        self.few.append((start, end, capacity, cost))
        self.count += 1

    def add_node(self, start, capacity) -> int:
        """Return a new node that is reached from another at no cost."""
        node = self.new()
        self.add(start, node, capacity, 0)
        return node

    def add_many(self, starts, ends, capacities, costs):
        self._flush()
        self.parts.append(
            tuple(numpy.asarray(one) for one in (starts, ends, capacities, costs))
        )
        self.count += len(starts)

    def _flush(self):
        if self.few:
            self.parts.append(tuple(numpy.array(self.few).T))
            self.few = []

    def solve(self, count):
        """Send ``count`` from source to sink; return the arcs' flows and the cost."""
        self._flush()
        columns = [numpy.concatenate(one) for one in zip(*self.parts, strict=True)]
        solver = min_cost_flow.SimpleMinCostFlow()
        arcs = solver.add_arcs_with_capacity_and_unit_cost(*columns)
        solver.set_node_supply(SOURCE, count)
        solver.set_node_supply(SINK, -count)
        status = solver.solve()
        if status != solver.OPTIMAL:
            raise ArithmeticError(f"The flow has no solution: {status}")
        return solver.flows(arcs), solver.optimal_cost()
