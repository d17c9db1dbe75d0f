"""Integration with pint and pint-xarray: the unit of atoms, and axes that carry a unit."""

import subprocess
import sys

import numpy as np
import pint
import pytest
import xarray as xr
from error_parts import raises
from questions import CORRECTIONS, QUESTIONS, SHARED, asking, correct

import sims_analysis as sims
from sims_analysis.units import define_atoms

pytest.importorskip("pint_xarray", reason="pint-xarray is not installed")
WARNS = "ignore::sims_analysis.errors.SimsWarning"
IMPLANT = sims.open_example("boron-implant")
COUNTED = sims.with_counting_statistics(IMPLANT, value_per_count="1e14 atoms/cm^3")
RUN = sims.open_example("sputter-time")
MICRONS = COUNTED.assign_coords(
    depth=("depth", COUNTED["depth"].values / 1000, {"units": "um", "long_name": "Depth"})
)


def in_process(code):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.few(2)
@pytest.mark.slow
@pytest.mark.parametrize("first", ["import pint_xarray", "pass"])
@pytest.mark.parametrize("made", ["sims.open_example('boron-implant')", "sims.load('b.nc')"])
def test_a_fresh_interpreter_quantifies_in_either_order_of_imports(
    first, made, tmp_path, monkeypatch
):
    monkeypatch.setenv("PYTHONPATH", str(sims.__path__[0]) + "/..")
    monkeypatch.chdir(tmp_path)
    sims.save(IMPLANT, "b.nc")
    code = f"""
{first}
import sims_analysis as sims
ds = {made}
import pint_xarray
print(ds.pint.quantify()["concentration"].pint.units)
"""
    assert in_process(code).strip() == "atom / centimeter ** 3"


def test_a_concentration_converts_to_atoms_per_cubic_metre_and_without_atoms_to_a_number():
    q = IMPLANT["concentration"].pint.quantify()
    in_metres = q.pint.to("atom/m^3")
    np.testing.assert_allclose(
        in_metres.pint.magnitude, IMPLANT["concentration"].values * 1e6, rtol=1e-14
    )
    with pytest.raises(ValueError, match="Cannot convert variables"):
        q.pint.to("1/m^3")
    plain = (q / pint.get_application_registry().atom).pint.to("1/m^3")
    np.testing.assert_allclose(plain.pint.magnitude, in_metres.pint.magnitude, rtol=1e-14)


@pytest.mark.parametrize(
    ("unit", "wanted"),
    [
        ("count", "atom"),
        ("count/s", "atom/s"),
        ("count/cm^3", "atom/cm^3"),
        ("kilocount/cm^2", "atom/cm^2"),
        ("percent/cm^3", "atom/cm^3"),
        ("atom", "count"),
        ("atom", "dimensionless"),
    ],
)
def test_counts_never_convert_to_atoms(unit, wanted):
    define_atoms()
    ureg = pint.get_application_registry()
    with pytest.raises(pint.DimensionalityError):
        ureg.Quantity(1.0, unit).to(wanted)


@pytest.fixture
def own_registry():
    before = pint.get_application_registry().get()
    registry = pint.UnitRegistry()
    pint.set_application_registry(registry)
    yield registry
    pint.set_application_registry(before)


@pytest.mark.slow
def test_a_registry_that_the_user_sets_gets_the_unit_and_stays(own_registry):
    ds = sims.open_example("boron-implant")
    assert pint.get_application_registry().get() is own_registry
    assert sims.quantify(ds)["concentration"].data.units == own_registry("atom/cm^3").units


@pytest.mark.slow
def test_an_atom_with_a_dimension_of_the_users_is_left_alone(own_registry):
    own_registry.define("atom = [particle]")
    ds = sims.open_example("boron-implant")
    assert dict(own_registry.get_dimensionality("atom")) == {"[particle]": 1}
    assert sims.integrated_dose(sims.quantify(ds)).data.units == own_registry("atom/cm^2").units


@pytest.mark.slow
def test_an_atom_that_is_a_pure_number_is_refused_where_it_would_be_used(own_registry):
    own_registry.define("atom = []")
    ds = sims.open_example("boron-implant")
    assert sims.integrated_dose(ds).attrs["units"] == "atom/cm^2"
    with raises(sims.UnitsError, "ambiguous_unit"):
        sims.quantify(ds)
    assert sims.quantify(RUN)["intensity"].data.units == own_registry("count/s").units


