"""The moments of a fit as text for process simulators: names, order, units."""

import models_truth
import numpy as np
import pytest
from error_parts import raises, warns

import sims_analysis as sims
from sims_analysis.errors import FitWarning, ProfileError, ReadError, SpeciesError


def fitted(model, parameters, end=400):
    z = np.linspace(0, end, 401)
    return sims.fit(models_truth.profile(models_truth.values(model, parameters, z), z), model=model)


def numbers(path):
    lines = path.read_text().splitlines()
    return [[float(v) for v in line.split()] for line in lines if not line.startswith("#")]


def test_suprem_has_skewness_before_kurtosis_and_viennaps_after(tmp_path):
    fit = fitted("pearson", (1e15, 100, 30, 0.3, 3.5))
    suprem = sims.to_tcad(fit, tmp_path / "s.txt")
    assert suprem.read_text().splitlines()[1] == (
        "# projected_range (um), straggle (um), skewness (gamma), kurtosis (beta), dose (atom/cm^2)"
    )
    assert numbers(suprem)[0] == pytest.approx([0.1, 0.03, 0.3, 3.5, 1e15], rel=1e-6)
    vienna = sims.to_tcad(fit, tmp_path / "v.txt", order="viennaps", depth_units="nm")
    assert numbers(vienna)[0] == pytest.approx([100, 30, 3.5, 0.3, 1e15], rel=1e-6)


def test_a_dual_pearson_has_a_line_for_head_and_tail(tmp_path):
    fit = fitted("dual_pearson", (1e15, 0.8, 100, 30, -0.2, 3.2, 160, 60, 0.6, 4.2), 500)
    head, tail = numbers(sims.to_tcad(fit, tmp_path / "d.txt"))
    assert head == pytest.approx([0.1, 0.03, -0.2, 3.2, 8e14], rel=1e-4)
    assert tail == pytest.approx([0.16, 0.06, 0.6, 4.2, 2e14], rel=1e-4)


def test_a_gaussian_has_the_moments_of_one(tmp_path):
    path = sims.to_tcad(fitted("gaussian", (1e15, 100, 30)), tmp_path / "g.txt", comment=None)
    assert numbers(path)[0] == pytest.approx([0.1, 0.03, 0.0, 3.0, 1e15], rel=1e-6)


def test_what_a_simulator_cannot_read_is_refused(tmp_path):
    with raises(ProfileError, argument="order"):
        sims.to_tcad(fitted("gaussian", (1e15, 100, 30)), tmp_path / "x.txt", order="atlas")
    with raises(SpeciesError, argument="species", species="B"):
        sims.to_tcad(fitted("gaussian", (1e15, 100, 30)), tmp_path / "x.txt", species="B")
    with raises(ProfileError, argument="order"):
        sims.to_tcad(fitted("gaussian", (1e15, 100, 30)), tmp_path / "x.txt", order=["suprem"])
    # Not those of a Gaussian in place of its own.
    cut = fitted("pearson", (1e15, 100, 30, 0.3, 3.5)).drop_vars("skewness")
    with pytest.raises(KeyError, match="skewness"):
        sims.to_tcad(cut, tmp_path / "x.txt")
    assert not (tmp_path / "x.txt").exists()


@pytest.mark.parametrize("comment", ["#", "//"])
@pytest.mark.parametrize("order", ["suprem", "viennaps"])
def test_moments_are_not_read_as_a_profile(tmp_path, order, comment):
    """Range and straggle are no depth and value, whatever units are stated for the columns."""
    fit = fitted("dual_pearson", (1e15, 0.8, 100, 30, -0.2, 3.2, 160, 60, 0.6, 4.2), 500)
    path = sims.to_tcad(fit, tmp_path / "d.txt", order=order, comment=comment)
    for stated in ({}, {"depth_units": "um", "units": "atom/cm^3"}):
        with raises(ReadError, "ambiguous_table", argument="columns"):
            sims.read(path, **stated)


def test_the_curve_of_a_fit_is_read_back(tmp_path):
    fit = fitted("gaussian", (1e15, 100, 30))
    z = np.linspace(0, 300, 301)
    curve = sims.evaluate(fit, depth=models_truth.profile(z, z)["depth"])
    path = sims.to_tcad(curve, tmp_path / "c.txt", depth_units="nm")
    read = sims.read(path, species="B").to_dataset()
    np.testing.assert_allclose(read["concentration"].values[0], curve.values, rtol=1e-12)


