from datetime import timedelta

from odoo.tests import freeze_time, tagged

from .common import NOW, ago
from .test_idle import IdleCase


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestIdleBacktest(IdleCase):
    """Today's rules on a year of hand-made history."""

    def _create_history(self, contacts, segment="B", owned=900, **values):
        """Return a customer of Sara, spoken to on these days ago."""
        customer = self._create_known_buyer(
            6_000, name=values.pop("name", "Customer"), user_id=self.sara.id
        )
        self._rate(customer, segment)
        self._let_own(customer, owned)
        for days_ago in contacts:
            self._log_touch(customer, days_ago=days_ago, source="telephone", **values)
        return customer

    def _let_own(self, customer, days):
        row = self._row(customer)
        row.write({"owned_since": ago(days)})
        order = self.env["sale.order"].search([("partner_id", "=", customer.id)])
        order.date_order = NOW - timedelta(days=days)
        self.env["coverage.refresh"]._refresh_customers(row)
        row.change_ids.filtered(lambda one: one.field_name == "user_id").unlink()

    def _test(self, customer):
        """Return ``(days ago of the move, days ago of next contact, bought)``."""
        moves = self.engine._backtest(self.company, NOW)
        row = self._row(customer)
        return [
            (
                (NOW.date() - one["moved"]).days,
                one["contacted"] and (NOW.date() - one["contacted"]).days,
                one["bought"],
                self.env["res.users"].browse(one["user_id"]).name,
            )
            for one in moves
            if one["customer_id"] == row.id
        ]

    def test_customer_that_was_kept_does_not_move(self):
        customer = self._create_history([350, 230, 100])
        self.assertFalse(self._test(customer))

    def test_first_gap_longer_than_the_term_moves(self):
        customer = self._create_history([350, 100])
        self.assertEqual(self._test(customer), [(215, 100, 0, "cover_sara")])

    def test_silence_counts_from_a_year_ago(self):
        customer = self._create_history([800])
        self.assertEqual(self._test(customer), [(230, None, 0, "cover_sara")])

    def test_what_is_bought_afterwards_anyway_is_told(self):
        customer = self._create_history([350])
        self._confirm_order(customer, 700, 20)
        self._confirm_order(customer, 500, 216)
        self.env["coverage.touch"].search(
            [("customer_id", "=", self._row(customer).id), ("source", "=", "order")]
        ).unlink()
        self.assertEqual(self._test(customer), [(215, None, 700, "cover_sara")])

    def test_who_was_tried_often_is_not_moved(self):
        customer = self._create_history([350])
        for days_ago in range(230, 240, 2):
            self._log_touch(customer, days_ago=days_ago, is_two_way=False)
        self.assertFalse(
            [one for one in self._test(customer) if one[0] == 215], "tried 5 times"
        )

    def test_who_owned_it_then_loses_it(self):
        customer = self._create_history([350])
        row = self._row(customer)
        row.write({"user_id": self.sam.id})
        change = row.change_ids.filtered(lambda one: one.field_name == "user_id")
        change.date = NOW - timedelta(days=50)
        self.assertEqual(self._test(customer), [(215, None, 0, "cover_sara")])
        change.date = NOW - timedelta(days=300)
        self.assertEqual(self._test(customer), [(165, None, 0, "cover_sam")])

    def test_notes_by_hand_keep_no_a(self):
        customer = self._create_history([350], "A")
        self._log_touch(customer, days_ago=320)
        self.assertEqual(self._test(customer), [(290, None, 0, "cover_sara")])

    def test_segments_without_term_move_nobody(self):
        self.assertFalse(self._test(self._create_history([350], "D")))

    def test_preview_shows_it_by_month(self):
        self._create_history([350, 100], name="Moved")
        dialog = self.env["coverage.idle.preview"].with_user(self.manager).create({})
        self.assertFalse(dialog.backtest)
        before = self._versions()
        dialog.action_backtest()
        backtest = dialog.backtest
        self.assertEqual(len(backtest["months"]), 13)
        moved = {one["label"]: one["moved"] for one in backtest["months"]}
        self.assertEqual(moved["Oct 2029"], 1)
        line = next(one for one in backtest["lines"] if one["name"] == "Moved")
        self.assertEqual(line["moved"], "31 Oct 2029")
        self.assertEqual(backtest["total"]["moved"], sum(moved.values()))
        self.assertSameRows(self._versions(), before)
