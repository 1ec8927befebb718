from datetime import timedelta
from unittest.mock import patch

from odoo import SUPERUSER_ID, api, fields
from odoo.exceptions import AccessError, ConcurrencyError, UserError
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, HttpCase, get_db_name, tagged, users
from odoo.tools import mute_logger

from .common import NOW, TODAY, CoverageCase

NUMBER = "+32470123456"
UNKNOWN = "+32470999999"
DATE = "2030-06-03 09:50:00"


class CallCase(CoverageCase):
    """A customer of Sara that has a telephone."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.country_id = cls.env.ref("base.be")
        cls.customer = cls._create_known_buyer(
            5_000, name="Acme", user_id=cls.sara.id, phone="+3225550000"
        )
        cls.row = cls._row(cls.customer)
        cls.anna = cls._create_customer(
            "Anna", parent_id=cls.customer.id, is_company=False, phone=NUMBER
        )
        cls.env.flush_all()

    def _call(self, user=None, **values):
        """Report a call as the telephone system of a user; return the touch."""
        touches = self.env["coverage.touch"]
        touch_id = touches.with_user(user or self.sara).log_call(
            **{
                "number": NUMBER,
                "direction": "out",
                "date": fields.Datetime.to_string(NOW - timedelta(minutes=10)),
                "seconds": 95,
                **values,
            }
        )
        return touches.browse(touch_id)


@tagged("post_install", "-at_install")
class TestTouchTelephone(CallCase):
    """What telephone systems report: whom it concerns, and whether it was a talk."""

    def test_call_is_noted_with_person_and_customer(self):
        touch = self._call(external_id="7", recording_url="https://pbx.example.com/7")
        self.assertEqual(touch.customer_id, self.row)
        self.assertEqual(touch.partner_id, self.anna)
        self.assertEqual(touch.user_id, self.sara)
        self.assertEqual(touch.team_id, self.north)
        self.assertEqual(touch.date, NOW - timedelta(minutes=10))
        self.assertEqual(touch.minutes, 1.6)
        self.assertEqual(touch.recording_url, "https://pbx.example.com/7")
        self.assertTrue(touch.is_two_way and touch.is_proven and touch.is_counted)
        self.assertFacts(self.customer, last_contact_date=TODAY, last_proven_date=TODAY)

    def test_result_follows_from_the_seconds(self):
        for seconds, result, code, is_two_way in (
            (95, None, "answered", True),
            (30, None, "answered", True),
            (29, None, "no_answer", False),
            (5, "answered", "answered", False),
            (0, None, "no_answer", False),
            (95, "voicemail", "voicemail", False),
            (95, "refused", "refused", True),
            (5, "refused", "refused", False),
            (0, "busy", "busy", False),
            (95, "wrong_number", "wrong_number", False),
        ):
            with self.subTest(seconds=seconds, result=result):
                touch = self._call(seconds=seconds, result=result)
                self.assertEqual(touch.outcome_id.code, code)
                self.assertEqual(touch.is_two_way, is_two_way)

    def test_call_of_five_seconds_is_an_attempt(self):
        self._call(seconds=5)
        self.assertFacts(
            self.customer,
            last_contact_date=False,
            last_attempt_date=TODAY,
            attempt_day_count=1,
        )

    def test_same_call_again_is_the_same_contact(self):
        touch = self._call(external_id="7")
        again = self._call(external_id=7, seconds=5, number=UNKNOWN)
        self.assertEqual(again, touch)
        self.assertEqual(touch.minutes, 1.6)
        touch.active = False
        self.assertEqual(self._call(external_id="7"), touch)

    def test_calls_without_an_id_are_different_calls(self):
        self.assertNotEqual(self._call(external_id=""), self._call(external_id=" "))

    # === BAD INPUT === #

    def test_bad_input_is_refused_with_what_is_expected(self):
        for name, values, expected in (
            ("number", ("", None, "abc", "12", "anonymous123", "1" * 41, True), "+32"),
            ("direction", ("", None, "OUT", ["out"], 1), "“in” or “out”"),
            ("result", ("", "ANSWERED", "talked", ["busy"], 1), "voicemail"),
            ("date", ("", None, "soon", "31.05.2030", 5, True, {}), "2026-05-31"),
            ("date", ("0001-01-01T00:00:00+10:00", "1970-01-01 00:00:00"), "2026-"),
            ("date", ("2030-06-03 10:11:00", "2030-06-03T10:00:00-02:00"), "future"),
            ("seconds", ("95", None, True, [5], "NaN"), "95"),
            ("seconds", (-1, 86_401, float("nan"), float("inf")), "0 to 86400"),
            ("recording_url", ("ftp://x", "javascript:alert(1)", 5), "https://"),
        ):
            for value in values:
                with self.subTest(name=name, value=value):
                    with self.assertRaises(UserError) as refusal:
                        self._call(**{name: value})
                    self.assertIn(expected, str(refusal.exception))
        self.assertFalse(self._touches(self.customer))

    def test_date_with_an_offset_is_converted(self):
        for date in (
            "2030-06-03T11:50:00+02:00",
            "2030-06-03T09:50:00Z",
            "2030-06-03T09:50:00.123456",
        ):
            with self.subTest(date=date):
                self.assertEqual(self._call(date=date).date.isoformat(" "), DATE)

    def test_clock_that_is_a_little_fast_is_forgiven(self):
        self.assertTrue(self._call(date="2030-06-03 10:09:00"))

    # === RIGHTS === #

    def test_anothers_call_needs_a_manager(self):
        for user in (self.sara, self.leader):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self._call(user, user_login="cover_sam")
        touch = self._call(self.manager, user_login="cover_sam")
        self.assertEqual(touch.user_id, self.sam)
        self.assertEqual(self._call(user_login="cover_sara").user_id, self.sara)

    def test_login_that_is_not_of_the_company_is_refused(self):
        for login in ("nobody", "cover_elsewhere", "public"):
            with self.subTest(login=login), self.assertRaises(UserError):
                self._call(self.manager, user_login=login)

    def test_who_does_not_sell_reports_no_calls(self):
        with self.assertRaises(AccessError):
            self._call(self.clerk)

    def test_call_of_who_does_not_sell_keeps_no_rhythm(self):
        touch = self._call(self.manager, user_login="cover_clerk")
        self.assertFalse(touch.is_counted)
        self.assertFacts(self.customer, last_contact_date=False)

    # === WHOM IT CONCERNS === #

    def test_national_number_is_the_same_number(self):
        for number in ("0470 12 34 56", "0032470123456", "+32 470 12.34-56"):
            with self.subTest(number=number):
                touch = self._call(number=number)
                self.assertEqual(touch.number, NUMBER)
                self.assertEqual(touch.customer_id, self.row)

    def test_unknown_number_is_kept(self):
        touch = self._call(number=UNKNOWN)
        self.assertFalse(touch.customer_id or touch.lead_id or touch.partner_id)
        self.assertEqual(touch.number, UNKNOWN)
        self.assertEqual(touch.user_id, self.sara)

    def test_number_of_a_lead_goes_to_it_and_its_customer(self):
        lead = self._create_opportunity(self.customer, phone="+32470555555")
        touch = self._call(number="+32470555555")
        self.assertEqual(touch.lead_id, lead)
        self.assertEqual(touch.customer_id, self.row)

    def test_number_of_a_lead_without_customer_goes_to_it(self):
        lead = self._create_opportunity(self.env["res.partner"], phone=UNKNOWN)
        touch = self._call(number=UNKNOWN)
        self.assertEqual(touch.lead_id, lead)
        self.assertFalse(touch.customer_id)

    def test_number_of_two_leads_goes_to_the_callers_own(self):
        leads = [
            self._create_opportunity(
                self.env["res.partner"], phone=UNKNOWN, user_id=user.id
            )
            for user in (self.sam, self.olga)
        ]
        self.assertFalse(self._call(number=UNKNOWN).lead_id)
        self.assertEqual(self._call(self.sam, number=UNKNOWN).lead_id, leads[0])

    def test_number_of_two_customers_goes_to_the_owners(self):
        other = self._create_known_buyer(
            10, name="Other", user_id=self.sam.id, phone=NUMBER
        )
        self.assertEqual(self._call().customer_id, self.row)
        self.assertEqual(self._call(self.sam).customer_id, self._row(other))
        touch = self._call(self.olga)
        self.assertFalse(touch.customer_id or touch.partner_id or touch.lead_id)

    def test_number_of_another_companys_contact_is_unknown(self):
        self._create_customer("Theirs", phone=UNKNOWN, company_id=self.elsewhere.id)
        self.assertFalse(self._call(number=UNKNOWN).partner_id)

    def test_call_before_the_first_quotation_counts_once_there_is_one(self):
        person = self._create_customer("Newcomer", phone=UNKNOWN)
        touch = self._call(number=UNKNOWN)
        self.assertEqual(touch.partner_id, person)
        self._create_quotation(person, 100)
        self.env["coverage.ledger"]._cron_meetings()
        self.assertEqual(touch.customer_id, self._row(person))
        self.assertFacts(person, last_contact_date=TODAY)

    # === NOTED TWICE === #

    def test_call_that_the_seller_noted_is_proven_by_the_telephone(self):
        refused = self.env.ref("crm_sales_coverage.outcome_refused")
        noted = self._log_touch(self.customer, outcome_id=refused.id, note="Too dear")
        touch = self._call(external_id="7")
        self.assertEqual(touch, noted)
        self.assertEqual((touch.source, touch.minutes), ("telephone", 1.6))
        self.assertEqual((touch.note, touch.outcome_id), ("Too dear", refused))
        self.assertEqual(self._touches(self.customer), touch)
        self.assertFacts(self.customer, last_proven_date=TODAY)

    def test_talk_that_the_telephone_does_not_know_of_becomes_an_attempt(self):
        self._log_touch(self.customer)
        self._call(seconds=4)
        self.assertFacts(self.customer, last_contact_date=False)

    def test_call_noted_after_the_telephone_reported_it_is_one_contact(self):
        touch = self._call(external_id="7")
        self.env["coverage.log.touch"].with_user(self.sara).create(
            {
                "customer_id": self.row.id,
                "partner_id": self.anna.id,
                "outcome_id": self.env.ref("crm_sales_coverage.outcome_reached").id,
                "note": "Wants ten",
            }
        ).action_log()
        self.assertEqual(self._touches(self.customer), touch)
        self.assertEqual((touch.source, touch.note), ("telephone", "Wants ten"))
        self.assertEqual(touch.outcome_id.code, "reached")

    def test_activity_of_a_call_that_the_telephone_reported_is_one_contact(self):
        kind = self.env.ref("mail.mail_activity_data_call")
        for is_first in (True, False):
            with self.subTest(telephone_first=is_first), self._tried():
                if is_first:
                    self._call()
                activity = self.customer.activity_schedule(
                    activity_type_id=kind.id, user_id=self.sara.id
                )
                activity.with_user(self.sara).action_feedback(feedback="Talked")
                self.env.cr.flush()
                if not is_first:
                    self._call(date=fields.Datetime.to_string(NOW))
                self.env["coverage.ledger"]._backfill()
                touch = self._touches(self.customer)
                self.assertEqual(touch.mapped("source"), ["telephone"])

    def test_calls_of_two_hours_are_two_contacts(self):
        self._log_touch(self.customer, date=NOW - timedelta(hours=3))
        self._call()
        self.assertEqual(len(self._touches(self.customer)), 2)

    # === WHO WAS IT === #

    def _match(self, touch, user=None, **values):
        wizards = self.env["coverage.match.touch"].with_user(user or self.sara)
        wizards.create({"touch_id": touch.id, **values}).action_match()

    def test_all_calls_of_a_number_follow_to_who_it_was(self):
        touches = self._call(number=UNKNOWN) + self._call(self.sam, number=UNKNOWN)
        other = self._call(number="+32470888888")
        bob = self._create_customer("Bob", parent_id=self.customer.id, is_company=False)
        self._match(touches[0], partner_id=bob.id)
        self.assertEqual(touches.customer_id, self.row)
        self.assertEqual(touches.partner_id, bob)
        self.assertEqual(bob.phone, UNKNOWN)
        self.assertFalse(other.customer_id)
        self.assertFacts(self.customer, last_contact_date=TODAY)
        self.assertEqual(self._call(number=UNKNOWN).partner_id, bob)

    def test_number_that_is_known_already_is_kept(self):
        self._match(self._call(number=UNKNOWN), partner_id=self.anna.id)
        self.assertEqual(self.anna.phone, NUMBER)

    def test_number_can_be_a_leads(self):
        touch = self._call(number=UNKNOWN)
        lead = self._create_opportunity(self.env["res.partner"], user_id=self.sara.id)
        self._match(touch, lead_id=lead.id)
        self.assertEqual(touch.lead_id, lead)
        self.assertEqual(lead.phone, UNKNOWN)

    def test_nobody_chosen_is_refused(self):
        with self.assertRaises(UserError):
            self._match(self._call(number=UNKNOWN))

    def test_contact_that_is_known_is_not_given_to_another(self):
        other = self._create_known_buyer(10, name="Other", user_id=self.sara.id)
        for touch in (self._call(), self._log_touch(self.customer)):
            with self.subTest(source=touch.source), self.assertRaises(UserError):
                self._match(touch, partner_id=other.id)
            self.assertEqual(touch.customer_id, self.row)

    def test_customer_of_another_is_not_chosen(self):
        other = self._create_known_buyer(10, name="Other", user_id=self.olga.id)
        with self.assertRaises(UserError):
            self._match(self._call(number=UNKNOWN), partner_id=other.id)

    @users("cover_sam")
    def test_call_one_may_not_see_is_not_matched(self):
        touch = self._call(self.sara, number=UNKNOWN)
        with self.assertRaises(AccessError):
            self._match(touch, self.env.user, partner_id=self.anna.id)


@tagged("post_install", "-at_install")
class TestTouchTelephoneHttp(CallCase, HttpCase):
    """The documented way: Odoo's external API with an API key."""

    def _get_key(self, user):
        keys = self.env["res.users.apikeys"].with_user(user).sudo()
        return keys._generate("rpc", "Telephone", None)

    def _post(self, key, method="log_call", **values):
        self.env.flush_all()
        headers = {"Authorization": f"bearer {key}"} if key else {}
        values = {
            "number": NUMBER,
            "direction": "in",
            "date": "2024-05-31 14:05:00",
            "seconds": 95,
            **values,
        }
        response = self.url_open(
            f"/json/2/coverage.touch/{method}", json=values, headers=headers
        )
        self.env.invalidate_all()
        return response

    def test_key_of_a_seller_notes_a_call_once(self):
        key = self._get_key(self.sara)
        first = self._post(key, external_id="pbx-1", result="answered")
        again = self._post(key, external_id="pbx-1", result="answered")
        self.assertEqual(first.status_code, 200, first.text)
        self.assertEqual(first.json(), again.json())
        touch = self.env["coverage.touch"].browse(first.json())
        self.assertEqual(touch.user_id, self.sara)
        self.assertEqual(touch.customer_id, self.row)
        self.assertEqual(touch.company_id, self.company)
        self.assertEqual(touch.direction, "in")

    def test_without_a_valid_key_nothing_is_noted(self):
        for key in (None, "0" * 40):
            with self.subTest(key=key):
                self.assertEqual(self._post(key).status_code, 401)
        self.assertFalse(self._touches(self.customer))

    def test_key_of_who_does_not_sell_is_refused(self):
        with self.assertLogs("odoo.http", "WARNING"):
            response = self._post(self._get_key(self.clerk))
        self.assertEqual(response.status_code, 403)

    def test_call_of_another_needs_the_key_of_a_manager(self):
        with self.assertLogs("odoo.http", "WARNING"):
            response = self._post(self._get_key(self.sara), user_login="cover_sam")
        self.assertEqual(response.status_code, 403)
        response = self._post(self._get_key(self.manager), user_login="cover_sam")
        touch = self.env["coverage.touch"].browse(response.json())
        self.assertEqual(touch.user_id, self.sam)

    def test_bad_input_is_answered_with_what_is_expected(self):
        key = self._get_key(self.sara)
        for values, expected in (
            ({"number": "abc"}, "telephone number"),
            ({"seconds": "95"}, "must be a number"),
            ({"date": "yesterday"}, "must be in UTC"),
            ({"direction": None}, "must be “in” or “out”"),
        ):
            with self.subTest(values=values), self.assertLogs("odoo.http", "WARNING"):
                response = self._post(key, **values)
                self.assertEqual(response.status_code, 422)
                self.assertIn(expected, response.json()["message"])
        self.assertFalse(self._touches(self.customer))

    def test_what_is_not_the_api_cannot_be_called(self):
        key = self._get_key(self.manager)
        for method in ("message_new", "_note_call", "_settle", "message_post"):
            with self.subTest(method=method), self.assertLogs("odoo.http", "WARNING"):
                self.assertIn(self._post(key, method).status_code, (403, 404, 422))


