import { registry } from "@web/core/registry";

import { openCoverageMenu } from "./helpers/coverage_menu";

const tours = registry.category("web_tour.tours");

const tile = (name) => `.o_coverage_map_tile[aria-label^='${name}']`;

/** Move the slider as a hand does; the map follows once it rests. */
function slideTo(value) {
    const slider = document.querySelector(".o_coverage_map_slider");
    slider.value = value;
    slider.dispatchEvent(new InputEvent("input", { bubbles: true }));
}

tours.add("coverage_map", {
    url: "/odoo/coverage-customers",
    steps: () => [
        ...openCoverageMenu("coverage_map_menu"),
        {
            content: "segments against owners, everybody a tile",
            trigger: `${tile("Tour Bravo")}`,
        },
        {
            content: "the figures of a row",
            trigger: ".o_coverage_map_side:contains('A'):contains('3 ·')",
        },
        {
            content: "a filter narrows the map",
            trigger: ".o_searchview_input",
            run: "edit Tour Bravo",
        },
        {
            trigger: ".o_searchview_autocomplete .o-dropdown-item:contains('Customer')",
            run: "click",
        },
        { trigger: ".o_coverage_map_corner:contains('1 customers')" },
        { trigger: ".o_facet_remove", run: "click" },
        { trigger: ".o_coverage_map_corner:contains('5 customers')" },
        {
            content: "group by: owners become rows, segments columns",
            trigger: ".o_searchview_dropdown_toggler",
            run: "click",
        },
        { trigger: ".o_group_by_menu .o_menu_item:contains('Owner')", run: "click" },
        { trigger: ".o_coverage_map_side:contains('Tour Seller')" },
        { trigger: ".o_facet_remove", run: "click" },
        {
            content: "the menu of columns",
            trigger: ".o_coverage_map_columns",
            run: "select team_id",
        },
        { trigger: ".o_coverage_map_titles:not(:contains('Tour Seller'))" },
        {
            content: "why",
            trigger: tile("Tour Bravo"),
            run: ({ anchor }) =>
                anchor.dispatchEvent(new MouseEvent("contextmenu", { bubbles: true })),
        },
        {
            trigger: ".o_coverage_map_card:contains('Tour Bravo'):contains('Tour Seller')",
        },
        {
            content: "act: pin the segment",
            trigger: ".o_coverage_map_card [data-method='action_set_segment']",
            run: "click",
        },
        { trigger: ".modal .btn-close", run: "click" },
        { trigger: "body:not(:has(.modal))" },
        {
            content: "select two, for Odoo's actions",
            trigger: ".o_coverage_map_select",
            run: "click",
        },
        { trigger: tile("Tour Bravo"), run: "click" },
        { trigger: tile("Tour Charlie"), run: "click" },
        { trigger: ".o_selection_box:contains('2'):contains('selected')" },
        { trigger: ".o_cp_action_menus button:contains('Actions')", run: "click" },
        { trigger: ".o-dropdown-item:contains('Set Segment')", run: "click" },
        {
            trigger: ".modal .o_field_widget[name='customer_ids'], .modal .o_form_view",
        },
        { trigger: ".modal .btn-close", run: "click" },
        { trigger: "body:not(:has(.modal))" },
        { trigger: ".o_unselect_all", run: "click" },
        { trigger: ".o_coverage_map_select", run: "click" },
        {
            content: "back in time",
            trigger: ".o_coverage_map_slider",
            run: () => slideTo(0),
        },
        { trigger: ".o_coverage_map_today:not(:disabled)" },
        { trigger: `${tile("Tour Bravo")}.o_coverage_frozen` },
        { trigger: ".o_coverage_map_today", run: "click" },
        { trigger: `${tile("Tour Bravo")}:not(.o_coverage_frozen)` },
        {
            content: "who warmed since",
            trigger: ".o_coverage_map_compare",
            run: "click",
        },
        { trigger: `${tile("Tour Bravo")}:contains('▲')` },
        { trigger: ".o_coverage_map_compare", run: "click" },
        { trigger: `${tile("Tour Bravo")}:not(:contains('▲'))` },
        {
            content: "a cell opens as a list",
            trigger: ".o_coverage_map_side .o_coverage_map_label:contains('A')",
            run: "click",
        },
        { trigger: ".o_list_view .o_data_row:contains('Tour Leader 0')" },
        { trigger: ".o_back_button, .breadcrumb-item a", run: "click" },
        {
            content: "a tile opens the customer",
            trigger: tile("Tour Charlie"),
            run: "click",
        },
        { trigger: ".o_form_view .o_form_renderer:contains('Tour Charlie')" },
    ],
});

tours.add("coverage_map_own", {
    url: "/odoo/coverage-map",
    steps: () => [
        { trigger: tile("Tour Bravo") },
        {
            content: "a seller's map holds own customers, sums included",
            trigger: ".o_coverage_map_corner:contains('2 customers')",
        },
        { trigger: `body:not(:has(${tile("Tour Leader")}))` },
        { trigger: ".o_coverage_map_titles:not(:contains('tour_manager'))" },
    ],
});

tours.add("coverage_map_empty", {
    url: "/odoo/coverage-map",
    steps: () => [
        { trigger: ".o_view_nocontent:contains('Nothing on the map yet')" },
    ],
});
