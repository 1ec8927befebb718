import { formatCurrency } from "@web/core/currency";
import { _t } from "@web/core/l10n/translation";
import { sprintf } from "@web/core/utils/strings";

/** Money where there is little room: "45k". */
export function formatShort(amount, currencyId) {
    return formatCurrency(amount, currencyId, { digits: [16, 0], humanReadable: true });
}

export function formatMoney(amount, currencyId) {
    return formatCurrency(Math.round(amount), currencyId, { digits: [16, 0] });
}

/** A share of those that have a temperature: "33 %". */
export function formatShare(part, whole) {
    return whole ? `${Math.round((100 * part) / whole)} %` : "–";
}

/** The figures of a cell, row or column as one sentence, for a reader and on hover. */
export function describe(group, currencyId) {
    const sentence = sprintf(
        _t("%(count)s customers, potential %(potential)s, revenue %(revenue)s, %(red)s red"),
        {
            count: group.count,
            potential: formatMoney(group.potential, currencyId),
            revenue: formatMoney(group.revenue, currencyId),
            red: formatShare(group.red, group.rated),
        }
    );
    if (!group.cooled && !group.warmed) {
        return sentence;
    }
    const moves = sprintf(_t("%(cooled)s cooled, %(warmed)s warmed"), group);
    return `${sentence}, ${moves}`;
}

const RANKS = ["frozen", "cool", "mild", "warm", "hot"];

/** -1 cooled, 1 warmed, 0 as before; null where nothing can be compared. */
export function getMove({ before, temperature }) {
    if (!before || !temperature) {
        return null;
    }
    return Math.sign(RANKS.indexOf(temperature) - RANKS.indexOf(before));
}
