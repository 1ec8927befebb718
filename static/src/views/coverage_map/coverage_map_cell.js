import { Component } from "@odoo/owl";

import { _t } from "@web/core/l10n/translation";
import { sprintf } from "@web/core/utils/strings";

import { describe, formatShare, formatShort, getMove } from "./coverage_map_words";

const MORE_WIDTH = 56;
const LINE = 14; // px, as in the style sheet
const MOVES = { "-1": "▼", 0: "", 1: "▲" };

/** One cell: its figures, and its customers as tiles. */
export class CoverageMapCell extends Component {
    static template = "crm_sales_coverage.MapCell";
    static props = {
        layout: { type: [Object, { value: null }] },
        data: Object,
        signs: Object,
        label: String,
        title: { type: String, optional: true },
        selected: String,
        isSelecting: Boolean,
        model: Object,
        openList: Function,
    };

    get cell() {
        return this.props.layout.cell;
    }

    get words() {
        return `${this.props.label}: ${describe(this.cell, this.props.data.currency_id)}`;
    }

    get potential() {
        return formatShort(this.cell.potential, this.props.data.currency_id);
    }

    get share() {
        return formatShare(this.cell.red, this.cell.rated);
    }

    /** What the template draws: plain values, made once per tile. */
    get tiles() {
        const selected = new Set(this.props.selected.split(",").map(Number));
        return this.props.layout.rects.map((rect) =>
            this.prepareTile(rect, selected.has(rect.tile.id))
        );
    }

    prepareTile({ tile, x, y, width, height }, isSelected) {
        const { signs, data } = this.props;
        const sign = signs[tile.temperature];
        const move = data.compare_day ? getMove(tile) : null;
        const lines = width >= 54 ? Math.floor((height - 2) / LINE) : 0;
        const hasShare = lines >= 2 && tile.temperature;
        return {
            id: tile.id,
            isSelected,
            style: `left:${x}px;top:${y}px;width:${width}px;height:${height}px`,
            className: [
                `o_coverage_${tile.temperature || "none"}`,
                tile.lifecycle === "prospect" ? "o_coverage_map_hatched" : "",
                move === 0 ? "o_coverage_map_same" : "",
                isSelected ? "o_coverage_map_selected" : "",
            ].join(" "),
            sign: width >= 15 && height >= 15 ? MOVES[move] || sign?.icon || "" : "",
            name: lines ? tile.name : "",
            nameStyle: `max-height:${LINE * (hasShare ? lines - 1 : lines)}px`,
            share: hasShare ? this.getYield(tile) : "",
            label: this.getLabel(tile, sign, move),
        };
    }

    getYield({ potential, revenue, temperature }) {
        return temperature && potential ? formatShare(revenue, potential) : "";
    }

    getLabel(tile, sign, move) {
        const parts = [tile.name, sign?.name, this.getYield(tile)];
        if (move) {
            const before = this.props.signs[tile.before].name;
            parts.push(sprintf(_t("was %s", before)));
        }
        return parts.filter(Boolean).join(", ");
    }

    get moreLabel() {
        const { width, more } = this.props.layout.more;
        return width < MORE_WIDTH ? `+${more.count}` : sprintf(_t("+%s more"), more.count);
    }

    getPlace({ x, y, width, height }) {
        return `left:${x}px;top:${y}px;width:${width}px;height:${height}px`;
    }

    /** A cell opens as a list; while selecting, it selects what it shows. */
    onHead() {
        const { isSelecting, layout, model } = this.props;
        if (!isSelecting) {
            return this.openAll();
        }
        const ids = layout.rects.map(({ tile }) => tile.id);
        return model.selectAll(ids, !ids.every((id) => model.selection.has(id)));
    }

    openAll() {
        const { label, openList } = this.props;
        if (this.cell.domain) {
            openList(this.cell.domain, label);
        }
    }
}
