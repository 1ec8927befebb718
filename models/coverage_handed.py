from odoo import api, fields, models
from odoo.tools import format_date

from .groups import LEADER

OPEN = ("draft", "offered")
RUNNING = ("accepted", "watched")


class CoverageHanded(models.AbstractModel):
    """What a customer or an opportunity shows of its handoffs, and what one may do."""

    _name = "coverage.handed"
    _description = "Handed Over or to Be"

    handoff_id = fields.Many2one(
        "coverage.handoff",
        compute="_compute_handoff_id",
        help="The handoff that waits for somebody, else the one that is watched.",
    )
    handoff_count = fields.Integer(
        string="Number of Handoffs", compute="_compute_handoff_count"
    )
    handoff_state = fields.Char(compute="_compute_handoff_banner")
    handoff_text = fields.Char(compute="_compute_handoff_banner")
    is_handoff_giver = fields.Boolean(compute="_compute_handoff_banner")
    is_handoff_receiver = fields.Boolean(compute="_compute_handoff_banner")
    can_hand_over = fields.Boolean(compute="_compute_can_hand_over")

    def _compute_handoff_id(self):
        """Of several the open one counts, else the newest that still runs."""
        current = {}
        for handoff in self._find_handoffs(OPEN + RUNNING):
            held = current.setdefault(handoff[self._handoff_key()], handoff)
            if handoff.state in OPEN and held.state not in OPEN:
                current[handoff[self._handoff_key()]] = handoff
        for record in self:
            record.handoff_id = current.get(record._origin)

    def _compute_handoff_count(self):
        key = self._handoff_key()
        groups = self.env["coverage.handoff"]._read_group(
            [(key, "in", self.ids)], [key], ["__count"]
        )
        counts = {record.id: count for record, count in groups}
        for record in self:
            record.handoff_count = counts.get(record.id, 0)

    @api.depends("handoff_id")
    @api.depends_context("uid", "lang")
    def _compute_handoff_banner(self):
        for record in self:
            handoff = record.handoff_id.sudo()  # whoever sees it sees who gets it
            mine = handoff.sudo(False)
            record.handoff_state = handoff.state
            record.handoff_text = record._tell_handoff(handoff)
            record.is_handoff_giver = bool(mine) and mine._is_mine("from_user_id")
            record.is_handoff_receiver = bool(mine) and mine._is_mine("to_user_id")

    @api.depends("user_id", "handoff_id")
    @api.depends_context("uid")
    def _compute_can_hand_over(self):
        is_leader = self.env.user.has_group(LEADER)
        for record in self:
            is_mine = is_leader or record.user_id == self.env.user
            is_free = record.handoff_id.sudo().state not in OPEN
            record.can_hand_over = bool(record._origin and is_mine and is_free)

    # === ACTION METHODS === #

    def action_hand_over(self):
        """Open the dialog that offers these to somebody else."""
        key = "default_lead_id" if self._name == "crm.lead" else "default_customer_ids"
        value = self.id if self._name == "crm.lead" else self.ids
        return self.env["coverage.offer"]._open(**{key: value})

    def action_accept_handoff(self):
        """Take what is offered."""
        self.ensure_one()
        return self.handoff_id.action_accept()

    def action_open_handoff(self):
        """Open the handoff that waits or runs."""
        self.ensure_one()
        return self.handoff_id.action_open()

    def action_open_handoffs(self):
        """Open all handoffs of this customer or opportunity."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_sales_coverage.coverage_handoff_action"
        )
        key = self._handoff_key()
        return {**action, "domain": [(key, "=", self.id)], "context": {}}

    # === BUSINESS METHODS === #

    def _handoff_key(self):
        """Return the handoff's field that points here."""
        return "lead_id" if self._name == "crm.lead" else "customer_id"

    def _find_handoffs(self, states):
        """Return the handoffs of these records, the newest first.

        In sudo: a watcher learns from the banner what happens to the customer.
        """
        domain = [(self._handoff_key(), "in", self.ids), ("state", "in", states)]
        return self.env["coverage.handoff"].sudo().search(domain)

    def _tell_handoff(self, handoff):
        """Return what the banner says of a handoff."""
        _, user = self.env._, self.env.user
        words = {
            "giver": handoff.from_user_id.name or _("nobody"),
            "receiver": handoff.to_user_id.name or _("somebody"),
            "reason": handoff.reason or "",
            "watch": handoff._tell_watch() if handoff else "",
        }
        if handoff.state == "draft":
            return self._tell_draft(handoff, words)
        if handoff.state == "offered":
            words["date"] = self._tell_date(handoff.accept_deadline)
            if handoff.to_user_id == user:
                return _("Offered to you until %(date)s: %(reason)s", **words)
            return _("Offered to %(receiver)s until %(date)s: %(reason)s", **words)
        if handoff.state not in RUNNING:
            return ""
        if handoff.from_user_id == user:
            return _("You handed it to %(receiver)s: %(watch)s", **words)
        return _("From %(giver)s: %(watch)s", **words)

    def _tell_draft(self, handoff, words):
        _ = self.env._
        if not handoff.date_deadline:
            return _("To be handed to %(receiver)s: %(reason)s", **words)
        words["date"] = self._tell_date(handoff.date_deadline)
        return _(
            "To be handed to %(receiver)s until %(date)s: %(reason)s",
            **words,
        )

    def _tell_date(self, date):
        return format_date(self.env, date, date_format="d MMMM") if date else "?"
