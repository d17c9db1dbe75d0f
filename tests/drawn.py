"""Small profiles to draw, and what is found in a figure that was drawn of them."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.legend import Legend

import sims_analysis as sims
from sims_analysis.figures.arguments import OPTIONS, RESULTS, read_options
from sims_analysis.figures.axes import axes_at
from sims_analysis.figures.canvas import EXPLAINED, NAMES, NOTES, Canvas
from sims_analysis.figures.curves import measurements_of
from sims_analysis.figures.drawing import draw, prepared, taken_colours

DEPTHS = np.arange(0.0, 100.0, 2.0)


def profiles(axis="nm", **values):
    """Profiles by species: values, or (values, unit)."""
    made = []
    for name, given in values.items():
        y, units = given if isinstance(given, tuple) else (given, "atoms/cm^3")
        made.append(
            sims.DepthProfile(
                species_name=name,
                depths=DEPTHS[: len(y)],
                depth_units=axis,
                concentrations=list(y),
                concentration_units=units,
            )
        )
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


def lines(ax, least=10):
    """Curves of an axes: lines with many samples."""
    return [line for line in ax.lines if len(line.get_xdata()) >= least
            and line.get_linestyle() not in ("None", "none")
            and not line.get_label().startswith("_")]  # fmt: skip


def axes(ax):
    """Axes at one place, by the labels of their values."""
    return {label: each for (_, label), each in axes_at(ax).items()}


def legend(ax, label):
    inside = [artist for each in axes_at(ax).values() for artist in each.artists]
    found = [one for one in [*inside, *ax.figure.legends] if one.get_label() == label]
    return found[0] if found else None


def listed(ax):
    return legend(ax, NOTES)


def named(ax):
    return legend(ax, NAMES)


def notes(ax):
    found = listed(ax)
    return [] if found is None else [text.get_text() for text in found.get_texts()]


def names(ax):
    found = named(ax)
    return [] if found is None else [text.get_text() for text in found.get_texts()]


def beside(ax):
    return [t.get_text() for each in axes(ax).values() for t in each.texts if t.get_text()]


def sketched(data, ax=None, **options):
    """Draw as ``sims.plot_profiles`` does, but for the layout, which takes most of the time.

    Names and lists are there, wherever they stand.
    """
    known = measurements_of(data)
    line = {name: one for name, one in options.items() if name not in OPTIONS | RESULTS.keys()}
    wanted = read_options(options, line, data, known)
    canvas = Canvas(ax or plt.figure(dpi=50).add_subplot(), *prepared(known, wanted))
    canvas.read()
    draw([canvas], taken_colours(canvas))
    for text, line in canvas.beside:
        line.axes.text(0.0, 0.0, text, label=line.get_label())
    for label, entries in ((NAMES, canvas.names), (NOTES, canvas.results | canvas.explained)):
        if entries:
            found = Legend(canvas.ax, list(entries.values()), list(entries))
            found.set_label(label)
            canvas.ax.add_artist(found)
            for text in found.get_texts()[len(canvas.results) :] if label == NOTES else ():
                text.set_label(EXPLAINED)
    return canvas.ax
