"""Open the measurements in the package, each labelled as synthetic or as measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sims_analysis.api.archive import Archive
from sims_analysis.errors import ArchiveError

if TYPE_CHECKING:
    import xarray as xr

#: The archive inside the package. The numbers of its synthetic entries are those of
#: :mod:`sims_analysis.examples.synthetic`; the measured ones are numbers in the public domain.
ARCHIVE = Path(__file__).parent / "archive"


def open_example(name: str) -> xr.Dataset:
    """Open a measurement that comes with the package.

    Parameters
    ----------
    name : {"boron-implant", "gan-mg-stack", "sputter-time", "zno-li", "gan-mg"}
        The first three are synthetic: a boron implant in phosphorus-doped silicon; a GaN:Mg/Si
        stack in which every species has its own depths, with a matrix signal and an atomic
        fraction besides concentrations; an arsenic implant in count rates on a sputter-time axis.
        The others were measured: lithium in ZnO below a film with indium (University of Oslo,
        CC0 1.0), with the dose that the instrument printed; magnesium in GaN with the matrix
        signal (NIST, Unlicense).

    Returns
    -------
    xarray.Dataset
        Its attribute ``source`` begins with ``synthetic`` or ``measured``, and so does the sample
        in ``species_metadata`` (JSON text, one per species). There, synthetic species have the
        truth under ``"truth"``, with units; measured ones have source, licence and what the
        instrument stated.

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
    >>> measured = sims.open_example("zno-li").sel(species="7Li")
    >>> f"{sims.integrated_dose(measured).item():.3e} atoms/cm^2"
    '4.853e+13 atoms/cm^2'
    >>> json.loads(measured["species_metadata"].item())["dose"]  # as the instrument printed it
    '4.853e+13 at/cm2'
    """
    archive = Archive(ARCHIVE)
    names = archive.ids()
    if name not in names:
        listing = ", ".join(f"{example} ({_kind(archive, example)})" for example in names)
        raise ArchiveError(f"there is no example {name!r}; there are {listing}", argument="name")
    return archive.get(name).to_dataset()


def _kind(archive: Archive, name: str) -> str:
    """Return ``synthetic`` or ``measured``."""
    return archive.record(name).url.partition(":")[0]
