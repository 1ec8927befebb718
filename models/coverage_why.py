import json
import re

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.tools import SQL, format_amount, format_date

from ..core.cadence import explain_contact
from ..core.decide import rhythm_of
from ..core.explain import explain

MONTHS = 24
NEAREST = 3
BY_THE_RULES = ("potential_raises_segment", "potential_lowers_segment")
CENTS = re.compile(r"[.,]0+(?=\D*$)(?<![.,]000)")  # not the thousands of "1,000"


class CoverageWhy(models.AbstractModel):
    """Turns a decision's codes and numbers into sentences: "why is this blue?".

    Decides anew from the facts of this moment, so the card never tells an old story.
    """

    _name = "coverage.why"
    _description = "Why a Customer Stands Where It Stands"

    @api.model
    def _get_why(self, customer, now):
        """Return the why card of one customer as plain data.

        :return: dict of ``headline`` (str), ``badge`` (str), ``facts``
            (``[{label, value}]``), ``rule`` (str), ``reasons`` and ``changes``
            (``[{code, text, numbers}]``), ``contact`` (the same, of the next contact),
            ``idle`` (None, or the same: when its owner loses it, or what keeps it),
            ``cover`` (None, or ``{role, rule, text, is_miscovered}``),
            ``missing`` (``[str]``: what would be needed to rate) and ``lookalike``
            (None, or ``{cell, count, claim, nearest}``)
        """
        refresh = self.env["coverage.refresh"].sudo()
        frame = refresh._prepare_frame(customer.company_id, now)
        rows = refresh._collect_listed(frame, customer)
        outcome = next(refresh._decide_rows(frame, rows))
        explanation = explain(outcome.facts, outcome.state, frame.rules, frame.today)
        teller = Teller(self.env, customer, frame, outcome, explanation)
        return {
            "badge": customer.badge,
            "headline": teller.headline(),
            "facts": teller.facts(),
            "rule": teller.rule(),
            "reasons": teller.reasons(),
            "changes": teller.changes(),
            "contact": teller.contact(),
            "cover": customer._get_cover(),
            "idle": self.env["coverage.idle.words"]._get_why(customer, now),
            "missing": teller.missing(),
            "lookalike": self._get_lookalike(customer, frame, outcome),
        }

    @api.model
    def _get_lookalike(self, customer, frame, outcome):
        """Return the niche a customer belongs to, with its nearest A customers."""
        if not frame.has_niches:
            return None
        niche = self.env["coverage.refresh"]._claim(frame, outcome.row)
        if niche is None:
            return None
        return {
            "cell": self._get_cell_text(niche.cell, frame.limits),
            "count": niche.count,
            "claim": niche.claim,
            "claim_text": self._money(customer.currency_id)(niche.claim),
            "nearest": self._get_nearest(customer, frame),
        }

    def _get_cell_text(self, cell, limits):
        """Return a cell of traits as people read it: "Retail, Germany, 50–200"."""
        models_by_trait = {
            "industry": "res.partner.industry",
            "country": "res.country",
            "state": "res.country.state",
            "tag": "res.partner.category",
        }
        words = []
        for trait, key in cell:
            if trait == "size_band":
                words.append(self._get_band_text(key, limits))
            else:
                record = self.env[models_by_trait[trait]].sudo().browse(key).exists()
                words.append(record.display_name or "?")
        return ", ".join(words)

    def _get_band_text(self, band, limits):
        """Return a size band as a span of employees."""
        edges = [f"{limit:,.0f}" for limit in limits]
        if band == 1:
            return self.env._("up to %(high)s employees", high=edges[0])
        if band == 4:
            return self.env._("more than %(low)s employees", low=edges[2])
        return self.env._(
            "%(low)s to %(high)s employees", low=edges[band - 2], high=edges[band - 1]
        )

    def _get_nearest(self, customer, frame):
        """Return the three A customers that share most traits with this one.

        Only names: whoever reads this may not see what those bring.
        """
        partner = customer.partner_id
        likeness = SQL(" + ").join(
            SQL(
                "COALESCE((%s = %s)::int, 0)",
                SQL.identifier("p", name),
                partner[name].id or 0,
            )
            for name in ("industry_id", "country_id", "state_id")
        )
        rows = self.env.execute_query(
            SQL(
                """
                SELECT p.name FROM coverage_customer c
                  JOIN res_partner p ON p.id = c.partner_id
                 WHERE c.company_id = %(company)s AND c.active AND c.id <> %(customer)s
                   AND c.segment_id = %(segment)s
                 ORDER BY %(likeness)s DESC,
                          abs(COALESCE(p.coverage_employee_count, 0) - %(size)s), c.id
                 LIMIT %(limit)s
                """,
                company=customer.company_id.id,
                customer=customer.id,
                segment=frame.rules.segments[0].key,
                likeness=likeness,
                size=partner.coverage_employee_count or 0,
                limit=NEAREST,
            )
        )
        return [name for (name,) in rows]

    @api.model
    def _get_chart(self, customer, now):
        """Return revenue per month of the last 24 months for Odoo's graph widget."""
        facts = self.env["coverage.facts"].sudo()
        facts._flush_documents()
        company = customer.company_id
        today = company._get_coverage_today(now)
        first = today.replace(day=1) - relativedelta(months=MONTHS - 1)
        source = company.coverage_revenue_source
        rows = self.env.execute_query(
            SQL(
                """SELECT date_trunc('month', day)::date, SUM(amount) FROM (%s) document
                    WHERE day >= %s AND day <= %s GROUP BY 1""",
                facts._query_documents(company, source, customer.partner_id.ids),
                first,
                today,
            )
        )
        by_month = dict(rows)
        months = [first + relativedelta(months=index) for index in range(MONTHS)]
        values = [
            {
                "label": format_date(self.env, month, date_format="MMM yy"),
                "value": round(by_month.get(month) or 0.0, 2),
                "type": "past",
            }
            for month in months
        ]
        return json.dumps(
            [{"key": self.env._("Revenue"), "values": values, "is_sample_data": False}]
        )

    # === SENTENCES === #

    @api.model
    def _get_reason_text(self, change):
        """Return the sentence for the reason that a line of history keeps."""
        reason = change.reason or {}
        code = reason.get("code")
        if not code:
            return ""
        money = self._money(change.currency_id)
        if change.field_name == "temperature_id":
            sentences = self._get_temperature_sentences(reason)
        elif change.field_name == "lifecycle":
            sentences = self._get_lifecycle_sentences()
        elif change.field_name in ("leave_alone_until", "leave_alone_asked_until"):
            sentences = self._get_pause_sentences(reason)
        elif change.field_name == "role_id":
            sentences = self._get_cover_sentences(reason)
        elif change.field_name == "idle_warning_level":
            sentences = self._get_idle_sentences(reason)
        elif change.field_name in ("user_id", "team_id"):
            sentences = self._get_owner_sentences(reason)
        else:
            sentences = self._get_segment_sentences(reason, money)
        return sentences.get(code, "")

    def _get_pause_sentences(self, reason):
        words = {"text": reason.get("text") or "", "by": reason.get("by") or ""}
        _ = self.env._
        return {
            "snoozed": _("Put off by the seller."),
            "asked": _("Asked: %(text)s", **words),
            "granted": _("Granted. %(by)s asked: %(text)s", **words),
            "declined": _("Declined."),
            "ended": _("The pause was ended."),
            "lost": "%(text)s" % words,
        }

    def _get_cover_sentences(self, reason):
        name = reason.get("rule")
        _ = self.env._
        return {
            "rule": _("Rule “%(rule)s”.", rule=name)
            if name
            else _("No rule covers it.")
        }

    def _get_idle_sentences(self, reason):
        """Return why its owner was warned of a customer, or why that ended."""
        words = {name: reason.get(name) or 0 for name in ("days", "term", "level")}
        labels = self.env["coverage.idle.words"]._get_exempt_labels()
        _ = self.env._
        ended = _("In contact again.")
        warned = _("No two-way contact for %(days)s of %(term)s days.", **words)
        text = warned if words["level"] else ended
        return {
            **labels,
            "silent": text,
            "idle": text,
            "off": _("Its segment has no term."),
            "pool": _("It has no owner."),
        }

    def _get_owner_sentences(self, reason):
        """Return what a change of owner says of itself, by the reason's code."""
        names = ("text", "name", "days", "term")
        words = {name: reason.get(name) or "" for name in names}
        _ = self.env._
        return {
            "handoff": _("Handed over: %(text)s", **words),
            "handed_back": _("Handed back: %(text)s", **words),
            "followed": _("%(name)s followed its customer.", **words),
            "quoted": _("Quotation %(name)s was sent.", **words),
            "registered": _("Registered."),
            "claimed": _("Taken: it had no owner."),
            "unspoken": _(
                "Taken from the pool, but nobody spoke to it within %(days)s days.",
                **words,
            ),
            "handed_out": _("Handed out from the pool: %(text)s", **words)
            if words["text"]
            else _("Handed out from the pool."),
            "lapsed": _(
                "The registration lapsed: no contact within %(days)s days.", **words
            ),
            "released": _("Given up: %(text)s", **words)
            if words["text"]
            else _("Given up."),
            "left": _("%(name)s no longer works on it.", **words),
            "covers": self._tell_cover(reason),
            "back": _("%(name)s is back.", **words),
            "idle": _(
                "Neglected: no two-way contact for %(days)s days, and three warnings.",
                **words,
            ),
            "merged": _("Merged with %(name)s.", **words),
            "undone": _("A plan was undone."),
            "assigned": self.env["coverage.assignment.words"]._tell_move(reason),
        }

    def _tell_cover(self, reason):
        """Return for whom, and until when, somebody covers."""
        until = fields.Date.to_date(reason.get("until"))
        return self.env._(
            "Covers for %(name)s until %(date)s.",
            name=reason.get("name") or "",
            date=format_date(self.env, until, date_format="d MMM yyyy")
            if until
            else "",
        )

    def _money(self, currency):
        """Return a function that writes an amount as people read it."""

        def write(amount):
            text = format_amount(self.env, round(amount or 0.0), currency)
            return CENTS.sub("", text)

        return write

    def _get_segment_sentences(self, reason, money):
        numbers = {
            "potential": money(reason.get("potential")),
            "reference": money(reason.get("reference")),
            "share": f"{reason.get('share') or 0:.0f}",
        }
        _ = self.env._
        return {
            "no_potential": _("Nothing is known of the potential yet."),
            "no_reference": _(
                "Nobody has bought yet, so there is no A to compare with."
            ),
            "first": _(
                "Potential %(potential)s is %(share)s %% of an A (%(reference)s).",
                **numbers,
            ),
            "nearest": _(
                "Potential %(potential)s is %(share)s %% of an A (%(reference)s).",
                **numbers,
            ),
            "bought": _("It bought, so it is at least the segment above the last."),
            "hysteresis": _(
                "Potential %(potential)s is %(share)s %% of an A: too near the cut-off "
                "to move.",
                **numbers,
            ),
            "stay": _("It left this segment only recently and does not move back yet."),
            "manual": _("Set by hand."),
            "pin_expired": _("The last day of the segment set by hand is past."),
        }

    def _get_temperature_sentences(self, reason):
        _ = self.env._
        numbers = {
            "yield_percent": f"{100 * (reason.get('yield') or 0):.0f}",
            "score": reason.get("score") or 0,
        }
        return {
            "prospect": _("It never bought."),
            "no_segment": _("Without a segment there is no yield to expect."),
            "no_potential": _("Without a potential there is no yield to compare."),
            "sleeping": _("It fell asleep."),
            "new": _(
                "New customers are judged by their rhythm alone: %(score)s.", **numbers
            ),
            "hysteresis": _(
                "It brings %(yield_percent)s %% of its potential, score %(score)s, and "
                "is held a little above its score.",
                **numbers,
            ),
            "season": _(
                "It buys at other times of the year: %(yield_percent)s %% of its "
                "potential, score %(score)s.",
                **numbers,
            ),
            "yield": _(
                "It brings %(yield_percent)s %% of its potential, score %(score)s.",
                **numbers,
            ),
        }

    def _get_lifecycle_sentences(self):
        _ = self.env._
        return {
            "sleeping": _("It has been silent for longer than is usual for it."),
            "new": _("It has ordered on few days so far, or has only just woken."),
            "regular": _("It orders regularly."),
        }


