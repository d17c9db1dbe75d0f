"""Annotations say what they mean: the level, the direction, the plus-minus."""

import artists
import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr

import sims_analysis as sims

mpl.use("Agg")


def counted():
    return sims.with_counting_statistics(
        artists.profiles(B=artists.gaussian()), value_per_count="1e14 atoms/cm^3"
    )


def test_a_junction_says_its_level_in_the_unit_of_the_axis():
    ds = artists.profiles(B=artists.gaussian())
    xj = sims.junction_depth(ds, level="5e17 atoms/cm^3")
    (text,) = artists.notes(artists.sketched(ds, junctions=xj))
    assert "5×10$\\mathregular{^{17}}$ cm$\\mathregular{^{−3}}$" in text
    (text,) = artists.notes(artists.sketched(ds, junctions=xj, value_units="1/m^3"))
    assert "5×10$\\mathregular{^{23}}$ m$\\mathregular{^{−3}}$" in text


@pytest.mark.parametrize("scale", ["log", "linear"])
def test_a_junction_beside_a_zero_is_marked_at_its_level(scale):
    ds = artists.profiles(B=np.r_[np.full(10, 4e17), np.zeros(5), np.full(5, 1e16)])
    xj = sims.junction_depth(ds, level="1e17 atoms/cm^3")
    ax = artists.sketched(ds, junctions=xj, scale=scale)
    (mark,) = (line for line in ax.lines if line.get_marker() == "o" and len(line.get_xdata()) == 1)
    assert mark.get_xdata()[0] == pytest.approx(xj.item())
    assert mark.get_ydata()[0] == pytest.approx(1e17, rel=0.01)


def test_crossings_are_no_junctions_and_say_which_way_they_go():
    ds = artists.profiles(B=artists.gaussian())
    found = sims.crossings(ds, level="1e18 atoms/cm^3")
    texts = artists.notes(artists.sketched(ds, junctions=found))
    assert not any("x_" in text for text in texts)
    assert sorted(text.split()[0] for text in texts) == ["falls", "rises"]


def test_level_and_metallurgical_junctions_together():
    ds = artists.profiles(B=artists.gaussian(), P=np.full(50, 2e17))
    level = sims.junction_depth(ds.sel(species=["B"]), level="1e18 atoms/cm^3")
    balance = sims.metallurgical_junctions(ds, donors=["P"], acceptors=["B"])
    texts = artists.notes(artists.sketched(ds, junctions=[level, balance]))
    assert any("x_" in text for text in texts)
    assert any("p→n junction" in text for text in texts)


@pytest.mark.parametrize("coverage", [1.0, 2.0])
def test_every_plus_minus_of_a_figure_is_the_same_number_of_standard_errors(coverage):
    ds = counted()
    xj = sims.junction_depth(ds, level="1e17 atoms/cm^3")
    budget = sims.dose_budget(ds, rsf_uncertainty=0.1)
    ax = artists.sketched(ds, junctions=xj, dose=budget, coverage=coverage)
    texts = artists.notes(ax)
    meanings = [text for text in texts if "standard error" in text]
    assert meanings == ["± one standard error" if coverage == 1 else "± 2 standard errors"]
    assert texts[-1] == meanings[0]
    bar = next(c for c in ax.collections if hasattr(c, "get_segments"))
    (left, _), (right, _) = bar.get_segments()[0]
    assert (right - left) / 2 == pytest.approx(coverage * float(xj["stderr"].item()))
    (dose,) = [text for text in texts if "$Q$" in text]
    # Ten per cent act on all samples alike: they are no part of the plus-minus.
    assert f"(systematic: {10 * coverage:g} %)" in dose


@pytest.mark.parametrize(
    ("units", "printed"), [("angstrom", "18000 Å"), ("nm", "1800 nm"), ("um", "1.8 µm")]
)
def test_the_depth_of_a_peak_has_no_exponent(units, printed):
    deep = artists.profiles(B=artists.gaussian()).assign_coords(depth=lambda d: 60 * d["depth"])
    deep["depth"].attrs["units"] = "nm"
    ax = artists.sketched(deep, peak=sims.peak(deep), depth_units=units)
    assert [text for text in artists.notes(ax) if text.endswith(f" at {printed}")]


# --- each kind of result ------------------------------------------------------------------------

Z = artists.DEPTHS
FALL = artists.profiles(B=1e19 * np.exp(-Z / 5.0))


def sketch(data=FALL, **options):
    """Draw from 0 to 98 nm over ten decades, and list results alone."""
    limits = {"xlim": (0, 98), "notes": False}
    if options.get("scale") != "linear":
        limits["ylim"] = (1e10, 1e20)
    return artists.sketched(data, **{**limits, **options})


def bars(ax):
    """Ends of the bars of errors."""
    return [one.get_segments()[0][:, 0] for one in ax.collections if hasattr(one, "get_segments")]


