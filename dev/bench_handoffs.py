"""Measures of handoffs: a night on which many expire, and one with many documents.

The plain ORM loop does for each customer what accepting does for all: it searches the
giver's open opportunities, quotations and activities, and writes the new salesperson.
"""

from datetime import timedelta

from bench_tools import Measure, commit_through, forget

from odoo import Command, fields

EXPIRING = 1_000
DOCUMENTS = 50
SAMPLE = 100
REPEATS = 5


def run_handoffs(env, table, company):
    """Measure the job and one acceptance."""
    users = create_staff(env, company)
    measure_expiry(env, table, company, users)
    measure_accept(env, table, company, users)


def create_staff(env, company, count=10, login="bench_seller_"):
    """Return sellers of a team of this company: half give, half receive."""
    group = env.ref("sales_team.group_sale_salesman")
    users = (
        env["res.users"]
        .with_context(no_reset_password=True)
        .create(
            [
                {
                    "name": f"Bench Seller {number}",
                    "login": f"{login}{number}",
                    "group_ids": [Command.set(group.ids)],
                    "company_id": company.id,
                    "company_ids": [Command.set(company.ids)],
                }
                for number in range(count)
            ]
        )
    )
    env["crm.team"].create(
        {
            "name": "Bench",
            "company_id": company.id,
            "crm_team_member_ids": [
                Command.create({"user_id": user.id}) for user in users
            ],
        }
    )
    env.cr.commit()
    return users


def create_customers(env, company, users, count, documents=1):
    """Return customers of these sellers, each with open opportunities."""
    partners = env["res.partner"].create(
        [
            {
                "name": f"Handed {number}",
                "is_company": True,
                "company_id": company.id,
                "user_id": users[number % len(users)].id,
            }
            for number in range(count)
        ]
    )
    env["crm.lead"].create(
        [
            {
                "name": f"Deal {number}",
                "type": "opportunity",
                "partner_id": partner.id,
                "company_id": company.id,
                "user_id": partner.user_id.id,
            }
            for partner in partners
            for number in range(documents)
        ]
    )
    env.cr.commit()
    domain = [("partner_id", "in", partners.ids), ("company_id", "=", company.id)]
    return env["coverage.customer"].search(domain, order="id")


def offer(env, rows, users, policy):
    """Return offers of these customers to others."""
    half = len(users) // 2
    handoffs = env["coverage.handoff"].create(
        [
            {
                "customer_id": row.id,
                "to_user_id": users[half + number % half].id,
                "reason": "Bench",
                "policy_id": policy.id,
            }
            for number, row in enumerate(rows)
        ]
    )
    handoffs._offer(fields.Datetime.now())
    env.cr.commit()
    forget(env)
    return handoffs


def measure_expiry(env, table, company, users):
    """Let many offers expire in one run: transferred, or offered to the next."""
    givers = users[: len(users) // 2]
    engine, later = env["coverage.handoff.engine"], timedelta(days=10)
    loop = measure_loop(env, create_customers(env, company, givers, SAMPLE), users[-1])
    for rule in ("transfer", "next"):
        policy = env["coverage.handoff.policy"].create(
            {
                "name": f"Bench {rule}",
                "active": False,
                "on_receiver_late": rule,
            }
        )
        rows = create_customers(env, company, givers, EXPIRING)
        offer(env, rows, users, policy)
        with Measure() as measure:
            engine._run_handoffs(
                company, fields.Datetime.now() + later, commit_through(env)
            )
            env.cr.commit()
        compared = loop * EXPIRING if rule == "transfer" else None
        note = f"{EXPIRING} handoffs expire in one run"
        table.add(f"handoffs_{rule}", measure, loop=compared, note=note)


def measure_loop(env, rows, receiver):
    """Return the seconds that the plain loop takes for one customer."""
    with Measure() as measure:
        for partner in rows.partner_id:
            giver = partner.user_id
            for model in ("crm.lead", "sale.order"):
                env[model].search(
                    [("partner_id", "child_of", partner.id), ("user_id", "=", giver.id)]
                ).with_context(mail_auto_subscribe_no_notify=True).user_id = receiver
            env["mail.activity"].search(
                [
                    ("res_model", "=", "res.partner"),
                    ("res_id", "=", partner.id),
                    ("user_id", "=", giver.id),
                ]
            ).user_id = receiver
            partner.with_context(coverage_from_customer=True).user_id = receiver
        env.flush_all()
    env.cr.rollback()
    forget(env)
    return measure.seconds / len(rows)


def measure_accept(env, table, company, users):
    """Accept a customer with many open documents; the median of some."""
    policy = env["coverage.handoff.policy"]
    rows = create_customers(env, company, users[:1], REPEATS, DOCUMENTS)
    measures = []
    for handoff in offer(env, rows, users, policy):
        forget(env)
        with Measure() as measure:
            handoff.action_accept()
            env.cr.commit()
        measures.append(measure)
    median = sorted(measures, key=lambda one: one.seconds)[REPEATS // 2]
    table.add("handoff_accept", median, note=f"{DOCUMENTS} open documents")
