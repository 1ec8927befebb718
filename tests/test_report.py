from datetime import datetime, timedelta

from lxml import etree

from odoo.exceptions import AccessError
from odoo.tests import tagged, users
from odoo.tools import SQL
from odoo.tools.safe_eval import safe_eval

from .common import NOW, TODAY, CoverageCase, ago

CONTACTS = "coverage.touch.report"
ATTENTION = "coverage.attention.report"
POURED = "coverage.poured.report"
REPORTS = (CONTACTS, ATTENTION, POURED)
ACTIONS = (
    "coverage_touch_report_action",
    "coverage_touch_report_action_refusal",
    "coverage_attention_report_action",
    "coverage_attention_report_action_plan",
    "coverage_poured_report_action",
)


class ReportCase(CoverageCase):
    """Customers of every segment, an A of Sara's among them; nobody was contacted."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_leaders()
        owners = {"user_id": cls.sara.id}
        cls.a = cls._row(cls._create_known_buyer(9_000, name="A of Sara", **owners))
        cls.b = cls._row(cls._create_known_buyer(6_000, name="B of Sara", **owners))
        cls.c = cls._row(cls._create_known_buyer(3_000, name="C of Sara", **owners))
        cls.small = cls._row(cls._create_known_buyer(500, name="Small C", **owners))
        cls.olgas = cls._row(
            cls._create_known_buyer(9_000, name="A of Olga", user_id=cls.olga.id)
        )

    @classmethod
    def _touch(cls, customer=None, days_ago=1, user=None, **values):
        """Return a two-way call of a customer's owner, as the telephone noted it."""
        company = values.pop("company", cls.company)
        return cls.env["coverage.touch"].create(
            {
                "company_id": company.id,
                "customer_id": customer and customer.id,
                "user_id": (user or (customer and customer.user_id) or cls.sara).id,
                "date": NOW - timedelta(days=days_ago),
                "channel": "call",
                "is_two_way": True,
                "source": "telephone",
                **values,
            }
        )

    @classmethod
    def _settle(cls):
        """Bring the customers' facts up to the ledger."""
        cls.env["coverage.contact"]._write_facts(cls.company)

    def _line(self, customer, user=None):
        """Return the line of a customer in the attention report."""
        self.env.invalidate_all()
        report = self.env[ATTENTION].with_user(user or self.manager)
        return report.browse(customer.id)

    def _total(self, model, domain, *aggregates, user=None):
        """Return the aggregates over all that a user finds."""
        report = self.env[model].with_user(user or self.manager)
        return report._read_group(domain, [], list(aggregates))[0]


@tagged("post_install", "-at_install")
class TestTouchReport(ReportCase):
    """Contacts, counted."""

    def test_contacts_attempts_and_proof_are_counted(self):
        self._touch(self.a, minutes=5)
        self._touch(self.a, minutes=3, source="hand")
        self._touch(self.a, is_two_way=False)
        self._touch(self.a, is_two_way=False, direction="in", channel="email")
        self._touch(self.a, minutes=50, active=False)
        found = self._total(
            CONTACTS,
            [("user_id", "=", self.sara.id)],
            "touch_count:sum",
            "two_way_count:sum",
            "attempt_count:sum",
            "minutes:sum",
            "proven_count:sum",
            "proven_rate:avg",
        )
        self.assertEqual(found, (4, 2, 1, 8, 1, 0.5))

    def test_proven_share_is_of_each_seller(self):
        for source in ("telephone", "hand", "activity", "meeting"):
            self._touch(self.a, source=source)
        self._touch(self.a, user=self.sam, source="hand")
        report = self.env[CONTACTS].with_user(self.leader)
        shares = dict(report._read_group([], ["user_id"], ["proven_rate:avg"]))
        self.assertEqual(shares, {self.sara: 0.5, self.sam: 0.0})

    def test_refusals_are_counted_by_reason_and_outcome(self):
        refused = self.env["coverage.outcome"].search([("is_refusal", "=", True)])[0]
        reason = self.env["crm.lost.reason"].create({"name": "Too dear"})
        self._touch(self.a, outcome_id=refused.id, refusal_reason_id=reason.id)
        self._touch(self.b, outcome_id=refused.id)
        self._touch(self.c)
        groups = self.env[CONTACTS]._read_group(
            [("is_refusal", "=", True)],
            ["refusal_reason_id", "outcome_id", "date:month"],
            ["refusal_count:sum"],
        )
        month = datetime(TODAY.year, TODAY.month, 1)
        nothing = self.env["crm.lost.reason"]
        self.assertEqual(
            groups, [(reason, refused, month, 1), (nothing, refused, month, 1)]
        )

    def test_segment_is_the_present_one(self):
        self._touch(self.b)
        self._rate(self.b.partner_id, "A")
        line = self.env[CONTACTS].search([("customer_id", "=", self.b.id)])
        self.assertEqual(line.segment_id, self.segments["A"])

    def test_contacts_of_leads_and_of_nobody_are_counted(self):
        lead = self._create_opportunity(self.env["res.partner"], user_id=self.sara.id)
        self._touch(lead_id=lead.id)
        self._touch(number="+1555", user_id=False)
        self.assertEqual(self._total(CONTACTS, [], "touch_count:sum"), (2,))

    def test_row_opens_the_contact(self):
        touch = self._touch(self.a)
        action = self.env[CONTACTS].browse(touch.id).action_open_touch()
        self.assertEqual(
            (action["res_model"], action["res_id"]), ("coverage.touch", touch.id)
        )


