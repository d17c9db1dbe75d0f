"""Two data are compared where they have species and measurements in common."""

import numpy as np
import xarray as xr
from error_parts import raises

from sims_analysis.dataset.pairs import paired


def of(species, measurements=None):
    species = list(species)
    ds = xr.DataArray(np.arange(len(species)), {"species": species}, ["species"], "x")
    if measurements is None:
        return ds
    return ds.expand_dims(measurement=list(measurements)).copy()


def names(pair, dim="species"):
    return [np.atleast_1d(one[dim].values).tolist() for one in pair]


def test_common_species_in_the_order_of_the_first():
    assert names(paired(of("BPA"), of("ABC"))) == [["B", "A"]] * 2
    a, b = paired(of("BP"), of("BP"))
    assert a.identical(of("BP"))
    assert b.identical(of("BP"))


def test_one_species_is_paired_with_itself_among_several():
    one = of("BP").sel(species="P")
    for pair in (paired(one, of("ABP")), paired(of("ABP"), one)):
        assert names(pair) == [["P"]] * 2
        assert [part.ndim for part in pair] == [0, 0]


def test_a_measurement_is_paired_with_every_one_of_a_batch():
    single, batch = of("B", ["w9"]).sel(measurement="w9"), of("B", ["w1", "w2"])
    for a, b in (paired(single, batch), paired(batch, single)[::-1]):
        assert "measurement" not in a.coords
        assert names((b,), "measurement") == [["w1", "w2"]]
    assert names(paired(batch, of("B", ["w2", "w3"])), "measurement") == [["w2"]] * 2


def test_what_has_no_names_is_left_as_it_is(approved):
    nameless = of("BP").drop_vars("species").isel(species=0)
    a, b = paired(nameless, of("BP"))
    assert a.identical(nameless)
    assert b.identical(of("BP"))
    with raises(TypeError, text=approved):
        paired(nameless, [1])
