import { visitXML } from "@web/core/utils/xml";

/**
 * Read `<coverage_map row="…" column="…"><field name="…"/></coverage_map>`.
 *
 * The fields are what the two menus offer as rows and columns.
 */
export class CoverageMapArchParser {
    /** @returns {{row: string, column: string, axes: {name: string, label: string}[]}} */
    parse(arch, fields) {
        const archInfo = {
            row: arch.getAttribute("row") || "segment_id",
            column: arch.getAttribute("column") || "user_id",
            axes: [],
        };
        visitXML(arch, (node) => {
            if (node.tagName === "field") {
                const name = node.getAttribute("name");
                const label = node.getAttribute("string") || fields[name].string;
                archInfo.axes.push({ name, label });
            }
        });
        return archInfo;
    }
}
