from odoo import fields, models
from odoo.tools import format_date

from ..core.cadence import left_out, seats

WEEKS = 8


class CoverageCadencePreview(models.TransientModel):
    """What the rhythm would ask of each seller, before it is switched on.

    Contacts per week, contacts owed per month against capacity, the customers that
    would be left out, and the seats the department needs.
    """

    _name = "coverage.cadence.preview"
    _inherit = ["coverage.switch"]
    _description = "Preview of the Contact Rhythm"

    _cron = "crm_sales_coverage.ir_cron_cadence"

    currency_id = fields.Many2one(related="company_id.currency_id")

    # === ACTION METHODS === #

    def action_open_left_out(self, user_id):
        """Open the customers of a seller that his capacity does not reach."""
        self.ensure_one()
        preview = self._get_preview(fields.Datetime.now())
        owed = preview.get(user_id, {}).get("owed", [])
        capacity = self._get_capacities([user_id]).get(user_id, 0)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Left Out"),
            "res_model": "coverage.customer",
            "domain": [("id", "in", left_out(owed, capacity))],
            "views": [(False, "list"), (False, "form")],
        }

    # === SUMMARY === #

    def _get_preview(self, now):
        self.company_id.check_access("read")
        return self.env["coverage.cadence"].sudo()._preview(self.company_id, now, WEEKS)

    def _get_summary(self, now):
        """Return ``sellers``, ``weeks`` (labels), ``teams`` and ``work`` (seats).

        Owed and capacity are contacts in 30 days.
        """
        preview = self._get_preview(now)
        users = self.env["res.users"].sudo().browse([one for one in preview if one])
        capacities = self._get_capacities(users.ids)
        sellers = []
        for user_id, seller in preview.items():
            user, capacity = users.browse(user_id or ()), capacities.get(user_id, 0)
            out = left_out(seller["owed"], capacity) if user_id else []
            money = {key: potential for key, potential, _owed in seller["owed"]}
            sellers.append(
                {
                    "id": user_id,
                    "name": user.name or self.env._("Without an owner who is there"),
                    "team_id": user.sale_team_id.id,
                    "first": seller["first"],
                    "weeks": seller["weeks"],
                    "customers": len(seller["owed"]),
                    "owed": round(sum(owed for *_key, owed in seller["owed"]), 1),
                    "capacity": capacity,
                    "left_out": len(out),
                    "left_out_potential": sum(money[key] for key in out),
                }
            )
        sellers.sort(key=lambda one: (not one["id"], -one["owed"], one["id"]))
        return {
            "weeks": self._get_weeks(now),
            "sellers": sellers,
            "teams": self._get_teams(sellers),
            "work": self._get_work(preview),
        }

    def _get_weeks(self, now):
        today = self.company_id._get_coverage_today(now)
        return [
            format_date(
                self.env,
                fields.Date.add(today, days=7 * week),
                date_format="d MMM",
            )
            for week in range(WEEKS)
        ]

    def _get_capacities(self, user_ids):
        """Return contacts a month by seller: the team member's, else the company's."""
        default = self.company_id.sudo().coverage_capacity
        members = (
            self.env["crm.team.member"]
            .sudo()
            .search([("user_id", "in", user_ids), ("coverage_capacity", ">", 0)])
        )
        own = {one.user_id.id: one.coverage_capacity for one in members}
        return {user_id: own.get(user_id, default) for user_id in user_ids}

    def _get_teams(self, sellers):
        """Return, by team, contacts owed, seats needed and people present."""
        teams = (
            self.env["crm.team"]
            .sudo()
            .search([("company_id", "in", (False, self.company_id.id))])
        )
        capacity = self.company_id.sudo().coverage_capacity
        lines = []
        for team in teams:
            owed = sum(one["owed"] for one in sellers if one["team_id"] == team.id)
            present = len(team.crm_team_member_ids)
            if owed or present:
                lines.append(
                    {
                        "name": team.name,
                        "owed": round(owed, 1),
                        "seats": seats(owed, capacity),
                        "present": present,
                    }
                )
        return lines

    def _get_work(self, preview):
        """Return, by kind of customer, contacts owed and the seats they need."""
        owed = {
            key: count
            for seller in preview.values()
            for key, _potential, count in seller["owed"]
        }
        customers = self.env["coverage.customer"].sudo()
        groups = customers._read_group(
            [("id", "in", list(owed))], ["lifecycle"], ["id:array_agg"]
        )
        capacity = self.company_id.sudo().coverage_capacity
        by_kind = {
            lifecycle: sum(owed[key] for key in keys) for lifecycle, keys in groups
        }
        labels = customers._fields["lifecycle"]._description_selection(self.env)
        return [
            {
                "name": label,
                "owed": round(by_kind[code], 1),
                "seats": seats(by_kind[code], capacity),
            }
            for code, label in labels
            if by_kind.get(code)
        ]

    def _get_title(self):
        return self.env._("Contact Rhythm")
