"""A believable sales department: a coffee roaster, its customers and three years.

Called by the demo data only (``coverage.customer._load_demo``). Everything is relative
to ``now`` and follows from the tables here and in the CSV files beside this one: no
chance is involved. Time is replayed: each refresh of the past decides from the orders
known on its day, so that the history is a true one.
"""

import re
from datetime import datetime, time, timedelta

from odoo import Command

from .coverage_contacts import load_contacts
from .coverage_handoffs import load_handoffs
from .coverage_idle import load_idle
from .coverage_meetings import load_meetings
from .coverage_pool import load_pool, released
from .coverage_rethinks import load_rethinks
from .coverage_roles import load_roles
from .tools import MODULE, create, get_user, read, slug

QUIET = {
    "coverage_skip_refresh": True,
    "mail_auto_subscribe_no_notify": True,
    "mail_create_nolog": True,
    "mail_create_nosubscribe": True,
    "no_vat_validation": True,
    "sale_no_log_for_new_lines": True,
    "tracking_disable": True,
}
NIGHTS = (
    *range(720, 360, -60),
    *range(360, 30, -30),
    30,
    21,
    14,
    7,
    3,
    1,
    0,
)  # days ago
SWITCHED_ON = 120  # days ago: since then there is a rhythm of contacts

# city: country, state, area code, ZIP code
CITIES = {
    "Albuquerque": ("us", "NM", "505", "87102"),
    "Austin": ("us", "TX", "512", "78701"),
    "Boise": ("us", "ID", "208", "83702"),
    "Calgary": ("ca", "AB", "403", "T2P 1J9"),
    "Dallas": ("us", "TX", "214", "75201"),
    "Denver": ("us", "CO", "303", "80202"),
    "El Paso": ("us", "TX", "915", "79901"),
    "Eugene": ("us", "OR", "541", "97401"),
    "Las Vegas": ("us", "NV", "702", "89101"),
    "Los Angeles": ("us", "CA", "213", "90012"),
    "Oakland": ("us", "CA", "510", "94607"),
    "Phoenix": ("us", "AZ", "602", "85004"),
    "Portland": ("us", "OR", "503", "97205"),
    "Reno": ("us", "NV", "775", "89501"),
    "Sacramento": ("us", "CA", "916", "95814"),
    "Salt Lake City": ("us", "UT", "801", "84101"),
    "San Diego": ("us", "CA", "619", "92101"),
    "San Francisco": ("us", "CA", "415", "94103"),
    "San Jose": ("us", "CA", "408", "95113"),
    "Santa Cruz": ("us", "CA", "831", "95060"),
    "Seattle": ("us", "WA", "206", "98101"),
    "Spokane": ("us", "WA", "509", "99201"),
    "Tijuana": ("mx", "BCN", "664", "22000"),
    "Tucson": ("us", "AZ", "520", "85701"),
    "Vancouver": ("ca", "BC", "604", "V6B 1A1"),
}
STREETS = ("Main Street", "Oak Avenue", "Market Street", "Harbor Road", "Mill Lane")
INDUSTRIES = {
    "education": "base.res_partner_industry_P",
    "entertainment": "base.res_partner_industry_R",
    "food": "base.res_partner_industry_I",
    "health": "base.res_partner_industry_Q",
    "hotel": f"{MODULE}.demo_industry_hotels",
    "it": "base.res_partner_industry_J",
    "manufacturing": "base.res_partner_industry_C",
    "office": "base.res_partner_industry_K",
    "public": "base.res_partner_industry_O",
    "retail": "base.res_partner_industry_G",
    "transport": "base.res_partner_industry_H",
}
PRODUCTS = ("house", "filter", "cups", "origin", "oat", "decaf", "syrup", "tea")
SWING = (1.0, 0.94, 1.08, 0.9, 1.05, 1.03)  # no two orders are alike; on average 1
# stage of CRM and probability
STAGES = {
    "lead": (1, 10),
    "new": (1, 10),
    "qualified": (2, 30),
    "proposition": (3, 60),
    "won": (4, 100),
    "lost": (2, 0),
    "silent": (2, 0),
}
LOST = {"lost": "crm.lost_reason_1", "silent": f"{MODULE}.lost_reason_no_answer"}

