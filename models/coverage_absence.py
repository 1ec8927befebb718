import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import format_date

from .opening import open_form

_logger = logging.getLogger(__name__)

BATCH = 200
LEAVES, AWAY = "leaves", "away"
KINDS = [(LEAVES, "Leaves for good"), (AWAY, "Is away until a day")]
STATES = [
    ("planned", "Planned"),
    ("covering", "Covered"),
    ("over", "Over"),
    ("cancelled", "Cancelled"),
]
TRANSITIONS = {
    ("planned", "covering"),
    ("planned", "over"),
    ("planned", "cancelled"),
    ("covering", "over"),
    ("covering", "cancelled"),
}


class CoverageAbsence(models.Model):
    """Somebody leaves, or is away for a time: who has his customers, and until when.

    Made by ``coverage.leaver``. Customers move at once, or by a plan when it is
    applied; then the rest follows. Of who is only away all comes back by itself on the
    day after his last day away; what a leader or a handoff moved on meanwhile stays,
    and is listed.
    """

    _name = "coverage.absence"
    _inherit = ["coverage.job"]
    _description = "Absence"
    _order = "from_date desc, id desc"
    _rec_name = "user_id"

    user_id = fields.Many2one(
        "res.users", string="Who", required=True, readonly=True, index=True
    )
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="cascade"
    )
    kind = fields.Selection(KINDS, required=True, readonly=True, default=AWAY)
    from_date = fields.Date(string="First Day Away", required=True, readonly=True)
    until_date = fields.Date(
        string="Last Day Away",
        help="On the day after, all that still belongs to the cover goes back.",
    )
    state = fields.Selection(STATES, required=True, default="planned", readonly=True)
    receiver_ids = fields.Many2many("res.users", string="Chosen", readonly=True)
    run_id = fields.Many2one(
        "coverage.run", string="Plan", readonly=True, index=True, ondelete="set null"
    )
    is_pooled = fields.Boolean(
        readonly=True, help="What belongs to nobody goes to nobody else."
    )
    is_archived = fields.Boolean(
        string="Archive Afterwards", readonly=True, help="The user, once all has moved."
    )
    leader_id = fields.Many2one(
        "res.users",
        readonly=True,
        help="The leader who hands over: only what is of the own teams.",
    )
    line_ids = fields.One2many("coverage.absence.line", "absence_id", readonly=True)
    covered_count = fields.Integer(string="Covered", compute="_compute_counts")
    kept_count = fields.Integer(
        string="Stay",
        compute="_compute_counts",
        help="Somebody moved them on meanwhile, or another rule refused: they stay.",
    )

    _due = models.Index("(company_id, until_date) WHERE state = 'covering'")

    @api.depends("line_ids.state")
    def _compute_counts(self):
        groups = self.env["coverage.absence.line"]._read_group(
            [("absence_id", "in", self.ids)], ["absence_id", "state"], ["__count"]
        )
        counts = {(one.id, state): count for one, state, count in groups}
        for absence in self:
            absence.covered_count = counts.get((absence.id, "covered"), 0)
            absence.kept_count = counts.get((absence.id, "kept"), 0)

    @api.constrains("kind", "from_date", "until_date")
    def _check_dates(self):
        for absence in self.filtered(lambda one: one.kind == AWAY):
            if not absence.until_date or absence.until_date < absence.from_date:
                raise ValidationError(
                    self.env._("Say until which day: not before the first day away.")
                )

    def write(self, vals):
        """Let leaders change the last day; the rest follows from the buttons."""
        if not self.env.su and set(vals) - {"until_date"}:
            raise UserError(self.env._("Only the last day away can be changed."))
        result = super().write(vals)
        if "until_date" in vals:
            for absence in self.filtered(lambda one: one.state == "covering"):
                absence._settle_out_of_office()
        return result

    # === ACTION METHODS === #

    def action_return(self):
        """Give all back now: the person is back earlier."""
        self.check_access("write")
        now = fields.Datetime.now()
        for absence in self.sudo().filtered(lambda one: one.state == "covering"):
            absence._give_back(absence.line_ids, now, [])
            absence._end(now)
        return True

    def action_open_run(self):
        """Open the plan that said who covers whom."""
        self.ensure_one()
        return open_form("coverage.run", self.run_id.id)

    # === JOB === #

    @api.model
    def _cron_return(self):
        """Give back what was covered, in all companies, each on its own day."""
        self._run_companies(self._run_absences)

    @api.model
    def _run_absences(self, company, now, commit=None, tally=None):
        """Give back what was covered in one company; see :meth:`_run_steps`."""
        return self.sudo()._run_steps(company, now, commit, tally)

    def _get_steps(self):
        return (self._return_due,)

    @api.model
    def _return_due(self, company, now, tally, commit):
        """Give back what was covered for those whose last day away is past.

        In batches; a second time there is nothing left to do.

        :return: whether time was left
        """
        today = company._get_coverage_today(now)
        due = self.sudo().search(
            [
                ("company_id", "=", company.id),
                ("state", "=", "covering"),
                ("until_date", "<", today),
            ]
        )
        lines = due.line_ids.filtered(lambda one: one.state == "covered")

        def act(batch):
            tally.count += self._give_back(batch, now, tally.refused)

        if not self._work_through(lines, BATCH, act, commit):
            return False
        for absence in due:
            absence._end(now)
        return True

    def _give_back(self, lines, now, refused):
        """Give customers back that their cover still owns; return how many."""
        lines = lines.filtered(lambda one: one.state == "covered")
        held = self._lock(lines.customer_id.sudo())
        count = 0
        for absence, group in lines.grouped("absence_id").items():
            owner, able = absence.user_id, lines.browse()
            for line in group:
                customer = line.customer_id
                is_free = owner.active and customer._may_be_owned_by(owner)
                if customer.user_id != line.cover_id or not is_free:
                    line._keep(customer.user_id)
                elif customer in held:  # else somebody works on it: the next time
                    able += line
            count += absence._give_back_lines(able, now, refused)
        return count

    def _give_back_lines(self, lines, now, refused):
        """Write the former owner to the customers of these lines, with its rights."""
        failed, reason = set(), {"code": "back", "name": self.user_id.name}
        today = self.company_id._get_coverage_today(now)
        groups = lines.grouped(lambda one: one._get_restored(today))
        for (team_id, protected_until), group in groups.items():
            customers = group.customer_id.sudo()._log_owner(reason, "job")
            vals = {"user_id": self.user_id.id, "protected_until": protected_until}
            if team_id:
                vals["team_id"] = team_id
            failed |= self.env["coverage.refresh"]._write_group(customers, vals)
        kept = lines.filtered(lambda one: one.customer_id.id in failed)
        (lines - kept).state = "returned"
        for line in kept:
            line._keep(line.customer_id.user_id)
        refused.extend(failed)
        return len(lines) - len(kept)

    # === BUSINESS METHODS === #

    def _prepare_lines(self, customers):
        """Remember what these customers had with their owner, before they move."""
        self.ensure_one()
        self.env["coverage.absence.line"].create(
            [
                {
                    "absence_id": self.id,
                    "customer_id": customer.id,
                    "team_id": customer.team_id.id,
                    "protected_until": customer.protected_until,
                }
                for customer in customers
            ]
        )

    def _get_reason(self):
        """Return why customers change hands, as history keeps it."""
        name = self.user_id.sudo().name
        if self.kind == LEAVES:
            return {"code": "left", "name": name}
        until = fields.Date.to_string(self.until_date)
        return {"code": "covers", "name": name, "until": until}

    def _follow_run(self, state):
        """Go on when the plan was applied, and end with it when it came to nothing."""
        now = fields.Datetime.now()
        for absence in self.filtered(lambda one: one.state == "planned"):
            if state == "applied":
                absence._begin(now)
            elif state == "cancelled":
                absence._update_state("cancelled")
        if state == "undone":
            covering = self.filtered(lambda one: one.state == "covering")
            covering.line_ids.filtered(lambda one: one.state == "covered").unlink()
            for absence in covering:
                absence._settle_out_of_office(now)
                absence._update_state("cancelled")

    def _begin(self, now):
        """Go on once the customers have moved: cover begins, or the rest leaves too."""
        self.ensure_one()
        for line in self.line_ids:
            line.cover_id = line.customer_id.user_id
        moved = self.line_ids.filtered(
            lambda one: one.cover_id and one.cover_id != self.user_id
        )
        (self.line_ids - moved).unlink()
        moved.state = "covered" if self.kind == AWAY else "kept"
        if self.kind == AWAY:
            self._update_state("covering")
            self._settle_out_of_office()
            return
        self._update_state("over")
        others = [("user_id", "=", self.user_id.id), ("state", "=", "planned")]
        if not self.search_count(others, limit=1):
            self.env["coverage.departure"]._depart(self, now)

    def _end(self, now):
        """End an absence of which nothing is left to give back."""
        if any(line.state == "covered" for line in self.line_ids):
            return
        self._settle_out_of_office(now)
        self._update_state("over")

    def _settle_out_of_office(self, now=None):
        """Tell Odoo when the person is away, where nothing is said; all reads it there.

        :param now: it ends at this moment at the latest
        """
        user, company = self.user_id.sudo(), self.company_id  # one's own dates only
        begin = company._get_coverage_midnight(self.from_date)
        end = company._get_coverage_midnight(self.until_date + timedelta(days=1))
        end -= timedelta(seconds=1)
        if now:
            if user.out_of_office_from and (
                not user.out_of_office_to or user.out_of_office_to > now
            ):
                user.out_of_office_to = now - timedelta(seconds=1)
        elif not user.out_of_office_from or (
            user.out_of_office_to and user.out_of_office_to < begin
        ):
            user.write({"out_of_office_from": begin, "out_of_office_to": end})
        elif user.out_of_office_from == begin or not user.out_of_office_to:
            user.out_of_office_to = end

    def _update_state(self, target):
        """Move to ``target``; the only place that changes the state."""
        for absence in self:
            if (absence.state, target) not in TRANSITIONS:
                raise UserError(
                    self.env._("This absence has changed meanwhile. Look again.")
                )
        self.sudo().write({"state": target})

    def _tell_until(self):
        return format_date(self.env, self.until_date, date_format="d MMMM")
