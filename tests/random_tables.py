"""Random tables as laboratories write them, with the profiles that are in them.

A table is drawn in one of eight languages, as text or as a workbook, with the habits of people and
spreadsheets: units in brackets, after a comma or in a row of their own, names above or below the
heads, merged heads, errors, averages, remarks, notes, row numbers, decimal commas... A damaged one
has one thing wrong in it.

``python tests/random_tables.py 2000`` reads that many, and prints what came of them.
"""

from __future__ import annotations

import re
import sys
import tempfile
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import openpyxl

import sims_analysis as sims

#: Depth, time, concentration, intensity, error, sample, remark, average.
WORDS = {
    "en": ("Depth", "Sputter time", "Concentration", "Intensity", "Std. dev.", "Sample",
           "Remark", "mean"),
    "de": ("Tiefe", "Sputterzeit", "Konzentration", "Intensität", "Standardabweichung", "Probe",
           "Bemerkung", "Mittelwert"),
    "fr": ("Profondeur", "Temps de pulvérisation", "Concentration", "Intensité", "Écart-type",
           "Échantillon", "Remarque", "moyenne"),
    "es": ("Profundidad", "Tiempo", "Concentración", "Intensidad", "Desviación estándar",
           "Muestra", "Observaciones", "promedio"),
    "it": ("Profondità", "Tempo", "Concentrazione", "Intensità", "Deviazione standard",
           "Campione", "Osservazioni", "media"),
    "nl": ("Diepte", "Sputtertijd", "Concentratie", "Intensiteit", "Standaardafwijking",
           "Monster", "Opmerking", "gemiddelde"),
    "ja": ("深さ", "スパッタ時間", "濃度", "強度", "標準偏差", "試料", "備考", "平均"),
    "zh": ("深度", "溅射时间", "浓度", "强度", "标准偏差", "样品", "备注", "平均值"),
}  # fmt: skip
SHORT = {"en": "Conc.", "de": "Konz.", "fr": "Conc.", "es": "Conc.", "it": "Conc.", "nl": "Conc."}
ATOMS = {"en": "atoms/cm3", "de": "Atome/cm³", "fr": "atomes/cm3", "es": "átomos/cm3",
         "it": "atomi/cm3", "nl": "atomen/cm3", "ja": "atoms/cm3", "zh": "原子/cm3"}  # fmt: skip
OF = {"en": "of", "de": "von", "fr": "de", "es": "de", "it": "di", "nl": "van"}
NOTES = {
    "en": (("Operator", "A. B."), ("Dose", "5e14")),
    "de": (("Bediener", "A. B."), ("Datum", "3.5.2024")),
    "fr": (("Opérateur", "A. B."), ("Date", "03/05/2024")), "es": (("Operador", "A. B."),),
    "it": (("Operatore", "A. B."),), "nl": (("Bediener", "A. B."),),
    "ja": (("測定者", "A. B."),), "zh": (("操作员", "A. B."),),
}  # fmt: skip
SPECIES = ("B", "11B", "10B", "P", "31P", "As", "75As", "O", "16O", "C", "N", "Si", "28Si+", "GaAs",
           "Ga->", "SiO2", "F", "In", "H", "69Ga+", "133Cs28Si+", "W", "I", "Y", "Na",
           "23Na", "K")  # fmt: skip
DEPTHS = ("nm", "µm", "Å", "um")
REMARKS = {"en": "paused", "de": "Pause", "ja": "停止", "zh": "暂停"}


@dataclass
class Truth:
    """A profile that is in a table."""

    name: str
    depths: list[float]
    depth_units: str
    values: list[float]
    units: str
    stderr: list[float] | None = None
    sample: str = ""
    #: What has to be known of it.
    about: dict[str, str] = field(default_factory=dict)


@dataclass
class Drawn:
    """A table: rows of cells, of which numbers are floats, and what is in it."""

    rows: list[list[object]]
    truths: list[Truth]
    #: How it is written: delimiter, decimal mark, encoding...
    style: dict[str, object]
    #: First row of numbers.
    first: int
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    options: dict[str, object] = field(default_factory=dict)
    #: Whether its rows are what columns usually are.
    turned: bool = False
    damage: str = ""
    #: What a refusal has to say, if it can be read in two ways: no warning makes up for reading it.
    open: str = ""


