"""Each species on its own samples, whatever the layout of the data."""

import numpy as np
import pytest
from measured import layouts, one

import sims_analysis as sims
from sims_analysis.analysis.series import series_of
from sims_analysis.errors import ProfileError

PROFILES = {
    "B": (np.array([1.0, 2.0, 4.0]), np.array([1e18, 2e18, 3e18])),
    "P": (np.array([0.5, 2.0]), np.array([5e17, 0.0])),
}


@pytest.mark.parametrize("layout", layouts(PROFILES))
def test_the_measured_samples_in_every_layout(layout):
    found = {series.species: series for series in series_of(layouts(PROFILES)[layout])}
    assert found.keys() == PROFILES.keys()
    for species, (z, c) in PROFILES.items():
        series = found[species]
        np.testing.assert_array_equal(series.x, z)
        np.testing.assert_array_equal(series.y, c)
        assert (series.axis, series.axis_units, series.units) == ("depth", "nm", "atom/cm^3")
        assert series.stderr is None
        assert series.place == ({"measurement": "w1"} if "padded" in layout else {})


def test_units_are_canonical_and_errors_go_along():
    ds = one([0.1, 0.2, 0.3], [1.0, np.nan, 3.0], stderr=[0.1, 0.1, np.nan], depth_units="um")
    (series,) = series_of(ds)
    np.testing.assert_allclose(series.x, [100, 300], rtol=1e-15)
    np.testing.assert_array_equal(series.stderr, [0.1, np.nan])


def test_a_species_has_its_variables_one_after_the_other():
    ds = one([0.0, 1.0], [1e18, 2e18])
    ds = ds.assign(intensity=ds["concentration"].copy(data=[[5.0, 6.0]]).assign_attrs(units="Hz"))
    ds["intensity"].attrs["units"] = "counts/s"
    assert [s.variable for s in series_of(ds)] == ["concentration", "intensity"]


def test_what_holds_no_profile():
    with pytest.raises(ProfileError, match="nothing was measured"):
        series_of(one([0.0, 1.0], [np.nan, np.nan]))
    with pytest.raises(ProfileError, match=r"holds no profile: it has none of .* but dose"):
        series_of(one([0.0, 1.0], [1, 2]).rename(concentration="dose"))
    with pytest.raises(TypeError, match="found list"):
        series_of([sims.open_example("boron-implant")])