def found_at(data, z, **options):
    """Where a junction at a depth is marked, by the level of the profile there."""
    level = f"{np.interp(z, Z, data['concentration'].values[0])} atoms/cm^3"
    ax = sketch(data, junctions=sims.junction_depth(data, level=level), **options)
    return ax, [line for line in artists.marks(ax, "o") if len(line.get_xdata()) == 1]


@pytest.mark.slow
def test_what_is_out_of_sight_is_neither_marked_nor_listed():
    for z, limits, seen in (
        (20.0, {}, True), (20.0, {"xlim": (10, 40)}, True), (5.0, {"xlim": (10, 40)}, False),
        (45.0, {"xlim": (10, 40)}, False), (20.0, {"ylim": (1e18, 1e20)}, False),
        (20.0, {"xlim": (0.01, 0.04), "depth_units": "um"}, True),
        (45.0, {"xlim": (0.01, 0.04), "depth_units": "um"}, False),
    ):  # fmt: skip
        ax, mark = found_at(FALL, z, **limits)
        assert (len(mark), len(artists.notes(ax))) == (seen, seen)


def test_a_mark_has_a_line_to_the_axis_and_a_bar_of_its_error():
    ds = counted()
    xj = sims.junction_depth(ds, level="1e17 atoms/cm^3")
    ax = sketch(ds, junctions=xj, coverage=2.0)
    (mark,) = artists.marks(ax, "o")
    (line,) = [one for one in ax.lines if one.get_linestyle() == ":"]
    assert line.get_xdata().tolist() == [xj.item()] * 2
    assert line.get_ydata()[0] < 1e10
    assert line.get_ydata()[1] == mark.get_ydata()[0] == pytest.approx(1e17, rel=0.01)
    (bar,) = bars(ax)
    assert np.diff(bar)[0] == pytest.approx(4 * xj["stderr"].item())
    assert mark.get_markerfacecolor() == (1.0, 1.0, 1.0)


def test_a_dose_is_shaded_from_the_curve_to_the_floor_in_its_window_alone():
    ax = sketch(dose=sims.integrated_dose(FALL, start="3 nm", stop="7 nm"))
    (area,) = ax.collections
    x, y = area.get_paths()[0].vertices.T
    assert (x.min(), x.max()) == (3.0, 7.0)
    assert y.max() == pytest.approx(1e19 * np.exp(-0.6))
    assert {4.0, 6.0} < {*x}
    assert y.min() < 1e10
    linear = artists.profiles(B=[1e18, 2e18, 1e18])
    (area,) = sketch(linear, scale="linear", dose=sims.integrated_dose(linear)).collections
    assert area.get_paths()[0].vertices[:, 1].min() == 0.0
    assert not sketch(xlim=(60, 90), dose=sims.integrated_dose(FALL, stop="20 nm")).collections


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("edge", "message", "marker"),
    [("trailing",
      "$x_\\mathregular{j}$(10$\\mathregular{^{17}}$ cm$\\mathregular{^{−3}}$) = ", "o"),
     ("leading", "rises through 10$\\mathregular{^{17}}$ cm$\\mathregular{^{−3}}$ at ", "D"),
     ("any", "passes 10$\\mathregular{^{17}}$ cm$\\mathregular{^{−3}}$ at ", "D")],
)  # fmt: skip
def test_a_depth_at_a_level_says_what_the_profile_does_there(edge, message, marker):
    data = artists.profiles(B=artists.gaussian(middle=50.0))
    options = {"edge": edge, "after": "50 nm"} if edge == "any" else {"edge": edge}
    found = sims.junction_depth(data, level="1e17 atoms/cm^3", **options)
    ax = sketch(data, junctions=found)
    (text,) = artists.notes(ax)
    assert text.startswith(message)
    assert len(artists.marks(ax, marker)) == 1


def test_a_result_without_a_number_is_listed_with_its_reason():
    found = sims.junction_depth(FALL, level="1e20 atoms/cm^3")
    assert artists.notes(sketch(junctions=found))[0].endswith(": never reached")
    never = sims.crossings(FALL, level="1e20 atoms/cm^3")
    assert artists.notes(sketch(junctions=never)) == [
        "level 10$\\mathregular{^{20}}$ cm$\\mathregular{^{−3}}$: never reached"
    ]


def test_few_crossings_are_listed_and_many_are_counted():
    data = artists.profiles(B=1e17 * (1.1 + np.cos(Z * 2 * np.pi / 24)))
    ax = sketch(data, junctions=sims.crossings(data, level="1e17 atoms/cm^3"))
    falls, rises = artists.notes(ax)
    assert falls.startswith("falls through 10$\\mathregular{^{17}}$ cm$\\mathregular{^{−3}}$ at 6.")
    assert falls.count(",") == 3
    assert falls.endswith(" nm")
    assert rises.startswith("rises through")
    assert {
        line.get_markersize() for line in [*artists.marks(ax, "o"), *artists.marks(ax, "D")]
    } == {3.0}
    assert (len(artists.marks(ax, "o")), len(artists.marks(ax, "D"))) == (4, 4)
    many = artists.profiles(B=1e17 * (1.1 + np.cos(Z * 2 * np.pi / 10)))
    ax = sketch(many, junctions=sims.crossings(many, level="1e17 atoms/cm^3"))
    assert artists.notes(ax)[0].endswith("52.43 nm and 4 more")
    assert len(artists.marks(ax, "o")) == 10