@tagged("post_install", "-at_install")
class TestAttentionReport(ReportCase):
    """Planned against done, and attention against potential."""

    def test_contacts_owed_follow_the_segment(self):
        for row, owed in ((self.a, 3), (self.b, 1), (self.c, 1), (self.small, 0.5)):
            with self.subTest(customer=row.display_name):
                self.assertEqual(self._line(row).contacts_owed, owed)

    def test_small_c_is_owed_as_a_c_without_a_reference(self):
        self.env["coverage.reference"].search([]).unlink()
        self.assertEqual(self._line(self.small).contacts_owed, 1)

    def test_days_with_a_contact_are_done(self):
        for days_ago in (0, 0, 10, 89):
            self._touch(self.a, days_ago)
        self._touch(self.a, 90)
        self._touch(self.a, 20, is_two_way=False)
        self._touch(self.a, 21, is_counted=False)
        self._touch(self.a, 22, active=False)
        line = self._line(self.a)
        self.assertEqual(line.contacts_done, 3)
        self.assertEqual(line.done_rate, 1)
        self.assertEqual((line.two_way_12m, line.attempts_12m), (5, 1))

    def test_days_are_those_of_the_company(self):
        self.company.partner_id.tz = "Europe/Sofia"
        for hour in (20, 22):  # 23:00 and 1:00 of the next day
            self._touch(self.a, date=datetime(2030, 5, 20, hour))
        self.assertEqual(self._line(self.a).contacts_done, 2)

    def test_year_ends_after_365_days(self):
        self._touch(self.a, 364)
        self._touch(self.a, 365)
        self.assertEqual(self._line(self.a).two_way_12m, 1)

    def test_email_sent_is_done_where_the_segment_is_contacted_by_email(self):
        self._rate(self.c.partner_id, "D")
        for row in (self.b, self.c):
            self._touch(row, channel="email", source="email", is_two_way=False)
        self.assertEqual(self._line(self.b).contacts_done, 0)
        self.assertEqual(self._line(self.c).contacts_done, 1)

    def test_done_share_of_a_group_is_of_its_sums(self):
        self._touch(self.a)
        self._touch(self.b)
        domain = [("id", "in", (self.a + self.b).ids)]
        totals = self._total(
            ATTENTION,
            domain,
            "contacts_owed:sum",
            "contacts_done:sum",
            "done_rate:avg",
        )
        self.assertEqual(totals, (4, 2, 0.5))

    def test_silence_of_an_interval_is_out_of_rhythm(self):
        self._touch(self.a, 29)
        self._touch(self.b, 90)
        self._settle()
        self.assertFalse(self._line(self.a).is_out_of_rhythm)
        self.assertTrue(self._line(self.b).is_out_of_rhythm)
        self.assertTrue(self._line(self.c).is_out_of_rhythm)
        domain = [("user_id", "=", self.sara.id)]
        self.assertEqual(
            self._total(ATTENTION, domain, "out_of_rhythm_count:sum"), (3,)
        )

    def test_unrated_and_archived_customers_are_left_out(self):
        prospect = self._create_customer("Unrated", user_id=self.sara.id)
        self.olgas.action_exclude()
        self.env.flush_all()
        lines = self.env[ATTENTION].search([])
        self.assertNotIn("Unrated", lines.partner_id.mapped("name"))
        self.assertNotIn(self._row(prospect), lines.customer_id)
        self.assertNotIn(self.olgas, lines.customer_id)

    # === SHARES === #

    def test_shares_add_up_for_everybody(self):
        for row, count in ((self.a, 3), (self.b, 1), (self.olgas, 4)):
            for number in range(count):
                self._touch(row, number)
        for user in (self.sara, self.leader, self.manager):
            with self.subTest(user=user.login):
                shares = self._total(
                    ATTENTION, [], "touch_share:sum", "potential_share:sum", user=user
                )
                self.assertAlmostEqual(shares[0], 1)
                self.assertAlmostEqual(shares[1], 1)

    def test_shares_tell_a_seller_nothing_of_others(self):
        self._touch(self.a)
        before = self._line(self.a, self.sara).read(["touch_share", "potential_share"])
        self.assertAlmostEqual(before[0]["touch_share"], 1)
        self.assertAlmostEqual(before[0]["potential_share"], 9_000 / 18_500)
        for number in range(5):
            self._touch(self.olgas, number)
        self.olgas.sudo().potential = 90_000
        after = self._line(self.a, self.sara).read(["touch_share", "potential_share"])
        self.assertEqual(before, after)
        self.assertAlmostEqual(self._line(self.a).touch_share, 1 / 6)

    def test_service_compares_contacts_with_potential(self):
        for number in range(20):
            self._touch(self.small, number)
        for number in range(4):
            self._touch(self.b, 90 * number)
        for row, service in (
            (self.small, "over"),  # most contacts, hardly any potential
            (self.b, "balance"),  # little, but as often as its rhythm asks for
            (self.a, "under"),
        ):
            with self.subTest(customer=row.display_name):
                self.assertEqual(self._line(row).service, service)

    def test_service_is_the_same_for_everybody(self):
        for number in range(20):
            self._touch(self.olgas, number)
        for user in (self.sara, self.leader, self.manager):
            self.assertEqual(self._line(self.a, user).service, "under")

    def test_service_is_unknown_before_the_first_contact(self):
        self.assertFalse(self._line(self.a).service)
        self.assertFalse(self._line(self.a).touch_share)

    # === WHO KNOWS WHOM === #

    def test_decision_maker_is_known_by_a_contact(self):
        person = self._create_customer(
            "Boss", is_company=False, parent_id=self.a.partner_id.id
        )
        self.assertFalse(self._line(self.a).has_decision_maker)
        person.is_decision_maker = True
        self.assertTrue(self._line(self.a).has_decision_maker)
        person.active = False
        self.assertFalse(self._line(self.a).has_decision_maker)
        self.b.partner_id.is_decision_maker = True
        self.assertTrue(self._line(self.b).has_decision_maker)

    def test_who_ever_spoke_with_it_knows_the_customer(self):
        self._touch(self.a, 900)
        self._touch(self.a, 1)
        self._touch(self.a, 2, user=self.sam, is_two_way=False)
        self.assertEqual(self._line(self.a).people_count, 1)
        self._touch(self.a, 800, user=self.sam)
        self.assertEqual(self._line(self.a).people_count, 2)

    def test_who_left_knows_nobody(self):
        self._touch(self.a, 900, user=self.sam)
        self._touch(self.a, 1)
        self.sam.active = False
        lines = self.env[ATTENTION].search([("people_count", "=", 1)])
        self.assertEqual(lines.customer_id, self.a)

    def test_row_opens_the_customer(self):
        action = self._line(self.a).action_open_customer()
        self.assertEqual(
            (action["res_model"], action["res_id"]), ("coverage.customer", self.a.id)
        )


