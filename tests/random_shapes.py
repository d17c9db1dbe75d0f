"""Random tables of rarer shapes, with the profiles that are in them, and damaged workbooks.

Several samples beside or below each other, replicates with their average, heads and units merged
over columns, units in the name of the sheet, rows of sums, columns of dates, turned tables.

``python tests/random_shapes.py 2000`` reads that many, and prints what came of them.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import sys
import zipfile
from pathlib import Path

import numpy as np
import random_tables
from random_tables import ATOMS, DEPTHS, SPECIES, WORDS, Drawn, Truth

SAMPLES = (("W1", "W2", "W3"), ("Wafer 3", "Wafer 7", "Wafer 8"), ("A-17", "A-18", "B-02"),
           ("as grown", "annealed", "reference"))  # fmt: skip
RUNS = {"en": ("Run", "Rep."), "de": ("Messung", "Lauf"), "fr": ("Mesure", "Essai"),
        "es": ("Medida", "Ensayo"), "it": ("Misura", "Prova"), "nl": ("Meting", "Run"),
        "ja": ("測定", "回"), "zh": ("测量", "第")}  # fmt: skip
SUMS = {"en": ("Total", "Dose (at/cm2)", "Average"), "de": ("Summe", "Dosis (at/cm2)"),
        "fr": ("Total", "Moyenne"), "es": ("Total", "Promedio"), "it": ("Totale", "Media"),
        "nl": ("Totaal", "Gemiddelde"), "ja": ("合計", "平均"),
        "zh": ("合计", "平均值")}  # fmt: skip
DATES = {"en": "Date", "de": "Datum", "fr": "Date", "es": "Fecha", "it": "Data", "nl": "Datum",
         "ja": "日付", "zh": "日期"}  # fmt: skip


class _Shape:
    """What all shapes begin with: a language, species, depths and values."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed + 2 * 10**7)
        self.language = self.one(list(WORDS))
        self.depth, self.time, self.conc, _, self.error, self.sample, _, self.mean = WORDS[
            self.language
        ]
        self.axis, self.unit = self.one(DEPTHS), self.one((ATOMS[self.language], "at/cm³", "cm^-3"))
        count = int(self.rng.integers(1, 4))
        self.names = [str(n) for n in self.rng.choice(SPECIES, size=count, replace=False)]
        self.length = int(self.rng.integers(5, 25))
        self.brackets = self.one((" ({})", " [{}]", ", {}"))
        self.kind = self.one(("text", "workbook"))
        self.merged: list[tuple[int, int, int, int]] = []
        self.options: dict[str, object] = {}
        self.sheet = "Sheet"

    def one(self, items):
        return items[int(self.rng.integers(len(items)))]

    def chance(self, p: float) -> bool:
        return bool(self.rng.random() < p)

    def depths(self, start: float = 0.0) -> list[float]:
        step = float(self.one((0.5, 1.0, 2.5)))
        return [float(f"{start + step * i:g}") for i in range(self.length)]

    def values(self) -> list[float]:
        return [float(f"{v:.3E}") for v in 1e18 * self.rng.lognormal(0, 2, self.length)]

    def truth(self, name: str, depths: list[float], sample: str = "", **more) -> Truth:
        return Truth(name, depths, self.axis, self.values(), self.unit, sample=sample, **more)

    def with_unit(self, words: str, unit: str) -> str:
        return words + self.brackets.format(unit)

    def drawn(self, heads: list[list[object]], columns, truths: list[Truth], below=()) -> Drawn:
        tall = max(map(len, columns))
        body = [[c[i] if i < len(c) else None for c in columns] for i in range(tall)]
        rows = [*map(list, heads), *body, *map(list, below)]
        style = random_tables.style_of(self.rng, rows, self.language)
        random_tables.add_habits(self.rng, style, self.language)
        style |= {"kind": self.kind, "comment": False, "nothing": "", "sheet": self.sheet}
        if style["encoding"] in random_tables.EASTERN.values():
            style["encoding"] = "utf-8"
        return Drawn(rows, truths, style, len(heads), self.merged, self.options)


