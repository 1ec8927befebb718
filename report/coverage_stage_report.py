from odoo import api, fields, models
from odoo.tools import SQL

BOSSES = [
    ("own", "Boss of the Stage"),
    ("all", "Boss of the Stage in All Teams"),
    ("leader", "Team Leader"),
]
STATES = [("late", "Late"), ("on_time", "On Time"), ("empty", "Empty")]
SHIFT = 100_000  # room for the ids of stages, and of teams, within the id of a row


class CoverageStageReport(models.Model):
    """One row a stage and team: who answers for it, and what lies there how long.

    Open opportunities only, as in Odoo's pipeline. Late is what stays longer than the
    stage's days to rot. The boss is the team's own, else that of all teams, else the
    team's leader.
    """

    _name = "coverage.stage.report"
    _inherit = ["coverage.report"]
    _description = "Stage Board"
    _auto = False
    _order = "stage_id, team_id, id"
    _rec_name = "stage_id"
    _depends = {
        "coverage.stage.owner": ["stage_id", "team_id", "user_id"],
        "crm.lead": [
            "active",
            "company_id",
            "date_last_stage_update",
            "expected_revenue",
            "stage_id",
            "team_id",
            "type",
            "user_id",
            "won_status",
        ],
        "crm.stage": [
            "coverage_role_id",
            "is_won",
            "rotting_threshold_days",
            "team_ids",
        ],
        "crm.team": ["active", "company_id", "use_opportunities", "user_id"],
        "res.company": ["currency_id"],
        "res.users": ["active", "company_id", "company_ids"],
    }

    # where
    stage_id = fields.Many2one("crm.stage", readonly=True)
    team_id = fields.Many2one("crm.team", string="Sales Team", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)

    # who
    user_id = fields.Many2one(
        "res.users",
        string="Stage Boss",
        readonly=True,
        help="Answers for what stays in this stage. Without a boss of its own: the "
        "team leader.",
    )
    boss = fields.Selection(BOSSES, string="Boss Is", readonly=True)
    role_id = fields.Many2one("coverage.role", string="Worked by", readonly=True)
    people_ids = fields.Many2many(
        "res.users",
        compute="_compute_people_ids",
        help="People of the team in the role that works this stage.",
    )

    # what
    state = fields.Selection(STATES, readonly=True)
    lead_count = fields.Integer(string="Open", readonly=True)
    amount = fields.Monetary(
        string="Expected Revenue", readonly=True, help="Of the open opportunities."
    )
    median_days = fields.Float(
        digits=(16, 1),
        readonly=True,
        aggregator=None,
        help="Half of the open opportunities have been in this stage for longer.",
    )
    deadline_days = fields.Integer(
        string="Days at Most",
        readonly=True,
        aggregator=None,
        help="How long an opportunity may stay in this stage. 0: as long as it likes.",
    )
    late_count = fields.Integer(string="Late", readonly=True)

    @api.depends("stage_id", "team_id")
    def _compute_display_name(self):
        for row in self:
            row.display_name = self.env._(
                "%(stage)s, %(team)s",
                stage=row.stage_id.name,
                team=row.team_id.name or self.env._("without team"),
            )

    @api.depends("team_id", "role_id")
    def _compute_people_ids(self):
        domain = [
            ("crm_team_id", "in", self.team_id.ids),
            ("coverage_role_ids", "in", self.role_id.ids),
            ("user_id.active", "=", True),
        ]
        members = self.env["crm.team.member"].search(domain)
        teams = members.grouped("crm_team_id")
        for row in self:
            here = teams.get(row.team_id, members.browse())
            row.people_ids = here.filtered(
                lambda one, role=row.role_id: role in one.coverage_role_ids
            ).user_id

    # === ACTION METHODS === #

    def action_open_leads(self):
        """Open the opportunities in this stage and team."""
        return self._open_leads(self.stage_id.name, [])

    def action_open_late(self):
        """Open those that stay too long."""
        since = fields.Datetime.subtract(fields.Datetime.now(), days=self.deadline_days)
        return self._open_leads(
            self.env._("Late in %(stage)s", stage=self.stage_id.name),
            [("date_last_stage_update", "<", since)],
        )

    def _open_leads(self, name, domain):
        self.ensure_one()
        domain = [
            ("type", "=", "opportunity"),
            ("won_status", "=", "pending"),
            ("stage_id", "=", self.stage_id.id),
            ("team_id", "=", self.team_id.id),
            ("company_id", "in", [self.company_id.id, False]),
            *domain,
        ]
        defaults = {
            "default_stage_id": self.stage_id.id,
            "default_team_id": self.team_id.id,
        }
        return self.stage_id._open_coverage_leads(name, domain, defaults)

    # === QUERY === #

    @property
    def _table_query(self):
        """Return every place of the pipeline with its boss and what lies there."""
        return SQL(
            """
            WITH lying AS (%(lying)s),
            place AS (%(places)s UNION SELECT stage_id, team_id, company_id FROM lying)
            SELECT (place.company_id * %(shift)s::bigint
                    + COALESCE(place.team_id, 0)) * %(shift)s + place.stage_id AS id,
                   place.stage_id, place.team_id, place.company_id, c.currency_id,
                   COALESCE(own.user_id, common.user_id, t.user_id) AS user_id,
                   CASE WHEN own.user_id IS NOT NULL THEN 'own'
                        WHEN common.user_id IS NOT NULL THEN 'all'
                        WHEN t.user_id IS NOT NULL THEN 'leader' END AS boss,
                   s.coverage_role_id AS role_id,
                   CASE WHEN l.late_count > 0 THEN 'late'
                        WHEN l.lead_count > 0 THEN 'on_time' ELSE 'empty' END AS state,
                   COALESCE(l.lead_count, 0) AS lead_count,
                   COALESCE(l.amount, 0) AS amount, l.median_days,
                   COALESCE(s.rotting_threshold_days, 0) AS deadline_days,
                   COALESCE(l.late_count, 0) AS late_count
              FROM place
              JOIN crm_stage s ON s.id = place.stage_id
              JOIN res_company c ON c.id = place.company_id
              LEFT JOIN crm_team t ON t.id = place.team_id
              LEFT JOIN lying l ON l.stage_id = place.stage_id
               AND l.team_id IS NOT DISTINCT FROM place.team_id
               AND l.company_id = place.company_id
              LEFT JOIN (%(bosses)s) own ON own.stage_id = place.stage_id
               AND own.team_id = place.team_id AND own.company_id = place.company_id
              LEFT JOIN (%(bosses)s) common ON common.stage_id = place.stage_id
               AND common.team_id IS NULL AND common.company_id = place.company_id
            """,
            lying=self._query_lying(),
            places=self._query_places(),
            bosses=self._query_bosses(),
            shift=SHIFT,
        )

    def _query_places(self):
        """Return the stages of each team that has a pipeline, won ones left out."""
        return SQL(
            """
            SELECT s.id AS stage_id, t.id AS team_id,
                   COALESCE(t.company_id, %(current)s) AS company_id
              FROM crm_stage s
              JOIN crm_team t ON t.active AND t.use_opportunities
               AND (t.company_id IS NULL OR t.company_id IN %(companies)s)
             WHERE NOT COALESCE(s.is_won, FALSE)
               AND (NOT EXISTS (SELECT 1 FROM %(used)s r WHERE r.crm_stage_id = s.id)
                    OR EXISTS (SELECT 1 FROM %(used)s r
                                WHERE r.crm_stage_id = s.id AND r.crm_team_id = t.id))
            """,
            used=SQL.identifier(self.env["crm.stage"]._fields["team_ids"].relation),
            current=self.env.company.id,
            companies=self._query_company_ids(),
        )

    def _query_lying(self):
        """Count what lies in each stage, team and company."""
        return SQL(
            """
            SELECT l.stage_id, l.team_id, company.id AS company_id,
                   COUNT(*) AS lead_count, SUM(l.expected_revenue) AS amount,
                   percentile_cont(0.5) WITHIN GROUP (ORDER BY EXTRACT(
                       EPOCH FROM %(now)s - l.date_last_stage_update)::float8 / 86400)
                       AS median_days,
                   COUNT(*) FILTER (
                       WHERE s.rotting_threshold_days > 0
                         AND l.date_last_stage_update + make_interval(
                             days => s.rotting_threshold_days) < %(now)s)
                       AS late_count
              FROM crm_lead l
              JOIN crm_stage s ON s.id = l.stage_id AND NOT COALESCE(s.is_won, FALSE)
              LEFT JOIN crm_team t ON t.id = l.team_id
              LEFT JOIN res_users u ON u.id = l.user_id
             CROSS JOIN LATERAL (
                    SELECT COALESCE(l.company_id, t.company_id, u.company_id,
                                    %(current)s) AS id) company
             WHERE l.active AND l.type = 'opportunity' AND l.won_status = 'pending'
               AND company.id IN %(companies)s
             GROUP BY l.stage_id, l.team_id, company.id
            """,
            now=fields.Datetime.now(),
            current=self.env.company.id,
            companies=self._query_company_ids(),
        )

    def _query_bosses(self):
        """Return the bosses who are there, once for each company they work in."""
        return SQL(
            """
            SELECT b.stage_id, b.team_id, b.user_id, r.cid AS company_id
              FROM coverage_stage_owner b
              JOIN res_users u ON u.id = b.user_id AND u.active
              JOIN res_company_users_rel r ON r.user_id = b.user_id
            """
        )
