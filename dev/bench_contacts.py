"""Measures of contacts: the ledger, the rhythm and My Day; run by dev/bench.

Bare SQL is what the same costs without us: the same contacts inserted by one who knows
that all messages are such; the customers that are due found by one query. The plain
ORM loop plans for each customer what the rhythm plans for all.
"""

import statistics
from datetime import timedelta

from bench_tools import Measure, commit_through, forget, median_of, vacuum

from odoo import Command, fields
from odoo.tools import SQL

BATCH = 250_000  # messages to an INSERT: a sort that fits into memory
REPEATS = 7
SINGLES = 40
SAMPLE = 200
SELLERS = (300, 3_000)  # customers of one seller


def run_contacts(env, table, company, messages):
    """Measure backfill, rhythm, My Day and single contacts on a refreshed base."""
    measure_backfill(env, table, company, messages)
    measure_cadence(env, table, company)
    measure_my_day(env, table, company)
    measure_single_touch(env, table, company)


# === BACKFILL === #


def insert_messages(env, company, count):
    """Insert messages of two years on the company's customers, by SQL.

    Of ten, four are chatter on customers, two chatter elsewhere; two are e-mails that
    went out, with their notifications, one came in, and one says that a call was made.
    """
    env.cr.execute(
        SQL(
            """CREATE TABLE bench_customer AS
               SELECT p.id, p.id AS partner_id, row_number() OVER (ORDER BY id) AS n
                 FROM res_partner p WHERE company_id = %s""",
            company.id,
        )
    )
    env.cr.execute("CREATE UNIQUE INDEX ON bench_customer (n)")
    for start in range(0, count, BATCH):
        env.cr.execute(query_messages(env, company, start, min(start + BATCH, count)))
        env.cr.commit()
    env.cr.execute(query_notifications(env, company))
    env.cr.execute(query_done(env, company))
    env.cr.execute("DROP TABLE bench_customer")
    env.cr.commit()
    env.invalidate_all()


def query_messages(env, company, start, stop):
    return SQL(
        """
        INSERT INTO mail_message (
            model, res_id, message_type, subtype_id, mail_activity_type_id, author_id,
            email_from, subject, body, message_id, date, record_company_id,
            create_uid, create_date, write_uid, write_date)
        SELECT CASE WHEN kind < 6 AND kind > 3 THEN 'product.template'
                    ELSE 'res.partner' END,
               c.partner_id,
               CASE WHEN kind IN (6, 7) THEN 'comment' WHEN kind = 8 THEN 'email'
                    ELSE 'notification' END,
               CASE WHEN kind = 9 THEN %(done)s WHEN kind < 6 THEN %(note)s
                    ELSE %(comment)s END,
               CASE WHEN kind = 9 THEN %(call)s END,
               CASE WHEN kind = 8 THEN c.partner_id ELSE %(author)s END,
               'bench@example.com', CASE WHEN kind > 5 THEN 'Bench ' || i END,
               '<p>' || repeat('bench ', 20) || i || '</p>',
               '<' || i || '@bench>',
               now() AT TIME ZONE 'UTC' - make_interval(
                   days => 1 + abs(hashint8(i * 13)) %% 730,
                   mins => abs(hashint8(i * 29)) %% 1440),
               %(company)s, %(user)s, now() AT TIME ZONE 'UTC', %(user)s,
               now() AT TIME ZONE 'UTC'
          FROM (SELECT i, i %% 10 AS kind,
                       1 + abs(hashint8(i * 7)) %% (SELECT count(*)
                                                      FROM bench_customer) AS n
                  FROM generate_series(%(start)s, %(stop)s - 1) AS i) drawn
          JOIN bench_customer c USING (n)
        """,
        **get_ids(env, company),
        start=start,
        stop=stop,
    )


def query_notifications(env, company):
    """Return the notifications of the e-mails that went out."""
    return SQL(
        """
        INSERT INTO mail_notification (
            author_id, mail_message_id, res_partner_id, notification_type,
            notification_status, is_read)
        SELECT m.author_id, m.id, m.res_id, 'email', 'sent', TRUE
          FROM mail_message m
         WHERE m.record_company_id = %(company)s AND m.message_type = 'comment'
        """,
        company=company.id,
    )


def query_done(env, company):
    """Return the activities whose messages say that they are done."""
    return SQL(
        """
        INSERT INTO mail_activity (
            res_model_id, res_model, res_id, activity_type_id, user_id, date_deadline,
            date_done, feedback, active, automated, create_uid, create_date, write_uid,
            write_date)
        SELECT %(model)s, m.model, m.res_id, m.mail_activity_type_id, %(user)s,
               m.date::date, m.date::date, 'Talked about the bench', FALSE, FALSE,
               %(user)s, m.date, %(user)s, m.date
          FROM mail_message m
         WHERE m.record_company_id = %(company)s
           AND m.mail_activity_type_id IS NOT NULL
        """,
        **get_ids(env, company),
    )


