from odoo import api, fields, models

from ..models.opening import open_form


class CoverageSwitch(models.AbstractModel):
    """The preview of a scheduled job, with the switch that turns it on and off.

    What inherits it says which job (``_cron``) and what it is called.
    """

    _name = "coverage.switch"
    _description = "Preview of a Scheduled Job"

    _cron = None  # XML id

    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    is_active = fields.Boolean(compute="_compute_is_active")
    summary = fields.Json(compute="_compute_summary")

    @api.depends("company_id")
    def _compute_display_name(self):
        for preview in self:
            preview.display_name = self._get_title()

    def _compute_is_active(self):
        self.is_active = self.env.ref(self._cron).sudo().active

    @api.depends("company_id")
    def _compute_summary(self):
        for preview in self:
            preview.summary = preview._get_summary(fields.Datetime.now())

    # === ACTION METHODS === #

    @api.model
    def action_preview(self):
        """Open the preview of the company one works in."""
        return {
            **open_form(self._name, self.create({}).id),
            "name": self._get_title(),
        }

    def action_switch_on(self):
        """Switch the job on: it runs now, and from now on by itself."""
        self.check_access("write")
        cron = self.env.ref(self._cron).sudo()
        cron.active = True
        cron._trigger()
        return True

    def action_switch_off(self):
        """Switch the job off; what it began stays."""
        self.check_access("write")
        self.env.ref(self._cron).sudo().active = False
        return True

    # === HOOKS === #

    def _get_title(self):
        """Return the name of what is switched, as people read it."""
        return ""

    def _get_summary(self, now):
        """Return what the job would do at this moment, as plain data."""
        return {}
