from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

SHORT_DAYS = 90
LONG_DAYS = 365


class CoverageReport(models.AbstractModel):
    """What the reports share: companies, their days, and where their windows begin.

    A report is a query over the companies one works in. Parts of it that a view does
    not ask for are LEFT JOINs on a unique key, which PostgreSQL leaves out.
    """

    _name = "coverage.report"
    _description = "Coverage Report"

    def _read_group_orderby(self, order, groupby_terms, query):
        """Keep groups of a selection in its own order; that of codes says nothing."""
        ranked = {
            name: self._query_rank(name, term)
            for name, term in groupby_terms.items()
            if name in self._fields and self._fields[name].type == "selection"
        }
        terms = {**groupby_terms, **ranked}
        clause = super()._read_group_orderby(order, terms, query)
        for name in terms.keys() - ranked.keys():
            groupby_terms[name] = terms[name]  # may have grown by what orders it
        return clause

    def _query_rank(self, name, term):
        """Return the place of a code among those of its selection."""
        codes = [code for code, _label in self._fields[name].selection]
        return SQL("array_position(%s::text[], %s::text)", codes, term)

    @api.model
    def _query_company_ids(self):
        """Return the companies one works in, as a list for ``IN``."""
        return SQL("(%s)", SQL(", ").join(SQL("%s", one) for one in self._get_ids()))

    @api.model
    def _query_frame(self):
        """Return one row a company: what its days are, and where windows begin.

        Columns: company_id, tz, today, since_90d and since_12m (UTC), reference.
        """
        rows = [self._prepare_frame_row(company) for company in self._get_companies()]
        return SQL("VALUES %s", SQL(", ").join(rows))

    @api.model
    def _query_earliest(self):
        """Return the earliest begin of the long window: what an index can use."""
        companies = self._get_companies()
        return SQL("%s", min(self._get_since(one, LONG_DAYS) for one in companies))

    def _prepare_frame_row(self, company):
        reference = self.env["coverage.reference"].sudo()._get_latest(company)
        return SQL(
            "(%s::int, %s::text, %s::date, %s::timestamp, %s::timestamp, %s::float8)",
            company.id,
            company._get_coverage_tz(),
            company._get_coverage_today(fields.Datetime.now()),
            self._get_since(company, SHORT_DAYS),
            self._get_since(company, LONG_DAYS),
            reference.amount,
        )

    def _get_since(self, company, days):
        """Return the moment (naive UTC) at which a window of so many days begins."""
        day = company._get_coverage_today(fields.Datetime.now())
        return company._get_coverage_midnight(day - timedelta(days=days - 1))

    def _get_companies(self):
        """Return the companies one works in; their days are no secret to them."""
        return self.env.companies.sudo()

    def _get_ids(self):
        return self._get_companies().ids
