from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL, format_date

from .groups import LEADER


class CoveragePooled(models.AbstractModel):
    """What a customer without owner shows: since when, why, and who passed it."""

    _name = "coverage.pooled"
    _description = "In the Pool or to Be"

    claim_ids = fields.One2many("coverage.claim", "customer_id", string="Offers")
    absence_line_ids = fields.One2many(
        "coverage.absence.line", "customer_id", string="Covers"
    )
    pooled_since = fields.Date(
        string="Free Since", compute="_compute_pooled", compute_sudo=True
    )
    pooled_from_id = fields.Many2one(
        "res.users",
        string="Had It Before",
        compute="_compute_pooled",
        compute_sudo=True,
    )
    pool_text = fields.Char(
        string="In the Pool", compute="_compute_pooled", compute_sudo=True
    )
    pool_reason = fields.Char(
        string="Why It Is Free", compute="_compute_pooled", compute_sudo=True
    )
    pass_text = fields.Char(
        string="Passed by",
        compute="_compute_pass_text",
        groups=LEADER,
        help="Who was offered it and did not want it, and why.",
    )

    @api.depends("user_id")
    @api.depends_context("lang", "tz")
    def _compute_pooled(self):
        """Read from the history when and why these lost their owner."""
        free = self.filtered(lambda one: not one.user_id and one._origin)
        changes = self.env["coverage.change"]
        changes.flush_model()
        last = {}
        if free:
            ids = [row[0] for row in self.env.execute_query(self._query_released(free))]
            last = {one.customer_id: one for one in changes.browse(ids)}
        former = self._get_former_owners(last)
        for customer in self:
            change = last.get(customer._origin, changes)
            since = change.date or customer.create_date
            is_free = customer in free
            customer.pooled_since = is_free and since and since.date()
            customer.pooled_from_id = former.get(change.old_value)
            never = self.env._("Never had an owner.")
            reason = change.reason_text if change else never
            customer.pool_reason = is_free and (reason or False)
            customer.pool_text = customer._tell_pooled(change) if is_free else False

    def _query_released(self, customers):
        """Select the last change of owner of each, which no domain can."""
        return SQL(
            """
            SELECT DISTINCT ON (customer_id) id FROM coverage_change
             WHERE customer_id IN %s AND field_name = 'user_id'
               AND model = 'coverage.customer' AND new_value IS NULL
               AND state IN ('applied', 'undone', 'kept')
             ORDER BY customer_id, date DESC, id DESC
            """,
            customers._origin._ids,
        )

    def _get_former_owners(self, last):
        """Return by kept value the people that lines of history name as owners."""
        values = {change.old_value or "" for change in last.values()}
        ids = [int(value) for value in values if value.isdigit()]
        return {str(one.id): one for one in self.env["res.users"].browse(ids).exists()}

    def _tell_pooled(self, change):
        """Return since when and why a customer has no owner, in one sentence."""
        if not change:
            return self.env._("Never had an owner.")
        return self.env._(
            "Free since %(date)s, before with %(owner)s. %(why)s",
            date=format_date(self.env, change.date, date_format="d MMM yyyy"),
            owner=change.old_label or self.env._("nobody"),
            why=change.reason_text or "",
        ).strip()

    @api.depends("claim_ids.state")
    def _compute_pass_text(self):
        told = defaultdict(list)
        claims = self.env["coverage.claim"].search(
            [("customer_id", "in", self.ids), ("state", "=", "passed")]
        )
        labels = dict(claims._fields["pass_reason"]._description_selection(self.env))
        for claim in claims:
            why = claim.pass_text or labels.get(claim.pass_reason, "")
            told[claim.customer_id].append(f"{claim.user_id.name}: {why}")
        for customer in self:
            customer.pass_text = "; ".join(told[customer._origin])

    # === ACTION METHODS === #

    def action_next_customer(self):
        """Offer the user the free customer that fits best; whatever is selected."""
        return self._offer_next(is_lead=False)

    def action_next_lead(self):
        """Offer the user the open lead that fits best; whatever is selected."""
        return self._offer_next(is_lead=True)

    def action_hand_out(self):
        """Open the leader's dialog that gives free customers to people."""
        self._check_leads_them()
        if owned := self.filtered("user_id"):
            raise UserError(
                self.env._(
                    "%(customer)s is %(owner)s's customer. Only what has no owner is "
                    "handed out; use a handoff instead.",
                    customer=owned[0].display_name,
                    owner=owned[0].user_id.name,
                )
            )
        return self._open_dialog("coverage.hand.out", self.env._("Hand Out"))

    def action_put_into_pool(self):
        """Open the leader's dialog that takes the owner away, with the reason."""
        self._check_leads_them()
        return self._open_dialog("coverage.release", self.env._("Put into the Pool"))

    # === BUSINESS METHODS === #

    @api.model
    def _offer_next(self, is_lead):
        """Make the user an offer and open it."""
        self.check_access("read")
        claim = self.env["coverage.pool"]._offer_next(
            self.env.user, self.env.company, fields.Datetime.now(), is_lead
        )
        return claim.with_env(self.env).action_open()

    def _check_leads_them(self):
        """Raise unless the user leads the teams of all these customers."""
        self.check_access("read")
        guard = self.env["coverage.guard"]
        if not all(guard._is_free() or guard._is_leader_of(one) for one in self):
            raise AccessError(
                self.env._(
                    "Only the leader of its team, or a manager, decides who gets a "
                    "customer. Ask %(leader)s.",
                    leader=guard._get_leader(self[:1]),
                )
            )
