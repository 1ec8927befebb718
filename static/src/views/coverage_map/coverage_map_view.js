import { registry } from "@web/core/registry";

import { CoverageMapArchParser } from "./coverage_map_arch_parser";
import { CoverageMapController } from "./coverage_map_controller";
import { CoverageMapModel } from "./coverage_map_model";
import { CoverageMapRenderer } from "./coverage_map_renderer";

/**
 * Customers as tiles in a matrix: the area is the potential, the colour the temperature.
 *
 * The server adds up and chooses (`coverage.customer.get_map`); here it is only laid out.
 */
export const coverageMapView = {
    type: "coverage_map",
    ArchParser: CoverageMapArchParser,
    Controller: CoverageMapController,
    Model: CoverageMapModel,
    Renderer: CoverageMapRenderer,
    searchMenuTypes: ["filter", "groupBy", "favorite"],

    props: (genericProps, view) => {
        const { arch, fields, resModel, state } = genericProps;
        return {
            ...genericProps,
            modelParams: state?.metaData || {
                ...new view.ArchParser().parse(arch, fields),
                resModel,
            },
            Model: view.Model,
            Renderer: view.Renderer,
        };
    },
};

registry.category("views").add("coverage_map", coverageMapView);
