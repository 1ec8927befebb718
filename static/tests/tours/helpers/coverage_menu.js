/** Open an entry of the Coverage menu. */
export function openCoverageMenu(menu) {
    return [
        {
            trigger: "button[data-menu-xmlid='crm_sales_coverage.coverage_menu_root']",
            run: "click",
        },
        {
            trigger: `.o-dropdown--menu [data-menu-xmlid='crm_sales_coverage.${menu}']`,
            run: "click",
        },
    ];
}
