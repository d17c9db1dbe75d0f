"""Small profiles to draw, and what is found in a figure that was drawn of them."""

import io
import re

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.legend import Legend
from matplotlib.text import Text
from single_profiles import profile_of

import sims_analysis as sims
from sims_analysis.figures.layout import Layer, layout_at

DEPTHS = np.arange(0.0, 100.0, 2.0)


def profiles(axis="nm", depths=DEPTHS, **values):
    """Profiles by species: values, or (values, unit)."""
    made = []
    for name, given in values.items():
        y, units = given if isinstance(given, tuple) else (given, "atoms/cm^3")
        z = depths[: len(y)]
        made.append(profile_of(z, list(y), name, axis_units=axis, units=units))
    return sims.to_dataset(made)


def gaussian(top=1e19, middle=30.0, width=12.0, floor=1e15):
    return top * np.exp(-0.5 * ((DEPTHS - middle) / width) ** 2) + floor


def wafers(count, outlier=None):
    """Wafers that agree to a per cent, but for one."""
    rng = np.random.default_rng(1)
    made = {}
    for i in range(count):
        factor = 1 + 0.01 * rng.standard_normal()
        made[f"W{i + 1:02d}"] = profiles(B=gaussian() * factor * (3 if i == outlier else 1))
    return made


def luminance(colour):
    """Relative luminance as WCAG 2.1 defines it."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def lines(ax, least=10):
    """Curves of an axes: lines with many samples."""
    return [line for line in ax.lines if len(line.get_xdata()) >= least
            and line.get_linestyle() not in ("None", "none")
            and not line.get_label().startswith("_")]  # fmt: skip


def dashes(ax):
    """Dashes of the curves, as an SVG has them; None where a curve is solid."""
    for i, line in enumerate(lines(ax)):
        line.set_gid(f"curve-{i}")
    text = io.StringIO()
    ax.figure.savefig(text, format="svg")
    curves = re.split(r'id="curve-\d+"', text.getvalue())[1:]
    return [re.search(r"stroke-dasharray: ([^;]*)|</g>", curve)[1] for curve in curves]


def axes(ax):
    """Axes at one place, by the labels of their values."""
    return layout_at(ax).axes


def marks(ax, marker="v"):
    return [line for line in ax.lines if line.get_marker() == marker]


def _texts(ax):
    """Names and lists of the plot in an axes, as they stand in the figure now."""
    known = layout_at(ax)
    known.arrange()
    every = dict.fromkeys([*ax.figure.axes, *known.axes.values()])  # insets are no axes of it
    artists = [one for each in every for one in each.artists]
    layers = [one for one in artists if isinstance(one, Layer) and one.layout is known]
    return [text for layer in layers for text in layer.texts]


def _legends(ax, above):
    found = [one for one in _texts(ax) if isinstance(one, Legend)]
    return [one for one in found if (one.get_window_extent().y0 >= ax.bbox.y1 - 1) == above]


def listed(ax):
    """The list of results and of what marks mean; None if there is none."""
    return next(iter([*_legends(ax, above=False), *ax.figure.legends]), None)


def named(ax):
    """The legend of names above the axes; None if there is none."""
    return next(iter(_legends(ax, above=True)), None)


def notes(ax):
    """Results and explanations, at their marks or in the list, each in one line."""
    found = listed(ax)
    texts = [] if found is None else found.get_texts()
    known = [text.get_text().replace("\n", " ") for text in [*at_marks(ax), *texts]]
    order = [text.replace("\n", " ") for text in layout_at(ax).results]
    return sorted(known, key=lambda text: order.index(text) if text in order else len(order))


def inside(ax):
    """Texts inside the axes that are no list."""
    return [one for one in _texts(ax) if isinstance(one, Text)]


def at_marks(ax):
    """Results that are written at their marks."""
    results = {text.replace("\n", " ") for text in layout_at(ax).results}
    return [one for one in inside(ax) if one.get_text().replace("\n", " ") in results]


def names(ax):
    found = named(ax)
    return [] if found is None else [text.get_text() for text in found.get_texts()]


def direct(ax):
    """Names beside the curves, in their order."""
    return [text.get_text() for text in direct_texts(ax)]


def direct_texts(ax):
    names = layout_at(ax).direct
    return [one for one in inside(ax) if one.get_text() in names]


def sketched(data, ax=None, **options):
    """Draw as in a figure without a layout engine, which takes most of the time."""
    return sims.plot_profiles(data, ax or plt.figure(dpi=50).add_subplot(), **options)
