import { Component, useState } from "@odoo/owl";

import { useService } from "@web/core/utils/hooks";

import { CoverageBadge } from "../badge/coverage_badge";

/** One blue A customer of My Day: by when to rethink it, or what came of it. */
export class CoverageDayRethink extends Component {
    static template = "crm_sales_coverage.DayRethink";
    static components = { CoverageBadge };
    static props = { line: Object, reload: Function };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.state = useState({ isBusy: false });
    }

    get line() {
        return this.props.line;
    }

    get href() {
        return `/odoo/coverage-customers/${this.line.customer_id}`;
    }

    async answer() {
        if (this.state.isBusy) {
            return;
        }
        this.state.isBusy = true;
        try {
            const action = await this.orm.call("coverage.rethink", "action_open_answer", [
                [this.line.id],
            ]);
            await this.action.doAction(action, { onClose: () => this.props.reload() });
        } finally {
            this.state.isBusy = false;
        }
    }

    open() {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "coverage.customer",
            res_id: this.line.customer_id,
            views: [[false, "form"]],
        });
    }
}
