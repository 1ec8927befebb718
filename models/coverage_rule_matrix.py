from odoo import api, fields, models

from ..core.cover import Dimensions, lint, picture

LISTED = 3


class CoverageRuleMatrix(models.AbstractModel):
    """Shows what the rules come to, saved or not: as a picture, and what is wrong."""

    _name = "coverage.rule.matrix"
    _description = "Picture of Who Covers Whom"

    matrix = fields.Json(compute="_compute_matrix")
    lint_text = fields.Text(
        string="Check",
        compute="_compute_lint_text",
        help="What is wrong with this rule and with those after it.",
    )

    @api.depends(
        "active",
        "lifecycle",
        "segment_ids",
        "is_unrated",
        "temperature_ids",
        "max_revenue_rate",
        "stage_ids",
        "min_amount",
        "categ_ids",
        "team_ids",
        "role_id",
        "min_seniority",
        "sequence",
        "name",
    )
    @api.depends_context("lang", "allowed_company_ids")
    def _compute_matrix(self):
        for rule in self:
            rule.matrix = rule._get_matrix(rule._with_others())

    @api.depends(
        "active",
        "lifecycle",
        "segment_ids",
        "is_unrated",
        "temperature_ids",
        "max_revenue_rate",
        "stage_ids",
        "min_amount",
        "categ_ids",
        "team_ids",
        "sequence",
    )
    @api.depends_context("lang")
    def _compute_lint_text(self):
        """Saved rules are checked together; one being edited with its own values."""
        saved = self.search([])
        found = saved._get_lint()
        for rule in self:
            if rule.id:
                rule.lint_text = found["by_rule"].get(rule.id)
            else:
                found_here = rule._with_others()._get_lint()
                rule.lint_text = "\n".join(
                    filter(
                        None,
                        (
                            *found_here["by_rule"].values(),
                            found_here["uncovered"],
                        ),
                    )
                )

    @api.model
    @api.readonly
    def get_matrix(self):
        """Return the picture of the rules in use as plain data, for their list.

        :return: dict of ``columns`` and ``rows`` (``[{key, label}]``), ``cells`` (by
            row key and column key: ``count``, ``main`` and ``others``, that is rules
            as :meth:`_prepare_cell_rule` returns them), ``everywhere`` (rules that may
            hold in all cells), ``warnings`` (sentences)
        """
        self.check_access("read")
        return self.browse()._get_matrix(self.search([]))

    @api.model
    def action_open_cell(self, lifecycle, segment_id):
        """Open the customers of one lifecycle and segment; no segment: the unrated."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_sales_coverage.coverage_customer_action"
        )
        domain = [
            ("lifecycle", "=", lifecycle),
            ("segment_id", "=", segment_id or False),
            ("company_id", "in", self.env.companies.ids),
        ]
        return {**action, "domain": domain, "context": {}}

    # === RULES === #

    def _with_others(self):
        """Return the rules in use, this one with its present values, in their order."""
        self.ensure_one()
        others = self.search([]) - self._origin
        mine = self if self.active else self.browse()
        return (others + mine).sorted(
            lambda rule: (rule.sequence, rule._origin.id or float("inf"))
        )

    def _get_dimensions(self):
        """Return the values that lifecycle, segment and temperature may have."""
        lines = self.categ_ids
        return Dimensions(
            tuple(value for value, _label in self._get_lifecycles()),
            tuple(self.env["coverage.segment"]._get_codes()),
            tuple(self.env["coverage.temperature"].search([]).ids),
            tuple(
                frozenset(map(int, line.parent_path.split("/")[:-1])) for line in lines
            ),
        )

    def _get_lifecycles(self):
        return self._fields["lifecycle"]._description_selection(self.env)

    # === WHAT IS WRONG === #

    def _get_lint(self):
        """Return sentences on these rules: ``by_rule`` (by id), and ``uncovered``."""
        found = lint(
            tuple(rule._to_core() for rule in self), self.sudo()._get_dimensions()
        )
        names = {rule._origin.id or 0: rule.name or self.env._("New") for rule in self}
        return {
            "by_rule": {
                one.key: self._get_unreachable_text(one, names)
                for one in found.unreachable
            },
            "uncovered": self._get_uncovered_text(found.uncovered),
        }

    def _get_unreachable_text(self, unreachable, names):
        """Return why a rule never holds."""
        words = {
            "rule": names[unreachable.key],
            "others": " + ".join(f"“{names[key]}”" for key in unreachable.blockers),
        }
        if not unreachable.blockers:
            return self.env._(
                "“%(rule)s” never holds: no customer can be like this.", **words
            )
        return self.env._(
            "“%(rule)s” never holds: %(others)s takes all its cases before it. Move "
            "it up, or delete it.",
            **words,
        )

    def _get_uncovered_text(self, cases):
        """Return which cases no rule covers, some of them by example."""
        if not cases:
            return ""
        examples = "; ".join(self._get_case_text(case) for case in cases[:LISTED])
        if len(cases) > LISTED:
            examples += "; …"
        return self.env._(
            "No rule covers: %(examples)s. Keep a rule without conditions at the end.",
            examples=examples,
        )

    # === PICTURE === #

    def _get_matrix(self, rules):
        """Return the picture of these rules, see :meth:`get_matrix`."""
        core = tuple(rule._to_core() for rule in rules)
        pictured = picture(core, rules.sudo()._get_dimensions())
        everywhere = set(core).intersection(*(one.others for one in pictured.values()))
        shown = {
            one.key: rule._prepare_cell_rule()
            for one, rule in zip(core, rules, strict=True)
        }
        counts, cells = self._get_cell_counts(), {}
        for (lifecycle, segment), cell in pictured.items():
            main = shown[cell.main.key] if cell.main else None
            others = [shown[one.key] for one in cell.others if one not in everywhere]
            cells.setdefault(lifecycle, {})[segment or 0] = {
                "count": counts.get((lifecycle, segment), 0),
                "main": main,
                "others": [one for one in others if self._is_shown(one, main)],
            }
        codes = self.env["coverage.segment"]._get_codes()
        found = rules._get_lint()
        return {
            "columns": [
                *({"key": key, "label": code} for key, code in codes.items()),
                {"key": 0, "label": self.env._("Unrated")},
            ],
            "rows": [
                {"key": key, "label": label} for key, label in self._get_lifecycles()
            ],
            "cells": cells,
            "everywhere": [shown[one.key] for one in core if one in everywhere],
            "warnings": [
                text
                for text in (*found["by_rule"].values(), found["uncovered"])
                if text
            ],
        }

    def _is_shown(self, other, main):
        """Return whether a cell shows another rule: it asks for somebody else.

        The rule on whose form the picture is, is always shown.
        """
        is_mine = bool(self) and other["id"] == (self._origin.id or 0)
        return is_mine or not main or other["role"] != main["role"]

    def _prepare_cell_rule(self):
        """Return how a cell shows a rule: role, colour, and when it holds."""
        role = self.role_id._origin
        return {
            "id": self._origin.id or 0,
            "name": self.name or "",
            "role": self._get_role_text() or self.env._("No role yet"),
            "color": self._get_color(role),
            "when": self._get_condition_text(with_standing=False),
        }

    def _get_color(self, role):
        """Return the colour of a role, 1 to 11; 0 without a role."""
        return role.color or (role.id % 11 + 1 if role else 0)

    def _get_cell_counts(self):
        """Return ``{(lifecycle, segment id or None): customers}`` that one may see."""
        customers = self.env["coverage.customer"]
        if not customers.has_access("read"):
            return {}
        groups = customers._read_group(
            [("company_id", "in", self.env.companies.ids)],
            ["lifecycle", "segment_id"],
            ["__count"],
        )
        return {
            (lifecycle or "prospect", segment.id or None): count
            for lifecycle, segment, count in groups
        }
