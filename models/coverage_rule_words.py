from odoo import api, fields, models
from odoo.tools.i18n import format_list

from ..core.cover import OTHER
from .coverage_role import RANKS


class CoverageRuleWords(models.AbstractModel):
    """Says in words whom a rule of who covers whom is about, and who covers them."""

    _name = "coverage.rule.words"
    _description = "Words of Who Covers Whom"

    condition_text = fields.Char(
        string="Whom",
        compute="_compute_condition_text",
        help="All conditions of the rule as one sentence.",
    )

    @api.depends(
        "lifecycle",
        "segment_ids",
        "is_unrated",
        "temperature_ids",
        "max_revenue_rate",
        "stage_ids",
        "min_amount",
        "currency_id",
        "categ_ids",
        "team_ids",
    )
    @api.depends_context("lang")
    def _compute_condition_text(self):
        for rule in self:
            rule.condition_text = rule._get_condition_text()

    def _get_condition_text(self, with_standing=True):
        """Return the conditions as one sentence.

        :param with_standing: whether lifecycle and segment are named too
        """
        self.ensure_one()
        standing = self._get_standing_text() if with_standing else ""
        parts = [part for part in (standing, *self._get_other_parts()) if part]
        text = ", ".join(parts)
        if not with_standing:
            return text or self.env._("otherwise")
        return text[:1].upper() + text[1:] or self.env._("Anybody else")

    def _get_standing_text(self):
        """Return lifecycle and segments: "Regular A or B"."""
        labels = dict(self._fields["lifecycle"]._description_selection(self.env))
        codes = self.segment_ids.sorted(lambda one: -one.typical_share).mapped("code")
        if self.is_unrated:
            codes.append(self.env._("unrated"))
        return " ".join(filter(None, (labels.get(self.lifecycle), self._or(codes))))

    def _get_other_parts(self):
        """Return the conditions besides lifecycle and segment, each as some words."""
        _ = self.env._
        if self.temperature_ids:
            yield self._or([one.name.lower() for one in self.temperature_ids])
        if self.max_revenue_rate:
            yield _(
                "revenue at most %(percent)s %% of best year",
                percent=f"{100 * self.max_revenue_rate:.3g}",
            )
        if self.stage_ids:
            yield _(
                "lead in %(stages)s", stages=self._or(self.stage_ids.mapped("name"))
            )
        if self.min_amount:
            currency = self.currency_id or self.env.company.currency_id
            amount = self.env["coverage.why"]._money(currency)(self.min_amount)
            yield _("opportunity of %(amount)s or more", amount=amount)
        if self.categ_ids:
            yield _("buys %(lines)s", lines=self._or(self.categ_ids.mapped("name")))
        if self.team_ids:
            yield _("team %(teams)s", teams=self._or(self.team_ids.mapped("name")))

    def _or(self, words):
        """Return words as people list them: "A, B or C"."""
        return format_list(self.env, words, "or") if words else ""

    def _get_role_text(self):
        """Return the role, with the seniority where it matters: "Farmer, senior"."""
        self.ensure_one()
        if not RANKS.get(self.min_seniority):
            return self.role_id.name or ""
        labels = dict(self._fields["min_seniority"]._description_selection(self.env))
        return self.env._(
            "%(role)s, %(seniority)s",
            role=self.role_id.name or "",
            seniority=labels[self.min_seniority].lower(),
        )

    @api.model
    def _get_case_text(self, case):
        """Return a case that no rule covers in words: "Sleeping B, frozen"."""
        _ = self.env._
        labels = dict(self._fields["lifecycle"]._description_selection(self.env))
        code = self.env["coverage.segment"]._get_codes().get(case.segment)
        words = [f"{labels[case.lifecycle]} {code or _('unrated')}"]
        level = self.env["coverage.temperature"].browse(case.temperature or ())
        if level:
            words.append(level.name.lower())
        if case.amount is not None:
            stage = self.env["crm.stage"].browse(
                () if case.stage == OTHER else case.stage
            )
            words.append(stage.name or _("with a lead"))
        return ", ".join(words)
