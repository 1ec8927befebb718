import { Component } from "@odoo/owl";

import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { FloatField, floatField } from "@web/views/fields/float/float_field";

const USUAL = [1, 5, 10, 20];

/** Minutes to type, or to tap: the usual lengths of a talk. */
export class CoverageMinutesField extends Component {
    static template = "crm_sales_coverage.MinutesField";
    static components = { FloatField };
    static props = FloatField.props;

    get usual() {
        return USUAL;
    }

    getLabel(minutes) {
        return _t("%(minutes)s minutes", { minutes });
    }

    choose(minutes) {
        return this.props.record.update({ [this.props.name]: minutes });
    }
}

registry.category("fields").add("coverage_minutes", {
    ...floatField,
    component: CoverageMinutesField,
    displayName: _t("Minutes"),
});
