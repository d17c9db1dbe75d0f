"""Provenance of numbers: recorded in attrs, and collected from data and figures.

A provenance is a plain dict. Figures store it as JSON in a metadata field of their format; netCDF
and zarr store the attrs of the Dataset. :mod:`sims_analysis.dataset.provenance` reads it back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis._version import __version__
from sims_analysis.units import Data, dequantify

#: Attrs of a Dataset that state its origin.
ORIGIN = ("data_id", "sha256", "file_sha256", "source", "retrieved")
_ATTRIBUTE = "_sims_provenance"


# --- recording ----------------------------------------------------------------------------------


def with_history(data: Data, line: str) -> Data:
    """Describe a change of data for readers: one more line of the attr ``history``."""
    lines = f"{_attr(data, 'history')}\n{line}, by sims_analysis {__version__}"
    return data.assign_attrs(history=lines.removeprefix("\n"))


def with_step(data: Data, function: str, /, **parameters: Any) -> Data:
    """Record a processing step, for programs, in the attr ``steps`` of the data that it made.

    That is a JSON list of ``{"function": ..., "parameters": {...}}``, the latest last, without
    arguments that are None. Numbers and texts are recorded as they are, arrays by their values (by
    their shape alone for more than 100), data by their origin.
    """
    steps: list[Any] = json.loads(_attr(data, "steps") or "[]")
    return data.assign_attrs(steps=json.dumps([*steps, _call(function, parameters)]))


def question_attrs(
    data: xr.Dataset | xr.DataArray, function: str, /, **parameters: Any
) -> dict[str, Any]:
    """Return the attrs that are recorded in an answer: the origin of its data, and the call.

    ``question`` is a JSON object ``{"function": ..., "parameters": {...}}``, as of
    :func:`with_step`. In a batch, the origins of the measurements are coordinates, which are left
    to the caller.
    """
    record = {key: data.attrs[key] for key in (*ORIGIN, "steps") if data.attrs.get(key)}
    record["question"] = json.dumps(_call(function, parameters))
    return record


def _steps(item: xr.Dataset | xr.DataArray) -> list[dict[str, Any]]:
    """List the steps of the measurements of a batch, followed by those of the whole."""
    readable = "steps" in item.coords and item["steps"].chunks is None
    texts = np.ravel(item["steps"].values).tolist() if readable else []
    return _distinct(
        [step for text in (*texts, _attr(item, "steps")) if text for step in json.loads(text)]
    )


def _distinct(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [record for i, record in enumerate(records) if record not in records[:i]]


def _call(function: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    stated = {name: _as_json(p) for name, p in parameters.items() if p is not None}
    return {"function": function, "parameters": stated}


def _as_json(value: Any) -> Any:
    """Convert an argument to a JSON value."""
    if isinstance(value, xr.Dataset):
        return _origin(value)
    if isinstance(value, Mapping):
        return {str(key): _as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(item) for item in value]
    if isinstance(value, xr.DataArray):
        plain = dequantify(value)
        record: dict[str, Any] = {"shape": dict(plain.sizes), **_origin(plain)}
        if "units" in plain.attrs:
            record["units"] = plain.attrs["units"]
        if plain.size <= 100 and plain.chunks is None:
            record["values"] = _as_json(plain.values.tolist())
        return record
    if isinstance(value, np.ndarray):
        return value.tolist()
    return str(value) if hasattr(value, "magnitude") else _plain(value)


def _origin(item: xr.Dataset | xr.DataArray) -> dict[str, Any]:
    """Return the identity of data and their processing steps."""
    steps = _steps(item)
    record: dict[str, Any] = {"steps": steps} if steps else {}
    for key in ("data_id", "sha256", "file_sha256"):
        record |= _one_or_many(key, _texts(item, key))
    return record


# --- collecting ---------------------------------------------------------------------------------


def of_data(
    data: Sequence[xr.Dataset | xr.DataArray],
    results: Sequence[xr.Dataset | xr.DataArray] = (),
) -> dict[str, Any]:
    """Collect the provenance of data, and of results computed from them."""
    origins = [{key: _texts(item, key) for key in ORIGIN} | _recorded_in(item) for item in data]
    shown = [_recorded_in(result) | {"results": _numbers_of(result)} for result in results]
    return _merged([*origins, *shown])


def _recorded_in(item: xr.Dataset | xr.DataArray) -> dict[str, Any]:
    """List the calls, the processing steps and the question recorded in data or a result."""
    calls = [line for key in ("history", "call") for line in _attr(item, key).splitlines()]
    record: dict[str, Any] = {"calls": calls, "steps": _steps(item)}
    if text := _attr(item, "question"):
        record["question"] = json.loads(text)
    return record


def _merged(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Merge records into one, each item once."""

    def collect(key: str) -> list[Any]:
        return [item for record in records for item in _as_list(record.get(key, []))]

    merged: dict[str, Any] = {}
    for key in ORIGIN:
        merged |= _one_or_many(key, collect(key))
    merged["sims_analysis_version"] = __version__
    merged["calls"] = list(dict.fromkeys(filter(None, collect("calls"))))
    questions = _distinct(collect("question"))
    fields = {
        "steps": _distinct(collect("steps")),
        "question": questions[0] if len(questions) == 1 else questions,
        "results": collect("results"),
    }
    return merged | {key: rows for key, rows in fields.items() if rows}


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _texts(item: xr.Dataset | xr.DataArray, key: str) -> list[str]:
    """Return an attr of the data, or of each measurement of a batch, where it is a coordinate."""
    if key not in item.coords:
        return [_attr(item, key)]
    # A lazy coordinate is not computed for this.
    return [] if item[key].chunks is not None else list(map(str, np.ravel(item[key].values)))


