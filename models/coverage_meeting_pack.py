from odoo import models
from odoo.tools import format_date, format_datetime

from ..core.meeting import SHARES, differences
from .coverage_meeting_facts import WINDOW_DAYS

BLUE = ("frozen", "cool")
REFUSALS = 5


class CoverageMeetingPack(models.AbstractModel):
    """The agenda of a group meeting, made from the data: facts, then words.

    Plain data for the form and for print, the same for everybody at the table:
    practices without names, customers without figures. People are ranked only where
    the manager said so. A fixed number of queries.
    """

    _name = "coverage.meeting.pack"
    _description = "Agenda Pack of a Group Meeting"

    def _get_pack(self, meeting, now):
        """Return the agenda pack of a meeting.

        :return: dict of ``title when leader members window practices ranking customers
            blue refusals reviews decisions noted``
        :raises AccessError: for a meeting that the user may not see
        """
        meeting.check_access("read")
        meeting = meeting.sudo()
        users, company = meeting.member_ids, meeting.company_id
        facts = self.env["coverage.meeting.facts"].sudo()
        people = facts._get_people(users, company, now) if users else []
        return {
            "title": meeting.name,
            "company": company.name,
            "when": self._tell_when(meeting),
            "leader": meeting.leader_id.name or "",
            "members": users.sorted("name").mapped("name"),
            "window": self.env._("Last %(days)s days", days=WINDOW_DAYS),
            "practices": [self._tell_difference(one) for one in differences(people)],
            "ranking": self._tell_ranking(users, people)
            if meeting.is_ranking_shown
            else None,
            "customers": self._tell_customers(meeting.customer_ids),
            "blue": self._tell_blue(users | meeting.leader_id, company),
            "refusals": self._tell_refusals(users, company, now),
            "reviews": [self._tell_review(one) for one in meeting.review_ids],
            "decisions": self._tell_decisions(
                meeting._find_earlier_decisions(), company, now
            ),
            "noted": self._tell_decisions(meeting.decision_ids, company, now),
        }

    def _tell_when(self, meeting):
        tz = meeting.company_id._get_coverage_tz()
        return format_datetime(
            self.env, meeting.start, tz=tz, dt_format="EEEE, d MMMM yyyy, HH:mm"
        )

    # === WHAT THE BEST DO DIFFERENTLY === #

    def _tell_difference(self, one):
        """Return one practice as a sentence: who, what, against what."""
        who = {
            "warm": self.env._("Those whose A customers are warmest"),
            "revive": self.env._("Those who wake most sleeping customers"),
        }[one.outcome]
        return {"who": who, "what": self._tell_practice(one)}

    def _tell_practice(self, one):
        """Return what they do, with both values."""
        _ = self.env._
        tell = self._get_teller(one.practice)
        words = {"best": tell(one.best), "rest": tell(one.rest)}
        if one.practice == "per_a":
            return _(
                "contact each A %(best)s times a month, the others %(rest)s times.",
                **words,
            )
        if one.practice == "reaction":
            return _("answer within %(best)s, the others within %(rest)s.", **words)
        channel = one.practice.removeprefix(SHARES)
        channels = {
            "call": _("call"),
            "visit": _("visit"),
            "online": _("meet online"),
            "email": _("write e-mails"),
            "message": _("exchange messages"),
        }
        return _(
            "%(channel)s in %(best)s of their contacts, the others in %(rest)s.",
            channel=channels[channel],
            **words,
        )

    def _get_teller(self, code):
        """Return the function that writes a value of an outcome or practice."""
        if code == "per_a":
            return "{:.1f}".format
        if code == "reaction":
            return self._tell_hours
        return lambda share: f"{100 * share:.0f} %"

    def _tell_hours(self, hours):
        if hours < 1:
            return self.env._("%(count)s minutes", count=max(1, round(60 * hours)))
        if hours < 48:
            return self.env._("%(count)s hours", count=round(hours))
        return self.env._("%(count)s days", count=round(hours / 24))

    def _tell_ranking(self, users, people):
        """Return a table of people, the best first, as the manager wanted it."""
        _ = self.env._
        labels = {
            "warm": _("Warm A"),
            "revive": _("Woken"),
            "per_a": _("Contacts per A"),
            "reaction": _("Answers Within"),
        }
        names = {user.id: user.name for user in users}
        ranked = sorted(
            people,
            key=lambda one: (
                -one.outcomes.get("warm", -1),
                -one.outcomes.get("revive", -1),
                names[one.key],
            ),
        )
        return {
            "labels": list(labels.values()),
            "rows": [
                {"name": names[one.key], "values": self._tell_values(one, labels)}
                for one in ranked
            ],
        }

    def _tell_values(self, person, codes):
        values = {**person.outcomes, **person.practices}
        return [
            self._get_teller(code)(values[code]) if code in values else "–"
            for code in codes
        ]

    # === CUSTOMERS === #

    def _tell_customers(self, customers):
        """Return customers as anybody at the table may read them: no figures."""
        return [
            {
                "name": one.partner_id.display_name,
                "owner": one.user_id.name or "",
                "segment": one.segment_id.code or "",
                "code": one.temperature_code or "none",
                "temperature": self._tell_temperature(one),
                "since": format_date(self.env, one.temperature_since)
                if one.temperature_since
                else "",
            }
            for one in customers
        ]

    def _tell_temperature(self, customer):
        level = customer.temperature_id
        return " ".join(filter(None, (level.icon, level.name)))

    def _tell_blue(self, users, company):
        """Return each one's A customers that are cool or frozen, longest first."""
        found = (
            self.env["coverage.customer"]
            .sudo()
            .search(
                [
                    ("user_id", "in", users.ids),
                    ("company_id", "=", company.id),
                    ("segment_id.code", "=", "A"),
                    ("temperature_id.code", "in", BLUE),
                ],
                order="temperature_since, id",
            )
        )
        groups = found.grouped("user_id")
        return [
            {"member": user.name, "customers": self._tell_customers(groups[user])}
            for user in users.sorted("name")
            if user in groups
        ]

    # === WHAT WAS LEARNT AND DECIDED === #

    def _tell_refusals(self, users, company, now):
        """Return the refusals met most, each with its share of all."""
        facts = self.env["coverage.meeting.facts"].sudo()
        found = facts._get_refusals(users, company, now) if users else []
        total = sum(count for _reason, count in found) or 1
        return [
            {
                "name": reason.name or self.env._("Without a reason"),
                "count": count,
                "percent": round(100 * count / total),
            }
            for reason, count in found[:REFUSALS]
        ]

    def _tell_review(self, review):
        kinds = dict(review._fields["kind"]._description_selection(self.env))
        return {
            "customer": review.customer_id.partner_id.display_name,
            "kind": kinds[review.kind],
            "code": review.kind,
            "date": format_date(self.env, review.date),
            "author": review.user_id.name or "",
            "worked": review.worked or "",
            "did_not": review.did_not or "",
            "next_time": review.next_time or "",
        }

    def _tell_decisions(self, decisions, company, now):
        today = company._get_coverage_today(now)
        return [
            {
                "what": one.name,
                "who": one.user_id.name or "",
                "until": format_date(self.env, one.date_deadline)
                if one.date_deadline
                else "",
                "is_done": one.is_done,
                "is_late": not one.is_done
                and bool(one.date_deadline and one.date_deadline < today),
                "from": format_date(self.env, one.meeting_id.start),
            }
            for one in decisions
        ]
