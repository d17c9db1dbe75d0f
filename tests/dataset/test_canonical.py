"""Variables and axes in canonical units, or refused by name."""

import numpy as np
import pytest
import xarray as xr

import sims_analysis as sims
from sims_analysis.dataset.canonical import scaled, to_canonical
from sims_analysis.errors import ProfileError, UnitsError

DS = xr.Dataset(
    {"intensity": (("measurement", "species", "depth"), np.ones((2, 3, 4)), {"units": "kcps"})},
    coords={
        "measurement": ["w1", "w2"],
        "species": ["B", "P", "Si"],
        "depth": ("depth", [0.0, 0.1, 0.2, 1.001], {"units": "um"}),
    },
)
CANONICAL = to_canonical(DS)


def test_variables_and_axes_in_canonical_units():
    assert CANONICAL["intensity"].attrs["units"] == "count/s"
    np.testing.assert_array_equal(CANONICAL["intensity"], 1000.0)
    np.testing.assert_allclose(CANONICAL["depth"], [0.0, 100.0, 200.0, 1001.0])
    assert CANONICAL["depth"].attrs["units"] == "nm"
    assert to_canonical(CANONICAL) is CANONICAL
    with pytest.raises(UnitsError, match="depth has no unit"):
        to_canonical(DS.drop_attrs())
    with pytest.raises(ProfileError, match="intensity: expected real numbers"):
        to_canonical(DS.astype(complex).assign_coords(DS.coords))


def test_what_stands_beside_a_variable_in_its_unit_is_scaled_with_it():
    ds = CANONICAL.assign(
        intensity_stderr=0.1 * CANONICAL["intensity"], intensity_counts=CANONICAL["intensity"]
    )
    made = scaled(ds, "intensity", xr.Variable("species", [1.0, 2.0, 3.0]))
    assert list(made) == ["", "_stderr", "_counts"]
    np.testing.assert_array_equal(made[""][:, 1], 2000.0)
    np.testing.assert_array_equal(made["_stderr"][:, 2], 300.0)
    np.testing.assert_array_equal(made["_counts"], 1000.0)
    assert made[""].dims == ds["intensity"].dims
    assert made[""].attrs == ds["intensity"].attrs


def test_an_argument_that_there_is_not_is_refused_with_what_was_meant():
    with pytest.raises(
        TypeError, match=r"^correct_dead_time\(\) has no argument 'deadtime'; did you"
    ):
        sims.correct_dead_time(DS, deadtime="20 ns")
    with pytest.raises(TypeError, match="takes data by position and all else by name"):
        sims.correct_dead_time(DS, "20 ns")


def test_only_datasets_have_several_variables():
    with pytest.raises(
        TypeError, match="correct_dead_time takes an xarray Dataset, found DataArray"
    ):
        sims.correct_dead_time(DS["intensity"], dead_time="20 ns")
