"""Measures of the engine; run by dev/bench in a database of its own.

Bare SQL is what the same facts cost without us: stage the differing facts of the
whole base and write them in one UPDATE. The plain ORM loop does for each customer what
the engine does for all: search its orders, add up, decide, write.
"""

import argparse
import gc
import json
import statistics
import sys
import threading
import time
from contextlib import closing
from datetime import timedelta
from unittest.mock import patch

import psutil

import odoo
from odoo import SUPERUSER_ID, api, fields
from odoo.modules.registry import Registry
from odoo.tools import SQL, config

CONFIRMATIONS = 40
SINGLES = 20


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


class Measure:
    """Seconds, queries and peak memory of a block."""

    def __enter__(self):
        gc.collect()
        thread = threading.current_thread()
        thread.query_count = 0
        thread.query_time = 0
        self.process, self.peak, self.is_running = psutil.Process(), 0, True
        self.watch = threading.Thread(target=self._watch)
        self.watch.start()
        self.start = time.perf_counter()
        return self

    def _watch(self):
        while self.is_running:
            self.peak = max(self.peak, self.process.memory_info().rss)
            time.sleep(0.02)

    def __exit__(self, *_error):
        self.seconds = time.perf_counter() - self.start
        self.queries = threading.current_thread().query_count
        self.is_running = False
        self.watch.join()
        self.peak_mb = self.peak / 2**20


def commit_through(env):
    """Return the function that a job commits its batches with."""

    def commit(_done, _remaining):
        env.cr.commit()
        env.invalidate_all()
        return True

    return commit


def measure_bare(env, company, now):
    """Return the measure of staging all differing facts and writing them at once."""
    facts = env["coverage.facts"]
    today = company._get_coverage_today(now)
    with Measure() as measure:
        facts._stage(company, today, company._get_coverage_settings())
        env.cr.execute(query_bare_update())
    env.cr.rollback()
    env.invalidate_all()
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
    env.cr.rollback()
    env.invalidate_all()
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


def median_of(measures):
    """Return the measure with the median of the seconds."""
    return sorted(measures, key=lambda measure: measure.seconds)[len(measures) // 2]


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
    later = fields.Datetime.now()
    now = later - timedelta(days=1)
    big = create_company(env, "Bench", args.customers, args.orders)
    small = create_company(env, "Bench small", args.orm, args.orm * 10)
    env.cr.commit()
    vacuum(env)
    rows = []

    def add(name, measure, bare=None, loop=None, note=""):
        rows.append(
            {
                "name": name,
                "seconds": round(measure.seconds, 4),
                "queries": measure.queries,
                "peak_mb": round(measure.peak_mb),
                "ratio_sql": bare and round(measure.seconds / bare.seconds, 2),
                "ratio_orm": loop and round(loop.seconds / measure.seconds, 1),
                "note": note,
            }
        )
        print_row(rows[-1])

    facts = env["coverage.facts"]
    facts._create_missing(big)
    bare = measure_bare_first(env, big, now)
    add("bare_sql_first", bare)
    add("refresh_first", measure_refresh(env, big, now), bare)
    vacuum(env)

    insert_orders(env, big, args.customers, args.orders // 1000, 0, 1)
    env.cr.commit()
    bare = measure_bare(env, big, later)
    add("bare_sql_steady", bare)
    add("refresh_steady", measure_refresh(env, big, later), bare, note="a day later")
    add("refresh_again", measure_refresh(env, big, later), bare, note="same moment")

    single, bare_single = measure_single(env, big, later)
    add("refresh_one", single, bare_single)

    plan = env["coverage.run"].create(
        {
            "company_id": big.id,
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
    add("preview", measure, bare, note=f"{len(plan.change_ids)} changes")
    env.invalidate_all()
    with Measure() as measure:
        plan.action_apply()
        env["coverage.run"]._continue_runs(fields.Datetime.now(), commit_through(env))
        env.cr.commit()
    add("apply", measure, bare, note=f"{customers} customers, by the job")
    with Measure() as measure:
        plan.action_undo()
        env["coverage.run"]._continue_runs(fields.Datetime.now(), commit_through(env))
        env.cr.commit()
    add("undo", measure, bare, note=f"{customers} customers, by the job")

    without, with_us = measure_confirmation(env, big)
    print(
        f"confirm one order (median of {CONFIRMATIONS}): "
        f"{1000 * without:.1f} ms without, "
        f"{1000 * with_us:.1f} ms with us, {1000 * (with_us - without):+.1f} ms"
    )
    rows.append(
        {
            "name": "confirm",
            "seconds": round(with_us, 4),
            "extra_ms": round(1000 * (with_us - without), 1),
        }
    )

    facts._create_missing(small)
    env.cr.commit()
    loop = measure_loop(env, small, now)
    bare = measure_bare_first(env, small, now)
    add(f"orm_loop_{args.orm}", loop)
    add(f"refresh_first_{args.orm}", measure_refresh(env, small, now), bare, loop)
    return rows


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
    env.cr.rollback()
    env.invalidate_all()
    return measure


def vacuum(env):
    """Give the planner its statistics, as autovacuum does in real life."""
    with closing(odoo.sql_db.db_connect(env.cr.dbname).cursor()) as cr:
        cr.commit()
        cr._cnx.autocommit = True
        for table in ("res_partner", "sale_order", "coverage_customer"):
            cr._obj.execute(f"VACUUM ANALYZE {table}")
        cr._cnx.autocommit = False


def print_row(row):
    print(
        f"{row['name']:<22}{row['seconds']:>10.3f} s {row['queries']:>8} queries"
        f" {row['peak_mb']:>6} MB   × SQL {row['ratio_sql'] or '–':>6}"
        f"   ORM × {row['ratio_orm'] or '–':>6}   {row['note']}",
        flush=True,
    )


def main():
    """Parse the command line, measure, print, and write the rows where asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("conf")
    parser.add_argument("database")
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--orm", type=int, default=10_000)
    parser.add_argument("--json")
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
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
