import { registry } from "@web/core/registry";

import { openCoverageMenu } from "@crm_sales_coverage/../tests/tours/helpers/coverage_menu";
import { stepUtils } from "@web_tour/tour_utils";

const tours = registry.category("web_tour.tours");

/** Open another app. */
function openApp(menu) {
    return [
        stepUtils.showAppsMenuItem(),
        { trigger: `.o_app[data-menu-xmlid='${menu}']`, run: "click" },
    ];
}

const confirmDialog = { trigger: ".modal-footer .btn-primary", run: "click" };
const noDialog = { trigger: "body:not(:has(.modal))" };

tours.add("coverage_manager", {
    url: "/odoo/coverage-customers",
    steps: () => [
        {
            content: "ranked: 6,000 against an A of 10,000 is a B",
            trigger: ".o_data_row:contains('Tour Bravo') .o_coverage_badge:contains('B')",
            run: "click",
        },
        {
            content: "why",
            trigger: ".o_coverage_why_headline:contains('6,000')",
        },
        { trigger: ".o_coverage_why_facts:contains('10,000')" },
        { trigger: ".o_coverage_why_rule:contains('45 % to 80 %')" },
        {
            content: "pin",
            trigger: "button[name='action_set_segment']",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name='segment_id'] input",
            run: "click",
        },
        {
            trigger: ".o_select_menu_item:contains(/^A$/)",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name='reason'] input",
            run: "edit Buys for the whole group",
        },
        { trigger: ".modal button[name='action_set']", run: "click" },
        noDialog,
        { trigger: ".o_form_view .o_coverage_badge_lg:contains('A')" },
        {
            content: "the reason is in the why card",
            trigger: ".o_coverage_why_rule:contains('Buys for the whole group')",
        },
        ...openCoverageMenu("coverage_what_if_menu"),
        {
            content: "another share for B",
            trigger:
                ".modal [name='segment_ids'] .o_data_row:contains('B') td[name='typical_share']",
            run: "click",
        },
        {
            trigger:
                ".modal [name='segment_ids'] .o_selected_row td[name='typical_share'] input",
            run: "edit 40",
        },
        { trigger: ".modal button[name='action_preview']", run: "click" },
        {
            content: "the preview: from C to B",
            trigger: ".o_coverage_matrix[data-field='segment_id'] tbody tr:contains('C') b:contains('1')",
        },
        { trigger: ".o_coverage_owners tr:contains('Tour Seller') .o_coverage_move" },
        { trigger: "button[name='action_apply']", run: "click" },
        confirmDialog,
        { trigger: ".o_arrow_button_current:contains('Applied')" },
        noDialog,
        { trigger: "button[name='action_undo']", run: "click" },
        confirmDialog,
        { trigger: ".o_arrow_button_current:contains('Undone')" },
        {
            content: "the list of what it did",
            trigger: "button[name='action_open_changes']",
            run: "click",
        },
        { trigger: ".o_data_row:contains('Tour Charlie')" },
    ],
});

tours.add("coverage_seller", {
    url: "/odoo/coverage-customers",
    steps: () => [
        { trigger: ".o_data_row:contains('Tour Bravo')" },
        {
            content: "nobody else's customers",
            trigger: ".o_list_view:not(:has(.o_data_row:contains('Tour Leader')))",
        },
        { trigger: ".o_switch_view.o_kanban", run: "click" },
        {
            content: "a coloured card",
            trigger: ".o_kanban_record:contains('Tour Bravo') .o_coverage_hot",
        },
        { trigger: ".o_kanban_record:contains('Tour Bravo')", run: "click" },
        { trigger: ".o_coverage_why_headline:contains('6,000')" },
        {
            content: "a seller declares, the leader confirms",
            trigger: ".o_form_view:not(:has(button[name='action_confirm_potential']))",
        },
        { trigger: "button[name='action_declare_potential']", run: "click" },
        {
            trigger: ".modal .o_field_widget[name='amount'] input",
            run: "edit 9000",
        },
        {
            trigger: ".modal .o_field_widget[name='how'] input",
            run: "edit Buys half of it elsewhere",
        },
        {
            trigger: ".modal button[name='action_set']:contains('Declare')",
            run: "click",
        },
        noDialog,
        { trigger: ".o_form_view .o_coverage_badge_lg:contains('A')" },
        { trigger: ".o_coverage_why_facts:contains('Declared')" },
    ],
});

