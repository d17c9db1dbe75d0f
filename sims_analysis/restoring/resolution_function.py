"""Depth resolution functions: how they are stated, and what they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from sims_analysis import units
from sims_analysis.errors import FitWarning, ProfileError, about, warn
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.run import anywhere
from sims_analysis.kernels.samples import Array
from sims_analysis.shapes import delta_drf, delta_mri
from sims_analysis.text.arguments import argument_error, format_argument, is_number

_SHAPES = {"delta_drf": delta_drf, "delta_mri": delta_mri}
#: Widths that are standard deviations; the others are decay lengths.
_GAUSSIAN = ("sigma", "roughness")
#: So many decay lengths away, and standard deviations of a Gaussian, 1e-20 is left.
_DECAYS, _DEVIATIONS = 46.0, 9.6


@dataclass(frozen=True)
class ResolutionFunction:
    """What an instrument makes of a delta layer at depth 0, over distances in nm."""

    #: ``"delta_drf"`` or ``"delta_mri"``, and its widths in nm, in the order of the model.
    name: str
    widths: tuple[float, ...]

    def density(self, u: Array) -> Array:
        """Return the function, of unit area."""
        value: Array = _SHAPES[self.name].formula(u, 1.0, 0.0, *self.widths)
        return value

    def cumulative(self, u: Array) -> Array:
        """Return its integral up to a distance."""
        value: Array = _SHAPES[self.name].cumulative(u, *self.widths)
        return value

    def described(self) -> str:
        """Return its name and widths."""
        pairs = zip(_names(self.name), self.widths, strict=True)
        return f"{self.name}, " + ", ".join(f"{name} {width:.4g} nm" for name, width in pairs)

    @property
    def reach(self) -> float:
        """Distance beyond which nothing of it arrives."""
        return sum(
            width * (_DEVIATIONS if name in _GAUSSIAN else _DECAYS)
            for name, width in zip(_names(self.name), self.widths, strict=True)
        )

    def within(self, share: float) -> tuple[float, float]:
        """Return the distances below which, and above which, a share of it lies."""
        u = np.linspace(-self.reach, self.reach, 20001)
        below = self.cumulative(u)
        return float(u[below.searchsorted(share)]), float(u[below.searchsorted(1 - share)])

    @cached_property
    def fwhm(self) -> float:
        """Full width at half maximum, in nm."""
        u = np.linspace(*self.within(1e-3), 4001)
        density = self.density(u)
        above = u[density >= 0.5 * density.max()]
        return float(above[-1] - above[0] + u[1] - u[0])


class Resolution(NamedTuple):
    """A resolution function as it was stated: its name, and each width of every profile."""

    name: str
    widths: list[xr.Variable]


@about(argument="resolution")
def read_resolution(frame: Frame, resolution: Any) -> Resolution:
    """Read a resolution function: the deviation of a Gaussian, widths, or a fit that has them."""
    if isinstance(resolution, xr.Dataset):
        return _of_fit(frame, units.dequantify(resolution))
    if not isinstance(resolution, Mapping):
        sigma = _width(frame, resolution, "resolution")
        return _checked("delta_drf", {"sigma": sigma}, format_argument(resolution))
    for name in _SHAPES:
        if set(resolution) == set(_names(name)):
            widths = {k: _width(frame, w, f"resolution[{k!r}]") for k, w in resolution.items()}
            return _checked(name, widths, format_argument(dict(resolution)))
    functions = " or ".join(", ".join(_names(name)) for name in _SHAPES)
    raise argument_error("resolution", dict(resolution), f"expected the widths {functions}")


def _of_fit(frame: Frame, fit: xr.Dataset) -> Resolution:
    model = fit.attrs.get("model")
    name = "delta_drf" if model == "gaussian" else model
    if name not in _SHAPES:
        raise ProfileError(
            "resolution: expected a fit of 'delta_drf', 'delta_mri' or 'gaussian' to a delta layer",
            code="other_result",
        )
    fitted = {"sigma": "straggle"} if model == "gaussian" else {key: key for key in _names(name)}
    widths = {key: _fitted_width(frame, fit, parameter) for key, parameter in fitted.items()}
    read = _checked(name, widths, f"a fit of {model!r}")
    if "status" in fit and (fit["status"] != "ok").any():
        word = str(fit["status"].values[(fit["status"] != "ok").values].ravel()[0])
        if not anywhere(sum(read.widths, xr.Variable((), 0.0)).notnull()):
            raise ProfileError(f"resolution: the fit is {word}, not ok", code=word)
        text = f"resolution: the fit of the function is not ok: {word}"
        warn(text, FitWarning, code=word, argument="resolution")
    return read


def _fitted_width(frame: Frame, fit: xr.Dataset, name: str) -> xr.Variable:
    """Return a width of a fit: one for all profiles, or that of each."""
    width = fit[name]
    if width.size == 1:  # of all profiles, whatever its labels
        width = width.squeeze(drop=True)
    others = [str(d) for d in width.dims if d not in frame.lead]
    if others:
        raise ProfileError(
            f"resolution: the fit is over {', '.join(others)}, and the data are not; choose one of "
            f"its {width.size} fits, as with .isel({others[0]}=0)"
        )
    return frame.parameter(width, ("depth",), f"resolution: {name}")


def _width(frame: Frame, width: Any, name: str) -> xr.Variable:
    if is_number(width) and width == 0:
        return xr.Variable((), 0.0)
    if width is None:
        raise argument_error(name, width, "expected a width, such as '2 nm'")
    return frame.parameter(width, ("depth",), name)


def _checked(name: str, widths: Mapping[str, xr.Variable], value: str) -> Resolution:
    """Refuse negative widths, and widths that are all 0; those that are not stated are 0."""
    every = [widths.get(width_name, xr.Variable((), 0.0)) for width_name in _names(name)]
    for width_name, width in zip(_names(name), every, strict=True):
        if anywhere((width < 0) | np.isinf(width)):
            raise ProfileError(f"resolution={value}: {width_name} must be finite and not negative")
    if anywhere(sum(every, xr.Variable((), 0.0)) == 0):
        raise ProfileError(f"resolution={value}: all widths are 0")
    return Resolution(name, every)


def _names(name: str) -> list[str]:
    return [w for w in _SHAPES[name].MODEL.names if w not in ("dose", "position")]
