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
    def _query_as_of(self, company, day, names=AS_OF, source=None):
        """Return the customers that a company had at the end of a day, as they were.

        Columns: ``id``, those of ``names`` and, for a past day, amounts of then:
        ``potential`` and ``revenue_12m`` (float8, company currency). Flush before:
        :meth:`_flush_history`.

        :param names: some of ``AS_OF``
        :param SQL source: rows of customers with the columns of ``coverage_customer``
            that are read here; all active ones of the company when empty
        """
        moment = self._get_end(company, day)
        source = source or SQL(
            "(SELECT * FROM coverage_customer WHERE company_id = %s AND active)",
            company.id,
        )
        return SQL(
            """
            SELECT c.id, %(values)s, %(money)s
              FROM %(source)s c
              LEFT JOIN (%(former)s) former ON former.customer_id = c.id
              LEFT JOIN (%(nearest)s) nearest ON nearest.customer_id = c.id
             WHERE c.first_order_date <= %(day)s OR c.create_date < %(moment)s
                OR nearest.is_known
            """,
            values=SQL(", ").join(self._query_value(name, names) for name in names),
            money=SQL(", ").join(
                self._query_amount(name, index, moment)
                for index, name in enumerate(MONEY, start=2)
            ),
            source=source,
            former=self._query_former(company, moment, names, source),
            nearest=self._query_nearest(company, moment, source),
            day=day,
            moment=moment,
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

    def _query_amount(self, name, index, moment):
        """Return an amount of the nearest change, unless now is nearer."""
        return SQL(
            """CASE WHEN nearest.amounts[1] <= %(age)s
                    THEN nearest.amounts[%(index)s] ELSE c.%(name)s::float8
                END AS %(name)s""",
            age=(fields.Datetime.now() - moment).total_seconds(),
            index=index,
            name=SQL.identifier(name),
        )

    def _query_former(self, company, moment, names, source):
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
                     WHERE h.company_id = %(company)s AND %(happened)s
                       AND h.date >= %(moment)s AND h.field_name IN %(names)s
                       AND h.customer_id IN (SELECT id FROM %(source)s listed)
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
            company=company.id,
            happened=self._query_happened(),
            moment=moment,
            names=tuple(names),
            source=source,
        )

    def _query_nearest(self, company, moment, source):
        """Return by customer ``amounts``: seconds from the moment, and ``MONEY`` then.

        ``is_known``: there was a change before that moment.
        """
        return SQL(
            """
            SELECT h.customer_id, bool_or(h.date < %(moment)s) AS is_known,
                   min(ARRAY[abs(date_part('epoch', h.date - %(moment)s)), %(money)s])
                       AS amounts
              FROM coverage_change h
             WHERE h.company_id = %(company)s AND %(happened)s
               AND h.customer_id IN (SELECT id FROM %(source)s listed)
             GROUP BY h.customer_id
            """,
            moment=moment,
            money=SQL(", ").join(
                SQL("COALESCE(h.%s, 0)::float8", SQL.identifier(name)) for name in MONEY
            ),
            company=company.id,
            happened=self._query_happened(),
            source=source,
        )

    def _query_happened(self):
        """Return what makes a line of history a change of a customer that happened."""
        return SQL("h.model = 'coverage.customer' AND h.state IN %s", HAPPENED)
