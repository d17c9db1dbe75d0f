"""Budgets as bars: each part in per cent of its dose, and what is not known has none."""

from itertools import pairwise

import drawn
import matplotlib.pyplot as plt
import numpy as np
import pytest

import sims_analysis as sims
from sims_analysis.errors import ProfileError


def budget(counted=True, **options):
    data = drawn.profiles(B=drawn.gaussian(), P=drawn.gaussian(1e18))
    if counted:
        data = sims.with_counting_statistics(data, value_per_count="1e15 atoms/cm^3")
    return sims.dose_budget(data, **options)


@pytest.mark.slow
def test_bars_are_the_parts_of_the_budget():
    found = budget(rsf_uncertainty=0.1, depth_uncertainty=0.02)
    ax = sims.plot_budget(found)
    assert [t.get_text() for t in ax.get_yticklabels()] == [
        "random", "background", "sensitivity factor", "depth scale", "systematic"
    ]  # fmt: skip
    for bars, species in zip(ax.containers, ("B", "P"), strict=True):
        one = found.sel(species=species)
        widths = [bar.get_width() for bar in bars]
        random = 100 * one["random_stderr"] / one["dose"]
        np.testing.assert_allclose(widths, [random, 0, 10, 2, np.hypot(10, 2)], rtol=1e-12)
    assert [a.get_texts()[1].get_text() for a in ax.artists] == ["P"]


def test_what_is_not_known_says_so():
    ax = sims.plot_budget(budget(counted=False, rsf_uncertainty=0.1).sel(species=["B"]))
    texts = [text.get_text() for text in ax.texts]
    assert texts[0] == "not known"
    assert texts[2] == "10 %"


def test_a_share_is_written_without_an_exponent():
    found = budget(rsf_uncertainty=0.1).sel(species=["B"])
    texts = [t.get_text() for t in sims.plot_budget(found.assign(dose=found.dose / 1e3)).texts]
    assert texts[2] == "10000 %"


@pytest.mark.parametrize("other", [sims.peak, sims.integrated_dose, lambda ds: ds, lambda _: 3])
def test_what_is_no_budget_is_refused(other):
    with pytest.raises(ProfileError, match=r"sims\.dose_budget"):
        sims.plot_budget(other(drawn.profiles(B=drawn.gaussian())))


def test_more_profiles_than_can_be_told_apart_are_refused():
    many = sims.dose_budget(sims.stack(list(drawn.wafers(13).values()), names=range(13)))
    with pytest.raises(ProfileError, match="13 profiles cannot be told apart"):
        sims.plot_budget(many)


@pytest.mark.slow
def test_names_take_no_width_and_numbers_do_not_overlap():
    data = drawn.profiles(**dict.fromkeys(("B", "P", "As", "Sb"), drawn.gaussian()))
    four = sims.dose_budget(data, rsf_uncertainty=0.1)
    _, axs = plt.subplots(1, 2, figsize=(7, 2.6))
    own, given = sims.plot_budget(four, title="four"), sims.plot_budget(four, axs[0])
    for ax, share in ((own, 0.5), (given, 0.3)):
        ax.figure.draw_without_rendering()
        assert ax.bbox.width > share * ax.figure.bbox.width
        boxes = [text.get_window_extent() for text in ax.texts[::5]]
        assert all(high.y0 > low.y0 + 0.8 * low.height for high, low in pairwise(boxes))
    with pytest.raises(ProfileError, match="4 profiles do not fit axes 14 mm high"):
        sims.plot_budget(four, plt.subplots(figsize=(7, 0.7))[1])


@pytest.mark.parametrize("width", ["55 mm", "60 mm", "single"])
def test_numbers_and_label_are_inside(width):
    data = drawn.profiles(B=drawn.gaussian(), P=drawn.gaussian(1e18))
    budget = sims.dose_budget(data, rsf_uncertainty=0.1, depth_uncertainty=0.02)
    ax = sims.plot_budget(budget, width=width)
    ax.figure.set_dpi(300)  # as it is saved; on a screen, letters stand on whole pixels
    ax.figure.draw_without_rendering()
    assert max(text.get_window_extent().x1 for text in ax.texts) < ax.bbox.x1
    assert ax.xaxis.label.get_window_extent().x1 < ax.figure.bbox.x1
