"""Arguments are read once, and what cannot be meant is refused by its name."""

import drawn
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

import sims_analysis as sims
from sims_analysis.errors import ProfileError
from sims_analysis.figures import arguments
from sims_analysis.figures.arguments import read_options

B = drawn.profiles(B=drawn.gaussian())
PEAK, DOSE = sims.peak(B), sims.integrated_dose(B)


def answers(given, data, named=None, argument="peak"):
    return arguments._read_answers(argument, given, data, named or ["a", "b"])


def read(line=None, **given):
    return read_options(given, line or {}, B, {"": B})


@pytest.mark.parametrize(
    ("given", "sources"),
    [
        ({"a": PEAK, "b": PEAK}, ["a", "b"]),
        ({"b": [PEAK, PEAK]}, ["b", "b"]),
        ([PEAK, PEAK], ["a", "b"]),
        ([[PEAK, PEAK], PEAK], ["a", "a", "b"]),
        ((PEAK, None), ["a"]),
        (None, []),
        ([], []),
    ],
)
def test_results_belong_to_the_measurement_of_their_key_or_place(given, sources):
    found = answers(given, [B, B])
    assert [source for source, _ in found] == sources
    assert all(item is PEAK for _, item in found)


def test_a_result_of_a_single_measurement_needs_no_key():
    assert answers(PEAK, B, [""]) == [(None, PEAK)]
    assert answers([PEAK, PEAK], B, [""]) == [(None, PEAK)] * 2
    assert answers({"": PEAK}, B, [""]) == [("", PEAK)]
    batch = sims.peak(sims.stack([B, B], names=["x", "y"]))
    assert answers(batch, [B, B])[0][0] is None  # its coordinate says whose it is


@pytest.mark.parametrize(
    ("given", "data", "named", "told"),
    [
        ({"c": PEAK}, [B, B], ["a", "b"], r"has results of 'c', .*: 'a', 'b'$"),
        ({"c": PEAK}, B, [""], "results of 'c', .*: one, whose results need no key"),
        (PEAK, [B, B], ["a", "b"], r"is one result, and there are 2 .* peak=\{'a': \.\.\.\}"),
        ([PEAK] * 3, [B, B], ["a", "b"], "is 3 results, and there are 2"),
        ([PEAK, PEAK], {"a": B}, ["a", "b"], "is 2 results"),
        (3, B, [""], r"peak: expected a result such as sims\.peak\(data\) gives, .*; found 3"),
        ("B", B, [""], "found 'B'"),
        ([True], B, [""], "found True"),
    ],
)
def test_results_of_nobody_are_refused(given, data, named, told):
    with pytest.raises(ProfileError, match=told):
        answers(given, data, named)


def test_a_variable_of_a_result_that_says_all_of_it_is_enough():
    budget = sims.dose_budget(B)
    assert answers(budget["dose"], B, [""], "dose")
    assert answers(DOSE.rename(None), B, [""], "dose")
    assert answers(PEAK["depth"], B, [""])
    with pytest.raises(
        ProfileError, match=r"found the variable 'fwhm' of peak\(\): give the whole"
    ):
        answers(PEAK["fwhm"], B, [""])