class Teller:
    """The sentences of one why card; what :class:`CoverageWhy` returns."""

    def __init__(self, env, customer, frame, outcome, explanation):
        self.env, self.customer, self.frame = env, customer, frame
        self.outcome, self.told = outcome, explanation
        self.facts_read, self.decision = outcome.facts, explanation.decision
        self.money = env["coverage.why"]._money(customer.currency_id)
        self.segments = {
            segment.id: segment.code
            for segment in env["coverage.segment"].sudo().search([])
        }
        self.levels = {
            level.id: level for level in env["coverage.temperature"].sudo().search([])
        }

    def headline(self):
        """Return the outcome in one line."""
        _, decision = self.env._, self.decision
        if decision.segment is None:
            return _("Unrated: ask for the potential.")
        level = self.levels.get(decision.temperature_standing.value)
        numbers = {
            "segment": self.segments[decision.segment],
            "potential": self.money(decision.potential),
            "revenue": self.money(self.facts_read.revenue_12m),
        }
        if level is None:
            return _(
                "%(segment)s: could bring %(potential)s in 12 months, never bought.",
                **numbers,
            )
        return _(
            "%(segment)s, %(level)s %(icon)s: %(revenue)s of a potential %(potential)s "
            "in 12 months (%(percent)s %%).",
            **numbers,
            level=level.name.lower(),
            icon=level.icon or "",
            percent=f"{100 * (decision.yield_rate or 0):.0f}",
        )

    def facts(self):
        """Return the figures that went into the decision."""
        _, facts, told = self.env._, self.facts_read, self.told
        sources = dict(
            self.customer._fields["potential_source"]._description_selection(self.env)
        )
        lines = [
            (_("Revenue, 12 months"), self.money(facts.revenue_12m)),
            (_("Best year"), self.money(facts.revenue_best_12m)),
            (_("Order days"), str(facts.order_day_count)),
        ]
        if facts.last_order_date:
            lines += [
                (_("Last order"), format_date(self.env, facts.last_order_date)),
                (
                    _("Silence"),
                    _(
                        "%(days)s days, up to %(usual)s are usual",
                        days=told.silence_days,
                        usual=told.usual_silence_days,
                    ),
                ),
            ]
        if self.decision.potential_source:
            lines.append(
                (
                    _("Potential"),
                    f"{self.money(self.decision.potential)} "
                    f"({sources[self.decision.potential_source]})",
                )
            )
        if self.frame.rules.reference:
            lines.append((_("An A brings"), self.money(self.frame.rules.reference)))
        return [{"label": label, "value": value} for label, value in lines]

    def rule(self):
        """Return the rule that applied, as one sentence."""
        _, told = self.env._, self.told
        if self.decision.segment is None:
            return _("Without a potential a customer has no segment.")
        if self.decision.segment_reason == "manual":
            return _("A segment set by hand counts before what the rules say.")
        low, high = told.lower_share, told.upper_share
        code = self.segments[self.decision.segment]
        if low is not None and high is None:
            return _(
                "%(segment)s: from %(low)s %% of an A.", segment=code, low=f"{low:g}"
            )
        if low is None:
            return _(
                "%(segment)s: below %(high)s %% of an A, never bought.",
                segment=code,
                high=f"{high:g}",
            )
        span = {"segment": code, "low": f"{low:g}", "high": f"{high:g}"}
        if self.decision.segment == self.frame.rules.segments[-2].key:
            return _(
                "%(segment)s: from %(low)s %% to %(high)s %% of an A; below that too, "
                "if it ever bought.",
                **span,
            )
        return _("%(segment)s: from %(low)s %% to %(high)s %% of an A.", **span)

    def reasons(self):
        """Return why segment, lifecycle and temperature came out as they did."""
        why = self.env["coverage.why"]
        decision = self.decision
        reasons = self.env["coverage.refresh"]._get_reasons(self.frame, self.outcome)
        segment = reasons["segment_id"]
        sentences = why._get_segment_sentences(segment, self.money)
        told = [
            {"code": segment["code"], "text": sentences[segment["code"]]},
        ]
        if decision.segment_reason == "manual":
            told[0]["text"] = self._pin_text()
        temperature = reasons["temperature_id"]
        told.append({"code": temperature["code"], "text": self._heat_text(temperature)})
        return [
            {**one, "numbers": {k: v for k, v in numbers.items() if k != "code"}}
            for one, numbers in zip(told, (segment, temperature), strict=True)
        ]

    def _pin_text(self):
        customer = self.customer
        computed = self.segments.get(self.decision.segment_standing.value, "–")
        return self.env._(
            "Set by hand: %(reason)s. The rules say %(computed)s.",
            reason=customer.segment_manual_reason or self.env._("no reason given"),
            computed=computed,
        )

    def _heat_text(self, reason):
        """Return the sentence on the temperature with its three factors."""
        _, told, code = self.env._, self.told, reason["code"]
        if code in ("yield", "hysteresis"):
            text = _(
                "Score %(score)s = yield %(yield_percent)s %% of the %(expected)s %% "
                "expected × rhythm %(rhythm)s %% × trend %(trend)s %%.",
                score=reason["score"],
                yield_percent=f"{100 * (reason['yield'] or 0):.0f}",
                expected=f"{100 * (told.expected_yield_rate or 0):.0f}",
                rhythm=f"{100 * (told.rhythm or 0):.0f}",
                trend=f"{100 * (told.trend or 0):.0f}",
            )
            if code == "hysteresis":
                text += " " + _("It is still held by the level it had.")
            return text
        if code == "sleeping":
            return _(
                "Asleep: silent for %(days)s days, more than %(limit)s.",
                days=told.silence_days,
                limit=told.sleeping_after_days,
            )
        if code == "new":
            return _(
                "New customers are judged by their rhythm alone: %(score)s.",
                score=reason["score"],
            )
        sentences = self.env["coverage.why"]._get_temperature_sentences(reason)
        return sentences.get(code, "")

    def changes(self):
        """Return the smallest changes that would alter the outcome, as sentences."""
        return [
            {
                "code": change.code,
                "text": self._change_text(change.code, change.numbers),
                "numbers": {
                    name: fields.Date.to_string(value) if name == "date" else value
                    for name, value in change.numbers.items()
                },
            }
            for change in self.told.changes
        ]

    def _change_text(self, code, numbers):
        _ = self.env._
        level = self.levels.get(numbers.get("level"))
        words = {
            "amount": self.money(numbers.get("amount")),
            "level": level.name.lower() if level else "",
            "segment": self.segments.get(numbers.get("segment"), ""),
            "date": format_date(self.env, numbers["date"]) if "date" in numbers else "",
            "days": numbers.get("days"),
        }
        if code == "order_lifts_temperature" and not numbers["amount"]:
            return _("Any order makes it %(level)s.", **words)
        if code == "silence_cools" and numbers["lifecycle"] == "sleeping":
            return _(
                "Without an order it falls asleep by %(date)s, in %(days)s days at "
                "most.",
                **words,
            )
        if self.decision.segment_reason == "manual" and code in BY_THE_RULES:
            return _(
                "Without the pin it would be %(segment)s at a potential of %(amount)s.",
                **words,
            )
        return {
            "order_lifts_temperature": _(
                "An order of %(amount)s makes it %(level)s.", **words
            ),
            "silence_cools": _(
                "Without an order it gets %(level)s by %(date)s, in %(days)s days at "
                "most.",
                **words,
            ),
            "potential_raises_segment": _(
                "At a potential of %(amount)s or more it is %(segment)s.", **words
            ),
            "potential_lowers_segment": _(
                "At a potential of %(amount)s or less it is %(segment)s.", **words
            ),
            "stay_ends": _("On %(date)s it moves to %(segment)s.", **words),
            "pin_ends": _("On %(date)s the rules decide again: %(segment)s.", **words),
            "needs_potential": _("Any potential that you declare rates it."),
            "first_order": _("The first order makes it a new customer."),
        }[code]

    def contact(self):
        """Return when the next contact is due, and what sets that day."""
        _, contacts = self.env._, self.facts_read.contacts
        rules = self.frame.rules
        rule, interval = rhythm_of(self.decision.segment, self.decision.share, rules)
        due, code = explain_contact(contacts, rule, interval, rules)
        words = {
            "date": format_date(self.env, due) if due else "",
            "days": interval,
            "last": format_date(self.env, contacts.last_contact_date)
            if contacts.last_contact_date
            else _("never"),
            "paused": format_date(self.env, contacts.leave_alone_until)
            if contacts.leave_alone_until
            else "",
            "pause": rules.unproven_days,
        }
        if due is None:
            code = "unrated" if rule is None else "nobody"
        text = {
            "unrated": _("Without a segment there is no contact rhythm."),
            "nobody": _("Nobody has spoken to it, and nobody owns it yet."),
            "owned": _("Nobody has spoken to it since it has an owner."),
            "start": _(
                "First contact by %(date)s: the day the rhythm gave it.", **words
            ),
            "interval": _(
                "Next contact by %(date)s: every %(days)s days. Last contact: "
                "%(last)s.",
                **words,
            ),
            "unproven": _(
                "Next contact by %(date)s: the last one was noted by hand, and lasts "
                "for %(pause)s days only.",
                **words,
            ),
            "paused": _("Left alone until %(paused)s.", **words),
        }[code]
        numbers = {
            "next_contact_date": fields.Date.to_string(due) or False,
            "interval_days": interval,
        }
        return {"code": code, "text": text, "numbers": numbers}

    def missing(self):
        """Return what is needed to rate an unrated customer."""
        if self.decision.segment is not None:
            return []
        _, partner = self.env._, self.customer.partner_id
        if not self.frame.rules.reference:
            return [
                _("A first customer that bought: there is no A to compare with yet.")
            ]
        missing = [_("What it could buy from us in 12 months: ask, then declare it.")]
        if not partner.industry_id:
            missing.append(_("Its industry, to find look-alikes."))
        if not partner.coverage_employee_count:
            missing.append(_("Its number of employees, to find look-alikes."))
        if not partner.country_id:
            missing.append(_("Its country, to find look-alikes."))
        return missing
