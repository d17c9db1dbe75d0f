"""Arguments take what is meant for them; what cannot be meant is refused before a figure."""

import re
from pathlib import Path

import artists
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from error_parts import raises

import sims_analysis as sims
from sims_analysis.errors import ProfileError, collected

DATA = artists.profiles(B=artists.gaussian(), P=np.full(50, 2e17))
B = DATA.sel(species=["B"])
with collected():  # the edge of a Gaussian is not exponential, and has no plateau above it
    EDGE = sims.decay_length(B, start="50 nm", stop="80 nm")
    STEP = sims.interface(B, start="30 nm")
RESULTS = {
    "integrated_dose": ("dose", sims.integrated_dose(B)),
    "dose_budget": ("dose", sims.dose_budget(B)),
    "layers": ("layers", sims.layers(B, fraction=0.5)),
    "interface": ("interfaces", STEP),
    "junction_depth": ("junctions", sims.junction_depth(B, level="1e17 atoms/cm^3")),
    "crossings": ("junctions", sims.crossings(B, level="1e17 atoms/cm^3")),
    "metallurgical_junctions": (
        "junctions",
        sims.metallurgical_junctions(DATA, donors=["P"], acceptors=["B"]),
    ),
    "peak": ("peak", sims.peak(B)),
    "decay_length": ("decay_length", EDGE),
    "fit": ("fits", sims.fit(B, model="gaussian", background="fit")),
    "deconvolve": (
        "restored",
        sims.deconvolve(
            sims.with_counting_statistics(B, value_per_count="1e15 atoms/cm^3"), resolution="4 nm"
        ),
    ),
}
ARGUMENTS = dict.fromkeys(argument for argument, _ in RESULTS.values())
PEAK, DOSE = sims.peak(B), sims.integrated_dose(B)
TWO = {"a": B, "b": artists.profiles(B=artists.gaussian(middle=50.0))}
PEAKS = [sims.peak(data) for data in TWO.values()]


@pytest.mark.few(3)
@pytest.mark.parametrize("function", RESULTS)
def test_a_result_is_drawn_by_its_argument_and_refused_by_the_others(function):
    own, result = RESULTS[function]
    for argument in ARGUMENTS:
        if argument == own:
            continue
        with raises(ProfileError, "other_result", argument):
            artists.sketched(DATA, **{argument: result})
    other = "peak" if own != "peak" else "dose"
    with raises(ProfileError, "other_result", other):
        artists.sketched({"a": DATA}, **{other: {"a": [result]}})


@pytest.mark.parametrize("function", [name for name in RESULTS if "metallurgical" not in name])
def test_a_result_of_a_species_that_is_not_shown_is_refused(function):
    own, result = RESULTS[function]
    with raises(ProfileError, argument=own):
        sims.plot_profiles(DATA, species="P", **{own: result})


@pytest.mark.slow
def test_panels_take_results_of_one_of_their_species():
    given = {argument: [] for argument in ARGUMENTS}
    for function, (own, result) in RESULTS.items():
        if "metallurgical" not in function:
            given[own].append(result)
    assert len(sims.plot_panels(DATA, by="species", **given)) == 2


@pytest.mark.parametrize("function", RESULTS)
def test_a_result_without_a_record_is_known_by_what_it_holds(function):
    own, result = RESULTS[function]
    bare = result.copy()
    bare.attrs.pop("question")
    other = "peak" if own != "peak" else "dose"
    with raises(ProfileError, "other_result", other):
        artists.sketched(DATA, **{other: bare})


# --- whose results are ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"a": PEAKS[0], "b": PEAKS[1]}, ["peak(a) at 30 nm", "peak(b) at 50 nm"]),
        (PEAKS, ["peak(a) at 30 nm", "peak(b) at 50 nm"]),
        ([PEAKS[:1], PEAKS[1]], ["peak(a) at 30 nm", "peak(b) at 50 nm"]),
        ((None, PEAKS[1]), ["peak(b) at 50 nm"]),
        ({"b": PEAKS}, ["peak(b) at 30 nm", "peak(b) at 50 nm"]),
        ([], []),
    ],
)
def test_results_belong_to_the_measurement_of_their_key_or_place(given, found):
    data = list(TWO.values()) if isinstance(given, list | tuple) else TWO
    texts = artists.notes(artists.sketched(data, peak=given, labels="none"))
    names = {"a": "0", "b": "1"} if isinstance(data, list) else {}
    assert texts == [re.sub(r"\((.)\)", lambda m: f"({names.get(m[1], m[1])})", t) for t in found]


def test_the_result_of_a_batch_says_whose_it_is():
    batch = sims.stack([B, B], names=["a", "b"])
    notes = artists.notes(artists.sketched(batch, peak=sims.peak(batch)))
    assert notes == ["peak(a) at 30 nm", "peak(b) at 30 nm"]


