from odoo import SUPERUSER_ID, api, fields

CHANNELS = {
    "mail.mail_activity_data_call": "call",
    "mail.mail_activity_data_meeting": "visit",
    "mail.mail_activity_data_email": "email",
}


def migrate(cr, version):
    """Say what is new of records the user owns, and read the contacts of the past."""
    if not version:
        return
    env = api.Environment(cr, SUPERUSER_ID, {})
    for xmlid, channel in CHANNELS.items():
        if activity_type := env.ref(xmlid, raise_if_not_found=False):
            activity_type.coverage_channel = channel
    prefix = "crm_sales_coverage.segment_"
    if segment := env.ref(f"{prefix}d", raise_if_not_found=False):
        segment.contact_channel = "email"
    if segment := env.ref(f"{prefix}a", raise_if_not_found=False):
        segment.needs_proof = True
    env["coverage.ledger"]._backfill()
    for company in env["res.company"].search([]):
        env["coverage.refresh"]._run_refresh(company, fields.Datetime.now())
