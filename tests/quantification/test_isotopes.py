"""One species over another on axes of their own, and isotopes as parts of elements."""

import warnings
from functools import partial

import numpy as np
import periodictable
import pytest
import xarray as xr
from count_rates import interleaved, timed
from error_parts import raises
from measurement_layouts import without_zero_flags
from questions import OF_A_RATIO, PERHAPS_OF_A_RATIO

import sims_analysis as sims
from sims_analysis.errors import ProfileError, UnitsError
from sims_analysis.quantification.hosts import natural_abundance, read_abundance


def counted(time, **rows):
    return timed(time, "counts", **rows)


ZN = counted(np.array([0.5, 1.5, 2.5, 3.5]), **{"70Zn": [100.0, 0.0, 25.0, 400.0]})
REFERENCE = counted(np.array([1.0, 2.0, 3.0]), **{"64Zn": [400.0, 900.0, 0.0]})
BOTH = interleaved(ZN, REFERENCE)


def test_a_ratio_on_interleaved_axes_by_hand():
    ds = sims.with_counting_statistics(BOTH).assign_attrs(data_id="w1")
    found = sims.ratio(ds, numerator="70Zn", denominator="64Zn")
    np.testing.assert_array_equal(found["sputter_time"], [0.5, 1.5, 2.5, 3.5])
    # The first sample takes the 64Zn of its cycle; at 3.5 s nothing was counted to divide by.
    below = np.array([400.0, 650.0, 450.0])
    np.testing.assert_allclose(found.values, [*(np.array([100.0, 0.0, 25.0]) / below), np.nan])
    nothing = sims.with_counting_statistics(counted([0.0], B=[0.0]))["intensity_stderr"].item()
    s_below = np.array([20.0, np.hypot(10, 15), np.hypot(15, 0.5 * nothing)])
    s_above = np.array([10.0, nothing, 5.0])
    expected = np.hypot(s_above / below, np.array([100, 0, 25]) * s_below / below**2)
    np.testing.assert_allclose(found["stderr"][:3].values, expected, rtol=1e-13)
    assert found.attrs["units"] == found["stderr"].attrs["units"] == "1"
    assert found["numerator"].item() == "70Zn"
    record = sims.provenance(found)
    assert record["data_id"] == "w1"
    assert [step["function"] for step in record["steps"]] == ["with_counting_statistics", "ratio"]


def test_a_ratio_is_the_same_in_every_layout():
    alone = sims.ratio(BOTH, numerator="70Zn", denominator="64Zn").values
    batch = sims.stack([BOTH, BOTH.isel(sputter_time=slice(0, 5))])
    found = sims.ratio(batch, numerator="70Zn", denominator="64Zn")
    assert found.dims == ("measurement", "point")
    one = found.isel(measurement=0).values
    np.testing.assert_array_equal(one[np.isfinite(one)], alone[:3])
    lazy = sims.ratio(batch.chunk(measurement=1), numerator="70Zn", denominator="64Zn")
    np.testing.assert_array_equal(lazy.compute().values, found.values)
    quantified = sims.ratio(sims.quantify(BOTH), numerator="70Zn", denominator="64Zn")
    assert quantified.data.dimensionless
    np.testing.assert_array_equal(quantified.data.magnitude, alone)


# --- elements -----------------------------------------------------------------------------------


def quantified(*species):
    ds = timed(np.arange(3.0), "atoms/cm^3", **{name: [1e18, 2e18, 0.0] for name in species})
    ds = ds.rename(intensity="concentration")
    return sims.with_counting_statistics(ds, value_per_count="1e17 atoms/cm^3")


