"""Measures of the engine; run by dev/bench in a database of its own.

Bare SQL is what the same facts cost without us: stage the differing facts of the
whole base and write them in one UPDATE. The plain ORM loop does for each customer what
the engine does for all: search its orders, add up, decide, write.
"""

import argparse
import json
import statistics
import sys
from contextlib import closing
from datetime import timedelta
from unittest.mock import patch

from bench_assignment import run_assignment
from bench_contacts import run_contacts
from bench_handoffs import run_handoffs
from bench_map import run_map
from bench_tools import Measure, Table, commit_through, forget, median_of, vacuum

from odoo import SUPERUSER_ID, api, fields
from odoo.modules.registry import Registry
from odoo.tools import SQL, config

CONFIRMATIONS = 40
SINGLES = 20
MESSAGES = 2_000_000  # for 100,000 customers


# === SYNTHETIC BASE === #


def create_company(env, name, customers, orders):
    """Create a company with customers and orders, by SQL."""
    company = env["res.company"].create(
        {"name": name, "country_id": env.ref("base.de").id}
    )
    env.flush_all()
    env.cr.execute(
        SQL(
            """
            INSERT INTO res_partner (
                name, complete_name, type, active, is_company, company_id, user_id,
                country_id, industry_id, coverage_employee_count, autopost_bills,
                customer_rank, supplier_rank, create_date, write_date)
            SELECT %(name)s || ' ' || n, %(name)s || ' ' || n, 'contact', TRUE, TRUE,
                   %(company)s, %(user)s, %(country)s,
                   (SELECT min(id) FROM res_partner_industry) + n %% 12,
                   1 + (n::bigint * 7919) %% 900, 'ask', 0, 0, now(), now()
              FROM generate_series(1, %(customers)s) AS n
            """,
            name=name,
            company=company.id,
            user=env.ref("base.user_admin").id,
            country=env.ref("base.de").id,
            customers=customers,
        )
    )
    env.cr.execute(
        "UPDATE res_partner SET commercial_partner_id = id WHERE company_id = %s",
        [company.id],
    )
    insert_orders(env, company, customers, orders, 1, 1100)
    env.ref("base.user_admin").company_ids += company
    env.invalidate_all()
    return company


def insert_orders(env, company, customers, count, first_day, last_day):
    """Insert confirmed orders; a tenth of the customers never buys."""
    env.cr.execute(
        SQL(
            """
            WITH base AS (
                SELECT id, row_number() OVER (ORDER BY id) AS n
                  FROM res_partner WHERE company_id = %(company)s
            ), drawn AS (
                SELECT i, 1 + (
                    power(abs(hashint8(i)) %% 1000000 / 1000000.0, 1.5)
                    * %(customers)s * 0.9)::int AS n
                  FROM generate_series(1, %(count)s) AS i
            )
            INSERT INTO sale_order (
                name, partner_id, partner_invoice_id, partner_shipping_id, company_id,
                state, date_order, currency_id, currency_rate, amount_untaxed,
                amount_total, create_date, write_date)
            SELECT 'B' || drawn.i, base.id, base.id, base.id, %(company)s, 'sale',
                   now() AT TIME ZONE 'UTC' - make_interval(
                       days => %(first)s + abs(hashint8(drawn.i * 31))
                               %% (%(last)s - %(first)s), hours => 3),
                   %(currency)s, 1,
                   round((50 + 20000
                    * power(abs(hashint8(base.id)) %% 1000 / 1000.0, 4)
                    * (0.5 + abs(hashint8(drawn.i * 17)) %% 1000 / 1000.0))::numeric,
                    2),
                   0, now(), now()
              FROM drawn JOIN base USING (n)
            """,
            company=company.id,
            currency=company.currency_id.id,
            customers=customers,
            count=count,
            first=first_day,
            last=last_day,
        )
    )


# === MEASURING === #


def measure_bare(env, company, now):
    """Return the measure of staging all differing facts and writing them at once."""
    facts = env["coverage.facts"]
    today = company._get_coverage_today(now)
    with Measure() as measure:
        facts._stage(company, today, company._get_coverage_settings())
        env.cr.execute(query_bare_update())
    forget(env)
    return measure


def query_bare_update():
    from odoo.addons.crm_sales_coverage.models.coverage_facts import FACTS, STAGE

    return SQL(
        "UPDATE coverage_customer c SET %s FROM %s s WHERE s.id = c.id",
        SQL(", ").join(
            SQL("%s = s.%s", SQL.identifier(name), SQL.identifier(name))
            for name in FACTS
        ),
        SQL.identifier(STAGE),
    )


def measure_refresh(env, company, now):
    with Measure() as measure:
        env["coverage.refresh"]._run_refresh(company, now, commit=commit_through(env))
        env.cr.commit()
    return measure


