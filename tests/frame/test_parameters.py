"""Parameters are laid beside profiles by dimension and label; further dimensions are cases."""

import numpy as np
import pytest
import xarray as xr
from error_parts import raises, warns
from questions import AXIS, OWN, SHARED, measurement

import sims_analysis as sims
from sims_analysis.errors import ProfileError, UnitsError
from sims_analysis.frame.opening import open_frame

pytestmark = pytest.mark.filterwarnings("ignore::sims_analysis.errors.SimsWarning")

CONCENTRATION, DEPTH = "atom/cm^3", "nm"
LEVEL = {"level": "1e18 atoms/cm^3"}
#: Function, parameter, values of three cases, their unit, other options.
CASES = [
    ("integrated_dose", "stop", [60.0, 100.0, 151.7], DEPTH, {}),
    ("integrated_dose", "start", [3.0, 20.0, 55.5], DEPTH, {"rule": "loglinear"}),
    ("integrated_dose", "background", [1e15, 2e15, 5e15], CONCENTRATION, {"stop": "120 nm"}),
    ("integrated_dose", "surface_depth", [5.0, 9.0, 12.5], DEPTH, {"surface": "exclude"}),
    ("cumulative_dose", "background", [1e15, 2e15, 5e15], CONCENTRATION, {}),
    ("dose_budget", "start", [3.0, 20.0, 55.5], DEPTH, {"surface_depth": "12 nm"}),
    ("dose_budget", "detection_limit", [1e15, 2e17, 1e21], CONCENTRATION, {}),
    ("dose_budget", "rsf_uncertainty", [0.0, 0.1, 0.2], "1", {}),
    ("crossings", "level", [1e17, 5e17, 1e18], CONCENTRATION, {"max_count": 6}),
    ("junction_depth", "level", [1e17, 5e17, 1e18], CONCENTRATION, {}),
    ("junction_depth", "after", [10.0, 50.0, 95.0], DEPTH, LEVEL),
    ("moments", "background", [1e15, 2e15, 4e15], CONCENTRATION, {"threshold": 0.1}),
    ("moments", "threshold", [1e16, 1e17, 2e17], CONCENTRATION, {}),
    ("moments", "start", [0.0, 10.0, 20.0], DEPTH, {"threshold": 0.1}),
    ("peak", "start", [0.0, 50.0, 70.0], DEPTH, {}),
    ("decay_length", "start", [60.0, 70.0, 80.0], DEPTH, {"stop": "130 nm"}),
    ("below_detection", "limit", [1e15, 2e17, 1e21], CONCENTRATION, {}),
]


def arrays(answer):
    """Numbers and words of an answer by name."""
    found = answer if isinstance(answer, xr.Dataset) else answer.to_dataset(name="answer")
    kept = ("status", "stderr", "n_crossings", "decay_length", "n", "count", "n_linear_segments")
    return {k: found[k] for k in found.variables if k in found.data_vars or k in kept}


def assert_equal(one, other):
    a, b = arrays(one), arrays(other)
    assert a.keys() == b.keys()
    for name, wanted in b.items():
        assert set(a[name].dims) == set(wanted.dims), name
        np.testing.assert_array_equal(a[name].transpose(*wanted.dims), wanted, err_msg=name)


#: As many cases as species, more, and one: names alone decide what belongs together.
NUMBERS = [*((case, 3) for case in CASES), (CASES[0], 2), (CASES[0], 1), (CASES[8], 2)]


@pytest.mark.few(1)
@pytest.mark.parametrize("layout", ["shared", "own", "dask"])
@pytest.mark.parametrize(
    ("case", "number"), NUMBERS, ids=[f"{case[0]} {case[1]} {n}" for case, n in NUMBERS]
)
def test_a_dimension_of_its_own_is_one_of_the_answer(case, number, layout):
    function, name, values, unit, options = case
    ask = getattr(sims, function)
    data = {
        "shared": SHARED[0],
        "own": sims.stack(OWN[:2]),
        "dask": sims.stack(SHARED[:2]).chunk(measurement=1),
    }[layout]
    given = xr.DataArray(
        values[:number], dims="case", coords={"case": list("xyz")[:number]}, attrs={"units": unit}
    )
    found = ask(data, **{name: given}, **options).compute()
    assert found["case"].values.tolist() == list("xyz")[:number]
    for label, value in zip("xyz", values[:number], strict=False):
        text = value if unit == "1" else f"{value} {unit}"
        assert_equal(found.sel(case=label), ask(data, **{name: text}, **options).compute())


