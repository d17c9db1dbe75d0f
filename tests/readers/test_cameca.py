"""CAMECA's four formats: synthetic files of known numbers, and real ones compared with numpy."""

import math
import re
import struct

import numpy as np
import pytest
from error_parts import raises, warns
from instrument_files import RPC_TIME, binary, cameca_rpc, cnt, dp_ascii
from shared_profiles import FOLDER

import sims_analysis as sims
from sims_analysis.readers.instruments.cameca import find_yield

Z = np.array([0.0036, 0.0191, 0.0346, 0.0500, 0.0655])
K = np.array([120, 31, 0, 4, 1])
T = np.array([3.36, 18.3, 32.6, 46.8, 61.0])


# --- .dp_rpc_asc ------------------------------------------------------------------------------


def two_species(**more):
    return cameca_rpc(
        {"10B": (None, Z, cnt(K), "I"), "30Si": (None, Z + 0.004, cnt(K * 100), "I")}, **more
    )


def test_every_species_has_its_own_depths_and_the_values_of_the_file(write):
    result = sims.read(write(two_species()))
    assert result.species == ["10B", "30Si"]
    for name, depths, counts in (("10B", Z, K), ("30Si", Z + 0.004, K * 100)):
        profile = result[name]
        np.testing.assert_allclose(profile.depths, depths, rtol=1e-6)
        assert profile.concentrations.tolist() == cnt(counts).tolist()
        assert (profile.depth_units, profile.concentration_units) == ("um", "cnt/s")


def test_a_time_axis_has_four_headers_and_three_cells(write):
    species = {"23Na": (T, None, cnt(K), "I"), "32S": (T + 1.6, None, cnt(K * 3), "I")}
    result = sims.read(write(cameca_rpc(species)))
    np.testing.assert_allclose(result["32S"].depths, T + 1.6)
    assert result["32S"].concentrations.tolist() == cnt(K * 3).tolist()
    assert result.to_dataset().sizes == {"species": 2, "sputter_time": 10}


def test_the_semicolon_variant_gives_the_same(write):
    species = {"23Na": (T, None, cnt(K), "I"), "32S": (None, Z, cnt(K * 3), "I")}
    result = sims.read(write(cameca_rpc(species, delimiter=";", unit="nm")))
    np.testing.assert_allclose(result["23Na"].depths, T)
    np.testing.assert_allclose(result["32S"].depths, Z)
    assert [p.depth_units for p in result.depth_profiles] == ["s", "nm"]


def test_times_beside_depths_come_along(write):
    result = sims.read(write(cameca_rpc({"10B": (T, Z, cnt(K), "I")}, delimiter=";")))
    profile = result["10B"]
    assert profile.depth_units == "um"
    assert profile.extra["columns"]["sputter_time"] == {"units": "s", "values": T.tolist()}


def test_concentration_and_intensity_stand_in_one_file_and_one_dataset(write):
    c = np.array([3.44e15, 1.5e17, 8.4e18, 5e15, 1e14])
    species = {"7Li": (None, Z, c, "C"), "70Zn": (None, Z, cnt(K), "I")}
    ds = sims.read(write(cameca_rpc(species))).to_dataset()
    assert set(ds.data_vars) == {"concentration", "intensity"}
    assert ds["concentration"].sel(species="7Li").values.tolist() == c.tolist()


def test_a_species_may_end_early(write):
    species = {"10B": (None, Z[:3], cnt(K[:3]), "I"), "30Si": (None, Z, cnt(K), "I")}
    result = sims.read(write(cameca_rpc(species)))
    assert [p.depths.size for p in result.depth_profiles] == [3, 5]


