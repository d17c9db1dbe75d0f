"""Sensitivity factors that are kept, and picked by the conditions of the data."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.conventions.axes import MEASUREMENT
from sims_analysis.conventions.provenance import with_step
from sims_analysis.conventions.species_metadata import metadata_of
from sims_analysis.errors import ArgumentError, ProfileError, ReadError, SpeciesError, about
from sims_analysis.laboratory import factor_file
from sims_analysis.laboratory.process_scatter import Combined, by_day, mean_of, weighted, weights_at
from sims_analysis.outcomes import Status
from sims_analysis.profiles.metadata import Metadata
from sims_analysis.quantification.conditions import (
    NAMES,
    conditions_of,
    contradict,
    in_words,
    same_energy,
    text_of,
)
from sims_analysis.quantification.factors import FACTOR_TERMS
from sims_analysis.text.arguments import argument_error, check_choice, first_few, format_argument
from sims_analysis.text.times import moment_of
from sims_analysis.units import CANONICAL, dequantify

#: What is recorded of the rows that were used.
_RECORD = ["line", "value", "unit", "date", "standard", "data_id", "sha256"]


class Factors:
    """The sensitivity factors of a laboratory, in a CSV file that spreadsheets open.

    A row is one factor, with its conditions and its origin. Rows are appended whole or not at all;
    several processes may write (one that is killed may leave a useless ``.tmp-...``). It may be
    edited by hand, also with semicolons and decimal commas: what cannot be read is refused by line.

    Parameters
    ----------
    path : path-like
        The file. It is made by the first factor.

    Notes
    -----
    Columns: ``species``, ``matrix`` (the matrix signal, empty without one), ``material``,
    ``value``, ``unit``, ``stderr`` (random, in that unit), ``uncertainty`` (of the certificate,
    relative), ``primary_ion``, ``energy``, ``polarity``, ``instrument``, ``abundance`` (by which
    the factor of an element was divided), ``date`` (ISO 8601), ``standard``, ``data_id``,
    ``sha256``, ``matrix_signal``, ``dead_time``, ``status``, ``note``, ``valid``; perhaps others.

    A factor fits data of the same species, matrix signal, material, primary ion, polarity,
    instrument, and impact energy within 2 %; what neither states is the same. That of an element
    fits where :meth:`pick` is given the same abundance. The material of several layers is that of
    all, ``Ge + SiGe``.

    Examples
    --------
    >>> import tempfile
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("sputter-time")
    >>> ds = sims.with_counting_statistics(ds, dwell_time="0.5 s")
    >>> deep = sims.calibrate_depth(ds, crater_depth="210 nm", total_time="500 s")
    >>> rsf = sims.rsf_from_standard(deep, species="As", dose="1e15 atoms/cm^2", matrix="Si",
    ...                              start="15 nm", dose_uncertainty="3 %")
    >>> factors = sims.Factors(tempfile.mkdtemp() + "/factors.csv")
    >>> factors.add(rsf, date="2026-01-15", note="synthetic")
    >>> print(f'{sims.with_rsf(ds, rsf=factors, matrix="Si")["sensitivity_factor"][0].item():.2e}')
    5.09e+21
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._shown: dict[int, dict[str, Any]] = {}

    def __repr__(self) -> str:
        return f"Factors({str(self.path)!r})"

    def table(self) -> pd.DataFrame:
        """Return all factors by their line, withdrawn ones too; energies in eV, dates in UTC.

        Without a file, there are none.
        """
        rows = factor_file.read_sheet(self.path).rows
        self._shown = {row["line"]: row for row in rows}
        frame = pd.DataFrame(rows, columns=["line", *factor_file.COLUMNS])
        dates = pd.to_datetime(frame["date"], utc=True).dt.tz_localize(None)
        return frame.assign(date=dates).set_index("line")

    def add(self, rsf: xr.DataArray, **stated: str) -> None:
        """Keep a factor of :func:`rsf_from_standard`, whose provenance says how it was measured.

        What the data of the standard do not say is `stated` by column: ``date="2026-03-02"``,
        ``primary_ion="O2+"``, ``note="new crystal"``... Nothing is written of what is not such a
        factor, is there already (even withdrawn), or contradicts the data.
        """
        row = _merge_cells(_row_of(rsf), _check_cells(stated))
        self._append([{"valid": "yes", **row}], self.path.name)

    def read(self, path: str | os.PathLike[str], **stated: str) -> None:
        """Add the factors of a list in text: of an instrument, a laboratory, a publication.

        Its lines have a species, its factor, and perhaps its unit: ``Li 1.8e12``, ``11B; 5,1E22;
        atoms/cm^3``; or stand below a heading with ``species``, ``value`` and other columns of the
        file. ``#`` lines are left out. What it does not say is `stated`: ``unit="atoms/cm^3"``,
        ``matrix="30Si"``... What cannot be read is refused by line.
        """
        source = Path(path)
        common = {"valid": "yes", "standard": source.name, **_check_cells(stated)}
        rows = [common | cells for cells in factor_file.read_list(source)]
        if not rows:
            text = f"{source.name}: there is no factor on any line"
            raise ReadError(text, code="empty_input", where={"file": source.name})
        self._append(rows, source.name)

    def withdraw(self, *lines: int, note: str) -> None:
        """Withdraw the factors in some lines of :meth:`table`, with a note why; they stay there.

        One is refused if :meth:`table` has not shown it as it is now.
        """
        identity = ("species", "value", "date")
        factor_file.refuse_missing(self.path)
        with factor_file.locked_sheet(self.path.resolve()) as sheet:
            valid = {row["line"]: row for row in sheet.rows if row["valid"]}
            for line in lines:
                old, new = self._shown.get(line), valid.get(line)
                if not (old and new) or any(old[column] != new[column] for column in identity):
                    raise ProfileError(
                        f"{self.path.name}, line {line}: there is no valid factor as table() "
                        "showed it: call table(), and look again",
                        argument="lines",
                    )
                notes = "; ".join(filter(None, (new["note"], note)))
                for column, cell in (("valid", "no"), ("note", notes)):
                    sheet.cells[line][sheet.header.index(column)] = cell

    def _append(self, rows: Iterable[dict[str, str]], name: str) -> None:
        identity = ("species", "matrix_signal", "sha256", "standard", "value", "date", *NAMES)
        with factor_file.locked_sheet(self.path.resolve()) as sheet:
            for number, row in enumerate(rows, max(sheet.cells, default=1) + 1):
                new = factor_file.read_row(row, int(row.pop("line", number)), name)
                for old in sheet.rows:
                    if all(str(old[column]) == str(new[column]) for column in identity):
                        raise ProfileError(
                            f"{name}, line {new['line']}: this factor of {new['species']!r} is "
                            f"already in line {old['line']}",
                            code="repeated_species",
                            where={"species": new["species"], "line": new["line"]},
                        )
                sheet.rows.append(new)
                sheet.cells[number] = sheet.cells_of(row)

    def pick(
        self,
        data: xr.Dataset,
        *,
        matrix: str | None,
        combine: Literal["mean", "nearest", "bracket"] = "mean",
        max_age: str | None = None,
        **stated: str,
    ) -> dict[str, xr.DataArray]:
        """Pick the factors that hold for data, for :func:`with_rsf`, which calls this itself.

        Parameters
        ----------
        data : Dataset
            Of a measurement, or a batch, of which each measurement gets its own.
        matrix : str or None
            The matrix signal; None for none.
        combine : {"mean", "nearest", "bracket"}
            Of the days (UTC) that fit, over which factors are averaged: the random-effects mean of
            all, with weights ``1 / (t^2 + s^2)`` of the scatter t between days and their own s; the
            nearest in time; or the line in time between those before and after, also of one day.
        max_age : str, optional
            Factors further away in time than this, ``"30 days"``, before or after, do not fit.
        **stated : str
            What the data do not say, by column: ``primary_ion="O2+"``, ``energy="5 keV"``,
            ``abundance="natural"``... It is refused where they say another thing.

        Returns
        -------
        dict of DataArray
            A factor for each species that the file has. Coordinates as of
            :func:`rsf_from_standard`, ``dose_stderr`` by the largest uncertainty of a certificate;
            the conditions of the data, of which others are refused by :func:`with_rsf`; and
            ``day_to_day_stderr``: by how much the factor of a day departs from the value, by
            the scatter of those that fit, with Student's t; NaN of a single one.

        Raises
        ------
        SpeciesError, ProfileError
            If no factor fits, with the nearest misses; if a date is needed, and not known; or if a
            bracket has only one side.
        """
        check_choice("combine", combine, ("mean", "nearest", "bracket"))
        factor_file.refuse_missing(self.path)
        stated_cells, table = _check_cells(stated, [*NAMES, "date"]), self.table()
        limit = np.inf
        if max_age is not None:
            days = re.fullmatch(r"(\d+\.?\d*) ?d(ays?)?", str(max_age))
            if days is None:
                expected = "expected a number of days, such as '30 days'"
                raise argument_error("max_age", max_age, expected)
            limit = float(days[1])
        labels = map(str, np.atleast_1d(data["species"].values))
        names = [label for label in labels if label != matrix]
        available = [name for name in names if (table["species"] == name).any()]
        if not available:
            present = first_few(sorted(set(table["species"])), 8) or "none at all"
            text = f"{str(self.path)!r} has no factor of {first_few(names, 8)}; it has {present}"
            raise SpeciesError(text, code="missing_factor")
        needs_date = combine != "mean" or max_age is not None
        conditions = [*NAMES, *(["date"] if needs_date else [])]
        factors = {}
        for species in available:
            rows, by_key, parts = table[table["species"] == species], {}, []
            for metadata in metadata_of(data, species):
                of_data = {"matrix": matrix or "", "abundance": "", **_own_conditions(metadata)}
                cells = _merge_cells(of_data, stated_cells)
                row = {name: factor_file.read_cell(name, cells[name], f"the data say {name}")
                      for name in conditions}  # fmt: skip
                key = tuple(row.values())
                if key not in by_key:  # measurements of a batch mostly have the same conditions
                    with about(where={"species": species}):
                        by_key[key] = _combined_rows(rows, row, combine, limit, self.path.name)
                parts.append(_factor(species, *by_key[key], row))
            factor = parts[0]
            if MEASUREMENT in data.dims:
                factor = xr.concat(parts, data[MEASUREMENT].variable, coords="different",
                                 compat="equals", combine_attrs="override")  # fmt: skip
            lines = np.concatenate([fitting.index for _, fitting in by_key.values()])
            picked = rows[rows.index.isin(lines)]
            for column in ("matrix_signal", "dead_time"):
                if texts := " and ".join(sorted({*picked[column]} - {""})):
                    factor = factor.assign_coords({column: texts})
            record = picked.reset_index()[_RECORD].astype(str).to_dict("records")
            factors[species] = with_step(factor, "Factors.pick", combine=combine, rows=record)
        return factors


