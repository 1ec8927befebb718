"""Neglect in the demo department: switched on some weeks ago, warned of since."""

from datetime import timedelta

from ..models.coverage_job import Tally
from .tools import MODULE

SWITCHED_ON = 46  # days ago: the first month it only observed
NIGHTS = range(16, -1, -1)  # days ago: since then it warns


def load_idle(env, company, now):
    """Replay the warnings of the last weeks, each on its night."""
    today, tally = company._get_coverage_today(now), Tally()
    company.coverage_idle_date = today - timedelta(days=SWITCHED_ON)
    engine = env["coverage.idle"]
    for days_ago in NIGHTS:
        moment = now - timedelta(days=days_ago)
        engine._settle_neglect(company, moment, tally, None)
    engine._tell_sellers(company, now, tally, None)
    env.ref(f"{MODULE}.ir_cron_idle").active = True
