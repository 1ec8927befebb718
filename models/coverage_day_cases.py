from datetime import timedelta

from odoo import api, models

from .opening import open_form

ASKED_DAYS = timedelta(days=30)  # then it waits in the list, and nobody is reminded
TOLD_DAYS = timedelta(days=7)
SHOWN = 3


class CoverageDayCases(models.AbstractModel):
    """Case reviews on My Day: one entry for those to write, one for those to know."""

    _name = "coverage.day.cases"
    _description = "Case Reviews on My Day"

    def _get_cases(self, user, today):
        """Return what a person is asked to write, and what others want him to know.

        :return: ``[{code, text, names, ids}]``; ``code`` is ``write`` or ``know``
        """
        reviews = self.env["coverage.case.review"]
        company = ("company_id", "=", self.env.company.id)
        to_write = reviews.search(
            [
                company,
                ("user_id", "=", user.id),
                ("state", "=", "to_write"),
                ("is_hidden", "=", False),
                ("date", ">", today - ASKED_DAYS),
            ]
        )
        to_know = reviews.search(
            [
                company,
                ("reader_ids", "in", user.ids),
                ("state", "=", "written"),
                ("written_date", ">", today - TOLD_DAYS),
            ]
        )
        found = (("write", to_write), ("know", to_know))
        return [self._tell_cases(code, some) for code, some in found if some]

    def _tell_cases(self, code, reviews):
        """Return one entry for all reviews of a kind."""
        _, count = self.env._, len(reviews)
        names = reviews[:SHOWN].mapped("display_name")
        if count > SHOWN:
            names.append(_("%(count)s more", count=count - SHOWN))
        texts = {
            "write": _("Case reviews to write: %(count)s", count=count),
            "know": _("Case reviews you should know: %(count)s", count=count),
        }
        return {
            "code": code,
            "text": texts[code],
            "names": ", ".join(names),
            "ids": reviews.ids,
        }

    @api.model
    def action_open_cases(self, review_ids):
        """Open these reviews; one alone in its form."""
        if len(review_ids) == 1:
            return open_form("coverage.case.review", review_ids[0])
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_sales_coverage.coverage_case_review_action"
        )
        return {**action, "domain": [("id", "in", review_ids)], "context": {}}

    @api.model
    def action_hide_cases(self, review_ids):
        """Put one's own reviews to write out of My Day; they stay in the list."""
        reviews = self.env["coverage.case.review"].search(
            [("id", "in", review_ids), ("user_id", "=", self.env.uid)]
        )
        reviews.write({"is_hidden": True})
        return True
