from datetime import datetime, timedelta
from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, freeze_time, tagged, users
from odoo.tools import mute_logger

from odoo.addons.crm_sales_coverage.models.coverage_job import Tally

from .common import NOW, REFUSAL, TODAY, CoverageCase, ago


@freeze_time(NOW)
class MeetingCase(CoverageCase):
    """Sara, Sam and a third of North, each with an A."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_leaders()
        cls.third = cls.sam.copy({"login": "cover_third", "name": "cover_third"})
        cls.north.write(
            {"crm_team_member_ids": [Command.create({"user_id": cls.third.id})]}
        )
        cls.sellers = cls.sara | cls.sam | cls.third
        for partner, user in zip(cls.leaders, cls.sellers, strict=True):
            cls._row(partner).write({"user_id": user.id, "team_id": cls.north.id})
        cls.rows = cls._get_rows(cls.leaders)

    @classmethod
    def _get_rows(cls, partners):
        return cls.env["coverage.customer"].union(*(cls._row(one) for one in partners))

    @classmethod
    def _create_rule(cls, **values):
        return cls.env["coverage.meeting.rule"].create(
            {
                "name": "Best practice",
                "company_id": cls.company.id,
                "team_id": cls.north.id,
                "interval_weeks": 4,
                "weekday": "4",
                "date_from": TODAY,
                **values,
            }
        )

    @classmethod
    def _create_meeting(cls, days=3, **values):
        return cls.env["coverage.meeting"].create(
            {
                "name": "Hotels",
                "company_id": cls.company.id,
                "team_id": cls.north.id,
                "leader_id": cls.leader.id,
                "member_ids": cls.sellers.ids,
                "start": NOW + timedelta(days=days),
                **values,
            }
        )

    def _get_pack(self, meeting, user=None):
        return meeting.with_user(user or self.leader)._get_pack(NOW)


@tagged("post_install", "-at_install")
class TestMeeting(MeetingCase):
    """Group meetings: the calendar, the series, the pack, decisions."""

    # === THE CALENDAR === #

    def test_event_is_in_the_calendars_of_colleagues_and_nobody_gets_a_mail(self):
        mails = self.env["mail.mail"].search_count([])
        meeting = self._create_meeting()
        event = meeting.event_id
        self.assertEqual(event.partner_ids, (self.sellers | self.leader).partner_id)
        self.assertEqual((event.start, event.user_id), (meeting.start, self.leader))
        meeting.write({"start": NOW + timedelta(days=5), "duration_hours": 2})
        self.assertEqual(event.stop, NOW + timedelta(days=5, hours=2))
        meeting.action_cancel()
        self.assertFalse(event.active)
        self.assertEqual(self.env["mail.mail"].search_count([]), mails)
        self.assertFalse(
            self.env["mail.notification"].search(
                [("res_partner_id", "in", (self.sellers | self.leader).partner_id.ids)]
            )
        )

    def test_meeting_follows_the_event(self):
        meeting = self._create_meeting()
        meeting.event_id.write(
            {"start": NOW + timedelta(days=9), "stop": NOW + timedelta(days=9, hours=3)}
        )
        self.assertEqual(meeting.start, NOW + timedelta(days=9))
        self.assertEqual(meeting.duration_hours, 3)
        meeting.event_id.unlink()
        self.assertEqual(meeting.start, NOW + timedelta(days=9))

    def test_no_customer_is_invited(self):
        meeting = self._create_meeting()
        with self.assertRaises(ValidationError):
            meeting.event_id.partner_ids += self.leaders[0]
        with self.assertRaises(ValidationError):
            meeting.member_ids += self.stranger

    def test_meeting_is_no_contact_with_anybody(self):
        touches = self.env["coverage.touch"].search_count([])
        self._create_meeting(days=-1)
        self.env["coverage.ledger"]._cron_meetings()
        self.assertEqual(self.env["coverage.touch"].search_count([]), touches)

    # === THE SERIES === #

    def test_rule_plans_the_next_two_weeks_once(self):
        rule = self._create_rule()
        meeting = rule._plan(NOW)
        self.assertEqual(meeting.member_ids, self.sellers)
        self.assertEqual(meeting.leader_id, self.leader)
        self.assertEqual(meeting.start, datetime(2030, 6, 7, 9, 0))
        self.assertFalse(rule._plan(NOW))
        meeting.action_cancel()
        self.assertFalse(rule._plan(NOW))
        later = rule._plan(NOW + timedelta(days=20))
        self.assertEqual(later.start, datetime(2030, 7, 5, 9, 0))

    def test_similar_customers_sit_together(self):
        hotels, offices = self.env["res.partner.industry"].create(
            [{"name": "Inns"}, {"name": "Bureaus"}]
        )
        more = self.env["res.users"]
        for number in range(3):
            login = f"cover_more{number}"
            more |= self.sam.copy({"login": login, "name": login})
        self.north.write(
            {
                "crm_team_member_ids": [
                    Command.create({"user_id": user.id}) for user in more
                ]
            }
        )
        everybody = self.sellers | more
        for number, user in enumerate(everybody):
            self._create_buyer(
                100, user_id=user.id, industry_id=(hotels, offices)[number % 2].id
            )
        rule = self._create_rule(group_size=3)
        found = {meeting.member_ids for meeting in rule._plan(NOW)}
        self.assertEqual(found, {everybody[::2], everybody[1::2]})

    def test_similar_products_sit_together(self):
        rule = self._create_rule(similarity="products")
        profiles = self.env["coverage.meeting.facts"]._get_profiles(
            self.sellers, self.company, "products", NOW
        )
        category = self.product.categ_id.id
        self.assertEqual(profiles[self.sara.id], {category: 1.0} if category else {})
        self.assertEqual(len(rule._plan(NOW)), 1)

    def test_team_of_one_has_no_meeting(self):
        rule = self._create_rule(team_id=self.south.id, name="South")
        self.assertFalse(rule._plan(NOW))

    def test_rule_that_fails_stops_no_other_and_twice_is_once(self):
        bad, good = self._create_rule(name="Bad"), self._create_rule(name="Good")
        rules = type(bad)
        prepare = rules._prepare_meeting

        def fail(rule, *args):
            if rule == bad:
                raise UserError(REFUSAL)
            return prepare(rule, *args)

        tally = Tally()
        with (
            patch.object(rules, "_prepare_meeting", fail),
            self.assertLogs("odoo.addons.crm_sales_coverage", "WARNING"),
        ):
            bad._run_steps(self.company, NOW, tally=tally)
        self.assertEqual((tally.count, tally.refused), (1, [bad.id]))
        self.assertFalse(bad.meeting_ids)
        cron = self.env.ref("crm_sales_coverage.ir_cron_meeting")
        for _time in range(2):
            with self.enter_registry_test_mode():
                cron.method_direct_trigger()
            self.assertEqual((len(bad.meeting_ids), len(good.meeting_ids)), (1, 1))

    def test_rule_wants_three_to_seven(self):
        for size in (2, 8):
            with (
                mute_logger("odoo.sql_db"),
                self.assertRaises(IntegrityError),
                self.env.cr.savepoint(),
            ):
                self._create_rule(group_size=size)
                self.env.flush_all()

    # === THE PACK === #

    def test_pack_tells_practices_blue_customers_and_refusals(self):
        for number, (partner, user) in enumerate(
            zip(self.leaders, self.sellers, strict=True)
        ):
            for day in range(9 if not number else 3):
                self._log_touch(partner, user, days_ago=1 + day * 4)
        rows = self.rows
        rows[0].temperature_id = self.levels["hot"]
        rows[1:].temperature_id = self.levels["frozen"]
        reason = self.env["crm.lost.reason"].create({"name": "Too dear"})
        self._log_touch(
            self.leaders[1], self.sam, days_ago=1, refusal_reason_id=reason.id
        )
        pack = self._get_pack(self._create_meeting())
        self.assertEqual(
            pack["practices"][0],
            {
                "who": "Those whose A customers are warmest",
                "what": "contact each A 3.0 times a month, the others 1.2 times.",
            },
        )
        blue = {
            line["member"]: [one["name"] for one in line["customers"]]
            for line in pack["blue"]
        }
        self.assertEqual(blue, {"cover_sam": ["Leader 1"], "cover_third": ["Leader 2"]})
        self.assertEqual(
            pack["refusals"], [{"name": "Too dear", "count": 1, "percent": 100}]
        )

    def test_reaction_and_revived(self):
        facts = self.env["coverage.meeting.facts"]
        row = self._row(self.leaders[0])
        self._log_touch(self.leaders[0], days_ago=5, direction="in", channel="email")
        self._log_touch(self.leaders[0], days_ago=4)
        row.write({"lifecycle": "sleeping", "lifecycle_since": ago(40)})
        self.env["coverage.change"].search(
            [("customer_id", "=", row.id), ("field_name", "=", "lifecycle")]
        ).date = NOW - timedelta(days=40)
        people = {
            one.key: one for one in facts._get_people(self.sellers, self.company, NOW)
        }
        sara = people[self.sara.id]
        self.assertAlmostEqual(sara.practices["reaction"], 24)
        self.assertEqual(sara.outcomes["revive"], 0)
        row.with_context(coverage_log={"date": NOW - timedelta(hours=1)}).write(
            {"lifecycle": "regular", "lifecycle_since": TODAY}
        )
        sara = facts._get_people(self.sara, self.company, NOW)[0]
        self.assertEqual(sara.outcomes["revive"], 1)

    def test_no_names_unless_the_manager_says_so(self):
        meeting = self._create_meeting()
        self.assertIsNone(self._get_pack(meeting)["ranking"])
        with self.assertRaises(AccessError):
            meeting.with_user(self.leader).is_ranking_shown = True
        with self.assertRaises(AccessError):
            self._create_rule().with_user(self.leader).is_ranking_shown = True
        meeting.with_user(self.manager).is_ranking_shown = True
        meeting.action_hold()
        ranking = self._get_pack(meeting, self.sara)["ranking"]
        self.assertEqual(len(ranking["rows"]), 3)
        meeting.with_user(self.manager).is_ranking_shown = False
        self.assertIsNone(self._get_pack(meeting, self.sara)["ranking"])

    def test_pack_holds_no_money_of_anybody(self):
        self.rows.write({"temperature_id": self.levels["cool"].id})
        meeting = self._create_meeting(customer_ids=self.rows.ids)
        told = str(self._get_pack(meeting, self.sara)) + str(
            meeting.with_user(self.sara).pack_html
        )
        self.assertIn("Leader 2", told)
        for figure in ("10000", "10,000", "$", "%"):
            self.assertNotIn(figure, told.replace("width: ", ""))

    def test_pack_stays_as_it_was_when_the_meeting_is_held(self):
        self.rows[0].temperature_id = self.levels["frozen"]
        meeting = self._create_meeting()
        meeting.with_user(self.leader).action_hold()
        self.rows[0].temperature_id = self.levels["hot"]
        self.assertTrue(self._get_pack(meeting)["blue"])
        with self.assertRaises(UserError):
            meeting.action_hold()
        meeting.action_reopen()
        self.assertFalse(self._get_pack(meeting)["blue"])

    def test_pack_of_nobody(self):
        meeting = self._create_meeting(member_ids=[])
        pack = self._get_pack(meeting)
        self.assertEqual((pack["practices"], pack["blue"], pack["refusals"]), ([],) * 3)

    def test_one_pager_prints(self):
        meeting = self._create_meeting(customer_ids=self.rows.ids)
        reports = self.env["ir.actions.report"].with_user(self.sara)
        name = "crm_sales_coverage.coverage_meeting_print"
        html, kind = reports._render_qweb_html(name, meeting.ids)
        self.assertEqual(kind, "html")
        for told in ("Hotels", "Leader 1", "What the Best Do Differently"):
            self.assertIn(told, html.decode())
        with self.assertRaises(AccessError):
            reports.with_user(self.olga)._render_qweb_html(name, meeting.ids)

    def test_cost_of_a_pack_does_not_grow(self):
        def count(meeting):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self._get_pack(meeting)
            return self.env.cr.sql_log_count - before

        meeting = self._create_meeting()
        partners = self._create_buyers(110, 10_000, user_id=self.sara.id)
        self._refresh()
        rows = self._get_rows(partners)
        rows.write({"segment_id": self.segments["A"].id})
        cool = self.levels["cool"].id
        rows[:10].write({"temperature_id": cool})
        count(meeting)
        few = count(meeting)
        rows.write({"temperature_id": cool})
        self.assertLessEqual(count(meeting), few)

    # === DECISIONS === #

    def test_open_decisions_come_back_at_the_next_meeting(self):
        rule = self._create_rule()
        first = rule._plan(NOW)
        first.decision_ids = [
            Command.create({"name": "Call every A", "user_id": self.sara.id}),
            Command.create({"name": "Done soon", "user_id": self.sam.id}),
            Command.create({"name": "The leader's"}),
        ]
        first.decision_ids.filtered(lambda one: one.name == "Done soon").with_user(
            self.sam
        ).action_done()
        self.assertEqual(first.open_count, 2)
        second = rule._plan(NOW + timedelta(days=20))
        found = second.earlier_decision_ids.mapped("name")
        self.assertEqual(set(found), {"Call every A", "The leader's"})
        self.assertFalse(self._create_meeting(days=40).earlier_decision_ids)
        self.assertEqual(len(self._get_pack(second)["decisions"]), 2)

    def test_decision_is_a_to_do_of_its_person_without_a_mail(self):
        mails = self.env["mail.mail"].search_count([])
        meeting = self._create_meeting()
        decision = (
            self.env["coverage.meeting.decision"]
            .with_user(self.leader)
            .create(
                {
                    "meeting_id": meeting.id,
                    "name": "Call every A",
                    "user_id": self.sara.id,
                    "date_deadline": TODAY + timedelta(days=4),
                }
            )
        )
        activity = decision.sudo().activity_ids
        self.assertEqual(
            (activity.user_id, activity.summary), (self.sara, "Call every A")
        )
        activity.with_user(self.sara).action_done()
        self.assertTrue(decision.is_done)
        decision.with_user(self.sara).action_reopen()
        self.assertEqual(len(decision.sudo().activity_ids), 1)
        decision.with_user(self.leader).is_done = True
        self.assertFalse(decision.sudo().activity_ids)
        self.assertEqual(self.env["mail.mail"].search_count([]), mails)

    # === FROM A SELECTION === #

    @users("cover_leader")
    def test_leader_plans_a_meeting_about_chosen_customers(self):
        rows = self.rows.with_env(self.env)
        action = rows.action_plan_meeting()
        wizard = Form(self.env[action["res_model"]].with_context(**action["context"]))
        self.assertEqual(set(wizard.member_ids.ids), set(self.sellers.ids))
        self.assertEqual(wizard.leader_id, self.leader)
        wizard.name = "Leaders"
        opened = wizard.save().action_plan()
        meeting = self.env["coverage.meeting"].browse(opened["res_id"])
        self.assertEqual(meeting.member_ids, self.sellers)
        names = [one["name"] for one in meeting._get_pack(NOW)["customers"]]
        self.assertEqual(set(names), {"Leader 0", "Leader 1", "Leader 2"})

    @users("cover_sara")
    def test_sellers_plan_no_meetings(self):
        with self.assertRaises(AccessError):
            self.rows[:1].with_env(self.env).action_plan_meeting()
        with self.assertRaises(AccessError):
            self.env["coverage.meeting"].create(
                {"name": "Mine", "start": NOW, "leader_id": self.sara.id}
            )

    # === WHO SEES WHAT === #

    def test_who_sees_which_meeting(self):
        ours = self._create_meeting()
        theirs = self._create_meeting(
            name="South",
            team_id=self.south.id,
            leader_id=self.south_leader.id,
            member_ids=self.olga.ids,
        )
        for meeting in ours | theirs:
            meeting.decision_ids = [Command.create({"name": "Something"})]
        for user, expected in (
            (self.sara, ours),
            (self.olga, theirs),
            (self.leader, ours),
            (self.south_leader, theirs),
            (self.manager, ours | theirs),
            (self.stranger, ours.browse()),
        ):
            with self.subTest(user.login):
                known = ours | theirs
                context = {"allowed_company_ids": user.company_ids.ids}
                known = known.with_user(user).with_context(**context)
                found = known.search([("id", "in", known.ids)])
                self.assertEqual(set(found.ids), set(expected.ids))
                decisions = known.env["coverage.meeting.decision"]
                self.assertEqual(
                    set(decisions.search([]).meeting_id.ids) & set(known.ids),
                    set(expected.ids),
                )
        with self.assertRaises(AccessError):
            ours.with_user(self.olga)._get_pack(NOW)
        with self.assertRaises(AccessError):
            ours.with_user(self.sara).action_hold()
        with self.assertRaises(AccessError):
            ours.with_user(self.clerk).check_access("read")

    def test_member_opens_the_form(self):
        meeting = self._create_meeting(customer_ids=self.rows.ids)
        with Form(meeting.with_user(self.sara)) as form:
            self.assertIn("What the Best Do Differently", form.pack_html)

    def test_meeting_on_my_day_opens_its_pack(self):
        meeting = self._create_meeting(days=0)
        day = self.env["coverage.day"].with_user(self.sara).get_day()
        self.assertEqual(day["meetings"][0]["pack_id"], meeting.id)
