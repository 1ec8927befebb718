from odoo import models


class CoverageTouch(models.Model):
    """The ledger as the reports read it: two-way contacts from an index alone."""

    _inherit = "coverage.touch"

    _known_by = models.Index(
        "(customer_id, user_id, date) WHERE is_two_way AND is_counted AND active"
    )
