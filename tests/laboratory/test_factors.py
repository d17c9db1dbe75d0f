"""Factors that are kept: what is written, what fits, how several are combined."""

import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from error_parts import raises, warns
from kept_standards import TRUE_FACTOR, factor_of, measured

import sims_analysis as sims
from sims_analysis.errors import ArchiveError, ProfileError, ProfileWarning, ReadError, SpeciesError
from sims_analysis.profiles.metadata import Layer


@pytest.fixture
def factors(tmp_path):
    return sims.Factors(tmp_path / "factors.csv")


@cache
def factor_of_day(day, factor, seed, **other):
    return factor_of(measured(day, factor, seed=seed, **other))


def kept(factors, days, scale=(), **other):
    for i, day in enumerate(days):
        factor = TRUE_FACTOR * (scale[i] if i < len(scale) else 1.0)
        factors.add(factor_of_day(day, factor, i, **other))


def test_a_factor_is_kept_with_its_conditions_and_its_origin(factors):
    standard = measured("2026-03-02T07:45", seed=1)
    rsf = factor_of(standard, dose_uncertainty="3 %")
    factors.add(rsf, note='new_crystal, "Q3"; ä')
    (row,) = factors.table().to_dict("records")
    expected = {
        "species": "11B", "matrix": "30Si", "material": "Si", "unit": "atom/cm^3",
        "uncertainty": 0.03, "primary_ion": "O2+", "energy": 3000.0, "polarity": "+",
        "instrument": "IMS 7f", "standard": "standard", "data_id": standard.attrs["data_id"],
        "sha256": standard.attrs["sha256"], "note": 'new_crystal, "Q3"; ä', "valid": True,
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    assert str(row["date"]) == "2026-03-02 07:45:00"
    assert row["value"] == pytest.approx(rsf.item(), rel=1e-5)
    assert row["stderr"] == pytest.approx(rsf["counting_stderr"].item(), rel=1e-4)
    with raises(ProfileError, "repeated_species", species="11B", line=3):
        factors.add(rsf)


def test_with_rsf_takes_what_holds_for_the_data(factors):
    kept(factors, ["2026-03-01"], [1.0])
    kept(factors, ["2026-03-02"], [7.0], primary_ion="Cs+", secondary_polarity="-")
    kept(factors, ["2026-03-03"], [9.0], impact_energy="5 keV")
    unknown = measured("2026-03-05", impact_energy="3050 eV", data_id="unknown")
    ds = sims.with_rsf(unknown, rsf=factors, matrix="30Si")
    picked = factors.table()["value"].iloc[0]
    assert ds["sensitivity_factor"].sel(species="11B").item() == pytest.approx(picked, rel=1e-5)
    step = sims.provenance(ds)["steps"][-1]
    (pick,) = step["parameters"]["rsf"]["11B"]["steps"]
    assert pick["parameters"]["rows"][0]["data_id"] == "std-2026-03-01"


@pytest.mark.parametrize(
    "other",
    [
        {"primary_ion": "Cs+"},
        {"impact_energy": "3.1 keV"},
        {"secondary_polarity": "-"},
        {"layers": ()},
        {"instrument": None},
    ],
)
def test_a_factor_of_other_conditions_is_never_taken(factors, other, approved):
    kept(factors, ["2026-03-01"])
    with raises(SpeciesError, "missing_factor", species="11B", text=approved):
        sims.with_rsf(measured("2026-03-05", **other), rsf=factors, matrix="30Si")


def test_another_matrix_signal_and_another_species_are_refused(factors, approved):
    kept(factors, ["2026-03-01"])
    ds = measured("2026-03-05")
    other = ds.assign_coords(species=["11B", "28Si"])
    with raises(SpeciesError, "missing_factor", species="11B", text=approved):
        sims.with_rsf(other, rsf=factors, matrix="28Si")
    with raises(SpeciesError, "missing_factor"):
        sims.with_rsf(ds.assign_coords(species=["75As", "30Si"]), rsf=factors, matrix="30Si")


def test_what_data_do_not_say_may_be_stated(factors, approved):
    kept(factors, ["2026-03-01"])
    ds = measured("2026-03-05", primary_ion=None)
    picked = factors.pick(ds, matrix="30Si", primary_ion="O2+")
    assert sims.with_rsf(ds, rsf=picked, matrix="30Si")["concentration"].notnull().any()
    for other in ("ion", "standard"):
        with raises(TypeError, text=approved):
            factors.pick(ds, matrix="30Si", **{other: "O2+"})


def test_picked_factors_are_refused_by_data_of_other_conditions(factors, approved):
    kept(factors, ["2026-03-01"])
    ds = measured("2026-03-05")
    picked = factors.pick(ds, matrix="30Si")
    assert picked["11B"]["primary_ion"].item() == "O2+"
    of_standard = {"11B": factor_of(measured("2026-03-01"))}
    for other in (
        {"primary_ion": "Cs+"},
        {"secondary_polarity": "negative"},
        {"impact_energy": "5 keV"},
        {"instrument": "TOF"},
    ):
        unlike = measured("2026-03-05", **other)
        for rsf in (picked, picked["11B"], of_standard):
            for data in (unlike, sims.stack([ds, unlike])):
                with raises(SpeciesError, argument="rsf", text=approved):
                    sims.with_rsf(data, rsf=rsf, matrix="30Si")
    silent = measured("2026-03-05", primary_ion=None, impact_energy="3040 eV")
    assert sims.with_rsf(silent, rsf=picked, matrix="30Si")["concentration"].notnull().any()


def test_picked_factors_of_a_batch_hold_measurement_by_measurement(factors, approved):
    kept(factors, ["2026-03-01", "2026-03-11"], [1.0, 1.2])
    kept(factors, ["2026-03-02"], [7.0], primary_ion="Cs+")
    days, ions = ("2026-03-02", "2026-03-10", "2026-03-05"), ("O2+", "O2+", "Cs+")
    each = [measured(day, primary_ion=ion) for day, ion in zip(days, ions, strict=True)]
    batch = sims.stack(each, names=["a", "b", "c"])
    ds = sims.with_rsf(batch, rsf=factors, matrix="30Si", combine="nearest")
    found = ds["sensitivity_factor"].sel(species="11B").values
    assert found == pytest.approx(factors.table()["value"].values, rel=1e-12)
    picked = factors.pick(batch, matrix="30Si")
    with raises(SpeciesError, argument="rsf", text=approved):
        sims.with_rsf(sims.stack(each[::-1], names=["a", "b", "c"]), rsf=picked, matrix="30Si")


def test_conditions_stay_on_a_new_axis_and_with_merged_species(factors, approved):
    kept(factors, ["2026-03-01"])
    batch = sims.stack([measured("2026-03-05"), measured("2026-03-06", primary_ion="Cs+")])
    with raises(SpeciesError, "missing_factor", species="11B", text=approved):
        factors.pick(sims.to_grid(batch, every=2), matrix="30Si")
    of_sum = sims.combine(batch, {"11B": {"11B": 1, "30Si": 0}})
    made = of_sum.assign_coords(
        wire_fields=of_sum["wire_fields"].where(of_sum.species != "11B", "")
    )
    with raises(SpeciesError, "missing_factor", species="11B", text=approved):
        factors.pick(made, matrix="30Si")
    fitting, other = measured("2026-03-05"), measured("2026-03-06", secondary_polarity="-")
    other = other.assign_coords(species=["31P", "28Si"])
    merged = sims.merge_profiles([other, fitting])
    assert list(factors.pick(merged, matrix="30Si")) == ["11B"]
    swapped = merged.assign_coords(species=["11B", "30Si", "31P", "28Si"])
    with raises(SpeciesError, "missing_factor", species="11B", text=approved):
        factors.pick(swapped, matrix="30Si")


def test_what_is_stated_against_the_data_is_refused(factors, approved):
    kept(factors, ["2026-03-01"])
    ds = measured("2026-03-05", primary_ion="Cs+")
    with raises(ProfileError, argument="primary_ion", text=approved):
        factors.pick(ds, matrix="30Si", primary_ion="O2+")
    with raises(ProfileError, argument="polarity", text=approved):
        factors.add(factor_of(measured("2026-03-06", seed=7)), polarity="-")
    assert factors.pick(measured("2026-03-05"), matrix="30Si", energy="3 keV")
    before = factors.path.read_bytes()
    rsf = factor_of(measured("2026-03-06T07:45", seed=7))
    for column, cell in {
        "species": "10B", "value": "1e22", "unit": "atoms/m^3", "matrix": "28Si", "stderr": "1e18",
        "date": "2026-03-07", "data_id": "other", "sha256": "0", "matrix_signal": "mean",
        "dead_time": "corrected", "status": "empty",
    }.items():  # fmt: skip
        with raises(ProfileError, argument=column):
            factors.add(rsf, **{column: cell})
    assert factors.path.read_bytes() == before
    alike = {"unit": "atoms/cm^3", "date": "2026-03-06", "energy": "3.05 keV", "primary_ion": ""}
    factors.add(rsf, standard="A7", uncertainty="3 %", **alike)
    row = factors.table().iloc[-1]
    assert row[["standard", "uncertainty", "energy", "primary_ion"]].tolist() == [
        "A7", 0.03, 3000.0, "O2+",
    ]  # fmt: skip
    assert str(row["date"]) == "2026-03-06 07:45:00"


def test_nearest_bracket_and_age(factors, approved):
    kept(factors, ["2026-03-01", "2026-03-11"], [1.0, 1.2])
    ds = measured("2026-03-04")
    first, last = factors.table()["value"]

    def picked(**options):
        return factors.pick(ds, matrix="30Si", **options)["11B"]

    assert picked(combine="nearest").item() == first
    assert picked(combine="bracket").item() == pytest.approx(0.7 * first + 0.3 * last)
    assert picked(max_age="4 days").item() == first
    assert picked(max_age="4 days")["day_to_day_stderr"].isnull()
    with raises(SpeciesError, "missing_factor", species="11B"):
        factors.pick(measured("2026-03-09"), matrix="30Si", max_age="1 day")
    undated = sims.Factors(factors.path.with_name("undated.csv"))
    kept(undated, [""], [1.0])
    with raises(SpeciesError, "missing_factor", species="11B"):
        undated.pick(ds, matrix="30Si", combine="nearest")
    for unitless in (30, "30"):
        with raises(ProfileError, argument="max_age"):
            picked(max_age=unitless)
    for day in ("2026-02-04", "2026-03-14"):
        with raises(ProfileError, "missing_factor", argument="combine", species="11B"):
            factors.pick(measured(day), matrix="30Si", combine="bracket")
    with raises(ProfileError, "missing_time", species="11B"):
        factors.pick(measured(None), matrix="30Si", combine="nearest")
    with raises(ProfileError, "conflicting_arguments"):
        sims.with_rsf(ds, rsf={"11B": "5e21 atoms/cm^3"}, matrix="30Si", combine="mean")
    kept(factors, ["2026-03-21", "2026-03-31"])
    with raises(SpeciesError, text=approved):  # names the three that miss least
        picked(max_age="2 days")


def test_a_bracket_of_one_day_is_between_its_morning_and_its_evening(factors):
    kept(factors, ["2026-03-02T08:00", "2026-03-02T16:00"], [1.0, 1.1])
    ds = measured("2026-03-02T10:00")
    first, last = factors.table()["value"]
    found = factors.pick(ds, matrix="30Si", combine="bracket")["11B"]
    assert found.item() == pytest.approx(0.75 * first + 0.25 * last, rel=1e-6)
    assert found["day_to_day_stderr"] > last - first  # of two, by Student's t
    kept(factors, ["2026-03-01", "2026-03-03"], [0.5, 2.0])
    again = factors.pick(ds, matrix="30Si", combine="bracket")["11B"]
    assert again.item() == pytest.approx(found.item())


def test_the_standards_of_one_day_are_one_occasion(factors):
    kept(factors, ["2026-03-01", "2026-03-01", "2026-03-01", "2026-03-11"], [1.0, 1.0, 1.0, 1.2])
    table = factors.table()
    each, weight = table["value"].to_numpy(), table["stderr"].to_numpy() ** -2
    day = np.average(each[:3], weights=weight[:3])
    found = factors.pick(measured("2026-03-02"), matrix="30Si")["11B"]
    assert found.item() == pytest.approx((day + each[3]) / 2, rel=1e-4)
    nearest = factors.pick(measured("2026-03-02"), matrix="30Si", combine="nearest")["11B"]
    assert nearest.item() == pytest.approx(day)
    assert nearest["counting_stderr"].item() == pytest.approx(weight[:3].sum() ** -0.5)
    assert [found["n_standards"].item(), nearest["n_standards"].item()] == [4, 3]


@pytest.mark.parametrize("combine", ["mean", "nearest"])
def test_standards_of_one_day_that_disagree_make_its_error(factors, combine):
    kept(factors, ["2026-03-02T08:00", "2026-03-02T16:00"], [1.0, 1.04])
    found = factors.pick(measured("2026-03-02T10:00"), matrix="30Si", combine=combine)["11B"]
    first, last = factors.table()["value"]
    assert found["stderr"].item() == pytest.approx(1.84 * (last - first) / 2, rel=0.02)
    assert np.isnan(found["day_to_day_stderr"])


def test_undated_factors_of_one_profile_are_one_occasion(factors):
    kept(factors, [None, None], [1.0, 1.04])
    text = factors.path.read_text()
    for origin in set(factors.table()["sha256"]):
        text = text.replace(origin, "")
    factors.path.write_text(text)
    found = factors.pick(measured("2026-03-02"), matrix="30Si")["11B"]
    assert np.isnan(found["day_to_day_stderr"])


def test_factors_of_two_kinds_of_quotients_are_warned_of(factors, approved):
    for day, way in (("2026-03-01", "cycle"), ("2026-03-02", "mean")):
        factors.add(factor_of(measured(day), matrix_signal=way))
    with warns(ProfileWarning, "different_conditions", text=approved):
        sims.with_rsf(measured("2026-03-05"), rsf=factors, matrix="30Si")


def test_the_factor_of_an_element_is_not_that_of_its_isotope(factors, approved):
    for day, abundance in (("2026-03-01", None), ("2026-03-02", "natural"), ("2026-03-03", 0.8)):
        factors.add(factor_of(measured(day), abundance=abundance))
    ds = measured("2026-03-05")

    def picked(**stated):
        return factors.pick(ds, matrix="30Si", **stated)["11B"]

    assert picked()["n_standards"] == 1
    assert picked().item() == pytest.approx(TRUE_FACTOR, rel=1e-3)
    assert picked(abundance="natural").item() == pytest.approx(TRUE_FACTOR / 0.801, rel=1e-3)
    assert picked(abundance="0.80").item() == pytest.approx(TRUE_FACTOR / 0.8, rel=1e-3)
    with raises(SpeciesError, "missing_factor", species="11B", text=approved):
        picked(abundance="0.5")
    with raises(ProfileError, argument="abundance", text=approved):
        factors.add(factor_of(measured("2026-03-04")), abundance="natural")


def test_withdrawn_factors_stay_in_the_file(factors):
    kept(factors, ["2026-03-01", "2026-03-02"], [1.0, 1.5])
    with raises(ProfileError, argument="lines"):
        factors.withdraw(3, note="wrong aperture")
    factors.table()
    factors.withdraw(3, note="wrong aperture")
    assert factors.table()["valid"].tolist() == [True, False]
    assert factors.table()["note"].iloc[1] == "wrong aperture"
    found = factors.pick(measured("2026-03-02"), matrix="30Si")["11B"]
    assert found["n_standards"].item() == 1
    with raises(ProfileError, argument="lines"):
        factors.withdraw(3, note="")
    with raises(ProfileError, "repeated_species", species="11B", line=4):
        factors.add(factor_of(measured("2026-03-02", 1.5 * TRUE_FACTOR, seed=1)))


def test_only_the_row_that_was_shown_is_withdrawn(factors):
    kept(factors, ["2026-03-01", "2026-03-02"], [1.0, 1.5])
    factors.path.write_text(factors.path.read_text().replace("\n", "\n\n"))
    assert factors.table().index.tolist() == [3, 5]
    sims.Factors(factors.path).add(factor_of(measured("2026-03-03")))
    factors.path.write_text(factors.path.read_text().replace("\n\n", "\n"))
    with raises(ProfileError, argument="lines"):
        factors.withdraw(3, note="wrong aperture")
    assert factors.table()["valid"].all()


def test_semicolons_and_decimal_commas_of_a_spreadsheet(factors):
    """Kept as they are, with blank lines, the mark of the encoding and the ends of lines."""
    kept(factors, ["2026-03-01", "2026-03-02"])
    expected = factors.table()
    text = factors.path.read_text().replace(".", "\0").replace(",", ";")
    text = text.replace("\0", ",").replace("\n", "\r\n").replace("\n", "\n\r\n", 2)
    factors.path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    table = factors.table()
    columns = ["species", "value", "stderr", "energy", "date", "unit"]
    assert table[columns].to_dict("list") == expected[columns].to_dict("list")
    assert table.index.tolist() == [3, 5]
    kept(factors, ["2026-03-03"])
    after = factors.path.read_bytes().decode()
    assert after.startswith("\ufeff" + text)
    assert after.count("\r\n") == after.count("\n") == 6
    assert factors.table()["value"].tolist()[2] == pytest.approx(
        expected["value"].iloc[0], rel=1e-5
    )
    assert after.splitlines()[-1].split(";")[3].count(",") == 1


@pytest.mark.slow
def test_the_scatter_of_days_is_a_line_of_the_budget(factors):
    kept(factors, [f"2026-03-{day:02}" for day in range(1, 9)], [1.03, 0.97] * 4)
    ds = sims.with_rsf(measured("2026-03-10", seed=50), rsf=factors, matrix="30Si")
    budget = sims.dose_budget(ds).sel(species="11B")
    part = (budget["day_to_day_stderr"] / budget["dose"]).item()
    assert part == pytest.approx(0.032 * 1.06 * 1.08, rel=0.05)  # n - 1, the mean's part, Student
    assert budget["rsf_stderr"].item() >= budget["day_to_day_stderr"].item()
    assert budget["systematic_stderr"].item() == pytest.approx(budget["rsf_stderr"].item())
    assert "day to day" in [t.get_text() for t in sims.plot_budget(budget).get_yticklabels()]
    scaled = sims.scale_to_dose(ds, dose={"11B": "1e15 atoms/cm^2"}, dose_uncertainty=0.01)
    assert sims.dose_budget(scaled)["day_to_day_stderr"].sel(species="11B").item() == 0.0
    assert sims.fit(ds.sel(species="11B"), model="gaussian")["dose"].notnull().all()
    plain = sims.dose_budget(ds, rsf_uncertainty=0.1)
    assert "day_to_day_stderr" not in plain


@pytest.mark.parametrize(
    "text",
    [
        "11B;5,1E+21;atoms/cm3\n31P ; 2,0e22\n",
        "# of 2026\n11B\t5,1E+21\n31P\t2E22\n",
        "11B 5,1E21 atoms/cm^3\n31P 2e22\n",
        "11B,5.1e21,atoms/cm^3\n31P, 2e22\n",
        "Element | RSF value\n11B: 5.1e21\n\n31P\t2e22 atoms/cm3\n",
        "Species;Value;Unit;Date\n11B;5,1E21;atoms/cm3;02.03.2026\n31P;2e22;;13.03.2026\n",
        "species | value | date\n11B | 5.1e21 | 3/2/2026 7:45\n31P | 2e22 | 3/13/2026 17:45\n",
    ],
)
def test_lists_with_semicolons_decimal_commas_and_dates_of_a_country(factors, tmp_path, text):
    (tmp_path / "list.txt").write_text(text)
    factors.read(tmp_path / "list.txt", unit="atoms/cm^3", matrix="30Si")
    table = factors.table()
    assert table["species"].tolist() == ["11B", "31P"]
    assert table["value"].tolist() == [5.1e21, 2e22]
    assert table["standard"].tolist() == ["list.txt"] * 2
    if "2026\n31P" in text and text[0] != "#":
        assert table["date"].dt.strftime("%Y-%m-%d").tolist() == ["2026-03-02", "2026-03-13"]


def test_what_a_list_leaves_open_is_refused(factors, tmp_path, approved):
    for text in (
        "Element RSF\n",
        "11B,5,1E21\n",
        "species;unit;value\n11B;;5e21\n31P;cm;1e21",
        "11B <5e21\n",
        "11B 5.1e222\n",
        "species;value;date\n11B;5e21;02.03.2026\n",
        "species;value;date\n11B;5e21;13.03.2026\n31P;1e21;03.13.2026",
        "species;value;date\n11B;5e21;13.03.2026\n31P;1e21;04/05/2026",
        "11B 5e21\n31P many\n75As 1e22 3 x 4\n",
        "11B 5e21 atoms/cm^3 per count/s",
        "species;value;ion\n11B;5e21;O2+\n",
        "species;value;note\n11B;5e21\n",
    ):
        (tmp_path / "list.txt").write_text(text)
        with raises(ReadError, text=approved):
            factors.read(tmp_path / "list.txt", unit="atoms/cm^3", matrix="30Si")
        assert not factors.path.exists()


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("value", "5.1e210"),
        ("stderr", "{value}"),
        ("value", "5,1e21"),
        ("value", "5_1e21"),
        ("unit", "cm"),
        ("energy", "3 kV"),
        ("polarity", "both"),
        ("uncertainty", "3"),
        ("valid", ""),
    ],
)
def test_a_hand_edited_cell_is_refused_by_line_and_column(factors, column, cell, approved):
    kept(factors, ["2026-03-01", "2026-03-02"])
    lines = factors.path.read_text().splitlines()
    header, cells = lines[0].split(","), lines[2].split(",")
    cells[header.index(column)] = cell.format(**dict(zip(header, cells, strict=True)))
    lines[2] = ",".join(cells)
    factors.path.write_text("\n".join(lines))
    before = factors.path.read_bytes()
    for attempt in (factors.table, lambda: kept(factors, ["2026-03-04"])):
        with raises(ReadError, line=3, text=approved):
            attempt()
    assert factors.path.read_bytes() == before


