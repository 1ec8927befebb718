import { registry } from "@web/core/registry";

import { openCoverageMenu } from "@crm_sales_coverage/../tests/tours/helpers/coverage_menu";

const tours = registry.category("web_tour.tours");

tours.add("coverage_rethink_day", {
    url: "/odoo/my-day",
    steps: () => [
        {
            content: "what is due, and by when",
            trigger:
                ".o_coverage_day_rethink[data-state='open']:contains('Tour Alpha'):contains('answers by') .o_coverage_rethink_answer",
            run: "click",
        },
        {
            content: "the figures stand beside it",
            trigger: ".modal .o_coverage_why, .modal [name='why']",
        },
        {
            trigger: ".modal [name='reason'] textarea",
            run: "edit A new purchaser looks for a lower price",
        },
        {
            trigger: ".modal [name='change'] textarea",
            run: "edit Visit with a sample box",
        },
        { trigger: ".modal [name='change_date'] button, .modal [name='change_date'] input", run: "click" },
        { trigger: ".o_datetime_picker .o_next", run: "click" },
        {
            trigger: ".o_datetime_picker .o_date_item_cell:not(.o_out_of_range):contains('15')",
            run: "click",
        },
        { trigger: ".modal footer button[name='action_answer']:visible", run: "click" },
        { trigger: "body:not(:has(.modal))" },
        { trigger: ".o_coverage_day:not(:has(.o_coverage_day_rethink))" },
    ],
});

tours.add("coverage_rethink_confirm", {
    url: "/odoo/coverage-customers",
    steps: () => [
        ...openCoverageMenu("coverage_decision_menu"),
        {
            trigger:
                ".o_data_row:contains('Rethink to confirm'):contains('Tour Alpha'):contains('New purchaser') button[name='action_no']:visible",
            run: "click",
        },
        {
            content: "cannot be sent back without a reason, so it is read first",
            trigger: ".modal [name='missing'] input",
        },
        { trigger: ".modal button:contains('Discard')", run: "click" },
        { trigger: "body:not(:has(.modal))" },
        {
            trigger:
                ".o_data_row:contains('Rethink to confirm') button[name='action_yes']:contains('Confirm'):visible",
            run: "click",
        },
        { trigger: ".o_view_controller:not(:has(.o_data_row:contains('Rethink')))" },
    ],
});

tours.add("coverage_rethink_blue", {
    url: "/odoo/coverage-customers",
    steps: () => [
        ...openCoverageMenu("coverage_blue_report_menu"),
        {
            trigger:
                ".o_data_row:contains('Tour Alpha'):contains('12'):contains('Not Begun') button[name='action_rethink']",
            run: "click",
        },
        {
            content: "the owner has it now",
            trigger: ".o_form_view:contains('Tour Seller answers by')",
        },
        { trigger: ".o_form_view button[name='action_open_customer']", run: "click" },
        {
            content: "the customer says it too",
            trigger: ".o_form_view .alert[name='rethink']:contains('answers by')",
        },
    ],
});
