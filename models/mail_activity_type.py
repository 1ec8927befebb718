from odoo import fields, models

from .coverage_touch import CHANNELS


class MailActivityType(models.Model):
    """Which activities are contacts with a customer."""

    _inherit = "mail.activity.type"

    coverage_channel = fields.Selection(
        CHANNELS,
        string="Is a Contact by",
        help="When it is marked done, a contact of this kind is noted. Empty: it is no "
        "contact with the customer.",
    )
