"""Recognition, refusals, many files, provenance, and what this library writes itself."""

import csv
import gzip
import hashlib
import io
import sys
import warnings
import zipfile
from types import SimpleNamespace

import numpy as np
import openpyxl
import pytest
import xarray as xr
from error_parts import raises, warns
from instrument_files import binary, cameca_rpc, cnt, dp_ascii, eag_rows, iontof, srim, vamas
from shared_profiles import FOLDER

import sims_analysis as sims
from sims_analysis.profiles.metadata import Layer, Metadata
from sims_analysis.readers import registry as recognising
from sims_analysis.readers.registry import FORMATS
from sims_analysis.readers.source import Options, Source
from sims_analysis.readers.tables import table

Z, K = np.array([0.1, 0.2, 0.3]), np.array([5, 0, 3])
CAMECA = cameca_rpc({"10B": (None, Z, cnt(K), "I"), "30Si": (None, Z + 0.01, cnt(K * 9), "I")})
TABLE = b"Depth (nm),B (cm^-3)\n0,1e18\n1,2e18\n2,3e18\n"


# --- recognition ------------------------------------------------------------------------------

NUMBERS = np.arange(1, 101) * 1.0
CONTENTS = {
    "cameca_rpc": CAMECA,
    "cameca_binary": binary({"B": (Z, K)}),
    "iontof": iontof(Z, [("B+", "10", K)]),
    "srim": srim(NUMBERS * 80, {"B": NUMBERS}),
    "vamas": vamas([("B", [0.0, 1.0], [1.0, 2.0])]),
    "table": TABLE,
}


@pytest.mark.parametrize("name", CONTENTS)
def test_formats_are_recognised_by_content_and_not_by_name(write, name):
    result = sims.read(write(CONTENTS[name], "profile.dat"))
    assert result.provenance["format"] == name
    assert name in sims.read_formats()


def test_a_format_that_is_stated_is_not_recognised(write, approved):
    path = write(b"% written by floops\n0.0 1e18\n0.1 2e18\n")
    assert sims.read(path, species="B").provenance["format"] == "suprem"
    stated = {"depth_units": "nm", "units": "cm^-3", "species": "B"}
    assert sims.read(path, format="table", **stated)["B"].depth_units == "nm"
    with raises(ValueError, text=approved):
        sims.read(path, format="excel")


def test_an_answer_of_the_api_in_a_file(write):
    result = sims.read(write(TABLE))
    again = sims.read(write(result.to_json(), "kept.json"))
    assert again.depth_profiles == result.depth_profiles
    with raises(sims.ReadError, "invalid_payload"):
        sims.read(write(b'[{"depths": [1]}]', "kept.json"))


# --- refusals ---------------------------------------------------------------------------------


def zipped(name):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, "text")
    return stream.getvalue()


SPOT = b"""CAMECA                    \t12/18/2018
                          \t10:40 PM

ACQUISITION FILE NAME:\tD:\\zircon@1.ais
RAW DATA:=========================

#block\t#cycle

          \t204Pb     \t206Pb     \t

0\t0\t3.000000E-1 \t1.981050E+3 \t
0\t1\t1.000000E-1 \t2.028100E+3 \t

TIMING  DATA : ///////////////////

0\t0\t2.965650E+2 \t3.171250E+2 \t
0\t1\t3.795850E+2 \t4.000650E+2 \t
"""


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" \r\n\r\n",
        b"\x89PNG\r\n\x1a\n" + bytes(64),
        b"II*\0" + bytes(64),
        b"%PDF-1.7 ...",
        gzip.compress(TABLE, mtime=0),
        zipped("word/document.xml"),
        zipped("w7.csv"),
        b"<html><table><tr><td>1</td></tr></table></html>",
        b"\x89HDF\r\n\x1a\n" + bytes(64),
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
        bytes(range(256)) * 40,
        b"m/z,Intensity\n1,5\n2,7\n3,9\n",
        b"Mass (u)\tCounts\n1\t5\n2\t7\n3\t9\n",
        b"Binding Energy (eV),Counts (cps)\n1,5\n2,7\n3,9\n",
        b"# MgO.nrj\nOffset[V]\tI[c/s]\n-2\t5\n-1\t7\n0\t9\n",
        b"<?xml version='1.0'?><data/>",
        SPOT,
        b"SHRIMP SW v4.0 PRAWN DATA FILE\n0 195.8 11\n1 195.8 12\n",
        b"\t\tlab \\ ISOTOPES \\ Sample : A\n\n 1 2/1 1.6E-3\n",
        b"Cameca HMR Sprectrum software,\nPt \t X \t Y \n 1 : -7.9 \t +4.2 \n",
        b"Depth (nm),B (cm^-3)\n",
        b"just a letter to the laboratory\n",
        b"Cycle,B (counts/s)\n1,5\n2,7\n",
        b"depth (nm);species;concentration (atom/cm^3);;\n",
    ],
    ids=map(str, range(25)),
)
def test_other_files_are_refused_by_what_they_are(write, content, approved):
    with raises(sims.ReadError, text=approved):
        sims.read(write(content))


