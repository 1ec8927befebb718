from datetime import timedelta

from odoo import api, fields, models

READY_MONTHS = 6  # from here on an assistant may be ready for more,
LONG_MONTHS = 9  # and from here on has waited long
DAYS_OF_MONTH = 365.25 / 12


class CoverageTenure(models.Model):
    """How long somebody holds or held a role in a team.

    Written when memberships and their roles change; stays when the membership goes. A
    role taken back on its first day leaves no trace.
    """

    _name = "coverage.tenure"
    _description = "Time in a Role"
    _order = "date_from desc, id desc"
    _rec_name = "role_id"

    member_id = fields.Many2one("crm.team.member", index=True, ondelete="set null")
    role_id = fields.Many2one(
        "coverage.role", required=True, index=True, ondelete="cascade"
    )
    user_id = fields.Many2one(
        "res.users", string="Person", required=True, index=True, ondelete="cascade"
    )
    team_id = fields.Many2one(
        "crm.team", string="Sales Team", index=True, ondelete="set null"
    )
    date_from = fields.Date(
        string="From", required=True, default=fields.Date.context_today
    )
    date_to = fields.Date(string="To", help="Empty while it lasts.")
    held_since = fields.Date(
        required=True,
        default=fields.Date.context_today,
        help="First day in this role, whatever the team: moving to another team does "
        "not begin it anew.",
    )
    months = fields.Float(
        compute="_compute_months",
        digits=(16, 1),
        help="Months in this role, whatever the team.",
    )
    is_long = fields.Boolean(compute="_compute_months")
    is_ready = fields.Boolean(
        related="member_id.coverage_is_ready", string="Ready for More"
    )

    _user_role = models.Index("(user_id, role_id, date_from)")
    _dates_in_order = models.Constraint(
        "CHECK (date_to IS NULL OR date_to >= date_from)",
        "The time in a role cannot end before it begins.",
    )

    @api.depends("role_id", "user_id")
    def _compute_display_name(self):
        for tenure in self:
            tenure.display_name = self.env._(
                "%(person)s: %(role)s",
                person=tenure.user_id.name,
                role=tenure.role_id.name,
            )

    @api.depends("held_since", "date_to")
    def _compute_months(self):
        today = fields.Date.context_today(self)
        for tenure in self:
            days = ((tenure.date_to or today) - (tenure.held_since or today)).days
            tenure.months = max(0, days) / DAYS_OF_MONTH
            tenure.is_long = not tenure.date_to and tenure.months >= LONG_MONTHS

    # === ACTION METHODS === #

    def action_mark_ready(self):
        """Say, as the leader, that these people could take over another role."""
        return self.member_id.action_mark_ready()

    def action_unmark_ready(self):
        """Say, as the leader, that these people stay in their role for now."""
        return self.member_id.action_unmark_ready()

    # === BUSINESS METHODS === #

    @api.model
    def _keep(self, members, now):
        """Begin and end times in roles, so that they fit what members hold now."""
        running = self.search(
            [("member_id", "in", members.ids), ("date_to", "=", False)]
        ).grouped(lambda one: (one.member_id, one.role_id, one.team_id, one.user_id))
        held = {
            (member, role, member.crm_team_id, member.user_id)
            for member in members
            if member.active
            for role in member.coverage_role_ids
        }
        ended = self.union(*(one for key, one in running.items() if key not in held))
        ended._end(now)
        self._begin(sorted(held - running.keys(), key=self._get_key), now)

    def _get_key(self, held):
        return tuple(record.id for record in held)

    def _end(self, now):
        """End these times today; what began today leaves no trace."""
        for company, tenures in self.grouped(lambda one: one._get_company()).items():
            today = company._get_coverage_today(now)
            new = tenures.filtered(lambda one, today=today: one.date_from >= today)
            new.unlink()
            (tenures - new).date_to = today

    def _begin(self, held, now):
        """Begin, or go on with, the time of roles that members hold.

        :param held: member, role, team and person of each
        """
        if not held:
            return
        known, values = self._find_known(held), []
        for member, role, team, user in held:
            mine = known.get((user, role), self.browse())
            company = (team.company_id or user.company_id).sudo()
            today = company._get_coverage_today(now)
            again = mine.filtered(
                lambda one, team=team, today=today: (
                    one.team_id == team and one.date_to == today
                )
            )
            if again:  # taken away and given back
                again.write({"date_to": False, "member_id": member.id})
                continue
            values.append(
                {
                    "member_id": member.id,
                    "role_id": role.id,
                    "user_id": user.id,
                    "team_id": team.id,
                    "date_from": today,
                    "held_since": mine._get_held_since(today),
                }
            )
        self.create(values)

    def _find_known(self, held):
        """Return ``{(person, role): all the times}`` of roles that members hold."""
        tenures = self.search(
            [
                ("user_id", "in", [user.id for *_rest, user in held]),
                ("role_id", "in", [role.id for _member, role, *_rest in held]),
            ]
        )
        return tenures.grouped(lambda one: (one.user_id, one.role_id))

    def _get_held_since(self, today):
        """Return since when somebody holds a role without a gap, in any team."""
        gapless = self.filtered(
            lambda one: not one.date_to or one.date_to >= today - timedelta(days=1)
        )
        return min(gapless.mapped("held_since"), default=today)

    def _get_company(self):
        """Return the company whose day counts."""
        return (self.team_id.company_id or self.user_id.company_id).sudo()
