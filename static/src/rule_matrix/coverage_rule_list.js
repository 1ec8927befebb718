import { onWillStart, onWillUpdateProps, useState } from "@odoo/owl";

import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { listView } from "@web/views/list/list_view";
import { ListRenderer } from "@web/views/list/list_renderer";

import { CoverageRuleMatrix } from "./coverage_rule_matrix";

/** The rules in their order, below the picture of what they come to. */
export class CoverageRuleListRenderer extends ListRenderer {
    static template = "crm_sales_coverage.RuleListRenderer";
    static components = { ...ListRenderer.components, CoverageRuleMatrix };

    setup() {
        super.setup();
        this.orm = useService("orm");
        this.picture = useState({ matrix: null });
        onWillStart(() => this.loadMatrix());
        onWillUpdateProps(({ list }) => list !== this.props.list && this.loadMatrix());
    }

    async loadMatrix() {
        this.picture.matrix = await this.orm.call("coverage.rule", "get_matrix", []);
    }

    /** A rule that was dragged counts at once: the checks of all others may change. */
    async sortDrop(...args) {
        await super.sortDrop(...args);
        await this.props.list.model.load();
    }
}

registry.category("views").add("coverage_rule_list", {
    ...listView,
    Renderer: CoverageRuleListRenderer,
});
