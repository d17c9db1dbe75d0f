"""Arguments of corrections: by label, for some species, positive, and for no cases."""

import re
from pathlib import Path

import numpy as np
import pint
import pytest
import xarray as xr
from error_parts import raises, warns

import sims_analysis as sims
from sims_analysis.errors import ProfileError, SpeciesError, UnitsError
from sims_analysis.frame.arguments import read_change
from sims_analysis.frame.messages import first_sample
from sims_analysis.frame.opening import open_frame

DS = xr.Dataset(
    {"intensity": (("measurement", "species", "depth"), np.ones((2, 3, 4)), {"units": "kcps"})},
    coords={
        "measurement": ["w1", "w2"],
        "species": ["B", "P", "Si"],
        "depth": ("depth", [0.0, 0.1, 0.2, 1.001], {"units": "um"}),
    },
)


def frame(data=DS):
    return open_frame(data, ("count_rate",), question="a test")


def over(dim, labels, values, units="s"):
    return xr.DataArray(values, {dim: labels}, [dim], attrs={"units": units})


def read(value, kinds=("sputter_time",), data=DS):
    return read_change(frame(data), value, kinds, "time")


def test_labels_decide():
    found = read(over("measurement", ["w2", "w1", "w0"], [2.0, 1.0, 3.0], "min"))
    assert found.values.tolist() == [60.0, 120.0]
    mixed = read({"Si": "3 s", "B": over("measurement", ["w2", "w1"], [2.0, 1.0])})
    mixed = mixed.transpose("measurement", "species")
    np.testing.assert_array_equal(mixed, [[1.0, np.nan, 3.0], [2.0, np.nan, 3.0]])
    one = xr.DataArray(5.0, {"species": "P"}, attrs={"units": "s"})
    np.testing.assert_array_equal(read(one), [np.nan, 5.0, np.nan])
    assert read({"B": "2 s"}, data=DS.sel(species="B")).item() == 2.0
    assert read(xr.DataArray([1.0, 2.0], dims="measurement", attrs={"units": "s"})).sum() == 3.0


@pytest.mark.parametrize(
    ("value", "error", "code"),
    [
        (over("measurement", ["w1"], [1.0]), ProfileError, "missing_value"),
        (over("measurement", ["w1", "w1"], [1.0, 2.0]), ProfileError, "repeated_species"),
        (over("case", [0, 1], [1.0, 2.0]), ProfileError, "invalid_argument"),
        (over("depth", DS["depth"], [1.0] * 4), ProfileError, "wrong_dimensions"),
        (over("species", ["B", "P", "Si"], ["1", "2", "3"]), ProfileError, "not_a_quantity"),
        (over("species", ["B", "P", "Si"], [True] * 3), ProfileError, "not_a_quantity"),
        (xr.DataArray(1 + 1j, attrs={"units": "s"}), ProfileError, "not_a_quantity"),
        (
            xr.DataArray([1.0], dims="species", attrs={"units": "s"}),
            ProfileError,
            "wrong_dimensions",
        ),
        (over("measurement", ["w1", "w2"], [1.0, 2.0], "nm"), UnitsError, "wrong_unit"),
        (xr.DataArray([1.0, 2.0], dims="measurement"), UnitsError, "missing_unit"),
        ({"As": "1 s"}, SpeciesError, "unknown_species"),
        ({"B": 1.0}, UnitsError, "missing_unit"),
        ({}, ProfileError, "invalid_argument"),
        ({"B": over("species", ["B"], [1.0])}, SpeciesError, "unknown_species"),
        ("0 s", ProfileError, "invalid_argument"),
        ({"B": "-1 s", "P": "1 s"}, ProfileError, "invalid_argument"),
        (over("measurement", ["w1", "w2"], [np.inf, 1.0]), ProfileError, "invalid_argument"),
        (over("measurement", ["w1", "w2"], [np.nan, np.nan]), ProfileError, "invalid_argument"),
        ({"B": "0 s"}, ProfileError, "invalid_argument"),
    ],
)
def test_what_is_refused_by_name(value, error, code):
    named = {"species": "As"} if error is SpeciesError and "As" in value else {}
    with raises(error, code, argument="time", **named):
        read(value)


def test_kinds_are_not_mixed():
    kinds = ("factor_per_rate", "concentration")
    with raises(UnitsError, argument="time"):
        read({"B": "1 cm^-3", "P": "1 cm^-3/(count/s)"}, kinds)


def test_a_sample_is_named_by_its_labels():
    opened = frame()
    where = xr.zeros_like(opened.value, dtype=bool)
    assert first_sample(opened, where) is None
    where[1, 2, 3] = True
    text = "measurement 'w2', species 'Si', depth 1001 nm: 1000 count/s"
    first = first_sample(opened, where)
    assert first.label == text
    assert first.where == {"measurement": "w2", "species": "Si", "depth": "1001 nm"}
    where[0, 0, 1] = True
    text = "measurement 'w1', species 'B', depth 100 nm: 1000 count/s (and 1 more)"
    assert first_sample(opened, where).label == text
    one = frame(DS.isel(measurement=0, species=1))
    assert first_sample(one, one.value > 0).label.startswith("species 'P', depth 0 nm")


