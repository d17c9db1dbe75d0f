"""The dose above each depth: the running integral of the concentration."""

from __future__ import annotations

import xarray as xr

from sims_analysis.analysis.dose import Rule, check_options, hidden_in_dose, term
from sims_analysis.errors import DoseWarning
from sims_analysis.frame.background import read_background
from sims_analysis.frame.call import recorded
from sims_analysis.frame.doubts import GapPolicy, bridges, doubted, tell_doubts
from sims_analysis.frame.opening import DOSE_KINDS, open_frame
from sims_analysis.frame.window import NO_LIMITS
from sims_analysis.kernels.dose import cumulative
from sims_analysis.kernels.rows import Status, ends
from sims_analysis.units import NM_PER_CM, ParameterLike, WindowLike

__all__ = ["cumulative_dose"]


@recorded
def cumulative_dose(
    data: xr.Dataset | xr.DataArray,
    *,
    rule: Rule = "trapezoid",
    background: ParameterLike | WindowLike | None = None,
    variable: str | None = None,
    gaps: GapPolicy = "flag",
) -> xr.DataArray:
    """Integrate the concentration from the first sample of each profile to each of its samples.

    Parameters
    ----------
    data : Dataset or DataArray
        As for :func:`integrated_dose`.
    rule : {"trapezoid", "loglinear"}
    background : str, Quantity, DataArray, or (start, stop), optional
        Subtracted, as for :func:`integrated_dose`.
    variable : str, optional
    gaps : {"flag", "bridge"}
        As for :func:`integrated_dose`.

    Returns
    -------
    DataArray
        ``atom/cm^2``, with the shape of the data, without standard errors (a background is assumed
        to be exact): 0 at the first sample, NaN where a profile was not measured, and for a profile
        with a single sample, which has no width. The coordinate ``status`` of each profile is
        ``ok``, ``gap``, ``saturated`` or ``no_data``, as for :func:`integrated_dose`.

    Raises
    ------
    UnitsError
        If the data hold no concentration.

    Warns
    -----
    DoseWarning
        Where the status is ``gap`` or ``saturated``.

    References
    ----------
    As for :func:`integrated_dose`: the rules are the same.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> above = sims.cumulative_dose(ds).sel(species="B")
    >>> print(f"{above.sel(depth=75).item():.2e} of {above[-1].item():.2e} atom/cm^2")
    2.51e+14 of 5.03e+14 atom/cm^2
    """
    check_options(rule)
    bridge = bridges(gaps)
    frame = open_frame(data, DOSE_KINDS, question="a dose", variable=variable)
    level = read_background(frame, background).level(frame)
    (value,) = frame.map(cumulative, level, extra=(frame.dim,), rule=rule, divisor=NM_PER_CM)
    record = frame.map(ends)
    answered = (record.last > record.first) & level.notnull()
    status = xr.where(answered, int(Status.OK), int(Status.NO_DATA))
    hidden = hidden_in_dose(frame, NO_LIMITS, rule)
    status = doubted(frame, status, NO_LIMITS, bridge=bridge, hidden=hidden)
    tell_doubts(frame, status, NO_LIMITS, f"the dose bridges it by the rule {rule}", DoseWarning)
    value = value.astype(frame.precision, copy=False)
    answer = frame.along_axis(value, term(frame, "cumulative_dose"))
    answer = answer.assign_coords(status=frame.status(status))
    return answer.assign_attrs(rule=rule)
