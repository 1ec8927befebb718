import io
import json
from urllib.parse import quote

from openpyxl import load_workbook

from odoo.exceptions import AccessError
from odoo.tests import HttpCase, freeze_time, new_test_user, tagged

from .common import NOW
from .map_common import MapCase


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestMapSheet(MapCase):
    """What the map shows leaves as a workbook, and nothing else."""

    def _export(self, user, **options):
        sheets = self.env(user=user)["coverage.map.sheet"]
        name, content = sheets._export({"domain": [], **options})
        return name, load_workbook(io.BytesIO(content))

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.group = cls.env.ref("base.group_allow_export")
        cls.group.user_ids |= cls.sara | cls.manager

    def test_workbook_says_what_the_map_says(self):
        data = self._map(user=self.manager)
        name, book = self._export(self.manager)
        self.assertIn(data["day"], name)
        matrix, customers = book.worksheets
        total = data["total"]
        self.assertEqual(matrix["A3"].value, data["rows"][0]["label"])
        last = 3 + len(data["rows"])
        self.assertEqual(matrix.cell(last, 2).value, total["count"])
        self.assertAlmostEqual(matrix.cell(last, 3).value, total["potential"])
        self.assertAlmostEqual(
            matrix.cell(last, 4).value, total["red"] / total["rated"]
        )
        lines = list(customers.iter_rows(min_row=2, values_only=True))
        self.assertEqual(len(lines), total["count"])
        self.assertAlmostEqual(sum(line[5] for line in lines), total["potential"])

    def test_cells_stand_at_their_row_and_column(self):
        data = self._map(user=self.manager)
        matrix = self._export(self.manager)[1].worksheets[0]
        for cell in data["cells"]:
            found = matrix.cell(3 + cell["row"], 5 + 3 * cell["column"]).value
            self.assertEqual(found, cell["count"])

    def test_seller_exports_own_customers_only(self):
        customers = self._export(self.sara)[1].worksheets[1]
        names = {line[0] for line in customers.iter_rows(min_row=2, values_only=True)}
        own = self._get_rows([("user_id", "=", self.sara.id)])
        self.assertEqual(names, set(own.mapped("partner_id.name")))

    def test_difference_tells_the_temperature_before(self):
        day = str(self._map(user=self.manager)["first_day"])
        book = self._export(self.manager, compare_day=day)[1]
        headings = [cell.value for cell in book.worksheets[1][1]]
        self.assertIn(day, headings[-1])

    def test_who_may_not_export_is_told(self):
        self.group.user_ids -= self.sara
        with self.assertRaisesRegex(AccessError, "may not export"):
            self._export(self.sara)


@tagged("post_install", "-at_install")
class TestMapDownload(HttpCase):
    def test_browser_gets_a_workbook(self):
        user = new_test_user(
            self.env,
            "map_reader",
            "base.group_user,sales_team.group_sale_manager,base.group_allow_export",
        )
        self.authenticate(user.login, user.login)
        options = {"row": "team_id", "domain": [], "context": {"lang": "en_US"}}
        answer = self.url_open(
            f"/crm_sales_coverage/map.xlsx?data={quote(json.dumps(options))}"
        )
        self.assertEqual(answer.status_code, 200)
        self.assertIn("Temperature%20Map", answer.headers["Content-Disposition"])
        book = load_workbook(io.BytesIO(answer.content))
        self.assertEqual(len(book.worksheets), 2)
