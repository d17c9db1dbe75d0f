"""What is said of arguments that do not fit, and of answers, word by word: what, where, and why."""

import warnings

import numpy as np
import pytest
import xarray as xr
from measured import measurement, one

import sims_analysis as sims
from sims_analysis.errors import (
    AmbiguousJunctionWarning,
    DoseWarning,
    JunctionError,
    ProfileError,
    ProfileWarning,
    SimsWarning,
    SpeciesError,
    UnitsError,
)

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
        (
            "the depth where the surface transient ends is not stated; "
            'surface="exclude" needs surface_depth'
        ),
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
    assert "below limit (those without a value are below 5e+15 atom/cm^3)" in str(told.value)


#: Nothing was measured from 9 to 30 nm.
HOLE = np.r_[0.0:10.0, 30.0:40.0]
PEAK = one(HOLE, 1e18 * np.exp(-0.5 * ((HOLE - 12) / 5) ** 2) + 1e10)
EDGE = one(HOLE, 1e19 * np.exp(-HOLE / 3))
BOTH = measurement(HOLE, {"B": EDGE["concentration"].values[0], "P": np.full(HOLE.size, 1e16)})
#: It crosses 1e16 at 34.5 nm, in the second of two gaps.
HOLES = np.concatenate([np.arange(0.0, 6), np.arange(20.0, 26), np.arange(45.0, 61)])
LATER = one(HOLES, 1e19 * np.exp(-HOLES / 5))
GAP = 'no sample between 9 and 30 nm (21 nm); {}; gaps="bridge" accepts that'
NOISY = np.random.default_rng(3).poisson(30 * np.exp(-(((np.arange(160.0) - 80) / 30) ** 2)))

