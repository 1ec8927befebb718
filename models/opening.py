"""Actions that open one record."""


def open_form(model, res_id):
    """Return the action that opens a record of a model in its form."""
    return {
        "type": "ir.actions.act_window",
        "res_model": model,
        "res_id": res_id,
        "views": [(False, "form")],
    }
