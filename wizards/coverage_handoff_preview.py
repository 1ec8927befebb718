from odoo import api, fields, models
from odoo.tools import format_date, groupby


class CoverageHandoffPreview(models.TransientModel):
    """What the handoff policies would begin, before they are switched on.

    Per giver: which customers, to whom, and why; what waits, and whom nobody could
    take over.
    """

    _name = "coverage.handoff.preview"
    _inherit = ["coverage.switch"]
    _description = "Preview of the Handoffs"

    _cron = "crm_sales_coverage.ir_cron_handoff"

    policy_count = fields.Integer(compute="_compute_policy_count")

    @api.depends("company_id")
    def _compute_policy_count(self):
        for preview in self:
            preview.policy_count = self.env["coverage.handoff.policy"].search_count(
                [("company_id", "in", (False, preview.company_id.id))]
            )

    # === ACTION METHODS === #

    def action_open_policies(self):
        """Open the policies."""
        return self.env["ir.actions.act_window"]._for_xml_id(
            "crm_sales_coverage.coverage_handoff_policy_action"
        )

    # === SUMMARY === #

    def _get_summary(self, now):
        """Return what would begin: ``count``, ``givers``, ``waiting`` and ``nobody``.

        ``givers``: ``[{id, name, count, lines}]``, who has most to give first.
        """
        self.company_id.check_access("read")
        engine = self.env["coverage.handoff.engine"].sudo()
        preview = engine._preview_handoffs(self.company_id, now)
        givers = []
        for giver_id, found in groupby(
            preview["lines"], key=lambda one: one["giver_id"] or 0
        ):
            givers.append(
                {
                    "id": giver_id,
                    "name": found[0]["giver"] or self.env._("Nobody"),
                    "count": sum(line["count"] for line in found),
                    "lines": [self._tell_line(line) for line in found],
                }
            )
        givers.sort(key=lambda one: (-one["count"], one["id"]))
        today = self.company_id._get_coverage_today(now)
        return {
            "date": format_date(self.env, today, date_format="d MMMM"),
            "count": preview["count"],
            "givers": givers,
            "waiting": preview["waiting"],
            "nobody": [self._tell_line(line) for line in preview["nobody"]],
        }

    def _tell_line(self, line):
        """Return a line whose names say how many more there are."""
        names = ", ".join(line["names"])
        if more := line["count"] - len(line["names"]):
            names = self.env._("%(names)s and %(count)s more", names=names, count=more)
        return {**line, "names": names}

    def _get_title(self):
        return self.env._("Handoffs")
