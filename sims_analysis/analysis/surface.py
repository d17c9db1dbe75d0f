"""The concentration near the surface."""

from __future__ import annotations

from typing import Any

import xarray as xr

from sims_analysis.errors import Parts
from sims_analysis.frame.background import subtracted_level
from sims_analysis.frame.call import recorded
from sims_analysis.frame.evidence import GapPolicy
from sims_analysis.frame.messages import Doubt
from sims_analysis.frame.opening import interpolated, open_frame
from sims_analysis.frame.plain import answer
from sims_analysis.frame.window import NO_LIMITS
from sims_analysis.kernels.exponentials import local_value
from sims_analysis.kernels.transient import surface_transient
from sims_analysis.outcomes import Status
from sims_analysis.text.arguments import check_count
from sims_analysis.units import ParameterLike


@recorded
def surface_concentration(
    data: xr.Dataset | xr.DataArray,
    depth: ParameterLike,
    *,
    samples: int = 5,
    variable: str | None = None,
    gaps: GapPolicy = "flag",
) -> xr.DataArray:
    """Return the concentration at a depth near the surface, by a parabola of ln C about it.

    Not to be trusted where a surface transient begins or ends among the samples of the fit.

    Parameters
    ----------
    data : Dataset or DataArray
        Concentrations, fractions or intensities over depth.
    depth : str, Quantity or DataArray
        Such as ``"5 nm"``; one for all, or one for each profile.
    samples : int
        Number of samples, those nearest to the depth, used in the fit; at least 3.
    variable, gaps
        As for :func:`integrated_dose`; by default concentration, otherwise the first.

    Returns
    -------
    DataArray
        In the unit of the data, without the depth dimension: ``exp(a)`` of the fit
        ``ln C = a + b (z - depth) + c (z - depth)^2 / 2``, exact for exponentials and Gaussians.
        Coordinates:

        - ``stderr`` (same unit): by the likelihood of counts; if the data carry no standard errors,
          from the scatter about the curve (Student's t), NaN with three samples
        - ``status``: ``ok``; with NaN ``truncated`` where the depth lies beyond the samples, and
          ``no_data`` with fewer than three; with a number ``saturated``, ``gap`` or ``below_limit``
          by the samples of the fit, and ``wrong_shape`` where these depart from a parabola by more
          than 4 % of the value, not by chance, and other shapes disagree by as much, or fail, too

    Raises
    ------
    UnitsError, ProfileError
        If the depth has no unit, or `samples` is not a whole number of at least 3.

    Notes
    -----
    With standard errors, ln C is the mean of polynomials of second to fourth order and of two lines
    that meet near the depth, weighted by how well these agree with the samples (Akaike's
    criterion); its error holds how far they are apart, and is too small at a point.

    References
    ----------
    W. Cash, Astrophys. J. 228 (1979) 939, for the likelihood of counts; H. Akaike, IEEE Trans.
    Autom. Control 19 (1974) 716.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> near = sims.surface_concentration(ds.sel(species="B"), depth="12 nm")
    >>> print(f"{near.item():.2e} +- {near['stderr'].item():.1e} {near.attrs['units']}")
    5.97e+18 +- 1.2e+17 atom/cm^3
    """
    check_count("samples", samples, least=3)
    frame = open_frame(data, question="a surface concentration", variable=variable, gaps=gaps)
    depths = frame.parameter(depth, ("depth",), "depth")
    fraction = frame.fraction if interpolated(frame) else xr.ones_like(frame.fraction)

    def doubts(fit: Any) -> list[Doubt]:
        transient = frame.map(surface_transient, *NO_LIMITS, errors="fit")
        inside = "the depth lies in a surface transient, where signals are not those of the sample"
        bent = "a parabola of ln C does not describe the samples around the depth"
        parts: Parts = {"code": "surface_transient", "remedy": "ask for a depth below it"}
        shape = fit.status == Status.WRONG_SHAPE
        return [
            Doubt(depths < transient.end, None, inside, parts),
            Doubt(shape, Status.WRONG_SHAPE, bent, {"remedy": "try fewer samples="}),
        ]

    return answer(
        frame,
        local_value,
        *(depths, subtracted_level(frame), fraction),
        term="surface_concentration",
        what="the fit interpolates across it by a parabola of ln C",
        errors="fit",
        units_=frame.units,
        doubts=doubts,
        samples=samples,
    )