SUBSIDIARIES = {
    "Corner Basket Express": "Corner Basket Markets",
    "Corner Basket Logistics": "Corner Basket Markets",
}
CANADIAN = "Hotel Cascadia"
VENDOR = "Nordhaven Roasting Equipment"
ARCHIVED = "Gable Street Deli"
PERSONS = ("Dr. Helen Marsh", "Ramon Ibarra")

# open quotations: customer, days ago, amount, state
QUOTATIONS = (
    ("Harbor Light Hotel", 4, 14200, "sent"),
    ("Olympic Stadium Concessions", 15, 16000, "sent"),
    ("Cobalt Software", 6, 7100, "sent"),
    ("Sierra Summit Resort", 3, 9800, "draft"),
    ("St. Brendan Hospital Group", 9, 18400, "sent"),
    ("Bright Harbor Coffee Bars", 5, 4200, "draft"),
    ("Old Town Deli & Provisions", 24, 5200, "sent"),
    ("Brightside Coworking", 7, 2400, "sent"),
    ("Grand Pine Hotel", 19, 8800, "sent"),
    ("Granville Food Halls", 12, 5400, "draft"),
)


def load(env, now):
    """Create the department's customers, orders and opportunities up to ``now``."""
    company = env.ref("base.main_company")
    env = env(context={**env.context, **QUIET, "allowed_company_ids": company.ids})
    if env.ref(f"{MODULE}.demo_customer_1", raise_if_not_found=False):
        return
    today = company._get_coverage_today(now)
    load_roles(env, today)
    rows = read("coverage_customers.csv")
    partners = _create_partners(env, rows)
    buyers = _create_persons(env, partners)
    _create_orders(env, today, rows, partners, buyers)
    partners[ARCHIVED].active = False
    company = company.with_env(env)
    customers = _replay(env, company, now, partners)
    leads = _create_opportunities(env, today, partners)
    load_contacts(env, company, now, partners, leads)
    env["coverage.refresh"]._run_refresh(company, now)
    load_handoffs(env, company, now, customers)
    load_pool(env, company, now, customers)
    load_idle(env, company, now)
    load_meetings(env, company, now, customers)
    load_rethinks(env, company, now, customers)
    env["coverage.cadence"]._run_cadence(company, now)
    env.ref(f"{MODULE}.ir_cron_cadence").active = True


# === CUSTOMERS === #


def _create_partners(env, rows):
    """Create the customers; return them by name."""
    vals_list = [_prepare_partner(env, row, index) for index, row in enumerate(rows)]
    records = create(env["res.partner"], "customer", vals_list)
    partners = {partner.name: partner for partner in records}
    for name, parent in SUBSIDIARIES.items():
        partners[name].write({"parent_id": partners[parent].id, "type": "other"})
    partners[VENDOR].supplier_rank = 1
    pricelist = env.ref(f"{MODULE}.demo_pricelist_canada")
    partners[CANADIAN].property_product_pricelist = pricelist
    return partners


def _prepare_partner(env, row, index):
    """Return the values of one customer, with an address made from its place."""
    host = slug(row["name"]).replace("_", "")
    return {
        "name": row["name"],
        "is_company": row["name"] not in PERSONS,
        "industry_id": _industry(env, row["industry"]),
        "coverage_employee_count": int(row["employees"] or 0),
        "user_id": get_user(env, row["owner"]).id,
        "street": f"{12 + 37 * index} {STREETS[index % len(STREETS)]}",
        "email": f"office@{host}.example.com",
        **_place(env, row["city"], index),
    }


def _place(env, city, number):
    """Return city, state, country and a telephone number that nobody has."""
    country_code, state_code, area, zip_code = CITIES[city]
    country = env.ref(f"base.{country_code}")
    state = country.state_ids.filtered(lambda state: state.code == state_code)
    return {
        "city": city,
        "zip": zip_code,
        "state_id": state.id,
        "country_id": country.id,
        "phone": f"+{country.phone_code} {area}-555-01{number % 100:02}",
    }


