"""What answers are called, in which units, and what is written beside them."""

import numpy as np
import pytest
import xarray as xr
from measured import measurement

import sims_analysis as sims

Z = np.arange(0.0, 100.0, 2.0)


def gauss(top, middle, width):
    return top * np.exp(-(((Z - middle) / width) ** 2) / 2) + 1e15


DS = sims.with_counting_statistics(
    measurement(Z, {"P": gauss(1e18, 60, 8), "B": gauss(1e19, 30, 12)}),
    value_per_count="1e14 atoms/cm^3",
)
TIME = DS.rename(depth="sputter_time").assign_coords(
    sputter_time=("sputter_time", Z, {"units": "s"})
)
L = "1e17 cm^-3"

#: Name: unit; what it is.
ANSWERS = [
    (
        lambda: sims.integrated_dose(DS),
        """
status: -; Status
stderr: atom/cm^2; Standard error, random part
dose: atom/cm^2; Dose
""",
    ),
    (
        lambda: sims.dose_budget(DS),
        """
dose: atom/cm^2; Dose
random_stderr: atom/cm^2; Random standard error
systematic_stderr: atom/cm^2; Systematic standard error
rsf_stderr: atom/cm^2; Standard error of the sensitivity factor
depth_stderr: atom/cm^2; Standard error of the depth scale
background_stderr: atom/cm^2; Standard error of the background
background_dose: atom/cm^2; Background dose
surface_dose: atom/cm^2; Surface dose
below_detection_dose: atom/cm^2; Dose below detection
rule_difference: 1; Difference between the rules
n_linear_segments: -; Segments without a logarithm
coverage: 1; Coverage
status: -; Status
""",
    ),
    (
        lambda: sims.cumulative_dose(DS),
        """
status: -; Status
cumulative_dose: atom/cm^2; Cumulative dose
""",
    ),
    (
        lambda: sims.depth_at_dose_fraction(DS),
        """
status: -; Status
fraction: 1; -
stderr: nm; Standard error, random part
depth_at_dose_fraction: nm; Depth that contains the dose
""",
    ),
    (
        lambda: sims.crossings(DS, level=L),
        """
depth: nm; Crossing depth
stderr: nm; Standard error of the crossing depth
decay_length: nm; Decay length
raw_crossing: nm; Crossing between two samples
depth_before: nm; Last sample before the crossing
depth_after: nm; First sample after the crossing
direction: -; Direction with depth
status: -; Status
count: -; Number of crossings
""",
    ),
    (
        lambda: sims.crossings(TIME, level=L),
        """
sputter_time: s; Crossing time
stderr: s; Standard error of the crossing time
decay_length: s; Decay length
raw_crossing: s; Crossing between two samples
sputter_time_before: s; Last sample before the crossing
sputter_time_after: s; First sample after the crossing
direction: -; Direction with sputter time
status: -; Status
count: -; Number of crossings
""",
    ),
    (
        lambda: sims.junction_depth(DS, level=L),
        """
status: -; Status
n_crossings: -; Crossings that qualified
decay_length: nm; Decay length
raw_crossing: nm; Crossing between two samples
stderr: nm; Standard error, random part
junction_depth: nm; Junction depth
""",
    ),
    (
        lambda: sims.metallurgical_junctions(DS, donors=["P"], acceptors=["B"]),
        """
depth: nm; Metallurgical junction depth
stderr: nm; Standard error, random part
concentration: atom/cm^3; Concentration at the junction
polarity: -; Polarity with depth
status: -; Status
count: -; Number of junctions
""",
    ),
    (
        lambda: sims.peak(DS),
        """
depth: nm; Depth of the maximum
concentration: atom/cm^3; Concentration
fwhm: nm; Full width at half maximum
status: -; Status
concentration_stderr: atom/cm^3; Standard error of the maximum
""",
    ),
    (
        lambda: sims.peak(TIME),
        """
sputter_time: s; Time of the maximum
concentration: atom/cm^3; Concentration
fwhm: s; Full width at half maximum
status: -; Status
concentration_stderr: atom/cm^3; Standard error of the maximum
""",
    ),
    (
        lambda: sims.moments(DS),
        """
projected_range: nm; Projected range
straggle: nm; Straggle
skewness: 1; Skewness
kurtosis: 1; Kurtosis
dose: atom/cm^2; Dose
start: nm; First sample used
stop: nm; Last sample used
status: -; Status
projected_range_stderr: nm; Standard error of the projected range, random part
straggle_stderr: nm; Standard error of the straggle, random part
skewness_stderr: 1; Standard error of the skewness, random part
kurtosis_stderr: 1; Standard error of the kurtosis, random part
dose_stderr: atom/cm^2; Standard error of the dose, random part
""",
    ),
    (
        lambda: sims.decay_length(DS, start="40 nm", stop="50 nm"),
        """
decay_length: nm; Decay length
per_decade: nm; Decay per decade
stderr: nm; Standard error of the decay length
n: -; Number of samples used
start: nm; First sample used
stop: nm; Last sample used
reduced_chi_square: 1; Reduced chi-square
status: -; Status
""",
    ),
    (
        lambda: sims.decay_length(TIME, start="40 s", stop="50 s"),
        """
decay_length: s; Decay length
per_decade: s; Decay per decade
stderr: s; Standard error of the decay length
n: -; Number of samples used
start: s; First sample used
stop: s; Last sample used
reduced_chi_square: 1; Reduced chi-square
status: -; Status
""",
    ),
    (
        lambda: sims.mean_value(DS),
        """
status: -; Status
stderr: atom/cm^3; Standard error of the mean
scatter: 1; Scatter in the window
samples: -; Number of samples used
concentration: atom/cm^3; Mean concentration
""",
    ),
    (
        lambda: sims.mean_value(TIME),
        """
status: -; Status
stderr: atom/cm^3; Standard error of the mean
scatter: 1; Scatter in the window
samples: -; Number of samples used
concentration: atom/cm^3; Mean concentration
""",
    ),
    (
        lambda: sims.surface_concentration(DS, depth="5 nm"),
        """
status: -; Status
stderr: atom/cm^3; Standard error, random part
surface_concentration: atom/cm^3; Surface concentration
""",
    ),
    (
        lambda: sims.detection_limit(DS, window=("80 nm", "98 nm")),
        """
status: -; Status
background: atom/cm^3; Mean of the window
n: -; Number of samples used
detection_limit: atom/cm^3; Detection limit
""",
    ),
    (
        lambda: sims.below_detection(DS, limit=L),
        """
below_detection: -; Below the detection limit
""",
    ),
    (
        lambda: sims.compare(DS, DS, level=L),
        """
ratio: 1; Ratio
log_ratio: 1; Logarithm of the ratio
rms_log_ratio: 1; Root mean square of log10(b / a)
samples: -; Number of samples used
overlap_start: nm; Start of the overlap
overlap_stop: nm; End of the overlap
ratio_stderr: 1; Standard error of the ratio, random part
log_ratio_stderr: 1; Standard error of the logarithm of the ratio, random part
dose_a: atom/cm^2; Dose
dose_b: atom/cm^2; Dose
dose_ratio: 1; Ratio of the doses
dose_ratio_stderr: 1; Standard error of the ratio of the doses, random part
junction_a: nm; Junction depth
junction_b: nm; Junction depth
junction_shift: nm; Junction shift
junction_status: -; Status
junction_shift_stderr: nm; Standard error of the junction shift, random part
status: -; Status
""",
    ),
    (
        lambda: sims.repeatability(sims.stack([DS, DS]), level=L),
        """
concentration: atom/cm^3; Mean concentration
concentration_rsd: 1; Relative standard deviation
concentration_n: -; Number of measurements
dose: atom/cm^2; Mean dose
dose_rsd: 1; Relative standard deviation
dose_n: -; Number of measurements
junction_depth: nm; Mean junction depth
junction_depth_rsd: 1; Relative standard deviation
junction_depth_n: -; Number of measurements
junction_depth_stddev: nm; Standard deviation of the junction depth
""",
    ),
    (
        lambda: sims.interpolate(DS, depth=["5 nm", "6 nm"]),
        """
concentration: atom/cm^3; Concentration
concentration_stderr: atom/cm^3; Standard error of concentration
concentration_counts: count; Counts, interpolated between samples
n_linear_segments: -; Depths without a logarithm
effective_sample_fraction: -; Independent samples for each depth
""",
    ),
    (
        lambda: sims.to_grid(DS, step="5 nm", conserve="dose"),
        """
concentration: atom/cm^3; Concentration
concentration_stderr: atom/cm^3; Standard error of concentration
concentration_counts: count; Counts, interpolated between samples
n_linear_segments: -; Depths without a logarithm
effective_sample_fraction: -; Independent samples for each depth
depth_bounds: -; -
cell_start: nm; -
cell_stop: nm; -
""",
    ),
]


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.SimsWarning")
@pytest.mark.parametrize(("ask", "said"), ANSWERS)
def test_each_part_of_an_answer_says_what_it_is(ask, said):
    answer = ask()
    whole = answer.to_dataset() if isinstance(answer, xr.DataArray) else answer
    found = [
        f"{name}: {one.attrs.get('units', '-')}; {one.attrs.get('long_name', '-')}"
        for name, one in whole.variables.items()
        if name in whole.data_vars or name not in ("species", "depth")
    ]
    assert found == said.strip().splitlines()


@pytest.mark.parametrize("rule", ["trapezoid", "loglinear"])
def test_the_rule_stands_beside_a_dose(rule):
    budget = sims.dose_budget(DS, rule=rule, rule_tolerance=9)
    both = sims.compare(DS, DS, rule=rule)
    answers = [sims.integrated_dose(DS, rule=rule), sims.cumulative_dose(DS, rule=rule)]
    answers += [budget, budget["dose"], both["dose_a"], both["dose_b"], both["dose_ratio"]]
    assert [one.attrs.get("rule") for one in answers] == [rule] * 7
    assert "rule" not in budget["random_stderr"].attrs
