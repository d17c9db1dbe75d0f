"""The arguments of a fit: how they are read, and what is refused, in full words."""

from dataclasses import replace

import models_truth
import numpy as np
import pytest
import xarray as xr

import sims_analysis as sims
from sims_analysis.errors import ProfileError, UnitsError
from sims_analysis.fitting import fit as fitting
from sims_analysis.shapes import find_model

Z = np.arange(30.0)
GAUSSIAN = find_model("gaussian")


def profiles(*dims):
    """Give two profiles along each dimension."""
    return models_truth.profile(np.ones((2,) * len(dims) + (30,)), Z, dims=(*dims, "depth"))


ONE, TWO, FOUR = profiles(), profiles("wafer"), profiles("wafer", "run")
TIMED = xr.DataArray(
    np.ones(30), dims="sputter_time", attrs={"units": "count/s"}, name="intensity",
    coords={"sputter_time": ("sputter_time", Z, {"units": "s"})},
)  # fmt: skip


class ReadError(Exception):
    """Ends a fit once its arguments are read."""


@pytest.fixture
def read(monkeypatch):
    """Return a function that reads the arguments of a fit, which is not made."""

    def stopped(found, *_, **__):
        raise ReadError(found)

    def read_one(data=ONE, model="gaussian", **options):
        with monkeypatch.context() as patch:
            patch.setattr(fitting, "fit_each", stopped)
            with pytest.raises(ReadError) as end:
                sims.fit(data, model=model, **options)
        return end.value.args[0]

    return read_one


def wafers(*values, units="nm", dims="wafer"):
    return xr.DataArray(np.array(values), dims=dims, attrs={"units": units})


# --- what is refused --------------------------------------------------------------------------

LEVELLED = replace(GAUSSIAN, name="levelled", has_levels=True)
DOSE, *OTHERS = GAUSSIAN.parameters


def of_ones_own(**part):
    """Give a Gaussian of one's own, something of its dose being another."""
    return replace(GAUSSIAN, derived=(), parameters=(replace(DOSE, **part), *OTHERS))


