"""Random tables with habits of laboratories, and tables that leave something open.

Names over the time of triples, errors in per cent or within the cells, layers, pages, notes beside
the rows, rows of sensitivity factors, blocks below each other... What `draw_open` draws (factors,
units that disagree, sentinels, points that may separate thousands) can be read in two ways: it has
to be refused, for that.

``python tests/random_habits.py 2000`` reads that many, and prints what came of them.
"""

from __future__ import annotations

import sys

import random_tables
from random_shapes import SAMPLES, _Shape
from random_tables import Drawn, Truth


class _Table(_Shape):
    """A table of one depth for all species, to which habits are added."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed + 10**6)
        self.names = [name for name in self.names if "->" not in name] or ["B"]
        self.axis_values = self.depths()
        self.truths = [self.truth(name, self.axis_values) for name in self.names]
        self.above: list[list[object]] = []
        self.below_heads: list[list[object]] = []
        self.below: list[list[object]] = []
        self.between: list[tuple[int, list[object]]] = []
        self.beside: list[list[object]] = []
        #: Head, unit and cells of each column.
        self.columns: list[list[object]] = [[self.depth, self.axis, *self.axis_values]]
        for truth in self.truths:
            self.columns.append([truth.name, self.unit, *truth.values])
        self.own_row = self.chance(0.4)
        self.first_sheet: list[list[object]] = []
        self.delimiter = ""

    def after_values(self, make) -> None:
        """Put a column behind that of each species."""
        for truth in self.truths:
            place = next(i for i, c in enumerate(self.columns) if c[0] == truth.name)
            self.columns.insert(place + 1, make(truth))

    def heads(self) -> list[list[object]]:
        """Return the row of heads, and that of units if they have one of their own."""
        if self.own_row:
            return [[c[0] for c in self.columns], [c[1] for c in self.columns]]
        return [[c[0] if c[1] is None else self.with_unit(str(c[0]), str(c[1]))
                 for c in self.columns]]  # fmt: skip

    def finish(self) -> Drawn:
        heads = [*self.above, *self.heads(), *self.below_heads]
        drawn = self.drawn(heads, [c[2:] for c in self.columns], self.truths, self.below)
        for count, row in self.between:
            drawn.rows.insert(drawn.first + count, row)
        for row, cells in zip(drawn.rows[drawn.first :], self.beside, strict=False):
            row.extend([None] * (len(self.columns) + 1 - len(row)) + cells)
        if self.first_sheet:
            drawn.style |= {"kind": "workbook", "before": self.first_sheet}
        # Remarks of the writer would stand within the rows that are beside notes.
        drawn.style |= {"remark": False, "blank lines": False, "as text": False}
        if self.delimiter:
            drawn.style |= {"delimiter": self.delimiter, "quoted": False}
        if any(isinstance(c, str) and "'" in c for c in self.columns[0][2:]):
            drawn.style |= {"decimal": ".", "wide": False}
        return drawn


ANCILLARY = (
    ("Pressure", "mbar"),
    ("I_p", "nA"),
    ("Sputter rate", "nm/s"),
    ("Cumulative dose", "at/cm2"),
    ("Temperature", "°C"),
    ("Beam", "%"),
)


def ancillary(t: _Table) -> None:
    """Pressures, currents, rates, doses beside."""
    head, unit = t.one(ANCILLARY)
    t.columns.insert(int(t.rng.integers(1, len(t.columns) + 1)), [head, unit, *t.values()])


def limits(t: _Table) -> None:
    """A detection limit beside each species."""
    head = t.one(("DL", "LOD"))

    def column(truth: Truth):
        cells = t.values()
        text = head if t.own_row else t.with_unit(head, t.unit)
        truth.about[f"column {text}"] = f"{cells[0]:g}"
        return [head, t.unit, *cells]

    if t.chance(0.3):
        # Of the last species alone.
        t.columns.append(column(t.truths[-1]))
    else:
        t.after_values(column)


def errors(t: _Table) -> None:
    """Errors, in per cent or in the unit of the values."""
    head, unit = t.one((("+/-", t.unit), ("± 1σ", t.unit), ("Error", "%"), ("RSD", "%")))

    def column(truth: Truth):
        cells = [float(f"{v / 20:.3E}") if unit != "%" else 5.0 for v in truth.values]
        truth.stderr = cells if unit != "%" else [5.0 / 100 * abs(v) for v in truth.values]
        return [head, unit, *cells]

    t.after_values(column)


def within_cells(t: _Table) -> None:
    """A value and its error in one cell."""
    sign = t.one((" ± ", "±", " +/- "))
    for truth in t.truths:
        column = next(c for c in t.columns if c[0] == truth.name)
        truth.values = [float(f"{v:.0E}") for v in truth.values]
        truth.stderr = [float(f"{v / 10:.0E}") for v in truth.values]
        pairs = zip(truth.values, truth.stderr, strict=True)
        column[2:] = [f"{v:.0E}{sign}{e:.0E}" for v, e in pairs]


def layer(t: _Table) -> None:
    """A column of layers."""
    half = t.length // 2
    for truth in t.truths:
        truth.about["layers"] = "SiO2, Si"
    t.columns.insert(t.one((0, 1)), ["Layer", None, *["SiO2"] * half, *["Si"] * (t.length - half)])


def nitric_oxide(t: _Table) -> None:
    """A species that is an abbreviation of number."""
    t.truths[0].name = t.columns[1][0] = "NO"


def implant(t: _Table) -> None:
    """``C`` for the concentration, below the title of an implant."""
    t.columns, t.truths = t.columns[:2], t.truths[:1]
    t.columns[1][0] = "C"
    t.truths[0].name = "boron"
    t.above.append(["boron implant"])


def led_rows(t: _Table) -> None:
    """Rows of factors, limits, the matrix."""
    word = t.one(("RSF", "DL", "Matrix"))
    cells = ["Si"] * len(t.names) if word == "Matrix" else [1e22] * len(t.names)
    key = {"RSF": "rsf", "DL": "detection_limit", "Matrix": "matrix"}[word]
    known = len(t.names) > 1 or word != "Matrix"
    for truth in t.truths if known else ():
        unit = f" {t.unit}" if word == "DL" else ""
        truth.about[key] = "Si" if word == "Matrix" else f"1{'0' * 22}{unit}"
    row: list[object] = [word, *cells]
    if word == "Matrix" and len(t.names) > 1 and t.chance(0.5):
        t.above.append(row)
    else:
        t.below_heads.append(row)


def pages(t: _Table) -> None:
    """Heads on every page."""
    middle = int(t.rng.integers(3, t.length))
    rows = t.heads()
    if t.chance(0.5):
        rows = [["Page 2"], *rows]
    t.between += [(middle + i, row) for i, row in enumerate(rows)]


def side_notes(t: _Table) -> None:
    """A note, or a list of results, to the right."""
    for cells in t.one((
        [["by A. B."]], [["Peak", 1.5], ["Dose", 2.5]], [["Species", "Peak"], ["B", 1.5]],
    )):  # fmt: skip
        t.beside.append(cells)


def title(t: _Table) -> None:
    """One title over ``(nm) | 11B | 31P``."""
    t.own_row = False
    t.above.append([f"{t.conc} ({t.unit})"])
    t.columns = [[f"({t.axis})", None, *t.columns[0][2:]],
                 *([c[0], None, *c[2:]] for c in t.columns[1:])]  # fmt: skip


def triples(t: _Table) -> None:
    """Time, depth and value of each species, named over the time."""
    names: list[object] = []
    columns: list[list[object]] = []
    for truth in t.truths:
        names += [truth.name, None, None]
        times = [0.25 * i for i in range(t.length)]
        columns += [[t.time, "s", *times], [t.depth, t.axis, *truth.depths],
                    [t.conc, t.unit, *truth.values]]  # fmt: skip
    t.above.append(names)
    t.columns = columns


def stacked(t: _Table) -> None:
    """Samples below each other, with or without names and heads."""
    labels = t.one(SAMPLES)[:2]
    named, again = t.chance(0.7), t.chance(0.5)
    for column in t.columns:
        column.extend(column[2:])
    t.truths = [
        Truth(v.name, v.depths, v.depth_units, v.values, v.units, sample=label)
        for label in (labels if named else ("block 1", "block 2"))
        for v in t.truths
    ]
    heads = t.heads() if again else []
    if named:
        (t.above if again else t.below_heads).append([labels[0]])
    rows = [[labels[1]], *heads] if named else heads or [[]]
    t.between += [(t.length + i, row) for i, row in enumerate(rows)]
    t.options["samples"] = True


def samples_below(t: _Table) -> None:
    """A row of samples below heads that repeat."""
    labels = t.one(SAMPLES[1:])[:2]
    t.columns = [t.columns[0], *(c for c in t.columns[1:] for _ in labels)]
    t.columns = [[*c] for c in t.columns]
    made = []
    for i, column in enumerate(t.columns[1:]):
        values = t.values()
        column[2:] = values
        made.append(Truth(str(column[0]), t.axis_values, t.axis, values, t.unit,
                          sample=labels[i % 2]))  # fmt: skip
    t.truths = [truth for label in labels for truth in made if truth.sample == label]
    t.below_heads.append([None, *[label for _ in t.names for label in labels]])
    t.options["samples"] = True


def names_below(t: _Table) -> None:
    """Words, units, and names below these, as Origin writes them."""
    t.own_row = True
    t.below_heads.append([None, *t.names])
    t.columns = [t.columns[0], *([t.conc, *c[1:]] for c in t.columns[1:])]


def units_of_names(t: _Table) -> None:
    """Names with their unit above the columns of a species."""
    t.above.append(
        [None, *(cell for name in t.names for cell in (t.with_unit(name, t.unit), None))]
    )
    t.own_row = False
    columns = [t.columns[0]]
    for truth in t.truths:
        truth.stderr = t.values()
        columns += [[t.mean, None, *truth.values], [t.error, None, *truth.stderr]]
    t.columns = columns


def axis_by_unit(t: _Table) -> None:
    """A column of depths that its unit alone names."""
    t.own_row = True
    t.columns[0][0] = None


def row_numbers(t: _Table) -> None:
    """Numbers of rows without a head, as DataFrames write them."""
    t.columns.insert(0, [None, None, *range(t.length)])
    t.above.append(["Wafer 7"])


def grouped(t: _Table) -> None:
    """Thousands apart, next to decimals."""
    t.kind, start = "text", 999.5
    depths = [start + i for i in range(t.length)]
    t.columns[0][2:] = [f"{z:,.1f}".replace(",", "'") for z in depths]
    for truth in t.truths:
        truth.depths = depths


def summary(t: _Table) -> None:
    """A first sheet of results."""
    t.first_sheet = [["Species", "Peak depth (nm)", "Peak conc. (at/cm3)"],
                     *([name, 10.0, 1e18] for name in ("B", "P"))]  # fmt: skip


def signs(t: _Table) -> None:
    """Limits whose sign stands in a column of its own, before or behind the values."""
    sign, head, side = t.one(("<", "≤")), t.one(("Q", "Mod.", "<")), int(t.one((0, 1)))
    for truth in t.truths:
        place = next(i for i, c in enumerate(t.columns) if c[0] == truth.name)
        low = int(t.rng.integers(3, t.length))
        cells: list[object] = [None] * t.length
        cells[low] = sign
        truth.values = [*truth.values[:low], float("nan"), *truth.values[low + 1 :]]
        t.columns.insert(place + side, [head, None, *cells])


def numbered(t: _Table) -> None:
    """Samples that are numbers in a row above."""
    samples_below(t)
    row = t.below_heads.pop()
    numbers = dict(zip(dict.fromkeys(row[1:]), ("3", "17"), strict=True))
    for truth in t.truths:
        truth.sample = numbers[truth.sample]
    lead = t.one((t.sample, "Slot", "Energy (keV)", None))
    t.above.append([lead, *(int(numbers[label]) for label in row[1:])])


def note_of_unit(t: _Table) -> None:
    """The unit of depths in a note alone."""
    unit = t.columns[0][1]
    t.columns[0][1], t.own_row = None, False
    t.above.append([t.one((f"{t.depth}: {unit}", f"{t.depth} [{unit}]", f"All depths in {unit}"))])


def marks_by_column(t: _Table) -> None:
    """Depths with commas next to values with points, as programs and people write them."""
    t.kind = "text"
    t.columns[0][2:] = [f"{z:.2f}".replace(".", ",") for z in t.axis_values]
    for truth in t.truths:
        truth.depths = [float(f"{z:.2f}") for z in t.axis_values]
        column = next(c for c in t.columns if c[0] == truth.name)
        column[2:] = [f"{v:.3E}" for v in truth.values]
        truth.values = [float(f"{v:.3E}") for v in truth.values]


def groups(t: _Table) -> None:
    """Titles with the unit of the values below, and to the right."""
    t.own_row = False
    rate = Truth("Xe", t.axis_values, t.axis, t.values(), "c/s")
    t.truths.append(rate)
    t.columns.append([rate.name, None, *rate.values])
    title = [t.with_unit(t.conc, t.unit), *[None] * (len(t.names) - 1), f"{t.conc} (c/s)"]
    t.above.append([None, *title])
    for column in t.columns[1:]:
        column[1] = None


def tidy(t: _Table) -> None:
    """Species in a column, and their units beside."""
    t.own_row = False
    rows = [(v.name, i) for v in t.truths for i in range(t.length)]
    of = {v.name: v for v in t.truths}
    names = [name for name, _ in rows]
    depths = [of[name].depths[i] for name, i in rows]
    values = [of[name].values[i] for name, i in rows]
    units = [of[name].units for name in names]
    t.columns = [["Species", None, *names], [t.depth, t.axis, *depths], [t.conc, None, *values],
                 ["Unit", None, *units]]  # fmt: skip


def runs(t: _Table) -> None:
    """Runs below the name of a species and its unit."""
    t.own_row = False
    t.columns, t.truths = t.columns[:1], t.truths[:1]
    name = t.truths[0].name
    t.above.append([None, t.with_unit(name, t.unit), None])
    t.truths = [Truth(f"{name} run {i}", t.axis_values, t.axis, t.values(), t.unit) for i in "12"]
    t.columns += [[truth.name.removeprefix(f"{name} "), None, *truth.values] for truth in t.truths]


def of_each_species(t: _Table) -> None:
    """A table of each of two species, below each other, with heads of its own."""
    t.own_row, t.truths, t.columns = False, t.truths[:1], t.columns[:2]
    other = Truth("Xe", t.axis_values, t.axis, t.values(), t.unit)
    heads = [cell.replace(t.truths[0].name, other.name) for cell in t.heads()[0]]
    t.truths.append(other)
    rows = zip(other.depths, other.values, strict=True)
    t.between += [(t.length + i, row) for i, row in enumerate([[], heads, *map(list, rows)])]


def millions(t: _Table) -> None:
    """Points between thousands, twice in some numbers, next to decimal points of depths."""
    t.kind, t.delimiter = "text", ";"
    truth = t.truths[-1]
    truth.values = [float(998_765 + 1001 * i) for i in range(t.length)]
    column = next(c for c in t.columns if c[0] == truth.name)
    column[2:] = [f"{v:,.0f}".replace(",", ".") for v in truth.values]


#: Those that can stand beside others, and those that make a table of their own.
_SMALL = (ancillary, limits, errors, within_cells, layer, nitric_oxide, led_rows)
_WHOLE = (implant, pages, side_notes, title, triples, stacked, samples_below, summary, names_below,
          units_of_names, axis_by_unit, row_numbers, grouped, signs, numbered, note_of_unit,
          marks_by_column, groups, tidy, runs, of_each_species, millions)  # fmt: skip


def draw(seed: int) -> Drawn:
    """Draw a table with a habit or two."""
    t = _Table(seed)
    if t.chance(0.5):
        t.one(_WHOLE)(t)
        return t.finish()
    count = 1 if t.chance(0.6) else 2
    chosen = [_SMALL[i] for i in t.rng.choice(len(_SMALL), size=count, replace=False)]
    if {layer, led_rows} <= {*chosen} or {limits, led_rows} <= {*chosen}:
        chosen = chosen[:1]
    if {errors, within_cells} <= {*chosen} or {within_cells, limits} <= {*chosen}:
        chosen = chosen[:1]
    # Columns between would have no cell in a row of factors.
    for habit in sorted(chosen, key=lambda habit: (habit is not nitric_oxide, habit is led_rows)):
        if habit is led_rows and len(t.columns) != 1 + len(t.truths):
            continue
        habit(t)
    return t.finish()


# --- what is left open -----------------------------------------------------------------------


def factor_in_head(t: _Table) -> None:
    """A power of ten beside a name, or before a unit."""
    t.own_row = False
    name, unit = t.columns[-1][:2]
    t.columns[-1][:2] = [t.one((f"{name}, 10^18 {unit}", f"{name} x1E18 ({unit})",
                                f"{name} conc. E18 ({unit})", f"{name} (1E18 {unit})",
                                f"{name} [10¹⁸ {unit}]", f"{name} (x10^18) [{unit}]")),
                         None]  # fmt: skip


def factor_in_unit(t: _Table) -> None:
    """A power of ten in the row of units."""
    t.own_row = True
    t.columns[-1][1] = t.one((f"1E18 {t.unit}", f"x10^18 {t.unit}", f"(10^18 {t.unit})"))


def factor_in_note(t: _Table) -> None:
    """A power of ten in a note above or below."""
    note = t.one((f"All concentrations in 1E18 {t.unit}",
                  f"Konzentration in Einheiten von 10^18 {t.unit}",
                  f"conc. ×1E18 {t.unit}", "values have to be multiplied by 1E18"))  # fmt: skip
    (t.above if t.chance(0.5) else t.below).append([note])


def units_that_disagree(t: _Table) -> None:
    """One unit in the head, another in the row below."""
    t.own_row = False
    units: list[object] = [c[1] for c in t.columns]
    place = int(t.rng.integers(len(units)))
    units[place] = ("um" if t.axis == "nm" else "nm") if place == 0 else "c/s"
    t.below_heads.append(units)


def matrix_signal(t: _Table) -> None:
    """A signal of the matrix below a unit that a title states."""
    t.columns[-1][0] = "Si->"
    title(t)


def sentinels(t: _Table) -> None:
    """Numbers that say that nothing was measured."""
    column = t.columns[-1]
    column[int(t.rng.integers(3, len(column)))] = t.one((-9999.0, -1.0, -999.0, -99999.0))


def thousands(t: _Table) -> None:
    """Points that may be decimal ones."""
    t.kind = "text"
    t.columns[1][2:] = [f"{997 + i}" if i < 3 else f"1.{i - 3:03}" for i in range(t.length)]


def blocks(t: _Table) -> None:
    """Samples below each other that nobody asked for."""
    stacked(t)
    del t.options["samples"]


def numbers_above(t: _Table) -> None:
    """Samples that are numbers, and that nobody asked for."""
    numbered(t)
    del t.options["samples"]


def note_of_another_unit(t: _Table) -> None:
    """A note whose unit is not that of the head."""
    unit = "um" if t.axis == "nm" else "nm"
    t.above.append([t.one((f"{t.depth}: {unit}", f"{t.depth} [{unit}]", f"All depths in {unit}"))])


def goes_back(t: _Table) -> None:
    """Depths that go back into those before, with no row between."""
    for column in t.columns:
        column.extend(column[3:])


def cell_too_many(t: _Table) -> None:
    """A cell too many, where an empty column stands next to values, and what follows has ended."""
    t.own_row, t.kind = False, "text"
    name = t.names[0]
    t.truths = t.truths[:1]
    t.above.append([name, None, None, "Xe"])
    depths, values = t.columns[0], t.truths[0].values
    words = [t.conc, t.unit]
    t.columns = [depths, [*words, *values[:-1], 7.5], [None, None, *[None] * (t.length - 1), 1e18],
                 [*depths[:-3]], [*words, *values[:-3]]]  # fmt: skip
    t.truths.append(Truth("Xe", depths[2:-3], t.axis, values[:-3], t.unit))


#: What the refusal of each has to say.
OPEN = {
    factor_in_head: "either way", factor_in_unit: "either way", factor_in_note: "either way",
    units_that_disagree: "disagrees", matrix_signal: "'Si->'", sentinels: "not_measured=",
    thousands: "decimal=", blocks: "samples=True", cell_too_many: "a cell too many",
    numbers_above: "samples=True", note_of_another_unit: "another unit", goes_back: "samples=True",
}  # fmt: skip


def draw_open(seed: int) -> Drawn:
    """Draw a table that can be read in two ways."""
    t = _Table(seed)
    habit = [*OPEN][seed % len(OPEN)]
    habit(t)
    drawn = t.finish()
    drawn.damage, drawn.open = habit.__name__, OPEN[habit]
    drawn.style |= {"decimal": ".", "wide": False}
    return drawn


def table_below(t: _Table) -> None:
    """Numbers of another table, below an empty row: as deep, or deeper."""
    step = float(str(t.axis_values[-1]))
    rows = [[step + 1 + i, *(v + 1 for v in t.values()[: len(t.names)])] for i in range(3)]
    t.below += [[], *rows]


def damaged(seed: int) -> Drawn:
    """Draw a table with one thing wrong in it."""
    t = _Table(seed)
    table_below(t)
    drawn = t.finish()
    drawn.damage = "table below"
    return drawn


def main(count: int) -> None:
    """Read so many tables, and print what came of them."""
    random_tables.report(count, (("clean", draw), ("open", draw_open), ("damaged", damaged)))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
