"""Arguments for results take those of their own functions, and refuse others by name."""

import drawn
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

import sims_analysis as sims
from sims_analysis.errors import ProfileError, SimsError, collected

DATA = drawn.profiles(B=drawn.gaussian(), P=np.full(50, 2e17))
B = DATA.sel(species=["B"])
with collected():  # the edge of a Gaussian is not exponential
    EDGE = sims.decay_length(B, start="50 nm", stop="80 nm")
RESULTS = {
    "integrated_dose": ("dose", sims.integrated_dose(B)),
    "dose_budget": ("dose", sims.dose_budget(B)),
    "layers": ("layers", sims.layers(B, fraction=0.5)),
    "interface": ("interfaces", sims.interface(B, start="30 nm")),
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
ARGUMENTS = (
    "dose",
    "layers",
    "interfaces",
    "junctions",
    "peak",
    "decay_length",
    "fits",
    "restored",
)


@pytest.mark.parametrize("function", RESULTS)
def test_a_result_is_drawn_by_its_argument_and_refused_by_the_others(function):
    own, result = RESULTS[function]
    for argument in ARGUMENTS:
        if argument == own:
            continue
        with pytest.raises(ProfileError, match=rf"{argument}= .*{function}\(\).*as {own}="):
            drawn.sketched(DATA, **{argument: result})
    with pytest.raises(ProfileError, match=rf"found one of {function}\(\)"):
        drawn.sketched({"a": DATA}, **{"peak" if own != "peak" else "dose": {"a": [result]}})


@pytest.mark.parametrize("function", [name for name in RESULTS if "metallurgical" not in name])
def test_a_result_of_a_species_that_is_not_shown_is_refused(function):
    own, result = RESULTS[function]
    with pytest.raises(ProfileError, match=f"{own}= has a result of B, but the figure shows P"):
        sims.plot_profiles(DATA, species="P", **{own: result})
    assert len(sims.plot_panels(DATA, by="species", **{own: result})) == 2


@pytest.mark.parametrize("function", RESULTS)
def test_a_result_without_a_record_is_known_by_what_it_holds(function):
    own, result = RESULTS[function]
    bare = result.copy()
    bare.attrs.pop("question")
    other = "peak" if own != "peak" else "dose"
    with pytest.raises(ProfileError, match=rf"found one of {function}\(\)"):
        drawn.sketched(DATA, **{other: bare})


@pytest.mark.parametrize(
    ("argument", "part"),
    [
        ("peak", sims.peak(B)["fwhm"]),
        ("dose", sims.dose_budget(B)["rsf_stderr"]),
        ("junctions", sims.crossings(B, level="1e17 atoms/cm^3")["depth"]),
        ("layers", sims.layers(B, fraction=0.5)["thickness"]),
    ],
)
def test_a_part_of_a_result_is_not_taken_for_the_whole(argument, part):
    with pytest.raises(ProfileError, match="give the whole result"):
        drawn.sketched(DATA, **{argument: part})


@pytest.mark.parametrize("plot", [sims.plot_profiles, sims.plot_panels])
def test_one_result_is_not_drawn_on_every_measurement(plot):
    with pytest.raises(ProfileError, match=r"peak= is one result, .* 2 measurements.*\{'a': "):
        plot({"a": DATA, "b": DATA}, peak=sims.peak(B))


def test_the_result_of_a_batch_says_whose_it_is():
    batch = sims.stack([B, B], names=["a", "b"])
    notes = drawn.notes(drawn.sketched(batch, peak=sims.peak(batch)))
    assert notes == ["peak(a) at 30 nm", "peak(b) at 30 nm"]


@pytest.mark.parametrize("other", [sims.moments, sims.cumulative_dose, lambda data: data])
def test_what_is_no_fit_is_refused_by_name(other):
    with pytest.raises(ProfileError, match=r"fits= takes results of fit\(\); found one of"):
        drawn.sketched(DATA, fits=other(B))


def test_what_is_no_result_is_answered_with_the_right_call():
    with pytest.raises(ProfileError, match=r"junctions: .*sims\.junction_depth\(data, level"):
        drawn.sketched(DATA, junctions="1e17 atoms/cm^3")
    with pytest.raises(ProfileError, match=r"dose: .*sims\.integrated_dose\(data\).*found True"):
        drawn.sketched(DATA, dose=True)
    with pytest.raises(ProfileError, match=r"peak= takes results of peak.* no known function"):
        drawn.sketched(DATA, peak=xr.Dataset({"factor": 1.0}))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"junction": None}, "did you mean junctions="),
        ({"interface": None}, "did you mean interfaces="),
        ({"fit": None}, "did you mean fits="),
        ({"color_by": "species"}, "did you mean colour_by="),
        ({"colors": {}}, "did you mean colours="),
        ({"figsize": (3, 2)}, "did you mean width="),
        ({"yscale": "log"}, "did you mean scale='log'"),
        ({"legend": False}, "did you mean labels="),
        ({"level": "1e17 atoms/cm^3"}, r"junctions=sims\.junction_depth"),
        ({"path": "a.png"}, r"sims\.save_figure\(ax, path\)"),
        ({"qwertz": 1}, "no argument 'qwertz'$"),
    ],
)
def test_a_guessed_argument_is_answered_with_the_right_one(wrong, told):
    with pytest.raises(TypeError, match=told):
        sims.plot_profiles(DATA, **wrong)


