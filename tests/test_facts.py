from datetime import datetime, timedelta

from odoo import Command
from odoo.tests import freeze_time, tagged

from .common import NOW, TODAY, CoverageCase, ago


@tagged("post_install", "-at_install")
class TestFacts(CoverageCase):
    """What the rows say was bought: windows, days, currencies, sources."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer = cls._create_customer("Facts")

    # === WINDOWS === #

    def test_window_of_twelve_months_holds_364_days_ago_and_not_365(self):
        self._confirm_order(self.customer, 100, days_ago=364)
        self._confirm_order(self.customer, 10, days_ago=365)
        self._confirm_order(self.customer, 1, days_ago=730)
        self.assertFacts(self.customer, revenue_12m=100, revenue_prev_12m=10)

    def test_windows_of_ninety_days(self):
        for amount, days_ago in ((1, 0), (2, 89), (10, 90), (20, 179), (100, 180)):
            self._confirm_order(self.customer, amount, days_ago)
        self.assertFacts(self.customer, revenue_90d=3, revenue_prev_90d=30)

    def test_season_is_the_same_ninety_days_of_last_year(self):
        for amount, days_ago in ((1, 364), (2, 365), (4, 454), (8, 455)):
            self._confirm_order(self.customer, amount, days_ago)
        self.assertFacts(self.customer, revenue_season_90d=6)

    def test_order_of_tomorrow_does_not_count_yet(self):
        self._confirm_order(self.customer, 100, days_ago=-1)
        self.assertFacts(self.customer, revenue_12m=0, order_count=0)
        self._refresh(NOW + timedelta(days=1))
        self.assertFacts(self.customer, revenue_12m=100, order_count=1)

    def test_order_leaves_the_window_by_night(self):
        self._confirm_order(self.customer, 100, days_ago=364)
        self._refresh(NOW + timedelta(days=1))
        self.assertFacts(self.customer, revenue_12m=0, revenue_best_12m=100)

    # === BEST YEAR === #

    def test_best_year_ends_on_an_order_and_holds_365_days(self):
        for amount, days_ago in ((100, 765), (10, 401), (1, 400), (1_000, 36)):
            self._confirm_order(self.customer, amount, days_ago)
        # 765 and 401 days ago lie 364 days apart, 765 and 400 do not
        self.assertFacts(self.customer, revenue_best_12m=1_001, revenue_12m=1_000)

    def test_best_year_forgets_what_is_older_than_the_lookback(self):
        self._confirm_order(self.customer, 100, days_ago=3 * 365 + 1)
        self._confirm_order(self.customer, 10)
        self.assertFacts(self.customer, revenue_best_12m=10, order_count=2)
        self.company.coverage_lookback_years = 4
        self._refresh()
        self.assertFacts(self.customer, revenue_best_12m=100)

    def test_best_year_stays_while_no_order_comes_or_leaves(self):
        self._confirm_order(self.customer, 100, days_ago=300)
        for weeks in range(0, 100, 10):
            self._refresh(NOW + timedelta(weeks=weeks))
            self.assertFacts(self.customer, revenue_best_12m=100)

    # === DAYS === #

    def test_orders_of_one_day_count_as_one_order_day(self):
        for days_ago in (100, 100, 70, 0):
            self._confirm_order(self.customer, 1, days_ago)
        self.assertFacts(
            self.customer,
            order_count=4,
            order_day_count=3,
            order_interval_days=50,
            longest_silence_days=70,
            first_order_date=ago(100),
            last_order_date=TODAY,
        )

    def test_order_late_at_night_counts_on_the_companys_next_day(self):
        self.company.partner_id.tz = "Africa/Cairo"  # two hours ahead, or three
        order = self._confirm_order(self.customer, 1, days_ago=1)
        order.date_order = datetime(2030, 2, 1, 21, 30)
        self.assertFacts(self.customer, last_order_date=datetime(2030, 2, 1).date())
        order.date_order = datetime(2030, 2, 1, 22, 30)
        self.assertFacts(self.customer, last_order_date=datetime(2030, 2, 2).date())

    @freeze_time("2030-06-03 23:30:00")
    def test_windows_end_on_the_companys_own_day(self):
        self.company.partner_id.tz = "Europe/Sofia"
        order = self._confirm_order(self.customer, 1)
        order.date_order = datetime(2029, 6, 3, 23, 30)  # 4 June there: 365 days ago
        self.assertFacts(self.customer, revenue_12m=0, revenue_prev_12m=1)

    def test_waking_customer_counts_its_order_days_anew(self):
        for days_ago in (900, 890, 880, 20, 10):
            self._confirm_order(self.customer, 1, days_ago)
        self.assertFacts(self.customer, order_day_count=5, awake_order_day_count=2)

    # === WHOSE === #

    def test_contacts_roll_up_to_their_company(self):
        contact = self._create_customer(
            "Contact", parent_id=self.customer.id, is_company=False
        )
        self._confirm_order(contact, 100)
        self.assertFacts(self.customer, revenue_12m=100)
        self.assertFalse(self._row(contact))

    def test_subsidiary_is_a_customer_of_its_own(self):
        subsidiary = self._create_customer("Subsidiary", parent_id=self.customer.id)
        self._confirm_order(subsidiary, 100)
        self._confirm_order(self.customer, 1)
        self.assertFacts(subsidiary, revenue_12m=100)
        self.assertFacts(self.customer, revenue_12m=1)

    def test_companies_keep_their_own_rows(self):
        self._confirm_order(self.customer, 100)
        self._confirm_order(self.customer, 1, company=self.elsewhere)
        self.assertFacts(self.customer, revenue_12m=100)
        self.assertEqual(self._row(self.customer, self.elsewhere).revenue_12m, 1)

    def test_order_given_to_another_customer_moves_its_revenue(self):
        other = self._create_customer("Other")
        order = self._confirm_order(self.customer, 100)
        order.partner_id = other
        self.assertFacts(self.customer, revenue_12m=0)
        self.assertFacts(other, revenue_12m=100)

    # === CURRENCY === #

    def _create_pricelist(self, currency):
        currency.active = True
        return self.env["product.pricelist"].create(
            {
                "name": currency.name,
                "currency_id": currency.id,
                "company_id": self.company.id,
            }
        )

    def test_foreign_order_counts_at_the_rate_of_its_date(self):
        currency = self.env["res.currency"].create({"name": "QAC", "symbol": "q"})
        self.env["res.currency.rate"].create(
            [
                {
                    "currency_id": currency.id,
                    "company_id": self.company.id,
                    "name": name,
                    "rate": rate,
                }
                for name, rate in ((ago(100), 2), (ago(10), 4))
            ]
        )
        pricelist = self._create_pricelist(currency)
        self._confirm_order(self.customer, 100, 50, pricelist_id=pricelist.id)
        self.assertFacts(self.customer, revenue_12m=50)
        self._confirm_order(self.customer, 100, pricelist_id=pricelist.id)
        self.assertFacts(self.customer, revenue_12m=75)

    def test_currency_without_a_rate_counts_one_to_one(self):
        pricelist = self._create_pricelist(
            self.env["res.currency"].create({"name": "QAN", "symbol": "n"})
        )
        self._confirm_order(self.customer, 100, pricelist_id=pricelist.id)
        self.assertFacts(self.customer, revenue_12m=100)

    def test_revenue_is_untaxed(self):
        tax = self.env["account.tax"].create(
            {
                "name": "20 %",
                "amount": 20,
                "company_id": self.company.id,
                "country_id": self.env.ref("base.us").id,
                "tax_group_id": self.env["account.tax.group"]
                .create({"name": "T", "company_id": self.company.id})
                .id,
            }
        )
        order = self._confirm_order(self.customer, 100)
        order.order_line.tax_ids = tax
        self.assertEqual(order.amount_total, 120)
        self._refresh()
        self.assertFacts(self.customer, revenue_12m=100)

    # === QUOTATIONS === #

    def test_open_quotations_are_no_revenue(self):
        self._create_quotation(self.customer, 70)
        self._create_quotation(self.customer, 30)
        self.assertFacts(
            self.customer, open_quote_amount=100, revenue_12m=0, order_count=0
        )

    # === OTHER SOURCES === #

    def test_opportunity_source_counts_what_was_won(self):
        self.company.coverage_revenue_source = "opportunity"
        won, lost = (
            self._create_opportunity(self.customer, expected_revenue=amount)
            for amount in (100, 10)
        )
        self._confirm_order(self.customer, 1)
        self.assertFacts(self.customer, revenue_12m=0, order_count=0)
        won.action_set_won()
        lost.action_set_lost()
        self.assertFacts(self.customer, revenue_12m=100, order_count=1)


@tagged("post_install", "-at_install")
class TestInvoices(CoverageCase):
    """Revenue from invoices: posted, reset, refunded."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.coverage_revenue_source = "invoice"
        cls.company.country_id = cls.env.ref("base.us")
        accounts = cls.env["account.account"].create(
            [
                {"name": name, "code": code, "account_type": kind}
                for name, code, kind in (
                    ("Income", "COV400", "income"),
                    ("Receivable", "COV120", "asset_receivable"),
                )
            ]
        )
        cls.income, cls.receivable = accounts
        cls.env["account.journal"].create(
            {
                "name": "Sales",
                "code": "COV",
                "type": "sale",
                "company_id": cls.company.id,
                "default_account_id": cls.income.id,
            }
        )
        cls.customer = cls._create_customer(
            "Invoiced", property_account_receivable_id=cls.receivable.id
        )

    def _post_invoice(self, amount, days_ago=0, move_type="out_invoice"):
        invoice = self.env["account.move"].create(
            {
                "move_type": move_type,
                "partner_id": self.customer.id,
                "invoice_date": ago(days_ago),
                "invoice_line_ids": [
                    Command.create(
                        {
                            "name": "Service",
                            "quantity": 1,
                            "price_unit": amount,
                            "account_id": self.income.id,
                            "tax_ids": False,
                        }
                    )
                ],
            }
        )
        invoice.action_post()
        return invoice

    def test_posting_and_resetting_an_invoice_count_at_once(self):
        invoice = self._post_invoice(100, days_ago=5)
        self.assertFacts(
            self.customer, revenue_12m=100, order_count=1, last_order_date=ago(5)
        )
        invoice.button_draft()
        self.assertFacts(
            self.customer, revenue_12m=0, order_count=0, last_order_date=False
        )

    def test_credit_note_is_subtracted_and_is_no_order(self):
        self._post_invoice(100, days_ago=5)
        self._post_invoice(30, move_type="out_refund")
        self.assertFacts(
            self.customer,
            revenue_12m=70,
            revenue_best_12m=100,
            order_count=1,
            order_day_count=1,
            last_order_date=ago(5),
        )

    def test_credit_note_alone_is_no_purchase(self):
        self._post_invoice(30, move_type="out_refund")
        self.assertFacts(
            self.customer, revenue_12m=-30, revenue_best_12m=0, order_count=0
        )
        self.assertStands(self.customer, False, False, "prospect")

    def test_orders_do_not_count_where_invoices_do(self):
        self._confirm_order(self.customer, 100)
        self.assertFacts(self.customer, revenue_12m=0, order_count=0)

    def test_invoice_alone_makes_a_customer_where_orders_count(self):
        self.company.coverage_revenue_source = "order"
        self._post_invoice(100)
        self.assertFacts(self.customer, revenue_12m=0)
