"""Write ``data/files/coverage_dashboard.json``, the manager's dashboard.

Odoo's dashboards are spreadsheets in JSON; this script says in a page what the file
says in a thousand lines. Change it here, then run it: ``python3 dev/dashboard.py``. A
figure of a scorecard is a cell of the sheet *Data*, read from a pivot; charts and the
list read by themselves. Words are English literals, which Odoo exports for translation.
"""

import json
import sys
from pathlib import Path

TARGET = Path(__file__).parent.parent / "data/files/coverage_dashboard.json"
MODULE = "crm_sales_coverage"
CUSTOMERS = f"{MODULE}.coverage_customer_action"

SEGMENTS = "ABCD"
LEVELS = {  # temperature: name and colour, as in coverage.temperature
    "frozen": ("Frozen", "#304BE0"),
    "cool": ("Cool", "#5794DD"),
    "mild": ("Mild", "#E8BB1D"),
    "warm": ("Warm", "#DC8534"),
    "hot": ("Hot", "#C93A1E"),
}
STEPS = (  # of coverage.funnel.report, in words that a phone holds
    ("contact", "Contact", "#B4D0E8"),
    ("answer", "Answer", "#8EB8DC"),
    ("opportunity", "Opportunity", "#6EA4D1"),
    ("quotation", "Quotation", "#4E8FC7"),
    ("order", "First Order", "#3579B3"),
    ("regular", "Regular", "#1F5E96"),
)
BUYING = [["temperature_id", "!=", False]]
OVERDUE = [["contact_state", "=", "overdue"]]
SLEEPING = [["lifecycle", "=", "sleeping"]]
LATE = [["is_late", "=", True]]
OPEN = [["state", "in", ["draft", "offered", "accepted", "watched"]]]

CUSTOMER, HANDOFF, TOUCH = "coverage.customer", "coverage.handoff", "coverage.touch"
YIELD, REVENUE = "coverage.yield.report", "coverage.revenue.report"
MOVEMENT, BASE = "coverage.movement.report", "coverage.base.report"
FUNNEL, RESULT = "coverage.funnel.report", "coverage.handoff.report"
BLUE_LIST = "coverage.blue.report"
OWN = {"team": "team_id", "owner": "user_id", "segment": "segment_id"}
# model: filter → path of the field that it reads
FILTERED = {
    **dict.fromkeys((CUSTOMER, YIELD, REVENUE, MOVEMENT, BASE, FUNNEL, RESULT), OWN),
    HANDOFF: {
        "team": "team_id",
        "owner": "customer_id.user_id",
        "segment": "customer_id.segment_id",
    },
    **dict.fromkeys((TOUCH, BLUE_LIST), {**OWN, "segment": "customer_id.segment_id"}),
}
FILTERS = {
    "team": ("Sales Team", "crm.team"),
    "owner": ("Owner", "res.users"),
    "segment": ("Segment", "coverage.segment"),
}

WIDTH, GAP, TOP = 1100, 10, 10
CARD_HEIGHT, CHART_HEIGHT, ROW_HEIGHT = 100, 330, 23
TITLE, WATER, SAND = "#434343", "#EFF6FF", "#FFF7ED"


# === DATA === #


def match(model, dated=None):
    """Return how the filters reach a model; the period only where there are days.

    :param dated: the field of the day and its type
    """
    found = {
        name: {"chain": path, "type": "many2one"}
        for name, path in FILTERED[model].items()
    }
    if dated:
        found["period"] = {"chain": dated[0], "type": dated[1], "offset": 0}
    return found


def pivot(number, name, model, domain, measures, rows=(), columns=()):
    return {
        "type": "ODOO",
        "id": str(number),
        "formulaId": str(number),
        "name": name,
        "model": model,
        "domain": domain,
        "context": {},
        "measures": [{"id": each, "fieldName": each} for each in measures],
        "rows": [{"fieldName": each} for each in rows],
        "columns": [{"fieldName": each} for each in columns],
        "sortedColumn": None,
        "fieldMatching": match(model),
    }


