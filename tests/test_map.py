from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged, users
from odoo.tools import mute_logger

from .common import NOW, TODAY, ago
from .map_common import MapCase


@tagged("post_install", "-at_install")
class TestMap(MapCase):
    """The map adds up what its reader sees in lists, and nothing else."""

    @users("cover_manager")
    def test_map_adds_up_what_the_list_shows(self):
        rows = self._get_rows()
        found = self._map()
        self.assertFigures(found["total"], rows)
        self.assertEqual(len(found["tiles"]), len(rows))
        by_segment = rows.grouped("segment_id")
        self.assertEqual(
            [group["key"] for group in found["rows"]],
            [one.id for one in sorted(by_segment, key=lambda one: one.code)],
        )
        for group in found["rows"]:
            segment = self.env["coverage.segment"].browse(group["key"])
            self.assertFigures(group, by_segment[segment])
        by_owner = rows.grouped("user_id")
        for group in found["columns"]:
            self.assertFigures(group, by_owner[self.sara.browse(group["key"] or ())])
        for cell in found["cells"]:
            row, column = found["rows"][cell["row"]], found["columns"][cell["column"]]
            self.assertFigures(
                cell,
                by_segment[rows.segment_id.browse(row["key"])]
                & by_owner[self.sara.browse(column["key"] or ())],
            )

    @users("cover_manager")
    def test_domains_open_what_is_counted(self):
        found = self._map([("potential", ">", 2_000)], row="temperature_id")
        for group in (*found["rows"], *found["columns"], *found["cells"]):
            rows = self.env["coverage.customer"].search(group["domain"])
            self.assertFigures(group, rows)

    @users("cover_manager")
    def test_head_of_the_map(self):
        found = self._map(day=TODAY)
        self.assertEqual(
            found["company"], {"id": self.company.id, "name": "Coverage Trade"}
        )
        self.assertEqual(found["currency_id"], self.company.currency_id.id)
        self.assertEqual(found["row"], {"name": "segment_id", "label": "Segment"})
        self.assertEqual(found["column"], {"name": "user_id", "label": "Owner"})
        self.assertEqual((found["today"], found["day"]), (str(TODAY), str(TODAY)))
        self.assertFalse(found["compare_day"])

    @users("cover_manager")
    def test_tiles_tell_what_they_colour(self):
        found = self._map()
        codes = {tile[0]: tile for tile in found["tiles"]}
        for row in self._get_rows():
            id_, cell, name, potential, revenue, *rest = codes[row.id]
            self.assertEqual((id_, name), (row.id, row.display_name))
            self.assertEqual((potential, revenue), (row.potential, row.revenue_12m))
            self.assertEqual(
                rest,
                [row.temperature_code, row.lifecycle, row.segment_id.code, ""],
            )
            place = found["cells"][cell]
            self.assertEqual(
                found["rows"][place["row"]]["key"], row.segment_id.id or False
            )

    @users("cover_manager")
    def test_what_does_not_fit_is_counted_as_hidden(self):
        found = self._map(row=False, column=False, cell_limit=4)
        (cell,), rows = found["cells"], self._get_rows()
        shown = [tile[0] for tile in found["tiles"]]
        best = rows.sorted(lambda row: (-row.potential, row.id))[:4]
        self.assertEqual(shown, best.ids)
        self.assertEqual(cell["hidden"], len(rows) - 4)
        self.assertAlmostEqual(
            cell["hidden_potential"], sum((rows - best).mapped("potential"))
        )

    @users("cover_manager")
    def test_few_tiles_are_shared_by_all_cells(self):
        found = self._map(column=False, tile_limit=3)
        self.assertEqual(len(found["tiles"]), 3)
        self.assertEqual({tile[1] for tile in found["tiles"]}, {0, 1, 2})

    @users("cover_manager")
    def test_prospects_only_when_asked_for(self):
        self.assertEqual(self._map()["prospects"], 1)
        found = self._map(with_prospects=True)
        self.assertEqual(found["prospects"], 0)
        (tile,) = [one for one in found["tiles"] if one[2] == "Prospect"]
        self.assertEqual(tile[5:7], ["", "prospect"])

    @users("cover_manager")
    def test_order_of_rows(self):
        found = self._map(row="temperature_id", column="lifecycle")
        order = ["Hot", "Warm", "Mild", "Cool", "Frozen"]
        labels = [group["label"] for group in found["rows"]]
        self.assertEqual(labels, sorted(labels, key=order.index))
        labels = [group["label"] for group in found["columns"]]
        self.assertEqual(labels, ["New", "Sleeping"])

    @users("cover_manager")
    def test_people_by_potential_and_nobody_last(self):
        columns = self._map()["columns"]
        self.assertEqual(columns[-1]["label"], "Without owner")
        money = [column["potential"] for column in columns[:-1]]
        self.assertEqual(money, sorted(money, reverse=True))

    @users("cover_manager")
    def test_groups_of_any_kind(self):
        self.customers["sara", 9_000].write(
            {
                "country_id": self.env.ref("base.fr").id,
                "industry_id": self.env["res.partner.industry"].search([], limit=1).id,
            }
        )
        rows = self._get_rows()
        for spec in (
            "industry_id",
            "country_id",
            "state_id",
            "contact_state",
            "last_order_date:quarter",
            "next_contact_date:week",
            "create_date:month",
            "is_excluded",
            "order_count",
            "role_id",
        ):
            with self.subTest(spec):
                found = self._map(row=spec, column="team_id")
                self.assertFigures(found["total"], rows)
                for group in found["rows"]:
                    found_rows = self.env["coverage.customer"].search(group["domain"])
                    self.assertFigures(group, found_rows)

    @users("cover_manager")
    def test_partners_fields_are_groupable_in_lists_too(self):
        customers = self.env["coverage.customer"]
        for name in ("industry_id", "country_id", "state_id"):
            self.assertTrue(customers.fields_get([name])[name]["groupable"])
            groups = customers.formatted_read_group([], [name], ["__count"])
            self.assertEqual(
                sum(group["__count"] for group in groups), customers.search_count([])
            )

    # === RIGHTS === #

    @users("cover_sara")
    def test_seller_sees_own_customers_only(self):
        rows = self._get_rows()
        self.assertEqual(rows.user_id, self.sara)
        found = self._map()
        self.assertFigures(found["total"], rows)
        self.assertEqual([one["key"] for one in found["columns"]], [self.sara.id])
        self.assertEqual({tile[0] for tile in found["tiles"]}, set(rows.ids))

    @users("cover_sara")
    def test_no_filter_widens_what_a_seller_sees(self):
        found = self._map(["|", ("user_id", "!=", False), ("user_id", "=", False)])
        self.assertFigures(found["total"], self._get_rows())
        self.assertFalse(self._map([("user_id", "=", self.sam.id)])["total"]["count"])

    @users("cover_leader")
    def test_leader_sees_the_team_led(self):
        rows = self._get_rows()
        self.assertEqual(rows.user_id, self.sara | self.sam)
        self.assertFigures(self._map()["total"], rows)

    def test_other_company_sees_nothing(self):
        customers = self.env["coverage.customer"].with_user(self.stranger)
        found = customers.with_context(allowed_company_ids=[]).get_map([])
        self.assertEqual(found["company"]["name"], "Elsewhere")
        self.assertFalse(found["total"]["count"])
        self.assertFalse(found["rows"] or found["cells"] or found["tiles"])

    def test_only_the_first_of_several_companies(self):
        self.manager.company_ids += self.elsewhere
        self._confirm_order(
            self.customers["sara", 9_000], 77_000, company=self.elsewhere
        )
        customers = self.env["coverage.customer"].with_user(self.manager)
        both = (self.company + self.elsewhere).ids
        found = customers.with_context(allowed_company_ids=both).get_map([])
        self.assertFigures(found["total"], self._get_rows())
        found = customers.with_context(allowed_company_ids=both[::-1]).get_map([])
        self.assertEqual(found["company"]["name"], "Elsewhere")
        self.assertEqual(found["total"]["potential"], 77_000)

    def test_who_is_not_in_sales_has_no_map(self):
        with self.assertRaises(AccessError):
            self._map(user=self.clerk)

    # === BAD INPUT === #

    @users("cover_manager")
    def test_what_cannot_be_grouped_is_refused(self):
        for spec in (
            "nonsense",
            "potential",
            "last_order_date",
            "last_order_date:century",
            "segment_id:month",
            "watcher_ids",
            "badge",
            "segment_id.code",
            "id); DROP TABLE coverage_customer",
        ):
            with self.subTest(spec), self.assertRaisesRegex(UserError, "grouped by"):
                self._map(row=spec)

    @users("cover_manager")
    def test_nonsense_in_filters_is_refused(self):
        for domain in (
            [("nonsense", "=", 1)],
            ["&"],
            "nonsense",
            [("potential", "~", 3)],
            [("potential", ">", "a lot")],
        ):
            with (
                self.subTest(domain),
                self.assertRaisesRegex(UserError, "filters"),
                mute_logger("odoo.sql_db"),
            ):
                self._map(domain)

    @users("cover_manager")
    def test_days_that_cannot_be_are_refused(self):
        for day in (ago(-1), "2030-13-45", "soon", "1999-01-01"):
            with self.subTest(day), self.assertRaisesRegex(UserError, "Choose a day"):
                self._map(day=day)
        with self.assertRaisesRegex(UserError, "Choose a day"):
            self._map(day=ago(1), compare_day=TODAY)

    @users("cover_manager")
    def test_limits_that_cannot_be_are_refused(self):
        for limit in (-1, "many", 1_000_000, None):
            with self.subTest(limit), self.assertRaisesRegex(UserError, "tiles"):
                self._map(cell_limit=limit)

    @users("cover_manager")
    def test_too_many_groups_are_refused(self):
        path = "odoo.addons.crm_sales_coverage.models.coverage_map_picture.MOST_GROUPS"
        self.startPatcher(patch(path, 2))
        with self.assertRaisesRegex(UserError, "groups"):
            self._map(row="partner_id")

    # === WHAT IT COSTS === #

    def test_nothing_is_written(self):
        before = self._versions()
        self._map(user=self.manager, compare_day=ago(1))
        self.assertEqual(self._versions(), before)


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestTile(MapCase):
    """What a tile tells of its customer."""

    @users("cover_sara")
    def test_tile_of_today(self):
        row = self._row(self.customers["sara", 9_000]).with_env(self.env)
        tile = row.get_map_tile()
        expected = {
            "id": row.id,
            "name": "sara 9000",
            "owner": "cover_sara",
            "segment": row.segment_id.code,
            "temperature": row.temperature_code,
            "score": row.temperature_score,
            "potential": row.potential,
            "revenue": row.revenue_12m,
            "lifecycle": "new",
            "last_order_date": str(ago(30)),
        }
        self.assertEqual({name: tile[name] for name in expected}, expected)
        self.assertAlmostEqual(tile["yield_rate"], row.yield_rate)
        self.assertTrue(tile["why"])

    @users("cover_sara")
    def test_tile_of_somebody_elses_customer_is_refused(self):
        row = self._row(self.customers["olga", 9_000]).with_env(self.env)
        for day in (None, ago(1)):
            with self.assertRaises(AccessError):
                row.get_map_tile(day)
