"""Two half Gaussians, joined at the mode: the simplest skewed implant."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import ndtr

from sims_analysis.kernels.samples import Array
from sims_analysis.shapes import gaussian
from sims_analysis.shapes.model import Model, Parameter
from sims_analysis.shapes.start_values import moments_above


def formula(z: Array, dose: float, mode: float, shallow: float, deep: float) -> Array:
    """Return ``2 Q / (sqrt(2 pi) (s1 + s2)) exp(-(z - m)^2 / (2 s^2))``, s1 above the mode m."""
    width = np.where(z < mode, shallow, deep)
    return 2 * width / (shallow + deep) * gaussian.formula(z, dose, mode, width)


def derivatives(z: Array, dose: float, mode: float, shallow: float, deep: float) -> Array:
    """Return the derivatives with respect to dose, mode and the two straggles."""
    above = z < mode
    width = np.where(above, shallow, deep)
    part = 2 * width / (shallow + deep)
    by_dose, by_mode, by_width = part * gaussian.derivatives(z, dose, mode, width)
    by_width += dose * by_dose / width
    by_shallow, by_deep = np.where([above, ~above], by_width, 0.0)
    weight = dose * by_dose / (shallow + deep)
    return np.stack([by_dose, by_mode, by_shallow - weight, by_deep - weight])


def start(z: Array, c: Array) -> list[tuple[float, ...]]:
    """Take the moments above a tenth of the maximum; the mode from the skewness."""
    m = moments_above(z, c, 0.1)
    # Widths with about the third moment that was found.
    lean = float(np.clip(m.skewness, -0.8, 0.8)) * 0.6
    shallow, deep = m.deviation * (1 - lean), m.deviation * (1 + lean)
    return [(m.area, m.mean - np.sqrt(2 / np.pi) * (deep - shallow), shallow, deep)]


def moments(p: Mapping[str, float], options: Mapping[str, float]) -> list[float]:
    """Return mean and standard deviation, and the dose below the surface, in closed form."""
    shallow, deep = p["straggle_shallow"], p["straggle_deep"]
    gap = deep - shallow
    mean = p["mode"] + np.sqrt(2 / np.pi) * gap
    width = shallow if p["mode"] > 0 else deep
    minor = 2 * width / (shallow + deep) * float(ndtr(-abs(p["mode"]) / width))
    share = 1 - minor if p["mode"] > 0 else minor
    return [mean, float(np.sqrt((1 - 2 / np.pi) * gap**2 + shallow * deep)), p["dose"] * share]


MODEL = Model(
    name="joined_gaussian",
    summary="an implant that leans to one side",
    parameters=(
        gaussian.MODEL.parameters[0],
        Parameter("mode", "depth", "depth of the maximum"),
        Parameter("straggle_shallow", "depth", "of the half towards the surface", lower=0),
        Parameter("straggle_deep", "depth", "of the half below the mode", lower=0),
    ),
    formula=formula,
    derivatives=derivatives,
    start=start,
    reference="J. F. Gibbons, S. Mylroie, Appl. Phys. Lett. 22 (1973) 568",
    derived=(*gaussian.MODEL.parameters[1:], *gaussian.MODEL.derived),
    derive=moments,
    on_time=True,
)
