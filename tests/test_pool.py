from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, RedirectWarning, UserError
from odoo.tests import Form, freeze_time, tagged

from .common import NOW, CoverageCase
from .test_candidate import prepare_members


class PoolCase(CoverageCase):
    """A pool of North: an A, a B and a C that nobody owns; Sara and Sam are farmers."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_leaders()
        prepare_members(cls)
        cls.env["coverage.rule"].search([]).write({"role_id": cls.farmer.id})
        for leader in cls.leaders:
            cls._row(leader).user_id = cls.manager
        cls.free_a = cls._create_free(9_000, "Free A")
        cls.free_b = cls._create_free(6_000, "Free B")
        cls.free_c = cls._create_free(3_000, "Free C")
        cls.pool = cls.free_a + cls.free_b + cls.free_c

    @classmethod
    def _create_free(cls, amount, name, team=None, **values):
        """Return a customer of a team that nobody owns, for farmers."""
        row = cls._row(cls._create_known_buyer(amount, name=name, **values))
        row.write({"team_id": (team or cls.north).id, "role_id": cls.farmer.id})
        return row

    def _next(self, user=None, is_lead=False):
        """Return what somebody is offered when he presses the button."""
        rows = self.env["coverage.customer"].with_user(user or self.sara)
        name = "action_next_lead" if is_lead else "action_next_customer"
        action = getattr(rows, name)()
        self.assertEqual(action["res_model"], "coverage.claim")
        return (
            self.env["coverage.claim"]
            .with_user(user or self.sara)
            .browse(action["res_id"])
        )

    def _take_next(self, user=None):
        claim = self._next(user)
        claim.action_take()
        return claim.sudo().customer_id

    def _pass(self, claim, reason="far", text=None):
        asking = self.env["coverage.pass"].with_user(claim.user_id)
        vals = {"claim_id": claim.id, "reason": reason, "text": text}
        return asking.create(vals).action_pass()

    def _fill(self, user, count):
        return self._create_buyers(count, 100, user_id=user.id)


@tagged("post_install", "-at_install")
class TestPool(PoolCase):
    """Who is offered what, in which order, and what becomes of it."""

    # === WHAT IS OFFERED === #

    def test_most_valuable_first_and_one_at_a_time(self):
        self.assertEqual([row.segment_id.code for row in self.pool], ["A", "B", "C"])
        claim = self._next()
        self.assertEqual(claim.customer_id, self.free_a)
        self.assertEqual(self._next(), claim)
        self.assertEqual(claim.until_date, NOW + timedelta(hours=24))
        self.assertIn("same team", claim.fit_text)
        self.assertIn("Never had an owner", claim.pool_text)

    def test_within_a_segment_the_better_fit_comes_first(self):
        france = self.env.ref("base.fr")
        fits = self._create_free(8_500, "Fits", country_id=france.id)
        self.assertEqual(fits.segment_id.code, "A")
        self.assertEqual(self._next(self.sam).customer_id, self.free_a)
        self.sara_member.coverage_country_ids = france
        self.assertEqual(self._next().customer_id, fits)

    def test_two_sellers_are_offered_different_ones(self):
        first, second = self._next(self.sara), self._next(self.sam)
        self.assertEqual(first.customer_id, self.free_a)
        self.assertEqual(second.customer_id, self.free_b)

    def test_offer_that_is_not_answered_is_free_for_others_again(self):
        claim = self._next()
        with freeze_time(NOW + timedelta(hours=24, minutes=1)):
            self.assertEqual(self._next(self.sam).customer_id, self.free_a)
            self.assertEqual(claim.state, "expired")
            with self.assertRaisesRegex(UserError, "over"):
                claim.action_take()
            self.assertEqual(self._next().customer_id, self.free_b)

    def test_offer_is_held_for_as_long_as_the_company_says(self):
        self.company.coverage_pool_offer_hours = 2
        self.assertEqual(self._next().until_date, NOW + timedelta(hours=2))

    def test_other_teams_other_roles_and_paused_ones_are_not_offered(self):
        self.free_a.team_id = self.south
        self.free_b.role_id = self.env.ref("crm_sales_coverage.role_hunter")
        self.free_c.leave_alone_until = NOW.date() + timedelta(days=3)
        with self.assertRaisesRegex(UserError, "nothing for you"):
            self._next()

    def test_without_roles_any_member_is_offered(self):
        self.north.crm_team_member_ids.coverage_role_ids = False
        self.assertEqual(self._next().customer_id, self.free_a)
        self.free_b.team_id = self.south
        self.assertEqual(self._next(self.olga).customer_id, self.free_b)

    def test_seniority_of_the_rule_is_asked_for(self):
        rule = self.free_a.rule_id
        rule.min_seniority = "senior"
        self.pool[1:].write({"team_id": self.south.id})
        self.free_a.write({"role_id": self.farmer.id, "rule_id": rule.id})
        with self.assertRaisesRegex(UserError, "more seniority"):
            self._next()
        self.sara_member.coverage_seniority = "senior"
        self.assertEqual(self._next().customer_id, self.free_a)

    def test_own_former_customer_is_never_offered_within_90_days(self):
        self.free_a.user_id = self.sara
        self.free_a.user_id = False
        self.assertEqual(self._next().customer_id, self.free_b)
        self.assertEqual(self._next(self.sam).customer_id, self.free_a)
        with freeze_time(NOW + timedelta(days=91)):
            self.assertEqual(self._next().customer_id, self.free_a)

    def test_offering_twice_at_the_same_moment_gives_the_same(self):
        with self._tried():
            first = self._next().customer_id
        self.assertEqual(self._next().customer_id, first)

    # === WHO IS REFUSED === #

    def test_refusals_say_why_and_what_to_do(self):
        member = self.sara_member
        for name, act, text in (
            (
                "customers",
                lambda: (
                    self.farmer.write({"max_customer_count": 2}),
                    self._fill(self.sara, 2),
                ),
                "2 of 2 customers.*make room",
            ),
            (
                "load",
                lambda: (
                    member.write({"coverage_capacity": 1}),
                    self._fill(self.sara, 12),
                ),
                "of the 1 contacts a month",
            ),
            ("paused", lambda: member.write({"assignment_optout": True}), "pause"),
            (
                "absent",
                lambda: self.sara.write(
                    {
                        "out_of_office_from": NOW - timedelta(days=1),
                        "out_of_office_to": NOW + timedelta(days=1),
                    }
                ),
                "out of office until",
            ),
            ("no team", lambda: member.write({"active": False}), "in no sales team"),
        ):
            with self.subTest(name), self._tried():
                act()
                self.env.flush_all()
                with self.assertRaisesRegex(UserError, text):
                    self._next()

    def test_full_of_a_customers_still_gets_others(self):
        self.farmer.max_a_count = 1
        self._row(self.leaders[0]).user_id = self.sara
        self.assertEqual(self._next().customer_id, self.free_b)
        self.pool[1:].write({"team_id": self.south.id})
        self.env["coverage.claim"].search([]).unlink()
        with self.assertRaisesRegex(UserError, "1 of 1 A customers"):
            self._next()

    def test_limit_that_was_reached_meanwhile_refuses_the_taking(self):
        claim = self._next()
        self.farmer.max_customer_count = 1
        self._fill(self.sara, 1)
        with self.assertRaisesRegex(UserError, "1 of 1"):
            claim.action_take()
        self.env.invalidate_all()
        self.assertFalse(self.free_a.user_id)

    def test_limits_are_never_exceeded(self):
        self.farmer.max_customer_count = 2
        self._take_next()
        self._take_next()
        with self.assertRaises(UserError):
            self._next()
        owned = self.env["coverage.customer"].search_count(
            [("user_id", "=", self.sara.id)]
        )
        self.assertEqual(owned, 2)

    # === TAKING === #

    def test_taking_makes_the_owner_for_a_time_with_the_reason(self):
        mails = self.env["mail.mail"].search_count([])
        claim = self._next()
        action = claim.action_take()
        self.assertEqual(action["res_id"], self.free_a.id)
        row = self.free_a
        self.assertEqual((row.user_id, row.team_id), (self.sara, self.north))
        self.assertEqual(row.partner_id.user_id, self.sara)
        days = timedelta(days=self.company.coverage_claim_days)
        self.assertEqual(row.protected_until, NOW.date() + days)
        self.assertEqual(row.registered_date, NOW.date())
        change = row.change_ids.filtered(lambda one: one.field_name == "user_id")
        self.assertEqual(change.reason["code"], "claimed")
        self.assertEqual(change.author_id, self.sara)
        self.assertEqual((claim.state, claim.answer_date), ("taken", NOW))
        self.assertEqual(self.env["mail.mail"].search_count([]), mails)

    def test_team_stays_for_who_is_in_several(self):
        self.env["ir.config_parameter"].set_param("sales_team.membership_multi", True)
        self.env["crm.team.member"].create(
            {
                "user_id": self.olga.id,
                "crm_team_id": self.north.id,
                "coverage_role_ids": self.farmer.ids,
            }
        )
        self.assertEqual(self._take_next(self.olga).team_id, self.north)

    def test_taken_without_a_word_is_free_again_and_says_so(self):
        row = self._take_next()
        days = self.company.coverage_claim_days
        with freeze_time(NOW + timedelta(days=days + 1)):
            rows = self.env["coverage.customer"]
            lapsed = rows._lapse_registrations(self.company, fields.Datetime.now())
            self.assertEqual(lapsed, row)
            self.assertFalse(row.user_id)
            self.assertIn("nobody spoke to it within 14 days", row.pool_text)
            self.assertNotEqual(self._next().customer_id, row)

    def test_taken_and_spoken_to_stays(self):
        row = self._take_next()
        with freeze_time(NOW + timedelta(days=1)):
            self._log_touch(row.partner_id, days_ago=-1)
        later = NOW + timedelta(days=60)
        rows = self.env["coverage.customer"]
        self.assertFalse(rows._lapse_registrations(self.company, later))

    def test_what_came_to_the_pool_follows_out_of_it(self):
        row, partner = self.free_a, self.free_a.partner_id
        row.user_id = self.sam
        lead = self._create_opportunity(partner, user_id=self.sam.id)
        order = self._create_quotation(partner, 100, user_id=self.sam.id)
        activity = partner.activity_schedule(
            "mail.mail_activity_data_todo", user_id=self.sam.id
        )
        theirs = partner.activity_schedule(
            "mail.mail_activity_data_todo", user_id=self.leader.id
        )
        row._log_owner({"code": "released"}).write({"user_id": False})
        self.assertFalse(lead.user_id | order.user_id)
        self.assertEqual(activity.user_id, self.leader)
        alone = self._create_opportunity(partner)
        self.assertEqual(self._take_next(), row)
        self.assertEqual(lead.user_id | order.user_id | activity.user_id, self.sara)
        self.assertEqual(theirs.user_id, self.leader)
        self.assertFalse(alone.user_id)

    def test_what_somebody_took_meanwhile_stays_his(self):
        self.free_a.user_id = self.sam
        lead = self._create_opportunity(self.free_a.partner_id, user_id=self.sam.id)
        self.free_a.user_id = False
        lead.user_id = self.leader
        self._take_next()
        self.assertEqual(lead.user_id, self.leader)

    def test_customer_that_got_an_owner_meanwhile_is_not_taken(self):
        claim = self._next()
        self.free_a.user_id = self.sam
        with self.assertRaisesRegex(UserError, "has somebody meanwhile"):
            claim.action_take()
        self.assertEqual(self._next().customer_id, self.free_b)
        self.assertEqual(claim.state, "withdrawn")

    # === PASSING === #

    def test_passed_is_offered_to_others_and_not_again_for_30_days(self):
        claim = self._next()
        self._pass(claim)
        self.assertEqual(claim.state, "passed")
        self.assertEqual(self._next(self.sam).customer_id, self.free_a)
        self.assertEqual(self._next().customer_id, self.free_b)
        with freeze_time(NOW + timedelta(days=31)):
            self.assertEqual(self._next().customer_id, self.free_a)

    def test_leader_sees_who_passed_and_why(self):
        self._pass(self._next(), "other", "They want tea")
        claims = self.env["coverage.claim"].with_user(self.leader).search([])
        self.assertEqual(claims.pass_text, "They want tea")
        row = self.free_a.with_user(self.leader)
        self.assertEqual(row.pass_text, "cover_sara: They want tea")

    def test_passing_needs_a_reason(self):
        claim = self._next()
        for reason, text in (("other", " "), (False, None), ("nonsense", "x")):
            with self.subTest(reason), self.assertRaises(UserError):
                claim.action_pass(reason, text)
        form = Form(
            self.env["coverage.pass"]
            .with_user(self.sara)
            .with_context(default_claim_id=claim.id)
        )
        form.reason = "time"
        form.save().action_pass()
        self.assertEqual(claim.pass_reason, "time")

    # === RIGHTS === #

    def test_nobody_answers_for_somebody_else(self):
        claim = self._next()
        for user in (self.sam, self.leader, self.manager):
            for answer in (
                lambda one: one.action_take(),
                lambda one: one.action_pass("far"),
            ):
                with self.subTest(user.login), self.assertRaises(AccessError):
                    answer(claim.with_user(user))

    def test_who_sees_which_offers(self):
        claim = self._next()
        for user, sees in (
            (self.sara, True),
            (self.sam, False),
            (self.leader, True),
            (self.south_leader, False),
            (self.manager, True),
            (self.stranger, False),
        ):
            claims = self.env["coverage.claim"].with_user(user)
            claims = claims.with_context(allowed_company_ids=user.company_ids.ids)
            found = claims.search([])
            with self.subTest(user.login):
                self.assertEqual(claim in found, sees)
                with self.assertRaises(AccessError):
                    claim.with_user(user).write({"state": "taken"})
        with self.assertRaises(AccessError):
            self.env["coverage.customer"].with_user(self.clerk).action_next_customer()

    # === LEADS === #

    def _create_lead(self, name, amount, **values):
        return self._create_opportunity(
            self.env["res.partner"],
            name=name,
            expected_revenue=amount,
            team_id=self.north.id,
            **values,
        )

    def test_leads_are_offered_too_beside_customers(self):
        small, large = self._create_lead("S", 100), self._create_lead("L", 900)
        self._next()
        claim = self._next(is_lead=True)
        self.assertEqual(claim.lead_id, large)
        claim.action_take()
        self.assertEqual(large.user_id, self.sara)
        self.assertEqual(self._next(is_lead=True).lead_id, small)

    def test_lead_capacity_of_the_month_holds(self):
        self._create_lead("One", 100)
        self._create_lead("Two", 100)
        self.sara_member.assignment_max = 1
        claim = self._next(is_lead=True)
        claim.action_take()
        claim.sudo().lead_id.date_open = NOW  # Odoo says when the transaction began
        self.env.flush_all()
        with self.assertRaisesRegex(UserError, "all leads of this month"):
            self._next(is_lead=True)

    def test_leads_of_somebody_elses_customer_are_not_offered(self):
        partner = self._create_known_buyer(100, name="Sam's", user_id=self.sam.id)
        lead = self._create_opportunity(partner, team_id=self.north.id)
        with self.assertRaisesRegex(UserError, "No open lead"):
            self._next(is_lead=True)
        self.assertEqual(self._next(self.sam, is_lead=True).lead_id, lead)

    # === COST === #

    def test_ten_and_a_hundred_cost_the_same(self):
        costs = []
        for count in (1, 9, 90):
            rows = self.env["coverage.customer"].search(
                [("partner_id", "in", self._create_buyers(count, 3_000).ids)]
            )
            rows.write({"team_id": self.north.id, "role_id": self.farmer.id})
            costs.append(self._count_queries(self._next, self.sam))
            costs.append(self._count_queries(self._read_pool))
            costs.append(self._count_queries(self._read_day))
            self.env["coverage.claim"].search([]).unlink()
        self.assertEqual(costs[3:6], costs[6:])

    def _count_queries(self, act, *args):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        act(*args)
        self.env.flush_all()
        return self.env.cr.sql_log_count - before

    def _read_pool(self):
        rows = self.env["coverage.customer"].with_user(self.leader)
        names = ["partner_id", "pool_text", "pooled_since", "pass_text", "badge"]
        rows.search([("user_id", "=", False)]).mapped("partner_id.name")
        rows.search([("user_id", "=", False)]).read(names)

    def _read_day(self):
        self.env["coverage.day"].with_user(self.sara).get_day()

    # === MY DAY === #

    def _get_pool(self, user=None):
        return self.env["coverage.day"].with_user(user or self.sara).get_day()["pool"]

    def test_my_day_tells_of_room(self):
        self.farmer.max_customer_count = 2
        self.assertIn("room for 2 more", self._get_pool()["text"])
        claim = self._next()
        pool = self._get_pool()
        self.assertTrue(pool["is_waiting"])
        self.assertIn("Free A", pool["text"])
        claim.action_take()
        self.assertIn("one more", self._get_pool()["text"])
        self._take_next()
        self.assertFalse(self._get_pool())

    def test_my_day_says_nothing_where_nothing_is_free(self):
        self.pool.write({"team_id": self.south.id})
        self.assertFalse(self._get_pool())
        day = self.env["coverage.day"].with_user(self.leader)
        self.assertFalse(day.get_day(self.sara.id)["pool"])


@tagged("post_install", "-at_install")
class TestPoolGuard(PoolCase):
    """Nobody picks behind the pool's back: not by form, nor remotely, nor by import."""

    def test_form_is_refused_and_leads_to_the_pool(self):
        form = Form(self.free_a.partner_id.with_user(self.sara))
        form.user_id = self.sara
        with self.assertRaises(RedirectWarning) as warning:
            form.save()
        message, action, _button, _context = warning.exception.args
        self.assertIn("nobody picks", message)
        pool = self.env.ref("crm_sales_coverage.coverage_pool_action")
        self.assertEqual(action, pool.id)

    def test_remote_call_is_refused(self):
        partner = self.free_a.partner_id
        with self.assertRaises(RedirectWarning):
            partner.with_user(self.sara).write({"user_id": self.sara.id})
        self.company.coverage_guard_owner = False
        with self.assertRaises(RedirectWarning):
            partner.with_user(self.sara).write({"user_id": self.sara.id})
        self.env.invalidate_all()
        self.assertFalse(self.free_a.user_id)

    def test_import_is_refused(self):
        partners = self.env["res.partner"].with_user(self.sara)
        result = partners.with_context(import_file=True).load(
            [".id", "user_id/.id"],
            [[str(self.free_a.partner_id.id), str(self.sara.id)]],
        )
        self.assertFalse(result["ids"])
        self.assertIn("nobody picks", result["messages"][0]["message"])

    def test_leaders_managers_and_the_switch_are_free(self):
        for user in (self.leader, self.manager):
            with self.subTest(user.login), self._tried():
                self.free_a.partner_id.with_user(user).user_id = user
                self.assertEqual(self.free_a.user_id, user)
        self.company.coverage_guard_pool = False
        self.free_a.partner_id.with_user(self.sara).user_id = self.sara
        self.assertEqual(self.free_a.user_id, self.sara)

    def test_quoting_still_pins(self):
        order = self._create_quotation(
            self.free_a.partner_id, 100, user_id=self.sara.id, team_id=self.north.id
        )
        order.with_user(self.sara).action_quotation_sent()
        self.assertEqual(self.free_a.user_id, self.sara)

    def test_free_lead_of_the_team_is_not_picked(self):
        lead = self._create_opportunity(self.env["res.partner"], team_id=self.north.id)
        with self.assertRaises(RedirectWarning) as warning:
            lead.with_user(self.sara).user_id = self.sara
        action = self.env["ir.actions.server"].browse(warning.exception.args[1])
        found = action.with_user(self.sara).with_context(active_ids=[]).run()
        self.assertEqual(found["res_model"], "coverage.claim")
        lead.with_user(self.leader).user_id = self.sam
        self.assertEqual(lead.user_id, self.sam)

    def test_lead_without_team_and_the_own_one_are_not_guarded(self):
        partner = self.env["res.partner"]
        lead = self._create_opportunity(partner, team_id=False)
        lead.with_user(self.sara).user_id = self.sara
        own = self._create_opportunity(
            partner, team_id=self.north.id, user_id=self.sara.id
        )
        own.with_user(self.sara).write({"user_id": self.sara.id, "name": "Own"})
        self.assertEqual((lead + own).user_id, self.sara)


