"""A user's script as a type checker sees it: checked with the package by ``mypy``, never run."""

from typing import Any, assert_type

import numpy as np
import pandas as pd
import pint
import xarray as xr
from numpy.typing import NDArray

import sims_analysis as sims
from sims_analysis.xarray import SimsAccessor

client = sims.Client(api_key="0123456789abcdef")
results = client.get(data_ids="d290f1ee-6c54-4b01-90e6-d701748f0851")
assert_type(results, list[sims.SIMSResult])
assert_type(results[0].depth_profiles, list[sims.DepthProfile])
ds = results[0].to_dataset()
assert_type(ds, xr.Dataset)
assert_type(sims.integrated_dose(ds, stop="200 nm", rule="loglinear"), xr.DataArray)
assert_type(sims.junction_depth(ds, level="1e18 atoms/cm^3", which=2), xr.DataArray)
assert_type(sims.crossings(ds, level="1e18 atoms/cm^3"), xr.Dataset)
assert_type(sims.dose_budget(ds["concentration"]), xr.Dataset)
assert_type(sims.metallurgical_junctions(ds, donors=["P"], acceptors={"B": 0.9}), xr.Dataset)
assert_type(sims.to_profiles(ds), list[sims.DepthProfile])
assert_type(sims.stack([ds, ds]), xr.Dataset)
assert_type(sims.open_example("boron-implant"), xr.Dataset)
assert_type(sims.interpolate(ds, depth="25 nm"), xr.Dataset)
assert_type(sims.interpolate(ds["concentration"], depth="25 nm"), xr.DataArray)
assert_type(sims.quantify(ds), xr.Dataset)
assert_type(sims.to_grid(ds, step="1 nm"), xr.Dataset)
assert_type(sims.align(ds, ds["concentration"]), xr.DataArray)
assert_type(sims.calibrate_depth(ds, rate="0.5 nm/s"), xr.Dataset)
assert_type(sims.list_models(), pd.DataFrame)
sims.plot_profiles({"a": ds, "b": results[0]}, xlim=(0, "300 nm"), junctions=[ds, ds])

# A length, a level or a dose has a unit: text, a Quantity, or a DataArray of one for each profile.
sims.integrated_dose(ds, start="20 nm", stop=pint.Quantity(200, "nm"))
xj = sims.junction_depth(ds, level="1e18 atoms/cm^3")
sims.integrated_dose(ds, start=xj, background=("400 nm", "450 nm"))
sims.with_rsf(
    ds, rsf=[("120 nm", {"Al": "5e21 atoms/cm^3"}), (None, {"Al": "4e21 atoms/cm^3"})], matrix="Si"
)
sims.calibrate_depth(ds, markers=[("100 s", "50 nm")], depth_uncertainty=0.03)
sims.compare(ds, ds, level="1e18 atoms/cm^3", after="peak", confirm=2)
ureg: pint.UnitRegistry[float] = pint.UnitRegistry()
sims.integrated_dose(ds, start=15 * ureg.nm, stop=ureg.Quantity(200, "nm"))
made = sims.DepthProfile(
    species_name="B", depths=[0, 10], depth_units="nm", concentrations=[1e18, 3e18],
    concentration_units="atoms/cm^3", species_metadata={"dose": "1e15 at/cm2"},
)  # fmt: skip
assert_type(made.depths, NDArray[np.float64])
assert_type(made.species_metadata["dose"], Any)
sims.save_figure(sims.plot_profiles(ds).figure, "b.pdf")
sims.integrated_dose(ds, stop=200)  # type: ignore[arg-type]
sims.junction_depth(ds, level=1e18)  # type: ignore[arg-type]
sims.integrated_dose(ds, background=("400 nm", 450))  # type: ignore[arg-type]
sims.compare(ds, ds, level="1e18 atoms/cm^3", wich="first")  # type: ignore[call-arg]
sims.plot_profiles("w1.nc")  # type: ignore[arg-type]
sims.integrated_dose(ds, rule="simpson")  # type: ignore[arg-type]
sims.junction_depth(ds)  # type: ignore[call-arg]
half_life = sims.Parameter("half_depth", "depth", "where half is left", lower=0)
halving = sims.Model(
    name="halving",
    summary="what halves every so often",
    parameters=(sims.Parameter("surface", "value", "at depth 0", lower=0), half_life),
    formula=lambda z, c0, half: c0 * 0.5 ** (z / half),
    start=lambda z, c: [(float(c[0]), float(z[-1]) / 2)],
    reference="none",
    shape="decay",
)
assert_type(halving.names, list[str])
assert_type(half_life.units("concentration"), str)
assert_type(sims.fit(ds, model=halving), xr.Dataset)
assert_type(sims.evaluate(sims.fit(ds, model=halving), depth="5 nm", model=halving), xr.DataArray)

accessor = SimsAccessor(ds)
assert_type(accessor.integrated_dose(stop="200 nm"), xr.DataArray)
assert_type(accessor.fit(model="gaussian"), xr.Dataset)
accessor.integrated_dose(rule="simpson")  # type: ignore[arg-type]
accessor.juncton_depth(level="1e18 atoms/cm^3")  # type: ignore[attr-defined]