@pytest.mark.parametrize("plot", [sims.plot_profiles, sims.plot_panels])
@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"coverage": -1}, "coverage=-1; expected a number of standard errors"),
        ({"coverage": "2"}, "coverage='2'; expected a number"),
        ({"coverage": np.nan}, "coverage=nan; expected a number"),
        ({"spread": "yes"}, "spread='yes'; expected True or False"),
        ({"house_style": "yes"}, "house_style='yes'; expected True or False"),
        ({"title": 3}, "title: expected text, found 3"),
        ({"colours": ["red"]}, r"colours=\['red'\]; expected a mapping"),
        ({"colours": {"B": "nocolour"}}, "colours=.*nocolour.*; expected a mapping"),
        ({"xlim": ("200 nm", "300 nm")}, "shows none of the samples, which are from 0 to"),
        ({"xlim": {1, 2}}, r"xlim=\{1, 2\}; expected \(low, high\)"),
        ({"ylim": (1e25, 1e26)}, "ylim=.* shows none of the samples"),
        ({"ylim": ("1e16 counts/s", None)}, "ylim"),
        ({"detection_limit": "-1e16 atoms/cm^3"}, "detection_limit= of B is -1e.16"),
        ({"detection_limit": "10 counts/s"}, "detection_limit=.* is for none of the curves: .*B"),
        ({"value_units": 1}, "value_units"),
        ({"value_units": ["1/m^3", "1/cm^3"]}, "units of the same values"),
        ({"width": "1 nm"}, "width='1 nm'; expected .* from 20 to 2000 mm"),
        ({"alpha": 2}, "alpha=2: .*0-1"),
        ({"linewidth": -1}, "linewidth=-1; expected a number, at least 0"),
        ({"marker": "zz"}, "marker='zz': "),
        ({"waterfall": np.inf}, "waterfall=inf; expected a factor above 1"),
        ({"scale": np.array([1, 2])}, "scale=.*expected 'log' or 'linear'"),
    ],
)  # fmt: skip
def test_an_option_of_another_kind_is_refused_before_there_is_a_figure(plot, wrong, told):
    before = plt.get_fignums()
    with pytest.raises((ValueError, TypeError, SimsError), match=told):
        plot(DATA, **wrong)
    assert plt.get_fignums() == before


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({"ylim": (0, None)}, r"ylim=\(0, None\): a log axis has no zero; None leaves"),
        ({"ylim": ("-1 1/cm^3", "1e19 1/cm^3")}, "a log axis has no zero"),
        ({"xlim": (5, 5)}, r"xlim=\(5, 5\); expected two different finite numbers"),
        ({"xlim": (np.nan, 5)}, "two different finite numbers"),
        ({"xlim": (True, 50)}, "xlim=True has no unit"),
    ],
)
def test_limits_that_no_axis_can_have_are_refused(limits, told):
    with pytest.raises((ValueError, SimsError), match=told):
        drawn.sketched(DATA, **limits)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"column": 2}, "plot_panels has no argument 'column'; did you mean columns="),
        ({"ncols": 2}, "did you mean columns="),
        ({"share_legend": True}, "did you mean shared_legend="),
        ({"axs": None}, "plot_panels has no argument 'axs'"),
    ],
)
def test_a_guessed_argument_of_panels_is_answered_with_one_of_theirs(wrong, told):
    with pytest.raises(TypeError, match=told):
        sims.plot_panels(DATA, **wrong)


@pytest.mark.parametrize("calls", [3, [3], {"a": 1}])
def test_calls_are_texts(calls, tmp_path):
    figure = plt.figure()
    with pytest.raises(TypeError, match=r"calls=.*; expected a list of texts"):
        sims.save_figure(figure, tmp_path / "a.svg", calls=calls)


def test_axes_of_another_kind_are_refused():
    with pytest.raises(TypeError, match="expected axes with depth along x, found polar ones"):
        sims.plot_profiles(DATA, plt.figure().add_subplot(projection="polar"))
    with pytest.raises(TypeError, match="a figure of their own"):
        sims.plot_panels(DATA, ax=plt.figure())


def test_what_stands_in_the_place_of_data_and_axes_is_told():
    with pytest.raises(TypeError, match=r"sims\.read\('w7\.txt'\)\.to_dataset\(\)"):
        sims.plot_profiles("w7.txt")
    with pytest.raises(TypeError, match="species='B'"):
        sims.plot_profiles(DATA, "B")
    figure = sims.plot_profiles(DATA, labels="none").figure
    with pytest.raises(TypeError, match="found Figure; draw in one of its axes"):
        sims.plot_profiles(DATA, figure)


def test_profiles_are_drawn_as_they_are():
    profiles = sims.to_profiles(DATA)
    assert len(drawn.lines(drawn.sketched(profiles))) == 2
    assert len(drawn.lines(drawn.sketched(profiles[0]))) == 1
