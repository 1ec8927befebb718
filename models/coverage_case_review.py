from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from .opening import open_form

KINDS = [
    ("won", "Won"),
    ("lost", "Lost"),
    ("woken", "Woken"),
    ("lapsed", "Lapsed"),
]
STATES = [
    ("to_write", "To Write"),
    ("written", "Written"),
    ("skipped", "Not Needed"),
]
MOVES = {  # not prospect to regular: then old orders became known, nothing was won
    ("prospect", "new"): "won",
    ("new", "sleeping"): "lapsed",
    ("regular", "sleeping"): "lapsed",
    ("sleeping", "new"): "woken",
    ("sleeping", "regular"): "woken",
}
WORDS = ("worked", "did_not", "next_time")
WRITABLE = {*WORDS, "reader_ids", "is_skipped", "is_hidden"}
SAME_DAYS = timedelta(days=30)  # one case is told once
BIG_RATE = 0.1  # of the potential


class CoverageCaseReview(models.Model):
    """What one case of an A taught: what worked, what did not, what next time.

    Created when an A is won, lost, woken or lapses; never when it is first ranked. The
    owner writes three sentences, or says that it needs none. Found again in the pack
    of the next meeting, by customer, industry, segment and kind.
    """

    _name = "coverage.case.review"
    _description = "Case Review"
    _order = "date desc, id desc"
    _rec_name = "customer_id"
    _check_company_auto = True

    # which case
    customer_id = fields.Many2one(
        "coverage.customer",
        required=True,
        index=True,
        ondelete="cascade",
        check_company=True,
    )
    company_id = fields.Many2one(related="customer_id.company_id", store=True)
    kind = fields.Selection(KINDS, string="Case", required=True, default="won")
    date = fields.Date(required=True, default=fields.Date.context_today)
    user_id = fields.Many2one(
        "res.users",
        string="Owner",
        default=lambda self: self.env.user,
        index=True,
        help="Who owned the customer then, and writes the review.",
    )
    lead_id = fields.Many2one("crm.lead", string="Opportunity", ondelete="set null")
    segment_id = fields.Many2one("coverage.segment", ondelete="set null")
    industry_id = fields.Many2one(
        related="customer_id.partner_id.industry_id", store=True, string="Industry"
    )

    # what it taught
    worked = fields.Text(string="What Worked")
    did_not = fields.Text(string="What Did Not")
    next_time = fields.Text()
    reader_ids = fields.Many2many(
        "res.users",
        "coverage_case_review_reader_rel",
        string="Who Should Know",
        domain="[('share', '=', False), ('company_ids', '=', company_id)]",
        help="They find it on My Day for a week. Nobody gets a mail.",
    )
    is_skipped = fields.Boolean(string="Not Needed")
    is_hidden = fields.Boolean(
        export_string_translation=False, help="Put out of My Day; stays in the list."
    )
    state = fields.Selection(STATES, compute="_compute_state", store=True, index=True)
    written_date = fields.Date(string="Written on", readonly=True)
    meeting_ids = fields.Many2many(
        "coverage.meeting",
        "coverage_meeting_review_rel",
        "review_id",
        "meeting_id",
        string="Group Meetings",
        readonly=True,
    )
    can_write = fields.Boolean(compute="_compute_can_write")

    _customer_kind = models.Index("(customer_id, kind, date)")

    @api.depends("is_skipped", *WORDS)
    def _compute_state(self):
        for review in self:
            if any((review[name] or "").strip() for name in WORDS):
                review.state = "written"
            else:
                review.state = "skipped" if review.is_skipped else "to_write"

    @api.depends_context("uid")
    def _compute_can_write(self):
        able = self._origin._filtered_access("write")
        for review in self:
            review.can_write = review._origin in able or not review._origin

    @api.depends("customer_id", "kind")
    def _compute_display_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for review in self:
            name = review.customer_id.sudo().display_name
            review.display_name = f"{name or ''}: {kinds.get(review.kind, '')}"

    @api.model_create_multi
    def create(self, vals_list):
        """Write a review; by hand only of customers that one may see."""
        reviews = super().create(vals_list)
        reviews.customer_id.check_access("read")
        for review in reviews.sudo():
            if not review.segment_id:
                review.segment_id = review.customer_id.segment_id
        reviews.sudo()._settle_written()
        return reviews

    def write(self, vals):
        """Write what it taught; which case it is does not change.

        :raises UserError: for anything else
        """
        if not self.env.su and not WRITABLE.issuperset(vals):
            raise UserError(
                self.env._("Only what the case taught can be changed. Write a new one.")
            )
        result = super().write(vals)
        if not WRITABLE.isdisjoint(vals):
            self.sudo()._settle_written()
        return result

    # === ACTION METHODS === #

    def action_skip(self):
        """Say that these cases teach nothing new; they leave My Day."""
        self.check_access("write")
        self.filtered(lambda one: one.state == "to_write").write({"is_skipped": True})
        return True

    def action_unskip(self):
        """Say that these cases are worth a review after all."""
        self.check_access("write")
        self.write({"is_skipped": False, "is_hidden": False})
        return True

    def action_open_customer(self):
        """Open the customer."""
        self.ensure_one()
        return open_form("coverage.customer", self.customer_id.id)

    # === WHAT HAPPENED === #

    @api.model
    def _note_moves(self, customers, before, log):
        """Ask for reviews of A customers that were won, woken or lapsed just now.

        Costs nothing where no A moved. What a plan, a what-if or an undo moves is no
        case; neither is a first classification.

        :param customers: rows whose lifecycle was written
        :param dict before: former values by customer id
        :param dict log: see ``coverage.customer._log_changes``
        """
        if log.get("origin") in ("run", "undo"):
            return
        cases = {}
        for one in customers:
            kind = MOVES.get((before[one.id]["lifecycle"], one.lifecycle))
            is_first = "lifecycle" in log.get("firsts", {}).get(one.id, ())
            if kind and not is_first and self._is_case(one):
                cases[one] = kind
        self._ask(cases, log.get("date"))

    @api.model
    def _note_closed(self, leads, now):
        """Ask for reviews of A customers' opportunities that were won or lost.

        Of won ones the big alone: a tenth of what the customer could bring.
        """
        leads = leads.sudo().filtered(
            lambda one: one.type == "opportunity" and one.partner_id
        )
        rows = self._find_rows(leads)
        cases, by_row = {}, {}
        for lead in leads:
            key = lead.partner_id.commercial_partner_id, lead._get_coverage_company()
            row = rows.get(key)
            if not row or not self._is_case(row):
                continue
            if lead.won_status == "lost" or self._is_big(lead, row):
                cases[row], by_row[row] = lead.won_status, lead
        self._ask(cases, now, by_row)

    def _find_rows(self, leads):
        """Return the customers of leads by commercial partner and company."""
        rows = (
            self.env["coverage.customer"]
            .sudo()
            .search([("partner_id", "in", leads.partner_id.commercial_partner_id.ids)])
        )
        return {(row.partner_id, row.company_id): row for row in rows}

    def _is_case(self, customer):
        """Return whether cases of a customer are looked back on: those of an A.

        An override may widen it; it is asked for every customer that moves.
        """
        return customer.segment_id.code == "A"

    def _is_big(self, lead, customer):
        """Return whether a won opportunity is worth a review."""
        return lead.expected_revenue >= BIG_RATE * (customer.potential or 0)

    @api.model
    def _ask(self, cases, now, leads=None):
        """Create the reviews to write; none where the case is told already."""
        if not cases:
            return self.browse()
        now, leads = now or fields.Datetime.now(), leads or {}
        days = {
            company: company._get_coverage_today(now)
            for company in {customer.company_id for customer in cases}
        }
        known = self._find_known(cases, min(days.values()) - SAME_DAYS)
        return self.sudo().create(
            [
                {
                    "customer_id": customer.id,
                    "kind": kind,
                    "date": days[customer.company_id],
                    "user_id": customer.user_id.id,
                    "lead_id": leads[customer].id if customer in leads else False,
                    "segment_id": customer.segment_id.id,
                }
                for customer, kind in cases.items()
                if (customer.id, kind) not in known
            ]
        )

    def _find_known(self, cases, since):
        """Return the cases of late as ``{(customer id, kind)}``."""
        reviews = self.sudo().search_fetch(
            [
                ("customer_id", "in", [customer.id for customer in cases]),
                ("date", ">", since),
            ],
            ["customer_id", "kind"],
        )
        return {(one.customer_id.id, one.kind) for one in reviews}

    # === WHO READS IT === #

    def _settle_written(self):
        """Date what is written now, and put it on the agenda of coming meetings."""
        fresh = self.filtered(
            lambda one: one.state == "written" and not one.written_date
        )
        if not fresh:
            return
        now = fields.Datetime.now()
        for company, group in fresh.grouped("company_id").items():
            group.written_date = company._get_coverage_today(now)
        meetings = self.env["coverage.meeting"].search(
            Domain("state", "=", "planned")
            & Domain("start", ">=", now)
            & (
                Domain("member_ids", "in", fresh.user_id.ids)
                | Domain("leader_id", "in", fresh.user_id.ids)
            ),
            order="start, id",
        )
        for user, group in fresh.grouped("user_id").items():
            coming = meetings.filtered(
                lambda one, user=user: user in one.member_ids | one.leader_id
            )
            group.write({"meeting_ids": [(4, one.id) for one in coming[:1]]})
