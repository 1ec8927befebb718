/**
 * Where everything on the map lies. Plain functions of numbers, all in pixels.
 *
 * One scale holds for the whole map: equal potential has equal area in every cell, so
 * that cells can be compared, and an emptier cell has room left.
 */

export const HEAD = 22; // line of figures above the tiles of a cell
export const MIN_COLUMN = 116;
const GAP = 1;
const MIN_TILE = 13 * 13;
const MIN_HEIGHT = 18; // of the tiles of a cell: no lines instead of squares
const MIN_ROW = HEAD + 24;
const FAR = 1e5; // whatever faces a place is nearer than what does not
const MORE_AREA = 52 * 18; // "+12 more"

/**
 * Fill a rectangle with tiles whose areas are given, as square as possible.
 *
 * Squarified treemap: Bruls, Huizing, van Wijk, "Squarified Treemaps" (2000).
 *
 * @param {number[]} areas the largest first, greater than 0; their sum is the area of the
 *      rectangle
 * @returns {{x: number, y: number, width: number, height: number}[]}
 */
export function squarify(areas, width, height) {
    const rects = [];
    let x = 0;
    let y = 0;
    let index = 0;
    while (index < areas.length) {
        const side = Math.max(Math.min(width - x, height - y), 1e-6);
        const count = countInStrip(areas, index, side);
        const strip = areas.slice(index, index + count);
        const sum = strip.reduce((total, area) => total + area, 0);
        const depth = sum / side;
        const isColumn = height - y <= width - x;
        let offset = 0;
        for (const area of strip) {
            const length = area / depth;
            rects.push(
                isColumn
                    ? { x, y: y + offset, width: depth, height: length }
                    : { x: x + offset, y, width: length, height: depth }
            );
            offset += length;
        }
        isColumn ? (x += depth) : (y += depth);
        index += count;
    }
    return rects;
}

/** How many of the next tiles make the best strip along a side. */
function countInStrip(areas, start, side) {
    let sum = 0;
    let worst = Infinity;
    for (let index = start; index < areas.length; index++) {
        sum += areas[index];
        const depth = sum / side;
        const first = areas[start] / depth / depth;
        const last = areas[index] / depth / depth;
        const ratio = Math.max(first, 1 / first, last, 1 / last);
        if (ratio > worst) {
            return index - start;
        }
        worst = ratio;
    }
    return areas.length - start;
}

/**
 * Pixels² for one unit of money, so that the rows fill a height.
 *
 * @param {number[]} potentials the largest cell of each row
 */
export function getScale(potentials, width, height) {
    const total = potentials.reduce((sum, potential) => sum + potential, 0);
    if (!total) {
        return 0;
    }
    let low = 0;
    let high = ((height + 1) * width * potentials.length) / total;
    for (let step = 0; step < 40; step++) {
        const scale = (low + high) / 2;
        const sum = potentials.reduce(
            (rows, potential) => rows + getRowHeight(potential, scale, width),
            0
        );
        sum > height ? (high = scale) : (low = scale);
    }
    return low;
}

function getRowHeight(potential, scale, width) {
    return Math.max(MIN_ROW, Math.ceil(HEAD + (potential * scale) / width) + 2);
}

/**
 * The tiles of one cell that fit, and one for the rest.
 *
 * @param {Object} cell with `tiles` (the largest first), `hidden`, `hidden_potential`
 * @returns {{rects: Object[], more: Object|null}} tiles with their places; `more` with
 *      `count` and `potential` of what does not fit
 */
export function layOutCell(cell, scale, width, height) {
    const room = width * height;
    const { tiles } = cell;
    const sizes = tiles.map((tile) => Math.max(tile.potential * scale, MIN_TILE));
    let used = sizes.reduce((sum, size) => sum + size, 0);
    let count = tiles.length;
    let rest = cell.hidden ? Math.max(cell.hidden_potential * scale, MORE_AREA) : 0;
    let restPotential = cell.hidden_potential;
    while (count && used + rest > room + 0.5) {
        count--;
        used -= sizes[count];
        restPotential += tiles[count].potential;
        rest = Math.max(restPotential * scale, MORE_AREA);
    }
    rest = Math.min(rest, room - used);
    const hidden = cell.hidden + tiles.length - count;
    const areas = sizes.slice(0, count);
    const items = tiles.slice(0, count).map((tile) => ({ tile }));
    let more = null;
    if (hidden) {
        more = { count: hidden, potential: restPotential };
        const place = findPlace(areas, rest);
        areas.splice(place, 0, rest);
        items.splice(place, 0, { more });
    }
    const filled = Math.min(Math.max((used + rest) / width, MIN_HEIGHT), height);
    const places = squarify(areas, (used + rest) / filled, filled);
    const rects = items.map((item, index) => ({ ...item, ...snap(places[index]) }));
    return { rects: rects.filter(({ tile }) => tile), more: rects.find((item) => item.more) };
}

