"""What authors of papers need of a figure: axes, regions, letters, styles and numbers at marks."""

import artists
import matplotlib as mpl
import numpy as np
import pytest
from error_parts import raises, warns

import sims_analysis as sims
from sims_analysis.errors import ProfileError, ProfileWarning
from sims_analysis.figures.layout import layout_at

mpl.use("Agg")

B = artists.profiles(B=artists.gaussian(), P=artists.gaussian(1e18, 60.0))
_ALUMINIUM = 0.3 * ((artists.DEPTHS > 40) & (artists.DEPTHS < 60))
#: Dopants beside the composition that holds them.
STACK = artists.profiles(Mg=artists.gaussian(), Al=(_ALUMINIUM, "atomic fraction"))


def test_each_quantity_has_its_own_scale():
    left, right = artists.axes(
        artists.sketched(STACK, scale={"atomic_fraction": "linear"})
    ).values()
    assert (left.get_yscale(), right.get_yscale()) == ("log", "linear")
    low, high = right.get_ylim()
    assert low < 0.0 < 0.3 < high < 0.4
    assert left.get_ylim() == pytest.approx((5e14, 1e20), rel=0.003)
    # Zero is a value there, and no mark.
    assert not any(line.get_marker() == "v" for ax in (left, right) for line in ax.lines)
    with raises(ProfileError, argument="scale"):
        artists.sketched(STACK, scale={"intensity": "linear"})
    with raises(ProfileError, argument="scale"):
        artists.sketched(STACK, scale={"atomic_fraction": "square"})


@pytest.mark.few(1)
@pytest.mark.parametrize("layers", [False, True])
def test_regions_are_shaded_in_turn_and_named(layers):
    ends = sims.layers(STACK, species="Al", level="20 at%") if layers else ("41 nm", "59 nm")
    ax = artists.sketched(STACK, regions={"AlGaN": ends, "buffer": ("59 nm", "80 nm")})
    ax.figure.draw_without_rendering()
    texts = {text.get_text(): text.get_window_extent() for text in artists.inside(ax)}
    assert [*texts][:2] == ["AlGaN", "buffer"]
    for name, (start, stop) in {"AlGaN": (41, 59), "buffer": (59, 80)}.items():
        box = texts[name]
        left, right = ax.transData.inverted().transform([(box.x0, 0), (box.x1, 0)])[:, 0]
        assert start - 1 < left < right < stop + 1
    lines = [line.get_xdata()[0] for line in ax.lines if len(line.get_xdata()) == 2]
    assert lines == pytest.approx([41, 59, 59, 80], abs=1)


def test_names_of_regions_without_room_are_listed_with_their_depths():
    regions = {"cap": ("0 nm", "2 nm"), "barrier": ("2 nm", "3 nm"), "bulk": ("41 nm", "90 nm")}
    ax = artists.sketched(STACK, regions=regions)
    assert [text.get_text() for text in artists.inside(ax)][:1] == ["bulk"]
    assert {"cap: 0–2 nm", "barrier: 2–3 nm"} <= {*artists.notes(ax)}


def test_regions_end_below_their_start_and_those_out_of_sight_have_no_shade():
    with raises(ProfileError, argument="regions"):
        artists.sketched(STACK, regions={"a": ("80 nm", "10 nm")})
    with warns(ProfileWarning, argument="regions"):
        ax = artists.sketched(STACK, regions={"far": ("3 um", "4 um"), "in": ("41 nm", "59 nm")})
    (shade,) = [one for one in ax.patches if one.get_zorder() == 0.5]
    assert (shade.get_x(), shade.get_width()) == (41, 18)


@pytest.mark.parametrize("sheet", ["default", "grayscale", "dark_background"])
def test_the_swatch_of_a_dose_has_the_colour_of_its_area(sheet):
    with mpl.style.context(sheet):
        ax = artists.sketched(B, dose=sims.integrated_dose(B.sel(species=["B"])), species="B")
        (area,) = ax.collections
        red, green, blue, alpha = area.get_facecolor()[0]
        ground = np.array(mpl.colors.to_rgb(ax.get_facecolor()))
        shown = alpha * np.array([red, green, blue]) + (1 - alpha) * ground
        (swatch,) = layout_at(ax).results.values()
    assert swatch.get_alpha() is None
    assert mpl.colors.to_rgb(swatch.get_color()) == pytest.approx(shown, abs=0.005)


@pytest.mark.parametrize("regions", ["AlGaN", {"AlGaN": "150 nm"}, {"AlGaN": (1, 2, 3)}])
def test_regions_are_pairs_of_depths(regions, approved):
    with raises(ValueError, text=approved):
        artists.sketched(STACK, regions=regions)


