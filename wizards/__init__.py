from . import (
    coverage_switch,
)

# isort: split
from . import (
    base_partner_merge,
    coverage_answer,
    coverage_ask,
    coverage_cadence_preview,
    coverage_choose_receiver,
    coverage_hand_out,
    coverage_handoff_preview,
    coverage_idle_preview,
    coverage_leave_alone,
    coverage_leaver,
    coverage_log_touch,
    coverage_match_touch,
    coverage_offer,
    coverage_pass,
    coverage_plan_meeting,
    coverage_register,
    coverage_release,
    coverage_rethink_answer,
    coverage_set_potential,
    coverage_set_segment,
    coverage_start,
    coverage_what_if,
    crm_lead_lost,
)