def test_values_are_found_by_label_whatever_their_order():
    stop = xr.DataArray(
        [150.0, 60.0, 1.0],
        dims="species",
        coords={"species": ["P", "B", "As"]},
        attrs={"units": "nm"},
    )
    found = sims.integrated_dose(SHARED[0], stop=stop)
    assert_equal(
        found.sel(species="B"), sims.integrated_dose(SHARED[0].sel(species="B"), stop="60 nm")
    )
    one = sims.integrated_dose(SHARED[0].sel(species="P"), stop=stop)
    assert_equal(one, found.sel(species="P"))


def test_an_argument_of_the_wrong_length_is_refused():
    stop = xr.DataArray([60.0, 50.0, 40.0], dims="species", attrs={"units": "nm"})
    with raises(ProfileError, "wrong_dimensions", argument="stop"):
        sims.integrated_dose(SHARED[0], stop=stop)
    along = xr.DataArray(AXIS, dims="depth", attrs={"units": "nm"})
    with raises(ProfileError, "wrong_dimensions", argument="stop"):
        sims.integrated_dose(SHARED[0], stop=along)


def test_a_case_is_named_in_errors(approved):
    start = xr.DataArray(
        [10.0, 90.0], dims="case", coords={"case": ["a", "b"]}, attrs={"units": "nm"}
    )
    with raises(ProfileError, argument="start", text=approved):
        sims.integrated_dose(SHARED[0], start=start, stop="50 nm")


@pytest.mark.parametrize("micrometres", ["0.1505", "0.1215", "0.0015"])
def test_limits_on_the_last_sample_are_not_beyond_it(micrometres):
    """Rounding in units leads beyond no record: 1e-9 of the span is the same depth."""
    data = measurement(np.linspace(0.0, float(micrometres) * 1000, 101), species=("B",))
    for stop in (f"{micrometres} um", f"{float(micrometres) * 1e-6:.17e} m"):
        found = sims.integrated_dose(data, stop=stop)
        assert found["status"].values.tolist() == ["ok"]
    inside = float(micrometres) * 1000 * (1 + 1e-6)
    with warns(sims.DoseWarning, "truncated", species="B"):
        beyond = sims.integrated_dose(data, stop=f"{inside} nm")
    assert beyond["status"].values.tolist() == ["truncated"]


@pytest.mark.parametrize(
    ("ask", "option", "number"),
    [
        (sims.surface_concentration, {"depth": "12 nm"}, {"samples": np.int64(6)}),
        (sims.junction_depth, {"level": "1e18 atoms/cm^3"}, {"confirm": np.int64(2)}),
        (sims.crossings, {"level": "1e18 atoms/cm^3"}, {"max_count": np.int64(2)}),
        (sims.moments, {"start": "20 nm"}, {"threshold": np.float32(0.25)}),
    ],
)
def test_numbers_of_numpy_are_numbers(ask, option, number):
    boron = sims.open_example("boron-implant").sel(species="B")
    plain = {name: value.item() for name, value in number.items()}
    xr.testing.assert_equal(ask(boron, **option, **number), ask(boron, **option, **plain))


def row(values, unit="cm^-3", **coords):
    return xr.DataArray(values, coords, list(coords) or None, attrs={"units": unit})


@pytest.fixture
def frame():
    ds = xr.Dataset(
        {"concentration": (("species", "depth"), np.ones((2, 4)), {"units": "cm^-3"})},
        {"species": ["B", "P"], "depth": ("depth", [0.0, 2.0, 4.0, 6.0], {"units": "nm"})},
    )
    return open_frame(ds, ("concentration",), question="a test")