def test_a_result_of_another_function_is_sent_to_its_own_argument():
    with pytest.raises(
        ProfileError, match=r"takes results of peak\(\); .* integrated_dose\(\): give it as dose="
    ):
        answers(DOSE, B, [""])
    told = r"results of dose_budget\(\) or integrated_dose\(\); found one of no known function$"
    with pytest.raises(ProfileError, match=told):
        answers(xr.Dataset(), B, [""], "dose")
    # A plugin's fit has its model.
    assert answers(xr.Dataset(attrs={"model": "x"}), B, [""], "fits")
    with pytest.raises(ProfileError, match="no known function"):
        answers(xr.Dataset(attrs={"model": "x"}), B, [""])


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"residuals": None}, "residuals=None; expected True or False"),
        ({"residuals": True}, "residuals=True needs fits="),
        ({"notes": 1}, "notes=1; expected True or False"),
        ({"colour_by": "wafer"}, "colour_by='wafer'"),
        ({"coverage": np.inf}, "coverage=inf; expected a number of standard errors, at least 0"),
        ({"waterfall": 1}, "waterfall=1; expected a factor above 1, such as 10, up to 1e.06"),
        ({"waterfall": 1.1e6}, "waterfall="),
        ({"waterfall": 10, "scale": "linear"}, "with scale='log'"),
        ({"detection_limit": xr.Dataset()}, "found a Dataset without limits"),
        ({"detection_limit": xr.DataArray([1.0], dims="depth")}, "has the dimensions depth;"),
    ],
)
def test_an_option_that_cannot_be_meant_is_refused(given, told):
    with pytest.raises((ValueError, ProfileError), match=told):
        read(**given)


def test_options_at_their_ends_are_taken():
    assert read(coverage=0).coverage == 0
    assert read(waterfall=1e6).waterfall == 1e6
    assert read(spread=False).spread is False
    limits = xr.Dataset({"detection_limit": ("species", [1.0])})
    assert read(detection_limit=limits).detection_limit.dims == ("species",)
    assert read(detection_limit="1 1/cm^3").detection_limit == "1 1/cm^3"


def test_a_style_is_that_of_lines_and_its_colour_stands_apart():
    wanted = read({"lw": 2, "c": "crimson", "marker": None})
    assert (wanted.line, wanted.colour) == ({"linewidth": 2, "marker": None}, "crimson")
    assert read({"color": (1.0, 0.0, 0.0, 0.5)}).colour == "#ff000080"
    assert read({"alpha": 0.0}).line == {"alpha": 0.0}


@pytest.mark.parametrize(
    ("line", "error", "told"),
    [
        ({"label": "B"}, TypeError, "plot_profiles has no argument 'label'; did you mean labels="),
        ({"lines": 2}, TypeError, "did you mean linewidth=|did you mean linestyle="),
        ({"lw": -1}, ValueError, "linewidth=-1; expected a number, at least 0"),
        ({"alpha": "much"}, ValueError, "alpha='much'; expected a number"),
        ({"linestyle": "wavy"}, ValueError, "linestyle='wavy': 'wavy' is not"),
        ({"c": "no colour"}, ValueError, "color='no colour': 'no colour' is not"),
    ],
)
def test_a_style_that_no_line_has_is_refused(line, error, told):
    with pytest.raises(error, match=told):
        read(line)


def test_a_guess_is_answered_by_the_arguments_of_the_function():
    with pytest.raises(
        TypeError, match=r"plot_panels has no argument 'column'; did you mean columns="
    ):
        arguments._refuse_argument("column", "plot_panels")
    with pytest.raises(TypeError, match=r"plot_profiles has no argument 'share_legend'$"):
        arguments._refuse_argument("share_legend", "plot_profiles")
    for name, meant in arguments._GUESSES.items():
        with pytest.raises(TypeError) as error:
            arguments._refuse_argument(name, "plot_profiles")
        assert str(error.value).endswith(f"{name!r}; did you mean {meant}?")


@pytest.mark.parametrize("colours", [{"B": "red"}, {}, None, {"B": (0.1, 0.2, 0.3)}])
def test_colours_are_those_of_matplotlib(colours):
    assert read(colours=colours).colours == colours


@pytest.mark.parametrize("colours", ["red", ["red"], {"B": "nocolour"}, {"B": "red", "P": 3}])
def test_what_is_no_colour_is_refused(colours):
    with pytest.raises(TypeError, match=r"; expected a mapping of species or .*\"crimson\""):
        read(colours=colours)


