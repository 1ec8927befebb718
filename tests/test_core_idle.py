from dataclasses import replace
from datetime import date, timedelta

from odoo.tests import BaseCase, tagged

from odoo.addons.crm_sales_coverage.core.idle import (
    IdleRules,
    LeadSilence,
    Silence,
    decide_idle,
    decide_lead,
    protecting_days,
)
from odoo.addons.crm_sales_coverage.core.records import SegmentRule

TODAY = date(2025, 6, 2)
RULES = IdleRules(
    {
        "A": SegmentRule("A", 100, 30, 0.8, needs_proof=True),
        "B": SegmentRule("B", 60, 90, 0.7),
        "D": SegmentRule("D", 0, 180, 0.5, channel="email"),
    },
    {"A": 60, "B": 135, "D": 0},
    {"A": 180, "B": 270, "D": 0},
)


def ago(days):
    """Return the day that many days before today."""
    return TODAY - timedelta(days=days)


def silent(days, segment="B", **facts):
    """Return a customer that was last spoken to so many days ago."""
    usual = {
        "lifecycle": "regular",
        "last_contact_date": ago(days),
        "last_proven_date": ago(days),
        "owned_since": ago(1000),
    }
    return Silence(segment, **{**usual, **facts})


def live(silence, days, rules=RULES, skipped=()):
    """Return ``{day: level}`` of each day's change, from today on.

    :param skipped: days on which the job did not run
    """
    changes = {}
    for number in range(days):
        if number in skipped:
            continue
        verdict = decide_idle(silence, rules, ago(-number))
        level = "idle" if verdict.code == "idle" else verdict.level
        known = "idle" if silence.idle_since else silence.warning_level
        if level != known:
            changes[number] = level
        silence = replace(
            silence,
            warning_level=verdict.level,
            warning_date=verdict.warning_date,
            idle_since=verdict.idle_since,
        )
    return changes


