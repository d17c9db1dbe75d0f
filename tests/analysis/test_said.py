"""What is said of arguments that do not fit, word by word: what was found, and what is expected."""

import pytest
import xarray as xr
from measured import measurement, one

import sims_analysis as sims
from sims_analysis.errors import JunctionError, ProfileError, SpeciesError, UnitsError

Z = [0.0, 10.0, 20.0, 30.0]
TWO = measurement(Z, {"P": [1e18, 1e18, 1e17, 1e16], "B": [1e16, 1e17, 1e18, 1e18]})
ONE = one(Z, [1e18, 2e18, 1e17, 1e16])
LEVEL = "1e17 cm^-3"
BATCH = sims.stack([ONE, ONE])
FEW = ONE.isel(depth=[1])
CURRIE = {"window": ("1 nm", "20 nm"), "rule": "currie"}
NAMELESS = ONE.rename(concentration="c")
NEGATIVE = ONE.assign(concentration=(-ONE["concentration"]).assign_attrs(units="cm^-3"))
TIMES = ONE.rename(depth="sputter_time").assign_coords(
    sputter_time=("sputter_time", Z, {"units": "s"})
)
OWN = xr.DataArray([[1.0, 2.0], [3.0, 4.0]], dims=("species", "x"), attrs={"units": "nm"})
WHICH = (
    'expected "deepest", "first", or a whole number: 1 for the shallowest, 2 for the next, and so '
    "on"
)
RATE = one(Z, [3.0, 4.4, 5.5, 7.0], units="count/s").rename(concentration="intensity")
MOVED = [("1 nm", "5 nm"), ("2 nm", "4 nm")]

