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
        groups = defaultdict(list)
        for customer in customers:
            groups[customer.company_id, customer.user_id].append(customer.id)
        for (company, receiver), ids in groups.items():
            group = customers.browse(ids)
            givers = {one.partner_id.id: former.get(one) for one in group}
            self._settle_followers(group.partner_id, givers, receiver, group)
            if self.env.context.get("coverage_skip_carry"):
                continue
            owned = group.filtered(lambda one, givers=givers: givers[one.partner_id.id])
            if owned:
                self._carry_group(company, givers, receiver, owned)
            if receiver and group - owned:
                self._carry_out_of_pool(receiver, group - owned)

    def _carry_group(self, company, givers, receiver, customers):
        """Carry along what people had of these customers, to another or nobody.

        :param dict givers: who had a customer, by its contact's id
        """
        owners = {one.partner_id.id: one for one in customers}
        for documents in (
            self._find_contacts(company, givers, owners),
            self._find_leads(company, givers, owners),
            self._find_quotations(company, givers, owners),
        ):
            before = {one.id: one.user_id for one in documents}
            self._log_carried(documents, before, receiver, owners)
            self._reassign(documents, before, receiver, customers)
        self._carry_activities(company, givers, receiver, owners)

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
        self._log_carried(free, {}, receiver, customers)
        self._reassign(free, {}, receiver)

    def _give_waiting(self, owners, holder, receiver):
        """Give open activities that waited with who answered for the pool."""
        activities = self.env["mail.activity"].search(
            [("id", "in", list(owners)), ("user_id", "=", holder.id)]
        )
        found = [(one.id, owners[one.id], holder) for one in activities]
        self._give_activities(found, receiver)

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
                before = dict.fromkeys(documents.ids, giver)
                self._log_carried(documents, before, receiver, owners)
                self._reassign(documents, before, receiver)
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

    def _find_contacts(self, company, givers, owners):
        """Return people of these customers whose salesperson is the giver."""
        mirrored = self.env["res.partner"].browse(owners)._get_mirrored_coverage()
        ids = [one.id for one, row in mirrored.items() if row.company_id == company]
        found = (
            self.env["res.partner"]
            .with_context(active_test=False)
            .search(
                [
                    ("commercial_partner_id", "in", ids),
                    ("id", "not in", ids),
                    ("user_id", "in", self._get_ids(givers)),
                ]
            )
        )
        return self._filter_given(found, givers)

    def _find_leads(self, company, givers, owners):
        """Return the givers' open leads and opportunities with these customers."""
        found = self.env["crm.lead"].search(
            [
                ("partner_id.commercial_partner_id", "in", list(owners)),
                ("user_id", "in", self._get_ids(givers)),
                ("won_status", "=", "pending"),
                ("company_id", "in", (company.id, False)),
            ]
        )
        return self._filter_given(found, givers)

    def _find_quotations(self, company, givers, owners):
        """Return the givers' open quotations for these customers."""
        found = self.env["sale.order"].search(
            [
                ("partner_id.commercial_partner_id", "in", list(owners)),
                ("user_id", "in", self._get_ids(givers)),
                ("state", "in", ("draft", "sent")),
                ("company_id", "=", company.id),
            ]
        )
        return self._filter_given(found, givers)

    def _get_ids(self, givers):
        """Return the ids of people, each once."""
        return sorted({giver.id for giver in givers.values() if giver})

    def _filter_given(self, documents, givers):
        """Return those that are of who had their customer."""
        return documents.filtered(
            lambda one: one.user_id == givers.get(self._get_customer_partner(one).id)
        )

    def _get_customer_partner(self, document):
        """Return the contact of the customer that a document is of."""
        is_partner = document._name == "res.partner"
        partner = document if is_partner else document.partner_id
        return partner.commercial_partner_id

    def _reassign(self, documents, givers, receiver, customers=None):
        """Write the new salesperson; nobody is mailed, and who follows learns it.

        :param dict givers: who had it, by document id
        """
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
            self._settle_followers(documents, givers, receiver, customers)

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

    def _settle_followers(self, documents, givers, receiver, customers=None):
        """Let the receiver follow these documents, and the givers no longer.

        Unless they watch their customers.

        :param dict givers: who had it, by document id
        """
        if any(givers.values()):
            watched = {
                (one.partner_id.id, watcher.id)
                for one in customers or ()
                for watcher in one.watcher_ids
            }
            self._remove_followers(documents, givers, watched)
        if receiver:
            self.env["mail.followers"].sudo()._insert_followers(
                documents._name, documents.ids, receiver.partner_id.ids
            )

    def _remove_followers(self, documents, givers, watched):
        """Remove those who had these documents from their followers.

        :param watched: contact and user ids of customers that somebody still watches
        """
        left = {
            (one.id, giver.partner_id.id)
            for one in documents
            if (giver := givers.get(one.id))
            and (self._get_customer_partner(one).id, giver.id) not in watched
        }
        if not left:
            return
        self.env["mail.followers"].flush_model()
        self.env.cr.execute(self._query_unfollow(documents._name, left))
        names = {"message_follower_ids", "message_partner_ids", "message_is_follower"}
        documents.invalidate_recordset(names & documents._fields.keys(), flush=False)

    def _query_unfollow(self, model, pairs):
        """Delete followers: ``unlink`` forgets all that this transaction has read."""
        return SQL(
            """DELETE FROM mail_followers
                WHERE res_model = %s AND (res_id, partner_id) IN %s""",
            model,
            tuple(pairs),
        )

    # === ACTIVITIES === #

    def _carry_activities(self, company, givers, receiver, owners):
        """Give the givers' open activities on these customers to who answers now."""
        rows = self.env.execute_query(
            self._query_activities(company, self._get_ids(givers), tuple(owners))
        )
        by_user = defaultdict(list)
        for activity_id, partner_id, user_id in rows:
            giver = givers[partner_id]
            user = receiver or owners[partner_id].accountable_user_id
            if giver and giver.id == user_id and user != giver:
                by_user[user].append((activity_id, owners[partner_id], giver))
        for user, found in by_user.items():
            self._give_activities(found, user)

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
                giver,
            )
            for one in activities
        ]
        self._give_activities(found, receiver)

    def _give_activities(self, found, user):
        """Write who does these activities now; ``[(id, customer, who had it)]``."""
        activities = self.env["mail.activity"].browse([id_ for id_, *_rest in found])
        if not activities:
            return
        self._log(
            [
                (one, row, giver)
                for one, (_id, row, giver) in zip(activities, found, strict=True)
            ],
            user,
        )
        activities.with_context(**SILENT).write({"user_id": user.id})

    def _query_activities(self, company, giver_ids, partner_ids):
        """Select open activities of people on customers, their leads and orders.

        Those of leads and orders that stay with others move too: they are the givers'.
        """
        for name in ("mail.activity", "res.partner", "crm.lead", "sale.order"):
            self.env[name].flush_model()
        return SQL(
            """
            SELECT a.id, p.commercial_partner_id, a.user_id
              FROM mail_activity a
              LEFT JOIN crm_lead l ON a.res_model = 'crm.lead' AND l.id = a.res_id
              LEFT JOIN sale_order o ON a.res_model = 'sale.order' AND o.id = a.res_id
              JOIN res_partner p ON p.id = CASE a.res_model
                   WHEN 'res.partner' THEN a.res_id
                   WHEN 'crm.lead' THEN l.partner_id ELSE o.partner_id END
             WHERE a.active AND a.user_id IN %(givers)s
               AND a.res_model IN ('res.partner', 'crm.lead', 'sale.order')
               AND p.commercial_partner_id IN %(partners)s
               AND COALESCE(l.company_id, o.company_id, %(company)s) = %(company)s
             ORDER BY a.id
            """,
            givers=tuple(giver_ids) or (0,),
            partners=partner_ids,
            company=company.id,
        )

    # === HISTORY === #

    def _log_carried(self, documents, givers, receiver, owners):
        """Add documents that follow to the history, as changes of the same run.

        :param dict givers: who had it, by document id
        """
        self._log(
            [
                (
                    one,
                    owners.get(self._get_customer_partner(one).id),
                    givers.get(one.id) or receiver.browse(),
                )
                for one in documents
            ],
            receiver,
        )

    def _log(self, found, receiver):
        """Add documents to the history of their customers; without one of nobody.

        :param found: ``[(document, customer, who had it)]``
        """
        log = self.env.context.get("coverage_log") or {}
        values = [
            {
                **customer._prepare_change_vals("user_id", giver, receiver, log),
                "model": document._name,
                "res_id": document.id,
                "reason": {"code": "followed", "name": document.display_name},
                "date": log.get("date") or fields.Datetime.now(),
            }
            for document, customer, giver in found
            if customer
        ]
        self.env["coverage.change"].sudo().create(values)
