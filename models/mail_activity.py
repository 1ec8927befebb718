from odoo import fields, models

from .coverage_sources import DOCUMENTS


class MailActivity(models.Model):
    """A contact that the rhythm planned: one open activity per customer."""

    _inherit = "mail.activity"

    coverage_customer_id = fields.Many2one(
        "coverage.customer",
        string="Planned for Customer",
        index="btree_not_null",
        ondelete="set null",
        help="Planned by the contact rhythm; closed by any contact with the customer.",
    )
    coverage_touch_id = fields.Many2one(
        "coverage.touch",
        string="Done by Contact",
        index="btree_not_null",
        ondelete="set null",
        help="Open again when this contact is withdrawn.",
    )

    _coverage_one_open = models.UniqueIndex(
        "(coverage_customer_id) WHERE active IS TRUE AND coverage_customer_id "
        "IS NOT NULL",
        "A contact with this customer is planned already.",
    )

    def _action_done(self, feedback=False, attachment_ids=None):
        """Let the ledger read what was done when all of it is written.

        Odoo posts the message first, and keeps feedback and day afterwards.
        """
        messages, activities = super()._action_done(
            feedback=feedback, attachment_ids=attachment_ids
        )
        if not self.env.context.get("coverage_no_touch"):
            done = messages.filtered(lambda message: message.model in DOCUMENTS)
            self.env["coverage.ledger"]._queue("activity", done.ids)
        return messages, activities
