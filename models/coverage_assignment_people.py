from collections import defaultdict

from odoo import models
from odoo.tools import SQL

SUMMED = ("customers", "a", "load", "potential", "revenue")


class CoverageAssignmentPeople(models.AbstractModel):
    """Says what each person of a plan has before it."""

    _name = "coverage.assignment.people"
    _description = "People of an Assignment"

    def _collect_people(self, run, moves, rows, matches):
        """Return all who give, take or hold one of the roles asked for.

        :return: ``[{id, capacity, customers, a, load, potential, revenue}]`` by id;
            ``load`` and ``capacity`` in contacts a month
        """
        ids = {one.receiver for one in moves}
        ids |= {rows[one.key]["user_id"] for one in moves} - {None}
        capacity = {
            key: one.capacity
            for match in matches.values()
            for key, one in match.candidates.items()
            if one.seniority is not None and not one.is_archived
        }
        ids |= capacity.keys()
        owned = self._sum_owned(run, ids)
        return [
            {
                "id": key,
                "capacity": capacity.get(key, 0.0),
                **dict(zip(SUMMED, owned[key], strict=True)),
            }
            for key in sorted(ids)
        ]

    def _sum_owned(self, run, user_ids):
        """Return ``{user id: (customers, A, load, potential, revenue)}``."""
        frame = self._prepare_frame(run.company_id, run.date)
        interval_of = self._get_interval_of(frame)
        first = frame.rules.segments[0].key if frame.rules.segments else None
        owned = defaultdict(lambda: (0, 0, 0.0, 0.0, 0.0))
        query = self._query_owned(run.company_id, user_ids)
        for user_id, segment, potential, revenue in self.env.execute_query(query):
            interval = interval_of(segment, potential)
            load = 30 / interval if interval else 0.0
            added = (1, int(segment == first), load, potential, revenue)
            owned[user_id] = tuple(map(sum, zip(owned[user_id], added, strict=True)))
        return owned

    def _query_owned(self, company, user_ids):
        """Select the customers of some people with what they weigh."""
        return SQL(
            """
            SELECT user_id, segment_id, COALESCE(potential, 0)::float8,
                   COALESCE(revenue_12m, 0)::float8
              FROM coverage_customer
             WHERE active AND company_id = %s AND user_id IN %s
            """,
            company.id,
            tuple(user_ids) or (0,),
        )
