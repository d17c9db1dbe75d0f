"""Tables of results, cell by cell: headings, statuses, errors, rows."""

import numpy as np
import pytest
import xarray as xr
from error_parts import raises

import sims_analysis as sims
from sims_analysis.errors import ProfileError, UnitsError


def answer(values, name="x", status=None, stderr=None, species=("B", "P"), **attrs):
    coords = {"species": list(species)}
    if status is not None:
        coords["status"] = ("species", status)
    if stderr is not None:
        coords["stderr"] = ("species", stderr)
    return xr.DataArray(values, coords, ["species"], name, attrs)


def cells(*results, **named):
    header, _, *rows = sims.results_table(*results, **named).splitlines()
    return [line.strip("| ").split(" | ") for line in (header, *rows)]


@pytest.mark.parametrize(
    ("values", "status", "stderr", "shown"),
    [
        ([1.0, np.nan], None, None, ["1.000", "-"]),
        ([np.inf, np.nan], ["ok", "never_reached"], None, ["-", "never reached"]),
        ([1.5, 2.5], ["ok", "truncated_window"], [0.12, 0.5], ["1.50 ± 0.12", "2.5 ± 0.5 (trun"]),
        ([1, 2], ["ok", "at_edge"], None, ["1", "2"]),
        ([1, 2], None, [np.nan, 0.5], ["1", "2.0 ± 0.5"]),
        (["n", ""], ["no_data", "no_data"], None, ["n", "no data"]),
        (["p|n", ""], ["ok", "ok"], None, [r"p\|n", "-"]),
    ],
)
def test_a_cell_is_a_number_with_its_error_a_word_or_a_status(values, status, stderr, shown):
    _, *rows = cells(answer(values, status=status, stderr=stderr))
    assert [row[0] for row in rows] == ["B", "P"]
    for (_, cell), start in zip(rows, shown, strict=True):
        assert cell.startswith(start)
        assert len(cell) == len(start) or start.endswith("(trun")


def test_a_column_is_headed_by_the_requested_name_or_its_long_name_or_its_name():
    values = [1.0, 2.0]
    asked = [answer(values, long_name="Long", units="nm"), answer(values), answer(values, None)]
    assert cells(*asked, mine=asked[0])[0] == ["species", "Long (nm)", "x", "value", "mine (nm)"]


def test_rows_without_labels_are_counted():
    table = cells(xr.DataArray([1.5, 2.5], dims="case", name="x"))
    assert table == [["case", "x"], ["0", "1.500"], ["1", "2.500"]]


def test_rows_are_every_place_of_every_dimension():
    both = xr.DataArray(np.arange(4.0).reshape(2, 2), {"species": ["B", "P"]}, ["wafer", "species"])
    assert cells(both.rename("x"), answer([8.0, 9.0], "y"))[1:] == [
        ["0", "B", "0", "8.000"],
        ["0", "P", "1.000", "9.000"],
        ["1", "B", "2.000", "8.000"],
        ["1", "P", "3.000", "9.000"],
    ]


def test_one_species_keeps_its_name():
    assert cells(answer([1.0, 2.0]).sel(species="P")) == [["species", "x"], ["P", "2.000"]]


def dataset(**more):
    of_species = {name: ("species", values) for name, values in more.items()}
    return xr.Dataset(of_species, {"species": ["B", "P"]})


def test_errors_stand_beside_what_they_are_of():
    table = cells(
        dataset(
            depth=[10.0, 20.0], stderr=[1.0, 2.0], width=[3.0, 4.0], width_stderr=[0.1, np.nan],
            mean=[5.0, 6.0], alone_stderr=[0.25, 0.35], covariance=[1.0, 2.0],
            status=["ok", "at_edge"],
        ),
    )  # fmt: skip
    assert table == [
        ["species", "depth", "width", "mean", "alone_stderr"],
        ["B", "10.0 ± 1.0", "3.00 ± 0.10", "5.000", "0.2"],
        ["P", "20 ± 2 (at edge)", "4.000 (at edge)", "6.000 (at edge)", "0.4 (at edge)"],
    ]


def test_the_columns_of_a_dataset_are_headed_by_their_long_names_behind_the_requested_one():
    ds = dataset(depth=[10.0, 20.0], width=[3.0, 4.0])
    ds["depth"].attrs.update(long_name="Peak depth", units="nm")
    assert cells(ds)[0] == ["species", "Peak depth (nm)", "width"]
    assert cells(mine=ds)[0] == ["species", "mine: Peak depth (nm)", "mine: width"]


@pytest.mark.parametrize("scale", [1.0, 1e15])
@pytest.mark.parametrize(
    ("random", "systematic", "shown"),
    [(0.03, 0.04, "1.00 ± 0.05"), (0.03, 0.0, "1.00 ± 0.03"),
     (np.nan, 0.04, "1.00 ± 0.04"), (np.nan, np.nan, "1.000")],
)  # fmt: skip
def test_parts_of_a_budget_are_combined(random, systematic, shown, scale):
    parts = {"dose": 1.0, "random_stderr": random, "systematic_stderr": systematic}
    ds = dataset(**{name: [scale * value] * 2 for name, value in parts.items()})
    if scale > 1:
        shown = f"({shown})×10¹⁵" if "±" in shown else f"{shown}×10¹⁵"
    assert cells(ds)[1][1] == shown


def test_the_parts_of_a_budget_are_errors_of_its_dose_alone():
    ds = dataset(
        dose=[1e15] * 2, background_dose=[2e14] * 2, random_stderr=[3e13] * 2,
        systematic_stderr=[4e13] * 2,
    )  # fmt: skip
    assert cells(ds)[:2] == [
        ["species", "dose", "background_dose", "random_stderr", "systematic_stderr"],
        ["B", "(1.00 ± 0.05)×10¹⁵", "2.000×10¹⁴", "3×10¹³", "4×10¹³"],
    ]
    assert cells(ds.drop_vars("systematic_stderr"))[1][1] == "1.000×10¹⁵"  # a part is no whole


def test_what_is_no_result_is_refused(approved):
    with raises(TypeError, text=approved):
        sims.results_table(3)
    with raises(TypeError, text=approved):
        sims.results_table(answer([1.0, 2.0]), level="1e17 atoms/cm^3")
    with raises(ProfileError, "different_profiles", argument="results"):
        sims.results_table(answer([1.0, 2.0]), answer([1.0, 2.0], species=("B", "As")))
    with raises(ProfileError, "empty_input", argument="results"):
        sims.results_table(dataset(status=["ok", "ok"]))


def test_names_and_words_in_latex():
    ds = answer(["p->n", ""], "a_b", ["ok", "no_data"], species=("11B", "50%"))
    lines = sims.results_table(ds, format="latex").splitlines()
    assert lines[0] == r"\begin{tabular}{lr}"
    assert lines[2] == r"species & a\_b \\"
    assert lines[4:6] == [r"$^{11}$B & p$\rightarrow$n \\", r"50\% & no data \\"]


def test_an_error_has_the_unit_that_it_states():
    """A user has changed the values to another unit, and not the errors beside them."""
    error = ((), 1e11, {"units": "atom/cm^2"})
    dose = xr.DataArray(5e14, {"stderr": error}, name="dose", attrs={"units": "atom/cm^2"})
    other = (dose * 1e4).assign_attrs(units="atom/m^2")
    assert "(5.0000 ± 0.0010)×10¹⁸" in sims.results_table(other)
    with raises(UnitsError, "different_units"):
        sims.results_table(dose.assign_attrs(units="nm"))
