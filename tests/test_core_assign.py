from itertools import product
from random import Random

from odoo.tests import BaseCase, tagged

from odoo.addons.crm_sales_coverage.core.assign import Limits, Subject, admit, assign
from odoo.addons.crm_sales_coverage.core.candidate import WEIGHTS, Need, Relation
from odoo.addons.crm_sales_coverage.core.flow import Network

from .test_core_candidate import person

FARMER = "farmer"


def subject(key, owner=9, value=100.0, revenue=0.0, forced=None, **need):
    """Return a customer that needs another owner."""
    need = Need(key, owner=owner, **{"load": 1.0, **need})
    return Subject(need, FARMER, value=value, revenue=revenue, forced=forced)


def people(*ones):
    """Return people of one group."""
    return {FARMER: {one.key: one for one in ones}}


def receivers(plan):
    """Return ``{customer: receiver}`` of a plan."""
    return {one.key: one.receiver for one in plan.outcomes}


def codes(plan):
    """Return ``{customer: why it stays}`` of a plan."""
    return {one.key: one.code for one in plan.outcomes if one.receiver is None}


@tagged("post_install", "-at_install")
class TestCoreAssign(BaseCase):
    """Who gets which customer, and who stays."""

    def test_each_goes_to_whom_it_fits_best(self):
        plan = assign(
            [subject(1, language="de"), subject(2, language="fr")],
            people(
                person(1, languages=frozenset({"fr"})),
                person(2, languages=frozenset({"de"})),
            ),
            {},
        )
        self.assertEqual(receivers(plan), {1: 2, 2: 1})
        self.assertTrue(plan.is_exact)
        self.assertEqual(plan.outcomes[0].second[0], 1)
        self.assertIn("language", plan.outcomes[0].reasons)

    def test_nobody_gets_back_what_he_had_lately(self):
        relations = {1: {1: Relation(is_former=True)}}
        plan = assign([subject(1)], people(person(1), person(2)), relations)
        self.assertEqual(receivers(plan), {1: 2})
        plan = assign([subject(1)], people(person(1)), relations)
        self.assertEqual(plan.outcomes[0].code, "nobody")
        self.assertEqual(plan.outcomes[0].refusals, ("former",))

    def test_the_owner_does_not_keep_it(self):
        plan = assign([subject(1, owner=1)], people(person(1)), {})
        self.assertEqual(codes(plan), {1: "nobody"})

    def test_an_owner_who_is_too_junior_hides_nobody_from_others(self):
        """Customers that are alike but for their owner have the same takers."""
        junior = person(1, seniority=0)
        subjects = [subject(1, owner=1, seniority=1), subject(2, owner=9, seniority=1)]
        plan = assign(subjects, people(junior), {})
        self.assertEqual(codes(plan), {1: "nobody", 2: "nobody"})

    def test_the_most_valuable_move_where_room_is_scarce(self):
        subjects = [subject(key, value=key) for key in (1, 2, 3)]
        full = person(1, customer_count=8, max_customer_count=10)
        plan = assign(subjects, people(full), {})
        self.assertEqual(receivers(plan), {1: None, 2: 1, 3: 1})
        self.assertEqual(codes(plan), {1: "full"})

    def test_room_is_shared(self):
        """Of equal people the one with more room gets more."""
        subjects = [subject(key) for key in range(8)]
        plan = assign(subjects, people(person(1, load=20.0), person(2)), {})
        taken = list(receivers(plan).values())
        self.assertGreater(taken.count(2), taken.count(1))

    def test_limits_of_a_run(self):
        subjects = [subject(key, owner=8 + key % 2, value=key) for key in range(6)]
        for limits, moved, expected in (
            (Limits(), 6, set()),
            (Limits(moves=2), 2, {"run_limit"}),
            (Limits(giver_moves=1), 2, {"giver_limit"}),
            (Limits(moves=0), 0, {"run_limit"}),
        ):
            with self.subTest(limits):
                plan = assign(subjects, people(person(1)), {}, limits)
                found = [one for one in receivers(plan).values() if one]
                self.assertEqual(len(found), moved)
                self.assertEqual(set(codes(plan).values()), expected)

    def test_revenue_at_risk_is_a_budget(self):
        subjects = [
            subject(1, owner=8, value=30, revenue=60),
            subject(2, owner=8, value=20, revenue=60),
            subject(3, owner=9, value=10, revenue=40),
            subject(4, owner=None, value=5, revenue=0),
        ]
        for limits, waiting in (
            (Limits(), {}),
            (Limits(revenue=100), {2: "budget_run"}),
            (Limits(revenue=100, spent={8: 50}), {1: "budget_run", 2: "budget_run"}),
            (Limits(giver_revenue={8: 60, 9: 40}), {2: "budget_giver"}),
            (Limits(giver_revenue={8: 60}), {2: "budget_giver", 3: "budget_giver"}),
        ):
            with self.subTest(limits):
                entered, found = admit(subjects, limits)
                self.assertEqual(found, waiting)
                self.assertEqual(len(entered) + len(found), 4)

    def test_what_a_manager_chose_is_done_beyond_limits(self):
        full = person(2, customer_count=1, max_customer_count=1)
        plan = assign(
            [subject(1, forced=2, revenue=9), subject(2)],
            people(person(1), full),
            {},
            Limits(moves=1, revenue=1),
        )
        self.assertEqual(receivers(plan), {1: 2, 2: 1})
        self.assertEqual(plan.outcomes[0].code, "forced")

    def test_who_cannot_own_is_not_forced(self):
        for values in ({"is_archived": True}, {"is_foreign": True}):
            plan = assign([subject(1, forced=2)], people(person(2, **values)), {})
            self.assertEqual(receivers(plan), {1: None})

    def test_the_same_input_gives_the_same_plan(self):
        case = _draw_case(Random(5), customer_count=40, person_count=6)
        self.assertEqual(assign(*case), assign(*case))

    def test_nothing_to_do(self):
        self.assertEqual(assign([], people(person(1)), {}).outcomes, ())
        self.assertEqual(codes(assign([subject(1)], {}, {})), {1: "nobody"})

    # === PROPERTIES === #

    def test_small_plans_are_the_best_there_are(self):
        """Against every other plan, contacts and leads binding in many of them."""
        for seed in range(60):
            with self.subTest(seed=seed):
                subjects, group, relations, limits = _draw_case(Random(seed))
                plan = assign(subjects, group, relations, limits)
                network = Network(subjects, group, relations, limits, WEIGHTS)
                self.assertTrue(plan.is_exact)
                mine = _cost(network, [one.receiver for one in plan.outcomes])
                every = product([None, *group[FARMER]], repeat=len(subjects))
                costs = (_cost(network, one) for one in every)
                self.assertEqual(mine, min(cost for cost in costs if cost is not None))

    def test_no_limit_is_ever_exceeded(self):
        """In large plans, too, that are solved in seats."""
        for seed in range(4):
            with self.subTest(seed=seed):
                case = _draw_case(Random(seed), customer_count=600, person_count=12)
                subjects, group, relations, limits = case
                plan = assign(*case)
                network = Network(subjects, group, relations, limits, WEIGHTS)
                found = [one.receiver for one in plan.outcomes]
                self.assertIsNotNone(_cost(network, found))
                self.assertTrue(any(found))