def draw(seed: int) -> Drawn:
    """Draw a clean table."""
    rng = np.random.default_rng(seed)
    #: Of habits that came later, so that a seed stays the table that it was.
    later = np.random.default_rng(seed + 10**7)

    def one(items):
        return items[int(rng.integers(len(items)))]

    def chance(p):
        return bool(rng.random() < p)

    language = one(list(WORDS))
    depth, time, conc, intensity, error, sample, remark, mean = WORDS[language]
    on_time, rates = chance(0.2), chance(0.3)
    axis_word, axis_unit = (time, "s") if on_time else (depth, one(DEPTHS))
    if rates:
        value_word, unit = intensity, one(("counts/s", "c/s", "cps"))
    else:
        value_word = SHORT.get(language, conc) if chance(0.3) else conc
        unit = one((ATOMS[language], "at/cm³", "cm^-3", "atoms/cc"))
    count = int(rng.integers(1, 5))
    names = [str(n) for n in rng.choice(SPECIES, size=count, replace=False)]
    length = int(rng.integers(4, 30))
    paired = chance(0.45)
    errors = chance(0.25)
    average = errors and chance(0.4)
    lengths = [length - int(rng.integers(0, 3)) * paired for _ in names]
    step = float(one((0.5, 1.0, 2.5, 0.125)))
    truths = []
    limits: dict[tuple[int, int], str] = {}
    for k, (name, n) in enumerate(zip(names, lengths, strict=True)):
        start = k * 0.25 if paired else 0.0
        depths = [float(f"{start + step * i:g}") for i in range(n)]
        top = 1e5 if rates else 1e18
        values = [float(f"{v:.3E}") for v in top * rng.lognormal(0, 2, n)]
        stderr = [float(f"{v / 10:.3E}") for v in values] if errors else None
        if chance(0.15):
            hole = int(rng.integers(0, n))
            values[hole] = float("nan")
            if stderr:
                stderr[hole] = float("nan")
        truths.append(Truth(name, depths, axis_unit, values, unit, stderr))
        low = int(rng.integers(0, n))
        if chance(0.12) and not np.isnan(values[low]):
            limits[k, low] = f"<{values[low]:.1E}"
            values[low] = float("nan")
            if stderr:
                stderr[low] = float("nan")
    # How the heads say it.
    where = one(("brackets", "square", "comma", "row", "row", "slash"))
    where = "in" if where == "slash" and later.random() < 0.5 else where
    named = one(("head", "head and word", "above", "above", "below")) if not average else "head"
    if named == "below" and (paired or errors or where != "row"):
        named = "above"
    if named == "above" and count == 1 and not paired:
        named = "head"

    wide = language in ("ja", "zh") and chance(0.3)

    def head(words: str, of: str) -> str:
        if where == "row":
            return words
        if where == "brackets" and wide:
            return f"{words}（{of}）"
        joined = {"brackets": " ({})", "square": " [{}]", "comma": ", {}", "slash": " / {}",
                  "in": " in {}"}  # fmt: skip
        return words + joined[where].format(of)

    columns: list[list[object]] = []  # names, head, unit, then the numbers

    def column(name, text, of, numbers):
        columns.append([name, head(text, of), of, *numbers])

    spanned = average and where == "row" and later.random() < 0.5
    for k, truth in enumerate(truths):
        if paired or k == 0:
            over = truth.name if named == "above" and paired else None
            column(over, axis_word, axis_unit, truth.depths)
        words = {"head": truth.name, "head and word": f"{truth.name} {value_word}"}
        if language in ("ja", "zh"):
            words["head and word"] = f"{truth.name}{value_word}"
        text = words.get(named, value_word)
        if named == "head and word" and language in OF and chance(0.3):
            text = f"{value_word} {OF[language]} {truth.name}"
        text = truth.name if spanned else f"{truth.name} {mean}" if average else text
        above = truth.name if named == "above" and not paired else None
        cells = [limits.get((k, i), v) for i, v in enumerate(truth.values)]
        column(above, text, unit, cells)
        if errors:
            text = f"{truth.name} {error}" if named.startswith("head") else error
            text = None if spanned else text
            column(None, text, unit, truth.stderr)
        if paired and chance(0.4) and k < count - 1:
            columns.append([None, None, None])
    beside = not paired and not on_time and chance(0.15)
    if beside:
        columns.insert(1, [None, head(time, "s"), "s", *(2.0 * i for i in range(length))])
    below: list[object] = (
        [None, *[None] * beside, *names] if named == "below" else [None] * len(columns)
    )
    tall = max(map(len, columns))
    if not paired and chance(0.15):
        columns.insert(0, [None, one(("#", "Nr.", "No.", "Index")), None, *range(1, tall - 2)])
        below.insert(0, None)
    if chance(0.15):
        columns.insert(0, [None, sample, None, *["W7"] * (tall - 3)])
        below.insert(0, None)
    if chance(0.12) and tall > 6:
        texts: list[object] = [None] * (tall - 3)
        texts[int(rng.integers(1, tall - 3))] = REMARKS.get(language, "pause")
        columns.append([None, remark, None, *texts])
        below.append(None)
    body = [[c[i] if i < len(c) else None for c in columns] for i in range(3, tall)]
    rows: list[list[object]] = []
    if chance(0.4):
        rows += [[key, value] for key, value in NOTES[language]]
        rows += [[]] if chance(0.5) else []
    merged = []
    heads = [c[1] for c in columns]
    if named == "above":
        rows.append([c[0] for c in columns])
        if chance(0.3) and paired:
            axes = [j for j, c in enumerate(columns) if c[0]]
            merged = [(len(rows) - 1, j, len(rows) - 1, j + 1) for j in axes]
    top = len(rows)
    rows.append(heads)
    if spanned:
        # The species above, what its columns are below.
        kinds = [
            mean if c[1] and c[2] == unit else error if c[2] == unit else None for c in columns
        ]
        rows.append(kinds)
    if where == "row":
        bracket = one(("{}", "({})", "[{}]"))
        units: list[object] = [c[2] and bracket.format(c[2]) for c in columns]
        if named.startswith("head") and later.random() < 0.3:
            rows.insert(top, units)
        elif not (rates or named == "below" or "Ga->" in names) and later.random() < 0.3:
            # A title says it of all values.
            rows.insert(0, [f"{value_word} ({unit})"])
            rows.append([u if c[2] != unit else None for u, c in zip(units, columns, strict=True)])
            top += 1
        else:
            rows.append(units)
    if named == "below":
        rows.append(below)
    rows += [[]] if chance(0.15) else []
    first = len(rows)
    rows += body
    if chance(0.15):
        rows += [[], [*NOTES[language][0]]] if chance(0.7) else [[NOTES[language][0][0]]]
    style = style_of(rng, rows, language)
    add_habits(later, style, language)
    if later.random() < 0.1:
        rows.append(["LOD", *(1000 if c[2] == unit else None for c in columns[1:])])
    turned = where != "row" and named.startswith("head") and not paired and chance(0.15)
    if turned and len(heads) > 1 and not any(isinstance(h, str) and h == remark for h in heads):
        # Rows are what columns usually are.
        both = [heads, *body]
        rows = [[row[j] if j < len(row) else None for row in both] for j in range(len(heads))]
        first, merged, style["comment"] = 0, [], False
    options: dict[str, object] = {}
    if style["nothing"] == "n.d.":
        options["not_measured"] = "n.d."
    if style["encoding"] in EASTERN.values():
        try:
            "".join(str(c) for row in rows for c in row).encode(str(style["encoding"]))
            options["encoding"] = style["encoding"]
        except UnicodeEncodeError:
            style["encoding"] = "utf-8"
    options = options if style["kind"] == "text" else {}
    return Drawn(rows, truths, style, first, merged, options, turned=first == 0)