def test_files_of_other_kinds_are_named_by_their_first_bytes(approved):
    images, packed = [b"\xff\xd8\xff\xe0\0", b"GIF89a", b"MM\0*"], [b"\x1f\x8b\x08", b"BZh9"]
    packed += [b"\xfd7zXZ\0", b"7z\xbc\xaf\0", b"Rar!"]
    pages = [b" <!DOCTYPE html>", b"<HTML>", b"<svg>"]
    others = [b"CDF\x01", b"CDF\x02", b"ITStrF01", b"MATLAB 5.0 MAT-file", b"\x93NUMPY"]
    for content in (*images, b"{\\rtf1}", *packed, *others, *pages):
        with raises(sims.ReadError, "no_profile", text=approved):
            sims.read(content)


def test_a_file_that_is_not_there_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        sims.read(tmp_path / "absent.csv")


def test_wrong_arguments_are_refused(write, approved):
    path = write(TABLE)
    with raises(ValueError, text=approved):
        sims.read(path, decimal=";")
    with raises(ValueError, text=approved):
        sims.read([path], errors="ignore")


# --- many files -------------------------------------------------------------------------------


def test_a_folder_goes_through_a_bad_file_and_loses_no_other(write, tmp_path, approved):
    for i in range(30):
        write(TABLE.replace(b"2e18", f"{i}e17".encode()), f"w{i:02}.csv")
    write(b"\x89PNG\r\n\x1a\n", "w07.csv")
    outcomes = sims.read(tmp_path, errors="collect")
    assert len(outcomes) == 30
    assert isinstance(outcomes[7], sims.ReadError)
    assert str(outcomes[7]) == "w07.csv: the file is an image"
    for i, outcome in enumerate(outcomes):
        if i != 7:
            assert outcome.data_id == f"w{i:02}"
            assert outcome["B"].concentrations[1] == i * 1e17
    with raises(sims.PartialResultsError, text=approved) as caught:
        sims.read(tmp_path)
    assert caught.value.results[8]["B"].concentrations[1] == 8e17


def test_paths_are_read_in_their_order(write, tmp_path):
    paths = [write(TABLE, "b.csv"), tmp_path / "absent.csv", write(TABLE, "a.csv")]
    results = sims.read(paths, errors="collect")
    assert [getattr(result, "data_id", None) for result in results] == ["b", None, "a"]
    assert "absent.csv: No such file" in str(results[1])
    assert [result.data_id for result in sims.read(iter([paths[2], paths[0]]))] == ["a", "b"]


def test_what_is_collected_is_a_list(write):
    path = write(TABLE)
    (result,) = sims.read(path, errors="collect")
    assert result.species == ["B"]
    (error,) = sims.read(write(b"", "empty.csv"), errors="collect")
    assert isinstance(error, sims.ReadError)


def test_progress_is_shown_on_request(write, tmp_path, capsys):
    pytest.importorskip("tqdm")
    write(TABLE)
    sims.read([tmp_path / "w7.txt"] * 3, progress=True)
    assert "3/3" in capsys.readouterr().err
    sims.read([tmp_path / "w7.txt"] * 30)
    assert capsys.readouterr().err == ""


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_bar_is_shown_for_many_files_on_a_terminal(write, monkeypatch):
    pytest.importorskip("tqdm")
    path = write(TABLE)
    shown = {}
    for count, progress in ((20, None), (19, None), (20, False), (1, True)):
        monkeypatch.setattr("sys.stderr", Terminal())
        assert len(sims.read([path] * count, progress=progress)) == count
        shown[count, progress] = sys.stderr.getvalue()
    assert "reading" in shown[20, None]
    assert "20/20" in shown[20, None]
    assert "file/s" in shown[20, None]
    assert (shown[19, None], shown[20, False]) == ("", "")
    assert "1/1" in shown[1, True]
    monkeypatch.setattr("sys.stderr", None)
    assert len(sims.read([path] * 20)) == 20