@tagged("post_install", "-at_install")
class TestHandOut(PoolCase):
    """Leaders put customers in, and hand them out as far as there is room."""

    def _hand_out(self, rows=None, user=None, **values):
        rows = self.pool if rows is None else rows
        action = rows.with_user(user or self.leader).action_hand_out()
        dialog = self.env["coverage.hand.out"].with_user(user or self.leader)
        return dialog.with_context(**action["context"]).create(values).action_hand_out()

    def _release(self, rows, user=None, reason="Nobody has time"):
        action = rows.with_user(user or self.leader).action_put_into_pool()
        dialog = self.env["coverage.release"].with_user(user or self.leader)
        dialog = dialog.with_context(**action["context"])
        return dialog.create({"reason": reason}).action_release()

    def test_leader_puts_several_in_with_the_reason(self):
        self.pool.user_id = self.sara
        self._release(self.pool)
        self.assertFalse(self.pool.user_id)
        self.assertEqual(self.pool.pooled_from_id, self.sara)
        self.assertIn("Given up: Nobody has time", self.free_a.pool_text)
        self.assertIn("before with cover_sara", self.free_a.pool_text)
        with self.assertRaisesRegex(UserError, "already"):
            self._release(self.pool)

    def test_one_person_gets_all(self):
        self._hand_out(mode="one", receiver_id=self.sam.id, note="As agreed")
        self.assertEqual(self.pool.user_id, self.sam)
        change = self.free_a.change_ids.filtered(
            lambda one: one.field_name == "user_id"
        )
        self.assertEqual(change.reason_text, "Handed out from the pool: As agreed")

    def test_one_person_gets_no_more_than_fits(self):
        self.farmer.max_customer_count = 2
        with self.assertRaisesRegex(UserError, "can take 2 of these 3"):
            self._hand_out(mode="one", receiver_id=self.sam.id)
        self.env.invalidate_all()
        self.assertFalse(self.pool.user_id)
        with self.assertRaisesRegex(UserError, "in no sales team"):
            self._hand_out(mode="one", receiver_id=self.clerk.id)
        self._hand_out(self.pool[:2], mode="one", receiver_id=self.sam.id)
        with self.assertRaisesRegex(UserError, "cannot take any"):
            self._hand_out(self.free_c, mode="one", receiver_id=self.sam.id)

    def test_who_fits_best_gets_it_as_far_as_there_is_room(self):
        self.farmer.max_customer_count = 1
        told = self._hand_out(mode="best")["params"]["message"]
        self.assertEqual(self.pool[:2].user_id, self.sara | self.sam)
        self.assertFalse(self.free_c.user_id)
        self.assertIn("Free C", told)

    def test_best_is_never_who_had_it_until_lately(self):
        self.free_a.user_id = self.sara
        self.free_a.user_id = False
        self._hand_out(self.free_a)
        self.assertEqual(self.free_a.user_id, self.sam)

    def test_offer_that_waits_is_withdrawn(self):
        claim = self._next()
        self._hand_out(self.free_a, mode="one", receiver_id=self.sam.id)
        with self.assertRaises(UserError):
            claim.action_take()

    def test_only_leaders_of_the_team_and_managers(self):
        self.free_c.user_id = self.sara
        free, owned = self.pool[:2], self.free_c
        for user in (self.sara, self.sam, self.south_leader):
            with self.subTest(user.login):
                with self.assertRaises(AccessError):
                    self._hand_out(free, user)
                with self.assertRaises(AccessError):
                    self._release(owned, user)
                with self.assertRaises(AccessError):
                    self.env["coverage.hand.out"].with_user(user).create(
                        {"customer_ids": free.ids}
                    ).action_hand_out()
        self._release(owned, self.manager)
        self._hand_out(free, self.manager)
        self.assertTrue(all(row.user_id for row in free))

    def test_owned_ones_are_not_handed_out(self):
        self.free_a.user_id = self.sara
        with self.assertRaisesRegex(UserError, "use a handoff"):
            self._hand_out()
