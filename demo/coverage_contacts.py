"""A year of contacts of the coffee roaster: who was spoken to, when, and how.

Each line of ``coverage_contacts.csv`` tells what one person did for a customer or a
lead: ``call:340-30/31 mail:12`` are calls every 31 days from 340 to 30 days ago and an
e-mail 12 days ago. Calls and notes by hand are written as the telephone system and the
dialog write them; e-mails, meetings and done activities are Odoo's own records, which
the ledger reads. Nothing is mailed.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import cycle
from typing import Any

from .tools import MODULE, create, days_of, get_user, read

SILENT = {
    "coverage_no_touch": True,
    "dont_notify": True,
    "mail_activity_quick_update": True,
    "mail_notrack": True,
    "no_mail_to_attendees": True,
}
# kind of contact: channel, direction, outcome, whether the customer took part
CALLS = {
    "call": ("out", "answered", True),
    "in": ("in", "answered", True),
    "miss": ("out", "no_answer", False),
    "no": ("out", "refused", True),
}
BY_HAND = {"hand": "call", "walk": "visit", "chat": "message"}
MISSED = ("no_answer", "voicemail", "no_answer", "busy")
SECONDS = (95, 340, 160, 520, 240, 410, 75, 680, 205, 305)
REFUSALS = ("contract", "price", "taste", "contract", "price", "machines", "contract")
NOTES = (
    "The new espresso blend goes down well. Wants two more cases a month.",
    "Shots ran fast: told them to grind finer. Better after two turns.",
    "Asked for the washed Sidamo as guest coffee in spring.",
    "Oat drink runs out before Friday. Next order one layer more.",
    "Decaf is asked for more often. Sent 5 kg to try.",
    "Menu changes in March: filter roast instead of pods.",
    "Two baristas are new. Offered a morning of training.",
    "Found the last roast a little dark; told the roaster.",
    "Machine is due for service. Gave the number of the technician.",
    "Talked about the yearly volume. Stays with us when the price holds.",
    "Paper cups with their own print: sent the minimum quantities.",
    "Happy with delivery on Tuesdays. No complaints.",
)
REFUSED_NOTES = (
    "Bound to the machine lease of another roaster until next year.",
    "Pays less per kilo at the wholesaler.",
    "Guests like it milder.",
    "Chain buys centrally; the manager does not decide.",
)
VISITS = (
    "Cupping of the new harvest",
    "Menu review",
    "Barista training",
    "Volumes and prices of the year",
    "Tasting with the kitchen",
)
SUBJECTS = (
    "Prices of the new harvest",
    "Samples of the washed Sidamo",
    "Delivery in the holiday week",
    "Grinder settings, as promised",
    "Offer: cups and oat drink together",
)
# next steps with leads: name, days from today, type of activity, what to do
STEPS = (
    ("Breakfast buffet contract", 0, "call", "Ask about the tasting of the buffet"),
    ("Clinic cafés", 0, "meeting", "Show the bar at the second clinic"),
    ("Oat drink trial", -1, "call", "Does the oat drink foam well enough?"),
    ("Win back: weekly delivery", -2, "call", "Offer two weeks of delivery to try"),
    ("Lounge at gate C", 0, "email", "Send the offer for the lounge"),
    ("Banquet coffee for the new wing", -3, "call", "Who signs for the new wing?"),
    ("Win back: lobby bar", 0, "call", "Offer a machine on loan for the lobby"),
    ("First supply of the hotel", 0, "call", "Agree on the day of the cupping"),
    ("Stadium season supply", -2, "call", "Ask for the dates of the season"),
    ("Hotel opening in spring", 1, "call", "Ask who chooses the coffee"),
    ("Members' lounge", 0, "call", "Which machine do the members want?"),
    ("Two restaurants and a bar", -2, "call", "Find out who buys for the bar"),
    ("Family centre café", 0, "call", "Ask for the budget of the café"),
    ("Store refreshments", -1, "call", "How many people work in the stores?"),
    ("Terrace season", 0, "call", "When does the terrace open?"),
    ("Café with terrace", 0, "call", "Was the price list clear?"),
    ("Downloaded the brochure", 0, "call", "First call: what are they looking for?"),
    ("Met at the trade fair", -4, "call", "Try again in the morning"),
    ("Call back after the fair", 0, "call", "Try again before noon"),
    ("Asked for samples", 0, "call", "How did the samples taste?"),
    ("Wants a price list", 0, "call", "Try again: talk through the price list"),
)
# meetings of today: seller, customer, hour (UTC), minutes, what
MEETINGS = (
    ("marcus", "Grand Pine Hotel", 8, 75, "Tasting: house blend for breakfast"),
    ("marcus", "Western Plains University", 13, 90, "Yearly talk: volumes and prices"),
    ("priya", "Bayview Suites", 9, 75, "Barista training for the new team"),
    ("lucia", "Metro Transit Depots", 14, 75, "Vending machines at two depots"),
)
# telephone numbers that nobody knows: seller, days ago, number, direction, seconds
UNKNOWN = (
    ("grace", 6, "+15035550931", "in", 210),
    ("sam", 3, "+14155550947", "in", 95),
    ("sam", 1, "+14155550947", "out", 0),
)


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact to be told: ``number`` makes times, notes and lengths differ."""

    number: int
    kind: str
    date: datetime
    user: Any
    partner: Any
    lead: Any
    person: Any


