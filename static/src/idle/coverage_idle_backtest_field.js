import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";

import { CoverageIdlePreviewField } from "./coverage_idle_preview_field";

/**
 * What today's rules would have done in the last 12 months: per month who would have
 * moved, and who of them bought or was contacted afterwards anyway. Shows what
 * `coverage.idle.preview._get_backtest()` returns.
 */
export class CoverageIdleBacktestField extends CoverageIdlePreviewField {
    static template = "crm_sales_coverage.IdleBacktestField";

    get moreCount() {
        return this.summary.total.moved - this.summary.lines.length;
    }
}

registry.category("fields").add("coverage_idle_backtest", {
    component: CoverageIdleBacktestField,
    displayName: _t("Backtest of Idle Customers"),
    supportedTypes: ["json"],
    isEmpty: () => false,
    fieldDependencies: [
        { name: "currency_id", type: "many2one", relation: "res.currency" },
    ],
});
