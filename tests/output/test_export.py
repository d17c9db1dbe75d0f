"""Other programs read back exactly what was measured; tables are rounded by the rule."""

import csv

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
import shared_profiles
import xarray as xr
from error_parts import raises
from hypothesis import example, given
from single_profiles import profile_of

import sims_analysis as sims
from sims_analysis.dataset.series import series_of
from sims_analysis.errors import ProfileError, SpeciesError, UnitsError
from sims_analysis.testing import exponential_profile
from sims_analysis.text.cells import unescape_cell


def read_tidy(path):
    return pd.read_csv(path, keep_default_na=False, na_values=[""])


def stack_example():
    return sims.open_example("gan-mg-stack")


def test_csv_gives_back_the_limits_of_computed_data(tmp_path):
    z, low = np.arange(0.0, 40.0), np.arange(40) > 25
    units = {"units": "atom/cm^3"}
    ds = xr.Dataset(
        {"concentration": (("species", "depth"), [np.where(low, np.nan, 1e18)], units)},
        {"species": ["B"], "depth": ("depth", z, {"units": "nm"})},
    )
    limit = ("species", "depth"), [np.where(low, 5e15, np.nan)], units
    ds = ds.assign_coords(concentration_detection_limit=limit)
    back = sims.read(sims.to_csv(ds, tmp_path / "b.csv")).to_dataset()
    assert sims.quality(back)["start"].values.tolist() == [26.0]
    np.testing.assert_array_equal(back["concentration_detection_limit"], limit[1])


@pytest.mark.parametrize("layout", ["tidy", "paired"])
def test_csv_gives_back_every_sample_bit_for_bit(tmp_path, layout):
    ds = stack_example()
    path = sims.to_csv(ds, tmp_path / "w.csv", layout=layout)
    table = read_tidy(path)
    for s in series_of(ds):
        value = f"{s.variable} ({s.units})"
        if layout == "tidy":
            selected = table[(table["species"] == s.species) & table[value].notna()]
            x, y = selected["depth (nm)"], selected[value]
        else:
            x, y = (
                table[f"{s.species} {column}"].dropna()
                for column in (f"depth ({s.axis_units})", value)
            )
        np.testing.assert_array_equal(x, s.x)
        np.testing.assert_array_equal(y, s.y)
    rows = sum(s.x.size for s in series_of(ds))
    assert len(table) == (rows if layout == "tidy" else max(s.x.size for s in series_of(ds)))


@pytest.mark.slow
@example(name=" ")
@given(name=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8))
def test_no_name_is_harmed(tmp_path_factory, name):
    ds, _ = exponential_profile(
        [0.0, 1.0], surface_concentration="1e18 atoms/cm^3", decay_length="5 nm", species=name
    )
    folder = tmp_path_factory.mktemp("names")
    with sims.to_csv(ds, folder / "w.csv").open(newline="", encoding="utf-8") as file:
        assert unescape_cell(next(iter(csv.DictReader(file)))["species"]) == name
    with sims.to_csv(ds, folder / "p.csv", layout="paired").open(newline="", encoding="utf-8") as f:
        assert next(csv.reader(f))[0] == f"{name} depth (nm)"


def test_standard_errors_and_batches(tmp_path):
    ds, _ = exponential_profile(
        [0.0, 1.0, 2.0], surface_concentration="1e18 atoms/cm^3", decay_length="5 nm"
    )
    sigma = ds["concentration"] * 0.1
    sigma[0, 1] = np.nan
    ds["concentration_stderr"] = sigma.assign_attrs(units="atom/cm^3")
    table = read_tidy(sims.to_csv(ds, tmp_path / "w.csv"))
    np.testing.assert_array_equal(table["concentration_stderr (atom/cm^3)"], sigma[0])
    batch = sims.stack([ds, ds.isel(depth=[0, 2])], names=["W1", "W2"])
    table = read_tidy(sims.to_csv(batch, tmp_path / "w.csv"))
    assert table["measurement"].tolist() == ["W1", "W1", "W1", "W2", "W2"]
    header = sims.to_csv(batch, tmp_path / "p.csv", layout="paired").read_text().splitlines()[0]
    assert header.startswith("W1 B depth (nm),W1 B concentration (atom/cm^3),")


def test_kinds_of_input_give_the_same_file(tmp_path):
    ds = stack_example()
    plain = sims.to_csv(ds, tmp_path / "a.csv").read_bytes()
    for other in (sims.quantify(ds), ds.chunk({"species": 1})):
        assert sims.to_csv(other, tmp_path / "b.csv").read_bytes() == plain


