"""What to_csv and to_excel write, read reads back, whatever a result can hold."""

import csv
import re
import warnings

import hypothesis.strategies as st
import numpy as np
import pytest
from error_parts import raises, warns
from hypothesis import given, settings

import sims_analysis as sims
from sims_analysis.errors import ReadError

NAMES = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=6
)
UNITS = {
    "concentration": ["atoms/cm^3", "at/cm3", "cm^-3", "atoms/m^3"],
    "atomic_fraction": ["at.%", "ppm"],
    "mass_fraction": ["wt%"],
    "intensity": ["c/s", "counts/s"],
    "counts": ["counts"],
}
AXES = {"depth": ["nm", "um", "Å", "µm"], "sputter_time": ["s", "min"]}
#: Each example writes and reads files.
FEW = max(settings.default.max_examples // 4, 2)
VALUES = st.floats(-1e25, 1e25) | st.sampled_from([0.0, -0.0, 5e-324, 0.1 + 0.2])


@st.composite
def profiles(draw, name, axis, places, kind):
    """Draw one profile: gaps, limits of gaps, standard errors and metadata among it."""
    own = draw(st.lists(st.sampled_from(places), min_size=1, unique=True).map(sorted))
    size = len(own)
    values = draw(st.lists(VALUES | st.none(), min_size=size, max_size=size))
    limits = [draw(st.none() | st.floats(1e-3, 1e18)) if v is None else None for v in values]
    if not any(one is not None for one in values + limits):
        # Of a profile without any sample or limit CSV keeps the species alone.
        values[0] = 1.0
    stderr = draw(st.none() | st.lists(st.floats(0, 1e20), min_size=size, max_size=size))
    units = draw(st.sampled_from(UNITS[kind]))
    beside = {"detection_limit": {"units": units, "values": limits}} if any(limits) else None
    stated = draw(st.none() | st.dictionaries(st.text(max_size=3), st.text(max_size=3)))
    return sims.DepthProfile(
        species_name=name,
        depths=own,
        depth_units=draw(st.sampled_from(AXES[axis])),
        concentrations=values,
        concentration_units=units,
        concentrations_stderr=stderr,
        species_metadata=stated,
        data_id=draw(st.sampled_from(["w7", "", None])),
        id=draw(st.none() | st.just("p1")),
        extra={"columns": beside} if beside else {},
    )


@st.composite
def datasets(draw, names=NAMES):
    axis = draw(st.sampled_from(list(AXES)))
    places = draw(st.lists(st.integers(-5, 500), min_size=1, max_size=6, unique=True))
    places = [draw(st.sampled_from([1.0, 0.1, 1 / 3])) * place for place in places]
    found = []
    for name in draw(st.lists(names, min_size=1, max_size=3,
                              unique=True)):  # fmt: skip
        kinds = draw(st.lists(st.sampled_from(list(UNITS)), min_size=1, max_size=2, unique=True))
        found += [draw(profiles(name, axis, places, kind)) for kind in kinds]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sims.errors.SimsWarning)
        return sims.to_dataset(found)


def limits_of(ds):
    """List name, canonical place and canonical limit of each censored sample."""
    found = []
    for p in sims.to_profiles(ds):
        column = p.extra.get("columns", {}).get("detection_limit")
        for z, limit in zip(p.depths, column["values"] if column else [], strict=False):
            if limit is not None:
                one = sims.to_dataset([
                    sims.DepthProfile(species_name=p.species_name, depths=[z],
                                      depth_units=p.depth_units, concentrations=[limit],
                                      concentration_units=column["units"])
                ])  # fmt: skip
                (name,) = one.data_vars
                found.append((p.species_name, name, float(one[name].item())))
    return sorted(found)


