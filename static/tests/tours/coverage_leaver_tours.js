import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");
const noDialog = { trigger: "body:not(:has(.modal))" };

/** Open the dialog from the menu. */
function openLeaver() {
    return [
        {
            trigger: "button[data-menu-xmlid='crm_sales_coverage.coverage_menu_root']",
            run: "click",
        },
        {
            trigger:
                ".o-dropdown--menu [data-menu-xmlid='crm_sales_coverage.coverage_leaver_menu']",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name='user_id'] input",
            run: "edit Tour Seller",
        },
        {
            trigger: ".o-autocomplete--dropdown-item:contains('Tour Seller')",
            run: "click",
        },
        {
            content: "what there is to hand over",
            trigger: ".modal .o_field_widget[name='customer_count']:contains('2')",
        },
    ];
}

tours.add("coverage_leaver_plan", {
    url: "/odoo/coverage-customers",
    steps: () => [
        ...openLeaver(),
        {
            trigger: ".modal .o_field_widget[name='mode'] label:contains('who fits best')",
            run: "click",
        },
        {
            trigger: ".modal-footer button:contains('Plan')",
            run: "click",
        },
        noDialog,
        {
            content: "who gets what, before anything moves",
            trigger: ".o_coverage_plan .o_data_row:contains('Tour Bravo'):contains('Tour Receiver')",
        },
        { trigger: ".o_coverage_plan button[name='action_apply']", run: "click" },
        { trigger: ".modal-footer .btn-primary", run: "click" },
        noDialog,
        { trigger: ".o_coverage_plan button[name='action_undo']" },
    ],
});

tours.add("coverage_leaver_away", {
    url: "/odoo/coverage-customers",
    steps: () => [
        ...openLeaver(),
        {
            trigger: ".modal .o_field_widget[name='kind'] label:contains('Is away')",
            run: "click",
        },
        { trigger: ".modal .o_field_widget[name='until_date']" },
        {
            trigger: ".modal .o_field_widget[name='receiver_id'] input",
            run: "edit Tour Receiver",
        },
        {
            trigger: ".o-autocomplete--dropdown-item:contains('Tour Receiver')",
            run: "click",
        },
        {
            trigger: ".modal-footer button:contains('Hand Over')",
            run: "click",
        },
        noDialog,
        {
            content: "who has what meanwhile",
            trigger: ".o_form_view .o_data_row:contains('Tour Bravo'):contains('Tour Receiver'):contains('Covered')",
        },
    ],
});

tours.add("coverage_leaver_cover_day", {
    url: "/odoo/my-day",
    steps: () => [
        {
            trigger: ".o_coverage_day_cover:contains('Covers for Tour Seller until'):contains('2')",
        },
    ],
});
