"""What an instrument would show of this profile: blurred by a depth resolution function."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis import units
from sims_analysis.errors import ProfileError
from sims_analysis.frame.call import history_after, recorded
from sims_analysis.kernels import segments
from sims_analysis.models._profiles import open_profiles
from sims_analysis.models.model import Array
from sims_analysis.models.samples import in_order
from sims_analysis.models.shapes import find_model
from sims_analysis.text.arguments import format_argument
from sims_analysis.units import QuantityLike

__all__ = ["convolve"]

_FUNCTIONS = ("delta_drf", "delta_mri")
#: Widths that are standard deviations; the others are decay lengths.
_GAUSSIAN = ("sigma", "roughness")
#: Columns of the matrix that are made at a time.
_COLUMNS = 128
#: The largest matrix that is kept for the next profile, in numbers.
_KEPT = 2**24
#: So many decay lengths away, and standard deviations of a Gaussian, 1e-20 is left.
_DECAYS, _DEVIATIONS = 46.0, 9.6

#: The samples at which atoms arrive, those that they come from, and the part that each gets.
_Block = tuple[slice, slice, Array]


@recorded
def convolve(
    data: xr.Dataset | xr.DataArray,
    *,
    resolution: QuantityLike | Mapping[str, QuantityLike] | xr.Dataset,
) -> xr.DataArray:
    """Blur profiles with a depth resolution function; their dose stays what it is.

    Parameters
    ----------
    data : Dataset or DataArray
        Profiles over depth, such as an assumed layer structure, or :func:`evaluate` of a fit; on
        a shared axis or each on its own.
    resolution : str, Quantity, mapping or Dataset
        The standard deviation of a Gaussian, ``"2 nm"``; or the widths of a resolution function,
        ``{"lambda_growth": "1 nm", "lambda_decay": "2 nm", "sigma": "1.5 nm"}`` or
        ``{"mixing_length": ..., "roughness": ..., "information_depth": ...}``; or a fit of
        ``"delta_drf"`` or ``"delta_mri"`` to one delta layer, which knows them.

    Returns
    -------
    DataArray
        At the depths of the data, in their unit, with a line in ``history``.

    Raises
    ------
    ProfileError
        If the widths belong to no resolution function, one of them is negative, or the fit is of
        several profiles.
    UnitsError
        If the data are not over depth, or a width has no unit.

    Notes
    -----
    Each sample stands for the atoms of its cell (the weights of the trapezoid rule); these are
    spread over the samples by the resolution function, all of them: what would lie above the
    first sample or below the last is reflected there. The trapezoidal dose is kept to rounding.
    A resolution function much narrower than the sample spacing leaves them as they are: put a
    structure with sharp edges on a fine grid first.

    The functions shift atoms as they do in the instrument: the centroid of Dowsett's by
    ``lambda_decay - lambda_growth``. A plateau that reaches the last sample piles up there by
    as much: let it extend a few widths beyond the region of interest.

    References
    ----------
    M. G. Dowsett et al., Surf. Interface Anal. 21 (1994) 310; S. Hofmann et al., Appl. Surf. Sci.
    314 (2014) 942, arXiv:1401.1014.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant").sel(species="B")
    >>> blurred = sims.convolve(ds, resolution="3 nm")
    >>> dose, kept = (sims.integrated_dose(one).item() for one in (ds, blurred))
    >>> print(f"{kept / dose:.12f}")
    1.000000000000
    """
    frame = open_profiles(data, question="a convolution", axes=("depth",))

    blurred = frame.each(
        _Blurring(*_kernel(resolution)), size=frame.value.sizes[frame.dim], dim=frame.dim
    )
    made = frame.along_axis(blurred, frame.term, units_=frame.units, label=frame.name)
    if isinstance(data, xr.DataArray):
        made = made.transpose(*data.dims)
    history = history_after(data, f"convolve(resolution={format_argument(resolution)})")
    return made.assign_attrs(history=history)


class _Blurring:
    """A resolution function, and the matrix that it makes of the axis of the last profile.

    Parameters
    ----------
    kernel : callable
        The function, of unit area, over distances in nm.
    reach : float
        Distance beyond which nothing of it arrives.
    """

    def __init__(self, kernel: Callable[[Array], Array], reach: float) -> None:
        self.kernel, self.reach = kernel, reach
        self.kept: tuple[bytes, list[_Block]] = (b"", [])

    def __call__(self, z: Array, c: Array, *_: Any) -> Array:
        out = np.full(c.shape, np.nan)
        here = in_order(z, c)
        out[here] = self._blurred(z[here], c[here])
        return out

    def _blurred(self, z: Array, c: Array) -> Array:
        if z.size < 2:
            return c
        axis, blocks = self.kept
        found: Iterable[_Block] = blocks
        if axis != z.tobytes():
            found = _blocks(z, self.kernel, self.reach)
            if z.size * min(z.size, _across(z, self.reach)) < _KEPT:
                found = list(found)
                self.kept = z.tobytes(), found
        out = np.zeros_like(c)
        for to, source, matrix in found:
            out[to] += matrix @ c[source]
        return out


def _across(z: Array, reach: float) -> int:
    """Return how many samples a function may reach, at most."""
    return int(np.max(z.searchsorted(z + reach) - z.searchsorted(z - reach)))


def _blocks(z: Array, kernel: Callable[[Array], Array], reach: float) -> Iterator[_Block]:
    """Make the matrix: where the atoms of some samples go, and how many of each arrive there."""
    weight = segments.record_weights(z)
    low, high = 2 * z[0], 2 * z[-1]
    for begin in range(0, z.size, _COLUMNS):
        source = slice(begin, min(begin + _COLUMNS, z.size))
        first, last = z[begin] - reach, z[source.stop - 1] + reach
        to = slice(*z.searchsorted([first, last]).tolist())
        at, out_of = z[to, None], z[source]
        spread = kernel(at - out_of)
        if first < z[0]:
            spread += kernel(low - at - out_of)
        if last > z[-1]:
            spread += kernel(high - at - out_of)
        spread = np.maximum(spread, 0.0)
        arrived = weight[to] @ spread
        # A function that falls between all samples moves nothing.
        lost = np.flatnonzero(~(arrived > 1e-12))
        spread[:, lost] = 0.0
        spread[begin - to.start + lost, lost] = 1.0
        arrived[lost] = weight[source][lost]
        yield to, source, spread * (weight[source] / arrived)


def _kernel(resolution: Any) -> tuple[Callable[[Array], Array], float]:
    """Return the resolution function, of unit area, over distances in nm, and its reach."""
    if isinstance(resolution, xr.Dataset):
        return _fitted(resolution)
    if isinstance(resolution, Mapping):
        return _stated(resolution)
    sigma, _ = units.read_quantity(resolution, ("depth",), "resolution")
    return _stated({"lambda_growth": 0.0, "lambda_decay": 0.0, "sigma": float(sigma)})


def _fitted(fit: xr.Dataset) -> tuple[Callable[[Array], Array], float]:
    plain = units.dequantify(fit)
    if plain.attrs.get("model") not in _FUNCTIONS:
        raise ProfileError("resolution: expected a fit of 'delta_drf' or 'delta_mri'")
    widths = _widths(plain.attrs["model"])
    if plain[widths[0]].size != 1:
        raise ProfileError(
            f"resolution: the fit is of {plain[widths[0]].size} profiles; choose one of them"
        )
    found = {name: float(plain[name].values.item()) for name in widths}
    if not np.isfinite(list(found.values())).all():
        raise ProfileError(f"resolution: the fit is {plain['status'].values.item()}, not ok")
    return _stated(found)


def _stated(widths: Mapping[str, Any]) -> tuple[Callable[[Array], Array], float]:
    for name in _FUNCTIONS:
        wanted = _widths(name)
        if set(widths) != set(wanted):
            continue
        values = [_width(widths[one], f"resolution[{one!r}]") for one in wanted]
        if not max(values) > 0:
            raise ProfileError(f"resolution={format_argument(widths)}: all widths are 0")
        reach = sum(
            value * (_DEVIATIONS if one in _GAUSSIAN else _DECAYS)
            for one, value in zip(wanted, values, strict=True)
        )
        return partial(_of_unit_area, find_model(name).formula, values), reach
    functions = " or ".join(", ".join(_widths(name)) for name in _FUNCTIONS)
    raise ProfileError(
        f"resolution={format_argument(dict(widths))}; expected the widths {functions}"
    )


def _of_unit_area(formula: Callable[..., Array], widths: list[float], u: Array) -> Array:
    return formula(u, 1.0, 0.0, *widths)


def _widths(name: str) -> list[str]:
    return [one for one in find_model(name).names if one not in ("dose", "position")]


def _width(value: Any, name: str) -> float:
    if not isinstance(value, float):
        if isinstance(value, int) and not isinstance(value, bool) and value == 0:
            return 0.0
        value = float(units.read_quantity(value, ("depth",), name)[0])
    if not (np.isfinite(value) and value >= 0):
        raise ProfileError(f"{name}={value!r}: a width must not be negative")
    return float(value)
