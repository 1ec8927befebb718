from odoo import fields


def post_init_hook(env):
    """Backfill: classify what years of orders already tell."""
    for company in env["res.company"].search([]):
        env["coverage.refresh"]._run_refresh(company, fields.Datetime.now())


def uninstall_hook(env):
    """Empty the scorecards first: they hold on to segments and temperatures."""
    env.cr.execute("DELETE FROM coverage_customer")
    env.invalidate_all()
