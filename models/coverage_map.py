from psycopg2 import DataError

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from .coverage_history import LINKS
from .coverage_map_axis import Axis
from .coverage_map_picture import Picture
from .coverage_temperature import CODES
from .groups import MANAGER

LIFECYCLES = ["prospect", "new", "regular", "sleeping"]
READ = (*LINKS, "lifecycle", "first_order_date", "create_date")
MOST_TILES = 20_000


class CoverageMap(models.AbstractModel):
    """Puts customers on a map: rows × columns, each customer a tile in its cell.

    One query under the user's own rights finds the cells with their figures and their
    first tiles; a second one names those. Rows, columns and total are sums of cells.
    Red are hot and warm customers, blue are cool and frozen ones.
    """

    _name = "coverage.map"
    _description = "Temperature Map"

    @api.model
    def _get_map(self, customers, domain, options):
        """Return the map as plain data; see ``coverage.customer.get_map``.

        :param customers: the empty recordset, with the user's rights
        :param dict options: the other arguments of ``get_map``
        """
        company = self.env.company
        frame = self._prepare_frame(company, options)
        axes = {name: Axis(customers, options[name]) for name in ("row", "column")}
        domain = self._check_domain(domain, company)
        cells, prospects = self._collect(customers, domain, axes, frame)
        if not frame["with_prospects"]:
            domain &= Domain("lifecycle", "!=", "prospect")
        picture = Picture(self.env, axes, cells, domain, frame)
        return {
            "company": {"id": company.id, "name": company.name},
            "currency_id": company.currency_id.id,
            **{name: str(frame[name]) for name in ("today", "first_day", "day")},
            "compare_day": str(frame["compare_day"] or "") or False,
            **{name: axis.get_head() for name, axis in axes.items()},
            "rows": picture.get_rows("row"),
            "columns": picture.get_rows("column"),
            "total": picture.get_total(),
            "cells": picture.get_cells(),
            "tiles": self._name_tiles(picture.get_tiles()),
            "prospects": prospects,
        }

    # === WHAT IS ASKED FOR === #

    def _prepare_frame(self, company, options):
        """Return the days and limits of a map, checked.

        :raises UserError: for days that are none, to come, or before all history
        """
        today = company.sudo()._get_coverage_today(fields.Datetime.now())
        first = self.env["coverage.history"]._get_first_day(company)
        day = self._check_day(options["day"], first, today) or today
        compared = self._check_day(options["compare_day"], first, day)
        return {
            "company": company,
            "today": today,
            "first_day": first,
            "day": day,
            "compare_day": compared,
            "is_past": day < today,
            "with_prospects": bool(options["with_prospects"]),
            **{
                name: self._check_limit(options[name])
                for name in ("cell_limit", "tile_limit")
            },
        }

    def _check_day(self, value, first, last):
        """Return a day between two others."""
        try:
            day = fields.Date.to_date(value or False)
        except (TypeError, ValueError):
            day = first.min
        if day and not first <= day <= last:
            raise UserError(
                self.env._(
                    "There is no map of %(day)s. Choose a day from %(first)s to "
                    "%(last)s.",
                    day=value,
                    first=first,
                    last=last,
                )
            )
        return day

    def _check_limit(self, value):
        if not isinstance(value, int) or not 0 <= value <= MOST_TILES:
            raise UserError(
                self.env._(
                    "A map shows from 0 to %(most)s tiles: %(value)s cannot be.",
                    most=MOST_TILES,
                    value=value,
                )
            )
        return value

    def _check_domain(self, domain, company):
        """Return a domain of customers of one company.

        :raises UserError: when it names what customers do not have
        """
        try:
            return Domain(domain or []) & Domain("company_id", "=", company.id)
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise self._refuse_domain(error) from error

    def _refuse_domain(self, error):
        return UserError(
            self.env._(
                "These filters cannot be applied to customers. Remove the last one. "
                "(%(error)s)",
                error=str(error).splitlines()[0],
            )
        )

    # === CELLS === #

    def _collect(self, customers, domain, axes, frame):
        """Return the cells, and how many prospects were left out.

        :return: list of dicts: figures, ``row`` and ``column`` (values), ``tiles``
        """
        self.env["coverage.history"]._flush_history()
        try:
            query = customers.with_context(active_test=True)._search(domain)
            if query.is_empty():
                return [], 0
            found = self.env.execute_query_dict(
                self._query_cells(customers, query, axes, frame)
            )
        except (DataError, ValueError, TypeError) as error:
            raise self._refuse_domain(error) from error
        left_out = sum(cell["count"] for cell in found if cell["is_left_out"])
        return [cell for cell in found if not cell["is_left_out"]], left_out

    def _query_cells(self, customers, query, axes, frame):
        """Return one row a cell: figures, and its first tiles as arrays of numbers."""
        return SQL(
            """
            WITH visible AS MATERIALIZED (%(visible)s),
            placed AS (%(placed)s),
            coloured AS (
                SELECT *, %(level)s AS level, %(before)s AS before_level,
                       lifecycle = 'prospect' AND NOT %(with_prospects)s AS is_left_out
                  FROM placed
            )
            SELECT "row", "column", COALESCE(is_left_out, FALSE) AS is_left_out,
                   count(*), COALESCE(sum(potential), 0) AS potential,
                   COALESCE(sum(revenue), 0) AS revenue, count(level) AS rated,
                   count(*) FILTER (WHERE level >= 4) AS red,
                   count(*) FILTER (WHERE level <= 2) AS blue,
                   count(*) FILTER (WHERE level < before_level) AS cooled,
                   count(*) FILTER (WHERE level > before_level) AS warmed,
                   (array_agg(ARRAY[id, potential, revenue, COALESCE(level, 0),
                              COALESCE(before_level, 0), COALESCE(segment_id, 0),
                              COALESCE(array_position(%(lifecycles)s, lifecycle), 0)]
                              ORDER BY potential DESC, id)
                        FILTER (WHERE is_left_out IS NOT TRUE))[1:%(limit)s] AS tiles
              FROM coloured
             GROUP BY 1, 2, 3
            """,
            visible=self._query_visible(customers, query, axes, frame),
            placed=self._query_placed(axes, frame),
            level=self._query_level("temperature_id"),
            before=self._query_level("before_id"),
            with_prospects=frame["with_prospects"],
            lifecycles=LIFECYCLES,
            limit=frame["cell_limit"],
        )

    def _query_visible(self, customers, query, axes, frame):
        """Return what the user may see, as it is today, with values of both axes."""
        table = customers._table
        names = [SQL.identifier(table, name) for name in READ]
        return query.select(
            SQL.identifier(table, "id"),
            SQL("%s::float8", SQL.identifier(table, "potential")),
            SQL("%s::float8", SQL.identifier(table, "revenue_12m")),
            *names,
            *(
                SQL("%s AS %s", axis.to_sql(query), SQL.identifier(f"{name}_now"))
                for name, axis in axes.items()
            ),
        )

    def _query_placed(self, axes, frame):
        """Return each customer in its row and column of the day, with its colours."""
        history, company = self.env["coverage.history"], frame["company"]
        source, past, before = SQL("visible"), SQL(), SQL()
        state, before_id = SQL("v"), SQL("NULL::int")
        is_all = self.env.su or self.env.user.has_group(MANAGER)
        if frame["is_past"]:
            state = SQL("past")
            then = history._query_as_of(
                company, frame["day"], source=source, is_all=is_all
            )
            past = SQL("JOIN (%s) past ON past.id = v.id", then)
        if frame["compare_day"]:
            before_id = SQL("before.temperature_id")
            names = ("temperature_id", "lifecycle")
            then = history._query_as_of(
                company, frame["compare_day"], names, source, is_all
            )
            before = SQL("LEFT JOIN (%s) before ON before.id = v.id", then)
        return SQL(
            """
            SELECT v.id, %(places)s,
                   COALESCE(%(state)s.potential, 0) AS potential,
                   COALESCE(%(state)s.revenue_12m, 0) AS revenue,
                   %(state)s.temperature_id, %(state)s.segment_id, %(state)s.lifecycle,
                   %(before_id)s AS before_id
              FROM visible v %(past)s %(before)s
            """,
            places=SQL(", ").join(
                self._query_place(name, axis, frame) for name, axis in axes.items()
            ),
            state=state,
            before_id=before_id,
            past=past,
            before=before,
        )

    def _query_place(self, name, axis, frame):
        """Return in which row, or column, a customer was."""
        if frame["is_past"] and axis.is_as_of:
            value = SQL.identifier("past", axis.name)
        else:
            value = SQL.identifier("v", f"{name}_now")
        return SQL("%s AS %s", value, SQL.identifier(name))

    def _query_level(self, column):
        """Return a temperature as a number: 1 is frozen, 5 is hot."""
        levels = self.env["coverage.temperature"]._get_stored_rules()
        ids = {code: key for key, code, _score in levels}
        return SQL(
            "array_position(%s, %s)",
            [ids.get(code) for code in CODES],
            SQL.identifier(column),
        )

    # === TILES === #

    def _name_tiles(self, tiles):
        """Return the tiles as the client draws them, with their names.

        :param tiles: ``[(index of the cell, numbers of the query)]``
        """
        names = self._get_names([int(numbers[0]) for _cell, numbers in tiles])
        segments = self.env["coverage.segment"]._get_codes()
        codes, lives = ["", *CODES], ["", *LIFECYCLES]
        return [
            [
                int(id_),
                cell,
                names.get(int(id_), ""),
                round(potential, 2),
                round(revenue, 2),
                codes[int(level)],
                lives[int(lifecycle)],
                segments.get(int(segment), ""),
                codes[int(before)],
            ]
            for cell, (
                id_,
                potential,
                revenue,
                level,
                before,
                segment,
                lifecycle,
            ) in tiles
        ]

    def _get_names(self, ids):
        """Return the names of customers, which whoever sees them may read."""
        self.env["res.partner"].flush_model(["complete_name"])
        return dict(self.env.execute_query(self._query_names(ids))) if ids else {}

    def _query_names(self, ids):
        """Read stored names at once: the ORM would fetch and format each partner."""
        return SQL(
            """SELECT c.id, p.complete_name FROM coverage_customer c
                 JOIN res_partner p ON p.id = c.partner_id WHERE c.id = ANY(%s)""",
            ids,
        )
