from datetime import timedelta

from odoo.exceptions import AccessError
from odoo.tests import Form, new_test_user, tagged

from .common import TODAY, CoverageCase


@tagged("post_install", "-at_install")
class TestPin(CoverageCase):
    """Who quotes a customer without owner, or his own, has it for a time."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.until = TODAY + timedelta(days=90)
        cls.customer = cls._create_customer("Mill")

    def _quote(self, user, **values):
        """Return a quotation that somebody marks as sent."""
        order = self._create_quotation(self.customer, 100, **values)
        order.with_user(user).action_quotation_sent()
        return order

    def _get_activities(self):
        return self.env["mail.activity"].search([("summary", "like", "quoted your")])

    def test_sent_quotation_pins_a_customer_without_owner(self):
        order = self._quote(self.sara, user_id=self.sara.id)
        row = self._row(self.customer)
        self.assertEqual((row.user_id, row.team_id), (self.sara, self.north))
        self.assertEqual(row.protected_until, self.until)
        self.assertEqual(self.customer.user_id, self.sara)
        change = row.change_ids.filtered(lambda one: one.field_name == "user_id")
        self.assertEqual(change.reason_text, f"Quotation {order.name} was sent.")

    def test_draft_quotation_pins_nobody(self):
        self._create_quotation(self.customer, 100, user_id=self.sara.id)
        self.assertFalse(self._row(self.customer).user_id)

    def test_seller_without_salesperson_on_the_order_is_pinned(self):
        self._quote(self.sara)
        self.assertEqual(self._row(self.customer).user_id, self.sara)

    def test_quoting_ones_own_customer_protects_it(self):
        self.customer.user_id = self.sara
        row = self._row(self.customer)
        self._quote(self.sara, user_id=self.sara.id)
        self.assertEqual(row.protected_until, self.until)
        row.protected_until = self.until + timedelta(days=9)
        self._quote(self.sara, user_id=self.sara.id)
        self.assertEqual(row.protected_until, self.until + timedelta(days=9))
        self.assertFalse(self._history(self.customer))

    def test_quoting_anothers_customer_tells_both_once(self):
        self.customer.user_id = self.sam
        mails = self.env["mail.mail"].search_count([])
        order = self._quote(self.sara, user_id=self.sara.id)
        order.action_draft()
        order.with_user(self.sara).action_quotation_sent()
        row = self._row(self.customer)
        self.assertEqual((row.user_id, row.protected_until), (self.sam, False))
        activity = self._get_activities()
        self.assertEqual(len(activity), 1)
        self.assertEqual(activity.user_id, self.sam)
        self.assertIn("cover_sara quoted your customer Mill", activity.summary)
        self.assertEqual(self.env["mail.mail"].search_count([]), mails)

    def test_owner_who_may_not_read_the_order_is_told_on_the_customer(self):
        self.customer.user_id = self.sam
        for user, seller, model in (
            (self.sara, self.sara, "res.partner"),
            (self.leader, self.sam, "sale.order"),
        ):
            with self.subTest(model), self._tried():
                self._quote(user, user_id=seller.id)
                self.assertEqual(self._get_activities().res_model, model)

    def test_choosing_anothers_customer_warns_the_seller(self):
        self.customer.user_id = self.sam
        values = {"partner_id": self.customer.id, "company_id": self.company.id}
        order = self.env["sale.order"].with_user(self.sara).new(values)
        warning = order._onchange_partner_coverage()["warning"]
        self.assertIn("cover_sam", warning["title"])
        for user in (self.sam, self.manager):
            order = self.env["sale.order"].with_user(user).new(values)
            self.assertFalse(order._onchange_partner_coverage())

    def test_who_pins_nobody(self):
        portal = new_test_user(self.env, "cover_portal", groups="base.group_portal")
        order = self._create_quotation(self.customer, 100)
        cases = (
            order.with_user(self.manager),
            order.with_user(self.sara).with_context(import_file=True),
            order.with_user(portal).sudo(),
            order,
        )
        for case in cases:
            with self._tried():
                case.write({"state": "sent"})
                self.assertFalse(self._row(self.customer).user_id)
        self.company.coverage_pin_days = 0
        order.with_user(self.sara).write({"state": "sent"})
        self.assertFalse(self._row(self.customer).user_id)

    def test_assistant_pins_for_the_seller_she_serves(self):
        assistant = self.olga
        member = self.north.crm_team_member_ids.filtered(
            lambda one: one.user_id == self.sara
        )
        member.coverage_assistant_id = assistant
        self._quote(assistant.with_env(self.env))
        self.assertEqual(self._row(self.customer).user_id, self.sara)

    def test_who_may_not_own_there_is_not_pinned(self):
        self._quote(self.leader, user_id=self.stranger.id)
        self.assertFalse(self._row(self.customer).user_id)

    def test_plain_writes_of_orders_cost_nothing_more(self):
        order = self._create_quotation(self.customer, 100, user_id=self.sara.id)
        order = order.with_user(self.sara)
        order.client_order_ref = "1"
        self.env.flush_all()
        with self.assertQueryCount(1):
            order.client_order_ref = "2"
            self.env.flush_all()

    # === THE RIGHT OWNER ON DOCUMENTS === #

    def test_quotation_takes_the_owner_of_its_company(self):
        self.customer.user_id = self.sam
        self._confirm_order(self.customer, 100, company=self.elsewhere)
        self._row(self.customer, self.elsewhere).user_id = self.stranger
        for company, owner in (
            (self.company, self.sam),
            (self.elsewhere, self.stranger),
        ):
            order = (
                self.env["sale.order"]
                .with_company(company)
                .create({"partner_id": self.customer.id, "company_id": company.id})
            )
            self.assertEqual(order.user_id, owner)

    def test_persons_own_salesperson_gives_way_to_the_owner(self):
        self.customer.user_id = self.sam
        person = self._create_customer(
            "P", parent_id=self.customer.id, is_company=False, user_id=self.olga.id
        )
        order = self.env["sale.order"].create({"partner_id": person.id})
        self.assertEqual(order.user_id, self.sam)

    def test_form_proposes_the_owner(self):
        self.customer.user_id = self.sam
        form = Form(self.env["sale.order"].with_user(self.leader))
        form.partner_id = self.customer
        self.assertEqual(form.user_id, self.sam)

    def test_seller_of_own_documents_keeps_a_quotation_of_anothers_customer(self):
        self.customer.user_id = self.sam
        with Form(self.env["sale.order"].with_user(self.sara)) as form:
            form.partner_id = self.customer
        order = form.record
        self.assertEqual(order.user_id, self.sara)
        order.action_quotation_sent()
        self.assertEqual(self._row(self.customer).user_id, self.sam)
        self.assertEqual(self._get_activities().user_id, self.sam)

    def test_invoice_takes_the_owner_of_its_company(self):
        self.customer.user_id = self.sam
        person = self._create_customer(
            "P", parent_id=self.customer.id, is_company=False, user_id=self.olga.id
        )
        move = self.env["account.move"].new(
            {
                "move_type": "out_invoice",
                "partner_id": person.id,
                "company_id": self.company.id,
            }
        )
        move._compute_invoice_default_sale_person()
        self.assertEqual(move.invoice_user_id, self.sam)

    def test_owners_of_many_orders_are_looked_up_once(self):
        customers = self._create_buyers(20, 100, user_id=self.sam.id)
        orders = self.env["sale.order"]
        costs = []
        for some in (customers[:2], customers[2:]):
            self.env.flush_all()
            fresh = orders.concat(*(orders.new({"partner_id": one.id}) for one in some))
            fresh.mapped("partner_id.commercial_partner_id")
            fresh.mapped("company_id")
            before = self.env.cr.sql_log_count
            fresh._get_coverage_owners()
            costs.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(costs[1], costs[0])

    def test_sellers_do_not_read_owners_rows_through_it(self):
        self.customer.user_id = self.sam
        with self.assertRaises(AccessError):
            self._row(self.customer).with_user(self.sara).read(["revenue_12m"])
