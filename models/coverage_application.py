import logging
from collections import defaultdict

from odoo import models
from odoo.tools import SQL

from .coverage_rows import (
    FACT_TYPES,
    FLAT,
    POSITION,
    get_facts,
    get_flat,
    get_outcome,
    get_pin,
)

_logger = logging.getLogger(__name__)

UNDECIDED = (None, None, None, None)
DECISION_TYPES = {
    "segment_id": "int4",
    "segment_computed_id": "int4",
    "temperature_id": "int4",
    "lifecycle": "varchar",
    "role_id": "int4",
    "rule_id": "int4",
}


class CoverageApplication(models.AbstractModel):
    """Writes what was decided: figures by SQL, decisions through the ORM."""

    _name = "coverage.application"
    _inherit = ["coverage.hold"]
    _description = "Application of Decisions"

    def _apply_outcomes(self, frame, outcomes, log):
        """Write outcomes; the only place that does.

        :return: ids of customers whose write was refused (by another addon, say);
            they keep their decisions, and the job says so at its end
        """
        if not outcomes:
            return set()
        customers = self.env["coverage.customer"].sudo()
        newborn, outcomes = self._part_newborn(outcomes)
        self._write_newborn(newborn)
        self._write_flat(outcomes)
        customers.browse(
            [one.customer_id for one in newborn + outcomes]
        ).invalidate_recordset(flush=False)
        moved, groups = [], defaultdict(list)
        for outcome in outcomes:
            if vals := self._get_changed_vals(outcome):
                groups[tuple(sorted(vals.items()))].append(outcome.customer_id)
                moved.append(outcome)
        log = {
            **log,
            "date": frame.now,
            "day_start": frame.company._get_coverage_midnight(frame.today),
            "reasons": {
                one.customer_id: self._get_reasons(frame, one) for one in moved
            },
            "firsts": {one.customer_id: self._get_firsts(frame, one) for one in moved}
            if "planned" not in log
            else {},
        }
        failed = set()
        for vals, ids in groups.items():
            batch = customers.with_context(coverage_log=log).browse(ids)
            failed |= self._write_group(batch, dict(vals))
        self.env["crm.lead"].sudo()._follow_customers(
            [one.customer_id for one in newborn + moved]
        )
        if any(self._is_another_lifecycle(one) for one in moved):
            self.env["coverage.handoff.engine"]._wake()
        self.env["coverage.rethink.engine"]._follow_outcomes(
            frame, [one for one in moved if one.customer_id not in failed]
        )
        touched = customers.browse([one.customer_id for one in outcomes])
        failed |= self.env["coverage.cover"]._cover_customers(
            touched.with_context(coverage_log=log)
        )
        return failed

    def _is_another_lifecycle(self, outcome):
        """Return whether a customer moved on in its life: policies may ask for more."""
        before = outcome.row[POSITION["lifecycle"]]
        return before not in (None, outcome.decision.lifecycle_standing.value)

    def _write_flat(self, outcomes):
        """Write facts and figures by SQL: they differ for every row."""
        full = [one for one in outcomes if one.row[1]]
        figures = [
            one for one in outcomes if not one.row[1] and one.flat != get_flat(one.row)
        ]
        self._write_values(
            {**FACT_TYPES, **FLAT},
            [(one.customer_id, *get_facts(one.row), *one.flat) for one in full],
        )
        self._write_values(FLAT, [(one.customer_id, *one.flat) for one in figures])

    def _part_newborn(self, outcomes):
        """Part those never decided before from the others.

        They are written whole by SQL, as their rows were made by SQL: a first class is
        no news and not in the history, and four passes over a new base took three times
        as long as one. An automation rule on customers sees them nevertheless.
        """
        if self.env["coverage.customer"]._is_automated():
            return [], outcomes
        newborn, others = [], []
        for one in outcomes:
            is_new = get_outcome(one.row) == UNDECIDED and not get_pin(one.row)[0]
            (newborn if is_new else others).append(one)
        return newborn, others

    def _write_newborn(self, newborn):
        """Write facts, figures, decisions and role of those never decided before."""
        decided = {one.customer_id: self._get_values(one.decision) for one in newborn}
        covered = self.env["coverage.cover"]._decide_newborn(newborn, decided)
        self._write_values(
            {**FACT_TYPES, **FLAT, **DECISION_TYPES},
            [
                (
                    one.customer_id,
                    *get_facts(one.row),
                    *one.flat,
                    *decided[one.customer_id],
                    *covered.get(one.customer_id, (None, None)),
                )
                for one in newborn
            ],
        )

    def _write_values(self, types, values):
        """Run one UPDATE for rows of (id, values in the order of ``types``)."""
        if not values:
            return
        names = list(types)
        query = SQL(
            "UPDATE coverage_customer c SET %s FROM (VALUES %%s) AS v (id, %s) "
            "WHERE c.id = v.id",
            SQL(", ").join(
                SQL("%s = v.%s", SQL.identifier(name), SQL.identifier(name))
                for name in names
            ),
            SQL(", ").join(SQL.identifier(name) for name in names),
        )
        template = ", ".join(f"%s::{kind}" for kind in ("int4", *types.values()))
        self.env.cr.execute_values(
            query.code.replace("%%s", "%s"), values, f"({template})", page_size=2_000
        )

    def _get_changed_vals(self, outcome):
        """Return the decisions of one customer that differ from the stored ones."""
        names = ("segment_id", "segment_computed_id", "temperature_id", "lifecycle")
        old, new = get_outcome(outcome.row), self._get_values(outcome.decision)
        vals = {
            name: after or False
            for name, before, after in zip(names, old, new, strict=True)
            if before != after
        }
        if outcome.decision.is_pin_expired:
            vals.update(
                segment_manual_id=False,
                segment_manual_until=False,
                segment_manual_reason=False,
            )
        return vals

    def _write_group(self, customers, vals):
        """Write one outcome to all its customers; return the ids refused."""
        refused = set()

        def refuse(customer, error):
            _logger.warning("Customer %s keeps its decisions: %s", customer.id, error)
            refused.add(customer.id)

        self._apart(customers, lambda part: part.write(vals), refuse)
        return refused

    def _get_reasons(self, frame, outcome):
        """Return by field what history keeps as the reason: code and numbers."""
        decision = outcome.decision
        numbers = {
            "potential": decision.potential,
            "source": decision.potential_source,
            "share": decision.share and round(decision.share, 1),
            "reference": frame.rules.reference,
            "score": decision.temperature_score,
            "yield": decision.yield_rate,
        }
        return {
            "segment_id": {"code": decision.segment_reason, **numbers},
            "temperature_id": {"code": decision.temperature_reason, **numbers},
            "lifecycle": {"code": decision.lifecycle_reason, **numbers},
            "segment_manual_id": {"code": "pin_expired"},
        }

    def _get_firsts(self, frame, outcome):
        """Return the fields that this customer had no value of this morning."""
        decision = outcome.decision
        standings = {
            "segment_id": decision.segment_standing,
            "temperature_id": decision.temperature_standing,
            "lifecycle": decision.lifecycle_standing,
        }
        return {
            name
            for name, standing in standings.items()
            if standing.since == frame.today and standing.left is None
        }
