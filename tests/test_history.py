from odoo.tests import tagged, users

from .common import NOW, CoverageCase, ago


@tagged("post_install", "-at_install")
class TestHistory(CoverageCase):
    """Every move leaves one line with its reason, whoever made it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_leaders()
        cls.customer = cls._create_known_buyer(3_000)
        cls.row = cls._row(cls.customer)

    def _get_change(self, name="segment_id"):
        return self.env["coverage.change"].search(
            [("customer_id", "=", self.row.id), ("field_name", "=", name)]
        )

    def test_first_classification_is_no_change(self):
        self.assertStands(self.customer, "C", "hot", "new")
        self.assertFalse(self._history())

    def test_move_by_an_order_is_logged_with_its_reason(self):
        self._confirm_order(self.customer, 4_000)
        change = self._get_change()
        self.assertEqual((change.old_label, change.new_label), ("C", "B"))
        self.assertEqual((change.origin, change.state), ("event", "applied"))
        self.assertEqual(change.reason["code"], "nearest")
        self.assertEqual(change.reason["share"], 70)
        self.assertEqual(change.reason["reference"], 10_000)
        self.assertIn(
            "$ 7,000 is 70 % of an A", change.reason_text.replace("\xa0", " ")
        )
        self.assertEqual(change.potential, 7_000)
        self.assertEqual(change.revenue_12m, 7_000)
        self.assertEqual(change.date, NOW)
        self.assertEqual(change.field_label, "Segment")

    def test_move_reversed_on_its_own_day_leaves_no_trace(self):
        before = self._snapshot()
        order = self._confirm_order(self.customer, 4_000)
        self.assertEqual(self._history(self.customer), [("segment_id", "C", "B")])
        order._action_cancel()
        self.assertEqual(self._history(self.customer), [])
        self.assertSameRows(self._snapshot(), before)

    def test_two_moves_of_one_day_are_one_line(self):
        self._confirm_order(self.customer, 4_000)
        self._confirm_order(self.customer, 2_000)
        self.assertEqual(self._history(self.customer), [("segment_id", "C", "A")])

    def test_move_by_the_night_names_its_run(self):
        run = self._refresh(NOW.replace(year=2031, month=1))
        change = self._get_change("lifecycle")
        self.assertEqual((change.old_value, change.new_value), ("new", "sleeping"))
        self.assertEqual((change.origin, change.run_id), ("job", run))
        self.assertTrue(change.reason_text)

    def test_silence_by_night_freezes(self):
        self._refresh(NOW.replace(year=2031, month=1))
        self.assertEqual(
            self._history(self.customer),
            [
                ("temperature_id", "Hot", "Frozen"),
                ("lifecycle", "New", "Sleeping"),
                ("role_id", "Hunter", "Business Developer"),
            ],
        )

    def test_pin_is_logged_with_its_author(self):
        self.row.with_user(self.leader).sudo().team_id = self.north
        self.row.with_user(self.leader)._set_manual_segment(
            self.segments["A"], "Chairman's friend", False
        )
        pin, move = self._get_change("segment_manual_id"), self._get_change()
        self.assertEqual((pin.origin, pin.author_id), ("hand", self.leader))
        self.assertEqual((move.old_label, move.new_label), ("C", "A"))
        self.assertEqual(move.reason["code"], "manual")
        self.assertEqual(move.author_id, self.leader)

    def test_declared_potential_is_logged(self):
        self.row._declare_potential(9_000, "asked")
        change = self._get_change("declared_potential")
        self.assertEqual((change.old_value, change.new_value), (False, "9000.0"))
        self.assertEqual(self._get_change().new_label, "A")

    @users("cover_manager")
    def test_whoever_writes_the_row_is_logged(self):
        row = self.row.with_env(self.env)
        row.write({"team_id": self.south.id})
        self.assertEqual(self._get_change("team_id").author_id, self.manager)

    def test_writing_the_same_value_leaves_no_line(self):
        self.row.write({"segment_id": self.row.segment_id.id})
        self.assertFalse(self._history(self.customer))

    def test_every_reason_of_the_history_has_a_sentence(self):
        numbers = {
            "potential": 1,
            "reference": 2,
            "share": 50,
            "score": 3,
            "yield": 0.5,
        }
        why = self.env["coverage.why"]
        money = why._money(self.company.currency_id)
        for name, codes in (
            ("segment_id", why._get_segment_sentences(numbers, money)),
            ("temperature_id", why._get_temperature_sentences(numbers)),
            ("lifecycle", why._get_lifecycle_sentences()),
        ):
            for code in codes:
                change = self.env["coverage.change"].new(
                    {
                        "reason": {"code": code, **numbers},
                        "company_id": self.company.id,
                        "model": "coverage.customer",
                        "field_name": name,
                    }
                )
                self.assertEqual(change.reason_text, codes[code])

    def test_days_since_are_kept_with_the_decision(self):
        self.assertEqual(self.row.segment_since, ago(1))
        self._confirm_order(self.customer, 4_000)
        self.assertEqual(self.row.segment_since, ago(0))
        self.assertEqual(self.row.segment_left_id, self.segments["C"])
