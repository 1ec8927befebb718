"""Measures of the temperature map; run by dev/bench.

Bare SQL is one GROUP BY of the same figures, without rights, tiles and names. The plain
loop through the ORM reads every customer and adds up; for a past day it reads the
changes since as well.
"""

from collections import defaultdict
from datetime import timedelta

from bench_tools import Measure, forget, median_of, vacuum

from odoo import Command, fields
from odoo.tools import SQL

SIZES = (1_000, 100_000)
CHANGES = 10  # of a customer
OWNERS = 40
REPEATS = 5
DAYS = 180
YEARS = 3


def run_map(env, table):
    """Measure the map of today, of a past day, and of a difference."""
    companies = [create_base(env, count) for count in SIZES]
    env.cr.commit()
    vacuum(env)
    for count, (company, manager, seller) in zip(SIZES, companies, strict=True):
        measure_maps(env, table, company, manager, seller, count)


def measure_maps(env, table, company, manager, seller, count):
    """Measure each kind of map at one size."""
    customers = env["coverage.customer"].with_user(manager)
    customers = customers.with_context(allowed_company_ids=company.ids)
    today = company._get_coverage_today(fields.Datetime.now())
    then = today - timedelta(days=DAYS)
    bare = measure(env, lambda: env.execute_query(query_bare(company)))
    table.add(f"map_bare_sql_{count}", bare)
    loop = measure(env, lambda: loop_through(customers), 1)
    table.add(f"map_orm_loop_{count}", loop)
    for name, note, options in (
        ("map_today", "segment × owner", {}),
        ("map_industry", "segment × industry", {"column": "industry_id"}),
        ("map_past", f"as of {DAYS} days ago", {"day": then}),
        ("map_past_long", "as of the first days", {"day": get_first(customers)}),
        ("map_difference", f"today against {DAYS} days ago", {"compare_day": then}),
        (
            "map_past_difference",
            "two past days",
            {"day": then, "compare_day": then - timedelta(days=DAYS)},
        ),
    ):
        found = measure(env, lambda options=options: customers.get_map([], **options))
        table.add(f"{name}_{count}", found, bare, loop, note)
    own = customers.with_user(seller)
    table.add(f"map_seller_{count}", measure(env, lambda: own.get_map([])))
    past = measure(env, lambda: own.get_map([], day=then))
    table.add(f"map_seller_past_{count}", past)
    tile = customers.search([], limit=1)
    table.add(f"map_tile_{count}", measure(env, tile.get_map_tile), note="hover")


def get_first(customers):
    first = customers.env["coverage.history"]._get_first_day(customers.env.company)
    return first + timedelta(days=10)


def measure(env, act, repeats=REPEATS):
    """Return the median measure of an act, from an empty cache."""
    measures = []
    for _number in range(repeats):
        forget(env)
        with Measure() as one:
            act()
        measures.append(one)
    return median_of(measures)


def query_bare(company):
    """Return the same figures by segment and owner, as plainly as it goes."""
    return SQL(
        """
        SELECT segment_id, user_id, count(*), sum(potential), sum(revenue_12m),
               count(temperature_id), count(*) FILTER (WHERE t.code IN ('hot', 'warm')),
               count(*) FILTER (WHERE t.code IN ('cool', 'frozen'))
          FROM coverage_customer c LEFT JOIN coverage_temperature t
            ON t.id = c.temperature_id
         WHERE c.company_id = %s AND c.active AND lifecycle <> 'prospect'
         GROUP BY 1, 2
        """,
        company.id,
    )


def loop_through(customers):
    """Add up what a map shows, customer by customer."""
    cells = defaultdict(lambda: [0, 0.0, 0.0, 0, 0, 0])
    tiles = []
    for customer in customers.search([("lifecycle", "!=", "prospect")]):
        cell = cells[customer.segment_id, customer.user_id]
        code = customer.temperature_id.code
        cell[0] += 1
        cell[1] += customer.potential
        cell[2] += customer.revenue_12m
        cell[3] += bool(code)
        cell[4] += code in ("hot", "warm")
        cell[5] += code in ("cool", "frozen")
        if cell[0] <= 60:
            tiles.append((customer.id, customer.display_name, code))
    return cells, tiles


# === SYNTHETIC BASE === #


def create_base(env, count):
    """Create a company with customers and years of changes; return whom to ask."""
    company = env["res.company"].create({"name": f"Bench map {count}"})
    manager, *sellers = create_people(env, company, count)
    env.flush_all()
    env.cr.execute(query_partners(company, count))
    env.cr.execute(query_customers(env, company, sellers))
    env.cr.execute(query_changes(env, company, sellers))
    env.invalidate_all()
    return company, manager, sellers[0]


