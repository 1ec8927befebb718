from odoo import api, models
from odoo.exceptions import RedirectWarning, UserError

from .groups import LEADER, MANAGER, SELLER


class CoverageGuard(models.AbstractModel):
    """Says who may change owners and drop customers, and what to do instead.

    Managers, the leader of the customer's team, and what runs as superuser (handoffs,
    runs, jobs) are free. Each company can switch each guard off.
    """

    _name = "coverage.guard"
    _description = "Guard of Customers"

    # === WHO === #

    @api.model
    def _is_free(self):
        """Return whether nobody needs to be asked."""
        return self.env.su or self.env.user.has_group(MANAGER)

    @api.model
    def _is_leader_of(self, row):
        """Return whether the user leads the team of a customer."""
        leader = row.sudo().team_id.user_id
        user = self.env.user
        return leader == user or (not leader and user.has_group(LEADER))

    @api.model
    def _get_leader(self, row):
        """Return whom to ask about a customer; the name of nobody is a duty."""
        row = row.sudo()
        leader = row.team_id.user_id or row.company_id.coverage_fallback_user_id
        return leader.name or self.env._("a sales manager")

    @api.model
    def _enter(self, records):
        """Return records with all rights, without what a caller put into the context.

        Our own keys say what a change is part of; a client must not say it for us,
        nor give defaults to what follows.
        """
        context = {
            key: value
            for key, value in self.env.context.items()
            if not key.startswith(("coverage_", "default_"))
        }
        return records.sudo().with_env(self.env(context=context, su=True))

    # === OWNERS === #

    @api.model
    def _check_owner(self, partners, user_id):
        """Refuse that a seller changes the owner of covered customers.

        Who owns a customer sees its money. A customer without owner may be taken by
        the sellers of its team; who gives an own one up asks the leader.

        :raises UserError: names the owner and whom to ask
        :raises RedirectWarning: leads to the handoff, or to asking the leader
        """
        if self._is_free():
            return
        rows = partners._get_mirrored_coverage().values()
        moving = [
            row
            for row in rows
            if row and row.user_id.id != (user_id or False) and not self._may_move(row)
        ]
        released = [row for row in moving if self._is_release(row, user_id)]
        for row in moving:
            if row not in released:
                self._check_move(row, user_id)
        if released:
            given_up = partners.browse([row.partner_id.id for row in released])
            self._ask_instead("release", partners=given_up)

    def _may_move(self, row):
        """Return whether the user leads this customer, or leads where none guards."""
        if not row.company_id.coverage_guard_owner and self.env.user.has_group(LEADER):
            return True
        return self._is_leader_of(row)

    def _is_release(self, row, user_id):
        """Return whether a seller gives a customer of his own up."""
        is_own = row.user_id == self.env.user and not user_id
        return is_own and row.company_id.coverage_guard_drop

    def _check_move(self, row, user_id):
        """Raise unless a seller may change this one owner."""
        user, owner = self.env.user, row.user_id
        if not owner and user_id == user.id and self._is_picking(row):
            self._refuse_picking(row)
        if not row.company_id.coverage_guard_owner:
            is_allowed = not owner or owner == user
        else:
            is_allowed = not owner and user_id == user.id and self._may_claim(row)
        if not is_allowed:
            self._refuse_move(row, user_id)

    def _is_picking(self, subject):
        """Return whether the user picks what the pool would offer to him.

        A free customer or lead of his teams; who is in no team has no pool.
        """
        company = subject.company_id or self.env.company
        if not company.sudo().coverage_guard_pool:
            return False
        memberships = self.env["coverage.pool"]._find_memberships(
            self.env.user, company
        )
        team = subject.sudo().team_id
        if subject._name == "crm.lead":
            return team in memberships.crm_team_id
        return bool(memberships) and (not team or team in memberships.crm_team_id)

    def _refuse_picking(self, subject):
        """Raise, leading to the pool.

        :raises RedirectWarning: an import gets the sentence only
        """
        is_lead = subject._name == "crm.lead"
        message = self.env._(
            "%(name)s is free, but nobody picks: the pool offers one at a time, what "
            "is worth most and fits you best. Ask it for the next one.",
            name=subject.sudo().display_name,
        )
        if self.env.context.get("import_file"):
            raise UserError(message)
        action = self.env.ref(
            "crm_sales_coverage.coverage_pool_action"
            if not is_lead
            else "crm_sales_coverage.coverage_pool_lead_action"
        )
        raise RedirectWarning(message, action.id, self.env._("Open the Pool"))

    # === LEADS === #

    @api.model
    def _check_salesperson(self, leads, user_id):
        """Refuse that a seller puts himself on free leads of his teams.

        Managers, leaders and what runs as superuser are free, as is giving a lead that
        has somebody, or that one makes or converts oneself.

        :raises RedirectWarning: leads to the pool
        """
        user = self.env.user
        if self._is_free() or user.has_group(LEADER) or not user.has_group(SELLER):
            return
        if int(user_id) != user.id or not self.env.companies.filtered(
            lambda company: company.sudo().coverage_guard_pool
        ):
            return
        for lead in leads:
            is_free = not lead.user_id and lead.won_status == "pending" and lead.team_id
            if is_free and self._is_picking(lead):
                self._refuse_picking(lead)

    def _may_claim(self, row):
        """Return whether the user may take a customer without owner for himself."""
        team = row.team_id
        return not team or self.env.user in team.crm_team_member_ids.user_id

    def _refuse_move(self, row, user_id):
        """Raise, saying how a customer gets another owner."""
        words = {
            "customer": row.partner_id.display_name,
            "owner": row.user_id.name,
            "leader": self._get_leader(row),
        }
        _ = self.env._
        if not row.user_id:
            raise UserError(
                _(
                    "%(customer)s has no owner, but is not yours to give. Ask "
                    "%(leader)s.",
                    **words,
                )
            )
        if row.user_id != self.env.user:
            raise UserError(
                _(
                    "%(customer)s is %(owner)s's customer. Ask %(owner)s or %(leader)s "
                    "for a handoff.",
                    **words,
                )
            )
        message = _(
            "%(customer)s changes hands by a handoff: offer it to a colleague. Until "
            "it is accepted it stays yours.",
            **words,
        )
        if self.env.context.get("import_file"):
            raise UserError(message)
        action = self.env["coverage.offer"]._open(
            default_customer_ids=row.ids, default_to_user_id=user_id
        )
        raise RedirectWarning(message, action, _("Hand Over"))

    # === DROPS === #

    @api.model
    def _check_archive(self, partners):
        """Ask the leader instead when a seller archives customers.

        :raises RedirectWarning: leads to asking
        """
        if rows := self._find_dropped(partners):
            self._ask_instead("archive", partners=rows.partner_id)

    @api.model
    def _find_dropped(self, partners):
        """Return the customers that the user may not drop alone."""
        if not self._is_guarded():
            return self.env["coverage.customer"]
        return partners._get_coverage_rows().filtered(
            lambda row: row.active and self._needs_leader(row)
        )

    @api.model
    def _check_lost(self, leads):
        """Ask the leader instead when a seller closes a prospect's last lead.

        :raises RedirectWarning: leads to asking
        """
        if found := self._find_last_leads(leads):
            last = leads.browse([lead.id for lead in found])
            self._ask_instead("lost", leads=last)

    @api.model
    def _find_last_leads(self, leads):
        """Return ``{lead: customer}`` of leads whose loss gives a prospect up.

        The last open ones of customers that never bought and that are the user's own,
        or nobody's: of another owner's customer he only loses a deal.
        """
        if not self._is_guarded():
            return {}
        found = {}
        leads = leads.filtered(lambda one: one.partner_id and one.active)
        rows = self._get_prospects(leads)
        if not rows:
            return found
        kept = self._get_kept_alive(leads, rows)
        for lead in leads.filtered(lambda one: one.won_status == "pending"):
            partner = lead.partner_id.commercial_partner_id
            company = lead._get_coverage_company(self.env.company)
            row = rows.get((partner.id, company.id))
            is_last = not kept & {(partner.id, company.id), (partner.id, False)}
            if row and is_last and self._needs_leader(row):
                found[lead] = row
        return found

    def _get_prospects(self, leads):
        """Return the prospects behind leads, by partner and company id."""
        if not leads:
            return {}
        rows = (
            self.env["coverage.customer"]
            .sudo()
            .search(
                [
                    ("partner_id", "in", leads.partner_id.commercial_partner_id.ids),
                    ("user_id", "in", (self.env.uid, False)),
                    ("first_order_date", "=", False),
                ]
            )
        )
        return {(row.partner_id.id, row.company_id.id): row for row in rows}

    def _get_kept_alive(self, leads, rows):
        """Return partner and company id of the other open leads of these customers."""
        others = (
            self.env["crm.lead"]
            .sudo()
            .search_fetch(
                [
                    (
                        "partner_id.commercial_partner_id",
                        "in",
                        [partner_id for partner_id, _company_id in rows],
                    ),
                    ("won_status", "=", "pending"),
                    ("id", "not in", leads.ids),
                ],
                ["partner_id", "company_id"],
            )
        )
        return {
            (lead.partner_id.commercial_partner_id.id, lead.company_id.id)
            for lead in others
        }

    def _is_guarded(self):
        """Return whether the user is one of those who ask."""
        return not self._is_free() and self.env.user.has_group(SELLER)

    def _needs_leader(self, row):
        return row.company_id.coverage_guard_drop and not self._is_leader_of(row)

    def _ask_instead(self, kind, partners=(), leads=()):
        """Raise, leading to the dialog that asks the leader.

        :param str kind: of ``coverage.request``
        """
        named = (leads or partners)[:3]
        message = self.env._(
            "The team leader decides whether a customer is given up: %(names)s. Say "
            "why, and ask.",
            names=", ".join(named.mapped("display_name")),
        )
        if self.env.context.get("import_file"):
            raise UserError(message)
        action = self.env["coverage.ask"]._open(kind, partners, leads)
        raise RedirectWarning(message, action, self.env._("Ask the Team Leader"))
