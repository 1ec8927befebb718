from datetime import date

from dateutil.relativedelta import relativedelta

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL, format_date, html2plaintext

from ..core.explain import explain
from .coverage_why import Teller

MONTHS = 24
YEARS = 4
TOUCHES = 10
LISTED = 12  # people, promises, products: what fits on two pages


class CoverageDossier(models.AbstractModel):
    """What who takes a customer over must know: figures, people, talks, promises.

    Plain data for print, read in a fixed number of queries. Who may read a customer
    may read its dossier, and nobody else: the receiver of an offer watches it.
    """

    _name = "coverage.dossier"
    _description = "Dossier of a Customer"

    @api.model
    def _get_dossiers(self, customers, now, handoffs=None):
        """Return one dossier for each customer, in their order.

        :param handoffs: the handoff that each dossier is printed for, by customer
        :return: dicts of ``name badge code headline rule handoff figures years months
            people touches promises quotations opportunities bought categories owners``
        :raises AccessError: for customers that the user may not read
        """
        customers.check_access("read")
        dossiers = {}
        for company, group in customers.sudo().grouped("company_id").items():
            dossiers |= self.sudo()._get_of_company(group, company, now)
        for customer, handoff in (handoffs or {}).items():
            dossiers[customer.id]["handoff"] = self._tell_handoff(handoff.sudo())
        return [dossiers[customer.id] for customer in customers]

    def _get_of_company(self, customers, company, now):
        """Return the dossiers of one company's customers by id; all in sudo."""
        today = company._get_coverage_today(now)
        why = self._get_why(customers, company, now)
        people = self._get_people(customers)
        touches = self._get_touches(customers)
        promises = self._get_promises(customers, today)
        quotations = self._get_quotations(customers, company)
        opportunities = self._get_opportunities(customers, company)
        revenue = self._get_revenue(customers, company, today)
        bought = self._get_bought(customers, company, today)
        owners = self._get_owners(customers)
        return {
            one.id: {
                "id": one.id,
                "name": one.partner_id.display_name,
                "address": self._tell_address(one.partner_id),
                "company": company.name,
                "date": format_date(self.env, today, date_format="d MMMM yyyy"),
                "badge": one.badge,
                "code": one.temperature_code or "none",
                **why[one.id],
                "handoff": None,
                "figures": self._tell_figures(one),
                **self._tell_revenue(one, revenue.get(one.partner_id.id, {}), today),
                "people": people.get(one.partner_id.id, []),
                "touches": touches.get(one.id, []),
                "promises": promises.get(one.partner_id.id, []),
                "quotations": quotations.get(one.partner_id.id, []),
                "opportunities": opportunities.get(one.partner_id.id, []),
                **self._tell_bought(one, bought.get(one.partner_id.id, [])),
                "owners": self._tell_owners(one, owners.get(one.id, [])),
            }
            for one in customers
        }

    # === WHY IT STANDS WHERE IT STANDS === #

    def _get_why(self, customers, company, now):
        """Return, by customer id, ``headline`` and ``reasons`` of the why card."""
        refresh = self.env["coverage.refresh"].sudo()
        frame = refresh._prepare_frame(company, now)
        rows = refresh._collect_listed(frame, customers)
        told = {
            one.id: {"headline": one.badge or "", "rule": "", "reasons": []}
            for one in customers
        }
        by_id = {one.id: one for one in customers}
        for outcome in refresh._decide_rows(frame, rows):
            customer = by_id[outcome.customer_id]
            explained = explain(outcome.facts, outcome.state, frame.rules, frame.today)
            teller = Teller(self.env, customer, frame, outcome, explained)
            told[customer.id] = {
                "headline": teller.headline(),
                "rule": teller.rule(),
                "reasons": [reason["text"] for reason in teller.reasons()],
            }
        return told

    # === FIGURES === #

    def _tell_figures(self, customer):
        """Return ``[(label, value)]`` of what counts."""
        _, money = self.env._, self._money(customer)
        lifecycles = dict(
            customer._fields["lifecycle"]._description_selection(self.env)
        )
        figures = [
            (_("Segment"), customer.segment_id.code or _("Unrated")),
            (_("Temperature"), customer.temperature_id.name or "–"),
            (_("Lifecycle"), lifecycles.get(customer.lifecycle, "–")),
            (_("Potential"), self._tell_potential(customer, money)),
            (_("Revenue, 12 months"), money(customer.revenue_12m)),
            (_("Yield"), f"{100 * customer.yield_rate:.0f} %"),
            (_("Best year"), money(customer.revenue_best_12m)),
            (_("Orders"), str(customer.order_count)),
        ]
        if customer.order_interval_days:
            days = _("%(days)s days", days=customer.order_interval_days)
            figures.append((_("Between orders"), days))
        for label, day in (
            (_("Last order"), customer.last_order_date),
            (_("Last contact"), customer.last_contact_date),
            (_("Next contact"), customer.next_contact_date),
        ):
            if day:
                figures.append((label, self._date(day)))
        return figures

    def _tell_potential(self, customer, money):
        if not customer.potential_source:
            return self.env._("Unknown")
        sources = dict(
            customer._fields["potential_source"]._description_selection(self.env)
        )
        source = sources[customer.potential_source].lower()
        return f"{money(customer.potential)} ({source})"

    def _get_revenue(self, customers, company, today):
        """Return ``{partner id: {first of month: amount}}`` of the last years."""
        facts = self.env["coverage.facts"].sudo()
        facts._flush_documents()
        rows = self.env.execute_query(
            SQL(
                """SELECT partner_id, date_trunc('month', day)::date, SUM(amount)
                     FROM (%s) document WHERE day >= %s AND day <= %s GROUP BY 1, 2""",
                facts._query_documents(
                    company, company.coverage_revenue_source, customers.partner_id.ids
                ),
                date(today.year - YEARS + 1, 1, 1),
                today,
            )
        )
        revenue = {}
        for partner_id, month, amount in rows:
            revenue.setdefault(partner_id, {})[month] = float(amount or 0)
        return revenue

    def _tell_revenue(self, customer, by_month, today):
        """Return ``years`` and ``months``, each with its share of the highest."""
        money, first = self._money(customer), today.replace(day=1)
        years = [
            (str(year), sum(a for month, a in by_month.items() if month.year == year))
            for year in range(today.year - YEARS + 1, today.year + 1)
        ]
        begin = first - relativedelta(months=MONTHS - 1)
        months = [begin + relativedelta(months=number) for number in range(MONTHS)]
        bars = [
            (
                format_date(self.env, month, date_format="MMM yy"),
                by_month.get(month, 0),
            )
            for month in months
        ]
        return {
            "years": self._tell_bars(years, money),
            "months": self._tell_bars(bars, money),
        }

    def _tell_bars(self, values, money):
        highest = max([amount for _label, amount in values], default=0) or 1
        return [
            {
                "label": label,
                "amount": money(amount),
                "percent": max(0, round(100 * amount / highest)),
            }
            for label, amount in values
        ]

    # === PEOPLE === #

    def _get_people(self, customers):
        """Return whom to speak to, who decides first, by partner id."""
        partners = self.env["res.partner"].search_fetch(
            [
                ("commercial_partner_id", "in", customers.partner_id.ids),
                ("type", "in", ("contact", "other")),
            ],
            ["name", "function", "phone", "email", "is_decision_maker"],
            order="is_decision_maker desc, parent_id desc, name, id",
        )
        people = {}
        for partner in partners:
            of_customer = people.setdefault(partner.commercial_partner_id.id, [])
            is_own = partner.commercial_partner_id == partner
            if len(of_customer) >= LISTED or not (
                partner.phone or partner.email or not is_own
            ):
                continue
            of_customer.append(
                {
                    "name": partner.name or self.env._("Without a name"),
                    "function": partner.function or "",
                    "phone": partner.phone or "",
                    "email": partner.email or "",
                    "decides": partner.is_decision_maker,
                    "is_own": is_own,
                }
            )
        return people

    def _tell_address(self, partner):
        lines = (partner.street, partner.zip, partner.city, partner.country_id.name)
        return ", ".join(line for line in lines if line)

    # === TALKS AND PROMISES === #

    def _get_touches(self, customers):
        """Return the last contacts, the newest first, by customer id."""
        self.env["coverage.touch"].flush_model()
        rows = self.env.execute_query(self._query_touches(customers))
        channels = dict(
            self.env["coverage.touch"]
            ._fields["channel"]
            ._description_selection(self.env)
        )
        touches = {}
        for touch in self.env["coverage.touch"].browse([row[0] for row in rows]):
            touches.setdefault(touch.customer_id.id, []).append(
                {
                    "date": self._date(touch.date),
                    "channel": channels[touch.channel],
                    "is_two_way": touch.is_two_way,
                    "person": touch.partner_id.name or "",
                    "seller": touch.user_id.name or "",
                    "outcome": touch.outcome_id.name or "",
                    "note": touch.note or "",
                }
            )
        return touches

    def _query_touches(self, customers):
        """Select the newest contacts of each customer, which no search can."""
        return SQL(
            """SELECT last.id FROM unnest(%s::int[]) AS c (id) CROSS JOIN LATERAL (
                   SELECT t.id, t.date FROM coverage_touch t
                    WHERE t.customer_id = c.id AND t.active
                    ORDER BY t.date DESC, t.id DESC LIMIT %s) last
                ORDER BY c.id, last.date DESC, last.id DESC""",
            customers.ids,
            TOUCHES,
        )

    def _get_promises(self, customers, today):
        """Return open activities of a customer, its leads and quotations."""
        self.env["mail.activity"].flush_model()
        partner_ids = customers.partner_id.ids
        company = customers.company_id
        rows = self.env.execute_query(self._query_promises(partner_ids, company))
        activities = self.env["mail.activity"].browse([row[0] for row in rows])
        promises = {}
        for (_id, partner_id), activity in zip(rows, activities, strict=True):
            of_customer = promises.setdefault(partner_id, [])
            if len(of_customer) < LISTED:
                of_customer.append(
                    {
                        "date": self._date(activity.date_deadline),
                        "is_late": activity.date_deadline < today,
                        "what": activity.summary or activity.activity_type_id.name,
                        "on": activity.res_name or "",
                        "who": activity.user_id.name or "",
                        "note": html2plaintext(activity.note or "").strip(),
                    }
                )
        return promises

    def _query_promises(self, partner_ids, company):
        """Select open activities on customers, their leads and orders."""
        return SQL(
            """
            SELECT a.id, p.commercial_partner_id
              FROM mail_activity a
              LEFT JOIN crm_lead l ON a.res_model = 'crm.lead' AND l.id = a.res_id
              LEFT JOIN sale_order o ON a.res_model = 'sale.order' AND o.id = a.res_id
              JOIN res_partner p ON p.id = CASE a.res_model
                   WHEN 'res.partner' THEN a.res_id
                   WHEN 'crm.lead' THEN l.partner_id ELSE o.partner_id END
             WHERE a.active AND a.res_model IN ('res.partner', 'crm.lead', 'sale.order')
               AND p.commercial_partner_id = ANY(%(partners)s)
               AND COALESCE(l.company_id, o.company_id, %(company)s) = %(company)s
             ORDER BY a.date_deadline, a.id
            """,
            partners=partner_ids,
            company=company.id,
        )

    def _get_quotations(self, customers, company):
        """Return open quotations, the newest first, by partner id."""
        orders = self.env["sale.order"].search_fetch(
            [
                ("partner_id.commercial_partner_id", "in", customers.partner_id.ids),
                ("state", "in", ("draft", "sent")),
                ("company_id", "=", company.id),
            ],
            ["name", "date_order", "amount_untaxed", "currency_id", "validity_date"],
            order="date_order desc, id desc",
        )
        quotations = {}
        for order in orders:
            money = self.env["coverage.why"]._money(order.currency_id)
            key = order.partner_id.commercial_partner_id.id
            quotations.setdefault(key, []).append(
                {
                    "name": order.name,
                    "date": self._date(order.date_order),
                    "until": order.validity_date and self._date(order.validity_date),
                    "amount": money(order.amount_untaxed),
                }
            )
        return {key: found[:LISTED] for key, found in quotations.items()}

    def _get_opportunities(self, customers, company):
        """Return open leads and opportunities, the largest first, by partner id."""
        leads = self.env["crm.lead"].search_fetch(
            Domain("partner_id.commercial_partner_id", "in", customers.partner_id.ids)
            & Domain("won_status", "=", "pending")
            & Domain("company_id", "in", (company.id, False)),
            ["name", "stage_id", "expected_revenue", "date_deadline", "probability"],
            order="expected_revenue desc, id",
        )
        opportunities = {}
        for lead in leads:
            money = self.env["coverage.why"]._money(lead.company_currency)
            key = lead.partner_id.commercial_partner_id.id
            opportunities.setdefault(key, []).append(
                {
                    "name": lead.name,
                    "stage": lead.stage_id.name or "",
                    "amount": money(lead.expected_revenue),
                    "closing": lead.date_deadline and self._date(lead.date_deadline),
                }
            )
        return {key: found[:LISTED] for key, found in opportunities.items()}

    # === WHAT WAS BOUGHT === #

    def _get_bought(self, customers, company, today):
        """Return ``(product, category, quantity, amount, last day)`` by partner id."""
        self.env["sale.order.line"].flush_model()
        begin = today - relativedelta(months=MONTHS)
        rows = self.env.execute_query(self._query_bought(customers, company, begin))
        products = self.env["product.product"].browse([row[1] for row in rows])
        by_id = {one.id: one for one in products}
        bought = {}
        for partner_id, product_id, quantity, amount, last in rows:
            bought.setdefault(partner_id, []).append(
                (by_id[product_id], quantity, float(amount or 0), last)
            )
        return bought

    def _query_bought(self, customers, company, begin):
        """Sum what was ordered by product, in company currency."""
        return SQL(
            """
            SELECT p.commercial_partner_id, l.product_id, SUM(l.product_uom_qty),
                   SUM(l.price_subtotal / COALESCE(NULLIF(o.currency_rate, 0), 1)),
                   MAX(o.date_order)
              FROM sale_order_line l
              JOIN sale_order o ON o.id = l.order_id
              JOIN res_partner p ON p.id = o.partner_id
             WHERE o.state = 'sale' AND o.company_id = %(company)s
               AND o.date_order >= %(begin)s AND l.product_id IS NOT NULL
               AND p.commercial_partner_id = ANY(%(partners)s)
             GROUP BY 1, 2
             ORDER BY 4 DESC, 2
            """,
            company=company.id,
            begin=begin,
            partners=customers.partner_id.ids,
        )

    def _tell_bought(self, customer, rows):
        """Return the top ``bought`` and ``categories`` as people read them."""
        money, by_category = self._money(customer), {}
        for product, _quantity, amount, _last in rows:
            category = product.categ_id
            by_category[category] = by_category.get(category, 0) + amount
        total = sum(by_category.values()) or 1
        top = sorted(by_category.items(), key=lambda one: (-one[1], one[0].id))
        return {
            "bought": [
                {
                    "name": product.display_name,
                    "quantity": f"{quantity:g}",
                    "amount": money(amount),
                    "last": self._date(last),
                }
                for product, quantity, amount, last in rows[:TOUCHES]
            ],
            "categories": [
                {
                    "name": category.display_name or self.env._("Other"),
                    "amount": money(amount),
                    "share": f"{100 * amount / total:.0f} %",
                }
                for category, amount in top[:5]
            ],
        }

    # === WHO HAD IT === #

    def _get_owners(self, customers):
        """Return the changes of owner, the newest first, by customer id."""
        changes = self.env["coverage.change"].search_fetch(
            [
                ("customer_id", "in", customers.ids),
                ("model", "=", "coverage.customer"),
                ("field_name", "=", "user_id"),
                ("state", "in", ("applied", "kept")),
            ],
            ["customer_id", "date", "old_label", "new_label", "reason"],
        )
        return changes.grouped(lambda one: one.customer_id.id)

    def _tell_owners(self, customer, changes):
        """Return who had it, until when, and why it changed; the newest first."""
        _ = self.env._
        owners = [
            {
                "name": customer.user_id.name or _("Nobody"),
                "until": _("today"),
                "since": customer.owned_since and self._date(customer.owned_since),
                "why": "",
            }
        ]
        for change in changes:
            owners[-1]["since"] = self._date(change.date)
            owners[-1]["why"] = change.reason_text or ""
            owners.append(
                {
                    "name": change.old_label or _("Nobody"),
                    "until": self._date(change.date),
                    "since": "",
                    "why": "",
                }
            )
        return owners[:LISTED]

    def _tell_handoff(self, handoff):
        """Return who hands over to whom, why, by when, and what was said."""
        return {
            "giver": handoff.from_user_id.name or self.env._("Nobody"),
            "receiver": handoff.to_user_id.name or self.env._("Not chosen yet"),
            "role": handoff.role_id.name or "",
            "reason": handoff.reason,
            "due": handoff.due_text,
            "steps": [step for step in handoff.timeline if step["reason"]],
        }

    def _money(self, customer):
        return self.env["coverage.why"]._money(customer.currency_id)

    def _date(self, day):
        return format_date(self.env, day, date_format="d MMM yyyy")
