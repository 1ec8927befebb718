import { Component } from "@odoo/owl";

import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

const ICONS = {
    call: "fa-phone",
    visit: "fa-car",
    online: "fa-video-camera",
    email: "fa-envelope",
    message: "fa-comments",
};

/**
 * Contacts of the last 12 months by channel, and in how many the customer took part.
 */
export class CoverageContactCountsField extends Component {
    static template = "crm_sales_coverage.ContactCountsField";
    static props = { ...standardFieldProps };

    get counts() {
        return this.props.record.data[this.props.name] || [];
    }

    getIcon({ channel }) {
        return ICONS[channel] || "fa-circle";
    }

    getTitle({ label, count, two_way }) {
        return _t("%(label)s: %(count)s in 12 months, the customer took part in %(two_way)s", {
            label,
            count,
            two_way,
        });
    }
}

registry.category("fields").add("coverage_contact_counts", {
    component: CoverageContactCountsField,
    displayName: _t("Contacts by Channel"),
    supportedTypes: ["json"],
    isEmpty: () => false,
});