def test_what_a_spreadsheet_saves_is_read(factors):
    kept(factors, ["2026-03-01"])
    header, row = factors.path.read_text().splitlines()
    edited = row.replace("yes", "TRUE").replace(",IMS", ", IMS").replace("5.0", "+5.0", 1)
    text = f"\ufeff{header},operator\r\n{edited},me\r\n{',' * 20}\r\n"
    factors.path.write_bytes(text.encode())
    kept(factors, ["2026-03-02"])
    assert "TRUE,me" in factors.path.read_text()
    assert factors.table()["valid"].tolist() == [True, True]
    factors.path.write_bytes("größe".encode("latin1"))
    with raises(ReadError, "unknown_encoding", line=1):
        factors.table()


def test_columns_that_may_be_empty_may_be_missing_and_headings_be_typed(factors):
    kept(factors, ["2026-03-01"])
    factors.path.write_text(
        "Species,Matrix,Value,Unit,Primary Ion,Energy,Polarity,Material,Instrument,VALID\n"
        "11B,30Si,5e21,atoms/cm^3,O2+,3 keV,+,Si,IMS 7f,yes\n\n"
    )
    found = factors.pick(measured("2026-03-05"), matrix="30Si")["11B"]
    assert found.item() == 5e21
    kept(factors, ["2026-03-02"], [1.0])
    assert factors.table()["abundance"].tolist() == ["", ""]
    assert factors.table()["data_id"].tolist() == ["", "std-2026-03-02"]
    text = factors.path.read_text()
    for heading, wrong in (("primary_ion", "ion"), ("valid", "data_id")):
        factors.path.write_text(text.replace(heading, wrong, 1))
        with raises(ReadError, "missing_column", line=1):
            factors.table()


