"""The answer of a fit: its names, units and words, its warnings, and the order of dimensions."""

import models_truth
import numpy as np
import pytest
import xarray as xr

import sims_analysis as sims
from sims_analysis.errors import FitWarning
from sims_analysis.shapes import find_model

Z = np.linspace(0.0, 300.0, 61)


def implant(straggle=30.0, level=0.0):
    c = models_truth.values("gaussian", (1e15, 100, straggle), Z) + level
    return models_truth.profile(c, Z)


@pytest.fixture(scope="module")
def one():
    """Return a fit with intervals, a prior, a background and uncertain scales."""
    ds = implant(level=1e17).to_dataset()
    ds["concentration_stderr"] = ds["concentration"].copy(data=np.full(Z.size, 1e17))
    return sims.fit(
        ds, model="gaussian", background="fit", prior={"straggle": ("30 nm", "1 nm")},
        depth_uncertainty=0.03, rsf_uncertainty=0.1, interval="profile",
    )  # fmt: skip


AREA, DEPTH, VALUE, NUMBER = "atom/cm^2", "nm", "atom/cm^3", "1"


def test_everything_has_a_unit_and_a_name(one):
    found = {name: (a.attrs.get("units"), a.attrs["long_name"]) for name, a in one.items()}
    expected = {}
    for name, unit in (
        ("dose", AREA), ("projected_range", DEPTH), ("straggle", DEPTH), ("background", VALUE),
        ("depth_scale", NUMBER), ("rsf_scale", NUMBER),
    ):  # fmt: skip
        words = name.replace("_", " ")
        expected[name] = unit, words.capitalize()
        expected[f"{name}_stderr"] = unit, f"Standard error of {words}"
        for end in ("lower", "upper"):
            expected[f"{name}_{end}"] = unit, f"{end.capitalize()} end of the 68 % interval"
    for name in ("straggle", "depth_scale", "rsf_scale"):
        words = name.replace("_", " ")
        expected[f"{name}_pull"] = NUMBER, f"Fit less prior of {words}, in widths of the prior"
    for name in ("retained_dose", "window_dose"):
        words = name.replace("_", " ")
        expected[name] = AREA, words.capitalize()
        expected[f"{name}_stderr"] = AREA, f"Standard error of {words}"
    expected |= {
        "covariance": (None, "Covariance"),
        "status": (None, "Status"),
        "curve_status": (None, "Status of the curve"),
        "residuals": (None, "Residuals"),
        "objective": (None, "Objective"),
        "n_samples": (None, "Number of samples"),
        "n_left_out": (None, "Samples left out"),
        "objective_value": (NUMBER, "Value of the objective"),
        "reduced_chi_square": (NUMBER, "Reduced chi-square"),
        "aic": (NUMBER, "Akaike's criterion"),
        "residual_correlation": (NUMBER, "Correlation of residuals"),
        "largest_departure": (NUMBER, "Largest departure"),
        "window_start": (DEPTH, "Start of the window"),
        "window_stop": (DEPTH, "End of the window"),
    }
    assert found == expected
    assert one["dose"].attrs["description"] == find_model("gaussian").parameters[0].definition
    assert one["straggle_upper"].attrs["description"] == one["straggle"].attrs["description"]
    assert one["status"].attrs["description"] == "ok only if the fit converged inside its bounds"
    assert "parameters are not" in one["curve_status"].attrs["description"]


def test_numbers_of_samples_are_whole_and_flags_are_flags(one):
    assert one["n_samples"].dtype == one["n_left_out"].dtype == np.int64
    names = ["dose", "projected_range", "straggle", "background", "depth_scale", "rsf_scale"]
    for dim in ("parameter", "parameter_"):
        assert one[dim].values.tolist() == names
    assert one["covariance"].dims == ("parameter", "parameter_")


def test_intervals_are_of_parameters_alone_and_only_if_requested(one):
    ends = {name for name in one if name.endswith(("_lower", "_upper"))}
    assert not [name for name in ends if name.startswith(("retained", "window"))]
    plain = sims.fit(implant(), model="gaussian")
    assert not [name for name in plain if name.endswith(("_lower", "_upper", "_pull"))]