@tagged("post_install", "-at_install")
class TestPouredReport(ReportCase):
    """Leads given up too early."""

    def _lose(self, user=None, amount=0, days_ago=5, opened=100, **values):
        """Return a lead of a seller, opened and lost that many days ago."""
        user = user or self.sara
        lead = self._create_opportunity(
            values.pop("partner", self.env["res.partner"]),
            user_id=user.id,
            team_id=user.sale_team_id.id,
            expected_revenue=amount,
            **values,
        )
        lead.action_set_lost()
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "UPDATE crm_lead SET create_date = %s, date_closed = %s WHERE id = %s",
                NOW - timedelta(days=opened),
                NOW - timedelta(days=days_ago),
                lead.id,
            )
        )
        self.env.invalidate_all()
        return lead

    def _lead_line(self, lead):
        self.env.invalidate_all()
        return self.env[POURED].with_user(self.manager).browse(lead.id)

    def assertTried(self, lead, days):
        line = self._lead_line(lead)
        self.assertEqual((line.attempt_days, line.is_poured), (days, days <= 1))

    def test_days_of_attempts_are_counted(self):
        lead = self._lose()
        self.assertTried(lead, 0)
        for days_ago in (10, 10, 11):
            self._touch(days_ago=days_ago, lead_id=lead.id, is_two_way=False)
        self.assertTried(lead, 2)

    def test_line_says_when_and_how_long(self):
        line = self._lead_line(self._lose(amount=500, days_ago=5, opened=100))
        self.assertEqual(line.date_closed.date(), ago(5))
        self.assertEqual(line.days_open, 95)
        self.assertEqual(line.expected_revenue, 500)
        self.assertEqual(line.user_id, self.sara)
        self.assertEqual(line.company_id, self.company)

    def test_contacts_of_the_customer_count_while_the_lead_is_open(self):
        lead = self._lose(partner=self.a.partner_id)
        other = self._lose(partner=self.a.partner_id)
        self._touch(self.a, 101)  # before
        self._touch(self.a, 1)  # after
        self._touch(self.a, 20, user=self.sam)
        self._touch(self.a, 21, lead_id=other.id)
        self._touch(self.a, 22, channel="email", direction="in")
        self.assertTried(lead, 0)
        self._touch(self.a, 30)
        self._touch(self.a, 31, direction="in")
        self.assertTried(lead, 2)
        self.assertTried(other, 3)

    def test_only_lost_leads_are_listed(self):
        kept = self._create_opportunity(self.a.partner_id)
        won = self._create_opportunity(self.a.partner_id)
        won.action_set_won()
        archived = self._create_opportunity(self.a.partner_id, probability=50)
        archived.active = False
        lost = self._lose()
        leads = self.env[POURED].search([]).lead_id
        self.assertEqual(leads & (kept + won + archived + lost), lost)

    def test_sizes_are_the_quartiles_of_the_company(self):
        leads = [self._lose(amount=amount) for amount in (100, 200, 300, 400, 500)]
        without = self._lose()
        sizes = [self._lead_line(lead).size for lead in (*leads, without)]
        self.assertEqual(sizes, ["small", "medium", "medium", "medium", "large", False])

    def test_size_follows_employees_without_expected_revenue(self):
        leads = [
            self._lose(coverage_employee_count=count) for count in (1, 20, 30, 40, 900)
        ]
        sizes = [self._lead_line(lead).size for lead in leads]
        self.assertEqual(sizes, ["small", "medium", "medium", "medium", "large"])

    def test_rate_is_compared_with_the_team(self):
        for _number in range(3):
            self._lose(self.sara)
        tried = self._lose(self.sam)
        for days_ago in (10, 11):
            self._touch(days_ago=days_ago, user=self.sam, lead_id=tried.id)
        self._lose(self.olga)
        groups = (
            self.env[POURED]
            .with_user(self.leader)
            ._read_group(
                [],
                ["user_id"],
                [
                    "lead_count:sum",
                    "poured_count:sum",
                    "poured_rate:avg",
                    "team_rate:avg",
                    "team_difference:avg",
                ],
            )
        )
        self.assertEqual(
            {user: values for user, *values in groups},
            {
                self.sara: [3, 3, 1.0, 0.75, 0.25],
                self.sam: [1, 0, 0.0, 0.75, -0.75],
            },
        )

    def test_team_is_compared_by_size_and_year(self):
        for amount in (10, 20, 30, 40, 50):
            self._lose(amount=amount)
        old = self._lose(amount=50, days_ago=400, opened=500)
        for days_ago in (450, 460):
            self._touch(days_ago=days_ago, lead_id=old.id)
        domain = [("date_closed", ">=", ago(364))]
        rates = self._total(
            POURED, domain, "poured_rate:avg", "team_rate:avg", user=self.leader
        )
        self.assertEqual(rates, (1, 1))
        self.assertEqual(self._lead_line(old).team_rate, 0)

    def test_lead_without_company_belongs_to_that_of_its_seller(self):
        lead = self._lose(self.stranger, company_id=False)
        report = self.env[POURED].with_user(self.stranger)
        report = report.with_context(allowed_company_ids=self.elsewhere.ids)
        self.assertEqual(report.search([]).lead_id, lead)

    def test_row_opens_the_lead(self):
        lead = self._lose()
        action = self._lead_line(lead).action_open_lead()
        self.assertEqual((action["res_model"], action["res_id"]), ("crm.lead", lead.id))