def create_people(env, company, count):
    groups = ("sales_team.group_sale_manager", "sales_team.group_sale_salesman")
    users = env["res.users"].with_context(no_reset_password=True)
    return users.create(
        [
            {
                "name": f"Map {count} {number}",
                "login": f"map_{count}_{number}",
                "company_id": company.id,
                "company_ids": [Command.set(company.ids)],
                "group_ids": [Command.link(env.ref(groups[number > 0]).id)],
            }
            for number in range(OWNERS + 1)
        ]
    )


def query_partners(company, count):
    return SQL(
        """
        INSERT INTO res_partner (
            name, complete_name, type, active, is_company, company_id, industry_id,
            country_id, autopost_bills, customer_rank, supplier_rank, create_date,
            write_date)
        SELECT 'Map ' || n, 'Map ' || n, 'contact', TRUE, TRUE, %(company)s,
               (SELECT min(id) FROM res_partner_industry) + n %% 12,
               (SELECT min(id) FROM res_country) + n %% 30, 'ask', 0, 0, now(), now()
          FROM generate_series(1, %(count)s) AS n
        """,
        company=company.id,
        count=count,
    )


def query_customers(env, company, sellers):
    """Return the insertion of a customer a partner; a tenth never bought."""
    return SQL(
        """
        INSERT INTO coverage_customer (
            partner_id, company_id, currency_id, active, segment_id, temperature_id,
            lifecycle, user_id, potential, revenue_12m, first_order_date,
            create_date, write_date)
        SELECT id, %(company)s, %(currency)s, TRUE,
               (%(segments)s)[1 + sqrt(h1 %% 16)::int],
               CASE WHEN h1 %% 10 > 0 THEN (%(levels)s)[1 + h2 %% 5] END,
               CASE WHEN h1 %% 10 > 0 THEN (%(lives)s)[1 + h3 %% 3]
                    ELSE 'prospect' END,
               (%(users)s)[1 + h3 %% %(owners)s], 100 + h2 %% 100000, h3 %% 50000,
               CASE WHEN h1 %% 10 > 0 THEN current_date - 100 - h2 %% 1000 END,
               now() AT TIME ZONE 'UTC' - %(years)s * interval '1 year', now()
          FROM (SELECT id, abs(hashint4(id)) AS h1, abs(hashint4(id * 7)) AS h2,
                       abs(hashint4(id * 13)) AS h3
                  FROM res_partner WHERE company_id = %(company)s) p
        """,
        company=company.id,
        currency=company.currency_id.id,
        segments=env["coverage.segment"].search([]).ids,
        levels=env["coverage.temperature"].search([]).ids,
        lives=["new", "regular", "sleeping"],
        users=[user.id for user in sellers],
        owners=len(sellers),
        years=YEARS,
    )


def query_changes(env, company, sellers):
    """Return the insertion of ten changes a customer, in the order of their days."""
    return SQL(
        """
        INSERT INTO coverage_change (
            customer_id, company_id, date, model, res_id, field_name, old_value,
            new_value, state, origin, potential, revenue_12m, create_date, write_date)
        SELECT id, %(company)s, now() AT TIME ZONE 'UTC' - days * interval '1 day',
               'coverage.customer', id, name,
               CASE name WHEN 'segment_id' THEN (%(segments)s)[1 + h %% 4]::text
                         WHEN 'temperature_id' THEN (%(levels)s)[1 + h %% 5]::text
                         WHEN 'lifecycle' THEN (%(lives)s)[1 + h %% 3]
                         WHEN 'user_id' THEN (%(users)s)[1 + h %% %(owners)s]::text
                         ELSE '0' END,
               NULL, 'applied', 'job', h %% 100000, h %% 50000, now(), now()
          FROM (SELECT c.id, abs(hashint4(c.id * 10 + n)) AS h,
                       abs(hashint4(c.id * 17 + n)) %% (%(years)s * 365) AS days,
                       (%(names)s)[1 + n %% 10] AS name
                  FROM coverage_customer c, generate_series(1, %(changes)s) AS n
                 WHERE c.company_id = %(company)s) drawn
         ORDER BY days DESC
        """,
        company=company.id,
        segments=env["coverage.segment"].search([]).ids,
        levels=env["coverage.temperature"].search([]).ids,
        lives=["new", "regular", "sleeping"],
        users=[user.id for user in sellers],
        owners=len(sellers),
        years=YEARS,
        changes=CHANGES,
        names=[
            *("segment_id", "user_id", "lifecycle", "idle_warning_level", "role_id"),
            *["temperature_id"] * 5,
        ],
    )
