from datetime import timedelta
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import ValidationError
from odoo.tests import freeze_time, tagged

from odoo.addons.crm_sales_coverage.models.coverage_job import Tally

from .common import NOW, REFUSAL, ago
from .test_idle import IdleCase


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestIdleRelease(IdleCase):
    """What becomes of neglected prospects and leads."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.coverage_idle_prospect_outcome = "pool"

    @classmethod
    def _create_prospect(cls, silent=60, user=None, **values):
        """Return a prospect of Sara, whom nobody spoke to for so many days."""
        user = user or cls.sara
        customer = cls._create_customer(
            values.pop("name", "Prospect"), user_id=user.id, company_id=cls.company.id
        )
        row = cls._row(customer)
        row.write({"owned_since": ago(silent)})
        row.write(values)
        return customer

    @classmethod
    def _mark(cls, customer):
        """Let a customer be warned of three times, in vain."""
        cls._row(customer).write(
            {
                "idle_warning_level": 3,
                "idle_warning_date": ago(1),
                "idle_date": ago(0),
                "idle_since": ago(0),
            }
        )

    def _create_nurturer(self):
        role = self.env["coverage.role"].search([("is_nurturing", "=", True)], limit=1)
        member = self.north.crm_team_member_ids.filtered(
            lambda one: one.user_id == self.sam
        )
        member.coverage_role_ids = [Command.link(role.id)]

    # === PROSPECTS === #

    def test_neglected_prospect_is_free_after_three_warnings(self):
        customer = self._create_prospect(31)
        row = self._row(customer)
        self.assertEqual(row.lifecycle, "prospect")
        for day in (0, 7, 13):
            self._run(day)
            self.assertEqual(row.user_id, self.sara)
        self._run(14)
        row.invalidate_recordset()
        self.assertFalse(row.user_id)
        self.assertEqual(self._marks(customer), (0, False, False))
        change = row.change_ids.filtered(lambda one: one.field_name == "user_id")[:1]
        self.assertEqual(
            change.reason_text,
            "Neglected: no two-way contact for 45 days, and three warnings.",
        )

    def test_neglected_prospect_goes_back_to_nurturing(self):
        self.company.coverage_idle_prospect_outcome = "nurture"
        self._create_nurturer()
        customer = self._create_prospect()
        self._mark(customer)
        self._run()
        self.assertEqual(self._row(customer).user_id, self.sam)

    def test_without_a_nurturer_prospects_are_free(self):
        self.company.coverage_idle_prospect_outcome = "nurture"
        customer = self._create_prospect()
        self._mark(customer)
        self._run()
        self.assertFalse(self._row(customer).user_id)

    def test_many_of_a_team_at_once_wait_for_a_leader(self):
        prospects = [self._create_prospect(name=f"P {n}") for n in range(3)]
        for one in prospects:
            self._mark(one)
        self._run()
        self.assertEqual(self._row(prospects[0]).user_id, self.sara)
        self.assertTrue(self._row(prospects[0]).idle_since)

    def test_prospect_spoken_to_since_stays(self):
        customer = self._create_prospect()
        self._mark(customer)
        self._log_touch(customer)
        self._run()
        self.assertEqual(self._row(customer).user_id, self.sara)

    def test_customers_that_bought_are_not_released(self):
        customer = self._create_silent(300)
        self._mark(customer)
        self._run()
        self.assertEqual(self._row(customer).user_id, self.sara)
        self.assertTrue(self._row(customer).idle_since)

    # === LEADS === #

    def _create_still_lead(self, days, **values):
        """Return a lead of Sara on which nothing happened for so many days."""
        lead = self.env["crm.lead"].create(
            {
                "name": "Lead",
                "type": "lead",
                "user_id": self.sara.id,
                "team_id": self.north.id,
                "company_id": self.company.id,
                **values,
            }
        )
        self._let_rest(lead, days)
        return lead

    def _let_rest(self, lead, days):
        self.env.flush_all()
        moment = NOW - timedelta(days=days)
        self.env.cr.execute(
            """UPDATE crm_lead SET create_date = %(day)s, date_open = %(day)s,
                      date_last_stage_update = %(day)s WHERE id = %(id)s""",
            {"day": moment, "id": lead.id},
        )
        self.env.invalidate_all()

    def test_lead_without_a_step_is_warned_of_and_released(self):
        lead = self._create_still_lead(14)
        self._run(0)
        self.assertEqual(lead.coverage_idle_date, ago(-7))
        self.assertEqual(
            lead.with_user(self.sara).coverage_idle_text,
            "Leaves you in 7 days: nothing happened for 14 of 21 days",
        )
        count = len(lead.message_ids)
        self._run(6)
        self.assertEqual(lead.user_id, self.sara)
        self._run(7)
        self.assertFalse(lead.user_id)
        self.assertEqual(lead.team_id, self.north)
        self.assertFalse(lead.coverage_idle_date)
        self.assertEqual(len(lead.message_ids), count + 1)
        self.assertIn("cover_sara → nobody", lead.message_ids[0].body)

    def test_lead_goes_back_to_nurturing_with_its_steps(self):
        self.company.coverage_idle_lead_outcome = "nurture"
        self._create_nurturer()
        lead = self._create_still_lead(60)
        step = lead.activity_schedule(
            "mail.mail_activity_data_todo",
            date_deadline=ago(50),
            user_id=self.sara.id,
        )
        self._run(0)
        self._run(7)
        self.assertEqual(lead.user_id, self.sam)
        self.assertEqual(step.user_id, self.sam)

    def test_what_happens_on_a_lead_takes_the_warning_back(self):
        def plan(lead):
            lead.activity_schedule(
                "mail.mail_activity_data_todo",
                date_deadline=ago(-2),
                user_id=self.sara.id,
            )

        def touch(lead):
            self.env["coverage.touch"].create(
                {
                    "company_id": self.company.id,
                    "lead_id": lead.id,
                    "user_id": self.sara.id,
                    "date": NOW,
                    "is_two_way": False,
                }
            )

        def move(lead):
            self.env.cr.execute(
                "UPDATE crm_lead SET date_last_stage_update = %s WHERE id = %s",
                (NOW, lead.id),
            )
            self.env.invalidate_all()

        for name, act in (("activity", plan), ("contact", touch), ("stage", move)):
            with self.subTest(name), self._tried():
                lead = self._create_still_lead(60)
                self._run()
                self.assertTrue(lead.coverage_idle_text)
                act(lead)
                lead.invalidate_recordset()
                self.assertFalse(lead.coverage_idle_text)
                self._run(1)
                self.assertFalse(lead.coverage_idle_date)

    def test_step_planned_for_some_day_protects_no_lead(self):
        lead = self._create_still_lead(60)
        step = lead.activity_schedule(
            "mail.mail_activity_data_todo", date_deadline=ago(-400)
        )
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE mail_activity SET create_date = %s WHERE id = %s",
            (NOW - timedelta(days=60), step.id),
        )
        self._run()
        self.assertTrue(lead.coverage_idle_date)

    def test_exempt_leads(self):
        buyer = self._create_silent(1)

        def quote(lead):
            lead.partner_id = self._create_customer("Asks")
            order = self._create_quotation(lead.partner_id, 100)
            order.opportunity_id = lead

        for name, act in (
            ("bought", lambda lead: lead.write({"partner_id": buyer.id})),
            ("quoted", quote),
            ("nobody", lambda lead: lead.write({"user_id": False})),
            ("lost", lambda lead: lead.action_set_lost()),
            (
                "away",
                lambda lead: self.sara.write(
                    {"out_of_office_from": NOW - timedelta(days=2)}
                ),
            ),
        ):
            with self.subTest(name), self._tried():
                lead = self._create_still_lead(60)
                act(lead)
                self._let_rest(lead, 60)
                self._run()
                self.assertFalse(lead.coverage_idle_date)

    def test_refused_lead_stops_nobody(self):
        leads = [self._create_still_lead(60) for _number in range(3)]
        rows = type(self.env["crm.lead"])
        write = rows.write

        def refusing_write(records, vals):
            if leads[1] in records and "coverage_idle_date" in vals:
                raise ValidationError(REFUSAL)
            return write(records, vals)

        tally = Tally()
        with (
            patch.object(rows, "write", refusing_write),
            self.assertLogs("odoo.addons.crm_sales_coverage.models", "WARNING"),
        ):
            self.engine._run_idle(self.company, NOW, None, tally)
        self.assertEqual(tally.refused, leads[1].ids)
        found = [bool(one.coverage_idle_date) for one in leads]
        self.assertEqual(found, [True, False, True])
