from odoo import models


class BasePartnerMerge(models.TransientModel):
    """Folds scorecards before Odoo moves foreign keys.

    Its merge deletes all rows of the sources where one of them collides with the
    target's unique index.
    """

    _inherit = "base.partner.merge.automatic.wizard"

    def _update_foreign_keys(self, src_partners, dst_partner):
        folding = self.env["coverage.fold"].sudo()
        target = dst_partner.commercial_partner_id
        for partner in src_partners:
            if partner.commercial_partner_id == partner:
                folding._fold(partner, target)
        self.env.flush_all()
        return super()._update_foreign_keys(src_partners, dst_partner)

    def _log_merge_operation(self, src_partners, dst_partner):
        result = super()._log_merge_operation(src_partners, dst_partner)
        dst_partner.commercial_partner_id._get_coverage_rows().action_refresh()
        return result
