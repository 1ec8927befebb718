from collections import defaultdict
from datetime import timedelta

from odoo import models
from odoo.tools import SQL

from .coverage_cadence import SILENT
from .coverage_carry import QUIET

HOLD_DAYS = 30
OWNER_HOLD_DAYS = 90
STANDINGS = {
    "segment_id": (
        "segment_since = segment_prior_since, segment_left_id = segment_prior_left_id, "
        "segment_computed_id = segment_left_id, segment_prior_since = NULL, "
        "segment_prior_left_id = NULL",
        "segment_since",
    ),
    "temperature_id": (
        "temperature_since = temperature_prior_since, temperature_left_id = NULL, "
        "temperature_prior_since = NULL",
        "temperature_since",
    ),
    "lifecycle": (
        "lifecycle_since = lifecycle_prior_since, lifecycle_left = NULL, "
        "lifecycle_prior_since = NULL",
        "lifecycle_since",
    ),
}


class CoverageRestore(models.AbstractModel):
    """Takes changes back: what still holds the run's value returns to the old one.

    A restored segment is pinned for a while, or the next night would move it again.
    """

    _name = "coverage.restore"
    _description = "Coverage Restore"

    def _restore(self, run, changes, now):
        """Undo these applied changes.

        What somebody changed since, or another rule refuses, is only listed.
        """
        held = self._filter_held(changes)
        (changes - held).state = "kept"
        documents = held.filtered(lambda line: line.model != "coverage.customer")
        held -= documents
        self._restore_standings(run, held)
        customers = self.env["coverage.customer"].sudo()
        groups = defaultdict(list)
        for customer, lines in held.grouped("customer_id").items():
            vals = self._prepare_restored_vals(run, lines, now)
            groups[tuple(sorted(vals.items()))].append(customer.id)
        refresh, refused = self.env["coverage.refresh"], set()
        reasons = {one.id: {"user_id": {"code": "undone"}} for one in held.customer_id}
        log = {"origin": "undo", "date": now, "reasons": reasons}
        for vals, ids in groups.items():  # what followed the run is restored as itself
            batch = customers.with_context(coverage_log=log, coverage_skip_carry=True)
            batch = batch.browse(ids)
            refused |= refresh._write_group(batch, dict(vals))
        refused = held.filtered(lambda line: line.customer_id.id in refused)
        refused.state = "kept"
        (held - refused).state = "undone"
        self._restore_documents(documents)
        if run.what_if:
            refresh._refresh_customers(held.customer_id, now, "undo")
        self.env["coverage.rethink.engine"]._settle_customers(held.customer_id, now)
        self.env["coverage.cover"]._cover_customers(
            held.customer_id.with_context(coverage_log=log)
        )

    def _filter_held(self, changes):
        """Return those whose record's field is still what the run made of it."""
        held = changes.browse()
        for (model, name), lines in changes.grouped(
            lambda line: (line.model, line.field_name)
        ).items():
            records = self.env[model].sudo().browse(lines.mapped("res_id")).exists()
            if model != "coverage.customer":
                records = records.filtered(self._is_open)
            values = {one.id: self._get_text(one[name]) for one in records}
            held += lines.filtered(
                lambda line, values=values: values.get(line.res_id) == line.new_value
            )
        return held

    def _get_text(self, value):
        """Return a value as the history keeps it."""
        if isinstance(value, models.BaseModel):
            value = value.id
        return str(value) if value else False

    def _is_open(self, document):
        """Return whether a document can still change hands: neither done nor closed."""
        if document._name == "crm.lead":
            return document.won_status == "pending"
        if document._name == "sale.order":
            return document.state in ("draft", "sent")
        return document._name != "mail.activity" or document.active

    def _restore_documents(self, changes):
        """Give back the documents that followed an owner, silently."""
        carry, refresh = self.env["coverage.carry"].sudo(), self.env["coverage.refresh"]
        users = self.env["res.users"].sudo()
        for model, lines in changes.grouped("model").items():
            for old, group in lines.grouped("old_value").items():
                user = users.browse(int(old or 0) or ())
                documents = self.env[model].sudo().browse(group.mapped("res_id"))
                quiet = documents.with_context(**QUIET, **SILENT)
                refused = refresh._write_group(quiet, {"user_id": user.id})
                kept = group.filtered(lambda line, ids=refused: line.res_id in ids)
                kept.state, (group - kept).state = "kept", "undone"
                if model in ("crm.lead", "sale.order"):
                    former = {
                        line.res_id: users.browse(int(line.new_value or 0) or ())
                        for line in group
                    }
                    carry._settle_followers(documents, former, user)

    def _restore_standings(self, run, changes):
        """Set back since when and what was left, where the run's move is the last."""
        self.env["coverage.customer"].flush_model()
        for name, (assignments, since) in STANDINGS.items():
            lines = changes.filtered(lambda line, name=name: line.field_name == name)
            days = lines.grouped(
                lambda line: run.company_id._get_coverage_today(line.date)
            )
            for day, ids in days.items():
                self.env.cr.execute(self._query_standings(assignments, since, ids, day))
        self.env["coverage.customer"].invalidate_model(flush=False)

    def _query_standings(self, assignments, since, changes, day):
        """Shift the kept former standing back: a column into a column, set-based."""
        return SQL(
            "UPDATE coverage_customer SET %s WHERE id IN %s AND %s = %s",
            SQL(assignments),  # literal of this module
            tuple(changes.customer_id.ids),
            SQL.identifier(since),
            day,
        )

    def _prepare_restored_vals(self, run, lines, now):
        """Return the former values of one customer, its segment and owner held."""
        vals, today = {}, run.company_id._get_coverage_today(now)
        for line in lines:
            value = line.old_value or False
            if value and line.field_name not in ("lifecycle", "declared_potential"):
                value = int(value)
            vals[line.field_name] = value
        if vals.get("segment_id") and "segment_manual_id" not in vals:
            days = run.company_id.coverage_stay_days or HOLD_DAYS
            vals.update(
                segment_manual_id=vals["segment_id"],
                segment_manual_until=today + timedelta(days=days),
                segment_manual_reason=self.env._(
                    "Held after “%s” was undone", run.name
                ),
            )
        if vals.get("user_id"):
            vals["protected_until"] = today + timedelta(days=OWNER_HOLD_DAYS)
        return vals
