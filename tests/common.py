"""One sales department in a company of its own, and what its customers do."""

from contextlib import contextmanager
from datetime import datetime, timedelta
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import ValidationError
from odoo.tests import TransactionCase, freeze_time

REFUSAL = "Not with me"
NOW = datetime(2030, 6, 3, 10, 0)
TODAY = NOW.date()
UNVERSIONED = {"write_date", "write_uid"}


def ago(days):
    """Return the day that many days before today."""
    return TODAY - timedelta(days=days)


@freeze_time(NOW)
class CoverageCase(TransactionCase):
    """A department of two teams; nothing of it touches the demo company.

    ::

        company "Coverage Trade" (USD, days in UTC)
        +----------------+--------------------------------------+-----------------+
        | login          | group                                | team            |
        +----------------+--------------------------------------+-----------------+
        | cover_manager  | Manager: All Customers               |                 |
        | cover_leader   | Team Leader: Team's Customers        | leads North     |
        | cover_sara     | Sales: Own Documents Only            | member of North |
        | cover_sam      | Sales: Own Documents Only            | member of North |
        | cover_south    | Team Leader: Team's Customers        | leads South     |
        | cover_olga     | Sales: Own Documents Only            | member of South |
        | cover_clerk    | Contact Creation, nothing of sales   |                 |
        +----------------+--------------------------------------+-----------------+
        company "Elsewhere": cover_elsewhere, Manager: All Customers
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls._create_company("Coverage Trade")
        cls.elsewhere = cls._create_company("Elsewhere")
        cls.env = cls.env(
            context={
                "allowed_company_ids": cls.company.ids,
                "mail_create_nolog": True,
                "mail_create_nosubscribe": True,
                "no_reset_password": True,
                "tracking_disable": True,
            }
        )
        cls.company = cls.company.with_env(cls.env)
        cls.elsewhere = cls.elsewhere.with_env(cls.env)
        cls._create_staff()
        cls.segments = {
            segment.code: segment for segment in cls.env["coverage.segment"].search([])
        }
        cls.levels = {
            level.code: level for level in cls.env["coverage.temperature"].search([])
        }
        cls.product = cls.env["product.product"].create(
            {"name": "Service", "type": "service", "taxes_id": False}
        )
        cls.cron = cls.env.ref("crm_sales_coverage.ir_cron_refresh")

    # === WHO WORKS HERE === #

    @classmethod
    def _create_company(cls, name):
        company = cls.env["res.company"].create(
            {"name": name, "currency_id": cls.env.ref("base.USD").id}
        )
        company.partner_id.tz = "UTC"
        return company

    @classmethod
    def _create_staff(cls):
        seller = "sales_team.group_sale_salesman"
        leader = "crm_sales_coverage.group_coverage_team_leader"
        manager = "sales_team.group_sale_manager"
        staff = (
            ("cover_manager", manager, cls.company),
            ("cover_leader", leader, cls.company),
            ("cover_sara", seller, cls.company),
            ("cover_sam", seller, cls.company),
            ("cover_south", leader, cls.company),
            ("cover_olga", seller, cls.company),
            ("cover_clerk", "base.group_partner_manager", cls.company),
            ("cover_elsewhere", manager, cls.elsewhere),
        )
        (
            cls.manager,
            cls.leader,
            cls.sara,
            cls.sam,
            cls.south_leader,
            cls.olga,
            cls.clerk,
            cls.stranger,
        ) = cls.env["res.users"].create(
            [
                {
                    "name": login,
                    "login": login,
                    "password": f"{login}-password",
                    "email": f"{login}@example.com",
                    "group_ids": [
                        Command.set(
                            [cls.env.ref("base.group_user").id, cls.env.ref(group).id]
                        )
                    ],
                    "company_id": company.id,
                    "company_ids": [Command.set(company.ids)],
                }
                for login, group, company in staff
            ]
        )
        cls.north = cls._create_team("North", cls.leader, cls.sara | cls.sam)
        cls.south = cls._create_team("South", cls.south_leader, cls.olga)

    @classmethod
    def _create_team(cls, name, leader, members):
        return cls.env["crm.team"].create(
            {
                "name": name,
                "company_id": cls.company.id,
                "user_id": leader.id,
                "crm_team_member_ids": [
                    Command.create({"user_id": user.id}) for user in members
                ],
            }
        )

    # === WHAT CUSTOMERS DO === #

    @classmethod
    def _create_customer(cls, name="Customer", **values):
        """Return a company's contact; its row comes with its first document."""
        return cls.env["res.partner"].create(
            {"name": name, "is_company": True, **values}
        )

    @classmethod
    def _create_buyer(cls, amount=10_000, days_ago=30, **values):
        """Return a customer that bought once."""
        customer = cls._create_customer(values.pop("name", "Buyer"), **values)
        cls._confirm_order(customer, amount, days_ago)
        return customer

    @classmethod
    def _create_buyers(cls, count, amount, days_ago=30, **values):
        """Return many customers that bought once, in few statements."""
        customers = cls.env["res.partner"].create(
            [
                {"name": f"Buyer {number}", "is_company": True, **values}
                for number in range(count)
            ]
        )
        cls.env["sale.order"].create(
            [
                {
                    "partner_id": customer.id,
                    "company_id": cls.company.id,
                    "state": "sale",
                    "date_order": NOW - timedelta(days=days_ago),
                    "order_line": [cls._prepare_line(amount)],
                }
                for customer in customers
            ]
        )
        return customers

    @classmethod
    def _prepare_line(cls, amount):
        return Command.create(
            {
                "product_id": cls.product.id,
                "product_uom_qty": 1,
                "price_unit": amount,
                "tax_ids": False,
            }
        )

    @classmethod
    def _create_leaders(cls):
        """Let three customers bring 10,000 each: that is what an A brings.

        Known since yesterday, so that what happens today is a change.
        """
        with cls._on_day(1):
            cls.leaders = cls.env["res.partner"].union(
                *(cls._create_buyer(name=f"Leader {number}") for number in range(3))
            )
            cls._refresh(NOW - timedelta(days=1))

    @staticmethod
    def _on_day(days_ago):
        """Let it be that many days ago, for the time of a ``with``."""
        return freeze_time(NOW - timedelta(days=days_ago))

    @classmethod
    def _create_known_buyer(cls, amount, name="Known Buyer", **values):
        """Return a customer that bought 30 days ago, ranked since yesterday."""
        with cls._on_day(1):
            return cls._create_buyer(amount, name=name, **values)

    @classmethod
    def _create_quotation(cls, customer, amount, company=None, **values):
        company = company or cls.company
        return (
            cls.env["sale.order"]
            .with_company(company)
            .create(
                {
                    "partner_id": customer.id,
                    "company_id": company.id,
                    "user_id": False,
                    "team_id": False,
                    "order_line": [cls._prepare_line(amount)],
                    **values,
                }
            )
        )

    @classmethod
    def _confirm_order(cls, customer, amount, days_ago=0, company=None, **values):
        """Return an order confirmed that many days ago."""
        order = cls._create_quotation(customer, amount, company, **values)
        order.action_confirm()
        if days_ago:
            order.date_order = NOW - timedelta(days=days_ago)
        return order

    @classmethod
    def _create_opportunity(cls, customer, **values):
        return cls.env["crm.lead"].create(
            {
                "name": "Opportunity",
                "type": "opportunity",
                "partner_id": customer.id,
                "company_id": cls.company.id,
                "user_id": False,
                **values,
            }
        )

    # === WHO CONTACTS THEM === #

    @classmethod
    def _log_touch(cls, customer, user=None, days_ago=0, **values):
        """Return a contact noted by hand that many days ago, its customer settled."""
        row = cls._row(customer)
        touch = cls.env["coverage.touch"].create(
            {
                "company_id": row.company_id.id,
                "customer_id": row.id,
                "partner_id": customer.id,
                "user_id": (user or cls.sara).id,
                "date": NOW - timedelta(days=days_ago),
                "is_two_way": True,
                **values,
            }
        )
        touch._settle()
        return touch

    @classmethod
    def _touches(cls, customer):
        """Return the contacts with a customer, after what the commit would note."""
        cls.env.cr.flush()
        cls.env.invalidate_all()
        touches = cls.env["coverage.touch"].search([], order="date, id")
        return touches.filtered(
            lambda touch: (
                touch.company_id == cls.company
                and customer
                in (
                    touch.customer_id.partner_id
                    | touch.lead_id.partner_id
                    | touch.partner_id.commercial_partner_id
                )
            )
        )

    # === WHAT THE ENGINE DOES === #

    @classmethod
    def _refresh(cls, now=NOW, company=None):
        """Run the nightly refresh of a company in this transaction."""
        company = company or cls.company
        run = cls.env["coverage.refresh"]._run_refresh(company, now)
        cls.env.invalidate_all()
        return run

    @classmethod
    def _row(cls, customer, company=None):
        """Return the scorecard of a customer, archived or not."""
        return (
            cls.env["coverage.customer"]
            .with_context(active_test=False)
            .search(
                [
                    ("partner_id", "=", customer.id),
                    ("company_id", "=", (company or cls.company).id),
                ]
            )
        )

    @classmethod
    def _rate(cls, customer, segment, until=None):
        """Pin a customer to a segment, as a leader would."""
        cls._row(customer)._set_manual_segment(cls.segments[segment], "Test", until)

    @classmethod
    def _snapshot(cls, company=None):
        """Return every column of a company's rows by id, all but who wrote when."""
        return cls._select(company, "c.*")

    @classmethod
    def _versions(cls, company=None):
        """Return where each row lies: whatever is written moves it."""
        return cls._select(company, "c.id, c.ctid::text")

    @classmethod
    def _select(cls, company, columns):
        cls.env.flush_all()
        cls.env.cr.execute(
            f"SELECT {columns} FROM coverage_customer c WHERE c.company_id = %s",
            [(company or cls.company).id],
        )
        return {
            row["id"]: {
                name: value for name, value in row.items() if name not in UNVERSIONED
            }
            for row in cls.env.cr.dictfetchall()
        }

    @classmethod
    def _history(cls, customer=None):
        """Return ``(field, from, to)`` of the history's lines, the oldest first."""
        domain = [("company_id", "=", cls.company.id)]
        if customer:
            domain.append(("customer_id", "=", cls._row(customer).id))
        changes = cls.env["coverage.change"].search(domain, order="date, id")
        return [
            (change.field_name, change.old_label, change.new_label)
            for change in changes
        ]

    @classmethod
    def _plan(cls, **what_if):
        """Return a planned run under a what-if."""
        run = cls.env["coverage.run"].create(
            {"company_id": cls.company.id, "what_if": what_if}
        )
        run.action_plan()
        return run

    @contextmanager
    def _tried(self):
        """Take back what happens within, the caches included."""
        with self.env.cr.savepoint() as savepoint:
            yield
            savepoint.rollback()
        self.env.invalidate_all()
        self.registry.clear_all_caches()

    def assertSameRows(self, found, expected):
        """Assert that two snapshots are equal; say which columns are not."""
        self.assertEqual(found.keys(), expected.keys())
        differences = {
            (key, name): (value, found[key][name])
            for key, row in expected.items()
            for name, value in row.items()
            if found[key][name] != value
        }
        self.assertFalse(differences)

    def assertStands(self, customer, segment, temperature=None, lifecycle=None):
        """Assert segment, temperature and lifecycle codes of a customer."""
        row = self._row(customer)
        row.invalidate_recordset()
        found = (row.segment_id.code, row.temperature_code, row.lifecycle)
        self.assertEqual(found, (segment, temperature or False, lifecycle))

    def assertFacts(self, customer, **facts):
        """Assert facts of a customer's row."""
        row = self._row(customer)
        row.invalidate_recordset()
        self.assertEqual({name: row[name] for name in facts}, facts)

    @contextmanager
    def _refuse(self, customer, name):
        """Let another rule refuse to write a field of one customer."""
        rows = type(self.env["coverage.customer"])
        write, refused = rows.write, self._row(customer)

        def refusing_write(records, vals):
            if refused in records and name in vals:
                raise ValidationError(REFUSAL)
            return write(records, vals)

        with patch.object(rows, "write", refusing_write):
            yield
