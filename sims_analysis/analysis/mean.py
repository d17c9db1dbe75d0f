"""The mean of a profile over a window, and its standard error."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.frame.background import MEAN_OF_OTHERS, Background, add_background_error
from sims_analysis.frame.call import recorded
from sims_analysis.frame.evidence import GapPolicy, resolve
from sims_analysis.frame.messages import doubt_of_window
from sims_analysis.frame.opening import open_frame
from sims_analysis.frame.run import is_nan, replaced_where
from sims_analysis.frame.window import read_window
from sims_analysis.kernels.counting import window_mean
from sims_analysis.units import ParameterLike


@recorded
def mean_value(
    data: xr.Dataset | xr.DataArray,
    *,
    start: ParameterLike | None = None,
    stop: ParameterLike | None = None,
    variable: str | None = None,
    gaps: GapPolicy = "flag",
) -> xr.DataArray:
    """Return the mean of each profile in a window: of a plateau, of a background.

    Not to be trusted as the level of a window in which the profile slopes (no status says so), or
    of ratios to few counts, which are too high: see :func:`ratio`.

    Parameters
    ----------
    data : Dataset or DataArray
        Concentrations, fractions or intensities over depth, or sputter time.
    start, stop : str, Quantity or DataArray, optional
        The window, its ends included; by default the whole profile.
    variable : str, optional
        The variable of a Dataset; by default concentration, otherwise the first in which there are
        samples.
    gaps : {"flag", "bridge"}
        ``"bridge"`` accepts means over gaps, and without samples given as ``<5E15``; see
        :func:`integrated_dose`.

    Returns
    -------
    DataArray
        The mean of the n samples in the window, in the unit of the data, without the depth
        dimension; of averages over cells, weighted with their widths within it. Coordinates:

        - ``stderr`` (same unit): of the mean, ``sqrt(sum s_i^2) / n`` with the standard errors s of
          the samples, or ``s / sqrt(n)`` with their scatter s, where this is larger or they carry
          none. The latter is widened by Student's t of n - 1 degrees of freedom (1.84 of two
          samples, 1.05 of ten), if chance makes such a scatter in less than one case of eight. A
          window without a count is known to 1.84 counts / n
        - ``scatter`` (``1``): by which factor the samples scatter more than their standard errors,
          at least 1; NaN if they carry none
        - ``samples``: their number n
        - ``status``: ``ok``; ``no_data`` with NaN; ``saturated`` and ``below_limit`` (``<5E15``, so
          that the mean is too high) by samples in the window, ``gap`` if a part of the window was
          not measured, and ``truncated`` if it reaches as far beyond the record

    Raises
    ------
    UnitsError, ProfileError
        If the data or a limit have no unit, or `start` does not come before `stop`.

    Notes
    -----
    All samples count alike, however far apart; those of a grid finer than the samples as
    fractions of one (see :func:`to_grid`). Of an :func:`average`, what repeats have in common,
    its ``scale_repeatability``, is in ``stderr``. Of cells with parts p of the window,
    ``stderr`` is ``sqrt(sum (p_i s_i)^2)``, or ``S sqrt(sum p_i^2)`` with
    ``S^2 = sum p_i (c_i - mean)^2 / (1 - sum p_i^2)``.

    References
    ----------
    JCGM 100:2008, Guide to the expression of uncertainty in measurement, 4.2.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant").sel(species="P")
    >>> mean = sims.mean_value(ds, start="100 nm", stop="400 nm")
    >>> print(f"{mean.item():.4g} +- {mean['stderr'].item():.2g} {mean.attrs['units']}")
    2.008e+17 +- 3.5e+14 atom/cm^3
    """
    frame = open_frame(data, question="a mean", variable=variable, axes=vocabulary.AXES, gaps=gaps)
    window = read_window(frame, start, stop)
    mean, support = frame.evaluate(window_mean, *window, use="mean", errors="sum")
    beyond = [doubt_of_window(mean.status, window)]
    options: Any = {"what": MEAN_OF_OTHERS, "requested": window, "doubts": beyond}
    status = resolve(frame, mean.status, support, window, **options)
    level = Background(window=window).level
    stderr = add_background_error(frame, mean.stderr, level, linear=True)
    scatter = replaced_where(is_nan(mean.value), mean.excess)
    scatter = scatter if frame.stderr is not None else np.nan * scatter
    coords = {
        "scatter": frame.with_attrs(
            scatter, "background_scatter", long_name="Scatter in the window"
        ),
        "samples": frame.with_attrs(mean.n, "samples_used"),
    }
    answer = frame.array(
        mean.value, frame.term, units_=frame.units, status=status, stderr=stderr, coords=coords
    )
    answer.attrs["long_name"] = f"Mean {answer.attrs['long_name'].lower()}"
    return answer
