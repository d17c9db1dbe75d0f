"""Annotations say what they mean: the level, the direction, the plus-minus."""

from dataclasses import replace

import drawn
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

import sims_analysis as sims
from sims_analysis.errors import ProfileError
from sims_analysis.figures.arguments import Wanted
from sims_analysis.figures.canvas import Canvas
from sims_analysis.figures.curves import curves_of
from sims_analysis.figures.results import _status_line, _entries, _ResultMarks

mpl.use("Agg")


def counted():
    return sims.with_counting_statistics(
        drawn.profiles(B=drawn.gaussian()), value_per_count="1e14 atoms/cm^3"
    )


def test_a_junction_says_its_level_in_the_unit_of_the_axis():
    ds = drawn.profiles(B=drawn.gaussian())
    xj = sims.junction_depth(ds, level="5e17 atoms/cm^3")
    (text,) = drawn.notes(drawn.sketched(ds, junctions=xj))
    assert "5×10$\\mathregular{^{17}}$ cm⁻³" in text
    (text,) = drawn.notes(drawn.sketched(ds, junctions=xj, value_units="1/m^3"))
    assert "5×10$\\mathregular{^{23}}$ m⁻³" in text


@pytest.mark.parametrize("scale", ["log", "linear"])
def test_a_junction_beside_a_zero_is_marked_at_its_level(scale):
    ds = drawn.profiles(B=np.r_[np.full(10, 4e17), np.zeros(5), np.full(5, 1e16)])
    xj = sims.junction_depth(ds, level="1e17 atoms/cm^3")
    ax = drawn.sketched(ds, junctions=xj, scale=scale)
    (mark,) = (line for line in ax.lines if line.get_marker() == "o" and len(line.get_xdata()) == 1)
    assert mark.get_xdata()[0] == pytest.approx(xj.item())
    assert mark.get_ydata()[0] == pytest.approx(1e17)


def test_crossings_are_no_junctions_and_say_which_way_they_go():
    ds = drawn.profiles(B=drawn.gaussian())
    found = sims.crossings(ds, level="1e18 atoms/cm^3")
    texts = drawn.notes(drawn.sketched(ds, junctions=found))
    assert not any("x_" in text for text in texts)
    assert sorted(text.split()[0] for text in texts) == ["falls", "rises"]


def test_level_and_metallurgical_junctions_together():
    ds = drawn.profiles(B=drawn.gaussian(), P=np.full(50, 2e17))
    level = sims.junction_depth(ds.sel(species=["B"]), level="1e18 atoms/cm^3")
    balance = sims.metallurgical_junctions(ds, donors=["P"], acceptors=["B"])
    texts = drawn.notes(drawn.sketched(ds, junctions=[level, balance]))
    assert any("x_" in text for text in texts)
    assert any("p→n junction" in text for text in texts)


@pytest.mark.parametrize("coverage", [1.0, 2.0])
def test_every_plus_minus_of_a_figure_is_the_same_number_of_standard_errors(coverage):
    ds = counted()
    xj = sims.junction_depth(ds, level="1e17 atoms/cm^3")
    budget = sims.dose_budget(ds, rsf_uncertainty=0.1)
    ax = drawn.sketched(ds, junctions=xj, dose=budget, coverage=coverage)
    texts = drawn.notes(ax)
    meanings = [text for text in texts if "standard error" in text]
    assert meanings == ["± one standard error" if coverage == 1 else "± 2 standard errors"]
    assert texts[-1] == meanings[0]
    bar = next(c for c in ax.collections if hasattr(c, "get_segments"))
    (left, _), (right, _) = bar.get_segments()[0]
    assert (right - left) / 2 == pytest.approx(coverage * float(xj["stderr"].item()))
    (dose,) = [text for text in texts if "$Q$" in text]
    # Ten per cent act on all samples alike: they are no part of the plus-minus.
    assert f"(systematic: {10 * coverage:g} %)" in dose


def test_a_list_of_results_for_a_list_of_data_needs_as_many():
    ds = drawn.profiles(B=drawn.gaussian())
    xj = sims.junction_depth(ds, level="1e17 atoms/cm^3")
    with pytest.raises(sims.errors.ProfileError, match="mapping"):
        drawn.sketched({"a": ds, "b": ds}, junctions=[xj])


