import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");

const move = (name) => `.o_field_widget[name='move_ids'] .o_data_row:contains('${name}')`;

tours.add("coverage_plan", {
    url: "/odoo/coverage-plans",
    steps: () => [
        {
            content: "nothing was planned yet",
            trigger: ".o_view_nocontent:contains('No plans yet')",
        },
        { trigger: ".o_list_button_add", run: "click" },
        {
            content: "idle customers only",
            trigger: ".o_field_widget[name='has_unowned'] input",
            run: "click",
        },
        { trigger: ".o_field_widget[name='has_miscovered'] input", run: "click" },
        { trigger: "button[name='action_plan']:contains('Plan')", run: "click" },
        {
            content: "what it does to each person",
            trigger: ".o_coverage_plan_people tr:contains('Tour Seller'):contains('−2')",
        },
        {
            content: "why, and to whom",
            trigger: `${move("Tour Bravo")}:contains('Idle'):contains('Tour Other')`,
        },
        {
            content: "one stays where it is",
            trigger: `${move("Tour Charlie")} button[name='action_take_out']`,
            run: "click",
        },
        { trigger: `${move("Tour Charlie")}:contains('Taken Out')` },
        {
            content: "the table follows",
            trigger: ".o_coverage_plan_people tr:contains('Tour Seller'):contains('−1')",
        },
        { trigger: "button[name='action_apply']", run: "click" },
        { trigger: ".modal .btn-primary", run: "click" },
        { trigger: ".o_statusbar_status .o_arrow_button_current:contains('Applied')" },
        { trigger: `${move("Tour Bravo")}:contains('Applied')` },
        {
            content: "and back",
            trigger: "button[name='action_undo']:contains('Undo')",
            run: "click",
        },
        { trigger: ".modal .btn-primary", run: "click" },
        { trigger: `${move("Tour Bravo")}:contains('Undone')` },
    ],
});

tours.add("coverage_plan_choose", {
    url: "/odoo/coverage-to-decide",
    steps: () => [
        {
            content: "the nightly plan waits for a manager",
            trigger: ".o_data_row:contains('Plan waits') button[name='action_yes']:contains('Look at It')",
            run: "click",
        },
        { trigger: ".alert-warning:contains('waits for you')" },
        {
            content: "somebody else gets it",
            trigger: `${move("Tour Bravo")} button[name='action_choose_receiver']`,
            run: "click",
        },
        {
            trigger: ".modal .o_coverage_candidate:contains('Tour Third')",
            run: "click",
        },
        { trigger: ".modal button[name='action_choose']", run: "click" },
        {
            trigger: `${move("Tour Bravo")}:contains('Tour Third'):contains('Chosen by hand')`,
        },
    ],
});

tours.add("coverage_plan_day", {
    url: "/odoo/my-day",
    steps: () => [
        {
            content: "one summary, no flood",
            trigger:
                ".o_coverage_day_moves [data-code='taken']:contains('Tour Bravo')",
            run: "click",
        },
        {
            trigger: ".o_kanban_record:contains('Tour Bravo'), .o_data_row:contains('Tour Bravo')",
        },
    ],
});
