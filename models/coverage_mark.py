from odoo import fields, models


class CoverageMark(models.Model):
    """A note that a customer awaits its refresh.

    Left by an event that found the customer's row locked, so that nobody who sells
    waits for us. Only inserted and deleted, never updated: marks cannot collide.
    Not for people: administrators may look, the refresh job alone writes and deletes.
    """

    _name = "coverage.mark"
    _description = "Customer Awaiting Refresh"
    _log_access = False

    partner_id = fields.Many2one("res.partner", required=True, ondelete="cascade")
    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