def measured(ds):
    return any(
        bool(v.notnull().any())
        for name, v in ds.data_vars.items()
        if not name.endswith(("_stderr", "_detection_limit"))
    )


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["tidy", "paired"])
@pytest.mark.filterwarnings("ignore::sims_analysis.errors.SimsWarning")
@settings(max_examples=FEW)
@given(ds=datasets().filter(measured))
def test_csv_gives_back_every_sample_and_limit(tmp_path_factory, layout, ds):
    path = tmp_path_factory.mktemp("csv") / "x.csv"
    back = sims.read(sims.to_csv(ds, path, layout=layout)).to_dataset()
    assert back["species"].values.tolist() == ds["species"].values.tolist()
    axis = next(name for name in AXES if name in ds.dims)
    assert back[axis].values.tobytes() == ds[axis].values.tobytes()
    for name in set(ds.data_vars) | set(back.data_vars):
        expected = ds[name]
        if name.endswith("_stderr"):
            # An error belongs to a value that was measured.
            expected = expected.where(ds[name.removesuffix("_stderr")].notnull())
            if name not in back:
                assert expected.isnull().all()
                continue
        np.testing.assert_array_equal(back[name].values, expected.values)
    assert [limit[0] for limit in limits_of(back)] == [limit[0] for limit in limits_of(ds)]
    np.testing.assert_allclose(
        [limit[2] for limit in limits_of(back)], [limit[2] for limit in limits_of(ds)], rtol=1e-15
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sims_analysis.errors.SimsWarning")
@settings(max_examples=FEW // 2)
@given(
    ds=datasets(
        st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.just("\n"), min_size=1)
    ).filter(measured)
)
def test_workbooks_give_back_the_profiles_as_they_were_delivered(tmp_path_factory, ds):
    path = sims.to_excel(ds, tmp_path_factory.mktemp("xlsx") / "x.xlsx")
    result = sims.read(path)
    assert result.depth_profiles == sims.to_profiles(ds)
    assert result.data_id == ds.attrs.get("data_id", "")


@pytest.mark.few(3)
@pytest.mark.parametrize("way", ["tidy", "paired", "excel", "profiles"])
@pytest.mark.parametrize("shape", ["whole", "gaps", "concentration"])
def test_counts_go_along(tmp_path, way, shape):
    """With few counts, errors of sums need them: a sample without a count adds no variance."""
    ds = sims.to_dataset([
        sims.DepthProfile(
            species_name=name, depths=[1, 2, 3, 4, 5], depth_units="um", concentration_units="c/s",
            concentrations=np.array(counts) / 2, data_id="w7",
        )
        for name, counts in (("B", [0, 3, 1, 0, 0]), ("Si", [200, 180, 220, 190, 210]))
    ])  # fmt: skip
    ds = sims.with_counting_statistics(ds, dwell_time="2 s")
    if shape == "gaps":
        ds = ds.where((ds["species"] == "Si") | (ds["depth"] < 5000))
        ds["intensity_counts"][1, 0] = np.nan
    if shape == "concentration":
        ds = sims.with_rsf(ds, rsf={"B": "1e20 cm^-3"}, matrix="Si")
    if way == "profiles":
        back = sims.to_dataset(sims.to_profiles(ds))
    elif way == "excel":
        back = sims.read(sims.to_excel(ds, tmp_path / "x.xlsx")).to_dataset()
    else:
        back = sims.read(sims.to_csv(ds, tmp_path / "x.csv", layout=way)).to_dataset()
    names = {name for name in ds.data_vars if name.endswith("_counts")}
    assert names == {name for name in back.data_vars if name.endswith("_counts")}
    for name in names:
        np.testing.assert_array_equal(back[name], ds[name])
        assert back[name].attrs["units"] == "count"
    if shape == "concentration":
        for limits in ({}, {"start": "4 um"}):
            found, expected = (
                sims.integrated_dose(data, **limits).sel(species="B")["stderr"].item()
                for data in (back, ds)
            )
            assert found == expected > 0


def test_a_workbook_refuses_names_that_it_cannot_keep(tmp_path):
    ds = sims.open_example("boron-implant").assign_coords(species=["B\r", "P"])
    with raises(sims.errors.ProfileError, "failed_write", species="B\r"):
        sims.to_excel(ds, tmp_path / "x.xlsx")
    assert sims.read(sims.to_csv(ds, tmp_path / "x.csv")).species == ["B\r", "P"]


def test_a_csv_that_breaks_off_is_refused(tmp_path):
    path = sims.to_csv(sims.open_example("boron-implant"), tmp_path / "x.csv")
    path.write_bytes(path.read_bytes()[:-3])
    with raises(ReadError, "truncated_file", argument="allow_truncated"):
        sims.read(path)
    with warns(sims.errors.ProfileWarning, "truncated_file"):
        assert sims.read(path, allow_truncated=True)["P"].depths.size == 249


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_csv_in_which_somebody_wrote_is_read_as_any_table(tmp_path, quote):
    head = "species,depth (nm),concentration (atoms/cm^3)\n"
    path = tmp_path / "x.csv"
    for cell in ("<2e15", "1_000"):
        path.write_text(f"{head}B,0,1e18\nB,1,{quote}{cell}{quote}\nB,2,3e18\n")
        with raises(ReadError, "not_a_number", line=3, column="C"):
            sims.read(path)
    path.write_text(head.replace("species", f"{quote}species{quote}"))
    with raises(ReadError, "no_profile"):
        sims.read(path)


def test_what_is_stated_of_a_file_that_states_it_itself_is_warned_of(tmp_path):
    path = sims.to_excel(sims.open_example("boron-implant"), tmp_path / "x.xlsx")
    with warns(sims.errors.ProfileWarning, "unused_argument"):
        assert sims.read(path, species=["10B", "P"]).species == ["B", "P"]


def test_what_was_done_is_read_back_from_a_workbook(tmp_path):
    ds = sims.subtract_background(sims.open_example("boron-implant"), value="1e15 atoms/cm^3")
    back = sims.read(sims.to_excel(ds, tmp_path / "x.xlsx")).to_dataset()
    assert sims.provenance(back)["steps"] == sims.provenance(ds)["steps"]


FORMULAS = [
    '=HYPERLINK("http://x")', "+Si", "-Si", "@x", "'B", "'=B", "''", "\t=B", " =B", "-5",
    "11B;=cmd|'/C calc'!A0", "11B\t=1+1", "11B\n@x", "＝1+1", "\xa0=1+1", "\ufeff=1+1",
    "B;\u200b＋1",
]  # fmt: skip


@pytest.mark.parametrize("form", ["tidy", "paired", "excel"])
def test_names_that_a_spreadsheet_would_run_are_marked_and_read_back(tmp_path, form):
    profiles = [
        sims.DepthProfile(
            species_name=name, depths=[0.0, 1.0], depth_units="nm", concentrations=[1e18, -2e18],
            concentration_units="atoms/cm^3",
        )
        for name in FORMULAS
    ]  # fmt: skip
    ds = sims.to_dataset(profiles)
    if form == "excel":
        path = sims.to_excel(ds, tmp_path / "x.xlsx")
    else:
        path = sims.to_csv(ds, tmp_path / "x.csv", layout=form)
        with path.open(newline="") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        assert "-2e+18" in cells
        # Some spreadsheets split at other marks, and skip characters that are not displayed.
        parts = [part for cell in cells for part in re.split("[;\t\r\n]", cell)]
        begin = [part.strip("\ufeff\u200b\xa0 ")[:1] for part in parts]
        assert not [
            p for p, b in zip(parts, begin, strict=True) if b in {*"=+-@＝＋"} and not is_plain(p)
        ]
    assert sims.read(path).species == FORMULAS


def is_plain(cell):
    try:
        float(cell)
    except ValueError:
        return cell == "" or cell.startswith("-5 ")  # a name that is a number, in a heading
    return True


FORMS = {
    "tidy": lambda ds, path: sims.read(sims.to_csv(ds, path / "x.csv")).to_dataset(),
    "paired": lambda ds, path: sims.read(
        sims.to_csv(ds, path / "x.csv", layout="paired")
    ).to_dataset(),
    "excel": lambda ds, path: sims.read(sims.to_excel(ds, path / "x.xlsx")).to_dataset(),
    "json": lambda ds, _: sims.SIMSResult.from_json(
        sims.SIMSResult(data_id="w7", depth_profiles=sims.to_profiles(ds)).to_json()
    ).to_dataset(),
}


def with_uncertainties(kind):
    ds = sims.open_example("boron-implant")
    depth = ds["depth"].values
    known = {
        "plain": {
            "sensitivity_factor_uncertainty": ("species", [0.15, 0.1]),
            "depth_scale_uncertainty": ((), 0.05),
        },
        "one species": {"sensitivity_factor_uncertainty": ("species", [0.15, np.nan])},
        "layers": {
            "sensitivity_factor_uncertainty": (
                ("species", "depth"), [np.where(depth < 100, 0.1, 0.2), np.full(depth.size, 0.1)]
            ),
        },
        "dose": {
            "dose_scale": ("species", [0.5, 1.0]),
            "dose_scale_uncertainty": ("species", [0.02, 0.0]),
            "sensitivity_factor_uncertainty": ("species", [0.15, 0.1]),
            "depth_scale_uncertainty": ((), 0.05),
        },
    }  # fmt: skip
    return ds.assign_coords({n: (*pair, {"units": "1"}) for n, pair in known[kind].items()})


@pytest.mark.few(2)
@pytest.mark.parametrize("kind", ["plain", "one species", "layers", "dose"])
@pytest.mark.parametrize("form", FORMS)
def test_what_a_budget_needs_travels(tmp_path, form, kind):
    ds = with_uncertainties(kind)
    back = FORMS[form](ds, tmp_path)
    expected, found = sims.dose_budget(ds), sims.dose_budget(back)
    for part in ("dose", "rsf_stderr", "depth_stderr", "systematic_stderr"):
        np.testing.assert_allclose(found[part].values, expected[part].values, rtol=1e-12)
    assert (expected["rsf_stderr"].sel(species="B") > 0).all()


def test_errors_and_counts_travel_through_json(tmp_path):
    ds = sims.with_counting_statistics(
        sims.open_example("boron-implant"), value_per_count="1e14 atoms/cm^3"
    )
    back = FORMS["json"](ds, tmp_path)
    for name in ("concentration_stderr", "concentration_counts"):
        np.testing.assert_array_equal(back[name].values, ds[name].values)


@pytest.mark.parametrize("form", ["tidy", "paired", "excel"])
def test_requested_units(tmp_path, form):
    ds = sims.open_example("boron-implant").sel(species=["B"])
    ds["concentration_stderr"] = ds["concentration"] * 0.1
    asked = {"depth_units": "um", "value_units": {"concentration": "1/m^3"}}
    if form == "excel":
        path = sims.to_excel(ds, tmp_path / "x.xlsx", **asked)
    else:
        path = sims.to_csv(ds, tmp_path / "x.csv", layout=form, **asked)
        head, first = path.read_text().splitlines()[:2]
        assert "depth (um)" in head
        assert "concentration (1/m^3)" in head
        assert "concentration_stderr (1/m^3)" in head
        assert [float(c) for c in first.split(",")[-3:]] == [
            ds["depth"].values[0] / 1000,
            ds["concentration"].values[0, 0] * 1e6,
            ds["concentration_stderr"].values[0, 0] * 1e6,
        ]
    back = sims.read(path).to_dataset()
    np.testing.assert_allclose(back["depth"].values, ds["depth"].values, rtol=1e-15)
    for name in ("concentration", "concentration_stderr"):
        np.testing.assert_allclose(back[name].values, ds[name].values, rtol=1e-15)


@pytest.mark.parametrize(
    "asked",
    [
        {"value_units": "counts/s"},
        {"value_units": {"dose": "1/cm^2"}},
        {"depth_units": "s"},
        {"value_units": "atoms/(cm^3)"},
    ],
)
def test_units_that_do_not_fit_are_refused(tmp_path, asked, approved):
    with raises(sims.errors.UnitsError, argument=next(iter(asked)), text=approved):
        sims.to_csv(sims.open_example("boron-implant"), tmp_path / "x.csv", **asked)
    assert not (tmp_path / "x.csv").exists()


def cells_of(kind):
    if kind == "bins of a simulator":
        z = np.arange(1.0, 101.0)
        edges = [np.append(0.0, z[:-1] * 25.0 + 0.01), z * 25.0 + 0.01]
        columns = dict(zip(("cell_start", "cell_stop"), edges, strict=True))
        columns = {
            name: {"units": "angstrom", "values": edge.tolist()} for name, edge in columns.items()
        }
        profile = sims.DepthProfile(
            species_name="Ni",
            depths=0.5 * (edges[0] + edges[1]),
            depth_units="angstrom",
            concentrations=np.exp(-(((z - 60) / 15) ** 2)) * 1e5,
            concentration_units="(atoms/cm^3)/(atoms/cm^2)",
            extra={"columns": columns},
        )
        return sims.to_dataset([profile])
    ds = sims.with_counting_statistics(
        sims.open_example("boron-implant"), value_per_count="1e14 atoms/cm^3"
    )
    cells = sims.to_grid(ds, step="1.2 nm", conserve="dose")
    if kind == "own ends":
        for name in ("concentration", "concentration_stderr", "concentration_counts"):
            cells[name][0, :40] = np.nan
    return {
        "a part": cells.isel(depth=slice(20, 90)),
        "stretched": sims.rescale_depth(cells, factor=1.3),
        "in um": sims.with_units(cells, depth="um"),
    }.get(kind, cells)


FILES = FORMS | {
    "netcdf": lambda ds, path: sims.load(sims.save(ds, path / "x.nc")),
    "zarr": lambda ds, path: sims.load(sims.save(ds, path / "x.zarr")),
}


@pytest.mark.few(2)
@pytest.mark.parametrize(
    "kind",
    [
        "bins of a simulator", "grid", pytest.param("own ends", marks=pytest.mark.slow),
        pytest.param("a part", marks=pytest.mark.slow),
        pytest.param("stretched", marks=pytest.mark.slow), "in um",
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", FILES)
def test_averages_over_cells_travel_as_such(tmp_path, form, kind):
    ds = cells_of(kind)
    back = FILES[form](ds, tmp_path)
    scale = 1e3 if kind == "in um" and form not in ("netcdf", "zarr") else 1.0
    np.testing.assert_allclose(back["depth_bounds"], scale * ds["depth_bounds"], rtol=1e-13)
    limits = {"start": "55 nm", "stop": "80 nm"}
    for question in (sims.integrated_dose, sims.mean_value):
        expected, found = question(ds, **limits), question(back, **limits)
        np.testing.assert_allclose(found, expected, rtol=1e-13)
        if "stderr" in expected.coords:  # on a grid finer than the samples
            np.testing.assert_allclose(found["stderr"], expected["stderr"], rtol=1e-12)
    name = next(iter(back.data_vars))
    alone = sims.integrated_dose(back[name], **limits)
    np.testing.assert_allclose(alone, sims.integrated_dose(ds, **limits), rtol=1e-13)
