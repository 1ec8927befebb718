from odoo import api, fields, models

SETTLING = {
    "leave_alone_until",
    "order_kept_since",
    "owned_since",
    "protected_until",
    "retry_since",
    "user_id",
}
MARKS = (  # in the order of the core's
    "idle_warning_level",
    "idle_warning_date",
    "idle_date",
    "idle_since",
    "missing_order_since",
)


class CoverageNeglect(models.AbstractModel):
    """What neglect makes of a customer: warnings, the day it leaves, and why."""

    _name = "coverage.neglect"
    _description = "Neglect of a Customer"

    idle_since = fields.Date(
        readonly=True,
        copy=False,
        help="Neglected, and its owner was warned in vain: since this day it may be "
        "given to somebody else.",
    )
    idle_warning_level = fields.Integer(
        string="Warnings",
        readonly=True,
        copy=False,
        aggregator=None,
        help="How many of the three warnings its owner got. A contact in which the "
        "customer takes part ends them.",
    )
    idle_warning_date = fields.Date(string="Warned on", readonly=True, copy=False)
    idle_date = fields.Date(
        string="Leaves on",
        readonly=True,
        copy=False,
        help="On this day it may be given to somebody else, unless the customer is "
        "spoken to before.",
    )
    missing_order_since = fields.Date(
        string="Orders Missing Since",
        readonly=True,
        copy=False,
        help="It has not ordered for longer than its segment allows; the leader "
        "decides what becomes of it.",
    )
    order_kept_since = fields.Date(
        string="Left With Its Owner Since",
        readonly=True,
        copy=False,
        help="The leader left it with its owner although it does not order: missing "
        "orders count from this day.",
    )
    idle_days_left = fields.Integer(
        string="Days Left", compute="_compute_idle_text", aggregator=None
    )
    idle_text = fields.Char(
        string="At Risk",
        compute="_compute_idle_text",
        help="When it leaves its owner, and why.",
    )

    _idle_owner = models.Index("(user_id, idle_date) WHERE idle_warning_level > 0")
    _idle_company = models.Index("(company_id) WHERE idle_since IS NOT NULL")
    _missing_orders = models.Index("(company_id) WHERE missing_order_since IS NOT NULL")

    @api.depends("idle_warning_level", "idle_date", "user_id", "last_contact_date")
    @api.depends_context("uid", "lang")
    def _compute_idle_text(self):
        """Say when those leave whose owners are warned, by a decision of now."""
        self.idle_days_left = self.idle_text = False
        warned = self.filtered("idle_warning_level")
        for company, customers in warned.sudo().grouped("company_id").items():
            told = self.env["coverage.idle"]._tell_listed(
                company, customers, fields.Datetime.now()
            )
            for customer in customers.sudo(self.env.su):
                days, text = told[customer._origin.id]
                customer.idle_days_left, customer.idle_text = days or 0, text

    def write(self, vals):
        """Let what ends warnings end them at once."""
        result = super().write(vals)
        if not SETTLING.isdisjoint(vals):
            self.env["coverage.idle"]._settle(self.sudo())
        return result

    # === ACTION METHODS === #

    def action_keep_with_owner(self):
        """Leave these customers, as the leader, with owners to whom they do not order.

        They are asked about again after another term.
        """
        self._check_leader()
        for company, customers in self.sudo().grouped("company_id").items():
            today = company._get_coverage_today(fields.Datetime.now())
            customers.order_kept_since = today
        return True
