from odoo.tests import BaseCase, tagged

from odoo.addons.crm_sales_coverage.core.candidate import (
    REFUSALS,
    WEIGHTS,
    Candidate,
    Need,
    Relation,
    rank,
    refusal,
    score,
)

NEED = Need(1, owner=9, seniority=1, load=1.0)


def person(key=1, **values):
    """Return somebody with room who is just senior enough."""
    usual = {"seniority": 1, "capacity": 40.0, "lead_room": 30}
    return Candidate(key, **{**usual, **values})


@tagged("post_install", "-at_install")
class TestCoreCandidate(BaseCase):
    """Who may take a customer over, and who fits best."""

    def test_who_may_not(self):
        for code, values, need in (
            (None, {}, NEED),
            ("owner", {}, Need(1, owner=1)),
            ("archived", {"is_archived": True}, NEED),
            ("external", {"is_external": True}, NEED),
            ("company", {"is_foreign": True}, NEED),
            ("role", {"seniority": None}, NEED),
            ("junior", {"seniority": 0}, NEED),
            ("absent", {"is_absent": True}, NEED),
            ("paused", {"is_paused": True}, NEED),
            ("full_a", {"a_count": 2, "max_a_count": 2}, Need(1, is_a=True)),
            (None, {"a_count": 2, "max_a_count": 2}, NEED),
            (None, {"a_count": 2, "max_a_count": 0}, Need(1, is_a=True)),
            ("full_customers", {"customer_count": 9, "max_customer_count": 9}, NEED),
            (None, {"customer_count": 8, "max_customer_count": 9}, NEED),
            ("full_load", {"load": 39.5}, NEED),
            (None, {"load": 39.0}, NEED),
            (None, {"load": 99.0, "capacity": 0.0}, NEED),
            ("full_leads", {"lead_room": 0}, Need(1, is_lead=True)),
            (None, {"load": 99.0}, Need(1, is_lead=True)),
            ("archived", {"is_archived": True, "is_paused": True}, NEED),
        ):
            with self.subTest(code, values=values):
                self.assertEqual(refusal(need, person(**values)), code)
                self.assertIn(code, (*REFUSALS, None))

    def test_weights_make_a_hundred(self):
        self.assertEqual(sum(WEIGHTS.values()), 100)
        need = Need(
            1,
            seniority=1,
            language="de",
            country=1,
            industry=1,
            lines=frozenset([1]),
            team=1,
        )
        known = frozenset([1])
        best = person(
            languages=frozenset(["de"]),
            countries=known,
            industries=known,
            lines=known,
            teams=known,
        )
        points, reasons = score(need, best, Relation(3, 2))
        self.assertEqual((points, reasons), (100, tuple(WEIGHTS)))

    def test_each_fit_raises_the_score(self):
        need = Need(
            1, language="de", country=1, state=2, industry=1, lines=frozenset([1])
        )
        one = frozenset([1])
        for name, better, worse in (
            ("language", {"languages": frozenset(["de"])}, {"languages": one}),
            ("country", {"countries": one}, {"countries": frozenset([3])}),
            (
                "state before country",
                {"states": frozenset([2]), "countries": frozenset([3])},
                {"states": frozenset([9]), "countries": one},
            ),
            ("industry", {"industries": one}, {"industries": frozenset([3])}),
            ("lines", {"lines": one}, {"lines": frozenset([3])}),
            ("room", {"load": 3.0}, {"load": 30.0}),
            ("not too senior", {"seniority": 0}, {"seniority": 2}),
        ):
            with self.subTest(name):
                high, low = (
                    score(need, person(**values))[0] for values in (better, worse)
                )
                self.assertGreater(high, low)
        known, unknown = score(need, person(), Relation(4)), score(need, person())
        self.assertGreater(known[0], unknown[0])

    def test_former_owner_comes_last(self):
        people = [person(1), person(2, load=39.0)]
        relations = {1: Relation(9, 9, is_former=True)}
        found = rank(NEED, people, relations)
        self.assertEqual([one.key for one in found], [2, 1])
        self.assertIn("former", found[1].reasons)
        self.assertGreaterEqual(found[1].score, 0)

    def test_equals_by_key_and_never_the_unable(self):
        people = [person(3), person(2), person(1, is_absent=True), person(9)]
        self.assertEqual([one.key for one in rank(NEED, people, {})], [2, 3])
        self.assertEqual(rank(NEED, [], {}), [])
