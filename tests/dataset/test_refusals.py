"""What is refused: each message in full, because nobody else misses a part that is left out."""

# ruff: noqa: E501  # a message is one line

import json

import numpy as np
import pytest
import xarray as xr

import sims_analysis as sims
from sims_analysis.conventions.canonical import to_canonical
from sims_analysis.dataset.pairing import paired
from sims_analysis.errors import (
    ArchiveError,
    PayloadError,
    ProfileError,
    SpeciesError,
    UnitsError,
)

DS = sims.open_example("boron-implant")
RUN = sims.open_example("sputter-time")
OTHER = DS.assign_coords(species=["As", "Ge"]).assign_attrs(data_id="other")
BATCH = sims.stack([DS, DS])
PADDED = sims.stack([DS, DS.isel(depth=slice(100))])


def extra(ds, dims, unit=None):
    """Give data with one more variable."""
    ones = np.ones([{"species": 2, "depth": 250, "pass": 3}[dim] for dim in dims])
    return ds.assign(extra=(dims, ones, {} if unit is None else {"units": unit}))


def named(name="B", **fields):
    """Give a profile of three samples."""
    every = {
        "depths": [0.0, 1.0, 1.0],
        "depth_units": "nm",
        "concentrations": [1e18, 2e18, 3e18],
        "concentration_units": "atoms/cm^3",
    }
    return sims.DepthProfile(species_name=name, **every | fields)


