from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from .coverage_history import AS_OF, HAPPENED, MONEY


class CoverageMapTile(models.AbstractModel):
    """What a tile of the map tells of its customer: today, or of a past day."""

    _name = "coverage.map.tile"
    _description = "Tile of the Map"

    @api.model
    def _get_tile(self, customer, day):
        """Return the tile of one customer; see ``coverage.customer.get_map_tile``."""
        company = customer.company_id.sudo()
        today = company._get_coverage_today(fields.Datetime.now())
        first = self.env["coverage.history"]._get_first_day(company)
        day = self.env["coverage.map"]._check_day(day, first, today) or today
        if day < today:
            state, why = self._collect_past(customer, day)
        else:
            state, why = self._collect_today(customer)
        return {
            **self._describe(customer),
            **self._tell_state(customer, state),
            "why": why,
            "day": str(day),
        }

    def _collect_today(self, customer):
        """Return what the customer is today, and why it is as warm as that."""
        state = {name: customer[name] for name in (*AS_OF, *MONEY)}
        reasons = customer.get_why()["reasons"]
        return state, reasons[-1]["text"]

    def _collect_past(self, customer, day):
        """Return what the customer was, and the reason of the change that led there."""
        history = self.env["coverage.history"]
        history._flush_history()
        source = SQL("(SELECT * FROM coverage_customer WHERE id = %s)", customer.id)
        company = customer.company_id
        query = history._query_as_of(company, day, source=source)
        rows = self.env.execute_query_dict(query)
        if not rows:
            raise UserError(
                self.env._(
                    "%(customer)s was no customer yet on %(day)s.",
                    customer=customer.display_name,
                    day=day,
                )
            )
        state = {
            name: self._read(customer._fields[name], value)
            for name, value in rows[0].items()
            if name != "id"
        }
        change = self.env["coverage.change"].search(
            [
                ("customer_id", "=", customer.id),
                ("model", "=", "coverage.customer"),
                ("field_name", "=", "temperature_id"),
                ("state", "in", HAPPENED),
                ("date", "<", history._get_end(company, day)),
            ],
            limit=1,
        )
        return state, change.reason_text or ""

    def _read(self, field, value):
        """Return a value of the history as its field would."""
        if field.type == "many2one":
            return self.env[field.comodel_name].browse(value or ()).exists()
        return value or False

    def _describe(self, customer):
        """Return what is told of the customer as it is today, whatever the day."""
        labels = dict(
            customer._fields["contact_state"]._description_selection(self.env)
        )
        return {
            "id": customer.id,
            "name": customer.display_name,
            "currency_id": customer.currency_id.id,
            "score": customer.temperature_score,
            "next_contact_date": str(customer.next_contact_date or "") or False,
            "contact_state": customer.contact_state,
            "contact_label": labels.get(customer.contact_state, ""),
            "last_order_date": str(customer.last_order_date or "") or False,
            "idle_text": customer.idle_text or "",
        }

    def _tell_state(self, customer, state):
        """Return segment, temperature, lifecycle, owner and money of the day."""
        lifecycles = dict(
            customer._fields["lifecycle"]._description_selection(self.env)
        )
        level = state["temperature_id"]
        potential, revenue = (state[name] or 0.0 for name in MONEY)
        return {
            "owner": state["user_id"].sudo().name or "",
            "team": state["team_id"].sudo().name or "",
            "segment": state["segment_id"].code or "",
            "temperature": level.code or "",
            "temperature_label": level.name or "",
            "lifecycle": state["lifecycle"] or "",
            "lifecycle_label": lifecycles.get(state["lifecycle"], ""),
            "potential": potential,
            "revenue": revenue,
            "yield_rate": revenue / potential if potential else 0.0,
        }
