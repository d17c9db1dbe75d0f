"""Figures: what is drawn is what was measured, and the files are the same every time."""

import importlib.util
import os
import subprocess
import sys
import warnings
from pathlib import Path

import artists
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import shared_profiles
import xarray as xr
from error_parts import raises
from single_profiles import profile_of

import sims_analysis as sims
from sims_analysis.errors import ProfileError
from sims_analysis.figures.colours import COLOURS
from sims_analysis.figures.profiles import title_text
from sims_analysis.figures.style import in_style
from sims_analysis.testing import exponential_profile, gaussian_profile
from sims_analysis.text.rounding import rounded


def two_units(values=(1e18, 3e18, 1e17), signal=(2e7, 2.1e7, 2e7)):
    counted = profile_of([5, 15, 25], list(signal), "Ga->", units="counts/s")
    return sims.to_dataset([profile_of([0, 10, 20], list(values), "Mg"), counted])


def curves(ax):
    """Data curves of an axes, without marks, and without what stands in a legend only."""
    drawn = [line for line in ax.lines if line.get_linestyle() not in ("None", "none", " ", "")]
    return [line for line in drawn if len(line.get_xdata())]


# --- names --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_no_name_breaks_a_figure():
    names = ["$x", "^", "_2", "{}", "a\\b", "→", "", " ", "11B (1)", "$^$"]
    each = [
        gaussian_profile(
            np.arange(0.0, 100.0, 5.0),
            dose=f"{i + 1}e14 atoms/cm^2",
            projected_range="40 nm",
            straggle="15 nm",
            species=name,
        )[0]
        for i, name in enumerate(names)
    ]
    ds = xr.concat(each, "species", combine_attrs="override")
    assert ds["species"].values.tolist() == names
    sims.plot_profiles(ds).figure.draw_without_rendering()
    sims.plot_profiles(ds, labels="legend").figure.draw_without_rendering()


def test_colours_stay_apart_for_the_colour_blind():
    # Viénot, Brettel and Mollon 1999: deuteranopes see what this matrix leaves of linear RGB.
    seen_by = {
        "all": np.eye(3),
        "deuteranopes": np.array([[0.2927, 0.7073, 0], [0.2927, 0.7073, 0], [-0.0223, 0.0223, 1]]),
    }
    rgb = np.array([mpl.colors.to_rgb(colour) for colour in COLOURS])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    for matrix in seen_by.values():
        shown = np.clip(linear @ matrix.T, 0, 1) ** (1 / 2.2)
        distance = np.linalg.norm(shown[:, None] - shown[None], axis=-1)
        assert distance[~np.eye(len(COLOURS), dtype=bool)].min() > 0.09


# --- what is drawn ------------------------------------------------------------------------------


def test_each_species_is_drawn_on_its_own_samples():
    ax = artists.sketched(two_units())
    left, right = ax, ax.figure.axes[1]
    (mg,), (ga,) = curves(left), curves(right)
    np.testing.assert_array_equal(mg.get_xdata(), [0, 10, 20])
    np.testing.assert_array_equal(mg.get_ydata(), [1e18, 3e18, 1e17])
    np.testing.assert_array_equal(ga.get_xdata(), [5, 15, 25])
    assert ax.get_ylabel() == "Concentration (atoms/cm³)"
    assert right.get_ylabel() == "Intensity (counts/s)"
    assert ax.get_xlabel() == "Depth (nm)"


def test_zeros_break_the_line_and_stand_at_the_floor():
    ax = artists.sketched(two_units(values=(1e18, 0.0, 1e17)), species="Mg")
    (line,) = curves(ax)
    np.testing.assert_array_equal(line.get_ydata(), [1e18, np.nan, 1e17])
    (mark,) = artists.marks(ax)
    assert mark.get_xdata() == [10]
    assert 0 < mark.get_ydata()[0] < 0.03  # in fractions of the axes
    assert artists.notes(ax) == ["zero"]
    # A sample without a neighbour would be a line of no length.
    points = [line for line in ax.lines if line.get_marker() == "."]
    np.testing.assert_array_equal(points[0].get_xdata(), [0, 20])


@pytest.mark.slow
def test_zeros_of_a_crowd_share_six_rows():
    ds = two_units(values=(1e18, 0, 1e17))
    few = artists.sketched(ds, species="Mg")
    crowd = artists.sketched(sims.stack([ds] * 30, names=range(30)), species="Mg", spread=False)
    assert crowd.get_ylim() == few.get_ylim()
    rows = {tuple(line.get_ydata()) for line in artists.marks(crowd)}
    assert len(rows) == 6
    assert {tuple(line.get_ydata()) for line in artists.marks(few)} < rows


