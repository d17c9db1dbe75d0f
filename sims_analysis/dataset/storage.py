"""Datasets in netCDF and zarr: lossless, and readable without this library.

What a format cannot store (a dictionary in attrs, the width of a text, which CF attributes were
added) is kept as JSON in one attribute of the file, so that :func:`load` returns exactly what
:func:`save` was given. Other programs see a CF file with units, long names and a downward depth.
"""

from __future__ import annotations

import os
import shutil
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import xarray as xr

from sims_analysis._version import __version__
from sims_analysis.conventions import cf
from sims_analysis.dataset.containers import check_hdf5, check_zarr
from sims_analysis.dataset.registration import register_accessor
from sims_analysis.errors import ArchiveError, ProfileError, require
from sims_analysis.files import MAX_BYTES, Budget, shown_path, sync_folder, temporary_name
from sims_analysis.text.arguments import argument_error, checks_arguments, type_error
from sims_analysis.units import dequantify

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Attribute of a file with everything that the format cannot store.
_MEMO = "sims_analysis_storage"
#: Name in a file of a DataArray that has none.
_UNNAMED = "unnamed"
#: Exceptions of Python and codecs for unreadable files.
_UNREADABLE = (
    *(OSError, ValueError, KeyError, RuntimeError, EOFError, zlib.error),
    *(TypeError, ArithmeticError, MemoryError, SystemError),
)

#: Ending of a file -> its format, the packages that it needs, and the extra that brings these.
_FORMATS = {
    ".nc": ("netcdf", ("h5netcdf", "h5py"), "netcdf"),
    ".nc4": ("netcdf", ("h5netcdf", "h5py"), "netcdf"),
    ".zarr": ("zarr", ("zarr",), "dask"),
}


@checks_arguments
def save(
    data: xr.Dataset | xr.DataArray,
    path: str | os.PathLike[str],
    *,
    chunks: Mapping[str, int] | None = None,
) -> Path:
    """Write data to netCDF or zarr, without loss.

    Parameters
    ----------
    data : Dataset or DataArray
        Profiles, a batch, or results. A quantified view is written in its plain form.
    path : path
        ``.nc`` is netCDF-4 (HDF5), ``.zarr`` a zarr store. An existing file of this name is
        replaced once the new one is complete.
    chunks : mapping, optional
        Chunk sizes by dimension, such as ``{"measurement": 100}``; by default, the chunks of Dask
        data, or one chunk.

    Returns
    -------
    pathlib.Path
        Where it was written.

    Raises
    ------
    ModuleNotFoundError
        If the packages for the format are not installed; the message says how to install them.
    ValueError
        If the name has another ending, or an object cannot be stored.

    See Also
    --------
    load : Reads it back.

    Notes
    -----
    The file follows the CF conventions, and says so in ``Conventions``, unless a unit is unknown to
    us or an axis goes back and forth. UDUNITS has no unit for atoms: ``units`` is ``cm-3``, and a
    further attribute, ``sims_units``, is ``atom/cm^3``; a status is stored as numbers with
    ``flag_meanings``.
    :func:`load` gives back what was saved.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> path = sims.save(ds, "w1.nc")
    >>> sims.load(path).identical(ds)
    True
    """
    path = Path(path)
    kind = _kind(path)
    ds, memo = _prepared(data)
    encoding = _encoding(ds, kind, chunks)
    ds.attrs[_MEMO] = orjson.dumps(memo).decode()
    if not path.parent.is_dir():
        folder = shown_path(path.parent)
        raise FileNotFoundError(f"there is no folder {folder!r}: create it first")
    temporary = path.with_name(temporary_name() + path.suffix)
    try:
        if kind == "netcdf":
            ds.to_netcdf(temporary, engine="h5netcdf", encoding=encoding)
        else:
            # Zarr format 3 does not specify fixed-width text yet; format 2 does.
            ds.to_zarr(temporary, mode="w-", encoding=encoding, zarr_format=2, consolidated=True)
        move_into_place(temporary, path)
    finally:
        _remove(temporary)
    return path


@checks_arguments
def load(
    path: str | os.PathLike[str],
    *,
    chunks: Mapping[str, int] | None = None,
    max_bytes: int = MAX_BYTES,
) -> xr.Dataset | xr.DataArray:
    """Read a file written by :func:`save`; any other netCDF or zarr as xarray reads it.

    Parameters
    ----------
    path : path
        ``.nc`` or ``.zarr``.
    chunks : mapping, optional
        Read lazily, as Dask arrays with these chunks; ``{}`` uses those of the file. By default
        everything is read at once, and the file is closed.
    max_bytes : int
        Memory that what is read at once may take, unpacked; by default 1 GiB. With `chunks`, that
        is all but arrays over several dimensions, and any chunk of these; the chunks of a file that
        is itself larger than `max_bytes` are not measured.

    Returns
    -------
    Dataset or DataArray
        As given to :func:`save`.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ArchiveError
        If it cannot be read as its name says, would take more than `max_bytes`, leads to other
        files (by links, or by values that are kept elsewhere), or is a zarr store with filters that
        run code, in shards, or packed so that its size cannot be known before.
    ModuleNotFoundError
        If the packages for the format are not installed.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> path = sims.save(sims.open_example("boron-implant"), "w1.nc")
    >>> sims.load(path).attrs["data_id"]
    'boron-implant'
    """
    path = Path(path)
    _kind(path, read=True)
    if not path.exists():
        raise FileNotFoundError(f"no such file: {shown_path(path)!r}")
    budget = Budget(max_bytes, ArchiveError, name=path.name)
    ds = open_stored(path, budget, chunks, eager=chunks is None)
    register_accessor()
    return restored(ds, budget, path.name)