tours.add("coverage_start", {
    url: "/odoo/coverage-customers",
    steps: () => [
        ...openCoverageMenu("coverage_start_menu"),
        {
            trigger: ".o_coverage_start [name='coverage_preset'] input[data-value='seasonal']",
            run: "click",
        },
        { trigger: "button[name='action_refresh']", run: "click" },
        { trigger: ".o_coverage_start:contains('again every night')" },
        { trigger: "button[name='action_open_map']", run: "click" },
        { trigger: ".o_kanban_record:contains('Tour Leader 1') .o_coverage_badge" },
        ...openCoverageMenu("coverage_settings_menu"),
        {
            content: "the settings say what was chosen in the checklist",
            trigger: ".o_setting_container [name='coverage_preset'] input[data-value='seasonal']:checked",
        },
        { trigger: ".o_coverage_advanced summary", run: "click" },
        {
            trigger: ".o_coverage_advanced [name='coverage_stay_days'] input",
            run: "edit 20",
        },
        { trigger: ".o_form_button_save", run: "click", expectUnloadPage: true },
        ...openApp("contacts.menu_contacts"),
        { trigger: ".o_breadcrumb:contains('Contacts')" },
        { trigger: ".o_searchview_input", run: "edit Tour Leader 1" },
        { trigger: ".o_searchview_autocomplete .o-dropdown-item", run: "click" },
        { trigger: ".o_searchview_facet" },
        {
            content: "contacts show the badge",
            trigger: ".o_data_row:contains('Tour Leader 1') .o_coverage_badge:contains('A'), .o_kanban_record:contains('Tour Leader 1') .o_coverage_badge:contains('A')",
        },
        {
            trigger: ".o_data_row:contains('Tour Leader 1') td[name='complete_name'], .o_kanban_record:contains('Tour Leader 1')",
            run: "click",
        },
        { trigger: "button[name='action_open_coverage']", run: "click" },
        { trigger: ".o_coverage_why" },
        ...openApp("crm.crm_menu_root"),
        {
            content: "opportunities show the segment",
            trigger: ".o_kanban_record:contains('Tour Deal') .o_coverage_badge:contains('A')",
        },
    ],
});

/** A customer's line of My Day. */
const line = (name) => `.o_coverage_line[aria-label='${name}']`;

/** My Day, once the line is gone. */
const withoutLine = (name) => ({ trigger: `.o_coverage_day:not(:has(${line(name)}))` });

