from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models.opening import open_form

SEGMENT_FIELDS = ("typical_share", "expected_yield_rate", "contact_interval_days")


class CoverageWhatIf(models.TransientModel):
    """Lets a manager change rules and settings on paper, and preview what moves."""

    _name = "coverage.what.if"
    _description = "Try Other Rules"

    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    segment_ids = fields.One2many(
        "coverage.what.if.segment", "what_if_id", default=lambda self: self._segments()
    )
    level_ids = fields.One2many(
        "coverage.what.if.level", "what_if_id", default=lambda self: self._levels()
    )
    coverage_revenue_source = fields.Selection(
        selection=lambda self: (
            self.env["res.company"]
            ._fields["coverage_revenue_source"]
            ._description_selection(self.env)
        ),
        required=True,
    )
    coverage_lookback_years = fields.Integer(string="Lookback (years)")
    coverage_leader_rate = fields.Float(string="Share of Leaders")
    coverage_use_lookalike = fields.Boolean(string="Use Look-alikes")
    coverage_new_orders = fields.Integer(string="New Until (order days)")
    coverage_sleeping_days = fields.Integer(string="Sleeping After (days)")
    coverage_stay_days = fields.Integer(string="Minimum Stay (days)")
    coverage_hysteresis_rate = fields.Float(string="Hysteresis")

    @api.model
    def default_get(self, fields_list):
        defaults = super().default_get(fields_list)
        settings = self.env.company._get_coverage_settings()
        return {
            **defaults,
            **{name: settings[name] for name in fields_list if name in settings},
        }

    def _segments(self):
        """Return one line per segment with its present values."""
        return [
            (
                0,
                0,
                {"segment_id": segment.id, **{n: segment[n] for n in SEGMENT_FIELDS}},
            )
            for segment in self.env["coverage.segment"].search([])
        ]

    def _levels(self):
        """Return one line per temperature with its present score."""
        return [
            (0, 0, {"temperature_id": level.id, "min_score": level.min_score})
            for level in self.env["coverage.temperature"].search([])
        ]

    def action_preview(self):
        """Work out what would move, and open the run that shows it.

        :raises UserError: when nothing differs from the present rules
        """
        self.ensure_one()
        what_if = self._get_what_if()
        if not what_if:
            raise UserError(
                self.env._("Nothing differs from the rules in force. Change a value.")
            )
        run = self.env["coverage.run"].create(
            {"company_id": self.company_id.id, "what_if": what_if}
        )
        run.action_plan()
        return open_form("coverage.run", run.id)

    def _get_what_if(self):
        """Return what differs from the present rules, as a run's what-if."""
        settings = self.company_id._get_coverage_settings()
        sections = {
            "company": {
                name: self[name]
                for name, value in settings.items()
                if self[name] != value
            },
            "segment": {},
            "temperature": {},
        }
        for line in self.segment_ids:
            values = {
                name: line[name]
                for name in SEGMENT_FIELDS
                if line[name] != line.segment_id[name]
            }
            if values:
                sections["segment"][line.segment_id.code] = values
        for line in self.level_ids:
            if line.min_score != line.temperature_id.min_score:
                sections["temperature"][line.temperature_id.code] = {
                    "min_score": line.min_score
                }
        return {name: values for name, values in sections.items() if values}


class CoverageWhatIfSegment(models.TransientModel):
    """A segment's values on paper."""

    _name = "coverage.what.if.segment"
    _description = "Segment on Paper"

    what_if_id = fields.Many2one("coverage.what.if", required=True, ondelete="cascade")
    segment_id = fields.Many2one("coverage.segment", required=True, readonly=True)
    typical_share = fields.Float(string="Typical Share of an A (%)")
    expected_yield_rate = fields.Float(string="Expected Yield")
    contact_interval_days = fields.Integer(string="Contact Every (days)")


class CoverageWhatIfLevel(models.TransientModel):
    """A temperature's first score on paper."""

    _name = "coverage.what.if.level"
    _description = "Temperature on Paper"

    what_if_id = fields.Many2one("coverage.what.if", required=True, ondelete="cascade")
    temperature_id = fields.Many2one(
        "coverage.temperature", required=True, readonly=True
    )
    min_score = fields.Float(string="From Score")
