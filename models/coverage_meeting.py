from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain

from .groups import LEADER, MANAGER
from .opening import open_form

STATES = [
    ("planned", "Planned"),
    ("held", "Held"),
    ("cancelled", "Cancelled"),
]
TRANSITIONS = {
    ("planned", "held"),
    ("planned", "cancelled"),
    ("held", "planned"),
    ("cancelled", "planned"),
}
REVIEW_DAYS = 90  # whose first meeting it is reads of so many days


class CoverageMeeting(models.Model):
    """A small group of sellers learns from each other: agenda, decisions, reviews.

    In the calendar it is an event of Odoo's own, of colleagues only: no customer is
    invited, and nobody gets a mail. The agenda pack is made from the data until the
    meeting is held; then it stays as it was.
    """

    _name = "coverage.meeting"
    _inherit = ["coverage.meeting.event"]
    _description = "Group Meeting"
    _order = "start desc, id desc"
    _check_company_auto = True

    name = fields.Char(string="Topic", required=True)
    state = fields.Selection(STATES, required=True, default="planned", readonly=True)
    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        default=lambda self: self.env.company,
        ondelete="cascade",
    )
    is_ranking_shown = fields.Boolean(
        string="Show Who Does How Well",
        help="Off: peers learn what the best do, not who they are. Managers decide.",
    )

    # who
    team_id = fields.Many2one(
        "crm.team", string="Sales Team", index="btree_not_null", check_company=True
    )
    leader_id = fields.Many2one(
        "res.users",
        string="Led by",
        required=True,
        default=lambda self: self.env.user,
        index=True,
        domain="[('share', '=', False), ('company_ids', '=', company_id)]",
    )
    member_ids = fields.Many2many(
        "res.users",
        "coverage_meeting_member_rel",
        string="Members",
        domain="[('share', '=', False), ('company_ids', '=', company_id)]",
        help="Three to seven learn best from each other.",
    )

    # which series
    rule_id = fields.Many2one(
        "coverage.meeting.rule",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    rule_date = fields.Date(readonly=True, export_string_translation=False)
    group_number = fields.Integer(
        readonly=True, aggregator=None, export_string_translation=False
    )

    # what about
    customer_ids = fields.Many2many(
        "coverage.customer",
        "coverage_meeting_customer_rel",
        string="Customers on the Agenda",
        groups="crm_sales_coverage.group_coverage_team_leader",
        help="The members read their names in the pack, and no figures.",
    )
    review_ids = fields.Many2many(
        "coverage.case.review",
        "coverage_meeting_review_rel",
        "meeting_id",
        "review_id",
        string="Case Reviews",
        readonly=True,
        help="Written by the members since their last meeting.",
    )
    pack_kept = fields.Json(readonly=True, export_string_translation=False)
    pack_html = fields.Html(
        string="Agenda Pack", compute="_compute_pack_html", sanitize=False
    )

    # what came of it
    decision_ids = fields.One2many(
        "coverage.meeting.decision", "meeting_id", string="Decisions"
    )
    earlier_decision_ids = fields.Many2many(
        "coverage.meeting.decision",
        string="Open from Before",
        compute="_compute_earlier_decision_ids",
    )
    open_count = fields.Integer(
        string="Open Decisions", compute="_compute_open_count", compute_sudo=True
    )
    note = fields.Text(string="Minutes")
    can_lead = fields.Boolean(compute="_compute_can_lead")

    _once = models.UniqueIndex(
        "(rule_id, rule_date, group_number) WHERE rule_id IS NOT NULL",
        "This group has its meeting on that day already.",
    )

    @api.depends("pack_kept", "is_ranking_shown")
    @api.depends_context("uid", "lang")
    def _compute_pack_html(self):
        for meeting in self:
            meeting.pack_html = self.env["ir.qweb"]._render(
                "crm_sales_coverage.coverage_meeting_pack",
                {"pack": meeting._origin._get_pack(fields.Datetime.now())},
            )

    @api.depends("start", "member_ids", "leader_id", "rule_id")
    @api.depends_context("uid")
    def _compute_earlier_decision_ids(self):
        for meeting in self:
            meeting.earlier_decision_ids = (
                meeting.sudo()._find_earlier_decisions()._filtered_access("read")
            )

    @api.depends("decision_ids.is_done")
    def _compute_open_count(self):
        for meeting in self:
            meeting.open_count = len(
                meeting.decision_ids.filtered(lambda one: not one.is_done)
            )

    @api.depends_context("uid")
    def _compute_can_lead(self):
        led = self._origin._filtered_access("write")
        for meeting in self:
            meeting.can_lead = meeting._origin in led

    @api.constrains("member_ids", "leader_id", "company_id")
    def _check_people(self):
        """Only colleagues of the company sit at the table."""
        for meeting in self.sudo():
            for user in meeting.member_ids | meeting.leader_id:
                if user.share or meeting.company_id not in user.company_ids:
                    raise ValidationError(
                        self.env._(
                            "%(user)s does not work in %(company)s. Invite colleagues "
                            "only.",
                            user=user.name,
                            company=meeting.company_id.name,
                        )
                    )

    @api.model_create_multi
    def create(self, vals_list):
        """Create meetings, each with its event in the calendars of those who come."""
        if any(vals.get("is_ranking_shown") for vals in vals_list):
            self._check_may_rank()
        self._check_leader()
        meetings = super().create(vals_list)
        meetings.sudo()._settle_events()
        for meeting in meetings.sudo():
            meeting._gather_reviews()
        return meetings

    def write(self, vals):
        if "is_ranking_shown" in vals:
            self._check_may_rank()
        result = super().write(vals)
        self.sudo()._follow_change(vals)
        return result

    # === ACTION METHODS === #

    def action_hold(self):
        """Note that the meetings took place; their packs stay as they are now."""
        self._hold(fields.Datetime.now())
        return True

    def action_cancel(self):
        """Cancel meetings: they leave the calendars, without a mail."""
        self._update_state("cancelled")
        return True

    def action_reopen(self):
        """Plan meetings again that were closed or cancelled by mistake."""
        self._update_state("planned")
        self.sudo().pack_kept = False
        return True

    def action_print(self):
        """Print the one-pager of these meetings."""
        self.check_access("read")
        report = self.env.ref("crm_sales_coverage.coverage_meeting_report")
        return report.report_action(self, config=False)

    def action_open_event(self):
        """Open the event in the calendar."""
        self.ensure_one()
        self.check_access("read")
        return open_form("calendar.event", self.sudo().event_id.id)

    # === BUSINESS METHODS === #

    def _get_pack(self, now):
        """Return the agenda pack: the one kept, else one made now.

        Of a kept one the ranking goes when the manager does not want it any more.
        """
        if not self:  # not saved yet
            return None
        kept = self.sudo().pack_kept
        if not kept:
            return self.env["coverage.meeting.pack"]._get_pack(self, now)
        self.check_access("read")
        ranking = kept["ranking"] if self.is_ranking_shown else None
        return {**kept, "ranking": ranking}

    def _hold(self, now):
        """Keep the packs of meetings as they are at ``now``."""
        self._update_state("held")
        packs = self.env["coverage.meeting.pack"]
        for meeting in self.sudo():
            meeting.pack_kept = packs._get_pack(meeting, now)

    def _update_state(self, target):
        """Move to ``target``; the only place that changes the state."""
        self.check_access("write")
        for meeting in self:
            if (meeting.state, target) not in TRANSITIONS:
                raise UserError(
                    self.env._("Somebody has closed this meeting already. Look again.")
                )
        self.write({"state": target})

    def _get_earlier_domain(self):
        """Return the meetings before this one, of the same rule, else leader."""
        self.ensure_one()
        domain = (
            Domain("company_id", "=", self.company_id.id)
            & Domain("state", "!=", "cancelled")
            & Domain("start", "<", self.start or fields.Datetime.now())
            & Domain("rule_id", "=", self.rule_id.id)
            & Domain("id", "not in", self._origin.ids)
        )
        return domain if self.rule_id else domain & self._get_own_domain()

    def _get_own_domain(self):
        """Return the meetings planned by hand that belong together."""
        return Domain("leader_id", "=", self.leader_id.id)

    def _find_earlier_decisions(self):
        """Return what earlier meetings left open to those who come, the oldest first.

        By person, not by table: groups change, and nothing decided is lost.
        """
        self.ensure_one()
        people = self.member_ids | self.leader_id
        return self.env["coverage.meeting.decision"].search(
            [
                ("meeting_id", "any", self._get_earlier_domain()),
                ("is_done", "=", False),
                ("user_id", "in", people.ids),
            ],
            order="date_deadline, id",
        )

    def _gather_reviews(self):
        """Put on the agenda what those who come wrote since their last meeting."""
        last = self.search(
            self._get_earlier_domain()
            & Domain("member_ids", "in", self.member_ids.ids),
            order="start desc, id desc",
            limit=1,
        )
        since = last.start or self.start - timedelta(days=REVIEW_DAYS)
        known = last.review_ids
        self.review_ids += (
            self.env["coverage.case.review"].search(
                [
                    ("user_id", "in", (self.member_ids | self.leader_id).ids),
                    ("company_id", "=", self.company_id.id),
                    ("written_date", ">=", since.date()),
                    ("state", "=", "written"),
                ]
            )
            - known
        )

    def _check_leader(self):
        if not self.env.su and not self.env.user.has_group(LEADER):
            raise AccessError(
                self.env._("Only team leaders plan group meetings. Ask your leader.")
            )

    def _check_may_rank(self):
        if not self.env.su and not self.env.user.has_group(MANAGER):
            raise AccessError(
                self.env._("Only managers decide that people see who does how well.")
            )
