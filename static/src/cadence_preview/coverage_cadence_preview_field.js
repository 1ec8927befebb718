import { Component } from "@odoo/owl";

import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { formatFloat, formatInteger, formatMonetary } from "@web/views/fields/formatters";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

const DARKEST = 0.45;

/**
 * What the rhythm asks of each seller: contacts per week, contacts owed per month
 * against capacity, who would be left out, and the seats it takes. Shows what
 * `coverage.cadence.preview._get_summary()` returns.
 */
export class CoverageCadencePreviewField extends Component {
    static template = "crm_sales_coverage.CadencePreviewField";
    static props = { ...standardFieldProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
    }

    get summary() {
        return this.props.record.data[this.props.name];
    }

    get isEmpty() {
        return !this.summary || !this.summary.sellers.length;
    }

    get highest() {
        return Math.max(1, ...this.summary.sellers.flatMap((seller) => seller.weeks));
    }

    /** Shade of a cell: the fullest week of all is the darkest. */
    getShade(count) {
        const alpha = (DARKEST * count) / this.highest;
        return `background-color: rgba(var(--coverage-shade), ${alpha.toFixed(2)})`;
    }

    get firstTotal() {
        return this.summary.sellers.reduce((sum, seller) => sum + seller.first, 0);
    }

    getTotal(week) {
        return this.summary.sellers.reduce((sum, seller) => sum + seller.weeks[week], 0);
    }

    isOver(seller) {
        return Boolean(seller.id) && seller.owed > seller.capacity;
    }

    isShort(team) {
        return team.seats > team.present;
    }

    integer(value) {
        return formatInteger(value);
    }

    number(value) {
        return formatFloat(value, { digits: [16, 1], trailingZeros: false });
    }

    money(value) {
        return formatMonetary(Math.round(value), {
            currencyId: this.props.record.data.currency_id?.id,
            digits: [16, 0],
        });
    }

    async openLeftOut(seller) {
        this.action.doAction(
            await this.orm.call("coverage.cadence.preview", "action_open_left_out", [
                [this.props.record.resId],
                seller.id,
            ])
        );
    }
}

registry.category("fields").add("coverage_cadence_preview", {
    component: CoverageCadencePreviewField,
    displayName: _t("Preview of the Contact Rhythm"),
    supportedTypes: ["json"],
    isEmpty: () => false,
    fieldDependencies: [
        { name: "currency_id", type: "many2one", relation: "res.currency" },
    ],
});
