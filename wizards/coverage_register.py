import re
from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, email_normalize, format_date
from odoo.tools.mail import email_domain_extract

from ..models.opening import open_form

FREE_MAIL = {
    "abv.bg",
    "aol.com",
    "bk.ru",
    "dir.bg",
    "example.com",
    "free.fr",
    "gmail.com",
    "gmx.at",
    "gmx.com",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hotmail.com",
    "icloud.com",
    "inbox.ru",
    "list.ru",
    "live.com",
    "mail.bg",
    "mail.com",
    "mail.ru",
    "me.com",
    "msn.com",
    "orange.fr",
    "outlook.com",
    "proton.me",
    "protonmail.com",
    "rambler.ru",
    "t-online.de",
    "ukr.net",
    "web.de",
    "yahoo.com",
    "yandex.com",
    "yandex.ru",
    "ya.ru",
}
LEGAL_FORMS = {
    "ab",
    "ad",
    "ag",
    "as",
    "bv",
    "co",
    "company",
    "corp",
    "corporation",
    "d",
    "doo",
    "ead",
    "eood",
    "et",
    "gmbh",
    "inc",
    "kft",
    "kg",
    "limited",
    "llc",
    "llp",
    "ltd",
    "mbh",
    "nv",
    "o",
    "ohg",
    "oo",
    "ood",
    "oy",
    "plc",
    "sa",
    "sarl",
    "sas",
    "se",
    "sia",
    "sl",
    "sp",
    "spa",
    "spol",
    "srl",
    "sro",
    "the",
    "z",
    "ад",
    "ао",
    "гмбх",
    "еад",
    "еоод",
    "ет",
    "зао",
    "ип",
    "оао",
    "ооо",
    "оод",
    "пао",
    "фирма",
}
SIMILARITY = 0.5
MATCH_LIMIT = 5


def normal_name(name):
    """Return a company's name as it is compared: small words, no legal form."""
    words = re.findall(r"\w+", (name or "").casefold().replace(".", ""))
    return " ".join(word for word in words if word not in LEGAL_FORMS)