@tagged("post_install", "-at_install")
class TestTouchTelephoneTogether(BaseCase):
    """Two telephone systems report one call at the same moment, in two transactions.

    These tests commit, and delete afterwards what they noted.
    """

    EXTERNAL_ID = "coverage-race"

    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())
        self.addCleanup(self._delete)

    def _delete(self):
        env = self._open()
        env.cr.execute(
            "DELETE FROM coverage_touch WHERE external_id = %s", [self.EXTERNAL_ID]
        )
        env.cr.commit()  # as it was  # pylint: disable=invalid-commit

    def _open(self):
        cr = self.registry.cursor()
        self.addCleanup(cr.close)
        cr.execute("SET lock_timeout = '2s'")
        cr.commit()  # the setting lasts  # pylint: disable=invalid-commit
        return api.Environment(cr, SUPERUSER_ID, {})

    def _report(self, env):
        return env["coverage.touch"].log_call(
            UNKNOWN, "in", "2024-05-31 14:05:00", 95, external_id=self.EXTERNAL_ID
        )

    def test_second_report_is_tried_again_and_finds_the_first(self):
        first, second = self._open(), self._open()
        find = self.registry["coverage.touch"]._find_call

        def finding(touches, *args):
            found = find(touches, *args)
            if touches.env.cr is second.cr and not self.noted:
                self.noted.append(self._report(first))
                first.cr.commit()  # just before  # pylint: disable=invalid-commit
            return found

        self.noted = []
        with (
            patch.object(self.registry["coverage.touch"], "_find_call", finding),
            mute_logger("odoo.sql_db"),
            self.assertRaises(ConcurrencyError),
        ):
            self._report(second)
        second.cr.rollback()
        self.assertEqual([self._report(second)], self.noted)