def _draw_case(random, customer_count=6, person_count=3):
    """Return subjects, people, relations and limits, drawn at random."""
    wide = customer_count > 10
    group = people(
        *(
            person(
                key,
                seniority=random.randint(0, 2),
                capacity=random.choice([0.0, 2.0, 3.0]) * (10 if wide else 1),
                load=random.choice([0.0, 0.5, 1.0]),
                customer_count=random.randint(0, 2),
                max_customer_count=random.choice([0, 3, 4]) * (10 if wide else 1),
                a_count=random.randint(0, 1),
                max_a_count=random.choice([0, 2]),
                lead_room=random.randint(0, 2),
                languages=frozenset(random.sample(range(3), 1)),
                teams=frozenset([key % 2]),
            )
            for key in range(person_count)
        )
    )
    subjects, relations = [], {}
    for key in range(customer_count):
        load = random.choice([1.0, 1 / 3, 1 / 6])
        subjects.append(
            subject(
                key,
                owner=random.choice([100, 101, 0, None]),
                value=1000 * random.random(),
                load=load,
                is_a=load == 1.0,
                language=random.randint(0, 2),
                team=random.randint(0, 1),
                lead_count=random.choice([0, 0, 1]),
                seniority=random.choice([0, 0, 1]),
            )
        )
        if random.random() < 0.5:
            met = Relation(random.randint(1, 5), is_former=random.random() < 0.3)
            relations[key] = {random.randrange(person_count): met}
    limits = Limits(
        moves=random.choice([None, customer_count // 2]),
        giver_moves=random.choice([None, customer_count // 3]),
    )
    return subjects, group, relations, limits


def _cost(network, found):
    """Return what a plan costs, reckoned from its rules; None if it breaks one."""
    cost, taken, given = 0, {}, {}
    for one, receiver in zip(network.subjects, found, strict=True):
        if receiver is None:
            continue
        takers, costs = network.pairs[one.key]
        keys = [network.members[one.group][at] for at in takers]
        if receiver not in keys:
            return None
        cost += int(costs[keys.index(receiver)]) - network.gain_of(one)
        taken.setdefault(receiver, []).append(one.need)
        given.setdefault(one.need.owner, []).append(one)
    limits = network.limits
    if limits.moves is not None and sum(map(len, taken.values())) > limits.moves:
        return None
    if limits.giver_moves is not None and any(
        len(ones) > limits.giver_moves
        for owner, ones in given.items()
        if owner is not None
    ):
        return None
    for key, needs in taken.items():
        if not _holds(network.people[FARMER][key], needs):
            return None
        left = len(needs)
        for count, price in network.steps_of(key):
            cost, left = cost + price * min(count, left), left - min(count, left)
    return cost


def _holds(one, needs):
    """Return whether a person stays within every limit."""
    a_count = one.a_count + sum(need.is_a for need in needs)
    load = one.load + sum(need.load for need in needs)
    most, most_a = one.max_customer_count, one.max_a_count
    return (
        (not most or one.customer_count + len(needs) <= most)
        and (not most_a or a_count <= most_a)
        and (not one.capacity or load <= one.capacity + 1e-6)
        and sum(need.lead_count for need in needs) <= one.lead_room
    )
