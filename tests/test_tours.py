from datetime import timedelta

from odoo import Command, fields
from odoo.tests import HttpCase, tagged


class TourCase(HttpCase):
    """A company with a handful of customers, for a real browser to walk through."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context={"no_reset_password": True, "tracking_disable": True})
        cls.company = cls.env["res.company"].create(
            {"name": "Tour Company", "currency_id": cls.env.ref("base.USD").id}
        )
        cls.env = cls.env(
            context={**cls.env.context, "allowed_company_ids": cls.company.ids}
        )
        cls.manager = cls._create_user("tour_manager", "sales_team.group_sale_manager")
        cls.seller = cls._create_user("tour_seller", "sales_team.group_sale_salesman")
        cls.seller.name = "Tour Seller"
        cls.product = cls.env["product.product"].create(
            {"name": "Tour Product", "type": "service", "taxes_id": False}
        )
        cls.leaders = [
            cls._create_buyer(f"Tour Leader {number}", 10_000, cls.manager)
            for number in range(3)
        ]
        cls.bravo = cls._create_buyer("Tour Bravo", 6_000, cls.seller)
        cls.charlie = cls._create_buyer("Tour Charlie", 4_400, cls.seller)
        cls.env["coverage.refresh"]._run_refresh(cls.company, fields.Datetime.now())
        cls.segment_b = cls.env.ref("crm_sales_coverage.segment_b")

    @classmethod
    def _create_user(cls, login, *groups):
        return cls.env["res.users"].create(
            {
                "name": login,
                "login": login,
                "password": login,
                "email": f"{login}@example.com",
                "company_id": cls.company.id,
                "company_ids": [Command.set(cls.company.ids)],
                "group_ids": [
                    Command.set(
                        [
                            cls.env.ref(group).id
                            for group in ("base.group_user", *groups)
                        ]
                    )
                ],
            }
        )

    @classmethod
    def _create_buyer(cls, name, amount, owner):
        """Return a contact that bought once, 20 days ago."""
        partner = cls.env["res.partner"].create(
            {"name": name, "is_company": True, "user_id": owner.id}
        )
        line = {"product_id": cls.product.id, "price_unit": amount, "tax_ids": False}
        cls.env["sale.order"].create(
            {
                "partner_id": partner.id,
                "company_id": cls.company.id,
                "state": "sale",
                "date_order": fields.Datetime.now() - timedelta(days=20),
                "order_line": [Command.create({**line, "product_uom_qty": 1})],
            }
        )
        return partner

    def _row(self, partner):
        return self.env["coverage.customer"].search([("partner_id", "=", partner.id)])

    @classmethod
    def _prepare_day(cls):
        """Give the seller three customers to contact, the first with a person."""
        cls.delta = cls._create_buyer("Tour Delta", 4_000, cls.seller)
        cls.person = cls.env["res.partner"].create(
            {
                "name": "Tina Tour",
                "parent_id": cls.bravo.id,
                "email": "tina@example.com",
                "phone": "+1 212-555-0123",
            }
        )
        now = fields.Datetime.now()
        cls.env["coverage.refresh"]._run_refresh(cls.company, now)
        rows = cls.env["coverage.customer"].search([("user_id", "=", cls.seller.id)])
        rows.rhythm_start_date = now.date()
        cls.env["coverage.refresh"]._run_refresh(cls.company, now)
        cls.env["coverage.cadence"]._run_cadence(cls.company, now)

    @classmethod
    def _create_leader(cls):
        """Return the leader of a team whose member is the seller."""
        leader = cls._create_user(
            "tour_leader", "crm_sales_coverage.group_coverage_team_leader"
        )
        team = cls.env["crm.team"].create(
            {
                "name": "Tour Team",
                "company_id": cls.company.id,
                "user_id": leader.id,
                "crm_team_member_ids": [Command.create({"user_id": cls.seller.id})],
            }
        )
        rows = cls.env["coverage.customer"].search([("user_id", "=", cls.seller.id)])
        rows.team_id = team
        return leader

    def _planned(self, partner):
        """Return the contact that the rhythm planned, done or not."""
        return (
            self.env["mail.activity"]
            .with_context(active_test=False)
            .search([("coverage_customer_id", "=", self._row(partner).id)])
        )


@tagged("post_install", "-at_install")
class TestTours(TourCase):
    """A real browser walks the screens of rank, rhythm, roles and handoffs."""

    def test_manager_pins_previews_applies_and_undoes(self):
        self.assertEqual(self._row(self.charlie).segment_id.code, "C")
        self.start_tour("/odoo", "coverage_manager", login="tour_manager")
        self.env.invalidate_all()
        bravo, charlie = self._row(self.bravo), self._row(self.charlie)
        self.assertEqual(bravo.segment_id.code, "A")
        self.assertEqual(bravo.segment_computed_id.code, "B")
        self.assertEqual(bravo.segment_manual_reason, "Buys for the whole group")
        run = self.env["coverage.run"].search(
            [("company_id", "=", self.company.id), ("origin", "=", "preview")]
        )
        self.assertEqual(run.state, "undone")
        self.assertEqual(run.what_if, {"segment": {"B": {"typical_share": 40.0}}})
        self.assertEqual(self.segment_b.typical_share, 60)
        self.assertEqual(charlie.segment_id.code, "C")

    def test_seller_declares_a_potential(self):
        self.start_tour("/odoo", "coverage_seller", login="tour_seller")
        self.env.invalidate_all()
        bravo = self._row(self.bravo)
        self.assertEqual(bravo.declared_potential, 9_000)
        self.assertEqual(bravo.declared_how, "Buys half of it elsewhere")
        self.assertEqual(bravo.segment_id.code, "A")

    def test_start_checklist_settings_and_badges(self):
        admin = self._create_user(
            "tour_admin", "base.group_system", "sales_team.group_sale_manager"
        )
        # Odoo's settings page asks about pricelists, where there are any.
        self.env["product.pricelist"].search([]).action_archive()
        self.env["crm.lead"].create(
            {
                "name": "Tour Deal",
                "type": "opportunity",
                "partner_id": self.leaders[1].id,
                "company_id": self.company.id,
                "user_id": admin.id,
            }
        )
        self.start_tour("/odoo", "coverage_start", login="tour_admin")
        self.env.invalidate_all()
        self.assertEqual(self.company.coverage_preset, "seasonal")
        self.assertEqual(self.company.coverage_sleeping_days, 365)
        self.assertEqual(self.company.coverage_stay_days, 20)

    def test_my_day_call_moves_the_next_contact_and_closes_the_activity(self):
        self._prepare_day()
        activity = self._planned(self.bravo)
        self.assertTrue(activity.active)
        today = fields.Date.today()
        self.start_tour("/odoo", "coverage_day", login="tour_seller")
        self.env.invalidate_all()
        bravo, charlie = self._row(self.bravo), self._row(self.charlie)
        touch = bravo.touch_ids
        self.assertEqual(touch.partner_id, self.person)
        self.assertEqual((touch.minutes, touch.is_two_way), (5, True))
        self.assertEqual(touch.note, "Wants an offer")
        self.assertGreater(bravo.next_contact_date, today + timedelta(days=30))
        self.assertFalse(activity.active)
        self.assertTrue(activity.date_done)
        self.assertEqual(charlie.contact_state, "paused")
        self.assertFalse(charlie.touch_ids, "The visit was taken back.")
        delta = self._row(self.delta)
        self.assertTrue(delta.leave_alone_asked_until)
        self.assertEqual(delta.leave_alone_reason, "Closed for rebuilding")

    def test_my_day_writes_an_email(self):
        self._prepare_day()
        self.start_tour("/odoo", "coverage_day_email", login="tour_seller")
        message = self.bravo.message_ids.filtered(
            lambda one: one.subject == "Our offer"
        )
        self.assertEqual(message.partner_ids, self.person)

    def test_my_day_shows_no_more_than_the_norm(self):
        self._prepare_day()
        self.company.coverage_day_norm = 1
        self.start_tour("/odoo", "coverage_day_whole", login="tour_seller")

    def test_my_day_of_somebody_without_customers(self):
        self._create_user("tour_new", "sales_team.group_sale_salesman")
        self.start_tour("/odoo", "coverage_day_empty", login="tour_new")

    def test_leader_opens_a_members_day_grants_and_matches(self):
        self._prepare_day()
        self._create_leader()
        delta = self._row(self.delta)
        until = fields.Date.today() + timedelta(days=40)
        delta.write(
            {
                "leave_alone_asked_until": until,
                "leave_alone_reason": "Closed",
                "leave_alone_user_id": self.seller.id,
            }
        )
        call = self.env["coverage.touch"].create(
            {
                "company_id": self.company.id,
                "channel": "call",
                "direction": "in",
                "is_two_way": True,
                "minutes": 3,
                "number": "+12125550199",
                "source": "telephone",
            }
        )
        self.start_tour("/odoo", "coverage_leader", login="tour_leader")
        self.env.invalidate_all()
        self.assertEqual(delta.leave_alone_until, until)
        self.assertFalse(delta.leave_alone_asked_until)
        self.assertEqual(call.customer_id, self._row(self.bravo))

    def test_manager_previews_the_rhythm_and_switches_it_on(self):
        cron = self.env.ref("crm_sales_coverage.ir_cron_cadence")
        cron.active = False
        self._prepare_day()
        self.company.coverage_capacity = 1
        self.segment_b.contact_interval_days = 30
        self.start_tour("/odoo", "coverage_rhythm", login="tour_manager")
        self.env.invalidate_all()
        self.assertTrue(cron.active)

    def test_manager_reads_the_reports(self):
        reason = self.env["crm.lost.reason"].create({"name": "Too far away"})
        refused = self.env.ref("crm_sales_coverage.outcome_refused")
        self.env["coverage.touch"].sudo().create(
            {
                "company_id": self.company.id,
                "customer_id": self._row(self.bravo).id,
                "user_id": self.seller.id,
                "outcome_id": refused.id,
                "refusal_reason_id": reason.id,
                "is_two_way": True,
                "minutes": 4,
            }
        )
        lead = self.env["crm.lead"].create(
            {
                "name": "Tour lead",
                "type": "opportunity",
                "company_id": self.company.id,
                "user_id": self.seller.id,
            }
        )
        lead.action_set_lost(lost_reason_id=reason.id)
        self.start_tour("/odoo", "coverage_reports", login="tour_manager")

    def test_manager_decides_who_covers_whom(self):
        self.start_tour("/odoo", "coverage_rule_matrix", login="tour_manager")
        self.env.invalidate_all()
        rule = self.env["coverage.rule"].search([("name", "=", "Tour Rule")])
        self.assertEqual(self._row(self.bravo).rule_id, rule)

    def test_manager_names_a_stage_boss_and_reads_the_board(self):
        self._create_leader()
        team = self.env["crm.team"].search([("name", "=", "Tour Team")])
        hunter = self.env.ref("crm_sales_coverage.role_hunter")
        team.crm_team_member_ids.coverage_role_ids = hunter
        self.bravo.country_id = self.env.ref("base.us")
        orders = self.env["sale.order"].search([("partner_id", "=", self.bravo.id)])
        orders.user_id = self.seller
        stage = self.env["crm.stage"].create(
            {
                "name": "Tour Talks",
                "coverage_role_id": hunter.id,
                "rotting_threshold_days": 7,
            }
        )
        for name, days in (("Tour Old", 10), ("Tour Fresh", 1)):
            lead = self.env["crm.lead"].create(
                {
                    "name": name,
                    "type": "opportunity",
                    "company_id": self.company.id,
                    "team_id": team.id,
                    "user_id": self.seller.id,
                    "stage_id": stage.id,
                }
            )
            lead.date_last_stage_update = fields.Datetime.now() - timedelta(days=days)
        self.start_tour("/odoo", "coverage_stage_board", login="tour_manager")
        self.env.invalidate_all()
        self.assertEqual(stage.coverage_owner_ids.user_id, self.seller)
        self.assertEqual(
            team.crm_team_member_ids.coverage_country_ids, self.env.ref("base.us")
        )

    def test_offer_accept_watch_and_hand_back(self):
        receiver = self._create_user("tour_receiver", "sales_team.group_sale_salesman")
        receiver.name = "Tour Receiver"
        leader = self._create_leader()
        farmer = self.env.ref("crm_sales_coverage.role_farmer")
        self.env["crm.team"].search([("user_id", "=", leader.id)]).write(
            {"crm_team_member_ids": [Command.create({"user_id": receiver.id})]}
        )
        receiver.crm_team_member_ids.coverage_role_ids = farmer
        bravo = self._row(self.bravo)
        bravo.role_id = farmer
        self.start_tour("/odoo", "coverage_handoff_offer", login="tour_seller")
        self.env.invalidate_all()
        handoff = bravo.handoff_ids
        self.assertEqual((handoff.state, handoff.to_user_id), ("offered", receiver))
        self.start_tour("/odoo", "coverage_handoff_accept", login="tour_receiver")
        self.env.invalidate_all()
        self.assertEqual((handoff.state, bravo.user_id), ("watched", receiver))
        self.start_tour("/odoo", "coverage_handoff_watch", login="tour_seller")
        self.env.invalidate_all()
        self.assertTrue(handoff.is_hand_raised)
        self.start_tour("/odoo", "coverage_handoff_back", login="tour_receiver")
        self.env.invalidate_all()
        self.assertEqual((handoff.state, bravo.user_id), ("handed_back", self.seller))
        self.assertEqual(handoff.answer_reason, "Wants its old seller")

    def test_manager_previews_the_handoffs_and_switches_them_on(self):
        cron = self.env.ref("crm_sales_coverage.ir_cron_handoff")
        cron.active = False
        self.start_tour("/odoo", "coverage_handoff_preview", login="tour_manager")
        self.env.invalidate_all()
        self.assertTrue(cron.active)
