from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .common import TODAY, CoverageCase


@tagged("post_install", "-at_install")
class TestHandoffScreens(CoverageCase):
    """Offering, answering and reading handoffs as people do it on the screens."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.farmer = cls.env.ref("crm_sales_coverage.role_farmer")
        members = (cls.north | cls.south).crm_team_member_ids
        members.coverage_role_ids = cls.farmer
        cls.customer = cls._create_buyer(name="Bakery", user_id=cls.sara.id)
        cls.row = cls._row(cls.customer)
        cls.row.role_id = cls.farmer

    # === WHO DOES WHAT === #

    def _begin(self, user=None, **context):
        """Return the offer dialog as somebody opens it on the customer."""
        row = self.row.with_user(user or self.sara)
        action = row.action_hand_over()
        return Form(
            self.env["coverage.offer"]
            .with_user(user or self.sara)
            .with_context(**action["context"], **context)
        )

    def _offer(self, to_user=None, **values):
        """Offer the customer from its form; return the handoff."""
        form = self._begin()
        form.reason = values.pop("reason", "Buys every month")
        form.to_user_id = to_user or self.sam
        for name, value in values.items():
            form[name] = value
        form.save().action_offer()
        return self._get_handoff()

    def _get_handoff(self):
        return self.env["coverage.handoff"].search(
            [("customer_id", "=", self.row.id)], limit=1
        )

    def _answer(self, handoff, user, kind, reason):
        dialogs = self.env["coverage.answer"].with_user(user)
        dialog = dialogs.create(
            {"handoff_id": handoff.id, "kind": kind, "reason": reason}
        )
        return dialog.action_answer()

    def _read_form(self, user):
        """Return the customer as its form reads it."""
        names = ["handoff_state", "handoff_text", "handoff_count", "can_hand_over"]
        names += ["is_handoff_giver", "is_handoff_receiver"]
        self.env.invalidate_all()
        return self.row.with_user(user).read(names)[0]

    def _get_day(self, user):
        self.env.invalidate_all()
        days = self.env["coverage.day"].with_user(user)
        return days.get_day()["handoffs"]

    # === OFFERING === #

    def test_offer_dialog_preselects_who_suits_best(self):
        form = self._begin()
        candidates = form.candidates
        self.assertTrue(candidates)
        self.assertEqual(form.to_user_id.id, candidates[0]["user_id"])
        self.assertNotIn(self.sara.id, [one["user_id"] for one in candidates])

    def test_offered_handoff_remembers_the_proposal(self):
        handoff = self._offer()
        self.assertEqual(handoff.state, "offered")
        self.assertEqual(
            (handoff.from_user_id, handoff.to_user_id), (self.sara, self.sam)
        )
        self.assertEqual(handoff.role_id, self.farmer)
        card = handoff.proposal_card
        self.assertEqual([one["user_id"] for one in card["chosen"]], [self.sam.id])
        self.assertIn(self.olga.id, [one["user_id"] for one in card["others"]])

    def test_offer_without_reason_or_receiver_says_what_is_missing(self):
        form = self._begin()
        form.to_user_id = self.sam
        with self.assertRaisesRegex(UserError, "Say why"):
            form.save().action_offer()
        form.reason = "   "
        with self.assertRaisesRegex(UserError, "Say why"):
            form.save().action_offer()
        form.reason = "Because"
        form.to_user_id = self.env["res.users"]
        with self.assertRaisesRegex(UserError, "Choose who"):
            form.save().action_offer()

    def test_second_offer_names_what_is_on_the_way(self):
        self._offer()
        form = self._begin()
        form.reason = "Again"
        form.to_user_id = self.olga
        with self.assertRaisesRegex(UserError, "Bakery"):
            form.save().action_offer()

    def test_nobody_offers_what_he_may_not_see(self):
        offers = self.env["coverage.offer"].with_user(self.sam)
        with self.assertRaises(AccessError):
            offers.create(
                {
                    "customer_ids": [Command.set(self.row.ids)],
                    "to_user_id": self.olga.id,
                    "reason": "Mine",
                }
            ).action_offer()

    def test_watcher_does_not_offer(self):
        self.row.watcher_ids = self.sam
        self.assertFalse(self._read_form(self.sam)["can_hand_over"])
        form = self._begin(self.sam)
        form.reason, form.to_user_id = "Mine", self.olga
        with self.assertRaises(AccessError):
            form.save().action_offer()

    def test_leader_offers_for_the_owner(self):
        form = self._begin(self.leader)
        form.reason, form.to_user_id = "Full", self.sam
        form.save().action_offer()
        self.assertEqual(self._get_handoff().from_user_id, self.sara)

    def test_several_go_to_one_or_each_to_the_best(self):
        other = self._create_buyer(name="Butcher", user_id=self.sara.id)
        rows = self.row | self._row(other)
        rows.role_id = self.farmer
        context = rows.with_user(self.sara).action_hand_over()["context"]
        offers = self.env["coverage.offer"].with_user(self.sara).with_context(**context)
        form = Form(offers)
        self.assertEqual(form.customer_count, 2)
        self.assertIn("2 of 2", form.candidates[0]["reasons"][0])
        form.way, form.reason = "best", "Too many"
        self.assertEqual(len(form.plan), 2)
        action = form.save().action_offer()
        self.assertEqual(action["tag"], "display_notification")
        handoffs = self.env["coverage.handoff"].search(
            [("customer_id", "in", rows.ids)]
        )
        self.assertEqual(handoffs.mapped("state"), ["offered", "offered"])

    def test_nobody_in_the_role_leaves_the_choice(self):
        self.row.role_id = self.env.ref("crm_sales_coverage.role_key_account")
        form = self._begin()
        self.assertFalse(form.candidates)
        self.assertFalse(form.to_user_id)
        form.reason, form.to_user_id = "Asks for Sam", self.sam
        form.save().action_offer()
        handoff = self._get_handoff()
        self.assertFalse(handoff.proposal_card)

    def test_lead_is_handed_over_alone(self):
        lead = self._create_opportunity(self.customer, user_id=self.sara.id)
        lead = lead.with_user(self.sara)
        self.assertTrue(lead.can_hand_over)
        offers = self.env["coverage.offer"].with_user(self.sara)
        form = Form(offers.with_context(**lead.action_hand_over()["context"]))
        form.reason, form.to_user_id = "Too large for me", self.sam
        form.save().action_offer()
        self.assertEqual(lead.handoff_state, "offered")
        self.assertIn("Too large for me", lead.handoff_text)
        lead.handoff_id.with_user(self.sam).action_accept()
        self.assertEqual(lead.sudo().user_id, self.sam)
        self.assertEqual(self.row.user_id, self.sara)

    def test_waiting_handoff_is_offered_from_the_dialog(self):
        handoff = self.env["coverage.handoff"].create(
            {"customer_id": self.row.id, "to_user_id": self.sam.id, "reason": "Regular"}
        )
        offers = self.env["coverage.offer"].with_user(self.sara)
        form = Form(offers.with_context(default_handoff_id=handoff.id))
        self.assertEqual((form.reason, form.to_user_id), ("Regular", self.sam))
        form.to_user_id = self.olga
        form.save().action_offer()
        self.assertEqual((handoff.state, handoff.to_user_id), ("offered", self.olga))
        self.assertEqual(self._get_handoff(), handoff)

    def test_no_receiver_offers_what_is_not_his(self):
        handoff = self.env["coverage.handoff"].create(
            {"customer_id": self.row.id, "to_user_id": self.sam.id, "reason": "Regular"}
        )
        self.row.watcher_ids = self.sam
        offers = self.env["coverage.offer"].with_user(self.sam)
        with self.assertRaises(AccessError):
            offers.create(
                {
                    "handoff_id": handoff.id,
                    "customer_ids": [Command.set(self.row.ids)],
                    "to_user_id": self.olga.id,
                    "reason": "x",
                }
            ).action_offer()

    # === ANSWERING === #

    def test_banner_says_it_to_giver_and_receiver(self):
        self._offer()
        giver, receiver = self._read_form(self.sara), self._read_form(self.sam)
        self.assertIn("Offered to cover_sam until 5 June", giver["handoff_text"])
        self.assertIn("Offered to you until 5 June", receiver["handoff_text"])
        self.assertEqual(
            (giver["is_handoff_giver"], giver["is_handoff_receiver"]), (True, False)
        )
        self.assertEqual(
            (receiver["is_handoff_giver"], receiver["is_handoff_receiver"]),
            (False, True),
        )
        self.assertFalse(giver["can_hand_over"])
        self.assertEqual(receiver["handoff_count"], 1)

    def test_receiver_accepts_on_the_customer_and_the_giver_watches(self):
        self._offer()
        self.row.with_user(self.sam).action_accept_handoff()
        self.assertEqual(self.row.user_id, self.sam)
        banner = self._read_form(self.sara)["handoff_text"]
        self.assertIn("You handed it to cover_sam: 0 of 3 deals watched", banner)

    def test_decline_needs_a_reason_and_leads_away_from_what_one_sees_no_more(self):
        handoff = self._offer()
        with self.assertRaisesRegex(UserError, "Say why"):
            self._answer(handoff, self.sam, "decline", "  ")
        dialogs = self.env["coverage.answer"].with_user(self.sam)
        dialogs = dialogs.with_context(
            active_model="coverage.customer", active_id=self.row.id
        )
        dialog = dialogs.create(
            {"handoff_id": handoff.id, "kind": "decline", "reason": "No room"}
        )
        action = dialog.action_answer()
        self.assertEqual(action["res_model"], "coverage.handoff")
        self.assertEqual(
            (handoff.state, handoff.answer_reason), ("declined", "No room")
        )
        self.assertEqual(self.row.user_id, self.sara)

    def test_only_the_receiver_declines_and_only_the_giver_cancels(self):
        handoff = self._offer()
        with self.assertRaises(AccessError):
            self._answer(handoff, self.sara, "decline", "x")
        with self.assertRaises(AccessError):
            self._answer(handoff, self.sam, "cancel", "x")
        with self.assertRaises(AccessError):
            self._answer(handoff, self.olga, "cancel", "x")
        action = self._answer(handoff, self.sara, "cancel", "Changed my mind")
        self.assertEqual(action["type"], "ir.actions.act_window_close")
        self.assertEqual(handoff.state, "cancelled")

    def test_giver_raises_a_hand_and_receiver_hands_back(self):
        handoff = self._offer()
        handoff.with_user(self.sam).action_accept()
        self._answer(handoff, self.sara, "raise_hand", "Nobody calls them")
        self.assertTrue(handoff.is_hand_raised)
        self._answer(handoff, self.sam, "hand_back", "Wants Sara")
        self.assertEqual(handoff.state, "handed_back")
        self.assertEqual(self.row.user_id, self.sara)
        reasons = [step["reason"] for step in handoff.timeline]
        self.assertIn("Nobody calls them", reasons)
        self.assertIn("Wants Sara", reasons)

    # === WORDS === #

    def test_deadline_in_working_days(self):
        handoff = self._offer()
        self.assertEqual(
            handoff.due_text, "cover_sam must answer by Wed 5 June, 2 working days"
        )
        handoff.accept_deadline = TODAY
        self.assertIn("Mon 3 June, today", handoff.due_text)
        handoff.accept_deadline = TODAY - timedelta(days=3)
        self.assertIn("Fri 31 May, 1 working day late", handoff.due_text)
        self.assertTrue(handoff.is_late)
        late = self.env["coverage.handoff"].search([("is_late", "=", True)])
        self.assertIn(handoff, late)

    def test_who_handed_over_reads_the_handoff_without_the_customer(self):
        handoff = self._offer(watch_deal_count=0)
        handoff.with_user(self.sam).action_accept()
        self.env.invalidate_all()
        handoff = handoff.with_user(self.sara)
        self.assertFalse(handoff.can_see_customer)
        spec = {"display_name": {}, "customer_id": {"fields": {"display_name": {}}}}
        read = handoff.web_read({**spec, "badge": {}, "due_text": {}, "timeline": {}})
        self.assertEqual(read[0]["display_name"], "Bakery")

    def test_policy_is_a_sentence(self):
        policy = self.env["coverage.handoff.policy"].create(
            {"name": "Regular", "lifecycle": "regular", "accept_days": 1}
        )
        self.assertEqual(
            policy.sentence,
            "When a customer becomes regular, hand over within 5 working days to the "
            "role that the rules name; if not, transfer anyway. The receiver answers "
            "within 1 working day; if not, offer it to the next.",
        )
        policy.write({"trigger": "lost"})
        self.assertIn("When an opportunity is lost", policy.sentence)

    # === MY DAY === #

    def test_day_brings_the_offer_to_the_receiver(self):
        handoff = self._offer()
        line = self._get_day(self.sam)[0]
        self.assertEqual((line["id"], line["kind"]), (handoff.id, "offered"))
        self.assertIn("Answer by Wed 5 June, 2 working days", line["text"])
        self.assertEqual(line["reason"], "Buys every month")
        self.assertFalse(self._get_day(self.sara))

    def test_day_brings_looks_notes_and_ratings(self):
        handoff = self._offer()
        handoff.with_user(self.sam).action_accept()
        self.assertFalse(self._get_day(self.sara))
        handoff.next_look_date = TODAY
        self.assertEqual(self._get_day(self.sara)[0]["kind"], "look")
        handoff.with_user(self.sara).action_raise_hand("Nobody calls them")
        line = self._get_day(self.sam)[0]
        self.assertEqual(line["kind"], "note")
        self.assertIn("Nobody calls them", line["text"])
        handoff.with_user(self.sam).action_see()
        self.assertFalse(self._get_day(self.sam))
        handoff.with_user(self.sara).action_complete()
        self.assertEqual(self._get_day(self.sara)[0]["kind"], "rate")
        handoff.with_user(self.sara).action_rate_good()
        self.assertFalse(self._get_day(self.sara))
        self.assertEqual(self._get_day(self.sam)[0]["kind"], "rate")

    def test_day_tells_the_giver_of_a_refusal(self):
        handoff = self._offer()
        handoff.with_user(self.sam).action_decline("No room")
        line = self._get_day(self.sara)[0]
        self.assertEqual(line["kind"], "note")
        self.assertIn("cover_sam declined, it stays yours: No room", line["text"])

    def test_day_costs_the_same_for_one_and_for_many(self):
        self._offer()
        self._get_day(self.sam)

        def count():
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            today = self.company._get_coverage_today(fields.Datetime.now())
            days = self.env["coverage.day"].with_user(self.sam)
            days._get_handoffs(self.sam, today)
            return self.env.cr.sql_log_count - before

        one = count()
        buyers = self._create_buyers(10, 1_000, user_id=self.sara.id)
        rows = self.env["coverage.customer"].search([("partner_id", "in", buyers.ids)])
        handoffs = self.env["coverage.handoff"].create(
            [
                {"customer_id": row.id, "to_user_id": self.sam.id, "reason": "x"}
                for row in rows
            ]
        )
        handoffs.action_offer()
        self.assertEqual(len(self._get_day(self.sam)), 11)
        self.assertLessEqual(count(), one)
