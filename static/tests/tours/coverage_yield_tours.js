import { registry } from "@web/core/registry";

import { openCoverageMenu } from "./helpers/coverage_menu";

const tours = registry.category("web_tour.tours");

const view = (type) => ({
    trigger: `.o_cp_switch_buttons .o_switch_view.o_${type}`,
    run: "click",
});

tours.add("coverage_money_reports", {
    url: "/odoo/coverage-customers",
    steps: () => [
        ...openCoverageMenu("coverage_yield_report_menu"),
        {
            content: "potential, revenue and yield by segment",
            trigger: ".o_pivot table:contains('Yield'):contains('100')",
        },
        view("list"),
        { trigger: ".o_data_row:contains('Tour Bravo')" },
        view("graph"),
        { trigger: ".o_graph_renderer canvas" },
        ...openCoverageMenu("coverage_revenue_report_menu"),
        { trigger: ".o_graph_renderer canvas" },
        view("list"),
        { trigger: ".o_data_row:contains('Tour Bravo'):contains('New')" },
        ...openCoverageMenu("coverage_yield_report_menu_sleeping"),
        {
            content: "nobody sleeps",
            trigger: ".o_view_nocontent:contains('Nobody sleeps')",
        },
        ...openCoverageMenu("coverage_movement_report_menu"),
        { trigger: ".o_graph_renderer canvas" },
        view("list"),
        { trigger: ".o_data_row:contains('Tour Bravo'):contains('Up')" },
        ...openCoverageMenu("coverage_base_report_menu"),
        { trigger: ".o_graph_renderer canvas" },
        view("list"),
        {
            content: "a line opens its customer",
            trigger: ".o_data_row:contains('Tour Charlie') td:contains('Tour Charlie')",
            run: "click",
        },
        { trigger: ".o_form_view:contains('Tour Charlie')" },
    ],
});
