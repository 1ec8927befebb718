from datetime import timedelta

from odoo.tests import tagged

from .common import NOW, CoverageCase
from .test_performance import PerformanceCase


@tagged("post_install", "-at_install")
class TestLeadTemperature(CoverageCase):
    """Cold, warm or hot: who spoke first, who answered, what is quoted."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer = cls._create_customer()
        cls.lead = cls._create_opportunity(cls.customer)
        cls.env.cr.flush()

    def _say(self, days_ago=0, lead=None, **values):
        """Note a contact with the lead."""
        touch = self.env["coverage.touch"].create(
            {
                "company_id": self.company.id,
                "lead_id": (lead or self.lead).id,
                "user_id": self.sara.id,
                "date": NOW - timedelta(days=days_ago),
                "is_two_way": True,
                **values,
            }
        )
        touch._settle()
        return touch

    def assertLevel(self, level, lead=None):
        """Assert the level after the commit, and that the night agrees."""
        lead = lead or self.lead
        self.env.cr.flush()
        self.assertEqual(lead.lead_temperature, level)
        self.env["crm.lead"]._heat(self.company, NOW)
        self.assertEqual(lead.lead_temperature, level)

    def test_nobody_spoke(self):
        self.assertLevel("cold")
        self._say(is_two_way=False)
        self._create_quotation(self.customer, 100)
        self.assertLevel("cold")

    def test_answered_is_warm_for_thirty_days(self):
        for days, level in ((29, "warm"), (30, "cold")):
            with self.subTest(days=days), self._tried():
                self._say(days)
                self.assertLevel(level)

    def test_who_spoke_first_stays_warm(self):
        self._say(90, direction="in")
        self.assertLevel("warm")

    def test_who_was_called_first_cools(self):
        self._say(95, is_two_way=False)
        self._say(90, direction="in")
        self.assertLevel("cold")

    def test_word_of_the_customer_warms_its_leads(self):
        self._log_touch(self.customer, days_ago=5)
        self.assertLevel("warm")
        self.assertLevel("warm", self._create_opportunity(self.customer))

    def test_quotation_makes_hot_and_its_end_cools(self):
        self._say()
        quotation = self._create_quotation(self.customer, 100)
        self.assertLevel("hot")
        quotation._action_cancel()
        self.assertLevel("warm")

    def test_quotation_of_another_opportunity_heats_that_one_only(self):
        self._log_touch(self.customer)
        other = self._create_opportunity(self.customer)
        self._create_quotation(self.customer, 100, opportunity_id=other.id)
        self.assertLevel("hot", other)
        self.assertLevel("warm")

    def test_withdrawn_contact_cools(self):
        self._say().with_user(self.leader).action_withdraw()
        self.assertLevel("cold")

    def test_closed_leads_stay_as_they_were(self):
        self._say()
        self.assertLevel("warm")
        self.lead.action_set_won()
        self.env["crm.lead"]._heat(self.company, NOW + timedelta(days=60))
        self.assertEqual(self.lead.lead_temperature, "warm")

    def test_night_writes_silently_and_only_what_differs(self):
        self._say()
        self.env.cr.flush()
        self.env.cr.execute("UPDATE crm_lead SET write_date = '2020-01-01'")
        messages = self.lead.message_ids
        self._refresh(NOW + timedelta(days=30))
        self.assertEqual(self.lead.lead_temperature, "cold")
        self.assertEqual(self.lead.write_date.year, 2020)
        self.assertEqual(self.lead.message_ids, messages)
        self.env.cr.execute("SELECT xmin FROM crm_lead WHERE id = %s", self.lead.ids)
        version = self.env.cr.fetchone()
        self._refresh(NOW + timedelta(days=31))
        self.env.cr.execute("SELECT xmin FROM crm_lead WHERE id = %s", self.lead.ids)
        self.assertEqual(self.env.cr.fetchone(), version)

    def test_copy_starts_cold(self):
        self._say()
        self.env.cr.flush()
        self.assertEqual(self.lead.copy().lead_temperature, "cold")


@tagged("post_install", "-at_install")
class TestLeadTemperaturePerformance(PerformanceCase):
    """One statement for one lead and for many."""

    def test_many_leads(self):
        for customer in self.customers:
            self._create_opportunity(customer)
        self.env.cr.flush()

        def act(customers):
            leads = self.env["crm.lead"]
            leads._queue_heat("p.commercial_partner_id", customers.ids)
            self.env.cr.flush()

        self.assertConstant(act)

    def test_list_with_requests(self):
        leads = {
            customer: self._create_opportunity(customer) for customer in self.customers
        }

        def act(customers):
            found = self.env["crm.lead"].browse([leads[one].id for one in customers])
            found.with_user(self.leader).mapped("request_text")

        self.assertConstant(act)
