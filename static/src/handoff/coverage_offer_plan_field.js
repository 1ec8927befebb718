import { Component } from "@odoo/owl";

import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/** To whom each of several customers would go, and why. */
export class CoverageOfferPlanField extends Component {
    static template = "crm_sales_coverage.OfferPlanField";
    static props = { ...standardFieldProps };

    get lines() {
        return this.props.record.data[this.props.name] || [];
    }
}

registry.category("fields").add("coverage_offer_plan", {
    component: CoverageOfferPlanField,
    displayName: _t("Who Takes Which"),
    supportedTypes: ["json"],
    isEmpty: () => false,
});
