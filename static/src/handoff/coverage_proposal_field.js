import { Component } from "@odoo/owl";

import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/** Why this receiver, who else could have taken it, and who could not and why. */
export class CoverageProposalField extends Component {
    static template = "crm_sales_coverage.ProposalField";
    static props = { ...standardFieldProps };

    get card() {
        return this.props.record.data[this.props.name];
    }

    get othersLabel() {
        return _t("Others who could: %(count)s", { count: this.card.others.length });
    }

    get leftOutLabel() {
        return _t("Left out: %(count)s", { count: this.card.left_out.length });
    }

    tell(one) {
        return one.reasons?.join(" · ") || one.why || "";
    }
}

registry.category("fields").add("coverage_proposal", {
    component: CoverageProposalField,
    displayName: _t("Proposal"),
    supportedTypes: ["json"],
    isEmpty: (record, name) => !record.data[name],
});
