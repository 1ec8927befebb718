"""Who handed what to whom in the demo department, and what waits for an answer."""

from datetime import timedelta

from .tools import get_user, read


def load_handoffs(env, company, now, customers):
    """Replay handoffs of the past, each on its day; leave some open.

    :param dict customers: rows by the name of the customer
    """
    for row in read("coverage_handoffs.csv"):
        moment = now - timedelta(days=int(row["days"]))
        _replay(env, company, moment, customers[row["customer"]], row)
    env["coverage.request"].create(
        [
            {
                "kind": row["kind"],
                "customer_id": customers[row["customer"]].id,
                "user_id": customers[row["customer"]].user_id.id,
                "reason": row["reason"],
            }
            for row in read("coverage_requests.csv")
        ]
    )


def _replay(env, company, moment, customer, row):
    """Let one handoff come as far as it came, signed by those who moved it."""
    giver, receiver = customer.user_id, get_user(env, row["receiver"])
    known, today = customer.change_ids, company._get_coverage_today(moment)
    handoff = env["coverage.handoff"].create(
        {
            "customer_id": customer.id,
            "to_user_id": receiver.id,
            "reason": row["reason"],
            "begin_date": moment,
        }
    )
    if row["end"] in ("draft", "called"):
        handoff.date_deadline = today + timedelta(days=6)
        handoff.is_called = row["end"] == "called"
        return
    handoff.with_user(giver).sudo()._offer(moment)
    answer = handoff.with_user(receiver).sudo()
    if row["end"] == "declined":
        answer._close("declined", row["note"], moment)
    elif row["end"] != "offered":
        answer._take(moment)
        customer.owned_since = today
    if row["end"] == "completed":
        handoff.sudo()._complete(False, moment + timedelta(days=90))
        handoff.write({"giver_rating": "good", "receiver_rating": "good"})
        handoff.activity_ids.unlink()
    handoff.step_ids.date = moment
    (customer.change_ids - known).date = moment
