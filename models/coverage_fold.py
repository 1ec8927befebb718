from odoo import models

from ..core.rethink import LIVE

OWNED = ("user_id", "team_id", "owned_since", "protected_until", "registered_date")
PINNED = (
    "segment_manual_id",
    "segment_manual_until",
    "segment_manual_reason",
)
RHYTHM = ("rhythm_start_date", "retry_since", "leave_alone_until", "snoozed_since")
PROMISES = (
    ("declared_date", ("declared_potential", "declared_date", "declared_how")),
    ("confirmed_date", ("confirmed_potential", "confirmed_date", "confirmed_user_id")),
)


class CoverageFold(models.AbstractModel):
    """Makes one row of two when two partners turn out to be one customer.

    The target's owner, pin and declaration win, else the source's. The history of
    both is kept on the row that stays.
    """

    _name = "coverage.fold"
    _description = "Coverage Fold"

    def _fold(self, source, target):
        """Fold the rows of partner ``source`` into those of ``target``."""
        targets = {row.company_id: row for row in target._get_coverage_rows()}
        for row in source._get_coverage_rows():
            if kept := targets.get(row.company_id):
                self._fold_row(row, kept)
            elif source != target:
                row.partner_id = target

    def _fold_row(self, row, kept):
        """Fold one row into another and delete it; nothing of it is lost."""
        vals = {}
        if not kept.user_id:
            vals.update({name: row[name] for name in OWNED})
        elif kept.user_id == row.user_id:
            vals.update(self._keep_longest(row, kept))
        if not kept.segment_manual_id:
            vals.update({name: row[name] for name in PINNED})
        for key, names in PROMISES:
            if not kept[key]:
                vals.update({name: row[name] for name in names})
        vals.update({name: row[name] for name in RHYTHM if not kept[name]})
        vals = {
            name: value.id if isinstance(value, models.BaseModel) else value
            for name, value in vals.items()
        }
        vals["watcher_ids"] = [(4, user.id) for user in row.watcher_ids]
        changes = row.change_ids
        changes.write({"customer_id": kept.id})
        changes.filtered(lambda line: line.model == row._name).res_id = kept.id
        self._fold_touches(row, kept)
        self._fold_open(row.request_ids, kept, "kind", ("open",))
        self._fold_open(row.handoff_ids, kept, "company_id", ("draft", "offered"))
        self._fold_open(row.claim_ids, kept, "company_id", ("offered",))
        row.absence_line_ids.write({"customer_id": kept.id})
        row.case_review_ids.write({"customer_id": kept.id})
        self._fold_rethinks(row.rethink_ids, kept)
        row.invalidate_recordset(
            [
                "absence_line_ids",
                "case_review_ids",
                "change_ids",
                "claim_ids",
                "handoff_ids",
                "request_ids",
                "rethink_ids",
                "touch_ids",
            ]
        )
        reason = {"code": "merged", "name": row.display_name}
        row.unlink()
        kept._log_owner(reason).write(vals)

    def _keep_longest(self, row, kept):
        """Return the rights of one owner of both: those that last longest."""
        days = [day for day in (row.protected_until, kept.protected_until) if day]
        registered = row.registered_date if kept.registered_date else False
        return {
            "protected_until": max(days, default=False),
            "registered_date": registered and min(registered, kept.registered_date),
        }

    def _fold_open(self, records, kept, name, open_states):
        """Re-point requests or handoffs of a row, open and closed ones.

        Of what may be open once only, by lead and field ``name``, the target's stays.
        """

        def is_open(record):
            return record.state in open_states

        ours = records.search([("customer_id", "=", kept.id)]).filtered(is_open)
        known = {(one.lead_id, one[name]) for one in ours}
        twice = records.filtered(is_open).filtered(
            lambda one: (one.lead_id, one[name]) in known
        )
        twice.unlink()
        (records - twice).write({"customer_id": kept.id})

    def _fold_rethinks(self, rethinks, kept):
        """Re-point the rethinks of a row; where both have one, the target's goes on."""
        if any(one.state in LIVE for one in kept.rethink_ids):
            rethinks.filtered(lambda one: one.state in LIVE).unlink()
        rethinks.exists().write({"customer_id": kept.id})

    def _fold_touches(self, row, kept):
        """Re-point the contacts of a row; a meeting that both attended counts once."""
        touches = row.with_context(active_test=False).touch_ids
        known = {
            (touch.source, touch.origin_id)
            for touch in kept.with_context(active_test=False).touch_ids
            if touch.origin_id
        }
        twice = touches.filtered(lambda one: (one.source, one.origin_id) in known)
        twice.unlink()
        (touches - twice).write({"customer_id": kept.id})
