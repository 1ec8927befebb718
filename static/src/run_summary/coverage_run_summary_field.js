import { Component } from "@odoo/owl";

import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { formatInteger, formatMonetary } from "@web/views/fields/formatters";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/**
 * What a run moves: one matrix per field (rows: from, columns: to) and the moves of
 * segment per owner. Shows what `coverage.run._get_summary()` returns.
 */
export class CoverageRunSummaryField extends Component {
    static template = "crm_sales_coverage.RunSummaryField";
    static props = { ...standardFieldProps };

    get summary() {
        return this.props.record.data[this.props.name];
    }

    get isEmpty() {
        return !this.summary || !this.summary.tables.length;
    }

    get isPlanned() {
        return this.props.record.data.state === "planned";
    }

    /** Rows of a matrix: from whom, the cell per column (or null), and their total. */
    getRows(table) {
        const cells = new Map(table.cells.map((cell) => [`${cell.from}>${cell.to}`, cell]));
        return table.values
            .map(([from, label]) => ({
                from,
                label,
                cells: table.values.map(([to]) => ({
                    key: to,
                    isSame: to === from,
                    cell: cells.get(`${from}>${to}`) || null,
                })),
                total: this.total(table.cells.filter((cell) => cell.from === from)),
            }))
            .filter((row) => row.total.count);
    }

    /** Columns of a matrix: the values somebody moves to, with their totals. */
    getColumns(table) {
        return table.values.map(([key, label]) => ({
            key,
            label,
            total: this.total(table.cells.filter((cell) => cell.to === key)),
        }));
    }

    total(cells) {
        const sum = (name) => cells.reduce((result, cell) => result + cell[name], 0);
        return { count: sum("count"), revenue: sum("revenue"), potential: sum("potential") };
    }

    label(key) {
        const segments = this.summary.tables.find((table) => table.name === "segment_id");
        return new Map(segments.values).get(key) ?? "";
    }

    integer(value) {
        return formatInteger(value);
    }

    money(value) {
        return formatMonetary(Math.round(value), {
            currencyId: this.props.record.data.currency_id?.id,
            digits: [16, 0],
        });
    }

    cellTitle(cell) {
        return _t("Revenue %(revenue)s, potential %(potential)s", {
            revenue: this.money(cell.revenue),
            potential: this.money(cell.potential),
        });
    }
}

registry.category("fields").add("coverage_run_summary", {
    component: CoverageRunSummaryField,
    displayName: _t("Summary of a Run"),
    supportedTypes: ["json"],
    isEmpty: () => false,
    fieldDependencies: [
        { name: "currency_id", type: "many2one", relation: "res.currency" },
        { name: "state", type: "selection" },
    ],
});