def beside(s: _Shape) -> Drawn:
    """Samples side by side, each with depths of its own."""
    labels = s.one(SAMPLES)[: int(s.rng.integers(2, 4))]
    above: list[object] = []
    heads: list[object] = []
    columns: list[list[object]] = []
    truths = []
    prefix = s.one(("", f"{s.sample}: "))
    for k, label in enumerate(labels):
        depths, left = s.depths(), len(heads)
        heads.append(s.with_unit(s.depth, s.axis))
        columns.append([*depths])
        for name in s.names:
            truths.append(s.truth(name, depths, label))
            heads.append(s.with_unit(name, s.unit))
            columns.append([*truths[-1].values])
        above += [prefix + label, *[None] * len(s.names)]
        s.merged.append((0, left, 0, len(heads) - 1))
        if s.chance(0.3) and k < len(labels) - 1:
            heads.append(None)
            above.append(None)
            columns.append([None])
    s.options["samples"] = True
    return s.drawn([above, heads], columns, truths)


def sharing(s: _Shape) -> Drawn:
    """Samples side by side, all on one axis."""
    labels = s.one(SAMPLES)[: int(s.rng.integers(2, 4))]
    depths = s.depths()
    truths = [s.truth(name, depths, label) for label in labels for name in s.names]
    above: list[object] = [s.one((None, s.sample))]
    for k, label in enumerate(labels):
        above += [label, *[None] * (len(s.names) - 1)]
        left = 1 + k * len(s.names)
        s.merged += [(0, left, 0, left + len(s.names) - 1)] if len(s.names) > 1 else []
    heads = [s.with_unit(s.depth, s.axis), *(s.with_unit(t.name, s.unit) for t in truths)]
    s.options["samples"] = True
    return s.drawn([above, heads], [[*depths], *([*t.values] for t in truths)], truths)


def below_each_other(s: _Shape) -> Drawn:
    """Samples below each other, distinguished by a column of labels."""
    labels = s.one(SAMPLES)[: int(s.rng.integers(2, 4))]
    once = s.chance(0.4)
    first: list[object] = []
    axis: list[object] = []
    columns: list[list[object]] = [[] for _ in s.names]
    truths = []
    for label in labels:
        depths = s.depths()
        if once and s.kind == "workbook":
            s.merged.append((1 + len(first), 0, len(first) + len(depths), 0))
        first += [label, *[None if once else label] * (len(depths) - 1)]
        axis += depths
        for column, name in zip(columns, s.names, strict=True):
            truths.append(s.truth(name, depths, label))
            column.extend(truths[-1].values)
    heads = [s.sample, s.with_unit(s.depth, s.axis), *(s.with_unit(n, s.unit) for n in s.names)]
    s.options["samples"] = s.one((True, s.sample))
    return s.drawn([heads], [first, axis, *columns], truths)


def replicates(s: _Shape) -> Drawn:
    """Several measurements of each species, their average, and its error."""
    depths, word = s.depths(), s.one(RUNS[s.language])
    count = int(s.rng.integers(2, 4))
    form = s.one(("above", "above", "head", "number"))
    upper: list[object] = [s.with_unit(s.depth, s.axis)]
    lower: list[object] = [None]
    columns: list[list[object]] = [[*depths]]
    truths = []
    for name in s.names:
        runs = [f"{word} {i + 1}" if form != "number" else f"#{i + 1}" for i in range(count)]
        truths += [s.truth(f"{name} {run}", depths) for run in runs]
        errors = s.values()
        truths.append(s.truth(name, depths, stderr=errors))
        columns += [[*t.values] for t in truths[-count - 1 :]]
        columns.append([*errors])
        words = [*runs, s.mean, s.error]
        if form == "above":
            s.merged.append((0, len(upper), 0, len(upper) + len(words) - 1))
            upper += [s.with_unit(name, s.unit), *[None] * (len(words) - 1)]
            lower += words
        else:
            upper += [s.with_unit(f"{name} {word}", s.unit) for word in words]
    return s.drawn([upper, lower] if form == "above" else [upper], columns, truths)


