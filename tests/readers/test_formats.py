"""IONTOF, SRIM, simulators, VAMAS, SIMS-H5: synthetic files of known numbers, and real ones."""

from types import SimpleNamespace

import numpy as np
import pytest
from error_parts import raises, warns
from instrument_files import iontof, sims_h5, srim, vamas
from shared_profiles import FOLDER

import sims_analysis as sims
from sims_analysis.errors import collected
from sims_analysis.readers.instruments.tcad import recognises_srim
from sims_analysis.readers.registry import fault_of
from sims_analysis.readers.source import Source

T = np.array([0.0, 1.4666, 2.9332, 4.3998])


# --- IONTOF -----------------------------------------------------------------------------------

SIGNALS = [
    ("total", "N/A", [9e5, 8e5, 7e5, 6e5]),
    ("^13CH_5N_2+ / ( Pb+ )", "N/A", [0.5, 0.25, 2, 4]),
    ("SnO+", "135.894", [3, 2, 1, 5]),
    ("SnO+", "135.894", [30, 20, 10, 50]),
]


@pytest.mark.parametrize("version", [6, 7])
def test_iontof_exports_of_both_versions(write, version):
    comments = ("Profile Compression settings. Method: Running Average, using 5 datapoints", "x")
    result = sims.read(write(iontof(T, SIGNALS, version=version, comments=comments)))
    assert result.species == [name for name, _, _ in SIGNALS]
    for profile, (_, _, values) in zip(result.depth_profiles, SIGNALS, strict=True):
        assert profile.depths.tolist() == T.tolist()
        assert profile.concentrations.tolist() == values
        assert (profile.depth_units, profile.concentration_units) == ("s", "Intensity")
    assert "Running Average" in result.metadata.other["processing"]
    assert result["SnO+"].species_metadata["mass"] == "135.894 u"


def test_what_was_done_to_counts_is_on_record(write):
    averaged = "Profile Compression settings. Method: Running Average, using 5 datapoints"
    content = iontof(T, SIGNALS[2:3], comments=(averaged, "Profile Smoothing is Disabled"))
    result = sims.read(write(content), units="counts")
    assert result["SnO+"].species_metadata["averaging"] == averaged
    with raises(sims.ProfileError, "already_changed"):
        sims.with_counting_statistics(result.to_dataset())
    content = iontof(T, SIGNALS[2:3], version=6)
    result = sims.read(write(content), units="counts")
    assert "averaging" not in result["SnO+"].species_metadata
    counted = sims.with_counting_statistics(result.to_dataset())
    assert counted["intensity_counts"].values.tolist() == [[3, 2, 1, 5]]


def test_a_background_that_was_taken_off_is_no_unit(write):
    content = iontof(T, SIGNALS[2:3], version=6)
    content = content.replace(b"\tIntensity", b"\tIntensity(Background Corrected)")
    profile = sims.read(write(content))["SnO+"]
    assert profile.concentration_units == "Intensity"
    assert profile.species_metadata["processing"] == "Background Corrected"
    ds = sims.read(write(content), units="counts").to_dataset()
    with raises(sims.ProfileError, "already_changed"):
        sims.with_counting_statistics(ds)


def test_intensities_are_counts_where_few_of_them_are_whole_but_for_the_dead_time(write):
    counts = np.random.default_rng(3).poisson(4.0, (2, 40))
    times, dead = np.arange(40.0), counts * (1 + 4e-4 * counts)
    signals = [("B+", "11.0093", dead[0]), ("O+", "15.99", dead[1]), ("B+ / O+", "N/A", counts[0])]
    result = sims.read(write(iontof(times, signals)))
    units = [profile.concentration_units for profile in result.depth_profiles]
    assert units == ["counts", "counts", "Intensity"]
    np.testing.assert_allclose(result["B+"].concentrations, dead[0], rtol=1e-15)
    assert "counts a data point" in result.metadata.other["intensity"]
    for factor in (0.2, 1.05):
        scaled = [(name, mass, factor * values) for name, mass, values in signals]
        result = sims.read(write(iontof(times, scaled)))
        units = {profile.concentration_units for profile in result.depth_profiles}
        assert units == {"Intensity"}
    content = iontof(times, signals).replace(b"\tIntensity", b"\tIntensity(Background Corrected)")
    assert sims.read(write(content))["B+"].concentration_units == "Intensity"
    averaged = "Profile Compression settings. Method: Running Average, using 5 datapoints"
    content = iontof(times, signals, comments=(averaged,))
    assert sims.read(write(content))["B+"].concentration_units == "Intensity"