def test_panels_take_scales_and_styles_of_what_some_of_them_show():
    options = {"scale": {"atomic_fraction": "linear"}, "linestyle": {"Mg": "--"}}
    mg, al = sims.plot_panels(STACK, by="species", **options)
    assert (mg.get_yscale(), al.get_yscale()) == ("log", "linear")
    assert [artists.lines(ax)[0].get_linestyle() for ax in (mg, al)] == ["--", "-"]
    with raises(ProfileError, argument="linestyle"):
        sims.plot_panels(STACK, by="species", linestyle={"As": "--"})


def test_panels_have_letters():
    panels = sims.plot_panels({str(i): B for i in range(3)}, letters=True, labels="none")
    assert [ax.get_title(loc="left") for ax in panels] == ["(a)", "(b)", "(c)"]
    assert [ax.get_title() for ax in panels] == ["0", "1", "2"]


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("width", "mm"), [("nature", 89), ("nature 1.5", 120), ("elsevier double", 190), ("aps", 86)]
)
def test_a_figure_is_as_wide_as_the_columns_of_a_journal(width, mm):
    ax = sims.plot_profiles(B, width=width)
    assert 25.4 * ax.figure.get_size_inches()[0] == pytest.approx(mm)


def test_dashes_and_marks_are_those_of_a_species(approved):
    ax = artists.sketched(B, linestyle={"P": "--"}, marker={"B": "o"})
    looks = {
        line.get_label(): (line.get_linestyle(), line.get_marker()) for line in artists.lines(ax)
    }
    assert looks == {"B": ("-", "o"), "P": ("--", "None")}
    with raises(ValueError, text=approved):
        artists.sketched(B, linestyle={"P": "wavy"})
    with raises(ProfileError, argument="linestyle"):
        artists.sketched(B, linestyle={"As": "--"})


def test_an_element_has_one_colour_whatever_a_simulator_calls_it():
    model = artists.profiles(BoronConcentration=artists.gaussian(2e19))
    ax = artists.sketched({"SIMS": artists.profiles(B=artists.gaussian()), "TCAD": model})
    assert len({line.get_color() for line in artists.lines(ax)}) == 1
    assert len({line.get_linestyle() for line in artists.lines(ax)}) == 2
    assert artists.direct(artists.sketched(model)) == ["B"]


@pytest.mark.slow
def test_few_numbers_stand_at_their_marks_and_many_in_a_list():
    junctions = sims.junction_depth(B, level="1e17 atoms/cm^3")
    dose = sims.integrated_dose(B.sel(species=["B"]))
    ax = artists.sketched(B, junctions=junctions, dose=dose)
    ax.figure.draw_without_rendering()
    texts = artists.at_marks(ax)
    assert {text.get_text()[:2] for text in texts} >= {"$x", "$Q"}
    points = [ax.transData.transform((x, 1e17)) for x in junctions.values]
    (shade,) = ax.collections[:1]
    for text in texts:
        box = text.get_window_extent()
        if text.get_text().startswith("$Q"):
            corners = ax.transData.inverted().transform(box.corners())
            assert shade.get_paths()[0].contains_points(corners).all()
        else:
            away = [np.hypot(*(np.clip(p, box.min, box.max) - p)) for p in points]
            assert min(away) < 0.25 * ax.figure.dpi
    levels = [f"{n}e17 atoms/cm^3" for n in range(1, 6)]
    crowded = artists.sketched(B, junctions=[sims.junction_depth(B, level=one) for one in levels])
    assert artists.at_marks(crowded) == []
    assert len(artists.notes(crowded)) == 10


def test_the_shade_of_a_second_dose_is_told_from_that_of_the_first():
    ax = artists.sketched(B, dose=sims.integrated_dose(B))
    assert [bool(shade.get_hatch()) for shade in ax.collections] == [False, True]


def many(count):
    """Signals of which each is a tenth larger than the one before."""
    return artists.profiles(**{f"X{i}": (np.full(50, 1.1**i), "counts") for i in range(count)})


@pytest.mark.slow
def test_of_many_signals_the_largest_are_drawn_and_those_with_results(approved):
    assert len(artists.lines(artists.sketched(many(24)))) == 24
    data = many(30)
    with warns(ProfileWarning, "not_shown", argument="species"):
        ax = artists.sketched(data)
    assert [line.get_label() for line in artists.lines(ax)] == [f"X{i}" for i in range(18, 30)]
    assert artists.notes(ax) == ["18 more signals, not shown"]
    one = data.sel(species=["X3"])
    with warns(ProfileWarning, "not_shown", argument="species", text=approved):
        ax = artists.sketched(data, peak=sims.peak(one))
    assert [line.get_label() for line in artists.lines(ax)][:2] == ["X3", "X19"]
    every = list(map(str, data["species"].values))
    assert len(artists.lines(artists.sketched(data, species=every))) == 30


