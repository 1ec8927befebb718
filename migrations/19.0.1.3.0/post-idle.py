from odoo import SUPERUSER_ID, api

TERMS = {  # days without contact, days without order
    "segment_a": (60, 180),
    "segment_b": (135, 270),
    "segment_c": (180, 365),
    "segment_d": (0, 0),
}


def migrate(cr, version):
    """Say of the segments, which the user owns, when their customers are neglected."""
    if not version:
        return
    env = api.Environment(cr, SUPERUSER_ID, {})
    for name, (contact_days, order_days) in TERMS.items():
        segment = env.ref(f"crm_sales_coverage.{name}", raise_if_not_found=False)
        if segment and not (segment.idle_contact_days or segment.idle_order_days):
            segment.write(
                {"idle_contact_days": contact_days, "idle_order_days": order_days}
            )