def test_doses_of_the_beam_stand_beside_and_are_no_signal(write):
    columns = sims.read(write(iontof(T, SIGNALS)))["total"].extra["columns"]
    assert columns["primary_fluence"]["units"] == "ions/cm^2"
    assert columns["primary_dose"]["values"] == [2.5e6, 5e6, 7.5e6, 1e7]


def test_a_signal_that_is_there_twice_is_numbered_on_request(write):
    path = write(iontof(T, SIGNALS))
    with warns(sims.ProfileWarning, "repeated_species", species="SnO+"):
        sims.read(path).to_dataset()
    ds = sims.read(path, number_repeats=True, units="counts").to_dataset()
    assert ds["intensity"].sel(species="SnO+ (2)").values.tolist() == [30, 20, 10, 50]
    assert ds["intensity"].attrs["units"] == "count"
    with pytest.raises(sims.UnitsError):
        sims.integrated_dose(ds)


def test_metadata_say_of_a_last_row_of_zeros_and_of_infinities(write):
    signals = [(n, m, [*v[:3], np.inf if "/" in n else 0]) for n, m, v in SIGNALS]
    result = sims.read(write(iontof(T, signals), "w7.txt"))
    assert result.metadata.other["last row"] == "zero in every signal, at 4.3998 s"
    assert result.depth_profiles[1].species_metadata["infinite_values"] == "1"
    assert np.isnan(result.depth_profiles[1].concentrations[3])
    assert result["total"].concentrations[3] == 0


def test_a_line_that_is_cut_off_is_refused_or_left_out(write):
    content = iontof(T, SIGNALS)[:-20]
    with raises(sims.ReadError, "truncated_file", argument="allow_truncated", line=8):
        sims.read(write(content))


def test_an_export_with_decimal_commas_in_utf_16(write):
    signals = [(name, mass, [v / 4 for v in values]) for name, mass, values in SIGNALS]
    content = iontof(T, signals).decode("latin-1")
    header, _, rows = content.partition("Intensity\r\n")
    content = (header + "Intensity\r\n" + rows.replace(".", ",")).encode("utf-16")
    result = sims.read(write(content))
    for profile, (_, _, values) in zip(result.depth_profiles, signals, strict=True):
        assert profile.depths.tolist() == T.tolist()
        assert profile.concentrations.tolist() == values


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(FOLDER.glob("formats/iontof/*")) or [None])
def test_real_iontof_files_against_a_plain_parse(path):
    if path is None:
        pytest.skip("no ../shared/data/formats/iontof")
    plain = np.array(
        [
            [float(x) for x in line.rstrip("\t").split("\t")]
            for line in path.read_text("latin-1").splitlines()
            if line and line[0] != "#"
        ]
    )
    result = sims.read(path, number_repeats=True)
    assert len(result.species) == plain.shape[1] - 4
    for j, profile in enumerate(result.depth_profiles, 4):
        expected = np.where(np.isinf(plain[:, j]), np.nan, plain[:, j])
        np.testing.assert_array_equal(profile.concentrations, expected)
        np.testing.assert_array_equal(profile.depths, plain[:, 1])
    with collected():
        assert result.to_dataset().sizes["sputter_time"] == len(plain)


# --- SRIM -------------------------------------------------------------------------------------

Z = np.arange(1, 101) * 80.0
ION = 1e5 * np.exp(-(((Z - 3000) / 900) ** 2) / 2)


