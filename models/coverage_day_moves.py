from datetime import timedelta

from odoo import api, fields, models

from .opening import open_form

TOLD_DAYS = timedelta(days=7)
SHOWN = 4


class CoverageDayMoves(models.AbstractModel):
    """The summary on My Day of what plans gave a seller, and took: not a mail each."""

    _name = "coverage.day.moves"
    _description = "Changed Hands on My Day"

    def _get_moves(self, user):
        """Return what plans of the last week moved to a person, and away.

        :return: ``[{code, text, names, customer_ids}]``; ``code`` is ``taken`` or
            ``given``, of whose customers no ids are told
        """
        moves = self._find_moves(user)
        taken = moves.filtered(lambda one: one.new_value == str(user.id))
        return [
            line
            for code, group in (("taken", taken), ("given", moves - taken))
            if (line := self._tell_moves(code, group))
        ]

    def _find_moves(self, user):
        """Return the moves that concern a person; who gave no longer sees them."""
        return (
            self.env["coverage.change"]
            .sudo()
            .search(
                [
                    ("company_id", "=", self.env.company.id),
                    ("run_id.kind", "=", "assignment"),
                    ("state", "=", "applied"),
                    ("model", "=", "coverage.customer"),
                    ("field_name", "=", "user_id"),
                    ("date", ">=", fields.Datetime.now() - TOLD_DAYS),
                    "|",
                    ("new_value", "=", str(user.id)),
                    ("old_value", "=", str(user.id)),
                ],
                order="potential desc, id",
            )
        )

    def _tell_moves(self, code, moves):
        """Return one line for all that came or went; nothing for none."""
        if not moves:
            return None
        _, count = self.env._, len(moves)
        names = [
            one.customer_id.display_name
            if code == "taken"
            else f"{one.customer_id.display_name} → {one.new_label}"
            for one in moves[:SHOWN]
        ]
        if count > SHOWN:
            names.append(_("%(count)s more", count=count - SHOWN))
        texts = {
            "taken": _("New customers of yours: %(count)s", count=count),
            "given": _("Customers that went to others: %(count)s", count=count),
        }
        return {
            "code": code,
            "text": texts[code],
            "names": ", ".join(names),
            "customer_ids": moves.customer_id.ids if code == "taken" else [],
        }

    @api.model
    def action_open_moves(self, customer_ids):
        """Open the customers that came; only those that the user may see."""
        if len(customer_ids) == 1:
            return open_form("coverage.customer", customer_ids[0])
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_sales_coverage.coverage_customer_action"
        )
        return {**action, "domain": [("id", "in", customer_ids)], "context": {}}