@pytest.mark.slow
def test_curves_of_one_of_two_right_axes_are_named_at_it(approved):
    counts = (np.full(50, 2e5), "counts/s")
    data = artists.profiles(
        B=artists.gaussian(), Ga=counts, In=counts, Al=(np.full(50, 0.3), "atomic fraction")
    )
    with warns(ProfileWarning, "crowded_figure", text=approved):
        ax = artists.sketched(data)
    assert [each.get_ylabel() for each in ax.figure.axes] == [
        "Concentration (atoms/cm³)",
        "Atomic fraction",
        "Intensity (counts/s): Ga, In",
    ]
    # Black curves on both: colours would not tell the axes apart.
    black = {"colours": {"Ga": "black", "Al": "black"}, "species": ["B", "Ga", "Al"]}
    every = [each.get_ylabel() for each in sims.plot_profiles(data, **black).figure.axes]
    assert every[1:] == ["Atomic fraction: Al", "Intensity (counts/s): Ga"]
    with warns(ProfileWarning, "crowded_figure", "width", text=approved):
        sims.plot_profiles(data, width="60 mm")


@pytest.mark.slow
def test_two_measurements_stand_over_their_ratio_with_the_shift_of_the_junction():
    a = artists.profiles(B=artists.gaussian())
    b = artists.profiles(B=2.0 * artists.gaussian())
    found = sims.compare(a, b, level="1e17 atoms/cm^3")
    ax = sims.plot_profiles({"a": a, "b": b}, comparison=found)
    (below,) = [each for each in ax.figure.axes if each.get_ylabel() == "b / a"]
    (ratio, one) = below.lines
    np.testing.assert_allclose(ratio.get_ydata(), 2.0)
    assert one.get_ydata() == [1.0, 1.0]
    assert (ax.get_xlabel(), below.get_xlabel()) == ("", "Depth (nm)")
    shift = float(found["junction_shift"].item())
    (text,) = [text for text in artists.notes(ax) if "junction" in text]
    assert text == f"junction of B {shift:.3f} nm deeper in b"
    assert ratio.get_color() not in {line.get_color() for line in artists.lines(ax)}
    other = sims.compare(b, a, level="1e17 atoms/cm^3")
    more = artists.profiles(B=2.0 * artists.gaussian(), P=artists.gaussian())
    ax = artists.sketched({"a": a, "b": more}, comparison=other)
    assert "a / b" in {each.get_ylabel() for each in ax.figure.axes}
    assert f"junction of B {shift:.3f} nm shallower in a" in artists.notes(ax)
    for shown in (a, {"a": a, "b": artists.profiles(B=3.0 * artists.gaussian())}):
        with raises(ProfileError, argument="comparison"):
            artists.sketched(shown, comparison=found)


@pytest.mark.few(0, 2)
@pytest.mark.parametrize("names", [("a", "b"), ("as implanted", "annealed")])
def test_a_ratio_has_gaps_where_nothing_was_counted_and_a_label_below_that_above(names):
    counts = np.where(np.arange(50) % 7 == 3, 0.001, np.geomspace(2.0, 1e4, 50))
    values = (np.full(50, 5e3), counts)
    data = {k: artists.profiles(B=(y, "counts/s")) for k, y in zip(names, values, strict=True)}
    ax = sims.plot_profiles(data, comparison=sims.compare(*data.values()), width="60 mm")
    ax.figure.canvas.draw()
    below = ax.figure.axes[1]
    assert np.isnan(below.lines[0].get_ydata()[3::7]).all()
    assert np.isfinite(below.lines[0].get_ydata()[::7]).all()
    boxes = [each.yaxis.label.get_window_extent() for each in (ax, below)]
    assert boxes[1].y1 <= boxes[0].y0


def test_profiles_that_do_not_overlap_have_no_ratio():
    data = {"a": B, "b": artists.profiles(depths=artists.DEPTHS + 1e3, B=artists.gaussian())}
    ax = artists.sketched(data, comparison=sims.compare(*data.values()))
    assert ax.figure.axes[1].get_ylabel() == "ratio"


def test_what_is_no_comparison_is_refused():
    with raises(ProfileError, argument="comparison"):
        artists.sketched(B, comparison=sims.peak(B))
