from collections import Counter, defaultdict
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError

from .coverage_assignment_people import SUMMED
from .opening import open_form

ASSIGNED = "assignment"


class Choices(NamedTuple):
    """What a manager decided in a plan himself: kept when it is made anew."""

    removed: set
    forced: dict  # customer id → user id


class CoverageRunAssignment(models.AbstractModel):
    """What a run holds that plans who gets which customer."""

    _name = "coverage.run.assignment"
    _description = "Plan of an Assignment"

    # whom it is about
    has_idle = fields.Boolean(
        string="Idle",
        default=True,
        help="Customers that nobody spoke to in time, after all warnings.",
    )
    has_unowned = fields.Boolean(
        string="Without Owner", default=True, help="Customers in the pool."
    )
    has_miscovered = fields.Boolean(
        string="In the Wrong Role",
        default=True,
        help="Customers whose owner does not hold the role that the rules name.",
    )
    giver_ids = fields.Many2many(
        "res.users",
        "coverage_run_giver_rel",
        "run_id",
        "user_id",
        string="Taken From",
        domain="[('share', '=', False), ('company_ids', '=', company_id)]",
        help="All that these people own is given away. Empty: the customers above.",
    )
    receiver_ids = fields.Many2many(
        "res.users",
        "coverage_run_receiver_rel",
        "run_id",
        "user_id",
        string="Given To",
        domain="[('share', '=', False), ('company_ids', '=', company_id)]",
        help="Only these people receive. Empty: whoever fits.",
    )

    absence_ids = fields.One2many(
        "coverage.absence", "run_id", export_string_translation=False
    )

    # what came of it
    is_waiting = fields.Boolean(
        string="Waits for a Manager",
        readonly=True,
        help="The nightly job made this plan and does not apply it by itself.",
    )
    plan = fields.Json(readonly=True, export_string_translation=False)
    plan_summary = fields.Json(compute="_compute_plan_summary")
    stay_ids = fields.One2many("coverage.stay", "run_id", string="Not Placed")
    move_ids = fields.One2many(
        "coverage.change",
        "run_id",
        string="Moves",
        domain=[("model", "=", "coverage.customer"), ("field_name", "=", "user_id")],
    )
    move_count = fields.Integer(compute="_compute_move_figures", string="Moves ")
    stay_count = fields.Integer(compute="_compute_move_figures", string="Not Placed ")

    @api.depends("move_ids.state", "stay_ids")
    def _compute_move_figures(self):
        groups = self.env["coverage.change"]._read_group(
            [
                ("run_id", "in", self.ids),
                ("model", "=", "coverage.customer"),
                ("field_name", "=", "user_id"),
                ("state", "!=", "removed"),
            ],
            ["run_id", "old_value"],
            ["__count", "revenue_12m:sum"],
        )
        counts, revenues = Counter(), Counter()
        for run, giver, count, revenue in groups:
            counts[run.id] += count
            revenues[run.id] += revenue if giver else 0
        stays = dict(
            self.env["coverage.stay"]._read_group(
                [("run_id", "in", self.ids)], ["run_id"], ["__count"]
            )
        )
        for run in self:
            run.move_count = counts[run.id]
            run.risk_revenue = revenues[run.id]
            run.stay_count = stays.get(run, 0)

    @api.depends("plan", "move_ids.state", "stay_ids")
    @api.depends_context("lang")
    def _compute_plan_summary(self):
        for run in self:
            is_plan = run.kind == ASSIGNED and run.plan
            run.plan_summary = run._get_plan_summary() if is_plan else False

    @api.constrains("giver_ids", "receiver_ids")
    def _check_people(self):
        for run in self:
            if both := run.giver_ids & run.receiver_ids:
                raise UserError(
                    self.env._(
                        "%(users)s cannot give and receive in one plan. Take them out "
                        "of “From” or “To”.",
                        users=", ".join(both.mapped("name")),
                    )
                )

    # === ACTION METHODS === #

    def action_open(self):
        """Open this plan on its own form."""
        self.ensure_one()
        view = self.env.ref("crm_sales_coverage.coverage_run_view_form_assignment")
        return {
            **open_form(self._name, self.id),
            "name": self.name,
            "views": [(view.id, "form")],
        }

    def action_open_stays(self):
        """Open the customers that could not be placed, with the reasons."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_sales_coverage.coverage_stay_action"
        )
        return {**action, "domain": [("run_id", "=", self.id)], "context": {}}

    # === PLAN === #

    def _get_more_rules(self):
        """Return limits and weights of an assignment too."""
        rules = super()._get_more_rules()
        if self.kind != ASSIGNED:
            return rules
        company = self.company_id
        names = company._get_assign_setting_names() + company._get_weight_names()
        return {**rules, "assignment": {name: company[name] for name in names}}

    def _get_choices(self):
        """Return what a manager took out of this plan, and whom he chose."""
        moves = self.move_ids
        forced = moves.filtered(lambda one: (one.reason or {}).get("is_forced"))
        return Choices(
            set(moves.filtered(lambda one: one.state == "removed").customer_id.ids),
            {one.customer_id.id: int(one.new_value) for one in forced},
        )

    def _create_moves(self, outcomes, rows, needs):
        """Keep who moves to whom, and why.

        :param outcomes: of ``core.assign``, with a receiver
        :param rows: what was collected, by customer id
        :param needs: the same as core values
        """
        users = self.env["res.users"].sudo()
        users = users.browse(
            {one.receiver for one in outcomes}
            | {rows[one.key]["user_id"] for one in outcomes} - {None}
        )
        names = {user.id: user.name for user in users}
        self.env["coverage.change"].create(
            [
                self._prepare_move(one, rows[one.key], needs[one.key], names)
                for one in outcomes
            ]
        )

    def _prepare_move(self, outcome, row, need, names):
        """Return the values of one planned change of owner."""
        owner = row["user_id"]
        return {
            "customer_id": outcome.key,
            "company_id": self.company_id.id,
            "run_id": self.id,
            "date": self.date,
            "res_id": outcome.key,
            "field_name": "user_id",
            "old_value": str(owner) if owner else False,
            "new_value": str(outcome.receiver),
            "old_label": names.get(owner, False),
            "new_label": names[outcome.receiver],
            "reason": {
                "code": "assigned",
                "cause": row["cause"],
                "silent_days": row["silent_days"],
                "score": outcome.score,
                "fits": outcome.reasons,
                "second": outcome.second,
                "is_forced": outcome.code == "forced",
                "is_a": need.is_a,
                "load": need.load,
                **self._get_absence_cause(),
            },
            "state": "planned",
            "origin": "run",
            "user_id": owner,
            "potential": row["potential"],
            "revenue_12m": row["revenue_12m"],
        }

    def _get_absence_cause(self):
        """Return why customers move where somebody leaves or is away."""
        absence = self.absence_ids[:1]
        if not absence:
            return {}
        reason = absence._get_reason()
        return {**reason, "cause": reason["code"], "code": "assigned"}

    def _create_stays(self, outcomes, rows):
        """Keep who could not be placed, and why."""
        self.env["coverage.stay"].create(
            [
                {
                    "run_id": self.id,
                    "customer_id": one.key,
                    "cause": rows[one.key]["cause"],
                    "code": one.code,
                    "refusals": one.refusals,
                    "potential": rows[one.key]["potential"],
                    "revenue_12m": rows[one.key]["revenue_12m"],
                }
                for one in outcomes
            ]
        )

    def _get_planned_customers(self, limit):
        """Return the next customers to move, those of equal people together."""
        changes = self.env["coverage.change"].search(
            [("run_id", "=", self.id), ("state", "=", "planned")],
            order="new_value, old_value, customer_id",
            limit=limit,
        )
        return changes.customer_id

    # === SUMMARY === #

    def _get_plan_summary(self):
        """Return the plan per person, for the table of the form.

        :return: dict of ``is_exact``, ``people`` (``[{id, name, capacity, before,
            after, given, taken}]``, who moves most first; ``before`` and ``after`` are
            dicts by ``SUMMED``) and ``stays`` (``[{code, label, count}]``)
        """
        self.ensure_one()
        moved = self._count_moves()
        lines = self.plan["people"]
        users = self.env["res.users"].sudo().browse([line["id"] for line in lines])
        names = {user.id: user.name for user in users.exists()}
        people = [
            {
                **self._tell_person(line, moved[line["id"]]),
                "name": names.get(line["id"], self.env._("Somebody who left")),
            }
            for line in lines
        ]
        people.sort(key=lambda one: (-one["moved"], one["name"]))
        return {
            "is_exact": self.plan["is_exact"],
            "people": people,
            "stays": self.env["coverage.stay"]._count_by_code(self),
        }

    def _count_moves(self):
        """Return by user id what a plan gives and takes: two dicts by ``SUMMED``."""
        moved = defaultdict(lambda: tuple(dict.fromkeys(SUMMED, 0) for _side in "-+"))
        for move in self.move_ids.filtered(lambda one: one.state != "removed"):
            reason = move.reason or {}
            added = (1, int(bool(reason.get("is_a"))), reason.get("load") or 0.0)
            added += (move.potential, move.revenue_12m)
            for side, user_id in enumerate((move.old_value, move.new_value)):
                if not user_id:
                    continue
                for name, value in zip(SUMMED, added, strict=True):
                    moved[int(user_id)][side][name] += value
        return moved

    def _tell_person(self, line, moved):
        """Return one person before and after the plan."""
        given, taken = moved
        before = {name: line[name] for name in SUMMED}
        return {
            "id": line["id"],
            "capacity": line["capacity"],
            "before": before,
            "after": {
                name: before[name] - given[name] + taken[name] for name in SUMMED
            },
            "given": given["customers"],
            "taken": taken["customers"],
            "moved": given["customers"] + taken["customers"],
        }
