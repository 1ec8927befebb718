from datetime import date, timedelta

from odoo.tests import freeze_time, tagged

from .common import NOW
from .map_common import MapCase


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestMovementReport(MapCase):
    """Every move that happened, up or down, with the money of that moment."""

    def _get_moves(self):
        return self.env["coverage.movement.report"].search(
            [("company_id", "=", self.company.id)]
        )

    def _get_changes(self):
        """Return the lines of history that moved somebody, read one by one."""
        changes = self.env["coverage.change"].search(
            [("company_id", "=", self.company.id)]
        )
        return changes.filtered(
            lambda one: (
                one.field_name in ("segment_id", "temperature_id")
                and one.old_value
                and one.new_value
                and one.state in ("applied", "kept")
                and one.origin != "undo"
            )
        )

    def _move(self, customer, code):
        row = self._row(customer)
        row.temperature_id = self.levels[code]
        self.env.flush_all()

    def test_moves_are_those_of_the_history(self):
        self._move(self.customers["sara", 9_000], "mild")
        self._move(self.customers["sam", 9_000], "frozen")
        moves = self._get_moves()
        changes = self._get_changes()
        self.assertTrue(changes)
        self.assertEqual(set(moves.ids), set(changes.ids))
        self.assertEqual(
            sum(moves.mapped("potential")), sum(changes.mapped("potential"))
        )

    def test_direction_and_steps(self):
        self._move(self.customers["sara", 9_000], "frozen")
        self._move(self.customers["sara", 9_000], "warm")
        row = self._row(self.customers["sara", 9_000])
        moves = self._get_moves().filtered(
            lambda one: one.customer_id == row and one.kind == "temperature"
        )
        last = moves.sorted("id")[-1]
        self.assertEqual(
            (last.direction, last.step_count, last.from_name, last.to_name),
            ("up", 3, "Frozen", "Warm"),
        )
        self.assertEqual(last.user_id, self.sara)

    def test_undone_run_moved_nobody(self):
        before = self._get_moves()
        run = self._plan(segment={"B": {"typical_share": 95}})
        run.action_apply()
        self.env.flush_all()
        moved = self._get_moves() - before
        self.assertTrue(moved)
        run.action_undo()
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertFalse(self._get_moves().filtered(lambda one: one in moved))


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestBaseReport(MapCase):
    """What customers were at each month's end, against a replay of the history."""

    def _count(self):
        groups = self.env["coverage.base.report"].formatted_read_group(
            [("company_id", "=", self.company.id)],
            ["date:day", "lifecycle"],
            ["customer_count:sum"],
        )
        return {
            (group["date:day"][0], group["lifecycle"]): group["customer_count:sum"]
            for group in groups
        }

    def _replay(self, day):
        """Return how many customers were what at the end of a day, one by one."""
        end = self.company._get_coverage_midnight(day + timedelta(days=1))
        counts = {}
        for row in self.env["coverage.customer"].search(
            [("company_id", "=", self.company.id)]
        ):
            changes = self.env["coverage.change"].search(
                [("customer_id", "=", row.id), ("field_name", "=", "lifecycle")],
                order="date, id",
            )
            later = changes.filtered(lambda one: one.date >= end)
            value = later[:1].old_value if later else row.lifecycle
            is_there = (
                (row.first_order_date and row.first_order_date <= day)
                or row.create_date < end
                or changes - later
            )
            if is_there and value:
                counts[value] = counts.get(value, 0) + 1
        return counts

    def test_month_ends_are_a_replay_of_the_history(self):
        counts = self._count()
        days = {date.fromisoformat(day) for day, _lifecycle in counts}
        self.assertGreater(len(days), 5)
        for day in days:
            with self.subTest(day=day):
                found = {
                    lifecycle: count
                    for (found_day, lifecycle), count in counts.items()
                    if found_day == str(day)
                }
                self.assertEqual(found, self._replay(day))

    def test_today_is_what_the_list_shows(self):
        today = self.env["coverage.base.report"].search(
            [("company_id", "=", self.company.id), ("date", "=", NOW.date())]
        )
        rows = self.env["coverage.customer"].search(
            [("company_id", "=", self.company.id)]
        )
        self.assertEqual(
            {line.customer_id: line.lifecycle for line in today},
            {row: row.lifecycle for row in rows if row.lifecycle},
        )