@pytest.mark.slow
def test_nothing_but_zeros_is_still_a_figure():
    ax = sims.plot_profiles(two_units(values=(0.0, 0.0, -1e10)), species="Mg")
    ax.figure.draw_without_rendering()
    assert "zero or negative" in artists.notes(ax)


def test_a_limit_for_each_species():
    ds = sims.open_example("boron-implant")
    limit = sims.detection_limit(ds, window=("400 nm", "490 nm"))
    ax = artists.sketched(ds, detection_limit=limit)
    found = sorted({line.get_ydata()[0] for line in artists.marks(ax)})
    np.testing.assert_allclose(found, sorted(limit.values))


@pytest.mark.slow
def test_layouts_and_kinds_give_the_same_curves():
    ds = sims.open_example("boron-implant")
    plain = curves(artists.sketched(ds, species="B"))[0]
    others = [
        sims.quantify(ds),
        ds["concentration"],
        ds.chunk({"species": 1}),
        ds.sel(species=["P", "B"]),
        sims.stack([ds]),
    ]
    for other in others:
        again = curves(artists.sketched(other, species="B"))[0]
        np.testing.assert_array_equal(plain.get_ydata(), again.get_ydata())
        np.testing.assert_array_equal(plain.get_xdata(), again.get_xdata())


# --- manners ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_users_axes_and_settings_are_left_as_they_are():
    before = dict(mpl.rcParams)
    figure, (ax, other) = plt.subplots(1, 2)
    ax.set_ylim(1e10, 1e22)
    assert sims.plot_profiles(two_units(), ax) is ax
    assert ax.get_ylim() == (1e10, 1e22)
    assert list(figure.get_size_inches()) == list(mpl.rcParams["figure.figsize"])
    assert len(other.lines) == 0
    sims.plot_profiles(two_units())
    assert dict(mpl.rcParams) == before


@pytest.mark.slow
def test_a_style_sheet_wins():
    with plt.rc_context({"lines.linewidth": 3.0, "figure.figsize": (7, 5)}):
        ax = sims.plot_profiles(two_units())
    assert curves(ax)[0].get_linewidth() == 3.0
    assert list(ax.figure.get_size_inches()) == [7, 5]
    width, _ = sims.plot_profiles(two_units()).figure.get_size_inches()
    assert width * 25.4 == pytest.approx(86)


def test_a_missing_matplotlib_is_named_with_its_extra(monkeypatch, approved):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "matplotlib" else find(name)
    )
    for draw in (sims.plot_profiles, sims.plot_panels):
        with raises(ImportError, text=approved):
            draw(two_units())


# --- results in figures -------------------------------------------------------------------------


def edge():
    ds, truth = exponential_profile(
        np.arange(0.0, 101.0), surface_concentration="1e20 atoms/cm^3", decay_length="5 nm"
    )
    return ds, truth


def test_a_junction_stands_on_its_curve():
    ds, truth = edge()
    ax = artists.sketched(ds, junctions=sims.junction_depth(ds, level="1e17 atoms/cm^3"))
    (mark,) = [line for line in ax.lines if line.get_marker() == "o"]
    assert mark.get_xdata()[0] == pytest.approx(truth.crossing(1e17))
    assert mark.get_ydata()[0] == pytest.approx(1e17)
    assert artists.notes(ax) == [
        "$x_\\mathregular{j}$(10$\\mathregular{^{17}}$ cm$\\mathregular{^{−3}}$) = 34.54 nm"
    ]


def test_the_uncertainty_of_a_junction_is_drawn_and_named():
    ds, _ = edge()
    sigma = 0.1 * ds["concentration"]
    ds["concentration_stderr"] = sigma.assign_attrs(units="atom/cm^3")
    xj = sims.junction_depth(ds, level="1e17 atoms/cm^3")
    ax = artists.sketched(ds, junctions=xj, coverage=0)
    (bar,) = [bars for bars in ax.collections if hasattr(bars, "get_segments")]
    (left, _), (right, _) = bar.get_segments()[0]
    assert (right - left) / 2 == pytest.approx(float(xj["stderr"][0]))
    number = rounded(float(xj[0]), float(xj["stderr"][0])).text()
    junction, meaning = artists.notes(ax)
    assert junction.endswith(f" = {number} nm")
    assert "±" in number
    assert meaning == "± one standard error"


def test_a_junction_that_is_none_is_listed_and_not_marked():
    ds, _ = edge()
    ax = artists.sketched(ds, junctions=sims.junction_depth(ds, level="1e21 atoms/cm^3"))
    assert artists.notes(ax) == [
        "$x_\\mathregular{j}$(10$\\mathregular{^{21}}$ cm$\\mathregular{^{−3}}$): never reached"
    ]
    assert not [line for line in ax.lines if line.get_marker() == "o"]


