import { Component } from "@odoo/owl";

import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/** What happened to a handoff, step by step: who, when, why. */
export class CoverageTimelineField extends Component {
    static template = "crm_sales_coverage.TimelineField";
    static props = { ...standardFieldProps };

    get steps() {
        return this.props.record.data[this.props.name] || [];
    }
}

registry.category("fields").add("coverage_timeline", {
    component: CoverageTimelineField,
    displayName: _t("Steps"),
    supportedTypes: ["json"],
    isEmpty: () => false,
});