def load_contacts(env, company, now, partners, leads):
    """Create the contacts of a year, the meetings of today and the next steps.

    :param partners: customers by name
    :param leads: leads by name
    """
    env = env(context={**env.context, **SILENT})
    rows = env["coverage.customer"].search([("company_id", "=", company.id)])
    customers = {row.partner_id: row for row in rows.with_env(env)}
    contacts = _tell(env, company, now, partners, leads)
    _create_touches(env, company, customers, contacts)
    _create_unknown(env, company, now)
    _create_messages(env, contacts)
    _create_done(env, customers, contacts)
    _create_meetings(env, contacts)
    _create_agenda(env, company, now, partners)
    _create_steps(env, company, now, leads)
    env["coverage.ledger"]._backfill()


# === THE YEAR === #


def _tell(env, company, now, partners, leads):
    """Return the contacts of the table, the oldest first."""
    today, contacts = company._get_coverage_today(now), []
    persons = _get_persons(partners)
    for row in read("coverage_contacts.csv"):
        partner = partners.get(row["whom"], env["res.partner"])
        lead = env["crm.lead"] if partner else leads[row["whom"]]
        user = get_user(env, row["who"]) or partner.user_id or lead.user_id
        for phase in row["plan"].split():
            kind, _colon, days = phase.partition(":")
            for days_ago in days_of(days):
                number = len(contacts)
                moment = _moment(today, days_ago, number, now)
                person = persons.get(partner, partner)
                contacts.append(
                    Contact(number, kind, moment, user, partner, lead, person)
                )
    return sorted(contacts, key=lambda one: (one.date, one.number))


def _get_persons(partners):
    """Return by customer whom one speaks to: who decides, else whom one knows."""
    persons = {}
    for partner in partners.values():
        known = partner.child_ids.filtered(lambda one: one.type == "contact")
        known = known.sorted(lambda one: (not one.is_decision_maker, one.id))
        persons[partner] = known[:1] or partner
    return persons


def _moment(today, days_ago, number, now):
    """Return a time of that day, of the Friday before at weekends, never after now."""
    day = _workday(today - timedelta(days=days_ago)) if days_ago else today
    moment = datetime.combine(day, time(7 + number % 9, number * 13 % 60))
    return min(moment, now.replace(microsecond=0) - timedelta(minutes=1 + number % 9))


