import { registry } from "@web/core/registry";
import { formatMonetary } from "@web/views/fields/formatters";
import { MonetaryField, monetaryField } from "@web/views/fields/monetary/monetary_field";

/** Money in whole units of its currency: nobody steers customers by cents. */
export function formatAmount(value, options = {}) {
    return formatMonetary(value && Math.round(value), { ...options, digits: [16, 0] });
}
formatAmount.extractOptions = formatMonetary.extractOptions;

export class CoverageAmountField extends MonetaryField {
    get formattedValue() {
        if (!this.props.readonly) {
            return super.formattedValue;
        }
        return formatAmount(this.value, {
            currencyId: this.currencyId,
            noSymbol: this.props.hideSymbol,
        });
    }
}

registry.category("formatters").add("coverage_amount", formatAmount);
registry.category("fields").add("coverage_amount", {
    ...monetaryField,
    component: CoverageAmountField,
});
