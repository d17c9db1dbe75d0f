"""A user's script as a type checker sees it: checked by test_typing, never run."""

from typing import assert_type

import xarray as xr

import sims_analysis as sims

client = sims.Client(api_key="key")
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
sims.integrated_dose(ds, rule="simpson")  # type: ignore[arg-type]
sims.junction_depth(ds)  # type: ignore[call-arg]
