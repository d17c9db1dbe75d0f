"""Approved texts of errors and warnings, in full: nobody else misses a part that is left out."""

# ruff: noqa: E501  # a message is one line

import numpy as np
import pytest
import xarray as xr
from timed import timed

import sims_analysis as sims
from sims_analysis.errors import ProfileError, SpeciesError, UnitsError

TIME = np.arange(0.0, 101.0, 2.0)
RUN = timed(TIME, B=1e4 * np.exp(-TIME / 20), Si=np.full(TIME.size, 2e4))
TOP, REST = RUN.isel(sputter_time=slice(30)), RUN.isel(sputter_time=slice(20, None))
BATCH = xr.concat([RUN, RUN], dim=xr.Variable("measurement", ["w1", "w2"]))
OWN_AXES = sims.stack([RUN, REST])
DEEP = sims.calibrate_depth(RUN, rate="1 nm/s")
IMPLANT = sims.open_example("boron-implant")
RSF = {"B": "1e22 atoms/cm^3"}
pytestmark = pytest.mark.filterwarnings("ignore::sims_analysis.errors.DoseWarning")


def per(*values, units="1"):
    """Give each measurement a value of its own."""
    return xr.DataArray(list(values), {"measurement": ["w1", "w2"]}, attrs={"units": units})


def silent(ds):
    """Give the same without a count."""
    return ds.assign(intensity=(0.0 * ds["intensity"]).assign_attrs(units="count/s"))


def counted(ds):
    """Give the same as counts."""
    return ds.drop_vars("intensity").assign(counts=ds["intensity"].assign_attrs(units="count"))


def fractions(name="atomic_fraction"):
    """Give the implant as fractions."""
    part = (IMPLANT["concentration"] / 5e22).assign_attrs(units="1")
    return IMPLANT.drop_vars("concentration").assign({name: part})


def masses():
    return fractions("mass_fraction")


def iso(*names):
    """Give the implant with species that are isotopes."""
    return IMPLANT.assign_coords(species=list(names) or ["11B", "31P"])


def layers(status="ok", units="s", square=1.0, over=(), at=(20.0, 60.0)):
    """Give what a fit of two layers says of their positions."""
    names = [f"position[{i}]" for i in (1, 2)]
    return xr.Dataset(
        {
            "position": ("layer", list(at), {"units": units}),
            "covariance": (("parameter", "parameter_"), square * np.eye(2)),
            "status": (over, np.full((1,) * len(over), status)),
        },
        coords={"layer": [1, 2], "parameter": names, "parameter_": names},
        attrs={"axis": "sputter_time"},
    )


def by_layers(depths=("10 nm", "20 nm"), **options):
    return sims.calibrate_depth(RUN, markers=layers(**options), depths=depths)


