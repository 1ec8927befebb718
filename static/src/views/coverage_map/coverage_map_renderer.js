import {
    Component,
    onMounted,
    onPatched,
    onWillUnmount,
    useExternalListener,
    useRef,
    useState,
} from "@odoo/owl";

import { browser } from "@web/core/browser/browser";
import { usePopover } from "@web/core/popover/popover_hook";
import { useService } from "@web/core/utils/hooks";

import { CoverageMapCard } from "./coverage_map_card";
import { CoverageMapCell } from "./coverage_map_cell";
import { findNeighbour, layOutList, layOutMap } from "./coverage_map_layout";
import { describe, formatShare, formatShort } from "./coverage_map_words";

const SIDE = 148; // width of the rows' titles, as in the style sheet
const HEAD = 56; // height of the columns' titles
const REST = 300; // ms that a pointer rests on a tile before its card opens
const LEAVE = 250; // ms to reach the card
const ARROWS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];

/** The matrix of tiles: lays it out, and answers pointer, finger and keyboard. */
export class CoverageMapRenderer extends Component {
    static template = "crm_sales_coverage.MapRenderer";
    static components = { CoverageMapCell };
    static props = {
        model: Object,
        data: Object,
        selection: Set,
        isSelecting: Boolean,
        openCustomer: Function,
        openList: Function,
        runOnTile: Function,
    };

    setup() {
        this.root = useRef("root");
        this.ui = useService("ui");
        this.size = useState({ width: 0, height: 0 });
        this.last = {};
        this.card = usePopover(CoverageMapCard, {
            popoverClass: "o_coverage_map_popover",
            position: "bottom",
            setActiveElement: false,
        });
        this.watchSize();
        onPatched(() => this.settleFocus());
        onWillUnmount(() => browser.clearTimeout(this.timer));
    }

    // --- layout ---

    watchSize() {
        const measure = () => {
            const { clientWidth: width, parentElement } = this.root.el;
            const top = this.root.el.offsetTop;
            const height = Math.max(parentElement.clientHeight - top - HEAD, 320);
            Object.assign(this.size, { width, height });
        };
        onMounted(() => {
            measure();
            this.settleFocus();
        });
        useExternalListener(window, "resize", measure);
    }

    /** The layout holds until the figures or the size change. */
    get layout() {
        const { data } = this.props;
        const { width, height } = this.size;
        const { isSmall } = this.ui;
        const key = { data, width, height, isSmall };
        if (Object.keys(key).some((name) => key[name] !== this.last.key?.[name])) {
            const layout = isSmall
                ? layOutList(data, width, height)
                : layOutMap(data, width - SIDE, height);
            this.last = { key, layout };
        }
        return this.last.layout;
    }

    get gridStyle() {
        return `--coverage-map-column: ${this.layout.columnWidth}px`;
    }

    // --- words ---

    describe(group) {
        return describe(group, this.props.data.currency_id);
    }

    formatShort(amount) {
        return formatShort(amount, this.props.data.currency_id);
    }

    formatShare(group) {
        return formatShare(group.red, group.rated);
    }

    getCellLabel(row, column) {
        return column.label ? `${row.label}, ${column.label}` : row.label;
    }

    getSelected(layout) {
        const { selection } = this.props;
        if (!layout || !selection.size) {
            return "";
        }
        const ids = layout.rects.map(({ tile }) => tile.id);
        return ids.filter((id) => selection.has(id)).join();
    }

    // --- pointer ---

    /** As of now: a click may come before the map is drawn anew. */
    get isSelecting() {
        return this.props.model.metaData.isSelecting;
    }

    getTileElement(ev) {
        return ev.target.closest(".o_coverage_map_tile");
    }

    getId(element) {
        return Number(element.dataset.id);
    }

    onClick(ev) {
        const element = this.getTileElement(ev);
        if (!element) {
            return;
        }
        const id = this.getId(element);
        if (this.isSelecting || ev.ctrlKey || ev.metaKey || ev.shiftKey) {
            this.card.close();
            return this.props.model.toggle(id);
        }
        if (this.ui.isSmall) {
            return this.openCard(element, true);
        }
        this.card.close();
        return this.props.openCustomer(id);
    }

    onContextMenu(ev) {
        const element = this.getTileElement(ev);
        if (element) {
            ev.preventDefault();
            this.openCard(element, true);
        }
    }

    onPointerOver(ev) {
        const element = this.getTileElement(ev);
        const isQuiet = this.isPinned || this.isSelecting;
        if (ev.pointerType === "touch" || isQuiet || element === this.hovered) {
            return;
        }
        this.hovered = element;
        browser.clearTimeout(this.timer);
        this.timer = element
            ? browser.setTimeout(() => this.openCard(element, false), REST)
            : browser.setTimeout(() => this.card.close(), LEAVE);
    }

    onPointerLeave() {
        this.hovered = null;
        browser.clearTimeout(this.timer);
        if (!this.isPinned) {
            this.timer = browser.setTimeout(() => this.card.close(), LEAVE);
        }
    }

    get isPinned() {
        return this.card.isOpen && this.isCardPinned;
    }

    openCard(element, isPinned) {
        const id = this.getId(element);
        browser.clearTimeout(this.timer);
        if (!element.isConnected) {
            return;
        }
        this.isCardPinned = isPinned;
        this.card.open(element, {
            tile: this.props.model.getTile(id),
            model: this.props.model,
            isPinned,
            enter: () => browser.clearTimeout(this.timer),
            leave: () => this.onPointerLeave(),
            open: () => this.props.openCustomer(id),
            run: (method) => this.props.runOnTile(id, method),
            toggle: () => this.props.model.toggle(id),
        });
    }

    // --- keyboard ---

    get places() {
        return [...this.root.el.querySelectorAll("[data-place]")];
    }

    /** One stop of the Tab key: the place last visited, else the first. */
    settleFocus() {
        if (!this.root.el.querySelector("[data-place][tabindex='0']")) {
            this.root.el.querySelector("[data-place]")?.setAttribute("tabindex", "0");
        }
    }

    visit(element) {
        for (const former of this.root.el.querySelectorAll("[data-place][tabindex='0']")) {
            former.setAttribute("tabindex", "-1");
        }
        element.setAttribute("tabindex", "0");
        element.focus();
    }

    onKeydown(ev) {
        const place = ev.target.closest("[data-place]");
        if (!place) {
            return;
        }
        if (ARROWS.includes(ev.key)) {
            ev.preventDefault();
            return this.visitNeighbour(place, ev.key);
        }
        if (!this.getTileElement(ev)) {
            return;
        }
        const id = this.getId(place);
        if (ev.key === "Enter") {
            ev.preventDefault();
            return this.props.openCustomer(id);
        }
        if (ev.key === " ") {
            ev.preventDefault();
            return this.props.model.toggle(id);
        }
        if (ev.key === "m") {
            return this.openCard(place, true);
        }
    }

    visitNeighbour(place, key) {
        const { places } = this;
        const rects = places.map((each) => each.getBoundingClientRect());
        const index = findNeighbour(rects, places.indexOf(place), key);
        this.visit(places[index]);
    }
}
