import hashlib
import json

from odoo import api, fields, models
from odoo.tools import SQL

from ..core.lookalike import (
    Traits,
    band_of,
    find_niches,
    niche_from_dict,
    niche_to_dict,
    size_limits,
)
from ..core.records import Rules
from ..core.segment import cut_offs

SAMPLE = 10_000
LEAST_LEADERS = 3


class CoverageReference(models.Model):
    """What belongs to a company's whole base, as of one night.

    The yearly revenue of an A, the niches that look-alikes claim from, and the order
    rhythm per segment. Computed once a night and used by all events until the next,
    so that events and nightly job agree. A preview that would alter it keeps its own
    row, inactive until the preview is applied.
    """

    _name = "coverage.reference"
    _description = "Coverage Reference"
    _order = "date desc, id desc"
    _rec_name = "date"

    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date(required=True)
    active = fields.Boolean(default=True)
    amount = fields.Monetary(
        string="A Reference", help="Median best year of the leaders."
    )
    buyer_count = fields.Integer(string="Buyers")
    leader_count = fields.Integer(string="Leaders")
    typical_intervals = fields.Json(help="Days between orders, by segment id.")
    limits = fields.Json(help="Quartiles of the known numbers of employees.")
    niches = fields.Json(help="Cells of traits whose customers bring more.")
    is_provisional = fields.Boolean(
        help="Somebody asked for a new one; the next job computes it anew."
    )
    fingerprint = fields.Char(help="The rules and settings it was computed under.")

    _company_date = models.UniqueIndex("(company_id, date) WHERE active IS TRUE")

    # === WHICH ONE COUNTS === #

    @api.model
    def _get_latest(self, company):
        """Return the reference that events use: the last night's."""
        return self.search([("company_id", "=", company.id)], limit=1)

    @api.model
    def _get_prediction(self, company):
        """Return what predicts a segment from traits alone, or None without niches.

        Kept for the transaction: leads come many at a time.

        :return: tuple of the A reference, the size limits and the niches
        """
        kept = self.env.cr.cache.setdefault("coverage_prediction", {})
        if company.id not in kept:
            latest = self.sudo().search_fetch(
                [("company_id", "=", company.id)],
                ["amount", "limits", "niches"],
                limit=1,
            )
            niches = tuple(niche_from_dict(niche) for niche in latest.niches or ())
            kept[company.id] = niches and (latest.amount, latest.limits, niches)
        return kept[company.id] or None

    @api.model_create_multi
    def create(self, vals_list):
        self.env.cr.cache.pop("coverage_prediction", None)
        return super().create(vals_list)

    def write(self, vals):
        self.env.cr.cache.pop("coverage_prediction", None)
        return super().write(vals)

    @api.model
    def _get_fingerprint(self, settings, segments):
        """Return a short hash of all that the reference depends on besides facts."""
        names = ("revenue_source", "lookback_years", "leader_rate", "use_lookalike")
        relevant = {name: settings[f"coverage_{name}"] for name in names}
        relevant["shares"] = [(rule.key, rule.typical_share) for rule in segments]
        text = json.dumps(relevant, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _is_current(self, today, settings, segments, staged):
        """Return whether this night's figures may be used again.

        A second job of the same day uses them, so that it agrees with the events in
        between; unless rules changed, or so many came (an import) that they are void.
        """
        if self.date != today or self.is_provisional or self.amount <= 0:
            return False
        if self.fingerprint != self._get_fingerprint(settings, segments):
            return False
        buyers = self.env.execute_query(self._query_buyer_count(staged))[0][0]
        return self.buyer_count / 2 < buyers < self.buyer_count * 2

    def _query_buyer_count(self, staged):
        return SQL(
            """SELECT COUNT(*) FROM (%s) s
                WHERE s.company_id = %s AND s.active AND s.revenue_best_12m > 0""",
            staged,
            self.company_id.id,
        )

    # === COMPUTATION === #

    @api.model
    def _compute_reference(self, company, today, settings, segments, staged):
        """Return the values of a reference of the whole base.

        :param staged: SQL of the customers' facts (``coverage.refresh`` overlays the
            staged ones), with an alias ``c`` for the row
        """
        amount, buyers, leaders = self.env.execute_query(
            self._query_leaders(company, settings["coverage_leader_rate"], staged)
        )[0]
        vals = {
            "company_id": company.id,
            "date": today,
            "amount": amount or 0.0,
            "buyer_count": buyers,
            "leader_count": leaders,
            "fingerprint": self._get_fingerprint(settings, segments),
            "typical_intervals": {},
            "limits": None,
            "niches": [],
        }
        if amount:
            vals["typical_intervals"] = self._collect_intervals(
                company, segments, amount, staged
            )
            if settings["coverage_use_lookalike"]:
                vals.update(self._collect_niches(company, staged, buyers))
        return vals

    def _query_leaders(self, company, leader_rate, staged):
        """Return median best year of the leaders, number of buyers and of leaders."""
        return SQL(
            """
            WITH buyer AS (
                SELECT s.id, s.revenue_best_12m AS best FROM (%(staged)s) s
                 WHERE s.company_id = %(company)s AND s.active
                   AND s.revenue_best_12m > 0
            ),
            leader AS (
                SELECT best FROM buyer ORDER BY best DESC, id
                 LIMIT GREATEST(%(least)s, (
                     SELECT floor(%(rate)s::numeric * COUNT(*)) FROM buyer)::int)
            )
            SELECT round((percentile_cont(0.5) WITHIN GROUP (
                       ORDER BY best))::numeric, 2),
                   (SELECT COUNT(*) FROM buyer), COUNT(*)
              FROM leader
            """,
            staged=staged,
            company=company.id,
            least=LEAST_LEADERS,
            rate=str(leader_rate),
        )

    def _collect_intervals(self, company, segments, amount, staged):
        """Return the median order interval by segment id, of those with a rhythm.

        By the share of the customers' own best years, not by the segment they are in:
        so it follows from the facts alone, and computing twice gives the same.
        """
        cuts = cut_offs(tuple(segments))
        band = SQL(
            "CASE %s ELSE %s END",
            SQL(" ").join(
                SQL(
                    "WHEN 100 * s.revenue_best_12m / %s >= %s THEN %s",
                    amount,
                    cut,
                    rule.key,
                )
                for rule, cut in zip(segments, cuts, strict=False)
            ),
            segments[-1].key,
        )
        rows = self.env.execute_query(
            SQL(
                """
                SELECT %(band)s AS segment_id, percentile_cont(0.5) WITHIN GROUP (
                           ORDER BY s.order_interval_days)
                  FROM (%(staged)s) s
                 WHERE s.company_id = %(company)s AND s.active
                   AND s.order_day_count >= 3
                 GROUP BY 1
                """,
                band=band,
                staged=staged,
                company=company.id,
            )
        )
        return {str(segment_id): round(days) for segment_id, days in rows}

    def _collect_niches(self, company, staged, buyers):
        """Return the size bands and niches found among the buyers.

        Of a large base every k-th buyer is looked at: 10,000 tell enough.
        """
        rows = self.env.execute_query(
            self._query_buyer_traits(company, staged, max(1, buyers // SAMPLE))
        )
        limits = size_limits([row[4] for row in rows if row[4]])
        niches = find_niches(
            [
                (
                    Traits(
                        industry,
                        country,
                        state,
                        band_of(size, limits),
                        tuple(tags or ()),
                    ),
                    best,
                )
                for best, industry, country, state, size, tags in rows
            ]
        )
        return {
            "limits": list(limits) if limits else None,
            "niches": [niche_to_dict(niche) for niche in niches],
        }

    def _query_buyer_traits(self, company, staged, step):
        """Return best year and traits of the buyers, in the order of their ids."""
        return SQL(
            """
            SELECT s.revenue_best_12m, p.industry_id, p.country_id, p.state_id,
                   p.coverage_employee_count, tagged.tags
              FROM (SELECT t.*, row_number() OVER (ORDER BY t.id) AS position
                      FROM (%(staged)s) t
                     WHERE t.company_id = %(company)s AND t.active
                       AND t.revenue_best_12m > 0) s
              JOIN res_partner p ON p.id = s.partner_id
              LEFT JOIN (
                  SELECT partner_id, array_agg(category_id ORDER BY category_id) AS tags
                    FROM res_partner_res_partner_category_rel
                   GROUP BY partner_id) tagged ON tagged.partner_id = p.id
             WHERE s.position %% %(step)s = 0
             ORDER BY s.id
            """,
            staged=staged,
            company=company.id,
            step=step,
        )

    # === WHAT DECISIONS NEED === #

    def _get_rules(self, settings, segments, temperatures):
        """Return the core rules under this reference; an empty one means no buyers."""
        intervals = self.typical_intervals or {}
        return Rules(
            segments=tuple(segments),
            temperatures=tuple(temperatures),
            reference=self.amount or None,
            typical_interval_days={int(key): days for key, days in intervals.items()},
            new_orders=settings["coverage_new_orders"],
            sleeping_days=settings["coverage_sleeping_days"],
            stay_days=settings["coverage_stay_days"],
            hysteresis_rate=settings["coverage_hysteresis_rate"],
            unproven_days=self.company_id.sudo().coverage_unproven_days,
        )

    def _get_niches(self, settings):
        """Return the niches as core values; none while look-alikes are off."""
        if not settings["coverage_use_lookalike"]:
            return ()
        return tuple(niche_from_dict(niche) for niche in self.niches or [])
