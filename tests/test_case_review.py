from datetime import timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged

from .common import NOW, TODAY, ago
from .test_meeting import MeetingCase


@freeze_time(NOW)
@tagged("post_install", "-at_install")
class TestCaseReview(MeetingCase):
    """What happens to an A is looked back on, and found again."""

    def _get_cases(self, partner=None):
        domain = [("company_id", "=", self.company.id)]
        if partner:
            domain.append(("customer_id", "=", self._row(partner).id))
        return self.env["coverage.case.review"].search(domain, order="id")

    def _create_review(self, user=None, **values):
        row = self._row(self.leaders[0])
        return self.env["coverage.case.review"].create(
            {
                "customer_id": row.id,
                "user_id": (user or self.sara).id,
                "kind": "won",
                "date": TODAY,
                **values,
            }
        )

    # === WHAT HAPPENED === #

    def test_first_classification_is_no_case(self):
        self.assertFalse(self._get_cases())

    def test_lapsed_and_woken_a_is_a_case(self):
        self.env["coverage.refresh"]._refresh_customers(
            self.rows, NOW + timedelta(days=400), "job"
        )
        self.assertEqual(self._get_cases().mapped("kind"), ["lapsed"] * 3)
        self.assertEqual(self._get_cases().user_id, self.sellers)
        later = NOW + timedelta(days=401)
        order = self._confirm_order(self.leaders[0], 9_000)
        order.date_order = later
        self.env["coverage.refresh"]._refresh_customers(self.rows, later, "job")
        self.assertEqual(
            self._get_cases(self.leaders[0]).mapped("kind"), ["lapsed", "woken"]
        )
        self.env["coverage.refresh"]._refresh_customers(self.rows, later, "job")
        self.assertEqual(len(self._get_cases()), 4)

    def test_small_customers_and_what_ifs_are_no_cases(self):
        small = self._create_known_buyer(500, "Small", user_id=self.sara.id)
        self._refresh(NOW + timedelta(days=400))
        self.assertFalse(self._get_cases(small))
        row = self.rows[0]
        count = len(self._get_cases())
        row.with_context(coverage_log={"origin": "run"}).write({"lifecycle": "regular"})
        row.with_context(coverage_log={"origin": "undo"}).write(
            {"lifecycle": "sleeping"}
        )
        self.assertEqual(len(self._get_cases()), count)

    def test_first_order_of_an_a_is_won(self):
        with self._on_day(2):
            prospect = self._create_customer("Promising", user_id=self.sara.id)
            row = self._row(prospect)
            row._declare_potential(12_000, "asked")
        self.assertEqual((row.segment_id.code, row.lifecycle), ("A", "prospect"))
        row.write({"lifecycle_since": ago(2), "segment_since": ago(2)})
        self._confirm_order(prospect, 400)
        case = self._get_cases(prospect)
        self.assertEqual(
            (case.kind, case.user_id, case.state), ("won", self.sara, "to_write")
        )

    def test_opportunities_of_an_a_are_cases_when_closed(self):
        big, small, lost = (
            self._create_opportunity(self.leaders[number], expected_revenue=amount)
            for number, amount in enumerate((5_000, 100, 100))
        )
        (big | small).action_set_won()
        lost.action_set_lost()
        found = {one.lead_id: one.kind for one in self._get_cases()}
        self.assertEqual(found, {big: "won", lost: "lost"})
        lost.action_unarchive()
        lost.action_set_lost()
        self.assertEqual(len(self._get_cases()), 2)

    def test_cost_does_not_grow_and_nothing_costs_nothing(self):
        partners = self._create_buyers(112, 10_000, user_id=self.sara.id)
        self._refresh()
        rows = self._get_rows(partners)
        rows.write({"segment_id": self.segments["A"].id})

        def count(some, values):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            some.write(values)
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        asleep = {"lifecycle": "sleeping"}
        count(rows[:2], asleep)
        few, many = count(rows[2:12], asleep), count(rows[12:], asleep)
        self.assertLessEqual(many, few + 1)
        self.assertEqual(len(self._get_cases()), 112)

    # === WHO WRITES AND READS IT === #

    def test_owner_writes_and_those_who_should_know_see_it_on_their_day(self):
        review = self._create_review()
        days = self.env["coverage.day"]
        self.assertEqual(
            [one["code"] for one in days.with_user(self.sara).get_day()["cases"]],
            ["write"],
        )
        mine = review.with_user(self.sara)
        mine.write({"worked": "Two tastings", "reader_ids": [(4, self.olga.id)]})
        self.assertEqual((review.state, review.written_date), ("written", TODAY))
        self.assertFalse(days.with_user(self.sara).get_day()["cases"])
        told = days.with_user(self.olga).get_day()["cases"]
        self.assertEqual(told[0]["ids"], review.ids)
        self.assertEqual(review.with_user(self.olga).worked, "Two tastings")
        with self.assertRaises(AccessError):
            review.with_user(self.olga).worked = "Mine"
        review.written_date = ago(8)
        self.assertFalse(days.with_user(self.olga).get_day()["cases"])

    def test_my_day_does_not_nag(self):
        review, other = self._create_review(), self._create_review(kind="lost")
        days = self.env["coverage.day"].with_user(self.sara)
        self.assertEqual(len(days.get_day()["cases"]), 1)
        review.with_user(self.sara).action_skip()
        self.assertEqual(review.state, "skipped")
        days.with_user(self.sam).action_hide_cases(other.ids)
        self.assertTrue(days.get_day()["cases"])
        days.action_hide_cases(other.ids)
        self.assertFalse(days.get_day()["cases"])
        self._create_review(kind="woken", date=ago(31))
        self.assertFalse(days.get_day()["cases"])

    def test_only_the_lesson_is_written_by_hand(self):
        review = self._create_review().with_user(self.sara)
        with self.assertRaises(UserError):
            review.kind = "lost"
        with self.assertRaises(AccessError):
            self.env["coverage.case.review"].with_user(self.sara).create(
                {"customer_id": self._row(self.leaders[1]).id, "kind": "won"}
            )

    def test_review_comes_up_in_the_next_meeting_and_only_there(self):
        review = self._create_review()
        soon, later = self._create_meeting(days=2), self._create_meeting(days=9)
        review.with_user(self.sara).next_time = "Ask the chef first"
        self.assertEqual((soon.review_ids, later.review_ids), (review, review.browse()))
        self.assertEqual(self._get_pack(soon)["reviews"][0]["author"], "cover_sara")
        self.assertEqual(review.with_user(self.sam).next_time, "Ask the chef first")
        third = self._create_meeting(days=20)
        self.assertFalse(third.review_ids)

    def test_review_written_before_the_meeting_is_planned_is_in_it(self):
        review = self._create_review(did_not="Three e-mails")
        self.assertEqual(self._create_meeting().review_ids, review)

    def test_who_sees_which_review(self):
        review = self._create_review(worked="It did")
        for user, is_seen in (
            (self.sara, True),
            (self.sam, False),
            (self.leader, True),
            (self.south_leader, False),
            (self.manager, True),
            (self.stranger, False),
        ):
            with self.subTest(user.login):
                context = {"allowed_company_ids": user.company_ids.ids}
                reviews = review.with_user(user).with_context(**context)
                found = reviews.search([("id", "=", review.id)])
                self.assertEqual(bool(found), is_seen)

    def test_reviews_follow_a_merge(self):
        review = self._create_review()
        row, kept = self._row(self.leaders[0]), self._row(self.leaders[1])
        self.env["coverage.fold"]._fold(row.partner_id, kept.partner_id)
        self.assertEqual(review.customer_id, kept)
