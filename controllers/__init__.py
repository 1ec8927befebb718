from . import coverage_map
