"""Open the synthetic measurements in the package, which are labelled and include their truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sims_analysis.api.archive import Archive
from sims_analysis.errors import ArchiveError

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["ARCHIVE", "open_example"]

#: The archive inside the package, made by :mod:`sims_analysis.examples.synthetic`.
ARCHIVE = Path(__file__).parent / "archive"


def open_example(name: str) -> xr.Dataset:
    """Open a synthetic measurement whose truth is known.

    Parameters
    ----------
    name : {"boron-implant", "gan-mg-stack", "sputter-time"}
        A boron implant in phosphorus-doped silicon; a GaN:Mg/Si stack in which every species has
        its own depths, with a matrix signal and an atomic fraction besides concentrations; an
        arsenic implant in count rates on a sputter-time axis.

    Returns
    -------
    xarray.Dataset
        ``species_metadata`` (JSON text, one per species) says that it is synthetic, and has the
        truth under ``"truth"``, with units.

    Raises
    ------
    ArchiveError
        If there is no example of this name; the message lists the examples.

    Examples
    --------
    >>> import json
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> ds["species"].values.tolist(), dict(ds.sizes)
    (['B', 'P'], {'species': 2, 'depth': 250})
    >>> json.loads(ds["species_metadata"].values[0])["truth"]["dose"]
    '4.98077e+14 atoms/cm^2'
    """
    archive = Archive(ARCHIVE)
    names = archive.ids()
    if name not in names:
        raise ArchiveError(f"there is no example {name!r}; there are {', '.join(names)}")
    return archive.get(name).to_dataset()