WRITER = """
import sys
sys.path.insert(0, {tests!r})
from kept_standards import factor_of, measured
import sims_analysis as sims
factors = sims.Factors({path!r})
rsf = factor_of(measured("2026-03-01"))
rsf.attrs["steps"] = rsf.attrs["steps"].replace("sha256", "sha256_of_one")
print("ready", flush=True)
for i in range({count}):
    factors.add(rsf, sha256=f"{who}-{{i}}", note="x" * 200)
    print(i, flush=True)
"""


def writer(factors, who, count):
    folder = str(Path(__file__).parents[1])
    code = WRITER.format(tests=folder, path=str(factors.path), who=who, count=count)
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


def test_a_link_and_the_mode_of_the_file_that_all_read_stay(factors, tmp_path):
    factors.add(factor_of(measured("2026-03-01", seed=1)))
    (tmp_path / "mine.csv").symlink_to(factors.path)
    factors.path.chmod(0o664)
    sims.Factors(tmp_path / "mine.csv").add(factor_of(measured("2026-03-02", seed=2)))
    assert len(factors.table()) == 2
    assert factors.path.stat().st_mode & 0o777 == 0o664


@pytest.mark.slow
def test_several_writers_lose_nothing_and_those_killed_leave_whole_rows(factors):
    steady = writer(factors, "a", 25)
    killed = writer(factors, "k", 10_000)
    assert killed.stdout.readline() == "ready\n"
    said = [int(killed.stdout.readline()) for _ in range(8)]
    time.sleep(0.01)
    killed.kill()
    assert steady.wait(timeout=120) == 0
    said += [int(line) for line in killed.stdout.read().split() if line.strip()]
    killed.wait()
    steady.stdout.close()
    killed.stdout.close()
    table = factors.table()  # reads every cell
    for who, count in (("a", 25), ("k", len(said))):
        assert {f"{who}-{i}" for i in range(count)} <= set(table["sha256"])
    assert len(table) <= 25 + len(said) + 1
    sims.Factors(factors.path).add(factor_of(measured("2026-04-01")))