FIXED_ALL = {"dose": "3 cm^-2", "projected_range": "3 nm", "straggle": "1 nm"}
HAS = "the model 'gaussian' has dose, projected_range, straggle"
PAIR = "expected a value and its standard uncertainty, such as ('1.6 nm', '0.2 nm')"
LAYERS = "expected a number of layers, such as 5, or 'auto'"
ADDS = "with_counting_statistics() adds them"
RENAMED = "in the data is a dimension of every fit; rename it, as in data.rename"


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        # Layers.
        (
            ONE, {"model": "erfc", "repeat": 2},
            ("repeat=2; the model 'erfc' is not that of a layer; 'delta_drf', 'delta_mri' and "
            "'gaussian' are"),
        ),
        (
            ONE, {"model": LEVELLED, "repeat": 2},
            ("repeat=2; the model 'levelled' has a level of its own, which would be repeated, too; "
            "leave it to background='fit'"),
        ),
        *((ONE, {"repeat": n}, f"repeat={n!r}; {LAYERS}") for n in (0, 2.0, True, "many")),
        (ONE, {"over": "layer"}, "over='layer' is of use only with repeat"),
        (
            TWO.chunk(), {"repeat": "auto"},
            ("repeat='auto': the layers of Dask data are not known ahead; give their number, or "
            "data.compute()"),
        ),
        (
            ONE, {"repeat": 3, "fixed": {"straggle": "1 nm", "projected_range": ["1 nm"] * 2}},
            "fixed['projected_range'] holds 2 values; expected 3, one for each layer",
        ),
        (
            ONE, {"repeat": "auto", "fixed": {"projected_range": ["1 nm"] * 2}},
            "fixed['projected_range'] holds 2 values; expected 1, one for each layer",
        ),
        (
            ONE, {"repeat": 3, "prior": {"dose": [("1 cm^-2", "1 cm^-2")] * 2}},
            "prior['dose'] holds 2 values; expected 3, one for each layer",
        ),
        # An anneal.
        (ONE, {"surface": "open"}, "surface='open'; expected 'reflecting' or 'absorbing'"),
        (
            ONE, {"model": "annealed_implant", "as_implanted": "15 nm", "surface": "absorbing"},
            "surface='absorbing'; of no use to the model 'annealed_implant'",
        ),
        (
            ONE, {"as_implanted": ONE},
            "as_implanted=<DataArray concentration>; of no use to the model 'gaussian'",
        ),
        (
            ONE, {"model": "annealed_implant", "as_implanted": ONE, "cell": "mean"},
            (
                "cell='mean' with a measured profile as as_implanted: means over cells stay means "
                "over cells while they diffuse, so that nothing has to be averaged; leave cell out"
            ),
        ),
        (
            TWO, {"model": "annealed_implant", "as_implanted": TWO, "start": wafers(1.0, 2.0)},
            "start must be one depth with a measured profile as as_implanted",
        ),
        (
            ONE, {"model": "annealed_implant", "as_implanted": TWO},
            ("as_implanted is over 'wafer', and the data over (depth): add this dimension to the "
            "data first, for instance with data.expand_dims(wafer=...)"),
        ),
        (
            ONE, {"model": "annealed_implant", "as_implanted": xr.Dataset({"dose": 1.0})},
            "as_implanted=<Dataset>; expected a fit with a straggle, such as a Gaussian",
        ),
        (ONE, {"time": "3 s"}, "time='3 s'; of no use to the model 'gaussian'"),
        (
            ONE, {"model": "erfc", "as_implanted": "3 nm"},
            "as_implanted='3 nm'; of no use to the model 'erfc'",
        ),
        # What profiles have in common.
        (TWO, {"over": "wafer"}, "over='wafer' is of use only with shared"),
        (
            TWO, {"shared": ["straggle"], "over": "run"},
            "over='run'; expected the dimension of the profiles that share 'straggle': 'wafer'",
        ),
        (
            ONE, {"shared": ["straggle"]},
            ("over=None; expected the dimension of the profiles that share 'straggle': none: there "
            "is a single profile"),
        ),
        (
            FOUR, {"shared": ["straggle", "dose"]},
            ("over=None; expected the dimension of the profiles that share 'straggle', 'dose': "
            "'wafer', 'run'"),
        ),
        (TWO, {"shared": ()}, "shared=(): name the parameters that profiles have in common"),
        (
            TWO, {"shared": "straggle"},
            "shared='straggle'; expected names of parameters, such as ['straggle']",
        ),
        (TWO, {"shared": 3}, "shared=3; expected names of parameters, such as ['straggle']"),
        (TWO, {"shared": ["sigma"]}, f"shared names 'sigma'; {HAS}"),
        (TWO, {"shared": [3]}, f"shared names '3'; {HAS}"),
        (TWO, {"shared": ["background"]}, f"shared names 'background'; {HAS}"),
        (
            TWO, {"shared": ["sigma"], "background": "fit"},
            f"shared names 'sigma'; {HAS}, background",
        ),
        (
            TWO, {"model": "erfc", "shared": ["sigma"]},
            ("shared names 'sigma'; the model 'erfc' has surface_concentration, diffusion_length, "
            "diffusivity"),
        ),
        (
            ONE, {"model": "delta_drf", "repeat": 2, "shared": ["straggle"]},
            ("shared names 'straggle'; the model 'delta_drf' has dose, position, lambda_growth, "
            "lambda_decay, sigma"),
        ),
        (TWO, {"model": "erfc", "shared": ["diffusivity"]}, "shared='diffusivity' needs time="),
        (
            TWO, {"model": "annealed_implant", "shared": ["diffusivity"], "time": "3 s"},
            "shared='diffusivity' needs as_implanted=",
        ),
        *(
            (
                TWO, {"model": "erfc", "time": "3 s", **more},
                ("shared='diffusivity' takes the place of 'diffusion_length', which cannot be "
                "shared or held"),
            )
            for more in (
                {"shared": ["diffusivity", "diffusion_length"]},
                {"shared": ["diffusivity"], "fixed": {"diffusion_length": "3 nm"}},
            )
        ),
        # What is known before.
        (
            ONE, {"prior": ["straggle"]},
            ("prior=['straggle']; expected a value and its standard uncertainty by name, such as "
            "{'straggle': ('1.6 nm', '0.2 nm')}"),
        ),
        (ONE, {"prior": {"sigma": ("1 nm", "1 nm")}}, f"prior names 'sigma'; {HAS}"),
        (ONE, {"prior": {"straggle": "1 nm"}}, f"prior['straggle']='1 nm'; {PAIR}"),
        (ONE, {"prior": {"straggle": ("1 nm",)}}, f"prior['straggle']=('1 nm',); {PAIR}"),
        (
            ONE, {"prior": {"straggle": ("1 nm", "0 nm")}},
            "prior['straggle'][1]='0 nm'; expected a width above 0",
        ),
        (
            ONE, {"prior": {"straggle": ("-1 nm", "1 nm")}},
            "prior['straggle'][0]='-1 nm'; expected a value from 0 to inf",
        ),
        (
            ONE, {"prior": {"straggle": ("1 nm", "1 nm")}, "fixed": {"straggle": "1 nm"}},
            "'straggle' is in both prior and fixed: a held value has no prior",
        ),
        (
            ONE, {"depth_uncertainty": 2},
            ("depth_uncertainty=2; expected a relative uncertainty from 0 to below 1, such as 0.05 "
            "or '5 %'"),
        ),
        (
            TIMED, {"depth_uncertainty": 0.03},
            "depth_uncertainty: the data are over sputter time, not over depth",
        ),
        # What is held.
        (
            ONE, {"fixed": ["straggle"]},
            ("fixed=['straggle']; expected values by the names of parameters, such as "
            "{'dose': ...}"),
        ),
        (ONE, {"fixed": {"width": "3 nm"}}, f"fixed names 'width'; {HAS}"),
        (ONE, {"fixed": FIXED_ALL}, ("fixed holds all parameters of 'gaussian': there is nothing "
                                    "to fit")),
        (
            ONE, {"fixed": {"straggle": "-3 nm"}},
            "fixed['straggle']='-3 nm'; expected a value from 0 to inf",
        ),
        (
            ONE, {"model": "pearson", "fixed": {"kurtosis": 0.5}},
            "fixed['kurtosis']=0.5; expected a value from 1 to 1000",
        ),
        *(
            (
                ONE, {"model": "pearson", "fixed": {"skewness": value}},
                f"fixed['skewness']={value!r}; expected a number",
            )
            for value in (True, None)
        ),
        # Words.
        (
            ONE, {"weights": "sqrt"},
            "weights='sqrt'; expected 'auto', 'counts', 'stderr', 'log' or 'none'",
        ),
        (ONE, {"cell": "bin"}, "cell='bin'; expected 'auto', 'point' or 'mean'"),
        (ONE, {"interval": "bayes"}, "interval='bayes'; expected 'linear' or 'profile'"),
        (ONE, {"progress": 3}, "progress=3; expected True or False"),
        (
            ONE, {"weights": "counts"},
            f"weights='counts'; the data have no concentration_counts; {ADDS}",
        ),
        (
            TIMED, {"weights": "stderr"},
            f"weights='stderr'; the data have no intensity_stderr; {ADDS}",
        ),
        (
            ONE, {"model": "edge", "background": "fit"},
            "background='fit'; the model 'edge' has levels of its own, left_level, right_level",
        ),
        (
            ONE, {"background": "Fit"},
            "background='Fit'; expected 'fit', or a value such as '2e15 atoms/cm^3'",
        ),
        (
            ONE, {"detection_limit": "-1e16 cm^-3"},
            "detection_limit='-1e16 cm^-3'; expected no negative limit",
        ),
        (ONE, {"model": "erfc", "time": "0 s"}, "time='0 s'; expected a time above 0"),
        (
            ONE, {"model": "annealed_implant", "as_implanted": "-1 nm"},
            "as_implanted='-1 nm'; expected no negative straggle",
        ),
        (
            ONE, {"start": "50 nm", "stop": "20 nm"},
            "start must come before stop, found start='50 nm' and stop='20 nm'",
        ),
        # Names and models.
        *(
            (one, {"repeat": 2}, f'{name!r} {RENAMED}({name}="condition")')
            for name in ("parameter", "parameter_", "layer")
            for one in (ONE.expand_dims({name: 2}), ONE.assign_coords({name: 3}))
        ),
        (
            ONE, {"model": of_ones_own(name="background")},
            ("the model 'gaussian', parameter 'background': another variable of its fits has that "
            "name (a constant under the profile is no parameter of a model: background='fit')"),
        ),
        *(
            (
                ONE, {"model": of_ones_own(name=name)},
                (f"the model 'gaussian', parameter {name!r}: another variable of its fits has that "
                "name (a constant under the profile is no parameter of a model: background='fit')"),
            )
            for name in ("status", "covariance", "curve_status", "projected_range", "window_dose")
        ),
        (
            ONE, {"model": of_ones_own(kind="length")},
            ("the model 'gaussian', parameter 'dose': kind='length'; expected one of 'depth', "
            "'per_depth', 'value', 'area', 'slope', 'dimensionless', 'diffusivity', 'velocity'"),
        ),
        *(
            (
                ONE, {"model": replace(GAUSSIAN, start=lambda *_, found=found: found)},
                (f"the model 'gaussian' starts from {found[0]!r}; its start(z, c) must give a list "
                "of sets, each with 3 values: dose, projected_range, straggle"),
            )
            for found in ([(1.0, 90.0)], (1.0, 90.0, 20.0))
        ),
        (
            ONE, {"model": replace(GAUSSIAN, start=lambda *_: [])},
            "the model 'gaussian' has no starting values: start(z, c) is empty",
        ),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(data, options, message):
    with pytest.raises(ProfileError) as refused:
        sims.fit(data, **{"model": "gaussian", **options})
    assert str(refused.value) == message