def test_an_element_from_an_isotope():
    ds = quantified("11B", "30Si+", "P")
    found = sims.to_element(ds, abundance={"11B": 0.8, "30Si+": "natural"})
    assert found["species"].values.tolist() == ["B", "Si", "P"]
    for name in ("concentration", "concentration_stderr"):
        np.testing.assert_allclose(found[name][0], ds[name][0] / 0.8, rtol=1e-15)
        np.testing.assert_array_equal(found[name][2], ds[name][2])
    np.testing.assert_array_equal(found["concentration_counts"], ds["concentration_counts"])
    # CIAAW: 30Si from 0.03053 to 0.03102 in what occurs in nature.
    assert 0.03053 <= found["isotopic_abundance"].sel(species="Si").item() <= 0.03102
    source = found["isotopic_abundance"].attrs["references"]
    assert source.startswith("11B 0.8 (as stated); 30Si+ 0.03092 (IUPAC (CIAAW) 2009")
    assert source in found.attrs["history"]
    assert found["isotopic_abundance"].sel(species="P").item() == 1.0
    xr.testing.assert_identical(
        sims.dequantify(sims.to_element(sims.quantify(ds), abundance={"11B": 0.8})),
        sims.to_element(ds, abundance={"11B": 0.8}),
    )
    one = sims.to_element(ds.sel(species="11B"), abundance="natural")
    assert one["species"].item() == "B"
    only = sims.to_element(quantified("11B", "30Si"), abundance="natural", species="11B")
    assert only["species"].values.tolist() == ["B", "30Si"]


def test_fractions_are_amounts_too():
    ds = quantified("11B", "P").rename(concentration="atomic_fraction")
    ds = (ds[["atomic_fraction"]] / 5e22).assign_coords(ds.coords)
    ds["atomic_fraction"].attrs["units"] = "1"
    found = sims.to_element(ds, abundance={"11B": 0.8})["atomic_fraction"]
    np.testing.assert_allclose(found[0], ds["atomic_fraction"][0] / 0.8, rtol=1e-15)
    np.testing.assert_array_equal(found[1], ds["atomic_fraction"][1])


#: https://physics.nist.gov/Comp, Atomic weights and isotopic compositions with relative atomic
#: masses, version 4.1.
NIST = {
    "1H": 0.999885, "2H": 0.000115, "6Li": 0.0759, "7Li": 0.9241, "10B": 0.199, "11B": 0.801,
    "12C": 0.9893, "13C": 0.0107, "14N": 0.99636, "15N": 0.00364, "16O": 0.99757, "17O": 0.00038,
    "18O": 0.00205, "24Mg": 0.7899, "25Mg": 0.1, "26Mg": 0.1101, "28Si": 0.92223, "29Si": 0.04685,
    "30Si": 0.03092, "32S": 0.9499, "33S": 0.0075, "34S": 0.0425, "36S": 0.0001, "35Cl": 0.7576,
    "37Cl": 0.2424, "36Ar": 0.0033361, "38Ar": 0.0006294, "40Ar": 0.9960345, "79Br": 0.5069,
    "81Br": 0.4931, "203Tl": 0.2952, "205Tl": 0.7048, "69Ga": 0.60108, "75As": 1.0, "121Sb": 0.5721,
}  # fmt: skip


def test_natural_abundances_are_the_representative_ones():
    for name, expected in NIST.items():
        assert natural_abundance(name) == pytest.approx(expected, rel=1e-4, abs=1e-6)
        value, source = read_abundance("natural", name, "abundance")
        assert value == natural_abundance(name)
        year = 2021 if name in ("69Ga", "75As", "121Sb") else 2009  # of those with an interval
        assert source.startswith(f"IUPAC (CIAAW) {year}, ")


def test_abundances_agree_with_atomic_weights():
    for element in periodictable.elements:
        natural = [element[n] for n in element.isotopes if element[n].abundance > 0]
        if natural:
            parts = [natural_abundance(f"{one.isotope}{element.symbol}") for one in natural]
            assert sum(parts) == pytest.approx(1.0, abs=2e-6)
            weight = sum(part * one.mass for part, one in zip(parts, natural, strict=True))
            assert weight == pytest.approx(element.mass, rel=2e-4)  # rounded to five figures