def test_without_a_lock_nothing_is_written(factors, monkeypatch):
    kept(factors, ["2026-03-01"])
    before = factors.path.read_bytes()
    monkeypatch.setattr("sims_analysis.files.LOCK_PATIENCE", 0.0)
    with raises(ArchiveError, "failed_write"):
        kept(factors, ["2026-03-02"])
    assert factors.path.read_bytes() == before


def test_what_is_no_factor_of_a_standard_is_refused(factors):
    with raises(ProfileError, "other_result", argument="rsf"):
        factors.add(xr.DataArray(5e21, attrs={"units": "atom/cm^3"}))
    with raises(ReadError, "invalid_cell", argument="date", column="date"):
        factors.add(factor_of(measured("2026-03-01")), date="today")
    assert not factors.path.exists()


# ---- uniform standards


@pytest.mark.slow
def test_a_uniform_standard_gives_its_factor():
    exact = factor_of(
        measured("2026-03-01", uniform=1e19), dose=None, concentration="1e19 atoms/cm^3"
    )
    assert exact.item() == pytest.approx(TRUE_FACTOR, rel=1e-9)
    found = [
        factor_of(
            measured("2026-03-01", uniform=1e19, seed=seed), dose=None, start="20 nm",
            concentration="1e19 atoms/cm^3", concentration_uncertainty="2 %",
        )
        for seed in range(20)
    ]  # fmt: skip
    values = np.array([one.item() for one in found])
    stderr = np.mean([one["counting_stderr"].item() for one in found])
    assert values.std(ddof=1) == pytest.approx(stderr, rel=0.35)
    assert values.mean() == pytest.approx(
        TRUE_FACTOR, abs=3 * stderr / 20**0.5 + 1e-4 * TRUE_FACTOR
    )
    assert found[0]["dose_stderr"].item() == pytest.approx(0.02 * values[0])


