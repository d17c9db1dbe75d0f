"""Tools of the CF conventions: a checker passes every file, and load undoes it all."""

import numpy as np
import pytest
import xarray as xr

import sims_analysis as sims
from sims_analysis import vocabulary
from sims_analysis.conventions import cf
from sims_analysis.units import CANONICAL, in_udunits, read_unit

WARNS = "ignore::sims_analysis.errors.SimsWarning"
LEVEL = "1e18 atoms/cm^3"


def implant():
    return sims.with_counting_statistics(
        sims.open_example("boron-implant"), value_per_count="1e14 atoms/cm^3"
    )


def run():
    return sims.with_counting_statistics(sims.open_example("sputter-time"), dwell_time="0.5 s")


def quantified():
    made = sims.with_rsf(run(), rsf={"As": "5e21 atoms/cm^3"}, matrix="Si")
    return sims.calibrate_depth(made, crater_depth="210 nm", total_time="500 s")


def batch():
    return sims.stack([implant(), implant().isel(depth=slice(20, None))], names=["w1", "w2"])


def fitted():
    return sims.fit(implant().sel(species="B"), model="gaussian", start="20 nm")


SAVED = {
    "measurement": implant,
    "one species": lambda: implant().sel(species="B"),
    "no species names but one array": lambda: implant()["concentration"].sel(species="B"),
    "an array without a name": lambda: implant()["concentration"].rename(None),
    "own depths": lambda: sims.open_example("gan-mg-stack"),
    "sputter time": run,
    "with factors": quantified,
    "batch": batch,
    "batch on one axis": lambda: sims.stack([implant(), implant()], names=[7, 9]),
    "one of a batch": lambda: batch().isel(measurement=0),
    "grid": lambda: sims.to_grid(implant(), step="5 nm"),
    "cells": lambda: sims.to_grid(implant(), step="5 nm", conserve="dose"),
    "without background": lambda: sims.subtract_background(implant(), window=("420 nm", "490 nm")),
    "dose": lambda: sims.integrated_dose(batch()),
    "cumulative dose": lambda: sims.cumulative_dose(implant()),
    "budget": lambda: sims.dose_budget(batch(), rsf_uncertainty=0.1),
    "junction": lambda: sims.junction_depth(batch(), level=LEVEL),
    "crossings": lambda: sims.crossings(batch(), level=LEVEL),
    "below detection": lambda: sims.below_detection(implant(), limit="1e16 atoms/cm^3"),
    "peak": lambda: sims.peak(batch()),
    "moments": lambda: sims.moments(batch()),
    "fit": fitted,
    "curve": lambda: sims.evaluate(fitted(), depth="50 nm"),
    "restored": lambda: sims.deconvolve(implant(), resolution="5 nm", start="20 nm"),
    "layers": lambda: sims.layers(
        sims.open_example("gan-mg-stack"), species="Mg", level="1e18 atoms/cm^3"
    ),
    "comparison": lambda: sims.compare(implant(), implant()),
    "sheet resistance": lambda: sims.sheet_resistance(implant(), donors=["P"], acceptors=["B"]),
    "quantified view": lambda: sims.quantify(implant()),
}


def complaints(path):
    checker = pytest.importorskip("compliance_checker.runner", reason="no compliance-checker")
    checker.CheckSuite.load_all_available_checkers()
    report = path.with_suffix(".txt")
    passed, failed = checker.ComplianceChecker.run_checker(
        str(path), ["cf:1.11"], 0, "strict", output_filename=str(report), output_format="text"
    )
    return "" if passed and not failed else report.read_text()


@pytest.mark.few(6)
@pytest.mark.slow
@pytest.mark.parametrize("what", SAVED)
@pytest.mark.filterwarnings(WARNS, "ignore::DeprecationWarning", "ignore::UserWarning")
def test_a_checker_passes_every_file_and_load_gives_back_what_was_saved(what, tmp_path):
    data = SAVED[what]()
    path = sims.save(data, tmp_path / "w.nc")
    sims.testing.assert_identical(sims.load(path), data)
    with xr.open_dataset(path) as plain:
        assert plain.attrs["Conventions"] == "CF-1.11"
    assert "Conventions" not in data.attrs
    assert complaints(path) == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        lambda ds: ds.assign(other=("depth", ds["depth"].values, {"units": "furlong"})),
        lambda ds: ds.isel(depth=[3, 1, 2]),
        lambda ds: ds.isel(depth=[1, 1, 2]),
    ],
    ids=["a unit that nobody knows", "an axis back and forth", "a depth that is there twice"],
)
def test_what_does_not_follow_the_conventions_does_not_claim_to(change, tmp_path):
    data = change(sims.open_example("boron-implant"))
    path = sims.save(data, tmp_path / "w.nc")
    with xr.open_dataset(path) as plain:
        assert "Conventions" not in plain.attrs
    sims.testing.assert_identical(sims.load(path), data)