@pytest.mark.parametrize(
    ("units", "printed"), [("angstrom", "18000 Å"), ("nm", "1800 nm"), ("um", "1.8 µm")]
)
def test_the_depth_of_a_peak_has_no_exponent(units, printed):
    deep = drawn.profiles(B=drawn.gaussian()).assign_coords(depth=lambda d: 60 * d["depth"])
    deep["depth"].attrs["units"] = "nm"
    ax = drawn.sketched(deep, peak=sims.peak(deep), depth_units=units)
    assert [text for text in drawn.notes(ax) if text.endswith(f" at {printed}")]


# --- one curve's painter ------------------------------------------------------------------------

Z = drawn.DEPTHS
FALL = drawn.profiles(B=1e19 * np.exp(-Z / 5.0))


def painter(data=FALL, name="", **options):
    """Painter of the first curve, on axes from 0 to 98 nm and of ten decades."""
    wanted = Wanted(**{"scale": "log", **options})
    made = Canvas(plt.figure(dpi=50).add_subplot(), wanted, curves_of({"": data}))
    made.curves = [replace(curve, colour="C0") for curve in made.curves]
    made.open()
    low = -1e18 if wanted.scale == "linear" else 1e10
    made.ax.set(yscale=wanted.scale, xlim=(0, 98), ylim=(low, 1e20))
    return _ResultMarks(made, made.curves[0], name)


def said(one):
    return list(one.canvas.results), list(one.canvas.explained)


def marks(one, marker):
    return [line for line in one.ax.lines if line.get_marker() == marker]


def asked_of(data, function, **options):
    return function(data, **options).isel(species=0)


def test_a_value_between_samples_is_that_of_the_line():
    one = painter()
    assert one._value_at(3.0) == pytest.approx(1e19 * np.exp(-0.6))
    assert np.isnan(one._value_at(-1.0))
    assert np.isnan(one._value_at(99.0))
    linear = painter(scale="linear")
    assert linear._value_at(3.0) == pytest.approx(1e19 * (np.exp(-0.4) + np.exp(-0.8)) / 2)
    zero = painter(drawn.profiles(B=[4e18, 0.0, 2e18]))
    np.testing.assert_allclose(
        zero._value_at([0.0, 1.0, 2.0, 3.0, 4.0]), [4e18, 2e18, 0, 1e18, 2e18]
    )


def test_what_is_seen_is_within_both_axes():
    one = painter()
    assert one._is_seen(50.0)
    one.ax.set(xlim=(10, 40), ylim=(1e17, 1e18))
    assert [one._is_seen(z) for z in (5.0, 12.0, 20.0, 24.0, 45.0)] == [
        False,
        True,
        True,
        False,
        False,
    ]
    assert one._is_seen(35.0, on_curve=False)
    assert not one._is_seen(45.0, on_curve=False)
    one.ax.set(ylim=(one._value_at(20.0) * (1 + 1e-9), 1e18))
    assert one._is_seen(20.0)  # on the frame
    one.ax.set(ylim=(1e10, float(one._value_at(20.0)) * (1 - 1e-9)))
    assert one._is_seen(20.0)
    assert [one._overlaps(*ends) for ends in ((0, 10), (0, 9), (40, 50), (41, 50))] == [
        True, False, True, False,
    ]  # fmt: skip
    deep = painter(depth_units="um")
    deep.ax.set_xlim(0.01, 0.04)
    assert [deep._is_seen(z) for z in (5.0, 20.0, 45.0)] == [False, True, False]


def test_a_mark_has_a_line_to_the_axis_and_a_bar_of_its_error():
    one = painter(coverage=2.0)
    style = one._mark(20.0, 1.5, marker="s")
    line, point = one.ax.lines[0], marks(one, "s")[0]
    assert line.get_xdata().tolist() == [20.0, 20.0]
    assert line.get_ydata()[0] < 1e10
    assert line.get_ydata()[1] == point.get_ydata()[0] == pytest.approx(1e19 * np.exp(-4))
    assert (line.get_linestyle(), line.get_linewidth()) == (":", 0.6)
    (bar,) = (c for c in one.ax.collections if hasattr(c, "get_segments"))
    assert bar.get_segments()[0][:, 0].tolist() == [17.0, 23.0]
    assert (style["marker"], style["linestyle"], style["color"]) == ("s", "none", "C0")
    assert point.get_markerfacecolor() == (1.0, 1.0, 1.0)
    assert one.ax.containers[0].get_label() == "_"
    assert one.ax.get_xlim() == (0, 98)
    between = painter(depth_units="um", coverage=2.0)
    between._mark(20.0, (19.0, 24.0))  # a range is drawn as it is
    (bar,) = (c for c in between.ax.collections if hasattr(c, "get_segments"))
    np.testing.assert_allclose(bar.get_segments()[0][:, 0], [0.019, 0.024])
    bare = painter()
    bare._mark(20.0, np.nan)
    assert not bare.ax.collections


