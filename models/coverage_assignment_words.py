from odoo import api, models


class CoverageAssignmentWords(models.AbstractModel):
    """The sentences of a plan: why a customer moves, why to whom, why it stays."""

    _name = "coverage.assignment.words"
    _description = "Sentences of an Assignment"

    @api.model
    def _tell_move(self, reason):
        """Return why a customer got this owner.

        :param dict reason: what ``coverage.run`` keeps of a move
        """
        parts = [self._tell_cause(reason), self._tell_fit(reason)]
        return " ".join(filter(None, parts))

    def _tell_cause(self, reason):
        days, _ = reason.get("silent_days"), self.env._
        if reason.get("cause") == "idle" and days is not None:
            return _("Idle: no contact for %(days)s days.", days=days)
        return {
            "idle": _("Idle: never spoken to."),
            "unowned": _("Had no owner."),
            "miscovered": _("Owner not in the role."),
            "given": _("Owner gives all away."),
            "left": _("%(name)s leaves.", name=reason.get("name") or ""),
            "covers": self.env["coverage.why"]._tell_cover(reason),
        }.get(reason.get("cause"), "")

    def _tell_fit(self, reason):
        _, words = self.env._, self._get_fit_words()
        if reason.get("is_forced"):
            return _("Chosen by hand.")
        fits = [words[code] for code in reason.get("fits") or () if code in words]
        score = f"{reason.get('score') or 0:.0f}"
        if not fits:
            return _("Fits best (%(score)s of 100).", score=score)
        return _(
            "Fits best (%(score)s of 100): %(fits)s.",
            score=score,
            fits=", ".join(fits),
        )

    @api.model
    def _tell_second(self, reason):
        """Return who would have fitted second best, with the score; or nothing."""
        second = (reason or {}).get("second")
        if not second:
            return ""
        user = self.env["res.users"].sudo().browse(second[0]).exists()
        return f"{user.name} ({second[1]:.0f})" if user else ""

    @api.model
    def _tell_refusals(self, codes):
        """Return why people could not take a customer, the most frequent first."""
        words = self._get_refusal_words()
        return ", ".join(words[code] for code in codes if code in words)

    def _get_fit_words(self):
        _ = self.env._
        return {
            "seniority": _("as senior as needed"),
            "room": _("has room"),
            "language": _("speaks the language"),
            "territory": _("knows the territory"),
            "industry": _("knows the industry"),
            "lines": _("knows the products"),
            "team": _("same team"),
            "relation": _("knows the customer"),
        }

    def _get_refusal_words(self):
        _ = self.env._
        return {
            "role": _("not in the role"),
            "archived": _("archived"),
            "external": _("no internal user"),
            "company": _("not of this company"),
            "junior": _("not senior enough"),
            "absent": _("absent"),
            "paused": _("paused"),
            "full_leads": _("no room for leads"),
            "full_a": _("as many A customers as allowed"),
            "full_customers": _("as many customers as allowed"),
            "full_load": _("as many contacts as can be kept"),
            "former": _("had it within the last 90 days"),
        }
