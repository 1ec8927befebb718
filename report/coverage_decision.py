from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, format_date

from ..core.idle import LAST
from ..models.coverage_customer import LIFECYCLES
from ..models.opening import open_form

# Each kind has a number, which makes ids of different tables differ
NUMBERS = {
    "drop": 1,
    "asked": 2,
    "late": 3,
    "handback": 4,
    "potential": 5,
    "unreachable": 6,
    "absent": 7,
    "unmatched": 8,
    "warning": 9,
    "orders": 10,
    "plan": 11,
    "rethink": 12,
    "rethink_late": 13,
}
KINDS = [
    ("drop", "Wants to drop a customer"),
    ("asked", "Asked to be left alone"),
    ("late", "Handoff is late"),
    ("handback", "Handed back"),
    ("potential", "Potential to confirm"),
    ("unreachable", "Tried often, no answer"),
    ("absent", "Due, but the owner is away"),
    ("warning", "Last warning"),
    ("orders", "Does not order any more"),
    ("plan", "Plan waits to be applied"),
    ("rethink", "Rethink to confirm"),
    ("rethink_late", "Rethink is late"),
    ("unmatched", "Unknown caller"),
]
TOO_HIGH = 1.5  # so many times the best year is worth a second look
WEIGHTY_SHARE = 60  # segments that a wrong figure costs most contacts