def style_of(rng, rows, language) -> dict[str, object]:
    """Draw how a table is written."""
    kind = ["text", "text", "workbook"][int(rng.integers(3))]
    delimiter = ["\t", ";", ";", ",", "|"][int(rng.integers(5))]
    comma = bool(rng.random() < 0.5) and delimiter != ","
    quoted = delimiter == "," and any("," in str(c) for row in rows for c in row)
    encodings = ["utf-8", "utf-8-sig", "utf-16"]
    if language not in ("ja", "zh"):
        encodings.append("cp1252")
    encoding = encodings[int(rng.integers(len(encodings)))]
    try:
        "".join(str(c) for row in rows for c in row).encode(encoding)
    except UnicodeEncodeError:
        encoding = "utf-8"
    return {
        "kind": kind,
        "delimiter": delimiter,
        "decimal": "," if comma else ".",
        "quoted": quoted or bool(rng.random() < 0.1),
        "encoding": encoding,
        "end": "\r\n" if rng.random() < 0.5 else "\n",
        "form": ["{:g}", "{:.6G}", "{!r}"][int(rng.integers(3))],
        "as text": bool(rng.random() < 0.1),
        "corner": int(rng.random() < 0.2),
        "comment": bool(rng.random() < 0.1),
    }


#: Encodings of two bytes, which nobody can tell.
_WIDE = {ord(c): 0xFEE0 + ord(c) for c in "0123456789.,+-Ee"}
EASTERN = {"ja": "shift_jis", "zh": "gb18030"}


