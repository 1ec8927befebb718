import logging
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.tools import format_date

from ..core.meeting import LEAST, MOST, days_ahead, group
from .groups import MANAGER

_logger = logging.getLogger(__name__)

AHEAD_DAYS = 14
SIMILARITIES = [
    ("products", "Similar products"),
    ("customers", "Similar customers"),
]
WEEKDAYS = [
    ("0", "Monday"),
    ("1", "Tuesday"),
    ("2", "Wednesday"),
    ("3", "Thursday"),
    ("4", "Friday"),
    ("5", "Saturday"),
    ("6", "Sunday"),
]


class CoverageMeetingRule(models.Model):
    """Who meets in small groups, how often, and with whom at the table.

    The members of a team are parted into groups of three to seven who sell similar
    products, or to similar customers; every so many weeks each group has a meeting.
    Every night the meetings of the next two weeks are put into the calendars, each
    once: what was cancelled or moved stays so.
    """

    _name = "coverage.meeting.rule"
    _inherit = ["coverage.job"]
    _description = "Meeting Rule"
    _order = "team_id, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        default=lambda self: self.env.company,
        ondelete="cascade",
    )

    # who
    team_id = fields.Many2one(
        "crm.team",
        string="Sales Team",
        required=True,
        index=True,
        ondelete="cascade",
        check_company=True,
        help="Its members are parted into groups.",
    )
    similarity = fields.Selection(
        SIMILARITIES,
        string="Who Sits Together",
        required=True,
        default="customers",
        help="Who sells products of the same categories, or to customers of the same "
        "industries and segments.",
    )
    group_size = fields.Integer(
        string="People at the Table",
        required=True,
        default=5,
        help="Three to seven, besides the leader. Groups are as equal as can be.",
    )
    leader_id = fields.Many2one(
        "res.users",
        string="Led by",
        compute="_compute_leader_id",
        store=True,
        readonly=False,
        required=True,
        precompute=True,
        domain="[('share', '=', False), ('company_ids', '=', company_id)]",
    )

    # when
    interval_weeks = fields.Integer(string="Every (weeks)", required=True, default=4)
    weekday = fields.Selection(WEEKDAYS, string="On", required=True, default="0")
    start_hour = fields.Float(string="At", required=True, default=9.0)
    duration_hours = fields.Float(string="Takes", required=True, default=1.0)
    date_from = fields.Date(
        string="From",
        required=True,
        default=fields.Date.context_today,
        help="The first meeting is on the first such weekday from this day on.",
    )

    is_ranking_shown = fields.Boolean(
        string="Show Who Does How Well",
        help="Off: peers learn what the best do, not who they are. Managers decide.",
    )
    meeting_ids = fields.One2many("coverage.meeting", "rule_id", string="Meetings")
    next_text = fields.Char(string="Next Meeting", compute="_compute_next_text")

    _sizes = models.Constraint(
        f"CHECK (group_size BETWEEN {LEAST} AND {MOST})",
        "People learn from each other in groups of 3 to 7. Choose such a number.",
    )
    _weeks = models.Constraint(
        "CHECK (interval_weeks BETWEEN 1 AND 52)",
        "Choose how many weeks lie between two meetings: 1 to 52.",
    )

    @api.depends("team_id")
    def _compute_leader_id(self):
        for rule in self:
            rule.leader_id = rule.team_id.user_id or rule.leader_id or self.env.user

    @api.depends("meeting_ids.start", "meeting_ids.state")
    def _compute_next_text(self):
        now = fields.Datetime.now()
        for rule in self:
            coming = rule.meeting_ids.filtered(
                lambda one: one.state == "planned" and one.start and one.start >= now
            )
            first = min(coming.mapped("start"), default=None)
            rule.next_text = format_date(self.env, first) if first else ""

    @api.constrains("start_hour", "duration_hours")
    def _check_hours(self):
        for rule in self:
            if not 0 <= rule.start_hour < 24 or not 0 < rule.duration_hours <= 8:
                raise ValidationError(
                    self.env._(
                        "Choose a time of the day, and at most 8 hours for a meeting."
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        if any(vals.get("is_ranking_shown") for vals in vals_list):
            self._check_may_rank()
        return super().create(vals_list)

    def write(self, vals):
        if "is_ranking_shown" in vals:
            self._check_may_rank()
        return super().write(vals)

    # === ACTION METHODS === #

    def action_plan_now(self):
        """Put the meetings of the next two weeks into the calendars at once.

        :raises AccessError: unless the user may change the rule
        """
        self.check_access("write")
        meetings = self.sudo()._plan(fields.Datetime.now())
        coming = self.meeting_ids.filtered(lambda one: one.state == "planned")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_sales_coverage.coverage_meeting_action"
        )
        ids = (meetings | coming).ids
        return {**action, "domain": [("id", "in", ids)], "context": {}}

    # === JOB === #

    @api.model
    def _cron_meeting(self):
        """Plan the meetings of the next two weeks, in all companies."""
        self._run_companies(self.sudo()._run_steps)

    def _get_steps(self):
        return (self._plan_company,)

    @api.model
    def _plan_company(self, company, now, tally, commit):
        """Plan the coming meetings of a company; a rule that fails stops no other.

        :return: whether time was left
        """
        rules = self.search([("company_id", "=", company.id)], order="id")

        def refuse(rule, error):
            _logger.warning("Meetings of rule %s are not planned: %s", rule.id, error)
            tally.refused.append(rule.id)

        def act(batch):
            held = self._lock(batch)
            for made in self._apart(held, lambda part: part._plan(now), refuse):
                tally.count += len(made)

        return self._work_through(rules, 1, act, commit)

    def _tell_refused(self, count):
        return self.env._(
            "The meetings of %(count)s rules could not be planned. The log says why.",
            count=count,
        )

    # === BUSINESS METHODS === #

    def _plan(self, now):
        """Create the meetings of the next days that are not planned yet.

        :return: the meetings created
        """
        meetings = self.env["coverage.meeting"]
        for rule in self:
            today = rule.company_id._get_coverage_today(now)
            days = days_ahead(
                rule._get_first_day(), rule.interval_weeks, today, rule._get_ahead()
            )
            known = set(rule.meeting_ids.mapped("rule_date"))
            if missing := [day for day in days if day not in known]:
                groups = rule._get_groups(now)
                meetings += meetings.create(
                    [
                        rule._prepare_meeting(day, number, users, len(groups))
                        for day in missing
                        for number, users in enumerate(groups, start=1)
                    ]
                )
        return meetings

    def _get_ahead(self):
        """Return how many days ahead meetings are planned. An override may widen it."""
        return AHEAD_DAYS

    def _get_first_day(self):
        """Return the first such weekday from the rule's begin on."""
        self.ensure_one()
        wait = (int(self.weekday) - self.date_from.weekday()) % 7
        return self.date_from + timedelta(days=wait)

    def _get_groups(self, now):
        """Return the groups of sellers, alike among themselves."""
        self.ensure_one()
        users = self._get_sellers()
        if not users:
            return []
        profiles = self.env["coverage.meeting.facts"]._get_profiles(
            users, self.company_id, self.similarity, now
        )
        return [users.browse(ids) for ids in group(profiles, self.group_size)]

    def _get_sellers(self):
        """Return who is parted into groups: members, but for who leads the meeting."""
        users = self.team_id.crm_team_member_ids.user_id
        company = self.company_id
        return users.filtered(
            lambda one: one.active and not one.share and company in one.company_ids
        ) - (self.leader_id if len(users) > 1 else users.browse())

    def _prepare_meeting(self, day, number, users, count):
        """Return the values of the meeting of one group on one day."""
        self.ensure_one()
        name = self.name
        if count > 1:
            name = self.env._("%(rule)s, group %(number)s", rule=name, number=number)
        return {
            "name": name,
            "rule_id": self.id,
            "rule_date": day,
            "group_number": number,
            "company_id": self.company_id.id,
            "team_id": self.team_id.id,
            "leader_id": self.leader_id.id,
            "member_ids": users.ids,
            "start": self._get_start(day),
            "duration_hours": self.duration_hours,
            "is_ranking_shown": self.is_ranking_shown,
        }

    def _get_start(self, day):
        """Return the moment (naive UTC) at which the meeting of a day begins."""
        hours, minutes = divmod(round(60 * self.start_hour), 60)
        tz = ZoneInfo(self.company_id._get_coverage_tz())
        local = datetime.combine(day, time(hours, minutes), tz)
        return local.astimezone(ZoneInfo("UTC")).replace(tzinfo=None)

    def _check_may_rank(self):
        if not self.env.su and not self.env.user.has_group(MANAGER):
            raise AccessError(
                self.env._("Only managers decide that people see who does how well.")
            )
