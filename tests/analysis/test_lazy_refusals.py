"""Data that are refused in memory give no number on Dask either."""

import numpy as np
import pytest
from error_parts import raises
from measurement_layouts import measurement, one

import sims_analysis as sims
from sims_analysis.errors import ProfileError


def test_negative_values_have_no_counts():
    ds = measurement([0, 1, 2], {"B": [1e18, -1e18, 0.0], "P": [1e18, 1e18, np.nan]})
    found = sims.with_counting_statistics(ds.chunk(species=1), value_per_count="1e16 atoms/cm^3")
    for name in ("concentration_counts", "concentration_stderr"):
        assert found[name].isnull().values.tolist() == [[False, True, False], [False, False, True]]
    assert np.isnan(sims.integrated_dose(found)["stderr"].sel(species="B"))
    assert sims.integrated_dose(found)["stderr"].sel(species="P") > 0


@pytest.mark.few(3)
@pytest.mark.parametrize("infinite", [np.inf, -np.inf])
@pytest.mark.parametrize(
    "ask",
    [
        sims.integrated_dose,
        sims.moments,
        sims.peak,
        sims.depth_at_dose_fraction,
        lambda ds: sims.junction_depth(ds, level="1e17 atoms/cm^3"),
        lambda ds: sims.interpolate(ds, depth="1.5 nm"),
        lambda ds: sims.to_grid(ds, step="0.5 nm"),
        lambda ds: sims.metallurgical_junctions(ds, donors=["P"], acceptors=["B"], max_count=2),
    ],
)
def test_infinities_are_refused_when_they_are_computed(ask, infinite):
    ds = measurement(
        [0, 1, 2, 3], {"B": [1e18, 2e18, infinite, 1e18], "P": [1e19, 1e18, np.nan, 1e16]}
    )
    found = ask(ds.chunk())
    with raises(ProfileError, "infinite_sample"):
        found.compute()


def test_gaps_are_not_refused():
    ds = one([0, 1, 2, 3], [1e18, np.nan, 2e18, np.nan]).chunk(species=1)
    assert float(sims.integrated_dose(ds)[0]) == pytest.approx(3e11)
