"""What the parts of the demo department share: reading, numbering, telling days."""

import csv
import re
from pathlib import Path

MODULE = "crm_sales_coverage"


def read(name):
    """Return the lines of a CSV file beside this one."""
    with (Path(__file__).parent / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def create(model, kind, vals_list):
    """Create numbered demo records; uninstalling removes what has an XML id."""
    return model._load_records(
        [
            {
                "xml_id": f"{MODULE}.demo_{kind}_{number}",
                "values": vals,
                "noupdate": True,
            }
            for number, vals in enumerate(vals_list, start=1)
        ]
    )


def days_of(phase):
    """Return days ago, the oldest first: ``90-30/20`` is 90, 70, 50, 30; ``7`` is 7."""
    start, stop, step = (*map(int, re.split("[-/]", phase)), None, None)[:3]
    if stop is None:
        return [start]
    return list(reversed(range(stop, start + 1, step)))


def slug(name):
    """Return a name as it stands in an address."""
    return re.sub("[^a-z0-9]+", "_", name.lower()).strip("_")[:40]


def get_user(env, login):
    """Return the person with this login, or nobody."""
    if not login:
        return env["res.users"]
    return env.ref(f"{MODULE}.demo_user_{login}")
