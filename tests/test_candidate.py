from datetime import timedelta

from odoo import Command
from odoo.tests import tagged

from .common import NOW, CoverageCase
from .test_performance import PerformanceCase


def prepare_members(case):
    """Give Sara and Sam of North the role of a farmer; return their memberships."""
    case.farmer = case.env.ref("crm_sales_coverage.role_farmer")
    members = case.north.crm_team_member_ids
    case.sara_member = members.filtered(lambda one: one.user_id == case.sara)
    case.sam_member = members.filtered(lambda one: one.user_id == case.sam)
    members.coverage_role_ids = case.farmer


@tagged("post_install", "-at_install")
class TestCandidate(CoverageCase):
    """Who is proposed to take customers and leads over, and why."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_leaders()
        prepare_members(cls)
        cls.customer = cls._create_known_buyer(500, name="Taken Over")
        cls.row = cls._row(cls.customer)

    def _propose(self, subjects=None, role=None, seniority="junior"):
        """Return the proposals for the one customer, or for these subjects."""
        subjects = self.row if subjects is None else subjects
        found = self.env["coverage.candidate"]._propose(
            self.company,
            subjects,
            self.farmer if role is None else role,
            seniority,
            NOW,
        )
        self.assertEqual(list(found), subjects.ids)
        return found[subjects[:1].id] if len(subjects) == 1 else found

    def _names(self, *args, **kwargs):
        return [line["name"] for line in self._propose(*args, **kwargs)]

    def _left_out(self, subjects=None, seniority="junior"):
        """Return why, by login, people are left out."""
        subjects = self.row if subjects is None else subjects
        found = self.env["coverage.candidate"]._explain_left_out(
            self.company, subjects, self.farmer, seniority, NOW
        )
        return {line["name"]: line["why"] for line in found[subjects.id]}

    # === WHO === #

    def test_members_with_the_role(self):
        self.assertEqual(self._names(), ["cover_sara", "cover_sam"])
        self.assertFalse(self._left_out())
        none = self.env["coverage.role"]
        self.assertEqual(
            set(self._names(role=none)), {"cover_sara", "cover_sam", "cover_olga"}
        )

    def test_who_cannot_and_why(self):
        sara, member, months = self.sara, self.sara_member, timedelta(days=60)
        for name, act, why in (
            ("owner", lambda: self.row.write({"user_id": sara.id}), "has it now"),
            ("archived", lambda: sara.write({"active": False}), "is archived"),
            (
                "absent",
                lambda: sara.write(
                    {
                        "out_of_office_from": NOW - months,
                        "out_of_office_to": NOW + months,
                    }
                ),
                "is out of office",
            ),
            (
                "paused",
                lambda: member.write({"assignment_optout": True}),
                "takes nothing on at present",
            ),
            (
                "load",
                lambda: (
                    member.write({"coverage_capacity": 1}),
                    self._row(self.leaders[0]).write({"user_id": sara.id}),
                ),
                "keeps 1 of 1 contacts a month already",
            ),
            (
                "customers",
                lambda: (
                    self.farmer.write({"max_customer_count": 1}),
                    self._row(self.leaders[0]).write({"user_id": sara.id}),
                ),
                "has 1 of 1 customers",
            ),
        ):
            with self.subTest(name), self._tried():
                act()
                self.env.flush_all()
                self.assertNotIn("cover_sara", self._names())
                self.assertEqual(self._left_out(), {"cover_sara": why})

    def test_absence_that_is_over_or_to_come(self):
        day = timedelta(days=1)
        for start, end in ((-3, -1), (1, 3)):
            self.sara.write(
                {
                    "out_of_office_from": NOW + start * day,
                    "out_of_office_to": NOW + end * day,
                }
            )
            self.assertIn("cover_sara", self._names())

    def test_seniority(self):
        self.sara_member.coverage_seniority = "senior"
        self.sam_member.coverage_seniority = "junior"
        self.assertEqual(self._names(seniority="regular"), ["cover_sara"])
        self.assertEqual(
            self._left_out(seniority="regular"), {"cover_sam": "is not senior enough"}
        )
        self.assertEqual(self._names(), ["cover_sam", "cover_sara"])

    def test_limit_of_a_customers(self):
        self.farmer.max_a_count = 1
        a = self._row(self.leaders[0])
        self._row(self.leaders[1]).user_id = self.sara
        self.assertEqual(self._names(a), ["cover_sam"])
        self.assertEqual(self._left_out(a), {"cover_sara": "has 1 of 1 A customers"})
        self.assertIn("cover_sara", self._names())

    def test_nobody_of_another_company(self):
        self.sara.write(
            {
                "company_id": self.elsewhere.id,
                "company_ids": [Command.set(self.elsewhere.ids)],
            }
        )
        self.env.flush_all()
        self.assertEqual(self._names(), ["cover_sam"])
        self.assertEqual(
            self._left_out(), {"cover_sara": "does not work in this company"}
        )
        foreign = self._create_customer("Elsewhere's")
        self._confirm_order(foreign, 100, company=self.elsewhere)
        found = self.env["coverage.candidate"]._propose(
            self.elsewhere,
            self._row(foreign, self.elsewhere),
            self.farmer,
            False,
            NOW,
        )
        self.assertFalse(
            self.env.user.browse(
                line["user_id"] for lines in found.values() for line in lines
            )
            & (self.sara | self.sam)
        )

    def test_two_teams_count_once(self):
        self.env["ir.config_parameter"].set_param("sales_team.membership_multi", True)
        self.env["crm.team.member"].create(
            {
                "crm_team_id": self.south.id,
                "user_id": self.sara.id,
                "coverage_role_ids": self.farmer.ids,
                "coverage_seniority": "senior",
            }
        )
        self.assertEqual(sorted(self._names()), ["cover_sam", "cover_sara"])
        self.assertIn("cover_sara", self._names(seniority="senior"))

    def test_nobody_holds_the_role(self):
        hunter = self.env.ref("crm_sales_coverage.role_hunter")
        self.assertEqual(self._names(role=hunter), [])
        self.assertEqual(self._propose(self.row.browse()), {})

    # === WHY === #

    def test_reasons_as_people_read_them(self):
        germany = self.env.ref("base.de")
        german = self.env["res.lang"]._activate_lang("de_DE")
        industry = self.env["res.partner.industry"].create({"name": "Food"})
        self.customer.write(
            {"lang": "de_DE", "country_id": germany.id, "industry_id": industry.id}
        )
        self.sam_member.write(
            {
                "coverage_lang_ids": german.ids,
                "coverage_country_ids": germany.ids,
                "coverage_industry_ids": industry.ids,
                "coverage_categ_ids": self.product.categ_id.ids,
            }
        )
        for days_ago in (50, 40, 30, 20):
            self._log_touch(self.customer, self.sam, days_ago)
        best = self._propose()[0]
        self.assertEqual(best["name"], "cover_sam")
        self.assertIn("German", best["reasons"][2])
        told = [text for text in best["reasons"] if "German / " not in text]
        line = self.product.categ_id.name
        expected = [
            "Farmer",
            "0 of 75 customers",
            "knows Germany",
            "knows Food",
            f"knows {line}",
            "spoke to it 4 times",
        ]
        self.assertEqual(told, [text for text in expected if text in told])
        self.assertLessEqual({"Farmer", "0 of 75 customers", "knows Food"}, set(told))
        self.assertEqual(told[-1], "spoke to it 4 times")

    def test_former_owner_is_last(self):
        self.row.user_id = self.sara
        self.row.user_id = self.olga
        found = self._propose()
        self.assertEqual([one["name"] for one in found], ["cover_sam", "cover_sara"])
        self.assertIn("had it until lately", found[1]["reasons"])
        self.row.change_ids.write({"date": NOW - timedelta(days=91)})
        self.assertEqual(self._names(), ["cover_sara", "cover_sam"])

    def test_who_took_its_orders_comes_first(self):
        self._confirm_order(self.customer, 10, user_id=self.sam.id)
        self._confirm_order(self.customer, 10, user_id=self.sam.id)
        best = self._propose()[0]
        self.assertEqual(best["name"], "cover_sam")
        self.assertIn("took 2 of its orders", best["reasons"])

    def test_equals_by_id_and_always_the_same(self):
        first = self._propose()
        self.assertEqual(first, self._propose())
        self.assertEqual(first[0]["score"], first[1]["score"])

    # === LEADS === #

    def test_leads_go_by_the_room_for_leads(self):
        lead = self._create_opportunity(self.customer, team_id=self.north.id)
        self.sara_member.assignment_max = 1
        self.assertIn("cover_sara", self._names(lead))
        self._create_opportunity(
            self.customer, user_id=self.sara.id, team_id=self.north.id
        ).date_open = NOW
        self.env.flush_all()
        self.assertEqual(self._names(lead), ["cover_sam"])
        self.assertEqual(
            self._left_out(lead), {"cover_sara": "has all leads of this month"}
        )

    def test_lead_without_customer(self):
        lead = self.env["crm.lead"].create(
            {"name": "Asks", "company_id": self.company.id, "user_id": False}
        )
        self.assertEqual(set(self._names(lead)), {"cover_sara", "cover_sam"})


@tagged("post_install", "-at_install")
class TestCandidatePerformance(PerformanceCase):
    """The number of queries does not grow with the subjects."""

    def test_proposals_for_many(self):
        prepare_members(self)
        states = self.env["res.country.state"].search([], limit=len(self.customers))
        for customer, state in zip(self.customers, states, strict=False):
            customer.write({"state_id": state.id, "country_id": state.country_id.id})
        self.sam_member.coverage_state_ids = states

        def act(customers):
            self.env["coverage.candidate"]._propose(
                self.company, self._get_rows(customers), self.farmer, "junior", NOW
            )

        self.assertConstant(act)