def _check_cells(cells: Mapping[str, str], columns: Any = factor_file.COLUMNS) -> dict[str, str]:
    """Refuse what is not a column that may be stated, or not what may stand in it."""
    for column, cell in cells.items():
        if column not in columns:
            text = f"{column}={cell!r}; expected one of {', '.join(columns)}"
            raise ArgumentError(text, code="unknown_argument", argument=column)
        if not isinstance(cell, str):
            raise argument_error(column, cell, "expected a string, as in the file")
        with about(argument=column):
            factor_file.read_cell(column, cell, column)
    return dict(cells)


def _merge_cells(base: Mapping[str, str], cells: Mapping[str, str]) -> dict[str, str]:
    """Add what is stated to what data say; refuse that of which they say another thing."""
    read = {name: column.read for name, column in factor_file.COLUMNS.items()}
    read["unit"] = lambda cell: replace(factor_file.unit_of(cell), text="")
    for column, cell in cells.items():
        if column != "standard" and contradict(column, base.get(column, ""), cell, read[column]):
            raise argument_error(column, cell, f"the data say {base[column]!r}")
    filled = {column: cell for column, cell in base.items() if cell and column != "standard"}
    return {**base, **cells, **filled}


def _row_of(rsf: xr.DataArray) -> dict[str, str]:
    """Return the cells of a factor of a standard."""
    steps = json.loads(rsf.attrs.get("steps", "[]")) if isinstance(rsf, xr.DataArray) else []
    if not steps or steps[-1]["function"] != "rsf_from_standard" or rsf.ndim:
        raise ProfileError(
            f"expected one factor as rsf_from_standard() gives it, found {format_argument(rsf)}; "
            "those from elsewhere are a list: factors.read(path)",
            code="other_result",
            argument="rsf",
        )
    factor = dequantify(rsf)
    value, total, of_dose = map(float, (factor, factor["stderr"], factor["dose_stderr"]))
    numbers = {
        "value": value,
        "stderr": max(total**2 - np.nan_to_num(of_dose) ** 2, 0.0) ** 0.5,
        "uncertainty": of_dose / value,
    }
    metadata = Metadata.from_dict(json.loads(rsf.attrs.get("measurement", "{}")))
    origins = steps[-1]["parameters"]["data"]
    origin = origins if isinstance(origins, dict) else origins[-1]
    texts = {key: origin[key] for key in ("data_id", "sha256") if isinstance(origin.get(key), str)}
    labels = ("species", "matrix", "matrix_signal", "dead_time", "status")
    return {
        **{column: str(factor[column].values) for column in labels},
        **{column: f"{number:.6g}" for column, number in numbers.items() if number > 0},
        "unit": factor.attrs["units"],
        "abundance": str(steps[-1]["parameters"].get("abundance") or 1),
        **_own_conditions(metadata),
        "standard": metadata.sample or texts.get("data_id", ""),
        **texts,
    }