def test_without_the_package_of_the_bar_files_are_read_all_the_same(write, monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert len(sims.read([write(TABLE)], progress=True)) == 1
    assert capsys.readouterr().err == "\rreading: 1 of 1\n"


def test_an_error_repeats_three_of_the_warnings_before_it(approved):
    text = b"z (nm);B (at%);C (at%);N (at%);O (at%);F (foo/cm3)\n0;1;2;3;4;5\n1;2;3;4;5;6\n"
    units = dict.fromkeys("BCNO", "cps")
    for stated in (units, {name: units[name] for name in "BCN"}):
        with raises(sims.UnitsError, "unknown_unit", argument="units", species="F", text=approved):
            sims.read(text, units=stated)


def test_files_read_with_any_argument_can_be_explained(write):
    path = write(TABLE)
    stated = {"errors": "collect", "progress": True, "format": "table"}
    assert "read as 'table'" in sims.explain_read(path, **stated)
    own = SimpleNamespace(
        name="own", description="Own", recognises=bool, read=lambda _: sims.Content()
    )
    first, *others = sims.explain_read(path, format=own).splitlines()
    assert first == "w7.txt, read as 'own': a reader of your own"
    assert others[0].startswith("not read: the file contains no profile: no signal has a number")
    assert sims.explain_read(b"").partition("\n")[2] == "not read: the file is empty"
    with pytest.raises(TypeError, match="unexpected keyword argument 'unknown'"):
        sims.explain_read(path, unknown=1)


def test_warnings_name_the_file_and_point_at_the_caller(write):
    path = write(b"Depth (nm),B (cm^-3)\n0,1e18\n\n1,2e18\n2,3e18\n")
    with warns(sims.ProfileWarning, "several_tables") as warned:
        sims.read(path)
    assert warned[0].filename == __file__


# --- provenance -------------------------------------------------------------------------------


def test_provenance_is_that_of_the_file(write):
    path = write(CAMECA)
    result = sims.read(path)
    sha256 = hashlib.sha256(CAMECA).hexdigest()
    assert result.provenance["source"] == "file:w7.txt"
    assert result.provenance["sha256"] == result.metadata.sha256 == sha256
    assert result.metadata.format == "cameca_rpc"
    assert result.metadata.reader == f"2, sims_analysis {sims.__version__}"
    ds = result.to_dataset()
    assert sims.provenance(ds)["sha256"] == sha256
    assert sha256 in ds.attrs["measurement"]


def test_metadata_survive_json_archives_and_datasets(write, tmp_path):
    result = sims.read(write(CAMECA))
    again = sims.SIMSResult.from_json(result.to_json())
    assert again.metadata == result.metadata
    assert again.depth_profiles == result.depth_profiles
    archive = sims.Archive(tmp_path / "archive")
    archive.add(result)
    kept = archive.get("w7")
    assert kept.metadata == result.metadata
    kept_ds, ds = (r.to_dataset().drop_vars("wire_fields") for r in (kept, result))
    xr.testing.assert_identical(kept_ds.drop_attrs(), ds.drop_attrs())
    assert kept_ds.attrs["measurement"] == ds.attrs["measurement"]
    assert sims.to_profiles(result.to_dataset()) == result.depth_profiles


def test_answers_from_an_archive_tell_the_hash_of_the_file(write, tmp_path):
    archive = sims.Archive(tmp_path / "archive")
    path, sha256 = write(CAMECA), hashlib.sha256(CAMECA).hexdigest()
    assert archive.add(path, data_id="a").species == sims.read(path).species
    archive.add(sims.read(path), data_id="b")
    one, two = (archive.get(data_id).to_dataset() for data_id in "ab")
    found = sims.provenance(sims.peak(one))
    assert found["file_sha256"] == sha256
    assert found["sha256"] == archive.record("a").sha256 != sha256
    batch = sims.stack([one, two])
    assert sims.provenance(sims.peak(batch))["file_sha256"] == sha256
    assert sims.unstack(batch)[1].attrs["file_sha256"] == sha256
    figure = sims.plot_profiles(one).figure
    assert sims.provenance(figure)["file_sha256"] == sha256
    # Of a file that was read, there is one hash.
    assert "file_sha256" not in sims.provenance(sims.read(path).to_dataset())


def test_an_archive_takes_files_and_what_they_do_not_say(write, tmp_path):
    archive = sims.Archive(tmp_path / "archive")
    path = write(b"z,B\n0,1e18\n1,2e18\n", "bare.csv")
    with raises(sims.UnitsError, "missing_axis", argument="depth_units"):
        archive.add(path)
    archive.add(path, depth_units="nm", units="atoms/cm^3")
    assert archive.get("bare")["B"].concentrations.tolist() == [1e18, 2e18]


def test_a_result_shows_what_it_is_of(write):
    shown = sims.read(write(CAMECA))._repr_html_()
    assert "instrument: CAMECA IMS" in shown
    assert "sample: W7 centre" in shown


def test_metadata_of_other_makers_are_empty_or_ignored():
    assert Metadata.from_dict(None) == Metadata()
    odd = {"sample": 7, "layers": [{"matrix": "Si", "depth": 3}, "x"], "other": [1], "new": "y"}
    assert Metadata.from_dict(odd) == Metadata(layers=(Layer(matrix="Si"),))
    stated = Metadata(sample="W7", layers=(Layer(matrix="Si"),), other={"a": "b"})
    assert Metadata.from_dict(stated.to_dict()) == stated


def test_results_of_files_can_be_counted_quantified_and_integrated(write):
    ds = sims.read(write(CAMECA)).to_dataset()
    counted = sims.with_counting_statistics(ds, dwell_time="0.99008 s")
    counts = counted["intensity_counts"].sel(species="10B").dropna("depth")
    assert counts.values[0] == pytest.approx(5, abs=1e-5)


def test_what_stands_beside_the_samples_goes_with_them(write, tmp_path):
    text = b"Time (s);Depth (nm);B (at/cm3)\n0;0;1E18\n4;10;<2E15\n2;5;3E17\n8;20;<1E15\n"
    with pytest.warns(sims.ProfileWarning):
        ds = sims.read(write(text)).to_dataset()
    (profile,) = sims.to_profiles(ds)
    assert profile.depths.tolist() == [0, 5, 10, 20]
    columns = {name: column["values"] for name, column in profile.extra["columns"].items()}
    assert columns == {
        "sputter_time": [0, 2, 4, 8],
        "detection_limit": [None, None, 2e15, 1e15],
    }
    # Of some of the samples, nobody knows which of the numbers are theirs.
    (first,) = sims.to_profiles(ds.isel(depth=slice(0, 2)))
    assert "columns" not in first.extra
    back = sims.read(sims.to_csv(ds, tmp_path / "x.csv")).to_dataset()
    column = sims.to_profiles(back)[0].extra["columns"]["detection_limit"]["values"]
    assert column == columns["detection_limit"]


def test_a_field_of_a_server_that_is_called_columns_is_left_alone():
    wire = {"species_name": "B", "depths": [1, 0], "depth_units": "nm", "concentrations": [1, None],
            "concentration_units": "at/cm3"}  # fmt: skip
    for foreign in ("text", ["a"], {"a": 1, "b": {"values": "x"}}):
        profile = sims.DepthProfile.from_dict({**wire, "columns": foreign})
        with pytest.warns(sims.ProfileWarning):
            ds = sims.to_dataset([profile])
        assert sims.to_profiles(ds)[0].extra["columns"] == foreign


# --- files that are truncated ---------------------------------------------------------------------

Z = np.linspace(0.5, 9.5, 12)
BROKEN = {
    "two columns": "# suprem\n" + "".join(f"{z:.4f} {1e18 / (1 + z):.5e}\n" for z in Z),
    "sentaurus": '"Boron"\n' + "".join(f"{z:.4f}\t{1e18 / (1 + z):.5e}\n" for z in Z),
    "tidy": "species,depth (nm),C (at/cm3)\n" + "".join(f"B,{z:.4f},{1e18 / z:.5e}\n" for z in Z),
    "table": "depth (nm),B (at/cm3)\n" + "".join(f"{z:.4f},{1e18 / (1 + z):.5e}\n" for z in Z),
    "iontof": iontof(Z, [("B+", "11.01", 1e3 / (3 + Z))], version=6).decode(),
    "dp_ascii": dp_ascii([("11B", Z, 1e5 / (1 + Z), "um", "c/s")]).decode(),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_last_number_that_lost_digits_is_warned_of(write, name):
    content = BROKEN[name].encode()
    species = "B" if name == "two columns" else None
    sims.read(write(content), species=species)
    content = content.rstrip()[:-1]
    with warns(sims.ProfileWarning, "truncated_file", line=1 + content.count(b"\n")):
        sims.read(write(content), species=species)


def test_missing_cycles_are_warned_of(write):
    rows = eag_rows([("B", Z, 1e18 / Z, "atoms/cc")], spacer=False)
    text = "".join(",".join(str(c or "") for c in row) + "\n" for row in rows)
    assert sims.read(write(text.encode()))["B"].depths.size == 12
    with warns(sims.ProfileWarning, "truncated_file"):
        sims.read(write("".join(text.splitlines(keepends=True)[:-1]).encode()))


# --- what this library writes -----------------------------------------------------------------


def same(one, other):
    """Compare numbers, names and units: what a table can hold."""
    assert list(one.data_vars) == list(other.data_vars)
    for name in one.data_vars:
        assert one[name].attrs["units"] == other[name].attrs["units"]
        xr.testing.assert_identical(
            one[name].drop_attrs().reset_coords(drop=True),
            other[name].drop_attrs().reset_coords(drop=True),
        )


def datasets():
    for name in ("boron-implant", "gan-mg-stack", "sputter-time"):
        yield name, sims.open_example(name)
    ds = sims.open_example("boron-implant")
    yield (
        "errors",
        sims.with_counting_statistics(ds, value_per_count="1e14 atoms/cm^3").drop_vars(
            "concentration_counts"
        ),
    )


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("name", "ds"), list(datasets()), ids=lambda x: x if isinstance(x, str) else ""
)
@pytest.mark.parametrize("layout", ["tidy", "paired"])
def test_csv_is_read_back_identically(tmp_path, name, ds, layout):
    path = sims.to_csv(ds, tmp_path / "x.csv", layout=layout)
    result = sims.read(path)
    assert result.provenance["format"] == "exported"
    same(result.to_dataset(), ds)


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("name", "ds"), list(datasets()), ids=lambda x: x if isinstance(x, str) else ""
)
def test_workbooks_are_read_back(tmp_path, name, ds):
    result = sims.read(sims.to_excel(ds, tmp_path / "x.xlsx"))
    back = result.to_dataset()
    assert result.data_id == ds.attrs["data_id"]
    for variable in ds.data_vars:
        np.testing.assert_allclose(back[variable], ds[variable], rtol=1e-15)
    assert back["species_metadata"].values.tolist() == ds["species_metadata"].values.tolist()


