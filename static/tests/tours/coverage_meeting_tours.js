import { registry } from "@web/core/registry";

import { openCoverageMenu } from "@crm_sales_coverage/../tests/tours/helpers/coverage_menu";

const tours = registry.category("web_tour.tours");

const pack = (text) => `.o_field_widget[name='pack_html'] .o_coverage_pack:contains('${text}')`;

tours.add("coverage_meeting_plan", {
    url: "/odoo/coverage-customers",
    steps: () => [
        { trigger: ".o_switch_view.o_list", run: "click" },
        {
            trigger: ".o_list_view .o_data_row:contains('Tour Bravo') .o_list_record_selector input",
            run: "click",
        },
        {
            trigger: ".o_data_row:contains('Tour Leader 0') .o_list_record_selector input",
            run: "click",
        },
        { trigger: ".o_cp_action_menus button:contains('Actions')", run: "click" },
        { trigger: ".o-dropdown-item:contains('Plan a Meeting')", run: "click" },
        {
            content: "the owners are proposed",
            trigger: ".modal .o_field_widget[name='member_ids'] .o_avatar",
        },
        {
            trigger: ".modal .o_field_widget[name='name'] input",
            run: "edit Bakeries that buy less",
        },
        { trigger: ".modal button[name='action_plan']", run: "click" },
        {
            content: "the pack names the chosen customers",
            trigger: pack("Tour Bravo"),
        },
        { trigger: pack("What the Best Do Differently") },
        { trigger: ".o_notebook .nav-link:contains('Decisions')", run: "click" },
        {
            trigger: "[name='decision_ids'] .o_field_x2many_list_row_add a",
            run: "click",
        },
        {
            trigger: "[name='decision_ids'] .o_data_row [name='name'] input",
            run: "edit Call every A before Friday",
        },
        { trigger: ".o_form_button_save", run: "click" },
        { trigger: ".o_form_saved, .o_form_view:not(:has(.o_form_dirty))" },
        {
            trigger: "[name='decision_ids'] .o_data_row:contains('Call every A before Friday')",
        },
        { trigger: "button[name='action_hold']", run: "click" },
        { trigger: ".o_statusbar_status .o_arrow_button_current:contains('Held')" },
    ],
});

tours.add("coverage_meeting_rule", {
    url: "/odoo/coverage-customers",
    steps: () => [
        ...openCoverageMenu("coverage_meeting_rule_menu"),
        { trigger: ".o_view_nocontent:contains('No meeting rules yet?')" },
        { trigger: ".o_list_button_add", run: "click" },
        {
            trigger: ".o_field_widget[name='name'] input",
            run: "edit Best practice of the tour",
        },
        { trigger: ".o_field_widget[name='team_id'] input", run: "edit Tour" },
        { trigger: ".o-autocomplete--dropdown-item:contains('Tour Team')", run: "click" },
        {
            content: "the team's leader leads",
            trigger: ".o_field_widget[name='leader_id'] input:value('tour_leader')",
        },
        {
            trigger: ".o_field_widget[name='interval_weeks'] input",
            run: "edit 1",
        },
        { trigger: "button[name='action_plan_now']", run: "click" },
        {
            content: "a meeting each of the next two weeks",
            trigger: ".o_list_view .o_data_row:contains('Best practice of the tour')",
        },
        {
            trigger: ".o_data_row:first td[name='name']",
            run: "click",
        },
        { trigger: pack("A Customers That Are Blue") },
    ],
});

tours.add("coverage_case_review", {
    url: "/odoo/my-day",
    steps: () => [
        {
            content: "one entry, no flood",
            trigger:
                ".o_coverage_day_cases [data-code='write'] button:contains('Tour Bravo')",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name='worked'] textarea",
            run: "edit A tasting with the kitchen",
        },
        {
            trigger: ".o_field_widget[name='next_time'] textarea",
            run: "edit Ask the chef first",
        },
        { trigger: ".o_form_button_save", run: "click" },
        { trigger: ".o_statusbar_status .o_arrow_button_current:contains('Written')" },
        ...openCoverageMenu("coverage_day_menu"),
        { trigger: ".o_coverage_day:not(:has(.o_coverage_day_cases))" },
        ...openCoverageMenu("coverage_case_review_menu"),
        {
            content: "found again",
            trigger: ".o_data_row:contains('Tour Bravo'):contains('Ask the chef first')",
        },
    ],
});
