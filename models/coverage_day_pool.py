from odoo import models
from odoo.tools import format_datetime


class CoverageDayPool(models.AbstractModel):
    """The pool on My Day: what waits for an answer, else that there is room."""

    _name = "coverage.day.pool"
    _description = "The Pool on My Day"

    def _get_pool(self, now):
        """Return what the pool has for the user; nothing is offered by looking.

        :return: ``{"text", "is_waiting"}``, or False where it has nothing for him
        """
        user, company = self.env.user, self.env.company
        claim = self.env["coverage.claim"].search(
            [
                ("user_id", "=", user.id),
                ("company_id", "=", company.id),
                ("state", "=", "offered"),
                ("until_date", ">", now),
                ("customer_id", "!=", False),
            ],
            limit=1,
        )
        if claim:
            return {"text": self._tell_waiting(claim), "is_waiting": True}
        count, is_any = self.env["coverage.pool"]._get_room(user, company, now)
        if not is_any or count == 0:
            return False
        return {"text": self._tell_room(count), "is_waiting": False}

    def _get_covers(self, user):
        """Return for whom a person covers now, until when, and how many customers.

        :return: ``[{"id", "text"}]``
        """
        groups = (
            self.env["coverage.absence.line"]
            .sudo()
            ._read_group(
                [
                    ("cover_id", "=", user.id),
                    ("company_id", "=", self.env.company.id),
                    ("state", "=", "covered"),
                ],
                ["absence_id"],
                ["__count"],
            )
        )
        return [
            {
                "id": absence.id,
                "text": self.env._(
                    "Covers for %(name)s until %(date)s. Customers: %(count)s.",
                    name=absence.user_id.name,
                    date=absence._tell_until(),
                    count=count,
                ),
            }
            for absence, count in groups
        ]

    def _tell_waiting(self, claim):
        until = format_datetime(self.env, claim.until_date, dt_format="EEEE HH:mm")
        return self.env._(
            "%(customer)s is held for you until %(time)s.",
            customer=claim.subject_name,
            time=until,
        )

    def _tell_room(self, count):
        if count is None:
            return self.env._("The pool has a customer for you.")
        if count == 1:
            return self.env._("You have room for one more customer.")
        return self.env._("You have room for %(count)s more customers.", count=count)
