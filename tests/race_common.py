"""Transactions of their own: what the tests of concurrency share."""

from odoo import SUPERUSER_ID, Command, api
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, get_db_name

TABLES = (
    "coverage_mark",
    "coverage_handoff",
    "crm_lead",
    "sale_order",
    "coverage_run",
    "coverage_customer",
)


class RaceCase(BaseCase):
    """Somebody else is at work at the same time.

    These tests commit, in a company that they delete afterwards. Transactions take
    turns in one thread; whoever would wait for a lock fails after ``lock_timeout``.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = Registry(get_db_name())

    def setUp(self):
        super().setUp()
        self.partner_ids, self.user_ids = [], []
        env = self._open()
        company = env["res.company"].create(
            {"name": "Coverage Race", "currency_id": env.ref("base.USD").id}
        )
        self.company_id = company.id
        self.addCleanup(self._delete_all)
        self._populate(env, company)
        self._commit(env)

    def _populate(self, env, company):
        """Create what all tests of a class need; a hook."""

    def _create_users(self, env, company, *logins):
        """Return sellers of the company, who are deleted at the end."""
        group = env.ref("sales_team.group_sale_salesman")
        users = (
            env["res.users"]
            .with_context(no_reset_password=True)
            .create(
                [
                    {
                        "name": login,
                        "login": login,
                        "group_ids": [Command.set(group.ids)],
                        "company_id": company.id,
                        "company_ids": [Command.set(company.ids)],
                    }
                    for login in logins
                ]
            )
        )
        self.user_ids += users.ids
        return users

    def _delete_all(self):
        """Leave the database as it was."""
        env = self._open()
        env.cr.execute(
            "DELETE FROM mail_activity WHERE user_id = ANY(%s)", [self.user_ids]
        )
        for table in TABLES:
            query = f"DELETE FROM {table} WHERE company_id = %s"
            env.cr.execute(query, [self.company_id])
        company = env["res.company"].browse(self.company_id)
        env["product.product"].search([("company_id", "=", company.id)]).unlink()
        users = env["res.users"].browse(self.user_ids)
        partners = env["res.partner"].browse(self.partner_ids) + users.partner_id
        users.unlink()
        calendar, own = company.resource_calendar_ids, company.partner_id
        company.resource_calendar_id = False
        calendar.unlink()
        company.unlink()
        (partners + own).exists().unlink()
        self._commit(env)

    def _delete_team(self, team_id):
        env = self._open()
        env["crm.team"].browse(team_id).unlink()
        self._commit(env)

    def _open(self, user_id=SUPERUSER_ID):
        """Return an environment in a transaction of its own."""
        cr = self.registry.cursor()
        self.addCleanup(cr.close)
        cr.execute("SET lock_timeout = '2s'")
        cr.commit()  # for others to see  # pylint: disable=invalid-commit
        context = {"tracking_disable": True, "mail_create_nolog": True}
        if hasattr(self, "company_id"):
            context["allowed_company_ids"] = [self.company_id]
        return api.Environment(cr, user_id, context)

    def _commit(self, env):
        env.cr.commit()  # the point of it  # pylint: disable=invalid-commit