@pytest.mark.slow
def test_a_dose_says_its_systematic_part_and_its_status():
    budget = sims.dose_budget(FALL, rsf_uncertainty=0.1)
    ax = sketch(dose=budget, coverage=2.0)
    (text,) = artists.notes(ax)
    assert text.startswith("$Q$ = 5.0")
    assert text.endswith("atoms/cm² (systematic: 20 %)")
    assert len(artists.at_marks(ax)) == 1
    gap = budget.assign(status=("species", ["gap"]), systematic_stderr=("species", [0.0]))
    assert artists.notes(sketch(dose=gap))[0].endswith("atoms/cm² (gap)")


def test_a_decay_length_is_a_line_through_the_samples_of_its_window():
    found = sims.decay_length(FALL, start="20 nm", stop="60 nm")
    ax = sketch(decay_length=found)
    (line,) = [one for one in ax.lines if len(one.get_xdata()) == 2]
    assert line.get_xdata().tolist() == [20.0, 60.0]
    np.testing.assert_allclose(line.get_ydata(), 1e19 * np.exp([-4.0, -12.0]), rtol=1e-9)
    assert artists.notes(ax)[0].startswith("λ = 5")
    assert artists.notes(sketch(decay_length=found, xlim=(70, 98))) == []


def layer(top, bottom, thickness, word="ok"):
    """Stand in for layers of one profile."""
    made = {"top": top, "bottom": bottom, "thickness": thickness}
    ds = xr.Dataset({name: ("layer", np.array(value, float), {"units": "nm"})
                     for name, value in made.items()})  # fmt: skip
    ds["status"] = "layer", np.full(len(top), word)
    return ds.assign_attrs(question=sims.layers(FALL, fraction=0.5).attrs["question"])


def test_layers_are_bars_with_what_is_known_of_their_ends():
    nan = np.nan
    ax = sketch(
        layers=layer([10, nan, 40, nan], [20, 30, nan, nan], [10, nan, nan, nan], "truncated")
    )
    ends = [line.get_xdata().tolist() for line in artists.marks(ax, "|")]
    assert ends == [[10, 20], [0, 30], [40, 98]]
    heights = [line.get_ydata()[0] for line in artists.marks(ax, "|")]
    np.testing.assert_allclose(heights, 1e19 * np.exp([-2.0, -6.0, -8.0]))
    assert artists.notes(ax) == [
        "layer: truncated",
        "layer 1: 10.00 nm, from 10.00 nm",
        "layer 2: down to 30.00 nm (truncated)",
        "layer 3: from 40.00 nm (truncated)",
    ]
    assert artists.notes(sketch(layers=layer([100], [120], [20]))) == []
    starts = np.arange(7) * 10.0
    many = sketch(layers=layer(starts, starts + np.r_[1:7, nan], np.r_[1:7, nan]))
    assert len(artists.marks(many, "|")) == 7
    first, *_, last = artists.notes(many)
    assert first == "layer 1: 1.000 nm, from 0 nm"
    assert (len(artists.notes(many)), last) == (7, "layers: 1 more")


def test_an_interface_says_its_width_between_the_requested_parts():
    with pytest.warns(sims.errors.FitWarning):
        found = sims.interface(artists.profiles(B=artists.gaussian()), start="30 nm")
    known = {"position": 30.0, "width": 4.0, "width_stderr": np.nan, "status": "truncated"}
    known = xr.Dataset(known, attrs=found.attrs)
    ax = sketch(interfaces=known)
    assert artists.notes(ax) == ["interface at 30.00 nm, width 4.000 nm (16 to 84 %) (truncated)"]
    (span,) = ax.patches
    assert (span.get_x(), span.get_width()) == (28.0, 4.0)
    bare = sketch(interfaces=known.assign(width=np.nan, status="ok"))
    assert artists.notes(bare) == ["interface at 30.00 nm"]
    assert not bare.patches
    assert artists.notes(sketch(interfaces=known, xlim=(40, 50))) == []


def test_a_peak_is_a_cross_at_its_sample():
    ax = sketch(peak=sims.peak(FALL), depth_units="um", xlim=(0, 0.09))
    assert artists.notes(ax) == ["peak at 0 µm"]
    (cross,) = artists.marks(ax, "+")
    assert (cross.get_xdata()[0], cross.get_ydata()[0]) == (0.0, pytest.approx(1e19))
