"""Files give back what was saved, to us and to everyone else."""

import importlib.util

import hypothesis.strategies as st
import numpy as np
import pytest
import shared_profiles
import xarray as xr
from error_parts import raises
from hypothesis import given, settings

import sims_analysis as sims
from sims_analysis.dataset import storage
from sims_analysis.errors import ArchiveError

KINDS = ["nc", "zarr"]
EXAMPLES = ["boron-implant", "gan-mg-stack", "sputter-time"]


def same(a, b):
    """Identical, with the dtypes that xarray's own comparison does not look at."""
    xr.testing.assert_identical(a, b)
    variables = [a.variable, b.variable] if isinstance(a, xr.DataArray) else None
    pairs = [variables] if variables else [(a[name], b[name]) for name in a.variables]
    pairs += [(a[name], b[name]) for name in a.coords]
    for one, other in pairs:
        assert one.dtype == other.dtype


@pytest.mark.few(1)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", EXAMPLES)
def test_profiles_come_back_as_they_were(tmp_path, kind, name):
    ds = sims.open_example(name)
    path = sims.save(ds, tmp_path / f"w.{kind}")
    same(sims.load(path), ds)
    assert sims.to_profiles(sims.load(path)) == sims.to_profiles(ds)
    assert [p.name for p in tmp_path.iterdir()] == [f"w.{kind}"]


@pytest.mark.few(1)
@pytest.mark.parametrize("kind", KINDS)
def test_everything_a_dataset_can_hold(tmp_path, kind):
    ds = sims.open_example("boron-implant")
    ds.attrs |= {
        "flag": True,
        "nothing": None,
        "empty": "",
        "list": [1, 2.5, "a", None],
        "tuple": (1, "b"),
        "tree": {"a": {"b": [True]}},
        "array": np.arange(3, dtype="int16"),
        "single": np.float32(0.1),
        "nan": float("nan"),
        "inf": [float("inf")],
        "greek": "µm⁻³",
        "number": 3,
    }
    ds["depth"].attrs["positive"] = "up"
    ds["concentration"].attrs["valid"] = (0.0, None)
    ds = ds.assign(
        count=("species", np.array([1, 2], dtype="int32")),
        good=("species", np.array([True, False])),
        half=("species", np.array([1, np.nan], dtype="float32")),
        when=("species", np.array(["2026-01-01T01:02:03.000000004"] * 2, dtype="M8[ns]")),
        text=("species", np.array(["", "µ⁻³"])),
        scalar=((), 4.0),
        odd=("species", np.array([-0.0, np.inf])),
    )
    back = sims.load(sims.save(ds, tmp_path / f"w.{kind}"))
    same(back, ds)
    assert np.signbit(back["odd"].values[0])
    assert isinstance(back.attrs["tuple"], tuple)
    assert back.attrs["flag"] is True
    assert back.attrs["array"].dtype == np.int16
    assert back["depth"].attrs["positive"] == "up"


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_results_and_batches(tmp_path, kind):
    a, b = sims.open_example("boron-implant"), sims.open_example("boron-implant")
    batch = sims.stack([a, b.isel(depth=slice(None, None, 2))])
    same(sims.load(sims.save(batch, tmp_path / f"batch.{kind}")), batch)
    dose = sims.integrated_dose(a)
    back = sims.load(sims.save(dose, tmp_path / f"dose.{kind}"))
    same(back, dose)
    nameless = dose.rename(None)
    assert sims.load(sims.save(nameless, tmp_path / f"dose.{kind}")).name is None
    one = a.sel(species="B")
    same(sims.load(sims.save(one, tmp_path / f"one.{kind}")), one)


@pytest.mark.parametrize("kind", KINDS)
def test_a_quantified_view_is_saved_plain(tmp_path, kind):
    ds = sims.open_example("boron-implant")
    same(sims.load(sims.save(sims.quantify(ds), tmp_path / f"w.{kind}")), ds)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_lazy_in_and_lazy_out(tmp_path, kind):
    ds = sims.open_example("boron-implant")
    path = sims.save(ds.chunk({"depth": 100}), tmp_path / f"w.{kind}", chunks={"depth": 50})
    lazy = sims.load(path, chunks={})
    assert lazy["concentration"].chunksizes["depth"][0] == 50
    same(lazy.compute(), ds)
    # Replacing a file that is still being read from.
    sims.save(lazy, path)
    same(sims.load(path), ds)


