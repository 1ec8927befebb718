from collections import Counter
from dataclasses import replace

from odoo import api, models

from ..core.assign import assign
from ..core.candidate import STRANGER, refusal
from .coverage_run_job import JOB_LIMIT


class CoverageAssignment(models.AbstractModel):
    """Chooses the best owner for customers that need one, all at once.

    Facts (who needs an owner and why, who could take it) → ``core.assign`` → lines of
    the run → application, which looks at each again. Carrying along what belongs to a
    customer is the business of whoever writes an owner: ``coverage.carry``.
    """

    _name = "coverage.assignment"
    _inherit = [
        "coverage.job",
        "coverage.frame",
        "coverage.rows",
        "coverage.assignment.facts",
        "coverage.assignment.people",
    ]
    _description = "Assignment of Customers"

    # === PLAN === #

    def _plan(self, run, now):
        """Plan who gets which customer, writing only lines of the run.

        What a manager took out of the plan stays out, whom he chose stays chosen.

        :return: number of customers looked at
        """
        choices = run._get_choices()
        run.reference_id = self.env["coverage.reference"]._get_latest(run.company_id)
        run.change_ids.filtered(lambda one: one.state == "planned").unlink()
        run.stay_ids.unlink()
        rows = {row["id"]: row for row in self._collect(run, now)}
        for customer_id in choices.removed:
            rows.pop(customer_id, None)
        matches = self._collect_matches(run, rows.values(), now)
        subjects = self._prepare_subjects(run, rows, matches, choices.forced)
        plan = assign(
            subjects,
            {group: match.candidates for group, match in matches.items()},
            {
                key: one
                for match in matches.values()
                for key, one in match.relations.items()
            },
            self._get_limits(run, now),
            run.company_id._get_coverage_weights(),
        )
        self._keep_plan(run, rows, matches, plan)
        return len(rows)

    def _keep_plan(self, run, rows, matches, plan):
        """Keep lines of who moves and who stays, and the figures per person."""
        moves = [one for one in plan.outcomes if one.receiver is not None]
        stays = [one for one in plan.outcomes if one.receiver is None]
        needs = {key: need for m in matches.values() for key, need in m.needs.items()}
        run._create_moves(moves, rows, needs)
        run._create_stays(stays, rows)
        people = self._collect_people(run, moves, rows, matches)
        run.plan = {"is_exact": plan.is_exact, "people": people}

    # === APPLICATION === #

    def _apply_planned(self, run, customers, now):
        """Write the planned owners of customers that are still as they were planned.

        :return: ids of the customers whose move is no longer possible
        """
        changes = self.env["coverage.change"].search(
            [
                ("run_id", "=", run.id),
                ("state", "=", "planned"),
                ("customer_id", "in", customers.ids),
            ]
        )
        held = self._lock(customers)
        rows = {row["id"]: row for row in self._collect(run, now, held)}
        matches = self._collect_matches(run, rows.values(), now)
        taken, same = Counter(), self.env["coverage.change"]
        for change in changes.filtered(lambda one: one.customer_id.id in rows):
            if self._is_same(change, rows[change.customer_id.id], matches, taken):
                same += change
        failed = self._write_owners(run, same, now)
        return set(customers.ids) - (set(same.customer_id.ids) - failed)

    def _is_same(self, change, row, matches, taken):
        """Return whether a planned move still holds: its customer, and its receiver.

        :param taken: what the moves before it gave to each person; counts on
        """
        match, receiver = matches[row["group"]], int(change.new_value)
        person, need = match.candidates.get(receiver), match.needs[row["id"]]
        if person is None or str(row["user_id"] or "") != (change.old_value or ""):
            return False
        relation = match.get_relations(need.key).get(receiver, STRANGER)
        person = self._add_taken(person, taken)
        is_refused = relation.is_former or refusal(need, person) is not None
        if is_refused and not change.reason.get("is_forced"):
            return False
        taken[receiver, "customers"] += 1
        taken[receiver, "a"] += int(need.is_a)
        taken[receiver, "load"] += need.load
        taken[receiver, "leads"] += need.lead_count
        return True

    def _add_taken(self, person, taken):
        """Return a person with what this batch has given him already."""
        key = person.key
        return replace(
            person,
            customer_count=person.customer_count + taken[key, "customers"],
            a_count=person.a_count + taken[key, "a"],
            load=person.load + taken[key, "load"],
            lead_room=person.lead_room - taken[key, "leads"],
        )

    def _write_owners(self, run, changes, now):
        """Write owners, those of equal receivers at once; return the ids refused."""
        log = {
            "origin": "run",
            "run_id": run.id,
            "date": now,
            "planned": {one.customer_id.id: {"user_id": one.id} for one in changes},
            "reasons": {one.customer_id.id: {"user_id": one.reason} for one in changes},
        }
        failed, refresh = set(), self.env["coverage.refresh"]
        for receiver, group in changes.grouped("new_value").items():
            customers = group.customer_id.sudo()  # the run was decided by a manager
            customers = customers.with_context(coverage_log=log)
            failed |= refresh._write_group(customers, {"user_id": int(receiver)})
        return failed

    # === AUTOMATIC === #

    @api.model
    def _run_automatic(self, company, now, tally, commit):
        """Plan for the idle customers of a company once a day, and apply what is small.

        A step of the nightly job, see ``coverage.job``. What goes beyond the limits
        waits for a manager; a plan of yesterday that still waits is made anew.

        :return: whether time was left
        """
        run = self._find_unfinished(company)
        if not run:
            run = self._retry(lambda: self._plan_automatic(company, now), commit)
        while run and run.state == "applying" and run._is_free():
            done = self._retry(lambda: run._apply_batch(now, JOB_LIMIT), commit)
            tally.count += done
            if commit and not commit(done, 1):
                return False
        return True

    def _find_unfinished(self, company):
        """Return the automatic plan that was being applied when the job stopped."""
        domain = [*self._get_automatic_domain(company), ("state", "=", "applying")]
        return self.env["coverage.run"].search(domain, order="id", limit=1)

    def _get_automatic_domain(self, company):
        return [
            ("company_id", "=", company.id),
            ("kind", "=", "assignment"),
            ("origin", "=", "job"),
        ]

    def _plan_automatic(self, company, now):
        """Return today's plan, being applied if it is small; None without a need."""
        runs = self.env["coverage.run"]
        domain = self._get_automatic_domain(company)
        today = company._get_coverage_midnight(company._get_coverage_today(now))
        if runs.search_count([*domain, ("date", ">=", today)], limit=1):
            return None
        runs.search([*domain, ("state", "=", "planned")])._update_state("cancelled")
        idle = [("company_id", "=", company.id), ("idle_since", "!=", False)]
        if not self.env["coverage.customer"].search_count(idle, limit=1):
            return None
        run = runs.create(
            {
                "kind": "assignment",
                "origin": "job",
                "company_id": company.id,
                "has_unowned": False,
                "has_miscovered": False,
                "user_id": self.env.uid,
            }
        )
        run._plan_now(now)
        if not company.coverage_assign_automatic or self._is_too_much(run):
            run.is_waiting = True
        else:
            run._update_state("applying")
        return run

    def _is_too_much(self, run):
        """Return whether a plan moves more of some team than it may by itself.

        Of a small team one customer may always move.
        """
        customers = self.env["coverage.customer"]
        rate = run.company_id.coverage_assign_team_rate
        moved = Counter(move.customer_id.team_id for move in run.move_ids)
        counts = dict(
            customers._read_group(
                [
                    ("company_id", "=", run.company_id.id),
                    ("user_id", "!=", False),
                    ("team_id", "in", [team.id for team in moved]),
                ],
                ["team_id"],
                ["__count"],
            )
        )
        return bool(rate) and any(
            count > max(1, rate * counts.get(team, 0))
            for team, count in moved.items()
            if team
        )
