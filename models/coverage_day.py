from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL, format_date, format_datetime

from ..core.cadence import retry_on, stake
from .coverage_owned import LAPSING_DAYS
from .groups import LEADER, MANAGER

READ = (
    "id",
    "potential",
    "revenue_12m",
    "next_contact_date",
    "segment_id",
    "last_attempt_date",
    "last_contact_date",
)


class CoverageDay(models.AbstractModel):
    """My Day: what a seller does next, ordered by what is at stake, and no more.

    Reads with the rights of whoever looks, so that a leader sees of a member's day what
    he may see. A handful of queries, however many customers the seller has.
    """

    _name = "coverage.day"
    _inherit = [
        "coverage.day.cases",
        "coverage.day.handoffs",
        "coverage.day.moves",
        "coverage.day.pool",
        "coverage.day.rethinks",
        "coverage.day.risk",
    ]
    _description = "My Day"

    @api.model
    @api.readonly
    def get_day(self, user_id=None, is_whole=False):
        """Return the day of a seller as plain data.

        :param int user_id: a member of a team one leads; oneself by default
        :param bool is_whole: all lines instead of the day's norm
        :return: dict of ``user`` and ``members`` (``{id, name}``), ``date`` (as read),
            ``lines`` (customers and leads, the highest stake first), ``more_count``,
            ``handoffs`` (what waits for an answer), ``at_risk`` (who leaves soon),
            ``rethinks`` (blue A customers to rethink, and results),
            ``pool`` (what it has for oneself),
            ``moves`` (what plans gave and took), ``cases`` (reviews to write and know),
            ``meetings``, ``goals``
            (``[{label, done, norm}]``) and ``decisions`` (``[{code, label, count}]``,
            for leaders)
        :raises AccessError: for the day of somebody one does not lead
        """
        members = self._get_members()
        user = self.env["res.users"].browse(user_id or self.env.uid)
        if user != self.env.user and user not in members:
            raise AccessError(
                self.env._("You see your own day and those of the teams you lead.")
            )
        company, now = self.env.company, fields.Datetime.now()
        today = company._get_coverage_today(now)
        found = self._find_customers(user, today) + self._find_leads(user, today)
        found.sort(key=lambda line: (-line["stake"], line["kind"], line["id"]))
        norm = company.sudo().coverage_day_norm
        shown = found if is_whole else found[:norm]
        return {
            "user": {"id": user.id, "name": user.sudo().name},
            "is_own": user == self.env.user,
            "members": [
                {"id": one.id, "name": one.name}
                for one in (members | self.env.user).sudo().sorted("name")
            ]
            if members
            else [],
            "date": format_date(self.env, today, date_format="EEEE, d MMMM"),
            "norm": norm,
            "lines": self._tell_lines(shown, user, today),
            "more_count": len(found) - len(shown),
            "has_customers": bool(found)
            or bool(
                self.env["coverage.customer"].search_count(
                    [("user_id", "=", user.id), ("company_id", "=", company.id)],
                    limit=1,
                )
            ),
            "handoffs": self._get_handoffs(user, today),
            "at_risk": self._get_at_risk(user),
            "rethinks": self._get_rethinks(user),
            "moves": self._get_moves(user),
            "cases": self._get_cases(user, today),
            "meetings": self._get_meetings(user, today),
            "goals": self._get_goals(user, today),
            "decisions": self._get_decisions() if user == self.env.user else [],
            "pool": self._get_pool(now) if user == self.env.user else False,
            "covers": self._get_covers(user),
        }

    def _get_members(self):
        """Return the sellers whose day one may open: of teams led, or of all teams."""
        user = self.env.user
        if not user.has_group(LEADER):
            return user.browse()
        domain = Domain("company_id", "in", (False, self.env.company.id))
        if not user.has_group(MANAGER):
            domain &= Domain("user_id", "=", user.id)
        teams = self.env["crm.team"].sudo().search(domain)
        members = teams.crm_team_member_ids.user_id.with_env(self.env)
        return members - user

    # === WHAT IS DUE === #

    def _find_customers(self, user, today):
        """Return customers due, overdue and to try again, not paused, not given up.

        Those with whom a contact was agreed for today or before come with it, whatever
        their rhythm says.
        """
        company = self.env.company.sudo()
        kept = self._get_kept(user, today)
        customers = self.env["coverage.customer"]
        query = customers._search(self._get_due_domain(user, today, kept))
        table = query.table
        rows = self.env.execute_query(
            query.select(*(customers._field_to_sql(table, name) for name in READ))
        )
        segments = self._get_segments()
        agreed = self._get_agreed(user, today)
        lines = []
        for id_, potential, revenue, due, segment_id, tried, spoken in rows:
            again = retry_on(tried, spoken, company.coverage_retry_days)
            if again and again > today:
                continue
            if id_ not in kept and agreed.get(id_, today) > today:
                continue
            activity_id, due = kept.get(id_, (None, due))
            weight, interval = segments.get(segment_id, (0, 90))
            late = (today - due).days
            lines.append(
                {
                    "kind": "customer",
                    "id": id_,
                    "due": due,
                    "days_late": late,
                    "missing": max(0.0, float(potential or 0) - float(revenue or 0)),
                    "agreed_id": activity_id,
                    "stake": stake(
                        float(potential or 0),
                        float(revenue or 0),
                        late,
                        interval,
                        weight,
                    ),
                }
            )
        return lines

    def _get_due_domain(self, user, today, kept):
        """Return the customers due by their rhythm, and those in ``kept``."""
        company = self.env.company.sudo()
        soon = today + timedelta(days=company.coverage_lead_days)
        is_due = (
            Domain("user_id", "=", user.id)
            & Domain("next_contact_date", "<=", soon)
            & Domain("attempt_day_count", "<", company.coverage_max_attempts)
        )
        is_awake = Domain("leave_alone_until", "=", False) | Domain(
            "leave_alone_until", "<", today
        )
        return (
            Domain("company_id", "=", company.id)
            & is_awake
            & (is_due | Domain("id", "in", list(kept)))
        )

    def _get_segments(self):
        """Return weight (0–1) and interval in days by segment id."""
        rules = self.env["coverage.segment"]._get_rules()
        return {
            rule.key: (rule.typical_share / 100, rule.contact_interval_days)
            for rule in rules
        }

    def _get_kept(self, user, today):
        """Return the contact agreed by hand and due: its activity and day, by customer.

        Of leads not: they come with their own next step.
        """
        self.env["mail.activity"].flush_model()
        rows = self.env.execute_query(self._query_kept(user, today))
        return {
            customer_id: (activity_id, day) for customer_id, activity_id, day in rows
        }

    def _query_kept(self, user, today):
        """Select the first due activity by hand of each customer."""
        return SQL(
            """
            SELECT DISTINCT ON (c.id) c.id, a.id, a.date_deadline
              FROM mail_activity a
              JOIN mail_activity_type kind ON kind.id = a.activity_type_id
                                          AND kind.coverage_channel IS NOT NULL
              JOIN res_partner p ON p.id = a.res_id
              JOIN coverage_customer c ON c.partner_id = p.commercial_partner_id
             WHERE a.active AND a.user_id = %s AND a.date_deadline <= %s
               AND a.res_model = 'res.partner'
               AND a.coverage_customer_id IS NULL
               AND c.company_id = %s
             ORDER BY c.id, a.date_deadline, a.id
            """,
            user.id,
            today,
            self.env.company.id,
        )

    def _get_agreed(self, user, today):
        """Return the latest day for which a contact by hand is agreed, by customer."""
        self.env["mail.activity"].flush_model()
        rows = self.env.execute_query(self._query_agreed(user, today))
        return dict(rows)

    def _query_agreed(self, user, today):
        """Select the last coming activity by hand of each customer."""
        return SQL(
            """
            SELECT c.id, max(a.date_deadline)
              FROM mail_activity a
              JOIN mail_activity_type kind ON kind.id = a.activity_type_id
                                          AND kind.coverage_channel IS NOT NULL
              LEFT JOIN crm_lead l ON a.res_model = 'crm.lead' AND l.id = a.res_id
              JOIN res_partner p ON p.id = CASE a.res_model
                   WHEN 'res.partner' THEN a.res_id ELSE l.partner_id END
              JOIN coverage_customer c ON c.partner_id = p.commercial_partner_id
             WHERE a.active AND a.user_id = %s AND a.date_deadline > %s
               AND a.coverage_customer_id IS NULL
               AND c.company_id = %s
             GROUP BY c.id
            """,
            user.id,
            today,
            self.env.company.id,
        )

    def _find_leads(self, user, today):
        """Return open leads whose next step, planned by activity, is due."""
        activities = (
            self.env["mail.activity"]
            .sudo()
            .search_fetch(
                [
                    ("user_id", "=", user.id),
                    ("res_model", "=", "crm.lead"),
                    ("date_deadline", "<=", today),
                ],
                ["res_id", "date_deadline"],
                order="date_deadline, id",
            )
        )
        first = {}
        for activity in activities:
            first.setdefault(activity.res_id, activity)
        leads = self.env["crm.lead"].search_fetch(
            [("id", "in", list(first)), ("won_status", "=", "pending")],
            ["expected_revenue", "probability", "company_id", "partner_id", "user_id"],
        )
        segments, lines = self._get_segments(), []
        for lead in leads:
            if lead.company_id not in (self.env["res.company"], self.env.company):
                continue
            activity = first[lead.id]
            weight, interval = segments.get(lead.segment_id.id, (0.1, 30))
            late = (today - activity.date_deadline).days
            lines.append(
                {
                    "kind": "lead",
                    "id": lead.id,
                    "due": activity.date_deadline,
                    "days_late": late,
                    "missing": lead.expected_revenue,
                    "activity": activity,
                    "stake": stake(lead.expected_revenue, 0, late, interval, weight),
                }
            )
        return lines

    # === AS PEOPLE READ IT === #

    def _tell_lines(self, lines, user, today):
        """Return the lines as the screen shows them: who, why now, what before, how."""
        ids = [line["id"] for line in lines if line["kind"] == "customer"]
        customers = self.env["coverage.customer"].browse(ids)
        customers.fetch(["partner_id", "segment_id", "temperature_id", "yield_rate"])
        last = self._get_last_touches(customers)
        persons = self._get_persons(customers, last)
        planned = self._get_planned(customers, user) | self._get_kept_steps(lines)
        by_id = {one.id: one for one in customers}  # read together, not one by one
        told = []
        for line in lines:
            if line["kind"] == "lead":
                told.append(self._tell_lead(line, today))
                continue
            customer = by_id[line["id"]]
            told.append(
                self._tell_customer(
                    line, customer, last, persons[customer], planned, today
                )
            )
        return told

    def _tell_customer(self, line, customer, last, person, planned, today):
        segment, level = customer.segment_id, customer.temperature_id
        money = self.env["coverage.why"]._money(customer.currency_id)
        activity, is_agreed = planned.get(customer.id), bool(line["agreed_id"])
        partner = customer.partner_id.sudo()
        return {
            **self._tell_base(line, today),
            "key": f"customer-{customer.id}",
            "partner_id": partner.id,
            "name": partner.display_name,
            "segment": segment.code,
            "temperature": level.code or "",
            "icon": level.icon or "",
            "badge": customer.badge,
            "why": self._tell_agreed(activity)
            if is_agreed
            else self._tell_why(line, customer, today),
            "stake_text": self.env._(
                "%(amount)s not earned yet", amount=money(line["missing"])
            ),
            "last": self._tell_last(last.get(customer.id)),
            "person": {"id": person.id, "name": person.name or ""},
            "phone": person.phone or partner.phone or "",
            "email": person.email or partner.email or "",
            "next": self._tell_channel(segment),
            "activity_id": activity.id if activity else False,
            "is_agreed": is_agreed,
            "is_asked": bool(customer.leave_alone_asked_until),
            "attempts": customer.attempt_day_count,
        }

    def _tell_lead(self, line, today):
        lead = self.env["crm.lead"].browse(line["id"])
        activity = line["activity"]
        money = self.env["coverage.why"]._money(lead.company_currency)
        return {
            **self._tell_base(line, today),
            "key": f"lead-{lead.id}",
            "partner_id": lead.partner_id.id,
            "name": lead.name,
            "segment": lead.segment_id.code or "",
            "temperature": "",
            "icon": "",
            "badge": lead.segment_id.code or "",
            "why": self._tell_agreed(activity),
            "stake_text": self.env._(
                "%(amount)s expected", amount=money(line["missing"])
            ),
            "last": "",
            "person": {
                "id": lead.partner_id.id,
                "name": lead.contact_name or lead.partner_id.name or "",
            },
            "phone": lead.phone or "",
            "email": lead.email_from or "",
            "next": activity.summary or activity.activity_type_id.name,
            "activity_id": activity.id,
            "is_agreed": True,
            "is_asked": False,
            "attempts": 0,
        }

    def _tell_base(self, line, today):
        return {
            "kind": line["kind"],
            "id": line["id"],
            "state": "overdue" if line["due"] < today else "due",
            "days_late": max(0, line["days_late"]),
            "stake": round(line["stake"]),
        }

    def _tell_agreed(self, activity):
        """Return what was agreed, and for when."""
        return self.env._(
            "Next step due on %(date)s: %(step)s",
            date=format_date(self.env, activity.date_deadline, date_format="d MMM"),
            step=activity.summary or activity.activity_type_id.name,
        )

    def _tell_channel(self, segment):
        """Return how customers of a segment are contacted."""
        channels = segment._fields["contact_channel"]._description_selection(self.env)
        return dict(channels).get(segment.contact_channel, "")

    def _tell_why(self, line, customer, today):
        """Return why this customer is on the list today."""
        _ = self.env._
        words = {
            "segment": customer.segment_id.code,
            "days": line["days_late"],
            "date": format_date(self.env, line["due"], date_format="d MMM"),
            "attempts": customer.attempt_day_count,
        }
        if customer.attempt_day_count == 1:
            return _("Try again: 1 attempt without an answer")
        if customer.attempt_day_count:
            return _("Try again: %(attempts)s attempts without an answer", **words)
        if not customer.last_contact_date:
            return _("%(segment)s, never spoken to", **words)
        if line["days_late"] == 1:
            return _("%(segment)s, 1 day overdue", **words)
        if line["days_late"] > 0:
            return _("%(segment)s, %(days)s days overdue", **words)
        if line["due"] == today:
            return _("%(segment)s, due today", **words)
        return _("%(segment)s, due on %(date)s", **words)

    def _get_last_touches(self, customers):
        """Return the newest touch of each customer."""
        self.env["coverage.touch"].flush_model()
        rows = self.env.execute_query(self._query_last_touches(customers))
        touches = self.env["coverage.touch"].sudo().browse([row[0] for row in rows])
        return {touch.customer_id.id: touch for touch in touches}

    def _query_last_touches(self, customers):
        """Select the newest touch of each customer."""
        return SQL(
            """SELECT last.id FROM unnest(%s::int[]) AS c (id) CROSS JOIN LATERAL (
                   SELECT t.id FROM coverage_touch t
                    WHERE t.customer_id = c.id AND t.active
                    ORDER BY t.date DESC, t.id DESC LIMIT 1) last""",
            customers.ids,
        )

    def _tell_last(self, touch):
        """Return the last contact in a few words; empty without one."""
        if not touch:
            return ""
        channels = dict(touch._fields["channel"]._description_selection(self.env))
        words = {
            "channel": channels[touch.channel],
            "person": touch.partner_id.name or "",
            "date": format_date(self.env, touch.date, date_format="d MMM yyyy"),
            "outcome": touch.outcome_id.name or "",
        }
        parts = [words["channel"], words["person"], words["date"], words["outcome"]]
        return ", ".join(part for part in parts if part)

    def _get_persons(self, customers, last):
        """Return whom to speak to: who was last spoken to, else who decides."""
        partners = customers.partner_id.sudo()
        children = (
            self.env["res.partner"]
            .sudo()
            .search_fetch(
                [
                    ("commercial_partner_id", "in", partners.ids),
                    ("id", "not in", partners.ids),
                    ("type", "=", "contact"),
                ],
                [
                    "name",
                    "phone",
                    "email",
                    "commercial_partner_id",
                    "is_decision_maker",
                ],
                order="is_decision_maker desc, id",
            )
        )
        by_customer = children.grouped("commercial_partner_id")
        persons = {}
        for customer in customers:
            partner = customer.partner_id.sudo()
            touch = last.get(customer.id)
            spoken = touch.partner_id if touch else partner.browse()
            known = by_customer.get(partner, children.browse())
            person = spoken if spoken in known else known[:1]
            persons[customer] = person or partner
        return persons

    def _get_planned(self, customers, user):
        """Return the open activity of each customer that the rhythm planned."""
        activities = self.env["coverage.cadence"].sudo()._find_open(customers)
        return {one.coverage_customer_id.id: one for one in activities}

    def _get_kept_steps(self, lines):
        """Return the activity agreed by hand of each customer that came with one."""
        by_customer = {
            line["id"]: line["agreed_id"] for line in lines if line.get("agreed_id")
        }
        activities = self.env["mail.activity"].sudo().browse(by_customer.values())
        return dict(zip(by_customer, activities, strict=True))

    # === THE REST OF THE DAY === #

    def _get_bounds(self, today):
        """Return begin and end of the company's day, naive UTC."""
        company, tomorrow = self.env.company, today + timedelta(days=1)
        return (
            company._get_coverage_midnight(today),
            company._get_coverage_midnight(tomorrow),
        )

    def _get_meetings(self, user, today):
        """Return today's meetings of the seller, as the calendar shows them to us."""
        begin, end = self._get_bounds(today)
        meetings = self.env["calendar.event"].search(
            [
                ("partner_ids", "in", user.sudo().partner_id.ids),
                ("start", "<", end),
                ("stop", ">=", begin),
            ],
            order="start, id",
            limit=20,
        )
        return [
            {
                "id": meeting.id,
                "pack_id": meeting.res_id
                if meeting.res_model == "coverage.meeting"
                else False,
                "name": meeting.display_name,
                "time": ""
                if meeting.allday
                else format_datetime(self.env, meeting.start, dt_format="HH:mm"),
                "place": meeting.location or "",
            }
            for meeting in meetings
        ]

    def _get_goals(self, user, today):
        """Return calls, two-way contacts and minutes of today against the norm."""
        begin, end = self._get_bounds(today)
        company = self.env.company.sudo()
        touches = self.env["coverage.touch"].sudo()
        groups = touches._read_group(
            [
                ("user_id", "=", user.id),
                ("company_id", "=", company.id),
                ("date", ">=", begin),
                ("date", "<", end),
            ],
            ["channel", "is_two_way"],
            ["__count", "minutes:sum"],
        )
        calls = sum(count for channel, _two, count, _min in groups if channel == "call")
        contacts = sum(count for _channel, two_way, count, _min in groups if two_way)
        minutes = sum(total or 0 for _channel, _two, _count, total in groups)
        _ = self.env._
        return [
            {"label": _("Calls"), "done": calls, "norm": company.coverage_norm_calls},
            {
                "label": _("Two-way contacts"),
                "done": contacts,
                "norm": company.coverage_norm_contacts,
            },
            {
                "label": _("Minutes of talk"),
                "done": round(minutes),
                "norm": company.coverage_norm_minutes,
            },
        ]

    def _get_decisions(self):
        """Return what waits for the user, and how many of it.

        :return: ``[{code, label, count}]``; for leaders the kinds of
            ``coverage.decision``, then the user's own ``requests`` and ``lapsing``
        """
        counts = self._get_own_counts()
        if self.env.user.has_group(LEADER):
            counts = self.env["coverage.decision"]._get_counts() | counts
        return [
            {"code": code, "label": label, "count": counts[code]}
            for code, label in self._get_decision_labels().items()
            if counts.get(code)
        ]

    def _get_decision_labels(self):
        _, kinds = self.env._, self.env["coverage.decision"]._fields["kind"]
        return {
            **dict(kinds._description_selection(self.env)),
            "requests": _("You asked your leader"),
            "lapsing": _("Your registration lapses soon"),
        }

    def _get_own_counts(self):
        """Return how many own requests are open, and registrations lapse soon."""
        requests = self.env["coverage.request"].search_count(
            [
                ("user_id", "=", self.env.uid),
                ("company_id", "=", self.env.company.id),
                ("state", "=", "open"),
            ]
        )
        return {"requests": requests, "lapsing": len(self._find_lapsing())}

    def _find_lapsing(self):
        """Return one's own registrations that lapse within days."""
        company = self.env.company
        today = company._get_coverage_today(fields.Datetime.now())
        customers = self.env["coverage.customer"]
        found = customers.search(
            customers._get_lapsing_domain(self.env.user, company, today)
        )
        soon = today + timedelta(days=LAPSING_DAYS)
        return found.filtered(lambda one: one.lapse_date and one.lapse_date <= soon)

    @api.model
    def action_open_decisions(self, code):
        """Open what waits for the user, of one kind.

        :raises UserError: for a kind that there is not
        """
        labels = self._get_decision_labels()
        if code not in labels:
            raise UserError(self.env._("Choose what is to be decided."))
        if code == "lapsing":
            model, domain = "customer", [("id", "in", self._find_lapsing().ids)]
        elif code == "requests":
            model = "request"
            domain = [("user_id", "=", self.env.uid), ("state", "=", "open")]
        else:
            model, domain = "decision", [("kind", "=", code)]
        action = self.env["ir.actions.act_window"]._for_xml_id(
            f"crm_sales_coverage.coverage_{model}_action"
        )
        if model != "customer":
            domain.append(("company_id", "=", self.env.company.id))
        return {**action, "name": labels[code], "domain": domain, "context": {}}
