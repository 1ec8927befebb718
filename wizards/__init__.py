from . import (
    base_partner_merge,
    coverage_set_potential,
    coverage_set_segment,
    coverage_start,
    coverage_what_if,
)