TWICE = TWO.assign_coords(wafer=["a", "b"]).where((TWO["depth"] != 7), np.inf)
CALIBRATED = "needs a depth, and the data are on a sputter-time axis; calibrate_depth() turns"


INFINITE = (
    "concentration[7] is inf; a sample needs a finite depth and a finite value (NaN: not measured)"
)


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (TIMED, UnitsError, f"a fit of 'erfc' {CALIBRATED} sputter time into depth"),
        (
            [1, 2], TypeError,
            "a fit of 'erfc' needs an xarray Dataset or DataArray, found list",
        ),
        (TWICE, ProfileError, f"wafer 'a': {INFINITE}"),
        (TWICE.isel(wafer=0, drop=True), ProfileError, f"the profile: {INFINITE}"),
        (TWICE.where(TWICE["wafer"] == "b", 1.0), ProfileError, f"wafer 'b': {INFINITE}"),
    ],
)  # fmt: skip
def test_what_is_no_profile_over_depth_is_refused(data, error, message):
    with pytest.raises(error) as refused:
        sims.fit(data, model="erfc")
    assert str(refused.value) == message


@pytest.mark.parametrize("model", ["gauss", 3])
def test_an_unknown_model_is_refused_with_those_that_there_are(model):
    with pytest.raises(ProfileError) as refused:
        sims.fit(ONE, model=model)
    known = ", ".join(map(repr, sims.list_models().index))
    assert str(refused.value) == f"model={model!r}; expected one of {known}"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start": 5}, "start=5 has no unit"),
        ({"fixed": {"straggle": 3}}, "fixed['straggle']=3 has no unit; write it like '3 nm'"),
        ({"fixed": {"straggle": True}}, "fixed['straggle']=True has no unit"),
        ({"background": 3e15}, "background=3000000000000000.0 has no unit"),
        ({"prior": {"straggle": ("1 nm", "1 s")}}, "prior['straggle'][1]='1 s'"),
        ({"prior": {"straggle": (1.0, "1 nm")}}, "prior['straggle'][0]=1.0 has no unit"),
        ({"model": "annealed_implant", "as_implanted": "x"}, "as_implanted='x' is not a number"),
        (
            {"model": "edge", "fixed": {"left_slope": "3 nm"}},
            "fixed['left_slope']='3 nm': give the number in atom/cm^3 / nm",
        ),
    ],
)
def test_what_has_no_unit_or_a_wrong_one_is_refused_by_its_name(options, message):
    with pytest.raises(UnitsError) as refused:
        sims.fit(ONE, **{"model": "gaussian", **options})
    assert str(refused.value).startswith(message)