KIND = ("concentration",)


def test_values_along_the_samples_are_those_of_depths_that_stand_once(frame, approved):
    whole = row([1.0, 2.0, 3.0, 4.0], depth=[0.0, 2.0, 4.0, 6.0])
    read = frame.parameter(whole, KIND, "factor", along=True)
    assert (read.dims, read.values.tolist()) == (("depth",), [1, 2, 3, 4])
    turned = frame.parameter(whole[::-1], KIND, "factor", along=True)  # in whatever order
    np.testing.assert_array_equal(turned, [1, 2, 3, 4])
    mixed = frame.parameter(whole[[2, 0, 3, 1]], KIND, "factor", along=True)
    np.testing.assert_array_equal(mixed, [1, 2, 3, 4])
    twice = row([1.0, 2.0, 3.0, 4.0], depth=[0.0, 2.0, 2.0, 6.0])
    with raises(ProfileError, "repeated_species", argument="factor"):
        frame.parameter(twice, KIND, "factor", along=True)
    near = row([1.0, 2.0, 3.0, 4.0], depth=[0.0, 2.0 + 1e-9, 4.0, 6.0])
    np.testing.assert_array_equal(frame.parameter(near, KIND, "f", along=True), [1, 2, 3, 4])
    off = row([1.0, 2.0, 3.0, 4.0], depth=[0.0, 2.01, 4.0, 6.0])
    with raises(ProfileError, "missing_value", argument="f", text=approved):
        frame.parameter(off, KIND, "f", along=True)
    with raises(ProfileError, "missing_value", argument="f", text=approved):
        frame.parameter(off[::-1], KIND, "f", along=True)


def test_samples_of_an_argument_are_in_a_unit_of_the_axis(frame):
    um = row([4.0, 3.0, 2.0, 1.0], depth=("depth", [0.006, 0.004, 0.002, 0.0], {"units": "um"}))
    read = frame.parameter(um, KIND, "factor", along=True)
    np.testing.assert_array_equal(read, [1, 2, 3, 4])
    um["depth"].attrs["units"] = "s"
    with raises(UnitsError, argument="factor"):
        frame.parameter(um, KIND, "factor", along=True)


def test_species_of_a_mapping_may_have_cases(frame):
    cases = row([1.0, 2.0], case=["x", "y"])
    read = frame.parameter({"B": cases, "P": "7 cm^-3"}, KIND, "level")
    assert read.dims == ("species", "case")
    np.testing.assert_array_equal(read, [[1, 2], [7, 7]])
    assert frame.argument_coords["case"].values.tolist() == ["x", "y"]


@pytest.mark.parametrize(
    ("wrong", "error", "code"),
    [
        (row([1.0] * 4, depth=[0.0, 2.0, 4.0, 6.0]), ProfileError, "wrong_dimensions"),
        ("1 nm", UnitsError, "wrong_unit"),
        (row(1.0, "nm"), UnitsError, "wrong_unit"),
    ],
)
def test_a_wrong_value_of_one_species_is_named(frame, wrong, error, code, approved):
    with raises(error, code, argument="level", text=approved):
        frame.parameter({"P": "7 cm^-3", "B": wrong}, KIND, "level")


def test_requested_depths_run_along_the_axis_or_over_dimensions_of_their_own(frame):
    for given, dims, values in (
        ("0.003 um", (), 3.0),
        (["1 nm", "0.005 um"], ("depth",), [1.0, 5.0]),
        (row([4.0, 3.0], "nm", species=["P", "B"]), ("species",), [3.0, 4.0]),
        (row([4.0, 3.0], "nm", place=[0, 1]), ("place",), [4.0, 3.0]),
    ):
        read = frame.points(given, "depth")
        assert read.dims == dims
        np.testing.assert_allclose(read, values, rtol=1e-12)
    with raises(UnitsError, "missing_unit", argument="depth"):
        frame.points(np.array([1.0, 2.0]), "depth")
    with raises(UnitsError, argument="depth"):
        frame.points(["1 nm", "2 s"], "depth")
