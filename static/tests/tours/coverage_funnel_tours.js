import { registry } from "@web/core/registry";

import { openCoverageMenu } from "@crm_sales_coverage/../tests/tours/helpers/coverage_menu";

const tours = registry.category("web_tour.tours");

function lookAround(menu, figures, row) {
    return [
        ...openCoverageMenu(menu),
        { content: "figures at once", trigger: `.o_pivot table:contains('${figures}')` },
        { trigger: ".o_switch_view.o_graph", run: "click" },
        { trigger: ".o_graph_view canvas" },
        { trigger: ".o_switch_view.o_list", run: "click" },
        { content: "who is behind them", trigger: `.o_data_row:contains('${row}')` },
    ];
}

tours.add("coverage_funnel_report", {
    url: "/odoo/coverage-customers",
    steps: () => lookAround("coverage_funnel_report_menu", "First Order", "Tour Bravo"),
});

tours.add("coverage_handoff_report", {
    url: "/odoo/coverage-customers",
    steps: () => lookAround("coverage_handoff_report_menu", "Tour Seller", "Tour Charlie"),
});
