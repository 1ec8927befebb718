import { Component, useState, onWillUpdateProps } from "@odoo/owl";

import { deserializeDate, formatDate, serializeDate } from "@web/core/l10n/dates";
import { useDebounced } from "@web/core/utils/timing";

const WAIT = 250; // ms that a slider rests before the map follows

/** The day that the map shows, and the day it is compared with. */
export class CoverageMapTimeline extends Component {
    static template = "crm_sales_coverage.MapTimeline";
    static props = { model: Object, data: Object };

    setup() {
        this.state = useState({ offset: this.getOffset(this.props.data) });
        this.follow = useDebounced(() => this.setDay(this.shownDay), WAIT);
        onWillUpdateProps(({ data }) => {
            this.state.offset = this.getOffset(data);
        });
    }

    get length() {
        return this.getDays(this.props.data.today);
    }

    /** The day under the slider's handle, which the map follows a moment later. */
    get shownDay() {
        const first = deserializeDate(this.props.data.first_day);
        return serializeDate(first.plus({ days: this.state.offset }));
    }

    get label() {
        return this.isToday ? "" : formatDate(deserializeDate(this.shownDay));
    }

    get isToday() {
        return this.state.offset >= this.length;
    }

    getOffset(data) {
        return this.getDays(data.day, data);
    }

    getDays(day, { first_day: firstDay } = this.props.data) {
        return deserializeDate(day).diff(deserializeDate(firstDay), "days").days;
    }

    onSlide(ev) {
        this.state.offset = Number(ev.target.value);
        this.follow();
    }

    setDay(day) {
        const { today, first_day: firstDay } = this.props.data;
        const isPast = day && day >= firstDay && day < today;
        this.props.model.show({ day: isPast ? day : false });
    }

    setCompareDay(day) {
        const { first_day: firstDay, today } = this.props.data;
        const isKnown = day && day >= firstDay && day <= today;
        this.props.model.show({ compareDay: isKnown ? day : false });
    }

    /** A month before the day shown: the question most often asked. */
    compare() {
        const { data } = this.props;
        if (data.compare_day) {
            return this.setCompareDay(false);
        }
        const month = serializeDate(deserializeDate(data.day).minus({ days: 30 }));
        return this.setCompareDay(month > data.first_day ? month : data.first_day);
    }
}
