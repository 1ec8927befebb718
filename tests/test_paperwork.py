from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import tagged, users

from .common import NOW, CoverageCase

TYPE = "crm_sales_coverage.activity_type_paperwork"
WORK = "coverage.work.report"


class PaperworkCase(CoverageCase):
    """Sam is Sara's assistant; Olga in the South has none."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.assistant = cls.env.ref("crm_sales_coverage.role_assistant")
        cls.farmer = cls.env.ref("crm_sales_coverage.role_farmer")
        cls.kind = cls.env.ref(TYPE)
        cls.saras = cls._member(cls.sara)
        cls.sams = cls._member(cls.sam)
        cls.saras.coverage_assistant_id = cls.sam
        cls.customer = cls._create_customer("Buyer")
        cls.env.cr.flush()

    @classmethod
    def _member(cls, user):
        return cls.env["crm.team.member"].search([("user_id", "=", user.id)])

    @classmethod
    def _sell(cls, user=None, team=None, **values):
        """Return an order that this seller's customer confirmed, and commit."""
        order = cls._confirm_order(
            cls.customer,
            100,
            user_id=(user or cls.sara).id,
            team_id=(team or cls.north).id,
            **values,
        )
        cls._commit()
        return order

    @classmethod
    def _commit(cls):
        """Let happen what happens before the commit."""
        cls.env.cr.flush()
        cls.env.invalidate_all()

    def _given(self, record, active_test=True):
        return (
            self.env["mail.activity"]
            .with_context(active_test=active_test)
            .search(
                [
                    ("res_model", "=", record._name),
                    ("res_id", "=", record.id),
                    ("activity_type_id", "=", self.kind.id),
                ]
            )
        )


