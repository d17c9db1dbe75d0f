"""The formats that are read, in the order in which a file is tried for them by its content."""

from __future__ import annotations

import importlib
import os
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from sims_analysis import plugins
from sims_analysis.errors import (
    ArgumentError,
    ProfileWarning,
    ReadError,
    SimsWarning,
    collected,
    warn,
)
from sims_analysis.files import Budget
from sims_analysis.readers.signals import Content
from sims_analysis.readers.source import Options, Source
from sims_analysis.text.arguments import argument_error
from sims_analysis.text.guesses import instead_of

_FOR_TABLES = ("columns", "header_rows", "samples")


class Reader(Protocol):
    r"""What reads files of one layout: an object, or a module, with these four names.

    ``sims.read(path, format=reader)`` takes one; the entry points ``sims_analysis.readers`` of
    installed packages are tried before those that come along. An attribute ``version``, a whole
    number, is on record with what was read; without it, it is 1.

    Parameters
    ----------
    name : str
        What ``format=`` takes.
    description : str
        Of the files, for people.

    See Also
    --------
    sims_analysis.testing.check_reader : Tests one.

    Examples
    --------
    >>> import numpy as np
    >>> import sims_analysis as sims
    >>> class Lotus:
    ...     name, description = "lotus", "Lotus SIMS, text with semicolons"
    ...     def recognises(self, source):
    ...         return source.start.startswith("Lotus SIMS")
    ...     def read(self, source):
    ...         z, c = np.loadtxt(source.lines[1:], delimiter=";", unpack=True)
    ...         boron = sims.Signal(
    ...             name="B", depths=z, depth_units="nm", values=c, units="at/cm3"
    ...         )
    ...         return sims.Content(signals=[boron])
    >>> lotus: sims.Reader = Lotus()
    >>> sims.read(b"Lotus SIMS\n0;1e17\n10;3e18\n", format=lotus)["B"].concentrations
    array([1.e+17, 3.e+18])
    """

    @property
    def name(self) -> str:
        """What ``format=`` takes."""

    @property
    def description(self) -> str:
        """Of the files, for people."""

    def recognises(self, source: Source) -> bool:
        """Whether a file has this layout, by its content; never by its name."""

    def read(self, source: Source) -> Content:
        """Read a file of this layout.

        Raises
        ------
        ReadError
            That says what is wrong with the file, and where.
        """


def fault_of(reader: Any) -> str | None:
    """Return why an object is not a :class:`Reader`; None if it is one."""
    for name in ("name", "description"):
        text = getattr(reader, name, None)
        if not isinstance(text, str) or not text.strip():
            return f"its {name} is {text!r}; expected a string"
    missing = [name for name in ("recognises", "read") if not callable(getattr(reader, name, None))]
    return f"it has no function {missing[0]}(source)" if missing else None


@dataclass(frozen=True)
class Format:
    """A layout of files."""

    name: str
    description: str
    #: Of its reader; it grows when the reader gives something else for the same file.
    version: int = 1
    #: Where it is read, if that is not the module of its name in ``instruments``.
    module: str = ""
    #: Whether it reads a grid: ``columns=``, ``header_rows=`` and ``samples=`` are for it.
    table: bool = False

    def _function(self, name: str) -> Callable[[Source], object]:
        path = self.module or f"instruments.{self.name}"
        module = importlib.import_module(f"sims_analysis.readers.{path}")
        # A module of several formats names them.
        function: Callable[[Source], object] = getattr(module, f"{name}_{self.name}", None) or (
            getattr(module, name)
        )
        return function

    def recognises(self, source: Source) -> bool:
        """Whether a file has this layout, by its content."""
        return bool(self._function("recognises")(source))

    def read(self, source: Source) -> Content:
        """Read a file of this layout, and warn of arguments that are not for it."""
        unused = () if self.table else _FOR_TABLES
        for name in (name for name in unused if getattr(source.options, name) is not None):
            warn(
                f"{name}= is not used: the file is read as {self.name!r}, which states its columns",
                ProfileWarning,
                code="unused_argument",
                argument=name,
                remedy="format='table' reads any table by its columns",
            )
        content = self._function("read")(source)
        assert isinstance(content, Content)  # noqa: S101 - for the type checker
        return content


_TABLES, _TCAD, _OWN = "tables.table", "instruments.tcad", "instruments.own_exports"
_CAMECA, _SHEETS = "instruments.cameca", "instruments.spreadsheets"
FORMATS = (
    Format("payload", "JSON of the API: an array of profile objects", 1, _OWN),
    Format("cameca_rpc", "CAMECA IMS, .dp_rpc_asc: tabs or semicolons", 2, _CAMECA),
    Format("cameca_ascii", "CAMECA IMS, .dp_ascii: a block for each element", 1, _CAMECA),
    Format("cameca_binary", "CAMECA IMS and NanoSIMS, binary .dp and .is", 1, _CAMECA),
    Format("cameca_counts", "CAMECA NanoSIMS, .is_txt: counts, a block an isotope", 1, _CAMECA),
    Format("iontof", "IONTOF SurfaceLab 6 and 7, text export of a profile", 2),
    Format("srim", "SRIM and TRIM, RANGE.txt", 1, _TCAD),
    Format("vamas", "VAMAS (ISO 14976), SIMS depth profiles"),
    Format("sims_h5", "PHI SIMS-H5 archive, with stated m/z windows"),
    Format("sentaurus", "Sentaurus .plx: a name in quotes, then um and cm^-3", 1, _TCAD),
    Format("pasted", "text of CAMECA or IONTOF in a workbook or a spreadsheet's CSV", 1, _SHEETS),
    Format("exported", "CSV and Excel as to_csv and to_excel write them", 2, _OWN),
    Format("tidy", "tables with the species in a column", 3, _TABLES, table=True),
    Format("suprem", "SUPREM and FLOOXS, two columns: um and cm^-3", 1, _TCAD),
    Format("eag", "laboratories like Evans Analytical: csv, xlsx, xls", 3, _TABLES, table=True),
    Format("table", "any table: csv, txt, xlsx, xls", 3, _TABLES, table=True),
)


