from odoo import api, fields, models
from odoo.exceptions import UserError

from ..core.meeting import LEAST, MOST
from ..models.opening import open_form


class CoveragePlanMeeting(models.TransientModel):
    """Plans a group meeting about chosen customers: their owners come."""

    _name = "coverage.plan.meeting"
    _description = "Plan a Group Meeting"

    customer_ids = fields.Many2many("coverage.customer", string="Customers")
    company_id = fields.Many2one(
        "res.company", compute="_compute_people", store=True, precompute=True
    )
    name = fields.Char(string="Topic", required=True)
    leader_id = fields.Many2one(
        "res.users",
        string="Led by",
        compute="_compute_people",
        store=True,
        readonly=False,
        precompute=True,
        domain="[('share', '=', False), ('company_ids', '=', company_id)]",
    )
    member_ids = fields.Many2many(
        "res.users",
        string="Who Comes",
        compute="_compute_people",
        store=True,
        readonly=False,
        precompute=True,
        domain="[('share', '=', False), ('company_ids', '=', company_id)]",
    )
    start = fields.Datetime(
        string="Begins",
        required=True,
        default=lambda self: self.env["coverage.meeting"]._get_next_start(),
    )
    duration_hours = fields.Float(string="Takes", required=True, default=1.0)
    hint = fields.Char(compute="_compute_hint")

    @api.depends("customer_ids")
    def _compute_people(self):
        """Propose the owners of the customers, and the leader of most of them."""
        for wizard in self:
            customers = wizard.customer_ids
            wizard.company_id = customers[:1].company_id or self.env.company
            wizard.leader_id = self.env.user
            owners = customers.user_id.filtered("active")
            wizard.member_ids = owners - wizard.leader_id or owners

    @api.depends("member_ids", "leader_id")
    def _compute_hint(self):
        for wizard in self:
            count = len(wizard.member_ids - wizard.leader_id)
            wizard.hint = ""
            if count > MOST:
                wizard.hint = self.env._(
                    "%(count)s people: who is to learn from each other meets in groups "
                    "of 3 to 7. Leave some out, and plan a second meeting.",
                    count=count,
                )
            elif count < LEAST:
                wizard.hint = self.env._(
                    "Fewer than three people: there is little to compare. Invite "
                    "colleagues with similar customers."
                )

    def action_plan(self):
        """Create the meeting with its event, and open it.

        :raises UserError: without anybody to come, or for customers of two companies
        """
        self.ensure_one()
        self.customer_ids.check_access("read")
        if len(self.customer_ids.company_id) > 1:
            raise UserError(
                self.env._("These customers are of several companies. Choose one's.")
            )
        if not self.member_ids:
            raise UserError(self.env._("Choose who comes."))
        meeting = self.env["coverage.meeting"].create(self._prepare_meeting())
        return open_form("coverage.meeting", meeting.id)

    def _prepare_meeting(self):
        """Return the values of the meeting; its team is the customers', else one's."""
        teams = self.customer_ids.team_id
        if len(teams) != 1:
            led = [("user_id", "=", self.env.uid)]
            teams = self.env["crm.team"].search(led, limit=1)
        return {
            "name": self.name,
            "company_id": self.company_id.id,
            "team_id": teams.id,
            "leader_id": self.leader_id.id,
            "member_ids": self.member_ids.ids,
            "customer_ids": self.customer_ids.ids,
            "start": self.start,
            "duration_hours": self.duration_hours,
        }