def _attr(item: xr.Dataset | xr.DataArray, key: str) -> str:
    value = item.attrs.get(key, "")
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _one_or_many(key: str, texts: Sequence[str]) -> dict[str, Any]:
    distinct = list(dict.fromkeys(filter(None, texts)))
    return {} if not distinct else {key: distinct[0] if len(distinct) == 1 else distinct}


def _numbers_of(result: Any) -> list[dict[str, Any]]:
    """List the numbers of a result, each with its coordinates."""
    result = dequantify(result)
    arrays = [result] if isinstance(result, xr.DataArray) else result.data_vars.values()
    rows = []
    for array in arrays:
        if array.size > 200:
            continue
        for index in np.ndindex(array.shape):
            row: dict[str, Any] = {"name": str(array.name)}
            for name, coord in array.coords.items():
                if set(coord.dims) <= set(array.dims):
                    position = tuple(index[array.dims.index(dim)] for dim in coord.dims)
                    row[str(name)] = _plain(coord.values[position])
            row["value"] = _plain(array.values[index])
            if "units" in array.attrs:
                row["units"] = array.attrs["units"]
            rows.append(row)
    return rows


def _plain(value: Any) -> Any:
    """Convert to a number or text of JSON; NaN and infinities become None."""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value if isinstance(value, bool | int | float | None) else str(value)


def attach(
    figure: Any,
    data: Sequence[xr.Dataset | xr.DataArray],
    results: Sequence[xr.Dataset | xr.DataArray],
    call: str,
) -> None:
    """Store the provenance of the plotted data in a figure."""
    record = of_data(data, results)
    record["calls"].append(call)
    setattr(figure, _ATTRIBUTE, _merged([*_as_list(getattr(figure, _ATTRIBUTE, [])), record]))


def of_figure(figure: Any, calls: Sequence[str] = ()) -> dict[str, Any]:
    """Return the provenance stored in a figure, with calls that the user adds."""
    return _merged([*_as_list(getattr(figure, _ATTRIBUTE, [])), {"calls": list(calls)}])


def to_text(record: Mapping[str, Any]) -> str:
    """Write a provenance as ASCII JSON, which every metadata field can hold."""
    return json.dumps(record, ensure_ascii=True, sort_keys=True, allow_nan=False)