#: What is asked, the warning, whose answer it is, and what is said of it.
TOLD_OF = [
    (
        lambda: sims.crossings(EDGE, level="1e16 cm^-3"),
        ProfileWarning,
        "species 'B', crossing '0'",
        GAP.format("a crossing in it has no depth"),
    ),
    (
        lambda: sims.junction_depth(EDGE, level="1e16 cm^-3"),
        ProfileWarning,
        "species 'B'",
        GAP.format("the junction in it has no depth"),
    ),
    *(
        (ask, ProfileWarning, who, GAP.format(what).replace("9 and 30 nm (21", "25 and 45 nm (20"))
        for ask, who, what in [
            (
                lambda: sims.junction_depth(LATER, level="1e16 cm^-3"),
                "species 'B'",
                "the junction in it has no depth",
            ),
            (
                lambda: sims.crossings(LATER, level="1e16 cm^-3"),
                "species 'B', crossing '0'",
                "a crossing in it has no depth",
            ),
        ]
    ),
    (
        lambda: sims.metallurgical_junctions(BOTH, donors=["P"], acceptors=["B"]),
        ProfileWarning,
        "junction '0'",
        GAP.format("the junction in it has no depth"),
    ),
    *(
        (ask, DoseWarning, "species 'B'", GAP.format(f"the dose bridges it by the rule {rule}"))
        for ask, rule in [
            (lambda: sims.integrated_dose(PEAK, rule="loglinear"), "loglinear"),
            (lambda: sims.dose_budget(PEAK, rule_tolerance=9), "trapezoid"),
            (lambda: sims.cumulative_dose(PEAK), "trapezoid"),
            (lambda: sims.depth_at_dose_fraction(PEAK, rule="loglinear"), "loglinear"),
        ]
    ),
    (
        lambda: sims.moments(PEAK),
        DoseWarning,
        "species 'B'",
        GAP.format("the moments bridge it by straight lines"),
    ),
    (
        lambda: sims.peak(PEAK),
        ProfileWarning,
        "species 'B'",
        GAP.format("the maximum may lie in it, or be a higher one"),
    ),
    *(
        (ask, ProfileWarning, "species 'B'", GAP.format("there is no value in it"))
        for ask in (
            lambda: sims.interpolate(PEAK, depth="20 nm"),
            lambda: sims.to_grid(PEAK, step="4 nm"),
        )
    ),
    (
        lambda: sims.to_grid(PEAK, step="4 nm", conserve="dose"),
        ProfileWarning,
        "species 'B'",
        GAP.format("cells that reach into it have no value"),
    ),
    (
        lambda: sims.surface_concentration(EDGE, depth="9 nm", samples=12),
        ProfileWarning,
        "species 'B'",
        GAP.format("the fit bridges it by an exponential"),
    ),
    (
        lambda: sims.decay_length(one(range(40), 1e18 * np.exp(-0.01 * np.arange(40.0) ** 2))),
        ProfileWarning,
        "species 'B'",
        (
            "the edge is not exponential between start and stop of the answer: the decay length "
            "depends on them; low= and high=, or start= and stop=, choose a part of it that is"
        ),
    ),
    (
        lambda: sims.integrated_dose(EDGE, stop="9 nm", background="1e20 cm^-3"),
        DoseWarning,
        "species 'B'",
        (
            "the dose is negative: the background is higher than the profile; does its window lie "
            "in the profile?"
        ),
    ),
    (
        lambda: sims.integrated_dose(EDGE, start="-1 nm", stop="9 nm"),
        DoseWarning,
        "species 'B'",
        "the limits reach beyond the samples; integrated over what was measured",
    ),
    (
        lambda: sims.dose_budget(EDGE, stop="9 nm", surface_depth="1 nm", rule_tolerance=1e-3),
        DoseWarning,
        "species 'B'",
        (
            "trapezoid and log-linear rule differ by 1% of the dose; it depends on the sampling of "
            "a steep edge, or on a single high sample"
        ),
    ),
    (
        lambda: sims.junction_depth(one(range(6), [1, 3, 1, 3, 1, 3]), level="2 cm^-3"),
        AmbiguousJunctionWarning,
        "species 'B'",
        (
            "2 crossings qualify as the junction; took the deepest one; narrow the choice with "
            "after= or confirm=, or give the number of one as which="
        ),
    ),
    (
        lambda: sims.peak(one(range(160), NOISY * 1e16)),
        ProfileWarning,
        "species 'B'",
        (
            "samples beside the width, 26.8 nm, are above half of the maximum, too, over 43 nm: "
            "noise or a neighbour cut it short; a fit uses all samples"
        ),
    ),
    (
        lambda: sims.moments(one(range(6), [1, 3, 9, 9, 9, 8]), threshold=0.5),
        DoseWarning,
        "species 'B'",
        "the record ends above the threshold: a part of the tail is missing from the moments",
    ),
    (
        lambda: sims.peak(EDGE, start="50 nm"),
        ProfileWarning,
        "species 'B'",
        "no sample in the window start=50 nm; the record runs from 0 to 39 nm",
    ),
]


#: Of twenty samples the third, the ninth and the tenth are given as <5E16.
LESS = np.exp(-np.arange(20.0) / 3)
LESS[[2, 8, 9]] = np.nan
LIMIT = np.where(np.isnan(LESS), 5e16, np.nan)
FILE = one(range(20), 1e18 * LESS).assign_coords(
    concentration_detection_limit=(("species", "depth"), [LIMIT], {"units": "atom/cm^3"})
)
BELOW = "the samples from 8 to 9 nm are below their limit of detection, 5e+16 atom/cm^3"
TOLD_OF += [
    (
        lambda: sims.decay_length(FILE, start="3 nm"),
        ProfileWarning,
        "species 'B'",
        f"{BELOW}; the edge of the others is too shallow",
    ),
    (
        lambda: sims.mean_value(FILE, start="5 nm", stop="9 nm"),
        ProfileWarning,
        "species 'B'",
        f"{BELOW}; the mean of the others is too high",
    ),
    (
        lambda: sims.detection_limit(FILE, window=("8 nm", "12 nm")),
        SimsWarning,
        "species 'B'",
        f"{BELOW}; the limit is that of the others",
    ),
    (
        lambda: sims.interpolate(FILE, depth="8.5 nm"),
        ProfileWarning,
        "species 'B'",
        BELOW.replace("8 to 9", "2 to 2") + '; there is no value in it; gaps="bridge" accepts that',
    ),
]