@tagged("post_install", "-at_install")
class TestCoreIdle(BaseCase):
    def decide(self, silence, rules=RULES):
        verdict = decide_idle(silence, rules, TODAY)
        again = replace(
            silence,
            warning_level=verdict.level,
            warning_date=verdict.warning_date,
            idle_since=verdict.idle_since,
        )
        self.assertEqual(decide_idle(again, rules, TODAY), verdict)  # twice
        return verdict

    # === THE CLOCK === #

    def test_clock_starts_at_the_latest_of_what_starts_it(self):
        for facts, days in (
            ({}, 100),
            ({"owned_since": ago(40)}, 40),
            ({"away_since": ago(60), "away_until": ago(30)}, 30),
            ({"retry_since": ago(20)}, 20),
            ({"leave_alone_until": ago(10)}, 10),
            ({"leave_alone_until": ago(10), "is_snooze": True}, 100),
            ({"last_contact_date": None, "owned_since": ago(90)}, 90),
        ):
            with self.subTest(facts):
                verdict = self.decide(silent(100, **facts))
                self.assertEqual(verdict.silent_days, days)
                self.assertEqual(verdict.leaves, ago(days - 135))

    def test_no_clock_starts_before_the_switch(self):
        rules = replace(RULES, switched_on=ago(5))
        self.assertEqual(self.decide(silent(100), rules).silent_days, 5)

    def test_terms_are_those_of_segment_and_prospects(self):
        for segment, lifecycle, term in (
            ("A", "regular", 60),
            ("B", "regular", 135),
            ("B", "prospect", 45),
            ("D", "prospect", 0),
            (None, "prospect", 45),
            (None, "new", 0),
        ):
            with self.subTest(segment=segment, lifecycle=lifecycle):
                verdict = self.decide(silent(10, segment, lifecycle=lifecycle))
                self.assertEqual(verdict.term_days, term)
                self.assertEqual(verdict.code, "silent" if term else "off")

    def test_mail_counts_where_the_rhythm_is_by_mail(self):
        rules = replace(RULES, contact_days={"D": 200})
        silence = silent(190, "D", last_email_date=ago(3))
        self.assertEqual(self.decide(silence, rules).silent_days, 3)
        self.assertEqual(
            self.decide(silent(100, "B", last_email_date=ago(3))).silent_days, 100
        )

    def test_contact_by_hand_puts_off_but_not_for_ever(self):
        for proven, spoken, left in (
            (59, 59, 14),  # not warned yet: each warning leaves its days
            (59, 2, 14),
            (40, 1, 20),
            (110, 1, 14),
            (130, 1, 14),
        ):
            with self.subTest(proven=proven, spoken=spoken):
                silence = silent(
                    proven, "A", last_contact_date=ago(spoken), warning_level=0
                )
                leaves = self.decide(silence).leaves
                self.assertEqual((leaves - TODAY).days, left)
        warned = silent(
            62, "A", last_contact_date=ago(1), warning_level=3, warning_date=ago(3)
        )
        self.assertEqual((self.decide(warned).leaves - TODAY).days, 6)
        for_ever = replace(warned, last_proven_date=ago(121), last_contact_date=ago(1))
        self.assertEqual(self.decide(for_ever).code, "idle")

    # === WHAT STANDS AGAINST IT === #

    def test_exemptions(self):
        for facts, code in (
            ({"leave_alone_until": TODAY}, "paused"),
            ({"leave_alone_until": ago(1)}, "silent"),
            ({"protected_until": TODAY}, "protected"),
            ({"protected_until": ago(1)}, "silent"),
            ({"is_quoted": True}, "quoted"),
            ({"is_handed": True}, "handed"),
            ({"is_away": True}, "away"),
            ({"tried_since": ago(134)}, "unreachable"),
            ({"tried_since": ago(135)}, "silent"),
            ({"tried_since": ago(44), "lifecycle": "prospect"}, "unreachable"),
            ({"tried_since": ago(45), "lifecycle": "prospect"}, "silent"),
            ({"is_owned": False}, "pool"),
        ):
            with self.subTest(facts):
                marked = {"warning_level": 2, "warning_date": ago(3)}
                verdict = self.decide(silent(140, **facts, **marked))
                self.assertEqual(verdict.code, code)
                if code != "silent":
                    self.assertEqual((verdict.level, verdict.idle_since), (0, None))

    # === THE LADDER === #

    def test_warnings_come_on_their_days(self):
        found = live(silent(100), 60)
        self.assertEqual(found, {21: 1, 28: 2, 34: 3, 35: "idle"})

    def test_long_neglected_get_all_warnings_first(self):
        found = live(silent(900), 30)
        self.assertEqual(found, {0: 1, 7: 2, 13: 3, 14: "idle"})

    def test_job_that_did_not_run_moves_the_end_and_skips_nothing(self):
        for skipped, expected in (
            (range(21, 28), {28: 1, 35: 2, 41: 3, 42: "idle"}),
            (range(22, 32), {21: 1, 32: 2, 38: 3, 39: "idle"}),
            (range(29, 50), {21: 1, 28: 2, 50: 3, 51: "idle"}),
            (range(35, 40), {21: 1, 28: 2, 34: 3, 40: "idle"}),
        ):
            with self.subTest(skipped):
                self.assertEqual(live(silent(100), 70, skipped=skipped), expected)

    def test_own_days_of_warning(self):
        rules = replace(RULES, warning_days=(30, 10, 3))
        found = live(silent(100), 60, rules)
        self.assertEqual(found, {5: 1, 25: 2, 32: 3, 35: "idle"})

    def test_short_terms_are_warned_of_too(self):
        rules = replace(RULES, contact_days={"B": 5})
        found = live(silent(0), 40, rules)
        self.assertEqual(found, {0: 1, 7: 2, 13: 3, 14: "idle"})

    def test_nobody_is_warned_while_it_is_observed(self):
        rules = replace(RULES, observed_until=ago(-29))
        self.assertEqual(
            live(silent(900), 60, rules), {30: 1, 37: 2, 43: 3, 44: "idle"}
        )
        verdict = self.decide(silent(900), rules)
        self.assertEqual((verdict.leaves - TODAY).days, 30 + 14)

    def test_contact_ends_the_warnings(self):
        marked = silent(140, warning_level=3, warning_date=ago(2), idle_since=ago(1))
        self.assertEqual(self.decide(marked).code, "idle")
        for facts in (
            {"last_contact_date": TODAY},
            {"owned_since": TODAY},
            {"retry_since": TODAY},
        ):
            with self.subTest(facts):
                verdict = self.decide(replace(marked, **facts))
                self.assertEqual((verdict.code, verdict.level), ("silent", 0))
                self.assertIsNone(verdict.idle_since)

    def test_attempts_do_not_end_the_warnings(self):
        marked = silent(140, warning_level=3, warning_date=ago(2))
        self.assertEqual(self.decide(marked).code, "idle")

    def test_short_absence_does_not_start_the_clock_anew(self):
        for away, silent_days in (((11, 10), 140), ((12, 10), 10), ((30, 2), 2)):
            with self.subTest(away):
                since, until = map(ago, away)
                verdict = self.decide(silent(140, away_since=since, away_until=until))
                self.assertEqual(verdict.silent_days, silent_days)

    # === ORDERS === #

    def test_missing_orders_are_told_once_the_term_is_over(self):
        for facts, since in (
            ({"last_order_date": ago(270)}, 0),
            ({"last_order_date": ago(269)}, None),
            ({"last_order_date": ago(300)}, 30),
            ({"last_order_date": ago(300), "lifecycle": "sleeping"}, 30),
            ({"last_order_date": ago(300), "owned_since": ago(100)}, None),
            ({"last_order_date": ago(300), "order_kept_since": ago(2)}, None),
            ({"last_order_date": ago(300), "longest_silence_days": 400}, None),
            ({"last_order_date": ago(300), "is_quoted": True}, None),
            ({"last_order_date": None}, None),
        ):
            with self.subTest(facts):
                verdict = self.decide(silent(1, **facts))
                expected = None if since is None else ago(since)
                self.assertEqual(verdict.missing_since, expected)

    def test_orders_missing_before_the_switch_are_an_old_story(self):
        for days, is_told in ((280, True), (281, False)):
            rules = replace(RULES, switched_on=ago(10))
            verdict = self.decide(silent(1, last_order_date=ago(days)), rules)
            self.assertEqual(bool(verdict.missing_since), is_told)

    # === DEALS AND LEADS === #

    def test_open_deals_protect_as_long_as_won_ones_took(self):
        for found, days in (
            ((None, 0), 90),
            ((12.0, 9), 90),
            ((12.0, 10), 30),
            ((120.4, 10), 121),
        ):
            with self.subTest(found):
                self.assertEqual(protecting_days(*found), days)

    def test_leads_are_warned_once_and_released(self):
        for lead, code, level, left in (
            (LeadSilence(ago(13)), "silent", 0, 8),
            (LeadSilence(ago(14)), "silent", 1, 7),
            (LeadSilence(ago(100)), "silent", 1, 7),
            (LeadSilence(ago(100), warning_date=ago(6)), "silent", 1, 1),
            (LeadSilence(ago(100), warning_date=ago(7)), "idle", 1, 0),
            (LeadSilence(ago(3), warning_date=ago(7)), "silent", 0, 18),
            (LeadSilence(ago(-3), warning_date=ago(7)), "silent", 0, 24),
            (LeadSilence(ago(100), is_quoted=True), "quoted", 0, None),
            (LeadSilence(ago(100), is_away=True), "away", 0, None),
        ):
            with self.subTest(lead):
                verdict = decide_lead(lead, RULES, TODAY)
                found = verdict.leaves and (verdict.leaves - TODAY).days
                self.assertEqual(
                    (verdict.code, verdict.level, found), (code, level, left)
                )