def test_profiles_of_unequal_length_come_back_from_a_workbook(tmp_path):
    rows = {"B": [1.0, 2.0, 3.0], "P": [1.5, 2.5], "Si": [0.5, 1.5, 2.5, 3.5]}
    profiles = [
        sims.DepthProfile(
            species_name=name, depths=z, depth_units="nm", concentrations=[5 * v for v in z],
            concentration_units="atoms/cm^3",
        )
        for name, z in rows.items()
    ]  # fmt: skip
    back = sims.read(sims.to_excel(sims.to_dataset(profiles), tmp_path / "x.xlsx"))
    assert {p.species_name: p.depths.tolist() for p in back.depth_profiles} == rows
    assert back["P"].concentrations.tolist() == [7.5, 12.5]


def test_what_a_workbook_of_ours_says_of_a_measurement_comes_back(tmp_path):
    ds = sims.open_example("boron-implant").isel(depth=slice(0, 20))
    counted = sims.with_counting_statistics(ds, value_per_count="1e14 atoms/cm^3")
    result = sims.read(sims.to_excel(counted, tmp_path / "x.xlsx"))
    assert result.provenance["steps"] == counted.attrs["steps"]
    assert result.provenance["source"] == "file:x.xlsx"
    back = result.to_dataset()
    for coord in ("profile_id", "processed_data_id", "last_updated", "source_units"):
        assert back[coord].values.tolist() == ds[coord].values.tolist()
    stderr = back["concentration_stderr"].values
    np.testing.assert_allclose(stderr, counted["concentration_stderr"].values, rtol=1e-12)
    # The one measurement of a batch is named in a column of its own, and is no species.
    batch = sims.read(sims.to_excel(sims.stack([ds]), tmp_path / "x.xlsx"))
    assert batch.species == ["B", "P"]
    assert batch["P"].depths.size == ds.sizes["depth"]
    stated = {"depth_units": "um", "units": "cps", "species": "X"}
    with warns(sims.ProfileWarning, "unused_argument"):
        sims.read(tmp_path / "x.xlsx", **stated)


