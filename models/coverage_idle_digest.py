from odoo import models
from odoo.tools import SQL

from .coverage_cadence import SILENT

TYPE = "crm_sales_coverage.activity_type_idle"
NAMED = 3


class CoverageIdleDigest(models.AbstractModel):
    """Tells each seller, by one activity, which customers leave soon.

    Made with the first warning, brought up to date, withdrawn when none is left. Who
    marks it done is told again when the next warning is due. No mail.
    """

    _name = "coverage.idle.digest"
    _description = "Digest of Warnings"

    def _tell_sellers(self, company, now, tally, commit):
        """Bring the activities of a company's sellers up to date."""

        def tell(user_ids):
            self._tell_owners(self.env["res.users"].browse(user_ids), now)

        self.env["coverage.customer"].flush_model()
        self.env["mail.activity"].flush_model()
        rows = self.env.execute_query(self._query_told(company))
        return self._work_through([row[0] for row in rows], 500, tell, commit)

    def _query_told(self, company):
        """Return the sellers of a company that are warned, or were."""
        return SQL(
            """
            SELECT user_id FROM coverage_customer
             WHERE company_id = %s AND active AND idle_warning_level > 0
               AND user_id IS NOT NULL
             UNION
            SELECT user_id FROM mail_activity WHERE activity_type_id = %s AND active
             ORDER BY 1
            """,
            company.id,
            self.env.ref(TYPE).id,
        )

    def _tell_owners(self, users, now):
        """Give, change or withdraw the activities of these sellers, whatever company.

        :return: how many sellers have one now
        """
        users = users.sudo()
        warned = self._collect_warned(users, now)
        known = self._find_digests(users, now)
        open_ones = known.filtered("active")
        open_ones.filtered(lambda one: one.user_id.id not in warned).unlink()
        by_user, vals_list = known.exists().grouped("user_id"), []
        for user in users.filtered(lambda one: one.id in warned):
            vals = self._prepare_digest(user, *warned[user.id][:3])
            if user in by_user:
                self._update_digest(by_user[user].filtered("active")[:1], vals)
            elif warned[user.id][3]:
                vals_list.append(vals)
        known.create(vals_list)
        return len(warned)

    def _find_digests(self, users, now):
        """Return the activities of these sellers: open ones, and those done today."""
        activities = self.env["mail.activity"].sudo()
        return activities.with_context(**SILENT, active_test=False).search(
            [
                ("activity_type_id", "=", self.env.ref(TYPE).id),
                ("user_id", "in", users.ids),
                "|",
                ("active", "=", True),
                ("date_done", ">=", now.date()),
            ],
            order="id",
        )

    def _update_digest(self, activity, vals):
        """Write what differs of an activity."""
        changed = {
            name: vals[name]
            for name in ("summary", "date_deadline")
            if activity and activity[name] != vals[name]
        }
        if changed:
            activity.write(changed)

    def _prepare_digest(self, user, count, first_day, lines):
        """Return the values of a seller's activity, in the seller's words."""
        return {
            "activity_type_id": self.env.ref(TYPE).id,
            "user_id": user.id,
            "automated": True,
            "date_deadline": first_day,
            "summary": self._tell_digest(user, count, lines),
        }

    def _tell_digest(self, user, count, lines):
        """Return what the seller reads: how many, which first and when."""
        words = self.with_context(lang=user.lang or self.env.lang)
        names = [f"{name} ({words._tell_day(day)})" for name, day in lines]
        if count > len(names):
            names.append(words.env._("%(count)s more", count=count - len(names)))
        listed = ", ".join(names)
        if count == 1:
            return words.env._("1 customer leaves you soon: %(names)s", names=listed)
        return words.env._(
            "%(count)s customers leave you soon: %(names)s", count=count, names=listed
        )

    def _collect_warned(self, users, now):
        """Return ``{user id: (count, first day, [(name, day)], is news)}``."""
        if not users.ids:
            return {}
        self.env["coverage.customer"].flush_model()
        self.env["res.partner"].flush_model(["name"])
        companies = self.env["res.company"].sudo().search([])
        days = [
            SQL("(%s, %s::date)", one.id, one._get_coverage_today(now))
            for one in companies
        ]
        rows = self.env.execute_query(self._query_warned(users, SQL(", ").join(days)))
        return {
            user_id: (count, min(dates), list(zip(names, dates, strict=True)), is_news)
            for user_id, count, names, dates, is_news in rows
        }

    def _query_warned(self, users, days):
        """Return by owner how many leave soon, the first of them, and what is new."""
        return SQL(
            """
            SELECT c.user_id, count(*),
                   (array_agg(p.name ORDER BY c.idle_date, c.id))[1:%(named)s],
                   (array_agg(c.idle_date ORDER BY c.idle_date, c.id))[1:%(named)s],
                   bool_or(c.idle_warning_date = day.today)
              FROM coverage_customer c
              JOIN res_partner p ON p.id = c.partner_id
              JOIN (VALUES %(days)s) day (company_id, today)
                ON day.company_id = c.company_id
             WHERE c.active AND c.idle_warning_level > 0 AND c.idle_date IS NOT NULL
               AND c.user_id IN %(users)s
             GROUP BY c.user_id
            """,
            named=NAMED,
            days=days,
            users=tuple(users.ids),
        )
