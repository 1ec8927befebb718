from odoo import api, fields, models
from odoo.exceptions import UserError

from .coverage_touch import CHANNELS


class CoverageOutcome(models.Model):
    """How a contact ended: whether the customer took part, and what comes next.

    ``code`` is what telephone systems and the addon itself go by; the rest belongs to
    the administrator.
    """

    _name = "coverage.outcome"
    _description = "Contact Outcome"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    code = fields.Char(
        readonly=True,
        help="What telephone systems report. Outcomes of your own have none.",
    )
    is_two_way = fields.Boolean(
        string="Customer Took Part",
        help="Without it the contact is an attempt and keeps no rhythm.",
    )
    is_refusal = fields.Boolean(
        string="Refused",
        help="Asks for the reason, which the statistics of refusals count.",
    )
    is_email = fields.Boolean(
        string="For E-mail and Messages",
        help="Offered for e-mails and messages, too.",
    )

    # the next step it suggests
    next_days = fields.Integer(
        string="Next Step In (days)",
        help="0: the rhythm of the segment says when.",
    )
    next_channel = fields.Selection(CHANNELS, string="Next Step")
    next_summary = fields.Char(translate=True, string="What to Do Next")

    _code_unique = models.UniqueIndex(
        "(code) WHERE code IS NOT NULL",
        "Another outcome has this code already.",
    )
    _days_not_negative = models.Constraint(
        "CHECK (next_days >= 0)",
        "The next step cannot lie in the past: enter 0 days or more.",
    )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_coded(self):
        if coded := self.filtered("code"):
            raise UserError(
                self.env._(
                    "Telephone systems report “%(name)s”. Archive it instead.",
                    name=coded[0].name,
                )
            )

    @api.model
    def _get_by_code(self, code):
        """Return the outcome of a code, archived or not; empty for None."""
        domain = [("code", "=", code or "")]
        return self.sudo().with_context(active_test=False).search(domain, limit=1)