def test_zero_negative_and_tiny_values_are_written_as_they_are(tmp_path):
    values = [0.0, -1.5e-300, 5e-324, 0.1 + 0.2, 1.7976931348623157e308]
    ds = xr.Dataset(
        {"concentration": ("depth", values, {"units": "atom/cm^3"})},
        coords={"depth": ("depth", np.arange(5.0), {"units": "nm"}), "species": "B"},
    )
    path = sims.to_tcad(ds, tmp_path / "b.txt", depth_units="nm")
    np.testing.assert_array_equal(np.loadtxt(path)[:, 1], values)
    with sims.to_csv(ds, tmp_path / "b.csv").open(newline="") as file:
        assert [float(row["concentration (atom/cm^3)"]) for row in csv.DictReader(file)] == values


def test_what_was_not_measured_is_written_with_its_limit(tmp_path):
    limits = {"detection_limit": {"units": "atoms/m^3", "values": [None, 2e21, None]}}
    profile = sims.DepthProfile(
        species_name="B", depths=[1, 2, 3], depth_units="nm",
        concentrations=[1e18, None, 1e16], concentration_units="atoms/cm^3",
        extra={"columns": limits},
    )  # fmt: skip
    ds = sims.to_dataset(profile)
    heads = "species,depth (nm),concentration (atom/cm^3),concentration_detection_limit (atom/cm^3)"
    rows = ["B,1.0,1e+18,", "B,2.0,,2000000000000000.0", "B,3.0,1e+16,"]
    written = sims.to_csv(ds, tmp_path / "w.csv", layout="tidy").read_text()
    assert written.splitlines() == [heads, *rows]
    none = {"detection_limit": {"units": "atoms/cm^3", "values": [3e15, 4e15]}}
    other = sims.DepthProfile(
        species_name="P", depths=[1, 2], depth_units="nm", concentrations=[None, None],
        concentration_units="atoms/cm^3", extra={"columns": none},
    )  # fmt: skip
    ds = sims.to_dataset([profile, other])
    rows += ["P,1.0,,3000000000000000.0", "P,2.0,,4000000000000000.0"]
    written = sims.to_csv(ds, tmp_path / "w.csv", layout="tidy").read_text()
    assert written.splitlines() == [heads, *rows]
    paired = sims.to_csv(ds, tmp_path / "p.csv", layout="paired").read_text()
    assert "P concentration (atom/cm^3)" in paired.splitlines()[0]


def test_what_stands_beside_a_profile_is_headed_with_its_own_unit(tmp_path):
    ds = sims.open_example("boron-implant").sel(species=["B"])
    ds = sims.with_counting_statistics(ds, value_per_count="1e14 atoms/cm^3")
    path = sims.to_csv(ds, tmp_path / "beside.csv")
    assert path.read_text().splitlines()[0] == (
        "species,depth (nm),concentration (atom/cm^3),concentration_stderr (atom/cm^3),"
        "concentration_counts (count)"
    )
    other = sims.to_csv(ds, tmp_path / "other.csv", value_units="1/m^3")
    texts = [one.read_text().splitlines() for one in (path, other)]
    assert len({tuple(line.split(",")[4] for line in lines) for lines in texts}) == 1


