{
    "name": "Sales Coverage",
    "summary": "Customers ranked A–D by potential and coloured by what they bring",
    "version": "19.0.1.0.0",
    "category": "Sales/CRM",
    "author": "Sales Coverage contributors",
    "license": "LGPL-3",
    "depends": ["sale_crm", "contacts"],
    "data": [
        "security/coverage_groups.xml",
        "security/ir.model.access.csv",
        "security/coverage_rules.xml",
        "data/coverage_segment_data.xml",
        "data/coverage_temperature_data.xml",
        "data/ir_cron_data.xml",
    ],
    "assets": {
        "web.assets_backend": ["crm_sales_coverage/static/src/**/*"],
        "web.assets_tests": ["crm_sales_coverage/static/tests/tours/**/*"],
    },
    "post_init_hook": "post_init_hook",
    "application": False,
}
