from odoo.tests import Form, tagged, users

from .common import CoverageCase


@tagged("post_install", "-at_install")
class TestStart(CoverageCase):
    """Day one: the checklist, and nothing that happens by itself."""

    @users("cover_manager")
    def test_checklist_of_an_empty_company(self):
        start = self.env["coverage.start"].create({})
        self.assertEqual(start.company_id, self.company)
        self.assertEqual(start.customer_count, 0)
        self.assertEqual(start.document_count, 0)
        self.assertEqual(start.rated_count, 0)
        self.assertFalse(start.refreshed)
        self.assertEqual(start.coverage_revenue_source, "order")
        start.action_refresh()
        for action in (start.action_open_map(), start.action_what_if()):
            self.assertTrue(action["res_model"])

    @users("cover_manager")
    def test_checklist_counts_what_is_known(self):
        self._create_buyer(user_id=self.sara.id, coverage_employee_count=5)
        self._create_quotation(self._create_customer(user_id=False), 10)
        start = self.env["coverage.start"].create({})
        self.assertEqual(start.customer_count, 2)
        self.assertEqual(start.document_count, 1)
        self.assertEqual(start.rated_count, 1)
        self.assertEqual(start.owned_count, 1)
        self.assertEqual(start.size_count, 1)
        self.assertEqual(start.industry_count, 0)

    @users("cover_manager")
    def test_checklist_ranks_everybody(self):
        customer = self._create_buyer(100)
        self._row(customer).sudo().write({"segment_id": self.segments["D"].id})
        start = self.env["coverage.start"].create({})
        start.action_refresh()
        self.assertStands(customer, "A", "hot", "new")
        start.invalidate_recordset()
        self.assertTrue(start.refreshed)

    @users("cover_manager")
    def test_preset_sets_what_follows_from_it(self):
        with Form(self.env["coverage.start"]) as form:
            form.coverage_preset = "retail"
        self.assertEqual(self.company.coverage_preset, "retail")
        self.assertEqual(self.company.coverage_sleeping_days, 120)
        self.assertEqual(self.company.coverage_lookback_years, 2)

    def test_settings_page_saves_the_company(self):
        with Form(self.env["res.config.settings"]) as form:
            form.coverage_preset = "project"
        form.record.execute()
        self.assertEqual(self.company.coverage_preset, "project")
        self.assertEqual(self.company.coverage_sleeping_days, 365)
        self.assertEqual(self.company.coverage_lookback_years, 5)

    def test_refresh_is_on_after_install(self):
        self.assertTrue(self.cron.active)
        self.assertEqual(self.cron.interval_type, "days")

    def test_new_company_starts_with_the_defaults(self):
        company = self.env["res.company"].create({"name": "Newest"})
        self.assertEqual(
            company._get_coverage_settings(),
            {
                "coverage_revenue_source": "order",
                "coverage_lookback_years": 3,
                "coverage_leader_rate": 0.1,
                "coverage_use_lookalike": True,
                "coverage_new_orders": 3,
                "coverage_sleeping_days": 180,
                "coverage_stay_days": 30,
                "coverage_hysteresis_rate": 0.1,
            },
        )
