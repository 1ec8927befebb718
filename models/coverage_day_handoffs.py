from datetime import timedelta

from odoo import models
from odoo.fields import Domain
from odoo.tools import format_date

from .coverage_handoff_words import OVER

DEAL = "crm_sales_coverage.activity_type_watched_deal"
KINDS = ("offered", "draft", "note", "deal", "look", "rate")
ASKED = timedelta(days=30)  # so long one is asked how it went


class CoverageDayHandoffs(models.AbstractModel):
    """The handoffs of My Day: what waits for a seller, why, and by when."""

    _name = "coverage.day.handoffs"
    _description = "Handoffs of My Day"

    def _get_handoffs(self, user, today):
        """Return what waits for a person, the most urgent kind first.

        :return: ``[{id, kind, name, badge, temperature, text, reason, is_late,
            customer_id, lead_id, can_raise}]``; ``kind`` is ``offered`` (answer),
            ``draft`` (offer), ``deal`` and ``look`` (watch), ``rate``, or ``note``
            (learn)
        """
        notes = self._get_handoff_notes(user)
        handoffs = self.env["coverage.handoff"].search(
            self._get_handoff_domain(user, today, notes), order="due_date, id"
        )
        spans = handoffs._get_spans()
        lines = []
        for handoff in handoffs:
            note = notes.get(handoff.id)
            if kind := self._get_handoff_kind(handoff, user, today, note):
                lines.append(self._tell_handoff(handoff, kind, user, note, spans))
        lines.sort(key=lambda line: KINDS.index(line["kind"]))
        return lines

    def _get_handoff_notes(self, user):
        """Return ``{handoff id: activity}`` of what a person is told; deals first."""
        deal = self.env.ref(DEAL, raise_if_not_found=False)
        activities = (
            self.env["mail.activity"]
            .sudo()
            .search_fetch(
                [("res_model", "=", "coverage.handoff"), ("user_id", "=", user.id)],
                ["res_id", "summary", "activity_type_id"],
                order="id",
            )
        )
        activities = activities.sorted(lambda one: one.activity_type_id == deal)
        return {one.res_id: one for one in activities}

    def _get_handoff_domain(self, user, today, notes):
        """Return the handoffs that can wait for a person."""
        giver = Domain("from_user_id", "=", user.id)
        receiver = Domain("to_user_id", "=", user.id)
        asked = (
            Domain("state", "in", OVER)
            & Domain("closed_date", ">=", today - ASKED)
            & (
                (giver & Domain("giver_rating", "=", False))
                | (receiver & Domain("receiver_rating", "=", False))
            )
        )
        return Domain("company_id", "=", self.env.company.id) & (
            (receiver & Domain("state", "=", "offered"))
            | (giver & Domain("state", "=", "draft"))
            | (giver & Domain("next_look_date", "<=", today))
            | Domain("id", "in", list(notes))
            | asked
        )

    def _get_handoff_kind(self, handoff, user, today, note):
        """Return what a handoff asks of a person today; nothing when it can wait."""
        is_giver = handoff.from_user_id == user
        if handoff.state == "offered" and handoff.to_user_id == user:
            return "offered"
        if handoff.state == "draft" and is_giver:
            return "draft"
        if handoff._is_asked(user):
            return "rate"
        if is_giver and note and note.activity_type_id == self.env.ref(DEAL):
            return "deal"
        is_due = handoff.next_look_date and handoff.next_look_date <= today
        if is_giver and handoff.state == "watched" and is_due:
            return "look"
        return "note" if note else None

    # === AS PEOPLE READ IT === #

    def _tell_handoff(self, handoff, kind, user, note, spans):
        customer = handoff.customer_id.sudo()  # a giver may have lost sight of it
        lead = handoff.lead_id.sudo()
        is_watching = handoff.from_user_id == user and kind in ("deal", "look")
        return {
            "id": handoff.id,
            "kind": kind,
            "name": handoff.display_name,
            "badge": customer.badge or lead.segment_id.code or "",
            "temperature": customer.temperature_code or "",
            "text": self._tell_handoff_why(handoff, kind, note, spans),
            "reason": handoff.reason if kind in ("offered", "draft") else "",
            "is_late": handoff.is_late,
            "customer_id": customer.id,
            "lead_id": lead.id,
            "can_raise": is_watching and not handoff.is_hand_raised,
        }

    def _tell_handoff_why(self, handoff, kind, note, spans):
        """Return why a handoff is on the list today, and by when it must be done."""
        _ = self.env._
        words = {
            "giver": handoff.from_user_id.sudo().name or _("Nobody"),
            "receiver": handoff.to_user_id.sudo().name or _("Nobody"),
            "when": handoff._tell_when(spans) if handoff.due_date else "",
            "deals": handoff._tell_deals(),
            "answer": handoff.answer_reason or "",
            "note": note.summary if note else "",
        }
        if kind == "offered":
            return self._tell_offered(words)
        if kind == "draft":
            return self._tell_draft(handoff, words)
        if kind == "deal":
            return _("%(receiver)s closed a deal. %(note)s", **words)
        if kind == "look":
            date = format_date(self.env, handoff.next_look_date, date_format="d MMM")
            return _(
                "With %(receiver)s: look how it goes, due on %(date)s. %(deals)s",
                **words,
                date=date,
            )
        if kind == "rate":
            asked = _("From %(giver)s to %(receiver)s. How did it go?", **words)
            if handoff.state == "handed_back":  # with the reason
                return f"{handoff.due_text} · {asked}"
            return asked
        if handoff.state == "declined":
            return _("%(receiver)s declined, it stays yours: %(answer)s", **words)
        if handoff.state == "expired":
            return _("%(receiver)s did not answer in time; it stays yours", **words)
        return words["note"]

    def _tell_offered(self, words):
        _ = self.env._
        if not words["when"]:
            return _("Offered by %(giver)s", **words)
        return _("Offered by %(giver)s. Answer by %(when)s", **words)

    def _tell_draft(self, handoff, words):
        _ = self.env._
        if handoff.is_called:
            return _("Late. The leader decides what becomes of it.")
        if not words["when"]:
            return _("To be handed over to %(receiver)s", **words)
        if not handoff.to_user_id:
            return _("Hand over by %(when)s. Choose who gets it", **words)
        return _("Hand over to %(receiver)s by %(when)s", **words)
