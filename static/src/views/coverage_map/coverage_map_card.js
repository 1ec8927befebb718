import { Component, onWillStart, useState } from "@odoo/owl";

import { deserializeDate, formatDate } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { user } from "@web/core/user";
import { useService } from "@web/core/utils/hooks";

import { formatMoney, formatShare } from "./coverage_map_words";

const LEADER = "crm_sales_coverage.group_coverage_team_leader";

/** Who a tile is, what it brings of what it could, why, and what to do now. */
export class CoverageMapCard extends Component {
    static template = "crm_sales_coverage.MapCard";
    static props = {
        tile: Object,
        model: Object,
        isPinned: Boolean,
        enter: Function,
        leave: Function,
        open: Function,
        run: Function,
        toggle: Function,
        close: { type: Function, optional: true },
    };

    setup() {
        this.orm = useService("orm");
        this.state = useState({ more: null });
        onWillStart(async () => {
            this.isLeader = await user.hasGroup(LEADER);
        });
        this.loadMore();
    }

    async loadMore() {
        const { model, tile } = this.props;
        this.state.more = await this.orm.call(
            model.metaData.resModel,
            "get_map_tile",
            [[tile.id]],
            { day: model.metaData.day, context: model.searchParams.context }
        );
    }

    get sign() {
        return this.props.model.signs[this.props.tile.temperature];
    }

    get money() {
        const { model, tile } = this.props;
        const format = (amount) => formatMoney(amount, model.data.currency_id);
        if (!tile.potential) {
            return _t("Potential unknown");
        }
        return _t("%(revenue)s of %(potential)s (%(share)s)", {
            revenue: format(tile.revenue),
            potential: format(tile.potential),
            share: formatShare(tile.revenue, tile.potential),
        });
    }

    formatDate(day) {
        return formatDate(deserializeDate(day));
    }

    get isToday() {
        return !this.props.model.metaData.day;
    }

    get actions() {
        const actions = [
            { method: "action_log_call", icon: "fa-phone", label: _t("Log Call") },
            { method: "action_hand_over", icon: "fa-share", label: _t("Offer Handoff") },
            { method: "action_refresh", icon: "fa-refresh", label: _t("Refresh") },
        ];
        if (this.isLeader) {
            const pin = { method: "action_set_segment", icon: "fa-thumb-tack" };
            actions.splice(2, 0, { ...pin, label: _t("Pin Segment") });
        }
        return actions;
    }

    run(method) {
        this.props.close?.();
        this.props.run(method);
    }

    toggle() {
        this.props.close?.();
        this.props.toggle();
    }

    open() {
        this.props.close?.();
        this.props.open();
    }
}