# --- what is read -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "stated", "expected"),
    [
        ("auto", False, "point"), ("auto", True, "mean"), ("point", True, "point"),
        ("point", False, "point"), ("mean", False, "mean"), ("mean", True, "mean"),
    ],
)  # fmt: skip
def test_samples_are_means_where_the_data_state_cells_or_cell_says_so(read, cell, stated, expected):
    edges = ("depth", "bound"), np.stack([Z - 0.5, Z + 0.5], axis=1)
    one = ONE.to_dataset(name="concentration")
    one = one.assign_coords(depth_bounds=edges) if stated else one
    assert read(one, cell=cell).cell == expected
    # Means over cells stay such while they diffuse.
    if cell == "auto":
        found = read(one, "annealed_implant", as_implanted=ONE)
        assert found.cell == "point"


WITH_LIMIT = "Depth (nm),B (atoms/cm3)\n0,9E15\n1,9E16\n2,9E15\n3,<5E15"


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.ProfileWarning")
@pytest.mark.parametrize(
    ("weights", "limit", "expected"),
    [
        ("auto", None, 5e15), ("log", None, 5e15), ("none", None, np.nan),
        ("log", "7e15 cm^-3", 7e15), ("log", "3e15 cm^-3", 5e15), ("none", "3e15 cm^-3", 3e15),
    ],
)  # fmt: skip
def test_the_limits_of_a_file_are_those_of_logarithms(read, weights, limit, expected):
    ds = sims.read(WITH_LIMIT.encode()).to_dataset().isel(species=0)
    found = read(ds, weights=weights, detection_limit=limit)
    np.testing.assert_equal(found.settings["detection_limit"].item(), expected)
    assert np.isfinite(found.frame.value.values).all() == (weights != "none")


