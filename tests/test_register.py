from datetime import timedelta

from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from ..wizards.coverage_register import normal_name
from .common import NOW, TODAY, CoverageCase, ago


@tagged("post_install", "-at_install")
class TestRegister(CoverageCase):
    """Registering checks who has it, and lasts only as long as somebody works on it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.known = cls._create_customer(
            "Cobalt Software GmbH",
            vat="XX0477472701",
            email="info@cobalt-software.test",
            user_id=cls.sam.id,
        )
        cls.known.phone_sanitized = "+32470123456"
        cls._row(cls.known)

    def _register(self, user=None, **values):
        registers = self.env["coverage.register"].with_user(user or self.sara)
        return registers.create({"name": "Brand New Mill", **values})

    def _lapse(self, days):
        now = NOW + timedelta(days=days)
        return self.env["coverage.customer"]._lapse_registrations(self.company, now)

    def test_names_are_compared_without_legal_forms(self):
        for name, normal in (
            ("Cobalt Software GmbH", "cobalt software"),
            ("The COBALT-Software, Ltd.", "cobalt software"),
            ("ООО «Ромашка»", "ромашка"),
            ("Ромашка ООД", "ромашка"),
            ("Cobalt s.r.o.", "cobalt"),
            ("", ""),
        ):
            self.assertEqual(normal_name(name), normal, name)

    def test_registered_customer_is_mine_and_protected(self):
        form = Form(self.env["coverage.register"].with_user(self.sara))
        form.name = "Brand New Mill"
        form.contact_name = "Ada"
        self.assertEqual(form.verdict, "free")
        action = form.save().action_register()
        row = self.env["coverage.customer"].browse(action["res_id"])
        self.assertEqual((row.user_id, row.team_id), (self.sara, self.north))
        self.assertEqual(row.registered_date, TODAY)
        self.assertEqual(row.protected_until, TODAY + timedelta(days=14))
        self.assertEqual(row.partner_id.child_ids.name, "Ada")
        self.assertEqual(row.partner_id.user_id, self.sara)
        self.assertEqual(row.with_user(self.sara).display_name, "Brand New Mill")

    def test_what_is_the_same_is_found_and_refused(self):
        for values, why in (
            ({"vat": "xx 0477.472.701"}, "Tax ID"),
            ({"phone": "+32 470 12 34 56"}, "phone"),
            ({"email": "boss@cobalt-software.test"}, "domain"),
            ({"website": "https://www.cobalt-software.test/about"}, "domain"),
            ({"name": "COBALT SOFTWARE Ltd."}, "name"),
        ):
            with self.subTest(why):
                register = self._register(**values)
                self.assertEqual(register.verdict, "taken")
                self.assertIn("cover_sam", register.match_html)
                self.assertIn(why, register.match_html)
                with self.assertRaisesRegex(UserError, "cover_sam"):
                    register.action_register()
                with self.assertRaises(UserError):
                    register.action_take()

    def test_what_does_not_tell_companies_apart(self):
        free = self._create_customer("Other", email="a@gmail.com", user_id=self.sam.id)
        self._row(free)
        for values in ({"email": "b@gmail.com"}, {"vat": "BE"}, {"phone": "12"}):
            with self.subTest(values=values):
                self.assertEqual(self._register(**values).verdict, "free")

    def test_similar_name_warns_but_registers(self):
        register = self._register(name="Cobalt Softwares Group")
        self.assertEqual(register.verdict, "similar")
        self.assertIn("Cobalt Software GmbH", register.match_html)
        self.assertTrue(register.action_register()["res_id"])

    def test_customer_without_owner_is_offered_instead(self):
        self._row(self.known).write({"user_id": False, "team_id": self.north.id})
        register = self._register(vat="XX0477472701")
        self.assertEqual(register.verdict, "unowned")
        with self.assertRaisesRegex(UserError, "Take that one"):
            register.action_register()
        register.action_take()
        row = self._row(self.known)
        self.assertEqual((row.user_id, row.registered_date), (self.sara, TODAY))
        with self.assertRaisesRegex(UserError, "cover_sara"):
            self._register(self.sam, vat="XX0477472701").action_take()

    def test_pool_of_another_team_is_not_taken(self):
        self._row(self.known).write({"user_id": False, "team_id": self.south.id})
        register = self._register(vat="XX0477472701")
        with self.assertRaisesRegex(UserError, "cover_south"):
            register.action_take()

    def test_contact_that_nobody_covers_yet_becomes_a_customer(self):
        contact = self._create_customer("Plain Contact", vat="XX1")
        contact.vat = "XX99999"
        register = self._register(vat="XX99999")
        self.assertEqual(register.verdict, "unowned")
        register.action_take()
        self.assertEqual(self._row(contact).user_id, self.sara)

    def test_given_up_customer_is_not_registered_again(self):
        self.known.active = False
        with self.assertRaisesRegex(UserError, "given up"):
            self._register(vat="XX0477472701").action_register()

    def test_own_customer_is_opened(self):
        register = self._register(self.sam, vat="XX0477472701")
        self.assertEqual(register.verdict, "mine")
        action = register.action_open_match()
        self.assertEqual(action["res_id"], self._row(self.known).id)

    def test_customers_of_another_company_do_not_count(self):
        env = self.env(
            user=self.stranger, context={"allowed_company_ids": self.elsewhere.ids}
        )
        register = env["coverage.register"].create(
            {"name": "Mill", "vat": "XX0477472701"}
        )
        self.assertEqual(register.verdict, "unowned")

    def test_match_tells_no_money(self):
        self._confirm_order(self.known, 4_321)
        register = self._register(vat="XX0477472701")
        self.assertNotIn("4,321", register.match_html)
        self.assertNotIn("4321", str(register._find_matches()))

    # === LAPSE === #

    def test_registration_lapses_without_a_contact(self):
        row = self.env["coverage.customer"].browse(
            self._register().action_register()["res_id"]
        )
        mails = self.env["mail.mail"].search_count([])
        self.assertFalse(self._lapse(14))
        self.assertEqual(self._lapse(15), row)
        self.assertFalse(row.user_id)
        self.assertFalse(row.protected_until or row.registered_date)
        self.assertEqual(row.team_id, self.north)
        self.assertFalse(row.partner_id.user_id)
        change = row.change_ids.filtered(lambda one: one.field_name == "user_id")[:1]
        self.assertIn("14 days", change.reason_text)
        self.assertFalse(self._lapse(16))
        self.assertEqual(self.env["mail.mail"].search_count([]), mails)

    def test_what_keeps_a_registration(self):
        for name, keep in (
            ("spoken to", lambda row: row.write({"last_contact_date": TODAY})),
            ("bought", lambda row: self._confirm_order(row.partner_id, 100)),
            (
                "quoted",
                lambda row: (
                    self._create_quotation(row.partner_id, 100, user_id=self.sara.id)
                    .with_user(self.sara)
                    .action_quotation_sent()
                ),
            ),
        ):
            with self.subTest(name), self._tried():
                row = self.env["coverage.customer"].browse(
                    self._register().action_register()["res_id"]
                )
                keep(row)
                self.assertFalse(self._lapse(30))
                self.assertEqual(row.user_id, self.sara)

    def test_attempt_does_not_keep_a_registration(self):
        row = self.env["coverage.customer"].browse(
            self._register().action_register()["res_id"]
        )
        self._log_touch(row.partner_id, is_two_way=False)
        self.assertEqual(self._lapse(15), row)

    def test_seller_is_warned_before(self):
        row = self.env["coverage.customer"].browse(
            self._register().action_register()["res_id"]
        )
        day = self.env["coverage.day"].with_user(self.sara)
        self.assertEqual(row.lapse_date, TODAY + timedelta(days=14))
        self.assertFalse(day._get_decisions())
        with self._on_day(-11):
            (told,) = day._get_decisions()
            self.assertEqual((told["code"], told["count"]), ("lapsing", 1))
            action = day.action_open_decisions("lapsing")
            found = self.env["coverage.customer"].search(action["domain"])
            self.assertEqual(found, row)
        row.last_contact_date = TODAY
        self.assertFalse(row.lapse_date)

    def test_new_owner_has_no_registration(self):
        row = self.env["coverage.customer"].browse(
            self._register().action_register()["res_id"]
        )
        row.user_id = self.sam
        self.assertFalse(row.registered_date or row.protected_until)

    def test_lapsing_costs_the_same_for_one_and_for_many(self):
        customers = self._create_buyers(24, 0, user_id=self.sara.id)
        rows = self.env["coverage.customer"].search(
            [("partner_id", "in", customers.ids)]
        )
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE coverage_customer SET last_order_date = NULL WHERE id IN %s",
            [tuple(rows.ids)],
        )
        self.env.invalidate_all()
        costs = []
        for some in (rows[:4], rows[4:]):
            some.registered_date = ago(20)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.assertEqual(len(self._lapse(0)), len(some))
            costs.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(costs[1], costs[0] + 2)