@pytest.mark.parametrize(("ask", "category", "whose", "said"), TOLD_OF)
def test_a_warning_says_of_what_it_is_and_what_becomes_of_the_answer(ask, category, whose, said):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ask()
    ((told, found),) = [(str(one.message), one.category) for one in caught]
    assert told == f"{whose}: {said}"
    assert found is category
    assert caught[0].filename == __file__
    assert issubclass(category, SimsWarning)


#: Level -> status of the first entry, and whether there is another.
HIDDEN = {
    "1e15 atoms/cm^3": ["below_limit"],
    "5e15 atoms/cm^3": ["below_limit"],
    "9e15 atoms/cm^3": ["below_limit"],  # crossed beside the last value
    "5e16 atoms/cm^3": ["ok", "ok", "ok"],
    "1e19 atoms/cm^3": ["never_reached"],
}


@pytest.mark.parametrize("level", HIDDEN)
@pytest.mark.filterwarnings("ignore::sims_analysis.errors.SimsWarning")
def test_a_crossing_may_lie_where_a_file_gives_samples_below_their_limit(level):
    text = "Depth (nm)\tB (atoms/cm3)\n0\t1e18\n1\t1e16\n2\t8e17\n3\t1e16\n4\t<5E15\n5\t<5E15\n"
    ds = sims.read(text.encode()).to_dataset()
    found = sims.crossings(ds, level=level)
    assert found["status"].values[0].tolist() == HIDDEN[level]
    assert found["detection_limit"].item() == 5e15
    assert found["detection_limit"].attrs["units"] == "atom/cm^3"
    padded = sims.crossings(ds, level=level, max_count=4)["status"].values[0].tolist()
    assert padded == HIDDEN[level] + [""] * (4 - len(HIDDEN[level]))
    junction = sims.junction_depth(ds, level=level)
    assert junction["status"].item() == HIDDEN[level][0]
    assert junction["detection_limit"].item() == 5e15


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.AmbiguousJunctionWarning")
@pytest.mark.parametrize(
    ("level", "status"),
    [("5e18 cm^-3", "saturated"), ("3e18 cm^-3", "saturated"), ("2e18 cm^-3", "ok")],
)
def test_a_level_that_a_detector_has_cut_off_is_told(level, status):
    z = np.arange(0.0, 200.0, 2.0)
    counts = np.random.default_rng(1).poisson(5000 * np.exp(-(((z - 60) / 20) ** 2) / 2) + 5)
    ds = one(z, np.minimum(counts, 3000) * 1e15)
    cut = z[counts >= 3000]
    said = (
        f": samples from {cut[0]:g} to {cut[-1]:g} nm (3e+18 atom/cm^3) are equal to the last "
        "digit, as a saturated detector writes them, or were made from such: the answer rests on "
        "samples that were cut off"
    )
    for whose, ask in (
        ("species 'B'", lambda d: sims.junction_depth(d, level=level)),
        ("species 'B', crossing '0'", lambda d: sims.crossings(d, level=level, max_count=1)),
    ):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ProfileWarning)
            found = ask(ds)
        assert np.ravel(found["status"]).tolist() == [status]
        told = [whose + said] if status == "saturated" else []
        assert [str(one.message) for one in caught if one.category is ProfileWarning] == told
        np.testing.assert_array_equal(ask(ds.chunk())["status"], found["status"])
    smooth = one(z, np.full(z.size, 1e17))
    assert np.ravel(sims.crossings(smooth, level=level)["status"]).tolist() == ["never_reached"]


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.SimsWarning")
def test_statuses_of_answers_without_samples_below_their_limit():
    for data in (FILE, FILE.chunk()):
        shown = [
            sims.decay_length(data, start="3 nm")["status"],
            sims.decay_length(data, start="3 nm", stop="7 nm")["status"],
            sims.mean_value(data, start="5 nm", stop="9 nm")["status"],
            sims.mean_value(data, start="5 nm", stop="7 nm")["status"],
            sims.mean_value(data, start="8 nm", stop="9 nm")["status"],
        ]
        words = [one.values.item() for one in shown]
        assert words == ["below_limit", "ok", "below_limit", "ok", "no_data"]
    # They lie below a limit that is not below their own.
    for limit, more in (("5e16 cm^-3", 3), ("4.9e16 cm^-3", 0)):
        own = (FILE["concentration"] < float(limit.split()[0])).sum()
        assert sims.below_detection(FILE, limit=limit).sum() == own + more


