import { Component } from "@odoo/owl";

import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { formatInteger, formatMonetary } from "@web/views/fields/formatters";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

import { CoverageBadge } from "../badge/coverage_badge";

/**
 * Whom neglect would cost whom: per seller who would be warned and who would leave, the
 * most valuable customers, and what keeps the others. Shows what
 * `coverage.idle.preview._get_summary()` returns.
 */
export class CoverageIdlePreviewField extends Component {
    static template = "crm_sales_coverage.IdlePreviewField";
    static components = { CoverageBadge };
    static props = { ...standardFieldProps };

    setup() {
        this.action = useService("action");
    }

    get summary() {
        return this.props.record.data[this.props.name];
    }

    get moreCount() {
        return this.summary.line_count - this.summary.lines.length;
    }

    sum(name) {
        return this.summary.sellers.reduce((sum, seller) => sum + seller[name], 0);
    }

    integer(value) {
        return formatInteger(value);
    }

    money(value) {
        return formatMonetary(Math.round(value), {
            currencyId: this.props.record.data.currency_id?.id,
            digits: [16, 0],
        });
    }

    openCustomer(id) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "coverage.customer",
            res_id: id,
            views: [[false, "form"]],
        });
    }
}

registry.category("fields").add("coverage_idle_preview", {
    component: CoverageIdlePreviewField,
    displayName: _t("Preview of Idle Customers"),
    supportedTypes: ["json"],
    isEmpty: () => false,
    fieldDependencies: [
        { name: "currency_id", type: "many2one", relation: "res.currency" },
    ],
});
