"""The comparison of what is shown with what is built again sees a change."""

import io

import matplotlib as mpl
import pytest
from rebuild_check import same_picture, same_text

import sims_analysis as sims

mpl.use("Agg")


def png(**options):
    stream = io.BytesIO()
    ax = sims.plot_profiles(sims.open_example("boron-implant"), **options)
    ax.figure.savefig(stream, format="png", dpi=100)
    return stream.getvalue()


@pytest.mark.slow
def test_the_same_figure_is_the_same_and_another_is_not():
    assert same_picture(png(), png())
    assert not same_picture(png(), png(colours={"P": "green"}))
    assert not same_picture(png(), png(width="double"))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("dose 5.031e14 ok", "dose 5.0310000001e14 ok", True),
        ("dose 5.031e14 ok", "dose 5.032e14 ok", False),
        ("dose 5.031e14 ok", "dose 5.031e14 truncated", False),
        ("range 96.64 +- 27 nm", "range 96.65 +- 27 nm", True),
        ("range 96.1 +- 27 nm", "range 96.65 +- 27 nm", False),
        ("| B | 1 |", "| B | 1 | 2 |", False),
    ],
)
def test_tables_by_value(one, other, same):
    assert same_text(one, other) is same
