import { Component } from "@odoo/owl";

import { _t } from "@web/core/l10n/translation";

/**
 * Segment, sign and yield as one badge: "A ❄ 7 %". Coloured by the code of a
 * temperature; readable without the colour.
 */
export class CoverageBadge extends Component {
    static template = "crm_sales_coverage.Badge";
    static props = {
        text: String,
        code: { type: [String, Boolean], optional: true },
        isLarge: { type: Boolean, optional: true },
    };

    get segment() {
        return this.props.text.split(" ", 1)[0];
    }

    get rest() {
        return this.props.text.slice(this.segment.length).trim();
    }

    get title() {
        return this.segment === "–"
            ? _t("Unrated: its potential is unknown")
            : this.props.text;
    }

    get className() {
        return [
            `o_coverage_${this.props.code || "none"}`,
            this.props.isLarge ? "o_coverage_badge_lg" : "",
            this.rest ? "" : "o_coverage_badge_alone",
        ].join(" ");
    }
}
