from odoo import api, models


class CoverageCached(models.AbstractModel):
    """Rules of which every decision asks and that hardly ever change.

    What a model caches of them with ``ormcache`` is forgotten at every change.
    """

    _name = "coverage.cached"
    _description = "Cached Rules"

    @api.model_create_multi
    def create(self, vals_list):
        self.env.registry.clear_cache()
        return super().create(vals_list)

    def write(self, vals):
        self.env.registry.clear_cache()
        return super().write(vals)

    def unlink(self):
        self.env.registry.clear_cache()
        return super().unlink()
