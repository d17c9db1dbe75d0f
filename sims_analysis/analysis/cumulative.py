"""The dose above each depth, and the depths above which fractions of a dose lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from sims_analysis.analysis.dose import (
    Rule,
    doubts_of_end,
    doubts_of_transient_in,
    integral,
    read_question,
    status_of,
    term,
)
from sims_analysis.frame.arguments import read_pure
from sims_analysis.frame.background import add_background_error, doubts_of_window
from sims_analysis.frame.call import recorded
from sims_analysis.frame.evidence import GapPolicy, worse
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.opening import DOSE_KINDS, open_frame
from sims_analysis.frame.run import anywhere, is_nan
from sims_analysis.kernels import dose as kernels
from sims_analysis.text.arguments import argument_error
from sims_analysis.units import NM_PER_CM, ParameterLike, WindowLike, part_of_one


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

    Not to be trusted where :func:`integrated_dose` is not; it has no standard errors.

    Parameters
    ----------
    data, rule, background, variable, gaps
        As for :func:`integrated_dose`.

    Returns
    -------
    DataArray
        ``atom/cm^2``, with the shape of the data: 0 at the first sample,
        NaN where a profile was not measured, or has a single sample. The coordinate ``status`` is
        ``ok``, ``saturated``, ``gap``, ``below_limit``, ``wrong_shape`` or ``no_data``, as for
        :func:`integrated_dose`.

    Raises
    ------
    UnitsError
        If the data hold no concentration.

    References
    ----------
    As for :func:`integrated_dose`.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> above = sims.cumulative_dose(ds).sel(species="B")
    >>> print(f"{above.sel(depth=75).item():.2e} of {above[-1].item():.2e} atom/cm^2")
    2.51e+14 of 5.03e+14 atom/cm^2
    """
    frame = open_frame(data, DOSE_KINDS, question="a dose", variable=variable, gaps=gaps)
    question = read_question(frame, rule=rule, background=background)
    level = question.background.level(frame)
    options: Any = {"extra": (frame.dim,), "rule": rule, "divisor": NM_PER_CM}
    (value,) = frame.map(kernels.cumulative, level, **options)
    dose = integral(replace(frame, stderr=None, counts=None, common=None), question)
    dose = replace(dose, frame=frame)
    trend = question.background.trend(frame, (dose.start, dose.stop), dose.value)
    transient = doubts_of_transient_in(dose, _REMEDY)
    status = status_of(dose, [*transient, *doubts_of_window(trend)])
    name = term(frame, "cumulative_dose")
    return frame.array(frame.rounded(value), name, status=status, coords=frame.along, rule=rule)


_OF_RECORD = "the fraction is one of the dose down to there"
#: Remedy of a surface transient.
_REMEDY = 'data.where(data["depth"] > {end:g}, drop=True) leaves it out'


#: ``0.5``, or ``"50 %"``.
Part = float | str


