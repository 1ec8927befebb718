import json

from odoo import http
from odoo.http import content_disposition, request
from odoo.tools import osutil

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
KEPT = {"lang", "tz", "allowed_company_ids", "active_test"}  # of the client's context


class CoverageMapController(http.Controller):
    @http.route("/crm_sales_coverage/map.xlsx", type="http", auth="user", readonly=True)
    def export_map(self, data):
        """Return the temperature map as a workbook.

        :param str data: JSON of the arguments of ``get_map`` and of the ``context``
        """
        options = json.loads(data)
        context = options.pop("context", {})
        known = {name: value for name, value in context.items() if name in KEPT}
        sheets = request.env["coverage.map.sheet"].with_context(**known)
        name, content = sheets._export(options)
        return request.make_response(
            content,
            headers=[
                ("Content-Type", XLSX),
                (
                    "Content-Disposition",
                    content_disposition(f"{osutil.clean_filename(name)}.xlsx"),
                ),
            ],
        )
