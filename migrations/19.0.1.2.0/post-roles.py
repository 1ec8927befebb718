from odoo import SUPERUSER_ID, api, fields


def migrate(cr, version):
    """Let the rules of who covers whom name a role for the customers of the past."""
    if not version:
        return
    env = api.Environment(cr, SUPERUSER_ID, {})
    for company in env["res.company"].search([]):
        env["coverage.cover"]._cover_company(company, fields.Datetime.now())