def open_stored(
    path: Path, budget: Budget, chunks: Mapping[str, int] | None = None, *, eager: bool = False
) -> xr.Dataset:
    """Open a file as xarray does, or read all of it; refuse what :func:`load` refuses."""
    kind: Any = "zarr" if path.is_dir() else "h5netcdf"
    check = check_zarr if kind == "zarr" else check_hdf5
    lazily = None if chunks is None else dict(chunks)
    try:
        check(path, budget, lazy=not eager)
        ds = xr.open_dataset(path, engine=kind, chunks=lazily)
        if eager:
            with ds:
                ds = ds.load()
    except _UNREADABLE as error:
        what = "zarr" if path.is_dir() or path.suffix == ".zarr" else "netcdf"
        text = f"{path.name} cannot be read as {what}: {error}"
        raise ArchiveError(text, code="unreadable_file") from error
    return ds


def _kind(path: Path, *, read: bool = False) -> str:
    if path.suffix not in _FORMATS:
        name = Path(shown_path(path)).name
        text = f"{name!r}: expected a name that ends in .nc or .zarr"
        remedy = f"sims.read({name!r}) reads files of instruments and laboratories" if read else ""
        raise ProfileError(text, argument="path", remedy=remedy)
    kind, packages, extra = _FORMATS[path.suffix]
    require(f"{path.suffix} needs", *packages, extra=extra)
    return kind


# --- what a file cannot store -------------------------------------------------------------------


def _prepared(data: xr.Dataset | xr.DataArray) -> tuple[xr.Dataset, dict[str, Any]]:
    """Return a Dataset that every format can store, and a memo of the changes."""
    memo: dict[str, Any] = {"sims_analysis_version": __version__, "attrs": {}, "added": []}
    if isinstance(data, xr.DataArray):
        name = _UNNAMED if data.name is None else str(data.name)
        if name in data.coords:
            text = f"the DataArray has the same name as its coordinate {name!r}"
            raise ProfileError(text, argument="data", remedy="rename it: data.rename(...)")
        memo["array"], memo["nameless"] = name, data.name is None
        data = data.to_dataset(name=name)
    elif not isinstance(data, xr.Dataset):
        raise type_error("data", data, "expected a Dataset or a DataArray")
    # Encodings from a source file would be applied again: values scaled, text truncated.
    ds: xr.Dataset = dequantify(data).drop_encoding().copy()
    holders = [("", ds.attrs), *((str(name), v.attrs) for name, v in ds.variables.items())]
    changed: dict[str, dict[str, Any]] = {}
    for name, attrs in holders:
        foreign = {key: value for key, value in attrs.items() if not _is_native(value)}
        if foreign:
            memo["attrs"][name] = {str(key): _jsonable(v, key) for key, v in foreign.items()}
        # The bits of flags stay where other programs see them as well.
        visible = attrs.keys() - (foreign.keys() - {"flag_masks"})
        changed[name] = {str(key): attrs[key] for key in attrs if key in visible}
    ds.attrs = changed[""]
    for variable in ds.variables:
        ds[variable].attrs = changed[str(variable)]
    title = _title(ds, memo)
    history = f"saved by sims_analysis {__version__}"
    added = {"": {"title": title, "history": history}, **cf.missing_attrs(ds)}
    if cf.follows(ds):
        added[""]["Conventions"] = cf.CONVENTIONS
    for name, attrs in added.items():
        holder = ds[name].attrs if name else ds.attrs
        for key in attrs.keys() - holder.keys():
            holder[key] = attrs[key]
            memo["added"].append([name, key])
    ds = cf.for_file(ds, memo)
    memo["text"] = {str(n): v.dtype.str for n, v in ds.variables.items() if v.dtype.kind in "UO"}
    return ds, memo


def _title(ds: xr.Dataset, memo: Mapping[str, Any]) -> str:
    """Describe the content: profiles, or the result named by the array or its call."""
    attrs = ds.get(memo.get("array", ""), ds).attrs
    title = "SIMS depth profiles"
    if not {"depth", "sputter_time"} & {str(dim) for dim in ds.coords}:
        label = attrs.get("long_name") or str(attrs.get("call", "results")).split("(")[0]
        title = f"SIMS: {label}"
    return f"{title} of {attrs.get('data_id') or 'an unnamed measurement'}"


