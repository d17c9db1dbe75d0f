"""A correction does to each profile what it does to that profile alone, in every layout."""

import inspect

import numpy as np
import pytest
import xarray as xr
from measurement_layouts import without_zero_flags
from questions import AXIS, CORRECTIONS, OWN, SHARED, correct, measurement

import sims_analysis as sims
from sims_analysis.units import is_quantified
from sims_analysis.vocabulary import MEASURED

pytestmark = pytest.mark.filterwarnings("ignore::sims_analysis.errors.SimsWarning")

ALONE = measurement(AXIS, seed=7, data_id="w7")
#: What is made of several profiles or measurements; a formula, and questions.
NO_CORRECTIONS = {"align", "average", "isotope_ratios", "ratio", "rsf_from_standard", "splice"}
NO_CORRECTIONS |= {"poisson_interval", "repeatability", "with_counting_statistics"}
#: Sums over a row in another layout differ in their last digits.
ROUNDING = 1e-14


def made(correction, data):
    """Give data of the kind that a correction is made to."""
    return CORRECTIONS[correction][0](data)


def samples_of(ds, species):
    """All numbers of one species, at the samples where it was measured."""
    ds = sims.dequantify(ds).compute().sel(species=species)
    own = ds[next(n for n in MEASURED if n in ds)]
    found = {}
    for name, one in {**ds.data_vars, **ds.coords}.items():
        if one.dtype.kind == "f":
            here = one.where(own.notnull()) if {*one.dims} & {*own.dims} else one
            found[name] = np.ravel(here.values)[~np.isnan(np.ravel(here.values))]
    return found


def assert_same(one, other, species, label):
    got, expected = samples_of(one, species), samples_of(other, species)
    assert got.keys() == expected.keys(), label
    for name, values in expected.items():
        what = f"{name} of {species}, {label}: does the correction treat each profile by itself?"
        # What is left of a difference is as exact as the largest that was subtracted from.
        largest = np.abs(values).max(initial=0.0)
        np.testing.assert_allclose(got[name], values, ROUNDING, ROUNDING * largest, err_msg=what)


@pytest.mark.few(2)
@pytest.mark.parametrize("correction", CORRECTIONS)
@pytest.mark.parametrize("parts", [SHARED[:2], OWN[:3]], ids=["shared axis", "own axes"])
def test_a_batch_is_corrected_as_each_measurement_is(correction, parts):
    parts = [made(correction, part) for part in parts]
    done = correct(correction, sims.stack(parts))
    for i, part in enumerate(parts):
        alone = correct(correction, part)
        for species in alone["species"].values:
            assert_same(done.isel(measurement=i), alone, species, f"measurement {i}")


@pytest.mark.few(2)
@pytest.mark.parametrize("correction", CORRECTIONS)
def test_layout_does_not_matter(correction):
    data = made(correction, ALONE)
    done = correct(correction, data)
    axis = "depth" if "depth" in data.dims else "sputter_time"
    place = data[axis].values
    between = np.sort(np.concatenate([place, place[:-1] + 0.3]))
    forms = {
        "union": data.reindex({axis: xr.Variable(axis, between, data[axis].attrs)}),
        "rows reversed": data.isel(species=[1, 0]),
        "quantified": sims.quantify(data),
        "dask": data.chunk(species=1),
    }
    for form, given in forms.items():
        got = without_zero_flags(correct(correction, given))
        assert is_quantified(got) == (form == "quantified"), form
        for species in done["species"].values:
            assert_same(got, done, species, form)


@pytest.mark.few(3)
@pytest.mark.parametrize("correction", CORRECTIONS)
def test_a_correction_is_recorded_and_changes_nothing_else(correction):
    data = made(correction, ALONE)
    before = data.copy(deep=True)
    done = correct(correction, data.assign_coords(wafer="W1"))
    xr.testing.assert_identical(data, before)
    assert "sims_analysis" in done.attrs["history"]
    assert sims.provenance(done)["steps"][-1]["function"] == correction.split()[0]
    assert done["wafer"].item() == "W1"
    assert done.attrs["data_id"] == "w7"


def test_every_correction_is_in_the_registry():
    listed = {name.split()[0] for name in CORRECTIONS}
    corrections = {
        name for name, function in ((name, getattr(sims, name)) for name in sims.__all__)
        if inspect.isfunction(function)
        and function.__module__.startswith("sims_analysis.quantification.")
    }  # fmt: skip
    missing = corrections - listed - NO_CORRECTIONS
    assert not missing, f"give each a line in CORRECTIONS of tests/questions.py: {missing}"
