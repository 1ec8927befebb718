from datetime import timedelta
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import NOW, REFUSAL, CoverageCase

MODELS = "odoo.addons.crm_sales_coverage.models"
REFRESH = f"{MODELS}.coverage_refresh"
BATCH = f"{MODELS}.coverage_rows.BATCH"
APPLICATION = f"{MODELS}.coverage_application"
CRON = "odoo.addons.base.models.ir_cron"


@tagged("post_install", "-at_install")
class TestRefresh(CoverageCase):
    """One = all, twice = once, events = night."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_leaders()
        with cls._on_day(1):
            cls.customers = cls._create_mixed_base()
            cls._refresh(NOW - timedelta(days=1))

    @classmethod
    def _create_mixed_base(cls):
        """Return customers of all segments, lifecycles and temperatures."""
        histories = (
            [(6_000, 500)],
            [(2_000, 400), (2_000, 300), (2_000, 200)],
            [(500, 80), (600, 60), (700, 40), (9_000, 20)],
            [(100, 370), (100, 10)],
            [],
        )
        customers = cls.env["res.partner"]
        for history in histories:
            customer = cls._create_customer(user_id=cls.sara.id)
            for amount, days_ago in history:
                cls._confirm_order(customer, amount, days_ago)
            customers += customer
        return customers

    def _trade(self):
        """Let a day's events happen."""
        sleeper, slow, steady, small, prospect = self.customers
        self._confirm_order(sleeper, 3_000)
        self._confirm_order(slow, 5_000)
        steady.sale_order_ids[0]._action_cancel()
        self._confirm_order(small, 9_000)._action_cancel()
        self._confirm_order(prospect, 4_600)
        self._confirm_order(self._create_customer("Newcomer"), 7_000)
        self._create_quotation(steady, 123)

    # === PROPERTIES === #

    def test_twice_is_once(self):
        self._refresh()
        before, history = self._versions(), self._history()
        self._refresh()
        self.assertEqual(self._versions(), before, "a row was written again")
        self.assertEqual(self._history(), history)

    def test_one_is_all(self):
        now = NOW + timedelta(days=100)
        with self._tried():
            self._refresh(now)
            every = self._snapshot()
        self._settle_reference(now)
        for customer in self.env["res.partner"].union(self.customers, self.leaders):
            refresh = self.env["coverage.refresh"]
            refresh._refresh_customers(self._row(customer), now)
        self.assertSameRows(self._snapshot(), every)

    def _settle_reference(self, now):
        """Compute the reference of a night without touching a customer."""
        with patch(f"{REFRESH}.CoverageRefresh._run_batches"):
            self._refresh(now)

    def test_night_after_events_changes_nothing(self):
        self._refresh()
        self._trade()
        before, history = self._versions(), self._history()
        self._refresh()
        self.assertEqual(
            self._versions(), before, "the night wrote what events settled"
        )
        self.assertEqual(self._history(), history)

    def test_without_inertia_events_and_night_end_where_night_alone_does(self):
        self.company.write({"coverage_hysteresis_rate": 0, "coverage_stay_days": 0})
        self._refresh()
        with self._tried():
            self._trade()
            self._refresh()
            by_events = self._outcomes()
        with patch(f"{REFRESH}.CoverageRefresh._refresh_partners"):
            self._trade()
        self._refresh()
        self.assertEqual(self._outcomes(), by_events)

    def _outcomes(self):
        """Return what was decided, by contact's name and amount bought."""
        rows = self.env["coverage.customer"].search(
            [("company_id", "=", self.company.id)]
        )
        return sorted(
            (
                row.partner_id.name,
                row.revenue_12m,
                row.revenue_best_12m,
                row.potential,
                row.segment_id.code,
                row.segment_computed_id.code,
                row.temperature_code,
                row.temperature_score,
                row.lifecycle,
            )
            for row in rows
        )

    def test_batches_of_one_end_where_one_batch_does(self):
        now = NOW + timedelta(days=200)
        with self._tried():
            self._refresh(now)
            whole = self._snapshot()
        with patch(BATCH, 1):
            self._refresh(now)
        self.assertSameRows(self._snapshot(), whole)

    def test_other_companies_are_left_alone(self):
        self._confirm_order(self.customers[0], 100, company=self.elsewhere)
        before = self._versions(self.elsewhere)
        self.assertTrue(before)
        self._refresh(NOW + timedelta(days=500))
        self.assertEqual(self._versions(self.elsewhere), before)

    # === EVENTS === #

    def test_events_settle_the_customer_at_once(self):
        customer = self._create_known_buyer(3_000)
        order = self._create_quotation(customer, 6_000)
        self.assertFacts(customer, open_quote_amount=6_000)
        order.action_confirm()
        self.assertFacts(customer, open_quote_amount=0, revenue_12m=9_000)
        self.assertStands(customer, "A", "hot", "new")
        order._action_cancel()
        self.assertFacts(customer, revenue_12m=3_000)
        self.assertStands(customer, "C", "hot", "new")

    def test_button_refreshes_one_customer(self):
        customer = self.customers[0]
        self.env.cr.execute(
            "UPDATE coverage_customer SET revenue_12m = 5 WHERE partner_id = %s",
            [customer.id],
        )
        self.env.invalidate_all()
        self._row(customer).with_user(self.sara).action_refresh()
        self.assertFacts(customer, revenue_12m=0)

    def test_manager_refreshes_everybody(self):
        self.company.coverage_lookback_years = 1
        refresh = self.env["coverage.refresh"].with_user(self.manager)
        refresh._refresh_company(self.company)
        self.assertFacts(self.customers[0], revenue_best_12m=0)

    # === JOB === #

    def _run_job(self):
        with self.enter_registry_test_mode():
            self.cron.method_direct_trigger()

    def test_job_refreshes_every_company(self):
        self._confirm_order(self.customers[0], 100, company=self.elsewhere)
        self.env.cr.execute("UPDATE coverage_customer SET revenue_12m = -1")
        self.env.invalidate_all()
        self._run_job()
        self.assertFacts(self.customers[0], revenue_12m=0)
        self.assertEqual(self._row(self.customers[0], self.elsewhere).revenue_12m, 100)

    def test_job_twice_does_no_more_than_once(self):
        self._run_job()
        before, history = self._versions(), self._history()
        self._run_job()
        self.assertEqual(self._versions(), before)
        self.assertEqual(self._history(), history)

    def test_job_works_in_batches_with_progress(self):
        progress = []

        def note(_self, processed=0, *, remaining=None, deactivate=False):
            progress.append((processed, remaining))
            return float("inf")

        with (
            patch(f"{CRON}.IrCron._commit_progress", note),
            patch(BATCH, 3),
            patch(
                "odoo.addons.base.models.res_company.ResCompany.search",
                lambda companies, *args, **kwargs: self.company,
            ),
        ):
            self.env["coverage.refresh"]._cron_refresh()
        batches = [one for one in progress if one[0]]
        self.assertEqual(batches, [(3, 5), (3, 2), (2, 1)])
        self.assertEqual(progress[-1], (0, 0))

    def test_job_that_runs_out_of_time_goes_on_where_it_stopped(self):
        self._confirm_order(self.customers[0], 100, company=self.elsewhere)
        self._confirm_order(self.customers[1], 100, company=self.elsewhere)
        self.env.cr.execute("UPDATE coverage_customer SET revenue_12m = -1")
        self.env.invalidate_all()
        calls, left = 0, []

        def note(_self, processed=0, *, remaining=None, deactivate=False):
            left.append(remaining)
            return 0

        count = self.env["coverage.customer"].search_count([])
        with (
            patch(f"{CRON}.IrCron._commit_progress", note),
            patch(BATCH, 3),
        ):
            while left[-1:] != [0]:
                self.env["coverage.refresh"]._cron_refresh()
                calls += 1
                self.assertLess(calls, count, "the job starts again and again")
        self.assertGreater(calls, 4)
        stale = self.env["coverage.customer"].search_count([("revenue_12m", "=", -1)])
        self.assertFalse(stale)
        runs = self.env["coverage.run"].search(
            [("company_id", "=", self.company.id), ("date", "=", NOW)]
        )
        self.assertEqual(runs.mapped("state"), ["applied"])

    def test_mark_behind_the_walk_is_not_forgotten(self):
        first = self._row(self.leaders[0])

        def note(_self, processed=0, *, remaining=None, deactivate=False):
            return 0

        with (
            patch(f"{CRON}.IrCron._commit_progress", note),
            patch(BATCH, 3),
        ):
            run = self.env["coverage.run"]
            while not run.last_customer_id:
                self.env["coverage.refresh"]._cron_refresh()
                run = self.env["coverage.run"].search(
                    [("company_id", "=", self.company.id), ("state", "=", "applying")]
                )
        self.assertGreaterEqual(run.last_customer_id, first.id)
        with patch(f"{REFRESH}.CoverageRefresh._refresh_partners"):
            self._confirm_order(self.leaders[0], 1)  # somebody held the row,
        self.env["coverage.refresh"]._leave_marks(self.company, self.leaders[0])
        self._run_job()
        self.assertFacts(self.leaders[0], revenue_12m=10_001)
        self.assertFalse(self.env["coverage.mark"].search([]))

    def test_mark_wakes_the_job_for_the_marked_alone(self):
        self._run_job()
        marked, other = self._row(self.leaders[0]), self._row(self.leaders[1])
        self.env.cr.execute("UPDATE coverage_customer SET revenue_12m = -1")
        self.env.invalidate_all()
        self.env["coverage.refresh"]._leave_marks(self.company, self.leaders[0])
        self._run_job()
        self.assertGreater(marked.revenue_12m, 0)
        self.assertEqual(other.revenue_12m, -1)
        self._run_job()  # nobody is marked: somebody asked for all
        self.assertGreater(other.revenue_12m, 0)

    def test_old_jobs_that_changed_nothing_are_forgotten(self):
        unfinished = self.env["coverage.run"]._create_refresh(self.company, NOW)
        empty, telling = self._refresh(), self._refresh(NOW + timedelta(days=300))
        self.assertTrue(telling.change_ids)
        recent = self._refresh(NOW + timedelta(days=300))
        (unfinished | empty | telling).date = NOW - timedelta(days=91)
        self.env["coverage.run"]._gc_empty_runs()
        self.assertFalse(empty.exists())
        kept = unfinished | telling | recent
        self.assertEqual(kept.exists(), kept)

    def test_refused_customer_stops_nobody_and_the_job_fails(self):
        refused, other = self.leaders[:2]
        with self._on_day(-300), self._refuse(refused, "lifecycle"):
            log = self._run_failing_job()
        self.assertIn(REFUSAL, log.output[0])
        self.assertEqual(self.cron.failure_count, 1)
        self.assertStands(refused, "A", "hot", "new")
        self.assertStands(other, "A", "frozen", "sleeping")

    def test_refused_customer_is_decided_once_the_rule_allows_it(self):
        with self._on_day(-300):
            with self._refuse(self.leaders[0], "lifecycle"):
                self._run_failing_job()
            self._run_job()
        self.assertEqual(self.cron.failure_count, 0)
        self.assertStands(self.leaders[0], "A", "frozen", "sleeping")
        line = ("lifecycle", "New", "Sleeping")
        self.assertEqual(self._history(self.leaders[0]).count(line), 1)

    def _run_failing_job(self):
        """Return the log of a job that ends as failed."""
        with mute_logger(CRON), self.assertLogs(APPLICATION, "WARNING") as log:
            self._run_job()
        return log

    def test_sale_does_not_fail_where_another_rule_refuses(self):
        customer = self._create_known_buyer(3_000)
        with (
            self._refuse(customer, "segment_id"),
            self.assertLogs(APPLICATION, "WARNING"),
        ):
            order = self._confirm_order(customer, 6_000)
        self.assertEqual(order.state, "sale")
        self.assertFacts(customer, revenue_12m=9_000)
        self.assertStands(customer, "C", "hot", "new")
