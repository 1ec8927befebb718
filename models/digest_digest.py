from odoo import fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

from .groups import SELLER

CODE_A, BLUE = "A", ("frozen", "cool")
ACTIONS = {
    "kpi_coverage_blue": ("coverage_customer_action", "coverage_customer_menu"),
    "kpi_coverage_overdue": ("coverage_customer_action", "coverage_customer_menu"),
    "kpi_coverage_handoff_late": ("coverage_handoff_action", "coverage_handoff_menu"),
}


class DigestDigest(models.Model):
    """Three figures of neglect, for the digests that ask for them; off by default.

    They are states, not flows: the figure is that of the period's end. Blue customers
    of a past day are known from the history. What was overdue or late then is not:
    there the past repeats the present, so that Odoo shows no comparison, not a wrong
    one.
    Readers get the figures of what they may read: own, team's or company's.
    """

    _inherit = "digest.digest"

    kpi_coverage_blue = fields.Boolean("Blue A Customers")
    kpi_coverage_blue_value = fields.Integer(
        compute="_compute_kpi_coverage_blue_value", export_string_translation=False
    )
    kpi_coverage_overdue = fields.Boolean("Overdue Contacts")
    kpi_coverage_overdue_value = fields.Integer(
        compute="_compute_kpi_coverage_overdue_value", export_string_translation=False
    )
    kpi_coverage_handoff_late = fields.Boolean("Handoffs Past Deadline")
    kpi_coverage_handoff_late_value = fields.Integer(
        compute="_compute_kpi_coverage_handoff_late_value",
        export_string_translation=False,
    )

    def _compute_kpi_coverage_blue_value(self):
        self._check_coverage_reader()
        for digest in self:
            company = digest.company_id or self.env.company
            digest.kpi_coverage_blue_value = self._count_coverage_blue(company)

    def _compute_kpi_coverage_overdue_value(self):
        self._count_coverage(
            "coverage.customer",
            "kpi_coverage_overdue_value",
            [("contact_state", "=", "overdue")],
        )

    def _compute_kpi_coverage_handoff_late_value(self):
        self._count_coverage(
            "coverage.handoff",
            "kpi_coverage_handoff_late_value",
            [("is_late", "=", True)],
        )

    def _compute_kpis_actions(self, company, user):
        actions = super()._compute_kpis_actions(company, user)
        for name, (action, menu) in ACTIONS.items():
            menu = self.env.ref(f"crm_sales_coverage.{menu}")
            actions[name] = f"crm_sales_coverage.{action}?menu_id={menu.id}"
        return actions

    def _check_coverage_reader(self):
        """Raise for who has no part in it; the digest then leaves the figure out."""
        if not self.env.user.has_group(SELLER):
            raise AccessError(self.env._("Only salespeople read these figures."))

    def _count_coverage(self, model, name, domain):
        """Write the number of records of each digest's company into a field."""
        self._check_coverage_reader()
        companies = self._get_kpi_compute_parameters()[2]
        groups = self.env[model]._read_group(
            [("company_id", "in", companies.ids), *domain], ["company_id"], ["__count"]
        )
        counts = {company.id: count for company, count in groups}
        for digest in self:
            company = digest.company_id or self.env.company
            digest[name] = counts.get(company.id, 0)

    def _count_coverage_blue(self, company):
        """Return how many A customers were blue at the end of the period."""
        customers = self.env["coverage.customer"]
        now, end = fields.Datetime.now(), self._get_coverage_end()
        day = company.sudo()._get_coverage_today(end or now)
        if day >= company.sudo()._get_coverage_today(now):
            return customers.search_count(
                [
                    ("company_id", "=", company.id),
                    ("segment_id.code", "=", CODE_A),
                    ("temperature_id.code", "in", BLUE),
                ]
            )
        self.env["coverage.history"]._flush_history()
        return self.env.execute_query(self._query_blue(company, day))[0][0]

    def _get_coverage_end(self):
        """Return the end of the digest's period, naive as the database has it."""
        end = self.env.context.get("end_datetime")
        return end and fields.Datetime.to_datetime(fields.Datetime.to_string(end))

    def _query_blue(self, company, day):
        """Count customers that the user may read as they were on a past day."""
        readable = self.env["coverage.customer"]._search(
            [("company_id", "=", company.id)]
        )
        as_of = self.env["coverage.history"]._query_as_of(
            company,
            day,
            ("segment_id", "temperature_id", "lifecycle"),
            SQL(
                "(SELECT * FROM coverage_customer WHERE id IN %s)",
                readable.subselect(),
            ),
        )
        return SQL(
            """SELECT count(*) FROM (%(as_of)s) then_
                 JOIN coverage_segment s ON s.id = then_.segment_id
                 JOIN coverage_temperature t ON t.id = then_.temperature_id
                WHERE s.code = %(code)s AND t.code IN %(blue)s""",
            as_of=as_of,
            code=CODE_A,
            blue=BLUE,
        )