def test_what_the_file_says_comes_along_with_units(write):
    result = sims.read(write(two_species(rsf={"10B": 3.412e13}, dose={"10B": 1e15})))
    about = result.metadata
    assert (about.sample, about.measured) == ("W7 centre", "2024-03-25T14:05")
    assert (about.primary_ion, about.impact_energy) == ("O2+", "10010 eV")
    assert (about.primary_current, about.raster_size) == ("99.62 nA", "150 um")
    assert (about.secondary_polarity, about.analysed_area) == ("+", "62 um")
    (layer,) = about.layers
    assert (layer.matrix, layer.stop, layer.sputter_rate) == ("28Si", "2230 nm", "95.99 nm/min")
    assert about.other["analysis position: Stage coordinates X(um)"] == "-836"
    known = result["10B"].species_metadata
    assert (known["rsf"], known["dose"]) == ("3.412e+13 at/cm3", "1e+15 at/cm2")
    assert (known["detector"], known["dead_time"]) == ("EM", "25 ns")
    assert known["faraday_cup_threshold"] == "694356 c/s"
    assert known["electron_multiplier_threshold"] == "568110 c/s"
    assert "rsf" not in result["30Si"].species_metadata


def test_factors_of_several_layers_are_kept_apart(write):
    known = sims.read(write(two_species(rsf={"10B": 3e13}, layers=2)))["10B"].species_metadata
    assert {"rsf_layer_1", "rsf_layer_2"} <= set(known)
    assert "rsf" not in known


@pytest.mark.parametrize(
    ("date", "time", "measured"),
    [
        ("03/25/2024", "2 pm", "2024-03-25"),
        ("12/1/2024", "14:05:59", "2024-12-01T14:05:59"),
        ("1/2/2024", "", "2024-01-02"),
        # None of month, day and year.
        ("13/25/2024", "14:05", "13/25/2024 14:05"),
        ("0/25/2024", "14:05", "0/25/2024 14:05"),
        ("2024-03-25", "14:05", "2024-03-25 14:05"),
        ("25.3.24", "", "25.3.24"),
        ("", "14:05", None),
    ],
)
def test_when_it_was_measured(write, date, time, measured):
    content = two_species().replace(b"03/25/2024", date.encode()).replace(b"14:05", time.encode())
    about = sims.read(write(content)).metadata
    assert about.measured == measured
    assert not {"Analysis date", "Analysis time"} & {*about.other}


def test_metadata_of_the_measurement_and_its_layers(write):
    content = two_species(rsf={"10B": 3e13}, dose={"10B": 1e15}, reference="30Si", layers=2)
    content = content.replace(b"Sample code\t", b"Comments\t\ta first, and, more\r\nSample code\t")
    content = content.replace(b"  Mean SR", b"  Total depth (nm)\t\t500\r\n  Mean SR", 1)
    content = content.replace(b"Window coordinates", b"Total depth (um)\t0.5\r\nWindow coordinates")
    result = sims.read(write(content))
    about = result.metadata.to_dict()
    assert about.pop("layers") == [
        {
            "matrix": "28Si", "start": "0 nm", "stop": "2230 nm", "sputter_rate": "95.99 nm/min",
            "depth_method": "Depth",
        },
    ] * 2  # fmt: skip
    assert about.pop("other") == {
        "Raw data file name(s)": "w7.dp",
        "acquisition parameters: # of data point/species": "5",
        "analysis position: Stage coordinates X(um)": "-836",
        "analysis position: Window coordinates X(um)": "663",
        "ion detector parameters: EM -> FC threshold (c/s)": "694356",
        "ion detector parameters: EM background (c/s)": "0.0E+000",
        "ion detector parameters: EM dead time (ns)": "2.5E+001",
        "ion detector parameters: EM yield (%)": "9.5E+001",
        "ion detector parameters: FC -> EM threshold (c/s)": "568110",
        "analysis position: Stage coordinates Total depth (um)": "0.5",
    }
    for name in ("file", "format", "reader", "sha256"):
        del about[name]
    assert about == {
        "instrument": "CAMECA IMS", "sample": "W7 centre", "measured": "2024-03-25T14:05",
        "comment": "a first, and, more", "sputter_time": "558 s", "primary_ion": "O2+",
        "impact_energy": "10010 eV", "secondary_polarity": "+", "raster_size": "150 um",
        "primary_current": "99.62 nA", "analysed_area": "62 um",
    }  # fmt: skip
    of_layers = {
        f"{name}_layer_{n}": value
        for n in (1, 2)
        for name, value in {
            "calibration": "RSF", "rsf": "3e+13 at/cm3", "dose": "1e+15 at/cm2",
            "reference_signal": "30Si",
        }.items()
    }  # fmt: skip
    common = {
        "counting_time": "1.04 s", "waiting_time": "0.88 s", "mass": "10.013 amu",
        "detector": "EM", "offset": "0", "detector_yield": "95.2 %",
        "detector_yield_stated": "95 %", "detector_background": "0 c/s", "dead_time": "25 ns",
        "faraday_cup_threshold": "694356 c/s", "electron_multiplier_threshold": "568110 c/s",
        "fill_value": "0.001 cnt/s",
    }  # fmt: skip
    assert result["10B"].species_metadata == common | of_layers
    references = {f"reference_signal_layer_{n}": "30Si" for n in (1, 2)}
    assert result["30Si"].species_metadata == common | references


