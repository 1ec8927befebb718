from datetime import timedelta

from odoo.tests import freeze_time, tagged

from .common import NOW, CoverageCase

MODELS = (
    "coverage.yield.report",
    "coverage.revenue.report",
    "coverage.movement.report",
    "coverage.base.report",
)


class MoneyCase(CoverageCase):
    """Customers that kept, grew, woke up, came and went, of two teams.

    ::

        name      owner  year before  this year
        Grown     sara         2,000      9,000
        Kept      sara         3,000      3,000
        Woken     sam              0      1,500   (bought 3 years ago)
        New       sam              -      5,000
        Lost      olga         4,000          0
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.orders = {
            "Grown": (cls.sara, ((2_000, 500), (9_000, 40))),
            "Kept": (cls.sara, ((3_000, 450), (3_000, 60))),
            "Woken": (cls.sam, ((800, 1_000), (1_500, 20))),
            "New": (cls.sam, ((5_000, 30),)),
            "Lost": (cls.olga, ((4_000, 400),)),
        }
        cls.customers = {}
        for name, (owner, orders) in cls.orders.items():
            customer = cls._create_customer(name, user_id=owner.id)
            for amount, days_ago in orders:
                cls._confirm_order(customer, amount, days_ago)
            cls.customers[name] = customer
        cls._refresh(NOW)
        cls.env.flush_all()

    def _group(self, model, groupby, aggregates, user=None, domain=()):
        env = self.env(user=user or self.manager)
        domain = [("company_id", "=", self.company.id), *domain]
        groups = env[model].formatted_read_group(domain, groupby, aggregates)
        return {
            tuple(
                group[name][0] if isinstance(group[name], tuple) else group[name]
                for name in groupby
            ): tuple(group[name] for name in aggregates)
            for group in groups
        }


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestYieldReport(MoneyCase):
    """Potential, revenue, yield and drop, against sums made by hand."""

    def test_sums_by_owner_are_those_of_the_customers(self):
        found = self._group(
            "coverage.yield.report",
            ["user_id"],
            ["potential:sum", "revenue_12m:sum", "gap:sum", "drop_amount:sum"],
        )
        for user in (self.sara, self.sam, self.olga):
            rows = self.env["coverage.customer"].search([("user_id", "=", user.id)])
            expected = (
                sum(rows.mapped("potential")),
                sum(rows.mapped("revenue_12m")),
                sum(max(row.potential - row.revenue_12m, 0) for row in rows),
                sum(max(row.revenue_prev_12m - row.revenue_12m, 0) for row in rows),
            )
            self.assertEqual(found[user.id,], expected)
        self.assertEqual(found[self.olga.id,][3], 4_000)

    def test_yield_of_a_group_is_that_of_its_sums(self):
        (rate,) = self._group("coverage.yield.report", [], ["yield_rate:avg"])[()]
        rows = self.env["coverage.customer"].search(
            [("company_id", "=", self.company.id)]
        )
        revenue = sum(row.revenue_12m for row in rows if row.potential)
        self.assertAlmostEqual(rate, revenue / sum(rows.mapped("potential")), 6)

    def test_sleeping_customers_by_their_best_year(self):
        lines = self.env["coverage.yield.report"].search(
            [("lifecycle", "=", "sleeping"), ("company_id", "=", self.company.id)]
        )
        self.assertEqual(
            {line.customer_id.partner_id.name: line.lost_revenue for line in lines},
            {"Lost": 4_000},
        )

    def test_line_opens_the_customer(self):
        line = self.env["coverage.yield.report"].search(
            [("customer_id", "=", self._row(self.customers["New"]).id)]
        )
        self.assertEqual(line.action_open_customer()["res_id"], line.customer_id.id)


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestRevenueReport(MoneyCase):
    """Kept + grown + woken + new is this year; kept − lost the year before."""

    def test_each_customer_has_its_kinds(self):
        lines = self.env["coverage.revenue.report"].search(
            [("company_id", "=", self.company.id)]
        )
        self.assertEqual(
            {
                (line.customer_id.partner_id.name, line.kind): line.amount
                for line in lines
            },
            {
                ("Grown", "kept"): 2_000,
                ("Grown", "grown"): 7_000,
                ("Kept", "kept"): 3_000,
                ("Woken", "woken"): 1_500,
                ("New", "new"): 5_000,
                ("Lost", "lost"): -4_000,
            },
        )

    def test_kinds_come_in_their_own_order(self):
        found = self._group("coverage.revenue.report", ["kind"], ["amount:sum"])
        self.assertEqual(
            [kind for (kind,) in found], ["kept", "grown", "woken", "new", "lost"]
        )

    def test_years_add_up(self):
        found = self._group("coverage.revenue.report", ["kind"], ["amount:sum"])
        amounts = {kind: amount for (kind,), (amount,) in found.items()}
        this_year = sum(
            amount
            for _owner, orders in self.orders.values()
            for amount, days_ago in orders
            if days_ago < 365
        )
        before = sum(
            amount
            for _owner, orders in self.orders.values()
            for amount, days_ago in orders
            if 365 <= days_ago < 730
        )
        lost = amounts.pop("lost")
        self.assertEqual(sum(amounts.values()), this_year)
        self.assertEqual(amounts["kept"] - lost, before)

    def test_contacts_count_once_a_customer(self):
        for days_ago in (3, 30, 500):
            self._log_touch(self.customers["Grown"], self.sara, days_ago)
        self._log_touch(self.customers["Kept"], self.sara, 5)
        self.env.flush_all()
        found = self._group(
            "coverage.revenue.report", ["kind"], ["touch_count:sum"], self.sara
        )
        self.assertEqual(found, {("kept",): (1,), ("grown",): (2,)})


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestMoneyRights(MoneyCase):
    """Own, team, company: nothing of others in lines or totals."""

    def _see(self, user, model):
        context = {"allowed_company_ids": user.company_ids.ids}
        lines = self.env(user=user, context=context)[model].search([])
        return set(lines.mapped("customer_id.partner_id.name"))

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        later = NOW + timedelta(days=200)
        with freeze_time(later):
            cls._refresh(later)
        cls.env.flush_all()

    def test_who_sees_whom(self):
        cases = (
            (self.sara, {"Grown", "Kept"}),
            (self.leader, {"Grown", "Kept", "Woken", "New"}),
            (self.south_leader, {"Lost"}),
            (self.manager, set(self.customers)),
            (self.stranger, set()),
        )
        for model in MODELS:
            everybody = self._see(self.manager, model)
            for user, names in cases:
                with self.subTest(model=model, user=user.login):
                    self.assertEqual(self._see(user, model), names & everybody)
            self.assertTrue(everybody, model)

    def test_totals_hold_own_customers_only(self):
        for model, measure in (
            ("coverage.yield.report", "revenue_12m:sum"),
            ("coverage.revenue.report", "amount:sum"),
            ("coverage.movement.report", "potential:sum"),
            ("coverage.base.report", "potential:sum"),
        ):
            with self.subTest(model=model):
                own = self._group(model, [], [measure], self.sara)[()]
                domain = [("customer_id.user_id", "=", self.sara.id)]
                told = self._group(model, [], [measure], domain=domain)[()]
                self.assertEqual(own, told)
