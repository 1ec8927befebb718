from odoo import fields


def post_init_hook(env):
    """Backfill: what years of orders, messages and meetings already tell."""
    companies = env["res.company"].search([])
    for company in companies:
        env["coverage.facts"]._create_missing(company)
    env["coverage.ledger"]._backfill()
    for company in companies:
        env["coverage.refresh"]._run_refresh(company, fields.Datetime.now())


def uninstall_hook(env):
    """Empty the scorecards first: they hold on to segments and temperatures."""
    env.cr.execute("DELETE FROM coverage_customer")
    env.invalidate_all()
