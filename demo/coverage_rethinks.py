"""What owners of the demo department answered about their blue A customers."""

from datetime import timedelta

from .tools import get_user, read

CHANGED_WITHIN = timedelta(days=30)


def load_rethinks(env, company, now, customers):
    """Let owners have answered and leaders confirmed what the past nights asked for.

    :param dict customers: rows by the name of the customer
    """
    engine = env["coverage.rethink.engine"]
    for row in read("coverage_rethinks.csv"):
        rethinks = customers[row["customer"]].rethink_ids.sorted("id")
        rethink = rethinks.filtered(lambda one: one.state == "open")[-1:]
        if not rethink:
            continue
        answered = rethink.date + timedelta(days=int(row["answered"]))
        rethink._update_state(
            "answered",
            reason=row["reason"],
            change=row["change"],
            change_date=answered + CHANGED_WITHIN,
            answered_user_id=rethink.user_id.id,
            answered_date=answered,
        )
        if row["confirmed"]:
            confirmed = rethink.date + timedelta(days=int(row["confirmed"]))
            rethink._update_state(
                "confirmed",
                confirmed_user_id=get_user(env, row["leader"]).id,
                confirmed_date=confirmed,
                result_date=confirmed
                + timedelta(days=company.coverage_rethink_result_days),
            )
    engine._run_rethink(company, now)
    oldest = customers["Blue Heron Hotel"]
    if oldest.is_blue_top and oldest.rethink_state == "closed":
        engine._open(company, oldest, now - timedelta(days=1))  # once more, by hand
