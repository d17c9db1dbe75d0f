"""Measured implants whose doses are stated with them, and ranges as SRIM prints them."""

import warnings

import models_truth
import numpy as np
import pytest
import shared_profiles
from scipy.optimize import curve_fit

import sims_analysis as sims
from sims_analysis.errors import FitWarning

FOLDER = shared_profiles.FOLDER / "formats" / "two_column"
#: As the decks state them that use these files.
DOSES = {"SiC__Al_SiC__SIMS__Al_SiC_30.sims": 3.0e13, "Si__B_Si_100_7__SIMS__b80_7.dat": 1e13}


def implant(name):
    path = FOLDER / name
    if not path.is_file():
        pytest.skip("no ../shared/data: real profiles are not part of the repository")
    rows = [line.split()[:2] for line in path.read_text().splitlines() if line.strip()]
    z, c = np.array(rows, dtype=float).T
    z, first = np.unique(z, return_index=True)
    return models_truth.profile(c[first], z)


def fitted(data, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return sims.fit(data, **options)


@pytest.mark.parametrize("weights", ["log", "none"])
@pytest.mark.parametrize(("name", "dose"), DOSES.items())
def test_a_pearson_distribution_holds_the_stated_dose(name, dose, weights):
    fit = fitted(implant(name), model="pearson", weights=weights)
    # What SIMS sees is what lies below the surface.
    assert fit["retained_dose"].item() == pytest.approx(dose, rel=0.05)


@pytest.mark.parametrize("name", DOSES)
def test_a_gaussian_is_what_plain_curve_fitting_gives(name):
    one = implant(name)
    z, c = one["depth"].values, one.values
    fit = fitted(one, model="gaussian", weights="none")

    def gaussian(z, q, r, s):
        return q * 1e7 / (np.sqrt(2 * np.pi) * s) * np.exp(-((z - r) ** 2) / (2 * s * s))

    start = [float(np.trapezoid(c, z)) / 1e7, float(z[c.argmax()]), float(np.ptp(z)) / 6]
    peer, covariance = curve_fit(gaussian, z, c, p0=start, x_scale=start, method="trf")
    found = [fit[p].item() for p in ("dose", "projected_range", "straggle")]
    np.testing.assert_allclose(found, peer, rtol=1e-5)
    errors = [fit[f"{p}_stderr"].item() for p in ("dose", "projected_range", "straggle")]
    np.testing.assert_allclose(errors, np.sqrt(np.diag(covariance)), rtol=1e-3)


@shared_profiles.parametrize("srim")
def test_srim_prints_the_moments_of_a_sample_of_ions(name):
    """A fit to 1,000 ions agrees with their moments within its errors, and the range to 0.2 %."""
    ds = sims.SIMSResult.from_json(shared_profiles.read(name)).to_dataset().isel(species=0)
    width = float(np.diff(ds["depth"].values).mean())
    centres = ds["depth"].values - width / 2
    density = ds["range_density"].values
    ions = np.round(density * width * 1e-7 * 1000)
    one = models_truth.profile(ions, centres, units="count", name="counts")
    fit = fitted(one, model="pearson", weights="counts")
    found = sims.moments(ds.assign_coords(depth=("depth", centres, {"units": "nm"})))
    printed = {"projected_range": 1595.0, "straggle": 308.0, "skewness": -0.992, "kurtosis": 4.586}
    assert fit["projected_range"].item() == pytest.approx(printed["projected_range"], rel=0.002)
    for moment, value in printed.items():
        error = fit[f"{moment}_stderr"].item()
        assert abs(fit[moment].item() - value) < 2 * error, moment
        # Those of the bins themselves are SRIM's, to what its table is rounded to.
        assert found[moment].item() == pytest.approx(value, rel=0.01), moment
    assert fit["residuals"].item() == "random"
