from odoo import fields


def post_init_hook(env):
    """Backfill: classify what years of orders already tell."""
    for company in env["res.company"].search([]):
        env["coverage.refresh"]._run_refresh(company, fields.Datetime.now())
