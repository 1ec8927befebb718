import importlib.util
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from odoo.tests import freeze_time, tagged
from odoo.tools import SQL

from .common import NOW, TODAY, CoverageCase

LOADER = Path(__file__).parents[1] / "dev" / "load_dataset.py"
ACCOUNTS, PRODUCTS = "accounts.csv", "products.csv"
SELLERS, PIPELINE = "sales_teams.csv", "sales_pipeline.csv"
FOLDER = {
    ACCOUNTS: """\
account,sector,year_established,revenue,employees,office_location,subsidiary_of
Low Mill,baking,1950,3.5,40,Korea,High Mill
High Mill,baking,1900,12,300,Philipines,
Oak & Co,technolgy,1999,8.25,75,United States,
Elm Works,retail,2010,1,9,Germany,
""",
    PRODUCTS: """\
product,series,sales_price
Oven Pro,Oven,500
Tray,Tray,20.5
""",
    SELLERS: """\
sales_agent,manager,regional_office
Ina Rund,Max Eckig,East
Udo Spitz,Max Eckig,East
Pia Flach,Eva Hoch,West
""",
    PIPELINE: """\
opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value
W1,Ina Rund,OvenPro,High Mill,Won,2020-01-10,2020-02-01,900
W2,Udo Spitz,Tray,High Mill,Won,2020-01-12,2020-02-01,100
W3,Pia Flach,Oven Pro,Low Mill,Won,2020-02-10,2020-03-01,600
W4,Ina Rund,Oven Pro,Oak & Co,Won,2020-02-11,2020-03-31,300
L1,Pia Flach,Tray,Elm Works,Lost,2020-02-12,2020-03-02,0
E1,Udo Spitz,Oven Pro,,Engaging,2020-03-05,,
P1,Udo Spitz,Tray,Elm Works,Prospecting,,,
""",
}
WRITTEN = (
    "coverage_change",
    "coverage_customer",
    "coverage_reference",
    "coverage_run",
    "crm_lead",
    "crm_team",
    "crm_team_member",
    "ir_config_parameter",
    "ir_model_data",
    "product_product",
    "res_partner",
    "res_partner_industry",
    "res_users",
    "sale_order",
    "sale_order_line",
)
# file, a piece of it, what stands there instead, what the error says
MALFORMED = (
    (ACCOUNTS, "employees,", "staff,", "line 1: column employees is missing"),
    (ACCOUNTS, ",40,", ",4O,", 'line 2: employees "4O" is not a whole number'),
    (ACCOUNTS, ",8.25,", ",8.25,,", "line 4: has 8 fields instead of 7"),
    (ACCOUNTS, "Elm Works,", '"Elm Works,', "line 5: unexpected end of data"),
    (ACCOUNTS, "Elm Works", "OAK&CO", 'line 5: account "OAK&CO" is already in line 4'),
    (ACCOUNTS, "Elm Works", "&", 'line 5: account "&" holds neither letter nor digit'),
    (ACCOUNTS, "Germany", "Utopia", 'line 5: office_location "Utopia" is no country'),
    (
        ACCOUNTS,
        "Korea,High Mill",
        "Korea,Top Mill",
        'line 2: subsidiary_of "Top Mill" is not in accounts.csv',
    ),
    (
        ACCOUNTS,
        "Philipines,",
        "Philipines,Low Mill",
        'line 3: subsidiary_of "Low Mill" leads in a circle',
    ),
    (PRODUCTS, "20.5", "-20.5", 'line 3: sales_price "-20.5" is negative'),
    (PRODUCTS, "20.5", "1e400", 'line 3: sales_price "1e400" is not a number'),
    (SELLERS, "Eva Hoch", "", "line 4: manager is empty"),
    (PIPELINE, ",900", ",abc", 'line 2: close_value "abc" is not a number'),
    (PIPELINE, ",900", ",", "line 2: close_value is empty in a Won row"),
    (PIPELINE, "Oak & Co", "", "line 5: account is empty in a Won row"),
    (PIPELINE, "2020-03-02", "", "line 6: close_date is empty in a Lost row"),
    (PIPELINE, "03-31", "13-31", 'line 5: close_date "2020-13-31" is not a date like'),
    (
        PIPELINE,
        "03-31",
        "02-01",
        "close_date 2020-02-01 is before engage_date 2020-02-11",
    ),
    (PIPELINE, "Lost", "Gone", 'line 6: deal_stage "Gone" is none of Prospecting, En'),
    (PIPELINE, "E1,Udo", "E1,Uwe", 'line 7: sales_agent "Uwe Spitz" is not in sales_t'),
    (PIPELINE, "OvenPro", "Oven", 'line 2: product "Oven" is not in products.csv'),
    (PIPELINE, "Low Mill", "Mill", 'line 4: account "Mill" is not in accounts.csv'),
    (PIPELINE, "W2", "w1", 'line 3: opportunity_id "w1" is already in line 2'),
)