REFUSED = [
    (ProfileError, "give exactly one of rate, crater_depth and markers",
     lambda: sims.calibrate_depth(RUN, rate="1 nm/s", markers=[("100 s","9 nm")])),
    (ProfileError, "relative_rates is of use only with crater_depth",
     lambda: sims.calibrate_depth(RUN, rate="1 nm/s", relative_rates=[(None,1.0)])),
    (ProfileError, "depths and apply_offset are of use only with a fit as markers",
     lambda: sims.calibrate_depth(RUN, rate="1 nm/s", apply_offset=True)),
    (ProfileError, "depths and apply_offset are of use only with a fit as markers",
     lambda: sims.calibrate_depth(RUN, rate="1 nm/s", depths=["1 nm"])),
    (TypeError, "expected a Dataset or a DataArray, found list",
     lambda: sims.calibrate_depth([RUN], rate="1 nm/s")),
    (ProfileError, "the data are already on a depth axis",
     lambda: sims.calibrate_depth(DEEP, rate="1 nm/s")),
    (ProfileError, "the data have no sputter-time axis to calibrate: expected a coordinate sputter_time",
     lambda: sims.calibrate_depth(RUN.drop_vars("sputter_time"), rate="1 nm/s")),
    (ProfileError, "measurement w2: total_time is 90 s, but the record runs to 100 s; the crater was sputtered for at least as long as the record",
     lambda: sims.calibrate_depth(BATCH, crater_depth="1 um", total_time=per(200.0, 90.0, units="s"))),
    (ProfileError, "total_time is 90 s, but the record runs to 100 s; the crater was sputtered for at least as long as the record",
     lambda: sims.calibrate_depth(BATCH.drop_vars("measurement"), crater_depth="1 um", total_time="90 s")),
    (ProfileError, "the layers end at 40 s, but the record at 100 s; end the last layer with None for the rest of the record",
     lambda: sims.calibrate_depth(RUN, rate=[("20 s","1 nm/s"),("40 s","1 nm/s")])),
    (ProfileError, "rate[1]=(None, '-1 nm/s'): rates must be positive, and the ends increase from 0",
     lambda: sims.calibrate_depth(RUN, rate=[("20 s","1 nm/s"),(None,"-1 nm/s")])),
    (ProfileError, "rate[1] has no end, but is not the last layer",
     lambda: sims.calibrate_depth(RUN, rate=[("20 s","1 nm/s"),(None,"1 nm/s"),(None,"2 nm/s")])),
    (ProfileError, "relative_rates[0]='1'; expected a relative rate, a number such as 0.6",
     lambda: sims.calibrate_depth(RUN, crater_depth="90 nm", relative_rates=[("20 s","1"),(None,1.0)])),
    (ProfileError, "markers[1]=(None, '-1 nm/s'): a rate must be positive",
     lambda: sims.calibrate_depth(RUN, markers=[("20 s","9 nm"),(None,"-1 nm/s")])),
    (ProfileError, "markers[1]=('10 s', '19 nm'): times and depths must increase, from the surface at 0",
     lambda: sims.calibrate_depth(RUN, markers=[("20 s","9 nm"),("10 s","19 nm")])),
    (ProfileError, "markers[1] has no time; only a rate after the last marker has none",
     lambda: sims.calibrate_depth(RUN, markers=[("20 s","9 nm"),(None,"1 nm/s"),("40 s","19 nm")])),
    (ProfileError, "the markers end at 40 s, but the record at 100 s; give the depth of its end, or a rate for the rest: (None, '0.5 nm/s')",
     lambda: sims.calibrate_depth(RUN, markers=[("20 s","9 nm"),("40 s","19 nm")])),
    (ProfileError, "rate is over ('species',); the species of a measurement are sputtered together and share their depth scale, so that it may be over 'measurement' only",
     lambda: sims.calibrate_depth(RUN, rate=xr.DataArray([1.0,2.0],{"species":["B","Si"]},attrs={"units":"nm/s"}))),
    (ProfileError, "rate=<DataArray> must be positive, and is NaN",
     lambda: sims.calibrate_depth(BATCH, rate=per(np.nan, np.nan, units="nm/s"))),
    (UnitsError, "depth_uncertainty='5 nm': this scale was not set by one rate or crater depth; give a relative uncertainty, such as '5 %'",
     lambda: sims.calibrate_depth(RUN, rate=[(None,"1 nm/s")], depth_uncertainty="5 nm")),
    (UnitsError, "depth_uncertainty={'B': '2 nm'}: this scale was not set by one rate or crater depth; give a relative uncertainty, such as '5 %'",
     lambda: sims.rescale_depth(DEEP, factor=2.0, depth_uncertainty={"B": "2 nm"})),
    (ProfileError, "depth_uncertainty='95 nm' must be less than the value whose uncertainty it is, and not less than 0",
     lambda: sims.calibrate_depth(RUN, crater_depth="90 nm", depth_uncertainty="95 nm")),
    (ProfileError, "depth_uncertainty=<DataArray> must be positive for each measurement",
     lambda: sims.calibrate_depth(BATCH, rate="1 nm/s", depth_uncertainty=per(0.1, 0.0))),
    (ProfileError, "give either factor or crater_depth, not both",
     lambda: sims.rescale_depth(DEEP, factor=2.0, crater_depth="1 um")),
    (ProfileError, "give factor, crater_depth or offset: how the depths are to change",
     lambda: sims.rescale_depth(DEEP)),
    (UnitsError, "the data have no depth axis; calibrate_depth() turns sputter time into depth",
     lambda: sims.rescale_depth(RUN, factor=2.0)),
    (ProfileError, "factor='2'; expected a positive number, such as 1.02, as a number without quotes or a unit",
     lambda: sims.rescale_depth(DEEP, factor="2")),
    (ProfileError, "a dose belongs to one species, and there are 2: dose={'B': '1e15 atoms/cm^2'}",
     lambda: sims.scale_to_dose(IMPLANT, dose="1e14 atoms/cm^2")),
    (ProfileError, "species 'B': no dose between these depths to compare with (integral -4.97e+17); check start, stop and background",
     lambda: sims.scale_to_dose(IMPLANT, dose={"B":"1e14 atoms/cm^2"}, background="1e22 atoms/cm^3")),
    (ProfileError, "start, stop or background is over 'case', but a profile is scaled by one number: add this dimension to the data first, with data.expand_dims(case=...)",
     lambda: sims.scale_to_dose(IMPLANT, dose={"B":"1e14 atoms/cm^2"}, stop=xr.DataArray([100.0,200.0],dims="case",attrs={"units":"nm"}))),
    (UnitsError, "a correction for dead time needs a count rate (count/s); the data have concentration (atom/cm^3)",
     lambda: sims.correct_dead_time(IMPLANT, dead_time="35 ns")),
    (UnitsError, "a correction for dead time needs a count rate (count/s); the data have intensity (count)",
     lambda: sims.correct_dead_time(RUN.assign(intensity=RUN["intensity"].assign_attrs(units="count")), dead_time="35 ns")),
    (ProfileError, "the data have already been corrected for dead time",
     lambda: sims.correct_dead_time(sims.correct_dead_time(RUN, dead_time="35 ns"), dead_time="35 ns")),
    (ProfileError, "a background was subtracted from the intensities, but the dead time applies to the observed rate: correct for dead time first",
     lambda: sims.correct_dead_time(sims.subtract_background(RUN, value="1 count/s"), dead_time="35 ns")),
    (ProfileError, "species 'Si', sputter time 0 s: 20000 count/s (and 50 more): such a rate cannot have been observed with a dead time of 50000 ns (I tau >= 1, or I < 0)",
     lambda: sims.correct_dead_time(RUN, dead_time={"Si":"50 us"})),
    (ProfileError, "give the background either as value= or as window=",
     lambda: sims.subtract_background(RUN)),
    (ProfileError, "give the background either as value= or as window=",
     lambda: sims.subtract_background(RUN, value="1 count/s", window=("1 s","2 s"))),
    (ProfileError, "value='-1 count/s': a background must be finite and not negative",
     lambda: sims.subtract_background(RUN, value="-1 count/s")),
    (UnitsError, "there is no variable 'counts' to subtract a background from; the data have intensity (count/s)",
     lambda: sims.subtract_background(RUN, value="1 count/s", variable="counts")),
    (UnitsError, "there is no variable 'concentration' or 'range_density' or 'atomic_fraction' or 'mass_fraction' or 'intensity' or 'counts' or 'intensity_arbitrary' to subtract a background from; the data have own (count/s)",
     lambda: sims.subtract_background(RUN.rename(intensity="own"), value="1 count/s")),
    (ProfileError, "window=('200 s', '300 s') holds no sample of species 'B' and 1 more",
     lambda: sims.subtract_background(RUN, window=("200 s","300 s"))),
    (SpeciesError, "species names 'Ge'; the data have 'B', 'Si'",
     lambda: sims.subtract_background(RUN, value="1 count/s", species="Ge")),
    (UnitsError, "a sensitivity factor needs a count rate (count/s) or counts; the data have concentration (atom/cm^3)",
     lambda: sims.with_rsf(IMPLANT, rsf=RSF, matrix="P")),
    (SpeciesError, "a sensitivity factor belongs to a species, and intensity has no dimension 'species'; select it with a list: ds.sel(species=['11B', '30Si'])",
     lambda: sims.with_rsf(RUN.sel(species="B"), rsf=RSF, matrix="Si")),
    (ProfileError, 'window is of use only with matrix_signal="mean"',
     lambda: sims.with_rsf(RUN, rsf=RSF, matrix="Si", window=("1 s","9 s"))),
    (ProfileError, "window=('200 s', '300 s') holds no sample of species 'Si'",
     lambda: sims.with_rsf(RUN, rsf=RSF, matrix="Si", matrix_signal="mean", window=("200 s","300 s"))),
    (ProfileError, "matrix_threshold=1; expected a fraction of the maximum, such as 0.01",
     lambda: sims.with_rsf(RUN, rsf=RSF, matrix="Si", matrix_threshold=1)),
    (ProfileError, "matrix_signal='max'; expected 'cycle' or 'mean'",
     lambda: sims.with_rsf(RUN, rsf=RSF, matrix="Si", matrix_signal="max")),
    (SpeciesError, "rsf names 'Si', the matrix itself",
     lambda: sims.with_rsf(RUN, rsf={"Si":"1e22 atoms/cm^3"}, matrix="Si")),
    (ProfileError, "rsf[1]='10 s': each layer must end below the one before",
     lambda: sims.with_rsf(RUN, rsf=[("20 s",RSF),("10 s",RSF)], matrix="Si")),
    (ProfileError, "rsf is over 'measurement', and the data over (species, sputter_time): add this dimension to the data first, for instance with data.expand_dims(measurement=...)",
     lambda: sims.with_rsf(RUN, rsf={"B": per(1e22, 2e22, units="atom/cm^3")}, matrix="Si")),
    (ProfileError, "rsf={'B': '0 atoms/cm^3'} must be positive",
     lambda: sims.with_rsf(RUN, rsf={"B": "0 atoms/cm^3"}, matrix="Si")),
    (ProfileError, "rsf is a list; expected factors as rsf_from_standard() returns them, each of one species, or layers: [('120 nm', {'11B': ...}), (None, {'11B': ...})]",
     lambda: sims.with_rsf(RUN, rsf=[xr.DataArray(1e22)], matrix="Si")),
    (ProfileError, "rsf holds two factors of 'B'",
     lambda: sims.with_rsf(RUN, rsf=[xr.DataArray(1e22, {"species":"B"}, attrs={"units":"atom/cm^3"})]*2, matrix="Si")),
    (ProfileError, "rsf is over species, but does not say which; give it a coordinate species",
     lambda: sims.with_rsf(RUN, rsf=xr.DataArray([1e22,1e22], dims="species", attrs={"units":"atom/cm^3"}), matrix="Si")),
    (ProfileError, "a sensitivity factor belongs to one species, and there are 2: rsf={'B': '5e22 atoms/cm^3', ...}",
     lambda: sims.with_rsf(RUN, rsf="1e22 atoms/cm^3 per count/s", matrix=None)),
    (ProfileError, "a sensitivity factor belongs to one species, and there are 0 besides the matrix: rsf={'11B': '5e22 atoms/cm^3', ...}",
     lambda: sims.with_rsf(RUN.sel(species=["Si"]), rsf="1e22 atoms/cm^3", matrix="Si")),
    (SpeciesError, "rsf is a factor relative to 'Ge', but matrix='Si'",
     lambda: sims.with_rsf(RUN, rsf={"B": xr.DataArray(1e22, {"matrix":"Ge"}, attrs={"units":"atom/cm^3"})}, matrix="Si")),
    (SpeciesError, "rsf is a factor without a matrix, but matrix='Si'",
     lambda: sims.with_rsf(RUN, rsf={"B": xr.DataArray(1e22, {"matrix":""}, attrs={"units":"atom/cm^3"})}, matrix="Si")),
    (UnitsError, "intensity is in arb. unit, for which there is no sensitivity factor without a matrix signal: name the matrix",
     lambda: sims.with_rsf(RUN.assign(intensity=RUN["intensity"].assign_attrs(units="arb. unit")), rsf=RSF, matrix=None)),
    (ProfileError, "species 'B' has no intensity to quantify; if it was quantified before, its intensity was replaced, which keep_intensity=True prevents",
     lambda: sims.with_rsf(sims.with_rsf(RUN, rsf=RSF, matrix="Si"), rsf=RSF, matrix="Si")),
    (ProfileError, "species 'B' would have two values of concentration at the same depth; drop one of the variables first",
     lambda: sims.with_rsf(sims.with_rsf(RUN, rsf=RSF, matrix="Si", keep_intensity=True), rsf=RSF, matrix="Si")),
    (UnitsError, "the data have no atomic_fraction or mass_fraction to convert; they have concentration (atom/cm^3)",
     lambda: sims.to_concentration(IMPLANT, atomic_density="Si")),
    (ProfileError, "a background was subtracted before concentration was quantified with a factor that varies with depth, so that its error varies, too; subtract both backgrounds from the intensities",
     lambda: sims.subtract_background(sims.with_rsf(sims.subtract_background(RUN, window=("80 s","100 s"), species="B"), rsf=RSF, matrix="Si"), window=("80 s","100 s"), species="B")),
    (UnitsError, "atomic_density='-5e22 atoms/cm^3' must be one positive density",
     lambda: sims.to_concentration(fractions(), atomic_density="-5e22 atoms/cm^3")),
    (UnitsError, "atomic_density='Sx' is not a number with a unit, such as '50 atoms/cm^3'; or name a host: Si, Ge, GaAs, InP, GaN, SiC, SiO2; or give a formula with its mass density: ('Al0.3Ga0.7N', '5.2 g/cm^3')",
     lambda: sims.to_concentration(fractions(), atomic_density="Sx")),
    (UnitsError, "a mass fraction becomes a concentration only with the masses of the atoms: give masses={'B': 10.81, ...} in u and a host by name (Si, Ge, GaAs, InP, GaN, SiC, SiO2) or by formula, or leave it out with ds.drop_vars('mass_fraction')",
     lambda: sims.to_concentration(masses(), atomic_density="Si")),
    (SpeciesError, "masses lack 'B', which the data have as a mass fraction",
     lambda: sims.to_concentration(masses(), atomic_density="Si", masses={"P": 31.0})),
    (ProfileError, "masses={'B': -1, 'P': 31.0} must be positive, in u",
     lambda: sims.to_concentration(masses(), atomic_density="Si", masses={"B": -1, "P": 31.0})),
    (ProfileError, "cannot read the formula 'Xx2' (unknown element Xx)",
     lambda: sims.to_concentration(fractions(), atomic_density=("Xx2", "5 g/cm^3"))),
    (ProfileError, "the formula '' holds no atoms",
     lambda: sims.to_concentration(fractions(), atomic_density=("", "5 g/cm^3"))),
    (ProfileError, "mass density '-5 g/cm^3' must be positive",
     lambda: sims.to_concentration(fractions(), atomic_density=("GaN", "-5 g/cm^3"))),
    (UnitsError, "an abundance applies to a concentration or an atomic fraction; the data have intensity (count/s): quantify them first",
     lambda: sims.to_element(RUN, abundance="natural")),
    (SpeciesError, "'B' does not name a single isotope, such as '11B' or '30Si'",
     lambda: sims.to_element(IMPLANT, abundance={"B":0.8})),
    (ProfileError, "abundance['11B']=1.2; expected a fraction above 0, at most 1, or 'natural'",
     lambda: sims.to_element(iso(), abundance={"11B":1.2})),
    (ProfileError, "abundance='most'; expected a fraction above 0, at most 1, or 'natural'",
     lambda: sims.to_element(iso(), abundance="most")),
    (SpeciesError, "abundance lacks '31P'; it has '11B'",
     lambda: sims.to_element(iso(), abundance={"11B":0.8}, species=["11B","31P"])),
    (SpeciesError, "'12B' has no natural abundance; state it",
     lambda: sims.to_element(iso("12B", "31P"), abundance={"12B":"natural"})),
    (SpeciesError, "the data would have 'B' twice; name one isotope of it, as in species='11B', and leave out or rename the others",
     lambda: sims.to_element(iso("11B","10B"), abundance="natural")),
    (SpeciesError, "numerator and denominator are both 'B'",
     lambda: sims.ratio(RUN, numerator="B", denominator="B")),
    (ProfileError, "kind='part'; expected 'ratio' or 'fraction'",
     lambda: sims.ratio(RUN, numerator="B", denominator="Si", kind="part")),
    (UnitsError, "variable='concentration' is none in which both 'B' and 'Si' are measured; the data have intensity (count/s)",
     lambda: sims.ratio(RUN, numerator="B", denominator="Si", variable="concentration")),
    (UnitsError, "there is no variable in which both 'B' and 'Si' are measured; the data have intensity (count/s)",
     lambda: sims.ratio(RUN.assign(intensity=RUN["intensity"].where(RUN["species"]=="B")), numerator="B", denominator="Si")),
    (TypeError, "rsf_from_standard takes a Dataset, or a list of Datasets",
     lambda: sims.rsf_from_standard([], species="B", dose="1e15 atoms/cm^2", matrix="Si")),
    (ProfileError, "dose holds 2 doses for 1 standards",
     lambda: sims.rsf_from_standard([DEEP], species="B", dose=["1e15 atoms/cm^2"]*2, matrix="Si")),
    (ProfileError, "the standard needs 'Si' besides the matrix 'Si'",
     lambda: sims.rsf_from_standard(DEEP, species="Si", dose="1e15 atoms/cm^2", matrix="Si")),
    (ProfileError, "the standard needs 'B' besides the matrix None",
     lambda: sims.rsf_from_standard(DEEP.sel(species="B"), species="B", dose="1e15 atoms/cm^2", matrix=None)),
    (ProfileError, "species 'B': no dose between these depths to compare with (integral -0.000499); check start, stop and background",
     lambda: sims.rsf_from_standard(DEEP, species="B", dose="1e15 atoms/cm^2", matrix="Si", background="1e6 counts/s")),
    (ProfileError, "average needs a dimension 'measurement', found ('species', 'sputter_time'); stack() makes one of many Datasets",
     lambda: sims.average(RUN)),
    (ProfileError, "the measurements have axes of their own: put them on one first, with to_grid(data, step='1 nm')",
     lambda: sims.average(OWN_AXES)),
    (UnitsError, "there is nothing to average; the data have own (count/s)",
     lambda: sims.average(BATCH.rename(intensity="own"))),
    (ProfileError, "the pieces have no species in common: 'B', 'Si' and 'As', 'Ge'",
     lambda: sims.splice(RUN, RUN.assign_coords(species=["As","Ge"]))),
    (UnitsError, "the pieces have no variable in common: intensity (count/s) and counts (count)",
     lambda: sims.splice(TOP, REST.pipe(counted))),
    (ProfileError, "species 'B': a runs from 0 to 38 s, b from 60 to 100 s; b must begin within a and end below it",
     lambda: sims.splice(RUN.isel(sputter_time=slice(0,20)), RUN.isel(sputter_time=slice(30,None)))),
    (ProfileError, "at='70 s' is outside of the overlap, from 40 to 58 s",
     lambda: sims.splice(TOP, REST, at="70 s")),
    (ProfileError, "b is on a depth axis, a on a sputter-time axis: keep each kind apart, or convert time to depth with calibrate_depth()",
     lambda: sims.splice(RUN, DEEP)),
    (ProfileError, "b is already a batch: unstack() it first",
     lambda: sims.splice(RUN, BATCH)),
    (SpeciesError, "species names species, but the data have no coordinate that names them: data.assign_coords(species=[...])",
     lambda: sims.splice(RUN, RUN.isel(species=0, drop=True))),
    (ProfileError, "species 'B': the integral of intensity from 40 to 58 s is not positive in one of the pieces, so that it says nothing of their ratio",
     lambda: sims.splice(TOP, REST.pipe(silent), scale=True)),
    (ProfileError, "markers: the layers do not determine a rate: they move by 4 +- 14 for each nm of the stated depths",
     lambda: by_layers(square=1e4)),
    (ProfileError, "markers: the fit is over 'window'; choose one",
     lambda: by_layers(over=("window",))),
    (ProfileError, "markers: the fit is no_fit, not ok: there are no layers to go by",
     lambda: by_layers(status="no_fit")),
    (UnitsError, "markers: positions are in 'min'; expected 's', as the fit gave them",
     lambda: by_layers(units="min")),
    (ProfileError, "rate[0]='1 nm/s'; expected (stop_time, rate)",
     lambda: sims.calibrate_depth(RUN, rate=["1 nm/s"])),
    (ProfileError, "crater_depth='-1 um' must be positive",
     lambda: sims.calibrate_depth(RUN, crater_depth="-1 um")),
    (ProfileError, "crater_depth='-1 um' must be positive",
     lambda: sims.rescale_depth(IMPLANT, crater_depth="-1 um")),
    (ProfileError, "depths='10 nm'; expected the known depths of the layers in order, ['10 nm', '20 nm', ...]",
     lambda: by_layers(depths="10 nm")),
    (ProfileError, "markers: expected a fit of several layers, sims.fit(data, model='delta_drf', repeat=...)",
     lambda: sims.calibrate_depth(RUN, markers=layers().isel(layer=0), depths=["10 nm"])),
    (ProfileError, "markers: expected a fit of several layers, sims.fit(data, model='delta_drf', repeat=...)",
     lambda: sims.calibrate_depth(RUN, markers=layers().drop_vars("covariance"), depths=["10 nm"])),
    (ProfileError, "depths=None; expected the known depths of the layers in order, ['10 nm', '20 nm', ...]",
     lambda: by_layers(depths=None)),
    (ProfileError, "depths=['20 nm', '10 nm']: depths must increase with the layer",
     lambda: by_layers(depths=["20 nm", "10 nm"])),
    (ProfileError, "depths holds 1 depths, and the fit 2 layers",
     lambda: by_layers(depths=["20 nm"])),
    (ProfileError, "markers=[]; expected [(time, depth), ...]",
     lambda: sims.calibrate_depth(RUN, markers=[])),
    (ProfileError, "offset is NaN; expected a finite number",
     lambda: sims.rescale_depth(DEEP, offset=xr.DataArray(np.nan, attrs={"units": "nm"}))),
    (ProfileError, "intensity is chunked along sputter_time, but each profile is needed as a whole: use data.chunk(sputter_time=-1)",
     lambda: sims.with_rsf(RUN.chunk(sputter_time=10), rsf=RSF, matrix="Si")),
    (ProfileError, "rate[1]=('9 s', '2 nm/s'): rates must be positive, and the ends increase from 0",
     lambda: sims.calibrate_depth(RUN, rate=[("9 s", "1 nm/s"), ("9 s", "2 nm/s")])),
    (ProfileError, "markers holds no depth below the surface",
     lambda: sims.calibrate_depth(RUN, markers=[("0 s", "0 nm")])),
    (ProfileError, "markers[0] has no time; only a rate after the last marker has none",
     lambda: sims.calibrate_depth(RUN, markers=[(None, "1 nm/s")])),
    (ProfileError, "markers[1]=('100 s', '30 nm'): times and depths must increase, from the surface at 0",
     lambda: sims.calibrate_depth(RUN, markers=[("20 s", "30 nm"), ("100 s", "30 nm")])),
    (ProfileError, "markers[0]=('0 s', '3 nm'): times and depths must increase, from the surface at 0",
     lambda: sims.calibrate_depth(RUN, markers=[("0 s", "3 nm"), ("100 s", "30 nm")])),
    (ProfileError, "markers[1]=(None, '0 nm/s'): a rate must be positive",
     lambda: sims.calibrate_depth(RUN, markers=[("20 s", "9 nm"), (None, "0 nm/s")])),
    (ProfileError, "depth_uncertainty='1 nm/s' must be less than the value whose uncertainty it is, and not less than 0",
     lambda: sims.calibrate_depth(RUN, rate="1 nm/s", depth_uncertainty="1 nm/s")),
    (ProfileError, "dose={'B': '-1e15 atoms/cm^2'} must be positive",
     lambda: sims.scale_to_dose(IMPLANT, dose={"B": "-1e15 atoms/cm^2"})),
    (ProfileError, "species 'B': no dose between these depths to compare with (integral 0); check start, stop and background",
     lambda: sims.scale_to_dose(IMPLANT, dose={"B": "1e15 atoms/cm^2"}, start="2 um", stop="3 um")),
    (ProfileError, "dose='0 atoms/cm^2' must be positive",
     lambda: sims.rsf_from_standard(DEEP, species="B", dose="0 atoms/cm^2", matrix="Si")),
    (ProfileError, "abundance=0.0; expected a fraction above 0, at most 1, or 'natural'",
     lambda: sims.rsf_from_standard(DEEP, species="B", dose="1e15 atoms/cm^2", matrix="Si", abundance=0.0)),
    (SpeciesError, "matrix names 'Ge'; the data have 'B', 'Si'",
     lambda: sims.rsf_from_standard(DEEP, species="B", dose="1e15 atoms/cm^2", matrix="Ge")),
    (SpeciesError, "matrix names 'Ge'; the data have 'B', 'Si'",
     lambda: sims.with_rsf(RUN, rsf=RSF, matrix="Ge")),
    (SpeciesError, "the data would have 'B' twice; name one isotope of it, as in species='11B', and leave out or rename the others",
     lambda: sims.to_element(iso("11B", "B"), abundance={"11B": 0.8})),
    (SpeciesError, "'11Xx' has no natural abundance; state it",
     lambda: sims.to_element(iso("11Xx", "B"), abundance={"11Xx": "natural"})),
    (SpeciesError, "denominator names 'Ge'; the data have 'B', 'Si'",
     lambda: sims.ratio(RUN, numerator="B", denominator="Ge")),
    (SpeciesError, "numerator names 'Ge'; the data have 'B', 'Si'",
     lambda: sims.ratio(RUN, numerator="Ge", denominator="B")),
    (TypeError, "splice takes two Datasets, found DataArray as a",
     lambda: sims.splice(TOP["intensity"], REST)),
    (TypeError, "splice takes two Datasets, found DataArray as b",
     lambda: sims.splice(TOP, REST["intensity"])),
]  # fmt: skip