def with_limits(values, hidden, limit):
    """Give a profile of which a file gives some samples as below a limit."""
    lost = np.isin(np.arange(len(values)), hidden)
    limits = ("species", "depth"), [np.where(lost, limit, np.nan)], {"units": "atom/cm^3"}
    ds = one(range(len(values)), np.where(lost, np.nan, values))
    return ds.assign_coords(concentration_detection_limit=limits)


ROUND = 1e18 * np.exp(-0.5 * ((np.arange(41.0) - 20) / 5) ** 2) + 1e12


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.SimsWarning")
@pytest.mark.parametrize(
    ("hidden", "limit", "peak", "moments", "half"),
    [
        (
            [14],
            4.8e17,
            "below_limit",
            "below_limit",
            "below_limit",
        ),  # below half of the maximum: the width may be less
        # The maximum may be higher, and all parts of the dose.
        ([20], 2e18, "below_limit", "below_limit", "below_limit"),
        ([22], 2e18, "below_limit", "below_limit", "below_limit"),
        ([3], 1e15, "ok", "ok", "ok"),  # in the tail
    ],
)
def test_hidden_samples_matter_where_an_answer_rests_on_them(hidden, limit, peak, moments, half):
    ds = with_limits(ROUND, hidden, limit)
    assert sims.peak(ds)["status"].item() == peak
    assert sims.moments(ds)["status"].item() == moments
    assert sims.depth_at_dose_fraction(ds, fraction=0.5)["status"].item() == half
    for ask in (sims.peak, sims.moments, sims.depth_at_dose_fraction):
        assert ask(ds, gaps="bridge")["status"].item() == "ok"


#: The name of an argument, and a question that takes it: a number has no unit.
WITH_UNITS = [
    ("start", lambda: sims.integrated_dose(ONE, start=5)),
    ("stop", lambda: sims.moments(ONE, stop=5)),
    ("surface_depth", lambda: sims.integrated_dose(ONE, surface_depth=5)),
    ("background", lambda: sims.integrated_dose(ONE, background=5)),
    ("background", lambda: sims.metallurgical_junctions(TWO, donors=["P"], background=5)),
    ("background start", lambda: sims.integrated_dose(ONE, background=(5, "9 nm"))),
    ("background stop", lambda: sims.moments(ONE, background=("1 nm", 5))),
    ("window start", lambda: sims.detection_limit(ONE, window=(5, "9 nm"))),
    ("window stop", lambda: sims.detection_limit(ONE, window=("1 nm", 5))),
    ("detection_limit", lambda: sims.dose_budget(ONE, detection_limit=5)),
    ("detection_limit", lambda: sims.junction_depth(ONE, level=LEVEL, detection_limit=5)),
    ("detection_limit", lambda: sims.decay_length(ONE, detection_limit=5)),
    ("limit", lambda: sims.below_detection(ONE, limit=5)),
    ("low", lambda: sims.decay_length(ONE, low=5)),
    ("high", lambda: sims.decay_length(ONE, high=5)),
    ("level", lambda: sims.crossings(ONE, level=5)),
    ("level", lambda: sims.junction_depth(ONE, level=5)),
    ("level", lambda: sims.align(ONE, ONE, marker="B", method="edge", level=5)),
    ("after", lambda: sims.junction_depth(ONE, level=LEVEL, after=5)),
    ("depth", lambda: sims.interpolate(ONE, depth=5)),
    ("depth", lambda: sims.to_grid(ONE, depth=5)),
    ("depth", lambda: sims.surface_concentration(ONE, depth=5)),
    ("step", lambda: sims.to_grid(ONE, step=5)),
    ("max_shift", lambda: sims.align(ONE, ONE, max_shift=5)),
    (
        "markers[0] in a",
        lambda: sims.align(ONE, ONE, method="markers", markers=[(5, "5 nm"), ("9 nm", "9 nm")]),
    ),
    (
        "markers[1] in b",
        lambda: sims.align(ONE, ONE, method="markers", markers=[("5 nm", "5 nm"), ("9 nm", 5)]),
    ),
    ("value_per_count", lambda: sims.with_counting_statistics(ONE, value_per_count=5)),
    ("value_per_count", lambda: sims.detection_limit(ONE, **CURRIE, value_per_count=5)),
    ("dwell_time", lambda: sims.with_counting_statistics(RATE, dwell_time=5)),
]


