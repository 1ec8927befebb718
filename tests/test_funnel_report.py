from datetime import timedelta

from odoo.tests import tagged
from odoo.tools import SQL

from ..report.coverage_funnel_report import STEPS
from .common import NOW, CoverageCase, ago

FUNNEL = "coverage.funnel.report"


@tagged("post_install", "-at_install")
class TestFunnelReport(CoverageCase):
    """Customers at every step of the way; the figures are reckoned here again.

    One of Sara's goes all the way, one is lost after an offer, one only spoke; Olga's
    and the pool's of North were called.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.source = cls.env["utm.source"].create({"name": "Trade Fair"})
        cls.reason = cls.env["crm.lost.reason"].create({"name": "Too dear"})
        cls.loyal = cls._create_loyal()
        cls.lost = cls._create_lost()
        cls.spoken = cls._add_customer("Spoken", cls.sara)
        cls._log_touch(cls.spoken, days_ago=10)
        cls.olgas = cls._add_customer("Olga's", cls.olga)
        cls._log_touch(cls.olgas, cls.olga, days_ago=4, is_two_way=False)
        cls._refresh()
        cls._row(cls.spoken).next_contact_date = ago(-3)
        (cls._row(cls.lost) + cls._row(cls.olgas)).next_contact_date = False
        cls.env.flush_all()
        cls.expected = {
            (cls.loyal, "contact"): (ago(100), None, True),
            (cls.loyal, "answer"): (ago(95), 5, True),
            (cls.loyal, "opportunity"): (ago(90), 5, True),
            (cls.loyal, "quotation"): (ago(80), 10, True),
            (cls.loyal, "order"): (ago(60), 20, True),
            (cls.loyal, "regular"): (ago(20), 40, False),
            (cls.lost, "contact"): (ago(50), None, True),
            (cls.lost, "answer"): (ago(50), 0, True),
            (cls.lost, "opportunity"): (ago(40), 10, False),
            (cls.spoken, "contact"): (ago(10), None, True),
            (cls.spoken, "answer"): (ago(10), 0, False),
            (cls.olgas, "contact"): (ago(4), None, False),
        }

    @classmethod
    def _add_customer(cls, name, owner):
        return cls._create_customer(name, user_id=owner.id)

    @classmethod
    def _create_loyal(cls):
        customer = cls._add_customer("Loyal", cls.sara)
        cls._log_touch(customer, days_ago=100, is_two_way=False)
        cls._log_touch(customer, days_ago=99, is_two_way=True, active=False)
        cls._log_touch(customer, days_ago=95)
        lead = cls._create_opportunity(customer, source_id=cls.source.id)
        cls._set_created(lead, 90)
        for days in (60, 40, 40, 20):  # two on one day are one order day
            order = cls._confirm_order(customer, 1_000, days)
            cls._set_created(order, days + 20)
        return customer

    @classmethod
    def _create_lost(cls):
        customer = cls._add_customer("Lost", cls.sara)
        cls._log_touch(customer, days_ago=50)
        lead = cls._create_opportunity(customer)
        cls._set_created(lead, 40)
        lead.action_set_lost(lost_reason_id=cls.reason.id)
        return customer

    @classmethod
    def _set_created(cls, record, days):
        """Let a document be made that many days ago."""
        cls.env.flush_all()
        moment = NOW - timedelta(days=days)
        table = SQL.identifier(record._table)
        query = SQL("UPDATE %s SET create_date = %s", table, moment)
        if record._name == "crm.lead":
            query = SQL("%s, date_conversion = NULL", query)
        cls.env.cr.execute(SQL("%s WHERE id = %s", query, record.id))
        cls.env.invalidate_all()

    def _find(self, user=None, domain=()):
        report = self.env[FUNNEL].with_user(user or self.manager)
        return report.search([*domain])

    def _expect(self, *customers):
        return {key: row for key, row in self.expected.items() if key[0] in customers}

    def test_each_step_has_its_day_its_days_and_whether_it_was_passed(self):
        found = {
            (line.customer_id.partner_id, line.step): (
                line.date,
                line.days,
                line.is_passed,
            )
            for line in self._find()
        }
        self.assertEqual(
            found,
            {
                key: (day, days or 0, passed)
                for key, (day, days, passed) in self.expected.items()
            },
        )

    def test_totals_are_those_of_the_rows(self):
        groups = (
            self.env[FUNNEL]
            .with_user(self.manager)
            .formatted_read_group(
                [], ["step"], ["__count", "conversion_rate:avg", "days:avg"]
            )
        )
        order = [code for code, _label in STEPS]
        self.assertEqual([group["step"] for group in groups], order)
        for group in groups:
            step = group["step"]
            rows = [row for key, row in self.expected.items() if key[1] == step]
            days = [row[1] for row in rows if row[1] is not None]
            with self.subTest(step=group["step"]):
                self.assertEqual(group["__count"], len(rows))
                if group["step"] != "regular":
                    rate = sum(row[2] for row in rows) / len(rows)
                    self.assertAlmostEqual(group["conversion_rate:avg"], rate)
                if days:
                    self.assertAlmostEqual(group["days:avg"], sum(days) / len(days))

    def test_a_regular_customer_needs_as_many_order_days_as_the_company_says(self):
        self.company.coverage_new_orders = 2
        line = self._find(domain=[("step", "=", "regular")])
        self.assertEqual(line.date, ago(40))

    def test_stuck_is_the_last_step_with_nothing_open_or_planned(self):
        found = self._find(domain=[("is_stuck", "=", True)])
        self.assertEqual(
            {(line.customer_id.partner_id, line.step) for line in found},
            {(self.lost, "opportunity"), (self.olgas, "contact")},
        )
        self.assertEqual(found.lost_reason_id, self.reason)

    def test_an_open_quotation_is_not_stuck(self):
        self._create_quotation(self.olgas, 500)
        lines = self._find(domain=[("customer_id", "=", self._row(self.olgas).id)])
        self.assertEqual(set(lines.mapped("step")), {"contact", "quotation"})
        self.assertFalse(any(lines.mapped("is_stuck")))

    def test_source_is_that_of_the_first_opportunity(self):
        self._set_created(self._create_opportunity(self.loyal), 5)
        lines = self._find(domain=[("source_id", "=", self.source.id)])
        self.assertEqual(lines.customer_id.partner_id, self.loyal)
        self.assertEqual(len(lines), 6)

    def test_each_sees_the_way_of_the_own_customers_only(self):
        sara = self._expect(self.loyal, self.lost, self.spoken)
        olga = self._expect(self.olgas)
        for user, expected in (
            (self.sara, sara),
            (self.leader, sara),
            (self.olga, olga),
            (self.south_leader, olga),
            (self.manager, self.expected),
            (self.sam, {}),
        ):
            report = self.env[FUNNEL].with_user(user)
            groups = report.formatted_read_group([], [], ["__count"])
            with self.subTest(user=user.login):
                self.assertEqual(groups[0]["__count"], len(expected))

    def test_another_company_sees_nothing_of_it(self):
        report = self.env[FUNNEL].with_user(self.stranger)
        report = report.with_context(allowed_company_ids=self.elsewhere.ids)
        groups = report.formatted_read_group([], [], ["__count"])
        self.assertEqual(groups[0]["__count"], 0)

    def test_row_opens_the_customer(self):
        action = self._find(domain=[("step", "=", "regular")]).action_open_customer()
        self.assertEqual(action["res_id"], self._row(self.loyal).id)
