from odoo import fields, models
from odoo.tools import SQL

from ..models.opening import open_form

KINDS = [("contact", "Contact"), ("paperwork", "Paperwork")]
DUTIES = [("own", "Own Duty"), ("other", "Another Role's Duty"), ("nobody", "Nobody's")]
PAPERWORK = "crm_sales_coverage.activity_type_paperwork"


class CoverageWorkReport(models.Model):
    """One row a piece of work: done by whom, and whose duty it was.

    Work is a contact with a customer, the duty of the role that the rules name for
    that customer, and paperwork that was done, the duty of the roles that do paperwork.
    It was one's own duty when one held such a role on that day; another role's when
    somebody else did; nobody's when nobody did.
    """

    _name = "coverage.work.report"
    _inherit = ["coverage.report"]
    _description = "Who Does Whose Work"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "date"
    _depends = {
        "coverage.touch": [
            "active",
            "company_id",
            "customer_id",
            "date",
            "direction",
            "is_two_way",
            "team_id",
            "user_id",
        ],
        "coverage.customer": ["role_id"],
        "coverage.role": ["is_paperwork"],
        "coverage.tenure": ["date_from", "date_to", "role_id", "team_id", "user_id"],
        "crm.team": ["company_id"],
        "mail.message": [
            "author_id",
            "date",
            "mail_activity_type_id",
            "model",
            "record_company_id",
            "res_id",
            "subtype_id",
        ],
        "res.users": ["active", "company_id", "partner_id", "sale_team_id", "share"],
    }

    kind = fields.Selection(KINDS, readonly=True)
    date = fields.Datetime(readonly=True)
    user_id = fields.Many2one("res.users", string="Done by", readonly=True)
    team_id = fields.Many2one("crm.team", string="Sales Team", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    customer_id = fields.Many2one("coverage.customer", readonly=True)
    res_model = fields.Char(readonly=True, export_string_translation=False)
    res_id = fields.Many2oneReference(model_field="res_model", readonly=True)
    role_id = fields.Many2one(
        "coverage.role",
        string="Duty of",
        readonly=True,
        help="The role that the rules name for the customer now. Empty for paperwork: "
        "of the roles that do paperwork.",
    )
    duty = fields.Selection(
        DUTIES,
        readonly=True,
        help="Own: the person held the role on that day. Another role's: somebody else "
        "did. Nobody's: nobody did.",
    )

    # counts
    work_count = fields.Integer(string="Done", readonly=True)
    own_count = fields.Integer(string="Own Duty", readonly=True)
    other_count = fields.Integer(string="Others' Duty", readonly=True)
    other_rate = fields.Float(
        string="Others' Duty %",
        readonly=True,
        aggregator="avg",
        help="Of what was somebody's duty: the part that was another role's.",
    )

    def action_open_document(self):
        """Open the contact, order or opportunity."""
        self.ensure_one()
        return open_form(self.res_model, self.res_id)

    # === QUERY === #

    @property
    def _table_query(self):
        """Judge each piece of work by who held which role on its day."""
        return SQL(
            """
            WITH frame (company_id, tz, today, since_90d, since_12m, reference) AS (
                %(frame)s
            )
            SELECT w.id, w.kind, w.date, w.user_id, w.team_id, w.company_id,
                   w.customer_id, w.res_model, w.res_id, w.role_id, judged.duty,
                   1 AS work_count,
                   (judged.duty = 'own')::int AS own_count,
                   (judged.duty = 'other')::int AS other_count,
                   CASE WHEN judged.duty <> 'nobody'
                        THEN (judged.duty = 'other')::int::float8 END AS other_rate
              FROM (%(contacts)s UNION ALL %(paperwork)s) w
              JOIN frame f ON f.company_id = w.company_id
             CROSS JOIN LATERAL (
                    SELECT (w.date AT TIME ZONE 'UTC' AT TIME ZONE f.tz)::date AS date
                   ) day
             CROSS JOIN LATERAL (
                    SELECT CASE WHEN %(mine)s THEN 'own' WHEN %(anybodys)s THEN 'other'
                                ELSE 'nobody' END AS duty) judged
             WHERE w.company_id IN %(companies)s
            """,
            frame=self._query_frame(),
            contacts=self._query_contacts(),
            paperwork=self._query_paperwork(),
            mine=self._query_held(SQL("held.user_id = w.user_id")),
            anybodys=self._query_held(
                SQL("(t.company_id IS NULL OR t.company_id = w.company_id)")
            ),
            companies=self._query_company_ids(),
        )

    def _query_held(self, who):
        """Return whether somebody held the role of a piece of work on its day."""
        return SQL(
            """
            EXISTS (SELECT 1 FROM coverage_tenure held
                      JOIN coverage_role r ON r.id = held.role_id
                      LEFT JOIN crm_team t ON t.id = held.team_id
                     WHERE %s AND held.date_from <= day.date
                       AND COALESCE(held.date_to, 'infinity') >= day.date
                       AND CASE WHEN w.kind = 'paperwork' THEN r.is_paperwork
                                ELSE r.id = w.role_id END)
            """,
            who,
        )

    def _query_contacts(self):
        """Return the contacts that we made or had with customers that have a role."""
        return SQL(
            """
            SELECT 2 * t.id::bigint AS id, 'contact' AS kind, t.date, t.user_id,
                   t.team_id, t.company_id, t.customer_id,
                   'coverage.touch' AS res_model, t.id AS res_id, c.role_id
              FROM coverage_touch t
              JOIN coverage_customer c ON c.id = t.customer_id
             WHERE t.active AND t.user_id IS NOT NULL AND c.role_id IS NOT NULL
               AND (t.direction = 'out' OR t.is_two_way)
               AND t.company_id IN %s
            """,
            self._query_company_ids(),
        )

    def _query_paperwork(self):
        """Return the paperwork that was marked done, by whoever did so."""
        return SQL(
            """
            SELECT 2 * m.id::bigint + 1, 'paperwork', m.date, u.id, u.sale_team_id,
                   COALESCE(m.record_company_id, u.company_id), NULL::int,
                   m.model, m.res_id, NULL::int
              FROM mail_message m
              JOIN LATERAL (
                    SELECT one.id, one.sale_team_id, one.company_id FROM res_users one
                     WHERE one.partner_id = m.author_id AND NOT one.share
                     ORDER BY one.active DESC, one.id LIMIT 1) u ON TRUE
             WHERE m.mail_activity_type_id = %s AND m.subtype_id = %s AND m.res_id > 0
            """,
            self.env["ir.model.data"]._xmlid_to_res_id(PAPERWORK),
            self.env["ir.model.data"]._xmlid_to_res_id("mail.mt_activities"),
        )
