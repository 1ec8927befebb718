from datetime import UTC, datetime, time, timedelta

from odoo import api, fields, models

from .coverage_cadence import SILENT

# the calendar's own switches: no invitation, no reminder, no change is mailed
UNMAILED = {
    **SILENT,
    "dont_notify": True,
    "no_mail_to_attendees": True,
    "skip_attendee_notification": True,
    "skip_contact_description": True,
    "mail_create_nosubscribe": True,
    "mail_notrack": True,
}
FOLLOWED = {"name", "start", "duration_hours", "leader_id", "member_ids", "state"}


class CoverageMeetingEvent(models.AbstractModel):
    """When a group meeting is, kept by its event in Odoo's calendar, both ways.

    Who moves the event in the calendar moves the meeting; who changes the meeting
    changes the event, without a mail to anybody.
    """

    _name = "coverage.meeting.event"
    _description = "Calendar Event of a Group Meeting"

    event_id = fields.Many2one(
        "calendar.event", readonly=True, index="btree_not_null", ondelete="set null"
    )
    start = fields.Datetime(
        string="Begins",
        compute="_compute_start",
        store=True,
        readonly=False,
        required=True,
        precompute=True,
    )
    duration_hours = fields.Float(
        string="Takes",
        compute="_compute_start",
        store=True,
        readonly=False,
        precompute=True,
    )
    stop = fields.Datetime(compute="_compute_stop", string="Ends")

    @api.depends("event_id.start", "event_id.duration")
    def _compute_start(self):
        for meeting in self:
            event = meeting.event_id
            meeting.start = event.start or meeting.start or self._get_next_start()
            meeting.duration_hours = event.duration or meeting.duration_hours or 1.0

    @api.depends("start", "duration_hours")
    def _compute_stop(self):
        for meeting in self:
            meeting.stop = meeting.start and meeting._get_stop()

    def _follow_change(self, vals):
        """Change the events with what was written on their meetings."""
        if not FOLLOWED.isdisjoint(vals):
            self._settle_events()

    def _settle_events(self):
        """Create the events that are missing, and write what differs on the others."""
        events = self.env["calendar.event"].sudo().with_context(**UNMAILED)
        fresh = self.filtered(lambda one: not one.event_id and one.state != "cancelled")
        created = events.create([one._prepare_event() for one in fresh])
        for meeting, event in zip(fresh, created, strict=True):
            meeting.event_id = event
        for meeting in (self - fresh).filtered("event_id"):
            event = meeting.event_id.sudo().with_context(**UNMAILED)
            if vals := meeting._get_changes(event):
                event.write(vals)

    def _prepare_event(self):
        """Return the values of the event behind this meeting."""
        return {
            **self._prepare_shared(),
            "partner_ids": [(6, 0, self._get_partners().ids)],
            "res_model_id": self.env["ir.model"]._get_id(self._name),
            "res_id": self.id,
            "alarm_ids": [],
            "activity_ids": [],
        }

    def _prepare_shared(self):
        return {
            "name": self.name,
            "start": self.start,
            "stop": self._get_stop(),
            "user_id": self.leader_id.id,
            "active": self.state != "cancelled",
        }

    def _get_changes(self, event):
        """Return what of the event is no longer as on the meeting."""
        vals = {
            name: value
            for name, value in self._prepare_shared().items()
            if (event[name].id if name == "user_id" else event[name]) != value
        }
        partners = self._get_partners()
        if event.partner_ids != partners:
            vals["partner_ids"] = [(6, 0, partners.ids)]
        return vals

    def _get_partners(self):
        """Return who is invited: the members and the leader, nobody else."""
        return (self.member_ids | self.leader_id).partner_id

    def _get_stop(self):
        return self.start + timedelta(hours=self.duration_hours or 1.0)

    @api.model
    def _get_next_start(self):
        """Return a moment for who has not chosen one: in a week, at ten of his own.

        A weekend waits for its Monday.
        """
        day = fields.Date.context_today(self) + timedelta(days=7)
        if day.isoweekday() > 5:
            day += timedelta(days=8 - day.isoweekday())
        ten = self.env.tz.localize(datetime.combine(day, time(10)))
        return ten.astimezone(UTC).replace(tzinfo=None)
