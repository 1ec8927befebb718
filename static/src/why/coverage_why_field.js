import { Component } from "@odoo/owl";

import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/**
 * The why card: what is so, by which facts and rule, and the smallest changes that
 * would make it otherwise. Shows what `coverage.customer.get_why()` returns.
 */
export class CoverageWhyField extends Component {
    static template = "crm_sales_coverage.WhyField";
    static props = {
        ...standardFieldProps,
        codeField: { type: String, optional: true },
    };

    get why() {
        return this.props.record.data[this.props.name];
    }

    get className() {
        return `o_coverage_${this.props.record.data[this.props.codeField] || "none"}`;
    }
}

registry.category("fields").add("coverage_why", {
    component: CoverageWhyField,
    displayName: _t("Why Card"),
    supportedTypes: ["json"],
    isEmpty: (record, name) => !record.data[name],
    fieldDependencies: ({ options }) =>
        options.code_field ? [{ name: options.code_field, type: "char" }] : [],
    extractProps: ({ options }) => ({ codeField: options.code_field }),
});
