from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..core.handoff import parse_looks
from .coverage_role import SENIORITIES

TRIGGERS = [
    ("lifecycle", "Lifecycle became"),
    ("orders", "Order confirmed, the nth"),
    ("amount", "Revenue reached"),
    ("stage", "Lead entered a stage of another role"),
    ("lost", "Opportunity was lost"),
]


class CoverageHandoffPolicy(models.Model):
    """When a customer or lead must change hands, by when, and what if it does not.

    Policies are read by ``ir_cron_handoff``; the first one that fits a customer wins.
    """

    _name = "coverage.handoff.policy"
    _inherit = ["coverage.handoff.policy.words"]
    _description = "Handoff Policy"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", help="Empty: all companies.", ondelete="cascade"
    )
    team_ids = fields.Many2many(
        "crm.team", string="Sales Teams", help="Of the giver. Empty: all."
    )

    # what starts it
    trigger = fields.Selection(TRIGGERS, required=True, default="lifecycle")
    lifecycle = fields.Selection(
        [("new", "New"), ("regular", "Regular"), ("sleeping", "Sleeping")],
        default="regular",
    )
    order_count = fields.Integer(
        string="Order Days", default=3, help="Several orders on one day count as one."
    )
    amount = fields.Monetary(
        string="Revenue", help="Revenue of the last 12 months that keeps a customer."
    )
    currency_id = fields.Many2one(
        "res.currency", default=lambda self: self.env.company.currency_id
    )

    # to whom
    role_id = fields.Many2one(
        "coverage.role",
        string="To Role",
        ondelete="restrict",
        help="Empty: the role that the rules of who covers whom name.",
    )
    min_seniority = fields.Selection(SENIORITIES, string="At Least")

    # deadlines, in working days of the company
    handover_days = fields.Integer(
        string="Hand Over Within",
        default=5,
        help="Working days that the giver has to offer the customer.",
    )
    accept_days = fields.Integer(
        string="Accept Within",
        default=2,
        help="Working days that the receiver has to answer.",
    )
    reminder_days = fields.Integer(
        string="Remind Before",
        default=1,
        help="Working days before a deadline. 0: no reminder.",
    )
    on_giver_late = fields.Selection(
        [("transfer", "Transfer anyway"), ("leader", "Call the leader")],
        string="Not Handed Over",
        required=True,
        default="transfer",
    )
    on_receiver_late = fields.Selection(
        [
            ("next", "Offer to the next"),
            ("transfer", "Transfer anyway"),
            ("leader", "Call the leader"),
        ],
        string="Not Answered",
        required=True,
        default="next",
    )
    max_per_giver = fields.Integer(
        string="A Day and Giver",
        default=3,
        help="No more than this many are begun a day for one giver; the rest wait.",
    )

    # afterwards
    watch_deal_count = fields.Integer(
        string="Watched Deals",
        default=3,
        help="The giver watches this many of the receiver's first deals. 0: none.",
    )
    look_days = fields.Char(
        string="Looks Back After (days)",
        default="30, 60, 90",
        help="Then the giver looks at the customer again after this many days.",
    )
    handback_days = fields.Integer(
        string="Hand Back Within (days)",
        default=90,
        help="So long the receiver may hand the customer back. 0: never.",
    )
    retry_days = fields.Integer(
        string="Try Again After (days)",
        default=90,
        help="A prospect whose opportunity was lost is spoken to again after this.",
    )

    _days_not_negative = models.Constraint(
        "CHECK (handover_days >= 1 AND accept_days >= 1 AND reminder_days >= 0 AND "
        "watch_deal_count >= 0 AND handback_days >= 0 AND retry_days >= 0 AND "
        "max_per_giver >= 1 AND order_count >= 1 AND amount >= 0)",
        "Deadlines, order days and handoffs a day are at least 1; other numbers cannot "
        "be negative.",
    )

    @api.constrains("look_days")
    def _check_look_days(self):
        for policy in self:
            try:
                parse_looks(policy.look_days)
            except ValueError:
                raise ValidationError(
                    self.env._(
                        "“%(days)s” are not days to look back after. Enter whole "
                        "numbers with commas between, such as 30, 60, 90.",
                        days=policy.look_days,
                    )
                ) from None
