from collections import defaultdict
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, LockError, UserError
from odoo.tools.mail import html2plaintext, is_html_empty

from .groups import LEADER
from .opening import open_form

KINDS = [
    ("archive", "Archive the customer"),
    ("lost", "Give up the last opportunity"),
    ("release", "Give the customer up"),
]
TOLD_DAYS = timedelta(days=7)
GIVEN = ("kind", "customer_id", "lead_id", "reason")


class CoverageRequest(models.Model):
    """What a seller may not do alone: dropping a customer. The leader decides.

    Asked with the reason, decided in one click; what was granted is done at once.
    """

    _name = "coverage.request"
    _description = "Request to the Leader"
    _order = "id desc"
    _check_company_auto = True

    kind = fields.Selection(KINDS, required=True)
    customer_id = fields.Many2one(
        "coverage.customer",
        required=True,
        index=True,
        ondelete="cascade",
        check_company=True,
    )
    lead_id = fields.Many2one(
        "crm.lead", string="Opportunity", index="btree_not_null", ondelete="cascade"
    )
    company_id = fields.Many2one(related="customer_id.company_id", store=True)
    user_id = fields.Many2one(
        "res.users",
        string="Asked by",
        required=True,
        default=lambda self: self.env.user,
    )
    reason = fields.Char(required=True)
    values = fields.Json(help="What is done when it is granted.")
    state = fields.Selection(
        [("open", "Open"), ("granted", "Granted"), ("declined", "Declined")],
        required=True,
        default="open",
        readonly=True,
        index=True,
    )
    decided_user_id = fields.Many2one("res.users", string="Decided by", readonly=True)
    decided_date = fields.Datetime(readonly=True)
    answer = fields.Char(readonly=True, help="What the leader said to it.")

    _one_open = models.UniqueIndex(
        "(kind, customer_id, COALESCE(lead_id, 0)) WHERE state = 'open'",
        "The leader has been asked already.",
    )

    @api.depends("kind", "customer_id", "lead_id")
    def _compute_display_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for request in self.sudo():
            subject = request.lead_id or request.customer_id
            request.display_name = f"{kinds.get(request.kind)}: {subject.display_name}"

    @api.model_create_multi
    def create(self, vals_list):
        """Ask; nobody asks in another's name, or of what he does not see."""
        if self.env.su:
            return super().create(vals_list)
        requests = super().create(
            [{name: vals.get(name) for name in GIVEN} for vals in vals_list]
        )
        requests.customer_id.check_access("read")
        requests.lead_id.check_access("read")
        return requests

    # === ACTION METHODS === #

    def action_grant(self):
        """Do, as the leader, what was asked for.

        :raises UserError: when somebody decided already
        """
        self._decide("granted")
        for kind, requests in self.sudo().grouped("kind").items():
            getattr(requests, f"_grant_{kind}")()
        return True

    def action_decline(self, reason=None):
        """Decline, as the leader: all stays as it is."""
        self._decide("declined", reason)
        return True

    def action_open_customer(self):
        """Open the customer that it is about."""
        self.ensure_one()
        return open_form("coverage.customer", self.customer_id.id)

    # === BUSINESS METHODS === #

    @api.model
    def _ask(self, kind, subjects, reason, values=None):
        """Ask the leader about customers; what was asked already is joined.

        :param dict subjects: customer by lead, or by itself where it is about no lead
        :param dict values: how it is done when granted
        :return: the open requests
        """
        rows = self.env["coverage.customer"].sudo().concat(*subjects.values())
        known = self.sudo().search(
            [
                ("kind", "=", kind),
                ("customer_id", "in", rows.ids),
                ("state", "=", "open"),
            ]
        )
        by_key = {(one.customer_id.id, one.lead_id.id): one for one in known}
        asked, vals_list = self.browse(), []
        for subject, row in subjects.items():
            lead_id = subject.id if subject._name == "crm.lead" else False
            if former := by_key.get((row.id, lead_id)):
                former._join(reason, values)
                asked += former
                continue
            vals_list.append(
                {
                    "kind": kind,
                    "customer_id": row.id,
                    "lead_id": lead_id,
                    "reason": reason,
                    "values": values,
                    "user_id": self.env.uid,
                }
            )
        return asked + self.sudo().create(vals_list)

    def _join(self, reason, values):
        """Add what is asked again to what was asked before."""
        if reason not in self.reason:
            self.reason = f"{self.reason}; {reason}"
        if values:
            self.values = values

    @api.model
    def _ask_lost(self, leads, lost_reason, feedback):
        """Ask whether the last leads of prospects may be closed.

        :param dict leads: customer by lead
        :param feedback: the closing note, HTML
        :raises UserError: when nothing says why
        """
        note = "" if is_html_empty(feedback) else html2plaintext(feedback).strip()
        reason = ": ".join(filter(None, (lost_reason.name, note)))
        if not reason:
            raise UserError(
                self.env._(
                    "Choose a lost reason, or write a note: your team leader decides."
                )
            )
        values = {"lost_reason_id": lost_reason.id, "lost_feedback": feedback or ""}
        return self._ask("lost", leads, reason, values)

    def _decide(self, state, answer=None):
        """Note the decision, once.

        :raises AccessError: for those who do not lead the customer's team
        :raises UserError: when it was decided before
        """
        self._check_decides()
        try:
            self.sudo().lock_for_update()
        except LockError:
            raise UserError(
                self.env._("Somebody else is just deciding. Look again in a moment.")
            ) from None
        self.invalidate_recordset(["state", "decided_user_id"])
        for request in self.sudo():
            if request.state != "open":
                raise UserError(
                    self.env._(
                        "%(user)s has decided on “%(request)s” already.",
                        user=request.decided_user_id.name,
                        request=request.display_name,
                    )
                )
        self.sudo().write(
            {
                "state": state,
                "answer": answer,
                "decided_user_id": self.env.uid,
                "decided_date": fields.Datetime.now(),
            }
        )

    def _check_decides(self):
        """Raise unless the user leads the customers' teams."""
        self.check_access("read")
        guard = self.env["coverage.guard"]
        if guard._is_free():
            return
        user = self.env.user
        is_leader = user.has_group(LEADER)
        for row in self.sudo().customer_id:
            if not is_leader or not guard._is_leader_of(row):
                raise AccessError(
                    self.env._(
                        "%(leader)s decides on %(customer)s.",
                        leader=guard._get_leader(row),
                        customer=row.display_name,
                    )
                )

    def _grant_archive(self):
        """Archive the contacts of these customers, whose rows follow."""
        self.customer_id.partner_id.filtered("active").action_archive()

    def _grant_lost(self):
        """Close the leads as their sellers wanted; what is closed stays as it is."""
        groups = defaultdict(self.lead_id.browse)
        for request in self.filtered(lambda one: one.lead_id.won_status == "pending"):
            values = request.values or {}
            key = values.get("lost_reason_id"), values.get("lost_feedback")
            groups[key] += request.lead_id
        for (reason_id, feedback), leads in groups.items():
            reason = self.env["crm.lost.reason"].browse(reason_id or ()).exists()
            self.env["crm.lead.lost"].create(
                {
                    "lead_ids": leads.ids,
                    "lost_reason_id": reason.id,
                    "lost_feedback": feedback,
                }
            ).action_lost_reason_apply()

    def _grant_release(self):
        """Take the owner away; who has another one meanwhile keeps it."""
        held = self.filtered(lambda one: one.customer_id.user_id == one.user_id)
        reasons = {
            one.customer_id.id: {"user_id": {"code": "released", "text": one.reason}}
            for one in held
        }
        customers = held.customer_id.with_context(coverage_log={"reasons": reasons})
        customers.write({"user_id": False})

    def _get_current(self):
        """Return the one that is open, else the last one decided within a week."""
        since = fields.Datetime.now() - TOLD_DAYS
        asked = self.filtered(lambda one: one.state == "open")
        decided = self.filtered(
            lambda one: one.decided_date and one.decided_date >= since
        )
        return (asked or decided)[:1]

    def _get_text(self):
        """Return one request as people read it: who asks, or who decided, and why."""
        if not self:
            return ""
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        words = {
            "asker": self.user_id.name,
            "kind": kinds[self.kind],
            "reason": self.reason,
            "leader": self.decided_user_id.name or "",
            "answer": self.answer or "",
        }
        _ = self.env._
        if self.state == "open":
            return _("%(asker)s asks the leader. %(kind)s: %(reason)s", **words)
        if self.state == "granted":
            return _("%(leader)s granted it. %(kind)s: %(reason)s", **words)
        return _("%(leader)s declined. %(kind)s. %(answer)s", **words)