@pytest.mark.parametrize("plot", [sims.plot_profiles, sims.plot_panels])
def test_results_that_cannot_be_drawn_are_refused(plot, approved):
    of_others = [PEAK["fwhm"], DOSE, xr.Dataset(), xr.Dataset(attrs={"model": "x"})]
    for data, argument, given in (
        *((TWO, "peak", wrong) for wrong in ({"c": PEAK}, PEAK, [PEAK] * 3)),
        *((B, "peak", wrong) for wrong in ({"c": PEAK}, *of_others)),
        *((B, "fits", wrong) for wrong in (sims.moments(B), B)),
        (B, "junctions", "1e17 atoms/cm^3"),
        (B, "dose", True),
    ):
        with raises(ProfileError, argument=argument, text=approved):
            plot(data, **{argument: given})


@pytest.mark.parametrize("argument", ARGUMENTS)
def test_a_refusal_names_functions_that_there_are(argument):
    with raises(ProfileError, argument=argument) as caught:
        artists.sketched(B, **{argument: 3})
    example = re.search(r"sims\.(\w+)\(", str(caught.value))[1]
    assert RESULTS[example][0] == argument


# --- options ----------------------------------------------------------------------------------


def test_a_guessed_argument_is_answered_with_the_right_one(approved):
    results = "junction", "interface", "fit", "level"
    styles = "color_by", "colors", "label", "figsize", "yscale", "legend"
    for wrong in (*results, *styles, "qwertz"):
        with raises(TypeError, text=approved):
            sims.plot_profiles(DATA, **{wrong: None})


def test_a_guessed_argument_of_panels_is_answered_with_the_right_one(approved):
    for wrong in ("column", "ncols", "letter", "axs", "ax"):
        with raises(TypeError, text=approved):
            sims.plot_panels(DATA, **{wrong: None})


REFUSED = [
    *({"coverage": wrong} for wrong in (-1, "2", np.nan, np.inf)),
    {"residuals": None}, {"residuals": True}, {"notes": 1}, {"spread": "yes"}, {"title": 3},
    {"colour_by": "wafer"},
    *({"colours": wrong} for wrong in ("red", ["red"], {"B": "nocolour"}, {"B": "red", "P": 3})),
    {"ylim": ("1e16 counts/s", None)},
    *({"detection_limit": wrong} for wrong in (
        "-1e16 atoms/cm^3", "10 counts/s", xr.Dataset(),
        xr.DataArray([[1.0]], dims=("depth", "wafer")),
    )),
    {"value_units": 1}, {"value_units": ["1/m^3", "1/cm^3"]}, {"width": "1 nm"},
    {"house_style": True}, {"scale": np.array([1, 2])},
]  # fmt: skip


@pytest.mark.parametrize("plot", [sims.plot_profiles, sims.plot_panels])
def test_an_option_that_cannot_be_meant_is_refused_before_there_is_a_figure(plot, approved):
    before = plt.get_fignums()
    for wrong in REFUSED:
        with raises((ValueError, TypeError), text=approved):
            plot(DATA, **wrong)
    for style in ({"alpha": 2}, {"alpha": "much"}, {"linestyle": "wavy"}, {"marker": "zz"}):
        with pytest.raises(ValueError, match=next(iter(style))):  # in the words of Matplotlib
            plot(DATA, **style)
    with pytest.raises(ValueError, match=r"^color='no colour'"):
        plot(DATA, c="no colour")
    assert plt.get_fignums() == before


def test_options_at_their_ends_are_taken():
    artists.sketched(B, coverage=0, spread=False, alpha=0.0, marker=None)
    (line,) = artists.lines(artists.sketched(B, color=(1.0, 0.0, 0.0, 0.5), lw=2))
    assert (line.get_color(), line.get_linewidth()) == ("#ff000080", 2)
    (line,) = artists.lines(artists.sketched(B, colours={"B": (0.1, 0.2, 0.3)}))
    assert line.get_color() == (0.1, 0.2, 0.3)


# --- data and axes ----------------------------------------------------------------------------


def test_what_is_no_axes_is_refused_with_what_to_do(approved):
    figure, axs = plt.subplots(1, 2)
    polar = plt.figure().add_subplot(projection="polar")
    for wrong in (figure, axs, list(axs), "B", polar, 3):
        with raises(TypeError, text=approved):
            sims.plot_profiles(DATA, wrong)


@pytest.mark.parametrize("item", ["w7.txt", Path("w7.txt"), 3, None, [B, 3], {"a": b"x"}])
def test_what_is_no_measurement_is_refused(item, approved):
    with raises(TypeError, text=approved):
        artists.sketched(item)


@pytest.mark.parametrize("nothing", [[], {}, ()])
def test_nothing_is_not_drawn(nothing):
    with raises(ProfileError, "empty_input", argument="data"):
        artists.sketched(nothing)


def test_profiles_and_results_of_the_api_are_drawn_as_they_are():
    profiles = sims.to_profiles(DATA)
    for given, count in ((profiles, 2), (profiles[0], 1),
                         (sims.SIMSResult(data_id="a", depth_profiles=profiles), 2)):  # fmt: skip
        assert len(artists.lines(artists.sketched(given))) == count


@pytest.mark.parametrize("calls", [3, [3], {"a": 1}])
def test_calls_are_texts(calls, tmp_path, approved):
    figure = plt.figure()
    with raises(TypeError, text=approved):
        sims.save_figure(figure, tmp_path / "a.svg", calls=calls)
