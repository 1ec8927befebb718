from dataclasses import dataclass
from operator import itemgetter

from odoo import models
from odoo.tools import SQL

from ..core.lookalike import Traits, band_of
from ..core.records import Contacts, Decision, Facts, Standing, State
from .coverage_facts import FACTS, STAGE

BATCH = 10_000

FLAT = {
    "potential": "numeric",
    "potential_source": "varchar",
    "lookalike_potential": "numeric",
    "temperature_score": "int4",
    "yield_rate": "float8",
    "segment_since": "date",
    "segment_left_id": "int4",
    "segment_prior_since": "date",
    "segment_prior_left_id": "int4",
    "temperature_since": "date",
    "temperature_left_id": "int4",
    "temperature_prior_since": "date",
    "lifecycle_since": "date",
    "lifecycle_left": "varchar",
    "lifecycle_prior_since": "date",
    "next_contact_date": "date",
}
FACT_TYPES = {
    name: "date"
    if name.endswith("_date")
    else "int4"
    if name.endswith(("_count", "_days"))
    else "numeric"
    for name in FACTS
}
HELD = {
    "declared_potential": "numeric",
    "declared_date": "date",
    "confirmed_potential": "numeric",
    "confirmed_date": "date",
    "segment_id": "int4",
    "segment_computed_id": "int4",
    "temperature_id": "int4",
    "lifecycle": "varchar",
    "segment_manual_id": "int4",
    "segment_manual_until": "date",
    "last_contact_date": "date",
    "last_proven_date": "date",
    "last_email_date": "date",
    "leave_alone_until": "date",
    "rhythm_start_date": "date",
    "owned_since": "date",
}
COLUMNS = ("id", "is_changed", "is_newer", *FACTS, *HELD, *FLAT)
TRAITS = ("industry_id", "country_id", "state_id", "size", "tags")
POSITION = {name: index for index, name in enumerate(COLUMNS + TRAITS)}


def _getter(*names):
    return itemgetter(*(POSITION[name] for name in names))


get_decided = _getter(
    "revenue_12m",
    "revenue_best_12m",
    "revenue_90d",
    "revenue_prev_90d",
    "revenue_season_90d",
    "average_order_amount",
    "order_day_count",
    "awake_order_day_count",
    "first_order_date",
    "last_order_date",
    "longest_silence_days",
    "declared_potential",
    "declared_date",
    "confirmed_potential",
    "confirmed_date",
)
get_segment = _getter(
    "segment_computed_id",
    "segment_since",
    "segment_left_id",
    "segment_prior_since",
    "segment_prior_left_id",
)
get_temperature = _getter(
    "temperature_id",
    "temperature_since",
    "temperature_left_id",
    "temperature_prior_since",
)
get_lifecycle = _getter(
    "lifecycle", "lifecycle_since", "lifecycle_left", "lifecycle_prior_since"
)
get_contacts = _getter(
    "last_contact_date",
    "last_proven_date",
    "last_email_date",
    "leave_alone_until",
    "rhythm_start_date",
    "owned_since",
)
get_pin = _getter("segment_manual_id", "segment_manual_until")
get_flat = _getter(*FLAT)
get_facts = _getter(*FACTS)
get_traits = _getter(*TRAITS)
get_outcome = _getter(
    "segment_id", "segment_computed_id", "temperature_id", "lifecycle"
)


@dataclass(slots=True)
class Outcome:
    """One customer's row as read, and what was decided of it."""

    row: tuple
    facts: Facts
    state: State
    decision: Decision
    flat: tuple

    @property
    def customer_id(self):
        return self.row[0]