def counting(profile):
    """Seconds by which a printed rate is multiplied to give counts."""
    known = profile.species_metadata
    return (
        float(known["counting_time"].split()[0]) * float(known["detector_yield"].split()[0]) / 100
    )


def test_the_yield_is_the_one_that_makes_counts_of_the_rates(write):
    profile = sims.read(write(two_species()))["10B"]
    known = profile.species_metadata
    assert (known["counting_time"], known["detector_yield_stated"]) == ("1.04 s", "95 %")
    assert counting(profile) == pytest.approx(RPC_TIME, rel=1e-5)
    assert known["fill_value"] == "0.001 cnt/s"


def test_counting_times_come_along_in_the_semicolon_variant(write):
    profile = sims.read(write(two_species(delimiter=";")))["10B"]
    known = profile.species_metadata
    assert (known["mass"], known["detector"]) == ("10.013 amu", "EM")
    assert known["waiting_time"] == "0.88 s"
    assert counting(profile) == pytest.approx(RPC_TIME, rel=1e-5)


def test_the_current_of_the_beam_alone_is_what_was_measured(write):
    result = sims.read(write(cameca_rpc({"Ipr": (T, None, cnt(K), "I")})))
    assert result.species == ["Ipr"]


def test_metadata_of_a_species_are_those_of_no_other(write):
    lines = two_species(rsf={"10B": 3e13}).decode("latin-1").split("\r\n")
    (boron, silicon) = (
        next(i for i, line in enumerate(lines) if line.startswith(f"{name}  "))
        for name in ("10B", "30Si")
    )
    # Measured by a Faraday cup, of which nothing is said.
    lines[silicon] = lines[silicon].replace("EM", "FC")
    known = sims.read(write("\r\n".join(lines).encode()))["30Si"].species_metadata
    assert known == {
        "counting_time": "1.04 s", "waiting_time": "0.88 s", "mass": "10.013 amu",
        "detector": "FC", "offset": "0", "fill_value": "0.001 cnt/s",
    }  # fmt: skip
    del lines[boron]
    lines.insert(lines.index("*** MAIN ANALYTICAL PARAMETERS (MAP) ***"), "Data file name(s)\tx")
    result = sims.read(write("\r\n".join(lines).encode()))
    known = result["10B"].species_metadata
    assert known == {"rsf": "3e+13 at/cm3", "calibration": "RSF", "fill_value": "0.001 cnt/s"}
    assert not [key for key in result.metadata.other if "Data file name" in key]


def test_depths_without_a_unit_need_depth_units(write):
    path = write(two_species().replace(b"Depth[um]", b"Depth"))
    with raises(sims.UnitsError, "missing_unit", argument="depth_units", species="10B"):
        sims.read(path)
    np.testing.assert_allclose(sims.read(path, depth_units="um")["10B"].depths, Z, rtol=1e-6)