@tagged("post_install", "-at_install")
class TestPaperwork(PaperworkCase):
    """A confirmed quotation gives the seller's assistant the paperwork, once."""

    def test_confirmed_order_gives_the_assistant_the_paperwork(self):
        order = self._sell()
        activity = self._given(order)
        self.assertEqual(activity.user_id, self.sam)
        self.assertEqual(activity.summary, "Order, invoice, shipping")
        self.assertEqual(activity.date_deadline, NOW.date())

    def test_nobody_is_mailed_and_nobody_follows(self):
        mails = self.env["mail.mail"].search([])
        notes = self.env["mail.notification"].search([])
        order = self._sell()
        self.assertTrue(self._given(order))
        self.assertEqual(self.env["mail.mail"].search([]), mails)
        self.assertEqual(self.env["mail.notification"].search([]), notes)
        self.assertNotIn(self.sam.partner_id, order.message_partner_ids)

    def test_order_confirmed_again_has_one_paperwork(self):
        order = self._sell()
        order._action_cancel()
        self._commit()
        self.assertFalse(self._given(order), "Cancelled: nothing to do.")
        order.action_draft()
        order.action_confirm()
        order.action_lock()
        self._commit()
        self.assertEqual(len(self._given(order)), 1)

    def test_who_has_no_assistant_gives_nobody_paperwork(self):
        self.assertFalse(self._given(self._sell(self.olga, self.south)))
        self.sam.active = False
        self.assertFalse(self._given(self._sell()))

    def test_order_without_seller_gives_nobody_paperwork(self):
        order = self._confirm_order(self.customer, 100)
        self._commit()
        self.assertFalse(self._given(order))

    def test_assistant_who_confirms_has_the_rest_to_do(self):
        order = self._create_quotation(
            self.customer, 100, user_id=self.sara.id, team_id=self.north.id
        )
        order.with_user(self.sam).action_confirm()
        self._commit()
        self.assertEqual(self._given(order).user_id, self.sam)

    def test_customer_who_confirms_online_gives_paperwork_too(self):
        order = self._create_quotation(
            self.customer, 100, user_id=self.sara.id, team_id=self.north.id
        )
        public = self.env.ref("base.public_user")
        order.with_user(public).sudo().action_confirm()
        self._commit()
        self.assertEqual(self._given(order).user_id, self.sam)

    def test_imported_orders_give_no_paperwork(self):
        order = self._create_quotation(self.customer, 100, user_id=self.sara.id)
        order.with_context(coverage_skip_refresh=True).action_confirm()
        self._commit()
        self.assertFalse(self._given(order))

    def test_in_several_teams_the_orders_team_counts(self):
        self.env["ir.config_parameter"].set_param("sales_team.membership_multi", True)
        self.env["crm.team.member"].create(
            {
                "crm_team_id": self.south.id,
                "user_id": self.sara.id,
                "coverage_assistant_id": self.olga.id,
            }
        )
        self.assertEqual(self._given(self._sell()).user_id, self.sam)
        self.assertEqual(self._given(self._sell(team=self.south)).user_id, self.olga)
        east = self._create_team("East", self.leader, self.env["res.users"])
        self.assertFalse(self._given(self._sell(team=east)))

    def test_assistant_of_another_company_gets_nothing(self):
        self.saras.coverage_assistant_id = self.stranger
        self.assertFalse(self._given(self._sell()))

    def test_lead_that_enters_a_stage_of_paperwork(self):
        stage = self.env["crm.stage"].create(
            {"name": "Contract", "coverage_role_id": self.assistant.id}
        )
        lead = self._create_opportunity(
            self.customer, user_id=self.sara.id, team_id=self.north.id
        )
        self._commit()
        self.assertFalse(self._given(lead))
        for _twice in range(2):
            lead.stage_id = stage
            self._commit()
        self.assertEqual(self._given(lead).user_id, self.sam)
        self.assertEqual(self._given(lead).summary, "Contract")

    def test_assistant_opens_the_opportunities_of_those_assisted(self):
        leads = self.env["crm.lead"]
        for user in (self.sara, self.olga):
            leads |= self._create_opportunity(self.customer, user_id=user.id)
        found = leads.with_user(self.sam).search([("id", "in", leads.ids)])
        self.assertEqual(found.user_id, self.sara)
        self.saras.active = False
        found = leads.with_user(self.sam).search([("id", "in", leads.ids)])
        self.assertFalse(found)

    def test_assistant_opens_the_orders_of_those_assisted(self):
        order = self._sell()
        foreign = self._sell(self.olga, self.south)
        orders = self.env["sale.order"].with_user(self.sam)
        found = orders.search([("id", "in", (order | foreign).ids)])
        self.assertEqual(found, order)
        found.client_order_ref = "4711"
        found.order_line.name = "Delivered"
        with self.assertRaises(AccessError):
            orders.browse(foreign.id).read(["name"])
        self.saras.coverage_assistant_id = False
        with self.assertRaises(AccessError):
            orders.browse(order.id).read(["name"])

    def test_many_orders_cost_as_few_queries_as_one(self):
        counts = []
        for number in (2, 2, 20):
            orders = self.env["sale.order"]
            for _number in range(number):
                orders |= self._create_quotation(
                    self.customer, 100, user_id=self.sara.id, team_id=self.north.id
                )
            orders.write({"state": "sale"})
            self._commit()
            before = self.env.cr.sql_log_count
            self.env["coverage.paperwork"]._queue(orders)
            self.env["coverage.paperwork"]._flush_queue()
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[2], counts[1] + 1)

    def test_without_assistant_one_query_is_all(self):
        order = self._sell(self.olga, self.south)
        self.env["coverage.paperwork"]._queue(order)
        with self.assertQueryCount(1):
            self.env["coverage.paperwork"]._flush_queue()


