"""Whatever makes a Dataset makes other packages know it."""

import sys

import pint
import pytest
import xarray as xr
from measurement_layouts import profile

import sims_analysis as sims

DS = sims.open_example("boron-implant").isel(depth=slice(3))


@pytest.fixture
def registry():
    """Pint's registry, empty, as in a process that has not used it."""
    before = pint.get_application_registry().get()
    registry = pint.UnitRegistry(None)
    registry.define("meter = [length]")
    pint.set_application_registry(registry)
    yield registry
    pint.set_application_registry(before)


@pytest.mark.parametrize("makes", ["to_dataset", "load"])
def test_atoms_are_a_unit_and_questions_are_at_hand(makes, registry, tmp_path, monkeypatch):
    path = sims.save(DS, tmp_path / "w.nc")
    # As in a process that has not imported it.
    monkeypatch.setattr(sims, "xarray", sys.modules["sims_analysis.xarray"], raising=False)
    monkeypatch.delitem(sys.modules, "sims_analysis.xarray")
    for kind in (xr.Dataset, xr.DataArray):
        monkeypatch.delattr(kind, "sims")
    assert "atom" not in registry
    if makes == "load":
        ds = sims.load(path)
    else:
        ds = sims.to_dataset([profile("B", [0, 1], [1e18, 1e17])])
    assert "atom" in registry
    assert dict(registry.get_dimensionality("atom")) == {"[atom]": 1}
    assert ds.sims.peak()["depth"].values[0] == sims.peak(ds)["depth"].values[0]
    assert ds["concentration"].sims.peak().identical(sims.peak(ds["concentration"]))