tours.add("coverage_day", {
    url: "/odoo/my-day",
    steps: () => [
        {
            content: "who, why now, what is at stake, and how to reach them",
            trigger: `${line("Tour Bravo")} .o_coverage_badge:contains('B')`,
        },
        { trigger: `${line("Tour Bravo")}:contains('not earned yet')` },
        { trigger: `${line("Tour Bravo")} a[href='tel:+12125550123']` },
        {
            content: "log a call",
            trigger: `${line("Tour Bravo")} .o_coverage_log`,
            run: "click",
        },
        {
            content: "whom one speaks to is filled in",
            trigger: ".modal [name='partner_id'] input:value('Tina Tour')",
        },
        { trigger: ".modal [name='outcome_id'] label:contains('Talked')", run: "click" },
        {
            content: "without minutes it would be an attempt",
            trigger: ".modal:contains('counts as an attempt')",
        },
        { trigger: ".modal [name='minutes'] button[data-minutes='5']", run: "click" },
        { trigger: ".modal .modal-body:not(:contains('counts as an attempt'))" },
        {
            trigger: ".modal [name='note'] textarea",
            run: "edit Wants an offer",
        },
        { trigger: ".modal button[name='action_log']", run: "click" },
        noDialog,
        withoutLine("Tour Bravo"),
        { trigger: ".o_coverage_goals li:contains('Calls') b:contains('1')" },
        {
            content: "a visit with one tap, and back",
            trigger: `${line("Tour Charlie")} .o_coverage_visited`,
            run: "click",
        },
        withoutLine("Tour Charlie"),
        { trigger: ".o_notification button:contains('Undo')", run: "click" },
        {
            content: "put it off",
            trigger: `${line("Tour Charlie")} .o_coverage_snooze`,
            run: "click",
        },
        { trigger: ".o-dropdown--menu [data-days='3']", run: "click" },
        withoutLine("Tour Charlie"),
        {
            content: "ask the leader for longer",
            trigger: `${line("Tour Delta")} .o_coverage_snooze`,
            run: "click",
        },
        { trigger: ".o-dropdown--menu .o_coverage_leave_alone", run: "click" },
        {
            trigger: ".modal [name='reason'] input",
            run: "edit Closed for rebuilding",
        },
        {
            trigger: ".modal button[name='action_ask']:contains('Ask the Leader')",
            run: "click",
        },
        noDialog,
        { trigger: `${line("Tour Delta")}:contains('Asked to be left alone')` },
    ],
});

tours.add("coverage_day_email", {
    url: "/odoo/my-day",
    steps: () => [
        { trigger: `${line("Tour Bravo")} .o_coverage_email`, run: "click" },
        {
            content: "Odoo's own composer, to the person",
            trigger: ".modal [name='partner_ids']:contains('Tina Tour')",
        },
        { trigger: ".modal [name='subject'] input", run: "edit Our offer" },
        { trigger: ".modal .o_mail_send", run: "click" },
        noDialog,
        {
            content: "an attempt: back on the list when it is time to try again",
            ...withoutLine("Tour Bravo"),
        },
    ],
});

tours.add("coverage_day_whole", {
    url: "/odoo/my-day",
    steps: () => [
        { trigger: ".o_coverage_lines:not(:has(.o_coverage_line:nth-of-type(2)))" },
        {
            content: "no more than the norm, the rest one click away",
            trigger: ".o_coverage_more:contains('2 more')",
            run: "click",
        },
        { trigger: ".o_coverage_day:not(:has(.o_coverage_more))" },
        { trigger: ".o_coverage_lines:has(.o_coverage_line:nth-of-type(3))" },
    ],
});

tours.add("coverage_day_empty", {
    url: "/odoo/my-day",
    steps: () => [{ trigger: ".o_coverage_day_empty:contains('No customers yet?')" }],
});

tours.add("coverage_leader", {
    url: "/odoo/my-day",
    steps: () => [
        {
            content: "a member's day",
            trigger: ".o_coverage_day select[name='member']",
            run: "selectByLabel Tour Seller",
        },
        { trigger: line("Tour Bravo") },
        {
            content: "one's own again, with what waits for a decision",
            trigger: ".o_coverage_day select[name='member']",
            run: "selectByLabel tour_leader",
        },
        { trigger: ".o_coverage_decisions [data-code='asked']", run: "click" },
        {
            trigger: ".o_data_row:contains('Tour Delta') button[name='action_yes']:not(.d-none)",
            run: "click",
        },
        { trigger: ".o_list_view:not(:has(.o_data_row:contains('Tour Delta')))" },
        { trigger: ".o_breadcrumb .o_back_button, .breadcrumb-item a", run: "click" },
        { trigger: ".o_coverage_day:not(:has([data-code='asked']))" },
        ...openCoverageMenu("coverage_touch_menu_unmatched"),
        {
            content: "a call from an unknown number",
            trigger: ".o_data_row:contains('+12125550199') button[name='action_match']",
            run: "click",
        },
        {
            trigger: ".modal [name='partner_id'] input",
            run: "edit Tina",
        },
        {
            trigger: ".o-autocomplete--dropdown-item:contains('Tina Tour')",
            run: "click",
        },
        { trigger: ".modal button[name='action_match']", run: "click" },
        noDialog,
        { trigger: ".o_view_nocontent:contains('Every caller is known')" },
    ],
});

