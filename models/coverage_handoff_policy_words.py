from odoo import api, fields, models
from odoo.tools import format_amount


class CoverageHandoffPolicyWords(models.AbstractModel):
    """A handoff policy as one sentence: when, within how long, to whom, and if not."""

    _name = "coverage.handoff.policy.words"
    _description = "Words of a Handoff Policy"

    sentence = fields.Char(compute="_compute_sentence")

    @api.depends(
        "trigger",
        "lifecycle",
        "order_count",
        "amount",
        "currency_id",
        "role_id",
        "min_seniority",
        "handover_days",
        "accept_days",
        "on_giver_late",
        "on_receiver_late",
    )
    @api.depends_context("lang")
    def _compute_sentence(self):
        for policy in self:
            policy.sentence = policy._get_sentence()

    def _get_sentence(self):
        """Return the policy as people say it."""
        if self.trigger == "lost":
            return self.env._(
                "%(when)s, give the prospect back to %(who)s, and speak to it again "
                "after %(days)s days.",
                when=self._tell_trigger(),
                who=self._tell_receiver()
                if self.role_id
                else self.env._("who nurtures"),
                days=self.retry_days,
            )
        return self.env._(
            "%(when)s, hand over within %(days)s to %(who)s; %(late)s. The receiver "
            "answers within %(answer)s; %(unanswered)s.",
            when=self._tell_trigger(),
            days=self._tell_days(self.handover_days),
            who=self._tell_receiver(),
            late=self._tell_giver_late(),
            answer=self._tell_days(self.accept_days),
            unanswered=self._tell_receiver_late(),
        )

    def _tell_days(self, days):
        _ = self.env._
        return (
            _("1 working day") if days == 1 else _("%(days)s working days", days=days)
        )

    def _tell_trigger(self):
        """Return what starts it: "When a customer becomes regular"."""
        _ = self.env._
        lifecycles = dict(self._fields["lifecycle"]._description_selection(self.env))
        amount = format_amount(
            self.env, self.amount, self.currency_id or self.env.company.currency_id
        )
        return {
            "lifecycle": _(
                "When a customer becomes %(lifecycle)s",
                lifecycle=lifecycles.get(self.lifecycle, "").lower(),
            ),
            "orders": _(
                "When a customer has ordered on %(count)s days",
                count=self.order_count,
            ),
            "amount": _(
                "When a customer has brought %(amount)s in 12 months", amount=amount
            ),
            "stage": _("When a lead enters a stage of another role"),
            "lost": _("When an opportunity is lost"),
        }.get(self.trigger, "")

    def _tell_receiver(self):
        """Return to whom: "a senior Farmer", or the role that the rules name."""
        _ = self.env._
        if not self.role_id:
            return _("the role that the rules name")
        if self.min_seniority in (False, "junior"):
            return _("the role %(role)s", role=self.role_id.name)
        seniorities = self._fields["min_seniority"]._description_selection(self.env)
        return _(
            "the role %(role)s (at least %(seniority)s)",
            role=self.role_id.name,
            seniority=dict(seniorities)[self.min_seniority].lower(),
        )

    def _tell_giver_late(self):
        _ = self.env._
        return {
            "transfer": _("if not, transfer anyway"),
            "leader": _("if not, call the leader"),
        }.get(self.on_giver_late, "")

    def _tell_receiver_late(self):
        _ = self.env._
        return {
            "next": _("if not, offer it to the next"),
            "transfer": _("if not, transfer anyway"),
            "leader": _("if not, call the leader"),
        }.get(self.on_receiver_late, "")
