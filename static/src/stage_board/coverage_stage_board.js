import { registry } from "@web/core/registry";
import { KanbanRenderer } from "@web/views/kanban/kanban_renderer";
import { kanbanView } from "@web/views/kanban/kanban_view";

/** Says why it is empty: grouped by stages, Odoo would offer to make a column. */
export class CoverageStageBoardRenderer extends KanbanRenderer {
    get showNoContentHelper() {
        const { isGrouped, groups } = this.props.list;
        return isGrouped ? !groups.length : super.showNoContentHelper;
    }
}

registry.category("views").add("coverage_stage_board", {
    ...kanbanView,
    Renderer: CoverageStageBoardRenderer,
});
