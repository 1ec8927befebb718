"""Who does what in the demo department: roles, assistants, bosses of the stages."""

from datetime import timedelta

from odoo import Command

from .tools import MODULE, get_user, read

OVERSTAY_DAYS = {1: 14, 2: 21, 3: 30}  # by stage of CRM
STAGE_ROLES = {1: "hunter", 2: "hunter", 3: "field"}


def load_roles(env, today):
    """Give everybody a role, and every stage a boss."""
    for row in read("coverage_roles.csv"):
        member = env.ref(f"{MODULE}.demo_member_{row['login']}")
        roles = [env.ref(f"{MODULE}.role_{code}").id for code in row["roles"].split()]
        member.write(
            {
                "coverage_role_ids": [Command.set(roles)],
                "coverage_seniority": row["seniority"],
                "coverage_assistant_id": get_user(env, row["assistant"]).id,
                "coverage_is_ready": bool(row["ready"]),
            }
        )
        since = today - timedelta(days=int(row["days"]))
        member.coverage_tenure_ids.write({"date_from": since, "held_since": since})
    env["coverage.stage.owner"].create(
        [
            {
                "stage_id": env.ref(f"crm.stage_lead{row['stage']}").id,
                "team_id": env.ref(f"{MODULE}.demo_team_{row['team']}").id,
                "user_id": get_user(env, row["login"]).id,
            }
            for row in read("coverage_bosses.csv")
        ]
    )
    for number, days in OVERSTAY_DAYS.items():
        env.ref(f"crm.stage_lead{number}").rotting_threshold_days = days
    for number, code in STAGE_ROLES.items():
        stage = env.ref(f"crm.stage_lead{number}")
        stage.coverage_role_id = env.ref(f"{MODULE}.role_{code}")