def test_a_factor_for_an_element_states_the_source_of_the_abundance():
    z = np.arange(0.0, 100.0, 1.0)
    counts = 1e4 * np.exp(-(((z - 40) / 10) ** 2))
    ds = timed(z, "counts/s", **{"7Li": counts, "Si": np.full(z.size, 1e5)})
    ds = sims.calibrate_depth(ds, rate="1 nm/s")
    options = {"species": "7Li", "dose": "1e14 atoms/cm^2", "matrix": "Si"}
    isotope = sims.rsf_from_standard(ds, **options)
    element = sims.rsf_from_standard(ds, **options, abundance="natural")
    assert (isotope / element).item() == pytest.approx(0.9241, rel=1e-12)
    assert "abundance 0.9241 (IUPAC (CIAAW) 2009" in element.attrs["history"]


# --- a ratio is data like any other -------------------------------------------------------------

RUN = sims.calibrate_depth(
    sims.with_counting_statistics(sims.open_example("sputter-time"), dwell_time="0.5 s"),
    rate="0.42 nm/s",
)


@pytest.mark.few(2)
@pytest.mark.parametrize("kind", ["ratio", "fraction"])
@pytest.mark.parametrize("question", OF_A_RATIO)
@pytest.mark.filterwarnings("ignore::sims_analysis.errors.SimsWarning")
def test_a_ratio_is_data_like_any_other(question, kind):
    """The answer is that of the same numbers as arbitrary units, but for its unit."""
    found = sims.ratio(RUN, numerator="As", denominator="Si", kind=kind)
    ask, answer = OF_A_RATIO[question], OF_A_RATIO[question](found)
    assert isinstance(answer, xr.Dataset | xr.DataArray)
    others = [sims.quantify(found), found.chunk()]
    if question.startswith(("crossings", "layers")):  # their number is not known ahead
        others = others[:1]
    for form in others:
        again = without_zero_flags(sims.dequantify(ask(form)).compute())
        sims.testing.assert_allclose(again, sims.dequantify(answer), rtol=1e-9)


@pytest.mark.parametrize("question", PERHAPS_OF_A_RATIO)
def test_questions_of_concentrations_refuse_a_ratio(question):
    found = sims.ratio(RUN, numerator="As", denominator="Si")
    ask = partial(getattr(sims, question), **PERHAPS_OF_A_RATIO[question])
    try:
        answer = ask(found)
    except sims.UnitsError as refused:
        assert "ratio is in '1', which is dimensionless; expected a unit" in str(refused)  # noqa: PT017
    else:
        lazy = ask(found.chunk()).compute()
        sims.testing.assert_allclose(lazy, answer, rtol=1e-9)


@pytest.mark.parametrize(("counts", "warns"), [(10, True), (100, True), (1000, False)])
def test_few_counts_of_a_denominator_warn(counts, warns):
    # E[1 / k] is (1 + 1 / k) / k: a warning where the mean of fifty ratios is off by its error.
    rng = np.random.default_rng(counts)
    k = rng.poisson([[0.8 * counts] * 50, [0.5 * counts] * 50]) * 1.0
    ds = xr.Dataset(
        {"intensity": (("species", "depth"), k, {"units": "count"})},
        coords={"species": ["B", "P"], "depth": ("depth", np.arange(50.0), {"units": "nm"})},
    )
    ds = sims.with_counting_statistics(ds)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = sims.ratio(ds, numerator="B", denominator="P")
        sims.ratio(ds, numerator="B", denominator="P", kind="fraction")
    assert len(caught) == warns
    if warns:
        text = str(caught[0].message)
        assert "'P' has few counts" in text
        assert "too high by about" in text
        stated = float(text.split("about ")[1].split(" %", maxsplit=1)[0]) / 100
        assert stated == pytest.approx(2 / counts, rel=0.6)
        off = found.mean().item() / (k[0].sum() / k[1].sum()) - 1
        assert stated == pytest.approx(off, rel=0.8)
        assert sims.mean_value(found)["stderr"] > off * found.mean()  # the bias is part of it