@recorded
def depth_at_dose_fraction(
    data: xr.Dataset | xr.DataArray,
    fraction: Part | Sequence[Part] | NDArray[np.float64] | xr.DataArray = (0.5, 0.9, 0.99),
    *,
    rule: Rule = "trapezoid",
    variable: str | None = None,
    gaps: GapPolicy = "flag",
) -> xr.DataArray:
    """Return the depth above which a given fraction of the dose lies: the inverse cumulative dose.

    Not to be trusted where a surface transient, or a tail below the record, is part of the dose.

    Parameters
    ----------
    data, rule, variable, gaps
        As for :func:`integrated_dose`.
    fraction : float, str, sequence of these, or DataArray
        Between 0 and 1, or ``"50 %"``. A DataArray has one for each profile, or for each of several
        cases.

    Returns
    -------
    DataArray
        ``nm``; a sequence of fractions adds the dimension ``fraction``. Coordinates:

        - ``status``: ``ok``; with NaN ``no_data`` for fewer than two samples or a fraction of NaN,
          and ``never_reached`` where the dose is not positive; with numbers ``undetermined`` where
          counts do not determine it, and ``saturated``, ``gap``, ``below_limit`` and ``truncated``
          as for the whole :func:`integrated_dose`
        - ``stderr`` (``nm``), if the data carry standard errors: the random part
        - ``fraction``: the requested fraction

    Raises
    ------
    UnitsError, ProfileError
        If the data hold no concentration, or a fraction is not a number between 0 and 1.

    Notes
    -----
    The depth z solves ``Q(z) = f Q``. The difference of the two sides has the standard error ``u =
    sqrt(sum [(f W_i - w_i) s_i]^2)``, with the trapezoidal weights W of the whole dose and w of the
    dose down to z. ``stderr`` is half the distance between the depths at which the cumulative dose
    is u below and u above ``f Q`` (Woodruff's interval of a quantile). Where less than u, or less
    than two counts, lie on one side of z, it is undetermined. Part of ``stderr`` is by how much
    straight lines over a step h miss integrals, ``h^2 / 12`` times the slope of C at their ends.

    References
    ----------
    R. S. Woodruff, J. Am. Stat. Assoc. 47 (1952) 635.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> half, most = sims.depth_at_dose_fraction(ds.sel(species="B"), fraction=[0.5, 0.9]).values
    >>> print(f"half of the atoms above {half:.1f} nm, nine in ten above {most:.1f} nm")
    half of the atoms above 75.1 nm, nine in ten above 112.3 nm
    """
    frame = open_frame(data, DOSE_KINDS, question="a dose", variable=variable, gaps=gaps)
    question, requested = read_question(frame, rule=rule), _fractions(frame, fraction)
    several = "fraction" in requested.dims
    fractions = requested if several else requested.set_dims({**requested.sizes, "fraction": 1})
    options: dict[str, Any] = {"extra": ("fraction",), "whole": ("fraction",), "rule": rule}
    quantiles = frame.map(kernels.depth_at_dose_fraction, fractions, errors="sum", **options)

    def depths(other: Frame) -> xr.Variable:
        depth: xr.Variable = other.map(kernels.depth_at_dose_fraction, fractions, **options).depth
        return depth

    dose = integral(frame, question)
    end = doubts_of_end(frame, dose.value, dose.below, dose.stderr, _OF_RECORD)
    status = status_of(dose, [*end, *doubts_of_transient_in(dose, _REMEDY)], quantiles.status)
    stderr = None
    if frame.stderr is not None:
        stderr = add_background_error(frame, quantiles.stderr, depths)
    result = frame.array(
        quantiles.depth,
        "depth_at_dose_fraction",
        status=worse(status, quantiles.each),
        stderr=stderr,
        coords={"fraction": xr.Variable(fractions.dims, fractions.data, {"units": "1"})},
    )
    return result if several else result.isel(fraction=0)


def _fractions(frame: Frame, fraction: Any) -> xr.Variable:
    """Read one fraction, several along ``fraction``, or one for each profile or case."""
    if isinstance(fraction, list | tuple | np.ndarray) and np.ndim(fraction) == 1:
        numbers = [float(read_pure(frame, _part(f), "fraction", _EXPECTED)) for f in fraction]
        fractions = xr.Variable("fraction", np.array(numbers, np.float64))
    else:
        fractions = read_pure(frame, _part(fraction), "fraction", _EXPECTED)
    unknown = is_nan(fractions) & isinstance(fraction, xr.DataArray)
    if anywhere(~((fractions >= 0) & (fractions <= 1) | unknown)):
        raise argument_error("fraction", fraction, f"expected {_EXPECTED}")
    return fractions


def _part(value: Any) -> Any:
    """Return ``"50 %"`` as a number, and all else as it is."""
    part = part_of_one(value)
    return value if part is None else part


_EXPECTED = "numbers between 0 and 1, or per cent of the dose"
