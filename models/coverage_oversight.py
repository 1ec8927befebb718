from odoo import fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ..core.handoff import Watch, is_over, looks_past, next_look, parse_looks
from .coverage_cadence import SILENT

RATINGS = [("good", "Good"), ("fair", "Fair"), ("bad", "Bad")]
RUNNING = ("accepted", "watched")
OVER = ("completed", "handed_back")
TODO = "crm_sales_coverage.activity_type_handoff"
DEAL = "crm_sales_coverage.activity_type_watched_deal"


class CoverageOversight(models.AbstractModel):
    """What follows a handoff: the giver watches, looks back, and both say how it went.

    Deals and looks are those after acceptance. Notes are activities; nobody is mailed.
    """

    _name = "coverage.oversight"
    _description = "Oversight of a Handoff"

    watch_deal_count = fields.Integer(
        string="Deals to Watch",
        default=3,
        help="The giver sees this many of the receiver's first deals.",
    )
    watched_deal_count = fields.Integer(string="Deals Watched", readonly=True)
    next_look_date = fields.Date(
        string="Next Look", readonly=True, help="On this day the giver looks again."
    )
    look_count = fields.Integer(string="Looks", readonly=True)
    is_hand_raised = fields.Boolean(string="Hand Raised", readonly=True)
    is_co_selling = fields.Boolean(
        string="Stay in the Deal Team",
        help="The giver goes on seeing the customer after the watched deals, to learn.",
    )
    is_giver_admitted = fields.Boolean(
        readonly=True,
        export_string_translation=False,
        help="The giver sees the customer because of this handoff only.",
    )
    giver_rating = fields.Selection(RATINGS, readonly=True)
    receiver_rating = fields.Selection(RATINGS, readonly=True)

    # === ACTION METHODS === #

    def action_look(self, note=None):
        """Note that the giver looked at the customer again; the last look ends it.

        :param str note: what he found
        """
        self._check_mine("from_user_id")
        handoffs, now = self._enter(), fields.Datetime.now()
        handoffs._hold()
        handoffs._check_open("watched")
        handoffs._log_step(note or self.env._("Looked at it again."))
        for handoff in handoffs:
            handoff.look_count += 1
        handoffs._settle_watch(now)
        return True

    def action_raise_hand(self, note=None):
        """Let the giver say that something is wrong: receiver and leader see it."""
        self._check_mine("from_user_id")
        handoffs = self._enter()
        handoffs._check_open(*RUNNING)
        handoffs._log_step(note or self.env._("Raised a hand."))
        handoffs.is_hand_raised = True
        for handoff in handoffs:
            team = handoff.team_id
            leader = team.user_id or handoff.to_user_id.sale_team_id.user_id
            handoff._tell_users(handoff.to_user_id | leader, "raised", text=note)
        return True

    def action_complete(self):
        """End the oversight: giver and receiver are asked how it went."""
        self._check_mine("from_user_id")
        handoffs = self._enter()
        handoffs._hold()
        handoffs._complete(None, fields.Datetime.now())
        return True

    def action_rate(self, rating):
        """Say, as giver or receiver, how the handoff went.

        :param rating: good, fair or bad
        :raises UserError: for another rating, or before it is over
        """
        self.check_access("read")
        if rating not in dict(RATINGS):
            raise UserError(self.env._("Rate it good, fair or bad."))
        user = self.env.user
        handoffs = self.sudo()
        handoffs._check_open(*RUNNING, *OVER)
        given = handoffs.filtered(lambda one: one.from_user_id == user)
        received = handoffs.filtered(lambda one: one.to_user_id == user)
        if handoffs - given - received:
            raise AccessError(
                self.env._("Only its giver and its receiver rate a handoff.")
            )
        given.giver_rating = rating
        received.receiver_rating = rating
        handoffs._silence(user)
        return True

    # === BUSINESS METHODS === #

    def _begin_watch(self, now):
        """Set from when, and by when, on the day of acceptance."""
        for (company, days), group in self._group_by_term("handback_days").items():
            today = company._get_coverage_today(now)
            until = fields.Date.add(today, days=days) if days else False
            group.write({"accepted_date": today, "handback_deadline": until})
        self.filtered(lambda one: one.state == "watched")._plan_looks()

    def _get_watch(self, look_days):
        """Return what was seen so far as a value to decide on."""
        return Watch(
            self.accepted_date,
            self.watch_deal_count,
            self.watched_deal_count,
            parse_looks(look_days),
            self.look_count,
        )

    def _plan_looks(self):
        """Set the days of the next looks, grouped by what they come to."""
        for (_company, look_days), group in self._group_by_term("look_days").items():
            days = group.grouped(
                lambda one, look_days=look_days: next_look(one._get_watch(look_days))
            )
            for day, equal in days.items():
                equal.write({"next_look_date": day, "reminded_date": False})

    def _settle_watch(self, now):
        """Pass over looks that were missed, and end what is over."""
        over = self.browse()
        for (company, look_days), group in self._group_by_term("look_days").items():
            today = company._get_coverage_today(now)
            for handoff in group:
                past = looks_past(handoff._get_watch(look_days), today)
                if past != handoff.look_count:
                    handoff.look_count = past
                if is_over(handoff._get_watch(look_days), today):
                    over += handoff
        (self - over)._plan_looks()
        if over:
            over._complete(None, now)

    def _complete(self, reason, now):
        """End the oversight; who stays in the deal team goes on seeing the customer."""
        self._move("completed", reason)
        self._write_closed(now, {"next_look_date": False})
        self.filtered(lambda one: not one.is_co_selling)._dismiss("from_user_id")
        self._tell("from_user_id", "rate")
        self._tell("to_user_id", "rate")

    def _count_deals(self):
        """Count the receivers' deals so far; note the new ones for the givers."""
        for name in ("sale.order", "crm.lead", "coverage.handoff.step"):
            self.env[name].flush_model()
        self.flush_recordset()
        counts = dict(self.env.execute_query(self._query_deals())) if self else {}
        grown = self.filtered(
            lambda one: counts.get(one.id, 0) > one.watched_deal_count
        )
        for count, group in grown.grouped(lambda one: counts[one.id]).items():
            group.watched_deal_count = count
        noted = grown.filtered(
            lambda one: one.watched_deal_count <= one.watch_deal_count
        )
        noted._tell("from_user_id", "deal", kind=DEAL)
        return grown

    def _query_deals(self):
        """Count confirmed orders, and opportunities won without one, by handoff.

        Of the receiver with that customer, or of that opportunity alone, since it was
        accepted. Set-based: the ORM would search for each handoff.
        """
        return SQL(
            """
            WITH watch AS (
                SELECT h.id, h.lead_id, h.customer_id, h.to_user_id, h.company_id,
                       c.partner_id, max(step.date) AS since
                  FROM coverage_handoff h
                  JOIN coverage_handoff_step step ON step.handoff_id = h.id
                   AND step.to_state IN ('accepted', 'watched')
                   AND step.from_state IN ('draft', 'offered')
                  LEFT JOIN coverage_customer c ON c.id = h.customer_id
                 WHERE h.id IN %(ids)s
                 GROUP BY h.id, c.partner_id
            ),
            deal AS (
                SELECT w.id, o.id AS order_id, NULL::int AS lead_id
                  FROM watch w JOIN res_partner p
                    ON p.commercial_partner_id = w.partner_id
                  JOIN sale_order o ON o.partner_id = p.id
                 WHERE o.state = 'sale' AND o.user_id = w.to_user_id
                   AND o.company_id = w.company_id AND o.date_order >= w.since
                 UNION
                SELECT w.id, o.id, NULL FROM watch w
                  JOIN sale_order o ON o.opportunity_id = w.lead_id
                 WHERE o.state = 'sale' AND o.date_order >= w.since
                 UNION
                SELECT w.id, NULL, l.id
                  FROM watch w JOIN res_partner p
                    ON p.commercial_partner_id = w.partner_id
                  JOIN crm_lead l ON l.partner_id = p.id
                 WHERE l.won_status = 'won' AND l.user_id = w.to_user_id
                   AND COALESCE(l.company_id, w.company_id) = w.company_id
                   AND l.date_closed >= w.since AND %(orderless)s
                 UNION
                SELECT w.id, NULL, l.id FROM watch w JOIN crm_lead l ON l.id = w.lead_id
                 WHERE l.won_status = 'won' AND l.date_closed >= w.since
                   AND %(orderless)s
            )
            SELECT id, count(*) FROM deal GROUP BY id
            """,
            ids=tuple(self.ids),
            orderless=SQL(
                """NOT EXISTS (SELECT 1 FROM sale_order won
                                WHERE won.opportunity_id = l.id
                                  AND won.state = 'sale')"""
            ),
        )

    # === NOTES === #

    def _tell(self, name, code, kind=TODO):
        """Put a line on the list of the givers or receivers; no mail."""
        for user, group in self.grouped(name).items():
            group._tell_users(user, code, kind)

    def _tell_users(self, users, code, kind=TODO, text=None):
        """Put a line on these persons' lists for each handoff; it replaces an older."""
        values = []
        for user in users.filtered("active"):
            self._silence(user, kind)
            values += self.with_context(lang=user.lang)._prepare_notes(
                user, code, kind, text
            )
        self.env["mail.activity"].with_context(**SILENT).create(values)

    def _prepare_notes(self, user, code, kind, text):
        """Return the values of activities in the words of who will read them."""
        now, type_id = fields.Datetime.now(), self.env.ref(kind).id
        model_id = self.env["ir.model"]._get_id(self._name)
        return [
            {
                "activity_type_id": type_id,
                "res_model_id": model_id,
                "res_id": handoff.id,
                "user_id": user.id,
                "summary": handoff._get_note(code, text),
                "date_deadline": handoff._get_note_date(code)
                or handoff.company_id._get_coverage_today(now),
                "automated": True,
            }
            for handoff in self
        ]

    def _get_note(self, code, text=None):
        """Return what is asked of somebody in a few words."""
        _ = self.env._
        words = {
            "name": self.display_name,
            "receiver": self.to_user_id.name or _("somebody"),
            "count": self.watched_deal_count,
            "total": self.watch_deal_count,
            "text": text or _("look at it together"),
            "answer": self.answer_reason or _("no reason given"),
        }
        return {
            "draft": _("Hand %(name)s over to %(receiver)s", **words),
            "offered": _("%(name)s is offered to you: answer", **words),
            "called": _("%(name)s: decide who takes it over", **words),
            "expired": _("%(name)s was not taken over, and stays yours", **words),
            "deal": _("Deal %(count)s of %(total)s with %(name)s", **words),
            "look": _("Look at %(name)s again", **words),
            "raised": _("A hand is raised about %(name)s: %(text)s", **words),
            "rate": _("Say how the handoff of %(name)s went", **words),
            "handed_back": _("%(name)s is yours again: %(answer)s", **words),
        }[code]

    def _get_note_date(self, code):
        return {
            "draft": self.date_deadline,
            "offered": self.accept_deadline,
            "look": self.next_look_date,
        }.get(code)

    def _silence(self, user=None, kind=None):
        """Take our lines off the lists: of everybody, else of one person."""
        domain = [("res_model", "=", self._name), ("res_id", "in", self.ids)]
        if user:
            domain.append(("user_id", "=", user.id))
        kinds = [kind] if kind else [TODO, DEAL]
        domain.append(("activity_type_id", "in", [self.env.ref(k).id for k in kinds]))
        self.env["mail.activity"].sudo().search(domain).unlink()