def test_shades_reach_from_the_curve_to_the_floor_in_the_window_alone():
    one = painter()
    one._shade(3.0, 7.0)
    (area,) = one.ax.collections
    x, y = area.get_paths()[0].vertices.T
    assert (x.min(), x.max()) == (3.0, 7.0)
    assert y.max() == pytest.approx(1e19 * np.exp(-0.6))
    assert {4.0, 6.0} < {*x}
    assert y.min() < 1e10
    assert (area.get_alpha(), area.get_zorder()) == (0.12, 1)
    linear = painter(drawn.profiles(B=[1e18, -1e18, 1e18]), scale="linear")
    linear._shade(0.0, 4.0)
    assert linear.ax.collections[0].get_paths()[0].vertices[:, 1].min() == 0.0
    one._span(10.0, 20.0, "C1")
    (span,) = one.ax.patches
    assert (span.get_x(), span.get_width(), span.get_alpha()) == (10.0, 10.0, 0.15)
    assert span.get_zorder() == 1


def test_a_line_across_is_drawn_and_listed_once():
    one = painter(depth_units="um")
    assert one._across(20.0, "p→n junction") is True
    assert one._across(30.0, "p→n junction") is False
    (line,) = one.ax.lines
    assert line.get_xdata() == [0.02, 0.02]
    assert (line.get_color(), line.get_linewidth()) == ("0.2", 0.9)
    assert said(one) == (["p→n junction"], [])


@pytest.mark.parametrize(
    ("edge", "name", "told"),
    [("trailing", "", "$x_\\mathrm{j}$(10$\\mathregular{^{17}}$ cm⁻³)"),
     ("trailing", "B", "$x_\\mathrm{j}$(B, 10$\\mathregular{^{17}}$ cm⁻³)"),
     ("leading", "", "rises through 10$\\mathregular{^{17}}$ cm⁻³"),
     ("any", "B", "B passes 10$\\mathregular{^{17}}$ cm⁻³")],
)  # fmt: skip
def test_a_depth_at_a_level_says_what_the_profile_does_there(edge, name, told):
    data = drawn.profiles(B=drawn.gaussian(middle=50.0))
    options = {"edge": edge, "after": "50 nm"} if edge == "any" else {"edge": edge}
    found = asked_of(data, sims.junction_depth, level="1e17 atoms/cm^3", **options)
    one = painter(data, name)
    one.junction_depth(found)
    (text,) = one.canvas.results
    assert text.startswith(told)
    assert text[len(told) :].startswith(" = " if edge == "trailing" else " at ")
    assert len(marks(one, "o" if edge == "trailing" else "D")) == 1
    bare = found.drop_attrs()
    assert painter(data)._verb("passes", bare) == "passes the level"


def test_a_level_has_the_unit_of_the_axis_where_it_is_of_its_kind():
    found = asked_of(FALL, sims.junction_depth, level="1e17 atoms/cm^3")
    one = painter()
    assert one.level(found) == "10$\\mathregular{^{17}}$ cm⁻³"
    one.curve = curves_of({"": FALL}, value_units="1/m^3")[0]
    assert one.level(found) == "10$\\mathregular{^{23}}$ m⁻³"
    one.curve = curves_of({"": drawn.profiles(B=(Z, "counts/s"))}, value_units="counts/s")[0]
    assert one.level(found) == "10$\\mathregular{^{17}}$ cm⁻³"
    assert one.level(found.drop_attrs()) == ""


def entry(value, word="ok", **attrs):
    """Stand in for a result with a number and a word."""
    return xr.DataArray(value, name="x", coords={"status": word}, attrs=attrs)


