import { Component } from "@odoo/owl";

import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { formatInteger, formatMonetary } from "@web/views/fields/formatters";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/**
 * What a plan does to each person, before → after, and why customers could not be placed.
 * Shows what `coverage.run._get_plan_summary()` returns.
 */
export class CoveragePlanSummaryField extends Component {
    static template = "crm_sales_coverage.PlanSummaryField";
    static props = { ...standardFieldProps };

    get summary() {
        return this.props.record.data[this.props.name];
    }

    get columns() {
        return [
            { name: "customers", label: _t("Customers") },
            { name: "a", label: _t("A customers") },
            { name: "potential", label: _t("Potential"), isMoney: true },
            { name: "load", label: _t("Contacts a month") },
        ];
    }

    get isEmpty() {
        return !this.summary.people.some((person) => person.moved);
    }

    write(value, column) {
        if (column.isMoney) {
            return formatMonetary(Math.round(value), {
                currencyId: this.props.record.data.currency_id?.id,
                digits: [16, 0],
            });
        }
        return formatInteger(Math.round(value));
    }

    isSame(person, column) {
        return Math.abs(person.before[column.name] - person.after[column.name]) < 0.05;
    }

    /** How much of what somebody can keep he has to keep, in percent; none: no limit. */
    getPercent(person) {
        return person.capacity ? Math.round((100 * person.after.load) / person.capacity) : null;
    }
}

registry.category("fields").add("coverage_plan_summary", {
    component: CoveragePlanSummaryField,
    displayName: _t("Plan by Person"),
    supportedTypes: ["json"],
    isEmpty: () => false,
    fieldDependencies: [
        { name: "currency_id", type: "many2one", relation: "res.currency" },
        { name: "state", type: "selection" },
    ],
});
