from odoo import fields, models
from odoo.tools import SQL

from ..models.coverage_touch import CHANNELS, DIRECTIONS, PROVEN, SOURCES
from ..models.opening import open_form


class CoverageTouchReport(models.Model):
    """The contacts as they can be counted: one row a contact, the withdrawn left out.

    A row's id is that of its ``coverage.touch``.
    """

    _name = "coverage.touch.report"
    _inherit = ["coverage.report"]
    _description = "Contacts Report"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "date"
    _depends = {
        "coverage.touch": [
            "active",
            "channel",
            "company_id",
            "customer_id",
            "date",
            "direction",
            "is_counted",
            "is_two_way",
            "lead_id",
            "minutes",
            "outcome_id",
            "partner_id",
            "refusal_reason_id",
            "source",
            "team_id",
            "user_id",
        ],
        "coverage.customer": ["segment_id"],
        "coverage.outcome": ["is_refusal"],
    }

    # who with whom
    company_id = fields.Many2one("res.company", readonly=True)
    user_id = fields.Many2one("res.users", string="Seller", readonly=True)
    team_id = fields.Many2one("crm.team", string="Sales Team", readonly=True)
    customer_id = fields.Many2one("coverage.customer", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Person", readonly=True)
    lead_id = fields.Many2one("crm.lead", readonly=True)
    segment_id = fields.Many2one(
        "coverage.segment",
        readonly=True,
        help="The segment that the customer has now.",
    )

    # what happened
    date = fields.Datetime(readonly=True)
    channel = fields.Selection(CHANNELS, readonly=True)
    direction = fields.Selection(DIRECTIONS, readonly=True)
    outcome_id = fields.Many2one("coverage.outcome", readonly=True)
    refusal_reason_id = fields.Many2one(
        "crm.lost.reason", string="Reason of Refusal", readonly=True
    )
    source = fields.Selection(SOURCES, string="Known From", readonly=True)
    is_two_way = fields.Boolean(string="Two-Way", readonly=True)
    is_proven = fields.Boolean(string="Proven", readonly=True)
    is_counted = fields.Boolean(
        string="Keeps the Rhythm",
        readonly=True,
        help="Made by the owner, somebody of a sales team or a watcher.",
    )
    is_refusal = fields.Boolean(string="Refusal", readonly=True)

    # counts
    touch_count = fields.Integer(string="Contacts", readonly=True)
    two_way_count = fields.Integer(string="Two-Way Contacts", readonly=True)
    attempt_count = fields.Integer(
        string="Attempts",
        readonly=True,
        help="Made by us, without the customer taking part.",
    )
    minutes = fields.Float(readonly=True)
    proven_count = fields.Integer(
        string="Proven Two-Way",
        readonly=True,
        help="Two-way contacts that telephone, mail, calendar or an order shows.",
    )
    proven_rate = fields.Float(
        string="Proven %",
        readonly=True,
        aggregator="avg",
        help="Proven two-way contacts ÷ two-way contacts.",
    )
    refusal_count = fields.Integer(string="Refusals", readonly=True)

    @property
    def _table_query(self):
        """Return the contacts, flat, so that filters reach the ledger's indexes."""
        return SQL(
            """
            SELECT t.id, t.company_id, t.user_id, t.team_id, t.customer_id,
                   t.partner_id, t.lead_id, c.segment_id, t.date, t.channel,
                   t.direction, t.outcome_id, t.refusal_reason_id, t.source,
                   %(two_way)s AS is_two_way, %(proven)s AS is_proven,
                   COALESCE(t.is_counted, FALSE) AS is_counted,
                   %(refusal)s AS is_refusal,
                   1 AS touch_count,
                   (%(two_way)s)::int AS two_way_count,
                   (t.direction = 'out' AND NOT %(two_way)s)::int AS attempt_count,
                   COALESCE(t.minutes, 0)::float8 AS minutes,
                   (%(two_way)s AND %(proven)s)::int AS proven_count,
                   CASE WHEN %(two_way)s THEN (%(proven)s)::int::float8 END
                       AS proven_rate,
                   (%(refusal)s)::int AS refusal_count
              FROM coverage_touch t
              LEFT JOIN coverage_customer c ON c.id = t.customer_id
              LEFT JOIN coverage_outcome o ON o.id = t.outcome_id
             WHERE t.active AND t.company_id IN %(companies)s
            """,
            two_way=SQL("COALESCE(t.is_two_way, FALSE)"),
            proven=SQL("(t.source IN %s)", PROVEN),
            refusal=SQL(
                "(t.refusal_reason_id IS NOT NULL OR COALESCE(o.is_refusal, FALSE))"
            ),
            companies=self._query_company_ids(),
        )

    def action_open_touch(self):
        """Open the contact itself."""
        self.ensure_one()
        return open_form("coverage.touch", self.id)
