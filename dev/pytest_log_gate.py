"""Make a pytest run honest: log problems and skipped tests of our addon fail it.

Loaded by dev/test with ``-p pytest_log_gate``. ``python pytest_log_gate.py FILE``
reads the log of an installation by the same measure. Records that a test expects
(``assertLogs``, ``mute_logger``) never reach the root logger, hence not this gate.
"""

import logging
import re
import sys
import warnings
from pathlib import Path

import pytest

ADDON = "crm_sales_coverage"
# The cache folder may bear the addon's name; the virtual environment lies in it.
CACHE = str(Path(sys.prefix).parent)
OURS = re.compile(rf"{ADDON}|\bcoverage[._][a-z]")
RECORD_START = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+ \d+ ", re.MULTILINE)
SEVERE = re.compile(r"^\S+ \S+ \S+ (WARNING|ERROR|CRITICAL) ")
# Tests of Odoo that fail without our addon too, and why.
KNOWN_CORE_FAILURES = {
    "TestLeadAssignPerf::test_assign_perf_no_duplicates": (
        "counts the queries of Odoo's own lab, where fewer modules are installed"
    ),
}


def is_ours(text):
    """Does the text speak of our addon, its models, fields or files?"""
    return bool(OURS.search(text.replace(CACHE, "")))


def find_problems(log_text):
    """Return the records of a log file that are severe and speak of our addon."""
    starts = [match.start() for match in RECORD_START.finditer(log_text)]
    records = [
        log_text[start:end].rstrip()
        for start, end in zip(starts, [*starts[1:], None], strict=True)
    ]
    return [record for record in records if SEVERE.match(record) and is_ours(record)]


def pytest_addoption(parser):
    parser.addoption(
        "--core-run",
        action="store_true",
        help="Odoo's own tests: their skips and known failures are forgiven",
    )


def pytest_configure(config):
    gate = Gate(forgives_skips=config.getoption("--core-run"))
    logging.getLogger().addHandler(gate)
    config.pluginmanager.register(gate)


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--core-run"):
        return
    for item in items:
        for name, reason in KNOWN_CORE_FAILURES.items():
            if item.nodeid.endswith(name):
                item.add_marker(pytest.mark.xfail(reason=reason))


class Gate(logging.Handler):
    """Collect what makes a run dishonest, then say it and fail the session."""

    def __init__(self, forgives_skips):
        super().__init__(logging.WARNING)
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
        self.forgives_skips = forgives_skips
        self.current_test = "outside of a test"
        self.problems = []
        self.skips = []

    # === COLLECT === #

    def emit(self, record):
        text = self.format(record)
        if is_ours(text) or is_ours(record.pathname):
            self.problems.append(f"{self.current_test}: {text}")

    @pytest.hookimpl
    def pytest_warning_recorded(self, warning_message, nodeid):
        if is_ours(warning_message.filename):
            text = warnings.formatwarning(
                warning_message.message,
                warning_message.category,
                warning_message.filename,
                warning_message.lineno,
            )
            self.problems.append(f"{nodeid}: {text.rstrip()}")

    @pytest.hookimpl
    def pytest_runtest_logstart(self, nodeid):
        self.current_test = nodeid

    @pytest.hookimpl
    def pytest_runtest_logfinish(self):
        self.current_test = "outside of a test"

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report):
        self._note_skip(report)

    @pytest.hookimpl
    def pytest_collectreport(self, report):
        self._note_skip(report)

    def _note_skip(self, report):
        expected = self.forgives_skips or hasattr(report, "wasxfail")
        if report.skipped and not expected:
            self.skips.append(f"{report.nodeid}: {report.longrepr[2]}")

    # === JUDGE === #

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session):
        if (self.skips or self.problems) and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter):
        for title, lines in (("skipped tests", self.skips), ("log", self.problems)):
            if lines:
                terminalreporter.section(f"{title}: the run fails", red=True, bold=True)
                terminalreporter.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    found = find_problems(Path(sys.argv[1]).read_text(errors="replace"))
    print("\n".join(found), end="\n" if found else "")
    sys.exit(bool(found))