@pytest.mark.parametrize("decimal", [".", ","])
def test_srim_ranges(write, decimal):
    result = sims.read(write(srim(Z, {"B": ION, "Si": ION * 10}, decimal=decimal)))
    assert result.species == ["B", "Si (Tgt. Atoms)"]
    np.testing.assert_allclose(result["B"].depths, Z - 40)
    np.testing.assert_allclose(result["B"].concentrations, ION, rtol=1e-4, atol=1e-3)
    assert result["B"].concentration_units == "(Atoms/cm3) / (Atoms/cm2)"
    assert result["B"].species_metadata["projected_range"] == "1595 angstrom"
    assert result.metadata.impact_energy == "40 keV"
    ds = result.to_dataset()
    assert set(ds.data_vars) == {"range_density"}
    # The printed depths are the far edges of bins.
    assert ds["depth"].attrs["bounds"] == "depth_bounds"
    np.testing.assert_allclose(ds["depth_bounds"], np.column_stack([Z - 80, Z]) / 10)
    assert sims.to_profiles(ds) == result.depth_profiles
    one = ds.sel(species="B")
    assert "depth_bounds" in one.coords


def test_edges_of_bins_have_the_unit_that_is_stated_of_depths(write):
    path = write(srim(Z, {"B": ION}))
    with warns(sims.errors.ProfileWarning, "other_unit", argument="depth_units", species="B"):
        ds = sims.read(path, depth_units="nm").to_dataset()
    np.testing.assert_allclose(ds["depth_bounds"], np.column_stack([Z - 80, Z]))


def test_a_table_of_ranges_that_breaks_off(write):
    with raises(sims.ReadError, "truncated_file", argument="allow_truncated"):
        sims.read(write(srim(Z[:60], {"B": ION[:60]})))


@pytest.mark.parametrize(
    ("name", "ion"),
    [("formats/srim/RANGE_2.txt", "Au"), ("srim_range_tables/raw/RANGE_1.txt", "Ni")],
)
def test_real_ranges_have_the_moments_that_srim_prints(name, ion):
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"no ../shared/data/{name}")
    profile = sims.read(path)[ion]
    printed = {k: v.split() for k, v in profile.species_metadata.items() if k != "depth"}
    found = sims.moments(sims.read(path).to_dataset().sel(species=ion))
    for name, (number, *unit) in printed.items():
        of_nm = 10 if unit else 1
        # Those of the bins, which are as wide as a thirteenth of the straggle.
        close = (
            {"rel": 1e-3} if unit == ["angstrom"] and name == "projected_range" else {"rel": 0.02}
        )
        assert found[name].item() * of_nm == pytest.approx(float(number), **close), name


# --- simulators -------------------------------------------------------------------------------


def test_sentaurus_data_sets(write):
    text = '"BoronActive"\n0.0\t1e18\n0.1\t5e17\n"PhosphorusActive"\n0.0\t1e15\n0.2\t2e15\n0.3\t1\n'
    result = sims.read(write(text, "x.plx"))
    assert result.species == ["BoronActive", "PhosphorusActive"]
    assert result["PhosphorusActive"].depths.tolist() == [0, 0.2, 0.3]
    ds = result.to_dataset()
    assert ds["depth"].values.tolist() == [0, 100, 200, 300]


def test_suprem_columns_are_taken_where_the_program_is_named_or_stated(write):
    text = "$ tsuprem-4 profile of boron\n0.0 1e18\n0.1 5e17\n junk between\n0.2 1e17\n"
    profile = sims.read(write(text), species="B")["B"]
    assert (profile.depth_units, profile.concentration_units) == ("um", "cm^-3")
    assert profile.depths.tolist() == [0, 0.1, 0.2]
    bare = write("0.0 1e18\n0.1 5e17\n", "bare.dat")
    assert sims.read(bare, format="suprem", species="B")["B"].depth_units == "um"
    with raises(sims.UnitsError, "missing_axis", argument="depth_units"):
        sims.read(bare, species="B")


def test_viennaps_has_a_unit_of_depth_and_none_of_the_value(write):
    path = write("depth_nm,value\n0.0,1e18\n0.5,2e18\n")
    with raises(sims.SpeciesError, "missing_species", argument="species"):
        sims.read(path, units="cm^-3")
    profile = sims.read(path, species="B", units="cm^-3")["B"]
    assert profile.depth_units == "nm"


# --- VAMAS ------------------------------------------------------------------------------------

BLOCKS = [("B", [0.0, 2.0, 4.0], [5.0, 7.0, 1.0]), ("Si", [0.0, 2.0, 4.0], [900.0, 910.0, 905.0])]


