"""Tables that are in memory already: pandas DataFrames."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sims_analysis.dataset.result import SIMSResult
from sims_analysis.errors import ReadError, SimsError
from sims_analysis.readers.results import make_results
from sims_analysis.readers.source import Options, Source
from sims_analysis.readers.tables.grid import Grid
from sims_analysis.readers.tables.header_cells import try_header
from sims_analysis.readers.tables.layout_preview import layout_preview
from sims_analysis.readers.tables.table import read_grid
from sims_analysis.text.arguments import checks_arguments

if TYPE_CHECKING:
    import pandas as pd


@checks_arguments
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
        A column of depths or times and columns of values, or pairs of these. An index that has a
        name, or is of fractions where no column is a depth, is the first column. Headers say what
        columns hold: ``"depth (nm)"``, ``"B (at/cm3)"``.
    depth_units, units, species, columns, not_measured, number_repeats : optional
        What the headers do not say, as for :func:`read`.
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
    frame = _with_index(df)
    options = Options(
        depth_units=depth_units,
        units=units,
        species=species,
        columns=columns,
        not_measured=tuple(not_measured),
        number_repeats=number_repeats,
        header_rows=[0],
    )
    headers = _headers(frame)
    if len(headers) < 2:
        raise ReadError(
            "the DataFrame has fewer than two columns; its index is one if it has a name: "
            'df.rename_axis("depth (nm)")'
        )
    grid = Grid([headers, *_cells(frame)], options)
    # There are no bytes whose hash would mean anything: those of the table as text stand for it.
    source = Source("dataframe", df.to_csv().encode(), options)
    source.trace.format = "dataframe"
    try:
        content = read_grid(grid, source)
        content.data_id = data_id
        return make_results(content, source)[0]
    except SimsError as error:
        error.layout_preview = layout_preview(source)
        raise


def _with_index(df: Any) -> Any:
    """Make the index a column if it is more than row numbers."""
    import pandas as pd

    if isinstance(df, pd.Series):
        df = df.to_frame()
    if not isinstance(df, pd.DataFrame):
        raise TypeError(f"df is of type {type(df).__name__}; expected a pandas.DataFrame")
    named = [n for n, name in enumerate(df.index.names) if name is not None and name not in df]
    if named:
        return df.reset_index(level=named)
    roles = {try_header(header).role for header in _headers(df)}
    if df.index.dtype.kind == "f" and not roles & {"axis", "time"}:
        # Depths, perhaps: rows are not counted in fractions.
        return df.rename_axis("").reset_index()
    return df


def _headers(frame: Any) -> list[str]:
    """Return the labels of the columns; those that pandas made up are none."""
    import pandas as pd

    if isinstance(frame.columns, pd.RangeIndex):
        return [""] * frame.shape[1]
    names = frame.columns.tolist()
    return [" ".join(map(str, n)) if isinstance(n, tuple) else str(n) for n in names]


def _cells(frame: Any) -> list[list[object]]:
    """List the rows; ``None`` for what is missing."""
    cells: list[list[object]] = frame.astype(object).where(frame.notna(), None).to_numpy().tolist()
    return cells
