from odoo import api, fields, models
from odoo.exceptions import UserError

from ..core.rethink import LIVE
from .coverage_rethink import STATES
from .coverage_rethink_engine import BLUE


class CoverageRethought(models.AbstractModel):
    """What a customer shows of its rethink, and the button that opens one."""

    _name = "coverage.rethought"
    _description = "Rethought"

    rethink_ids = fields.One2many("coverage.rethink", "customer_id", string="Rethinks")
    rethink_id = fields.Many2one(
        "coverage.rethink", compute="_compute_rethink", compute_sudo=True
    )
    rethink_state = fields.Selection(
        STATES,
        string="State of the Rethink",
        compute="_compute_rethink",
        compute_sudo=True,
    )
    rethink_text = fields.Char(
        compute="_compute_rethink_text", compute_sudo=True, string="Next of the Rethink"
    )
    is_blue_top = fields.Boolean(
        string="Blue A Customer",
        compute="_compute_is_blue_top",
        compute_sudo=True,
        help="It could bring most, and brings little: cool or frozen.",
    )

    @api.depends("rethink_ids.state")
    def _compute_rethink(self):
        """Find the one under way, else the last one that came to a result."""
        for customer in self:
            rethinks = customer.rethink_ids.sorted("id", reverse=True)
            live = rethinks.filtered(lambda one: one.state in LIVE)
            judged = rethinks.filtered(lambda one: one.state == "closed")
            customer.rethink_id = (live or judged)[:1]
            customer.rethink_state = customer.rethink_id.state

    @api.depends("rethink_ids.state", "rethink_ids.user_id")
    @api.depends_context("lang")
    def _compute_rethink_text(self):
        for customer in self:
            rethink = customer.rethink_id
            customer.rethink_text = rethink.text if rethink.state in LIVE else False

    @api.depends("segment_id", "temperature_id")
    def _compute_is_blue_top(self):
        top = self.env["coverage.segment"]._get_rules(None)[0].key
        for customer in self:
            is_blue = customer.temperature_code in BLUE
            customer.is_blue_top = is_blue and customer.segment_id.id == top

    # === ACTION METHODS === #

    def action_rethink(self):
        """Open the rethink under way, or begin one; whose task it is answers at once.

        :raises UserError: for customers that are not a blue A
        """
        self.ensure_one()
        self.check_access("read")
        rethink = self.rethink_id.filtered(lambda one: one.state in LIVE)
        rethink = rethink.with_env(self.env) or self._begin_rethink()
        if rethink.state == "open" and rethink.user_id == self.env.user:
            return rethink.action_open_answer()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id(
                "crm_sales_coverage.coverage_rethink_action"
            ),
            "res_id": rethink.id,
            "views": [(False, "form")],
            "target": "current",
        }

    def action_confirm_rethink(self):
        """Confirm, as the leader, the rethink of this customer."""
        return self.rethink_id.with_env(self.env).action_confirm()

    def action_send_back_rethink(self):
        """Send the rethink of this customer back, as the leader."""
        return self.rethink_id.with_env(self.env).action_open_send_back()

    # === BUSINESS METHODS === #

    def _begin_rethink(self):
        """Open a rethink by hand: its owner may, or who leads the team.

        :raises UserError: says who may, or why there is nothing to rethink
        """
        guard = self.env["coverage.guard"]
        row = self.sudo()
        if row.accountable_user_id != self.env.user and not (
            guard._is_free() or guard._is_leader_of(row)
        ):
            raise UserError(
                self.env._(
                    "%(customer)s is not yours. Its owner or the team leader can "
                    "rethink it.",
                    customer=self.display_name,
                )
            )
        if not row.is_blue_top:
            raise UserError(
                self.env._(
                    "%(customer)s is not a blue A: there is nothing to rethink.",
                    customer=self.display_name,
                )
            )
        engine = self.env["coverage.rethink.engine"].sudo()
        row = guard._enter(self)
        opened = engine._open(row.company_id, row, fields.Datetime.now())
        return opened.with_env(self.env)
