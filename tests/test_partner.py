from odoo.exceptions import AccessError
from odoo.tests import tagged, users

from .common import CoverageCase


@tagged("post_install", "-at_install")
class TestPartner(CoverageCase):
    """What contacts show of their company's scorecard, and to whom."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_leaders()
        cls.mine = cls._create_known_buyer(3_000, name="Mine", user_id=cls.sara.id)
        cls.theirs = cls._create_known_buyer(6_000, name="Theirs", user_id=cls.sam.id)
        cls.nobody = cls._create_customer("No Customer")
        cls.contact = cls._create_customer(
            "Contact", parent_id=cls.theirs.id, is_company=False
        )
        cls.partners = cls.mine | cls.theirs | cls.nobody | cls.contact

    def _search(self, *domain):
        found = self.env["res.partner"].search(
            [("id", "in", self.partners.ids), *domain], order="id"
        )
        return found.mapped("name")

    @users("cover_sara")
    def test_contact_shows_the_values_of_its_company(self):
        contact = self.contact.with_env(self.env)
        self.assertEqual(contact.coverage_id.id, self._row(self.theirs).id)
        self.assertEqual(contact.coverage_segment_id.code, "B")
        self.assertEqual(contact.coverage_temperature_id.code, "hot")
        self.assertEqual(contact.coverage_lifecycle, "new")
        self.assertEqual(contact.coverage_badge, "B 🔥")

    @users("cover_sara")
    def test_values_are_of_the_company_one_works_in(self):
        partner = self.theirs.with_env(self.env).sudo()
        self.assertFalse(partner.with_company(self.elsewhere).coverage_segment_id)

    @users("cover_sara")
    def test_search(self):
        a, b, c = (self.segments[code].id for code in "ABC")
        for domain, names in (
            ([("coverage_segment_id", "=", b)], ["Theirs", "Contact"]),
            ([("coverage_segment_id", "in", [a, c])], ["Mine"]),
            ([("coverage_segment_id", "!=", b)], ["Mine", "No Customer"]),
            ([("coverage_segment_id", "=", False)], ["No Customer"]),
            ([("coverage_segment_id", "!=", False)], ["Mine", "Theirs", "Contact"]),
            ([("coverage_segment_id.code", "=", "B")], ["Theirs", "Contact"]),
            ([("coverage_segment_id", "ilike", "b")], ["Theirs", "Contact"]),
            (
                [("coverage_temperature_id.code", "=", "hot")],
                ["Mine", "Theirs", "Contact"],
            ),
            ([("coverage_lifecycle", "=", "new")], ["Mine", "Theirs", "Contact"]),
            ([("coverage_lifecycle", "=", False)], ["No Customer"]),
            ([("coverage_lifecycle", "not in", ["new"])], ["No Customer"]),
            ([("coverage_id", "=", False)], ["No Customer"]),
        ):
            with self.subTest(domain=domain):
                self.assertEqual(self._search(*domain), names)

    @users("cover_sara")
    def test_group_by(self):
        groups = self.env["res.partner"].formatted_read_group(
            [("id", "in", self.partners.ids)], ["coverage_segment_id"], ["__count"]
        )
        found = {
            group["coverage_segment_id"] and group["coverage_segment_id"][1]: group[
                "__count"
            ]
            for group in groups
        }
        self.assertEqual(found, {"B": 2, "C": 1, False: 1})
        groups = self.env["res.partner"].formatted_read_group(
            [("id", "in", self.partners.ids)], ["coverage_lifecycle"], ["__count"]
        )
        self.assertEqual(
            {group["coverage_lifecycle"]: group["__count"] for group in groups},
            {"new": 3, False: 1},
        )

    @users("cover_sara")
    def test_group_opens_the_contacts_it_counted(self):
        for name in (
            "coverage_segment_id",
            "coverage_temperature_id",
            "coverage_lifecycle",
        ):
            domain = [("id", "in", self.partners.ids)]
            groups = self.env["res.partner"].formatted_read_group(
                domain, [name], ["__count"]
            )
            for group in groups:
                extra = group["__extra_domain"]
                count = self.env["res.partner"].search_count(domain + extra)
                self.assertEqual(count, group["__count"], (name, group[name]))

    @users("cover_sara")
    def test_order(self):
        partners = self.env["res.partner"].search(
            [("id", "in", (self.mine | self.theirs).ids)],
            order="coverage_segment_id, id",
        )
        self.assertEqual(partners.mapped("name"), ["Theirs", "Mine"])
        partners = self.env["res.partner"].search(
            [("id", "in", self.partners.ids)], order="coverage_lifecycle desc, id"
        )
        self.assertEqual(len(partners), 4)

    def test_row_that_sleeps_shows_nothing(self):
        row = self._row(self.theirs)
        row.action_exclude()
        self.env.invalidate_all()
        self.assertFalse(self.theirs.coverage_segment_id)
        self.assertNotIn("Theirs", self._search(("coverage_segment_id", "!=", False)))

    @users("cover_clerk")
    def test_who_does_not_sell_sees_nothing_of_it(self):
        partner = self.mine.with_env(self.env)
        fields = self.env["res.partner"].fields_get()
        for name in fields:
            self.assertFalse(
                name.startswith("coverage_") and name != "coverage_employee_count", name
            )
        for name in ("coverage_id", "coverage_segment_id", "coverage_lifecycle"):
            with self.assertRaises(AccessError):
                partner.read([name])
            with self.assertRaises(AccessError):
                partner.search([(name, "!=", False)])
            with self.assertRaises(AccessError):
                partner.formatted_read_group([], [name], ["__count"])
            with self.assertRaises(AccessError):
                partner.search([], order=name)

    @users("cover_clerk")
    def test_who_does_not_sell_keeps_contacts_as_before(self):
        partner = self.env["res.partner"].create({"name": "New", "is_company": True})
        partner.write({"user_id": self.sara.id, "name": "Newer"})
        self.assertEqual(self._row(partner).user_id, self.sara)
        partner.active = False
        self.assertFalse(self._row(partner).active)
        partner.unlink()

    # === NOBODY SEES WHAT OTHERS' CUSTOMERS BRING === #

    def test_no_field_of_a_contact_holds_money(self):
        for name, field in self.env["res.partner"]._fields.items():
            if name.startswith("coverage_"):
                self.assertNotIn(field.type, ("monetary", "float"), name)

    @users("cover_sara")
    def test_money_of_others_is_not_read_through_a_contact(self):
        theirs = self.theirs.with_env(self.env)
        with self.assertRaises(AccessError):
            theirs.coverage_id.read(["revenue_12m"])
        exporter = self.env.ref("base.group_allow_export")
        self.sara.group_ids += exporter
        with self.assertRaises(AccessError):
            theirs.export_data(["coverage_id/revenue_12m"])
        specification = {"coverage_id": {"fields": {"revenue_12m": {}}}}
        try:
            read = theirs.web_read(specification)
        except AccessError:
            return
        self.assertNotIn("6000", str(read))

    @users("cover_sara")
    def test_money_of_others_is_not_found_out_by_searching(self):
        for name in ("revenue_12m", "potential"):
            self.assertEqual(self._search((f"coverage_id.{name}", ">", 5_000)), [])
            self.assertEqual(
                self._search((f"coverage_id.{name}", "<", 5_000)), ["Mine"]
            )
            self.assertEqual(
                self._search(("coverage_id", "any", [(name, ">", 5_000)])), []
            )

    @users("cover_sara")
    def test_money_of_others_is_not_found_out_by_grouping(self):
        partners = self.env["res.partner"]
        for name in ("revenue_12m", "potential"):
            path = f"coverage_id.{name}"
            try:
                groups = partners.formatted_read_group(
                    [("id", "in", self.theirs.ids)], [path], ["__count"]
                )
            except (AccessError, ValueError):
                continue
            self.assertNotIn(6_000, [group[path] for group in groups])
        for name in ("revenue_12m", "potential"):
            with self.assertRaises(ValueError):
                partners.formatted_read_group([], [], [f"coverage_id.{name}:sum"])
