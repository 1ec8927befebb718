from odoo import fields

TYPES = {
    "activity_type_call": "mail.mail_activity_data_call",
    "activity_type_visit": "mail.mail_activity_data_meeting",
    "activity_type_email": "mail.mail_activity_data_email",
    "activity_type_paperwork": "mail.mail_activity_data_todo",
    "activity_type_overstay": "mail.mail_activity_data_todo",
    "activity_type_handoff": "mail.mail_activity_data_todo",
    "activity_type_watched_deal": "mail.mail_activity_data_todo",
    "activity_type_idle": "mail.mail_activity_data_todo",
}


def post_init_hook(env):
    """Backfill: what years of orders, messages and meetings already tell."""
    companies = env["res.company"].search([])
    for company in companies:
        env["coverage.facts"]._create_missing(company)
    env["coverage.ledger"]._backfill()
    for company in companies:
        env["coverage.refresh"]._run_refresh(company, fields.Datetime.now())


def uninstall_hook(env):
    """Let go of what the addon's records hold on to, so that nothing of it stays.

    What the rhythm planned goes; what was done of it stays, as Odoo's own activities.
    """
    planned = env["mail.activity"].search([("coverage_customer_id", "!=", False)])
    planned.unlink()
    activities = env["mail.activity"].with_context(active_test=False)
    activities.search([("res_model", "=like", "coverage.%")]).unlink()
    _withdraw_digests(env)
    for name, native in TYPES.items():
        ours = env.ref(f"crm_sales_coverage.{name}", raise_if_not_found=False)
        if ours:
            _hand_over(env, ours, env.ref(native, raise_if_not_found=False))
    env.cr.execute("DELETE FROM coverage_touch")  # they hold on to outcomes
    env.cr.execute("DELETE FROM coverage_handoff_policy")  # to roles
    env.cr.execute("UPDATE crm_stage SET coverage_role_id = NULL")
    env.cr.execute("DELETE FROM coverage_rule")
    env.cr.execute("DELETE FROM coverage_customer")  # to segments and temperatures
    env.invalidate_all()


def _withdraw_digests(env):
    """Withdraw what tells sellers of customers that leave: nobody leaves any more."""
    if digest := env.ref("crm_sales_coverage.activity_type_idle", False):
        env["mail.activity"].search([("activity_type_id", "=", digest.id)]).unlink()


def _hand_over(env, activity_type, native):
    """Give the activities of a type to one of Odoo's own, else to none."""
    activities = env["mail.activity"].with_context(active_test=False)
    found = activities.search([("activity_type_id", "=", activity_type.id)])
    found.activity_type_id = native
    messages = env["mail.message"].search(
        [("mail_activity_type_id", "=", activity_type.id)]
    )
    messages.mail_activity_type_id = native