@pytest.mark.parametrize(("fraction", "warns"), [(1.0, True), (0.25, False)])
def test_ratios_on_a_finer_grid_are_no_better_known(fraction, warns, recwarn):
    # Of n ratios of k counts each, the mean is off by more than half of its error from n > k / 2.
    ds = sims.with_counting_statistics(
        counted(np.arange(30.0), **{"70Zn": [40.0] * 30, "64Zn": [40.0] * 30})
    )
    ds = ds.assign_coords(effective_sample_fraction=fraction)
    sims.ratio(ds, numerator="70Zn", denominator="64Zn")
    assert len(recwarn) == warns


def test_a_level_of_a_ratio_is_a_text():
    found = sims.ratio(RUN, numerator="As", denominator="Si")
    depth = sims.junction_depth(found, level="0.01", after="peak", locate="crossing").item()
    z, r = found["depth"].values, found.values
    i = np.flatnonzero((r[:-1] >= 0.01) & (r[1:] < 0.01) & (z[1:] > 60))[-1]
    by_hand = z[i] + (z[i + 1] - z[i]) * np.log(0.01 / r[i]) / np.log(r[i + 1] / r[i])
    assert depth == pytest.approx(by_hand, rel=1e-12)
    with raises(UnitsError, "missing_unit", argument="level"):
        sims.junction_depth(found, level=0.01)
    with raises(UnitsError, argument="level"):
        sims.junction_depth(found, level="1e18 cm^-3")


def test_a_fraction_has_its_own_error():
    rng = np.random.default_rng(4)
    truth, trials, n = 0.2, 4000, 50.0
    a, b = rng.poisson(truth * n, trials), rng.poisson((1 - truth) * n, trials)
    ds = sims.with_counting_statistics(
        counted(np.arange(trials) * 1.0, **{"18O": a.astype(float), "16O": b.astype(float)})
    )
    found = sims.ratio(ds, numerator="18O", denominator="16O", kind="fraction")
    np.testing.assert_allclose(found, a / (a + b), rtol=1e-14)
    by_hand = np.sqrt((b**2 * a + a**2 * b) / (a + b) ** 4.0)
    np.testing.assert_allclose(found["stderr"].values[a > 0], by_hand[a > 0], rtol=1e-12)
    assert found.mean().item() == pytest.approx(truth, abs=4 * by_hand.mean() / trials**0.5)
    assert found.std().item() == pytest.approx(by_hand.mean(), rel=0.05)
    covered = (abs(found - truth) <= found["stderr"]).mean()
    assert 0.64 <= float(covered) <= 0.74
    assert found.attrs["long_name"] == "Fraction"
    whole = sims.ratio(
        counted([0.0], **{"18O": [5.0], "16O": [0.0]}),
        numerator="18O", denominator="16O", kind="fraction",
    )  # fmt: skip
    assert whole.item() == 1.0
    with raises(ProfileError, argument="kind"):
        sims.ratio(ds, numerator="18O", denominator="16O", kind="share")


# --- the answer of `ratio` as a Dataset -----------------------------------------------------------

