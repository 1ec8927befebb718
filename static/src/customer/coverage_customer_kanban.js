import { registry } from "@web/core/registry";
import { KanbanRenderer } from "@web/views/kanban/kanban_renderer";
import { kanbanView } from "@web/views/kanban/kanban_view";

/** Puts those without a value (unrated, without owner) last: A comes first. */
export class CoverageCustomerKanbanRenderer extends KanbanRenderer {
    getGroupsOrRecords() {
        const entries = super.getGroupsOrRecords();
        if (!this.props.list.isGrouped) {
            return entries;
        }
        const hasValue = ({ group }) => Boolean(group.value);
        return [
            ...entries.filter(hasValue),
            ...entries.filter((entry) => !hasValue(entry)),
        ];
    }
}

registry.category("views").add("coverage_customer_kanban", {
    ...kanbanView,
    Renderer: CoverageCustomerKanbanRenderer,
});