def test_dose_or_concentration():
    ds = measured("2026-03-01")
    with raises(ProfileError, "conflicting_arguments"):
        factor_of(ds, concentration="1e19 atoms/cm^3")
    with raises(ProfileError, "conflicting_arguments"):
        factor_of(ds, dose=None)
    with raises(ProfileError, "conflicting_arguments"):
        factor_of(ds, concentration_uncertainty=0.02)


def test_a_list_is_read_once(factors, tmp_path):
    (tmp_path / "list.txt").write_text("11B 5e21")
    stated = {"unit": "atoms/cm^3", "matrix": "30Si"}
    factors.read(tmp_path / "list.txt", **stated)
    with raises(ProfileError, "repeated_species", species="11B", line=1):
        factors.read(tmp_path / "list.txt", **stated)
    with raises(ReadError, "invalid_cell", line=1, column="unit"):
        factors.read(tmp_path / "list.txt", matrix="30Si")
    (tmp_path / "twice.txt").write_text("31P 5e21\n31P 5e21")
    with raises(ProfileError, "repeated_species", species="31P", line=2):
        factors.read(tmp_path / "twice.txt", **stated)
    factors.read(tmp_path / "list.txt", **stated, primary_ion="O2+")
    assert len(factors.table()) == 2


def test_standards_of_different_conditions_have_no_common_factor(factors, approved):
    one, same = measured("2026-03-01", seed=1), measured("2026-03-02", seed=2)
    unlike = measured("2026-03-03", seed=3, data_id="unlike", primary_ion="Cs+")
    with raises(ProfileError, "different_conditions", text=approved):
        factor_of(one, same, unlike)
    with raises(ProfileError, "different_conditions", text=approved):
        factor_of(sims.stack([one, unlike], names=["a", "b"]))
    silent = measured("2026-03-04", seed=4, primary_ion=None, impact_energy="3050 eV")
    factors.add(rsf := factor_of(one, same, silent))
    assert rsf["n_standards"] == 3
    assert factors.table()["data_id"].tolist() == [silent.attrs["data_id"]]


