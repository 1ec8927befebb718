from collections import defaultdict

from odoo import api, models
from odoo.fields import Domain

from .coverage_cadence import SILENT
from .coverage_carry import QUIET
from .coverage_handed import OPEN, RUNNING

MODELS = ("res.partner", "crm.lead", "sale.order")


class CoverageDeparture(models.AbstractModel):
    """Moves all that is left of somebody who leaves, once the customers have moved.

    To the owner of the customer it belongs to; else to who was chosen; else to the
    leader of the team. Where the pool was chosen, leads and quotations of nobody's
    customers are nobody's too. A leader moves only what is of the own teams.
    """

    _name = "coverage.departure"
    _description = "Departure"

    # === WHAT THERE IS === #

    @api.model
    def _find_all(self, user, leader=None):
        """Return by name all that somebody has in sales.

        :param leader: only what is of the teams this person leads
        """
        mine, is_led = Domain("user_id", "=", user.id), Domain.TRUE
        if leader:
            is_led = Domain("team_id.user_id", "=", leader.id)
        handoffs, members = self.env["coverage.handoff"], self.env["crm.team.member"]
        to_him = Domain("to_user_id", "=", user.id)
        from_him = Domain("from_user_id", "=", user.id)
        found = {
            "customers": self.env["coverage.customer"].sudo().search(mine & is_led),
            "leads": self.env["crm.lead"]
            .sudo()
            .search(mine & is_led & Domain("won_status", "=", "pending")),
            "quotations": self.env["sale.order"]
            .sudo()
            .search(mine & is_led & Domain("state", "in", ("draft", "sent"))),
            "handoffs": handoffs.sudo().search(
                Domain("state", "in", OPEN) & (from_him & is_led | to_him)
            ),
            "watched": handoffs.sudo().search(
                Domain("state", "in", RUNNING) & from_him & is_led
            ),
            "stages": self.env["coverage.stage.owner"].sudo().search(mine & is_led),
            "assisted": members.sudo().search(
                Domain("coverage_assistant_id", "=", user.id)
                & (Domain("crm_team_id.user_id", "=", leader.id) if leader else is_led)
            ),
        }
        found["activities"] = self._find_activities(user, found, leader)
        return found

    def _find_activities(self, user, found, leader):
        """Return open activities on contacts, leads and quotations; led ones only."""
        domain = Domain("user_id", "=", user.id) & Domain("res_model", "in", MODELS)
        if leader:
            partners = found["customers"].partner_id.ids
            domain &= (
                Domain("res_model", "=", "res.partner")
                & Domain("res_id", "in", partners)
                | Domain("res_model", "=", "crm.lead")
                & Domain("res_id", "in", found["leads"].ids)
                | Domain("res_model", "=", "sale.order")
                & Domain("res_id", "in", found["quotations"].ids)
            )
        return self.env["mail.activity"].sudo().search(domain)

    # === MOVING === #

    @api.model
    def _depart(self, absence, now):
        """Move all that is left, then archive the user where that was wanted."""
        user, heirs = absence.user_id.sudo(), absence.receiver_ids.sudo()
        found = self._find_all(user, absence.leader_id)
        left = found["customers"]
        left._log_owner(absence._get_reason()).write({"user_id": False})
        self._move_handoffs(found["handoffs"], found["watched"], absence, now)
        self._move_leads(found["leads"], absence)
        self._move_quotations(found["quotations"].exists(), absence)
        self._move_activities(found["activities"].exists(), absence)
        self._stop_watching(user, absence.leader_id)
        for stage in found["stages"]:
            stage.user_id = self._get_heir(stage, absence)
        for member in found["assisted"]:
            member.coverage_assistant_id = (heirs - member.user_id)[:1]
        if absence.is_archived and user.active:
            user.action_archive()

    def _get_heir(self, record, absence):
        """Return who was chosen, of several by turns; else the leader of the team."""
        user, heirs = absence.user_id.sudo(), absence.receiver_ids.sudo().sorted("id")
        if heirs:
            return heirs[record.id % len(heirs)]
        team = record.team_id if "team_id" in record._fields else user.sale_team_id
        fallback = absence.company_id.sudo().coverage_fallback_user_id
        for leader in (team.user_id, user.sale_team_id.user_id, fallback):
            if leader.active and leader != user:
                return leader
        return self.env.user.sudo()

    def _get_owners(self, records, absence):
        """Return the owner of the customer that each of these belongs to, if any."""
        keys = {}
        for record in records:
            partner = record if record._name == "res.partner" else record.partner_id
            company = absence.company_id
            if record._name == "crm.lead":
                company = record._get_coverage_company(company)
            elif record._name == "sale.order":
                company = record.company_id
            keys[record] = (partner.commercial_partner_id.id, company.id)
        owners = self.env["coverage.pin"]._get_owners(keys.values())
        return {
            record: owners[key]
            for record, key in keys.items()
            if key in owners and owners[key] != absence.user_id
        }

    def _group_by_heir(self, records, absence):
        """Return these by who gets them; nobody where the pool was chosen."""
        owners, groups = self._get_owners(records, absence), defaultdict(records.browse)
        nobody = self.env["res.users"].sudo()
        for record in records:
            heir = owners.get(record)
            if not heir:
                is_pooled = absence.is_pooled
                heir = nobody if is_pooled else self._get_heir(record, absence)
            groups[heir] += record
        return groups

    def _move_leads(self, leads, absence):
        """Give open leads with what hangs on them."""
        leads = leads.filtered(lambda one: one.user_id == absence.user_id)
        carry = self.env["coverage.carry"].sudo()
        for heir, group in self._group_by_heir(leads, absence).items():
            if heir:
                carry._carry_leads(group, heir, {})
            else:
                group.with_context(**QUIET).write({"user_id": False})

    def _move_quotations(self, orders, absence):
        """Give open quotations that followed neither a customer nor a lead."""
        orders = orders.filtered(lambda one: one.user_id == absence.user_id)
        carry = self.env["coverage.carry"].sudo()
        for heir, group in self._group_by_heir(orders, absence).items():
            givers = dict.fromkeys(group.ids, absence.user_id.sudo())
            carry._reassign(group, givers, heir)

    def _move_activities(self, activities, absence):
        """Give open activities to who has the record, else to the heir."""
        groups = defaultdict(activities.browse)
        own = activities.filtered(lambda one: one.user_id == absence.user_id)
        for model, group in own.grouped("res_model").items():
            records = self.env[model].sudo().browse(group.mapped("res_id")).exists()
            owners, known = self._get_owners(records, absence), set(records.ids)
            for activity in group:
                record = records.browse(activity.res_id)
                if record.id not in known:
                    continue
                holder = record.user_id - absence.user_id
                heir = owners.get(record) or holder or self._get_heir(record, absence)
                groups[heir] += activity
        for heir, group in groups.items():
            group.with_context(**SILENT).write({"user_id": heir.id})

    def _move_handoffs(self, handoffs, watched, absence, now):
        """Take open offers back, and let somebody else watch the deals he watched."""
        name = absence.user_id.sudo().name
        reason = self.env._("%(user)s left.", user=name)
        still = handoffs.filtered(lambda one: one.state in OPEN)
        if still:
            still._close("cancelled", reason, now)
        watched = watched.filtered(lambda one: one.state in RUNNING)
        for handoff in watched:
            heir = self._get_heir(handoff, absence)
            handoff._dismiss("from_user_id")
            if heir == handoff.to_user_id:
                handoff._complete(reason, now)
            else:
                handoff.from_user_id = heir
                handoff._admit("from_user_id")

    def _stop_watching(self, user, leader):
        """Let who leaves see none of the customers he watched."""
        domain = Domain("watcher_ids", "in", user.ids)
        if leader:
            domain &= Domain("team_id.user_id", "=", leader.id)
        for customer in self.env["coverage.customer"].sudo().search(domain):
            customer.watcher_ids -= user
