"""Table of all variables and results: unit, long name, definition and reference.

Every function takes the attrs of its results from here, because attrs cannot be trusted after
arithmetic by the user (xarray keeps ``units`` even through ``a / a``).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from sims_analysis import outcomes
from sims_analysis.outcomes import Flag
from sims_analysis.units import CANONICAL


class Term(NamedTuple):
    """A variable or result.

    ``kind`` is a key of ``units.CANONICAL``, or ``None`` for text and numbers without a unit.
    """

    kind: str | None
    long_name: str
    definition: str
    reference: str = ""


_ISO_18115 = "ISO 18115-1, Surface chemical analysis - Vocabulary"

#: Kind -> its variables and results, each with its long name and, behind the colon, its definition.
#: A kind is a key of ``units.CANONICAL``, or ``None`` for text and numbers without a unit.
_TERMS: dict[str | None, dict[str, str]] = {
    "depth": {
        "depth": "Depth: distance below the original surface",
        "depth_at_dose_fraction": "Depth that contains the dose: the stated fraction lies above it",
        "crossing_depth": "Crossing depth: depth where the profile crosses the level",
        "raw_crossing": "Crossing between two samples: depth where their line crosses the level",
        "junction_depth": "Junction depth: depth where the chosen edge crosses the stated level",
        "metallurgical_junction": (
            "Metallurgical junction depth: donors and acceptors balance there"
        ),
        "peak_depth": "Depth of the maximum: mode of the profile",
        "fwhm": "Full width at half maximum: between the depths of half the maximum",
        "projected_range": "Projected range: mean depth of the atoms, first moment of the profile",
        "straggle": "Straggle: standard deviation of the depth of the atoms",
        "decay_per_decade": "Decay per decade: depth over which the profile changes by a factor 10",
        "decay_length": "Decay length: depth over which the profile changes by a factor e",
        "overlap_start": "Start of the overlap: first depth at which both are measured",
        "overlap_stop": "End of the overlap: last depth at which both are measured",
        "junction_shift": "Junction shift: junction depth of b minus that of a",
        "depth_shift": "Shift: added to the depths",
        "splice_depth": "Depth of the splice: above it one piece, below it the other",
        "crater_depth": "Crater depth: measured after sputtering; sets the depth scale",
        "depth_offset": (
            "Offset of the depth scale: known depth where the line has apparent depth 0"
        ),
        "depth_offset_stderr": (
            "Standard error of the offset: from the errors of the layers' depths"
        ),
        "window_start": "Start of the window: first depth used in the fit",
        "window_stop": "End of the window: last depth used in the fit",
        "achieved_resolution": (
            "Achieved resolution: full width at half maximum of the averaging kernel, at least "
            "the spacing of the samples"
        ),
        "doubtful_maximum": "Doubtful maximum: depth of the first of them",
        "interface_position": "Position: depth at half of the step",
        "interface_width": (
            "Width: between the stated fractions of the step; 16 % to 84 % is 1.989 standard "
            "deviations of an error function"
        ),
        "layer_thickness": "Thickness: between successive interfaces",
    },
    "sputter_time": {
        "sputter_time": "Sputter time: time since sputtering began",
        "time_shift": "Shift: added to the sputter times",
        "splice_time": "Time of the splice: before it one piece, after it the other",
    },
    "concentration": {
        "concentration": "Concentration: atoms of the species per volume",
        "detection_limit": "Detection limit: rarely exceeded by a profile without the species",
        "surface_concentration": (
            "Surface concentration: at a stated depth, by a local log-linear fit"
        ),
        "sensitivity_factor": (
            "Relative sensitivity factor: concentration = factor * intensity / matrix intensity"
        ),
        "factor_stderr": "Standard error of the sensitivity factor: of all its parts",
        "factor_counting_stderr": (
            "Counting part of the standard error: of the standards' own counts"
        ),
        "factor_dose_stderr": "Dose part of the standard error: of the dose of the standards",
        "factor_repeatability_stderr": (
            "Standard error of the mean of several standards: s / sqrt(n)"
        ),
        "factor_day_to_day_stderr": (
            "Day-to-day part of the standard error: departure of the day's factor from the value"
        ),
        "subtracted_background": (
            "Subtracted background: subtracted from every sample of the species"
        ),
        "subtracted_background_stderr": (
            "Standard error of the subtracted background: of the mean of a window"
        ),
        "background_stderr": "Standard error of the subtracted background: common to all samples",
        "scatter": (
            "Standard error of the mean by scatter: of the replicates, s / sqrt(n); neighbouring "
            "samples share what is not counting"
        ),
        "refolded": "Refolded profile: what the restored profile would be measured as",
    },
    "count_rate": {
        "intensity": "Intensity: secondary ions counted per time",
    },
    "count": {
        "counts": "Counts: secondary ions counted per data point",
    },
    "arbitrary": {
        "intensity_arbitrary": "Intensity: signal in the instrument's own units",
    },
    "atomic_fraction": {
        "atomic_fraction": "Atomic fraction: atoms of the species per atom of the sample",
    },
    "mass_fraction": {
        "mass_fraction": "Mass fraction: mass of the species per mass of the sample",
    },
    "range_density": {
        "range_density": "Concentration per dose: range distribution: concentration / dose",
    },
    "areal_density": {
        "dose": "Dose: integral of the concentration over depth",
        "cumulative_dose": "Cumulative dose: integral of the concentration up to each depth",
        "budget_dose": "Dose: with background and surface as requested",
        "budget_random_stderr": "Random standard error: from the standard errors of the samples",
        "budget_background_stderr": "Standard error of the background: common to all samples",
        "budget_systematic_stderr": (
            "Systematic standard error: of sensitivity factor and depth scale"
        ),
        "budget_rsf_stderr": "Standard error of the sensitivity factor: common to all samples",
        "budget_day_to_day_stderr": (
            "Day-to-day part of the standard error of the sensitivity factor: scatter of standards"
        ),
        "budget_depth_stderr": "Standard error of the depth scale: common to all samples",
        "budget_background_dose": "Background dose: subtracted",
        "budget_surface_dose": "Surface dose: above the stated end of the surface transient",
        "budget_below_detection_dose": "Dose below detection: of samples below the detection limit",
        "window_dose": "Dose of the window: integral of the restored profile over the window",
        "window_dose_stderr": "Standard error of the dose of the window: from the counts alone",
        "carried_dose": "Dose carried out of the window: restored minus measured inside of it",
    },
    "dimensionless": {
        "rule_difference": "Difference between the rules: (trapezoid - loglinear) / trapezoid",
        "coverage": "Coverage: measured fraction of the requested interval",
        "retained_fraction": "Fraction of the dose: integral of the range density over depth",
        "skewness": "Skewness: third central moment / straggle^3",
        "kurtosis": "Kurtosis: fourth central moment / straggle^4, not excess",
        "ratio": "Ratio: b / a at the depths of a",
        "log_ratio": "Logarithm of the ratio: log10(b / a)",
        "rms_log_ratio": "Root mean square of log10(b / a): over the samples of a in the overlap",
        "dose_ratio": "Ratio of the doses: dose_b / dose_a in the overlap",
        "correlation": "Correlation: of the aligned profiles, at most 1",
        "relative_deviation": "Relative standard deviation: s / mean, s with n - 1",
        "sensitivity_factor_uncertainty": (
            "Relative uncertainty of the sensitivity factor: standard"
        ),
        "sensitivity_factor_day_to_day": (
            "Relative day-to-day part of that uncertainty: scatter of standards between days"
        ),
        "background_overlap": (
            "Overlap with the background: covariance of the sample with the subtracted "
            "background, over the variance of the latter"
        ),
        "background_scatter": (
            "Scatter in the window of the background: by which factor the samples of the window "
            "scatter more than their standard errors"
        ),
        "scale_repeatability": (
            "Relative standard error of the scale: of a mean of replicates, by what all samples "
            "of each have in common"
        ),
        "splice_scale": "Scale of the deeper piece: it was multiplied by it",
        "splice_scale_uncertainty": (
            "Relative uncertainty of the scale of the deeper piece: from the standard errors of "
            "both pieces in their overlap"
        ),
        "isotopic_abundance": (
            "Isotopic abundance: concentrations of the isotope were divided by it"
        ),
        "species_ratio": "Ratio: numerator / denominator",
        "mean_ratio": "Mean ratio: sum of the numerator / sum of the denominator",
        "natural_ratio": "Natural ratio: of the natural abundances of two isotopes",
        "species_fraction": "Fraction: numerator / (numerator + denominator)",
        "dose_scale": "Scale to a known dose: concentrations were multiplied by it",
        "dose_scale_uncertainty": (
            "Relative uncertainty of the dose that sets the scale: instead of those of "
            "sensitivity factor and depth scale; 0 where nothing was scaled"
        ),
        "depth_scale_uncertainty": (
            "Relative uncertainty of the depth scale: standard uncertainty, common to all depths"
        ),
        "depth_factor": (
            "Factor of the depth scale: apparent depths were multiplied by it; by a straight line "
            "through layers at known depths"
        ),
        "depth_factor_stderr": (
            "Standard error of the factor of the depth scale: from the errors of the layers' depths"
        ),
        "marker_misfit": "Misfit of the layers: chi-square of the line over its degrees of freedom",
        "objective_value": "Value of the objective: the sum of squared residuals",
        "reduced_chi_square": "Reduced chi-square: sum of squares over errors / degrees of freedom",
        "aic": "Akaike's criterion: smaller for the better model",
        "residual_correlation": "Correlation of residuals: between successive residuals",
        "largest_departure": "Largest departure: of the curve from the mean over neighbours",
        "averaging_kernel": (
            "Averaging kernel: by how much a restored value follows the true one elsewhere"
        ),
        "smoothness": "Smoothness: strength of the prior",
        "largest_deviance": (
            "Largest deviance: signed root of the deviance of 2 to 12 neighbouring samples from "
            "the refolded profile"
        ),
    },
    None: {
        "effective_sample_fraction": "Independent samples for each depth: below 1 on a finer grid",
        "n_linear_segments": "Segments without a logarithm: integrated as trapezoids",
        "below_detection": "Below the detection limit: True where below the limit",
        "samples_used": "Number of samples used: samples that the result is based on",
        "n_standards": "Number of standards: standards over which the factor is averaged",
        "n_replicates": "Number of replicates: measurements that were averaged",
        "matrix_status": "Matrix signal: ok; vanished or not_measured: no concentration there",
        "marker_status": "Status of the line: ok, two_markers or bent",
        "covariance": "Covariance: of the parameters, in the product of their units",
        "fit_status": "Status: ok only if the fit converged inside its bounds",
        "curve_status": (
            "Status of the curve: ok where the curve is known, even if its parameters are not"
        ),
        "residuals": "Residuals: what their neighbours and chi-square say of them",
        "objective": "Objective: what was minimized",
        "n_samples": "Number of samples: samples used in the fit",
        "n_left_out": "Samples left out: samples in the window that the objective cannot use",
        "restored_status": "Status: ok only if the profile could be restored",
        "source_of_errors": "Source of the errors: what the errors of the samples were taken from",
        "doubtful_maxima": "Doubtful maxima: number of maxima that the samples can do without",
        "quality": "Quality: what is known of the samples besides values and errors",
        "status": "Status: outcome of the computation: see sims_analysis.vocabulary",
    },
    "factor_per_rate": {
        "absolute_sensitivity_factor": (
            "Sensitivity factor without a reference signal: concentration = factor * intensity"
        ),
    },
    "sputter_rate": {
        "sputter_rate": "Sputter rate: by a straight line through layers at known depths",
        "sputter_rate_stderr": (
            "Standard error of the sputter rate: from the errors of the layers' depths"
        ),
    },
    "resistance": {
        "sheet_resistance": (
            "Sheet resistance: 1 / (q integral of mobility times carriers), per square"
        ),
    },
}

#: Term -> where its definition stands.
_REFERENCES = {
    "decay_length": _ISO_18115,
    "interface_width": _ISO_18115,
    "sensitivity_factor": (
        "ISO 18114, Determination of relative sensitivity factors from ion-implanted materials"
    ),
}

#: Every variable and result.
TERMS = {
    name: Term(kind, *text.partition(": ")[::2], reference=_REFERENCES.get(name, ""))
    for kind, texts in _TERMS.items()
    for name, text in texts.items()
}

#: More attrs of a term, for other tools and their users.
_MORE_ATTRS = {
    "depth": {"standard_name": "depth", "axis": "Z", "positive": "down"},
    "concentration": {
        "comment": "a dose is sims_analysis.integrated_dose(data), in atom/cm^2; "
        ".integrate('depth') of plain numbers is in nm atom/cm^3, which xarray does not say"
    },
}

#: Variables of a Dataset with measured values, in order of preference.
QUANTITIES = (
    "concentration",
    "range_density",
    "atomic_fraction",
    "mass_fraction",
    "intensity",
    "counts",
    "intensity_arbitrary",
)

#: Names of ratios of two species, which are data like any other; and their terms. Their unit is
#: ``1``, and a level of one is a text, ``"0.1"``.
RATIOS = {"ratio": "species_ratio", "fraction": "species_fraction"}

#: Variables that functions evaluate.
MEASURED = (*QUANTITIES, *RATIOS)

#: Ends of the names of the ancillary variables of one whose background was subtracted:
#: the standard error of the background, common to all samples of a profile, in the unit of the
#: variable; and the covariance of each sample with the background, divided by the variance of the
#: latter; and how much more the samples of the window scatter than their errors say. NaN where
#: nothing was subtracted.
OF_BACKGROUND = ("background_stderr", "background_overlap", "background_scatter")

#: What profiles and files keep besides the values and standard errors of a measured variable -> its
#: unit; None for that of the variable.
COLUMNS = {
    "counts": "count",
    "background_stderr": None,
    "background_overlap": "1",
    "background_scatter": "1",
}

#: End of the name of the variable with the limits of samples that a file gives as ``<5E15``, and
#: which have no value; NaN at all others.
LIMIT = "detection_limit"

#: End of the name of the coordinate with what is known of samples besides value and error: sums of
#: :class:`sims_analysis.outcomes.Flag`.
QUALITY = "quality"

#: Both: coordinates, so that a DataArray keeps them.
EVIDENCE = (QUALITY, LIMIT)

#: Ends of the names of the ancillary variables of a measured one.
OF_SAMPLES = ("stderr", *COLUMNS, *EVIDENCE)

#: What many samples have in common, and its unit: coordinates of a Dataset, of which a budget reads
#: the relative uncertainties, every sum the independent samples per depth, and every depth that is
#: read from a restored profile its resolution. Profiles and files keep them as columns.
SHARED = {
    "sensitivity_factor_uncertainty": "1",
    "sensitivity_factor_day_to_day": "1",
    "scale_repeatability": "1",
    "depth_scale_uncertainty": "1",
    "dose_scale": "1",
    "dose_scale_uncertainty": "1",
    "effective_sample_fraction": "1",
    "achieved_resolution": "nm",
}
#: What profiles and files have columns for besides values and standard errors.
ANCILLARY = COLUMNS | SHARED

#: Columns and coordinates with the edges of cells over which values are averages, in the unit of
#: the axis.
CELLS = ("cell_start", "cell_stop")

#: Possible dimensions of the samples of one measurement.
AXES = ("depth", "sputter_time")

#: Possible kinds of unit of ``intensity``, in order of preference.
INTENSITY_KINDS = ("count_rate", "count", "arbitrary")

#: The words of every ``status``, in the order of the kernels' codes.
STATUS = tuple(outcomes.words())


def kinds(name: str) -> tuple[str, ...]:
    """Return the possible kinds of unit of a measured variable."""
    return INTENSITY_KINDS if name == "intensity" else (TERMS[RATIOS.get(name, name)].kind or "",)


def kinds_in(name: str, units: str) -> tuple[str, ...]:
    """Return the possible kinds of a measured variable whose canonical unit is the given one."""
    return tuple(kind for kind in kinds(name) if CANONICAL[kind] == units)


def name_of(kind: str) -> str:
    """Return the name of the variable for values of a kind."""
    return next(name for name in QUANTITIES if kind in kinds(name))


VALUE_KINDS = tuple(dict.fromkeys(kind for name in QUANTITIES for kind in kinds(name)))


def attrs(name: str, units: str | None = None) -> dict[str, str]:
    """Return new attrs for a term, or for its error ("dose_stderr"), in some unit."""
    return _attrs(name, units).copy()


@lru_cache(maxsize=256)
def _attrs(name: str, units: str | None) -> dict[str, str]:
    of, _, end = name.rpartition("_")
    if name not in TERMS and end == "stderr":
        base = _attrs(of, units)
        what = f"Standard error of the {base['long_name'].lower()}, random part"
        return {"units": base["units"], "long_name": what}
    if name not in TERMS:
        raise KeyError(f"{name!r} has no term in sims_analysis.vocabulary.TERMS: add one")
    term = TERMS[name]
    units = CANONICAL.get(term.kind or "") if units is None else units
    stated = {
        "units": units,
        "long_name": term.long_name,
        "description": term.definition,
        "references": term.reference or None,
    }
    return {key: text for key, text in stated.items() if text is not None} | of_axis(name)


def of_axis(name: str) -> dict[str, str]:
    """Return what CF tools know an axis by."""
    return _MORE_ATTRS.get(name, {})


def ancillary_attrs(name: str, end: str, units: str) -> dict[str, Any]:
    """Return new attrs for the variable with this end, ancillary to a measured one in `units`."""
    if end == QUALITY:  # flags, by the CF conventions (section 3.5)
        return attrs(QUALITY) | {
            "flag_masks": np.array(list(Flag), dtype=np.int16),
            "flag_meanings": " ".join((flag.name or "").lower() for flag in Flag),
        }
    if end == "stderr":
        long_name = TERMS[name].long_name.lower()
        return {"units": units, "long_name": f"Standard error of {long_name}"}
    return attrs(end, COLUMNS.get(end) or units)
