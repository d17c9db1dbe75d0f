"""Species of several measurements in one Dataset: numbers, names and origins are kept."""

import numpy as np
import pytest
from shared_profiles import FOLDER

import sims_analysis as sims

WARNS = "ignore::sims_analysis.errors.SimsWarning"
LEVEL = "1e18 atoms/cm^3"


def positive():
    ds = sims.open_example("boron-implant")
    return sims.with_counting_statistics(ds, value_per_count="1e14 atoms/cm^3")


def negative():
    """Phosphorus again and arsenic, on other depths, of another day, without standard errors."""
    ds = sims.open_example("boron-implant").isel(depth=slice(3, None, 2))
    ds = ds.assign_coords(species=["As", "P"], depth=ds["depth"] + 0.25)
    ds["depth"].attrs = {"units": "nm"}
    return ds.assign_attrs(data_id="day 2", sha256="f" * 64, retrieved="2026-02-01T00:00:00Z")


def test_every_answer_is_that_of_the_measurement_alone():
    a, b = positive(), negative()
    both = sims.merge_profiles([a, b], suffix=["", " (Cs+)"])
    assert both["species"].values.tolist() == ["B", "P", "As", "P (Cs+)"]
    for of, names in ((a, {"B": "B", "P": "P"}), (b, {"As": "As", "P (Cs+)": "P"})):
        for new, old in names.items():
            for ask in (
                lambda d: sims.integrated_dose(d, stop="300 nm"),
                lambda d: sims.junction_depth(d, level=LEVEL),
                lambda d: sims.peak(d)["depth"],
            ):
                found, wanted = ask(both.sel(species=new)), ask(of.sel(species=old))
                np.testing.assert_allclose(found.values, wanted.values, rtol=1e-14)
                if "stderr" in found.coords and "stderr" in wanted.coords:
                    np.testing.assert_allclose(found["stderr"], wanted["stderr"], rtol=1e-14)
            own = sims.samples(both, new)
            np.testing.assert_array_equal(own["depth"].values, of["depth"].values)
            np.testing.assert_array_equal(
                own["concentration"].values, of["concentration"].sel(species=old).values
            )
    assert "samples(data, name)" in both.attrs["layout"]


def test_the_origin_of_each_species_is_kept():
    a, b = positive(), negative()
    both = sims.merge_profiles([a, b], suffix=["", "'"])
    assert both["data_id"].values.tolist() == ["boron-implant"] * 2 + ["day 2"] * 2
    assert both["sha256"].values.tolist() == [a.attrs["sha256"]] * 2 + ["f" * 64] * 2
    found = sims.provenance(both)
    assert found["data_id"] == ["boron-implant", "day 2"]
    functions = [step["function"] for step in found["steps"]]
    assert functions == ["with_counting_statistics", "merge_profiles"]
    one = sims.provenance(sims.integrated_dose(both.sel(species="As")))
    assert one["data_id"] == "day 2"
    profiles = sims.to_profiles(both)
    assert [p.data_id for p in profiles] == both["data_id"].values.tolist()


@pytest.mark.slow
def test_it_is_saved_and_stacked_like_any_other(tmp_path):
    both = sims.merge_profiles([positive(), negative()], suffix=["", "'"])
    sims.testing.assert_identical(sims.load(sims.save(both, tmp_path / "b.nc")), both)
    batch = sims.stack([both, both], names=["w1", "w2"])
    np.testing.assert_array_equal(
        sims.integrated_dose(batch).values[1], sims.integrated_dose(both).values
    )


def test_results_and_datasets_mix():
    a = sims.DepthProfile(
        species_name="B", depths=[0, 0.01, 0.02], depth_units="um",
        concentrations=[1e18, 3e18, 1e16], concentration_units="atoms/cm3",
    )  # fmt: skip
    result = sims.SIMSResult(data_id="d1", depth_profiles=[a])
    both = sims.merge_profiles([result, negative()])
    assert both["species"].values.tolist() == ["B", "As", "P"]
    found = sims.to_profiles(both.sel(species=["B"]))[0]
    assert (found.depth_units, found.depths.tolist()) == ("um", [0, 0.01, 0.02])


