from datetime import datetime, timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged, users

from .common import NOW, TODAY, CoverageCase, ago
from .map_common import BLUE, RED, MapCase

FIELDS = ("segment_id", "temperature_id", "lifecycle", "user_id", "team_id")
HAPPENED = ("applied", "undone", "kept")


@tagged("post_install", "-at_install")
class TestAsOf(CoverageCase):
    """The state of customers at the end of a past day."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with cls._on_day(300):
            cls._refresh(NOW - timedelta(days=300))
        with cls._on_day(200):
            cls.customers = cls._create_buyers(3, 10_000, days_ago=210)
            cls.customer = cls.customers[0]
            cls._refresh(NOW - timedelta(days=200))
        cls.row = cls._row(cls.customer)

    def _get_states(self, day, company=None):
        """Return by id the customers of a day, as the history tells."""
        history = self.env["coverage.history"]
        history._flush_history()
        query = history._query_as_of(company or self.company, day)
        return {row["id"]: row for row in self.env.execute_query_dict(query)}

    def _get_state(self, day):
        return self._get_states(day).get(self.row.id)

    def _log(self, name, old, new, date, **values):
        """Note a change in the history, without making it."""
        return self.env["coverage.change"].create(
            {
                "customer_id": self.row.id,
                "company_id": self.company.id,
                "res_id": self.row.id,
                "field_name": name,
                "old_value": old and str(old),
                "new_value": new and str(new),
                "date": date,
                **values,
            }
        )

    def _read_back(self, row, name, day):
        """Return a value of then, from the changes one by one."""
        end = datetime.combine(day + timedelta(days=1), datetime.min.time())
        later = row.change_ids.filtered(
            lambda one: (
                one.model == row._name
                and one.field_name == name
                and one.state in HAPPENED
                and one.date >= end
            )
        ).sorted(lambda one: (one.date, one.id))
        if not later:
            value = row[name]
            return value.id or None if name.endswith("_id") else value or None
        value = later[0].old_value or None
        return int(value) if value and name.endswith("_id") else value

    def test_states_equal_the_changes_read_back_one_by_one(self):
        moments = (150, 120, 90, 60, 30, 5)
        owners = (self.sara, self.sam, self.olga, self.sara, self.sam, self.olga)
        for days, owner in zip(moments, owners, strict=True):
            with self._on_day(days):
                self._row(self.customers[days % 3]).user_id = owner
                self._confirm_order(self.customers[days % 2], 3_000 * (days % 4))
                self._refresh(NOW - timedelta(days=days))
        changes = self._row(self.customers[0]).change_ids.mapped("field_name")
        self.assertGreater(len(changes), 4)
        for days in (199, 150, 149, 121, 90, 45, 6, 5, 4, 1):
            states = self._get_states(ago(days))
            for customer in self.customers:
                row = self._row(customer)
                for name in FIELDS:
                    with self.subTest(f"{name} {days} days ago"):
                        self.assertEqual(
                            states[row.id][name], self._read_back(row, name, ago(days))
                        )

    def test_a_day_ends_at_the_companys_midnight(self):
        self.company.partner_id.tz = "Asia/Tokyo"  # nine hours ahead
        self.row.user_id = self.sam
        self.row.change_ids.unlink()
        midnight = datetime(2030, 5, 20, 15, 0)
        self._log("user_id", self.sara.id, self.sam.id, midnight)
        before, after = datetime(2030, 5, 20).date(), datetime(2030, 5, 21).date()
        self.assertEqual(self._get_state(before)["user_id"], self.sara.id)
        self.assertEqual(self._get_state(after)["user_id"], self.sam.id)

    def test_owner_given_and_taken_away(self):
        with self._on_day(100):
            self.row.user_id = self.sara
        with self._on_day(50):
            self.row.user_id = False
        found = [self._get_state(ago(days))["user_id"] for days in (101, 100, 50, 0)]
        self.assertEqual(found, [None, self.sara.id, None, None])
        self.assertEqual(self._get_state(ago(60))["team_id"], self.north.id)

    def test_undone_run_reads_as_what_it_did_and_took_back(self):
        with self._on_day(90):
            self._confirm_order(self.customer, 5_000)
            self._refresh(NOW - timedelta(days=90))
        before = self.row.segment_id
        with self._on_day(60):
            run = self._plan(segment={"A": {"typical_share": 100}, "B": {}})
            self._log(
                "segment_id", before.id, self.segments["D"].id, NOW, run_id=run.id
            ).write({"state": "undone", "date": NOW - timedelta(days=60)})
            self._log(
                "segment_id",
                self.segments["D"].id,
                before.id,
                NOW - timedelta(days=40),
                origin="undo",
            )
        days = (61, 60, 41, 40, 1)
        found = [self._get_state(ago(one))["segment_id"] for one in days]
        tried = self.segments["D"].id
        self.assertEqual(found, [before.id, tried, tried, before.id, before.id])

    def test_run_applied_and_undone_by_its_buttons(self):
        with self._on_day(61):
            self._create_buyer(5_000, days_ago=70)
        with self._on_day(60):
            run = self._plan(segment={"B": {"typical_share": 95}})
            moved = run.change_ids.filtered(lambda one: one.field_name == "segment_id")
            run.action_apply()
        self.assertEqual(moved.mapped("state"), ["applied"])
        row, old = moved[0].customer_id, int(moved[0].old_value)
        with self._on_day(30):
            run.action_undo()
        self.env.invalidate_all()
        self.assertEqual(row.segment_id.id, old)
        found = [
            self._get_states(ago(days))[row.id]["segment_id"] for days in (61, 45, 29)
        ]
        self.assertEqual(found, [old, int(moved[0].new_value), old])

    def test_what_was_only_planned_never_was(self):
        now = self.row.segment_id.id
        for state in ("planned", "outdated", "removed"):
            self._log(
                "segment_id",
                self.segments["D"].id,
                now,
                NOW - timedelta(days=5),
                state=state,
            )
        self.assertEqual(self._get_state(ago(10))["segment_id"], now)

    def test_documents_that_followed_are_not_the_customer(self):
        self._log("user_id", self.olga.id, self.sam.id, NOW, model="crm.lead", res_id=1)
        self.assertFalse(self._get_state(ago(10))["user_id"])

    def test_money_is_that_of_the_nearest_change(self):
        self.row.change_ids.unlink()
        for days, potential in ((100, 1_000), (20, 2_000)):
            self._log(
                "idle_warning_level",
                False,
                1,
                NOW - timedelta(days=days),
                potential=potential,
                revenue_12m=potential / 2,
            )
        with freeze_time(NOW):
            amounts = [
                self._get_state(ago(days))["potential"]
                for days in (150, 99, 62, 58, 21, 12, 5)
            ]
            self.assertEqual(self._get_state(ago(12))["revenue_12m"], 1_000)
        now = self.row.potential
        self.assertEqual(amounts, [1_000, 1_000, 1_000, 2_000, 2_000, 2_000, now])

    def test_who_came_later_was_no_customer_yet(self):
        with self._on_day(10):
            late = self._row(self._create_buyer(5_000, days_ago=0))
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE coverage_customer SET create_date = %s WHERE id = %s",
            [NOW - timedelta(days=10), late.id],
        )
        self.assertNotIn(late.id, self._get_states(ago(11)))
        self.assertIn(late.id, self._get_states(ago(10)))

    def test_archived_ones_are_out(self):
        self.row.action_exclude()
        self.assertFalse(self._get_state(ago(10)))

    def test_who_never_bought_has_no_temperature(self):
        with self._on_day(20):
            prospect = self._create_customer("Prospect")
            self._create_quotation(prospect, 100)
            self._refresh(NOW - timedelta(days=20))
        with self._on_day(10):
            self._confirm_order(prospect, 9_000)
        row = self._row(prospect)
        self.assertTrue(row.temperature_id)
        self.env.cr.execute(
            "UPDATE coverage_customer SET create_date = %s WHERE id = %s",
            [NOW - timedelta(days=20), row.id],
        )
        state = self._get_states(ago(15))[row.id]
        self.assertEqual(state["lifecycle"], "prospect")
        self.assertFalse(state["temperature_id"])

    def test_history_begins_with_the_first_row_or_change(self):
        history = self.env["coverage.history"]
        with freeze_time(NOW):
            self.assertEqual(history._get_first_day(self.elsewhere), TODAY)
            self._log("user_id", False, self.sam.id, NOW - timedelta(days=2_000))
            self.assertEqual(history._get_first_day(self.company), ago(2_000))


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestMapOfThen(MapCase):
    """The map of a past day, and what changed since."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.cr.execute(
            "UPDATE coverage_customer SET create_date = %s WHERE company_id = %s",
            [NOW - timedelta(days=300), cls.company.id],
        )
        cls.env.invalidate_all()
        cls.cooled = cls._row(cls.customers["sara", 9_000])
        cls.warmed = cls._row(cls.customers["sam", 1_500])
        cls.moved = cls._row(cls.customers["olga", 5_000])
        with cls._on_day(20):
            log = {"date": NOW - timedelta(days=20)}
            rows = (cls.cooled + cls.warmed + cls.moved).with_context(coverage_log=log)
            cls.before = {row.id: row.temperature_code for row in rows}
            cls.cooled.with_context(coverage_log=log).temperature_id = cls.levels[
                "frozen"
            ]
            cls.warmed.with_context(coverage_log=log).temperature_id = cls.levels["hot"]
            cls.moved.with_context(coverage_log=log).user_id = cls.sara
        cls.env.flush_all()

    @users("cover_manager")
    def test_colours_and_owners_are_those_of_the_day(self):
        found = self._map(day=ago(30))
        tiles = {tile[0]: tile for tile in found["tiles"]}
        for row in (self.cooled, self.warmed):
            self.assertEqual(tiles[row.id][5], self.before[row.id])
        place = found["cells"][tiles[self.moved.id][1]]
        self.assertEqual(found["columns"][place["column"]]["key"], self.olga.id)
        self.assertEqual(found["total"]["count"], len(self._get_rows()))
        for side in ("rows", "columns", "cells"):
            self.assertFalse(any(group["domain"] for group in found[side]))

    @users("cover_manager")
    def test_groups_of_today_open_on_a_past_day_too(self):
        found = self._map(row="country_id", column=False, day=ago(30))
        rows = self.env["coverage.customer"].search(found["cells"][0]["domain"])
        self.assertEqual(rows, self._get_rows())

    @users("cover_manager")
    def test_figures_of_a_past_day_add_up(self):
        found = self._map(day=ago(30))
        codes = [tile[5] for tile in found["tiles"]]
        total = found["total"]
        self.assertEqual(total["red"], sum(code in RED for code in codes))
        self.assertEqual(total["blue"], sum(code in BLUE for code in codes))
        for index, name in ((3, "potential"), (4, "revenue")):
            self.assertAlmostEqual(
                total[name], sum(tile[index] for tile in found["tiles"]), 1
            )
            for side in ("rows", "columns", "cells"):
                self.assertAlmostEqual(
                    total[name], sum(group[name] for group in found[side]), 1
                )

    @users("cover_manager")
    def test_who_cooled_and_who_warmed(self):
        found = self._map(compare_day=ago(30))
        self.assertEqual(found["compare_day"], str(ago(30)))
        self.assertEqual((found["total"]["cooled"], found["total"]["warmed"]), (1, 1))
        tiles = {tile[0]: tile for tile in found["tiles"]}
        self.assertEqual(
            tiles[self.cooled.id][5::3], ["frozen", self.before[self.cooled.id]]
        )
        found = self._map(day=ago(20), compare_day=ago(21))
        self.assertEqual((found["total"]["cooled"], found["total"]["warmed"]), (1, 1))
        found = self._map(day=ago(5), compare_day=ago(20))
        self.assertEqual((found["total"]["cooled"], found["total"]["warmed"]), (0, 0))

    @users("cover_olga")
    def test_former_customers_of_a_seller_stay_hidden(self):
        found = self._map(day=ago(30))
        self.assertNotIn(self.moved.id, [tile[0] for tile in found["tiles"]])
        self.assertEqual(found["total"]["count"], len(self._get_rows()))

    @users("cover_manager")
    def test_owner_who_is_gone_has_a_name(self):
        self.moved.change_ids.filtered(
            lambda one: one.field_name == "user_id"
        ).old_value = str(99_999_999)
        labels = [one["label"] for one in self._map(day=ago(30))["columns"]]
        self.assertIn("Deleted", labels)

    @users("cover_sara")
    def test_tile_of_a_past_day(self):
        tile = self.cooled.with_env(self.env).get_map_tile(ago(30))
        self.assertEqual(tile["temperature"], self.before[self.cooled.id])
        tile = self.moved.with_env(self.env).get_map_tile(str(ago(30)))
        self.assertEqual(tile["owner"], "cover_olga")

    @users("cover_sara")
    def test_tile_before_the_customer_came(self):
        self._log_first()
        self.env.cr.execute(
            "UPDATE coverage_customer SET create_date = %s, first_order_date = %s "
            "WHERE id = %s",
            [NOW - timedelta(days=30), ago(30), self.cooled.id],
        )
        with self.assertRaisesRegex(UserError, "no customer yet"):
            self.cooled.with_env(self.env).get_map_tile(ago(60))

    def _log_first(self):
        self.cooled.sudo().change_ids.filtered(
            lambda one: one.date < NOW - timedelta(days=50)
        ).unlink()

    @users("cover_olga")
    def test_tile_of_a_customer_given_away_is_refused(self):
        with self.assertRaises(AccessError):
            self.moved.with_env(self.env).get_map_tile(ago(30))