# --- axes that carry a unit -----------------------------------------------------------------------


def same(found, wanted):
    if isinstance(wanted, list):
        for one, other in zip(found, wanted, strict=True):
            same(one, other)
    elif isinstance(wanted, xr.Dataset | xr.DataArray):
        sims.testing.assert_allclose(found, wanted, rtol=1e-12)
        for axis in ("depth", "sputter_time"):
            if axis in wanted.coords:
                assert "units" in sims.dequantify(found)[axis].attrs
    else:
        assert found == wanted


@pytest.mark.few(3)
@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.filterwarnings(WARNS)
def test_every_question_takes_the_view_of_pint_xarray(question):
    ask = asking(question)
    same(ask(SHARED[0].pint.quantify()), ask(SHARED[0]))
    if question != "metallurgical_junctions":
        same(ask(MICRONS.pint.quantify()), ask(MICRONS))


@pytest.mark.few(3)
@pytest.mark.parametrize("correction", CORRECTIONS)
@pytest.mark.filterwarnings(WARNS)
def test_so_does_every_correction(correction):
    data = CORRECTIONS[correction][0](SHARED[0])
    same(correct(correction, data.pint.quantify()), correct(correction, data))


def gaussian(data):
    return sims.fit(data.sel(species="B"), model="gaussian", start="20 nm")


#: What is no question and no correction of one Dataset.
OTHERS = {
    "fit": gaussian,
    "evaluate": lambda d: sims.evaluate(gaussian(d), depth="50 nm"),
    "sheet_resistance": lambda d: sims.sheet_resistance(d, acceptors=["B"], donors=["P"]),
    "samples": lambda d: sims.samples(d, "B"),
    "stack": lambda d: sims.stack([d, d], names=["a", "b"]),
    "unstack": lambda d: sims.unstack(sims.stack([d, d], names=["a", "b"])),
    "compare": lambda d: sims.compare(d, d),
    "align": lambda d: sims.align(d, d),
    "convolve": lambda d: sims.convolve(d, resolution="5 nm"),
    "deconvolve": lambda d: sims.deconvolve(d, resolution="5 nm", start="20 nm", stop="120 nm"),
    "repeatability": lambda d: sims.repeatability(sims.stack([d, d])),
    "ratio": lambda d: sims.ratio(d, numerator="B", denominator="P"),
    "average": lambda d: sims.average(sims.stack([d, d])),
    "splice": lambda d: sims.splice(d, d),
    "dequantify": sims.dequantify,
}


@pytest.mark.few(3)
@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("data", [COUNTED, MICRONS], ids=["nm", "um"])
@pytest.mark.filterwarnings(WARNS)
def test_so_does_everything_else(name, data):
    same(OTHERS[name](data.pint.quantify()), OTHERS[name](data))


@pytest.mark.slow
def test_micrometres_come_back_from_dequantify_save_and_to_profiles(tmp_path):
    q = MICRONS.pint.quantify()
    plain = sims.dequantify(q)
    assert plain["depth"].attrs["units"] == "nm"
    np.testing.assert_array_equal(plain["depth"], COUNTED["depth"])
    assert type(plain.xindexes["depth"]) is type(COUNTED.xindexes["depth"])
    sims.testing.assert_identical(sims.load(sims.save(q, tmp_path / "q.nc")), plain)
    sims.testing.assert_identical(sims.load(sims.save(q["concentration"], tmp_path / "a.nc")),
                                  plain["concentration"])  # fmt: skip
    for found, wanted in zip(sims.to_profiles(q), sims.to_profiles(COUNTED), strict=True):
        np.testing.assert_array_equal(found.depths, wanted.depths)
        assert found.depth_units == wanted.depth_units


def test_what_pint_xarray_dequantifies_is_read_again():
    back = IMPLANT.pint.quantify().pint.dequantify()
    assert back["concentration"].attrs["units"] == "atom / centimeter ** 3"
    same(sims.integrated_dose(back), sims.integrated_dose(IMPLANT))
