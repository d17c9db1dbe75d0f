"""Analytic profiles with exact results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from scipy import special

from sims_analysis import vocabulary
from sims_analysis.dataset.registration import register_accessor
from sims_analysis.units import NM_PER_CM, read_number

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from sims_analysis.kernels.rows import Array


@dataclass(frozen=True)
class Truth:
    """Exact properties of an analytic profile; depths in nm.

    Parameters
    ----------
    concentration : callable
        Depth in nm -> concentration in atom/cm^3.
    dose_between : callable
        ``(start, stop)`` in nm -> integral in atom/cm^2.
    crossing : callable
        Level in atom/cm^3 -> depth in nm of the deepest crossing, on the trailing edge; NaN if
        the level is above the maximum.
    peak_depth, peak_concentration : float
        Depth of the maximum at depths >= 0, in nm, and its value in atom/cm^3.
    dose : float
        Integral from depth 0 to infinity, in atom/cm^2.
    """

    concentration: Callable[[ArrayLike], Array]
    dose_between: Callable[[float, float], float]
    crossing: Callable[[float], float]
    peak_depth: float
    peak_concentration: float
    dose: float


def gaussian_profile(
    depth: ArrayLike,
    *,
    dose: Any,
    projected_range: Any,
    straggle: Any,
    species: str = "B",
) -> tuple[xr.Dataset, Truth]:
    """Make a Gaussian implant: ``C = Q / (sqrt(2 pi) s) exp(-(z - Rp)^2 / 2 s^2)``.

    Parameters
    ----------
    depth : array_like
        Depths of the samples, in nm.
    dose : str or Quantity
        Of the whole Gaussian, including its part above the surface: ``"1e14 atoms/cm^2"``.
    projected_range, straggle : str or Quantity
        ``"162.9 nm"``, ``"51.5 nm"``.
    species : str

    Returns
    -------
    dataset : Dataset
        As :func:`sims_analysis.to_dataset` returns it.
    truth : Truth

    Examples
    --------
    >>> import numpy as np
    >>> from sims_analysis.testing import gaussian_profile
    >>> ds, truth = gaussian_profile(
    ...     np.arange(0.0, 500.0), dose="1e14 atoms/cm^2",
    ...     projected_range="162.9 nm", straggle="51.5 nm",
    ... )
    >>> f"{truth.peak_concentration:.6e}", f"{truth.dose:.7e}", f"{truth.crossing(1e15):.5f}"
    ('7.746452e+18', '9.9921952e+13', '380.84895')
    """
    total = read_number(dose, ("areal_density",), "dose")
    rp = read_number(projected_range, ("depth",), "projected_range")
    s = read_number(straggle, ("depth",), "straggle")
    top = total * NM_PER_CM / (np.sqrt(2 * np.pi) * s)

    def concentration(z: Array) -> Any:
        return top * np.exp(-0.5 * ((z - rp) / s) ** 2)

    def dose_between(start: float, stop: float) -> float:
        # Use the complement above the mean, so that tails keep their digits.
        low, high = (start - rp) / s, (stop - rp) / s
        if low > 0:
            low, high = -high, -low
        return float(total * (special.ndtr(high) - special.ndtr(low)))

    def crossing(level: float) -> float:
        return float(rp + s * np.sqrt(2 * np.log(top / level)))

    return _profile(depth, species, concentration, dose_between, crossing, peak=max(rp, 0.0))


def erfc_profile(
    depth: ArrayLike,
    *,
    surface_concentration: Any,
    diffusion_length: Any,
    species: str = "B",
) -> tuple[xr.Dataset, Truth]:
    """Make a profile of diffusion from a constant source.

    ``C = Cs erfc(z / L)`` with ``L = 2 sqrt(D t)``.

    Parameters
    ----------
    depth : array_like
        Depths of the samples, in nm.
    surface_concentration : str or Quantity
        ``"1e20 atoms/cm^3"``.
    diffusion_length : str or Quantity
        ``2 sqrt(D t)``, such as ``"100 nm"``.
    species : str

    Returns
    -------
    dataset : Dataset
    truth : Truth

    Examples
    --------
    >>> import numpy as np
    >>> from sims_analysis.testing import erfc_profile
    >>> ds, truth = erfc_profile(
    ...     np.arange(0.0, 500.0), surface_concentration="1e20 atoms/cm^3",
    ...     diffusion_length="100 nm",
    ... )
    >>> f"{truth.dose:.8e}", f"{truth.crossing(1e17):.5f}"
    ('5.64189584e+14', '232.67538')
    """
    top = read_number(surface_concentration, ("concentration",), "surface_concentration")
    length = read_number(diffusion_length, ("depth",), "diffusion_length")

    def beyond(z: float) -> float:
        """Integral of erfc from z / L to infinity."""
        u = z / length
        if np.isinf(u):
            return 0.0
        return float(np.exp(-u * u) * (1 / np.sqrt(np.pi) - u * special.erfcx(u)))

    def dose_between(start: float, stop: float) -> float:
        return top * length / NM_PER_CM * (beyond(start) - beyond(stop))

    def crossing(level: float) -> float:
        return float(length * special.erfcinv(level / top))

    return _profile(
        depth, species, lambda z: top * special.erfc(z / length), dose_between, crossing
    )


def exponential_profile(
    depth: ArrayLike,
    *,
    surface_concentration: Any,
    decay_length: Any,
    species: str = "B",
) -> tuple[xr.Dataset, Truth]:
    """Make an exponential trailing edge: ``C = C0 exp(-z / lambda)``.

    Parameters
    ----------
    depth : array_like
        Depths of the samples, in nm.
    surface_concentration : str or Quantity
        ``"1e20 atoms/cm^3"``.
    decay_length : str or Quantity
        Depth per factor e, such as ``"5 nm"``.
    species : str

    Returns
    -------
    dataset : Dataset
    truth : Truth

    Examples
    --------
    >>> import numpy as np
    >>> from sims_analysis.testing import exponential_profile
    >>> ds, truth = exponential_profile(
    ...     np.arange(0.0, 101.0), surface_concentration="1e20 atoms/cm^3", decay_length="5 nm"
    ... )
    >>> f"{truth.dose_between(0, 100):.8e}", f"{truth.crossing(1e17):.6f}"
    ('4.99999999e+13', '34.538776')
    """
    top = read_number(surface_concentration, ("concentration",), "surface_concentration")
    length = read_number(decay_length, ("depth",), "decay_length")

    def dose_between(start: float, stop: float) -> float:
        share = np.exp(-start / length) * -np.expm1(-(stop - start) / length)
        return float(top * length / NM_PER_CM * share)

    def crossing(level: float) -> float:
        return float(length * np.log(top / level))

    return _profile(depth, species, lambda z: top * np.exp(-z / length), dose_between, crossing)


def _profile(
    depth: ArrayLike,
    species: str,
    concentration: Callable[[Array], Any],
    dose_between: Callable[[float, float], float],
    crossing: Callable[[float], float],
    peak: float = 0.0,
) -> tuple[xr.Dataset, Truth]:
    """Return samples of a closed form, and its exact properties."""

    def at(z: ArrayLike) -> Array:
        return np.asarray(concentration(np.asarray(z, dtype=float)))

    def crossed(level: float) -> float:
        return crossing(level) if level <= top else np.nan

    top, dose = float(at(peak)), dose_between(0.0, np.inf)
    z = np.asarray(depth, dtype=float)
    register_accessor()
    values = ("species", "depth"), at(z)[None, :], vocabulary.attrs("concentration")
    dataset = xr.Dataset(
        {"concentration": values},
        coords={
            "species": ("species", np.array([species])),
            "depth": ("depth", z, vocabulary.attrs("depth")),
        },
        attrs={"source": "synthetic: a closed form, without noise"},
    )
    return dataset, Truth(at, dose_between, crossed, peak, top, dose)