def test_a_fit_says_how_it_was_made(one):
    words = {key: one.attrs[key] for key in one.attrs if key not in ("call", "question", "errors")}
    gaussian = find_model("gaussian")
    assert words == {
        "model": "gaussian",
        "model_summary": gaussian.summary,
        "references": gaussian.reference,
        "variable": "concentration",
        "variable_units": VALUE,
        "axis": "depth",
        "linked": "",
        "linked_over": "",
        "depth_uncertainty": "0.03",
        "rsf_uncertainty": "0.1",
        "cell": "point",
        "background": "fitted",
        "fixed": "",
        "prior": "straggle=('30 nm', '1 nm')",
    }
    assert one.attrs["errors"].startswith("68 %, from the inverse Fisher information")


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.FitWarning")
def test_what_was_stated_of_layers_and_of_several_profiles_is_in_the_attributes():
    batch = xr.concat([implant(), implant()], "wafer", combine_attrs="override")
    uncertain = xr.DataArray([0.1, 0.3], dims="wafer", attrs={"units": "1"})
    held = {"straggle": "30 nm", "dose": "1e15 cm^-2"}
    fit = sims.fit(
        batch, model="gaussian", fixed=held, depth_uncertainty=uncertain, background="1e10 cm^-3",
        shared=["projected_range"],
    )  # fmt: skip
    words = [fit.attrs[key] for key in ("depth_uncertainty", "background", "fixed", "linked")]
    assert words == [
        "0.1 to 0.3", "'1e10 cm^-3'", "straggle='30 nm', dose='1e15 cm^-2'", "projected_range",
    ]  # fmt: skip
    assert fit.attrs["linked_over"] == "wafer"
    assert "shared" not in fit.attrs
    layers = sims.fit(implant(), model="delta_drf", repeat=1)
    assert layers.attrs["shared"] == "lambda_growth, lambda_decay, sigma"
    assert layers.attrs["model_summary"].endswith(", 1 of them")
    assert layers.attrs["background"] == "none"


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.FitWarning")
def test_a_fit_after_an_anneal_says_what_was_before():
    before, after = (implant(s).isel(depth=slice(None, None, 4)) for s in (30.0, 40.0))
    fit = sims.fit(after, model="annealed_implant", as_implanted=before)
    assert (fit.attrs["as_implanted"], fit.attrs["surface"]) == ("measured", "reflecting")
    assert fit.attrs["model_summary"] == "a measured profile after diffusion"


def test_a_batch_keeps_the_order_of_its_dimensions_whatever_was_linked():
    four = implant().expand_dims(run=2, wafer=3)
    for over, others in (("wafer", ("run",)), ("run", ("wafer",))):
        fit = sims.fit(four, model="gaussian", shared=["straggle"], over=over)
        assert fit["dose"].dims == fit["status"].dims == fit["window_dose"].dims == ("run", "wafer")
        assert fit["straggle"].dims == fit["aic"].dims == others
        assert fit["covariance"].dims == (*others, "parameter", "parameter_")
    layers = sims.fit(four, model="gaussian", repeat=1)
    assert layers["dose"].dims == ("run", "wafer", "layer")
    assert layers["layer"].values.tolist() == [1]
    assert "layer" not in sims.fit(four, model="gaussian").coords


# --- warnings ---------------------------------------------------------------------------------


def warned(data, **options):
    with pytest.warns(FitWarning) as caught:
        sims.fit(data, **options)
    return [str(one.message) for one in caught]


def test_a_fit_that_is_not_ok_is_warned_of_with_its_first_profile_and_a_remedy():
    rng = np.random.default_rng(0)
    noise = 1e17 * np.exp(0.3 * rng.normal(size=(2, Z.size)))
    good = implant().values
    batch = models_truth.profile(np.stack([good, *noise]), Z, dims=("wafer", "depth"))
    batch = batch.assign_coords(wafer=["a", "b", "c"])
    (message,) = warned(batch, model="gaussian")
    words = "featureless (a constant describes the samples as well)"
    assert message == f"wafer 'b' and 1 more: the fit is not ok: {words}"
    few = implant().isel(depth=slice(None, None, 20))
    (message,) = warned(few, model="gaussian")
    words = "too few samples (fewer samples in the window than are needed)"
    assert message == f"the profile: the fit is not ok: {words}"


def test_residuals_that_are_not_random_are_warned_of_where_the_fit_is_ok():
    c = models_truth.values("gaussian", (1e15, 100, 30), Z)
    c *= 1 + 0.02 * np.cos(Z / 12)
    ds = models_truth.profile(c, Z).to_dataset()
    ds["concentration_stderr"] = ds["concentration"].copy(data=1e-3 * c + 1e15)
    (message,) = warned(ds, model="gaussian")
    assert message == (
        "the profile: the model does not fit; residuals are correlated: the model does not have "
        "the profile's shape"
    )


def test_profiles_that_are_not_linked_have_as_many_layers_as_each_shows():
    """Those with fewer have none in the last places."""
    z, noise = np.arange(0.0, 40.0), 0.02 * np.random.default_rng(0).normal(size=(2, 40))
    one, other = (np.exp(-0.5 * ((z - at) / 2) ** 2) for at in (12, 28))
    ds = models_truth.profile(1e18 * (np.stack([one, one + other]) + noise), z,
                              dims=("wafer", "depth")).to_dataset()  # fmt: skip
    ds["concentration_stderr"] = xr.full_like(ds["concentration"], 2e16)
    fit = sims.fit(ds, model="gaussian", repeat="auto")
    assert fit["status"].values.tolist() == ["ok", "ok"]
    np.testing.assert_allclose(fit["position"], [[12, np.nan], [12, 28]], atol=0.2)
    assert fit.attrs["model_summary"].endswith(", 2 of them")


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.FitWarning")
def test_where_there_is_no_layer_the_answer_has_room_for_one():
    flat = models_truth.profile(np.full(40, 1e18), np.arange(40.0))
    fit = sims.fit(flat, model="gaussian", repeat="auto")
    assert fit["layer"].values.tolist() == [1]
    assert np.isnan(fit["dose"]).all()


def test_a_bar_is_shown_where_one_is_wanted(capsys):
    pytest.importorskip("tqdm")
    sims.fit(implant(), model="gaussian", progress=True)
    assert "fits: 100%" in capsys.readouterr().err
    sims.fit(implant(), model="gaussian")
    assert not capsys.readouterr().err