def test_a_text_longer_than_a_cell_goes_on_in_the_next_row(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    most = 32_767  # as Excel states it
    coords = {
        "unit": ("species", np.array(["nm", ""], dtype=object)),
        "short": ("species", np.array(["s", "t"])),
        "number": ("species", [1.0, 2.0]),
        "place": ("depth", ["u", "v", "w"]),
    }
    ds = named("B", "P").assign_coords(coords)
    ds.attrs = {"a": "x" * most, "b": "x" * most + "y", "c": "", "d": {"k": [1]}}
    known = {*ds.attrs, *coords}

    def about(ds):
        book = openpyxl.load_workbook(sims.to_excel(ds, tmp_path / "w.xlsx"))
        rows = book["about"].iter_rows(min_row=2, values_only=True)
        return [[text or "" for text in row] for row in rows if row[0] in known]

    rows = about(ds)
    assert [(key, of, len(text)) for key, of, text in rows[:3]] == [
        ("a", "", most), ("b", "", most), ("b", "", 1),
    ]  # fmt: skip
    of_species = [
        ["unit", "B", "nm"], ["unit", "P", ""], ["short", "B", "s"], ["short", "P", "t"],
    ]  # fmt: skip
    assert rows[3:] == [["c", "", ""], ["d", "", '{"k":[1]}'], *of_species]
    ds.attrs = {"a": "b"}
    assert about(ds.isel(species=0)) == [["a", "", "b"], *of_species[::2]]


def test_a_workbook_holds_every_digit_and_runs_no_name(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    exact = 0.1 + 0.2
    ds = named("=1+1").assign_attrs(note="=2+2")
    ds["concentration"][0, 1] = exact
    book = openpyxl.load_workbook(sims.to_excel(ds, tmp_path / "w.xlsx"))
    assert book.sheetnames == ["profiles", "tidy", "about"]
    for sheet in book:
        assert sheet.freeze_panes == "A2"
        types = {cell.data_type for row in sheet.iter_rows() for cell in row}
        assert types <= {"s", "inlineStr", "n"}, "text and numbers, no formula"
    tidy, about = book["tidy"], book["about"]
    assert [cell.value for cell in tidy[1]] == [
        "species",
        "depth (nm)",
        "concentration (atom/cm^3)",
    ]
    assert [cell.value for cell in tidy[3]] == ["=1+1", 1.0, exact]
    assert [cell.value for cell in about[1]] == ["what", "of", "value"]
    notes = [row for row in about.iter_rows(values_only=True) if row[0] == "note"]
    assert [(key, of or "", text) for key, of, text in notes] == [("note", "", "=2+2")]


@pytest.mark.parametrize("name", ["=1+1", "B;=1+1", "＝1+1", "\xa0=1+1", "\ufeff@x", "B\t-x"])
def test_a_name_in_a_workbook_stays_text_when_it_is_edited(tmp_path, name):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.load_workbook(sims.to_excel(named(name), tmp_path / "w.xlsx"))
    for cell in (book["tidy"]["A2"], book["profiles"]["B1"]):
        assert (cell.data_type, cell.quotePrefix) == ("s", True)
        assert cell.value.startswith(name)
    assert not book["tidy"]["B1"].quotePrefix


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("B", "B"), ("a b", "a b"), ("a,b", '"a,b"'), ('a"b', '"a""b"'), ("a\rb", '"a\rb"'),
        ("a\nb", '"a\nb"'), ("=B", "'=B"),
    ],
)  # fmt: skip
def test_a_cell_is_quoted_where_it_must_be(name, written, tmp_path):
    path = sims.to_csv(named(name), tmp_path / "w.csv", layout="tidy")
    assert f"\n{written},0.0,1e+18".encode() in path.read_bytes()


@pytest.mark.parametrize("suffix", [".xls", "", ".XLSX"])
def test_the_name_of_a_workbook_has_its_ending(suffix, tmp_path, approved):
    with raises(ValueError, text=approved):
        sims.to_excel(named("B"), tmp_path / f"w{suffix}")


def both_kinds():
    ds = named("B")
    ds["intensity"] = (ds["concentration"] / 1e15).assign_attrs(units="count/s")
    return ds


def heads(data, path, **options):
    return sims.to_csv(data, path, **options).read_text().splitlines()[0].split(",")


def test_a_unit_is_of_the_variable_that_it_fits(tmp_path):
    path = tmp_path / "w.csv"
    plain = ["species", "depth (nm)", "concentration (atom/cm^3)", "intensity (count/s)"]
    assert heads(both_kinds(), path) == plain
    assert heads(both_kinds(), path, value_units="1/m^3")[2:] == ["concentration (1/m^3)", plain[3]]
    assert heads(both_kinds(), path, value_units="counts/s")[2:] == [
        plain[2],
        "intensity (counts/s)",
    ]
    stated = {"concentration": "1/m^3", "intensity": "counts/s"}
    assert heads(both_kinds(), path, value_units=stated, depth_units="um") == [
        "species", "depth (um)", "concentration (1/m^3)", "intensity (counts/s)",
    ]  # fmt: skip
    numbers = [line.split(",") for line in path.read_text().splitlines()[1:]]
    assert [float(row[1]) for row in numbers] == [0.0, 0.001, 0.002]
    assert [float(row[2]) for row in numbers] == [1e24, 1e23, 0.0]
    assert [float(row[3]) for row in numbers] == [1e3, 1e2, 0.0]


