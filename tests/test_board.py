import json
from datetime import timedelta

from odoo.exceptions import AccessError
from odoo.tests import freeze_time, tagged, users
from odoo.tools.safe_eval import safe_eval

from odoo.addons.spreadsheet.utils.validate_data import (
    fields_in_spreadsheet,
    menus_xml_ids_in_spreadsheet,
)

from .common import NOW, CoverageCase
from .test_tours import TourCase

BOARD = "crm_sales_coverage.spreadsheet_dashboard_coverage"


@freeze_time(NOW)
class TestBoard(CoverageCase):
    """The dashboard's file fits the models; its figures are those of the database."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.board = cls.env.ref(BOARD)
        cls.data = json.loads(cls.board.spreadsheet_data)

    def _trade(self):
        """Let customers of all temperatures buy, sleep and be neglected."""
        self._create_leaders()
        self._create_buyers(4, 6_000, user_id=self.sara.id)
        for days_ago in (20, 200, 300, 420, 500):
            for amount in (900, 4_000, 12_000):
                self._create_buyer(amount, days_ago, user_id=self.sam.id)
        self._create_customer("Prospect", user_id=self.sara.id)
        self._refresh()

    def _read(self, number, user=None):
        """Return what a pivot reads: its totals, one row."""
        pivot = self.data["pivots"][str(number)]
        user = user or self.manager
        model = self.env[pivot["model"]].with_user(user)
        model = model.with_context(allowed_company_ids=user.company_id.ids)
        return model._read_group(
            pivot["domain"],
            [],
            [
                each["fieldName"]
                if each["fieldName"] == "__count"
                else f"{each['fieldName']}:sum"
                for each in pivot["measures"]
            ],
        )[0]

    def _select_one(self, query, *parameters):
        self.env.flush_all()
        self.env.cr.execute(query, (self.company.id, *parameters))
        return self.env.cr.fetchone()

    def test_file_names_models_fields_and_menus_that_exist(self):
        for model, paths in fields_in_spreadsheet(self.data).items():
            for path in paths:
                with self.subTest(model=model, path=path):
                    current = self.env[model]
                    for name in path.split("."):
                        current = current[name]
        for xml_id in menus_xml_ids_in_spreadsheet(self.data):
            self.assertTrue(self.env.ref(xml_id).action, xml_id)

    def test_filters_reach_every_source(self):
        filters = {each["id"] for each in self.data["globalFilters"]}
        figures = self.data["sheets"][0]["figures"]
        sources = [
            *((each["model"], each["fieldMatching"]) for each in self._sources()),
            *(
                (each["data"]["metaData"]["resModel"], each["data"]["fieldMatching"])
                for each in figures
                if "metaData" in each["data"]
            ),
        ]
        for model, matching in sources:
            self.assertLessEqual({"team", "owner", "segment"}, set(matching), model)
            self.assertLessEqual(set(matching), filters)
            for target in matching.values():
                field = self.env[model]
                for name in target["chain"].split(".")[:-1]:
                    field = field[name]
                kind = field._fields[target["chain"].split(".")[-1]].type
                self.assertEqual(kind, target["type"], target["chain"])

    def _sources(self):
        return [*self.data["pivots"].values(), *self.data["lists"].values()]

    def test_segments_and_temperatures_are_those_of_the_database(self):
        self._trade()
        groups = (
            self.env["coverage.customer"]
            .with_user(self.manager)
            ._read_group(
                self.data["pivots"]["1"]["domain"],
                ["segment_id.code", "temperature_id.code"],
                ["__count", "potential:sum"],
            )
        )
        self.env.flush_all()
        self.env.cr.execute(
            """SELECT s.code, t.code, count(*), sum(potential)
                 FROM coverage_customer c
                 LEFT JOIN coverage_segment s ON s.id = c.segment_id
                 LEFT JOIN coverage_temperature t ON t.id = c.temperature_id
                WHERE c.company_id = %s AND c.active GROUP BY 1, 2""",
            (self.company.id,),
        )
        rows = [
            (segment or False, level or False, count, potential)
            for segment, level, count, potential in self.env.cr.fetchall()
        ]
        self.assertGreater(len(rows), 4)
        self.assertEqual(
            sorted((str(a), str(b), n, round(m or 0)) for a, b, n, m in groups),
            sorted((str(a), str(b), n, round(m or 0)) for a, b, n, m in rows),
        )

    def test_money_of_customers_that_buy_and_of_those_asleep(self):
        self._trade()
        expected = self._select_one(
            """SELECT sum(potential), sum(revenue_12m), sum(revenue_prev_12m)
                 FROM coverage_customer
                WHERE company_id = %s AND active AND temperature_id IS NOT NULL"""
        )
        self.assertEqual(
            [round(each) for each in self._read(2)], [round(each) for each in expected]
        )
        count, best = self._select_one(
            """SELECT count(*), sum(revenue_best_12m) FROM coverage_customer
                WHERE company_id = %s AND active AND lifecycle = 'sleeping'"""
        )
        self.assertTrue(count)
        self.assertEqual([round(each) for each in self._read(4)], [count, round(best)])

    def _draw(self, name):
        """Return what a chart shows: its values by its groups."""
        figures = self.data["sheets"][0]["figures"]
        chart = next(each["data"] for each in figures if each["id"] == name)
        meta = chart["metaData"]
        measure = meta["measure"]
        if measure != "__count":
            measure = f"{measure}:sum"
        model = self.env[meta["resModel"]].with_user(self.manager)
        groups = model.with_context(allowed_company_ids=self.company.ids)._read_group(
            chart["searchParams"]["domain"], meta["groupBy"], [measure]
        )
        return {
            (f"{group[0]:%Y-%m}", *group[1:]) if len(group) > 1 else group[0]: value
            for *group, value in groups
        }

    def _select_all(self, query):
        self.env.flush_all()
        self.env.cr.execute(query, (self.company.id,))
        return self.env.cr.fetchall()

    def test_revenue_chart_divides_two_years(self):
        self._trade()
        shown = self._draw("revenue")
        ((revenue, before, kept),) = self._select_all(
            """SELECT sum(revenue_12m), sum(revenue_prev_12m),
                      sum(LEAST(revenue_12m, revenue_prev_12m))
                 FROM coverage_customer WHERE company_id = %s AND active"""
        )
        self.assertEqual(round(shown.get("kept", 0)), round(kept))
        lost = shown.pop("lost")
        self.assertEqual(round(sum(shown.values())), round(revenue))
        self.assertEqual(round(shown.get("kept", 0) - lost), round(before))

    def test_movement_chart_counts_the_changes_of_each_month(self):
        self._trade()
        rows = self.env["coverage.customer"].search(
            [("temperature_id", "!=", False), ("company_id", "=", self.company.id)]
        )
        for row, level in zip(rows, ("hot", "frozen", "mild"), strict=False):
            row.temperature_id = self.levels[level]
        counts = {}
        for month, count in self._select_all(
            """SELECT to_char(date, 'YYYY-MM'), count(*) FROM coverage_change
                WHERE company_id = %s AND model = 'coverage.customer'
                  AND field_name IN ('segment_id', 'temperature_id')
                  AND old_value IS NOT NULL AND old_value NOT IN ('', 'False')
                  AND new_value IS NOT NULL AND new_value NOT IN ('', 'False')
                  AND state IN ('applied', 'kept') AND origin != 'undo'
                GROUP BY 1"""
        ):
            counts[month] = count
        shown = {}
        for (month, _direction), count in self._draw("movement").items():
            shown[month] = shown.get(month, 0) + count
        self.assertTrue(shown)
        self.assertEqual(shown, counts)

    def test_base_chart_ends_with_the_lifecycles_of_today(self):
        self._trade()
        month = f"{NOW:%Y-%m}"
        shown = {
            lifecycle: count
            for (shown_month, lifecycle), count in self._draw("base").items()
            if shown_month == month
        }
        expected = self._select_all(
            """SELECT lifecycle, count(*) FROM coverage_customer
                WHERE company_id = %s AND active AND lifecycle IS NOT NULL
                GROUP BY 1"""
        )
        self.assertEqual(shown, dict(expected))

    def test_funnel_counts_customers_that_reached_a_step(self):
        self._trade()
        pivot = self.data["pivots"]["7"]
        lines = self.env[pivot["model"]].with_user(self.manager)
        shown = dict(lines._read_group(pivot["domain"], ["step"], ["__count"]))
        query = """SELECT count(*) FROM coverage_customer
                    WHERE company_id = %s AND active AND order_day_count >= %s"""
        (bought,) = self._select_one(query, 1)
        (regular,) = self._select_one(query, self.company.coverage_new_orders)
        self.assertTrue(bought)
        self.assertEqual((shown["order"], shown.get("regular", 0)), (bought, regular))
        steps = lines._fields["step"].get_values(self.env)
        cells = self.data["sheets"][1]["cells"]
        for row, step in enumerate(steps, start=32):
            self.assertIn(f'"step", "{step}"', cells[f"B{row}"])

    def test_handoff_chart_counts_what_became_of_them(self):
        self._trade()
        rows = self.env["coverage.customer"].search(
            [("user_id", "!=", False), ("company_id", "=", self.company.id)], limit=3
        )
        handoffs = [self._offer(row, days_late=-2) for row in rows]
        handoffs[0].state = "expired"
        handoffs[1].state = "declined"
        self.assertEqual(
            self._draw("handoffs"), {"expired": 1, "refused": 1, "open": 1}
        )

    def test_overdue_contacts_and_late_handoffs(self):
        self._trade()
        rows = self.env["coverage.customer"].search(
            [("segment_id", "!=", False), ("company_id", "=", self.company.id)]
        )
        rows[:3].write({"next_contact_date": NOW.date() - timedelta(days=1)})
        rows[3:].write({"next_contact_date": NOW.date() + timedelta(days=30)})
        self.assertEqual(self._read(3), (3,))
        self._offer(rows[0], days_late=2)
        self._offer(rows[1], days_late=-2)
        self.assertEqual(self._read(5), (1,))
        self.assertEqual(self._read(6), (2,))

    def _offer(self, customer, days_late):
        return self.env["coverage.handoff"].create(
            {
                "customer_id": customer.id,
                "from_user_id": (customer.user_id or self.leader).id,
                "to_user_id": ((self.sara | self.sam) - customer.user_id)[0].id,
                "reason": "Test",
                "date_deadline": NOW.date() - timedelta(days=days_late),
            }
        )

    def test_list_holds_the_blue_a_customers_that_the_card_counts(self):
        self._trade()
        source = self.data["lists"]["1"]
        lines = self.env[source["model"]].with_user(self.manager).search([])
        expected = self._select_all(
            """SELECT c.id FROM coverage_customer c
                 JOIN coverage_segment s ON s.id = c.segment_id
                 JOIN coverage_temperature t ON t.id = c.temperature_id
                WHERE c.company_id = %s AND c.active AND s.code = 'A'
                  AND t.code IN ('frozen', 'cool')"""
        )
        self.assertTrue(expected)
        self.assertEqual(set(lines.customer_id.ids), {one for (one,) in expected})

    def test_nothing_is_counted_where_there_is_nothing(self):
        for number in self.data["pivots"]:
            with self.subTest(pivot=number):
                self.assertFalse(any(self._read(number)))

    def test_leader_reads_the_figures_of_the_team_alone(self):
        self._trade()
        team = self._read(1, self.leader)
        other = self._read(1, self.south_leader)
        self.assertTrue(team[0])
        self.assertFalse(other[0])
        self.assertFalse(self._read(1, self.stranger)[0])

    def test_leaders_and_managers_open_it_and_sellers_do_not(self):
        boards = self.env["spreadsheet.dashboard"]
        domain = [("id", "=", self.board.id)]
        for user in (self.leader, self.manager):
            self.assertTrue(boards.with_user(user).search(domain))
        for user in (self.sara, self.clerk):
            self.assertFalse(boards.with_user(user).search(domain))

    def test_menu_opens_this_dashboard(self):
        action = self.env.ref("crm_sales_coverage.spreadsheet_dashboard_action")
        params = action.params
        params = safe_eval(params) if isinstance(params, str) else params
        self.assertEqual(params["dashboard_id"], self.board.id)


@freeze_time(NOW)
class TestDigest(CoverageCase):
    """The digest's figures of neglect: as of the end of its period, as one may read."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_leaders()
        cls.cold = cls._create_buyer(12_000, 400, user_id=cls.sara.id)
        cls._create_buyer(12_000, 500, user_id=cls.sara.id)
        cls._refresh()
        cls.digest = cls.env["digest.digest"].create(
            {"name": "Neglect", "company_id": cls.company.id}
        )

    def _get_value(self, name, user, days_ago=0):
        end = NOW - timedelta(days=days_ago)
        digest = self.digest.with_user(user).with_context(
            start_datetime=end - timedelta(days=1),
            end_datetime=end,
            allowed_company_ids=user.company_id.ids,
        )
        digest.invalidate_recordset([f"{name}_value"])
        return digest[f"{name}_value"]

    def _get_blue(self):
        return self.env["coverage.customer"].search(
            [
                ("company_id", "=", self.company.id),
                ("segment_id.code", "=", "A"),
                ("temperature_id.code", "in", ("frozen", "cool")),
            ]
        )

    def test_figures_are_those_of_the_reader(self):
        count = len(self._get_blue())
        self.assertTrue(count)
        self.assertEqual(self._get_value("kpi_coverage_blue", self.manager), count)
        self.assertEqual(self._get_value("kpi_coverage_blue", self.leader), count)
        self.assertEqual(self._get_value("kpi_coverage_blue", self.olga), 0)

    def test_who_does_not_sell_reads_none(self):
        for name in ("blue", "overdue", "handoff_late"):
            with self.assertRaises(AccessError):
                self._get_value(f"kpi_coverage_{name}", self.clerk)

    def test_figures_are_of_one_company(self):
        self.digest.company_id = self.elsewhere
        self.assertEqual(self._get_value("kpi_coverage_blue", self.stranger), 0)
        self.assertEqual(self._get_value("kpi_coverage_overdue", self.stranger), 0)

    def test_blue_of_a_past_day_comes_from_the_history(self):
        row = self._get_blue()[0]
        now = len(self._get_blue())
        log = {"date": NOW - timedelta(days=5), "origin": "job"}
        row.with_context(coverage_log=log).temperature_id = self.levels["hot"]
        self.assertEqual(self._get_value("kpi_coverage_blue", self.manager), now - 1)
        self.assertEqual(self._get_value("kpi_coverage_blue", self.manager, 7), now)
        self.assertEqual(self._get_value("kpi_coverage_blue", self.olga, 7), 0)

    def test_overdue_and_late_compare_with_nothing(self):
        self._get_blue().write({"next_contact_date": NOW.date() - timedelta(days=1)})
        for days_ago in (0, 7):
            self.assertEqual(
                self._get_value("kpi_coverage_overdue", self.manager, days_ago),
                len(self._get_blue()),
            )
            self.assertEqual(
                self._get_value("kpi_coverage_handoff_late", self.manager, days_ago), 0
            )

    def test_nobody_is_told_unasked(self):
        digests = self.env["digest.digest"].search([])
        for name in ("blue", "overdue", "handoff_late"):
            self.assertFalse(any(digests.mapped(f"kpi_coverage_{name}")))

    @users("cover_manager")
    def test_figures_lead_to_their_records(self):
        self.digest.sudo().write({"kpi_coverage_blue": True})
        digest = self.digest.sudo()
        kpis = digest._compute_kpis(self.company, self.manager)
        blue = next(kpi for kpi in kpis if kpi["kpi_name"] == "kpi_coverage_blue")
        self.assertIn("coverage_customer_action", blue["kpi_action"])
        self.assertEqual(blue["kpi_fullname"], "Blue A Customers")


@tagged("post_install", "-at_install")
class TestBoardTours(TourCase):
    """A real browser opens the dashboard, filled and empty."""

    def test_manager_opens_and_filters_it(self):
        self.start_tour("/odoo", "coverage_board", login="tour_manager")

    def test_it_stands_without_any_customer(self):
        self.env["coverage.customer"].with_context(active_test=False).search(
            [("company_id", "=", self.company.id)]
        ).unlink()
        self.start_tour("/odoo", "coverage_board_empty", login="tour_manager")
