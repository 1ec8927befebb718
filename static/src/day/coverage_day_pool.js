import { Component, useState } from "@odoo/owl";

import { useService } from "@web/core/utils/hooks";

/** One line of My Day: there is room, and the pool has somebody. */
export class CoverageDayPool extends Component {
    static template = "crm_sales_coverage.DayPool";
    static props = { pool: Object, reload: Function };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.state = useState({ isBusy: false });
    }

    /** Ask once: a second tap on a slow phone must not ask again. */
    async openNext() {
        if (this.state.isBusy) {
            return;
        }
        this.state.isBusy = true;
        try {
            const action = await this.orm.call(
                "coverage.customer",
                "action_next_customer",
                [[]]
            );
            await this.action.doAction(action, { onClose: () => this.props.reload() });
        } finally {
            this.state.isBusy = false;
        }
    }
}
