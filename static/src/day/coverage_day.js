import { Component, onWillStart, useState } from "@odoo/owl";

import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

export class CoverageDay extends Component {
    static template = "crm_sales_coverage.Day";
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.state = useState({ day: null });
        onWillStart(() => this.load());
    }

    async load() {
        this.state.day = await this.orm.call("coverage.day", "get_day", []);
    }
}

registry.category("actions").add("coverage_day", CoverageDay);
