from datetime import timedelta

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import NOW, TODAY, CoverageCase

HANDOFF = "report.crm_sales_coverage.coverage_dossier_handoff"
CUSTOMER = "report.crm_sales_coverage.coverage_dossier_customer"


@tagged("post_install", "-at_install")
class TestDossier(CoverageCase):
    """What the receiver learns of a customer, and who may read it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer = cls._create_buyer(
            12_000, name="Bakery & Sons", user_id=cls.sara.id
        )
        cls.person = cls.env["res.partner"].create(
            {
                "name": "Berta Baker",
                "parent_id": cls.customer.id,
                "phone": "+1 212-555-0123",
                "is_decision_maker": True,
            }
        )
        cls.row = cls._row(cls.customer)
        cls._log_touch(cls.customer, days_ago=3, note="Wants oat milk")

    def _get(self, user=None, rows=None):
        dossiers = self.env["coverage.dossier"].with_user(user or self.sara)
        rows = (rows or self.row).with_user(user or self.sara)
        return dossiers._get_dossiers(rows, NOW)

    def _offer(self):
        handoff = self.env["coverage.handoff"].create(
            {
                "customer_id": self.row.id,
                "to_user_id": self.olga.id,
                "reason": "Buys every month",
            }
        )
        handoff.action_offer()
        return handoff

    def test_it_tells_figures_people_talks_and_goods(self):
        self._create_quotation(self.customer, 700, name="Q-700")
        self._create_opportunity(self.customer, name="Second shop")
        self.env["mail.activity"].create(
            {
                "res_model_id": self.env["ir.model"]._get_id("res.partner"),
                "res_id": self.customer.id,
                "summary": "Send the price list",
                "user_id": self.sara.id,
                "date_deadline": TODAY - timedelta(days=1),
                "activity_type_id": self.env.ref("mail.mail_activity_data_todo").id,
            }
        )
        told = self._get()[0]
        self.assertEqual(told["name"], "Bakery & Sons")
        self.assertEqual(told["people"][0]["name"], "Berta Baker")
        self.assertTrue(told["people"][0]["decides"])
        self.assertEqual(told["touches"][0]["note"], "Wants oat milk")
        summaries = [one["what"] for one in told["promises"]]
        self.assertIn("Send the price list", summaries)
        self.assertEqual(told["quotations"][0]["name"], "Q-700")
        self.assertEqual(told["opportunities"][0]["name"], "Second shop")
        self.assertEqual(told["bought"][0]["name"], "Service")
        self.assertIn("12,000", told["bought"][0]["amount"])
        self.assertIn("12,000", told["years"][-1]["amount"])
        self.assertEqual(len(told["months"]), 24)
        self.assertEqual(told["owners"][0]["name"], "cover_sara")

    def test_receiver_of_an_offer_reads_it_and_nobody_else(self):
        with self.assertRaises(AccessError):
            self._get(self.olga)
        handoff = self._offer()
        self.assertEqual(self._get(self.olga)[0]["name"], "Bakery & Sons")
        values = self.env[HANDOFF].with_user(self.olga)._get_report_values(handoff.ids)
        self.assertEqual(values["dossiers"][0]["handoff"]["receiver"], "cover_olga")
        for user in (self.sam, self.south_leader, self.stranger):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.env[CUSTOMER].with_user(user)._get_report_values(self.row.ids)
        handoff.with_user(self.olga).action_decline("No room")
        self.env.invalidate_all()
        with self.assertRaises(AccessError):
            self.env[HANDOFF].with_user(self.olga)._get_report_values(handoff.ids)

    def test_former_owners_with_the_reason(self):
        self._offer().with_user(self.olga).action_accept()
        self.env.invalidate_all()
        owners = self._get(self.olga)[0]["owners"]
        self.assertEqual([one["name"] for one in owners], ["cover_olga", "cover_sara"])
        self.assertIn("Buys every month", owners[0]["why"])

    def test_it_is_printed(self):
        handoff = self._offer()
        reports = self.env["ir.actions.report"].with_user(self.olga)
        html, _type = reports._render_qweb_html(
            "crm_sales_coverage.coverage_dossier_handoff", handoff.ids
        )
        text = html.decode()
        for part in ("Bakery &amp; Sons", "Berta Baker", "Wants oat milk", "Service"):
            self.assertIn(part, text)

    def test_customer_of_whom_nothing_is_known(self):
        empty = self._create_customer("Empty", user_id=self.sara.id)
        self.env.cr.flush()
        told = self._get(rows=self._row(empty))[0]
        self.assertEqual((told["people"], told["bought"]), ([], []))
        reports = self.env["ir.actions.report"].with_user(self.sara)
        html, _type = reports._render_qweb_html(
            "crm_sales_coverage.coverage_dossier_customer", self._row(empty).ids
        )
        self.assertIn("Nothing is promised", html.decode())

    def test_lead_without_customer_has_nothing_to_tell(self):
        lead = self.env["crm.lead"].create(
            {"name": "New one", "company_id": self.company.id, "user_id": self.sara.id}
        )
        handoff = self.env["coverage.handoff"].create(
            {"lead_id": lead.id, "to_user_id": self.sam.id, "reason": "Warm"}
        )
        values = self.env[HANDOFF].with_user(self.sara)._get_report_values(handoff.ids)
        self.assertEqual(values["dossiers"], [])

    def test_it_costs_the_same_for_little_and_for_much(self):
        def count():
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self._get()
            return self.env.cr.sql_log_count - before

        count()
        little = count()
        for number in range(10):
            self._log_touch(self.customer, days_ago=number)
            self._create_quotation(self.customer, 100 + number)
            self._confirm_order(self.customer, 100, days_ago=40 + number)
        self._refresh()
        self.assertLessEqual(count(), little)
