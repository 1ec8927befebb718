from . import (
    coverage_report,
    coverage_blue_report,
    coverage_decision,
    coverage_dossier_customer_report,
    coverage_dossier_handoff_report,
    coverage_meeting_report,
    coverage_ownership_report,
    coverage_touch_report,
    coverage_attention_report,
    coverage_poured_report,
    coverage_stage_report,
    coverage_work_report,
)
