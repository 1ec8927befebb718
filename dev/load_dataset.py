"""Load a folder of CSV files into a database; run by dev/load_dataset.

Four files: ``accounts.csv``, ``products.csv``, ``sales_teams.csv`` and
``sales_pipeline.csv``, as the "CRM Sales Opportunities" data set publishes them. All of
it is read and checked before anything is written. What is loaded keeps an external id,
and is left alone the next time.
"""

import argparse
import csv
import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

from odoo import SUPERUSER_ID, Command, api, fields
from odoo.exceptions import UserError
from odoo.modules.registry import Registry
from odoo.tools import config

MODULE = "dataset_crm_sales"  # of the external ids
SHIFT = f"{MODULE}.shift_days"
BATCH = 500
# Loading years at once is no news: nobody is written to, nothing is tracked.
SILENT = {
    "coverage_skip_refresh": True,
    "mail_activity_automation_skip": True,
    "mail_auto_subscribe_no_notify": True,
    "mail_create_nolog": True,
    "mail_create_nosubscribe": True,
    "mail_notrack": True,
    "no_reset_password": True,
    "tracking_disable": True,
}

ACCOUNTS, PRODUCTS = "accounts.csv", "products.csv"
SELLERS, PIPELINE = "sales_teams.csv", "sales_pipeline.csv"
PROSPECTING, ENGAGING, WON, LOST = "Prospecting", "Engaging", "Won", "Lost"
STAGES = (PROSPECTING, ENGAGING, WON, LOST)
CLOSED = (WON, LOST)
SPELLINGS = {
    "technolgy": "technology",
    "Philipines": "Philippines",
    "Korea": "South Korea",
}


class DatasetError(Exception):
    """A file that cannot be loaded: which, where and why."""

    def __init__(self, file, line, reason):
        super().__init__(
            f"{file}, line {line}: {reason}" if line else f"{file}: {reason}"
        )


@dataclass
class Dataset:
    """The rows of the files, in their order, by key."""

    accounts: dict = field(default_factory=dict)
    products: dict = field(default_factory=dict)
    sellers: dict = field(default_factory=dict)
    opportunities: dict = field(default_factory=dict)


# === READING === #


def key_of(name):
    """Return what stays of a name without case, spaces and signs: GTXPro is GTX Pro."""
    return re.sub(r"[\W_]+", "", name.casefold())


def read_name(text):
    """Return the name, which must hold a letter or a digit."""
    if not key_of(text):
        raise ValueError("holds neither letter nor digit" if text else "is empty")
    return text


def read_spelled(text):
    """Return the name, known slips of the pen corrected."""
    return SPELLINGS.get(text, read_name(text))


def read_amount(text):
    """Return a number of at least 0."""
    if not re.fullmatch(r"-?\d{1,12}(\.\d{1,9})?", text, re.ASCII):
        raise ValueError("is not a number" if text else "is empty")
    if text.startswith("-"):
        raise ValueError("is negative")
    return float(text)


def read_count(text):
    """Return a whole number of at least 0."""
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        raise ValueError("is not a whole number" if text else "is empty")
    return int(text)


def read_date(text):
    """Return a date written as 2017-12-31."""
    try:
        if not re.fullmatch(r"(19|20)\d\d-\d\d-\d\d", text, re.ASCII):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("is not a date like 2017-12-31") from None


def read_stage(text):
    """Return a stage of the pipeline."""
    if text not in STAGES:
        raise ValueError(f"is none of {', '.join(STAGES)}")
    return text


def optional(read):
    """Let a column be empty."""
    return lambda text: read(text) if text else None


COLUMNS = {
    ACCOUNTS: {
        "account": read_name,
        "sector": read_spelled,
        "year_established": read_count,
        "revenue": read_amount,
        "employees": read_count,
        "office_location": read_spelled,
        "subsidiary_of": optional(read_name),
    },
    PRODUCTS: {"product": read_name, "series": str, "sales_price": read_amount},
    SELLERS: {
        "sales_agent": read_name,
        "manager": read_name,
        "regional_office": read_name,
    },
    PIPELINE: {
        "opportunity_id": read_name,
        "sales_agent": read_name,
        "product": read_name,
        "account": optional(read_name),
        "deal_stage": read_stage,
        "engage_date": optional(read_date),
        "close_date": optional(read_date),
        "close_value": optional(read_amount),
    },
}


