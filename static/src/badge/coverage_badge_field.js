import { Component } from "@odoo/owl";

import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

import { CoverageBadge } from "./coverage_badge";

const formatters = registry.category("formatters");

/**
 * A badge of a record. The option `code_field` names the field with the code of its
 * temperature.
 */
export class CoverageBadgeField extends Component {
    static template = "crm_sales_coverage.BadgeField";
    static components = { CoverageBadge };
    static props = {
        ...standardFieldProps,
        codeField: { type: String, optional: true },
        isLarge: { type: Boolean, optional: true },
    };

    get text() {
        const { record, name } = this.props;
        const format = formatters.get(record.fields[name].type);
        return format(record.data[name], record.fields[name]) || "";
    }

    get code() {
        return this.props.codeField && this.props.record.data[this.props.codeField];
    }
}

export const coverageBadgeField = {
    component: CoverageBadgeField,
    displayName: _t("Coverage Badge"),
    supportedTypes: ["char", "many2one", "selection"],
    supportedOptions: [
        {
            label: _t("Field with the code of the temperature"),
            name: "code_field",
            type: "field",
            availableTypes: ["char", "selection"],
        },
        { label: _t("Large"), name: "large", type: "boolean" },
    ],
    isEmpty: () => false,
    fieldDependencies: ({ options }) =>
        options.code_field ? [{ name: options.code_field, type: "char" }] : [],
    extractProps: ({ options }) => ({
        codeField: options.code_field,
        isLarge: Boolean(options.large),
    }),
};

registry.category("fields").add("coverage_badge", coverageBadgeField);