tours.add("coverage_rhythm", {
    url: "/odoo/coverage-customers",
    steps: () => [
        ...openCoverageMenu("coverage_start_menu"),
        {
            trigger: ".o_coverage_start [name='step_rhythm']:contains('switched off')",
        },
        { trigger: "button[name='action_preview_rhythm']", run: "click" },
        {
            content: "what it would ask of each seller",
            trigger: ".o_coverage_cadence [data-table='sellers'] tr:contains('Tour Seller') .o_coverage_week:contains('1')",
        },
        {
            content: "more than the seller can keep: whom it leaves out",
            trigger: ".o_coverage_over:contains('Tour Seller') .o_coverage_left_out",
            run: "click",
        },
        { trigger: ".o_breadcrumb .active:contains('Left Out')" },
        {
            trigger: ".o_data_row:contains('Tour Delta') td[name='partner_id']",
            run: "click",
        },
        {
            content: "contacts on the customer",
            trigger: ".o_coverage_counts:contains('no contact yet')",
        },
        ...openCoverageMenu("coverage_cadence_preview_menu"),
        { trigger: "button[name='action_switch_on']", run: "click" },
        confirmDialog,
        { trigger: ".o_form_view:contains('Switched on')" },
        { trigger: "button[name='action_switch_off']" },
    ],
});

tours.add("coverage_reports", {
    url: "/odoo/coverage-customers",
    steps: () => [
        ...openCoverageMenu("coverage_touch_menu"),
        {
            content: "the ledger has the call",
            trigger: ".o_data_row:contains('Tour Bravo') [name='outcome_id']:contains('Refused')",
        },
        ...openCoverageMenu("coverage_touch_report_menu"),
        {
            content: "contacts per seller",
            trigger: ".o_pivot th:contains('tour_seller'), .o_pivot th:contains('Tour Seller')",
        },
        ...openCoverageMenu("coverage_touch_report_menu_refusal"),
        {
            content: "refusals in a graph",
            trigger: ".o_graph_view:not(:has(.o_view_nocontent)) canvas",
        },
        ...openCoverageMenu("coverage_attention_report_menu_plan"),
        {
            content: "owed against done, per segment",
            trigger: ".o_pivot th:contains('B')",
        },
        ...openCoverageMenu("coverage_attention_report_menu"),
        {
            content: "a row opens the customer",
            trigger: ".o_data_row:contains('Tour Charlie') td[name='customer_id']",
            run: "click",
        },
        { trigger: ".o_coverage_customer_form .o_coverage_why" },
        ...openCoverageMenu("coverage_poured_report_menu"),
        { trigger: ".o_pivot th:contains('Tour Seller')" },
        ...openCoverageMenu("coverage_change_menu"),
        { trigger: ".o_list_view" },
        ...openCoverageMenu("coverage_outcome_menu"),
        { trigger: ".o_data_row:contains('Reached the goal')" },
    ],
});

