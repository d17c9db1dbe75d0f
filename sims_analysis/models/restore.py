"""What was there before the instrument blurred it: profiles restored as far as their counts say."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Literal

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.errors import FitWarning, ProfileError, warn
from sims_analysis.frame.arguments import refuse_cases
from sims_analysis.frame.background import background_level, read_background
from sims_analysis.frame.call import history_after, recorded
from sims_analysis.frame.doubts import GapPolicy, bridges
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import first_flagged
from sims_analysis.frame.opening import FRACTION
from sims_analysis.frame.window import Window, read_window, warn_of_empty_window
from sims_analysis.models._functions import Asked, ResolutionFunction, read_resolution
from sims_analysis.models._profiles import (
    doubted,
    in_words,
    open_profiles,
    over_profiles,
    warn_of_first,
)
from sims_analysis.models._restored import ADVICE, SOURCES, STATUS, Layout, restored
from sims_analysis.models.model import Array, Parameter
from sims_analysis.models.samples import Samples
from sims_analysis.text.arguments import check_bool, format_argument
from sims_analysis.units import ParameterLike, QuantityLike

__all__ = ["deconvolve"]

Smoothness = Literal["auto", "steps"] | float

_ERRORS = (
    "68 %, of what samples without noise would be restored to; against the truth no band holds "
    "that is narrower than the achieved resolution allows"
)
_DOSE = Parameter("window_dose", "area", "integral over depth")


@recorded
def deconvolve(
    data: xr.Dataset | xr.DataArray,
    *,
    resolution: QuantityLike | Mapping[str, QuantityLike] | xr.Dataset,
    variable: str | None = None,
    start: ParameterLike | None = None,
    stop: ParameterLike | None = None,
    background: ParameterLike | tuple[QuantityLike, QuantityLike] | None = None,
    smoothness: Smoothness = "auto",
    gaps: GapPolicy = "flag",
    averaging_kernels: bool = False,
) -> xr.Dataset:
    """Restore profiles that a depth resolution function has blurred.

    Examples
    --------
    >>> import sims_analysis as sims
    """
    frame = open_profiles(data, question="a restored profile", variable=variable, axes=("depth",))
    check_bool("averaging_kernels", averaging_kernels)
    strength = _strength(smoothness)
    bridge = bridges(gaps)
    asked = read_resolution(frame, resolution)
    window = read_window(frame, start, stop)
    level = background_level(frame, *read_background(frame, background))
    for name, read in (("start", window[0]), ("stop", window[1]), ("background", level)):
        refuse_cases(frame, read, name)
    for width in asked.widths:
        refuse_cases(frame, width, "resolution")
    layout = Layout(frame.value.sizes[frame.dim], averaging_kernels)
    rows = frame.each(
        partial(_row, asked.name, strength, frame.kind, layout),
        *window,
        level,
        frame.fraction,
        *asked.widths,
        size=layout.size,
        beside=("common", "overlap"),
    )
    answer = _dressed(frame, rows, layout, window, bridge=bridge)
    answer.attrs |= {
        "resolution": _described(asked),
        "smoothness": format_argument(smoothness),
        "background": "none" if background is None else format_argument(background),
        "errors": _ERRORS,
        "history": history_after(data, f"deconvolve(resolution={format_argument(resolution)})"),
    }
    if not frame.lazy:
        warn_of_empty_window(frame, window, FitWarning)
        _warn(frame, answer)
    return answer


def _strength(smoothness: Any) -> str | float:
    if isinstance(smoothness, str) and smoothness in ("auto", "steps"):
        return smoothness
    number = isinstance(smoothness, int | float | np.number) and not isinstance(smoothness, bool)
    if number and np.isfinite(smoothness) and smoothness > 0:
        return float(smoothness)
    raise ProfileError(
        f"smoothness={format_argument(smoothness)}; expected 'auto', 'steps' or a number above 0"
    )


def _row(name: str, strength: str | float, kind: str, layout: Layout, *given: Any) -> Array:
    samples, (start, stop, background, fraction, *widths) = Samples(*given[:6]), given[6:]
    settings = {"start": start, "stop": stop, "background": background, "fraction": fraction}
    function = ResolutionFunction(name, tuple(widths))
    return restored(samples, settings, function, strength, kind, layout)


def _described(asked: Asked) -> str:
    """Say what the function is; of profiles with widths of their own, only its name."""
    if any(width.ndim for width in asked.widths):
        return f"{asked.name}, of each profile"
    function = ResolutionFunction(asked.name, tuple(float(width) for width in asked.widths))
    return f"{function.described()}, {function.fwhm:.3g} nm wide at half maximum"


# --- the answer -------------------------------------------------------------------------------


def _dressed(
    frame: Frame, rows: xr.Variable, layout: Layout, window: Window, *, bridge: bool
) -> xr.Dataset:
    """Give each number and column its name, unit and words."""

    def number(name: str) -> xr.Variable:
        one: xr.Variable = rows.isel(__row__=layout.numbers.index(name))
        return one

    def column(name: str, attrs: Mapping[str, str] | None = None) -> xr.Variable:
        one = rows.isel(__row__=layout.place(name))
        return xr.Variable((*one.dims[:-1], frame.dim), one.data, attrs)

    name, term = frame.name, frame.term
    stderr = column("stderr", vocabulary.attrs_beside(term, "stderr", frame.units))
    dose_units, times = _DOSE.units(frame.kind), _DOSE.factor(frame.kind)
    found = {
        name: frame.with_attrs(column("value"), term, units_=frame.units),
        f"{name}_stderr": frame.as_the_data(stderr),
        "achieved_resolution": frame.with_attrs(
            column("achieved_resolution"), "achieved_resolution"
        ),
        "refolded": frame.with_attrs(column("refolded"), "refolded", units_=frame.units),
    }
    for one in ("window_dose", "window_dose_stderr", "carried_dose"):
        found[one] = frame.with_attrs(number(one) * times, one, units_=dose_units)
    for one in ("smoothness", "largest_deviance"):
        found[one] = frame.with_attrs(number(one), one)
    for one in ("n_samples", "doubtful_maxima"):
        found[one] = frame.with_attrs(number(one).fillna(0).astype(np.int64), one)
    found["doubtful_maximum"] = frame.with_attrs(number("doubtful_maximum"), "doubtful_maximum")
    if layout.kernels:
        n, other = layout.n, f"{frame.dim}_"
        square = rows.isel(__row__=layout.place("kernels"))
        parts = square.data.reshape(*square.shape[:-1], n, n)
        kernels = xr.Variable((*square.dims[:-1], frame.dim, other), parts)
        found["averaging_kernel"] = frame.with_attrs(kernels, "averaging_kernel")
    answer = frame.dataset(found, coords=frame.along)
    words = {}
    for one, table in (("status", STATUS), ("errors", SOURCES)):
        codes = over_profiles(frame, number(one))
        if one == "status":
            codes = doubted(frame, codes, STATUS, window, bridge=bridge)
        words[one] = in_words(codes, table)
    answer["status"] = words["status"].assign_attrs(vocabulary.attrs("restored_status"))
    answer["source_of_errors"] = words["errors"].assign_attrs(vocabulary.attrs("source_of_errors"))
    fraction = number("fraction").fillna(1.0)
    fraction.attrs = {"long_name": "Independent samples for each depth"}
    return answer.assign_coords({FRACTION: fraction})


def _warn(frame: Frame, answer: xr.Dataset) -> None:
    """Name the first profile that is not ok, and the first with maxima that it need not have."""
    warn_of_first(
        frame,
        answer["status"],
        ("ok", "no_data"),
        lambda word: f"the restored profile is not ok: {word.replace('_', ' ')} ({ADVICE[word]})",
    )
    found = first_flagged(frame, (answer["doubtful_maxima"] > 0).variable)
    if found is not None:
        n = int(found.of(answer["doubtful_maxima"].variable))
        at = found.of(units.dequantify(answer)["doubtful_maximum"].variable)
        which = f"the maximum at {at:g} nm" if n == 1 else f"{n} maxima, the first at {at:g} nm,"
        warn(
            f"{found.label}: {which} may be no layer: without the valley beside it, the profile is "
            "nearly as likely for these counts",
            FitWarning,
        )