@pytest.mark.parametrize(
    "asked",
    [
        {"value_units": ["1/m^3"]},
        {"value_units": {"dose": "1/cm^2"}},
        {"value_units": "1/(m^3"},
        {"value_units": {"intensity": "1)"}},
        {"depth_units": "(nm)"},
        {"value_units": {"intensity": "nm"}},
    ],
)
def test_a_unit_that_no_column_can_have_is_refused(asked, tmp_path):
    code = "missing_variable" if "dose" in asked.get("value_units", ()) else "wrong_unit"
    with raises(UnitsError, code, argument=next(iter(asked))):
        sims.to_csv(both_kinds(), tmp_path / "w.csv", **asked)


def test_a_profile_without_a_name_has_none_in_its_heads(tmp_path):
    one = both_kinds()["concentration"].isel(species=0, drop=True)
    for layout in ("tidy", "paired"):
        path = tmp_path / "w.csv"
        assert heads(one, path, layout=layout) == ["depth (nm)", "concentration (atom/cm^3)"]
        assert path.read_text().splitlines()[1] == "0.0,1e+18"
    batch = xr.concat([one, one], xr.Variable("wafer", ["w1", "w2"])).assign_attrs(one.attrs)
    assert heads(batch, path)[0] == "wafer"
    assert path.read_text().splitlines()[4] == "w2,0.0,1e+18"
    assert heads(batch, path, layout="paired")[2] == "w2 depth (nm)"


def test_a_single_sample_keeps_what_is_known_of_its_factor(tmp_path):
    one = named("B").isel(depth=[1])
    one = one.assign_coords(sensitivity_factor_uncertainty=("species", [0.1], {"units": "1"}))
    rows = sims.to_csv(one, tmp_path / "w.csv").read_text().splitlines()
    assert rows[0].split(",")[:3] == ["species", "depth (nm)", "concentration (atom/cm^3)"]
    assert rows[0].count(",") == 3
    assert rows[1] == "B,1.0,1e+17,0.1"


def test_a_batch_is_written_sample_by_sample(tmp_path):
    batch = sims.stack([named("B", "P"), named("B", "P")], names=["w1", "w2"])
    rows = sims.to_csv(batch, tmp_path / "w.csv").read_text().splitlines()
    assert rows[0] == "measurement,species,depth (nm),concentration (atom/cm^3)"
    each = ["0.0,1e+18", "1.0,1e+17", "2.0,0.0"]
    assert rows[1:4] == [f"w1,B,{one}" for one in each]
    every = [f"{wafer},{name},{one}" for wafer in ("w1", "w2") for name in "BP" for one in each]
    assert sorted(rows[1:]) == every


@pytest.mark.slow
def test_excel(tmp_path, approved):
    ds = stack_example()
    ds.attrs["note"] = "=1+1"
    long = '"' + "x" * 40_000 + '"'
    ds["species_metadata"] = ("species", np.array([long, "", "", ""]))
    ds = ds.set_coords("species_metadata")
    path = sims.to_excel(ds, tmp_path / "w.xlsx")
    sheets = pd.read_excel(path, sheet_name=None, keep_default_na=False, na_values=[""])
    assert list(sheets) == ["profiles", "tidy", "about"]
    for s in series_of(ds):
        column = sheets["profiles"][f"{s.species} {s.variable} ({s.units})"].dropna()
        # openpyxl writes 16 digits, Excel keeps 15.
        np.testing.assert_allclose(column.astype(float), s.y, rtol=1e-15)
    about = sheets["about"]
    assert about.loc[about["what"] == "note", "value"].tolist() == ["=1+1"]
    # Longer than a cell: it goes on in the next row.
    metadata = about[(about["what"] == "species_metadata") & (about["of"] == "Al")]
    assert "".join(metadata["value"]) == long
    with raises(ValueError, text=approved):
        sims.to_excel(ds, tmp_path / "w.xls")


def test_simulator_text(tmp_path, approved):
    ds = sims.open_example("boron-implant")
    path = sims.to_tcad(ds, tmp_path / "b.txt", species="B")
    table = np.loadtxt(path)
    np.testing.assert_allclose(table[:, 0], ds["depth"].values / 1000, rtol=1e-15)
    np.testing.assert_array_equal(table[:, 1], ds["concentration"].sel(species="B"))
    bare = sims.to_tcad(ds, tmp_path / "b.txt", species="B", comment=None).read_text()
    assert bare.splitlines()[0] == "0.001 2.24114e+19"
    with raises(SpeciesError, "missing_species", text=approved):
        sims.to_tcad(ds, path)
    with raises(SpeciesError, argument="species", species="As"):
        sims.to_tcad(ds, path, species="As")
    with raises(UnitsError, argument="depth_units"):
        sims.to_tcad(ds, path, species="B", depth_units="s")
    with raises(ProfileError, "missing_variable", species="As"):
        sims.to_tcad(sims.open_example("sputter-time"), path, species="As")