@pytest.mark.slow
@given(
    values=st.lists(st.floats(allow_nan=True, allow_infinity=False), min_size=1, max_size=5),
    name=st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=6),
    note=st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=4),
        lambda item: st.lists(item, max_size=2) | st.dictionaries(st.text(max_size=3), item),
        max_leaves=4,
    ),
)
@settings(max_examples=settings.default.max_examples // 2)  # a file each
def test_any_value_name_and_note(tmp_path_factory, values, name, note):
    # HDF5 ends a text at NUL, and no file can hold half of a surrogate pair.
    if isinstance(note, str) and "\x00" in note:
        note = note.replace("\x00", "")
    ds = xr.Dataset(
        {"concentration": (("species", "depth"), [values], {"units": "atom/cm^3"})},
        coords={
            "species": np.array([name]),
            "depth": ("depth", np.arange(len(values), dtype=float), {"units": "nm"}),
        },
        attrs={"note": note},
    )
    path = tmp_path_factory.mktemp("any") / "w.nc"
    same(sims.load(sims.save(ds, path)), ds)


def test_readable_without_this_package(tmp_path):
    ds = sims.open_example("boron-implant")
    for kind, engine in (("nc", "h5netcdf"), ("zarr", "zarr")):
        with xr.open_dataset(sims.save(ds, tmp_path / f"w.{kind}"), engine=engine) as plain:
            assert plain["concentration"].attrs["units"] == "cm-3"
            assert plain["depth"].attrs["positive"] == "down"
            assert plain["depth"].attrs["standard_name"] == "depth"
            assert plain.attrs["Conventions"].startswith("CF-")
            assert plain.attrs["title"]
            assert plain["species"].values.tolist() == ["B", "P"]
            np.testing.assert_array_equal(plain["concentration"], ds["concentration"])
            assert "_FillValue" not in plain["depth"].encoding


def test_the_same_data_give_the_same_bytes(tmp_path):
    ds = sims.open_example("gan-mg-stack")
    one, two = (sims.save(ds, tmp_path / f"{i}.nc").read_bytes() for i in range(2))
    assert one == two


def test_encodings_of_another_file_do_not_truncate(tmp_path):
    ds = sims.open_example("boron-implant")
    ds["concentration"].encoding = {"dtype": "int16", "scale_factor": 1e16, "_FillValue": -1}
    same(sims.load(sims.save(ds, tmp_path / "w.nc4")), ds)
    assert ds["concentration"].encoding["dtype"] == "int16"


def test_saving_changes_nothing_in_memory(tmp_path):
    ds = sims.open_example("boron-implant")
    before = ds.copy(deep=True)
    sims.save(ds, tmp_path / "w.nc")
    same(ds, before)


@pytest.mark.parametrize("kind", KINDS)
def test_a_failure_leaves_the_old_file(tmp_path, kind, approved):
    ds = sims.open_example("boron-implant")
    path = sims.save(ds, tmp_path / f"w.{kind}")
    with raises(ValueError, text=approved):
        sims.save(ds.assign_attrs(thing=object()), path)
    with pytest.raises((TypeError, ValueError)):
        sims.save(ds.assign(bad=("species", np.array([object(), object()]))), path)
    same(sims.load(path), ds)
    assert [p.name for p in tmp_path.iterdir()] == [f"w.{kind}"]


@pytest.mark.parametrize("suffix", ["nc", "zarr"])
def test_a_file_that_is_none_is_named(tmp_path, suffix):
    path = tmp_path / f"w.{suffix}"
    path.mkdir() if suffix == "zarr" else path.write_bytes(b"no HDF5")
    with raises(ArchiveError, "unreadable_file"):
        sims.load(path)


def test_packages_that_are_missing_are_named(tmp_path, monkeypatch, approved):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "h5py" else find(name)
    )
    with raises(ModuleNotFoundError, text=approved):
        sims.save(sims.open_example("boron-implant"), tmp_path / "v.nc")


@pytest.mark.few(2)
@pytest.mark.slow
@shared_profiles.parametrize()
@pytest.mark.filterwarnings("ignore::sims_analysis.errors.ProfileWarning")
def test_real_profiles_come_back(tmp_path, name):
    ds = sims.SIMSResult.from_json(shared_profiles.read(name)).to_dataset()
    for kind in KINDS:
        same(sims.load(sims.save(ds, tmp_path / f"w.{kind}")), ds)


