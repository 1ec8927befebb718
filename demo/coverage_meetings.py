"""Who met in small groups in the demo department, what was decided, what was learnt."""

from datetime import timedelta
from itertools import compress
from operator import not_

from .tools import MODULE, create, get_user, read

WEEKS = 4
DECISIONS = (  # seller, days after the meeting, done, what, result
    (
        "noor",
        7,
        True,
        "Leave the offer with the customer on the day of the tasting",
        "Two of three signed within the week",
    ),
    ("jonas", 14, False, "Call every frozen A, and ask for the purchaser by name", ""),
)


def load_meetings(env, company, now, customers):
    """Write reviews of some cases; let Field Sales have met, and meet again.

    :param dict customers: rows by the name of the customer
    """
    today = company._get_coverage_today(now)
    env["coverage.case.review"].search([("company_id", "=", company.id)]).unlink()
    rows = read("coverage_reviews.csv")
    is_old = [int(row["days"]) > 7 * WEEKS for row in rows]
    _load_reviews(env, today, customers, compress(rows, is_old))
    coming = today + timedelta(days=3)
    if coming.weekday() > 4:  # not on a weekend
        coming += timedelta(days=7 - coming.weekday())
    first = coming - timedelta(weeks=WEEKS)
    (rule,) = create(
        env["coverage.meeting.rule"],
        "meeting_rule",
        [
            {
                "name": "Field sales, best practice",
                "company_id": company.id,
                "team_id": env.ref(f"{MODULE}.demo_team_field").id,
                "leader_id": get_user(env, "lucia").id,
                "interval_weeks": WEEKS,
                "weekday": str(first.weekday()),
                "date_from": first,
            }
        ],
    )
    past = now - timedelta(weeks=WEEKS)
    held = rule._plan(past)
    _decide(env, held)
    held._hold(held.start)
    _load_reviews(env, today, customers, compress(rows, map(not_, is_old)))
    rule._plan(now)


def _load_reviews(env, today, customers, rows):
    """Tell what some cases taught."""
    reviews = env["coverage.case.review"]
    for row in rows:
        day = today - timedelta(days=int(row["days"]))
        review = reviews.create(
            {
                "customer_id": customers[row["customer"]].id,
                "user_id": get_user(env, row["seller"]).id,
                "kind": row["kind"],
                "date": day,
                "worked": row["worked"],
                "did_not": row["did_not"],
                "next_time": row["next_time"],
                "reader_ids": [get_user(env, one).id for one in row["readers"].split()],
            }
        )
        if review.state == "written":
            review.written_date = day + timedelta(days=2)


def _decide(env, meeting):
    """Note what the past meeting decided."""
    day = meeting.start.date()
    env["coverage.meeting.decision"].create(
        [
            {
                "meeting_id": meeting.id,
                "user_id": get_user(env, login).id,
                "date_deadline": day + timedelta(days=days),
                "is_done": is_done,
                "name": what,
                "result": result,
            }
            for login, days, is_done, what, result in DECISIONS
        ]
    )
