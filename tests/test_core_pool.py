from odoo.tests import BaseCase, tagged

from odoo.addons.crm_sales_coverage.core.candidate import Candidate, Need, Relation
from odoo.addons.crm_sales_coverage.core.pool import (
    Offer,
    fill,
    hand_out,
    order,
    room,
    take_on,
)


@tagged("post_install", "-at_install")
class TestCorePool(BaseCase):
    """In which order the pool offers, and who gets what is handed out."""

    def test_value_first_fit_second_then_amount_then_id(self):
        offers = [
            Offer(1, None, 0.0, 99.0),
            Offer(2, 1, 500.0, 90.0),
            Offer(3, 0, 900.0, 40.0),
            Offer(4, 0, 800.0, 60.0),
            Offer(6, 1, 700.0, 90.0),
            Offer(5, 1, 700.0, 90.0),
        ]
        found = [one.key for one in order(offers)]
        self.assertEqual(found, [4, 3, 5, 6, 2, 1])
        self.assertEqual(found, [one.key for one in order(reversed(offers))])

    def test_taking_on_fills_up(self):
        person = Candidate("p", customer_count=3, a_count=1, load=2.0, lead_room=4)
        taken = take_on(Need("n", is_a=True, load=1.0), person)
        self.assertEqual((taken.customer_count, taken.a_count, taken.load), (4, 2, 3.0))
        lead = take_on(Need("n", is_lead=True), person)
        self.assertEqual((lead.customer_count, lead.lead_room), (3, 3))

    def test_room_is_what_both_limits_leave(self):
        for limits, expected in (
            ({}, None),
            ({"max_customer_count": 10, "customer_count": 3}, 7),
            ({"capacity": 40.0, "load": 39.0}, 3),
            ({"capacity": 1.0, "max_customer_count": 10}, 3),
            ({"capacity": 1.0, "load": 2.0}, 0),
        ):
            with self.subTest(**limits):
                self.assertEqual(room(Candidate("p", **limits)), expected)

    def test_handing_out_never_goes_beyond_a_limit(self):
        people = {
            "a": Candidate("a", max_customer_count=2),
            "b": Candidate("b", max_customer_count=1),
        }
        needs = [Need(number) for number in range(5)]
        given = hand_out(needs, people, lambda _key: {})
        self.assertEqual(list(given.values()).count("a"), 2)
        self.assertEqual(list(given.values()).count("b"), 1)
        self.assertEqual(list(given.values()).count(None), 2)

    def test_handing_out_passes_over_the_former_owner(self):
        people = {"a": Candidate("a")}
        given = hand_out([Need(1)], people, lambda _key: {"a": Relation(9, 9, True)})
        self.assertEqual(given, {1: None})

    def test_one_person_takes_until_full(self):
        person = Candidate("p", seniority=None, max_customer_count=2)
        needs = [Need(number, seniority=2) for number in range(3)]
        count, after, need, code = fill(needs, person)
        self.assertEqual((count, after.customer_count), (2, 2))
        self.assertEqual((need.key, code), (2, "full_customers"))
        self.assertIsNone(fill(needs[:2], person)[3])