def test_what_is_no_axes_is_told_from_what_is():
    arguments.check_axes(None)
    figure, axs = plt.subplots(1, 2)
    arguments.check_axes(axs[0])
    for wrong, told in ((figure, "found Figure; draw in one of its axes"),
                        (axs, "found ndarray; draw in one of its axes"),
                        (list(axs), "found list; draw in one of its axes"),
                        ((), "found tuple; draw in one of its axes"),
                        ("B", "found str; a species is named by species='B'"),
                        (3, "found int$")):  # fmt: skip
        with pytest.raises(TypeError, match=told):
            arguments.check_axes(wrong)


def test_titles_are_text_and_styles_a_choice():
    for title, house in ((None, None), ("", True), ("a", False)):
        arguments.check_looks(title, house)
    with pytest.raises(TypeError, match="title: expected text, found 3"):
        arguments.check_looks(3, None)
    with pytest.raises(ValueError, match="house_style=1; expected True or False"):
        arguments.check_looks(None, 1)


COLOURS = (
    "colours='red'; expected a mapping of species or measurements to colours, such as "
    '{"B": "crimson"}'
)
LIMITS = (
    "detection_limit= has the dimensions depth, wafer; expected one limit, or one for each species "
    "and measurement"
)
WHOSE = "say whose they are by a mapping, as in peak={'a': ...}"


@pytest.mark.parametrize(
    ("given", "data", "named", "message"),
    [
        ({"c": PEAK}, [B, B], ["a", "b"],
         "peak= has results of 'c', which is none of the measurements: 'a', 'b'"),
        (PEAK, [B, B], ["a", "b"],
         f"peak= is one result, and there are 2 measurements: {WHOSE}"),
        ([PEAK] * 3, [B, B], ["a", "b"],
         f"peak= is 3 results, and there are 2 measurements: {WHOSE}"),
        (PEAK["fwhm"], B, [""],
         "peak= found the variable 'fwhm' of peak(): give the whole result"),
        (DOSE, B, [""],
         "peak= takes results of peak(); found one of integrated_dose(): give it as dose="),
        (xr.Dataset(), B, [""], "peak= takes results of peak(); found one of no known function"),
    ],
)  # fmt: skip
def test_a_refusal_of_a_result_is_whole(given, data, named, message):
    with pytest.raises(ProfileError) as caught:
        answers(given, data, named)
    assert str(caught.value) == message


@pytest.mark.parametrize("argument", arguments.RESULTS)
def test_what_an_argument_takes_is_in_its_refusal(argument):
    taken, example = arguments.RESULTS[argument]
    with pytest.raises(ProfileError) as caught:
        answers(3, B, [""], argument)
    assert str(caught.value) == (
        f"{argument}: expected a result such as sims.{example} gives, or several in a list or "
        "mapping; found 3"
    )
    with pytest.raises(ProfileError) as caught:
        answers(xr.Dataset(), B, [""], argument)
    known = " or ".join(f"{name}()" for name in taken)
    assert (
        str(caught.value) == f"{argument}= takes results of {known}; found one of no known function"
    )
    assert all(hasattr(sims, name) for name in taken)
    assert hasattr(sims, example.partition("(")[0])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"coverage": -1}, "coverage=-1; expected a number of standard errors, at least 0"),
        ({"waterfall": 1},
         "waterfall=1; expected a factor above 1, such as 10, up to 1e+06, with scale='log'"),
        ({"colours": "red"}, COLOURS),
        ({"detection_limit": xr.DataArray([[1.0]], dims=("depth", "wafer"))}, LIMITS),
    ],
)  # fmt: skip
def test_a_refusal_of_an_option_is_whole(given, message):
    with pytest.raises((ValueError, TypeError, ProfileError)) as caught:
        read(**given)
    assert str(caught.value) == message


def test_other_axes_are_refused_by_their_kind():
    with pytest.raises(TypeError) as caught:
        arguments.check_axes(plt.figure().add_subplot(projection="polar"))
    assert str(caught.value) == "ax: expected axes with depth along x, found polar ones"
    with pytest.raises(TypeError) as caught:
        arguments.check_axes(3)
    assert str(caught.value) == "ax: expected matplotlib Axes, found int"