def get_ids(env, company):
    """Return the ids that the queries need, by name."""
    admin = env.ref("base.user_admin")
    return {
        "author": admin.partner_id.id,
        "call": env.ref("mail.mail_activity_data_call").id,
        "comment": env.ref("mail.mt_comment").id,
        "company": company.id,
        "done": env.ref("mail.mt_activities").id,
        "model": env["ir.model"]._get_id("res.partner"),
        "note": env.ref("mail.mt_note").id,
        "user": admin.id,
    }


def measure_backfill(env, table, company, messages):
    """Read the whole history, as at install, and again."""
    insert_messages(env, company, messages)
    env["coverage.touch"].with_context(active_test=False).search([]).unlink()
    env.cr.commit()
    vacuum(env)
    bare = measure_bare_backfill(env, company)
    table.add("bare_sql_backfill", bare, note=f"{messages} messages")
    with Measure() as measure:
        env["coverage.ledger"]._backfill()
        env.cr.commit()
    count = env["coverage.touch"].search_count([("company_id", "=", company.id)])
    table.add("backfill", measure, bare, note=f"{count} contacts")
    vacuum(env)
    with Measure() as measure:
        env["coverage.ledger"]._backfill()
        env.cr.commit()
    table.add("backfill_again", measure, bare, note="same moment")


def measure_bare_backfill(env, company):
    """Return the measure of inserting the same contacts, asking nothing."""
    with Measure() as measure:
        env.cr.execute(query_bare_insert(env, company))
    forget(env)
    return measure


def query_bare_insert(env, company):
    """Return the contacts of these messages, as one who knows them would insert."""
    return SQL(
        """
        INSERT INTO coverage_touch (
            company_id, customer_id, partner_id, user_id, date, channel, direction,
            is_two_way, is_counted, source, origin_id, active)
        SELECT c.company_id, c.id, m.res_id, %(user)s, m.date,
               CASE WHEN m.mail_activity_type_id = %(call)s
                    THEN 'call' ELSE 'email' END,
               CASE WHEN m.message_type = 'email' THEN 'in' ELSE 'out' END,
               m.message_type <> 'comment', TRUE,
               CASE WHEN m.mail_activity_type_id = %(call)s
                    THEN 'activity' ELSE 'email' END, m.id, TRUE
          FROM mail_message m
          JOIN res_partner p ON p.id = m.res_id
          JOIN coverage_customer c ON c.partner_id = p.commercial_partner_id
                                  AND c.company_id = m.record_company_id
         WHERE m.model = 'res.partner' AND m.record_company_id = %(company)s
           AND (m.message_type IN ('comment', 'email')
                OR m.mail_activity_type_id = %(call)s)
        """,
        **get_ids(env, company),
    )


# === THE RHYTHM === #


def measure_cadence(env, table, company):
    """Switch the rhythm on, plan what is due, and run it again."""
    cadence, now = env["coverage.cadence"], fields.Datetime.now()
    env["coverage.refresh"]._run_refresh(company, now, commit=commit_through(env))
    env.cr.commit()
    vacuum(env)
    with Measure() as measure:
        count = cadence._run_cadence(company, now, commit_through(env))
        env.cr.commit()
    vacuum(env)
    bare, due = measure_bare_due(env, company, now)
    loop = measure_plan_loop(env, company, due) * count
    table.add("bare_sql_due", bare, note=f"{len(due)} customers due")
    note = f"starts for all, {count} contacts planned"
    table.add("cadence_first", measure, bare, loop, note)
    with Measure() as measure:
        count = cadence._run_cadence(company, now, commit_through(env))
        env.cr.commit()
    table.add("cadence_again", measure, bare, note=f"same moment, {count} planned")
    later = now + timedelta(days=1)
    with Measure() as measure:
        count = cadence._run_cadence(company, later, commit_through(env))
        env.cr.commit()
    loop = loop / max(1, len(due)) * count
    note = f"a day later, {count} contacts planned"
    table.add("cadence_next_day", measure, bare, loop, note)


def measure_bare_due(env, company, now):
    """Return the measure of finding who is due by SQL, and who that is."""
    until = company._get_coverage_today(now) + timedelta(
        days=company.coverage_lead_days
    )
    measures = []
    for _repeat in range(REPEATS):
        with Measure() as measure:
            rows = env.execute_query(
                SQL(
                    """SELECT id, partner_id FROM coverage_customer c
                        WHERE company_id = %s AND active AND next_contact_date <= %s
                          AND user_id IS NOT NULL ORDER BY id""",
                    company.id,
                    until,
                )
            )
        measures.append(measure)
    return median_of(measures), rows


