from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from .coverage_cadence import SILENT

TYPE = "crm_sales_coverage.activity_type_overstay"
NAMED = 3  # opportunities that the activity names
NAME_LENGTH = 40


class CoverageStageOwner(models.Model):
    """Who is accountable for a stage of the sales process in a team: its boss.

    Is told when opportunities stay longer than the stage allows (its days to rot): by
    one activity that says how many and which, and goes when none is late. No mail.
    """

    _name = "coverage.stage.owner"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _description = "Stage Boss"
    _order = "stage_id, team_id, id"

    stage_id = fields.Many2one(
        "crm.stage",
        required=True,
        index=True,
        ondelete="cascade",
        domain="[('is_won', '=', False)]",
    )
    team_id = fields.Many2one(
        "crm.team",
        string="Sales Team",
        index=True,
        ondelete="cascade",
        help="Empty: all teams that have no boss of their own for this stage.",
    )
    user_id = fields.Many2one(
        "res.users",
        string="Stage Boss",
        required=True,
        index=True,
        domain="[('share', '=', False)]",
        help="Is told when opportunities stay too long in this stage.",
    )
    role_id = fields.Many2one(related="stage_id.coverage_role_id")
    deadline_days = fields.Integer(
        related="stage_id.rotting_threshold_days",
        string="Days at Most",
        help="How long an opportunity may stay in this stage: Odoo's days to rot. 0: "
        "as long as it likes.",
    )

    _stage_team = models.UniqueIndex(
        "(stage_id, COALESCE(team_id, 0))",
        "This stage has a boss in this team already. Change that one instead.",
    )

    @api.depends("stage_id", "team_id")
    def _compute_display_name(self):
        for owner in self:
            owner.display_name = self.env._(
                "%(stage)s, %(team)s",
                stage=owner.stage_id.name,
                team=owner.team_id.name or self.env._("all teams"),
            )

    @api.constrains("stage_id", "team_id", "user_id")
    def _check_team(self):
        for owner in self:
            team, stage = owner.team_id, owner.stage_id
            if team and stage.team_ids and team not in stage.team_ids:
                raise ValidationError(
                    self.env._(
                        "%(team)s does not use the stage %(stage)s. Choose one of its "
                        "teams: %(teams)s.",
                        team=team.name,
                        stage=stage.name,
                        teams=", ".join(stage.team_ids.mapped("name")),
                    )
                )
            company = team.company_id
            if company and company not in owner.user_id.sudo().company_ids:
                raise ValidationError(
                    self.env._(
                        "%(person)s does not work in %(company)s, the company of "
                        "%(team)s. Choose somebody who does.",
                        person=owner.user_id.name,
                        company=company.name,
                        team=team.name,
                    )
                )

    # === ACTION METHODS === #

    def action_open_late(self):
        """Open the opportunities that stay too long with this boss."""
        self.ensure_one()
        self._flush_late()
        rows = self.env.execute_query(self._query_late(fields.Datetime.now()))
        return self.stage_id._open_coverage_leads(
            self.env._("Late in %(stage)s", stage=self.stage_id.name),
            [("id", "in", [row[1] for row in rows])],
        )

    # === BUSINESS METHODS === #

    @api.model
    def _tell_overstays(self, company, now):
        """Tell the bosses of a company's stages what stays too long, and no more.

        One open activity per boss: made, brought up to date, or withdrawn. Who marks
        it done is told again on the next day. A boss of shared teams is told of all
        companies at once, so that their jobs do not contradict each other.
        """
        owners = self.search(
            [
                "|",
                ("team_id", "=", False),
                ("team_id.company_id", "in", (company.id, False)),
            ]
        )
        late = owners._collect_late(now)
        told = owners._find_told(now)
        open_ones = told.filtered("active")
        stale = open_ones.filtered(lambda one: one.res_id not in late)
        stale.with_context(**SILENT).unlink()
        owners._update_told(open_ones - stale, late)
        known = set(told.exists().mapped("res_id"))
        new = owners.filtered(lambda one: one.id in late and one.id not in known)
        new._tell(late, company._get_coverage_today(now))

    def _find_told(self, now):
        """Return the activities of these bosses: open ones, and those done today."""
        activities = self.env["mail.activity"].with_context(active_test=False)
        return activities.search(
            [
                ("res_model", "=", self._name),
                ("res_id", "in", self.ids),
                ("activity_type_id", "=", self.env.ref(TYPE).id),
                "|",
                ("active", "=", True),
                ("date_done", ">=", now.date()),
            ],
            order="id",
        )

    def _update_told(self, activities, late):
        """Bring open activities up to date, for the boss there is now."""
        owners = {one.id: one for one in self}
        for activity in activities.with_context(**SILENT):
            owner = owners[activity.res_id]
            summary = owner._get_summary(late[owner.id])
            if activity.summary != summary:
                activity.summary = summary
            if activity.user_id != owner.user_id:
                activity.user_id = owner.user_id

    def _tell(self, late, today):
        """Give these bosses the activity that says what stays too long."""
        model_id, kind = self.env["ir.model"]._get_id(self._name), self.env.ref(TYPE)
        self.mapped("display_name")  # all at once: Odoo would read them one by one
        self.env["mail.activity"].with_context(**SILENT).create(
            [
                {
                    "activity_type_id": kind.id,
                    "summary": owner._get_summary(late[owner.id]),
                    "automated": True,
                    "date_deadline": today,
                    "res_model_id": model_id,
                    "res_id": owner.id,
                    "user_id": owner.user_id.id,
                }
                for owner in self
            ]
        )

    def _get_summary(self, late):
        """Return what the boss reads, in the boss's language.

        :param late: how many there are, and the names of the oldest
        """
        self = self.with_context(lang=self.user_id.lang)
        count, names = late
        names = [name[:NAME_LENGTH] for name in names]
        if count > len(names):
            names.append(self.env._("%(count)s more", count=count - len(names)))
        words = {
            "count": count,
            "days": self.stage_id.rotting_threshold_days,
            "stage": self.stage_id.name,
            "names": ", ".join(names),
        }
        if count == 1:
            return self.env._(
                "1 opportunity stays longer than %(days)s days in %(stage)s: %(names)s",
                **words,
            )
        return self.env._(
            "%(count)s opportunities stay longer than %(days)s days in %(stage)s: "
            "%(names)s",
            **words,
        )

    def _collect_late(self, now):
        """Return ``{id: (number of what is late, names of the oldest)}``."""
        if not self.ids:
            return {}
        self._flush_late()
        query = SQL(
            """
            SELECT late.owner_id, COUNT(*),
                   (array_agg(late.name ORDER BY late.since, late.lead_id))[1:%s]
              FROM (%s) late GROUP BY late.owner_id
            """,
            NAMED,
            self._query_late(now),
        )
        return {key: late for key, *late in self.env.execute_query(query)}

    def _flush_late(self):
        """Let what is read by SQL be in the database."""
        for model in ("coverage.stage.owner", "crm.lead", "crm.stage", "crm.team"):
            self.env[model].flush_model()

    def _query_late(self, now):
        """Select the late opportunities of each boss, as Odoo's rotting counts them.

        A boss of all teams answers for those that have no boss of their own.
        """
        return SQL(
            """
            SELECT b.id AS owner_id, l.id AS lead_id, l.name,
                   l.date_last_stage_update AS since
              FROM coverage_stage_owner b
              JOIN res_users u ON u.id = b.user_id AND u.active
              JOIN crm_stage s ON s.id = b.stage_id AND s.rotting_threshold_days > 0
               AND NOT COALESCE(s.is_won, FALSE)
              JOIN crm_lead l ON l.stage_id = b.stage_id
               AND l.active AND l.type = 'opportunity' AND l.won_status = 'pending'
               AND l.date_last_stage_update
                   + make_interval(days => s.rotting_threshold_days) < %(now)s
              LEFT JOIN crm_team t ON t.id = l.team_id
             WHERE b.id IN %(owners)s
               AND (l.team_id = b.team_id OR (b.team_id IS NULL AND NOT EXISTS (
                   SELECT 1 FROM coverage_stage_owner own
                     JOIN res_users boss ON boss.id = own.user_id AND boss.active
                    WHERE own.stage_id = b.stage_id AND own.team_id = l.team_id)))
               AND (COALESCE(l.company_id, t.company_id) IS NULL OR EXISTS (
                   SELECT 1 FROM res_company_users_rel r
                    WHERE r.user_id = b.user_id
                      AND r.cid = COALESCE(l.company_id, t.company_id)))
            """,
            now=now,
            owners=tuple(self.ids),
        )