def import_loader():
    """Import the workshop's script, which is no part of the addon."""
    spec = importlib.util.spec_from_file_location("load_dataset", LOADER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestLoadDataset(CoverageCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.loader = import_loader()

    def _write_folder(self, **texts):
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        for file, text in {**FOLDER, **texts}.items():
            (folder / file).write_text(text, encoding="utf-8")
        return folder

    def _load(self, now=NOW, **texts):
        return self.loader.load_dataset(self.env, self._write_folder(**texts), now)

    def _get(self, name):
        return self.env.ref(f"dataset_crm_sales.{name}")

    def _get_customer(self, name):
        return self._row(self._get(f"account_{name}"))

    def _read_versions(self):
        """Return the place of every row: another one after any write."""
        self.env.flush_all()
        return {
            table: self.env.execute_query(
                SQL("SELECT id, ctid FROM %s ORDER BY id", SQL.identifier(table))
            )
            for table in WRITTEN
        }

    def test_accounts_become_companies_with_their_traits(self):
        self._load()
        oak = self._get("account_oakco")
        self.assertTrue(oak.is_company)
        self.assertEqual(oak.industry_id.name, "Technology")
        self.assertEqual(oak.country_id.code, "US")
        self.assertEqual(oak.coverage_employee_count, 75)

    def test_subsidiary_is_a_customer_of_its_own_in_its_own_country(self):
        self._load()
        mill, parent = self._get("account_lowmill"), self._get("account_highmill")
        self.assertEqual(mill.parent_id, parent)
        self.assertEqual(mill.commercial_partner_id, mill)
        self.assertEqual((mill.country_id.code, parent.country_id.code), ("KR", "PH"))
        self.assertEqual(self._row(mill).revenue_12m, 600)

    def test_sellers_work_in_the_team_of_their_manager(self):
        self._load()
        team = self._get("team_maxeckig")
        self.assertEqual(team.user_id, self._get("user_maxeckig"))
        self.assertEqual(
            team.member_ids, self._get("user_inarund") | self._get("user_udospitz")
        )
        self.assertEqual(self._get("lead_w1").team_id, team)

    def test_opportunities_stand_in_their_stages(self):
        self._load()
        won, lost = self._get("lead_w1"), self._get("lead_l1")
        self.assertEqual((won.won_status, won.expected_revenue), ("won", 900))
        self.assertEqual((lost.won_status, lost.expected_revenue), ("lost", 20.5))
        self.assertEqual(lost.date_closed.date(), TODAY - timedelta(days=29))
        engaging, prospecting = self._get("lead_e1"), self._get("lead_p1")
        self.assertEqual(engaging.won_status, "pending")
        self.assertFalse(engaging.partner_id)
        self.assertGreater(engaging.stage_id.sequence, prospecting.stage_id.sequence)

    def test_won_opportunity_has_a_confirmed_order(self):
        self._load()
        order = self._get("order_w2")
        self.assertEqual((order.state, order.amount_untaxed), ("sale", 100))
        self.assertEqual(order.opportunity_id, self._get("lead_w2"))
        self.assertEqual(order.user_id, self._get("user_udospitz"))
        self.assertEqual(order.order_line.product_id, self._get("product_tray"))
        self.assertEqual(order.date_order.date(), TODAY - timedelta(days=59))

    def test_newest_close_date_is_today(self):
        self._load()
        self.assertEqual(self._get("order_w4").date_order, datetime(2030, 6, 3, 12))
        self.assertEqual(self._get_customer("oakco").last_order_date, TODAY)

    def test_customers_are_ranked_without_a_history_of_the_import(self):
        self._load()
        ranks = {"highmill": "A", "lowmill": "A", "oakco": "B"}  # 1000, 600, 300
        for name, code in ranks.items():
            self.assertEqual(self._get_customer(name).segment_id.code, code)
        changes = self.env["coverage.change"].search(
            [("customer_id.company_id", "=", self.company.id)]
        )
        self.assertFalse(changes)

    def test_second_run_changes_nothing(self):
        self._load()
        before = self._read_versions()
        again = self._load(NOW + timedelta(days=3))
        self.assertFalse(again.created)
        self.assertEqual(self._read_versions(), before)

    def test_rows_added_later_join_and_the_rest_stays(self):
        self._load()
        row = "W5,Ina Rund,Tray,Oak & Co,Won,2020-03-20,2020-03-30,70\n"
        again = self._load(NOW, **{PIPELINE: FOLDER[PIPELINE] + row})
        self.assertEqual(again.created, {"crm.lead": 1, "sale.order": 1})
        day = self._get("order_w5").date_order.date()
        self.assertEqual(day, TODAY - timedelta(days=1))
        self.assertEqual(self._get_customer("oakco").revenue_12m, 370)

    def test_malformed_row_names_file_line_and_reason(self):
        before = self._read_versions()
        for file, old, new, reason in MALFORMED:
            with self.subTest(file=file, text=new):
                self.assertIn(old, FOLDER[file])
                text = FOLDER[file].replace(old, new, 1)
                with self.assertRaises(self.loader.DatasetError) as caught:
                    self._load(**{file: text})
                self.assertTrue(str(caught.exception).startswith(f"{file}, line "))
                self.assertIn(reason, str(caught.exception))
        self.assertEqual(self._read_versions(), before)

    def test_file_that_cannot_be_read_is_named(self):
        folder = self._write_folder()
        (folder / SELLERS).write_bytes(b"\xff\xfe")
        with self.assertRaisesRegex(
            self.loader.DatasetError, f"{SELLERS}: is not UTF-8"
        ):
            self.loader.read_dataset(folder)
        (folder / SELLERS).unlink()
        with self.assertRaisesRegex(
            self.loader.DatasetError, f"{SELLERS}: cannot be read"
        ):
            self.loader.read_dataset(folder)

    def test_table_adds_up_and_names_other_buyers(self):
        other = self._create_customer("Bystander")
        self._confirm_order(other, 50, 5)
        lines = self._load().report()
        self.assertIn("The A reference counts 1 more buyers of Coverage Trade.", lines)
        total = lines[-1].split()
        self.assertEqual(total, ["total", "4", "1,900", "1,900"])