def read_dataset(folder):
    """Return the checked content of a folder.

    :raise DatasetError: at the first row that cannot be loaded
    """
    dataset = Dataset(*(read_file(Path(folder), file) for file in COLUMNS))
    check_parents(dataset.accounts)
    for row in dataset.opportunities.values():
        check_opportunity(row, dataset)
    return dataset


def read_file(folder, file):
    """Return the rows of a file by the key of their first column."""
    try:
        with open(folder / file, encoding="utf-8-sig", newline="") as lines:
            reader = csv.reader(lines, strict=True)
            try:
                return read_rows(reader, file)
            except csv.Error as error:
                raise DatasetError(file, reader.line_num, f"{error}") from error
    except UnicodeDecodeError as error:
        raise DatasetError(file, None, "is not UTF-8") from error
    except OSError as error:
        raise DatasetError(file, None, f"cannot be read from {folder}") from error


def read_rows(reader, file):
    """Return the rows of an open file by the key of their first column."""
    columns = COLUMNS[file]
    header = [name.strip() for name in next(reader, ())]
    for name in columns:
        if name not in header:
            raise DatasetError(file, 1, f"column {name} is missing")
    rows = {}
    for values in reader:
        if not values:
            continue
        line = reader.line_num
        if len(values) != len(header):
            reason = f"has {len(values)} fields instead of {len(header)}"
            raise DatasetError(file, line, reason)
        row = read_row(dict(zip(header, values, strict=True)), columns, file, line)
        if row.key in rows:
            name = next(iter(columns))
            reason = f'{name} "{getattr(row, name)}" is already in line '
            raise DatasetError(file, line, f"{reason}{rows[row.key].line}")
        rows[row.key] = row
    return rows


def read_row(texts, columns, file, line):
    """Return one row: its values as attributes, its key and its line."""
    row = SimpleNamespace(line=line)
    for name, read in columns.items():
        text = texts[name].strip()
        try:
            setattr(row, name, read(text))
        except ValueError as error:
            what = f'{name} "{text}"' if text else name
            raise DatasetError(file, line, f"{what} {error}") from None
    row.key = key_of(getattr(row, next(iter(columns))))
    return row


def check_parents(accounts):
    """Refuse unknown parents and circles; note how deep each account lies."""
    for row in accounts.values():
        row.depth, parent, seen = 0, row, {row.key}
        while parent.subsidiary_of:
            key = key_of(parent.subsidiary_of)
            name = f'subsidiary_of "{parent.subsidiary_of}"'
            if key not in accounts:
                raise DatasetError(
                    ACCOUNTS, parent.line, f"{name} is not in {ACCOUNTS}"
                )
            if key in seen:
                raise DatasetError(ACCOUNTS, parent.line, f"{name} leads in a circle")
            seen.add(key)
            row.depth, parent = row.depth + 1, accounts[key]


def check_opportunity(row, dataset):
    """Refuse unknown names, and what its stage needs but the row does not have."""

    def refuse(reason):
        raise DatasetError(PIPELINE, row.line, reason)

    for name, known, file in (
        ("sales_agent", dataset.sellers, SELLERS),
        ("product", dataset.products, PRODUCTS),
        ("account", dataset.accounts, ACCOUNTS),
    ):
        value = getattr(row, name)
        if value and key_of(value) not in known:
            refuse(f'{name} "{value}" is not in {file}')
    needed = {WON: ("account", "close_date", "close_value"), LOST: ("close_date",)}
    for name in needed.get(row.deal_stage, ()):
        if getattr(row, name) is None:
            refuse(f"{name} is empty in a {row.deal_stage} row")
    if row.engage_date and row.close_date and row.close_date < row.engage_date:
        refuse(f"close_date {row.close_date} is before engage_date {row.engage_date}")


# === LOADING === #


def load_dataset(env, folder, now=None):
    """Load a folder into the current company; the caller commits.

    :param datetime now: naive UTC; its day becomes the newest close date
    :return: the loader, with ``created``: numbers of new records by model
    :raise DatasetError: before anything is written
    """
    loader = Loader(env, read_dataset(folder), now or fields.Datetime.now())
    loader.load()
    return loader