def _own_conditions(metadata: Metadata) -> dict[str, str]:
    """Return what the metadata of a measurement say, by column."""
    moment = moment_of(metadata.measured)
    date = "" if moment is None else moment.isoformat(timespec="minutes")
    return {**conditions_of(metadata), "date": date}


def _combined_rows(
    rows: pd.DataFrame, requested: factor_file.Row, combine: str, max_days: float, name: str
) -> tuple[Combined, pd.DataFrame]:
    """Combine the factors of a species that fit; return with them the rows on which that rests."""
    species, date = rows["species"].iloc[0], requested.get("date")
    if "date" in requested and date is None:
        raise ProfileError(
            f"{species}: the data do not say when they were measured; state it: "
            "rsf=factors.pick(data, matrix=..., date='2026-03-02')",
            code="missing_time",
        )
    differs = {name: rows[name].to_numpy() != requested[name] for name in NAMES}
    energy = rows["energy"].to_numpy(float)
    unknown = np.isnan(energy) & np.isnan(requested["energy"])
    differs["energy"] = ~(same_energy(energy, requested["energy"]) | unknown)
    moment = np.datetime64(date and date.replace(tzinfo=None), "ns")
    days = (rows["date"].to_numpy() - moment) / np.timedelta64(1, "D")
    fits = ~np.any(list(differs.values()), axis=0) & rows["valid"].to_numpy(bool)
    if date is not None:
        fits &= abs(days) <= max_days
    if not fits.any():
        host = f"{species} in {requested['matrix'] or 'no matrix'}"
        nearest = ", and one ".join(_nearest_misses(rows, differs, days, requested))
        text = f"{host}: no factor in {name} fits; there is one {nearest}. What data do not say is "
        raise SpeciesError(f"{text}stated to factors.pick()", code="missing_factor")
    rows, days = rows[fits], days[fits]
    rows, days = rows.iloc[np.argsort(days, kind="stable")], np.sort(days)
    units = {text: factor_file.unit_of(text) for text in set(rows["unit"])}
    if len({unit.kind for unit in units.values()}) > 1:
        text = f"{name}: factors of {species!r} that fit are in units of several kinds"
        raise ProfileError(text, code="different_units")
    sizes = rows["unit"].map({text: unit.to_canonical(1.0) for text, unit in units.items()})
    value, stderr = (rows[column].to_numpy() * sizes.to_numpy() for column in ("value", "stderr"))
    origin = rows["sha256"].where(rows["sha256"] != "", rows["data_id"])
    origin = origin.where(origin != "", rows.index.astype(str))
    day = rows["date"].dt.date.where(rows["date"].notna(), origin)
    half = np.where(combine == "bracket", np.sign(days), 0.0)  # of the day before and after
    group = np.asarray(rows.groupby([day, half], sort=False).ngroup(), np.intp)
    value, stderr, days = by_day(group, value, stderr, days)
    if combine == "mean":
        return mean_of(value, stderr), rows
    weight = weights_at(days, bracket=combine == "bracket")
    if weight is None:
        side = "before" if days[0] > 0 else "after"
        text = f"{species}: no factor that fits is from {side} the measurement"
        remedy = "combine='nearest' takes one from the other side"
        raise ProfileError(text, code="missing_factor", argument="combine", remedy=remedy)
    return weighted(value, stderr, weight), rows[weight[group] > 0]


