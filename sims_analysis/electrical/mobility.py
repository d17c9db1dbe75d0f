"""Mobility of majority carriers in silicon at 300 K, by the concentration of dopants."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sims_analysis.kernels.samples import Array

#: Of the electron, in coulomb (exact since 2019).
CHARGE = 1.602176634e-19

#: mu0, mu_max, mu1, C_r, C_s, alpha, beta, p_c, mu_min2.
_MASETTI = {
    "As": (52.2, 1417.0, 43.4, 9.68e16, 3.43e20, 0.680, 2.00, 0.0, 52.2),
    "P": (68.5, 1414.0, 56.1, 9.20e16, 3.41e20, 0.711, 1.98, 0.0, 68.5),
    "B": (44.9, 470.5, 29.0, 2.23e17, 6.10e20, 0.719, 2.00, 9.23e16, 0.0),
}


def masetti(concentration: Array, element: str) -> Array:
    """Return the mobility in cm^2/Vs for a concentration of dopants in atom/cm^3.

    G. Masetti, M. Severi, S. Solmi, IEEE Trans. Electron Devices 30 (1983) 764, table I.
    """
    mu0, largest, mu1, cr, cs, alpha, beta, pc, least = _MASETTI[element]
    n = np.maximum(concentration, 1.0)
    with np.errstate(under="ignore"):
        value: Array = (
            mu0 * np.exp(-pc / n)
            + (largest - least) / (1 + (n / cr) ** alpha)
            - mu1 / (1 + (cs / n) ** beta)
        )
    return value


def arora(concentration: Array, element: str) -> Array:
    """Return the mobility in cm^2/Vs for a concentration in atom/cm^3, for n or p type.

    N. D. Arora, J. R. Hauser, D. J. Roulston, IEEE Trans. Electron Devices 29 (1982) 292.
    """
    n = np.maximum(concentration, 1.0)
    if element == "B":
        value: Array = 54.3 + 1.36e8 * 300**-2.23 / (1 + (n / 2.35e17) ** 0.88)
    else:
        value = 88.0 + 7.4e8 * 300**-2.33 / (1 + (n / 1.26e17) ** 0.88)
    return value


def astm_f723(concentration: Array, element: str) -> Array:
    """Return the mobility in cm^2/Vs that the resistivity of ASTM F723 comes to, at 23 C.

    Of boron from 1e12 to 1e21 atom/cm^3, of phosphorus to 5e20, and continued beyond: ASTM F723-99
    (SEMI MF723), 7.2.3; W. R. Thurber et al., J. Electrochem. Soc. 127 (1980) 1807 and 2291.
    """
    n = np.maximum(concentration, 1.0)
    if element == "B":
        resistivity = 1.305e16 / n + 1.133e17 / (n * (1 + (2.58e-19 * n) ** -0.737))
    else:
        y = np.log10(n) - 16.0
        above = -3.0769 + y * (2.2108 + y * (-0.62272 + y * 0.057501))
        below = 1.0 + y * (-0.68157 + y * (0.19833 - y * 0.018376))
        resistivity = 6.242e18 / n * 10 ** (above / below)
    value: Array = 1 / (CHARGE * n * resistivity)
    return value


MOBILITIES: dict[str, Callable[[Array, str], Array]] = {
    "masetti": masetti,
    "arora": arora,
    "f723": astm_f723,
}
