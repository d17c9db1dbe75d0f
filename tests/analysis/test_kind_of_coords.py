"""Results for quantified data are quantified, including their coordinates."""

import numpy as np
import pytest
import xarray as xr
from measurement_layouts import one
from questions import QUESTIONS, TOGETHER, ask, measurement

import sims_analysis as sims
from sims_analysis.units import is_quantity

Z = np.arange(0, 200, 2.0)
C = 1e20 * np.exp(-((Z - 40) ** 2) / 200) + 1e15
PLAIN = one(Z, C, stderr=0.05 * C)
QUANTIFIED = sims.quantify(PLAIN)

DATASETS = ("dose_budget", "crossings", "peak", "moments", "decay_length")
EVERY = [question for question in QUESTIONS if question.split()[0] not in TOGETHER]


@pytest.mark.few(8)
@pytest.mark.filterwarnings("ignore::sims_analysis.errors.SimsWarning")
@pytest.mark.parametrize("name", EVERY)
def test_every_coordinate_with_a_unit_is_a_quantity_or_an_index(name):
    found, plain = ask(name, QUANTIFIED), ask(name, PLAIN)
    for key, coord in found.coords.items():
        if key not in found.xindexes:
            assert "units" not in coord.attrs, key
            assert is_quantity(coord.variable.data) == ("units" in plain[key].attrs), key
    back = sims.dequantify(found)
    for key, coord in plain.coords.items():
        np.testing.assert_array_equal(back[key].values, coord.values)
        assert back[key].attrs == coord.attrs


@pytest.mark.parametrize("conserve", [None, "dose"])
def test_the_counts_on_a_grid_are_a_quantity_too(conserve):
    ds = sims.with_counting_statistics(PLAIN, value_per_count="1e15 atoms/cm^3")
    found = sims.to_grid(sims.quantify(ds), step="3 nm", conserve=conserve)
    assert "concentration_counts" in found
    for name, array in found.data_vars.items():
        assert is_quantity(array.data), name


@pytest.mark.parametrize("name", ["integrated_dose", "junction_depth", "depth_at_dose_fraction"])
def test_an_answer_and_its_error_add_up(name):
    found = ask(name, QUANTIFIED)
    upper = found + found["stderr"]
    plain = ask(name, PLAIN)
    np.testing.assert_array_equal(sims.dequantify(upper).values, (plain + plain["stderr"]).values)


@pytest.mark.slow
def test_figures_tables_and_files_take_them(tmp_path):
    dose, junction = (ask(name, QUANTIFIED) for name in ("integrated_dose", "junction_depth"))
    ax = sims.plot_profiles(QUANTIFIED, junctions=junction, dose=dose)
    ax.figure.draw_without_rendering()
    sims.save(junction, tmp_path / "junction.nc")
    assert sims.load(tmp_path / "junction.nc")["stderr"].attrs["units"] == "nm"
    sims.save(dose, tmp_path / "dose.nc")
    assert sims.load(tmp_path / "dose.nc")["stderr"].attrs["units"] == "atom/cm^2"


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.SimsWarning")
@pytest.mark.parametrize(
    "question",
    [
        *(lambda ds, name=name: ask(name, ds) for name in QUESTIONS if name.split()[0] in DATASETS),
        lambda ds: sims.fit(ds, model="gaussian"),
        sims.interface,
    ],
)
def test_a_coordinate_with_the_name_of_a_result_gives_way(question):
    # Such as the nominal dose of each species, or the status of an earlier answer.
    ds = measurement(np.linspace(0, 200, 101))
    found = question(ds)
    names = set(found.data_vars) - set(ds.variables)
    of_user = {name: ("species", [7.0, 8.0], {"units": "1"}) for name in names}
    again = question(ds.assign_coords(of_user))
    assert names
    for name, wanted in found.data_vars.items():
        xr.testing.assert_identical(again[name].variable, wanted.variable)