def test_a_file_that_ends_with_its_data_is_read_on_request(write):
    content = two_species()
    cut = content[: content.index(b"\r\n\r\n*** DATA END")]
    with raises(sims.ReadError, "truncated_file", argument="allow_truncated", line=18):
        sims.read(write(cut))
    with pytest.warns(sims.ProfileWarning) as warned:
        result = sims.read(write(cut), allow_truncated=True)
    assert result["30Si"].concentrations.tolist() == cnt(K * 100).tolist()
    assert any("the file is truncated after line 18" in str(one.message) for one in warned)


def test_a_file_that_ends_within_its_calibration_is_warned_of(write):
    content = two_species()
    cut = content[: content.rindex(b"Species\t")]
    with warns(sims.ProfileWarning, "truncated_file"):
        assert sims.read(write(cut))["30Si"].concentrations.tolist() == cnt(K * 100).tolist()


def test_values_without_a_unit_need_units(write):
    path = write(two_species().replace(b"I[cnt/s]", b"I"))
    with raises(sims.UnitsError, "missing_unit", argument="units", species="10B"):
        sims.read(path)
    assert sims.read(path, units="counts/s")["30Si"].concentration_units == "counts/s"


def test_rates_that_are_no_multiples_leave_the_stated_yield(write):
    rates = np.array([40.1, 17.77, 9.13, 3.3, 5.5])
    known = sims.read(write(cameca_rpc({"10B": (None, Z, rates, "I")})))["10B"].species_metadata
    assert known["detector_yield"] == "95 %"
    assert "detector_yield_stated" not in known


def test_a_file_that_breaks_off_is_refused_or_warned_of(write):
    path = write(two_species(end=False))
    with raises(sims.ReadError, "truncated_file", argument="allow_truncated", line=19):
        sims.read(path)
    with warns(sims.ProfileWarning, "truncated_file", line=19):
        assert sims.read(path, allow_truncated=True)["10B"].depths.size == 5
    with raises(sims.ReadError, "truncated_file", argument="allow_truncated"):
        sims.read(write(two_species(points=9)))


@pytest.mark.parametrize(
    ("end", "more"), [("", "\tTime[s]\tI[A]"), ("\t", "\tTime[s]\tI[A]"), ("\t \t", "")]
)
def test_the_current_of_the_beam_is_no_species(write, end, more):
    """The program writes a header too many before it, and too many cells below the species."""
    lines = cameca_rpc({"23Na": (T, None, cnt(K), "I"), "32S": (T, None, cnt(K), "I")})
    lines = lines.decode("latin-1").split("\r\n")
    names = next(i for i, line in enumerate(lines) if line.startswith("23Na"))
    lines[names] += "\t\t\t\t\tIpr"
    lines[names + 1] += f"{more}\tTime[s]\t\tDepth\tI[A]"
    rows = range(names + 2, names + 2 + len(T))
    for i, row in enumerate(rows):
        lines[row] += f"\t{T[i]}\t\t{4e-8 - i * 1e-9}{end}"
    lines[rows[-1] + 1 : rows[-1] + 1] = ["\t" * 9 + f"80.5\t\t3.5E-008{end}"]
    result = sims.read(write("\r\n".join(lines).encode("latin-1")))
    assert result.species == ["23Na", "32S"]
    assert result["32S"].concentrations.tolist() == cnt(K).tolist()
    current = result.metadata.other["primary current during the profile"]
    assert current == "4e-08 to 3.5e-08 A"


@pytest.mark.parametrize(
    ("header", "end"),
    [("Time[s]", ""), ("Depth[um]", ""), ("Time[s]", "\t"), ("Depth[um]", "\t \t")],
)
def test_two_cells_a_species_are_not_taken_for_three(write, header, end):
    lines = cameca_rpc({"23Na": (T, None, cnt(K), "I"), "32S": (T, None, cnt(K), "I")})
    lines = lines.decode("latin-1").split("\r\n")
    names = next(i for i, line in enumerate(lines) if line.startswith("23Na"))
    lines[names + 1] = f"{header}\tI[cnt/s]\t{header}\tC[atom/cm3]"
    for i, row in enumerate(range(names + 2, names + 2 + len(T))):
        lines[row] = f"{T[i]}\t{5.5 + i}\t{T[i] + 1}\t{i}e17{end}"
    result = sims.read(write("\r\n".join(lines).encode("latin-1")))
    assert result["23Na"].concentrations.tolist() == [5.5, 6.5, 7.5, 8.5, 9.5]
    assert result["32S"].depths.tolist() == (T + 1).tolist()
    assert f"[{result['32S'].depth_units}]" in header


