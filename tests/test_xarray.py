"""Integration with xarray: the accessor, the engine, and what xarray does to a Dataset of ours."""

import ast
import inspect
import io
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr
from entry_points import write_entry_points
from error_parts import raises
from instrument_files import iontof

import sims_analysis as sims
from sims_analysis import xarray as accessor_module
from sims_analysis.engine import SimsBackend
from sims_analysis.readers import registry as recognising
from sims_analysis.xarray import SimsAccessor, forwarded

ROOT = pathlib.Path(sims.__path__[0]).parent
IMPLANT = sims.open_example("boron-implant")
TABLE = "Depth (nm);11B (at/cm3)\n0;1,2E18\n5;3,5E18\n10;1E15\n"


# --- the accessor ---------------------------------------------------------------------------------


def test_the_accessor_forwards_to_every_function_of_data():
    names = forwarded()
    assert set(names) >= {"integrated_dose", "fit", "plot_profiles", "with_rsf", "save", "to_grid"}
    assert names.keys().isdisjoint(["read", "load", "stack", "to_dataset", "save_figure", "Client"])
    assert dir(IMPLANT.sims) == sorted(names)
    for name, function in names.items():
        method = getattr(IMPLANT.sims, name)
        own = list(inspect.signature(function).parameters.values())
        if own[0].kind is not inspect.Parameter.VAR_POSITIONAL:
            assert list(inspect.signature(method).parameters.values()) == own[1:]
        assert inspect.getdoc(method) == inspect.getdoc(function)


def test_the_accessor_declares_each_function_for_type_checkers():
    tree = ast.parse(pathlib.Path(accessor_module.__file__).read_text(encoding="utf-8"))
    body = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "SimsAccessor")
    typed = next(n for n in body.body if isinstance(n, ast.If)).body
    targets = [n.target if isinstance(n, ast.AnnAssign) else n.targets[0] for n in typed]
    assert [target.id for target in targets] == sorted(forwarded()), (
        "run `python tests/public_names.py`"
    )


def test_what_it_answers_is_what_the_function_answers():
    xr.testing.assert_identical(
        IMPLANT.sims.integrated_dose(stop="300 nm"), sims.integrated_dose(IMPLANT, stop="300 nm")
    )
    array = IMPLANT["concentration"].sel(species="B")
    xr.testing.assert_identical(array.sims.peak(), sims.peak(array))
    with raises(sims.UnitsError, "missing_unit", argument="stop"):
        IMPLANT.sims.integrated_dose(stop=300)


def test_what_is_none_is_an_attribute_error_that_helps(approved):
    with raises(AttributeError, text=approved):
        IMPLANT.sims.junktion_depth  # noqa: B018
    with raises(AttributeError, text=approved):
        IMPLANT.sims.stack  # noqa: B018
    assert not hasattr(IMPLANT.sims, "_ipython_display_")
    assert "Dataset" in repr(IMPLANT.sims)


def test_the_repr_of_the_accessor_names_its_data():
    assert repr(IMPLANT.sims) == "<the functions of sims_analysis, for this Dataset>"
    array = IMPLANT["concentration"].sims
    assert repr(array) == "<the functions of sims_analysis, for this DataArray>"


def run(code, **environment):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)} | environment,
    )  # fmt: skip


@pytest.mark.slow
def test_neither_the_neighbours_nor_anything_heavy_is_imported():
    code = """
import sys, json, sims_analysis as sims
before = sorted(sys.modules)
ds = sims.open_example("boron-implant")
sims.integrated_dose(ds); ds.sims.peak()
sims.read(b"Depth (nm);B (at/cm3)\\n0;1\\n5;3\\n10;1\\n").to_dataset()
print(json.dumps([before, sorted(sys.modules)]))
"""
    before, after = json.loads(run(code).stdout)
    neighbours = {
        "pint_xarray",
        "cf_xarray",
        "hvplot",
        "cf_units",
        "fsspec",
        "matplotlib",
        "httpx",
        "starlette",
    }  # pint brings dask
    heavy = {"numpy", "xarray", "pint", "scipy", "importlib.metadata"}
    assert not heavy & set(before)
    assert not neighbours & set(after)


def test_it_is_typed_and_forwards_alone():
    assert not [name for name in vars(SimsAccessor) if name in forwarded()]


# --- the engine -----------------------------------------------------------------------------------


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "w7.csv"
    path.write_text(TABLE)
    return path