tours.add("coverage_rule_matrix", {
    url: "/odoo/coverage-customers",
    steps: () => [
        ...openCoverageMenu("coverage_rule_menu"),
        {
            content: "who covers a regular A",
            trigger:
                ".o_coverage_rule_matrix [data-cell='regular A']:contains('Key Account Manager, senior')",
        },
        {
            content: "a rule that another one blocks is shown before it is saved",
            trigger: ".o_list_button_add",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name='name'] input",
            run: "edit Tour Rule",
        },
        { trigger: ".o_field_widget[name='lifecycle'] input", run: "click" },
        { trigger: ".o_select_menu_item:contains(/^New$/)", run: "click" },
        { trigger: ".o_field_widget[name='role_id'] input", run: "edit Farmer" },
        {
            trigger: ".o-autocomplete--dropdown-item:contains('Farmer')",
            run: "click",
        },
        {
            trigger: ".alert [name='lint_text']:contains('“Tour Rule” never holds')",
        },
        ...stepUtils.saveForm(),
        { trigger: ".o_back_button", run: "click" },
        {
            content: "and marked in the list",
            trigger: ".o_coverage_rule_warnings:contains('“Tour Rule” never holds')",
        },
        {
            content: "dragged above the rule that blocks it, it holds",
            trigger: ".o_data_row:contains('Tour Rule') .o_handle_cell",
            run: "drag_and_drop(.o_data_row:first .o_handle_cell)",
        },
        {
            trigger:
                ".o_coverage_rule_matrix [data-cell='new A']:contains('Farmer'):contains('Tour Rule')",
        },
        {
            content: "a cell opens its customers",
            trigger: "[data-cell='new B'] .o_coverage_rule_count",
            run: "click",
        },
        {
            trigger: ".o_data_row:contains('Tour Bravo') td[name='partner_id']",
            run: "click",
        },
        {
            content: "the rule is told on the customer",
            trigger: ".o_coverage_why_cover:contains('rule “Tour Rule”')",
        },
        { trigger: "[name='cover']:contains('Farmer')" },
    ],
});

tours.add("coverage_stage_board", {
    url: "/odoo/coverage-customers",
    steps: () => [
        ...openCoverageMenu("coverage_stage_owner_menu"),
        { trigger: ".o_list_button_add", run: "click" },
        {
            trigger: ".o_selected_row [name='stage_id'] input",
            run: "edit Tour Talks",
        },
        {
            trigger: ".o-autocomplete--dropdown-item:contains('Tour Talks')",
            run: "click",
        },
        {
            content: "for all teams that have no boss of their own",
            trigger: ".o_selected_row [name='user_id'] input",
            run: "edit Tour Seller",
        },
        {
            trigger: ".o-autocomplete--dropdown-item:contains('Tour Seller')",
            run: "click",
        },
        { trigger: ".o_list_button_save", run: "click" },
        { trigger: ".o_data_row:contains('Tour Talks'):not(.o_selected_row)" },
        ...openCoverageMenu("coverage_stage_report_menu"),
        {
            content: "two open, one late; who answers for it",
            trigger:
                ".o_kanban_record:contains('Tour Talks'):contains('Tour Team'):contains('2 open'):contains('Tour Seller')",
        },
        {
            trigger:
                ".o_kanban_record:contains('Tour Talks'):contains('Tour Team') .o_coverage_stage_late_count:contains('1 late')",
            run: "click",
        },
        { trigger: ".o_breadcrumb .active:contains('Late in Tour Talks')" },
        { trigger: ".o_data_row:contains('Tour Old')" },
        { trigger: "body:not(:has(.o_data_row:contains('Tour Fresh')))" },
        { trigger: ".o_back_button, .breadcrumb-item a", run: "click" },
        {
            content: "a click opens all that lies there",
            trigger:
                ".o_coverage_stage_board .o_kanban_record:contains('Tour Talks'):contains('Tour Team')",
            run: "click",
        },
        { trigger: ".o_data_row:contains('Tour Fresh')" },
        ...openCoverageMenu("coverage_role_menu"),
        { trigger: ".o_data_row:contains('Hunter') td[name='name']", run: "click" },
        {
            content: "who is in the role",
            trigger: ".o_form_view [name='member_ids'] .o_data_row:contains('Tour Seller')",
        },
        ...openCoverageMenu("coverage_people_menu"),
        { trigger: ".o_breadcrumb .active:contains('People')" },
        {
            trigger: ".o_data_row:contains('Tour Seller') td[name='coverage_seniority']",
            run: "click",
        },
        { trigger: ".o_form_view button[name='action_fill_in_from_sales']", run: "click" },
        { trigger: ".o_notification:contains('Tour Seller')" },
        {
            content: "time in the role",
            trigger: "[name='coverage_tenure_ids'] .o_data_row:contains('Hunter')",
        },
        ...openCoverageMenu("coverage_work_report_menu"),
        { trigger: ".o_pivot, .o_view_nocontent" },
        ...openCoverageMenu("coverage_tenure_menu"),
        { trigger: ".o_data_row:contains('Tour Seller'):contains('Hunter')" },
        ...openCoverageMenu("coverage_tenure_menu_ready"),
        { trigger: ".o_list_view" },
    ],
});

