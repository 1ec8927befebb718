from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import new_test_user, tagged, users
from odoo.tools import mute_logger

from .common import TODAY, CoverageCase


@tagged("post_install", "-at_install")
class TestRow(CoverageCase):
    """The life of a scorecard: who is a customer, since when, and until when."""

    # === COMES WITH THE FIRST FACT, IN THE SAME TRANSACTION === #

    def test_contact_alone_is_no_customer(self):
        self.assertFalse(self._row(self._create_customer()))

    def test_quotation_makes_a_customer(self):
        customer = self._create_customer()
        self._create_quotation(customer, 100)
        self.assertStands(customer, False, False, "prospect")

    def test_order_makes_a_ranked_customer_on_day_one(self):
        customer = self._create_customer()
        self._confirm_order(customer, 100)
        self.assertStands(customer, "A", "hot", "new")

    def test_opportunity_makes_a_customer_and_lead_does_not(self):
        customer, spoken_to = self._create_customer(), self._create_customer()
        self._create_opportunity(customer)
        self._create_opportunity(spoken_to, type="lead")
        self.assertTrue(self._row(customer))
        self.assertFalse(self._row(spoken_to))

    def test_lead_that_becomes_an_opportunity_makes_a_customer(self):
        customer = self._create_customer()
        lead = self._create_opportunity(customer, type="lead", user_id=self.sara.id)
        lead.convert_opportunity(customer)
        self.assertTrue(self._row(customer))

    def test_owner_makes_a_customer(self):
        customer = self._create_customer(user_id=self.sara.id)
        row = self._row(customer)
        self.assertEqual(row.user_id, self.sara)
        self.assertEqual(row.team_id, self.north)
        self.assertEqual(row.owned_since, TODAY)

    def test_document_of_a_contact_makes_its_company_a_customer(self):
        customer = self._create_customer()
        contact = self._create_customer(parent_id=customer.id, is_company=False)
        self._create_quotation(contact, 100)
        self.assertTrue(self._row(customer))
        self.assertFalse(self._row(contact))

    def test_night_finds_customers_that_no_event_made(self):
        customer = self._create_customer()
        self._create_quotation(customer, 100)
        self._row(customer).unlink()
        self._refresh()
        self.assertStands(customer, False, False, "prospect")

    # === WHO IS NONE === #

    def test_our_own_people_and_companies_are_no_customers(self):
        for partner in (
            self.sara.partner_id,
            self.elsewhere.partner_id,
            self.company.partner_id,
        ):
            self._confirm_order(partner, 100)
            self._refresh()
            self.assertFalse(self._row(partner), partner.name)

    def test_portal_user_is_a_customer(self):
        buyer = new_test_user(self.env, "cover_portal", groups="base.group_portal")
        self._confirm_order(buyer.partner_id, 100)
        self.assertTrue(self._row(buyer.partner_id))

    def test_pure_vendor_is_no_customer_even_with_an_owner(self):
        vendor = self._create_customer(supplier_rank=1, user_id=self.sara.id)
        self._refresh()
        self.assertFalse(self._row(vendor))

    def test_vendor_that_orders_is_a_customer(self):
        vendor = self._create_customer(supplier_rank=1)
        self._confirm_order(vendor, 100)
        self.assertTrue(self._row(vendor))

    def test_contact_of_another_company_is_no_customer_here(self):
        customer = self._create_customer(company_id=self.elsewhere.id)
        customer.user_id = self.stranger
        self._refresh()
        self.assertFalse(self._row(customer))
        self.assertTrue(self._row(customer, self.elsewhere))

    # === ADDED BY HAND === #

    @users("cover_manager")
    def test_manager_adds_a_customer_by_hand(self):
        customer = self._create_customer(user_id=False)
        row = self.env["coverage.customer"].create({"partner_id": customer.id})
        self.assertEqual(row.lifecycle, "prospect")
        self.assertEqual(row.company_id, self.company)

    def test_customer_added_by_hand_has_its_salesperson_as_owner(self):
        vendor = self._create_customer(supplier_rank=1, user_id=self.sara.id)
        row = self.env["coverage.customer"].create({"partner_id": vendor.id})
        self.assertEqual(row.user_id, self.sara)
        self.assertEqual(row.team_id, self.north)
        self.assertEqual(row.owned_since, TODAY)

    def test_contact_of_a_company_cannot_be_added(self):
        contact = self._create_customer(
            parent_id=self._create_customer("Parent").id, is_company=False
        )
        with self.assertRaisesRegex(ValidationError, "Add the company instead"):
            self.env["coverage.customer"].create({"partner_id": contact.id})

    def test_one_of_us_cannot_be_added(self):
        for partner in (self.sara.partner_id, self.elsewhere.partner_id):
            with self.assertRaisesRegex(ValidationError, "one of us"):
                self.env["coverage.customer"].create({"partner_id": partner.id})

    # === SLEEPS WITH THE CONTACT === #

    def test_row_is_archived_with_its_contact_and_comes_back(self):
        customer = self._create_buyer()
        customer.active = False
        self.assertFalse(self._row(customer).active)
        customer.active = True
        self.assertTrue(self._row(customer).active)

    def test_row_that_comes_back_knows_what_happened_meanwhile(self):
        customer = self._create_buyer(100)
        customer.active = False
        self._confirm_order(customer, 10)
        customer.active = True
        self.assertFacts(customer, revenue_12m=110)

    def test_excluded_customer_stays_excluded(self):
        customer = self._create_buyer()
        self._row(customer).with_user(self.manager).action_exclude()
        customer.active = False
        customer.active = True
        self._confirm_order(customer, 100)
        self._refresh()
        self.assertFalse(self._row(customer).active)

    def test_included_customer_comes_back_up_to_date(self):
        customer = self._create_buyer(100)
        row = self._row(customer).with_user(self.manager)
        row.action_exclude()
        self._confirm_order(customer, 10)
        row.action_include()
        self.assertTrue(row.active)
        self.assertFacts(customer, revenue_12m=110)

    @users("cover_sara")
    def test_seller_cannot_exclude_a_customer(self):
        customer = self._create_customer(user_id=self.sara.id)
        row = self._row(customer).with_user(self.sara)
        with self.assertRaises(AccessError):
            row.action_exclude()

    def test_archived_customers_neither_count_nor_move(self):
        customer = self._create_known_buyer(1_000_000)
        customer.active = False
        self._create_leaders()
        self.assertEqual(self._get_reference().amount, 10_000)

    def _get_reference(self):
        return self.env["coverage.reference"]._get_latest(self.company)

    # === BELONGS TO A COMPANY === #

    def test_contact_bound_to_a_company_leaves_the_others(self):
        customer = self._create_buyer()
        self._confirm_order(customer, 100, company=self.elsewhere)
        # Odoo refuses a company other than that of the contact's orders
        self.env["sale.order"].search(
            [("partner_id", "=", customer.id), ("company_id", "=", self.company.id)]
        ).with_context(disable_cancel_warning=True).action_cancel()
        customer.company_id = self.elsewhere
        self.assertFalse(self._row(customer).active)
        self.assertTrue(self._row(customer, self.elsewhere).active)
        customer.company_id = False
        self.assertTrue(self._row(customer).active)

    # === GOES WITH THE CONTACT === #

    def test_deleted_contact_takes_row_and_history_along(self):
        customer = self._create_customer(user_id=self.sara.id)
        row = self._row(customer)
        row._declare_potential(100, "asked")
        changes = row.change_ids
        self.assertTrue(changes)
        customer.unlink()
        self.assertFalse(row.exists())
        self.assertFalse(changes.exists())

    def test_contact_with_orders_cannot_be_deleted_and_keeps_its_row(self):
        customer = self._create_buyer()
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(IntegrityError),
            self.env.cr.savepoint(),
        ):
            customer.unlink()
        self.assertTrue(self._row(customer))
