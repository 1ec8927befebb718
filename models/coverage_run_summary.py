from collections import defaultdict

from odoo import api, fields, models


class CoverageRunSummary(models.AbstractModel):
    """Who moves from where to where in a run, for the tables of its form."""

    _name = "coverage.run.summary"
    _description = "Summary of a Coverage Run"

    summary = fields.Json(
        compute="_compute_summary",
    )

    @api.depends("change_ids.state")
    def _compute_summary(self):
        for run in self:
            run.summary = run._get_summary() if run.id else False

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
