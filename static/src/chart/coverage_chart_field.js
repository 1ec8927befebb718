import { registry } from "@web/core/registry";
import {
    JournalDashboardGraphField,
    journalDashboardGraphField,
} from "@web/views/fields/journal_dashboard_graph/journal_dashboard_graph_field";

import { formatAmount } from "../amount/coverage_amount_field";

const BAR_COLOR = "#8b87b8";

/**
 * Odoo's own small chart, made fit for a form: there the pager puts another record
 * under the same component, while Odoo reads the data only once.
 */
export class CoverageChartField extends JournalDashboardGraphField {
    renderChart() {
        this.data = JSON.parse(this.props.record.data[this.props.name]);
        super.renderChart();
    }

    getBarChartConfig() {
        const config = super.getBarChartConfig();
        const currencyId = this.props.record.data.currency_id?.id;
        config.data.datasets[0].backgroundColor = BAR_COLOR;
        config.options.scales.x.grid.display = false;
        config.options.plugins.tooltip.displayColors = false;
        config.options.plugins.tooltip.callbacks = {
            label: ({ raw }) => formatAmount(raw, { currencyId }),
        };
        return config;
    }
}

registry.category("fields").add("coverage_chart", {
    ...journalDashboardGraphField,
    component: CoverageChartField,
    fieldDependencies: [{ name: "currency_id", type: "many2one", relation: "res.currency" }],
});