def titled(s: _Shape) -> Drawn:
    """The unit once: in a title above the values, below the first of them, or of the sheet."""
    depths = s.depths()
    # What is measured of the matrix is in another unit.
    s.names = [name for name in s.names if name != "Ga->"] or ["B"]
    truths = [s.truth(name, depths) for name in s.names]
    columns = [[*depths], *([*t.values] for t in truths)]
    last = len(s.names)
    form = s.one(("title", "row", "sheet"))
    if form == "title":
        heads: list[list[object]] = [
            [None, s.with_unit(s.conc, s.unit), *[None] * (last - 1)],
            [s.with_unit(s.depth, s.axis), *s.names],
        ]
        s.merged = [(0, 1, 0, last)] if last > 1 else []
    elif form == "row":
        # A text does not show over how many columns the header is merged.
        s.kind = "workbook"
        heads = [[s.depth, *s.names], [s.axis, s.unit, *[None] * (last - 1)]]
        s.merged = [(1, 1, 1, last)] if last > 1 else []
    else:
        s.kind, s.unit = "workbook", s.one(("cm-3", "cm^-3", "at.cm-3"))
        for truth in truths:
            truth.units = s.unit
        s.sheet = s.one(("{}", "W7 ({})", "Conc. ({})")).format(s.unit)
        heads = [[s.with_unit(s.depth, s.axis), *s.names]]
    return s.drawn(heads, columns, truths)


def summed(s: _Shape) -> Drawn:
    """A row of sums or averages below the numbers."""
    depths = s.depths()
    truths = [s.truth(name, depths) for name in s.names]
    heads = [s.with_unit(s.depth, s.axis), *(s.with_unit(n, s.unit) for n in s.names)]
    total: list[object] = [s.one(SUMS[s.language]), *(float(sum(t.values)) for t in truths)]
    gap: list[list[object]] = [[]] if s.chance(0.4) else []
    columns = [[*depths], *([*t.values] for t in truths)]
    return s.drawn([heads], columns, truths, below=[*gap, total])


def dated(s: _Shape) -> Drawn:
    """A date above, or in a column of its own."""
    s.kind = "workbook"
    depths, day = s.depths(), dt.datetime(2024, 5, 3)  # noqa: DTZ001 - a spreadsheet has none
    truths = [s.truth(name, depths) for name in s.names]
    heads: list[object] = [
        s.with_unit(s.depth, s.axis),
        *(s.with_unit(n, s.unit) for n in s.names),
    ]
    columns: list[list[object]] = [[*depths], *([*t.values] for t in truths)]
    if s.chance(0.5):
        return s.drawn([[DATES[s.language], day], [], heads], columns, truths)
    clock = [day + dt.timedelta(minutes=3 * i) for i in range(s.length)]
    place = s.one((0, len(columns)))
    heads.insert(place, DATES[s.language])
    columns.insert(place, s.one(([day] * s.length, clock)))
    return s.drawn([heads], columns, truths)


def turned(s: _Shape) -> Drawn:
    """Rows are what columns usually are, perhaps with units in a column of their own."""
    depths = s.depths()
    errors = s.chance(0.3)
    truths = [s.truth(n, depths, stderr=s.values() if errors else None) for n in s.names]
    apart = s.chance(0.5)
    rows: list[list[object]] = []
    for words, unit, numbers in (
        (s.depth, s.axis, depths),
        *(
            row
            for t in truths
            for row in (
                (t.name, s.unit, t.values),
                *([(f"{t.name} {s.error}", s.unit, t.stderr)] if errors else []),
            )
        ),
    ):
        rows.append([words, unit, *numbers] if apart else [s.with_unit(words, unit), *numbers])
    drawn = s.drawn([], [[]], truths)
    drawn.rows, drawn.turned = rows, True
    drawn.style["remark"] = drawn.style["trailing"] = False
    return drawn


SHAPES = (beside, sharing, below_each_other, replicates, titled, summed, dated, turned)


def draw(seed: int) -> Drawn:
    """Draw a clean table of one of the shapes."""
    return SHAPES[seed % len(SHAPES)](_Shape(seed))


