import io

from odoo import api, models
from odoo.exceptions import AccessError

from .coverage_map import MOST_TILES

EXPORT = "base.group_allow_export"
HEADINGS = 2  # rows above the matrix: the columns' names, and what is measured
MEASURES = 3  # columns of the sheet for each column of the map


class CoverageMapSheet(models.AbstractModel):
    """The temperature map as a workbook: the matrix, and the customers in it.

    Made of what ``get_map`` returns, so that nobody exports more than he may see.
    """

    _name = "coverage.map.sheet"
    _description = "Temperature Map as a Workbook"

    @api.model
    def _export(self, options):
        """Return the name and the bytes of the workbook.

        :param dict options: arguments of ``get_map``; the limits are our own
        :raises AccessError: for users who may not export
        """
        if not self.env.user.has_group(EXPORT):
            raise AccessError(
                self.env._("You may not export. Ask your administrator for the right.")
            )
        limits = {"cell_limit": MOST_TILES, "tile_limit": MOST_TILES}
        data = self.env["coverage.customer"].get_map(**{**options, **limits})
        return self._get_name(data), self._make_workbook(data)

    def _get_name(self, data):
        return self.env._(
            "Temperature Map %(company)s %(day)s",
            company=data["company"]["name"],
            day=data["day"],
        )

    def _make_workbook(self, data):
        import xlsxwriter  # noqa: PLC0415  # as Odoo does: only who exports pays for it

        output = io.BytesIO()
        with xlsxwriter.Workbook(output, {"in_memory": True}) as book:
            formats = {
                "bold": book.add_format({"bold": True}),
                "money": book.add_format({"num_format": "#,##0"}),
                "share": book.add_format({"num_format": "0%"}),
                "day": book.add_format({"num_format": "yyyy-mm-dd"}),
            }
            self._write_matrix(book.add_worksheet(self.env._("Map")), data, formats)
            self._write_customers(
                book.add_worksheet(self.env._("Customers")), data, formats
            )
        return output.getvalue()

    # === THE MATRIX === #

    def _write_matrix(self, sheet, data, formats):
        """Write rows × columns: how many, potential, and the share of red."""
        columns = [{**data["total"], "label": self.env._("Total")}, *data["columns"]]
        sheet.freeze_panes(HEADINGS, 1)
        sheet.set_column(0, 0, 24)
        sheet.write(0, 0, data["row"]["label"], formats["bold"])
        for index, column in enumerate(columns):
            self._write_heading(sheet, index, column["label"], formats)
        total = {**data["total"], "label": self.env._("Total")}
        for index, row in enumerate([*data["rows"], total]):
            sheet.write(HEADINGS + index, 0, row["label"], formats["bold"])
            self._write_figures(sheet, HEADINGS + index, 0, row, formats)
        for index, column in enumerate(data["columns"], start=1):
            line = HEADINGS + len(data["rows"])
            self._write_figures(sheet, line, index, column, formats)
        for cell in data["cells"]:
            place = HEADINGS + cell["row"], cell["column"] + 1
            self._write_figures(sheet, *place, cell, formats)
        self._colour(sheet, len(data["rows"]), len(columns))

    def _write_heading(self, sheet, index, label, formats):
        first = 1 + index * MEASURES
        words = [self.env._("Customers"), self.env._("Potential"), self.env._("Red")]
        sheet.write(0, first, label, formats["bold"])
        for offset, word in enumerate(words):
            sheet.write(1, first + offset, word)

    def _write_figures(self, sheet, line, index, group, formats):
        first = 1 + index * MEASURES
        sheet.write(line, first, group["count"])
        sheet.write(line, first + 1, group["potential"], formats["money"])
        if group["rated"]:
            red = group["red"] / group["rated"]
            sheet.write(line, first + 2, red, formats["share"])

    def _colour(self, sheet, row_count, column_count):
        """Colour the shares from blue to red, like the map."""
        scale = {
            "type": "3_color_scale",
            "min_type": "num",
            "mid_type": "num",
            "max_type": "num",
            "min_value": 0,
            "mid_value": 0.5,
            "max_value": 1,
            "min_color": "#5794dd",
            "mid_color": "#e8bb1d",
            "max_color": "#c93a1e",
        }
        last = HEADINGS + row_count
        for index in range(column_count):
            place = 3 + index * MEASURES
            sheet.conditional_format(HEADINGS, place, last, place, scale)

    # === THE CUSTOMERS === #

    def _write_customers(self, sheet, data, formats):
        """Write a line for each customer, the highest potential of each cell first."""
        headings, lines = self._get_lines(data)
        for index, heading in enumerate(headings):
            sheet.write(0, index, heading, formats["bold"])
        sheet.freeze_panes(1, 1)
        sheet.set_column(0, 0, 36)
        sheet.set_column(1, len(headings), 16)
        for number, line in enumerate(lines, start=1):
            for index, (value, style) in enumerate(line):
                sheet.write(number, index, value, formats.get(style))
        sheet.autofilter(0, 0, max(len(lines), 1), len(headings) - 1)
        if hidden := sum(cell["hidden"] for cell in data["cells"]):
            sheet.write(len(lines) + 1, 0, self.env._("%s more customers", hidden))

    def _get_lines(self, data):
        """Return headings, and for each customer its values with their styles."""
        names = {
            one.code: one.name for one in self.env["coverage.temperature"].search([])
        }
        labels = self._get_labels()
        nexts = self._get_next_contacts(data)
        headings = [
            self.env._("Customer"),
            data["row"]["label"],
            data["column"]["label"],
            labels["segment_id"],
            labels["temperature_id"],
            labels["potential"],
            labels["revenue_12m"],
            labels["yield_rate"],
        ]
        lines = []
        for tile in data["tiles"]:
            lines.append(self._get_line(data, tile, names))
            if nexts:
                lines[-1].append((nexts.get(tile[0]) or "", "day"))
            if data["compare_day"]:
                lines[-1].append((names.get(tile[8], ""), None))
        headings += [labels["next_contact_date"]] if nexts else []
        headings += (
            [self.env._("Temperature on %s", data["compare_day"])]
            if data["compare_day"]
            else []
        )
        return headings, lines

    def _get_line(self, data, tile, names):
        _id, place, name, potential, revenue, code, _lifecycle, segment, _before = tile
        cell = data["cells"][place]
        rate = revenue / potential if potential else ""
        return [
            (name, None),
            (data["rows"][cell["row"]]["label"], None),
            (data["columns"][cell["column"]]["label"], None),
            (segment, None),
            (names.get(code, ""), None),
            (potential, "money"),
            (revenue, "money"),
            (rate, "share"),
        ]

    def _get_labels(self):
        fields = self.env["coverage.customer"].fields_get(attributes=["string"])
        return {name: field["string"] for name, field in fields.items()}

    def _get_next_contacts(self, data):
        """Return the next contact by customer id; nobody knows those of a past day."""
        if data["day"] != data["today"]:
            return {}
        customers = self.env["coverage.customer"].browse(
            [tile[0] for tile in data["tiles"]]
        )
        return {one.id: one.next_contact_date for one in customers}