def measure_loop(env, company, now):
    """Return the measure of a plain ORM loop that does what a first refresh does."""
    refresh = env["coverage.refresh"]
    frame = refresh._prepare_frame(company, now)
    customers = env["coverage.customer"].search([("company_id", "=", company.id)])
    with Measure() as measure:
        for customer in customers:
            orders = env["sale.order"].search(
                [
                    ("partner_id", "child_of", customer.partner_id.id),
                    ("company_id", "=", company.id),
                    ("state", "=", "sale"),
                ]
            )
            write_in_loop(customer, orders, frame)
        env.flush_all()
    forget(env)
    return measure


def write_in_loop(customer, orders, frame):
    """Add up one customer's orders, decide, and write what differs."""
    from odoo.addons.crm_sales_coverage.core.records import Facts, State

    days = {}
    for order in orders:
        day = order.date_order.date()
        days[day] = days.get(day, 0.0) + order.amount_untaxed / order.currency_rate
    listed = sorted(day for day in days if day <= frame.today)

    def total(start, end):
        first, last = frame.today - timedelta(start), frame.today - timedelta(end)
        return sum(days[day] for day in listed if first < day <= last)

    gaps = [(b - a).days for a, b in zip(listed, listed[1:], strict=False)]
    facts = {
        "revenue_12m": total(365, 0),
        "revenue_best_12m": max(
            (
                sum(days[one] for one in listed if day - timedelta(365) < one <= day)
                for day in listed
            ),
            default=0.0,
        ),
        "revenue_90d": total(90, 0),
        "revenue_prev_90d": total(180, 90),
        "revenue_season_90d": total(455, 365),
        "average_order_amount": total(365, 0)
        / max(1, sum(day > frame.today - timedelta(365) for day in listed)),
        "order_day_count": len(listed),
        "awake_order_day_count": len(listed),
        "first_order_date": listed[0] if listed else None,
        "last_order_date": listed[-1] if listed else None,
        "longest_silence_days": max(gaps, default=0),
    }
    decision = frame.decide(Facts(**facts), State())
    customer.write(
        {
            **{name: value or False for name, value in facts.items()},
            "potential": decision.potential,
            "potential_source": decision.potential_source,
            "segment_id": decision.segment,
            "segment_computed_id": decision.segment,
            "temperature_id": decision.temperature_standing.value,
            "temperature_score": decision.temperature_score,
            "yield_rate": decision.yield_rate,
            "lifecycle": decision.lifecycle_standing.value,
        }
    )


def measure_single(env, company, now):
    """Return measures of one customer: ours, and the bare SQL of the same facts."""
    from odoo.addons.crm_sales_coverage.models.coverage_facts import FACTS

    customers = env["coverage.customer"].search(
        [("company_id", "=", company.id), ("order_count", ">", 0)], limit=SINGLES
    )
    refresh, facts = env["coverage.refresh"], env["coverage.facts"]
    today = company._get_coverage_today(now)
    ours, bare = [], []
    for customer in customers:
        partner = customer.partner_id
        with Measure() as measure:
            refresh._refresh_customers(customer, now)
            env.flush_all()
        ours.append(measure)
        query = facts._query_facts(
            company,
            today,
            company._get_coverage_settings(),
            customer.ids,
            partner.ids,
        )
        with Measure() as measure:
            env.cr.execute(
                SQL(
                    "UPDATE coverage_customer c SET %s FROM (%s) s WHERE s.id = c.id",
                    SQL(", ").join(
                        SQL("%s = s.%s", SQL.identifier(n), SQL.identifier(n))
                        for n in FACTS
                    ),
                    query,
                )
            )
        bare.append(measure)
        env.cr.rollback()
        env.invalidate_all()
    return median_of(ours), median_of(bare)


def measure_confirmation(env, company):
    """Return median seconds of confirming an order, without and with us."""
    product = env["product.product"].search([("sale_ok", "=", True)], limit=1)
    customers = env["coverage.customer"].search(
        [("company_id", "=", company.id), ("order_count", ">", 0)],
        limit=2 * CONFIRMATIONS,
    )
    env = env(context={**env.context, "allowed_company_ids": company.ids})
    model = type(env["sale.order"])
    seconds = {True: [], False: []}
    for index, customer in enumerate(customers):
        order = env["sale.order"].create(
            {
                "partner_id": customer.partner_id.id,
                "company_id": company.id,
                "order_line": [(0, 0, {"product_id": product.id, "price_unit": 900})],
            }
        )
        env.flush_all()
        has_us = bool(index % 2)
        with closing_patch(model, has_us), Measure() as measure:
            order.action_confirm()
            env.flush_all()
        seconds[has_us].append(measure.seconds)
        env.cr.commit()
    return statistics.median(seconds[False]), statistics.median(seconds[True])


