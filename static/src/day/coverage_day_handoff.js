import { _t } from "@web/core/l10n/translation";

import { CoverageDayEntry } from "./coverage_day_entry";

const ICONS = {
    offered: "fa-inbox",
    draft: "fa-share",
    note: "fa-info-circle",
    deal: "fa-handshake-o",
    look: "fa-eye",
    rate: "fa-star-o",
};

/** One handoff of My Day: what waits for me, why, and one click to do it. */
export class CoverageDayHandoff extends CoverageDayEntry {
    static template = "crm_sales_coverage.DayHandoff";

    get icon() {
        return ICONS[this.line.kind];
    }

    /** Whatever came of it, the line says what is true now. */
    run(work) {
        return super.run(async () => {
            try {
                await work();
            } finally {
                await this.props.reload();
            }
        });
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
        return this.openForm("coverage.handoff");
    }

    openDossier() {
        return this.action.doAction("crm_sales_coverage.coverage_dossier_handoff_report", {
            additionalContext: { active_ids: [this.line.id] },
        });
    }
}
