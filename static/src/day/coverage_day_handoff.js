import { Component, useState } from "@odoo/owl";

import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";

import { CoverageBadge } from "../badge/coverage_badge";

const ICONS = {
    offered: "fa-inbox",
    draft: "fa-share",
    note: "fa-info-circle",
    deal: "fa-handshake-o",
    look: "fa-eye",
    rate: "fa-star-o",
};

/** One handoff of My Day: what waits for me, why, and one click to do it. */
export class CoverageDayHandoff extends Component {
    static template = "crm_sales_coverage.DayHandoff";
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

    get icon() {
        return ICONS[this.line.kind];
    }

    /** Do one thing at a time: a second tap on a slow phone must not do it twice. */
    async run(work) {
        if (this.state.isBusy) {
            return;
        }
        this.state.isBusy = true;
        try {
            await work();
        } finally {
            this.state.isBusy = false;
            await this.props.reload();
        }
    }

    call(method, args, message) {
        const { id, name } = this.line;
        return this.run(async () => {
            await this.orm.call("coverage.handoff", method, [[id], ...args]);
            this.notification.add(message(name), { type: "success" });
        });
    }

    accept() {
        return this.call("action_accept", [], (name) => _t("%(name)s is yours now.", { name }));
    }

    look() {
        return this.call("action_look", [], (name) => _t("Looked at %(name)s.", { name }));
    }

    see() {
        return this.run(() =>
            this.orm.call("coverage.handoff", "action_see", [[this.line.id]])
        );
    }

    rate(rating) {
        return this.call("action_rate", [rating], () => _t("Thank you."));
    }

    offer() {
        return this.openDialog("crm_sales_coverage.coverage_offer_action", {});
    }

    answer(kind) {
        return this.openDialog("crm_sales_coverage.coverage_answer_action", {
            default_kind: kind,
        });
    }

    openDialog(action, context) {
        return this.action.doAction(action, {
            additionalContext: { default_handoff_id: this.line.id, ...context },
            onClose: () => this.props.reload(),
        });
    }

    open() {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "coverage.handoff",
            res_id: this.line.id,
            views: [[false, "form"]],
        });
    }

    openDossier() {
        return this.action.doAction("crm_sales_coverage.coverage_dossier_handoff_report", {
            additionalContext: { active_ids: [this.line.id] },
        });
    }
}