def measure_plan_loop(env, company, due):
    """Return seconds to plan one contact by a loop: look, and create."""
    kind = env.ref("mail.mail_activity_data_call")
    activities = env["mail.activity"]
    sample = due[:SAMPLE]
    with Measure() as measure:
        for id_, _partner_id in sample:
            customer = env["coverage.customer"].browse(id_)
            domain = [
                ("res_model", "=", "res.partner"),
                ("res_id", "=", customer.partner_id.id),
                ("activity_type_id", "=", kind.id),
            ]
            if not activities.search_count(domain, limit=1):
                customer.partner_id.activity_schedule(
                    activity_type_id=kind.id,
                    user_id=customer.user_id.id,
                    date_deadline=customer.next_contact_date,
                )
        env.flush_all()
    forget(env)
    return measure.seconds / max(1, len(sample))


# === MY DAY === #


def measure_my_day(env, table, company):
    """Open My Day of sellers with many customers, all of them due."""
    for count in SELLERS:
        seller = create_seller(env, company, f"seller{count}")
        give_customers(env, company, seller, count)
        vacuum(env)
        measures = []
        for _repeat in range(REPEATS):
            env.invalidate_all()
            with Measure() as measure:
                day = env(user=seller)["coverage.day"].get_day()
            measures.append(measure)
        owned = env["coverage.customer"].search_count([("user_id", "=", seller.id)])
        note = f"{owned} customers, {len(day['lines'])} lines, {day['more_count']} more"
        table.add(f"my_day_{count}", median_of(measures), note=note)
    forget(env)


def create_seller(env, company, login):
    """Create a salesperson of the company."""
    groups = env.ref("base.group_user") + env.ref("sales_team.group_sale_salesman")
    return (
        env["res.users"]
        .with_context(no_reset_password=True)
        .create(
            {
                "name": login,
                "login": login,
                "company_id": company.id,
                "company_ids": [Command.set(company.ids)],
                "group_ids": [Command.set(groups.ids)],
            }
        )
    )


def give_customers(env, company, seller, count):
    """Give customers of a segment to the seller, by SQL, and let them be overdue."""
    env.flush_all()
    env.cr.execute(
        SQL(
            """UPDATE coverage_customer c
                  SET user_id = %(user)s, attempt_day_count = 0,
                      next_contact_date = current_date - (c.id %% 60)::int
                 FROM (SELECT id FROM coverage_customer
                        WHERE company_id = %(company)s AND segment_id IS NOT NULL
                          AND active AND user_id <> ALL(%(sellers)s)
                        ORDER BY id LIMIT %(count)s) chosen
                WHERE chosen.id = c.id""",
            user=seller.id,
            company=company.id,
            count=count,
            sellers=[seller.id],
        )
    )
    env.cr.commit()
    env.invalidate_all()


# === ONE CONTACT === #


def measure_single_touch(env, table, company):
    """Mark a call done without and with the addon's part, and log calls."""
    env = env(
        user=env.ref("base.user_admin"),
        context={**env.context, "allowed_company_ids": company.ids},
    )
    customers = env["coverage.customer"].search(
        [("company_id", "=", company.id), ("segment_id", "!=", False)],
        limit=3 * SINGLES,
    )
    seconds = {True: [], False: []}
    for index, customer in enumerate(customers[: 2 * SINGLES]):
        has_us = bool(index % 2)
        seconds[has_us].append(measure_done(env, customer.partner_id, has_us).seconds)
    table.add_pair(
        "log_activity",
        f"mark one call done (median of {SINGLES})",
        statistics.median(seconds[False]),
        statistics.median(seconds[True]),
        "at most 20 ms more",
    )
    calls = [
        measure_call(env, customer.partner_id, number)
        for number, customer in enumerate(customers[2 * SINGLES :])
    ]
    table.add("log_call", median_of(calls), note=f"median of {SINGLES}")


def measure_done(env, partner, has_us):
    """Return the measure of marking an activity done, up to the commit."""
    activity = env["mail.activity"].create(
        {
            "res_model_id": env["ir.model"]._get_id("res.partner"),
            "res_id": partner.id,
            "activity_type_id": env.ref("mail.mail_activity_data_call").id,
            "user_id": env.uid,
        }
    )
    env.cr.commit()
    env.invalidate_all()
    with Measure() as measure:
        activity.with_context(coverage_no_touch=not has_us)._action_done("Talked")
        env.cr.commit()
    return measure


def measure_call(env, partner, number):
    """Return the measure of one call that the telephone system reports."""
    partner.phone = f"+49 30 901820{number:03}"
    env.cr.commit()
    env.invalidate_all()
    with Measure() as measure:
        env["coverage.touch"].log_call(
            partner.phone_sanitized,
            "out",
            fields.Datetime.now() - timedelta(minutes=5),
            95,
            external_id=f"bench-{number}",
        )
        env.cr.commit()
    return measure