def test_several_measurements_in_one_csv_are_refused(tmp_path):
    ds = sims.open_example("boron-implant")
    batch = sims.stack([ds, ds.assign_attrs(data_id="other")])
    with raises(sims.ReadError, "several_measurements"):
        sims.read(sims.to_csv(batch, tmp_path / "x.csv"))


def test_simulators_read_what_is_read_back(tmp_path):
    ds = sims.open_example("boron-implant").sel(species=["B"])
    path = sims.to_tcad(ds, tmp_path / "b.txt")
    profile = sims.read(path)["B"]
    assert (profile.depth_units, profile.concentration_units) == ("um", "atom/cm^3")
    back = sims.to_dataset([profile])
    np.testing.assert_allclose(back["depth"], ds["depth"], rtol=1e-14)
    np.testing.assert_array_equal(back["concentration"], ds["concentration"])


# --- every real file --------------------------------------------------------------------------

STATED = {
    "D315.txt": {"depth_units": "um", "units": {"Mg": "atoms/cm3", "Ga->": "counts/s"}},
    "D315_2.txt": {"depth_units": "um", "species": ["Ga->", "Mg"], "units": "counts/s",
                   "columns": {"Ga->": (0, 1), "Mg": (2, 3)}},
}  # fmt: skip
REFUSED = (".vms", ".h5", ".simsh5", "RSF_ZnO_values.txt")
REAL = [p for p in sorted(FOLDER.glob("**/*")) if p.is_file() and p.suffix not in (".json", ".md")]


