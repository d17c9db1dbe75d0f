"""What is recorded of each step: the line of the history, and the call as programs read it."""

# ruff: noqa: E501  # a line of the history is one line

import numpy as np
import pytest
import xarray as xr
from questions import AXIS, CORRECTIONS, correct, measurement
from timed import timed

import sims_analysis as sims

TIME = np.arange(0.0, 101.0, 2.0)
RUN = timed(TIME, B=1e4 * np.exp(-TIME / 20), Si=np.full(TIME.size, 2e4))
BATCH = xr.concat([RUN, RUN], dim=xr.Variable("measurement", ["w1", "w2"]))
DEEP = sims.calibrate_depth(RUN, rate="1 nm/s")
CYCLE = {"matrix_signal": "cycle", "matrix_threshold": 0.01, "keep_intensity": False}

RECORDED = {
    "correct_dead_time": (
        "intensities corrected for a dead time of 35 ns",
        {"dead_time": "35 ns"},
    ),
    "correct_dead_time species": (
        "intensities corrected for a dead time of 35 ns",
        {"dead_time": {"30Si": "35 ns"}},
    ),
    "subtract_background": (
        "background of concentration subtracted, the mean from 150 nm to 170 nm",
        {"window": ["150 nm", "170 nm"]},
    ),
    "subtract_background value": (
        "background of concentration subtracted, stated",
        {"value": {"B": "1e15 atoms/cm^3"}},
    ),
    "subtract_background rates": (
        "background of intensity subtracted, the mean from 380 s to 420 s",
        {"window": ["380 s", "420 s"]},
    ),
    "with_rsf": (
        "concentration = RSF * intensity / 30Si of the same cycle, RSF in atom/cm^3: 11B 3e+22",
        {
            "rsf": {"11B": "3e22 atoms/cm^3"},
            "matrix": "30Si",
            "matrix_signal": "cycle",
            "matrix_threshold": 0.01,
            "keep_intensity": False,
        },
    ),
    "with_rsf mean": (
        "concentration = RSF * intensity / 30Si averaged, RSF in atom/cm^3: 11B 3e+22",
        {
            "rsf": "3e22 atoms/cm^3",
            "matrix": "30Si",
            "matrix_signal": "mean",
            "matrix_threshold": 0.01,
            "keep_intensity": False,
        },
    ),
    "calibrate_depth": (
        "sputter time calibrated to depth, z = 0.4 nm/s * t",
        {"rate": "0.4 nm/s", "depth_uncertainty": "5 %", "apply_offset": False},
    ),
    "calibrate_depth layers": (
        "sputter time calibrated to depth, layers: 0.4 nm/s from 0 s, 0.5 nm/s from 100 s",
        {"rate": [["100 s", "0.4 nm/s"], [None, "0.5 nm/s"]], "apply_offset": False},
    ),
    "rescale_depth": (
        "depths times 1.013 plus 0.4 nm",
        {"factor": 1.013, "offset": "0.4 nm"},
    ),
    "scale_to_dose": (
        "concentrations scaled to a known dose, whose uncertainty takes the place of those of factor and depth scale",
        {"dose": {"B": "5e14 atoms/cm^2"}, "dose_uncertainty": 0.03, "rule": "trapezoid"},
    ),
    "to_concentration": (
        "fractions times 5e+22 atom/cm^3 (stated)",
        {"atomic_density": "5e22 atoms/cm^3"},
    ),
    "to_element": (
        "isotopes to elements, divided by their abundances: 11B 0.801, 30Si 0.03092 (IUPAC (CIAAW) 2009, representative isotopic composition: M. Berglund, M. E. Wieser, Pure Appl. Chem. 83 (2011) 397)",
        {"abundance": "natural"},
    ),
}


def last(data):
    """Return the last line of the history and the last step."""
    line = data.attrs["history"].splitlines()[-1]
    return line.removesuffix(f", by sims_analysis {sims.__version__}"), sims.provenance(data)[
        "steps"
    ][-1]


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.ProfileWarning")
@pytest.mark.parametrize("correction", RECORDED)
def test_a_correction_is_recorded(correction):
    done = correct(correction, CORRECTIONS[correction][0](measurement(AXIS, seed=7)))
    line, parameters = RECORDED[correction]
    assert last(done) == (line, {"function": correction.split()[0], "parameters": parameters})


def per(*values, units):
    return xr.DataArray(list(values), {"measurement": ["w1", "w2"]}, attrs={"units": units})