def test_blank_lines_between_all_lines_do_no_harm(write):
    result = sims.read(write(two_species().replace(b"\r\n", b"\n\n")))
    assert result["10B"].concentrations.tolist() == cnt(K).tolist()


@pytest.mark.parametrize(
    ("header", "kind"),
    [("Mass[a.m.u]", "mass spectrum"), ("Energy[eV]", "energy scan"), ("Offset[V]", "energy scan")],
)
def test_spectra_in_the_same_frame_are_refused_by_name(write, header, kind, approved):
    with raises(sims.ReadError, "no_profile", text=approved):
        sims.read(write(two_species(mass_header=header)))


def test_a_header_without_data_is_refused(write):
    with raises(sims.ReadError, "truncated_file"):
        sims.read(write(two_species(data=False)))


def test_a_cell_that_is_no_number_is_named(write):
    text = two_species().replace(b"3.46000E-002", b"3.46O00E-002", 1)
    with raises(sims.ReadError, "not_a_number", line=16, column="B"):
        sims.read(write(text))


def rewritten(content, how):
    """Save an export as people do: by a spreadsheet, with a German locale, in another encoding."""
    text = content.decode("latin-1")
    if how == "comma-separated":
        # A spreadsheet pads every line to the width of the widest.
        width = max(line.count("\t") for line in text.splitlines())
        lines = [line + "\t" * (width - line.count("\t")) for line in text.splitlines()]
        return "\r\n".join(lines).replace("\t", ",").encode()
    if how == "semicolons and decimal commas":
        return text.replace("\t", ";").replace(".", ",").encode("cp1252")
    if how == "decimal commas":
        return text.replace(".", ",").encode("utf-8-sig")
    return text.replace("\r\n", "\n", 30).encode("utf-16")


@pytest.mark.parametrize(
    "how", ["comma-separated", "semicolons and decimal commas", "decimal commas", "utf-16"]
)
def test_exports_that_were_saved_again(write, how):
    result = sims.read(write(rewritten(two_species(), how)))
    assert result.species == ["10B", "30Si"]
    np.testing.assert_allclose(result["30Si"].depths, Z + 0.004, rtol=1e-6)
    assert result["10B"].concentrations.tolist() == cnt(K).tolist()
    assert result["10B"].depth_units == "um"
    about, known = result.metadata, result["10B"].species_metadata
    assert (about.sample, about.primary_ion, about.raster_size) == ("W7 centre", "O2+", "150 um")
    assert (known["counting_time"], known["detector_yield_stated"]) == ("1.04 s", "95 %")


@pytest.mark.parametrize("content", [two_species(), dp_ascii([("27Al", Z, K * 1.0, "um", "c/s")])])
@pytest.mark.parametrize("whole_lines", [False, True])
def test_exports_that_were_pasted_into_a_workbook(tmp_path, content, whole_lines):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for line in content.decode("latin-1").splitlines():
        # A line that begins with tabs begins with empty columns.
        cells = [line] if whole_lines else line.split("\t")
        # A spreadsheet makes numbers of what looks like one.
        book.active.append([float(c) if re.fullmatch(r"[\d.]+E[+-]\d+", c) else c for c in cells])
    book.save(tmp_path / "pasted.xlsx")
    (tmp_path / "plain.txt").write_bytes(content)
    pasted, plain = sims.read(tmp_path / "pasted.xlsx"), sims.read(tmp_path / "plain.txt")
    assert pasted.provenance["format"] == "pasted"
    for one, other in zip(pasted.depth_profiles, plain.depth_profiles, strict=True):
        assert one.species_name == other.species_name
        assert one.depths.tolist() == other.depths.tolist()
        assert one.concentrations.tolist() == other.concentrations.tolist()
        assert one.concentration_units == other.concentration_units


