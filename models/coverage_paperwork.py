from collections import defaultdict

from odoo import api, fields, models
from odoo.tools import SQL

from .coverage_cadence import SILENT

TYPE = "crm_sales_coverage.activity_type_paperwork"


class CoveragePaperwork(models.AbstractModel):
    """Gives assistants the paperwork, so that the sellers' lists stay free of it.

    A confirmed quotation gives the seller's assistant one activity, whoever confirmed
    it, the customer online and the assistant too: invoice and shipping remain. So does
    an opportunity that enters a stage worked by a role that does paperwork. Without an
    assistant nobody gets one. Silent: no mail leaves, nobody becomes a follower.
    """

    _name = "coverage.paperwork"
    _description = "Paperwork"

    @api.model
    def _queue(self, records):
        """Note, at no cost, confirmed orders or moved leads until the commit.

        An import passes ``coverage_skip_refresh``: what it brings is done already.
        """
        if not records.ids or self.env.context.get("coverage_skip_refresh"):
            return
        data = self.env.cr.precommit.data
        if "coverage_paperwork" not in data:
            data["coverage_paperwork"] = defaultdict(set)
            self.env.cr.precommit.add(self._flush_queue)
        data["coverage_paperwork"][records._name].update(records.ids)

    @api.model
    def _flush_queue(self):
        """Give the paperwork of all that was noted."""
        queue = self.env.cr.precommit.data.pop("coverage_paperwork", {})
        # who confirms may neither read memberships nor plan for others: customers do
        self = self.sudo()
        for model, query in (
            ("sale.order", self._query_orders),
            ("crm.lead", self._query_leads),
        ):
            if ids := queue.get(model):
                self._flush_read(model)
                rows = self.env.execute_query(query(tuple(ids)))
                self._give(model, dict(rows))

    @api.model
    def _withdraw(self, records):
        """Take back what is open of the paperwork of cancelled orders."""
        activities = self.env["mail.activity"].sudo()  # whosever list they are on
        activities.search(
            [
                ("res_model", "=", records._name),
                ("res_id", "in", records.ids),
                ("activity_type_id", "=", self.env.ref(TYPE).id),
            ]
        ).with_context(**SILENT).unlink()

    def _flush_read(self, model):
        """Let what is read by SQL be in the database."""
        for name in (model, "crm.team.member", "mail.activity"):
            self.env[name].flush_model()

    def _give(self, model, assistants):
        """Plan the paperwork of these records.

        :param dict assistants: ids of users, by id of the record
        """
        if not assistants:
            return
        records = self.env[model].browse(assistants)
        users = self.env["res.users"].browse(assistants.values())
        today = self._get_today(records)
        common = {
            "activity_type_id": self.env.ref(TYPE).id,
            "automated": True,
            "res_model_id": self.env["ir.model"]._get_id(model),
        }
        self.env["mail.activity"].with_context(**SILENT).create(
            [
                {
                    **common,
                    "res_id": record.id,
                    "user_id": user.id,
                    "date_deadline": today[record.company_id],
                    "summary": self._get_summary(record.with_context(lang=user.lang)),
                }
                for record, user in zip(records, users, strict=True)
            ]
        )

    def _get_today(self, records):
        """Return the day it is in each company of these records."""
        now = fields.Datetime.now()
        return {
            company: (company or self.env.company)._get_coverage_today(now)
            for company in {one.company_id for one in records}
        }

    def _get_summary(self, record):
        """Return what the assistant reads, in the record's language."""
        if record._name == "crm.lead":
            return record.stage_id.name
        return record.env._("Order, invoice, shipping")

    # === QUERIES === #

    def _query_orders(self, ids):
        """Select confirmed orders whose seller has an assistant: order, assistant."""
        return SQL(
            """
            SELECT o.id, helper.user_id
              FROM sale_order o
              JOIN LATERAL (%(helper)s) helper ON TRUE
             WHERE o.id IN %(ids)s AND o.state = 'sale' AND NOT %(planned)s
             ORDER BY o.id
            """,
            helper=self._query_helper(SQL("o")),
            planned=self._query_planned("sale.order", SQL("o")),
            ids=ids,
        )

    def _query_leads(self, ids):
        """Select leads in a stage of paperwork whose seller has an assistant."""
        return SQL(
            """
            SELECT l.id, helper.user_id
              FROM crm_lead l
              JOIN crm_stage s ON s.id = l.stage_id
              JOIN coverage_role r ON r.id = s.coverage_role_id AND r.is_paperwork
              JOIN LATERAL (%(helper)s) helper ON TRUE
             WHERE l.id IN %(ids)s AND l.active AND l.type = 'opportunity'
               AND NOT %(planned)s
             ORDER BY l.id
            """,
            helper=self._query_helper(SQL("l")),
            planned=self._query_planned("crm.lead", SQL("l")),
            ids=ids,
        )

    def _query_helper(self, record):
        """Return the assistant of a record's seller: in its team, if in several."""
        return SQL(
            """
            SELECT m.coverage_assistant_id AS user_id
              FROM crm_team_member m
              JOIN res_users a ON a.id = m.coverage_assistant_id AND a.active
             WHERE m.user_id = %(record)s.user_id AND m.active
               AND (m.crm_team_id = %(record)s.team_id OR NOT EXISTS (
                   SELECT 1 FROM crm_team_member other
                    WHERE other.user_id = m.user_id AND other.active
                      AND other.id <> m.id))
               AND (%(record)s.company_id IS NULL OR EXISTS (
                   SELECT 1 FROM res_company_users_rel works
                    WHERE works.user_id = a.id AND works.cid = %(record)s.company_id))
             ORDER BY m.id LIMIT 1
            """,
            record=record,
        )

    def _query_planned(self, model, record):
        """Return whether a record's paperwork is planned already."""
        return SQL(
            """
            EXISTS (SELECT 1 FROM mail_activity planned
                     WHERE planned.active AND planned.res_model = %s
                       AND planned.res_id = %s.id AND planned.activity_type_id = %s)
            """,
            model,
            record,
            self.env.ref(TYPE).id,
        )
