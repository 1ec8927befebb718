import { Component } from "@odoo/owl";

import { useService } from "@web/core/utils/hooks";
import { formatInteger } from "@web/views/fields/formatters";

/**
 * Who covers whom as a picture: a row per lifecycle, a column per segment, and in each
 * cell the role with the rule that names it. Shows what `coverage.rule.get_matrix()`
 * returns; `ruleId` marks the cells of one rule (0: of the one being made).
 */
export class CoverageRuleMatrix extends Component {
    static template = "crm_sales_coverage.RuleMatrix";
    static props = {
        matrix: Object,
        ruleId: { type: Number, optional: true },
    };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
    }

    getCell(row, column) {
        return this.props.matrix.cells[row.key][column.key];
    }

    /** Cells of the rule being looked at stand out; the others step back. */
    isDimmed(cell) {
        const { ruleId } = this.props;
        if (ruleId === undefined) {
            return false;
        }
        const rules = [cell.main, ...cell.others, ...this.props.matrix.everywhere].filter(Boolean);
        return !rules.some((rule) => rule.id === ruleId);
    }

    getTitle(rule) {
        return `${rule.name}: ${rule.role}`;
    }

    integer(value) {
        return formatInteger(value);
    }

    async openCustomers(row, column) {
        this.action.doAction(
            await this.orm.call("coverage.rule", "action_open_cell", [row.key, column.key])
        );
    }
}