CALLS = {
    "z = 0.42 nm/s * t (crater 42 nm in 100 s)": lambda: sims.calibrate_depth(
        RUN, crater_depth="42 nm"
    ),
    "z = (nm/s, one per measurement) * t": lambda: sims.calibrate_depth(
        BATCH, rate=per(1.0, 2.0, units="nm/s")
    ),
    "relative layers: 1 from 0 s, 0.5 from 20 s (crater 60 nm in 100 s)": lambda: (
        sims.calibrate_depth(RUN, crater_depth="60 nm", relative_rates=[("20 s", 1), (None, 0.5)])
    ),
    "markers: 9 nm at 20 s, then 2 nm/s": lambda: sims.calibrate_depth(
        RUN, markers=[("20 s", "9 nm"), (None, "2 nm/s")]
    ),
    "z = 1 nm/s * t; then depths times 2 plus -3 nm": lambda: sims.rescale_depth(
        DEEP, crater_depth="200 nm", offset="-3 nm"
    ),
    "z = 1 nm/s * t; then depths times 1 plus 3 nm": lambda: sims.rescale_depth(
        DEEP, offset="3 nm"
    ),
}


@pytest.mark.parametrize("calibration", CALLS)
def test_depths_state_their_calibration(calibration):
    done = CALLS[calibration]()
    assert done["depth"].attrs["calibration"] == calibration
    assert last(done)[0].removeprefix("sputter time calibrated to depth, ") in calibration


def test_factors_of_layers_and_without_a_matrix():
    layers = [("20 s", {"B": "1e22 atoms/cm^3"}), (None, {"B": "2e22 atoms/cm^3"})]
    line, step = last(sims.with_rsf(RUN, rsf=layers, matrix="Si"))
    of = "concentration = RSF * intensity / Si of the same cycle, RSF in atom/cm^3: "
    assert line == f"{of}over species, sputter_time"
    rsf = [[stop, factors] for stop, factors in layers]
    assert step["parameters"] == {"rsf": rsf, "matrix": "Si"} | CYCLE
    factor = {"B": "1e18 atoms/cm^3 per count/s"}
    line, step = last(sims.with_rsf(RUN, rsf=factor, matrix=None))
    assert line == "concentration = RSF * intensity, RSF in atom/cm^3/(count/s): B 1e+18"
    assert step["parameters"] == {"rsf": factor} | CYCLE


def test_records_of_splice_average_and_ratio():
    top, rest = RUN.isel(sputter_time=slice(30)), RUN.isel(sputter_time=slice(20, None))
    line, step = last(sims.splice(top, rest, scale=True))
    assert line == "two pieces spliced at 49 s, the second scaled"
    assert step == {"function": "splice", "parameters": {"b": {}, "scale": True}}
    assert last(sims.splice(top, rest, at="50 s"))[0] == "two pieces spliced at 50 s"
    line, step = last(sims.average(BATCH))
    assert line == "mean of 2 measurements: w1, w2"
    assert step == {"function": "average", "parameters": {}}
    named = {"numerator": "B", "denominator": "Si", "kind": "ratio"}
    line, step = last(sims.ratio(RUN, numerator="B", denominator="Si"))
    assert (line, step["parameters"]) == ("intensity of B / Si", named)
    line, step = last(sims.ratio(RUN, numerator="B", denominator="Si", kind="fraction"))
    assert line == "intensity of B / (B + Si)"
    assert step["parameters"] == named | {"kind": "fraction"}


def test_a_factor_states_how_it_was_made():
    found = sims.rsf_from_standard(
        [DEEP, DEEP], species="B", dose="1e15 atoms/cm^2", matrix="Si", abundance=0.8,
        stop="60 nm",
    )  # fmt: skip
    line, step = last(found)
    assert line == (
        "sensitivity factor of B from 2 standards, for the element: abundance 0.8 (as stated)"
    )
    calibrated = {
        "function": "calibrate_depth",
        "parameters": {"rate": "1 nm/s", "apply_offset": False},
    }
    assert step["parameters"] == {
        "data": [{"steps": [calibrated]}] * 2,
        "species": "B", "dose": "1e15 atoms/cm^2", "abundance": 0.8, "matrix": "Si",
        "matrix_signal": "cycle", "matrix_threshold": 0.01, "stop": "60 nm", "rule": "trapezoid",
    }  # fmt: skip
    coords = {name: found[name].item() for name in ("species", "matrix", "matrix_signal")}
    assert coords == {"species": "B", "matrix": "Si", "matrix_signal": "cycle"}
    assert found["dead_time"].item() == "as observed"
    one = sims.rsf_from_standard(DEEP, species="B", dose="1e15 atoms/cm^2", matrix=None)
    assert last(one)[0] == "sensitivity factor of B from 1 standard"
    assert (one["matrix"].item(), one["matrix_signal"].item(), one.name) == (
        "", "", "absolute_sensitivity_factor",
    )  # fmt: skip
