"""DataFrames, and rows for each sample: what is data, what labels it, and what is neither."""

import numpy as np
import pandas as pd
import pytest
from error_parts import raises

import sims_analysis as sims

Z, B, P = [0.5, 1.5, 2.5], [1e18, 2e18, 3e18], [5.0, 6.0, 7.0]
STATED = {"depth_units": "nm", "units": "cm^-3"}


def check(result, names=("B", "P")):
    assert [p.species_name for p in result.depth_profiles] == list(names)
    for profile, values in zip(result.depth_profiles, (B, P), strict=False):
        assert profile.depths.tolist() == Z
        assert profile.concentrations.tolist() == values
        assert profile.depth_units == "nm"


def test_numbers_of_columns_are_no_sample():
    bare = pd.DataFrame(np.c_[Z, B, P])
    check(sims.from_dataframe(bare, species=["B", "P"], **STATED))
    check(sims.from_dataframe(bare, columns={"B": (0, 1), "P": (0, 2)}, **STATED))
    masses = pd.DataFrame(np.c_[Z, B, P], columns=[0.0, 11.0, 31.0])
    check(sims.from_dataframe(masses, **STATED), names=("11.0", "31.0"))


def test_an_index_of_fractions_is_the_axis_where_no_column_is():
    df = pd.DataFrame({"B": B, "P": P}, index=Z)
    check(sims.from_dataframe(df, **STATED))
    with raises(sims.UnitsError, "missing_axis", argument="depth_units"):
        sims.from_dataframe(df, units="cm^-3")
    check(sims.from_dataframe(df[["B"]], **STATED), names=["B"])
    # Beside a column of depths it is none.
    check(sims.from_dataframe(df.assign(**{"depth (nm)": Z})[["depth (nm)", "B", "P"]], **STATED))


def test_an_index_that_is_a_column_too():
    df = pd.DataFrame({"depth (nm)": Z, "B (cm^-3)": B}).set_index("depth (nm)", drop=False)
    check(sims.from_dataframe(df), names=["B"])


@pytest.mark.parametrize("name", ["row", "cycle", "Point #"])
def test_an_index_of_row_numbers_is_no_signal(name):
    df = pd.DataFrame({"depth (nm)": Z, "B": B}, index=pd.Index([7, 8, 9], name=name))
    check(sims.from_dataframe(df, units="cm^-3"), names=["B"])


def test_what_is_no_table(approved):
    with raises(TypeError, text=approved):
        sims.from_dataframe({"depth (nm)": Z})
    with raises(sims.ReadError, "no_profile", argument="df"):
        sims.from_dataframe(pd.DataFrame({"B": B}), **STATED)
    check(
        sims.from_dataframe(pd.Series(B, pd.Index(Z, name="depth (nm)"), name="B (cm^-3)")), ["B"]
    )


@pytest.mark.parametrize("wafers", [[1, 1, 2, 2], ["a", "a", "b", "b"]])
def test_rows_of_several_measurements_are_refused(tmp_path, wafers, approved):
    df = pd.DataFrame({"wafer": wafers, "species": "B", "depth (nm)": [0, 1] * 2, "conc": 1.0})
    with raises(sims.ReadError, "several_measurements", text=approved):
        sims.from_dataframe(df, units="cm^-3")
    df.to_csv(tmp_path / "w.csv", index=False)
    with raises(sims.ReadError, "several_measurements", text=approved):
        sims.read(tmp_path / "w.csv", units="cm^-3")
    (one,) = sims.from_dataframe(df[:2], units="cm^-3").depth_profiles
    assert one.concentrations.tolist() == [1, 1]


def test_row_numbers_of_rows_for_each_sample(tmp_path):
    df = pd.DataFrame({"species": ["B"] * 3, "depth (nm)": Z, "conc": B})
    df.to_csv(tmp_path / "w.csv")
    check(sims.read(tmp_path / "w.csv", units="cm^-3"), names=["B"])


def test_a_column_of_units():
    df = pd.DataFrame({"species": ["B", "B", "Si"], "depth (nm)": Z, "value": P,
                       "unit": ["cm^-3", "cm^-3", "c/s"]})  # fmt: skip
    boron, silicon = sims.from_dataframe(df).depth_profiles
    assert (boron.concentration_units, silicon.concentration_units) == ("cm^-3", "c/s")
    df.loc[1, "unit"] = "at%"
    with raises(sims.UnitsError, "different_units", species="B"):
        sims.from_dataframe(df)


def test_errors_of_dataframes_show_what_was_understood():
    df = pd.DataFrame({"depth (nm)": [0, 1], "B (cps)": [1, "x"]})
    with raises(sims.ReadError, "not_a_number") as caught:
        sims.from_dataframe(df)
    assert "headers" in caught.value.layout_preview
    assert "depth (nm)" in caught.value.layout_preview