class Loader:
    """Create what a data set holds and the database does not."""

    def __init__(self, env, dataset, now):
        self.env = env(context={**env.context, **SILENT, "lang": "en_US"})
        self.company = self.env.company
        self.dataset = dataset
        self.now = now
        self.created = Counter()
        known = self.env["ir.model.data"].search_read(
            [("module", "=", MODULE)], ["name", "res_id"]
        )
        self.ids = {data["name"]: data["res_id"] for data in known}

    def load(self):
        """Create what is missing, everything before what refers to it."""
        countries, stages = self._find_countries(), self._find_stages()
        self.zone = ZoneInfo(self.company._get_coverage_tz())
        self.shift = self._get_shift()
        self._load_accounts(countries)
        self._load_products()
        self._load_sellers()
        self._load_opportunities(stages)
        self._load_orders()
        if self.created:
            self._refresh()

    def _create(self, model, kind, rows, prepare):
        """Create in batches what is missing of ``rows``; yield each batch.

        :param prepare: returns the values of one row
        """
        missing = [row for row in rows if f"{kind}_{row.key}" not in self.ids]
        for start in range(0, len(missing), BATCH):
            batch = missing[start : start + BATCH]
            records = self.env[model].create([prepare(row) for row in batch])
            names = [f"{kind}_{row.key}" for row in batch]
            self.ids.update(zip(names, records.ids, strict=True))
            self.env["ir.model.data"]._update_xmlids(
                {"xml_id": f"{MODULE}.{name}", "record": record, "noupdate": True}
                for name, record in zip(names, records, strict=True)
            )
            self.created[model] += len(records)
            yield batch, records

    def _create_all(self, *args):
        for _batch, _records in self._create(*args):
            pass

    def _get_id(self, kind, name):
        """Return the id of what was loaded under this name, or False."""
        return self.ids[f"{kind}_{key_of(name)}"] if name else False

    # === WHAT THE DATABASE HAS === #

    def _find_countries(self):
        """Return country ids by the key of their name.

        :raise DatasetError: for an account in a country that Odoo does not know
        """
        countries = self.env["res.country"].search([])
        ids = {key_of(country.name): country.id for country in countries}
        for row in self.dataset.accounts.values():
            if key_of(row.office_location) not in ids:
                reason = f'office_location "{row.office_location}" is no country'
                raise DatasetError(ACCOUNTS, row.line, reason)
        return ids

    def _find_stages(self):
        """Return stage ids: first, middle and won of the stages that all teams share.

        A lost opportunity keeps the stage that it had been in.
        """
        stages = self.env["crm.stage"].search([("team_ids", "=", False)])
        opened, won = (
            stages.filtered(lambda stage: not stage.is_won),
            stages.filtered("is_won"),
        )
        if not opened or not won:
            raise UserError(
                self.env._(
                    "The pipeline needs an open stage and a won stage that all teams "
                    "share. Create them and load again."
                )
            )
        middle = opened[len(opened) // 2].id
        return {
            PROSPECTING: opened[0].id,
            ENGAGING: middle,
            LOST: middle,
            WON: won[0].id,
        }

    def _get_shift(self):
        """Return how far all dates move: so far that the newest closed one is today.

        Kept from the first load on, so that rows added later fall into their place.
        """
        parameters = self.env["ir.config_parameter"].sudo()
        if not (days := parameters.get_param(SHIFT)):
            newest = max(
                (row.close_date for row in self._get_opportunities(CLOSED)),
                default=None,
            )
            today = self.company._get_coverage_today(self.now)
            days = (today - newest).days if newest else 0
            parameters.set_param(SHIFT, str(days))
        return timedelta(days=int(days))

    def _get_moment(self, day):
        """Return noon of the shifted day in the company's time zone, as naive UTC."""
        noon = datetime.combine(day + self.shift, time(12), self.zone)
        return noon.astimezone(ZoneInfo("UTC")).replace(tzinfo=None)

    # === WHO AND WHAT === #

    def _load_accounts(self, countries):
        """Create companies, parents first. A subsidiary is a customer of its own."""
        industries = self._load_industries()

        def prepare(row):
            return {
                "name": row.account,
                "is_company": True,
                # As a mere contact it would be given its parent's address.
                "type": "other" if row.subsidiary_of else "contact",
                "parent_id": self._get_id("account", row.subsidiary_of),
                "industry_id": industries[key_of(row.sector)],
                "country_id": countries[key_of(row.office_location)],
                "coverage_employee_count": row.employees,
            }

        accounts = sorted(self.dataset.accounts.values(), key=attrgetter("depth"))
        for _depth, rows in groupby(accounts, key=attrgetter("depth")):
            self._create_all("res.partner", "account", rows, prepare)

    def _load_industries(self):
        """Return industry ids by the key of their name; create those not there."""
        industries = self.env["res.partner.industry"].search([])
        ids = {key_of(industry.name): industry.id for industry in industries}
        names = {
            key_of(row.sector): row.sector for row in self.dataset.accounts.values()
        }
        rows = [
            SimpleNamespace(key=key, name=name.capitalize())
            for key, name in names.items()
            if key not in ids
        ]
        self._create_all(
            "res.partner.industry", "industry", rows, lambda row: {"name": row.name}
        )
        return ids | {row.key: self._get_id("industry", row.name) for row in rows}

    def _load_products(self):
        self._create_all(
            "product.product",
            "product",
            self.dataset.products.values(),
            lambda row: {
                "name": row.product,
                "type": "consu",
                "list_price": row.sales_price,
                "taxes_id": [Command.clear()],  # prices as published are untaxed
            },
        )

    def _load_sellers(self):
        """Create sellers, their managers, and a team for each manager."""
        sellers = list(self.dataset.sellers.values())
        managers = {key_of(row.manager): row for row in sellers}
        leaders = [
            SimpleNamespace(key=key, name=row.manager, office=row.regional_office)
            for key, row in managers.items()
        ]
        people = {
            row.key: SimpleNamespace(key=row.key, name=row.sales_agent)
            for row in sellers
        }
        people |= {row.key: row for row in leaders}

        def prepare_user(row):
            login = ".".join(re.findall(r"\w+", row.name.lower()))
            group = (
                "crm_sales_coverage.group_coverage_team_leader"
                if row.key in managers
                else "sales_team.group_sale_salesman"
            )
            return {
                "name": row.name,
                "login": login,
                "email": f"{login}@example.com",
                "group_ids": [Command.link(self.env.ref(group).id)],
            }

        self._create_all("res.users", "user", people.values(), prepare_user)
        self._create_all(
            "crm.team",
            "team",
            leaders,
            lambda row: {
                "name": f"{row.office} ({row.name})",
                "user_id": self._get_id("user", row.name),
                "company_id": self.company.id,
            },
        )
        self._create_all(
            "crm.team.member",
            "member",
            sellers,
            lambda row: {
                "crm_team_id": self._get_id("team", row.manager),
                "user_id": self._get_id("user", row.sales_agent),
            },
        )

    # === WHAT HAPPENED === #

    def _get_opportunities(self, stages):
        """Return the rows in these stages, by the day they closed."""
        rows = [
            row
            for row in self.dataset.opportunities.values()
            if row.deal_stage in stages
        ]
        return sorted(rows, key=lambda row: row.close_date or date.max)

    def _load_opportunities(self, stages):
        def prepare(row):
            product = self.dataset.products[key_of(row.product)]
            vals = {
                "type": "opportunity",
                "name": ": ".join(filter(None, (row.account, product.product))),
                "partner_id": self._get_id("account", row.account),
                "stage_id": stages[row.deal_stage],
                "expected_revenue": product.sales_price,
                "company_id": self.company.id,
                **self._prepare_seller(row),
            }
            if row.engage_date:
                vals["date_open"] = self._get_moment(row.engage_date)
            if row.deal_stage == WON:
                vals.update(probability=100, expected_revenue=row.close_value)
            if row.deal_stage == LOST:
                vals.update(probability=0, active=False)
            if row.deal_stage in CLOSED:
                vals["date_closed"] = self._get_moment(row.close_date)
            return vals

        self._create_all("crm.lead", "lead", self._get_opportunities(STAGES), prepare)

    def _load_orders(self):
        """Confirm an order for each won opportunity, then date it back.

        Confirming by its own action lets other addons do their part; it puts today.
        """

        def prepare(row):
            return {
                "partner_id": self._get_id("account", row.account),
                "opportunity_id": self._get_id("lead", row.opportunity_id),
                "origin": row.opportunity_id,
                "date_order": self._get_moment(row.close_date),
                "company_id": self.company.id,
                "order_line": [
                    Command.create(
                        {
                            "product_id": self._get_id("product", row.product),
                            "product_uom_qty": 1,
                            "price_unit": row.close_value,
                            "discount": 0,
                            "tax_ids": [Command.clear()],
                        }
                    )
                ],
                **self._prepare_seller(row),
            }

        won = self._get_opportunities((WON,))
        for rows, orders in self._create("sale.order", "order", won, prepare):
            orders.action_confirm()
            ids = dict(zip((row.key for row in rows), orders.ids, strict=True))
            for day, group in groupby(rows, key=attrgetter("close_date")):
                dated = orders.browse([ids[row.key] for row in group])
                dated.date_order = self._get_moment(day)

    def _prepare_seller(self, row):
        seller = self.dataset.sellers[key_of(row.sales_agent)]
        return {
            "user_id": self._get_id("user", seller.sales_agent),
            "team_id": self._get_id("team", seller.manager),
        }

    def _refresh(self):
        """Rank and colour the whole company, under a reference computed anew."""
        references = self.env["coverage.reference"].sudo()
        references._get_latest(self.company).is_provisional = True
        self.env["coverage.refresh"].sudo()._run_refresh(self.company, self.now)

    # === WHAT CAME OUT === #

    def report(self):
        """Return the lines to print: what was created, and the table."""
        created = ", ".join(
            f"{self.env[model]._description} {count:,}"
            for model, count in self.created.items()
        )
        loaded = [self._get_id("account", name) for name in self.dataset.accounts]
        company = [("company_id", "=", self.company.id)]
        customers = self.env["coverage.customer"].sudo()
        others = customers.search_count(
            [*company, ("partner_id", "not in", loaded), ("revenue_best_12m", ">", 0)]
        )
        lines = [f"Created: {created or 'nothing, all was there'}."]
        if others:
            lines.append(
                f"The A reference counts {others} more buyers of {self.company.name}."
            )
        rows = customers.search([*company, ("partner_id", "in", loaded)])
        reference = self.env["coverage.reference"].sudo()._get_latest(self.company)
        unit = self.company.currency_id.name
        lines.append(f"A reference: {reference.amount:,.2f} {unit} a year.")
        return [*lines, "", *self._get_table(rows)]

    def _get_table(self, customers):
        """Return customers, revenue and potential by segment and temperature."""
        heading = ("segment", "temperature", "customers", "revenue 12m", "potential")
        form = "{:<9}{:<13}{:>9}{:>16}{:>16}".format
        lines = [form(*heading)]

        def line(segment, temperature, rows):
            sums = (sum(rows.mapped(name)) for name in ("revenue_12m", "potential"))
            amounts = (f"{amount:,.0f}" for amount in sums)
            lines.append(form(segment, temperature, len(rows), *amounts))

        segments, ranked = self.env["coverage.segment"], customers.grouped("segment_id")
        for segment in (*segments._get_ordered(), segments):
            levels = ranked.get(segment, customers.browse()).grouped("temperature_id")
            for level in sorted(levels, key=lambda level: -level.min_score):
                line(segment.code or "unrated", level.code or "none", levels[level])
        line("total", "", customers)
        return lines


def main():
    """Check a folder and, when a database is named, load it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--conf")
    parser.add_argument("--db")
    args = parser.parse_args()
    try:
        if not args.db:
            read_dataset(args.folder)
            return 0
        config.parse_config(["-c", args.conf, "-d", args.db, "--log-level", "error"])
        with Registry(args.db).cursor() as cr:
            loader = load_dataset(api.Environment(cr, SUPERUSER_ID, {}), args.folder)
            lines = loader.report()
        print("\n".join(lines))
    except (DatasetError, UserError) as error:
        print(f"load_dataset: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