@pytest.mark.parametrize("scan", ["REGULAR", "IRREGULAR"])
@pytest.mark.parametrize("mode", ["NORM", "SDP"])
def test_vamas_profiles(write, mode, scan):
    if (mode, scan) == ("SDP", "IRREGULAR"):
        pytest.skip("a block a cycle has one value, on no scan")
    result = sims.read(write(vamas(BLOCKS, mode=mode, scan=scan)))
    for name, depths, values in BLOCKS:
        assert result[name].depths.tolist() == depths
        assert result[name].concentrations.tolist() == values
        assert (result[name].depth_units, result[name].concentration_units) == ("s", "counts")
        assert result[name].species_metadata["counting_time"] == "0.5 s"
    assert result.metadata.measured == "2024-03-25T14:05:00"
    assert result.metadata.laboratory == "Some laboratory"


def test_vamas_has_no_nanometres(write):
    path = write(vamas(BLOCKS, abscissa=("Depth", "n")))
    with raises(sims.UnitsError, "missing_unit", argument="depth_units", species="B"):
        sims.read(path)
    assert sims.read(path, depth_units="nm")["B"].depth_units == "nm"


def lines_of(**more):
    return vamas(BLOCKS, **more).decode().split("\r\n")


def edited(place, *texts, **more):
    """Write a file whose lines from a place on, counted from 1, are others."""
    lines = lines_of(**more)
    lines[place - 1 : place - 1 + len(texts)] = texts
    return "\r\n".join(lines)


def test_all_that_a_vamas_file_says(write):
    result = sims.read(write(vamas(BLOCKS)))
    about = result.metadata
    assert (about.instrument, about.sample) == ("ims 7f", "W7")
    nobody = sims.read(write(edited(2, "not specified", "Not Known"))).metadata
    assert (nobody.laboratory, nobody.instrument) == (None, None)
    silent = sims.read(write(vamas(BLOCKS).replace(b"\r\n0.5\r\n", b"\r\n1e37\r\n")))
    assert silent["B"].species_metadata is None
    by_transition = sims.read(write(edited(47, "not specified", "11B")))
    assert by_transition.species == ["11B", "Si"]
    rates = sims.read(write(vamas(BLOCKS).replace(b"\r\nd\r\n", b"\r\nc/s\r\n")))
    assert rates["B"].concentration_units == "counts/s"
    deep = sims.read(write(vamas(BLOCKS, abscissa=("Crater", "micro m"))))
    assert deep["B"].depth_units == "um"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (edited(6, "x"), {"code": "damaged_file", "line": 6}),
        (edited(6, "1.5"), {"code": "damaged_file", "line": 6}),
        (edited(6, "-1"), {"code": "damaged_file", "line": 6}),
        (edited(6, "1e8"), {"code": "damaged_file", "line": 6}),
        ("\r\n".join(lines_of()[:9]), {"code": "truncated_file"}),
        (edited(12, "1"), {"code": "damaged_file"}),
        ("\r\n".join(lines_of()[:40]), {"code": "truncated_file"}),
        ("\r\n".join(lines_of()[:-3]), {"code": "truncated_file", "argument": "allow_truncated"}),
        (edited(8, "MAP"), {"code": "no_profile"}),
        (edited(27, "XPS"), {"code": "no_profile"}),
        (edited(29, "XPS", mode="SDP"), {"code": "no_profile"}),
        (edited(12, "mass", "u", mode="SDP"), {"code": "missing_axis"}),
        (vamas(BLOCKS, abscissa=("Mass", "u")).decode(), {"code": "no_profile", "species": "B"}),
    ],
)
def test_vamas_files_that_are_damaged_or_no_profiles(write, text, parts):
    with raises(sims.ReadError, **parts):
        sims.read(write(text))


def test_a_vamas_file_without_species_needs_them(write):
    with raises(sims.SpeciesError, "missing_species", argument="species"):
        sims.read(write(edited(47, "Not Specified", "not known")))


