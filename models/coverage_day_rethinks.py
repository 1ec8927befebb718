from datetime import timedelta

from odoo import fields, models
from odoo.fields import Domain

TOLD_DAYS = timedelta(days=7)  # so long a result stays on the screen


class CoverageDayRethinks(models.AbstractModel):
    """The rethinks of My Day: which blue A customers wait for an answer, by when."""

    _name = "coverage.day.rethinks"
    _description = "Rethinks of My Day"

    def _get_rethinks(self, user):
        """Return what a person has to rethink, the first due first, then new results.

        :return: ``[{id, customer_id, name, badge, temperature, state, text, is_late}]``
        """
        company = self.env.company
        today = company._get_coverage_today(fields.Datetime.now())
        rethinks = self.env["coverage.rethink"].search(
            Domain("user_id", "=", user.id)
            & Domain("company_id", "=", company.id)
            & (
                Domain("state", "=", "open")
                | (
                    Domain("state", "=", "closed")
                    & Domain("closed_date", ">", today - TOLD_DAYS)
                )
            ),
            order="closed_date DESC, date_deadline, id",
        )
        return [
            {
                "id": one.id,
                "customer_id": one.customer_id.id,
                "name": one.customer_id.partner_id.sudo().display_name,
                "badge": one.badge,
                "temperature": one.temperature_code or "",
                "state": one.state,
                "text": one.text,
                "is_late": one.is_late,
            }
            for one in rethinks.sorted(lambda one: one.state == "closed")
        ]