PIVOTS = [
    pivot(
        1,
        "Customers by segment and temperature",
        CUSTOMER,
        [],
        ["__count", "potential"],
        ["segment_id.code"],
        ["temperature_id.code"],
    ),
    pivot(
        2,
        "Customers that buy",
        CUSTOMER,
        BUYING,
        ["potential", "revenue_12m", "revenue_prev_12m"],
    ),
    pivot(3, "Overdue contacts", CUSTOMER, OVERDUE, ["__count"]),
    pivot(4, "Sleeping customers", YIELD, SLEEPING, ["__count", "lost_revenue"]),
    pivot(5, "Handoffs past deadline", HANDOFF, LATE, ["__count"]),
    pivot(6, "Open handoffs", HANDOFF, OPEN, ["__count"]),
    pivot(7, "Steps to a regular customer", FUNNEL, [], ["__count"], ["step"]),
]


def value(number, measure, *path):
    """Return the formula of a figure of a pivot."""
    arguments = ", ".join(f'"{each}"' for each in (measure, *path))
    return f"PIVOT.VALUE({number}, {arguments})"


def number(formula):
    """Return a formula that is 0 where a pivot has nothing, which is an empty text."""
    return f'IF({formula}="", 0, {formula})'


def figure(pivot_number, measure, *path):
    """Return the formula of a cell that shows a figure of a pivot."""
    return f"={number(value(pivot_number, measure, *path))}"


def count(segment, *levels):
    """Return the formula of a number of customers; of all levels without any."""
    path = ("segment_id.code", segment)
    if not levels:
        return number(value(1, "__count", *path))
    return " + ".join(
        number(value(1, "__count", *path, "temperature_id.code", level))
        for level in levels
    )


def large(formula):
    """Return the formula of money, short and in the company's currency."""
    return f"=FORMAT.LARGE.NUMBER({number(formula)})"


def make_data():
    """Return the cells of the sheet Data, and the formats of some of them."""
    cells = {"A1": '=_t("Figure")', "B1": '=_t("Value")', "C1": '=_t("Compared with")'}
    # temperature per segment, the first rows because a chart shows them
    for column, (name, _color) in zip("BCDEF", LEVELS.values(), strict=True):
        cells[f"{column}21"] = f'=_t("{name}")'
    for row, segment in enumerate(SEGMENTS, start=22):
        cells[f"A{row}"] = segment
        for column, level in zip("BCDEF", LEVELS, strict=True):
            cells[f"{column}{row}"] = f"={count(segment, level)}"
        cells[f"G{row}"] = f"=SUM(B{row}:F{row})"
    for row, segment in enumerate(SEGMENTS, start=2):
        cells[f"A{row}"] = f'=_t("{segment} customers")'
        cells[f"B{row}"] = f"={count(segment)}"
        cells[f"C{row}"] = f"=IFERROR((E{row + 20} + F{row + 20}) / G{row + 20}, 0)"
    revenue, before = value(2, "revenue_12m"), value(2, "revenue_prev_12m")
    potential = value(2, "potential")
    cells |= {
        "A6": '=_t("Red A customers")',
        "B6": "=C2",
        "C6": "=G22",
        "A7": '=_t("Yield")',
        "B7": f"=IFERROR({revenue} / {potential}, 0)",
        "A8": '=_t("Revenue")',
        "B8": large(revenue),
        "C8": f'=IF({number(before)}=0, "", FORMAT.LARGE.NUMBER({before}))',
        "A9": '=_t("Potential")',
        "B9": large(value(1, "potential")),
        "C9": large(potential),
        "A10": '=_t("Blue A customers")',
        "B10": "=B22 + C22",
        "C10": "=G22",
        "A11": '=_t("Overdue contacts")',
        "B11": figure(3, "__count"),
        "C11": figure(1, "__count"),
        "A12": '=_t("Lost revenue of sleeping customers")',
        "B12": large(value(4, "lost_revenue")),
        "C12": figure(4, "__count"),
        "A13": '=_t("Handoffs past deadline")',
        "B13": figure(5, "__count"),
        "C13": figure(6, "__count"),
    }
    cells["B31"] = '=_t("Customers")'
    for row, (step, name, _color) in enumerate(STEPS, start=32):
        cells[f"A{row}"] = f'=_t("{name}")'
        cells[f"B{row}"] = figure(7, "__count", "step", step)
    formats = dict.fromkeys(("B6", "B7", "C2", "C3", "C4", "C5"), 1)
    return cells, formats