def test_conditions_that_standards_spell_differently_are_those_of_their_factor(approved):
    here, there = ((Layer(matrix="Si", stop=stop),) for stop in ("200 nm", "210 nm"))
    standards = [
        measured("2026-03-01", layers=here, primary_ion=None),
        measured("2026-03-02", layers=there, impact_energy="3.02 keV"),
    ]
    rsf = factor_of(*standards)
    for other in (
        {"layers": (Layer(matrix="SiGe"),)},
        {"impact_energy": "10 keV"},
        {"primary_ion": "Cs+"},
    ):
        with raises(SpeciesError, argument="rsf", text=approved):
            sims.with_rsf(measured("2026-03-05", **other), rsf=rsf, matrix="30Si")


def test_several_layers_are_another_material_than_one(factors, approved):
    def of(*materials):
        return {"layers": tuple(Layer(matrix=one) for one in materials)}

    kept(factors, ["2026-03-01"])
    unlike = measured("2026-03-05", **of("SiGe", "SiC", "Ge", "GaN"))
    rsf = factor_of(measured("2026-03-01", **of("Si", "Ge")))
    with raises(SpeciesError, argument="rsf", text=approved):
        sims.with_rsf(unlike, rsf=rsf, matrix="30Si")
    with raises(ProfileError, argument="material", text=approved):
        factors.pick(unlike, matrix="30Si", material="Si")
    kept(factors, ["2026-03-02"], **of("Ge", "GaN", "SiGe", "SiC"))
    assert factors.pick(unlike, matrix="30Si")["11B"]["material"] == "GaN + Ge + SiC + SiGe"


def test_a_file_that_is_not_there_has_no_factors(tmp_path, approved):
    factors = sims.Factors(tmp_path / "nix.csv")
    assert factors.table().empty  # the first factor makes it
    ds = sims.open_example("sputter-time")
    for call in (lambda: factors.withdraw(2, note="wrong"),
                 lambda: sims.with_rsf(ds, rsf=factors, matrix="Si")):  # fmt: skip
        with raises(ReadError, "unreadable_file", text=approved):
            call()
    for path in ("factors.csv", factors.path):
        with raises(ProfileError, argument="rsf", text=approved):
            sims.with_rsf(ds, rsf=path, matrix="Si")