def test_the_correction_of_the_page_is_one(approved):
    """That of *Adding a correction*, in every layout."""
    page = Path(__file__).parents[2] / ".docs/howto/adding_a_correction.md"
    text = page.read_text(encoding="utf-8")
    namespace = {"__name__": "shown"}
    exec(re.search(r"```python\n(.*?)```", text, re.DOTALL)[1], namespace)  # noqa: S102
    correct = namespace["correct_yield"]
    run = sims.with_counting_statistics(sims.open_example("sputter-time"), dwell_time="0.5 s")
    run = sims.subtract_background(run, window=("430 s", "490 s"), species="As")
    plain = correct(run, detector_yield="0.8")
    for end in ("", "_stderr", "_background_stderr"):
        np.testing.assert_allclose(plain[f"intensity{end}"], run[f"intensity{end}"] / 0.8)
    np.testing.assert_array_equal(plain["intensity_counts"], run["intensity_counts"])
    one = correct(run, detector_yield={"As": "0.8"})
    np.testing.assert_array_equal(one["intensity"][1], run["intensity"].sel(species="Si"))
    for other in (sims.quantify(run), run.chunk()):
        found = sims.dequantify(correct(other, detector_yield="0.8")).compute()
        both = (x.drop_vars("intensity_quality", errors="ignore") for x in (found, plain))
        sims.testing.assert_allclose(*both, rtol=1e-12)  # flags may be all zero on Dask
    batch = sims.stack([run, run.isel(sputter_time=slice(1, None))])
    parts = over("measurement", batch["measurement"].values, [0.8, 0.5], "1")
    found = correct(batch, detector_yield=parts)["intensity"]
    np.testing.assert_allclose(found[1], batch["intensity"][1] / 0.5)
    with raises(TypeError, text=approved):
        correct(run["intensity"], detector_yield="0.8")
    assert sims.provenance(plain)["steps"][-1]["function"] == "correct_yield"
    hole = run.where((run["sputter_time"] < 200) | (run["sputter_time"] > 300), drop=True)
    assert "intensity_quality" in correct(hole, detector_yield="0.8").coords


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda ds, one: sims.subtract_background(ds, value=one("kcps")), "value"),
        (lambda ds, one: sims.correct_dead_time(ds, dead_time=one("ns")), "dead_time"),
        (lambda ds, one: sims.with_counting_statistics(ds, dwell_time=one("s")), "dwell_time"),
    ],
)
def test_a_species_with_an_unknown_argument_stays_unchanged_and_warns(change, name):
    def unknown(units):
        return over("species", ["P", "Si", "B"], [np.nan, 1.0, 1.0], units)

    def left_out(units):
        return {"B": f"1 {units}", "Si": f"1 {units}"}

    with warns(sims.ProfileWarning, argument=name, measurement="w1", species="P"):
        found = change(DS, unknown)
    xr.testing.assert_equal(found, change(DS, left_out))


def test_a_quantity_of_nan_is_no_limit_but_an_unknown_one():
    ds = sims.open_example("boron-implant")
    unknown = sims.junction_depth(ds.sel(species="B"), level="1e22 atoms/cm^3")
    for stop in (unknown, unknown.item() * pint.get_application_registry().nm):
        assert sims.integrated_dose(ds, stop=stop)["status"].values.tolist() == ["no_data"] * 2


@pytest.mark.parametrize("lazy", [False, True])
def test_an_infinite_background_is_not_known(lazy):
    ds = sims.open_example("boron-implant")
    ds = ds.chunk() if lazy else ds
    background = over("species", ["B", "P"], [1e14, np.inf], "atoms/cm^3")
    for question in (sims.integrated_dose, sims.cumulative_dose, sims.moments):
        found = question(ds, background=background)
        assert found["status"].values.tolist() == ["ok", "no_data"]


def test_values_without_labels_for_data_of_one_species_are_refused_by_name():
    one = sims.open_example("boron-implant").sel(species="B")
    level = xr.DataArray([1e17, 1e18], dims="species", attrs={"units": "atoms/cm^3"})
    for question in (sims.junction_depth, sims.layers):
        with raises(ProfileError, "wrong_dimensions", argument="level"):
            question(one, level=level)
    with raises(ProfileError, argument="level"):
        sims.layers(one, level=level.rename(species="case"))


@pytest.mark.parametrize("wrong", [True, [0.5], pint.Quantity(1, "nm"), "50 %"])
def test_a_pure_number_has_no_unit(wrong):
    with raises(ProfileError, argument="factor"):
        sims.rescale_depth(sims.open_example("boron-implant"), factor=wrong)