# === FIGURES === #

# title, row of Data, menu, colour, what it is compared with and how
CARDS = [
    *(
        (f"{segment} customers", row, "customer", WATER, "text", "red")
        for row, segment in enumerate(SEGMENTS, start=2)
    ),
    ("Red among A", 6, "customer", WATER, "text", "A buy"),
    ("Yield", 7, "yield_report", WATER, None, ""),
    ("Revenue", 8, "yield_report", SAND, "percentage", "in a year"),
    ("Potential", 9, "yield_report", SAND, "text", "buying"),
    ("Blue A customers", 10, "blue_report", SAND, "text", "A buy"),
    ("Overdue contacts", 11, "customer", SAND, "text", "customers"),
    ("Lost to sleep", 12, "yield_report_menu_sleeping", SAND, "text", "sleeping"),
    ("Late handoffs", 13, "handoff", SAND, "text", "open"),
]
PER_ROW = 6
BELOW_CARDS = TOP + 2 * (CARD_HEIGHT + GAP)


def menu(name):
    return f"{MODULE}.coverage_{name if '_menu' in name else f'{name}_menu'}"


def place(name, x, y, width, height, data):
    """Return a figure; further right is a hair lower, which is the order on a phone."""
    return {
        "id": name,
        "tag": "chart",
        "width": width,
        "height": height,
        "col": 0,
        "row": 0,
        "offset": {"x": x, "y": y + x / 10_000},
        "data": {"chartId": name, **data},
    }


def title(text):
    return {"text": text, "bold": True, "color": TITLE, "fontSize": 14}


def make_cards():
    width = (WIDTH - (PER_ROW - 1) * GAP) // PER_ROW
    figures = []
    for index, (text, row, _menu, color, mode, words) in enumerate(CARDS):
        line, column = divmod(index, PER_ROW)
        data = {
            "type": "scorecard",
            "title": {**title(text), "fontSize": 12},
            "background": color,
            "keyValue": f"Data!B{row}",
            "humanize": False,
            "baselineMode": mode or "text",
            "baselineColorUp": "#00A04A",
            "baselineColorDown": "#DC6965",
        }
        if mode:
            data |= {"baseline": f"Data!C{row}", "baselineDescr": {"text": words}}
        x = column * (width + GAP)
        y = TOP + line * (CARD_HEIGHT + GAP)
        figures.append(place(f"card_{row}", x, y, width, CARD_HEIGHT, data))
    return figures


def chart(
    kind, text, model, group_by, measure="__count", domain=(), dated=None, **more
):
    """Return the data of a chart that reads a model, and opens its records."""
    return {
        "type": f"odoo_{kind}",
        "title": title(text),
        "background": "#FFFFFF",
        "legendPosition": more.pop("legend", "none"),
        "metaData": {
            "groupBy": group_by,
            "measure": measure,
            "order": None,
            "resModel": model,
            "mode": kind if kind in ("line", "pie") else "bar",
        },
        "searchParams": {
            "context": {},
            "domain": list(domain),
            "groupBy": group_by,
            "orderBy": [],
        },
        "dataSets": [],
        "fieldMatching": match(model, dated),
        **more,
    }


