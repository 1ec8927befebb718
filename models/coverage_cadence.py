from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..core.cadence import EMAIL, Newcomer, next_contact, spread
from ..core.decide import contact_interval
from ..core.records import Contacts
from ..core.segment import cut_offs, share_of

BATCH = 500
TYPES = {
    "call": "crm_sales_coverage.activity_type_call",
    "visit": "crm_sales_coverage.activity_type_visit",
    "email": "crm_sales_coverage.activity_type_email",
}
SILENT = {
    "mail_activity_quick_update": True,
    "mail_create_nolog": True,
    "tracking_disable": True,
}


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
    _inherit = ["coverage.hold", "coverage.frame"]
    _description = "Contact Rhythm"

    # === ENTRANCES === #

    @api.model
    def _cron_cadence(self):
        """Plan the contacts of all companies; twice does no more than once."""
        now = fields.Datetime.now()
        for company in self.env["res.company"].search([]):
            self._run_cadence(company, now, self._commit_batch)

    @api.model
    def _run_cadence(self, company, now, commit=None):
        """Bring a company's planned contacts up to its rhythm.

        :param commit: called after each batch with the numbers done and remaining,
            returns whether to go on; without it all happens in one transaction
        :return: number of contacts planned
        """
        frame = self._prepare_frame(company, now)
        self._apply_starts(frame, self._decide_starts(frame))
        self._cancel_stale(frame)
        planned = self._decide_planned(frame, self._collect_due(frame))
        count = 0
        for start in range(0, len(planned), BATCH):
            batch = planned[start : start + BATCH]
            count += self._retry(lambda batch=batch: self._apply_planned(batch), commit)
            if commit and not commit(len(batch), len(planned) - start - len(batch)):
                break
        return count

    @api.model
    def _close_fulfilled(self, touches):
        """Close the planned contacts that these touches fulfil.

        A two-way touch always does; an e-mail sent does where the rhythm is by e-mail.
        """
        fulfilling = touches.sudo().filtered(
            lambda one: (
                one.active
                and one.is_counted
                and one.customer_id
                and (one.is_two_way or self._is_email_rhythm(one))
            )
        )
        by_customer = fulfilling.grouped("customer_id")
        activities = self._find_open(fulfilling.customer_id)
        for activity in activities:
            customer = activity.coverage_customer_id
            company = customer.company_id
            today = company._get_coverage_today(fields.Datetime.now())
            due = customer.next_contact_date
            if due and due > today:
                touch = by_customer[customer][:1]
                activity.with_context(**SILENT).write(
                    {"active": False, "feedback": touch._get_summary()}
                )

    @api.model
    def _cancel_planned(self, customers):
        """Withdraw what the rhythm planned for customers that pause or change hands."""
        self._find_open(customers).with_context(**SILENT).unlink()

    # === STARTS === #

    def _decide_starts(self, frame):
        """Give newcomers their first day; ``{customer id: (start, next contact)}``."""
        interval_of = self._get_interval_of(frame)
        rules = {rule.key: rule for rule in frame.rules.segments}
        contacts, newcomers = {}, []
        for key, owner, segment, potential, due, *known in self.env.execute_query(
            self._query_newcomers(frame.company)
        ):
            interval = interval_of(segment, potential)
            contacts[key] = (Contacts(*known), rules[segment], interval)
            newcomers.append(Newcomer(key, owner, segment, potential, interval, due))
        starts = {}
        for key, start in spread(newcomers, frame.today).items():
            known, rule, interval = contacts[key]
            known = replace(known, rhythm_start_date=start)
            due = next_contact(known, rule, interval, frame.rules)
            starts[key] = (start, due)
        return starts

    def _query_newcomers(self, company):
        """Return customers that have no place in the rhythm yet."""
        self.env["coverage.customer"].flush_model()
        return SQL(
            """
            SELECT c.id, COALESCE(c.user_id, 0), c.segment_id, c.potential::float8,
                   c.next_contact_date, c.last_contact_date, c.last_proven_date,
                   c.last_email_date, c.leave_alone_until, c.rhythm_start_date,
                   c.owned_since
              FROM coverage_customer c
             WHERE c.company_id = %s AND c.active AND c.segment_id IS NOT NULL
               AND c.rhythm_start_date IS NULL
             ORDER BY c.id
            """,
            company.id,
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

    def _get_interval_of(self, frame):
        """Return a function: segment and potential → contact interval in days."""
        rules = frame.rules
        cuts = cut_offs(rules.segments)
        positions = {rule.key: index for index, rule in enumerate(rules.segments)}

        def interval_of(segment, potential):
            share = share_of(potential or None, rules.reference)
            return contact_interval(positions.get(segment), share, cuts, rules)

        return interval_of

    # === PLANNING === #

    def _collect_due(self, frame):
        """Return customers due by now or soon, that nobody has planned yet."""
        self._flush_read()
        until = frame.today + timedelta(days=frame.company.coverage_lead_days)
        return self.env.execute_query(
            SQL(
                """
                WITH planned AS (%(planned)s)
                SELECT c.id, c.partner_id, c.user_id, c.segment_id, c.next_contact_date,
                       CASE WHEN c.last_attempt_date > COALESCE(
                                c.last_contact_date, '-infinity')
                            THEN c.last_attempt_date + %(retry)s END
                  FROM coverage_customer c
                  JOIN res_users u ON u.id = c.user_id
                 WHERE c.company_id = %(company)s AND c.active
                   AND c.next_contact_date <= %(until)s
                   AND COALESCE(c.leave_alone_until, '-infinity') < %(today)s
                   AND COALESCE(c.attempt_day_count, 0) < %(most)s
                   AND %(able)s
                   AND c.partner_id NOT IN (SELECT partner_id FROM planned)
                   AND NOT EXISTS (
                       SELECT 1 FROM mail_activity a
                        WHERE a.coverage_customer_id = c.id AND a.active)
                 ORDER BY c.id
                """,
                planned=self._query_planned_by_hand(frame),
                retry=frame.company.coverage_retry_days,
                company=frame.company.id,
                until=until,
                today=frame.today,
                most=frame.company.coverage_max_attempts,
                able=self._query_able(frame.now),
            )
        )

    def _query_able(self, now):
        """Return whether user ``u`` is there: neither archived nor out of office."""
        return SQL(
            """(u.active AND NOT (
                u.out_of_office_from IS NOT NULL AND u.out_of_office_from <= %(now)s
                AND COALESCE(u.out_of_office_to, 'infinity') >= %(now)s))""",
            now=now,
        )

    def _query_planned_by_hand(self, frame):
        """Return the customers with an open contact that a person planned.

        On the customer, its contacts, leads or orders; not beyond the longest interval.
        """
        longest = max(rule.contact_interval_days for rule in frame.rules.segments)
        return SQL(
            """
            SELECT p.commercial_partner_id AS partner_id
              FROM mail_activity a
              JOIN mail_activity_type kind ON kind.id = a.activity_type_id
                                          AND kind.coverage_channel IS NOT NULL
              LEFT JOIN crm_lead l ON a.res_model = 'crm.lead' AND l.id = a.res_id
              LEFT JOIN sale_order o ON a.res_model = 'sale.order' AND o.id = a.res_id
              JOIN res_partner p ON p.id = CASE a.res_model
                   WHEN 'res.partner' THEN a.res_id
                   WHEN 'crm.lead' THEN l.partner_id ELSE o.partner_id END
             WHERE a.active AND a.coverage_customer_id IS NULL
               AND a.res_model IN ('res.partner', 'crm.lead', 'sale.order')
               AND a.date_deadline <= %s
             UNION SELECT 0
            """,
            frame.today + timedelta(days=longest),
        )

    def _decide_planned(self, frame, rows):
        """Return the contacts to plan, each on its day, the earliest first."""
        planned = []
        for customer_id, partner_id, user_id, segment_id, due, retry in rows:
            day = max(due, frame.today, retry or frame.today)
            if day <= frame.today + timedelta(days=frame.company.coverage_lead_days):
                planned.append(
                    Planned(customer_id, partner_id, user_id, segment_id, day)
                )
        return sorted(planned, key=lambda one: (one.date, one.customer_id))

    def _apply_planned(self, planned):
        """Create the activities; passing over customers that another run plans."""
        customers = self.env["coverage.customer"].browse(
            [one.customer_id for one in planned]
        )
        held = set(self._lock(customers).ids)
        taken = set(self._find_open(customers).coverage_customer_id.ids)
        types = self._get_types()
        model_id = self.env["ir.model"]._get_id("res.partner")
        vals_list = [
            {
                **types[one.segment_id],
                "res_model_id": model_id,
                "res_id": one.partner_id,
                "user_id": one.user_id,
                "date_deadline": one.date,
                "coverage_customer_id": one.customer_id,
                "automated": True,
            }
            for one in planned
            if one.customer_id in held - taken
        ]
        self.env["mail.activity"].with_context(**SILENT).create(vals_list)
        return len(vals_list)

    def _get_types(self):
        """Return, by segment, the values of the activity of its channel."""
        types = {}
        for segment in self.env["coverage.segment"].search([]):
            kind = self.env.ref(TYPES[segment.contact_channel])
            types[segment.id] = {
                "activity_type_id": kind.id,
                "summary": self.env._(
                    "%(what)s: %(segment)s customer, every %(days)s days",
                    what=kind.name,
                    segment=segment.code,
                    days=segment.contact_interval_days,
                ),
            }
        return types

    # === WITHDRAWING === #

    def _cancel_stale(self, frame):
        """Withdraw planned contacts that are no longer due, or not this owner's."""
        self._flush_read()
        until = frame.today + timedelta(days=frame.company.coverage_lead_days)
        rows = self.env.execute_query(
            SQL(
                """
                SELECT a.id
                  FROM mail_activity a
                  JOIN coverage_customer c ON c.id = a.coverage_customer_id
                  LEFT JOIN res_users u ON u.id = a.user_id
                 WHERE a.active AND c.company_id = %(company)s AND (
                       NOT c.active OR c.next_contact_date IS NULL
                       OR c.next_contact_date > %(until)s
                       OR c.user_id IS DISTINCT FROM a.user_id
                       OR c.leave_alone_until >= %(today)s
                       OR COALESCE(c.attempt_day_count, 0) >= %(most)s
                       OR NOT %(able)s)
                """,
                company=frame.company.id,
                until=until,
                today=frame.today,
                most=frame.company.coverage_max_attempts,
                able=self._query_able(frame.now),
            )
        )
        stale = self.env["mail.activity"].browse([row[0] for row in rows])
        stale.with_context(**SILENT).unlink()

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
        for name in ("coverage.customer", "mail.activity", "res.users", "crm.lead"):
            self.env[name].flush_model()
        self.env["sale.order"].flush_model(["partner_id"])

    # === PREVIEW === #

    @api.model
    def _preview(self, company, now, weeks):
        """Return what the rhythm would ask of each seller, writing nothing.

        :return: ``{user id or 0: {"weeks": [count], "owed": [(customer id, potential,
            contacts a month)]}}``; user 0 stands for owners who are not there
        """
        frame = self._prepare_frame(company, now)
        interval_of = self._get_interval_of(frame)
        starts = self._decide_starts(frame)
        able = self._get_able(now)
        sellers = defaultdict(lambda: {"weeks": [0] * weeks, "owed": []})
        for key, owner, segment, potential, due, paused in self.env.execute_query(
            self._query_rhythm(company)
        ):
            interval = interval_of(segment, potential)
            seller = sellers[owner if owner in able else 0]
            seller["owed"].append((key, potential, 30 / interval))
            day = max(starts[key][1] if key in starts else due, frame.today)
            if paused and paused >= frame.today:
                day = max(day, paused + timedelta(days=1))
            week = (day - frame.today).days // 7
            while week < weeks:
                seller["weeks"][week] += 1
                day += timedelta(days=interval)
                week = (day - frame.today).days // 7
        return dict(sellers)

    def _query_rhythm(self, company):
        """Return all customers that have a rhythm."""
        return SQL(
            """
            SELECT c.id, COALESCE(c.user_id, 0), c.segment_id, c.potential::float8,
                   c.next_contact_date, c.leave_alone_until
              FROM coverage_customer c
             WHERE c.company_id = %s AND c.active AND c.segment_id IS NOT NULL
             ORDER BY c.id
            """,
            company.id,
        )

    def _get_able(self, now):
        """Return the ids of the users who are there."""
        self.env["res.users"].flush_model()
        query = SQL("SELECT u.id FROM res_users u WHERE %s", self._query_able(now))
        return {row[0] for row in self.env.execute_query(query)}