def _workday(day: date):
    return day - timedelta(days=max(0, day.weekday() - 4))


# === THE LEDGER === #


def _create_touches(env, company, customers, contacts):
    """Write calls and what was noted by hand, as telephone and dialog write them."""
    outcomes = {one.code: one.id for one in env["coverage.outcome"].search([])}
    reasons = cycle(env.ref(f"{MODULE}.demo_reason_{name}").id for name in REFUSALS)
    vals_list = []
    for one in contacts:
        if one.kind in CALLS:
            vals = _prepare_call(one, outcomes, reasons)
        elif one.kind in BY_HAND:
            vals = _prepare_by_hand(one, outcomes)
        else:
            continue
        customer = customers.get(one.partner, env["coverage.customer"])
        vals_list.append(
            {
                "company_id": company.id,
                "customer_id": customer.id,
                "lead_id": one.lead.id,
                "partner_id": one.person.id,
                "user_id": one.user.id,
                "date": one.date,
                "create_date": one.date,
                **vals,
            }
        )
    env["coverage.touch"].sudo().create(vals_list)


def _prepare_call(one, outcomes, reasons):
    """Return what the telephone system tells of a call, and the seller after it."""
    direction, outcome, is_two_way = CALLS[one.kind]
    if one.kind == "miss":
        outcome = MISSED[one.number % len(MISSED)]
    seconds = SECONDS[one.number % len(SECONDS)] if is_two_way else 0
    vals = {
        "channel": "call",
        "source": "telephone",
        "direction": direction,
        "outcome_id": outcomes[outcome],
        "is_two_way": is_two_way,
        "minutes": round(seconds / 60, 1),
        "number": one.person.phone_sanitized or one.lead.phone_sanitized,
        "external_id": f"demo-{one.number}",
    }
    if one.kind == "no":
        vals["refusal_reason_id"] = next(reasons)
        vals["note"] = REFUSED_NOTES[one.number % len(REFUSED_NOTES)]
    elif is_two_way and one.number % 3 == 0:
        vals["note"] = NOTES[one.number % len(NOTES)]
        vals["outcome_id"] = outcomes["reached"]
    return vals


def _prepare_by_hand(one, outcomes):
    """Return what a seller notes; visits and messages take one tap."""
    vals = {
        "channel": BY_HAND[one.kind],
        "source": "hand",
        "is_two_way": True,
    }
    if one.kind == "hand":
        vals["outcome_id"] = outcomes["reached" if one.number % 2 else "answered"]
        vals["minutes"] = 3 + one.number % 12
        vals["note"] = NOTES[one.number % len(NOTES)]
    return vals


def _create_unknown(env, company, now):
    """Write the calls of numbers that nobody knows."""
    outcomes = env["coverage.outcome"]
    today = company._get_coverage_today(now)
    env["coverage.touch"].sudo().create(
        [
            {
                "company_id": company.id,
                "user_id": get_user(env, login).id,
                "date": _moment(today, days_ago, number, now),
                "channel": "call",
                "source": "telephone",
                "direction": direction,
                "number": phone,
                "minutes": round(seconds / 60, 1),
                "is_two_way": seconds > 0,
                "outcome_id": outcomes._get_by_code(
                    "answered" if seconds else "no_answer"
                ).id,
                "external_id": f"demo-unknown-{number}",
            }
            for number, (login, days_ago, phone, direction, seconds) in enumerate(
                UNKNOWN
            )
        ]
    )


# === WHAT ODOO KEEPS === #


