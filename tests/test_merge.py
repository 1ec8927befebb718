from odoo.tests import tagged

from .common import NOW, TODAY, CoverageCase, ago


@tagged("post_install", "-at_install")
class TestMerge(CoverageCase):
    """Two contacts that turn out to be one customer become one row."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_leaders()
        cls.target = cls._create_known_buyer(3_000, name="Target")
        cls.source = cls._create_known_buyer(4_000, name="Source")

    def _merge(self, *sources):
        partners = self.target.union(*sources or (self.source,))
        wizard = self.env["base.partner.merge.automatic.wizard"].create(
            {"partner_ids": partners.ids, "dst_partner_id": self.target.id}
        )
        wizard.action_merge()
        self.env.invalidate_all()
        self.assertFalse((partners - self.target).exists())

    def _check_settled(self):
        """Assert that the night finds nothing to do."""
        self._refresh()
        before = self._versions()
        self._refresh(NOW)
        self.assertEqual(self._versions(), before)

    def test_two_rows_become_one_with_the_revenue_of_both(self):
        row = self._row(self.target)
        self._merge()
        self.assertEqual(self._row(self.target), row)
        self.assertFacts(self.target, revenue_12m=7_000, order_count=2)
        self.assertStands(self.target, "B", "hot", "new")
        self._check_settled()

    def test_row_of_the_source_alone_moves_to_the_target(self):
        self.target = self._create_customer("Fresh Target")
        row = self._row(self.source)
        self._merge()
        self.assertEqual(self._row(self.target), row)
        self.assertFacts(self.target, revenue_12m=4_000)

    def test_target_without_owner_pin_and_declaration_gets_the_sources(self):
        source = self._row(self.source)
        self.source.user_id = self.sara
        self._rate(self.source, "A", until=TODAY)
        source._declare_potential(9_500, "asked")
        source._confirm_potential(8_000)
        self._merge()
        row = self._row(self.target)
        self.assertEqual(row.user_id, self.sara)
        self.assertEqual(row.team_id, self.north)
        self.assertEqual(row.owned_since, TODAY)
        self.assertEqual(self.target.user_id, self.sara)
        self.assertEqual(row.segment_manual_id.code, "A")
        self.assertEqual(row.segment_manual_until, TODAY)
        self.assertEqual(row.segment_manual_reason, "Test")
        self.assertEqual(row.declared_potential, 9_500)
        self.assertEqual(row.declared_how, "asked")
        self.assertEqual(row.confirmed_potential, 8_000)
        self.assertEqual(row.potential, 8_000)

    def test_targets_owner_pin_and_declaration_win(self):
        for customer, user, segment, amount in (
            (self.target, self.sara, "B", 5_000),
            (self.source, self.olga, "A", 9_500),
        ):
            customer.user_id = user
            self._rate(customer, segment)
            self._row(customer)._declare_potential(amount, "asked")
        self._merge()
        row = self._row(self.target)
        self.assertEqual(row.user_id, self.sara)
        self.assertEqual(row.team_id, self.north)
        self.assertEqual(row.segment_manual_id.code, "B")
        self.assertEqual(row.declared_potential, 5_000)

    # === RIGHTS, REQUESTS AND HANDOFFS === #

    def test_rights_come_with_the_owner(self):
        self.source.user_id = self.sara
        rights = {"protected_until": TODAY, "registered_date": ago(3)}
        self._row(self.source).write(rights)
        self._merge()
        row = self._row(self.target)
        self.assertEqual(row.user_id, self.sara)
        self.assertEqual({name: row[name] for name in rights}, rights)
        change = row.change_ids.filtered(lambda one: one.field_name == "user_id")
        self.assertIn("Merged with Source.", change.mapped("reason_text"))

    def test_rights_of_another_owner_end(self):
        for customer, user, day in (
            (self.target, self.sara, ago(1)),
            (self.source, self.olga, TODAY),
        ):
            customer.user_id = user
            self._row(customer).protected_until = day
        self._merge()
        self.assertEqual(self._row(self.target).protected_until, ago(1))

    def test_one_owner_of_both_keeps_the_longer_right(self):
        for customer, day in ((self.target, ago(1)), (self.source, TODAY)):
            customer.user_id = self.sara
            self._row(customer).protected_until = day
        self._merge()
        self.assertEqual(self._row(self.target).protected_until, TODAY)

    def test_requests_and_handoffs_are_kept_once(self):
        for customer in (self.target, self.source):
            customer.user_id = self.sara
            row = self._row(customer)
            requests = self.env["coverage.request"].with_user(self.sara)
            requests._ask("archive", {row: row}, customer.name)
            for state in ("declined", "draft"):
                self.env["coverage.handoff"].create(
                    {
                        "customer_id": row.id,
                        "to_user_id": self.sam.id,
                        "reason": "Grew",
                    }
                ).state = state
            row = self._row(self.source)
        requests._ask("release", {row: row}, "No time")
        self._merge()
        row = self._row(self.target)
        self.assertEqual(
            sorted(row.request_ids.mapped("reason")), ["No time", "Target"]
        )
        self.assertEqual(
            sorted(row.handoff_ids.mapped("state")), ["declined", "declined", "draft"]
        )

    def test_merged_leads_keep_requests_and_handoffs(self):
        self.target.user_id = self.sara
        row = self._row(self.target)
        leads = self.env["crm.lead"].concat(
            *(
                self._create_opportunity(self.target, user_id=self.sara.id)
                for _number in range(2)
            )
        )
        requests = self.env["coverage.request"].with_user(self.sara)
        for lead in leads:
            requests._ask("lost", {lead: row}, "No budget")
            self.env["coverage.handoff"].create(
                {"lead_id": lead.id, "to_user_id": self.sam.id, "reason": "Grew"}
            )
        merged = leads.merge_opportunity()
        self.assertEqual(row.request_ids.lead_id, merged)
        self.assertEqual(len(row.request_ids), 1)
        handoffs = self.env["coverage.handoff"].search([("lead_id", "=", merged.id)])
        self.assertEqual(len(handoffs), 1)

    def test_history_of_both_is_kept(self):
        self._confirm_order(self.source, 5_000)
        self._confirm_order(self.target, 2_000)
        lines = self._row(self.source).change_ids + self._row(self.target).change_ids
        self.assertEqual(len(lines), 2)
        self._merge()
        row = self._row(self.target)
        self.assertLessEqual(lines, row.change_ids)
        self.assertEqual(set(lines.mapped("res_id")), {row.id})

    def test_watchers_of_both_are_kept(self):
        self._row(self.source).watcher_ids = self.sam
        self._row(self.target).watcher_ids = self.sara
        self._merge()
        self.assertEqual(self._row(self.target).watcher_ids, self.sam | self.sara)

    def test_contacts_with_both_are_kept(self):
        touches = self._log_touch(self.source, days_ago=2)
        touches += self._log_touch(self.target, days_ago=5)
        touches += self._log_touch(self.source, days_ago=1, is_two_way=False)
        touches[2].active = False
        self._merge()
        self.assertEqual(set(touches.customer_id), {self._row(self.target)})
        self.assertEqual(touches.partner_id, self.target)
        self.assertFacts(
            self.target, last_contact_date=ago(2), last_attempt_date=ago(2)
        )

    def test_meeting_that_both_attended_counts_once(self):
        for customer in (self.source, self.target):
            self._log_touch(customer, source="meeting", origin_id=7)
        self._merge()
        self.assertEqual(len(self._row(self.target).touch_ids), 1)

    def test_offers_and_covers_are_of_the_row_that_stays(self):
        row, kept = self._row(self.source), self._row(self.target)
        claims = self.env["coverage.claim"]
        values = claims._prepare_offer(self.sara, self.company, row, NOW)
        passed = claims.create({**values, "state": "passed"})
        absence = self.env["coverage.absence"].create(
            {
                "user_id": self.sara.id,
                "company_id": self.company.id,
                "from_date": TODAY,
                "until_date": TODAY,
            }
        )
        absence._prepare_lines(row)
        self._merge()
        self.assertEqual(passed.customer_id, kept)
        self.assertEqual(absence.line_ids.customer_id, kept)

    def test_rows_of_other_companies_are_folded_too(self):
        self._confirm_order(self.source, 100, company=self.elsewhere)
        self._merge()
        row = self._row(self.target, self.elsewhere)
        self.assertEqual(row.revenue_12m, 100)
        self.assertTrue(row.active)

    def test_three_contacts_become_one_customer(self):
        third = self._create_known_buyer(1_000, name="Third")
        self._merge(self.source, third)
        self.assertFacts(self.target, revenue_12m=8_000)

    def test_archived_source_does_not_hide_the_customer(self):
        self.target = self._create_customer("Fresh Target")
        self.source.active = False
        self._merge()
        row = self._row(self.target)
        self.assertTrue(row.active)
        self.assertEqual(row.revenue_12m, 4_000)

    def test_excluded_target_stays_excluded(self):
        self._row(self.target).action_exclude()
        self._merge()
        self.assertFalse(self._row(self.target).active)

    def test_excluded_source_does_not_hide_an_active_target(self):
        self._row(self.source).action_exclude()
        self._merge()
        self.assertTrue(self._row(self.target).active)
        self.assertFacts(self.target, revenue_12m=7_000)

    def test_contacts_of_one_company_merge_without_us(self):
        first, second = (
            self._create_customer(name, parent_id=self.target.id, is_company=False)
            for name in ("First", "Second")
        )
        row = self._row(self.target)
        company, self.target = self.target, first
        self._merge(second)
        self.assertEqual(self._row(company), row)

    def test_company_merged_into_a_contact_loses_no_revenue(self):
        contact = self._create_customer(
            "Contact", parent_id=self.target.id, is_company=False
        )
        company, self.target = self.target, contact
        self._merge()
        # Odoo makes the contact a company, as the source was
        self.assertEqual(contact.commercial_partner_id, contact)
        self.assertFacts(contact, revenue_12m=4_000)
        self.assertFacts(company, revenue_12m=3_000)

    # === NEW COMMERCIAL PARENT === #

    def test_customer_that_becomes_a_contact_folds_into_its_company(self):
        source = self._row(self.source)
        source._declare_potential(9_500, "asked")
        self.source.write({"parent_id": self.target.id, "is_company": False})
        self.assertFalse(source.exists())
        self.assertFalse(self._row(self.source))
        self.assertFacts(self.target, revenue_12m=7_000, declared_potential=9_500)
        self._check_settled()

    def test_subsidiary_keeps_its_own_row(self):
        row = self._row(self.source)
        self.source.parent_id = self.target
        self.assertEqual(self._row(self.source), row)
        self.assertFacts(self.source, revenue_12m=4_000)

    def test_contact_that_becomes_a_company_takes_its_revenue_along(self):
        self.source.write({"parent_id": self.target.id, "is_company": False})
        self.source.is_company = True
        self.assertFacts(self.target, revenue_12m=3_000)
        self.assertFacts(self.source, revenue_12m=4_000)
        self._check_settled()
