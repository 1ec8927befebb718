from odoo import api, fields, models
from odoo.exceptions import AccessError

from .coverage_cadence import SILENT


class CoverageMeetingDecision(models.Model):
    """What a group meeting decided: what, who, by when. Read again at the next one.

    Who has to do it finds it among his activities; done here or there, it is done.
    """

    _name = "coverage.meeting.decision"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _description = "Decision of a Group Meeting"
    _order = "is_done, date_deadline, id"

    meeting_id = fields.Many2one(
        "coverage.meeting", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="meeting_id.company_id", store=True)
    name = fields.Char(string="What", required=True)
    user_id = fields.Many2one(
        "res.users",
        string="Who",
        compute="_compute_user_id",
        store=True,
        readonly=False,
        required=True,
        precompute=True,
        index=True,
        domain="[('share', '=', False), ('company_ids', '=', company_id)]",
    )
    date_deadline = fields.Date(string="By")
    is_done = fields.Boolean(string="Done")
    done_date = fields.Date(readonly=True, string="Done on")
    result = fields.Char(help="What came of it, in a few words.")
    is_late = fields.Boolean(compute="_compute_is_late")
    meeting_start = fields.Datetime(related="meeting_id.start", string="Decided on")

    @api.depends("meeting_id")
    def _compute_user_id(self):
        for decision in self:
            decision.user_id = decision.user_id or decision.meeting_id.leader_id

    @api.depends("is_done", "date_deadline")
    def _compute_is_late(self):
        today = fields.Date.context_today(self)
        for decision in self:
            due = decision.date_deadline
            decision.is_late = bool(not decision.is_done and due and due < today)

    @api.model_create_multi
    def create(self, vals_list):
        quiet = self.with_context(
            **SILENT,
            mail_create_nosubscribe=True,
            mail_auto_subscribe_no_notify=True,
        )
        decisions = super(CoverageMeetingDecision, quiet).create(vals_list)
        decisions = decisions.with_env(self.env)
        decisions.sudo()._settle_activities()
        return decisions

    def write(self, vals):
        if "is_done" in vals:
            day = fields.Date.context_today(self) if vals["is_done"] else False
            vals = {"done_date": day, **vals}
        quiet = self.with_context(mail_auto_subscribe_no_notify=True, **SILENT)
        result = super(CoverageMeetingDecision, quiet).write(vals)
        if not {"is_done", "user_id", "date_deadline", "name"}.isdisjoint(vals):
            self.sudo()._settle_activities()
        return result

    # === ACTION METHODS === #

    def action_done(self):
        """Say that it is done: by whom it was to be done, or who leads."""
        self._check_doer()
        self.sudo().write({"is_done": True})
        return True

    def action_reopen(self):
        """Say that it is not done after all."""
        self._check_doer()
        self.sudo().write({"is_done": False})
        return True

    def action_open_meeting(self):
        """Open the meeting that decided it."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "coverage.meeting",
            "res_id": self.meeting_id.id,
            "views": [(False, "form")],
        }

    # === BUSINESS METHODS === #

    def _check_doer(self):
        """Raise unless these are one's own, or of meetings one leads."""
        self.check_access("read")
        others = self.filtered(lambda one: one.user_id != self.env.user)
        if others and not others.meeting_id.has_access("write"):
            raise AccessError(
                self.env._("Only %(name)s or the leader of the meeting can say so.")
                % {"name": ", ".join(others.user_id.mapped("name"))}
            )

    def _settle_activities(self):
        """Let each open decision be one to-do of its person, on its day; no mail."""
        activities = self.env["mail.activity"].sudo().with_context(**SILENT)
        self.activity_ids.with_context(**SILENT).unlink()
        kind = self.env.ref("mail.mail_activity_data_todo", raise_if_not_found=False)
        activities.create(
            [
                {
                    "res_model_id": self.env["ir.model"]._get_id(self._name),
                    "res_id": one.id,
                    "activity_type_id": kind.id if kind else False,
                    "automated": True,
                    "user_id": one.user_id.id,
                    "date_deadline": one.date_deadline
                    or fields.Date.context_today(self),
                    "summary": one.name,
                }
                for one in self
                if not one.is_done and one.user_id.active
            ]
        )

    def _note_done(self):
        """Note what somebody ticked off among his activities."""
        done = self.exists().filtered(lambda one: not one.is_done)
        done.sudo().write({"is_done": True})