@pytest.mark.parametrize(
    ("rates", "stated", "seen"),
    [
        ([1 / 0.952, 5 / 0.952, 31 / 0.952], 0.95, 0.952),
        ([31 / 0.952], 0.95, 0.952),
        # No whole number of counts; too many to tell one from the next; none.
        ([1.5], 0.95, None),
        ([1 / 0.952, 2 / 0.948], 0.95, None),
        ([150 / 0.952], 0.95, None),
        ([0.001, math.nan], 0.95, None),
        ([], 0.95, None),
    ],
)
def test_the_yield_that_makes_whole_counts_of_rates(rates, stated, seen):
    signal = sims.Signal(
        name="B", depths=np.zeros(len(rates)), depth_units="s", values=np.array(rates),
        units="cnt/s", metadata={"counting_time": "1 s"},
    )  # fmt: skip
    found = find_yield([signal], 0.001, stated)
    assert found == (None if seen is None else pytest.approx(seen, rel=1.1e-5))
    twice = sims.Signal(
        **vars(signal) | {"values": signal.values / 2, "metadata": {"counting_time": "2 s"}}
    )
    again = find_yield([signal, twice], 0.001, stated)
    assert again == (found and pytest.approx(found, rel=1e-12))


# --- .dp_ascii --------------------------------------------------------------------------------


def test_blocks_of_elements(write):
    blocks = [("27Al", Z, K * 2.5, "um", "c/s"), ("69Ga2", Z + 0.005, K * 3.5, "um", "c/s")]
    result = sims.read(write(dp_ascii(blocks)))
    np.testing.assert_allclose(result["69Ga2"].depths, Z + 0.005)
    np.testing.assert_allclose(result["69Ga2"].concentrations, K * 3.5)
    assert (result.metadata.sample, result.metadata.measured) == ("W7", "2022-11-29")


def test_an_element_twice_in_two_kinds_is_one_species_of_the_dataset(write):
    blocks = [("27Al", Z, K, "um", "c/s"), ("27Al", Z, K * 1e15, "um", "Atom/cm3")]
    result = sims.read(write(dp_ascii(blocks)))
    ds = result.to_dataset()
    assert ds["species"].values.tolist() == ["27Al"]
    assert ds["intensity"].values[0].tolist() == K.tolist()
    assert ds["concentration"].values[0].tolist() == (K * 1e15).tolist()
    assert sims.to_profiles(ds) == result.depth_profiles[::-1]


def test_an_element_twice_in_one_kind_is_numbered_on_request_or_with_a_warning(write, approved):
    path = write(dp_ascii([("27Al", Z, K, "um", "c/s"), ("27Al", Z, K + 1, "um", "c/s")]))
    assert sims.read(path).species == ["27Al", "27Al"]
    with warns(sims.ProfileWarning, "repeated_species", species="27Al", text=approved):
        ds = sims.read(path).to_dataset()
    assert sims.read(path, number_repeats=True).species == ds["species"].values.tolist()


def test_a_short_block_is_refused(write):
    with raises(sims.ReadError, "truncated_file", argument="allow_truncated"):
        sims.read(write(dp_ascii([("27Al", Z, K, "um", "c/s")], points=9)))
    with raises(sims.ReadError, "no_profile"):
        sims.read(write(dp_ascii([("27Al", Z, K, "um", "c/s")], title="MASS SPECTRUM : x.ms")))


# --- binary and .is_txt -----------------------------------------------------------------------


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("kind", "version"), [(21, 4108), (26, 4108), (21, 11)])
def test_binary_files_of_either_byte_order(write, order, kind, version):
    profiles = {"12C": (T, K / 5.929), "16O 1H": (T[:3], K[:3] * 2.0)}
    result = sims.read(write(binary(profiles, kind=kind, order=order, version=version), "w7.is"))
    assert result["12C"].concentrations.tolist() == (K / 5.929).tolist()
    assert result["16O 1H"].depths.tolist() == T[:3].tolist()
    assert result["12C"].species_metadata["counting_time"] == "5.929 s"
    assert (result["12C"].depth_units, result["12C"].concentration_units) == ("s", "counts/s")


