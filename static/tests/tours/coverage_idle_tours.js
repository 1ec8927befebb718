import { registry } from "@web/core/registry";

import { openCoverageMenu } from "@crm_sales_coverage/../tests/tours/helpers/coverage_menu";

const tours = registry.category("web_tour.tours");

const risk = (name) => `.o_coverage_day_risk:contains('${name}')`;

tours.add("coverage_idle_day", {
    url: "/odoo/my-day",
    steps: () => [
        {
            content: "when it leaves, and why",
            trigger: `${risk("Tour Bravo")}:contains('Leaves you in 14 days')`,
        },
        {
            content: "on the customer too",
            trigger: `${risk("Tour Bravo")} .o_coverage_line_name`,
            run: "click",
        },
        {
            trigger: ".o_form_view .alert[name='at_risk']:contains('no two-way contact')",
        },
        { trigger: ".o_form_view .o_coverage_why_idle:contains('Leaves you')" },
        ...openCoverageMenu("coverage_day_menu"),
        {
            content: "a call keeps it",
            trigger: `${risk("Tour Bravo")} .o_coverage_risk_log`,
            run: "click",
        },
        { trigger: ".modal [name='outcome_id'] label:contains('Talked')", run: "click" },
        { trigger: ".modal [name='minutes'] button[data-minutes='5']", run: "click" },
        { trigger: ".modal .modal-body:not(:contains('counts as an attempt'))" },
        { trigger: ".modal button[name='action_log']", run: "click" },
        { trigger: "body:not(:has(.modal))" },
        {
            content: "the warning is gone",
            trigger: `.o_coverage_day:not(:has(${risk("Tour Bravo")}))`,
        },
    ],
});

tours.add("coverage_idle_preview", {
    url: "/odoo/coverage-customers",
    steps: () => [
        ...openCoverageMenu("coverage_start_menu"),
        {
            trigger:
                "[name='step_idle']:contains('Nothing so far') button[name='action_preview_idle']",
            run: "click",
        },
        {
            content: "whom it would cost whom",
            trigger:
                ".o_form_view:contains('Switched off') [data-table='sellers'] tr:contains('Tour Seller')",
        },
        { trigger: "[data-table='lines'] tr:contains('Tour Bravo')" },
        {
            content: "a year of own data",
            trigger: "button[name='action_backtest']",
            run: "click",
        },
        { trigger: ".o_coverage_idle_backtest [data-table='moves'] tr:contains('Tour Bravo')" },
        { trigger: "button[name='action_switch_on']", run: "click" },
        { trigger: ".modal-footer .btn-primary", run: "click" },
        { trigger: ".o_form_view:contains('only observed until')" },
        ...openCoverageMenu("coverage_start_menu"),
        { trigger: "[name='step_idle']:contains('It observes')" },
        ...openCoverageMenu("coverage_idle_preview_menu"),
        { trigger: "button[name='action_switch_off']" },
    ],
});

tours.add("coverage_idle_leader", {
    url: "/odoo/coverage-customers",
    steps: () => [
        ...openCoverageMenu("coverage_decision_menu"),
        {
            content: "the last warning is the leader's, too",
            trigger:
                ".o_data_row:contains('Last warning'):contains('Tour Bravo') button[name='action_yes']:contains('Let Keep'):visible",
            run: "click",
        },
        {
            trigger: ".modal [name='reason'] input",
            run: "edit Builds a new kitchen",
        },
        { trigger: ".modal button[name='action_ask']:visible", run: "click" },
        { trigger: "body:not(:has(.modal))" },
        { trigger: ".o_view_controller:not(:has(.o_data_row:contains('Tour Bravo')))" },
    ],
});