@pytest.mark.parametrize(("name", "ask"), WITH_UNITS)
def test_a_number_without_a_unit_is_refused_by_the_name_of_its_argument(name, ask):
    with pytest.raises(UnitsError) as told:
        ask()
    assert str(told.value).startswith(f"{name}=5 has no unit; write it like '5 ")


#: What is computed, in the words of messages, and the function that computes it.
COMPUTED = [
    ("a dose", sims.integrated_dose),
    ("a dose", sims.cumulative_dose),
    ("a dose", sims.depth_at_dose_fraction),
    ("a dose", sims.dose_budget),
    ("a peak", sims.peak),
    ("a projected range", sims.moments),
    ("a mean", sims.mean_value),
    ("a decay length", sims.decay_length),
    ("a detection limit", lambda data: sims.detection_limit(data, window=("1 nm", "2 nm"))),
    ("a detection limit", lambda data: sims.below_detection(data, limit=LEVEL)),
    ("a surface concentration", lambda data: sims.surface_concentration(data, depth="5 nm")),
    ("an interpolation", lambda data: sims.interpolate(data, depth="5 nm")),
    (
        "a metallurgical junction",
        lambda data: sims.metallurgical_junctions(data, donors=["P"], acceptors=["B"]),
    ),
]


@pytest.mark.parametrize(("what", "ask"), COMPUTED)
def test_what_needs_data_is_said(what, ask):
    with pytest.raises(TypeError) as told:
        ask([1.0])
    assert str(told.value).startswith(f"{what} needs an xarray Dataset or DataArray, found list")


#: ... and what it needs, if the data have something else.
NEEDED = [
    (
        lambda: sims.junction_depth(TIMES, level=LEVEL),
        (
            "level='1e17 cm^-3': a junction depth of this level needs a depth, and the data are on "
            "a sputter-time axis; calibrate_depth() turns sputter time into depth"
        ),
    ),
    (
        lambda: sims.crossings(ONE, level="5 counts/s"),
        (
            "level='5 counts/s': a crossing of this level needs a count rate (count/s); the data "
            "have concentration (atom/cm^3)"
        ),
    ),
    *(
        (
            ask,
            (
                f"{what} needs a depth, and the data are on a sputter-time axis; "
                "calibrate_depth() turns sputter time into depth"
            ),
        )
        for what, ask in [
            ("a comparison", lambda: sims.compare(TIMES, ONE)),
            ("a comparison with these data", lambda: sims.compare(ONE, TIMES)),
            ("repeatability", lambda: sims.repeatability(sims.stack([TIMES, TIMES]))),
            ("a surface concentration", lambda: sims.surface_concentration(TIMES, depth="5 nm")),
        ]
    ),
    (
        lambda: sims.align(ONE, RATE),
        (
            "an alignment with these data needs a concentration (atom/cm^3); the data have "
            "intensity (count/s)"
        ),
    ),
    (
        lambda: sims.compare(ONE, RATE),
        (
            "a comparison with these data needs a concentration (atom/cm^3); the data have "
            "intensity (count/s)"
        ),
    ),
]


@pytest.mark.parametrize(("ask", "said"), NEEDED)
def test_what_is_needed_is_said_with_what_there_is(ask, said):
    with pytest.raises(UnitsError) as told:
        ask()
    assert str(told.value) == said


def test_a_line_through_samples_goes_across_a_gap():
    # As does a mean of samples: they are far apart, and none is missing.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        length = sims.decay_length(EDGE)
        mean = sims.mean_value(EDGE)
    assert (length["status"].item(), mean["status"].item()) == ("ok", "ok")
    assert length["decay_length"].item() == pytest.approx(3.0)
