from datetime import datetime, time, timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain

from .groups import LEADER, MANAGER
from .opening import open_form

CHANNELS = [
    ("call", "Call"),
    ("visit", "Visit"),
    ("online", "Online Meeting"),
    ("email", "E-mail"),
    ("message", "Message"),
]
DIRECTIONS = [("out", "By Us"), ("in", "By the Customer")]
SOURCES = [
    ("activity", "Activity"),
    ("meeting", "Calendar"),
    ("email", "Mail"),
    ("sms", "Text Message"),
    ("order", "Order"),
    ("telephone", "Telephone"),
    ("hand", "By Hand"),
]
PROVEN = ("meeting", "email", "sms", "order", "telephone")
MET = ("visit", "online")
WITHDRAW_HOURS = 24
TWIN_MINUTES = 60


class CoverageTouch(models.Model):
    """The ledger of contacts: who contacted whom, when, and whether they took part.

    Append-only and narrow. Filled set-based from what Odoo keeps anyway
    (``coverage.ledger``), by telephone systems (:meth:`log_call`) and by hand
    (``coverage.log.touch``). Whether the customer took part is decided when a touch is
    written, by rules that whoever writes it cannot bend.
    """

    _name = "coverage.touch"
    _inherit = ["coverage.telephone", "coverage.post.box"]
    _description = "Contact with a Customer"
    _order = "date desc, id desc"
    _rec_name = "channel"
    _check_company_auto = True

    # who with whom
    company_id = fields.Many2one(
        "res.company",
        required=True,
        default=lambda self: self.env.company,
        ondelete="cascade",
    )
    customer_id = fields.Many2one("coverage.customer", ondelete="cascade")
    partner_id = fields.Many2one(
        "res.partner",
        string="Person",
        index="btree_not_null",
        ondelete="set null",
        help="Who was spoken to.",
    )
    lead_id = fields.Many2one("crm.lead", index="btree_not_null", ondelete="set null")
    user_id = fields.Many2one(
        "res.users", string="Seller", ondelete="set null", help="Who made the contact."
    )
    team_id = fields.Many2one(
        "crm.team", string="Sales Team", index="btree_not_null", ondelete="set null"
    )

    # what happened
    date = fields.Datetime(required=True, default=fields.Datetime.now)
    channel = fields.Selection(CHANNELS, required=True, default="call")
    direction = fields.Selection(DIRECTIONS, required=True, default="out")
    is_two_way = fields.Boolean(
        string="Two-Way",
        help="The customer took part. Everything else is an attempt.",
    )
    is_counted = fields.Boolean(
        default=True,
        help="Made by the owner, somebody of a sales team or a watcher: it keeps the "
        "rhythm. An e-mail from accounting does not.",
    )
    minutes = fields.Float(digits=(8, 1), aggregator="sum")
    outcome_id = fields.Many2one("coverage.outcome", ondelete="restrict")
    refusal_reason_id = fields.Many2one(
        "crm.lost.reason", string="Reason of Refusal", ondelete="set null"
    )
    note = fields.Text()
    next_date = fields.Date(string="Next Step On")
    next_summary = fields.Char(string="Next Step")

    # where it is known from
    source = fields.Selection(SOURCES, required=True, default="hand")
    is_proven = fields.Boolean(
        string="Proven",
        compute="_compute_is_proven",
        search="_search_is_proven",
        help="Noted by the telephone system, by mail, by the calendar or by an order, "
        "not by hand.",
    )
    origin_id = fields.Integer(
        export_string_translation=False,
        help="Id of the message, meeting or order it was read from.",
    )
    external_id = fields.Char(
        string="Id in the Telephone System", export_string_translation=False
    )
    number = fields.Char(help="The other side's telephone number, or address.")
    recording_url = fields.Char(string="Recording")
    active = fields.Boolean(default=True, help="A withdrawn contact counts nowhere.")

    _customer_date = models.Index("(customer_id, date DESC)")
    _user_date = models.Index("(user_id, date)")
    _known_by = models.Index(
        "(customer_id, user_id, date) WHERE is_two_way AND is_counted AND active"
    )
    _company_date = models.Index("(company_id, date)")
    _origin_unique = models.UniqueIndex(
        "(source, origin_id, COALESCE(customer_id, 0)) WHERE origin_id IS NOT NULL",
        "This contact is in the list already.",
    )
    _external_unique = models.UniqueIndex(
        "(company_id, external_id) WHERE external_id IS NOT NULL",
        "The telephone system has reported this call already.",
    )
    _unmatched_number = models.Index(
        "(company_id, number) WHERE customer_id IS NULL AND lead_id IS NULL "
        "AND partner_id IS NULL"
    )
    _free_of_leads = models.Index(
        "(lead_id, partner_id) WHERE customer_id IS NULL "
        "AND COALESCE(lead_id, partner_id) IS NOT NULL"
    )
    _minutes_not_negative = models.Constraint(
        "CHECK (minutes >= 0)",
        "A contact cannot last less than 0 minutes.",
    )

    @api.depends("source")
    def _compute_is_proven(self):
        for touch in self:
            touch.is_proven = touch.source in PROVEN

    def _search_is_proven(self, operator, value):
        if operator != "in":
            return NotImplemented
        return [("source", "in", PROVEN)]

    @api.depends("channel", "direction", "outcome_id", "customer_id", "number")
    def _compute_display_name(self):
        channels = dict(self._fields["channel"]._description_selection(self.env))
        for touch in self:
            whom = touch.customer_id.sudo().display_name or touch.number
            name = channels.get(touch.channel, "")
            touch.display_name = f"{name}: {whom}" if whom else name

    @api.model_create_multi
    def create(self, vals_list):
        """Note contacts; only the addon's own dialogs and sources do.

        :raises UserError: names the way to do it
        """
        if not self.env.su:
            self.check_access("create")
            raise UserError(
                self.env._("Contacts are noted by “Log Call”, mail and the calendar.")
            )
        return super().create([self._add_team(vals) for vals in vals_list])

    # === ACTION METHODS === #

    def action_withdraw(self):
        """Take back contacts noted by mistake: one's own of today, or as the leader.

        :raises UserError: for what a machine noted, and for what is too old
        """
        self.check_access("read")
        is_leader = self.env.user.has_group(LEADER)
        limit = fields.Datetime.now() - timedelta(hours=WITHDRAW_HOURS)
        for touch in self:
            if touch.source not in ("hand", "activity"):
                raise UserError(
                    self.env._("Only what was noted by hand can be withdrawn.")
                )
            is_own = touch.user_id == self.env.user and touch.create_date > limit
            if not is_own and not is_leader:
                raise UserError(
                    self.env._(
                        "Only your own contacts of the last 24 hours. Ask the team "
                        "leader to withdraw it."
                    )
                )
        touches = self.sudo()
        touches.active = False
        touches._settle()
        return True

    def action_match(self):
        """Open the dialog that says who an unknown number is."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Who Was It?"),
            "res_model": "coverage.match.touch",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_touch_id": self.id},
        }

    def action_open_customer(self):
        """Open the customer, else the lead, that was contacted."""
        self.ensure_one()
        record = self.customer_id or self.lead_id or self.partner_id
        return open_form(record._name, record.id)

    # === BUSINESS METHODS === #

    @api.model
    def _add_team(self, vals):
        """Return the values of a touch with the team it counts for."""
        if "team_id" in vals:
            return vals
        user = self.env["res.users"].browse(vals.get("user_id") or ())
        customer = self.env["coverage.customer"].browse(vals.get("customer_id") or ())
        return {**vals, "team_id": (user.sale_team_id or customer.team_id).id}

    @api.model
    def _keeps_rhythm(self, user, customer):
        """Return whether contacts of ``user`` count.

        Of the owner, the owner's assistant, a watcher, or somebody of a sales team.
        """
        user, customer = user.sudo(), customer.sudo()
        assistants = customer.user_id.crm_team_member_ids.coverage_assistant_id
        if user in customer.user_id | assistants | customer.watcher_ids:
            return True
        leads = Domain("user_id", "in", user.ids)
        teams = self.env["crm.team"].sudo()
        return bool(user.crm_team_member_ids or teams.search_count(leads, limit=1))

    def _settle(self):
        """Let the customers know: facts, next contact, and the planned one closed."""
        contacts = self.env["coverage.contact"].sudo()
        for company, touches in self.grouped("company_id").items():
            if customers := touches.customer_id:
                contacts._follow_touches(company, customers.sudo())
        self.env["coverage.cadence"].sudo()._close_fulfilled(self)
        leads, partners = self.env["crm.lead"], self.sudo().customer_id.partner_id
        leads._queue_heat("l.id", self.lead_id.ids)
        leads._queue_heat("p.commercial_partner_id", partners.ids)

    def _get_summary(self):
        """Return the contact in a few words: channel, person, seller."""
        channels = dict(self._fields["channel"]._description_selection(self.env))
        parts = [channels[self.channel], self.partner_id.name, self.user_id.name]
        return ", ".join(part for part in parts if part)

    def _find_twin(self, vals, sources):
        """Return the other note of the same contact, if any.

        One call is noted by the telephone system and by the seller; it counts once. So
        does a visit that is in the calendar of that day.

        :param sources: where the other note would come from; one of a machine that
            somebody has completed already is another contact
        """
        if not vals.get("user_id") or not (
            vals.get("customer_id") or vals.get("lead_id")
        ):
            return self.browse()
        date = fields.Datetime.to_datetime(vals["date"])
        span, day = timedelta(minutes=TWIN_MINUTES), datetime.combine(date, time.min)
        near = Domain("date", ">=", date - span) & Domain("date", "<=", date + span)
        channels = (vals["channel"],)
        if vals["channel"] in MET:
            channels = MET
            near |= (
                Domain("source", "=", "meeting")
                & Domain("date", ">=", day)
                & Domain("date", "<", day + timedelta(days=1))
            )
        touches = self.sudo().search(
            Domain("company_id", "=", vals["company_id"])
            & Domain("customer_id", "=", vals.get("customer_id") or False)
            & Domain("user_id", "=", vals["user_id"])
            & Domain("channel", "in", channels)
            & Domain("source", "in", sources)
            & (Domain("source", "not in", PROVEN) | Domain("next_date", "=", False))
            & near
        )
        if not vals.get("customer_id"):
            touches = touches.filtered(lambda one: one.lead_id.id == vals["lead_id"])
        return touches[:1]

    def _check_for_another(self, user):
        """Raise unless one may note contacts for ``user``: oneself, or as a manager."""
        if user != self.env.user and not self.env.user.has_group(MANAGER):
            raise AccessError(
                self.env._(
                    "Only managers may log calls of %(user)s. Use that person's own "
                    "API key.",
                    user=user.name,
                )
            )
