import { KeepLast } from "@web/core/utils/concurrency";
import { Model } from "@web/model/model";

export const TILE_LIMIT = 10_000;
const TILE_AREA = 12 * 12; // a smaller tile is no longer seen, nor hit
const TILE = [
    "id",
    "cell",
    "name",
    "potential",
    "revenue",
    "temperature",
    "lifecycle",
    "segment",
    "before",
];
const SHOWN = ["row", "column", "day", "compareDay", "withProspects"];

/** How many tiles fit on this screen. */
export function getTileLimit({ innerWidth, innerHeight }) {
    return Math.min(TILE_LIMIT, Math.ceil((1.5 * innerWidth * innerHeight) / TILE_AREA));
}

/**
 * What the map shows (rows, columns, day, prospects), its figures and the selection.
 *
 * `metaData` survives the way to a customer and back, and goes into favourites.
 */
export class CoverageMapModel extends Model {
    setup(params) {
        this.keepLast = new KeepLast();
        this.metaData = {
            day: false,
            compareDay: false,
            withProspects: false,
            isSelecting: false,
            ...params,
        };
        this.defaults = { row: params.row, column: params.column };
        this.data = null;
        this.selection = new Set();
    }

    async load(searchParams) {
        const { context, groupBy } = searchParams;
        this.temperatures ??= this.orm.searchRead(
            "coverage.temperature",
            [],
            ["name", "code", "icon"]
        );
        const isNew = groupBy.join() !== this.metaData.groupBy || !this.searchParams;
        if (isNew) {
            this._applyGroupBy(groupBy);
            this._applyContext(context, groupBy);
        }
        this.searchParams = searchParams;
        await this._fetch();
    }

    /** Change what is shown, and ask for its figures. */
    async show(changes) {
        Object.assign(this.metaData, changes);
        await this._fetch();
        this.notify();
    }

    async reload() {
        await this._fetch();
        this.notify();
    }

    hasData() {
        return Boolean(this.data?.total.count);
    }

    /** The arguments of `get_map`, for a call and for the export. */
    get kwargs() {
        const { row, column, day, compareDay, withProspects } = this.metaData;
        return {
            row,
            column,
            day,
            compare_day: compareDay,
            with_prospects: withProspects,
        };
    }

    /** What a favourite remembers. */
    get context() {
        return {
            coverage_map: Object.fromEntries(
                SHOWN.filter((name) => !name.toLowerCase().includes("day")).map((name) => [
                    name,
                    this.metaData[name],
                ])
            ),
        };
    }

    getTile(id) {
        return this.tilesById.get(id);
    }

    // --- selection ---

    toggle(id) {
        this.selectAll([id], !this.selection.has(id));
    }

    /** Select these, or none of them any more. */
    selectAll(ids, isSelected = true) {
        this.selection = new Set(this.selection);
        for (const id of ids) {
            isSelected ? this.selection.add(id) : this.selection.delete(id);
        }
        this.notify();
    }

    clearSelection() {
        this.selection = new Set();
        this.notify();
    }

    // --- private ---

    /** The first group is the rows, the second the columns. */
    _applyGroupBy(groupBy) {
        const [row, column] = groupBy;
        if (this.metaData.groupBy === undefined && !row) {
            this.metaData.groupBy = "";
            return;
        }
        const { defaults } = this;
        this.metaData.groupBy = groupBy.join();
        this.metaData.row = row || defaults.row;
        this.metaData.column =
            column || (row === defaults.column ? defaults.row : defaults.column);
    }

    _applyContext({ coverage_map: remembered }, groupBy) {
        if (remembered && !groupBy.length) {
            Object.assign(this.metaData, remembered);
        }
    }

    async _fetch() {
        const { resModel } = this.metaData;
        const { context, domain } = this.searchParams;
        const limit = getTileLimit(window);
        const call = this.orm.call(resModel, "get_map", [domain], {
            ...this.kwargs,
            cell_limit: limit,
            tile_limit: limit,
            context,
        });
        const [data, temperatures] = await this.keepLast.add(
            Promise.all([call, this.temperatures])
        );
        this._setData(data, temperatures);
    }

    _setData(data, temperatures) {
        this.signs = Object.fromEntries(temperatures.map((one) => [one.code, one]));
        const tiles = data.tiles.map((values) =>
            Object.fromEntries(TILE.map((name, index) => [name, values[index]]))
        );
        this.tilesById = new Map(tiles.map((tile) => [tile.id, tile]));
        for (const cell of data.cells) {
            cell.tiles = [];
        }
        for (const tile of tiles) {
            data.cells[tile.cell].tiles.push(tile);
        }
        this.data = data;
        this.selection = new Set([...this.selection].filter((id) => this.tilesById.has(id)));
    }
}
