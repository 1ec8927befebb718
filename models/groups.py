"""The groups of people whom the code tells apart."""

SELLER = "crm_sales_coverage.group_coverage_user"
LEADER = "crm_sales_coverage.group_coverage_team_leader"
MANAGER = "crm_sales_coverage.group_coverage_manager"
