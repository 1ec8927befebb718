from unittest.mock import patch

from odoo.exceptions import ValidationError
from odoo.tests import tagged

from .common import NOW, TODAY
from .test_handoff import HandoffCase


@tagged("post_install", "-at_install")
class TestCarry(HandoffCase):
    """What belongs to a customer follows its owner, silently, and comes back."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.contact = cls._create_customer(
            name="Ann", parent_id=cls.customer.id, is_company=False, user_id=cls.sara.id
        )
        cls.lead = cls._create_opportunity(cls.customer, user_id=cls.sara.id)
        cls.foreign = cls._create_opportunity(cls.customer, user_id=cls.olga.id)
        cls.won = cls._create_opportunity(cls.customer, user_id=cls.sara.id)
        cls.won.action_set_won()
        cls.quotation = cls._create_quotation(cls.customer, 10, user_id=cls.sara.id)
        cls.order = cls._confirm_order(cls.customer, 10, user_id=cls.sara.id)
        cls.abroad = cls._create_quotation(cls.customer, 10, company=cls.elsewhere)
        cls.abroad.user_id = cls.sara
        cls.todo = cls._plan_activity(cls.customer, cls.sara)
        cls.other_todo = cls._plan_activity(cls.lead, cls.olga)

    @classmethod
    def _plan_activity(cls, record, user):
        return (
            cls.env["mail.activity"]
            .with_context(mail_activity_quick_update=True)
            .create(
                {
                    "res_model_id": cls.env["ir.model"]._get_id(record._name),
                    "res_id": record.id,
                    "user_id": user.id,
                    "summary": "Promise",
                    "date_deadline": TODAY,
                }
            )
        )

    def _owners(self):
        records = (
            self.row,
            self.customer,
            self.contact,
            self.lead,
            self.quotation,
            self.todo,
        )
        self.env.invalidate_all()
        return {record.user_id for record in records}

    def _followers(self, record):
        return record.sudo().message_partner_ids

    # === WHAT FOLLOWS === #

    def test_contacts_and_open_documents_of_the_giver_follow(self):
        before = self._count_mails()
        self._accept()
        self.assertEqual(self._owners(), {self.sam})
        self.assertEqual(self._count_mails(), before)

    def test_what_is_of_others_or_done_stays(self):
        self._accept()
        self.assertEqual(self.foreign.user_id, self.olga)
        self.assertEqual(self.other_todo.user_id, self.olga)
        self.assertEqual((self.won | self.lead).mapped("user_id"), self.sara | self.sam)
        self.assertEqual(self.order.user_id, self.sara)
        self.assertEqual(self.abroad.user_id, self.sara)

    def test_every_way_to_change_the_owner_carries(self):
        run = self.env["coverage.run"].create({"company_id": self.company.id})
        ways = {
            "contact": lambda: self.customer.write({"user_id": self.sam.id}),
            "row": lambda: self.row.write({"user_id": self.sam.id}),
            "import": lambda: self.row._load_records_write({"user_id": self.sam.id}),
            "run": lambda: self.row.with_context(
                coverage_log={"run_id": run.id, "origin": "run"}
            ).write({"user_id": self.sam.id}),
            "leader": lambda: (
                self._hand_over(user=self.leader)
                .with_user(self.leader)
                .action_transfer()
            ),
        }
        for way, change in ways.items():
            with self.subTest(way=way), self._tried():
                before = self._count_mails()
                change()
                self.assertEqual(self._owners(), {self.sam})
                self.assertEqual(self._count_mails(), before)

    def test_pool_takes_documents_and_the_leader_the_promises(self):
        self.row.user_id = False
        self.env.invalidate_all()
        self.assertFalse(
            self.lead.user_id | self.quotation.user_id | self.contact.user_id
        )
        self.assertEqual(self.todo.user_id, self.leader)

    def test_followers_follow(self):
        for record in (self.customer, self.lead, self.quotation):
            record.message_subscribe(self.sara.partner_id.ids)
        self._accept(watch_deal_count=0)
        for record in (self.customer, self.lead, self.quotation):
            with self.subTest(record=record):
                found = self._followers(record)
                self.assertIn(self.sam.partner_id, found)
                self.assertNotIn(self.sara.partner_id, found)

    def test_giver_who_watches_goes_on_following(self):
        self.customer.message_subscribe(self.sara.partner_id.ids)
        self._accept()
        self.assertIn(self.sara.partner_id, self._followers(self.customer))

    def test_all_or_nothing(self):
        def refuse(records, vals):
            raise ValidationError(self.env._("Not with me"))

        handoff = self._offer()
        orders = type(self.env["sale.order"])
        with (
            patch.object(orders, "write", refuse),
            self.assertRaises(ValidationError),
            self.env.cr.savepoint(),
        ):
            handoff.with_user(self.sam).action_accept()
        self.assertEqual(self._owners(), {self.sara})
        self.assertEqual(handoff.sudo().state, "offered")

    # === WHAT IS SAID OF IT === #

    def test_chatter_says_it_in_one_line(self):
        before = self.customer.message_ids | self.lead.message_ids
        self._accept()
        self.env.invalidate_all()
        new = (self.customer.message_ids | self.lead.message_ids) - before
        self.assertEqual(len(new), 1)
        body = str(new.body)
        for word in (self.sara.name, self.sam.name, "Handed over: Regular now"):
            self.assertIn(word, body)

    def test_chatter_of_each_document_tells_it_as_odoo_does(self):
        before = self.customer.message_ids | self.lead.message_ids
        self.env.flush_all()
        self.env.cr.flush()
        handoff = self._offer()
        handoff.with_user(self.sam).with_context(tracking_disable=False).action_accept()
        self.env.cr.flush()
        self.env.invalidate_all()
        new = (self.customer.message_ids | self.lead.message_ids) - before
        self.assertEqual(
            set(new.mapped("model")), {"res.partner", "crm.lead"}, new.mapped("body")
        )
        self.assertEqual(len(new), 2)
        tracked = new.sudo().tracking_value_ids
        tracked = tracked.filtered(lambda one: one.field_id.name == "user_id")
        self.assertEqual(
            (tracked.old_value_char, tracked.new_value_char, tracked.mail_message_id),
            ("cover_sara", "cover_sam", new.filtered(lambda m: m.model == "crm.lead")),
        )

    def test_many_documents_cost_no_more_queries(self):
        counts = []
        for number in (5, 40):
            for index in range(number):
                self._create_opportunity(
                    self.customer, name=f"Deal {index}", user_id=self.sara.id
                )
            handoff = self._offer()
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            handoff.with_user(self.sam).with_context(
                tracking_disable=False
            ).action_accept()
            self.env.cr.flush()
            counts.append(self.env.cr.sql_log_count - before)
            self.row.user_id = self.sara
        self.assertLessEqual(counts[1], counts[0] + 5, counts)

    def test_history_names_each_document_once(self):
        self._accept()
        changes = self.row.change_ids.filtered(
            lambda one: one.field_name == "user_id" and one.model != "coverage.customer"
        )
        self.assertEqual(
            set(changes.mapped("model")),
            {"res.partner", "crm.lead", "sale.order", "mail.activity"},
        )
        self.assertEqual(len(changes), 4)
        for change in changes:
            self.assertIn("followed", change.reason_text)
            self.assertTrue(change.field_label)

    # === AND BACK === #

    def _reassign_by_run(self):
        run = self.env["coverage.run"].create({"company_id": self.company.id})
        self.row.with_context(
            coverage_log={"run_id": run.id, "origin": "run"}
        ).user_id = self.sam
        self.env.invalidate_all()
        return run

    def _undo(self, run):
        before = self._count_mails()
        changes = self.env["coverage.change"].search([("run_id", "=", run.id)])
        self.env["coverage.restore"]._restore(run, changes, NOW)
        self.assertEqual(self._count_mails(), before)
        self.env.invalidate_all()
        return changes

    def test_undone_run_gives_documents_back(self):
        mine = self._create_opportunity(self.customer, user_id=self.sam.id)
        run = self._reassign_by_run()
        changes = self._undo(run)
        self.assertEqual(self._owners(), {self.sara})
        self.assertEqual(mine.user_id, self.sam)
        self.assertEqual(set(changes.mapped("state")), {"undone"})

    def test_what_changed_since_is_kept_and_listed(self):
        run = self._reassign_by_run()
        self.lead.user_id = self.olga
        self.quotation.action_confirm()
        self.todo.unlink()
        changes = self._undo(run)
        kept = changes.filtered(lambda one: one.state == "kept")
        self.assertEqual(
            set(kept.mapped("model")), {"crm.lead", "sale.order", "mail.activity"}
        )
        self.assertEqual(self.lead.user_id, self.olga)
        self.assertEqual(self.quotation.user_id, self.sam)
        self.assertEqual(self.row.user_id, self.sara)

    # === COST === #

    def test_fifty_documents_cost_no_more_queries_than_ten(self):
        counts = []
        for number in (10, 50):
            customer = self._create_customer(name="Busy", user_id=self.sara.id)
            self.env["crm.lead"].create(
                [
                    {
                        "name": f"Lead {n}",
                        "type": "opportunity",
                        "partner_id": customer.id,
                        "company_id": self.company.id,
                        "user_id": self.sara.id,
                    }
                    for n in range(number)
                ]
            )
            handoff = self._offer(row=self._row(customer))
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            handoff.with_user(self.sam).action_accept()
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[1], counts[0] + 5, counts)
