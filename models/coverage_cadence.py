import logging
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..core.cadence import (
    EMAIL,
    Newcomer,
    next_contact,
    owed_per_month,
    retry_on,
    spread,
    workday,
)
from ..core.records import Contacts

_logger = logging.getLogger(__name__)

BATCH = 500
ONE_OPEN = "mail_activity_coverage_one_open"
TYPES = {
    "call": "crm_sales_coverage.activity_type_call",
    "visit": "crm_sales_coverage.activity_type_visit",
    "email": "crm_sales_coverage.activity_type_email",
}
SILENT = {
    "mail_activity_quick_update": True,
    "mail_create_nolog": True,
    "tracking_disable": True,
    "coverage_no_subscribe": True,
}
READ_BY_QUERIES = (
    "coverage.customer",
    "crm.lead",
    "mail.activity",
    "mail.activity.type",
    "res.partner",
    "res.users",
    "sale.order",
)


@dataclass(frozen=True, slots=True)
class Planned:
    """One contact that the rhythm puts on a seller's list."""

    customer_id: int
    partner_id: int
    user_id: int
    segment_id: int
    date: date


class CoverageCadence(models.AbstractModel):
    """The engine of the contact rhythm: one planned contact per customer, never two.

    Places newcomers in the rhythm, withdraws what is no longer wanted, and plans what
    is due within some days. Silent: no mail leaves, however many it plans.
    """

    _name = "coverage.cadence"
    _inherit = ["coverage.job", "coverage.frame", "coverage.rows"]
    _description = "Contact Rhythm"

    # === ENTRANCES === #

    @api.model
    def _cron_cadence(self):
        """Plan the contacts of all companies; twice does no more than once."""
        self._run_companies(self._run_cadence)

    @api.model
    def _run_cadence(self, company, now, commit=None, tally=None):
        """Bring a company's planned contacts up to its rhythm; return how many.

        Parameters as in :meth:`_run_steps`.
        """
        frame = self._prepare_frame(company, now)
        return self._run_steps(frame, now, commit, tally)

    def _get_steps(self):
        return (self._start_newcomers, self._cancel_stale, self._plan_due)

    def _tell_refused(self, count):
        return self.env._(
            "%(count)s contacts are not planned, because another rule refused the "
            "activity. The log names the customers.",
            count=count,
        )

    def _start_newcomers(self, frame, now, tally, commit):
        """Give newcomers their place in the rhythm, a seller at a time."""

        def start(owner_ids):
            starts = self._decide_starts(frame, owner_ids)
            self._apply_starts(frame, starts)

        self._flush_read()
        query = SQL(
            "SELECT DISTINCT known.owner FROM (%s) known ORDER BY 1",
            self._query_newcomers(frame),
        )
        owner_ids = [row[0] for row in self.env.execute_query(query)]
        return self._work_through(owner_ids, 1, start, commit)

    def _cancel_stale(self, frame, now, tally, commit):
        """Withdraw planned contacts that are no longer due, or not this owner's."""

        def cancel(ids):
            activities = self.env["mail.activity"].browse(ids).exists()
            activities.with_context(**SILENT).unlink()

        return self._work_through(self._collect_stale(frame), BATCH, cancel, commit)

    def _plan_due(self, frame, now, tally, commit):
        """Plan the contacts that are due."""

        def plan(batch):
            count, refused = self._apply_planned(batch)
            tally.count += count
            tally.refused += refused

        planned = self._decide_planned(frame, self._collect_due(frame))
        if commit and not commit(0, len(planned) + 1):
            return False  # from now on each batch sees what another run planned
        return self._work_through(planned, BATCH, plan, commit)

    @api.model
    def _close_fulfilled(self, touches):
        """Close the planned contacts that these touches fulfil.

        That is, where the rhythm moved beyond them: a two-way touch moves it, an e-mail
        sent does where the rhythm is by e-mail, an old one may not. Who was tried often
        enough is the leader's now; what a withdrawn touch closed is open again.
        """
        touches = touches.sudo()
        self._open_again(touches.filtered(lambda one: not one.active))
        by_customer = touches.filtered("active").grouped("customer_id")
        today = {}
        for activity in self._find_open(touches.customer_id):
            customer = activity.coverage_customer_id
            touch = by_customer.get(customer, touches.browse())[:1]
            company, due = customer.company_id, customer.next_contact_date
            if company not in today:
                now = fields.Datetime.now()
                today[company] = company._get_coverage_today(now)
            if customer.is_unreachable:
                activity.with_context(**SILENT).unlink()
            elif touch and due and due > max(today[company], activity.date_deadline):
                self._close(activity, touch)
        self._end_snoozes(touches.filtered(self._is_fulfilling))

    def _close(self, activity, touch):
        """Archive a planned contact silently, as done by this touch."""
        activity.with_context(**SILENT).write(
            {
                "active": False,
                "coverage_touch_id": touch.id,
                "feedback": touch._get_summary(),
            }
        )

    def _open_again(self, touches):
        """Open what withdrawn touches closed, unless something else is planned."""
        if not touches:
            return
        closed = (
            self.env["mail.activity"]
            .sudo()
            .with_context(active_test=False)
            .search(
                [("coverage_touch_id", "in", touches.ids), ("active", "=", False)],
            )
        )
        planned = self._find_open(closed.coverage_customer_id).coverage_customer_id
        closed.filtered(
            lambda one: one.coverage_customer_id not in planned
        ).with_context(**SILENT).write(
            {"active": True, "coverage_touch_id": False, "feedback": False}
        )

    def _end_snoozes(self, touches):
        """Let postponements be counted anew after a contact that keeps the rhythm."""
        snoozed = touches.customer_id.filtered("snoozed_since")
        self._lock(snoozed).snoozed_since = False

    def _is_fulfilling(self, touch):
        """Return whether a touch keeps the rhythm of its customer."""
        return (
            touch.active
            and touch.is_counted
            and touch.customer_id
            and (touch.is_two_way or self._is_email_rhythm(touch))
        )

    @api.model
    def _cancel_planned(self, customers):
        """Withdraw what the rhythm planned for customers that pause or change hands."""
        self._find_open(customers).with_context(**SILENT).unlink()

    # === STARTS === #

    def _decide_starts(self, frame, owner_ids=None):
        """Give newcomers their first day; ``{customer id: (start, next contact)}``.

        :param owner_ids: only of these sellers; ``None``: of all
        """
        interval_of = self._get_interval_of(frame)
        rules = {rule.key: rule for rule in frame.rules.segments}
        self._flush_read()
        contacts, newcomers = {}, []
        for key, owner, segment, potential, due, *known in self.env.execute_query(
            self._query_newcomers(frame, owner_ids)
        ):
            interval = interval_of(segment, potential)
            contacts[key] = (Contacts(*known), rules[segment], interval)
            newcomers.append(Newcomer(key, owner, segment, potential, interval, due))
        starts = {}
        for key, start in spread(newcomers, frame.today).items():
            known, rule, interval = contacts[key]
            known = known._replace(rhythm_start_date=start)
            due = next_contact(known, rule, interval, frame.rules)
            starts[key] = (start, due)
        return starts

    def _query_newcomers(self, frame, owner_ids=None):
        """Return customers that have no place in the rhythm yet.

        Without an owner who is there nobody could keep it: they wait for one.
        """
        only = SQL("")
        if owner_ids is not None:
            only = SQL("AND c.user_id IN %s", tuple(owner_ids) or (0,))
        return SQL(
            """
            SELECT c.id, c.user_id AS owner, c.segment_id,
                   COALESCE(c.potential, 0)::float8, c.next_contact_date,
                   c.last_contact_date, c.last_proven_date, c.last_email_date,
                   c.leave_alone_until, c.rhythm_start_date, c.owned_since
              FROM coverage_customer c
              JOIN res_users u ON u.id = c.user_id
             WHERE c.company_id = %(company)s AND c.active
               AND c.segment_id IS NOT NULL AND c.rhythm_start_date IS NULL
               AND %(able)s %(only)s
            """,
            company=frame.company.id,
            able=self._query_able(frame.now),
            only=only,
        )

    def _apply_starts(self, frame, starts):
        """Write first days and next contacts by SQL: they differ for every row."""
        customers = self.env["coverage.customer"].browse(starts)
        held = set(self._lock(customers).ids) if starts else set()
        values = [(key, *days) for key, days in starts.items() if key in held]
        if not values:
            return
        self.env.cr.execute_values(
            """UPDATE coverage_customer c
                  SET rhythm_start_date = v.start, next_contact_date = v.due
                 FROM (VALUES %s) AS v (id, start, due) WHERE c.id = v.id""",
            values,
            "(%s, %s::date, %s::date)",
            page_size=2_000,
        )
        names = ["rhythm_start_date", "next_contact_date"]
        customers.invalidate_recordset(names, flush=False)

    # === PLANNING === #

    def _collect_due(self, frame):
        """Return customers due by now or soon, that nobody has planned yet.

        Those that have no place in the rhythm yet are among them, whatever their day.
        """
        self._flush_read()
        return self.env.execute_query(self._query_due(frame))

    def _query_due(self, frame):
        """Select what :meth:`_collect_due` returns."""
        return SQL(
            """
            WITH by_hand AS (%(by_hand)s)
            SELECT c.id, c.partner_id, c.user_id, c.segment_id, c.next_contact_date,
                   c.rhythm_start_date IS NULL,
                   c.last_attempt_date, c.last_contact_date
              FROM coverage_customer c
              JOIN res_users u ON u.id = c.user_id
              JOIN coverage_segment s ON s.id = c.segment_id
             WHERE c.company_id = %(company)s AND c.active
               AND (c.next_contact_date <= %(until)s
                    OR c.rhythm_start_date IS NULL)
               AND COALESCE(c.leave_alone_until, '-infinity') < %(today)s
               AND COALESCE(c.attempt_day_count, 0) < %(most)s
               AND %(able)s AND NOT %(is_by_hand)s
               AND NOT EXISTS (
                   SELECT 1 FROM mail_activity a
                    WHERE a.coverage_customer_id = c.id AND a.active)
             ORDER BY c.id
            """,
            by_hand=self._query_by_hand(frame.company),
            is_by_hand=self._query_is_by_hand(frame.today),
            company=frame.company.id,
            until=self._get_soon(frame),
            today=frame.today,
            most=frame.company.coverage_max_attempts,
            able=self._query_able(frame.now),
        )

    def _get_soon(self, frame):
        """Return the last day for which contacts are planned today."""
        return frame.today + timedelta(days=frame.company.coverage_lead_days)

    def _query_able(self, now):
        """Return whether user ``u`` is there: neither archived nor out of office."""
        return SQL(
            """(u.active AND NOT (
                u.out_of_office_from IS NOT NULL AND u.out_of_office_from <= %(now)s
                AND COALESCE(u.out_of_office_to, 'infinity') >= %(now)s))""",
            now=now,
        )

    def _query_by_hand(self, company):
        """Return open contacts that people planned: customer's partner, day, record.

        On the customer, its contacts, leads and orders, for people of this company.
        """
        return SQL(
            """
            SELECT p.commercial_partner_id AS partner_id, a.id AS activity_id,
                   a.date_deadline, a.user_id, a.res_model, a.activity_type_id
              FROM mail_activity a JOIN res_partner p ON p.id = a.res_id
             WHERE a.res_model = 'res.partner' AND %(open)s AND (
                   a.user_id IS NULL OR EXISTS (
                       SELECT 1 FROM res_company_users_rel rel
                        WHERE rel.user_id = a.user_id AND rel.cid = %(company)s))
             UNION ALL
            SELECT p.commercial_partner_id, a.id, a.date_deadline, a.user_id,
                   a.res_model, a.activity_type_id
              FROM mail_activity a JOIN crm_lead l ON l.id = a.res_id
              JOIN res_partner p ON p.id = l.partner_id
             WHERE a.res_model = 'crm.lead' AND %(open)s
               AND COALESCE(l.company_id, %(company)s) = %(company)s
             UNION ALL
            SELECT p.commercial_partner_id, a.id, a.date_deadline, a.user_id,
                   a.res_model, a.activity_type_id
              FROM mail_activity a JOIN sale_order o ON o.id = a.res_id
              JOIN res_partner p ON p.id = o.partner_id
             WHERE a.res_model = 'sale.order' AND %(open)s
               AND o.company_id = %(company)s
            """,
            company=company.id,
            open=SQL(
                """a.active AND a.coverage_customer_id IS NULL
                   AND a.activity_type_id IN (
                       SELECT id FROM mail_activity_type
                        WHERE coverage_channel IS NOT NULL)"""
            ),
        )

    def _query_is_by_hand(self, today):
        """Return whether a contact by hand counts: within the segment's interval.

        Of customer ``c`` in segment ``s``, among ``by_hand``.
        """
        return SQL(
            """EXISTS (SELECT 1 FROM by_hand
                        WHERE by_hand.partner_id = c.partner_id
                          AND by_hand.date_deadline <= %s + s.contact_interval_days)""",
            today,
        )

    def _decide_planned(self, frame, rows, starts=None):
        """Return the contacts to plan, each on its day, the earliest first.

        :param starts: what newcomers would get; without it they wait for their place
        """
        starts, soon, planned = starts or {}, self._get_soon(frame), []
        retry_days = frame.company.coverage_retry_days
        for key, partner_id, user_id, segment_id, due, is_newcomer, *tried in rows:
            if is_newcomer:
                due = starts.get(key, (None, None))[1]
            if due is None:
                continue
            retry = retry_on(*tried, retry_days)
            day = max(due, frame.today, retry or frame.today)
            if day <= soon:
                one = Planned(key, partner_id, user_id, segment_id, workday(day))
                planned.append(one)
        return sorted(planned, key=lambda one: (one.date, one.customer_id))

    def _apply_planned(self, planned):
        """Create the activities; passing over customers that another run plans.

        :return: number of contacts planned, ids of customers that are refused
        """
        customers = self.env["coverage.customer"].browse(
            [one.customer_id for one in planned]
        )
        held = self._lock(customers)
        held.fetch(["user_id", "active", "leave_alone_until"])
        planned_already = self._find_open(customers).coverage_customer_id
        able = {one.id: one.user_id.id for one in held - planned_already if one.active}
        return self._create_planned(
            [one for one in planned if able.get(one.customer_id) == one.user_id]
        )

    def _create_planned(self, planned):
        """Create the activities of these contacts; a refused one stops nobody."""
        activities, refused = self.env["mail.activity"].with_context(**SILENT), []

        def create(part):
            return len(activities.create(self._prepare_activity_vals(part)))

        def refuse(alone, error):
            key = alone[0].customer_id
            _logger.warning("No contact is planned for customer %s: %s", key, error)
            refused.append(key)

        return sum(self._apart(planned, create, refuse)), refused

    def _is_race(self, error):
        """Another run that planned the same contact was faster: look again."""
        diag = getattr(error, "diag", None)
        return (
            super()._is_race(error) or getattr(diag, "constraint_name", "") == ONE_OPEN
        )

    def _prepare_activity_vals(self, planned):
        """Return the values of the activities, in the words of who will read them."""
        users = self.env["res.users"].browse({one.user_id for one in planned})
        langs = {user.id: user.lang or self.env.lang for user in users}
        types = {lang: self._get_types(lang) for lang in set(langs.values())}
        model_id = self.env["ir.model"]._get_id("res.partner")
        partners = self.env["res.partner"].browse([one.partner_id for one in planned])
        partners.mapped("display_name")  # Odoo would read them one by one
        return [
            {
                **types[langs[one.user_id]][one.segment_id],
                "res_model_id": model_id,
                "res_id": one.partner_id,
                "user_id": one.user_id,
                "date_deadline": one.date,
                "coverage_customer_id": one.customer_id,
                "automated": True,
            }
            for one in planned
        ]

    def _get_types(self, lang):
        """Return, by segment, the values of the activity of its channel."""
        self = self.with_context(lang=lang)
        types = {}
        for segment in self.env["coverage.segment"].search([]):
            kind = self.env.ref(TYPES[segment.contact_channel])
            types[segment.id] = {
                "activity_type_id": kind.id,
                "summary": self.env._(
                    "%(what)s: %(segment)s customer",
                    what=kind.summary or kind.name,
                    segment=segment.code,
                ),
            }
        return types

    # === WITHDRAWING === #

    def _collect_stale(self, frame):
        """Return the ids of planned contacts that are no longer wanted."""
        self._flush_read()
        rows = self.env.execute_query(self._query_stale(frame))
        return [row[0] for row in rows]

    def _query_stale(self, frame):
        """Select the open activities that no longer fit their customer."""
        return SQL(
            """
            WITH by_hand AS (%(by_hand)s)
            SELECT a.id
              FROM mail_activity a
              JOIN coverage_customer c ON c.id = a.coverage_customer_id
              LEFT JOIN coverage_segment s ON s.id = c.segment_id
              LEFT JOIN res_users u ON u.id = a.user_id
             WHERE a.active AND c.company_id = %(company)s AND (
                   NOT c.active OR c.next_contact_date IS NULL
                   OR c.next_contact_date > %(until)s
                   OR c.user_id IS DISTINCT FROM a.user_id
                   OR c.leave_alone_until >= %(today)s
                   OR COALESCE(c.attempt_day_count, 0) >= %(most)s
                   OR %(is_by_hand)s OR NOT %(able)s)
             ORDER BY a.id
            """,
            by_hand=self._query_by_hand(frame.company),
            is_by_hand=self._query_is_by_hand(frame.today),
            company=frame.company.id,
            until=self._get_soon(frame),
            today=frame.today,
            most=frame.company.coverage_max_attempts,
            able=self._query_able(frame.now),
        )

    def _find_open(self, customers):
        """Return the open activities that the rhythm planned for these customers."""
        if not customers:
            return self.env["mail.activity"]
        return (
            self.env["mail.activity"]
            .sudo()
            .search([("coverage_customer_id", "in", customers.ids)])
        )

    def _is_email_rhythm(self, touch):
        return (
            touch.channel == EMAIL
            and touch.direction == "out"
            and touch.customer_id.segment_id.contact_channel == EMAIL
        )

    def _flush_read(self):
        """Write what the ORM holds back of what the queries read."""
        for name in READ_BY_QUERIES:
            self.env[name].flush_model()

    # === PREVIEW === #

    @api.model
    def _preview(self, company, now, weeks):
        """Return what the rhythm would ask of each seller, writing nothing.

        :return: ``{user id or 0: {"first": count, "weeks": [count], "owed": [(customer
            id, potential, contacts a month)]}}``: ``first`` is planned at once; user 0
            stands for no owner who is there
        """
        frame = self._prepare_frame(company, now)
        interval_of = self._get_interval_of(frame)
        starts = self._decide_starts(frame)
        absent = set(self._get_absent_ids(now))
        sellers = defaultdict(lambda: {"first": 0, "weeks": [0] * weeks, "owed": []})
        for key, owner, segment, potential, due, tries in self.env.execute_query(
            self._query_rhythm(frame)
        ):
            interval = interval_of(segment, potential)
            seller = sellers[0 if owner in absent else owner]
            seller["owed"].append((key, potential, owed_per_month(interval)))
            due = starts[key][1] if key in starts else due
            if due and tries < company.coverage_max_attempts:
                self._count_weeks(seller["weeks"], frame.today, due, interval)
        planned = self._decide_planned(frame, self._collect_due(frame), starts)
        for user_id, count in Counter(one.user_id for one in planned).items():
            sellers[user_id]["first"] = count
        return dict(sellers)

    def _count_weeks(self, weeks, today, due, interval):
        """Count a customer's contacts into the weeks from today."""
        day = max(due, today)
        while (week := (day - today).days // 7) < len(weeks):
            weeks[week] += 1
            day += timedelta(days=interval)

    def _query_rhythm(self, frame):
        """Return all customers that have a rhythm."""
        return SQL(
            """
            SELECT c.id, COALESCE(c.user_id, 0), c.segment_id,
                   COALESCE(c.potential, 0)::float8, c.next_contact_date,
                   COALESCE(c.attempt_day_count, 0)
              FROM coverage_customer c
             WHERE c.company_id = %s AND c.active AND c.segment_id IS NOT NULL
             ORDER BY c.id
            """,
            frame.company.id,
        )

    def _get_absent_ids(self, now):
        """Return the ids of our users who are not there."""
        self.env["res.users"].flush_model()
        query = SQL(
            "SELECT u.id FROM res_users u WHERE NOT u.share AND NOT %s",
            self._query_able(now),
        )
        return [row[0] for row in self.env.execute_query(query)]
