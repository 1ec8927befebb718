from collections import defaultdict
from datetime import timedelta

from psycopg2 import IntegrityError

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

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
SEGMENT_FIELDS = ("typical_share", "contact_interval_days", "expected_yield_rate")
INTEGERS = ("segment_id", "temperature_id")
KEEP_EMPTY_DAYS = timedelta(days=90)


class CoverageRun(models.Model):
    """One execution of an engine over many customers: planned, applied, undone.

    A preview (``action_plan``) may try other rules: ``what_if`` is
    ``{"segment": {code: {field: value}}, "temperature": {code: {field: value}},
    "company": {field: value}}``. They become real in ``action_apply``.
    """

    _name = "coverage.run"
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
    what_if = fields.Json(help="Other values of rules and settings, tried first.")
    what_if_former = fields.Json(help="What they were before this run was applied.")
    what_if_text = fields.Text(compute="_compute_what_if_text", string="Tried")
    rules = fields.Json(help="All rules and settings at the time of the preview.")
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
    moved_count = fields.Integer(
        compute="_compute_change_count", string="Change Segment"
    )

    summary = fields.Json(
        compute="_compute_summary",
        help="Who moves from where to where, as plain data for the tables of the form.",
    )

    _state_company = models.Index("(company_id, state)")

    @api.depends("kind", "origin", "date")
    def _compute_name(self):
        labels = dict(self._fields["origin"]._description_selection(self.env))
        for run in self:
            day = fields.Datetime.context_timestamp(run, run.date or fields.Datetime.now())
            run.name = f"{labels[run.origin]} {day:%Y-%m-%d %H:%M}"

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

    @api.depends("change_ids.state")
    def _compute_summary(self):
        for run in self:
            run.summary = run._get_summary() if run.id else False

    @api.depends("what_if")
    def _compute_what_if_text(self):
        for run in self:
            run.what_if_text = "\n".join(run._get_what_if_lines())

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

    # === ACTION METHODS === #

    def action_plan(self):
        """Work out what would change, under the what-if, and change nothing.

        :raises UserError: when the what-if names what does not exist or cannot hold
        """
        self.check_access("write")
        for run in self.sudo():
            now = fields.Datetime.now()
            run._update_state("planned")
            run.change_ids.unlink()
            run._check_what_if()
            run.date, run.rules = now, run._get_rules_now()
            run.customer_count = self.env["coverage.refresh"].sudo()._plan(run, now)
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
                run._wake_job()
        return True

    def action_undo(self):
        """Restore settings and every value that nobody has changed since.

        :raises UserError: when a later run was applied under other rules
        """
        self.check_access("write")
        for run in self.sudo():
            run._check_transition("undone")
            run._restore_rules()
            run._restore_reference()
            run.is_undoing = True
            run._undo_batch(fields.Datetime.now(), CLICK_LIMIT)
            if run.is_undoing or run.what_if:
                run._wake_job()
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

    # === SUMMARY === #

    def _get_summary(self):
        """Return who moves from where to where, outdated changes left out.

        :return: dict of ``tables`` (one per field: ``name``, ``title``, ``values``
            (``[[key, label]]``, best first), ``cells`` and ``count``) and ``owners``
            (``name``, ``up``, ``down``, ``moves``, of segments). A cell or move is
            ``{from, to, count, revenue, potential}``; an empty key means none
        """
        self.ensure_one()
        domain = [("run_id", "=", self.id), ("state", "!=", "outdated")]
        values = self._get_summary_values()
        cells = defaultdict(list)
        for name, *cell in self._read_summary(domain, "field_name"):
            cells[name].append(cell)
        tables = [
            self._prepare_summary_table(name, values[name], cells[name])
            for name in values
            if cells[name]
        ]
        moves = defaultdict(list)
        segments = [*domain, ("field_name", "=", "segment_id")]
        for owner, *move in self._read_summary(segments, "user_id"):
            moves[owner].append(move)
        ranks = {key: rank for rank, (key, _label) in enumerate(values["segment_id"])}
        owners = [
            self._prepare_summary_owner(owner, moves[owner], ranks) for owner in moves
        ]
        owners.sort(key=lambda line: -line["revenue"])
        return {"tables": tables, "owners": owners}

    def _read_summary(self, domain, key):
        """Return rows of a key, old and new value, count, revenue and potential."""
        return self.env["coverage.change"]._read_group(
            domain,
            [key, "old_value", "new_value"],
            ["__count", "revenue_12m:sum", "potential:sum"],
        )

    def _get_summary_values(self):
        """Return by field ``[(value as logged, label)]``, the best first, none last."""
        levels = self.env["coverage.temperature"].search([], order="min_score desc")
        lifecycle = self.env["coverage.customer"]._fields["lifecycle"]
        none = ("", self.env._("None"))
        return {
            "segment_id": [
                *(
                    (str(segment.id), segment.code)
                    for segment in self.env["coverage.segment"]._get_ordered()
                ),
                ("", self.env._("Unrated")),
            ],
            "temperature_id": [
                *(
                    (str(level.id), f"{level.icon or ''} {level.name}".strip())
                    for level in levels
                ),
                none,
            ],
            "lifecycle": [*lifecycle._description_selection(self.env), none],
        }

    def _prepare_summary_table(self, name, values, cells):
        """Return one table; values that nobody leaves or enters are left out."""
        used = {value or "" for cell in cells for value in cell[:2]}
        label = self.env["coverage.customer"]._fields[name]
        return {
            "name": name,
            "title": label.get_description(self.env, ["string"])["string"],
            "values": [[key, text] for key, text in values if key in used],
            "cells": [self._prepare_summary_cell(cell) for cell in cells],
            "count": sum(cell[2] for cell in cells),
        }

    def _prepare_summary_cell(self, cell):
        old, new, count, revenue, potential = cell
        return {
            "from": old or "",
            "to": new or "",
            "count": count,
            "revenue": revenue or 0.0,
            "potential": potential or 0.0,
        }

    def _prepare_summary_owner(self, owner, moves, ranks):
        """Return one owner's moves of segment, those of most revenue first."""
        cells = sorted(
            map(self._prepare_summary_cell, moves), key=lambda cell: -cell["revenue"]
        )
        last = len(ranks)
        ups = [
            cell
            for cell in cells
            if ranks.get(cell["to"], last) < ranks.get(cell["from"], last)
        ]
        count = sum(cell["count"] for cell in cells)
        up = sum(cell["count"] for cell in ups)
        return {
            "name": owner.sudo().display_name or self.env._("Without owner"),
            "up": up,
            "down": count - up,
            "revenue": sum(cell["revenue"] for cell in cells),
            "potential": sum(cell["potential"] for cell in cells),
            "moves": cells,
        }

    # === STATE === #

    def _update_state(self, target):
        """Move to ``target``; the only place that changes the state."""
        for run in self:
            run._check_transition(target)
            run.state = target

    def _check_transition(self, target):
        labels = dict(self._fields["state"]._description_selection(self.env))
        for run in self:
            if (run.state, target) not in TRANSITIONS:
                raise UserError(
                    self.env._(
                        "%(run)s is in state “%(state)s” and cannot become “%(target)s”.",
                        run=run.name,
                        state=labels[run.state],
                        target=labels[target],
                    )
                )

    # === RULES TRIED === #

    def _get_what_if_records(self):
        """Return ``[(record, {field: value})]`` that the what-if speaks of.

        :raises UserError: for codes, fields or sections that do not exist
        """
        self.ensure_one()
        what_if = self.what_if or {}
        pairs = []
        self._check_names(what_if, ("company", "segment", "temperature"))
        company = what_if.get("company", {})
        allowed = self.company_id._get_coverage_setting_names()
        self._check_names(company, allowed)
        if company:
            pairs.append((self.company_id, company))
        for section, names in (
            ("segment", SEGMENT_FIELDS),
            ("temperature", ("min_score",)),
        ):
            for code, values in self._check_shape(what_if.get(section, {})).items():
                record = self.env[f"coverage.{section}"].search([("code", "=", code)])
                if not record:
                    raise UserError(
                        self.env._(
                            "There is no %(section)s “%(code)s” to try other values on.",
                            section=section,
                            code=code,
                        )
                    )
                self._check_names(values, names)
                pairs.append((record, values))
        return pairs

    def _check_shape(self, values):
        """Return ``values``; they come from anywhere, the external API included."""
        if not isinstance(values, dict):
            raise UserError(
                self.env._(
                    "A preview cannot try “%(values)s”. Give values by name, for "
                    'example {"segment": {"B": {"typical_share": 70}}}.',
                    values=values,
                )
            )
        return values

    def _check_names(self, values, allowed):
        if unknown := set(self._check_shape(values)) - set(allowed):
            raise UserError(
                self.env._(
                    "A preview cannot try “%(names)s”. It can try: %(allowed)s.",
                    names=", ".join(sorted(unknown)),
                    allowed=", ".join(allowed),
                )
            )

    def _check_what_if(self):
        """Let Odoo check the values tried as if they were written, then take them back.

        The constraints that guard the settings page guard a preview too.
        """
        pairs = self._get_what_if_records()
        if not pairs:
            return
        try:
            self._try_rules(pairs)
        except IntegrityError as error:
            text = self.env["coverage.segment"]._sql_error_to_message(error)
            raise ValidationError(text) from error
        except (TypeError, ValueError) as error:
            raise UserError(
                self.env._("A value to try has a wrong form: %(error)s", error=error)
            ) from error

    def _try_rules(self, pairs):
        """Write values of rules, then take them back."""
        undo = self.env.cr.savepoint()
        try:
            self._write_rules(pairs)
            self.env.flush_all()
        finally:
            undo.close(rollback=True)
            self.env.invalidate_all()

    def _write_rules(self, pairs):
        """Write values of rules; the order of segments is checked at the end."""
        for record, values in pairs:
            record.with_context(coverage_check_later=True).write(values)
        self.env["coverage.segment"]._check_order()

    def _swap_rules(self, what_if):
        """Make the values tried real; return what they were, in the same shape."""
        pairs = self._get_what_if_records()
        former = {}
        for record, values in pairs:
            old = {name: record[name] for name in values}
            if record._name == "res.company":
                former["company"] = old
            else:
                section = record._name.removeprefix("coverage.")
                former.setdefault(section, {})[record.code] = old
        if pairs:
            self._write_rules(pairs)
        return former

    def _restore_rules(self):
        """Give back the former settings where nobody has changed them since."""
        kept, pairs = [], []
        former = self.what_if_former or {}
        for record, values in self._get_what_if_records():
            old = (
                former.get("company", {})
                if record._name == "res.company"
                else former[record._name.removeprefix("coverage.")][record.code]
            )
            same = {name: old[name] for name in values if record[name] == values[name]}
            kept += [
                f"{record.display_name}: {record._fields[name].string}"
                for name in values
                if name not in same
            ]
            if same:
                pairs.append((record, same))
        if pairs:
            self._write_rules(pairs)
        if kept:
            self.note = self.env._(
                "Changed since and therefore kept: %(names)s.", names=", ".join(kept)
            )

    def _get_rules_now(self):
        """Return all rules and settings that a decision depends on, as plain data."""
        segments = self.env["coverage.segment"].search([])
        levels = self.env["coverage.temperature"].search([])
        return {
            "company": self.company_id._get_coverage_settings(),
            "segment": {
                segment.code: {name: segment[name] for name in SEGMENT_FIELDS}
                for segment in segments
            },
            "temperature": {level.code: level.min_score for level in levels},
        }

    def _check_unchanged(self):
        """Refuse to apply a preview whose rules or reference are no longer true."""
        self._check_transition("applying")
        latest = self.env["coverage.reference"]._get_latest(self.company_id)
        is_older = latest.date and latest.date > self.reference_id.date
        if self.rules != self._get_rules_now() or is_older:
            raise UserError(
                self.env._(
                    "Rules, settings or the A reference changed since this preview was "
                    "made. Preview again, then apply."
                )
            )

    def _get_what_if_lines(self):
        """Return one readable line per value tried."""
        lines = []
        what_if = self.what_if or {}
        former = self.what_if_former or self.rules or {}
        for name, value in what_if.get("company", {}).items():
            field = self.env["res.company"]._fields[name]
            old = former.get("company", {}).get(name)
            lines.append(self._get_what_if_line(field, old, value))
        for section in ("segment", "temperature"):
            model = self.env[f"coverage.{section}"]
            for code, values in what_if.get(section, {}).items():
                record = model.search([("code", "=", code)])
                for name, value in values.items():
                    old = former.get(section, {}).get(code)
                    old = old.get(name) if isinstance(old, dict) else old
                    line = self._get_what_if_line(model._fields[name], old, value)
                    lines.append(f"{record.display_name or code} – {line}")
        return lines

    def _get_what_if_line(self, field, old, new):
        """Return what a value was and what is tried, as people read it."""
        label = field.get_description(self.env, ["string"])["string"]
        if field.type == "selection":
            words = dict(field._description_selection(self.env))
        else:
            words = {True: self.env._("yes"), False: self.env._("no")}

        def write(value):
            if field.type in ("selection", "boolean"):
                return words.get(value, value)
            if field.name.endswith("_rate"):
                return f"{100 * (value or 0):g} %"
            return f"{value or 0:g}"

        return f"{label}: {write(old)} → {write(new)}"

    # === REFERENCE === #

    def _activate_reference(self):
        """Let the reference of the preview count from now on."""
        if self.reference_id.active:
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
                level.id: level.name for level in self.env["coverage.temperature"].search([])
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
            line = planned.setdefault(
                change.customer_id.id, {"values": {}, "ids": {}}
            )
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
        groups = self.env["coverage.change"]._read_group(
            [("run_id", "=", self.id), ("state", "=", "planned")],
            ["customer_id"],
            limit=limit,
            order="customer_id",
        )
        customers = self.env["coverage.customer"].union(*(group[0] for group in groups))
        if customers:
            outdated = self.env["coverage.refresh"]._apply_planned(self, customers, now)
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

    def _wake_job(self):
        self.env.ref("crm_sales_coverage.ir_cron_refresh")._trigger()

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
        return len(changes)

    # === JOB === #

    @api.model
    def _create_refresh(self, company, now):
        """Return a new run that records a refresh of the whole base."""
        return self.create(
            {
                "company_id": company.id,
                "origin": "job",
                "date": now,
                "state": "applying",
                "user_id": self.env.uid,
            }
        )

    @api.model
    def _find_unfinished(self, company, now):
        """Return today's job that was interrupted, to go on where it stopped."""
        today = company._get_coverage_today(now)
        runs = self.search(
            [
                ("company_id", "=", company.id),
                ("origin", "=", "job"),
                ("state", "=", "applying"),
            ],
            order="id desc",
        )
        current = runs.filtered(
            lambda run: company._get_coverage_today(run.date) == today
        )[:1]
        (runs - current)._update_state("applied")
        return current or None

    @api.model
    def _find_job(self, company, date):
        """Return the company's finished part of the job that began at ``date``.

        All parts bear the same date, so that a job that ran out of time in one company
        does not begin anew with the others.
        """
        return date and self.search(
            [
                ("company_id", "=", company.id),
                ("origin", "=", "job"),
                ("state", "=", "applied"),
                ("date", "=", date),
            ],
            limit=1,
        )

    @api.model
    def _continue_runs(self, now, commit):
        """Go on with previews that are being applied or undone; return 0 or failures."""
        domain = [
            ("origin", "=", "preview"),
            "|",
            ("state", "=", "applying"),
            ("is_undoing", "=", True),
        ]
        for run in self.search(domain, order="id"):
            while run.state == "applying" or run.is_undoing:
                step = run._undo_batch if run.is_undoing else run._apply_batch
                done = step(now, CLICK_LIMIT)
                if not commit(done, 1):
                    return 0
        return 0

    def _add_progress(self, last_id, count, failed):
        """Note how far the walk through the base has come."""
        self.write(
            {
                "last_customer_id": last_id,
                "customer_count": self.customer_count + count,
                "failed_count": self.failed_count + failed,
            }
        )

    def _finish_refresh(self, frame):
        """Close the record of a refresh of the whole base."""
        self.reference_id = frame.reference
        self._update_state("applied")