@pytest.mark.few(9)
@pytest.mark.parametrize("path", REAL or [None], ids=lambda path: getattr(path, "name", "none"))
def test_every_real_file_becomes_a_dataset_or_is_refused(path):
    if path is None:
        pytest.skip("no ../shared/data")
    if path.suffix == ".h5":
        pytest.importorskip("simsh5")
    stated = STATED.get(path.name, {})
    if path.parent.name == "two_column":
        stated = {"depth_units": "nm", "units": "cm^-3", "species": "X"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sims.ProfileWarning)
        if path.name.endswith(REFUSED):
            with pytest.raises(sims.ReadError):
                sims.read(path, **stated)
            return
        ds = sims.read(path, number_repeats=True, **stated).to_dataset()
    assert ds.sizes["species"] > 0
    assert ds.attrs["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.filterwarnings("ignore:.*unusual concentration")
def test_columns_that_were_swapped_are_warned_of(tmp_path, approved):
    path = tmp_path / "swapped.csv"
    rows = "\n".join(f"{1e19 / (i + 1) ** 2:.4g},{2.5 * i}" for i in range(1, 40))
    path.write_text(f"B\n{rows}\n")
    with warns(sims.ProfileWarning, text=approved):
        sims.read(path, depth_units="nm", units="atoms/cm^3", columns={"B": (0, 1)})


def test_a_reader_that_fails_costs_one_file(tmp_path):
    for name in ("a.csv", "b.csv", "c.csv"):
        (tmp_path / name).write_bytes(TABLE)

    def read(source):
        return {}["layer 2"] if source.name == "b.csv" else table.read(source)

    reader = own(recognises=lambda _: True, read=read)
    found = sims.read(tmp_path, errors="collect", format=reader)
    assert [type(one).__name__ for one in found] == ["SIMSResult", "ReadError", "SIMSResult"]
    assert str(found[1]).startswith("b.csv: it is damaged, or laid out in a way")
    with raises(sims.ReadError, "damaged_file"):
        sims.read(tmp_path / "b.csv", format=reader)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"species": 3}, TypeError),
        ({"columns": ["B"]}, TypeError),
        ({"columns": {"B": 3}}, sims.SpeciesError),
        ({"not_measured": 5}, TypeError),
    ],
)
def test_what_is_no_argument(tmp_path, options, error, approved):
    path = tmp_path / "table.csv"
    path.write_text("Depth (nm),B (atoms/cm3)\n1,1e18\n2,2e18\n")
    with raises(error, text=approved):
        sims.read(path, **options)


def test_other_columns_than_the_requested_do_not_matter(tmp_path):
    path = tmp_path / "pair.csv"
    path.write_text("depth (nm),concentration (atom/cm^3)\n1,1e18\n2,2e18\n")
    asked = {"columns": {"P": (0, 1)}}
    with warns(sims.ProfileWarning, "unused_argument", argument="columns"):
        sims.read(path, species="B", **asked)
    (found,) = sims.read(path, **asked, format="table").depth_profiles
    assert found.species_name == "P"


@pytest.mark.parametrize(
    "failure",
    [TypeError("x"), csv.Error("field larger"), RecursionError(), MemoryError(), OSError(5, "io")],
)
def test_whatever_a_reader_stumbles_over_costs_one_file(write, monkeypatch, failure):
    good = write(TABLE, "good.csv")
    bad = write(b"SIMS", "bad.dat")

    def read(self, source):
        raise failure

    odd = type("Odd", (), {"name": "odd", "version": 1, "read": read})()
    odd.recognises = lambda source: source.name == "bad.dat"
    monkeypatch.setattr(recognising, "readers", lambda: (odd, *FORMATS))
    first, second = sims.read([bad, good], errors="collect")
    assert isinstance(first, sims.errors.ReadError)
    assert first.__cause__ is failure
    assert str(first).startswith("bad.dat: ")
    assert "the reader 'odd'" in str(first)
    assert type(failure).__name__ in str(first)
    assert second.species == ["B"]
    with raises(sims.errors.ReadError, "damaged_file"):
        sims.read(bad)


def test_a_missing_extra_costs_no_folder(write, monkeypatch, approved):
    good = write(TABLE, "good.csv")
    bad = write(b"SIMS", "bad.dat")

    def read(self, source):
        raise ModuleNotFoundError('needs xlrd: pip install "sims-analysis[excel]"', name="xlrd")

    odd = type("Odd", (), {"name": "odd", "version": 1, "read": read})()
    odd.recognises = lambda source: source.name == "bad.dat"
    monkeypatch.setattr(recognising, "readers", lambda: (odd, *FORMATS))
    first, second = sims.read([bad, good], errors="collect")
    assert "bad.dat: needs xlrd: pip install" in str(first)
    assert second.species == ["B"]
    with raises(ModuleNotFoundError, text=approved):
        sims.read(bad)


