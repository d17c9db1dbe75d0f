"""Where there is no answer: NaN never comes without a status that says why."""

import numpy as np
import pytest
from counted import edge, trials
from measured import one, word

import sims_analysis as sims
from sims_analysis.errors import ProfileError

MOMENTS = ("projected_range", "straggle", "skewness", "kurtosis")


@pytest.mark.parametrize("counts", [1, 3])
def test_moments_in_noise_are_told_or_said_not_to_be(counts):
    shape, _ = edge(30.0)
    ds = trials(lambda z: shape(z) * 0.3 + 1.0, np.arange(0, 200, 4.0), counts)
    found = sims.moments(ds, background=("150 nm", "200 nm"))
    ok = found["status"] == "ok"
    assert 0 < int(ok.sum()) < ok.size
    for name in (*MOMENTS, "dose"):
        assert bool((found[name].notnull() == ok).all()), name
    within = (found["projected_range"] >= found["start"]) & (
        found["projected_range"] <= found["stop"]
    )
    assert bool((within | ~ok).all())
    assert set(np.unique(found["status"])) <= {"ok", "below_detection", "never_reached"}


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ([1e18, 2e18, 1e18], "ok"),
        ([np.nan, 2e18, np.nan], "no_data"),
        ([np.nan] * 3, "no_data"),
        ([0.0, 0.0, 0.0], "never_reached"),
        ([-1e18, 0.0, -1e18], "never_reached"),
    ],
)
def test_the_status_of_a_containing_depth(values, status):
    for ds in (one([0, 1, 2], values), one([0, 1, 2], values).chunk(species=1)):
        found = sims.containing_depth(ds, fraction=[0.5, 0.9])
        assert found["status"].dims == ("species",)
        assert word(found["status"]) == status
        assert bool((found.notnull() == (status == "ok")).all())
        assert word(sims.containing_depth(ds, fraction=0.5)["status"]) == status


def test_fractions_in_a_table_are_refused():
    with pytest.raises(ProfileError, match="fraction="):
        sims.containing_depth(one([0, 1], [1e18, 1e18]), fraction=[[0.1, 0.2]])
