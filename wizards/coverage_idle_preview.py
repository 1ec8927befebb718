from odoo import api, fields, models
from odoo.tools import format_date

LISTED = 40
NAMED = 3


class CoverageIdlePreview(models.TransientModel):
    """Whom neglect would cost whom, before it is switched on, and while it is observed.

    Each company switches on for itself: silence counts from that day on, and nobody is
    warned while it is only observed.
    """

    _name = "coverage.idle.preview"
    _inherit = ["coverage.switch"]
    _description = "Preview of Idle Customers"

    _cron = "crm_sales_coverage.ir_cron_idle"

    currency_id = fields.Many2one(related="company_id.currency_id")
    date_on = fields.Date(related="company_id.coverage_idle_date")
    date_observed = fields.Date(compute="_compute_date_observed")
    has_backtest = fields.Boolean(export_string_translation=False)
    backtest = fields.Json(compute="_compute_backtest")

    @api.depends("company_id")
    def _compute_is_active(self):
        cron = self.env.ref(self._cron).sudo()
        for preview in self:
            company = preview.company_id.sudo()
            preview.is_active = cron.active and bool(company.coverage_idle_date)

    @api.depends("company_id")
    def _compute_date_observed(self):
        """Return the last day on which nobody is warned, while it is to come."""
        for preview in self:
            company, date = preview.company_id.sudo(), False
            today = company._get_coverage_today(fields.Datetime.now())
            if company.coverage_idle_date and company._is_coverage_observed(today):
                date = fields.Date.add(
                    company.coverage_idle_date,
                    days=company.coverage_idle_observe_days - 1,
                )
            preview.date_observed = date

    @api.depends("company_id", "has_backtest")
    def _compute_backtest(self):
        """Compute it for those who asked: it reads the contacts of a year."""
        for preview in self:
            preview.backtest = (
                preview._get_backtest(fields.Datetime.now())
                if preview.has_backtest
                else False
            )

    # === ACTION METHODS === #

    def action_switch_on(self):
        """Switch it on for this company: from today on silence counts."""
        self.check_access("write")
        self.company_id.check_access("read")
        for company in self.company_id.sudo():
            if not company.coverage_idle_date:
                today = company._get_coverage_today(fields.Datetime.now())
                company.coverage_idle_date = today
        return super().action_switch_on()

    def action_switch_off(self):
        """Switch it off for this company; its warnings end, and nobody leaves."""
        self.check_access("write")
        self.company_id.check_access("read")
        for company in self.company_id.sudo():
            self.env["coverage.idle"].sudo()._switch_off(company)
        companies = self.env["res.company"].sudo()
        if companies.search_count([("coverage_idle_date", "!=", False)], limit=1):
            return True
        return super().action_switch_off()

    def action_backtest(self):
        """Show what today's rules would have done in the last 12 months."""
        self.check_access("write")
        self.has_backtest = True
        return True

    def action_open_segments(self):
        """Open the segments, where the terms stand."""
        return self.env["ir.actions.act_window"]._for_xml_id(
            "crm_sales_coverage.coverage_segment_action"
        )

    # === SUMMARY === #

    def _get_summary(self, now):
        """Return ``sellers``, ``lines``, ``exempt`` and ``leader`` as people read them.

        ``sellers``: ``[{id, name, warned, over, soon, later, potential, revenue,
        names}]``, who would lose most first; ``lines``: the most valuable customers.
        """
        self.company_id.check_access("read")
        engine = self.env["coverage.idle"].sudo()
        outlook = engine._preview_idle(self.company_id, now)
        shown = outlook["lines"][:LISTED]
        customers = self.env["coverage.customer"].sudo()
        by_id = {one.id: one for one in customers.browse([key for key, _v in shown])}
        return {
            "sellers": self._tell_sellers(outlook, by_id),
            "lines": [
                self._tell_line(by_id[key], verdict, now) for key, verdict in shown
            ],
            "line_count": len(outlook["lines"]),
            "exempt": self._tell_exempt(outlook),
            "leader": self._tell_leader(outlook),
        }

    def _tell_sellers(self, outlook, by_id):
        users = self.env["res.users"].sudo()
        sellers = []
        for user_id, counts in outlook["sellers"].items():
            own = [one for one in by_id.values() if one.user_id.id == user_id]
            names = ", ".join(one.partner_id.name for one in own[:NAMED])
            if own and counts["later"] > NAMED:
                more = counts["later"] - NAMED
                names = self.env._(
                    "%(names)s and %(count)s more", names=names, count=more
                )
            name = users.browse(user_id).name
            sellers.append({"id": user_id, "name": name, "names": names, **counts})
        sellers.sort(key=lambda one: (-one["potential"], one["id"]))
        return sellers

    def _tell_line(self, customer, verdict, now):
        """Return one customer: whose it is, how long silent, and when it leaves."""
        today = self.company_id._get_coverage_today(now)
        return {
            "id": customer.id,
            "name": customer.partner_id.display_name,
            "badge": customer.badge,
            "temperature": customer.temperature_code or "",
            "owner": customer.user_id.name,
            "silence": self.env._(
                "%(days)s of %(term)s days",
                days=verdict.silent_days,
                term=verdict.term_days,
            ),
            "is_over": verdict.silent_days >= verdict.term_days,
            "leaves": format_date(self.env, verdict.leaves, date_format="d MMM")
            if verdict.leaves > today
            else self.env._("any day now"),
            "days_left": max(0, (verdict.leaves - today).days),
            "potential": customer.potential,
            "revenue": customer.revenue_12m,
        }

    def _tell_exempt(self, outlook):
        """Return what keeps customers that would be warned of otherwise."""
        _ = self.env._
        labels = {
            "paused": _("Left alone for now"),
            "protected": _("Protected"),
            "handed": _("Being handed over, or watched after it"),
            "quoted": _("A deal that is young and moves"),
            "away": _("The owner is away"),
        }
        return [
            {"code": code, "label": label, "count": outlook["exempt"][code]}
            for code, label in labels.items()
            if outlook["exempt"][code]
        ]

    def _tell_leader(self, outlook):
        """Return what the leaders are asked, and what becomes of leads."""
        _ = self.env._
        labels = {
            "unreachable": _("Tried often without an answer: the leader decides"),
            "missing": _(
                "Orders missing since the last 30 days or less: the leader decides"
            ),
            "leads": _("Leads on which nothing happens: warned of, then released"),
        }
        return [
            {"code": code, "label": label, "count": outlook[code]}
            for code, label in labels.items()
            if outlook[code]
        ]

    # === BACKTEST === #

    def _get_backtest(self, now):
        """Return ``months``, ``total`` and ``lines`` of the last 12 months.

        ``months``: ``[{label, moved, bought, contacted, revenue}]``, of those that
        would have moved in that month: how many bought, or were contacted, afterwards
        anyway; ``total``: the same of all; ``lines``: the customers, those that brought
        most afterwards first.
        """
        self.company_id.check_access("read")
        engine = self.env["coverage.idle"].sudo()
        moves = engine._backtest(self.company_id, now)
        today = self.company_id._get_coverage_today(now)
        by_month = {month: [] for month in engine._get_backtest_months(today)}
        for move in moves:
            by_month[move["moved"].replace(day=1)].append(move)
        moves.sort(key=lambda one: (-one["bought"], one["moved"], one["customer_id"]))
        return {
            "months": [
                {
                    "label": format_date(self.env, month, date_format="MMM yyyy"),
                    **self._sum_moves(found),
                }
                for month, found in by_month.items()
            ],
            "total": self._sum_moves(moves),
            "lines": self._tell_moves(moves[:LISTED]),
        }

    def _sum_moves(self, moves):
        return {
            "moved": len(moves),
            "bought": sum(one["bought"] > 0 for one in moves),
            "contacted": sum(bool(one["contacted"]) for one in moves),
            "revenue": sum(one["bought"] for one in moves),
        }

    def _tell_moves(self, moves):
        """Return the customers as people read them."""
        customers = self.env["coverage.customer"].sudo()
        users = self.env["res.users"].sudo()
        ids = [one["customer_id"] for one in moves]
        by_id = {one.id: one for one in customers.browse(ids)}
        return [
            {
                "id": one["customer_id"],
                "name": by_id[one["customer_id"]].partner_id.display_name,
                "owner": users.browse(one["user_id"]).name,
                "moved": self._tell_date(one["moved"]),
                "revenue": one["bought"],
                "contacted": self._tell_date(one["contacted"]),
            }
            for one in moves
        ]

    def _tell_date(self, day):
        return format_date(self.env, day, date_format="d MMM yyyy") if day else ""

    def _get_title(self):
        return self.env._("Idle Customers")