@tagged("post_install", "-at_install")
class TestReportRights(ReportCase):
    """Who sees what in the reports: own, team, company."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sams = cls._row(
            cls._create_known_buyer(6_000, name="B of Sam", user_id=cls.sam.id)
        )
        cls.pool = cls._row(cls._create_known_buyer(6_000, name="North's pool"))
        cls.pool.team_id = cls.north
        for row in (cls.a, cls.sams, cls.olgas):
            cls._touch(row)
        cls._touch(cls.pool, user=cls.sam)
        for user in (cls.sara, cls.sam, cls.olga):
            lead = cls._create_opportunity(
                cls.env["res.partner"],
                name=f"Lead of {user.login}",
                user_id=user.id,
                team_id=user.sale_team_id.id,
            )
            lead.action_set_lost()
        cls.foreign = cls._create_customer("Elsewhere's")
        cls._confirm_order(cls.foreign, 100, company=cls.elsewhere)
        row = cls._row(cls.foreign, cls.elsewhere)
        cls._touch(row, company=cls.elsewhere, user=cls.stranger)

    def _names(self, model, user):
        """Return the names of what a user finds in a report."""
        lines = self.env[model].with_user(user).search([]).sudo()
        if model == POURED:
            return set(lines.lead_id.mapped("name"))
        return set(lines.customer_id.mapped("display_name"))

    def test_who_sees_which_contacts(self):
        for user, names in (
            (self.sara, {"A of Sara"}),
            (self.sam, {"B of Sam", "North's pool"}),
            (self.leader, {"A of Sara", "B of Sam", "North's pool"}),
            (self.south_leader, {"A of Olga"}),
            (self.manager, {"A of Sara", "B of Sam", "North's pool", "A of Olga"}),
        ):
            with self.subTest(user=user.login):
                self.assertEqual(self._names(CONTACTS, user), names)
                touches = self.env["coverage.touch"].with_user(user).search([])
                lines = self.env[CONTACTS].with_user(user).search([])
                self.assertEqual(set(lines.ids), set(touches.ids))

    def test_who_sees_which_customers(self):
        everybody = {
            user: self.env["coverage.customer"]
            .with_user(user)
            .search([("segment_id", "!=", False)])
            .sudo()
            for user in (self.sara, self.sam, self.olga, self.leader, self.manager)
        }
        self.assertIn(self.pool, everybody[self.sara])
        self.assertNotIn(self.sams, everybody[self.sara])
        for user, customers in everybody.items():
            with self.subTest(user=user.login):
                lines = self.env[ATTENTION].with_user(user).search([])
                self.assertEqual(set(lines.ids), set(customers.ids))

    def test_who_sees_which_leads(self):
        sara, sam, olga = (
            f"Lead of {user.login}" for user in (self.sara, self.sam, self.olga)
        )
        for user, names in (
            (self.sara, {sara}),
            (self.leader, {sara, sam}),
            (self.south_leader, {olga}),
            (self.manager, {sara, sam, olga}),
        ):
            with self.subTest(user=user.login):
                self.assertEqual(self._names(POURED, user), names)

    def test_money_of_others_is_in_no_sum(self):
        total = self._total(ATTENTION, [], "potential:sum", user=self.sara)
        self.assertEqual(total, (9_000 + 6_000 + 3_000 + 500 + 6_000,))
        with self.assertRaises(AccessError):
            self.env[ATTENTION].with_user(self.sara).browse(self.sams.id).read(
                ["potential"]
            )

    def test_watcher_sees_the_customer_watched(self):
        self.olgas.watcher_ids = self.sara
        for model in (CONTACTS, ATTENTION):
            self.assertIn("A of Olga", self._names(model, self.sara))

    @users("cover_clerk")
    def test_who_does_not_sell_sees_no_report(self):
        for model in REPORTS:
            with self.assertRaises(AccessError):
                self.env[model].search([])

    @users("cover_sara")
    def test_rate_of_the_team_is_the_leaders(self):
        with self.assertRaises(AccessError):
            self.env[POURED]._read_group([], [], ["team_rate:avg"])
        self.assertNotIn("team_difference", self.env[POURED].fields_get())

    @users("cover_manager")
    def test_reports_are_read_only(self):
        for model in REPORTS:
            with self.assertRaises(AccessError):
                self.env[model].create({})
            with self.assertRaises(AccessError):
                self.env[model].search([], limit=1).unlink()

    def test_companies_are_apart(self):
        for company, is_foreign in ((self.company, False), (self.elsewhere, True)):
            self.stranger.company_ids |= company
            for model in (CONTACTS, ATTENTION):
                report = (
                    self.env[model]
                    .with_user(self.stranger)
                    .with_context(allowed_company_ids=company.ids)
                )
                self.assertEqual(report.search([]).company_id, company)
                names = report.search([]).sudo().customer_id.mapped("display_name")
                self.assertEqual("Elsewhere's" in names, is_foreign)

    def test_shares_add_up_in_each_company(self):
        self.stranger.company_ids |= self.company
        report = (
            self.env[ATTENTION]
            .with_user(self.stranger)
            .with_context(allowed_company_ids=(self.company + self.elsewhere).ids)
        )
        groups = report._read_group(
            [], ["company_id"], ["touch_share:sum", "potential_share:sum"]
        )
        self.assertEqual(len(groups), 2)
        for _company, *shares in groups:
            self.assertAlmostEqual(shares[0], 1)
            self.assertAlmostEqual(shares[1], 1)


@tagged("post_install", "-at_install")
class TestReportViews(ReportCase):
    """Every view opens: with figures, and on an empty company."""

    def _open_all(self, user, company):
        """Open all views, filters, dimensions and measures as a user."""
        context = {"allowed_company_ids": company.ids, "lang": "en_US"}
        env = self.env(user=user, context=context)
        for xmlid in ACTIONS:
            action = env.ref(f"crm_sales_coverage.{xmlid}").sudo()
            report = env[action.res_model]
            views = [(view_id, kind) for view_id, kind in action.views]
            search = [(action.search_view_id.id, "search")]
            archs = report.get_views(views + search)["views"]
            self._apply_filters(report, archs.pop("search")["arch"])
            for kind, view in archs.items():
                with self.subTest(action=xmlid, view=kind):
                    self._read_view(report, kind, view["arch"])

    def _apply_filters(self, report, arch):
        for node in etree.fromstring(arch).iter("filter"):
            with self.subTest(filter=node.get("name")):
                if node.get("domain"):
                    report.search_count(
                        safe_eval(node.get("domain"), {"uid": report.env.uid})
                    )
                if node.get("context"):
                    context = safe_eval(node.get("context"))
                    report.formatted_read_group([], [context["group_by"]], ["__count"])

    def _read_view(self, report, kind, arch):
        nodes = list(etree.fromstring(arch).iter("field"))
        names = [node.get("name") for node in nodes]
        if kind == "list":
            report.web_search_read([], {name: {} for name in names})
            return
        self.assertLessEqual(set(names), set(report.fields_get()))
        groups = [
            ":".join(filter(None, (node.get("name"), node.get("interval"))))
            for node in nodes
            if node.get("type") != "measure" and not node.get("widget")
        ]
        aggregates = [
            f"{name}:{field['aggregator']}"
            for name, field in report.fields_get().items()
            if field.get("aggregator") and field["type"] != "many2one" and name != "id"
        ]
        self.assertTrue(groups)
        report.formatted_read_grouping_sets([], [[], groups], ["__count", *aggregates])

    def test_views_open_with_figures(self):
        self._touch(self.a)
        lead = self._create_opportunity(self.a.partner_id, user_id=self.sara.id)
        lead.action_set_lost()
        for user in (self.sara, self.leader, self.manager):
            self._open_all(user, self.company)

    def test_views_open_on_an_empty_company(self):
        empty = self._create_company("Empty")
        self.manager.company_ids |= empty
        self._open_all(self.manager, empty)
        for model in REPORTS:
            report = self.env[model].with_context(allowed_company_ids=empty.ids)
            self.assertFalse(report.search([]))

    def test_number_of_queries_does_not_grow(self):
        names = list(self.env[ATTENTION].fields_get())

        def count():
            self.env.invalidate_all()
            self.env.flush_all()
            start = self.env.cr.sql_log_count
            self.env[ATTENTION].with_user(self.manager).search_read([], names)
            return self.env.cr.sql_log_count - start

        count()
        few = count()
        self._create_buyers(20, 2_000, user_id=self.sara.id)
        self.env.flush_all()
        count()
        self.assertEqual(count(), few)
