import { Component, useState } from "@odoo/owl";

import { useService } from "@web/core/utils/hooks";

import { CoverageBadge } from "../badge/coverage_badge";

/** One line of My Day: what it needs to act, one thing at a time. */
export class CoverageDayEntry extends Component {
    static components = { CoverageBadge };
    static props = { line: Object, reload: Function };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.notification = useService("notification");
        this.state = useState({ isBusy: false });
    }

    get line() {
        return this.props.line;
    }

    /** A second tap on a slow phone must not do it twice. */
    async run(work) {
        if (this.state.isBusy) {
            return;
        }
        this.state.isBusy = true;
        try {
            await work();
        } finally {
            this.state.isBusy = false;
        }
    }

    openForm(model) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: model,
            res_id: this.line.id,
            views: [[false, "form"]],
        });
    }
}