def _is_native(value: Any) -> bool:
    """Whether netCDF and zarr return an attribute unchanged."""
    if isinstance(value, str):
        return bool(value)
    return type(value) in (int, float) or isinstance(value, np.int64 | np.float64)


def _jsonable(value: Any, key: Any) -> Any:
    """Convert to a JSON value that distinguishes arrays and tuples from lists."""
    if isinstance(value, np.ndarray):
        return {"__ndarray__": value.tolist(), "dtype": str(value.dtype)}
    if isinstance(value, np.generic):
        return {"__ndarray__": value.item(), "dtype": str(value.dtype)}
    if isinstance(value, tuple):
        return {"__tuple__": [_jsonable(item, key) for item in value]}
    if isinstance(value, list):
        return [_jsonable(item, key) for item in value]
    if isinstance(value, dict):
        return {"__dict__": [[str(k), _jsonable(v, key)] for k, v in value.items()]}
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if np.isfinite(value) else {"__float__": repr(value)}
    text = f"attribute {key!r} is a {type(value).__name__}, which cannot be stored"
    raise ProfileError(text, code="invalid_metadata", argument="data")


def _from_jsonable(value: Any, budget: Budget) -> Any:
    if isinstance(value, list):
        return [_from_jsonable(item, budget) for item in value]
    if not isinstance(value, dict):
        return value
    if "__ndarray__" in value:
        items, dtype = value["__ndarray__"], np.dtype(value["dtype"])
        budget.take(np.size(items) * dtype.itemsize, f"an array of {dtype} in the attributes")
        return np.array(items, dtype=dtype)[()]
    if "__tuple__" in value:
        return tuple(_from_jsonable(item, budget) for item in value["__tuple__"])
    if "__float__" in value:
        return float(value["__float__"])
    return {key: _from_jsonable(item, budget) for key, item in value["__dict__"]}


def restored(ds: xr.Dataset, budget: Budget, name: str) -> xr.Dataset | xr.DataArray:
    """Undo the changes of :func:`save` that are recorded in the file `name`."""
    if _MEMO not in ds.attrs:
        return ds
    try:
        return _restored(ds, orjson.loads(ds.attrs.pop(_MEMO)), budget)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        text = f"{name}: its attribute {_MEMO!r} is damaged ({error})"
        raise ArchiveError(text, code="damaged_file") from error


def _restored(ds: xr.Dataset, memo: dict[str, Any], budget: Budget) -> xr.Dataset | xr.DataArray:
    for name, dtype in {**memo.get("flags", {}), **memo["text"]}.items():
        # The file states the width of texts, which may be any number.
        budget.take(ds[name].size * np.dtype(dtype).itemsize, f"the texts of {name!r}")
    ds = cf.restored(ds, memo)
    for name, key in memo["added"]:
        (ds.attrs if not name else ds[name].attrs).pop(key, None)
    for name, attrs in memo["attrs"].items():
        (ds.attrs if not name else ds[name].attrs).update(
            {key: _from_jsonable(value, budget) for key, value in attrs.items()}
        )
    for name, dtype in memo["text"].items():
        variable = ds[name].variable
        if variable.dtype != dtype:
            text = xr.Variable(variable.dims, variable.astype(dtype).data, variable.attrs)
            ds = ds.assign({name: text})
    ds = ds.drop_encoding()
    if "array" not in memo:
        return ds
    array: xr.DataArray = ds[memo["array"]]
    return array.rename(None) if memo["nameless"] else array


# --- writing ------------------------------------------------------------------------------------


def _encoding(
    ds: xr.Dataset, kind: str, chunks: Mapping[str, int] | None
) -> dict[Any, dict[str, Any]]:
    encoding: dict[Any, dict[str, Any]] = {}
    unknown = set(chunks or {}) - set(map(str, ds.dims))
    if unknown:
        expected = f"expected some of the dimensions {', '.join(map(str, ds.dims))}"
        raise argument_error("chunks", dict(chunks or {}), expected)
    for name, variable in ds.variables.items():
        settings: dict[str, Any] = {}
        if variable.dtype.kind == "f" and name in ds.coords:
            # CF does not allow missing values in dimension coordinates.
            settings["_FillValue"] = None
        if kind == "netcdf" and variable.dtype.kind == "U" and name in ds.dims:
            # To CF a coordinate variable is numeric, and labels along a dimension are characters.
            settings["dtype"] = "S1"
        elif chunks and variable.dims:
            sizes = tuple(
                min(chunks.get(str(dim), size), size) or 1
                for dim, size in zip(variable.dims, variable.shape, strict=True)
            )
            settings["chunks" if kind == "zarr" else "chunksizes"] = sizes
        if settings:
            encoding[name] = settings
    return encoding


def move_into_place(temporary: Path, path: Path) -> None:
    """Replace the old file by the new one; an old folder must be moved away first."""
    if not path.is_dir():
        temporary.replace(path)
    else:
        old = path.with_name(temporary_name())
        path.replace(old)
        try:
            temporary.replace(path)
        except BaseException:
            old.replace(path)
            raise
        _remove(old)
    sync_folder(path.parent)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