REFUSED = [
    (lambda: sims.stack([]), ProfileError,
     "there is nothing to stack: give at least one Dataset"),
    (lambda: sims.stack([DS, "w1.nc"]), TypeError,
     "datasets[1]: expected a Dataset, found str: use sims.read(path).to_dataset() for an instrument's file, or sims.load(path)"),
    (lambda: sims.stack([DS, DS], names=["a"]), ProfileError,
     "1 names for 2 measurements"),
    (lambda: sims.stack([DS, DS], names=["a", "a"]), ProfileError,
     "names must be distinct; 'a' occurs more than once"),
    (lambda: sims.stack([DS, DS], names=7), ProfileError,
     "names=7; expected a list of them"),
    (lambda: sims.stack([DS, BATCH]), ProfileError,
     "measurement 1 is already a batch: unstack() it first"),
    (lambda: sims.stack([DS, BATCH.isel(measurement=0)]), ProfileError,
     "datasets[1] was selected from a batch: it has a coordinate 'measurement'; stack what unstack() makes of it, or what .drop_vars('measurement') leaves"),
    (lambda: sims.stack([DS, RUN]), ProfileError,
     "measurement 'sputter-time' is on a sputter-time axis, measurement 'boron-implant' on a depth axis: keep each kind apart, or convert time to depth with calibrate_depth()"),
    (lambda: sims.stack([DS, DS.drop_vars("species")]), ProfileError,
     "measurement 1 has no species: expected a dimension or coordinate species"),
    (lambda: sims.stack([DS.isel(depth=[1, 0])]), ProfileError,
     "measurement 'boron-implant': depth must increase strictly; sort with sortby('depth')"),
    (lambda: sims.stack([DS.assign_coords(species=["B", "B"])]), ProfileError,
     "measurement 'boron-implant': species must be distinct, found ['B', 'B']"),
    (lambda: sims.stack([extra(DS, ["species"], "nm"), extra(DS, ["species"], "um")]), UnitsError,
     "extra is in 'um' in measurement 1 and in 'nm' in measurement 0: one variable has one unit"),
    (lambda: sims.stack([DS, extra(DS, ["species"]).assign_coords(depth=("depth", DS["depth"].values, {"units": "s"}))], names=["w1", "w2"]), UnitsError,
     "measurement 'w2': depth is in 's', which is a sputter time; expected a unit such as 'nm', 'um' or 'angstrom'"),
    (lambda: sims.stack([extra(DS, ["species"]), extra(DS, ["depth"])]), ProfileError,
     "extra is over ('depth',) in measurement 1 and over ('species',) in measurement 0"),
    (lambda: sims.stack([extra(DS, ["pass"])]), ProfileError,
     "extra is over ('pass',); expected (species, depth) or fewer"),
    (lambda: sims.stack([DS.isel(depth=0)]), ProfileError,
     "the data have no depth axis: expected a dimension depth, sputter_time or point, found ('species',)"),
    (lambda: sims.unstack([DS]), TypeError,
     "expected a Dataset, found list"),
    (lambda: sims.unstack(DS), ProfileError,
     "not a batch: there is no 'measurement' among its dimensions ('species', 'depth')"),
    (lambda: sims.merge_profiles([]), ProfileError,
     "there is nothing to merge: give at least one Dataset or result"),
    (lambda: sims.merge_profiles([DS, "w1.nc"]), TypeError,
     "items[1]: expected a Dataset or a SIMSResult, found str"),
    (lambda: sims.merge_profiles([DS, BATCH]), ProfileError,
     "item 1 (no data_id) is already a batch: unstack() it first"),
    (lambda: sims.merge_profiles([DS, RUN]), ProfileError,
     "item 1 (sputter-time) is on a sputter-time axis, item 0 (boron-implant) on a depth axis: keep each kind apart, or convert time to depth with calibrate_depth()"),
    (lambda: sims.merge_profiles([DS, DS]), ProfileError,
     "species 'B' is in item 0 (boron-implant) and in item 1 (boron-implant): keep them apart with suffix=, such as suffix=[' (1)', ' (2)']"),
    (lambda: sims.merge_profiles([DS, DS], suffix=[" a"]), ProfileError,
     "suffix=[' a']; expected one text for each of the 2 items"),
    (lambda: sims.merge_profiles([DS, DS], suffix=["", ""]), ProfileError,
     "species 'B', 'P' would be there more than once; with suffix=['', ''] the names are ['B', 'P', 'B', 'P']"),
    (lambda: sims.merge_profiles([extra(DS, ["species", "depth", "pass"]), OTHER]), ProfileError,
     "extra is over ('species', 'depth', 'pass'): bring the items onto one grid with to_grid() first"),
    (lambda: sims.merge_profiles([extra(DS, ["pass"]), extra(OTHER, ["species"])]), ProfileError,
     "extra is over ('species',) in item 1 (other) and over ('pass',) in item 0 (boron-implant)"),
    (lambda: sims.merge_profiles([extra(DS, ["species"]), extra(OTHER, ["pass"])]), ProfileError,
     "extra is over ('pass',) in item 1 (other) and over ('species',) in item 0 (boron-implant)"),
    (lambda: sims.merge_profiles([extra(DS, ["species"], "nm"), extra(OTHER, ["species"], "um")]), UnitsError,
     "extra is in 'um' in item 1 (other) and in 'nm' in item 0 (boron-implant): one variable has one unit"),
    (lambda: sims.to_datatree([]), ProfileError,
     "there is nothing to put into a tree: give at least one measurement"),
    (lambda: sims.to_datatree([DS, DS]), ProfileError,
     "data_id 'boron-implant' names no single node; give a mapping of names, such as {\"wafer 1\": first, \"wafer 2\": second}"),
    (lambda: sims.to_datatree([DS.assign_attrs(data_id="")]), ProfileError,
     "data_id '' names no single node; give a mapping of names, such as {\"wafer 1\": first, \"wafer 2\": second}"),
    (lambda: sims.to_datatree({"a//b": DS}), ProfileError,
     "'a//b' is no name of a node: expected 'w1', or a path 'w1/centre'"),
    (lambda: sims.to_datatree({"a": "w1.nc"}), TypeError,
     "items['a']: expected a Dataset or a SIMSResult, found str"),
    (lambda: sims.from_datatree(DS), TypeError,
     "expected a DataTree, found Dataset"),
    (lambda: sims.from_datatree(xr.DataTree()), ProfileError,
     "no node of the tree holds data"),
    (lambda: sims.samples([DS], "B"), TypeError,
     "expected a Dataset or a DataArray, found list"),
    (lambda: sims.samples(BATCH, "B"), ProfileError,
     "expected one measurement, found 2; select one first, as in data.isel(measurement=0)"),
    (lambda: sims.to_datatree({"a/../b": DS}), ProfileError,
     "'a/../b' is no name of a node: expected 'w1', or a path 'w1/centre'"),
    (lambda: sims.samples(DS, "b"), SpeciesError,
     "the data have no species 'b'; they have 'B', 'P' (did you mean 'B'?)"),
    (lambda: sims.samples(DS), SpeciesError,
     "name one species: 'B', 'P'"),
    (lambda: sims.samples(DS, "As"), SpeciesError,
     "the data have no species 'As'; they have 'B', 'P'"),
    (lambda: sims.samples(PADDED.isel(measurement=0).drop_vars("depth"), "B"), ProfileError,
     "data over 'point' need a coordinate depth (or sputter_time) of each point"),
    (lambda: sims.samples(DS.drop_vars("species"), "B"), SpeciesError,
     "the data have no species names, so 'B' cannot be selected"),
    (lambda: sims.with_units(sims.quantify(DS), depth="um"), UnitsError,
     "with_units is for plain data; pint converts Quantities itself, with .pint.to(...) of pint-xarray, or dequantify() the data first"),
    (lambda: sims.with_units(DS, dose="atoms/cm^2"), UnitsError,
     "with_units(dose='atoms/cm^2'): the data have no 'dose'; they have concentration (atom/cm^3), and the axes depth"),
    (lambda: sims.with_units(DS, depth="s"), UnitsError,
     "with_units(depth='s') is in 's', which is a sputter time; expected a unit such as 'nm', 'um' or 'angstrom'"),
    (lambda: sims.with_units(DS["concentration"], dose="atoms/cm^2"), UnitsError,
     "with_units(dose='atoms/cm^2'): the data have no 'dose'; they have concentration (atom/cm^3), and the axes depth"),
    (lambda: sims.with_units(DS["concentration"], concentration="nm"), UnitsError,
     "with_units(concentration='nm') is in 'nm', which is a depth; expected a unit such as 'atoms/cm^3' or 'cm^-3'"),
    (lambda: sims.save(DS, "w1.txt"), ValueError,
     "'w1.txt': expected a name that ends in .nc or .zarr"),
    (lambda: sims.save([DS], "w1.nc"), TypeError,
     "expected a Dataset or a DataArray, found list"),
    (lambda: sims.save(DS, "nowhere/w1.nc"), FileNotFoundError,
     "there is no folder nowhere to write w1.nc into"),
    (lambda: sims.save(DS, "w1.nc", chunks={"layer": 2}), ValueError,
     "chunks name ['layer']; the dimensions are ['species', 'depth']"),
    (lambda: sims.save(DS["concentration"].rename("species"), "w1.nc"), ValueError,
     "the DataArray has the same name as its coordinate 'species'; rename it"),
    (lambda: sims.save(DS.assign_attrs(by=object), "w1.nc"), ValueError,
     "attribute 'by' is a type, which cannot be stored"),
    (lambda: sims.load("nowhere/w1.nc"), FileNotFoundError,
     "no such file: nowhere/w1.nc"),
    (lambda: sims.provenance(7), TypeError,
     "expected a path, a Dataset, a DataArray or a Figure, found int"),
    (lambda: sims.provenance("nowhere/w1.svg"), FileNotFoundError,
     "no such file: nowhere/w1.svg"),
    (lambda: paired(DS, [DS]), TypeError,
     "expected a Dataset or a DataArray, found list"),
    (lambda: paired(DS, OTHER), SpeciesError,
     "the two have no species in common: 'B', 'P' and 'As', 'Ge'"),
    (lambda: paired(BATCH, BATCH.assign_coords(measurement=[7, 8])), ProfileError,
     "the two have no measurement in common: 0, 1 and 7, 8"),
    (lambda: paired(DS, DS.assign_coords(species=["B", "B"])), ProfileError,
     "species 'B' is in the data more than once, but is looked up by name; give each its own name, or select one with isel()"),
    (lambda: to_canonical(DS.assign(concentration=DS["concentration"].assign_attrs(units="nm")), "w1: "), UnitsError,
     "w1: concentration is in 'nm', which is a depth; expected a unit such as 'atoms/cm^3' or 'cm^-3'"),
    (lambda: sims.subtract_background(DS["concentration"], value="1 atom/cm^3"), TypeError,
     "subtract_background takes an xarray Dataset, found DataArray: use its .to_dataset()"),
    (lambda: sims.scale_to_dose(DS.drop_vars("species"), dose={"B": "1e14 atoms/cm^2"}), SpeciesError,
     "dose names species, but the data have no coordinate that names them: data.assign_coords(species=[...])"),
    (lambda: sims.scale_to_dose(DS.assign_coords(species=["B", "B"]), dose={"B": "1e14 atoms/cm^2"}), ProfileError,
     "species 'B' is in the data more than once, but is looked up by name; give each its own name, or select one with isel()"),
    (lambda: sims.scale_to_dose(DS, dose={"As": "1e14 atoms/cm^2"}), SpeciesError,
     "dose names 'As'; the data have 'B', 'P'"),
    (lambda: sims.integrated_dose(DS.isel(depth=0)), ProfileError,
     "the data have no depth axis: expected a dimension depth, sputter_time or point, found ('species',)"),
    (lambda: sims.integrated_dose(DS.rename(depth="point")), ProfileError,
     "data over 'point' need a coordinate depth (or sputter_time) of each point"),
    (lambda: sims.to_dataset([named()]), ProfileError,
     "species 'B': depth 1 nm occurs twice. For a histogram drawn as steps, pass duplicates=\"step\", which keeps its dose; for a depth measured twice, duplicates=\"mean\", which takes the mean of the values there"),
    (lambda: sims.to_dataset([named()], duplicates="first"), ProfileError,
     "duplicates='first'; expected 'raise', 'mean' or 'step'"),
    (lambda: sims.to_dataset([named(depths=[1.0,1.0,1.0])], duplicates="step"), ProfileError,
     "species 'B': depth 1 nm occurs more than twice; a step has two values at one depth, so that duplicates=\"step\" does not fit"),
    (lambda: sims.to_dataset([named(depths=[1.0,1.0,1.0])]), ProfileError,
     "species 'B': depth 1 nm occurs twice, as does 1 more. For a histogram drawn as steps, pass duplicates=\"step\", which keeps its dose; for a depth measured twice, duplicates=\"mean\", which takes the mean of the values there"),
    (lambda: sims.to_dataset([named(depth_units="um", concentrations=[1e18,2e18,2e18])]), ProfileError,
     "species 'B': depth 1 um occurs twice. For a histogram drawn as steps, pass duplicates=\"step\", which keeps its dose; for a depth measured twice, duplicates=\"mean\", which takes the mean of the values there"),
    (lambda: sims.to_dataset([named(depths=[0,1,2], species_metadata={"a": object})]), ProfileError,
     "species 'B': its metadata have no JSON form (Type is not JSON serializable: type)"),
    (lambda: sims.open_example("boron"), ArchiveError,
     ("there is no example 'boron'; there are boron-implant (synthetic), gan-mg (measured), "
        "gan-mg-stack (synthetic), sputter-time (synthetic), zno-li (measured)")),
    (lambda: sims.SIMSResult.from_json(b"{}"), PayloadError,
     "expected an array of profiles, found an object"),
    (lambda: sims.SIMSResult(data_id="d1", depth_profiles=[named(depths=[0,1,2])])["As"], SpeciesError,
     "data entry 'd1' has no species 'As'; it has 'B'"),
    (lambda: sims.SIMSResult(data_id="d1", depth_profiles=[named(depths=[0,1,2])])[0], TypeError,
     "a result is indexed by the names of its species, found 0; its profiles in order are result.depth_profiles[0]"),
    (lambda: sims.SIMSResult(data_id="d1", depth_profiles=[named(depths=[0,1,2], species_metadata={"a": object})]).to_json(), ProfileError,
     "data entry 'd1' has no JSON form: Type is not JSON serializable: type"),
    (lambda: sims.SIMSResult.from_json(json.dumps([{**named(n, depths=[0,1,2]).to_dict(), "data_id": n} for n in ("B", "P")])), PayloadError,
     "the profile is of data entry 'P', one before it of 'B': an entry is one measurement; keep them apart, or pass data_id= to make them one"),
    (lambda: sims.to_dataset([named(depths=[0,1,2])], depth="1 nm", like=DS), ProfileError,
     "give one of depth='1 nm' and like=<Dataset>"),
    (lambda: sims.to_dataset([named(depths=[0,1,2])], depth="-1 nm"), ProfileError,
     "depth='-1 nm' must be one positive number"),
    (lambda: sims.to_dataset([]), ProfileError,
     "there are no profiles: a Dataset needs at least one"),
    (lambda: sims.SIMSResult(data_id="d1", depth_profiles=[], provenance={"pipeline_status": "failed"}).to_dataset(), ProfileError,
     "data entry 'd1' has no SIMS data; its pipeline_status in the catalogue is 'failed'"),
    (lambda: sims.SIMSResult(data_id="d1", depth_profiles=[]).to_dataset(), ProfileError,
     "data entry 'd1' has no SIMS data; its pipeline_status in the catalogue says whether it is unknown, still being processed, or not a SIMS measurement"),
    (lambda: sims.to_dataset([named("B\0", depths=[0,1,2])]), ProfileError,
     "species 'B\\x00': a name cannot end with a NUL character"),
    (lambda: sims.to_dataset([named(n, depths=[0,1,2]) for n in ("B", "B", "B (1)")]), ProfileError,
     "species delivered more than once: 'B'; pass one profile of each, or give them distinct names with dataclasses.replace(profile, species_name=...)"),
    (lambda: sims.to_dataset([named("As", depths=[0,1,2]), named("P", depths=[0,1,2], depth_units="min")]), ProfileError,
     "species 'P' is on a sputter-time axis (min), species 'As' on a depth axis (nm); make one Dataset of each kind; calibrate_depth() converts time to depth"),
    (lambda: sims.to_profiles(DS["concentration"]), TypeError,
     "profiles are made of a Dataset of one measurement, found DataArray"),
    (lambda: sims.to_profiles(DS.rename(concentration="other")), ProfileError,
     "the Dataset has none of concentration, range_density, atomic_fraction, mass_fraction, intensity, counts, intensity_arbitrary; it has other (atom/cm^3)"),
    (lambda: sims.to_profiles(BATCH), ProfileError,
     "expected dimensions (species, depth), found ('measurement', 'species', 'depth'); select one measurement first"),
    (lambda: sims.to_profiles(PADDED), ProfileError,
     "expected dimensions (species, depth), found ('measurement', 'species', 'point'); select one measurement first"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "error", "message"), REFUSED, ids=[text[:50] for *_, text in REFUSED]
)
def test_messages_of_errors(call, error, message):
    with pytest.raises(error) as raised:
        call()
    assert str(raised.value).removeprefix(f"{getattr(raised.value, 'path', '')}: ") == message


#: What is expected, not refused.
TOLD = [
    (lambda: [named(depths=[0,2,1])],
     "species 'B': depths were not in increasing order; sorted"),
    (lambda: [named(n, depths=[0,1,2], data_id=d) for n, d in (("B", "d1"), ("P", "d2"), ("As", None))],
     "the profiles are of different data entries, 'd1', 'd2'; a Dataset is one measurement, and gets the id of the first"),
    (lambda: [named(depths=[0,1,2], concentrations=[1e18, None, 1e18])],
     "1 sample was not measured (null): species 'B' 1"),
    (lambda: [named(n, depths=[0,1,2], concentrations=c) for n, c in (("B", [1e18, None, None]), ("P", [1e18]*3), ("As", [None]*3))],
     "5 samples were not measured (null): species 'B' 2, 'As' 3"),
]  # fmt: skip


@pytest.mark.parametrize(("profiles", "message"), TOLD, ids=[text[:50] for _, text in TOLD])
def test_messages_of_warnings(profiles, message, recwarn):
    sims.to_dataset(profiles())
    assert [str(one.message) for one in recwarn] == [message]
