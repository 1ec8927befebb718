"""What the pool of the demo department offered to whom, and the answers."""

from datetime import timedelta

from .tools import get_user, read


def released(note):
    """Return the reason of a change of owner that puts a customer into the pool."""
    return {"code": "released", "text": note}


def load_pool(env, company, now, customers):
    """Let sellers have been offered customers, and have passed them or not answered.

    :param dict customers: rows by the name of the customer
    """
    claims = env["coverage.claim"]
    for row in read("coverage_claims.csv"):
        moment = now - timedelta(days=int(row["days"]))
        customer, seller = customers[row["customer"]], get_user(env, row["seller"])
        vals = claims._prepare_offer(seller, company, customer, moment)
        claim = claims.create({**vals, "score": 50.0, "reasons": []})
        if row["state"] == "passed":
            claim.write({"pass_reason": row["reason"], "pass_text": row["text"]})
        claim._update_state(row["state"], moment + timedelta(hours=2))
