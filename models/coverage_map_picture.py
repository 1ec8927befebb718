from odoo.exceptions import UserError
from odoo.fields import Domain

COUNTS = ("count", "rated", "red", "blue", "cooled", "warmed")
AMOUNTS = ("potential", "revenue")
FIGURES = COUNTS + AMOUNTS
MOST_GROUPS = 1_000


def add_up(cells, key):
    """Return the figures of cells by ``key(cell)``."""
    sums = {}
    for cell in cells:
        figures = sums.setdefault(key(cell), dict.fromkeys(FIGURES, 0))
        for name in FIGURES:
            figures[name] += cell[name]
    return sums


def tell(figures):
    """Return figures as plain data, amounts to the cent."""
    return {
        **{name: figures[name] for name in COUNTS},
        **{name: round(figures[name], 2) for name in AMOUNTS},
    }


class Picture:
    """The cells of a map in order: its rows, columns and total, and which tiles show.

    :param dict axes: an ``Axis`` for ``row`` and one for ``column``
    :param cells: dicts of ``FIGURES``, of the values ``row`` and ``column`` and of
        ``tiles``, the first customers of the cell as numbers: id, potential, …
    :param Domain domain: what the map shows, by the values of today
    """

    def __init__(self, env, axes, cells, domain, frame):
        self.env, self.axes, self.domain, self.frame = env, axes, domain, frame
        self.total = add_up(cells, lambda _cell: None).get(None)
        self.groups = {name: self._line_up(cells, name) for name in axes}
        self.places = {
            name: {value: index for index, (value, *_rest) in enumerate(groups)}
            for name, groups in self.groups.items()
        }
        self.cells = sorted(cells, key=self._get_place)
        self.shown = self._choose_tiles()

    def get_rows(self, name):
        """Return the rows, or the columns, with their figures."""
        return [
            {
                **group,
                **tell(figures),
                "domain": self._get_domain({name: group}),
            }
            for _value, group, figures in self.groups[name]
        ]

    def get_total(self):
        """Return the figures of the whole map."""
        return tell(self.total or dict.fromkeys(FIGURES, 0))

    def get_cells(self):
        """Return the cells; what does not show of them is counted as hidden."""
        told = []
        for cell, shown in zip(self.cells, self.shown, strict=True):
            row, column = self._get_place(cell)
            groups = {
                "row": self.groups["row"][row][1],
                "column": self.groups["column"][column][1],
            }
            hidden = cell["potential"] - sum(tile[1] for tile in shown)
            told.append(
                {
                    "row": row,
                    "column": column,
                    **tell(cell),
                    "domain": self._get_domain(groups),
                    "hidden": cell["count"] - len(shown),
                    "hidden_potential": round(max(0.0, hidden), 2),
                }
            )
        return told

    def get_tiles(self):
        """Return ``[(index of the cell, numbers)]`` of the customers that show."""
        return [
            (index, tile) for index, shown in enumerate(self.shown) for tile in shown
        ]

    def _line_up(self, cells, name):
        """Return ``[(value, group, figures)]`` of an axis in natural order."""
        figures = add_up(cells, lambda cell: cell[name])
        if len(figures) > MOST_GROUPS:
            raise UserError(
                self.env._(
                    "“%(name)s” would make %(count)s groups. Filter the customers, or "
                    "group them by something else.",
                    name=self.axes[name].get_head()["label"],
                    count=len(figures),
                )
            )
        groups = self.axes[name].get_groups(figures)
        return [(value, group, figures[value]) for value, group in groups]

    def _get_place(self, cell):
        """Return the indexes of a cell's row and column."""
        return tuple(self.places[name][cell[name]] for name in ("row", "column"))

    def _choose_tiles(self):
        """Return by cell the tiles that show: of every cell the first, then the next.

        Within the limit of the whole map, so that no cell stays empty for a large one.
        """
        ranked = sorted(
            (rank, -tile[1], tile[0], index)
            for index, cell in enumerate(self.cells)
            for rank, tile in enumerate(cell["tiles"] or ())
        )
        counts = [0] * len(self.cells)
        for *_order, index in ranked[: self.frame["tile_limit"]]:
            counts[index] += 1
        return [
            (cell["tiles"] or [])[:count]
            for cell, count in zip(self.cells, counts, strict=True)
        ]

    def _get_domain(self, groups):
        """Return what opens these groups in a list of today; False: nothing does.

        :param dict groups: by axis
        """
        domains = [self.domain]
        for name, group in groups.items():
            was_another = self.frame["is_past"] and self.axes[name].is_as_of
            if was_another or group["domain"] is False:
                return False
            domains.append(Domain(group["domain"]))
        return list(Domain.AND(domains))
