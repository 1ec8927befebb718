from odoo import api, fields, models


class CoverageChooseReceiver(models.TransientModel):
    """Gives customers of a plan to somebody whom a manager chooses.

    Proposes the best for the first of them, with reasons; limits do not bind here.
    """

    _name = "coverage.choose.receiver"
    _description = "Choose a Receiver"

    change_ids = fields.Many2many("coverage.change", string="Customers")
    company_id = fields.Many2one("res.company", compute="_compute_candidates")
    candidates = fields.Json(compute="_compute_candidates")
    left_out = fields.Json(compute="_compute_candidates")
    receiver_id = fields.Many2one(
        "res.users",
        string="Gets It",
        domain="[('share', '=', False), ('company_ids', '=', company_id)]",
    )

    @api.depends("change_ids")
    def _compute_candidates(self):
        candidates = self.env["coverage.candidate"]
        for dialog in self:
            customer = dialog.change_ids[:1].customer_id
            dialog.company_id = customer.company_id
            dialog.candidates = dialog.left_out = []
            if customer:
                asked = (*dialog._get_asked(customer), fields.Datetime.now())
                dialog.candidates = candidates._propose(*asked)[customer.id]
                dialog.left_out = candidates._explain_left_out(*asked)[customer.id]

    def _get_asked(self, customer):
        """Return company, customer, and who is asked: as in the plan itself."""
        company, role = customer.company_id, customer.role_id
        seniority = customer.rule_id.sudo().min_seniority
        if not self.env["coverage.candidate"]._has_roles(company):
            role, seniority = role.browse(), False
        return company, customer, role, seniority

    def action_choose(self):
        """Write the receiver into the plan."""
        self.change_ids._choose_receiver(self.receiver_id)
        return {"type": "ir.actions.act_window_close"}