# --- damage -----------------------------------------------------------------------------------


def damaged(seed: int) -> Drawn:
    """Draw a table with one thing wrong in it; of turned ones and of several samples too."""
    drawn = draw(seed)
    if drawn.turned:
        rng = np.random.default_rng(seed + 10**6)
        drawn.damage = "odd cell"
        row = drawn.rows[int(rng.integers(len(drawn.rows)))]
        places = [j for j, c in enumerate(row) if type(c) is float]
        row[places[int(rng.integers(len(places)))]] = random_tables.ODD[int(rng.integers(9))]
        return drawn
    return random_tables.damage(drawn, seed)


BREAKS = ("cut", "byte", "part", "sheet", "error cell", "formula", "date", "percent", "merged",
          "moved")  # fmt: skip


def broken(seed: int, folder: Path) -> tuple[Drawn, Path]:
    """Write a workbook that something has happened to."""
    rng = np.random.default_rng(seed + 3 * 10**7)
    source = (random_tables.draw, draw)[int(rng.integers(2))]
    drawn = next(d for d in map(source, range(seed, seed + 50)) if d.first and not d.turned)
    drawn.style |= {"kind": "workbook", "as text": False}
    drawn.damage = BREAKS[int(rng.integers(len(BREAKS)))]
    numbers = [i for i in range(drawn.first, len(drawn.rows)) if _floats(drawn.rows[i])]
    if drawn.damage == "moved":
        # Where nothing stands last there is room for a cell that has moved, and nobody can tell.
        width = max(map(len, drawn.rows))
        numbers = [i for i in numbers if width - 1 in _floats(drawn.rows[i])] or numbers[-2:]
        drawn.damage = "moved" if width - 1 in _floats(drawn.rows[numbers[0]]) else "merged"
    i = numbers[int(rng.integers(max(1, len(numbers) - 1)))]
    j = _floats(drawn.rows[i])[int(rng.integers(len(_floats(drawn.rows[i]))))]
    corner = int(str(drawn.style["corner"]))
    if drawn.damage == "merged":
        drawn.merged.append((i, j, i + 1, j))
    elif drawn.damage == "moved":
        drawn.rows[i].insert(j, None)
    path = random_tables.written(drawn, folder)
    if drawn.damage in ("error cell", "formula", "date", "percent"):
        _change_cell(path, drawn.damage, i + 1 + corner, j + 1 + corner)
    elif drawn.damage in ("cut", "byte", "part", "sheet"):
        _break(path, drawn.damage, rng)
    return drawn, path


def _floats(row) -> list[int]:
    return [j for j, c in enumerate(row) if type(c) is float and c == c]


def _change_cell(path: Path, how: str, row: int, column: int) -> None:
    import openpyxl

    book = openpyxl.load_workbook(path)
    cell = book.worksheets[0].cell(row, column)
    if how == "error cell":
        cell.value = "#DIV/0!"
    elif how == "formula":
        cell.value = "=A1*2"
    else:
        cell.number_format = "0.0%" if how == "percent" else "dd.mm.yyyy"
    book.save(path)


def _break(path: Path, how: str, rng) -> None:
    content = path.read_bytes()
    if how == "cut":
        path.write_bytes(content[: int(rng.integers(4, len(content)))])
    elif how == "byte":
        place = int(rng.integers(30, len(content)))
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x5A]) + content[place + 1 :])
    else:
        out = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
            names = [n for n in old.namelist() if re.search("sheet1|shared|styles|book", n)]
            lost = names[int(rng.integers(len(names)))]
            for name in old.namelist():
                part = old.read(name)
                if how == "sheet" and name.endswith("sheet1.xml"):
                    part = part[: int(rng.integers(len(part) // 2, len(part)))]
                if not (how == "part" and name == lost):
                    new.writestr(name, part)
        path.write_bytes(out.getvalue())


def main(count: int) -> None:
    """Read so many of each, and print what came of them."""
    random_tables.report(count, (("clean", draw), ("damaged", damaged), ("broken", broken)))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
