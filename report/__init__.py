from . import (
    coverage_report,
    coverage_touch_report,
    coverage_attention_report,
    coverage_poured_report,
)
