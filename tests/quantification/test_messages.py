"""What quantification refuses and warns of, word by word, about the data below."""

import numpy as np
import xarray as xr
from approved import difference, messages
from count_rates import timed

import sims_analysis as sims

TIME = np.arange(0.0, 101.0, 2.0)
RUN = timed(TIME, B=1e4 * np.exp(-TIME / 20), Si=np.full(TIME.size, 2e4))
TOP, REST = RUN.isel(sputter_time=slice(30)), RUN.isel(sputter_time=slice(20, None))
BATCH = xr.concat([RUN, RUN], dim=xr.Variable("measurement", ["w1", "w2"]))
OWN_AXES = sims.stack([RUN, REST])
DEEP = sims.calibrate_depth(RUN, rate="1 nm/s")
IMPLANT = sims.open_example("boron-implant")
RSF = {"B": "1e22 atoms/cm^3"}


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


DEAD = sims.correct_dead_time(RUN, dead_time="1 us")
STANDARD = xr.DataArray(
    1e22,
    {"species": "B", "matrix": "Si", "matrix_signal": "mean", "dead_time": "as observed"},
    attrs={"units": "atom/cm^3"},
)


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


APPROVED = "quantification"


def outcome(call):
    return messages(call, globals())


def test_what_is_refused_and_warned_of_has_the_approved_words():
    assert not (changed := difference(APPROVED, outcome)), changed
