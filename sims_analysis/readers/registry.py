"""The formats that are read, in the order in which a file is tried for them."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from sims_analysis import plugins
from sims_analysis.errors import ProfileWarning, warn
from sims_analysis.readers.signals import Content
from sims_analysis.readers.source import Source

#: Arguments that are for tables.
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
    """Return why an object is no :class:`Reader`; None if it is one."""
    for name in ("name", "description"):
        text = getattr(reader, name, None)
        if not isinstance(text, str) or not text.strip():
            return f"its {name} is {text!r}; expected a text"
    missing = [name for name in ("recognises", "read") if not callable(getattr(reader, name, None))]
    return f"it has no function {missing[0]}(source)" if missing else None


@dataclass(frozen=True)
class Format:
    """A layout of files."""

    #: What ``format=`` takes.
    name: str
    #: Of the files, for people.
    description: str
    #: Of its reader; it grows when the reader gives something else for the same file.
    version: int = 1
    #: Where it is read, if that is not the module of its name in ``instruments``.
    module: str = ""
    #: Whether it reads a grid: ``columns=``, ``header_rows=`` and ``samples=`` are for it.
    table: bool = False

    def _function(self, what: str) -> Callable[[Source], object]:
        path = self.module or f"instruments.{self.name}"
        module = importlib.import_module(f"sims_analysis.readers.{path}")
        # A module of several formats names them.
        function: Callable[[Source], object] = getattr(module, f"{what}_{self.name}", None) or (
            getattr(module, what)
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


_TABLES, _TCAD = "tables.table", "instruments.tcad"
FORMATS = (
    Format("payload", "JSON of the API: an array of profile objects"),
    Format("cameca_rpc", "CAMECA IMS, .dp_rpc_asc: tabs or semicolons", 2),
    Format("cameca_ascii", "CAMECA IMS, .dp_ascii: a block for each element"),
    Format("cameca_binary", "CAMECA IMS and NanoSIMS, binary .dp and .is"),
    Format("cameca_counts", "CAMECA NanoSIMS, .is_txt: counts over time, a block an isotope"),
    Format("iontof", "IONTOF SurfaceLab 6 and 7, text export of a profile", 2),
    Format("srim", "SRIM and TRIM, RANGE.txt"),
    Format("vamas", "VAMAS (ISO 14976), SIMS depth profiles"),
    Format("sims_h5", "PHI SIMS-H5 archive, with stated m/z windows"),
    Format("sentaurus", "Sentaurus .plx: a name in quotes, then um and cm^-3", 1, _TCAD),
    Format("flexpde", "FlexPDE table: X n, depths, Data {u}, values", 1, _TCAD),
    Format("pasted", "text of CAMECA or IONTOF in a workbook, or in CSV of a spreadsheet"),
    Format("exported", "CSV and Excel as to_csv and to_excel write them", 2),
    Format("tidy", "tables with the species in a column", 3, _TABLES, table=True),
    Format("suprem", "SUPREM and FLOOXS, two columns: um and cm^-3", 1, _TCAD),
    Format("eag", "service laboratories like Evans Analytical: csv, xlsx, xls", 3, table=True),
    Format("table", "any table: csv, txt, xlsx, xls", 3, _TABLES, table=True),
)


@cache
def readers() -> tuple[Reader, ...]:
    """Return every reader, in the order in which a file is tried: those of plugins first."""
    added = plugins.found("sims_analysis.readers", fault_of, {known.name for known in FORMATS})
    return (*added, *FORMATS)


def reader_for(stated: str | Reader) -> Reader:
    """Return the reader that ``format=`` states: by its name, or one of the user's own."""
    if not isinstance(stated, str):
        fault = fault_of(stated)
        if fault is not None:
            raise TypeError(f"format={stated!r} is no reader: {fault}")
        return stated
    for known in readers():
        if known.name == stated:
            return known
    names = ", ".join(known.name for known in readers())
    raise ValueError(f"format={stated!r}; expected one of {names}")
