import { Dropdown } from "@web/core/dropdown/dropdown";
import { DropdownItem } from "@web/core/dropdown/dropdown_item";
import { formatDate, serializeDate } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { rpc } from "@web/core/network/rpc";

import { CoverageDayEntry } from "./coverage_day_entry";

const { DateTime } = luxon;

/** One customer or lead of My Day, with what can be done about it on the spot. */
export class CoverageDayLine extends CoverageDayEntry {
    static template = "crm_sales_coverage.DayLine";
    static components = { ...CoverageDayEntry.components, Dropdown, DropdownItem };

    get isCustomer() {
        return this.line.kind === "customer";
    }

    get model() {
        return this.isCustomer ? "coverage.customer" : "crm.lead";
    }

    get href() {
        const path = this.isCustomer ? "coverage-customers" : "crm.lead";
        return `/odoo/${path}/${this.line.id}`;
    }

    /** Whom to speak to, unless it is the customer itself. */
    get personName() {
        const { person, name } = this.line;
        return person.name === name ? "" : person.name;
    }

    get phoneHref() {
        return `tel:${this.line.phone.replace(/[^\d+*#]/g, "")}`;
    }

    get phoneLabel() {
        return _t("Call %(number)s", { number: this.line.phone });
    }

    get snoozes() {
        return [
            { days: 1, label: _t("Tomorrow") },
            { days: 3, label: _t("In 3 days") },
            { days: 7, label: _t("In 1 week") },
            { days: 14, label: _t("In 2 weeks") },
        ];
    }

    open() {
        return this.openForm(this.model);
    }

    openDialog(action) {
        return this.action.doAction(action, {
            onClose: (infos) => {
                if (infos?.message) {
                    this.notify(infos.message);
                }
                return this.props.reload();
            },
        });
    }

    /** Say what was done, and offer to take it back where that is possible. */
    notify(message, undo) {
        const buttons = [];
        if (undo) {
            buttons.push({
                name: _t("Undo"),
                onClick: async () => {
                    close();
                    await undo();
                    await this.props.reload();
                },
            });
        }
        const close = this.notification.add(message, {
            type: "success",
            autocloseDelay: 8000,
            buttons,
        });
    }

    /** The line is gone when somebody undoes, and its services with it. */
    callLater(model, method) {
        const { orm } = this.env.services;
        return (id) => orm.call(model, method, [[id]]);
    }

    logCall(channel = "call") {
        const { id, activity_id, person } = this.line;
        return this.openDialog({
            type: "ir.actions.act_window",
            name: _t("Log Call"),
            res_model: "coverage.log.touch",
            views: [[false, "form"]],
            target: "new",
            context: {
                [this.isCustomer ? "default_customer_id" : "default_lead_id"]: id,
                default_activity_id: activity_id,
                default_partner_id: person.id,
                default_channel: channel,
            },
        });
    }

    writeEmail() {
        return this.run(async () => {
            const recipientId = this.line.person.id || (await this.findRecipient());
            await this.openDialog({
                type: "ir.actions.act_window",
                name: _t("Compose Email"),
                res_model: "mail.compose.message",
                views: [[false, "form"]],
                target: "new",
                context: {
                    default_model: this.isCustomer ? "res.partner" : "crm.lead",
                    default_res_ids: [
                        this.isCustomer ? this.line.partner_id : this.line.id,
                    ],
                    default_partner_ids: recipientId ? [recipientId] : [],
                    default_composition_mode: "comment",
                    default_subtype_xmlid: "mail.mt_comment",
                    force_email: true,
                },
            });
        });
    }

    /** The contact of a lead that has none yet, as the chatter makes it. */
    async findRecipient() {
        const [partner] = await rpc("/mail/partner/from_email", {
            thread_model: "crm.lead",
            thread_id: this.line.id,
            emails: [this.line.email],
        });
        return partner?.id;
    }

    /** One tap; but what was agreed deserves a word on how it went. */
    logQuick(channel) {
        if (this.line.is_agreed) {
            return this.logCall(channel);
        }
        return this.run(async () => {
            const touchId = await this.orm.call("coverage.customer", "action_log_quick", [
                [this.line.id],
                channel,
            ]);
            const name = this.line.name;
            const withdraw = this.callLater("coverage.touch", "action_withdraw");
            this.notify(
                channel === "visit"
                    ? _t("Visit to %(name)s noted.", { name })
                    : _t("Message with %(name)s noted.", { name }),
                () => withdraw(touchId)
            );
            await this.props.reload();
        });
    }

    /** The rhythm of a customer is put off by the server's rules, a lead's step moves. */
    snooze(days) {
        return this.run(async () => {
            if (this.isCustomer) {
                await this.orm.call("coverage.customer", "action_snooze", [
                    [this.line.id],
                    days,
                ]);
                this.notifySnooze(days);
            } else {
                await this.orm.write("mail.activity", [this.line.activity_id], {
                    date_deadline: serializeDate(DateTime.local().plus({ days })),
                });
            }
            await this.props.reload();
        });
    }

    /** A request to the leader that waits would be undone, too: then there is no undo. */
    notifySnooze(days) {
        const { id, name, is_asked } = this.line;
        const endPause = this.callLater("coverage.customer", "action_end_pause");
        const date = formatDate(DateTime.local().plus({ days }));
        this.notify(
            _t("%(name)s is put off until %(date)s.", { name, date }),
            is_asked ? undefined : () => endPause(id)
        );
    }

    askLeaveAlone() {
        return this.run(async () => {
            await this.openDialog(
                await this.orm.call("coverage.customer", "action_ask_leave_alone", [
                    [this.line.id],
                ])
            );
        });
    }
}
