"""Every argument of every question with values that none can be: a word about that argument.

The error is one of ours (or a TypeError of ours), and it names the argument that was given. A new
question or correction in the registry is asked here by itself.
"""

import inspect
import re

import numpy as np
import pytest
import xarray as xr
from questions import AXIS, CORRECTIONS, QUESTIONS, measurement

import sims_analysis as sims
from sims_analysis.errors import SimsError

pytestmark = pytest.mark.filterwarnings("ignore::sims_analysis.errors.SimsWarning")

DS = measurement(AXIS)
ONE = DS.sel(species="B")
PIECES = DS.isel(depth=slice(0, 70)), DS.isel(depth=slice(50, None))

#: Function -> its data and what it cannot do without.
ASKED = {
    "align": ((DS, DS), {}),
    "compare": ((DS, DS), {"level": "1e18 atoms/cm^3"}),
    "repeatability": ((sims.stack([DS, DS]),), {"level": "1e18 atoms/cm^3", "after": "peak"}),
    "interface": ((ONE,), {"start": "50 nm", "stop": "150 nm"}),
    "layers": ((DS,), {"species": "B", "level": "1e18 atoms/cm^3"}),
    "sheet_resistance": ((DS,), {"donors": ["P"], "acceptors": ["B"]}),
    "deconvolve": ((ONE,), {"resolution": "4 nm", "start": "20 nm"}),
    "fit": ((ONE,), {"model": "gaussian", "start": "20 nm", "progress": False}),
    "ratio": ((DS,), {"numerator": "B", "denominator": "P"}),
    "splice": (PIECES, {}),
    "convolve": ((DS,), {"resolution": "5 nm"}),
    "stack": (([DS, DS],), {}),
    **{name: ((DS,), options) for name, options in QUESTIONS.items() if " " not in name},
    **{
        name: ((of(DS),), options)
        for name, (of, options) in CORRECTIONS.items()
        if " " not in name
    },
}  # fmt: skip
WRONG = {
    "number": -1.5,
    "text": "abc",
    "unit": "5 kg",
    "empty": [],
    "numbers": [1, 2],
    "array": np.array([1.0, 2.0]),
    "mapping": {"X": "5 kg"},
    "object": object(),
    "no unit": xr.DataArray([1.0, 2.0], dims="species"),
    "another unit": xr.DataArray([1.0, 2.0], {"species": ["B", "P"]}, attrs={"units": "kg"}),
    "dataset": DS,
}
#: What stands for an argument in a message about its parts.
ALSO = {"shared": "over", "abundance": "species names", "atomic_density": "formula"}


#: Names of what a question is asked about.
DATA = {"data", "a", "b", "wafers"}


def arguments(function):
    """List all arguments but the data."""
    return [one for one in inspect.signature(getattr(sims, function)).parameters if one not in DATA]


def error_of(function, data, options):
    """Return what the error says, which is one of ours; None if there is none."""
    try:
        getattr(sims, function)(*data, **options)
    except (SimsError, TypeError) as error:
        return str(error)
    return None


@pytest.mark.few(6)
@pytest.mark.parametrize(
    ("function", "name"), [(one, name) for one in ASKED for name in arguments(one)]
)
def test_a_wrong_argument_is_named(function, name):
    data, options = ASKED[function]
    for value in WRONG.values():
        said = error_of(function, data, {**options, name: value})
        assert said is None or re.search(rf"\b{name}\b|{ALSO.get(name, name)}", said), said


@pytest.mark.parametrize("function", ASKED)
def test_an_argument_that_there_is_not(function):
    data, options = ASKED[function]
    with pytest.raises(TypeError):
        getattr(sims, function)(*data, **options, limits=("5 nm", "9 nm"))
