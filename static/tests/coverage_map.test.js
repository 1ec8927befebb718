import { describe, expect, test } from "@odoo/hoot";
import { press, queryAllTexts, queryFirst } from "@odoo/hoot-dom";
import { advanceTime, animationFrame } from "@odoo/hoot-mock";
import {
    contains,
    defineModels,
    fields,
    models,
    mountView,
    onRpc,
    patchWithCleanup,
} from "@web/../tests/web_test_helpers";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { browser } from "@web/core/browser/browser";

import {
    findNeighbour,
    getScale,
    HEAD,
    layOutCell,
    layOutMap,
    squarify,
} from "@crm_sales_coverage/views/coverage_map/coverage_map_layout";
import {
    CoverageMapModel,
    getTileLimit,
} from "@crm_sales_coverage/views/coverage_map/coverage_map_model";

describe.current.tags("desktop");

class CoverageCustomer extends models.Model {
    _name = "coverage.customer";

    partner_id = fields.Char({ string: "Customer" });
    segment_id = fields.Char({ string: "Segment" });
    user_id = fields.Char({ string: "Owner" });
    industry_id = fields.Char({ string: "Industry" });

    _views = {
        coverage_map: `
            <coverage_map row="segment_id" column="user_id">
                <field name="segment_id"/>
                <field name="user_id"/>
                <field name="industry_id"/>
            </coverage_map>`,
        search: `
            <search>
                <filter name="group_industry" string="Industry"
                    context="{'group_by': 'industry_id'}"/>
            </search>`,
    };
}

class CoverageTemperature extends models.Model {
    _name = "coverage.temperature";

    name = fields.Char();
    code = fields.Char();
    icon = fields.Char();

    _records = [
        { id: 1, name: "Frozen", code: "frozen", icon: "F" },
        { id: 2, name: "Cool", code: "cool", icon: "C" },
        { id: 3, name: "Mild", code: "mild", icon: "M" },
        { id: 4, name: "Warm", code: "warm", icon: "W" },
        { id: 5, name: "Hot", code: "hot", icon: "H" },
    ];
}

defineMailModels();
defineModels([CoverageCustomer, CoverageTemperature]);

const FIGURES = { count: 1, potential: 100, revenue: 50, rated: 1, red: 0, blue: 0 };

/** Two segments, two owners: a hot and a frozen A, a mild B. */
function makeMap(changes = {}) {
    const figures = { ...FIGURES, cooled: 0, warmed: 0 };
    const group = (key, label, more = {}) => ({ ...figures, key, label, domain: [], ...more });
    const cell = (row, column, more = {}) => ({
        ...figures,
        row,
        column,
        hidden: 0,
        hidden_potential: 0,
        domain: [["id", "=", row]],
        ...more,
    });
    return {
        company: { id: 1, name: "Company" },
        currency_id: 1,
        today: "2026-03-31",
        first_day: "2026-01-01",
        day: "2026-03-31",
        compare_day: false,
        row: { name: "segment_id", label: "Segment" },
        column: { name: "user_id", label: "Owner" },
        rows: [group(1, "A", { count: 2, potential: 1500 }), group(2, "B")],
        columns: [group(7, "Ann", { count: 2 }), group(8, "Bob")],
        total: { ...figures, count: 3, potential: 1600 },
        cells: [
            cell(0, 0, { potential: 1000, red: 1 }),
            cell(0, 1, { potential: 500 }),
            cell(1, 0, { count: 5, potential: 120, hidden: 4, hidden_potential: 20 }),
        ],
        tiles: [
            [1, 0, "Alpha", 1000, 900, "hot", "regular", "A", ""],
            [2, 1, "Bravo", 500, 10, "frozen", "regular", "A", ""],
            [3, 2, "Charlie", 100, 50, "mild", "regular", "B", ""],
        ],
        prospects: 0,
        ...changes,
    };
}

/** Mount the view; return the calls of get_map, the latest last. */
async function mountMap(params = {}, changes = {}) {
    const calls = [];
    onRpc("coverage.customer", "get_map", ({ args, kwargs }) => {
        calls.push({ domain: args[0], ...kwargs });
        return makeMap(changes);
    });
    onRpc("coverage.customer", "get_map_tile", () => ({
        id: 2,
        name: "Bravo",
        owner: "Bob",
        why: "2 % of its potential",
        next_contact_date: "2026-04-02",
        contact_state: "due",
    }));
    await mountView({ type: "coverage_map", resModel: "coverage.customer", ...params });
    await animationFrame();
    return calls;
}

const tile = (id) => `.o_coverage_map_tile[data-id='${id}']`;

