import { Component } from "@odoo/owl";

import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

const formatters = registry.category("formatters");

/**
 * Segment, sign and yield as one badge: "A ❄ 7 %". Coloured by the code of the
 * temperature, which the option `code_field` names; readable without the colour.
 */
export class CoverageBadgeField extends Component {
    static template = "crm_sales_coverage.BadgeField";
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

    get segment() {
        return this.text.split(" ", 1)[0];
    }

    get rest() {
        return this.text.slice(this.segment.length).trim();
    }

    get title() {
        return this.segment === "–" ? _t("Unrated: its potential is unknown") : this.text;
    }

    get className() {
        const code = this.props.codeField && this.props.record.data[this.props.codeField];
        return [
            `o_coverage_${code || "none"}`,
            this.props.isLarge ? "o_coverage_badge_lg" : "",
            this.rest ? "" : "o_coverage_badge_alone",
        ].join(" ");
    }
}

export const coverageBadgeField = {
    component: CoverageBadgeField,
    displayName: _t("Coverage Badge"),
    supportedTypes: ["char", "many2one"],
    supportedOptions: [
        {
            label: _t("Field with the code of the temperature"),
            name: "code_field",
            type: "field",
            availableTypes: ["char"],
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