def test_the_engine_opens_what_read_reads(table):
    ds = xr.open_dataset(table, engine=SimsBackend)
    xr.testing.assert_identical(ds, sims.read(table).to_dataset())
    with table.open("rb") as file:
        xr.testing.assert_identical(xr.open_dataset(file, engine=SimsBackend), ds)


def test_the_engine_takes_the_arguments_of_read_and_of_to_dataset(tmp_path, approved):
    path = tmp_path / "plain.csv"
    path.write_text("z,B\n0,1e18\n5,3e18\n5,4e18\n10,1e15\n")
    stated = {"depth_units": "nm", "units": "atoms/cm^3"}
    ds = xr.open_dataset(
        path, engine=SimsBackend, **stated, duplicates="mean", drop_variables="species_metadata"
    )
    assert ds["concentration"].values.tolist() == [[1e18, 3.5e18, 1e15]]
    assert "species_metadata" not in ds.variables
    with raises(sims.UnitsError, "missing_axis", argument="depth_units"):
        xr.open_dataset(path, engine=SimsBackend)
    with pytest.raises(TypeError, match="unexpected keyword argument 'depth_unit'"):
        xr.open_dataset(path, engine=SimsBackend, depth_unit="nm")
    with raises(ValueError, text=approved):
        xr.open_dataset(path, engine=SimsBackend, errors="collect", **stated)


@pytest.mark.slow
def test_the_engine_loads_what_save_wrote(tmp_path):
    path = sims.save(IMPLANT, tmp_path / "w.nc")
    assert xr.open_dataset(path)["concentration"].attrs["units"] == "cm-3"
    xr.testing.assert_identical(xr.open_dataset(path, engine=SimsBackend), IMPLANT)
    dose = sims.integrated_dose(IMPLANT)
    found = xr.open_dataset(sims.save(dose, tmp_path / "d.nc"), engine=SimsBackend)
    xr.testing.assert_identical(found["dose"], dose)


@pytest.mark.slow
def test_the_entry_point_is_found_and_guesses_by_content(tmp_path, table):
    """As installed: an installed package has this file, made of pyproject.toml."""
    site = write_entry_points(tmp_path / "site")
    times = np.arange(20.0)
    signals = [("Si+", "27.98", times * 100), ("B+", "11.01", times**2)]
    (tmp_path / "w7.txt").write_bytes(iontof(times, signals))
    code = f"""
import xarray as xr
assert "sims" in xr.backends.list_engines()
print(xr.open_dataset({str(table)!r}, engine="sims").sims.integrated_dose().attrs["units"])
print(*xr.open_dataset({str(tmp_path / "w7.txt")!r})["species"].values)
"""
    done = run(code, PYTHONPATH=f"{site}{os.pathsep}{ROOT}")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "atom/cm^2\nSi+ B+\n"


GUESSES = {
    "csv": (TABLE.encode(), None),
    "json": (b'[{"a": 1}, {"b": 2}]', None),
    "empty": (b"", None),
    "netcdf": (b"CDF\x01" + bytes(100), None),
    "binary": (bytes(range(256)) * 4, None),
    "text": (b"once upon a time\nthere was a text\n", None),
    "species of flowers": (b"sepal_length,species\n5.1,setosa\n4.9,setosa\n", None),
}


@pytest.mark.parametrize("name", GUESSES)
@pytest.mark.parametrize("opened", [False, True])
def test_files_of_other_people_are_not_claimed(name, opened, tmp_path):
    content, expected = GUESSES[name]
    path = tmp_path / f"file.{name.split()[0]}"
    path.write_bytes(content)
    assert recognising.format_of(io.BytesIO(content) if opened else path) == expected


def test_what_is_claimed_is_what_has_a_recogniser(tmp_path):
    payload = json.dumps([{"species_name": "B", "depths": [0, 1]}]).encode()
    file = io.BytesIO(b"--" + payload)
    file.seek(2)
    assert recognising.format_of(file) == "payload"
    assert file.tell() == 2
    exported = sims.to_csv(IMPLANT, tmp_path / "w7.csv")
    assert SimsBackend().guess_can_open(str(exported))
    assert not SimsBackend().guess_can_open("https://example.org/w7.dp_rpc_asc")
    assert not SimsBackend().guess_can_open(tmp_path)
    assert not SimsBackend().guess_can_open(IMPLANT)


# --- what xarray does -----------------------------------------------------------------------------


