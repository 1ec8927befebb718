import { Component, useState } from "@odoo/owl";

import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

const SHOWN = 4;

/**
 * Who could take a customer over, best first, each with its reasons: a card to choose.
 * Shows what `coverage.candidate._propose()` returns for it.
 */
export class CoverageCandidatesField extends Component {
    static template = "crm_sales_coverage.CandidatesField";
    static props = {
        ...standardFieldProps,
        candidatesField: { type: String, optional: true },
        leftOutField: { type: String, optional: true },
    };

    setup() {
        this.state = useState({ isWhole: false });
    }

    get candidates() {
        return this.props.record.data[this.props.candidatesField] || [];
    }

    get leftOut() {
        return this.props.record.data[this.props.leftOutField] || [];
    }

    get leftOutLabel() {
        return _t("Left out: %(count)s", { count: this.leftOut.length });
    }

    get shown() {
        return this.state.isWhole ? this.candidates : this.candidates.slice(0, SHOWN);
    }

    get moreLabel() {
        return _t("%(count)s more", { count: this.candidates.length - SHOWN });
    }

    get hasMore() {
        return !this.state.isWhole && this.candidates.length > SHOWN;
    }

    get name() {
        return `coverage_candidates_${this.props.record.id}`;
    }

    isChosen(candidate) {
        return this.props.record.data[this.props.name]?.id === candidate.user_id;
    }

    choose(candidate) {
        return this.props.record.update({
            [this.props.name]: { id: candidate.user_id, display_name: candidate.name },
        });
    }

    showWhole() {
        this.state.isWhole = true;
    }
}

registry.category("fields").add("coverage_candidates", {
    component: CoverageCandidatesField,
    displayName: _t("Candidates"),
    supportedTypes: ["many2one"],
    isEmpty: () => false,
    fieldDependencies: ({ options }) =>
        [options.candidates_field, options.left_out_field]
            .filter(Boolean)
            .map((name) => ({ name, type: "json" })),
    extractProps: ({ options }) => ({
        candidatesField: options.candidates_field,
        leftOutField: options.left_out_field,
    }),
});
