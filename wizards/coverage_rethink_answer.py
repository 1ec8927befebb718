from odoo import api, fields, models

KINDS = [("answer", "Answer"), ("send_back", "Send Back")]


class CoverageRethinkAnswer(models.TransientModel):
    """Asks the owner what changes with a blue A, or the leader what is missing."""

    _name = "coverage.rethink.answer"
    _description = "Answer to a Rethink"

    rethink_id = fields.Many2one("coverage.rethink", required=True)
    customer_id = fields.Many2one(related="rethink_id.customer_id")
    kind = fields.Selection(KINDS, required=True, default="answer")
    why = fields.Json(related="customer_id.why")
    return_reason = fields.Char(related="rethink_id.return_reason")
    former_reason = fields.Text(related="rethink_id.reason", string="Why It Cooled")
    former_change = fields.Text(related="rethink_id.change", string="What Changes")
    former_date = fields.Date(related="rethink_id.change_date", string="By When")
    reason = fields.Text(
        string="Why did it cool?",
        compute="_compute_answer",
        readonly=False,
        store=True,
    )
    change = fields.Text(
        string="What changes?", compute="_compute_answer", readonly=False, store=True
    )
    change_date = fields.Date(
        string="By when?", compute="_compute_answer", readonly=False, store=True
    )
    missing = fields.Char(string="What is missing?")

    @api.depends("rethink_id")
    def _compute_answer(self):
        """Offer what was answered before it was sent back."""
        for wizard in self:
            for name in ("reason", "change", "change_date"):
                wizard[name] = wizard.rethink_id[name]

    def action_answer(self):
        """Answer, or send back, with what was entered."""
        self.ensure_one()
        if self.kind == "send_back":
            self.rethink_id.action_send_back(self.missing)
        else:
            self.rethink_id.action_answer(self.reason, self.change, self.change_date)
        return {"type": "ir.actions.act_window_close"}
