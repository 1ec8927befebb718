from dataclasses import replace

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import ormcache

from ..core.records import SegmentRule


class CoverageSegment(models.Model):
    """One of A B C D: what such a customer typically brings, compared to an A.

    A customer belongs to the segment whose typical share is nearest to its own
    share; the cut-offs follow, half-way between neighbours. Shared by all companies.
    """

    _name = "coverage.segment"
    _inherit = "coverage.cached"
    _description = "Coverage Segment"
    _order = "typical_share desc, id"
    _rec_name = "code"

    code = fields.Char(
        required=True,
        help="The short name that badges and lists show.",
    )
    description = fields.Char(
        translate=True,
        help="Which customers belong here, in a few words.",
    )
    color = fields.Integer(default=0)

    # what it brings
    typical_share = fields.Float(
        string="Typical Share of an A (%)",
        required=True,
        help="Yearly revenue that such a customer could bring, in percent of an A.",
    )
    cut_off = fields.Float(
        string="From Share (%)",
        compute="_compute_cut_off",
        help="Half-way to the next lower segment. It follows from the typical shares.",
    )
    expected_yield_rate = fields.Float(
        string="Expected Yield",
        required=True,
        default=0.5,
        help="The part of its potential that a well-kept customer of this segment "
        "brings. At this yield the customer is hot.",
    )

    # how it is kept
    contact_interval_days = fields.Integer(
        required=True,
        default=90,
        help="A customer of this segment is contacted at least this often.",
    )
    contact_channel = fields.Selection(
        [("call", "Call"), ("visit", "Visit"), ("email", "E-mail")],
        string="Contacted by",
        required=True,
        default="call",
        help="Planned contacts are of this kind. Where it is e-mail, an e-mail sent "
        "keeps the rhythm; everywhere else the customer must take part.",
    )
    needs_proof = fields.Boolean(
        help="A contact that was only noted by hand pauses the clock for some days; "
        "telephone, mail, calendar or an order keep the rhythm.",
    )
    idle_contact_days = fields.Integer(
        string="Leaves After (days)",
        default=0,
        help="A customer of this segment that nobody speaks to for so long leaves its "
        "owner, who is warned before. 0: never.",
    )
    idle_order_days = fields.Integer(
        string="Asked After (days)",
        default=0,
        help="The leader is asked about a customer of this segment that does not order "
        "for so long. 0: never.",
    )
    customer_count = fields.Integer(compute="_compute_customer_count")

    _code_unique = models.UniqueIndex(
        "(code)", "Another segment has this code already. Choose another one."
    )
    _share_range = models.Constraint(
        "CHECK (typical_share BETWEEN 0 AND 100)",
        "The typical share is a percentage: enter a number from 0 to 100.",
    )
    _yield_range = models.Constraint(
        "CHECK (expected_yield_rate > 0 AND expected_yield_rate <= 1)",
        "The expected yield must be above 0 % and at most 100 %.",
    )
    _interval_positive = models.Constraint(
        "CHECK (contact_interval_days > 0)",
        "The contact interval must be at least one day.",
    )
    _idle_not_negative = models.Constraint(
        "CHECK (idle_contact_days >= 0 AND idle_order_days >= 0)",
        "The days until a customer leaves, or is asked about, cannot be negative. Use "
        "0 for never.",
    )

    @api.depends("typical_share")
    def _compute_cut_off(self):
        every = self._get_ordered()
        shares = [segment.typical_share for segment in every]
        cuts = [(high + low) / 2 for high, low in zip(shares, shares[1:], strict=False)]
        by_id = dict(zip(every.ids, (*cuts, 0.0), strict=False))
        for segment in self:
            segment.cut_off = by_id.get(segment._origin.id, 0.0)

    def _compute_customer_count(self):
        groups = self.env["coverage.customer"]._read_group(
            [("segment_id", "in", self.ids)], ["segment_id"], ["__count"]
        )
        counts = {segment.id: count for segment, count in groups}
        for segment in self:
            segment.customer_count = counts.get(segment.id, 0)

    @api.constrains("typical_share", "code")
    def _check_order(self):
        """Shares fall in the order of the codes; otherwise an A would rank below B.

        Several segments changed together are checked at the end, by the caller.
        """
        if self.env.context.get("coverage_check_later"):
            return
        every = self.search([])
        by_code = sorted(every, key=lambda segment: segment.code)
        shares = [segment.typical_share for segment in by_code]
        if any(low >= high for high, low in zip(shares, shares[1:], strict=False)):
            raise ValidationError(
                self.env._(
                    "Each segment must bring less than the one before it: %(shares)s. "
                    "Correct the typical shares so that they fall from A to D.",
                    shares=", ".join(
                        f"{segment.code} {segment.typical_share:g} %"
                        for segment in by_code
                    ),
                )
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        used = self.env["coverage.customer"].sudo().with_context(active_test=False)
        for segment in self:
            domain = [
                "|",
                "|",
                ("segment_id", "=", segment.id),
                ("segment_computed_id", "=", segment.id),
                ("segment_manual_id", "=", segment.id),
            ]
            if count := used.search_count(domain):
                raise UserError(
                    self.env._(
                        "Segment %(code)s is used by %(count)s customers and cannot be "
                        "deleted. Change its typical share instead, and preview what "
                        "moves.",
                        code=segment.code,
                        count=count,
                    )
                )

    def action_open_customers(self):
        """Open the customers of this segment."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_sales_coverage.coverage_customer_action"
        )
        return {**action, "domain": [("segment_id", "=", self.id)], "context": {}}

    def _get_ordered(self):
        """Return all segments, the highest typical share first."""
        return self.sudo().search([], order="typical_share desc, id")

    @api.model
    @ormcache()
    def _get_codes(self):
        """Return the codes of all segments by id, the highest share first."""
        return {segment.id: segment.code for segment in self._get_ordered()}

    @api.model
    @ormcache()
    def _get_stored_rules(self):
        return tuple(
            SegmentRule(
                segment.id,
                segment.typical_share,
                segment.contact_interval_days,
                segment.expected_yield_rate,
                segment.contact_channel,
                segment.needs_proof,
            )
            for segment in self._get_ordered()
        )

    @api.model
    def _get_rules(self, what_if=None):
        """Return the segments as core rules, highest share first.

        :param dict what_if: other values per segment code, as on ``coverage.run``
        """
        rules, codes = self._get_stored_rules(), self._get_codes()
        tried = [
            replace(rule, **(what_if or {}).get(codes[rule.key], {})) for rule in rules
        ]
        return tuple(sorted(tried, key=lambda rule: -rule.typical_share))
