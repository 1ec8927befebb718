import { Component } from "@odoo/owl";

import { useService } from "@web/core/utils/hooks";

import { CoverageMapTimeline } from "./coverage_map_timeline";

const CODES = ["hot", "warm", "mild", "cool", "frozen"];

/** Rows, columns, legend, prospects, the day; export and print. */
export class CoverageMapToolbar extends Component {
    static template = "crm_sales_coverage.MapToolbar";
    static components = { CoverageMapTimeline };
    static props = {
        model: Object,
        data: Object,
        isSelecting: Boolean,
        exportMap: Function,
        printMap: Function,
    };

    setup() {
        this.ui = useService("ui");
    }

    get model() {
        return this.props.model;
    }

    /** What the menus offer; what is shown now is always among it. */
    getAxes({ name, label }) {
        const { axes } = this.model.metaData;
        return axes.some((axis) => axis.name === name) ? axes : [...axes, { name, label }];
    }

    get legend() {
        return CODES.map((code) => this.model.signs[code]).filter(Boolean);
    }

    setRow(row) {
        const { column } = this.model.metaData;
        this.model.show({ row, column: column === row ? this.model.metaData.row : column });
    }

    setColumn(column) {
        const { row } = this.model.metaData;
        this.model.show({ column, row: row === column ? this.model.metaData.column : row });
    }

    toggleProspects() {
        this.model.show({ withProspects: !this.model.metaData.withProspects });
    }

    toggleSelecting() {
        this.model.metaData.isSelecting = !this.props.isSelecting;
        this.model.notify();
    }
}