# --- layers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("repeat", [1, 3, np.int64(2)])
def test_layers_have_amounts_and_depths_of_their_own(read, repeat):
    model = read(ONE, "delta_drf", repeat=repeat).model
    assert len(model.places) == repeat
    assert model.shared == ("lambda_growth", "lambda_decay", "sigma")
    assert read(ONE, "delta_drf", repeat=2, shared=["sigma"]).model.shared == ("sigma",)
    assert read(ONE, "gaussian", repeat=2, shared=()).model.shared == ()


def test_what_layers_share_is_not_what_profiles_share(read):
    """With another dimension to link profiles over, `shared` is about these."""
    of_layers = read(TWO, "gaussian", repeat=2, shared=["dose"], over="layer")
    assert (of_layers.model.shared, of_layers.shared) == (("dose",), ())
    of_wafers = read(TWO, "gaussian", repeat=2, shared=["dose"], over="wafer")
    assert (of_wafers.model.shared, of_wafers.shared) == (("straggle",), ("dose",))


def test_what_is_held_or_known_of_layers_is_one_for_all_or_a_list(read):
    found = read(
        ONE, "gaussian", repeat=2, fixed={"straggle": "1 nm", "dose": ["1 cm^-2", "2 cm^-2"]},
        prior={"projected_range": [("3 nm", "1 nm"), ("4 nm", "2 nm")]},
    )  # fmt: skip
    assert found.fixed == {"straggle": 1.0, "dose[1]": 1.0, "dose[2]": 2.0}
    assert found.prior == {"projected_range[1]": (3.0, 1.0), "projected_range[2]": (4.0, 2.0)}
    found = read(ONE, repeat=2, prior={"projected_range": ("3 nm", "1 nm")})
    assert found.prior == dict.fromkeys(("projected_range[1]", "projected_range[2]"), (3.0, 1.0))
    assert read(ONE, repeat=2, fixed={"dose": "1 cm^-2"}).fixed == {
        "dose[1]": 1.0, "dose[2]": 1.0}  # fmt: skip


