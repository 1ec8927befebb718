from datetime import date, timedelta

from odoo.tests import BaseCase, tagged

from ..core.rethink import Case, decide, verdict

TODAY = date(2030, 6, 3)


def ago(days):
    return TODAY - timedelta(days=days)


@tagged("post_install", "-at_install")
class TestCoreRethink(BaseCase):
    """When a rethink is asked for, dropped, taken up again, and how it is judged."""

    def test_what_becomes_of_a_rethink(self):
        blue = {"is_top": True, "is_blue": True}
        turned = {**blue, "has_turned": True}
        again = {"state": "cancelled", "ended": ago(14)}
        cases = (
            ("turned blue", turned, ("open", "turned")),
            ("was blue already", blue, None),
            ("not an A", {**turned, "is_top": False}, None),
            ("archived", {**turned, "is_active": False}, None),
            ("open stays", {**turned, "state": "open"}, None),
            ("answered stays", {**turned, "state": "answered"}, None),
            ("confirmed stays", {**turned, "state": "confirmed"}, None),
            (
                "warm before the answer",
                {"is_top": True, "is_blue": False, "state": "open"},
                ("cancel", "warmed"),
            ),
            (
                "warm after the answer",
                {"is_top": True, "is_blue": False, "state": "answered"},
                None,
            ),
            ("left A", {**blue, "is_top": False, "state": "open"}, ("cancel", "left")),
            (
                "left A, answered",
                {**blue, "is_top": False, "state": "answered"},
                ("cancel", "left"),
            ),
            (
                "left A, confirmed",
                {**blue, "is_top": False, "state": "confirmed"},
                None,
            ),
            (
                "archived meanwhile",
                {**blue, "is_active": False, "state": "answered"},
                ("cancel", "gone"),
            ),
            ("blue again within days", {**turned, **again}, ("reopen", "again")),
            (
                "blue again much later",
                {**turned, "state": "cancelled", "ended": ago(15)},
                ("open", "turned"),
            ),
            (
                "blue again after a result",
                {**turned, "state": "closed", "ended": ago(1)},
                ("open", "turned"),
            ),
        )
        for label, case, expected in cases:
            with self.subTest(label):
                self.assertEqual(decide(Case(**case), True, TODAY), expected)

    def test_switched_off_asks_for_nothing_and_ends_what_is_over(self):
        turned = Case(True, True, has_turned=True)
        self.assertIsNone(decide(turned, False, TODAY))
        warm = Case(True, False, state="open")
        self.assertEqual(decide(warm, False, TODAY), ("cancel", "warmed"))

    def test_verdict_by_temperature_then_by_revenue(self):
        cases = (
            (False, 1_000, 0, "recovered"),
            (True, 1_000, 1_101, "better"),
            (True, 1_000, 1_100, "unchanged"),
            (True, 1_000, 900, "unchanged"),
            (True, 1_000, 899, "worse"),
            (True, 0, 1, "better"),
            (True, 0, 0, "unchanged"),
        )
        for is_blue, before, after, expected in cases:
            with self.subTest(before=before, after=after, is_blue=is_blue):
                self.assertEqual(verdict(is_blue, before, after), expected)
