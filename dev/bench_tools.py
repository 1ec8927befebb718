"""Measuring and printing, for the measures of dev/bench."""

import gc
import threading
import time
from contextlib import closing

import psutil

import odoo

TABLES = (
    "coverage_change",
    "coverage_customer",
    "coverage_touch",
    "mail_activity",
    "mail_message",
    "mail_notification",
    "res_partner",
    "sale_order",
)


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

    @property
    def peak_mb(self):
        return self.peak / 2**20


class Table:
    """The rows of the table, printed as they come."""

    def __init__(self):
        self.rows = []

    def add(self, name, measure, bare=None, loop=None, note=""):
        """Add a measure, compared with bare SQL and with a loop through the ORM.

        :param loop: a measure, or the seconds that the loop would take
        """
        loop_seconds = getattr(loop, "seconds", loop)
        row = {
            "name": name,
            "seconds": round(measure.seconds, 4),
            "queries": measure.queries,
            "peak_mb": round(measure.peak_mb),
            "ratio_sql": bare and round(measure.seconds / bare.seconds, 2),
            "ratio_orm": loop_seconds and round(loop_seconds / measure.seconds, 1),
            "note": note,
        }
        self.rows.append(row)
        print(
            f"{name:<22}{row['seconds']:>10.3f} s {row['queries']:>8} queries"
            f" {row['peak_mb']:>6} MB   × SQL {row['ratio_sql'] or '–':>6}"
            f"   ORM × {row['ratio_orm'] or '–':>6}   {note}",
            flush=True,
        )

    def add_pair(self, name, what, without, with_us, note=""):
        """Add seconds of one deed, without and with us, and print the difference."""
        extra = 1000 * (with_us - without)
        self.rows.append(
            {
                "name": name,
                "seconds": round(with_us, 4),
                "extra_ms": round(extra, 1),
                "note": note,
            }
        )
        print(
            f"{what}: {1000 * without:.1f} ms without, "
            f"{1000 * with_us:.1f} ms with us, {extra:+.1f} ms   {note}",
            flush=True,
        )


def median_of(measures):
    """Return the measure with the median of the seconds."""
    return sorted(measures, key=lambda measure: measure.seconds)[len(measures) // 2]


def commit_through(env):
    """Return the function that a job commits its batches with."""

    def commit(_done, _remaining):
        env.cr.commit()
        env.invalidate_all()
        return True

    return commit


def forget(env):
    """Undo what was only measured."""
    env.cr.rollback()
    env.invalidate_all()


def vacuum(env):
    """Give the planner its statistics, as autovacuum does in real life."""
    with closing(odoo.sql_db.db_connect(env.cr.dbname).cursor()) as cr:
        cr.commit()
        cr._cnx.autocommit = True
        for table in TABLES:
            cr._obj.execute(f"VACUUM ANALYZE {table}")
        cr._cnx.autocommit = False
