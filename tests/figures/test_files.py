"""Files: text is text, every format keeps the origin and comes out the same again."""

from xml.etree import ElementTree as ET

import artists
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from error_parts import raises
from PIL import Image

import sims_analysis as sims
from sims_analysis.figures import files

mpl.use("Agg")


def figure():
    ds = sims.with_counting_statistics(
        artists.profiles(**{"11B": artists.gaussian()}), value_per_count="1e14 atoms/cm^3"
    )
    return sims.plot_profiles(ds, dose=sims.integrated_dose(ds)).figure


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A figure in a file of each format: fonts and pixels take seconds."""
    written, made = {}, figure()
    alphas = [c.get_alpha() for c in made.axes[0].collections]
    for kind in ("svg", "pdf", "tiff"):
        path = tmp_path_factory.mktemp("saved") / f"f.{kind}"
        written[kind] = sims.save_figure(made, path, dpi=100, calls=["mine()"])
    # Shades are paler in a format that knows no transparency, not in the figure.
    assert [c.get_alpha() for c in made.axes[0].collections] == alphas != [None] * len(alphas)
    return written


@pytest.mark.slow
def test_svg_keeps_text_as_text(saved):
    text = saved["svg"].read_text()
    assert "<text" in text
    assert "Depth (nm)" in text
    assert "Concentration (atoms/cm³)" in text


@pytest.mark.slow
def test_a_style_sheet_may_ask_for_outlines(tmp_path):
    made = figure()
    with plt.rc_context({"pdf.fonttype": 3, "svg.hashsalt": "selected"}):
        before = dict(mpl.rcParams)
        sims.save_figure(made, tmp_path / "f.pdf")
        assert dict(mpl.rcParams) == before


@pytest.mark.study
def test_a_tiff_comes_out_the_same_again(saved, tmp_path):
    path = tmp_path / "again.tif"
    again = sims.save_figure(figure(), path, dpi=100, calls=["mine()"]).read_bytes()
    assert again == saved["tiff"].read_bytes()


@pytest.mark.slow
def test_a_tiff_tells_its_origin(saved):
    assert sims.provenance(saved["tiff"])["calls"][-1] == "mine()"


@pytest.mark.slow
def test_what_is_no_figure_is_refused(tmp_path, approved):
    ax = sims.plot_profiles(artists.profiles(B=artists.gaussian()))
    with raises(TypeError, text=approved):
        sims.save_figure("a.png", ax)
    with raises(TypeError, text=approved):
        sims.save_figure(ax, ax)
    with pytest.raises(TypeError, match="multiple values for keyword argument 'format'"):
        sims.save_figure(ax, tmp_path / "a.png", format="svg")
    with raises(ValueError, text=approved):
        sims.save_figure(ax, tmp_path / "a.eps")
    with raises(FileNotFoundError, text=approved):
        sims.save_figure(ax, tmp_path / "absent" / "a.png")
    with raises(TypeError, text=approved):
        sims.save_figure(np.array([ax, plt.figure()]), tmp_path / "a.png")


@pytest.mark.study
def test_a_figure_has_one_layout_in_every_format(tmp_path):
    figure = sims.plot_profiles(sims.open_example("gan-mg-stack")).figure
    places = []
    for suffix in ("png", "svg"):
        sims.save_figure(figure, tmp_path / f"a.{suffix}")
        places.append([ax.get_position().bounds for ax in figure.axes])
    np.testing.assert_allclose(*places, atol=1e-6)


# --- the steps of it ----------------------------------------------------------------------------


@pytest.mark.slow
def test_a_figure_is_found_from_whatever_is_of_it(tmp_path, approved):
    def saved(given):
        return sims.save_figure(given, tmp_path / "figure.png", dpi=20).read_bytes()

    made, axs = plt.subplots(1, 2)
    part = plt.figure().subfigures(1, 2)[0]
    inside = part.add_subplot()
    for given in (made, axs, axs[0], list(axs), [made, axs[1]]):
        assert saved(given) == saved(made)
    for given in (part, inside):
        assert saved(given) == saved(part.figure) != saved(made)
    for wrong in ([], [made, plt.figure()], None, [None], np.array([made, 3], dtype=object)):
        with raises(TypeError, text=approved):
            saved(wrong)


def test_what_is_no_path_is_refused(approved):
    for path in ("", ".", "/", 3, None, b"a.png"):
        with raises(TypeError, text=approved):
            files.checked_path(path, "x.pdf")


@pytest.mark.slow
def test_text_is_text_unless_the_user_says_otherwise(tmp_path):
    ax = artists.sketched(artists.profiles(B=artists.gaussian()))
    assert b"<text" in sims.save_figure(ax, tmp_path / "a.svg").read_bytes()
    assert b"/Type3" not in sims.save_figure(ax, tmp_path / "a.pdf").read_bytes()
    with plt.rc_context({"pdf.use14corefonts": True}):
        assert b"/Type1" in sims.save_figure(ax, tmp_path / "b.pdf").read_bytes()


@pytest.mark.few(2, 5)
@pytest.mark.parametrize("kind", ["png", "svg", "pdf", "tif", "tiff"])
def test_each_format_holds_the_origin_and_no_time(tmp_path, kind):
    ax = artists.sketched(artists.profiles(B=artists.gaussian()))
    path = sims.save_figure(ax, str(tmp_path / f"a.{kind.upper()}"), dpi=123.0)
    assert path == tmp_path / f"a.{kind.upper()}"
    assert sims.provenance(path)["calls"][-1].startswith("plot_profiles(...")
    content = path.read_bytes()
    assert f"sims_analysis {sims.__version__}".encode() in content
    for name in (b"CreationDate", b"ModDate", b"<dc:date>", b"tIME"):
        assert name not in content
    if kind not in ("svg", "pdf"):
        with Image.open(path) as picture:
            assert picture.info["dpi"] == pytest.approx((123.0, 123.0), abs=0.02)  # by metres
            assert picture.info.get("compression") == ("tiff_lzw" if kind != "png" else None)


@pytest.mark.slow
def test_an_svg_says_what_it_shows(tmp_path):
    data = artists.profiles(B=artists.gaussian(), Ga=(np.full(50, 2e5), "counts/s"))
    written = sims.save_figure(sims.plot_profiles(data, title="A & B"), tmp_path / "a.svg")
    root = ET.parse(written).getroot()  # noqa: S314 - our own
    space = "{http://www.w3.org/2000/svg}"
    title, description = (root.find(space + name) for name in ("title", "desc"))
    assert title.text == "A & B"
    assert description.text == (
        "B, Ga: Concentration (atoms/cm³), Intensity (counts/s) against Depth (nm)"
    )