def test_what_belonged_to_a_whole_measurement_belongs_to_its_species():
    def calibrated(species, depth, uncertainty):
        run = sims.open_example("sputter-time")
        run = run.isel(species=[0]).assign_coords(species=[species])
        return sims.calibrate_depth(
            run, crater_depth=depth, total_time="500 s", depth_uncertainty=uncertainty
        )

    parts = [calibrated("As", "210 nm", 0.03), calibrated("P", "250 nm", 0.1)]
    both = sims.merge_profiles(parts)
    assert both["depth_scale_uncertainty"].values.tolist() == [0.03, 0.1]
    assert both["sputter_time"].dims == ("species", "depth")
    same = sims.merge_profiles([parts[0], parts[0].assign_coords(species=["P"])])
    assert same["sputter_time"].dims == ("depth",)


def test_kinds_of_data_come_back():
    view = sims.merge_profiles(
        [sims.quantify(positive()), sims.quantify(negative())], suffix=["a", "b"]
    )
    sims.testing.assert_identical(
        view, sims.merge_profiles([positive(), negative()], suffix=["a", "b"])
    )
    assert hasattr(view["concentration"].data, "magnitude")
    mixed = sims.merge_profiles([sims.quantify(positive()), negative()], suffix=["a", "b"])
    assert not hasattr(mixed["concentration"].data, "magnitude")
    pytest.importorskip("dask")
    lazy = sims.merge_profiles([positive().chunk(), negative()], suffix=["a", "b"])
    np.testing.assert_array_equal(lazy["concentration"], sims.dequantify(view)["concentration"])


@pytest.mark.filterwarnings(WARNS)
def test_two_real_files_of_one_instrument():
    names = ["160112l", "160112k"]
    paths = [FOLDER / f"uio_mina_cameca/raw/{name}.dp_rpc_asc" for name in names]
    if not all(path.is_file() for path in paths):
        pytest.skip("no ../shared/data with real profiles")
    results = sims.read(paths)
    both = sims.merge_profiles(results, suffix=[" (l)", " (k)"])
    for result, end in zip(results, (" (l)", " (k)"), strict=True):
        ds = result.to_dataset()
        for name in ds["species"].values:
            new = name if name in both["species"].values else f"{name}{end}"
            found, wanted = sims.samples(both, new), sims.samples(ds, name)
            np.testing.assert_array_equal(found["depth"], wanted["depth"])
            np.testing.assert_array_equal(found["intensity"], wanted["intensity"])
            assert str(found["data_id"].values) == ds.attrs["data_id"]
            assert str(found["sha256"].values) == ds.attrs["sha256"]


def merged(*changes):
    ds = sims.open_example("boron-implant").sel(species=["B"])
    other = ds.assign_coords(species=["P"]).assign_attrs(data_id="other")
    return sims.merge_profiles([ds, *(change(other) for change in changes)])


@pytest.mark.parametrize("name", ["Conventions", "sims_analysis_version", "history", "layout"])
def test_what_every_dataset_makes_anew_is_no_coordinate(name):
    found = merged(lambda ds: ds.assign_attrs({name: "another"}))
    assert name not in found.coords
    assert found.attrs.get("sims_analysis_version") == sims.__version__
    assert found.attrs.get("layout", "").startswith(
        "species on their own" if name == "layout" else ""
    )


def test_what_one_item_has_alone_is_that_of_its_species():
    found = merged(
        lambda ds: ds.assign_coords(crater_depth=210.0, wafer=("depth", ds["depth"].values))
    )
    np.testing.assert_array_equal(found["crater_depth"], [np.nan, 210.0])
    assert found["wafer"].dims == ("species", "depth")
    assert found["wafer"].isnull().all("depth").values.tolist() == [True, False]
    both = sims.merge_profiles([
        sims.open_example("boron-implant").sel(species=[one]).assign_coords(crater_depth=210.0)
        for one in ("B", "P")
    ])  # fmt: skip
    assert both["crater_depth"].dims == ()
    apart = [one.assign_coords(crater_depth=210.0) for one in (positive(), negative())]
    assert sims.merge_profiles(apart, suffix=["a", "b"])["crater_depth"].dims == ()


def test_what_differs_and_is_no_number_or_text_is_left_out():
    found = merged(lambda ds: ds.assign_attrs(tags=["a"], run=7, operator="N. N."))
    assert "tags" not in {*found.attrs, *found.coords}
    np.testing.assert_array_equal(found["run"], [np.nan, 7])
    assert found["operator"].values.tolist() == ["", "N. N."]