def test_peak_and_decay_length():
    ds, _ = edge()
    ax = artists.sketched(
        ds, peak=sims.peak(ds), decay_length=sims.decay_length(ds, start="20 nm", stop="60 nm")
    )
    assert any("peak at 0 nm" in text for text in artists.notes(ax))
    assert any(text.startswith("λ = 5") for text in artists.notes(ax))
    line = next(line for line in curves(ax) if len(line.get_xdata()) == 2)
    np.testing.assert_allclose(line.get_ydata(), 1e20 * np.exp(-np.array([20, 60]) / 5), rtol=1e-6)


def test_metallurgical_junctions_cross_the_axes():
    ds = sims.open_example("boron-implant")
    found = sims.metallurgical_junctions(ds, donors=["P"], acceptors=["B"])
    ax = artists.sketched(ds, junctions=found)
    assert sum("junction:" in text for text in artists.notes(ax)) == found.sizes["junction"]
    where = f"{found['depth'].values[0]:.1f} nm"
    assert [text for text in artists.notes(ax) if text == f"p→n junction: {where}"], artists.notes(
        ax
    )


def test_results_belong_to_their_measurement():
    ds, _ = edge()
    low = ds.copy(deep=True)
    low["concentration"] = low["concentration"] / 10
    low["concentration"].attrs = ds["concentration"].attrs
    both = {"a": ds, "b": low}
    xj = {label: sims.junction_depth(d, level="1e17 atoms/cm^3") for label, d in both.items()}
    ax = artists.sketched(both, junctions=xj)
    found = sorted(float(l.get_xdata()[0]) for l in ax.lines if l.get_marker() == "o")  # noqa: E741
    assert found == pytest.approx([23.02585, 34.53878], rel=1e-6)
    with raises(ProfileError, argument="junctions"):
        artists.sketched(both, junctions=list(xj.values()))


# --- files --------------------------------------------------------------------------------------

SCRIPT = """
import sys, sims_analysis as sims
ds = sims.open_example("boron-implant")
ax = sims.plot_profiles(ds, junctions=sims.junction_depth(ds, level="1e18 atoms/cm^3"))
for path in sys.argv[1:]:
    sims.save_figure(ax.figure, path, dpi=100)
"""


def test_selecting_a_backend_may_turn_interactive_on():
    """As the backend of a notebook does with its first figure; without it no other is shown."""
    was = mpl.is_interactive()
    try:
        with in_style():
            mpl.interactive(not was)
        assert mpl.is_interactive() is not was
    finally:
        mpl.interactive(was)


@pytest.mark.slow
def test_two_processes_write_the_same_bytes(tmp_path, monkeypatch):
    # In another order too: a figure must not remember what it was saved as before.
    kinds = ("svg", "pdf", "png")
    here = [str(tmp_path / f"here.{kind}") for kind in kinds]
    there = [str(tmp_path / f"there.{kind}") for kind in reversed(kinds)]
    seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    subprocess.run(
        [sys.executable, "-c", SCRIPT, *there],
        check=True,
        env={**os.environ, "PYTHONHASHSEED": seed, "MPLBACKEND": "agg"},
    )
    monkeypatch.setattr(sys, "argv", ["-c", *here])
    exec(SCRIPT, {})  # noqa: S102  # as it stands there
    for one, other in zip(here, reversed(there), strict=True):
        assert Path(one).read_bytes() == Path(other).read_bytes(), one


@pytest.mark.slow
def test_a_figure_that_was_shown_at_another_resolution_is_saved_as_one_that_was_not(tmp_path):
    ds = sims.open_example("boron-implant")
    ds = sims.with_counting_statistics(ds, value_per_count="1e14 atoms/cm^3")  # it has a list
    dose = sims.integrated_dose(ds.sel(species=["B"]), start="15 nm", stop="300 nm")
    saved = set()
    for dpi, shown in ((72, False), (140, False), (140, True)):
        with mpl.rc_context({"figure.dpi": dpi}):
            figure = sims.plot_profiles(ds, dose=dose).figure
            if shown:
                figure.canvas.draw()
            saved.add(sims.save_figure(figure, tmp_path / "one.svg").read_bytes())
    assert len(saved) == 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["svg", "pdf", "png"])
