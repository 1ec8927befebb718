from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged, users

from ..models.coverage_handoff import STATES, TRANSITIONS
from .common import NOW, TODAY, CoverageCase


class HandoffCase(CoverageCase):
    """Sara hands customers over to Sam; Olga is of another team."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.engine = cls.env["coverage.handoff.engine"]
        cls.customer = cls._create_customer(name="Handed", user_id=cls.sara.id)
        cls.row = cls._row(cls.customer)

    @classmethod
    def _hand_over(cls, user=None, row=None, to=None, **values):
        """Return a handoff begun by somebody, by default by the owner."""
        row = row or cls.row
        handoffs = cls.env["coverage.handoff"].with_user(user or cls.sara)
        return handoffs.create(
            {
                "customer_id": row.id,
                "to_user_id": (to or cls.sam).id,
                "reason": "Regular now",
                **values,
            }
        )

    @classmethod
    def _offer(cls, **values):
        handoff = cls._hand_over(**values)
        handoff.action_offer()
        return handoff

    @classmethod
    def _accept(cls, **values):
        handoff = cls._offer(**values)
        handoff.with_user(handoff.to_user_id).action_accept()
        return handoff

    @classmethod
    def _run(cls, days=0):
        """Let the job run so many days from now."""
        now = NOW + timedelta(days=days)
        with cls._on_day(-days):
            count = cls.engine._run_handoffs(cls.company, now)
        cls.env.invalidate_all()
        return count

    def _activities(self, handoff):
        return self.env["mail.activity"].search(
            [("res_model", "=", "coverage.handoff"), ("res_id", "=", handoff.id)]
        )

    def _count_mails(self):
        self.env.flush_all()
        return (
            self.env["mail.mail"].search_count([]),
            self.env["mail.notification"].search_count([]),
        )


@tagged("post_install", "-at_install")
class TestHandoff(HandoffCase):
    """Offer, answer, transfer, watch, hand back: who may, and what comes of it."""

    # === THE TABLE === #

    def test_every_move_that_is_not_in_the_table_raises(self):
        codes = [code for code, _label in STATES]
        for source in codes:
            for target in codes:
                with self.subTest(source=source, target=target), self._tried():
                    handoff = self._hand_over().sudo()
                    handoff.state = source
                    if (source, target) in TRANSITIONS:
                        handoff._move(target)
                        self.assertEqual(handoff.state, target)
                        continue
                    with self.assertRaises(UserError):
                        handoff._move(target)
                    self.assertEqual(handoff.state, source)

    def test_each_move_says_who_when_and_why(self):
        handoff = self._offer()
        handoff.with_user(self.sam).action_decline("No room")
        steps = [
            (step.from_state, step.to_state, step.user_id, step.reason)
            for step in handoff.sudo().step_ids
        ]
        self.assertEqual(
            steps,
            [
                ("draft", "offered", self.sara, False),
                ("offered", "declined", self.sam, "No room"),
            ],
        )
        self.assertEqual(handoff.sudo().step_ids.mapped("date"), [NOW, NOW])

    # === BEGINNING === #

    def test_seller_hands_over_his_own_only(self):
        with self.assertRaises(AccessError):
            self._hand_over(user=self.sam, to=self.olga)

    def test_leader_hands_over_what_is_of_his_team(self):
        with self.assertRaises(AccessError):
            self._hand_over(user=self.south_leader, to=self.olga)
        handoff = self._hand_over(user=self.leader, to=self.olga)
        self.assertEqual(handoff.from_user_id, self.sara)

    def test_manager_hands_over_anything(self):
        self.assertTrue(self._hand_over(user=self.manager))

    @users("cover_sara")
    def test_what_nobody_may_say_is_ignored(self):
        handoff = self._hand_over(
            user=self.env.user, state="accepted", from_user_id=self.olga.id
        )
        self.assertEqual(handoff.state, "draft")
        self.assertEqual(handoff.from_user_id, self.sara)
        self.assertEqual(handoff.company_id, self.company)
        with self.assertRaises(AccessError):
            handoff.write({"state": "accepted"})

    def test_unknown_customer_or_none_is_refused(self):
        for values in ({}, {"customer_id": 0}, {"customer_id": 2**31 - 1}):
            with self.subTest(values=values), self.assertRaises(ValidationError):
                self.env["coverage.handoff"].with_user(self.manager).create(
                    {**values, "to_user_id": self.sam.id, "reason": "Test"}
                )

    def test_second_offer_of_a_customer_is_refused(self):
        self._offer()
        with self.assertRaisesRegex(UserError, "already"):
            self._hand_over(to=self.olga)

    def test_lead_of_another_customer_is_refused(self):
        lead = self._create_opportunity(self._create_customer(), user_id=self.sara.id)
        with self.assertRaises(ValidationError):
            self._hand_over(lead_id=lead.id)

    # === RECEIVERS === #

    def test_receiver_must_be_there_and_have_room(self):
        portal = self.env["res.users"].create(
            {
                "name": "Portal",
                "login": "handoff_portal",
                "group_ids": [Command.set([self.env.ref("base.group_portal").id])],
                "company_id": self.company.id,
                "company_ids": [Command.set(self.company.ids)],
            }
        )
        for user in (self.sara, self.stranger, portal):
            with self.subTest(user=user.login), self.assertRaises(ValidationError):
                self._hand_over(to=user)

    def test_receiver_who_is_away_is_refused_by_name(self):
        self.sam.out_of_office_from = NOW - timedelta(days=1)
        with self.assertRaisesRegex(UserError, f"{self.sam.name} is away"):
            self._offer()

    def test_receiver_who_pauses_is_refused(self):
        self.sam.crm_team_member_ids.assignment_optout = True
        with self.assertRaisesRegex(UserError, "takes nothing new"):
            self._offer()

    def test_receiver_who_is_full_is_refused(self):
        role = self.env.ref("crm_sales_coverage.role_farmer").copy(
            {"name": "Small", "max_customer_count": 1}
        )
        self.sam.crm_team_member_ids.coverage_role_ids = role
        handoff = self._offer()
        self._create_customer(user_id=self.sam.id)
        with self.assertRaisesRegex(UserError, "as many customers as"):
            handoff.with_user(self.sam).action_accept()

    def test_archived_receiver_is_refused(self):
        handoff = self._hand_over()
        self.sam.active = False
        with self.assertRaises(UserError):
            handoff.action_offer()

    # === OFFER AND ANSWER === #

    def test_offer_lets_the_receiver_see_the_customer(self):
        self.assertFalse(self.row.with_user(self.sam).has_access("read"))
        handoff = self._offer()
        self.assertEqual(handoff.state, "offered")
        self.assertTrue(self.row.with_user(self.sam).has_access("read"))
        self.assertEqual(handoff.accept_deadline, TODAY + timedelta(days=2))
        handoff.with_user(self.sam).action_decline()
        self.assertEqual(handoff.sudo().closed_date, TODAY)
        self.assertFalse(self.row.with_user(self.sam).has_access("read"))

    def test_watcher_by_hand_stays_one(self):
        self.row.watcher_ids = self.sam
        self._offer().with_user(self.sam).action_decline()
        self.assertEqual(self.row.watcher_ids, self.sam)

    def test_person_whom_another_handoff_lets_see_goes_on_seeing(self):
        self._accept()
        back = self._offer(user=self.sam, to=self.sara)
        back.with_user(self.sara).action_decline()
        self.assertEqual(self.row.watcher_ids, self.sara)

    def test_accepting_makes_the_receiver_the_owner_and_the_giver_watch(self):
        handoff = self._accept()
        self.assertEqual(self.row.user_id, self.sam)
        self.assertEqual(handoff.state, "watched")
        self.assertEqual(self.row.watcher_ids, self.sara)
        self.assertEqual(handoff.handback_deadline, TODAY + timedelta(days=90))
        self.assertEqual(handoff.next_look_date, TODAY + timedelta(days=30))

    def test_without_deals_to_watch_it_is_accepted(self):
        handoff = self._accept(watch_deal_count=0)
        self.assertEqual(handoff.sudo().state, "accepted")
        self.assertFalse(self.row.watcher_ids)
        self.assertTrue(handoff.with_user(self.sara).has_access("read"))

    def test_only_the_receiver_or_a_leader_answers(self):
        handoff = self._offer()
        with self.assertRaises(AccessError):
            handoff.with_user(self.sara).action_accept()
        with self.assertRaises(AccessError):
            handoff.with_user(self.olga).action_accept()
        handoff.with_user(self.leader).action_accept()
        self.assertEqual(self.row.user_id, self.sam)

    def test_leader_of_the_receiver_answers_but_does_not_take(self):
        handoff = self._hand_over(to=self.olga)
        theirs = handoff.with_user(self.south_leader)
        for take in (theirs.action_transfer, theirs.action_offer, theirs.action_cancel):
            with self.assertRaises(AccessError):
                take()
        handoff.action_offer()
        with self.assertRaises(AccessError):
            theirs.action_offer_next()
        theirs.action_accept()
        self.assertEqual(self.row.user_id, self.olga)

    def test_leader_to_whom_it_goes_waits_for_the_offer(self):
        handoff = self._hand_over(to=self.south_leader).with_user(self.south_leader)
        self.assertFalse(handoff.is_leader)
        for take in (handoff.action_transfer, handoff.action_offer):
            with self.assertRaises(AccessError):
                take()

    def test_context_says_nothing_of_a_new_handoff_or_its_history(self):
        handoffs = self.env["coverage.handoff"].with_context(
            default_state="watched", default_is_called=True, coverage_origin="job"
        )
        handoff = handoffs.with_user(self.sara).create(
            {
                "customer_id": self.row.id,
                "to_user_id": self.sam.id,
                "reason": "Regular now",
            }
        )
        self.assertEqual((handoff.state, handoff.is_called), ("draft", False))
        handoff.action_offer()
        lead = self._create_opportunity(self.customer, user_id=self.sara.id)
        handoff.with_user(self.sam).with_context(
            coverage_skip_carry=True, coverage_origin="job"
        ).action_accept()
        self.assertEqual(lead.user_id, self.sam)
        self.assertEqual(set(self.row.change_ids.mapped("origin")), {"hand"})

    def test_double_click_is_told(self):
        handoff = self._accept()
        with self.assertRaisesRegex(UserError, "already"):
            handoff.with_user(self.sam).action_accept()

    def test_cancel_keeps_the_giver(self):
        handoff = self._offer()
        handoff.action_cancel("Changed my mind")
        self.assertEqual(handoff.state, "cancelled")
        self.assertEqual(self.row.user_id, self.sara)
        self.assertFalse(self.row.watcher_ids)

    def test_owner_that_leaders_change_cancels_the_offer(self):
        handoff = self._offer()
        self.row.with_user(self.leader).sudo().user_id = self.olga
        self.assertEqual(handoff.sudo().state, "cancelled")
        self.assertFalse(self.row.watcher_ids)

    def test_owner_that_leaders_change_ends_the_watch(self):
        handoff = self._accept()
        self.row.user_id = self.olga
        self.assertEqual(handoff.sudo().state, "completed")
        self.assertFalse(self.row.watcher_ids)

    # === LEADERS === #

    def test_leader_transfers_without_an_answer(self):
        handoff = self._offer()
        with self.assertRaises(AccessError):
            handoff.with_user(self.sara).action_transfer()
        handoff.with_user(self.leader).action_transfer()
        self.assertEqual(self.row.user_id, self.sam)

    def test_leader_transfers_to_somebody_else(self):
        handoff = self._offer()
        handoff.with_user(self.leader).action_transfer(self.olga.id)
        self.assertEqual(self.row.user_id, self.olga)
        self.assertNotIn(self.sam, self.row.watcher_ids)

    def test_leader_offers_to_the_next(self):
        handoff = self._offer()
        handoff.with_user(self.leader).action_offer_next()
        following = self.row.handoff_ids - handoff
        self.assertEqual(handoff.sudo().state, "expired")
        self.assertEqual(following.previous_id, handoff)
        self.assertEqual(following.state, "offered")
        self.assertNotIn(following.to_user_id, self.sam | self.sara)
        self.assertEqual(self.row.user_id, self.sara)

    def test_nobody_next_is_told(self):
        self.env["crm.team.member"].search([]).action_archive()
        handoff = self._offer()
        with self.assertRaisesRegex(UserError, "Nobody else"):
            handoff.with_user(self.leader).action_offer_next()

    # === LEADS === #

    def test_lead_alone_leaves_the_customer(self):
        self._confirm_order(self.customer, 100)
        lead = self._create_opportunity(self.customer, user_id=self.sara.id)
        other = self._create_opportunity(self.customer, user_id=self.sara.id)
        order = self._create_quotation(self.customer, 10, opportunity_id=lead.id)
        order.user_id = self.sara
        handoffs = self.env["coverage.handoff"].with_user(self.sara)
        handoff = handoffs.create(
            {"lead_id": lead.id, "to_user_id": self.sam.id, "reason": "Large"}
        )
        self.assertFalse(handoff.customer_id)
        handoff.action_offer()
        self.env.invalidate_all()
        self.assertTrue(lead.with_user(self.sam).has_access("read"))
        self.assertFalse(lead.with_user(self.sam).has_access("write"))
        self.assertFalse(other.with_user(self.sam).has_access("read"))
        handoff.with_user(self.sam).action_accept()
        self.assertEqual(lead.user_id, self.sam)
        self.assertEqual(order.user_id, self.sam)
        self.assertEqual(other.user_id, self.sara)
        self.assertEqual(self.row.user_id, self.sara)
        self.env.invalidate_all()
        self.assertTrue(lead.with_user(self.sara).has_access("read"))
        self.assertFalse(lead.with_user(self.sara).has_access("write"))

    def test_prospect_goes_with_its_lead(self):
        prospect = self._create_customer(name="Prospect", user_id=self.sara.id)
        lead = self._create_opportunity(prospect, user_id=self.sara.id)
        handoff = (
            self.env["coverage.handoff"]
            .with_user(self.sara)
            .create({"lead_id": lead.id, "to_user_id": self.sam.id, "reason": "Warm"})
        )
        self.assertEqual(handoff.customer_id, self._row(prospect))
        handoff.action_offer()
        handoff.with_user(self.sam).action_accept()
        self.assertEqual(self._row(prospect).user_id, self.sam)
        self.assertEqual(lead.user_id, self.sam)

    # === AFTERWARDS === #

    def test_handback_returns_the_customer_to_the_giver(self):
        handoff = self._accept()
        handoff.with_user(self.sam).action_hand_back("They want Sara")
        self.assertEqual(handoff.sudo().state, "handed_back")
        self.assertEqual(self.row.user_id, self.sara)
        self.assertFalse(self.row.watcher_ids)

    def test_handback_is_on_the_givers_list_once_and_mails_nobody(self):
        handoff, before = self._accept(), self._count_mails()
        handoff.with_user(self.sam).action_hand_back("They want Sara")
        found = self._activities(handoff).filtered(
            lambda one: one.user_id == self.sara and "They want Sara" in one.summary
        )
        self.assertEqual(len(found), 1)
        self.assertEqual(self._count_mails(), before)

    def test_handback_is_refused_after_its_time(self):
        handoff = self._accept()
        with self._on_day(-91), self.assertRaisesRegex(UserError, "is past"):
            handoff.with_user(self.sam).action_hand_back("Late")

    def test_handback_goes_to_nurturing_when_the_giver_is_gone(self):
        role = self.env.ref("crm_sales_coverage.role_call_agent")
        self.olga.crm_team_member_ids.coverage_role_ids = role
        handoff = self._accept()
        self.sara.active = False
        handoff.with_user(self.sam).action_hand_back("Not for me")
        self.assertEqual(self.row.user_id, self.olga)

    def test_handback_without_anybody_goes_to_the_pool_of_the_leader(self):
        handoff = self._accept()
        self.sara.active = False
        handoff.with_user(self.sam).action_hand_back("Not for me")
        self.assertFalse(self.row.user_id)
        self.assertEqual(self.row.accountable_user_id, self.leader)

    def test_giver_reads_and_does_not_write_while_he_watches(self):
        order = self._create_quotation(self.customer, 100, user_id=self.sara.id)
        lead = self._create_opportunity(self.customer, user_id=self.sara.id)
        handoff = self._accept()
        self.env.invalidate_all()
        for record in (self.row, order, order.order_line, lead):
            mine = record.with_user(self.sara)
            self.assertTrue(mine.has_access("read"), record)
            self.assertFalse(mine.has_access("write"), record)
            self.assertIn(record, mine.search([]))
        handoff.action_complete()
        self.env.invalidate_all()
        for record in (self.row, order, lead):
            self.assertFalse(record.with_user(self.sara).has_access("read"), record)

    def test_watcher_sees_nothing_of_another_company(self):
        order = self._create_quotation(self.customer, 100, company=self.elsewhere)
        order.user_id = self.stranger
        self.row.watcher_ids = self.sara
        self.sara.company_ids += self.elsewhere
        mine = order.with_user(self.sara).with_context(
            allowed_company_ids=(self.company + self.elsewhere).ids
        )
        self.env.invalidate_all()
        self.assertFalse(mine.has_access("read"))

    def test_deals_of_the_receiver_are_counted_and_noted(self):
        handoff = self._accept(watch_deal_count=2)
        with self._on_day(-1):
            self._confirm_order(self.customer, 100, user_id=self.sam.id)
            self._confirm_order(self.customer, 100, user_id=self.olga.id)
        self._run(1)
        self.assertEqual(handoff.sudo().watched_deal_count, 1)
        note = self._activities(handoff)
        self.assertEqual(note.user_id, self.sara)
        self.assertIn("Deal 1 of 2", note.summary)
        self._run(1)
        self.assertEqual(self._activities(handoff), note)

    def test_looks_and_deals_end_the_watch_and_both_rate(self):
        handoff = self._accept(watch_deal_count=1)
        with self._on_day(-1):
            self._confirm_order(self.customer, 100, user_id=self.sam.id)
        for days in (30, 60, 90):
            self._run(days)
            self.assertIn(
                "Look at", " ".join(self._activities(handoff).mapped("summary"))
            )
            with self._on_day(-days):
                handoff.with_user(self.sara).action_look("Fine")
        self.assertEqual(handoff.sudo().state, "completed")
        asked = self._activities(handoff).user_id
        self.assertEqual(asked, self.sara | self.sam)
        handoff.with_user(self.sara).action_rate("good")
        handoff.with_user(self.sam).action_rate("fair")
        self.assertFalse(self._activities(handoff))
        self.assertEqual(handoff.sudo().giver_rating, "good")
        self.assertEqual(handoff.sudo().receiver_rating, "fair")

    def test_rating_by_others_or_of_another_kind_is_refused(self):
        handoff = self._accept()
        with self.assertRaises(UserError):
            handoff.with_user(self.sam).action_rate("superb")
        with self.assertRaises(AccessError):
            handoff.with_user(self.leader).action_rate("good")

    def test_watch_does_not_last_for_ever(self):
        handoff = self._accept()
        self._run(121)
        self.assertEqual(handoff.sudo().state, "completed")

    def test_co_selling_giver_goes_on_seeing(self):
        handoff = self._accept(is_co_selling=True)
        handoff.action_complete()
        self.assertEqual(self.row.watcher_ids, self.sara)

    def test_raised_hand_is_seen_by_receiver_and_leader(self):
        handoff = self._accept()
        before = self._count_mails()
        handoff.with_user(self.sara).action_raise_hand("Prices are wrong")
        found = self._activities(handoff)
        self.assertEqual(found.user_id, self.sam | self.leader)
        self.assertIn("Prices are wrong", found[0].summary)
        self.assertTrue(handoff.sudo().is_hand_raised)
        self.assertEqual(self._count_mails(), before)
        found[0].with_user(found[0].user_id).action_feedback("Settled")
        self.assertEqual(self._count_mails()[0], before[0])

    def test_accepted_one_is_completed_when_it_cannot_be_handed_back(self):
        handoff = self._accept(watch_deal_count=0)
        self._run(91)
        self.assertEqual(handoff.sudo().state, "completed")

    # === WHO ANSWERS FOR IT === #

    def test_archived_owner_is_not_accountable(self):
        self.sara.active = False
        self.row.invalidate_recordset()
        self.assertEqual(self.row.accountable_user_id, self.leader)

    def test_manager_is_accountable_where_nobody_else_is(self):
        self.row.write({"user_id": False, "team_id": False})
        self.assertEqual(self.row.accountable_user_id, self.manager)

    def test_assistant_of_the_owner_keeps_the_rhythm(self):
        touches = self.env["coverage.touch"]
        self.assertFalse(touches._keeps_rhythm(self.clerk, self.row))
        self.sara.crm_team_member_ids.coverage_assistant_id = self.clerk
        self.assertTrue(touches._keeps_rhythm(self.clerk, self.row))

    # === DEADLINES === #

    def _deadline(self, count, now=NOW):
        today = self.company._get_coverage_today(now)
        handoffs = self.env["coverage.handoff"]
        return handoffs._shift_workdays(self.company, today, count)

    def test_deadline_passes_over_weekends_and_holidays(self):
        self.assertEqual(self._deadline(5), fields.Date.to_date("2030-06-10"))
        self.env["resource.calendar.leaves"].create(
            {
                "name": "Holiday",
                "company_id": self.company.id,
                "calendar_id": self.company.resource_calendar_id.id,
                "date_from": "2030-06-05 00:00:00",
                "date_to": "2030-06-05 23:59:59",
            }
        )
        self.assertEqual(self._deadline(5), fields.Date.to_date("2030-06-11"))
        saturday = fields.Datetime.to_datetime("2030-06-08 10:00:00")
        self.assertEqual(self._deadline(1, saturday), fields.Date.to_date("2030-06-10"))

    def test_deadline_counts_days_of_the_companys_time_zone(self):
        self.company.partner_id.tz = "Asia/Tokyo"  # Tuesday there already
        self.company.resource_calendar_id.tz = "Asia/Tokyo"
        late = fields.Datetime.to_datetime("2030-06-03 20:00:00")
        self.assertEqual(self._deadline(1, late), fields.Date.to_date("2030-06-05"))

    def test_deadline_across_summer_time(self):
        self.company.partner_id.tz = "Europe/Berlin"
        self.company.resource_calendar_id.tz = "Europe/Berlin"
        friday = fields.Datetime.to_datetime("2030-03-29 22:30:00")
        self.assertEqual(self._deadline(1, friday), fields.Date.to_date("2030-04-01"))

    def test_without_calendar_monday_to_friday_are_worked(self):
        self.company.resource_calendar_id = False
        self.assertEqual(self._deadline(5), fields.Date.to_date("2030-06-10"))

    def test_calendar_without_working_days_does_not_last_for_ever(self):
        self.company.resource_calendar_id.attendance_ids.unlink()
        self.assertEqual(self._deadline(5), fields.Date.to_date("2030-06-10"))

    def test_reminder_comes_once(self):
        handoff = self._offer()
        self._activities(handoff).unlink()
        self._run()
        self.assertFalse(self._activities(handoff))
        self._run(1)
        self.assertEqual(self._activities(handoff).user_id, self.sam)
        self._activities(handoff).unlink()
        self._run(1)
        self.assertFalse(self._activities(handoff))

    def test_what_a_person_offered_expires_and_stays(self):
        handoff = self._offer()
        before = self._count_mails()
        self._run(2)
        self.assertEqual(handoff.sudo().state, "offered")
        self._run(3)
        self.assertEqual(handoff.sudo().state, "expired")
        self.assertEqual(self.row.user_id, self.sara)
        self.assertEqual(self._activities(handoff).user_id, self.sara)
        self.assertEqual(self._count_mails(), before)

    def test_offer_of_an_archived_customer_is_cancelled(self):
        handoff = self._offer()
        self.row.action_exclude()
        self._run()
        self.assertEqual(handoff.sudo().state, "cancelled")

    def test_merge_keeps_handoffs(self):
        handoff = self._accept()
        other = self._create_customer(name="Twin", user_id=self.olga.id)
        self.env["coverage.fold"]._fold(self.customer, other)
        self.assertEqual(handoff.sudo().customer_id, self._row(other))