# --- what profiles have in common -------------------------------------------------------------


def test_profiles_are_linked_along_their_only_dimension_and_called_by_its_labels(read):
    found = read(TWO, shared=["straggle", "straggle"])
    assert (found.over, found.labels, found.shared) == ("wafer", ("0", "1"), ("straggle",))
    named = read(TWO.assign_coords(wafer=["a", "b"]), shared=["straggle"])
    assert named.labels == ("a", "b")
    of_runs = read(FOUR, shared=["straggle"], over="run")
    assert (of_runs.over, len(of_runs.labels)) == ("run", 2)
    with_level = read(TWO, shared=["background"], background="fit")
    assert with_level.shared == ("background",)


def test_a_shared_diffusivity_takes_the_place_of_a_length(read):
    options = {"time": wafers(1.0, 2.0, units="s"), "shared": ["diffusivity"]}
    found = read(TWO, "erfc", **options)
    assert (found.restated, found.shared) == ("diffusivity", ("diffusivity",))
    assert read(TWO, "erfc", shared=["diffusion_length"]).restated == ""
    # One of two profiles without a time is left alone, and no reason to refuse.
    half = options | {"time": wafers(1.0, np.nan, units="s")}
    assert read(TWO, "erfc", **half).restated == "diffusivity"


def test_uncertainties_of_layers_count_as_the_largest_and_unknown_ones_as_none(read):
    along = ("depth", np.where(Z < 9, 0.1, 0.2), {"units": "1"})
    ds = ONE.to_dataset(name="concentration").assign_coords(sensitivity_factor_uncertainty=along)
    found = read(ds)
    assert found.settings["rsf_uncertainty"].values == pytest.approx(0.2)
    assert found.settings["depth_uncertainty"] == 0.0
    two = TWO.to_dataset(name="concentration").assign_coords(
        depth_scale_uncertainty=("wafer", [np.nan, 0.3], {"units": "1"})
    )
    assert read(two).settings["depth_uncertainty"].values.tolist() == [0.0, 0.3]
    # Over time there is no depth scale, whatever is stated; 0 says so.
    stated = TIMED.to_dataset().assign_coords(depth_scale_uncertainty=((), 0.3, {"units": "1"}))
    for options in ({}, {"depth_uncertainty": 0}):
        found = read(stated, **options)
        assert found.settings["depth_uncertainty"] == 0.0
        assert found.scales == ()


def test_a_prior_is_a_mean_and_a_width_in_the_units_of_the_answer(read):
    found = read(prior={"straggle": ["0.002 um", "1 nm"], "dose": ("0 cm^-2", "1e4 m^-2")})
    assert found.prior == {
        "straggle": (pytest.approx(2.0), 1.0), "dose": (0.0, pytest.approx(1.0))
    }  # fmt: skip
    assert found.joint
    # A prior of what takes the place of another is one of it.
    restated = read(
        TWO, "erfc", time="1 s", shared=["diffusivity"],
        prior={"diffusivity": ("1e-13 cm^2/s", "1e-14 cm^2/s")},
    )  # fmt: skip
    assert restated.prior == {"diffusivity": (1e-13, 1e-14)}


def test_of_the_profile_before_the_anneal_that_variable_counts_which_is_fitted(read):
    before = xr.Dataset({"concentration": 2 * ONE, "intensity": 3 * TIMED.data[0] * ONE})
    before["concentration"].attrs["units"] = "atom/cm^3"
    before["intensity"].attrs["units"] = "count/s"
    counted = ONE.rename("intensity").assign_attrs(units="count/s")
    for one, value in ((ONE, 2.0), (counted, 3.0)):
        (initial,) = read(one, "annealed_implant", as_implanted=before).initials
        assert initial.c[0] == value
    # If there is none of that name, the one that there is.
    (initial,) = read(ONE, "annealed_implant", as_implanted=before[["intensity"]]).initials
    assert initial.c[0] == 3.0
