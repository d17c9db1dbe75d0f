"""What a fit says of a curve: its window, its dose, and slopes that are not known."""

from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from sims_analysis.models import _judged, _step
from sims_analysis.models._asked import is_profile
from sims_analysis.models.shapes import find_model

Z = np.arange(0.0, 50.0, 10.0)


def found(p, m):
    """State a minimum: its parameters and its curve."""
    solution = SimpleNamespace(free=np.array(p), m=np.array(m))
    return SimpleNamespace(
        among=[SimpleNamespace(solution=solution)], curve=SimpleNamespace(whole=lambda free: free)
    )


def outside(model, p, m):
    profile, task = SimpleNamespace(z=Z), SimpleNamespace(model=find_model(model))
    return _judged._outside(profile, found(p, m), task)


@pytest.mark.parametrize(
    ("position", "expected"), [(-1, True), (0, False), (20, False), (40, False), (41, True)]
)
def test_a_step_may_lie_outside_its_window(position, expected):
    names = find_model("edge_logistic").names
    p = [float(position) if one == "position" else 1.0 for one in names]
    assert outside("edge_logistic", p, [1, 1, 2, 3, 3]) == expected


@pytest.mark.parametrize(
    ("model", "highest"),
    [("gaussian", {0, 4}), ("annealed_implant", {4}), ("erfc", set())],
)
def test_a_maximum_may_lie_outside_its_window(model, highest):
    for at in range(5):
        assert outside(model, [20.0] * 5, np.eye(5)[at]) == (at in highest)


@pytest.mark.parametrize(("dose", "error"), [(2.0, 0.2), (-2.0, 0.2), (0.01, 0.001)])
@pytest.mark.parametrize("status", ["undetermined", "at_bound"])
def test_a_curve_is_ok_whose_dose_is_known_to_a_tenth(monkeypatch, status, dose, error):
    monkeypatch.setattr(_judged, "_status", lambda *_: status)

    def curve_status(error):
        described = {"window_dose": dose, "window_dose_stderr": error}, False
        monkeypatch.setattr(_judged, "_described", lambda *_: described)
        said = _judged.said(SimpleNamespace(known={}), None, np.zeros(1), None)
        assert said[0] == status
        return said[1]["curve_status"]

    assert curve_status(0.99 * error) == "ok"
    assert curve_status(1.01 * error) == status


def test_slopes_that_noise_may_have_made_widen_the_errors():
    row = np.arange(10.0)
    sloping = np.array([3.0, 5.0, 0, 0, 0, 0, 0, 0, 0, 4.0])
    line = _step._Plateau(0.0, 1.0, 0.3, 0.1, 0.1)  # three errors from level
    level = _step._Plateau(0.0, 1.0, 0.1, 0.1, 0.1)
    flat = _step._Plateau(0.0, 1.0, 0.1, 0.1, 0.0)  # without an error
    changed = np.array([3.0, 4.0]) * np.sqrt(1 - 2 / 9)
    expected = [*row[:4], *np.hypot(row[4:6], changed), *row[6:]]
    np.testing.assert_allclose(_step._in_doubt(row, sloping, [level, flat, line]), expected)
    for lines in ([], [level], [flat]):
        np.testing.assert_array_equal(_step._in_doubt(row, sloping, lines), row)
    sloping[1] = np.nan  # no change is known
    expected[5] = row[5]
    np.testing.assert_allclose(_step._in_doubt(row, sloping, [line]), expected)
    sloping[-1] = 1.0  # there is no such step
    np.testing.assert_array_equal(_step._in_doubt(row, sloping, [line]), row)


def test_a_profile_is_over_depth_and_a_fit_is_none():
    over = xr.DataArray(np.ones(5), dims="depth")
    assert is_profile(over)
    assert is_profile(xr.Dataset({"concentration": over}))
    assert not is_profile(xr.Dataset({"straggle": over}))
    assert not is_profile(xr.DataArray(np.ones(2), dims="species"))
    assert not is_profile("20 nm")
