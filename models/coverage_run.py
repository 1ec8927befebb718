from collections import defaultdict
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

STATES = [
    ("draft", "Draft"),
    ("planned", "Preview"),
    ("applying", "Applying"),
    ("applied", "Applied"),
    ("undone", "Undone"),
    ("cancelled", "Cancelled"),
]
TRANSITIONS = {
    ("draft", "planned"),
    ("planned", "planned"),
    ("planned", "cancelled"),
    ("planned", "applying"),
    ("applying", "applied"),
    ("applied", "undone"),
}
CLICK_LIMIT = 500
WRITABLE = {
    "kind",
    "company_id",
    "what_if",
    "has_idle",
    "has_unowned",
    "has_miscovered",
    "giver_ids",
    "receiver_ids",
}
INTEGERS = ("segment_id", "temperature_id")
KEEP_EMPTY_DAYS = timedelta(days=90)


class CoverageRun(models.Model):
    """One execution of an engine over many customers: planned, applied, undone.

    A preview (``action_plan``) may try other rules, its ``what_if``; they become real
    in ``action_apply``.
    """

    _name = "coverage.run"
    _inherit = [
        "coverage.run.assignment",
        "coverage.run.job",
        "coverage.run.rules",
        "coverage.run.summary",
    ]
    _description = "Coverage Run"
    _order = "date desc, id desc"
    _rec_name = "name"

    name = fields.Char(compute="_compute_name")
    kind = fields.Selection(
        [("refresh", "Ranks and colours"), ("assignment", "Assignment")],
        required=True,
        default="refresh",
    )
    origin = fields.Selection(
        [("preview", "Preview"), ("job", "Nightly job")],
        required=True,
        default="preview",
    )
    company_id = fields.Many2one(
        "res.company",
        required=True,
        default=lambda self: self.env.company,
        ondelete="cascade",
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    state = fields.Selection(STATES, required=True, default="draft", readonly=True)
    date = fields.Datetime(required=True, default=fields.Datetime.now, readonly=True)
    user_id = fields.Many2one(
        "res.users", string="Started by", default=lambda self: self.env.user
    )
    reference_id = fields.Many2one("coverage.reference", readonly=True)
    former_reference_id = fields.Many2one("coverage.reference", readonly=True)
    note = fields.Text(readonly=True)
    is_undoing = fields.Boolean(readonly=True)

    # what came of it
    customer_count = fields.Integer(string="Customers", readonly=True)
    failed_count = fields.Integer(string="Refused", readonly=True)
    last_customer_id = fields.Integer(readonly=True)
    change_ids = fields.One2many("coverage.change", "run_id")
    change_count = fields.Integer(compute="_compute_change_count", string="Changes")
    outdated_count = fields.Integer(compute="_compute_change_count", string="Outdated")
    kept_count = fields.Integer(compute="_compute_change_count", string="Kept")
    risk_revenue = fields.Monetary(
        string="Revenue at Risk",
        compute="_compute_move_figures",
        help="Revenue of 12 months of those that leave an owner. Another seller costs "
        "13 to 18 % of a customer's yearly sales.",
    )
    moved_count = fields.Integer(
        compute="_compute_change_count", string="Change Segment"
    )

    _state_company = models.Index("(company_id, state)")

    @api.depends("kind", "origin", "date")
    @api.depends_context("lang", "tz")
    def _compute_name(self):
        origins = dict(self._fields["origin"]._description_selection(self.env))
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for run in self:
            day = fields.Datetime.context_timestamp(
                run, run.date or fields.Datetime.now()
            )
            label = kinds[run.kind]
            if run.kind == "refresh":
                label = origins[run.origin]
            run.name = f"{label} {day:%Y-%m-%d %H:%M}"

    @api.depends("change_ids.state")
    def _compute_change_count(self):
        groups = self.env["coverage.change"]._read_group(
            [("run_id", "in", self.ids)], ["run_id", "state", "field_name"], ["__count"]
        )
        counts = defaultdict(lambda: defaultdict(int))
        for run, state, name, count in groups:
            counts[run.id]["all"] += count
            counts[run.id][state] += count
            counts[run.id]["moved"] += count if name == "segment_id" else 0
        for run in self:
            run.change_count = counts[run.id]["all"]
            run.outdated_count = counts[run.id]["outdated"]
            run.kept_count = counts[run.id]["kept"]
            run.moved_count = counts[run.id]["moved"]

    @api.autovacuum
    def _gc_empty_runs(self):
        """Forget jobs of long ago that changed nothing."""
        self.search(
            [
                ("origin", "=", "job"),
                ("state", "=", "applied"),
                ("change_ids", "=", False),
                ("date", "<", fields.Datetime.now() - KEEP_EMPTY_DAYS),
            ],
            limit=1000,
        ).unlink()

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_written_by_hand(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._check_written_by_hand(vals)
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_history(self):
        if not self.env.su and any(run.state in ("applied", "undone") for run in self):
            raise UserError(
                self.env._("Applied runs are history and stay. Undo them instead.")
            )

    def _check_written_by_hand(self, vals):
        """Refuse that anybody but the engine writes what a run came to."""
        if not self.env.su and not set(vals) <= WRITABLE:
            raise UserError(
                self.env._(
                    "Use the buttons Preview, Apply and Undo: state and figures of a "
                    "run follow from them."
                )
            )

    # === ACTION METHODS === #

    def action_plan(self):
        """Work out what would change, under the what-if, and change nothing.

        :raises UserError: when the what-if names what does not exist or cannot hold
        """
        self.check_access("write")
        for run in self.sudo():
            run._plan_now(fields.Datetime.now())
        return True

    def action_apply(self):
        """Write exactly what the preview showed; the rules tried become real.

        Up to 500 customers at once, more by the job. What no longer comes out the
        same is listed as outdated.

        :raises UserError: when rules, settings or reference changed since
        """
        self.check_access("write")
        for run in self.sudo():
            run._check_unchanged()
            run._update_state("applying")
            run.what_if_former = run._swap_rules(run.what_if or {})
            run._activate_reference()
            run._apply_batch(fields.Datetime.now(), CLICK_LIMIT)
            if run.state == "applying" or run.what_if:
                self.env["coverage.refresh"]._wake_job()
        return True

    def action_undo(self):
        """Restore settings and every value that nobody has changed since.

        What is listed instead: changes in state *kept*, settings in the note.
        """
        self.check_access("write")
        for run in self.sudo():
            run._check_transition("undone")
            run._restore_rules()
            run._restore_reference()
            run.is_undoing = True
            run._undo_batch(fields.Datetime.now(), CLICK_LIMIT)
            if run.is_undoing or run.what_if:
                self.env["coverage.refresh"]._wake_job()
        return True

    def action_cancel(self):
        """Drop a preview."""
        self.check_access("write")
        self.sudo()._update_state("cancelled")
        return True

    def action_open_changes(self):
        """Open the changes of this run."""
        return self._open_changes()

    def action_open_outdated(self):
        """Open what no longer came out as previewed and was left alone."""
        return self._open_changes("outdated")

    def action_open_kept(self):
        """Open what somebody changed since, so that undo left it alone."""
        return self._open_changes("kept")

    def _open_changes(self, *states):
        """Return the action that lists this run's changes, in these states or all."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_sales_coverage.coverage_change_action"
        )
        domain = [("run_id", "=", self.id)]
        if states:
            domain.append(("state", "in", states))
        return {**action, "domain": domain, "context": {}}

    # === STATE === #

    def _update_state(self, target):
        """Move to ``target``; the only place that changes the state."""
        for run in self:
            run._check_transition(target)
            run.state = target
            if run.kind == "assignment":
                run.absence_ids._follow_run(target)

    def _check_transition(self, target):
        labels = dict(self._fields["state"]._description_selection(self.env))
        for run in self:
            if (run.state, target) not in TRANSITIONS:
                raise UserError(
                    self.env._(
                        "%(run)s is in state “%(state)s” and cannot become "
                        "“%(target)s”.",
                        run=run.name,
                        state=labels[run.state],
                        target=labels[target],
                    )
                )

    # === REFERENCE === #

    def _activate_reference(self):
        """Let the reference of the preview count from now on."""
        if self.kind != "refresh" or self.reference_id.active:
            return
        latest = self.env["coverage.reference"]._get_latest(self.company_id)
        if latest.date == self.reference_id.date:
            self._swap_reference(latest, self.reference_id)
            self.former_reference_id = latest
        else:
            self.reference_id.active = True

    def _restore_reference(self):
        """Let the former reference of that night count again."""
        if self.former_reference_id and self.reference_id.active:
            self._swap_reference(self.reference_id, self.former_reference_id)

    def _swap_reference(self, old, new):
        """Replace the reference of a night; the unique index wants this order."""
        old.active = False
        old.flush_recordset()
        new.active = True

    # === PLAN === #

    def _plan_now(self, now):
        """Plan at this moment, by the rules of this moment."""
        self._update_state("planned")
        self._check_what_if()
        self.date, self.rules = now, self._get_rules_now()
        self.customer_count = self._get_engine()._plan(self, now)

    def _create_planned(self, lines):
        """Keep planned changes.

        :param lines: ``[(outcome, field name, old, new, reason)]`` of the refresh
        """
        customers = self.env["coverage.customer"].browse(
            {outcome.customer_id for outcome, *_rest in lines}
        )
        customers.fetch(["user_id"])
        labels = self._get_labels()
        self.env["coverage.change"].create(
            [
                {
                    "customer_id": outcome.customer_id,
                    "company_id": self.company_id.id,
                    "run_id": self.id,
                    "date": self.date,
                    "res_id": outcome.customer_id,
                    "field_name": name,
                    "old_value": str(old),
                    "new_value": str(new) if new else False,
                    "old_label": labels[name].get(old),
                    "new_label": labels[name].get(new),
                    "reason": reason,
                    "state": "planned",
                    "origin": "run",
                    "user_id": customers.browse(outcome.customer_id).user_id.id,
                    "potential": outcome.decision.potential,
                    "revenue_12m": outcome.facts.revenue_12m,
                }
                for outcome, name, old, new, reason in lines
            ]
        )
        self.env.flush_all()
        self.env["coverage.change"].invalidate_model()

    def _get_labels(self):
        """Return by field what people read for each value."""
        customer = self.env["coverage.customer"]
        return {
            "segment_id": {
                segment.id: segment.code
                for segment in self.env["coverage.segment"].search([])
            },
            "temperature_id": {
                level.id: level.name
                for level in self.env["coverage.temperature"].search([])
            },
            "lifecycle": dict(
                customer._fields["lifecycle"]._description_selection(self.env)
            ),
        }

    def _get_planned(self, customers):
        """Return by customer id the planned ``values`` and the ``ids`` of changes."""
        planned = {}
        for change in self.env["coverage.change"].search(
            [
                ("run_id", "=", self.id),
                ("state", "=", "planned"),
                ("customer_id", "in", customers.ids),
            ]
        ):
            line = planned.setdefault(change.customer_id.id, {"values": {}, "ids": {}})
            name = change.field_name
            line["values"][name] = (
                self._to_value(name, change.old_value),
                self._to_value(name, change.new_value),
            )
            line["ids"][name] = change.id
        return planned

    def _to_value(self, name, text):
        """Return a logged value as the refresh handles it."""
        if not text:
            return None
        return int(text) if name in INTEGERS else text

    # === APPLY === #

    def _apply_batch(self, now, limit):
        """Apply some of the planned changes; ``applied`` when none is left."""
        customers = self._get_planned_customers(limit)
        if customers:
            outdated = self._get_engine()._apply_planned(self, customers, now)
            self.env["coverage.change"].search(
                [
                    ("run_id", "=", self.id),
                    ("state", "=", "planned"),
                    ("customer_id", "in", list(outdated)),
                ]
            ).state = "outdated"
        if len(customers) < limit:
            self._update_state("applied")
        return len(customers)

    def _get_planned_customers(self, limit):
        """Return the next customers to apply."""
        if self.kind != "refresh":
            return super()._get_planned_customers(limit)
        groups = self.env["coverage.change"]._read_group(
            [("run_id", "=", self.id), ("state", "=", "planned")],
            ["customer_id"],
            limit=limit,
            order="customer_id",
        )
        return self.env["coverage.customer"].union(*(group[0] for group in groups))

    def _get_engine(self):
        """Return the engine that plans and applies this kind of run, with all rights.

        What a run may do is checked before.
        """
        engines = {"refresh": "coverage.refresh", "assignment": "coverage.assignment"}
        return self.env[engines[self.kind]].sudo()

    # === UNDO === #

    def _undo_batch(self, now, limit):
        """Undo some of the applied changes; ``undone`` when none is left."""
        changes = self.env["coverage.change"].search(
            [("run_id", "=", self.id), ("state", "=", "applied")],
            order="customer_id, id",
            limit=limit * 3,
        )
        customers = changes.customer_id
        last = customers[-1:] if len(changes) == limit * 3 else customers.browse()
        if last and len(customers) > 1:  # a customer is undone whole
            customers -= last
            changes = changes.filtered(lambda change: change.customer_id != last)
        if changes:
            self.env["coverage.restore"]._restore(self, changes, now)
        if not last:
            self.is_undoing = False
            self._update_state("undone")
            self._note_undone()
        return len(changes)

    def _undo_customers(self, customers):
        """Undo the applied changes of these customers alone."""
        changes = self.env["coverage.change"].search(
            [
                ("run_id", "=", self.id),
                ("state", "=", "applied"),
                ("customer_id", "in", customers.ids),
            ]
        )
        self.env["coverage.restore"]._restore(self, changes, fields.Datetime.now())

    def _note_undone(self):
        """Tell in the note what undo has done."""
        undone = self.change_ids.filtered(lambda change: change.state == "undone")
        told = self.env._(
            "Undone: %(count)s customers have their former values again. Their "
            "segments and owners are held for a while.",
            count=len(undone.customer_id),
        )
        self.note = "\n".join(filter(None, (told, self.note)))