def add_habits(rng, style: dict[str, object], language: str) -> None:
    """Draw what programs and people do to a text once it is written."""

    def chance(p):
        return bool(rng.random() < p)

    style["nothing"] = ["", "", "", "-", "NaN", "n.d."][int(rng.integers(6))]
    style["trailing"] = chance(0.1)
    style["padded"] = chance(0.1)
    style["remark"] = chance(0.1)
    style["blank lines"] = chance(0.05)
    style["no end"] = chance(0.1)
    style["wide"] = language in EASTERN and chance(0.2)
    style["exponent"] = "D" if chance(0.05) else "E"
    if language in EASTERN and chance(0.2):
        style["encoding"] = EASTERN[language]
    elif language not in EASTERN and chance(0.05):
        style["encoding"] = "utf-16-le"


DAMAGES = ("odd cell", "odd depth", "words between", "cut", "no heads", "no units", "extra cell",
           "lost cell", "second head", "text beside first row", "odd first cell", "odd last depth",
           "thousands")  # fmt: skip
ODD = ("x", "#REF!", "1.2.3", "12 nm", "TRUE", "2024-03-01", "n.a.m.", "1e", "=A1+1", "--5-")


def damaged(seed: int) -> Drawn:
    """Draw a table with one thing wrong in it."""
    # What can be damaged row by row.
    return damage(next(d for d in map(draw, range(seed, seed + 50)) if not d.turned), seed)


def damage(drawn: Drawn, seed: int) -> Drawn:
    """Do one thing wrong to a table."""
    rng = np.random.default_rng(seed + 10**6)
    drawn.damage = DAMAGES[int(rng.integers(len(DAMAGES)))]
    if drawn.damage in ("lost cell", "extra cell"):
        # In a workbook, what stands to the right has moved, and nobody can tell.
        drawn.style["kind"] = "text"
    rows, first = drawn.rows, drawn.first
    numbers = [i for i in range(first, len(rows)) if any(type(c) is float for c in rows[i])]
    i = numbers[int(rng.integers(1, max(2, len(numbers) - 1)))]
    floats = [j for j, c in enumerate(rows[i]) if type(c) is float]
    odd = ODD[int(rng.integers(len(ODD)))]
    match drawn.damage:
        case "odd cell":
            rows[i][floats[int(rng.integers(len(floats)))]] = odd
        case "odd depth":
            rows[i][floats[0]] = odd
        case "odd first cell":
            row = rows[numbers[0]]
            cells = [j for j, c in enumerate(row) if type(c) is float]
            row[cells[int(rng.integers(len(cells)))]] = odd
        case "odd last depth":
            row = rows[numbers[-1]]
            row[next(j for j, c in enumerate(row) if type(c) is float)] = odd
        case "words between":
            rows.insert(i, ["resumed after a pause"])
        case "cut":
            drawn.style["cut"] = int(rng.integers(2, 12))
            drawn.style["kind"] = "text"
        case "no heads":
            del rows[:first]
        case "no units":
            for row in rows[:first]:
                for j, cell in enumerate(row):
                    for unit in {t.units for t in drawn.truths}:
                        if isinstance(cell, str) and unit in cell:
                            row[j] = cell.partition(unit)[0].rstrip(" ([,/") or None
        case "extra cell":
            # At its end, where nothing was measured there would be room for one more.
            rows[i] = [7.5 if cell is None or cell != cell else cell for cell in rows[i]]
            rows[i].insert(floats[0], 7.5)
        case "lost cell":
            del rows[i][floats[int(rng.integers(len(floats)))]]
        case "second head":
            rows.insert(i, [*rows[first - 1]] if any(rows[first - 1]) else [*rows[first - 2]])
        case "text beside first row":
            rows[numbers[0]] = [*rows[numbers[0]], None, "by A. B."]
        case "thousands":
            rows[i][floats[-1]] = "1,234,567"
    return drawn