def levels_chart():
    """Return temperatures per segment, of cells: colours do not shift with the data."""
    return {
        "type": "bar",
        "title": title("Temperature by segment"),
        "background": "#FFFFFF",
        "legendPosition": "top",
        "stacked": True,
        "aggregated": False,
        "horizontal": False,
        "dataSetsHaveTitle": True,
        "labelRange": "Data!A21:A25",
        "dataSets": [
            {"dataRange": f"Data!{column}21:{column}25", "backgroundColor": color}
            for column, (_name, color) in zip("BCDEF", LEVELS.values(), strict=True)
        ],
    }


def funnel_chart():
    """Return the way to a regular customer, of cells: steps keep their order."""
    return {
        "type": "funnel",
        "title": title("The way to a regular customer"),
        "background": "#FFFFFF",
        "legendPosition": "none",
        "aggregated": False,
        "cumulative": False,
        "showValues": True,
        "dataSetsHaveTitle": True,
        "labelRange": "Data!A31:A37",
        "dataSets": [{"dataRange": "Data!B31:B37"}],
        "funnelColors": [color for _step, _name, color in STEPS],
    }


CHARTS = [
    (
        "treemap",
        "customer",
        chart(
            "treemap",
            "Potential by segment and temperature",
            CUSTOMER,
            ["segment_id", "temperature_id"],
            "potential",
            BUYING,
            actionXmlId=CUSTOMERS,
        ),
    ),
    ("levels", "customer", levels_chart()),
    ("funnel", "funnel_report", funnel_chart()),
    (
        "revenue",
        "revenue_report",
        chart(
            "bar",
            "Where the revenue of 12 months comes from",
            REVENUE,
            ["kind"],
            "amount",
            actionXmlId=f"{MODULE}.coverage_revenue_report_action",
        ),
    ),
    (
        "movement",
        "movement_report",
        chart(
            "bar",
            "Moves up and down",
            MOVEMENT,
            ["date:month", "direction"],
            dated=("date", "datetime"),
            legend="top",
            stacked=True,
            actionXmlId=f"{MODULE}.coverage_movement_report_action",
        ),
    ),
    (
        "base",
        "base_report",
        chart(
            "line",
            "Health of the base by month",
            BASE,
            ["date:month", "lifecycle"],
            "customer_count",
            dated=("date", "date"),
            legend="top",
            actionXmlId=f"{MODULE}.coverage_base_report_action",
        ),
    ),
    (
        "touches",
        "touch",
        chart(
            "bar",
            "Contacts and attempts by month",
            TOUCH,
            ["date:month", "channel"],
            dated=("date", "datetime"),
            legend="top",
            stacked=True,
            actionXmlId=f"{MODULE}.coverage_touch_action",
        ),
    ),
    (
        "handoffs",
        "handoff_report",
        chart(
            "bar",
            "What became of handoffs",
            RESULT,
            ["result"],
            actionXmlId=f"{MODULE}.coverage_handoff_report_action",
        ),
    ),
]


def make_charts():
    width = (WIDTH - GAP) // 2
    figures = []
    for index, (name, _menu, data) in enumerate(CHARTS):
        line, column = divmod(index, 2)
        x = column * (width + GAP)
        y = BELOW_CARDS + line * (CHART_HEIGHT + GAP)
        figures.append(place(name, x, y, width, CHART_HEIGHT, data))
    return figures


def list_row():
    """Return the first row below the charts."""
    lines = (len(CHARTS) + 1) // 2
    return (BELOW_CARDS + lines * (CHART_HEIGHT + GAP)) // ROW_HEIGHT + 2


# === LIST === #

LIST = {
    "id": "1",
    "name": "Blue A customers, the longest first",
    "model": BLUE_LIST,
    "domain": [],
    "context": {},
    "columns": [
        "customer_id",
        "user_id",
        "temperature_id",
        "blue_since",
        "potential",
        "revenue_12m",
    ],
    "orderBy": [
        {"name": "blue_since", "asc": True},
        {"name": "potential", "asc": False},
    ],
    "fieldMatching": match(BLUE_LIST),
}
LIST_LENGTH = 10
COLUMNS = (290, 180, 130, 150, 150, 200)  # pixels, WIDTH in all


