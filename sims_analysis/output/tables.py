"""Results as a table for a paper: one row per profile, units in the header, rounded numbers."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import xarray as xr

from sims_analysis.errors import ArgumentError, ProfileError, UnitsError
from sims_analysis.text import typeset as _typeset
from sims_analysis.text.arguments import check_choice, format_argument
from sims_analysis.text.rounding import rounded, rounded_error
from sims_analysis.units import dequantify, read_unit

#: Parts of the uncertainty of a dose budget.
_PARTS = ("random_stderr", "systematic_stderr")


def results_table(
    *results: xr.DataArray | xr.Dataset,
    format: Literal["markdown", "latex"] = "markdown",  # noqa: A002 - the word people look for
    **named: xr.DataArray | xr.Dataset,
) -> str:
    r"""Write results as a table, with units and uncertainties.

    Parameters
    ----------
    *results : DataArray or Dataset
        From :func:`integrated_dose`, :func:`junction_depth`, :func:`dose_budget`...; one row per
        profile, one column per result.
    format : {"markdown", "latex"}
        Markdown, or a LaTeX ``tabular`` with ``booktabs`` rules.
    **named : DataArray or Dataset
        More results, under headings of your choice.

    Returns
    -------
    str
        The table. A standard error keeps one significant digit, or two if its leading digit is 1,
        and its value is rounded to the same place; values without one have four digits. A missing
        number is replaced by its status. Of a dose budget, the dose with its random and systematic
        errors combined, and those parts that are not 0 everywhere.

    Raises
    ------
    ProfileError
        If there is nothing to show, or two results belong to different profiles.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> print(sims.results_table(sims.integrated_dose(ds)))
    | species | Dose (atoms/cm²) |
    |:--|--:|
    | B | 5.031×10¹⁴ |
    | P | 1.005×10¹³ |
    """
    columns = _columns([*((None, r) for r in results), *named.items()])
    if not columns:
        raise ProfileError("there is no result to show", code="empty_input", argument="results")
    check_choice("format", format, ("markdown", "latex"))
    latex = format == "latex"
    every = [_cells(array, answer, latex=latex) for _, array, answer in columns]
    try:
        cells = xr.broadcast(*xr.align(*every, join="exact"))
    except ValueError:
        message = "the results belong to different profiles; write a table of each"
        raise ProfileError(message, code="different_profiles", argument="results") from None
    keys = [str(dim) for dim in cells[0].dims]
    header = keys + [_heading(text, array, latex=latex) for text, array, _ in columns]
    rows = []
    for place in np.ndindex(cells[0].shape):
        labels = [str(cells[0][key].values[i]) for key, i in zip(keys, place, strict=True)]
        names = [_markdown_text(label) for label in labels]
        if latex:
            names = [_typeset.latex(label) if key == "species" else _typeset.escape_latex(label)
                     for key, label in zip(keys, labels, strict=True)]  # fmt: skip
        rows.append([*names, *(str(column.values[place]) for column in cells)])
    return (_latex if latex else _markdown)(header, rows, len(keys))


def _columns(
    results: list[tuple[str | None, Any]],
) -> list[tuple[str, xr.DataArray, xr.Dataset | xr.DataArray]]:
    """List the columns: heading, values, and what holds their standard errors and status."""
    columns: list[tuple[str, xr.DataArray, xr.Dataset | xr.DataArray]] = []
    for heading, result in results:
        if isinstance(result, xr.DataArray):
            plain = dequantify(result)
            text = heading or plain.attrs.get("long_name") or str(plain.name or "value")
            columns.append((text, plain, plain))
        elif isinstance(result, xr.Dataset):
            answer = _main_parts(dequantify(result))
            for name, array in answer.data_vars.items():
                base = str(name).removesuffix("_stderr")
                # The covariance of a fit is a whole table for each profile.
                shown = name not in ("stderr", "covariance") and (
                    base == name or base not in answer
                )
                # Words are answers too, such as the polarity of a junction; status goes with them.
                words = array.dtype.kind == "U" and name != "status"
                if shown and (array.dtype.kind in "iuf" or words):
                    text = array.attrs.get("long_name") or str(name)
                    columns.append((f"{heading}: {text}" if heading else text, array, answer))
        else:
            value = f"{heading}={format_argument(result)}" if heading else type(result).__name__
            raise ArgumentError(
                "a table is made of answers, such as those of sims.integrated_dose(data) and "
                f"sims.junction_depth(data, level=...), found {value}",
                argument="results",
            )
    return columns


def _main_parts(budget: xr.Dataset) -> xr.Dataset:
    """Return a dose budget with its dose, and what it and its error consist of, alone."""
    if not {"dose", *_PARTS} <= set(budget.data_vars):
        return budget
    parts = [name for name in budget.data_vars if str(name).endswith(("stderr", "_dose"))]
    columns = [name for name in parts if name in _PARTS or bool((budget[name] > 0).any())]
    status = [name for name in ("status",) if name in budget.data_vars]
    return budget[["dose", *columns, *status]]


def _cells(array: xr.DataArray, answer: xr.Dataset | xr.DataArray, *, latex: bool) -> xr.DataArray:
    """Write each value with its error and its status, which stand in what it is of."""
    if not array.dims and "species" in array.coords:
        array = array.expand_dims("species")
    coords: Any = answer if isinstance(answer, xr.Dataset) else answer.coords
    if "status" in coords:  # of each profile, where several share a number
        array = array.broadcast_like(coords["status"])

    def column(part: xr.DataArray) -> Any:
        return part.broadcast_like(array).transpose(*array.dims).values.ravel()

    status = column(coords["status"]) if "status" in coords else [""] * array.size
    columns = column(array).tolist(), column(_stderr(array, answer)).tolist(), status
    texts = [_value(array, *entry, latex=latex) for entry in zip(*columns, strict=True)]
    labels = {dim: array[dim] for dim in array.dims if dim in array.coords}
    table = np.array(texts, dtype=object).reshape(array.shape)
    return xr.DataArray(table, labels, array.dims)


def _value(array: xr.DataArray, value: Any, stderr: float, status: str, *, latex: bool) -> str:
    status = str(status).replace("_", " ")
    if isinstance(value, str):
        text = value or (status if status != "ok" else "") or "-"
        if not latex:
            return _markdown_text(text)
        return _typeset.escape_latex(text).replace("->", r"$\rightarrow$")
    if not np.isfinite(value):
        return status if status not in ("", "ok") else "-"
    if array.dtype.kind in "iu" and np.isnan(stderr):
        return str(value)
    # An uncertainty in a column of its own has as many digits as beside a value.
    is_error = str(array.name).endswith("stderr")
    number = rounded_error(value) if is_error else rounded(value, stderr)
    text = number.text(style="latex" if latex else "unicode")
    return text if status in ("", "ok") else f"{text} ({status})"


def _stderr(array: xr.DataArray, answer: xr.Dataset | xr.DataArray) -> xr.DataArray:
    """Find the standard errors of values."""
    names = [f"{array.name}_stderr"]
    if isinstance(answer, xr.DataArray) or array.name == next(iter(answer.data_vars)):
        names.append("stderr")
    coords: Any = answer if isinstance(answer, xr.Dataset) else answer.coords
    if array.name == "dose" and all(part in coords for part in _PARTS):
        combined: xr.DataArray = np.hypot(*(coords[part].fillna(0.0) for part in _PARTS))
        return combined
    absent = xr.full_like(array, np.nan, dtype=float)
    stderr: xr.DataArray = next((coords[name] for name in names if name in coords), absent)
    unit, stderr_unit = (str(values.attrs.get("units", "")) for values in (array, stderr))
    if unit and stderr_unit and unit != stderr_unit:  # a user has changed that of the values
        of_values, of_errors = map(read_unit, (unit, stderr_unit))
        if of_values.kind != of_errors.kind:
            text = f"{array.name} is in {unit!r}, and its standard error in {stderr_unit!r}"
            raise UnitsError(text, code="different_units")
        stderr = stderr * float(of_values.from_canonical(of_errors.to_canonical(1.0)))
    return stderr


def _heading(text: str, array: xr.DataArray, *, latex: bool) -> str:
    unit = array.attrs.get("units", "")
    unit = _typeset.unit_latex(unit) if latex else _typeset.unit_label(unit)
    text = _typeset.escape_latex(text) if latex else _markdown_text(text)
    return f"{text} ({unit})" if unit else text


def _markdown_text(text: str) -> str:
    """Make any name fit into a cell."""
    return " ".join(text.split()).replace("|", r"\|")


def _markdown(header: list[str], rows: list[list[str]], keys: int) -> str:
    rule = ":--|" * keys + "--:|" * (len(header) - keys)
    lines = ["| " + " | ".join(header) + " |", "|" + rule]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def _latex(header: list[str], rows: list[list[str]], keys: int) -> str:
    spec = "l" * keys + "r" * (len(header) - keys)
    body = [" & ".join(row) + r" \\" for row in [header, *rows]]
    head = [rf"\begin{{tabular}}{{{spec}}}", r"\toprule", body[0], r"\midrule"]
    return "\n".join([*head, *body[1:], r"\bottomrule", r"\end{tabular}"])