def test_bytes_that_are_no_profile(approved):
    for content, options in (
        (b"\x89HDF\r\n\x1a\n123", {}),
        (b"PK\x03\x04 123", {}),
        (bytes(range(256)), {}),
        (bytes(range(256)), {"format": "table"}),
        ("z;B".encode("utf-16") + b"\0", {}),
        (b"z;B\n0;1\n", {"encoding": "nope"}),
        (b"PK\x03\x04 xl/workbook.xml", {}),
    ):
        with raises(sims.ReadError, text=approved) as raised:
            sims.read(content, **options)
        name = f"unnamed-{hashlib.sha256(content).hexdigest()[:12]}"
        assert raised.value.where["file"] == name


def test_sheets_that_are_not_there_and_others_that_are(tmp_path, approved):
    book = openpyxl.Workbook()
    for title in ("one", "two"):
        sheet = book.active if title == "one" else book.create_sheet()
        sheet.title = title
        for row in (["z (nm)", "B (cm^-3)"], [0, 1e18], [1, 2e18]):
            sheet.append(row)
    book.save(tmp_path / "w7.xlsx")
    for asked in (2, -1, "no", True):
        with raises(sims.ReadError, argument="sheet", text=approved) as raised:
            sims.read(tmp_path / "w7.xlsx", sheet=asked)
        assert raised.value.layout_preview.startswith("sheet 'one'\n")
    with warns(sims.ProfileWarning, "several_tables", argument="sheet", text=approved):
        sims.read(tmp_path / "w7.xlsx")
    assert sims.read(tmp_path / "w7.xlsx", sheet=1)["B"].depths.tolist() == [0.0, 1.0]
    with raises(sims.ReadError, argument="columns", text=approved):
        sims.read(tmp_path / "w7.xlsx", columns={"B": (0, 7)})


def test_arguments_are_of_the_kinds_that_they_take(approved):
    rows = ({"header_rows": wrong} for wrong in ([0, -1], "0", 1.5))
    named = {"species": 5}, {"columns": [0, 1]}, {"samples": 1}, {"not_measured": 5}
    for options in ({"errors": "ignore"}, {"decimal": ";"}, *rows, *named):
        with raises((TypeError, ValueError), text=approved):
            sims.read(TABLE, **options)


def test_what_is_stated_in_one_word_or_several_is_the_same():
    text = b"Depth (nm),B (cm^-3)\n0,1e18\n1,n.d.\n2,3e18\n"
    for stated in ("n.d.", ["n.d."]):
        assert np.isnan(sims.read(text, not_measured=stated)["B"].concentrations[1])
    assert sims.read(TABLE, samples=False).species == ["B"]
    assert sims.read(TABLE, header_rows=0, species="B").species == ["B"]


def test_the_first_of_several_failures_is_warned_of(write, approved):
    paths = [write(TABLE, "a.csv"), write(b"", "b.csv"), write(b"\x89PNG", "c.csv")]
    with raises(sims.PartialResultsError, text=approved):
        sims.read(paths)


def test_one_file_is_explained_at_a_time(write, approved):
    path = write(TABLE, "a.csv")
    with raises(TypeError, text=approved):
        sims.explain_read([path, path])


def test_texts_in_other_encodings_are_refused(approved):
    with raises(sims.ReadError, "unknown_encoding", argument="encoding"):
        sims.read(b"\xff\xfe\x00\xd8a\x00b\x00c\x00d\x00")
    garbled = "Tiefe (nm);ホウ素 (cm^-3)\n0;1\n1;2\n".encode("shift_jis")
    with raises(sims.SpeciesError, "unknown_encoding", argument="encoding", text=approved):
        sims.read(garbled)
    assert sims.read(garbled, encoding="shift_jis").species == ["ホウ素"]


# --- bytes to text ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("Tiefe (µm);B\n".encode(), "utf-8"),
        ("\ufeffTiefe (µm);B\n".encode(), "utf-8-sig"),
        ("Tiefe (µm);B\n".encode("utf-16"), "utf-16"),
        (b"\xfe\xff" + "Tiefe (µm);B\n".encode("utf-16-be"), "utf-16"),
        ("Tiefe (µm);B\n".encode("utf-16-le"), "utf-16-le"),
        ("Tiefe (µm);B\n".encode("utf-16-be"), "utf-16-be"),
        # One letter in twelve has no zero beside it; of more, nothing is known.
        ("Tiefe (深);B\n".encode("utf-16-le"), "utf-16-le"),
        ("Tiefe (µm);B\n".encode("cp1252"), "cp1252"),
        # What Windows-1252 has not.
        (b"Tiefe \x81\xb5m;B\n", "latin-1"),
    ],
)
def test_the_bytes_show_the_encoding(content, encoding):
    source = Source("w7.txt", content)
    assert source.is_text
    assert source.decoded == content.decode(encoding).removeprefix("\ufeff")
    assert source.decoded.startswith("Tiefe ")
    assert source.lines[-1] == ""
    assert source.start == source.text