def test_names_in_binary_files_are_in_the_stated_encoding(write):
    content = binary({"23Na XX": (T, cnt(K))}).replace(b"XX", "ナ".encode("shift_jis"))
    path = write(content, "w7.dp")
    assert sims.read(path, encoding="shift_jis").species == ["23Na ナ"]
    with raises(sims.ReadError, argument="encoding"):
        sims.read(path, encoding="ascii")


def test_binary_files_without_all_of_their_data_are_refused(write):
    profiles = {"12C": (T, K / 5.929)}
    with raises(sims.ReadError, "truncated_file"):
        sims.read(write(binary(profiles, included=0)))
    with raises(sims.ReadError, "truncated_file"):
        sims.read(write(binary(profiles)[:-4]))


def test_all_that_a_binary_file_says(write):
    profiles = {"12C": (T, K * 1.0), "16O 1H": (T[:3], K[:3] * 2.0)}
    result = sims.read(write(binary(profiles), "w7.is"))
    carbon, hydroxide = (profile.species_metadata for profile in result.depth_profiles)
    assert carbon == {
        "mass": "10.5 amu", "waiting_time": "0.25 s", "counting_time": "5.929 s", "detector": "EM",
    }  # fmt: skip
    assert hydroxide == carbon | {"mass": "11.5 amu", "detector": "FC"}
    assert result.metadata.instrument == "CAMECA IMS"
    assert result.metadata.measured == "05.12.17 14:59"
    unknown = sims.read(write(binary(profiles, counting=0.0), "w7.is"))["12C"]
    assert "counting_time" not in unknown.species_metadata


@pytest.mark.parametrize("kind", [22, 25, 27, 29, 31, 35, 39, 40, 41])
def test_scans_and_images_are_refused(write, kind):
    with raises(sims.ReadError, "no_profile"):
        sims.read(write(binary({"12C": (T, K)}, kind=kind)))


def changed(place, form, *numbers, size=4000):
    content = bytearray(binary({"12C": (T, K), "13C": (T, K)}, size=size))
    struct.pack_into(form, content, place, *numbers)
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (changed(4000, "<i", 1), "damaged_file"),
        (changed(548, "<i", 0), "damaged_file"),
        (changed(548, "<i", 61, size=20000), "damaged_file"),
        (changed(548, "<i", 17), "damaged_file"),
        (changed(0, "<i", 4108)[:4003], "truncated_file"),
        (changed(0, "<i", 4108)[:4004], "truncated_file"),
        (changed(0, "<i", 4108)[:4007], "truncated_file"),
        (changed(0, "<i", 0), "no_profile"),
        (changed(0, "<i", 100_000), "no_profile"),
        (changed(4, "<i", 23), "no_profile"),
        (changed(8, "<i", 548), "no_profile"),
        (changed(0, "<i", 4108)[:551], "no_profile"),
        (changed(0, "<i", 99_999)[:552], "damaged_file"),
        (changed(8, "<i", 549)[:552], "damaged_file"),
    ],
)
def test_damaged_binary_files_are_refused(write, content, code):
    with raises(sims.ReadError, code):
        sims.read(write(content, "w7.is"))


def test_what_is_there_of_a_binary_file_is_read_on_request(write, approved):
    path = write(changed(0, "<i", 4108)[:-1], "w7.is")
    with raises(sims.ReadError, "truncated_file", argument="allow_truncated", text=approved):
        sims.read(path)
    with warns(sims.ProfileWarning, "truncated_file", text=approved):
        result = sims.read(path, allow_truncated=True)
    assert result.species == ["12C"]
    assert result["12C"].concentrations.tolist() == K.tolist()


