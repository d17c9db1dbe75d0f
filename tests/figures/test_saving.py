"""Files: text is text, every format keeps the origin and comes out the same again."""

import re
from xml.etree import ElementTree as ET

import drawn
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

import sims_analysis as sims
from sims_analysis.figures import saving

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
    with plt.rc_context({"pdf.fonttype": 3, "svg.hashsalt": "selected"}):
        before = dict(mpl.rcParams)
        sims.save_figure(made, tmp_path / "f.pdf")
        assert dict(mpl.rcParams) == before


@pytest.mark.study
@pytest.mark.parametrize(("kind", "suffix"), [("tiff", "tif"), ("eps", "eps")])
def test_tiff_and_eps_come_out_the_same_again(saved, tmp_path, kind, suffix):
    path = tmp_path / f"again.{suffix}"
    again = sims.save_figure(figure(), path, dpi=100, calls=["mine()"]).read_bytes()
    assert again == saved[kind].read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["tiff", "eps"])
def test_tiff_and_eps_tell_their_origin(saved, kind):
    assert sims.provenance(saved[kind])["calls"][-1] == "mine()"


@pytest.mark.slow
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


# --- the steps of it ----------------------------------------------------------------------------


def test_a_figure_is_found_from_whatever_is_of_it():
    made, axs = plt.subplots(1, 2)
    part = plt.figure().subfigures(1, 2)[0]
    inside = part.add_subplot()
    for given in (made, axs, axs[0], list(axs), [made, axs[1]]):
        assert saving._figure_of(given) is made
    for given in (part, inside):
        assert saving._figure_of(given) is part.figure
    for wrong in ([], [made, plt.figure()], None, [None], np.array([made, 3], dtype=object)):
        with pytest.raises(TypeError, match="expected a figure or its axes, found"):
            saving._figure_of(wrong)


@pytest.mark.parametrize("path", ["", ".", "/", 3, None, b"a.png"])
def test_what_is_no_path_is_refused(path):
    with pytest.raises(TypeError, match=r"expected that of a file, such as 'x\.pdf'"):
        saving.checked_path(path, "x.pdf")


