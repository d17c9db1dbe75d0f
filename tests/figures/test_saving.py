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


def test_svg_keeps_text_as_text(tmp_path):
    text = sims.save_figure(figure(), tmp_path / "f.svg").read_text()
    assert "<text" in text
    assert "Depth (nm)" in text
    assert "Concentration (atoms/cm³)" in text


@pytest.mark.parametrize("kind", ["pdf", "eps"])
def test_pdf_and_eps_hold_fonts_of_type_42(tmp_path, kind):
    content = sims.save_figure(figure(), tmp_path / f"f.{kind}").read_bytes()
    # Of a PDF, Type 42 is a TrueType font with a descendant of CIDFontType2; Type 3 is outlines.
    assert b"/Type3" not in content
    assert b"/FontType 3" not in content
    assert (b"/CIDFontType2" if kind == "pdf" else b"/FontType 42") in content


def test_a_style_sheet_may_ask_for_outlines(tmp_path):
    made = figure()
    with plt.rc_context({"pdf.fonttype": 3, "svg.hashsalt": "mine"}):
        before = dict(mpl.rcParams)
        sims.save_figure(made, tmp_path / "f.pdf")
        assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("kind", ["tiff", "tif", "eps"])
def test_tiff_and_eps_come_out_the_same_again(tmp_path, kind):
    made = figure()
    first = sims.save_figure(made, tmp_path / f"1.{kind}", dpi=100).read_bytes()
    again = sims.save_figure(figure(), tmp_path / f"2.{kind}", dpi=100).read_bytes()
    assert first == again


@pytest.mark.parametrize("kind", ["tiff", "eps"])
def test_tiff_and_eps_tell_their_origin(tmp_path, kind):
    path = sims.save_figure(figure(), tmp_path / f"f.{kind}", dpi=100, calls=["mine()"])
    assert sims.provenance(path)["calls"][-1] == "mine()"


def test_shades_of_an_eps_are_paler_than_their_curves(tmp_path):
    made = figure()
    alphas = [c.get_alpha() for c in made.axes[0].collections]
    text = sims.save_figure(made, tmp_path / "f.eps").read_text()
    assert [c.get_alpha() for c in made.axes[0].collections] == alphas
    fills = {
        tuple(map(float, found))
        for found in re.findall(r"^(\S+) (\S+) (\S+) setrgbcolor", text, re.MULTILINE)
    }
    line = mpl.colors.to_rgb(made.axes[0].lines[0].get_color())
    pale = 1 - 0.12 * (1 - np.array(line))
    assert any(np.allclose(pale, colour, atol=2e-3) for colour in fills)


def test_axes_are_no_figure(tmp_path):
    ax = sims.plot_profiles(sims.open_example("boron-implant"))
    with pytest.raises(TypeError, match=r"found Axes; the figure of axes is ax\.figure"):
        sims.save_figure(ax, tmp_path / "a.png")
