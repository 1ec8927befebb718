from odoo.modules.migration import load_script
from odoo.tests import tagged
from odoo.tools import file_path

from odoo.addons.crm_sales_coverage.hooks import uninstall_hook

from .common import NOW, CoverageCase, ago

SCRIPT = "crm_sales_coverage/migrations/19.0.1.1.0/post-contacts.py"
IDLE_SCRIPT = "crm_sales_coverage/migrations/19.0.1.3.0/post-idle.py"
ROLES_SCRIPT = "crm_sales_coverage/migrations/19.0.1.2.0/post-roles.py"


@tagged("post_install", "-at_install")
class TestUpgrade(CoverageCase):
    """What an upgrade adds to a database that has had the addon for a while."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_leaders()
        cls.customer = cls._create_known_buyer(6_000, user_id=cls.sara.id)

    def _upgrade(self):
        script = load_script(file_path(SCRIPT), "post_contacts")
        script.migrate(self.env.cr, "19.0.1.0.0")
        self.env.invalidate_all()

    def test_contacts_of_the_past_are_read(self):
        message = self.customer.with_user(self.sara).message_post(
            body="Our prices",
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            partner_ids=self.customer.ids,
        )
        message.date = f"{ago(20)} 09:00:00"
        self.env["coverage.touch"].search([]).unlink()
        self._row(self.customer)._write({"last_attempt_date": None})
        self._upgrade()
        self.assertFacts(self.customer, last_attempt_date=ago(20))

    def test_segments_and_activities_learn_their_channel(self):
        call = self.env.ref("mail.mail_activity_data_call")
        call.coverage_channel = False
        self.segments["D"].contact_channel = "call"
        self.segments["A"].needs_proof = False
        self.segments["B"].contact_interval_days = 44
        self._upgrade()
        self.assertEqual(call.coverage_channel, "call")
        self.assertEqual(self.segments["D"].contact_channel, "email")
        self.assertTrue(self.segments["A"].needs_proof)
        self.assertEqual(self.segments["B"].contact_interval_days, 44)

    def test_upgrading_twice_doubles_nothing(self):
        self._upgrade()
        before = self.env["coverage.touch"].search_count([])
        self._upgrade()
        self.assertEqual(self.env["coverage.touch"].search_count([]), before)

    def test_uninstalling_leaves_done_activities_to_odoo(self):
        cadence = self.env["coverage.cadence"]
        cadence._run_cadence(self.company, NOW)
        planned = self.env["mail.activity"].search(
            [("coverage_customer_id", "=", self._row(self.customer).id)]
        )
        done = planned.copy({"coverage_customer_id": False})
        done._action_done(feedback="Talked")
        uninstall_hook(self.env)
        self.assertFalse(planned.exists())
        self.assertEqual(
            done.activity_type_id, self.env.ref("mail.mail_activity_data_call")
        )
        self.assertFalse(self.env["coverage.touch"].search([]))

    # === ROLES, RULES AND HANDOFFS === #

    def _upgrade_roles(self):
        script = load_script(file_path(ROLES_SCRIPT), "post_roles")
        script.migrate(self.env.cr, "19.0.1.1.0")
        self.env.invalidate_all()

    def _forget_roles(self):
        """Let all be as the addon before knew it: nobody has a role."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE coverage_customer SET role_id = NULL, rule_id = NULL"
        )
        self.env.cr.execute("UPDATE res_company SET coverage_cover_progress = NULL")
        self.env.invalidate_all()

    def test_customers_of_the_past_get_a_role_and_keep_all_else(self):
        self._refresh()
        before, history = self._snapshot(), self._history()
        self._forget_roles()
        self._upgrade_roles()
        row = self._row(self.customer)
        self.assertTrue(row.role_id and row.rule_id)
        self.assertSameRows(self._snapshot(), before)
        self.assertEqual(self._history(), history)

    def test_roles_of_the_past_are_named_once(self):
        self._forget_roles()
        self._upgrade_roles()
        before = self._versions()
        self._upgrade_roles()
        self.assertSameRows(self._versions(), before)

    def test_fresh_database_needs_no_upgrade(self):
        self._forget_roles()
        script = load_script(file_path(ROLES_SCRIPT), "post_roles")
        script.migrate(self.env.cr, None)
        self.env.invalidate_all()
        self.assertFalse(self._row(self.customer).role_id)

    # === IDLE CUSTOMERS === #

    def test_segments_learn_when_their_customers_are_neglected(self):
        segments = self.env["coverage.segment"].search([], order="code")
        segments.write({"idle_contact_days": 0, "idle_order_days": 0})
        self.segments["B"].idle_contact_days = 99
        cron = self.env.ref("crm_sales_coverage.ir_cron_idle")
        cron.active = False
        script = load_script(file_path(IDLE_SCRIPT), "post_idle")
        for _time in range(2):
            script.migrate(self.env.cr, "19.0.1.2.0")
        found = [(one.idle_contact_days, one.idle_order_days) for one in segments]
        self.assertEqual(found, [(60, 180), (99, 0), (180, 365), (0, 0)])
        self.assertFalse(self.company.coverage_idle_date)
        self.assertFalse(cron.active)
