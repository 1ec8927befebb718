import { Component, onWillStart, status, useState } from "@odoo/owl";

import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { useSetupAction } from "@web/search/action_hook";
import { Layout } from "@web/search/layout";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

import { CoverageDayHandoff } from "./coverage_day_handoff";
import { CoverageDayLine } from "./coverage_day_line";
import { CoverageDayPool } from "./coverage_day_pool";
import { CoverageDayRethink } from "./coverage_day_rethink";
import { CoverageDayRisk } from "./coverage_day_risk";

/**
 * My Day: what a seller does next, the highest stake first, and no more than the norm.
 * Shows what `coverage.day.get_day()` returns.
 */
export class CoverageDay extends Component {
    static template = "crm_sales_coverage.Day";
    static components = {
        CoverageDayHandoff,
        CoverageDayLine,
        CoverageDayPool,
        CoverageDayRethink,
        CoverageDayRisk,
        Layout,
    };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        const { userId = false, isWhole = false } = this.props.state || {};
        this.state = useState({ day: null, userId, isWhole });
        this.reload = this.reload.bind(this);
        useSetupAction({
            getLocalState: () => ({
                userId: this.state.userId,
                isWhole: this.state.isWhole,
            }),
        });
        onWillStart(this.reload);
    }

    get day() {
        return this.state.day;
    }

    get moreLabel() {
        return _t("%(count)s more", { count: this.day.more_count });
    }

    async reload() {
        if (status(this) === "destroyed") {
            return;
        }
        const { userId, isWhole } = this.state;
        this.state.day = await this.orm.call("coverage.day", "get_day", [userId, isWhole]);
    }

    selectMember(ev) {
        Object.assign(this.state, { userId: Number(ev.target.value), isWhole: false });
        return this.reload();
    }

    showWhole() {
        this.state.isWhole = true;
        return this.reload();
    }

    /** How much of a goal is reached, in percent, at most all of it. */
    getPercent({ done, norm }) {
        return norm ? Math.min(100, Math.round((100 * done) / norm)) : 0;
    }

    async openDecisions(code) {
        this.action.doAction(
            await this.orm.call("coverage.day", "action_open_decisions", [code])
        );
    }

    get moreAtRiskLabel() {
        return _t("%(count)s more at risk", { count: this.day.at_risk.more_count });
    }

    async openAtRisk() {
        this.action.doAction(
            await this.orm.call("coverage.day", "action_open_at_risk", [this.day.user.id])
        );
    }

    async openMoves(customerIds) {
        this.action.doAction(
            await this.orm.call("coverage.day", "action_open_moves", [customerIds])
        );
    }

    async openCases(ids) {
        this.action.doAction(await this.orm.call("coverage.day", "action_open_cases", [ids]));
    }

    async hideCases(ids) {
        await this.orm.call("coverage.day", "action_hide_cases", [ids]);
        await this.reload();
    }

    /** A group meeting opens with its agenda pack, any other one in the calendar. */
    openMeeting({ id, pack_id }) {
        this.action.doAction({
            type: "ir.actions.act_window",
            res_model: pack_id ? "coverage.meeting" : "calendar.event",
            res_id: pack_id || id,
            views: [[false, "form"]],
        });
    }

    openCustomers() {
        this.action.doAction("crm_sales_coverage.coverage_customer_action");
    }
}

registry.category("actions").add("coverage_day", CoverageDay);