@pytest.fixture
def wafers(tmp_path):
    """Three wafers on one axis, each in a file of `save`."""
    made = []
    for i in range(3):
        ds = IMPLANT.assign(concentration=IMPLANT["concentration"] * (1 + i / 10))
        ds["concentration"].attrs = dict(IMPLANT["concentration"].attrs)
        ds = ds.assign_attrs(data_id=f"w{i}").expand_dims(wafer=[i])
        made.append((ds, sims.save(ds, tmp_path / f"w{i}.nc")))
    return made


def doses(data):
    return sims.integrated_dose(data, stop="300 nm")


@pytest.mark.slow
def test_concat_and_groupby(wafers):
    datasets = [ds for ds, _ in wafers]
    together = xr.concat(datasets, dim="wafer")
    wanted = np.concatenate([doses(ds).values for ds in datasets])
    np.testing.assert_array_equal(doses(together).values, wanted)
    grouped = together.groupby("wafer").map(lambda one: doses(one).reset_coords(drop=True))
    np.testing.assert_array_equal(grouped.values, wanted)


def test_merge_and_combine_by_coords(wafers):
    boron, phosphorus = IMPLANT.sel(species=["B"]), IMPLANT.sel(species=["P"])
    wanted = doses(IMPLANT).values
    merged = xr.merge([boron, phosphorus], combine_attrs="override", join="outer",
                      compat="no_conflicts")  # fmt: skip
    np.testing.assert_array_equal(doses(merged).values, wanted)
    combined = xr.combine_by_coords(
        [ds for ds, _ in wafers], combine_attrs="override", data_vars="all", coords="minimal",
        compat="override", join="outer",
    )  # fmt: skip
    assert doses(combined).dims == ("wafer", "species")
    np.testing.assert_array_equal(doses(combined).values[0], doses(wafers[0][0]).values[0])


@pytest.mark.slow
@pytest.mark.parametrize("engine", [None, SimsBackend])
def test_open_mfdataset_of_what_was_saved(wafers, engine):
    pytest.importorskip("dask")
    with xr.open_mfdataset(
        [path for _, path in wafers], engine=engine, combine="nested", concat_dim="wafer",
        combine_attrs="override", data_vars="all", coords="minimal", compat="override",
        join="outer",
    ) as lazy:  # fmt: skip
        assert lazy["concentration"].chunks is not None
        found = doses(lazy).values
    np.testing.assert_array_equal(found, np.concatenate([doses(ds).values for ds, _ in wafers]))


def test_coarsen_rolling_and_interp_keep_the_dose():
    wanted = doses(IMPLANT)
    for changed in (
        IMPLANT.coarsen(depth=2, boundary="trim").mean(),
        IMPLANT.rolling(depth=3, center=True, min_periods=1).mean(),
        IMPLANT.interp(depth=np.arange(1.0, 499.0, 1.0)),
    ):
        with_units = changed.assign(
            concentration=changed["concentration"].assign_attrs(IMPLANT["concentration"].attrs)
        )
        with_units["depth"].attrs = IMPLANT["depth"].attrs
        np.testing.assert_allclose(doses(with_units).values, wanted.values, rtol=0.03)
        if "units" in changed["concentration"].attrs and "units" in changed["depth"].attrs:
            np.testing.assert_array_equal(doses(changed).values, doses(with_units).values)
        else:  # releases of xarray differ in the attrs that they keep
            with raises(sims.UnitsError, "missing_unit"):
                doses(changed)


def test_to_dataframe_and_back():
    frame = IMPLANT["concentration"].to_dataframe()
    back = frame["concentration"].to_xarray()
    with raises(sims.UnitsError, "missing_unit"):
        doses(back)
    back["depth"].attrs, back.attrs = IMPLANT["depth"].attrs, IMPLANT["concentration"].attrs
    np.testing.assert_array_equal(doses(back).values, doses(IMPLANT).values)


ARITHMETIC = {
    "square": lambda c: c**2,
    "logarithm": lambda c: np.log10(c.where(c > 0)),
    "share of the maximum": lambda c: c / c.max("depth"),
    "integral": lambda c: c.integrate("depth"),
    "derivative": lambda c: c.differentiate("depth"),
    "product": lambda c: c * c.sel(species="B"),
    "reciprocal": lambda c: 1 / c.where(c > 0),
}


@pytest.mark.parametrize("what", ARITHMETIC)
@pytest.mark.parametrize("keep", [True, False])
def test_after_arithmetic_that_changes_the_unit_the_next_question_refuses(what, keep):
    with xr.set_options(keep_attrs=keep):
        changed = ARITHMETIC[what](IMPLANT["concentration"])
    with pytest.raises(sims.SimsError):
        sims.integrated_dose(changed)
