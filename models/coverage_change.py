from odoo import api, fields, models

STATES = [
    ("planned", "Planned"),
    ("applied", "Applied"),
    ("outdated", "Outdated"),
    ("undone", "Undone"),
    ("kept", "Changed Since"),
    ("removed", "Taken Out"),
]
ORIGINS = [
    ("event", "Event"),
    ("job", "Nightly job"),
    ("run", "Preview"),
    ("hand", "By hand"),
    ("import", "Import"),
    ("undo", "Undo"),
]
REPLACED = ("date", "new_value", "new_label", "reason", "potential", "revenue_12m")
HAPPENED = "model = 'coverage.customer' AND state IN ('applied', 'undone', 'kept')"


class CoverageChange(models.Model):
    """One logged field of one record, with old and new value and the reason.

    Values are kept exactly (``old_value``: id or code, as text) for undo and as
    people read them (``old_label``). Money is that of the moment of the change.
    """

    _name = "coverage.change"
    _inherit = ["coverage.change.move"]
    _description = "Coverage Change"
    _order = "date desc, id desc"
    _rec_name = "field_label"

    customer_id = fields.Many2one(
        "coverage.customer", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
    currency_id = fields.Many2one(related="company_id.currency_id")
    run_id = fields.Many2one("coverage.run", index="btree_not_null", ondelete="cascade")
    date = fields.Datetime(required=True, default=fields.Datetime.now)
    model = fields.Char(required=True, default="coverage.customer")
    res_id = fields.Many2oneReference(model_field="model", required=True)
    field_name = fields.Char(required=True)
    field_label = fields.Char(compute="_compute_field_label", string="What")
    old_value = fields.Char()
    new_value = fields.Char()
    old_label = fields.Char(string="From")
    new_label = fields.Char(string="To")
    reason = fields.Json()
    reason_text = fields.Char(compute="_compute_reason_text", string="Why")
    state = fields.Selection(STATES, required=True, default="applied")
    origin = fields.Selection(ORIGINS, required=True, default="hand")
    user_id = fields.Many2one("res.users", string="Owner at That Time")
    author_id = fields.Many2one(
        "res.users",
        string="Changed by",
        default=lambda self: self.env.user,
    )
    potential = fields.Monetary()
    revenue_12m = fields.Monetary(string="Revenue (12 months)")

    _customer_date = models.Index("(customer_id, date DESC)")
    _former_owner = models.Index(
        "(old_value, date) WHERE field_name = 'user_id' AND model = 'coverage.customer'"
    )

    # read by coverage.history
    _happened_day = models.Index(f"(company_id, date) WHERE {HAPPENED}")
    _happened_value = models.Index(
        "(company_id, customer_id, field_name, date, id) INCLUDE (old_value) "
        f"WHERE {HAPPENED}"
    )
    _happened_money = models.Index(
        "(company_id, customer_id, date, id) INCLUDE (potential, revenue_12m) "
        f"WHERE {HAPPENED}"
    )

    @api.depends("model", "field_name")
    @api.depends_context("lang")
    def _compute_field_label(self):
        for change in self:
            known = self.env.get(change.model)  # its addon may be gone
            field = known._fields.get(change.field_name) if known is not None else None
            change.field_label = (
                field.get_description(self.env, ["string"])["string"]
                if field
                else change.field_name
            )

    @api.depends("reason", "field_name")
    @api.depends_context("lang")
    def _compute_reason_text(self):
        sentences = self.env["coverage.why"]
        for change in self:
            change.reason_text = sentences._get_reason_text(change)

    @api.model
    def _create_without_traces(self, vals_list):
        """Log these changes, leaving out those that take back one of the same day.

        The context's ``coverage_log`` may hold ``day_start``, the moment the company's
        day began (naive UTC): a move by an event, reversed on its own day by another,
        leaves no trace.
        """
        day_start = (self.env.context.get("coverage_log") or {}).get("day_start")
        reversible = [vals for vals in vals_list if vals["origin"] == "event"]
        if not day_start or not reversible:
            return self.create(vals_list)
        earlier = self.search(
            [
                ("customer_id", "in", [vals["customer_id"] for vals in reversible]),
                ("field_name", "in", [vals["field_name"] for vals in reversible]),
                ("origin", "=", "event"),
                ("date", ">=", day_start),
            ],
            order="date, id",
        )
        last = {
            (change.customer_id.id, change.field_name): change for change in earlier
        }
        to_create = []
        for vals in vals_list:
            change = last.get((vals["customer_id"], vals["field_name"]))
            if vals["origin"] != "event" or not change:
                to_create.append(vals)
            elif change.old_value == vals["new_value"]:
                change.unlink()
            else:
                change.write({key: vals[key] for key in REPLACED})
        return self.create(to_create)
