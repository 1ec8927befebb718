import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");
const noDialog = { trigger: "body:not(:has(.modal))" };

tours.add("coverage_pool_claim", {
    url: "/odoo/coverage-pool",
    steps: () => [
        {
            content: "why it is free, and since when",
            trigger: ".o_data_row:contains('Tour Bravo'):contains('Given up: Moved away')",
        },
        {
            content: "one does not pick",
            trigger: ".o_control_panel button[name='action_next_customer']",
            run: "click",
        },
        {
            content: "the most valuable is offered, with why it fits",
            trigger: ".modal .o_coverage_claim:contains('Tour Bravo'):contains('same team')",
        },
        {
            content: "pass it, with a reason",
            trigger: ".modal-footer button:contains('Pass')",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name='reason'] label:contains('Too far away')",
            run: "click",
        },
        { trigger: ".modal-footer button[name='action_pass']", run: "click" },
        noDialog,
        {
            content: "the next one",
            trigger: ".o_control_panel button[name='action_next_customer']",
            run: "click",
        },
        { trigger: ".modal .o_coverage_claim:contains('Tour Charlie')" },
        { trigger: ".modal-footer button[name='action_take']", run: "click" },
        {
            content: "it is mine, for as long as a registration lasts",
            trigger: ".o_form_view [name='lapsing']:contains('lapses after')",
        },
        { trigger: ".o_form_view [name='user_id']:contains('Tour Seller')" },
    ],
});

tours.add("coverage_pool_day", {
    url: "/odoo/my-day",
    steps: () => [
        {
            trigger: ".o_coverage_day_pool:contains('room for') button",
            run: "click",
        },
        {
            trigger: ".modal .o_coverage_claim:contains('Tour Bravo')",
        },
        { trigger: ".modal-footer button:contains('Later')", run: "click" },
        {
            content: "it is held meanwhile",
            trigger: ".o_coverage_day_pool:contains('Tour Bravo is held for you')",
        },
    ],
});

tours.add("coverage_pool_hand_out", {
    url: "/odoo/coverage-pool",
    steps: () => [
        {
            trigger: ".o_data_row:contains('Tour Bravo') .o_list_record_selector input",
            run: "click",
        },
        {
            trigger: "button[name='action_hand_out']",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name='mode'] label:contains('One person')",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name='receiver_id'] input",
            run: "edit Tour Seller",
        },
        {
            trigger: ".o-autocomplete--dropdown-item:contains('Tour Seller')",
            run: "click",
        },
        { trigger: ".modal-footer button[name='action_hand_out']", run: "click" },
        noDialog,
        { trigger: ".o_notification:contains('Tour Seller 1')" },
        { trigger: ".o_list_view:not(:contains('Tour Bravo'))" },
    ],
});
