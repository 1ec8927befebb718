from unittest.mock import patch

from psycopg2 import errors

from odoo import Command, fields
from odoo.tests import tagged

from .race_common import RaceCase


@tagged("post_install", "-at_install")
class TestConcurrency(RaceCase):
    """Nobody waits for us, nobody fails: sales and job in transactions of their own."""

    def _populate(self, env, company):
        self.product_id = (
            env["product.product"]
            .create({"name": "Race", "type": "service", "company_id": company.id})
            .id
        )

    # === ACTORS === #

    def _create_customer(self, amount=None):
        """Return the id of a committed customer, ranked when it bought."""
        env = self._open()
        partner = env["res.partner"].create({"name": "Racer", "is_company": True})
        self.partner_ids.append(partner.id)
        if amount is not None:
            self._create_quotation(env, partner.id, amount).action_confirm()
        self._commit(env)
        return partner.id

    def _create_quotation(self, env, partner_id, amount):
        return env["sale.order"].create(
            {
                "partner_id": partner_id,
                "company_id": self.company_id,
                "user_id": False,
                "team_id": False,
                "order_line": [
                    Command.create(
                        {"product_id": self.product_id, "price_unit": amount}
                    )
                ],
            }
        )

    def _sell(self, env, partner_id, amount):
        """Sell and leave the transaction open."""
        self._create_quotation(env, partner_id, amount).action_confirm()
        env.flush_all()

    def _run_job(self, env=None):
        """Refresh the company as the job does, a transaction per batch."""
        env = env or self._open()
        refresh = env["coverage.refresh"]
        company = env["res.company"].browse(self.company_id)
        now = fields.Datetime.now()
        marks = env["coverage.mark"].search([("company_id", "=", company.id)])
        run = refresh._run_refresh(company, now, commit=refresh._commit_batch)
        refresh._settle_marks(marks, now)
        self._commit(env)
        return run

    # === WHAT CAME OF IT === #

    def _row(self, partner_id, env=None):
        return (env or self._open())["coverage.customer"].search(
            [("partner_id", "=", partner_id), ("company_id", "=", self.company_id)]
        )

    def _get_marked(self):
        marks = self._open()["coverage.mark"].search(
            [("company_id", "=", self.company_id)]
        )
        return sorted(marks.partner_id.ids)

    # === A SALE MEETS THE JOB === #

    def test_sale_neither_waits_nor_fails_while_the_job_holds_its_customer(self):
        customer = self._create_customer(100)
        job, sale = self._open(), self._open()
        row = self._row(customer, job)
        self.assertEqual(job["coverage.refresh"]._lock(row), row)
        self._sell(sale, customer, 10)
        self._commit(sale)
        self._commit(job)
        self.assertEqual(self._get_marked(), [customer])
        self.assertEqual(self._row(customer).revenue_12m, 100)
        self._run_job()
        self.assertEqual(self._row(customer).revenue_12m, 110)
        self.assertFalse(self._get_marked())

    def test_mark_wakes_the_job(self):
        customer = self._create_customer(100)
        job, sale = self._open(), self._open()
        cron = sale.ref("crm_sales_coverage.ir_cron_refresh")
        domain = [("cron_id", "=", cron.id)]
        before = sale["ir.cron.trigger"].search_count(domain)
        job["coverage.refresh"]._lock(self._row(customer, job))
        self._sell(sale, customer, 10)
        self.assertGreater(sale["ir.cron.trigger"].search_count(domain), before)
        sale.cr.rollback()
        self.assertFalse(self._get_marked())

    def test_sale_that_began_before_the_job_wrote_its_customer_does_not_fail(self):
        customer = self._create_customer(100)
        sale = self._open()
        sale["res.partner"].browse(customer).read(["name"])  # its view is from now on
        env = self._open()
        self._row(customer, env).revenue_12m = 1
        self._commit(env)
        self._run_job()
        self._sell(sale, customer, 10)
        self._commit(sale)
        self.assertEqual(self._get_marked(), [customer])
        self._run_job()
        self.assertEqual(self._row(customer).revenue_12m, 110)

    # === THE JOB MEETS A SALE === #

    def test_job_ends_while_a_sale_holds_a_customer(self):
        held, free = self._create_customer(100), self._create_customer(200)
        sale = self._open()
        self._sell(sale, held, 10)
        self._spoil(free)
        run = self._run_job()
        self.assertEqual(run.state, "applied")
        self.assertEqual(self._row(free).revenue_12m, 200)
        self._commit(sale)
        self.assertEqual(self._row(held).revenue_12m, 110)

    def _spoil(self, *partner_ids):
        """Make facts wrong, so that the job has something to write."""
        env = self._open()
        for partner_id in partner_ids:
            self._row(partner_id, env).revenue_12m = 1
        self._commit(env)

    def test_customer_that_a_sale_holds_is_marked_by_the_job(self):
        customer = self._create_customer(100)
        self._spoil(customer)
        sale = self._open()
        row = self._row(customer, sale)
        self.assertEqual(sale["coverage.refresh"]._lock(row), row)
        self._run_job()
        self.assertEqual(self._get_marked(), [customer])
        self.assertEqual(self._row(customer).revenue_12m, 1)
        self._commit(sale)
        self._run_job()
        self.assertEqual(self._row(customer).revenue_12m, 100)
        self.assertFalse(self._get_marked())

    def test_job_ends_while_a_sale_makes_a_customer(self):
        self._create_customer(100)
        customer = self._create_customer()
        sale = self._open()
        self._sell(sale, customer, 10)
        self.assertEqual(self._run_job().state, "applied")
        self._commit(sale)
        self.assertEqual(self._row(customer).revenue_12m, 10)

    def _sell_before(self, method, partner_id, amount):
        """Let somebody sell, and commit, just before the job first calls a method."""
        original = getattr(self.registry["coverage.refresh"], method)
        sales = []

        def selling(model, *args, **kwargs):
            if not sales and model.env.cr is self.job.cr:
                sales.append(self._open())
                self._sell(sales[0], partner_id, amount)
                self._commit(sales[0])
            return original(model, *args, **kwargs)

        self.job = self._open()
        return patch.object(self.registry["coverage.refresh"], method, selling)

    def test_sale_between_staging_and_writing_survives(self):
        for method in ("_prepare_frame", "_collect_staged", "_decide_rows", "_lock"):
            with self.subTest(before=method):
                customer, other = self._create_customer(100), self._create_customer(50)
                self._spoil(customer, other)
                with self._sell_before(method, customer, 10):
                    run = self._run_job(self.job)
                self.assertEqual(run.state, "applied")
                self.assertEqual(self._row(customer).revenue_12m, 110)
                self.assertEqual(self._row(other).revenue_12m, 50)
                self.assertFalse(self._get_marked())

    def test_facts_are_staged_again_where_the_job_gives_way(self):
        customer = self._create_customer(100)
        self._spoil(customer)
        refresh, failed = self.registry["coverage.refresh"], []
        original = refresh._settle_reference

        def settling(model, *args):
            if not failed:
                failed.append(True)
                raise errors.SerializationFailure
            return original(model, *args)

        with patch.object(refresh, "_settle_reference", settling):
            run = self._run_job()
        self.assertEqual(run.state, "applied")
        self.assertEqual(self._row(customer).revenue_12m, 100)

    def test_two_jobs_at_once_do_no_more_than_one(self):
        customer = self._create_customer(100)
        self._create_customer(1_000)
        self._run_job()
        self._spoil(customer)
        env = self._open()
        self._row(customer, env)._set_manual_segment(
            env["coverage.segment"].search([], limit=1), "Test", False
        )
        env.cr.execute(
            "UPDATE coverage_customer SET segment_manual_until = '2020-01-01'"
            " WHERE partner_id = %s",
            [customer],
        )
        self._commit(env)
        original = self.registry["coverage.refresh"]._decide_rows
        others = []

        def deciding(model, *args, **kwargs):
            outcomes = original(model, *args, **kwargs)
            if not others and model.env.cr is job.cr:
                others.append(self._open())
                self._run_job(others[0])
            return outcomes

        job = self._open()
        with patch.object(self.registry["coverage.refresh"], "_decide_rows", deciding):
            run = self._run_job(job)
        self.assertEqual(run.state, "applied")
        row = self._row(customer)
        self.assertEqual(row.revenue_12m, 100)
        released = row.change_ids.filtered(
            lambda line: (line.reason or {}).get("code") == "pin_expired"
        )
        self.assertEqual(len(released), 1)

    # === SALES MEET EACH OTHER === #

    def test_two_sales_make_the_same_customer(self):
        self._create_customer(100)
        customer = self._create_customer()
        first, second = self._open(), self._open()
        self._sell(first, customer, 10)
        self._sell(second, customer, 5)
        self._commit(second)
        self._commit(first)
        self.assertEqual(len(self._row(customer)), 1)
        self.assertEqual(self._get_marked(), [customer])
        self._run_job()
        self.assertEqual(self._row(customer).revenue_12m, 15)
        self.assertFalse(self._get_marked())

    def test_customer_whose_maker_gave_up_is_made_by_the_job(self):
        self._create_customer(100)
        customer = self._create_customer()
        first, second = self._open(), self._open()
        self._sell(first, customer, 10)
        self._sell(second, customer, 5)
        self._commit(second)
        first.cr.rollback()
        self._run_job()
        self.assertEqual(self._row(customer).revenue_12m, 5)

    def test_two_sales_to_one_customer(self):
        customer = self._create_customer(100)
        first, second = self._open(), self._open()
        self._sell(first, customer, 10)
        self._sell(second, customer, 5)
        self._commit(second)
        self._commit(first)
        self._run_job()
        self.assertEqual(self._row(customer).revenue_12m, 115)

    def test_first_two_sales_of_a_company_do_not_wait_for_each_other(self):
        one, other = self._create_customer(), self._create_customer()
        first, second = self._open(), self._open()
        self._sell(first, one, 10)
        self._sell(second, other, 5)
        self._commit(second)
        self._commit(first)
        self._run_job()
        self.assertEqual(self._row(one).segment_id.code, "A")
        self.assertEqual(self._row(other).revenue_12m, 5)

    def test_first_sale_that_gives_up_leaves_nothing_behind(self):
        one, other = self._create_customer(), self._create_customer()
        first = self._open()
        self._sell(first, one, 10)
        first.cr.rollback()
        second = self._open()
        self._sell(second, other, 5)
        self._commit(second)
        self.assertEqual(self._row(other).segment_id.code, "A")

    # === SALES MEET PEOPLE === #

    def test_sale_does_not_fail_when_somebody_edited_the_customers_lead(self):
        customer = self._create_customer(100)
        self._create_customer(1_000)
        lead_id = self._create_opportunity(customer)
        self._run_job()
        sale, editor = self._open(), self._open()
        sale["res.partner"].browse(customer).read(["name"])
        editor["crm.lead"].browse(lead_id).name = "Edited"
        self._commit(editor)
        self._sell(sale, customer, 5_000)
        self._commit(sale)
        self._run_job()
        self.assertEqual(self._row(customer).segment_id.code, "A")
        lead = self._open()["crm.lead"].browse(lead_id)
        self.assertEqual(lead.segment_id.code, "A")

    def test_lead_that_somebody_edits_follows_by_night(self):
        customer = self._create_customer(100)
        self._create_customer(1_000)
        lead_id = self._create_opportunity(customer)
        self._run_job()
        sale, editor = self._open(), self._open()
        editor["crm.lead"].browse(lead_id).name = "Edited"
        editor.flush_all()
        self._sell(sale, customer, 5_000)
        self._commit(sale)
        self._commit(editor)
        self._run_job()
        lead = self._open()["crm.lead"].browse(lead_id)
        self.assertEqual(lead.segment_id, self._row(customer, lead.env).segment_id)

    def _create_opportunity(self, partner_id):
        env = self._open()
        lead = env["crm.lead"].create(
            {
                "name": "Race",
                "type": "opportunity",
                "partner_id": partner_id,
                "company_id": self.company_id,
                "user_id": False,
                "team_id": False,
            }
        )
        self._commit(env)
        return lead.id

    # === THE RHYTHM MEETS ITSELF AND SALES === #

    def _create_due(self, count=1):
        """Return customers of the admin whose contact is overdue."""
        partner_ids = [self._create_customer(100) for _number in range(count)]
        env = self._open()
        admin = env.ref("base.user_admin")
        admin.company_ids += env["res.company"].browse(self.company_id)
        rows = env["coverage.customer"].search([("partner_id", "in", partner_ids)])
        day = fields.Date.add(fields.Date.today(), days=-1)
        rows.write({"user_id": admin.id, "rhythm_start_date": day})
        env["coverage.refresh"]._refresh_customers(rows)
        rows.write({"next_contact_date": day})
        self._commit(env)
        self.addCleanup(self._release_admin)
        return partner_ids

    def _release_admin(self):
        env = self._open()
        company = env["res.company"].browse(self.company_id)
        env.ref("base.user_admin").company_ids -= company
        self._commit(env)

    def _plan(self, env=None):
        """Plan contacts as the job does, a transaction per batch."""
        env = env or self._open()
        cadence = env["coverage.cadence"]
        company = env["res.company"].browse(self.company_id)
        count = cadence._run_cadence(
            company, fields.Datetime.now(), cadence._commit_batch
        )
        self._commit(env)
        return count

    def _count_planned(self):
        return self._open()["mail.activity"].search_count(
            [("coverage_customer_id.company_id", "=", self.company_id)]
        )

    def _plan_before(self, method, planned):
        """Let another run plan, and commit, just before the job calls a method."""
        original = getattr(self.registry["coverage.cadence"], method)

        def planning(model, *args):
            if not planned and model.env.cr is self.job.cr:
                planned.append(self._plan())
            return original(model, *args)

        self.job = self._open()
        return patch.object(self.registry["coverage.cadence"], method, planning)

    def test_two_runs_of_the_rhythm_at_once_plan_each_customer_once(self):
        for method in ("_collect_due", "_apply_planned", "_create_planned"):
            with self.subTest(before=method):
                self._create_due(2)
                before, planned = self._count_planned(), []
                with self._plan_before(method, planned):
                    planned.append(self._plan(self.job))
                self.assertEqual(sum(planned), 2)
                self.assertEqual(self._count_planned(), before + 2)

    def test_rhythm_passes_over_a_customer_that_a_sale_holds(self):
        held, _free = self._create_due(2)
        sale = self._open()
        self._sell(sale, held, 10)
        self.assertEqual(self._plan(), 1)
        self._commit(sale)
        self._plan()
        self.assertLessEqual(self._count_planned(), 2)

    def test_sale_does_not_fail_while_the_rhythm_plans_its_customer(self):
        customer = self._create_due()[0]
        job, sale = self._open(), self._open()
        sale["res.partner"].browse(customer).read(["name"])
        company = job["res.company"].browse(self.company_id)
        job["coverage.cadence"]._run_cadence(company, fields.Datetime.now())
        self._sell(sale, customer, 10)
        self._commit(sale)
        self._commit(job)
        self.assertEqual(self._get_marked(), [customer])
