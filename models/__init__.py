# mixins come before the models that inherit them
from . import (
    coverage_application,
    coverage_cached,
    coverage_frame,
    coverage_hold,
    coverage_rows,
    coverage_run_rules,
    coverage_run_summary,
)

# isort: split
from . import (
    account_move,
    coverage_change,
    coverage_customer,
    coverage_facts,
    coverage_fold,
    coverage_mark,
    coverage_reference,
    coverage_refresh,
    coverage_restore,
    coverage_run,
    coverage_segment,
    coverage_temperature,
    coverage_why,
    crm_lead,
    res_company,
    res_config_settings,
    res_partner,
    sale_order,
)
