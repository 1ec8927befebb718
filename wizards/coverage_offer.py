from collections import Counter, defaultdict

from odoo import Command, api, fields, models
from odoo.exceptions import UserError

KEPT = 10  # candidates that a handoff remembers


class CoverageOffer(models.TransientModel):
    """Hands customers or an opportunity over: to whom, why, and who stays on it.

    Proposes receivers, best first, with their reasons; of several customers either one
    person takes all, or each goes to whom suits it best.
    """

    _name = "coverage.offer"
    _description = "Hand Over"

    # what
    customer_ids = fields.Many2many("coverage.customer", string="Customers")
    lead_id = fields.Many2one("crm.lead", string="Opportunity")
    handoff_id = fields.Many2one(
        "coverage.handoff", help="To be handed over already: offered now."
    )
    company_id = fields.Many2one("res.company", compute="_compute_company_id")
    customer_count = fields.Integer(compute="_compute_customer_count")

    # to whom
    way = fields.Selection(
        [("one", "One person takes all"), ("best", "Each to whom suits it best")],
        string="To Whom",
        required=True,
        default="one",
    )
    candidates = fields.Json(compute="_compute_candidates")
    left_out = fields.Json(compute="_compute_candidates")
    plan = fields.Json(compute="_compute_candidates")
    to_user_id = fields.Many2one(
        "res.users",
        string="Receiver",
        compute="_compute_to_user_id",
        store=True,
        readonly=False,
        domain="[('share', '=', False), ('company_ids', '=', company_id)]",
    )

    # why, and how it goes on
    reason = fields.Char(help="The receiver reads it.")
    watch_deal_count = fields.Integer(
        string="Deals to Watch",
        default=3,
        help="You see this many of the receiver's first deals. 0: none.",
    )
    is_co_selling = fields.Boolean(
        string="Stay in the Deal Team",
        help="You go on seeing the customer after the watched deals, and learn.",
    )

    @api.model
    def default_get(self, fields_list):
        """Begin with what a handoff that waits to be offered says already."""
        values = super().default_get(fields_list)
        handoff = self.env["coverage.handoff"].browse(values.get("handoff_id")).exists()
        if not handoff:
            return values
        known = {
            "customer_ids": [Command.set(handoff.customer_id.ids)],
            "lead_id": handoff.lead_id.id,
            "to_user_id": handoff.to_user_id.id,
            "reason": handoff.reason,
            "watch_deal_count": handoff.watch_deal_count,
            "is_co_selling": handoff.is_co_selling,
        }
        known = {name: known[name] for name in known if name in fields_list}
        if not known.get("to_user_id"):
            known.pop("to_user_id", None)
        return {**values, **known}

    @api.depends("customer_ids", "lead_id")
    def _compute_company_id(self):
        for offer in self:
            lead_company = offer.lead_id._get_coverage_company(self.env.company)
            offer.company_id = offer.customer_ids[:1].company_id or lead_company

    @api.depends("customer_ids")
    def _compute_customer_count(self):
        for offer in self:
            offer.customer_count = len(offer.customer_ids)

    @api.depends("customer_ids", "lead_id")
    def _compute_candidates(self):
        for offer in self:
            proposals = offer._propose(fields.Datetime.now())
            offer.candidates = offer._rank(proposals)
            offer.left_out = offer._get_left_out(fields.Datetime.now())
            offer.plan = offer._get_plan(proposals)

    @api.depends("customer_ids", "lead_id")
    def _compute_to_user_id(self):
        for offer in self:
            first = (offer.candidates or [{}])[0]
            offer.to_user_id = offer.to_user_id or first.get("user_id")

    # === ACTION METHODS === #

    @api.model
    def _open(self, **defaults):
        """Return the action that opens this dialog."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Hand Over"),
            "res_model": self._name,
            "views": [(False, "form")],
            "target": "new",
            "context": defaults,
        }

    def action_offer(self):
        """Offer what was chosen to whom was chosen, and say what came of it.

        :raises UserError: says what is missing
        """
        self.ensure_one()
        self._check_complete()
        if self.handoff_id:
            handoffs = self._settle_draft()
        else:
            handoffs = self.env["coverage.handoff"].create(self._prepare_handoffs())
        handoffs.action_offer()
        return self._close(handoffs)

    # === WHAT IS PROPOSED === #

    def _get_subjects(self):
        """Return what changes hands: an opportunity, else customers."""
        subjects = self.lead_id or self.customer_ids
        subjects = subjects._origin
        subjects.check_access("read")
        return subjects

    def _propose(self, now):
        """Return ``{subject: candidates, best first}``, each by its role."""
        subjects, proposals = self._get_subjects(), {}
        candidates = self.env["coverage.candidate"]
        groups = defaultdict(subjects.browse)
        for subject, demand in self._get_demands(subjects).items():
            groups[demand] += subject
        for (role, min_seniority), group in groups.items():
            for company, records in group.grouped("company_id").items():
                found = candidates._propose(
                    company or self.company_id, records, role, min_seniority, now
                )
                proposals |= {one: found.get(one.id, []) for one in records}
        return proposals

    def _get_demands(self, subjects):
        """Return the role and the seniority that each of these asks for."""
        if subjects._name == "crm.lead":
            rules = self.env["coverage.cover"].sudo()._cover_leads(subjects)
            return {
                lead: (
                    lead.stage_id.coverage_role_id or rules[lead.id].role_id,
                    rules[lead.id].min_seniority,
                )
                for lead in subjects
            }
        return {
            customer: (customer.role_id, customer.rule_id.sudo().min_seniority)
            for customer in subjects
        }

    def _get_left_out(self, now):
        """Return who holds the role but cannot take the one thing that is chosen."""
        subject = self._get_subjects()
        if len(subject) != 1:
            return []
        role, min_seniority = self._get_demands(subject)[subject]
        found = self.env["coverage.candidate"]._explain_left_out(
            subject.company_id or self.company_id, subject, role, min_seniority, now
        )
        owner_id = subject.user_id.id
        return [one for one in found.get(subject.id, []) if one["user_id"] != owner_id]

    def _get_proposal(self):
        """Return what the handoff remembers of who was proposed, and who was not."""
        return {
            "candidates": (self.candidates or [])[:KEPT],
            "left_out": (self.left_out or [])[:KEPT],
        }

    def _rank(self, proposals):
        """Return who could take all or most of these, best first."""
        if len(proposals) == 1:
            return next(iter(proposals.values()))
        counts, scores, people = Counter(), Counter(), {}
        for found in proposals.values():
            for one in found:
                people.setdefault(one["user_id"], one)
                counts[one["user_id"]] += 1
                scores[one["user_id"]] += one["score"]
        order = sorted(people, key=lambda key: (-counts[key], -scores[key], key))
        return [
            {
                **people[key],
                "score": scores[key],
                "reasons": [
                    self.env._(
                        "could take %(count)s of %(total)s",
                        count=counts[key],
                        total=len(proposals),
                    ),
                ],
            }
            for key in order
        ]

    def _get_plan(self, proposals):
        """Return to whom each would go: ``[{id, name, user_id, user, reasons}]``.

        Of equals who has got fewer of these so far.
        """
        given, plan = Counter(), []
        for subject, found in proposals.items():
            best = min(
                found,
                key=lambda one: (-round(one["score"], 1), given[one["user_id"]]),
                default={},
            )
            given[best.get("user_id")] += 1
            plan.append(
                {
                    "id": subject.id,
                    "name": subject.display_name,
                    "user_id": best.get("user_id", False),
                    "user": best.get("name", ""),
                    "reasons": best.get("reasons", []),
                }
            )
        return plan

    # === WHAT IS OFFERED === #

    def _check_complete(self):
        """Raise unless it is said what changes hands, to whom, and why."""
        _, subjects = self.env._, self._get_subjects()
        if not subjects:
            raise UserError(_("Choose the customers or the opportunity to hand over."))
        if len(subjects.company_id) > 1:
            raise UserError(
                _(
                    "These customers belong to several companies. Hand them over one "
                    "company at a time."
                )
            )
        if self._is_one() and not self.to_user_id:
            raise UserError(_("Choose who is to receive it."))
        if not (self.reason or "").strip():
            raise UserError(_("Say why it should change hands. The receiver reads it."))
        self._check_free(subjects)

    def _check_free(self, subjects):
        """Raise when some of these are being handed over already; name them."""
        found = subjects._find_handoffs(("draft", "offered")) - self.handoff_id
        if found:
            raise UserError(
                self.env._(
                    "These are being handed over already: %(names)s. Cancel those "
                    "handoffs first, or leave them out.",
                    names=", ".join(found.mapped("display_name")),
                )
            )

    def _is_one(self):
        return self.way == "one" or len(self._get_subjects()) == 1

    def _prepare_handoffs(self):
        """Return the values of one handoff for each that found a receiver."""
        shared = {
            "reason": self.reason,
            "watch_deal_count": self.watch_deal_count,
            "is_co_selling": self.is_co_selling,
        }
        if self.lead_id:
            return [self._prepare_one("lead_id", self.lead_id, shared)]
        if self._is_one():
            return [
                self._prepare_one("customer_id", one, shared)
                for one in self.customer_ids
            ]
        return [
            {
                **shared,
                "customer_id": line["id"],
                "to_user_id": line["user_id"],
                "proposal": {"candidates": [{**line, "name": line["user"]}]},
            }
            for line in self.plan
            if line["user_id"]
        ]

    def _prepare_one(self, key, subject, shared):
        return {
            **shared,
            key: subject.id,
            "to_user_id": self.to_user_id.id,
            "role_id": self._get_demands(subject)[subject][0].id,
            "proposal": self._get_proposal(),
        }

    def _settle_draft(self):
        """Return the handoff that waited, with what was chosen here."""
        handoff = self.handoff_id
        handoff._check_mine("from_user_id")
        handoff.sudo().write(
            {
                "to_user_id": self.to_user_id.id,
                "reason": self.reason,
                "watch_deal_count": self.watch_deal_count,
                "is_co_selling": self.is_co_selling,
                "proposal": self._get_proposal(),
            }
        )
        return handoff

    def _close(self, handoffs):
        """Close the dialog; of many say how many were offered, and who is left."""
        close = {"type": "ir.actions.act_window_close"}
        left = len(self._get_subjects()) - len(handoffs)
        if len(handoffs) == 1 and not left:
            return close
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning" if left else "success",
                "message": self._tell_result(len(handoffs), left),
                "next": close,
            },
        }

    def _tell_result(self, count, left):
        _ = self.env._
        if not left:
            return _("Offered: %(count)s.", count=count)
        return _(
            "Offered: %(count)s. Without anybody who could take them: %(left)s; they "
            "stay where they are.",
            count=count,
            left=left,
        )