describe("layout", () => {
    test("squarify fills the rectangle without overlap", () => {
        const areas = [600, 600, 400, 300, 200, 200, 100];
        const rects = squarify(areas, 60, 40);
        rects.forEach(({ width, height }, index) => {
            expect(width * height).toBeCloseTo(areas[index]);
        });
        for (const [index, one] of rects.entries()) {
            expect(one.x + one.width).toBeLessThan(60.001);
            expect(one.y + one.height).toBeLessThan(40.001);
            for (const other of rects.slice(index + 1)) {
                const isApart =
                    one.x + one.width <= other.x + 1e-6 ||
                    other.x + other.width <= one.x + 1e-6 ||
                    one.y + one.height <= other.y + 1e-6 ||
                    other.y + other.height <= one.y + 1e-6;
                expect(isApart).toBe(true);
            }
        }
    });

    test("the rows fill the height and no more", () => {
        const scale = getScale([1000, 500], 100, 700);
        const heights = [1000, 500].map((potential) => HEAD + (potential * scale) / 100 + 2);
        expect(heights[0] + heights[1]).toBeWithin(690, 701);
        expect(getScale([0, 0], 100, 700)).toBe(0);
    });

    test("equal potential has equal area in every cell", () => {
        const data = makeMap();
        prepareCells(data);
        const { rows } = layOutMap(data, 800, 600);
        const [alpha] = rows[0].cells[0].rects;
        const [bravo] = rows[0].cells[1].rects;
        const area = ({ width, height }) => (width + 1) * (height + 1);
        expect(area(alpha) / area(bravo)).toBeWithin(1.95, 2.05);
    });

    test("what does not fit is counted", () => {
        const tiles = Array.from({ length: 100 }, (_, id) => ({ id, potential: 100 - id }));
        const { rects, more } = layOutCell(
            { tiles, hidden: 7, hidden_potential: 3 },
            0.5,
            60,
            60
        );
        expect(rects.length).toBeGreaterThan(5);
        expect(rects.length + more.more.count).toBe(107);
        expect(rects.map((each) => each.tile.id)).toEqual(rects.map((_, index) => index));
    });

    test("arrows go to the nearest on that side", () => {
        const places = [
            { x: 0, y: 0, width: 10, height: 10 },
            { x: 20, y: 0, width: 10, height: 10 },
            { x: 0, y: 20, width: 10, height: 10 },
        ];
        expect(findNeighbour(places, 0, "ArrowRight")).toBe(1);
        expect(findNeighbour(places, 0, "ArrowDown")).toBe(2);
        expect(findNeighbour(places, 1, "ArrowLeft")).toBe(0);
        expect(findNeighbour(places, 0, "ArrowUp")).toBe(0);
    });

    test("a phone asks for fewer tiles than a screen", () => {
        expect(getTileLimit({ innerWidth: 400, innerHeight: 800 })).toBeLessThan(4000);
        expect(getTileLimit({ innerWidth: 3000, innerHeight: 2000 })).toBe(10000);
    });
});

/** Give the cells their tiles, as the model does. */
function prepareCells(data) {
    for (const cell of data.cells) {
        cell.tiles = data.tiles
            .filter(([, index]) => data.cells[index] === cell)
            .map(([id, , , potential]) => ({ id, potential }));
    }
}

