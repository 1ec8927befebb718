from odoo import fields, models

ATTRIBUTES = {"__validate__", "class", "column", "js_class", "row", "string"}


class IrUiView(models.Model):
    _inherit = "ir.ui.view"

    type = fields.Selection(selection_add=[("coverage_map", "Temperature Map")])

    def _get_view_info(self):
        return {"coverage_map": {"icon": "fa fa-th"}} | super()._get_view_info()

    def _validate_tag_coverage_map(self, node, name_manager, node_info):
        """Check ``<coverage_map row column>``: it maps customers, by fields they have.

        :raises ValidationError: for another model, an unknown attribute or field
        """
        if not node_info["validate"]:
            return
        if not hasattr(name_manager.model, "get_map"):
            self._raise_view_error(
                self.env._("A temperature map shows customers only."), node
            )
        if unknown := set(node.attrib) - ATTRIBUTES:
            self._raise_view_error(
                self.env._(
                    "A temperature map has no attributes %(names)s.",
                    names=", ".join(sorted(unknown)),
                ),
                node,
            )
        names = {node.get(axis, "").partition(":")[0] for axis in ("row", "column")}
        name_manager.must_have_fields(node, names - {""}, node_info, ("row", "column"))
        if others := {child.tag for child in node.iterchildren("*")} - {"field"}:
            self._raise_view_error(
                self.env._(
                    "A temperature map holds fields only, not %(names)s.",
                    names=", ".join(sorted(others)),
                ),
                node,
            )
