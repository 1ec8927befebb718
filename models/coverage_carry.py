from collections import defaultdict

from odoo import fields, models
from odoo.tools import SQL

from .coverage_cadence import SILENT

QUIET = {
    "mail_auto_subscribe_no_notify": True,
    "coverage_skip_carry": True,
}


class CoverageCarry(models.AbstractModel):
    """Carries along what belongs to a customer when its owner changes.

    The contacts, and the giver's open opportunities, quotations and activities in that
    company; nobody else's. In the same transaction, without a mail to anybody. What
    was carried is in the history, so that undoing the change finds it.
    """

    _name = "coverage.carry"
    _description = "What Follows an Owner"

    def _carry(self, customers, former):
        """Give the receivers what the former owners had of these customers.

        :param customers: rows whose owner is the new one already
        :param dict former: the owner before, by customer; without one nothing follows
        """
        groups = defaultdict(customers.browse)
        for customer in customers:
            key = customer.company_id, former.get(customer), customer.user_id
            groups[key] += customer
        for (company, giver, receiver), group in groups.items():
            self._settle_followers(group.partner_id, giver, receiver, group)
            if self.env.context.get("coverage_skip_carry"):
                continue
            if giver:
                self._carry_group(company, giver, receiver, group)
            elif receiver:
                self._carry_out_of_pool(receiver, group)

    def _carry_group(self, company, giver, receiver, customers):
        """Carry along what one person had of these customers, to another or nobody."""
        owners = {one.partner_id.id: one for one in customers}
        for documents in (
            self._find_contacts(company, giver, owners),
            self._find_leads(company, giver, owners),
            self._find_quotations(company, giver, owners),
        ):
            self._log_carried(documents, giver, receiver, owners)
            self._reassign(documents, giver, receiver, customers)
        self._carry_activities(company, giver, receiver, owners)

    def _carry_out_of_pool(self, receiver, customers):
        """Give the new owner what came to the pool along with these customers.

        What somebody took meanwhile stays his, and what is closed stays as it is.
        """
        by_id = {one.id: one for one in customers}
        nobody, found = receiver.browse(), defaultdict(dict)
        rows = self.env.execute_query(self._query_pooled(tuple(by_id)))
        for model, res_id, holder, customer_id in rows:
            found[model, holder][res_id] = by_id[customer_id]
        for (model, holder), owners in found.items():
            if model == "mail.activity":
                self._give_waiting(owners, nobody.browse(int(holder or 0)), receiver)
            elif not holder:
                self._give_pooled(self.env[model].browse(owners), owners, receiver)

    def _give_pooled(self, documents, owners, receiver):
        """Give documents that still have no salesperson, unless they are closed."""
        is_open = {
            "crm.lead": lambda one: one.won_status == "pending",
            "sale.order": lambda one: one.state in ("draft", "sent"),
        }.get(documents._name, lambda _one: True)
        free = documents.exists().filtered(lambda one: not one.user_id and is_open(one))
        customers = {one.partner_id.id: one for one in owners.values()}
        self._log_carried(free, receiver.browse(), receiver, customers)
        self._reassign(free, receiver.browse(), receiver)

    def _give_waiting(self, owners, holder, receiver):
        """Give open activities that waited with who answered for the pool."""
        activities = self.env["mail.activity"].search(
            [("id", "in", list(owners)), ("user_id", "=", holder.id)]
        )
        found = [(one.id, owners[one.id]) for one in activities]
        self._give_activities(found, holder, receiver)

    def _query_pooled(self, customer_ids):
        """Select what the history says went along when customers lost their owner."""
        self.env["coverage.change"].flush_model()
        return SQL(
            """
            SELECT h.model, h.res_id, h.new_value, h.customer_id
              FROM coverage_change h
              JOIN (SELECT customer_id, max(id) AS id FROM coverage_change
                     WHERE customer_id IN %(customers)s AND field_name = 'user_id'
                       AND model = 'coverage.customer' AND new_value IS NULL
                       AND state = 'applied'
                     GROUP BY customer_id) released
                ON released.customer_id = h.customer_id AND h.id > released.id
             WHERE h.field_name = 'user_id' AND h.model <> 'coverage.customer'
               AND h.state = 'applied'
             ORDER BY h.id
            """,
            customers=customer_ids,
        )

    def _carry_leads(self, leads, receiver, log):
        """Give opportunities alone to somebody, with their quotations and activities.

        :param dict log: what the history keeps, see ``coverage.customer._log_changes``
        """
        self = self.with_context(coverage_log=log)
        for (giver, company), group in leads.grouped(
            lambda lead: (lead.user_id, lead._get_coverage_company())
        ).items():
            owners = self._find_owners(company, group)
            quotations = group.order_ids.filtered(
                lambda order, giver=giver: (
                    order.user_id == giver and order.state in ("draft", "sent")
                )
            )
            for documents in (group, quotations):
                self._log_carried(documents, giver, receiver, owners)
                self._reassign(documents, giver, receiver)
            self._move_activities(group, quotations, giver, receiver, owners)

    def _find_owners(self, company, leads):
        """Return the customers of these leads by their contacts' ids."""
        customers = self.env["coverage.customer"].search(
            [
                ("partner_id", "in", leads.partner_id.commercial_partner_id.ids),
                ("company_id", "=", company.id),
            ]
        )
        return {one.partner_id.id: one for one in customers}

    def _find_contacts(self, company, giver, owners):
        """Return people of these customers whose salesperson is the giver."""
        mirrored = self.env["res.partner"].browse(owners)._get_mirrored_coverage()
        ids = [one.id for one, row in mirrored.items() if row.company_id == company]
        return (
            self.env["res.partner"]
            .with_context(active_test=False)
            .search(
                [
                    ("commercial_partner_id", "in", ids),
                    ("id", "not in", ids),
                    ("user_id", "=", giver.id),
                ]
            )
        )

    def _find_leads(self, company, giver, owners):
        """Return the giver's open leads and opportunities with these customers."""
        return self.env["crm.lead"].search(
            [
                ("partner_id.commercial_partner_id", "in", list(owners)),
                ("user_id", "=", giver.id),
                ("won_status", "=", "pending"),
                ("company_id", "in", (company.id, False)),
            ]
        )

    def _find_quotations(self, company, giver, owners):
        """Return the giver's open quotations for these customers."""
        return self.env["sale.order"].search(
            [
                ("partner_id.commercial_partner_id", "in", list(owners)),
                ("user_id", "=", giver.id),
                ("state", "in", ("draft", "sent")),
                ("company_id", "=", company.id),
            ]
        )

    def _reassign(self, documents, giver, receiver, customers=None):
        """Write the new salesperson; nobody is mailed, and who follows learns it."""
        if not documents:
            return
        vals = {"user_id": receiver.id}
        if "team_id" in documents._fields and receiver.sale_team_id:
            vals["team_id"] = receiver.sale_team_id.id
        tracked = documents._track_get_fields() & vals.keys()
        before = {one: {name: one[name] for name in tracked} for one in documents}
        documents.with_context(**QUIET, mail_notrack=True).write(vals)
        self._track(documents, tracked, before)
        if documents._name != "res.partner":
            self._settle_followers(documents, giver, receiver, customers)

    def _track(self, documents, names, before):
        """Say in the chatters what changed, as Odoo does, but for all at once."""
        if self.env.context.get("tracking_disable"):
            return
        labels = documents.fields_get(names, ("string", "type"))
        values = {
            one: [
                self.env["mail.tracking.value"]._create_tracking_values(
                    before[one][name], one[name], name, labels[name], one
                )
                for name in names
                if one[name] != before[one][name]
            ]
            for one in documents
        }
        changed = documents.filtered(values.get)
        messages = changed._message_log_batch(dict.fromkeys(changed.ids, ""))
        self.env["mail.tracking.value"].sudo().create(
            [
                {**vals, "mail_message_id": message.id}
                for one, message in zip(changed, messages, strict=True)
                for vals in values[one]
            ]
        )

    def _settle_followers(self, documents, giver, receiver, customers=None):
        """Let the receiver follow these documents, and the giver no longer.

        Unless he watches their customers.
        """
        followers = self.env["mail.followers"].sudo()
        if giver:
            watched = (customers or self.env["coverage.customer"]).filtered(
                lambda one: giver in one.watcher_ids
            )
            left = documents.filtered(
                lambda one: (
                    (
                        one if one._name == "res.partner" else one.partner_id
                    ).commercial_partner_id
                    not in watched.partner_id
                )
            )
            followers.search(
                [
                    ("res_model", "=", documents._name),
                    ("res_id", "in", left.ids),
                    ("partner_id", "=", giver.partner_id.id),
                ]
            ).unlink()
        if receiver:
            followers._insert_followers(
                documents._name, documents.ids, receiver.partner_id.ids
            )

    # === ACTIVITIES === #

    def _carry_activities(self, company, giver, receiver, owners):
        """Give the giver's open activities on these customers to who answers now."""
        rows = self.env.execute_query(
            self._query_activities(company, giver, tuple(owners))
        )
        by_user = defaultdict(list)
        for activity_id, partner_id in rows:
            user = receiver or owners[partner_id].accountable_user_id
            if user != giver:
                by_user[user].append((activity_id, owners[partner_id]))
        for user, found in by_user.items():
            self._give_activities(found, giver, user)

    def _move_activities(self, leads, quotations, giver, receiver, owners):
        """Give the giver's open activities on opportunities and their quotations."""
        activities = self.env["mail.activity"].search(
            [
                ("user_id", "=", giver.id),
                "|",
                "&",
                ("res_model", "=", "crm.lead"),
                ("res_id", "in", leads.ids),
                "&",
                ("res_model", "=", "sale.order"),
                ("res_id", "in", quotations.ids),
            ]
        )
        partners = {("crm.lead", one.id): one.partner_id for one in leads}
        partners |= {("sale.order", one.id): one.partner_id for one in quotations}
        found = [
            (
                one.id,
                owners.get(
                    partners[one.res_model, one.res_id].commercial_partner_id.id
                ),
            )
            for one in activities
        ]
        self._give_activities(found, giver, receiver)

    def _give_activities(self, found, giver, user):
        """Write who does these activities now; ``[(activity id, customer)]``."""
        activities = self.env["mail.activity"].browse([id_ for id_, _row in found])
        if not activities:
            return
        self._log(
            [(one, row) for one, (_id, row) in zip(activities, found, strict=True)],
            giver,
            user,
        )
        activities.with_context(**SILENT).write({"user_id": user.id})

    def _query_activities(self, company, giver, partner_ids):
        """Select open activities of a person on customers, their leads and orders.

        Those of leads and orders that stay with others move too: they are the giver's.
        """
        for name in ("mail.activity", "res.partner", "crm.lead", "sale.order"):
            self.env[name].flush_model()
        return SQL(
            """
            SELECT a.id, p.commercial_partner_id
              FROM mail_activity a
              LEFT JOIN crm_lead l ON a.res_model = 'crm.lead' AND l.id = a.res_id
              LEFT JOIN sale_order o ON a.res_model = 'sale.order' AND o.id = a.res_id
              JOIN res_partner p ON p.id = CASE a.res_model
                   WHEN 'res.partner' THEN a.res_id
                   WHEN 'crm.lead' THEN l.partner_id ELSE o.partner_id END
             WHERE a.active AND a.user_id = %(giver)s
               AND a.res_model IN ('res.partner', 'crm.lead', 'sale.order')
               AND p.commercial_partner_id IN %(partners)s
               AND COALESCE(l.company_id, o.company_id, %(company)s) = %(company)s
             ORDER BY a.id
            """,
            giver=giver.id,
            partners=partner_ids,
            company=company.id,
        )

    # === HISTORY === #

    def _log_carried(self, documents, giver, receiver, owners):
        """Add documents that follow to the history, as changes of the same run."""
        pairs = []
        for document in documents:
            partner = document
            if documents._name != "res.partner":
                partner = document.partner_id
            pairs.append((document, owners.get(partner.commercial_partner_id.id)))
        self._log(pairs, giver, receiver)

    def _log(self, pairs, giver, receiver):
        """Add documents to the history of their customers; without one of nobody."""
        log = self.env.context.get("coverage_log") or {}
        values = [
            {
                **customer._prepare_change_vals("user_id", giver, receiver, log),
                "model": document._name,
                "res_id": document.id,
                "reason": {"code": "followed", "name": document.display_name},
                "date": log.get("date") or fields.Datetime.now(),
            }
            for document, customer in pairs
            if customer
        ]
        self.env["coverage.change"].sudo().create(values)