describe("view", () => {
    test("a tile says who, how warm and how much, without colour", async () => {
        await mountMap();
        expect(".o_coverage_map_tile").toHaveCount(3);
        expect(tile(1)).toHaveAttribute("aria-label", "Alpha, Hot, 90 %");
        expect(tile(1)).toHaveClass("o_coverage_hot");
        expect(tile(1)).toHaveText(/H Alpha/);
        expect(".o_coverage_map_more").toHaveText("+4 more");
        expect(queryAllTexts(".o_coverage_map_side .o_coverage_map_label")).toEqual(["A", "B"]);
        expect(queryAllTexts(".o_coverage_map_legend > li")).toEqual([
            "H Hot",
            "W Warm",
            "M Mild",
            "C Cool",
            "F Frozen",
            "Prospects",
        ]);
    });

    test("the first group is the rows; the other axis stays", async () => {
        const calls = await mountMap({ groupBy: ["industry_id"] });
        expect(calls.at(-1).row).toBe("industry_id");
        expect(calls.at(-1).column).toBe("user_id");
    });

    test("grouped by owner, the segments become columns", async () => {
        const calls = await mountMap({ groupBy: ["user_id"] });
        expect(calls.at(-1).row).toBe("user_id");
        expect(calls.at(-1).column).toBe("segment_id");
    });

    test("the menus change rows and columns, and swap equal ones", async () => {
        const calls = await mountMap();
        await contains(".o_coverage_map_columns").select("industry_id");
        expect(calls.at(-1).column).toBe("industry_id");
        await contains(".o_coverage_map_rows").select("industry_id");
        expect(calls.at(-1).row).toBe("industry_id");
        expect(calls.at(-1).column).toBe("segment_id");
    });

    test("a favourite brings rows and columns back", async () => {
        const calls = await mountMap({
            context: { coverage_map: { row: "industry_id", column: "segment_id" } },
        });
        expect(calls.at(-1).row).toBe("industry_id");
        expect(calls.at(-1).column).toBe("segment_id");
    });

    test("prospects are asked for", async () => {
        const calls = await mountMap();
        expect(calls.at(-1).with_prospects).toBe(false);
        await contains(".o_coverage_map_prospects input").click();
        expect(calls.at(-1).with_prospects).toBe(true);
    });

    test("the slider goes back in time, once it rests", async () => {
        const calls = await mountMap();
        expect(calls.at(-1).day).toBe(false);
        const slider = queryFirst(".o_coverage_map_slider");
        slider.value = 31;
        slider.dispatchEvent(new InputEvent("input", { bubbles: true }));
        slider.value = 30;
        slider.dispatchEvent(new InputEvent("input", { bubbles: true }));
        await advanceTime(100);
        expect(calls).toHaveLength(1);
        await advanceTime(300);
        expect(calls).toHaveLength(2);
        expect(calls.at(-1).day).toBe("2026-01-31");
    });

    test("comparing begins with a month before", async () => {
        const calls = await mountMap();
        await contains(".o_coverage_map_compare").click();
        expect(calls.at(-1).compare_day).toBe("2026-03-01");
    });

    test("who cooled has a sign, who stayed steps back", async () => {
        const tiles = makeMap().tiles;
        tiles[0][8] = "hot";
        tiles[1][8] = "warm";
        await mountMap({}, { compare_day: "2026-03-01", tiles });
        expect(tile(1)).toHaveClass("o_coverage_map_same");
        expect(tile(2)).toHaveText(/▼ Bravo/);
        expect(tile(2)).toHaveAttribute("aria-label", "Bravo, Frozen, 2 %, was Warm");
    });

    test("a click opens the customer", async () => {
        await mountMap({
            selectRecord: (id, { activeIds }) => expect.step([id, activeIds.length]),
        });
        await contains(tile(2)).click();
        expect.verifySteps([[2, 3]]);
    });

    test("with Ctrl, or while selecting, a click selects", async () => {
        await mountMap({ selectRecord: () => expect.step("opened") });
        await contains(tile(2)).click({ ctrlKey: true });
        expect(tile(2)).toHaveClass("o_coverage_map_selected");
        expect(".o_selection_box").toHaveText(/1\s*selected/);
        await contains(".o_unselect_all").click();
        expect(".o_coverage_map_selected").toHaveCount(0);
        await contains(".o_coverage_map_select").click();
        await contains(tile(1)).click();
        await contains(tile(3)).click();
        expect(".o_coverage_map_selected").toHaveCount(2);
        expect.verifySteps([]);
    });

    test("the keyboard moves, selects and opens", async () => {
        await mountMap({ selectRecord: (id) => expect.step(id) });
        queryFirst(tile(1)).focus();
        await press("ArrowRight");
        expect(tile(2)).toBeFocused();
        await press("Space");
        await animationFrame();
        expect(tile(2)).toHaveClass("o_coverage_map_selected");
        await press("Enter");
        expect.verifySteps([2]);
        expect("[data-place][tabindex='0']").toHaveCount(1);
    });

    test("resting on a tile tells why", async () => {
        await mountMap();
        await contains(tile(2)).hover();
        await advanceTime(400);
        await animationFrame();
        expect(".o_coverage_map_card").toHaveText(/Bravo/);
        expect(".o_coverage_map_card_more").toHaveText(/2 % of its potential[^]*Bob/);
    });

    test("the menu of a tile calls its customer", async () => {
        onRpc("coverage.customer", "action_refresh", ({ args }) => {
            expect.step(["action_refresh", args[0]]);
            return true;
        });
        const calls = await mountMap();
        await contains(tile(2)).click({ button: 2 });
        await animationFrame();
        await contains(".o_coverage_map_card [data-method='action_refresh']").click();
        expect.verifySteps([["action_refresh", [2]]]);
        expect(calls).toHaveLength(2);
    });

    test("without customers it says what to do", async () => {
        await mountMap(
            { noContentHelp: "<p>Nothing on the map yet?</p>" },
            { rows: [], columns: [], cells: [], tiles: [], total: { ...FIGURES, count: 0 } }
        );
        expect(".o_view_nocontent").toHaveText(/Nothing on the map yet/);
        expect(".o_coverage_map_prospects").toHaveCount(1);
    });
});