def _nearest_misses(
    rows: pd.DataFrame, differs: Mapping[str, Any], days: Any, requested: factor_file.Row
) -> list[str]:
    """Say of the factors that nearly fit what is odd of them, or how many days away they are."""
    misses = {}
    for i, row in enumerate(rows.to_dict("records")):
        differing = [name for name in NAMES if differs[name][i]]
        of_factor, of_data = ({name: r[name] for name in differing} for r in (row, requested))
        miss = "that was withdrawn" if not row["valid"] else f"{abs(days[i]):.3g} days away"
        miss = "without a date" if np.isnan(days[i]) and row["valid"] else miss
        if differing:
            miss = f"with {in_words(of_factor)} (the data say {in_words(of_data)})"
        misses[miss] = len(differing), np.nan_to_num(abs(days[i]), nan=np.inf)
    return sorted(misses, key=lambda miss: misses[miss])[:3]


def _factor(
    species: str, combined: Combined, rows: pd.DataFrame, requested: factor_file.Row
) -> xr.DataArray:
    """Return the factor of a species, which rests on some rows, for the conditions of data."""
    kind = factor_file.unit_of(rows["unit"].iloc[0]).kind
    term, unit, words = FACTOR_TERMS[kind], CANONICAL[kind], {s.word: s for s in Status}
    parts = {
        "counting_stderr": combined.counting,
        "dose_stderr": float(rows["uncertainty"].max()) * combined.value,  # in common
        "day_to_day_stderr": combined.day_to_day,
    }
    errors = [error for error in parts.values() if not np.isnan(error)]
    parts["stderr"] = float(np.hypot.reduce(errors)) if errors else np.nan
    status = [words.get(word or "ok", Status.SCALE_IN_DOUBT) for word in rows["status"]]
    coords: dict[str, Any] = {
        "species": species,
        **{name: text_of(name, requested[name]) for name in NAMES},
        "n_standards": len(rows),
        "status": max(status, key=lambda s: s.rank).word,
        **{end: ((), part, vocabulary.attrs(f"factor_{end}", unit)) for end, part in parts.items()},
    }
    return xr.DataArray(combined.value, coords, (), term, vocabulary.attrs(term, unit))
