import { registry } from "@web/core/registry";
import { GraphModel } from "@web/views/graph/graph_model";
import { GraphRenderer } from "@web/views/graph/graph_renderer";
import { graphView } from "@web/views/graph/graph_view";

// The same as in coverage.scss.
const COLORS = {
    frozen: "#304be0",
    cool: "#5794dd",
    mild: "#e8bb1d",
    warm: "#dc8534",
    hot: "#c93a1e",
};
const NO_TEMPERATURE = "#adb5bd";

/** Knows the temperatures by name and stacks them, the coldest below. */
export class CoverageCustomerGraphModel extends GraphModel {
    async load(searchParams) {
        this.temperatures ??= await this.orm.searchRead(
            "coverage.temperature",
            [],
            ["name", "code"]
        );
        return super.load(searchParams);
    }

    /** The rank of a dataset's temperature, the coldest first; -1 when it has none. */
    getRank({ label }) {
        return this.temperatures.findIndex(({ name }) => name === label);
    }

    getColor(dataset) {
        const isByTemperature = this.data.datasets.some((each) => this.getRank(each) >= 0);
        const code = this.temperatures[this.getRank(dataset)]?.code;
        return COLORS[code] || (isByTemperature ? NO_TEMPERATURE : null);
    }

    _getData(...args) {
        const data = super._getData(...args);
        data.datasets.sort((a, b) => this.getRank(a) - this.getRank(b));
        return data;
    }

    /** No line of sums: it would connect segments that do not follow each other. */
    _getLineOverlayDataset() {
        return null;
    }
}

/** Frozen is blue and hot is red here too. */
export class CoverageCustomerGraphRenderer extends GraphRenderer {
    getBarChartData() {
        const data = super.getBarChartData();
        for (const dataset of data.datasets) {
            dataset.backgroundColor = this.model.getColor(dataset) || dataset.backgroundColor;
        }
        return data;
    }
}

registry.category("views").add("coverage_customer_graph", {
    ...graphView,
    Model: CoverageCustomerGraphModel,
    Renderer: CoverageCustomerGraphRenderer,
});
