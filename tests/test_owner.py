from datetime import timedelta

from odoo.tests import new_test_user, tagged

from .common import TODAY, CoverageCase


@tagged("post_install", "-at_install")
class TestOwner(CoverageCase):
    """Owner and salesperson mirror each other; exactly one row is mirrored."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer = cls._create_customer(user_id=cls.sara.id)
        cls.row = cls._row(cls.customer)

    def test_new_salesperson_becomes_the_owner(self):
        self.customer.user_id = self.olga
        self.assertEqual(self.row.user_id, self.olga)
        self.assertEqual(self.row.team_id, self.south)

    def test_new_owner_becomes_the_salesperson(self):
        with self._on_day(-5):
            self.row.user_id = self.olga
        self.assertEqual(self.customer.user_id, self.olga)
        self.assertEqual(self.row.team_id, self.south)
        self.assertEqual((self.row.owned_since - TODAY).days, 5)

    def test_nobody_is_mirrored_too(self):
        self.customer.user_id = False
        self.assertFalse(self.row.user_id)
        self.assertFalse(self.row.owned_since)
        self.customer.user_id = self.sara
        self.row.user_id = False
        self.assertFalse(self.customer.user_id)

    def test_customer_without_owner_stays_in_the_pool_of_its_team(self):
        self.row.user_id = False
        self.assertEqual(self.row.team_id, self.north)
        self.assertEqual(self.row.accountable_user_id, self.leader)

    def test_without_team_the_fallback_person_is_accountable(self):
        self.company.coverage_fallback_user_id = self.manager
        self.row.write({"user_id": False, "team_id": False})
        self.assertEqual(self.row.accountable_user_id, self.manager)

    def test_owner_is_accountable(self):
        self.assertEqual(self.row.accountable_user_id, self.sara)

    def test_who_may_not_own_leaves_the_customer_without_owner(self):
        portal = new_test_user(self.env, "cover_portal", groups="base.group_portal")
        for user in (portal, self.stranger):
            self.customer.user_id = self.sara
            self.customer.user_id = user
            self.assertFalse(self.row.user_id, user.login)

    def test_salesperson_of_a_contact_is_not_the_companys(self):
        contact = self._create_customer(parent_id=self.customer.id, is_company=False)
        contact.user_id = self.sam
        self.assertEqual(self.row.user_id, self.sara)

    def test_only_the_oldest_row_is_mirrored(self):
        self._confirm_order(self.customer, 100, company=self.elsewhere)
        other = self._row(self.customer, self.elsewhere)
        self.assertFalse(other.user_id)
        other.user_id = self.stranger
        self.assertEqual(self.customer.user_id, self.sara)
        self.customer.user_id = self.sam
        self.assertEqual(other.user_id, self.stranger)
        self.assertEqual(self.row.user_id, self.sam)

    def test_row_of_the_contacts_own_company_is_mirrored(self):
        customer = self._create_customer()
        self._create_opportunity(customer)
        self._create_opportunity(customer, company_id=self.elsewhere.id)
        customer.company_id = self.elsewhere
        self._row(customer, self.elsewhere).user_id = self.stranger
        self.assertEqual(customer.user_id, self.stranger)

    def test_salesperson_of_a_document_does_not_change_the_owner(self):
        order = self._confirm_order(self.customer, 100, user_id=self.sam.id)
        self.assertEqual(order.user_id, self.sam)
        self.assertEqual(self.row.user_id, self.sara)

    def test_owner_that_changes_is_written_to_the_history(self):
        self.customer.user_id = self.olga
        self.assertIn(
            ("user_id", self.sara.display_name, self.olga.display_name),
            self._history(self.customer),
        )
        self.assertIn(("team_id", "North", "South"), self._history(self.customer))

    def test_same_owner_again_changes_nothing(self):
        with self._on_day(-5):
            self.row.user_id = self.sara
            self.customer.user_id = self.sara
        self.assertEqual(self.row.owned_since, TODAY)
        self.assertFalse(self._history(self.customer))

    # === WHO HAD IT === #

    def _get_owners(self, user=None):
        self.env.flush_all()
        self.env.invalidate_all()
        report = self.env["coverage.ownership.report"].with_user(user or self.manager)
        lines = report.search([("customer_id", "=", self.row.id)], order="date_from")
        return [(line.user_id, line.date_to and line.date_to.date()) for line in lines]

    def test_owner_of_a_customer_that_never_changed_hands(self):
        self.assertEqual(self._get_owners(), [(self.sara, False)])

    def test_owners_one_after_the_other(self):
        nobody = self.env["res.users"]
        with self._on_day(-5):
            self.row._log_owner({"code": "released"}).user_id = False
        with self._on_day(-9):
            self.row.user_id = self.olga
        days = [TODAY + timedelta(days=number) for number in (5, 9)]
        self.assertEqual(
            self._get_owners(),
            [(self.sara, days[0]), (nobody, days[1]), (self.olga, False)],
        )
        lines = self.row.ownership_ids
        self.assertEqual(lines.mapped("user_id"), self.olga + self.sara)
        pool = lines.filtered(lambda one: not one.user_id)
        self.assertEqual((pool.reason_text, pool.days), ("Given up.", 4))

    def test_owners_say_what_the_customer_brought(self):
        self._confirm_order(self.customer, 700, days_ago=3)
        self.row.action_refresh()
        self.row.user_id = self.olga
        self._confirm_order(self.customer, 300)
        self.env.flush_all()
        first, second = self.row.ownership_ids.sorted("id", reverse=True).sorted(
            lambda one: not one.date_to
        )
        self.assertEqual((first.user_id, first.revenue_to), (self.sara, 700))
        self.assertEqual((second.revenue_from, second.revenue_to), (700, 1_000))

    def test_who_sees_the_owners(self):
        for user, is_seen in (
            (self.sara, True),
            (self.sam, False),
            (self.leader, True),
            (self.south_leader, False),
        ):
            with self.subTest(user.login):
                self.assertEqual(bool(self._get_owners(user)), is_seen)
