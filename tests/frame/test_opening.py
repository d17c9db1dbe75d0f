"""Which variable a question is asked of, and what is said where there is none."""

import numpy as np
import pytest
import xarray as xr

from sims_analysis.errors import UnitsError
from sims_analysis.frame.opening import is_ratio, open_frame

KINDS = ("concentration", "count_rate")


@pytest.fixture
def ds():
    """B as a concentration, Si in counts, as a quantified profile and its matrix are."""
    z = np.arange(4.0)
    nothing = np.full(4, np.nan)
    return xr.Dataset(
        {
            "intensity": (("species", "depth"), [nothing, [7.0, 8, 9, 8]], {"units": "count/s"}),
            "concentration": (("species", "depth"), [[1.0, 2, 3, 2], nothing], {"units": "cm^-3"}),
        },
        coords={"species": ["B", "Si"], "depth": ("depth", z, {"units": "nm"})},
    )


def kind(data, **options):
    return open_frame(data, KINDS, question="a test", **options).kind


@pytest.mark.parametrize("chunks", [None, {"depth": 2}])
def test_a_species_is_asked_in_the_variable_in_which_it_was_measured(ds, chunks):
    ds = ds if chunks is None else ds.chunk(chunks)
    assert kind(ds) == "concentration", "the first that some species may have"
    assert kind(ds.sel(species="B")) == "concentration"
    assert kind(ds.sel(species="Si")) == "count_rate"
    assert kind(ds.sel(species=["Si"])) == "count_rate"
    assert kind(ds.sel(species="Si"), variable="concentration") == "concentration"
    assert kind(ds.sel(species="Si").drop_vars("intensity")) == "concentration", "the only one"


def test_what_is_neither_measured_nor_there_is_said(ds):
    with pytest.raises(UnitsError, match=r"a test: there is no variable 'dose'; the data have int"):
        kind(ds, variable="dose")
    seconds = ds[["intensity"]].assign(intensity=ds["intensity"].assign_attrs(units="s"))
    with pytest.raises(UnitsError, match="intensity"):
        kind(seconds)
    alone = ds[["intensity"]]
    with pytest.raises(UnitsError, match=r"a test needs a concentration .*intensity \(count/s\)"):
        open_frame(alone, ("concentration",), question="a test")
    with pytest.raises(TypeError, match="a test needs an xarray Dataset or DataArray, found list"):
        kind([1, 2])


def test_a_ratio_is_known_by_its_name(ds):
    ratio = ds["intensity"].rename("ratio")
    assert is_ratio(ratio)
    assert is_ratio(ratio.to_dataset())
    assert not is_ratio(ds)
    assert not is_ratio(ds["intensity"])
    assert not is_ratio(ds.assign(ratio=ratio)), "one among what was measured"