REFUSED = [
    (
        lambda: sims.to_grid(ONE, depth=["1 nm", "1 nm"]),
        ProfileError,
        "the depth values of a grid must increase strictly",
    ),
    (
        lambda: sims.integrated_dose(ONE, strict=1),
        ProfileError,
        "strict=1; expected True or False",
    ),
    (
        lambda: sims.metallurgical_junctions(TWO, donors=["P"], acceptors=["B"], strict=1),
        ProfileError,
        "strict=1; expected True or False",
    ),
    (
        lambda: sims.align(ONE, ONE, method="edge", marker="B", fraction="0.5"),
        ProfileError,
        "fraction='0.5'; expected a number between 0 and 1",
    ),
    (
        lambda: sims.align(ONE, ONE, method="edges"),
        ProfileError,
        (
            "method='edges'; expected 'cross-correlation', 'log-correlation', 'edge', 'peak' or "
            "'markers'"
        ),
    ),
    (
        lambda: sims.junction_depth(ONE, level=LEVEL, which="second"),
        ProfileError,
        f"which='second'; {WHICH}",
    ),
    (
        lambda: sims.junction_depth(ONE, level=LEVEL, which=True),
        ProfileError,
        f"which=True; {WHICH}",
    ),
    (
        lambda: sims.with_counting_statistics(RATE, dwell_time="1 s"),
        ProfileError,
        (
            "species 'B', depth 10 nm: 4.4 count/s (and 1 more) is 4.4 counts, not a whole number; "
            "take the counting statistics before anything is subtracted, averaged or divided, and "
            "leave out species that were not counted: dwell_time={'11B': '1 s', ...}"
        ),
    ),
    (
        lambda: sims.align(BATCH, ONE),
        ProfileError,
        "a is a batch; align to one measurement: a.isel(measurement=0)",
    ),
    (
        lambda: sims.align(ONE, ONE, marker="As"),
        SpeciesError,
        "marker='As': a has no such species; it has B",
    ),
    (
        lambda: sims.align(ONE, ONE, method="peak"),
        ProfileError,
        'method="peak" needs the marker whose maximum it aligns',
    ),
    (
        lambda: sims.align(ONE, ONE, method="edge", level=LEVEL),
        ProfileError,
        'method="edge" needs the marker whose edge it aligns',
    ),
    (
        lambda: sims.align(ONE, ONE, level=LEVEL),
        ProfileError,
        'give level or fraction with method="edge", and with no other',
    ),
    (
        lambda: sims.align(ONE, ONE, method="edge", marker="B", fraction=1.0),
        ProfileError,
        "fraction=1.0; expected a number between 0 and 1",
    ),
    (
        lambda: sims.align(ONE, ONE, method="peak", marker="B", max_shift="1 nm"),
        ProfileError,
        "max_shift='1 nm' goes with a correlation; method=\"peak\" does not search",
    ),
    (
        lambda: sims.align(ONE, ONE, markers=["B", "P"]),
        ProfileError,
        'give markers with method="markers", and with no other',
    ),
    (
        lambda: sims.align(ONE, ONE, method="markers", marker="B", markers=["B", "P"]),
        ProfileError,
        "give marker or markers, not both",
    ),
    (
        lambda: sims.align(ONE, ONE, method="markers", markers=["B"]),
        ProfileError,
        "markers=['B']; expected two or more: species, or pairs of depths",
    ),
    (
        lambda: sims.align(ONE, ONE),
        ProfileError,
        "species 'B' has 4 samples in a and 4 in b; an alignment needs five of each",
    ),
    (lambda: sims.align(TWO, TWO), ProfileError, "no species has five samples in both a and b"),
    (
        lambda: sims.align(ONE.expand_dims("site"), ONE),
        ProfileError,
        (
            "a has the dimension 'site', and an alignment takes single measurements, or as "
            "b a batch over 'measurement': select one with a.isel(site=0)"
        ),
    ),
    (
        lambda: sims.align(TWO, ONE, method="markers", markers=["P", "B"]),
        SpeciesError,
        "markers[0]='P' is not in both; common are B",
    ),
    (
        lambda: sims.align(TWO, TWO, method="markers", markers=MOVED),
        ProfileError,
        ("the markers are not in one order: at [2.0, 1.0] nm in a and at [4.0, 5.0] nm in b"),
    ),
    (
        lambda: sims.dose_budget(ONE, rule_tolerance=-1),
        ProfileError,
        "rule_tolerance=-1; expected a fraction such as 0.1",
    ),
    (
        lambda: sims.depth_at_dose_fraction(ONE, fraction=1.5),
        ProfileError,
        "fraction=1.5; expected numbers between 0 and 1",
    ),
    (
        lambda: sims.depth_at_dose_fraction(ONE, fraction=[0.5, True]),
        ProfileError,
        "fraction=True; expected numbers between 0 and 1",
    ),
    (
        lambda: sims.integrated_dose(ONE, surface="exclude"),
        ProfileError,
        'surface="exclude" needs surface_depth, the depth where the transient ends',
    ),
    (
        lambda: sims.integrated_dose(ONE, stop="40 nm", strict=True),
        ProfileError,
        "species 'B': the limits reach beyond the samples, 0 to 30 nm",
    ),
    (
        lambda: sims.integrated_dose(ONE, start="40 nm", stop="50 nm", strict=True),
        ProfileError,
        "species 'B': the limits lie beyond the samples, 0 to 30 nm",
    ),
    (
        lambda: sims.integrated_dose(ONE, background=("1 nm", "2 nm", "3 nm")),
        ProfileError,
        "background=('1 nm', '2 nm', '3 nm'); expected a value or (start, stop)",
    ),
    (
        lambda: sims.integrated_dose(ONE, background=("20 nm", "10 nm")),
        ProfileError,
        (
            "background start must come before background stop, found background start='20 "
            "nm' and background stop='10 nm'"
        ),
    ),
    (
        lambda: sims.compare(ONE, ONE, method="pchip"),
        ProfileError,
        "method='pchip'; expected 'log' or 'linear'",
    ),
    (
        lambda: sims.compare(ONE, ONE, which="first", confirm=2),
        ProfileError,
        "compare: which, confirm goes with level=, which is not given",
    ),
    (lambda: sims.repeatability([ONE]), TypeError, "expected a Dataset or a DataArray, found list"),
    (
        lambda: sims.repeatability(ONE),
        ProfileError,
        (
            "repeatability needs a dimension 'measurement', found ('species', 'depth'); "
            "stack() makes one of many Datasets"
        ),
    ),
    (
        lambda: sims.repeatability(sims.stack([ONE, ONE.isel(depth=slice(3))])),
        ProfileError,
        (
            "the measurements have axes of their own; give the step of the grid on which to "
            'compare them, such as step="1 nm"'
        ),
    ),
    (
        lambda: sims.repeatability(BATCH, which="first"),
        ProfileError,
        "repeatability: which goes with level=, which is not given",
    ),
    (
        lambda: sims.crossings(ONE.chunk(), level=LEVEL),
        ProfileError,
        ("for Dask data, give the number of crossings to keep for each profile: max_count=..."),
    ),
    (
        lambda: sims.crossings(ONE, level=LEVEL, max_count=0),
        ProfileError,
        "max_count=0; expected a whole number, at least 1",
    ),
    (
        lambda: sims.junction_depth(ONE, level=LEVEL, after="valley"),
        ProfileError,
        'after=\'valley\'; expected "peak", or a depth such as "50 nm"',
    ),
    (
        lambda: sims.junction_depth(ONE, level=LEVEL, which=0),
        ProfileError,
        (
            'which=0; expected "deepest", "first", or a whole number: 1 for the shallowest, '
            "2 for the next, and so on"
        ),
    ),
    (
        lambda: sims.junction_depth(ONE, level=LEVEL, confirm=0),
        ProfileError,
        "confirm=0; expected a whole number, at least 1",
    ),
    (
        lambda: sims.junction_depth(ONE, level=LEVEL, strict=1),
        ProfileError,
        "strict=1; expected True or False",
    ),
    (
        lambda: sims.junction_depth(ONE, level="1e15 cm^-3", strict=True),
        JunctionError,
        (
            "species 'B' has no junction at 1e+15 atom/cm^3: always above; its maximum is "
            "2e+18 atom/cm^3"
        ),
    ),
    (
        lambda: sims.decay_length(ONE, low="1e18 cm^-3", high=LEVEL),
        ProfileError,
        "low='1e18 cm^-3' must lie below high='1e17 cm^-3'",
    ),
    (
        lambda: sims.decay_length(ONE, edge="any"),
        ProfileError,
        "edge='any'; expected 'trailing' or 'leading'",
    ),
    (
        lambda: sims.detection_limit(ONE, window="10 nm"),
        ProfileError,
        "window='10 nm'; expected (start, stop), such as ('800 nm', '1 um')",
    ),
    (
        lambda: sims.detection_limit(ONE, window=("1 nm", "9 nm"), rule="3sigma"),
        ProfileError,
        "rule='3sigma'; expected 'mean+3sigma' or 'currie'",
    ),
    (
        lambda: sims.detection_limit(ONE, **CURRIE),
        ProfileError,
        (
            'rule="currie" needs counts, and the data have none: give value_per_count=, the '
            "value of one count, or data with counts from with_counting_statistics()"
        ),
    ),
    (
        lambda: sims.detection_limit(ONE, **CURRIE, value_per_count="0 cm^-3"),
        ProfileError,
        "value_per_count='0 cm^-3' must be positive",
    ),
    (lambda: sims.interpolate(ONE, depth=[]), ProfileError, "depth=[]: give at least one depth"),
    (
        lambda: sims.interpolate(ONE, depth="5 nm", method="cubic"),
        ProfileError,
        "method='cubic'; expected 'log', 'linear', 'pchip' or 'makima'",
    ),
    (
        lambda: sims.interpolate(NAMELESS, depth="5 nm"),
        UnitsError,
        (
            "the Dataset has none of concentration, range_density, atomic_fraction, "
            "mass_fraction, intensity, counts, intensity_arbitrary, ratio, fraction; it has "
            "c"
        ),
    ),
    (
        lambda: sims.to_grid(ONE, step="1 nm", depth=["1 nm"]),
        ProfileError,
        "give exactly one of step, depth and like",
    ),
    (
        lambda: sims.to_grid(ONE, step="1 nm", method="pchip", conserve="dose"),
        ProfileError,
        (
            'conserve="dose" needs method="log" or "linear", which have a dose rule; '
            "method='pchip' has none"
        ),
    ),
    (
        lambda: sims.to_grid(ONE, step="1 nm", conserve="mass"),
        ProfileError,
        "conserve='mass'; expected 'dose'",
    ),
    (
        lambda: sims.to_grid(ONE, step="0 nm"),
        ProfileError,
        "step='0 nm' must be one positive number",
    ),
    (
        lambda: sims.to_grid(ONE, step="1e-6 nm"),
        ProfileError,
        (
            "step='1e-6 nm': 0 to 30 nm in steps of 1e-06 nm are 3e+07 cells for each "
            "profile; a grid has at most 10,000,000"
        ),
    ),
    (
        lambda: sims.to_grid(FEW, step="7 nm"),
        ProfileError,
        "no multiple of step='7 nm' lies within the samples, 10 to 10 nm",
    ),
    (
        lambda: sims.to_grid(FEW, step="7 nm", conserve="dose"),
        ProfileError,
        "step='7 nm': the depth axis has no extent",
    ),
    (
        lambda: sims.to_grid(ONE, depth=["2 nm", "1 nm"]),
        ProfileError,
        "the depth values of a grid must increase strictly",
    ),
    (
        lambda: sims.to_grid(ONE, depth=["2 nm"], conserve="dose"),
        ProfileError,
        "cells need at least two depths, so that edges lie between them",
    ),
    (
        lambda: sims.to_grid([ONE], step="1 nm"),
        TypeError,
        "a grid needs a Dataset or DataArray, found list",
    ),
    (
        lambda: sims.to_grid(TWO, depth=OWN),
        ProfileError,
        (
            "depth is over ('species', 'x'): a common axis has one dimension; use "
            "interpolate() for different depths for each profile"
        ),
    ),
    (
        lambda: sims.moments(ONE, threshold=1.0),
        ProfileError,
        (
            "threshold=1.0; expected a fraction of the maximum between 0 and 1, or a "
            "concentration with its unit"
        ),
    ),
    (
        lambda: sims.metallurgical_junctions(TWO),
        ProfileError,
        "name the donors and the acceptors: donors=['P'], acceptors=['B']",
    ),
    (
        lambda: sims.metallurgical_junctions(TWO, donors=["P"], acceptors=["P"]),
        ProfileError,
        "'P': both donor and acceptor",
    ),
    (
        lambda: sims.metallurgical_junctions(TWO, donors=["P"]),
        ProfileError,
        "there are no acceptors, and no background to balance the others",
    ),
    (
        lambda: sims.metallurgical_junctions(TWO, donors="P", acceptors=["B"]),
        ProfileError,
        "donors='P'; expected a list of species, ['P']",
    ),
    (
        lambda: sims.metallurgical_junctions(
            TWO, donors=["P"], acceptors=["B"], background={"P": "1e15 cm^-3"}
        ),
        ProfileError,
        "background is net doping: one for all species, not one for each",
    ),
    (
        lambda: sims.surface_concentration(ONE, depth="5 nm", samples=2),
        ProfileError,
        "samples=2; expected a whole number, at least 3",
    ),
    (
        lambda: sims.with_counting_statistics(NEGATIVE, value_per_count="1e16 cm^-3"),
        ProfileError,
        (
            "species 'B', depth 0 nm: -1e+18 atom/cm^3 (and 3 more): negative values in "
            "concentration are not counts; take the counting statistics before subtracting "
            "a background"
        ),
    ),
    (
        lambda: sims.with_counting_statistics(ONE),
        UnitsError,
        (
            "the counts of no variable are known: give dwell_time for intensities in "
            "counts/s, value_per_count for concentrations; the data have concentration"
        ),
    ),
    (
        lambda: sims.poisson_interval([-1]),
        ProfileError,
        "counts=[-1]: a number of counts is not negative",
    ),
    (
        lambda: sims.poisson_interval(["a"]),
        ProfileError,
        "counts=['a']; expected numbers of counts, such as 3 or [0, 5]",
    ),
    (
        lambda: sims.poisson_interval(3, confidence=1.0),
        ProfileError,
        "confidence=1.0; expected a number between 0 and 1",
    ),
    (
        lambda: sims.dose_budget(ONE, rsf_uncertainty="120 %"),
        ProfileError,
        (
            "rsf_uncertainty='120 %'; expected a relative uncertainty from 0 to below 1, "
            "such as 0.05 or '5 %'"
        ),
    ),
    (
        lambda: sims.junction_depth(ONE, level="5 nm"),
        UnitsError,
        (
            "level='5 nm' is in 'nm', which is a depth; expected a unit such as "
            "'atoms/cm^3' or 'cm^-3' or '1/cm' or 'at%' or 'ppm' or 'wt%' or 'counts/s' or "
            "'counts' or 'arb. units'"
        ),
    ),
    (
        lambda: sims.junction_depth(ONE, level="5 counts/s"),
        UnitsError,
        (
            "level='5 counts/s': a junction depth of this level needs a count rate "
            "(count/s); the data have concentration (atom/cm^3)"
        ),
    ),
    (
        lambda: sims.integrated_dose(TIMES),
        UnitsError,
        (
            "a dose needs a depth, and the data are on a sputter-time axis; "
            "calibrate_depth() turns sputter time into depth"
        ),
    ),
    (
        lambda: sims.peak(ONE, gaps="ignore"),
        ProfileError,
        "gaps='ignore'; expected 'flag' or 'bridge'",
    ),
    (
        lambda: sims.cumulative_dose(ONE, rule="simpson"),
        ProfileError,
        "rule='simpson'; expected 'trapezoid' or 'loglinear'",
    ),
    (
        lambda: sims.integrated_dose(ONE, surface="skip"),
        ProfileError,
        "surface='skip'; expected 'measured', 'exclude' or 'hold'",
    ),
]


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.SimsWarning")
@pytest.mark.parametrize(("ask", "error", "said"), REFUSED)
def test_a_refusal_says_what_was_found_and_what_is_expected(ask, error, said):
    with pytest.raises(error) as told:
        ask()
    assert str(told.value) == said


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.SimsWarning")
def test_a_junction_that_a_limit_hides_is_refused_with_the_limit():
    text = "Depth (nm)\tB (atoms/cm3)\n0\t1e18\n1\t8e17\n2\t<5E15\n3\t<5E15\n"
    ds = sims.read(text.encode()).to_dataset()
    with pytest.raises(JunctionError) as told:
        sims.junction_depth(ds, level="1e15 atoms/cm^3", strict=True)
    assert "below detection (those without a value are below 5e+15 atom/cm^3)" in str(told.value)
