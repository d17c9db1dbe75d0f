"""Files: text is text, every format keeps the origin and comes out the same again."""

import re

import drawn
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

import sims_analysis as sims

mpl.use("Agg")


def figure():
    ds = sims.with_counting_statistics(
        drawn.profiles(**{"11B": drawn.gaussian()}), value_per_count="1e14 atoms/cm^3"
    )
    return sims.plot_profiles(ds, dose=sims.integrated_dose(ds)).figure


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A figure in a file of each format: fonts and pixels take seconds."""
    written, made = {}, figure()
    alphas = [c.get_alpha() for c in made.axes[0].collections]
    for kind in ("svg", "pdf", "eps", "tiff"):
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
@pytest.mark.parametrize("kind", ["pdf", "eps"])
def test_pdf_and_eps_hold_fonts_of_type_42(saved, kind):
    content = saved[kind].read_bytes()
    # Of a PDF, Type 42 is a TrueType font with a descendant of CIDFontType2; Type 3 is outlines.
    assert b"/Type3" not in content
    assert b"/FontType 3" not in content
    assert (b"/CIDFontType2" if kind == "pdf" else b"/FontType 42") in content


@pytest.mark.slow
def test_a_style_sheet_may_ask_for_outlines(tmp_path):
    made = figure()
    with plt.rc_context({"pdf.fonttype": 3, "svg.hashsalt": "mine"}):
        before = dict(mpl.rcParams)
        sims.save_figure(made, tmp_path / "f.pdf")
        assert dict(mpl.rcParams) == before


@pytest.mark.study
@pytest.mark.parametrize(("kind", "suffix"), [("tiff", "tif"), ("eps", "eps")])
def test_tiff_and_eps_come_out_the_same_again(saved, tmp_path, kind, suffix):
    path = tmp_path / f"again.{suffix}"
    again = sims.save_figure(figure(), path, dpi=100, calls=["mine()"]).read_bytes()
    assert again == saved[kind].read_bytes()


@pytest.mark.parametrize("kind", ["tiff", "eps"])
def test_tiff_and_eps_tell_their_origin(saved, kind):
    assert sims.provenance(saved[kind])["calls"][-1] == "mine()"


def test_shades_of_an_eps_are_paler_than_their_curves(saved):
    made = figure()
    text = saved["eps"].read_text()
    fills = {
        tuple(map(float, found))
        for found in re.findall(r"^(\S+) (\S+) (\S+) setrgbcolor", text, re.MULTILINE)
    }
    line = mpl.colors.to_rgb(made.axes[0].lines[0].get_color())
    pale = 1 - 0.12 * (1 - np.array(line))
    assert any(np.allclose(pale, colour, atol=2e-3) for colour in fills)


@pytest.mark.study
def test_nothing_in_an_eps_is_transparent(tmp_path, caplog):
    made = sims.plot_profiles(drawn.wafers(12, outlier=3)).figure
    with caplog.at_level("WARNING", logger="matplotlib"):
        sims.save_figure(made, tmp_path / "f.eps")
    assert "transparen" not in caplog.text


@pytest.mark.study
def test_axes_and_panels_stand_for_their_figure(tmp_path):
    panels = sims.plot_panels(drawn.profiles(B=drawn.gaussian(), P=drawn.gaussian()), by="species")
    given = (panels[0].figure, panels[0], panels, list(panels))
    saved = [sims.save_figure(each, tmp_path / f"{i}.svg") for i, each in enumerate(given)]
    assert len({path.read_bytes() for path in saved}) == 1


def test_what_is_no_figure_is_refused(tmp_path):
    ax = sims.plot_profiles(drawn.profiles(B=drawn.gaussian()))
    with pytest.raises(TypeError, match=r"found str: sims\.save_figure\(ax, \"figure\.pdf\"\)"):
        sims.save_figure("a.png", ax)
    with pytest.raises(TypeError, match=r"path=.*expected that of a file"):
        sims.save_figure(ax, ax)
    with pytest.raises(TypeError, match=r"no option 'format': .*the ending of the path"):
        sims.save_figure(ax, tmp_path / "a.png", format="svg")
    with pytest.raises(ValueError, match="dpi=0; expected dots an inch"):
        sims.save_figure(ax, tmp_path / "a.png", dpi=0)
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*: make it first"):
        sims.save_figure(ax, tmp_path / "absent" / "a.png")
    with pytest.raises(TypeError, match="expected a figure or its axes, found ndarray"):
        sims.save_figure(np.array([ax, plt.figure()]), tmp_path / "a.png")


@pytest.mark.study
def test_a_figure_has_one_layout_in_every_format(tmp_path):
    figure = sims.plot_profiles(sims.open_example("gan-mg-stack")).figure
    places = []
    for suffix in ("png", "eps"):
        sims.save_figure(figure, tmp_path / f"a.{suffix}")
        places.append([ax.get_position().bounds for ax in figure.axes])
    np.testing.assert_allclose(*places, atol=1e-6)
