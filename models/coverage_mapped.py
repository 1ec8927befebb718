from odoo import api, models


class CoverageMapped(models.AbstractModel):
    """A customer on the temperature map: where it lies, and what its tile tells."""

    _name = "coverage.mapped"
    _description = "Customer on the Map"

    @api.model
    @api.readonly
    def get_map(
        self,
        domain=None,
        row="segment_id",
        column="user_id",
        day=None,
        compare_day=None,
        cell_limit=60,
        tile_limit=10_000,
        with_prospects=False,
    ):
        """Return the temperature map of the current company as plain data.

        Of several companies chosen only the first is shown, and named: amounts of
        different currencies are not added up. The domain is that of today; rows and
        columns by segment, temperature, lifecycle, owner or team are those of the day.

        :param domain: which customers; record rules leave those one may see
        :param str row: field to group by, dates with a span: ``last_order_date:month``
        :param str column: the same; empty: one column
        :param day: a past day; empty: today
        :param compare_day: an earlier day, for who cooled and who warmed since
        :param int cell_limit: tiles of one cell at most, the highest potential first
        :param int tile_limit: tiles of the whole map at most
        :param bool with_prospects: show those that never bought
        :return: dict of ``company`` (id, name), ``currency_id``, the days ``today``,
            ``first_day``, ``day`` and ``compare_day``; ``row`` and ``column`` (name,
            label); ``rows``, ``columns``, ``total`` and ``cells`` with figures: count,
            potential, revenue, rated (have a temperature), red (hot or warm), blue
            (cool or frozen), cooled, warmed, and what opens them (``domain``, False
            where no list of today can); ``tiles``: lists of id, index of the cell,
            name, potential, revenue, temperature code, lifecycle, segment code and the
            temperature code before; ``prospects``, the number left out
        :raises UserError: for days, fields and filters that cannot be
        """
        options = {
            "row": row,
            "column": column,
            "day": day,
            "compare_day": compare_day,
            "cell_limit": cell_limit,
            "tile_limit": tile_limit,
            "with_prospects": with_prospects,
        }
        return self.env["coverage.map"]._get_map(self.browse(), domain, options)

    @api.readonly
    def get_map_tile(self, day=None):
        """Return what a tile of the map tells of its customer, as plain data.

        :param day: a past day; empty: today
        :raises AccessError: for customers the user may not see
        :raises UserError: for days that cannot be
        """
        self.ensure_one()
        self.check_access("read")
        return self.env["coverage.map.tile"]._get_tile(self, day)
