"""What every format gives: signals as the file states them, and their metadata."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import numpy as np

from sims_analysis.dataset.result import SIMSResult
from sims_analysis.kernels.rows import Array
from sims_analysis.profiles.metadata import Metadata


@dataclass(frozen=True)
class Column:
    """Numbers that a file gives next to a profile, one a sample: times, doses of the beam..."""

    values: Array
    units: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        # An infinite error is one that is not known; JSON has text for it alone.
        values = [v if isfinite(v) else "inf" if v > 0 else None for v in self.values.tolist()]
        return {"units": self.units, "values": values}


@dataclass(kw_only=True)
class Signal:
    """One signal of a file, in the units that the file states; ``None`` if it states none.

    Parameters
    ----------
    name : str
        Of the species, as the file has it; empty if it names none.
    depths, values : ndarray of shape (samples,)
        NaN for a value that was not measured.
    depth_units, units : str or None
        As the file spells them; the user has to state those that are None.
    where : str
        Where it stands, for messages: ``"column C"``.
    stderr : ndarray of shape (samples,), optional
        Standard errors, in the unit of the values.
    metadata : dict of str
        What else is known of the signal, with units: ``counting_time``, ``mass``, ``dead_time``,
        ``rsf``, ``dose``, ``detection_limit``...
    ancillary : dict of Column
        Further numbers, one a sample: times, counts.

    Examples
    --------
    >>> import numpy as np
    >>> import sims_analysis as sims
    >>> sims.Signal(
    ...     name="11B", depths=np.array([0.0, 5.0]), depth_units="nm",
    ...     values=np.array([1e18, 3e18]), units="at/cm3",
    ... ).units
    'at/cm3'
    """

    name: str
    depths: Array
    depth_units: str | None
    values: Array
    units: str | None
    where: str = ""
    stderr: Array | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    ancillary: dict[str, Column] = field(default_factory=dict)

    def mark_below_limit(self, limits: Array) -> None:
        """Keep the limits of samples that were below them; NaN at all others."""
        below = np.isfinite(limits)
        if not below.any():
            return
        # In the unit of the values, which the user may have to state.
        self.metadata["detection_limit"] = f"{limits[below].max():g}"
        self.metadata["below_detection_limit"] = f"{below.sum()} of {below.size} samples"
        self.ancillary["detection_limit"] = Column(limits)


@dataclass(kw_only=True)
class Content:
    """What was read of a file; :func:`sims_analysis.read` makes a result of it.

    Parameters
    ----------
    signals : list of Signal
    metadata : Metadata
        Of the whole measurement: :class:`sims_analysis.profiles.metadata.Metadata`.
    data_id : str, optional
        By default the name of the file, without its ending.
    ready : SIMSResult, optional
        A result that needs no finishing, such as the API sends, in place of signals.
    parts : list of Content
        Of each of several samples in one file, where ``samples=`` asks for them; their metadata
        name them.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> sims.Content(data_id="w7").signals
    []
    """

    signals: list[Signal] = field(default_factory=list)
    metadata: Metadata = field(default_factory=Metadata)
    data_id: str | None = None
    ready: SIMSResult | None = None
    parts: list[Content] = field(default_factory=list)