# --- writing ----------------------------------------------------------------------------------


def written(drawn: Drawn, folder: Path) -> Path:
    """Write a table to a file."""
    if drawn.style["kind"] == "workbook":
        return _workbook(drawn, folder / "table.xlsx")
    path = folder / "table.csv"
    path.write_bytes(_text(drawn).encode(str(drawn.style["encoding"])))
    return path


def _number(value: float, form: str) -> str:
    text = form.format(value)
    return text if float(text) == value else repr(value)


def _text(drawn: Drawn) -> str:
    style = drawn.style
    delimiter = str(style["delimiter"])
    lines = []
    for i, row in enumerate(drawn.rows):
        cells = []
        for cell in row:
            if type(cell) is float and np.isnan(cell):
                text = str(style["nothing"])
            elif type(cell) is float:
                text = _number(cell, str(style["form"])).replace(".", str(style["decimal"]))
                text = re.sub("[eE]", str(style["exponent"]), text)
                text = text.translate(_WIDE) if style["wide"] else text
            else:
                text = "" if cell is None else str(cell)
                if text.startswith("<"):
                    text = text.replace(".", str(style["decimal"]))
            if delimiter in text or (style["quoted"] and text):
                text = '"' + text.replace('"', '""') + '"'
            elif style["padded"] and text:
                text = f" {text} "
            cells.append(text)
        line = delimiter.join(cells) + delimiter * bool(style["trailing"])
        if style["comment"] and i < drawn.first and line.strip(delimiter):
            line = f"# {line}"
        lines.append(line)
        if style["remark"] and not drawn.turned and i == drawn.first + 1:
            lines.append("# paused")
        if style["blank lines"]:
            lines.append("")
    end = str(style["end"])
    text = end.join(lines) + end * (not style["no end"])
    return _cut(text, int(str(style["cut"])), end) if "cut" in style else text


def _cut(text: str, count: int, end: str) -> str:
    """Take off so many characters, or a few more: where whole lines are left nobody can tell."""
    left = text[:-count]
    while left.endswith(end) or text[len(left) :].startswith(end):
        left = left[:-1]
    return left


def _workbook(drawn: Drawn, path: Path) -> Path:
    style = drawn.style
    book = openpyxl.Workbook()
    sheet = book.active
    if "before" in style:
        sheet.title = "Summary"
        for row in style["before"]:
            sheet.append(row)
        sheet = book.create_sheet()
    sheet.title = str(style.get("sheet", "Sheet"))
    corner = int(str(style["corner"]))
    for i, row in enumerate(drawn.rows):
        for j, cell in enumerate(row):
            value: object = cell
            if type(cell) is float:
                value = None if np.isnan(cell) else cell
                if style["as text"] and value is not None:
                    text = _number(cell, str(style["form"]))
                    value = text.replace(".", str(style["decimal"]))
            sheet.cell(i + 1 + corner, j + 1 + corner, value)
    for top, left, bottom, right in drawn.merged:
        sheet.merge_cells(
            start_row=top + 1 + corner, start_column=left + 1 + corner,
            end_row=bottom + 1 + corner, end_column=right + 1 + corner,
        )  # fmt: skip
    if corner:
        sheet.cell(3000, 1).number_format = "0.00"
        book.create_sheet("notes").append(["nothing here"])
    book.save(path)
    return path


# --- judging ----------------------------------------------------------------------------------


def outcome(drawn: Drawn, folder: Path, path: Path | None = None) -> tuple[str, str]:
    """Read a table; return ``exact``, ``refused``, ``warned`` or ``different``, and why."""
    path = path or written(drawn, folder)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            result = sims.read(path, **drawn.options)
        except sims.SimsError as error:
            says = drawn.open in str(error)
            return ("refused" if says else "different"), str(error)
    results = result if isinstance(result, list) else [result]
    found = [
        (one.metadata.sample or "" if one is not result else "", profile)
        for one in results
        for profile in one.depth_profiles
    ]
    texts = " | ".join(str(warning.message) for warning in warned)
    if not drawn.damage:
        fault = _compared(drawn, found)
        return ("exact", texts) if fault is None else ("different", f"{fault} | {texts}")
    fault = "read" if drawn.open else _lost(drawn, found)
    if fault is None:
        return "exact", texts
    return ("warned", texts) if texts else ("different", fault)


