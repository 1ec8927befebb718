from collections import Counter, defaultdict

from psycopg2 import errors

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL
from odoo.tools.sql import column_exists, create_column

from ..core.lookalike import Traits, band_of, claimer
from ..core.segment import cut_offs, nearest, share_of
from .groups import LEADER

CARRIED = {  # what hangs on a lead, and which of it may be open once only
    "coverage.touch": (),
    "coverage.request": ("open",),
    "coverage.handoff": ("draft", "offered"),
}
PREDICT_BATCH = 1_000
WON_FIELDS = {
    "stage_id",
    "company_id",
    "active",
    "probability",
    "partner_id",
    "expected_revenue",
    "date_closed",
    "type",
}


class CrmLead(models.Model):
    """Leads carry the segment of their customer, else the one they look like."""

    _name = "crm.lead"
    _inherit = ["crm.lead", "coverage.handed", "coverage.watched"]

    segment_id = fields.Many2one(
        "coverage.segment",
        compute="_compute_segment_id",
        store=True,
        index="btree_not_null",
        ondelete="set null",
        help="The segment of the customer. Without one, what customers of this "
        "industry, country and size bring.",
    )
    coverage_industry_id = fields.Many2one("res.partner.industry", string="Industry")
    coverage_employee_count = fields.Integer(
        string="Employees", help="Number of people who work there.", aggregator="avg"
    )

    coverage_role_id = fields.Many2one(
        "coverage.role",
        string="Covered by",
        compute="_compute_coverage_rule_id",
        help="The role that the rules of who covers whom name for this lead.",
    )
    coverage_rule_id = fields.Many2one(
        "coverage.rule",
        compute="_compute_coverage_rule_id",
        help="The rule that named the role.",
    )
    touch_count = fields.Integer(compute="_compute_touch_count")

    _coverage_phone = models.Index(
        "(phone_sanitized) WHERE phone_sanitized IS NOT NULL"
    )
    _coverage_employees_not_negative = models.Constraint(
        "CHECK (coverage_employee_count >= 0)",
        "The number of employees cannot be negative.",
    )

    def _auto_init(self):
        """Add the column beforehand: no lead is computed at install, the hook does."""
        if not column_exists(self.env.cr, "crm_lead", "segment_id"):
            create_column(self.env.cr, "crm_lead", "segment_id", "int4")
        return super()._auto_init()

    @api.depends(
        "partner_id",
        "company_id",
        "country_id",
        "state_id",
        "coverage_industry_id",
        "coverage_employee_count",
    )
    def _compute_segment_id(self):
        """Take the segment of the customer, else the one that such customers have.

        A customer that moves later hands its segment over by ``_follow_customers``.
        """
        self.segment_id = False
        telling = self.sudo().filtered(
            lambda lead: lead.partner_id or lead._has_traits()
        )
        for company, leads in telling.grouped(
            lambda lead: lead._get_coverage_company(self.env.company)
        ).items():
            for lead, segment_id in leads._predict_segments(company):
                lead.segment_id = segment_id

    @api.depends(
        "partner_id",
        "company_id",
        "segment_id",
        "stage_id",
        "expected_revenue",
        "team_id",
    )
    def _compute_coverage_rule_id(self):
        rules = self.env["coverage.cover"]._cover_leads(self)
        for lead in self:
            lead.coverage_rule_id = rules[lead.id]
            lead.coverage_role_id = rules[lead.id].sudo().role_id

    def _compute_touch_count(self):
        groups = self.env["coverage.touch"]._read_group(
            [("lead_id", "in", self.ids)], ["lead_id"], ["__count"]
        )
        counts = {lead.id: count for lead, count in groups}
        for lead in self:
            lead.touch_count = counts.get(lead.id, 0)

    @api.model_create_multi
    def create(self, vals_list):
        leads = super().create(vals_list)
        if any(self._may_win(vals) for vals in vals_list):
            leads._refresh_won(leads._filter_won(), leads.partner_id)
        if any(self._is_paperwork(vals) for vals in vals_list):
            self.env["coverage.paperwork"]._queue(leads)
        self.env["coverage.refresh"].sudo()._queue_customers(
            leads.filtered("partner_id")
        )
        return leads

    def write(self, vals):
        if vals.get("user_id"):
            self.env["coverage.guard"]._check_salesperson(self, vals["user_id"])
        if WON_FIELDS.isdisjoint(vals):
            return super().write(vals)
        if vals.get("active") is False:
            self.env["coverage.guard"]._check_lost(self)
        partners, won = self.partner_id, self._filter_won()
        result = super().write(vals)
        if won or self._may_win(vals):
            self._refresh_won(won | self._filter_won(), partners | self.partner_id)
        if vals.get("stage_id") or vals.get("active") is False:
            self.env["coverage.handoff.engine"]._wake()
        if self._is_paperwork(vals):
            self.env["coverage.paperwork"]._queue(self)
        self.env["coverage.refresh"].sudo()._queue_customers(
            self.filtered("partner_id")
        )
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

    def _merge_dependences(self, opportunities):
        """Remember whose contacts become this lead's when the others are deleted.

        Odoo merges one by one and deletes many at once: so one query does for all.
        """
        result = super()._merge_dependences(opportunities)
        merged = self.env.cr.cache.setdefault("coverage_merged", {})
        merged.pop(self.id, None)
        merged.update(dict.fromkeys(opportunities.ids, self.id))
        return result

    def unlink(self):
        self._hand_over_touches()
        return super().unlink()

    def action_set_lost(self, **additional_values):
        reason = self.env["crm.lost.reason"].browse(
            additional_values.get("lost_reason_id") or ()
        )
        self._check_lost_reason(reason)
        return super().action_set_lost(**additional_values)

    # === ACTION METHODS === #

    def action_log_call(self):
        """Open the dialog that notes a contact with this lead."""
        self.ensure_one()
        return self.env["coverage.log.touch"]._open(default_lead_id=self.id)

    def action_open_touches(self):
        """Open the contacts with these leads."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_sales_coverage.coverage_touch_action"
        )
        return {**action, "domain": [("lead_id", "in", self.ids)], "context": {}}

    # === COVERAGE === #

    def _hand_over_touches(self):
        """Give the contacts of merged leads to those they were merged into."""
        merged = self.env.cr.cache.get("coverage_merged", {})
        gone = [lead_id for lead_id in self.ids if lead_id in merged]
        if not gone:
            return
        for model, ids in self._find_carried(gone).items():
            records = self.env[model].sudo().browse(ids)
            for lead, group in records.grouped("lead_id").items():
                head = lead.id
                while head in merged:  # merged once more
                    head = merged[head]
                self._carry_over(group, self.browse(head).exists())
        for lead_id in gone:
            del merged[lead_id]

    def _find_carried(self, lead_ids):
        """Return ids by model of what hangs on leads: contacts, requests, handoffs."""
        found = defaultdict(list)
        for model in CARRIED:
            self.env[model].flush_model(["lead_id"])
        for model, id_ in self.env.execute_query(self._query_carried(lead_ids)):
            found[model].append(id_)
        return found

    def _query_carried(self, lead_ids):
        """Select from several models at once: merging leads must stay cheap."""
        parts = [
            SQL(
                "SELECT %s, id FROM %s WHERE lead_id IN %s",
                model,
                SQL.identifier(self.env[model]._table),
                tuple(lead_ids),
            )
            for model in CARRIED
        ]
        return SQL(" UNION ALL ").join(parts)

    def _carry_over(self, records, lead):
        """Give what hung on a merged lead to the one it became.

        Of what may be open once only, the merged lead's goes.
        """
        open_states = CARRIED[records._name]
        if open_states and records.search_count(
            [("lead_id", "=", lead.id), ("state", "in", open_states)], limit=1
        ):
            records -= records.filtered(lambda one: one.state in open_states)
        records.lead_id = lead

    def _check_lost_reason(self, reason):
        """Refuse a lost reason that does not hold for these leads."""
        if reason.is_coverage_no_answer:
            self._check_tried_enough()

    def _check_tried_enough(self):
        """Refuse that a seller gives leads up because nobody answered, too early.

        :raises UserError: names the lead, how often it was tried and how often it must
        """
        if self.env.su or self.env.user.has_group(LEADER):
            return
        days = self._get_attempt_days()
        for lead in self:
            most = lead._get_coverage_company().sudo().coverage_max_attempts
            if days.get(lead.id, 0) < most:
                raise UserError(
                    self.env._(
                        "%(lead)s was tried on %(count)s of %(most)s different days. "
                        "Try again, choose another reason, or ask the team leader to "
                        "close it.",
                        lead=lead.display_name,
                        count=days.get(lead.id, 0),
                        most=most,
                    )
                )

    def _get_attempt_days(self):
        """Return ``{lead id: number of different days on which it was tried}``."""
        groups = (
            self.env["coverage.touch"]
            .sudo()
            ._read_group(
                [("lead_id", "in", self.ids), ("direction", "=", "out")],
                ["lead_id", "date:day"],
            )
        )
        return Counter(lead.id for lead, _day in groups)

    def _get_coverage_customer(self, company):
        """Return the customer of a lead in a company, if it has one."""
        partner = self.partner_id.commercial_partner_id
        domain = [("partner_id", "in", partner.ids), ("company_id", "=", company.id)]
        return self.env["coverage.customer"].search(domain, limit=1)

    def _may_win(self, vals):
        """Return whether these values can make a lead a won one."""
        stage = self.env["crm.stage"].browse(vals.get("stage_id") or ())
        return stage.is_won or vals.get("probability") == 100 or "active" in vals

    def _is_paperwork(self, vals):
        """Return whether these values bring a lead to a stage of assistants.

        Those that Odoo assigns are new: there is no paper yet.
        """
        stage_id = vals.get("stage_id")
        if not stage_id or "coverage_known" in self.env.context:
            return False
        return stage_id in self.env["crm.stage"]._get_paperwork_ids()

    def _filter_won(self):
        return self.filtered(lambda lead: lead.won_status == "won")

    def _refresh_won(self, won, partners):
        """Refresh at once the customers of opportunities that are or were won."""
        refresh = self.env["coverage.refresh"].sudo()
        for company in {lead._get_coverage_company() for lead in won.sudo()}:
            refresh._refresh_partners(company, partners)

    def _get_coverage_company(self, fallback=None):
        """Return the company a lead belongs to: its own, else partner's or seller's.

        :param fallback: for leads that nothing assigns; the first company by default
        """
        return (
            self.company_id
            or self.partner_id.commercial_partner_id.company_id
            or self.user_id.company_id
            or fallback
            or self.env["res.company"]._get_coverage_fallback_company()
        )

    def _has_traits(self):
        """Return whether anything is known that a prediction could go by."""
        return bool(
            self.coverage_industry_id
            or self.country_id
            or self.state_id
            or self.coverage_employee_count
        )

    def _predict_segments(self, company):
        """Return ``[(lead, segment id or False)]`` for leads of one company."""
        known = self._get_known_segments(company)
        values = []
        for lead in self:
            segment_id = known.get(lead.partner_id.commercial_partner_id.id)
            if not segment_id and lead._has_traits():
                segment_id = lead._predict_segment(company)
            values.append((lead, segment_id or False))
        return values

    def _get_known_segments(self, company):
        """Return segments by id of the customers of these leads.

        While leads are assigned, ``coverage_known`` remembers them: Odoo changes a lead
        several times, and nobody is ranked meanwhile.
        """
        known = self.env.context.get("coverage_known", {}).setdefault(company.id, {})
        ids = self.partner_id.commercial_partner_id.ids
        if new_ids := [id_ for id_ in ids if id_ not in known]:
            customers = self.env["coverage.customer"].sudo()
            customers = customers.with_context(coverage_no_flush=True)
            domain = [("partner_id", "in", new_ids), ("company_id", "=", company.id)]
            known.update(dict.fromkeys(new_ids))
            for row in customers.search_fetch(domain, ["partner_id", "segment_id"]):
                known[row.partner_id.id] = row.segment_id.id
        return known

    def _predict_segment(self, company):
        """Return the segment of the niche that a lead's traits belong to, or None."""
        prediction = self.env["coverage.reference"]._get_prediction(company)
        if prediction is None:
            return None
        reference, limits, niches = prediction
        niche = claimer(niches)(
            Traits(
                self.coverage_industry_id.id or None,
                self.country_id.id or None,
                self.state_id.id or None,
                band_of(self.coverage_employee_count, limits),
                (),
            )
        )
        if niche is None:
            return None
        segments = self.env["coverage.segment"]._get_rules()
        share = share_of(niche.claim, reference)
        return segments[nearest(share, cut_offs(segments), False)].key

    @api.model
    def _follow_customers(self, customer_ids):
        """Hand the segment of these customers to their open leads.

        A lead that somebody edits, or just edited, follows by night.
        """
        if customer_ids:
            self._follow(SQL("c.id IN %s", tuple(customer_ids)))

    def _follow(self, customers):
        """Hand segments to the open leads of customers ``c`` that meet a condition."""
        self.flush_model(["active", "company_id", "partner_id", "won_status"])
        self.env["coverage.customer"].flush_model(["segment_id"])
        try:
            with self.env.cr.savepoint(flush=False):
                self.env.cr.execute(self._query_follow(customers), log_exceptions=False)
                count = self.env.cr.rowcount
        except errors.SerializationFailure:
            return
        if count:
            self.invalidate_model(["segment_id"], flush=False)

    def _query_follow(self, customers):
        """Update set-based and silently, passing over leads that somebody edits."""
        return SQL(
            """
            UPDATE crm_lead l SET segment_id = moved.segment_id
              FROM (
                SELECT l.id, c.segment_id
                  FROM coverage_customer c
                  JOIN res_partner p ON p.commercial_partner_id = c.partner_id
                  JOIN crm_lead l ON l.partner_id = p.id
                 WHERE %s AND c.active AND c.segment_id IS NOT NULL AND l.active
                   AND l.won_status = 'pending'
                   AND COALESCE(l.company_id, c.company_id) = c.company_id
                   AND l.segment_id IS DISTINCT FROM c.segment_id
                   FOR NO KEY UPDATE OF l SKIP LOCKED
              ) moved
             WHERE l.id = moved.id
            """,
            customers,
        )

    @api.model
    def _predict_open(self, company):
        """Let open leads follow, predicted anew where they have no customer yet."""
        self._follow(SQL("c.company_id = %s", company.id))
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
            )._compute_segment_id()

    # === WATCHERS === #

    def _flush_watchers(self):
        self.env["coverage.handoff"].flush_model()
        return super()._flush_watchers()

    def _query_watchers(self):
        """Add opportunities that change hands alone: for who is offered or watches."""
        return SQL(
            """
            %s
             UNION ALL
            SELECT h.lead_id, h.to_user_id FROM coverage_handoff h
             WHERE h.lead_id IS NOT NULL AND h.state = 'offered'
             UNION ALL
            SELECT h.lead_id, h.from_user_id FROM coverage_handoff h
             WHERE h.lead_id IS NOT NULL AND (
                   h.state = 'watched' OR h.state = 'completed' AND h.is_co_selling)
            """,
            super()._query_watchers(),
        )