@pytest.mark.parametrize("kind", ["nc", "zarr"])
def test_what_other_programs_see(kind, tmp_path):
    pytest.importorskip({"nc": "h5netcdf", "zarr": "zarr"}[kind])
    ds = implant()
    engine = {"nc": "h5netcdf", "zarr": "zarr"}[kind]
    with xr.open_dataset(sims.save(ds, tmp_path / f"w.{kind}"), engine=engine) as plain:
        attrs = plain["concentration"].attrs
        assert (attrs["units"], attrs["sims_units"]) == ("cm-3", "atom/cm^3")
        assert attrs["ancillary_variables"] == "concentration_stderr concentration_counts"
        found = sims.integrated_dose(plain.sel(species="B"))
    assert found.item() == sims.integrated_dose(ds.sel(species="B")).item()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["nc", "zarr"])
@pytest.mark.parametrize("lazily", [False, True])
def test_a_status_is_flags_in_a_file(kind, lazily, tmp_path):
    pytest.importorskip("dask")
    pytest.importorskip({"nc": "h5netcdf", "zarr": "zarr"}[kind])
    several = sims.stack([implant(), implant().isel(species=[0])], names=["w1", "w2"])
    data = sims.junction_depth(several.chunk() if lazily else several, level=LEVEL, edge="leading")
    path = sims.save(data, tmp_path / f"w.{kind}")
    for chunks in (None, {}):
        back = sims.load(path, chunks=chunks)
        sims.testing.assert_identical(back.compute(), data.compute())
        assert back["status"].dtype == data["status"].dtype
    engine = {"nc": "h5netcdf", "zarr": "zarr"}[kind]
    with xr.open_dataset(path, engine=engine, mask_and_scale=False) as plain:
        flags = plain["status"]
        meanings = flags.attrs["flag_meanings"].split()
        words = [meanings[code] if code >= 0 else "" for code in np.ravel(flags.values)]
        assert words == np.ravel(data["status"].values).tolist()
        assert flags.dtype == np.int8


@pytest.mark.slow
def test_flags_answer_to_their_words_in_cf_xarray(tmp_path):
    pytest.importorskip("cf_xarray", reason="cf-xarray is not installed")
    junction = sims.junction_depth(implant(), level=LEVEL)
    with xr.open_dataset(sims.save(junction, tmp_path / "j.nc")) as plain:
        is_ok = plain["status"].cf == "ok"
    assert is_ok.values.tolist() == (junction["status"] == "ok").values.tolist() == [True, False]


def test_cf_xarray_knows_the_axis_and_the_ancillary_variables(tmp_path):
    pytest.importorskip("cf_xarray", reason="cf-xarray is not installed")
    ds = implant()
    assert ds.cf.axes == {"Z": ["depth"]}
    assert ds.cf.coordinates == {"vertical": ["depth"]}
    assert set(ds.cf[["concentration"]].coords) >= {"concentration_stderr", "concentration_counts"}
    xr.testing.assert_identical(ds.cf.isel(Z=0), ds.isel(depth=0))
    assert ds.cf.sel(vertical=75, method="nearest").sizes == ds.isel(depth=0).sizes
    assert ds["depth"].attrs["positive"] == "down"


@pytest.mark.filterwarnings(WARNS)
def test_every_named_ancillary_variable_exists():
    steps = {
        "run": run(),
        "factors": quantified(),
        "batch": batch(),
        "unstacked": sims.unstack(batch())[0],
        "grid": sims.to_grid(implant(), step="5 nm"),
        "background": SAVED["without background"](),
        "no counts": sims.to_element(
            implant().assign_coords(species=["11B", "31P"]), abundance="natural"
        ),
    }
    for name, ds in steps.items():
        for variable in ds.data_vars.values():
            beside = variable.attrs.get("ancillary_variables", "").split()
            assert set(beside) <= set(ds.variables), name
            assert (f"{variable.name}_stderr" in ds) <= (f"{variable.name}_stderr" in beside)


@pytest.mark.parametrize(
    "text",
    sorted({*CANONICAL.values(), "atoms/m^3", "at/cm³", "at%", "Å", "[um]", "kcps", "ppma", "1/nm",
            "min", "atom / centimeter ** 3", "count/s nm", "atom/cm^3 / nm", "arb. unit nm"}),
)  # fmt: skip
def test_udunits_reads_every_unit_as_we_do(text):
    cf_units = pytest.importorskip("cf_units", reason="UDUNITS is not installed")
    udunits = cf_units.Unit(in_udunits(text))
    try:
        ours = read_unit(text)
    except sims.UnitsError:
        return  # of a fit's parameter, which no profile has
    canonical = cf_units.Unit(in_udunits(ours.canonical))
    assert udunits.convert(1.0, canonical) == pytest.approx(ours.multiply / ours.divide, rel=1e-14)


def test_the_comment_of_a_concentration_names_integrated_dose():
    assert "integrated_dose" in vocabulary.attrs("concentration")["comment"]
    assert "comment" in sims.open_example("boron-implant")["concentration"].attrs


@pytest.mark.parametrize(
    ("units", "said"), [("nm", True), (None, True), ("", False), ("furlong", False), (5, False)]
)
def test_units_are_ones_that_we_read(units, said):
    attrs = {} if units is None else {"units": units}
    assert cf.follows(xr.Dataset({"x": ("depth", [1.0], attrs)})) is said
