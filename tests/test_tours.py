from datetime import timedelta

from odoo import Command, fields
from odoo.tests import HttpCase, tagged


@tagged("post_install", "-at_install")
class TestTours(HttpCase):
    """A real browser walks the screens of a company with a handful of customers."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context={"no_reset_password": True, "tracking_disable": True})
        cls.company = cls.env["res.company"].create(
            {"name": "Tour Company", "currency_id": cls.env.ref("base.USD").id}
        )
        cls.env = cls.env(
            context={**cls.env.context, "allowed_company_ids": cls.company.ids}
        )
        cls.manager = cls._create_user("tour_manager", "sales_team.group_sale_manager")
        cls.seller = cls._create_user("tour_seller", "sales_team.group_sale_salesman")
        cls.seller.name = "Tour Seller"
        cls.product = cls.env["product.product"].create(
            {"name": "Tour Product", "type": "service", "taxes_id": False}
        )
        cls.leaders = [
            cls._create_buyer(f"Tour Leader {number}", 10_000, cls.manager)
            for number in range(3)
        ]
        cls.bravo = cls._create_buyer("Tour Bravo", 6_000, cls.seller)
        cls.charlie = cls._create_buyer("Tour Charlie", 4_400, cls.seller)
        cls.env["coverage.refresh"]._run_refresh(cls.company, fields.Datetime.now())
        cls.segment_b = cls.env.ref("crm_sales_coverage.segment_b")

    @classmethod
    def _create_user(cls, login, *groups):
        return cls.env["res.users"].create(
            {
                "name": login,
                "login": login,
                "password": login,
                "email": f"{login}@example.com",
                "company_id": cls.company.id,
                "company_ids": [Command.set(cls.company.ids)],
                "group_ids": [
                    Command.set(
                        [
                            cls.env.ref(group).id
                            for group in ("base.group_user", *groups)
                        ]
                    )
                ],
            }
        )

    @classmethod
    def _create_buyer(cls, name, amount, owner):
        """Return a contact that bought once, 20 days ago."""
        partner = cls.env["res.partner"].create(
            {"name": name, "is_company": True, "user_id": owner.id}
        )
        line = {"product_id": cls.product.id, "price_unit": amount, "tax_ids": False}
        cls.env["sale.order"].create(
            {
                "partner_id": partner.id,
                "company_id": cls.company.id,
                "state": "sale",
                "date_order": fields.Datetime.now() - timedelta(days=20),
                "order_line": [Command.create({**line, "product_uom_qty": 1})],
            }
        )
        return partner

    def _row(self, partner):
        return self.env["coverage.customer"].search([("partner_id", "=", partner.id)])

    def test_manager_pins_previews_applies_and_undoes(self):
        self.assertEqual(self._row(self.charlie).segment_id.code, "C")
        self.start_tour("/odoo", "coverage_manager", login="tour_manager")
        self.env.invalidate_all()
        bravo, charlie = self._row(self.bravo), self._row(self.charlie)
        self.assertEqual(bravo.segment_id.code, "A")
        self.assertEqual(bravo.segment_computed_id.code, "B")
        self.assertEqual(bravo.segment_manual_reason, "Buys for the whole group")
        run = self.env["coverage.run"].search(
            [("company_id", "=", self.company.id), ("origin", "=", "preview")]
        )
        self.assertEqual(run.state, "undone")
        self.assertEqual(run.what_if, {"segment": {"B": {"typical_share": 40.0}}})
        self.assertEqual(self.segment_b.typical_share, 60)
        self.assertEqual(charlie.segment_id.code, "C")

    def test_seller_declares_a_potential(self):
        self.start_tour("/odoo", "coverage_seller", login="tour_seller")
        self.env.invalidate_all()
        bravo = self._row(self.bravo)
        self.assertEqual(bravo.declared_potential, 9_000)
        self.assertEqual(bravo.declared_how, "Buys half of it elsewhere")
        self.assertEqual(bravo.segment_id.code, "A")

    def test_start_checklist_settings_and_badges(self):
        admin = self._create_user(
            "tour_admin", "base.group_system", "sales_team.group_sale_manager"
        )
        # Odoo's settings page asks about pricelists, where there are any.
        self.env["product.pricelist"].search([]).action_archive()
        self.env["crm.lead"].create(
            {
                "name": "Tour Deal",
                "type": "opportunity",
                "partner_id": self.leaders[1].id,
                "company_id": self.company.id,
                "user_id": admin.id,
            }
        )
        self.start_tour("/odoo", "coverage_start", login="tour_admin")
        self.env.invalidate_all()
        self.assertEqual(self.company.coverage_preset, "seasonal")
        self.assertEqual(self.company.coverage_sleeping_days, 365)
        self.assertEqual(self.company.coverage_stay_days, 20)
