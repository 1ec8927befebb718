from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

LINKS = ("segment_id", "temperature_id", "user_id", "team_id")
AS_OF = (*LINKS, "lifecycle")
MONEY = ("potential", "revenue_12m")
HAPPENED = ("applied", "undone", "kept")


class CoverageHistory(models.AbstractModel):
    """The state of customers at the end of a past day, read from the changes since.

    A value of that day is the old one of the first change after it, else today's.
    Undone runs read right: what they did happened, and so did taking it back. Amounts
    are kept with changes only: those of the change nearest in time count, or today's
    where now is nearer. A first class is in no history: it is taken for what the
    customer was before.
    """

    _name = "coverage.history"
    _description = "History of Customers"

    @api.model
    def _get_first_day(self, company):
        """Return the day of a company from which on there is history."""
        company = company.sudo()
        self._flush_history()
        now = fields.Datetime.now()
        first = self.env.execute_query(self._query_first_moment(company))[0][0]
        return company._get_coverage_today(min(first or now, now))

    def _query_first_moment(self, company):
        """Return the moment of the first row, or of the first change: what is first."""
        return SQL(
            """
            SELECT LEAST(
                (SELECT create_date FROM coverage_customer
                  WHERE company_id = %(company)s AND active ORDER BY id LIMIT 1),
                (SELECT h.date FROM coverage_change h
                  WHERE h.company_id = %(company)s AND %(happened)s
                  ORDER BY h.date LIMIT 1))
            """,
            company=company.id,
            happened=self._query_happened(),
        )

    @api.model
    def _query_as_of(
        self, company, day, names=AS_OF + MONEY, source=None, is_all=False
    ):
        """Return the customers that a company had at the end of a day, as they were.

        Columns: ``id`` and those of ``names``, amounts as float8 in company currency.
        Flush before: :meth:`_flush_history`. Made for past days.

        :param names: some of ``AS_OF`` and ``MONEY``
        :param SQL source: rows of customers with the columns of ``coverage_customer``
            that are read here; all active ones of the company when empty
        :param bool is_all: the source is most of the company: read its whole history
        """
        moment = self._get_end(company, day)
        values = [name for name in AS_OF if name in names]
        money = [name for name in MONEY if name in names]
        rows = source or SQL(
            "(SELECT * FROM coverage_customer WHERE company_id = %s AND active)",
            company.id,
        )
        scope = SQL("h.company_id = %s AND %s", company.id, self._query_happened())
        if source and not is_all:  # thousands of look-ups are slower than one pass
            listed = SQL("h.customer_id IN (SELECT id FROM %s listed)", source)
            scope = SQL("%s AND %s", scope, listed)
        return SQL(
            """
            SELECT c.id, %(columns)s
              FROM %(rows)s c
              LEFT JOIN (%(former)s) former ON former.customer_id = c.id
              %(nearest)s
             WHERE c.first_order_date <= %(day)s OR c.create_date < %(moment)s
                OR EXISTS (SELECT FROM coverage_change h
                            WHERE h.customer_id = c.id AND h.date < %(moment)s
                              AND %(happened)s)
            """,
            columns=SQL(", ").join(
                [self._query_value(name, values) for name in values]
                + [self._query_amount(name, moment) for name in money]
            ),
            rows=rows,
            former=self._query_former(scope, moment, values),
            nearest=self._query_nearest(scope, moment) if money else SQL(),
            day=day,
            moment=moment,
            happened=self._query_happened(),
        )

    @api.model
    def _get_end(self, company, day):
        """Return the moment, naive UTC, at which a day of a company is over."""
        return company.sudo()._get_coverage_midnight(day + timedelta(days=1))

    def _flush_history(self):
        """Write what the ORM holds back of what these queries read."""
        self.env["coverage.change"].flush_model()
        self.env["coverage.customer"].flush_model()

    def _query_value(self, name, names):
        """Return a value of then; who never bought has no temperature."""
        column = SQL.identifier(name)
        former = SQL("NULLIF(former.%s, '')", column)
        if name in LINKS:
            former = SQL("%s::int", former)
        value = SQL(
            "CASE WHEN former.%s IS NULL THEN c.%s ELSE %s END", column, column, former
        )
        if name == "temperature_id" and "lifecycle" in names:
            value = SQL(
                "CASE WHEN COALESCE(former.lifecycle, c.lifecycle) <> 'prospect' "
                "THEN %s END",
                value,
            )
        return SQL("%s AS %s", value, column)

    def _query_amount(self, name, moment):
        """Return an amount of the change nearest to a moment, unless now is nearer.

        Now is never nearer than a change after that moment.
        """
        return SQL(
            """CASE WHEN %(moment)s - earlier.date
                         <= COALESCE(later.date, %(now)s) - %(moment)s
                    THEN COALESCE(earlier.%(name)s, 0)
                    WHEN later.date IS NOT NULL THEN COALESCE(later.%(name)s, 0)
                    ELSE c.%(name)s END::float8 AS %(name)s""",
            moment=moment,
            now=fields.Datetime.now(),
            name=SQL.identifier(name),
        )

    def _query_former(self, scope, moment, names):
        """Return by customer the old values of the first changes after a moment.

        NULL: did not change since; an empty text: had no value.
        """
        return SQL(
            """
            SELECT customer_id, %(values)s
              FROM (SELECT DISTINCT ON (h.customer_id, h.field_name)
                           h.customer_id, h.field_name,
                           COALESCE(h.old_value, '') AS value
                      FROM coverage_change h
                     WHERE %(scope)s AND h.date >= %(moment)s
                       AND h.field_name IN %(names)s
                     ORDER BY h.customer_id, h.field_name, h.date, h.id) first
             GROUP BY customer_id
            """,
            values=SQL(", ").join(
                SQL(
                    "max(value) FILTER (WHERE field_name = %s) AS %s",
                    name,
                    SQL.identifier(name),
                )
                for name in names
            ),
            scope=scope,
            moment=moment,
            names=tuple(names),
        )

    def _query_nearest(self, scope, moment):
        """Join the last change before a moment, and the first one after it."""
        money = SQL(", ").join(SQL.identifier("h", name) for name in MONEY)
        what = SQL("DISTINCT ON (h.customer_id) h.customer_id, h.date, %s", money)
        return SQL(
            """
            LEFT JOIN (SELECT %(what)s FROM coverage_change h
                        WHERE %(scope)s AND h.date < %(moment)s
                        ORDER BY h.customer_id DESC, h.date DESC, h.id DESC) earlier
                   ON earlier.customer_id = c.id
            LEFT JOIN (SELECT %(what)s FROM coverage_change h
                        WHERE %(scope)s AND h.date >= %(moment)s
                        ORDER BY h.customer_id, h.date, h.id) later
                   ON later.customer_id = c.id
            """,
            what=what,
            scope=scope,
            moment=moment,
        )

    def _query_happened(self):
        """Return what makes a line of history a change of a customer that happened."""
        return SQL("h.model = 'coverage.customer' AND h.state IN %s", HAPPENED)