OF_BOTH = {
    "junction_depth": lambda x: sims.junction_depth(x, level="0.5"),
    "crossings": lambda x: sims.crossings(x, level="0.5", max_count=2)["depth"],
    "peak": lambda x: sims.peak(x)["depth"],
    "mean_value": lambda x: sims.mean_value(x, start="100 nm", stop="200 nm"),
    "decay_length": lambda x: sims.decay_length(x, start="120 nm", stop="200 nm")["decay_length"],
    "detection_limit": lambda x: sims.detection_limit(x, window=("400 nm", "490 nm")),
    "below_detection": lambda x: sims.below_detection(x, limit="0.5"),
    "interpolate": lambda x: sims.interpolate(x, depth=["50 nm", "60.5 nm"]),
    "to_grid": lambda x: sims.to_grid(x, step="5 nm"),
    "cells": lambda x: sims.to_grid(x, step="5 nm", conserve="dose"),
    "interface": lambda x: sims.interface(x, start="150 nm", stop="300 nm")["position"],
    "fit": lambda x: sims.fit(x, model="gaussian", start="60 nm", stop="90 nm")["projected_range"],
    "compare": lambda x: sims.compare(x, x)["ratio"],
}


@pytest.mark.few(2)
@pytest.mark.filterwarnings("ignore::sims_analysis.errors.SimsWarning")
@pytest.mark.parametrize("kind", ["ratio", "fraction"])
@pytest.mark.parametrize("question", OF_BOTH)
def test_a_dataset_of_a_ratio_answers_as_the_array_does(kind, question):
    ds = sims.with_counting_statistics(
        sims.open_example("boron-implant"), value_per_count="1e14 atoms/cm^3"
    )
    array = sims.ratio(ds, numerator="B", denominator="P", kind=kind)
    ask = OF_BOTH[question]
    expected = ask(array)
    layouts = [array.to_dataset(), array.expand_dims(species=["B/P"]).to_dataset()]
    layouts.append(sims.stack([layouts[1], layouts[1]]).isel(measurement=0))
    layouts.append(layouts[0].chunk())
    for data in layouts:
        found = ask(data)
        if isinstance(found, xr.Dataset):
            found = found[kind].assign_coords(stderr=found[f"{kind}_stderr"].variable)
        found = found.isel(species=0) if "species" in found.dims else found
        np.testing.assert_array_equal(found, expected)
        if "stderr" in expected.coords:
            np.testing.assert_array_equal(found["stderr"], expected["stderr"])


def test_ratios_of_measurements_are_stacked_and_averaged():
    ds = sims.open_example("boron-implant")
    ratios = [
        sims.ratio(one, numerator="B", denominator="P", kind="fraction")
        .expand_dims(species=["B"])
        .to_dataset()
        for one in (ds, sims.rescale_depth(ds, factor=1.1))
    ]
    batch = sims.stack(ratios)  # on axes of their own
    for one, alone in zip(sims.unstack(batch), ratios, strict=True):
        np.testing.assert_array_equal(one["fraction"], alone["fraction"])
    same = sims.average(sims.stack([ratios[0], ratios[0]]))
    np.testing.assert_array_equal(same["fraction"], ratios[0]["fraction"])


def test_a_file_of_a_ratio_is_not_read_as_profiles(tmp_path):
    ratio = sims.ratio(sims.open_example("boron-implant"), numerator="B", denominator="P")
    path = sims.to_csv(ratio, tmp_path / "ratio.csv")
    with raises(sims.errors.ReadError, "no_profile"):
        sims.read(path)


def test_a_ratio_is_of_the_first_variable_that_has_both():
    size = RUN.sizes["depth"]
    alone = ("depth", np.ones(size), {"units": "atom/cm^3"})
    half = RUN["intensity"].where(RUN["species"] == "As").assign_attrs(units="1")
    data = RUN.assign(concentration=alone, atomic_fraction=half)
    found = sims.ratio(data, numerator="As", denominator="Si")
    of_one = sims.ratio(RUN, numerator="As", denominator="Si")
    xr.testing.assert_equal(found.drop_vars("atomic_fraction_quality", errors="ignore"), of_one)
    assert found.attrs["history"].splitlines()[-1].startswith("intensity of As / Si")
    lazy = sims.ratio(data.chunk(), numerator="As", denominator="Si")
    assert lazy.attrs["history"].splitlines()[-1].startswith("atomic_fraction of As / Si")