REFUSED += [
    (ProfileError, f"{name}=1; expected True or False", call)
    for name, call in (
        ("keep_intensity", lambda: sims.with_rsf(RUN, rsf=RSF, matrix="Si", keep_intensity=1)),
        ("scale", lambda: sims.splice(TOP, REST, scale=1)),
        ("apply_offset", lambda: sims.calibrate_depth(RUN, rate="1 nm/s", apply_offset=1)),
    )
]


@pytest.mark.parametrize(
    ("error", "message", "call"), REFUSED, ids=[text[:50] for _, text, _ in REFUSED]
)
def test_refusals(error, message, call):
    with pytest.raises(error) as raised:
        call()
    assert raised.value.args[0] == message


DEAD = sims.correct_dead_time(RUN, dead_time="1 us")
STANDARD = xr.DataArray(
    1e22,
    {"species": "B", "matrix": "Si", "matrix_signal": "mean", "dead_time": "as observed"},
    attrs={"units": "atom/cm^3"},
)
#: Warnings, or None, and calls.
WARNED = [
    ("species 'Si', sputter time 0 s: 20000 count/s (and 50 more): the detector was dead for up to 20% of the time; how far the correction can be trusted depends on the detector",
     lambda: sims.correct_dead_time(RUN, dead_time="10 us")),
    ("species 'B': dead_time is NaN: left as it is",
     lambda: sims.correct_dead_time(RUN, dead_time=of_species(1e-6, np.nan))),
    (None,
     lambda: sims.with_rsf(RUN.where(RUN["sputter_time"] < 50), rsf=RSF, matrix="Si", matrix_threshold=0.5)),
    ("species 'B', sputter time 60 s: 497.871 count/s (and 20 more): the matrix signal 'Si' has vanished: no concentration there",
     lambda: sims.with_rsf(faded(), rsf=RSF, matrix="Si", matrix_threshold=0.5)),
    ("species 'B', sputter time 62 s: 450.492 count/s (and 19 more): the matrix 'Si' was not measured in this cycle: no concentration there",
     lambda: sims.with_rsf(faded(np.nan), rsf=RSF, matrix="Si")),
    ("the factor of 'B' was determined with matrix_signal='mean', and is used with 'cycle': the two agree only as far as the matrix signal is constant; use matrix_signal='mean' here, or determine the factor anew",
     lambda: sims.with_rsf(RUN, rsf=STANDARD, matrix="Si")),
    ("the standard of 'B' was not, and these intensities are corrected for dead time: treat both alike with correct_dead_time(), or the concentrations are off by the dead time of the matrix signal",
     lambda: sims.with_rsf(DEAD, rsf=STANDARD, matrix="Si", matrix_signal="mean")),
    ("measurement 'w2': rate is NaN: its depths are not known",
     lambda: sims.calibrate_depth(BATCH, rate=per(1.0, np.nan, units="nm/s"))),
    ("species 'B': from 40 to 58 s, a is 0.5 times b; scale=True makes them agree there",
     lambda: sims.splice(TOP.sel(species=["B"]), REST.assign(intensity=(2 * REST["intensity"]).assign_attrs(units="count/s")))),
    ("species 'B', sputter time 0 s: 10000 count/s (and 50 more): measured by a Faraday cup, as a current, which has no dead time: left as it is",
     lambda: sims.correct_dead_time(RUN.assign_coords(species_metadata=("species", ['{"detector": "FC"}'] * 2)), dead_time={"B": "1 ns"})),
    ("species 'B': the samples in the window of the background scatter 48 times as much as their standard errors say: the window is not flat, or the errors are not those of counting; the error of the background is taken from the scatter",
     lambda: sims.subtract_background(exactly(), window=("0 s", "60 s"), species="B")),
    ("species 'B' and 1 more: the scales of the replicates scatter 187 times as much as their standard errors say; that of the mean is known to 61 %: scale_repeatability, which dose_budget and fit add to the random errors",
     lambda: sims.average(sims.stack([exactly(), exactly(2)]))),
]  # fmt: skip


def exactly(times=1):
    """Give whole counts of the run, or a multiple of them, with their errors."""
    counts = (times * RUN["intensity"]).round().assign_attrs(units="count/s")
    return sims.with_counting_statistics(RUN.assign(intensity=counts), dwell_time="1 s")


def of_species(*values):
    """Give times for silicon and boron."""
    return xr.DataArray(list(values), {"species": ["Si", "B"]}, attrs={"units": "s"})


def faded(level=100.0):
    """Give the run with a matrix signal that fades away."""
    gone = (RUN["species"] == "Si") & (RUN["sputter_time"] >= 60)
    return RUN.assign(intensity=RUN["intensity"].where(~gone, level))


@pytest.mark.parametrize(("message", "call"), WARNED, ids=[str(text)[:50] for text, _ in WARNED])
def test_warnings(message, call, recwarn):
    call()
    assert [str(one.message) for one in recwarn] == ([] if message is None else [message])