def _create_persons(env, partners):
    """Create people of the customers; return by customer those who order.

    Half of the orders come from them, not from the company.
    """
    rows = read("coverage_persons.csv")
    vals_list = [
        _prepare_person(partners[row["customer"]], number, row)
        for number, row in enumerate(rows)
    ]
    persons = create(env["res.partner"], "contact", vals_list)
    return {
        row["customer"]: person
        for row, person in zip(rows, persons, strict=True)
        if row["buys"]
    }


def _prepare_person(partner, number, row):
    """Return the values of one person, with a direct line that nobody else has."""
    return {
        "name": row["name"],
        "function": row["function"],
        "parent_id": partner.id,
        "is_decision_maker": bool(row["decides"]),
        "email": f"{slug(row['name']).replace('_', '.')}@"
        + partner.email.partition("@")[2],
        "phone": f"{partner.phone.partition('-')[0]}-555-02{number:02}",
    }


# === ORDERS === #


def _create_orders(env, today, rows, partners, buyers):
    """Create confirmed orders and open quotations, the oldest first."""
    products = [env.ref(f"{MODULE}.demo_product_{name}") for name in PRODUCTS]
    pricelist = env.ref(f"{MODULE}.demo_pricelist_canada")
    planned = [
        (days_ago, row["name"], number, amount, "sale")
        for row in rows
        for number, (days_ago, amount) in enumerate(_plan(row["orders"]))
    ]
    planned += [
        (days_ago, name, number, amount, state)
        for number, (name, days_ago, amount, state) in enumerate(QUOTATIONS)
    ]
    vals_list = []
    for days_ago, name, number, amount, state in sorted(planned, reverse=True):
        partner = partners[name]
        day = today - timedelta(days=days_ago)
        moment = datetime.combine(day, time(10, number % 60))
        buyer = buyers.get(name, partner) if number % 2 else partner
        product = products[(len(name) + number) % len(products)]
        vals = {
            "partner_id": buyer.id,
            "user_id": partner.user_id.id,
            "team_id": partner.user_id.sale_team_id.id,
            "date_order": moment,
            "create_date": moment,  # the ORM takes it while modules are installed
            "state": state,
            "order_line": [Command.create(_prepare_line(product, amount))],
        }
        if name == CANADIAN:
            vals["pricelist_id"] = pricelist.id
        vals_list.append(vals)
    create(env["sale.order"], "order", vals_list)


def _plan(text):
    """Yield days ago and amount of a customer's orders.

    A phase is ``from-to/every:amount``: ``720-12/30:4000`` is an order of about 4,000
    every 30 days, the last one 12 days ago, the first at most 720 days ago.
    """
    number = 0
    for phase in text.split():
        start, stop, step, amount = map(int, re.split("[-/:]", phase))
        for days_ago in reversed(range(stop, start + 1, step)):
            yield days_ago, amount * SWING[number % len(SWING)]
            number += 1


def _prepare_line(product, amount):
    """Return the order line that comes nearest to the amount."""
    quantity = max(1, round(amount / product.list_price))
    return {"product_id": product.id, "product_uom_qty": quantity}


# === THE PAST === #


def _replay(env, company, now, partners):
    """Refresh the base on days of the past; do in between what people did.

    :return: the rows by the name of the customer
    """
    env["coverage.facts"]._create_missing(company)
    customers = {
        name: env["coverage.customer"].search([("partner_id", "=", partner.id)])
        for name, partner in partners.items()
    }
    deeds = read("coverage_deeds.csv")
    owned = {name for name, customer in customers.items() if customer}
    owned -= {deed["customer"] for deed in deeds if deed["deed"] == "give"}
    for customer in customers.values():
        customer.owned_since = False  # told at the end, not the day of the demo
    for days_ago in NIGHTS[:-1]:
        while deeds and int(deeds[0]["days"]) >= days_ago:
            _do(env, customers, now, **deeds.pop(0))
        moment = now - timedelta(days=days_ago)
        env["coverage.refresh"]._run_refresh(company, moment)
        if days_ago <= SWITCHED_ON:
            _start_rhythm(env["coverage.cadence"], company, moment)
    today = company._get_coverage_today(now)
    for number, name in enumerate(sorted(owned)):
        noticed = today - timedelta(days=30 + 11 * number % 200)
        customer = customers[name]
        customer.owned_since = customer.first_order_date or noticed
        if customer.user_id == get_user(env, "priya"):
            customer.watcher_ids = get_user(env, "ivy")  # her assistant
    return customers