const handoffLine = (name) => `.o_coverage_day_handoff[aria-label='${name}']`;

tours.add("coverage_handoff_offer", {
    url: "/odoo/coverage-customers",
    steps: () => [
        { trigger: ".o_data_row:contains('Tour Bravo') td[name='partner_id']", run: "click" },
        { trigger: "button[name='action_hand_over']", run: "click" },
        {
            content: "who suits best is chosen already",
            trigger: ".modal .o_coverage_candidate.o_coverage_chosen:contains('Tour Receiver')",
        },
        { trigger: ".modal [name='reason'] input", run: "edit Buys every month" },
        { trigger: ".modal button[name='action_offer']", run: "click" },
        noDialog,
        {
            trigger: ".o_form_view [name='handoff']:contains('Offered to Tour Receiver'):contains('Buys every month')",
        },
    ],
});

tours.add("coverage_handoff_accept", {
    url: "/odoo/my-day",
    steps: () => [
        {
            content: "it waits for me, with the reason",
            trigger: `${handoffLine("Tour Bravo")}:contains('Buys every month')`,
        },
        { trigger: `${handoffLine("Tour Bravo")} .o_coverage_accept`, run: "click" },
        { trigger: `.o_coverage_day:not(:has(${handoffLine("Tour Bravo")}))` },
        { trigger: ".o_notification:contains('Tour Bravo is yours now')" },
    ],
});

tours.add("coverage_handoff_watch", {
    url: "/odoo/handoffs",
    steps: () => [
        { trigger: ".o_data_row:contains('Tour Bravo') td[name='reason']", run: "click" },
        { trigger: ".o_coverage_handoff [name='due']:contains('0 of 3 deals watched')" },
        { trigger: ".o_coverage_timeline:contains('Offered'):contains('Watched')" },
        { trigger: "button:contains('Raise Hand')", run: "click" },
        { trigger: ".modal [name='reason'] input", run: "edit Nobody calls them" },
        { trigger: ".modal button[name='action_answer']:visible", run: "click" },
        noDialog,
        { trigger: ".o_coverage_timeline:contains('Nobody calls them')" },
    ],
});

tours.add("coverage_handoff_back", {
    url: "/odoo/my-day",
    steps: () => [
        {
            content: "the hand that was raised",
            trigger: `${handoffLine("Tour Bravo")}:contains('Nobody calls them') .o_coverage_line_name`,
            run: "click",
        },
        { trigger: ".o_coverage_handoff button:contains('Hand Back')", run: "click" },
        { trigger: ".modal [name='reason'] input", run: "edit Wants its old seller" },
        { trigger: ".modal button[name='action_answer']:visible", run: "click" },
        noDialog,
        { trigger: ".o_arrow_button_current:contains('Handed Back')" },
        { trigger: ".o_coverage_timeline:contains('Wants its old seller')" },
    ],
});

tours.add("coverage_handoff_preview", {
    url: "/odoo/coverage-customers",
    steps: () => [
        ...openCoverageMenu("coverage_start_menu"),
        { trigger: "[name='step_handoffs'] button[name='action_preview_handoffs']", run: "click" },
        { trigger: ".o_form_view:contains('Switched off') .o_coverage_handoffs" },
        { trigger: "button[name='action_switch_on']", run: "click" },
        confirmDialog,
        { trigger: ".o_form_view:contains('Switched on')" },
        { trigger: "button[name='action_open_policies']", run: "click" },
        { trigger: ".o_data_row:contains('When a customer becomes')" },
    ],
});
