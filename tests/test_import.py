from odoo.exceptions import AccessError
from odoo.tests import tagged, users
from odoo.tools import mute_logger

from .common import TODAY, CoverageCase

COLUMNS = [
    "partner_id",
    "segment_manual_id",
    "segment_manual_reason",
    "segment_manual_until",
    "declared_potential",
]


@tagged("post_install", "-at_install")
class TestImport(CoverageCase):
    """An ABCD list is imported with Odoo's own import."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_leaders()
        cls.known = cls._create_known_buyer(3_000, name="Import Known")
        cls.unknown = cls._create_customer("Import Unknown", user_id=False)

    def _load(self, *rows, user=None):
        customers = self.env["coverage.customer"].with_user(user or self.manager)
        return customers.with_context(import_file=True).load(COLUMNS, list(rows))

    def test_import_updates_known_customers_and_adds_others(self):
        result = self._load(
            ["Import Known", "A", "By the list", "2030-12-31", ""],
            ["Import Unknown", "B", "By the list", "", ""],
        )
        self.assertFalse(result["messages"])
        known, unknown = self._row(self.known), self._row(self.unknown)
        self.assertEqual(result["ids"], [known.id, unknown.id])
        self.assertStands(self.known, "A", "hot", "new")
        self.assertStands(self.unknown, "B", False, "prospect")
        self.assertEqual(known.segment_computed_id.code, "C")
        self.assertEqual(known.segment_manual_reason, "By the list")
        self.assertEqual(str(known.segment_manual_until), "2030-12-31")

    def test_imported_potential_is_declared_today_and_counts(self):
        result = self._load(
            ["Import Known", "", "", "", "9000"], ["Import Unknown", "", "", "", "6000"]
        )
        self.assertFalse(result["messages"])
        for customer, segment, amount in (
            (self.known, "A", 9_000),
            (self.unknown, "B", 6_000),
        ):
            row = self._row(customer)
            self.assertEqual(row.declared_date, TODAY)
            self.assertEqual(
                (row.potential, row.potential_source), (amount, "declared")
            )
            self.assertEqual(row.segment_id.code, segment)

    def test_import_of_segments_keeps_a_potential_declared_before(self):
        row = self._row(self.known)
        with self._on_day(100):
            row._declare_potential(9_000, "asked")
        columns = ["partner_id", "segment_manual_id"]
        self.env["coverage.customer"].with_user(self.manager).load(
            columns, [["Import Known", "B"]]
        )
        self.assertEqual(row.declared_potential, 9_000)
        self.assertEqual((TODAY - row.declared_date).days, 100)

    def test_empty_cell_does_not_take_back_a_declared_potential(self):
        row = self._row(self.known)
        row._declare_potential(9_000, "asked")
        self._load(["Import Known", "B", "By the list", "", ""])
        self.assertEqual(row.declared_potential, 9_000)

    def test_import_is_written_to_the_history(self):
        self._load(["Import Known", "A", "By the list", "", ""])
        change = self.env["coverage.change"].search(
            [
                ("customer_id", "=", self._row(self.known).id),
                ("field_name", "=", "segment_manual_id"),
            ]
        )
        self.assertEqual(change.origin, "import")
        self.assertEqual(change.author_id, self.manager)

    def test_import_twice_is_import_once(self):
        row = ["Import Known", "A", "By the list", "", "9000"]
        self._load(row)
        before, history = self._snapshot(), self._history()
        self._load(row)
        self.assertSameRows(self._snapshot(), before)
        self.assertEqual(self._history(), history)

    def test_later_line_of_a_customer_wins(self):
        result = self._load(
            ["Import Known", "A", "First", "", ""],
            ["Import Known", "B", "Second", "", ""],
        )
        self.assertFalse(result["messages"])
        self.assertEqual(self._row(self.known).segment_manual_reason, "Second")

    def test_bad_lines_are_named_and_nothing_is_lost(self):
        contact = self._create_customer(
            "Import Contact", parent_id=self.known.id, is_company=False
        )
        self._rate(self.known, "B")
        before, history = self._snapshot(), self._history()
        for line in (
            ["Import Nobody Knows", "A", "", "", ""],
            ["Import Unknown", "Z", "", "", ""],
            ["Import Unknown", "A", "", "soon", ""],
            ["Import Unknown", "A", "", "", "much"],
            ["Import Unknown", "A", "", "", "-5"],
            ["", "A", "", "", ""],
            [contact.display_name, "A", "", "", ""],
            [self.sara.partner_id.name, "A", "", "", ""],
        ):
            with self.subTest(line=line), mute_logger("odoo.sql_db", "odoo.orm.models"):
                result = self._load(["Import Known", "A", "Good", "", ""], line)
                self.assertFalse(result["ids"])
                self.assertEqual(result["messages"][-1]["type"], "error")
                self.assertEqual(result["messages"][-1]["rows"]["from"], 1)
                self.env.invalidate_all()
                self.assertSameRows(self._snapshot(), before)
                self.assertEqual(self._history(), history)

    def test_import_wakes_no_excluded_customer(self):
        row = self._row(self.known)
        row.action_exclude()
        self._load(["Import Known", "A", "By the list", "", ""])
        self.assertFalse(row.active)
        self.assertEqual(row.segment_manual_id.code, "A")

    @users("cover_sara", "cover_leader")
    def test_only_managers_import(self):
        try:
            result = self._load(
                ["Import Known", "A", "Mine", "", ""], user=self.env.user
            )
        except AccessError:
            return
        self.assertFalse(result["ids"])
        self.assertTrue(result["messages"])
