from collections import defaultdict

from odoo import fields, models
from odoo.exceptions import UserError

from ..core.pool import fill, hand_out

MODES = [
    ("best", "Who fits each best, as far as there is room"),
    ("one", "One person"),
]
NAMED = 5


class CoverageHandOut(models.TransientModel):
    """Gives customers of the pool to people, as their leader; limits hold."""

    _name = "coverage.hand.out"
    _description = "Hand Out"

    customer_ids = fields.Many2many("coverage.customer", string="Customers")
    company_id = fields.Many2one(
        "res.company", default=lambda self: self.env.company, required=True
    )
    mode = fields.Selection(MODES, string="To Whom", required=True, default="best")
    receiver_id = fields.Many2one(
        "res.users",
        domain="[('share', '=', False), ('company_ids', '=', company_id)]",
    )
    note = fields.Char(help="Whoever gets it reads it in the history.")

    # === ACTION METHODS === #

    def action_hand_out(self):
        """Give each to the person chosen, or to who fits best.

        :raises UserError: when the person chosen cannot take all; nobody moves then
        """
        self.ensure_one()
        self.customer_ids._check_leads_them()
        customers, now = self._hold_free(), fields.Datetime.now()
        give = self._give_one if self.mode == "one" else self._give_best
        for company, group in customers.grouped("company_id").items():
            give(company, group, now)
        return self._tell_given(customers)

    # === BUSINESS METHODS === #

    def _hold_free(self):
        """Return those that are still free, the highest value first, held.

        :raises UserError: when one of them has an owner by now
        """
        rows = self.env["coverage.guard"]._enter(self.customer_ids)
        held = self.env["coverage.pool"]._lock(rows)
        if not rows:
            raise UserError(self.env._("Choose customers without owner first."))
        for row in rows:
            if row not in held or row.user_id:
                raise UserError(
                    self.env._(
                        "%(customer)s is being taken, or has an owner by now. Look "
                        "again.",
                        customer=row.display_name,
                    )
                )
        return held.sorted(lambda one: (-one.potential, one.id))

    def _give(self, customers, receiver):
        """Make somebody the owner; the history says that it was handed out."""
        text = (self.note or "").strip()
        customers._log_owner({"code": "handed_out", "text": text}).write(
            {"user_id": receiver.id}
        )

    def _give_one(self, company, customers, now):
        """Give all to the person chosen, whose limits hold whatever his role.

        :raises UserError: when he cannot take all
        """
        receiver = self.receiver_id.sudo()
        if not receiver:
            raise UserError(self.env._("Choose who gets them."))
        match = self.env["coverage.candidate"]._collect_match(
            company, customers, self._find_role(receiver, company), "junior", now
        )
        self._check_room(receiver, customers, match)
        self._give(customers, receiver)

    def _find_role(self, receiver, company):
        """Return the role of a person that allows most customers."""
        memberships = self.env["coverage.pool"]._find_memberships(receiver, company)
        roles = memberships.coverage_role_ids
        return roles.sorted(
            lambda role: (bool(role.max_customer_count), -role.max_customer_count)
        )[:1]

    def _check_room(self, receiver, customers, match):
        """Raise unless one person can take all of these; say how many, and why."""
        person = match.candidates.get(receiver.id)
        words = {"user": receiver.name, "company": customers.company_id.name}
        if person is None:
            raise UserError(
                self.env._(
                    "%(user)s is in no sales team of %(company)s. Choose somebody who "
                    "is.",
                    **words,
                )
            )
        needs = [match.needs[one.id] for one in customers]
        count, person, need, code = fill(needs, person)
        if not code:
            return
        why = self.env["coverage.candidate"]._get_refusal_text(code, need, person)
        words |= {"count": count, "all": len(needs), "why": why}
        raise UserError(
            self.env._(
                "%(user)s can take %(count)s of these %(all)s customers, and then "
                "%(why)s. Choose fewer, somebody else, or who fits best.",
                **words,
            )
            if count
            else self.env._(
                "%(user)s cannot take any of these: %(user)s %(why)s. Choose somebody "
                "else, or who fits best.",
                **words,
            )
        )

    def _give_best(self, company, customers, now):
        """Give each to who fits best and has room by then; the others stay.

        As the pool offers: by the role and seniority that the rules ask for, never to
        who had it within 90 days.
        """
        has_roles = self.env["coverage.candidate"]._has_roles(company)
        weights = company._get_coverage_weights()
        nobody = self.env["res.users"].sudo()
        groups = customers.grouped(lambda one: (one.role_id, one.rule_id.min_seniority))
        for (role, seniority), group in groups.items():
            match = self.env["coverage.candidate"]._collect_match(
                company, group, role if has_roles else role.browse(), seniority, now
            )
            needs = [match.needs[one.id] for one in group]
            given = hand_out(needs, match.candidates, match.get_relations, weights)
            chosen = defaultdict(list)
            for customer_id, user_id in given.items():
                if user_id:
                    chosen[user_id].append(customer_id)
            for user_id, ids in chosen.items():
                self._give(group.browse(ids), nobody.browse(user_id))

    def _tell_given(self, customers):
        """Return the notice that says who got how many, and what stays."""
        _ = self.env._
        counts = [
            f"{user.name} {len(group)}"
            for user, group in customers.grouped("user_id").items()
            if user
        ]
        left = customers.filtered(lambda one: not one.user_id)
        parts = (
            [_("Handed out: %(counts)s.", counts=", ".join(counts))] if counts else []
        )
        if left:
            parts.append(
                _(
                    "In the pool stay %(count)s, because nobody who may cover them has "
                    "room: %(names)s.",
                    count=len(left),
                    names=", ".join(left[:NAMED].mapped("display_name")),
                )
            )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning" if left else "success",
                "message": " ".join(parts),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }
