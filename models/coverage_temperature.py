from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import ormcache

from ..core.records import TemperatureRule

CODES = ["frozen", "cool", "mild", "warm", "hot"]


class CoverageTemperature(models.Model):
    """A level of temperature: what a customer brings, against what it could."""

    _name = "coverage.temperature"
    _inherit = "coverage.cached"
    _description = "Coverage Temperature"
    _order = "min_score, id"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(required=True, readonly=True)
    min_score = fields.Float(
        string="From Score",
        required=True,
        help="The lowest temperature score, 0 to 100, that reaches this level.",
    )
    color = fields.Integer(help="Colour of the card in the kanban view.")
    icon = fields.Char(help="The sign that badges show, so that colour is not needed.")
    customer_count = fields.Integer(compute="_compute_customer_count")

    _code_unique = models.UniqueIndex(
        "(code)", "Another temperature has this code already."
    )
    _score_unique = models.UniqueIndex(
        "(min_score)", "Two levels cannot begin at the same score."
    )
    _score_range = models.Constraint(
        "CHECK (min_score BETWEEN 0 AND 100)",
        "The score of a level must be between 0 and 100.",
    )

    def _compute_customer_count(self):
        groups = self.env["coverage.customer"]._read_group(
            [("temperature_id", "in", self.ids)], ["temperature_id"], ["__count"]
        )
        counts = {level.id: count for level, count in groups}
        for level in self:
            level.customer_count = counts.get(level.id, 0)

    @api.constrains("min_score")
    def _check_lowest_is_zero(self):
        if not self.search_count([("min_score", "=", 0)]):
            raise ValidationError(
                self.env._("The coldest level must begin at a score of 0.")
            )

    @api.constrains("min_score")
    def _check_rising(self):
        """Warmer levels begin at higher scores; several are checked together, later."""
        if self.env.context.get("coverage_check_later"):
            return
        levels = self.search([]).sorted(lambda level: CODES.index(level.code))
        scores = levels.mapped("min_score")
        if any(low >= high for low, high in zip(scores, scores[1:], strict=False)):
            raise ValidationError(
                self.env._(
                    "Each temperature must begin at a higher score than the one before "
                    "it: %(scores)s. Correct the scores.",
                    scores=", ".join(
                        f"{level.name} {level.min_score:g}" for level in levels
                    ),
                )
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        raise UserError(
            self.env._(
                "The five temperatures are fixed. Change the scores they begin at "
                "instead."
            )
        )

    @api.model
    @ormcache()
    def _get_stored_rules(self):
        levels = self.sudo().search([])
        return tuple((level.id, level.code, level.min_score) for level in levels)

    @api.model
    def _get_rules(self, what_if=None):
        """Return all levels as core rules, hottest first.

        :param dict what_if: other values per level code, as on ``coverage.run``
        """
        rules = [
            TemperatureRule(key, (what_if or {}).get(code, {}).get("min_score", score))
            for key, code, score in self._get_stored_rules()
        ]
        return tuple(sorted(rules, key=lambda rule: -rule.min_score))