@cache
def readers() -> tuple[Reader, ...]:
    """Return every reader, in the order in which a file is tried: those of plugins first."""
    added = plugins.find("sims_analysis.readers", fault_of, {reader.name for reader in FORMATS})
    return (*added, *FORMATS)


def reader_for(stated: str | Reader) -> Reader:
    """Return the reader that ``format=`` states: by its name, or one of the user's own."""
    if not isinstance(stated, str):
        fault = fault_of(stated)
        if fault is not None:
            raise ArgumentError(f"format={stated!r} is not a reader: {fault}", argument="format")
        return stated
    names = {reader.name: reader for reader in readers()}
    if stated not in names:
        meant = instead_of(stated, [*names], words={})
        raise argument_error("format", stated, f"expected one of {', '.join(names)}{meant}")
    return names[stated]


#: Layouts that fit many a file that is not a depth profile.
_ANY_TABLE = ("table", "tidy", "suprem")
#: Depth profiles are smaller; other files are not read only to ask what they look like.
LARGEST = 2**26
#: So many times as large it may become when it is unpacked.
_UNPACKED = 8

#: How other files begin: binary ones, texts as regular expressions, archives by what they hold.
_OTHER_FILES = tomllib.loads(
    Path(__file__).with_name("other_files.toml").read_text(encoding="utf-8")
)
_HDF5 = b"\x89HDF\r\n\x1a\n"


def find_reader(source: Source) -> Reader:
    """Find the reader of a file; one that cannot be a depth profile is refused, and named."""
    _refuse_other_kinds(source)
    chosen = next((reader for reader in readers() if _is_for(reader, source)), None)
    if chosen is None:
        raise ReadError("the file is binary, and in no format that is known", code="no_profile")
    return chosen


def _is_for(reader: Reader, source: Source) -> bool:
    try:
        return bool(reader.recognises(source))
    except Exception as error:
        if isinstance(reader, Format):
            raise
        # No file is refused for the reader of another package.
        warn(
            f"the reader {reader.name!r} of a plugin fails to recognise the file "
            f"({type(error).__name__}: {error}); the others are tried",
            SimsWarning,
            code="broken_plugin",
        )
        return False


def format_of(value: Any) -> str | None:
    """Return the name of the format that a file has, by its content; xarray asks of any file."""
    if isinstance(value, str | os.PathLike):
        if not Path(value).is_file():
            return None
        with Path(value).open("rb") as file:
            return format_of(file)
    if not all(hasattr(value, name) for name in ("read", "seek", "tell")):
        return None
    start = value.tell()
    try:
        content = value.read(LARGEST + 1)
    finally:
        value.seek(start)
    if not isinstance(content, bytes) or len(content) > LARGEST:
        return None
    source = Source("", content, Options(budget=Budget(_UNPACKED * LARGEST)))
    with collected():
        try:
            reader = find_reader(source).name
        except ReadError:
            return None
    if reader in _ANY_TABLE or (reader == "payload" and '"species_name"' not in source.text):
        return None
    return reader


def _refuse_other_kinds(source: Source) -> None:
    """Refuse a file that cannot be a depth profile, by its first bytes."""
    content = source.content
    if not content or content.isspace():
        raise ReadError("the file is empty", code="no_profile")
    for other in _OTHER_FILES["binary"]:
        if content.startswith(tuple(text.encode("latin-1") for text in other["begins"])):
            raise ReadError(f"the file is {other['kind']}", code="no_profile")
    if content.startswith(_HDF5) and b"tof-sims-sparse-hdf5" not in content:
        remedy = "sims.load reads what sims.save wrote"
        raise ReadError("the file is HDF5 or netCDF", code="no_profile", remedy=remedy)
    if source.is_zip and not source.is_workbook:
        kind = "an archive of files (zip); unpack it first"
        if not source.zipped:
            kind = "a workbook or an archive (zip) that is damaged or truncated"
        inside = (o["kind"] for o in _OTHER_FILES["archive"] if o["holds"].encode() in content)
        raise ReadError(f"the file is {next(inside, kind)}", code="no_profile")
    start = source.start.lstrip().casefold()
    for other in _OTHER_FILES["text"]:
        if re.match(other["begins"], start):
            raise ReadError(f"the file is {other['kind']}", code="no_profile")