def test_a_result_without_a_number_is_listed_with_its_reason():
    one = painter()
    assert next(one._known("x", entry(3.0)))[::2] == (3.0, "ok")
    assert list(one._known("x", entry(np.nan, "never_reached"))) == []
    assert list(one._known("y", entry(np.nan, ""))) == []
    assert said(one)[0] == ["x: never reached", "y: not known"]
    several = xr.DataArray(
        [np.nan, 1.0, np.nan], dims="n", coords={"status": ("n", ["", "", "gap"])}
    )
    assert [each.value for each in one._known("z", several)] == [1.0]
    assert said(one)[0][2:] == ["z: gap"]
    assert (_status_line("ok"), _status_line(""), _status_line("below_detection")) == ("", "", "\n(below detection)")


def test_entries_have_their_error_whatever_it_is_called():
    for name in ("random_stderr", "dose_stderr", "stderr"):
        one = xr.Dataset({"dose": 2.0, name: 0.5}).assign_attrs(question="")
        one.attrs["question"] = sims.integrated_dose(FALL).attrs["question"]
        (found,) = _entries(one["dose"].assign_coords({name: 0.5}))
        assert (found.value, found.sigma, found.word) == (2.0, 0.5, "")
    (found,) = _entries(xr.DataArray(2.0, name="dose"))
    assert np.isnan(found.sigma)


def test_few_crossings_are_listed_in_rows_of_three_and_many_are_counted():
    data = drawn.profiles(B=1e17 * (1.1 + np.cos(Z * 2 * np.pi / 24)))
    found = asked_of(data, sims.crossings, level="1e17 atoms/cm^3")
    one = painter(data)
    one.crossings(found)
    falls, rises = said(one)[0]
    assert falls.startswith("falls through 10$\\mathregular{^{17}}$ cm⁻³ at\n6.")
    assert (falls.count("\n"), falls.count(",")) == (2, 3)
    assert falls.endswith(" nm")
    assert rises.startswith("rises through")
    assert {line.get_markersize() for line in [*marks(one, "o"), *marks(one, "D")]} == {3.0}
    assert (len(marks(one, "o")), len(marks(one, "D"))) == (4, 4)
    never = asked_of(data, sims.crossings, level="1e19 atoms/cm^3")
    one = painter(data)
    one.crossings(never)
    assert said(one)[0] == ["level 10$\\mathregular{^{19}}$ cm⁻³: never reached"]
    one = painter(data, "B")
    one.crossings(never)
    assert said(one)[0] == ["B 10$\\mathregular{^{19}}$ cm⁻³: never reached"]
    many = drawn.profiles(B=1e17 * (1.1 + np.cos(Z * 2 * np.pi / 10)))
    one = painter(many)
    one.crossings(asked_of(many, sims.crossings, level="1e17 atoms/cm^3"))
    assert "\n10 times, at 2." in said(one)[0][0]
    assert {line.get_markersize() for line in marks(one, "o")} == {1.5}


def test_a_dose_says_its_systematic_part_and_its_doubt():
    budget = asked_of(FALL, sims.dose_budget, rsf_uncertainty=0.1)
    one = painter(coverage=2.0)
    one.dose_budget(budget)
    (text,) = said(one)[0]
    assert text.startswith("$Q$ = 5.0")
    assert text.endswith("atoms/cm²\n(systematic: 20 %)")
    (handle,) = one.canvas.results.values()
    assert (handle.get_linewidth(), handle.get_alpha()) == (5.0, 0.3)
    assert handle.get_solid_capstyle() == "butt"
    (area,) = one.ax.collections
    assert area.get_paths()[0].vertices[:, 0].max() == 98.0
    gap = budget.assign(status=xr.DataArray("gap"), systematic_stderr=0.0)
    one = painter(name="B")
    one.dose_budget(gap)
    assert said(one)[0][0].startswith("$Q$(B) = 5.0")
    assert said(one)[0][0].endswith("atoms/cm²\n(gap)")
    away = painter()
    away.ax.set_xlim(110, 120)
    away.dose_budget(budget)
    assert said(away) == ([], [])


