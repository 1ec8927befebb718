from odoo.exceptions import AccessError, RedirectWarning, UserError
from odoo.tests import Form, tagged

from .common import NOW, CoverageCase


@tagged("post_install", "-at_install")
class TestGuard(CoverageCase):
    """Who may change owners and drop customers, and what the others are told."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mine = cls._create_customer("Mine", user_id=cls.sara.id)
        cls.theirs = cls._create_customer("Theirs", user_id=cls.sam.id)
        cls.free = cls._create_customer("Free")
        cls._create_quotation(cls.free, 100)
        cls._row(cls.free).team_id = cls.north
        cls.reason = cls.env["crm.lost.reason"].create({"name": "No budget"})

    def _give(self, customer, user, receiver):
        customer.with_user(user).user_id = receiver

    def _ask_of(self, warning):
        """Return the dialog that a warning leads to."""
        _message, action, _button, _context = warning.exception.args
        return self.env[action["res_model"]].with_context(**action["context"])

    # === OWNERS === #

    def test_who_may_give_whose_customer_to_whom(self):
        allowed, offered, refused = None, RedirectWarning, UserError
        for user, customer, receiver, error in (
            (self.sara, self.mine, self.sam, offered),
            (self.sara, self.theirs, self.sara, refused),
            (self.sara, self.theirs, self.olga, refused),
            (self.sara, self.free, self.sara, offered),
            (self.sara, self.free, self.sam, refused),
            (self.olga, self.free, self.olga, refused),
            (self.leader, self.mine, self.sam, allowed),
            (self.south_leader, self.mine, self.olga, refused),
            (self.south_leader, self.free, self.south_leader, refused),
            (self.manager, self.mine, self.olga, allowed),
            (self.clerk, self.mine, self.sam, refused),
        ):
            with (
                self.subTest(user.login, customer=customer.name, to=receiver.login),
                self._tried(),
            ):
                if not error:
                    self._give(customer, user, receiver)
                    self.assertEqual(self._row(customer).user_id, receiver)
                    continue
                with self.assertRaises(error):
                    self._give(customer, user, receiver)

    def test_without_guard_sellers_give_their_own_away(self):
        self.company.coverage_guard_owner = False
        self._give(self.mine, self.sara, self.olga)
        self.assertEqual(self._row(self.mine).user_id, self.olga)
        with self.assertRaises(UserError):
            self._give(self.theirs, self.sara, self.sara)
        self._give(self.theirs, self.south_leader, self.olga)

    def test_refusal_says_whom_to_ask(self):
        with self.assertRaisesRegex(UserError, "cover_sam.* or cover_leader"):
            self._give(self.theirs, self.sara, self.sara)

    def test_seller_is_led_to_the_handoff(self):
        with self.assertRaises(RedirectWarning) as warning:
            self._give(self.mine, self.sara, self.sam)
        _message, action, _button, _context = warning.exception.args
        self.assertEqual(action["res_model"], "coverage.offer")
        offer = self.env["coverage.offer"].with_context(**action["context"])
        offer = Form(offer.with_user(self.sara))
        self.assertEqual(offer.customer_ids[:], self._row(self.mine))
        self.assertEqual(offer.to_user_id, self.sam)

    def test_contact_form_refuses_too(self):
        form = Form(self.theirs.with_user(self.sara))
        form.user_id = self.sara
        with self.assertRaises(UserError):
            form.save()
        self.env.invalidate_all()
        self.assertEqual(self.theirs.user_id, self.sam)

    def test_import_refuses_and_says_so(self):
        partners = self.env["res.partner"].with_user(self.sara)
        result = partners.with_context(import_file=True).load(
            [".id", "user_id/.id"],
            [
                [str(self.theirs.id), str(self.sara.id)],
                [str(self.mine.id), str(self.sam.id)],
            ],
        )
        self.assertFalse(result["ids"])
        text = " ".join(message["message"] for message in result["messages"])
        self.assertIn("cover_sam", text)
        self.env.invalidate_all()
        self.assertEqual(self._row(self.mine).user_id, self.sara)

    def test_mass_edit_changes_none_when_one_is_refused(self):
        with self.assertRaises(UserError):
            self._give(self.theirs + self.free + self.mine, self.sara, self.olga)
        self.env.invalidate_all()
        self.assertEqual(self._row(self.mine).user_id, self.sara)

    def test_no_context_key_opens_the_guard(self):
        keys = {
            "coverage_skip_guard": True,
            "coverage_from_customer": True,
            "coverage_from_partner": True,
        }
        with self.assertRaises(UserError):
            self.theirs.with_user(self.sara).with_context(**keys).user_id = self.sara

    def test_rows_are_written_by_managers_only(self):
        row = self._row(self.mine)
        for user in (self.sara, self.leader):
            with self.subTest(user.login), self.assertRaises(AccessError):
                row.with_user(user).user_id = self.sam
        row.with_user(self.manager).user_id = self.sam
        self.assertEqual(self.mine.user_id, self.sam)

    def test_claim_is_in_the_history(self):
        self.company.coverage_guard_pool = False
        self._give(self.free, self.sara, self.sara)
        change = self._row(self.free).change_ids.filtered(
            lambda one: one.field_name == "user_id"
        )
        self.assertEqual(change.reason["code"], "claimed")
        self.assertIn("no owner", change.reason_text)

    def test_caller_does_not_date_a_claim(self):
        self.company.coverage_guard_pool = False
        log = {"origin": "job", "date": "2001-01-01 00:00:00"}
        self.free.with_user(self.sara).with_context(
            coverage_log=log, coverage_skip_carry=True
        ).user_id = self.sara
        change = self._row(self.free).change_ids.filtered(
            lambda one: one.field_name == "user_id"
        )
        self.assertEqual((change.origin, change.date), ("hand", NOW))

    def test_other_salesperson_of_a_person_is_free(self):
        person = self._create_customer("P", parent_id=self.theirs.id, is_company=False)
        person.with_user(self.sara).user_id = self.sara
        self.assertEqual(self._row(self.theirs).user_id, self.sam)

    def test_guard_costs_the_same_for_one_and_for_many(self):
        customers = self._create_buyers(30, 100, user_id=self.sara.id)
        costs = []
        for some in (customers[:3], customers[3:]):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.env["coverage.guard"].with_user(self.leader)._check_owner(
                some, self.sam.id
            )
            costs.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(costs[1], costs[0])

    # === DROPS === #

    def _get_open(self):
        return self.env["coverage.request"].search(
            [("state", "=", "open"), ("company_id", "=", self.company.id)]
        )

    def test_seller_who_archives_asks_and_the_leader_grants(self):
        with self.assertRaises(RedirectWarning) as warning:
            self.mine.with_user(self.sara).action_archive()
        asking = Form(self._ask_of(warning).with_user(self.sara))
        asking.reason = "Closed down"
        asking.save().action_ask()
        self.assertTrue(self.mine.active)
        request = self._get_open()
        self.assertEqual((request.kind, request.user_id), ("archive", self.sara))
        self.assertIn("Closed down", self._row(self.mine).request_text)
        request.with_user(self.leader).action_grant()
        self.assertFalse(self.mine.active)
        self.assertFalse(self._row(self.mine).active)
        self.assertEqual(request.decided_user_id, self.leader)

    def test_who_archives_at_once(self):
        for user in (self.leader, self.manager, self.clerk):
            with self.subTest(user.login), self._tried():
                self.mine.with_user(user).action_archive()
                self.assertFalse(self.mine.active)
        self.company.coverage_guard_drop = False
        self.mine.with_user(self.sara).action_archive()
        self.assertFalse(self.mine.active)

    def test_leader_of_another_team_asks_too(self):
        with self.assertRaises(RedirectWarning):
            self.mine.with_user(self.south_leader).action_archive()

    def test_seller_who_gives_up_asks_and_the_leader_grants(self):
        with self.assertRaises(RedirectWarning) as warning:
            self._give(self.mine, self.sara, False)
        dialog = self._ask_of(warning).with_user(self.sara)
        dialog.create({"reason": "No time"}).action_ask()
        self.assertEqual(self._row(self.mine).user_id, self.sara)
        self._get_open().with_user(self.leader).action_grant()
        self.assertFalse(self._row(self.mine).user_id)
        self.assertFalse(self.mine.user_id)

    def test_granted_release_does_not_touch_a_new_owner(self):
        row = self._row(self.mine)
        requests = self.env["coverage.request"].with_user(self.sara)
        request = requests._ask("release", {row: row}, "No time")
        row.user_id = self.sam
        request.with_user(self.leader).action_grant()
        self.assertEqual(row.user_id, self.sam)

    def test_button_gives_up(self):
        row = self._row(self.mine)
        action = row.with_user(self.sara).action_give_up()
        self.assertEqual(action["res_model"], "coverage.ask")
        with self.assertRaises(AccessError):
            row.with_user(self.sam).action_give_up()
        row.with_user(self.leader).action_give_up()
        self.assertFalse(row.user_id)

    def _lose(self, lead, user=None, **values):
        wizard = self.env["crm.lead.lost"].with_user(user or self.sara)
        vals = {"lead_ids": lead.ids, "lost_reason_id": self.reason.id, **values}
        return wizard.create(vals).action_lost_reason_apply()

    def test_last_lead_of_a_prospect_becomes_a_request(self):
        lead = self._create_opportunity(self.mine, user_id=self.sara.id)
        action = self._lose(lead, lost_feedback="<p>They <b>moved</b></p>")
        self.assertEqual(action["tag"], "display_notification")
        self.assertEqual(lead.won_status, "pending")
        request = self._get_open()
        self.assertEqual(request.lead_id, lead)
        self.assertIn("No budget: They", request.reason)
        seen = lead.with_user(self.sara)
        self.assertTrue(seen.is_requested)
        self.assertIn("No budget: They", seen.request_text)
        with self.assertRaises(AccessError):
            seen.action_grant_request()
        lead.with_user(self.leader).action_grant_request()
        self.assertEqual(lead.won_status, "lost")
        self.assertEqual(lead.lost_reason_id, self.reason)

    def test_declined_lead_stays_open(self):
        lead = self._create_opportunity(self.mine, user_id=self.sara.id)
        self._lose(lead)
        request = self._get_open().with_user(self.leader)
        request.action_decline("Call them again")
        self.assertEqual((lead.won_status, request.state), ("pending", "declined"))
        self.assertIn("Call them again", self._row(self.mine).request_text)
        self.assertIn("Call them again", lead.with_user(self.sara).request_text)
        self.assertFalse(lead.is_requested)
        with self.assertRaisesRegex(UserError, "already"):
            request.action_grant()

    def test_lead_without_any_reason_is_not_asked(self):
        lead = self._create_opportunity(self.mine, user_id=self.sara.id)
        with self.assertRaisesRegex(UserError, "lost reason"):
            self._lose(lead, lost_reason_id=False)

    def test_leads_that_a_seller_closes_alone(self):
        other = {"user_id": self.sara.id}
        for name, customer in (
            ("bought", self._create_buyer(name="Bought", user_id=self.sara.id)),
            ("owned by another", self.theirs),
            ("no customer", self.env["res.partner"]),
        ):
            with self.subTest(name), self._tried():
                lead = self._create_opportunity(customer, **other)
                self._lose(lead)
                self.assertEqual(lead.won_status, "lost")
        with self.subTest("another lead is open"):
            first, last = (
                self._create_opportunity(self.mine, **other) for _ in range(2)
            )
            self._lose(first)
            self.assertEqual(first.won_status, "lost")
            self._lose(last)
            self.assertEqual(last.won_status, "pending")

    def test_several_leads_some_of_which_are_last(self):
        bought = self._create_buyer(name="Bought", user_id=self.sara.id)
        last, other = (
            self._create_opportunity(one, user_id=self.sara.id)
            for one in (self.mine, bought)
        )
        self._lose(last + other)
        self.assertEqual((last.won_status, other.won_status), ("pending", "lost"))
        self.assertEqual(self._get_open().lead_id, last)

    def test_remote_call_that_loses_or_archives_a_lead_is_refused(self):
        lead = self._create_opportunity(self.mine, user_id=self.sara.id)
        mine = lead.with_user(self.sara)
        for call in (
            mine.action_set_lost,
            mine.action_archive,
            lambda: mine.write({"active": False, "probability": 0}),
        ):
            with self.assertRaises(RedirectWarning):
                call()
        lead.with_user(self.leader).action_set_lost()
        self.assertEqual(lead.won_status, "lost")

    # === REQUESTS === #

    def test_asking_twice_is_one_request(self):
        row = self._row(self.mine)
        requests = self.env["coverage.request"].with_user(self.sara)
        first = requests._ask("archive", {row: row}, "Closed down")
        again = requests._ask("archive", {row: row}, "Nobody there")
        self.assertEqual(first, again)
        self.assertEqual(first.reason, "Closed down; Nobody there")
        requests._ask("archive", {row: row}, "Nobody there")
        self.assertEqual(first.reason, "Closed down; Nobody there")

    def test_only_the_teams_leader_and_managers_decide(self):
        row = self._row(self.mine)
        request = (
            self.env["coverage.request"]
            .with_user(self.sara)
            ._ask("release", {row: row}, "No time")
        )
        for user in (self.sara, self.sam, self.south_leader):
            for name in ("action_grant", "action_decline"):
                with self.subTest(user.login), self.assertRaises(AccessError):
                    getattr(request.with_user(user), name)()
        request.with_user(self.manager).action_grant()
        self.assertFalse(row.user_id)

    def test_remote_request_keeps_what_one_may_say(self):
        row = self._row(self.mine)
        requests = self.env["coverage.request"].with_user(self.sara)
        vals = {"kind": "release", "customer_id": row.id, "reason": "No time"}
        request = requests.create(
            {**vals, "state": "granted", "user_id": self.sam.id, "values": {"a": 1}}
        )
        self.assertEqual((request.state, request.user_id), ("open", self.sara))
        self.assertFalse(request.values)
        with self.assertRaises(AccessError):
            requests.create({**vals, "customer_id": self._row(self.theirs).id})
        with self.assertRaises(AccessError):
            request.state = "granted"

    def test_seller_sees_what_he_asked_on_his_day(self):
        row = self._row(self.mine)
        self.env["coverage.request"].with_user(self.sara)._ask(
            "release", {row: row}, "No time"
        )
        day = self.env["coverage.day"].with_user(self.sara)
        counts = {one["code"]: one["count"] for one in day.get_day()["decisions"]}
        self.assertEqual(counts, {"requests": 1})
        action = day.action_open_decisions("requests")
        found = self.env[action["res_model"]].with_user(self.sara)
        self.assertEqual(found.search(action["domain"]).customer_id, row)

    def test_deleting_is_a_drop_too(self):
        with self.assertRaises(RedirectWarning):
            self.mine.with_user(self.sara).unlink()
        self.assertTrue(self.mine.exists())
