"""Tables that are in memory already: pandas DataFrames."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sims_analysis.dataset.result import SIMSResult
from sims_analysis.readers.finishing import finish
from sims_analysis.readers.sheets import CellSheet
from sims_analysis.readers.source import Options, Source
from sims_analysis.readers.table import read_sheet
from sims_analysis.readers.tidy import is_tidy, read_rows

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["from_dataframe"]


def from_dataframe(
    df: pd.DataFrame,
    *,
    depth_units: str | None = None,
    units: str | Mapping[str, str] | None = None,
    species: str | Sequence[str] | None = None,
    columns: Mapping[str, tuple[int | str, int | str]] | None = None,
    not_measured: Collection[str] = (),
    number_repeats: bool = False,
    data_id: str = "dataframe",
) -> SIMSResult:
    """Make a result of a table in memory.

    Parameters
    ----------
    df : pandas.DataFrame
        A column of depths or times and columns of values, or pairs of these. An index with a name
        is the first column. Heads say what columns hold: ``"depth (nm)"``, ``"B (at/cm3)"``.
    depth_units, units, species, columns, not_measured, number_repeats : optional
        What the heads do not say, as for :func:`read`.
    data_id : str
        Identifier of the result.

    Returns
    -------
    SIMSResult

    Raises
    ------
    ReadError, UnitsError, SpeciesError
        As :func:`read` does.

    Examples
    --------
    >>> import pandas as pd
    >>> import sims_analysis as sims
    >>> df = pd.DataFrame({"depth (nm)": [0, 10, 20], "B": [1e18, 3e18, 5e17]})
    >>> sims.from_dataframe(df, units="atoms/cm^3")["B"]
    <DepthProfile 'B': 3 samples, 0 to 20 nm, 5e+17 to 3e+18 atoms/cm^3>
    """
    frame = df.reset_index() if any(name is not None for name in df.index.names) else df
    options = Options(
        depth_units=depth_units,
        units=units,
        species=species,
        columns=columns,
        not_measured=tuple(not_measured),
        number_repeats=number_repeats,
    )
    names: list[Any] = frame.columns.tolist()
    heads = [" ".join(map(str, n)) if isinstance(n, tuple) else str(n) for n in names]
    if is_tidy(heads):
        texts = [["" if v is None else str(v) for v in row] for row in _cells(frame)]
        content = read_rows(heads, texts, options, "row")
    else:
        sheet = CellSheet(None, [heads, *_cells(frame)], options)
        content = read_sheet(sheet, options)
    content.data_id = data_id
    # There are no bytes whose hash would mean anything: those of the table as text stand for it.
    source = Source("dataframe", df.to_csv().encode(), options)
    return finish(content, source, "dataframe", 1)


def _cells(frame: pd.DataFrame) -> list[list[object]]:
    """List the rows; ``None`` for what is missing."""
    cells: list[list[object]] = frame.astype(object).where(frame.notna(), None).to_numpy().tolist()
    return cells