def test_errors(tmp_path, approved):
    ds = sims.open_example("boron-implant")
    with raises(ValueError, text=approved):
        sims.to_csv(ds, tmp_path / "w.csv", layout="wide")
    with raises(ProfileError, "no_profile"):
        sims.to_csv(xr.Dataset(), tmp_path / "w.csv")
    with raises(ProfileError, "no_data"):
        sims.to_csv(ds.where(False), tmp_path / "w.csv")
    assert list(tmp_path.iterdir()) == []


# --- tables of results --------------------------------------------------------------------------


def doses():
    return xr.DataArray(
        [9.5812e14, np.nan],
        dims="species",
        coords={
            "species": ["69Ga2", "50%"],
            "status": ("species", ["ok", "no_data"]),
            "stderr": ("species", [1.6e13, np.nan]),
        },
        name="dose",
        attrs={"units": "atom/cm^2", "long_name": "Dose"},
    )


def test_markdown():
    assert sims.results_table(doses()) == (
        "| species | Dose (atoms/cm²) |\n"
        "|:--|--:|\n"
        "| 69Ga2 | (9.58 ± 0.16)×10¹⁴ |\n"
        "| 50% | no data |"
    )


def test_latex():
    assert sims.results_table(doses(), format="latex").splitlines() == [
        r"\begin{tabular}{lr}",
        r"\toprule",
        r"species & Dose (atoms/cm$^{2}$) \\",
        r"\midrule",
        r"$^{69}$Ga$_{2}$ & $(9.58 \pm 0.16) \times 10^{14}$ \\",
        r"50\% & no data \\",
        r"\bottomrule",
        r"\end{tabular}",
    ]


def test_several_results_side_by_side():
    ds = sims.open_example("boron-implant")
    xj = sims.junction_depth(ds, level="1e18 atoms/cm^3", after="peak")
    peak = sims.peak(ds, start="20 nm")
    table = sims.results_table(sims.integrated_dose(ds), xj, highest=peak).splitlines()
    assert table[0].startswith("| species | Dose (atoms/cm²) | Junction depth (nm) | highest: ")
    assert "never reached" in table[3]
    assert table[1].count("--:|") == table[2].count("|") - 2
    assert sims.results_table(sims.quantify(xj)) == sims.results_table(xj)
    assert len(sims.results_table(xj.sel(species="B")).splitlines()) == 3


def test_a_number_with_a_warning_says_so():
    dose = doses()
    dose["status"] = ("species", ["truncated", "no_data"])
    assert "×10¹⁴ (truncated)" in sims.results_table(dose)


def test_the_format_of_a_table_of_results_is_one_that_there_is(approved):
    with raises(ValueError, text=approved):
        sims.results_table(doses(), format="html")


# --- notebooks ----------------------------------------------------------------------------------


def test_results_show_themselves_in_a_notebook():
    from xml.etree import ElementTree as ET

    profile = profile_of([0, 1, 2, 3], [1e18, 0, None, 1e16], "^11B<x>")
    result = sims.SIMSResult(data_id="<d>", depth_profiles=[profile])
    for shown in (profile._repr_html_(), result._repr_html_()):
        root = ET.fromstring(shown.replace("&middot;", "·"))  # noqa: S314 - our own text
        assert "^11B<x>" in "".join(root.itertext())
        assert "3 of 4" in "".join(root.itertext())
    assert "<sup>11</sup>B" in profile_of([0], [None], "11B")._repr_html_()
    assert "no SIMS data" in sims.SIMSResult(data_id="x", depth_profiles=[])._repr_html_()


@pytest.mark.few(4)
@shared_profiles.parametrize()
@pytest.mark.filterwarnings("ignore::sims_analysis.errors.ProfileWarning")
def test_real_profiles_are_written_whole(tmp_path, name):
    result = sims.SIMSResult.from_json(shared_profiles.read(name))
    ds = result.to_dataset()
    table = read_tidy(sims.to_csv(ds, tmp_path / "w.csv"))
    for s in series_of(ds):
        selected = table[table["species"] == s.species]
        np.testing.assert_array_equal(selected[f"{s.variable} ({s.units})"].dropna(), s.y)
    assert result._repr_html_().count("<tr>") == 1 + len(result.depth_profiles)