@pytest.mark.parametrize(
    ("dpi", "options", "message"),
    [(19.9, {}, "dpi=19.9; expected dots an inch, 20 to 4800"), (4801, {}, "dpi="),
     ("300", {}, "dpi="), (True, {}, "dpi=True"), (300, {"transparent": 1}, "transparent=1"),
     (300, {"format": "svg"}, "no option 'format': it has bbox_inches, edgecolor"),
     (300, {"metadata": {}}, "no option 'metadata'"), (300, {"bbox_inches": 3}, "bbox_inches=3"),
     (300, {"bbox_inches": "loose"}, "bbox_inches='loose'")],
)  # fmt: skip
def test_options_that_files_cannot_have_are_refused(dpi, options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        saving._check_options(dpi, options)


def test_options_at_their_ends_are_taken():
    for dpi in (20, 4800.0):
        saving._check_options(dpi, {})
    box = mpl.transforms.Bbox([[0, 0], [1, 1]])
    for value in ("tight", None, box):
        saving._check_options(300, {"bbox_inches": value})
    saving._check_options(300, {"transparent": True, "pad_inches": 0, "facecolor": "w"})


def test_text_is_text_unless_the_user_says_otherwise():
    found = saving._settings()
    assert {name: found[name] for name in ("svg.fonttype", "pdf.fonttype", "ps.fonttype")} == {
        "svg.fonttype": "none", "pdf.fonttype": 42, "ps.fonttype": 42,
    }  # fmt: skip
    assert found["svg.hashsalt"]
    assert found["figure.autolayout"] is found["figure.constrained_layout.use"] is False
    with plt.rc_context({"pdf.fonttype": 3 if mpl.rcParamsDefault["pdf.fonttype"] != 3 else 42}):
        assert "pdf.fonttype" not in saving._settings()
        assert "ps.fonttype" in saving._settings()


def test_transparent_colours_are_meanwhile_those_that_they_give_on_the_paper():
    made, ax = plt.subplots()
    ax.set_facecolor("#ffff00")
    (line,) = ax.plot([1, 2], color="#000000", alpha=0.25)
    (bar,) = ax.bar([1], [1], color="#ff0000", alpha=0.5)
    area = ax.fill_between([0, 1], [0, 1], color="#0000ff", alpha=0.5)
    (solid,) = ax.plot([2, 1], color="#123456")
    with saving._opaque(made, flat=True):
        np.testing.assert_allclose(line.get_color(), (0.75, 0.75, 0))
        np.testing.assert_allclose(bar.get_facecolor(), (1, 0.5, 0, 1))
        np.testing.assert_allclose(area.get_facecolor(), [(0.5, 0.5, 0.5, 1)])
        assert {one.get_alpha() for one in (line, bar, area)} == {None}
        assert solid.get_color() == "#123456"
    assert (line.get_color(), line.get_alpha()) == ("#000000", 0.25)
    assert bar.get_alpha() == area.get_alpha() == 0.5
    np.testing.assert_allclose(bar.get_facecolor(), (1, 0, 0, 0.5))
    with saving._opaque(made, flat=False):
        assert line.get_alpha() == 0.25


def test_the_origin_is_in_the_header_of_an_eps_in_short_lines():
    content = b"%!PS\n%%CreationDate: today\n%%EndComments\nbody\n%%CreationDate: a text\n"
    found = saving._with_comment(content, "x" * 201).decode()
    assert found == (
        f"%!PS\n%sims_analysis: {'x' * 200}\n%sims_analysis: x\n"
        "%%EndComments\nbody\n%%CreationDate: a text\n"
    )


def test_axes_keep_their_rounded_places_while_a_figure_is_written():
    made, axs = plt.subplots(1, 2, layout="constrained")
    made.draw_without_rendering()
    axs[1].set_in_layout(False)
    engine, before = made.get_layout_engine(), [ax.get_position(original=True) for ax in axs]
    with saving._held(made):
        assert made.get_layout_engine() is None
        for ax, place in zip(axs, before, strict=True):
            found = ax.get_position(original=True).bounds
            assert found == pytest.approx(np.round(place.bounds, 6), abs=1e-12)
    assert made.get_layout_engine() is engine
    assert [ax.get_position(original=True).bounds for ax in axs] == [p.bounds for p in before]
    assert [ax.get_in_layout() for ax in axs] == [True, False]
    plain = plt.figure()
    with saving._held(plain):
        assert plain.get_layout_engine() is None


def test_a_layout_is_repeated_until_it_does_not_change(monkeypatch):
    made, _ = plt.subplots(layout="constrained")
    places = iter([0, 1, 2, 2, 3, 4])
    known = [next(places)]
    laid = []

    def lay_out(figure):
        laid.append(figure.dpi)
        known[0] = next(places)

    monkeypatch.setattr(saving, "lay_out", lay_out)
    monkeypatch.setattr(saving, "_places", lambda _: known[0])
    saving._settle(made)
    assert laid == [300.0] * 3
    places, known[0] = iter(range(1, 99)), 0
    saving._settle(made)
    assert len(laid) == 3 + 6  # it gives up
    plain = plt.figure()
    saving._settle(plain)
    assert len(laid) == 3 + 6


@pytest.mark.parametrize("kind", ["svg", "pdf", "eps", "png", "tiff", "tif"])
def test_each_format_holds_the_origin_and_no_time(monkeypatch, tmp_path, kind):
    asked = {}
    made = plt.figure()
    monkeypatch.setattr(saving.origin, "to_text", lambda _: "the origin")
    monkeypatch.setattr(type(made), "savefig", lambda *_, **known: asked.update(known))
    path = sims.save_figure(made, str(tmp_path / f"a.{kind.upper()}"), dpi=123.0)
    assert path == tmp_path / f"a.{kind.upper()}"
    assert asked["dpi"] == 123.0
    assert asked["format"] == ("tiff" if kind == "tif" else kind)
    known = asked.get("metadata") or asked["pil_kwargs"]["tiffinfo"]
    assert f"sims_analysis {sims.__version__}" in known.values()
    if kind == "eps":
        assert b"%sims_analysis: the origin" in path.read_bytes()
    else:
        assert "the origin" in known.values()
    for name in ("Date", "CreationDate"):
        assert known.get(name) is None
    assert ("Date" in known, "CreationDate" in known) == (kind == "svg", kind == "pdf")
    if "pil_kwargs" in asked:
        assert asked["pil_kwargs"]["compression"] == "tiff_lzw"


def test_one_call_may_be_a_text(monkeypatch, tmp_path):
    asked = []
    made = plt.figure()
    monkeypatch.setattr(saving.origin, "of_figure", lambda _, calls: asked.append(calls))
    monkeypatch.setattr(saving.origin, "to_text", lambda _: "")
    monkeypatch.setattr(type(made), "savefig", lambda *_, **__: None)
    sims.save_figure(made, tmp_path / "a.svg", calls="mine()")
    sims.save_figure(made, tmp_path / "a.svg", calls=("a", "b"))
    assert asked == [["mine()"], ("a", "b")]
    for name in ("a.jpg", "a", "a.svgz"):
        with pytest.raises(ValueError, match=rf"cannot write '{name}': only \.svg"):
            sims.save_figure(made, tmp_path / name)


def test_an_svg_says_what_it_shows(tmp_path):
    data = drawn.profiles(B=drawn.gaussian(), Ga=(np.full(50, 2e5), "counts/s"))
    written = sims.save_figure(sims.plot_profiles(data, title="A & B"), tmp_path / "a.svg")
    root = ET.parse(written).getroot()  # noqa: S314 - our own
    space = "{http://www.w3.org/2000/svg}"
    title, description = (root.find(space + name) for name in ("title", "desc"))
    assert title.text == "A & B"
    assert description.text == (
        "B, Ga: Concentration (atoms/cm³), Intensity (counts/s) against Depth (nm)"
    )