class CoverageDecision(models.Model):
    """What waits for a leader, all in one list, one click each.

    A row a request, handoff, customer or call. Deciding calls what the record itself
    offers; there is no second path.
    """

    _name = "coverage.decision"
    _inherit = ["coverage.report"]
    _description = "To Decide"
    _auto = False
    _order = "date, id"
    _rec_name = "customer_id"
    _depends = {
        "coverage.request": ["customer_id", "kind", "reason", "state", "user_id"],
        "coverage.handoff": [
            "accept_deadline",
            "answer_reason",
            "closed_date",
            "company_id",
            "customer_id",
            "date_deadline",
            "from_user_id",
            "is_called",
            "lead_id",
            "reason",
            "state",
            "team_id",
            "to_user_id",
        ],
        "coverage.customer": [
            "active",
            "attempt_day_count",
            "company_id",
            "confirmed_date",
            "declared_date",
            "declared_how",
            "declared_potential",
            "idle_warning_date",
            "idle_warning_level",
            "last_attempt_date",
            "last_order_date",
            "leave_alone_asked_until",
            "leave_alone_reason",
            "leave_alone_until",
            "leave_alone_user_id",
            "missing_order_since",
            "next_contact_date",
            "potential_source",
            "revenue_best_12m",
            "segment_id",
            "segment_manual_id",
            "team_id",
            "user_id",
        ],
        "coverage.touch": [
            "active",
            "company_id",
            "customer_id",
            "date",
            "lead_id",
            "note",
            "partner_id",
            "team_id",
            "user_id",
        ],
        "coverage.run": ["company_id", "date", "is_waiting", "state", "user_id"],
        "coverage.rethink": [
            "answered_date",
            "change",
            "company_id",
            "customer_id",
            "date_deadline",
            "reason",
            "state",
            "team_id",
            "user_id",
        ],
        "coverage.segment": ["typical_share"],
        "res.company": ["coverage_lead_days", "coverage_max_attempts"],
    }

    kind = fields.Selection(KINDS, string="What", readonly=True)
    customer_id = fields.Many2one("coverage.customer", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    team_id = fields.Many2one("crm.team", string="Sales Team", readonly=True)
    user_id = fields.Many2one("res.users", string="Asked by", readonly=True)
    date = fields.Date(string="Since", readonly=True)
    text = fields.Char(string="Why", readonly=True)
    request_id = fields.Many2one("coverage.request", readonly=True)
    handoff_id = fields.Many2one("coverage.handoff", readonly=True)
    touch_id = fields.Many2one("coverage.touch", readonly=True)
    run_id = fields.Many2one("coverage.run", readonly=True)
    rethink_id = fields.Many2one("coverage.rethink", readonly=True)
    segment_id = fields.Many2one("coverage.segment", readonly=True)
    lifecycle = fields.Selection(LIFECYCLES, readonly=True)
    badge = fields.Char(related="customer_id.badge")
    temperature_code = fields.Char(related="customer_id.temperature_code")
    amount = fields.Monetary(string="Declared", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    reason_text = fields.Char(string="Reason", compute="_compute_reason_text")
    subject = fields.Char(compute="_compute_subject")

    @api.depends("customer_id", "handoff_id", "touch_id", "request_id", "run_id")
    def _compute_subject(self):
        """Name the customer; without one the opportunity, or the number that called."""
        for line in self:
            request, handoff = line.request_id.sudo(), line.handoff_id.sudo()
            lead = request.lead_id or handoff.lead_id
            names = (
                line.customer_id.display_name,
                lead.name,
                line.touch_id.sudo().number,
                line.run_id.sudo().name,
            )
            line.subject = " · ".join(filter(None, names)) or self.env._("Unknown")

    @api.depends("kind", "text", "customer_id")
    @api.depends_context("lang", "uid")
    def _compute_reason_text(self):
        """Say why it is to be decided: in words of those who ask, else by the facts."""
        for line in self:
            customer, text = line.customer_id, line.text
            if line.kind == "warning":
                text = customer.idle_text
            elif line.kind == "orders":
                date = format_date(self.env, customer.last_order_date)
                text = self.env._("Last order: %(date)s", date=date)
            elif line.kind == "rethink_late":
                text = line.rethink_id.text
            line.reason_text = text

    # === ACTION METHODS === #

    def action_yes(self):
        """Decide as asked; opens a dialog where more has to be said."""
        return self._decide("yes")

    def action_no(self):
        """Decide against what was asked."""
        return self._decide("no")

    def action_let_go(self):
        """Take neglected customers from their owners, as their leader: free for all.

        :raises UserError: for what else is to be decided
        """
        if any(line.kind not in ("warning", "orders") for line in self):
            raise UserError(self.env._("Open it, and decide there."))
        result = self.customer_id.action_give_up()
        self.env.flush_all()
        self.invalidate_model()
        return result

    def action_open(self):
        """Open what is to be decided on."""
        self.ensure_one()
        if self.run_id:
            return self.run_id.action_open()
        record = self.handoff_id or self.rethink_id or self.customer_id or self.touch_id
        return open_form(record._name, record.id)

    # === BUSINESS METHODS === #

    def _decide(self, answer):
        """Call what the records themselves offer; the last dialog to open is returned.

        :raises UserError: when a kind has nothing to answer so
        """
        result = True
        for kind, lines in self.grouped("kind").items():
            method = getattr(lines, f"_{answer}_{kind}", None)
            if method is None:
                raise UserError(self.env._("Open it, and decide there."))
            result = method() or result
        self.env.flush_all()
        self.invalidate_model()
        return result if isinstance(result, dict) else True

    def _yes_drop(self):
        return self.request_id.action_grant()

    def _no_drop(self):
        return self.request_id.action_decline()

    def _yes_asked(self):
        return self.customer_id.action_grant_leave_alone()

    def _no_asked(self):
        return self.customer_id.action_decline_leave_alone()

    def _yes_late(self):
        """Transfer anyway, where somebody is to receive it."""
        return self.handoff_id.action_transfer()

    def _no_late(self):
        """Offer to the next one who could take it."""
        return self.handoff_id.action_offer_next()

    def _yes_handback(self):
        """The leader has seen it, and the customer stays where it went back to."""
        self.handoff_id.check_access("read")
        self.handoff_id.sudo().is_called = False

    def _no_handback(self):
        """Hand it over to somebody else."""
        return self[:1].customer_id.action_hand_over()

    def _yes_potential(self):
        """Make the declared potentials the leader's own."""
        for amount, lines in self.grouped("amount").items():
            lines.customer_id._confirm_potential(amount)

    def _no_potential(self):
        """Let the leader say another figure."""
        return self.customer_id.action_confirm_potential()

    def _yes_unreachable(self):
        return self.customer_id.action_try_again()

    def _no_unreachable(self):
        return self.customer_id.action_ask_leave_alone()

    def _yes_absent(self):
        return self[:1].customer_id.action_hand_over()

    def _no_absent(self):
        return self.customer_id.action_ask_leave_alone()

    def _yes_warning(self):
        """Let the owner keep it for a time, with the reason."""
        return self.customer_id.action_ask_leave_alone()

    def _no_warning(self):
        """Give it to somebody else now."""
        return self[:1].customer_id.action_hand_over()

    def _yes_orders(self):
        """Leave it with its owner for another term."""
        return self.customer_id.action_keep_with_owner()

    def _no_orders(self):
        return self[:1].customer_id.action_hand_over()

    def _yes_unmatched(self):
        return self[:1].touch_id.action_match()

    def _yes_plan(self):
        """Open the plan, on whose form it is looked at and applied."""
        return self[:1].run_id.action_open()

    def _no_plan(self):
        """Drop the plan; the next night makes another one."""
        return self.run_id.action_cancel()

    def _yes_rethink(self):
        """Confirm what the owner wants to change."""
        return self.rethink_id.action_confirm()

    def _no_rethink(self):
        """Send it back, with what is missing."""
        return self[:1].rethink_id.action_open_send_back()

    def _yes_rethink_late(self):
        """Answer in the owner's place."""
        return self[:1].rethink_id.action_open_answer()

    def _no_rethink_late(self):
        """Give the customer to somebody else."""
        return self[:1].customer_id.action_hand_over()

    @api.model
    def _get_counts(self):
        """Return ``{kind: count}`` of what waits for the user in his company."""
        groups = self._read_group(
            [("company_id", "=", self.env.company.id)], ["kind"], ["__count"]
        )
        return dict(groups)

    # === SQL === #

    @property
    def _table_query(self):
        parts = (
            self._query_drops(),
            self._query_handoffs(),
            self._query_customers("asked", self._query_asked()),
            self._query_customers("potential", self._query_potential()),
            self._query_customers("unreachable", self._query_unreachable()),
            self._query_customers("absent", self._query_absent()),
            self._query_customers("warning", self._query_warned()),
            self._query_customers("orders", self._query_missing_orders()),
            self._query_unmatched(),
        )
        return SQL(
            "SELECT part.*, NULL::int AS run_id, NULL::int AS rethink_id "
            "FROM (%s) part UNION ALL %s UNION ALL %s",
            SQL(" UNION ALL ").join(parts),
            self._query_plans(),
            self._query_rethinks(),
        )

    def _query_rethinks(self):
        """Return rethinks that wait for the leader, and those nobody answered."""
        return SQL(
            """
            SELECT CASE r.state WHEN 'open' THEN %(late)s ELSE %(answered)s END,
                   CASE r.state WHEN 'open' THEN 'rethink_late' ELSE 'rethink' END,
                   r.customer_id, r.company_id, r.team_id, r.user_id,
                   CASE r.state WHEN 'open' THEN r.date_deadline
                        ELSE r.answered_date END,
                   r.reason || ' → ' || r.change, NULL::int, NULL::int, NULL::int,
                   c.segment_id, c.lifecycle, NULL::numeric, NULL::int, r.id
              FROM coverage_rethink r
              JOIN coverage_customer c ON c.id = r.customer_id
              JOIN (%(days)s) day (company_id, today) ON day.company_id = r.company_id
             WHERE r.state = 'answered'
                OR (r.state = 'open' AND r.date_deadline < day.today)
            """,
            late=self._query_id("rethink_late", SQL("r.id")),
            answered=self._query_id("rethink", SQL("r.id")),
            days=self._query_days(),
        )

    def _query_plans(self):
        """Return the plans of the nightly job that wait for a manager."""
        return SQL(
            """
            SELECT %s, 'plan', NULL::int, r.company_id, NULL::int, r.user_id,
                   r.date::date, NULL::varchar, NULL::int, NULL::int, NULL::int,
                   NULL::int, NULL::varchar, NULL::numeric, r.id, NULL::int
              FROM coverage_run r
             WHERE r.is_waiting AND r.state = 'planned' AND r.company_id IN %s
            """,
            self._query_id("plan", SQL("r.id")),
            self._query_company_ids(),
        )

    def _query_days(self):
        """Return one row a company: today, and the last day that is due."""
        rows = []
        for company in self._get_companies():
            today = company._get_coverage_today(fields.Datetime.now())
            rows.append(SQL("(%s::int, %s::date)", company.id, today))
        return SQL("VALUES %s", SQL(", ").join(rows))

    def _query_id(self, kind, column):
        return SQL("%s::int8 * 100 + %s", column, NUMBERS[kind])

    def _query_drops(self):
        """Return open requests."""
        return SQL(
            """
            SELECT %s AS id, 'drop' AS kind, r.customer_id, c.company_id, c.team_id,
                   r.user_id, r.create_date::date AS date, r.reason AS text,
                   r.id AS request_id, NULL::int AS handoff_id, NULL::int AS touch_id,
                   c.segment_id, c.lifecycle, NULL::numeric AS amount
              FROM coverage_request r
              JOIN coverage_customer c ON c.id = r.customer_id
             WHERE r.state = 'open' AND c.company_id IN %s
            """,
            self._query_id("drop", SQL("r.id")),
            self._query_company_ids(),
        )

    def _query_handoffs(self):
        """Return handoffs whose deadline passed, or that call the leader."""
        return SQL(
            """
            SELECT CASE h.state WHEN 'handed_back' THEN %(handback)s ELSE %(late)s END,
                   CASE h.state WHEN 'handed_back' THEN 'handback' ELSE 'late' END,
                   h.customer_id, h.company_id, h.team_id,
                   CASE h.state WHEN 'handed_back' THEN h.to_user_id
                        ELSE h.from_user_id END,
                   CASE h.state WHEN 'offered' THEN h.accept_deadline
                        WHEN 'draft' THEN h.date_deadline
                        ELSE h.closed_date END,
                   COALESCE(h.answer_reason, h.reason), NULL::int, h.id, NULL::int,
                   c.segment_id, c.lifecycle, NULL::numeric
              FROM coverage_handoff h
              JOIN (%(days)s) day (company_id, today) ON day.company_id = h.company_id
              LEFT JOIN coverage_customer c ON c.id = h.customer_id
             WHERE (h.is_called AND h.state IN (
                        'draft', 'offered', 'declined', 'expired', 'handed_back'))
                OR (h.state = 'draft' AND h.date_deadline < day.today)
                OR (h.state = 'offered' AND h.accept_deadline < day.today)
            """,
            handback=self._query_id("handback", SQL("h.id")),
            late=self._query_id("late", SQL("h.id")),
            days=self._query_days(),
        )

    def _query_customers(self, kind, condition):
        """Return customers that wait for a decision of one kind."""
        asker, since, text, amount = {
            "asked": (
                SQL("c.leave_alone_user_id"),
                SQL("c.write_date::date"),
                SQL("c.leave_alone_reason"),
                SQL("NULL::numeric"),
            ),
            "potential": (
                SQL("c.user_id"),
                SQL("c.declared_date"),
                SQL("c.declared_how"),
                SQL("c.declared_potential"),
            ),
            "unreachable": (
                SQL("c.user_id"),
                SQL("c.last_attempt_date"),
                SQL("NULL"),
                SQL("NULL::numeric"),
            ),
            "absent": (
                SQL("c.user_id"),
                SQL("c.next_contact_date"),
                SQL("NULL"),
                SQL("NULL::numeric"),
            ),
            "warning": (
                SQL("c.user_id"),
                SQL("c.idle_warning_date"),
                SQL("NULL"),
                SQL("NULL::numeric"),
            ),
            "orders": (
                SQL("c.user_id"),
                SQL("c.missing_order_since"),
                SQL("NULL"),
                SQL("NULL::numeric"),
            ),
        }[kind]
        return SQL(
            """
            SELECT %(id)s, %(kind)s, c.id, c.company_id, c.team_id, %(asker)s,
                   %(since)s, %(text)s::varchar, NULL::int, NULL::int, NULL::int,
                   c.segment_id, c.lifecycle, %(amount)s
              FROM coverage_customer c
              JOIN res_company company ON company.id = c.company_id
              JOIN (%(days)s) day (company_id, today) ON day.company_id = c.company_id
             WHERE c.active AND %(condition)s
            """,
            id=self._query_id(kind, SQL("c.id")),
            kind=kind,
            asker=asker,
            since=since,
            text=text,
            amount=amount,
            days=self._query_days(),
            condition=condition,
        )

    def _query_asked(self):
        return SQL("c.leave_alone_asked_until IS NOT NULL")

    def _query_potential(self):
        """Return the condition of a declared potential that makes an A or B."""
        return SQL(
            """c.potential_source = 'declared' AND c.segment_manual_id IS NULL
               AND c.declared_date > COALESCE(c.confirmed_date, '-infinity')
               AND c.declared_potential > %s * COALESCE(c.revenue_best_12m, 0)
               AND EXISTS (SELECT FROM coverage_segment s
                            WHERE s.id = c.segment_id AND s.typical_share >= %s)""",
            TOO_HIGH,
            WEIGHTY_SHARE,
        )

    def _query_unreachable(self):
        return SQL(
            """company.coverage_max_attempts > 0
               AND c.attempt_day_count >= company.coverage_max_attempts
               AND %s""",
            self._query_awake(),
        )

    def _query_absent(self):
        """Return the condition of due customers whose owner is not there."""
        absent = self.env["coverage.cadence"]._get_absent_ids(fields.Datetime.now())
        return SQL(
            """c.next_contact_date <= day.today + company.coverage_lead_days
               AND c.user_id IN %s AND %s
               AND (COALESCE(c.attempt_day_count, 0) < company.coverage_max_attempts
                    OR company.coverage_max_attempts = 0)""",
            tuple(absent) or (0,),
            self._query_awake(),
        )

    def _query_warned(self):
        """Return the condition of customers whose owner had the last warning."""
        return SQL(
            "c.idle_warning_level >= %s AND c.user_id IS NOT NULL AND %s",
            LAST,
            self._query_awake(),
        )

    def _query_missing_orders(self):
        """Return the condition of customers that do not order any more."""
        return SQL(
            """c.missing_order_since IS NOT NULL AND c.user_id IS NOT NULL
               AND c.last_order_date < c.missing_order_since AND %s""",
            self._query_awake(),
        )

    def _query_awake(self):
        return SQL("(c.leave_alone_until IS NULL OR c.leave_alone_until < day.today)")

    def _query_unmatched(self):
        """Return calls of people whom nobody knows."""
        return SQL(
            """
            SELECT %s, 'unmatched', NULL::int, t.company_id, t.team_id, t.user_id,
                   t.date::date, t.note, NULL::int, NULL::int, t.id, NULL::int, NULL,
                   NULL::numeric
              FROM coverage_touch t
             WHERE t.active AND t.customer_id IS NULL AND t.lead_id IS NULL
               AND t.partner_id IS NULL AND t.company_id IN %s
            """,
            self._query_id("unmatched", SQL("t.id")),
            self._query_company_ids(),
        )