class CoverageRegister(models.TransientModel):
    """Registers a new customer for oneself, unless somebody has it already.

    Compares VAT, phone, domain and name with all customers of the company, also those
    that the user may not see: of them it tells the name, the owner, and why.
    """

    _name = "coverage.register"
    _description = "Register Customer"

    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    name = fields.Char(string="Customer", required=True)
    vat = fields.Char(string="Tax ID")
    phone = fields.Char()
    email = fields.Char(string="E-mail")
    website = fields.Char()
    country_id = fields.Many2one(
        "res.country", default=lambda self: self.env.company.country_id
    )
    contact_name = fields.Char(string="Contact Person")
    contact_function = fields.Char(string="Job Position")

    # what is known already
    verdict = fields.Selection(
        [
            ("free", "Free"),
            ("similar", "Similar"),
            ("unowned", "Without owner"),
            ("mine", "Mine"),
            ("taken", "Taken"),
        ],
        compute="_compute_verdict",
    )
    match_html = fields.Html(compute="_compute_verdict", string="Known Already")
    match_partner_id = fields.Many2one("res.partner", compute="_compute_verdict")
    claim_days = fields.Integer(compute="_compute_claim_days")

    @api.depends("company_id")
    def _compute_claim_days(self):
        for register in self:
            register.claim_days = register.company_id.sudo().coverage_claim_days

    @api.depends("name", "vat", "phone", "email", "website", "country_id", "company_id")
    def _compute_verdict(self):
        for register in self:
            matches = register._find_matches()
            register.verdict = register._judge(matches)
            register.match_html = register._tell_matches(matches)
            best = matches[0]["partner_id"] if matches else False
            register.match_partner_id = best

    # === ACTION METHODS === #

    def action_register(self):
        """Create the customer, owned by the user for as long as the company says.

        :raises UserError: when somebody has it; names whom to ask
        """
        self.ensure_one()
        self._check_company()
        self._hold_company()
        matches = self._find_matches()
        verdict = self._judge(matches)
        if verdict not in ("free", "similar"):
            raise UserError(self._refuse(verdict, matches[0]))
        partner = self.env["res.partner"].create(self._prepare_partner_vals())
        if self.contact_name:
            self.env["res.partner"].create(
                {
                    "name": self.contact_name,
                    "function": self.contact_function,
                    "parent_id": partner.id,
                    "type": "contact",
                }
            )
        return self._claim(partner, "registered")

    def action_take(self):
        """Take the customer that was found, which has no owner.

        :raises UserError: when somebody took it meanwhile
        """
        self.ensure_one()
        self._check_company()
        self._hold_company()
        matches = self._find_matches()
        verdict = self._judge(matches)
        if verdict != "unowned":
            raise UserError(
                self._refuse(verdict, matches[0])
                if matches
                else self.env._("It is not known any more. Register it.")
            )
        partner = self.env["res.partner"].browse(matches[0]["partner_id"])
        return self._claim(partner, "claimed")

    def action_open_match(self):
        """Open the customer that is one's own already."""
        self.ensure_one()
        row = self._find_row(self.match_partner_id)
        return self._open_row(row)

    # === BUSINESS METHODS === #

    def _check_company(self):
        """Raise where the company is not one the user works in."""
        if self.company_id not in self.env.user.company_ids:
            raise UserError(self.env._("Choose a company you work in."))

    def _hold_company(self):
        """Let of two who register at once the second one look again.

        He waits, fails, and is tried anew by Odoo: then he sees what the first made.
        """
        self.env.cr.execute(self._query_hold())

    def _query_hold(self):
        return SQL(
            "UPDATE res_company SET write_date = write_date WHERE id = %s",
            self.company_id.id,
        )

    def _prepare_partner_vals(self):
        return {
            "name": self.name.strip(),
            "is_company": True,
            "vat": self.vat,
            "phone": self.phone,
            "email": self.email,
            "website": self.website,
            "country_id": self.country_id.id,
            "user_id": False,
        }

    def _claim(self, partner, code):
        """Make the user the owner, for as long as a registration lasts."""
        company = self.company_id.sudo()
        today = company._get_coverage_today(fields.Datetime.now())
        vals = {
            "user_id": self.env.uid,
            "registered_date": today,
            "protected_until": today + timedelta(days=company.coverage_claim_days),
        }
        row = self._find_row(partner)
        if row:
            row._log_owner({"code": code}).write(vals)
        else:  # who may register creates the row; sellers have no right to rows
            row = row.create(
                {**vals, "partner_id": partner.id, "company_id": company.id}
            )
        return self._open_row(row)

    def _find_row(self, partner):
        """Return the row of a customer, as superuser."""
        rows = self.env["coverage.customer"].sudo().with_context(active_test=False)
        return rows.search(
            [("partner_id", "=", partner.id), ("company_id", "=", self.company_id.id)]
        )

    def _open_row(self, row):
        return open_form("coverage.customer", row.id)

    def _judge(self, matches):
        """Return what may be done, by the first match: the one that says most."""
        if not matches:
            return "free"
        best = matches[0]
        if not best["is_strong"]:
            return "similar"
        if best["owner_id"] == self.env.uid:
            return "mine"
        if best["owner_id"] or not best["is_active"] or not best["is_mine_to_take"]:
            return "taken"
        return "unowned"

    def _refuse(self, verdict, match):
        """Return the sentence that says whom to ask instead."""
        words = {"customer": match["name"], "owner": match["owner"]}
        _ = self.env._
        if verdict == "mine":
            return _("%(customer)s is yours already.", **words)
        if verdict == "unowned":
            return _("%(customer)s has no owner. Take that one instead.", **words)
        if not match["is_active"]:
            return _(
                "%(customer)s was given up. Ask %(leader)s to bring it back.",
                leader=match["leader"],
                **words,
            )
        if not match["owner_id"]:
            return _(
                "%(customer)s waits for somebody in another team. Ask %(leader)s.",
                leader=match["leader"],
                **words,
            )
        return _(
            "%(customer)s is %(owner)s's customer. Ask %(owner)s for a handoff.",
            **words,
        )

    def _tell_matches(self, matches):
        """Return the matches as a small table; never with money."""
        if not matches:
            return False
        _ = self.env._
        rows = [
            Markup("<tr><td><b>%s</b></td><td>%s</td><td>%s</td></tr>")
            % (one["name"], self._tell_owner(one), ", ".join(one["why"]))
            for one in matches
        ]
        head = Markup("<tr><th>%s</th><th>%s</th><th>%s</th></tr>") % (
            _("Customer"),
            _("Owner"),
            _("Same"),
        )
        return Markup('<table class="table table-sm mb-0">%s%s</table>') % (
            head,
            Markup("").join(rows),
        )

    def _tell_owner(self, match):
        _ = self.env._
        if not match["is_active"]:
            return _("given up")
        if not match["owner_id"]:
            return _("no owner")
        if not match["since"]:
            return match["owner"]
        since = format_date(self.env, match["since"])
        return _("%(owner)s since %(date)s", owner=match["owner"], date=since)

    # === WHAT IS KNOWN === #

    def _find_matches(self):
        """Return the customers that this could be, the surest first.

        :return: dicts of ``partner_id``, ``name``, ``owner_id``, ``owner``, ``since``,
            ``why`` (words), ``is_strong`` (the same, not only similar), ``is_active``,
            ``is_mine_to_take`` and ``leader``; nothing else of them
        """
        keys = self._get_keys()
        if not any(keys.values()):
            return []
        for model in ("res.partner", "coverage.customer"):
            self.env[model].flush_model()
        rows = self.env.execute_query_dict(self._query_matches(keys))
        return self._tell_found(rows[:MATCH_LIMIT])

    def _get_keys(self):
        """Return what is compared; empty where nothing is known."""
        email = email_normalize(self.email or "")
        domain = email_domain_extract(email) if email else self._get_website_domain()
        vat = re.sub(r"\W", "", self.vat or "").upper()
        name = normal_name(self.name)
        return {
            "vat": vat if len(vat) > 3 else "",
            "phone": self._get_phone(),
            "domain": domain if domain and domain not in FREE_MAIL else "",
            "name": name if len(name) > 2 else "",
        }

    def _get_website_domain(self):
        site = re.sub(r"^\w+://", "", (self.website or "").strip().lower())
        host = site.split("/")[0].removeprefix("www.")
        return host if "." in host else ""

    def _get_phone(self):
        """Return the number as contacts keep it."""
        if not self.phone:
            return ""
        partner = self.env["res.partner"].new(
            {"phone": self.phone, "country_id": self.country_id.id}
        )
        return partner._phone_format(fname="phone", force_format="E164") or ""

    def _query_matches(self, keys):
        """Select companies by what is the same, in the company's base and beside it.

        One branch a key, so that each can use its index; the name by similarity where
        the database knows trigrams, else by its first word.
        """
        branches = []
        if keys["vat"]:
            branches.append(
                SQL(
                    "SELECT id, 8 AS same FROM res_partner WHERE "
                    "upper(regexp_replace(vat, '\\W', '', 'g')) = %s",
                    keys["vat"],
                )
            )
        if keys["phone"]:
            branches.append(
                SQL(
                    "SELECT id, 4 FROM res_partner WHERE phone_sanitized = %s",
                    keys["phone"],
                )
            )
        if keys["domain"]:
            branches.append(
                SQL(
                    "SELECT id, 2 FROM res_partner WHERE "
                    "split_part(email_normalized, '@', 2) = %s",
                    keys["domain"],
                )
            )
        if keys["name"]:
            branches.append(self._query_names(keys["name"]))
        return SQL(
            """
            SELECT p.id AS partner_id, p.name, bit_or(found.same) AS same,
                   c.user_id AS owner_id, c.owned_since AS since, c.team_id,
                   p.active AND COALESCE(c.active, TRUE) AS is_active
              FROM (%(branches)s) found (id, same)
              JOIN res_partner person ON person.id = found.id
              JOIN res_partner p ON p.id = person.commercial_partner_id
              LEFT JOIN coverage_customer c ON c.partner_id = p.id
                                           AND c.company_id = %(company)s
             WHERE COALESCE(p.company_id, %(company)s) = %(company)s
               AND NOT EXISTS (SELECT FROM res_company WHERE partner_id = p.id)
               AND NOT EXISTS (
                   SELECT FROM res_users u WHERE u.partner_id = p.id AND NOT u.share)
             GROUP BY p.id, c.id
             ORDER BY bit_or(found.same) DESC, c.user_id IS NULL, p.id
             LIMIT %(limit)s
            """,
            branches=SQL(" UNION ALL ").join(branches),
            company=self.company_id.id,
            limit=MATCH_LIMIT,
        )

    def _query_names(self, name):
        """Select companies with a similar name."""
        if self.env.registry.has_trigram:
            return SQL(
                "SELECT id, 1 FROM res_partner WHERE is_company AND "
                "word_similarity(%(name)s, lower(name)) >= %(least)s "
                "AND similarity(%(name)s, lower(name)) >= %(least)s / 2",
                name=name,
                least=SIMILARITY,
            )
        return SQL(
            "SELECT id, 1 FROM res_partner WHERE is_company AND lower(name) LIKE %s",
            f"%{name.split()[0]}%",
        )

    def _tell_found(self, rows):
        """Return the matches with names; read as superuser, name and owner only."""
        _, guard = self.env._, self.env["coverage.guard"]
        labels = {8: _("Tax ID"), 4: _("phone"), 2: _("domain"), 1: _("name")}
        users = self.env["res.users"].sudo()
        teams = self.env["crm.team"].sudo()
        typed, matches = normal_name(self.name), []
        for row in rows:
            team = teams.browse(row["team_id"] or ())
            owner = users.browse(row["owner_id"] or ())
            is_same_name = normal_name(row["name"]) == typed
            matches.append(
                {
                    "partner_id": row["partner_id"],
                    "name": row["name"],
                    "owner_id": owner.id,
                    "owner": owner.name or "",
                    "since": row["since"],
                    "is_active": row["is_active"],
                    "is_mine_to_take": guard._is_free()
                    or not team
                    or self.env.user in team.crm_team_member_ids.user_id | team.user_id,
                    "leader": team.user_id.name or _("a sales manager"),
                    "why": [
                        label for bit, label in labels.items() if row["same"] & bit
                    ],
                    "is_strong": row["same"] > 1 or is_same_name,
                }
            )
        matches.sort(key=lambda one: not one["is_strong"])
        return matches
