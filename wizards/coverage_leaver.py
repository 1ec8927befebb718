from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain

from ..models.coverage_absence import AWAY, KINDS, LEAVES
from ..models.groups import MANAGER
from ..models.opening import open_form

ADMINISTRATOR = "base.group_erp_manager"
MODES = [
    ("one", "One person takes all"),
    ("several", "Several people: who of them fits each best"),
    ("best", "For each customer, who fits best"),
    ("pool", "Nobody yet: to the pools of their teams"),
]
PLANNED = ("several", "best")
COUNTED = {
    "customer_count": "customers",
    "lead_count": "leads",
    "quotation_count": "quotations",
    "activity_count": "activities",
    "handoff_count": "handoffs",
    "watched_count": "watched",
    "stage_count": "stages",
    "assisted_count": "assisted",
}


class CoverageLeaver(models.TransientModel):
    """Hands over all that somebody has in sales who leaves, or is away for a time.

    Managers and administrators for everybody, leaders for the members of their teams.
    Who fits best is planned by the assignment: a manager looks at the plan and applies
    it; for others it is applied at once.
    """

    _name = "coverage.leaver"
    _description = "Who Takes Over"

    user_id = fields.Many2one(
        "res.users",
        string="Who",
        required=True,
        domain="[('share', '=', False)]",
    )
    kind = fields.Selection(KINDS, required=True, default=LEAVES)
    from_date = fields.Date(
        string="First Day Away", compute="_compute_dates", store=True, readonly=False
    )
    until_date = fields.Date(
        string="Last Day Away", compute="_compute_dates", store=True, readonly=False
    )
    mode = fields.Selection(MODES, string="To Whom", required=True, default="one")
    receiver_id = fields.Many2one(
        "res.users",
        domain="[('share', '=', False), ('id', '!=', user_id)]",
    )
    receiver_ids = fields.Many2many(
        "res.users",
        string="Receivers",
        domain="[('share', '=', False), ('id', '!=', user_id)]",
    )
    is_archived = fields.Boolean(
        string="Archive the User Afterwards", default=lambda self: self._can_archive()
    )
    can_archive = fields.Boolean(compute="_compute_can_archive")
    is_planner = fields.Boolean(compute="_compute_can_archive")

    # what it is about
    customer_count = fields.Integer(string="Customers", compute="_compute_counts")
    lead_count = fields.Integer(string="Open Opportunities", compute="_compute_counts")
    quotation_count = fields.Integer(
        string="Open Quotations", compute="_compute_counts"
    )
    activity_count = fields.Integer(string="Activities", compute="_compute_counts")
    handoff_count = fields.Integer(
        string="Handoffs Offered by or to Them", compute="_compute_counts"
    )
    watched_count = fields.Integer(string="Watched Handoffs", compute="_compute_counts")
    stage_count = fields.Integer(string="Boss of Stages", compute="_compute_counts")
    assisted_count = fields.Integer(
        string="Does the Paperwork of", compute="_compute_counts"
    )

    @api.depends_context("uid")
    def _compute_can_archive(self):
        self.can_archive = self._can_archive()
        self.is_planner = self.env.user.has_group(MANAGER)

    @api.depends("user_id")
    def _compute_counts(self):
        for leaver in self:
            found = {}
            if user := leaver.user_id.sudo():
                departure = self.env["coverage.departure"]
                found = departure._find_all(user, self._get_leader())
            for name, key in COUNTED.items():
                leaver[name] = len(found.get(key, ()))

    @api.depends("user_id", "kind")
    def _compute_dates(self):
        """Offer the dates that the person told Odoo."""
        for leaver in self:
            user, company = leaver.user_id.sudo(), self.env.company
            today = company._get_coverage_today(fields.Datetime.now())
            begin, end = user.out_of_office_from, user.out_of_office_to
            begin = begin and company._get_coverage_today(begin)
            end = end and company._get_coverage_today(end)
            is_known = end and end >= today
            leaver.from_date = begin if is_known and begin else today
            leaver.until_date = leaver.kind == AWAY and (
                end if is_known else today + timedelta(days=13)
            )

    @api.model
    def _open(self, user):
        """Return the action that opens this dialog."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Who Takes Over?"),
            "res_model": self._name,
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_user_id": user.id},
        }

    # === ACTION METHODS === #

    def action_hand_over(self):
        """Move all, or plan it; of who is away only the customers, for a time.

        :raises UserError: without a receiver, or when he does not work there
        """
        self.ensure_one()
        self._check_leads_leaver()
        owned = self._find_owned()
        receivers = self._get_receivers(owned)
        absences = self._create_absences(owned, receivers)
        if self.mode in PLANNED and owned:
            return self._plan(absences, receivers)
        receiver = receivers if self.mode == "one" else receivers.browse()
        for absence in absences:
            customers = absence.line_ids.customer_id.sudo()
            log = customers._log_owner(absence._get_reason())
            log.write({"user_id": receiver.id})
            absence._begin(fields.Datetime.now())
        return self._say_moved(absences, len(owned))

    # === WHO, AND WHAT === #

    @api.model
    def _can_archive(self):
        return self.env.user.has_group(ADMINISTRATOR)

    def _sees_all(self):
        guard = self.env["coverage.guard"]
        return guard._is_free() or self._can_archive()

    def _get_leader(self):
        """Return the user where he hands over only what is of the teams he leads."""
        return None if self._sees_all() else self.env.user

    def _check_leads_leaver(self):
        """Raise unless the user leads who leaves."""
        leaver = self.user_id.sudo()
        teams = leaver.crm_team_member_ids.crm_team_id
        if not self._sees_all() and self.env.user not in teams.user_id:
            raise AccessError(
                self.env._("%(user)s is not in a team you lead.", user=leaver.name)
            )

    def _get_receivers(self, owned):
        """Return who was chosen; nobody where that is left to the plan or the pool.

        :raises UserError: when nobody was, or somebody may not own all
        """
        if self.mode in ("best", "pool"):
            if self.mode == "pool" and self.kind == AWAY:
                raise UserError(
                    self.env._("Of who comes back somebody covers: choose who.")
                )
            return self.env["res.users"].sudo()
        receivers = self.receiver_id if self.mode == "one" else self.receiver_ids
        receivers = receivers.sudo()
        if not receivers or self.user_id in receivers:
            raise UserError(self.env._("Choose who takes over."))
        for company, customers in owned.grouped("company_id").items():
            for receiver in receivers:
                if not customers[0]._may_be_owned_by(receiver):
                    raise UserError(
                        self.env._(
                            "%(user)s does not work in %(company)s. Choose somebody "
                            "else, or who fits best.",
                            user=receiver.name,
                            company=company.name,
                        )
                    )
        return receivers

    @api.model
    def _find_left(self, user):
        """Return customers whose owner works here, or in their company, no more."""
        user = user.sudo()
        domain = Domain("user_id", "=", user.id)
        if user.active:
            domain &= Domain("company_id", "not in", user.company_ids.ids)
        rows = self.env["coverage.customer"].sudo()
        return rows.search(domain)

    def _find_owned(self):
        """Return the customers that the user may hand over."""
        departure = self.env["coverage.departure"]
        return departure._find_all(self.user_id.sudo(), self._get_leader())["customers"]

    # === MOVING === #

    def _create_absences(self, owned, receivers):
        """Return the record of it for each company, with the customers it is about."""
        absences = self.env["coverage.absence"].sudo()
        self._drop_plans()
        groups = owned.grouped("company_id") or {self.env.company: owned}
        for company, customers in groups.items():
            absence = absences.create(
                {
                    "user_id": self.user_id.id,
                    "company_id": company.id,
                    "kind": self.kind,
                    "from_date": self.from_date,
                    "until_date": self.until_date if self.kind == AWAY else False,
                    "receiver_ids": receivers.ids,
                    "is_pooled": self.mode == "pool",
                    "is_archived": self.is_archived and self._can_archive(),
                    "leader_id": (self._get_leader() or receivers.browse()).id,
                }
            )
            absence._prepare_lines(customers)
            absences += absence
        return absences

    def _drop_plans(self):
        """Cancel what was planned before and not applied: this one counts."""
        planned = (
            self.env["coverage.absence"]
            .sudo()
            .search([("user_id", "=", self.user_id.id), ("state", "=", "planned")])
        )
        runs = planned.run_id.filtered(lambda run: run.state == "planned")
        runs._update_state("cancelled")
        (planned - runs.absence_ids)._update_state("cancelled")

    def _plan(self, absences, receivers):
        """Plan who gets which customer; open the plan, or apply it at once."""
        runs = self.env["coverage.run"].sudo()
        for absence in absences:
            run = runs.create(
                {
                    "kind": "assignment",
                    "company_id": absence.company_id.id,
                    "giver_ids": self.user_id.ids,
                    "receiver_ids": receivers.ids,
                }
            )
            absence.run_id = run
            run.action_plan()
            runs += run
        self._check_planned(runs)
        if self.env.user.has_group(MANAGER):
            return self._open_plans(runs)
        for run in runs:
            covered = run.absence_ids.line_ids.customer_id
            foreign = run.move_ids.filtered(
                lambda one, covered=covered: one.customer_id not in covered
            )
            foreign.state = "removed"
            run.action_apply()
        return self._say_moved(absences, sum(runs.mapped("move_count")))

    def _check_planned(self, runs):
        """Raise where nobody could take any customer: there is nothing to apply."""
        if not any(runs.mapped("move_count")):
            raise UserError(
                self.env._(
                    "Nobody has room for any customer of %(user)s. Choose one person, "
                    "who then takes all whatever the limits, or make room first.",
                    user=self.user_id.sudo().name,
                )
            )

    def _open_plans(self, runs):
        """Return the action that shows the plan, or the plans of several companies."""
        view = self.env.ref("crm_sales_coverage.coverage_run_view_form_assignment")
        if len(runs) == 1:
            return {**open_form(runs._name, runs.id), "views": [(view.id, "form")]}
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Plans"),
            "res_model": runs._name,
            "views": [(False, "list"), (view.id, "form")],
            "domain": [("id", "in", runs.ids)],
        }

    def _say_moved(self, absences, count):
        """Return the action that says what happened, and shows who has what now."""
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "%(user)s handed over. Customers: %(count)s.",
                    user=self.user_id.sudo().name,
                    count=count,
                ),
                "next": self._show_absences(absences.with_env(self.env)),
            },
        }

    def _show_absences(self, absences):
        """Return the action that shows what was made, to whom may see it."""
        if not absences.has_access("read"):
            return {"type": "ir.actions.act_window_close"}
        if len(absences) == 1:
            return open_form(absences._name, absences.id)
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_sales_coverage.coverage_absence_action"
        )
        return {**action, "domain": [("id", "in", absences.ids)]}