def named(*names):
    return sims.to_dataset([profile_of([0, 1, 2], [1e18, 1e17, 0.0], name) for name in names])


def test_a_line_break_in_a_name_is_no_line_of_numbers(tmp_path):
    path = sims.to_tcad(named("new\nline"), tmp_path / "s.txt")
    assert np.loadtxt(path).shape == (3, 2)


def test_a_simulator_gets_one_measurement_of_a_batch(tmp_path, approved):
    ds = named("B")
    batch = sims.stack([ds, ds], names=["w1", "w2"])
    with raises(ProfileError, "several_measurements", species="B", text=approved):
        sims.to_tcad(batch, tmp_path / "s.txt")
    sims.to_tcad(batch.isel(measurement=0), tmp_path / "s.txt")


def test_results_are_not_profiles_and_the_message_says_where_they_go(tmp_path):
    with raises(ProfileError, "no_profile"):
        sims.to_csv(sims.dose_budget(sims.open_example("boron-implant")), tmp_path / "b.csv")


def single(value, stderr=None, name="junction_depth", heading="Junction depth"):
    coords = {"species": ["B"]}
    if stderr is not None:
        coords["stderr"] = ("species", [stderr])
    attrs = {"units": "nm", "long_name": heading}
    return xr.DataArray([value], dims="species", coords=coords, name=name, attrs=attrs)


def test_headings_and_whole_numbers_in_tables():
    table = sims.results_table(single(1.0, heading="a | b\nc"))
    assert table.splitlines()[0] == r"| species | a \| b c (nm) |"
    assert "| 100 ± 10 |" in sims.results_table(single(100, 9.96))
    assert "| 7 |" in sims.results_table(single(7))
    assert "| 0 ± 2 |" in sims.results_table(single(-0.04, 2.0))


def test_a_budget_prints_its_dose_with_both_uncertainties():
    ds = sims.with_counting_statistics(
        sims.open_example("boron-implant").sel(species=["B"]), value_per_count="1e14 atoms/cm^3"
    )
    table = sims.results_table(sims.dose_budget(ds, rsf_uncertainty=0.10, depth_uncertainty=0.03))
    cells = [cell.strip() for cell in table.splitlines()[-1].split("|")]
    assert cells[2] == "(5.0 ± 0.5)×10¹⁴"
    assert cells[3:7] == ["1.0×10¹¹", "5×10¹³", "5×10¹³", "1.5×10¹³"]
    random_only = sims.results_table(sims.dose_budget(ds))
    assert "(5.0313 ± 0.0010)×10¹⁴" in random_only


def test_words_are_answers_too():
    ds = sims.open_example("boron-implant")
    found = sims.metallurgical_junctions(ds, donors=["P"], acceptors=["B"])
    assert "| p->n |" in sims.results_table(found)
    assert r"p$\rightarrow$n" in sims.results_table(found, format="latex")
    crossings = sims.results_table(sims.crossings(ds, level="1e18 atoms/cm^3"))
    assert "| falling |" in crossings


def test_a_fit_is_one_row_of_a_table():
    ds = sims.open_example("boron-implant").sel(species="B")
    ds = sims.with_counting_statistics(ds, value_per_count="1e14 atoms/cm^3")
    fit = sims.fit(
        ds, model="dual_pearson", start="20 nm", background="fit",
        fixed={"head_skewness": 0, "head_kurtosis": 3},
    )  # fmt: skip
    header, _, *rows = sims.results_table(fit).splitlines()
    assert len(rows) == 1
    assert header.startswith("| species | Dose (atoms/cm²) |")


def test_a_workbook_says_what_it_needs(tmp_path, monkeypatch, approved):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with raises(ModuleNotFoundError, text=approved):
        sims.to_excel(sims.open_example("boron-implant"), tmp_path / "b.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_digits_are_rounded(tmp_path):
    ds = sims.open_example("boron-implant")
    path = sims.to_csv(ds, tmp_path / "b.csv", digits=4)
    again = sims.read(path).to_dataset()["concentration"]
    np.testing.assert_allclose(again.values, ds["concentration"].values, rtol=5.1e-4)
    first = path.read_text().splitlines()[2].split(",")
    assert all(
        len(number.partition("e")[0].replace(".", "").strip("0")) <= 4 for number in first[1:]
    )
    with raises(sims.errors.ProfileError, argument="digits"):
        sims.to_excel(ds, tmp_path / "b.xlsx", digits=1)
