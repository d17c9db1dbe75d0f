"""Backgrounds: a stated level or the mean over a window, and the error of one subtracted before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from sims_analysis import units
from sims_analysis.errors import DoseWarning, Parts, ProfileError, ProfileWarning, SimsWarning
from sims_analysis.frame.evidence import resolve, support_of_window
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import (
    Doubt,
    FirstFlagged,
    describe_window,
    first_flagged,
    warn_where,
)
from sims_analysis.frame.run import anywhere, elementwise, is_nan, may_hold, replaced_where
from sims_analysis.frame.window import Window, read_pair
from sims_analysis.kernels import background as kernels
from sims_analysis.kernels.counting import window_mean, window_shares, window_statistics
from sims_analysis.kernels.evidence import Support
from sims_analysis.kernels.grid import samples_of_grid
from sims_analysis.kernels.rows import TOLERANCE, changed
from sims_analysis.outcomes import Flag, Status
from sims_analysis.text.arguments import argument_error

#: Of a mean over a window, some of whose samples are below their limit.
MEAN_OF_OTHERS = "the mean is from the others"


class Background(NamedTuple):
    """A background as requested: a stated level, the window of a mean, or neither."""

    stated: xr.Variable | None = None
    window: Window | None = None
    #: Of a stated level.
    stderr: xr.Variable | None = None
    #: The frame for which it was read, and its mean over the window.
    cached: tuple[Frame, xr.Variable] | None = None

    @property
    def exists(self) -> bool:
        """Whether there is one."""
        return self.stated is not None or self.window is not None

    def level(self, frame: Frame) -> xr.Variable:
        """Return the level below the profiles of a frame; 0 if there is none."""
        if self.window is None:
            return xr.Variable((), 0.0) if self.stated is None else self.stated
        if self.cached is not None and self.cached[0] is frame:
            return self.cached[1]
        mean: xr.Variable = frame.map(window_statistics, *self.window).mean
        return mean

    def on(self, frame: Frame) -> Frame:
        """Return a frame whose samples have the error of a stated level in common."""
        return frame if self.stderr is None else with_common(frame, self.stderr)

    def trend(
        self, frame: Frame, limits: Window, dose: xr.Variable, stderr: xr.Variable | None = None
    ) -> Any:
        """Return the :class:`.WindowTrend` for doses between limits; None without a window."""
        if self.window is None:
            return None
        error = xr.Variable((), np.nan) if stderr is None else stderr
        parameters = *self.window, *limits, limits[1] - limits[0], dose, error
        return frame.map(kernels.window_trend, *parameters, errors="sum")


_BEYOND_NOISE = "in the background window, more than its noise, which"
#: The beginning of the message for each trend in a window that is not level.
_TRENDS = {
    kernels.FALLS: f"the profile falls {_BEYOND_NOISE}",
    kernels.RISES: f"the profile rises {_BEYOND_NOISE}",
    kernels.STEPS: f"the profile steps or bends {_BEYOND_NOISE}",
    kernels.TOO_NOISY: "the background window is too short, or too far away, to show that the "
    "background is level: a slope within its noise",
}
#: Remedies: of slopes and steps, of samples that scatter, and of windows that are too noisy.
_LEVEL = "choose a window where the profile is level"
_ERRORS = "check the errors, or the value of a count; or choose another window"
_LONGER = "choose a longer or nearer window, count longer, or state the background as a value"


def doubts_of_window(
    trend: Any, what: str = "dose", category: type[SimsWarning] = DoseWarning
) -> list[Doubt]:
    """Return the doubts about answers for which the mean over a window may not be the background.

    By the :class:`.WindowTrend` of the window, if any: ``wrong_shape`` if a slope or a step beyond
    noise changes an answer by more than its error and 2 %, and ``undetermined`` if a slope within
    ``s +- 2.5 u``, with the error u of the slope, does so by more than three errors and 5 %.
    """
    if trend is None or not may_hold(trend.shows != kernels.LEVEL):
        return []
    shows = trend.shows
    noisy, scatters = shows == kernels.TOO_NOISY, shows == kernels.SCATTERS
    wrong = (shows != kernels.LEVEL) & ~noisy & ~scatters

    def sloping(first: FirstFlagged) -> str:
        part = first.of(trend.change)
        by = f"by {part:.0%}" if part < 10 else "more than tenfold"
        return f"{_TRENDS[int(first.of(shows))]} changes the {what} {by}"

    def scattering(first: FirstFlagged) -> str:
        factor = f"{first.of(trend.change):.2g} times as much as its standard errors say"
        return f"the profile scatters in the background window, {factor}"

    return [
        Doubt(wrong, Status.WRONG_SHAPE, sloping, {"remedy": _LEVEL}, category),
        Doubt(noisy, Status.UNDETERMINED, sloping, {"remedy": _LONGER}, category),
        Doubt(scatters, None, scattering, {"code": "inconsistent", "remedy": _ERRORS}, category),
    ]


def with_common(frame: Frame, error: xr.Variable) -> Frame:
    """Return a frame with an error in common to its samples, in addition to any it has."""
    sizes, earlier, overlap = frame.value.sizes, frame.common, frame.overlap
    total = error.fillna(0.0).set_dims(sizes).transpose(*frame.value.dims)
    if earlier is not None:
        total = elementwise(np.hypot, total, earlier)
        share = earlier / total.where(total > 0)
        overlap = None if overlap is None else overlap * share.fillna(0.0) ** 2
    return replace(frame, common=total, overlap=overlap)


def stated_error(frame: Frame, value: Any, name: str) -> xr.Variable | None:
    """Read the standard errors of stated values from their coordinate; None without one."""
    by_species = value if isinstance(value, Mapping) else {"": value}
    errors = {key: _argument_coord(column, "stderr") for key, column in by_species.items()}
    if all(column is None for column in errors.values()):
        return None
    exact = f"0 {frame.units}"
    filled = {key: exact if column is None else column for key, column in errors.items()}
    stated: Any = filled if isinstance(value, Mapping) else filled[""]
    error: xr.Variable = frame.parameter(stated, (frame.kind,), name, alone=True).fillna(0.0)
    return error


def _argument_coord(stated: Any, name: str) -> xr.DataArray | None:
    """Return a coordinate of an argument, with its unit, over the same dimensions and species."""
    if not (isinstance(stated, xr.DataArray) and name in stated.coords):
        return None
    plain = units.dequantify(stated)
    coord = plain[name].assign_attrs({"units": plain.attrs.get("units"), **plain[name].attrs})
    return coord.drop_vars([key for key in coord.coords if key not in (*coord.dims, "species")])


def read_background(frame: Frame, background: Any) -> Background:
    """Read a background: a stated level, or the window of depths over which to take the mean."""
    if background is None:
        return Background()
    if not isinstance(background, tuple | list):
        level = frame.parameter(background, (frame.kind,), "background")
        endless: Any = np.isinf(level)
        error = stated_error(frame, background, "background")
        result = Background(replaced_where(endless, level), stderr=error)
        warn_of_layers(frame, result)
        return result
    if len(background) != 2:
        raise argument_error("background", background, "expected a value or (start, stop)")
    window = read_pair(frame, background, "background")
    result = Background(window=window)
    if not frame.lazy:
        result = changed(result, cached=(frame, result.level(frame)))
        empty = is_nan(result.level(frame))
        measured = frame.measured() if anywhere(empty) else ~empty
        first = first_flagged(frame, empty & measured)
        if first is not None:
            text = describe_window(first, window, "no sample in the background window")
            parts: Parts = {"code": "no_sample_in_window", "argument": "background"}
            if bool((empty | ~measured).all()):
                raise first.error(text, ProfileError, **parts)
            text += ": without a background there is no result"
            first.warn(text, DoseWarning, **parts)
        warn_of_limits(frame, window, DoseWarning)
    warn_of_layers(frame, result)
    return result


#: Coordinates with the factor by which each sample was made a concentration.
_FACTORS = ("sensitivity_factor", "absolute_sensitivity_factor")


def warn_of_layers(frame: Frame, background: Background) -> None:
    """Warn of one background of concentrations that were made with factors of several layers."""
    for name in _FACTORS:
        factor = frame.along.get(name)
        if frame.lazy or factor is None or frame.kind != "concentration":
            continue
        several = factor.max(frame.dim) > factor.min(frame.dim) * (1 + TOLERANCE)
        if not several.any():
            continue
        warn_where(
            frame,
            several & (background.level(frame) > 0),
            "the factors of its layers differ, and so does a background of counts in "
            "concentrations: subtract it from the intensities, before with_rsf()",
            ProfileWarning,
        )


def warn_of_limits(
    frame: Frame,
    window: Window,
    category: type[SimsWarning] = ProfileWarning,
    what: str = MEAN_OF_OTHERS,
) -> None:
    """Warn of a window that holds samples below their limit of detection, without a value."""
    if frame.flags is None and frame.limit is None:
        return
    below = support_of_window(frame, window, "samples").flags & np.int16(Flag.BELOW_LIMIT)
    ok = xr.zeros_like(below, dtype=np.uint8)
    options: Any = {"what": what, "category": category}
    resolve(replace(frame, bridge=None), ok, Support(below), window, **options)


def warn_of_window(frame: Frame, window: Window, among: xr.Variable | None = None) -> None:
    """Warn of a window that is not level, by its effect on the mean of the record above it."""
    trend: Any = frame.map(kernels.trend_below_record, *window, errors="sum")
    if among is not None:
        trend = changed(trend, shows=replaced_where(~among, trend.shows, kernels.LEVEL))
    for doubt in doubts_of_window(trend, "mean of the profile above it", ProfileWarning):
        doubt.warn(frame, ProfileWarning)


def mean_over(frame: Frame, window: Window) -> Any:
    """Return the mean over a window, its error, and its scatter: :class:`.counting.WindowMean`."""
    return frame.map(window_mean, *window, errors="sum")


def subtracted_level(frame: Frame) -> xr.Variable:
    """Return the background that was subtracted from each profile before; 0 where none was.

    From the counts k of its samples, which a subtraction leaves as they are: the mean of
    ``s sqrt(k) - C``. On a grid finer than the samples, errors s are smaller.
    """
    stderr, counts, fraction = frame.stderr, frame.counts, frame.fraction
    if stderr is None or counts is None or "subtracted_background" not in frame.coords:
        return xr.Variable((), 0.0)
    between = elementwise(lambda x: samples_of_grid(x)[1], fraction)
    counted: Any = stderr.where(counts > 0, 0.0) * (counts.clip(min=0.0) / between) ** 0.5
    level: Any = (counted - frame.value).mean(frame.dim)
    result: xr.Variable = level.where(level > 0, 0.0)
    return result


def shares_in(frame: Frame, window: Window) -> xr.Variable:
    """Return the share of each sample in the mean over a window; 0 outside it."""
    shares: xr.Variable = frame.map(window_shares, *window, extra=(frame.dim,)).value.fillna(0.0)
    return shares


Answer = Callable[[Frame], xr.Variable]


class CommonError(NamedTuple):
    """The error of an answer due to a subtracted background, and the variance that this adds."""

    stderr: xr.Variable
    variance: xr.Variable


def common_error(
    frame: Frame, answer: Answer, *, errors: bool = False, by: float = 1.0, linear: bool = False
) -> CommonError | None:
    """Propagate the error of a subtracted background; None if none was subtracted.

    The variance of a sum ``sum w_i c_i`` grows by ``S^2 - 2 S T``, with ``S = sum w_i s_i`` of its
    error s_i at sample i, and ``T = sum w_i q_i s_i``, ``q_i = cov(c_i, background) / var``. An
    answer that is not `linear` is linearized over `by` errors (JCGM 100:2008, 5.1.3, note 2).
    """
    if frame.common is None:
        return None
    plain = replace(frame, common=None, overlap=None)
    if not errors:
        plain = replace(plain, stderr=None, counts=None)

    def half_difference(shift: xr.Variable) -> xr.Variable:
        if linear:
            return answer(replace(plain, value=replaced_where(is_nan(frame.value), shift)))
        up, down = (answer(replace(plain, value=frame.value + d * shift)) for d in (by, -by))
        return 0.5 / by * (up - down)

    total = half_difference(frame.common)
    overlapping = 0.0 if frame.overlap is None else half_difference(frame.common * frame.overlap)
    return CommonError(abs(total), total * (total - 2.0 * overlapping))


def add_background_error(
    frame: Frame,
    stderr: xr.Variable,
    answer: Answer,
    *,
    errors: bool = False,
    by: float = 1.0,
    linear: bool = False,
    group: str | None = None,
) -> xr.Variable:
    """Add the errors that samples share to that of an answer: see :func:`common_error`.

    Of a subtracted background, and of the scale of averages. Profiles along the dimension `group`
    have independent ones. The sum is not below 0, although the background may cancel errors of the
    samples.
    """
    frames = [] if frame.common is None else [frame]
    if frame.repeatability is not None:
        frames.append(replace(frame, common=frame.value * frame.repeatability, overlap=None))
    if group is not None:
        place = xr.Variable(group, np.arange(frame.value.sizes[group]))
        pairs: Any = [(f, f.common) for f in frames]
        frames = [
            replace(o, common=c.where(place == i, 0.0)) for o, c in pairs for i in place.values
        ]
    for f in frames:
        error: Any = common_error(f, answer, errors=errors, by=by, linear=linear)
        stderr = (stderr**2 + error.variance).clip(min=0.0) ** 0.5
    return stderr
