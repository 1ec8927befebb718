import shutil

from odoo.tests import tagged

from .test_tours import TourCase


@tagged("post_install", "-at_install")
class TestDepartmentTours(TourCase):
    """Registering, giving up, handing over and covering, in a real browser."""

    def test_seller_registers_what_nobody_has(self):
        self.leaders[1].vat = "US-4711-42"
        self._create_leader()
        self.start_tour("/odoo", "coverage_register", login="tour_seller")
        self.env.invalidate_all()
        row = self.env["coverage.customer"].search(
            [("partner_id.name", "=", "Brand New Bakery")]
        )
        self.assertEqual(row.user_id, self.seller)
        self.assertTrue(row.protected_until)

    def test_seller_gives_up_a_lead_and_the_leader_decides_in_one_click(self):
        reason = self.env["crm.lost.reason"].create({"name": "Tour Reason"})
        prospect = self.env["res.partner"].create(
            {"name": "Tour Prospect", "is_company": True, "user_id": self.seller.id}
        )
        lead = self.env["crm.lead"].create(
            {
                "name": "Tour Hopeless",
                "type": "opportunity",
                "partner_id": prospect.id,
                "company_id": self.company.id,
                "user_id": self.seller.id,
            }
        )
        self._create_leader()
        self.start_tour(
            f"/odoo/crm.lead/{lead.id}", "coverage_lost_ask", login="tour_seller"
        )
        self.env.invalidate_all()
        self.assertEqual(lead.won_status, "pending")
        self.start_tour("/odoo", "coverage_lost_decide", login="tour_leader")
        self.env.invalidate_all()
        self.assertEqual((lead.won_status, lead.lost_reason_id), ("lost", reason))

    def test_receiver_reads_and_prints_the_dossier(self):
        receiver = self._create_user("tour_receiver", "sales_team.group_sale_salesman")
        self._create_leader()
        handoff = self.env["coverage.handoff"].create(
            {
                "customer_id": self._row(self.bravo).id,
                "to_user_id": receiver.id,
                "reason": "Buys every month",
            }
        )
        handoff.action_offer()
        self.start_tour("/odoo", "coverage_dossier", login="tour_receiver")
        reports = self.env["ir.actions.report"].with_user(receiver)
        name = "crm_sales_coverage.coverage_dossier_handoff"
        html, kind = reports._render_qweb_html(name, handoff.ids)
        self.assertEqual(kind, "html")
        for told in ("Tour Bravo", "Buys every month", "6,000"):
            self.assertIn(told, html.decode())
        if shutil.which("wkhtmltopdf"):
            reports = reports.with_context(force_report_rendering=True)
            pdf, _kind = reports._render_qweb_pdf(name, handoff.ids)
            self.assertTrue(pdf.startswith(b"%PDF"))

    def test_case_that_no_rule_covers_is_told_on_the_form(self):
        self.env.ref("crm_sales_coverage.rule_new").active = False
        net = self.env["coverage.rule"].search([])[-1]
        self.start_tour("/odoo", "coverage_rule_uncovered", login="tour_manager")
        self.env.invalidate_all()
        self.assertFalse(net.lifecycle)