/** Where an area belongs among areas that fall. */
function findPlace(areas, area) {
    const index = areas.findIndex((each) => each < area);
    return index < 0 ? areas.length : index;
}

/** Whole pixels, with a gap: neighbours share an edge and never overlap. */
function snap({ x, y, width, height }) {
    const left = Math.round(x);
    const top = Math.round(y);
    return {
        x: left,
        y: top,
        width: Math.max(Math.round(x + width) - left - GAP, 2),
        height: Math.max(Math.round(y + height) - top - GAP, 2),
    };
}

/**
 * The whole matrix.
 *
 * @param {Object} data as `get_map` returns it, cells with their `tiles`
 * @param {number} width of all columns together
 * @param {number} height that the rows may fill; more when they need it
 * @returns {{columnWidth: number, rows: Object[]}} each row with its `height`, and its
 *      `cells` by column: null, or `{cell, rects, more}`
 */
export function layOutMap(data, width, height) {
    const columnWidth = Math.max(MIN_COLUMN, Math.floor(width / data.columns.length));
    const inner = columnWidth - 6;
    const cells = data.rows.map(() => data.columns.map(() => null));
    for (const cell of data.cells) {
        cells[cell.row][cell.column] = cell;
    }
    const largest = cells.map((row) =>
        Math.max(0, ...row.map((cell) => (cell ? cell.potential : 0)))
    );
    const scale = getScale(largest, inner, height);
    const rows = data.rows.map((row, index) => {
        const rowHeight = getRowHeight(largest[index], scale, inner);
        return {
            row,
            height: rowHeight,
            cells: cells[index].map(
                (cell) =>
                    cell && {
                        cell,
                        ...layOutCell(cell, scale, inner, rowHeight - HEAD - 2),
                    }
            ),
        };
    });
    return { columnWidth, rows };
}

/**
 * For a phone: every cell is a block of the full width, below its row's title.
 *
 * @returns {{rows: Object[]}} each with its `blocks`: `{column, cell, height, rects, more}`
 */
export function layOutList(data, width, height) {
    const inner = width - 6;
    const filled = data.cells.filter((cell) => cell.count);
    const scale = getScale(
        filled.map((cell) => cell.potential),
        inner,
        Math.max(height, filled.length * 72)
    );
    const rows = data.rows.map((row, index) => ({
        row,
        blocks: filled
            .filter((cell) => cell.row === index)
            .map((cell) => {
                const blockHeight = getRowHeight(cell.potential, scale, inner);
                return {
                    column: data.columns[cell.column],
                    height: blockHeight,
                    cell,
                    ...layOutCell(cell, scale, inner, blockHeight - HEAD - 2),
                };
            }),
    }));
    return { rows };
}

/**
 * The place that an arrow key leads to.
 *
 * @param {{x: number, y: number, width: number, height: number}[]} places
 * @param {number} from index of the place left
 * @param {string} key an arrow key, as the browser names it
 * @returns {number} index of the nearest place on that side, or `from`
 */
export function findNeighbour(places, from, key) {
    const isHorizontal = key === "ArrowLeft" || key === "ArrowRight";
    const sign = key === "ArrowRight" || key === "ArrowDown" ? 1 : -1;
    const [x, y] = getMiddle(places[from]);
    let best = from;
    let nearest = Infinity;
    places.forEach((place, index) => {
        const [otherX, otherY] = getMiddle(place);
        const along = sign * (isHorizontal ? otherX - x : otherY - y);
        const aside = Math.abs(isHorizontal ? otherY - y : otherX - x);
        const gap = getGap(places[from], place, isHorizontal);
        const distance = along + aside / 8 + (gap && FAR + 4 * gap);
        if (along > 1 && distance < nearest) {
            nearest = distance;
            best = index;
        }
    });
    return best;
}

function getMiddle({ x, y, width, height }) {
    return [x + width / 2, y + height / 2];
}

/** How far two places lie apart, across the way one goes; 0 when they face each other. */
function getGap(one, other, isHorizontal) {
    const [start, size] = isHorizontal ? ["y", "height"] : ["x", "width"];
    return Math.max(
        0,
        other[start] - one[start] - one[size],
        one[start] - other[start] - other[size]
    );
}