def test_bytes_with_zeros_elsewhere_are_no_text():
    for content in (b"\0" * 20, b"a\0" * 4, b"a\0b\0c\0de" * 20, b"abc\0def" * 20):
        source = Source("w7.bin", content)
        assert not source.is_text
        assert source.start == ""
        with raises(sims.ReadError, "no_profile"):
            source.text  # noqa: B018 - it is read


def test_ends_of_lines_are_made_alike():
    for end in ("\r\n", "\n", "\r", "\r\r\n"):
        source = Source("w7.txt", f"a{end}b{end}".encode())
        assert source.lines == ["a", "b", ""]
    assert Source("w7.txt", b"a\nb\x1a").lines == ["a", "b"]
    assert Source("w7.txt", b"a\r\nb\r").lines == ["a", "b", ""]


@pytest.mark.parametrize(
    ("text", "garbled"),
    [
        ("Tiefe", False),
        ("Länge", False),
        ("µm³", False),
        ("\xb3\xb5", True),
        ("concentração, açúcar", False),
        ("Größe, Grüße", False),
        ("Määrä", False),
        ("Å¨¶È", True),
        ("ƒzƒE", True),
        ("\x85", True),
        ("a\u201eb", True),
        ("\u201eB\u201c", False),
        ("\xa7B", True),
        ("5 \xa7", False),
    ],
)
def test_letters_that_no_western_language_writes_are_seen(text, garbled):
    western = Source("w7.txt", b"\xb5")
    assert western.is_garbled(text) is garbled
    assert not Source("w7.txt", b"u").is_garbled(text)
    assert not Source("w7.txt", b"\xb5", Options(encoding="x")).is_garbled(text)


# --- readers of one's own, and packages that are missing --------------------------------------


def own(name="own", **more):
    whole = {"description": "Own", "recognises": lambda _: False, "read": lambda _: sims.Content()}
    return SimpleNamespace(name=name, **(whole | more))


def failing(source):
    raise ValueError("no")


def test_what_is_no_reader_is_refused():
    with pytest.raises(TypeError):
        sims.read(TABLE, format=own(read=None))
    with pytest.raises(ValueError) as raised:
        sims.read(TABLE, format="none")
    assert str(raised.value).endswith(f"of {', '.join(sims.read_formats())}")


def test_the_error_of_a_stated_format_says_that_it_was_stated(approved):
    with raises(sims.ReadError, "no_profile", text=approved):
        sims.read(TABLE, format=own(recognises=failing))
    with raises(sims.ReadError, "damaged_file", text=approved):
        sims.read(TABLE, format=own(read=failing))


def test_a_plugin_that_cannot_say_whether_a_file_is_its_own_costs_no_file(monkeypatch, approved):
    monkeypatch.setattr(recognising, "readers", lambda: (own(recognises=failing), *FORMATS))
    with warns(sims.SimsWarning, "broken_plugin", text=approved):
        assert sims.read(TABLE).species == ["B"]


def test_warnings_of_several_files_come_when_all_are_read(write):
    odd = write(TABLE.replace(b"\n1", b"\n\n1"), "odd.csv")
    with pytest.warns(sims.ProfileWarning) as warned:
        outcomes = sims.read([odd, write(b"", "b.csv"), odd], errors="collect")
    assert [type(one).__name__ for one in outcomes] == ["SIMSResult", "ReadError", "SIMSResult"]
    says = "odd.csv: the numbers end at line 2 and go on at line 4, below an empty line"
    assert [str(one.message).split(" or a comment")[0] for one in warned] == [says] * 2


def test_an_archive_of_a_tof_instrument_needs_a_package(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ModuleNotFoundError) as raised:
        sims.read(b"\x89HDF\r\n\x1a\n tof-sims-sparse-hdf5")
    assert str(raised.value) == 'SIMS-H5 needs simsh5: pip install "sims-analysis[simsh5]"'
    assert raised.value.name == "simsh5"


def test_a_format_or_a_file_of_another_kind_is_answered_with_what_was_meant(tmp_path, approved):
    path = tmp_path / "w7.txt"
    path.write_text("depth (nm) B (cm^-3)\n0 1e18\n1 2e18\n")
    for name in ("cameca", "tabel", "csv"):
        with raises(sims.ProfileError, argument="format", text=approved):
            sims.read(path, format=name)
    with raises(sims.ProfileError, argument="path", text=approved):
        sims.load(path)
    with raises(sims.ProfileError, argument="decimal", text=approved):
        sims.read(path, decimal=":")
