"""PHI's open archives of TOF-SIMS events, SIMS-H5: counts in stated windows of m/z, a cycle."""

from __future__ import annotations

from typing import Any

import numpy as np

from sims_analysis.dataset.containers import check_hdf5
from sims_analysis.errors import ReadError, require
from sims_analysis.kernels.rows import Array
from sims_analysis.profiles.metadata import Metadata
from sims_analysis.readers.signals import Content, Signal
from sims_analysis.readers.source import Source

_HDF5 = b"\x89HDF\r\n\x1a\n"


def recognises(source: Source) -> bool:
    """Whether it is HDF5 that names this format."""
    return source.content.startswith(_HDF5) and b"tof-sims-sparse-hdf5" in source.content


def read(source: Source) -> Content:
    """Read the counts of each cycle in each window, by simsh5 if it is installed."""
    require("SIMS-H5 needs", "simsh5", extra="simsh5")
    if source.path is None:
        raise ReadError("SIMS-H5 is read from a file, not from bytes", argument="path")
    import simsh5

    check_hdf5(source.path, source.options.budget, error=ReadError)
    with simsh5.open_archive(source.path) as archive:
        if archive.acquisition_mode != "depth_profile":
            raise ReadError(
                f"the archive is an image (acquisition mode {archive.acquisition_mode!r}): it has "
                "no sputter cycles, and no depth profile",
                code="no_profile",
            )
        windows = source.options.mz_windows
        if not windows:
            raise ReadError(
                "the archive contains mass spectra of pixels and names no species",
                code="missing_species",
                argument="mz_windows",
                remedy='pass mz_windows={"30Si": (29.95, 29.99)}',
            )
        times, _ = simsh5.depth_profile(archive)
        mz = archive.tof_ps_to_mz(archive.mass_bin.astype(float) * archive.mass_bin_width_ps)
        signals = [_signal(archive, times, mz, *window) for window in windows.items()]
        polarity = archive.polarity
    return Content(
        signals=signals, metadata=Metadata(instrument="PHI TOF-SIMS", secondary_polarity=polarity)
    )


def _signal(archive: Any, times: Array, mz: Array, name: str, ends: tuple[float, float]) -> Signal:
    """Count the events of each cycle in a window."""
    low, high = ends
    if not low < high:
        raise ReadError(f"mz_windows: {name!r} ends at {high}, before {low}", argument="mz_windows")
    first, last = np.searchsorted(mz, [low, high])
    events = slice(int(archive.indptr[first]), int(archive.indptr[last]))
    cycle = archive.pixel_id[events] // int(np.prod(archive.row_shape[1:]))
    counts = np.bincount(cycle, weights=archive.count[events], minlength=times.size)
    return Signal(
        name=name,
        depths=times,
        depth_units="s",
        values=counts.astype(np.float64),
        units="counts",
        metadata={"mz_window": f"{low} to {high} u"},
    )