def _known(profile) -> dict[str, str]:
    """Return metadata of a profile, columns next to it by their first number, and layers."""
    columns = profile.extra.get("columns", {})
    layers = profile.extra.get("measurement", {}).get("layers", [])
    return {
        **(profile.species_metadata or {}),
        **{f"column {name}": f"{column['values'][0]}" for name, column in columns.items()},
        "layers": ", ".join(layer["matrix"] for layer in layers),
    }


def _plain(text: str) -> str:
    """Write a number with its unit in one way."""
    number, _, unit = text.partition(" ")
    try:
        return f"{float(number):g} {unit}"
    except ValueError:
        return text


def _compared(drawn: Drawn, found) -> str | None:
    """Say in what profiles, each with its sample, are not what was written."""
    names = [(truth.sample, truth.name) for truth in drawn.truths]
    if [(sample, p.species_name) for sample, p in found] != names:
        return f"species {[(sample, p.species_name) for sample, p in found]}, written {names}"
    for (_, profile), truth in zip(found, drawn.truths, strict=True):
        for what, got, true in (
            ("depths", profile.depths, truth.depths),
            ("values", profile.concentrations, truth.values),
            ("errors", profile.concentrations_stderr, truth.stderr),
        ):
            if (got is None) != (true is None):
                return f"{what} of {truth.name!r}: {got}, written {true}"
            if got is not None and not np.array_equal(got, np.array(true), equal_nan=True):
                return f"{what} of {truth.name!r}: {got}, written {true}"
        about = _known(profile)
        if [_plain(about.get(key, "")) for key in truth.about] != [
            *map(_plain, truth.about.values())
        ]:
            return f"metadata of {truth.name!r}: {about}, written {truth.about}"
        units = (profile.depth_units, profile.concentration_units)
        if units != (truth.depth_units, truth.units):
            return f"units of {truth.name!r}: {units}, written {truth.depth_units}, {truth.units}"
    return None


def _lost(drawn: Drawn, profiles) -> str | None:
    """Say what profiles of a damaged table hold that was not written, or lack."""
    if drawn.damage == "no heads":
        return "read without heads"
    written_ = {
        (t.sample, t.name): dict(zip(t.depths, t.values, strict=True)) for t in drawn.truths
    }
    found = {(sample, p.species_name): p for sample, p in profiles}
    if set(found) != set(written_):
        return f"species {sorted(found)}, written {sorted(written_)}"
    for name, profile in found.items():
        got = dict(zip(profile.depths.tolist(), profile.concentrations.tolist(), strict=True))
        for depth, value in written_[name].items():
            other = got.pop(depth, None)
            if other is None and not np.isnan(value):
                return f"{name!r}: the sample at {depth} is lost"
            if other is not None and other != value and not (np.isnan(other) and np.isnan(value)):
                return f"{name!r}: {other} at {depth}, written {value}"
        if got:
            return f"{name!r}: samples at {sorted(got)[:3]}, which were not written"
    return None


def main(count: int) -> None:
    """Read so many clean and damaged tables, and print what came of them."""
    report(count, (("clean", draw), ("damaged", damaged)))


def report(count: int, kinds) -> None:
    """Read so many tables of each kind, and print what came of them."""
    with tempfile.TemporaryDirectory() as name:
        for what, make in kinds:
            counts: Counter[str] = Counter()
            shown: Counter[str] = Counter()
            for seed in range(count):
                if what == "broken":
                    drawn, path = make(seed, Path(name))
                    came, why = outcome(drawn, Path(name), path)
                else:
                    drawn = make(seed)
                    came, why = outcome(drawn, Path(name))
                counts[came] += 1
                bad = came == "different" or (what == "clean" and came != "exact")
                if bad and shown[came] < 12:
                    shown[came] += 1
                    sys.stdout.write(f"  {what} {seed} {drawn.damage}: {came}: {why[:300]}\n")
            sys.stdout.write(f"{what}: {dict(counts)}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