def test_vamas_blocks_of_one_variable_or_of_spectra_are_no_profiles(write, approved):
    lines = lines_of(scan="IRREGULAR")
    lines[15] = "1"
    alone = [*lines[:49], "1", "counts", "d", *lines[54:62], "2", "0", "0", "5", "7"]
    with raises(sims.ReadError, "no_profile", species="B"):
        sims.read(write("\r\n".join(alone)))
    lines = lines_of(mode="SDP")
    count = lines.index("pulse counting") + 8
    spectra = [*lines[:count], "2", "0", "0", "5", "7", *lines[count + 4 :]]
    with raises(sims.ReadError, "no_profile", text=approved):
        sims.read(write("\r\n".join(spectra)))


def test_what_is_there_of_a_vamas_file_is_read_on_request(write, approved):
    path = write("\r\n".join(lines_of()[:-3]))
    with warns(sims.ProfileWarning, "truncated_file", text=approved):
        assert sims.read(path, allow_truncated=True).species == ["B"]


def test_a_real_xps_file_is_refused():
    path = FOLDER / "formats/vamas/pynxtools_xps_regular.vms"
    if not path.exists():
        pytest.skip("no ../shared/data/formats/vamas")
    with raises(sims.ReadError, "no_profile"):
        sims.read(path)


# --- SIMS-H5 ----------------------------------------------------------------------------------


def test_counts_in_stated_windows(tmp_path):
    pytest.importorskip("simsh5")
    path = tmp_path / "w7.h5"
    times, counts = sims_h5(path)
    windows = {"10B": (10.0, 10.1), "11B": (10.9, 11.1), "30Si": (29.9, 30.0)}
    result = sims.read(path, mz_windows=windows)
    for name, expected in counts.items():
        assert result[name].depths.tolist() == times.tolist()
        assert result[name].concentrations.tolist() == expected.tolist()
    boron = sims.read(path, mz_windows={"B": (10.0, 11.1)})["B"].concentrations
    assert boron.tolist() == (counts["10B"] + counts["11B"]).tolist()
    assert result["10B"].species_metadata == {"mz_window": "10.0 to 10.1 u"}
    assert (result["10B"].depth_units, result["10B"].concentration_units) == ("s", "counts")
    about = result.metadata
    assert (about.instrument, about.secondary_polarity) == ("PHI TOF-SIMS", "+")
    with raises(sims.ReadError, "missing_species", argument="mz_windows") as raised:
        sims.read(path)
    assert str(raised.value).endswith('{"30Si": (29.95, 29.99)}')
    for window in ((10.1, 10.0), (10.0, 10.0)):
        with raises(sims.ReadError, argument="mz_windows"):
            sims.read(path, mz_windows={"B": window})


def test_images_are_refused(tmp_path, approved):
    pytest.importorskip("simsh5")
    sims_h5(tmp_path / "image.h5", mode="image_2d")
    with raises(sims.ReadError, "no_profile", text=approved):
        sims.read(tmp_path / "image.h5", mz_windows={"B": (10, 11)})


@pytest.mark.parametrize("name", ["sentaurus", "cameca_counts"])
def test_a_format_that_is_stated_of_a_file_without_its_blocks(name, approved):
    with raises(sims.ReadError, "no_profile", text=approved):
        sims.read(b"0 1e18\n1 2e18\n", format=name)


@pytest.mark.parametrize(
    ("names", "fault"),
    [
        ({"name": 5}, "its name is 5; expected a string"),
        ({"description": " "}, "its description is ' '; expected a string"),
        ({"recognises": None}, "it has no function recognises(source)"),
        ({"read": "x"}, "it has no function read(source)"),
        ({}, None),
    ],
)
def test_what_is_no_reader(names, fault):
    whole = {"name": "x", "description": "X", "recognises": bool, "read": bool}
    assert fault_of(SimpleNamespace(**whole | names)) == fault


@pytest.mark.parametrize(
    ("text", "is_srim"),
    [
        ("ION and final RECOIL ATOM Distributions", True),
        ("Ion Average Range = 1\nDistribution Units are", True),
        ("Ion Average Range = 1\n", False),
        ("Distribution Units are", False),
    ],
)
def test_what_a_table_of_ranges_is_known_by(text, is_srim):
    assert recognises_srim(Source("RANGE.txt", text.encode())) is is_srim