def test_species_that_binary_files_do_not_name_need_species(write):
    path = write(binary({"": (T, K), "12C": (T, K)}), "w7.is")
    with raises(sims.SpeciesError, "missing_species", argument="species"):
        sims.read(path)
    with raises(sims.SpeciesError, argument="species"):
        sims.read(path, species="C")


def test_a_species_without_samples_is_refused_by_its_name(write):
    with raises(sims.ProfileError, "no_profile", species="13C"):
        sims.read(write(binary({"12C": (T, K), "13C": ([], [])}), "w7.is"))


# --- real files -------------------------------------------------------------------------------


def real(pattern):
    found = sorted(FOLDER.glob(pattern))
    absent = pytest.param("", marks=pytest.mark.skip(reason=f"no ../shared/data/{pattern}"))
    return pytest.mark.parametrize("path", found or [absent], ids=lambda p: getattr(p, "name", ""))


@real("uio_mina_cameca/raw/*")
def test_real_exports_against_a_plain_parse(path):
    lines = path.read_text("latin-1").splitlines()
    start = lines.index("*** DATA START ***")
    names = [name for name in lines[start + 3].split("\t") if name]
    data = lines[start + 5 : lines.index("", start + 5)]
    result = sims.read(path)
    assert result.species == names
    for j, profile in enumerate(result.depth_profiles):
        triplets = [line.split("\t")[3 * j : 3 * j + 3] for line in data]
        plain = np.array([[float(x) for x in cells if x] for cells in triplets if any(cells)])
        assert profile.depths.tolist() == plain[:, 0].tolist()
        assert profile.concentrations.tolist() == plain[:, 1].tolist()
    kinds = {"C[": "concentration", "I[": "intensity"}
    stated = {kind for mark, kind in kinds.items() if mark in lines[start + 4]}
    assert set(result.to_dataset().data_vars) == stated


@real("uio_mina_cameca/raw/*")
def test_real_doses_are_those_that_the_instrument_prints(path):
    result = sims.read(path)
    printed = {
        p.species_name: float(p.species_metadata["dose"].split()[0])
        for p in result.depth_profiles
        if "dose" in p.species_metadata and p.concentration_units == "atom/cm3"
    }
    if not printed:
        pytest.skip("the instrument prints no dose in this file")
    doses = sims.integrated_dose(result.to_dataset())
    for species, dose in printed.items():
        assert doses.sel(species=species).item() == pytest.approx(dose, rel=5e-4)


@real("uio_mina_cameca/raw/1*")
def test_real_rates_are_whole_counts(path):
    for profile in sims.read(path).depth_profiles:
        time = counting(profile)
        # Dead time moves a thousand counts by a few hundredths.
        few = profile.concentrations[profile.concentrations < 300] * time
        few = few[few > 0.01]
        assert np.abs(few - np.round(few)).max(initial=0) < 0.02


@real("ikz_rtg_algao/raw/*")
def test_a_real_dp_ascii_against_a_plain_parse(path):
    text = path.read_text("latin-1")
    for profile, block in zip(
        sims.read(path).depth_profiles, text.split("ELEMENT ")[1:], strict=True
    ):
        lines = block.splitlines()
        plain = np.array([[float(x) for x in line.split()] for line in lines[3:] if line.strip()])
        assert profile.species_name == lines[0]
        assert profile.depths.tolist() == plain[:, 0].tolist()
        assert profile.concentrations.tolist() == plain[:, 1].tolist()


@real("formats/cameca_binary/*.is")
def test_a_real_binary_file_holds_the_counts_of_its_text(path):
    binary_file, text_file = sims.read(path), sims.read(path.with_suffix(".is_txt"))
    assert binary_file.species == text_file.species == ["1H", "2H", "12C", "16O", "16O 1H"]
    for rates, counts in zip(binary_file.depth_profiles, text_file.depth_profiles, strict=True):
        time = float(counts.species_metadata["counting_time"].split()[0])
        assert rates.species_metadata["counting_time"] == counts.species_metadata["counting_time"]
        assert rates.concentrations.tolist() == (counts.concentrations / time).tolist()
        assert rates.depths.tolist() == counts.depths.tolist()