class CoverageRows(models.AbstractModel):
    """Reads customers' rows with their newest facts, and decides each of them."""

    _name = "coverage.rows"
    _description = "Rows to Decide"

    # === FACTS === #

    def _collect_staged(self, frame, last_id):
        """Return the next batch of rows, staged facts laid over the stored ones."""
        self.env["coverage.customer"].flush_model()
        last = self.env.execute_query(self._query_bound(frame.company, last_id))[0][0]
        if last is None:
            return []
        return self.env.execute_query(
            SQL(
                "%s AND c.active AND c.id > %s AND c.id <= %s ORDER BY c.id",
                self._query_rows(frame, SQL.identifier(STAGE), is_staged=True),
                last_id,
                last,
            )
        )

    def _query_bound(self, company, last_id):
        """Return the last id of the next batch: a range is read faster than a list."""
        return SQL(
            """SELECT max(id) FROM (
                SELECT id FROM coverage_customer
                 WHERE company_id = %s AND active AND id > %s
                 ORDER BY id LIMIT %s) batch""",
            company.id,
            last_id,
            BATCH,
        )

    def _collect_listed(self, frame, customers):
        """Return rows of these customers with their facts of this moment."""
        if not customers:
            return []
        facts = self.env["coverage.facts"]
        facts._flush_documents()
        customers.flush_recordset()
        query = facts._query_facts(
            frame.company,
            frame.today,
            frame.settings,
            customers.ids,
            customers.partner_id.ids,
        )
        return self.env.execute_query(
            SQL(
                "WITH source AS MATERIALIZED (%s) %s AND c.id IN %s ORDER BY c.id",
                query,
                self._query_rows(frame, SQL("source"), is_staged=False),
                customers._ids,
            )
        )

    def _query_rows(self, frame, source, is_staged):
        """Select ``COLUMNS`` of customers, facts of ``source`` first, and ``TRAITS``.

        Traits are empty while no niche claims by them.
        """
        is_changed = SQL("s.id IS NOT NULL") if is_staged else self._query_differs()
        return SQL(
            """
            SELECT c.id, %(is_changed)s, %(is_newer)s, %(facts)s, %(rest)s, %(traits)s
              FROM coverage_customer c
              LEFT JOIN %(source)s s ON s.id = c.id %(partner)s
             WHERE c.company_id = %(company)s
            """,
            is_changed=is_changed,
            is_newer=SQL("s.version <> c.xmin") if is_staged else SQL("FALSE"),
            facts=SQL(", ").join(
                self._query_value(self._query_overlaid(name), kind)
                for name, kind in FACT_TYPES.items()
            ),
            rest=SQL(", ").join(
                self._query_value(SQL.identifier("c", name), kind)
                for name, kind in {**HELD, **FLAT}.items()
            ),
            traits=self._query_traits(frame),
            source=source,
            partner=SQL("JOIN res_partner p ON p.id = c.partner_id")
            if frame.has_niches
            else SQL(""),
            company=frame.company.id,
        )

    def _query_traits(self, frame):
        """Return the columns of ``TRAITS``."""
        if not frame.has_niches:
            return SQL(", ").join(SQL("NULL") for _trait in TRAITS)
        tags = SQL(
            """ARRAY(SELECT rel.category_id
                       FROM res_partner_res_partner_category_rel rel
                      WHERE rel.partner_id = p.id ORDER BY rel.category_id)"""
        )
        return SQL(
            "p.industry_id, p.country_id, p.state_id, p.coverage_employee_count, %s",
            tags if frame.has_tags else SQL("NULL"),
        )

    def _query_differs(self):
        """Return whether the facts of the source differ from those of the row."""
        return SQL(
            "s.id IS NOT NULL AND (%s) IS DISTINCT FROM (%s)",
            SQL(", ").join(SQL.identifier("s", name) for name in FACTS),
            SQL(", ").join(SQL.identifier("c", name) for name in FACTS),
        )

    def _query_value(self, value, kind):
        """Return a value as Python takes it fastest: amounts as floats."""
        return SQL("%s::float8", value) if kind == "numeric" else value

    def _query_overlaid(self, name):
        """Take a fact from the source where it has the row, else from the row."""
        return SQL(
            "CASE WHEN s.id IS NULL THEN %s ELSE %s END",
            SQL.identifier("c", name),
            SQL.identifier("s", name),
        )

    def _query_staged(self, is_staged=True):
        """Return the whole base with its newest facts, as the reference reads it."""
        if not is_staged:
            return SQL("SELECT * FROM coverage_customer")
        return SQL(
            """SELECT c.id, c.company_id, c.partner_id, c.active, %s
                 FROM coverage_customer c LEFT JOIN %s s ON s.id = c.id""",
            SQL(", ").join(
                SQL("%s AS %s", self._query_overlaid(name), SQL.identifier(name))
                for name in FACTS
            ),
            SQL.identifier(STAGE),
        )

    # === DECISION === #

    def _decide_rows(self, frame, rows):
        """Yield the outcome of each row; nothing is written."""
        for row in rows:
            niche = self._claim(frame, row) if frame.has_niches else None
            facts = Facts(
                *get_decided(row),
                niche.claim if niche else None,
                Contacts(*get_contacts(row)),
            )
            state = State(
                Standing(*get_segment(row)),
                Standing(*get_temperature(row)),
                Standing(*get_lifecycle(row)),
                *get_pin(row),
            )
            decision = frame.decide(facts, state)
            yield Outcome(row, facts, state, decision, self._get_flat(facts, decision))

    def _claim(self, frame, row):
        """Return the niche that a customer belongs to, if any."""
        industry, country, state, size, tags = get_traits(row)
        band = band_of(size, frame.limits)
        traits = (industry, country, state, band, tuple(tags or ()))
        if traits not in frame.claimed:
            frame.claimed[traits] = frame.claim(Traits(*traits))
        return frame.claimed[traits]

    def _get_flat(self, facts, decision):
        """Return the values of ``FLAT``, which differ for every row."""
        segment, level, life = (
            decision.segment_standing,
            decision.temperature_standing,
            decision.lifecycle_standing,
        )
        potential = decision.potential
        return (
            0.0 if potential is None else round(potential, 2),
            decision.potential_source,
            round(facts.lookalike_potential or 0.0, 2),
            decision.temperature_score,
            decision.yield_rate,
            segment.since,
            segment.left,
            segment.prior_since,
            segment.prior_left,
            level.since,
            level.left,
            level.prior_since,
            life.since,
            life.left,
            life.prior_since,
            decision.next_contact_date,
        )

    def _must_write(self, outcome):
        """Return whether anything of this row differs from what is stored."""
        row, decision = outcome.row, outcome.decision
        return (
            row[1]
            or outcome.flat != get_flat(row)
            or decision.is_pin_expired
            or self._get_values(decision) != get_outcome(row)
        )

    def _get_values(self, decision):
        """Return segment, computed segment, temperature and lifecycle."""
        return (
            decision.segment,
            decision.segment_standing.value,
            decision.temperature_standing.value,
            decision.lifecycle_standing.value,
        )

    def _get_logged(self, outcome):
        """Return ``{field: (old, new)}`` of what history and previews show."""
        old, new = get_outcome(outcome.row), self._get_values(outcome.decision)
        return {
            name: (before, after)
            for name, before, after in zip(
                ("segment_id", None, "temperature_id", "lifecycle"),
                old,
                new,
                strict=True,
            )
            if name and before and before != after
        }
