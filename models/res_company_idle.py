from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..core.idle import USUAL_DAYS

WARNINGS = tuple(f"coverage_idle_warning_{number}_days" for number in (1, 2, 3))
DAYS = (
    "coverage_idle_observe_days",
    "coverage_idle_prospect_days",
    "coverage_idle_lead_days",
)
OUTCOMES = [
    ("nurture", "Back to nurturing"),
    ("pool", "Free for anybody"),
]


class ResCompany(models.Model):
    _inherit = "res.company"

    coverage_idle_date = fields.Date(
        string="Idle Customers Since",
        help="The day on which it was switched on. No silence counts from before.",
    )
    coverage_idle_observe_days = fields.Integer(
        string="Observe (days)",
        default=30,
        help="So long after it is switched on nobody is warned or taken away; the "
        "preview says what would have happened.",
    )
    coverage_idle_warning_1_days = fields.Integer(
        string="First Warning",
        default=14,
        help="The owner is warned this many days before a customer leaves.",
    )
    coverage_idle_warning_2_days = fields.Integer(
        string="Second Warning",
        default=7,
        help="The owner is warned again; owners of leads for the first time.",
    )
    coverage_idle_warning_3_days = fields.Integer(
        string="Last Warning",
        default=1,
        help="The last warning, which the team leader gets too.",
    )
    coverage_idle_prospect_days = fields.Integer(
        string="Prospects Leave After (days)",
        default=45,
        help="Who never bought leaves its owner after so many days without contact. 0: "
        "after those of its segment.",
    )
    coverage_idle_prospect_outcome = fields.Selection(
        OUTCOMES,
        string="Neglected Prospects",
        required=True,
        default="nurture",
        help="What becomes of them. Where nobody there nurtures, they are free.",
    )
    coverage_idle_lead_days = fields.Integer(
        string="Leads Leave After (days)",
        default=21,
        help="A lead whose customer never bought is released after so many days "
        "without a step: no new stage, no activity done or planned, no contact. 0: "
        "never.",
    )
    coverage_idle_lead_outcome = fields.Selection(
        OUTCOMES,
        string="Neglected Leads",
        required=True,
        default="pool",
        help="What becomes of them. They keep their team.",
    )

    # how long deals take here, found out every night
    coverage_idle_quote_days = fields.Integer(
        default=USUAL_DAYS,
        export_string_translation=False,
        help="Younger quotations protect their customer.",
    )
    coverage_idle_deal_days = fields.Integer(
        default=USUAL_DAYS,
        export_string_translation=False,
        help="Younger opportunities protect their customer.",
    )

    @api.constrains(*WARNINGS, *DAYS)
    def _check_idle_settings(self):
        for company in self:
            days = company._get_coverage_warning_days()
            if not days[0] > days[1] > days[2] > 0:
                raise ValidationError(
                    self.env._(
                        "Each warning must come nearer to the day on which the "
                        "customer leaves, the last one at least 1 day before: 14, 7 "
                        "and 1 days, say."
                    )
                )
            if any(company[name] < 0 for name in DAYS):
                raise ValidationError(
                    self.env._(
                        "The days of idle customers cannot be negative. Use 0 to "
                        "switch a term off."
                    )
                )

    def _get_coverage_warning_days(self):
        """Return how many days before the end each warning is given."""
        self.ensure_one()
        return tuple(self[name] for name in WARNINGS)

    def _is_coverage_observed(self, today):
        """Return whether neglect is only observed here, or not even that."""
        on = self.coverage_idle_date
        return not on or (today - on).days < self.coverage_idle_observe_days
