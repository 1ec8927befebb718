import { Component } from "@odoo/owl";

import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { formatInteger } from "@web/views/fields/formatters";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/**
 * What the policies would begin: per giver which customers, to whom and why; what
 * waits, and whom nobody could take over. Shows what
 * `coverage.handoff.preview._get_summary()` returns.
 */
export class CoverageHandoffPreviewField extends Component {
    static template = "crm_sales_coverage.HandoffPreviewField";
    static props = { ...standardFieldProps };

    get summary() {
        return this.props.record.data[this.props.name];
    }

    get isEmpty() {
        const { count, waiting, nobody } = this.summary;
        return !count && !waiting.length && !nobody.length;
    }

    get title() {
        return _t("Would begin: %(count)s", { count: formatInteger(this.summary.count) });
    }

    integer(value) {
        return formatInteger(value);
    }
}

registry.category("fields").add("coverage_handoff_preview", {
    component: CoverageHandoffPreviewField,
    displayName: _t("Preview of the Handoffs"),
    supportedTypes: ["json"],
    isEmpty: () => false,
});
