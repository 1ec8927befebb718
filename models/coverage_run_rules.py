from psycopg2 import IntegrityError

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

SEGMENT_FIELDS = ("typical_share", "contact_interval_days", "expected_yield_rate")


class CoverageRunRules(models.AbstractModel):
    """The rules and settings that a run tries: on paper, real, and taken back.

    ``what_if`` is ``{"segment": {code: {field: value}}, "temperature": {code: {field:
    value}}, "company": {field: value}}``.
    """

    _name = "coverage.run.rules"
    _description = "Rules of a Coverage Run"

    what_if = fields.Json(help="Other values of rules and settings, tried first.")
    what_if_former = fields.Json(help="What they were before this run was applied.")
    what_if_text = fields.Text(compute="_compute_what_if_text", string="Tried")
    rules = fields.Json(help="All rules and settings at the time of the preview.")

    @api.depends("what_if")
    @api.depends_context("lang")
    def _compute_what_if_text(self):
        for run in self:
            run.what_if_text = "\n".join(run._get_what_if_lines())

    def _get_what_if_records(self):
        """Return ``[(record, {field: value})]`` that the what-if speaks of.

        :raises UserError: for codes, fields or sections that do not exist
        """
        self.ensure_one()
        what_if = self.what_if or {}
        pairs = []
        self._check_names(what_if, ("company", "segment", "temperature"))
        company = what_if.get("company", {})
        allowed = self.company_id._get_coverage_setting_names()
        self._check_names(company, allowed)
        if company:
            pairs.append((self.company_id, company))
        for section, names in (
            ("segment", SEGMENT_FIELDS),
            ("temperature", ("min_score",)),
        ):
            for code, values in self._check_shape(what_if.get(section, {})).items():
                record = self.env[f"coverage.{section}"].search([("code", "=", code)])
                if not record:
                    raise UserError(
                        self.env._(
                            "There is no %(section)s “%(code)s” to try other values "
                            "on.",
                            section=section,
                            code=code,
                        )
                    )
                self._check_names(values, names)
                pairs.append((record, values))
        return pairs

    def _check_shape(self, values):
        """Return ``values``; they come from anywhere, the external API included."""
        if not isinstance(values, dict):
            raise UserError(
                self.env._(
                    "A preview cannot try “%(values)s”. Give values by name, for "
                    'example {"segment": {"B": {"typical_share": 70}}}.',
                    values=values,
                )
            )
        return values

    def _check_names(self, values, allowed):
        if unknown := set(self._check_shape(values)) - set(allowed):
            raise UserError(
                self.env._(
                    "A preview cannot try “%(names)s”. It can try: %(allowed)s.",
                    names=", ".join(sorted(unknown)),
                    allowed=", ".join(allowed),
                )
            )

    def _check_what_if(self):
        """Let Odoo check the values tried as if they were written, then take them back.

        The constraints that guard the settings page guard a preview too.
        """
        pairs = self._get_what_if_records()
        if not pairs:
            return
        try:
            self._try_rules(pairs)
        except IntegrityError as error:
            text = self.env["coverage.segment"]._sql_error_to_message(error)
            raise ValidationError(text) from error
        except (TypeError, ValueError) as error:
            raise UserError(
                self.env._("A value to try has a wrong form: %(error)s", error=error)
            ) from error

    def _try_rules(self, pairs):
        """Write values of rules, then take them back."""
        undo = self.env.cr.savepoint()
        try:
            self._write_rules(pairs)
            self.env.flush_all()
        finally:
            undo.close(rollback=True)
            self.env.registry.clear_cache()
            self.env.invalidate_all()

    def _write_rules(self, pairs):
        """Write values of rules; the order of segments is checked at the end."""
        for record, values in pairs:
            record.with_context(coverage_check_later=True).write(values)
        self.env["coverage.segment"]._check_order()
        self.env["coverage.temperature"]._check_rising()

    def _swap_rules(self, what_if):
        """Make the values tried real; return what they were, in the same shape."""
        pairs = self._get_what_if_records()
        former = {}
        for record, values in pairs:
            old = {name: record[name] for name in values}
            if record._name == "res.company":
                former["company"] = old
            else:
                section = record._name.removeprefix("coverage.")
                former.setdefault(section, {})[record.code] = old
        if pairs:
            self._write_rules(pairs)
        return former

    def _restore_rules(self):
        """Give back the former settings where nobody has changed them since."""
        kept, pairs = [], []
        former = self.what_if_former or {}
        for record, values in self._get_what_if_records():
            old = (
                former.get("company", {})
                if record._name == "res.company"
                else former[record._name.removeprefix("coverage.")][record.code]
            )
            same = {name: old[name] for name in values if record[name] == values[name]}
            kept += [
                f"{record.display_name}: {self._get_field_label(record, name)}"
                for name in values
                if name not in same
            ]
            if same:
                pairs.append((record, same))
        if pairs:
            self._write_rules(pairs)
        if kept:
            self.note = self.env._(
                "Changed since and therefore kept: %(names)s.", names=", ".join(kept)
            )

    def _get_field_label(self, record, name):
        field = record._fields[name]
        return field.get_description(self.env, ["string"])["string"]

    def _get_rules_now(self):
        """Return all rules and settings that a decision depends on, as plain data."""
        segments = self.env["coverage.segment"].search([])
        levels = self.env["coverage.temperature"].search([])
        return {
            "company": self.company_id._get_coverage_settings(),
            "segment": {
                segment.code: {name: segment[name] for name in SEGMENT_FIELDS}
                for segment in segments
            },
            "temperature": {level.code: level.min_score for level in levels},
            **self._get_more_rules(),
        }

    def _get_more_rules(self):
        """Return what decisions of this kind of run depend on besides, as plain data.

        Called when a preview is made, and again before it is applied.
        """
        return {}

    def _check_unchanged(self):
        """Refuse to apply a preview whose rules or reference are no longer true."""
        self._check_transition("applying")
        latest = self.env["coverage.reference"]._get_latest(self.company_id)
        is_older = latest.date and latest.date > self.reference_id.date
        if self.rules != self._get_rules_now() or is_older:
            raise UserError(
                self.env._(
                    "Rules, settings or the A reference changed since this preview was "
                    "made. Preview again, then apply."
                )
            )

    def _get_what_if_lines(self):
        """Return one readable line per value tried."""
        lines = []
        what_if = self.what_if or {}
        former = self.what_if_former or self.rules or {}
        for name, value in what_if.get("company", {}).items():
            field = self.env["res.company"]._fields[name]
            old = former.get("company", {}).get(name)
            lines.append(self._get_what_if_line(field, old, value))
        for section in ("segment", "temperature"):
            model = self.env[f"coverage.{section}"]
            for code, values in what_if.get(section, {}).items():
                record = model.search([("code", "=", code)])
                for name, value in values.items():
                    old = former.get(section, {}).get(code)
                    old = old.get(name) if isinstance(old, dict) else old
                    line = self._get_what_if_line(model._fields[name], old, value)
                    lines.append(f"{record.display_name or code} – {line}")
        return lines

    def _get_what_if_line(self, field, old, new):
        """Return what a value was and what is tried, as people read it."""
        label = field.get_description(self.env, ["string"])["string"]
        if field.type == "selection":
            words = dict(field._description_selection(self.env))
        else:
            words = {True: self.env._("yes"), False: self.env._("no")}

        def write(value):
            if field.type in ("selection", "boolean"):
                return words.get(value, value)
            if field.name.endswith("_rate"):
                return f"{100 * (value or 0):g} %"
            return f"{value or 0:g}"

        return f"{label}: {write(old)} → {write(new)}"
