"""A depth scale from layers at known depths: one straight line through all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from sims_analysis import units
from sims_analysis.conventions.axes import MEASUREMENT
from sims_analysis.errors import FitWarning, ProfileError, SpeciesError, UnitsError, warn
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.parameters import read_points
from sims_analysis.kernels.samples import Array
from sims_analysis.kernels.straight_line import straight_line
from sims_analysis.outcomes import Status
from sims_analysis.text.arguments import argument_error, format_argument

__all__ = ["MarkerLine", "line_through"]

#: A slope is known from so many standard errors.
_KNOWN = 5.0
#: A line is bent where chance makes its misfit as large in one case of two hundred.
_BENT = 0.005
_STATUS = tuple(one.word for one in (Status.OK, Status.TWO_MARKERS, Status.BENT))


class MarkerLine(NamedTuple):
    """``z = rate t + offset``, with one value of each for every measurement."""

    #: In nm for each unit of the axis: nm/s, or nm/nm.
    rate: xr.Variable
    rate_stderr: xr.Variable
    #: In nm.
    offset: xr.Variable
    offset_stderr: xr.Variable
    #: Chi-square over the degrees of freedom; NaN of two markers.
    misfit: xr.Variable
    #: ``ok``, ``two_markers`` or ``bent``.
    status: xr.Variable


def line_through(frame: Frame, fit: xr.Dataset, depths: Any) -> MarkerLine:
    """Fit a line through the positions of layers and their known depths.

    Apparent positions have the errors, and known depths are the abscissa: the line is that of
    generalised least squares, turned round.
    """
    position, square = _positions(frame, fit)
    known = _known(depths, position.sizes["layer"])
    lead = [d for d in position.dims if d != "layer"]
    where = position.transpose(*lead, "layer").values
    squares = square.transpose(*lead, "parameter", "parameter_").values
    rows = np.vectorize(_line, signature="(n),(n),(n,n)->(k)")(known, where, squares)
    words = np.array(_STATUS)[rows[..., 5].astype(int)]
    _warn(np.unique(words).tolist())
    rate, rate_stderr, offset, offset_stderr, misfit = (
        xr.Variable(lead, rows[..., i]) for i in range(5)
    )
    status = xr.Variable(lead, words)
    return MarkerLine(rate, rate_stderr, offset, offset_stderr, misfit, status)


def _line(known: Array, where: Array, square: Array) -> Array:
    """Return rate, offset, their errors, the misfit and the status of one measurement."""
    line = straight_line(known, where, square)
    (aa, ab), (_, bb) = line.covariance
    a, b = line.intercept, line.slope
    if not b > _KNOWN * np.sqrt(bb):
        raise ProfileError(
            f"markers: the layers do not determine a rate: they move by {b:.3g} +- "
            f"{np.sqrt(bb):.2g} for each nm of the stated depths",
            argument="markers",
        )
    of_offset = (aa - 2 * a / b * ab + (a / b) ** 2 * bb) / b**2
    status, misfit = 1, np.nan
    if line.degrees:
        status, misfit = 2 * (line.chance < _BENT), line.chi_square / line.degrees
    return np.array([1 / b, np.sqrt(bb) / b**2, -a / b, np.sqrt(of_offset), misfit, status])


def _warn(words: Sequence[str]) -> None:
    if "bent" in words:
        warn(
            "markers: the layers do not lie on a straight line, given their errors; the rate is "
            "not constant, or a depth is not that of its layer",
            FitWarning,
            argument="markers",
        )
    elif "two_markers" in words:
        warn(
            "markers: two layers lie on a straight line whatever the rate does between them",
            FitWarning,
            argument="markers",
        )


def _positions(frame: Frame, fit: xr.Dataset) -> tuple[xr.DataArray, xr.DataArray]:
    """Return the positions of the layers, and their covariance, of each measurement."""
    plain = units.dequantify(fit)
    if not {"position", "covariance"} <= set(plain.data_vars) or "layer" not in plain.dims:
        raise ProfileError(
            "markers: expected a fit of several layers, sims.fit(data, model='delta_drf', "
            "repeat=...)",
            argument="markers",
        )
    if plain.attrs.get("depth_uncertainty", "0") != "0":
        raise ProfileError(
            "markers: the positions of this fit have the uncertainty of the depth scale that they "
            "are to calibrate; fit with depth_uncertainty=0",
            argument="markers",
        )
    if plain.sizes.get("species", 1) > 1:
        raise SpeciesError(
            "markers: the fit is of several species; choose one with .sel(species=)",
            argument="markers",
        )
    plain = plain.squeeze("species") if "species" in plain.dims else plain
    other = [d for d in plain["status"].dims if d != MEASUREMENT]
    if other:
        raise ProfileError(f"markers: the fit is over {other[0]!r}; choose one", argument="markers")
    words = np.setdiff1d(np.ravel(plain["status"].values), ["ok"]).tolist()
    if words:
        raise ProfileError(
            f"markers: the fit is {words[0]}, not ok: there are no layers to go by",
            argument="markers",
        )
    position = plain["position"].dropna("layer", how="all")
    if position.attrs.get("units") != frame.axis_units:  # the covariance says no units of its own
        raise UnitsError(
            f"markers: positions are in {position.attrs.get('units')!r}; expected "
            f"{frame.axis_units!r}, as the fit gave them",
            argument="markers",
        )
    labels = _labels(plain, position["layer"].values.tolist())
    square = plain["covariance"].sel(parameter=labels, parameter_=labels)
    square = square.drop_vars(["parameter", "parameter_"])
    return frame.aligned(position, "markers"), frame.aligned(square, "markers")


def _labels(fit: xr.Dataset, layers: list[int]) -> list[str]:
    """Return the labels of the positions in the covariance."""
    there = set(fit["parameter"].values.tolist())
    for name in ("position", "projected_range"):
        labels = [f"{name}[{layer}]" for layer in layers]
        if there.issuperset(labels):
            return labels
    raise ProfileError(
        "markers: the covariance of the fit does not hold the depths of its layers",
        argument="markers",
    )


def _known(depths: Any, n: int) -> Array:
    """Read the known depths, one for each layer."""
    if depths is None or isinstance(depths, str):
        raise argument_error(
            "depths",
            depths,
            "expected the known depths of the layers in order, ['10 nm', '20 nm', ...]",
        )
    values = np.ravel(read_points(depths, ("depth",), "depths", "layer").values)
    if values.size != n:
        raise ProfileError(
            f"depths holds {values.size} depths, and the fit {n} layers", argument="depths"
        )
    if n < 2:
        raise ProfileError(
            "markers: one layer gives no scale; two are needed, and more to test it",
            argument="markers",
        )
    if not (np.diff(values) > 0).all():
        raise ProfileError(
            f"depths={format_argument(depths)}: depths must increase with the layer",
            argument="depths",
        )
    return values