def test_a_figure_carries_its_origin(tmp_path, kind):
    ds = sims.open_example("boron-implant")
    xj = sims.junction_depth(ds.sel(species=["B"]), level="1e18 atoms/cm^3", after="peak")
    ax = sims.plot_profiles(ds, junctions=xj)
    path = sims.save_figure(ax.figure, tmp_path / f"f.{kind}", calls=[r"mine(\"µ\", (1))"])
    found = sims.provenance(path)
    assert found["data_id"] == ds.attrs["data_id"]
    assert found["sha256"] == ds.attrs["sha256"]
    assert found["sims_analysis_version"] == sims.__version__
    assert found["calls"][0] == ds.attrs["history"]
    assert found["calls"][-1] == r"mine(\"µ\", (1))"
    assert found["results"][0]["value"] == float(xj[0])
    assert found["results"][0]["species"] == "B"
    assert [p.name for p in tmp_path.iterdir()] == [f"f.{kind}"]


@pytest.mark.slow
def test_origins_of_several_measurements():
    a, b = sims.open_example("boron-implant"), sims.open_example("gan-mg-stack")
    found = sims.provenance(sims.plot_profiles([a, b], species=["B", "Mg"]).figure)
    assert found["data_id"] == ["boron-implant", "gan-mg-stack"]
    assert found["sha256"] == [a.attrs["sha256"], b.attrs["sha256"]]
    batch = sims.stack([a, b])
    assert sims.provenance(batch)["sha256"] == found["sha256"]
    assert sims.provenance(sims.plot_profiles(batch).figure)["data_id"] == found["data_id"]


@pytest.mark.slow
def test_saving_leaves_figure_and_settings_as_they_were(tmp_path):
    ax = sims.plot_profiles(two_units())
    before, layout = dict(mpl.rcParams), ax.figure.get_layout_engine()
    sims.save_figure(ax.figure, tmp_path / "f.svg")
    assert dict(mpl.rcParams) == before
    assert ax.figure.get_layout_engine() is layout
    assert ax.get_in_layout()


# --- real profiles ------------------------------------------------------------------------------


@pytest.mark.few(2)
@pytest.mark.slow
@shared_profiles.parametrize()
def test_real_profiles_are_drawn_whole(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sims.errors.ProfileWarning)
        ds = sims.SIMSResult.from_json(shared_profiles.read(name)).to_dataset()
    ax = sims.plot_profiles(ds)
    ax.figure.draw_without_rendering()
    drawn = [line for each in ax.figure.axes for line in curves(each)]
    assert len(drawn) == ds.sizes["species"]
    measured = sum(int(ds[name].notnull().sum()) for name in ds.data_vars)
    assert sum(len(line.get_xdata()) for line in drawn) == measured


# --- titles and origins -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "before", "above", "said"),
    [
        (None, "", "", "Synthetic data"),
        ("", "", "", ""),
        ("", "of an earlier call", "", ""),
        ("W1", "of an earlier call", "", "W1 (synthetic data)"),
        (None, "W1", "", "W1 (synthetic data)"),
        (None, "Synthetic data", "", "Synthetic data"),
        (None, "W1", "All are synthetic", "W1"),
        ("5 $", "", "", "5 \\$ (synthetic data)"),
    ],
)
def test_a_title_says_once_that_data_are_synthetic(title, before, above, said):
    real = two_units()
    synthetic = real.assign_attrs(note="synthetic")
    assert title_text(title, {"a": real, "b": synthetic}, before, above) == said
    plain = (before if title is None else title).replace("$", "\\$")
    assert title_text(title, {"a": real}, before, above) == plain


def test_a_title_is_written_where_there_is_one():
    ax = plt.figure(dpi=50).add_subplot()
    known = {"labels": "none", "notes": False}
    sims.plot_profiles(two_units(), ax, title="W1", **known)
    assert ax.get_title() == "W1"
    sims.plot_profiles(two_units(), ax, **known)
    assert ax.get_title() == "W1"
    sims.plot_profiles(two_units(), ax, title="", **known)
    assert ax.get_title() == ""


def test_running_means_are_named_and_do_not_cross_a_gap():
    ds = sims.open_example("boron-implant").sel(species=["B"])
    ds = ds.where(~((ds["depth"] > 100) & (ds["depth"] < 150)))
    ax = sims.plot_profiles(ds, smooth=5)
    (line,) = [one for one in ax.lines if str(one.get_label()).startswith("B")]
    assert line.get_label() == "B (mean of 5)"
    drawn_at, z, y = (
        dict(zip(*line.get_data(), strict=True)),
        ds["depth"].values,
        ds["concentration"],
    )
    assert drawn_at[z[10]] == pytest.approx(y[0, 8:13].mean().item(), rel=1e-12)
    last = int(np.flatnonzero(z <= 100)[-1])
    assert drawn_at[z[last]] == pytest.approx(y[0, last - 2 : last + 1].mean().item())