def refused(data, path, **options):
    with pytest.raises((ProfileError, SpeciesError)) as found:
        sims.to_tcad(data, path, **options)
    assert not path.exists()
    return found.value


def test_what_is_refused_is_named_with_a_remedy(tmp_path, approved):
    path = tmp_path / "x.txt"
    ds = sims.open_example("boron-implant")
    approved(refused(ds, path))
    batch = sims.stack([ds, ds], names=["w1", "w2"])
    approved(refused(batch, path, species="P"))
    approved(refused(sims.open_example("sputter-time"), path, species="Si"))
    approved(refused(fitted("erfc", (1e20, 100)), path))


def of_batch():
    z = np.linspace(0, 300, 151)
    both = np.stack([models_truth.values("gaussian", (q, 100, 30), z) for q in (1e15, 2e15)])
    data = models_truth.profile(both, z, dims=("species", "depth"))
    return sims.fit(data.assign_coords(species=["B", "P"]), model="gaussian")


def test_one_species_of_a_fit_is_selected_by_its_name(tmp_path, approved):
    fit, path = of_batch(), tmp_path / "x.txt"
    approved(refused(fit, path))
    approved(refused(fit, path, species="As"))
    lines = sims.to_tcad(fit, path, species="P").read_text().splitlines()
    assert lines[0] == "# P: gaussian"
    assert numbers(path)[0] == pytest.approx([0.1, 0.03, 0, 3, 2e15], rel=1e-6)
    one = fit.sel(species="B")
    assert sims.to_tcad(one, path, species="B").read_text().startswith("# B: gaussian\n")
    assert sims.to_tcad(one, path).read_text().startswith("# B: gaussian\n")


def test_the_head_of_a_file_says_what_its_lines_are(tmp_path):
    dual = fitted("dual_pearson", (1e15, 0.8, 100, 30, -0.2, 3.2, 160, 60, 0.6, 4.2), 500)
    path = sims.to_tcad(dual, tmp_path / "d.txt", comment="//", order="viennaps", depth_units="nm")
    assert path.read_text().splitlines()[:2] == [
        "// dual_pearson, head, then channelling tail",
        (
            "// projected_range (nm), straggle (nm), kurtosis (beta), skewness (gamma), "
            "dose (atom/cm^2)"
        ),
    ]
    path = sims.to_tcad(fitted("gaussian", (1e15, 100, 30)), tmp_path / "g.txt")
    assert path.read_text().splitlines()[0] == "# gaussian"


def test_a_fit_that_is_in_doubt_is_warned_of_and_one_without_parameters_is_refused(
    tmp_path, approved
):
    fit = fitted("gaussian", (1e15, 100, 30))
    path = tmp_path / "x.txt"
    fit["status"] = fit["status"].copy(data="at_bound")
    with warns(FitWarning, "at_bound", argument="data"):
        sims.to_tcad(fit, path)
    path.unlink()
    fit["dose"] = fit["dose"] * np.nan
    fit["dose"].attrs["units"] = "atom/cm^2"
    approved(refused(fit, path))


def test_a_dose_is_of_atoms_or_a_fraction_of_them(tmp_path, approved):
    fit, path = fitted("gaussian", (1e15, 100, 30)), tmp_path / "x.txt"
    fit["dose"].attrs["units"] = "1"
    assert sims.to_tcad(fit, path).read_text().splitlines()[1].endswith("dose (1)")
    path.unlink()
    fit["dose"].attrs["units"] = "count nm/s"
    approved(refused(fit, path))


def test_a_data_set_of_sentaurus_is_read_again(tmp_path):
    ds = sims.open_example("boron-implant")
    path = sims.to_tcad(ds, tmp_path / "B.PLX", species="B", floor="1e16 atoms/cm^3")
    assert path.read_text().splitlines()[0] == '"B"'
    again = sims.read(path).to_dataset()["concentration"].sel(species="B")
    expected = ds["concentration"].sel(species="B").clip(min=1e16)
    np.testing.assert_allclose(again.values, expected.values, rtol=1e-15)
    assert (expected == 1e16).any()
    for options in ({"floor": "0 atoms/cm^3"}, {"depth_units": "nm"}):
        with raises(sims.errors.ProfileError, argument=next(iter(options))):
            sims.to_tcad(ds, tmp_path / "c.plx", species="B", **options)