@tagged("post_install", "-at_install")
class TestWorkReport(PaperworkCase):
    """Whose duty the work was that people did."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with cls._on_day(100):
            cls.sams.coverage_role_ids = cls.assistant
            cls.saras.coverage_role_ids = cls.farmer
        cls.buyer = cls._create_buyer(user_id=cls.sara.id)
        cls.row = cls._row(cls.buyer)
        cls.env.cr.flush()
        cls.env["coverage.touch"].search([]).unlink()
        cls.row.role_id = cls.farmer

    def _duties(self, user=None, **domain):
        self.env.flush_all()
        self.env.invalidate_all()
        report = self.env[WORK].with_user(user or self.manager)
        rows = report.search([(name, "=", one) for name, one in domain.items()])
        return {(one.user_id, one.duty) for one in rows}

    def test_contacts_are_the_duty_of_the_role_that_the_rules_name(self):
        self._log_touch(self.buyer, self.sara, 10)
        self._log_touch(self.buyer, self.olga, 9)
        self._log_touch(self.buyer, self.sara, 200)
        self.assertEqual(
            self._duties(kind="contact"),
            {(self.sara, "own"), (self.olga, "other"), (self.sara, "nobody")},
        )

    def test_paperwork_done_by_sellers_is_the_assistants_duty(self):
        for user in (self.sam, self.sara):
            order = self._sell()
            self._given(order).with_user(user).action_done()
        self._commit()
        self.assertEqual(
            self._duties(kind="paperwork"), {(self.sam, "own"), (self.sara, "other")}
        )
        line = self.env[WORK].search([("kind", "=", "paperwork")], limit=1)
        self.assertEqual(line.action_open_document()["res_model"], "sale.order")

    def test_share_is_of_what_was_somebodys_duty(self):
        self._log_touch(self.buyer, self.sara, 10)
        self._log_touch(self.buyer, self.olga, 9)
        self._log_touch(self.buyer, self.olga, 200)
        self.env.flush_all()
        count, own, other, rate = self.env[WORK]._read_group(
            [("kind", "=", "contact")],
            [],
            ["work_count:sum", "own_count:sum", "other_count:sum", "other_rate:avg"],
        )[0]
        self.assertEqual((count, own, other, rate), (3, 1, 1, 0.5))

    def test_role_counts_as_held_on_the_day(self):
        self._log_touch(self.buyer, self.sara, 10)
        with self._on_day(5):
            self.saras.coverage_role_ids = False
            self.sams.coverage_role_ids = self.assistant | self.farmer
        self._log_touch(self.buyer, self.sara, 2)
        self.assertEqual(
            self._duties(kind="contact"), {(self.sara, "own"), (self.sara, "other")}
        )

    def test_who_sees_whose_work(self):
        self._log_touch(self.buyer, self.sara, 10)
        self._log_touch(self.buyer, self.olga, 9, team_id=self.south.id)
        self.env["coverage.touch"].search([("user_id", "=", self.sara.id)]).write(
            {"team_id": self.north.id}
        )
        for user, people in (
            (self.sara, self.sara),
            (self.sam, self.env["res.users"]),
            (self.leader, self.sara),
            (self.south_leader, self.olga),
            (self.manager, self.sara | self.olga),
        ):
            with self.subTest(user=user.login):
                rows = self.env[WORK].with_user(user).search([])
                self.assertEqual(rows.sudo().user_id, people)

    def test_nothing_of_another_company(self):
        self._log_touch(self.buyer, self.sara, 10)
        stranger = self.env[WORK].with_user(self.stranger)
        stranger = stranger.with_context(allowed_company_ids=self.elsewhere.ids)
        self.assertFalse(stranger.search([]))

    @users("cover_clerk")
    def test_who_does_not_sell_reads_nothing(self):
        with self.assertRaises(AccessError):
            self.env[WORK].search([])

    def test_paperwork_of_portal_users_counts_for_nobody(self):
        order = self._sell()
        portal = self.env["res.users"].create(
            {
                "name": "Portal",
                "login": "cover_portal",
                "group_ids": [Command.set([self.env.ref("base.group_portal").id])],
            }
        )
        order.message_post(
            body="Done",
            author_id=portal.partner_id.id,
            mail_activity_type_id=self.kind.id,
            subtype_xmlid="mail.mt_activities",
        )
        self.assertFalse(self._duties(kind="paperwork"))

    def test_month_and_person(self):
        self._log_touch(self.buyer, self.sara, 1)
        self._log_touch(self.buyer, self.sara, 40)
        self.env.flush_all()
        groups = self.env[WORK]._read_group(
            [("kind", "=", "contact")], ["user_id", "date:month"], ["work_count:sum"]
        )
        self.assertEqual(
            [(user, count) for user, _month, count in groups],
            [(self.sara, 1), (self.sara, 1)],
        )
        self.assertNotEqual(groups[0][1], groups[1][1])
