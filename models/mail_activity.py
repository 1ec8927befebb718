from odoo import fields, models


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

    _coverage_one_open = models.UniqueIndex(
        "(coverage_customer_id) WHERE active IS TRUE AND coverage_customer_id "
        "IS NOT NULL",
        "A contact with this customer is planned already.",
    )