def test_a_window_is_that_of_the_question_within_the_samples():
    one = painter()

    def window(stated=None, **limits):
        return one._window(asked_of(FALL, sims.integrated_dose, **limits), stated)

    assert window() == (0.0, 98.0)
    assert window(start="10 nm") == (10.0, 98.0)
    assert window(("10 nm", None), start="10 nm") == (10.0, 98.0)
    assert window(("10.000001 nm", "20 nm"), start="10 nm", stop="20 nm")[1] == 20.0
    with pytest.raises(ProfileError, match=r"not the window of the dose of B, from 10 to 98 nm"):
        window(("11 nm", None), start="10 nm")
    bare = asked_of(FALL, sims.integrated_dose).drop_vars(["start", "stop"], errors="ignore")
    bare = bare.drop_attrs()
    assert one._window(bare) is None
    assert one._window(bare, ("5 nm", "200 nm")) == (5.0, 98.0)
    for beyond in (("100 nm", "200 nm"), ("98 nm", "200 nm")):
        with pytest.raises(ProfileError, match="not the window"):
            one._window(bare, beyond)


def test_a_decay_length_is_a_line_through_the_samples_of_its_window():
    found = asked_of(FALL, sims.decay_length, start="20 nm", stop="60 nm")
    one = painter()
    one.decay_length(found)
    (line,) = one.ax.lines
    assert line.get_xdata().tolist() == [20.0, 60.0]
    np.testing.assert_allclose(line.get_ydata(), 1e19 * np.exp([-4.0, -12.0]), rtol=1e-9)
    assert (line.get_color(), line.get_zorder()) == ("0.1", 4)
    assert said(one)[0][0].startswith("λ = 5")
    # A rising edge, half of whose samples are no atoms at all.
    y = np.where(np.arange(50) % 2, 1e12 * np.exp(Z / 8), 0.0)
    np.testing.assert_allclose(
        painter(drawn.profiles(B=y))._decaying(-8.0, 20.0, 60.0), 1e12 * np.exp([2.5, 7.5])
    )
    away = painter()
    away.ax.set_xlim(70, 98)
    away.decay_length(found)
    assert said(away) == ([], [])


def layer(top, bottom, thickness, word="ok"):
    """Stand in for layers of one profile."""
    made = {"top": top, "bottom": bottom, "thickness": thickness}
    ds = xr.Dataset({name: ("layer", np.array(value, float), {"units": "nm"})
                     for name, value in made.items()})  # fmt: skip
    ds["status"] = "layer", np.full(len(top), word)
    return ds.assign_attrs(question=sims.layers(FALL, fraction=0.5).attrs["question"])


def test_layers_are_bars_with_what_is_known_of_their_ends():
    nan = np.nan
    one = painter(name="B")
    one.layers(layer([10, nan, 40, nan], [20, 30, nan, nan], [10, nan, nan, nan], "truncated"))
    bars = [line.get_xdata().tolist() for line in marks(one, "|")]
    assert bars == [[10, 20], [0, 30], [40, 98]]
    heights = [line.get_ydata()[0] for line in marks(one, "|")]
    np.testing.assert_allclose(heights, 1e19 * np.exp([-2.0, -6.0, -8.0]))
    assert said(one)[0] == [
        "layer(B): truncated",
        "layer 1 (B): 10.00 nm, from 10.00 nm",
        "layer 2 (B): down to 30.00 nm (truncated)",
        "layer 3 (B): from 40.00 nm (truncated)",
    ]
    alone = painter()
    alone.layers(layer([10], [20], [10]))
    assert said(alone)[0] == ["layer: 10.00 nm, from 10.00 nm"]
    nothing = painter()
    nothing.layers(layer([nan], [nan], [nan]))
    nothing.layers(layer([100], [120], [20]))
    assert said(nothing)[0] == []
    starts = np.arange(7) * 10.0
    many = painter()
    many.layers(layer(starts, starts + np.r_[1:7, nan], np.r_[1:7, nan]))
    assert len(marks(many, "|")) == 7
    assert said(many)[0] == ["7 layers: 1.000 to 6.000 nm thick"]
    six = painter()
    six.layers(layer(starts[:6], starts[:6] + 1, np.ones(6)))
    assert len(said(six)[0]) == 6


