"""Measures of reassignment: plans of two sizes, applying one, and Odoo's own beside it.

Odoo's assignment of leads gives as many leads to as many people, as its job does: the
nearest thing it has. Compared are queries, seconds, and how evenly the load is spread.
"""

import random
import statistics

from bench_handoffs import create_staff
from bench_tools import Measure, commit_through, forget

from odoo import Command, fields
from odoo.tools import SQL

SIZES = ((2_000, 30), (10_000, 50))
APPLIED = 2_000
LOOPED = 100


def run_assignment(env, table):
    """Measure plans, the application of one, its undo, and Odoo's assignment."""
    for count, people in SIZES:
        company, users = create_department(env, count, people)
        run = measure_plan(env, table, company, count, people)
        if count == APPLIED:
            measure_apply(env, table, company, run, users)
            measure_native(env, table, company, count, people)


def create_department(env, count, people):
    """Return a company, and its sellers: half of them own idle customers."""
    company = env["res.company"].create({"name": f"Bench {count}"})
    env.user.company_ids += company
    users = create_staff(env, company, people, f"bench_{count}_")
    drawn = random.Random(count)
    countries = env["res.country"].search([], limit=12).ids
    industries = env["res.partner.industry"].search([], limit=10).ids
    for member in users.crm_team_member_ids:
        member.write(
            {
                "coverage_country_ids": [Command.set(drawn.sample(countries, 3))],
                "coverage_industry_ids": [Command.set(drawn.sample(industries, 3))],
                "coverage_capacity": 1_000,
            }
        )
    givers = users[: people // 2]
    partners = env["res.partner"].create(
        [
            {
                "name": f"Idle {number}",
                "is_company": True,
                "company_id": company.id,
                "user_id": givers[number % len(givers)].id,
                "country_id": drawn.choice(countries),
                "industry_id": drawn.choice(industries),
            }
            for number in range(count)
        ]
    )
    if count == APPLIED:
        create_documents(env, company, partners)
    members = env["crm.team.member"].search([("company_id", "=", company.id)])
    members.assignment_max = 10_000
    env["coverage.refresh"]._run_refresh(company, fields.Datetime.now())
    company.write(
        {
            "coverage_assign_moves": 0,
            "coverage_assign_giver_moves": 0,
            "coverage_assign_revenue_rate": 0,
            "coverage_assign_giver_revenue_rate": 0,
        }
    )
    env.flush_all()
    env.cr.execute(
        SQL(
            "UPDATE coverage_customer SET idle_since = now()::date, "
            "potential = id %% 97, "
            "segment_id = (SELECT id FROM coverage_segment WHERE code = substr('ABCD', "
            "1 + id %% 4, 1)) WHERE company_id = %s",
            company.id,
        )
    )
    env.cr.commit()
    forget(env)
    return company, users


def create_documents(env, company, partners):
    """Give each customer an open opportunity and an activity of its owner."""
    env["crm.lead"].create(
        [
            {
                "name": "Deal",
                "type": "opportunity",
                "partner_id": partner.id,
                "company_id": company.id,
                "user_id": partner.user_id.id,
            }
            for partner in partners
        ]
    )
    kind = env.ref("mail.mail_activity_data_todo").id
    env["mail.activity"].with_context(mail_activity_quick_update=True).create(
        [
            {
                "activity_type_id": kind,
                "res_model_id": env["ir.model"]._get_id("res.partner"),
                "res_id": partner.id,
                "user_id": partner.user_id.id,
            }
            for partner in partners
        ]
    )


def measure_plan(env, table, company, count, people):
    """Plan for all; say how much of it is the solver's."""
    from odoo.addons.crm_sales_coverage.models import coverage_assignment

    run = env["coverage.run"].create(
        {"kind": "assignment", "company_id": company.id, "has_miscovered": False}
    )
    env.cr.commit()
    spent, assign = [], coverage_assignment.assign

    def timed(*arguments):
        with Measure() as measure:
            plan = assign(*arguments)
        spent.append(measure)
        return plan

    queries = Measure()
    coverage_assignment.assign = timed
    try:
        with queries:
            engine = run._get_engine()
            rows = {row["id"]: row for row in engine._collect(run, run.date)}
            matches = engine._collect_matches(run, rows.values(), run.date)
            engine._prepare_subjects(run, rows, matches, {})
        forget(env)
        with Measure() as measure:
            run.action_plan()
            env.cr.commit()
    finally:
        coverage_assignment.assign = assign
    note = f"{count} customers, {people} people, {run.move_count} placed"
    table.add(f"facts_{count}", queries, note="facts of the plan")
    table.add(f"solver_{count}", spent[0], note=note)
    table.add(f"plan_{count}", measure, note="facts, solver, and the lines kept")
    return run


def measure_apply(env, table, company, run, users):
    """Apply a plan as the job does, undo it, and compare with a plain loop."""
    loop = measure_loop(env, company, users)
    count = run.move_count
    run._update_state("applying")
    env.cr.commit()
    with Measure() as measure:
        env["coverage.run"]._continue_runs(fields.Datetime.now(), commit_through(env))
    rate = round(count / measure.seconds)
    note = f"{rate} customers/s with opportunity and activity"
    table.add("plan_apply", measure, loop=loop * count, note=note)
    run.is_undoing = True
    env.cr.commit()
    with Measure() as measure:
        env["coverage.run"]._continue_runs(fields.Datetime.now(), commit_through(env))
    table.add("plan_undo", measure, note=f"{count} customers")


def measure_loop(env, company, users):
    """Return the seconds that a plain loop takes to move one customer."""
    domain = [("company_id", "=", company.id)]
    rows = env["coverage.customer"].search(domain, limit=LOOPED)
    receiver = users[-1]
    with Measure() as measure:
        for partner in rows.partner_id:
            env["crm.lead"].search(
                [("partner_id", "child_of", partner.id)]
            ).with_context(mail_auto_subscribe_no_notify=True).user_id = receiver
            partner.activity_ids.user_id = receiver
            partner.with_context(coverage_from_customer=True).user_id = receiver
        env.flush_all()
    env.cr.rollback()
    forget(env)
    return measure.seconds / len(rows)


def measure_native(env, table, company, count, people):
    """Let Odoo assign as many leads to as many people."""
    team = env["crm.team"].search([("company_id", "=", company.id)], limit=1)
    team.crm_team_member_ids.write({"assignment_max": 30 * (count // people + 1)})
    leads = env["crm.lead"].create(
        [
            {
                "name": f"Native {number}",
                "type": "lead",
                "company_id": company.id,
                "team_id": team.id,
                "user_id": False,
                "email_from": f"native{number}@example.com",
            }
            for number in range(count)
        ]
    )
    env.cr.commit()
    with Measure() as measure:
        team._action_assign_leads(force_quota=True)
        env.cr.commit()
    got = dict(
        env["crm.lead"]._read_group(
            [("id", "in", leads.ids), ("user_id", "!=", False)],
            ["user_id"],
            ["__count"],
        )
    )
    spread = statistics.pstdev(got.values()) if len(got) > 1 else 0
    note = (
        f"Odoo: {sum(got.values())} leads to {len(got)} people, deviation {spread:.1f}"
    )
    table.add(f"native_{count}", measure, note=note)
