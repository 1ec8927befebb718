import { Component } from "@odoo/owl";

import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

import { CoverageRuleMatrix } from "./coverage_rule_matrix";

/** The picture on a rule's form: with what is being entered, before it is saved. */
export class CoverageRuleMatrixField extends Component {
    static template = "crm_sales_coverage.RuleMatrixField";
    static components = { CoverageRuleMatrix };
    static props = { ...standardFieldProps };

    get matrix() {
        return this.props.record.data[this.props.name];
    }

    get ruleId() {
        return this.props.record.resId || 0;
    }
}

registry.category("fields").add("coverage_rule_matrix", {
    component: CoverageRuleMatrixField,
    displayName: _t("Picture of Who Covers Whom"),
    supportedTypes: ["json"],
    isEmpty: () => false,
});