@pytest.mark.parametrize("suffix", ["nc", "zarr"])
def test_numbers_in_attrs_are_numbers_in_the_file(tmp_path, suffix):
    numbers = {"run": 7, "angle": 0.5, "big": np.int64(2**40), "small": np.float64(1e-30)}
    ds = sims.open_example("boron-implant").assign_attrs(numbers)
    ds["concentration"].attrs["gain"] = 2
    path = sims.save(ds, tmp_path / f"w.{suffix}")
    engine = {"nc": "h5netcdf", "zarr": "zarr"}[suffix]
    with xr.open_dataset(path, engine=engine) as plain:
        assert {name: plain.attrs[name] for name in numbers} == numbers
        assert plain["concentration"].attrs["gain"] == 2
        assert not isinstance(plain.attrs["run"], str)
    back = sims.load(path)
    assert {name: back.attrs[name] for name in numbers} == numbers
    assert back["concentration"].attrs["gain"] == 2
    assert not {type(back.attrs[name]) for name in numbers} & {str, np.ndarray}


DEPTHS = "SIMS depth profiles of boron-implant"


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("data", "title"),
    [
        (lambda ds: ds, DEPTHS),
        (lambda ds: ds["concentration"], "SIMS depth profiles of an unnamed measurement"),
        (lambda ds: ds["concentration"].assign_attrs(data_id="w7"), "SIMS depth profiles of w7"),
        (lambda ds: ds.rename(depth="sputter_time"), DEPTHS),
        (lambda ds: ds.assign_attrs(data_id=""), "SIMS depth profiles of an unnamed measurement"),
        (sims.integrated_dose, "SIMS: Dose of boron-implant"),
        (sims.dose_budget, "SIMS: dose_budget of boron-implant"),
        (lambda _: xr.Dataset({"x": 1.0}), "SIMS: results of an unnamed measurement"),
        (lambda _: xr.DataArray(1.0, attrs={"call": "f(a)"}), "SIMS: f of an unnamed measurement"),
    ],
)
def test_a_file_says_what_it_holds(tmp_path, data, title):
    data = data(sims.open_example("boron-implant").isel(depth=slice(5)))
    path = sims.save(data, tmp_path / "w.nc")
    with xr.open_dataset(path, engine="h5netcdf") as plain:
        stated = plain.attrs
    own = data.attrs if isinstance(data, xr.Dataset) else {}
    assert {key: text for key, text in stated.items() if key != "sims_analysis_storage"} == {
        "history": f"saved by sims_analysis {sims.__version__}",
        **{key: text for key, text in own.items() if text},
        "title": title,
        "Conventions": "CF-1.11",
    }
    assert sims.provenance(path) == sims.provenance(data)


def test_labels_are_characters_in_netcdf_alone(tmp_path):
    ds = sims.open_example("boron-implant").isel(depth=slice(3))
    with xr.open_dataset(
        sims.save(ds, tmp_path / "w.nc"), engine="h5netcdf", decode_cf=False
    ) as raw:
        assert (raw["species"].dtype.kind, raw["species"].ndim) == ("S", 2)
        assert (raw["profile_id"].dtype.kind != "S", raw["profile_id"].ndim) == (True, 1)
        assert "_FillValue" not in raw["depth"].attrs
    pytest.importorskip("zarr")
    with xr.open_dataset(sims.save(ds, tmp_path / "w.zarr"), engine="zarr", decode_cf=False) as raw:
        assert (raw["species"].dtype.kind, raw["species"].ndim) == ("U", 1)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["nc"])
def test_chunks_are_no_larger_than_the_data(tmp_path, kind):
    ds = sims.open_example("boron-implant")
    for part in (ds.isel(depth=slice(3)), ds.isel(depth=slice(0))):
        path = sims.save(part, tmp_path / f"w.{kind}", chunks={"depth": 10})
        same(sims.load(path), part)
    with xr.open_dataset(sims.save(ds, path, chunks={"depth": 10}), engine="h5netcdf") as raw:
        assert raw["concentration"].encoding["chunksizes"] == (2, 10)


def test_an_old_folder_comes_back_if_the_new_one_cannot_take_its_place(tmp_path):
    old = tmp_path / "w.zarr"
    old.mkdir()
    with pytest.raises(FileNotFoundError):
        storage.move_into_place(tmp_path / "gone", old)
    assert [path.name for path in tmp_path.iterdir()] == ["w.zarr"]


@pytest.mark.few(1)
@pytest.mark.parametrize("ending", [".nc", ".zarr"])
def test_long_texts_of_one_species_take_no_room_of_all(tmp_path, ending):
    ds = sims.open_example("boron-implant").isel(species=np.zeros(50, int))
    texts = np.full(50, "", dtype=object)
    texts[0] = "x" * 20_000
    path = sims.save(ds.assign_coords(wire_fields=("species", texts)), tmp_path / f"a{ending}")
    kept = sims.load(path)["wire_fields"]
    assert kept.nbytes < 1000
    assert kept.values.tolist() == texts.tolist()
