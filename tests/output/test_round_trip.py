"""What to_csv and to_excel write, read reads back, whatever a result can hold."""

import warnings

import hypothesis.strategies as st
import numpy as np
import pytest
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
        bool(v.notnull().any()) for name, v in ds.data_vars.items() if not name.endswith("_stderr")
    )


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
    with pytest.raises(sims.errors.ProfileError, match=r"species 'B\\r': .* control characters"):
        sims.to_excel(ds, tmp_path / "x.xlsx")
    assert sims.read(sims.to_csv(ds, tmp_path / "x.csv")).species == ["B\r", "P"]


def test_a_csv_that_breaks_off_is_refused(tmp_path):
    path = sims.to_csv(sims.open_example("boron-implant"), tmp_path / "x.csv")
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(ReadError, match=r"x\.csv: the file breaks off: its last line has no end"):
        sims.read(path)
    with pytest.warns(sims.errors.ProfileWarning, match="no end, and is left out"):
        assert sims.read(path, allow_truncated=True)["P"].depths.size == 249


def test_what_is_stated_of_a_file_that_says_all_itself_is_told(tmp_path):
    path = sims.to_excel(sims.open_example("boron-implant"), tmp_path / "x.xlsx")
    with pytest.warns(sims.errors.ProfileWarning, match=r"species= is not used: the file says all"):
        assert sims.read(path, species=["10B", "P"]).species == ["B", "P"]


def test_what_was_done_is_read_back_from_a_workbook(tmp_path):
    ds = sims.subtract_background(sims.open_example("boron-implant"), value="1e15 atoms/cm^3")
    back = sims.read(sims.to_excel(ds, tmp_path / "x.xlsx")).to_dataset()
    assert sims.provenance(back)["steps"] == sims.provenance(ds)["steps"]
