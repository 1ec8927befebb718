from odoo.exceptions import UserError
from odoo.tools import SQL

from .coverage_history import AS_OF

GRANULARITIES = ("day", "week", "month", "quarter", "year")
GROUPABLE = ("many2one", "selection", "char", "integer", "boolean", "date", "datetime")
DATES = ("date", "datetime")


class Axis:
    """The rows, or the columns, of a map: what they are grouped by, and how they read.

    :param spec: a field of customers, a date with its span (``last_order_date:month``),
        or nothing: all in one
    :raises UserError: when customers cannot be grouped by that
    """

    def __init__(self, customers, spec):
        self.customers, self.env, self.spec = customers, customers.env, spec or False
        self.name, _, self.span = str(spec or "").partition(":")
        self.field = customers._fields.get(self.name)
        self.is_as_of = self.name in AS_OF
        if self.spec:
            self._check()

    def _check(self):
        field = self.field
        is_date = field is not None and field.type in DATES
        if (
            field is None
            or field.type not in GROUPABLE
            or not field._description_groupable(self.env)
            or is_date != bool(self.span)
            or (is_date and self.span not in GRANULARITIES)
        ):
            raise UserError(
                self.env._(
                    "The map cannot be grouped by “%(name)s”. Choose another field.",
                    name=self.spec,
                )
            )

    def get_head(self):
        """Return name and label of the axis."""
        label = self.field._description_string(self.env) if self.spec else ""
        return {"name": self.spec, "label": label}

    def to_sql(self, query):
        """Return the value of today, as a column of a query on customers."""
        if not self.spec:
            return SQL("TRUE")
        return self.customers._read_group_groupby(
            self.customers._table, self.spec, query
        )

    def get_groups(self, figures):
        """Return ``[(value, {key, label, domain})]`` in natural order.

        :param dict figures: what is in each group, by the value that SQL returns
        """
        if not self.spec:
            return [(value, self._describe_all()) for value in figures]
        raw = list(figures)
        records = list(self.customers._read_group_postprocess_groupby(self.spec, raw))
        known = self._get_known(records)
        tell = self.customers._web_read_group_groupby_formatter(self.spec, records)
        groups = []
        for value, record in zip(raw, records, strict=True):
            if value in known or self.field.type != "many2one" or value is None:
                group = self._describe(value, record, tell)
                rank = self._get_rank(value, record, group, figures[value])
            else:
                group, rank = self._describe_deleted(value), (0, "")
            groups.append(((value is None, *rank), value, group))
        groups.sort(key=lambda one: one[0])
        return [(value, group) for _rank, value, group in groups]

    def _get_known(self, records):
        """Return the ids that are there still: history may name deleted ones."""
        if self.field.type != "many2one":
            return ()
        ids = [record.id for record in records if record]
        return set(self.env[self.field.comodel_name].sudo().browse(ids).exists()._ids)

    def _describe_all(self):
        return {"key": False, "label": self.env._("All"), "domain": []}

    def _describe_deleted(self, value):
        return {"key": value, "label": self.env._("Deleted"), "domain": False}

    def _describe(self, value, record, tell):
        """Return key, label and domain of one group."""
        told, domain = tell(record)
        key, label = told if isinstance(told, tuple) else (told, told)
        if value is None:
            key, label = False, self._get_empty_label()
        elif self.field.type == "boolean":
            label = self.env._("Yes") if value else self.env._("No")
        elif self.field.type == "selection":
            labels = dict(self.field._description_selection(self.env))
            label = labels.get(value, value)
        return {"key": key, "label": str(label), "domain": domain}

    def _get_empty_label(self):
        _ = self.env._
        labels = {
            "segment_id": _("Unrated"),
            "temperature_id": _("No temperature"),
            "user_id": _("Without owner"),
            "team_id": _("Without team"),
        }
        return labels.get(self.name) or _("None")

    def _get_rank(self, value, record, group, figures):
        """Return what sorts a group: segments, temperatures, days; people by money."""
        if value is None:
            return ()
        if self.name == "segment_id":
            return (-record.sudo().typical_share, group["label"])
        if self.name == "temperature_id":
            return (-record.sudo().min_score, group["label"])
        if self.field.type == "many2one":
            return (-figures["potential"], -figures["count"], group["label"])
        if self.field.type == "selection":
            keys = [key for key, _label in self.field._description_selection(self.env)]
            return (keys.index(value) if value in keys else len(keys), value)
        return (value,)
