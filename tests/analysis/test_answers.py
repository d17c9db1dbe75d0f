"""What the parts of answers are called, and their units."""

import warnings

import numpy as np
import pytest
import xarray as xr
from approved import difference
from measurement_layouts import measurement

import sims_analysis as sims

Z = np.arange(0.0, 100.0, 2.0)


def gauss(top, middle, width):
    return top * np.exp(-(((Z - middle) / width) ** 2) / 2) + 1e15


DS = sims.with_counting_statistics(
    measurement(Z, {"P": gauss(1e18, 60, 8), "B": gauss(1e19, 30, 12)}),
    value_per_count="1e14 atoms/cm^3",
)
TIME = DS.rename(depth="sputter_time").assign_coords(
    sputter_time=("sputter_time", Z, {"units": "s"})
)
L = "1e17 cm^-3"


APPROVED = "parts of answers"


def outcome(call):
    """Return what the parts of an answer are called: name: unit; long name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sims.SimsWarning)
        answer = eval(call[4:])  # noqa: S307 - our own text
    whole = answer.to_dataset() if isinstance(answer, xr.DataArray) else answer
    return [
        f"  {name}: {one.attrs.get('units', '-')}; {one.attrs.get('long_name', '-')}"
        for name, one in whole.variables.items()
        if name in whole.data_vars or name not in ("species", "depth")
    ]


def test_each_part_of_an_answer_has_its_unit_and_long_name():
    assert not (changed := difference(APPROVED, outcome)), changed


@pytest.mark.parametrize("rule", ["trapezoid", "loglinear"])
def test_a_dose_has_its_rule_in_its_attributes(rule):
    budget = sims.dose_budget(DS, rule=rule, rule_tolerance=9)
    both = sims.compare(DS, DS, rule=rule)
    answers = [sims.integrated_dose(DS, rule=rule), sims.cumulative_dose(DS, rule=rule)]
    answers += [budget, budget["dose"], both["dose_a"], both["dose_b"], both["dose_ratio"]]
    assert [one.attrs.get("rule") for one in answers] == [rule] * 7
    assert "rule" not in budget["random_stderr"].attrs
