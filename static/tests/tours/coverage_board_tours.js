import { registry } from "@web/core/registry";

import { openCoverageMenu } from "@crm_sales_coverage/../tests/tours/helpers/coverage_menu";

const tours = registry.category("web_tour.tours");

const board = ".o_spreadsheet_dashboard_action";
/** Return what the cells of the sheet Data show. */
function getShown() {
    const loader = odoo.__WOWL_DEBUG__.root.env.services.spreadsheet_dashboard_loader;
    const { getters } = loader.getActiveDashboard().model;
    const sheetId = getters.getSheetIds().at(-1);
    return Object.fromEntries(
        Object.keys(getters.getCells(sheetId))
            .map((id) => getters.getCellPosition(id))
            .map(({ col, row }) => [
                `${"ABCDEFG"[col]}${row + 1}`,
                getters.getEvaluatedCell({ sheetId, col, row }).formattedValue,
            ])
    );
}

/** Wait for the figures; fail on an error in any of them, and on a wrong one. */
async function checkFigures(expected) {
    let shown = getShown();
    for (let tries = 0; Object.values(shown).includes("Loading..."); tries++) {
        if (tries > 100) {
            throw new Error("The figures do not arrive.");
        }
        await new Promise((resolve) => setTimeout(resolve, 100));
        shown = getShown();
    }
    const wrong = Object.entries(shown).filter(([, text]) => text.startsWith("#"));
    for (const [cell, text] of Object.entries(expected)) {
        if (shown[cell] !== text) {
            wrong.push([cell, shown[cell], text]);
        }
    }
    if (wrong.length) {
        throw new Error(`Wrong figures: ${JSON.stringify(wrong)}`);
    }
}

const shown = [
    {
        content: "the board of our own, opened directly",
        trigger: `${board} .o_search_panel_category_value.active:contains('Sales Coverage')`,
    },
    { trigger: `${board} .o-scorecard` },
    { trigger: `${board} .o-figure canvas` },
];

tours.add("coverage_board", {
    url: "/odoo/coverage-customers",
    steps: () => [
        ...openCoverageMenu("coverage_dashboard_menu"),
        ...shown,
        {
            trigger: board,
            run: () => checkFigures({ B2: "3", B3: "1", B4: "1", B5: "0", B6: "100%" }),
        },
        {
            content: "it can be narrowed to a segment",
            trigger: `${board} .o_searchview_input`,
            run: "edit A",
        },
        {
            trigger: ".o_searchview_autocomplete li:contains('Segment'), .o_searchview_autocomplete .o-dropdown-item:contains('Segment')",
            run: "click",
        },
        { trigger: `${board} .o_searchview_facet:contains('Segment')` },
        { trigger: board, run: () => checkFigures({ B2: "3", B3: "0", B4: "0" }) },
    ],
});

tours.add("coverage_board_empty", {
    url: "/odoo/coverage-customers",
    steps: () => [
        ...openCoverageMenu("coverage_dashboard_menu"),
        ...shown,
        {
            content: "nothing is 0, and no error",
            trigger: board,
            run: () =>
                checkFigures({
                    B2: "0",
                    B6: "0%",
                    B7: "0%",
                    B8: "0",
                    B12: "0",
                    B32: "0",
                    B37: "0",
                }),
        },
    ],
});
