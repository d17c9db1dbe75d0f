"""The decay length of an edge."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.analysis.detection import stated_limit
from sims_analysis.errors import ProfileError
from sims_analysis.frame.background import add_background_error, subtracted_level
from sims_analysis.frame.call import recorded
from sims_analysis.frame.evidence import resolve
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import Doubt
from sims_analysis.frame.opening import open_frame
from sims_analysis.frame.resolution import add_unresolved
from sims_analysis.frame.run import anywhere, elementwise
from sims_analysis.frame.window import (
    doubt_of_transient,
    read_window,
    samples_used,
)
from sims_analysis.kernels import exponentials as kernels
from sims_analysis.kernels.blocks import BLOCK
from sims_analysis.kernels.levels import FALLING, RISING
from sims_analysis.outcomes import Status
from sims_analysis.text.arguments import check_choice
from sims_analysis.units import ParameterLike

_EDGES = {"trailing": FALLING, "leading": RISING}


@recorded
def decay_length(
    data: xr.Dataset | xr.DataArray,
    *,
    start: ParameterLike | None = None,
    stop: ParameterLike | None = None,
    low: ParameterLike | None = None,
    high: ParameterLike | None = None,
    edge: Literal["trailing", "leading"] = "trailing",
    detection_limit: ParameterLike | None = None,
    variable: str | None = None,
) -> xr.Dataset:
    """Fit the exponential decay of an edge: ``C = C0 exp(-z / lambda)``.

    Not to be trusted where a floor or another edge begins in the window: less than 5 % of the fall
    is not seen; nor without standard errors, of samples that share noise, as averages do.

    Parameters
    ----------
    data : Dataset or DataArray
        Concentrations, fractions or intensities over depth.
    start, stop, low, high : str, Quantity or DataArray, optional
        Windows of depths, and of values: ``"1e16 atoms/cm^3"`` and ``"1e18 atoms/cm^3"``. Of a
        peak, without `high` and `start` (`stop` for a leading edge), what lies below half of its
        maximum.
    edge : {"trailing", "leading"}
        An edge that falls with depth, or one that rises: the length is positive either way.
    detection_limit : str, Quantity or DataArray, optional
        Samples below it are left out.
    variable : str, optional
        The variable of a Dataset; by default concentration, otherwise the first.

    Returns
    -------
    Dataset
        Over the dimensions of the data without depth; over sputter time, in ``s``:

        - ``decay_length`` (``nm`` per factor e), ``per_decade`` (``nm`` per factor 10)
        - ``stderr`` (``nm``): of the decay length
        - ``n``: samples used
        - ``start``, ``stop`` (``nm``): first and last of them
        - ``reduced_chi_square`` (``1``): ``sum [(C - fit)^2 / V] / (n - 2)``, with the variances V
          of the fitted counts; NaN without standard errors, or with fewer than three samples
        - ``status``: ``ok``; ``no_data`` with too few samples; ``never_reached`` where the edge
          runs the other way; ``wrong_shape`` where ln C bends by more than 5 % of its fall, and not
          by chance; ``truncated`` where the window begins in a surface transient; ``saturated`` and
          ``below_limit`` by samples in it, and ``gap`` if values were made across one

    Raises
    ------
    UnitsError, ProfileError
        If the data have no known unit, or no axis; or `low` does not lie below `high`.

    Notes
    -----
    The fit maximizes the likelihood of counts: zeros are data. Without standard errors, the value
    of a count is that of the scatter about the line, constant or growing with C, whichever is
    likelier, and its error has Student's t. Within three standard errors of `low` or `high`, the
    fit decides on which side a sample lies. Samples on the far side of a maximum above `high` are
    left out: they belong to another edge.

    References
    ----------
    ISO 18115-1, Surface chemical analysis - Vocabulary: leading and trailing edge decay length; W.
    Cash, Astrophys. J. 228 (1979) 939, for the likelihood of counts; R. W. M. Wedderburn,
    Biometrika 61 (1974) 439, for that with an unknown value of one.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> fit = sims.decay_length(ds, low="1e16 atoms/cm^3", high="1e17 atoms/cm^3", start="150 nm")
    >>> print(f"{fit['per_decade'].sel(species='B').item():.1f} nm per decade")
    34.5 nm per decade
    """
    check_choice("edge", edge, _EDGES)
    frame = open_frame(data, question="a decay length", variable=variable, axes=vocabulary.AXES)
    a, b = read_window(frame, start, stop)
    lowest, top = _read_levels(frame, low, high, detection_limit)
    # Fits take many arrays of the size of their samples.
    options: Any = {"errors": "fit", "edge": _EDGES[edge], "block": BLOCK // 2}
    args = a, b, lowest, top, subtracted_level(frame), frame.fraction
    fit, support = frame.evaluate(kernels.decay, *args, use="samples", **options)
    stderr = add_background_error(
        frame, fit.stderr, lambda f: f.map(kernels.decay, *args, **options).length, errors=True
    )
    window = fit.start, fit.stop
    stderr = add_unresolved(frame, stderr, fit.length, *window)
    doubts = [
        doubt_of_transient(frame, *window),
        Doubt(
            fit.status == Status.WRONG_SHAPE,
            Status.WRONG_SHAPE,
            "the edge is not exponential between start and stop of the answer: the decay length "
            "depends on them",
            {"remedy": "low= and high=, or start= and stop=, choose a part of it that is"},
        ),
    ]
    what = "the decay length is from the others"
    status = resolve(frame, fit.status, support, window, what=what, doubts=doubts, requested=(a, b))
    return frame.dataset(
        {
            "decay_length": frame.of_axis(fit.length, "decay_length"),
            "per_decade": frame.of_axis(fit.length * np.log(10.0), "decay_per_decade"),
            "stderr": frame.of_axis(stderr, "decay_length_stderr"),
            "n": frame.with_attrs(fit.n, "samples_used"),
            **samples_used(frame, fit.start, fit.stop),
            "reduced_chi_square": frame.with_attrs(fit.reduced_chi_square, "reduced_chi_square"),
            "status": frame.status(status),
        }
    )


def _read_levels(
    frame: Frame, low: Any, high: Any, detection_limit: Any
) -> tuple[xr.Variable, xr.Variable]:
    """Read the lowest and highest value of samples; with an unknown one, none lies between."""
    bottom, top = (
        frame.parameter(value, (frame.kind,), name, unknown=absent)
        for value, name, absent in ((low, "low", np.inf), (high, "high", -np.inf))
    )
    unknown: Any = np.isinf(bottom) | np.isinf(top)
    if anywhere((bottom >= top) & ~unknown):
        raise ProfileError(f"low={low!r} must lie below high={high!r}", argument="low")
    limit, _ = stated_limit(frame, detection_limit)
    return elementwise(np.fmax, bottom, limit), top
