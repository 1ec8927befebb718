import { Component, useRef } from "@odoo/owl";

import { download } from "@web/core/network/download";
import { user } from "@web/core/user";
import { useBus, useService } from "@web/core/utils/hooks";
import { useModel } from "@web/model/model";
import { useSetupAction } from "@web/search/action_hook";
import { ActionMenus } from "@web/search/action_menus/action_menus";
import { CogMenu } from "@web/search/cog_menu/cog_menu";
import { Layout } from "@web/search/layout";
import { SearchBar } from "@web/search/search_bar/search_bar";
import { useSearchBarToggler } from "@web/search/search_bar/search_bar_toggler";
import { ActionHelper } from "@web/views/action_helper";
import { standardViewProps } from "@web/views/standard_view_props";
import { SelectionBox } from "@web/views/view_components/selection_box";

import { CoverageMapToolbar } from "./coverage_map_toolbar";

/** The page around the map: search, selection and its actions, export, print. */
export class CoverageMapController extends Component {
    static template = "crm_sales_coverage.MapView";
    static components = {
        ActionHelper,
        ActionMenus,
        CogMenu,
        CoverageMapToolbar,
        Layout,
        SearchBar,
        SelectionBox,
    };
    static props = {
        ...standardViewProps,
        Model: Function,
        modelParams: Object,
        Renderer: Function,
    };

    setup() {
        this.action = useService("action");
        this.orm = useService("orm");
        this.model = useModel(this.props.Model, this.props.modelParams);
        useBus(this.model.bus, "update", () => this.render());
        useSetupAction({
            rootRef: useRef("root"),
            getLocalState: () => ({ metaData: this.model.metaData }),
            getContext: () => this.model.context,
        });
        this.searchBarToggler = useSearchBarToggler();
        this.openCustomer = this.openCustomer.bind(this);
        this.openList = this.openList.bind(this);
        this.runOnTile = this.runOnTile.bind(this);
    }

    // --- what is shown ---

    get display() {
        const { display } = this.props;
        if (!display.controlPanel) {
            return display;
        }
        return {
            ...display,
            controlPanel: { ...display.controlPanel, layoutActions: !this.hasSelection },
        };
    }

    get hasSelection() {
        return this.model.selection.size > 0;
    }

    /** The selection, as Odoo's box of selected records wants it. */
    get selectionRoot() {
        const { model } = this;
        const selection = [...model.selection].map((id) => ({
            id,
            toggleSelection: () => model.selectAll([id], false),
        }));
        return {
            count: selection.length,
            isDomainSelected: false,
            isGrouped: false,
            isRecordCountTrustable: true,
            records: selection,
            selectDomain: () => {},
            selection,
        };
    }

    get actionMenuProps() {
        return {
            getActiveIds: () => [...this.model.selection],
            context: this.props.context,
            domain: this.props.domain,
            items: this.props.info.actionMenus,
            isDomainSelected: false,
            resModel: this.props.resModel,
            onActionExecuted: () => this.model.reload(),
        };
    }

    // --- what is done ---

    openCustomer(id, { newWindow } = {}) {
        const activeIds = [...this.model.tilesById.keys()];
        return this.props.selectRecord(id, { activeIds, newWindow });
    }

    /** The customers of a cell, a row or a column, as a list. */
    openList(domain, name) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            name,
            res_model: this.props.resModel,
            views: [
                [false, "list"],
                [false, "form"],
            ],
            domain,
            context: { ...this.props.context, group_by: [] },
        });
    }

    /** Call a method of the chosen customer; what it returns is opened. */
    async runOnTile(id, method) {
        const result = await this.orm.call(this.props.resModel, method, [[id]], {
            context: this.props.context,
        });
        if (!result?.type) {
            return this.model.reload();
        }
        return this.action.doAction(result, { onClose: () => this.model.reload() });
    }

    async exportMap() {
        await download({
            url: "/crm_sales_coverage/map.xlsx",
            data: {
                data: JSON.stringify({
                    ...this.model.kwargs,
                    domain: this.props.domain,
                    context: { ...user.context, ...this.props.context },
                }),
            },
        });
    }

    printMap() {
        window.print();
    }
}
