from psycopg2 import errors

from odoo import models
from odoo.tools import SQL

ATTEMPTS = 3
LIST_BATCH = 1_000


class CoverageHold(models.AbstractModel):
    """Sees to it that nobody who sells waits for a refresh, or fails because of one."""

    _name = "coverage.hold"
    _description = "Holding Rows for a Refresh"

    def _retry(self, step, commit):
        """Call ``step`` again when a sale got in between; we give way, never they."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return step()
            except (errors.SerializationFailure, errors.UniqueViolation):
                if commit is None or attempt == ATTEMPTS:
                    raise
                self.env.cr.rollback()
                self.env.invalidate_all()
        return None

    def _work_through(self, items, size, act, commit):
        """Call ``act`` on batches, each a transaction; return whether time was left."""
        for start in range(0, len(items), size):
            batch = items[start : start + size]
            self._retry(lambda batch=batch: act(batch), commit)
            left = len(items) - start - len(batch)
            if commit and not commit(len(batch), left + 1):
                return False  # never 0 here: Odoo would take the job for finished
        return True

    def _apart(self, items, act, refuse):
        """Call ``act`` in a savepoint; an item that is refused stops nobody else.

        :param items: a list or recordset; halved until what is refused stands alone
        :param refuse: called with such an item, alone in its list, and the error
        :return: list of what ``act`` returned, a result for each part that went well
        """
        if not items:
            return []
        try:
            with self.env.cr.savepoint():
                return [act(items)]
        except Exception as error:  # another addon's or automation rule's veto
            if self._is_race(error):
                raise
            if len(items) == 1:
                refuse(items, error)
                return []
            half = len(items) // 2
            parts = items[:half], items[half:]
            return [one for part in parts for one in self._apart(part, act, refuse)]

    def _is_race(self, error):
        """Return whether another transaction was faster: no fault of any record."""
        return isinstance(error, errors.SerializationFailure | errors.DeadlockDetected)

    def _lock(self, customers):
        """Return those of ``customers``, or leads, that this transaction now holds.

        Neither waits nor fails: rows held by another transaction, or written by one
        since this transaction began, stay out.
        """
        if not customers:
            return customers
        customers.flush_recordset()
        query = SQL(
            """SELECT id FROM %s WHERE id IN %s
                ORDER BY id FOR NO KEY UPDATE SKIP LOCKED""",
            SQL.identifier(customers._table),
            customers._ids,
        )
        try:
            with self.env.cr.savepoint(flush=False):
                self.env.cr.execute(query, log_exceptions=False)
                ids = [row[0] for row in self.env.cr.fetchall()]
        except errors.SerializationFailure:
            if len(customers) == 1:
                return customers.browse()
            half = len(customers) // 2
            return self._lock(customers[:half]) + self._lock(customers[half:])
        return customers.browse(ids)

    def _find_customers(self, company, partner_ids):
        """Return the rows of these commercial partners, archived ones included."""
        return (
            self.env["coverage.customer"]
            .sudo()
            .with_context(active_test=False)
            .search_fetch(
                [
                    ("company_id", "=", company.id),
                    ("partner_id", "in", list(partner_ids)),
                ],
                ["partner_id", "active"],
            )
        )

    def _create_all_missing(self, company):
        """Create the rows of all new customers, while events leave theirs to us.

        Where a sale is just making a customer, only some, with a lock for each: the job
        waits for nobody, and the next night brings the others.
        """
        facts = self.env["coverage.facts"]
        key = facts._query_lock_key(company)
        lock = SQL("SELECT pg_try_advisory_xact_lock(%s)", key)
        if self.env.execute_query(lock)[0][0]:
            facts._create_missing(company)
        elif missing := facts._find_missing(company, LIST_BATCH):
            self._create_customers(company, missing)

    def _create_customers(self, company, partner_ids, lifecycle=None):
        """Create the rows of new customers, leaving to the job what others create."""
        facts = self.env["coverage.facts"].sudo()
        left = set(partner_ids)
        try:
            with self.env.cr.savepoint():
                created = facts._create_missing(company, partner_ids, lifecycle)
        except (errors.UniqueViolation, errors.SerializationFailure):
            created = {}
        else:
            if left := left - set(created.values()):
                query = facts._query_locked(company, left)
                left = {row[0] for row in self.env.execute_query(query)}
        self._leave_marks(company, self.env["res.partner"].browse(left))
        return self.env["coverage.customer"].sudo().browse(created)

    def _leave_marks(self, company, partners):
        """Note customers for the job, and wake it."""
        if not partners:
            return
        self.env["coverage.mark"].sudo().create(
            [
                {"partner_id": partner.id, "company_id": company.id}
                for partner in partners
            ]
        )
        self._wake_job()

    def _wake_job(self):
        self.env.ref("crm_sales_coverage.ir_cron_refresh").sudo()._trigger()

    def _commit_batch(self, done, remaining):
        """Commit a batch; return whether there is time for another."""
        seconds = self.env["ir.cron"]._commit_progress(done, remaining=remaining)
        self.env.invalidate_all()
        return seconds > 0
