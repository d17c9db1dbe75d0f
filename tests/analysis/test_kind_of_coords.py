"""Answers about quantified data come in kind, coordinates included."""

import numpy as np
import pytest
from measured import one

import sims_analysis as sims
from sims_analysis.units import is_quantity

Z = np.arange(0, 100, 2.0)
C = 1e20 * np.exp(-((Z - 40) ** 2) / 200) + 1e15
PLAIN = one(Z, C, stderr=0.05 * C)
QUANTIFIED = sims.quantify(PLAIN)

ANSWERS = {
    "dose": lambda ds: sims.integrated_dose(ds, start="10 nm", stop="90 nm"),
    "junction": lambda ds: sims.junction_depth(ds, level="1e18 atoms/cm^3"),
    "containing depth": lambda ds: sims.depth_at_dose_fraction(ds, fraction=[0.5, 0.9]),
    "limit": lambda ds: sims.detection_limit(ds, window=("80 nm", "98 nm")),
    "value": lambda ds: sims.interpolate(ds["concentration"], depth="33 nm"),
    "profile": lambda ds: sims.interpolate(ds, depth=["33 nm", "35 nm"]),
    "moments": lambda ds: sims.moments(ds, threshold=0.01),
    "peak": sims.peak,
    "crossings": lambda ds: sims.crossings(ds, level="1e18 atoms/cm^3"),
    "decay": lambda ds: sims.decay_length(ds, start="45 nm", stop="70 nm"),
    "budget": lambda ds: sims.dose_budget(ds, start="10 nm", stop="90 nm"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_every_coordinate_with_a_unit_is_a_quantity_or_an_index(name):
    found, plain = ANSWERS[name](QUANTIFIED), ANSWERS[name](PLAIN)
    for key, coord in found.coords.items():
        if key not in found.xindexes:
            assert "units" not in coord.attrs, key
            assert is_quantity(coord.variable.data) == ("units" in plain[key].attrs), key
    back = sims.dequantify(found)
    for key, coord in plain.coords.items():
        np.testing.assert_array_equal(back[key].values, coord.values)
        assert back[key].attrs == coord.attrs


@pytest.mark.parametrize("name", ["dose", "junction", "containing depth"])
def test_an_answer_and_its_error_add_up(name):
    found = ANSWERS[name](QUANTIFIED)
    upper = found + found["stderr"]
    plain = ANSWERS[name](PLAIN)
    np.testing.assert_array_equal(sims.dequantify(upper).values, (plain + plain["stderr"]).values)


def test_figures_tables_and_files_take_them(tmp_path):
    dose, junction = (ANSWERS[name](QUANTIFIED) for name in ("dose", "junction"))
    ax = sims.plot_profiles(QUANTIFIED, junctions=junction, dose=dose)
    ax.figure.draw_without_rendering()
    sims.save(junction, tmp_path / "junction.nc")
    assert sims.load(tmp_path / "junction.nc")["stderr"].attrs["units"] == "nm"
    sims.save(dose, tmp_path / "dose.nc")
    assert sims.load(tmp_path / "dose.nc")["stderr"].attrs["units"] == "atom/cm^2"