def _create_messages(env, contacts):
    """Create e-mails, out and in, on the customer or lead."""
    comment = env.ref("mail.mt_comment")
    vals_list = []
    for one in contacts:
        if one.kind not in ("mail", "reply"):
            continue
        record = one.partner or one.lead
        is_in = one.kind == "reply"
        author = one.person if is_in else one.user.partner_id
        subject = SUBJECTS[one.number % len(SUBJECTS)]
        vals_list.append(
            {
                "model": record._name,
                "res_id": record.id,
                "message_type": "email" if is_in else "comment",
                "subtype_id": comment.id,
                "author_id": author.id,
                "email_from": author.email_formatted,
                "reply_to": author.email_formatted,
                "partner_ids": [] if is_in else one.person.ids,
                "outgoing_email_to": False if is_in else one.lead.email_from,
                "subject": f"Re: {subject}" if is_in else subject,
                "body": NOTES[one.number % len(NOTES)],
                "date": one.date,
            }
        )
    env["mail.message"].create(vals_list)


def _create_done(env, customers, contacts):
    """Create contacts of the rhythm that were marked done, with their messages."""
    kind = env.ref(f"{MODULE}.activity_type_call")
    done = [one for one in contacts if one.kind == "done"]
    env["mail.activity"].create(
        [
            {
                "res_model_id": env["ir.model"]._get_id("res.partner"),
                "res_id": one.partner.id,
                "activity_type_id": kind.id,
                "user_id": one.user.id,
                "date_deadline": one.date.date(),
                "date_done": one.date.date(),
                "feedback": NOTES[one.number % len(NOTES)],
                "coverage_customer_id": customers[one.partner].id,
                "active": False,
            }
            for one in done
        ]
    )
    env["mail.message"].create(
        [
            {
                "model": "res.partner",
                "res_id": one.partner.id,
                "message_type": "notification",
                "subtype_id": env.ref("mail.mt_activities").id,
                "mail_activity_type_id": kind.id,
                "author_id": one.user.partner_id.id,
                "email_from": one.user.email_formatted,
                "reply_to": one.user.email_formatted,
                "body": NOTES[one.number % len(NOTES)],
                "date": one.date,
            }
            for one in done
        ]
    )


def _create_meetings(env, contacts):
    """Create the visits and online meetings that took place."""
    vals_list = []
    for one in contacts:
        if one.kind in ("visit", "online"):
            name = VISITS[one.number % len(VISITS)]
            minutes = 45 + 15 * (one.number % 4)
            vals = _prepare_meeting(one.user, one.person, name, one.date, minutes)
            vals["create_date"] = one.date - timedelta(days=7)
            if one.kind == "online":
                vals["videocall_location"] = "https://meet.example.com/coffee"
            if one.lead:
                vals["opportunity_id"] = one.lead.id
            vals_list.append(vals)
    create(env["calendar.event"], "meeting", vals_list)


def _create_agenda(env, company, now, partners):
    """Create the meetings of today."""
    today = company._get_coverage_today(now)
    persons = _get_persons({name: partners[name] for _who, name, *_rest in MEETINGS})
    create(
        env["calendar.event"],
        "agenda",
        [
            _prepare_meeting(
                get_user(env, login),
                persons[partners[name]],
                what,
                datetime.combine(today, time(hour)),
                minutes,
            )
            for login, name, hour, minutes, what in MEETINGS
        ],
    )


def _prepare_meeting(user, person, name, start, minutes):
    company = person.commercial_partner_id
    return {
        "name": f"{name}: {company.name}" if company else name,
        "user_id": user.id,
        "partner_ids": (user.partner_id | person).ids,
        "start": start,
        "stop": start + timedelta(minutes=minutes),
        "location": ", ".join(part for part in (company.street, company.city) if part),
    }


def _create_steps(env, company, now, leads):
    """Plan the next steps with leads."""
    today = company._get_coverage_today(now)
    env["mail.activity"].create(
        [
            {
                "res_model_id": env["ir.model"]._get_id("crm.lead"),
                "res_id": leads[name].id,
                "activity_type_id": env.ref(f"mail.mail_activity_data_{kind}").id,
                "user_id": leads[name].user_id.id,
                "summary": summary,
                "date_deadline": today + timedelta(days=days),
            }
            for name, days, kind, summary in STEPS
        ]
    )
