from odoo.tests import Form, tagged, users

from .common import NOW, CoverageCase


@tagged("post_install", "-at_install")
class TestLead(CoverageCase):
    """Leads carry the segment of their customer."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_leaders()
        cls.customer = cls._create_known_buyer(3_000)
        cls.lead = cls._create_opportunity(cls.customer)

    def test_opportunity_has_the_segment_of_its_customer(self):
        self.assertEqual(self.lead.segment_id.code, "C")

    def test_contact_of_the_customer_counts_as_the_customer(self):
        contact = self._create_customer(parent_id=self.customer.id, is_company=False)
        self.assertEqual(self._create_opportunity(contact).segment_id.code, "C")

    def test_lead_given_another_customer_takes_its_segment(self):
        self.lead.partner_id = self.leaders[0]
        self.assertEqual(self.lead.segment_id.code, "A")
        self.lead.partner_id = False
        self.assertFalse(self.lead.segment_id)

    def test_leads_that_odoo_assigns_carry_the_segment_of_their_customer(self):
        lead = self._create_opportunity(
            self.customer, team_id=False, company_id=False, type="lead"
        )
        domain = f"[('id', '=', {lead.id})]"
        self.north.write({"use_leads": True, "assignment_domain": domain})
        self.north.crm_team_member_ids.assignment_max = 30
        self.north._action_assign_leads(force_quota=True, creation_delta_days=0)
        self.assertEqual(lead.team_id, self.north)
        self.assertEqual(lead.company_id, self.company)
        self.assertEqual(lead.segment_id.code, "C")

    def test_open_leads_follow_their_customer_silently(self):
        self.env.flush_all()
        self.env.cr.execute("UPDATE crm_lead SET write_date = '2020-01-01'")
        self.env.invalidate_all()
        messages = self.lead.message_ids
        self._confirm_order(self.customer, 4_000)
        self.assertEqual(self.lead.segment_id.code, "B")
        self.assertEqual(self.lead.write_date.year, 2020)
        self.assertEqual(self.lead.message_ids, messages)

    def test_closed_leads_keep_what_they_were(self):
        won, lost = (self._create_opportunity(self.customer) for _number in range(2))
        won.action_set_won()
        lost.action_set_lost()
        self._confirm_order(self.customer, 4_000)
        self.assertEqual(won.segment_id.code, "C")
        self.assertEqual(lost.segment_id.code, "C")

    def test_leads_of_another_company_keep_theirs(self):
        other = self._create_opportunity(self.customer, company_id=self.elsewhere.id)
        self._confirm_order(self.customer, 4_000)
        self.assertFalse(other.segment_id)

    def test_lead_follows_a_pin_and_its_release(self):
        self._rate(self.customer, "A")
        self.assertEqual(self.lead.segment_id.code, "A")
        self._row(self.customer).action_release_segment()
        self.assertEqual(self.lead.segment_id.code, "C")

    def test_lead_that_missed_a_move_catches_up_by_night(self):
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE crm_lead SET segment_id = NULL WHERE id = %s", [self.lead.id]
        )
        self.env.invalidate_all()
        self._refresh(NOW)
        self.assertEqual(self.lead.segment_id.code, "C")

    def test_segment_is_recomputed_in_a_copy(self):
        copy = self.lead.copy({"partner_id": False})
        self.assertFalse(copy.segment_id)

    def test_traits_are_handed_to_the_customer_made_of_a_lead(self):
        industry = self.env["res.partner.industry"].create({"name": "Mining"})
        lead = self.env["crm.lead"].create(
            {
                "name": "Mine",
                "partner_name": "Deep Mine",
                "contact_name": "Miner",
                "coverage_industry_id": industry.id,
                "coverage_employee_count": 70,
            }
        )
        lead._handle_partner_assignment(create_missing=True)
        company = lead.partner_id.commercial_partner_id
        self.assertEqual(company.name, "Deep Mine")
        self.assertEqual(company.industry_id, industry)
        self.assertEqual(company.coverage_employee_count, 70)

    @users("cover_sara")
    def test_seller_works_with_leads_as_before(self):
        with Form(self.env["crm.lead"]) as form:
            form.name = "New"
            form.partner_id = self.leaders[0].with_env(self.env)
        lead = form.record
        lead.action_set_won()
        self.assertEqual(lead.segment_id.code, "A")
