import { registry } from "@web/core/registry";

import { openCoverageMenu } from "@crm_sales_coverage/../tests/tours/helpers/coverage_menu";

const tours = registry.category("web_tour.tours");

const noDialog = { trigger: "body:not(:has(.modal))" };
const edit = (name, text) => ({
    trigger: `.modal .o_field_widget[name='${name}'] input`,
    run: `edit ${text}`,
});
const leave = { trigger: ".modal .o_field_widget[name='email'] input", run: "click" };

tours.add("coverage_register", {
    url: "/odoo/coverage-customers",
    steps: () => [
        ...openCoverageMenu("coverage_register_menu"),
        edit("name", "Tour Leader 0 GmbH"),
        leave,
        {
            content: "the same name but for its legal form, and who has it",
            trigger: ".modal .alert:contains('Somebody has it')",
        },
        {
            trigger:
                ".modal [name='match_html'] tr:contains('Tour Leader 0'):contains('tour_manager'):contains('name')",
        },
        edit("name", "Brand New Bakery"),
        leave,
        { trigger: ".modal:not(:has(.alert))" },
        edit("vat", "US-4711-42"),
        leave,
        {
            content: "the same tax id: nobody registers it again",
            trigger: ".modal [name='match_html'] tr:contains('Tour Leader 1'):contains('Tax ID')",
        },
        { trigger: ".modal:not(:has(button[name='action_register']))" },
        edit("vat", "US-4712-00"),
        leave,
        { trigger: ".modal:not(:has(.alert))" },
        { trigger: ".modal button[name='action_register']", run: "click" },
        noDialog,
        { trigger: ".o_form_view:contains('Brand New Bakery')" },
    ],
});

tours.add("coverage_lost_ask", {
    steps: () => [
        { trigger: ".o_statusbar_buttons button:contains(/^Lost$/)", run: "click" },
        {
            trigger: ".modal [name='lost_reason_id'] span:contains('Tour Reason')",
            run: "click",
        },
        { trigger: ".modal button[name='action_lost_reason_apply']", run: "click" },
        noDialog,
        { trigger: ".o_notification:contains('Your team leader decides')" },
        {
            content: "the lead stays open, and says what is asked",
            trigger: ".o_form_view",
            run: () => window.location.reload(),
            expectUnloadPage: true,
        },
        {
            trigger: ".o_form_view [name='requested']:contains('Tour Seller asks the leader'):contains('Tour Reason')",
        },
        { trigger: ".o_form_view:not(:has(button[name='action_grant_request']))" },
    ],
});

tours.add("coverage_lost_decide", {
    url: "/odoo/my-day",
    steps: () => [
        { trigger: ".o_coverage_decisions [data-code='drop']", run: "click" },
        {
            content: "who asks, about what, and why",
            trigger: ".o_data_row:contains('Tour Hopeless'):contains('Tour Reason')",
        },
        {
            trigger: ".o_data_row:contains('Tour Hopeless') button[name='action_yes']",
            run: "click",
        },
        { trigger: "body:not(:has(.o_data_row:contains('Tour Hopeless')))" },
    ],
});

tours.add("coverage_dossier", {
    url: "/odoo/handoffs",
    steps: () => [
        { trigger: ".o_data_row:contains('Tour Bravo') td[name='reason']", run: "click" },
        {
            content: "the dossier is one click away",
            trigger: ".o_coverage_handoff button:contains('Dossier')",
        },
        { trigger: "button:contains('Decline…')" },
    ],
});

tours.add("coverage_rule_uncovered", {
    url: "/odoo/coverage-customers",
    steps: () => [
        ...openCoverageMenu("coverage_rule_menu"),
        {
            content: "the rule without conditions, at the end",
            trigger: ".o_data_row:last td[name='name']",
            run: "click",
        },
        { trigger: ".o_field_widget[name='lifecycle'] input", run: "click" },
        { trigger: ".o_select_menu_item:contains(/^Sleeping$/)", run: "click" },
        {
            content: "what no rule covers any more is told before saving",
            trigger: ".alert [name='lint_text']:contains('No rule covers'):contains('New')",
        },
        { trigger: ".o_form_button_cancel", run: "click" },
        { trigger: ".o_form_view:not(:has(.alert [name='lint_text']))" },
    ],
});