def test_an_interface_says_its_width_between_the_parts_that_were_asked():
    found = xr.Dataset(
        {"position": 30.0, "width": 4.0, "width_stderr": np.nan, "status": "truncated"},
        attrs={"question": sims.interface(drawn.profiles(B=drawn.gaussian()), start="30 nm")
               .attrs["question"]},
    )  # fmt: skip
    one = painter()
    one.interface(found)
    assert said(one)[0] == ["interface at 30.00 nm,\nwidth 4.000 nm (16 to 84 %)\n(truncated)"]
    (span,) = one.ax.patches
    assert (span.get_x(), span.get_width()) == (28.0, 4.0)
    asked = sims.interface(drawn.profiles(B=drawn.gaussian()), start="30 nm", low=0.1, high=0.9)
    other = painter()
    other.interface(found.assign_attrs(asked.attrs))
    assert "width 4.000 nm (10 to 90 %)" in said(other)[0][0]
    assert marks(one, "s")[0].get_markersize() == 3.0
    bare = painter(name="B")
    bare.interface(found.assign(width=np.nan, status="ok"))
    assert said(bare)[0] == ["interface (B) at 30.00 nm"]
    assert not bare.ax.patches
    bare.ax.set_xlim(40, 50)
    bare.interface(found)
    assert len(said(bare)[0]) == 1


def test_a_peak_is_a_cross_at_its_sample():
    one = painter(name="B", depth_units="um")
    one.peak(asked_of(FALL, sims.peak))
    assert said(one)[0] == ["peak(B) at 0 µm"]
    (cross,) = marks(one, "+")
    assert (cross.get_xdata().tolist(), cross.get_ydata().tolist()) == (
        [0.0],
        [pytest.approx(1e19)],
    )
    assert (cross.get_markersize(), cross.get_zorder()) == (5, 5)


def test_many_results_are_a_median_and_a_range_and_what_is_missing_is_counted():
    levels = [
        asked_of(
            drawn.profiles(B=f * 1e19 * np.exp(-Z / 5)), sims.junction_depth, level="1e17 1/cm^3"
        )
        for f in (1.0, np.e, np.exp(3.0), 1e-6)
    ]
    one = painter(name="B")
    one.many(levels)
    symbol = "$x_\\mathrm{j}$(B, 10$\\mathregular{^{17}}$ cm⁻³)"
    first, second = said(one)[0]
    assert first == f"{symbol}: never reached in 1"
    low = 5 * np.log(100.0)
    assert second == f"{symbol}: median {low + 5:.2f} nm\n(3: {low:.2f} to {low + 15:.2f})"
    (mark,) = marks(one, "o")
    assert mark.get_xdata()[0] == pytest.approx(low + 5)
    alone = painter()
    alone.many(levels[:1])
    assert said(alone)[0][0].endswith(f": {low:.2f} nm in one")
    doses = painter()
    doses.many([asked_of(FALL, sims.integrated_dose)] * 2)
    assert said(doses)[0][0].startswith("$Q$: median 5.0")
    assert "atoms/cm²\n(2: " in said(doses)[0][0]
    thick = painter(name="B")
    thick.many([layer([10, 40], [20, 45], [10, 5]), layer([10, 40], [22, 46], [12, 6])])
    first, second = said(thick)[0]
    assert first == "layer 1(B): median 11.00 nm\n(2: 10.00 to 12.00) thick"
    assert second == "layer 2(B): median 5.500 nm\n(2: 5.000 to 6.000) thick"


def test_junctions_of_many_measurements_are_a_shade_between_the_first_and_the_last():
    def junction(*depths):
        words = [["p->n"] * len(depths)]
        return xr.DataArray(
            [list(depths)], dims=("n", "junction"), name="depth",
            coords={"polarity": (("n", "junction"), words)},
            attrs={"units": "nm", "question": QUESTION},
        )  # fmt: skip

    both = drawn.profiles(B=drawn.gaussian(), P=np.full(50, 2e17))
    QUESTION = sims.metallurgical_junctions(both, donors=["P"], acceptors=["B"]).attrs["question"]  # noqa: N806
    alone = painter()
    alone.ax.set(xlim=(0, 50), ylim=(1e18, 1e20))  # it stands on no curve
    alone.metallurgical_junctions(junction(40.0, np.nan, 60.0))
    assert said(alone) == (["p→n junction: 40.00 nm"], [])
    one = painter()
    one.many([junction(20.0), junction(24.0, 60.0), junction(30.0)])
    first, second = said(one)[0]
    assert first == "p→n junction: median 24.00 nm\n(3: 20.00 to 30.00)"
    assert second == "p→n junction: 60.00 nm in one"
    spans = [(patch.get_x(), patch.get_width()) for patch in one.ax.patches]
    assert spans == [(20.0, 10.0), (60.0, 0.0)]
