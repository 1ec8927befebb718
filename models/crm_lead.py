from odoo import api, fields, models
from odoo.tools import SQL

from ..core.lookalike import Traits, band_of
from ..core.segment import cut_offs, nearest, share_of

SEGMENT_FIELDS = {
    "partner_id",
    "company_id",
    "country_id",
    "state_id",
    "coverage_industry_id",
    "coverage_employee_count",
}
PREDICT_BATCH = 1_000
WON_FIELDS = {
    "stage_id",
    "active",
    "probability",
    "partner_id",
    "expected_revenue",
    "date_closed",
    "type",
}


class CrmLead(models.Model):
    """Leads carry the segment of their customer, else the one they look like."""

    _inherit = "crm.lead"

    segment_id = fields.Many2one(
        "coverage.segment",
        index="btree_not_null",
        readonly=True,
        copy=False,
        ondelete="set null",
        help="The segment of the customer. Without one, what customers of this "
        "industry, country and size bring.",
    )
    coverage_industry_id = fields.Many2one("res.partner.industry", string="Industry")
    coverage_employee_count = fields.Integer(
        string="Employees", help="Number of people who work there.", aggregator="avg"
    )

    _coverage_employees_not_negative = models.Constraint(
        "CHECK (coverage_employee_count >= 0)",
        "The number of employees cannot be negative.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        leads = super().create(vals_list)
        leads._refresh_coverage(leads.partner_id)
        leads._settle_segment()
        return leads

    def write(self, vals):
        if SEGMENT_FIELDS.isdisjoint(vals) and WON_FIELDS.isdisjoint(vals):
            return super().write(vals)
        partners = self.partner_id
        result = super().write(vals)
        if not WON_FIELDS.isdisjoint(vals):
            self._refresh_coverage(partners | self.partner_id)
        if not SEGMENT_FIELDS.isdisjoint(vals):
            self._settle_segment()
        return result

    def _merge_get_fields(self):
        return super()._merge_get_fields() + [
            "coverage_industry_id",
            "coverage_employee_count",
        ]

    def _prepare_customer_values(self, partner_name, is_company=False, parent_id=False):
        """Hand what is known of the company to the partner made from the lead."""
        values = super()._prepare_customer_values(
            partner_name, is_company=is_company, parent_id=parent_id
        )
        if not parent_id:
            if self.coverage_industry_id:
                values["industry_id"] = self.coverage_industry_id.id
            if self.coverage_employee_count:
                values["coverage_employee_count"] = self.coverage_employee_count
        return values

    # === COVERAGE === #

    def _refresh_coverage(self, partners):
        """Refresh the customers behind these partners, in the leads' companies."""
        opportunities = self.filtered(lambda lead: lead.type == "opportunity")
        refresh = self.env["coverage.refresh"].sudo()
        for lead_company in {
            lead._get_coverage_company() for lead in opportunities.sudo()
        }:
            refresh._refresh_partners(lead_company, partners)

    def _get_coverage_company(self):
        """Return the company a lead belongs to: its own, else partner's or seller's."""
        return (
            self.company_id
            or self.partner_id.commercial_partner_id.company_id
            or self.user_id.company_id
            or self.env["res.company"].search([], order="id", limit=1)
        )

    def _settle_segment(self):
        """Write the segment of leads: of the customer, else predicted.

        By SQL: it is no change of the lead, so neither tracking, scoring nor the
        date of the last change may move.
        """
        if not self:
            return
        self.flush_recordset()
        values = []
        for company, leads in self.sudo().grouped(
            lambda lead: lead._get_coverage_company()
        ).items():
            values += leads._predict_segments(company)
        self.env.cr.execute_values(
            """UPDATE crm_lead l SET segment_id = v.segment_id
                 FROM (VALUES %s) AS v (id, segment_id)
                WHERE l.id = v.id AND l.segment_id IS DISTINCT FROM v.segment_id""",
            values,
            "(%s, %s::int4)",
        )
        self.invalidate_recordset(["segment_id"], flush=False)

    def _predict_segments(self, company):
        """Return ``[(lead id, segment id or None)]`` for leads of one company."""
        customers = self.env["coverage.customer"].sudo()
        partners = self.partner_id.commercial_partner_id
        known = {
            customer.partner_id: customer.segment_id.id
            for customer in customers.search(
                [("partner_id", "in", partners.ids), ("company_id", "=", company.id)]
            )
        }
        values, frame = [], None
        for lead in self:
            segment_id = known.get(lead.partner_id.commercial_partner_id)
            if not segment_id:
                frame = frame or self.env["coverage.refresh"]._prepare_frame(
                    company, fields.Datetime.now()
                )
                segment_id = lead._predict_segment(frame)
            values.append((lead.id, segment_id))
        return values

    def _predict_segment(self, frame):
        """Return the segment of the niche that a lead's traits belong to, or None."""
        if not frame.has_niches:
            return None
        niche = frame.claim(
            Traits(
                self.coverage_industry_id.id or None,
                self.country_id.id or None,
                self.state_id.id or None,
                band_of(self.coverage_employee_count, frame.limits),
                (),
            )
        )
        share = niche and share_of(niche.claim, frame.rules.reference)
        if share is None:
            return None
        segments = frame.rules.segments
        return segments[nearest(share, cut_offs(segments), False)].key

    @api.model
    def _follow_customers(self, customer_ids):
        """Hand the segment of these customers to their open leads."""
        if not customer_ids:
            return
        self.flush_model(["active", "company_id", "partner_id", "won_status"])
        self.env["coverage.customer"].flush_model(["segment_id"])
        self.env.cr.execute(self._query_follow_customers(customer_ids))
        if self.env.cr.rowcount:
            self.invalidate_model(["segment_id"], flush=False)

    def _query_follow_customers(self, customer_ids):
        """Update set-based and silently, passing over leads that somebody edits."""
        return SQL(
            """
            UPDATE crm_lead l SET segment_id = moved.segment_id
              FROM (
                SELECT l.id, c.segment_id
                  FROM coverage_customer c
                  JOIN res_partner p ON p.commercial_partner_id = c.partner_id
                  JOIN crm_lead l ON l.partner_id = p.id
                 WHERE c.id IN %s AND c.active AND c.segment_id IS NOT NULL AND l.active
                   AND l.won_status = 'pending'
                   AND COALESCE(l.company_id, c.company_id) = c.company_id
                   AND l.segment_id IS DISTINCT FROM c.segment_id
                   FOR NO KEY UPDATE OF l SKIP LOCKED
              ) moved
             WHERE l.id = moved.id
            """,
            tuple(customer_ids),
        )

    @api.model
    def _predict_open(self, company):
        """Predict anew the open leads that have no customer yet, after a night."""
        domain = [("partner_id", "=", False), ("won_status", "=", "pending")]
        last_id = 0
        while leads := self.search(
            [*domain, ("company_id", "in", (company.id, False)), ("id", ">", last_id)],
            limit=PREDICT_BATCH,
            order="id",
        ):
            last_id = leads[-1].id
            free = leads.try_lock_for_update()
            free.filtered(
                lambda lead: lead._get_coverage_company() == company
            )._settle_segment()