def _start_rhythm(cadence, company, moment):
    """Give newcomers their place in the rhythm, as it was given on that night."""
    frame = cadence._prepare_frame(company, moment)
    cadence._apply_starts(frame, cadence._decide_starts(frame))


def _do(env, customers, now, days, who, customer, deed, value, held, note):
    """Do a deed of the past on its day, signed by the one who did it."""
    moment = now - timedelta(days=int(days))
    day = moment.date()
    customer = customers[customer].with_user(get_user(env, who)).sudo()
    customer = customer.with_context(coverage_log={"date": moment, "origin": "hand"})
    if deed == "declare":
        vals = {"declared_potential": value, "declared_date": day, "declared_how": note}
    elif deed == "confirm":
        vals = {"confirmed_potential": value, "confirmed_date": day}
        vals["confirmed_user_id"] = customer.env.uid
    elif deed == "pin":
        vals = {
            "segment_manual_id": env.ref(f"{MODULE}.segment_{value}").id,
            "segment_manual_until": day + timedelta(days=int(held)),
            "segment_manual_reason": note,
        }
    elif deed == "pause":
        vals = {"leave_alone_until": day + timedelta(days=int(held))}
        vals["leave_alone_reason"] = note
    elif deed == "ask":
        vals = {
            "leave_alone_asked_until": day + timedelta(days=int(held)),
            "leave_alone_reason": note,
            "leave_alone_user_id": customer.env.uid,
        }
    else:
        vals = {"user_id": get_user(env, value).id}
    if note and deed == "give":
        log, reason = customer.env.context["coverage_log"], released(note)
        log = {**log, "reasons": {customer.id: {"user_id": reason}}}
        customer = customer.with_context(coverage_log=log)
    customer.write(vals)
    if deed == "give" and value:
        customer.owned_since = day


# === OPPORTUNITIES === #


def _create_opportunities(env, today, partners):
    """Create leads and opportunities, open, won and lost; return them by name."""
    rows = read("coverage_opportunities.csv")
    leads = create(
        env["crm.lead"],
        "lead",
        [_prepare_lead(env, today, partners, n, row) for n, row in enumerate(rows)],
    )
    return {lead.name: lead for lead in leads}


def _prepare_lead(env, today, partners, number, row):
    """Return the values of one lead; the closed ones took a month."""
    day, stage = today - timedelta(days=int(row["days"])), row["stage"]
    moment = datetime.combine(day, time(9, number))
    stage_number, probability = STAGES[stage]
    seller = get_user(env, row["seller"])
    partner = partners.get(row["customer"])
    vals = {
        "name": row["name"],
        "type": "lead" if stage == "lead" else "opportunity",
        "user_id": seller.id,
        "team_id": seller.sale_team_id.id,
        "stage_id": env.ref(f"crm.stage_lead{stage_number}").id,
        "probability": probability,
        "expected_revenue": int(row["amount"] or 0),
        "create_date": moment,
        "date_open": moment,
        "date_last_stage_update": moment,
    }
    if partner:
        vals["partner_id"] = partner.id
    else:
        vals.update(
            partner_name=row["company"],
            contact_name=row["contact"],
            coverage_industry_id=_industry(env, row["industry"]),
            coverage_employee_count=int(row["employees"] or 0),
            email_from=f"{slug(row['contact']).replace('_', '.')}@example.com",
            **_place(env, row["city"], number),
        )
    if stage == "won" or stage in LOST:
        vals["date_closed"] = moment + timedelta(days=30)
    if stage in LOST:
        vals.update(active=False, lost_reason_id=env.ref(LOST[stage]).id)
    return vals


def _industry(env, code):
    return env.ref(INDUSTRIES[code]).id if code else False
