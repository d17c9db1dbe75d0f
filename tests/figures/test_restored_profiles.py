"""A restored profile over the measured one, with the resolution that is achieved as a bar."""

import numpy as np
import pytest
import restored_truth as rt
import xarray as xr
from artists import notes, sketched

import sims_analysis as sims

Z = np.arange(30, 90, 0.5)


@pytest.fixture(scope="module")
def both():
    clean = rt.blurred(lambda z: np.where(np.abs(z - 60) < 0.5, 1.0, 1e-3), Z)
    ds = rt.counted(2000 * clean / clean.max(), Z)
    return ds, sims.deconvolve(ds, resolution=rt.RESOLUTION, start="35 nm")


def drawn(ax, what):
    return [line for each in ax.figure.axes for line in each.lines if line.get_gid() == what]


def test_both_profiles_are_drawn_and_the_resolution_is_a_bar(both):
    ds, restored = both
    ax = sketched(ds, restored=restored)
    (line,), (bar,) = drawn(ax, "restored"), drawn(ax, "resolution")
    there = restored["concentration"].dropna("depth")
    np.testing.assert_allclose(line.get_xdata(), there["depth"])
    shown = np.isfinite(line.get_ydata())
    np.testing.assert_allclose(line.get_ydata()[shown], there[shown])
    top = int(there.argmax("depth"))
    width = restored["achieved_resolution"].dropna("depth")[top]
    assert np.ptp(bar.get_xdata()) == pytest.approx(width.item())
    assert np.mean(bar.get_xdata()) == pytest.approx(there["depth"][top].item())
    # The restored layer is higher than the measured one, and inside the axes.
    assert ax.get_ylim()[1] > bar.get_ydata()[0] > there.max() > ds["concentration"].max()
    assert {"restored", "achieved resolution"} <= set(notes(ax))


@pytest.mark.slow
def test_depths_in_other_units_and_panels(both):
    ds, restored = both
    ax = sims.plot_profiles(ds, restored=restored, depth_units="um")
    assert drawn(ax, "restored")[0].get_xdata().max() == pytest.approx(0.0895)
    batch = xr.concat([ds, ds], xr.Variable("measurement", ["a", "b"]))
    answer = sims.deconvolve(batch, resolution=rt.RESOLUTION, start="35 nm")
    axes = sims.plot_panels(batch, restored=answer)
    assert [len([x for x in ax.lines if x.get_gid() == "resolution"]) for ax in axes] == [1, 1]
