from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged, users
from odoo.tools import mute_logger

from .common import NOW, CoverageCase

HELD = {"segment_manual_id", "segment_manual_until", "segment_manual_reason"}
CLICK_LIMIT = "odoo.addons.crm_sales_coverage.models.coverage_run.CLICK_LIMIT"
APPLICATION = "odoo.addons.crm_sales_coverage.models.coverage_application"
HIGHER_B = {"segment": {"B": {"typical_share": 85}}}


@tagged("post_install", "-at_install")
class TestRun(CoverageCase):
    """Preview, apply, undo."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_leaders()
        cls.near = cls._create_known_buyer(8_100, name="Near")
        cls.nearer = cls._create_known_buyer(8_200, name="Nearer")
        cls.low = cls._create_known_buyer(5_000, name="Low")
        cls._refresh()

    def _moves(self, run, state=None):
        """Return the changes of a run as ``(name, field, from, to)``."""
        return sorted(
            (
                line.customer_id.partner_id.name,
                line.field_name,
                line.old_label,
                line.new_label,
            )
            for line in run.change_ids
            if not state or line.state == state
        )

    # === PREVIEW === #

    def test_preview_shows_who_moves_and_writes_nothing(self):
        before = self._versions()
        run = self._plan(**HIGHER_B)
        self.assertEqual(
            self._moves(run),
            [
                ("Low", "segment_id", "B", "C"),
                ("Near", "segment_id", "A", "B"),
                ("Nearer", "segment_id", "A", "B"),
            ],
        )
        self.assertEqual(run.state, "planned")
        self.assertEqual(set(run.change_ids.mapped("state")), {"planned"})
        self.assertEqual(run.customer_count, 6)
        self.assertEqual(self._versions(), before)
        self.assertEqual(self.segments["B"].typical_share, 60)

    def test_preview_of_the_present_rules_moves_nobody(self):
        self.assertFalse(self._plan().change_ids)

    def test_preview_again_replaces_the_former(self):
        run = self._plan(**HIGHER_B)
        run.what_if = {}
        run.action_plan()
        self.assertFalse(run.change_ids)

    def test_preview_names_the_former_value(self):
        run = self._plan(**HIGHER_B, company={"coverage_leader_rate": 0.2})
        lines = run.what_if_text.splitlines()
        self.assertEqual(len(lines), 2)
        self.assertTrue(lines[0].endswith(": 10 % → 20 %"), lines)
        self.assertTrue(lines[1].endswith(": 60 → 85"), lines)

    def test_preview_of_leaders_has_a_reference_of_its_own(self):
        rich = self._create_known_buyer(40_000, name="Rich")
        self._refresh()
        latest = self.env["coverage.reference"]._get_latest(self.company)
        self.assertEqual(latest.amount, 10_000)
        run = self._plan(company={"coverage_lookback_years": 5})
        self.assertFalse(run.reference_id.active)
        self.assertEqual(
            self.env["coverage.reference"]._get_latest(self.company), latest
        )
        self.assertStands(rich, "A", "hot", "new")

    def test_what_if_that_names_what_does_not_exist_is_refused(self):
        for what_if in (
            {"segment": {"Z": {"typical_share": 10}}},
            {"segment": {"B": {"color": 3}}},
            {"temperature": {"boiling": {"min_score": 90}}},
            {"temperature": {"hot": {"name": "Boiling"}}},
            {"company": {"name": "Other"}},
            {"company": {"coverage_typo": 1}},
            {"team": {}},
        ):
            with self.subTest(what_if=what_if), self.assertRaises(UserError):
                self._plan(**what_if)

    def test_what_if_that_cannot_hold_is_refused(self):
        for what_if in (
            {"segment": {"B": {"typical_share": 20}}},
            {"segment": {"B": {"typical_share": 120}}},
            {"segment": {"A": {"expected_yield_rate": 0}}},
            {"segment": {"A": {"expected_yield_rate": "much"}}},
            {"temperature": {"hot": {"min_score": 60}}},
            {"company": {"coverage_leader_rate": 0}},
            {"company": {"coverage_revenue_source": "dreams"}},
            {"segment": {"B": 85}},
            {"segment": ["B"]},
        ):
            with (
                self.subTest(what_if=what_if),
                mute_logger("odoo.sql_db"),
                self.assertRaises(UserError),
                self.env.cr.savepoint(),
            ):
                self._plan(**what_if)

    def test_neighbours_may_be_tried_together(self):
        run = self._plan(
            segment={"B": {"typical_share": 25}, "C": {"typical_share": 20}}
        )
        self.assertEqual(run.state, "planned")

    # === APPLY === #

    def test_apply_writes_what_the_preview_showed_and_makes_the_rules_real(self):
        run = self._plan(**HIGHER_B)
        planned = self._moves(run)
        run.action_apply()
        self.assertEqual(run.state, "applied")
        self.assertEqual(self._moves(run, "applied"), planned)
        self.assertStands(self.near, "B", "hot", "new")
        self.assertStands(self.low, "C", "hot", "new")
        self.assertEqual(self.segments["B"].typical_share, 85)
        self.assertEqual(run.what_if_former, {"segment": {"B": {"typical_share": 60}}})

    def test_night_after_apply_changes_nothing(self):
        self._plan(**HIGHER_B).action_apply()
        before, history = self._versions(), self._history()
        self._refresh()
        self.assertEqual(self._versions(), before)
        self.assertEqual(self._history(), history)

    def test_apply_of_a_setting_changes_the_company(self):
        run = self._plan(company={"coverage_hysteresis_rate": 0.0})
        run.action_apply()
        self.assertEqual(self.company.coverage_hysteresis_rate, 0)
        run.action_undo()
        self.assertEqual(self.company.coverage_hysteresis_rate, 0.1)

    def test_what_no_longer_comes_out_the_same_is_outdated(self):
        run = self._plan(**HIGHER_B)
        self._confirm_order(self.near, 5_000)
        run.action_apply()
        self.assertEqual(
            self._moves(run, "outdated"), [("Near", "segment_id", "A", "B")]
        )
        self.assertEqual(run.outdated_count, 1)
        self.assertStands(self.near, "A", "hot", "new")
        self.assertStands(self.nearer, "B", "hot", "new")

    def test_what_somebody_pinned_since_is_outdated(self):
        run = self._plan(**HIGHER_B)
        self._rate(self.near, "D")
        run.action_apply()
        self.assertEqual(run.outdated_count, 1)
        self.assertStands(self.near, "D", "hot", "new")

    def test_preview_older_than_the_rules_is_refused(self):
        run = self._plan(**HIGHER_B)
        before = self._versions()
        self.segments["C"].typical_share = 25
        with self.assertRaisesRegex(UserError, "Preview again"):
            run.action_apply()
        self.assertEqual(run.state, "planned")
        self.assertEqual(self._versions(), before)

    def test_preview_older_than_the_settings_is_refused(self):
        run = self._plan(**HIGHER_B)
        self.company.coverage_stay_days = 7
        with self.assertRaisesRegex(UserError, "Preview again"):
            run.action_apply()

    def test_preview_older_than_the_reference_is_refused(self):
        run = self._plan(**HIGHER_B)
        self._refresh(NOW + timedelta(days=1))
        with self.assertRaisesRegex(UserError, "Preview again"):
            run.action_apply()

    def test_refused_customer_is_outdated_and_stops_nobody(self):
        run = self._plan(**HIGHER_B)
        with self._refuse(self.near, "segment_id"), self.assertLogs(APPLICATION):
            run.action_apply()
        self.assertEqual(
            self._moves(run, "outdated"), [("Near", "segment_id", "A", "B")]
        )
        self.assertStands(self.nearer, "B", "hot", "new")

    # === UNDO === #

    def test_undo_that_another_rule_refuses_is_listed(self):
        run = self._plan(**HIGHER_B)
        run.action_apply()
        refused = self._row(self.near)
        with self._refuse(self.near, "segment_id"), self.assertLogs(APPLICATION):
            run.action_undo()
        self.assertEqual(run.state, "undone")
        self.assertEqual(
            {line.state for line in run.change_ids if line.customer_id == refused},
            {"kept"},
        )
        self.assertStands(self.nearer, "A", "hot", "new")

    def test_apply_and_undo_end_where_they_began(self):
        before = self._without_pins()
        run = self._plan(**HIGHER_B)
        run.action_apply()
        run.action_undo()
        self.assertEqual(run.state, "undone")
        self.assertEqual(set(run.change_ids.mapped("state")), {"undone"})
        self.assertEqual(self.segments["B"].typical_share, 60)
        self.assertSameRows(self._without_pins(), before)

    def _without_pins(self):
        """Return the rows but for what holds a restored segment."""
        return {
            key: {name: value for name, value in row.items() if name not in HELD}
            for key, row in self._snapshot().items()
        }

    def test_applied_on_a_later_day_it_is_undone_all_the_same(self):
        before = self._without_pins()
        run = self._plan(**HIGHER_B)
        with self._on_day(-1):
            run.action_apply()
        with self._on_day(-2):
            run.action_undo()
        standings = {
            key: {
                name: value
                for name, value in row.items()
                if name != "temperature_score"
            }
            for key, row in before.items()
        }  # the days more count for it, and for nothing else
        found = self._without_pins()
        self.assertSameRows(
            {
                key: {name: found[key][name] for name in row}
                for key, row in standings.items()
            },
            standings,
        )

    def test_undone_is_still_undone_after_the_next_nights(self):
        run = self._plan(**HIGHER_B)
        run.action_apply()
        run.action_undo()
        for days in (1, 2, 31, 60):
            self._refresh(NOW + timedelta(days=days))
            self.assertEqual(self._row(self.near).segment_id.code, "A")
            self.assertEqual(self._row(self.low).segment_id.code, "B")

    def test_undone_night_is_held_for_the_minimum_stay(self):
        order = self._confirm_order(self.low, 5_000)
        self._refresh()
        with patch.object(type(self.env["coverage.refresh"]), "_refresh_partners"):
            order._action_cancel()
        run = self._refresh(NOW + timedelta(days=40))
        self.assertIn(("Low", "segment_id", "A", "B"), self._moves(run))
        with self._on_day(-40):
            run.action_undo()
        for days, segment in ((41, "A"), (70, "A"), (71, "B")):
            self._refresh(NOW + timedelta(days=days))
            self.assertEqual(self._row(self.low).segment_id.code, segment, days)

    def test_undo_keeps_and_lists_what_somebody_changed_since(self):
        run = self._plan(**HIGHER_B)
        run.action_apply()
        self._rate(self.near, "D")
        run.action_undo()
        self.assertStands(self.near, "D", "hot", "new")
        self.assertStands(self.nearer, "A", "hot", "new")
        self.assertEqual(self._moves(run, "kept"), [("Near", "segment_id", "A", "B")])
        self.assertEqual(run.kept_count, 1)

    def test_undo_keeps_and_names_rules_that_somebody_changed_since(self):
        run = self._plan(
            segment={"B": {"typical_share": 85}}, company={"coverage_stay_days": 5}
        )
        run.action_apply()
        self.segments["B"].typical_share = 70
        run.action_undo()
        self.assertEqual(self.segments["B"].typical_share, 70)
        self.assertEqual(self.company.coverage_stay_days, 30)
        self.assertIn("B: Typical Share of an A (%)", run.note)

    def test_undo_is_written_to_the_history(self):
        run = self._plan(**HIGHER_B)
        run.action_apply()
        run.action_undo()
        lines = self.env["coverage.change"].search(
            [
                ("customer_id", "=", self._row(self.near).id),
                ("field_name", "=", "segment_id"),
                ("origin", "=", "undo"),
            ]
        )
        self.assertEqual((lines.old_label, lines.new_label), ("B", "A"))

    # === STATES === #

    def test_only_listed_transitions_are_possible(self):
        run = self._plan()
        run.action_cancel()
        for action in (run.action_plan, run.action_apply, run.action_undo):
            with self.assertRaisesRegex(UserError, "cannot become"):
                action()
        self.assertEqual(run.state, "cancelled")

    def test_nothing_happens_twice(self):
        run = self._plan(**HIGHER_B)
        with self.assertRaisesRegex(UserError, "cannot become"):
            run.action_undo()
        run.action_apply()
        with self.assertRaisesRegex(UserError, "cannot become"):
            run.action_apply()
        run.action_undo()
        with self.assertRaisesRegex(UserError, "cannot become"):
            run.action_undo()

    def test_draft_is_not_applied_unseen(self):
        run = self.env["coverage.run"].create(
            {"company_id": self.company.id, "what_if": HIGHER_B}
        )
        with self.assertRaises(UserError):
            run.action_apply()
        self.assertEqual(self.segments["B"].typical_share, 60)

    # === LARGE RUNS === #

    def _run_job(self):
        with self.enter_registry_test_mode():
            self.cron.method_direct_trigger()

    @patch(CLICK_LIMIT, 2)
    def test_large_run_goes_on_by_job(self):
        run = self._plan(**HIGHER_B)
        planned = self._moves(run)
        run.action_apply()
        self.assertEqual(run.state, "applying")
        self.assertEqual(len(self._moves(run, "applied")), 2)
        self.assertTrue(
            self.env["ir.cron.trigger"].search([("cron_id", "=", self.cron.id)])
        )
        self._run_job()
        self.assertEqual(run.state, "applied")
        self.assertEqual(self._moves(run, "applied"), planned)

    @patch(CLICK_LIMIT, 1)
    def test_large_undo_goes_on_by_job(self):
        before = self._without_pins()
        run = self._plan(**HIGHER_B)
        run.action_apply()
        self._run_job()
        self.assertEqual(run.state, "applied")
        run.action_undo()
        self._run_job()
        self.assertEqual(run.state, "undone")
        self.assertEqual(set(run.change_ids.mapped("state")), {"undone"})
        self.assertSameRows(self._without_pins(), before)

    # === WHO MAY === #

    @users("cover_manager")
    def test_manager_tries_applies_and_undoes(self):
        run = self.env["coverage.run"].create(
            {"company_id": self.company.id, "what_if": HIGHER_B}
        )
        run.action_plan()
        self.assertTrue(run.summary["tables"])
        run.action_apply()
        run.action_undo()
        self.assertEqual(run.state, "undone")

    @users("cover_leader", "cover_sara")
    def test_others_cannot(self):
        run = self._plan(**HIGHER_B).with_env(self.env)
        for action in (
            run.action_plan,
            run.action_apply,
            run.action_undo,
            run.action_cancel,
        ):
            with self.assertRaises(AccessError):
                action()

    def test_manager_of_another_company_cannot(self):
        run = self._plan(**HIGHER_B).with_user(self.stranger)
        run = run.with_context(allowed_company_ids=self.elsewhere.ids)
        with self.assertRaises(AccessError):
            run.action_apply()

    # === DIALOG === #

    @users("cover_manager")
    def test_dialog_makes_a_preview_of_what_was_changed(self):
        dialog = self.env["coverage.what.if"].create({})
        with self.assertRaisesRegex(UserError, "Nothing differs"):
            dialog.action_preview()
        dialog.segment_ids.filtered(
            lambda line: line.segment_id.code == "B"
        ).typical_share = 85
        dialog.coverage_stay_days = 0
        action = dialog.action_preview()
        run = self.env["coverage.run"].browse(action["res_id"])
        self.assertEqual(
            run.what_if, {**HIGHER_B, "company": {"coverage_stay_days": 0}}
        )
        self.assertEqual(run.moved_count, 3)
