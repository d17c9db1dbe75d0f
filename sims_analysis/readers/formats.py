"""The formats that are read, in the order in which a file is tried for them."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass

from sims_analysis.readers.signals import Content
from sims_analysis.readers.source import Source

__all__ = ["FORMATS", "Format"]


@dataclass(frozen=True)
class Format:
    """A layout of files.

    Parameters
    ----------
    name : str
        What ``format=`` takes.
    description : str
        Of the files, for people.
    version : int
        Of its reader; it grows when the reader gives something else for the same file.
    module : str, optional
        Where it is read, if that is not in the module of its name.
    """

    name: str
    description: str
    version: int = 1
    module: str = ""

    def _function(self, what: str) -> Callable[[Source], object]:
        module = importlib.import_module(f"sims_analysis.readers.{self.module or self.name}")
        name = f"{what}_{self.name}" if self.module else what
        function: Callable[[Source], object] = getattr(module, name)
        return function

    def recognises(self, source: Source) -> bool:
        """Whether a file has this layout, by its content."""
        return bool(self._function("recognises")(source))

    def read(self, source: Source) -> Content:
        """Read a file of this layout."""
        content = self._function("read")(source)
        assert isinstance(content, Content)  # noqa: S101 - for the type checker
        return content


FORMATS = (
    Format("payload", "JSON of the API: an array of profile objects"),
    Format("cameca_rpc", "CAMECA IMS, .dp_rpc_asc: tabs or semicolons", version=2),
    Format("cameca_ascii", "CAMECA IMS, .dp_ascii: a block for each element"),
    Format("cameca_binary", "CAMECA IMS and NanoSIMS, binary .dp and .is"),
    Format("cameca_counts", "CAMECA NanoSIMS, .is_txt: counts over time, a block an isotope"),
    Format("iontof", "IONTOF SurfaceLab 6 and 7, text export of a profile"),
    Format("srim", "SRIM and TRIM, RANGE.txt"),
    Format("vamas", "VAMAS (ISO 14976), SIMS depth profiles"),
    Format("sims_h5", "PHI SIMS-H5 archive, with stated m/z windows"),
    Format("sentaurus", "Sentaurus .plx: a name in quotes, then um and cm^-3", module="tcad"),
    Format("flexpde", "FlexPDE table: X n, depths, Data {u}, values", module="tcad"),
    Format(
        "pasted",
        "workbooks and CSV that a spreadsheet made of an instrument's text: CAMECA, IONTOF",
    ),
    Format("exported", "CSV and Excel as to_csv and to_excel write them", version=2),
    Format("tidy", "tables of a row for each sample, with the species in a column", version=2),
    Format("suprem", "SUPREM and FLOOXS, two columns: um and cm^-3", module="tcad"),
    Format(
        "eag", "service laboratories in the layout of Evans Analytical: csv, xlsx, xls", version=2
    ),
    Format(
        "table", "any table, the platform's workbooks, ViennaPS: csv, txt, xlsx, xls", version=2
    ),
)
