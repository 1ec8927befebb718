import { Component, useState } from "@odoo/owl";

import { useService } from "@web/core/utils/hooks";

import { CoverageBadge } from "../badge/coverage_badge";

/** One customer or lead of My Day that leaves soon: when, why, and how to keep it. */
export class CoverageDayRisk extends Component {
    static template = "crm_sales_coverage.DayRisk";
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

    get model() {
        return this.line.kind === "customer" ? "coverage.customer" : "crm.lead";
    }

    get href() {
        const path = this.line.kind === "customer" ? "coverage-customers" : "crm.lead";
        return `/odoo/${path}/${this.line.id}`;
    }

    async logCall() {
        if (this.state.isBusy) {
            return;
        }
        this.state.isBusy = true;
        try {
            const action = await this.orm.call(this.model, "action_log_call", [
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
            res_model: this.model,
            res_id: this.line.id,
            views: [[false, "form"]],
        });
    }
}