def make_list(first):
    """Return the cells of the list: a link as title, headers, records."""
    link = f"odoo://ir_menu_xml_id/{menu('blue_report')}"
    cells = {f"A{first}": f"[{LIST['name']}]({link})"}
    for column, name in zip("ABCDEF", LIST["columns"], strict=True):
        cells[f"{column}{first + 1}"] = f'=ODOO.LIST.HEADER(1, "{name}")'
        for number in range(1, LIST_LENGTH + 1):
            row = first + 1 + number
            cells[f"{column}{row}"] = f'=ODOO.LIST(1, {number}, "{name}")'
    return cells


# === FILE === #


def make_sheet(name, cells, **more):
    return {
        "id": name.lower(),
        "name": name,
        "colNumber": 7,
        "rowNumber": 40,
        "rows": {},
        "cols": {},
        "merges": [],
        "cells": cells,
        "styles": {},
        "formats": {},
        "borders": {},
        "conditionalFormats": [],
        "dataValidationRules": [],
        "figures": [],
        "tables": [],
        "areGridLinesVisible": False,
        "isVisible": True,
        "headerGroups": {"ROW": [], "COL": []},
        "comments": {},
        **more,
    }


def make_board():
    """Return the sheet that people see."""
    first = list_row()
    last = first + 1 + LIST_LENGTH
    return make_sheet(
        "Dashboard",
        make_list(first),
        colNumber=len(COLUMNS),
        rowNumber=last + 2,
        rows={str(first - 1): {"size": 40}},
        cols={str(index): {"size": size} for index, size in enumerate(COLUMNS)},
        styles={
            f"A{first}": 1,
            f"A{first + 1}:F{first + 1}": 2,
            f"A{first + 2}:F{last}": 3,
        },
        borders={f"A{first + 1}:F{first + 1}": 1},
        figures=make_cards() + make_charts(),
    )


def make():
    """Return the whole file."""
    cells, formats = make_data()
    return {
        "version": "18.5.10",
        "sheets": [make_board(), make_sheet("Data", cells, formats=formats)],
        "styles": {
            "1": {"textColor": "#01666B", "bold": True, "fontSize": 16},
            "2": {"textColor": "#434343", "bold": True, "fontSize": 11},
            "3": {"textColor": "#434343", "verticalAlign": "middle"},
        },
        "formats": {"1": "0%"},
        "borders": {"1": {"bottom": {"style": "thin", "color": "#CCCCCC"}}},
        "revisionId": "START_REVISION",
        "uniqueFigureIds": True,
        "settings": {
            "locale": {
                "name": "English (US)",
                "code": "en_US",
                "thousandsSeparator": ",",
                "decimalSeparator": ".",
                "dateFormat": "mm/dd/yyyy",
                "timeFormat": "hh:mm:ss",
                "formulaArgSeparator": ",",
                "weekStart": 7,
            }
        },
        "pivots": {each["id"]: each for each in PIVOTS},
        "pivotNextId": len(PIVOTS) + 1,
        "customTableStyles": {},
        "globalFilters": [
            {
                "id": "period",
                "type": "date",
                "label": "Period",
                "defaultValue": "last_12_months",
            },
            *(
                {
                    "id": name,
                    "type": "relation",
                    "label": label,
                    "modelName": model,
                    "defaultValueDisplayNames": [],
                }
                for name, (label, model) in FILTERS.items()
            ),
        ],
        "lists": {"1": LIST},
        "listNextId": 2,
        "chartOdooMenusReferences": {
            **{f"card_{row}": menu(name) for _text, row, name, *_more in CARDS},
            **{name: menu(target) for name, target, _data in CHARTS},
        },
    }


if __name__ == "__main__":
    text = json.dumps(make(), indent=1) + "\n"
    if "--check" in sys.argv:
        sys.exit(
            TARGET.read_text() != text
            and f"{TARGET.name} is old: run python3 dev/dashboard.py"
        )
    TARGET.write_text(text)
