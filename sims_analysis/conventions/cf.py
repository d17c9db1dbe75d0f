"""The CF conventions for a Dataset, in memory and in a file.

In memory, a measured variable names its ancillary ones. A file has units of UDUNITS, words as flags
and labels as characters, which all tools read. :func:`restored` undoes it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.units import in_udunits

CONVENTIONS = "CF-1.11"
_ANCILLARY = "ancillary_variables"
#: Attribute of a file with the unit that UDUNITS cannot read.
_OUR_UNITS = "sims_units"
#: Code of an empty text: the padding of a batch.
_NO_WORD = -1


def with_ancillaries(ds: xr.Dataset) -> xr.Dataset:
    """Name in each measured variable its ancillary ones: standard errors, counts."""
    changed = {}
    for name in [name for name in vocabulary.MEASURED if name in ds.data_vars]:
        attrs = ds.variables[name].attrs
        names = _ancillary_names(ds, name)
        if attrs.get(_ANCILLARY, "") != names:
            others = {key: value for key, value in attrs.items() if key != _ANCILLARY}
            changed[name] = others | ({_ANCILLARY: names} if names else {})
    ds = ds.copy(deep=False) if changed else ds
    for name, attrs in changed.items():
        ds.variables[name].attrs = attrs
    return ds


def _ancillary_names(ds: xr.Dataset, name: str, *others: str) -> str:
    ends = ("stderr", *vocabulary.COLUMNS)
    return " ".join(key for key in (*(f"{name}_{end}" for end in ends), *others) if key in ds)


def missing_attrs(ds: xr.Dataset) -> dict[str, dict[str, str]]:
    """Return the further attributes of a file, by variable: names, axes, standard errors."""
    added: dict[str, dict[str, str]] = {}
    for name, variable in ((str(name), v) for name, v in ds.variables.items()):
        added[name] = {}
        has_name = variable.attrs.keys() & {"long_name", "standard_name"}
        if not has_name and not name.endswith("_bounds"):  # those of an axis are its own
            added[name]["long_name"] = name.replace("_", " ").capitalize()
        if name in ds.data_vars:
            names = _ancillary_names(
                ds, name, *(key for key in ("stderr", "status") if key != name)
            )
            added[name] |= {_ANCILLARY: names} if names else {}
        elif name in vocabulary.AXES:
            added[name] |= vocabulary.of_axis(name)
    return {
        name: {key: text for key, text in attrs.items() if key not in ds[name].attrs}
        for name, attrs in added.items()
    }


def follows(ds: xr.Dataset) -> bool:
    """Whether a file of these data follows the conventions, once :func:`for_file` has prepared it.

    It does not where a unit cannot be read, or the numbers of an axis go back and forth.
    """
    if any(_unit_of(variable) is None for variable in ds.variables.values()):
        return False
    for dim in ds.dims:
        if dim in ds.variables and ds.variables[dim].dtype.kind in "iuf":
            steps = np.diff(ds.variables[dim].values)
            if not ((steps > 0).all() or (steps < 0).all()):
                return False
    return True


def _unit_of(variable: xr.Variable) -> str | None:
    text = variable.attrs.get("units")
    return "" if text is None else in_udunits(text) if isinstance(text, str) else None


def for_file(ds: xr.Dataset, memo: dict[str, Any]) -> xr.Dataset:
    """Prepare a plain Dataset, whose attrs may be changed, for a file; record what undoes it.

    The memo gets ``units``, the names of variables whose unit was spelled for UDUNITS; ``flags``,
    those of words that became numbers, with the type of the words; and ``ancillary``, ancillary
    variables that are named but not in the data any more.
    """
    memo["units"], memo["flags"], memo["ancillary"] = [], {}, {}
    for name, variable in ds.variables.items():
        named = str(variable.attrs.get(_ANCILLARY, ""))
        present = " ".join(key for key in named.split() if key in ds.variables)
        if present != named:
            memo["ancillary"][str(name)] = named
            variable.attrs |= {_ANCILLARY: present}
            if not present:
                del variable.attrs[_ANCILLARY]
        unit = _unit_of(variable)
        if unit and unit != variable.attrs["units"]:
            variable.attrs |= {"units": unit, _OUR_UNITS: variable.attrs["units"]}
            memo["units"].append(str(name))
    for name in [name for name in ds.variables if _is_status(name, ds.variables[name])]:
        flags = _flags(ds.variables[name])
        if flags is not None:
            memo["flags"][str(name)] = ds.variables[name].dtype.str
            ds = ds.assign({name: flags})
    return ds


def _is_status(name: Any, variable: xr.Variable) -> bool:
    is_status = str(name) == "status" or str(name).endswith("_status")
    return is_status and variable.dtype.kind == "U" and name not in variable.dims


def _flags(variable: xr.Variable) -> xr.Variable | None:
    """Return words as numbers, with their meanings as flags; None if these are not words."""
    lazy = hasattr(variable.data, "dask")
    words = [word for word in vocabulary.STATUS if word] if lazy else np.unique(variable.values)
    words = [str(word) for word in words if word]
    if not words or any(not word.isascii() or len(word.split()) != 1 for word in words):
        return None

    def encode(texts: Any) -> Any:
        texts = np.asarray(texts)
        codes = np.full(np.shape(texts), _NO_WORD, dtype=np.int8)
        for code, word in enumerate(words):
            codes[texts == word] = code
        if (texts[codes == _NO_WORD] != "").any():
            unknown = str(texts[(codes == _NO_WORD) & (texts != "")][0])
            raise ValueError(f"{unknown!r} is not a status that has a flag in files")
        return codes

    codes: xr.Variable = xr.apply_ufunc(
        encode, variable, dask="parallelized", output_dtypes=[np.int8]
    )
    codes.attrs = dict(variable.attrs) | {
        "flag_values": np.arange(len(words), dtype=np.int8),
        "flag_meanings": " ".join(words),
        "_FillValue": np.int8(_NO_WORD),
    }
    return codes


def restored(ds: xr.Dataset, memo: dict[str, Any]) -> xr.Dataset:
    """Undo :func:`for_file`."""
    for name in memo.get("units", ()):
        ds[name].attrs["units"] = ds[name].attrs.pop(_OUR_UNITS)
    for name, named in memo.get("ancillary", {}).items():
        ds[name].attrs[_ANCILLARY] = named
    for name, dtype in memo.get("flags", {}).items():
        ds = ds.assign({name: _words(ds.variables[name], dtype)})
    return ds


def _words(flags: xr.Variable, dtype: str) -> xr.Variable:
    attrs = dict(flags.attrs)
    attrs.pop("flag_values")
    table = np.array([*attrs.pop("flag_meanings").split(" "), ""], dtype=dtype)

    def decode(codes: Any) -> Any:
        # xarray turns missing values into NaN; the last word of the table is the empty one.
        return table[np.nan_to_num(codes, nan=_NO_WORD).astype(np.intp)]

    words: xr.Variable = xr.apply_ufunc(
        decode, flags, dask="parallelized", output_dtypes=[table.dtype]
    )
    words.attrs = attrs
    return words