def closing_patch(model, has_us):
    """Return a block in which orders do not tell us, unless ``has_us``."""
    if has_us:
        return closing(type("Nothing", (), {"close": lambda self: None})())
    return patch.object(model, "_refresh_coverage", lambda self, partners: None)


# === THE TABLE === #


def run(env, args):
    """Return the rows of the table."""
    if args.only:
        table = Table()
        run_map(env, table)
        return table.rows
    later = fields.Datetime.now()
    now, table = later - timedelta(days=1), Table()
    big = create_company(env, "Bench", args.customers, args.orders)
    small = create_company(env, "Bench small", args.orm, args.orm * 10)
    env.cr.commit()
    vacuum(env)
    bare = run_refresh(env, table, big, now, later, args)
    run_what_if(env, table, big, bare)
    run_confirmation(env, table, big)
    run_loop(env, table, small, now, args.orm)
    run_contacts(env, table, big, args.messages)
    run_handoffs(env, table, big)
    run_assignment(env, table)
    run_map(env, table)
    return table.rows


def run_refresh(env, table, company, now, later, args):
    """Measure the first night, the next one, and one customer; return the bare one."""
    env["coverage.facts"]._create_missing(company)
    bare = measure_bare_first(env, company, now)
    table.add("bare_sql_first", bare)
    table.add("refresh_first", measure_refresh(env, company, now), bare)
    vacuum(env)

    insert_orders(env, company, args.customers, args.orders // 1000, 0, 1)
    env.cr.commit()
    bare = measure_bare(env, company, later)
    table.add("bare_sql_steady", bare)
    steady = measure_refresh(env, company, later)
    table.add("refresh_steady", steady, bare, note="a day later")
    again = measure_refresh(env, company, later)
    table.add("refresh_again", again, bare, note="same moment")

    single, bare_single = measure_single(env, company, later)
    table.add("refresh_one", single, bare_single)
    return bare


def run_what_if(env, table, company, bare):
    """Measure a preview, its application by the job, and taking it back."""
    plan = env["coverage.run"].create(
        {
            "company_id": company.id,
            "what_if": {
                "segment": {
                    "A": {"expected_yield_rate": 0.7},
                    "B": {"typical_share": 75},
                }
            },
        }
    )
    with Measure() as measure:
        plan.action_plan()
        env.cr.commit()
    customers = len(plan.change_ids.customer_id)
    table.add("preview", measure, bare, note=f"{len(plan.change_ids)} changes")
    env.invalidate_all()
    for name in ("apply", "undo"):
        with Measure() as measure:
            getattr(plan, f"action_{name}")()
            moment, commit = fields.Datetime.now(), commit_through(env)
            env["coverage.run"]._continue_runs(moment, commit)
            env.cr.commit()
        table.add(name, measure, bare, note=f"{customers} customers, by the job")


def run_confirmation(env, table, company):
    """Measure the confirmation of an order without and with us."""
    without, with_us = measure_confirmation(env, company)
    what = f"confirm one order (median of {CONFIRMATIONS})"
    table.add_pair("confirm", what, without, with_us)


def run_loop(env, table, company, now, count):
    """Measure a plain loop through the ORM and a first refresh of the same base."""
    env["coverage.facts"]._create_missing(company)
    env.cr.commit()
    loop = measure_loop(env, company, now)
    bare = measure_bare_first(env, company, now)
    table.add(f"orm_loop_{count}", loop)
    first = measure_refresh(env, company, now)
    table.add(f"refresh_first_{count}", first, bare, loop)


def measure_bare_first(env, company, now):
    """Bare SQL of a first refresh: the rows are created by it too."""
    env.cr.rollback()
    env.cr.execute("DELETE FROM coverage_customer WHERE company_id = %s", [company.id])
    env.cr.commit()
    env.invalidate_all()
    facts = env["coverage.facts"]
    today = company._get_coverage_today(now)
    with Measure() as measure:
        facts._create_missing(company)
        facts._stage(company, today, company._get_coverage_settings())
        env.cr.execute(query_bare_update())
    forget(env)
    return measure


def main():
    """Parse the command line, measure, print, and write the rows where asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("conf")
    parser.add_argument("database")
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--orm", type=int, default=10_000)
    parser.add_argument("--messages", type=int)
    parser.add_argument("--only", choices=["map"])
    parser.add_argument("--json")
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    if args.messages is None:
        args.messages = min(MESSAGES, args.customers * MESSAGES // 100_000)
    config.parse_config(["-c", args.conf, "-d", args.database, "--log-level", "error"])
    registry = Registry(args.database)
    with registry.cursor() as cr:
        env = api.Environment(cr, SUPERUSER_ID, {})
        rows = run(env, args)
    if args.json:
        with open(args.json, "w") as file:
            json.dump(rows, file, indent=2)
    return 0


if __name__ == "__main__":
    sys.exit(main())
